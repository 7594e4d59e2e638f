package ticket

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// maxParts is how many units one forwarding or splitting may name.
const maxParts = 20

// owns reports whether the unit is the actor's own, or lies below it when the subtree is in scope.
func owns(a access.Actor, unit int64, levels [4]int64) bool {
	if a.Party == access.System {
		return true
	}
	if a.Party != access.Government || a.DepartmentID == 0 {
		return false
	}
	if unit == a.DepartmentID {
		return true
	}
	n := a.Level()
	// #nosec G602 -- Level is at most 4, the levels of the tree
	return a.Scope == access.ScopeSubtree && n > 0 && levels[n-1] == a.DepartmentID
}

func (h *Hop) levels() [4]int64 { return [4]int64{h.UnitL1, h.UnitL2, h.UnitL3, h.UnitL4} }

func (h *Hop) unit() UnitInfo { return UnitInfo{ID: h.UnitID, Name: h.UnitName, Levels: h.levels()} }

// handles reports whether the hop lies with the actor.
func (h *Hop) handles(a access.Actor) bool { return owns(a, h.UnitID, h.levels()) }

// tree is the hops of a ticket.
type tree []Hop

// at finds a hop by its id.
func (all tree) at(id int64) *Hop {
	for i := range all {
		if all[i].ID == id {
			return &all[i]
		}
	}
	return nil
}

// lead is the hop that carries the ticket, nil before the first dispatch, after it was given back and while it rests.
func (all tree) lead() *Hop {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Lead {
			if all[i].State == HopReturned || all[i].State == HopMerged {
				return nil
			}
			return &all[i]
		}
	}
	return nil
}

// below lists the hops that work for h: its children, and for the lead hop those beside it in the same round.
func (all tree) below(h *Hop) []*Hop {
	var out []*Hop
	for i := range all {
		c := &all[i]
		if c.ParentID == h.ID && c.ParentID != 0 || h.Lead && c.ParentID == 0 && !c.Lead && c.Round == h.Round {
			out = append(out, c)
		}
	}
	return out
}

// waits names the units whose part h must wait for, "" when there are none.
func (all tree) waits(h *Hop) string {
	var names []string
	for _, c := range all.below(h) {
		if !c.Settled() {
			names = append(names, c.UnitName)
		}
	}
	return strings.Join(names, "、")
}

// clear returns ErrBelow while somebody's part is not in.
func (all tree) clear(h *Hop) error {
	if names := all.waits(h); names != "" {
		return ErrBelow.With("%s尚未反馈或其反馈未验收，请等待其反馈，或收回后再办理", names)
	}
	return nil
}

// passedOn names the units below h, without those beside it, that still have a part, "" when there are none.
func (all tree) passedOn(h *Hop) string {
	var names []string
	for _, c := range all.below(h) {
		if c.ParentID == h.ID && !c.Settled() {
			names = append(names, c.UnitName)
		}
	}
	return strings.Join(names, "、")
}

// dispatchedBy reports whether the actor is of the level that dispatched the hop.
func (all tree) dispatchedBy(a access.Actor, h *Hop) bool {
	if h.ParentID == 0 {
		return isDesk(a)
	}
	p := all.at(h.ParentID)
	return p != nil && p.handles(a)
}

// beneath reports whether a unit lies below that of the hop.
func (h *Hop) beneath(u UnitInfo) bool {
	for i, id := range u.Levels {
		if id == h.UnitID {
			return i < len(u.Levels)-1 && u.Levels[i+1] != 0
		}
	}
	return false
}

// hopOf finds the hop a command names among those that lie with the actor.
func (all tree) hopOf(a access.Actor, id int64) (*Hop, error) {
	h := all.at(id)
	if h == nil {
		return nil, fault.InvalidField("hopId", "TICKET_HOP", "没有这个办理环节，请刷新后查看")
	}
	if !h.handles(a) {
		return nil, ErrForbidden
	}
	return h, nil
}

