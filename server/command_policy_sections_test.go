package server_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func draftOf(t *testing.T, text string) string {
	t.Helper()
	code, out, errs := command("policy", "draft", written(t, "p.txt", text))
	if code != 0 || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	return written(t, "d.json", out)
}

// TestSectionsAtTheCommandLine: what a text asks of growth, property, loans, insured staff, debt, tax and records is asked of
// the register's own fields, with the gap in their units; what the register does not keep stays with a person.
func TestSectionsAtTheCommandLine(t *testing.T) {
	t.Parallel()
	company := written(t, "c.json", `{"name":"示例公司","facts":{"revenue":{"2025":"1080万元","2024":"1000万元","2023":"900万元"},"insured":12,"patents":3,"inventions":1,"copyrights":5,"trademarks":0,
		"loans":"1200万元","assets":"2000万元","liabilities":"1500万元","taxGrade":"C","penalties":[{"code":"fine","from":"2025-03-01"}],"judgments":[],"socialArrears":[],"creditStanding":[]}}`)
	for _, c := range []struct{ text, verdict, says string }{
		{"上年度营业收入同比增长10%以上", "不符合", "还差 2 个百分点"},
		{"上年度营业收入同比增长8%以上", "符合", "现有：8%"},
		{"近两年营业收入平均增长率不低于5%", "符合", "近两年平均不低于 5%"},
		{"近两年营业收入复合增长率不低于5%", "需人工判定", ""},
		{"拥有有效发明专利3件以上", "不符合", "还差 2 件"},
		{"拥有有效专利3件以上", "符合", "有效专利"},
		{"自主知识产权不少于5项", "不符合", "知识产权（按有效专利）"},
		{"软件著作权5件以上", "符合", "软件著作权"},
		{"注册商标1件以上", "不符合", "还差 1 件"},
		{"近三年获得发明专利3件以上", "需人工判定", ""},
		{"申请发明专利3件以上", "需人工判定", ""},
		{"参保人数不少于15人", "不符合", "还差 3 人"},
		{"资产负债率不高于70%", "不符合", "超出 5 个百分点"},
		{"资产总额不低于2000万元", "符合", "2,000 万元"},
		{"银行贷款余额不超过1000万元", "不符合", "超出 200 万元"},
		{"单户贷款金额不超过1000万元", "需人工判定", ""},
		{"近三年未受到重大行政处罚", "符合", "近 3 年内没有：责令停产停业、责令关闭、限制从业；较大数额罚款、没收；降低资质等级"},
		{"近三年未受到行政处罚", "不符合", "近 3 年内有：罚款、没收"},
		{"近三年未受到生态环境行政处罚", "需人工判定", ""},
		{"近三年未发生重大安全生产事故、环境违法行为", "需人工判定", ""},
		{"未被列入失信被执行人名单", "符合", "未列入：失信被执行人"},
		{"未被列入失信被执行人名单、经营异常名录", "符合", "未列入：经营异常"},
		{"纳税信用等级B级以上", "不符合", "属于：A级、B级"},
		{"纳税信用等级B级及以上（含M级）", "不符合", "属于：A级、B级、M级"},
		{"纳税信用等级为D级的不予支持", "符合", "要求：不是：D级"},
		{"无欠缴社会保险费情况", "符合", "欠缴社会保险费"},
	} {
		d := draftOf(t, "通州区示例办法\n一、申报条件\n（一）"+c.text+"；\n")
		code, out, errs := command("policy", "match", "--policy", d, "--company", company, "--on", "2026-11-29")
		if code != 0 || !strings.Contains(out, "["+c.verdict+"]") || !strings.Contains(out, c.says) {
			t.Errorf("%s: exit %d %s, want %s, %s:\n%s", c.text, code, errs, c.verdict, c.says, out)
		}
	}
	old := written(t, "o.json", `{"facts":{"qualification":["high_tech","tax_a"]}}`)
	d := draftOf(t, "通州区示例办法\n一、申报条件\n（一）纳税信用等级A级；\n")
	if _, out, _ := command("policy", "match", "--policy", d, "--company", old); !strings.Contains(out, "结论：符合") {
		t.Errorf("a grade among the titles, as files had it: %s", out)
	}
	for bad, says := range map[string]string{
		`{"facts":{"taxGrade":"E"}}`: "没有「E」这个选项", `{"facts":{"penalties":["fined"]}}`: "没有「fined」这个选项",
		`{"facts":{"penalties":[{"code":"fine","from":"2025-03-01","to":"2024-03-01"}]}}`: "结束日期早于开始日期", `{"facts":{"aboveScale":"yes"}}`: "true 或 false",
	} {
		if code, _, errs := command("policy", "match", "--policy", d, "--company", written(t, "b.json", bad)); code != 2 || !strings.Contains(errs, says) {
			t.Errorf("%s: exit %d %s", bad, code, errs)
		}
	}
	negative := written(t, "n.json", `{"conditions":{"field":"employees","op":"gte","value":-1,"unit":"人"}}`)
	if code, _, errs := command("policy", "match", "--policy", negative, "--company", old); code != 2 || !strings.Contains(errs, "不能小于 0") {
		t.Errorf("a count below zero: exit %d %s", code, errs)
	}
}

