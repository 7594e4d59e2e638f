package evaluation

import (
	"context"
	"strconv"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// exported is an evaluation with who asked for it.
type exported struct{ Item }

func filterOf(f sheet.Filter) (Filter, error) {
	out := Filter{State: f["state"], From: f["from"], To: f["to"]}
	if err := f.Only("state", "from", "to", "institutionId", "level"); err != nil {
		return out, err
	}
	for key, into := range map[string]*int64{"institutionId": &out.InstitutionID} {
		if f[key] != "" {
			var err error
			if *into, err = strconv.ParseInt(f[key], 10, 64); err != nil {
				return out, sheet.ErrFilter
			}
		}
	}
	if f["level"] != "" {
		var err error
		if out.Level, err = strconv.Atoi(f["level"]); err != nil {
			return out, sheet.ErrFilter
		}
	}
	if _, ok := stateNames[out.State]; !ok {
		return out, sheet.ErrFilter
	}
	if _, _, err := span(out.From, out.To); err != nil {
		return out, sheet.ErrFilter
	}
	return out, nil
}

func described(f sheet.Filter) (string, error) {
	parsed, err := filterOf(f)
	if err != nil {
		return "", err
	}
	var words []string
	if name := stateNames[parsed.State]; name != "" {
		words = append(words, "状态："+name)
	}
	if parsed.InstitutionID != 0 {
		words = append(words, "机构编号："+f["institutionId"])
	}
	if parsed.Level != 0 {
		words = append(words, "档次："+f["level"])
	}
	if parsed.From != "" || parsed.To != "" {
		words = append(words, "评价日期："+parsed.From+" 至 "+parsed.To)
	}
	return strings.Join(words, "；"), nil
}

// ExportSource is the evaluations as a spreadsheet, newest first: what the actor sees.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[exported]
	return sheet.List[exported]{
		Name: "evaluations", Title: "服务评价", Permission: PermExport, Describe: described,
		Fields: []sheet.Field[exported]{
			of("number", "申请编号", 20, func(v *exported) sheet.Cell { return sheet.Text(v.Number) }),
			of("title", "服务产品", 28, func(v *exported) sheet.Cell { return sheet.Text(v.Title) }),
			of("kind", "服务类别", 14, func(v *exported) sheet.Cell { return sheet.Text(v.KindName) }),
			of("institution", "机构", 26, func(v *exported) sheet.Cell { return sheet.Text(v.InstitutionName) }),
			of("enterprise", "企业", 28, func(v *exported) sheet.Cell { return sheet.Text(v.EnterpriseName) }),
			of("phase", "阶段", 10, func(v *exported) sheet.Cell { return sheet.Text(v.Phase.Label()) }),
			of("level", "档次", 8, func(v *exported) sheet.Cell { return sheet.Int(int64(v.Level)) }),
			of("label", "评价", 12, func(v *exported) sheet.Cell { return sheet.Text(v.Label) }),
			of("tags", "意见标签", 30, func(v *exported) sheet.Cell { return sheet.Text(strings.Join(v.Tags, "、")) }),
			of("words", "评价内容", 40, func(v *exported) sheet.Cell {
				words, _ := text.MaskNumbers(v.Words)
				return sheet.Text(words)
			}),
			of("givenAt", "评价时间", 20, func(v *exported) sheet.Cell { return sheet.Time(v.GivenAt) }),
			of("revisedAt", "修改时间", 20, func(v *exported) sheet.Cell { return sheet.TimeOf(v.RevisedAt) }),
			of("repliedAt", "回复时间", 20, func(v *exported) sheet.Cell { return sheet.TimeOf(v.RepliedAt) }),
			of("standing", "计分情况", 12, func(v *exported) sheet.Cell {
				switch {
				case v.Voided:
					return sheet.Text("不计分")
				case !v.Counts:
					return sheet.Text("以服务后评价为准")
				}
				return sheet.Text("计分")
			}),
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]exported, string, error) {
			parsed, err := filterOf(f)
			if err != nil {
				return nil, "", err
			}
			parsed.Cursor, parsed.Limit = after, min(limit, 100)
			items, next, err := s.List(ctx, actor, parsed)
			out := make([]exported, 0, len(items))
			for _, i := range items {
				out = append(out, exported{i})
			}
			return out, next, err
		},
	}.Source()
}

// RankSource is the ranking of a period as a spreadsheet.
func (s *Service) RankSource() sheet.Source {
	of := sheet.Of[Ranked]
	return sheet.List[Ranked]{
		Name: "evaluation_ranking", Title: "机构服务评价排名", Permission: PermExport,
		Describe: func(f sheet.Filter) (string, error) {
			if err := f.Only("from", "to"); err != nil {
				return "", err
			}
			if _, _, err := span(f["from"], f["to"]); err != nil {
				return "", sheet.ErrFilter
			}
			if f["from"] == "" && f["to"] == "" {
				return "最近十二个月", nil
			}
			return "评价日期：" + f["from"] + " 至 " + f["to"], nil
		},
		Fields: []sheet.Field[Ranked]{
			of("rank", "排名", 8, func(x *Ranked) sheet.Cell {
				if x.Rank == 0 {
					return sheet.Text("样本不足")
				}
				return sheet.Int(int64(x.Rank))
			}),
			of("institution", "机构", 28, func(x *Ranked) sheet.Cell { return sheet.Text(x.InstitutionName) }),
			of("score", "排名分", 10, func(x *Ranked) sheet.Cell { return sheet.Fen(int64(x.Score)) }),
			of("mean", "平均分", 10, func(x *Ranked) sheet.Cell { return sheet.Fen(int64(x.Mean)) }),
			of("count", "评价数", 10, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Count)) }),
			of("good", "满意及以上", 12, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Good)) }),
			of("level5", "5 档", 8, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Levels[0])) }),
			of("level4", "4 档", 8, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Levels[1])) }),
			of("level3", "3 档", 8, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Levels[2])) }),
			of("level2", "2 档", 8, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Levels[3])) }),
			of("level1", "1 档", 8, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Levels[4])) }),
			of("ended", "办结服务数", 12, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Ended)) }),
			of("said", "服务后已评价", 14, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Said)) }),
			of("replied", "已回复", 10, func(x *Ranked) sheet.Cell { return sheet.Int(int64(x.Replied)) }),
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]Ranked, string, error) {
			r, err := s.Rank(ctx, actor, f["from"], f["to"])
			if err != nil {
				return nil, "", err
			}
			from := 0
			if after != "" {
				if from, err = strconv.Atoi(after); err != nil || from < 0 {
					return nil, "", sheet.ErrFilter
				}
			}
			if from >= len(r.Items) {
				return nil, "", nil
			}
			to, next := min(from+limit, len(r.Items)), ""
			if to < len(r.Items) {
				next = strconv.Itoa(to)
			}
			return r.Items[from:to], next, nil
		},
	}.Source()
}
