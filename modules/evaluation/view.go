package evaluation

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Item is an evaluation in a list. Words and tags are empty for those they are hidden from.
type Item struct {
	ID              int64      `json:"id"`
	Version         int64      `json:"version"`
	Object          string     `json:"object"`
	ObjectID        int64      `json:"objectId"`
	Phase           Phase      `json:"phase" enum:"during,after"`
	Number          string     `json:"number"`
	Title           string     `json:"title"`
	KindName        string     `json:"kindName"`
	ProductID       int64      `json:"productId"`
	InstitutionID   int64      `json:"institutionId"`
	InstitutionName string     `json:"institutionName"`
	EnterpriseName  string     `json:"enterpriseName"`
	Level           int        `json:"level"`
	Label           string     `json:"label"`
	Tags            []string   `json:"tags"`
	Words           string     `json:"words"`
	GivenAt         time.Time  `json:"givenAt"`
	RevisedAt       *time.Time `json:"revisedAt,omitempty"`
	RepliedAt       *time.Time `json:"repliedAt,omitempty"`
	Hidden          bool       `json:"hidden"`
	Voided          bool       `json:"voided"`
	Counts          bool       `json:"counts"`
}

// First is what was said before an evaluation was given anew.
type First struct {
	Level   int       `json:"level"`
	Label   string    `json:"label"`
	Tags    []string  `json:"tags"`
	Words   string    `json:"words"`
	GivenAt time.Time `json:"givenAt"`
}

// ReportView is a report and what came of it, for those who moderate and for the institution that reported.
type ReportView struct {
	ID           int64      `json:"id"`
	Cause        Cause      `json:"cause"`
	CauseName    string     `json:"causeName"`
	Words        string     `json:"words"`
	By           string     `json:"by"`
	At           time.Time  `json:"at"`
	State        Result     `json:"state" enum:"open,kept,hidden,second,voided"`
	First        string     `json:"first,omitempty"`
	FirstReason  string     `json:"firstReason,omitempty"`
	FirstAt      *time.Time `json:"firstAt,omitempty"`
	Second       string     `json:"second,omitempty"`
	SecondReason string     `json:"secondReason,omitempty"`
	SecondAt     *time.Time `json:"secondAt,omitempty"`
}

// View is an evaluation as one actor may see it.
type View struct {
	Item
	ByLink      bool        `json:"byLink"`
	First       *First      `json:"first,omitempty"`
	Reply       string      `json:"reply"`
	ReplyBy     string      `json:"replyBy,omitempty"`
	ReplyReadAt *time.Time  `json:"replyReadAt,omitempty"`
	HiddenWhy   string      `json:"hiddenWhy,omitempty"`
	Report      *ReportView `json:"report,omitempty"`
	Actions     []string    `json:"actions" enum:"revise,reply,report,decide,confirm,restore"`
}

func tagsOf(s string) []string {
	out := []string{}
	_ = json.Unmarshal([]byte(s), &out) // written by ourselves
	return out
}

// reads reports whether the actor reads words that are hidden from others.
func reads(a access.Actor, v *Evaluation) bool {
	return a.Party == access.Enterprise && a.EnterpriseID == v.EnterpriseID || wide(a) && a.Can(PermModerate)
}

func (v *Evaluation) item(a access.Actor) Item {
	i := Item{ID: v.ID, Version: v.Version, Object: v.Subject, ObjectID: v.SubjectID, Phase: v.Phase, Number: v.Number, Title: v.Title, KindName: v.KindName,
		ProductID: v.ProductID, InstitutionID: v.InstitutionID, InstitutionName: v.InstitutionName, EnterpriseName: v.EnterpriseName,
		Level: v.Level, Label: v.Label, Tags: tagsOf(v.Tags), Words: v.Words, GivenAt: v.GivenAt.UTC(), RevisedAt: v.RevisedAt, RepliedAt: v.RepliedAt,
		Hidden: v.Hidden, Voided: v.Voided, Counts: v.Counts}
	if v.Hidden && !reads(a, v) {
		i.Tags, i.Words = []string{}, ""
	}
	return i
}

// Get returns one evaluation as the actor may see it.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	v, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.DB.Read(), actor, v)
}

