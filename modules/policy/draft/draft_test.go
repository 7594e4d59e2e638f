package draft_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/huiqi/huiqi/modules/policy/draft"
)

// sample is a whole text of the usual shape.
const sample = `江州市云溪区支持中小企业高质量发展专项资金申报指南
来源：云溪区经济和信息化局
正文：
一、支持对象
在本区依法注册登记、具有独立法人资格的制造业企业。
二、申报条件
申报企业应同时符合以下条件：
（一）注册成立满2年，上年度营业收入不低于２０００万元
且不超过4亿元；
（二）从业人员 20 人以上；
（三）技术水平国内领先。
有下列情形之一的，不予支持：
（一）资产负债率超过80%的；
三、支持标准
给予最高50万元奖励，营业收入超过1亿元的再奖励10万元。
四、申报材料
营业收入不低于2000万元的审计报告。
`

func TestWholeText(t *testing.T) {
	t.Parallel()
	d := reader(t).Read(sample)
	want := []string{
		"region in 云溪区", "other true true", "industry in 制造业", "years_since_established ge 2 年", "annual_revenue ge 2000 万元",
		"annual_revenue le 40000 万元", "staff_count ge 20 人", "other le 80 %",
	}
	got := shown(d)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("lacks %q", w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	if !slices.Equal(d.NotDecidable, []string{"技术水平国内领先"}) {
		t.Errorf("not decidable: %q", d.NotDecidable)
	}
	quotesStand(t, sample, d)
	raw, err := json.Marshal(d.Clauses[4])
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"quote":"上年度营业收入不低于２０００万元","field":"annual_revenue","op":"ge","value":2000,"unit":"万元","period":"上年度","subject":"营业收入","confidence":0.95}`; string(raw) != want {
		t.Errorf("got %s", raw)
	}
}

// TestNothingIsDroppedInSilence: of those who are refused, what gives no clause stays in words, a heading inside the
// conditions does not end them, a name of what an item is about is no condition, and no other's period is taken over.
func TestNothingIsDroppedInSilence(t *testing.T) {
	t.Parallel()
	text := `一、遴选条件
1.创新能力。近两年研发经费支出占营业收入比重均不低于3%。
2.经营管理。主导产品市场占有率位居全省前3位。
3.瞪羚企业应满足：上年度营业收入2000万元以上；上年度进出口额一亿元以上的外贸企业。
二、不予支持的情形
（一）近三年内受到行政处罚，且罚款金额在1万元以上的；
（二）已享受区级同类政策的。
三、资金拨付
营业收入不低于9000万元的，给予最高50万元奖励。
`
	d := reader(t).Read(text)
	quotesStand(t, text, d)
	want := []string{"rd_ratio ge 3 %", "annual_revenue ge 2000 万元", "other ge 10000 万元", "industry in 外贸", "other lt 1 万元"}
	if got := shown(d); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	open := []string{"主导产品市场占有率位居全省前3位", "近三年内受到行政处罚", "已享受区级同类政策的"}
	if !slices.Equal(d.NotDecidable, open) {
		t.Errorf("not decidable: %q, want %q", d.NotDecidable, open)
	}
	for _, c := range d.Clauses {
		if c.Field == draft.Industry && c.Period != "" {
			t.Errorf("an industry of the period %q", c.Period)
		}
		if strings.Contains(c.Subject, "＿") {
			t.Errorf("subject %q", c.Subject)
		}
	}
}

// TestLeadsWithinText: a list that a sentence opens without 下列 counts, and one within a line is of those it refuses up to
// its full stop only.
func TestLeadsWithinText(t *testing.T) {
	t.Parallel()
	text := `第二条 申报企业应当符合下列条件：
（一）从业人员20人以上；
第三条 给予最高50万元补助。
第四条 对首次上规的企业给予20万元奖励。申请企业须满足：（1）职工人数在15人以上；（2）成立时间不早于2019年1月1日。
第五条 企业存在下列情形之一的，本年度不予支持：逾期贷款；资产负债率高于85%。鼓励企业增加投入。
`
	d := reader(t).Read(text)
	quotesStand(t, text, d)
	want := []string{"staff_count ge 20 人", "staff_count ge 15 人", "years_since_established ge 2019-01-01 日期", "other le 85 %"}
	if got := shown(d); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if open := []string{"企业存在下列情形之一的，本年度不予支持：逾期贷款"}; !slices.Equal(d.NotDecidable, open) {
		t.Errorf("not decidable: %q, want %q", d.NotDecidable, open)
	}
}

// TestEmptyDraft: a text without conditions is an empty draft, not null.
func TestEmptyDraft(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(reader(t).Read("今天天气晴朗。"))
	if err != nil || string(raw) != `{"clauses":[],"not_decidable":[]}` {
		t.Errorf("%s, %v", raw, err)
	}
}

// TestLongSentence: the quote of a sentence over 150 characters is cut and keeps the threshold.
func TestLongSentence(t *testing.T) {
	t.Parallel()
	long := "申报条件\n" + strings.Repeat("企业在区内从事研究开发和生产经营活动、", 12) + "上年度营业收入不低于2000万元" + strings.Repeat("、并按规定报送统计数据和经营情况说明", 12) + "。"
	d := reader(t).Read(long)
	if got := shown(d); !slices.Contains(got, "annual_revenue ge 2000 万元") {
		t.Fatalf("got %v", got)
	}
	for _, c := range d.Clauses {
		if c.Field == draft.Revenue && !strings.Contains(c.Quote, "营业收入不低于2000万元") {
			t.Errorf("cut to %q", c.Quote)
		}
	}
	quotesStand(t, long, d)
}

// TestOneEndlessLine: a text without a stop is read in time that grows with its length.
func TestOneEndlessLine(t *testing.T) {
	t.Parallel()
	text := "申报条件\n" + strings.Repeat("营业收入2000万元以上、", 4000) + "从业人员20人以上"
	began := time.Now()
	d := reader(t).Read(text)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	if got := shown(d); len(got) != 4001 || got[4000] != "staff_count ge 20 人" {
		t.Errorf("%d clauses", len(got))
	}
	quotesStand(t, text, d)
}

func quotesStand(t *testing.T, text string, d draft.Draft) {
	t.Helper()
	for _, c := range d.Clauses {
		if c.Quote == "" || utf8.RuneCountInString(c.Quote) > draft.MaxQuote || text[c.Start:c.End] != c.Quote {
			t.Errorf("quote %q is not [%d:%d) of the text or too long", c.Quote, c.Start, c.End)
		}
		if n, ok := c.Value.(json.Number); ok && !json.Valid([]byte(n)) || !json.Valid([]byte(c.Confidence)) {
			t.Errorf("%v or %v is no number", c.Value, c.Confidence)
		}
	}
	for _, q := range d.NotDecidable {
		if q == "" || utf8.RuneCountInString(q) > draft.MaxQuote || !strings.Contains(text, q) {
			t.Errorf("%q is not in the text or too long", q)
		}
	}
}

// FuzzRead: no text stops the reader, every quote stands in the text, and the draft is JSON.
func FuzzRead(f *testing.F) {
	for _, s := range []string{sample, "", "\n", "申报条件\n（一）", "一、条件：\n1.1.5亿元以上（含", "百分之", "营业收入〇万元以上至", "近三年《", "\xff以上", "来源：\n正文：", "（一）（二）（三）以上", "９９９９９９９９９９９９９９９９９９９９亿元以上营业收入", "2024年13月45日以前成立",
		"申报条件\n招用人数达到职工人数的10%（超过100人的企业达到5%）", "申报条件\n2025年2月30日至1月1日注册，叁佰", "申报条件\n至少获得5项（含）（不含）至"} {
		f.Add(s)
	}
	r := reader(f)
	f.Fuzz(func(t *testing.T, text string) {
		d := r.Read(text)
		quotesStand(t, text, d)
		if _, err := json.Marshal(d); err != nil {
			t.Error(err)
		}
	})
}
