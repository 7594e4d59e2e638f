package criteria

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is the kind of value a field has.
type Kind string

// The kinds of field.
const (
	Count    Kind = "count"    // whole number with the field's unit, such as 人
	Money    Kind = "money"    // fen
	Ratio    Kind = "ratio"    // permille
	Date     Kind = "date"     // a day
	Category Kind = "category" // one code, or the set of codes it may be
	Flag     Kind = "flag"     // yes or no
	Holdings Kind = "holdings" // qualifications held or lists stood on, each with its validity
)

// Field describes one field conditions may name.
type Field struct {
	Name   string
	Label  string // Chinese, for texts: 从业人员
	Kind   Kind
	Unit   string            // of a Count: 人
	Values map[string]string // labels of codes; when Closed, the only codes a condition may name
	Closed bool
	// Under reports whether code lies below or at ancestor; nil means that ancestor is a prefix of code.
	Under func(code, ancestor string) bool
	// MaxAge is how old a fact may be on the day of judging before it counts as expired; 0 for no limit.
	MaxAge time.Duration
	Ask    string // Chinese: who can supply it, or where
	// Yearly is how the field is called when conditions ask it of several years: 营业收入; empty when they cannot.
	Yearly string
	// Booked says that what single years have adds up: revenue, but not staff.
	Booked bool
	// Event says of Holdings that each entry happened on its first day, as a penalty was decided: asked of the last years it is
	// that day that counts. The others last from their first day to their last.
	Event bool
	// Moved are codes that belong to another field now. A condition that names one here is read as if it asked there.
	Moved map[string]Elsewhere
}

// Elsewhere is a code of another field, a Category.
type Elsewhere struct{ Field, Code string }

func (f Field) under(code, ancestor string) bool {
	if f.Under != nil {
		return f.Under(code, ancestor)
	}
	return strings.HasPrefix(code, ancestor)
}

func (f Field) labelOf(code string) string {
	if l := f.Values[code]; l != "" {
		return l
	}
	return code
}

// labels lists codes by their names, which may hold a 、 themselves.
func (f Field) labels(codes []string) string {
	out, between := make([]string, len(codes)), "、"
	for i, c := range codes {
		out[i] = f.labelOf(c)
		if strings.Contains(out[i], between) {
			between = "；"
		}
	}
	return strings.Join(out, between)
}

// show says a value of the field in Chinese.
func (f Field) show(v Value, day time.Time) string {
	switch v.kind {
	case Category:
		if len(v.codes) > 1 {
			return "可能为" + f.labels(v.codes)
		}
		return f.labels(v.codes)
	case Flag:
		return yes(v.flag)
	case Date:
		if v.last.After(v.day) {
			return showDay(v.day) + " 至 " + showDay(v.last) + "之间"
		}
		return showDay(v.day)
	case Holdings:
		return f.held(v.holdings, day)
	case Ratio:
		return show(v.n, 10) + "%"
	case Money:
		return money(v.n)
	}
	return count(v.n, f.Unit)
}

// held lists what is held; what has run out says so.
func (f Field) held(hs []Holding, day time.Time) string {
	var codes []string
	valid := map[string]bool{}
	for _, h := range hs {
		if _, seen := valid[h.Code]; !seen {
			codes = append(codes, h.Code)
		}
		valid[h.Code] = valid[h.Code] || h.valid(day)
	}
	if len(codes) == 0 {
		return "无"
	}
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = f.labelOf(c)
		if !valid[c] {
			out[i] += "（不在有效期内）"
		}
	}
	return strings.Join(out, "、")
}

// Schema is the set of fields conditions may name. It does not change after NewSchema.
type Schema struct {
	fields map[string]Field
	order  []string // as given
}

