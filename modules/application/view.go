package application

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web/page"
	"github.com/huiqi/huiqi/platform/worktime"
)

// Item is an application in a list.
type Item struct {
	ID              int64      `json:"id"`
	Number          string     `json:"number"`
	Version         int64      `json:"version"`
	Status          Status     `json:"status" enum:"submitted,supplement,accepted,in_progress,delivered,approved,disbursed,completed,declined,withdrawn"`
	ProductID       int64      `json:"productId"`
	ProductName     string     `json:"productName"`
	Edition         int64      `json:"edition"` // of the product
	Kind            string     `json:"kind"`
	KindName        string     `json:"kindName"`
	Lends           bool       `json:"lends"`
	InstitutionID   int64      `json:"institutionId"`
	InstitutionName string     `json:"institutionName"`
	EnterpriseID    int64      `json:"enterpriseId"`
	EnterpriseName  string     `json:"enterpriseName"`
	Amount          int64      `json:"amount"` // fen; 0 where none is applied for
	Term            int        `json:"term"`   // months
	HandlerID       int64      `json:"handlerId,omitempty"`
	HandlerName     string     `json:"handlerName"` // empty for applicants
	SubmittedAt     time.Time  `json:"submittedAt"`
	DueAt           time.Time  `json:"dueAt"`
	DueFor          DueFor     `json:"dueFor" enum:",accept,handle,confirm" doc:"What must be done until dueAt; empty when nothing is due."`
	Held            bool       `json:"held" doc:"The deadline stands still while the company is to supply something."`
	Overdue         bool       `json:"overdue"`
	Marks           *Marks     `json:"marks,omitempty" doc:"When words were searched for."`
	ClosedAt        *time.Time `json:"closedAt,omitempty"`
}

// View is an application as one actor may see it.
type View struct {
	Item
	Purpose        string      `json:"purpose"`
	Collateral     string      `json:"collateral"`
	Materials      []string    `json:"materials"` // what the product asked for when it was applied for
	Source         Source      `json:"source" enum:"h5,portal"`
	ContactName    string      `json:"contactName"` // masked for staff outside the institution
	Phone          string      `json:"phone"`       // masked
	TelephoneOpens bool        `json:"telephoneOpens"`
	Extra          []ExtraItem `json:"extra" nullable:"false" doc:"What was filled into the fields that administrators define."`
	Fill           *Extra      `json:"fill,omitempty" doc:"What the actor fills in beside it for the institution."`
	Mend           *Mend       `json:"mend,omitempty" doc:"What the actor fills in, or puts right, for the company."`
	Unanswered     []string    `json:"unanswered" nullable:"false" doc:"What administrators require of the company and it has not answered."`
	Reason         string      `json:"reason"` // why it ended, or what is lacking
	ApprovedAmount int64       `json:"approvedAmount"`
	ApprovedRate   int         `json:"approvedRate"`
	ApprovedTerm   int         `json:"approvedTerm"`
	Plan           *Plan       `json:"plan,omitempty" doc:"How the service is given."`
	DeliveredAt    *time.Time  `json:"deliveredAt,omitempty"`
	// Diligence is for the handling institution; others read in the timeline that it was done.
	Diligence        []DiligenceView `json:"diligence,omitempty"`
	Payments         []PaymentView   `json:"payments"`
	DisbursedAmount  int64           `json:"disbursedAmount"`
	DisbursedAt      *time.Time      `json:"disbursedAt,omitempty"`
	Due              *DueView        `json:"due,omitempty" doc:"The deadline that runs, with how it came about."`
	Next             string          `json:"next"`             // what happens next, for the applicant
	InstitutionPhone string          `json:"institutionPhone"` // whom to call about it
	Hotline          string          `json:"hotline"`
	Hints            []Hint          `json:"hints" doc:"What the actor reads at the steps, for this kind of products."`
	Undo             *UndoView       `json:"undo,omitempty" doc:"The step that the actor may take back."`
	Timeline         []Step          `json:"timeline"` // oldest first
	Files            []FileView      `json:"files"`
	PaperFiles       []FileView      `json:"paperFiles" doc:"Pictures of the licences that were handed in."`
	Actions          []Action        `json:"actions" enum:"withdraw,supplement,confirm,object,accept,decline,ask-supplement,progress,plan,plan-step,deliver,diligence,approve,disburse,complete,hand-over"` // what the actor may do now
}

