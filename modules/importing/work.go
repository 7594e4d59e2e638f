package importing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/sheet"
)

// maxAttempts is how many workers may die over an import before it is given up.
const maxAttempts = 5

// Run works the imports until ctx ends.
func (s *Service) Run(ctx context.Context) error { return s.table.Run(ctx, s.work) }

func (s *Service) work(ctx context.Context, c lease.Claim) error {
	r, err := find(ctx, s.DB.Read(), access.SystemActor("job:import"), c.ID)
	if err != nil {
		return err
	}
	if c.Attempts > maxAttempts {
		return s.fail(ctx, c, r, "多次处理失败，请联系系统管理员")
	}
	if r.State == Publishing {
		err = s.publish(ctx, c, r)
	} else {
		err = s.read(ctx, c, r)
	}
	var f *fault.Fault
	switch {
	case err == nil, errors.Is(err, lease.ErrLost), ctx.Err() != nil:
		return err
	case errors.As(err, &f) && f.Kind != fault.Unavailable && f.Kind != fault.Internal:
		return s.fail(ctx, c, r, f.Message)
	case c.Attempts == maxAttempts:
		return errors.Join(err, s.fail(ctx, c, r, "处理失败，请稍后重试；多次失败的，请联系系统管理员"))
	}
	return err
}

func (s *Service) hold(ctx context.Context, c lease.Claim, fn func(ctx context.Context, tx bun.Tx) error) error {
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.table.Hold(ctx, tx, c); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

// read stages the rows behind the checkpoint, batch by batch, with what is wrong with each.
func (s *Service) read(ctx context.Context, c lease.Claim, r *row) error {
	actor, err := s.People.Now(ctx, r.OwnerID)
	if err != nil {
		return err
	}
	t, err := s.target(actor, r.Target)
	if err != nil {
		return err
	}
	if r.LastRead == 0 {
		if err := s.dropRows(ctx, r.ID, func(fn func(ctx context.Context, tx bun.Tx) error) error { return s.hold(ctx, c, fn) }); err != nil {
			return err
		}
	}
	if r.Feed == "" {
		err = s.readFile(ctx, c, r, t, actor)
	} else {
		err = s.readFeed(ctx, c, r, t, actor)
	}
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	r.State, r.Due, r.CheckedAt, r.Total = Checked, false, &now, r.Read
	return s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model(r).Column("state", "due", "checked_at", "rows_total").WherePK().Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, access.SystemActor("job:import"), now, audit.Record{Action: "import.checked", Object: Object, ObjectID: r.ID, Summary: "导入文件检查完成：" + t.Title,
			Detail: map[string]any{"owner": r.OwnerID, "read": r.Read, "good": r.Good, "known": r.Known, "bad": r.Bad, "review": r.Review}})
	})
}

// readFile stages the rows of the file behind the checkpoint.
func (s *Service) readFile(ctx context.Context, c lease.Claim, r *row, t sheet.Target, actor access.Actor) error {
	f, err := s.open(ctx, r)
	if err != nil {
		return err
	}
	defer f.Close()
	book, err := sheet.Open(f, f.Size())
	if err != nil {
		return err
	}
	// The next rows are made ready while those before are written.
	ctx, stop := context.WithCancel(ctx)
	ahead := make(chan []pending, 1)
	done := make(chan error, 1)
	from := *r
	go func() {
		defer close(ahead)
		done <- s.readAhead(ctx, book, &from, t, actor, ahead)
	}()
	defer func() {
		stop()
		for range ahead { // the file is closed when nobody reads it
		}
	}()
	for batch := range ahead {
		if err := s.stage(ctx, c, r, t, batch); err != nil {
			return err
		}
	}
	return <-done
}

