package demand

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web/page"
)

// HallItem is a demand in the public hall. It says nothing of quotes, invitations or how to reach the company.
type HallItem struct {
	ID         int64     `json:"id"`
	Number     string    `json:"number"`
	Title      string    `json:"title"`
	Kind       string    `json:"kind"`
	KindName   string    `json:"kindName"`
	Lends      bool      `json:"lends"`
	Company    string    `json:"company"`
	Named      bool      `json:"named"`
	Summary    string    `json:"summary"`
	Budget     string    `json:"budget"`
	Term       int       `json:"term" doc:"Months; financing only."`
	Until      string    `json:"until"`
	WantedBy   string    `json:"wantedBy"`
	Place      string    `json:"place"`
	ApprovedAt time.Time `json:"approvedAt"`
	// Of the institution that asks.
	Invited bool       `json:"invited"`
	Quoted  QuoteState `json:"quoted,omitempty" enum:",live,withdrawn,picked,passed,ended"`
}

func (d *Demand) hallItem() HallItem {
	i := HallItem{ID: d.ID, Number: d.Number, Title: d.Title, Kind: d.Kind, KindName: d.KindName, Lends: d.Lends, Company: d.company(), Named: d.Named,
		Summary: text.Truncate(strings.ReplaceAll(d.Description, "\n", " "), 120), Budget: d.budget(), Term: d.Term, Until: d.Until, WantedBy: d.WantedBy, Place: d.Place}
	if d.ApprovedAt != nil {
		i.ApprovedAt = d.ApprovedAt.UTC()
	}
	return i
}

// HallView is a demand of the hall as it is opened, with what the asking institution has to do with it.
type HallView struct {
	HallItem
	Description string     `json:"description"`
	Open        bool       `json:"open" doc:"Quotes are taken."`
	State       State      `json:"state" enum:"draft,review,returned,open,picked,closed,expired" doc:"For institutions that have to do with it; open otherwise."`
	PickUntil   string     `json:"pickUntil"`
	Files       []FileView `json:"files" doc:"For institutions."`
	Why         []string   `json:"why" doc:"Why the asking institution was invited."`
	Products    []Offer    `json:"products" doc:"What the asking institution may quote with."`
	Quote       *QuoteView `json:"quote,omitempty" doc:"Of the asking institution."`
	Actions     []string   `json:"actions" enum:"quote,withdraw"`
}

// Sort is the order of the hall.
type Sort string

// The orders of the hall.
const (
	ByNew    Sort = "new"
	ByUntil  Sort = "until"
	ByBudget Sort = "budget"
)

// HallFilter narrows the hall.
type HallFilter struct {
	Query   string
	Kind    string
	Sort    Sort
	Invited bool // those the asking institution was invited to
	Page    int
	Limit   int
}

// Found is a page of the hall. Count is counted to page.CountCap + 1 at most.
type Found struct {
	Items []HallItem `json:"items"`
	Count int        `json:"count"`
	Page  int        `json:"page"`
	Last  int        `json:"last"`
}

