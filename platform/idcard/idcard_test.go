package idcard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idcard"
)

var now = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"11010519491231002X", "11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ", "110105491231002"} {
		n, err := idcard.Parse(s, now)
		if err != nil || n != "11010519491231002X" || n.Male() || n.Division() != "110105" || n.Birth().Format(time.DateOnly) != "1949-12-31" {
			t.Errorf("Parse(%q) = %s, %v", s, n, err)
		}
	}
	for _, c := range []struct{ in, says string }{
		{"", "请填写"},
		{"110105194912310029", "校验不通过"},
		{"1101051949123100", "您填写了 16 位"},
		{"11010519490231002X", "出生日期"},
		{"110105202612310020", "出生日期"},
		{"11010518991231002X", "出生日期"},
		{"1101051949123X0020", "只能由数字组成"},
		{"一一零一零五一九四九一二三一零零二八", "只能由数字组成"},
	} {
		_, err := idcard.Parse(c.in, now)
		f, ok := fault.As(err)
		if !ok || f.Code != "BAD_ID_NUMBER" || !strings.Contains(f.Message, c.says) {
			t.Errorf("Parse(%q) = %v, want %q", c.in, err, c.says)
		}
		if c.in != "" && strings.Contains(f.Message, c.in) {
			t.Errorf("the message repeats the number: %q", f.Message)
		}
	}
}

func TestEverySubstitutionIsCaught(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		born := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 25000).Draw(t, "day"))
		s := fmt.Sprintf("%06d%s%03d", rapid.IntRange(110000, 659999).Draw(t, "division"), born.Format("20060102"), rapid.IntRange(1, 999).Draw(t, "sequence"))
		s += string(idcard.Check(s))
		if _, err := idcard.Parse(s, now); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		for i := range 18 {
			for _, r := range "0123456789X" {
				if byte(r) != s[i] {
					if _, err := idcard.Parse(s[:i]+string(r)+s[i+1:], now); err == nil {
						t.Fatalf("%s with %c at %d passed", s, r, i+1)
					}
				}
			}
		}
	})
}
