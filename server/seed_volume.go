package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/appraisal"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/bulk"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/worktime"
	"github.com/huiqi/huiqi/seed/volume"
)

// Size is how much huiqi seed adds to the demo district.
type Size struct {
	Enterprises  int    `help:"Add so many companies with their people (at least 1 with tickets or applications)."`
	Tickets      int    `help:"Add so many tickets with the lives they had in three years."`
	Applications int    `help:"Add about so many applications for the products of the district."`
	Products     int    `help:"Add so many products of the demo's institutions, listed."`
	Seed         uint64 `help:"Another number gives another district of the same size." default:"1"`
}

// none reports whether nothing is added.
func (s Size) none() bool { return s.Enterprises+s.Tickets+s.Applications+s.Products == 0 }

// people is who works in the loaded history, and what is applied for.
type people struct {
	agents    []access.Actor
	units     map[string]access.Actor // by the department's code: who signs and replies
	codes     []string                // the departments in the order of the tree
	where     map[string]ticket.UnitInfo
	offers    []application.Offer
	operators map[int64][]access.Actor // by institution

	providers []catalog.Provider // the institutions with operators, in the order of their ids
	reviewers []access.Actor     // who passes products for the platform
	officials []access.Actor     // and for the government
}

// requester is one of the loaded companies as tickets and applications need it.
type requester struct {
	name  string
	by    access.Actor
	phone string
}

// telling joins a generator to the tellers of the modules.
type telling struct {
	people
	rand  *rand.Rand
	load  *bulk.Load
	known []requester

	persons      *identity.Teller
	companies    *enterprise.Teller
	tickets      *ticket.Teller
	applications *application.Teller
	products     *catalog.Teller
}

// loadVolume adds products, companies, tickets and applications to the demo district, with the rows that the services would have left.
// Nobody is told of it: the listeners go on behind it. out is told how far it is.
func (h *house) loadVolume(ctx context.Context, size Size, out io.Writer) error {
	if size.Enterprises < 0 || size.Tickets < 0 || size.Applications < 0 || size.Products < 0 || size.Enterprises == 0 {
		return configErrorf("--enterprises、--tickets、--applications、--products 应为数字，且至少要有一家企业，例如 --enterprises 100")
	}
	if err := bulk.Unfinished(ctx, h.db); err != nil {
		return configErrorf("%v", err)
	}
	if err := h.noVolumeYet(ctx); err != nil {
		return err
	}
	// Rows live a moment: collecting less often is a sixth of the processor's work saved, for a few hundred megabytes.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	d := &telling{}
	if err := d.find(ctx, h); err != nil {
		return err
	}
	g, err := d.history(h, size)
	if err != nil {
		return err
	}
	if err := errors.Join(h.feed.Skip(ctx), h.sealer.Seal(ctx)); err != nil {
		return err
	}
	if d.persons, err = h.identity.Teller(ctx); err != nil {
		return err
	}
	if d.tickets, err = h.tickets.Teller(ctx); err != nil {
		return err
	}
	if d.applications, err = h.applications.Teller(ctx); err != nil {
		return err
	}
	if d.load, err = bulk.Begin(ctx, h.db, slices.Concat(identity.LoadTables, enterprise.LoadTables, ticket.LoadTables, appraisal.LoadTables, application.LoadTables, catalog.LoadTables)...); err != nil {
		return err
	}
	d.persons.Use(d.load)
	d.companies = enterprise.NewTeller(d.load)
	d.tickets.Use(d.load)
	cases := appraisal.NewTeller(d.load)
	d.tickets.Told = func(id int64, facts []event.Event, spans []ticket.UnitSpan) error {
		return cases.Tell(id, facts, appraised(spans))
	}
	d.applications.Use(d.load)
	d.products = catalog.NewTeller(d.load)
	progress := newProgress(out, size, d.load)
	if err := d.tell(ctx, h, g, size, progress); err != nil {
		d.load.Abandon()
		return err
	}
	if err := d.load.Finish(ctx, progress.say); err != nil {
		return err
	}
	progress.end()
	if err := h.feed.Skip(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, "正在封存审计日志")
	h.sealer.Batch = 5000
	if err := h.sealer.Seal(ctx); err != nil {
		return err
	}
	for _, s := range []search.Source{enterprise.SearchSource(), ticket.SearchSource(), application.SearchSource(), catalog.SearchSource()} {
		fmt.Fprintf(out, "正在建立全文索引：%s\n", s.Kind)
		if err := search.Fill(ctx, h.db, s); err != nil {
			return err
		}
	}
	return nil
}

