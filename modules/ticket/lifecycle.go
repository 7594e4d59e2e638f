package ticket

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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
	Handling Status = "signed"    // 已签收，办理中
	OnHold   Status = "suspended" // waits for the requester; the clocks stand still
	Reported Status = "replied"
	Reviewed Status = "reviewed" // the level that dispatched found the reply good enough for the call-back
	Calling  Status = "callback"
	Done     Status = "closed"
	Archived Status = "archived"
	Merged   Status = "merged" // handled as part of another ticket, answered with it
	Void     Status = "voided"
)

// statuses are all states with the word every face shows.
var statuses = map[Status]string{
	Received: "待处理", Direct: "已答复", Refused: "不予受理", Sent: "待签收", Handling: "办理中", OnHold: "已挂起",
	Reported: "待回访", Reviewed: "已审核", Calling: "回访中", Done: "已办结", Archived: "已归档", Merged: "已并单", Void: "已作废",
}

// Label is the Chinese word of the state.
func (s Status) Label() string { return statuses[s] }

// Action is a command on a ticket.
type Action string

// The actions; each is the last part of its address.
const (
	ToAnswer     Action = "answer"
	ToDecline    Action = "decline"
	ToDispatch   Action = "dispatch"
	ToSign       Action = "sign"
	ToReply      Action = "reply"
	ToReview     Action = "review"
	ToSendBack   Action = "sendback"
	ToCallBack   Action = "callback"
	ToClose      Action = "close"
	ToReopen     Action = "reopen"
	ToVoid       Action = "void"
	ToRate       Action = "rate"
	ToArchive    Action = "archive"
	ToSuspend    Action = "suspend"
	ToResume     Action = "resume"
	ToSupplement Action = "supplement"
	ToForward    Action = "forward"
	ToSplit      Action = "split"
	ToHopSign    Action = "hop-sign"
	ToHopReply   Action = "hop-reply"
	ToAccept     Action = "accept"
	ToRework     Action = "rework"
	ToRecall     Action = "recall"
	ToReturn     Action = "return"
	ToExtend     Action = "extend"
	ToAppeal     Action = "appeal"
	ToEndorse    Action = "endorse"
	ToDecide     Action = "decide"
	ToWithdraw   Action = "withdraw"
	ToMerge      Action = "merge"
	ToUnmerge    Action = "unmerge"
	ToLink       Action = "link"
	ToUnlink     Action = "unlink"
	ToUndo       Action = "undo"
	ToClassify   Action = "classify"
)

// The steps that follow from another command and have no address of their own.
const (
	// takeBack: the level that dispatched granted the return of the lead hop; the ticket is dispatched anew.
	takeBack Action = "taken-back"
	// lapse: nobody did anything for so long that a rule of timed closing ended the ticket or took it back.
	lapse Action = "lapse"
	// followAnswer and followReply: the handling order was answered, and with it those merged into it.
	followAnswer Action = "follow-answer"
	followReply  Action = "follow-reply"
	// partSent, partHandling and partHeld: a merger was undone of a ticket that a unit had; the unit goes on where it stood, or
	// waits for the requester as before.
	partSent     Action = "part-sent"
	partHandling Action = "part-handling"
	partHeld     Action = "part-held"
)

// Side is who an action belongs to.
type Side string

