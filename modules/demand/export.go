package demand

import (
	"context"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/sheet"
)

// ExportSource is the demands as a spreadsheet, newest first, as staff of the district list them: what was quoted stays between the two
// sides, how many quotes stand does not. Nothing says how the company is reached.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[Item]
	parsed := func(f sheet.Filter) (Filter, error) {
		out := Filter{Kind: f["kind"], Query: f["q"]}
		if err := f.Only("state", "kind", "q"); err != nil {
			return out, err
		}
		for st := range strings.SplitSeq(f["state"], ",") {
			if st == "" {
				continue
			}
			if State(st).Label() == "" || State(st) == Draft {
				return out, sheet.ErrFilter
			}
			out.States = append(out.States, State(st))
		}
		if out.Kind != "" && s.kind(out.Kind).Code == "" {
			return out, sheet.ErrFilter
		}
		return out, nil
	}
	return sheet.List[Item]{
		Name: "demands", Title: "企业需求", Permission: PermExport,
		Describe: func(f sheet.Filter) (string, error) {
			p, err := parsed(f)
			if err != nil {
				return "", err
			}
			var words []string
			for _, st := range p.States {
				words = append(words, st.Label())
			}
			if p.Kind != "" {
				words = append(words, s.kind(p.Kind).Name)
			}
			if p.Query != "" {
				words = append(words, "关键词："+p.Query)
			}
			return strings.Join(words, " "), nil
		},
		Fields: []sheet.Field[Item]{
			of("number", "需求编号", 20, func(v *Item) sheet.Cell { return sheet.Text(v.Number) }),
			of("state", "状态", 12, func(v *Item) sheet.Cell { return sheet.Text(v.State.Label()) }),
			of("kind", "类别", 14, func(v *Item) sheet.Cell { return sheet.Text(v.KindName) }),
			of("title", "需求", 32, func(v *Item) sheet.Cell { return sheet.Text(v.Title) }),
			of("enterprise", "企业", 28, func(v *Item) sheet.Cell { return sheet.Text(v.EnterpriseName) }),
			of("named", "大厅显示企业名称", 16, func(v *Item) sheet.Cell {
				return sheet.Text(map[bool]string{true: "公开", false: "不公开"}[v.Named])
			}),
			of("budget", "预算或金额", 22, func(v *Item) sheet.Cell { return sheet.Text(v.Budget) }),
			of("until", "报价截止", 12, func(v *Item) sheet.Cell { return sheet.Text(v.Until) }),
			of("wantedBy", "希望完成", 12, func(v *Item) sheet.Cell { return sheet.Text(v.WantedBy) }),
			of("round", "审核轮次", 10, func(v *Item) sheet.Cell { return sheet.Int(int64(v.Round)) }),
			of("quotes", "有效报价数", 10, func(v *Item) sheet.Cell { return sheet.Int(int64(v.Quotes)) }),
			of("submittedAt", "提交时间", 20, func(v *Item) sheet.Cell { return sheet.TimeOf(v.SubmittedAt) }),
			of("approvedAt", "进入大厅时间", 20, func(v *Item) sheet.Cell { return sheet.TimeOf(v.ApprovedAt) }),
			of("endedAt", "结束时间", 20, func(v *Item) sheet.Cell { return sheet.TimeOf(v.EndedAt) }),
			of("application", "生成的申请", 20, func(v *Item) sheet.Cell { return sheet.Text(v.ApplicationNumber) }),
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]Item, string, error) {
			p, err := parsed(f)
			if err != nil {
				return nil, "", err
			}
			if !wide(actor) {
				return nil, "", ErrForbidden
			}
			p.Cursor, p.Limit = after, min(limit, 100)
			items, next, err := s.List(ctx, actor, p)
			return slices.DeleteFunc(items, func(i Item) bool { return i.State == Draft }), next, err
		},
	}.Source()
}
