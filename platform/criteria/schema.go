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
}

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

func (f Field) labels(codes []string) string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = f.labelOf(c)
	}
	return strings.Join(out, "、")
}

// Schema is the set of fields conditions may name. It does not change after NewSchema.
type Schema struct{ fields map[string]Field }

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
		if _, twice := s.fields[f.Name]; twice {
			return Schema{}, fmt.Errorf("criteria: field %q given twice", f.Name)
		}
		s.fields[f.Name] = f
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
