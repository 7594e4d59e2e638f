package quality

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// The rights of the module.
const (
	PermOwn    access.Permission = "quality.own"    // the agent whose work is checked
	PermView   access.Permission = "quality.view"   // every check, and the figures of a month
	PermScore  access.Permission = "quality.score"  // score what others did
	PermManage access.Permission = "quality.manage" // scorecard, rule, draws, appeals
	PermExport access.Permission = "quality.export"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermOwn, Group: "质检", Label: "接受质检：查看本人质检结果、提出申诉"},
		{Name: PermView, Group: "质检", Label: "查看全部质检单和月度质检情况"},
		{Name: PermScore, Group: "质检", Label: "给他人的业务评分"},
		{Name: PermManage, Group: "质检", Label: "设置评分表和抽检规则、加抽、复核申诉"},
		{Name: PermExport, Group: "质检", Label: "导出质检结果"},
	}
}

// Object names a check in events and audit rows.
const Object = "quality_check"

// Kind is what an agent did.
type Kind string

// The kinds of work.
const (
	Opened     Kind = "opened"
	Answered   Kind = "answered"
	CalledBack Kind = "called_back"
)

// Kinds are all kinds in the order in which they are shown.
var Kinds = []Kind{Opened, Answered, CalledBack}

// Label is the Chinese word of the kind.
func (k Kind) Label() string {
	return map[Kind]string{Opened: "受理", Answered: "直接答复", CalledBack: "回访"}[k]
}

// State is how far a check has come.
type State string

// The states of a check.
const (
	Waiting  State = "waiting"
	Scored   State = "scored"
	Appealed State = "appealed"
	Decided  State = "decided"
	Skipped  State = "skipped"
)

// Label is the Chinese word of the state.
func (s State) Label() string {
	return map[State]string{Waiting: "待评分", Scored: "已评分", Appealed: "申诉中", Decided: "已复核", Skipped: "无法评分"}[s]
}

// Person is an agent.
type Person struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Agents names those who hold a right and are active.
type Agents interface {
	With(ctx context.Context, db bun.IDB, right access.Permission) ([]Person, error)
}

// Tickets tells the titles of the tickets that the actor may see; those they may not are not in the answer.
type Tickets interface {
	Titles(ctx context.Context, actor access.Actor, ids []int64) (map[int64]string, error)
}

// Messages tells people. A repeat of the key to the same person writes nothing.
type Messages interface {
	Tell(ctx context.Context, tx bun.Tx, user int64, key, template, link string, params map[string]string) error
}

// Deps is what the module needs; all of it but Behind.
type Deps struct {
	DB       *database.DB
	Clock    clock.Clock
	Agents   Agents
	Tickets  Tickets
	Messages Messages
	// Behind reports whether the listener has events to hear yet: nothing is drawn of a day before all of it was heard.
	Behind func(ctx context.Context) (bool, error)
}

// Service checks the work of the desk.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Agents == nil || d.Tickets == nil || d.Messages == nil {
		panic("quality: Deps is not complete")
	}
	if d.Behind == nil {
		d.Behind = func(context.Context) (bool, error) { return false, nil }
	}
	return &Service{d}
}

// The faults of the module.
var (
	ErrForbidden = fault.ErrForbidden
	ErrNotFound  = fault.ErrNotFound
	// ErrStale: somebody was faster.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "质检单已被他人更新，请刷新后再操作")
	// ErrOwnWork: nobody scores what they did themselves, nor decides on a score they gave.
	ErrOwnWork = fault.New(fault.Forbidden, "QUALITY_OWN_WORK", "不能给本人的业务评分，请由其他质检人员评分")
	// ErrOwnScore: an appeal goes to a third person.
	ErrOwnScore = fault.New(fault.Forbidden, "QUALITY_OWN_SCORE", "申诉须由评分人和申诉人以外的人员复核")
	// ErrStep: the state of the check does not allow it.
	ErrStep = fault.New(fault.Conflict, "QUALITY_STEP", "当前状态不能这样操作")
)
