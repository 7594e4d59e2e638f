package uscc_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/uscc"
)

const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

var public = strings.Fields(`914403001922038216 9144030071526726XG 91110000802100433B 91330100799655058B 91110108551385082Q
	91100000100003962T 911100001000044477 9111000071093123XX 91110000710925462X 91110000710926094P 911100007109250324
	9152000071430580XT 91440300192317458F 91440400192548256N 91440606722473344C 91440300100012316L
	91440300192181490G 91310000132260250X 91370200264574251E 91350900587527783P 91330000733796106P 911100001011016602
	911103026605015136`)

func TestPublicCodes(t *testing.T) {
	t.Parallel()
	if len(public) != 23 {
		t.Fatalf("%d codes", len(public))
	}
	for _, s := range public {
		c, err := uscc.Parse(s, uscc.Options{})
		if err != nil || string(c) != s || !c.OrganisationOK() || c.Demo() {
			t.Errorf("Parse(%s) = %s, %v", s, c, err)
		}
		if c.Authority() != "市场监督管理" || c.Category() != "企业" || c.Division() != s[2:8] || c.Organisation() != s[8:17] {
			t.Errorf("%s: %s %s %s %s", s, c.Authority(), c.Category(), c.Division(), c.Organisation())
		}
		if uscc.Complete(s[:17]) != s {
			t.Errorf("Complete(%s) = %s", s[:17], uscc.Complete(s[:17]))
		}
	}
}

// This code circulates in public lists, but its organisation code 71092841X calls for the check character 2.
func TestCirculatedCodeWithWrongCheck(t *testing.T) {
	t.Parallel()
	if _, err := uscc.Parse("9111000071092841XX", uscc.Options{}); !errors.Is(err, uscc.ErrBad) {
		t.Errorf("Parse = %v", err)
	}
	if c, err := uscc.Parse("9111000071092841X2", uscc.Options{}); err != nil || !c.OrganisationOK() {
		t.Errorf("Parse = %s, %v", c, err)
	}
}

// The standard's worked example ends in 3, not Z as some copies print.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	if got := uscc.Complete("91350100M000100Y4"); got != "91350100M000100Y43" {
		t.Errorf("Complete = %s", got)
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"9144030071526726xg", " 91440300 7152 6726 XG\n", "９１４４０３００７１５２６７２６ＸＧ", "91440300-71526726X-G", "91440300\u200b71526726XG", "91440300　71526726—XG"} {
		if c, err := uscc.Parse(s, uscc.Options{}); err != nil || c != "9144030071526726XG" {
			t.Errorf("Parse(%q) = %s, %v", s, c, err)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, says string }{
		{"", "请填写统一社会信用代码"},
		{"110108001234567", "15 位的旧工商注册号"},
		{"19220382-1", "9 位的组织机构代码"},
		{"91440300192203821", "应为 18 位，您填写了 17 位"},
		{"9144030019220382166", "您填写了 19 位"},
		{"某某科技有限公司", "您填写了 8 位"},
		{"9144O300192203821G", "第 5 位的「O」是否应为数字「0」"},
		{"91440300I92203821" + "6", "第 9 位的「I」是否应为数字「1」？完整代码可能是 914403001922038216"},
		{"91440300192Z03821" + "6", "「Z」是否应为数字「2」"},
		{"9144030071S26726XG", "第 11 位的「S」是否应为数字「5」？完整代码可能是 9144030071526726XG"},
		{"91440300V1526726XG", "第 9 位的「V」不会出现"},
		{"91A40300715267260G", "第 3 位的「A」应为数字"},
		{"91350100M000100Y4Z", "第 18 位的「Z」不会出现在这一位，按其余各位应为「3」？完整代码可能是 91350100M000100Y43"},
		{"91440300192203821O", "按其余各位应为「6」？完整代码可能是 914403001922038216"},
		{"91440300Z922038216", "第 9 位的「Z」不会出现在这一位，按其余各位应为「1」"},
		{"9144O300192Z038216", "第 5 位的「O」是否应为数字「0」，第 12 位的「Z」是否应为数字「2」"},
		{"914403001922308216", "是否应为 914403001922038216（第 13、14 位颠倒）"},
		{"9144030071526726GX", "校验不通过"},
		{string(uscc.Demo(7)), "演示用"},
	} {
		_, err := uscc.Parse(c.in, uscc.Options{})
		f, ok := fault.As(err)
		if !ok || !errors.Is(err, uscc.ErrBad) || f.Kind != fault.Invalid || f.Code != "BAD_USCC" {
			t.Errorf("Parse(%q) = %v", c.in, err)
			continue
		}
		if !strings.Contains(f.Message, c.says) || f.Fields[0].Message != f.Message || f.Fields[0].Name != "creditCode" {
			t.Errorf("Parse(%q) says %q, want %q", c.in, f.Message, c.says)
		}
	}
}

func genCode(t *rapid.T) string {
	var b strings.Builder
	b.WriteString(rapid.SampledFrom([]string{"91", "92", "93", "11", "12", "51", "N2", "A1", "Y1"}).Draw(t, "kind"))
	b.WriteString(rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), 6, 6, -1).Draw(t, "division"))
	b.WriteString(rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 9, 9, -1).Draw(t, "organisation"))
	return uscc.Complete(b.String())
}

func TestEverySlipIsCaught(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := genCode(t)
		o := uscc.Options{AllowDemo: true}
		if _, err := uscc.Parse(s, o); err != nil {
			t.Fatalf("Parse(%s): %v", s, err)
		}
		for i := range 18 {
			for _, r := range alphabet {
				if byte(r) != s[i] {
					if _, err := uscc.Parse(s[:i]+string(r)+s[i+1:], o); err == nil {
						t.Fatalf("%s with %c at %d passed", s, r, i+1)
					}
				}
			}
			if i < 17 && s[i] != s[i+1] {
				x := []byte(s)
				x[i], x[i+1] = x[i+1], x[i]
				if _, err := uscc.Parse(string(x), o); err == nil {
					t.Fatalf("%s with %d and %d swapped passed", s, i+1, i+2)
				}
			}
		}
	})
}

func TestDemo(t *testing.T) {
	t.Parallel()
	seen := map[uscc.Code]bool{}
	for n := range 2000 {
		d := uscc.Demo(n)
		c, err := uscc.Parse(string(d), uscc.Options{AllowDemo: true})
		if err != nil || c != d || !c.Demo() || !c.OrganisationOK() || seen[c] {
			t.Fatalf("Demo(%d) = %s, %v", n, d, err)
		}
		seen[c] = true
	}
	if uscc.Complete("short") != "" || uscc.Complete("91440300I92203821") != "" {
		t.Error("Complete made a code of nothing")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", public[0], "9144O300I92203821G", "𠮷", "\xff\xfe", "①②③④⑤⑥⑦⑧⑨①②③④⑤⑥⑦⑧⑨"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := uscc.Parse(s, uscc.Options{AllowDemo: true})
		if err != nil {
			if f, ok := fault.As(err); !ok || f.Message == "" {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if again, err := uscc.Parse(string(c), uscc.Options{AllowDemo: true}); err != nil || again != c {
			t.Fatalf("%q: %s then %s, %v", s, c, again, err)
		}
	})
}
