package ticket

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/worktime"
)

// CallbackState is where a call-back stands.
type CallbackState string

// The states of a call-back.
const (
	CallbackOpen      CallbackState = "open"
	CallbackUnreached CallbackState = "unreached" // the attempts are used up; the ticket waits for its end by rule or by hand
	CallbackSpared    CallbackState = "spared"    // not in the sample of its type
	CallbackDone      CallbackState = "done"
	CallbackDropped   CallbackState = "dropped" // the reply it was about was taken back
)

// CallResult is how an attempt to reach the requester ended.
type CallResult string

// The results of an attempt.
const (
	CallReached  CallResult = "reached"
	CallNoAnswer CallResult = "no_answer"
	CallRefused  CallResult = "refused"
	CallWrong    CallResult = "wrong_number"
)

var callResults = map[CallResult]string{CallReached: "接通", CallNoAnswer: "无人接听", CallRefused: "拒访", CallWrong: "空号错号"}

// Label is the Chinese word of the result.
func (r CallResult) Label() string { return callResults[r] }

// CallSource is who or what asked the requester.
type CallSource string

// The sources.
const (
	CallByPhone     CallSource = "phone" // an agent
	CallByVoice     CallSource = "voice" // the automatic call
	CallByRequester CallSource = "requester"
)

var levels = []string{"", "非常不满意", "不满意", "基本满意", "满意", "非常满意"}

// LevelLabel is the word of one of the five levels of satisfaction, 1 the lowest; "" for none.
func LevelLabel(level int) string {
	if level < 1 || level >= len(levels) {
		return ""
	}
	return levels[level]
}

// satisfiedFrom is the lowest level that counts as satisfied.
const satisfiedFrom = 3

// Told is what a call-back found beyond its outcome, as the facts keep it.
type Told struct {
	Result CallResult `json:"result"`
	Source CallSource `json:"source"`
	// Responded: the unit had been in touch with the requester before. Nil when nobody asked.
	Responded *bool    `json:"responded,omitempty"`
	Level     int      `json:"level,omitempty"`
	Tags      []string `json:"tags,omitempty"`
}

// words are what the timeline adds to the step.
func (t *Told) words() string {
	if t == nil {
		return ""
	}
	source := map[CallSource]string{CallByVoice: "语音回访", CallByRequester: "企业自评"}[t.Source]
	what := LevelLabel(t.Level)
	if what == "" {
		what = t.Result.Label()
	}
	if source != "" {
		what = source + " " + what
	}
	return "（" + what + "）"
}

// Callback is one call-back: each ticket has its own after each reply, also one that was merged into another.
type Callback struct {
	bun.BaseModel `bun:"table:ticket_callbacks,alias:cb"`

	ID       int64         `bun:"id,pk,autoincrement"`
	TicketID int64         `bun:"ticket_id,notnull"`
	Round    int           `bun:"round,notnull"`
	State    CallbackState `bun:"state,notnull"`
	Type     string        `bun:"type_code,notnull"`
	// Rank orders the queue: 0 is called first, an urgent request or one that was done again.
	Rank    int  `bun:"rank,notnull"`
	Sampled bool `bun:"sampled,notnull"`
	// DueAt is when the call should have been made, the end of the working day after the reply; NextAt when to call next.
	DueAt        time.Time  `bun:"due_at,notnull"`
	NextAt       time.Time  `bun:"next_at,notnull"`
	Attempts     int        `bun:"attempts,notnull"`
	ClaimedBy    int64      `bun:"claimed_by,nullzero"`
	ClaimedName  string     `bun:"claimed_name,notnull"`
	ClaimedUntil time.Time  `bun:"claimed_until,nullzero"`
	Result       CallResult `bun:"result,notnull"`
	Source       CallSource `bun:"source,notnull"`
	Responded    *bool      `bun:"responded"`
	Solved       *bool      `bun:"solved"`
	Level        int        `bun:"level,notnull"`
	Tags         string     `bun:"tags,notnull"` // []string as JSON
	Words        string     `bun:"words,notnull"`
	ByID         int64      `bun:"by_id,nullzero"`
	ByName       string     `bun:"by_name,notnull"`
	DoneAt       *time.Time `bun:"done_at"`
	CreatedAt    time.Time  `bun:"created_at,notnull"`
}

// attemptRow is one call that was tried.
type attemptRow struct {
	bun.BaseModel `bun:"table:ticket_callback_attempts,alias:ca"`

	ID         int64      `bun:"id,pk,autoincrement"`
	CallbackID int64      `bun:"callback_id,notnull"`
	TicketID   int64      `bun:"ticket_id,notnull"`
	At         time.Time  `bun:"at,notnull"`
	Result     CallResult `bun:"result,notnull"`
	Source     CallSource `bun:"source,notnull"`
	Note       string     `bun:"note,notnull"`
	ByID       int64      `bun:"by_id,nullzero"`
	ByName     string     `bun:"by_name,notnull"`
	NextAt     time.Time  `bun:"next_at,nullzero"`
	Undone     bool       `bun:"undone,notnull"`
}

