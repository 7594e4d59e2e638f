package enterprise

import (
	"encoding/json"
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
	spend, ok1 := now["rdSpend"]
	revenue, ok2 := now["revenue"]
	if !ok1 || !ok2 {
		return 0, time.Time{}, false
	}
	asOf := spend.AsOf
	if revenue.AsOf.Before(asOf) {
		asOf = revenue.AsOf
	}
	base := number(revenue)
	if base <= 0 {
		return -1, asOf, true
	}
	return number(spend) * 1000 / base, asOf, true
}
