package demand

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// The permissions of the module.
const (
	PermView   access.Permission = "demand.view"
	PermReview access.Permission = "demand.review"
	PermInvite access.Permission = "demand.invite"
	PermQuote  access.Permission = "demand.quote"
	PermExport access.Permission = "demand.export"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "需求", Label: "查看企业需求和统计"},
		{Name: PermReview, Group: "需求", Label: "审核企业需求"},
		{Name: PermInvite, Group: "需求", Label: "邀请机构、移除邀请"},
		{Name: PermQuote, Group: "需求", Label: "为本机构报价（机构）"},
		{Name: PermExport, Group: "需求", Label: "导出企业需求"},
	}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrState: the state of the demand does not allow the action.
	ErrState = fault.New(fault.Conflict, "DEMAND_STATE", "需求当前状态不能进行此操作，请刷新后查看")
	// ErrStale: somebody changed the demand after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "需求已被他人更新，请刷新后再办理")
	// ErrUnverified: only a verified company posts.
	ErrUnverified = fault.New(fault.Conflict, "ENTERPRISE_UNVERIFIED", "企业完成认证后才能发布需求，请先到“我的企业”完成认证；已填写的内容保存在草稿中")
	// ErrNoEnterprise: the person acts for no company.
	ErrNoEnterprise = fault.New(fault.Conflict, "NO_ENTERPRISE", "当前账号没有关联企业，请先登记企业后再发布需求")
	// ErrMany: a company has so many demands at most that have not ended.
	ErrMany = fault.New(fault.Conflict, "DEMAND_MANY", "贵企业未结束的需求已达 20 件，请先关闭不再需要的需求")
	// ErrOwn: nobody reviews what they posted.
	ErrOwn = fault.New(fault.Forbidden, "DEMAND_OWN", "不能审核本人发布的需求，请由其他审核人员办理")
	// ErrPast: the last day for quotes has passed while the demand was under review.
	ErrPast = fault.New(fault.Conflict, "DEMAND_PAST", "报价截止日期已过，不能通过；请退回企业修改日期")
	// ErrOver: quotes are not taken any more.
	ErrOver = fault.New(fault.Conflict, "DEMAND_OVER", "该需求已不再接受报价")
	// ErrQuoteGone: the quote is not there any more.
	ErrQuoteGone = fault.New(fault.Conflict, "QUOTE_GONE", "该报价已被机构撤回，请选择其他报价")
	// ErrQuoteStale: the quote was changed after the actor saw it.
	ErrQuoteStale = fault.New(fault.Conflict, "QUOTE_CHANGED", "机构已修改报价，请查看最新内容后再选定")
	// ErrUnfit: the quote cannot be picked as it is; nothing is lost.
	ErrUnfit = fault.New(fault.Conflict, "QUOTE_UNFIT", "该报价暂不能选定")
	// ErrQuoted: an institution that quoted stays.
	ErrQuoted = fault.New(fault.Conflict, "DEMAND_QUOTED", "该机构已报价，不能移除邀请")
	// ErrInvited: an institution is invited once.
	ErrInvited = fault.New(fault.Conflict, "DEMAND_INVITED", "已邀请过该机构")
)

// Bounds of what is typed, in characters, days and pieces.
const (
	maxTitle       = 60
	maxDescription = 800
	maxPlace       = 100
	maxContactNote = 100
	maxName        = 50
	maxText        = 1000
	maxFiles       = 9
	maxOpen        = 20
	maxTerm        = 360
	maxDays        = 730
	maxAmount      = 10_000_000_000 * 100
	maxRate        = 3600
	longest        = 180 // days quotes may be taken
	pickDays       = 7   // days after the last day for quotes in which one is picked
)

// State is where a demand stands.
type State string

// The states.
const (
	Draft    State = "draft"
	Review   State = "review"
	SentBack State = "returned"
	Open     State = "open"
	Chosen   State = "picked"
	Ended    State = "closed"
	Lapsed   State = "expired"
)

