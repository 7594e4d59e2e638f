package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/worktime"
)

// RuleRef names the rule of timed closing, and its version, that an act followed.
type RuleRef struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"`
	Name    string `json:"name"`
}

// Lapsed is announced when a rule of timed closing does something other than close or archive: it takes a dispatch back that
// nobody signed (recall), presses the unit (remind) or tells the desk (report).
type Lapsed struct {
	Head
	Rule   RuleRef `json:"rule"`
	Action string  `json:"action"`
	Hop    Given   `json:"hop,omitzero"` // of a recall
	Reason string  `json:"reason"`
}

// Event names the fact.
func (f Lapsed) Event() (string, string, int64) { return "ticket.lapsed", Object, f.ID }

// Where a rule looks: a state of the ticket, or of its call-back.
const (
	whereUnreached = "unreached"
	whereSpared    = "spared"
)

// expireRow is a rule of timed closing.
type expireRow struct {
	bun.BaseModel `bun:"table:ticket_expire_rules,alias:xr"`

	ID      int64      `bun:"id,pk,autoincrement"`
	Name    string     `bun:"name,notnull"`
	State   string     `bun:"state,notnull"`
	Days    int        `bun:"days,notnull"` // working days without a step; 0 at once
	Action  string     `bun:"action,notnull"`
	Reason  string     `bun:"reason,notnull"`
	Enabled bool       `bun:"enabled,notnull"`
	Version int64      `bun:"version,notnull"`
	SetAt   *time.Time `bun:"set_at"`
	SetBy   string     `bun:"set_by,notnull"`
}

func (r *expireRow) ref() RuleRef { return RuleRef{r.ID, r.Version, r.Name} }

// actRow is what a rule did. There is one for each rule and version of a ticket: whatever the number of processes, it is done once.
type actRow struct {
	bun.BaseModel `bun:"table:ticket_expire_acts,alias:xa"`

	ID            int64      `bun:"id,pk,autoincrement"`
	RuleID        int64      `bun:"rule_id,notnull"`
	RuleVersion   int64      `bun:"rule_version,notnull"`
	RuleName      string     `bun:"rule_name,notnull"`
	Action        string     `bun:"action,notnull"`
	TicketID      int64      `bun:"ticket_id,notnull"`
	TicketVersion int64      `bun:"ticket_version,notnull"` // before the act
	Number        string     `bun:"number,notnull"`
	Since         time.Time  `bun:"since,notnull"` // of the step after which nothing happened
	At            time.Time  `bun:"at,notnull"`
	UndoneAt      *time.Time `bun:"undone_at"`
}

// Idle is a ticket that a rule concerns now.
type Idle struct {
	TicketID int64     `json:"ticketId" bun:"id"`
	Number   string    `json:"number" bun:"number"`
	Title    string    `json:"title" bun:"title"`
	UnitName string    `json:"unitName" bun:"unit_name"`
	Since    time.Time `json:"since" bun:"since"`
	Due      time.Time `json:"due" bun:"-" doc:"When the rule's time was over."`
	version  int64
}

// idlePage is how many tickets one look of a rule takes.
const idlePage = 100

