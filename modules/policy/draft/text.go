package draft

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text is a text made even for reading: half-width letters and digits, full-width punctuation, no spaces, no line breaks
// that only wrap. at gives each rune its place in the original, so that every quote is cut from the original.
type text struct {
	original  string
	head      string // title and source, even
	runes     []rune
	at        []int // byte offset of each rune in original, and one more for the end
	sentences []sentence
	kinds     []kind // of the headings found
}

// kind is what a part of the text is about.
type kind int

const (
	neutral kind = iota
	conditions
	refusals // those who are refused
	aside    // materials, procedures, support, contacts
)

// sentence is runes [from, to) of a part of a kind.
type sentence struct {
	from, to int
	kind     kind
	oneOf    bool // its list asks for one of its items
	list     int  // which of those lists
	item     int  // of which line it is
	headed   bool // first of several in an item: it may only name what the item is about
}

var sourceLine = regexp.MustCompile(`(?m)^\s*来源[：:].*$`)

// titleLine is the first line of a bare text that only names it.
var titleLine = regexp.MustCompile(`^[^。；，：:]+(?:办法|通知|细则|措施|指南|方案|规程|公告|政策|意见|指引|规定|清单|计划|举措|试行）|试行\))$`)
var bodyLine = regexp.MustCompile(`(?m)^\s*正文[：:][ \t\r]*`)

// open reads a text with its head, if it has one.
func open(original string) *text {
	t := &text{original: original}
	start := 0
	if m := bodyLine.FindStringIndex(original); m != nil && (m[0] < 2000 || sourceLine.MatchString(original[:m[0]])) {
		start = m[1]
		t.head = even(original[:m[0]])
	} else if line, _, ok := strings.Cut(original, "\n"); ok && utf8.RuneCountInString(line) < 60 && utf8.RuneCountInString(line) > 8 && number(even(line)) == 0 && titleLine.MatchString(strings.TrimSpace(line)) {
		t.head, start = even(line), len(line)+1
	}
	t.even(start)
	t.divide()
	return t
}

func even(s string) string {
	t := &text{original: s}
	t.even(0)
	return string(t.runes)
}

var punctuation = map[rune]rune{';': '；', ':': '：', '(': '（', ')': '）', '?': '？', '!': '！', '“': '"', '”': '"', '「': '"', '」': '"', '『': '"', '』': '"', '＂': '"',
	'～': '~', '—': '~', '–': '~', '－': '~', '-': '~', '∼': '~', '≧': '≥', '≦': '≤', '⩾': '≥', '⩽': '≤', '〔': '（', '〕': '）', '﹪': '%', '·': '、'}

func (t *text) even(start int) {
	body := t.original[start:]
	soft := wraps(body)
	for i, r := range body {
		switch {
		case r == '\n' && !soft[i]:
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), unicode.IsControl(r):
			continue
		case r >= 'Ａ' && r <= 'Ｚ', r >= 'ａ' && r <= 'ｚ', r >= '０' && r <= '９', r == '．', r == '％', r == '＋', r == '／', r == '＜', r == '＞', r == '＝', r == '＆':
			r -= 0xFEE0
		case r == ',':
			if !betweenDigits(body, i) {
				r = '，'
			}
		default:
			if p, ok := punctuation[r]; ok {
				r = p
			}
		}
		t.runes = append(t.runes, r)
		t.at = append(t.at, start+i)
	}
	t.at = append(t.at, len(t.original))
	plainNumerals(t.runes)
}

// formal are the numerals of cheques with the plain ones.
var formal = map[rune]rune{'壹': '一', '贰': '二', '叁': '三', '肆': '四', '伍': '五', '陆': '六', '柒': '七', '捌': '八', '玖': '九', '拾': '十', '佰': '百', '仟': '千'}

// plainNumerals writes 叁佰万元 as 三百万元: where a formal numeral stands beside another or beside 万 or 亿, for most of
// them are parts of names as well (大陆, 队伍).
func plainNumerals(rs []rune) {
	number := func(i int) bool {
		return i >= 0 && i < len(rs) && (formal[rs[i]] != 0 || strings.ContainsRune("一二三四五六七八九十百千万亿零", rs[i]))
	}
	for i, r := range rs {
		if p := formal[r]; p != 0 && (number(i-1) || number(i+1)) {
			rs[i] = p
		}
	}
}

func betweenDigits(s string, i int) bool {
	return i > 0 && i+1 < len(s) && s[i-1] >= '0' && s[i-1] <= '9' && s[i+1] >= '0' && s[i+1] <= '9'
}

// wraps finds the line breaks that only wrap a sentence: the line is long and ends without a stop, and the next begins no
// item or heading.
func wraps(body string) map[int]bool {
	soft := map[int]bool{}
	from := 0
	for i := 0; i < len(body); i++ {
		if body[i] != '\n' {
			continue
		}
		line := strings.TrimSpace(body[from:i])
		from = i + 1
		next, _, _ := strings.Cut(body[i+1:], "\n")
		next = strings.TrimSpace(next)
		if utf8.RuneCountInString(line) < 18 || next == "" {
			continue
		}
		last, _ := utf8.DecodeLastRuneInString(line)
		if strings.ContainsRune("。；：！？;:!?】", last) || number(even(next)) > 0 || headingKind(even(next)) != neutral && utf8.RuneCountInString(next) < 14 {
			continue
		}
		soft[i] = true
	}
	return soft
}

// quote cuts runes [from, to) from the original and returns it with its place, shortened around [keep, upto) when too long.
func (t *text) quote(from, to, keep, upto int) (string, int, int) {
	for from < to && strings.ContainsRune("，；。：、\n", t.runes[from]) {
		from++
	}
	for to > from && strings.ContainsRune("，；。：、\n", t.runes[to-1]) {
		to--
	}
	if from >= to {
		return "", 0, 0
	}
	length := func() int { return utf8.RuneCountInString(t.original[t.at[from]:t.end(to)]) }
	for length() > MaxQuote && to > upto { // first what follows, back to a pause
		to--
		for to > upto && !strings.ContainsRune("，、；）的", t.runes[to]) {
			to--
		}
	}
	for length() > MaxQuote && from < keep {
		from++
		for from < keep && !strings.ContainsRune("，、；：（", t.runes[from-1]) {
			from++
		}
	}
	for length() > MaxQuote && to > from+1 {
		to--
	}
	a, b := t.at[from], t.end(to)
	q := t.original[a:b]
	if utf8.RuneCountInString(q) > MaxQuote { // one rune and much white space
		return "", 0, 0
	}
	return q, a, b
}

// end is the byte behind rune to-1.
func (t *text) end(to int) int {
	_, n := utf8.DecodeRuneInString(t.original[t.at[to-1]:])
	return t.at[to-1] + n
}

func (t *text) string(from, to int) string { return string(t.runes[from:to]) }
