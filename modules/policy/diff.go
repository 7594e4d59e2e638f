package policy

import (
	"unicode"
	"unicode/utf8"
)

// PieceKind says whether words stand in both texts or in one of them.
type PieceKind string

// The kinds of pieces.
const (
	PieceKept PieceKind = "same"
	PieceCut  PieceKind = "removed"
	PieceNew  PieceKind = "added"
)

// Piece is words that stand in both texts or in one of them.
type Piece struct {
	Kind PieceKind `json:"kind" enum:"same,removed,added"`
	Text string    `json:"text"`
}

// Paragraph is one line of a comparison: the same in both, in one only, or changed within.
type Paragraph struct {
	Kind   string  `json:"kind" enum:"same,removed,added,changed"`
	Pieces []Piece `json:"pieces"`
}

// The most lines and words that are compared; what is longer is shown as replaced.
const (
	mostLines = 1500
	mostWords = 3000
)

// paragraphs compares two texts line by line, and lines that replace each other word by word.
func paragraphs(a, b []string) []Paragraph {
	var out []Paragraph
	var cut, fresh []string
	flush := func() {
		out = append(out, pair(cut, fresh)...)
		cut, fresh = nil, nil
	}
	for _, p := range align(a, b, mostLines) {
		switch p.kind {
		case PieceKept:
			flush()
			out = append(out, Paragraph{"same", []Piece{{PieceKept, p.text}}})
		case PieceCut:
			cut = append(cut, p.text)
		default:
			fresh = append(fresh, p.text)
		}
	}
	flush()
	return out
}

// pair sets lines that were taken out beside those that came in their place, in order, where enough of them is alike.
func pair(cut, fresh []string) []Paragraph {
	var out []Paragraph
	next := 0
	for _, old := range cut {
		best := -1
		var changed []Piece
		for i := next; i < len(fresh) && i < next+5; i++ {
			pieces := words(old, fresh[i])
			if alike(pieces, old, fresh[i]) {
				best, changed = i, pieces
				break
			}
		}
		if best < 0 {
			out = append(out, Paragraph{"removed", []Piece{{PieceCut, old}}})
			continue
		}
		for ; next < best; next++ {
			out = append(out, Paragraph{"added", []Piece{{PieceNew, fresh[next]}}})
		}
		out = append(out, Paragraph{"changed", changed})
		next = best + 1
	}
	for ; next < len(fresh); next++ {
		out = append(out, Paragraph{"added", []Piece{{PieceNew, fresh[next]}}})
	}
	return out
}

// alike reports that at least a third of the longer line stands in both.
func alike(pieces []Piece, a, b string) bool {
	n := 0
	for _, p := range pieces {
		if p.Kind == PieceKept {
			n += utf8.RuneCountInString(p.Text)
		}
	}
	return 3*n >= max(utf8.RuneCountInString(a), utf8.RuneCountInString(b))
}

// words compares two lines word by word: a number with its point, a Latin word, or one Chinese character. Single words
// that happen to stand in both between changes are shown as changed with them, which reads better.
func words(a, b string) []Piece {
	var out []Piece
	add := func(kind PieceKind, text string) {
		if n := len(out); n > 0 && out[n-1].Kind == kind {
			out[n-1].Text += text
		} else if text != "" {
			out = append(out, Piece{kind, text})
		}
	}
	var cut, fresh string
	flush := func() {
		add(PieceCut, cut)
		add(PieceNew, fresh)
		cut, fresh = "", ""
	}
	list := align(split(a), split(b), mostWords)
	for i := 0; i < len(list); {
		if list[i].kind != PieceKept {
			if list[i].kind == PieceCut {
				cut += list[i].text
			} else {
				fresh += list[i].text
			}
			i++
			continue
		}
		end := i
		run := ""
		for end < len(list) && list[end].kind == PieceKept {
			run += list[end].text
			end++
		}
		island := utf8.RuneCountInString(run) < 2 && i > 0 && end < len(list) && !unicode.IsPunct([]rune(run)[0])
		if island && (cut != "" || fresh != "") {
			cut, fresh = cut+run, fresh+run
		} else {
			flush()
			add(PieceKept, run)
		}
		i = end
	}
	flush()
	return out
}

// split cuts a line into words.
func split(s string) []string {
	var out []string
	runes := []rune(s)
	for i := 0; i < len(runes); {
		j := i + 1
		class := wordClass(runes[i])
		if class != 0 {
			for j < len(runes) && (wordClass(runes[j]) == class || class == 2 && runes[j] == '.' && j+1 < len(runes) && wordClass(runes[j+1]) == 2) {
				j++
			}
		}
		out = append(out, string(runes[i:j]))
		i = j
	}
	return out
}

// wordClass: 1 Latin letters, 2 digits, 0 what stands alone.
func wordClass(r rune) int {
	switch {
	case r < 0x80 && unicode.IsLetter(r):
		return 1
	case unicode.IsDigit(r):
		return 2
	}
	return 0
}

type aligned struct {
	kind PieceKind
	text string
}

// align compares two lists: the fewest entries are called taken out or new. What both begin and end with is set aside
// first, so that a small change in a long text costs little.
func align(a, b []string, most int) []aligned {
	var head, tail []aligned
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head = append(head, aligned{PieceKept, a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append(tail, aligned{PieceKept, a[len(a)-1]})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	out := append(head, middle(a, b, most)...)
	for i := len(tail) - 1; i >= 0; i-- {
		out = append(out, tail[i])
	}
	return out
}

func middle(a, b []string, most int) []aligned {
	var out []aligned
	all := func(kind PieceKind, list []string) {
		for _, s := range list {
			out = append(out, aligned{kind, s})
		}
	}
	if len(a) > most || len(b) > most {
		all(PieceCut, a)
		all(PieceNew, b)
		return out
	}
	// same[i][j] is the length of what a[i:] and b[j:] have in common.
	width := len(b) + 1
	same := make([]uint16, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				same[i*width+j] = same[(i+1)*width+j+1] + 1
			} else {
				same[i*width+j] = max(same[(i+1)*width+j], same[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			out = append(out, aligned{PieceKept, a[i]})
			i, j = i+1, j+1
		case same[(i+1)*width+j] >= same[i*width+j+1]:
			out = append(out, aligned{PieceCut, a[i]})
			i++
		default:
			out = append(out, aligned{PieceNew, b[j]})
			j++
		}
	}
	all(PieceCut, a[i:])
	all(PieceNew, b[j:])
	return out
}
