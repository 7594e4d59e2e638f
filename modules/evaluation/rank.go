package evaluation

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// cut keeps a page of rows and says where the next begins.
func cut(rows []Evaluation, limit int) ([]Evaluation, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], strconv.FormatInt(rows[limit-1].ID, 10)
}

// Rating is what those who were served say on the whole.
type Rating struct {
	Count  int   `json:"count"`
	Mean   int   `json:"mean" doc:"Hundredths of a level; 0 without an evaluation."`
	Levels []int `json:"levels" doc:"How many of each level, from 5 to 1."`
}

// Text is "4.86" of a mean.
func (r Rating) Text() string { return Hundredths(r.Mean) }

// Hundredths shows a number of hundredths: 486 is 4.86.
func Hundredths(n int) string {
	return strconv.Itoa(n/100) + "." + strconv.Itoa(100 + n%100)[1:]
}

// rounded divides and rounds half up.
func rounded(a, b int64) int {
	if b == 0 {
		return 0
	}
	return int((2*a + b) / (2 * b))
}

// OfProduct returns the rating of a product, for everybody.
func (s *Service) OfProduct(ctx context.Context, id int64) (Rating, error) {
	return s.rating(ctx, "v.product_id = ?", id)
}

// OfInstitution returns the rating of an institution, for everybody.
func (s *Service) OfInstitution(ctx context.Context, id int64) (Rating, error) {
	return s.rating(ctx, "v.institution_id = ?", id)
}

// ProductRating is what is said of one product, as lists of products are ordered by it.
type ProductRating struct{ Score, Mean, Count int }

// Products rates all products of which something was said that counts: the score begins from the prior of the rule, as that of
// institutions does, so that few evaluations move it less than many. It is asked by the program.
func (s *Service) Products(ctx context.Context, db bun.IDB) (map[int64]ProductRating, error) {
	r, err := rule(ctx, db, 0)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ProductID int64 `bun:"product_id"`
		N         int64 `bun:"n"`
		Sum       int64 `bun:"total"`
	}
	q := counted(db.NewSelect().TableExpr("evaluations AS v").ColumnExpr("v.product_id, count(*) AS n, sum(v.level) AS total"), r.Rule).GroupExpr("v.product_id")
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, err
	}
	var sum, count int64
	for _, x := range rows {
		sum, count = sum+x.Sum, count+x.N
	}
	prior := int64(r.PriorLevel)
	if prior == 0 {
		prior = int64(rounded(sum*100, count))
	}
	out := make(map[int64]ProductRating, len(rows))
	for _, x := range rows {
		out[x.ProductID] = ProductRating{Score: rounded(x.Sum*100+int64(r.PriorWeight)*prior, x.N+int64(r.PriorWeight)), Mean: rounded(x.Sum*100, x.N), Count: int(x.N)}
	}
	return out, nil
}

func (s *Service) rating(ctx context.Context, where string, id int64) (Rating, error) {
	db := s.DB.Read()
	r, err := rule(ctx, db, 0)
	if err != nil {
		return Rating{}, err
	}
	var rows []struct {
		Level int   `bun:"level"`
		N     int64 `bun:"n"`
	}
	q := counted(db.NewSelect().TableExpr("evaluations AS v").ColumnExpr("v.level, count(*) AS n").Where(where, id), r.Rule).GroupExpr("v.level")
	if err := q.Scan(ctx, &rows); err != nil {
		return Rating{}, err
	}
	out := Rating{Levels: make([]int, Levels)}
	var sum int64
	for _, row := range rows {
		out.Levels[Levels-row.Level] = int(row.N)
		out.Count += int(row.N)
		sum += int64(row.Level) * row.N
	}
	out.Mean = rounded(sum*100, int64(out.Count))
	return out, nil
}

// counted keeps the evaluations that count under a rule.
func counted(q *bun.SelectQuery, r Rule) *bun.SelectQuery {
	q = q.Where("v.counts = TRUE")
	if !r.During {
		q = q.Where("v.phase = ?", After)
	}
	if !r.Refused {
		q = q.Where("v.refused = FALSE")
	}
	return q
}

