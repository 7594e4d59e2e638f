package demand

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// QuoteView is a quote as its two sides read it. For staff of the district what it offers is left out.
type QuoteView struct {
	ID                int64      `json:"id"`
	DemandID          int64      `json:"demandId"`
	InstitutionID     int64      `json:"institutionId"`
	InstitutionName   string     `json:"institutionName"`
	ProductID         int64      `json:"productId"`
	ProductName       string     `json:"productName"`
	State             QuoteState `json:"state" enum:"live,withdrawn,picked,passed,ended"`
	Version           int64      `json:"version"`
	Price             int64      `json:"price" doc:"Fen; services."`
	Days              int        `json:"days"`
	Amount            int64      `json:"amount" doc:"Fen; financing."`
	Rate              int        `json:"rate" doc:"Basis points a year; financing."`
	Term              int        `json:"term"`
	Terms             string     `json:"terms" doc:"What is offered, in words."`
	Text              string     `json:"text"`
	ValidUntil        string     `json:"validUntil"`
	Valid             bool       `json:"valid" doc:"Its last day has not passed."`
	By                string     `json:"by,omitempty" doc:"Within the institution."`
	At                time.Time  `json:"at"`
	ChangedAt         time.Time  `json:"changedAt"`
	Files             []FileView `json:"files"`
	Rating            int64      `json:"rating" doc:"What companies say of the product, hundredths of a level; for the company. 0 without an evaluation."`
	RatingCount       int64      `json:"ratingCount"`
	ApplicationID     int64      `json:"applicationId,omitempty"`
	ApplicationNumber string     `json:"applicationNumber,omitempty"`
}

func (q *Quote) view(d *Demand, now time.Time) QuoteView {
	return QuoteView{ID: q.ID, DemandID: q.DemandID, InstitutionID: q.InstitutionID, InstitutionName: q.InstitutionName, ProductID: q.ProductID, ProductName: q.ProductName, State: q.State, Version: q.Version,
		Price: q.Price, Days: q.Days, Amount: q.Amount, Rate: q.Rate, Term: q.Term, Terms: q.terms(d.Lends), Text: q.Text, ValidUntil: q.ValidUntil, Valid: q.ValidUntil >= today(now),
		By: q.By, At: q.At.UTC(), ChangedAt: q.ChangedAt.UTC(), Files: []FileView{}}
}

// InvitationView is an invitation as the company and the staff read it.
type InvitationView struct {
	InstitutionID   int64     `json:"institutionId"`
	InstitutionName string    `json:"institutionName"`
	Why             []string  `json:"why"`
	ByMatch         bool      `json:"byMatch"`
	Gone            bool      `json:"gone"`
	Quoted          bool      `json:"quoted"`
	By              string    `json:"by"`
	At              time.Time `json:"at"`
}

// StepView is a line of the course of a demand.
type StepView struct {
	Label string    `json:"label"`
	By    string    `json:"by"`
	Text  string    `json:"text"`
	At    time.Time `json:"at"`
}

// Item is a demand in the list of the company or of the staff.
type Item struct {
	ID                int64      `json:"id"`
	Number            string     `json:"number"`
	State             State      `json:"state" enum:"draft,review,returned,open,picked,closed,expired"`
	Version           int64      `json:"version"`
	Title             string     `json:"title"`
	Kind              string     `json:"kind"`
	KindName          string     `json:"kindName"`
	EnterpriseName    string     `json:"enterpriseName"`
	Named             bool       `json:"named"`
	Budget            string     `json:"budget"`
	Until             string     `json:"until"`
	WantedBy          string     `json:"wantedBy"`
	Round             int        `json:"round"`
	SavedAt           time.Time  `json:"savedAt"`
	SubmittedAt       *time.Time `json:"submittedAt,omitempty"`
	DueAt             *time.Time `json:"dueAt,omitempty"`
	Overdue           bool       `json:"overdue"`
	ApprovedAt        *time.Time `json:"approvedAt,omitempty"`
	EndedAt           *time.Time `json:"endedAt,omitempty"`
	Quotes            int        `json:"quotes" doc:"That stand; for the company and the staff."`
	ApplicationID     int64      `json:"applicationId,omitempty"`
	ApplicationNumber string     `json:"applicationNumber,omitempty"`
}