// history prepares the story that is told: it ends at midnight.
func (d *telling) history(h *house, size Size) (*volume.Generator, error) {
	// #nosec G404 -- addresses and trace ids of an invented history, the same each time
	d.rand = rand.New(rand.NewPCG(size.Seed, 7))
	today := h.clock.Now().In(clock.Beijing)
	o := volume.Options{Enterprises: size.Enterprises, Tickets: size.Tickets, Applications: size.Applications, Seed: size.Seed,
		Until: time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, clock.Beijing).UTC(), Units: d.codes, Agents: len(d.agents),
		Offerings: size.Products, Reviewers: len(d.reviewers), Officials: len(d.officials)}
	for _, p := range d.providers {
		o.Institutions = append(o.Institutions, len(d.operators[p.ID]))
	}
	for _, p := range d.offers {
		o.Products = append(o.Products, volume.Product{Operators: len(d.operators[p.InstitutionID]), Lends: p.Lends,
			AmountMin: p.AmountMin, AmountMax: p.AmountMax, TermMin: p.TermMin, TermMax: p.TermMax})
	}
	return volume.New(o)
}

// volumeMark stands in the audit log once a district was enlarged: its codes and phones begin at one and cannot come twice.
const volumeMark = "demo.enlarged"

func (h *house) noVolumeYet(ctx context.Context) error {
	done, err := h.db.Read().NewSelect().Model((*audit.Entry)(nil)).Where("action = ?", volumeMark).Exists(ctx)
	if err == nil && done {
		return configErrorf("本区数据此前已扩充过；要换规模，请改用新的数据目录或数据库")
	}
	return err
}

