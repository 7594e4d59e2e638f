package enterprise

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/sizeclass"
)

// edition is one edition of thresholds: of size classes, or of the statistical register (规上). Editions are added, never
// changed: what was reckoned by one can be reckoned again.
type edition struct {
	bun.BaseModel `bun:"table:enterprise_size_editions,alias:se"`

	ID       int64     `bun:"id,pk,autoincrement"`
	Kind     string    `bun:"kind,notnull"`
	Document string    `bun:"document,notnull"`
	FromDay  string    `bun:"from_day,notnull"` // 2006-01-02
	Body     string    `bun:"body,notnull,type:text"`
	ByName   string    `bun:"by_name,notnull"`
	At       time.Time `bun:"at,notnull"`
}

type edition20261129 struct {
	bun.BaseModel `bun:"table:enterprise_size_editions"`

	ID       int64     `bun:"id,pk,autoincrement"`
	Kind     string    `bun:"kind,notnull"`
	Document string    `bun:"document,notnull"`
	FromDay  string    `bun:"from_day,notnull"`
	Body     string    `bun:"body,notnull,type:text"`
	ByName   string    `bun:"by_name,notnull"`
	At       time.Time `bun:"at,notnull"`
}

const (
	kindSize  = "size"
	kindScale = "scale"
)

func firstEditions() ([]edition20261129, error) {
	size, scale := sizeclass.First(), sizeclass.FirstScale()
	a, err1 := json.Marshal(size.Rows)
	b, err2 := json.Marshal(scale.Rows)
	at := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	list := []edition20261129{
		{Kind: kindSize, Document: size.Document, FromDay: size.From.Format(time.DateOnly), Body: string(a), ByName: "系统", At: at},
		{Kind: kindScale, Document: scale.Document, FromDay: scale.From.Format(time.DateOnly), Body: string(b), ByName: "系统", At: at},
	}
	if err1 != nil {
		return nil, err1
	}
	return list, err2
}

// thresholds are all editions, as of the newest that was read.
type thresholds struct {
	last  int64
	sizes sizeclass.Table
	scale []sizeclass.ScaleEdition
}

// thresholds reads the editions where there is a new one.
func (s *Service) readThresholds(ctx context.Context, db bun.IDB) (*thresholds, error) {
	var last int64
	if err := database.QueryOne(ctx, db, []any{&last}, "SELECT coalesce(max(id), 0) FROM enterprise_size_editions"); err != nil {
		return nil, fmt.Errorf("find the thresholds of sizes: %w", err)
	}
	if t := s.known.Load(); t != nil && t.last == last {
		return t, nil
	}
	var rows []edition
	if err := db.NewSelect().Model(&rows).Where("se.id <= ?", last).OrderExpr("se.id").Scan(ctx); err != nil {
		return nil, err
	}
	t := &thresholds{last: last}
	var sizes []sizeclass.Edition
	for _, r := range rows {
		from, err := time.ParseInLocation(time.DateOnly, r.FromDay, clock.Beijing)
		if err != nil {
			return nil, err
		}
		if r.Kind == kindScale {
			e := sizeclass.ScaleEdition{Document: r.Document, From: from}
			err = json.Unmarshal([]byte(r.Body), &e.Rows)
			t.scale = append(t.scale, e)
		} else {
			e := sizeclass.Edition{Document: r.Document, From: from}
			err = json.Unmarshal([]byte(r.Body), &e.Rows)
			sizes = append(sizes, e)
		}
		if err != nil {
			return nil, fmt.Errorf("thresholds %d: %w", r.ID, err)
		}
	}
	t.sizes = sizeclass.New(sizes...)
	s.known.Store(t)
	return t, nil
}