// View is a demand as the company and the staff read it.
type View struct {
	Item
	Lends       bool             `json:"lends"`
	Description string           `json:"description"`
	Term        int              `json:"term"`
	PickUntil   string           `json:"pickUntil"`
	Place       string           `json:"place"`
	ContactName string           `json:"contactName"`
	Phone       string           `json:"phone" doc:"Masked."`
	ContactNote string           `json:"contactNote"`
	Reason      string           `json:"reason" doc:"Why it was returned or closed."`
	Files       []FileView       `json:"files"`
	Typed       *Typed           `json:"typed,omitempty" doc:"As it was typed last; for the company."`
	QuoteList   []QuoteView      `json:"quoteList"`
	Order       QuoteOrder       `json:"order" enum:"time,price,days,amount,rating" doc:"In which the quotes stand."`
	Invitations []InvitationView `json:"invitations"`
	Course      []StepView       `json:"course"`
	Own         bool             `json:"own" doc:"The reviewer posted it and may not decide about it."`
	Actions     []string         `json:"actions" enum:"save,submit,recall,discard,close,pick,approve,return,invite"`
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func (d *Demand) item(now time.Time) Item {
	return Item{ID: d.ID, Number: d.Number, State: d.State, Version: d.Version, Title: d.Title, Kind: d.Kind, KindName: d.KindName, EnterpriseName: d.EnterpriseName, Named: d.Named,
		Budget: d.budget(), Until: d.Until, WantedBy: d.WantedBy, Round: d.Round, SavedAt: d.SavedAt.UTC(), SubmittedAt: utc(d.SubmittedAt), DueAt: utc(d.DueAt), Overdue: d.DueAt != nil && d.DueAt.Before(now),
		ApprovedAt: utc(d.ApprovedAt), EndedAt: utc(d.EndedAt), ApplicationID: d.ApplicationID, ApplicationNumber: d.ApplicationNumber}
}

// filesOf lists the files of a demand, or of a quote.
func (s *Service) filesOf(ctx context.Context, db bun.IDB, demandID, quoteID int64) ([]FileView, error) {
	out := []FileView{}
	var ids []int64
	err := db.NewSelect().Model((*fileRow)(nil)).Column("file_id").Where("f.demand_id = ? AND f.quote_id = ? AND NOT f.gone", demandID, quoteID).OrderExpr("f.id").Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	known, err := s.Files.Known(ctx, db, ids)
	for _, id := range ids {
		if v, ok := known[id]; ok {
			out = append(out, v)
		}
	}
	return out, err
}

// Get is GetIn with the first quote first.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	return s.GetIn(ctx, actor, id, ByTime)
}

