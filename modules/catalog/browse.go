package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Sort is the order of the public list.
type Sort string

// The orders. ByMatch is the one of a search: name, then summary, then the rest.
const (
	ByNew    Sort = "new"
	ByRate   Sort = "rate"
	ByMatch  Sort = "match"
	ByRating Sort = "rating" // what companies say best of first
	ByHeat   Sort = "hot"    // what was opened and applied for most of late first
)

// Span is a wish for an amount or a term: from Low to High, 0 for open.
type Span struct{ Low, High int64 }

func (s Span) zero() bool { return s.Low == 0 && s.High == 0 }

// ReadSpan reads "10-50", "-10" or "500-"; anything else is no wish.
func ReadSpan(s string) Span {
	low, high, ok := strings.Cut(s, "-")
	if !ok {
		return Span{}
	}
	a, err := strconv.ParseInt(low, 10, 32)
	if low != "" && (err != nil || a < 0) {
		return Span{}
	}
	b, err := strconv.ParseInt(high, 10, 32)
	if high != "" && (err != nil || b < a) {
		return Span{}
	}
	return Span{a, b}
}

// BrowseFilter narrows the public list.
type BrowseFilter struct {
	Query         string
	Kind          string
	FinancingKind string
	Amount        Span // 万元
	Term          Span // months
	RateMax       int  // the lowest rate is at most this, basis points
	Recommended   bool
	InstitutionID int64
	Sort          Sort
	// Nearest has the products that come closest answer where nothing holds all of Query.
	Nearest bool
	Cursor  string
	Page    int // 1 to 50 instead of a cursor
	Limit   int
}

// Card is a public product in a list.
type Card struct {
	ID              int64     `json:"id"`
	Name            string    `json:"name"`
	Kind            string    `json:"kind"`
	KindName        string    `json:"kindName"`
	FinancingKind   string    `json:"financingKind"`
	FinancingName   string    `json:"financingName"`
	Summary         string    `json:"summary"`
	Target          string    `json:"target"`
	InstitutionID   int64     `json:"institutionId"`
	InstitutionName string    `json:"institutionName"`
	Facts           []Fact    `json:"facts" doc:"What decides, the first one first: rate or price, amount, term, time."`
	Recommended     bool      `json:"recommended"`
	Rating          int64     `json:"rating" doc:"Hundredths of a level; 0 without an evaluation."`
	RatingCount     int64     `json:"ratingCount"`
	Hot             bool      `json:"hot" doc:"Among those that are opened and applied for most."`
	Thumb           string    `json:"thumb,omitempty" doc:"The address of the cover at a small size of 4 to 3; without one there is no cover."`
	ListedAt        time.Time `json:"listedAt"`
}

// Fact is one number of a product in words.
type Fact struct {
	Label string `json:"label"`
	Value string `json:"value"`

	short string // where there is little room
}

// Detail is a public product as it is opened.
type Detail struct {
	Card
	Edition      int64        `json:"edition"`
	Description  string       `json:"description"`
	Subsidy      string       `json:"subsidy"`
	Conditions   []string     `json:"conditions"`
	Deliverables []string     `json:"deliverables"`
	Materials    []string     `json:"materials"`
	Steps        []string     `json:"steps"`
	ValidUntil   string       `json:"validUntil"`
	Extra        []Fact       `json:"extra" nullable:"false" doc:"What administrators ask beside the rest."`
	Cover        string       `json:"cover,omitempty" doc:"The address of the picture."`
	Files        []PublicFile `json:"files" nullable:"false"`
	Institution  Provider     `json:"institution"`
}

// Found is a page of the public list. Count is counted to page.CountCap + 1 at most.
type Found struct {
	Items []Card
	Next  string
	Count int
	// Near says that nothing holds all that was searched for: the items hold some of it, those that hold most first.
	Near bool
}

// ranking is the order of a public list: by an integer expression, then the newer product first.
type ranking struct {
	expr string
	args []any
	dir  string
}

func (f BrowseFilter) ranking() ranking {
	switch f.Sort {
	case ByRating:
		return ranking{expr: "p.rating_score", dir: "DESC"}
	case ByHeat:
		return ranking{expr: "p.heat", dir: "DESC"}
	case ByRate:
		return ranking{expr: "CASE WHEN e.rate_max = 0 THEN 1000000 ELSE e.rate_min END", dir: "ASC"}
	case ByMatch:
		word := contains(strings.ToLower(firstTerm(f.Query)))
		return ranking{expr: "CASE WHEN lower(e.name) LIKE ? ESCAPE '\\' THEN 0 WHEN lower(e.summary) LIKE ? ESCAPE '\\' THEN 1 ELSE 2 END", args: []any{word, word}, dir: "ASC"}
	}
	return ranking{expr: "p.listed_micro", dir: "DESC"}
}

