package demo_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/huiqi/huiqi/seed/demo"
	"github.com/huiqi/huiqi/seed/reference"
)

// moments are reference times the world must hold together at: a working morning, a Sunday night, the first of a year.
var moments = []time.Time{
	time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
	time.Date(2026, 3, 1, 17, 30, 0, 0, time.UTC),
	time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
}

func generate(t *testing.T, at time.Time) demo.World {
	t.Helper()
	w, err := demo.Generate(at)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestCounts(t *testing.T) {
	t.Parallel()
	w := generate(t, moments[0])
	for _, c := range []struct {
		what      string
		have, min int
	}{
		{"departments", len(w.Departments), 60}, {"staff", len(w.Staff), 60}, {"institutions", len(w.Institutions), 14},
		{"companies", len(w.Companies), 220}, {"owners", len(w.Owners), 20}, {"products", len(w.Products), 64},
		{"policies", len(w.Policies), 44}, {"news", len(w.News), 44}, {"notices", len(w.Notices), 6}, {"help", len(w.Help), 12},
		{"knowledge", len(w.Knowledge), 12}, {"tickets", len(w.Tickets), 320}, {"applications", len(w.Applications), 60},
		{"partners", len(w.Partners), 3},
	} {
		if c.have < c.min {
			t.Errorf("%d %s, want at least %d", c.have, c.what, c.min)
		}
	}
	listed, kinds, financing := 0, map[string]int{}, map[string]int{}
	for _, p := range w.Products {
		kinds[p.Kind]++
		if p.FinancingKind != "" {
			financing[p.FinancingKind]++
		}
		if p.State == "listed" {
			listed++
		}
	}
	if listed < 60 || len(kinds) != 8 || len(financing) != 5 {
		t.Errorf("%d listed products, kinds %v, financing %v", listed, kinds, financing)
	}
	conditions := 0
	for _, p := range w.Policies {
		if p.Conditions != nil {
			conditions++
		}
	}
	if conditions < 20 {
		t.Errorf("only %d policies have conditions", conditions)
	}
}

func TestSameMomentSameWorld(t *testing.T) {
	t.Parallel()
	if !reflect.DeepEqual(generate(t, moments[0]), generate(t, moments[0])) {
		t.Error("two worlds of one moment differ")
	}
}

// What changes from day to day is dates only: the loader and the guided tour rely on the same tickets being there.
func TestContentDoesNotDependOnTheMoment(t *testing.T) {
	t.Parallel()
	a, b := generate(t, moments[0]), generate(t, moments[1])
	for i := range a.Companies {
		if a.Companies[i].Name != b.Companies[i].Name || a.Companies[i].CreditCode != b.Companies[i].CreditCode {
			t.Fatalf("%s became %s", a.Companies[i].Name, b.Companies[i].Name)
		}
	}
	for i := range a.Tickets {
		if a.Tickets[i].Title != b.Tickets[i].Title || a.Tickets[i].State != b.Tickets[i].State {
			t.Fatalf("%s became %s", a.Tickets[i].Title, b.Tickets[i].Title)
		}
	}
	for i := range a.Applications {
		if a.Applications[i].Product != b.Applications[i].Product || a.Applications[i].State != b.Applications[i].State {
			t.Fatalf("%+v became %+v", a.Applications[i], b.Applications[i])
		}
	}
}

var creditCode = regexp.MustCompile(`^91990000[0-9A-HJ-NP-RTUWXY]{10}$`)

// validCode checks both digits on its own, with the printed weights instead of the generator's powers.
func validCode(code string) error {
	if !creditCode.MatchString(code) {
		return fmt.Errorf("%s lies outside the demo block", code)
	}
	sum := 0
	for i, w := range []int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28} {
		sum += w * strings.IndexByte("0123456789ABCDEFGHJKLMNPQRTUWXY", code[i])
	}
	if got := strings.IndexByte("0123456789ABCDEFGHJKLMNPQRTUWXY", code[17]); (sum+got)%31 != 0 {
		return fmt.Errorf("%s fails GB 32100", code)
	}
	sum = 0
	for i, w := range []int{3, 7, 9, 10, 5, 8, 4, 2} {
		sum += w * strings.IndexByte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", code[8+i])
	}
	last := strings.IndexByte("0123456789X", code[16])
	if (sum+last)%11 != 0 {
		return fmt.Errorf("%s fails GB 11714", code)
	}
	return nil
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	w := generate(t, moments[0])
	codes, phones, names, keys := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	once := func(set map[string]bool, what, value string) {
		if value == "" || set[value] {
			t.Errorf("%s %q is empty or stands twice", what, value)
		}
		set[value] = true
	}
	synthetic := regexp.MustCompile(`^19900\d{6}$`)
	dial := func(number string) {
		once(phones, "phone", number)
		if !synthetic.MatchString(number) {
			t.Errorf("phone %s lies outside the demo block", number)
		}
	}
	code := func(c string) {
		once(codes, "code", c)
		if err := validCode(c); err != nil {
			t.Error(err)
		}
	}
	for _, d := range w.Departments {
		once(names, "department", d.Name)
		once(keys, "key", d.Code)
		dial(d.Phone)
		if d.CreditCode != "" {
			code(d.CreditCode)
		}
	}
	roles := map[string]bool{}
	for _, s := range w.Staff {
		once(names, "staff", s.Name)
		once(keys, "key", s.Key)
		dial(s.Phone)
		roles[s.Role] = true
	}
	for _, r := range []string{"platform_operator", "government_reviewer", "agent", "desk_lead", "dispatcher", "handler", "department_leader", "callback", "system_admin", "security_admin", "audit_admin", "editor"} {
		if !roles[r] {
			t.Errorf("nobody has the role %s", r)
		}
	}
	for _, in := range w.Institutions {
		once(names, "institution", in.Name)
		once(keys, "key", in.Key)
		dial(in.Phone)
		code(in.CreditCode)
		if len(in.Operators) == 0 || !in.Operators[0].Administrator {
			t.Errorf("%s has no administrator", in.Name)
		}
		for _, o := range in.Operators {
			once(keys, "key", o.Key)
			dial(o.Phone)
		}
	}
	for _, c := range w.Companies {
		once(names, "company", c.Name)
		once(keys, "key", c.Key)
		dial(c.Phone)
		code(c.CreditCode)
	}
	for _, o := range w.Owners {
		once(keys, "key", o.Key)
		dial(o.Phone)
	}
	for _, p := range w.Partners {
		once(keys, "key", p.Code)
		dial(p.Phone)
	}
	for _, p := range w.Products {
		once(names, "product", p.Name)
		once(keys, "key", p.Key)
	}
	for _, p := range w.Policies {
		once(names, "policy", p.Title)
		once(names, "document", p.DocNumber)
		once(keys, "key", p.Key)
	}
	for _, n := range w.News {
		once(names, "news", n.Title)
		once(keys, "key", n.Key)
	}
	for _, x := range w.Tickets {
		once(names, "ticket", x.Title)
		once(keys, "key", x.Key)
	}
	for _, a := range w.Applications {
		once(keys, "key", a.Key)
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	w := generate(t, moments[0])
	var marked []string
	for _, x := range w.Departments {
		marked = append(marked, x.Name)
	}
	for _, x := range w.Staff {
		marked = append(marked, x.Name)
	}
	for _, x := range w.Institutions {
		marked = append(marked, x.Name)
		for _, o := range x.Operators {
			marked = append(marked, o.Name)
		}
	}
	for _, x := range w.Companies {
		marked = append(marked, x.Name)
	}
	for _, x := range w.Owners {
		marked = append(marked, x.Name)
	}
	for _, x := range w.Products {
		marked = append(marked, x.Name)
	}
	for _, x := range w.Policies {
		marked = append(marked, x.Title, x.DocNumber, x.Issuer)
	}
	for _, x := range w.News {
		marked = append(marked, x.Title, x.Source)
	}
	for _, x := range w.Notices {
		marked = append(marked, x.Title)
	}
	for _, x := range w.Help {
		marked = append(marked, x.Title)
	}
	for _, x := range w.Knowledge {
		marked = append(marked, x.Question)
	}
	for _, x := range w.Tickets {
		marked = append(marked, x.Title)
	}
	for _, x := range w.Partners {
		marked = append(marked, x.Name)
	}
	for _, s := range marked {
		if strings.Count(s, demo.Mark) != 1 {
			t.Errorf("%q carries the mark %d times", s, strings.Count(s, demo.Mark))
		}
	}
}

// placeholder is a word of a canned reply that the ticket fills in.
var placeholder = regexp.MustCompile(`\{\{(联系人|工单号|承办单位|今天)\}\}`)

func TestTexts(t *testing.T) {
	t.Parallel()
	w := generate(t, moments[0])
	within := func(what, text string, least, most int) {
		if n := utf8.RuneCountInString(text); n < least || n > most {
			t.Errorf("%s has %d characters, want %d to %d", what, n, least, most)
		}
	}
	for _, p := range w.Products {
		within(p.Name, p.Description, 200, 600)
		if len(p.Materials) < 2 || len(p.Steps) < 3 || p.Days == 0 || p.Target == "" {
			t.Errorf("%s is incomplete", p.Name)
		}
	}
	for _, p := range w.Policies {
		within(p.Title, p.Text, 400, 1500)
		within(p.Title+" interpretation", p.Interpretation, 100, 400)
	}
	for _, n := range w.News {
		within(n.Title, strings.Join(n.Paragraphs, ""), 200, 800)
	}
	for _, x := range w.Tickets {
		within(x.Title, x.Title, 10, 60)
		within(x.Title+" body", x.Body, 30, 300)
	}
	// Every string anywhere: valid, no control characters but the line feed, no slot left open.
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			s := v.String()
			if !utf8.ValidString(s) {
				t.Errorf("%s is not UTF-8", path)
			}
			if i := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' || r == utf8.RuneError }); i >= 0 {
				t.Errorf("%s holds a control character: %q", path, s)
			}
			if strings.ContainsAny(placeholder.ReplaceAllString(s, ""), "{}[]|") {
				t.Errorf("%s has an open slot: %q", path, s)
			}
			if strings.Count(s, demo.Mark) > 1 {
				t.Errorf("%s carries the mark twice: %q", path, s)
			}
		case reflect.Struct:
			if _, ok := v.Interface().(time.Time); ok {
				return
			}
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Slice:
			if v.Type() == reflect.TypeFor[json.RawMessage]() {
				return
			}
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
			}
		}
	}
	walk("world", reflect.ValueOf(w))
}

