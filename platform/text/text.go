// Package text cleans what people type and masks what others should not read. Lengths count characters (code points), so
// a four-byte Hanzi such as 𠮷 is one.
package text

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/fault"
)

// The faults of Line and Block, each pointing at the field it was asked for.
var (
	ErrBad      = fault.New(fault.Invalid, "BAD_TEXT", "文字中含有无法识别的字符，请重新输入")
	ErrRequired = fault.New(fault.Invalid, "REQUIRED", "请填写此项")
	ErrShort    = fault.New(fault.Invalid, "TOO_SHORT", "内容太短")
	ErrLong     = fault.New(fault.Invalid, "TOO_LONG", "内容太长")
)

// Line cleans s to one line: valid UTF-8, NFC, no control, zero-width or direction-override characters, runs of white
// space as one space, none at the ends. It returns a fault on field when s is not UTF-8 (BAD_TEXT), empty although min > 0
// (REQUIRED), or outside min to max characters (TOO_SHORT, TOO_LONG). Line(Line(s)) = Line(s).
func Line(field, s string, min, max int) (string, error) {
	return fit(field, s, min, max, func(s string) string { return strings.Join(strings.Fields(s), " ") })
}

// Block is Line for several lines: line ends become \n, tabs spaces, white space at line ends and more than one blank line
// in a row go.
func Block(field, s string, min, max int) (string, error) {
	return fit(field, s, min, max, tidyBlock)
}

// Named puts the word a person knows the field by before the message of a fault of Line or Block; other errors pass as they
// are.
func Named(err error, label string) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	c := *f
	c.Message = label + "：" + f.Message
	if errors.Is(f, ErrRequired) {
		c.Message = "请填写" + label
	}
	c.Fields = nil
	for _, old := range f.Fields {
		c.Fields = append(c.Fields, fault.Field{Name: old.Name, Message: c.Message})
	}
	return &c
}

func fit(field, s string, min, max int, tidy func(string) string) (string, error) {
	if !utf8.ValidString(s) {
		return "", ErrBad.On(field)
	}
	s = tidy(norm.NFC.String(strip(s)))
	n := utf8.RuneCountInString(s)
	switch {
	case n == 0 && min > 0:
		return "", ErrRequired.On(field)
	case n < min:
		return "", ErrShort.With("至少 %d 个字，现为 %d 个字", min, n).On(field)
	case n > max:
		return "", ErrLong.With("最多 %d 个字，现为 %d 个字，请删减", max, n).On(field)
	}
	return s, nil
}

func tidyBlock(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		line = strings.ReplaceAll(strings.TrimRightFunc(line, unicode.IsSpace), "\t", " ")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n", "\v", "\n", "\f", "\n")

// maxMarks is how many marks one letter keeps: no language written here needs more, and a pile of them covers the lines around.
const maxMarks = 4

// Visible removes what cannot be seen or hides what can: control, zero-width and direction-override characters, and more
// than four marks on one letter. Line ends become \n. Line and Block do it themselves.
func Visible(s string) string { return strip(s) }

// strip removes what cannot be seen. It keeps what names and emoji need: ideographic variation selectors, and joiners
// inside emoji.
func strip(s string) string {
	s = lineEnds.Replace(s)
	rs := []rune(s)
	var b strings.Builder
	marks := 0
	for i, r := range rs {
		if !unicode.Is(unicode.Mn, r) {
			marks = 0
		} else if marks++; marks > maxMarks {
			continue
		}
		switch {
		case r == '\n', r == '\t':
		case unicode.IsControl(r):
			continue
		case r == '\u200d' && i > 0 && i+1 < len(rs) && pictorial(rs[i-1]) && pictorial(rs[i+1]):
		case invisible(r):
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func pictorial(r rune) bool {
	return r >= 0x1F000 && r <= 0x1FAFF || r >= 0x2190 && r <= 0x2BFF || r == 0xFE0F
}

// invisible reports format characters (zero-width, direction marks and overrides, tags, byte-order mark), letters that
// render as nothing, and code points that are no characters.
func invisible(r rune) bool {
	switch r {
	case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0:
		return true
	}
	return unicode.Is(unicode.Cf, r) || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF
}

// Truncate cuts s to at most n characters, the last of them … when something was cut. It does not cut within what a person
// sees as one: a letter and its marks, a Hanzi and its variant, an emoji of several. WeChat template fields take 20.
func Truncate(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	rs, end := []rune(s), n-1
	for end > 0 && (within(rs, end) || unicode.IsSpace(rs[end-1])) {
		end--
	}
	return string(rs[:end]) + "…"
}

// within reports whether rs[i] belongs to the character that rs[i-1] is of.
func within(rs []rune, i int) bool {
	switch r := rs[i]; {
	case unicode.Is(unicode.M, r), r == 0x200d, r >= 0x1F3FB && r <= 0x1F3FF: // marks and variants, the joiner, a colour of skin
		return true
	case rs[i-1] == 0x200d:
		return pictorial(r)
	case flag(r):
		before := 0
		for i-before > 0 && flag(rs[i-before-1]) {
			before++
		}
		return before%2 == 1
	}
	return false
}

// flag reports half a flag.
func flag(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// Count returns the number of characters of s as Line and Block count them.
func Count(s string) int { return utf8.RuneCountInString(s) }
