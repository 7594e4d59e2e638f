package ticket

import (
	"time"

	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/event"
)

// effect is what a command did, for the books.
type effect struct {
	fact    func(Head) event.Fact
	summary string
	files   []int64
	detail  any
	// then is what follows in the same transaction once the step is booked.
	then func() error
}

func answered(text string, files []int64) effect {
	return effect{fact: func(h Head) event.Fact { return Answered{Head: h, Text: text} }, summary: "直接答复", files: files}
}

func declined(told, code, route string) effect {
	return effect{fact: func(h Head) event.Fact { return Declined{Head: h, Reason: told, Code: code, Route: route} }, summary: "不予受理", detail: map[string]any{"code": code}}
}

func dispatched(to UnitInfo, hop Hop, note string, co []Given) effect {
	return effect{
		fact:    func(h Head) event.Fact { return Dispatched{Head: h, FromName: hop.FromName, Note: note, To: co} },
		summary: "派单至" + to.Name, detail: map[string]any{"unitId": to.ID},
	}
}

func signed() effect {
	return effect{fact: func(h Head) event.Fact { return Signed{h} }, summary: "签收"}
}

func replied(text string, files []int64) effect {
	return effect{fact: func(h Head) event.Fact { return Replied{Head: h, Text: text, FileIDs: files} }, summary: "反馈办理结果", files: files}
}

func calledBack(o Outcome, note string) effect {
	return effect{fact: func(h Head) event.Fact { return CalledBack{Head: h, Outcome: o, Note: note} }, summary: "登记回访", detail: o}
}

func closed(o *Outcome, note string) effect {
	return effect{fact: func(h Head) event.Fact { return Closed{Head: h, Outcome: o, Note: note} }, summary: "办结", detail: o}
}

func reopened(oldDue time.Time, note string, o *Outcome, told *Told) effect {
	return effect{fact: func(h Head) event.Fact {
		return Reopened{Head: h, OldDueAt: oldDue, Note: note, Outcome: o, Told: told}
	}, summary: "退回重办"}
}

func voided(reason string) effect {
	return effect{fact: func(h Head) event.Fact { return Voided{Head: h, Reason: reason} }, summary: "作废"}
}

func rated(j Judgement) effect {
	return effect{fact: func(h Head) event.Fact { return Rated{Head: h, Rating: j.Level, Tags: j.Tags, Opinion: j.Words} }, summary: "评价"}
}

// openRecord is the line of the audit log for a ticket that was received.
func openRecord(t *Ticket) audit.Record {
	return audit.Record{
		Action: "ticket.open", Object: Object, ObjectID: t.ID, Summary: "受理诉求 " + t.Number, Detail: map[string]any{"source": t.Source, "type": t.Type},
	}
}

// changeRecord is the line of the audit log for an action on a ticket.
func changeRecord(a Action, t *Ticket, e effect) audit.Record {
	return audit.Record{
		Action: "ticket." + string(a), Object: Object, ObjectID: t.ID, Summary: e.summary + " " + t.Number, Detail: e.detail,
	}
}
