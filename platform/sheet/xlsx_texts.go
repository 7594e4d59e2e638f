package sheet

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// texts are many texts in a few pieces of memory, none of which ever moves.
type texts struct {
	blocks [][]byte
	places [][]place // pagefuls
	count  int
	size   int
}

type place struct{ block, from, to uint32 }

const (
	block = 1 << 20 // the size of a piece: more than the longest text
	page  = 1 << 14 // places together
)

func (t *texts) add(s []byte) bool {
	n := len(t.blocks) - 1
	if n < 0 || len(t.blocks[n])+len(s) > block {
		t.blocks = append(t.blocks, make([]byte, 0, block))
		n++
	}
	from := len(t.blocks[n])
	t.blocks[n] = append(t.blocks[n], s...)
	if t.count%page == 0 {
		t.places = append(t.places, make([]place, 0, page))
	}
	last := &t.places[len(t.places)-1]
	*last = append(*last, place{uint32(n), uint32(from), uint32(from + len(s))})
	t.count++
	t.size += len(s)
	return t.size <= maxStrings && t.count <= maxTexts
}

func (t *texts) get(i int) (string, bool) {
	if i < 0 || i >= t.count {
		return "", false
	}
	p := t.places[i/page][i%page]
	return string(t.blocks[p.block][p.from:p.to]), true
}

func (a *archive) sharedStrings() error {
	d, in, err := a.part("xl/sharedStrings.xml")
	if err != nil || d == nil {
		return err
	}
	defer in.Close()
	var item []byte
	depth, phonetic := 0, false
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "si":
				item = item[:0]
			case "t":
				depth++
			case "rPh":
				phonetic = true
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "t":
				depth--
			case "rPh":
				phonetic = false
			case "si":
				if !a.strings.add(item) {
					return ErrBad.With("文件中的文字过多，请拆成几个文件后分别上传").On("file")
				}
			}
		case xml.CharData:
			if depth > 0 && !phonetic {
				if item = append(item, e...); len(item) > 4*MaxCell {
					return ErrBad
				}
			}
		}
	}
}

// unescape reads _x000D_ and its like as Excel does.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == '_' && escapeLike(s[i:]) {
			n, _ := strconv.ParseUint(s[i+2:i+6], 16, 32)
			if r := rune(n); utf8.ValidRune(r) && (r >= ' ' || r == '\n' || r == '\t') {
				b.WriteRune(r)
			}
			i += 7
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}
