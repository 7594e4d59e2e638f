package criteria

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Pool holds many conditions and judges all of them for one enterprise: the other way round than Columns. What stands under
// the topmost "all" of several conditions in the same words is judged once, and a bitmap says whose it is; a judging is then
// one look at each different part and one pass over the bitmaps of those that do not hold. It comes to the same decisions as
// Evaluate, but tells false apart from near only by the number of parts that fail. It is safe for concurrent use.
type Pool struct {
	mu    sync.RWMutex
	rows  map[int64]uint32
	parts []*part
	known map[string]*part // by its words
	all   bitmap
	// ids and weight (how many parts) are by row. They only grow: what a judging holds of them stays true.
	ids    []int64
	weight []uint8
}

// part is what several conditions have in common.
type part struct {
	key   string
	node  *node
	rows  bitmap
	count int
}

// NewPool makes an empty pool.
func NewPool() *Pool {
	return &Pool{rows: map[int64]uint32{}, known: map[string]*part{}}
}

// Put keeps the condition of an id, in the place of the one that was there.
func (p *Pool) Put(id int64, c Condition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(id)
	nodes := partsOf(c.root)
	row := uint32(len(p.ids))                                                          // #nosec G115 -- a pool holds what fits into memory
	p.ids, p.weight = append(p.ids, id), append(p.weight, uint8(min(len(nodes), 255))) // #nosec G115 -- bounded
	p.rows[id] = row
	p.all.set(row)
	for _, n := range nodes {
		x := p.known[n.text]
		if x == nil {
			x = &part{key: n.text, node: n.node}
			p.known[n.text] = x
			p.parts = append(p.parts, x)
		}
		if !x.rows.has(row) {
			x.rows.set(row)
			x.count++
		}
	}
}

// Remove forgets the condition of an id.
func (p *Pool) Remove(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(id)
}

func (p *Pool) remove(id int64) {
	row, ok := p.rows[id]
	if !ok {
		return
	}
	delete(p.rows, id)
	p.all.clear(row)
	p.parts = slices.DeleteFunc(p.parts, func(x *part) bool {
		if x.rows.has(row) {
			x.rows.clear(row)
			x.count--
		}
		if x.count == 0 {
			delete(p.known, x.key)
		}
		return x.count == 0
	})
	if len(p.ids) > 2*len(p.rows)+1024 {
		p.squeeze()
	}
}

// squeeze gives the rows of what was removed back.
func (p *Pool) squeeze() {
	to := make([]int64, len(p.ids)) // the new row of an old one, -1 for none
	for i := range to {
		to[i] = -1
	}
	ids, weight := make([]int64, 0, len(p.rows)), make([]uint8, 0, len(p.rows))
	var all bitmap
	p.all.each(func(old uint32) {
		row := uint32(len(ids)) // #nosec G115 -- as above
		to[old] = int64(row)
		ids, weight = append(ids, p.ids[old]), append(weight, p.weight[old])
		p.rows[p.ids[old]] = row
		all.set(row)
	})
	for _, x := range p.parts {
		var rows bitmap
		x.rows.each(func(old uint32) {
			if to[old] >= 0 {
				rows.set(uint32(to[old])) // #nosec G115 -- a row
			}
		})
		x.rows = rows
	}
	p.ids, p.weight, p.all = ids, weight, all
}

// Len is how many conditions the pool holds, Parts how many different parts they are made of.
func (p *Pool) Len() (conditions, parts int) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.rows), len(p.parts)
}

// spelled is a part with its words.
type spelled struct {
	node *node
	text string
}

// partsOf are what stands under the topmost "all", or the whole.
func partsOf(root *node) []spelled {
	if root == nil {
		return nil
	}
	if root.kind != "all" {
		return []spelled{{root, root.words()}}
	}
	var out []spelled
	for _, n := range root.items {
		out = append(out, partsOf(n)...)
	}
	return out
}

