// Package reference holds the public lists every installation starts from: administrative divisions, industries, kinds of
// services and of financing, qualification titles, ticket types with their default limits, and the holiday calendar. The
// lists are embedded text; each loader checks what it reads and returns an error that names the line at fault. Everything
// here becomes editable rows once written into the database.
package reference

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed data
var data embed.FS

// Division is one administrative area: the city, the district, or one of its streets and towns.
type Division struct {
	Code   string // 6 digits down to the district, 9 below
	Name   string
	Level  string // city, district, street, town
	Parent string // code, empty for the city
}

// Industry is one class of GB/T 4754.
type Industry struct {
	Edition string // "2017"
	Code    string // "C", "14", "141", "1411"; the letter is never part of a numeric code
	Name    string
	Level   int    // 1 门类, 2 大类, 3 中类, 4 小类
	Parent  string // "" for a letter; "C" for 14
	Section string // the letter above: "C"
}

// Qualification is one title a company can hold and a policy can ask for.
type Qualification struct {
	Code       string `yaml:"code"`
	Name       string `yaml:"name"`
	Issuer     string `yaml:"issuer"`
	Level      string `yaml:"level"`      // 国家, 市, 区
	ValidYears int    `yaml:"validYears"` // 0: no fixed term
	Group      string `yaml:"group"`
}

// Permits is the group of the qualifications that are administrative permits.
const Permits = "行政许可"

// Kind is one kind of service, or of financing.
type Kind struct {
	Code    string `yaml:"code"`
	Name    string `yaml:"name"`
	Summary string `yaml:"summary"`
}

// Kinds are the kinds of products: the eight service kinds, of which "financing" splits into the financing kinds.
type Kinds struct {
	Services  []Kind `yaml:"services"`
	Financing []Kind `yaml:"financing"`
}

// Limit is a span of time that a calendar turns into a deadline.
type Limit struct {
	Amount int
	Unit   string // working_hours, working_days, hours, days
}

// Zero reports whether no limit is set.
func (l Limit) Zero() bool { return l.Amount == 0 }

// UnmarshalYAML reads "3 working_days".
func (l *Limit) UnmarshalYAML(n *yaml.Node) error {
	amount, unit, ok := strings.Cut(n.Value, " ")
	a, err := strconv.Atoi(amount)
	if !ok || err != nil || a <= 0 {
		return fmt.Errorf("line %d: %q is not an amount and a unit", n.Line, n.Value)
	}
	switch unit {
	case "working_hours", "working_days", "hours", "days":
	default:
		return fmt.Errorf("line %d: unknown unit %q", n.Line, unit)
	}
	*l = Limit{Amount: a, Unit: unit}
	return nil
}

// TicketType is one node of the tree of matters. Only leaves (Level 3) are chosen for a ticket and carry limits.
type TicketType struct {
	Code    string `yaml:"code"` // six digits, 2+2+2
	Parent  string `yaml:"-"`    // derived from the code
	Level   int    `yaml:"-"`    // 1 to 3, derived from the code
	Name    string `yaml:"name"`
	Nature  string `yaml:"nature"`  // 咨询, 求助, 投诉, 举报, 建议, 表扬; empty above the leaves
	Urgency string `yaml:"urgency"` // normal, urgent, emergency
	Sign    Limit  `yaml:"sign"`    // until the unit has signed
	Answer  Limit  `yaml:"answer"`  // until the unit has answered
	// Fields are the own fields of the form of a leaf.
	Fields []TypeField `yaml:"fields"`
}

// TypeField is one field of the form of a ticket type; package ticket says what each part means.
type TypeField struct {
	Key         string   `yaml:"key"`
	Label       string   `yaml:"label"`
	Kind        string   `yaml:"kind"`
	Help        string   `yaml:"help"`
	Required    bool     `yaml:"required"`
	Personal    bool     `yaml:"personal"`
	MaxLength   int      `yaml:"maxLength"`
	Unit        string   `yaml:"unit"`
	Min         *float64 `yaml:"min"`
	Max         *float64 `yaml:"max"`
	Decimals    int      `yaml:"decimals"`
	Options     []string `yaml:"options"`
	Pattern     string   `yaml:"pattern"`
	PatternHint string   `yaml:"patternHint"`
}

