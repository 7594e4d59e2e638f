package criteria

import (
	"encoding/json"
	"strings"

	"github.com/huiqi/huiqi/platform/fault"
)

// refining are the keys that extras reads.
var refining = []string{"ends", "on", "within", "span", "years", "over"}

// extras reads what refines an operator: "ends" of a range, "on" and "within" of what is held, "years" and "over" of what single
// years have. "span" says where the quoted
// sentence stands in the text, in characters; it is kept and not judged.
func (l *leaf) extras(extra map[string]json.RawMessage, at place) error {
	holdings := l.op == Has || l.op == NotOn
	for key, raw := range extra {
		switch key {
		case "span":
			var span []int
			if json.Unmarshal(raw, &span) != nil || len(span) != 2 || span[0] < 0 || span[1] <= span[0] || l.quote == "" {
				return at.wrong("「span」应为所引原文的起止位置")
			}
		case "ends":
			var ends string
			if json.Unmarshal(raw, &ends) != nil || len(ends) != 2 || !strings.Contains("[(", ends[:1]) || !strings.Contains("])", ends[1:]) {
				return at.wrong("「ends」应为 []、[)、(] 或 ()")
			}
			if l.op != Between {
				return at.wrong("只有范围可以有「ends」")
			}
			l.openLo, l.openHi = ends[0] == '(', ends[1] == ')'
		case "on":
			n, err := day(raw)
			if err != nil || !holdings {
				return at.wrong("「on」应为日期，例如 2026-01-31，且只用于资质和名录")
			}
			l.on = n
		case "within":
			if json.Unmarshal(raw, &l.within) != nil || l.within < 1 || l.within > 50 || !holdings {
				return at.wrong("「within」应为 1 到 50 的整年数，且只用于资质和名录")
			}
		case "years":
			if json.Unmarshal(raw, &l.years) != nil || l.years < 1 || l.years > MaxYears {
				return at.wrong("「years」应为 1 到 %d 的整年数", MaxYears)
			}
		case "over":
			if json.Unmarshal(raw, &l.over) != nil || overText[l.over] == "" {
				return at.wrong("「over」应为 each（各年均）、any（任意一年）、mean（平均）或 total（合计）")
			}
		}
	}
	if l.on != 0 && l.within != 0 {
		return at.wrong("“在某日有效”与“近几年内”只能选一种")
	}
	return nil
}

// step is the distance of two values beside each other.
func (l *leaf) step() int64 {
	if l.field.Kind == Date {
		return 86400
	}
	return 1
}

// Mistake is one mistake of a condition: where in the tree it is ("condition.all[1].any[0]"), and what to do, in Chinese.
type Mistake struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Check returns every mistake of a condition, not only the first, for editors; nil when Parse takes it.
func Check(data []byte, s Schema) []Mistake {
	if _, err := Parse(data, s); err == nil {
		return nil
	}
	var found []error
	if len(data) > MaxBytes || !json.Valid(data) {
		_, err := Parse(data, s)
		found = append(found, err)
	} else {
		p := parser{schema: s, found: &found}
		if _, err := p.node(data, place{path: "condition"}, 1); err != nil {
			found = append(found, err)
		}
	}
	out := make([]Mistake, 0, len(found))
	for _, err := range found {
		out = append(out, problemOf(err))
	}
	return out
}

// Fields returns the fields in the order in which they were given, for editors.
func (s Schema) Fields() []Field {
	out := make([]Field, 0, len(s.order))
	for _, name := range s.order {
		out = append(out, s.fields[name])
	}
	return out
}

// problemOf takes the place out of the message: the path says it.
func problemOf(err error) Mistake {
	f, ok := fault.As(err)
	if !ok || len(f.Fields) == 0 {
		return Mistake{Path: "condition", Message: ErrBad.Message}
	}
	p := Mistake{Path: f.Fields[0].Name, Message: f.Message}
	if p.Path != "condition" {
		if _, rest, ok := strings.Cut(p.Message, "："); ok {
			p.Message = rest
		}
	}
	return p
}
