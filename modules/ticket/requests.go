package ticket

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/worktime"
)

// AskReturn files a request to give a hop back: before signing, or within the time after it that the budgets allow.
// The clock goes on. Errors as Answer, with ticket.request; ErrRequest outside the window or while one is pending.
func (s *Service) AskReturn(ctx context.Context, actor access.Actor, cmd AskTicket) (View, error) {
	if err := cmd.check(AskReturn); err != nil {
		return View{}, err
	}
	return s.ask(ctx, actor, ToReturn, AskReturn, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop, r *Request) (effect, error) {
		if names := all.passedOn(h); names != "" {
			return effect{}, ErrBelow.With("已转%s办理，请先收回再申请退单", names)
		}
		if h.SignedAt != nil {
			r.AfterSigning = true
			limits, err := s.clockRules(ctx, tx)
			if err != nil {
				return effect{}, err
			}
			window := limits.limit(t.Type, t.Urgency, ReturnWindow).Budget
			if until, _ := worktime.Due(*h.SignedAt, window, limits.calendar, nil); r.FiledAt.After(until) {
				return effect{}, ErrRequest.With("签收后超过 %s，不能再申请退单，请继续办理；确需其他单位办理的，请联系派单单位", window)
			}
		}
		g := given(h)
		return effect{fact: func(head Head) event.Fact {
			return ReturnAsked{Head: head, RequestID: r.ID, Hop: g, Code: r.Code, Basis: r.Basis, Note: r.Text}
		}, summary: h.UnitName + "申请退单"}, nil
	})
}

// AskExtension files a request for more time on a hop, before its deadline. What the unit's own staff asks its leader sees
// first. Errors as AskReturn; ErrRequest after the deadline or beyond the times and days of the rules.
func (s *Service) AskExtension(ctx context.Context, actor access.Actor, cmd AskTicket) (View, error) {
	err := cmd.check(AskExtension)
	if cmd.Days < 1 || cmd.Days > s.rules.ExtensionDays {
		err = fault.Merge(err, fault.InvalidField("days", "EXTENSION_DAYS", fmt.Sprintf("请填写延长的工作日数，1 至 %d 天", s.rules.ExtensionDays)))
	}
	if err != nil {
		return View{}, err
	}
	return s.ask(ctx, actor, ToExtend, AskExtension, cmd, func(ctx context.Context, tx bun.Tx, _ *Ticket, _ tree, h *Hop, r *Request) (effect, error) {
		if h.SignedAt == nil {
			return effect{}, ErrRequest.With("签收后才能申请延期，请先签收")
		}
		if !r.FiledAt.Before(h.DueAt) {
			return effect{}, ErrRequest.With("办理时限已过，不能再申请延期，请尽快反馈")
		}
		if err := s.room(ctx, tx, h, cmd.Days); err != nil {
			return effect{}, err
		}
		if actor.Can(PermEndorse) {
			r.State = Endorsed
		}
		return effect{fact: func(head Head) event.Fact {
			return ExtensionAsked{Head: head, HopID: h.ID, Days: r.Days, Reason: codeName(AskExtension, r.Code) + "：" + r.Text}
		}, summary: fmt.Sprintf("%s申请延期 %d 个工作日", h.UnitName, r.Days)}, nil
	})
}

// room returns ErrRequest when the hop may not be given so many days more.
func (s *Service) room(ctx context.Context, tx bun.Tx, h *Hop, days int) error {
	var times, sum int
	err := database.QueryOne(ctx, tx, []any{&times, &sum}, "SELECT count(*), coalesce(sum(granted), 0) FROM ticket_requests WHERE hop_id = ? AND kind = ? AND state = ?", h.ID, AskExtension, Approved)
	if err != nil {
		return err
	}
	if times >= s.rules.Extensions {
		return ErrRequest.With("该环节已延期 %d 次，达到上限，不能再延期", times)
	}
	if sum+days > s.rules.ExtensionDays {
		return ErrRequest.With("该环节累计延期不得超过 %d 个工作日，已延期 %d 个工作日，还可延期 %d 个工作日", s.rules.ExtensionDays, sum, s.rules.ExtensionDays-sum)
	}
	return nil
}

