package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// MergeTicket asks to handle a ticket that nobody has answered as part of another.
type MergeTicket struct {
	Ref
	IntoID int64
	Note   string
}

// Merge makes a ticket that waits at the desk, lies with a unit or waits for its requester a part of a handling order that is not
// yet answered. It keeps its number, its query code and its requester; it is answered with the order and called back by itself.
// What its own units have not finished rests, clocks and all, and is given back to them when the merger is undone. Errors as
// Answer, with ticket.merge; ErrMerge when the order is merged or answered itself.
func (s *Service) Merge(ctx context.Context, actor access.Actor, cmd MergeTicket) (View, error) {
	note, err := clean("note", "并单说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToMerge, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		lead, err := find(ctx, tx, visible(actor), cmd.IntoID)
		if fault.KindOf(err) == fault.NotFound {
			return effect{}, fault.InvalidField("intoId", "TICKET_MERGE", "没有找到主单，请重新选择").Wrap(err)
		} else if err != nil {
			return effect{}, err
		}
		if others, err := merged(ctx, tx, t.ID); err != nil {
			return effect{}, err
		} else if len(others) > 0 {
			return effect{}, ErrMerge.With("该工单已有 %d 件工单并入，请先撤销并单，或选择它作为主单", len(others))
		}
		if t.Secrecy != 0 || lead.Secrecy != 0 {
			return effect{}, ErrMerge.With("保密工单不能并单，请单独办理")
		}
		held := t.Status == OnHold
		if err := t.Merge(lead); err != nil {
			return effect{}, err
		}
		rests, err := rest(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		e := effect{fact: func(h Head) event.Fact { return Absorbed{h, t.ID, t.Number} }, summary: "并入 " + t.Number + "，主单"}
		if _, err := s.book(ctx, tx, actor, s.clock.Now(), ToMerge, lead, lead.Version, lead.Reply, e); err != nil {
			return effect{}, err
		}
		if err := s.raise(ctx, tx, actor, s.clock.Now(), lead, t); err != nil {
			return effect{}, err
		}
		return effect{
			fact: func(h Head) event.Fact {
				return Joined{Head: h, Into: lead.ID, Number: lead.Number, Note: note, Hop: rests, Held: held}
			},
			summary: "并入主单 " + lead.Number + "，工单", detail: map[string]any{"into": lead.ID, "rests": rests},
		}, nil
	})
}

// UnmergeTicket asks to make a merged ticket one of its own again.
type UnmergeTicket struct {
	Ref
	Reason string
}