// Step is one entry of the timeline. Applicants read the institution's name in place of its staff's.
type Step struct {
	Seq     int64     `json:"seq"`
	Kind    string    `json:"kind"` // the event's type: "application.accepted"
	Label   string    `json:"label"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor,omitempty"`
	Text    string    `json:"text,omitempty"`
	FileIDs []int64   `json:"fileIds,omitempty"`
}

// FileView is a file tied to an application, as the files module tells it.
type FileView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Mime string `json:"mime"`
	URL  string `json:"url"`
	// State says whether it may be had: it waits for the virus scanner, or was put away by it.
	State string `json:"state" enum:"available,waiting,quarantined"`
}

func (a *Application) item(actor access.Actor, now time.Time) Item {
	i := Item{
		ID: a.ID, Number: a.Number, Version: a.Version, Status: a.Status, ProductID: a.ProductID, ProductName: a.ProductName, Edition: a.Edition, Kind: a.Kind,
		KindName: a.KindName, Lends: a.Lends, InstitutionID: a.InstitutionID, InstitutionName: a.InstitutionName, EnterpriseID: a.EnterpriseID, EnterpriseName: a.EnterpriseName,
		Amount: a.Amount, Term: a.Term, HandlerID: a.HandlerID, HandlerName: a.HandlerName, SubmittedAt: a.SubmittedAt.UTC(), DueAt: a.Due.At.UTC(), DueFor: a.For, Held: a.HeldAt != nil,
		Overdue: a.Overdue(now), ClosedAt: utc(a.ClosedAt),
	}
	if actor.Party == access.Enterprise {
		i.HandlerID, i.HandlerName = 0, ""
	}
	return i
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

// view gathers all an actor may see of an application they can see.
func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, a *Application) (View, error) {
	v := View{
		Item: a.item(actor, s.Clock.Now()), Purpose: a.Purpose, Collateral: a.Collateral, Materials: []string{}, Source: a.Source, ContactName: a.ContactName,
		TelephoneOpens: handles(actor, a), Reason: a.Reason, ApprovedAmount: a.ApprovedAmount, ApprovedRate: a.ApprovedRate, ApprovedTerm: a.ApprovedTerm,
		DisbursedAmount: a.DisbursedAmount, DisbursedAt: utc(a.DisbursedAt), Next: a.nextStep(), Hotline: s.Hotline,
		Timeline: []Step{}, Payments: []PaymentView{}, Files: []FileView{}, PaperFiles: []FileView{}, Actions: []Action{},
	}
	if a.Materials != "" {
		v.Materials = strings.Split(a.Materials, "\n")
	}
	if err := s.addExtra(ctx, db, actor, a, &v); err != nil {
		return View{}, err
	}
	phone, err := s.Box.Open(a.PhoneSealed, phonePlace(a.Number))
	if err != nil {
		return View{}, err
	}
	v.Phone = text.MaskPhone(string(phone))
	if sees(actor) && actor.Party != access.System {
		v.ContactName = text.MaskName(a.ContactName)
	}
	if v.InstitutionPhone, err = s.Institutions.Telephone(ctx, db, a.InstitutionID); err != nil {
		return View{}, err
	}
	cal, err := s.calendarOf(ctx, db, a.Calendar)
	if err != nil {
		return View{}, err
	}
	v.Due = a.Due.view(cal, s.Clock.Now())
	events, err := event.Of(ctx, db, Object, a.ID)
	if err != nil {
		return View{}, err
	}
	for _, e := range events {
		step, err := stepOf(e)
		if err != nil {
			return View{}, err
		}
		if actor.Party == access.Enterprise {
			if slices.Contains(inside, step.Kind) {
				continue
			}
			step = step.public(a.InstitutionName)
		}
		v.Timeline = append(v.Timeline, step)
	}
	if v.Hints, err = hintsFor(ctx, db, readerOf(actor), a.Kind); err != nil {
		return View{}, err
	}
	if v.Undo, err = s.undoFor(ctx, db, actor, a, v.Timeline); err != nil {
		return View{}, err
	}
	if a.Plan.Edition > 0 {
		plan := a.Plan
		v.Plan = &plan
	}
	v.DeliveredAt = utc(a.DeliveredAt)
	if v.Payments, err = payments(ctx, db, a.ID); err != nil {
		return View{}, err
	}
	if handles(actor, a) || actor.Party == access.System {
		if v.Diligence, err = s.diligences(ctx, db, a.ID); err != nil {
			return View{}, err
		}
	}
	files, err := s.Files.Of(ctx, db, Object, a.ID)
	if err != nil {
		return View{}, err
	}
	v.Files = append(v.Files, files...)
	if s.Papers != nil {
		handed, err := s.Papers.FilesOf(ctx, db, Object, a.ID)
		if err != nil {
			return View{}, err
		}
		v.PaperFiles = append(v.PaperFiles, handed...)
	}
	for _, action := range a.actions() {
		if may(actor, a, action) {
			v.Actions = append(v.Actions, action)
		}
	}
	return v, nil
}

