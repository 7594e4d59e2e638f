package enterprise

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// QualityScore is how good the records of one import were, by the rules that held when it was read. Points are of a hundred
// with one decimal, times ten; -1 where no rule spoke.
type QualityScore struct {
	ImportID   int64             `json:"importId"`
	Source     string            `json:"source"`
	SourceName string            `json:"sourceName"`
	Rules      int64             `json:"rules" doc:"The version of the rules."`
	Rows       int64             `json:"rows"`
	Bad        int64             `json:"bad"`
	Review     int64             `json:"review"`
	Points     int               `json:"points" doc:"Times ten: 987 is 98.7; -1 where no rule spoke."`
	Unmet      int               `json:"unmet" doc:"Rules below their threshold."`
	At         time.Time         `json:"at"`
	Dimensions []DimensionScore  `json:"dimensions"`
	Details    []QualityRuleView `json:"details,omitempty"`
}

// DimensionScore is the score of one dimension.
type DimensionScore struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Points int    `json:"points"`
}

// QualityRuleView is what one rule found.
type QualityRuleView struct {
	QualityRule

	FieldName string `json:"fieldName"`
	Words     string `json:"words"`
	Tested    int64  `json:"tested"`
	Failed    int64  `json:"failed"`
	Points    int    `json:"points"`
	Met       bool   `json:"met"`
	Examples  string `json:"examples" doc:"Numbers of the first rows that failed."`
}

// points is the share of those that passed, of a thousand; -1 of none.
func points(tested, failed int64) int {
	if tested == 0 {
		return -1
	}
	return int((tested - failed) * 1000 / tested)
}

// weigh is the mean of shares by weight; -1 where there is none.
type weigh struct{ sum, weight int }

func (w *weigh) add(p, weight int) {
	if p >= 0 {
		w.sum += p * weight
		w.weight += weight
	}
}

func (w weigh) points() int {
	if w.weight == 0 {
		return -1
	}
	return w.sum / w.weight
}

// reckon turns counts into the score.
func (s *Service) reckon(sc score, rules *ruleSet, counts map[string]tally, names ruling) QualityScore {
	out := QualityScore{ImportID: sc.ImportID, Source: sc.Source, SourceName: names[Source(sc.Source)].name, Rules: sc.RulesID, Rows: sc.Rows, Bad: sc.Bad, Review: sc.Review, At: sc.At.UTC(),
		Dimensions: []DimensionScore{}, Details: []QualityRuleView{}}
	if out.SourceName == "" {
		out.SourceName = sc.Source
	}
	titles := importFields(s.ImportTarget())
	var all weigh
	by := map[string]*weigh{}
	for _, q := range rules.Rules {
		t := counts[q.Code]
		v := QualityRuleView{QualityRule: q, FieldName: titles[q.Field], Words: q.words(titles), Tested: t.Tested, Failed: t.Failed, Points: points(t.Tested, t.Failed), Examples: t.Examples}
		if v.Met = v.Points < 0 || v.Points >= q.Threshold*10; !v.Met {
			out.Unmet++
		}
		if by[q.Dimension] == nil {
			by[q.Dimension] = &weigh{}
		}
		by[q.Dimension].add(v.Points, q.Weight)
		all.add(v.Points, q.Weight)
		out.Details = append(out.Details, v)
	}
	for _, d := range dimensions {
		if w := by[d[0]]; w != nil {
			out.Dimensions = append(out.Dimensions, DimensionScore{d[0], d[1], w.points()})
		}
	}
	out.Points = all.points()
	return out
}

