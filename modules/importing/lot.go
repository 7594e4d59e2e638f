package importing

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/sheet"
)

// lot is how many records are given to a target at once: as many as keep the writer for about a lotSpell, so that nobody
// waits for an import.
type lot struct{ size int }

const (
	lotSpell = 20 * time.Millisecond
	lotLeast = 25
	lotMost  = 400
)

func (l *lot) took(d time.Duration, n int) {
	switch {
	case d > 2*lotSpell:
		l.size = max(lotLeast, l.size/2)
	case d < lotSpell && n == l.size:
		l.size = min(lotMost, l.size+l.size/2)
	}
}

// opened are rows with what they hold.
type opened struct {
	rows    []staged
	records []sheet.Record
	err     error
}

// publishMany gives the good rows behind the checkpoint to a target that takes many at once. The next are read and opened
// while those before are written.
func (s *Service) publishMany(ctx context.Context, c lease.Claim, r *row, t sheet.Target, actor access.Actor) error {
	l := lot{size: s.lot}
	have := s.goodRows(ctx, r.ID, r.LastDone, l.size)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if have.err != nil {
			return have.err
		}
		if len(have.rows) == 0 {
			return s.finish(ctx, c, r, t)
		}
		ahead := make(chan opened, 1)
		go func(id int64, after, n int) { ahead <- s.goodRows(ctx, id, after, n) }(r.ID, have.rows[len(have.rows)-1].Number, l.size)
		took, err := s.give(ctx, c, r, t, actor, have)
		if next := <-ahead; err == nil {
			l.took(took, len(have.rows))
			have = next
		} else {
			return err
		}
	}
}

func (s *Service) goodRows(ctx context.Context, id int64, after, n int) opened {
	var o opened
	o.err = database.QueryAll(ctx, s.DB.Read(), &o.rows, `SELECT import_id, number, state, row_values, problems FROM import_rows
		WHERE import_id = ? AND number > ? AND state IN (?, ?) ORDER BY number LIMIT ?`, id, after, string(RowGood), string(RowKnown), n)
	for _, row := range o.rows {
		v, err := s.rowView(row)
		if err != nil {
			o.err = err
			return o
		}
		o.records = append(o.records, sheet.Record{Row: v.Number, Values: v.Values})
	}
	return o
}

// give publishes a lot in one transaction, with what came of each row and the checkpoint behind them, and returns how long
// the writer was kept.
func (s *Service) give(ctx context.Context, c lease.Claim, r *row, t sheet.Target, actor access.Actor, o opened) (time.Duration, error) {
	var next row
	var took time.Duration
	err := s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		began := time.Now()
		next = *r
		outcomes, err := t.PublishMany(ctx, tx, actor, r.batch(), o.records)
		if err != nil {
			return err
		}
		for i, line := range o.rows {
			x := outcomes[i]
			state, problems := next.count(x), line.Problems
			if x.Problem != nil {
				raw, err := json.Marshal([]sheet.RowProblem{*x.Problem})
				if err != nil {
					return err
				}
				problems = string(raw)
			}
			if _, err := database.Run(ctx, tx, "UPDATE import_rows SET state = ?, problems = ?, object_id = ? WHERE import_id = ? AND number = ?",
				string(state), problems, x.ObjectID, r.ID, line.Number); err != nil {
				return err
			}
			next.LastDone = line.Number
		}
		_, err = tx.NewUpdate().Model(&next).Column("rows_created", "rows_updated", "rows_skipped", "rows_refused", "last_done").WherePK().Exec(ctx)
		took = time.Since(began)
		return err
	})
	if err == nil {
		*r = next
	}
	return took, err
}

// count adds an outcome to the figures of the import and returns the state of its row.
func (r *row) count(x sheet.Outcome) RowState {
	switch {
	case x.Problem != nil:
		r.Refused++
		return RowRefused
	case x.Change == sheet.Created:
		r.Created++
		return RowCreated
	case x.Change == sheet.Updated:
		r.Updated++
		return RowUpdated
	}
	r.Skipped++
	return RowSkipped
}
