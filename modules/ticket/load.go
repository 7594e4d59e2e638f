package ticket

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/bulk"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// Story is the life of one ticket that a bulk load tells: how it came in and each step after, in the order of time.
type Story struct {
	// Open is the request as it was sent. Nobody is asked for what it leaves out, so contact and company are given; files
	// are not loaded.
	Open  OpenTicket
	By    access.Actor
	At    time.Time
	Steps []StoryStep
}

// StoryStep is one action on the ticket of a story. Text is the answer, note, reason or opinion of the action.
type StoryStep struct {
	Action  Action
	By      access.Actor
	At      time.Time
	Text    string
	Unit    UnitInfo // of a dispatch
	Outcome *Outcome // of a call-back and of closing
	Rating  int
}

// LoadTables are the tables that a Teller writes.
var LoadTables = []string{"tickets", "ticket_hops", "ticket_clocks"}

// Teller turns stories into rows, as the commands would have left them at the time. Whether the actors had the right is not
// asked: who loads is the operator.
type Teller struct {
	// Told, when set, hears of each ticket that was told: its facts, and the clocks of its units that have stopped.
	Told func(id int64, facts []event.Event, spans []UnitSpan) error

	s     *Service
	load  *bulk.Load
	kinds map[string]typeRow
	days  map[string]int64
	rules *rules
}

// Teller makes the teller of a load. Begin the load after it.
func (s *Service) Teller(ctx context.Context) (*Teller, error) {
	t := &Teller{s: s, kinds: map[string]typeRow{}}
	kinds, err := typeRows(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		t.kinds[k.Code] = k
	}
	if t.rules, err = s.clockRules(ctx, s.db.Read()); err != nil {
		return nil, err
	}
	t.days, err = database.DrawnByDay(ctx, s.db.Read(), "ticket_numbers")
	return t, err
}

// Use gives the teller its load.
func (t *Teller) Use(l *bulk.Load) { t.load = l }

// Tell writes one story; stories come in the order of their At. A step that the state does not allow is an error.
func (t *Teller) Tell(story Story) error {
	agent := story.By.Party != access.Enterprise
	d, phone, err := draft(story.Open, agent)
	if err != nil {
		return err
	}
	kind, ok := t.kinds[d.Type]
	if !ok {
		return fmt.Errorf("ticket: no type %q", d.Type)
	}
	if !agent {
		d.UserID, d.EnterpriseID, d.EnterpriseName = story.By.UserID, story.By.EnterpriseID, story.Open.EnterpriseName
	}
	day := story.At.In(clock.Beijing).Format("20060102")
	t.days[day]++
	d.ID, d.Number = t.load.NextID("tickets"), fmt.Sprintf("GD%s-%06d", day, t.days[day])
	if d.Urgency == "" {
		d.Urgency = kind.Urgency
	}
	if d.Area, err = t.s.area(story.Open.Area, d.Title, d.Body); err != nil {
		return err
	}
	d.Status, d.Version, d.CreatedAt, d.DueAt = Received, 1, story.At, t.rules.due(d.Type, d.Urgency, PublicClock, story.At)
	d.OpenedBy, d.MovedAt = story.By.UserID, story.At
	t.s.keep(&d, phone)
	fact := Opened{Head: d.head(), Source: d.Source, EnterpriseName: d.EnterpriseName}
	first, err := t.load.Fact(story.By, story.At, 1, fact, openRecord(&d))
	if err != nil {
		return err
	}
	facts := []event.Event{first}
	b := &book{rules: t.rules}
	if err := b.fold(&d, nil, story.At, fact); err != nil {
		return err
	}
	var hops []*Hop
	for i, step := range story.Steps {
		e, hop, err := t.step(&d, hops, kind, step)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", step.Action, d.Number, err)
		}
		if hop != nil {
			hop.ID = t.load.NextID("ticket_hops")
			hops = append(hops, hop)
		}
		if err := t.clocks(b, &d, hops, step.At, e.fact(d.head())); err != nil {
			return err
		}
		d.Version++
		if d.MovedAt = step.At; d.Status == Void {
			d.MovedAt = time.Time{}
		}
		made, err := t.load.Fact(step.By, step.At, int64(i)+2, e.fact(d.head()), changeRecord(step.Action, &d, e))
		if err != nil {
			return err
		}
		facts = append(facts, made)
	}
	return t.keep(&d, hops, b, facts)
}

