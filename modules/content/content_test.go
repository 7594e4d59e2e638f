package content_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/platform/fault"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	body := "首段，见[办事指南](/help/3)。\n\n# 小标题\n- 甲\n- 乙 [官网](https://www.example.cn/a?b=1)\n1. 第一步\n2. 第二步\n中间一段\n3. 第三步\n5. 跳号\n#不是标题\n1.不是步骤"
	var shape []string
	for _, b := range content.Blocks(body) {
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
	if got, want := content.Plain("# 标题\n见[这里](/a)\n- 甲"), "标题\n见这里\n甲"; got != want {
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
		blocks := content.Blocks("[点这里](" + target + ")")
		for _, b := range blocks {
			for _, s := range b.Spans {
				if s.URL != "" {
					t.Errorf("%q became a link to %q", target, s.URL)
				}
			}
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	later := now.Add(48 * time.Hour)
	type call func(a *content.Article) error
	edit := func(a *content.Article) error { return a.Edit(1, content.Text{}) }
	submit := func(a *content.Article) error { return a.Submit(1) }
	publish := func(a *content.Article) error { return a.Publish(now, 2, "审核") }
	back := func(a *content.Article) error { return a.Return("改标题") }
	withdraw := func(a *content.Article) error { return a.Withdraw("有误") }
	revise := func(a *content.Article) error { return a.Revise(1) }
	for name, c := range map[string]struct {
		from  content.Status
		legal map[string]content.Status
	}{
		"draft":     {content.Draft, map[string]content.Status{"edit": content.Draft, "submit": content.InReview}},
		"review":    {content.InReview, map[string]content.Status{"publish": content.Public, "return": content.Draft}},
		"published": {content.Public, map[string]content.Status{"withdraw": content.Withdrawn}},
		"withdrawn": {content.Withdrawn, map[string]content.Status{"revise": content.Draft}},
	} {
		for action, do := range map[string]call{"edit": edit, "submit": submit, "publish": publish, "return": back, "withdraw": withdraw, "revise": revise} {
			a := &content.Article{Status: c.from, AuthorID: 1}
			err := do(a)
			to, ok := c.legal[action]
			if ok && (err != nil || a.Status != to) {
				t.Errorf("%s a %s: %s, %v", action, name, a.Status, err)
			}
			if !ok && (fault.KindOf(err) != fault.Conflict || a.Status != c.from) {
				t.Errorf("%s a %s: %s, %v", action, name, a.Status, err)
			}
		}
	}
	a := &content.Article{Status: content.InReview, PublishAt: &later}
	if err := a.Publish(now, 2, "审核"); err != nil || !a.PublishAt.Equal(later) || !a.Scheduled(now) || a.Scheduled(later) {
		t.Errorf("a wish for later: %v %v", a.PublishAt, err)
	}
	past := now.Add(-time.Hour)
	a = &content.Article{Status: content.InReview, PublishAt: &past}
	if err := a.Publish(now, 2, "审核"); err != nil || !a.PublishAt.Equal(now) {
		t.Errorf("a wish for the past: %v %v", a.PublishAt, err)
	}
	a = &content.Article{Status: content.InReview, ExpiresAt: &past}
	if err := a.Publish(now, 2, "审核"); err == nil || !strings.Contains(err.Error(), "有效期") {
		t.Errorf("a notice that is over: %v", err)
	}
	for _, worker := range []content.Article{{AuthorID: 2}, {EditorID: 2}, {SubmitterID: 2}} {
		worker.Status = content.InReview
		if err := worker.Publish(now, 2, "审核"); err == nil || fault.KindOf(err) != fault.Forbidden {
			t.Errorf("own work was published: %v", err)
		}
	}
}
