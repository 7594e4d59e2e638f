package ticket

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
)

// Tell has the clocks of a ticket hear a fact in a transaction of its own, as a command does.
func (s *Service) Tell(ctx context.Context, db *database.DB, actor access.Actor, id int64, fact func(Head) event.Fact) error {
	now := s.clock.Now()
	return db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		t, err := find(ctx, tx, visible(actor), id)
		if err != nil {
			return err
		}
		f := fact(t.head())
		if _, err := event.Append(ctx, tx, actor, now, f); err != nil {
			return err
		}
		return s.keepClocks(ctx, tx, actor, now, t, f)
	})
}
