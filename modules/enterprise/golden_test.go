package enterprise

import (
	"testing"
	"time"
)

// TestRule holds the golden record to its rule, step by step.
func TestRule(t *testing.T) {
	t.Parallel()
	rule := ruling{}
	for _, r := range firstSources() {
		rule[Source(r.Code)] = standing{name: r.Name, official: r.Official, worths: SourceRow{Worths: r.Worths}.worths()}
	}
	rule["strong"] = standing{official: true, worths: map[string]Worth{keyOperation: {1, 30}, keyBasic: {1, 0}}}
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	id := int64(0)
	say := func(source Source, value string, daysAgo int) Fact {
		id++
		return Fact{ID: id, Field: "employees", Value: value, Source: source, AsOf: now.AddDate(0, 0, -daysAgo), RecordedAt: now.Add(time.Duration(id) * time.Second)}
	}
	person := func(value string) Fact { return say(settled, value, 0) }
	for _, c := range []struct {
		name     string
		facts    []Fact
		want     string
		why      string
		conflict bool
		lapsed   bool
	}{
		{"one source", []Fact{say(FromSocial, "10", 40)}, "10", "只有这一个来源", false, false},
		{"the newest word of a source", []Fact{say(FromSocial, "10", 40), say(FromSocial, "30", 10)}, "30", "只有这一个来源", false, false},
		{"a word of an older day that came later", []Fact{say(FromSocial, "30", 10), say(FromSocial, "10", 40)}, "30", "只有这一个来源", false, false},
		{"the later day", []Fact{say(FromSocial, "10", 40), say(FromTax, "20", 10)}, "20", "数据日期最新", true, false},
		{"an office of the same day", []Fact{say(FromSocial, "10", 40), say(FromSelf, "20", 40)}, "10", "同一日期以部门数据为准", true, false},
		{"the later record", []Fact{say(FromSocial, "10", 40), say(FromTax, "20", 40)}, "20", "同一日期以最后记录的为准", true, false},
		{"the better rank", []Fact{say("strong", "10", 20), say(FromTax, "20", 1)}, "10", "该来源在“经营情况”中优先", true, false},
		{"a better rank that is stale", []Fact{say("strong", "10", 31), say(FromTax, "20", 1)}, "20", "其他来源的数据已超过有效期", false, false},
		{"a source nobody ranked", []Fact{say("other", "10", 1), say(FromTax, "20", 9)}, "20", "该来源在“经营情况”中优先", true, false},
		{"close is no conflict", []Fact{say(FromSocial, "100", 40), say(FromTax, "104", 10)}, "104", "数据日期最新", false, false},
		{"five percent and a little", []Fact{say(FromSocial, "98", 40), say(FromTax, "104", 10)}, "104", "数据日期最新", true, false},
		{"nothing of tomorrow", []Fact{say(FromSocial, "10", 40), say(FromTax, "20", -1)}, "10", "只有这一个来源", false, false},
		{"what cannot be read", []Fact{say(FromSocial, "10", 40), say(FromTax, `"二十"`, 1)}, "10", "只有这一个来源", false, false},
		{"a person decides", []Fact{say(FromSocial, "10", 40), say(FromTax, "20", 10), person("10")}, "10", "由人工核定，来源有新数据时重新判断", false, false},
		{"a source repeats itself", []Fact{say(FromSocial, "10", 40), say(FromTax, "20", 10), person("10"), say(FromTax, "20", 1)}, "10", "由人工核定，来源有新数据时重新判断", false, false},
		{"a source says something new", []Fact{say(FromSocial, "10", 40), say(FromTax, "20", 10), person("10"), say(FromTax, "30", 1)}, "30", "数据日期最新", true, true},
		{"a new source", []Fact{say(FromSocial, "10", 40), person("10"), say(FromTax, "30", 1)}, "30", "数据日期最新", true, true},
		{"decided anew", []Fact{say(FromSocial, "10", 40), say(FromTax, "20", 10), person("10"), say(FromTax, "30", 1), person("30")}, "30", "由人工核定，来源有新数据时重新判断", false, false},
		{"taken back", []Fact{say(FromSocial, "10", 40), say(FromTax, "20", 10), person("10"), person(withdrawn)}, "20", "数据日期最新", true, false},
	} {
		f, _ := fieldOf("employees")
		got, ok := rule.choose(f, c.facts, now)
		if !ok || got.words[0].Value != c.want || got.words[0].why != c.why || got.conflict != c.conflict || got.lapsed != c.lapsed {
			t.Errorf("%s: %+v", c.name, got)
		}
		for i, w := range got.words {
			if w.why == "" || i > 0 && w.Source == settled {
				t.Errorf("%s: word %d: %+v", c.name, i, w)
			}
		}
		if len(got.words) > 0 && rule.current(c.facts, now)["employees"].Value != c.want {
			t.Errorf("%s: current differs", c.name)
		}
	}
	f, _ := fieldOf("industry")
	a, b := say(FromRegistry, `"1411"`, 400), say(FromSelf, `"6513"`, 1)
	if got, _ := rule.choose(f, []Fact{a, b}, now); got.words[0].ID != a.ID || !got.conflict {
		t.Errorf("the registry's own field: %+v", got)
	}
	if _, ok := rule.choose(f, nil, now); ok {
		t.Error("nothing was said, and something counts")
	}
}
