package criteria

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// TestValuesAreKept: what is written reads back as the same value, to the last part.
func TestValuesAreKept(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	facts := Facts{
		"none": {Unknown: Conflicting, Source: "税务部门", AsOf: day("2026-01-31")}, "zero": {Value: Number(0)}, "count": {Value: Number(-3), Stated: true}, "money": {Value: Fen(1 << 60)},
		"ratio": {Value: Permille(26)}, "day": {Value: Day(day("2024-02-29"))}, "span": {Value: Span(day("2020-01-01"), day("2020-12-31"))}, "no": {Value: Yes(false)}, "yes": {Value: Yes(true)},
		"one": {Value: Code("1411")}, "some": {Value: OneOf("b", "a")}, "nothing held": {Value: Holds()},
		"held": {Value: Holds(Holding{Code: "x", From: day("2024-01-01")}, Holding{Code: "y", To: day("2027-12-31")}, Holding{Code: "z"})},
	}
	raw, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	var back Facts
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	for name, f := range facts {
		if f.Value.kind == Holdings && len(f.Value.holdings) == 0 {
			f.Value.holdings = []Holding{}
		}
		if !reflect.DeepEqual(back[name], f) {
			t.Errorf("%s: %#v, was %#v", name, back[name], f)
		}
	}
	again, err := json.Marshal(back)
	if err != nil || string(again) != string(raw) {
		t.Errorf("written again: %s, %v", again, err)
	}
	for _, bad := range []string{`{"kind":"colour"}`, `{"kind":"date","day":"x"}`, `{"kind":"holdings","holdings":[{"code":"a","to":"2026-13-01"}]}`, `[]`, `{}`} {
		if err := json.Unmarshal([]byte(bad), new(Value)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
