package export

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/heap"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/sheet"
)

// maxAttempts is how many workers may die over an export before it is given up.
const maxAttempts = 5

// Run works the exports until ctx ends.
func (s *Service) Run(ctx context.Context) error { return s.table.Run(ctx, s.work) }

// work writes one export to its end, or says why it cannot be.
func (s *Service) work(ctx context.Context, c lease.Claim) error {
	r, err := find(ctx, s.DB.Read(), access.SystemActor("job:export"), c.ID)
	if err != nil {
		return err
	}
	if c.Attempts > maxAttempts {
		return s.fail(ctx, c, r, "多次生成失败，请缩小范围后重试；仍然失败的，请联系系统管理员")
	}
	err = s.write(ctx, c, r)
	var f *fault.Fault
	switch {
	case err == nil, errors.Is(err, lease.ErrLost), ctx.Err() != nil:
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errors.Join(err, s.fail(ctx, c, r, "存储空间不足，文件没有生成，请联系系统管理员"))
	case errors.As(err, &f) && f.Kind != fault.Unavailable && f.Kind != fault.Internal:
		return s.fail(ctx, c, r, f.Message)
	case c.Attempts == maxAttempts:
		return errors.Join(err, s.fail(ctx, c, r, "生成失败，请稍后重试；多次失败的，请联系系统管理员"))
	}
	return err
}

func (s *Service) write(ctx context.Context, c lease.Claim, r *row) error {
	defer heap.Frugal()()
	actor, err := s.People.Now(ctx, r.OwnerID)
	if err != nil {
		return err
	}
	src, err := s.source(ctx, r.Source)
	if err != nil {
		return err
	}
	keys := r.columns()
	chosen, err := src.Choose(actor, keys)
	if err != nil {
		return err
	}
	filter, err := s.filters(r)
	if err != nil {
		return err
	}
	total := 0
	if src.Count != nil {
		if total, err = src.Count(ctx, actor, filter, s.Limits.Rows+1); err != nil {
			return err
		}
		if total > s.Limits.Rows {
			return s.tooMany()
		}
	}
	if err := s.begin(ctx, c, r, total); err != nil {
		return err
	}
	o := sheet.Options{Sheet: src.Title, Mark: r.Mark}
	for _, col := range chosen {
		o.Columns = append(o.Columns, sheet.Column{Title: col.Title, Width: col.Width})
	}
	page, stop := ahead(func(after string) ([][]sheet.Cell, string, error) {
		return src.Page(ctx, actor, sheet.Query{Filter: filter, Columns: keys, After: after, Limit: s.pageRows})
	})
	defer stop()
	if r.Format == CSV {
		return s.writeCSV(ctx, c, r, o, page)
	}
	return s.writeXLSX(ctx, c, r, o, page)
}

func (s *Service) tooMany() error {
	return ErrRows.With("符合条件的数据超过 %d 行，请缩小筛选范围后分次导出", s.Limits.Rows)
}

type pages func(after string) (rows [][]sheet.Cell, next string, err error)

// ahead reads the page behind the one that is being written meanwhile. stop waits for what is still being read.
func ahead(read pages) (next pages, stop func()) {
	type page struct {
		rows [][]sheet.Cell
		next string
		err  error
	}
	var coming chan page
	place := ""
	return func(after string) ([][]sheet.Cell, string, error) {
			var p page
			if coming != nil && place == after {
				p = <-coming
			} else {
				p.rows, p.next, p.err = read(after)
			}
			if coming = nil; p.err == nil && p.next != "" {
				place = p.next
				to := make(chan page, 1)
				coming = to
				go func(after string) {
					var p page
					defer func() {
						if r := recover(); r != nil {
							p.err = fmt.Errorf("panic: %v", r)
						}
						to <- p
					}()
					p.rows, p.next, p.err = read(after)
				}(p.next)
			}
			return p.rows, p.next, p.err
		}, func() {
			if coming != nil {
				<-coming
			}
		}
}

func (s *Service) begin(ctx context.Context, c lease.Claim, r *row, total int) error {
	now := s.Clock.Now()
	if r.StartedAt == nil {
		r.StartedAt = &now
	}
	r.State, r.Total = Running, int64(total)
	if r.Format == XLSX {
		r.Rows = 0
	}
	return s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model(r).Column("state", "rows_total", "rows_done", "started_at").WherePK().Exec(ctx)
		return err
	})
}

