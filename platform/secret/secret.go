// Package secret keeps what must not be read: it seals fields, makes blind indexes, signs, makes tokens and codes, and
// hashes passwords. It holds no state beyond its keys.
//
// Two suites exist. "gm" uses SM4-GCM (GB/T 32907, GB/T 36624) and HMAC-SM3 (GB/T 32905), what GB/T 39786 asks of
// systems under 密评; "intl" uses AES-256-GCM (NIST SP 800-38D) and HMAC-SHA-256. Every use has its own key, derived from
// a 32-byte root by HKDF (RFC 5869), so that a blind index says nothing about a sealed field.
//
// Rotation: add a root under a new id, make it Current, and Replace the keys of the box. Old text stays readable as long as
// its root is kept, and Rotator seals it again in the background. Blind indexes and token hashes name their key, and
// lookups try every key (Blinds, TokenHashes): they find what was written before, in the midst of rotation too.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"

	"github.com/huiqi/huiqi/platform/fault"
)

// Suite names a set of algorithms.
type Suite string

// The suites New accepts.
const (
	GM   Suite = "gm"   // SM4-GCM, HMAC-SM3
	Intl Suite = "intl" // AES-256-GCM, HMAC-SHA-256
)

// ErrSignature is returned for a signature that does not fit.
var ErrSignature = fault.New(fault.Internal, "SIGNATURE_BROKEN", "签名与内容不符，请联系系统管理员")

// RootSize is the length in bytes of a root key.
const RootSize = 32

const (
	version   = 1
	nonceSize = 12
	tagSize   = 16
)

// The errors of Open. Both are Internal: the person who meets one cannot mend it.
var (
	ErrOpen  = fault.New(fault.Internal, "SEAL_BROKEN", "数据无法解密，请联系系统管理员")
	ErrNoKey = fault.New(fault.Internal, "SEAL_KEY_MISSING", "解密所需的密钥未配置，请联系系统管理员")
)

// Keys is what New needs. Its text form never shows key material.
type Keys struct {
	Current string            // id of the root that seals, indexes and signs
	Keys    map[string][]byte // every root that may still open something, by id
	Suite   Suite             // algorithms for new work; Open follows what the text says
	// Suites are the algorithms of roots whose suite is not Suite.
	Suites map[string]Suite
	// Founding is the id of the root whose blind indexes and token hashes carry no key id: the first of the installation.
	// It may be empty when there is one root.
	Founding string
	// Retired are roots that only check signatures any more: they open nothing and find nothing.
	Retired map[string]bool
}

// String names the key ids only.
func (k Keys) String() string {
	return fmt.Sprintf("secret.Keys{current %q, %d roots, suite %q}", k.Current, len(k.Keys), k.Suite)
}

// GoString is String, so that %#v does not print roots.
func (k Keys) GoString() string { return k.String() }

// Box seals, opens, indexes and signs. It is safe for concurrent use.
type Box struct {
	keys      atomic.Pointer[keySet]
	passwords chan struct{}           // at most maxHashes Argon2id runs at once
	waiting   func() <-chan time.Time // replaces the patience of a caller, in tests
}

// keySet is what a box knows at one moment.
type keySet struct {
	current string
	suite   Suite
	ciphers map[cipherID]cipher.AEAD
	live    []indexKey // current first, then the others by id
	retired []indexKey
}

// indexKey makes blind indexes, MACs and token hashes.
type indexKey struct {
	id     string
	suite  Suite
	root   []byte
	prefix string    // in front of what is kept, so that it names its key
	macs   *sync.Map // by use and purpose, of which the program has a few dozen: a *sync.Pool of hash.Hash under the derived key
}

type cipherID struct {
	suite byte
	key   string
}

// New checks keys and derives the ciphers. It refuses an unknown suite, ids that are empty or longer than 32 bytes or hold
// other than letters, digits, - and _, a Current or Founding that names no root, several roots without a Founding, and
// roots that ParseKey would refuse.
func New(keys Keys) (*Box, error) {
	set, err := newKeySet(keys)
	if err != nil {
		return nil, err
	}
	b := &Box{passwords: make(chan struct{}, maxHashes)}
	b.keys.Store(set)
	return b, nil
}

// Replace has the box use other keys from now on; it refuses what New would.
func (b *Box) Replace(keys Keys) error {
	set, err := newKeySet(keys)
	if err == nil {
		b.keys.Store(set)
	}
	return err
}