// readAhead gives the rows behind the checkpoint of from, ready, a batch at a time.
func (s *Service) readAhead(ctx context.Context, book *sheet.Book, from *row, t sheet.Target, actor access.Actor, to chan<- []pending) error {
	mapped := from.mapping()
	batch := make([]pending, 0, s.batch)
	flush := func() error {
		if err := s.ready(ctx, from.ID, t, actor, batch); err != nil {
			return err
		}
		select {
		case to <- batch:
		case <-ctx.Done():
			return ctx.Err()
		}
		batch = make([]pending, 0, s.batch)
		return nil
	}
	read := 0
	_, err := book.Rows(from.Sheet, func(line sheet.Row) error {
		if line.Number <= from.Head {
			return nil
		}
		if read++; read > s.most(t) {
			return s.tooMany(t)
		}
		if line.Number <= from.LastRead {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		batch = append(batch, readRow(t, line.Number, func(f sheet.TargetField) (v sheet.Value, ok bool) {
			at, ok := mapped[f.Key]
			if at < len(line.Cells) {
				v = line.Cells[at]
			}
			return v, ok
		}))
		if len(batch) == s.batch {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// readRow reads the fields of a row by what cell has for each.
func readRow(t sheet.Target, number int, cell func(f sheet.TargetField) (sheet.Value, bool)) pending {
	p := pending{record: sheet.Record{Row: number, Values: map[string]string{}}}
	for _, f := range t.Fields {
		v, ok := cell(f)
		if !ok {
			continue
		}
		text, problem := f.Read(v)
		if p.record.Values[f.Key] = text; problem != nil {
			p.problems = append(p.problems, *problem)
		}
	}
	return p
}

// meet decides about a good row whose record is there already, in the system or further up in the file.
func (s *Service) meet(on sheet.Duplicates, p *pending, earlier map[string]int) {
	if len(p.blinds) == 0 {
		return
	}
	at, twice := 0, false
	for _, blind := range p.blinds {
		if n, ok := earlier[blind]; ok && (!twice || n < at) {
			at, twice = n, true
		}
	}
	if !twice {
		earlier[first(p.blinds)] = p.record.Row
	}
	switch {
	case on == sheet.Refuse && twice:
		p.state = RowBad
		p.problems = []sheet.RowProblem{{Code: "DUPLICATE_ROW", Message: fmt.Sprintf("与文件第 %d 行重复，请只保留一行", at)}}
	case on == sheet.Refuse && p.known:
		p.state = RowBad
		p.problems = []sheet.RowProblem{{Code: sheet.ErrExists.Code, Message: sheet.ErrExists.Message}}
	case p.known || twice:
		p.state = RowKnown
	}
}

// earlier finds which of the keys stand in rows that are staged already, and where first.
func (s *Service) earlier(ctx context.Context, id int64, blinds []string) (map[string]int, error) {
	out := map[string]int{}
	if len(blinds) == 0 {
		return out, nil
	}
	err := database.Each(ctx, s.DB.Read(), func(rows *sql.Rows) error {
		var blind string
		var n int
		err := rows.Scan(&blind, &n)
		out[blind] = n
		return err
	}, "SELECT r.key_blind, min(r.number) FROM "+database.List(s.DB.Read())+" CROSS JOIN import_rows AS r WHERE r.import_id = ? AND r.key_blind = list.value GROUP BY r.key_blind", database.Texts(blinds), id)
	return out, err
}

func (s *Service) fail(ctx context.Context, c lease.Claim, r *row, message string) error {
	now := s.Clock.Now()
	r.State, r.Due, r.Message, r.FinishedAt = Failed, false, message, &now
	return s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model(r).Column("state", "due", "message", "finished_at").WherePK().Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, access.SystemActor("job:import"), now, audit.Record{Action: "import.fail", Object: Object, ObjectID: r.ID, Summary: "导入失败",
			Detail: map[string]any{"owner": r.OwnerID, "message": message}})
	})
}

// dropRows removes the staged rows of an import, few at once.
func (s *Service) dropRows(ctx context.Context, id int64, within func(fn func(ctx context.Context, tx bun.Tx) error) error) error {
	for {
		var numbers []int
		if err := s.DB.Read().NewSelect().Model((*staged)(nil)).Column("number").Where("r.import_id = ?", id).OrderExpr("r.number").Limit(500).Scan(ctx, &numbers); err != nil || len(numbers) == 0 {
			return err
		}
		err := within(func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewDelete().Model((*staged)(nil)).Where("import_id = ? AND number <= ?", id, numbers[len(numbers)-1]).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
}

// Expire removes the rows and files of imports whose time has come. The counts stay. It is called again and again.
func (s *Service) Expire(ctx context.Context) error {
	var due []row
	err := s.DB.Read().NewSelect().Model(&due).Where("i.created_at <= ? AND NOT i.purged AND NOT i.due", s.Clock.Now().Add(-s.Limits.Keep)).OrderExpr("i.id").Limit(100).Scan(ctx)
	if err != nil {
		return err
	}
	for _, r := range due {
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			state := r.State
			if state != Done && state != Cancelled {
				state = Cancelled
			}
			_, err := tx.NewUpdate().Model((*row)(nil)).Set("purged = ?, state = ?, sheets = ''", true, state).Where("id = ? AND NOT due", r.ID).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	var left []row
	err = s.DB.Read().NewSelect().Model(&left).Where("i.purged AND (i.file_key <> '' OR i.feed <> '' AND i.last_read > 0)").OrderExpr("i.id").Limit(100).Scan(ctx)
	if err != nil {
		return err
	}
	for _, r := range left {
		err := s.dropRows(ctx, r.ID, func(fn func(ctx context.Context, tx bun.Tx) error) error { return s.DB.RunInTx(ctx, fn) })
		if err != nil {
			return err
		}
		if r.FileKey != "" {
			if err := s.Files.Delete(ctx, r.FileKey); err != nil {
				return err
			}
		}
		err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*row)(nil)).Set("file_key = '', file_seal = '', last_read = 0").Where("id = ?", r.ID).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Step works one import that waits, and reports whether one did; for whoever runs no workers.
func (s *Service) Step(ctx context.Context) (bool, error) { return s.table.Once(ctx, s.work) }
