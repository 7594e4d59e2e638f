package snapshot

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// CopyTo copies the set, and the files it needs that are not there yet, to another target. Everything is compared with its
// hash when it is read and again after it is written; the copy appears whole or not at all.
func (s *Set) CopyTo(ctx context.Context, target string, progress Progress) (*Set, error) {
	if err := os.MkdirAll(filepath.Join(target, poolName), 0o700); err != nil {
		return nil, err
	}
	unlock, err := lock(target)
	if err != nil {
		return nil, err
	}
	defer unlock()
	final := filepath.Join(target, s.Name())
	if _, err := os.Stat(final); err == nil {
		return Open(final)
	}
	dir := filepath.Join(target, partPrefix+s.Name())
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	from := filepath.Dir(s.Dir)
	touched := map[string]bool{}
	var n int64
	err = s.eachFile(func(e fileEntry) error {
		progress.say(StageCopy, n, s.Manifest.Files.Count)
		n++
		to := pooled(target, e)
		if info, err := os.Stat(to); e.Missing || err == nil && info.Size() == e.SealedSize {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		touched[filepath.Dir(to)] = true
		if err := copyFile(ctx, pooled(from, e), to+".tmp", e.SealedSHA256); err != nil {
			return err
		}
		return os.Rename(to+".tmp", to)
	})
	if err != nil {
		return nil, full(err)
	}
	for d := range touched {
		if err := syncDir(d); err != nil {
			return nil, err
		}
	}
	for _, p := range s.Manifest.Parts {
		if err := copyFile(ctx, s.path(p.Name), filepath.Join(dir, p.Name), p.SHA256); err != nil {
			return nil, full(err)
		}
	}
	for _, name := range []string{manifestName, sumsName, verifiedName} {
		raw, err := os.ReadFile(s.path(name))
		if name == verifiedName && errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := writeDurable(filepath.Join(dir, name), raw); err != nil {
			return nil, full(err)
		}
	}
	if err := errors.Join(syncDir(dir), os.Rename(dir, final), syncDir(target)); err != nil {
		return nil, err
	}
	return Open(final)
}

func copyFile(ctx context.Context, from, to, want string) error {
	in, err := os.Open(from) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return err
	}
	m := newMeter(out)
	_, err = io.CopyBuffer(struct{ io.Writer }{m}, reader{ctx, in}, make([]byte, 1<<20))
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if m.sum() != want {
		return damaged(filepath.Base(from), errors.New("sum differs"))
	}
	if sum, _, err := sumFile(ctx, to); err != nil || sum != want {
		return errors.Join(err, damaged(filepath.Base(to), errors.New("sum differs after it was written")))
	}
	return nil
}
