package criteria_test

import (
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/criteria"
)

func movedSchema(t *testing.T) criteria.Schema {
	t.Helper()
	s, err := criteria.NewSchema(
		criteria.Field{Name: "title", Label: "资质", Kind: criteria.Holdings, Moved: map[string]criteria.Elsewhere{"tax_a": {Field: "grade", Code: "A"}, "tax_b": {Field: "grade", Code: "B"}}},
		criteria.Field{Name: "grade", Label: "等级", Kind: criteria.Category, Closed: true, Values: map[string]string{"A": "A级", "B": "B级", "D": "D级"}},
		criteria.Field{Name: "fined", Label: "处罚", Kind: criteria.Holdings, Event: true, Values: map[string]string{"fine": "罚款"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What was asked of titles that are a field of their own now is asked of the field, and comes to the same.
func TestMovedCodes(t *testing.T) {
	t.Parallel()
	s := movedSchema(t)
	graded := func(grade string, titles ...string) criteria.Facts {
		out := criteria.Facts{}
		if grade != "" {
			out["grade"] = known(criteria.Code(grade))
		}
		var hs []criteria.Holding
		for _, c := range titles {
			hs = append(hs, criteria.Holding{Code: c})
		}
		out["title"] = known(criteria.Holds(hs...))
		return out
	}
	for _, c := range []struct {
		in     string
		facts  criteria.Facts
		want   criteria.Decision
		fields string
	}{
		{`{"field":"title","op":"has","value":["tax_a","tax_b"],"quote":"B级以上"}`, graded("B"), criteria.Eligible, "grade"},
		{`{"field":"title","op":"has","value":"tax_a"}`, graded("B"), criteria.NotEligible, "grade"},
		{`{"field":"title","op":"has","value":"tax_a"}`, graded(""), criteria.Undecided, "grade"},
		{`{"field":"title","op":"has","value":["tax_a","hte"]}`, graded("D", "hte"), criteria.Eligible, "grade title"},
		{`{"field":"title","op":"has","value":["tax_a","hte"]}`, graded("A"), criteria.Eligible, "grade title"},
		{`{"field":"title","op":"has","value":["tax_a","hte"]}`, graded("D"), criteria.Near, "grade title"},
		{`{"field":"title","op":"notOn","value":["tax_a","hte"]}`, graded("D"), criteria.Eligible, "grade title"},
		{`{"field":"title","op":"notOn","value":["tax_a","hte"]}`, graded("A"), criteria.NotEligible, "grade title"},
		{`{"field":"title","op":"has","value":["hte"]}`, graded("", "hte"), criteria.Eligible, "title"},
	} {
		cond, err := criteria.Parse([]byte(c.in), s)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		o := cond.Evaluate(c.facts, today)
		if o.Decision != c.want || strings.Join(cond.Fields(), " ") != c.fields {
			t.Errorf("%s over %v = %s of %v", c.in, c.facts, o.Decision, cond.Fields())
		}
		if given, err := cond.MarshalJSON(); err != nil || string(given) != c.in {
			t.Errorf("a kept condition changed: %s", given)
		}
		again, changed := s.Modern([]byte(c.in))
		if changed != strings.Contains(c.in, "tax_") || strings.Contains(string(again), "tax_") {
			t.Errorf("Modern(%s) = %s", c.in, again)
		}
		modern, err := criteria.Parse(again, s)
		if err != nil || modern.Evaluate(c.facts, today).Decision != c.want {
			t.Errorf("modern %s = %v (%v)", again, modern.Evaluate(c.facts, today).Decision, err)
		}
	}
	deep := `{"all":[{"atLeast":{"k":1,"of":[{"not":{"field":"title","op":"has","value":"tax_a"}},{"op":"human","label":"x"}]}},{"any":[{"field":"title","op":"has","value":"hte"}]}]}`
	want := `{"all":[{"atLeast":{"k":1,"of":[{"not":{"field":"grade","op":"in","value":["A"]}},{"op":"human","label":"x"}]}},{"any":[{"field":"title","op":"has","value":"hte"}]}]}`
	if got, changed := s.Modern([]byte(deep)); !changed || string(got) != want {
		t.Errorf("Modern of a tree = %s", got)
	}
	if got, changed := s.Modern([]byte(`null`)); changed || string(got) != "null" {
		t.Errorf("Modern of nothing = %s", got)
	}
}

// A penalty counts by the day on which it was decided, not by how long it was shown.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := movedSchema(t)
	asked := `{"field":"fined","op":"notOn","value":["fine"],"within":3}`
	now := `{"field":"fined","op":"notOn","value":["fine"]}`
	for _, c := range []struct {
		clause string
		held   criteria.Holding
		want   criteria.Decision
		gap    string
	}{
		{asked, criteria.Holding{Code: "fine", From: date("2022-05-01"), To: date("2025-05-01")}, criteria.Eligible, ""},
		{asked, criteria.Holding{Code: "fine", From: date("2023-11-22"), To: date("2024-11-22")}, criteria.NotEligible, "近 3 年内有：罚款"},
		{asked, criteria.Holding{Code: "fine", From: date("2023-11-21"), To: date("2024-11-22")}, criteria.Eligible, ""},
		{asked, criteria.Holding{Code: "fine"}, criteria.NotEligible, "近 3 年内有：罚款"},
		{asked, criteria.Holding{Code: "fine", To: date("2020-01-01")}, criteria.Eligible, ""},
		{now, criteria.Holding{Code: "fine", From: date("2022-05-01"), To: date("2025-05-01")}, criteria.Eligible, ""},
		{now, criteria.Holding{Code: "fine", From: date("2025-05-01"), To: date("2028-05-01")}, criteria.NotEligible, "在公示期内：罚款"},
	} {
		cond, err := criteria.Parse([]byte(c.clause), s)
		if err != nil {
			t.Fatal(err)
		}
		o := cond.Evaluate(criteria.Facts{"fined": known(criteria.Holds(c.held))}, today)
		if o.Decision != c.want || o.Clauses[0].Gap != c.gap {
			t.Errorf("%s with %v = %s %q", c.clause, c.held, o.Decision, o.Clauses[0].Gap)
		}
	}
}
