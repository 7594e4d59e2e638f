package ticket

import (
	"fmt"
	"maps"
	"slices"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/flow"
)

// Status is where a ticket stands.
type Status string

// The states of a ticket.
const (
	Received Status = "received" // 已受理
	Direct   Status = "answered" // 已直接答复
	Refused  Status = "declined" // 不予受理
	Sent     Status = "dispatched"
	Handling Status = "signed" // 已签收，办理中
	Reported Status = "replied"
	Calling  Status = "callback"
	Done     Status = "closed"
	Void     Status = "voided"
)

// statuses are all states with the word every face shows.
var statuses = map[Status]string{
	Received: "待处理", Direct: "已答复", Refused: "不予受理", Sent: "待签收", Handling: "办理中",
	Reported: "待回访", Calling: "回访中", Done: "已办结", Void: "已作废",
}

// Label is the Chinese word of the state.
func (s Status) Label() string { return statuses[s] }

// Action is a command on a ticket.
type Action string

// The actions; each is the last part of its address.
const (
	ToAnswer   Action = "answer"
	ToDecline  Action = "decline"
	ToDispatch Action = "dispatch"
	ToSign     Action = "sign"
	ToReply    Action = "reply"
	ToCallBack Action = "callback"
	ToClose    Action = "close"
	ToReopen   Action = "reopen"
	ToVoid     Action = "void"
	ToRate     Action = "rate"
)

// Side is who an action belongs to.
type Side string

// The sides.
const (
	Desk      Side = "desk"      // staff who see the whole district
	Unit      Side = "unit"      // staff of the lead unit, or above it with its subtree in scope
	Requester Side = "requester" // who asked
)

// Transition is one legal step of a ticket.
type Transition struct {
	From   Status
	Action Action
	To     Status
}

// Right is what an action asks of the actor. Permission is empty for requesters: being the requester is the right.
type Right struct {
	Side       Side
	Permission access.Permission
	Label      string
}

// Lifecycle is every legal step.
func Lifecycle() []Transition {
	return []Transition{
		{Received, ToAnswer, Direct},
		{Received, ToDecline, Refused},
		{Received, ToDispatch, Sent},
		{Received, ToVoid, Void},
		{Direct, ToClose, Done},
		{Sent, ToSign, Handling},
		{Sent, ToVoid, Void},
		{Handling, ToReply, Reported},
		{Reported, ToCallBack, Calling},
		{Reported, ToClose, Done},
		{Reported, ToReopen, Sent},
		{Calling, ToCallBack, Calling},
		{Calling, ToClose, Done},
		{Calling, ToReopen, Sent},
		{Done, ToRate, Done},
	}
}

// The permissions of the module.
const (
	PermView     access.Permission = "ticket.view"
	PermOpen     access.Permission = "ticket.open"
	PermAnswer   access.Permission = "ticket.answer"
	PermDecline  access.Permission = "ticket.decline"
	PermDispatch access.Permission = "ticket.dispatch"
	PermSign     access.Permission = "ticket.sign"
	PermReply    access.Permission = "ticket.reply"
	PermClose    access.Permission = "ticket.close"
	PermReopen   access.Permission = "ticket.reopen"
	PermVoid     access.Permission = "ticket.void"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "工单", Label: "查看工单"},
		{Name: PermOpen, Group: "工单", Label: "代客登记"},
		{Name: PermAnswer, Group: "工单", Label: "直接答复"},
		{Name: PermDecline, Group: "工单", Label: "不予受理"},
		{Name: PermDispatch, Group: "工单", Label: "派单"},
		{Name: PermSign, Group: "工单", Label: "签收"},
		{Name: PermReply, Group: "工单", Label: "反馈办理结果"},
		{Name: PermClose, Group: "工单", Label: "回访并办结"},
		{Name: PermReopen, Group: "工单", Label: "退回重办"},
		{Name: PermVoid, Group: "工单", Label: "作废"},
		{Name: PermExport, Group: "工单", Label: "导出工单（联系电话脱敏）"},
		{Name: PermExportPhone, Group: "工单", Label: "导出完整联系电话"},
	}
}

// RightOf says who may take the action.
func RightOf(a Action) Right {
	switch a {
	case ToAnswer:
		return Right{Desk, PermAnswer, "直接答复"}
	case ToDecline:
		return Right{Desk, PermDecline, "不予受理"}
	case ToDispatch:
		return Right{Desk, PermDispatch, "派单"}
	case ToSign:
		return Right{Unit, PermSign, "签收"}
	case ToReply:
		return Right{Unit, PermReply, "反馈"}
	case ToCallBack:
		return Right{Desk, PermClose, "回访登记"}
	case ToClose:
		return Right{Desk, PermClose, "回访并办结"}
	case ToReopen:
		return Right{Desk, PermReopen, "退回重办"}
	case ToVoid:
		return Right{Desk, PermVoid, "作废"}
	case ToRate:
		return Right{Requester, "", "评价"}
	}
	return Right{}
}

// next finds the state the action leads to.
func next(from Status, a Action) (Status, bool) {
	for _, t := range Lifecycle() {
		if t.From == from && t.Action == a {
			return t.To, true
		}
	}
	return "", false
}

// actionsFrom lists the actions that are legal in a state, in the order of the table.
func actionsFrom(from Status) []Action {
	var out []Action
	for _, t := range Lifecycle() {
		if t.From == from {
			out = append(out, t.Action)
		}
	}
	return out
}

// ValidateLifecycle says what is wrong with a table of steps: an unknown state, an action nobody has the right to, two
// answers to one question, a state that cannot be reached from Received or from which no end can be reached.
func ValidateLifecycle(table []Transition) error {
	seen := map[Transition]bool{}
	ends := []Status{Refused, Done, Void}
	for _, t := range table {
		if statuses[t.From] == "" || statuses[t.To] == "" {
			return fmt.Errorf("%s %s %s: unknown state", t.From, t.Action, t.To)
		}
		if r := RightOf(t.Action); r.Label == "" || (r.Permission == "" && r.Side != Requester) {
			return fmt.Errorf("%s: nobody has the right", t.Action)
		}
		k := Transition{From: t.From, Action: t.Action}
		if seen[k] {
			return fmt.Errorf("%s %s: two outcomes", t.From, t.Action)
		}
		seen[k] = true
		if slices.Contains(ends, t.From) && t.From != t.To {
			return fmt.Errorf("%s is an end and has a way out", t.From)
		}
	}
	edges := make([]flow.Edge[Status], 0, len(table))
	for _, t := range table {
		edges = append(edges, flow.Edge[Status]{From: t.From, To: t.To})
	}
	return flow.Connected(edges, slices.Sorted(maps.Keys(statuses)), Received, ends...)
}
