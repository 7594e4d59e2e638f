package policy

import (
	"encoding/json"
	"fmt"
	"strings"
)

// QuoteState says how the sentence of a clause stands in the text.
type QuoteState string

// The states of a quote.
const (
	QuoteFound QuoteState = "found"
	QuoteMoved QuoteState = "moved" // it stands elsewhere than the clause says
	QuoteGone  QuoteState = "gone"
)

// Span is a stretch of a text in characters, the last one not included.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

func (s Span) meets(o Span) bool { return s.Start < o.End && o.Start < s.End }

// Quote is the sentence a clause rests on, with the place of the clause in the tree.
type Quote struct {
	Path  string     `json:"path" doc:"condition.all[0]"`
	Quote string     `json:"quote"`
	Span  Span       `json:"span" doc:"Where it stands in the text, in characters."`
	State QuoteState `json:"state" enum:"found,moved,gone"`
	said  *Span
}

// quotesOf gathers the quotes of a condition, also of one that does not parse as a condition.
func quotesOf(raw json.RawMessage) []Quote {
	var out []Quote
	var walk func(raw json.RawMessage, path string)
	walk = func(raw json.RawMessage, path string) {
		var o map[string]json.RawMessage
		if json.Unmarshal(raw, &o) != nil {
			return
		}
		for _, group := range []string{"all", "any"} {
			walkItems(o[group], path+"."+group, walk)
		}
		if inner, ok := o["not"]; ok {
			walk(inner, path+".not")
		}
		var some struct {
			Of json.RawMessage `json:"of"`
		}
		if json.Unmarshal(o["atLeast"], &some) == nil {
			walkItems(some.Of, path+".atLeast.of", walk)
		}
		q := Quote{Path: path}
		if json.Unmarshal(o["quote"], &q.Quote) != nil || strings.TrimSpace(q.Quote) == "" {
			return
		}
		var span []int
		if json.Unmarshal(o["span"], &span) == nil && len(span) == 2 {
			q.said = &Span{span[0], span[1]}
		}
		out = append(out, q)
	}
	walk(raw, "condition")
	return out
}

func walkItems(raw json.RawMessage, path string, walk func(json.RawMessage, string)) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return
	}
	for i, item := range items {
		walk(item, fmt.Sprintf("%s[%d]", path, i))
	}
}

// locate finds the quote in a text: where the clause says, else the nearest place.
func (q Quote) locate(text string) (Span, QuoteState) {
	runes, want := []rune(text), []rune(q.Quote)
	at := func(i int) bool {
		return i >= 0 && i+len(want) <= len(runes) && string(runes[i:i+len(want)]) == q.Quote
	}
	if q.said != nil && at(q.said.Start) {
		return Span{q.said.Start, q.said.Start + len(want)}, QuoteFound
	}
	best, from := -1, 0
	for rest := text; ; {
		i := strings.Index(rest, q.Quote)
		if i < 0 {
			break
		}
		place := from + len([]rune(rest[:i]))
		if best < 0 || q.said != nil && distance(place, q.said.Start) < distance(best, q.said.Start) {
			best = place
		}
		step := i + len(string(want[:1]))
		from += len([]rune(rest[:step]))
		rest = rest[step:]
		if q.said == nil {
			break
		}
	}
	switch {
	case best < 0:
		return Span{}, QuoteGone
	case q.said == nil:
		return Span{best, best + len(want)}, QuoteFound
	}
	return Span{best, best + len(want)}, QuoteMoved
}

func distance(a, b int) int { return max(a-b, b-a) }

// located finds every quote of a condition in a text.
func located(raw json.RawMessage, text string) []Quote {
	out := quotesOf(raw)
	for i := range out {
		out[i].Span, out[i].State = out[i].locate(text)
	}
	return out
}
