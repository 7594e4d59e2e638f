package ticket

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// Then says what follows a call-back that was not good.
type Then string

// What may follow.
const (
	ThenClose  Then = "close"  // the ticket ends although
	ThenReopen Then = "reopen" // the unit does it again
)

// roundsByItself is how often a requester who is not satisfied has the ticket done again without a person deciding so.
const roundsByItself = 1

// RecordCallback is what one attempt to reach the requester brought.
type RecordCallback struct {
	Ref
	Result CallResult
	// Responded, Solved and Level (1 to 5) are told of a requester who was reached.
	Responded *bool
	Solved    *bool
	Level     int
	Tags      []string
	Words     string
	NextAt    *time.Time // when to call again; nil leaves it to the plan of the type
	// Then is needed when the requester is not satisfied.
	Then   Then
	UnitID int64 // of ThenReopen: another unit than the last
}

func (c *RecordCallback) check(now time.Time) error {
	var errs []error
	if callResults[c.Result] == "" {
		errs = append(errs, fault.InvalidField("result", "CALL_RESULT", "请选择回访结果：接通、无人接听、拒访或空号错号"))
	}
	var err error
	if c.Words, err = clean("words", "回访情况", c.Words, maxNote, false); err != nil {
		errs = append(errs, err)
	}
	if c.Result == CallReached {
		if c.Solved == nil {
			errs = append(errs, fault.InvalidField("solved", "CALL_SOLVED", "请登记诉求是否解决"))
		}
		if LevelLabel(c.Level) == "" {
			errs = append(errs, fault.InvalidField("level", "CALL_LEVEL", "请登记满意程度，共五档"))
		}
	} else {
		c.Responded, c.Solved, c.Level, c.Tags = nil, nil, 0, nil
	}
	if c.NextAt != nil && (c.NextAt.Before(now) || c.NextAt.After(now.AddDate(0, 1, 0))) {
		errs = append(errs, fault.InvalidField("nextAt", "CALL_NEXT", "下次回访时间须在一个月以内，且晚于现在"))
	}
	if len(c.Tags) > 10 || slices.ContainsFunc(c.Tags, func(t string) bool { return t == "" || utf8.RuneCountInString(t) > 20 || !utf8.ValidString(t) }) {
		errs = append(errs, fault.InvalidField("tags", "CALL_TAGS", "标签最多 10 个，每个不超过 20 个字"))
	}
	return fault.Merge(errs...)
}

func (c *RecordCallback) told() *Told {
	return &Told{Result: c.Result, Source: CallByPhone, Responded: c.Responded, Level: c.Level, Tags: c.Tags}
}

// outcome is what the call found; nil for one that reached nobody.
func (c *RecordCallback) outcome() *Outcome {
	if c.Result != CallReached {
		return &Outcome{}
	}
	return &Outcome{Contacted: true, Solved: *c.Solved, Satisfied: c.Level >= satisfiedFrom}
}

// RecordCallback keeps one attempt: a satisfied requester ends the ticket, one who is not has it done again under a second
// clock, nobody reached puts it back into the queue until the attempts of its type are used up. Errors as Close, with
// ticket.close, and ticket.reopen to have it done again; every wrong field is told.
func (s *Service) RecordCallback(ctx context.Context, actor access.Actor, cmd RecordCallback) (View, error) {
	if err := cmd.check(s.clock.Now()); err != nil {
		return View{}, err
	}
	o := cmd.outcome()
	if cmd.Result != CallReached {
		return s.change(ctx, actor, ToCallBack, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
			return cmd.again(*o), t.CallBack()
		})
	}
	if o.Good() || cmd.Then == ThenClose {
		return s.change(ctx, actor, ToClose, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
			return effect{fact: func(h Head) event.Fact { return Closed{Head: h, Outcome: o, Note: cmd.Words, Told: cmd.told()} }, summary: "回访并办结", detail: o},
				t.Close(s.clock.Now(), o, cmd.Words)
		})
	}
	if cmd.Then != ThenReopen {
		return View{}, fault.InvalidField("then", "CALL_THEN", "诉求未解决或不满意，请选择退回重办，或写明情况后办结")
	}
	reason := cmd.Words
	if reason == "" {
		reason = "回访结果为" + LevelLabel(cmd.Level)
	}
	return s.change(ctx, actor, ToReopen, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		return s.doAgain(ctx, tx, actor, t, cmd.UnitID, reason, o, cmd.told())
	})
}

func (c *RecordCallback) again(o Outcome) effect {
	return effect{fact: func(h Head) event.Fact {
		return CalledBack{Head: h, Outcome: o, Note: c.Words, Told: c.told(), NextAt: c.NextAt}
	}, summary: "登记回访", detail: o}
}

