package snapshot

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/fault"
)

// format is the layout this program writes; it reads no later one.
const format = 1

const (
	manifestName = "manifest.json"
	sumsName     = "SHA256SUMS"
	databaseName = "database.age"
	configName   = "config.age"
	filesName    = "files.jsonl"
	verifiedName = "verified.json"
	poolName     = "files"
	partPrefix   = ".part-"
)

// Faults of sets. Their messages are for the person who restores.
var (
	ErrDamaged  = fault.New(fault.Conflict, "BACKUP_DAMAGED", "备份集已损坏，未做任何改动，请换用其他备份集")
	ErrIdentity = fault.New(fault.Invalid, "BACKUP_IDENTITY", "解密身份与备份集不符，未做任何改动，请换用备份时配置的公钥所对应的身份文件")
	ErrNewer    = fault.New(fault.Conflict, "BACKUP_NEWER", "备份集由更新版本的程序生成，未做任何改动，请改用该版本的程序恢复")
	ErrSpace    = fault.New(fault.Unavailable, "BACKUP_SPACE", "磁盘空间不足，未做任何改动，请清理磁盘或更换目录")
	ErrExists   = fault.New(fault.Conflict, "RESTORE_EXISTS", "目标已有数据，未做任何改动；确认要替换时请加 --replace，原有数据会移到旁边保留")
	ErrRunning  = fault.New(fault.Conflict, "RESTORE_RUNNING", "目标数据正在使用，未做任何改动，请先停止程序")
	ErrDiffers  = fault.New(fault.Conflict, "BACKUP_DIFFERS", "恢复出的数据与备份时不一致")
	ErrBusy     = fault.New(fault.Conflict, "BACKUP_BUSY", "该目录正在进行另一个备份，请稍后再试")
)

// Part is one file of a set.
type Part struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// PlainSize is the length of what is encrypted; for a database the room its restoring needs at least.
	PlainSize int64 `json:"plainSize,omitempty"`
}

// Table is one table at the instant of the set. Hash does not depend on the order of rows.
type Table struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	Hash string `json:"hash"`
}

// FileTotals sums up the files of a set.
type FileTotals struct {
	Count    int64 `json:"count"`
	Bytes    int64 `json:"bytes"`
	NewCount int64 `json:"newCount"` // encrypted for this set; the others lay in the pool
	NewBytes int64 `json:"newBytes"`
	Missing  int64 `json:"missing"` // rows without their content
	Damaged  int64 `json:"damaged"` // contents that are not what their row says
}

// Manifest says what a set is. It holds no secrets and no personal data.
type Manifest struct {
	Format     int        `json:"format"`
	Name       string     `json:"name"`
	At         time.Time  `json:"at"` // the instant whose data the set holds
	Program    string     `json:"program"`
	Database   string     `json:"database"` // sqlite or postgres
	Demo       bool       `json:"demo"`
	Migrations []string   `json:"migrations"`
	Schema     string     `json:"schema"` // hash of the definitions of tables and indexes
	Tables     []Table    `json:"tables"`
	Files      FileTotals `json:"files"`
	Parts      []Part     `json:"parts"`
	Recipients []string   `json:"recipients"`
	// KeyID names the root key that sealed fields need, KeyCheck tells whether a given root is that one.
	KeyID    string `json:"keyId"`
	KeyCheck string `json:"keyCheck"`
	Secrets  bool   `json:"secrets"` // whether the configuration part holds secrets
}