// GetIn returns a demand as its company or the staff of the district read it, ErrNotFound when the actor may not. Institutions read
// the hall. The company reads the quotes in the order it asks for.
func (s *Service) GetIn(ctx context.Context, actor access.Actor, id int64, order QuoteOrder) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	if actor.Party == access.Institution {
		return View{}, ErrNotFound
	}
	db, now := s.DB.Read(), s.Clock.Now()
	d, err := s.find(ctx, db, actor, id)
	if err != nil {
		return View{}, err
	}
	v := View{Item: d.item(now), Lends: d.Lends, Description: d.Description, Term: d.Term, PickUntil: d.PickUntil, Place: d.Place, ContactName: d.ContactName, ContactNote: d.ContactNote, Reason: d.Reason,
		QuoteList: []QuoteView{}, Invitations: []InvitationView{}, Course: []StepView{}, Actions: []string{}}
	if d.PhoneSealed != "" {
		plain, err := s.Box.Open(d.PhoneSealed, phonePlace(d.Number))
		if err != nil {
			return View{}, err
		}
		v.Phone = text.MaskPhone(string(plain))
	}
	if v.Files, err = s.filesOf(ctx, db, d.ID, 0); err != nil {
		return View{}, err
	}
	own := mine(actor, d)
	if own {
		t, err := s.typed(d)
		if err != nil {
			return View{}, err
		}
		v.Typed = &t
	}
	list, err := quotesOf(ctx, db, id)
	if err != nil {
		return View{}, err
	}
	quoted := map[int64]bool{}
	for i := range list {
		q := &list[i]
		if q.State == TakenBack {
			if !own { // who quoted is in the course; for the company what was taken back is gone
				v.QuoteList = append(v.QuoteList, q.view(d, now).outline())
			}
			continue
		}
		quoted[q.InstitutionID] = true
		if q.State == Live {
			v.Quotes++
		}
		one := q.view(d, now)
		if !own {
			v.QuoteList = append(v.QuoteList, one.outline())
			continue
		}
		one.By = ""
		if one.Files, err = s.filesOf(ctx, db, d.ID, q.ID); err != nil {
			return View{}, err
		}
		if q.State == Won {
			one.ApplicationID, one.ApplicationNumber = d.ApplicationID, d.ApplicationNumber
		}
		v.QuoteList = append(v.QuoteList, one)
	}
	var invited []Invitation
	if err := db.NewSelect().Model(&invited).Where("i.demand_id = ?", id).OrderExpr("i.id").Limit(300).Scan(ctx); err != nil {
		return View{}, err
	}
	v.Order = ByTime
	if own {
		if err := s.rank(ctx, db, &v, order); err != nil {
			return View{}, err
		}
	}
	for _, i := range invited {
		if own && i.Gone {
			continue
		}
		v.Invitations = append(v.Invitations, InvitationView{i.InstitutionID, i.InstitutionName, lines(i.Why), i.ByMatch, i.Gone, quoted[i.InstitutionID], i.By, i.At.UTC()})
	}
	if v.Course, err = s.course(ctx, db, d, own); err != nil {
		return View{}, err
	}
	v.Own = actor.UserID == d.UserID && !own
	v.Actions = d.actions(actor, now, v.Quotes)
	return v, nil
}

// outline is what staff of the district read of a quote: who and when.
func (v QuoteView) outline() QuoteView {
	return QuoteView{ID: v.ID, DemandID: v.DemandID, InstitutionID: v.InstitutionID, InstitutionName: v.InstitutionName, State: v.State, Version: v.Version, At: v.At, ChangedAt: v.ChangedAt, Files: []FileView{}}
}

func (d *Demand) actions(a access.Actor, now time.Time, live int) []string {
	out := []string{}
	if mine(a, d) {
		switch d.State {
		case Draft:
			out = append(out, "save", "submit")
			if d.Round == 0 {
				return append(out, "discard")
			}
			return append(out, "close")
		case Review:
			return append(out, "recall")
		case SentBack:
			return append(out, "save", "submit", "close")
		case Open:
			if live > 0 && d.pickable(now) == nil {
				out = append(out, "pick")
			}
			return append(out, "close")
		}
		return out
	}
	if a.Party != access.Platform || !wide(a) {
		return out
	}
	if d.State == Review && a.Can(PermReview) && a.UserID != d.UserID {
		out = append(out, "approve", "return")
	}
	if d.quotable(now) && a.Can(PermInvite) {
		out = append(out, "invite")
	}
	return out
}

// stepLabels are the facts that belong to the course of a demand.
var stepLabels = map[string]string{"demand.submitted": "提交审核", "demand.recalled": "撤回修改", "demand.returned": "审核退回", "demand.approved": "审核通过，进入需求大厅", "demand.invited": "邀请机构",
	"demand.uninvited": "移除邀请", "demand.quoted": "机构报价", "demand.quote_withdrawn": "机构撤回报价", "demand.unfit": "报价不能选定", "demand.quoting_over": "报价截止，等待选定", "demand.picked": "选定报价，生成申请",
	"demand.closed": "企业关闭需求", "demand.expired": "到期自动关闭", "demand.review_overdue": "审核超时提醒"}

