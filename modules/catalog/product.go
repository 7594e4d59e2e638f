package catalog

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrState: the state of the product does not allow the action.
	ErrState = fault.New(fault.Conflict, "PRODUCT_STATE", "产品当前状态不能进行此操作，请刷新后查看")
	// ErrStale: somebody changed the product after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "产品已被他人更新，请刷新后再办理")
	// ErrOwn: nobody reviews what they submitted.
	ErrOwn = fault.New(fault.Forbidden, "PRODUCT_OWN_REVIEW", "您提交的产品须由其他人审核")
	// ErrSamePerson: the two reviews are by two people.
	ErrSamePerson = fault.New(fault.Forbidden, "PRODUCT_SAME_REVIEWER", "初审和终审须由不同的人办理，您已办理初审")
	// ErrSuspended: the institution is out of service.
	ErrSuspended = fault.New(fault.Conflict, "INSTITUTION_SUSPENDED", "本机构已暂停服务，暂不能提交产品，请联系平台运营人员")
	// ErrKindFixed: applications and statistics hang on the kind of a product that was listed.
	ErrKindFixed = fault.InvalidField("kind", "PRODUCT_KIND_FIXED", "产品上架后不能改变服务类别，如需提供其他类别的服务，请新建产品")
)

// Product is what an institution offers. Only methods of dossier change its state.
type Product struct {
	bun.BaseModel `bun:"table:products,alias:p"`

	ID                int64      `bun:"id,pk,autoincrement"`
	InstitutionID     int64      `bun:"institution_id,notnull"`
	InstitutionName   string     `bun:"institution_name,notnull"`
	InstitutionActive bool       `bun:"institution_active,notnull"`
	Name              string     `bun:"name,notnull"`           // of the newest edition
	Kind              string     `bun:"kind,notnull"`           // fixed once listed
	FinancingKind     string     `bun:"financing_kind,notnull"` // fixed once listed
	Status            Status     `bun:"status,notnull"`         // of the newest edition
	StatusAt          time.Time  `bun:"status_at,notnull"`
	Edition           int64      `bun:"edition,notnull"` // the newest
	Shown             int64      `bun:"shown,notnull"`   // the public one, 0 for none
	Version           int64      `bun:"version,notnull"`
	Recommended       bool       `bun:"recommended,notnull"`
	Heat              int64      `bun:"heat,notnull"`         // of the last days' use
	Hot               bool       `bun:"hot,notnull"`          // among the hottest
	RatingScore       int64      `bun:"rating_score,notnull"` // what those who were served say: see Rating
	RatingMean        int64      `bun:"rating_mean,notnull"`
	RatingCount       int64      `bun:"rating_count,notnull"`
	ListedAt          *time.Time `bun:"listed_at"`            // of the public edition
	ListedMicro       int64      `bun:"listed_micro,notnull"` // the same as a number, for the order of the public list
	ExpiresAt         *time.Time `bun:"expires_at"`           // of the public edition
	DueAt             *time.Time `bun:"due_at"`               // until when the review it waits for is to be done
	RemindedAt        *time.Time `bun:"reminded_at"`          // when that was found overdue
	CreatedAt         time.Time  `bun:"created_at,notnull"`
}

// Edition is one version of a product.
type Edition struct {
	bun.BaseModel `bun:"table:product_editions,alias:e"`

	ProductID int64 `bun:"product_id,pk"`
	Number    int64 `bun:"number,pk"`
	Content
	NameKey       string     `bun:"name_key,notnull"`
	Status        Status     `bun:"status,notnull"`
	SubmittedBy   int64      `bun:"submitted_by,nullzero"`
	SubmittedName string     `bun:"submitted_name,notnull"`
	SubmittedAt   *time.Time `bun:"submitted_at"`
	PassedBy      int64      `bun:"passed_by,nullzero"` // the platform's reviewer
	PassedName    string     `bun:"passed_name,notnull"`
	PassedFor     int64      `bun:"passed_for,notnull"` // in whose name, 0 for their own
	PassedAt      *time.Time `bun:"passed_at"`
	ApprovedBy    int64      `bun:"approved_by,nullzero"` // the government's reviewer
	ApprovedName  string     `bun:"approved_name,notnull"`
	ApprovedAt    *time.Time `bun:"approved_at"`
	Reason        string     `bun:"reason,notnull"` // why it was returned or taken down
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	UpdatedAt     time.Time  `bun:"updated_at,notnull"`
}

// dossier is a product with the two editions that can change: the newest and the public one, which may be the same.
type dossier struct {
	*Product

	newest *Edition
	public *Edition // nil when nothing is public
	// by is who takes a step: the actor, where need be in the name of a colleague on leave.
	by access.Actor
}

// about is the edition an action is about.
func (d *dossier) about(a Action) *Edition {
	switch a {
	case ToTakeDown, ToUnlist, ToExpire, ToReplace:
		if d.public != nil {
			return d.public
		}
	}
	return d.newest
}

// move takes the step of one edition or says why its state does not allow it.
func (d *dossier) move(e *Edition, a Action, now time.Time) error {
	to, ok := next(e.Status, a)
	if !ok {
		return ErrState.With("产品当前为“%s”，不能%s，请刷新后查看最新进展", e.Status.Label(), RightOf(e.Status, a).Label)
	}
	e.Status, e.UpdatedAt = to, now
	if e == d.newest {
		d.Status, d.StatusAt = to, now
	}
	return nil
}

