package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// claimFor is how long a claimed call-back is kept from the others.
const claimFor = 20 * time.Minute

// callbackTags are offered for what requesters say; others may be written.
var callbackTags = []string{"办理及时", "态度好", "解释清楚", "未联系企业", "推诿", "超时", "结果与反馈不符", "政策限制", "企业撤回诉求"}

// CallbackView is a call-back as the desk sees it.
type CallbackView struct {
	ID             int64         `json:"id"`
	TicketID       int64         `json:"ticketId"`
	TicketVersion  int64         `json:"ticketVersion"`
	Number         string        `json:"number"`
	Title          string        `json:"title"`
	TypeName       string        `json:"typeName"`
	Urgency        Urgency       `json:"urgency" enum:"normal,urgent,critical"`
	Status         Status        `json:"status" enum:"received,answered,declined,dispatched,signed,suspended,replied,reviewed,callback,closed,archived,merged,voided"`
	EnterpriseName string        `json:"enterpriseName"`
	RequesterName  string        `json:"requesterName"`
	UnitName       string        `json:"unitName"`
	Round          int           `json:"round" doc:"0 the first time, 1 when it was done again."`
	State          CallbackState `json:"state" enum:"open,unreached,spared,done,dropped"`
	First          bool          `json:"first" doc:"Called before the others: urgent, or done again."`
	DueAt          time.Time     `json:"dueAt"`
	Overdue        bool          `json:"overdue"`
	NextAt         time.Time     `json:"nextAt"`
	Attempts       int           `json:"attempts"`
	ClaimedBy      string        `json:"claimedBy,omitempty"`
	Mine           bool          `json:"mine" doc:"The viewer has claimed it."`
	Result         CallResult    `json:"result,omitempty" enum:"reached,no_answer,refused,wrong_number"`
	ResultLabel    string        `json:"resultLabel,omitempty"`
	Source         CallSource    `json:"source,omitempty" enum:"phone,voice,requester"`
	Solved         *bool         `json:"solved,omitempty"`
	Responded      *bool         `json:"responded,omitempty"`
	Level          int           `json:"level,omitempty"`
	LevelLabel     string        `json:"levelLabel,omitempty"`
	Tags           []string      `json:"tags"`
	Words          string        `json:"words,omitempty"`
	ByName         string        `json:"byName,omitempty"`
	DoneAt         *time.Time    `json:"doneAt,omitempty"`
}

// CallbackCard is a call-back with what the caller needs before them.
type CallbackCard struct {
	CallbackView
	Phone       string        `json:"phone" doc:"Masked; revealing the ticket's phone shows it."`
	Body        string        `json:"body"`
	Reply       string        `json:"reply"`
	Script      string        `json:"script"`
	MaxAttempts int           `json:"maxAttempts"`
	History     []CallAttempt `json:"history"`
	Choices     []string      `json:"tagChoices"`
}

// CallAttempt is one call that was tried.
type CallAttempt struct {
	At     time.Time  `json:"at"`
	Result CallResult `json:"result" enum:"reached,no_answer,refused,wrong_number"`
	Label  string     `json:"label"`
	Source CallSource `json:"source" enum:"phone,voice,requester"`
	Note   string     `json:"note"`
	By     string     `json:"by"`
	NextAt *time.Time `json:"nextAt,omitempty"`
	Undone bool       `json:"undone,omitempty"`
}

// CallbackFilter narrows the list of call-backs.
type CallbackFilter struct {
	// View is "due" (to be called now), "later", "unreached", "spared" or "done".
	View   string
	Cursor string
	Limit  int
}

// caller returns a fault for everybody who does not call requesters back.
func caller(a access.Actor) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if err := a.Need(PermClose); err != nil {
		return err
	}
	if !isDesk(a) {
		return ErrForbidden
	}
	return nil
}

type callbackRow struct {
	Callback
	TicketVersion  int64   `bun:"ticket_version"`
	Number         string  `bun:"number"`
	Title          string  `bun:"title"`
	Urgency        Urgency `bun:"urgency"`
	Status         Status  `bun:"status"`
	EnterpriseName string  `bun:"enterprise_name"`
	RequesterName  string  `bun:"requester_name"`
	UnitName       string  `bun:"unit_name"`
}

