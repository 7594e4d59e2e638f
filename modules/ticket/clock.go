package ticket

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/worktime"
)

// ClockKind says what a clock measures.
type ClockKind string

// The kinds of clocks. The public clock and the one of a second round are those the requester is told of; the others belong to
// a dispatch.
const (
	PublicClock   ClockKind = "public"   // from receipt until the requester has an answer
	ReopenedClock ClockKind = "reopened" // the same, for a request that is done again
	SignClock     ClockKind = "sign"     // from dispatch until the unit signed
	HandleClock   ClockKind = "handle"   // from signing until the unit replied
	UrgeClock     ClockKind = "urge"     // from a reminder until the unit answered it
	// ReturnWindow is a budget without a clock: how long after signing a unit may still ask to give a ticket back.
	ReturnWindow ClockKind = "return"
)

var clockLabels = map[ClockKind]string{
	PublicClock: "办理时限", ReopenedClock: "重办时限", SignClock: "签收时限", HandleClock: "承办时限", UrgeClock: "催办答复时限", ReturnWindow: "退单申请时限",
}

// Label is the Chinese word of the kind.
func (k ClockKind) Label() string { return clockLabels[k] }

func (k ClockKind) public() bool { return k == PublicClock || k == ReopenedClock }

// Verdict says how a clock ended; empty while it runs.
type Verdict string

// The verdicts.
const (
	InTime   Verdict = "met"
	Late     Verdict = "late"
	Replaced Verdict = "replaced" // another round began
	Ended    Verdict = "ended"    // declined or voided: neither in time nor late
)

// Alert says how urgent a ticket's running clocks are, for lists.
type Alert string

// The alerts.
const (
	NoAlert   Alert = ""
	DueSoon   Alert = "due_soon" // 即将超时
	OverDue   Alert = "overdue"  // 已超时
	maxPauses       = 200
)

// Clock measures one span of a ticket against its budget. Its deadline follows from what is kept beside it: Explain reckons it
// again. While it stands still nothing becomes due.
type Clock struct {
	bun.BaseModel `bun:"table:ticket_clocks,alias:c"`

	ID        int64     `bun:"id,pk,autoincrement"`
	TicketID  int64     `bun:"ticket_id,notnull"`
	HopID     int64     `bun:"hop_id,nullzero"` // none on public clocks
	UnitID    int64     `bun:"unit_id,nullzero"`
	Kind      ClockKind `bun:"kind,notnull"`
	StartedAt time.Time `bun:"started_at,notnull"`
	// Amount and Unit are the budget as it was when the clock started; a change of budgets moves no running clock.
	Amount      int           `bun:"amount,notnull"`
	Unit        worktime.Unit `bun:"unit,notnull"`
	WarnPercent int           `bun:"warn_percent,notnull"` // share of the budget after which a warning is given; 0 is none
	// ExtraDays are the working days that were granted beside the budget.
	ExtraDays int `bun:"extra_days,notnull"`
	// Follows says that a unit was given more time than the public clock had, so that this one ends no sooner than the unit's.
	Follows bool `bun:"follows,notnull"`
	// Calendar is the version that the deadline was reckoned with.
	Calendar int64     `bun:"calendar,notnull"`
	DueAt    time.Time `bun:"due_at,notnull"`
	WarnAt   time.Time `bun:"warn_at,nullzero"`
	Pauses   string    `bun:"pauses,notnull"` // []worktime.Pause as JSON; the last may be open
	Paused   bool      `bun:"paused,notnull"`
	// NextAt is when somebody has to look at the clock again; none while it stands still, and once nothing more can come.
	NextAt     time.Time `bun:"next_at,nullzero"`
	WarnedAt   time.Time `bun:"warned_at,nullzero"`
	BreachedAt time.Time `bun:"breached_at,nullzero"`
	// Rung is how many steps of the ladder after a breach were taken.
	Rung      int       `bun:"rung,notnull"`
	StoppedAt time.Time `bun:"stopped_at,nullzero"`
	Verdict   Verdict   `bun:"verdict,notnull"`

	was time.Time // the deadline as it was read
}

