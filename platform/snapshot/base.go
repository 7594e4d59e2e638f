package snapshot

import (
	"archive/tar"
	"context"
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

	"filippo.io/age"

	"github.com/huiqi/huiqi/platform/fault"
)

// A base backup is the physical copy of a whole PostgreSQL server. With the log files archived since it was made, the
// server can be recovered to any moment in between; a set, made with pg_dump, holds one instant only.

const (
	baseTar    = "base.tar.age"
	basePrefix = "base-"
	sealedWAL  = ".age"
	walSum     = ".sha256"
)

// Base is a base backup in a target.
type Base struct {
	Dir     string    `json:"-"`
	At      time.Time `json:"at"`
	Program string    `json:"program"`
	Tar     Part      `json:"tar"`
	// StartWAL is the first log file that recovery needs.
	StartWAL string `json:"startWal"`
}

var startWAL = regexp.MustCompile(`(?m)^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)`)

// CreateBase makes a base backup of the server at address with pg_basebackup, encrypted as it comes, unpacks it in the
// scratch folder, and has pg_verifybackup compare every file and read the log that belongs to it.
func CreateBase(ctx context.Context, address string, s Source, target string, recipients []string, progress Progress) (*Base, error) {
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
	if err := os.MkdirAll(target, 0o700); err != nil {
		return nil, err
	}
	unlock, err := lock(target)
	if err != nil {
		return nil, err
	}
	defer unlock()
	scratch := filepath.Join(s.Scratch, scratchFolder)
	if err := sweep(target, scratch); err != nil {
		return nil, err
	}
	b := &Base{At: time.Now().UTC().Truncate(time.Second), Program: s.Program}
	name := basePrefix + b.At.Format("20060102-150405Z")
	part := filepath.Join(target, partPrefix+name)
	if err := os.Mkdir(part, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(part)
	got, err := sealTo(filepath.Join(part, baseTar), append(slices.Clone(to), own.Recipient()), func(w io.Writer) error {
		// The log of the copy itself goes with it, so that it can be verified and started by itself.
		cmd, err := s.Tools.command(ctx, address, "pg_basebackup", "--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password")
		if err != nil {
			return err
		}
		var n int64
		cmd.Stdout = counted{w, func(k int) { n += int64(k); progress.say(StageDatabase, n, 0) }}
		return run(cmd)
	})
	if err != nil {
		return nil, full(err)
	}
	b.Tar = Part{Name: baseTar, Size: got.size, SHA256: got.sha256, PlainSize: got.plainSize}
	room, err := free(scratch)
	if err != nil {
		return nil, err
	}
	if room < uint64(got.plainSize)+margin {
		return nil, ErrSpace.With("磁盘空间不足，无法验证基础备份：临时目录需要 %s，剩余 %s", bytesText(uint64(got.plainSize)), bytesText(room))
	}
	unpacked := filepath.Join(scratch, "base")
	defer os.RemoveAll(unpacked)
	if err := unpackBase(ctx, filepath.Join(part, baseTar), []age.Identity{own}, unpacked, progress); err != nil {
		return nil, err
	}
	if err := s.Tools.verifyBase(ctx, unpacked); err != nil {
		return nil, err
	}
	label, err := os.ReadFile(filepath.Join(unpacked, "backup_label")) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return nil, err
	}
	m := startWAL.FindSubmatch(label)
	if m == nil {
		return nil, errors.New("snapshot: the base backup does not say where its log begins")
	}
	b.StartWAL = string(m[1])
	raw, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, err
	}
	b.Dir = filepath.Join(target, name)
	return b, errors.Join(writeDurable(filepath.Join(part, manifestName), raw), syncDir(part), os.Rename(part, b.Dir), syncDir(target))
}

func (t Tools) verifyBase(ctx context.Context, dir string) error {
	path, err := t.path("pg_verifybackup")
	if err != nil {
		return err
	}
	cmd, err := t.command(ctx, "postgres://localhost/", filepath.Base(path), "--exit-on-error", "--quiet", dir)
	if err != nil {
		return err
	}
	if err := run(cmd); err != nil {
		return ErrDiffers.With("基础备份未通过 pg_verifybackup 校验").Wrap(err)
	}
	return nil
}

// OpenBase reads what a base backup is.
func OpenBase(dir string) (*Base, error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestName)) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return nil, fault.New(fault.NotFound, "BACKUP_MISSING", "这里没有基础备份："+dir).Wrap(err)
	}
	b := &Base{Dir: dir}
	if err := json.Unmarshal(raw, b); err != nil || b.Tar.Name != baseTar {
		return nil, damaged(manifestName, err)
	}
	return b, nil
}

// unpackBase decrypts and unpacks a base backup into a new folder. Nothing of the archive can land outside of it.
func unpackBase(ctx context.Context, path string, ids []age.Identity, dir string, progress Progress) error {
	r, err := unseal(path, ids)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var n int64
	archive := tar.NewReader(told{reader{ctx, r}, func(k int) { n += int64(k); progress.say(StageRestore, n, 0) }})
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("unpack the base backup: %w", err)
		}
		name := filepath.Clean(h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			if err := root.MkdirAll(name, 0o700); err != nil {
				return err
			}
		case tar.TypeReg:
			if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				return err
			}
			f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			_, err = io.Copy(f, archive) // #nosec G110 -- what we packed ourselves, and checked by its hash
			if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
				return err
			}
		case tar.TypeSymlink:
			return fault.New(fault.Unavailable, "BACKUP_TABLESPACE", "数据库使用了表空间，请直接用 pg_basebackup 做基础备份")
		}
	}
}

