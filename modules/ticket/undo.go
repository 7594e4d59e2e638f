package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// undoable are the steps that can be taken back whole. A merger, a link and a request have steps of their own that take
// them back; what the requester did is theirs.
var undoable = []Action{
	ToAnswer, ToDecline, ToDispatch, ToSign, ToReply, ToReview, ToSendBack, ToCallBack, ToClose, ToReopen, ToVoid, ToArchive, ToSuspend, ToResume,
	ToForward, ToSplit, ToHopSign, ToHopReply, ToAccept, ToRework, ToRecall, ToEndorse, ToDecide, lapse,
}

// memoryRow is what a ticket was before its last step. There is one row per ticket: only the last step can be undone.
type memoryRow struct {
	bun.BaseModel `bun:"table:ticket_memory"`

	TicketID     int64     `bun:"ticket_id,pk"`
	Version      int64     `bun:"version,notnull"` // of the ticket after the step
	Seq          int64     `bun:"seq,notnull"`     // of the step's event
	Action       Action    `bun:"action,notnull"`
	At           time.Time `bun:"at,notnull"`
	ActorID      int64     `bun:"actor_id,nullzero"`
	DepartmentID int64     `bun:"department_id,nullzero"`
	Was          string    `bun:"was,notnull"`
}

// was is what the row keeps.
type was struct {
	Path     [4]int64  `json:"path"` // of the author's department
	Ticket   kept      `json:"ticket"`
	Hops     []Hop     `json:"hops"`
	Requests []Request `json:"requests"`
	Clocks   []Clock   `json:"clocks"`
}

// kept is what of a ticket its steps may change.
type kept struct {
	Status     Status     `json:"status"`
	UnitID     int64      `json:"unitId"`
	UnitName   string     `json:"unitName"`
	Levels     [4]int64   `json:"levels"`
	DueAt      time.Time  `json:"dueAt"`
	ClosedAt   *time.Time `json:"closedAt"`
	Reply      string     `json:"reply"`
	ReviewDue  bool       `json:"reviewDue"`
	Round      int        `json:"round"`
	MergedInto int64      `json:"mergedInto"`
	Excluded   bool       `json:"excluded"`
	Alert      Alert      `json:"alert"`
	Rating     *int       `json:"rating,omitempty"`
	Opinion    string     `json:"opinion,omitempty"`
	Tags       string     `json:"opinionTags,omitempty"`
}

func (t *Ticket) kept() kept {
	rating := t.Rating
	return kept{t.Status, t.UnitID, t.UnitName, [4]int64{t.UnitL1, t.UnitL2, t.UnitL3, t.UnitL4}, t.DueAt, t.ClosedAt, t.Reply, t.ReviewDue, t.Round, t.MergedInto, t.Excluded, t.Alert, &rating, t.Opinion, t.OpinionTags}
}

// restore brings the ticket back to what it was.
func (t *Ticket) restore(k kept) {
	t.Status, t.DueAt, t.ClosedAt, t.Reply, t.ReviewDue, t.Round, t.MergedInto, t.Excluded = k.Status, k.DueAt, k.ClosedAt, k.Reply, k.ReviewDue, k.Round, k.MergedInto, k.Excluded
	t.Alert = k.Alert
	if k.Rating != nil {
		t.Rating, t.Opinion, t.OpinionTags = *k.Rating, k.Opinion, k.Tags
	}
	t.place(UnitInfo{ID: k.UnitID, Name: k.UnitName, Levels: k.Levels})
}

// remember reads what the ticket is before a step that can be undone, nil before another.
func remember(ctx context.Context, tx bun.Tx, actor access.Actor, action Action, t *Ticket) (*was, error) {
	if !slices.Contains(undoable, action) {
		return nil, nil
	}
	w := &was{Path: actor.DepartmentPath, Ticket: t.kept()}
	var err error
	if w.Clocks, err = allClocks(ctx, tx, t.ID); err != nil {
		return nil, err
	}
	if w.Hops, err = hops(ctx, tx, t.ID); err != nil || len(w.Hops) == 0 {
		return w, err
	}
	w.Requests, err = requestsOf(ctx, tx, t.ID)
	return w, err
}

