package secret

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/fault"
)

// Profile names a password policy.
type Profile string

// The profiles. Staff follows GB/T 22239 (等保) 身份鉴别; Public follows OWASP ASVS 6.2, which forbids composition rules.
const (
	Staff  Profile = "staff"  // at least 10 characters, 3 of 4 classes, without the account name
	Public Profile = "public" // at least 8 characters
)

// MaxPassword is the longest password in characters either profile takes.
const MaxPassword = 128

// The policy faults; each message says what to change.
var (
	ErrPasswordShort = fault.New(fault.Invalid, "PASSWORD_SHORT", "密码太短")
	ErrPasswordLong  = fault.New(fault.Invalid, "PASSWORD_LONG", fmt.Sprintf("密码最多 %d 个字符", MaxPassword))
	ErrPasswordPlain = fault.New(fault.Invalid, "PASSWORD_SIMPLE", "密码须包含大写字母、小写字母、数字、符号中的至少三种")
	ErrPasswordName  = fault.New(fault.Invalid, "PASSWORD_HAS_ACCOUNT", "密码不能包含账号，请换一个")
	ErrPasswordWeak  = fault.New(fault.Invalid, "PASSWORD_WEAK", "该密码过于常见，容易被猜中，请换一个")
)

//go:embed weak.txt
var weakList string

// CheckPassword says whether password may be chosen for account under profile. The faults point at field "password".
func CheckPassword(profile Profile, password, account string) error {
	p := norm.NFKC.String(password)
	n := utf8.RuneCountInString(p)
	least := 8
	if profile == Staff {
		least = 10
	}
	switch {
	case n < least:
		return ErrPasswordShort.With("密码至少 %d 个字符，现为 %d 个", least, n).On("password")
	case n > MaxPassword:
		return ErrPasswordLong.On("password")
	case profile == Staff && classes(p) < 3:
		return ErrPasswordPlain.On("password")
	case containsAccount(profile, p, account):
		return ErrPasswordName.On("password")
	case weak(p):
		return ErrPasswordWeak.On("password")
	}
	return nil
}

// containsAccount is strict for staff (contains) and mild for the public (equals), as each standard asks.
func containsAccount(profile Profile, p, account string) bool {
	a := strings.ToLower(norm.NFKC.String(strings.TrimSpace(account)))
	if a == "" {
		return false
	}
	p = strings.ToLower(p)
	return p == a || profile == Staff && strings.Contains(p, a)
}

func classes(p string) int {
	var upper, lower, digit, other int
	for _, r := range p {
		switch {
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			other = 1
		}
	}
	return upper + lower + digit + other
}

// weak reports passwords on the list, and those that are one character or short unit repeated, or a straight run.
func weak(p string) bool {
	p = strings.ToLower(p)
	for line := range strings.Lines(weakList) {
		if strings.TrimSpace(line) == p {
			return true
		}
	}
	rs := []rune(p)
	for unit := 1; unit <= 4 && unit < len(rs); unit++ {
		same := true
		for i := unit; i < len(rs) && same; i++ {
			same = rs[i] == rs[i-unit]
		}
		if same {
			return true
		}
	}
	up, down := true, true
	for i := 1; i < len(rs); i++ {
		up = up && rs[i] == rs[i-1]+1
		down = down && rs[i] == rs[i-1]-1
	}
	return up || down
}

// maxHashes is how many Argon2id runs a process makes at once: each needs the memory of current, 19 MiB, and a core.
const maxHashes = 2

// hashPatience is how long a caller waits for its turn. More than that means that somebody floods the sign-in; waiting
// longer would only pile up requests.
const hashPatience = 10 * time.Second

// ErrHashBusy is returned when too many passwords are being checked.
var ErrHashBusy = fault.New(fault.Unavailable, "SIGN_IN_BUSY", "登录的人较多，请稍后再试").After(5)

// argon holds Argon2id cost; current is OWASP's first choice for little memory, about 20 ms a run here.
type argon struct {
	memory, time uint32
	threads      uint8
}

var current = argon{memory: 19 * 1024, time: 2, threads: 1}

// HashPassword returns the Argon2id (RFC 9106) hash of password in PHC form, its parameters and salt inside. The
// password is compared after NFKC, so full-width typing does not matter. At most two hashes run at once per Box; waiting
// ends with ctx or after ten seconds, and the error is then Unavailable.
func (b *Box) HashPassword(ctx context.Context, password string) (string, error) {
	if utf8.RuneCountInString(password) > MaxPassword {
		return "", ErrPasswordLong.On("password")
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	sum, err := b.argon(ctx, password, salt, current, 32)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, current.memory, current.time, current.threads,
		enc.EncodeToString(salt), enc.EncodeToString(sum)), nil
}

// VerifyPassword reports whether password made hash, and whether hash should be made anew because its parameters are
// older than today's. An empty hash (an unknown account, or one without a password) costs the same work and answers no,
// so that timing does not tell accounts apart. The error is for a damaged hash or an ended ctx, never for a wrong password.
func (b *Box) VerifyPassword(ctx context.Context, password, hash string) (ok, rehash bool, err error) {
	if utf8.RuneCountInString(password) > MaxPassword {
		return false, false, nil
	}
	if hash == "" {
		_, err := b.argon(ctx, password, make([]byte, 16), current, 32)
		return false, false, err
	}
	cost, salt, want, err := parsePHC(hash)
	if err != nil {
		return false, false, fault.ErrInternal.Wrap(err)
	}
	got, err := b.argon(ctx, password, salt, cost, uint32(len(want)))
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want) == 1
	return ok, ok && cost != current, nil
}

// patience ends when a caller has waited long enough.
func (b *Box) patience() <-chan time.Time {
	if b.waiting != nil {
		return b.waiting()
	}
	return time.After(hashPatience)
}

func (b *Box) argon(ctx context.Context, password string, salt []byte, c argon, size uint32) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.ErrUnavailable.Wrap(err)
	}
	select {
	case b.passwords <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.ErrUnavailable.Wrap(ctx.Err())
	case <-b.patience():
		return nil, ErrHashBusy
	}
	defer func() { <-b.passwords }()
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, c.time, c.memory, c.threads, size), nil
}

// parsePHC bounds every parameter, so that a planted hash cannot exhaust memory.
func parsePHC(s string) (c argon, salt, sum []byte, err error) {
	bad := errors.New("secret: damaged password hash")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return c, nil, nil, bad
	}
	if c.memory < 8 || c.memory > 256*1024 || c.time < 1 || c.time > 10 || c.threads < 1 || c.threads > 8 {
		return c, nil, nil, bad
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return c, nil, nil, bad
	}
	sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(sum) < 16 || len(sum) > 64 {
		return c, nil, nil, bad
	}
	return c, salt, sum, nil
}
