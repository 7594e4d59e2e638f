package search

import (
	"slices"
	"sync/atomic"
	"unicode/utf8"
)

// Piece is a stretch of the original text; Hit says that the query names it. Escape Text as any other.
type Piece struct {
	Text string `json:"text"`
	Hit  bool   `json:"hit,omitempty"`
}

// folded is one folded character and the bytes of the original it comes from.
type folded struct {
	r        rune
	from, to int
}

func foldAll(s string) []folded {
	out := make([]folded, 0, utf8.RuneCountInString(s))
	for i, r := range s {
		to := i + utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size := utf8.DecodeRuneInString(s[i:])
			to = i + size
		}
		if r >= 0x4E00 && r <= 0x9FFF { // Hanzi are most of the texts, and fold to themselves
			out = append(out, folded{r, i, to})
			continue
		}
		for _, f := range foldOne(r) {
			out = append(out, folded{f, i, to})
		}
	}
	return out
}

// foldOne is fold of one character without what is invisible. Letters, digits and punctuation come again and again: theirs
// are remembered.
func foldOne(r rune) []rune {
	if r < 0 || r >= 0x10000 {
		return visible(r)
	}
	page := foldedPages[r>>8].Load()
	if page == nil {
		page = new([256][]rune)
		for i := range page {
			page[i] = visible(r&^0xFF + rune(i))
		}
		foldedPages[r>>8].Store(page)
	}
	return page[r&0xFF]
}

// foldedPages holds foldOne of 256 characters each, made when the first of them is met.
var foldedPages [256]atomic.Pointer[[256][]rune]

func visible(r rune) []rune {
	return slices.DeleteFunc([]rune(fold(string(r))), func(f rune) bool { return classOf(f) == nothing })
}

// Mark cuts text into pieces, those the query names as hits. The pieces joined are text.
func (q Query) Mark(text string) []Piece { return cut(text, q.hits(text), 0, len(text)) }

// cut cuts text[from:to] into pieces along the hits in text.
func cut(text string, hits [][2]int, from, to int) []Piece {
	var out []Piece
	at := from
	for _, h := range hits {
		begin, end := max(h[0], from), min(h[1], to)
		if begin >= end {
			continue
		}
		if begin > at {
			out = append(out, Piece{Text: text[at:begin]})
		}
		out = append(out, Piece{text[begin:end], true})
		at = end
	}
	if at < to {
		out = append(out, Piece{Text: text[at:to]})
	}
	return out
}

// Excerpt is Mark over about n characters of text around the first hit, with … where something was cut.
func (q Query) Excerpt(text string, n int) []Piece {
	hits := q.hits(text)
	if utf8.RuneCountInString(text) <= n {
		return cut(text, hits, 0, len(text))
	}
	first := 0
	if len(hits) > 0 {
		first = hits[0][0]
	}
	from := first
	for i := 0; i < n/4 && from > 0; i++ {
		_, size := utf8.DecodeLastRuneInString(text[:from])
		from -= size
	}
	to := from
	for i := 0; i < n && to < len(text); i++ {
		_, size := utf8.DecodeRuneInString(text[to:])
		to += size
	}
	out := cut(text, hits, from, to)
	if from > 0 {
		out = append([]Piece{{Text: "…"}}, out...)
	}
	if to < len(text) {
		out = append(out, Piece{Text: "…"})
	}
	return out
}

// hits returns the byte spans of text the query names, in order and apart.
func (q Query) hits(text string) [][2]int {
	all := foldAll(text)
	var spans [][2]int
	for _, r := range q.runs {
		n := len(r.runes)
		for i := 0; i+n <= len(all); i++ {
			if all[i].r != r.runes[0] || !r.at(all[i:]) || !r.cjk && i > 0 && classOf(all[i-1].r) == letter {
				continue
			}
			if !r.prefix() && !r.cjk && i+n < len(all) && classOf(all[i+n].r) == letter {
				continue // a lone letter or digit is found only as a whole word
			}
			spans = append(spans, [2]int{all[i].from, all[i+n-1].to})
		}
	}
	slices.SortFunc(spans, func(a, b [2]int) int { return a[0] - b[0] })
	var out [][2]int
	for _, s := range spans {
		if k := len(out) - 1; k >= 0 && s[0] <= out[k][1] {
			out[k][1] = max(out[k][1], s[1])
		} else {
			out = append(out, s)
		}
	}
	return out
}

func (r run) at(all []folded) bool {
	for i, x := range r.runes {
		if all[i].r != x {
			return false
		}
	}
	return true
}
