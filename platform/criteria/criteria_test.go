package criteria_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

var update = flag.Bool("update", false, "rewrite golden files")

var today = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func mustSchema(t testing.TB) criteria.Schema {
	t.Helper()
	s, err := criteria.NewSchema(
		criteria.Field{Name: "industry", Label: "行业", Kind: criteria.Category, Under: criteria.UnderIndustry, Values: map[string]string{"C": "制造业", "65": "软件和信息技术服务业"}},
		criteria.Field{Name: "region", Label: "注册地", Kind: criteria.Category, Under: criteria.UnderRegion, Values: map[string]string{"110112": "通州区"}},
		criteria.Field{Name: "employees", Label: "从业人员", Kind: criteria.Count, Unit: "人", Ask: "企业填报"},
		criteria.Field{Name: "revenue", Label: "营业收入", Kind: criteria.Money, MaxAge: 600 * 24 * time.Hour},
		criteria.Field{Name: "rd", Label: "研发费用", Kind: criteria.Money},
		criteria.Field{Name: "assets", Label: "资产总额", Kind: criteria.Money},
		criteria.Field{Name: "established", Label: "成立日期", Kind: criteria.Date},
		criteria.Field{Name: "qualification", Label: "资质", Kind: criteria.Holdings, Values: map[string]string{"hte": "高新技术企业", "srdi": "专精特新中小企业"}},
		criteria.Field{Name: "rdRatio", Label: "研发占比", Kind: criteria.Ratio},
		criteria.Field{Name: "sizeClass", Label: "企业规模", Kind: criteria.Category, Closed: true, Values: map[string]string{"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"}},
		criteria.Field{Name: "creditStanding", Label: "信用记录", Kind: criteria.Holdings, Values: map[string]string{"serious": "严重违法失信名单"}},
		criteria.Field{Name: "exporter", Label: "出口企业", Kind: criteria.Flag},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustParse(t testing.TB, text string) criteria.Condition {
	t.Helper()
	c, err := criteria.Parse([]byte(text), mustSchema(t))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

func known(v criteria.Value) criteria.Fact {
	return criteria.Fact{Value: v, Source: "企业填报", AsOf: date("2026-10-01")}
}

// Every operator at and beside its bound. want is t, f or u.
func TestOperators(t *testing.T) {
	t.Parallel()
	hte := criteria.Holding{Code: "hte", From: date("2023-11-23"), To: date("2026-11-22")}
	old := criteria.Holding{Code: "hte", From: date("2020-01-01"), To: date("2026-11-21")}
	soon := criteria.Holding{Code: "hte", From: date("2026-11-23")}
	for _, c := range []struct {
		clause string // without field
		field  string
		value  criteria.Value
		want   string
		gap    string
	}{
		{`"op":"gte","value":20`, "employees", criteria.Number(20), "t", ""},
		{`"op":"gte","value":20`, "employees", criteria.Number(8), "f", "还差 12 人"},
		{`"op":"gt","value":20`, "employees", criteria.Number(20), "f", "还差 1 人"},
		{`"op":"gt","value":20`, "employees", criteria.Number(21), "t", ""},
		{`"op":"lte","value":300`, "employees", criteria.Number(300), "t", ""},
		{`"op":"lte","value":300`, "employees", criteria.Number(301), "f", "超出 1 人"},
		{`"op":"lt","value":300`, "employees", criteria.Number(300), "f", "超出 1 人"},
		{`"op":"lt","value":300`, "employees", criteria.Number(299), "t", ""},
		{`"op":"eq","value":7`, "employees", criteria.Number(7), "t", ""},
		{`"op":"eq","value":7`, "employees", criteria.Number(8), "f", ""},
		{`"op":"ne","value":"7"`, "employees", criteria.Number(7), "f", ""},
		{`"op":"between","value":[10,20]`, "employees", criteria.Number(10), "t", ""},
		{`"op":"between","value":[10,20]`, "employees", criteria.Number(20), "t", ""},
		{`"op":"between","value":[10,20]`, "employees", criteria.Number(9), "f", "还差 1 人"},
		{`"op":"between","value":[10,20]`, "employees", criteria.Number(23), "f", "超出 3 人"},
		{`"op":"between","value":[10,20],"ends":"[)"`, "employees", criteria.Number(20), "f", "超出 1 人"},
		{`"op":"between","value":[10,20],"ends":"(]"`, "employees", criteria.Number(10), "f", "还差 1 人"},
		{`"op":"between","value":[10,20],"ends":"()"`, "employees", criteria.Number(11), "t", ""},
		{`"op":"between","value":[100,200],"unit":"万元","ends":"(]"`, "revenue", criteria.Fen(100_000_000), "f", "恰好等于界限，不符合"},
		{`"op":"between","value":[100,200],"unit":"万元","ends":"[)"`, "revenue", criteria.Fen(210_000_000), "f", "超出 10 万元以上"},
		{`"op":"gte","value":"2000","unit":"万元"`, "revenue", criteria.Fen(2000 * 1_000_000), "t", ""},
		{`"op":"gte","value":2000,"unit":"万元"`, "revenue", criteria.Fen(2000*1_000_000 - 1), "f", "还差 0.01 元"},
		{`"op":"gt","value":2000,"unit":"万元"`, "revenue", criteria.Fen(2000 * 1_000_000), "f", "恰好等于界限，不符合"},
		{`"op":"lt","value":"1.5","unit":"亿元"`, "revenue", criteria.Fen(160_000_000_00), "f", "超出 1,000 万元以上"},
		{`"op":"gte","value":3,"unit":"%"`, "rdRatio", criteria.Permille(30), "t", ""},
		{`"op":"gte","value":3,"unit":"%"`, "rdRatio", criteria.Permille(26), "f", "还差 0.4 个百分点"},
		{`"op":"ratio_gte","value":30,"unit":"‰"`, "rdRatio", criteria.Permille(29), "f", "还差 0.1 个百分点"},
		{`"op":"years_since_gte","value":2`, "established", criteria.Day(date("2024-11-22")), "t", ""},
		{`"op":"years_since_gte","value":2`, "established", criteria.Day(date("2024-11-23")), "f", "还差 1 天，2026年11月23日起满足"},
		{`"op":"years_since_lte","value":5,"unit":"年"`, "established", criteria.Day(date("2021-11-22")), "t", ""},
		{`"op":"years_since_lte","value":5`, "established", criteria.Day(date("2021-11-21")), "f", "已超过 1 天"},
		{`"op":"years_since_lt","value":1`, "established", criteria.Day(date("2025-11-23")), "t", ""},
		{`"op":"years_since_lt","value":1`, "established", criteria.Day(date("2025-11-22")), "f", "已于 2026年11月22日满 1 年"},
		{`"op":"years_since_gte","value":3`, "established", criteria.Span(date("2022-11-23"), date("2023-11-22")), "t", ""},
		{`"op":"years_since_gte","value":3`, "established", criteria.Span(date("2022-11-24"), date("2023-11-23")), "u", ""},
		{`"op":"years_since_gte","value":5`, "established", criteria.Span(date("2022-11-24"), date("2023-11-23")), "f", "还差 367 天，2027年11月24日起满足"},
		{`"op":"eq","value":"2023-01-01"`, "established", criteria.Span(date("2022-11-24"), date("2023-11-23")), "u", ""},
		{`"op":"ne","value":"2021-01-01"`, "established", criteria.Span(date("2022-11-24"), date("2023-11-23")), "t", ""},
		{`"op":"between","value":["2023-01-01","2023-02-01"]`, "established", criteria.Span(date("2022-11-24"), date("2023-11-23")), "u", ""},
		{`"op":"between","value":["2022-01-01","2023-12-01"]`, "established", criteria.Span(date("2022-11-24"), date("2023-11-23")), "t", ""},
		{`"op":"lte","value":"2024-12-31"`, "established", criteria.Day(date("2024-12-31")), "t", ""},
		{`"op":"lt","value":"2024-12-31"`, "established", criteria.Day(date("2024-12-31")), "f", ""},
		{`"op":"between","value":["2024-01-01","2024-12-31"]`, "established", criteria.Day(date("2025-01-01")), "f", ""},
		{`"op":"eq","value":"small"`, "sizeClass", criteria.Code("small"), "t", ""},
		{`"op":"eq","value":"small"`, "sizeClass", criteria.OneOf("small", "micro"), "u", ""},
		{`"op":"eq","value":"large"`, "sizeClass", criteria.OneOf("small", "micro"), "f", ""},
		{`"op":"ne","value":"large"`, "sizeClass", criteria.OneOf("small", "micro"), "t", ""},
		{`"op":"ne","value":"small"`, "sizeClass", criteria.OneOf("small", "micro"), "u", ""},
		{`"op":"in","value":["medium","small","micro"]`, "sizeClass", criteria.OneOf("medium", "small", "micro"), "t", ""},
		{`"op":"in","value":["medium","small","micro"]`, "sizeClass", criteria.OneOf("large", "medium"), "u", ""},
		{`"op":"in","value":["medium","small","micro"]`, "sizeClass", criteria.Code("large"), "f", ""},
		{`"op":"under","value":"C"`, "industry", criteria.Code("3920"), "t", ""},
		{`"op":"under","value":"C"`, "industry", criteria.Code("C3920"), "t", ""},
		{`"op":"under","value":"C"`, "industry", criteria.Code("6513"), "f", ""},
		{`"op":"under","value":["C","65"]`, "industry", criteria.Code("6513"), "t", ""},
		{`"op":"under","value":"C39"`, "industry", criteria.Code("39"), "t", ""},
		{`"op":"under","value":"392"`, "industry", criteria.Code("39"), "u", ""},
		{`"op":"under","value":"39"`, "industry", criteria.Code("C"), "u", ""},
		{`"op":"in","value":["3920"]`, "industry", criteria.Code("39"), "u", ""},
		{`"op":"under","value":"110112"`, "region", criteria.Code("110112001"), "t", ""},
		{`"op":"under","value":"110000"`, "region", criteria.Code("110112"), "t", ""},
		{`"op":"under","value":"110112"`, "region", criteria.Code("110105"), "f", ""},
		{`"op":"under","value":"110112"`, "region", criteria.Code("110000"), "u", ""},
		{`"op":"has","value":"hte"`, "qualification", criteria.Holds(hte), "t", ""},
		{`"op":"has","value":"hte"`, "qualification", criteria.Holds(old), "f", "高新技术企业已于 2026年11月21日到期"},
		{`"op":"has","value":"hte"`, "qualification", criteria.Holds(soon), "f", "尚未取得：高新技术企业"},
		{`"op":"has","value":"hte","on":"2026-11-01"`, "qualification", criteria.Holds(old), "t", ""},
		{`"op":"has","value":"hte","within":3`, "qualification", criteria.Holds(criteria.Holding{Code: "hte", From: date("2023-11-22"), To: date("2024-01-01")}), "t", ""},
		{`"op":"has","value":"hte","within":3`, "qualification", criteria.Holds(criteria.Holding{Code: "hte", From: date("2023-11-21")}), "f", "近 3 年内未取得：高新技术企业"},
		{`"op":"has","value":"hte","within":3`, "qualification", criteria.Holds(criteria.Holding{Code: "hte"}), "f", "近 3 年内未取得：高新技术企业"},
		{`"op":"notOn","value":"hte","within":3`, "qualification", criteria.Holds(criteria.Holding{Code: "hte", From: date("2020-01-01"), To: date("2023-11-21")}), "t", ""},
		{`"op":"notOn","value":"hte","within":3`, "qualification", criteria.Holds(criteria.Holding{Code: "hte", From: date("2020-01-01"), To: date("2023-11-22")}), "f", "已列入：高新技术企业"},
		{`"op":"has","value":["hte","srdi"]`, "qualification", criteria.Holds(), "f", "尚未取得：高新技术企业、专精特新中小企业"},
		{`"op":"has","value":["hte","srdi"]`, "qualification", criteria.Holds(criteria.Holding{Code: "srdi"}), "t", ""},
		{`"op":"notOn","value":"serious"`, "creditStanding", criteria.Holds(), "t", ""},
		{`"op":"notOn","value":"serious"`, "creditStanding", criteria.Holds(criteria.Holding{Code: "serious"}), "f", "已列入：严重违法失信名单"},
		{`"op":"notOn","value":"serious"`, "creditStanding", criteria.Holds(criteria.Holding{Code: "serious", To: date("2025-01-01")}), "t", ""},
		{`"op":"eq","value":true`, "exporter", criteria.Yes(true), "t", ""},
		{`"op":"ne","value":true`, "exporter", criteria.Yes(true), "f", ""},
	} {
		o := mustParse(t, fmt.Sprintf(`{"field":%q,%s}`, c.field, c.clause)).Evaluate(criteria.Facts{c.field: known(c.value)}, today)
		got := o.Clauses[0]
		if string(got.Verdict)[:1] != c.want || got.Gap != c.gap || got.Required == "" || c.want != "u" && got.Actual == "" || got.Source != "企业填报" || got.AsOf != "2026-10-01" {
			t.Errorf("%s {%s} = %+v", c.field, c.clause, got)
		}
		// without the fact, every operator is unknown, and says why
		o = mustParse(t, fmt.Sprintf(`{"field":%q,%s}`, c.field, c.clause)).Evaluate(nil, today)
		if o.Decision != criteria.Undecided || o.Clauses[0].Reason != criteria.NotCollected || o.Missing[0].Field != c.field {
			t.Errorf("%s {%s} on nothing = %+v", c.field, c.clause, o)
		}
	}
}

// What speaks against the enterprise, what is its own word and what is known, in words.
func TestInWords(t *testing.T) {
	t.Parallel()
	stated := known(criteria.Number(12345))
	stated.Stated = true
	facts := criteria.Facts{
		"employees": stated, "industry": known(criteria.Code("65")), "revenue": {Unknown: criteria.Conflicting, Source: "税务、统计", AsOf: date("2026-05-31")},
		"rd": known(criteria.Fen(-123_456_789)), "assets": known(criteria.Fen(12_000_000_000)), "established": known(criteria.Span(date("2022-11-24"), date("2023-11-23"))),
		"qualification": known(criteria.Holds(criteria.Holding{Code: "srdi"}, criteria.Holding{Code: "hte", To: date("2026-11-21")})), "creditStanding": known(criteria.Holds()),
	}
	o := mustParse(t, `{"all":[{"not":{"any":[{"field":"industry","op":"under","value":"C"},{"not":{"field":"employees","op":"gt","value":1000}}]}},{"field":"employees","op":"lt","value":20000}]}`).Evaluate(facts, today)
	if c := o.Clauses; o.Decision != criteria.Eligible || !c[0].Negated || c[1].Negated || c[2].Negated || c[0].Stated || !c[1].Stated || c[2].Required != "低于 20,000 人" || c[2].Actual != "12,345 人" {
		t.Errorf("%+v", o)
	}
	want := []criteria.Told{
		{Field: "industry", Label: "行业", Value: "软件和信息技术服务业", Source: "企业填报", AsOf: "2026-10-01"},
		{Field: "region", Label: "注册地", Reason: criteria.NotCollected, Why: "尚未采集该数据"},
		{Field: "employees", Label: "从业人员", Value: "12,345 人", Source: "企业填报", AsOf: "2026-10-01", Stated: true},
		{Field: "revenue", Label: "营业收入", Source: "税务、统计", AsOf: "2026-05-31", Reason: criteria.Conflicting, Why: "不同来源的数据不一致，需核实"},
		{Field: "rd", Label: "研发费用", Value: "-1,234,567.89 元", Source: "企业填报", AsOf: "2026-10-01"},
		{Field: "assets", Label: "资产总额", Value: "1.2 亿元", Source: "企业填报", AsOf: "2026-10-01"},
		{Field: "established", Label: "成立日期", Value: "2022年11月24日 至 2023年11月23日之间", Source: "企业填报", AsOf: "2026-10-01"},
		{Field: "qualification", Label: "资质", Value: "专精特新中小企业、高新技术企业（不在有效期内）", Source: "企业填报", AsOf: "2026-10-01"},
		{Field: "rdRatio", Label: "研发占比", Reason: criteria.NotCollected, Why: "尚未采集该数据"},
		{Field: "sizeClass", Label: "企业规模", Reason: criteria.NotCollected, Why: "尚未采集该数据"},
		{Field: "creditStanding", Label: "信用记录", Value: "无", Source: "企业填报", AsOf: "2026-10-01"},
		{Field: "exporter", Label: "出口企业", Reason: criteria.NotCollected, Why: "尚未采集该数据"},
	}
	if got := mustSchema(t).Tell(facts, today); !slices.Equal(got, want) {
		t.Errorf("told %+v", got)
	}
}

func TestRatioOfTwo(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"field":"rd","of":"revenue","op":"ratio_gte","value":"3","unit":"%"}`)
	for _, x := range []struct {
		rd, revenue criteria.Fact
		want        criteria.Verdict
		actual, gap string
		missing     string
	}{
		{known(criteria.Fen(300)), known(criteria.Fen(10000)), criteria.True, "3%", "", ""},
		{known(criteria.Fen(29999)), known(criteria.Fen(1000000)), criteria.False, "2.99%", "还差 0.01 个百分点", ""},
		{known(criteria.Fen(1 << 59)), known(criteria.Fen(1 << 59)), criteria.True, "100%", "", ""},
		{known(criteria.Fen(300)), known(criteria.Fen(0)), criteria.Unknown, "", "", "revenue"},
		{known(criteria.Fen(300)), criteria.Fact{Unknown: criteria.NotConsented}, criteria.Unknown, "", "", "revenue"},
		{criteria.Fact{}, criteria.Fact{}, criteria.Unknown, "", "", "rd,revenue"},
	} {
		o := c.Evaluate(criteria.Facts{"rd": x.rd, "revenue": x.revenue}, today)
		var missing []string
		for _, m := range o.Missing {
			missing = append(missing, m.Field)
		}
		if g := o.Clauses[0]; g.Verdict != x.want || g.Actual != x.actual || g.Gap != x.gap || strings.Join(missing, ",") != x.missing {
			t.Errorf("%+v: %+v missing %v", x, g, missing)
		}
	}
	if got := c.Fields(); !slices.Equal(got, []string{"rd", "revenue"}) {
		t.Errorf("Fields = %v", got)
	}
}

func TestWhyUnknown(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"field":"revenue","op":"gte","value":1,"unit":"元"}`)
	for want, f := range map[criteria.Reason]criteria.Fact{
		criteria.NotCollected: {},
		criteria.Conflicting:  {Value: criteria.Fen(1), Unknown: criteria.Conflicting},
		criteria.NotConsented: {Unknown: criteria.NotConsented},
		criteria.Expired:      {Value: criteria.Fen(100), AsOf: date("2025-01-01")},
		criteria.Unreadable:   {Value: criteria.Number(1), AsOf: today},
	} {
		o := c.Evaluate(criteria.Facts{"revenue": f}, today)
		if got := o.Clauses[0]; o.Decision != criteria.Undecided || got.Reason != want || got.Why != want.Text() || o.Missing[0].Reason != want {
			t.Errorf("%s: %+v", want, got)
		}
	}
}

func TestLeapDay(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `{"field":"established","op":"years_since_gte","value":1}`)
	f := criteria.Facts{"established": known(criteria.Day(date("2024-02-29")))}
	for day, want := range map[string]criteria.Decision{"2025-02-27": criteria.Near, "2025-02-28": criteria.Eligible} {
		if got := c.Evaluate(f, date(day)).Decision; got != want {
			t.Errorf("%s: %s", day, got)
		}
	}
	// the day is Beijing's: 16:00 UTC is already tomorrow there
	c = mustParse(t, `{"field":"established","op":"years_since_gte","value":2}`)
	f = criteria.Facts{"established": known(criteria.Day(date("2024-11-23")))}
	if got := c.Evaluate(f, time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)).Decision; got != criteria.Eligible {
		t.Errorf("Beijing midnight: %s", got)
	}
}