// course reads the events of a demand; invitations of one moment are one line. Names of staff stay with the staff.
func (s *Service) course(ctx context.Context, db bun.IDB, d *Demand, own bool) ([]StepView, error) {
	events, err := event.Of(ctx, db, Object, d.ID)
	if err != nil {
		return nil, err
	}
	out := []StepView{}
	for _, e := range events {
		label := stepLabels[e.Type]
		if label == "" || own && (e.Type == "demand.review_overdue" || e.Type == "demand.uninvited") {
			continue
		}
		var f struct {
			Reason            string `json:"reason"`
			InstitutionName   string `json:"institutionName"`
			Changed           bool   `json:"changed"`
			ApplicationNumber string `json:"applicationNumber"`
			PickUntil         string `json:"pickUntil"`
		}
		if err := e.Decode(&f); err != nil {
			return nil, err
		}
		st := StepView{Label: label, By: e.By(), At: e.At.UTC()}
		switch e.Type {
		case "demand.submitted", "demand.recalled", "demand.picked", "demand.closed":
			if !own {
				st.By = d.EnterpriseName
			}
		case "demand.returned", "demand.approved":
			if own {
				st.By = "平台审核"
			}
		case "demand.invited":
			st.By = "平台"
			if n := len(out); n > 0 && out[n-1].Label == label && out[n-1].At.Equal(st.At) {
				out[n-1].Text += "、" + f.InstitutionName
				continue
			}
		default:
			if f.InstitutionName != "" {
				st.By = f.InstitutionName
			} else {
				st.By = "系统"
			}
		}
		switch {
		case e.Type == "demand.quoted" && f.Changed:
			st.Label = "机构修改报价"
		case e.Type == "demand.invited", e.Type == "demand.uninvited":
			st.Text = f.InstitutionName
		case e.Type == "demand.picked":
			st.Text = f.InstitutionName + "，申请 " + f.ApplicationNumber
		case e.Type == "demand.quoting_over":
			st.Text = "请在 " + f.PickUntil + " 前选定"
		}
		if f.Reason != "" {
			st.Text = strings.TrimLeft(st.Text+"："+f.Reason, "：")
		}
		out = append(out, st)
	}
	return out, nil
}

// Filter narrows a list of demands within what the actor may see.
type Filter struct {
	States []State
	Kind   string
	Query  string // of the staff: number, title, company
	Cursor string
	Limit  int
}

// List returns a page of the demands of the actor's company, or of the district for its staff, newest first, or what waits longest
// first when only those under review are asked for; and the cursor of the next page.
func (s *Service) List(ctx context.Context, actor access.Actor, f Filter) ([]Item, string, error) {
	if !actor.SignedIn() {
		return nil, "", fault.ErrUnauthorized
	}
	if actor.Party == access.Institution {
		return nil, "", ErrForbidden
	}
	for _, st := range f.States {
		if st.Label() == "" {
			return nil, "", fault.InvalidField("state", "DEMAND_STATE", "没有这种状态，请重新选择")
		}
	}
	if f.Query = strings.TrimSpace(f.Query); text.Count(f.Query) > 100 {
		return nil, "", fault.InvalidField("q", "QUERY_LONG", "关键词最多 100 个字，请缩短")
	}
	at, err := text.Cursor(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	now := s.Clock.Now()
	where, args := visible(actor, now)
	var rows []Demand
	db := s.DB.Read()
	waiting := len(f.States) == 1 && f.States[0] == Review
	q := db.NewSelect().Model(&rows).Where(where, args...).Limit(int64(f.Limit + 1))
	if waiting {
		q = q.OrderExpr("d.id")
	} else {
		q = q.OrderExpr("d.id DESC")
	}
	if at != 0 && waiting {
		q = q.Where("d.id > ?", at)
	} else if at != 0 {
		q = q.Where("d.id < ?", at)
	}
	if len(f.States) > 0 {
		q = q.Where("d.state IN (?)", bun.List(f.States))
	}
	if f.Kind != "" {
		q = q.Where("d.kind = ?", f.Kind)
	}
	if f.Query != "" {
		word := "%" + like.Replace(strings.ToLower(f.Query)) + "%"
		q = q.Where(`(lower(d.title) LIKE ? ESCAPE '\' OR lower(d.enterprise_name) LIKE ? ESCAPE '\' OR lower(d.number) LIKE ? ESCAPE '\')`, word, word, word)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list demands: %w", err)
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[f.Limit-1].ID, 10)
	}
	out := make([]Item, 0, len(rows))
	ids := make([]int64, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].item(now))
		ids = append(ids, rows[i].ID)
	}
	if len(ids) == 0 {
		return out, next, nil
	}
	var counts []struct{ DemandID, N int64 }
	err = db.NewSelect().Model((*Quote)(nil)).Column("demand_id").ColumnExpr("count(*) AS n").Where("q.demand_id IN (?) AND q.state <> ?", bun.List(ids), TakenBack).Group("demand_id").Scan(ctx, &counts)
	for _, c := range counts {
		for i := range out {
			if out[i].ID == c.DemandID {
				out[i].Quotes = int(c.N)
			}
		}
	}
	return out, next, err
}