// ask files a request on a hop of the actor's.
func (s *Service) ask(ctx context.Context, actor access.Actor, action Action, k RequestKind, cmd AskTicket,
	check func(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop, r *Request) (effect, error),
) (View, error) {
	return s.change(ctx, actor, action, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := t.stay(action); err != nil {
			return effect{}, err
		}
		all, err := hops(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		var h *Hop
		if k == AskAppeal {
			if h = tree(all).lead(); h == nil {
				return effect{}, ErrRequest.With("该工单没有派单办理，不能申诉")
			}
		} else if h, err = tree(all).hopOf(actor, cmd.HopID); err != nil {
			return effect{}, err
		} else if !h.Open() {
			return effect{}, h.refuse(RightOf(action).Label)
		}
		pending, err := requestsOf(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		for i := range pending {
			if p := &pending[i]; p.HopID == h.ID && p.Kind == k && (p.Pending() || k == AskAppeal && p.State != Withdrawn) {
				return effect{}, ErrRequest.With("该环节已有一件%s申请，请勿重复提交", kindLabels[k])
			}
		}
		r := Request{
			TicketID: t.ID, HopID: h.ID, Kind: k, State: Filed, Code: cmd.Code, Basis: cmd.Basis, Text: cmd.Text, Days: cmd.Days, UnitID: h.UnitID, UnitName: h.UnitName,
			DispatcherID: h.SentBy, Dispatcher: h.SentByName, FiledBy: actor.UserID, FiledName: actor.Name, FiledAt: s.clock.Now(),
		}
		e, err := check(ctx, tx, t, all, h, &r)
		if err != nil {
			return effect{}, err
		}
		_, err = tx.NewInsert().Model(&r).Exec(ctx)
		return e, err
	})
}

// DecideTicket answers a request.
type DecideTicket struct {
	Ref
	RequestID int64
	Grant     bool
	Days      int    // of an extension: fewer than asked; 0 gives what was asked
	Note      string // needed to refuse
}

// Endorse is the word of the unit's leader on an extension their own staff asked for: it goes on to the level that dispatched
// or ends. Errors as Answer, with ticket.endorse; nobody decides on their own request.
func (s *Service) Endorse(ctx context.Context, actor access.Actor, cmd DecideTicket) (View, error) {
	return s.request(ctx, actor, ToEndorse, cmd, func(_ context.Context, _ bun.Tx, _ *Ticket, _ tree, h *Hop, r *Request) (effect, error) {
		if !h.handles(actor) {
			return effect{}, ErrForbidden
		}
		if r.Kind != AskExtension || r.State != Filed {
			return effect{}, r.refuse("审核")
		}
		now := s.clock.Now()
		r.EndorsedBy, r.EndorsedName, r.EndorsedAt, r.Note = actor.UserID, actor.Name, &now, cmd.Note
		r.State = Endorsed
		if !cmd.Grant {
			r.State = Denied
		}
		g := given(h)
		return effect{fact: func(head Head) event.Fact {
			return ExtensionEndorsed{Head: head, RequestID: r.ID, Hop: g, Passed: cmd.Grant, Note: cmd.Note}
		}, summary: granted(cmd.Grant) + "本单位延期申请"}, nil
	})
}

// Decide grants or refuses a request: a return or an extension by the level that dispatched the hop, an appeal by the
// supervisor. A granted return of the lead hop has the ticket dispatched anew under the clock that runs; a granted extension
// of it tells the requester. Errors as Answer, with ticket.decide, for an appeal ticket.arbitrate.
func (s *Service) Decide(ctx context.Context, actor access.Actor, cmd DecideTicket) (View, error) {
	return s.request(ctx, actor, ToDecide, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop, r *Request) (effect, error) {
		if !mayDecide(actor, all, h, r) {
			return effect{}, ErrForbidden
		}
		if !r.Pending() || r.Kind == AskExtension && r.State != Endorsed {
			return effect{}, r.refuse("审批")
		}
		now := s.clock.Now()
		r.DecidedBy, r.DecidedName, r.DecidedAt, r.Note = actor.UserID, actor.Name, &now, cmd.Note
		r.State = Approved
		if !cmd.Grant {
			r.State = Denied
		}
		switch r.Kind {
		case AskReturn:
			return s.giveBack(ctx, tx, t, all, h, r, cmd)
		case AskExtension:
			return s.extend(ctx, tx, t, all, h, r, cmd)
		}
		t.Excluded = cmd.Grant
		return effect{fact: func(head Head) event.Fact {
			return AppealDecided{Head: head, RequestID: r.ID, Granted: cmd.Grant, Note: cmd.Note}
		}, summary: granted(cmd.Grant) + "申诉"}, nil
	})
}