func firstTerm(query string) string {
	q, err := search.Parse(query)
	if err != nil || len(q.Terms()) == 0 {
		return query
	}
	return q.Terms()[0]
}

// Browse lists the products that are public, whoever asks. It returns QUERY_LONG on "q" for a query beyond the limit.
func (s *Service) Browse(ctx context.Context, _ access.Actor, f BrowseFilter) (Found, error) {
	after, err := readPosition(f.Cursor)
	if err != nil {
		return Found{}, err
	}
	if f.Limit <= 0 || f.Limit > page.CountCap {
		f.Limit = 20
	}
	f.Query = strings.TrimSpace(f.Query)
	if f.Sort != ByNew && f.Sort != ByRate && f.Sort != ByHeat && f.Sort != ByRating && f.Sort != ByMatch || f.Sort == ByMatch && f.Query == "" {
		f.Sort = ByNew
		if f.Query != "" {
			f.Sort = ByMatch
		}
	}
	db := s.DB.Read()
	now := s.Clock.Now()
	q, err := matching(db, f, now, f.Sort == ByRate || f.Sort == ByMatch)
	if err != nil {
		return Found{}, err
	}
	found := Found{Items: []Card{}}
	if f.Cursor == "" {
		limited, err := matching(db, f, now, false)
		if err != nil {
			return Found{}, err
		}
		limited = limited.ColumnExpr("p.id").Limit(page.CountCap + 1)
		if err := db.NewSelect().TableExpr("(?) AS x", limited).ColumnExpr("count(*)").Scan(ctx, &found.Count); err != nil {
			return Found{}, fmt.Errorf("count products: %w", err)
		}
	}
	r := f.ranking()
	q = q.ColumnExpr("p.id AS id").ColumnExpr(r.expr+" AS rank", r.args...).OrderExpr("rank " + r.dir + ", p.id DESC").Limit(int64(f.Limit + 1))
	if after.id > 0 {
		than := map[string]string{"ASC": ">", "DESC": "<"}[r.dir]
		args := append(append(append(append([]any{}, r.args...), after.n), r.args...), after.n, after.id)
		q = q.Where("(("+r.expr+") "+than+" ? OR (("+r.expr+") = ? AND p.id < ?))", args...)
	} else if f.Page > 1 {
		q = q.Offset(int64((min(f.Page, page.MaxPage) - 1) * f.Limit))
	}
	var ranked []struct{ ID, Rank int64 }
	if err := q.Scan(ctx, &ranked); err != nil {
		return Found{}, fmt.Errorf("browse products: %w", err)
	}
	if len(ranked) > f.Limit {
		ranked = ranked[:f.Limit]
		last := ranked[len(ranked)-1]
		found.Next = position{n: last.Rank, id: last.ID}.String()
	}
	ids := make([]int64, 0, len(ranked))
	for _, x := range ranked {
		ids = append(ids, x.ID)
	}
	if f.Nearest && len(ids) == 0 && f.Query != "" && f.Cursor == "" && f.Page <= 1 {
		return s.nearest(ctx, db, f)
	}
	found.Items, err = s.cards(ctx, db, ids)
	return found, err
}

// nearestShown is how many products are shown when nothing holds all that was searched for.
const nearestShown = 9

// nearest finds the products that hold most of what was searched for, within the other choices.
func (s *Service) nearest(ctx context.Context, db *bun.DB, f BrowseFilter) (Found, error) {
	found := Found{Items: []Card{}}
	typed, err := search.Parse(f.Query)
	if err != nil {
		return found, nil // one character has nothing near
	}
	loose := typed.Loosen()
	if loose.Empty() {
		return found, nil
	}
	f.Query = ""
	q, err := matching(db, f, s.Clock.Now(), false)
	if err != nil {
		return Found{}, err
	}
	q = fullText.Narrow(q, "p.id", loose)
	expr, args := fullText.Rank(db, loose)
	var ids []int64
	if err := q.ColumnExpr("p.id").OrderExpr(expr+", p.id DESC", args...).Limit(nearestShown).Scan(ctx, &ids); err != nil {
		return Found{}, fmt.Errorf("products near: %w", err)
	}
	found.Near, found.Count = len(ids) > 0, len(ids)
	found.Items, err = s.cards(ctx, db, ids)
	return found, err
}