// side makes a hop beside or below another one.
func (t *Ticket) side(now time.Time, actor access.Actor, parent *Hop, u UnitInfo, role Role, due time.Time, note string) Hop {
	h := Hop{
		TicketID: t.ID, UnitID: u.ID, UnitName: u.Name, UnitL1: u.Levels[0], UnitL2: u.Levels[1], UnitL3: u.Levels[2], UnitL4: u.Levels[3],
		State: HopSent, SentAt: now, DueAt: due, Note: note, Role: role, Round: t.Round, SentBy: actor.UserID, SentByName: actor.Name,
	}
	o := from(actor)
	if parent != nil {
		h.ParentID = parent.ID
		o = parent.unit() // whoever of the subtree passes on does so for the unit that has the hop
	}
	h.FromID, h.FromName = o.ID, o.Name
	return h
}

// unit reads a unit that may be given work.
func (s *Service) unit(ctx context.Context, tx bun.IDB, field string, id int64) (UnitInfo, error) {
	u, err := s.units.Unit(ctx, tx, id)
	if fault.KindOf(err) == fault.NotFound {
		return u, fault.InvalidField(field, "UNIT_UNKNOWN", "请选择承办单位").Wrap(err)
	}
	return u, err
}

// Part is a unit with what it is asked to do.
type Part struct {
	UnitID int64  `json:"unitId"`
	Note   string `json:"note"`
}

// ForwardTicket asks to pass a hop on to units below.
type ForwardTicket struct {
	Ref
	HopID     int64
	UnitID    int64   // the unit that does it
	CoUnitIDs []int64 // those that help; each answers for itself
	Note      string
}