// The sides.
const (
	Desk      Side = "desk"      // staff who see the whole district
	Unit      Side = "unit"      // staff of the lead unit, or above it with its subtree in scope
	Handler   Side = "handler"   // staff of the unit of the hop the command names, or above it with its subtree in scope
	Level     Side = "level"     // whoever dispatched the hop the command names: the desk, or the unit that passed it on
	Worker    Side = "worker"    // the lead unit, or the desk
	Staff     Side = "staff"     // any staff who see the ticket; the command asks further
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

// Lifecycle is every legal step. Undoing is not in it: it leads back to where the undone step began.
func Lifecycle() []Transition {
	table := []Transition{
		{Received, ToAnswer, Direct},
		{Received, ToDecline, Refused},
		{Received, ToDispatch, Sent},
		{Received, ToVoid, Void},
		{Received, ToMerge, Merged},
		{Direct, ToClose, Done},
		{Direct, ToReopen, Sent},
		{Sent, ToSign, Handling},
		{Sent, ToVoid, Void},
		{Sent, ToMerge, Merged},
		{Sent, takeBack, Received},
		{Handling, ToReply, Reported},
		{Handling, ToSuspend, OnHold},
		{Handling, takeBack, Received},
		{Handling, ToVoid, Void},
		{Handling, ToMerge, Merged},
		{OnHold, ToResume, Handling},
		{OnHold, ToSupplement, Handling},
		{OnHold, ToVoid, Void},
		{OnHold, ToMerge, Merged},
		{OnHold, lapse, Done},
		{Sent, lapse, Received},
		{Reported, ToReview, Reviewed},
		{Reported, ToSendBack, Handling},
		{Reported, ToCallBack, Calling},
		{Reported, ToClose, Done},
		{Reported, ToReopen, Sent},
		{Reviewed, ToCallBack, Calling},
		{Reviewed, ToClose, Done},
		{Reviewed, ToReopen, Sent},
		{Calling, ToCallBack, Calling},
		{Calling, ToClose, Done},
		{Calling, ToReopen, Sent},
		{Done, ToRate, Done},
		{Done, ToReopen, Sent},
		{Done, ToArchive, Archived},
		{Refused, ToArchive, Archived},
		{Merged, ToUnmerge, Received},
		{Merged, partSent, Sent},
		{Merged, partHandling, Handling},
		{Merged, partHeld, OnHold},
		{Merged, followAnswer, Direct},
		{Merged, followReply, Reported},
	}
	stay := func(a Action, in ...Status) {
		for _, s := range in {
			table = append(table, Transition{s, a, s})
		}
	}
	stay(ToClassify, Received, Sent, Handling, OnHold)
	stay(ToForward, Handling)
	stay(ToSplit, Handling)
	stay(ToHopSign, Sent, Handling)
	stay(ToHopReply, Sent, Handling)
	stay(ToAccept, Handling)
	stay(ToRework, Handling)
	stay(ToRecall, Sent, Handling, OnHold)
	stay(ToReturn, Sent, Handling)
	stay(ToExtend, Sent, Handling)
	stay(ToRate, Reported, Reviewed, Calling) // what follows from it are steps of their own
	stay(ToAppeal, Done)
	stay(ToEndorse, Sent, Handling, OnHold)
	stay(ToDecide, Sent, Handling, OnHold, Done)
	stay(ToWithdraw, Sent, Handling, OnHold, Done)
	for _, s := range slices.Sorted(maps.Keys(statuses)) {
		stay(ToLink, s)
		stay(ToUnlink, s)
	}
	return table
}

// The permissions of the module.
const (
	PermView      access.Permission = "ticket.view"
	PermOpen      access.Permission = "ticket.open"
	PermAnswer    access.Permission = "ticket.answer"
	PermDecline   access.Permission = "ticket.decline"
	PermDispatch  access.Permission = "ticket.dispatch"
	PermSign      access.Permission = "ticket.sign"
	PermReply     access.Permission = "ticket.reply"
	PermReview    access.Permission = "ticket.review"
	PermClose     access.Permission = "ticket.close"
	PermReopen    access.Permission = "ticket.reopen"
	PermVoid      access.Permission = "ticket.void"
	PermArchive   access.Permission = "ticket.archive"
	PermSuspend   access.Permission = "ticket.suspend"
	PermForward   access.Permission = "ticket.forward"
	PermRequest   access.Permission = "ticket.request"
	PermEndorse   access.Permission = "ticket.endorse"
	PermDecide    access.Permission = "ticket.decide"
	PermArbitrate access.Permission = "ticket.arbitrate"
	PermMerge     access.Permission = "ticket.merge"
	PermLink      access.Permission = "ticket.link"
	PermUndo      access.Permission = "ticket.undo"
	PermUndoAny   access.Permission = "ticket.undo_any"
	PermUrge      access.Permission = "ticket.urge"
	PermInstruct  access.Permission = "ticket.instruct"
	PermBudgets   access.Permission = "ticket.budgets"
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
		{Name: PermForward, Group: "工单", Label: "向下级转办、拆分任务并验收"},
		{Name: PermSuspend, Group: "工单", Label: "挂起和恢复"},
		{Name: PermRequest, Group: "工单", Label: "申请退单、延期和申诉"},
		{Name: PermEndorse, Group: "工单", Label: "审核本单位的延期申请"},
		{Name: PermDecide, Group: "工单", Label: "审批退单和延期"},
		{Name: PermReview, Group: "工单", Label: "审核办理结果"},
		{Name: PermClose, Group: "工单", Label: "回访并办结"},
		{Name: PermReopen, Group: "工单", Label: "退回重办"},
		{Name: PermVoid, Group: "工单", Label: "作废"},
		{Name: PermArchive, Group: "工单", Label: "归档"},
		{Name: PermMerge, Group: "工单", Label: "并单和撤销并单"},
		{Name: PermLink, Group: "工单", Label: "关联工单"},
		{Name: PermArbitrate, Group: "工单", Label: "裁定申诉"},
		{Name: PermUndo, Group: "工单", Label: "撤销本级人员的上一步操作"},
		{Name: PermUndoAny, Group: "工单", Label: "撤销任何人的上一步操作（含已办结）"},
		{Name: PermTypes, Group: "工单", Label: "设置诉求类型及其表单、不予受理的情形"},
		{Name: PermUrge, Group: "工单", Label: "催办承办单位"},
		{Name: PermInstruct, Group: "工单", Label: "领导批示"},
		{Name: PermExpire, Group: "工单", Label: "设置异常流程的定时处理"},
		{Name: PermBudgets, Group: "工单", Label: "设置办理时限和督办阶梯"},
		{Name: PermImport, Group: "工单", Label: "批量导入工单"},
		{Name: PermClaim, Group: "工单", Label: "领取工单、退回待领取、转交本人领取的工单"},
		{Name: PermAssign, Group: "工单", Label: "向本席或本单位人员指派工单"},
		{Name: PermNote, Group: "工单", Label: "内部备注和标签"},
		{Name: PermShareView, Group: "工单", Label: "维护本席或本单位的共享视图"},
		{Name: PermExport, Group: "工单", Label: "导出工单（联系电话脱敏）"},
		{Name: PermExportPhone, Group: "工单", Label: "导出完整联系电话"},
		{Name: PermConfidential, Group: "工单", Label: "设置保密工单并查看全部保密工单"},
		{Name: PermReveal, Group: "工单", Label: "查看完整联系电话（须写明原因）"},
		{Name: PermReveals, Group: "工单", Label: "查看号码查看记录"},
	}
}