// Edit replaces the content of the newest edition.
func (d *dossier) Edit(now time.Time, c Content) error {
	if err := d.move(d.newest, ToEdit, now); err != nil {
		return err
	}
	if d.newest.Number > 1 && (c.Kind != d.Kind || c.FinancingKind != d.FinancingKind) {
		return ErrKindFixed
	}
	d.newest.Content, d.newest.NameKey = c, nameKey(c.Name)
	d.Name, d.Kind, d.FinancingKind = c.Name, c.Kind, c.FinancingKind
	return nil
}

// Submit sends the newest edition to review, from the beginning.
func (d *dossier) Submit(now time.Time, by access.Actor, asked []Asked) error {
	e := d.newest
	if err := d.move(e, ToSubmit, now); err != nil {
		return err
	}
	if !d.InstitutionActive {
		return ErrSuspended
	}
	e.SubmittedBy, e.SubmittedName, e.SubmittedAt = by.UserID, by.Name, &now
	e.PassedBy, e.PassedName, e.PassedAt, e.PassedFor, e.Reason = 0, "", nil, 0, ""
	return fault.Merge(e.complete(now), e.gaps(asked))
}

// Withdraw takes the newest edition back before a decision.
func (d *dossier) Withdraw(now time.Time) error {
	d.newest.ApprovedBy, d.newest.ApprovedName, d.newest.ApprovedAt = 0, "", nil
	return d.move(d.newest, ToWithdraw, now)
}

// Pass is the yes of a reviewer; the second makes the edition public, unless its day is to come, and returns the number of
// the one it replaces.
func (d *dossier) Pass(now time.Time, by access.Actor) (replaces int64, err error) {
	e := d.newest
	if err := d.mayReview(by); err != nil {
		return 0, err
	}
	if err := d.move(e, ToPass, now); err != nil {
		return 0, err
	}
	if e.Status == GovernmentReview {
		e.PassedBy, e.PassedName, e.PassedAt, e.PassedFor = by.UserID, by.Name, &now, by.InNameOf.ID
		return 0, nil
	}
	if end, err := lastMoment(e.ValidUntil); err != nil {
		return 0, err
	} else if end != nil && !end.After(now) {
		return 0, ErrState.With("产品的有效期 %s 已过，请退回机构修改", e.ValidUntil)
	}
	e.ApprovedBy, e.ApprovedName, e.ApprovedAt = by.UserID, by.Name, &now
	if e.ListFrom > dayOf(now) {
		return 0, nil
	}
	return d.List(now)
}

// dayOf is the day in Beijing.
func dayOf(now time.Time) string { return now.In(clock.Beijing).Format(time.DateOnly) }

// List makes the approved edition public and returns the number of the one it replaces.
func (d *dossier) List(now time.Time) (replaces int64, err error) {
	e := d.newest
	if e.ListFrom > dayOf(now) {
		return 0, ErrState.With("产品定于 %s 上架，还没有到期", e.ListFrom)
	}
	end, err := lastMoment(e.ValidUntil)
	if err != nil {
		return 0, err
	}
	if err := d.move(e, ToList, now); err != nil {
		return 0, err
	}
	if d.public != nil {
		replaces = d.public.Number
		if err := d.move(d.public, ToReplace, now); err != nil {
			return 0, err
		}
	}
	d.public = e
	d.Shown, d.ListedAt, d.ListedMicro, d.ExpiresAt = e.Number, &now, now.UnixMicro(), end
	return replaces, nil
}

// mayReview keeps submitter and the two reviewers three people; who acts in the name of another is both.
func (d *dossier) mayReview(by access.Actor) error {
	e := d.newest
	if by.Is(e.SubmittedBy) {
		return ErrOwn
	}
	if e.Status == GovernmentReview && by.Is(e.PassedBy, e.PassedFor) {
		if by.InNameOf.ID != 0 || by.UserID != e.PassedBy {
			return ErrSamePerson.With("初审和终审须由不同的人办理，您、委托您的同事或受您委托的同事已办理初审")
		}
		return ErrSamePerson
	}
	return nil
}

// Return is the no of a reviewer.
func (d *dossier) Return(now time.Time, by access.Actor, reason string) error {
	if err := d.mayReview(by); err != nil {
		return err
	}
	if err := d.move(d.newest, ToReturn, now); err != nil {
		return err
	}
	d.newest.Reason = reason
	d.newest.ApprovedBy, d.newest.ApprovedName, d.newest.ApprovedAt = 0, "", nil
	return nil
}

// Leave takes the public edition off the list: taken down, unlisted or expired.
func (d *dossier) Leave(now time.Time, a Action, reason string) error {
	e := d.about(a)
	if err := d.move(e, a, now); err != nil {
		return err
	}
	e.Reason = reason
	d.Shown, d.ListedAt, d.ExpiresAt, d.public, d.Recommended = 0, nil, nil, nil, false
	return nil
}

// Revise begins the next edition with the content of the newest.
func (d *dossier) Revise(now time.Time) error {
	to, ok := next(d.newest.Status, ToRevise)
	if !ok {
		return ErrState.With("产品当前为“%s”，不能修改为新版本，请刷新后查看最新进展", d.newest.Status.Label())
	}
	d.Edition++
	d.newest = &Edition{ProductID: d.ID, Number: d.Edition, Content: d.newest.Content, NameKey: d.newest.NameKey, Status: to, CreatedAt: now, UpdatedAt: now}
	d.Status, d.StatusAt = to, now
	return nil
}

func (d *dossier) head(e *Edition) Head {
	return Head{ID: d.ID, Name: e.Name, Kind: e.Kind, Edition: e.Number, Version: d.Version, Status: e.Status,
		InstitutionID: d.InstitutionID, InstitutionName: d.InstitutionName}
}