// Desk holds the published numbers of hotline work that are not bound to a ticket type.
type Desk struct {
	AnswerSeconds   int `yaml:"answerSeconds"`   // a call is picked up within
	ConnectPermille int `yaml:"connectPermille"` // share of calls connected
	Reminder        struct {
		Normal Limit `yaml:"normal"`
		Urgent Limit `yaml:"urgent"`
	} `yaml:"reminder"`
	Callback             Limit `yaml:"callback"`             // after review
	AfterBreachNotice    Limit `yaml:"afterBreachNotice"`    // 催办通知书
	AfterBreachCriticism Limit `yaml:"afterBreachCriticism"` // 通报, counted after the notice
}

// Matters is the versioned tree of ticket types with the desk's own limits.
type Matters struct {
	Scheme  string       `yaml:"scheme"`
	Version string       `yaml:"version"`
	Name    string       `yaml:"name"`
	Note    string       `yaml:"note"` // where the codes come from
	Types   []TicketType `yaml:"types"`
	Desk    Desk         `yaml:"desk"`
}

// Leaves returns the types a ticket can have.
func (m Matters) Leaves() []TicketType {
	var out []TicketType
	for _, t := range m.Types {
		if t.Level == 3 {
			out = append(out, t)
		}
	}
	return out
}

// Holiday is one day on which the calendar differs from the weekday: a day off, or a weekend day worked in exchange.
type Holiday struct {
	Date    string // 2006-01-02
	Working bool   // true for a make-up working day
	Name    string
}

// Divisions returns the city, the district and its streets and towns, parents first.
func Divisions() ([]Division, error) {
	rows, err := lines("divisions.tsv", 4)
	if err != nil {
		return nil, err
	}
	var out []Division
	seen := map[string]bool{}
	for _, r := range rows {
		d := Division{Code: r[0], Name: r[1], Level: r[2], Parent: r[3]}
		if len(d.Code) != 6 && len(d.Code) != 9 || !digits(d.Code) {
			return nil, fmt.Errorf("division %s: want 6 or 9 digits", d.Code)
		}
		if seen[d.Code] {
			return nil, fmt.Errorf("division %s stands twice", d.Code)
		}
		if d.Parent != "" && !seen[d.Parent] {
			return nil, fmt.Errorf("division %s: parent %s does not stand before it", d.Code, d.Parent)
		}
		seen[d.Code] = true
		out = append(out, d)
	}
	return out, nil
}

// Industries returns GB/T 4754-2017 with the amendment of 2019, parents before children.
func Industries() ([]Industry, error) {
	rows, err := lines("industries-2017.tsv", 2)
	if err != nil {
		return nil, err
	}
	out := make([]Industry, 0, len(rows))
	seen := make(map[string]bool, len(rows))
	section := ""
	for _, r := range rows {
		in := Industry{Edition: "2017", Code: r[0], Name: r[1]}
		switch {
		case len(in.Code) == 1 && in.Code[0] >= 'A' && in.Code[0] <= 'T':
			section = in.Code
			in.Level = 1
		case !digits(in.Code) || len(in.Code) > 4:
			return nil, fmt.Errorf("industry %q is neither a letter nor two to four digits", in.Code)
		case len(in.Code) == 2:
			in.Level, in.Parent = 2, section
		default:
			in.Level, in.Parent = len(in.Code), in.Code[:len(in.Code)-1]
		}
		in.Section = section
		if in.Name == "" || seen[in.Code] {
			return nil, fmt.Errorf("industry %s has no name or stands twice", in.Code)
		}
		if in.Parent != "" && !seen[in.Parent] {
			return nil, fmt.Errorf("industry %s: parent %s does not stand before it", in.Code, in.Parent)
		}
		seen[in.Code] = true
		out = append(out, in)
	}
	return out, nil
}

// Qualifications returns the titles that policies ask for.
func Qualifications() ([]Qualification, error) {
	var out []Qualification
	if err := load("qualifications.yaml", &out); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, q := range out {
		if q.Code == "" || q.Name == "" || q.Issuer == "" || q.Group == "" || q.ValidYears < 0 || seen[q.Code] {
			return nil, fmt.Errorf("qualification %q is incomplete or stands twice", q.Code)
		}
		seen[q.Code] = true
	}
	return out, nil
}