// rights say who may take each action.
var rights = map[Action]Right{
	ToAnswer:     {Desk, PermAnswer, "直接答复"},
	ToDecline:    {Desk, PermDecline, "不予受理"},
	ToDispatch:   {Desk, PermDispatch, "派单"},
	ToSign:       {Unit, PermSign, "签收"},
	ToReply:      {Unit, PermReply, "反馈"},
	ToReview:     {Desk, PermReview, "审核通过"},
	ToSendBack:   {Desk, PermReview, "审核退回"},
	ToCallBack:   {Desk, PermClose, "回访登记"},
	ToClose:      {Desk, PermClose, "回访并办结"},
	ToReopen:     {Desk, PermReopen, "退回重办"},
	ToVoid:       {Desk, PermVoid, "作废"},
	ToRate:       {Requester, "", "评价"},
	ToArchive:    {Desk, PermArchive, "归档"},
	ToSuspend:    {Worker, PermSuspend, "挂起"},
	ToResume:     {Worker, PermSuspend, "恢复办理"},
	ToSupplement: {Requester, "", "补充材料"},
	ToForward:    {Handler, PermForward, "转办"},
	ToSplit:      {Handler, PermForward, "拆分任务"},
	ToHopSign:    {Handler, PermSign, "签收协办或转办"},
	ToHopReply:   {Handler, PermReply, "反馈协办或转办"},
	ToAccept:     {Level, PermForward, "验收通过"},
	ToRework:     {Level, PermForward, "验收退回"},
	ToRecall:     {Level, PermForward, "收回转办"},
	ToReturn:     {Handler, PermRequest, "申请退单"},
	ToExtend:     {Handler, PermRequest, "申请延期"},
	ToAppeal:     {Unit, PermRequest, "申诉"},
	ToEndorse:    {Handler, PermEndorse, "审核延期"},
	ToDecide:     {Level, PermDecide, "审批申请"},
	ToWithdraw:   {Handler, PermRequest, "撤回申请"},
	ToMerge:      {Desk, PermMerge, "并单"},
	ToUnmerge:    {Desk, PermMerge, "撤销并单"},
	ToLink:       {Staff, PermLink, "关联工单"},
	ToUnlink:     {Staff, PermLink, "取消关联"},
	ToUndo:       {Staff, PermView, "撤销上一步"},
	ToClassify:   {Desk, PermDispatch, "更正分类"},
	takeBack:     {Level, PermDecide, "同意退单"},
	lapse:        {Desk, PermExpire, "到期自动处理"},
	followAnswer: {Desk, PermAnswer, "随主单答复"},
	followReply:  {Unit, PermReply, "随主单反馈"},
	partSent:     {Desk, PermMerge, "撤销并单，退还待签收的单位"},
	partHandling: {Desk, PermMerge, "撤销并单，退还办理中的单位"},
	partHeld:     {Desk, PermMerge, "撤销并单，继续等待企业补充"},
}