// hold runs fn in a transaction that is kept only while the work is the worker's.
func (s *Service) hold(ctx context.Context, c lease.Claim, fn func(ctx context.Context, tx bun.Tx) error) error {
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.table.Hold(ctx, tx, c); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

// writeXLSX writes the whole file: its end lists what is in it, so that it cannot be gone on with.
func (s *Service) writeXLSX(ctx context.Context, c lease.Claim, r *row, o sheet.Options, next pages) error {
	return s.keep(ctx, c, r, func(to io.Writer) (string, error) {
		x, err := sheet.NewXLSX(to, o)
		if err != nil {
			return "", err
		}
		told := time.Now()
		for after, more := "", true; more; {
			var rows [][]sheet.Cell
			if rows, after, err = next(after); err != nil {
				return "", err
			}
			for _, cells := range rows {
				if err := x.Write(cells); err != nil {
					return "", err
				}
			}
			r.Rows += int64(len(rows))
			if r.Rows > int64(s.Limits.Rows) {
				return "", s.tooMany()
			}
			if more = after != ""; more && time.Since(told) > s.tellEach {
				told = time.Now()
				if err := s.progress(ctx, c, r); err != nil {
					return "", err
				}
			}
		}
		if err := x.Close(); err != nil {
			return "", err
		}
		if x.Cut() > 0 {
			return fmt.Sprintf("有 %d 个单元格的内容超过 Excel 的长度上限，已截断；需要完整内容的，请导出 CSV", x.Cut()), nil
		}
		return "", nil
	})
}

func (s *Service) progress(ctx context.Context, c lease.Claim, r *row) error {
	return s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model(r).Column("rows_done").WherePK().Exec(ctx)
		return err
	})
}

// writeCSV writes part after part, each kept with the place after it, then joins them.
func (s *Service) writeCSV(ctx context.Context, c lease.Claim, r *row, o sheet.Options, next pages) error {
	var ready []part
	err := s.DB.Read().NewSelect().Model(&ready).Where("p.export_id = ? AND p.ready", r.ID).OrderExpr("p.seq").Scan(ctx)
	if err != nil {
		return err
	}
	if len(ready) == 0 {
		r.After, r.Rows = "", 0
	}
	seq := int64(len(ready))
	for more := seq == 0 || r.After != ""; more; more = r.After != "" {
		seq++
		p := part{ExportID: r.ID, Fence: c.Fence, Seq: seq, Key: newKey()}
		if err := s.writePart(ctx, c, r, &p, o, next); err != nil {
			return err
		}
		ready = append(ready, p)
	}
	err = s.keep(ctx, c, r, func(to io.Writer) (string, error) {
		for _, p := range ready {
			if err := s.copyPart(ctx, to, p); err != nil {
				return "", fmt.Errorf("part %d: %w", p.Seq, err)
			}
		}
		return "", nil
	})
	if errors.Is(err, files.ErrSealed) || errors.Is(err, fault.ErrNotFound) {
		// a part is not what it was: the next attempt begins anew; the fault is none of the owner's
		return errors.Join(fmt.Errorf("a part of an export: %s", err.Error()), s.forgetParts(ctx, c, r))
	}
	return err
}

func (s *Service) forgetParts(ctx context.Context, c lease.Claim, r *row) error {
	r.After, r.Rows = "", 0
	return s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model((*part)(nil)).Set("ready = ?", false).Where("export_id = ?", r.ID).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model(r).Column("position", "rows_done").WherePK().Exec(ctx)
		return err
	})
}

func (s *Service) copyPart(ctx context.Context, to io.Writer, p part) error {
	f, err := s.open(ctx, p.Key, p.Seal)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(to, f)
	return err
}

func (s *Service) writePart(ctx context.Context, c lease.Claim, r *row, p *part, o sheet.Options, next pages) error {
	d, seal, err := s.draft(ctx, p.Key)
	if err != nil {
		return err
	}
	defer func() { _ = d.Discard() }()
	p.Seal = seal
	err = s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(p).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	w := sheet.ResumeCSV(d)
	if p.Seq == 1 {
		if w, err = sheet.NewCSV(d, o); err != nil {
			return err
		}
	}
	after, n := r.After, 0
	for more := true; more; more = after != "" && n < s.partRows {
		var rows [][]sheet.Cell
		if rows, after, err = next(after); err != nil {
			return err
		}
		for _, cells := range rows {
			if err := w.Write(cells); err != nil {
				return err
			}
		}
		if n += len(rows); r.Rows+int64(n) > int64(s.Limits.Rows) {
			return s.tooMany()
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := d.Commit(ctx, p.Key); err != nil {
		return err
	}
	r.After, r.Rows, p.Ready = after, r.Rows+int64(n), true
	err = s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model(p).Column("ready").WherePK().Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model(r).Column("position", "rows_done").WherePK().Exec(ctx)
		return err
	})
	if errors.Is(err, lease.ErrLost) { // its row may be gone already
		return errors.Join(err, s.Storage.Delete(context.WithoutCancel(ctx), p.Key))
	}
	return err
}

