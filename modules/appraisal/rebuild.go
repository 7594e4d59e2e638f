package appraisal

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// stateRow says how far a rebuild has come.
type stateRow struct {
	bun.BaseModel `bun:"table:appraisal_state"`

	ID    int64 `bun:"id,pk"`
	After int64 `bun:"rebuilt_to,notnull"`
	Busy  bool  `bun:"rebuilding,notnull"`
}

// hold keeps a rebuild and the listener from overtaking each other: who has the row reads every event that was committed.
func (s *Service) hold(ctx context.Context, tx bun.Tx) error {
	if s.db.Kind() != database.Postgres {
		return nil
	}
	_, err := tx.NewRaw("SELECT 1 FROM appraisal_state WHERE id = 1 FOR UPDATE").Exec(ctx)
	return err
}

// rebuildPage is how many tickets one transaction of a rebuild folds.
const rebuildPage = 50

// Rebuild asks for all cases to be made anew from the log; a task does it, page by page. It needs appraisal.manage.
func (s *Service) Rebuild(ctx context.Context, actor access.Actor) error {
	if err := s.manages(actor); err != nil {
		return err
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := database.Run(ctx, tx, "UPDATE appraisal_state SET rebuilt_to = 0, rebuilding = TRUE WHERE id = 1"); err != nil {
			return err
		}
		return note(ctx, tx, actor, s.clock.Now(), "appraisal.rebuild", "重新计算全部考核件", nil)
	})
}

// Rebuilding is how far a rebuild that was asked for has come.
type Rebuilding struct {
	Busy bool `json:"busy"`
	// Percent counts by the numbers of tickets, of which there are some gaps.
	Percent int `json:"percent" minimum:"0" maximum:"100"`
}

// Rebuilding tells how far the last rebuild has come. It needs appraisal.manage.
func (s *Service) Rebuilding(ctx context.Context, actor access.Actor) (Rebuilding, error) {
	if err := s.manages(actor); err != nil {
		return Rebuilding{}, err
	}
	var st stateRow
	db := s.db.Read()
	if err := db.NewSelect().Model(&st).Where("id = 1").Scan(ctx); err != nil || !st.Busy {
		return Rebuilding{Percent: 100}, err
	}
	var last int64
	err := database.QueryOne(ctx, db, []any{&last}, "SELECT COALESCE(max(object_id), 0) FROM events WHERE object = 'ticket'")
	if err != nil || last == 0 {
		return Rebuilding{Busy: true}, err
	}
	return Rebuilding{Busy: true, Percent: int(min(99, 100*st.After/last))}, nil
}

// Work folds pages of a rebuild that was asked for until it is done, and returns how many tickets it folded. Only the system may.
func (s *Service) Work(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, fault.ErrForbidden
	}
	total := 0
	for ctx.Err() == nil {
		n, err := s.rebuildSome(ctx)
		total += n
		if err != nil || n < rebuildPage {
			return total, err
		}
	}
	return total, ctx.Err()
}

func (s *Service) rebuildSome(ctx context.Context) (n int, err error) {
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		if err := s.hold(ctx, tx); err != nil {
			return err
		}
		var st stateRow
		if err := tx.NewSelect().Model(&st).Where("id = 1").Scan(ctx); err != nil || !st.Busy {
			return err
		}
		var ids []int64
		err := tx.NewRaw("SELECT object_id FROM events WHERE object = 'ticket' AND object_id > ? AND seq = 1 ORDER BY object_id LIMIT ?", st.After, rebuildPage).Scan(ctx, &ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.fold(ctx, tx, id); err != nil {
				return fmt.Errorf("fold ticket %d: %w", id, err)
			}
			st.After = id
		}
		n = len(ids)
		st.Busy = n == rebuildPage
		_, err = tx.NewUpdate().Model(&st).WherePK().Exec(ctx)
		return err
	})
	return n, err
}
