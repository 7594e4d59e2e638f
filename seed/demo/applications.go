package demo

import (
	"fmt"
	"slices"
	"time"
)

// applications makes each state seven or eight times, by owners who may apply.
func (g *generator) applications() error {
	s, err := g.shared()
	if err != nil {
		return err
	}
	operators := map[string][]Operator{}
	for _, in := range g.w.Institutions {
		operators[in.Key] = in.Operators
	}
	verified := map[string]bool{}
	for _, c := range g.w.Companies {
		verified[c.Key] = c.Verified
	}
	var owners []Owner
	for _, o := range g.w.Owners {
		if verified[o.Company] {
			owners = append(owners, o)
		}
	}
	var financing, services, walk []Product
	for _, p := range g.w.Products {
		switch {
		case p.State != "listed":
		case p.Kind == "financing" && p.FinancingKind != "insurance":
			financing = append(financing, p)
			if p.Institution == g.w.Walk.Bank {
				walk = append(walk, p)
			}
		case p.Kind != "financing":
			services = append(services, p)
		}
	}
	// The oldest service has run out by now, so that nobody is in the middle of it.
	oldest := slices.MinFunc(services, func(a, b Product) int { return a.PublishedAt.Compare(b.PublishedAt) }).Key
	services = slices.DeleteFunc(services, func(p Product) bool { return p.Key == oldest })
	states := []string{"draft", "submitted", "accepted", "supplement", "declined", "withdrawn", "in_progress", "approved", "disbursed", "completed"}
	taken := map[string]bool{}
	for i := range 76 {
		state := states[i%len(states)]
		lends := state == "approved" || state == "disbursed" || state != "completed" && i%3 == 0
		var p Product
		var o Owner
		for o.Key == "" || taken[o.Company+p.Key] {
			p, o = pick(g, services), pick(g, owners)
			if lends {
				p = pick(g, financing)
				if state == "submitted" {
					p = pick(g, walk) // so that the bank of the guided tour has something waiting
				}
			}
		}
		taken[o.Company+p.Key] = true
		operator := pick(g, operators[p.Institution]).Key
		a := Application{Key: fmt.Sprintf("application-%02d", i+1), Product: p.Key, Company: o.Company, Owner: o.Key, State: state}
		a.Purpose = pick(g, s.Needs)
		if lends {
			a.Purpose = pick(g, s.Purposes)
			units := p.AmountMin/tenThousandYuan + int64(g.rand.Float64()*float64(min(p.AmountMax/tenThousandYuan, 300)-p.AmountMin/tenThousandYuan))
			a.Amount = max(units, p.AmountMin/tenThousandYuan) * tenThousandYuan
			a.Term = p.TermMin + g.between(0, (p.TermMax-p.TermMin)/6)*6
		}
		finished := state == "declined" || state == "withdrawn" || state == "disbursed" || state == "completed"
		age := g.between(2, 14)
		if finished {
			age = g.between(25, 120)
		}
		if state == "submitted" && i%4 != 1 {
			age = 1 // the others wait longer than an institution may take
		}
		a.CreatedAt = g.workHour(age)

		step := func(st ApplicationStep) { a.Steps = append(a.Steps, st) }
		if state != "draft" {
			step(ApplicationStep{Kind: "submit", By: o.Key, Text: a.Purpose})
		}
		switch state {
		case "draft", "submitted":
		case "withdrawn":
			step(ApplicationStep{Kind: "withdraw", By: o.Key, Text: pick(g, s.Withdraw)})
		case "declined":
			step(ApplicationStep{Kind: "decline", By: operator, Text: pick(g, s.Refuse)})
		default:
			step(ApplicationStep{Kind: "accept", By: operator, Text: pick(g, s.Accept)})
			if state == "supplement" || state != "accepted" && g.chance(35) {
				step(ApplicationStep{Kind: "ask_supplement", By: operator, Text: pick(g, s.AskMore)})
				if state != "supplement" {
					step(ApplicationStep{Kind: "supplement", By: o.Key, Text: pick(g, s.GiveMore)})
				}
			}
			if state == "accepted" || state == "supplement" {
				break
			}
			step(ApplicationStep{Kind: "progress", By: operator, Text: pick(g, s.Progress)})
			if state == "approved" || state == "disbursed" {
				amount := a.Amount
				if half := a.Amount / 5 * 4 / tenThousandYuan * tenThousandYuan; g.chance(40) && half >= p.AmountMin {
					amount = half
				}
				step(ApplicationStep{Kind: "approve", By: operator, Text: pick(g, s.Approve), Amount: amount, Rate: g.between(p.RateMin, p.RateMax)})
				if state == "disbursed" {
					step(ApplicationStep{Kind: "disburse", By: operator, Text: pick(g, s.Disburse), Amount: amount})
				}
			}
			if state == "completed" {
				step(ApplicationStep{Kind: "complete", By: operator, Text: pick(g, s.Complete)})
				if g.chance(75) {
					step(ApplicationStep{Kind: "rate", By: o.Key, Text: pick(g, s.Praise), Rating: g.between(3, 5)})
				}
			}
		}
		span := g.ref.Sub(a.CreatedAt) * 9 / 10
		if finished {
			span = min(span, time.Duration(g.between(4, 20))*24*time.Hour)
		}
		last := a.CreatedAt
		for k := range a.Steps {
			at := g.office(a.CreatedAt.Add(span * time.Duration(k+1) / time.Duration(len(a.Steps)+1)).Truncate(time.Minute))
			if !at.After(last) {
				at = last.Add(time.Duration(20+7*k) * time.Minute)
			}
			a.Steps[k].At, last = at, at
		}
		g.w.Applications = append(g.w.Applications, a)
	}
	return nil
}

// office moves a moment into the hours of 9 to 18 of its day in Beijing, unless that would be after the reference time.
func (g *generator) office(at time.Time) time.Time {
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, at.Minute(), 0, 0, time.UTC)
	moved := at
	switch h := at.Hour(); { // 1:00 in UTC is 9:00 in Beijing
	case h < 1:
		moved = day.Add(time.Hour)
	case h > 9:
		moved = day.Add(time.Duration(1+h%9) * time.Hour)
	}
	if moved.After(g.ref) {
		return at
	}
	return moved
}