// matching is the query of the public list without columns and order. The public editions are joined as e for an order that reads
// them, and where a choice does: of a word that thousands hold, looking each of them up costs more than all the rest.
func matching(db *bun.DB, f BrowseFilter, now time.Time, ordered bool) (*bun.SelectQuery, error) {
	q := public(now).narrow(db.NewSelect().TableExpr("products AS p"))
	typed, err := search.Parse(f.Query)
	if ordered || f.Query != "" && err != nil || !f.Amount.zero() || !f.Term.zero() || f.RateMax > 0 {
		q = q.Join("JOIN product_editions AS e ON e.product_id = p.id AND e.number = p.shown")
	}
	if f.Query != "" {
		switch {
		case err == nil:
			q = fullText.Narrow(q, "p.id", typed)
		case search.ErrShort.Is(err):
			// One character has no pair to be found by: the beginning of a name answers.
			q = q.Where("e.name_key LIKE ? ESCAPE '\\'", like.Replace(strings.ToLower(f.Query))+"%")
		default:
			return nil, err
		}
	}
	if f.Kind != "" {
		q = q.Where("p.kind = ?", f.Kind)
	}
	if f.FinancingKind != "" {
		q = q.Where("p.financing_kind = ?", f.FinancingKind)
	}
	within := func(column string, s Span, unit int64) {
		if s.zero() {
			return
		}
		q = q.Where("e."+column+"_max >= ?", s.Low*unit).Where("e." + column + "_max > 0")
		if s.High > 0 {
			q = q.Where("e."+column+"_min <= ?", s.High*unit)
		}
	}
	within("amount", f.Amount, 10_000*100)
	within("term", f.Term, 1)
	if f.RateMax > 0 {
		q = q.Where("e.rate_max > 0 AND e.rate_min <= ?", f.RateMax)
	}
	if f.Recommended {
		q = q.Where("p.recommended")
	}
	if f.InstitutionID != 0 {
		q = q.Where("p.institution_id = ?", f.InstitutionID)
	}
	return q, nil
}