// RightOf says who may take the action; the zero Right for one that is not known.
func RightOf(a Action) Right { return rights[a] }

// Addressed reports whether the action is a command of its own; the others follow from another one.
func (a Action) Addressed() bool {
	switch a {
	case takeBack, lapse, followAnswer, followReply, partSent, partHandling, partHeld:
		return false
	}
	return rights[a].Label != ""
}

// next finds the state the action leads to.
func next(from Status, a Action) (Status, bool) {
	to, ok := steps[from][a]
	return to, ok
}

// steps is the table by state and action, in the order of the table; a table that is not sound does not load.
var steps, order = load()

func load() (map[Status]map[Action]Status, map[Status][]Action) {
	table := Lifecycle()
	if err := ValidateLifecycle(table); err != nil {
		panic("ticket: lifecycle: " + err.Error())
	}
	to, list := map[Status]map[Action]Status{}, map[Status][]Action{}
	for _, t := range table {
		if to[t.From] == nil {
			to[t.From] = map[Action]Status{}
		}
		to[t.From][t.Action] = t.To
		list[t.From] = append(list[t.From], t.Action)
	}
	return to, list
}

// actionsFrom lists the actions that are legal in a state, in the order of the table.
func actionsFrom(from Status) []Action { return order[from] }

// legal names the commands that are legal in a state, for the message of one that is not.
func legal(from Status) string {
	var names []string
	for _, a := range actionsFrom(from) {
		if a.Addressed() && a != ToLink && a != ToUnlink {
			names = append(names, RightOf(a).Label)
		}
	}
	if len(names) == 0 {
		return "此状态下不再办理"
	}
	return "此状态下可以：" + strings.Join(names, "、")
}

// ValidateLifecycle says what is wrong with a table of steps: an unknown state, an action nobody has the right to, two
// answers to one question, a state that cannot be reached from Received or from which no end can be reached.
func ValidateLifecycle(table []Transition) error {
	seen := map[Transition]bool{}
	ends := []Status{Archived, Void}
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

// Drawing is the table as a Mermaid drawing of states, for docs/ticket-lifecycle.md.
func Drawing() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, s := range slices.Sorted(maps.Keys(statuses)) {
		fmt.Fprintf(&b, "    %s: %s\n", s, s.Label())
	}
	fmt.Fprintf(&b, "    [*] --> %s\n", Received)
	within := map[Status][]string{}
	for _, t := range Lifecycle() {
		if t.Action == ToLink || t.Action == ToUnlink {
			continue // legal everywhere
		}
		if t.From == t.To {
			within[t.From] = append(within[t.From], RightOf(t.Action).Label)
			continue
		}
		fmt.Fprintf(&b, "    %s --> %s: %s\n", t.From, t.To, RightOf(t.Action).Label)
	}
	for _, s := range []Status{Archived, Void} {
		fmt.Fprintf(&b, "    %s --> [*]\n", s)
	}
	for _, s := range slices.Sorted(maps.Keys(within)) {
		fmt.Fprintf(&b, "    note right of %s: %s\n", s, strings.Join(within[s], "、"))
	}
	return b.String()
}

// Table is every step with who may take it, as a Markdown table.
func Table() string {
	var b strings.Builder
	b.WriteString("| 状态 | 操作 | 之后 | 由谁 | 权限 |\n| --- | --- | --- | --- | --- |\n")
	for _, t := range Lifecycle() {
		if t.Action == ToLink || t.Action == ToUnlink {
			continue
		}
		r := RightOf(t.Action)
		permission := "—"
		if r.Permission != "" {
			permission = "`" + string(r.Permission) + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", t.From.Label(), r.Label, t.To.Label(), sides[r.Side], permission)
	}
	return b.String()
}

var sides = map[Side]string{
	Desk: "受理席", Unit: "主办单位", Handler: "该环节的承办单位", Level: "派出该环节的一级", Worker: "主办单位或受理席", Staff: "可见该工单的工作人员", Requester: "诉求人",
}
