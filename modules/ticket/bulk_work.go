package ticket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/lease"
)

// bulkAttempts is how many workers may die over a bulk action before the rest of it is given up.
const bulkAttempts = 5

// RunBulks works the bulk actions until ctx ends. Several processes may: each row is one's at a time, and a worker that dies is
// followed by another, which goes on behind the last ticket that was done.
func (s *Service) RunBulks(ctx context.Context) error { return s.bulks.Run(ctx, s.workBulk) }

// WorkBulk works one bulk action that waits; false when none does.
func (s *Service) WorkBulk(ctx context.Context) (bool, error) { return s.bulks.Once(ctx, s.workBulk) }

func (s *Service) workBulk(ctx context.Context, c lease.Claim) error {
	b, err := bulkOf(ctx, s.db.Read(), access.SystemActor("job:ticket.bulk"), c.ID)
	if err != nil {
		return err
	}
	from := RowWaiting
	if b.State == BulkUndoing {
		from = RowDone
	}
	var rows []bulkItem
	if err := s.db.Read().NewSelect().Model(&rows).Where("w.bulk_id = ? AND w.state = ?", b.ID, from).OrderExpr("w.n").Scan(ctx); err != nil {
		return err
	}
	if s.people == nil {
		return errors.New("bulk actions need People")
	}
	// What the person may do is asked anew: rights taken away meanwhile end the work.
	actor, gone := s.people.Now(ctx, b.OwnerID)
	if gone != nil && !errors.Is(gone, fault.ErrNotFound) {
		return gone
	}
	for i := range rows {
		r := &rows[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		err := gone
		switch {
		case err != nil:
		case c.Attempts > bulkAttempts:
			err = fault.New(fault.Unavailable, "TICKET_BULK", "多次处理失败，请联系系统管理员")
		case b.State == BulkUndoing:
			err = s.undoOne(ctx, actor, b, r)
		default:
			err = s.bulkOne(ctx, actor, b, r)
		}
		if err = r.settle(err, b.State == BulkUndoing, c.Attempts > bulkAttempts); err != nil {
			return err
		}
		if err := s.keepRow(ctx, c, b, r); err != nil {
			return err
		}
	}
	return s.endBulk(ctx, c, b)
}

// settle puts the outcome into the row. What may pass, a database that is away, is returned: the row is tried again.
func (r *bulkItem) settle(err error, undoing, last bool) error {
	var f *fault.Fault
	switch {
	case err == nil && undoing:
		r.State = RowUndone
	case err == nil && r.State == RowWaiting:
		r.State = RowDone
	case err == nil:
	case !errors.As(err, &f):
		return err
	case !last && (f.Kind == fault.Unavailable || f.Kind == fault.Internal):
		return err
	default:
		if r.Message, r.State = f.Message, RowFailed; undoing {
			r.State = RowKept
		}
	}
	return nil
}

// keepRow writes the outcome of one ticket and counts it, if the work is still this worker's.
func (s *Service) keepRow(ctx context.Context, c lease.Claim, b *bulkRow, r *bulkItem) error {
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.bulks.Hold(ctx, tx, c); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(r).Column("state", "message", "after_version", "before_holder", "before_area").WherePK().Exec(ctx); err != nil {
			return err
		}
		count := map[BulkRowState]string{RowDone: "done", RowSkipped: "done", RowFailed: "failed", RowUndone: "undone"}[r.State]
		if count == "" {
			return nil
		}
		_, err := database.Run(ctx, tx, "UPDATE ticket_bulks SET "+count+" = "+count+" + 1 WHERE id = ?", b.ID)
		return err
	})
}

func (s *Service) endBulk(ctx context.Context, c lease.Claim, b *bulkRow) error {
	now := s.clock.Now()
	state := BulkDone
	if b.State == BulkUndoing {
		state = BulkUndone
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.bulks.Hold(ctx, tx, c); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model((*bulkRow)(nil)).Set("state = ?, due = ?, finished_at = ?, lease_until = NULL", state, false, now).Where("id = ?", b.ID).Exec(ctx)
		return err
	})
}