// callable reports whether the requester may be called about the ticket now.
func (t *Ticket) callable() bool {
	return t.Status == Reported && !t.ReviewDue || t.Status == Reviewed || t.Status == Calling
}

// silent reports whether the call-back is over and nobody spoke with the requester.
func (c *Callback) silent() bool {
	return c != nil && c.State == CallbackDone && c.Result != CallReached
}

// sampled reports whether a ticket is in the sample of a share in percent. It depends on number and round alone, so that
// anybody can reproduce it.
func sampled(number string, round, share int) bool {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", number, round))
	return int(binary.BigEndian.Uint32(sum[:4])%100) < share // #nosec G115 -- below 100
}

// callbackOf reads the call-back of the ticket's present round, nil when there is none.
func callbackOf(ctx context.Context, db bun.IDB, ticketID int64, round int) (*Callback, error) {
	c := new(Callback)
	err := db.NewSelect().Model(c).Where("cb.ticket_id = ? AND cb.round = ?", ticketID, round).Scan(ctx)
	if err = database.Found(err); errors.Is(err, fault.ErrNotFound) {
		return nil, nil
	}
	return c, err
}

func saveCallback(ctx context.Context, tx bun.Tx, c *Callback) error {
	_, err := tx.NewUpdate().Model(c).ExcludeColumn("id", "ticket_id", "round", "created_at").WherePK().Exec(ctx)
	return err
}

// keepCallback brings the call-back of a ticket to what a fact makes of it, in the transaction of the fact.
func (s *Service) keepCallback(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, fact event.Fact) error {
	switch f := fact.(type) {
	case Replied, ReviewPassed:
		if !t.callable() {
			return nil
		}
		return s.planCallback(ctx, tx, now, t)
	case CalledBack:
		return s.noteAttempt(ctx, tx, actor, now, t, f)
	case Closed:
		return s.endCallback(ctx, tx, actor, now, t, t.Round, f.Outcome, f.Told, f.Note)
	case Reopened:
		if f.Outcome == nil { // done again without a word about the call: nobody is content who asks for that
			f.Outcome = &Outcome{Contacted: true}
		}
		if c, err := callbackOf(ctx, tx, t.ID, t.Round-1); err != nil || c == nil || c.State == CallbackDone && (c.Result == CallReached || f.Told == nil) {
			return err // it had ended: what was found then stays
		}
		return s.endCallback(ctx, tx, actor, now, t, t.Round-1, f.Outcome, f.Told, f.Note)
	case Undone:
		if err := mendEvidence(ctx, tx, t, f.Kind); err != nil {
			return err
		}
		if err := mendExpire(ctx, tx, now, t); err != nil {
			return err
		}
		return s.mendCallback(ctx, tx, now, t, f.Kind)
	}
	return nil
}

// planCallback puts the ticket into the queue, due by the end of the next working day.
func (s *Service) planCallback(ctx context.Context, tx bun.Tx, now time.Time, t *Ticket) error {
	plan, err := planOf(ctx, tx, t.Type)
	if err != nil {
		return err
	}
	r, err := s.clockRules(ctx, tx)
	if err != nil {
		return err
	}
	due, _ := worktime.Due(now, worktime.Budget{Amount: 1, Unit: worktime.WorkingDays}, r.calendar, nil)
	c := Callback{
		TicketID: t.ID, Round: t.Round, State: CallbackOpen, Type: t.Type, Rank: 1, Sampled: true, DueAt: due, NextAt: now, Tags: noPauses, CreatedAt: now,
	}
	if t.Urgency != Normal || t.Round > 0 {
		c.Rank = 0
	} else if c.Sampled = sampled(t.Number, t.Round, plan.Share); !c.Sampled {
		c.State = CallbackSpared
	}
	_, err = tx.NewInsert().Model(&c).ExcludeColumn("id").On("CONFLICT (ticket_id, round) DO UPDATE").
		Set("state = EXCLUDED.state, due_at = EXCLUDED.due_at, next_at = EXCLUDED.next_at, result = '', done_at = NULL, claimed_by = NULL, claimed_until = NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("plan call-back of ticket %d: %w", t.ID, err)
	}
	return nil
}

