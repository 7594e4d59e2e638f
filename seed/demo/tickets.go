package demo

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/seed/reference"
)

type ticketCore struct {
	Ty, D, T, B, A string
	I              []string // first digits of the industries it fits; empty: any
}

// variants is how many tickets each written core becomes; choices and slots make them differ.
const variants = 8

// weights say how often each state is aimed at; what a core cannot reach becomes closed.
var weights = []struct {
	state string
	n     int
}{
	{"received", 9}, {"declined", 6}, {"answered", 9}, {"dispatched", 8}, {"signed", 7}, {"handling", 14}, {"replied", 7},
	{"reviewed", 5}, {"callback", 6}, {"closed", 26}, {"archived", 8}, {"suspended", 5}, {"reopened", 5}, {"merged", 4}, {"voided", 4},
}

// directTypes are matters an agent can answer without a department.
var directTypes = map[string]bool{"010101": true, "010201": true, "030101": true, "040102": true, "040201": true, "080101": true}

// declinable are matters that can lie outside what the hotline may take.
var declinable = map[string]bool{"020102": true, "030103": true, "060101": true, "060102": true, "060103": true, "070101": true, "080102": true, "040101": true}

// local are matters the street or town can handle instead of the bureau.
var local = map[string]bool{"050202": true, "050203": true, "070102": true}

