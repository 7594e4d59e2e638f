package application

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/fault"
)

// Source is the face an application came in by.
type Source string

// The sources.
const (
	FromH5     Source = "h5"
	FromPortal Source = "portal"
)

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrState: the state of the application does not allow the action.
	ErrState = fault.New(fault.Conflict, "APPLICATION_STATE", "申请当前状态不能进行此操作，请刷新后查看")
	// ErrStale: somebody changed the application after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "申请已被他人更新，请刷新后再办理")
	// ErrOpen: the company has an application for the product that has not ended.
	ErrOpen = fault.New(fault.Conflict, "APPLICATION_OPEN", "贵企业已有一件此产品的申请正在办理，可在“我的申请”查看进度")
	// ErrUnverified: only a verified company applies.
	ErrUnverified = fault.New(fault.Conflict, "ENTERPRISE_UNVERIFIED", "企业完成认证后才能提交申请，请先到“我的”完成企业认证；已填写的内容会保存在草稿中")
	// ErrNoEnterprise: the person acts for no company.
	ErrNoEnterprise = fault.New(fault.Conflict, "NO_ENTERPRISE", "当前账号没有关联企业，请先登记企业后再申请")
	// ErrUnlisted: the product is not offered any more, or not yet.
	ErrUnlisted = fault.New(fault.Conflict, "PRODUCT_UNLISTED", "该产品已下架，暂时不能申请。您填写的内容已保存在草稿中，您可以选择其他产品")
)

// Application is one company's request for one product. Only its methods change Status.
type Application struct {
	bun.BaseModel `bun:"table:applications,alias:a"`

	ID      int64  `bun:"id,pk,autoincrement"`
	Number  string `bun:"number,notnull"`
	Status  Status `bun:"status,notnull"`
	Resume  Status `bun:"resume,notnull"` // where a supplement leads back to
	Version int64  `bun:"version,notnull"`
	Source  Source `bun:"source,notnull"`

	// The product as it was when the company applied.
	ProductID       int64  `bun:"product_id,notnull"`
	ProductName     string `bun:"product_name,notnull"`
	Edition         int64  `bun:"edition,notnull"`
	Kind            string `bun:"kind,notnull"`
	KindName        string `bun:"kind_name,notnull"`
	FinancingKind   string `bun:"financing_kind,notnull"` // "" of other services
	Lends           bool   `bun:"lends,notnull"`
	InstitutionID   int64  `bun:"institution_id,notnull"`
	InstitutionName string `bun:"institution_name,notnull"`
	Materials       string `bun:"materials,notnull"`     // one a line
	PromisedDays    int    `bun:"promised_days,notnull"` // working days until the result; 0 where the product promises none

	EnterpriseID   int64  `bun:"enterprise_id,notnull"`
	EnterpriseName string `bun:"enterprise_name,notnull"`
	UserID         int64  `bun:"user_id,notnull"`
	ContactName    string `bun:"contact_name,notnull"`
	PhoneSealed    string `bun:"phone_sealed,notnull"`
	PhoneBlind     string `bun:"phone_blind,notnull"`
	PhoneTail      string `bun:"phone_tail,notnull"`

	Amount     int64  `bun:"amount,notnull"` // fen; financing only
	Term       int    `bun:"term,notnull"`   // months; financing only
	Purpose    string `bun:"purpose,notnull"`
	Collateral string `bun:"collateral,notnull"`

	HandlerID   int64      `bun:"handler_id,nullzero"`
	HandlerName string     `bun:"handler_name,notnull"`
	SubmittedAt time.Time  `bun:"submitted_at,notnull"`
	AcceptedAt  *time.Time `bun:"accepted_at"`
	// AcceptMinutes and TotalMinutes are the times it took, on the clock; 0 while it goes on.
	AcceptMinutes int64      `bun:"accept_minutes,notnull"`
	TotalMinutes  int64      `bun:"total_minutes,notnull"`
	ClosedAt      *time.Time `bun:"closed_at"`
	Reason        string     `bun:"reason,notnull"` // why it ended, or what is lacking

	// Plan is how a service is given; DeliveredAt when it was, while the company has not objected.
	Plan        Plan       `bun:"plan,notnull"`
	DeliveredAt *time.Time `bun:"delivered_at"`

	Diligences      int        `bun:"diligences,notnull"` // records of due diligence
	ApprovedAt      *time.Time `bun:"approved_at"`
	ApprovedAmount  int64      `bun:"approved_amount,notnull"` // fen
	ApprovedRate    int        `bun:"approved_rate,notnull"`   // basis points a year
	ApprovedTerm    int        `bun:"approved_term,notnull"`   // months
	Payments        int        `bun:"payments,notnull"`        // instalments
	DisbursedAmount int64      `bun:"disbursed_amount,notnull"`
	DisbursedAt     *time.Time `bun:"disbursed_at"`

	Due

	answers []answerRow // to the fields that administrators define, while it is submitted
}

// Allows reports whether the state of the application allows the action, whoever asks.
func (a *Application) Allows(action Action) bool {
	_, ok := a.next(action)
	return ok
}

// Overdue reports whether the time of the present step has passed.
func (a *Application) Overdue(now time.Time) bool { return a.over(now) }

