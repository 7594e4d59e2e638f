// Package search is the full text of the program: it keeps what modules give it findable in the transaction of their own
// rows, on SQLite (FTS5) and PostgreSQL (tsvector) with the same results, and turns what people type into queries that
// cannot be misread as syntax.
//
// Chinese is written without spaces, so every run of Hanzi (and kana, hangul) becomes its overlapping pairs: 路灯不亮 is
// 路灯 灯不 不亮; a run of one stays one. Other letters and digits become lower-case words. Full-width forms become
// half-width (NFKC).
//
// An Index holds the documents of one kind. Put and Remove keep it in the transaction of the row, Newest answers long lists
// in the order of ids with bounded work however common the words are, Narrow joins it to the query of a short list, Rebuild
// makes it anew while it is in use. An outside engine (Outside) may find the ids; the database has the last word on each.
package search

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/fault"
)

// MaxQuery is the longest query in characters; MaxTerms the most runs and words that count of it.
const (
	MaxQuery = 100
	MaxTerms = 16
)

// The faults of Parse; they point at the field "q".
var (
	ErrShort = fault.New(fault.Invalid, "QUERY_SHORT", "请至少输入两个字再搜索")
	ErrLong  = fault.New(fault.Invalid, "QUERY_LONG", fmt.Sprintf("搜索内容最多 %d 个字", MaxQuery))
)

// run is a stretch of Chinese or one word, folded.
type run struct {
	runes []rune
	cjk   bool
}

func (r run) tokens() []string {
	if !r.cjk || len(r.runes) == 1 {
		return []string{string(r.runes[:min(len(r.runes), maxWord)])}
	}
	out := make([]string, len(r.runes)-1)
	for i := range out {
		out[i] = string(r.runes[i : i+2])
	}
	return out
}

