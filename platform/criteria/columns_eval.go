package criteria

import (
	"math/bits"
	"time"
)

// Sets is the answer for all enterprises on one day: which are at which decision. It does not change when the store does.
type Sets struct {
	columns   *Columns
	condition Condition
	at        time.Time
	by        map[Decision]bitmap
	ids       []int64
}

// Evaluate holds a condition against every enterprise on the day at falls on in Beijing. The decisions are those of
// Condition.Evaluate.
func (c *Columns) Evaluate(cond Condition, at time.Time) *Sets {
	c.mu.Lock()
	defer c.mu.Unlock()
	day := dayOf(at)
	a := &asked{Columns: c, day: day, on: dayNumber(day), words: (len(c.ids) + 63) / 64}
	out := &Sets{columns: c, condition: cond, at: at, ids: c.ids, by: map[Decision]bitmap{}}
	for _, d := range []Decision{Eligible, NeedsHuman, Near, NotEligible, Undecided} {
		out.by[d] = make(bitmap, a.words)
	}
	defer a.done()
	if cond.root == nil {
		copy(out.by[Eligible], c.live)
		return out
	}
	t := newTally(a, cond.root, out)
	for from := 0; from < a.words; from += lane {
		t.block(from, min(lane, a.words-from))
	}
	return out
}

// lane is how many words of the bitmaps are worked on at once: what is between stays in the cache.
const lane = 64

type lanes struct{ t, f, h [lane]uint64 }

// tree is a condition with the clauses held against all rows.
type tree struct {
	kind   string
	k      int
	items  []*tree
	leaf   *sides
	leaves []*tree // the reachable clauses in it, itself included
}

func (a *asked) tree(n *node) *tree {
	x := &tree{kind: n.kind, k: n.k}
	if n.leaf != nil {
		s := a.leaf(n.leaf)
		x.leaf = &s
		if s.reach != nil {
			x.leaves = []*tree{x}
		}
		return x
	}
	for _, i := range n.items {
		y := a.tree(i)
		x.items = append(x.items, y)
		x.leaves = append(x.leaves, y.leaves...)
	}
	return x
}

// tally combines the clauses of a condition, block by block.
type tally struct {
	items []*tree // of the outermost all; one that is no all stands alone
	each  []lanes // beside items
	live  bitmap
	out   [5]bitmap // eligible, human, near, not eligible, undecided
}

func newTally(a *asked, root *node, s *Sets) *tally {
	t := &tally{live: a.live, out: [5]bitmap{s.by[Eligible], s.by[NeedsHuman], s.by[Near], s.by[NotEligible], s.by[Undecided]}}
	if x := a.tree(root); x.kind == "all" {
		t.items = x.items
	} else {
		t.items = []*tree{x}
	}
	t.each = make([]lanes, len(t.items))
	return t
}

func (t *tally) block(from, n int) {
	var yes, no, twice, open, near [lane]uint64
	for j := range n {
		yes[j] = ^uint64(0)
	}
	for i, item := range t.items {
		x := &t.each[i]
		item.judge(from, n, nil, x)
		for j := range n {
			yes[j] &= x.t[j]
			twice[j] |= no[j] & x.f[j]
			no[j] |= x.f[j]
			open[j] |= ^(x.t[j] | x.f[j] | x.h[j])
		}
	}
	// One clause can only mend what one item of the outermost all spoils and no fact leaves open.
	any := uint64(0)
	var cand [lane]uint64
	for j := range n {
		cand[j] = no[j] &^ twice[j] &^ open[j] & t.live[from+j]
		any |= cand[j]
	}
	if any != 0 {
		t.near(from, n, &cand, &near)
	}
	for j := range n {
		w, live := from+j, t.live[from+j]
		t.out[0][w] = yes[j] & live
		t.out[1][w] = ^(yes[j] | no[j] | open[j]) & live
		t.out[2][w] = near[j]
		t.out[3][w] = no[j] &^ near[j] & live
		t.out[4][w] = open[j] &^ no[j] & live
	}
}

func (t *tally) near(from, n int, cand, near *[lane]uint64) {
	for i, item := range t.items {
		for _, leaf := range item.leaves {
			var mask [lane]uint64
			any := uint64(0)
			for j := range n {
				mask[j] = cand[j] & t.each[i].f[j] & leaf.leaf.reach[from+j] &^ near[j]
				any |= mask[j]
			}
			if any == 0 {
				continue
			}
			if leaf == item {
				for j := range n {
					near[j] |= mask[j]
				}
				continue
			}
			var x lanes
			item.judge(from, n, leaf, &x)
			for j := range n {
				near[j] |= mask[j] & (x.t[j] | x.h[j])
			}
		}
	}
}

// judge is combine for n words of rows; the supposed clause counts as true.
func (x *tree) judge(from, n int, supposed *tree, out *lanes) {
	if x.leaf != nil {
		x.clause(from, n, supposed == x, out)
		return
	}
	switch x.kind {
	case "not":
		x.items[0].judge(from, n, supposed, out)
		out.t, out.f = out.f, out.t
	case "atLeast":
		x.atLeast(from, n, supposed, out)
	default:
		x.chain(from, n, supposed, out)
	}
}

