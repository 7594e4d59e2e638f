package policy

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// CompanyRegister is the district's register of companies, for those who look for companies a policy fits.
type CompanyRegister interface {
	// FactMark is the id of the latest fact; facts are only added.
	FactMark(ctx context.Context, db bun.IDB) (int64, error)
	CountRegister(ctx context.Context, db bun.IDB) (int, error)
	// EachRegistered gives every company of the register in the order of their ids.
	EachRegistered(ctx context.Context, db bun.IDB, yield func(id int64, facts criteria.Facts) error) error
	// InRegister returns those of the companies that are in the register. Facts of the company's own word are marked Stated.
	InRegister(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]criteria.Facts, error)
	// FactsAfter lists the facts added behind an id, in the order of their ids.
	FactsAfter(ctx context.Context, db bun.IDB, after int64, limit int) ([]ChangedFact, error)
	// FactsUntil is what was known of companies when the fact mark was the latest.
	FactsUntil(ctx context.Context, db bun.IDB, mark int64, ids ...int64) (map[int64]criteria.Facts, error)
	// CheckedFacts is what is known without the companies' own word.
	CheckedFacts(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]criteria.Facts, error)
	// Named names those of the companies that the actor may see.
	Named(ctx context.Context, db bun.IDB, actor access.Actor, ids ...int64) (map[int64]Company, error)
	// Owners returns who speaks for each company; one that nobody speaks for is missing.
	Owners(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]int64, error)
}

// ChangedFact is a fact that was added, and the company it is about.
type ChangedFact struct{ FactID, EnterpriseID int64 }

// Company is how a company is named.
type Company struct {
	ID         int64
	Name       string
	CreditCode string
	Verified   bool
}

// PurposePush is the purpose companies agree to when they want to be told of policies.
const PurposePush = "policy_push"

// Consents says which companies agreed that what is known of them is used for a purpose at a moment. A company that is
// missing did not.
type Consents interface {
	Allows(ctx context.Context, enterpriseIDs []int64, purpose string, at time.Time) (map[int64]bool, error)
	// MayRead says which fields of the companies a member of staff may read for matching, with what the companies agreed to or
	// with basis, the code of a basis the reader claims; a company that is missing agreed to none. Each reading and each refusal is
	// logged for its company.
	MayRead(ctx context.Context, actor access.Actor, enterpriseIDs []int64, basis, what string) (map[int64]func(field string) bool, error)
}

// ErrUnread: the company did not agree that its data is used for matching.
var ErrUnread = fault.New(fault.Forbidden, "POLICY_CONSENT", "该企业未授权“政策匹配”，不能查看匹配依据。请联系企业负责人在“我的企业—数据授权”中办理授权；确因履职需要的，请选择适用的查阅依据后查看")

// Messages tells companies.
type Messages interface {
	// Tell writes one message to a person; a repeat of the key writes none.
	Tell(ctx context.Context, tx bun.Tx, key string, userID int64, template, link string, params map[string]string) error
	// Held returns until when what is not urgent waits, the zero time outside quiet hours.
	Held(at time.Time) time.Time
	// Outcomes says what became of the message of each key.
	Outcomes(ctx context.Context, db bun.IDB, keys []string) (map[string]MessageOutcome, error)
}

// MessageOutcome is what became of a message: of its letters, none when it has none, and whether it was read.
type MessageOutcome struct {
	Delivery Delivery
	Opened   bool
}

// Delivery is what became of the letters of a message.
type Delivery string

// The deliveries, the best first: of several letters the best one counts.
const (
	DeliverySent    Delivery = "sent"
	DeliveryWaiting Delivery = "waiting"
	DeliveryUnknown Delivery = "unknown"
	DeliveryFailed  Delivery = "failed"
)

// Reach is what finding and telling companies needs.
type Reach struct {
	Register CompanyRegister
	Consents Consents
	Messages Messages
	Box      *secret.Box
	Queue    *jobs.Queue
	// PerWeek is how often a company is told of policies within seven days at most.
	PerWeek int
	// KeepOwn and KeepQuick are how long the answers to companies and staff, and those to visitors, can be opened again.
	KeepOwn, KeepQuick time.Duration
	// PublicDays is for how many days a list is shown to the public before companies confirm.
	PublicDays int
}

// UseReach gives the service what it needs to find and tell companies. Before it no such operation works. It panics when
// something is missing.
func (s *Service) UseReach(r Reach) {
	if r.Register == nil || r.Consents == nil || r.Messages == nil || r.Box == nil || r.Queue == nil || r.PerWeek <= 0 || r.KeepOwn <= 0 || r.KeepQuick <= 0 || r.PublicDays <= 0 {
		panic("policy: Reach is not complete")
	}
	s.reach = &r
	s.pool = newPool(s)
}

// The rights of those who find and tell companies.
const (
	PermReverse     access.Permission = "policy.reverse"
	PermReverseTake access.Permission = "policy.reverse_export"
	PermPush        access.Permission = "policy.push"
	PermPushApprove access.Permission = "policy.push_approve"
	PermGrant       access.Permission = "policy.grant"
	PermGrantDecide access.Permission = "policy.grant_decide"
)

// ReachPermissions are the rights of those who find and tell companies.
func ReachPermissions() []access.Info {
	return []access.Info{
		{Name: PermReverse, Group: "政策", Label: "查看政策适配企业"}, {Name: PermReverseTake, Group: "政策", Label: "导出政策适配企业"},
		{Name: PermPush, Group: "政策", Label: "制定政策推送计划"}, {Name: PermPushApprove, Group: "政策", Label: "审批政策推送计划"},
		{Name: PermGrant, Group: "政策", Label: "编制免申即享名单"}, {Name: PermGrantDecide, Group: "政策", Label: "审定免申即享名单和异议"},
	}
}

// staff checks that the actor works with the library of the whole district and holds the right.
func (s *Service) staff(actor access.Actor, right access.Permission) error {
	if err := actor.Need(right); err != nil {
		return err
	}
	if !isStaff(actor) || actor.Scope != access.ScopeDistrict {
		return fault.ErrForbidden
	}
	return nil
}

// The jobs of the module.
type (
	runJob  struct{ RunID int64 }
	pushJob struct{ PushID int64 }
)

// Kind names the job.
func (runJob) Kind() string { return "policy.run" }

// Kind names the job.
func (pushJob) Kind() string { return "policy.push" }

// Work registers the workers of the module; the service is there when a job comes, not yet when workers are made.
func Work(w *jobs.Workers, service func() *Service) {
	jobs.Work(w, func(ctx context.Context, job runJob) error { return service().workRun(ctx, job.RunID) })
	jobs.Work(w, func(ctx context.Context, job pushJob) error { return service().workPush(ctx, job.PushID) })
}