func newKeySet(keys Keys) (*keySet, error) {
	if _, err := newHash(keys.Suite); err != nil {
		return nil, err
	}
	if _, ok := keys.Keys[keys.Current]; !ok || keys.Retired[keys.Current] {
		return nil, fmt.Errorf("secret: current key %q is not among the keys", keys.Current)
	}
	founding := keys.Founding
	if founding == "" {
		if len(keys.Keys) > 1 {
			return nil, errors.New("secret: several keys and no founding key; name the one the installation began with")
		}
		founding = keys.Current
	}
	set := &keySet{current: keys.Current, suite: keys.Suite, ciphers: map[cipherID]cipher.AEAD{}}
	if s, ok := keys.Suites[keys.Current]; ok {
		set.suite = s
	}
	for _, id := range slices.Sorted(maps.Keys(keys.Keys)) {
		root := keys.Keys[id]
		if !keyID.MatchString(id) {
			return nil, fmt.Errorf("secret: key id %q must have 1 to 32 letters, digits, - or _", id)
		}
		if err := checkRoot(root); err != nil {
			return nil, fmt.Errorf("secret: key %q: %w", id, err)
		}
		k := indexKey{id: id, suite: keys.Suite, root: slices.Clone(root), prefix: id + ".", macs: new(sync.Map)}
		if s, ok := keys.Suites[id]; ok {
			k.suite = s
		}
		if _, err := newHash(k.suite); err != nil {
			return nil, err
		}
		if id == founding {
			k.prefix = ""
		}
		if keys.Retired[id] {
			set.retired = append(set.retired, k)
			continue
		}
		for _, s := range []Suite{GM, Intl} {
			aead, err := newAEAD(s, root)
			if err != nil {
				return nil, fmt.Errorf("secret: key %q: %w", id, err)
			}
			set.ciphers[cipherID{s.mark(), id}] = aead
		}
		if id == keys.Current {
			set.live = slices.Insert(set.live, 0, k)
		} else {
			set.live = append(set.live, k)
		}
	}
	return set, nil
}

var keyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// Current returns the id and the suite of the key that seals.
func (b *Box) Current() (id string, suite Suite) {
	k := b.keys.Load()
	return k.current, k.suite
}

// String hides the keys.
func (b *Box) String() string { return fmt.Sprintf("secret.Box{suite %q}", b.keys.Load().suite) }

// GoString is String, so that %#v does not print keys.
func (b *Box) GoString() string { return b.String() }

// Seal encrypts plain and binds it to aad, the place it belongs to ("enterprise.phone:42"): the text opens nowhere else.
// Sealing the same plain twice gives different text. The result is URL-safe and needs about 4/3·(len+40) bytes.
func (b *Box) Seal(plain []byte, aad string) string {
	k := b.keys.Load()
	head := append([]byte{version, k.suite.mark(), byte(len(k.current))}, k.current...) // #nosec G115 -- ids have at most 32 bytes
	out := make([]byte, len(head)+nonceSize, len(head)+nonceSize+len(plain)+tagSize)
	copy(out, head)
	nonce := out[len(head):]
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails; it ends the program instead
	out = k.ciphers[cipherID{k.suite.mark(), k.current}].Seal(out, nonce, plain, append(head, aad...))
	return base64.RawURLEncoding.EncodeToString(out)
}

// Open returns what Seal was given. It returns ErrNoKey when the root is not configured and ErrOpen when the text was
// changed, cut, or sealed for another aad.
func (b *Box) Open(sealed, aad string) ([]byte, error) {
	s, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	aead, ok := b.keys.Load().ciphers[cipherID{s.suite, s.key}]
	if !ok {
		return nil, ErrNoKey.Wrap(fmt.Errorf("secret: suite %d key %q", s.suite, s.key))
	}
	plain, err := aead.Open(nil, s.nonce, s.body, append(s.head, aad...))
	if err != nil {
		return nil, ErrOpen.Wrap(errors.New("secret: authentication failed"))
	}
	return plain, nil
}

// Stale reports whether sealed should be sealed again: another key or suite than the current one made it.
func (b *Box) Stale(sealed string) bool {
	k := b.keys.Load()
	s, err := parse(sealed)
	return err != nil || s.key != k.current || s.suite != k.suite.mark()
}

type sealedText struct {
	suite             byte
	key               string
	head, nonce, body []byte
}