// ProductKinds returns the eight kinds of services and the kinds of financing.
func ProductKinds() (Kinds, error) {
	var out Kinds
	if err := load("kinds.yaml", &out); err != nil {
		return Kinds{}, err
	}
	seen := map[string]bool{}
	for _, list := range [][]Kind{out.Services, out.Financing} {
		for _, k := range list {
			if k.Code == "" || k.Name == "" || seen[k.Code] {
				return Kinds{}, fmt.Errorf("kind %q is incomplete or stands twice", k.Code)
			}
			seen[k.Code] = true
		}
	}
	return out, nil
}

// TicketTypes returns the tree of matters, parents before children, and the desk's limits.
func TicketTypes() (Matters, error) {
	var out Matters
	if err := load("ticket-types.yaml", &out); err != nil {
		return Matters{}, err
	}
	seen := map[string]bool{}
	for i := range out.Types {
		t := &out.Types[i]
		if len(t.Code) != 6 || !digits(t.Code) || t.Name == "" || seen[t.Code] {
			return Matters{}, fmt.Errorf("ticket type %q is incomplete or stands twice", t.Code)
		}
		switch {
		case strings.HasSuffix(t.Code, "0000"):
			t.Level = 1
		case strings.HasSuffix(t.Code, "00"):
			t.Level, t.Parent = 2, t.Code[:2]+"0000"
		default:
			t.Level, t.Parent = 3, t.Code[:4]+"00"
		}
		if t.Parent != "" && !seen[t.Parent] {
			return Matters{}, fmt.Errorf("ticket type %s: parent %s does not stand before it", t.Code, t.Parent)
		}
		leaf := t.Level == 3
		if leaf != (t.Nature != "") || leaf == t.Sign.Zero() || leaf == t.Answer.Zero() {
			return Matters{}, fmt.Errorf("ticket type %s: leaves, and only they, have a nature and limits", t.Code)
		}
		switch t.Urgency {
		case "normal", "urgent", "emergency":
		case "":
			if leaf {
				return Matters{}, fmt.Errorf("ticket type %s has no urgency", t.Code)
			}
		default:
			return Matters{}, fmt.Errorf("ticket type %s: unknown urgency %q", t.Code, t.Urgency)
		}
		seen[t.Code] = true
	}
	return out, nil
}

// Holidays returns the exceptions of the maintained years in order of date.
func Holidays() ([]Holiday, error) {
	rows, err := lines("holidays.tsv", 3)
	if err != nil {
		return nil, err
	}
	var out []Holiday
	last := ""
	for _, r := range rows {
		day, err := time.Parse(time.DateOnly, r[0])
		if err != nil {
			return nil, fmt.Errorf("holiday: %w", err)
		}
		if r[0] <= last {
			return nil, fmt.Errorf("holiday %s is out of order", r[0])
		}
		weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
		switch {
		case r[1] == "work" && !weekend:
			return nil, fmt.Errorf("holiday %s: a make-up day falls on a weekday", r[0])
		case r[1] != "work" && r[1] != "off":
			return nil, fmt.Errorf("holiday %s: unknown kind %q", r[0], r[1])
		}
		last = r[0]
		out = append(out, Holiday{Date: r[0], Working: r[1] == "work", Name: r[2]})
	}
	return out, nil
}

// MaintainedYears returns the years the holiday list covers. A deadline that crosses into another year needs a warning.
func MaintainedYears() ([]int, error) {
	days, err := Holidays()
	if err != nil {
		return nil, err
	}
	var out []int
	for _, d := range days {
		y, _ := strconv.Atoi(d.Date[:4])
		if len(out) == 0 || out[len(out)-1] != y {
			out = append(out, y)
		}
	}
	return out, nil
}

var allDigits = regexp.MustCompile(`^\d+$`)

func digits(s string) bool { return allDigits.MatchString(s) }

// lines reads a tab-separated file; lines that begin with # are comments.
func lines(name string, columns int) ([][]string, error) {
	raw, err := data.ReadFile("data/" + name)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for i, line := range strings.Split(strings.TrimRight(string(raw), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != columns {
			return nil, fmt.Errorf("%s line %d: %d columns instead of %d", name, i+1, len(cells), columns)
		}
		out = append(out, cells)
	}
	return out, nil
}

func load(name string, into any) error {
	raw, err := data.ReadFile("data/" + name)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