// Forward passes a signed hop on to units below its own. The unit that passes on stays responsible: it answers for the whole
// once those below have answered. Errors as Answer, with ticket.forward; ErrHop when the hop is not signed.
func (s *Service) Forward(ctx context.Context, actor access.Actor, cmd ForwardTicket) (View, error) {
	note, err := clean("note", "转办说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	parts := []Part{{cmd.UnitID, note}}
	for _, id := range cmd.CoUnitIDs {
		parts = append(parts, Part{id, note})
	}
	return s.change(ctx, actor, ToForward, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := t.stay(ToForward); err != nil {
			return effect{}, err
		}
		all, err := hops(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		h, err := tree(all).hopOf(actor, cmd.HopID)
		if err != nil {
			return effect{}, err
		}
		for _, c := range tree(all).below(h) {
			if c.Role == RoleLead && c.Open() {
				return effect{}, ErrHop.With("该环节已转办%s，请先收回再转办其他单位", c.UnitName)
			}
		}
		return s.passOn(ctx, tx, actor, t, h, parts, func(i int) Role {
			if i == 0 {
				return RoleLead
			}
			return RoleCo
		}, note)
	})
}

// SplitTicket asks to give parts of the work to units, each with a result to be accepted.
type SplitTicket struct {
	Ref
	HopID int64 // 0 when the desk splits
	Tasks []Part
}

// Split makes a task of each part. The hop, or for the desk the ticket, can only be answered when all are accepted. A unit
// gives tasks to units below its own, the desk to any. Errors as Forward.
func (s *Service) Split(ctx context.Context, actor access.Actor, cmd SplitTicket) (View, error) {
	for i := range cmd.Tasks {
		note, err := clean("tasks", "任务内容", cmd.Tasks[i].Note, maxNote, true)
		if err != nil {
			return View{}, err
		}
		cmd.Tasks[i].Note = note
	}
	return s.change(ctx, actor, ToSplit, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := t.stay(ToSplit); err != nil {
			return effect{}, err
		}
		task := func(int) Role { return RoleTask }
		if cmd.HopID == 0 {
			if !isDesk(actor) {
				return effect{}, ErrForbidden
			}
			return s.passOn(ctx, tx, actor, t, nil, cmd.Tasks, task, "")
		}
		all, err := hops(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		h, err := tree(all).hopOf(actor, cmd.HopID)
		if err != nil {
			return effect{}, err
		}
		return s.passOn(ctx, tx, actor, t, h, cmd.Tasks, task, "")
	})
}

// passOn deals the parts out and tells of it.
func (s *Service) passOn(ctx context.Context, tx bun.Tx, actor access.Actor, t *Ticket, h *Hop, parts []Part, role func(i int) Role, note string) (effect, error) {
	origin := from(actor)
	if h != nil {
		origin = h.unit()
	}
	to, err := s.deal(ctx, tx, actor, t, h, parts, role)
	if err != nil {
		return effect{}, err
	}
	var names []string
	for _, g := range to {
		names = append(names, g.UnitName)
	}
	return effect{
		fact:    func(head Head) event.Fact { return Forwarded{Head: head, FromName: origin.Name, To: to, Note: note} },
		summary: origin.Name + "转" + strings.Join(names, "、"), detail: map[string]any{"to": to},
	}, nil
}

// deal writes the hops below h, or beside the lead hop when h is nil.
func (s *Service) deal(ctx context.Context, tx bun.Tx, actor access.Actor, t *Ticket, h *Hop, parts []Part, role func(i int) Role) ([]Given, error) {
	if h != nil && h.State != HopSigned {
		return nil, ErrHop.With("%s的办理环节当前为“%s”，签收后、反馈前才能转办或拆分", h.UnitName, hopLabels[h.State])
	}
	if len(parts) == 0 || len(parts) > maxParts {
		return nil, fault.InvalidField("unitId", "UNIT_UNKNOWN", fmt.Sprintf("请选择 1 至 %d 个承办单位", maxParts))
	}
	due := t.DueAt
	if h != nil {
		due = h.DueAt
	}
	seen := map[int64]bool{}
	var to []Given
	for i, p := range parts {
		u, err := s.unit(ctx, tx, "unitId", p.UnitID)
		if err != nil {
			return nil, err
		}
		if h != nil && !h.beneath(u) {
			return nil, fault.InvalidField("unitId", "UNIT_BELOW", fmt.Sprintf("%s不是%s的下级单位，只能转办下级单位；需要其他单位办理的，请申请退单", u.Name, h.UnitName))
		}
		if seen[u.ID] && role(i) != RoleTask {
			return nil, fault.InvalidField("unitId", "UNIT_TWICE", fmt.Sprintf("%s被选择了两次，请去掉重复的单位", u.Name))
		}
		seen[u.ID] = true
		hop := t.side(s.clock.Now(), actor, h, u, role(i), due, p.Note)
		if _, err := tx.NewInsert().Model(&hop).Exec(ctx); err != nil {
			return nil, err
		}
		to = append(to, given(&hop))
	}
	return to, nil
}

// SignHop asks to take on a hop that does not carry the ticket.
type SignHop struct {
	Ref
	HopID int64
}

// SignHop takes on a passed-on, co-handled or task hop for its unit. Errors as Answer, with ticket.sign; ErrHop when it is
// signed already.
func (s *Service) SignHop(ctx context.Context, actor access.Actor, cmd SignHop) (View, error) {
	return s.hop(ctx, actor, ToHopSign, cmd.Ref, cmd, cmd.HopID, func(_ context.Context, _ bun.Tx, _ *Ticket, _ tree, h *Hop) (effect, error) {
		if h.State != HopSent {
			return effect{}, h.refuse("签收")
		}
		now := s.clock.Now()
		h.State, h.SignedAt = HopSigned, &now
		g := given(h)
		return effect{fact: func(head Head) event.Fact { return PartSigned{head, g} }, summary: h.UnitName + "签收"}, nil
	})
}

// ReplyHop asks to tell what the unit of a hop did.
type ReplyHop struct {
	Ref
	HopID   int64
	Text    string
	FileIDs []int64
	// Evidence is what the type of the request asks for; the unit that answers for the whole sees it before it answers.
	Evidence []GivenEvidence `json:",omitempty"`
}

// ReplyHop keeps the unit's own answer for whoever answers for the whole. Errors as SignHop, with ticket.reply; ErrBelow while
// units further down have not answered. Without the evidence its type requires it is refused with all that is missing.
func (s *Service) ReplyHop(ctx context.Context, actor access.Actor, cmd ReplyHop) (View, error) {
	text, err := clean("text", "办理结果", cmd.Text, maxBody, true)
	if err != nil {
		return View{}, err
	}
	return s.hop(ctx, actor, ToHopReply, cmd.Ref, cmd, cmd.HopID, func(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop) (effect, error) {
		if h.State != HopSigned {
			return effect{}, h.refuse("反馈")
		}
		if err := all.clear(h); err != nil {
			return effect{}, err
		}
		items, err := evidenceItems(ctx, tx, t.Type)
		if err != nil {
			return effect{}, err
		}
		below, err := shownBelow(ctx, tx, all.under(h))
		if err != nil {
			return effect{}, err
		}
		shown, err := checkEvidence(items, cmd.Evidence, below)
		if err != nil {
			return effect{}, err
		}
		files := slices.Clone(cmd.FileIDs)
		for _, g := range cmd.Evidence {
			files = append(files, g.FileIDs...)
		}
		now := s.clock.Now()
		h.State, h.RepliedAt, h.Reply = HopReplied, &now, text
		g := given(h)
		return effect{
			fact:    func(head Head) event.Fact { return PartAnswered{head, g, text, files, shown} },
			summary: h.UnitName + "反馈", files: files,
			then: func() error { return s.keepEvidence(ctx, tx, t, h.ID, h.UnitName, items, cmd.Evidence) },
		}, dropRequests(ctx, tx, t.ID, h.ID)
	})
}

// JudgeTask accepts the result of a task or sends it back.
type JudgeTask struct {
	Ref
	HopID int64
	Note  string // needed to send back
}

// Accept finds the result of a task good. Only the level that made the task may; errors as SignHop, with ticket.forward.
func (s *Service) Accept(ctx context.Context, actor access.Actor, cmd JudgeTask) (View, error) {
	note, err := clean("note", "验收意见", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.hop(ctx, actor, ToAccept, cmd.Ref, cmd, cmd.HopID, func(_ context.Context, _ bun.Tx, _ *Ticket, _ tree, h *Hop) (effect, error) {
		if h.Role != RoleTask || h.State != HopReplied {
			return effect{}, h.refuse("验收")
		}
		h.State = HopAccepted
		g := given(h)
		return effect{fact: func(head Head) event.Fact { return TaskAccepted{head, g, note} }, summary: "验收" + h.UnitName + "的任务"}, nil
	})
}

// Rework sends the result of a task, or the answer of a unit the work was passed on to, back to its unit. Errors as Accept.
func (s *Service) Rework(ctx context.Context, actor access.Actor, cmd JudgeTask) (View, error) {
	note, err := clean("note", "退回原因", cmd.Note, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.hop(ctx, actor, ToRework, cmd.Ref, cmd, cmd.HopID, func(_ context.Context, _ bun.Tx, _ *Ticket, all tree, h *Hop) (effect, error) {
		if h.State != HopReplied {
			return effect{}, h.refuse("验收退回")
		}
		if p := all.at(h.ParentID); p != nil && !p.Open() {
			return effect{}, ErrHop.With("%s已经反馈，不能再退回下级的反馈", p.UnitName)
		}
		h.State, h.RepliedAt = HopSigned, nil
		g := given(h)
		return effect{fact: func(head Head) event.Fact { return TaskReturned{head, g, note} }, summary: "退回" + h.UnitName + "的反馈"}, nil
	})
}

// RecallHop asks to take a hop away from its unit.
type RecallHop struct {
	Ref
	HopID int64
	Note  string
}

// Recall ends a hop that does not carry the ticket, and all below it, before its unit answered. Errors as Accept.
func (s *Service) Recall(ctx context.Context, actor access.Actor, cmd RecallHop) (View, error) {
	note, err := clean("note", "收回原因", cmd.Note, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.hop(ctx, actor, ToRecall, cmd.Ref, cmd, cmd.HopID, func(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop) (effect, error) {
		if h.Settled() {
			return effect{}, h.refuse("收回")
		}
		h.State = HopEnded
		g := given(h)
		return effect{fact: func(head Head) event.Fact { return Recalled{head, g, note} }, summary: "收回" + h.UnitName + "的办理环节"}, endBelow(ctx, tx, t.ID, all, h)
	})
}

// endBelow ends everything open below a hop, and takes the requests on it and below it off the desk.
func endBelow(ctx context.Context, tx bun.Tx, ticket int64, all tree, h *Hop) error {
	if err := dropRequests(ctx, tx, ticket, h.ID); err != nil {
		return err
	}
	for _, c := range all.below(h) {
		if !c.Settled() {
			c.State = HopEnded
			if err := saveHop(ctx, tx, c); err != nil {
				return err
			}
		}
		if err := endBelow(ctx, tx, ticket, all, c); err != nil {
			return err
		}
	}
	return nil
}

// refuse says what the state of the hop does not allow.
func (h *Hop) refuse(what string) error {
	return ErrHop.With("%s的办理环节当前为“%s”，不能%s，请刷新后查看", h.UnitName, hopLabels[h.State], what)
}

// hop is change for a command on one hop that does not carry the ticket.
func (s *Service) hop(ctx context.Context, actor access.Actor, action Action, ref Ref, request any, id int64,
	step func(ctx context.Context, tx bun.Tx, t *Ticket, all tree, h *Hop) (effect, error),
) (View, error) {
	return s.change(ctx, actor, action, ref, request, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := t.stay(action); err != nil {
			return effect{}, err
		}
		rows, err := hops(ctx, tx, t.ID)
		if err != nil {
			return effect{}, err
		}
		all := tree(rows)
		h := all.at(id)
		switch {
		case h == nil:
			return effect{}, fault.InvalidField("hopId", "TICKET_HOP", "没有这个办理环节，请刷新后查看")
		case h.Lead:
			return effect{}, ErrHop.With("主办环节请直接签收、反馈或申请退单")
		case RightOf(action).Side == Level && !all.dispatchedBy(actor, h), RightOf(action).Side == Handler && !h.handles(actor):
			return effect{}, ErrForbidden
		}
		e, err := step(ctx, tx, t, all, h)
		if err != nil {
			return effect{}, err
		}
		return e, saveHop(ctx, tx, h)
	})
}

// hopActions lists what the actor may do with a hop now.
func hopActions(a access.Actor, t *Ticket, all tree, h *Hop) []Action {
	out := []Action{}
	can := func(action Action, fits bool) {
		if !fits || !t.Allows(action) || !a.Can(RightOf(action).Permission) {
			return
		}
		side := RightOf(action).Side
		if side == Handler && h.handles(a) || side == Level && all.dispatchedBy(a, h) {
			out = append(out, action)
		}
	}
	can(ToHopSign, !h.Lead && h.State == HopSent)
	can(ToHopReply, !h.Lead && h.State == HopSigned && all.waits(h) == "")
	can(ToForward, h.State == HopSigned && depth(h.levels()) < 4 && !slices.ContainsFunc(all.below(h), func(c *Hop) bool { return c.Role == RoleLead && c.Open() }))
	can(ToSplit, h.State == HopSigned && depth(h.levels()) < 4)
	can(ToReturn, h.Open() && all.passedOn(h) == "")
	can(ToExtend, h.Open())
	can(ToAccept, !h.Lead && h.Role == RoleTask && h.State == HopReplied)
	p := all.at(h.ParentID)
	can(ToRework, !h.Lead && h.State == HopReplied && (p == nil || p.Open()))
	can(ToRecall, !h.Lead && !h.Settled())
	return out
}

// depth is how far down the tree a unit lies, 1 to 4.
func depth(levels [4]int64) int {
	n := 0
	for _, id := range levels {
		if id == 0 {
			break
		}
		n++
	}
	return n
}

// hopLabels are the words of the states of a hop.
var hopLabels = map[HopState]string{
	HopSent: "待签收", HopSigned: "办理中", HopReplied: "已反馈", HopAccepted: "已验收", HopReturned: "已退单", HopEnded: "已终止", HopMerged: "已并单",
}
