package criteria

import (
	"slices"
	"strings"
	"time"
)

// categories are the codes of a column: each distinct set of possible codes with the rows that have it.
type categories struct {
	of      []*entry // of a row; nil without
	byKey   map[string]*entry
	entries []*entry
	several []*entry // those of more than one code
	wants   map[question]*want
}

type entry struct {
	codes []string
	rows  rowset
	// inside and maybe are the kept answers this entry's rows are in.
	inside, maybe []*want
}

// question is a code asked for, itself or with what lies below it.
type question struct {
	code  string
	under bool
}

// want is the answer to a question for the rows of one code: they are inside, or known too coarsely to say.
type want struct{ inside, maybe rowset }

// mostWants bounds the answers kept; when there are more, all are found anew.
const mostWants = 10_000

func (q question) answer(f Field, code string) (inside, maybe bool) {
	if code == q.code || q.under && f.under(code, q.code) {
		return true, false
	}
	return false, (q.under || f.Under != nil) && f.under(q.code, code)
}

func (c *categories) put(f Field, row uint32, codes []string, rows int) {
	key := strings.Join(codes, "\x00")
	e := c.byKey[key]
	if e == nil {
		e = &entry{codes: slices.Clone(codes)}
		c.byKey[key] = e
		c.entries = append(c.entries, e)
		if len(codes) > 1 {
			c.several = append(c.several, e)
		} else {
			for q, w := range c.wants {
				e.relate(f, q, w)
			}
		}
	}
	for len(c.of) <= int(row) {
		c.of = append(c.of, nil)
	}
	c.of[row] = e
	e.rows.add(row, rows)
	for _, w := range e.inside {
		w.inside.add(row, rows)
	}
	for _, w := range e.maybe {
		w.maybe.add(row, rows)
	}
}

func (e *entry) relate(f Field, q question, w *want) (inside, maybe bool) {
	if inside, maybe = q.answer(f, e.codes[0]); inside {
		e.inside = append(e.inside, w)
	} else if maybe {
		e.maybe = append(e.maybe, w)
	}
	return inside, maybe
}

func (c *categories) drop(row uint32) {
	e := c.of[row]
	c.of[row] = nil
	e.rows.remove(row)
	for _, w := range e.inside {
		w.inside.remove(row)
	}
	for _, w := range e.maybe {
		w.maybe.remove(row)
	}
}

// ask returns the answer to a question, which is kept and kept up to date.
func (c *categories) ask(f Field, q question, rows int) *want {
	if w := c.wants[q]; w != nil {
		return w
	}
	if len(c.wants) >= mostWants {
		clear(c.wants)
		for _, e := range c.entries {
			e.inside, e.maybe = nil, nil
		}
	}
	w := &want{}
	c.wants[q] = w
	for _, e := range c.entries {
		if len(e.codes) > 1 {
			continue
		}
		inside, maybe := e.relate(f, q, w)
		into := &w.inside
		if maybe {
			into = &w.maybe
		}
		if inside || maybe {
			e.rows.each(func(row uint32) { into.add(row, rows) })
		}
	}
	return w
}

func (c *categories) bytes() int {
	n := 8 * cap(c.of)
	for key, e := range c.byKey {
		n += len(key) + 160 + 8*(cap(e.inside)+cap(e.maybe)) + e.rows.bytes()
	}
	for _, w := range c.wants {
		n += 150 + w.inside.bytes() + w.maybe.bytes()
	}
	return n
}

// held is a holding of a row: its code by number, and its days.
type held struct{ code, from, to int32 }

// The days of a holding whose side is open.
const (
	always  = -1 << 31
	forever = 1<<31 - 1
)

// holdings are the titles of a column.
type holdings struct {
	rows  map[uint32][]held // only rows that hold something
	codes map[string]int32
	names []string
	by    []*holders // by code
}

// holders are the rows that hold one code, and which do on a day.
type holders struct {
	list  []holder
	day   int32
	known bool // valid holds for day
	valid rowset
}

type holder struct {
	row      uint32
	from, to int32
}

func (h *holdings) put(row uint32, list []Holding) {
	if len(list) == 0 {
		return
	}
	out := make([]held, 0, len(list))
	for _, x := range list {
		code, ok := h.codes[x.Code]
		if !ok {
			code = int32(len(h.names)) // #nosec G115 -- fewer codes than that
			h.codes[x.Code] = code
			h.names = append(h.names, x.Code)
			h.by = append(h.by, &holders{})
		}
		y := held{code, always, forever}
		if !x.From.IsZero() {
			y.from = dayNumber(dayOf(x.From))
		}
		if !x.To.IsZero() {
			y.to = dayNumber(dayOf(x.To))
		}
		out = append(out, y)
		by := h.by[code]
		by.list, by.known = append(by.list, holder{row, y.from, y.to}), false
	}
	h.rows[row] = out
}

func (h *holdings) drop(row uint32) {
	for _, x := range h.rows[row] {
		by := h.by[x.code]
		by.list, by.known = slices.DeleteFunc(by.list, func(y holder) bool { return y.row == row }), false
	}
	delete(h.rows, row)
}

// valid adds the rows that hold a code on day.
func (h *holdings) valid(into bitmap, code string, day int32, rows int) {
	n, ok := h.codes[code]
	if !ok {
		return
	}
	by := h.by[n]
	if !by.known || by.day != day {
		by.valid, by.day, by.known = rowset{}, day, true
		for _, x := range by.list {
			if x.from <= day && day <= x.to {
				by.valid.add(x.row, rows) // twice does no harm in a set that is only read
			}
		}
	}
	by.valid.into(into)
}

// counting follows leaf.counts.
func (h *holdings) counting(l *leaf, into bitmap, code string, a *asked, rows int) {
	on := a.on
	if l.on != 0 {
		on = dayNumber(time.Unix(l.on, 0).UTC())
	}
	if l.within == 0 {
		h.valid(into, code, on, rows)
		return
	}
	n, ok := h.codes[code]
	if !ok {
		return
	}
	since := dayNumber(addYears(a.day, -l.within))
	for _, x := range h.by[n].list {
		last := x.to
		if l.op == Has || l.field.Event && x.from != always {
			last = x.from
		}
		if x.from <= on && last >= since && (l.op != Has || x.from != always) {
			into.set(x.row)
		}
	}
}

func (h *holdings) value(row uint32) Value {
	var out []Holding
	for _, x := range h.rows[row] {
		y := Holding{Code: h.names[x.code]}
		if x.from != always {
			y.From = dayAt(x.from)
		}
		if x.to != forever {
			y.To = dayAt(x.to)
		}
		out = append(out, y)
	}
	return Holds(out...)
}

func (h *holdings) bytes() int {
	n := 0
	for _, list := range h.rows {
		n += 50 + 12*cap(list)
	}
	for i, by := range h.by {
		n += 140 + len(h.names[i]) + 12*cap(by.list) + by.valid.bytes()
	}
	return n
}