// Unmerge undoes a merger before the handling order was answered: the units go on where they stood, or the ticket waits for the
// desk again, or for its requester. Errors as Merge.
func (s *Service) Unmerge(ctx context.Context, actor access.Actor, cmd UnmergeTicket) (View, error) {
	reason, err := clean("reason", "撤销并单的原因", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToUnmerge, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if !t.Allows(ToUnmerge) {
			return effect{}, t.Unmerge(nil, false)
		}
		from := t.MergedInto
		lead, err := goOn(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		var goesOn *Given
		if lead != nil {
			g := given(lead)
			goesOn = &g
		}
		ask, err := heldFor(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		return effect{fact: func(h Head) event.Fact { return Parted{h, from, reason, goesOn, ask} }, summary: "撤销并单"}, t.Unmerge(lead, ask != "")
	})
}

// heldFor reads what the requester of a merged ticket had been asked for when it was merged, "" when it was not held then.
func heldFor(ctx context.Context, tx bun.Tx, id int64) (string, error) {
	events, err := event.Of(ctx, tx, Object, id)
	if err != nil {
		return "", err
	}
	var asked Suspended
	var joined Joined
	for _, e := range events {
		switch e.Type {
		case "ticket.suspended":
			err = e.Decode(&asked)
		case "ticket.merged":
			joined = Joined{}
			err = e.Decode(&joined)
		}
		if err != nil {
			return "", err
		}
	}
	if !joined.Held {
		return "", nil
	}
	return asked.Reason, nil
}

// rest lays down what the units of a ticket have not finished, and returns its lead hop, nil for none. What they asked for
// is withdrawn: nobody decides about work that rests.
func rest(ctx context.Context, tx bun.Tx, id int64) (*Given, error) {
	rows, err := hops(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	var lead *Given
	for i := range rows {
		h := &rows[i]
		if !h.Open() {
			continue
		}
		h.State = HopMerged
		if h.Lead {
			g := given(h)
			lead = &g
		}
		if err := saveHop(ctx, tx, h); err != nil {
			return nil, err
		}
	}
	return lead, dropRequests(ctx, tx, id, 0)
}

// goOn gives the units back what rests, and returns the lead hop, nil for none.
func goOn(ctx context.Context, tx bun.Tx, id int64) (lead *Hop, err error) {
	rows, err := hops(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		h := &rows[i]
		if h.State != HopMerged {
			continue
		}
		if h.State = HopSent; h.SignedAt != nil {
			h.State = HopSigned
		}
		if h.Lead {
			lead = h
		}
		if err := saveHop(ctx, tx, h); err != nil {
			return nil, err
		}
	}
	return lead, nil
}

// merged reads the tickets that are handled as part of one.
func merged(ctx context.Context, db bun.IDB, id int64) ([]Ticket, error) {
	var rows []Ticket
	err := db.NewSelect().Model(&rows).Where("t.merged_into = ? AND t.status = ?", id, Merged).OrderExpr("t.id").Scan(ctx)
	return rows, err
}

// follow answers what was merged into a handling order with its answer, each with its own event, so that each requester is
// told.
func (s *Service) follow(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, lead *Ticket) error {
	rows, err := merged(ctx, tx, lead.ID)
	if err != nil {
		return err
	}
	for i := range rows {
		t := &rows[i]
		before := t.Reply
		if err := t.Follow(lead); err != nil {
			return err
		}
		action, e := ToReply, replied(lead.Reply, nil)
		if lead.Status == Direct {
			action, e = ToAnswer, answered(lead.Reply, nil)
		}
		if _, err := s.book(ctx, tx, actor, now, action, t, t.Version, before, e); err != nil {
			return err
		}
	}
	return nil
}

// whole returns ErrMerge when an end of the ticket would leave merged ones behind.
func (s *Service) whole(ctx context.Context, tx bun.Tx, t *Ticket, what string) error {
	rows, err := merged(ctx, tx, t.ID)
	if err != nil || len(rows) == 0 {
		return err
	}
	return ErrMerge.With("有 %d 件工单并入该工单，请先撤销并单再%s", len(rows), what)
}

// onOrder is change for a command that goes to the handling order when the ticket named was merged into one. It returns the
// ticket named.
func (s *Service) onOrder(ctx context.Context, actor access.Actor, action Action, ref Ref, request any,
	step func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error),
) (View, error) {
	t, err := find(ctx, s.db.Read(), visible(actor), ref.ID)
	if err != nil || t.Status != Merged || t.Version != ref.Version {
		return s.change(ctx, actor, action, ref, request, step)
	}
	lead, err := find(ctx, s.db.Read(), visible(actor), t.MergedInto)
	if err != nil {
		return s.change(ctx, actor, action, ref, request, step)
	}
	if _, err := s.change(ctx, actor, action, Ref{ID: lead.ID, Version: lead.Version, Key: ref.Key}, request, step); err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, ref.ID)
}

// LinkTicket says that two tickets are about one thing.
type LinkTicket struct {
	Ref
	OtherID int64
	Note    string
}

type linkRow struct {
	bun.BaseModel `bun:"table:ticket_links,alias:k"`

	LowID  int64     `bun:"low_id,pk"`
	HighID int64     `bun:"high_id,pk"`
	Note   string    `bun:"note,notnull"`
	ByID   int64     `bun:"by_id,nullzero"`
	ByName string    `bun:"by_name,notnull"`
	At     time.Time `bun:"at,notnull"`
}

