package criteria_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/criteria"
)

func yearlySchema(t *testing.T) criteria.Schema {
	t.Helper()
	s, err := criteria.NewSchema(
		criteria.Field{Name: "revenue", Label: "上年营业收入", Kind: criteria.Money, Yearly: "营业收入", Booked: true, Ask: "企业填报"},
		criteria.Field{Name: "rd", Label: "上年研发费用", Kind: criteria.Money, Yearly: "研发费用", Booked: true},
		criteria.Field{Name: "rdRatio", Label: "研发费用占比", Kind: criteria.Ratio, Yearly: "研发费用占比"},
		criteria.Field{Name: "employees", Label: "从业人员", Kind: criteria.Count, Unit: "人", Yearly: "年末从业人员"},
		criteria.Field{Name: "capital", Label: "注册资本", Kind: criteria.Money},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const wan = 1_000_000

// books are what 2025, 2024, 2023 had; a negative number is not known.
func books(scale int64, ns ...int64) criteria.Fact {
	var f criteria.Fact
	for i, n := range ns {
		if n >= 0 {
			f.Years = append(f.Years, criteria.Year{Year: 2025 - i, N: n * scale, Source: "税务部门", AsOf: date("2025-12-31").AddDate(-i, 0, 0)})
		}
	}
	return f
}

func TestSeveralYears(t *testing.T) {
	t.Parallel()
	s := yearlySchema(t)
	const revenue = `{"field":"revenue","value":2000,"unit":"万元","years":3,`
	for _, c := range []struct {
		clause   string
		facts    criteria.Facts
		decision criteria.Decision
		required string
		actual   string
		tail     string // gap, or why not known
	}{
		{revenue + `"op":"gte","over":"each"}`, criteria.Facts{"revenue": books(wan, 2600, 2100, 2000)}, criteria.Eligible, "近三年均不低于 2,000 万元", "2025年 2,600 万元，2024年 2,100 万元，2023年 2,000 万元", ""},
		{revenue + `"op":"gte","over":"each"}`, criteria.Facts{"revenue": books(wan, 2600, 1900, 2000)}, criteria.NotEligible, "近三年均不低于 2,000 万元", "2025年 2,600 万元，2024年 1,900 万元，2023年 2,000 万元", "2024年还差 100 万元"},
		// only the year that leaves the count next year falls short
		{revenue + `"op":"gte","over":"each"}`, criteria.Facts{"revenue": books(wan, 2600, 2100, 1999)}, criteria.Near, "近三年均不低于 2,000 万元", "2025年 2,600 万元，2024年 2,100 万元，2023年 1,999 万元", "2023年还差 1 万元"},
		{revenue + `"op":"gte","over":"each"}`, criteria.Facts{"revenue": books(wan, 2600, -1, 2000)}, criteria.Undecided, "近三年均不低于 2,000 万元", "2025年 2,600 万元，2024年 尚无数据，2023年 2,000 万元", "2024 年：尚未采集该数据"},
		// one year decides against, whatever the missing one was
		{revenue + `"op":"gte","over":"each"}`, criteria.Facts{"revenue": books(wan, 10, -1, 2000)}, criteria.NotEligible, "近三年均不低于 2,000 万元", "2025年 10 万元，2024年 尚无数据，2023年 2,000 万元", "2025年还差 1,990 万元"},
		{revenue + `"op":"gt","over":"any"}`, criteria.Facts{"revenue": books(wan, 2000, -1, 2001)}, criteria.Eligible, "近三年任意一年超过 2,000 万元", "2025年 2,000 万元，2024年 尚无数据，2023年 2,001 万元", ""},
		{revenue + `"op":"gte","over":"any"}`, criteria.Facts{"revenue": books(wan, 1999, 0, 3)}, criteria.Near, "近三年任意一年不低于 2,000 万元", "2025年 1,999 万元，2024年 0 元，2023年 3 万元", "2025年还差 1 万元；2024年还差 2,000 万元；2023年还差 1,997 万元"},
		{revenue + `"op":"gte","over":"mean"}`, criteria.Facts{"revenue": books(wan, 5000, 500, 500)}, criteria.Eligible, "近三年平均不低于 2,000 万元", "平均 2,000 万元（2025年 5,000 万元，2024年 500 万元，2023年 500 万元）", ""},
		{revenue + `"op":"gt","over":"mean"}`, criteria.Facts{"revenue": books(wan, 5000, 500, 500)}, criteria.Near, "近三年平均超过 2,000 万元", "平均 2,000 万元（2025年 5,000 万元，2024年 500 万元，2023年 500 万元）", "恰好等于界限，不符合"},
		{revenue + `"op":"gte","over":"mean"}`, criteria.Facts{"revenue": books(1, 600_000_000*10/3, 0, 0)}, criteria.Near, "近三年平均不低于 2,000 万元", "平均 6,666,666.66 元（2025年 2,000 万元，2024年 0 元，2023年 0 元）", "平均还差 13,333,333.34 元"},
		{revenue + `"op":"gte","over":"mean"}`, criteria.Facts{"revenue": books(wan, 9_000_000, 9_000_000, -1)}, criteria.Undecided, "近三年平均不低于 2,000 万元", "2025年 900 亿元，2024年 900 亿元，2023年 尚无数据", "2023 年：尚未采集该数据"},
		{revenue + `"op":"gte","over":"total"}`, criteria.Facts{"revenue": books(wan, 1000, 500, 499)}, criteria.Near, "近三年合计不低于 2,000 万元", "合计 1,999 万元（2025年 1,000 万元，2024年 500 万元，2023年 499 万元）", "合计还差 1 万元"},
		{`{"field":"revenue","op":"between","value":[100,200],"ends":"(]","unit":"万元","years":2,"over":"mean"}`, criteria.Facts{"revenue": books(1, 100*wan, 100*wan+1)}, criteria.Eligible, "近两年平均在 100 万元（不含） 至 200 万元之间", "平均 100 万元（2025年 100 万元，2024年 1,000,000.01 元）", ""},
		{`{"field":"employees","op":"gte","value":20,"years":3,"over":"mean"}`, criteria.Facts{"employees": books(1, 19, 20, 20)}, criteria.Near, "近三年平均不低于 20 人", "平均 19.66 人（2025年 19 人，2024年 20 人，2023年 20 人）", "平均还差 1 人"},
		{`{"field":"rdRatio","op":"gte","value":3,"unit":"%","years":2,"over":"each"}`, criteria.Facts{"rdRatio": books(1, 31, 26)}, criteria.Near, "近两年均不低于 3%", "2025年 3.1%，2024年 2.6%", "2024年还差 0.4 个百分点"},
		{`{"field":"rd","of":"revenue","op":"ratio_gte","value":3,"unit":"%","years":2,"over":"total"}`, criteria.Facts{"revenue": books(wan, 100, 300), "rd": books(wan, 0, 12)}, criteria.Eligible, "近两年合计占营业收入合计的比例不低于 3%", "合计 3%（2025年 0 元、100 万元，2024年 12 万元、300 万元）", ""},
		{`{"field":"rd","of":"revenue","op":"ratio_gte","value":3,"unit":"%","years":2,"over":"each"}`, criteria.Facts{"revenue": books(wan, 100, 300), "rd": books(wan, 0, 12)}, criteria.NotEligible, "近两年占营业收入的比例均不低于 3%", "2025年 0%，2024年 4%", "2025年还差 3 个百分点"},
		{`{"field":"rd","of":"revenue","op":"ratio_gte","value":3,"unit":"%","years":2,"over":"total"}`, criteria.Facts{"revenue": books(wan, 0, 0), "rd": books(wan, 1, 1)}, criteria.Undecided, "近两年合计占营业收入合计的比例不低于 3%", "2025年 1 万元、0 元，2024年 1 万元、0 元", "2025 年：比值的分母不大于零，无法计算"},
		{revenue + `"op":"gte","over":"each"}`, criteria.Facts{"revenue": {Unknown: criteria.NotConsented}}, criteria.Undecided, "近三年均不低于 2,000 万元", "", "2023、2024、2025 年：企业尚未授权使用该数据"},
	} {
		cond, err := criteria.Parse([]byte(c.clause), s)
		if err != nil {
			t.Fatalf("%s: %v", c.clause, err)
		}
		o := cond.Evaluate(c.facts, today)
		x := o.Clauses[0]
		if o.Decision != c.decision || x.Required != c.required || x.Actual != c.actual || x.Gap+x.Why != c.tail {
			t.Errorf("%s\n is %s: %q, %q, %q\nwant %s: %q, %q, %q", c.clause, o.Decision, x.Required, x.Actual, x.Gap+x.Why, c.decision, c.required, c.actual, c.tail)
		}
		cols := criteria.NewColumns(s)
		cols.Put(1, c.facts)
		if d, _ := cols.Evaluate(cond, today).Decision(1); d != c.decision {
			t.Errorf("%s: columns say %s, want %s", c.clause, d, c.decision)
		}
	}
}

// What is missing names the years, apart from what is missing as of now.
func TestMissingYears(t *testing.T) {
	t.Parallel()
	s := yearlySchema(t)
	c, err := criteria.Parse([]byte(`{"all":[
		{"field":"revenue","op":"gte","value":2000,"unit":"万元","years":2,"over":"each"},
		{"field":"revenue","op":"gte","value":1000,"unit":"万元"},
		{"field":"revenue","op":"gte","value":500,"unit":"万元","years":3,"over":"mean"}]}`), s)
	if err != nil {
		t.Fatal(err)
	}
	m := c.Evaluate(criteria.Facts{"revenue": books(wan, 3000)}, today).Missing
	if len(m) != 2 || m[0].Label != "营业收入（2023、2024 年）" || m[0].Years != "2023、2024" || m[1].Label != "上年营业收入" || m[0].Key() == m[1].Key() || m[0].Ask != "企业填报" {
		t.Errorf("missing %+v", m)
	}
	// the day of judging says which years count: on New Year's Day the year before is over
	if m := c.Evaluate(criteria.Facts{"revenue": books(wan, 3000, 3000, 3000)}, date("2027-01-01")).Missing; len(m) == 0 || m[0].Years != "2026" {
		t.Errorf("missing in the new year %+v", m)
	}
}

// Facts with years are kept and read back as they were.
func TestYearsAreKept(t *testing.T) {
	t.Parallel()
	f := criteria.Facts{"revenue": books(wan, 1, 2)}
	f["revenue"].Years[1].Stated = true
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back criteria.Facts
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(back)
	if string(again) != string(raw) || len(back["revenue"].Years) != 2 {
		t.Errorf("%s became %s", raw, again)
	}
	if old, _ := json.Marshal(criteria.Facts{"revenue": {Value: criteria.Fen(1)}}); strings.Contains(string(old), "Years") {
		t.Errorf("a fact without years is kept as %s: what was kept before would read as another", old)
	}
}

// A sum that no machine word holds is judged exactly.
func TestYearsDoNotOverflow(t *testing.T) {
	t.Parallel()
	s := yearlySchema(t)
	c, err := criteria.Parse([]byte(`{"field":"employees","op":"gte","value":"1000000000000000000","years":10,"over":"mean"}`), s)
	if err != nil {
		t.Fatal(err)
	}
	var f criteria.Fact
	sum := new(big.Int)
	for y := range 10 {
		f.Years = append(f.Years, criteria.Year{Year: 2025 - y, N: 1_000_000_000_000_000_000})
		sum.Add(sum, big.NewInt(1_000_000_000_000_000_000))
	}
	if sum.IsInt64() {
		t.Fatal("the numbers are too small to test anything")
	}
	cols := criteria.NewColumns(s)
	for id, n := range []int64{0, -1} {
		f.Years[9].N += n
		facts := criteria.Facts{"employees": {Years: append([]criteria.Year(nil), f.Years...)}}
		cols.Put(int64(id), facts)
		want := []criteria.Decision{criteria.Eligible, criteria.Near}[id]
		if d := c.Evaluate(facts, today).Decision; d != want {
			t.Errorf("row: %s, want %s", d, want)
		}
		if d, _ := cols.Evaluate(c, today).Decision(int64(id)); d != want {
			t.Errorf("columns: %s, want %s", d, want)
		}
	}
}

func TestBadYears(t *testing.T) {
	t.Parallel()
	s := yearlySchema(t)
	for clause, want := range map[string]string{
		`{"field":"revenue","op":"gte","value":1,"unit":"万元","years":0,"over":"each"}`:                    "「years」应为 1 到 10 的整年数",
		`{"field":"revenue","op":"gte","value":1,"unit":"万元","years":11,"over":"each"}`:                   "「years」应为 1 到 10 的整年数",
		`{"field":"revenue","op":"gte","value":1,"unit":"万元","years":2.5,"over":"each"}`:                  "「years」应为 1 到 10 的整年数",
		`{"field":"revenue","op":"gte","value":1,"unit":"万元","years":3}`:                                  "请写明「营业收入」是各年均、任意一年、平均还是合计",
		`{"field":"revenue","op":"gte","value":1,"unit":"万元","over":"mean"}`:                              "请写明「上年营业收入」是近几年的",
		`{"field":"revenue","op":"gte","value":1,"unit":"万元","years":3,"over":"most"}`:                    "「over」应为 each（各年均）、any（任意一年）、mean（平均）或 total（合计）",
		`{"field":"capital","op":"gte","value":1,"unit":"万元","years":3,"over":"each"}`:                    "「注册资本」没有分年数据，不能按近几年判定",
		`{"field":"employees","op":"gte","value":1,"years":3,"over":"total"}`:                             "「年末从业人员」各年的数不能相加，请用平均、各年均或任意一年",
		`{"field":"revenue","of":"capital","op":"ratio_gte","value":1,"unit":"%","years":3,"over":"any"}`: "「注册资本」没有分年数据，不能按近几年判定",
		`{"field":"rd","of":"revenue","op":"ratio_gte","value":1,"unit":"%","years":3,"over":"mean"}`:     "两项之比请用各年均、任意一年或合计，不能用平均",
		`{"op":"human","label":"领先","years":3,"over":"each"}`:                                             "需人工判定的条件不能有「years」",
	} {
		_, err := criteria.Parse([]byte(clause), s)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", clause, err, want)
		}
	}
}