// callbacks begins a query of call-backs of tickets that the scopes let through.
func callbacks(db bun.IDB, scopes []scope) *bun.SelectQuery {
	q := db.NewSelect().TableExpr("ticket_callbacks AS cb").ColumnExpr("cb.*").
		ColumnExpr("t.version AS ticket_version, t.number, t.title, t.urgency, t.status, t.enterprise_name, t.requester_name, t.unit_name").
		Join("JOIN tickets AS t ON t.id = cb.ticket_id")
	return narrow(q, scopes)
}

// Callbacks lists call-backs of the tickets the actor sees, in the order in which they are called, those that are done newest
// first. It needs ticket.close at the desk.
func (s *Service) Callbacks(ctx context.Context, actor access.Actor, f CallbackFilter) ([]CallbackView, string, error) {
	if err := caller(actor); err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 50
	}
	now := s.clock.Now()
	var rows []callbackRow
	q := callbacks(s.db.Read(), visible(actor)).Limit(int64(f.Limit) + 1)
	switch f.View {
	case "", "due":
		q = q.Where("cb.state = ? AND cb.next_at <= ?", CallbackOpen, now)
	case "later":
		q = q.Where("cb.state = ? AND cb.next_at > ?", CallbackOpen, now)
	case "unreached", "spared", "done":
		q = q.Where("cb.state = ?", f.View)
	default:
		return nil, "", fault.InvalidField("view", "CALL_VIEW", "没有这种视图，请刷新页面")
	}
	queue := f.View != "done"
	if queue {
		q = q.OrderExpr("cb.rank, cb.next_at, cb.id")
	} else {
		q = q.OrderExpr("cb.id DESC")
	}
	if f.Cursor != "" {
		rank, at, id, err := readCursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		if queue {
			q = q.Where("(cb.rank, cb.next_at, cb.id) > (?, ?, ?)", rank, at, id)
		} else {
			q = q.Where("cb.id < ?", id)
		}
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, "", fmt.Errorf("list call-backs: %w", err)
	}
	names, err := s.typeNames(ctx, s.db.Read())
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		l := rows[f.Limit-1]
		next = fmt.Sprintf("%d.%d.%d", l.Rank, l.NextAt.UnixMicro(), l.ID)
	}
	out := make([]CallbackView, 0, len(rows))
	for i := range rows {
		v, err := rows[i].view(actor, now, names)
		if err != nil {
			return nil, "", err
		}
		out = append(out, v)
	}
	return out, next, nil
}

func readCursor(c string) (rank int64, at time.Time, id int64, err error) {
	parts := strings.Split(c, ".")
	var n [3]int64
	if len(parts) == 3 {
		for i, p := range parts {
			if n[i], err = strconv.ParseInt(p, 10, 64); err != nil {
				break
			}
		}
	}
	if len(parts) != 3 || err != nil {
		return 0, at, 0, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	return n[0], time.UnixMicro(n[1]).UTC(), n[2], nil
}

func (r *callbackRow) view(a access.Actor, now time.Time, names map[string]string) (CallbackView, error) {
	v := CallbackView{
		ID: r.ID, TicketID: r.TicketID, TicketVersion: r.TicketVersion, Number: r.Number, Title: r.Title, TypeName: names[r.Type], Urgency: r.Urgency, Status: r.Status,
		EnterpriseName: r.EnterpriseName, RequesterName: r.RequesterName, UnitName: r.UnitName, Round: r.Round, State: r.State, First: r.Rank == 0,
		DueAt: r.DueAt.UTC(), Overdue: r.State == CallbackOpen && now.After(r.DueAt), NextAt: r.NextAt.UTC(), Attempts: r.Attempts,
		Result: r.Result, ResultLabel: r.Result.Label(), Source: r.Source, Solved: r.Solved, Responded: r.Responded, Level: r.Level, LevelLabel: LevelLabel(r.Level),
		Words: r.Words, ByName: r.ByName, DoneAt: utc(r.DoneAt), Tags: []string{},
	}
	if r.ClaimedBy != 0 && now.Before(r.ClaimedUntil) {
		v.ClaimedBy, v.Mine = r.ClaimedName, r.ClaimedBy == a.UserID
	}
	if r.Tags == "" || r.Tags == "null" {
		return v, nil
	}
	return v, json.Unmarshal([]byte(r.Tags), &v.Tags)
}

// Callback returns one call-back with the number, which Reveal shows in clear, the script of its type and what was tried before. It needs
// ticket.close at the desk; ErrNotFound for one whose ticket the actor does not see.
func (s *Service) Callback(ctx context.Context, actor access.Actor, id int64) (CallbackCard, error) {
	if err := caller(actor); err != nil {
		return CallbackCard{}, err
	}
	db := s.db.Read()
	var rows []callbackRow
	if err := callbacks(db, visible(actor)).Where("cb.id = ?", id).Limit(1).Scan(ctx, &rows); err != nil {
		return CallbackCard{}, err
	}
	if len(rows) == 0 {
		return CallbackCard{}, ErrNotFound
	}
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return CallbackCard{}, err
	}
	card := CallbackCard{Choices: callbackTags, History: []CallAttempt{}}
	if card.CallbackView, err = rows[0].view(actor, s.clock.Now(), names); err != nil {
		return card, err
	}
	t, err := find(ctx, db, visible(actor), rows[0].TicketID)
	if err != nil {
		return card, err
	}
	phone, err := s.box.Open(t.PhoneSealed, phonePlace(t.Number))
	if err != nil {
		return card, err
	}
	plan, err := planOf(ctx, db, t.Type)
	if err != nil {
		return card, err
	}
	card.Phone, card.Body, card.Reply, card.Script, card.MaxAttempts = mask(string(phone)), t.Body, t.Reply, plan.Script, plan.Attempts
	var tried []attemptRow
	if err := db.NewSelect().Model(&tried).Where("ca.ticket_id = ?", t.ID).OrderExpr("ca.id").Limit(200).Scan(ctx); err != nil {
		return card, err
	}
	for _, a := range tried {
		h := CallAttempt{At: a.At.UTC(), Result: a.Result, Label: a.Result.Label(), Source: a.Source, Note: a.Note, By: a.ByName, Undone: a.Undone}
		if !a.NextAt.IsZero() {
			h.NextAt = utc(&a.NextAt)
		}
		card.History = append(card.History, h)
	}
	return card, nil
}