const (
	yes     = `{"field":"exporter","op":"eq","value":true}`
	no      = `{"field":"exporter","op":"eq","value":false}`
	dunno   = `{"field":"employees","op":"gte","value":5}`
	byHand  = `{"op":"human","label":"技术水平领先"}`
	reached = `{"field":"assets","op":"gte","value":5,"unit":"元"}` // false, and one can come to meet it
)

// The truth tables of Kleene's logic with the human value, and the decisions they lead to.
func TestTruthTables(t *testing.T) {
	t.Parallel()
	facts := criteria.Facts{"exporter": known(criteria.Yes(true)), "assets": known(criteria.Fen(100))}
	for _, c := range []struct {
		text    string
		want    criteria.Decision
		missing int
	}{
		{`{"all":[T]}`, "eligible", 0}, {`{"all":[F]}`, "not_eligible", 0}, {`{"all":[U]}`, "unknown", 1}, {`{"all":[H]}`, "human", 0},
		{`{"all":[T,T]}`, "eligible", 0}, {`{"all":[T,F]}`, "not_eligible", 0}, {`{"all":[T,U]}`, "unknown", 1},
		{`{"all":[F,U]}`, "not_eligible", 0}, {`{"all":[T,H]}`, "human", 0}, {`{"all":[U,H]}`, "unknown", 1}, {`{"all":[F,H]}`, "not_eligible", 0},
		{`{"any":[T,F]}`, "eligible", 0}, {`{"any":[T,U]}`, "eligible", 0}, {`{"any":[F,F]}`, "not_eligible", 0},
		{`{"any":[F,U]}`, "unknown", 1}, {`{"any":[F,H]}`, "human", 0}, {`{"any":[U,H]}`, "unknown", 1}, {`{"any":[T,H]}`, "eligible", 0},
		{`{"not":T}`, "not_eligible", 0}, {`{"not":F}`, "eligible", 0}, {`{"not":U}`, "unknown", 1}, {`{"not":H}`, "human", 0},
		{`{"atLeast":{"k":2,"of":[T,T,F]}}`, "eligible", 0}, {`{"atLeast":{"k":2,"of":[T,F,F]}}`, "not_eligible", 0},
		{`{"atLeast":{"k":2,"of":[T,F,U]}}`, "unknown", 1}, {`{"atLeast":{"k":2,"of":[F,F,U]}}`, "not_eligible", 0},
		{`{"atLeast":{"k":2,"of":[T,F,H]}}`, "human", 0}, {`{"atLeast":{"k":3,"of":[T,U,H]}}`, "unknown", 1},
		{`{"all":[T,R]}`, "near", 0}, {`{"all":[F,R]}`, "not_eligible", 0}, {`{"all":[R,R]}`, "not_eligible", 0}, {`{"any":[F,R]}`, "near", 0},
		{`{"all":[R,U]}`, "not_eligible", 0}, {`{"all":[R,H]}`, "near", 0}, {`{"atLeast":{"k":2,"of":[R,R,T]}}`, "near", 0}, {`{"not":{"not":R}}`, "near", 0},
		// a decided branch makes its unknowns moot; the same field is asked once
		{`{"all":[{"any":[T,U]},{"any":[F,U]},U]}`, "unknown", 1}, {`{"any":[{"all":[F,U]},F]}`, "not_eligible", 0},
	} {
		text := strings.NewReplacer("T", yes, "F", no, "U", dunno, "H", byHand, "R", reached).Replace(c.text)
		o := mustParse(t, text).Evaluate(facts, today)
		if o.Decision != c.want || len(o.Missing) != c.missing || o.Text != o.Decision.Text() || o.Text == "" || o.Summary == "" {
			t.Errorf("%s = %s %q, missing %d", c.text, o.Decision, o.Summary, len(o.Missing))
		}
	}
	if o := (criteria.Condition{}).Evaluate(nil, today); o.Decision != criteria.Eligible {
		t.Errorf("empty condition: %s", o.Decision)
	}
}

