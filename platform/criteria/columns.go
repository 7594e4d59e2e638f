package criteria

import (
	"iter"
	"slices"
	"sync"
	"time"
)

// Columns keeps the facts of many enterprises field by field, so that one condition is held against all of them at once. It
// comes to exactly what Condition.Evaluate comes to row by row. It is safe for concurrent use; a change and an evaluation
// wait for each other.
type Columns struct {
	mu      sync.Mutex
	columns map[string]*column
	order   []*column
	rows    map[int64]uint32 // the row of an enterprise
	ids     []int64          // the enterprise of a row; rows are not given out twice, so that Sets stay true
	live    bitmap
	spare   []bitmap // of evaluations before
}

// NewColumns makes an empty store for the fields of s. Conditions held against it must be parsed with the same schema.
func NewColumns(s Schema) *Columns {
	c := &Columns{columns: map[string]*column{}, rows: map[int64]uint32{}}
	for _, name := range s.order {
		x := newColumn(s.fields[name])
		c.columns[name] = x
		c.order = append(c.order, x)
	}
	return c
}

// Put sets what is known of an enterprise, in place of what was known before.
func (c *Columns) Put(id int64, facts Facts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(id, facts)
}

func (c *Columns) put(id int64, facts Facts) {
	row, old := c.rows[id]
	if !old {
		row = uint32(len(c.ids)) // #nosec G115 -- fewer enterprises than that
		c.rows[id] = row
		c.ids = append(c.ids, id)
		c.live.set(row)
	}
	for _, x := range c.order {
		x.put(row, facts[x.field.Name], len(c.ids))
	}
}

// Fill puts every enterprise of a stream and readies the indexes, so that the first evaluation finds them.
func (c *Columns) Fill(all iter.Seq2[int64, Facts]) {
	for id, facts := range all {
		c.Put(id, facts)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.order {
		x.ready(len(c.ids))
	}
}

// Remove forgets an enterprise.
func (c *Columns) Remove(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	row, ok := c.rows[id]
	if !ok {
		return
	}
	for _, x := range c.order {
		x.put(row, Fact{}, len(c.ids))
	}
	c.live.clear(row)
	delete(c.rows, id)
}

// Len is how many enterprises are kept.
func (c *Columns) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rows)
}

// Facts returns what is kept of an enterprise: values, reasons and days, without sources. It judges like what was put.
func (c *Columns) Facts(id int64) (Facts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	row, ok := c.rows[id]
	if !ok {
		return nil, false
	}
	return c.facts(row), true
}

func (c *Columns) facts(row uint32) Facts {
	out := Facts{}
	for _, x := range c.order {
		if f, ok := x.fact(row); ok {
			out[x.field.Name] = f
		}
	}
	return out
}

// Bytes is the memory of the store in bytes: its arrays exactly, its maps as they are usually laid out.
func (c *Columns) Bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 8*cap(c.ids) + 8*cap(c.live) + 28*len(c.rows)
	for _, b := range c.spare {
		n += 24 + 8*cap(b)
	}
	for _, x := range c.order {
		n += x.bytes()
	}
	return n
}

// column is one field of all rows.
type column struct {
	field Field
	known bitmap            // there is a value of the field's kind, whatever its age
	why   map[uint32]Reason // of rows without one, unless NotCollected
	asOf  []int32           // the day of each row's fact, where age matters
	fresh bitmap            // known, and young enough on freshOn
	// freshOn is the day fresh holds for; noDay when for none.
	freshOn int32

	numbers    numbers
	categories categories
	holdings   holdings
	yes        bitmap
	years      map[int]*annual // what single years have
}

const noDay = -1 << 31

func newColumn(f Field) *column {
	x := &column{field: f, why: map[uint32]Reason{}, freshOn: noDay, years: map[int]*annual{}}
	x.numbers.odd = map[uint32]Value{}
	x.categories = categories{byKey: map[string]*entry{}, wants: map[question]*want{}}
	x.holdings = holdings{rows: map[uint32][]held{}, codes: map[string]int32{}}
	return x
}