// ErrNoCallback: nobody has to be called now.
var ErrNoCallback = fault.New(fault.Conflict, "NO_CALLBACK", "现在没有待回访的工单")

// ClaimCallback gives the actor the next call-back that nobody else has, the one they have already before a new one. For some
// minutes the others pass it over. It needs ticket.close at the desk; ErrNoCallback when none is due.
func (s *Service) ClaimCallback(ctx context.Context, actor access.Actor, key string) (CallbackCard, error) {
	if err := caller(actor); err != nil {
		return CallbackCard{}, err
	}
	now := s.clock.Now()
	var id int64
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.callback_claim", Key: key, Now: now}, func() (int64, error) {
			var rows []callbackRow
			q := callbacks(tx, visible(actor)).Where("cb.state = ?", CallbackOpen).
				Where("cb.claimed_by = ? AND cb.claimed_until > ? OR cb.next_at <= ? AND (cb.claimed_until IS NULL OR cb.claimed_until <= ?)", actor.UserID, now, now, now).
				OrderExpr("CASE WHEN cb.claimed_by = ? AND cb.claimed_until > ? THEN 0 ELSE 1 END, cb.rank, cb.next_at, cb.id", actor.UserID, now).Limit(1)
			if s.db.Kind() == database.Postgres {
				q = q.For("UPDATE OF cb SKIP LOCKED")
			}
			if err := q.Scan(ctx, &rows); err != nil {
				return 0, err
			}
			if len(rows) == 0 {
				return 0, ErrNoCallback
			}
			c := &rows[0].Callback
			c.ClaimedBy, c.ClaimedName, c.ClaimedUntil = actor.UserID, actor.Name, now.Add(claimFor)
			if err := saveCallback(ctx, tx, c); err != nil {
				return 0, err
			}
			return c.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.callback_claim", Object: Object, ObjectID: c.TicketID, Summary: "领取回访 " + rows[0].Number})
		})
		return err
	})
	if err != nil {
		return CallbackCard{}, fmt.Errorf("claim call-back: %w", err)
	}
	return s.Callback(ctx, actor, id)
}

// ReleaseCallback gives a claimed call-back back to the queue. One that is not the actor's is left as it is.
func (s *Service) ReleaseCallback(ctx context.Context, actor access.Actor, id int64) error {
	if err := caller(actor); err != nil {
		return err
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := database.Run(ctx, tx, "UPDATE ticket_callbacks SET claimed_by = NULL, claimed_name = '', claimed_until = NULL WHERE id = ? AND claimed_by = ?", id, actor.UserID)
		return err
	})
}
