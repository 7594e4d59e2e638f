package catalog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// Item is a product in a list of those who work on it.
type Item struct {
	ID              int64      `json:"id"`
	Name            string     `json:"name"`
	Kind            string     `json:"kind"`
	KindName        string     `json:"kindName"`
	FinancingKind   string     `json:"financingKind"`
	FinancingName   string     `json:"financingName"`
	InstitutionID   int64      `json:"institutionId"`
	InstitutionName string     `json:"institutionName"`
	Status          Status     `json:"status" enum:"draft,platform_review,government_review,scheduled,listed,returned,withdrawn,taken_down,expired,replaced" doc:"Of the newest edition."`
	StatusAt        time.Time  `json:"statusAt"`
	Edition         int64      `json:"edition" doc:"The newest."`
	Shown           int64      `json:"shown" doc:"The public edition, 0 for none."`
	Version         int64      `json:"version"`
	Recommended     bool       `json:"recommended"`
	DueAt           *time.Time `json:"dueAt,omitempty" doc:"Until when the review it waits for is to be done."`
	ListedAt        *time.Time `json:"listedAt,omitempty"`
	ExpiresAt       *time.Time `json:"expiresAt,omitempty"`
	Suspended       bool       `json:"suspended" doc:"The institution is out of service: the product is not shown."`
}

// View is a product as it is opened by those who work on it.
type View struct {
	Item
	Content   Content       `json:"content" doc:"Of the newest edition."`
	Public    *Content      `json:"public,omitempty" doc:"Of the public edition where it is another one."`
	Against   int64         `json:"against" doc:"The approved edition that changes are told against, 0 for none."`
	Changes   []Change      `json:"changes"`
	Warnings  []string      `json:"warnings"`
	Reason    string        `json:"reason" doc:"Why the newest edition was returned or taken down."`
	Submitted string        `json:"submitted" doc:"Who submitted the newest edition."`
	Texts     Texts         `json:"texts"`
	Suits     []string      `json:"suits" nullable:"false" doc:"Whom the newest edition says the product suits, in words."`
	Editions  []EditionView `json:"editions" doc:"Newest first."`
	Timeline  []Step        `json:"timeline" doc:"Oldest first."`
	Actions   []Action      `json:"actions" enum:"edit,submit,withdraw,pass,return,take-down,unlist,revise,recommend" doc:"What the actor may do now."`
	Blocked   string        `json:"blocked,omitempty" doc:"Why the actor may not review it although it is their work."`
	Undo      *UndoView     `json:"undo,omitempty" doc:"The decision of a review that the actor may take back."`
	InNameOf  string        `json:"inNameOf,omitempty" doc:"The colleague on leave for whom the actor reviews it."`
}

// Texts are the numbers of an edition in words.
type Texts struct {
	Rate   string `json:"rate"`
	Amount string `json:"amount"`
	Term   string `json:"term"`
	Days   string `json:"days"`
}

// EditionView is one edition in the history of a product.
type EditionView struct {
	Number      int64      `json:"number"`
	Status      Status     `json:"status" enum:"draft,platform_review,government_review,scheduled,listed,returned,withdrawn,taken_down,expired,replaced"`
	Name        string     `json:"name"`
	SubmittedAt *time.Time `json:"submittedAt,omitempty"`
	ApprovedAt  *time.Time `json:"approvedAt,omitempty"`
	Reason      string     `json:"reason"`
}

