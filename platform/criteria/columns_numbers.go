package criteria

import (
	"slices"
	"time"
)

// numbers are the amounts of a column, or its days. An index cuts them into buckets of about as many rows; below each cut
// lies a bitmap, so that a bound costs one bitmap and the rows of one bucket.
type numbers struct {
	of      []int64
	odd     map[uint32]Value // judged one by one: days known as a span, and amounts so large that a gap overflows
	built   bool
	cuts    []int64  // ascending
	below   []bitmap // the rows below cuts[i]
	buckets []bucket // buckets[i]: the rows from cuts[i-1] on and below cuts[i]
	size    int      // of a bucket, when it was built
}

// bucket is rows with their amounts beside them: a bound that cuts it reads it from end to end, and nothing else.
type bucket struct {
	rows []uint32
	of   []int64
}

func (b *bucket) add(row uint32, n int64) {
	b.rows, b.of = append(b.rows, row), append(b.of, n)
}

func (b *bucket) remove(row uint32) {
	i, last := slices.Index(b.rows, row), len(b.rows)-1
	b.rows[i], b.of[i] = b.rows[last], b.of[last]
	b.rows, b.of = b.rows[:last], b.of[:last]
}

const (
	// tame bounds the amounts that the index holds: far from where the distance to a bound overflows.
	tame = 1 << 61
	// tameDay bounds the days that the index holds: the years of AddDate stay far from overflow.
	tameDay = 4_000_000
	// cutsAtMost is how many cuts a column gets, apart from those around frequent values.
	cutsAtMost = 64
)

func (c *numbers) put(row uint32, v Value) {
	for len(c.of) <= int(row) {
		c.of = append(c.of, 0)
	}
	n, most := v.n, int64(tame)
	if v.kind == Date {
		n, most = v.day.Unix()/86400, tameDay
	}
	c.of[row] = n
	if n > most || n < -most || v.kind == Date && v.last.After(v.day) {
		c.odd[row] = v
		return
	}
	if !c.built {
		return
	}
	b := c.bucket(n)
	c.buckets[b].add(row, n)
	for i := b; i < len(c.below); i++ {
		c.below[i].set(row)
	}
	if len(c.buckets[b].rows) > 4*c.size && (b == 0 || b == len(c.cuts) || c.cuts[b]-c.cuts[b-1] > 1) {
		c.built = false
	}
}

func (c *numbers) drop(row uint32) {
	if _, odd := c.odd[row]; odd {
		delete(c.odd, row)
		return
	}
	if !c.built {
		return
	}
	b := c.bucket(c.of[row])
	c.buckets[b].remove(row)
	for _, below := range c.below[b:] {
		below.clear(row)
	}
}

// bucket is the one that n belongs to.
func (c *numbers) bucket(n int64) int {
	i, at := slices.BinarySearch(c.cuts, n)
	if at {
		i++
	}
	return i
}

// index cuts the values anew, unless it stands.
func (c *numbers) index(known bitmap) {
	if c.built {
		return
	}
	var all []int64
	known.each(func(row uint32) {
		if _, odd := c.odd[row]; !odd {
			all = append(all, c.of[row])
		}
	})
	slices.Sort(all)
	c.built, c.cuts, c.size = true, nil, max(256, len(all)/cutsAtMost)
	cut := func(n int64) {
		if k := len(c.cuts); k == 0 || c.cuts[k-1] < n {
			c.cuts = append(c.cuts, n)
		}
	}
	in := 0
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j] == all[i] {
			j++
		}
		switch same := j - i; {
		case same >= c.size: // a frequent value has a bucket of its own, which no bound splits
			cut(all[i])
			cut(all[i] + 1)
			in = 0
		case in+same > c.size:
			cut(all[i])
			in = same
		default:
			in += same
		}
		i = j
	}
	c.buckets = make([]bucket, len(c.cuts)+1)
	c.below = make([]bitmap, len(c.cuts))
	known.each(func(row uint32) {
		if _, odd := c.odd[row]; !odd {
			n := c.of[row]
			c.buckets[c.bucket(n)].add(row, n)
		}
	})
	for i := range c.below {
		c.below[i] = make(bitmap, len(known))
		if i > 0 {
			copy(c.below[i], c.below[i-1])
		}
		for _, row := range c.buckets[i].rows {
			c.below[i].set(row)
		}
	}
}

// less adds the rows below n.
func (c *numbers) less(into bitmap, n int64) {
	b := c.bucket(n)
	if b > 0 {
		into.or(c.below[b-1])
		if c.cuts[b-1] == n {
			return
		}
	}
	cut := &c.buckets[b]
	for i, row := range cut.rows {
		if cut.of[i] < n {
			into[row>>6] |= 1 << (row & 63)
		}
	}
}

func (c *numbers) value(kind Kind, row uint32) Value {
	if v, odd := c.odd[row]; odd {
		return v
	}
	if kind == Date {
		return Day(time.Unix(c.of[row]*86400, 0))
	}
	return Value{kind: kind, n: c.of[row]}
}

func (c *numbers) bytes() int {
	n := 8*(cap(c.of)+cap(c.cuts)) + 220*len(c.odd)
	for _, b := range c.below {
		n += 24 + 8*cap(b)
	}
	for _, b := range c.buckets {
		n += 48 + 4*cap(b.rows) + 8*cap(b.of)
	}
	return n
}
