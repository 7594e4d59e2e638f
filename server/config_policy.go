package server

import "time"

// Policy is how companies are found for policies and told of them.
type Policy struct {
	// PushPerWeek is how often a company is told within seven days at most.
	PushPerWeek int `koanf:"push_per_week"`
	// PublicDays is for how many days a list of companies that need not apply is shown to the public.
	PublicDays int `koanf:"public_days"`
	// AnswerMonths and QuickAnswerDays are how long answers to companies and staff, and to visitors, can be opened again.
	AnswerMonths    int `koanf:"answer_months"`
	QuickAnswerDays int `koanf:"quick_answer_days"`
}

var policyDefaults = map[string]any{"policy.push_per_week": 2, "policy.public_days": 7, "policy.answer_months": 24, "policy.quick_answer_days": 30}

func (p Policy) check() error {
	for _, v := range []struct {
		name        string
		value, most int
	}{
		{"push_per_week", p.PushPerWeek, 20}, {"public_days", p.PublicDays, 60}, {"answer_months", p.AnswerMonths, 120}, {"quick_answer_days", p.QuickAnswerDays, 365},
	} {
		if v.value < 1 || v.value > v.most {
			return configErrorf("policy.%s：应为 1 至 %d", v.name, v.most)
		}
	}
	return nil
}

// answers is how long an answer is kept, a month counted as 31 days.
func (p Policy) answers() time.Duration { return time.Duration(p.AnswerMonths) * 31 * 24 * time.Hour }

func (p Policy) quickAnswers() time.Duration {
	return time.Duration(p.QuickAnswerDays) * 24 * time.Hour
}