func parse(sealed string) (sealedText, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return sealedText{}, ErrOpen.Wrap(fmt.Errorf("secret: not base64url: %w", err))
	}
	if len(raw) < 3 || raw[0] != version || len(raw) < 3+int(raw[2])+nonceSize+tagSize {
		return sealedText{}, ErrOpen.Wrap(errors.New("secret: unknown form"))
	}
	n := 3 + int(raw[2])
	return sealedText{
		suite: raw[1], key: string(raw[3:n]),
		head: raw[:n:n], nonce: raw[n : n+nonceSize], body: raw[n+nonceSize:],
	}, nil
}

// Blind returns the keyed hash of value for exact lookup: equal values give equal text under one purpose, unrelated text
// under another. It names its key, except the founding one. An empty value gives "", which callers store as NULL.
// Normalise value first. Look up with Blinds: the row may have been written under another key.
func (b *Box) Blind(purpose, value string) string { return b.Blinds(purpose, value)[0] }

// Blinds returns what Blind gave or may have given under each key, today's first; [""] for an empty value.
func (b *Box) Blinds(purpose, value string) []string {
	if value == "" {
		return []string{""}
	}
	return b.each(func(k indexKey) string {
		return k.prefix + base64.RawURLEncoding.EncodeToString(k.mac("blind", purpose, value)[:16])
	})
}

// BlindTail is Blind over the last four digits of phone, under a purpose of its own; "" when phone has fewer than four
// characters. The caller filters or limits its use: there are only ten thousand tails.
func (b *Box) BlindTail(phone string) string { return b.BlindTails(phone)[0] }

// BlindTails is to BlindTail what Blinds is to Blind.
func (b *Box) BlindTails(phone string) []string {
	if len(phone) < 4 {
		return []string{""}
	}
	return b.each(func(k indexKey) string {
		return k.prefix + base64.RawURLEncoding.EncodeToString(k.mac("blind-tail", "phone", phone[len(phone)-4:])[:16])
	})
}

// MAC signs parts for a purpose. Parts are length-prefixed, so ("ab","c") and ("a","bc") differ.
func (b *Box) MAC(purpose string, parts ...string) string { return b.MACs(purpose, parts...)[0] }

// MACs returns what MAC gives or gave under each key, today's first.
func (b *Box) MACs(purpose string, parts ...string) []string {
	return b.each(func(k indexKey) string {
		return base64.RawURLEncoding.EncodeToString(k.mac("mac", purpose, parts...))
	})
}

// VerifyMAC reports whether mac is MAC(purpose, parts...) under any key. It compares in constant time.
func (b *Box) VerifyMAC(mac, purpose string, parts ...string) bool {
	ok := false
	for _, m := range b.MACs(purpose, parts...) {
		ok = Equal(mac, m) || ok
	}
	return ok
}

// Sign is MAC with the id of its key in front, for what is kept for years.
func (b *Box) Sign(purpose string, parts ...string) string {
	return b.keys.Load().live[0].sign(purpose, parts...)
}

// CheckSignature returns ErrSignature when signature is not Sign(purpose, parts...), and ErrNoKey when its key is not
// known. Retired keys count.
func (b *Box) CheckSignature(signature, purpose string, parts ...string) error {
	id, _, _ := strings.Cut(signature, ".")
	set := b.keys.Load()
	for _, k := range slices.Concat(set.live, set.retired) {
		if k.id != id {
			continue
		}
		if !Equal(signature, k.sign(purpose, parts...)) {
			return ErrSignature
		}
		return nil
	}
	return ErrNoKey.Wrap(fmt.Errorf("secret: signature by key %q", id))
}

// HashToken returns what to store for a token or code: whoever reads the database cannot present it. Look up with
// TokenHashes.
func (b *Box) HashToken(plain string) string { return b.TokenHashes(plain)[0] }

// TokenHashes returns what HashToken gave or may have given under each key, today's first.
func (b *Box) TokenHashes(plain string) []string {
	return b.each(func(k indexKey) string {
		return k.prefix + base64.RawURLEncoding.EncodeToString(k.mac("token", "", plain))
	})
}

func (b *Box) each(fn func(k indexKey) string) []string {
	keys := b.keys.Load().live
	list := make([]string, 0, len(keys))
	for _, k := range keys {
		list = append(list, fn(k))
	}
	return list
}