func (c *Clock) running() bool { return c.StoppedAt.IsZero() }

func (c *Clock) budget() worktime.Budget { return worktime.Budget{Amount: c.Amount, Unit: c.Unit} }

func (c *Clock) pauses() ([]worktime.Pause, error) {
	var list []worktime.Pause
	if c.Pauses == noPauses {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(c.Pauses), &list); err != nil {
		return nil, fmt.Errorf("pauses of clock %d: %w", c.ID, err)
	}
	return list, nil
}

const noPauses = "[]"

func (c *Clock) keepPauses(list []worktime.Pause) error {
	raw, err := json.Marshal(list)
	c.Pauses = string(raw)
	return err
}

// reckon sets deadline and warning from the calendar. A clock that stands still keeps those it had.
func (c *Clock) reckon(cal *worktime.Calendar) error {
	pauses, err := c.pauses()
	if err != nil {
		return err
	}
	c.Calendar = cal.Number
	if c.Paused {
		return nil
	}
	b := c.budget()
	if b.Unit == worktime.WorkingDays {
		b.Amount += c.ExtraDays
	}
	c.DueAt, _ = worktime.Due(c.StartedAt, b, cal, pauses)
	if c.ExtraDays > 0 && b.Unit != worktime.WorkingDays {
		c.DueAt, _ = worktime.Due(c.DueAt, worktime.Budget{Amount: c.ExtraDays, Unit: worktime.WorkingDays}, cal, pauses)
	}
	c.WarnAt = time.Time{}
	if c.WarnPercent > 0 {
		c.WarnAt = worktime.Part(c.StartedAt, b, cal, pauses, c.WarnPercent)
	}
	if c.DueAt.IsZero() {
		return fmt.Errorf("clock %d of ticket %d: no end in calendar %d", c.ID, c.TicketID, cal.Number)
	}
	return nil
}

// book is the clocks of one ticket while a fact is folded in.
type book struct {
	rules  *rules
	clocks []*Clock // those that run, and those that began now
}

// start begins a clock.
func (b *book) start(t *Ticket, hop *Hop, kind ClockKind, now time.Time) {
	limit := b.rules.limit(t.Type, t.Urgency, kind)
	c := &Clock{
		TicketID: t.ID, Kind: kind, StartedAt: now, Amount: limit.Budget.Amount, Unit: limit.Budget.Unit, WarnPercent: limit.WarnPercent, Pauses: noPauses,
	}
	if hop != nil {
		c.HopID, c.UnitID = hop.ID, hop.UnitID
	}
	b.clocks = append(b.clocks, c)
}

// stop ends the running clocks that which names.
func (b *book) stop(now time.Time, verdict Verdict, which func(*Clock) bool) {
	for _, c := range b.clocks {
		if !c.running() || !which(c) {
			continue
		}
		c.StoppedAt, c.Paused, c.NextAt = now, false, time.Time{}
		if c.Verdict = verdict; verdict == InTime && now.After(c.DueAt) {
			c.Verdict = Late
		}
	}
}

func everyClock(*Clock) bool { return true }

func ofUnits(c *Clock) bool { return c.HopID != 0 }

func ofPublic(c *Clock) bool { return c.Kind.public() }

func ofHop(hop *Hop, kinds ...ClockKind) func(*Clock) bool {
	return func(c *Clock) bool {
		if hop == nil || c.HopID != hop.ID {
			return false
		}
		for _, k := range kinds {
			if c.Kind == k {
				return true
			}
		}
		return false
	}
}

// plain is the fact as the clocks know it.
func plain(fact event.Fact) event.Fact {
	switch f := fact.(type) {
	case Supplemented:
		return f.Resumed
	case extensionDecided:
		return f.ExtensionDecided
	}
	return fact
}

