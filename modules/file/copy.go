package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
)

// Copied is how far a copy has come.
type Copied struct {
	Done, Copied, Skipped int
	Bytes                 int64
	// Bad are the files whose content is missing at the source or is not what was uploaded. The rest is copied all the same.
	Bad []int64
}

// Copy brings the content of every row into another storage under the same key, and is right whatever was copied before:
// what is there with its full length is passed over, or read back when thorough. Content is held against its SHA-256
// before it is committed and read back after. The source is only read. tell is called after every file. Only the system
// may.
func (s *Service) Copy(ctx context.Context, actor access.Actor, from, to files.Storage, thorough bool, tell func(Copied)) (Copied, error) {
	var out Copied
	if actor.Party != access.System {
		return out, fault.ErrForbidden
	}
	err := s.each(ctx, time.Time{}, func(r row) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		there, err := same(ctx, to, r, thorough)
		if err != nil {
			return fmt.Errorf("file %d at the target: %w", r.ID, err)
		}
		switch {
		case there:
			out.Skipped++
		default:
			err := copyOne(ctx, from, to, r)
			if errors.Is(err, errBadContent) || errors.Is(err, fault.ErrNotFound) {
				out.Bad = append(out.Bad, r.ID)
			} else if err != nil {
				return fmt.Errorf("copy file %d: %w", r.ID, err)
			} else {
				out.Copied++
				out.Bytes += r.Size
			}
		}
		out.Done++
		tell(out)
		return nil
	})
	return out, err
}

var errBadContent = errors.New("file: the content is not what was uploaded")

func copyOne(ctx context.Context, from, to files.Storage, r row) error {
	in, err := from.Open(ctx, r.Key)
	if err != nil {
		return err
	}
	defer in.Close()
	d, err := to.Draft(ctx)
	if err != nil {
		return err
	}
	defer d.Discard()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(d, sum), in)
	if err != nil {
		return err
	}
	if n != r.Size || hex.EncodeToString(sum.Sum(nil)) != r.SHA256 {
		return errBadContent
	}
	if err := d.Commit(ctx, r.Key); err != nil {
		return err
	}
	there, err := same(ctx, to, r, true)
	if err == nil && !there {
		err = errors.New("what the target gives back is not what it was given")
	}
	return err
}

// same reports whether the storage has the content of the row: by its length, or by all of it.
func same(ctx context.Context, in files.Storage, r row, thorough bool) (bool, error) {
	o, err := in.Open(ctx, r.Key)
	if errors.Is(err, fault.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer o.Close()
	if o.Size() != r.Size || !thorough {
		return o.Size() == r.Size, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, o); err != nil {
		return false, err
	}
	return hex.EncodeToString(sum.Sum(nil)) == r.SHA256, nil
}
