package enterprise_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// Growth is that of the latest books against those of the year before: negative where they fell, not known where a year is
// missing, without a base where there was nothing before.
func TestGrowth(t *testing.T) {
	t.Parallel()
	book := func(year string, n int64) enterprise.Fact {
		return enterprise.NewFact("revenue", n*wan, enterprise.FromTax, day(year+"-12-31"))
	}
	grows := func(op, value string) string {
		return `{"field":"revenueGrowth","op":"` + op + `","value":` + value + `,"unit":"%"}`
	}
	for name, c := range map[string]struct {
		books     []enterprise.Fact
		condition string
		want      criteria.Decision
		shown     string
	}{
		"grew":            {[]enterprise.Fact{book("2025", 120), book("2024", 100)}, grows("gte", "20"), criteria.Eligible, "20%（2025 年比上年）"},
		"just short":      {[]enterprise.Fact{book("2025", 1199), book("2024", 1000)}, grows("gte", "20"), criteria.Near, "19.9%（2025 年比上年）"},
		"fell":            {[]enterprise.Fact{book("2025", 90), book("2024", 100)}, grows("gte", "-10"), criteria.Eligible, "-10%（2025 年比上年）"},
		"fell a little":   {[]enterprise.Fact{book("2025", 99_999), book("2024", 100_000)}, grows("gte", "0"), criteria.Near, "-0.1%（2025 年比上年）"},
		"a year missing":  {[]enterprise.Fact{book("2025", 120), book("2023", 100)}, grows("gte", "0"), criteria.Undecided, ""},
		"one year":        {[]enterprise.Fact{book("2025", 120)}, grows("gte", "0"), criteria.Undecided, ""},
		"from nothing":    {[]enterprise.Fact{book("2025", 120), book("2024", 0)}, grows("gte", "0"), criteria.Undecided, ""},
		"too old":         {[]enterprise.Fact{book("2023", 120), book("2022", 100)}, grows("gte", "0"), criteria.Undecided, "20%（2023 年比上年）"},
		"each of two":     {[]enterprise.Fact{book("2025", 120), book("2024", 100), book("2023", 80)}, strings.TrimSuffix(grows("gte", "20"), "}") + `,"years":2,"over":"each"}`, criteria.Eligible, "20%（2025 年比上年）"},
		"mean of two":     {[]enterprise.Fact{book("2025", 120), book("2024", 100), book("2023", 80)}, strings.TrimSuffix(grows("gte", "22.5"), "}") + `,"years":2,"over":"mean"}`, criteria.Eligible, "20%（2025 年比上年）"},
		"mean of three":   {[]enterprise.Fact{book("2025", 120), book("2024", 100), book("2023", 80)}, strings.TrimSuffix(grows("gte", "1"), "}") + `,"years":3,"over":"mean"}`, criteria.Undecided, "20%（2025 年比上年）"},
		"nothing at all":  {nil, grows("gte", "0"), criteria.Undecided, ""},
		"latest is alone": {[]enterprise.Fact{book("2025", 120), book("2023", 100), book("2022", 90)}, grows("gte", "0"), criteria.Undecided, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := mustNew(t)
			a := f.mustLoad(t, 7, c.books...)
			if got := decides(t, f.mustFacts(t, a.EnterpriseID), c.condition); got != c.want {
				t.Errorf("%s: %s, want %s", c.condition, got, c.want)
			}
			v, err := f.Get(t.Context(), keeper(), a.EnterpriseID, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(v.Facts, "revenueGrowth"); got != c.shown {
				t.Errorf("shown as %q, want %q", got, c.shown)
			}
		})
	}
	f := mustNew(t)
	a := f.mustLoad(t, 7, book("2025", 120), book("2024", 0))
	if x := f.mustFacts(t, a.EnterpriseID)["revenueGrowth"]; x.Unknown != criteria.NoBase {
		t.Errorf("over nothing: %+v", x)
	}
}