func TestCompanies(t *testing.T) {
	t.Parallel()
	w := generate(t, moments[0])
	industries, err := reference.Industries()
	if err != nil {
		t.Fatal(err)
	}
	divisions, err := reference.Divisions()
	if err != nil {
		t.Fatal(err)
	}
	titles, err := reference.Qualifications()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, x := range industries {
		if x.Level == 4 || strings.HasSuffix(x.Code, "0") {
			known[x.Code] = true
		}
	}
	for _, x := range divisions {
		known[x.Code] = true
	}
	for _, x := range titles {
		known[x.Code] = true
	}
	byKey := map[string]demo.Company{}
	missing, sections, standings := 0, map[string]bool{}, map[string]bool{}
	for _, c := range w.Companies {
		byKey[c.Key] = c
		if !known[c.Industry] || !known[c.Street] {
			t.Errorf("%s: unknown industry %s or street %s", c.Name, c.Industry, c.Street)
		}
		for _, q := range c.Qualifications {
			if !known[q.Code] || q.To != "" && q.To <= q.From {
				t.Errorf("%s: qualification %+v", c.Name, q)
			}
		}
		if c.Revenue == nil || c.Employees == nil || c.Assets == nil {
			missing++
		}
		if c.Revenue != nil && c.RDSpend != nil && *c.RDSpend > *c.Revenue {
			t.Errorf("%s spends more on research than it earns", c.Name)
		}
		sections[c.Industry[:2]], standings[c.CreditStanding] = true, true
	}
	if missing < 20 || len(sections) < 15 || len(standings) < 3 {
		t.Errorf("%d with missing facts, %d divisions of industry, standings %v", missing, len(sections), standings)
	}
	open, own := byKey[w.Walk.Unregistered], byKey[w.Walk.Bakery]
	if open.Registered || !own.Registered || !own.Verified || open.Industry != "1411" || own.Industry != "1411" {
		t.Errorf("the bakeries of the tour: %+v %+v", open, own)
	}
	for _, o := range w.Owners {
		if o.Company == open.Key || !byKey[o.Company].Registered {
			t.Errorf("%s owns %s, which has no account", o.Name, o.Company)
		}
		if o.Key == w.Walk.BakeryOwner && o.Company != own.Key {
			t.Errorf("the tour's owner belongs to %s", o.Company)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	ops := map[string][]string{
		"industry": {"under", "in"}, "region": {"under"}, "employees": {"lte", "gte", "lt", "gt"}, "revenue": {"lte", "gte", "lt", "gt"},
		"assets": {"lte", "gte", "lt", "gt"}, "established": {"years_since_gte", "years_since_lte", "years_since_lt"}, "qualification": {"has"}, "rdRatio": {"gte", "gt", "lte", "lt"},
		"sizeClass": {"in"}, "creditStanding": {"notOn"}, "": {"human"}, "taxGrade": {"in"}, "penalties": {"notOn"}, "judgments": {"notOn"},
		"revenueGrowth": {"gte"}, "debtRatio": {"lte"}, "insured": {"gte"}, "patents": {"gte"}, "inventions": {"gte"}, "trademarks": {"gte"}, "loans": {"gt"},
	}
	shapes := map[string]int{}
	for _, p := range generate(t, moments[0]).Policies {
		if p.Conditions == nil {
			continue
		}
		var root map[string]any
		if err := json.Unmarshal(p.Conditions, &root); err != nil {
			t.Fatalf("%s: %v", p.Title, err)
		}
		var check func(n map[string]any)
		each := func(list any) {
			for _, c := range list.([]any) {
				check(c.(map[string]any))
			}
		}
		check = func(n map[string]any) {
			op, leaf := n["op"].(string)
			if !leaf {
				if len(n) != 1 {
					t.Fatalf("%s: %v is no condition", p.Title, n)
				}
				for k, v := range n {
					shapes[k]++
					switch k {
					case "all", "any":
						each(v)
					case "not":
						check(v.(map[string]any))
					case "atLeast":
						of := v.(map[string]any)
						if k := of["k"].(float64); k < 1 || int(k) > len(of["of"].([]any)) {
							t.Errorf("%s: at least %v of %d", p.Title, k, len(of["of"].([]any)))
						}
						each(of["of"])
					default:
						t.Errorf("%s: unknown node %s", p.Title, k)
					}
				}
				return
			}
			field, _ := n["field"].(string)
			shapes[op]++
			found := false
			for _, o := range ops[field] {
				found = found || o == op
			}
			if !found {
				t.Errorf("%s: field %q does not know %q", p.Title, field, op)
			}
			if quote, _ := n["quote"].(string); quote == "" || !strings.Contains(p.Text, quote) {
				t.Errorf("%s: %v quotes nothing of the text", p.Title, n)
			}
		}
		check(root)
	}
	for _, k := range []string{"all", "any", "not", "atLeast", "under", "lte", "gte", "in", "has", "notOn", "years_since_gte", "years_since_lte", "years_since_lt", "human"} {
		if shapes[k] == 0 {
			t.Errorf("no policy shows %s", k)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for _, at := range moments {
		w := generate(t, at)
		known := map[string]bool{}
		for _, d := range w.Departments {
			if d.Parent != "" && !known[d.Parent] {
				t.Errorf("%s stands before its parent", d.Name)
			}
			known[d.Code] = true
		}
		for _, s := range w.Staff {
			if s.Department != "" && !known[s.Department] {
				t.Errorf("%s works in an unknown department", s.Name)
			}
			known[s.Key] = true
		}
		for _, in := range w.Institutions {
			known[in.Key] = true
			for _, o := range in.Operators {
				known[o.Key] = true
			}
		}
		for _, c := range w.Companies {
			known[c.Key] = true
		}
		for _, o := range w.Owners {
			known[o.Key] = true
		}
		for _, p := range w.Products {
			if !known[p.Institution] {
				t.Errorf("%s has no institution", p.Name)
			}
			known[p.Key] = true
		}
		for _, p := range w.Policies {
			if !known[p.Handler] || p.OpensOn > p.ClosesOn {
				t.Errorf("%s: handler %s, window %s to %s", p.Title, p.Handler, p.OpensOn, p.ClosesOn)
			}
		}
		types := map[string]bool{}
		m, err := reference.TicketTypes()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range m.Leaves() {
			types[l.Code] = true
		}
		for _, a := range w.Knowledge {
			if !types[a.Type] || !known[a.Department] {
				t.Errorf("%s: type %s, department %s", a.Question, a.Type, a.Department)
			}
		}
		walk := w.Walk
		for _, k := range []string{walk.Unregistered, walk.Bakery, walk.BakeryOwner, walk.Bank, walk.Handler, walk.Agent} {
			if !known[k] {
				t.Errorf("the tour names %q, which does not exist", k)
			}
		}
		tickets(t, w, at, known, types)
		applications(t, w, at, known)
	}
}

// after says which state a step leads to, and from which states it may be taken.
var after = map[string]struct{ to, from string }{
	"decline": {"declined", "received"}, "answer": {"answered", "received"}, "dispatch": {"dispatched", "received"},
	"sign": {"signed", "dispatched"}, "start": {"handling", "signed"}, "reply": {"replied", "handling"}, "review": {"reviewed", "replied"},
	"callback_open": {"callback", "reviewed"}, "close": {"closed", "callback answered"}, "archive": {"archived", "closed"},
	"suspend": {"suspended", "handling"}, "reopen": {"reopened", "callback"}, "merge": {"merged", "received"}, "void": {"voided", "received"},
}

func tickets(t *testing.T, w demo.World, at time.Time, known, types map[string]bool) {
	t.Helper()
	states, used, channels := map[string]int{}, map[string]bool{}, map[string]bool{}
	byKey := map[string]demo.Ticket{}
	for _, x := range w.Tickets {
		states[x.State]++
		used[x.Type], channels[x.Channel] = true, true
		if !types[x.Type] || !known[x.Agent] || x.Requester.Company != "" && !known[x.Requester.Company] || x.Requester.Owner != "" && !known[x.Requester.Owner] {
			t.Errorf("%s refers to something unknown: %+v", x.Title, x)
		}
		state, last := "received", x.OpenedAt
		for _, s := range x.Steps {
			if rule, moves := after[s.Kind]; moves {
				if !strings.Contains(rule.from, state) {
					t.Errorf("%s: %s in state %s", x.Key, s.Kind, state)
				}
				state = rule.to
			}
			if !s.At.After(last) || s.At.After(at) {
				t.Errorf("%s: step %s at %s, after %s, at most %s", x.Key, s.Kind, s.At, last, at)
			}
			last = s.At
			if !known[s.By] || s.Text == "" || s.Department != "" && !known[s.Department] {
				t.Errorf("%s: step %+v", x.Key, s)
			}
			if s.Kind == "merge" {
				target, ok := byKey[s.Target]
				if !ok || target.Type != x.Type || target.OpenedAt.After(x.OpenedAt) {
					t.Errorf("%s is merged into %q", x.Key, s.Target)
				}
			}
		}
		if state != x.State {
			t.Errorf("%s ends in %s, not in %s", x.Key, state, x.State)
		}
		byKey[x.Key] = x
	}
	for _, s := range []string{"received", "declined", "answered", "dispatched", "signed", "handling", "replied", "reviewed", "callback", "closed", "archived", "suspended", "reopened", "merged", "voided"} {
		if states[s] < 2 {
			t.Errorf("%d tickets are %s", states[s], s)
		}
	}
	if len(used) < 20 || len(channels) < 5 {
		t.Errorf("%d types, %d channels", len(used), len(channels))
	}
}

func applications(t *testing.T, w demo.World, at time.Time, known map[string]bool) {
	t.Helper()
	products, states := map[string]demo.Product{}, map[string]int{}
	for _, p := range w.Products {
		products[p.Key] = p
	}
	for _, a := range w.Applications {
		states[a.State]++
		p := products[a.Product]
		if p.State != "listed" || !known[a.Company] || !known[a.Owner] || a.Purpose == "" {
			t.Errorf("%s refers to something that cannot be: %+v", a.Key, a)
		}
		if p.Kind == "financing" && (a.Amount < p.AmountMin || a.Amount > p.AmountMax || a.Term < p.TermMin || a.Term > p.TermMax) {
			t.Errorf("%s asks for %d over %d months of %s", a.Key, a.Amount, a.Term, p.Name)
		}
		last := a.CreatedAt
		for _, s := range a.Steps {
			if !s.At.After(last) || s.At.After(at) || !known[s.By] || s.Text == "" {
				t.Errorf("%s: step %+v", a.Key, s)
			}
			last = s.At
		}
	}
	for _, s := range []string{"draft", "submitted", "accepted", "supplement", "declined", "withdrawn", "in_progress", "approved", "disbursed", "completed"} {
		if states[s] < 5 {
			t.Errorf("%d applications are %s", states[s], s)
		}
	}
}