// noteAttempt keeps a call that did not settle the ticket, and says when to call next.
func (s *Service) noteAttempt(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, f CalledBack) error {
	c, err := callbackOf(ctx, tx, t.ID, t.Round)
	if err != nil {
		return err
	}
	if c == nil { // replied to before call-backs had rows
		if err := s.planCallback(ctx, tx, now, t); err != nil {
			return err
		}
		if c, err = callbackOf(ctx, tx, t.ID, t.Round); err != nil || c == nil {
			return err
		}
	}
	plan, err := planOf(ctx, tx, t.Type)
	if err != nil {
		return err
	}
	told := f.told()
	c.Attempts++
	c.ClaimedBy, c.ClaimedName, c.ClaimedUntil = 0, "", time.Time{}
	c.State, c.Result, c.Source = CallbackOpen, told.Result, told.Source
	final := told.Result == CallWrong || told.Result == CallRefused
	switch {
	case f.NextAt != nil:
		c.NextAt = *f.NextAt
	case told.Result != CallReached && (final || c.Attempts >= plan.Attempts):
		c.State, c.NextAt = CallbackUnreached, now
	default:
		r, err := s.clockRules(ctx, tx)
		if err != nil {
			return err
		}
		c.NextAt, _ = worktime.Due(now, worktime.Budget{Amount: plan.RetryMinutes, Unit: worktime.WorkingMinutes}, r.calendar, nil)
	}
	if told.Result == CallReached && f.NextAt == nil { // somebody has to speak with them again: first
		c.Rank, c.NextAt = 0, now
	}
	a := attemptRow{CallbackID: c.ID, TicketID: t.ID, At: now, Result: told.Result, Source: told.Source, Note: f.Note, ByID: actor.UserID, ByName: actor.Name}
	if c.State == CallbackOpen {
		a.NextAt = c.NextAt
	}
	if _, err := tx.NewInsert().Model(&a).ExcludeColumn("id").Exec(ctx); err != nil {
		return err
	}
	return saveCallback(ctx, tx, c)
}

// endCallback keeps what was found when the ticket was closed or given to be done again.
func (s *Service) endCallback(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, round int, o *Outcome, told *Told, words string) error {
	c, err := callbackOf(ctx, tx, t.ID, round)
	if err != nil || c == nil {
		return err
	}
	if told == nil && o != nil { // an outcome without levels
		told = &Told{Result: CallReached, Source: CallByPhone, Level: 2}
		if !o.Contacted {
			told.Result, told.Level = CallNoAnswer, 0
		} else if o.Satisfied {
			told.Level = 4
		}
	}
	c.ClaimedBy, c.ClaimedName, c.ClaimedUntil = 0, "", time.Time{}
	c.State, c.DoneAt, c.ByID, c.ByName, c.Words = CallbackDone, &now, actor.UserID, actor.Name, words
	if told != nil {
		tags, err := json.Marshal(told.Tags)
		if err != nil {
			return err
		}
		c.Result, c.Source, c.Responded, c.Level, c.Tags = told.Result, told.Source, told.Responded, told.Level, string(tags)
		if told.Result == CallReached && o != nil {
			c.Solved = &o.Solved
		}
		if told.Source != CallByRequester && told.Result == CallReached {
			c.Attempts++
			a := attemptRow{CallbackID: c.ID, TicketID: t.ID, At: now, Result: told.Result, Source: told.Source, Note: words, ByID: actor.UserID, ByName: actor.Name}
			if _, err := tx.NewInsert().Model(&a).ExcludeColumn("id").Exec(ctx); err != nil {
				return err
			}
		}
	}
	return saveCallback(ctx, tx, c)
}

// mendCallback brings the queue to where the ticket stands after a step was undone.
func (s *Service) mendCallback(ctx context.Context, tx bun.Tx, now time.Time, t *Ticket, undone string) error {
	if _, err := database.Run(ctx, tx, "UPDATE ticket_callbacks SET state = ? WHERE ticket_id = ? AND round > ?", string(CallbackDropped), t.ID, t.Round); err != nil {
		return err
	}
	c, err := callbackOf(ctx, tx, t.ID, t.Round)
	if err != nil || c == nil && !t.callable() {
		return err
	}
	if c == nil {
		return s.planCallback(ctx, tx, now, t)
	}
	if t.callable() && (undone == "ticket.called_back" || undone == "ticket.closed" || undone == "ticket.reopened") {
		res, err := database.Run(ctx, tx, `UPDATE ticket_callback_attempts SET undone = TRUE WHERE id =
			(SELECT max(id) FROM ticket_callback_attempts WHERE callback_id = ? AND NOT undone) AND (result = 'reached' OR ? = 'ticket.called_back')`, c.ID, undone)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n > 0 && c.Attempts > 0 {
			c.Attempts--
		}
	}
	switch {
	case t.callable():
		c.State, c.Result, c.DoneAt, c.Solved, c.Level, c.NextAt = CallbackOpen, "", nil, nil, 0, now
		if !c.Sampled {
			c.State = CallbackSpared
		}
	case c.State != CallbackDone:
		c.State = CallbackDropped
	}
	return saveCallback(ctx, tx, c)
}

// told is what the fact says, also one from before call-backs told more than an outcome.
func (f CalledBack) told() Told {
	if f.Told != nil {
		return *f.Told
	}
	if f.Outcome.Contacted {
		return Told{Result: CallReached, Source: CallByPhone}
	}
	return Told{Result: CallNoAnswer, Source: CallByPhone}
}
