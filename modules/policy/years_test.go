package policy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/criteria"
)

// grown is a bakery with what 2025, 2024 … brought in, in 万元.
func grown(revenue ...int64) criteria.Facts {
	f := firm("1411", "110112010", 30)
	x := fact(criteria.Fen(revenue[0]*1_000_000), "税务部门", "2025-12-31")
	for i, n := range revenue {
		x.Years = append(x.Years, criteria.Year{Year: 2025 - i, N: n * 1_000_000, Source: "税务部门", AsOf: date("2025-12-31").AddDate(-i, 0, 0)})
	}
	f["revenue"] = x
	return f
}

// TestYearsInReverse: a condition over several years finds its companies, tells those that come to fit because of a year that
// is past, and says why.
func TestYearsInReverse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	r.enrol(1, grown(300, 200, 100))
	r.enrol(2, grown(300, 200))
	r.enrol(3, grown(300, 20, 100))
	r.mustRefresh(t)
	c := content("连续经营的烘焙企业奖励")
	c.Conditions = []byte(`{"field":"revenue","op":"gte","value":100,"unit":"万元","years":3,"over":"each"}`)
	p := r.mustPublish(t, c)
	if err := r.EnsureRuns(ctx); err != nil {
		t.Fatal(err)
	}
	for id := range r.rows(t, "policy_runs") {
		if err := r.WorkRun(ctx, int64(id)+1); err != nil {
			t.Fatal(err)
		}
	}
	counts := func() (fit, open int) {
		t.Helper()
		v, err := r.Reverse(ctx, finder, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range v.Division.Sets {
			switch s.Set {
			case criteria.Eligible:
				fit = s.Count
			case criteria.Undecided:
				open = s.Count
			}
		}
		return fit, open
	}
	if fit, open := counts(); fit != 1 || open != 1 {
		t.Errorf("%d fit, of %d a year is missing", fit, open)
	}
	settle := func() policy.Followed {
		t.Helper()
		r.mustRefresh(t)
		r.clock.Advance(20 * time.Second)
		r.mustRefresh(t)
		f, err := r.JudgeAgain(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	settle()
	r.consents[2] = true
	r.roll.learn(2, grown(300, 200, 150)) // what counts now is as it was; 2023 is known
	if f := settle(); f.Judged != 1 || f.Gained != 1 || f.Told != 1 {
		t.Errorf("a year that became known: %+v", f)
	}
	if fit, open := counts(); fit != 2 || open != 0 {
		t.Errorf("then %d fit, of %d a year is missing", fit, open)
	}
	r.consents[3] = true
	list, _, err := r.Companies(ctx, finder, p.ID, policy.CompanyFilter{Set: criteria.NotEligible})
	found := false
	for _, j := range list {
		for _, l := range j.Lines {
			found = found || j.EnterpriseID == 3 && strings.Contains(l.Actual, "2024年 20 万元") && l.Gap == "2024年还差 80 万元" && l.Required == "近三年均不低于 100 万元"
		}
	}
	if err != nil || !found {
		t.Errorf("why not: %+v %v", list, err)
	}
}
