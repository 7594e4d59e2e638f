package criteria

import (
	"math/bits"
	"slices"
)

// bitmap is a set of rows, a bit a row. Rows behind its end are not in it.
type bitmap []uint64

func (b bitmap) has(row uint32) bool {
	w := int(row >> 6)
	return w < len(b) && b[w]>>(row&63)&1 == 1
}

func (b *bitmap) set(row uint32) {
	if short := int(row>>6) + 1 - len(*b); short > 0 {
		*b = append(*b, make(bitmap, short)...)
	}
	(*b)[row>>6] |= 1 << (row & 63)
}

func (b bitmap) clear(row uint32) {
	if w := int(row >> 6); w < len(b) {
		b[w] &^= 1 << (row & 63)
	}
}

func (b bitmap) or(more bitmap) {
	more = more[:min(len(b), len(more))]
	for i, w := range more {
		b[i] |= w
	}
}

func (b bitmap) andNot(less bitmap) {
	less = less[:min(len(b), len(less))]
	for i, w := range less {
		b[i] &^= w
	}
}

func (b bitmap) and(mask bitmap) {
	n := min(len(b), len(mask))
	for i, w := range mask[:n] {
		b[i] &= w
	}
	clear(b[n:])
}

func (b bitmap) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// each calls f with the rows in order.
func (b bitmap) each(f func(row uint32)) {
	for i, w := range b {
		for ; w != 0; w &= w - 1 {
			f(uint32(i<<6 + bits.TrailingZeros64(w))) // #nosec G115 -- rows are uint32
		}
	}
}

// rowset is a set of rows: a list while it is small, then a bitmap. A list of rows/32 takes as much room as the bitmap.
type rowset struct {
	list  []uint32
	dense bitmap
	n     int
}

// add takes in a row that is not in it; rows is how many there are at all.
func (s *rowset) add(row uint32, rows int) {
	s.n++
	if s.dense != nil {
		s.dense.set(row)
		return
	}
	s.list = append(s.list, row)
	if len(s.list) > 64 && len(s.list) > rows/32 {
		s.dense = make(bitmap, (rows+63)/64)
		for _, r := range s.list {
			s.dense.set(r)
		}
		s.list = nil
	}
}

// remove takes out a row that is in it.
func (s *rowset) remove(row uint32) {
	s.n--
	if s.dense != nil {
		s.dense.clear(row)
	} else if i := slices.Index(s.list, row); i >= 0 {
		s.list[i] = s.list[len(s.list)-1]
		s.list = s.list[:len(s.list)-1]
	}
}

// into adds the set to a bitmap that has room for every row.
func (s *rowset) into(b bitmap) {
	b.or(s.dense)
	for _, r := range s.list {
		b[r>>6] |= 1 << (r & 63)
	}
}

func (s *rowset) each(f func(row uint32)) {
	s.dense.each(f)
	for _, r := range s.list {
		f(r)
	}
}

func (s *rowset) bytes() int { return 4*cap(s.list) + 8*cap(s.dense) }
