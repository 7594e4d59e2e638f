package application

import (
	"fmt"
	"maps"
	"slices"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/flow"
)

// Status is where an application stands.
type Status string

// The states of an application.
const (
	Unsent  Status = "draft"
	Waiting Status = "submitted"
	Lacking Status = "supplement" // the company must supply something
	Taken   Status = "accepted"
	Working Status = "in_progress"
	Given   Status = "delivered" // the company must confirm or object
	Granted Status = "approved"
	PaidOut Status = "disbursed"
	Done    Status = "completed"
	Refused Status = "declined"
	Dropped Status = "withdrawn"
)

// Earlier stands in the table for the state in which the supplement was asked for.
const Earlier Status = "earlier"

// statuses are all states with the word every face shows.
var statuses = map[Status]string{
	Unsent: "草稿", Waiting: "待受理", Lacking: "待补正", Taken: "已受理", Working: "办理中", Given: "待确认", Granted: "已审批",
	PaidOut: "已放款", Done: "已办结", Refused: "未通过", Dropped: "已撤回",
}

// Label is the Chinese word of the state.
func (s Status) Label() string { return statuses[s] }

// Ended reports whether nothing more happens.
func (s Status) Ended() bool { return slices.Contains(ends, s) }

var ends = []Status{Done, Refused, Dropped}

// Action is a command on an application.
type Action string

// The actions; each is the last part of its address.
const (
	ToSubmit     Action = "submit"
	ToWithdraw   Action = "withdraw"
	ToSupplement Action = "supplement"
	ToAccept     Action = "accept"
	ToDecline    Action = "decline"
	ToAsk        Action = "ask-supplement"
	ToProgress   Action = "progress"
	ToPlan       Action = "plan"
	ToStep       Action = "plan-step"
	ToDeliver    Action = "deliver"
	ToConfirm    Action = "confirm"
	ToObject     Action = "object"
	ToApprove    Action = "approve"
	ToDisburse   Action = "disburse"
	ToComplete   Action = "complete"
	ToHandOver   Action = "hand-over"
	// ToInvestigate is due diligence.
	ToInvestigate Action = "diligence"

	// lapse is the clock's: the time to confirm is over.
	lapse Action = "lapse"
)

// Side is who an action belongs to.
type Side string

// The sides.
const (
	Applicant   Side = "applicant"   // people who act for the company
	Institution Side = "institution" // operators of the product's institution
	Clockwork   Side = "clock"       // nobody: the time is over
)

// Branch says for which applications a step is there.
type Branch string

// The branches.
const (
	Any       Branch = ""
	Financing Branch = "financing" // those that lend money
	Services  Branch = "services"  // all others
)

// Transition is one legal step of an application.
type Transition struct {
	From   Status
	Action Action
	To     Status
	For    Branch
}

// Right is what an action asks of the actor. Permission is empty for applicants: acting for the company is the right.
type Right struct {
	Side       Side
	Permission access.Permission
	Label      string
}

// Lifecycle is every legal step.
func Lifecycle() []Transition {
	return []Transition{
		{Unsent, ToSubmit, Waiting, Any},
		{Waiting, ToAccept, Taken, Any},
		{Waiting, ToAsk, Lacking, Any},
		{Waiting, ToDecline, Refused, Any},
		{Waiting, ToHandOver, Waiting, Any},
		{Waiting, ToWithdraw, Dropped, Any},
		{Lacking, ToSupplement, Earlier, Any},
		{Lacking, ToDecline, Refused, Any},
		{Lacking, ToHandOver, Lacking, Any},
		{Lacking, ToWithdraw, Dropped, Any},
		{Taken, ToInvestigate, Working, Financing},
		{Taken, ToPlan, Working, Services},
		{Taken, ToProgress, Taken, Any},
		{Taken, ToAsk, Lacking, Any},
		{Taken, ToDecline, Refused, Any},
		{Taken, ToHandOver, Taken, Any},
		{Taken, ToWithdraw, Dropped, Any},
		{Working, ToInvestigate, Working, Financing},
		{Working, ToApprove, Granted, Financing},
		{Working, ToDeliver, Given, Services},
		{Working, ToStep, Working, Services},
		{Working, ToPlan, Working, Services},
		{Working, ToProgress, Working, Any},
		{Working, ToAsk, Lacking, Any},
		{Working, ToDecline, Refused, Any},
		{Working, ToHandOver, Working, Any},
		{Working, ToWithdraw, Dropped, Any},
		{Given, ToConfirm, Done, Services},
		{Given, ToObject, Working, Services},
		{Given, lapse, Done, Services},
		{Given, ToHandOver, Given, Services},
		{Granted, ToDisburse, PaidOut, Financing},
		{Granted, ToProgress, Granted, Financing},
		{Granted, ToHandOver, Granted, Financing},
		{Granted, ToWithdraw, Dropped, Financing}, // the company does not take the offer
		{PaidOut, ToDisburse, PaidOut, Financing},
		{PaidOut, ToComplete, Done, Financing},
		{PaidOut, ToHandOver, PaidOut, Financing},
	}
}

