package catalog

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/sheet"
)

// PermExport is the right to take the list of products out.
const PermExport access.Permission = "product.export"

// exported is a product with its newest edition.
type exported struct {
	Item
	e *Edition
	p *Product
}

// answer is what was filled into a field, in the words it had then.
func (x *exported) answer(key string) string {
	for _, a := range x.e.Extra {
		if a.Key == key {
			return a.Text
		}
	}
	return ""
}

// ExportSource is the list of products that leaves as a spreadsheet: what the actor sees, each as its newest edition. The fields
// that administrators define are columns too, as they are at the moment.
func (s *Service) ExportSource() sheet.Source {
	src := s.exportSource(nil)
	src.Now = func(ctx context.Context) (sheet.Source, error) {
		list, err := s.asked(ctx, s.DB.Read(), "", "")
		return s.exportSource(list), err
	}
	return src
}

func (s *Service) exportSource(asked []Asked) sheet.Source {
	of := sheet.Of[exported]
	words := func(key, title string, width float64, word func(x *exported) string) sheet.Field[exported] {
		return of(key, title, width, func(x *exported) sheet.Cell {
			if w := word(x); w != "" {
				return sheet.Text(w)
			}
			return sheet.Cell{}
		})
	}
	yes := func(is bool) string {
		if is {
			return "是"
		}
		return "否"
	}
	columns := []sheet.Field[exported]{
		words("name", "产品", 30, func(x *exported) string { return x.Name }),
		words("institution", "机构", 26, func(x *exported) string { return x.InstitutionName }),
		words("kind", "服务类别", 14, func(x *exported) string { return x.KindName }),
		words("financing", "融资类型", 12, func(x *exported) string { return x.FinancingName }),
		words("status", "状态", 10, func(x *exported) string { return x.Status.Label() }),
		of("edition", "版本", 8, func(x *exported) sheet.Cell { return sheet.Int(x.Edition) }),
		words("shown", "在架", 8, func(x *exported) string { return yes(x.Shown > 0) }),
		words("summary", "一句话介绍", 36, func(x *exported) string { return x.e.Summary }),
		words("target", "适用对象", 30, func(x *exported) string { return x.e.Target }),
		words("rate", "利率或费率", 16, func(x *exported) string { return x.e.rateText() }),
		words("amount", "额度", 20, func(x *exported) string { return x.e.amountText() }),
		words("term", "期限", 16, func(x *exported) string { return x.e.termText() }),
		words("guarantees", "担保方式", 20, func(x *exported) string { return strings.Join(namesOf(guarantees, x.e.Guarantees), "、") }),
		words("cost", "收费方式", 12, func(x *exported) string { return kindOf(costs, x.e.Cost).Name }),
		words("price", "价格", 20, func(x *exported) string { return x.e.PriceText }),
		words("venues", "服务方式", 16, func(x *exported) string { return strings.Join(namesOf(venues, x.e.Venues), "、") }),
		words("duration", "服务周期", 16, func(x *exported) string { return x.e.Duration }),
		words("days", "办理时限", 14, func(x *exported) string { return x.e.daysText() }),
		of("listedAt", "上架时间", 20, func(x *exported) sheet.Cell { return sheet.TimeOf(x.ListedAt) }),
		words("validUntil", "有效期至", 14, func(x *exported) string { return x.e.ValidUntil }),
		words("recommended", "推荐", 8, func(x *exported) string { return yes(x.Recommended) }),
		of("rating", "企业评价（分）", 14, func(x *exported) sheet.Cell {
			if x.p.RatingCount == 0 {
				return sheet.Cell{}
			}
			return sheet.Fen(x.p.RatingMean) // hundredths too
		}),
		of("ratings", "评价次数", 10, func(x *exported) sheet.Cell { return sheet.Int(x.p.RatingCount) }),
		words("reason", "退回或下架原因", 30, func(x *exported) string { return x.e.Reason }),
		of("statusAt", "状态时间", 20, func(x *exported) sheet.Cell { return sheet.Time(x.StatusAt) }),
	}
	for _, a := range asked {
		columns = append(columns, words("extra."+a.Field.Key, a.Field.Label, 18, func(x *exported) string { return x.answer(a.Field.Key) }))
	}
	return sheet.List[exported]{Name: "products", Title: "产品", Permission: PermExport, Fields: columns,
		Describe: func(f sheet.Filter) (string, error) { return describe(asked, f) }, Count: s.exportCount, Page: s.exportPage}.Source()
}

