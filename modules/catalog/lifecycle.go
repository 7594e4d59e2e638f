package catalog

import (
	"fmt"
	"maps"
	"slices"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/flow"
)

// Status is where an edition of a product stands.
type Status string

// The states of an edition.
const (
	Draft            Status = "draft"
	PlatformReview   Status = "platform_review"
	GovernmentReview Status = "government_review"
	Scheduled        Status = "scheduled" // approved, its day has not come
	Public           Status = "listed"
	SentBack         Status = "returned"
	TakenBack        Status = "withdrawn"
	Down             Status = "taken_down"
	Over             Status = "expired"
	Replaced         Status = "replaced" // by a newer edition
)

// statuses are all states with the word every face shows.
var statuses = map[Status]string{
	Draft: "草稿", PlatformReview: "待初审", GovernmentReview: "待终审", Scheduled: "待上架", Public: "已上架", SentBack: "已退回", TakenBack: "已撤回",
	Down: "已下架", Over: "已到期", Replaced: "历史版本",
}

// Label is the Chinese word of the state.
func (s Status) Label() string { return statuses[s] }

// Action is a command on a product.
type Action string

// The actions; each but the last three is the last part of its address.
const (
	ToEdit     Action = "edit"
	ToSubmit   Action = "submit"
	ToWithdraw Action = "withdraw"
	ToPass     Action = "pass"
	ToReturn   Action = "return"
	ToTakeDown Action = "take-down"
	ToUnlist   Action = "unlist"
	ToRevise   Action = "revise"
	ToList     Action = "list"
	ToExpire   Action = "expire"
	ToReplace  Action = "replace"
)

// Side is who an action belongs to.
type Side string

// The sides.
const (
	Owner   Side = "owner"   // operators of the institution whose product it is
	Desk    Side = "desk"    // staff who see the whole district
	Machine Side = "machine" // the system itself
)

// Transition is one legal step of an edition. ToRevise leads to the draft of the next edition.
type Transition struct {
	From   Status
	Action Action
	To     Status
}

// Right is what an action asks of the actor.
type Right struct {
	Side       Side
	Permission access.Permission
	Label      string
}

// Lifecycle is every legal step.
func Lifecycle() []Transition {
	return []Transition{
		{Draft, ToSubmit, PlatformReview},
		{Draft, ToEdit, Draft},
		{PlatformReview, ToPass, GovernmentReview},
		{PlatformReview, ToReturn, SentBack},
		{PlatformReview, ToWithdraw, TakenBack},
		{GovernmentReview, ToPass, Scheduled},
		{GovernmentReview, ToReturn, SentBack},
		{GovernmentReview, ToWithdraw, TakenBack},
		{Scheduled, ToList, Public},
		{Scheduled, ToReturn, SentBack},
		{Scheduled, ToWithdraw, TakenBack},
		{SentBack, ToSubmit, PlatformReview},
		{SentBack, ToEdit, SentBack},
		{TakenBack, ToSubmit, PlatformReview},
		{TakenBack, ToEdit, TakenBack},
		{Public, ToRevise, Draft},
		{Public, ToUnlist, Down},
		{Public, ToTakeDown, Down},
		{Public, ToExpire, Over},
		{Public, ToReplace, Replaced},
		{Down, ToRevise, Draft},
		{Over, ToRevise, Draft},
	}
}

// The permissions of the module.
const (
	PermView             access.Permission = "product.view"
	PermEdit             access.Permission = "product.edit"
	PermReviewPlatform   access.Permission = "product.review_platform"
	PermReviewGovernment access.Permission = "product.review_government"
	PermTakeDown         access.Permission = "product.take_down"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "产品", Label: "查看产品"},
		{Name: PermEdit, Group: "产品", Label: "编辑和提交本机构产品"},
		{Name: PermReviewPlatform, Group: "产品", Label: "运营初审、设为推荐"},
		{Name: PermReviewGovernment, Group: "产品", Label: "政府终审"},
		{Name: PermTakeDown, Group: "产品", Label: "下架产品"},
		{Name: PermExport, Group: "产品", Label: "导出产品"},
		{Name: PermUndo, Group: "产品", Label: "撤销任何产品审核决定"},
	}
}

// RightOf says who may take the action on an edition in a state: reviewing is one action at two desks.
func RightOf(from Status, a Action) Right {
	switch a {
	case ToEdit:
		return Right{Owner, PermEdit, "修改"}
	case ToSubmit:
		return Right{Owner, PermEdit, "提交审核"}
	case ToWithdraw:
		return Right{Owner, PermEdit, "撤回"}
	case ToRevise:
		return Right{Owner, PermEdit, "修改为新版本"}
	case ToUnlist:
		return Right{Owner, PermEdit, "下架"}
	case ToTakeDown:
		return Right{Desk, PermTakeDown, "下架"}
	case ToPass:
		if from == GovernmentReview {
			return Right{Desk, PermReviewGovernment, "终审通过"}
		}
		return Right{Desk, PermReviewPlatform, "初审通过"}
	case ToReturn:
		if from == Scheduled {
			return Right{Desk, PermReviewGovernment, "撤销终审并退回"}
		}
		if from == GovernmentReview {
			return Right{Desk, PermReviewGovernment, "终审退回"}
		}
		return Right{Desk, PermReviewPlatform, "初审退回"}
	case ToUndo:
		return Right{Desk, "", "撤销审核决定"}
	case ToList:
		return Right{Machine, "", "按期上架"}
	case ToExpire:
		return Right{Machine, "", "到期下架"}
	case ToReplace:
		return Right{Machine, "", "由新版本替代"}
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

// ValidateLifecycle says what is wrong with a table of steps: an unknown state, an action nobody has the right to, two
// answers to one question, a state that cannot be reached from Draft, or a way to Public around one of the reviews.
func ValidateLifecycle(table []Transition) error {
	type question struct {
		from   Status
		action Action
	}
	seen := map[question]bool{}
	for _, t := range table {
		if statuses[t.From] == "" || statuses[t.To] == "" {
			return fmt.Errorf("%s %s %s: unknown state", t.From, t.Action, t.To)
		}
		if r := RightOf(t.From, t.Action); r.Label == "" || (r.Permission == "" && r.Side != Machine) {
			return fmt.Errorf("%s %s: nobody has the right", t.From, t.Action)
		}
		if seen[question{t.From, t.Action}] {
			return fmt.Errorf("%s %s: two outcomes", t.From, t.Action)
		}
		seen[question{t.From, t.Action}] = true
		if t.To == Scheduled && (t.From != GovernmentReview || t.Action != ToPass) || t.To == Public && (t.From != Scheduled || t.Action != ToList) {
			return fmt.Errorf("%s %s lists a product that was not reviewed", t.From, t.Action)
		}
		if t.To == GovernmentReview && (t.From != PlatformReview || t.Action != ToPass) {
			return fmt.Errorf("%s %s leaves the platform's review out", t.From, t.Action)
		}
	}
	edges := make([]flow.Edge[Status], 0, len(table))
	for _, t := range table {
		edges = append(edges, flow.Edge[Status]{From: t.From, To: t.To})
	}
	return flow.Connected(edges, slices.Sorted(maps.Keys(statuses)), Draft)
}