// Rows counts the rows of all tables.
func (m *Manifest) Rows() (n int64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// Size is what the set alone takes, without what it shares with others.
func (m *Manifest) Size() (n int64) {
	for _, p := range m.Parts {
		n += p.Size
	}
	return n + m.Files.NewBytes
}

func (m *Manifest) part(name string) (Part, bool) {
	i := slices.IndexFunc(m.Parts, func(p Part) bool { return p.Name == name })
	if i < 0 {
		return Part{}, false
	}
	return m.Parts[i], true
}

// Verification is the outcome of restoring a set into a scratch place.
type Verification struct {
	At      time.Time `json:"at"`
	Program string    `json:"program"`
	Tables  int       `json:"tables"`
	Rows    int64     `json:"rows"`
	Files   int64     `json:"files"`
	TookMS  int64     `json:"tookMs"`
}

// Set is a set in a target.
type Set struct {
	Dir      string // of the set
	Manifest *Manifest
	Verified *Verification // nil until it was verified
}

// Name is the set's name within its target.
func (s *Set) Name() string { return filepath.Base(s.Dir) }

func (s *Set) path(name string) string { return filepath.Join(s.Dir, name) }

// pooled is where a file lies that a set of this target refers to.
// Another encryption of the same content has another name, so that none is ever written over.
func pooled(target string, e fileEntry) string {
	if !fileKey.MatchString(e.Key) || len(e.SealedSHA256) < 16 {
		return filepath.Join(target, poolName, "none")
	}
	return filepath.Join(target, poolName, e.Key[:2], e.Key+"-"+e.SealedSHA256[:16]+".age")
}

var setName = regexp.MustCompile(`^huiqi-\d{8}-\d{6}Z(-\d+)?$`)

// Open reads the manifest of the set in dir and checks it against the set's sums. It returns ErrDamaged when it was
// changed and ErrNewer when a later program wrote it. The parts are not looked at; Check does that.
func Open(dir string) (*Set, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	sums, err := readSums(filepath.Join(dir, sumsName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "BACKUP_MISSING", "这里没有备份集："+dir)
	} else if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, manifestName)) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return nil, damaged(manifestName, err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != sums[manifestName] {
		return nil, damaged(manifestName, errors.New("sum differs"))
	}
	m := &Manifest{}
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, damaged(manifestName, err)
	}
	if m.Format > format {
		return nil, ErrNewer
	}
	for _, p := range m.Parts {
		if sums[p.Name] != p.SHA256 {
			return nil, damaged(sumsName, errors.New("says another sum than the manifest"))
		}
	}
	s := &Set{Dir: dir, Manifest: m}
	if raw, err := os.ReadFile(s.path(verifiedName)); err == nil {
		v := &Verification{}
		if json.Unmarshal(raw, v) == nil {
			s.Verified = v
		}
	}
	return s, nil
}

// List returns the sets of a target, newest first, and the names of those whose manifest cannot be read.
func List(target string) (sets []*Set, broken []string, err error) {
	entries, err := os.ReadDir(target)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if !e.IsDir() || !setName.MatchString(e.Name()) {
			continue
		}
		s, err := Open(filepath.Join(target, e.Name()))
		if err != nil {
			broken = append(broken, e.Name())
			continue
		}
		sets = append(sets, s)
	}
	slices.SortFunc(sets, func(a, b *Set) int { return strings.Compare(b.Name(), a.Name()) })
	return sets, broken, nil
}

func damaged(name string, err error) error {
	return ErrDamaged.With("备份集已损坏（%s），未做任何改动，请换用其他备份集", name).Wrap(err)
}

func readSums(path string) (map[string]string, error) {
	f, err := os.Open(path) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || len(sum) != 64 {
			return nil, damaged(sumsName, errors.New("unknown line"))
		}
		sums[name] = sum
	}
	return sums, lines.Err()
}

// fileEntry is a line of files.jsonl.
type fileEntry struct {
	Key    string `json:"key"`
	Size   int64  `json:"size"`   // of the content
	SHA256 string `json:"sha256"` // of the content
	// The same of the encrypted file in the pool.
	SealedSize   int64  `json:"sealedSize"`
	SealedSHA256 string `json:"sealedSha256"`
	// In names the set the file was encrypted for: the identity of that set's making verified it.
	In string `json:"in"`
	// Missing is a row whose content was not there.
	Missing bool `json:"missing,omitempty"`
}

// eachFile calls do with the entries of the set.
func (s *Set) eachFile(do func(fileEntry) error) error {
	f, err := os.Open(s.path(filesName))
	if err != nil {
		return damaged(filesName, err)
	}
	defer f.Close()
	d := json.NewDecoder(bufio.NewReader(f))
	for {
		var e fileEntry
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return damaged(filesName, err)
		}
		if !fileKey.MatchString(e.Key) || !e.Missing && !hexSum.MatchString(e.SealedSHA256) {
			return damaged(filesName, fmt.Errorf("key %q", e.Key))
		}
		if err := do(e); err != nil {
			return err
		}
	}
}

// fileKey keeps a catalogue from naming anything outside the pool.
var (
	fileKey = regexp.MustCompile(`^[0-9a-f]{32}$`)
	hexSum  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)
