package snapshot

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/shirou/gopsutil/v4/disk"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
)

// scratchCopy is the plain copy of an embedded database while it is encrypted.
const scratchCopy = "snapshot.db"

// scratchFolder is ours within the folder an operator names: what lies in it is removed.
const scratchFolder = "huiqi-scratch"

// Source is the installation whose set is made.
type Source struct {
	DB *database.DB
	// Files gives the contents; References are queries that list them at the instant of the snapshot: key, size, SHA-256.
	Files      files.Storage
	References []string
	// Config is the configuration; Extra are small files of the data directory that go with it.
	Config  []byte
	Secrets bool // whether Config holds secrets
	Extra   map[string][]byte
	// Scratch is a folder on this machine; plain text lies in a folder of ours within it while a set is made and verified.
	Scratch  string
	Tools    Tools
	Program  string
	Demo     bool
	KeyID    string
	KeyCheck string
}

// configPart is what config.age holds.
type configPart struct {
	Config []byte            `json:"config"`
	Extra  map[string][]byte `json:"extra"`
}

// Fresh is a set just made, with the identity that is forgotten afterwards.
type Fresh struct {
	*Set
	identity *age.X25519Identity
}

// Create makes a set of s in target for the recipients. It returns ErrBusy while another making runs there and ErrSpace
// when the disk does not hold it. Whatever ends it, the sets made before stay as they are, and what it had stored for
// itself by then is removed: a disk that ran full has its room back.
func Create(ctx context.Context, s Source, target string, recipients []string, progress Progress) (f *Fresh, err error) {
	defer func() { err = full(err) }()
	to, err := ParseRecipients(recipients)
	if err != nil {
		return nil, err
	}
	if len(to) == 0 {
		return nil, fault.New(fault.Invalid, "BACKUP_RECIPIENTS", "尚未配置备份公钥，请用 huiqi backup keygen 生成密钥对，并把公钥填入 backup.recipients")
	}
	own, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	if target, err = filepath.Abs(target); err != nil {
		return nil, err
	}
	s.Scratch = filepath.Join(s.Scratch, scratchFolder)
	if err := os.MkdirAll(filepath.Join(target, poolName), 0o700); err != nil {
		return nil, err
	}
	unlock, err := lock(target)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := sweep(target, s.Scratch); err != nil {
		return nil, err
	}
	err = roomToMake(ctx, s, target)
	if errors.Is(err, ErrSpace) { // a making that was killed may have left files
		if err = clearOrphans(target); err == nil {
			err = roomToMake(ctx, s, target)
		}
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, clearOrphans(target))
		}
	}()
	m := &Manifest{Format: format, At: time.Now().UTC().Truncate(time.Second), Program: s.Program, Database: string(s.DB.Kind()), Demo: s.Demo,
		Recipients: recipients, KeyID: s.KeyID, KeyCheck: s.KeyCheck, Secrets: s.Secrets}
	m.Name = freeName(target, m.At)
	dir := filepath.Join(target, partPrefix+m.Name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // gone by then when all went well
	all := append(slices.Clone(to), own.Recipient())
	dump := dumpSQLite
	if s.DB.Kind() == database.Postgres {
		dump = dumpPostgres
	}
	got, err := dump(ctx, s, dir, all, progress)
	if err != nil {
		return nil, err
	}
	m.Tables, m.Schema, m.Migrations = got.tables, got.schema, got.migrations
	conf, err := sealConfig(s, dir, all)
	if err != nil {
		return nil, err
	}
	list, err := storeFiles(ctx, s, m, target, dir, got.refs, all, progress)
	if err != nil {
		return nil, err
	}
	m.Parts = []Part{got.part, conf, list}
	if err := writeManifest(dir, m); err != nil {
		return nil, err
	}
	if err := failpoint.Hit("snapshot.before-rename"); err != nil {
		return nil, err
	}
	set := &Set{Dir: filepath.Join(target, m.Name), Manifest: m}
	if err := errors.Join(syncDir(dir), os.Rename(dir, set.Dir), syncDir(target)); err != nil {
		return nil, err
	}
	if err := failpoint.Hit("snapshot.after-rename"); err != nil {
		return nil, err
	}
	return &Fresh{set, own}, nil
}

