package server_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestYearsOfAText reads the years a text asks of and holds a company's books against them.
func TestYearsOfAText(t *testing.T) {
	t.Parallel()
	company := written(t, "c.json", `{"name":"示例公司","facts":{"region":"110112010","industry":"6513",
		"employees":{"2025":22,"2024":20,"2023":18},
		"revenue":{"2025":"2600万元","2024":"2100万元","2023":"1900万元"},
		"rdSpend":{"2025":"130万元","2024":"84万元","2023":"19万元"},
		"qualification":[{"code":"high_tech","from":"2020-06-01","to":"2027-05-31"}],
		"creditStanding":[{"code":"经营异常","from":"2021-01-01","to":"2022-01-01"}]}}`)
	for text, want := range map[string][]string{
		"近三年营业收入均不低于2000万元":                 {"要求：近三年均不低于 2,000 万元", "现有：2025年 2,600 万元，2024年 2,100 万元，2023年 1,900 万元", "差距：2023年还差 100 万元", "结论：接近"},
		"近三年平均营业收入不低于2000万元":                {"要求：近三年平均不低于 2,000 万元", "现有：平均 2,200 万元（", "符合全部"},
		"近两年年均营业收入超过八百万元":                   {"要求：近两年平均超过 800 万元", "符合全部"},
		"近三年累计研发费用不低于300万元":                 {"要求：近三年合计不低于 300 万元", "合计 233 万元", "合计还差 67 万元"},
		"近三年研发费用占营业收入的比例均不低于3%":             {"要求：近三年均不低于 3%", "2023年 1%", "2023年还差 2 个百分点"},
		"近三个会计年度的研究开发费用总额占同期销售收入总额的比例不低于3%": {"要求：近三年合计占营业收入合计的比例不低于 3%", "合计 3.53%", "符合全部"},
		"近两年平均从业人员不少于21人":                   {"要求：近两年平均不低于 21 人", "平均 21 人", "符合全部"},
		"近三年研发费用总额占营业收入总额的比重均在3%以上":         {"要求：近三年均不低于 3%", "2023年 1%"},
		"纳税信用等级为B级及以上（含M级）":                 {"属于：A级、B级、M级"},
		"纳税信用等级为B级及以上":                      {"属于：A级、B级\n"},
		"近三年中至少有一年营业收入不低于2500万元":            {"要求：近三年任意一年不低于 2,500 万元", "符合全部"},
		"近三年内未列入经营异常名录":                     {"要求：近 3 年内未列入：经营异常", "符合全部"},
		"近三年内获得高新技术企业认定":                    {"要求：近 3 年内取得：", "近 3 年内未取得"},
		"上年度营业收入不低于2500万元":                  {"要求：不低于 2,500 万元", "符合全部"},
		"近三年营业收入复合增长率不低于20%":                {"需人工判定"},
		"近六个月营业收入不低于100万元":                  {"需人工判定"},
	} {
		code, out, errs := command("policy", "draft", written(t, "p.txt", "示例办法\n一、申报条件\n（一）"+text+"。\n"))
		if code != 0 {
			t.Fatalf("%s: exit %d: %s", text, code, errs)
		}
		code, out, errs = command("policy", "match", "--policy", written(t, "d.json", out), "--company", company, "--on", "2026-11-29")
		if code != 0 {
			t.Fatalf("%s: exit %d: %s", text, code, errs)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: lacks %q:\n%s", text, w, out)
			}
		}
	}
	for facts, want := range map[string]string{
		`{"capital":{"2025":"1万元"}}`: "没有分年数据，请只写一个值",
		`{"revenue":{"去年":"1万元"}}`:   "「去年」应为年份",
		`{"revenue":{"2025":"1"}}`:   "2025 年要写明单位",
	} {
		raw, _ := json.Marshal(map[string]any{"title": "办法", "conditions": map[string]any{"field": "revenue", "op": "gte", "value": 1, "unit": "万元"}})
		code, _, errs := command("policy", "match", "--policy", written(t, "p.json", string(raw)), "--company", written(t, "c.json", `{"name":"甲","facts":`+facts+`}`), "--on", "2026-11-29")
		if code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", facts, code, errs)
		}
	}
}