var like = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Browse lists what stands in the hall, whoever asks.
func (s *Service) Browse(ctx context.Context, actor access.Actor, f HallFilter) (Found, error) {
	if f.Query = strings.TrimSpace(f.Query); text.Count(f.Query) > 100 {
		return Found{}, fault.InvalidField("q", "QUERY_LONG", "关键词最多 100 个字，请缩短")
	}
	if f.Kind != "" && s.kind(f.Kind).Code == "" {
		return Found{}, fault.InvalidField("kind", "DEMAND_KIND", "没有这种需求类别，请重新选择")
	}
	if f.Limit <= 0 || f.Limit > 50 {
		f.Limit = 12
	}
	f.Page = max(1, min(f.Page, page.MaxPage))
	if f.Invited && !quotes(actor) {
		return Found{}, ErrForbidden
	}
	db, now := s.DB.Read(), s.Clock.Now()
	where := func(q *bun.SelectQuery) *bun.SelectQuery {
		q = inHall(q, now, f.Query)
		if f.Kind != "" {
			q = q.Where("d.kind = ?", f.Kind)
		}
		if f.Invited {
			q = q.Where("EXISTS (SELECT 1 FROM demand_invitations AS i WHERE i.demand_id = d.id AND i.institution_id = ? AND NOT i.gone)", actor.InstitutionID)
		}
		return q
	}
	found := Found{Items: []HallItem{}, Page: f.Page}
	limited := where(db.NewSelect().TableExpr("demands AS d").ColumnExpr("d.id")).Limit(page.CountCap + 1)
	if err := db.NewSelect().TableExpr("(?) AS x", limited).ColumnExpr("count(*)").Scan(ctx, &found.Count); err != nil {
		return Found{}, fmt.Errorf("count the hall: %w", err)
	}
	found.Last = max(1, min((min(found.Count, page.CountCap)+f.Limit-1)/f.Limit, page.MaxPage))
	order := map[Sort]string{ByUntil: "d.until, d.id", ByBudget: "d.budget_max DESC, d.id DESC"}[f.Sort]
	if order == "" {
		order = "d.approved_at DESC, d.id DESC"
	}
	var rows []Demand
	err := where(db.NewSelect().Model(&rows)).OrderExpr(order).Limit(int64(f.Limit)).Offset(int64((f.Page - 1) * f.Limit)).Scan(ctx)
	if err != nil {
		return Found{}, fmt.Errorf("browse the hall: %w", err)
	}
	for i := range rows {
		found.Items = append(found.Items, rows[i].hallItem())
	}
	return found, s.own(ctx, db, actor, found.Items)
}

// inHall narrows a query to what stands in the hall and holds all of the words. The hall is one for all: an institution finds in it what
// everybody does, and a company that does not give its name is not found by it.
func inHall(q *bun.SelectQuery, now time.Time, words string) *bun.SelectQuery {
	q = q.Where("d.state = ? AND d.until >= ?", Open, today(now))
	for _, w := range strings.Fields(strings.ToLower(words)) {
		word := "%" + like.Replace(w) + "%"
		q = q.Where(`(lower(d.title) LIKE ? ESCAPE '\' OR lower(d.description) LIKE ? ESCAPE '\' OR lower(d.place) LIKE ? ESCAPE '\' OR lower(d.number) = ?
			OR d.named AND lower(d.enterprise_name) LIKE ? ESCAPE '\')`, word, word, word, w, word)
	}
	return q
}

// Search finds in the hall what holds all of the words, the newest first, for the search over the whole site.
func (s *Service) Search(ctx context.Context, words string, limit int) ([]HallItem, error) {
	var rows []Demand
	err := inHall(s.DB.Read().NewSelect().Model(&rows), s.Clock.Now(), words).OrderExpr("d.approved_at DESC, d.id DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("search the hall: %w", err)
	}
	out := make([]HallItem, 0, len(rows))
	for i := range rows {
		it := rows[i].hallItem()
		it.Summary = rows[i].Description // the text around the words is cut out of it
		out = append(out, it)
	}
	return out, nil
}

// CountFound counts what Search would find, to limit at most.
func (s *Service) CountFound(ctx context.Context, words string, limit int) (n int, err error) {
	db := s.DB.Read()
	some := inHall(db.NewSelect().TableExpr("demands AS d").ColumnExpr("d.id"), s.Clock.Now(), words).Limit(int64(limit))
	if err := db.NewSelect().TableExpr("(?) AS x", some).ColumnExpr("count(*)").Scan(ctx, &n); err != nil {
		return 0, fmt.Errorf("count in the hall: %w", err)
	}
	return n, nil
}