func cjk(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// class says what a folded rune is to a run.
type class int

const (
	gap class = iota
	chinese
	letter
	nothing // invisible: neither part of a run nor its end
)

func classOf(r rune) class {
	switch {
	case cjk(r):
		return chinese
	case unicode.Is(unicode.Cf, r), r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF:
		return nothing
	case unicode.IsLetter(r), unicode.IsDigit(r):
		return letter
	}
	return gap
}

// fold makes the forms of one character one: half-width, lower-case.
func fold(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

func runs(s string) []run {
	var out []run
	last := gap
	for _, r := range fold(strings.ToValidUTF8(s, " ")) {
		c := classOf(r)
		switch c {
		case nothing:
			continue
		case gap:
		default:
			if c != last {
				out = append(out, run{cjk: c == chinese})
			}
			out[len(out)-1].runes = append(out[len(out)-1].runes, r)
		}
		last = c
	}
	return out
}

// pause stands between two stretches of Chinese that punctuation parts, so that no phrase reaches over it. It is never part
// of a query.
const pause = "。"

// Tokens returns text as space-separated pairs and words, for an index that splits at spaces only.
func Tokens(text string) string {
	var out []string
	afterChinese := false
	for _, r := range runs(text) {
		if r.cjk && afterChinese {
			out = append(out, pause)
		}
		out = append(out, r.tokens()...)
		afterChinese = r.cjk
	}
	return strings.Join(out, " ")
}

// maxPosition is the last position a tsvector tells apart: phrases are found in the first sixteen thousand pairs of a field,
// words anywhere. maxWord is the longest word in characters that is told from others, within the bytes of a lexeme.
const (
	maxPosition = 16383
	maxWord     = 400
)

// Vector returns the texts, the weightiest first and four at most, as the literal of a PostgreSQL tsvector, for ?::tsvector.
// It does not depend on the server's parser or locale, and leaves a hole between runs and between texts, so that a phrase
// never reaches over punctuation.
func Vector(texts ...string) string {
	var b strings.Builder
	at := 0
	for i, text := range texts {
		for _, r := range runs(text) {
			for _, t := range r.tokens() {
				at++
				if b.Len() > 0 {
					b.WriteByte(' ')
				}
				fmt.Fprintf(&b, "%s:%d%c", lexeme(t), min(at, maxPosition), 'A'+i)
			}
			at++
		}
	}
	return b.String()
}

// Query is what somebody looks for. The zero Query finds nothing.
type Query struct {
	runs []run
	any  bool // one of the terms is enough
}

// Loosen returns a query that any pair or word of q satisfies: for whole sentences, which no document holds as they are.
// The more of it a document holds, the better it ranks; the caller takes the best.
func (q Query) Loosen() Query {
	out := Query{any: true}
	seen := map[string]bool{}
	for _, r := range q.runs {
		for _, t := range r.tokens() {
			if !seen[t] && len([]rune(t)) > 1 {
				seen[t] = true
				out.runs = append(out.runs, run{runes: []rune(t), cjk: r.cjk})
			}
		}
	}
	return out
}

// Parse reads what somebody typed. Every run and word must be found; a word of two or more letters or digits also finds
// longer words that begin with it. Beside others a lone Hanzi is left out, because pairs cannot tell where it stands. A query
// with nothing longer than one character is refused with QUERY_SHORT, one beyond MaxQuery with QUERY_LONG.
func Parse(s string) (Query, error) {
	if utf8.RuneCountInString(s) > MaxQuery {
		return Query{}, ErrLong.On("q")
	}
	var q Query
	long := false
	for _, r := range runs(s) {
		if r.cjk && len(r.runes) == 1 || len(q.runs) == MaxTerms {
			continue
		}
		long = long || len(r.runes) > 1
		q.runs = append(q.runs, r)
	}
	if !long {
		return Query{}, ErrShort.On("q")
	}
	return q, nil
}

// FTS5 returns the query for MATCH over Tokens. Every token is quoted: nothing typed is syntax.
func (q Query) FTS5() string {
	out := make([]string, len(q.runs))
	for i, r := range q.runs {
		out[i] = `"` + strings.ReplaceAll(strings.Join(r.tokens(), " "), `"`, `""`) + `"`
		if r.prefix() {
			out[i] += "*"
		}
	}
	if q.any {
		return strings.Join(out, " OR ")
	}
	return strings.Join(out, " AND ")
}

// TSQuery returns the query for ?::tsquery over Vector.
func (q Query) TSQuery() string {
	out := make([]string, len(q.runs))
	for i, r := range q.runs {
		ts := r.tokens()
		for j, t := range ts {
			ts[j] = lexeme(t)
		}
		out[i] = strings.Join(ts, " <-> ")
		if r.prefix() {
			out[i] += ":*"
		}
	}
	if q.any {
		return strings.Join(out, " | ")
	}
	return strings.Join(out, " & ")
}

// Read is Parse for a list that answers whatever is typed: what is too long is cut, and the note, a sentence for the reader,
// says so. A query with nothing to look for comes back empty (Empty) with its note.
func Read(s string) (q Query, note string) {
	if rs := []rune(s); len(rs) > MaxQuery {
		s, note = string(rs[:MaxQuery]), fmt.Sprintf("搜索内容过长，只按前 %d 个字查找", MaxQuery)
	}
	q, err := Parse(s)
	if err != nil {
		return Query{}, "请至少输入两个字再搜索"
	}
	return q, note
}

// Empty reports that there is nothing to look for.
func (q Query) Empty() bool { return len(q.runs) == 0 }

func (r run) prefix() bool { return !r.cjk && len(r.runes) > 1 }

var quoted = strings.NewReplacer(`'`, `''`, `\`, `\\`)

func lexeme(t string) string { return "'" + quoted.Replace(t) + "'" }

// Terms returns the folded runs and words, for search engines that split by themselves.
func (q Query) Terms() []string {
	out := make([]string, len(q.runs))
	for i, r := range q.runs {
		out[i] = string(r.runes)
	}
	return out
}
