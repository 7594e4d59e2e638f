package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/catalog"
)

func TestLifecycleIsSound(t *testing.T) {
	t.Parallel()
	if err := catalog.ValidateLifecycle(catalog.Lifecycle()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		break_ func([]catalog.Transition) []catalog.Transition
		says   string
	}{
		"a way around the reviews": {func(l []catalog.Transition) []catalog.Transition {
			return append(l, catalog.Transition{From: catalog.Draft, Action: catalog.ToPass, To: catalog.Public})
		}, "not reviewed"},
		"a way around the platform": {func(l []catalog.Transition) []catalog.Transition {
			return append(l, catalog.Transition{From: catalog.Draft, Action: catalog.ToPass, To: catalog.GovernmentReview})
		}, "platform's review"},
		"two outcomes": {func(l []catalog.Transition) []catalog.Transition {
			return append(l, catalog.Transition{From: catalog.Draft, Action: catalog.ToSubmit, To: catalog.Down})
		}, "two outcomes"},
		"a state out of reach": {func(l []catalog.Transition) []catalog.Transition {
			return slices.DeleteFunc(l, func(t catalog.Transition) bool { return t.To == catalog.Over })
		}, "cannot be reached"},
		"an action of nobody": {func(l []catalog.Transition) []catalog.Transition {
			return append(l, catalog.Transition{From: catalog.Draft, Action: "burn", To: catalog.Down})
		}, "nobody"},
	} {
		if err := catalog.ValidateLifecycle(c.break_(catalog.Lifecycle())); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryReviewHasItsOwnRight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from  catalog.Status
		right string
	}{{catalog.PlatformReview, "product.review_platform"}, {catalog.GovernmentReview, "product.review_government"}} {
		for _, a := range []catalog.Action{catalog.ToPass, catalog.ToReturn} {
			if got := catalog.RightOf(c.from, a); string(got.Permission) != c.right || got.Side != catalog.Desk {
				t.Errorf("%s in %s asks for %+v", a, c.from, got)
			}
		}
	}
}

func TestDifferencesAreToldInWords(t *testing.T) {
	t.Parallel()
	before := loan()
	after := before
	after.RateMax, after.AmountMax, after.TermMin, after.TermMax, after.Days = 435, 10_000_000_000_00, 12, 36, 3
	after.Materials = append(slices.Clone(before.Materials), "近六个月流水")
	var got []string
	for _, c := range catalog.Changes(before, after) {
		got = append(got, c.Field+": "+c.Before+" → "+c.After)
	}
	want := []string{
		"rate: 3.65%–4.10% → 3.65%–4.35%", "amount: 1–50 万元 → 1 万元–100 亿元", "term: 6–24 个月 → 1–3 年",
		"materials: 营业执照 → 营业执照\n近六个月流水", "days: 5 个工作日 → 3 个工作日",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if n := len(catalog.Changes(before, before)); n != 0 {
		t.Errorf("%d differences from itself", n)
	}
}

func TestReadSpan(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]catalog.Span{
		"10-50": {Low: 10, High: 50}, "-10": {High: 10}, "500-": {Low: 500}, "": {}, "50": {}, "50-10": {}, "a-b": {}, "-": {}, "-5-3": {}, "99999999999-": {},
	} {
		if got := catalog.ReadSpan(in); got != want {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
}