// full gives a disk that ran full its own fault.
func full(err error) error {
	if isFull(err) {
		return ErrSpace.With("磁盘空间不足，本次备份未完成，以前的备份集不受影响，请清理磁盘或更换目录").Wrap(err)
	}
	return err
}

// freeName names the set by its time; a second one of the same second gets a number.
func freeName(target string, at time.Time) string {
	name := at.Format("huiqi-20060102-150405Z")
	for n := 2; ; n++ {
		if _, err := os.Stat(filepath.Join(target, name)); errors.Is(err, os.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("%s-%d", at.Format("huiqi-20060102-150405Z"), n)
	}
}

// sweep removes what killed makings left. The target is locked: nobody is writing there.
func sweep(target, scratch string) error {
	entries, err := os.ReadDir(target)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), partPrefix) {
			if err := os.RemoveAll(filepath.Join(target, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.RemoveAll(scratch); err != nil {
		return err
	}
	return os.MkdirAll(scratch, 0o700)
}

// free tells how much room there is where path is or will be.
func free(path string) (uint64, error) {
	for {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = filepath.Dir(path)
	}
	u, err := disk.Usage(path)
	if err != nil {
		return 0, err
	}
	return u.Free, nil
}

// margin is what stays free beyond the estimate.
const margin = 64 << 20

func roomToMake(ctx context.Context, s Source, target string) error {
	var size int64
	if s.DB.Kind() == database.SQLite {
		for _, name := range []string{s.DB.URL(), s.DB.URL() + "-wal"} {
			if info, err := os.Stat(name); err == nil {
				size += info.Size()
			}
		}
		room, err := free(s.Scratch)
		if err != nil {
			return err
		}
		if room < uint64(size)+margin {
			return ErrSpace.With("磁盘空间不足：临时目录需要 %s，剩余 %s；以前的备份集不受影响，请清理磁盘或在 backup.scratch 中另设目录", bytesText(uint64(size)), bytesText(room))
		}
	} else if err := s.DB.Read().QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&size); err != nil {
		return err
	}
	room, err := free(target)
	if err != nil {
		return err
	}
	// A compressed copy takes a third to a half of the database; files are counted as they come.
	if room < uint64(size)/2+margin {
		return ErrSpace.With("磁盘空间不足：备份目录需要约 %s，剩余 %s；以前的备份集不受影响，请清理磁盘或更换目录", bytesText(uint64(size)/2), bytesText(room))
	}
	return nil
}

func bytesText(n uint64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
}

func sealConfig(s Source, dir string, to []age.Recipient) (Part, error) {
	raw, err := json.Marshal(configPart{s.Config, s.Extra})
	if err != nil {
		return Part{}, err
	}
	got, err := sealTo(filepath.Join(dir, configName), to, func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	})
	return Part{Name: configName, Size: got.size, SHA256: got.sha256, PlainSize: got.plainSize}, err
}

// storeFiles encrypts what the pool does not hold yet and writes the catalogue.
func storeFiles(ctx context.Context, s Source, m *Manifest, target, dir string, refs []reference, to []age.Recipient, progress Progress) (Part, error) {
	slices.SortFunc(refs, func(a, b reference) int { return strings.Compare(a.Key, b.Key) })
	refs = slices.CompactFunc(refs, func(a, b reference) bool { return a.Key == b.Key })
	before, closeBefore, err := catalogueBefore(target)
	if err != nil {
		return Part{}, err
	}
	defer closeBefore()
	path := filepath.Join(dir, filesName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return Part{}, err
	}
	defer f.Close()
	buf := bufio.NewWriter(f)
	out := newMeter(buf)
	lines := json.NewEncoder(out)
	touched := map[string]bool{}
	for n, r := range refs {
		progress.say(StageFiles, int64(n), int64(len(refs)))
		if !fileKey.MatchString(r.Key) {
			return Part{}, fmt.Errorf("snapshot: a row names the file %q", r.Key)
		}
		e, err := before(r.Key)
		if err != nil {
			return Part{}, err
		}
		if info, err := os.Stat(pooled(target, e)); e.Key == "" || err != nil || info.Size() != e.SealedSize {
			if e, err = storeFile(ctx, s, m, target, r, to); err != nil {
				return Part{}, err
			}
			if !e.Missing {
				touched[filepath.Dir(pooled(target, e))] = true
				m.Files.NewCount++
				m.Files.NewBytes += e.SealedSize
			}
		}
		if e.Missing {
			m.Files.Missing++
		} else {
			m.Files.Count++
			m.Files.Bytes += e.Size
			if r.SHA256 != "" && e.SHA256 != r.SHA256 {
				m.Files.Damaged++
			}
		}
		if err := lines.Encode(e); err != nil {
			return Part{}, err
		}
	}
	progress.say(StageFiles, int64(len(refs)), int64(len(refs)))
	for d := range touched {
		if err := syncDir(d); err != nil {
			return Part{}, err
		}
	}
	if err := errors.Join(syncDir(filepath.Join(target, poolName)), buf.Flush(), f.Sync()); err != nil {
		return Part{}, err
	}
	return Part{Name: filesName, Size: out.n, SHA256: out.sum()}, nil
}