// keep writes what the ticket was beside the step that was taken.
func (w *was) keep(ctx context.Context, tx bun.Tx, actor access.Actor, action Action, t *Ticket, e event.Event) error {
	if w == nil {
		return nil
	}
	text, err := json.Marshal(w)
	if err != nil {
		return err
	}
	_, err = database.Run(ctx, tx, `INSERT INTO ticket_memory (ticket_id, version, seq, action, at, actor_id, department_id, was) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (ticket_id) DO UPDATE SET version = EXCLUDED.version, seq = EXCLUDED.seq, action = EXCLUDED.action, at = EXCLUDED.at,
		actor_id = EXCLUDED.actor_id, department_id = EXCLUDED.department_id, was = EXCLUDED.was`,
		t.ID, t.Version, e.Seq, string(action), e.At, actor.UserID, actor.DepartmentID, string(text))
	if err != nil {
		return fmt.Errorf("remember ticket %d: %w", t.ID, err)
	}
	return nil
}

// memory reads the last step, ErrUndo when it cannot be undone.
func memory(ctx context.Context, db bun.IDB, t *Ticket) (*memoryRow, was, error) {
	var rows []memoryRow
	var w was
	err := database.QueryAll(ctx, db, &rows, "SELECT ticket_id, version, seq, action, at, actor_id, department_id, was FROM ticket_memory WHERE ticket_id = ? AND version = ?", t.ID, t.Version)
	if err != nil {
		return nil, w, err
	}
	if len(rows) == 0 {
		return nil, w, ErrUndo.With("上一步操作不能撤销：它由企业作出、已有专门的撤销办法，或已经撤销过")
	}
	return &rows[0], w, json.Unmarshal([]byte(rows[0].Was), &w)
}

// over are the states in which only the supervisor may still undo.
var over = []Status{Done, Refused, Void, Archived}

// mayUndo returns nil when the actor may undo the step now, otherwise ErrUndo with who may.
func (s *Service) mayUndo(a access.Actor, now time.Time, t *Ticket, m *memoryRow, w was) error {
	if !a.Party.Staff() {
		return ErrForbidden
	}
	if isDesk(a) && a.Can(PermUndoAny) {
		return nil
	}
	if slices.Contains(over, t.Status) {
		return ErrUndo.With("工单已%s，上一步操作只能由督办人员撤销", t.Status.Label())
	}
	since := now.Sub(m.At)
	if m.ActorID == a.UserID && since <= s.rules.OwnUndo {
		return nil
	}
	leads := a.Can(PermUndo) && (m.DepartmentID == 0 && isDesk(a) || m.DepartmentID != 0 && owns(a, m.DepartmentID, w.Path))
	if leads && since <= s.rules.LeaderUndo {
		return nil
	}
	if m.ActorID == a.UserID {
		return ErrUndo.With("已超过 %d 分钟，请由本级负责人撤销", int(s.rules.OwnUndo.Minutes()))
	}
	if leads {
		return ErrUndo.With("已超过 %d 小时，请由督办人员撤销", int(s.rules.LeaderUndo.Hours()))
	}
	return ErrUndo.With("只能由操作人本人、其本级负责人或督办人员撤销")
}

// UndoTicket asks to take the last step back.
type UndoTicket struct {
	Ref
	Reason string
}

// Undo takes the last step back with a new event that names it: its author may within minutes, then their leader
// (ticket.undo), then and after the end of the ticket the supervisor (ticket.undo_any). What the step set off outside stays.
// Errors as Answer; ErrUndo when the step cannot be undone or not by this person any more.
func (s *Service) Undo(ctx context.Context, actor access.Actor, cmd UndoTicket) (View, error) {
	reason, err := clean("reason", "撤销原因", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToUndo, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		m, w, err := memory(ctx, tx, t)
		if err != nil {
			return effect{}, err
		}
		if err := s.mayUndo(actor, s.clock.Now(), t, m, w); err != nil {
			return effect{}, err
		}
		undone, err := s.eventOf(ctx, tx, t.ID, m.Seq)
		if err != nil {
			return effect{}, err
		}
		step, err := stepOf(undone)
		if err != nil {
			return effect{}, err
		}
		if followed, err := s.followed(ctx, tx, t, m.Action); err != nil || followed {
			if followed {
				err = ErrUndo.With("并入的工单已随本单答复，不能再撤销，请对各工单分别退回重办")
			}
			return effect{}, err
		}
		if err := bringBack(ctx, tx, t.ID, w); err != nil {
			return effect{}, err
		}
		t.restore(w.Ticket)
		if _, err := database.Run(ctx, tx, "UPDATE tickets SET alert = ? WHERE id = ?", string(t.Alert), t.ID); err != nil {
			return effect{}, err
		}
		return effect{
			fact:    func(h Head) event.Fact { return Undone{h, m.Seq, undone.Type, step.Label, reason} },
			summary: "撤销“" + step.Label + "”", detail: map[string]any{"seq": m.Seq, "kind": undone.Type},
		}, nil
	})
}

