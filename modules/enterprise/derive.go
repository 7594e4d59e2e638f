package enterprise

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/huiqi/huiqi/platform/criteria"
)

// derive turns the facts that count into what conditions read, and adds what follows from them.
func (s *Service) derive(t *thresholds, now map[string]Fact, at time.Time) criteria.Facts {
	out := criteria.Facts{}
	for name, x := range now {
		f, _ := fieldOf(name)
		if f.kind == plain {
			continue
		}
		v, _, _ := f.read(x.Value, s.terms)
		out[name] = criteria.Fact{Value: v, Source: x.SourceName, AsOf: x.AsOf}
	}
	if r, ok := s.size(t, now, at); ok && len(r.classes) > 0 {
		out["sizeClass"] = criteria.Fact{Value: criteria.OneOf(r.classes...), Source: r.source, AsOf: r.asOf}
	}
	if share, asOf, ok := research(now); ok {
		if share < 0 {
			out["rdRatio"] = criteria.Fact{Unknown: criteria.NoBase, Source: derivedSource, AsOf: asOf}
		} else {
			out["rdRatio"] = criteria.Fact{Value: criteria.Permille(share), Source: derivedSource, AsOf: asOf}
		}
	}
	if owed, asOf, ok := debt(now); ok {
		x := criteria.Fact{Source: derivedSource, AsOf: asOf}
		if owed < 0 {
			x.Unknown = criteria.NoBase
		} else {
			x.Value = criteria.Permille(owed)
		}
		out["debtRatio"] = x
	}
	return out
}

// derivedSource is named where a value was computed of other facts.
const derivedSource = "按已有信息计算"

// size is the classes a company may be of.
type size struct {
	classes []string
	source  string
	text    string
	asOf    time.Time
}

// size classifies by the thresholds that hold; metrics that are missing or too old widen the answer. It reports false when
// not even the industry is known.
func (s *Service) size(t *thresholds, now map[string]Fact, at time.Time) (size, bool) {
	r, _, asOf, ok := classify(t, now, at)
	if !ok {
		return size{}, false
	}
	return size{classes: r.Codes(), source: "按" + r.Document + "计算", text: sizeText(r), asOf: asOf}, true
}

// number reads a fact that counts or measures.
func number(x Fact) int64 {
	var n int64
	_ = json.Unmarshal([]byte(x.Value), &n) // facts that count were read once already
	return n
}

// word reads a fact that is a code or words.
func word(x Fact) string {
	var s string
	_ = json.Unmarshal([]byte(x.Value), &s)
	return s
}

// research is the share of last year's research in its revenue, in permille; -1 over no revenue, false when one is unknown.
func research(now map[string]Fact) (int64, time.Time, bool) {
	return quotient(now, "rdSpend", "revenue")
}

// debt is the share of what a company owes in what it has, in permille; -1 over nothing, false when one is unknown.
func debt(now map[string]Fact) (int64, time.Time, bool) {
	return quotient(now, "liabilities", "assets")
}

// quotient is a fact over another in permille, as of the older of the two; -1 over nothing or less, false when one is unknown.
func quotient(now map[string]Fact, over, under string) (int64, time.Time, bool) {
	a, ok1 := now[over]
	b, ok2 := now[under]
	if !ok1 || !ok2 {
		return 0, time.Time{}, false
	}
	asOf := a.AsOf
	if b.AsOf.Before(asOf) {
		asOf = b.AsOf
	}
	base := number(b)
	if base <= 0 {
		return -1, asOf, true
	}
	return permille(number(a), base), asOf, true
}

// permille is a ÷ b in thousandths, cut towards minus infinity, so that a loss never reads as none.
func permille(a, b int64) int64 {
	n := new(big.Int).Mul(big.NewInt(a), big.NewInt(1000))
	n.Div(n, big.NewInt(b)) // Euclidean: towards minus infinity for b > 0
	if !n.IsInt64() {
		return math.MaxInt64
	}
	return n.Int64()
}

// Growths are by how much revenue grew from year to year, in permille, the latest year first: of the years whose books and
// those of the year before are known. Over no revenue there is no growth.
func Growths(books []criteria.Year) []criteria.Year {
	var out []criteria.Year
	for _, y := range books {
		i := slices.IndexFunc(books, func(b criteria.Year) bool { return b.Year == y.Year-1 })
		if i < 0 {
			continue
		}
		g := criteria.Year{Year: y.Year, Source: derivedSource, AsOf: y.AsOf}
		if base := books[i].N; base <= 0 {
			g.Unknown = criteria.NoBase
		} else {
			g.N = permille(y.N-base, base)
		}
		out = append(out, g)
	}
	return out
}

// GrowthNow is the growth of the latest year whose books are known; false when those of the year before are missing.
func GrowthNow(books []criteria.Year) (criteria.Year, bool) {
	all := Growths(books)
	if len(all) == 0 || all[0].Year != books[0].Year {
		return criteria.Year{}, false
	}
	return all[0], true
}
