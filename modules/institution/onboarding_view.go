package institution

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// ApplicationItem is an application in a list.
type ApplicationItem struct {
	ID          int64      `json:"id"`
	Number      string     `json:"number"`
	State       State      `json:"state" enum:"draft,waiting,checked,returned,approved,refused"`
	Label       string     `json:"label"`
	Round       int        `json:"round"`
	Name        string     `json:"name"`
	Kind        string     `json:"kind"`
	KindName    string     `json:"kindName"`
	CreditCode  string     `json:"creditCode"`
	UserName    string     `json:"userName"`
	Version     int64      `json:"version"`
	SubmittedAt *time.Time `json:"submittedAt,omitempty" doc:"When it was first sent."`
	DueAt       *time.Time `json:"dueAt,omitempty"`
	Overdue     bool       `json:"overdue"`
}

// DocumentView is a document with its pictures.
type DocumentView struct {
	ID int64 `json:"id"`
	Licence
	Days  int        `json:"days" doc:"Days until it ends, negative after; 0 without a term too."`
	Files []FileView `json:"files"`
}

// RoundView is one sending, what had changed since the one before, and what came of it.
type RoundView struct {
	Round       int        `json:"round"`
	SubmittedAt time.Time  `json:"submittedAt"`
	DueAt       time.Time  `json:"dueAt"`
	Outcome     State      `json:"outcome" enum:"waiting,checked,returned,approved,refused,withdrawn"`
	Label       string     `json:"label"`
	Reason      string     `json:"reason"`
	Reviewer    string     `json:"reviewer" doc:"Empty for the applicant."`
	DecidedAt   *time.Time `json:"decidedAt,omitempty"`
	Checker     string     `json:"checker" doc:"Who did the first review; empty for the applicant."`
	CheckedAt   *time.Time `json:"checkedAt,omitempty"`
	Changes     []Change   `json:"changes" doc:"Against the round before; empty in the first."`
}

// ApplicationView is an application as it is opened.
type ApplicationView struct {
	ApplicationItem
	LegalPerson   string         `json:"legalPerson"`
	Phone         string         `json:"phone"`
	Address       string         `json:"address"`
	Summary       string         `json:"summary"`
	Offers        string         `json:"offers"`
	ContactName   string         `json:"contactName"`
	ContactPhone  string         `json:"contactPhone" doc:"Masked for those who neither applied nor review."`
	Account       string         `json:"account"`
	InstitutionID int64          `json:"institutionId,omitempty"`
	Documents     []DocumentView `json:"documents"`
	Rounds        []RoundView    `json:"rounds"`   // newest first
	Timeline      []Step         `json:"timeline"` // oldest first
	MayDecide     bool           `json:"mayDecide" doc:"Whether the review it waits for is the asker's to do."`
	Undo          *UndoView      `json:"undo,omitempty" doc:"The decision that the asker may take back."`
	InNameOf      string         `json:"inNameOf,omitempty" doc:"The colleague on leave for whom the asker does the review it waits for."`
	MayWithdraw   bool           `json:"mayWithdraw"`
}

// reviews are the reviews an application waits for.
var reviews = map[State]string{Waiting: "平台初审", Checked: "政府终审"}

// next tells the applicant what to do or to wait for.
func (v ApplicationView) next() string {
	switch v.State {
	case Draft:
		return "申请尚未提交，请继续填写。"
	case Waiting, Checked:
		if v.DueAt == nil {
			return "请等待审核"
		}
		return "将在" + clock.Show(*v.DueAt) + "前完成" + reviews[v.State] + "，结果会发送消息通知您，期间请保持联系手机畅通。"
	case Returned:
		return "申请已退回，请按以下原因修改后重新提交：\n" + v.reason()
	case Approved:
		return "机构已入驻。请用管理员账号“" + v.Account + "”登录管理后台（/admin/），首次登录的密码由工作人员电话告知，登录后须修改。"
	case Refused:
		return "申请未通过，原因：\n" + v.reason()
	}
	return ""
}

