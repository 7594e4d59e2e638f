// Package volume tells a district of any size: companies, and years of tickets and applications with the lives they had. It
// is for measuring and for trying the platform at size; seed/demo is the small district that is shown to people.
//
// It knows no module and keeps nothing: it hands out one product, company, ticket or application after the other, tickets and
// applications in the order of time. The same Options give the same district. Everything invented carries demo.Mark in the
// company's name, credit codes are of the demo block, and phones begin with 1990 to 1999.
package volume

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Version changes whenever the same Options give another district, for whoever keeps one.
const Version = 2

// Options is how large the district is.
type Options struct {
	Enterprises, Tickets, Applications int
	// Offerings is how many products the institutions offer beside Products. Institutions has the number of each one's
	// operators; Reviewers and Officials are how many people pass products for the platform and for the government.
	Offerings            int
	Institutions         []int
	Reviewers, Officials int
	// Seed makes another district of the same size.
	Seed uint64
	// Until is when the story ends; what would happen later has not happened yet.
	Until time.Time
	// Units are the codes of the departments that handle tickets, Agents how many people sit at the desk.
	Units    []string
	Agents   int
	Products []Product
}

// Product is one that is offered, with how many people handle its applications. The limits are those of money; zero is none.
type Product struct {
	Operators            int
	Lends                bool
	AmountMin, AmountMax int64 // fen
	TermMin, TermMax     int   // months
}

// years is how long the history is.
const years = 3

// Start is when the first ticket came in. The companies came in the half year before.
func (o Options) Start() time.Time { return o.Until.AddDate(-years, 0, 0) }

// Step is one thing that happened to a ticket or application, by the names of the modules' actions.
type Step struct {
	Action string
	At     time.Time
	Text   string
	Actor  int    // which agent, or which operator
	Unit   string // of a dispatch, and of who signs and replies
	// Contacted, Solved and Satisfied are what a call-back found; Called says that there was one.
	Called, Contacted, Solved, Satisfied bool
	Rating                               int
	Amount                               int64 // fen
	Rate, Term                           int
}

// Ticket is one request and its life.
type Ticket struct {
	At      time.Time
	Type    string
	Title   string
	Body    string
	Channel string // h5, portal, agent
	Company int    // index; -1 for a caller whose company is not known
	Name    string // of a caller
	Phone   string // of a caller
	Agent   int    // who wrote it down
	Steps   []Step
}

// Application is one application for a product and its life.
type Application struct {
	At      time.Time
	Company int
	Product int
	Source  string
	Amount  int64 // fen
	Term    int   // months
	Purpose string
	Steps   []Step
}

// Generator hands the district out.
type Generator struct {
	o         Options
	rand      *rand.Rand
	streets   []street
	open      map[[2]int]time.Time // (company, product) with an application → when it ends
	verified  []bool
	tickets   days
	applied   days
	ticket    *Ticket
	applying  *Application
	matters   []matter
	companies int
	offered   int
}

// New prepares a district. It returns an error when Options name nobody who could do the work.
func New(o Options) (*Generator, error) {
	if o.Enterprises < 1 || len(o.Units) == 0 || o.Agents < 1 || o.Applications > 0 && len(o.Products)+o.Offerings == 0 ||
		o.Offerings > 0 && (len(o.Institutions) == 0 || slices.Min(o.Institutions) < 1 || o.Reviewers < 1 || o.Officials < 1) {
		return nil, fmt.Errorf("volume: %d companies, %d units, %d agents, %d products and %d institutions cannot make a district", o.Enterprises, len(o.Units), o.Agents, len(o.Products), len(o.Institutions))
	}
	// #nosec G404 -- the district must come out the same each time
	g := &Generator{o: o, rand: rand.New(rand.NewPCG(o.Seed, 20261128)), open: map[[2]int]time.Time{}, matters: matters(o.Units)}
	var err error
	if g.streets, err = streets(); err != nil {
		return nil, err
	}
	g.tickets = spread(o.Tickets, o.Start(), o.Until)
	g.applied = spread(o.Applications, o.Start(), o.Until)
	return g, nil
}