func (x *tree) clause(from, n int, supposed bool, out *lanes) {
	*out = lanes{}
	switch {
	case supposed:
		for j := range n {
			out.t[j] = ^uint64(0)
		}
	case x.leaf.human:
		for j := range n {
			out.h[j] = ^uint64(0)
		}
	default:
		copy(out.t[:n], x.leaf.t[from:])
		copy(out.f[:n], x.leaf.f[from:])
	}
}

// chain is all and any.
func (x *tree) chain(from, n int, supposed *tree, out *lanes) {
	var open [lane]uint64
	var y lanes
	all := x.kind == "all"
	for i, item := range x.items {
		item.judge(from, n, supposed, &y)
		for j := range n {
			open[j] |= ^(y.t[j] | y.f[j] | y.h[j])
			switch {
			case i == 0:
				out.t[j], out.f[j] = y.t[j], y.f[j]
			case all:
				out.t[j] &= y.t[j]
				out.f[j] |= y.f[j]
			default:
				out.t[j] |= y.t[j]
				out.f[j] &= y.f[j]
			}
		}
	}
	for j := range n {
		out.h[j] = ^(out.t[j] | out.f[j] | open[j])
	}
}

// digits is how many binary digits count the items of a group.
const digits = 10

var _ = [1]struct{}{}[MaxNodes>>digits] // they suffice

// atLeast counts the true and the false items of each row in binary, a bitmap a digit.
func (x *tree) atLeast(from, n int, supposed *tree, out *lanes) {
	var open [lane]uint64
	var t, f [digits][lane]uint64
	var y lanes
	for _, item := range x.items {
		item.judge(from, n, supposed, &y)
		for j := range n {
			open[j] |= ^(y.t[j] | y.f[j] | y.h[j])
			carried(&t, j, y.t[j])
			carried(&f, j, y.f[j])
		}
	}
	for j := range n {
		out.t[j] = reaches(&t, j, x.k)
		out.f[j] = reaches(&f, j, len(x.items)-x.k+1)
		out.h[j] = ^(out.t[j] | out.f[j] | open[j])
	}
}

func carried(c *[digits][lane]uint64, j int, carry uint64) {
	for d := 0; carry != 0; d++ {
		c[d][j], carry = c[d][j]^carry, c[d][j]&carry
	}
}

// reaches returns the rows that were counted at least k times.
func reaches(c *[digits][lane]uint64, j, k int) uint64 {
	more, same := uint64(0), ^uint64(0)
	for d := digits - 1; d >= 0; d-- {
		if k>>d&1 == 1 {
			same &= c[d][j]
		} else {
			more |= same & c[d][j]
			same &^= c[d][j]
		}
	}
	return more | same
}

// Count is how many enterprises are at the decision.
func (s *Sets) Count(d Decision) int { return s.by[d].count() }

// Page returns at most n enterprises at the decision, in the order in which they came into the store, from a place on; and
// the place of the next page, -1 when there is none. The first page is at 0.
func (s *Sets) Page(d Decision, from, n int) (ids []int64, next int) {
	b := s.by[d]
	if from < 0 || n <= 0 {
		return nil, -1
	}
	for w := from >> 6; w < len(b); w++ {
		rest := b[w]
		if w == from>>6 {
			rest &= ^uint64(0) << (from & 63)
		}
		for ; rest != 0; rest &= rest - 1 {
			row := w<<6 + bits.TrailingZeros64(rest)
			if len(ids) == n {
				return ids, row
			}
			ids = append(ids, s.ids[row])
		}
	}
	return ids, -1
}

// Decision returns the decision for one enterprise; false when the store did not have it.
func (s *Sets) Decision(id int64) (Decision, bool) {
	s.columns.mu.Lock()
	row, ok := s.columns.rows[id]
	s.columns.mu.Unlock()
	if !ok {
		return "", false
	}
	for d, b := range s.by {
		if b.has(row) {
			return d, true
		}
	}
	return "", false
}

// Missing returns what could still change the answer for an enterprise and why it is not known, as Outcome.Missing does, by
// what the store keeps of it now.
func (s *Sets) Missing(id int64) []Missing {
	facts, ok := s.columns.Facts(id)
	if !ok {
		return nil
	}
	return s.condition.Evaluate(facts, s.at).Missing
}

// CountBy counts the enterprises at the decision by a category: by the code that is known of each now, "" for those of which
// none is, or several.
func (s *Sets) CountBy(d Decision, field string) map[string]int {
	s.columns.mu.Lock()
	defer s.columns.mu.Unlock()
	out := map[string]int{}
	x := s.columns.columns[field]
	s.by[d].each(func(row uint32) {
		code := ""
		if x != nil && x.field.Kind == Category && int(row) < len(x.categories.of) {
			if e := x.categories.of[row]; e != nil && len(e.codes) == 1 {
				code = e.codes[0]
			}
		}
		out[code]++
	})
	return out
}
