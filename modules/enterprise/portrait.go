package enterprise

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
)

// Portrait is a company as its facts show it, each part with where it comes from and of which day it is.
type Portrait struct {
	Item
	At    time.Time      `json:"at"`
	Parts []PortraitPart `json:"parts"`
	Size  *SizeView      `json:"size,omitempty"`
	// Series are what is known of several years, for charts.
	Series     []Series   `json:"series"`
	Evaluation Evaluation `json:"evaluation"`
	Tags       []TagHeld  `json:"tags" doc:"What the platform calls it, by rule or by hand."`
	Mark       string     `json:"mark" doc:"What a printed report carries on every page: who printed it and when."`
}

// PortraitPart is a group of facts.
type PortraitPart struct {
	Title string     `json:"title"`
	Facts []FactView `json:"facts"`
	// Missing are what would belong here and is not known.
	Missing []MissingFact `json:"missing"`
}

// MissingFact is a field of which nothing is known, and who can supply it.
type MissingFact struct {
	Label string `json:"label"`
	Ask   string `json:"ask"`
}

// Series is a field over the years, oldest first; amounts in 万元.
type Series struct {
	Field  string  `json:"field"`
	Label  string  `json:"label"`
	Unit   string  `json:"unit"`
	Points []Point `json:"points"`
}

// Point is a value of one year.
type Point struct {
	Year   int    `json:"year"`
	Value  int64  `json:"value" doc:"In the unit of the series, times a hundred."`
	Text   string `json:"text"`
	Source string `json:"source"`
}

// Evaluation is a company held against written measures; it decides nothing by itself.
type Evaluation struct {
	// Points are the mean of the measures that could be taken, of a hundred; -1 where none could.
	Points   int       `json:"points"`
	Measures []Measure `json:"measures"`
	Note     string    `json:"note"`
}

// Measure is one measure of the evaluation.
type Measure struct {
	Code    string   `json:"code"`
	Label   string   `json:"label"`
	Points  int      `json:"points" doc:"Of a hundred; -1 where the facts do not suffice."`
	Formula string   `json:"formula"`
	Because []string `json:"because" doc:"The facts it rests on, with source and day."`
}

// Portrait shows a company to staff. It needs enterprise.view, and the company's consent or a legal basis, by its code.
func (s *Service) Portrait(ctx context.Context, actor access.Actor, id int64, basis string) (Portrait, error) {
	if err := actor.Need(PermView); err != nil {
		return Portrait{}, err
	}
	e, err := find(ctx, s.db.Read(), actor, id)
	if err != nil {
		return Portrait{}, err
	}
	groups, err := s.consents.Read(ctx, actor, id, Reading{forPortrait, basis, "企业画像"})
	if err != nil {
		return Portrait{}, err
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.portrait", Object: Object, ObjectID: id, Summary: "查看企业画像"})
	})
	if err != nil {
		return Portrait{}, err
	}
	return s.portrait(ctx, actor, e, groups, now)
}

// MyPortrait shows its own portrait to the company the actor acts for.
func (s *Service) MyPortrait(ctx context.Context, actor access.Actor) (Portrait, error) {
	if err := needOwner(actor); err != nil {
		return Portrait{}, err
	}
	e, err := find(ctx, s.db.Read(), actor, actor.EnterpriseID)
	if err != nil {
		return Portrait{}, err
	}
	return s.portrait(ctx, actor, e, allGroups(), s.clock.Now())
}

func allGroups() []string {
	var all []string
	for _, g := range Groups() {
		all = append(all, g.Code)
	}
	return all
}

