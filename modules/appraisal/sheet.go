package appraisal

import (
	"context"
	"fmt"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/sheet"
)

// exported is a row of a month's board.
type exported struct {
	month   string
	formula FormulaRef
	edition int
	UnitRow
}

// ExportSource is the board of a month as a spreadsheet, as the viewer sees it. It needs appraisal.export beside appraisal.view.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[exported]
	fields := []sheet.Field[exported]{
		of("month", "月份", 10, func(r *exported) sheet.Cell { return sheet.Text(r.month) }),
		of("unit", "承办单位", 24, func(r *exported) sheet.Cell { return sheet.Text(r.UnitName) }),
		of("cases", "件数", 8, func(r *exported) sheet.Cell { return sheet.Int(int64(r.Cases)) }),
	}
	for i, rate := range Rates {
		fields = append(fields, of(string(rate), rate.Label(), 12, func(r *exported) sheet.Cell {
			if i >= len(r.Figures) || r.Figures[i].Share == nil {
				return sheet.Cell{}
			}
			share := *r.Figures[i].Share
			return sheet.Text(fmt.Sprintf("%d.%02d%%（%d/%d）", share/100, share%100, r.Figures[i].Good, r.Figures[i].Of))
		}))
	}
	fields = append(fields,
		of("excluded", "剔除", 24, func(r *exported) sheet.Cell {
			text := ""
			for _, x := range r.Excluded {
				text += fmt.Sprintf("%s %d 件；", x.Label, x.N)
			}
			return sheet.Text(text)
		}),
		of("score", "得分", 8, func(r *exported) sheet.Cell {
			if r.Score == nil {
				return sheet.Cell{}
			}
			return sheet.Text(fmt.Sprintf("%d.%02d", *r.Score/100, *r.Score%100))
		}),
		of("rank", "名次", 8, func(r *exported) sheet.Cell {
			if r.Rank == 0 {
				return sheet.Text(r.Note)
			}
			return sheet.Int(int64(r.Rank))
		}),
		of("formula", "考核口径", 24, func(r *exported) sheet.Cell {
			edition := "实时数据"
			if r.edition > 0 {
				edition = fmt.Sprintf("冻结第 %d 版", r.edition)
			}
			return sheet.Text(fmt.Sprintf("%s（第 %d 号），%s", r.formula.Name, r.formula.No, edition))
		}))
	return sheet.List[exported]{
		Name: "appraisal", Title: "三率考核", Permission: PermExport, Fields: fields,
		Describe: func(f sheet.Filter) (string, error) {
			if err := f.Only("month"); err != nil {
				return "", err
			}
			if checkMonth("month", f["month"]) != nil {
				return "", sheet.ErrFilter
			}
			return "月份：" + f["month"], nil
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, _ string, _ int) ([]exported, string, error) {
			v, err := s.Month(ctx, actor, f["month"], 0, false)
			if err != nil {
				return nil, "", err
			}
			out := make([]exported, 0, len(v.Units))
			for _, u := range v.Units {
				out = append(out, exported{v.Month, v.Formula, v.Edition, u})
			}
			return out, "", nil
		},
	}.Source()
}