// own marks what the asking institution was invited to and quoted for.
func (s *Service) own(ctx context.Context, db bun.IDB, actor access.Actor, items []HallItem) error {
	if !quotes(actor) || len(items) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(items))
	for _, i := range items {
		ids = append(ids, i.ID)
	}
	var invited []int64
	err := db.NewSelect().Model((*Invitation)(nil)).Column("demand_id").Where("i.institution_id = ? AND NOT i.gone AND i.demand_id IN (?)", actor.InstitutionID, bun.List(ids)).Scan(ctx, &invited)
	if err != nil {
		return err
	}
	var quoted []Quote
	if err := db.NewSelect().Model(&quoted).Where("q.institution_id = ? AND q.demand_id IN (?)", actor.InstitutionID, bun.List(ids)).Scan(ctx); err != nil {
		return err
	}
	state := make(map[int64]QuoteState, len(quoted))
	for _, q := range quoted {
		state[q.DemandID] = q.State
	}
	for n, i := range items {
		i.Invited, i.Quoted = slices.Contains(invited, i.ID), state[i.ID]
		items[n] = i // #nosec G602 -- n is of items
	}
	return nil
}

// errNotInHall says what a visitor may do who comes by an old link.
var errNotInHall = fault.New(fault.NotFound, "DEMAND_NOT_IN_HALL", "没有找到此需求，可能已经结束，请到需求大厅查看其他需求")

// Hall opens a demand of the hall. What does not stand there any more is found by the institutions that have to do with it alone.
func (s *Service) Hall(ctx context.Context, actor access.Actor, id int64) (HallView, error) {
	db, now := s.DB.Read(), s.Clock.Now()
	d := new(Demand)
	err := database.Found(db.NewSelect().Model(d).Where("d.id = ? AND d.state = ? AND d.until >= ?", id, Open, today(now)).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound && quotes(actor) {
		d, err = s.find(ctx, db, actor, id)
	}
	if fault.KindOf(err) == fault.NotFound {
		return HallView{}, errNotInHall
	}
	if err != nil {
		return HallView{}, err
	}
	v := HallView{HallItem: d.hallItem(), Description: d.Description, Open: d.quotable(now), State: d.State, PickUntil: d.PickUntil, Files: []FileView{}, Why: []string{}, Products: []Offer{}, Actions: []string{}}
	if !quotes(actor) {
		return v, nil
	}
	one := []HallItem{v.HallItem}
	if err := s.own(ctx, db, actor, one); err != nil {
		return HallView{}, err
	}
	v.HallItem = one[0]
	if v.Files, err = s.filesOf(ctx, db, d.ID, 0); err != nil {
		return HallView{}, err
	}
	if v.Invited {
		i := new(Invitation)
		if err := database.Found(db.NewSelect().Model(i).Where("i.demand_id = ? AND i.institution_id = ?", id, actor.InstitutionID).Scan(ctx)); err != nil {
			return HallView{}, err
		}
		for _, w := range lines(i.Why) {
			v.Why = append(v.Why, untold(w))
		}
	}
	q, err := quoteOf(ctx, db, id, actor.InstitutionID)
	switch {
	case err == nil:
		own := q.view(d, now)
		if own.Files, err = s.filesOf(ctx, db, d.ID, q.ID); err != nil {
			return HallView{}, err
		}
		if q.State == Won { // the company meets the institution now
			own.ApplicationID, own.ApplicationNumber = d.ApplicationID, d.ApplicationNumber
			v.Company = d.EnterpriseName
		}
		v.Quote = &own
	case fault.KindOf(err) != fault.NotFound:
		return HallView{}, err
	}
	live := v.Quote != nil && v.Quote.State == Live
	if v.Open || live && d.pickable(now) == nil {
		v.Actions = append(v.Actions, "quote")
		if v.Products, err = s.Offers.Of(ctx, db, actor.InstitutionID, d.Kind); err != nil {
			return HallView{}, err
		}
	}
	if live && d.State == Open {
		v.Actions = append(v.Actions, "withdraw")
	}
	return v, nil
}

// untold is the reason of an invitation as its institution reads it: of its own product, and nothing of the company.
func untold(why string) string {
	for _, sign := range []string{metSign, "；"} {
		why, _, _ = strings.Cut(why, sign)
	}
	return why
}

func lines(s string) []string {
	if s == "" {
		return []string{}
	}
	return strings.Split(s, "\n")
}

func (s *Service) kind(code string) Kind {
	for _, k := range s.Kinds {
		if k.Code == code {
			return k
		}
	}
	return Kind{}
}
