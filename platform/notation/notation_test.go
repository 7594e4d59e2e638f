package notation_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/huiqi/huiqi/platform/notation"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	body := "首段，见[办事指南](/help/3)。\n\n# 小标题\n- 甲\n- 乙 [官网](https://www.example.cn/a?b=1)\n1. 第一步\n2. 第二步\n中间一段\n3. 第三步\n5. 跳号\n#不是标题\n1.不是步骤"
	var shape []string
	for _, b := range notation.Blocks(body) {
		s := string(b.Kind)
		for _, sp := range b.Spans {
			s += "|" + sp.Text
			if sp.URL != "" {
				s += "→" + sp.URL
			}
		}
		for _, i := range b.Items {
			s += "|"
			for _, sp := range i {
				s += sp.Text
				if sp.URL != "" {
					s += "→" + sp.URL
				}
			}
		}
		if b.Start > 1 {
			s += "@" + string(rune('0'+b.Start))
		}
		shape = append(shape, s)
	}
	want := []string{
		"paragraph|首段，见|办事指南→/help/3|。", "heading|小标题", "list|甲|乙 官网→https://www.example.cn/a?b=1", "steps|第一步|第二步", "paragraph|中间一段",
		"steps|第三步@3", "steps|跳号@5", "paragraph|#不是标题", "paragraph|1.不是步骤",
	}
	if !slices.Equal(shape, want) {
		t.Errorf("got  %q\nwant %q", shape, want)
	}
	if got, want := notation.Plain("# 标题\n见[这里](/a)\n- 甲"), "标题\n见这里\n甲"; got != want {
		t.Errorf("Plain = %q", got)
	}
}

// A link leads to the web or to this site; everything else stays the text it was typed as.
func TestLinksThatLeadNowhere(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example/a", "/\\evil.example", "https:///a", "file:///etc/passwd",
		"https://user:pw@evil.example/", "http:evil", "a/b", "https://x\"onclick=1", "&#106;avascript:alert(1)", "\tjavascript:alert(1)",
	} {
		blocks := notation.Blocks("[点这里](" + target + ")")
		for _, b := range blocks {
			for _, s := range b.Spans {
				if s.URL != "" {
					t.Errorf("%q became a link to %q", target, s.URL)
				}
			}
		}
	}
}

func ExampleBlocks() {
	for _, b := range notation.Blocks("# 怎样申请\n1. 打开[产品页](/products)\n2. 提交材料") {
		fmt.Println(b.Kind, b.Spans, b.Items)
	}
	// Output:
	// heading [{怎样申请 }] []
	// steps [] [[{打开 } {产品页 /products}] [{提交材料 }]]
}