// find learns who works in the district.
func (d *telling) find(ctx context.Context, h *house) error {
	system := access.SystemActor("seed")
	var ids []int64
	if err := h.db.Read().NewRaw("SELECT id FROM users WHERE party IN ('platform', 'government', 'institution') AND disabled_at IS NULL ORDER BY id").Scan(ctx, &ids); err != nil {
		return err
	}
	tree, err := h.identity.Departments(ctx, h.db.Read())
	if err != nil {
		return err
	}
	var departments []struct {
		ID   int64
		Code string
	}
	if err := h.db.Read().NewRaw("SELECT id, code FROM departments ORDER BY id").Scan(ctx, &departments); err != nil {
		return err
	}
	d.units, d.where, d.operators = map[string]access.Actor{}, map[string]ticket.UnitInfo{}, map[int64][]access.Actor{}
	at := map[int64]access.Actor{}
	for _, id := range ids {
		a, err := h.identity.ActorOf(ctx, system, id)
		if err != nil {
			return err
		}
		if a.Party == access.Platform && a.Can(catalog.PermReviewPlatform) {
			d.reviewers = append(d.reviewers, a)
		}
		if a.Party == access.Government && a.Can(catalog.PermReviewGovernment) {
			d.officials = append(d.officials, a)
		}
		switch {
		case a.Party == access.Platform && a.Can(ticket.PermOpen) && a.Can(ticket.PermClose):
			d.agents = append(d.agents, a)
		case a.Party == access.Government && a.Can(ticket.PermReply) && at[a.DepartmentID].UserID == 0:
			at[a.DepartmentID] = a
		case a.Party == access.Institution && a.Can(application.PermHandle):
			d.operators[a.InstitutionID] = append(d.operators[a.InstitutionID], a)
		}
	}
	for _, u := range departments {
		if a, ok := at[u.ID]; ok {
			d.codes = append(d.codes, u.Code)
			d.units[u.Code] = a
			for _, info := range tree {
				if info.ID == u.ID {
					d.where[u.Code] = ticket.UnitInfo(info)
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.operators)) {
		p, err := (providers{h.institutions}).Institution(ctx, h.db.Read(), id)
		if err != nil {
			return err
		}
		if p.Active {
			d.providers = append(d.providers, p)
		}
	}
	var products []int64
	if err := h.db.Read().NewRaw("SELECT id FROM products ORDER BY id").Scan(ctx, &products); err != nil {
		return err
	}
	for _, id := range products {
		o, err := (offers{h.catalog}).Offer(ctx, h.db.Read(), id)
		if fault.KindOf(err) == fault.NotFound {
			continue
		} else if err != nil {
			return err
		}
		if len(d.operators[o.InstitutionID]) > 0 {
			d.offers = append(d.offers, o)
		}
	}
	return nil
}

// tell hands everything over: the products, the companies, then tickets and applications in the order of time.
func (d *telling) tell(ctx context.Context, h *house, g *volume.Generator, size Size, p *progress) error {
	for range size.Products {
		if err := d.product(g.Offering()); err != nil {
			return err
		}
		p.tick()
	}
	for range size.Enterprises {
		if err := d.company(h, g.Company()); err != nil {
			return err
		}
		p.tick()
	}
	for ctx.Err() == nil {
		t, a, ok := g.Next()
		if !ok {
			break
		}
		var err error
		if t != nil {
			if err = d.load.Until(t.At); err == nil {
				err = d.tickets.Tell(d.ticket(t))
			}
		} else if err = d.load.Until(a.At); err == nil {
			err = d.applications.Tell(d.application(a))
		}
		if err != nil {
			return err
		}
		p.tick()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.tickets.Finish(); err != nil {
		return err
	}
	if err := d.applications.Finish(); err != nil {
		return err
	}
	return d.load.Tell(access.SystemActor("seed"), h.clock.Now(), 0, nil, audit.Record{Action: volumeMark, Object: "demo", Summary: "扩充演示区数据", Detail: size})
}

// product tells one that was offered, and has applications know it.
func (d *telling) product(o volume.Offering) error {
	if err := d.load.Until(o.At); err != nil {
		return err
	}
	offer, err := d.products.Tell(d.offering(o))
	d.offers = append(d.offers, taken(offer))
	return err
}

func (d *telling) offering(o volume.Offering) catalog.Story {
	p := d.providers[o.Institution]
	return catalog.Story{Provider: p, At: o.At, Submitted: o.Submitted, Passed: o.Passed, Listed: o.Listed,
		By: d.on(d.operators[p.ID][o.Operator]), Reviewer: d.on(d.reviewers[o.Reviewer]), Government: d.on(d.officials[o.Official]),
		Content: catalog.Content{Name: o.Name, Kind: o.Kind, FinancingKind: o.FinancingKind, Summary: o.Summary, Description: o.Description, Target: o.Target,
			RateMin: o.RateMin, RateMax: o.RateMax, AmountMin: o.AmountMin, AmountMax: o.AmountMax, TermMin: o.TermMin, TermMax: o.TermMax,
			Guarantees: o.Guarantees, Cost: o.Cost, PriceText: o.PriceText, Duration: o.Duration, Venues: o.Venues, Deliverables: o.Deliverables,
			Conditions: o.Conditions, Materials: o.Materials, Steps: o.Steps, Days: o.Days}}
}

func (d *telling) company(h *house, c volume.Company) error {
	if err := d.load.Until(c.At); err != nil {
		return err
	}
	system := access.SystemActor("seed")
	id := d.companies.NextID()
	var members []int64
	for _, p := range c.People {
		user, err := d.persons.Owner(system, c.At, identity.Owner{Name: p.Name, Phone: p.Phone, EnterpriseID: id})
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		members = append(members, user)
	}
	d.known = append(d.known, requester{name: c.Name, phone: c.People[0].Phone,
		by: access.Actor{UserID: members[0], Name: c.People[0].Name, Party: access.Enterprise, EnterpriseID: id}})
	return d.companies.Tell(system, id, known(c, members))
}

// known is the company as the register and the offices know it.
func known(c volume.Company, members []int64) enterprise.Known {
	k := enterprise.Known{Claim: enterprise.Claim{Name: c.Name, CreditCode: c.CreditCode, LegalPerson: c.LegalPerson}, Verified: c.Verified, At: c.At, Members: members}
	if !c.Verified {
		return k
	}
	add := func(field string, value any, source enterprise.Source) {
		k.Facts = append(k.Facts, enterprise.NewFact(field, value, source, c.At))
	}
	add("status", "存续", enterprise.FromRegistry)
	add("established", c.Established, enterprise.FromRegistry)
	add("capital", c.Capital, enterprise.FromRegistry)
	add("industry", c.Industry, enterprise.FromRegistry)
	add("region", c.Street, enterprise.FromRegistry)
	add("address", c.Address, enterprise.FromRegistry)
	add("scope", c.Scope, enterprise.FromRegistry)
	add("employees", c.Employees, enterprise.FromSocial)
	add("revenue", c.Revenue, enterprise.FromTax)
	add("assets", c.Assets, enterprise.FromTax)
	if c.Research > 0 {
		add("rdSpend", c.Research, enterprise.FromTax)
	}
	add("insured", c.Insured, enterprise.FromSocial)
	add("liabilities", c.Liabilities, enterprise.FromTax)
	add("loans", c.Loans, enterprise.FromCredit)
	add("taxGrade", c.TaxGrade, enterprise.FromTax)
	add("patents", c.Patents, enterprise.FromBureau)
	add("inventions", c.Inventions, enterprise.FromBureau)
	k.Facts = append(k.Facts, enterprise.NewFact("revenue", c.LastRevenue, enterprise.FromTax, c.At.AddDate(-1, 0, 0)))
	penalties := []enterprise.Holding{}
	if c.Fined != "" {
		penalties = append(penalties, enterprise.Holding{Code: "fine", From: c.Fined})
	}
	add("penalties", penalties, enterprise.FromCredit)
	var held []enterprise.Holding
	for _, q := range c.Qualifications {
		held = append(held, enterprise.Holding{Code: q, From: c.Established})
	}
	if held != nil {
		add("qualification", held, enterprise.FromBureau)
	}
	return k
}

// on gives the actor the traces of a request.
func (d *telling) on(a access.Actor) access.Actor {
	a.TraceID = fmt.Sprintf("%016x%016x", d.rand.Uint64(), d.rand.Uint64())
	a.IP = fmt.Sprintf("198.51.100.%d", d.rand.IntN(256))
	return a
}

func (d *telling) ticket(t *volume.Ticket) ticket.Story {
	s := ticket.Story{At: t.At, Open: ticket.OpenTicket{Type: t.Type, Title: t.Title, Body: t.Body, ContactName: t.Name, Phone: t.Phone, Source: ticket.Source(t.Channel)}}
	var asks access.Actor
	if t.Company >= 0 {
		c := d.known[t.Company]
		asks = c.by
		s.Open.EnterpriseName = c.name
		if t.Channel == string(ticket.FromAgent) {
			s.Open.EnterpriseID = asks.EnterpriseID
		} else {
			s.Open.ContactName, s.Open.Phone = asks.Name, c.phone
		}
	}
	if s.By = asks; t.Channel == string(ticket.FromAgent) {
		s.By = d.agents[t.Agent]
	}
	s.By = d.on(s.By)
	for _, step := range t.Steps {
		o := ticket.StoryStep{Action: ticket.Action(step.Action), At: step.At, Text: step.Text, Rating: step.Rating, Unit: d.where[step.Unit]}
		switch o.Action {
		case ticket.ToSign, ticket.ToReply:
			o.By = d.units[step.Unit]
		case ticket.ToRate:
			o.By = asks
		default:
			o.By = d.agents[step.Actor]
		}
		o.By = d.on(o.By)
		if step.Called {
			o.Outcome = &ticket.Outcome{Contacted: step.Contacted, Solved: step.Solved, Satisfied: step.Satisfied}
		}
		s.Steps = append(s.Steps, o)
	}
	return s
}

func (d *telling) application(a *volume.Application) application.Story {
	c := d.known[a.Company]
	offer := d.offers[a.Product]
	s := application.Story{At: a.At, By: d.on(c.by), Offer: offer, Company: c.name, Submit: application.Submit{ProductID: offer.ID, Amount: a.Amount, Term: a.Term,
		Purpose: a.Purpose, ContactName: c.by.Name, Phone: c.phone, Source: application.Source(a.Source)}}
	for _, step := range a.Steps {
		o := application.StoryStep{Action: application.Action(step.Action), At: step.At, Text: step.Text, By: d.operators[offer.InstitutionID][step.Actor], Amount: step.Amount}
		switch o.Action {
		case application.ToApprove:
			o.Loan = application.Loan{Amount: step.Amount, Rate: step.Rate, Term: step.Term}
		case application.ToPlan:
			o.Text, o.Plan = "", []application.PlanStep{{Title: step.Text, Deliverable: "服务成果文件", Day: (worktime.DayOf(step.At) + 20).String()}}
		case application.ToInvestigate:
			o.Text, o.Diligence = "", application.Investigate{Day: worktime.DayOf(step.At).String(), Way: application.OnSite, People: o.By.Name + "等 2 人", Findings: step.Text}
		case application.ToWithdraw, application.ToSupplement, application.ToConfirm:
			o.By = c.by
		}
		o.By = d.on(o.By)
		s.Steps = append(s.Steps, o)
	}
	return s
}

// progress writes one line that changes, at most twice a second.
type progress struct {
	out      io.Writer
	load     *bulk.Load
	total, n int
	began    time.Time
	last     time.Time
}

func newProgress(out io.Writer, s Size, l *bulk.Load) *progress {
	return &progress{out: out, load: l, total: s.Enterprises + s.Tickets + s.Applications + s.Products, began: time.Now()}
}

func (p *progress) tick() {
	p.n++
	if p.n%256 != 0 {
		return
	}
	p.say(fmt.Sprintf("%d of about %d, %d rows", p.n, p.total, p.load.Count()))
}

func (p *progress) say(what string) {
	if time.Since(p.last) < 500*time.Millisecond {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.out, "\r%6.1f s  %-60s", time.Since(p.began).Seconds(), what)
}

func (p *progress) end() {
	p.last = time.Time{}
	p.say(fmt.Sprintf("%d rows are in the database", p.load.Count()))
	fmt.Fprintln(p.out)
}
