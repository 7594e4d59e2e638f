package importing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/sheet"
)

// publish gives the good rows behind the checkpoint to their module, each in a savepoint, few enough at once that nobody
// waits for them.
func (s *Service) publish(ctx context.Context, c lease.Claim, r *row) error {
	actor, err := s.People.Now(ctx, r.OwnerID)
	if err != nil {
		return err
	}
	t, err := s.target(actor, r.Target)
	if err != nil {
		return err
	}
	if t.PublishMany != nil {
		return s.publishMany(ctx, c, r, t, actor)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var rows []staged
		err := s.DB.Read().NewSelect().Model(&rows).Where("r.import_id = ? AND r.number > ? AND r.state IN (?, ?)", r.ID, r.LastDone, RowGood, RowKnown).
			OrderExpr("r.number").Limit(50).Scan(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return s.finish(ctx, c, r, t)
		}
		for len(rows) > 0 {
			n, err := s.few(ctx, c, r, t, actor, rows)
			if err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
}

// few publishes the first of the rows, as many as fit in a spell, and returns how many.
func (s *Service) few(ctx context.Context, c lease.Claim, r *row, t sheet.Target, actor access.Actor, rows []staged) (int, error) {
	if t.Prepare != nil {
		rows = rows[:min(len(rows), 4)] // what takes long is done for few at once, and the lease is held in between
	}
	records := make([]sheet.Record, len(rows))
	prepared := make([]any, len(rows))
	for i := range rows {
		v, err := s.rowView(rows[i])
		if err != nil {
			return 0, err
		}
		records[i] = sheet.Record{Row: v.Number, Values: v.Values}
		if t.Prepare != nil {
			if prepared[i], err = t.Prepare(ctx, actor, records[i], origin(r.ID, v.Number)); err != nil {
				return 0, err
			}
		}
	}
	var next row
	n := 0
	err := s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		next, n = *r, 0
		for began := time.Now(); n < len(rows) && (n == 0 || time.Since(began) < s.spell); n++ {
			if err := s.one(ctx, tx, &next, t, actor, rows[n], records[n], prepared[n]); err != nil {
				return fmt.Errorf("row %d: %w", rows[n].Number, err)
			}
		}
		_, err := tx.NewUpdate().Model(&next).Column("rows_created", "rows_updated", "rows_skipped", "rows_refused", "last_done").WherePK().Exec(ctx)
		return err
	})
	if err == nil {
		*r = next
	}
	return n, err
}

// one publishes a record and writes beside its row what came of it.
func (s *Service) one(ctx context.Context, tx bun.Tx, next *row, t sheet.Target, actor access.Actor, line staged, record sheet.Record, prepared any) error {
	var change sheet.Change
	err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var err error
		change, line.ObjectID, err = t.Publish(ctx, tx, actor, record, next.Duplicates, origin(next.ID, line.Number), prepared)
		return err
	})
	var f *fault.Fault
	switch {
	case errors.As(err, &f) && f.Kind != fault.Unavailable && f.Kind != fault.Internal:
		p := sheet.RowProblem{Code: f.Code, Message: f.Message}
		if len(f.Fields) > 0 {
			p.Field = f.Fields[0].Name
		}
		raw, err := json.Marshal([]sheet.RowProblem{p})
		if err != nil {
			return err
		}
		line.State, line.Problems, line.ObjectID = RowRefused, string(raw), 0
		next.Refused++
	case err != nil:
		return err
	case change == sheet.Created:
		line.State = RowCreated
		next.Created++
	case change == sheet.Updated:
		line.State = RowUpdated
		next.Updated++
	default:
		line.State = RowSkipped
		next.Skipped++
	}
	next.LastDone = line.Number
	_, err = tx.NewUpdate().Model(&line).Column("state", "problems", "object_id").WherePK().Exec(ctx)
	return err
}

func (s *Service) finish(ctx context.Context, c lease.Claim, r *row, t sheet.Target) error {
	now := s.Clock.Now()
	r.State, r.Due, r.FinishedAt = Done, false, &now
	return s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model(r).Column("state", "due", "finished_at").WherePK().Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, access.SystemActor("job:import"), now, audit.Record{Action: "import.done", Object: Object, ObjectID: r.ID, Summary: "导入完成：" + t.Title,
			Detail: map[string]any{"owner": r.OwnerID, "created": r.Created, "updated": r.Updated, "skipped": r.Skipped, "refused": r.Refused, "bad": r.Bad}})
	})
}