func (k indexKey) sign(purpose string, parts ...string) string {
	return k.id + "." + base64.RawURLEncoding.EncodeToString(k.mac("sign", purpose, parts...))
}

func (k indexKey) mac(use, purpose string, parts ...string) []byte {
	pool := k.pool(use + "/" + purpose)
	m := pool.Get().(hash.Hash)
	defer pool.Put(m)
	m.Reset()
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		m.Write(size[:])
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

// pool keeps ready what is derived from the root for the label.
func (k indexKey) pool(label string) *sync.Pool {
	if p, ok := k.macs.Load(label); ok {
		return p.(*sync.Pool)
	}
	h, err := newHash(k.suite)
	if err != nil {
		panic(err) // New refused unknown suites
	}
	key, err := hkdf.Key(h, k.root, nil, "huiqi/"+string(k.suite)+"/"+label, 32)
	if err != nil {
		panic(err) // 32 bytes are within what HKDF gives
	}
	p, _ := k.macs.LoadOrStore(label, &sync.Pool{New: func() any { return hmac.New(h, key) }})
	return p.(*sync.Pool)
}

func (s Suite) mark() byte {
	if s == GM {
		return 1
	}
	return 2
}

func newHash(s Suite) (func() hash.Hash, error) {
	switch s {
	case GM:
		return sm3.New, nil
	case Intl:
		return sha256.New, nil
	}
	return nil, fmt.Errorf("secret: unknown suite %q, want gm or intl", string(s))
}

func newAEAD(s Suite, root []byte) (cipher.AEAD, error) {
	h, err := newHash(s)
	if err != nil {
		return nil, err
	}
	size, block := 16, sm4.NewCipher
	if s == Intl {
		size, block = 32, aes.NewCipher
	}
	key, err := hkdf.Key(h, root, nil, "huiqi/"+string(s)+"/seal", size)
	if err != nil {
		return nil, err
	}
	c, err := block(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(c)
}

// NewKey returns a fresh root in the form ParseKey reads.
func NewKey() string {
	root := make([]byte, RootSize)
	_, _ = rand.Read(root)
	return base64.StdEncoding.EncodeToString(root)
}

// ParseKey reads a root: base64 (standard or URL alphabet, padded or not) of exactly 32 random bytes. It refuses what
// was typed instead of drawn: repeated bytes, few distinct bytes, counting bytes, plain text, and hashes of well-known
// words. Errors are in Chinese for the operator and never contain the key.
func ParseKey(text string) ([]byte, error) {
	t := strings.TrimRight(strings.TrimSpace(text), "=")
	t = strings.NewReplacer("-", "+", "_", "/").Replace(t)
	root, err := base64.RawStdEncoding.DecodeString(t)
	if err != nil {
		return nil, weakKey("密钥应为 Base64 文本")
	}
	if err := checkRoot(root); err != nil {
		return nil, err
	}
	return root, nil
}

func weakKey(why string) error {
	return fault.New(fault.Invalid, "WEAK_KEY", why+"，请用 openssl rand -base64 32 生成")
}

func checkRoot(root []byte) error {
	if len(root) != RootSize {
		return weakKey(fmt.Sprintf("密钥应为 %d 字节，现为 %d 字节", RootSize, len(root)))
	}
	distinct := map[byte]bool{}
	steps := map[byte]bool{}
	printable := true
	for i, c := range root {
		distinct[c] = true
		printable = printable && c >= 0x20 && c < 0x7f
		if i > 0 {
			steps[c-root[i-1]] = true
		}
	}
	// 32 random bytes hold about 30 distinct values and 30 distinct steps; each refusal hits a drawn key less often than
	// once in 10^8.
	switch {
	case len(distinct) < 20, len(steps) < 12:
		return weakKey("密钥随机性不足")
	case printable:
		return weakKey("密钥是可读文字，不是随机数据")
	}
	for _, word := range exampleWords {
		for _, sum := range [][32]byte{sha256.Sum256([]byte(word)), sm3.Sum([]byte(word))} {
			if hmac.Equal(sum[:], root) {
				return weakKey("密钥是公开的示例")
			}
		}
	}
	return nil
}

// exampleWords are the words whose digest people paste as a key.
var exampleWords = []string{
	"", "a", "abc", "test", "demo", "example", "key", "secret", "password", "changeme", "change-me", "admin", "root",
	"huiqi", "default", "123456", "12345678", "hello", "hello world", "foo", "bar", "message digest",
}