// bulkOne does to one ticket what was asked. Its key makes a repeat after a crash answer the same.
func (s *Service) bulkOne(ctx context.Context, actor access.Actor, b *bulkRow, r *bulkItem) error {
	var p BulkParams
	if err := json.Unmarshal([]byte(b.Params), &p); err != nil {
		return fmt.Errorf("bulk %d: %w", b.ID, err)
	}
	key := bulkKey(b, r, string(b.Action))
	switch b.Action {
	case BulkClaim, BulkAssign:
		return s.bulkHold(ctx, actor, b, r, p, key)
	case BulkLocate:
		return s.bulkLocate(ctx, actor, b, r, p, key)
	}
	ref := Ref{ID: r.TicketID, Version: r.Version, Key: key}
	var v View
	var err error
	switch b.Action {
	case BulkDispatch:
		v, err = s.Dispatch(ctx, actor, DispatchTicket{Ref: ref, UnitID: p.UnitID, Note: p.Text})
	case BulkArchive:
		v, err = s.Archive(ctx, actor, ArchiveTicket{ref})
	case BulkUrge:
		_, err = s.Urge(ctx, actor, Press{ID: r.TicketID, Key: key, Text: p.Text})
	case BulkTag:
		_, err = s.Tag(ctx, actor, TagTicket{ID: r.TicketID, Key: key, Add: []string{p.Tag}})
	}
	r.After = v.Version
	return err
}

// bulkHold claims or assigns one ticket, and keeps who had it before for whoever undoes it. What the person has already is
// passed over.
func (s *Service) bulkHold(ctx context.Context, actor access.Actor, b *bulkRow, r *bulkItem, p BulkParams, key string) error {
	v, err := s.Get(ctx, actor, r.TicketID)
	if err != nil {
		return err
	}
	to := p.UserID
	if b.Action == BulkClaim {
		to = actor.UserID
	}
	if has := v.Desk.own(); has != nil {
		if has.UserID == to {
			// Given since the bulk began, it was this very command, before a crash: then it is done and not passed over.
			if has.At.Before(b.CreatedAt) {
				r.State = RowSkipped
			}
			return nil
		}
		r.Before = has.UserID
	}
	cmd := HoldTicket{ID: r.TicketID, Key: key, Note: p.Text}
	if b.Action == BulkClaim {
		_, err = s.Claim(ctx, actor, cmd)
		return err
	}
	cmd.UserID, cmd.Seen = p.UserID, r.Before
	_, err = s.Assign(ctx, actor, cmd)
	return err
}

// bulkLocate says where one ticket lies, and keeps where it lay for whoever undoes it. When a worker died behind the change, the
// event of it tells.
func (s *Service) bulkLocate(ctx context.Context, actor access.Actor, b *bulkRow, r *bulkItem, p BulkParams, key string) error {
	v, err := s.Get(ctx, actor, r.TicketID)
	if err != nil {
		return err
	}
	if v.Area == p.Area {
		events, err := event.Of(ctx, s.db.Read(), Object, r.TicketID)
		r.State = RowSkipped
		for _, e := range events {
			var f Located
			if e.Type == f.kind() && e.ActorID == b.OwnerID && !e.At.Before(b.CreatedAt) && e.Decode(&f) == nil {
				r.State, r.WasIn = RowWaiting, f.Was // settled as done
			}
		}
		return err
	}
	r.WasIn = v.Area
	_, err = s.Locate(ctx, actor, LocateTicket{ID: r.TicketID, Key: key, Area: p.Area, Seen: v.Area})
	return err
}

// undoOne takes back what was done to one ticket.
func (s *Service) undoOne(ctx context.Context, actor access.Actor, b *bulkRow, r *bulkItem) error {
	var p BulkParams
	if err := json.Unmarshal([]byte(b.Params), &p); err != nil {
		return fmt.Errorf("bulk %d: %w", b.ID, err)
	}
	key := bulkKey(b, r, "undo")
	var err error
	switch b.Action {
	case BulkDispatch, BulkArchive:
		_, err = s.Undo(ctx, actor, UndoTicket{Ref{ID: r.TicketID, Version: r.After, Key: key}, b.Reason})
	case BulkTag:
		_, err = s.Tag(ctx, actor, TagTicket{ID: r.TicketID, Key: key, Remove: []string{p.Tag}})
	case BulkLocate:
		_, err = s.Locate(ctx, actor, LocateTicket{ID: r.TicketID, Key: key, Area: r.WasIn, Seen: p.Area})
	case BulkClaim:
		_, err = s.Release(ctx, actor, HoldTicket{ID: r.TicketID, Key: key, Note: b.Reason})
	case BulkAssign:
		cmd := HoldTicket{ID: r.TicketID, Key: key, Note: b.Reason, UserID: r.Before, Seen: p.UserID}
		if r.Before == 0 {
			_, err = s.Release(ctx, actor, cmd)
		} else {
			_, err = s.Assign(ctx, actor, cmd)
		}
	}
	return err
}
