package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestRevisionsAreForEverybody: what a revision changed is public, to the word; what is still being written is not, nor who
// wrote it.
func TestRevisionsAreForEverybody(t *testing.T) {
	t.Parallel()
	b, ctx := mustServe(t), context.Background()
	if _, html := b.get("", "/policies/1"); strings.Contains(html, "修订记录") {
		t.Errorf("a policy that was never revised has a record of it: %s", html)
	}
	v, err := b.f.Get(ctx, system, 1)
	if err != nil {
		t.Fatal(err)
	}
	all, err := b.f.All(ctx, system)
	if err != nil {
		t.Fatal(err)
	}
	c := all[0].Content
	for _, k := range all {
		if k.Ref.ID == 1 {
			c = k.Content
		}
	}
	c.ClosesOn = "2027-03-31"
	c.Materials = append(append([]string{}, c.Materials...), "<b>承诺书</b>")
	if _, err := b.f.Revise(ctx, system, policy.RevisePolicy{Ref: policy.Ref{ID: 1, Version: v.Version}, Content: c}); err != nil {
		t.Fatal(err)
	}
	if _, html := b.get("", "/policies/1"); !strings.Contains(html, `href="/policies/1/revisions"`) {
		t.Errorf("the page does not lead to the revisions: %s", html)
	}
	status, html := b.get("", "/policies/1/revisions")
	for _, want := range []string{"（现行版）", "首次发布", "申报截止日期", "<ins>03</ins>", "申报材料", "<ins>&lt;b&gt;承诺书&lt;/b&gt;</ins>"} {
		if status != 200 || !strings.Contains(html, want) {
			t.Errorf("%d lacks %q: %s", status, want, html)
		}
	}
	if strings.Contains(html, "<h3>政策解读</h3>") || strings.Contains(html, "<b>承诺书") {
		t.Errorf("what did not change is shown, or markup is: %s", html)
	}

	d, err := b.f.Begin(ctx, zhao, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	draft := d.Content
	draft.Benefit = "尚未公开的标准"
	b.f.mustSave(t, zhao, d, draft)
	list, err := b.f.Revisions(ctx, visitor, 1)
	if err != nil || len(list) != 2 || !list[0].Current || list[1].Current || len(list[0].Changes) != 2 || len(list[1].Changes) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	if _, html := b.get("", "/policies/1/revisions"); strings.Contains(html, "尚未公开") || strings.Contains(html, zhao.Name) {
		t.Errorf("a draft or its writer is public: %s", html)
	}
	if _, err := b.f.Revisions(ctx, visitor, 8); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("of an unpublished policy: %v", err)
	}
	if status, _ := b.get("", "/policies/8/revisions"); status != 404 {
		t.Errorf("of an unpublished policy: %d", status)
	}
}

// TestExchangedAttachments: as many attachments, but others, are a change too.
func TestExchangedAttachments(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	was, is := content("甲"), content("甲")
	was.FileIDs, is.FileIDs = []int64{1, 2}, []int64{1, 3}
	if got := f.Differences(was, is); len(got) != 1 || got[0].Label != "附件" || got[0].Paragraphs[0].Pieces[0].Text != "附件有更换" {
		t.Errorf("%+v", got)
	}
	if got := f.Differences(was, was); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