func (s *Service) portrait(ctx context.Context, actor access.Actor, e *Enterprise, groups []string, at time.Time) (Portrait, error) {
	db := s.db.Read()
	all, err := factsOf(ctx, db, e.ID)
	if err != nil {
		return Portrait{}, err
	}
	rule, err := s.ruling(ctx, db)
	if err != nil {
		return Portrait{}, err
	}
	sizes, err := s.readThresholds(ctx, db)
	if err != nil {
		return Portrait{}, err
	}
	rows := factsWithin(all[e.ID], groups)
	now := rule.current(rows, at)
	facts := s.derive(sizes, now, at)
	rule.yearly(facts, byField(rows), at)
	tags, _, err := s.heldTags(ctx, db, e.ID, facts, groups, actor.Party != access.Enterprise)
	if err != nil {
		return Portrait{}, err
	}
	p := Portrait{Tags: tags, Item: e.item(), At: at.UTC(), Parts: parts(s.factViews(rule, sizes, rows)), Series: s.series(rule, rows, at), Evaluation: s.evaluate(now, at),
		Mark: fmt.Sprintf("%s %s", actor.Name, clock.Show(at))}
	if v, ok := s.sizeView(sizes, now, at); ok {
		p.Size = &v
	}
	return p, nil
}

// parts groups the facts, and names in each group what is not known.
func parts(facts []FactView) []PortraitPart {
	var out []PortraitPart
	for _, g := range groupNames() {
		part := PortraitPart{Title: g[1], Facts: []FactView{}, Missing: []MissingFact{}}
		for _, f := range fields {
			if f.group != g[1] {
				continue
			}
			i := slices.IndexFunc(facts, func(v FactView) bool { return v.Field == f.name })
			switch {
			case i >= 0:
				part.Facts = append(part.Facts, facts[i])
			case f.ask != "":
				part.Missing = append(part.Missing, MissingFact{f.label, f.ask})
			}
		}
		out = append(out, part)
	}
	return out
}

// series gives the fields that grow or shrink with what was known of each year: what counted on its last day, or counts now.
func (s *Service) series(rule ruling, rows []Fact, at time.Time) []Series {
	out := []Series{}
	by := byField(rows)
	this := at.In(clock.Beijing).Year()
	for _, name := range []string{"revenue", "assets", "rdSpend", "employees", "insured"} {
		f, _ := fieldOf(name)
		x := Series{Field: name, Label: strings.TrimPrefix(f.label, "上年"), Unit: "万元", Points: []Point{}}
		if f.unit != "" {
			x.Unit = f.unit
		}
		for year := this - 6; year <= this; year++ {
			var of []Fact
			for _, r := range by[name] {
				if f.yearOf(r.AsOf) == year && r.Source != settled {
					of = append(of, r)
				}
			}
			c, ok := rule.choose(f, of, at)
			if !ok {
				continue
			}
			n := number(c.words[0].Fact)
			_, text, _ := f.read(c.words[0].Value, s.terms)
			if x.Unit == "万元" {
				n = n * 100 / fenPerWan
			} else {
				n *= 100
			}
			x.Points = append(x.Points, Point{Year: year, Value: n, Text: text, Source: c.words[0].SourceName})
		}
		if len(x.Points) > 0 {
			out = append(out, x)
		}
	}
	return out
}

// evaluate holds the facts that count against the measures.
func (s *Service) evaluate(now map[string]Fact, at time.Time) Evaluation {
	out := Evaluation{Points: -1, Measures: []Measure{s.steadiness(now, at), s.innovation(now), s.standingOf(now, at), s.completeness(now)},
		Note: "根据已有数据按公开的算法计算，仅供服务企业时参考，不作为行政管理、资格认定的依据。数据不足的维度不计分。"}
	var mean weigh
	for _, m := range out.Measures {
		mean.add(m.Points, 1)
	}
	out.Points = mean.points()
	return out
}

// because says which fact a measure rests on.
func (s *Service) because(x Fact) string {
	f, _ := fieldOf(x.Field)
	_, text, _ := f.read(x.Value, s.terms)
	return s.becauseOf(x, text)
}

// becauseOf is because with the fact said so.
func (s *Service) becauseOf(x Fact, text string) string {
	f, _ := fieldOf(x.Field)
	return fmt.Sprintf("%s：%s（%s，%s）", f.label, text, x.SourceName, x.AsOf.In(clock.Beijing).Format("2006-01-02"))
}

