package enterprise

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/huiqi/huiqi/platform/criteria"
)

// The golden record: of all that is said of a field, what counts. Facts are only added, so the rule reads them anew each
// time and needs nothing else:
//
//  1. What a person settled counts, until a source says something it had not said when the person decided.
//  2. Of each source its newest word stands: the later day, then the later record.
//  3. A word that is not fresh any more gives way to one that is.
//  4. The source of the better rank for the group of the field counts.
//  5. Of the same rank the later day counts, then an office's before the company's own, then the later record.
//
// Sources whose word differs from the one that counts are in conflict with it; all are kept and shown.

// standing is what one source is worth.
type standing struct {
	name     string
	official bool
	worths   map[string]Worth
}

// ruling is what all sources are worth.
type ruling map[Source]standing

func (r ruling) worth(source Source, f field) Worth {
	if w, ok := r[source].worths[groupKeys[f.group]]; ok {
		return w
	}
	return usual
}

// said is the newest word of one source about a field.
type said struct {
	Fact

	stale   bool
	differs bool   // from what counts
	why     string // why it counts, or does not
}

// chosen is what counts of a field, and what else is said.
type chosen struct {
	words    []said // the one that counts first
	settled  *Fact  // what a person decided, whether or not it still counts
	lapsed   bool   // a source has said something new since
	conflict bool
}

// choose applies the rule to the facts of one field of one company, in the order in which they were recorded.
func (r ruling) choose(f field, rows []Fact, now time.Time) (chosen, bool) {
	var out chosen
	newest := map[Source]Fact{}
	before := map[Source]string{} // what each source had said when a person decided
	for _, x := range rows {
		if x.Source == settled {
			out.settled, out.lapsed = nil, false
			if x.Value != withdrawn {
				out.settled = &x
			}
			clear(before)
			for s, n := range newest {
				before[s] = n.Value
			}
			continue
		}
		if _, _, readable := f.read(x.Value, Terms{}); !readable || x.AsOf.After(now) {
			continue
		}
		// what somebody says of an earlier year is no news about the one that was settled
		if out.settled != nil && before[x.Source] != x.Value && (f.yearly == "" || f.yearOf(x.AsOf) >= f.yearOf(out.settled.AsOf)) {
			out.lapsed = true
		}
		if n, ok := newest[x.Source]; !ok || !n.AsOf.After(x.AsOf) {
			newest[x.Source] = x
		}
	}
	for _, x := range newest {
		w := r.worth(x.Source, f)
		out.words = append(out.words, said{Fact: x, stale: w.Days > 0 && now.Sub(x.AsOf) > time.Duration(w.Days)*24*time.Hour})
	}
	if len(out.words) == 0 && out.settled == nil {
		return out, false
	}
	slices.SortFunc(out.words, func(a, b said) int { return r.before(f, a, b) })
	r.explain(f, &out)
	return out, true
}

// withdrawn is the value of a settlement that was taken back.
const withdrawn = "null"

func stood(b bool) int {
	if b {
		return 1
	}
	return 0
}

// before orders two words of different sources, the one that counts first.
func (r ruling) before(f field, a, b said) int {
	return cmp.Or(
		stood(a.stale)-stood(b.stale),
		r.worth(a.Source, f).Rank-r.worth(b.Source, f).Rank,
		b.AsOf.Compare(a.AsOf),
		stood(r[b.Source].official)-stood(r[a.Source].official),
		b.RecordedAt.Compare(a.RecordedAt),
		cmp.Compare(b.ID, a.ID),
	)
}

// explain says why the first counts and the others do not, and puts what a person settled before all.
func (r ruling) explain(f field, c *chosen) {
	for i := range c.words {
		x := &c.words[i]
		switch {
		case i > 0:
			x.why = r.why(f, *x, c.words[0], false)
		case len(c.words) == 1:
			x.why = "只有这一个来源"
		default:
			x.why = r.why(f, *x, c.words[1], true)
		}
	}
	if c.settled != nil && !c.lapsed {
		if len(c.words) > 0 {
			c.words[0].why = "人工核定前采用：" + c.words[0].why
		}
		c.words = slices.Insert(c.words, 0, said{Fact: *c.settled, why: "由人工核定，来源有新数据时重新判断"})
	}
	for i := 1; i < len(c.words); i++ {
		x := &c.words[i]
		if x.differs = differs(f, c.words[0].Value, x.Value); x.differs && !x.stale {
			c.conflict = true
		}
	}
	if c.words[0].Source == settled {
		c.conflict = false // somebody has looked
	}
}

// why says which step of the rule told x from y; counts says that x is the one that counts.
func (r ruling) why(f field, x, y said, counts bool) string {
	type words struct{ won, lost string }
	var w words
	switch {
	case x.stale != y.stale:
		w = words{"其他来源的数据已超过有效期", "已超过该来源的有效期"}
	case r.worth(x.Source, f).Rank != r.worth(y.Source, f).Rank:
		w = words{"该来源在“" + f.group + "”中优先", "该来源在“" + f.group + "”中的优先级较低"}
	case !x.AsOf.Equal(y.AsOf):
		w = words{"数据日期最新", "数据日期较早"}
	case r[x.Source].official != r[y.Source].official:
		w = words{"同一日期以部门数据为准", "同一日期以部门数据为准"}
	default:
		w = words{"同一日期以最后记录的为准", "同一日期以最后记录的为准"}
	}
	if counts {
		return w.won
	}
	return w.lost
}

// near is how far two measured values may lie apart, in percent of the larger, before they contradict each other.
const near = 5

// differs reports whether two values of a field contradict each other. Amounts and counts that lie close do not.
func differs(f field, a, b string) bool {
	if a == b {
		return false
	}
	switch f.kind {
	case criteria.Count, criteria.Money, criteria.Ratio:
		var x, y int64
		if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
			return true
		}
		gap, most := x-y, max(x, y, -x, -y)
		if gap < 0 {
			gap = -gap
		}
		return gap > most/100*near+most%100*near/100
	}
	return true
}

// current picks, for each field, the fact that counts now.
func (r ruling) current(rows []Fact, now time.Time) map[string]Fact {
	return r.currentOf(byField(rows), now)
}

func (r ruling) currentOf(by map[string][]Fact, now time.Time) map[string]Fact {
	out := map[string]Fact{}
	for name, list := range by {
		f, ok := fieldOf(name)
		if !ok {
			continue
		}
		if c, ok := r.choose(f, list, now); ok {
			out[name] = c.words[0].Fact
		}
	}
	return out
}

func byField(rows []Fact) map[string][]Fact {
	by := map[string][]Fact{}
	for _, x := range rows {
		by[x.Field] = append(by[x.Field], x)
	}
	return by
}
