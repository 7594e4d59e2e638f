package page_test

import (
	"math"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/web/page"
)

func TestWordsForTimes(t *testing.T) {
	t.Parallel()
	check(t, "date", page.Date(now), "2026年11月22日")
	check(t, "date of the evening in UTC", page.Date(time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC)), "2027年1月1日")
	check(t, "no date", page.Date(time.Time{}), "")
	check(t, "datetime", page.DateTime(now), "2026年11月22日 14:05")
	check(t, "no datetime", page.DateTime(time.Time{}), "")
	check(t, "now", page.Ago(now, now), "刚刚")
	check(t, "minutes", page.Ago(now.Add(-59*time.Minute), now), "59 分钟前")
	check(t, "hours", page.Ago(now.Add(-24*time.Hour+time.Second), now), "23 小时前")
	check(t, "a day", page.Ago(now.Add(-24*time.Hour), now), "2026年11月21日 14:05")
	check(t, "later", page.Ago(now.Add(time.Minute), now), "2026年11月22日 14:06")
	check(t, "over", page.Until(now, now), "已截止")
	check(t, "soon", page.Until(now.Add(time.Minute), now), "不足 1 小时")
	check(t, "hours left", page.Until(now.Add(5*time.Hour), now), "剩 5 小时")
	check(t, "days left", page.Until(day(9), now), "剩 9 天")
	check(t, "far", page.Until(day(15), now), "")
	check(t, "none", page.Until(time.Time{}, now), "")
}

func TestWordsForNumbers(t *testing.T) {
	t.Parallel()
	for fen, want := range map[int64]string{
		0: "0 元", 5: "0.05 元", 50: "0.5 元", 123_456_78: "123,456.78 元", 1_000_000: "1 万元", 50_000_000: "50 万元", 1_250_000: "1.25 万元",
		1_256_700: "12,567 元", 12_000_000_000: "1.2 亿元", 10_000_000_001: "100,000,000.01 元", 10_001_000_000: "10,001 万元", -50_000_000: "-50 万元", -5: "-0.05 元", math.MinInt64: "-92,233,720,368,547,758.08 元",
	} {
		check(t, "money", page.Money(fen), want)
	}
	check(t, "rate", page.Rate(385), "3.85%")
	check(t, "whole rate", page.Rate(400), "4.00%")
	check(t, "negative rate", page.Rate(-5), "-0.05%")
	check(t, "thousand", page.CountText(1000), "1,000")
	check(t, "more", page.CountText(1001), "1,000+")
	check(t, "few", page.CountText(7), "7")
	check(t, "number", page.Number(-1234567), "-1,234,567")
	check(t, "bytes", page.Size(1023), "1023 B")
	check(t, "kilobytes", page.Size(38_400), "38 KB")
	check(t, "megabytes", page.Size(1_530_000), "1.5 MB")
}

func TestWordsForText(t *testing.T) {
	t.Parallel()
	check(t, "phone", page.MaskPhone("13800005678"), "138****5678")
	check(t, "short phone", page.MaskPhone("12345"), "*****")
	check(t, "no phone", page.MaskPhone(""), "")
	check(t, "lines", string(page.Lines("a<b>\r\nc")), "a&lt;b&gt;<br>\nc")
	check(t, "mark", string(page.Highlight("数字化<转型>", "数字化 转型")), "<mark>数字化</mark>&lt;<mark>转型</mark>&gt;")
	check(t, "mark any case", string(page.Highlight("ERP与erp", "Erp")), "<mark>ERP</mark>与<mark>erp</mark>")
	check(t, "mark the longer", string(page.Highlight("数字化", "数字,数字化")), "<mark>数字化</mark>")
	check(t, "mark nothing", string(page.Highlight("a&b", "  ")), "a&amp;b")
	check(t, "mark markup", string(page.Highlight("<b>", "<b>")), "<mark>&lt;b&gt;</mark>")
	check(t, "changing length", string(page.Highlight("İstanbul x", "X")), "İstanbul <mark>x</mark>")
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