// keep writes the file and offers it. The key is in the row before the file is there: a file that nobody offers is found
// by it and removed.
func (s *Service) keep(ctx context.Context, c lease.Claim, r *row, fill func(to io.Writer) (note string, err error)) error {
	if r.FileKey != "" { // of a worker that died
		if err := s.Storage.Delete(ctx, r.FileKey); err != nil {
			return err
		}
	}
	key := newKey()
	d, seal, err := s.draft(ctx, key)
	if err != nil {
		return err
	}
	defer func() { _ = d.Discard() }()
	sum := sha256.New()
	to := &counter{w: io.MultiWriter(d, sum)}
	note, err := fill(to)
	if err != nil {
		return err
	}
	r.FileKey, r.FileSeal = key, seal
	if err := s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model(r).Column("file_key", "file_seal").WherePK().Exec(ctx)
		return err
	}); err != nil {
		return err
	}
	if err := d.Commit(ctx, r.FileKey); err != nil {
		return err
	}
	now := s.Clock.Now()
	until := now.Add(s.Limits.Keep)
	r.State, r.Due, r.Message, r.Size, r.SHA256, r.FinishedAt, r.ExpiresAt = Done, false, note, to.n, hex.EncodeToString(sum.Sum(nil)), &now, &until
	err = s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model(r).Column("state", "due", "message", "size", "sha256", "rows_done", "finished_at", "expires_at").WherePK().Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, access.SystemActor("job:export"), now, audit.Record{Action: "export.done", Object: Object, ObjectID: r.ID, Summary: "导出完成 " + r.FileName,
			Detail: map[string]any{"owner": r.OwnerID, "rows": r.Rows, "size": r.Size, "sha256": r.SHA256}})
	})
	if errors.Is(err, lease.ErrLost) {
		return errors.Join(err, s.Storage.Delete(context.WithoutCancel(ctx), r.FileKey))
	}
	if err == nil {
		if err := s.dropParts(ctx, r.ID); err != nil {
			s.Log.Warn("parts of an export are left", "export", r.ID, "error", err) // Expire comes by
		}
	}
	return err
}

func (s *Service) fail(ctx context.Context, c lease.Claim, r *row, message string) error {
	now := s.Clock.Now()
	r.State, r.Due, r.Message, r.FinishedAt = Failed, false, message, &now
	return s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model(r).Column("state", "due", "message", "finished_at").WherePK().Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, access.SystemActor("job:export"), now, audit.Record{Action: "export.fail", Object: Object, ObjectID: r.ID, Summary: "导出失败 " + r.FileName,
			Detail: map[string]any{"owner": r.OwnerID, "message": message}})
	})
}

// dropParts removes the parts of an export, files before rows.
func (s *Service) dropParts(ctx context.Context, id int64) error {
	var parts []part
	if err := s.DB.Read().NewSelect().Model(&parts).Where("p.export_id = ?", id).Scan(ctx); err != nil || len(parts) == 0 {
		return err
	}
	// no part of the file any more before the first of them goes
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*part)(nil)).Set("ready = ?", false).Where("export_id = ?", id).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := s.Storage.Delete(ctx, p.Key); err != nil {
			return err
		}
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*part)(nil)).Where("export_id = ?", id).Exec(ctx)
		return err
	})
}

// failedKept is how long the parts of a failed CSV wait for its owner to go on.
const failedKept = 24 * time.Hour

// Expire removes files whose time has come, and what cancelled, failed and finished exports left. It is called again and
// again; what one call does not reach the next one does.
func (s *Service) Expire(ctx context.Context) error {
	now := s.Clock.Now()
	var due []row
	err := s.DB.Read().NewSelect().Model(&due).Where("x.state = ? AND x.expires_at <= ?", Done, now).OrderExpr("x.id").Limit(500).Scan(ctx)
	if err != nil {
		return err
	}
	for _, r := range due {
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			res, err := tx.NewUpdate().Model((*row)(nil)).Set("state = ?", Expired).Where("id = ? AND state = ?", r.ID, Done).Exec(ctx)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return err
			}
			return audit.Write(ctx, tx, access.SystemActor("job:export"), now, audit.Record{Action: "export.expire", Object: Object, ObjectID: r.ID, Summary: "导出文件到期删除 " + r.FileName})
		})
		if err != nil {
			return err
		}
	}
	var left []row
	err = s.DB.Read().NewSelect().Model(&left).
		Where("x.file_key <> '' AND NOT x.due AND x.state IN (?, ?, ?)", Expired, Cancelled, Failed).OrderExpr("x.id").Limit(500).Scan(ctx)
	if err != nil {
		return err
	}
	for _, r := range left {
		if err := s.Storage.Delete(ctx, r.FileKey); err != nil {
			return err
		}
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*row)(nil)).Set("file_key = '', file_seal = ''").Where("id = ? AND file_key = ? AND NOT due", r.ID, r.FileKey).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	var ids []int64
	err = s.DB.Read().NewSelect().Model((*row)(nil)).Column("id").
		Where("x.id IN (SELECT p.export_id FROM export_parts AS p) AND NOT x.due AND (x.state <> ? OR x.finished_at <= ?)", Failed, now.Add(-failedKept)).
		OrderExpr("x.id").Limit(500).Scan(ctx, &ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.dropParts(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func newKey() string {
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	return hex.EncodeToString(key)
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Step works one export that waits, and reports whether one did; for whoever runs no workers.
func (s *Service) Step(ctx context.Context) (bool, error) { return s.table.Once(ctx, s.work) }