// keep writes the rows of a ticket whose story was told.
func (t *Teller) keep(d *Ticket, hops []*Hop, b *book, facts []event.Event) error {
	for _, h := range hops {
		if err := t.load.Add(h); err != nil {
			return err
		}
	}
	var spans []UnitSpan
	for _, c := range b.clocks {
		c.ID = t.load.NextID("ticket_clocks")
		if span, ok := c.span(); ok {
			spans = append(spans, span)
		}
		if err := t.load.Add(c); err != nil {
			return err
		}
	}
	if err := t.load.Add(d); err != nil || t.Told == nil {
		return err
	}
	return t.Told(d.ID, facts, spans)
}

// clocks folds the fact of a step into the clocks, as keepClocks does.
func (t *Teller) clocks(b *book, d *Ticket, hops []*Hop, at time.Time, fact event.Fact) error {
	asked, ofHop := needs(fact)
	if !asked {
		return nil
	}
	var lead *Hop
	if ofHop && len(hops) > 0 {
		lead = hops[len(hops)-1]
	}
	return b.fold(d, lead, at, fact)
}

// step takes one step and returns its effect and the dispatch it made, if any.
func (t *Teller) step(d *Ticket, hops []*Hop, kind typeRow, step StoryStep) (effect, *Hop, error) {
	longest, needed := maxNote, true
	switch step.Action {
	case ToAnswer, ToReply:
		longest = maxBody
	case ToDispatch, ToClose, ToRate, ToSign:
		needed = false
	}
	text, err := clean("text", "内容", step.Text, longest, needed)
	if err != nil {
		return effect{}, nil, err
	}
	lead := &Hop{}
	if len(hops) > 0 {
		lead = hops[len(hops)-1]
	}
	switch step.Action {
	case ToAnswer:
		return answered(text, nil), nil, d.Answer(text)
	case ToDecline:
		// A story tells no case: it lay outside the district.
		for _, r := range declineReasons {
			if r.Code == "elsewhere" {
				told := declineWords(r.Name, text, r.Route)
				return declined(told, r.Code, r.Route), nil, d.Decline(step.At, told)
			}
		}
	case ToDispatch:
		hop, err := d.Dispatch(step.At, from(step.By), step.Unit, text)
		hop.sent(step.By)
		return dispatched(step.Unit, hop, text, nil), &hop, err
	case ToSign:
		return signed(), nil, d.Sign(step.At, lead)
	case ToReply:
		return replied(text, nil), nil, d.Report(step.At, lead, text)
	case ToCallBack:
		if step.Outcome == nil {
			return effect{}, nil, ErrOutcome
		}
		return calledBack(*step.Outcome, text), nil, d.CallBack()
	case ToClose:
		return closed(step.Outcome, text), nil, d.Close(step.At, step.Outcome, text)
	case ToReopen:
		old := d.DueAt.UTC()
		hop, err := d.Reopen(step.At, kind.Hours, from(step.By), text)
		hop.sent(step.By)
		return reopened(old, text, nil, nil), &hop, err
	case ToVoid:
		for _, h := range hops {
			if h.State == HopSent || h.State == HopSigned {
				h.State = HopEnded
			}
		}
		return voided(text), nil, d.Void(step.At)
	case ToRate:
		return rated(Judgement{Level: step.Rating, Words: text}), nil, d.Rate(step.Rating, nil, text)
	}
	return effect{}, nil, fault.ErrNotFound
}

// Finish keeps the numbers that were given out. It is called before the load is finished.
func (t *Teller) Finish() error {
	for day, last := range t.days {
		if err := t.load.Drawn("ticket_numbers", day, last); err != nil {
			return err
		}
	}
	return nil
}