// exportFilter reads what the list in the back office is narrowed by.
func exportFilter(f sheet.Filter) (ListFilter, error) {
	if err := f.Only("status", "q", "kind", "shown", "extra"); err != nil {
		return ListFilter{}, err
	}
	out := ListFilter{Query: strings.TrimSpace(f["q"]), Kind: f["kind"], Shown: f["shown"] != "", Extra: f["extra"]}
	for _, w := range f.Words("status") {
		if Status(w).Label() == "" {
			return out, sheet.ErrFilter
		}
		out.Statuses = append(out.Statuses, Status(w))
	}
	if out.Kind != "" && kindOf(kinds, out.Kind).Name == "" {
		return out, sheet.ErrFilter
	}
	return out, nil
}

func describe(asked []Asked, f sheet.Filter) (string, error) {
	parsed, err := exportFilter(f)
	if err != nil {
		return "", err
	}
	var words []string
	if parsed.Query != "" {
		words = append(words, "搜索：“"+parsed.Query+"”")
	}
	if parsed.Kind != "" {
		words = append(words, "类别："+kindOf(kinds, parsed.Kind).Name)
	}
	if parsed.Shown {
		words = append(words, "只看在架")
	}
	if len(parsed.Statuses) > 0 {
		var names []string
		for _, st := range parsed.Statuses {
			names = append(names, st.Label())
		}
		words = append(words, "状态："+strings.Join(names, "、"))
	}
	conditions, err := form.ReadFilters(fieldsOfAsked(asked), parsed.Extra)
	for _, x := range conditions {
		words = append(words, x.Words())
	}
	return strings.Join(words, "；"), err
}

func (s *Service) exportPage(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]exported, string, error) {
	parsed, err := exportFilter(f)
	if err != nil {
		return nil, "", err
	}
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	at, err := readPosition(after)
	if err != nil {
		return nil, "", err
	}
	db, now := s.DB.Read(), s.Clock.Now()
	if parsed.conditions, err = s.conditions(ctx, db, parsed.Extra); err != nil {
		return nil, "", err
	}
	rows, err := list(ctx, db, visible(actor, now), parsed, at, limit+1)
	if err != nil || len(rows) == 0 {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = position{at: last.StatusAt, id: last.ID}.String()
	}
	ids := make([]int64, 0, len(rows))
	for i := range rows {
		ids = append(ids, rows[i].ID)
	}
	var editions []Edition
	err = db.NewSelect().Model(&editions).Join("JOIN products AS p ON p.id = e.product_id AND p.edition = e.number").Where("p.id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, "", err
	}
	newest := map[int64]*Edition{}
	for i := range editions {
		newest[editions[i].ProductID] = &editions[i]
	}
	out := make([]exported, 0, len(rows))
	for i := range rows {
		if e := newest[rows[i].ID]; e != nil {
			out = append(out, exported{rows[i].item(now), e, &rows[i]})
		}
	}
	return out, next, nil
}

func (s *Service) exportCount(ctx context.Context, actor access.Actor, f sheet.Filter, most int) (int, error) {
	n := 0
	for after := ""; ; {
		rows, next, err := s.exportPage(ctx, actor, f, after, 500)
		if n += len(rows); err != nil || next == "" || n >= most {
			return min(n, most), err
		}
		after = next
	}
}