// doAgain has the ticket done again, by the unit that is named or the last one.
func (s *Service) doAgain(ctx context.Context, tx bun.Tx, actor access.Actor, t *Ticket, unitID int64, reason string, o *Outcome, told *Told) (effect, error) {
	kind, err := typeOf(ctx, tx, t.Type)
	if err != nil {
		return effect{}, err
	}
	if t.Status == Done {
		if err := s.settled(ctx, tx, t, "重办"); err != nil {
			return effect{}, err
		}
	}
	if t.Allows(ToReopen) && unitID == 0 && t.UnitID == 0 {
		return effect{}, fault.InvalidField("unitId", "TICKET_UNIT", "该工单此前由受理席答复，请选择由哪个单位重办")
	}
	if t.Allows(ToReopen) && unitID != 0 && unitID != t.UnitID {
		unit, err := s.unit(ctx, tx, "unitId", unitID)
		if err != nil {
			return effect{}, err
		}
		t.place(unit)
	}
	old := t.DueAt.UTC()
	hop, err := t.Reopen(s.clock.Now(), kind.Hours, from(actor), reason)
	if err != nil {
		return effect{}, err
	}
	hop.sent(actor)
	if _, err := tx.NewInsert().Model(&hop).Exec(ctx); err != nil {
		return effect{}, err
	}
	return reopened(old, reason, o, told), nil
}

// judged is what follows the requester's own judgement of a reply that nobody called about yet: it counts as the call-back. After
// the end of the ticket a bad one has it done again, when nobody had spoken with the requester before the end.
func (s *Service) judged(ctx context.Context, tx bun.Tx, t *Ticket, j Judgement, solved bool, responded *bool) error {
	if t.Status == Done {
		if bad := !solved || j.Level < satisfiedFrom; !bad {
			return nil
		}
		if again, err := s.unasked(ctx, tx, t); err != nil || !again {
			return err
		}
	} else if !t.callable() {
		return nil
	}
	words := j.said()
	if words == "" {
		words = "企业自行评价：" + LevelLabel(j.Level)
	}
	return s.settle(ctx, tx, t, &Told{Result: CallReached, Source: CallByRequester, Responded: responded, Level: j.Level}, solved, words)
}

// unasked reports whether a closed ticket is done again because its requester says so: within the days a judgement has, once, when
// nobody had reached them about the reply, and nothing is appealed against.
func (s *Service) unasked(ctx context.Context, tx bun.Tx, t *Ticket) (bool, error) {
	if t.Round >= roundsByItself || t.ClosedAt == nil || s.clock.Now().After(t.ClosedAt.AddDate(0, 0, JudgeDays)) {
		return false, nil
	}
	c, err := callbackOf(ctx, tx, t.ID, t.Round)
	if err != nil || !c.silent() {
		return false, err
	}
	rows, err := requestsOf(ctx, tx, t.ID)
	return !slices.ContainsFunc(rows, func(r Request) bool { return r.Pending() }), err
}

// VoiceCallback keeps what the requester pressed when a machine called them about the reply, 1 to 5 with 5 the best, in the
// transaction of whoever took the call in. Only the system may. A number that no ticket has, and one whose ticket waits for no
// call-back, is ErrNotFound.
func (s *Service) VoiceCallback(ctx context.Context, tx bun.Tx, actor access.Actor, number string, level int) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	if LevelLabel(level) == "" {
		return fault.InvalidField("level", "CALL_LEVEL", "满意程度应为 1 至 5")
	}
	var id int64
	if err := database.Found(database.QueryOne(ctx, tx, []any{&id}, "SELECT id FROM tickets WHERE number = ?", number)); err != nil {
		return err
	}
	t, err := find(ctx, tx, visible(actor), id)
	if err != nil {
		return err
	}
	if !t.callable() {
		return fault.ErrNotFound
	}
	return s.settle(ctx, tx, t, &Told{Result: CallReached, Source: CallByVoice, Level: level}, level >= satisfiedFrom, "语音回访："+LevelLabel(level))
}

// settle has follow what a call-back without a person at the desk brought: a good one ends the ticket, the first bad one has it
// done again, and a further one is left to a person.
func (s *Service) settle(ctx context.Context, tx bun.Tx, t *Ticket, told *Told, solved bool, note string) error {
	o := &Outcome{Contacted: true, Solved: solved, Satisfied: told.Level >= satisfiedFrom}
	system := access.SystemActor("ticket.callback")
	now := s.clock.Now()
	switch {
	case o.Good():
		return s.step(ctx, tx, system, now, ToClose, t, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
			return effect{fact: func(h Head) event.Fact { return Closed{Head: h, Outcome: o, Note: note, Told: told} }, summary: "企业评价后办结", detail: o},
				t.Close(now, o, note)
		})
	case t.Round < roundsByItself:
		return s.step(ctx, tx, system, now, ToReopen, t, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
			return s.doAgain(ctx, tx, system, t, 0, note, o, told)
		})
	}
	return s.step(ctx, tx, system, now, ToCallBack, t, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
		return effect{fact: func(h Head) event.Fact { return CalledBack{Head: h, Outcome: *o, Note: note, Told: told} }, summary: "登记企业评价", detail: o}, t.CallBack()
	})
}
