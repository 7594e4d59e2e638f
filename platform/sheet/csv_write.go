package sheet

import (
	"bufio"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CSV writes RFC 4180 for Excel: UTF-8 with its mark, CRLF, every text that needs it in quotes, nothing that a spreadsheet
// would run. It is not safe for concurrent use.
type CSV struct {
	to   *bufio.Writer
	line []byte
}

// NewCSV begins a file: the mark of UTF-8, the row of o.Mark, the head.
func NewCSV(w io.Writer, o Options) (*CSV, error) {
	c := ResumeCSV(w)
	if _, err := c.to.WriteString("\ufeff"); err != nil {
		return nil, err
	}
	if o.Mark != "" {
		if err := c.Write([]Cell{Text(o.Mark)}); err != nil {
			return nil, err
		}
	}
	head := make([]Cell, len(o.Columns))
	for i, col := range o.Columns {
		head[i] = Text(col.Title)
	}
	return c, c.Write(head)
}

// ResumeCSV goes on with a file that was begun: no head is written.
func ResumeCSV(w io.Writer) *CSV { return &CSV{to: bufio.NewWriterSize(w, 64<<10)} }

// Write adds one row.
func (c *CSV) Write(cells []Cell) error {
	b := c.line[:0]
	for i, cell := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		switch cell.kind {
		case empty:
		case text:
			b = quote(b, Neutral(cell.text))
		default:
			b = append(b, cell.String()...)
		}
	}
	b = append(b, "\r\n"...)
	c.line = b
	_, err := c.to.Write(b)
	return err
}

// Flush gives everything written to the stream below.
func (c *CSV) Flush() error { return c.to.Flush() }

// Close flushes; it does not close the stream below.
func (c *CSV) Close() error { return c.Flush() }

func quote(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "\",;\t\r\n'") && s != "" && s[0] != ' ' && s[len(s)-1] != ' ' {
		return append(b, s...)
	}
	b = append(b, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return append(append(b, s...), '"')
		}
		b = append(append(b, s[:i]...), `""`...)
		s = s[i+1:]
	}
}

// formula reports a character that makes a spreadsheet take what follows for a formula, in half and full width.
func formula(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r':
		return true
	}
	return false
}

// blank reports what a spreadsheet may skip before it looks at the first character.
func blank(r rune) bool {
	return r == ' ' || r == '\u00a0' || r == '\u3000' || r == '\ufeff' || r == '\n' || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zs, r)
}

// dangerous reports text that begins like a formula.
func dangerous(s string) bool {
	if s[0] > '@' && s[0] < utf8.RuneSelf || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for _, r := range s {
		if formula(r) {
			return true
		}
		if !blank(r) {
			return false
		}
	}
	return false
}

// Neutral returns s so that no spreadsheet runs it when it reads it from a CSV (OWASP, CSV injection): an apostrophe goes
// before each character that begins a formula at the start of the text, or after a character at which some program splits
// (comma, semicolon, tab, line end, and a quote, where the splitting one ends a field). Control characters that are not
// white space go. Text without such characters is returned as it is.
func Neutral(s string) string {
	if !strings.ContainsAny(s, "=+-@＝＋－＠\t\r\x00") && clean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	start := true
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				continue
			}
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			continue
		}
		if start && formula(r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		switch {
		case r == ',' || r == ';' || r == '\t' || r == '\n' || r == '\r' || r == '"':
			start = true
		case !blank(r):
			start = false
		}
	}
	return b.String()
}

func clean(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\n' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