var stateLabels = map[State]string{Draft: "草稿", Review: "待审核", SentBack: "退回修改", Open: "征集报价", Chosen: "已选定", Ended: "已关闭", Lapsed: "已过期"}

// Label is the Chinese word of the state.
func (s State) Label() string { return stateLabels[s] }

// QuoteState is where a quote stands.
type QuoteState string

// The states of a quote.
const (
	Live      QuoteState = "live"
	TakenBack QuoteState = "withdrawn"
	Won       QuoteState = "picked"
	Passed    QuoteState = "passed"
	Over      QuoteState = "ended"
)

// #nosec G101 -- names of states, no secrets
var quoteLabels = map[QuoteState]string{Live: "已报价", TakenBack: "已撤回", Won: "被选定", Passed: "未选定", Over: "需求已结束"}

// Label is the Chinese word of the state.
func (s QuoteState) Label() string { return quoteLabels[s] }

// Kind is a kind of what may be asked for.
type Kind struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Lends bool   `json:"lends" doc:"Money is asked for: an amount and a term."`
}

// Demand is one company's need. Only its methods change State.
type Demand struct {
	bun.BaseModel `bun:"table:demands,alias:d"`

	ID             int64  `bun:"id,pk,autoincrement"`
	Number         string `bun:"number,notnull"`
	State          State  `bun:"state,notnull"`
	Version        int64  `bun:"version,notnull"`
	EnterpriseID   int64  `bun:"enterprise_id,notnull"`
	EnterpriseName string `bun:"enterprise_name,notnull"`
	UserID         int64  `bun:"user_id,notnull"` // who wrote it, afterwards who submitted it

	TypedSealed string    `bun:"typed_sealed,notnull"` // as it was typed last
	CreatedAt   time.Time `bun:"created_at,notnull"`
	SavedAt     time.Time `bun:"saved_at,notnull"`

	// What was submitted last; of a draft that never was, the title alone.
	Kind        string `bun:"kind,notnull"`
	KindName    string `bun:"kind_name,notnull"`
	Lends       bool   `bun:"lends,notnull"`
	Title       string `bun:"title,notnull"`
	Description string `bun:"description,notnull"`
	BudgetMin   int64  `bun:"budget_min,notnull"` // fen
	BudgetMax   int64  `bun:"budget_max,notnull"` // fen; 0 is to be agreed
	Term        int    `bun:"term,notnull"`       // months; financing only
	Until       string `bun:"until,notnull"`      // last day for quotes
	PickUntil   string `bun:"pick_until,notnull"` // last day to pick one
	WantedBy    string `bun:"wanted_by,notnull"`
	Place       string `bun:"place,notnull"`
	Named       bool   `bun:"named,notnull"` // the hall shows the company's name
	ContactName string `bun:"contact_name,notnull"`
	ContactNote string `bun:"contact_note,notnull"`
	PhoneSealed string `bun:"phone_sealed,notnull"`

	Round       int        `bun:"round,notnull"` // of the review
	SubmittedAt *time.Time `bun:"submitted_at"`
	DueAt       *time.Time `bun:"due_at"`      // until when the review is to be done
	RemindedAt  *time.Time `bun:"reminded_at"` // when that was found overdue
	ReviewedBy  int64      `bun:"reviewed_by,notnull"`
	ReviewedAt  *time.Time `bun:"reviewed_at"`
	Reason      string     `bun:"reason,notnull"` // why it was returned or closed
	ApprovedAt  *time.Time `bun:"approved_at"`

	FirstQuoteAt      *time.Time `bun:"first_quote_at"`
	FirstQuoteMinutes int64      `bun:"first_quote_minutes,notnull"`
	OverTold          bool       `bun:"over_told,notnull"` // the company was told that quotes are complete
	EndedAt           *time.Time `bun:"ended_at"`
	QuoteID           int64      `bun:"quote_id,notnull"` // the one that was picked
	ApplicationID     int64      `bun:"application_id,notnull"`
	ApplicationNumber string     `bun:"application_number,notnull"`
}

// today is the day of a moment in Beijing.
func today(now time.Time) string { return now.In(clock.Beijing).Format(time.DateOnly) }