func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, v *Evaluation) (View, error) {
	out := View{Item: v.item(actor), ByLink: v.ByLink, Reply: v.Reply, ReplyReadAt: v.ReplyReadAt, Actions: []string{}}
	company := actor.Party == access.Enterprise
	if !company {
		out.ReplyBy = v.ReplyBy
	}
	if reads(actor, v) {
		out.HiddenWhy = v.HiddenWhy
	}
	if v.RevisedAt != nil && (!v.Hidden || reads(actor, v)) {
		f := new(firstRow)
		err := database.Found(db.NewSelect().Model(f).Where("vf.evaluation_id = ?", v.ID).Scan(ctx))
		if err != nil {
			return out, err
		}
		out.First = &First{f.Level, f.Label, tagsOf(f.Tags), f.Words, f.GivenAt.UTC()}
	}
	r, err := latest(ctx, db, v.ID)
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return out, err
	}
	if errors.Is(err, fault.ErrNotFound) {
		r = nil
	}
	moderator := wide(actor) && actor.Can(PermModerate)
	own := actor.Party == access.Institution && actor.InstitutionID == v.InstitutionID && actor.Can(PermReply)
	if r != nil && (moderator || own && r.ByInstitution) {
		out.Report = r.view(moderator)
	}
	current, err := rule(ctx, db, 0)
	if err != nil {
		return out, err
	}
	now := s.Clock.Now()
	open := r != nil && r.open()
	for _, a := range []struct {
		name string
		may  bool
	}{
		{"revise", company && v.revisable(current.Rule, now) == nil},
		{"reply", own && !v.Voided && v.ReplyReadAt == nil},
		{"report", (own || moderator) && !open && !v.Hidden && !v.Voided},
		{"decide", moderator && open && r.State == Open},
		{"confirm", moderator && open && r.State == Second && actor.UserID != r.FirstID && actor.UserID != r.ByID},
		{"restore", moderator && v.Hidden && !v.Voided && !open},
	} {
		if a.may {
			out.Actions = append(out.Actions, a.name)
		}
	}
	return out, nil
}

func (r *reportRow) view(moderator bool) *ReportView {
	v := &ReportView{ID: r.ID, Cause: r.Cause, CauseName: r.Cause.Label(), Words: r.Words, By: r.By, At: r.At.UTC(), State: r.State}
	if moderator || !r.open() {
		v.FirstReason, v.FirstAt, v.SecondReason, v.SecondAt = r.FirstReason, r.FirstAt, r.SecondReason, r.SecondAt
	}
	if moderator {
		v.First, v.Second = r.First, r.SecondBy
	}
	return v
}

// Filter narrows a list within what the actor may see.
type Filter struct {
	InstitutionID int64
	ProductID     int64
	// Low keeps levels 1 and 2, Unanswered what has no reply, Reported what waits for a decision, Hidden what is hidden.
	State  string // "", low, unanswered, reported, hidden, voided
	Level  int
	From   string // first day, 2006-01-02
	To     string // last day
	Cursor string
	Limit  int
}

// stateNames are the choices of a list.
var stateNames = map[string]string{"": "", "low": "不满意", "unanswered": "未回复", "reported": "举报待处理", "hidden": "已隐藏", "voided": "不计分"}

func (f Filter) narrow(q *bun.SelectQuery) (*bun.SelectQuery, error) {
	if _, ok := stateNames[f.State]; !ok {
		return nil, fault.InvalidField("state", "EVALUATION_STATE", "没有这种评价状态，请重新选择")
	}
	if f.InstitutionID != 0 {
		q = q.Where("v.institution_id = ?", f.InstitutionID)
	}
	if f.ProductID != 0 {
		q = q.Where("v.product_id = ?", f.ProductID)
	}
	if f.Level != 0 {
		q = q.Where("v.level = ?", f.Level)
	}
	switch f.State {
	case "low":
		q = q.Where("v.level <= 2")
	case "unanswered":
		q = q.Where("v.replied_at IS NULL AND v.voided = FALSE")
	case "reported":
		q = q.Where("v.id IN (SELECT evaluation_id FROM evaluation_reports WHERE state IN ('open', 'second'))")
	case "hidden":
		q = q.Where("v.hidden = TRUE")
	case "voided":
		q = q.Where("v.voided = TRUE")
	}
	from, to, err := span(f.From, f.To)
	if err != nil {
		return nil, err
	}
	if !from.IsZero() {
		q = q.Where("v.given_at >= ?", from)
	}
	if !to.IsZero() {
		q = q.Where("v.given_at < ?", to)
	}
	return q, nil
}

