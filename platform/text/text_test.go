package text_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"  路灯\t\n 不亮　了 ":                  "路灯 不亮 了",
		"a\u200bb\u202ec\ufeff\x00d\x1be": "abcde",
		"𠮷野家·阿布都":                         "𠮷野家·阿布都",
		"葛\U000E0100城":                    "葛\U000E0100城", // ideographic variant of a surname
		"e\u0301":                         "é",
		"👨\u200d👩\u200d👧":                 "👨\u200d👩\u200d👧",
		"中\u200d国":                        "中国",
		"\u3164\u2800":                    "",
		"<script>":                        "<script>",
		"a\u2028b":                        "a b",
	} {
		if got, err := text.Line("title", in, 0, 50); err != nil || got != want {
			t.Errorf("Line(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, c := range []struct {
		in       string
		min, max int
		want     error
		says     string
	}{
		{"\xff", 0, 9, text.ErrBad, "无法识别"},
		{" \u200b ", 1, 9, text.ErrRequired, "请填写"},
		{"一二", 3, 9, text.ErrShort, "至少 3 个字，现为 2 个字"},
		{"一二三四", 1, 3, text.ErrLong, "最多 3 个字，现为 4 个字"},
	} {
		_, err := text.Line("title", c.in, c.min, c.max)
		f, _ := fault.As(err)
		if !errors.Is(err, c.want) || f.Fields[0].Name != "title" || !strings.Contains(f.Fields[0].Message, c.says) {
			t.Errorf("Line(%q, %d, %d) = %v", c.in, c.min, c.max, err)
		}
	}
	if got, err := text.Line("title", "𠮷𠮷𠮷", 3, 3); err != nil || got != "𠮷𠮷𠮷" {
		t.Errorf("four-byte Hanzi: %q, %v", got, err)
	}
}

func TestBlock(t *testing.T) {
	t.Parallel()
	in := "\r\n\r\n您好：\r\n  第一行\t  \r\n\r\n\r\n\r\n第二行\r第三\u202e行\n\n"
	if got, err := text.Block("body", in, 1, 100); err != nil || got != "您好：\n  第一行\n\n第二行\n第三行" {
		t.Errorf("Block = %q, %v", got, err)
	}
}

func TestCleaningIsStable(t *testing.T) {
	t.Parallel()
	odd := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("\u200b\u200d\u202e\r\n\t 　\u0301\u0300👩️中é\u0000𠮷"))))
	rapid.Check(t, func(t *rapid.T) {
		s := odd.Draw(t, "s")
		for _, clean := range []func(string, string, int, int) (string, error){text.Line, text.Block} {
			once, err := clean("f", s, 0, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			twice, err := clean("f", once, 0, 1<<20)
			if err != nil || once != twice {
				t.Fatalf("%q → %q → %q, %v", s, once, twice, err)
			}
			if !utf8.ValidString(once) || !norm.NFC.IsNormalString(once) || strings.ContainsAny(once, "\x00\x1b\u200b\u202e\r\ufeff") {
				t.Fatalf("%q → %q", s, once)
			}
		}
	})
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"一二三", 3, "一二三"}, {"一二三四", 3, "一二…"}, {"一 二三", 3, "一…"}, {"𠮷𠮷", 1, "…"}, {"𠮷𬭛一", 3, "𠮷𬭛一"}, {"𠮷𬭛一二", 3, "𠮷𬭛…"},
		{"ae\u0301b", 3, "a…"}, {"ae\u0301\u0323bc", 4, "a…"}, {"ae\u0301bc", 4, "ae\u0301…"}, {"葛\U000E0100城", 2, "…"}, {"葛\U000E0100城市", 3, "葛\U000E0100…"},
		{"一👩\u200d👩\u200d👧二", 4, "一…"}, {"一👩\u200d👩\u200d👧二三", 7, "一👩\u200d👩\u200d👧…"}, {"👍🏽好的", 2, "…"}, {"🇨🇳🇨🇳好", 4, "🇨🇳…"}, {"🇨🇳🇨🇳", 2, "…"},
		{"一", 0, ""}, {"", 3, ""}} {
		if got := text.Truncate(c.in, c.n); got != c.want {
			t.Errorf("Truncate(%q, %d) = %q", c.in, c.n, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		if got := text.Truncate(rapid.String().Draw(t, "s"), n); text.Count(got) > n {
			t.Fatalf("%q has more than %d", got, n)
		}
	})
}