// dayAfter is the day so many days after another.
func dayAfter(day string, n int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly)
}

func (d *Demand) step(to State, action string, from ...State) error {
	for _, f := range from {
		if d.State == f {
			d.State = to
			return nil
		}
	}
	return ErrState.With("需求当前为“%s”，不能%s，请刷新后查看最新进展", d.State.Label(), action)
}

// Submit sends what was typed to the reviewers; due is until when they decide.
func (d *Demand) Submit(now, due time.Time) error {
	if err := d.step(Review, "提交审核", Draft, SentBack); err != nil {
		return err
	}
	d.Round++
	d.SubmittedAt, d.DueAt, d.RemindedAt, d.Reason = &now, &due, nil, ""
	return nil
}

// Recall takes it back from the reviewers.
func (d *Demand) Recall() error {
	d.DueAt, d.RemindedAt = nil, nil
	return d.step(Draft, "撤回修改", Review)
}

// reviewed is what both decisions of a reviewer do.
func (d *Demand) reviewed(by access.Actor, now time.Time) error {
	if by.UserID == d.UserID {
		return ErrOwn
	}
	d.DueAt, d.RemindedAt, d.ReviewedBy, d.ReviewedAt = nil, nil, by.UserID, &now
	return nil
}

// Approve puts it into the hall.
func (d *Demand) Approve(by access.Actor, now time.Time) error {
	if err := d.step(Open, "审核通过", Review); err != nil {
		return err
	}
	if d.Until < today(now) {
		return ErrPast
	}
	d.ApprovedAt = &now
	return d.reviewed(by, now)
}

// Return sends it back with a reason the company reads.
func (d *Demand) Return(by access.Actor, now time.Time, reason string) error {
	if err := d.step(SentBack, "退回", Review); err != nil {
		return err
	}
	d.Reason = reason
	return d.reviewed(by, now)
}

// Close ends it because the company does not want it any more.
func (d *Demand) Close(now time.Time, reason string) error {
	d.EndedAt, d.Reason = &now, reason
	if d.State == Draft && d.Round > 0 { // it was taken back from the reviewers
		return d.step(Ended, "关闭", Draft)
	}
	return d.step(Ended, "关闭", SentBack, Open)
}

// Expire ends it because its days have passed.
func (d *Demand) Expire(now time.Time) error {
	d.EndedAt = &now
	return d.step(Lapsed, "过期", Open)
}

// Pick ends it well.
func (d *Demand) Pick(now time.Time, quote, application int64, number string) error {
	if err := d.pickable(now); err != nil {
		return err
	}
	d.State, d.EndedAt, d.QuoteID, d.ApplicationID, d.ApplicationNumber = Chosen, &now, quote, application, number
	return nil
}

// pickable returns nil while a quote may be picked.
func (d *Demand) pickable(now time.Time) error {
	switch {
	case d.State == Chosen:
		return ErrState.With("已选定报价并生成申请 %s，不能再选", d.ApplicationNumber)
	case d.State != Open:
		return ErrState.With("需求当前为“%s”，不能选定报价，请刷新后查看最新进展", d.State.Label())
	case today(now) > d.PickUntil:
		return ErrState.With("选定期限（%s）已过，不能再选定报价", d.PickUntil)
	}
	return nil
}

// quotable reports whether quotes are taken.
func (d *Demand) quotable(now time.Time) bool { return d.State == Open && today(now) <= d.Until }

// company is whom institutions and the public read.
func (d *Demand) company() string {
	if d.Named {
		return d.EnterpriseName
	}
	return anonymous
}

// anonymous stands for a company that keeps its name back.
const anonymous = "企业未公开名称"