// Step is one entry of the timeline. Institutions get no names of staff and no internal notes.
type Step struct {
	Seq     int64     `json:"seq"`
	Kind    string    `json:"kind" doc:"The event's type: product.listed."`
	Label   string    `json:"label"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor,omitempty"`
	Text    string    `json:"text,omitempty"`
	Edition int64     `json:"edition"`

	staff bool // taken by the platform's or the government's staff
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

func (p *Product) item(now time.Time) Item {
	i := Item{
		ID: p.ID, Name: p.Name, Kind: p.Kind, KindName: kindOf(kinds, p.Kind).Name, FinancingKind: p.FinancingKind,
		FinancingName: kindOf(financingKinds, p.FinancingKind).Name, InstitutionID: p.InstitutionID, InstitutionName: p.InstitutionName,
		Status: p.Status, StatusAt: p.StatusAt.UTC(), Edition: p.Edition, Shown: p.Shown, Version: p.Version, Recommended: p.Recommended,
		DueAt: utc(p.DueAt), ListedAt: utc(p.ListedAt), ExpiresAt: utc(p.ExpiresAt), Suspended: !p.InstitutionActive,
	}
	if p.ExpiresAt != nil && !p.ExpiresAt.After(now) {
		i.Shown = 0 // its term has ended, though the books do not say so yet
	}
	return i
}

// view gathers all an actor may see of a product they can see.
func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, d *dossier) (View, error) {
	e := d.newest
	v := View{
		Item: d.item(s.Clock.Now()), Content: e.Content, Changes: []Change{}, Warnings: e.warnings(s.RateLimit), Reason: e.Reason, Submitted: e.SubmittedName,
		Suits: s.inWords(e.Suits), Texts: Texts{e.rateText(), e.amountText(), e.termText(), e.daysText()}, Editions: []EditionView{}, Timeline: []Step{}, Actions: []Action{},
	}
	if d.public != nil && d.public != e {
		v.Public = &d.public.Content
	}
	all, err := editions(ctx, db, d.ID)
	if err != nil {
		return View{}, err
	}
	for _, x := range all {
		v.Editions = append(v.Editions, EditionView{x.Number, x.Status, x.Name, utc(x.SubmittedAt), utc(x.ApprovedAt), x.Reason})
		if v.Against == 0 && x.Number < e.Number && x.ApprovedAt != nil {
			v.Against, v.Changes = x.Number, s.changes(x.Content, e.Content)
		}
	}
	events, err := event.Of(ctx, db, Object, d.ID)
	if err != nil {
		return View{}, err
	}
	for _, ev := range events {
		if ev.Type == "product.edited" {
			continue // many, and the difference tells more
		}
		if ev.Type == "product.review_overdue" && actor.Party == access.Institution {
			continue
		}
		step, err := stepOf(ev)
		if err != nil {
			return View{}, err
		}
		if actor.Party == access.Institution && step.staff {
			step = step.outside()
		}
		v.Timeline = append(v.Timeline, step)
	}
	lent, err := s.Deputies.Lent(ctx, db, actor)
	if err != nil {
		return View{}, err
	}
	by := d.hand(lent, actor, ToPass)
	v.Actions = append(v.Actions, actionsOf(by, d)...)
	if v.Undo, err = s.undoFor(ctx, db, lent, actor, d); err != nil {
		return View{}, err
	}
	if v.InNameOf = by.InNameOf.Name; !slices.Contains(v.Actions, ToPass) {
		v.InNameOf = ""
	}
	if !actor.Can(PermReviewPlatform) { // reviews are lent, an editor's choices are not
		v.Actions = slices.DeleteFunc(v.Actions, func(a Action) bool { return a == ToRecommend })
	}
	if may(by, d, ToPass) && e.Status.reviewing() {
		if err := d.mayReview(by); err != nil {
			v.Blocked = blockedText(err)
		}
	}
	return v, nil
}

func blockedText(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return ErrOwn.Message
}

// actionsOf lists what the actor may do with the product now, in the order of the table.
func actionsOf(actor access.Actor, d *dossier) []Action {
	var out []Action
	seen := map[Action]bool{}
	for _, t := range Lifecycle() {
		a := t.Action
		if seen[a] || d.about(a).Status != t.From || !may(actor, d, a) || RightOf(t.From, a).Side == Machine {
			continue
		}
		if (a == ToPass || a == ToReturn) && d.mayReview(actor) != nil {
			continue
		}
		seen[a] = true
		out = append(out, a)
	}
	if d.public != nil && may(actor, d, ToRecommend) {
		out = append(out, ToRecommend)
	}
	return out
}

// stepOf reads the event back into words.
func stepOf(e event.Event) (Step, error) {
	var h Head
	if err := e.Decode(&h); err != nil {
		return Step{}, err
	}
	s := Step{Seq: e.Seq, Kind: e.Type, Label: labels[e.Type], At: e.At.UTC(), Actor: e.By(), Edition: h.Edition}
	switch e.Type {
	case "product.passed_platform", "product.approved", "product.listed", "product.returned", "product.featured", "product.review_undone":
		s.staff = true
	}
	var err error
	switch e.Type {
	case "product.passed_platform":
		var f PassedPlatform
		err = e.Decode(&f)
		s.Text = f.Note
	case "product.approved":
		var f Approved
		err = e.Decode(&f)
		s.Label, s.Text = fmt.Sprintf("终审通过，定于 %s 上架", f.ListFrom), f.Note
	case "product.listed":
		var f Listed
		if err = e.Decode(&f); e.ActorID == 0 {
			s.Label, s.Actor = "按期上架", ""
		}
		s.Text = f.Note
	case "product.expiring":
		var f Expiring
		err = e.Decode(&f)
		s.Text, s.Actor = "有效期至 "+f.Until, "系统"
	case "product.review_overdue":
		s.Actor = "系统"
	case "product.review_undone":
		var f ReviewUndone
		err = e.Decode(&f)
		s.Label, s.Text = "撤销“"+f.Label+"”", f.Reason
	case "product.returned":
		var f Returned
		err = e.Decode(&f)
		s.Label, s.Text = RightOf(f.Step, ToReturn).Label, f.Reason
	case "product.taken_down":
		var f Unlisted
		err = e.Decode(&f)
		s.Label, s.Text, s.staff = "管理部门下架", f.Reason, !f.Own
		if f.Own {
			s.Label = "机构下架"
		}
	case "product.expired":
		var f Expired
		err = e.Decode(&f)
		s.Text, s.Actor = f.Reason, ""
	case "product.featured":
		var f Featured
		err = e.Decode(&f)
		s.Label = "设为推荐"
		if !f.On {
			s.Label = "取消推荐"
		}
	}
	return s, err
}

// outside drops what is between staff.
func (s Step) outside() Step {
	s.Actor = ""
	if s.Kind != "product.returned" && s.Kind != "product.taken_down" && s.Kind != "product.review_undone" {
		s.Text = ""
	}
	return s
}