// inside are the entries that only the institution and the district's staff read.
var inside = []string{"application.handed_over", "application.due_warned", "application.extra_filled"}

// nextStep tells the applicant what happens next and what to do.
func (a *Application) nextStep() string {
	switch a.Status {
	case Waiting:
		return a.InstitutionName + "应在 " + clock.Show(a.Due.At) + " 前受理，受理后会与您联系。到期未受理的，请拨打下方电话催办。"
	case Lacking:
		return "请按要求补充材料并提交，提交后继续办理。"
	case Taken:
		if a.Lends {
			return "机构已受理，将安排专人与您联系并开展尽职调查，请保持电话畅通。"
		}
		return "机构已受理，将与您商定服务方案，请保持电话畅通。"
	case Working:
		if a.Lends {
			return "机构正在尽职调查，完成后在这里告知审批金额、利率和期限。"
		}
		return "机构正在按方案办理，每一步完成都会写在这里。"
	case Given:
		return "机构已交付，请在 " + clock.Show(a.Due.At) + " 前核对并确认；不符合约定的，请在此之前提出异议。到期未提出的，视为确认。"
	case Granted:
		return "请核对审批金额、利率和期限，接受的请与机构签约，签约后放款；不接受的可以撤回申请。"
	case PaidOut:
		return "款项已发放，请按约定用途使用、按期还款。"
	case Done:
		return "申请已办结。后续有问题，可以拨打机构电话咨询。"
	case Refused:
		return "可以根据原因调整后重新申请，也可以选择其他产品。"
	case Dropped:
		return "申请已撤回，需要时可以重新申请。"
	}
	return ""
}