// Link ties two tickets the actor sees to each other; each shows the other to whoever may see both. Errors as Answer, with
// ticket.link.
func (s *Service) Link(ctx context.Context, actor access.Actor, cmd LinkTicket) (View, error) {
	note, err := clean("note", "关联说明", cmd.Note, 200, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToLink, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		other, err := s.other(ctx, tx, actor, t, cmd.OtherID)
		if err != nil {
			return effect{}, err
		}
		row := linkRow{LowID: min(t.ID, other.ID), HighID: max(t.ID, other.ID), Note: note, ByID: actor.UserID, ByName: actor.Name, At: s.clock.Now()}
		if _, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return effect{}, err
		}
		e := effect{fact: func(h Head) event.Fact { return Linked{h, t.ID} }, summary: "关联工单"}
		if _, err := s.book(ctx, tx, actor, row.At, ToLink, other, other.Version, other.Reply, e); err != nil {
			return effect{}, err
		}
		return effect{fact: func(h Head) event.Fact { return Linked{h, other.ID} }, summary: "关联工单", detail: map[string]any{"other": other.ID}}, nil
	})
}

// Unlink takes the link between two tickets away. Errors as Link.
func (s *Service) Unlink(ctx context.Context, actor access.Actor, cmd LinkTicket) (View, error) {
	return s.change(ctx, actor, ToUnlink, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		other, err := s.other(ctx, tx, actor, t, cmd.OtherID)
		if err != nil {
			return effect{}, err
		}
		if _, err := tx.NewDelete().Model((*linkRow)(nil)).Where("low_id = ? AND high_id = ?", min(t.ID, other.ID), max(t.ID, other.ID)).Exec(ctx); err != nil {
			return effect{}, err
		}
		e := effect{fact: func(h Head) event.Fact { return Unlinked{h, t.ID} }, summary: "取消关联"}
		if _, err := s.book(ctx, tx, actor, s.clock.Now(), ToUnlink, other, other.Version, other.Reply, e); err != nil {
			return effect{}, err
		}
		return effect{fact: func(h Head) event.Fact { return Unlinked{h, other.ID} }, summary: "取消关联", detail: map[string]any{"other": other.ID}}, nil
	})
}

func (s *Service) other(ctx context.Context, tx bun.Tx, actor access.Actor, t *Ticket, id int64) (*Ticket, error) {
	if id == t.ID {
		return nil, fault.InvalidField("otherId", "TICKET_LINK", "不能把工单与它自己关联，请选择另一件工单")
	}
	other, err := find(ctx, tx, visible(actor), id)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.InvalidField("otherId", "TICKET_LINK", "没有找到这件工单，请重新选择").Wrap(err)
	}
	return other, err
}

// Near is a ticket that has to do with the one in view. Only what the viewer may see is listed.
type Near struct {
	ID            int64  `json:"id"`
	Number        string `json:"number"`
	Title         string `json:"title"`
	Status        Status `json:"status" enum:"received,answered,declined,dispatched,signed,suspended,replied,reviewed,callback,closed,archived,merged,voided"`
	RequesterName string `json:"requesterName"`
	Kind          string `json:"kind" enum:"lead,merged,link" doc:"The handling order, a ticket merged into this one, or one linked by hand."`
}

// near lists what has to do with a ticket, within the scopes of the viewer.
func near(ctx context.Context, db bun.IDB, scopes []scope, t *Ticket) ([]Near, error) {
	out := []Near{}
	add := func(kind, where string, args ...any) error {
		var rows []Ticket
		q := narrow(db.NewSelect().Model(&rows).Column("id", "number", "title", "status", "requester_name").Where(where, args...), scopes)
		if err := q.OrderExpr("t.id").Limit(200).Scan(ctx); err != nil {
			return err
		}
		for _, r := range rows {
			out = append(out, Near{ID: r.ID, Number: r.Number, Title: r.Title, Status: r.Status, RequesterName: r.RequesterName, Kind: kind})
		}
		return nil
	}
	if t.MergedInto != 0 {
		if err := add("lead", "t.id = ?", t.MergedInto); err != nil {
			return nil, err
		}
	}
	if err := add("merged", "t.merged_into = ?", t.ID); err != nil {
		return nil, err
	}
	err := add("link", "t.id IN (SELECT k.high_id FROM ticket_links AS k WHERE k.low_id = ? UNION SELECT k.low_id FROM ticket_links AS k WHERE k.high_id = ?)", t.ID, t.ID)
	return out, err
}