// reason is why the last round ended as it did.
func (v ApplicationView) reason() string {
	if len(v.Rounds) == 0 {
		return ""
	}
	return v.Rounds[0].Reason
}

var onboardingLabels = map[string]string{
	"institution_application.submitted": "提交申请", "institution_application.returned": "退回补正", "institution_application.approved": "通过入驻",
	"institution_application.checked": "初审通过", "institution_application.withdrawn": "撤回申请", "institution_application.refused": "不予通过", "institution_application.overdue": "超过审核时限", "institution_application.review_undone": "撤销审核决定",
}

// visibleApplications narrows every query of an application: a person sees their own, staff with institution.view those
// that were sent, everybody else none.
func visibleApplications(q *bun.SelectQuery, a access.Actor) *bun.SelectQuery {
	switch {
	case a.Party == access.System:
		return q
	case (a.Party == access.Platform || a.Party == access.Government) && a.Can(PermView):
		return q.Where("a.state <> ?", Draft)
	case (a.Party == access.Enterprise || a.Party == access.Institution) && a.UserID != 0:
		return q.Where("a.user_id = ?", a.UserID)
	}
	return q.Where("1 = 0")
}

func (a *Application) item(now time.Time) ApplicationItem {
	return ApplicationItem{ID: a.ID, Number: a.Number, State: a.State, Label: a.State.Label(), Round: a.Round, Name: a.Name, Kind: a.Kind, KindName: kindName(a.Kind),
		CreditCode: a.CreditCode, UserName: a.UserName, Version: a.Version, SubmittedAt: utcOf(a.SubmittedAt), DueAt: utcOf(a.DueAt),
		Overdue: a.underReview() && a.DueAt != nil && a.DueAt.Before(now)}
}

func utcOf(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC()
	return &at
}

// Application returns an application as the actor may see it, ErrNotFound when they may not.
func (s *Service) Application(ctx context.Context, actor access.Actor, id int64) (ApplicationView, error) {
	if !actor.SignedIn() {
		return ApplicationView{}, fault.ErrUnauthorized
	}
	db := s.DB.Read()
	a, err := findApplication(ctx, db, actor, id)
	if err != nil {
		return ApplicationView{}, err
	}
	own := a.UserID == actor.UserID
	lent, err := s.Deputies.Lent(ctx, db, actor)
	if err != nil {
		return ApplicationView{}, err
	}
	by, all := lent.Using(actor, a.reviewers()), lent.With(actor)
	v := ApplicationView{ApplicationItem: a.item(s.Clock.Now()), LegalPerson: a.LegalPerson, Phone: a.Phone, Address: a.Address, Summary: a.Summary, Offers: a.Offers,
		ContactName: a.ContactName, Account: a.Account, InstitutionID: a.InstitutionID, Documents: []DocumentView{}, Rounds: []RoundView{}, Timeline: []Step{},
		MayDecide: a.underReview() && by.Can(a.reviewers()) && !by.Is(a.UserID), InNameOf: by.InNameOf.Name, MayWithdraw: own && a.underReview()}
	number, err := s.Box.Open(a.ContactSealed, contactPlace(a.ID))
	if err != nil {
		return ApplicationView{}, fmt.Errorf("contact of application %d: %w", id, err)
	}
	v.ContactPhone = string(number)
	if !own && !all.Can(PermReview) && !all.Can(PermApprove) {
		v.ContactPhone = text.MaskPhone(v.ContactPhone)
	}
	if v.Undo, err = s.undoFor(ctx, db, lent, actor, a); err != nil {
		return ApplicationView{}, err
	}
	rows, err := documents(ctx, db, id)
	if err != nil {
		return ApplicationView{}, err
	}
	for _, d := range rows {
		files, err := s.Files.Of(ctx, db, ObjectDocument, d.ID)
		if err != nil {
			return ApplicationView{}, err
		}
		v.Documents = append(v.Documents, DocumentView{ID: d.ID, Licence: Licence{Name: d.Name, No: d.No, To: d.To}, Days: s.daysLeft(d.To), Files: files})
	}
	if err := s.addCourse(ctx, db, by, a, &v); err != nil {
		return ApplicationView{}, err
	}
	return v, nil
}