func (s *Service) steadiness(now map[string]Fact, at time.Time) Measure {
	m := Measure{Code: "steady", Label: "经营稳定", Points: -1, Formula: "成立满 10 年得 100 分，不满的按年数折算；登记状态不是存续、在业、开业的得 0 分", Because: []string{}}
	born, ok := now["established"]
	if !ok {
		return m
	}
	day, err := time.Parse(time.DateOnly, word(born))
	if err != nil {
		return m
	}
	m.Because = append(m.Because, s.because(born))
	m.Points = min(100, max(0, int(at.Sub(day).Hours()/24*100/3652)))
	if st, ok := now["status"]; ok {
		m.Because = append(m.Because, s.because(st))
		if !slices.Contains([]string{"存续", "在业", "开业"}, word(st)) {
			m.Points = 0
		}
	}
	return m
}

func (s *Service) innovation(now map[string]Fact) Measure {
	m := Measure{Code: "innovation", Label: "创新能力", Points: -1, Formula: "研发费用占营业收入每 1% 得 10 分，最多 60 分；每项资质与称号、每件有效发明专利得 20 分，合计最多 40 分", Because: []string{}}
	share, _, ok := research(now)
	if ok && share >= 0 {
		m.Points = int(min(60, share))
		m.Because = append(m.Because, s.because(now["rdSpend"]), s.because(now["revenue"]))
	}
	titles, known := int64(0), false
	if held, ok := now["qualification"]; ok {
		_, others := s.terms.permitsOf(holdingsOf(held))
		titles, known = int64(len(others)), true
		m.Because = append(m.Because, s.becauseOf(held, s.titlesText(held, false)))
	}
	if x, ok := now["inventions"]; ok {
		titles, known = titles+min(2, number(x)), true
		m.Because = append(m.Because, s.because(x))
	}
	if known {
		m.Points = max(m.Points, 0) + int(min(40, 20*titles))
	}
	return m
}

func holdingsOf(x Fact) []Holding {
	var list []Holding
	_ = json.Unmarshal([]byte(x.Value), &list) // facts that count were read once already
	return list
}

func (s *Service) standingOf(now map[string]Fact, at time.Time) Measure {
	m := Measure{Code: "credit", Label: "信用状况", Points: -1,
		Formula: "未列入失信与异常名录得 100 分，每列入一项减 50 分；每项在公示期内的行政处罚、未结束的司法记录和社会保险费欠缴各减 20 分，其中失信被执行人减 50 分", Because: []string{}}
	x, ok := now["creditStanding"]
	if !ok {
		return m
	}
	m.Points = 100 - 50*len(holdingsOf(x))
	m.Because = append(m.Because, s.because(x))
	today := at.In(clock.Beijing).Format(time.DateOnly)
	for _, name := range []string{"penalties", "judgments", "socialArrears"} {
		x, ok := now[name]
		if !ok {
			continue
		}
		m.Because = append(m.Because, s.because(x))
		for _, h := range holdingsOf(x) {
			switch {
			case h.To != "" && h.To < today:
			case h.Code == "dishonest":
				m.Points -= 50
			default:
				m.Points -= 20
			}
		}
	}
	m.Points = max(0, m.Points)
	return m
}

func (s *Service) completeness(now map[string]Fact) Measure {
	m := Measure{Code: "complete", Label: "数据完整", Formula: "有数据的项目占全部项目的百分比", Because: []string{}}
	known, all := 0, 0
	for _, f := range fields {
		if len(f.from) > 0 || f.ask == "" {
			continue
		}
		all++
		if _, ok := now[f.name]; ok {
			known++
		}
	}
	m.Points = known * 100 / all
	m.Because = append(m.Because, fmt.Sprintf("%d 项中有 %d 项", all, known))
	return m
}