// cards reads public products in the order of the ids.
func (s *Service) cards(ctx context.Context, db bun.IDB, ids []int64) ([]Card, error) {
	out := make([]Card, 0, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var products []Product
	if err := db.NewSelect().Model(&products).Where("p.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	var shown []Edition
	err := db.NewSelect().Model(&shown).Join("JOIN products AS p ON p.id = e.product_id AND p.shown = e.number").Where("p.id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[int64]*dossier{}
	for i := range products {
		byID[products[i].ID] = &dossier{Product: &products[i]}
	}
	for i := range shown {
		byID[shown[i].ProductID].public = &shown[i]
	}
	for _, id := range ids {
		if d := byID[id]; d != nil && d.public != nil {
			out = append(out, d.card())
		}
	}
	return out, nil
}

func (d *dossier) card() Card {
	c := d.public.Content
	k := Card{
		ID: d.ID, Name: c.Name, Kind: c.Kind, KindName: kindOf(kinds, c.Kind).Name, FinancingKind: c.FinancingKind,
		FinancingName: kindOf(financingKinds, c.FinancingKind).Name, Summary: c.Summary, Target: c.Target, InstitutionID: d.InstitutionID,
		InstitutionName: d.InstitutionName, Facts: c.facts(), Recommended: d.Recommended, Hot: d.Hot, Rating: d.RatingMean, RatingCount: d.RatingCount, Thumb: d.thumbURL(),
	}
	if d.ListedAt != nil {
		k.ListedAt = d.ListedAt.UTC()
	}
	return k
}

// facts are the numbers that decide, the first one first.
func (c Content) facts() []Fact {
	out := []Fact{}
	add := func(label, value string) {
		if value != "" {
			out = append(out, Fact{label, value, value})
		}
	}
	if c.Kind == Financing {
		add(rateLabel(c.FinancingKind), c.rateText())
		if c.RateMin > 0 && c.RateMin < c.RateMax {
			out[0].short = page.Rate(int64(c.RateMin)) + " 起"
		}
		add(amountLabel(c.FinancingKind), c.amountText())
		add("期限", c.termText())
		add("担保方式", strings.Join(namesOf(guarantees, c.Guarantees), "、"))
	} else {
		add("价格", c.PriceText)
		if i := strings.IndexAny(c.PriceText, "，,；;（("); i > 0 {
			out[0].short = c.PriceText[:i]
		}
	}
	add("办理时限", c.daysText())
	if c.Kind != Financing {
		add("收费方式", kindOf(costs, c.Cost).Name)
		add("服务方式", strings.Join(namesOf(venues, c.Venues), "、"))
		add("服务周期", c.Duration)
	}
	return out
}

// extraFacts are the answers that companies see.
func (c Content) extraFacts() []Fact {
	out := []Fact{}
	for _, a := range c.Extra.public() {
		out = append(out, Fact{a.Label, a.Text, a.Text})
	}
	return out
}

// Show returns a public product, ErrNotFound for one that is not public, whoever asks, and counts that it was opened.
func (s *Service) Show(ctx context.Context, actor access.Actor, id int64) (Detail, error) {
	db := s.DB.Read()
	d, err := find(ctx, db, public(s.Clock.Now()), id)
	if err != nil {
		return Detail{}, err
	}
	by, err := s.Institutions.Institution(ctx, db, d.InstitutionID)
	if err != nil {
		return Detail{}, err
	}
	if err := s.seen(ctx, actor, id); err != nil && s.Log != nil {
		s.Log.WarnContext(ctx, "a view was not counted", "product", id, "error", err) // it is shown all the same
	}
	c := d.public.Content
	return Detail{Card: d.card(), Edition: d.public.Number, Description: c.Description, Subsidy: c.Subsidy, Conditions: append([]string{}, c.Conditions...), Deliverables: append([]string{}, c.Deliverables...), Materials: append([]string{}, c.Materials...),
		Steps: append([]string{}, c.Steps...), ValidUntil: c.ValidUntil, Extra: c.extraFacts(), Cover: d.cover(), Files: d.publicFiles(), Institution: by}, nil
}

// Offer is what an application takes over from the product it is for.
type Offer struct {
	ID              int64
	Name            string
	Edition         int64 // which text of the product this is
	Kind            string
	KindName        string // of the financing where there is one: 债权融资
	FinancingKind   string
	Lends           bool // an amount and a term are applied for
	InstitutionID   int64
	InstitutionName string
	AmountMin       int64
	AmountMax       int64
	TermMin         int
	TermMax         int
	Materials       []string
	Days            int // working days until the result; 0 for none promised
}

// Offer tells the application module about a product, ErrNotFound unless it is public.
func (s *Service) Offer(ctx context.Context, db bun.IDB, productID int64) (Offer, error) {
	d, err := find(ctx, db, public(s.Clock.Now()), productID)
	if err != nil {
		return Offer{}, err
	}
	return d.offer(), nil
}

func (d *dossier) offer() Offer {
	c := d.public.Content
	return Offer{ID: d.ID, Name: c.Name, Edition: d.public.Number, Kind: c.Kind, KindName: d.card().label(), FinancingKind: c.FinancingKind,
		Lends: c.Kind == Financing, InstitutionID: d.InstitutionID, InstitutionName: d.InstitutionName, AmountMin: c.AmountMin, AmountMax: c.AmountMax, TermMin: c.TermMin, TermMax: c.TermMax, Materials: append([]string{}, c.Materials...), Days: c.Days}
}

// Hit is a product found by the search over the whole site.
type Hit struct {
	Title   string
	URL     string
	Summary string
	Meta    []string
	Icon    string // the sign of its kind
	Thumb   string // the address of the cover at a small size, "" without one
}

// Search finds public products for the search over the whole site, the best first.
func (s *Service) Search(ctx context.Context, actor access.Actor, q string, limit int) ([]Hit, error) {
	if strings.TrimSpace(q) == "" {
		return []Hit{}, nil
	}
	found, err := s.Browse(ctx, actor, BrowseFilter{Query: q, Sort: ByMatch, Limit: limit})
	if err != nil {
		return nil, err
	}
	hits := make([]Hit, 0, len(found.Items))
	for _, c := range found.Items {
		h := Hit{Title: c.Name, URL: fmt.Sprintf("/products/%d", c.ID), Summary: c.Summary, Meta: []string{c.KindName, c.InstitutionName},
			Icon: kindOf(kinds, c.Kind).Icon, Thumb: c.Thumb}
		for _, f := range c.Facts[:min(2, len(c.Facts))] {
			h.Meta = append(h.Meta, f.Label+" "+f.Value)
		}
		hits = append(hits, h)
	}
	return hits, nil
}

// Count counts what Search would find, to limit at most.
func (s *Service) Count(ctx context.Context, actor access.Actor, q string, limit int) (int, error) {
	if strings.TrimSpace(q) == "" {
		return 0, nil
	}
	found, err := s.Browse(ctx, actor, BrowseFilter{Query: q, Limit: 1})
	return min(found.Count, limit), err
}

// Public counts the products that are public, to page.CountCap + 1 at most.
func (s *Service) Public(ctx context.Context) (int, error) {
	found, err := s.Browse(ctx, access.Actor{Party: access.Anonymous}, BrowseFilter{Limit: 1})
	return found.Count, err
}