// Scores returns a page of the scores of imports, the newest first; of one source unless it is "".
func (s *Service) Scores(ctx context.Context, actor access.Actor, source, cursor string, limit int) ([]QualityScore, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	before, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	limit = limitOf(limit)
	db := s.db.Read()
	var rows []score
	q := db.NewSelect().Model(&rows).OrderExpr("qs.import_id DESC").Limit(int64(limit + 1))
	if source != "" {
		q = q.Where("qs.source = ?", source)
	}
	if before > 0 {
		q = q.Where("qs.import_id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(r score) int64 { return r.ImportID })
	out, err := s.reckonAll(ctx, db, rows)
	return out, next, err
}

func (s *Service) reckonAll(ctx context.Context, db bun.IDB, rows []score) ([]QualityScore, error) {
	out := make([]QualityScore, 0, len(rows))
	if len(rows) == 0 {
		return out, nil
	}
	names, err := s.ruling(ctx, db)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.ImportID)
	}
	var list []tally
	if err := db.NewSelect().Model(&list).Where("qt.import_id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	by := map[int64]map[string]tally{}
	for _, t := range list {
		if by[t.ImportID] == nil {
			by[t.ImportID] = map[string]tally{}
		}
		by[t.ImportID][t.Code] = t
	}
	for _, r := range rows {
		rules, err := s.rulesOf(ctx, db, r.RulesID)
		if err != nil {
			return nil, err
		}
		out = append(out, s.reckon(r, rules, by[r.ImportID], names))
	}
	return out, nil
}

// ScoreOf returns the score of one import with what each rule found.
func (s *Service) ScoreOf(ctx context.Context, actor access.Actor, importID int64) (QualityScore, error) {
	if err := actor.Need(PermView); err != nil {
		return QualityScore{}, err
	}
	db := s.db.Read()
	var r score
	if err := db.NewSelect().Model(&r).Where("qs.import_id = ?", importID).Scan(ctx); err != nil {
		return QualityScore{}, database.Found(err)
	}
	list, err := s.reckonAll(ctx, db, []score{r})
	if err != nil {
		return QualityScore{}, err
	}
	return list[0], nil
}

// SourceScore is how good the newest import of a source was, and those before it.
type SourceScore struct {
	Source     string           `json:"source"`
	SourceName string           `json:"sourceName"`
	Points     int              `json:"points"`
	Dimensions []DimensionScore `json:"dimensions"`
	Imports    int              `json:"imports"`
	Rows       int64            `json:"rows"`
	LastID     int64            `json:"lastId"`
	LastAt     time.Time        `json:"lastAt"`
	// Trend are the points of the imports, the oldest first.
	Trend []int `json:"trend"`
}

// trend is how many imports of a source are looked at.
const trend = 12

// SourceScores returns the quality of each source: the mean of its last imports by their rows, its newest and the trend.
func (s *Service) SourceScores(ctx context.Context, actor access.Actor) ([]SourceScore, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	var sources []string
	if err := s.db.Read().NewSelect().TableExpr("enterprise_sources AS src").Column("code").OrderExpr("code").Scan(ctx, &sources); err != nil {
		return nil, err
	}
	out := []SourceScore{}
	for _, source := range sources {
		list, _, err := s.Scores(ctx, actor, source, "", trend)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			continue
		}
		x := SourceScore{Source: source, SourceName: list[0].SourceName, Dimensions: list[0].Dimensions, Imports: len(list), LastID: list[0].ImportID, LastAt: list[0].At, Trend: []int{}}
		var mean weigh
		for i := len(list) - 1; i >= 0; i-- {
			x.Trend = append(x.Trend, list[i].Points)
			x.Rows += list[i].Rows
			mean.add(list[i].Points, int(list[i].Rows))
		}
		x.Points = mean.points()
		out = append(out, x)
	}
	return out, nil
}

// scoreLine is one rule of one import, as it leaves in a spreadsheet.
type scoreLine struct {
	QualityScore
	rule QualityRuleView
}

func showPoints(p int) string {
	if p < 0 {
		return "—"
	}
	return fmt.Sprintf("%d.%d", p/10, p%10)
}