func (g *Generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

func pick[T any](g *Generator, list []T) T { return list[g.rand.IntN(len(list))] }

func (g *Generator) between(lo, hi int) int { return lo + g.rand.IntN(hi-lo+1) }

// days deals a number of happenings over the days of the history: working days have most, weekends a fifth, and each year
// has more than the one before.
type days struct {
	counts []int
	at     int
	start  time.Time
	today  []time.Time
}

func spread(n int, from, to time.Time) days {
	d := days{start: from}
	total := 0.0
	var weights []float64
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		w := 1 + 0.5*day.Sub(from).Hours()/to.Sub(from).Hours()
		switch day.Weekday() {
		case time.Saturday, time.Sunday:
			w *= 0.2
		case time.Monday:
			w *= 1.2
		}
		weights = append(weights, w)
		total += w
	}
	given, sum := 0, 0.0
	for _, w := range weights {
		sum += w
		upTo := int(float64(n)*sum/total + 0.5)
		d.counts = append(d.counts, upTo-given)
		given = upTo
	}
	return d
}

// hours is how busy each hour of the day in Beijing is.
var hours = [24]int{2, 1, 1, 1, 1, 2, 4, 12, 38, 80, 92, 70, 30, 44, 78, 82, 66, 48, 24, 16, 12, 9, 6, 3}

// next returns the next moment, false when there is none.
func (d *days) next(g *Generator) (time.Time, bool) {
	for len(d.today) == 0 {
		if d.at == len(d.counts) {
			return time.Time{}, false
		}
		day := d.start.AddDate(0, 0, d.at)
		for range d.counts[d.at] {
			// The history's days begin at midnight in Beijing.
			d.today = append(d.today, day.Add(time.Duration(g.weighted(hours[:]))*time.Hour+time.Duration(g.rand.IntN(3_600_000))*time.Millisecond))
		}
		slices.SortFunc(d.today, time.Time.Compare)
		d.at++
	}
	at := d.today[0]
	d.today = d.today[1:]
	return at, true
}

// weighted picks an index by its weight.
func (g *Generator) weighted(weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	n := g.rand.IntN(total)
	for i, w := range weights {
		if n < w {
			return i
		}
		n -= w
	}
	return 0
}

// company picks one: a few ask again and again, most seldom.
func (g *Generator) company() int {
	x := g.rand.Float64()
	return int(x * x * x * float64(g.companies))
}

// Next returns what comes next in time, a ticket or an application, and false at the end. All products and companies are
// handed out before.
func (g *Generator) Next() (*Ticket, *Application, bool) {
	if g.ticket == nil {
		if at, ok := g.tickets.next(g); ok {
			g.ticket = g.tell(at)
		}
	}
	for g.applying == nil {
		at, ok := g.applied.next(g)
		if !ok {
			break
		}
		g.applying = g.apply(at) // nil when the company has one open already
	}
	t, a := g.ticket, g.applying
	switch {
	case t == nil && a == nil:
		return nil, nil, false
	case a == nil || t != nil && !a.At.Before(t.At):
		g.ticket = nil
		return t, nil, true
	}
	g.applying = nil
	return nil, a, true
}

// later returns a moment between lo and hi after at. What falls into the night waits until the morning, and four of five
// things that fall on a weekend wait until Monday.
func (g *Generator) later(at time.Time, lo, hi time.Duration) time.Time {
	const beijing = 8 * time.Hour
	t := at.Add(lo + time.Duration(g.rand.Int64N(int64(hi-lo)))).Add(beijing)
	morning := func(days int) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day()+days, 8, 30, 0, 0, time.UTC).Add(time.Duration(g.rand.Int64N(int64(3 * time.Hour))))
	}
	if w := t.Weekday(); (w == time.Saturday || w == time.Sunday) && g.chance(80) {
		t = morning(int(8-w) % 7)
	} else if t.Hour() >= 20 {
		t = morning(1)
	} else if t.Hour() < 8 {
		t = morning(0)
	}
	return t.Add(-beijing).Truncate(time.Millisecond)
}
