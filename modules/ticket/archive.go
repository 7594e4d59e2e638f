package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// ArchiveTicket asks to put an ended ticket away.
type ArchiveTicket struct{ Ref }

// Archive puts a closed or declined ticket away; it is read and no longer rated or appealed. Errors as Answer, with
// ticket.archive; ErrRequest while an appeal waits.
func (s *Service) Archive(ctx context.Context, actor access.Actor, cmd ArchiveTicket) (View, error) {
	return s.change(ctx, actor, ToArchive, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := s.settled(ctx, tx, t, "归档"); err != nil {
			return effect{}, err
		}
		return effect{fact: func(h Head) event.Fact { return PutAway{Head: h} }, summary: "归档"}, t.Archive()
	})
}

// settled returns ErrRequest while something that was asked about an ended ticket is not decided.
func (s *Service) settled(ctx context.Context, tx bun.Tx, t *Ticket, what string) error {
	rows, err := requestsOf(ctx, tx, t.ID)
	if err != nil {
		return err
	}
	for i := range rows {
		if rows[i].Pending() {
			return ErrRequest.With("该工单有一件%s申请尚未裁定，裁定后再%s", kindLabels[rows[i].Kind], what)
		}
	}
	return nil
}

// archivePortion is how many tickets one run of the task archives at most: a large backlog is worked off over nights.
const archivePortion = 2000

// ArchiveDue archives the tickets that were closed longer ago than the rules say, and returns how many. Several processes may
// run it: each ticket is archived once.
func (s *Service) ArchiveDue(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	before := s.clock.Now().AddDate(0, 0, -s.rules.ArchiveAfter)
	var rows []Ticket
	err := s.db.Read().NewSelect().Model(&rows).Column("id", "version").Where("t.status = ? AND t.closed_at < ?", Done, before).OrderExpr("t.id").Limit(archivePortion).Scan(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, t := range rows {
		_, err := s.Archive(ctx, actor, ArchiveTicket{Ref{ID: t.ID, Version: t.Version}})
		switch {
		case err == nil:
			n++
		case ctx.Err() != nil:
			return n, ctx.Err()
		case fault.KindOf(err) != fault.Conflict: // an appeal waits, or somebody was faster
			return n, err
		}
	}
	return n, nil
}

func (s *Service) archiving() jobs.Task {
	return jobs.Task{Name: "ticket.archive", Title: "归档办结已久的工单", Cron: "50 1 * * *", Timeout: time.Hour, Run: func(ctx context.Context) error {
		n, err := s.ArchiveDue(ctx, access.SystemActor("ticket.archive"))
		jobs.Note(ctx, "归档 %d 件", n)
		return err
	}}
}