// mayDecide reports whether the request is the actor's to decide. Nobody decides on what they asked for.
func mayDecide(a access.Actor, all tree, h *Hop, r *Request) bool {
	if a.UserID != 0 && a.UserID == r.FiledBy {
		return false
	}
	if r.Kind == AskAppeal {
		return isDesk(a) && a.Can(PermArbitrate)
	}
	return all.dispatchedBy(a, h) && a.Can(PermDecide)
}

func granted(yes bool) string {
	if yes {
		return "同意"
	}
	return "不同意"
}

func (s *Service) giveBack(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop, r *Request, cmd DecideTicket) (effect, error) {
	g := given(h)
	e := effect{fact: func(head Head) event.Fact {
		return ReturnDecided{Head: head, RequestID: r.ID, Hop: g, Granted: cmd.Grant, Note: cmd.Note}
	}, summary: granted(cmd.Grant) + h.UnitName + "退单"}
	if !cmd.Grant {
		return e, nil
	}
	if err := endBelow(ctx, tx, t.ID, all, h); err != nil {
		return effect{}, err
	}
	if h.Lead {
		if err := t.TakeBack(h); err != nil {
			return effect{}, err
		}
	} else if h.State = HopReturned; t.Status == OnHold {
		return effect{}, ErrRequest.With("工单已挂起，恢复办理后再审批退单")
	}
	return e, saveHop(ctx, tx, h)
}

func (s *Service) extend(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop, r *Request, cmd DecideTicket) (effect, error) {
	if cmd.Days > r.Days || cmd.Days < 0 {
		return effect{}, fault.InvalidField("days", "EXTENSION_DAYS", fmt.Sprintf("批准的天数不能超过申请的 %d 个工作日", r.Days))
	}
	old, due := h.DueAt.UTC(), h.DueAt.UTC()
	if cmd.Grant {
		r.Granted = r.Days
		if cmd.Days > 0 {
			r.Granted = cmd.Days
		}
		if err := s.room(ctx, tx, h, r.Granted); err != nil {
			return effect{}, err
		}
		var err error
		if due, err = s.extended(ctx, tx, h, r.Granted); err != nil {
			return effect{}, err
		}
		if p := all.at(h.ParentID); p != nil && due.After(p.DueAt) {
			return effect{}, ErrRequest.With("延期后将晚于%s的办理时限（%s），请先为上级环节申请延期", p.UnitName, show(p.DueAt))
		}
		h.DueAt = due
		if h.Lead {
			t.DueAt = due
		}
		if err := saveHop(ctx, tx, h); err != nil {
			return effect{}, err
		}
	}
	r.OldDueAt, r.NewDueAt = &old, &due
	g, lead := given(h), h.Lead
	return effect{fact: func(head Head) event.Fact {
		head.DueAt = due
		return extensionDecided{
			ExtensionDecided: ExtensionDecided{Head: head, HopID: g.HopID, Granted: cmd.Grant, Days: r.Granted, OldDueAt: old, Note: cmd.Note},
			Hop:              g, Carry: lead && cmd.Grant,
		}
	}, summary: granted(cmd.Grant) + h.UnitName + "延期"}, nil
}

// WithdrawTicket takes a request back.
type WithdrawTicket struct {
	Ref
	RequestID int64
}

// Withdraw takes back a request of the actor's unit that nobody has decided. Errors as AskReturn.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd WithdrawTicket) (View, error) {
	return s.request(ctx, actor, ToWithdraw, DecideTicket{Ref: cmd.Ref, RequestID: cmd.RequestID, Grant: true}, func(_ context.Context, _ bun.Tx, _ *Ticket, _ tree, h *Hop, r *Request) (effect, error) {
		if !h.handles(actor) {
			return effect{}, ErrForbidden
		}
		if !r.Pending() {
			return effect{}, r.refuse("撤回")
		}
		r.State = Withdrawn
		g := given(h)
		return effect{fact: func(head Head) event.Fact { return RequestWithdrawn{head, r.ID, g, r.Kind} }, summary: "撤回" + kindLabels[r.Kind] + "申请"}, nil
	})
}

func (r *Request) refuse(what string) error {
	return ErrRequest.With("该%s申请当前为“%s”，不能%s，请刷新后查看", kindLabels[r.Kind], requestLabel(r), what)
}

