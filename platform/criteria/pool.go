package criteria

import (
	"fmt"
	"math/bits"
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
	parts []*part          // in the order of their words, so that those of one field follow each other
	known map[string]*part // by its words
	all   bitmap
	ids   []int64 // by row; it only grows: what a judging holds of it stays true
	// heavy are the rows by how many parts they have, the last all with more.
	heavy [maxWeight + 1]bitmap
}

// maxWeight is the number of parts from which on more count as much.
const maxWeight = 15

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
	row := uint32(len(p.ids)) // #nosec G115 -- a pool holds what fits into memory
	p.ids = append(p.ids, id)
	p.rows[id] = row
	p.heavy[min(len(nodes), maxWeight)].set(row)
	p.all.set(row)
	for _, n := range nodes {
		x := p.known[n.text]
		if x == nil {
			x = &part{key: n.text, node: n.node}
			p.known[n.text] = x
			at, _ := slices.BinarySearchFunc(p.parts, x.key, func(y *part, key string) int { return strings.Compare(y.key, key) })
			p.parts = slices.Insert(p.parts, at, x)
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
	for i := range p.heavy {
		p.heavy[i].clear(row)
	}
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
	ids := make([]int64, 0, len(p.rows))
	var all bitmap
	p.all.each(func(old uint32) {
		row := uint32(len(ids)) // #nosec G115 -- as above
		to[old] = int64(row)
		ids = append(ids, p.ids[old])
		p.rows[p.ids[old]] = row
		all.set(row)
	})
	moved := func(b bitmap) bitmap {
		var rows bitmap
		b.each(func(old uint32) {
			if to[old] >= 0 {
				rows.set(uint32(to[old])) // #nosec G115 -- a row
			}
		})
		return rows
	}
	for _, x := range p.parts {
		x.rows = moved(x.rows)
	}
	for i := range p.heavy {
		p.heavy[i] = moved(p.heavy[i])
	}
	p.ids, p.all = ids, all
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
	heavy                     []bitmap
	fits, open, near, farther bitmap
}

// Judge judges facts by every condition on the day at falls on in Beijing.
func (p *Pool) Judge(facts Facts, at time.Time) Judgement {
	p.mu.RLock()
	defer p.mu.RUnlock()
	n := len(p.all)
	sets := make(bitmap, 4*n)
	j := Judgement{ids: p.ids, heavy: make([]bitmap, 0, len(p.heavy)), near: sets[:n:n], farther: sets[n : 2*n : 2*n], open: sets[2*n : 3*n : 3*n], fits: sets[3*n:]}
	// The rows by weight are copied: they change with the pool, and are small beside the parts.
	for _, b := range p.heavy {
		j.heavy = append(j.heavy, slices.Clone(b))
	}
	e := evaluator{facts: facts, day: dayOf(at)}
	quick := looker{facts: facts, day: e.day}
	failing := make([]bitmap, 0, len(p.parts))
	for _, x := range p.parts {
		switch e.decides(&quick, x.node) {
		case True:
		case False:
			failing = append(failing, x.rows[:min(len(x.rows), n)])
		default:
			j.open.or(x.rows)
		}
	}
	for four := range slices.Chunk(failing, 4) {
		twice(j.near, j.farther, four)
	}
	for i, w := range p.all {
		failed := j.near[i]
		j.fits[i] = w &^ failed &^ j.open[i]
		j.open[i] &^= failed
		j.near[i] = failed &^ j.farther[i]
	}
	return j
}

// twice adds rows to those that are in once already and to those that are in more than once: four bitmaps in one pass, as far
// as all of them reach.
func twice(once, more bitmap, add []bitmap) {
	from := 0
	if len(add) == 4 {
		a, b, c, d := add[0], add[1], add[2], add[3]
		from = min(len(a), len(b), len(c), len(d))
		a, b, c, d, once, more := a[:from], b[:from], c[:from], d[:from], once[:from], more[:from]
		for i := range a {
			ab, cd := a[i]|b[i], c[i]|d[i]
			any := ab | cd
			more[i] |= a[i]&b[i] | c[i]&d[i] | ab&cd | once[i]&any
			once[i] |= any
		}
	}
	for _, rows := range add {
		for i := from; i < len(rows); i++ {
			more[i] |= once[i] & rows[i]
			once[i] |= rows[i]
		}
	}
}

// Count says how many conditions hold, are open, fail in one part only, and fail in more.
func (j Judgement) Count() (fits, open, near, farther int) {
	return j.fits.count(), j.open.count(), j.near.count(), j.farther.count()
}

// Fits are the ids of the conditions that hold, those with the most parts first and then the last put, limit at most.
func (j Judgement) Fits(limit int) []int64 { return j.best(j.fits, limit) }

// Open are the ids of the conditions that more facts would decide. Order as Fits.
func (j Judgement) Open(limit int) []int64 { return j.best(j.open, limit) }

// Near are the ids of the conditions of which one part fails. Order as Fits.
func (j Judgement) Near(limit int) []int64 { return j.best(j.near, limit) }

// best takes the heaviest rows first, and of those the ones that were put last.
func (j Judgement) best(set bitmap, limit int) []int64 {
	out := make([]int64, 0, min(limit, 64))
	for i := len(j.heavy) - 1; i >= 0; i-- {
		level := j.heavy[i]
		for w := min(len(set), len(level)) - 1; w >= 0; w-- {
			for both := set[w] & level[w]; both != 0; {
				if len(out) == limit {
					return out
				}
				top := bits.Len64(both) - 1
				both &^= 1 << top
				out = append(out, j.ids[w<<6+top])
			}
		}
	}
	return out
}

// looker remembers the fact it looked up last: the parts of one field follow each other.
type looker struct {
	facts Facts
	day   time.Time
	name  string
	fact  Fact
	why   Reason
}

func (q *looker) look(f Field) (Fact, Reason) {
	if q.name != f.Name {
		q.name = f.Name
		q.fact, q.why = q.facts.look(f, q.day)
	}
	return q.fact, q.why
}

// decides is node without words.
func (e *evaluator) decides(q *looker, n *node) Verdict {
	if n.leaf != nil {
		return e.leafDecides(q, n.leaf)
	}
	vs := make([]Verdict, len(n.items))
	for i, item := range n.items {
		vs[i] = e.decides(q, item)
	}
	return combine(n.kind, n.k, vs)
}

// leafDecides is leaf without words, which cost most of it; what is rare goes the long way.
func (e *evaluator) leafDecides(q *looker, l *leaf) Verdict {
	if l.op == Human || l.years > 0 || l.of.Name != "" {
		c, _, _ := e.leaf(l)
		return c.Verdict
	}
	fact, why := q.look(l.field)
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
