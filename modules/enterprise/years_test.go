package enterprise_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

const wan = int64(1_000_000)

// Words of different years are kept apart; of one year the rule of the golden record chooses, and an office's word does not
// give way because the year is long past.
func TestYearsForConditions(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7,
		enterprise.NewFact("revenue", 300*wan, enterprise.FromTax, day("2025-12-31")),
		enterprise.NewFact("revenue", 200*wan, enterprise.FromTax, day("2025-05-31")), // 上年 on that day: 2024
		enterprise.NewFact("revenue", 900*wan, enterprise.FromSelf, day("2024-12-31")),
		enterprise.NewFact("revenue", 100*wan, enterprise.FromTax, day("2023-12-31")),
		enterprise.NewFact("rdSpend", 12*wan, enterprise.FromTax, day("2025-12-31")),
		enterprise.NewFact("rdSpend", 4*wan, enterprise.FromTax, day("2024-12-31")),
		enterprise.NewFact("employees", int64(20), enterprise.FromSocial, day("2026-11-01")),
		enterprise.NewFact("employees", int64(14), enterprise.FromSocial, day("2025-12-31")),
	)
	facts := f.mustFacts(t, a.EnterpriseID)
	several := func(rest string, years int, over string) string {
		return fmt.Sprintf(`{%s,"years":%d,"over":"%s"}`, rest, years, over)
	}
	for condition, want := range map[string]criteria.Decision{
		several(`"field":"revenue","op":"eq","value":200,"unit":"万元"`, 3, "mean"):                         criteria.Eligible,
		several(`"field":"revenue","op":"gte","value":100,"unit":"万元"`, 3, "each"):                        criteria.Eligible,
		several(`"field":"revenue","op":"gte","value":600,"unit":"万元"`, 3, "total"):                       criteria.Eligible,
		several(`"field":"revenue","op":"gte","value":600,"unit":"万元"`, 4, "total"):                       criteria.Undecided,
		several(`"field":"rdRatio","op":"gte","value":4,"unit":"%"`, 1, "each"):                           criteria.Eligible,
		several(`"field":"rdRatio","op":"gte","value":2,"unit":"%"`, 2, "each"):                           criteria.Eligible,
		several(`"field":"rdRatio","op":"gte","value":2,"unit":"%"`, 3, "each"):                           criteria.Undecided,
		several(`"field":"rdSpend","of":"revenue","op":"ratio_gte","value":"3.2","unit":"%"`, 2, "total"): criteria.Eligible,
		several(`"field":"employees","op":"eq","value":14,"unit":"人"`, 1, "each"):                         criteria.Eligible,
		`{"field":"employees","op":"eq","value":20,"unit":"人"}`:                                           criteria.Eligible,
	} {
		if got := decides(t, facts, condition); got != want {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
	if checked, err := f.CheckedFacts(t.Context(), f.db.Read(), a.EnterpriseID); err != nil || len(checked[a.EnterpriseID]["revenue"].Years) != 3 {
		t.Errorf("%+v %v", checked, err)
	}
}

// A company fills in the books of years that are over; what counts now, and what a person settled, stay as they were.
func TestStateAYear(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := t.Context()
	a := f.mustLoad(t, 7)
	for key, cmd := range map[string]enterprise.StateFacts{"now": {Employees: "20", Revenue: "300"}, "2024": {Employees: "16", Revenue: "200", Year: "2024"}, "2023": {Revenue: "100", Year: " 2023 年"}} {
		cmd.Key = key
		if _, err := f.State(ctx, a, cmd); err != nil {
			t.Fatal(err)
		}
	}
	facts := f.mustFacts(t, a.EnterpriseID)
	for condition, want := range map[string]criteria.Decision{
		`{"field":"revenue","op":"eq","value":300,"unit":"万元"}`:                          criteria.Eligible,
		`{"field":"employees","op":"eq","value":20,"unit":"人"}`:                          criteria.Eligible,
		`{"field":"revenue","op":"eq","value":200,"unit":"万元","years":3,"over":"mean"}`:  criteria.Eligible,
		`{"field":"employees","op":"gte","value":16,"unit":"人","years":2,"over":"each"}`: criteria.Undecided, // of the end of 2025 nothing was said
	} {
		if got := decides(t, facts, condition); got != want {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
	before := f.count(t, "SELECT count(*) FROM enterprise_facts")
	m, err := f.State(ctx, a, enterprise.StateFacts{Key: "again", Revenue: "200.0", Year: "2024"})
	if err != nil || f.count(t, "SELECT count(*) FROM enterprise_facts") != before {
		t.Errorf("the same year said again is recorded: %v", err)
	}
	if m.Stated["revenue"] != "300" || len(m.StatedYears) != 5 || m.StatedYears[0].Year != 2025 || m.StatedYears[1].Values["revenue"] != "200" || m.StatedYears[2].Values["revenue"] != "100" || len(m.StatedYears[3].Values) != 0 {
		t.Errorf("%+v %+v", m.Stated, m.StatedYears)
	}
	for _, year := range []string{"2026", "2020", "去年", "-1"} {
		_, err := f.State(ctx, a, enterprise.StateFacts{Revenue: "1", Year: year})
		if x, ok := fault.As(err); !ok || x.Fields[0].Name != "year" || !strings.Contains(x.Message, "2021 到 2025") {
			t.Errorf("%s: %v", year, err)
		}
	}
	if _, err := f.State(ctx, a, enterprise.StateFacts{Industry: "1411", Year: "2024"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an industry of a year: %v", err)
	}
}

// What somebody says of an earlier year does not undo what a person decided about the latest.
func TestEarlierYearsLeaveSettlements(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7, enterprise.NewFact("revenue", 300*wan, enterprise.FromTax, day("2025-12-31")), enterprise.NewFact("revenue", 500*wan, enterprise.FromSelf, day("2025-12-31")))
	g, err := f.Golden(t.Context(), keeper(), a.EnterpriseID)
	if err != nil {
		t.Fatal(err)
	}
	x := field(t, g, "revenue")
	chosen := x.Words[0]
	if !strings.Contains(chosen.Text, "500") {
		chosen = x.Words[1]
	}
	if _, err := f.Settle(t.Context(), keeper(), enterprise.Settle{ID: a.EnterpriseID, Field: "revenue", FactID: chosen.FactID, Reason: "审计报告为准", Last: x.Last, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	settled := `{"field":"revenue","op":"eq","value":500,"unit":"万元"}`
	if _, err := f.State(t.Context(), a, enterprise.StateFacts{Key: "s", Revenue: "100", Year: "2024"}); err != nil {
		t.Fatal(err)
	}
	if got := decides(t, f.mustFacts(t, a.EnterpriseID), settled); got != criteria.Eligible {
		t.Errorf("after a word about 2024: %s", got)
	}
	if got := decides(t, f.mustFacts(t, a.EnterpriseID), `{"field":"revenue","op":"gte","value":500,"unit":"万元","years":1,"over":"each"}`); got != criteria.Eligible {
		t.Errorf("the settled word is not that of its year: %s", got)
	}
	if _, err := f.State(t.Context(), a, enterprise.StateFacts{Key: "s2", Revenue: "310"}); err != nil {
		t.Fatal(err)
	}
	if got := decides(t, f.mustFacts(t, a.EnterpriseID), settled); got == criteria.Eligible {
		t.Error("a new word about the year that was settled did not count")
	}
}