// move takes the step or says why the state does not allow it.
func (a *Application) move(action Action) error {
	to, ok := a.next(action)
	if !ok {
		return ErrState.With("申请当前为“%s”，不能%s，请刷新后查看最新进展", a.Status.Label(), RightOf(action).Label)
	}
	a.Status = to
	return nil
}

// Submit turns what was typed into an application and starts the institution's clock.
func (a *Application) Submit(now time.Time, h Hours) error {
	if err := a.move(ToSubmit); err != nil {
		return err
	}
	a.SubmittedAt = now
	a.awaitAcceptance(now, h)
	return nil
}

// awaitAcceptance lets the time to accept run anew.
func (a *Application) awaitAcceptance(now time.Time, h Hours) {
	l := h.of(a.Kind)
	a.start(DueAccept, now, l.AcceptDays, l.WarnPercent, h.Calendar())
}

// awaitResult lets the time until the result run anew: what the product promises, or the limit of its kind.
func (a *Application) awaitResult(now time.Time, h Hours) {
	l := h.of(a.Kind)
	days := l.HandleDays
	if a.PromisedDays > 0 {
		days = a.PromisedDays
	}
	a.start(DueHandle, now, days, l.WarnPercent, h.Calendar())
}

// end closes the application: nothing is due any more.
func (a *Application) end(now time.Time) {
	a.ClosedAt, a.TotalMinutes = &now, minutes(a.SubmittedAt, now)
	if a.AcceptMinutes == 0 {
		a.AcceptMinutes = a.TotalMinutes // it ended before anybody accepted it
	}
	a.stop()
}

// minutes is the time between on the clock, at least one.
func minutes(from, until time.Time) int64 { return max(1, int64(until.Sub(from)/time.Minute)) }

// Withdraw ends the application because the company does not want it any more.
func (a *Application) Withdraw(now time.Time, reason string) error {
	if err := a.move(ToWithdraw); err != nil {
		return err
	}
	a.Reason = reason
	a.end(now)
	return nil
}

// Accept takes the application on; the time until the result begins. Whoever accepts becomes the handler when there is none.
func (a *Application) Accept(now time.Time, by Colleague, h Hours) error {
	if err := a.move(ToAccept); err != nil {
		return err
	}
	a.AcceptedAt, a.AcceptMinutes = &now, minutes(a.SubmittedAt, now)
	a.awaitResult(now, h)
	if a.HandlerID == 0 {
		a.HandlerID, a.HandlerName = by.ID, by.Name
	}
	return nil
}

// Decline ends the application with a reason that the company reads.
func (a *Application) Decline(now time.Time, reason string) error {
	if err := a.move(ToDecline); err != nil {
		return err
	}
	a.Reason = reason
	a.end(now)
	return nil
}

// Ask stops until the company supplies what is lacking; the clock stands still.
func (a *Application) Ask(now time.Time, what string) error {
	from := a.Status
	if err := a.move(ToAsk); err != nil {
		return err
	}
	a.Resume, a.Reason = from, what
	a.hold(now)
	return nil
}

// Supply goes on where it stopped. An application that was not accepted yet starts its clock anew.
func (a *Application) Supply(now time.Time, h Hours) error {
	if err := a.move(ToSupplement); err != nil {
		return err
	}
	if a.Status == Waiting {
		a.awaitAcceptance(now, h)
	} else {
		a.goOn(now, h.Calendar())
	}
	a.Resume, a.Reason = "", ""
	return nil
}

// Progress tells how far the institution is.
func (a *Application) Progress() error { return a.move(ToProgress) }

// Loan is what an institution grants: an amount in fen, a yearly rate in basis points (0 where there is none, as for equity),
// a term in months.
type Loan struct {
	Amount int64
	Rate   int
	Term   int
}

// Approve keeps what the institution grants after its due diligence.
func (a *Application) Approve(now time.Time, l Loan) error {
	if err := a.move(ToApprove); err != nil {
		return err
	}
	if a.Diligences == 0 {
		return ErrNoDiligence
	}
	a.ApprovedAt = &now
	var errs []error
	if l.Amount <= 0 || l.Amount > maxAmount {
		errs = append(errs, fault.InvalidField("amount", "AMOUNT_RANGE", "请填写审批金额，大于 0 且不超过 100 亿元"))
	}
	if l.Rate < 0 || l.Rate > maxRate {
		errs = append(errs, fault.InvalidField("rate", "RATE_RANGE", "年利率应在 0 至 36% 之间"))
	}
	if l.Term < 1 || l.Term > maxTerm {
		errs = append(errs, fault.InvalidField("term", "TERM_RANGE", "期限应在 1 至 360 个月之间"))
	}
	a.ApprovedAmount, a.ApprovedRate, a.ApprovedTerm = l.Amount, l.Rate, l.Term
	a.stop()
	return fault.Merge(errs...)
}

// Complete ends the application well.
func (a *Application) Complete(now time.Time) error {
	if err := a.move(ToComplete); err != nil {
		return err
	}
	a.end(now)
	return nil
}

// HandOver makes a colleague the handler.
func (a *Application) HandOver(to Colleague) error {
	if err := a.move(ToHandOver); err != nil {
		return err
	}
	a.HandlerID, a.HandlerName = to.ID, to.Name
	return nil
}