// stepOf reads the event back into words.
func stepOf(e event.Event) (Step, error) {
	s := Step{Seq: e.Seq, Kind: e.Type, Label: "更新", At: e.At.UTC(), Actor: e.By()}
	var err error
	switch e.Type {
	case "application.submitted":
		s.Label = "提交申请"
	case "application.accepted":
		var f Accepted
		err = e.Decode(&f)
		s.Label, s.Text = "受理申请", f.Note
	case "application.declined":
		var f Declined
		err = e.Decode(&f)
		s.Label, s.Text = "审核未通过", f.Reason
		if f.From == Waiting {
			s.Label = "不予受理"
		}
	case "application.withdrawn":
		var f Withdrawn
		err = e.Decode(&f)
		s.Label, s.Text = "撤回申请", f.Reason
	case "application.supplement_asked":
		var f SupplementAsked
		err = e.Decode(&f)
		s.Label, s.Text = "要求补正", f.Reason
	case "application.supplemented":
		var f Supplemented
		err = e.Decode(&f)
		s.Label, s.Text, s.FileIDs = "补充材料", join(f.Note, mendedText(f.Changes)), f.FileIDs
	case "application.progressed":
		var f Progressed
		err = e.Decode(&f)
		s.Label, s.Text, s.FileIDs = "办理进展", f.Note, f.FileIDs
	case "application.approved":
		var f Approved
		err = e.Decode(&f)
		s.Label, s.Text = "审批通过", join(loanText(Loan{f.Amount, f.Rate, f.Term}), f.Note)
	case "application.disbursed":
		var f Disbursed
		err = e.Decode(&f)
		s.Label, s.Text = "放款", join(f.words(), f.Note)
	case "application.investigated":
		var f Investigated
		err = e.Decode(&f)
		s.Label, s.Text = "尽职调查", worktimeDay(f.Day)+"，"+f.Way.Label()
	case "application.planned":
		var f Planned
		err = e.Decode(&f)
		s.Label, s.Text = "服务方案", join(planText(f.Steps), f.Note)
		if f.Edition > 1 {
			s.Label = "调整服务方案"
		}
	case "application.step_done":
		var f StepDone
		err = e.Decode(&f)
		s.Label, s.Text, s.FileIDs = "完成方案步骤", join(f.Title, f.Note), f.FileIDs
	case "application.delivered":
		var f Delivered
		err = e.Decode(&f)
		s.Label, s.Text, s.FileIDs = "交付", join(f.Note, "请企业于 "+clock.Show(f.ConfirmUntil)+" 前确认或提出异议，到期视为确认"), f.FileIDs
	case "application.undone":
		var f Undone
		err = e.Decode(&f)
		s.Label, s.Text = "撤销“"+f.Label+"”", f.Reason
	case "application.objected":
		var f Objected
		err = e.Decode(&f)
		s.Label, s.Text = "企业提出异议", f.Reason
	case "application.completed":
		var f Completed
		err = e.Decode(&f)
		s.Label, s.Text, s.FileIDs = "办结", f.Note, f.FileIDs
		switch f.By {
		case ByCompany:
			s.Label = "企业确认，办结"
		case ByTime:
			s.Label, s.Text, s.Actor = "到期视为确认，办结", "交付后企业在期限内没有提出异议", ""
		}
	case "application.due_warned", "application.overdue", "application.due_moved":
		var f Overdue // of which the others have as much
		err = e.Decode(&f)
		s.Label = map[string]string{"application.due_warned": "时限提醒", "application.overdue": "已超过时限", "application.due_moved": "时限调整"}[e.Type]
		s.Text, s.Actor = dueWords[f.For]+"："+clock.Show(f.DueAt), ""
	case "application.extra_filled":
		var f ExtraFilled
		err = e.Decode(&f)
		s.Label, s.Text = "登记扩展信息", strings.Join(f.Fields, "、")
	case "application.filled":
		var f Filled
		err = e.Decode(&f)
		s.Label, s.Text = "补填申请信息", mendedText(f.Changes)
	case "application.handed_over":
		var f HandedOver
		err = e.Decode(&f)
		s.Label, s.Text = "转交经办", join("由"+f.ToName+"经办", f.Note)
		if f.FromName != "" {
			s.Text = join("由"+f.FromName+"转交"+f.ToName, f.Note)
		}
	}
	return s, err
}

// public puts the institution's name in the place of its staff's.
func (s Step) public(institution string) Step {
	switch s.Kind {
	case "application.submitted", "application.withdrawn", "application.supplemented", "application.overdue", "application.due_moved", "application.objected", "application.filled":
	case "application.completed":
		if !strings.HasPrefix(s.Label, "企业") && s.Actor != "" {
			s.Actor = institution
		}
	default:
		s.Actor = institution
	}
	return s
}

// words say what was paid: "第 2 笔 30 万元（2026-12-01），累计 80 万元，尚未放款 20 万元".
func (f Disbursed) words() string {
	t := "放款金额 " + page.Money(f.Amount)
	if f.No > 0 {
		t = fmt.Sprintf("第 %d 笔，放款金额 %s（%s），累计 %s", f.No, page.Money(f.Amount), f.PaidOn, page.Money(f.Total))
		if f.Left > 0 {
			t += "，尚未放款 " + page.Money(f.Left)
		}
	}
	return t
}

// planText lists the steps of a plan, one a line.
func planText(steps []PlanStep) string {
	lines := make([]string, 0, len(steps))
	for i, s := range steps {
		line := fmt.Sprintf("%d. %s（%s 前）", i+1, s.Title, s.Day)
		if s.Deliverable != "" {
			line += "：" + s.Deliverable
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// worktimeDay is a kept day as people read it; what is none stays as it is.
func worktimeDay(kept string) string {
	if d, err := worktime.ParseDay(kept); err == nil {
		return d.Show()
	}
	return kept
}

// loanText says what was granted: "审批金额 50 万元，年利率 3.85%，期限 12 个月".
func loanText(l Loan) string {
	t := "审批金额 " + page.Money(l.Amount)
	if l.Rate > 0 {
		t += fmt.Sprintf("，年利率 %d.%02d%%", l.Rate/100, l.Rate%100)
	}
	return t + fmt.Sprintf("，期限 %d 个月", l.Term)
}

// join puts texts on lines of their own; empty ones are left out.
func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n")
}