func TestMasks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mask     func(string) string
		in, want string
	}{
		{text.MaskName, "张三丰", "张**"}, {text.MaskName, "李四", "李*"}, {text.MaskName, "𠮷", "*"}, {text.MaskName, "", ""},
		{text.MaskName, "阿布都热合曼·买买提", "阿****"},
		{text.MaskPhone, "13800138000", "138****8000"}, {text.MaskPhone, "010-62345678", "010-******78"}, {text.MaskPhone, "12345", "*****"},
		{text.MaskPhone, "", ""}, {text.MaskPhone, "400-810-1234", "400-******34"}, {text.MaskPhone, "62345678", "******78"},
		{text.MaskID, "11010519491231002X", "1101**********002X"}, {text.MaskID, "110105491231002", "1101*******1002"}, {text.MaskID, "abc", "***"},
	} {
		if got := c.mask(c.in); got != c.want {
			t.Errorf("mask(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestMaskNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"请打13800138000找张三":                     "请打138****8000找张三",
		"电话：１３８００１３８０００。":                      "电话：１３８****８０００。",
		"+86 138 0013 8000 或 0086-13911112222": "+86 138 **** 8000 或 0086-139****2222",
		"+8613800138000":                       "+86138****8000",
		"138-0013-8000":                        "138-****-8000",
		"tel13800138000":                       "tel138****8000",
		"13800138000,13911112222":              "138****8000,139****2222",
		"13800138000 13911112222":              "138****8000 139****2222",
		"身份证11010519491231002x本人":              "身份证1101**********002x本人",
		"110105 19491231 002X":                 "1101** ******** 002X",
		"110105 1949 1231 002X":                "1101** **** **** 002X",
	} {
		got, found := text.MaskNumbers(in)
		if !found || got != want {
			t.Errorf("MaskNumbers(%q) = %q, %v; want %q", in, got, found, want)
		}
	}
	for _, in := range []string{
		"", "没有号码",
		"工单GD20261122-000123已办结", "GD20261122-138001", "订单202611221380013800", "DD13800138000",
		"914403001922038216", "9144030071526726XG", "91110000802100433B 与 911103026605015136",
		"6222021380013800012", "6222 0213 8001 3800 012", "13800138000.50元", "0.13800138000",
		"110105194912310029", "1101051949123100", "12345", "010-62345678", "2026-11-22 13:45:00", "138001380001", "1380013800",
		"营业收入13 800 138 000元", "12800138000", "192.168.1.100", "550e8400-e29b-41d4-a716-446655440000",
	} {
		if got, found := text.MaskNumbers(in); found || got != in {
			t.Errorf("MaskNumbers(%q) = %q, %v", in, got, found)
		}
	}
}

// Whatever stands around a phone that does not belong to a number, it is masked, and masking again changes nothing.
func TestMaskNumbersFindsAll(t *testing.T) {
	t.Parallel()
	around := rapid.StringOfN(rapid.SampledFrom([]rune("中文，。：\n（）𠮷！?\"")), 1, 5, -1)
	rapid.Check(t, func(t *rapid.T) {
		phone := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "phone")
		in := around.Draw(t, "before") + phone + around.Draw(t, "after")
		got, found := text.MaskNumbers(in)
		if !found || strings.Contains(got, phone) || text.Count(got) != text.Count(in) {
			t.Fatalf("%q → %q, %v", in, got, found)
		}
		if again, found := text.MaskNumbers(got); found || again != got {
			t.Fatalf("%q → %q", got, again)
		}
	})
}

func FuzzMaskNumbers(f *testing.F) {
	for _, s := range []string{"13800138000", "+86 138 0013 8000", "11010519491231002X", "a-b-c-d-e-f", "\xff1-", "86 86 86 86"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, found := text.MaskNumbers(s)
		if !found && got != s || found && utf8.RuneCountInString(got) != utf8.RuneCountInString(s) {
			t.Fatalf("%q → %q, %v", s, got, found)
		}
	})
}