func requestLabel(r *Request) string {
	switch r.State {
	case Filed:
		if r.Kind == AskExtension {
			return "待本单位审核"
		}
		return "待审批"
	case Endorsed:
		return "待审批"
	case Approved:
		return "已同意"
	case Denied:
		return "未同意"
	}
	return "已撤回"
}

// request is change for a command on one request.
func (s *Service) request(ctx context.Context, actor access.Actor, action Action, cmd DecideTicket,
	step func(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop, r *Request) (effect, error),
) (View, error) {
	var err error
	if cmd.Note, err = clean("note", "审批意见", cmd.Note, maxNote, !cmd.Grant); err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, action, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := t.stay(action); err != nil {
			return effect{}, err
		}
		var r Request
		err := tx.NewSelect().Model(&r).Where("q.id = ? AND q.ticket_id = ?", cmd.RequestID, t.ID).Scan(ctx)
		if err = database.Found(err); fault.KindOf(err) == fault.NotFound {
			return effect{}, fault.InvalidField("requestId", "TICKET_REQUEST", "没有这件申请，请刷新后查看").Wrap(err)
		} else if err != nil {
			return effect{}, err
		}
		if action == ToEndorse && actor.UserID != 0 && actor.UserID == r.FiledBy {
			return effect{}, ErrForbidden
		}
		rows, err := hops(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		all := tree(rows)
		h := all.at(r.HopID)
		if h == nil {
			return effect{}, fmt.Errorf("request %d has no hop", r.ID)
		}
		e, err := step(ctx, tx, t, all, h, &r)
		if err != nil {
			return effect{}, err
		}
		_, err = tx.NewUpdate().Model(&r).WherePK().Exec(ctx)
		return e, err
	})
}

// AppealTicket files an appeal against a call-back that was not good. Errors as Answer, with ticket.request; ErrRequest when
// the requester was satisfied.
func (s *Service) AppealTicket(ctx context.Context, actor access.Actor, cmd AskTicket) (View, error) {
	if err := cmd.check(AskAppeal); err != nil {
		return View{}, err
	}
	return s.ask(ctx, actor, ToAppeal, AskAppeal, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket, _ tree, h *Hop, r *Request) (effect, error) {
		o, err := lastOutcome(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		if (o == nil || o.Good()) && (t.Rating == 0 || t.Rating >= 3) {
			return effect{}, ErrRequest.With("回访结果没有不满意，无须申诉")
		}
		return effect{fact: func(head Head) event.Fact {
			return AppealAsked{Head: head, RequestID: r.ID, Code: r.Code, Basis: r.Basis, Note: r.Text}
		}, summary: h.UnitName + "申诉"}, nil
	})
}

// lastOutcome is what the call with which the ticket was closed found.
func lastOutcome(ctx context.Context, tx bun.Tx, id int64) (*Outcome, error) {
	events, err := event.Of(ctx, tx, Object, id)
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(events) {
		if e.Type == "ticket.closed" {
			var f Closed
			err := e.Decode(&f)
			return f.Outcome, err
		}
	}
	return nil, nil
}

// dropRequests withdraws what is pending on a hop; hop 0 stands for all hops of the ticket. What nobody decided in time is
// settled by the hop's end.
func dropRequests(ctx context.Context, tx bun.Tx, ticket, hop int64) error {
	q := tx.NewUpdate().Model((*Request)(nil)).Set("state = ?", Withdrawn).Where("ticket_id = ? AND kind <> ? AND state IN (?, ?)", ticket, AskAppeal, Filed, Endorsed)
	if hop != 0 {
		q = q.Where("hop_id = ?", hop)
	}
	_, err := q.Exec(ctx)
	return err
}

// requestsOf reads the requests of a ticket, oldest first.
func requestsOf(ctx context.Context, db bun.IDB, id int64) ([]Request, error) {
	var rows []Request
	err := database.QueryAll(ctx, db, &rows, `SELECT id, ticket_id, hop_id, kind, state, code, basis, text, days, granted, after_signing, unit_id, unit_name, dispatcher_id, dispatcher,
		filed_by, filed_name, filed_at, endorsed_by, endorsed_name, endorsed_at, decided_by, decided_name, decided_at, note, old_due_at, new_due_at
		FROM ticket_requests WHERE ticket_id = ? ORDER BY id`, id)
	return rows, err
}