// The permissions of the module.
const (
	PermView   access.Permission = "application.view"
	PermHandle access.Permission = "application.handle"
	// PermSupervise has its holders told of what is overdue.
	PermSupervise access.Permission = "application.supervise"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "申请", Label: "查看申请"},
		{Name: PermHandle, Group: "申请", Label: "办理申请"},
		{Name: PermSupervise, Group: "申请", Label: "接收申请超时通知"},
		{Name: PermUndo, Group: "申请", Label: "撤销本机构同事的上一步（24 小时内）"},
		{Name: PermUndoAny, Group: "申请", Label: "撤销任何申请的上一步"},
		{Name: PermResults, Group: "申请", Label: "查看申请成果统计"},
		{Name: PermLimits, Group: "申请", Label: "设置申请各步骤的时限和办理提示"},
		{Name: PermExport, Group: "申请", Label: "导出申请（联系电话脱敏）"},
		{Name: PermExportPhone, Group: "申请", Label: "导出本机构申请的完整联系电话"},
	}
}

// RightOf says who may take the action.
func RightOf(a Action) Right {
	switch a {
	case ToSubmit:
		return Right{Applicant, "", "提交申请"}
	case ToWithdraw:
		return Right{Applicant, "", "撤回申请"}
	case ToSupplement:
		return Right{Applicant, "", "补充材料"}
	case ToAccept:
		return Right{Institution, PermHandle, "受理"}
	case ToDecline:
		return Right{Institution, PermHandle, "不予通过"}
	case ToAsk:
		return Right{Institution, PermHandle, "要求补正"}
	case ToProgress:
		return Right{Institution, PermHandle, "登记进展"}
	case ToPlan:
		return Right{Institution, PermHandle, "登记服务方案"}
	case ToStep:
		return Right{Institution, PermHandle, "登记方案步骤完成"}
	case ToDeliver:
		return Right{Institution, PermHandle, "登记交付"}
	case ToConfirm:
		return Right{Applicant, "", "确认交付"}
	case ToObject:
		return Right{Applicant, "", "提出异议"}
	case lapse:
		return Right{Clockwork, "", "到期视为确认"}
	case ToInvestigate:
		return Right{Institution, PermHandle, "登记尽职调查"}
	case ToApprove:
		return Right{Institution, PermHandle, "登记审批结果"}
	case ToDisburse:
		return Right{Institution, PermHandle, "登记放款"}
	case ToComplete:
		return Right{Institution, PermHandle, "办结"}
	case ToHandOver:
		return Right{Institution, PermHandle, "转交经办"}
	case ToUndo: // who may is a matter of the step and the time
		return Right{Institution, "", "撤销上一步"}
	}
	return Right{}
}

// next finds the step an application may take.
func (a *Application) next(action Action) (Status, bool) {
	for _, t := range Lifecycle() {
		if t.From != a.Status || t.Action != action || !a.in(t.For) {
			continue
		}
		if t.To == Earlier {
			return a.Resume, true
		}
		return t.To, true
	}
	return "", false
}

// actions lists the steps the state allows, in the order of the table.
func (a *Application) actions() []Action {
	var out []Action
	for _, t := range Lifecycle() {
		if t.From == a.Status && a.in(t.For) && a.ready(t.Action) {
			out = append(out, t.Action)
		}
	}
	return out
}

// ready reports whether what an action needs beside the state is there.
func (a *Application) ready(action Action) bool {
	switch action {
	case ToApprove:
		return a.Diligences > 0
	case ToDeliver:
		return a.Plan.Edition > 0
	case ToStep:
		return len(a.Plan.done()) < len(a.Plan.Steps)
	case ToDisburse:
		return a.DisbursedAmount < a.ApprovedAmount
	}
	return true
}

func (a *Application) in(b Branch) bool {
	return b == Any || (b == Financing) == a.Lends
}

// ValidateLifecycle says what is wrong with a table of steps: an unknown state, an action nobody has the right to, two
// answers to one question, and, for each branch, a state that cannot be reached from Unsent or from which no end can be.
func ValidateLifecycle(table []Transition) error {
	seen := map[Transition]bool{}
	for _, t := range table {
		if statuses[t.From] == "" || statuses[t.To] == "" && t.To != Earlier {
			return fmt.Errorf("%s %s %s: unknown state", t.From, t.Action, t.To)
		}
		if r := RightOf(t.Action); r.Label == "" || (r.Permission == "" && r.Side == Institution) {
			return fmt.Errorf("%s: nobody has the right", t.Action)
		}
		k := Transition{From: t.From, Action: t.Action}
		if seen[k] {
			return fmt.Errorf("%s %s: two outcomes", t.From, t.Action)
		}
		seen[k] = true
		if slices.Contains(ends, t.From) {
			return fmt.Errorf("%s is an end and has a way out", t.From)
		}
	}
	for _, b := range []Branch{Financing, Services} {
		var own []Transition
		used := map[Status]bool{}
		for _, t := range table {
			if t.For == Any || t.For == b {
				own = append(own, t)
				used[t.From] = true
			}
		}
		if err := flow.Connected(edges(own), slices.Sorted(maps.Keys(used)), Unsent, ends...); err != nil {
			return fmt.Errorf("%s: %w", b, err)
		}
	}
	return flow.Connected(edges(table), slices.Sorted(maps.Keys(statuses)), Unsent)
}

// edges are the steps that lead somewhere new; Earlier leads back to where the application has been.
func edges(table []Transition) []flow.Edge[Status] {
	var list []flow.Edge[Status]
	for _, t := range table {
		if t.To != Earlier {
			list = append(list, flow.Edge[Status]{From: t.From, To: t.To})
		}
	}
	return list
}