// genTree draws a condition over the six fields b0..b5, each a Count asked to be 1.
func genTree(t *rapid.T, depth int) string {
	kind := rapid.SampledFrom([]string{"leaf", "leaf", "all", "any", "not", "atLeast"}).Draw(t, "kind")
	if depth == 0 || kind == "leaf" {
		return fmt.Sprintf(`{"field":"b%d","op":"gte","value":1}`, rapid.IntRange(0, 5).Draw(t, "field"))
	}
	if kind == "not" {
		return `{"not":` + genTree(t, depth-1) + `}`
	}
	n := rapid.IntRange(1, 4).Draw(t, "items")
	items := make([]string, n)
	for i := range items {
		items[i] = genTree(t, depth-1)
	}
	list := "[" + strings.Join(items, ",") + "]"
	if kind == "atLeast" {
		return fmt.Sprintf(`{"atLeast":{"k":%d,"of":%s}}`, rapid.IntRange(1, n).Draw(t, "k"), list)
	}
	return fmt.Sprintf(`{%q:%s}`, kind, list)
}

func bitSchema(t *rapid.T) criteria.Schema {
	var fs []criteria.Field
	for i := range 6 {
		fs = append(fs, criteria.Field{Name: fmt.Sprintf("b%d", i), Label: fmt.Sprintf("第%d项", i), Kind: criteria.Count, Unit: "项"})
	}
	s, err := criteria.NewSchema(fs...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func genFacts(t *rapid.T) criteria.Facts {
	fs := criteria.Facts{}
	for i := range 6 {
		if v := rapid.IntRange(-1, 1).Draw(t, "value"); v >= 0 {
			fs[fmt.Sprintf("b%d", i)] = criteria.Fact{Value: criteria.Number(int64(v))}
		}
	}
	return fs
}

func rootVerdict(t *rapid.T, text string, s criteria.Schema, fs criteria.Facts) criteria.Outcome {
	c, err := criteria.Parse([]byte(text), s)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c.Evaluate(fs, today)
}

// Filling in an unknown never flips what was decided, and only fields listed as missing can decide what was not.
func TestMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, text, fs := bitSchema(t), genTree(t, 3), genFacts(t)
		before := rootVerdict(t, text, s, fs)
		more := criteria.Facts{}
		touched := false
		for i := range 6 {
			name := fmt.Sprintf("b%d", i)
			if f, ok := fs[name]; ok {
				more[name] = f
			} else if rapid.Bool().Draw(t, "fill") {
				more[name] = criteria.Fact{Value: criteria.Number(int64(rapid.IntRange(0, 1).Draw(t, "with")))}
				touched = touched || slices.ContainsFunc(before.Missing, func(m criteria.Missing) bool { return m.Field == name })
			}
		}
		after := rootVerdict(t, text, s, more)
		if v := before.Tree.Verdict; v != criteria.Unknown && after.Tree.Verdict != v {
			t.Fatalf("%s: %s became %s", text, v, after.Tree.Verdict)
		}
		if before.Tree.Verdict == criteria.Unknown && !touched && after.Tree.Verdict != criteria.Unknown {
			t.Fatalf("%s was decided by a field not listed as missing", text)
		}
		if (before.Decision == criteria.Undecided) != (len(before.Missing) > 0) {
			t.Fatalf("%s: %s with %d missing", text, before.Decision, len(before.Missing))
		}
	})
}

func TestLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, fs := bitSchema(t), genFacts(t)
		a, b := genTree(t, 2), genTree(t, 2)
		same := func(law, x, y string) {
			if vx, vy := rootVerdict(t, x, s, fs).Tree.Verdict, rootVerdict(t, y, s, fs).Tree.Verdict; vx != vy {
				t.Fatalf("%s: %s is %s, %s is %s", law, x, vx, y, vy)
			}
		}
		not := func(x string) string { return `{"not":` + x + `}` }
		pair := func(kind, x, y string) string { return `{"` + kind + `":[` + x + `,` + y + `]}` }
		same("double negation", a, not(not(a)))
		same("De Morgan all", not(pair("all", a, b)), pair("any", not(a), not(b)))
		same("De Morgan any", not(pair("any", a, b)), pair("all", not(a), not(b)))
		same("commutes", pair("all", a, b), pair("all", b, a))
		same("absorbs", a, pair("any", a, pair("all", a, b)))
		same("at least all", pair("all", a, b), `{"atLeast":{"k":2,"of":[`+a+`,`+b+`]}}`)
		same("at least one", pair("any", a, b), `{"atLeast":{"k":1,"of":[`+a+`,`+b+`]}}`)
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"not":`, 12) + yes + strings.Repeat(`}`, 12)
	wide := `{"all":[` + strings.TrimSuffix(strings.Repeat(yes+",", 500), ",") + `]}`
	for _, c := range []struct{ in, says, field string }{
		{``, "不是有效的 JSON", "condition"},
		{`[]`, "应为一个对象", "condition"},
		{`{"all":[]}`, "至少要有一条条件", "condition"},
		{`{"any":{}}`, "至少要有一条条件", "condition"},
		{`{"all":[T],"any":[T]}`, "不能与其他内容写在一起", "condition"},
		{`{"all":[T,{"any":[T,{"field":"staff","op":"gte","value":1}]}]}`, "「全部满足」第 2 条 › 「任一满足」第 2 条：没有名为「staff」的字段", "condition.all[1].any[1]"},
		{`{"not":{"field":"employees","op":"under","value":"C"}}`, "不满足：字段「从业人员」不能使用「under」比较", "condition.not"},
		{`{"atLeast":{"k":3,"of":[T,T]}}`, "1 到 2 的整数", "condition"},
		{`{"atLeast":{"k":1,"of":[T],"x":1}}`, "不认识「x」", "condition"},
		{`{"atLeast":{"k":1,"of":[T,{"op":"gte"}]}}`, "第 2 条：请指明字段", "condition.atLeast.of[1]"},
		{`{"field":"employees","op":"gte","value":1,"op":"lte"}`, "「op」重复", "condition"},
		{`{"field":"employees","op":"gte","value":1,"weight":2}`, "不认识「weight」", "condition"},
		{`{"field":"employees","op":"gte"}`, "请填写「从业人员」的要求", "condition"},
		{`{"field":"employees","op":"gte","value":1.5}`, "应为整数", "condition"},
		{`{"field":"employees","op":"gte","value":-1}`, "「从业人员」的要求不能小于 0", "condition"},
		{`{"field":"employees","op":"between","value":[-5,3]}`, "「从业人员」的下限不能小于 0", "condition"},
		{`{"field":"employees","op":"gte","value":1e3}`, "应为数字", "condition"},
		{`{"field":"employees","op":"gte","value":"二十"}`, "应为数字", "condition"},
		{`{"field":"employees","op":"gte","value":99999999999999999999}`, "数值过大", "condition"},
		{`{"field":"employees","op":"gte","value":1,"unit":"万元"}`, "单位应为「人」", "condition"},
		{`{"field":"employees","op":"between","value":[2,1]}`, "下限大于上限", "condition"},
		{`{"field":"employees","op":"between","value":[2,3],"ends":"()"}`, "没有任何值", "condition"},
		{`{"field":"employees","op":"gte","value":2,"ends":"()"}`, "只有范围", "condition"},
		{`{"field":"employees","op":"gte","value":2,"within":2}`, "只用于资质", "condition"},
		{`{"field":"qualification","op":"has","value":"hte","on":"2026"}`, "应为日期", "condition"},
		{`{"field":"employees","op":"gte","value":2,"span":[3,1],"quote":"二人"}`, "起止位置", "condition"},
		{`{"field":"employees","op":"between","value":[2]}`, "范围应为两个值", "condition"},
		{`{"field":"revenue","op":"gte","value":1}`, "请写明「营业收入」的单位（元、万元或亿元）", "condition"},
		{`{"field":"revenue","op":"gte","value":"0.001","unit":"元"}`, "小数位过多", "condition"},
		{`{"field":"rdRatio","op":"gte","value":3}`, "（%或‰）", "condition"},
		{`{"field":"established","op":"gte","value":"2026/1/1"}`, "应为日期", "condition"},
		{`{"field":"established","op":"years_since_gte","value":1.5}`, "整年数", "condition"},
		{`{"field":"sizeClass","op":"in","value":["tiny"]}`, "「企业规模」没有「tiny」这个选项", "condition"},
		{`{"field":"sizeClass","op":"in","value":[]}`, "代码列表", "condition"},
		{`{"field":"sizeClass","op":"eq","value":["small","micro"]}`, "多个请用 in", "condition"},
		{`{"field":"exporter","op":"eq","value":"yes"}`, "true 或 false", "condition"},
		{`{"field":"rd","op":"ratio_gte","value":3,"unit":"%"}`, "指明分母", "condition"},
		{`{"field":"rd","op":"ratio_gte","of":"employees","value":3,"unit":"%"}`, "单位不同", "condition"},
		{`{"field":"rd","op":"gte","of":"revenue","value":3,"unit":"元"}`, "只有 ratio_gte", "condition"},
		{`{"op":"human"}`, "要写明内容", "condition"},
		{`{"op":"human","label":"x","value":1}`, "不能有「value」", "condition"},
		{deep, "最多 12 层", "condition" + strings.Repeat(".not", 12)},
		{wide, "最多 500 条", "condition.all[499]"},
		{strings.Repeat(" ", criteria.MaxBytes+1), "过长", "condition"},
	} {
		in := c.in
		if len(in) < 200 {
			in = strings.ReplaceAll(in, "T", yes)
		}
		_, err := criteria.Parse([]byte(in), mustSchema(t))
		f, ok := fault.As(err)
		if !ok || !errors.Is(err, criteria.ErrBad) || !strings.Contains(f.Message, c.says) || f.Fields[0].Name != c.field {
			t.Errorf("Parse(%.80s) = %v (%+v)", c.in, err, f)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{yes, byHand, `{"all":[` + yes + `,` + dunno + `]}`, `{"atLeast":{"k":1,"of":[` + reached + `]}}`, `{"field":"rd","of":"revenue","op":"ratio_gte","value":"3","unit":"%"}`} {
		f.Add(s)
	}
	s := mustSchema(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := criteria.Parse([]byte(text), s)
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatal(err)
			}
			return
		}
		o := c.Evaluate(criteria.Facts{"employees": known(criteria.Number(3)), "rd": known(criteria.Fen(1)), "revenue": known(criteria.Fen(7))}, today)
		if o.Text == "" || len(o.Clauses) == 0 {
			t.Fatalf("%s: %+v", text, o)
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := criteria.Parse(again, s); err != nil {
			t.Fatalf("%s does not parse again: %v", again, err)
		}
	})
}

// One whole answer, as it is stored and shown.
func TestGolden(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/srdi.json")
	if err != nil {
		t.Fatal(err)
	}
	o := mustParse(t, string(text)).Evaluate(criteria.Facts{
		"region":         {Value: criteria.Code("110112104"), Source: "市场监管登记", AsOf: date("2026-09-30")},
		"sizeClass":      {Value: criteria.OneOf("medium", "small", "micro"), Source: "划型推算", AsOf: date("2026-09-30")},
		"established":    {Value: criteria.Day(date("2022-03-01")), Source: "市场监管登记", AsOf: date("2026-09-30")},
		"rd":             {Value: criteria.Fen(180_000_000), Source: "企业填报", AsOf: date("2026-04-30")},
		"revenue":        {Value: criteria.Fen(6_900_000_000), Source: "企业填报", AsOf: date("2026-04-30")},
		"creditStanding": {Value: criteria.Holds(), Source: "信用平台", AsOf: date("2026-11-20")},
	}, today)
	got, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("testdata/srdi.golden.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/srdi.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("outcome changed:\n%s", got)
	}
}

func TestNewSchemaRefuses(t *testing.T) {
	t.Parallel()
	ok := criteria.Field{Name: "a", Label: "甲", Kind: criteria.Count}
	for _, fs := range [][]criteria.Field{{ok, ok}, {{Name: "a", Label: "甲"}}, {{Name: "", Label: "甲", Kind: criteria.Count}}, {{Name: "a", Kind: criteria.Count}}} {
		if _, err := criteria.NewSchema(fs...); err == nil {
			t.Errorf("%+v accepted", fs)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	text, err := os.ReadFile("testdata/srdi.json")
	if err != nil {
		b.Fatal(err)
	}
	c := mustParse(b, string(text))
	fs := criteria.Facts{"region": known(criteria.Code("110112104")), "rd": known(criteria.Fen(1)), "revenue": known(criteria.Fen(100))}
	for b.Loop() {
		c.Evaluate(fs, today)
	}
}