// words spell what a node asks, without what it is called: two that ask the same have the same.
func (n *node) words() string {
	if l := n.leaf; l != nil {
		codes := slices.Sorted(slices.Values(l.codes))
		return fmt.Sprintf("%q %q %s %d %d %v %v %d %d %d %v %v %q", l.field.Name, l.of.Name, l.op, l.lo, l.hi, l.openLo, l.openHi, l.on, l.within, l.years, l.over, l.flag, codes)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d (", n.kind, n.k)
	for _, i := range n.items {
		b.WriteString(i.words() + ", ")
	}
	b.WriteByte(')')
	return b.String()
}

// Judgement is what the conditions of a pool come to for one enterprise.
type Judgement struct {
	ids                       []int64
	weight                    []uint8
	fits, open, near, farther bitmap
}

// Judge judges facts by every condition on the day at falls on in Beijing.
func (p *Pool) Judge(facts Facts, at time.Time) Judgement {
	p.mu.RLock()
	defer p.mu.RUnlock()
	n := len(p.all)
	sets := make(bitmap, 4*n)
	j := Judgement{ids: p.ids, weight: p.weight, near: sets[:n:n], farther: sets[n : 2*n : 2*n], open: sets[2*n : 3*n : 3*n], fits: sets[3*n:]}
	e := evaluator{facts: facts, day: dayOf(at)}
	for _, x := range p.parts {
		switch e.decides(x.node) {
		case True:
		case False:
			rows := x.rows[:min(len(x.rows), n)]
			near, farther := j.near[:len(rows)], j.farther[:len(rows)]
			for i, w := range rows { // what failed before fails twice now
				farther[i] |= near[i] & w
				near[i] |= w
			}
		default:
			j.open.or(x.rows)
		}
	}
	for i, w := range p.all {
		failed := j.near[i]
		j.fits[i] = w &^ failed &^ j.open[i]
		j.open[i] &^= failed
		j.near[i] = failed &^ j.farther[i]
	}
	return j
}

// Count says how many conditions hold, are open, fail in one part only, and fail in more.
func (j Judgement) Count() (fits, open, near, farther int) {
	return j.fits.count(), j.open.count(), j.near.count(), j.farther.count()
}

// Fits are the ids of the conditions that hold, those with the most parts first and then the highest id, limit at most.
func (j Judgement) Fits(limit int) []int64 { return j.best(j.fits, limit) }

// Open are the ids of the conditions that more facts would decide. Order as Fits.
func (j Judgement) Open(limit int) []int64 { return j.best(j.open, limit) }

// Near are the ids of the conditions of which one part fails. Order as Fits.
func (j Judgement) Near(limit int) []int64 { return j.best(j.near, limit) }

// best orders by weight: it counts the weights, and then collects only those that are weighty enough.
func (j Judgement) best(set bitmap, limit int) []int64 {
	var many [256]int
	set.each(func(row uint32) { many[j.weight[row]]++ })
	least, left := 255, limit
	for ; least > 0 && left > many[least]; least-- {
		left -= many[least]
	}
	type found struct {
		id     int64
		weight uint8
	}
	list := make([]found, 0, limit)
	set.each(func(row uint32) {
		if w := j.weight[row]; int(w) >= least {
			list = append(list, found{j.ids[row], w})
		}
	})
	slices.SortFunc(list, func(a, b found) int {
		if a.weight != b.weight {
			return int(b.weight) - int(a.weight)
		}
		if a.id < b.id {
			return 1
		}
		return -1
	})
	list = list[:min(limit, len(list))]
	out := make([]int64, len(list))
	for i, f := range list {
		out[i] = f.id
	}
	return out
}

// decides is node without words.
func (e *evaluator) decides(n *node) Verdict {
	if n.leaf != nil {
		return e.leafDecides(n.leaf)
	}
	vs := make([]Verdict, len(n.items))
	for i, item := range n.items {
		vs[i] = e.decides(item)
	}
	return combine(n.kind, n.k, vs)
}

// leafDecides is leaf without words, which cost most of it; what is rare goes the long way.
func (e *evaluator) leafDecides(l *leaf) Verdict {
	if l.op == Human || l.years > 0 || l.of.Name != "" {
		c, _, _ := e.leaf(l)
		return c.Verdict
	}
	fact, why := e.facts.look(l.field, e.day)
	if why != "" {
		return Unknown
	}
	switch l.field.Kind {
	case Category:
		return l.category(fact.Value.codes)
	case Flag:
		return verdict((fact.Value.flag == l.flag) == (l.op == Eq))
	case Holdings:
		return l.held(fact.Value.holdings, e.day)
	case Date:
		if fact.Value.last.After(fact.Value.day) {
			return l.span(fact.Value, e.day)
		}
		switch l.op {
		case YearsSinceGte:
			return verdict(!e.day.Before(addYears(fact.Value.day, int(l.lo))))
		case YearsSinceLte:
			return verdict(!e.day.After(addYears(fact.Value.day, int(l.lo))))
		case YearsSinceLt:
			return verdict(e.day.Before(addYears(fact.Value.day, int(l.lo))))
		}
		return verdict(l.compare(fact.Value.day.Unix()))
	}
	return verdict(l.compare(fact.Value.n))
}

// held is holds without words.
func (l *leaf) held(hs []Holding, day time.Time) Verdict {
	if l.on != 0 {
		day = time.Unix(l.on, 0).UTC()
	}
	for _, h := range hs {
		if slices.Contains(l.codes, h.Code) && l.counts(h, day) {
			return verdict(l.op == Has)
		}
	}
	return verdict(l.op == NotOn)
}
