package page

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/huiqi/huiqi/platform/clock"
)

// beijing needs no zone database: China has kept UTC+8 without summer time since 1991.
var beijing = time.FixedZone("Asia/Shanghai", 8*60*60)

// functions are what every template may call.
func functions(c clock.Clock, icons map[string]template.HTML) template.FuncMap {
	return template.FuncMap{
		"date":      Date,
		"datetime":  DateTime,
		"isotime":   func(t time.Time) string { return t.In(beijing).Format(time.RFC3339) },
		"ago":       func(t time.Time) string { return Ago(t, c.Now()) },
		"recent":    func(t time.Time) string { return Recent(t, c.Now()) },
		"until":     func(t time.Time) string { return Until(t, c.Now()) },
		"money":     Money,
		"rate":      Rate,
		"count":     CountText,
		"number":    Number,
		"size":      Size,
		"phone":     MaskPhone,
		"highlight": Highlight,
		"nl2br":     Lines,
		"asset":     AssetPath,
		"csrf":      csrfField,
		"add":       func(a, b int) int { return a + b },
		"seq":       seq,
		"icon": func(name string) template.HTML {
			if svg, ok := icons[name]; ok {
				return svg
			}
			return icons["document"] // a name from data must not cost the visitor the page
		},
	}
}

// Date shows a day in Beijing: "2026年11月22日". The zero time is empty.
func Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(beijing).Format("2006年1月2日")
}

// DateTime shows a minute in Beijing: "2026年11月22日 14:05". The zero time is empty.
func DateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(beijing).Format("2006年1月2日 15:04")
}

// Ago says how long before now t was, if less than a day; anything else is shown as DateTime.
func Ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return ""
	case d < 0 || d >= 24*time.Hour:
		return DateTime(t)
	case d < time.Minute:
		return "刚刚"
	case d < time.Hour:
		return fmt.Sprintf("%d 分钟前", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d 小时前", int(d.Hours()))
	}
}

// Recent is Ago for lists where the day is enough: "3 小时前" under a day, else "2026年11月22日".
func Recent(t, now time.Time) string {
	if d := now.Sub(t); d >= 0 && d < 24*time.Hour {
		return Ago(t, now)
	}
	return Date(t)
}

// Until says how a deadline stands: "已截止", "剩 5 小时", "剩 3 天" within two weeks, or empty when it is further off.
func Until(t, now time.Time) string {
	switch d := t.Sub(now); {
	case t.IsZero():
		return ""
	case d <= 0:
		return "已截止"
	case d < time.Hour:
		return "不足 1 小时"
	case d < 24*time.Hour:
		return fmt.Sprintf("剩 %d 小时", int(d.Hours()))
	case d < 15*24*time.Hour:
		return fmt.Sprintf("剩 %d 天", int(d.Hours()/24))
	default:
		return ""
	}
}

// Money shows an amount in fen without losing any: "50 万元", "1.2 亿元", "12,345.67 元".
func Money(fen int64) string {
	const wan, yi = 10_000 * 100, 100_000_000 * 100
	abs := fen
	if abs < 0 {
		abs = -abs
	}
	switch {
	case abs >= yi && fen%(yi/100) == 0:
		return decimal(fen/(yi/100)) + " 亿元"
	case abs >= wan && fen%(wan/100) == 0:
		return decimal(fen/(wan/100)) + " 万元"
	default:
		return decimal(fen) + " 元"
	}
}

// decimal shows hundredths with thousands separators and without needless zeros; 120 is "1.2", but 50 fen is "0.50".
func decimal(hundredths int64) string {
	sign := ""
	u := uint64(hundredths)
	if hundredths < 0 {
		sign, u = "-", -u
	}
	whole, part := group(strconv.FormatUint(u/100, 10)), u%100
	switch {
	case part == 0:
		return sign + whole
	case part%10 == 0:
		return fmt.Sprintf("%s%s.%d", sign, whole, part/10)
	default:
		return fmt.Sprintf("%s%s.%02d", sign, whole, part)
	}
}

// Rate shows basis points as a rate per year: 385 is "3.85%".
func Rate(basisPoints int64) string {
	sign := ""
	u := uint64(basisPoints)
	if basisPoints < 0 {
		sign, u = "-", -u
	}
	return fmt.Sprintf("%s%d.%02d%%", sign, u/100, u%100)
}

// Number shows an integer with thousands separators.
func Number(n int) string {
	if n < 0 {
		return "-" + group(strconv.FormatUint(-uint64(n), 10))
	}
	return group(strconv.Itoa(n))
}

func group(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// CountCap is the most a public list counts; more is shown as "1,000+".
const CountCap = 1000

// CountText shows how many were found, capped.
func CountText(n int) string {
	if n > CountCap {
		return Number(CountCap) + "+"
	}
	return Number(n)
}

// Size shows the size of a file.
func Size(bytes int64) string {
	switch {
	case bytes < 1024:
		return strconv.FormatInt(bytes, 10) + " B"
	case bytes < 1024*1024:
		return strconv.FormatInt(int64(math.Round(float64(bytes)/1024)), 10) + " KB"
	default:
		return strconv.FormatFloat(float64(bytes)/(1024*1024), 'f', 1, 64) + " MB"
	}
}

// MaskPhone hides the middle of a number: "138****5678". What is too short to be masked is hidden entirely.
func MaskPhone(phone string) string {
	r := []rune(phone)
	if len(r) < 8 {
		return strings.Repeat("*", len(r))
	}
	return string(r[:3]) + strings.Repeat("*", len(r)-7) + string(r[len(r)-4:])
}

// Lines keeps the line breaks of a text that a person typed; everything in it is escaped.
func Lines(text string) template.HTML {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	// #nosec G203 -- the text is escaped first
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(text), "\n", "<br>\n"))
}

// Highlight marks the words of query in text; both are escaped. Case is ignored, longer words win.
func Highlight(text, query string) template.HTML {
	var words [][]rune
	for _, w := range strings.FieldsFunc(query, func(r rune) bool { return unicode.IsSpace(r) || r == '，' || r == ',' }) {
		words = append(words, fold(w))
	}
	src, low := []rune(text), fold(text)
	var b strings.Builder
	plain := 0
	for i := 0; i < len(src); {
		n := longest(low[i:], words)
		if n == 0 {
			i++
			continue
		}
		b.WriteString(template.HTMLEscapeString(string(src[plain:i])))
		b.WriteString("<mark>" + template.HTMLEscapeString(string(src[i:i+n])) + "</mark>")
		i += n
		plain = i
	}
	b.WriteString(template.HTMLEscapeString(string(src[plain:])))
	// #nosec G203 -- every piece was escaped
	return template.HTML(b.String())
}

// fold lowers rune by rune, so that positions stay the same.
func fold(s string) []rune {
	r := []rune(s)
	for i := range r {
		r[i] = unicode.ToLower(r[i])
	}
	return r
}

func longest(text []rune, words [][]rune) int {
	best := 0
	for _, w := range words {
		if len(w) > best && len(w) <= len(text) && string(text[:len(w)]) == string(w) {
			best = len(w)
		}
	}
	return best
}

func csrfField(token string) template.HTML {
	// #nosec G203 -- the token is escaped
	return template.HTML(`<input type="hidden" name="_csrf" value="` + template.HTMLEscapeString(token) + `">`)
}

func seq(from, to int) []int {
	var s []int
	for i := from; i <= to; i++ {
		s = append(s, i)
	}
	return s
}