// Ranked is one institution in the ranking.
type Ranked struct {
	Rank            int    `json:"rank" doc:"0 for those with fewer evaluations than the rule asks for."`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	Score           int    `json:"score" doc:"Hundredths of a level, by which they are ranked."`
	Rating
	Good    int `json:"good" doc:"Evaluations of level 4 and 5."`
	Ended   int `json:"ended" doc:"Services that ended well in the period."`
	Said    int `json:"said" doc:"Of those, services that were evaluated afterwards."`
	Replied int `json:"replied" doc:"Evaluations with a reply."`
}

// Ranking is the ranking of a period.
type Ranking struct {
	From  string   `json:"from"`
	To    string   `json:"to"`
	Prior int      `json:"prior" doc:"Hundredths of a level: what each begins from."`
	Rule  RuleView `json:"rule"`
	Items []Ranked `json:"items"`
}

// Rank ranks the institutions by the evaluations given from one day to another, both Beijing days of the form 2006-01-02; "" is the
// last twelve months. It takes evaluation.view; an institution finds its own place and figures only.
func (s *Service) Rank(ctx context.Context, actor access.Actor, first, last string) (Ranking, error) {
	if err := actor.Need(PermView); err != nil {
		return Ranking{}, err
	}
	if !wide(actor) && (actor.Party != access.Institution || actor.InstitutionID == 0) {
		return Ranking{}, ErrForbidden
	}
	today := s.Clock.Now().In(clock.Beijing)
	if last == "" {
		last = today.Format(time.DateOnly)
	}
	if first == "" {
		first = today.AddDate(-1, 0, 1).Format(time.DateOnly)
	}
	from, to, err := span(first, last)
	if err != nil {
		return Ranking{}, err
	}
	if to.Sub(from) > 5*366*24*time.Hour {
		return Ranking{}, fault.InvalidField("from", "EVALUATION_SPAN", "统计期间不超过 5 年")
	}
	db := s.DB.Read()
	r, err := rule(ctx, db, 0)
	if err != nil {
		return Ranking{}, err
	}
	out := Ranking{From: first, To: last, Rule: r}
	if out.Items, err = tally(ctx, db, r.Rule, from, to); err != nil {
		return out, err
	}
	out.Prior = score(out.Items, r.Rule)
	if !wide(actor) {
		out.Items = slices.DeleteFunc(out.Items, func(x Ranked) bool { return x.InstitutionID != actor.InstitutionID })
	}
	return out, nil
}

// tally reads what was said of each institution, and how much of what ended was evaluated.
func tally(ctx context.Context, db bun.IDB, r Rule, from, to time.Time) ([]Ranked, error) {
	var rows []struct {
		InstitutionID   int64  `bun:"institution_id"`
		InstitutionName string `bun:"institution_name"`
		Level           int    `bun:"level"`
		N               int64  `bun:"n"`
		Replied         int64  `bun:"replied"`
	}
	q := counted(db.NewSelect().TableExpr("evaluations AS v"), r).
		ColumnExpr("v.institution_id, max(v.institution_name) AS institution_name, v.level, count(*) AS n, count(v.replied_at) AS replied").
		Where("v.given_at >= ? AND v.given_at < ?", from, to).GroupExpr("v.institution_id, v.level").OrderExpr("v.institution_id")
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, err
	}
	out := []Ranked{}
	at := map[int64]int{}
	one := func(id int64, name string) *Ranked {
		i, ok := at[id]
		if !ok {
			i = len(out)
			at[id] = i
			out = append(out, Ranked{InstitutionID: id, InstitutionName: name, Rating: Rating{Levels: make([]int, Levels)}})
		}
		return &out[i]
	}
	for _, row := range rows {
		x := one(row.InstitutionID, row.InstitutionName)
		x.Levels[Levels-row.Level] = int(row.N)
		x.Count += int(row.N)
		x.Replied += int(row.Replied)
		if row.Level >= 4 {
			x.Good += int(row.N)
		}
	}
	var ended []struct {
		InstitutionID   int64  `bun:"institution_id"`
		InstitutionName string `bun:"institution_name"`
		N               int64  `bun:"n"`
		Said            int64  `bun:"said"`
	}
	err := db.NewSelect().TableExpr("evaluation_cases AS c").ColumnExpr("c.institution_id, max(c.institution_name) AS institution_name, count(*) AS n, count(v.id) AS said").
		Join("LEFT JOIN evaluations AS v ON v.object = c.object AND v.object_id = c.object_id AND v.phase = ?", After).
		Where("c.ended_at >= ? AND c.ended_at < ?", from, to).GroupExpr("c.institution_id").OrderExpr("c.institution_id").Scan(ctx, &ended)
	if err != nil {
		return nil, err
	}
	for _, row := range ended {
		x := one(row.InstitutionID, row.InstitutionName)
		x.Ended, x.Said = int(row.N), int(row.Said)
	}
	return out, nil
}