func (g *generator) tickets() error {
	s, err := g.shared()
	if err != nil {
		return err
	}
	var cores []ticketCore
	for _, name := range []string{"tickets-1.yaml", "tickets-2.yaml"} {
		var part []ticketCore
		if err := load(name, &part); err != nil {
			return err
		}
		cores = append(cores, part...)
	}
	matters, err := reference.TicketTypes()
	if err != nil {
		return err
	}
	urgency, nature := map[string]string{}, map[string]string{}
	forms := map[string][]reference.TypeField{}
	for _, t := range matters.Leaves() {
		urgency[t.Code], nature[t.Code] = t.Urgency, t.Nature
		forms[t.Code] = t.Fields
	}
	divisions, err := reference.Divisions()
	if err != nil {
		return err
	}
	streets := map[string]string{}
	for _, d := range divisions {
		streets[d.Code] = d.Name
	}
	departments := map[string]string{}
	for _, d := range g.w.Departments {
		departments[d.Code] = d.Name
	}
	owners := map[string]Owner{}
	for _, o := range g.w.Owners {
		if o.Role == "owner" {
			owners[o.Company] = o
		}
	}
	var registered []Company
	for _, c := range g.w.Companies {
		if c.Registered {
			registered = append(registered, c)
		}
	}
	var states []string
	for _, w := range weights {
		for range w.n {
			states = append(states, w.state)
		}
	}

	titles := map[string]bool{}
	for ci, core := range cores {
		first := ""
		var fitting []Company
		for _, c := range registered {
			if fits(c.Industry, core.I) {
				fitting = append(fitting, c)
			}
		}
		for v := range variants {
			n := len(g.w.Tickets) + 1
			state := states[(ci*7+v*31+g.rand.IntN(23))%len(states)]
			switch {
			case state == "answered" && !directTypes[core.Ty],
				state == "declined" && !declinable[core.Ty],
				v == 0 && (state == "merged" || state == "voided" || state == "declined" || state == "received"),
				urgency[core.Ty] != "normal" && (state == "suspended" || state == "voided"):
				state = "closed"
			}
			// Few cores can be answered or declined at once, so those that can do it more often.
			if state == "closed" && v > 0 && directTypes[core.Ty] && g.chance(45) {
				state = "answered"
			} else if state == "closed" && v > 0 && declinable[core.Ty] && g.chance(25) {
				state = "declined"
			}
			t := Ticket{
				Key: fmt.Sprintf("ticket-%03d", n), Type: core.Ty, Urgency: urgency[core.Ty], State: state,
				Channel: pick(g, []string{"phone", "phone", "phone", "h5", "h5", "portal", "wechat", "wechat", "email", "partner"}),
				Agent:   fmt.Sprintf("agent%02d", g.between(1, 6)),
			}
			if t.Urgency == "normal" && g.chance(6) {
				t.Urgency = "urgent"
			}
			for try := 0; t.Title == "" || titles[t.Title]; try++ {
				if try == 500 {
					return fmt.Errorf("%s: too few different titles", core.T)
				}
				c := pick(g, fitting)
				t.Street = c.Street
				o := owners[c.Key]
				t.Requester = Requester{Name: c.LegalPerson, Phone: c.Phone, Company: c.Key, Owner: o.Key}
				if o.Key != "" {
					t.Requester.Phone = o.Phone
				}
				name := c.Name[strings.Index(c.Name, Mark)+len(Mark):]
				if g.chance(10) && o.Key == "" {
					t.Requester = Requester{Name: g.person(), Phone: phone(10, n)}
					name = "小店"
				}
				fill := strings.NewReplacer("{company}", name, "{street}", streets[c.Street], "{n}", fmt.Sprint(g.between(3, 48)),
					"{date}", fmt.Sprintf("%d月%d日", g.between(1, 12), g.between(1, 28)),
					"{road}", strings.TrimPrefix(c.Address[:strings.Index(c.Address, "号")+len("号")], "北京市通州区"))
				t.Title = Mark + fill.Replace(g.spin(core.T))
				t.Body = fill.Replace(g.spin(core.B)) + pick(g, s.BodyEnd[nature[core.Ty]])
			}
			titles[t.Title] = true

			finished := map[string]bool{"closed": true, "archived": true, "declined": true, "answered": true, "reopened": true, "merged": true, "voided": true}[state]
			age := g.between(1, 4)
			if finished {
				age = g.between(8, 150)
			} else if state == "replied" || state == "reviewed" || state == "callback" || state == "suspended" {
				age = g.between(3, 9)
			}
			if t.Urgency != "normal" && !finished {
				age = 1 // what is urgent does not lie about for days
			}
			t.OpenedAt = g.workHour(age)
			department := core.D
			if local[core.Ty] && g.chance(50) {
				department = "TZ-" + t.Street[6:]
			}
			if state == "merged" {
				t.OpenedAt = g.merged(first)
			}
			g.story(&t, s, core, department, departments[department], first)
			g.spread(&t, finished)
			t.Fields = filled(forms[t.Type], &t, n)
			if v == 0 {
				first = t.Key
			}
			g.w.Tickets = append(g.w.Tickets, t)
		}
	}
	g.w.Walk.Handler, g.w.Walk.Agent = "handler-sw", "agent01"
	return g.surge(registered, titles)
}

// surge makes what companies of one street call about within the last hour. It draws no numbers, so that the rest of the world
// stays as it is.
func (g *generator) surge(registered []Company, titles map[string]bool) error {
	var cut struct {
		Ty, Street string
		Fields     map[string][]string
		Calls      []struct {
			Ago  int
			T, B string
		}
	}
	if err := load("surge.yaml", &cut); err != nil {
		return err
	}
	var near []Company
	for _, c := range registered {
		if c.Street == cut.Street {
			near = append(near, c)
		}
	}
	if len(near) == 0 {
		return fmt.Errorf("surge.yaml: no company in %s", cut.Street)
	}
	for i, call := range cut.Calls {
		c := near[i%len(near)]
		n := len(g.w.Tickets) + 1
		title := Mark + strings.ReplaceAll(call.T, "{company}", c.Name[strings.Index(c.Name, Mark)+len(Mark):])
		if titles[title] {
			return fmt.Errorf("surge.yaml: %q is there twice", title)
		}
		titles[title] = true
		t := Ticket{
			Key: fmt.Sprintf("ticket-%03d", n), Title: title, Body: call.B, Type: cut.Ty, Urgency: "urgent", State: "received", Channel: "phone",
			Agent: fmt.Sprintf("agent%02d", i%6+1), Requester: Requester{Name: c.LegalPerson, Phone: c.Phone, Company: c.Key}, Street: c.Street,
			OpenedAt: g.ref.Add(-time.Duration(call.Ago) * time.Minute), Fields: maps.Clone(cut.Fields),
		}
		t.Fields["since"] = []string{t.OpenedAt.In(clock.Beijing).Format(time.DateOnly)}
		g.w.Tickets = append(g.w.Tickets, t)
	}
	return nil
}

