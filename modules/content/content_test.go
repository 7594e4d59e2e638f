package content_test

import (
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/platform/fault"
)

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