// score gives each its score and its rank, orders them, and returns what they begin from.
func score(list []Ranked, r Rule) int {
	var sum, count int64
	for i := range list {
		var own int64
		for k, n := range list[i].Levels {
			own += int64(Levels-k) * int64(n)
		}
		list[i].Mean = rounded(own*100, int64(list[i].Count))
		sum, count = sum+own, count+int64(list[i].Count)
	}
	prior := r.PriorLevel
	if prior == 0 {
		prior = rounded(sum*100, count)
	}
	for i := range list {
		var own int64
		for k, n := range list[i].Levels {
			own += int64(Levels-k) * int64(n)
		}
		if list[i].Count > 0 {
			list[i].Score = rounded(own*100+int64(r.PriorWeight)*int64(prior), int64(list[i].Count+r.PriorWeight))
		}
	}
	enough := func(x Ranked) int {
		if x.Count >= r.MinCount {
			return 1
		}
		return 0
	}
	slices.SortFunc(list, func(x, y Ranked) int {
		return cmp.Or(cmp.Compare(enough(y), enough(x)), cmp.Compare(y.Score, x.Score), cmp.Compare(y.Count, x.Count), cmp.Compare(x.InstitutionID, y.InstitutionID))
	})
	for i := range list {
		if enough(list[i]) == 0 {
			break
		}
		list[i].Rank = i + 1
		if i > 0 && list[i].Score == list[i-1].Score && list[i].Count == list[i-1].Count {
			list[i].Rank = list[i-1].Rank
		}
	}
	return prior
}

// Comment is what everybody may read of an evaluation: no company, phone and identity numbers masked.
type Comment struct {
	ID          int64     `json:"id"`
	Level       int       `json:"level"`
	Label       string    `json:"label"`
	Phase       Phase     `json:"phase" enum:"during,after"`
	ProductName string    `json:"productName"`
	ProductID   int64     `json:"productId"`
	Company     string    `json:"company" doc:"Masked."`
	Tags        []string  `json:"tags"`
	Words       string    `json:"words"`
	Reply       string    `json:"reply"`
	GivenAt     time.Time `json:"givenAt"`
}

// Comments returns a page of what was said of a product or, with 0 for it, of an institution, newest first, for everybody.
func (s *Service) Comments(ctx context.Context, productID, institutionID int64, cursor string, limit int) ([]Comment, string, error) {
	before, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 50 {
		limit = 10
	}
	r, err := rule(ctx, s.DB.Read(), 0)
	if err != nil {
		return nil, "", err
	}
	var rows []Evaluation
	q := counted(s.DB.Read().NewSelect().Model(&rows), r.Rule).Where("v.hidden = FALSE").OrderExpr("v.id DESC").Limit(int64(limit + 1))
	if productID != 0 {
		q = q.Where("v.product_id = ?", productID)
	} else {
		q = q.Where("v.institution_id = ?", institutionID)
	}
	if before != 0 {
		q = q.Where("v.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit)
	out := make([]Comment, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].comment())
	}
	return out, next, nil
}

// ended is a service that ended, for the reminder.
type ended struct {
	bun.BaseModel `bun:"table:evaluation_cases,alias:c"`

	Object          string     `bun:"object,pk"`
	ObjectID        int64      `bun:"object_id,pk"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	EndedAt         time.Time  `bun:"ended_at,notnull"`
	RemindedAt      *time.Time `bun:"reminded_at"`
}

// Ended keeps that a service ended well, in the transaction of a listener. A repeat changes nothing.
func (s *Service) Ended(ctx context.Context, tx bun.Tx, object string, id, institutionID int64, institutionName string, at time.Time) error {
	row := ended{Object: object, ObjectID: id, InstitutionID: institutionID, InstitutionName: institutionName, EndedAt: at}
	_, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	return err
}
