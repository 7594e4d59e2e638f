package page

import "github.com/huiqi/huiqi/platform/notation"

// ProseOf is a text in our notation as the portal shows it.
func ProseOf(blocks []notation.Block) Prose {
	spans := func(in []notation.Span) []Link {
		out := make([]Link, 0, len(in))
		for _, s := range in {
			out = append(out, Link{Text: s.Text, URL: s.URL})
		}
		return out
	}
	var p Prose
	for _, b := range blocks {
		k := ProseBlock{Kind: string(b.Kind), Spans: spans(b.Spans), Start: b.Start}
		for _, i := range b.Items {
			k.Items = append(k.Items, spans(i))
		}
		p.Blocks = append(p.Blocks, k)
	}
	return p
}
