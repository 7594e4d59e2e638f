package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"github.com/huiqi/huiqi/platform/database"
)

// Check reads every part and every file of the set and compares the hashes. It returns ErrDamaged with the first that
// differs. It needs no identity.
func (s *Set) Check(ctx context.Context, progress Progress) error {
	return s.check(ctx, progress, func(fileEntry) error { return nil })
}

func (s *Set) check(ctx context.Context, progress Progress, each func(fileEntry) error) error {
	for _, name := range []string{databaseName, configName, filesName} {
		if _, ok := s.Manifest.part(name); !ok {
			return damaged(name, errors.New("not in the manifest"))
		}
	}
	for _, p := range s.Manifest.Parts {
		sum, size, err := sumFile(ctx, filepath.Join(s.Dir, filepath.Base(p.Name)))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return damaged(p.Name, err)
		}
		if sum != p.SHA256 || size != p.Size {
			return damaged(p.Name, errors.New("sum differs"))
		}
	}
	target := filepath.Dir(s.Dir)
	var n int64
	return s.eachFile(func(e fileEntry) error {
		progress.say(StageCheck, n, s.Manifest.Files.Count)
		if e.Missing {
			return nil
		}
		n++
		sum, _, err := sumFile(ctx, pooled(target, e))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return damaged("附件 "+e.Key, err)
		}
		if sum != e.SealedSHA256 {
			return damaged("附件 "+e.Key, errors.New("sum differs"))
		}
		return each(e)
	})
}

// Verify restores the set just made into a scratch place, compares every table with the hashes taken of the source,
// decrypts every file that was new, compares the others with what an earlier verification decrypted, and marks the set as
// verified. A file of the pool that went bad is removed, so that the next making stores it anew.
func (f *Fresh) Verify(ctx context.Context, s Source, progress Progress) (*Verification, error) {
	return f.Set.verify(ctx, s, []age.Identity{f.identity}, f.Name(), progress)
}

// VerifyWith is Verify by somebody who holds the identity of the installation: every file is decrypted.
func (s *Set) VerifyWith(ctx context.Context, src Source, ids []age.Identity, progress Progress) (*Verification, error) {
	return s.verify(ctx, src, ids, "", progress)
}

func (s *Set) verify(ctx context.Context, src Source, ids []age.Identity, only string, progress Progress) (v *Verification, err error) {
	defer func() { // the set is there, but nobody can say that it is good
		if isFull(err) {
			err = ErrSpace.With("磁盘空间不足，备份集已生成但无法验证，以前的备份集不受影响，请清理磁盘或更换目录").Wrap(err)
		}
	}()
	began := time.Now()
	target := filepath.Dir(s.Dir)
	var contents int64
	if err := s.check(ctx, progress, func(e fileEntry) error {
		contents++
		if only != "" && e.In != only {
			return nil
		}
		return open(ctx, pooled(target, e), e, ids, io.Discard)
	}); err != nil {
		if err := s.dropBad(ctx, target); err != nil {
			return nil, err
		}
		return nil, err
	}
	if _, err := s.config(ids); err != nil {
		return nil, err
	}
	if err := s.rehearse(ctx, src, ids, progress); err != nil {
		return nil, err
	}
	v = &Verification{At: time.Now().UTC().Truncate(time.Second), Program: src.Program, Tables: len(s.Manifest.Tables), Rows: s.Manifest.Rows(), Files: contents,
		TookMS: time.Since(began).Milliseconds()}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(replaceDurable(s.path(verifiedName), raw), syncDir(s.Dir)); err != nil {
		return nil, err
	}
	s.Verified = v
	return v, nil
}

// rehearse restores the database into a scratch place and compares it.
func (s *Set) rehearse(ctx context.Context, src Source, ids []age.Identity, progress Progress) error {
	if s.Manifest.Database == string(database.Postgres) {
		if err := dropLeftovers(ctx, src.DB.URL(), scratchInfix); err != nil {
			return err
		}
		address, drop, err := scratchDatabase(ctx, src.DB.URL(), scratchInfix+token())
		if err != nil {
			return err
		}
		defer drop()
		return restorePostgres(ctx, s, ids, src.Tools, address, progress)
	}
	dir := filepath.Join(src.Scratch, scratchFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	p, _ := s.Manifest.part(databaseName)
	room, err := free(dir)
	if err != nil {
		return err
	}
	if room < uint64(p.PlainSize)+margin {
		return ErrSpace.With("磁盘空间不足，备份集已生成但无法验证：临时目录需要 %s，剩余 %s，请清理磁盘或在 backup.scratch 中另设目录", bytesText(uint64(p.PlainSize)), bytesText(room))
	}
	path := filepath.Join(dir, "verify.db")
	if err := removeDatabase(path); err != nil {
		return err
	}
	return errors.Join(restoreSQLite(ctx, s, ids, path, progress), removeDatabase(path))
}

// scratchInfix names scratch databases on PostgreSQL, behind the name of the one they are made beside.
const scratchInfix = "_verify_"

func removeDatabase(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// open decrypts a file of the pool into w and compares the content.
func open(ctx context.Context, path string, e fileEntry, ids []age.Identity, w io.Writer) error {
	r, err := unseal(path, ids)
	if err != nil {
		return fmt.Errorf("file %s: %w", e.Key, err)
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), reader{ctx, r})
	if err != nil {
		return fmt.Errorf("file %s: %w", e.Key, err)
	}
	if n != e.Size || hex.EncodeToString(h.Sum(nil)) != e.SHA256 {
		return ErrDiffers.With("附件 %s 解密后的内容与备份时不一致", e.Key)
	}
	return nil
}

// dropBad removes files of the pool that are not what the catalogue says.
func (s *Set) dropBad(ctx context.Context, target string) error {
	return s.eachFile(func(e fileEntry) error {
		if e.Missing {
			return nil
		}
		sum, _, err := sumFile(ctx, pooled(target, e))
		if err != nil || sum == e.SealedSHA256 {
			return ctx.Err()
		}
		return os.Remove(pooled(target, e))
	})
}

// config decrypts the configuration part.
func (s *Set) config(ids []age.Identity) (configPart, error) {
	var c configPart
	r, err := unseal(s.path(configName), ids)
	if err != nil {
		return c, err
	}
	defer r.Close()
	if err := json.NewDecoder(r).Decode(&c); err != nil {
		return c, damaged(configName, err)
	}
	return c, nil
}