// addCourse adds the rounds and the timeline. Names of the platform's staff are not for outside.
func (s *Service) addCourse(ctx context.Context, db bun.IDB, actor access.Actor, a *Application, v *ApplicationView) error {
	outside := actor.Party == access.Enterprise || actor.Party == access.Institution
	var rounds []round
	if err := db.NewSelect().Model(&rounds).Where("r.application_id = ?", a.ID).OrderExpr("r.round DESC").Scan(ctx); err != nil {
		return err
	}
	for i, r := range rounds {
		view := RoundView{Round: r.Round, SubmittedAt: r.SubmittedAt.UTC(), DueAt: r.DueAt.UTC(), Outcome: r.Outcome, Label: r.Outcome.Label(), Reason: r.Reason,
			Reviewer: r.ReviewerName, DecidedAt: utcOf(r.DecidedAt), Changes: []Change{}}
		if view.Checker, view.CheckedAt = r.CheckerName, utcOf(r.CheckedAt); outside {
			view.Reviewer, view.Checker = "", ""
		}
		if i == 0 && r.CheckedAt != nil && actor.Is(r.CheckerID, r.CheckerFor) {
			v.MayDecide = false // the second review is another person's
		}
		if i+1 < len(rounds) {
			view.Changes = changes(rounds[i+1].Sent, r.Sent)
		}
		v.Rounds = append(v.Rounds, view)
	}
	events, err := event.Of(ctx, db, ObjectApplication, a.ID)
	if err != nil {
		return err
	}
	for _, e := range events {
		var f struct {
			Reason string `json:"reason"`
			Label  string `json:"label"`
		}
		if err := e.Decode(&f); err != nil {
			return err
		}
		st := Step{Seq: e.Seq, Label: onboardingLabels[e.Type], At: e.At.UTC(), Actor: e.By(), Text: f.Reason}
		if f.Label != "" {
			st.Label = "撤销“" + f.Label + "”"
		}
		switch {
		case e.ActorID == 0:
			st.Actor = "系统"
		case outside && e.ActorID != a.UserID:
			st.Actor = "平台工作人员"
		}
		if outside && e.Type == "institution_application.overdue" {
			continue // a matter of the reviewers
		}
		v.Timeline = append(v.Timeline, st)
	}
	return nil
}

// Mine returns the person's newest application, ErrNotFound before they began one.
func (s *Service) Mine(ctx context.Context, actor access.Actor) (ApplicationView, error) {
	if !actor.SignedIn() {
		return ApplicationView{}, fault.ErrUnauthorized
	}
	var ids []int64
	err := s.DB.Read().NewSelect().Model((*Application)(nil)).Column("id").Where("a.user_id = ?", actor.UserID).OrderExpr("a.id DESC").Limit(1).Scan(ctx, &ids)
	if err != nil {
		return ApplicationView{}, err
	}
	if len(ids) == 0 {
		return ApplicationView{}, ErrNotFound
	}
	return s.Application(ctx, actor, ids[0])
}

// Applications returns a page of the applications the actor may see, those of a state when one is named: the waiting ones
// oldest first, otherwise newest first; and the cursor of the next page. It needs institution.view.
func (s *Service) Applications(ctx context.Context, actor access.Actor, state State, cursor string, limit int) ([]ApplicationItem, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	at, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	var rows []Application
	q := visibleApplications(s.DB.Read().NewSelect().Model(&rows), actor).Limit(int64(limit + 1))
	if state != "" {
		q = q.Where("a.state = ?", state)
	}
	switch {
	case state == Waiting || state == Checked:
		q = q.Where("a.id > ?", at).OrderExpr("a.id")
	case at > 0:
		q = q.Where("a.id < ?", at).OrderExpr("a.id DESC")
	default:
		q = q.OrderExpr("a.id DESC")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list applications: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	items := make([]ApplicationItem, 0, len(rows))
	for i := range rows {
		items = append(items, rows[i].item(s.Clock.Now()))
	}
	return items, next, nil
}
