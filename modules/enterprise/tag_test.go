package enterprise_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

func tagger(id int64, rights ...access.Permission) access.Actor {
	rights = append(rights, enterprise.PermView)
	slices.Sort(rights)
	return access.Actor{UserID: id, Name: fmt.Sprintf("员工%d", id), Party: access.Platform, Scope: access.ScopeDistrict, Permissions: rights}
}

var (
	writer    = tagger(71, enterprise.PermTags, enterprise.PermTagPublish)
	publisher = tagger(72, enterprise.PermTagPublish)
)

// staffed asks for at least so many people.
func staffed(n int) any {
	return map[string]any{"all": []any{map[string]any{"field": "employees", "op": "gte", "value": n, "unit": "人", "label": "从业人员"}}}
}

func ruleTag(n int) enterprise.TagBody {
	return enterprise.TagBody{Code: "big_team", Name: "用工大户", Kind: enterprise.TagByRule, Open: true, Condition: staffed(n)}
}

func (f fixture) mustPublish(t *testing.T, b enterprise.TagBody) {
	t.Helper()
	ctx := context.Background()
	drafts, err := f.SaveTagDraft(ctx, writer, enterprise.SaveTagDraft{TagBody: b})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drafts {
		if d.Code == b.Code {
			if _, err := f.PublishTagDraft(ctx, publisher, enterprise.TagDraftRef{Code: d.Code, Version: d.Version}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (f fixture) mustKeep(t *testing.T, want int) {
	t.Helper()
	if n, err := f.KeepTags(context.Background()); err != nil || n != want {
		t.Fatalf("kept %d, want %d: %v", n, want, err)
	}
}

// mustStaff registers a company with so many people, verified.
func (f fixture) mustStaff(t *testing.T, n, code int) int64 {
	t.Helper()
	ids, err := f.Load(context.Background(), system, []enterprise.Known{{
		Claim: enterprise.Claim{Name: fmt.Sprintf("企业%d有限公司", code), CreditCode: demoCode(code), LegalPerson: "王丽"}, Verified: true, At: start.AddDate(0, -1, 0),
		Facts: []enterprise.Fact{enterprise.NewFact("employees", int64(n), enterprise.FromSocial, day("2026-10-01"))},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

func (f fixture) tagged(t *testing.T, who access.Actor, code string) string {
	t.Helper()
	items, _, err := f.List(context.Background(), who, enterprise.ListFilter{Tag: code})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, i := range items {
		names = append(names, i.Name)
	}
	return strings.Join(names, " ")
}

// TestTagsAreDefinedByTwo enters, corrects, previews and publishes a rule; who wrote it does not publish it.
func TestTagsAreDefinedByTwo(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	f.mustStaff(t, 45, 11)
	f.mustStaff(t, 5, 12)
	for name, c := range map[string]struct {
		change func(*enterprise.TagBody)
		field  string
	}{
		"code":      {func(b *enterprise.TagBody) { b.Code = "大" }, "code"},
		"name":      {func(b *enterprise.TagBody) { b.Name = "大" }, "name"},
		"kind":      {func(b *enterprise.TagBody) { b.Kind = "guess" }, "kind"},
		"no rule":   {func(b *enterprise.TagBody) { b.Condition = nil }, "condition"},
		"no clause": {func(b *enterprise.TagBody) { b.Condition = map[string]any{"all": []any{}} }, "condition"},
		"a human": {func(b *enterprise.TagBody) {
			b.Condition = map[string]any{"all": []any{map[string]any{"op": "human", "label": "有发展前景"}}}
		}, "condition"},
		"no such field": {func(b *enterprise.TagBody) {
			b.Condition = map[string]any{"all": []any{map[string]any{"field": "luck", "op": "gte", "value": 1}}}
		}, "condition"},
	} {
		b := ruleTag(20)
		c.change(&b)
		_, err := f.SaveTagDraft(ctx, writer, enterprise.SaveTagDraft{TagBody: b})
		if x, ok := fault.As(err); !ok || len(x.Fields) == 0 || x.Fields[0].Name != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, err := f.SaveTagDraft(ctx, writer, enterprise.SaveTagDraft{TagBody: ruleTag(20), Key: "a"})
	if err != nil || len(d) != 1 || !d[0].New || d[0].MayPublish || len(d[0].Words) != 1 || !strings.Contains(d[0].Words[0], "20") {
		t.Fatalf("%+v, %v", d, err)
	}
	p, err := f.PreviewTag(ctx, writer, "big_team", "")
	if err != nil || p.Seen != 2 || p.Fit != 1 || p.Gained != 1 || p.Lost != 0 || p.Next != "" || len(p.Examples) != 1 || p.Examples[0].Why != "从业人员 45 人" {
		t.Fatalf("%+v, %v", p, err)
	}
	ref := enterprise.TagDraftRef{Code: "big_team", Version: d[0].Version}
	if _, err := f.PublishTagDraft(ctx, writer, ref); !errors.Is(err, enterprise.ErrOwnTag) {
		t.Errorf("her own: %v", err)
	}
	if _, err := f.PublishTagDraft(ctx, tagger(73, enterprise.PermTags), ref); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
	if _, err := f.PublishTagDraft(ctx, publisher, enterprise.TagDraftRef{Code: "big_team", Version: 9}); !errors.Is(err, fault.ErrChanged) {
		t.Errorf("stale: %v", err)
	}
	list, err := f.PublishTagDraft(ctx, publisher, ref)
	if err != nil || len(list) != 1 || list[0].No != 1 || list[0].By != "员工71 录入，员工72 发布" {
		t.Fatalf("%+v, %v", list, err)
	}
	other := ruleTag(30)
	other.Code = "another"
	if _, err := f.SaveTagDraft(ctx, writer, enterprise.SaveTagDraft{TagBody: other}); !errors.Is(err, enterprise.ErrTagName) {
		t.Errorf("the same name: %v", err)
	}
	hand := ruleTag(0)
	hand.Kind = enterprise.TagByHand
	if _, err := f.SaveTagDraft(ctx, writer, enterprise.SaveTagDraft{TagBody: hand}); !errors.Is(err, enterprise.ErrTagKind) {
		t.Errorf("another kind: %v", err)
	}
	if _, err := f.Tags(ctx, access.Actor{UserID: 9, Party: access.Enterprise}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("a company: %v", err)
	}
}

// TestRuleTagsFollowTheFacts gives and takes a tag as the facts, the rule and the register change, and narrows the list by it.
func TestRuleTagsFollowTheFacts(t *testing.T) {
	t.Parallel()
	consents := agreed{not: map[int64]bool{}}
	f := mustNew(t, func(d *enterprise.Deps) { d.Consents = consents })
	ctx := context.Background()
	a := f.mustStaff(t, 45, 11)
	f.mustStaff(t, 5, 12)
	f.mustKeep(t, 0)
	f.mustPublish(t, ruleTag(20))
	f.mustKeep(t, 1)
	f.mustKeep(t, 0)
	if got := f.tagged(t, keeper(), "big_team"); got != "企业11有限公司" {
		t.Fatalf("%q", got)
	}
	v, err := f.CompanyTags(ctx, keeper(), a, "")
	if err != nil || len(v.Items) != 1 || v.Items[0].Why != "从业人员 45 人" || v.Items[0].Since == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	// One more by a new fact, one less by a stricter rule.
	f.clock.Advance(time.Hour)
	c := f.mustStaff(t, 25, 13)
	f.mustKeep(t, 1)
	f.mustPublish(t, ruleTag(30))
	f.mustKeep(t, 1)
	if got := f.tagged(t, keeper(), "big_team"); got != "企业11有限公司" {
		t.Errorf("%q", got)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_tagged WHERE ended_at IS NOT NULL AND enterprise_id = ?", c); n != 1 {
		t.Errorf("%d ended", n)
	}
	// Whoever finds a company by a tag has read what its rule reads.
	consents.not[a] = true
	if got := f.tagged(t, keeper(), "big_team"); got != "" {
		t.Errorf("found without consent: %q", got)
	}
	if v, err := f.CompanyTags(ctx, keeper(), a, ""); err != nil || len(v.Items) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	delete(consents.not, a)
	p, err := f.Portrait(ctx, keeper(), a, "")
	if err != nil || len(p.Tags) != 1 || p.Tags[0].Name != "用工大户" {
		t.Errorf("%+v, %v", p.Tags, err)
	}
	if _, _, err := f.List(ctx, keeper(), enterprise.ListFilter{Tag: "none"}); !errors.Is(err, enterprise.ErrTagFilter) {
		t.Errorf("no such tag: %v", err)
	}
	src, err := f.ExportSource().Now(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if words, err := src.Describe(sheet.Filter{"tag": "big_team"}); err != nil || words != "标签：用工大户" {
		t.Errorf("%q, %v", words, err)
	}
	b := ruleTag(30)
	b.Retired = true
	f.mustPublish(t, b)
	f.mustKeep(t, 1)
	if n := f.count(t, "SELECT count(*) FROM enterprise_tagged WHERE ended_at IS NULL"); n != 0 {
		t.Errorf("%d stand", n)
	}
}

// TestTagsByHand gives a tag with a reason, takes it away with another, and keeps both.
func TestTagsByHand(t *testing.T) {
	t.Parallel()
	consents := agreed{not: map[int64]bool{}}
	f := mustNew(t, func(d *enterprise.Deps) { d.Consents = consents })
	ctx := context.Background()
	a := f.mustBeVerified(t)
	consents.not[a.EnterpriseID] = true // the platform's own notes need no consent
	f.mustPublish(t, enterprise.TagBody{Code: "watch", Name: "重点服务", About: "区级重点服务企业", Kind: enterprise.TagByHand})
	give := enterprise.TagCompany{EnterpriseID: a.EnterpriseID, Code: "watch", Reason: "区领导走访", Key: "g"}
	for name, c := range map[string]struct {
		who  access.Actor
		cmd  enterprise.TagCompany
		want error
	}{
		"without the right": {keeper(), give, fault.ErrForbidden},
		"the company":       {a, give, fault.ErrForbidden},
		"no such company":   {writer, enterprise.TagCompany{EnterpriseID: 999, Code: "watch", Reason: "走访"}, fault.ErrNotFound},
		"no such tag":       {writer, enterprise.TagCompany{EnterpriseID: a.EnterpriseID, Code: "none", Reason: "走访"}, fault.ErrNotFound},
		"not given":         {writer, enterprise.TagCompany{EnterpriseID: a.EnterpriseID, Code: "watch", Reason: "走访"}, nil},
	} {
		var err error
		if c.want == nil {
			_, err = f.TakeTag(ctx, c.who, c.cmd)
			c.want = enterprise.ErrTagNotGiven
		} else {
			_, err = f.GiveTag(ctx, c.who, c.cmd)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.GiveTag(ctx, writer, enterprise.TagCompany{EnterpriseID: a.EnterpriseID, Code: "watch"}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "请写明原因") {
		t.Errorf("without a reason: %v", err)
	}
	for range 2 { // a double click
		v, err := f.GiveTag(ctx, writer, give)
		if err != nil || len(v.Items) != 1 || v.Items[0].Why != "区领导走访" || v.Items[0].ByName != "员工71" || v.Items[0].Since == nil || len(v.Offers) != 0 {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	give.Key = "again"
	if _, err := f.GiveTag(ctx, writer, give); !errors.Is(err, enterprise.ErrTagGiven) {
		t.Errorf("twice: %v", err)
	}
	f.mustKeep(t, 0) // rules leave it alone
	if got := f.tagged(t, keeper(), "watch"); got != oldName {
		t.Errorf("%q", got)
	}
	if p, err := f.MyPortrait(ctx, a); err != nil || len(p.Tags) != 0 {
		t.Errorf("the company sees what is not open: %+v, %v", p.Tags, err)
	}
	f.mustPublish(t, enterprise.TagBody{Code: "watch", Name: "重点服务", About: "区级重点服务企业", Kind: enterprise.TagByHand, Open: true})
	if p, err := f.MyPortrait(ctx, a); err != nil || len(p.Tags) != 1 || p.Tags[0].ByName != "" || p.Tags[0].Why != "区级重点服务企业" {
		t.Errorf("what is open: %+v, %v", p.Tags, err)
	}
	v, err := f.TakeTag(ctx, writer, enterprise.TagCompany{EnterpriseID: a.EnterpriseID, Code: "watch", Reason: "服务期满", Key: "t"})
	if err != nil || len(v.Items) != 0 || len(v.History) != 1 || v.History[0].Ended != "员工71：服务期满" || v.History[0].Why != "区领导走访" || len(v.Offers) != 1 {
		t.Fatalf("%+v, %v", v, err)
	}
	if got := f.tagged(t, keeper(), "watch"); got != "" {
		t.Errorf("%q", got)
	}
}