// needs says what a fact asks of the clocks: nothing, the running ones, and the hop it is about.
func needs(fact event.Fact) (clocks, hop bool) {
	switch f := fact.(type) {
	case Answered, Declined, Closed, Voided, Suspended, Resumed, Forwarded, PartSigned, PartAnswered, TaskReturned, Recalled, Joined, Parted, Classified:
		return true, false
	case ReturnDecided:
		return f.Granted, false
	case Lapsed:
		return f.Action == "recall", false
	case ReviewRefused:
		return true, true
	case Dispatched, Signed, Replied, Reopened, UrgeAnswered:
		return true, true
	case Urged:
		return f.Step == 0, f.Step == 0
	case ExtensionDecided:
		return f.Granted, f.Granted
	case Opened:
		return true, false
	}
	return false, false
}

// fold brings the clocks to what the fact makes of them. The hop is the one the fact is about; the deadlines of ticket and hop
// are set to those of their clocks.
func (b *book) fold(t *Ticket, hop *Hop, now time.Time, fact event.Fact) error {
	switch f := fact.(type) {
	case Opened:
		b.start(t, nil, PublicClock, now)
	case Dispatched:
		b.start(t, hop, SignClock, now)
		for _, g := range f.To {
			b.start(t, g.hop(), SignClock, now)
		}
	case Signed:
		b.stop(now, InTime, ofHop(hop, SignClock))
		b.start(t, hop, HandleClock, now)
	case Replied:
		b.stop(now, InTime, ofHop(hop, SignClock, HandleClock, UrgeClock))
	case Reopened:
		b.stop(now, Replaced, everyClock)
		b.start(t, nil, ReopenedClock, now)
		b.start(t, hop, SignClock, now)
	case Answered, Closed:
		b.stop(now, InTime, everyClock)
	case Declined, Voided:
		b.stop(now, Ended, everyClock)
	case Forwarded:
		for _, g := range f.To {
			b.start(t, g.hop(), SignClock, now)
		}
	case PartSigned:
		b.stop(now, InTime, ofHop(f.Hop.hop(), SignClock))
		b.start(t, f.Hop.hop(), HandleClock, now)
	case PartAnswered:
		b.stop(now, InTime, ofHop(f.Hop.hop(), SignClock, HandleClock))
	case TaskReturned:
		b.start(t, f.Hop.hop(), HandleClock, now)
	case ReviewRefused: // the unit's time does not begin anew
		since := now
		if hop != nil && hop.SignedAt != nil {
			since = *hop.SignedAt
		}
		b.start(t, hop, HandleClock, since)
	case Urged: // by a person: an older reminder that was not answered in time is over
		b.stop(now, InTime, ofHop(hop, UrgeClock))
		b.start(t, hop, UrgeClock, now)
	case UrgeAnswered:
		b.stop(now, InTime, ofHop(hop, UrgeClock))
	case Suspended:
		if err := b.pause(now, f.Reason, everyClock); err != nil {
			return err
		}
	case Joined: // the requester goes on waiting, or waits from now on; the units rest
		if f.Held {
			if err := b.resume(now, ofPublic); err != nil {
				return err
			}
		}
		if err := b.pause(now, "并入其他工单", ofUnits); err != nil {
			return err
		}
	case Resumed:
		if err := b.resume(now, everyClock); err != nil {
			return err
		}
	case Parted:
		if f.Ask != "" {
			if err := b.pause(now, f.Ask, everyClock); err != nil {
				return err
			}
		} else if err := b.resume(now, everyClock); err != nil {
			return err
		}
	case Classified: // the limits that run are those of the new type, from where they began
		for _, c := range b.clocks {
			if limit := b.rules.limit(t.Type, t.Urgency, c.Kind); c.running() && c.Kind != UrgeClock {
				c.Amount, c.Unit, c.WarnPercent = limit.Budget.Amount, limit.Budget.Unit, limit.WarnPercent
			}
		}
	case ExtensionDecided:
		for _, c := range b.clocks {
			if c.running() && ofHop(hop, HandleClock)(c) {
				c.ExtraDays += f.Days
			}
		}
	}
	return b.settle(t, hop, now)
}

