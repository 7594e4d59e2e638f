package criteria

import (
	"cmp"
	"math/big"
)

// annual is what the rows of a column have in one year.
type annual struct {
	known   bitmap
	why     map[uint32]Reason // of rows that have an entry without a number
	numbers numbers
}

func (x *column) putYears(row uint32, years []Year) {
	for _, y := range x.years {
		if y.known.has(row) {
			y.known.clear(row)
			y.numbers.drop(row)
		}
		delete(y.why, row)
	}
	for _, y := range years {
		at := x.years[y.Year]
		if at == nil {
			at = &annual{why: map[uint32]Reason{}, numbers: numbers{odd: map[uint32]Value{}}}
			x.years[y.Year] = at
		}
		if at.known.has(row) || at.why[row] != "" {
			continue // a year said twice: the first counts, as by rows
		}
		if y.Unknown != "" {
			at.why[row] = y.Unknown
			continue
		}
		at.known.set(row)
		at.numbers.put(row, Value{kind: x.field.Kind, n: y.N})
	}
}

// yearsOf is what a row has in single years, as it was put but for sources and days.
func (x *column) yearsOf(row uint32) []Year {
	var out []Year
	for year, at := range x.years {
		if at.known.has(row) {
			out = append(out, Year{Year: year, N: at.numbers.of[row]})
		} else if why := at.why[row]; why != "" {
			out = append(out, Year{Year: year, Unknown: why})
		}
	}
	return out
}

func (y *annual) bytes() int { return 200 + 8*cap(y.known) + 40*len(y.why) + y.numbers.bytes() }

// several follows evaluator.several: years alone by the indexes, taken together row by row.
func (a *asked) several(l *leaf, x, base *column, s *sides) {
	s.f = a.room()
	of := make([]*annual, 0, l.years)
	under := make([]*annual, 0, l.years)
	for _, year := range l.fullYears(a.day) {
		of = append(of, x.years[year])
		if base != nil {
			under = append(under, base.years[year])
		}
	}
	if l.over == overMean || l.over == overTotal {
		a.together(l, of, under, s)
		if l.op == Gt || l.op == Gte || l.op == RatioGte {
			s.reach = s.f
		}
		return
	}
	each := make([]sides, len(of))
	for i, at := range of {
		each[i] = sides{t: a.room(), f: a.room()}
		var b *annual
		if base != nil {
			b = under[i]
		}
		if at != nil && (b != nil || l.of.Name == "") {
			a.inYear(l, at, b, &each[i])
		}
		switch {
		case i == 0:
			copy(s.t, each[0].t)
			copy(s.f, each[0].f)
		case l.over == overEach:
			s.t.and(each[i].t)
			s.f.or(each[i].f)
		default:
			s.t.or(each[i].t)
			s.f.and(each[i].f)
		}
	}
	if l.over == overAny {
		if l.op == Gt || l.op == Gte || l.op == RatioGte {
			s.reach = s.f
		}
		return
	}
	last := len(each) - 1
	s.reach = a.room() // see leaves
	copy(s.reach, each[last].f)
	for _, y := range each[:last] {
		s.reach.and(y.t)
	}
}

// inYear holds a clause against one year.
func (a *asked) inYear(l *leaf, at, base *annual, s *sides) {
	copy(s.f, at.known)
	if base != nil {
		s.f.and(base.known)
		a.share(l, &at.numbers, &base.numbers, s)
		return
	}
	at.numbers.index(at.known)
	a.interval(l, &at.numbers, s)
	a.odd(l, &at.numbers, at.known, s)
	s.reach = nil
}

// together holds the sum or the mean of the years against a clause; a year that is not known leaves it open.
func (a *asked) together(l *leaf, of, under []*annual, s *sides) {
	for i, at := range of {
		if at == nil || l.of.Name != "" && under[i] == nil {
			return
		}
	}
	all := a.room()
	copy(all, of[0].known)
	for i, at := range of {
		all.and(at.known)
		if l.of.Name != "" {
			all.and(under[i].known)
		}
	}
	all.each(func(row uint32) {
		var sum, base total
		for i, at := range of {
			sum.add(at.numbers.of[row])
			if l.of.Name != "" {
				base.add(under[i].numbers.of[row])
			}
		}
		switch {
		case l.of.Name != "" && base.sign() <= 0:
		case l.holdsTogether(&sum, &base):
			s.t.set(row)
		default:
			s.f.set(row)
		}
	})
}

// total is a sum of at most MaxYears numbers: small ones in a machine word, which is nearly always enough.
type total struct {
	small int64
	large *big.Int
}

// smallest bounds what is added in a word: ten of them times a thousand do not overflow.
const smallest = 1 << 49

func (t *total) add(n int64) {
	if t.large == nil && n < smallest && n > -smallest {
		t.small += n
		return
	}
	if t.large == nil {
		t.large = big.NewInt(t.small)
	}
	t.large.Add(t.large, big.NewInt(n))
}

func (t *total) sign() int {
	if t.large != nil {
		return t.large.Sign()
	}
	return cmp.Compare(t.small, 0)
}

func (t *total) big() *big.Int {
	if t.large != nil {
		return t.large
	}
	return big.NewInt(t.small)
}

// against compares the total times a factor of at most a thousand with a bound times n.
func (t *total) against(factor, bound, n int64) int {
	if t.large == nil && n > 0 && n <= 1<<10 && bound < smallest && bound > -smallest {
		return cmp.Compare(t.small*factor, bound*n)
	}
	return new(big.Int).Mul(t.big(), big.NewInt(factor)).Cmp(new(big.Int).Mul(big.NewInt(bound), big.NewInt(n)))
}