// span reads two days, each of which may be left out; the end is the moment after the last day.
func span(first, last string) (from, to time.Time, err error) {
	if first != "" {
		if from, err = text.Day("from", first, clock.Beijing); err != nil {
			return from, to, err
		}
	}
	if last != "" {
		if to, err = text.Day("to", last, clock.Beijing); err != nil {
			return from, to, err
		}
		to = to.AddDate(0, 0, 1)
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		err = fault.InvalidField("to", "EVALUATION_SPAN", "结束日期不能早于开始日期")
	}
	return from, to, err
}

// List returns a page of the evaluations the actor may see, newest first, and the cursor of the next page.
func (s *Service) List(ctx context.Context, actor access.Actor, f Filter) ([]Item, string, error) {
	if !actor.SignedIn() {
		return nil, "", fault.ErrUnauthorized
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	var rows []Evaluation
	where, args := visible(actor)
	q, err := f.narrow(s.DB.Read().NewSelect().Model(&rows).Where(where, args...))
	if err != nil {
		return nil, "", err
	}
	if f.Cursor != "" {
		before, err := text.Cursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		q = q.Where("v.id < ?", before)
	}
	if err := q.OrderExpr("v.id DESC").Limit(int64(f.Limit + 1)).Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, f.Limit)
	out := make([]Item, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].item(actor))
	}
	return out, next, nil
}

// Asked is what is asked about a subject, and what was said.
type Asked struct {
	Number          string    `json:"number"`
	Title           string    `json:"title"`
	InstitutionName string    `json:"institutionName"`
	Phase           Phase     `json:"phase" enum:",during,after" doc:"Empty while there is nothing to evaluate."`
	May             bool      `json:"may" doc:"The asker may evaluate it now."`
	Form            *FormView `json:"form,omitempty" doc:"For those who may evaluate."`
	Given           []View    `json:"given" doc:"At most one for each phase, that during the service first."`
}

// Of returns what is asked about a subject and what was said of it. The company's reading of a reply is kept.
func (s *Service) Of(ctx context.Context, actor access.Actor, object string, id int64) (Asked, error) {
	if !actor.SignedIn() {
		return Asked{}, fault.ErrUnauthorized
	}
	subject, err := s.subject(ctx, s.DB.Read(), actor, object, id)
	if err != nil {
		return Asked{}, err
	}
	company := actor.Party == access.Enterprise && actor.EnterpriseID == subject.EnterpriseID
	if !company && !actor.Can(PermView) {
		return Asked{}, ErrForbidden
	}
	if company {
		if err := s.readReplies(ctx, actor, object, id); err != nil {
			return Asked{}, err
		}
	}
	out := Asked{Number: subject.Number, Title: subject.Title, InstitutionName: subject.InstitutionName, Phase: subject.Phase, Given: []View{}}
	db := s.DB.Read()
	out.May = company && subject.Phase != ""
	for _, phase := range []Phase{During, After} {
		v, err := of(ctx, db, object, id, phase)
		if errors.Is(err, fault.ErrNotFound) {
			continue
		}
		if err != nil {
			return out, err
		}
		one, err := s.view(ctx, db, actor, v)
		if err != nil {
			return out, err
		}
		out.May = out.May && phase != subject.Phase
		out.Given = append(out.Given, one)
	}
	if company && subject.Phase != "" {
		form, err := inForce(ctx, db, subject.Kind)
		if err != nil {
			return out, err
		}
		out.Form = &form
	}
	return out, nil
}

// readReplies keeps that the company has read what was replied: from now on it stays as it is.
func (s *Service) readReplies(ctx context.Context, actor access.Actor, object string, id int64) error {
	unread, err := s.DB.Read().NewSelect().Model((*Evaluation)(nil)).
		Where("v.object = ? AND v.object_id = ? AND v.enterprise_id = ? AND v.replied_at IS NOT NULL AND v.reply_read_at IS NULL", object, id, actor.EnterpriseID).Exists(ctx)
	if err != nil || !unread {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := database.Run(ctx, tx, `UPDATE evaluations SET reply_read_at = ?, version = version + 1
			WHERE object = ? AND object_id = ? AND enterprise_id = ? AND replied_at IS NOT NULL AND reply_read_at IS NULL`, s.Clock.Now(), object, id, actor.EnterpriseID)
		return err
	})
}