func (b *book) pause(now time.Time, reason string, which func(*Clock) bool) error {
	for _, c := range b.clocks {
		if !c.running() || c.Paused || !which(c) {
			continue
		}
		list, err := c.pauses()
		if err != nil {
			return err
		}
		if len(list) >= maxPauses {
			return ErrState.With("工单挂起次数过多，请办结后重新受理")
		}
		if err := c.keepPauses(append(list, worktime.Pause{From: now, Reason: reason})); err != nil {
			return err
		}
		c.Paused = true
	}
	return nil
}

func (b *book) resume(now time.Time, which func(*Clock) bool) error {
	for _, c := range b.clocks {
		if !c.running() || !c.Paused || !which(c) {
			continue
		}
		list, err := c.pauses()
		if err != nil {
			return err
		}
		if n := len(list); n > 0 && list[n-1].Open() {
			list[n-1].Until = now
		}
		if err := c.keepPauses(list); err != nil {
			return err
		}
		c.Paused = false
	}
	return nil
}

// settle reckons the deadlines of the running clocks. A unit has no longer than the public clock, unless it was granted more
// time: then the public clock follows the unit's.
func (b *book) settle(t *Ticket, hop *Hop, now time.Time) error {
	var public *Clock
	for _, c := range b.clocks {
		if c.running() && c.Kind.public() {
			public = c
		}
	}
	if public != nil {
		before := public.DueAt
		if err := public.reckon(b.rules.calendar); err != nil {
			return err
		}
		if public.Follows && public.DueAt.Before(before) { // the unit's clock that it follows may have stopped
			public.DueAt = before
		}
	}
	for _, c := range b.clocks {
		if !c.running() || c.Kind.public() {
			continue
		}
		if err := c.reckon(b.rules.calendar); err != nil {
			return err
		}
		if public == nil || c.Paused || c.Kind == UrgeClock {
			continue
		}
		if late := c.DueAt.After(public.DueAt); late && c.ExtraDays == 0 {
			c.DueAt = public.DueAt
			if c.WarnAt.After(public.WarnAt) && !public.WarnAt.IsZero() {
				c.WarnAt = public.WarnAt
			}
		} else if late {
			public.Follows, public.DueAt = true, c.DueAt
		}
	}
	for _, c := range b.clocks {
		c.plan(now, b.rules)
	}
	if public != nil {
		t.DueAt = public.DueAt
	}
	if hop != nil {
		for _, c := range b.clocks {
			if c.running() && c.HopID == hop.ID && (c.Kind == SignClock || c.Kind == HandleClock) {
				hop.DueAt = c.DueAt
			}
		}
	}
	return nil
}

// plan says when somebody has to look at the clock again, and takes back what a later deadline has made untrue.
func (c *Clock) plan(now time.Time, r *rules) {
	c.NextAt = time.Time{}
	if !c.running() || c.Paused {
		return
	}
	if c.BreachedAt.IsZero() || c.DueAt.After(now) {
		c.BreachedAt, c.Rung = time.Time{}, 0
		if c.WarnAt.After(now) {
			c.WarnedAt = time.Time{}
		}
		if c.WarnedAt.IsZero() && !c.WarnAt.IsZero() && c.WarnAt.Before(c.DueAt) {
			c.NextAt = c.WarnAt
			return
		}
		c.NextAt = c.DueAt
		return
	}
	c.NextAt = r.rungAt(c)
}

// alert is what the running clocks of a ticket make of it in lists.
func alert(clocks []*Clock) Alert {
	a := NoAlert
	for _, c := range clocks {
		switch {
		case !c.running() || c.Paused || c.Kind == UrgeClock:
		case !c.BreachedAt.IsZero():
			return OverDue
		case !c.WarnedAt.IsZero():
			a = DueSoon
		}
	}
	return a
}