// Quote is what one institution offers for one demand.
type Quote struct {
	bun.BaseModel `bun:"table:demand_quotes,alias:q"`

	ID              int64      `bun:"id,pk,autoincrement"`
	DemandID        int64      `bun:"demand_id,notnull"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	ProductID       int64      `bun:"product_id,notnull"`
	ProductName     string     `bun:"product_name,notnull"`
	State           QuoteState `bun:"state,notnull"`
	Version         int64      `bun:"version,notnull"`
	Price           int64      `bun:"price,notnull"`  // fen; services
	Days            int        `bun:"days,notnull"`   // working days; services
	Amount          int64      `bun:"amount,notnull"` // fen; financing
	Rate            int        `bun:"rate,notnull"`   // basis points a year; financing
	Term            int        `bun:"term,notnull"`   // months; financing
	Text            string     `bun:"text,notnull"`
	ValidUntil      string     `bun:"valid_until,notnull"`
	ByID            int64      `bun:"by_id,notnull"`
	By              string     `bun:"made_by,notnull"`
	At              time.Time  `bun:"made_at,notnull"`
	ChangedAt       time.Time  `bun:"changed_at,notnull"`
	UnfitVersion    int64      `bun:"unfit_version,notnull"` // the version of which its institution was told that it cannot be picked
}

// Invitation tells an institution of a demand, once.
type Invitation struct {
	bun.BaseModel `bun:"table:demand_invitations,alias:i"`

	ID              int64     `bun:"id,pk,autoincrement"`
	DemandID        int64     `bun:"demand_id,notnull"`
	InstitutionID   int64     `bun:"institution_id,notnull"`
	InstitutionName string    `bun:"institution_name,notnull"`
	Why             string    `bun:"why,notnull"` // a line each
	ByMatch         bool      `bun:"by_match,notnull"`
	Gone            bool      `bun:"gone,notnull"` // an operator took it away
	Told            bool      `bun:"told,notnull"` // it was announced once
	By              string    `bun:"made_by,notnull"`
	At              time.Time `bun:"made_at,notnull"`
}

type fileRow struct {
	bun.BaseModel `bun:"table:demand_files,alias:f"`

	ID       int64 `bun:"id,pk,autoincrement"`
	DemandID int64 `bun:"demand_id,notnull"`
	QuoteID  int64 `bun:"quote_id,notnull"` // 0 for the demand's own
	FileID   int64 `bun:"file_id,notnull"`
	Gone     bool  `bun:"gone,notnull"`
}

// Object and ObjectFile are the names of a demand in events and audit rows, and of one of its files.
const (
	Object     = "demand"
	ObjectFile = "demand_file"
)

// visible is the one predicate that narrows every query of demands beside the hall: the company's own, those of the whole district
// without drafts for its staff, and for an institution what it was invited to or quoted for, and what stands in the hall.
func visible(a access.Actor, now time.Time) (where string, args []any) {
	switch {
	case a.Party == access.System:
		return "1 = 1", nil
	case wide(a):
		return "d.state <> 'draft'", nil
	case a.Party == access.Enterprise && a.UserID != 0 && a.EnterpriseID != 0:
		return "d.enterprise_id = ?", []any{a.EnterpriseID}
	case quotes(a):
		return `(d.state = 'open' AND d.until >= ? OR d.state IN ('open', 'picked', 'closed', 'expired') AND (
			EXISTS (SELECT 1 FROM demand_quotes AS q WHERE q.demand_id = d.id AND q.institution_id = ?)
			OR d.state = 'open' AND EXISTS (SELECT 1 FROM demand_invitations AS i WHERE i.demand_id = d.id AND i.institution_id = ? AND NOT i.gone)))`,
			[]any{today(now), a.InstitutionID, a.InstitutionID}
	}
	return "1 = 0", nil
}

// wide reports whether the actor reads the demands of the whole district.
func wide(a access.Actor) bool {
	return (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView)
}

// quotes reports whether the actor quotes for an institution.
func quotes(a access.Actor) bool {
	return a.Party == access.Institution && a.UserID != 0 && a.InstitutionID != 0 && a.Can(PermQuote)
}

// poster checks that the actor acts for a company.
func poster(a access.Actor) error {
	switch {
	case !a.SignedIn():
		return fault.ErrUnauthorized
	case a.Party != access.Enterprise || a.UserID == 0:
		return ErrForbidden
	case a.EnterpriseID == 0:
		return ErrNoEnterprise
	}
	return nil
}