// NewSchema makes a schema. It refuses fields without name, label or known kind, and names given twice.
func NewSchema(fields ...Field) (Schema, error) {
	s := Schema{fields: map[string]Field{}}
	for _, f := range fields {
		switch f.Kind {
		case Count, Money, Ratio, Date, Category, Flag, Holdings:
		default:
			return Schema{}, fmt.Errorf("criteria: field %q has unknown kind %q", f.Name, f.Kind)
		}
		if f.Name == "" || f.Label == "" {
			return Schema{}, fmt.Errorf("criteria: field %q needs a name and a label", f.Name)
		}
		if numbers := f.Kind == Count || f.Kind == Money || f.Kind == Ratio; f.Yearly != "" && !numbers || f.Booked && (f.Yearly == "" || f.Kind == Ratio) {
			return Schema{}, fmt.Errorf("criteria: field %q is not of single years", f.Name)
		}
		if (f.Event || f.Moved != nil) && f.Kind != Holdings {
			return Schema{}, fmt.Errorf("criteria: field %q holds nothing", f.Name)
		}
		if _, twice := s.fields[f.Name]; twice {
			return Schema{}, fmt.Errorf("criteria: field %q given twice", f.Name)
		}
		s.fields[f.Name] = f
		s.order = append(s.order, f.Name)
	}
	return s, nil
}

// Field returns the named field.
func (s Schema) Field(name string) (Field, bool) {
	f, ok := s.fields[name]
	return f, ok
}

// Names returns the names of all fields in order.
func (s Schema) Names() []string {
	out := make([]string, 0, len(s.fields))
	for n := range s.fields {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Told is what is known of one field, in words.
type Told struct {
	Field  string `json:"field"`
	Label  string `json:"label"`
	Value  string `json:"value,omitempty"` // empty when not known
	Source string `json:"source,omitempty"`
	AsOf   string `json:"asOf,omitempty"`
	Stated bool   `json:"stated,omitempty"` // the enterprise's own word, unchecked
	Reason Reason `json:"reason,omitempty"` // why not known
	Why    string `json:"why,omitempty"`
	Ask    string `json:"ask,omitempty"`
}

// Tell says facts in words, a line for each field of the schema in its order, as they stand on the day at falls on in Beijing.
func (s Schema) Tell(facts Facts, at time.Time) []Told {
	day := dayOf(at)
	out := make([]Told, 0, len(s.order))
	for _, name := range s.order {
		f := s.fields[name]
		fact, why := facts.look(f, day)
		t := Told{Field: name, Label: f.Label, Source: fact.Source, Stated: fact.Stated, Reason: why}
		if !fact.AsOf.IsZero() {
			t.AsOf = dayOf(fact.AsOf).Format(time.DateOnly)
		}
		if why == "" {
			t.Value = f.show(fact.Value, day) + f.showYears(fact.Years)
		} else {
			t.Why, t.Ask = why.Text(), f.Ask
		}
		out = append(out, t)
	}
	return out
}

// divisions gives each letter of GB/T 4754-2017 its first and last two-digit division.
var divisions = map[byte][2]string{
	'A': {"01", "05"}, 'B': {"06", "12"}, 'C': {"13", "43"}, 'D': {"44", "46"}, 'E': {"47", "50"}, 'F': {"51", "52"},
	'G': {"53", "60"}, 'H': {"61", "62"}, 'I': {"63", "65"}, 'J': {"66", "69"}, 'K': {"70", "70"}, 'L': {"71", "72"},
	'M': {"73", "75"}, 'N': {"76", "79"}, 'O': {"80", "82"}, 'P': {"83", "83"}, 'Q': {"84", "85"}, 'R': {"86", "90"},
	'S': {"91", "96"}, 'T': {"97", "97"},
}

// UnderIndustry is Field.Under for industries of GB/T 4754-2017, written 3920, C3920 or, for a whole section, C.
func UnderIndustry(code, ancestor string) bool {
	if ancestor == "" || code == "" {
		return false
	}
	if code[0] >= 'A' && len(code) > 1 {
		code = code[1:]
	}
	span, letter := divisions[ancestor[0]]
	switch {
	case letter && len(ancestor) > 1:
		ancestor = ancestor[1:]
	case letter:
		return code == ancestor || len(code) >= 2 && code[:2] >= span[0] && code[:2] <= span[1]
	}
	return strings.HasPrefix(code, ancestor)
}

// UnderRegion is Field.Under for divisions of GB/T 2260 and the nine-digit towns below: 110000 holds all of Beijing.
func UnderRegion(code, ancestor string) bool {
	if len(ancestor) == 6 {
		ancestor = strings.TrimSuffix(strings.TrimSuffix(ancestor, "00"), "00")
	}
	return ancestor != "" && strings.HasPrefix(code, ancestor)
}
