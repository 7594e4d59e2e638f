package appraisal

import (
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
)

// Case is one dispatch of a ticket to one unit and what became of it.
type Case struct {
	bun.BaseModel `bun:"table:appraisal_cases,alias:k"`

	ID        int64      `bun:"id,pk,autoincrement"`
	TicketID  int64      `bun:"ticket_id,notnull"`
	No        int        `bun:"no,notnull"` // 1, 2, … within the ticket
	Number    string     `bun:"number,notnull"`
	Type      string     `bun:"type_code,notnull"`
	UnitID    int64      `bun:"unit_id,notnull"`
	UnitName  string     `bun:"unit_name,notnull"`
	StartedAt time.Time  `bun:"started_at,notnull"`
	SignedAt  *time.Time `bun:"signed_at"`
	RepliedAt *time.Time `bun:"replied_at"`
	EndedAt   *time.Time `bun:"ended_at"`
	// Month is the month of EndedAt in Beijing, as 2026-11; empty while the case is open.
	Month        string    `bun:"month,notnull"`
	Response     Class     `bun:"response,notnull"`
	Solution     Class     `bun:"solution,notnull"`
	Satisfaction Class     `bun:"satisfaction,notnull"`
	Sign         Class     `bun:"sign,notnull"`
	Handle       Class     `bun:"handle,notnull"`
	Return       Class     `bun:"given_back,notnull"`
	Evidence     Class     `bun:"evidence,notnull"`
	Exclusion    Exclusion `bun:"exclusion,notnull"`
	// Again: the unit had to do it again.
	Again bool `bun:"again,notnull"`
}

// class is what the case is for a rate.
func (c *Case) class(r Rate) Class {
	switch r {
	case Response:
		return c.Response
	case Solution:
		return c.Solution
	case Satisfaction:
		return c.Satisfaction
	case SignTime:
		return c.Sign
	case HandleTime:
		return c.Handle
	case Return:
		return c.Return
	}
	return c.Evidence
}

// Span is a clock of a unit that has stopped: sign or handle, from when, and whether it was late.
type Span struct {
	Kind    string
	UnitID  int64
	Started time.Time
	Late    bool
}

// heard are the events that change a case.
var heard = map[string]bool{
	"ticket.dispatched": true, "ticket.signed": true, "ticket.replied": true, "ticket.reviewed": true, "ticket.sent_back": true, "ticket.called_back": true,
	"ticket.closed": true, "ticket.reopened": true, "ticket.voided": true, "ticket.declined": true, "ticket.return_decided": true, "ticket.merged": true,
	"ticket.unmerged": true, "ticket.appeal_decided": true, "ticket.rated": true, "ticket.undone": true, "ticket.lapsed": true,
}

// fact is as much of the facts about tickets as the fold reads. They are other modules' words; fields that are missing are zero.
type fact struct {
	Number   string `json:"number"`
	Type     string `json:"type"`
	Status   string `json:"status"`
	UnitID   int64  `json:"unitId"`
	UnitName string `json:"unitName"`
	Granted  bool   `json:"granted"`
	Seq      int64  `json:"seq"`
	Rating   int    `json:"rating"`
	Action   string `json:"action"`
	Hop      struct {
		Role string `json:"role"`
	} `json:"hop"`
	Outcome *struct {
		Contacted, Solved, Satisfied bool
	} `json:"outcome"`
	Told *struct {
		Result    string `json:"result"`
		Responded *bool  `json:"responded"`
		Level     int    `json:"level"`
	} `json:"told"`
	Rule *struct {
		ID int64 `json:"id"`
	} `json:"rule"`
	Evidence *struct {
		Required int  `json:"required"`
		Complete bool `json:"complete"`
		Invalid  int  `json:"invalid"`
	} `json:"evidence"`
}

// Fold makes the cases of one ticket from its events, oldest first, and the clocks of its units. It depends on nothing else.
func Fold(ticketID int64, events []event.Event, spans []Span) ([]Case, error) {
	facts := make([]fact, len(events))
	gone := map[int64]bool{}
	for i, e := range events {
		if !heard[e.Type] {
			continue
		}
		if err := e.Decode(&facts[i]); err != nil {
			return nil, fmt.Errorf("event %d %s: %w", e.ID, e.Type, err)
		}
		if e.Type == "ticket.undone" {
			gone[facts[i].Seq] = true
		}
	}
	f := &folding{ticketID: ticketID, spans: spans}
	for i, e := range events {
		if heard[e.Type] && !gone[e.Seq] {
			f.hear(e, facts[i])
		}
	}
	return f.cases, nil
}

type folding struct {
	ticketID int64
	spans    []Span
	cases    []Case
	merged   bool
}

func (f *folding) begin(at time.Time, h fact) *Case {
	f.cases = append(f.cases, Case{
		TicketID: f.ticketID, No: len(f.cases) + 1, Number: h.Number, Type: h.Type, UnitID: h.UnitID, UnitName: h.UnitName, StartedAt: at,
		Response: "none", Solution: "none", Satisfaction: "none", Sign: "never", Handle: "none", Return: "kept", Evidence: "none",
	})
	return &f.cases[len(f.cases)-1]
}

// last is the latest case, nil before the first dispatch.
func (f *folding) last() *Case {
	if len(f.cases) == 0 {
		return nil
	}
	return &f.cases[len(f.cases)-1]
}

// open is the latest case when it has not ended.
func (f *folding) open() *Case {
	if c := f.last(); c != nil && c.EndedAt == nil {
		return c
	}
	return nil
}