// TestOneItemOfAListIsEnough: the items of 具备下列条件之一 are alternatives, a title as well as what a person must judge, and
// all that one item says holds together.
func TestOneItemOfAListIsEnough(t *testing.T) {
	t.Parallel()
	text := "通州区示例办法\n一、申报条件\n（一）从业人员20人以上；\n（二）具备下列条件之一：\n1.国家高新技术企业；\n2.专精特新中小企业；\n3.上年度营业收入3000万元以上且拥有有效专利2件以上；\n4.技术水平国内领先。\n（三）参保人数不少于10人。\n"
	code, out, errs := command("policy", "draft", written(t, "p.txt", text))
	var d struct {
		AnyOf [][][]string `json:"any_of"`
	}
	if err := json.Unmarshal([]byte(out), &d); code != 0 || err != nil || len(d.AnyOf) != 1 || len(d.AnyOf[0]) != 4 || len(d.AnyOf[0][2]) != 2 {
		t.Fatalf("exit %d %s %v: %s", code, errs, err, out)
	}
	draft := written(t, "d.json", out)
	for company, want := range map[string]string{
		`{"facts":{"employees":30,"insured":12,"qualification":["srdi"]}}`:                          "结论：符合",
		`{"facts":{"employees":30,"insured":12,"qualification":["high_tech"],"revenue":"1万元"}}`:     "结论：符合",
		`{"facts":{"employees":30,"insured":12,"qualification":[],"revenue":"3000万元","patents":2}}`: "结论：符合",
		`{"facts":{"employees":30,"insured":12,"qualification":[],"revenue":"3000万元","patents":1}}`: "需人工判定",
		`{"facts":{"employees":30,"insured":9,"qualification":["srdi"]}}`:                           "结论：接近",
	} {
		code, out, errs := command("policy", "match", "--policy", draft, "--company", written(t, "c.json", company), "--on", "2026-11-29")
		if code != 0 || !strings.Contains(out, want) || !strings.Contains(out, "满足任意一条即可") {
			t.Errorf("%s: exit %d %s, want %s:\n%s", company, code, errs, want, out)
		}
	}
	// what is refused stays each by itself: 有下列情形之一的，不予支持
	refused := draftOf(t, "通州区示例办法\n一、申报条件\n（一）从业人员20人以上；\n（二）有下列情形之一的，不予支持：\n1.被列入严重失信主体名单；\n2.纳税信用等级为D级。\n")
	code, out, _ = command("policy", "match", "--policy", refused, "--company", written(t, "c.json", `{"facts":{"employees":30,"creditStanding":[],"taxGrade":"D"}}`))
	if code != 0 || strings.Contains(out, "结论：符合") || strings.Contains(out, "满足任意一条即可") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// TestPreferencesDecideNothing: 优先支持 is told beside the verdict and hides none.
func TestPreferencesDecideNothing(t *testing.T) {
	t.Parallel()
	d := draftOf(t, "通州区示例办法\n一、申报条件\n（一）从业人员20人以上；\n（二）优先支持专精特新企业；\n（三）对获得国家级奖项的，予以优先考虑；\n（四）对国家高新技术企业，同等条件下优先支持。\n")
	company := written(t, "c.json", `{"facts":{"employees":30}}`)
	code, out, _ := command("policy", "match", "--policy", d, "--company", company)
	if code != 0 || !strings.Contains(out, "结论：符合") || !strings.Contains(out, "优先情形（不是条件，不影响结论）：\n  优先支持专精特新企业") {
		t.Errorf("exit %d: %s", code, out)
	}
	var m struct{ Preferences []string }
	code, out, _ = command("policy", "match", "--policy", d, "--company", company, "--json")
	if err := json.Unmarshal([]byte(out), &m); code != 0 || err != nil || len(m.Preferences) != 3 {
		t.Errorf("exit %d %v: %s", code, err, out)
	}
	mixed := draftOf(t, "通州区示例办法\n一、申报条件\n（一）从业人员20人以上；\n（二）优先支持专精特新企业，但项目应当技术领先。\n")
	if _, out, _ := command("policy", "match", "--policy", mixed, "--company", company); strings.Contains(out, "结论：符合") {
		t.Errorf("a demand behind a preference is dropped: %s", out)
	}
}