// SizeEdition is one edition of thresholds as people see it.
type SizeEdition struct {
	ID       int64                `json:"id"`
	Kind     string               `json:"kind" enum:"size,scale"`
	Document string               `json:"document" maxLength:"100"`
	From     string               `json:"from" maxLength:"10" doc:"The first day on which it holds, 2006-01-02."`
	Rows     []sizeclass.Row      `json:"rows,omitempty"`
	Scale    []sizeclass.ScaleRow `json:"scale,omitempty"`
	By       string               `json:"by"`
	At       time.Time            `json:"at"`
}

// SizeEditions lists the editions, the newest first. It needs enterprise.view.
func (s *Service) SizeEditions(ctx context.Context, actor access.Actor) ([]SizeEdition, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	var rows []edition
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("se.id DESC").Limit(100).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]SizeEdition, 0, len(rows))
	for _, r := range rows {
		v := SizeEdition{ID: r.ID, Kind: r.Kind, Document: r.Document, From: r.FromDay, By: r.ByName, At: r.At.UTC()}
		var err error
		if r.Kind == kindScale {
			err = json.Unmarshal([]byte(r.Body), &v.Scale)
		} else {
			err = json.Unmarshal([]byte(r.Body), &v.Rows)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// SizeChanged is announced when an edition of thresholds was added.
type SizeChanged struct {
	ID       int64  `json:"id"`
	Kind     string `json:"kind"`
	Document string `json:"document"`
}

// Event names the fact.
func (f SizeChanged) Event() (string, string, int64) {
	return "enterprise_size.changed", "enterprise_size", f.ID
}

func (e *SizeEdition) check() (string, error) {
	doc, err := line("document", "标准名称", e.Document, 2, 60)
	if err != nil {
		return "", err
	}
	e.Document = doc
	if _, err := time.Parse(time.DateOnly, e.From); err != nil {
		return "", fault.InvalidField("from", "SIZE_FROM", "施行日期应写成 2026-01-01 的样式")
	}
	bad := func(why string) (string, error) { return "", fault.InvalidField("rows", "SIZE_ROWS", why) }
	var raw []byte
	switch {
	case e.Kind == kindSize && len(e.Rows) > 0:
		for _, r := range e.Rows {
			if why := r.Check(); why != "" {
				return bad(why)
			}
		}
		raw, err = json.Marshal(e.Rows)
	case e.Kind == kindScale && len(e.Scale) > 0:
		for _, r := range e.Scale {
			if r.Name == "" || len(r.Codes) == 0 || r.Revenue < 0 {
				return bad("每一行应有名称、行业代码和不小于 0 的营业收入")
			}
		}
		raw, err = json.Marshal(e.Scale)
	default:
		return bad("请填写各行业的界限")
	}
	return string(raw), err
}

// AddEdition adds an edition of thresholds as another installation has it: it holds from its day, and the ones before it for
// the days before. Only the system may; people enter a draft, which a second person publishes.
func (s *Service) AddEdition(ctx context.Context, actor access.Actor, e SizeEdition, key string) ([]SizeEdition, error) {
	if actor.Party != access.System {
		return nil, ErrForbidden
	}
	body, err := e.check()
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.size_edition", Key: key, Request: []any{e.Kind, e.Document, e.From, body}, Now: now}, func() (started, error) {
			row := edition{Kind: e.Kind, Document: e.Document, FromDay: e.From, Body: body, ByName: actor.Name, At: now}
			if err := database.Insert(ctx, tx, &row); database.IsDuplicate(err) {
				return started{}, fault.InvalidField("from", "SIZE_TWICE", "这一天已有同类标准开始施行，请核对施行日期")
			} else if err != nil {
				return started{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, SizeChanged{row.ID, e.Kind, e.Document}); err != nil {
				return started{}, err
			}
			return started{ID: row.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.size_edition", Object: "enterprise_size", ObjectID: row.ID, Summary: "增加划型标准：" + e.Document,
				Detail: map[string]any{"kind": e.Kind, "from": e.From}})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("add thresholds: %w", err)
	}
	return s.SizeEditions(ctx, actor)
}

// SizeView is how a company's size was reckoned.
type SizeView struct {
	Classes []string `json:"classes" doc:"The classes still possible, the largest first: large, medium, small, micro."`
	Text    string   `json:"text"`
	// Steps say it metric by metric.
	Reckoning  string `json:"reckoning"`
	Applies    bool   `json:"applies" doc:"The standard has a class for the industry."`
	IsSME      string `json:"isSme" enum:"yes,no,unknown" doc:"Whether it is 中小微, which may be known although the class is not."`
	Scale      string `json:"scale" enum:"registered,reached,below,unknown,title,none" doc:"The statistical register: reached is reached and not in it."`
	ScaleText  string `json:"scaleText"`
	ScaleWords string `json:"scaleWords" doc:"By which threshold."`
}

// sizeView reckons the size of a company by its facts that count; false when its industry is not known.
func (s *Service) sizeView(t *thresholds, now map[string]Fact, at time.Time) (SizeView, bool) {
	r, m, _, ok := classify(t, now, at)
	if !ok {
		return SizeView{}, false
	}
	v := SizeView{Classes: r.Codes(), Applies: len(r.Classes) > 0, IsSME: "unknown", Text: sizeText(r)}
	v.Reckoning = reckoning(r)
	switch {
	case !v.Applies:
		v.IsSME = "no"
	case r.Classes[0] != sizeclass.Large:
		v.IsSME = "yes"
	case len(r.Classes) == 1:
		v.IsSME = "no"
	}
	reach, row, doc := sizeclass.Scale(t.scale, word(now["industry"]), m.Revenue, at)
	v.Scale, v.ScaleText, v.ScaleWords = scaleOf(reach, row, doc, now)
	return v, true
}

// scaleOf joins what the statistical register says with what the thresholds say.
func scaleOf(reach sizeclass.Reach, row sizeclass.ScaleRow, doc string, now map[string]Fact) (code, text, words string) {
	switch {
	case row.Name == "":
	case row.ByTitle:
		words = fmt.Sprintf("按%s：%s，以资质为准", doc, row.Name)
	case row.Revenue == 0:
		words = fmt.Sprintf("按%s：%s，有经营活动即纳入", doc, row.Name)
	default:
		words = fmt.Sprintf("按%s：%s，年营业收入 %d 万元及以上", doc, row.Name, row.Revenue)
	}
	listed, known := now["aboveScale"]
	if known && listed.Value == "true" {
		return "registered", "规模（限额）以上，统计名录在库", words
	}
	tail := "，未取得统计名录信息"
	if known {
		tail = "，统计名录不在库"
	}
	switch reach {
	case sizeclass.Reached:
		return "reached", "已达到规上标准" + tail + "（升规纳统线索）", words
	case sizeclass.NotReached:
		return "below", "未达到规上标准（规下）", words
	case sizeclass.ByTitle:
		return "title", "以建筑业资质判断" + tail, words
	case sizeclass.NotCounted:
		return "none", "该行业不设规上标准", words
	}
	return "unknown", "营业收入缺失或已过期，暂不能判断是否达到规上标准", words
}

func classify(t *thresholds, now map[string]Fact, at time.Time) (sizeclass.Result, sizeclass.Metrics, time.Time, bool) {
	industry, ok := now["industry"]
	if !ok {
		return sizeclass.Result{}, sizeclass.Metrics{}, time.Time{}, false
	}
	asOf := industry.AsOf
	metric := func(name string) *int64 {
		x, ok := now[name]
		if !ok || at.Sub(x.AsOf) > yearly {
			return nil
		}
		n := number(x)
		if x.AsOf.After(asOf) {
			asOf = x.AsOf
		}
		return &n
	}
	m := sizeclass.Metrics{Employees: metric("employees"), Revenue: metric("revenue"), Assets: metric("assets")}
	return t.sizes.Classify(word(industry), m, at), m, asOf, true
}

// classWords are classes as a set: {小,微}.
func classWords(classes []sizeclass.Class) string {
	words := make([]string, 0, len(classes))
	for _, c := range classes {
		words = append(words, strings.TrimSuffix(c.Text(), "型"))
	}
	return "{" + strings.Join(words, ",") + "}"
}

// reckoning says how a size came about: 按…：软件业，从业人员 45 人 → 小型；营业收入缺失；结果 {小,微}.
func reckoning(r sizeclass.Result) string {
	if len(r.Classes) == 0 {
		return r.Why
	}
	parts := []string{}
	for _, st := range r.Steps {
		switch {
		case st.Value == nil:
			parts = append(parts, st.Name+"缺失")
		case st.Money:
			parts = append(parts, fmt.Sprintf("%s %s → %s", st.Name, money(*st.Value), st.Class.Text()))
		default:
			parts = append(parts, fmt.Sprintf("%s %d 人 → %s", st.Name, *st.Value, st.Class.Text()))
		}
	}
	result := classWords(r.Classes)
	if one, ok := r.Exact(); ok {
		result = one.Text()
	}
	parts = append(parts, "结果 "+result)
	return fmt.Sprintf("按%s（%s）：%s", r.Document, r.Industry, strings.Join(parts, "；"))
}

// SizeRowBody is one industry of an edition as it is added: three lower bounds, or nothing where the metric does not count.
type SizeRowBody struct {
	Name      string   `json:"name" maxLength:"60"`
	Codes     []string `json:"codes" maxItems:"100"`
	Employees []int64  `json:"employees,omitempty" maxItems:"3"`
	Revenue   []int64  `json:"revenue,omitempty" maxItems:"3" doc:"In 万元; of kind scale one number."`
	Assets    []int64  `json:"assets,omitempty" maxItems:"3"`
	ByTitle   bool     `json:"byTitle,omitempty"`
}

// Edited returns the edition as it would be added again.
func (e SizeEdition) Edited() SizeEditionBody {
	list := func(b sizeclass.Bounds) []int64 {
		if b == nil {
			return nil
		}
		return b[:]
	}
	out := SizeEditionBody{Kind: e.Kind, Document: e.Document, From: e.From}
	for _, r := range e.Rows {
		out.Rows = append(out.Rows, SizeRowBody{Name: r.Name, Codes: r.Codes, Employees: list(r.Employees), Revenue: list(r.Revenue), Assets: list(r.Assets)})
	}
	for _, r := range e.Scale {
		row := SizeRowBody{Name: r.Name, Codes: r.Codes, ByTitle: r.ByTitle}
		if r.Revenue > 0 {
			row.Revenue = []int64{r.Revenue}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// Check returns the fault that adding the edition would give.
func (b SizeEditionBody) Check() error {
	e := b.Edition()
	_, err := e.check()
	return err
}

// Edition is the edition that would be added.
func (b SizeEditionBody) Edition() SizeEdition {
	e := SizeEdition{Kind: b.Kind, Document: b.Document, From: b.From}
	bounds := func(list []int64) sizeclass.Bounds {
		switch len(list) {
		case 0:
			return nil
		case 3:
			return &[3]int64{list[0], list[1], list[2]}
		}
		return &[3]int64{} // refused as upside down
	}
	for _, r := range b.Rows {
		if b.Kind == kindScale {
			row := sizeclass.ScaleRow{Name: r.Name, Codes: r.Codes, ByTitle: r.ByTitle}
			if len(r.Revenue) > 0 {
				row.Revenue = r.Revenue[0]
			}
			e.Scale = append(e.Scale, row)
			continue
		}
		e.Rows = append(e.Rows, sizeclass.Row{Name: r.Name, Codes: r.Codes, Employees: bounds(r.Employees), Revenue: bounds(r.Revenue), Assets: bounds(r.Assets)})
	}
	return e
}