// QuoteItem is a quote of the actor's institution with its demand.
type QuoteItem struct {
	QuoteView
	Number  string `json:"number"`
	Title   string `json:"title"`
	Company string `json:"company"`
	Until   string `json:"until"`
	Lends   bool   `json:"lends"`
}

// Quotes returns a page of the quotes of the actor's institution, newest first, and the cursor of the next page.
func (s *Service) Quotes(ctx context.Context, actor access.Actor, state QuoteState, cursor string, limit int) ([]QuoteItem, string, error) {
	if err := bidder(actor); err != nil {
		return nil, "", err
	}
	if state != "" && state.Label() == "" {
		return nil, "", fault.InvalidField("state", "QUOTE_STATE", "没有这种状态，请重新选择")
	}
	before, err := text.Cursor(cursor)
	if err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	db, now := s.DB.Read(), s.Clock.Now()
	var rows []Quote
	q := db.NewSelect().Model(&rows).Where("q.institution_id = ?", actor.InstitutionID).OrderExpr("q.id DESC").Limit(int64(limit + 1))
	if before != 0 {
		q = q.Where("q.id < ?", before)
	}
	if state != "" {
		q = q.Where("q.state = ?", state)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list quotes: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]QuoteItem, 0, len(rows))
	for i := range rows {
		d := new(Demand)
		if err := database.Found(db.NewSelect().Model(d).Where("d.id = ?", rows[i].DemandID).Scan(ctx)); err != nil {
			return nil, "", err
		}
		one := QuoteItem{QuoteView: rows[i].view(d, now), Number: d.Number, Title: d.Title, Company: d.company(), Until: d.Until, Lends: d.Lends}
		if rows[i].State == Won {
			one.ApplicationID, one.ApplicationNumber, one.Company = d.ApplicationID, d.ApplicationNumber, d.EnterpriseName
		}
		out = append(out, one)
	}
	return out, next, nil
}

// Origin is the demand an application came of.
type Origin struct {
	DemandID int64  `json:"demandId" doc:"0 when it came of none."`
	Number   string `json:"number"`
	Title    string `json:"title"`
}

// OriginOf returns the demand an application came of, for who may see the application; fault.ErrNotFound for who may not.
func (s *Service) OriginOf(ctx context.Context, actor access.Actor, applicationID int64) (Origin, error) {
	if !actor.SignedIn() {
		return Origin{}, fault.ErrUnauthorized
	}
	if err := s.Applications.Sees(ctx, actor, applicationID); err != nil {
		return Origin{}, err
	}
	d := new(Demand)
	err := database.Found(s.DB.Read().NewSelect().Model(d).Where("d.application_id = ?", applicationID).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return Origin{}, nil
	}
	return Origin{d.ID, d.Number, d.Title}, err
}
