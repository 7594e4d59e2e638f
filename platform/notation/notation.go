// Package notation is the small notation in which people of the office write longer texts: news, help, answers of the
// knowledge base. It knows paragraphs, headings, lists, numbered steps and links; there is no HTML in it, so nothing to
// clean: whatever looks like markup is text and is escaped where it is shown.
package notation

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// BlockKind is what a piece of a text is.
type BlockKind string

// The kinds of pieces.
const (
	Paragraph BlockKind = "paragraph"
	Heading   BlockKind = "heading"
	List      BlockKind = "list"
	Steps     BlockKind = "steps"
)

// Block is one piece of a text. A paragraph and a heading have Spans, a list and steps have Items.
type Block struct {
	Kind  BlockKind `json:"kind" enum:"paragraph,heading,list,steps"`
	Spans []Span    `json:"spans,omitempty"`
	Items [][]Span  `json:"items,omitempty"`
	Start int       `json:"start,omitempty" doc:"Number of the first step."`
}

// Span is a stretch of text; with a URL it is a link. The text is as typed: escape it where it is shown.
type Span struct {
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
}

var (
	numbered = regexp.MustCompile(`^(\d{1,2})\.\s+(\S.*)$`)
	linked   = regexp.MustCompile(`\[([^\[\]]+)\]\(([^()\s]+)\)`)
)

// Blocks reads the notation: every line is a paragraph, "# " begins a heading, "- " an entry of a list, "1. " a step, and
// [文字](网址) is a link. Nothing else is syntax. A link leads to an http or https address or to a path of this site; what
// leads anywhere else stays text.
func Blocks(body string) []Block {
	var out []Block
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		last := len(out) - 1
		if text, ok := strings.CutPrefix(line, "# "); ok {
			out = append(out, Block{Kind: Heading, Spans: spans(strings.TrimSpace(text))})
		} else if text, ok := strings.CutPrefix(line, "- "); ok {
			if last < 0 || out[last].Kind != List {
				out = append(out, Block{Kind: List})
				last++
			}
			out[last].Items = append(out[last].Items, spans(strings.TrimSpace(text)))
		} else if m := numbered.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			if last < 0 || out[last].Kind != Steps || n != out[last].Start+len(out[last].Items) {
				out = append(out, Block{Kind: Steps, Start: n})
				last++
			}
			out[last].Items = append(out[last].Items, spans(m[2]))
		} else {
			out = append(out, Block{Kind: Paragraph, Spans: spans(line)})
		}
	}
	return out
}

// spans finds the links of a line.
func spans(line string) []Span {
	var out []Span
	plain := 0
	for _, m := range linked.FindAllStringSubmatchIndex(line, -1) {
		target := line[m[4]:m[5]]
		if !follows(target) {
			continue
		}
		if m[0] > plain {
			out = append(out, Span{Text: line[plain:m[0]]})
		}
		out = append(out, Span{Text: line[m[2]:m[3]], URL: target})
		plain = m[1]
	}
	if plain < len(line) {
		out = append(out, Span{Text: line[plain:]})
	}
	return out
}

// follows reports whether a reader may be led to the address.
func follows(target string) bool {
	u, err := url.Parse(target)
	if err != nil || strings.ContainsAny(target, "\\\"'<>") || u.User != nil {
		return false
	}
	if u.Scheme == "" {
		return strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//")
	}
	return (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// Plain is the text without its notation, one line for each piece, for searching and summaries.
func Plain(body string) string {
	var b strings.Builder
	line := func(ss []Span) {
		for _, s := range ss {
			b.WriteString(s.Text)
		}
		b.WriteByte('\n')
	}
	for _, k := range Blocks(body) {
		if k.Spans != nil {
			line(k.Spans)
		}
		for _, i := range k.Items {
			line(i)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
