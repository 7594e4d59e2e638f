package catalog

import (
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/bulk"
)

// Story is how one product came on the public list: written, sent to review, passed by two people. A bulk load tells it.
type Story struct {
	Provider                      Provider
	Content                       Content
	By, Reviewer, Government      access.Actor
	At, Submitted, Passed, Listed time.Time
}

// LoadTables are the tables that a Teller writes.
var LoadTables = []string{"products", "product_editions"}

// Teller turns stories into rows, as the commands would have left them at the time. Whether the actors had the right is not
// asked: who loads is the operator. The full text is filled behind the load, from SearchSource.
type Teller struct{ load *bulk.Load }

// NewTeller makes the teller of a load.
func NewTeller(l *bulk.Load) *Teller { return &Teller{l} }

// Tell writes one story and returns what applications take over from the product.
func (t *Teller) Tell(s Story) (Offer, error) {
	c, err := s.Content.clean()
	if err != nil {
		return Offer{}, err
	}
	d := begun(s.At, s.Provider, c)
	d.ID = t.load.NextID("products")
	d.newest.ProductID = d.ID
	if err := t.load.Tell(s.By, s.At, 1, Drafted{d.head(d.newest)}, d.draftRecord()); err != nil {
		return Offer{}, err
	}
	steps := []struct {
		action Action
		at     time.Time
		by     access.Actor
		take   func(at time.Time, by access.Actor) (effect, error)
	}{
		{ToSubmit, s.Submitted, s.By, func(at time.Time, by access.Actor) (effect, error) {
			return d.submitted(), d.Submit(at, by, nil) // history is older than fields that are asked beside
		}},
		{ToPass, s.Passed, s.Reviewer, func(at time.Time, by access.Actor) (effect, error) {
			_, err := d.Pass(at, by)
			return d.passed(0, ""), err
		}},
		{ToPass, s.Listed, s.Government, func(at time.Time, by access.Actor) (effect, error) {
			_, err := d.Pass(at, by)
			return d.passed(0, ""), err
		}},
	}
	for i, step := range steps {
		e, err := step.take(step.at, step.by)
		if err != nil {
			return Offer{}, fmt.Errorf("%s of %s: %w", step.action, c.Name, err)
		}
		d.Version++
		if err := t.load.Tell(step.by, step.at, int64(i)+2, e.fact(d.head(e.about)), e.record(step.action, d.ID)); err != nil {
			return Offer{}, err
		}
	}
	if err := t.load.Add(d.Product); err != nil {
		return Offer{}, err
	}
	return d.offer(), t.load.Add(d.newest)
}
