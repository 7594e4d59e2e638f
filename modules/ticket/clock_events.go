package ticket

import (
	"fmt"
	"slices"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
)

// ClockFact is what facts about one clock say beside the head.
type ClockFact struct {
	ClockID    int64     `json:"clockId"`
	Kind       ClockKind `json:"kind"`
	HopID      int64     `json:"hopId,omitempty"`
	ClockDueAt time.Time `json:"clockDueAt"`
}

// ClockWarned is announced once when so much of a clock's time is used up that somebody should hurry.
type ClockWarned struct {
	Head
	ClockFact
}

// ClockBreached is announced once when a clock's time is over. Should the deadline move behind the present again, a later
// breach is announced anew.
type ClockBreached struct {
	Head
	ClockFact
}

// Urged is announced when a unit is pressed: by a step of the ladder after a breach (Step 1, 2, …), or by a person (Step 0),
// who then waits for an answer until AnswerBy.
type Urged struct {
	Head
	ClockFact
	Step     int       `json:"step"`
	Name     string    `json:"name"` // 催办, 催办通知书, 督办通知书
	Leaders  bool      `json:"leaders"`
	Reason   string    `json:"reason,omitempty"`
	AnswerBy time.Time `json:"answerBy,omitzero"`
}

// UrgeAnswered is announced when the unit says how things stand after a person pressed it.
type UrgeAnswered struct {
	Head
	Text string `json:"text"`
}

// Instructed is announced when a leader gives an instruction (批示) on a ticket.
type Instructed struct {
	Head
	Text string `json:"text"`
}

// DeadlineMoved is announced when a change of the working calendar moved deadlines of a ticket. DueAt of the head is the new
// public deadline.
type DeadlineMoved struct {
	Head
	Calendar int64        `json:"calendar"`
	Moves    []MovedClock `json:"moves"`
}

// MovedClock is one clock whose deadline moved.
type MovedClock struct {
	ClockID  int64     `json:"clockId"`
	Kind     ClockKind `json:"kind"`
	OldDueAt time.Time `json:"oldDueAt"`
	NewDueAt time.Time `json:"newDueAt"`
}

func (m MovedClock) text() string {
	return fmt.Sprintf("%s由%s改为%s", m.Kind.Label(), clock.Show(m.OldDueAt), clock.Show(m.NewDueAt))
}

// Event names the fact.
func (f ClockWarned) Event() (string, string, int64) { return "ticket.clock_warned", Object, f.ID }

// Event names the fact.
func (f ClockBreached) Event() (string, string, int64) { return "ticket.clock_breached", Object, f.ID }

// Event names the fact.
func (f Urged) Event() (string, string, int64) { return "ticket.urged", Object, f.ID }

// Event names the fact.
func (f UrgeAnswered) Event() (string, string, int64) { return "ticket.urge_answered", Object, f.ID }

// Event names the fact.
func (f Instructed) Event() (string, string, int64) { return "ticket.instructed", Object, f.ID }

// Event names the fact.
func (f DeadlineMoved) Event() (string, string, int64) { return "ticket.deadline_moved", Object, f.ID }

// clockTimeline reads a fact about clocks into a step of the timeline; false when it is none. Requesters see none of
// them.
func clockTimeline(e event.Event, s *Step) (bool, error) {
	if e.ActorID == 0 && clockInternal(e.Type) {
		s.Actor = "" // a task, not a person
	}
	switch e.Type {
	case "ticket.clock_warned", "ticket.clock_breached":
		var f ClockWarned // both say the same
		err := e.Decode(&f)
		s.Label = f.Kind.Label() + map[bool]string{true: "即将到期", false: "已超时"}[e.Type == "ticket.clock_warned"]
		s.Text = "时限为" + clock.Show(f.ClockDueAt)
		return true, err
	case "ticket.urged":
		var f Urged
		err := e.Decode(&f)
		s.Label, s.Text = "向"+f.UnitName+"发出"+f.Name, f.Reason
		if !f.AnswerBy.IsZero() {
			s.Text += "\n请于" + clock.Show(f.AnswerBy) + "前答复"
		}
		if !f.DueAt.IsZero() {
			s.DueAt = utc(&f.DueAt)
		}
		return true, err
	case "ticket.urge_answered":
		var f UrgeAnswered
		err := e.Decode(&f)
		s.Label, s.Text = f.UnitName+"答复催办", f.Text
		return true, err
	case "ticket.instructed":
		var f Instructed
		err := e.Decode(&f)
		s.Label, s.Text = "领导批示", f.Text
		return true, err
	case "ticket.deadline_moved":
		var f DeadlineMoved
		err := e.Decode(&f)
		s.Label = "工作日历调整，时限变更"
		for i, m := range f.Moves {
			if i > 0 {
				s.Text += "\n"
			}
			s.Text += m.text()
		}
		return true, err
	}
	return false, nil
}

// clockInternal reports whether a step is between staff.
func clockInternal(kind string) bool {
	switch kind {
	case "ticket.clock_warned", "ticket.clock_breached", "ticket.urged", "ticket.urge_answered", "ticket.instructed", "ticket.deadline_moved":
		return true
	}
	return slices.Contains(deskKinds, kind)
}