func fits(industry string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(industry, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

// merged returns a moment soon after the ticket it is merged into was opened.
func (g *generator) merged(key string) time.Time {
	for _, t := range g.w.Tickets {
		if t.Key == key {
			return t.OpenedAt.Add(time.Duration(g.between(20, 90)) * time.Minute)
		}
	}
	return g.workHour(3)
}

// story writes the steps that bring the ticket to its state.
func (g *generator) story(t *Ticket, s shared, core ticketCore, department, departmentName, first string) {
	handler := "handler-" + strings.ToLower(strings.TrimPrefix(department, "TZ-"))
	leader := "leader-" + strings.ToLower(strings.TrimPrefix(department, "TZ-"))
	callback := fmt.Sprintf("callback%02d", g.between(1, 2))
	step := func(st Step) { t.Steps = append(t.Steps, st) }

	switch t.State {
	case "received":
		return
	case "declined":
		step(Step{Kind: "decline", By: t.Agent, Text: pick(g, s.Decline)})
		return
	case "answered":
		step(Step{Kind: "answer", By: t.Agent, Text: core.A})
		return
	case "voided":
		step(Step{Kind: "void", By: "lead01", Text: pick(g, s.Void)})
		return
	case "merged":
		step(Step{Kind: "merge", By: t.Agent, Text: pick(g, s.Merge), Target: first})
		return
	}
	if t.State == "closed" && directTypes[core.Ty] && g.chance(60) {
		step(Step{Kind: "answer", By: t.Agent, Text: core.A})
		step(Step{Kind: "close", By: t.Agent, Text: "企业当场确认已经了解，直接办结。"})
		return
	}
	if g.chance(25) {
		step(Step{Kind: "note", By: t.Agent, Text: pick(g, s.Note)})
	}
	dispatcher := t.Agent
	if g.chance(40) {
		dispatcher = "dispatcher01"
	}
	step(Step{Kind: "dispatch", By: dispatcher, Department: department,
		Text: strings.ReplaceAll(pick(g, s.Dispatch), "{dept}", strings.TrimSuffix(departmentName, Mark))})
	if t.State == "dispatched" {
		return
	}
	step(Step{Kind: "sign", By: handler, Text: pick(g, s.Sign)})
	if t.State == "signed" {
		return
	}
	if g.chance(12) {
		step(Step{Kind: "return_request", By: handler, Text: pick(g, s.Return)})
		step(Step{Kind: "return_refuse", By: "lead01", Text: pick(g, s.ReturnRefuse)})
	}
	step(Step{Kind: "start", By: handler, Text: pick(g, s.Start)})
	if t.Urgency == "normal" && g.chance(12) {
		step(Step{Kind: "extension_request", By: handler, Text: pick(g, s.Extension), Days: g.between(3, 5)})
		step(Step{Kind: "extension_approve", By: leader, Text: "情况属实，同意延长并告知企业。"})
	}
	if g.chance(10) {
		step(Step{Kind: "urge", By: t.Agent, Text: pick(g, s.Urge)})
	}
	switch t.State {
	case "handling":
		return
	case "suspended":
		step(Step{Kind: "suspend", By: handler, Text: pick(g, s.Suspend)})
		return
	}
	step(Step{Kind: "reply", By: handler, Text: core.A})
	if t.State == "replied" {
		return
	}
	step(Step{Kind: "review", By: "lead01", Text: pick(g, s.Review)})
	if t.State == "reviewed" {
		return
	}
	step(Step{Kind: "callback_open", By: callback, Text: "转入回访队列。"})
	if t.State == "callback" {
		if g.chance(50) {
			step(Step{Kind: "callback", By: callback, Text: "首次拨打无人接听，稍后再联系。", Outcome: "unreached"})
		}
		return
	}
	if t.State == "reopened" {
		step(Step{Kind: "callback", By: callback, Text: pick(g, s.Unsatisfied), Outcome: "reached", Rating: g.between(1, 2)})
		step(Step{Kind: "reopen", By: callback, Text: pick(g, s.Reopen)})
		return
	}
	switch {
	case g.chance(8):
		step(Step{Kind: "callback", By: callback, Text: "诉求人不便接受回访，未作评价。", Outcome: "refused"})
	case g.chance(4):
		step(Step{Kind: "callback", By: callback, Text: "号码有误，已通过站内信发送办理结果。", Outcome: "wrong_number"})
	case g.chance(20):
		step(Step{Kind: "callback", By: callback, Text: pick(g, s.Neutral), Outcome: "reached", Solved: true, Rating: g.between(3, 4)})
	default:
		step(Step{Kind: "callback", By: callback, Text: pick(g, s.Satisfied), Outcome: "reached", Solved: true, Rating: g.between(4, 5)})
	}
	step(Step{Kind: "close", By: callback, Text: "回访完成，予以办结。"})
	if t.State == "archived" {
		step(Step{Kind: "archive", By: "lead01", Text: "材料齐全，归档保存。"})
	}
}

// spread gives the steps their times: in order, within office hours where that is possible, and never after the
// reference time.
func (g *generator) spread(t *Ticket, finished bool) {
	n := len(t.Steps)
	if n == 0 {
		return
	}
	// How many numbers this draws depends on the hour, so it has a source of its own: the rest of the world must not.
	// #nosec G404 -- the demo must come out the same each time
	g = &generator{ref: g.ref, rand: rand.New(rand.NewPCG(110112, uint64(len(g.w.Tickets))))}
	span := g.ref.Sub(t.OpenedAt) * 9 / 10
	if finished {
		span = min(span, time.Duration(g.between(26, 160))*time.Hour)
	}
	if t.Urgency == "urgent" {
		span = min(span, time.Duration(g.between(6, 30))*time.Hour)
	}
	if t.State == "merged" || t.State == "answered" || n == 2 && t.Steps[0].Kind == "answer" || t.Urgency == "emergency" {
		span = min(span, time.Duration(g.between(20, 110))*time.Minute)
	}
	previous := t.OpenedAt
	for i := range t.Steps {
		at := t.OpenedAt.Add(span * time.Duration(i+1) / time.Duration(n)).Truncate(time.Minute)
		// 9:00 to 18:00 in Beijing is 1:00 to 10:00 UTC.
		if h := at.Hour(); span > 4*time.Hour && (h < 1 || h >= 10) {
			at = time.Date(at.Year(), at.Month(), at.Day(), g.between(1, 9), at.Minute(), 0, 0, time.UTC)
		}
		if !at.After(previous) {
			at = previous.Add(7 * time.Minute)
		}
		t.Steps[i].At = at
		previous = at
	}
	// Snapping to office hours can run past the reference time; then the steps share what is left.
	if previous.After(g.ref) {
		left := g.ref.Sub(t.OpenedAt)
		for i := range t.Steps {
			t.Steps[i].At = t.OpenedAt.Add(left * time.Duration(i+1) / time.Duration(n+1))
		}
	}
}

// spin resolves each [a|b|c] of a text to one of its choices.
func (g *generator) spin(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		choices, after, _ := strings.Cut(rest, "]")
		b.WriteString(pick(g, strings.Split(choices, "|")))
		text = after
	}
}