// QualitySource is the report on the quality of registers that leaves as a spreadsheet: a row for each rule of each import.
func (s *Service) QualitySource() sheet.Source {
	of := sheet.Of[scoreLine]
	fields := []sheet.Field[scoreLine]{
		of("import", "导入编号", 10, func(x *scoreLine) sheet.Cell { return sheet.Int(x.ImportID) }),
		of("source", "来源", 18, func(x *scoreLine) sheet.Cell { return sheet.Text(x.SourceName) }),
		of("at", "评分时间", 20, func(x *scoreLine) sheet.Cell { return sheet.Time(x.At) }),
		of("rows", "行数", 10, func(x *scoreLine) sheet.Cell { return sheet.Int(x.Rows) }),
		of("total", "总分", 8, func(x *scoreLine) sheet.Cell { return sheet.Text(showPoints(x.QualityScore.Points)) }),
		of("version", "规则版本", 10, func(x *scoreLine) sheet.Cell { return sheet.Int(x.Rules) }),
		of("dimension", "维度", 10, func(x *scoreLine) sheet.Cell { return sheet.Text(dimensionName(x.rule.Dimension)) }),
		of("rule", "规则", 30, func(x *scoreLine) sheet.Cell { return sheet.Text(x.rule.Name) }),
		of("check", "检查", 30, func(x *scoreLine) sheet.Cell { return sheet.Text(x.rule.FieldName + "，" + x.rule.Words) }),
		of("weight", "权重", 8, func(x *scoreLine) sheet.Cell { return sheet.Int(int64(x.rule.Weight)) }),
		of("tested", "检查数", 10, func(x *scoreLine) sheet.Cell { return sheet.Int(x.rule.Tested) }),
		of("failed", "不通过", 10, func(x *scoreLine) sheet.Cell { return sheet.Int(x.rule.Failed) }),
		of("points", "通过率（%）", 12, func(x *scoreLine) sheet.Cell { return sheet.Text(showPoints(x.rule.Points)) }),
		of("threshold", "达标线（%）", 12, func(x *scoreLine) sheet.Cell { return sheet.Int(int64(x.rule.Threshold)) }),
		of("met", "是否达标", 10, func(x *scoreLine) sheet.Cell {
			if x.rule.Met {
				return sheet.Text("达标")
			}
			return sheet.Text("未达标")
		}),
		of("examples", "不通过的行（前 20 行）", 30, func(x *scoreLine) sheet.Cell { return sheet.Text(x.rule.Examples) }),
	}
	return sheet.List[scoreLine]{Name: "quality_scores", Title: "数据质量报告", Permission: PermExport, Fields: fields,
		Describe: func(f sheet.Filter) (string, error) {
			id, source, err := scoreFilter(f)
			switch {
			case id != 0:
				return fmt.Sprintf("导入编号：%d", id), err
			case source != "":
				return "来源：" + source, err
			}
			return "", err
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]scoreLine, string, error) {
			id, source, err := scoreFilter(f)
			if err != nil {
				return nil, "", err
			}
			var list []QualityScore
			next := ""
			if id != 0 {
				one, err := s.ScoreOf(ctx, actor, id)
				if err != nil {
					return nil, "", err
				}
				list = append(list, one)
			} else if list, next, err = s.Scores(ctx, actor, source, after, max(1, limit/20)); err != nil {
				return nil, "", err
			}
			var out []scoreLine
			for _, x := range list {
				for _, r := range x.Details {
					out = append(out, scoreLine{x, r})
				}
			}
			return out, next, nil
		}}.Source()
}

func scoreFilter(f sheet.Filter) (id int64, source string, err error) {
	if err := f.Only("import", "source"); err != nil {
		return 0, "", err
	}
	if f["import"] != "" {
		if id, err = strconv.ParseInt(f["import"], 10, 64); err != nil || id <= 0 {
			return 0, "", fault.InvalidField("import", "FILTER", "导入编号无效")
		}
	}
	return id, f["source"], nil
}
