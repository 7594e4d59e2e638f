package phone_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"13800138000", "+8613800138000", "+86 138 0013 8000", "008613800138000", "86-138-0013-8000", "8613800138000",
		"１３８００１３８０００", "＋８６　１３８００１３８０００", " 138\u200b00138000\t", "(+86)138–0013—8000", "138.0013.8000", "\ufeff13800138000",
	} {
		if got, err := phone.Normalize(s); err != nil || got != "13800138000" {
			t.Errorf("Normalize(%q) = %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"17012345678", "16612345678", "19912345678"} { // virtual operators and new ranges
		if got, err := phone.Normalize(s); err != nil || got != s {
			t.Errorf("Normalize(%q) = %q, %v", s, got, err)
		}
	}
	for _, c := range []struct{ in, says string }{
		{"", "请填写手机号"}, {"   ", "请填写手机号"},
		{"1380013800", "您填写了 10 位"}, {"138001380000", "您填写了 12 位"},
		{"12800138000", "13 至 19 开头"}, {"+8612800138000", "13 至 19 开头"},
		{"010-12345678", "只能"}, {"010-62345678", "这是固定电话"}, {"400-810-1234", "这是固定电话"},
		{"+852 6123 4567", "只支持中国大陆"}, {"0012125551234", "只支持中国大陆"},
		{"1380013800o", "只能由数字"}, {"一三八零零一三八零零零", "只能由数字"}, {"'; drop table", "只能由数字"},
	} {
		_, err := phone.Normalize(c.in)
		f, ok := fault.As(err)
		if !ok || !errors.Is(err, phone.ErrBad) || f.Fields[0].Name != "phone" {
			t.Errorf("Normalize(%q) = %v", c.in, err)
		} else if c.in != "010-12345678" && !strings.Contains(f.Message, c.says) {
			t.Errorf("Normalize(%q) says %q, want %q", c.in, f.Message, c.says)
		}
	}
}

func TestFixed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"010-62345678": "010-62345678", "01062345678": "010-62345678", "（010）6234 5678": "010-62345678", "+86 10 62345678": "010-62345678",
		"010-62345678-801": "010-62345678-801", "010-62345678转801": "010-62345678-801", "010-62345678 ext.801": "010-62345678-801",
		"0311-8765432": "0311-8765432", "０３１１－８７６５４３２１": "0311-87654321", "4008101234": "400-810-1234", "12345": "12345", "110": "110", "95588": "95588",
	} {
		if got, err := phone.Fixed(in); err != nil || got != want {
			t.Errorf("Fixed(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "62345678", "13800138000", "010", "010-02345678", "电话", "12345转1"} {
		if got, err := phone.Fixed(in); !errors.Is(err, phone.ErrBad) {
			t.Errorf("Fixed(%q) = %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{"+86 13800138000": "13800138000", "010 62345678": "010-62345678"} {
		if got, err := phone.Contact(in); err != nil || got != want {
			t.Errorf("Contact(%q) = %q, %v", in, got, err)
		}
	}
	if _, err := phone.Contact("xyz"); !errors.Is(err, phone.ErrBad) {
		t.Errorf("Contact(xyz): %v", err)
	}
}

// However one phone is typed, it is one text.
func TestOneText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "phone")
		var b strings.Builder
		b.WriteString(rapid.SampledFrom([]string{"", "+86", "0086", "86", "+86 ", "（86）"}).Draw(t, "prefix"))
		for _, r := range want {
			if rapid.Bool().Draw(t, "wide") {
				r += '０' - '0'
			}
			b.WriteRune(r)
			b.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "-", "　", "\u200d"}).Draw(t, "gap"))
		}
		if got, err := phone.Normalize(b.String()); err != nil || got != want {
			t.Fatalf("Normalize(%q) = %q, %v", b.String(), got, err)
		}
	})
}