// followed reports whether merged tickets were answered with the step.
func (s *Service) followed(ctx context.Context, tx bun.Tx, t *Ticket, a Action) (bool, error) {
	if a != ToReply && a != ToAnswer {
		return false, nil
	}
	return tx.NewSelect().Model((*Ticket)(nil)).Where("t.merged_into = ? AND t.status <> ?", t.ID, Merged).Exists(ctx)
}

// bringBack makes the hops, requests and clocks what they were: those the step made are gone, the others are as before.
func bringBack(ctx context.Context, tx bun.Tx, id int64, w was) error {
	var hopIDs, requestIDs []int64
	for i := range w.Hops {
		hopIDs = append(hopIDs, w.Hops[i].ID)
		if _, err := tx.NewUpdate().Model(&w.Hops[i]).WherePK().Exec(ctx); err != nil {
			return err
		}
	}
	for i := range w.Requests {
		requestIDs = append(requestIDs, w.Requests[i].ID)
		if _, err := tx.NewUpdate().Model(&w.Requests[i]).WherePK().Exec(ctx); err != nil {
			return err
		}
	}
	var clockIDs []int64
	for i := range w.Clocks {
		clockIDs = append(clockIDs, w.Clocks[i].ID)
		if _, err := tx.NewUpdate().Model(&w.Clocks[i]).WherePK().Exec(ctx); err != nil {
			return err
		}
	}
	gone := func(q *bun.DeleteQuery, keep []int64) error {
		q = q.Where("ticket_id = ?", id)
		if len(keep) > 0 {
			q = q.Where("id NOT IN (?)", bun.List(keep))
		}
		_, err := q.Exec(ctx)
		return err
	}
	if err := gone(tx.NewDelete().Model((*Request)(nil)), requestIDs); err != nil {
		return err
	}
	if err := gone(tx.NewDelete().Model((*Clock)(nil)), clockIDs); err != nil {
		return err
	}
	return gone(tx.NewDelete().Model((*Hop)(nil)), hopIDs)
}

func (s *Service) eventOf(ctx context.Context, db bun.IDB, id, seq int64) (event.Event, error) {
	events, err := event.Of(ctx, db, Object, id)
	if err != nil {
		return event.Event{}, err
	}
	for _, e := range events {
		if e.Seq == seq {
			return e, nil
		}
	}
	return event.Event{}, fmt.Errorf("ticket %d has no event %d", id, seq)
}

// UndoView is the step that the actor may take back.
type UndoView struct {
	Seq   int64  `json:"seq"`
	Label string `json:"label"`
	// Told says what stays although the step is undone.
	Told string `json:"told"`
}

// undoFor tells what the actor may undo, nil when nothing.
func (s *Service) undoFor(ctx context.Context, db bun.IDB, actor access.Actor, t *Ticket, timeline []event.Event) (*UndoView, error) {
	if !actor.Party.Staff() || !actor.Can(PermView) {
		return nil, nil
	}
	m, w, err := memory(ctx, db, t)
	if fault.KindOf(err) == fault.Conflict {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if s.mayUndo(actor, s.clock.Now(), t, m, w) != nil {
		return nil, nil
	}
	for _, e := range timeline {
		if e.Seq == m.Seq {
			step, err := stepOf(e)
			return &UndoView{Seq: m.Seq, Label: step.Label, Told: "撤销后工单恢复到这一步之前的状态；已经发出的短信、微信和站内消息、已推送给外部系统的数据不会收回，必要时请电话说明。"}, err
		}
	}
	return nil, nil
}