// Recovery asks to make a server's data directory from a base backup.
type Recovery struct {
	Base       *Base
	Identities []age.Identity
	PGData     string // must not exist, or be empty
	// Fetch is the command PostgreSQL gets log files with, with %f and %p; Until is the last moment to keep, zero for all.
	Fetch string
	Until time.Time
	Tools Tools
}

// Recover unpacks the base backup, has pg_verifybackup compare it, and writes what PostgreSQL needs to recover when it is
// started: it then replays the log up to Until and opens for writing.
func Recover(ctx context.Context, r Recovery, progress Progress) error {
	entries, err := os.ReadDir(r.PGData)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return ErrExists.With("%s 已有数据，未做任何改动，请换一个空目录", r.PGData)
	}
	path := filepath.Join(r.Base.Dir, baseTar)
	sum, _, err := sumFile(ctx, path)
	if err != nil || sum != r.Base.Tar.SHA256 {
		return damaged(baseTar, err)
	}
	room, err := free(r.PGData)
	if err != nil {
		return err
	}
	if room < uint64(r.Base.Tar.PlainSize)+margin {
		return ErrSpace.With("磁盘空间不足，未做任何改动：需要 %s，剩余 %s", bytesText(uint64(r.Base.Tar.PlainSize)), bytesText(room))
	}
	if err := unpackBase(ctx, path, r.Identities, r.PGData, progress); err != nil {
		return err
	}
	if err := r.Tools.verifyBase(ctx, r.PGData); err != nil {
		return err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, "\nrestore_command = %s\nrecovery_target_action = 'promote'\n", quoted(r.Fetch))
	if !r.Until.IsZero() {
		fmt.Fprintf(&conf, "recovery_target_time = %s\n", quoted(r.Until.UTC().Format("2006-01-02 15:04:05.000000+00")))
	}
	f, err := os.OpenFile(filepath.Join(r.PGData, "postgresql.auto.conf"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(conf.String())
	return errors.Join(err, f.Sync(), f.Close(), writeDurable(filepath.Join(r.PGData, "recovery.signal"), nil), syncDir(r.PGData))
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

var walName = regexp.MustCompile(`^[0-9A-F]{8}(\.history|[0-9A-F]{16}(\.[0-9A-F]{8}\.backup|\.partial)?)$`)

// ArchiveWAL encrypts the log file at path into dir, durably, and only then returns nil: PostgreSQL may then remove it. A
// file that is there already with the same content is no error; with another it is, and stays.
func ArchiveWAL(ctx context.Context, path, dir string, recipients []string) error {
	name := filepath.Base(path)
	if !walName.MatchString(name) {
		return fmt.Errorf("snapshot: %q is no log file of PostgreSQL", name)
	}
	to, err := ParseRecipients(recipients)
	if err != nil {
		return err
	}
	if len(to) == 0 {
		return errors.New("snapshot: no public key to encrypt the log for")
	}
	sum, _, err := sumFile(ctx, path)
	if err != nil {
		return err
	}
	final := filepath.Join(dir, name)
	if _, err := os.Stat(final + sealedWAL); err == nil {
		kept, err := os.ReadFile(final + walSum) // #nosec G304 -- a path of the operator's or of a set
		if err != nil || string(kept) != sum {
			return fmt.Errorf("snapshot: another %s is in the archive; it stays", name)
		}
		return nil
	}
	temp := final + ".tmp"
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := sealTo(temp, to, func(w io.Writer) error {
		f, err := os.Open(path) // #nosec G304 -- a path of the operator's or of a set
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, reader{ctx, f})
		return err
	}); err != nil {
		return err
	}
	return errors.Join(replaceDurable(final+walSum, []byte(sum)), os.Rename(temp, final+sealedWAL), syncDir(dir))
}

// FetchWAL decrypts a log file of the archive to path. An error of a file that is not there is how PostgreSQL learns that
// the log ends.
func FetchWAL(dir, name, path string, ids []age.Identity) error {
	if !walName.MatchString(name) {
		return fmt.Errorf("snapshot: %q is no log file of PostgreSQL", name)
	}
	r, err := unseal(filepath.Join(dir, name+sealedWAL), ids)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// TidyBases keeps the newest base backups of the target, and in wal what the oldest of those needs. It returns how many of
// each went.
func TidyBases(target, wal string, keep int) (bases, logs int, err error) {
	dirs, err := filepath.Glob(filepath.Join(target, basePrefix+"*"))
	if err != nil || len(dirs) == 0 {
		return 0, 0, err
	}
	slices.Sort(dirs)
	first := max(0, len(dirs)-max(keep, 1))
	oldest, err := OpenBase(dirs[first])
	if err != nil {
		return 0, 0, err
	}
	for _, d := range dirs[:first] {
		if err := os.RemoveAll(d); err != nil {
			return bases, 0, err
		}
		bases++
	}
	if wal == "" {
		return bases, 0, nil
	}
	entries, err := os.ReadDir(wal)
	if err != nil {
		return bases, 0, err
	}
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimSuffix(e.Name(), sealedWAL), walSum)
		// The first eight digits are the timeline; files of histories always stay.
		if !walName.MatchString(name) || strings.HasSuffix(name, ".history") || name[8:24] >= oldest.StartWAL[8:] {
			continue
		}
		if err := os.Remove(filepath.Join(wal, e.Name())); err != nil {
			return bases, logs, err
		}
		if strings.HasSuffix(e.Name(), sealedWAL) {
			logs++
		}
	}
	return bases, logs, nil
}