// idle lists tickets a rule concerns, those that have waited longest first, after a position.
func (s *Service) idle(ctx context.Context, db bun.IDB, r *expireRow, scopes []scope, cal *worktime.Calendar, now, after time.Time, afterID int64) ([]Idle, error) {
	var rows []struct {
		Idle
		Version int64 `bun:"version"`
	}
	q := db.NewSelect().TableExpr("tickets AS t").ColumnExpr("t.id, t.number, t.title, t.unit_name, t.version, t.moved_at AS since").
		Where("t.moved_at <= ?", now.AddDate(0, 0, -r.Days)).Where("(t.moved_at, t.id) > (?, ?)", after, afterID).
		Where("NOT EXISTS (SELECT 1 FROM ticket_expire_acts AS xa WHERE xa.rule_id = ? AND xa.ticket_id = t.id AND xa.ticket_version = t.version)", r.ID)
	switch r.State {
	case whereUnreached:
		q = q.Where("t.status = ?", Calling).Where("EXISTS (SELECT 1 FROM ticket_callbacks AS cb WHERE cb.ticket_id = t.id AND cb.round = t.round AND cb.state = ?)", CallbackUnreached)
	case whereSpared:
		q = q.Where("t.status IN (?, ?)", Reported, Reviewed).Where("EXISTS (SELECT 1 FROM ticket_callbacks AS cb WHERE cb.ticket_id = t.id AND cb.round = t.round AND cb.state = ?)", CallbackSpared)
	default:
		q = q.Where("t.status = ?", r.State)
	}
	if err := narrow(q, scopes).OrderExpr("t.moved_at, t.id").Limit(idlePage).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("tickets of rule %d: %w", r.ID, err)
	}
	out := make([]Idle, 0, len(rows))
	for _, row := range rows {
		i := row.Idle
		i.version, i.Since, i.Due = row.Version, i.Since.UTC(), i.Since.UTC()
		if r.Days > 0 {
			i.Due, _ = worktime.Due(i.Since, worktime.Budget{Amount: r.Days, Unit: worktime.WorkingDays}, cal, nil)
		}
		out = append(out, i)
	}
	return out, nil
}

// Expire does what the rules of timed closing say, each act exactly once whatever the number of processes, and returns how many
// there were. Only the system may.
func (s *Service) Expire(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	var rules []expireRow
	if err := s.db.Read().NewSelect().Model(&rules).Where("xr.enabled").OrderExpr("xr.id").Limit(100).Scan(ctx); err != nil {
		return 0, err
	}
	r, err := s.clockRules(ctx, s.db.Read())
	if err != nil {
		return 0, err
	}
	total := 0
	for i := range rules {
		n, err := s.expireRule(ctx, actor, &rules[i], r.calendar)
		total += n
		if err != nil {
			return total, fmt.Errorf("rule %d: %w", rules[i].ID, err)
		}
	}
	return total, nil
}

func (s *Service) expireRule(ctx context.Context, actor access.Actor, rule *expireRow, cal *worktime.Calendar) (int, error) {
	now, n := s.clock.Now(), 0
	var after time.Time
	var afterID int64
	for ctx.Err() == nil {
		list, err := s.idle(ctx, s.db.Read(), rule, visible(actor), cal, now, after, afterID)
		if err != nil {
			return n, err
		}
		for _, i := range list {
			after, afterID = i.Since, i.TicketID
			if i.Due.After(now) {
				continue
			}
			done, err := s.expireOne(ctx, actor, rule, i)
			if err != nil && fault.KindOf(err) != fault.Conflict { // somebody was faster, or the ticket cannot end now
				return n, err
			}
			if done && err == nil {
				n++
			}
		}
		if len(list) < idlePage {
			return n, nil
		}
	}
	return n, ctx.Err()
}

// expireOne does what the rule says about one ticket, unless the ticket or the rule is another one by now.
func (s *Service) expireOne(ctx context.Context, actor access.Actor, rule *expireRow, i Idle) (done bool, err error) {
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done = false
		now := s.clock.Now()
		same, err := tx.NewSelect().Model((*expireRow)(nil)).Where("xr.id = ? AND xr.version = ? AND xr.enabled", rule.ID, rule.Version).Exists(ctx)
		if err != nil || !same {
			return err
		}
		t, err := find(ctx, tx, visible(actor), i.TicketID)
		if errors.Is(err, ErrNotFound) || err == nil && t.Version != i.version {
			return nil
		} else if err != nil {
			return err
		}
		row := actRow{RuleID: rule.ID, RuleVersion: rule.Version, RuleName: rule.Name, Action: rule.Action, TicketID: t.ID, TicketVersion: t.Version, Number: t.Number, Since: i.Since, At: now}
		err = database.Changed(tx.NewInsert().Model(&row).ExcludeColumn("id").On("CONFLICT (rule_id, ticket_id, ticket_version) DO NOTHING").Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return nil
		} else if err != nil {
			return err
		}
		done = true
		return s.enact(ctx, tx, actor, now, rule, t)
	})
	if err != nil {
		return false, fmt.Errorf("ticket %d: %w", i.TicketID, err)
	}
	return done, nil
}