func (c *Case) end(at time.Time, x Exclusion) {
	c.EndedAt, c.Month = &at, at.In(clock.Beijing).Format("2006-01")
	if x != "" {
		c.Exclusion = x
	}
}

func (f *folding) hear(e event.Event, h fact) {
	at := e.At.UTC()
	c := f.open()
	switch e.Type {
	case "ticket.merged":
		f.merged = true
	case "ticket.unmerged":
		f.merged = false
	case "ticket.dispatched":
		f.begin(at, h)
	case "ticket.replied":
		if f.merged { // answered with its handling order, whose unit the answer counts for
			if c != nil {
				c.end(at, Joined)
			}
			c = f.begin(at, h)
			c.Exclusion, c.Sign = Joined, "none"
			f.merged = false
		}
		f.replied(c, at, h)
	case "ticket.rated":
		f.rated(h)
	case "ticket.appeal_decided":
		if last := f.last(); last != nil && h.Granted {
			last.Exclusion = Appealed
		}
	}
	if e.Type == "ticket.reopened" && c == nil { // after its end: what was found before that stays
		if last := f.last(); last != nil {
			last.Again = true
			last.doubted(h)
		}
		f.begin(at, h)
	}
	if c == nil {
		return
	}
	switch e.Type {
	case "ticket.signed":
		c.SignedAt, c.Sign = &at, f.verdict("sign", c.UnitID, c.StartedAt)
	case "ticket.sent_back":
		c.RepliedAt = nil
		c.judged(h)
	case "ticket.reviewed":
		c.judged(h)
	case "ticket.closed":
		c.called(h, h.Outcome == nil)
		x := Exclusion("")
		if h.Rule != nil && c.RepliedAt == nil {
			x = Lapsed
		}
		if f.merged { // answered at the desk with its handling order: its unit had no part in that
			x = Joined
		}
		c.end(at, x)
	case "ticket.reopened":
		c.Again = true
		c.called(h, false)
		c.end(at, "")
		f.begin(at, h)
	case "ticket.return_decided":
		if h.Granted && h.Hop.Role == "lead" {
			c.Return = "returned"
			c.end(at, GaveBack)
		}
	case "ticket.voided":
		c.end(at, Voided)
	case "ticket.declined":
		c.end(at, Declined)
	case "ticket.lapsed":
		if h.Action == "recall" {
			c.end(at, Recalled)
		}
	}
}

func (f *folding) replied(c *Case, at time.Time, h fact) {
	if c == nil {
		return
	}
	c.RepliedAt = &at
	if c.SignedAt != nil {
		c.Handle = f.verdict("handle", c.UnitID, *c.SignedAt)
	}
	c.Response = "presumed"
	if c.Handle == "late" {
		c.Response = "presumed_no"
	}
	if h.Evidence != nil && h.Evidence.Required > 0 {
		c.Evidence = "incomplete"
		if h.Evidence.Complete {
			c.Evidence = "complete"
		}
	}
}

// judged is what the review of the reply said of its evidence.
func (c *Case) judged(h fact) {
	if h.Evidence != nil && h.Evidence.Invalid > 0 && c.Evidence != "none" {
		c.Evidence = "invalid"
	}
}

// called puts in what the call-back found.
func (c *Case) called(h fact, uncalled bool) {
	if c.RepliedAt == nil {
		return
	}
	switch {
	case uncalled:
		c.Solution, c.Satisfaction = "uncalled", "uncalled"
		return
	case h.Outcome == nil && c.Again: // done again without a word about the call: nobody is content who asks for that
		c.Solution, c.Satisfaction = "unsolved", "2"
		return
	case h.Outcome == nil:
		return
	case !h.Outcome.Contacted:
		c.Solution, c.Satisfaction = "unreached", "unreached"
		if h.Told != nil && h.Told.Result == "refused" {
			c.Solution, c.Satisfaction = "refused", "refused"
		}
		return
	}
	c.Solution = "unsolved"
	if h.Outcome.Solved {
		c.Solution = "solved"
	}
	c.Satisfaction = "2"
	if h.Outcome.Satisfied {
		c.Satisfaction = "4"
	}
	if h.Told == nil {
		return
	}
	if h.Told.Level > 0 {
		c.Satisfaction = Class(strconv.Itoa(h.Told.Level))
	}
	if h.Told.Responded != nil {
		c.Response = "no"
		if *h.Told.Responded {
			c.Response = "yes"
		}
	}
}

// doubted puts in what was found when a case that nobody had been asked about is done again.
func (c *Case) doubted(h fact) {
	if unasked(c.Satisfaction) {
		c.called(h, false)
	}
}

func unasked(s Class) bool { return s == "unreached" || s == "refused" || s == "uncalled" }

// rated is the requester's own judgement after the end: it counts where nobody had asked them.
func (f *folding) rated(h fact) {
	c := f.last()
	if c == nil || c.EndedAt == nil || h.Status != "closed" || h.Rating < 1 || h.Rating > 5 {
		return
	}
	if !unasked(c.Satisfaction) {
		return
	}
	c.Satisfaction, c.Solution = Class(strconv.Itoa(h.Rating)), "unsolved"
	if h.Rating >= 3 {
		c.Solution = "solved"
	}
}

// verdict says whether the unit's clock that started then was late. A signature or reply whose clock is not known was in time.
func (f *folding) verdict(kind string, unit int64, started time.Time) Class {
	for _, s := range f.spans {
		if s.Kind == kind && s.UnitID == unit && s.Late && s.Started.Equal(started) {
			return "late"
		}
	}
	return "met"
}
