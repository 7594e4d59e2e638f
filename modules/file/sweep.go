package file

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/jobs"
)

const (
	// orphanAge is from when content without a row is taken for what a killed process left: no upload takes that long.
	orphanAge = 24 * time.Hour
	// looseAge is how long an upload that no command ties is kept.
	looseAge = 30 * 24 * time.Hour
	// batchSize is how many rows or objects are looked at together.
	batchSize = 500
)

// Swept is what a sweep removed and found.
type Swept struct {
	Drafts  int     // half uploads
	Orphans int     // content without a row
	Loose   int     // uploads that no command tied in looseAge
	Missing []int64 // ids of rows without content; nothing can bring it back but a backup
}

// SweepTask is the daily sweep.
func (s *Service) SweepTask() jobs.Task {
	return jobs.Task{Name: "file.sweep", Title: "清理无主文件", Cron: "20 3 * * *", Run: func(ctx context.Context) error {
		now := s.Clock.Now()
		_, err := s.Sweep(ctx, access.SystemActor("task:file.sweep"), now.Add(-orphanAge), now.Add(-looseAge))
		return err
	}}
}

// Sweep removes half uploads and content without a row from before orphans, and loose uploads from before loose that no
// draft names; it looks whether the rows of the time since are with their content, and logs what came of it. Only the
// system may.
func (s *Service) Sweep(ctx context.Context, actor access.Actor, orphans, loose time.Time) (Swept, error) {
	var out Swept
	if actor.Party != access.System {
		return out, fault.ErrForbidden
	}
	var err error
	if out.Drafts, err = s.Store.Storage().Sweep(ctx, orphans); err != nil {
		return out, fmt.Errorf("sweep drafts: %w", err)
	}
	if out.Loose, err = s.sweepLoose(ctx, actor, loose); err != nil {
		return out, fmt.Errorf("sweep loose files: %w", err)
	}
	err = s.orphans(ctx, func(i files.Info) error {
		if !i.Written.Before(orphans) {
			return nil
		}
		out.Orphans++
		return s.Store.Delete(ctx, i.Key)
	})
	if err != nil {
		return out, fmt.Errorf("sweep orphans: %w", err)
	}
	err = s.each(ctx, orphans.Add(-orphanAge), func(r row) error {
		if bad, err := s.missing(ctx, r); err != nil || !bad {
			return err
		}
		out.Missing = append(out.Missing, r.ID)
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("look for content: %w", err)
	}
	s.Log.Info("files swept", "drafts", out.Drafts, "orphans", out.Orphans, "loose", out.Loose, "missing", len(out.Missing))
	if len(out.Missing) > 0 {
		s.Log.Error("files without content", "ids", out.Missing[:min(len(out.Missing), 100)])
	}
	return out, nil
}

// orphans calls do with all content that no row names.
func (s *Service) orphans(ctx context.Context, do func(files.Info) error) error {
	var batch []files.Info
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		keys := make([]string, 0, len(batch))
		for _, i := range batch {
			keys = append(keys, i.Key)
		}
		var known []string
		if err := s.DB.Read().NewSelect().Model((*row)(nil)).Column("key").Where("key IN ?", bun.Tuple(keys)).Scan(ctx, &known); err != nil {
			return err
		}
		for _, i := range batch {
			if !slices.Contains(known, i.Key) {
				if err := do(i); err != nil {
					return err
				}
			}
		}
		batch = batch[:0]
		return nil
	}
	err := s.Store.Storage().Each(ctx, func(i files.Info) error {
		if batch = append(batch, i); len(batch) < batchSize {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

// each calls do with every row since, in the order of ids.
func (s *Service) each(ctx context.Context, since time.Time, do func(row) error) error {
	last := int64(0)
	for {
		var rows []row
		q := s.DB.Read().NewSelect().Model(&rows).Where("f.id > ?", last).OrderExpr("f.id").Limit(batchSize)
		if !since.IsZero() {
			q = q.Where("f.created_at >= ?", since.UTC())
		}
		if err := q.Scan(ctx); err != nil {
			return err
		}
		for _, r := range rows {
			if err := do(r); err != nil {
				return err
			}
			last = r.ID
		}
		if len(rows) < batchSize {
			return nil
		}
	}
}

// missing reports a row whose content is not there, or not as long as it was.
func (s *Service) missing(ctx context.Context, r row) (bool, error) {
	o, err := s.Store.Open(ctx, r.Key)
	if errors.Is(err, fault.ErrNotFound) {
		// deleted meanwhile by the sweep of another process, with its row
		there, err := s.DB.Read().NewSelect().Model((*row)(nil)).Where("id = ?", r.ID).Exists(ctx)
		return there, err
	}
	if err != nil {
		return false, err
	}
	defer o.Close()
	return o.Size() != r.Size, nil
}

// sweepLoose removes uploads that nobody tied to anything. The row goes first: without it nobody finds the content, and
// what of that is left is an orphan of tomorrow.
func (s *Service) sweepLoose(ctx context.Context, actor access.Actor, before time.Time) (int, error) {
	n, last := 0, int64(0)
	for {
		var rows []row
		err := s.DB.Read().NewSelect().Model(&rows).Where("f.object = '' AND f.created_at < ? AND f.id > ?", before.UTC(), last).OrderExpr("f.id").Limit(batchSize).Scan(ctx)
		if err != nil {
			return n, err
		}
		for _, r := range rows {
			last = r.ID
			if s.Drafts != nil {
				named, err := s.Drafts(ctx, r.OwnerID)
				if err != nil {
					return n, err
				}
				if slices.Contains(named, r.ID) {
					continue
				}
			}
			gone := false
			err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				res, err := tx.NewDelete().Model((*row)(nil)).Where("id = ? AND object = ''", r.ID).Exec(ctx)
				if err != nil {
					return err
				}
				deleted, err := res.RowsAffected()
				if gone = deleted == 1; err != nil || !gone {
					return err
				}
				return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "file.expire", Object: Object, ObjectID: r.ID, Summary: "清理未提交的上传文件"})
			})
			if err != nil {
				return n, err
			}
			if gone {
				n++
				if err := s.Store.Delete(ctx, r.Key); err != nil {
					return n, err
				}
			}
		}
		if len(rows) < batchSize {
			return n, nil
		}
	}
}

// Checked is what a check of all files found.
type Checked struct {
	Rows, Objects int
	Orphans       int     // content without a row; young ones may be uploads on their way
	Missing       []int64 // rows without their content, or of another length
}

// Check holds all rows against all content and changes nothing. Only the system may.
func (s *Service) Check(ctx context.Context, actor access.Actor) (Checked, error) {
	var out Checked
	if actor.Party != access.System {
		return out, fault.ErrForbidden
	}
	err := s.each(ctx, time.Time{}, func(r row) error {
		out.Rows++
		bad, err := s.missing(ctx, r)
		if bad {
			out.Missing = append(out.Missing, r.ID)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	if err := s.orphans(ctx, func(files.Info) error { out.Orphans++; return nil }); err != nil {
		return out, err
	}
	err = s.Store.Storage().Each(ctx, func(files.Info) error { out.Objects++; return nil })
	return out, err
}