// enact takes the step of a rule.
func (s *Service) enact(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, rule *expireRow, t *Ticket) error {
	ref := rule.ref()
	switch rule.Action {
	case "archive":
		return s.step(ctx, tx, actor, s.clock.Now(), ToArchive, t, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
			return effect{fact: func(h Head) event.Fact { return PutAway{Head: h, Rule: &ref} }, summary: "按规则“" + rule.Name + "”归档"}, t.Archive()
		})
	case "close":
		return s.expireClose(ctx, tx, actor, now, rule, t)
	case "recall":
		return s.step(ctx, tx, actor, s.clock.Now(), lapse, t, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
			h, err := leadHop(ctx, tx, t.ID)
			if err != nil {
				return effect{}, err
			}
			g := given(h)
			e := effect{fact: func(head Head) event.Fact { return Lapsed{head, ref, "recall", g, rule.Reason} }, summary: "按规则“" + rule.Name + "”收回"}
			if err := t.move(lapse); err != nil {
				return e, err
			}
			h.State = HopEnded
			t.place(UnitInfo{})
			if err := dropRequests(ctx, tx, t.ID, h.ID); err != nil {
				return e, err
			}
			return e, saveHop(ctx, tx, h)
		})
	}
	// Nothing moves: whoever works on the ticket is not held up.
	fact := Lapsed{Head: t.head(), Rule: ref, Action: rule.Action, Reason: rule.Reason}
	if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.lapse", Object: Object, ObjectID: t.ID, Summary: "按规则“" + rule.Name + "”提醒 " + t.Number, Detail: ref})
}

func (s *Service) expireClose(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, rule *expireRow, t *Ticket) error {
	ref := rule.ref()
	action := ToClose
	if t.Status == OnHold {
		action = lapse
	}
	return s.step(ctx, tx, actor, s.clock.Now(), action, t, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		f := Closed{Note: rule.Reason, Rule: &ref}
		e := effect{fact: func(h Head) event.Fact { f.Head = h; return f }, summary: "按规则“" + rule.Name + "”办结", detail: ref}
		switch {
		case t.Status == OnHold:
			if err := s.whole(ctx, tx, t, "办结"); err != nil {
				return e, err
			}
			if err := t.move(lapse); err != nil {
				return e, err
			}
			t.ClosedAt = &now
			if err := dropRequests(ctx, tx, t.ID, 0); err != nil {
				return e, err
			}
			_, err := tx.NewUpdate().Model((*Hop)(nil)).Set("state = ?", HopEnded).Where("ticket_id = ? AND state IN (?, ?)", t.ID, HopSent, HopSigned).Exec(ctx)
			return e, err
		case rule.State == whereUnreached:
			c, err := callbackOf(ctx, tx, t.ID, t.Round)
			if err != nil {
				return e, err
			}
			f.Outcome = &Outcome{}
			if c != nil {
				f.Told = &Told{Result: c.Result, Source: c.Source}
			}
			return e, t.Close(now, f.Outcome, rule.Reason)
		}
		return e, t.CloseUncalled(now)
	})
}

func (s *Service) expiring() jobs.Task {
	return jobs.Task{Name: "ticket.expire", Title: "异常流程定时处理", Every: 10 * time.Minute,
		Failure: "到期的异常流程没有自动处理；请查看失败原因，恢复后会接着处理。",
		Run: func(ctx context.Context) error {
			n, err := s.Expire(ctx, access.SystemActor("job:ticket.expire"))
			if n > 0 {
				jobs.Note(ctx, "处理 %d 件", n)
			}
			return err
		}}
}