// storeFile encrypts one file into the pool.
func storeFile(ctx context.Context, s Source, m *Manifest, target string, r reference, to []age.Recipient) (fileEntry, error) {
	e := fileEntry{Key: r.Key, In: m.Name}
	if err := ctx.Err(); err != nil {
		return e, err
	}
	object, err := s.Files.Open(ctx, r.Key)
	if fault.KindOf(err) == fault.NotFound {
		e.Missing = true
		return e, nil
	} else if err != nil {
		return e, fmt.Errorf("open file %s: %w", r.Key, err)
	}
	defer object.Close()
	folder := filepath.Join(target, poolName, r.Key[:2])
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return e, err
	}
	temp := filepath.Join(folder, r.Key+".tmp")
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return e, err
	}
	got, err := sealTo(temp, to, func(w io.Writer) error {
		_, err := io.Copy(w, reader{ctx, object})
		return err
	})
	if err != nil {
		return e, fmt.Errorf("store file %s: %w", r.Key, err)
	}
	e.Size, e.SHA256, e.SealedSize, e.SealedSHA256 = got.plainSize, got.plainSHA256, got.size, got.sha256
	return e, os.Rename(temp, pooled(target, e))
}

// catalogueBefore reads the files of the newest verified set: what that one decrypted and found right need not be encrypted
// again. The function it returns is asked for keys in rising order.
func catalogueBefore(target string) (find func(key string) (fileEntry, error), done func(), err error) {
	none := func(string) (fileEntry, error) { return fileEntry{}, nil }
	sets, _, err := List(target)
	if err != nil {
		return none, func() {}, err
	}
	i := slices.IndexFunc(sets, func(s *Set) bool { return s.Verified != nil })
	if i < 0 {
		return none, func() {}, nil
	}
	if sum, _, err := sumFile(context.Background(), sets[i].path(filesName)); err != nil {
		return none, func() {}, nil // damaged since: everything is encrypted anew
	} else if p, _ := sets[i].Manifest.part(filesName); p.SHA256 != sum {
		return none, func() {}, nil
	}
	f, err := os.Open(sets[i].path(filesName))
	if err != nil {
		return none, func() {}, err
	}
	lines := json.NewDecoder(bufio.NewReader(f))
	var next fileEntry
	return func(key string) (fileEntry, error) {
		for next.Key < key {
			next = fileEntry{}
			if err := lines.Decode(&next); errors.Is(err, io.EOF) {
				next.Key = "~" // after every key
			} else if err != nil {
				return fileEntry{}, err
			}
		}
		if next.Key != key || next.Missing {
			return fileEntry{}, nil
		}
		return next, nil
	}, func() { _ = f.Close() }, nil
}

// writeManifest writes the manifest and the sums, durably.
func writeManifest(dir string, m *Manifest) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	sum := newMeter(io.Discard)
	_, _ = sum.Write(raw)
	var sums bytes.Buffer
	fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(sum.hash.Sum(nil)), manifestName)
	for _, p := range m.Parts {
		fmt.Fprintf(&sums, "%s  %s\n", p.SHA256, p.Name)
	}
	return errors.Join(writeDurable(filepath.Join(dir, manifestName), raw), writeDurable(filepath.Join(dir, sumsName), sums.Bytes()))
}

// Free tells how many bytes are left where path is or will be, -1 when it cannot be told.
func Free(path string) int64 {
	n, err := free(path)
	if err != nil {
		return -1
	}
	return int64(n)
}