// dayNumber counts days; b is a midnight that dayOf returned.
func dayNumber(b time.Time) int32 {
	return int32(max(min(b.Unix()/86400, 1<<30), -1<<30)) // #nosec G115 -- bounded
}

func dayAt(n int32) time.Time { return time.Unix(int64(n)*86400, 0).UTC() }

func (x *column) put(row uint32, f Fact, rows int) {
	if x.known.has(row) {
		x.drop(row)
	}
	delete(x.why, row)
	x.putYears(row, f.Years)
	var why Reason
	switch {
	case f.Unknown != "":
		why = f.Unknown
	case !f.Value.Known():
		why = NotCollected
	case f.Value.kind != x.field.Kind:
		why = Unreadable
	}
	if why != "" {
		if why != NotCollected {
			x.why[row] = why
		}
		x.fresh.clear(row)
		return
	}
	x.known.set(row)
	if x.field.MaxAge > 0 {
		for len(x.asOf) <= int(row) {
			x.asOf = append(x.asOf, 0)
		}
		x.asOf[row] = dayNumber(dayOf(f.AsOf))
		if x.freshOn != noDay {
			x.fresh.clear(row)
			if x.young(row, x.freshOn) {
				x.fresh.set(row)
			}
		}
	}
	switch v := f.Value; x.field.Kind {
	case Category:
		x.categories.put(x.field, row, v.codes, rows)
	case Holdings:
		x.holdings.put(row, v.holdings)
	case Flag:
		if v.flag {
			x.yes.set(row)
		}
	default:
		x.numbers.put(row, v)
	}
}

// drop takes out the value of a row.
func (x *column) drop(row uint32) {
	x.known.clear(row)
	switch x.field.Kind {
	case Category:
		x.categories.drop(row)
	case Holdings:
		x.holdings.drop(row)
	case Flag:
		x.yes.clear(row)
	default:
		x.numbers.drop(row)
	}
}

// young reports whether the fact of a row has not expired on day; see Facts.look.
func (x *column) young(row uint32, day int32) bool {
	return x.field.MaxAge == 1<<63-1 || int64(day)-int64(x.asOf[row]) <= int64(x.field.MaxAge/(24*time.Hour))
}

// on returns the rows with a value that counts on day.
func (x *column) on(day int32) bitmap {
	if x.field.MaxAge <= 0 {
		return x.known
	}
	if x.freshOn != day {
		x.fresh, x.freshOn = slices.Clone(x.known), day
		x.known.each(func(row uint32) {
			if !x.young(row, day) {
				x.fresh.clear(row)
			}
		})
	}
	return x.fresh
}

func (x *column) fact(row uint32) (Fact, bool) {
	f := Fact{Years: x.yearsOf(row)}
	if !x.known.has(row) {
		f.Unknown = x.why[row]
		return f, f.Unknown != "" || f.Years != nil
	}
	if x.field.MaxAge > 0 {
		f.AsOf = dayAt(x.asOf[row])
	}
	switch x.field.Kind {
	case Category:
		f.Value = OneOf(x.categories.of[row].codes...)
	case Holdings:
		f.Value = x.holdings.value(row)
	case Flag:
		f.Value = Yes(x.yes.has(row))
	default:
		f.Value = x.numbers.value(x.field.Kind, row)
	}
	return f, true
}

// ready builds what evaluation would build when it is first asked.
func (x *column) ready(rows int) {
	switch x.field.Kind {
	case Category:
		if x.field.Under != nil {
			for code := range x.field.Values {
				x.categories.ask(x.field, question{code, true}, rows)
			}
		}
	case Count, Money, Ratio, Date:
		x.numbers.index(x.known)
	}
}

func (x *column) bytes() int {
	n := 8*(cap(x.known)+cap(x.fresh)+cap(x.yes)) + 4*cap(x.asOf) + 40*len(x.why)
	for _, y := range x.years {
		n += y.bytes()
	}
	return n + x.numbers.bytes() + x.categories.bytes() + x.holdings.bytes()
}