func shown(list []enterprise.FactView, field string) string {
	for _, v := range list {
		if v.Field == field {
			return v.Text
		}
	}
	return ""
}

// What a company owes over what it has, now and in single years.
func TestDebtRatio(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7, enterprise.NewFact("assets", 1000*wan, enterprise.FromTax, day("2025-12-31")), enterprise.NewFact("liabilities", 655*wan, enterprise.FromTax, day("2025-12-31")),
		enterprise.NewFact("assets", 500*wan, enterprise.FromTax, day("2024-12-31")), enterprise.NewFact("liabilities", 600*wan, enterprise.FromTax, day("2024-12-31")))
	facts := f.mustFacts(t, a.EnterpriseID)
	for condition, want := range map[string]criteria.Decision{
		`{"field":"debtRatio","op":"lte","value":65.5,"unit":"%"}`:                       criteria.Eligible,
		`{"field":"debtRatio","op":"lte","value":65,"unit":"%"}`:                         criteria.NotEligible,
		`{"field":"debtRatio","op":"lte","value":70,"unit":"%","years":2,"over":"each"}`: criteria.Near,
		`{"field":"debtRatio","op":"lte","value":93,"unit":"%","years":2,"over":"mean"}`: criteria.Eligible,
		`{"field":"debtRatio","op":"lte","value":70,"unit":"%","years":3,"over":"any"}`:  criteria.Eligible,
	} {
		if got := decides(t, facts, condition); got != want {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
	empty := mustNew(t)
	b := empty.mustLoad(t, 7, enterprise.NewFact("assets", int64(0), enterprise.FromTax, day("2025-12-31")), enterprise.NewFact("liabilities", 6*wan, enterprise.FromTax, day("2025-12-31")))
	if x := empty.mustFacts(t, b.EnterpriseID)["debtRatio"]; x.Unknown != criteria.NoBase {
		t.Errorf("over nothing: %+v", x)
	}
}

// Each section is shown with its own facts, permits apart from titles, and read only as far as the company agreed.
func TestSections(t *testing.T) {
	t.Parallel()
	some := partly{agreed: agreed{not: map[int64]bool{}}, groups: everyGroup()}
	f := mustNew(t, func(d *enterprise.Deps) {
		d.Consents = &some
		d.Terms.Qualifications["food_license"], d.Terms.Permits = "食品经营许可", map[string]bool{"food_license": true}
	})
	now := day("2026-11-01")
	a := f.mustLoad(t, 7,
		enterprise.NewFact("qualification", []enterprise.Holding{{Code: "food_license", To: "2028-01-01"}, {Code: "high_tech"}}, enterprise.FromBureau, now),
		enterprise.NewFact("penalties", []enterprise.Holding{{Code: "fine", From: "2025-03-01", To: "2028-03-01", No: "京通市监罚〔2025〕12号", By: "市场监管局"}}, enterprise.FromCredit, now),
		enterprise.NewFact("judgments", []enterprise.Holding{}, enterprise.FromCredit, now), enterprise.NewFact("insured", int64(13), enterprise.FromSocial, now),
		enterprise.NewFact("taxGrade", "M", enterprise.FromTax, now), enterprise.NewFact("inventions", int64(2), enterprise.FromBureau, now), enterprise.NewFact("loans", 200*wan, enterprise.FromSelf, now))
	sections := func() map[string]string {
		v, err := f.Get(t.Context(), keeper(), a.EnterpriseID, "")
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, x := range v.Facts {
			out[x.Group+" "+x.Label] = x.Text
		}
		return out
	}
	got := sections()
	for key, want := range map[string]string{
		"资质与信用 资质与称号": "国家高新技术企业", "行政许可与处罚 行政许可": "食品经营许可（有效期至 2028年1月1日）",
		"行政许可与处罚 行政处罚": "罚款、没收（2025年3月1日，市场监管局，京通市监罚〔2025〕12号，公示至 2028年3月1日）",
		"司法 司法记录":      "无", "社保 参保人数": "13 人", "税务 纳税信用等级": "M级", "知识产权 有效发明专利": "2 件", "经营情况 银行贷款余额": "200 万元",
	} {
		if got[key] != want {
			t.Errorf("%s = %q, want %q", key, got[key], want)
		}
	}
	for _, c := range []struct{ groups, gone string }{
		{"basic operation standing", "税务 社保 知识产权 司法 行政许可与处罚"}, {"admin tax", "经营情况 资质与信用 行政许可与处罚 行政许可"}, {"ip", "税务 社保 经营情况"},
	} {
		some.groups = strings.Fields(c.groups)
		got := sections()
		for _, gone := range strings.Fields(c.gone) {
			if strings.HasPrefix(gone, "行政许可") && strings.Contains(c.groups, "admin") {
				if _, there := got["行政许可与处罚 行政许可"]; there {
					t.Errorf("with %s permits are shown, which come of the titles", c.groups)
				}
				continue
			}
			for key := range got {
				if strings.HasPrefix(key, gone+" ") {
					t.Errorf("with consent for %s one reads %s", c.groups, key)
				}
			}
		}
	}
	for condition, want := range map[string]criteria.Decision{
		`{"field":"taxGrade","op":"in","value":["A","B","M"]}`:                                                                 criteria.Eligible,
		`{"field":"qualification","op":"has","value":["tax_a","tax_m"]}`:                                                       criteria.Eligible, // as it was asked before
		`{"field":"taxGrade","op":"ne","value":"D"}`:                                                                           criteria.Eligible,
		`{"field":"penalties","op":"notOn","value":["major_fine","closure","permit"],"within":3}`:                              criteria.Eligible,
		`{"field":"penalties","op":"notOn","value":["fine","major_fine"],"within":3}`:                                          criteria.NotEligible,
		`{"field":"penalties","op":"notOn","value":["fine"],"within":1}`:                                                       criteria.Eligible,
		`{"field":"judgments","op":"notOn","value":["dishonest"]}`:                                                             criteria.Eligible,
		`{"field":"socialArrears","op":"notOn","value":["social"]}`:                                                            criteria.Undecided,
		`{"field":"inventions","op":"gte","value":3,"unit":"件"}`:                                                               criteria.Near,
		`{"field":"insured","op":"gte","value":13,"unit":"人"}`:                                                                 criteria.Eligible,
		`{"field":"loans","op":"lte","value":0.03,"unit":"亿元"}`:                                                                criteria.Eligible,
		`{"all":[{"field":"patents","op":"gte","value":1,"unit":"件"},{"field":"trademarks","op":"gte","value":1,"unit":"件"}]}`: criteria.Undecided,
	} {
		if got := decides(t, f.mustFacts(t, a.EnterpriseID), condition); got != want {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
}

// What a register says of the new sections is read as people write it, and what is wrong is told in the row.
func TestImportOfSections(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	target := f.ImportTarget()
	actor := access.Actor{UserID: 60, Name: "运营", Party: access.Platform, Permissions: []access.Permission{enterprise.PermImport}}
	row := func(field, typed string) map[string]string {
		return map[string]string{"name": "麦香烘焙(北京)有限公司", "creditCode": theCode, field: typed}
	}
	for _, c := range []struct{ field, typed, want string }{
		{"insured", " 1,3 ", "13"}, {"taxGrade", "ａ 级", "A"}, {"taxGrade", "M级", "M"}, {"liabilities", "360.5万元", "360500000"}, {"loans", "0", "0"},
		{"penalties", "无", "无"}, {"judgments", "没有", "无"}, {"socialArrears", "无", "无"},
		{"penalties", "罚款|2024-03-01", "罚款、没收|2024-03-01"},
		{"penalties", "较大数额罚款｜2024年3月1日｜2027/3/1｜京通市监罚〔2024〕12号｜通州区市场监督管理局；警告 2025.5.6", "较大数额罚款、没收|2024-03-01|2027-03-01|京通市监罚(2024)12号|通州区市场监督管理局;警告、通报批评|2025-05-06"},
		{"judgments", "失信被执行人|2024-06-01|(2024)京0112执123号|通州区人民法院", "失信被执行人|2024-06-01|(2024)京0112执123号|通州区人民法院"},
		{"judgments", "被执行人|2024-06-01", "被执行人|2024-06-01"},
		{"qualification", "无", "无"}, {"qualification", "高新技术企业|2024-10-29|2027-10-28|GR202411000001", "国家高新技术企业|2024-10-29|2027-10-28|GR202411000001"},
		{"qualification", "国家高新技术企业；专精特新中小企业 2025年8月1日", "国家高新技术企业;专精特新中小企业|2025-08-01"},
		{"creditStanding", "无", "无"}, {"creditStanding", "列入经营异常名录|2025-07-01", "经营异常名录|2025-07-01"}, {"creditStanding", "严重失信", "严重失信主体名单"},
	} {
		r, problems, err := target.Check(t.Context(), actor, sheet.Record{Row: 2, Values: row(c.field, c.typed)})
		got := strings.NewReplacer("〔", "(", "〕", ")").Replace(r.Values[c.field])
		if err != nil || len(problems) > 0 || got != c.want {
			t.Errorf("%s %q = %q %v %v, want %q", c.field, c.typed, got, problems, err, c.want)
		}
	}
	for _, c := range []struct{ field, typed, says string }{
		{"insured", "-3", "参保人数应为不小于 0 的整数"}, {"insured", "12.5", "参保人数应为不小于 0 的整数"}, {"patents", "六", "有效专利应为不小于 0 的整数"}, {"loans", "-1", "银行贷款余额应为以万元为单位的数字"},
		{"taxGrade", "E", "不在 A、B、M、C、D 之内"}, {"taxGrade", "优", "未评价的请留空"},
		{"penalties", "罚款|2027-03-01", "决定日期晚于今天"}, {"penalties", "罚款|2024-03-01|2023-03-01", "公示截止日期早于决定日期，请核对是否颠倒"}, {"penalties", "罚款", "没有填写决定日期"},
		{"penalties", "罚款|2024-02-30", "日期“2024-02-30”不存在"}, {"penalties", "批评教育|2024-02-03", "不是可识别的种类"}, {"penalties", "罚款|2024-03-01|2024-04-01|2024-05-01", "日期多于两个"},
		{"judgments", "离婚|2024-03-01", "应为失信被执行人、"}, {"judgments", "被执行人|2024-03-01|2024-02-01", "结束日期早于立案或发布日期"}, {"socialArrears", "有", "没有记录的请填“无”"},
		{"qualification", "先进单位|2024-03-01", "“先进单位”不在资质与称号目录中"}, {"qualification", "高新技术企业|2024-10-29|2021-10-28", "有效期截止日期早于取得日期"},
		{"creditStanding", "失信被执行人|2024-03-01", "不是可识别的种类"},
	} {
		_, problems, err := target.Check(t.Context(), actor, sheet.Record{Row: 2, Values: row(c.field, c.typed)})
		if err != nil || len(problems) != 1 || problems[0].Field != c.field || !strings.Contains(problems[0].Message, c.says) {
			t.Errorf("%s %q: %+v %v, want %q", c.field, c.typed, problems, err, c.says)
		}
	}
	both := row("patents", "1")
	both["inventions"] = "2"
	if _, problems, _ := target.Check(t.Context(), actor, sheet.Record{Row: 2, Values: both}); len(problems) != 1 || !strings.Contains(problems[0].Message, "发明专利是专利的一种") {
		t.Errorf("%+v", problems)
	}
	values := row("penalties", "罚款|2025-03-01|2028-03-01|京通市监罚〔2025〕12号|市场监管局")
	for key, v := range map[string]string{"insured": "13", "taxGrade": "B", "patents": "6", "inventions": "2", "liabilities": "360", "judgments": "无"} {
		values[key] = v
	}
	f.mustImport(t, sheet.Refuse, values)
	_, id := f.mustImport(t, sheet.Update, values)
	if n := f.count(t, "SELECT count(*) FROM enterprise_facts"); n != 7 {
		t.Errorf("%d facts for seven, said twice", n)
	}
	facts := f.mustFacts(t, id)
	for _, condition := range []string{`{"field":"penalties","op":"notOn","value":["closure"]}`, `{"field":"judgments","op":"notOn","value":["dishonest"]}`, `{"field":"taxGrade","op":"eq","value":"B"}`,
		`{"field":"insured","op":"eq","value":13}`, `{"field":"liabilities","op":"eq","value":360,"unit":"万元"}`, `{"not":{"field":"penalties","op":"notOn","value":["fine"],"within":2}}`} {
		if got := decides(t, facts, condition); got != criteria.Eligible {
			t.Errorf("%s: %s", condition, got)
		}
	}
}

// A list of one title brings that title up to date and says nothing of the others; 无 says that there is none.
func TestTitlesOfLists(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	said := func(typed string) map[string]string {
		return map[string]string{"name": "麦香烘焙(北京)有限公司", "creditCode": theCode, "qualification": typed}
	}
	_, id := f.mustImport(t, sheet.Refuse, said("国家高新技术企业|2021-10-29|2024-10-28"))
	holds := func(title string) string {
		return `{"field":"qualification","op":"has","value":["` + title + `"]}`
	}
	for i, c := range []struct {
		typed string
		facts int
		fits  map[string]criteria.Decision
	}{
		{"专精特新中小企业|2025-08-01|2028-07-31", 2, map[string]criteria.Decision{"srdi": criteria.Eligible, "high_tech": criteria.Near}},
		{"高新技术企业|2024-10-29|2027-10-28|GR202411000001", 3, map[string]criteria.Decision{"srdi": criteria.Eligible, "high_tech": criteria.Eligible}},
		{"高新技术企业|2024-10-29|2027-10-28|GR202411000001", 3, map[string]criteria.Decision{"srdi": criteria.Eligible, "high_tech": criteria.Eligible}},
		{"无", 4, map[string]criteria.Decision{"srdi": criteria.Near, "high_tech": criteria.Near}},
	} {
		f.mustImport(t, sheet.Update, said(c.typed))
		if n := f.count(t, "SELECT count(*) FROM enterprise_facts WHERE field = 'qualification'"); n != c.facts {
			t.Errorf("list %d: %d facts, want %d", i, n, c.facts)
		}
		for title, want := range c.fits {
			if got := decides(t, f.mustFacts(t, id), holds(title)); got != want {
				t.Errorf("list %d: %s is %s, want %s", i, title, got, want)
			}
		}
	}
}

// A company says of itself what it can know: the insured, what it owes and what it owns; a second word of the same is none.
func TestStateSections(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7)
	said := enterprise.StateFacts{Key: "s", MoreFacts: enterprise.MoreFacts{Insured: "13", Liabilities: "360.5", Loans: "0", Patents: "6", Inventions: "2", Copyrights: "0", Trademarks: "1"}}
	m, err := f.State(t.Context(), a, said)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"insured": "13", "liabilities": "360.5", "loans": "0", "inventions": "2", "copyrights": "0"} {
		if m.Stated[name] != want || !slices.Contains(m.StatedFields, name) {
			t.Errorf("%s = %q of %v", name, m.Stated[name], m.StatedFields)
		}
	}
	before := f.count(t, "SELECT count(*) FROM enterprise_facts")
	said.Key = "again"
	if _, err := f.State(t.Context(), a, said); err != nil || f.count(t, "SELECT count(*) FROM enterprise_facts") != before {
		t.Errorf("said again it is recorded again: %v", err)
	}
	for name, c := range map[string]struct {
		cmd  enterprise.StateFacts
		says string
	}{
		"patents":    {enterprise.StateFacts{Year: "2024", MoreFacts: enterprise.MoreFacts{Patents: "3"}}, "不分年度"},
		"inventions": {enterprise.StateFacts{MoreFacts: enterprise.MoreFacts{Patents: "1", Inventions: "2"}}, "发明专利是专利的一种"},
		"insured":    {enterprise.StateFacts{MoreFacts: enterprise.MoreFacts{Insured: "-1"}}, "参保人数应为整数"},
	} {
		_, err := f.State(t.Context(), a, c.cmd)
		if x, ok := fault.As(err); !ok || x.Fields[0].Name != name || !strings.Contains(x.Message, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.State(t.Context(), a, enterprise.StateFacts{Key: "y", Year: "2024", MoreFacts: enterprise.MoreFacts{Insured: "10", Loans: "50"}}); err != nil {
		t.Fatal(err)
	}
	if got := decides(t, f.mustFacts(t, a.EnterpriseID), `{"field":"loans","op":"gte","value":0,"unit":"元","years":2,"over":"each"}`); got != criteria.Eligible {
		t.Errorf("loans of two years: %s", got)
	}
}

// An installation from before has its grades among the titles and three groups of sources: both are brought over once.
func TestSectionsAreMigrated(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7)
	err := f.db.RunInTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx, `UPDATE enterprise_sources SET worths = '{"basic":{"rank":7,"days":1},"operation":{"rank":20,"days":600},"standing":{"rank":10,"days":0}}' WHERE code = 'bureau'`); err != nil {
			return err
		}
		old := func(value string, source enterprise.Source, asOf string) error {
			x := enterprise.NewFact("qualification", json.RawMessage(value), source, day(asOf))
			x.EnterpriseID, x.RecordedAt = a.EnterpriseID, start
			_, err := tx.NewInsert().Model(&x).ExcludeColumn("id").Exec(ctx)
			return err
		}
		for _, o := range []struct {
			value  string
			source enterprise.Source
			asOf   string
		}{
			{`[{"code":"tax_b","to":"2024-12-31"},{"code":"high_tech"}]`, enterprise.FromBureau, "2025-11-01"}, // had run out
			{`[{"code":"high_tech","no":"1"},{"code":"tax_a","from":"2026-04-01"}]`, enterprise.FromBureau, "2026-11-01"},
			{`[{"code":"taxi"}]`, enterprise.FromBureau, "2026-10-01"},
		} {
			if err := old(o.value, o.source, o.asOf); err != nil {
				return err
			}
		}
		i := slices.IndexFunc(enterprise.Migrations, func(m database.Migration) bool { return m.ID == "20261130110000_enterprise_sections" })
		return enterprise.Migrations[i].Up(ctx, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	facts := f.mustFacts(t, a.EnterpriseID)
	if got := decides(t, facts, `{"all":[{"field":"taxGrade","op":"eq","value":"A"},{"field":"qualification","op":"has","value":["high_tech"]}]}`); got != criteria.Eligible {
		t.Errorf("%s: %+v", got, facts)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_facts WHERE field = 'taxGrade'"); n != 1 {
		t.Errorf("%d grades of one that holds", n)
	}
	if n := f.count(t, `SELECT count(*) FROM enterprise_facts WHERE value LIKE '%tax\_%' ESCAPE '\'`); n != 0 {
		t.Errorf("%d facts still hold a grade as a title", n)
	}
	if n := f.count(t, `SELECT count(*) FROM enterprise_facts WHERE value = '[{"code":"taxi"}]'`); n != 1 {
		t.Error("a title that only looks like one was touched")
	}
	list, err := f.Sources(t.Context(), keeper())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if len(s.Worths) != len(enterprise.Groups()) || s.Code == "bureau" && (s.Worths["basic"].Rank != 7 || s.Worths["ip"].Rank != 10) || s.Code == "tax" && s.Worths["tax"].Rank != 10 {
			t.Errorf("%+v", s)
		}
	}
}
