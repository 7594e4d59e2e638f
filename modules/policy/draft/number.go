package draft

import (
	"regexp"
	"strings"
)

// quantity is a number with its unit in a sentence: runes [from, to).
type quantity struct {
	from, to int
	value    string // decimal
	unit     string // one of the units of a clause, or empty
	word     string // the unit as written
	kind     string // money, share, persons, years, months, items, points, bare
}

const (
	arabic  = `\d+(?:,\d{3})*(?:\.\d+)?`
	chinese = `[零〇一二两三四五六七八九十百千]+[零〇一二两三四五六七八九十百千万亿]*(?:点[零〇一二三四五六七八九]+)?`
	units   = `元人民币|人民币元|美元|元|个百分点|百分点|%|‰|成|人次|人|名|周年|个?(?:完整)?(?:的)?(?:会计|纳税|自然)?年度|年|个自然月|个月|月|件|项|分钟|分|平方米|个工作日|个|家|户|吨|台|套|次|天|日|倍|亩|辆|场`
)

var quantities = regexp.MustCompile(`百分之(` + arabic + `|` + chinese + `)|千分之(` + arabic + `|` + chinese + `)|(` + arabic + `)([十百千]?[万亿]{0,2}|[百千])(` + units + `)?|(` + chinese + `)(` + units + `)|半年`)

// quantitiesOf finds the quantities of a string, with places in runes. The unit of a range stands behind its second number:
// the first takes it over.
func quantitiesOf(s string) []quantity {
	var out []quantity
	runesBefore := offsets(s)
	for _, m := range quantities.FindAllStringSubmatchIndex(s, -1) {
		g := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return s[m[2*i]:m[2*i+1]]
		}
		q := quantity{from: runesBefore[m[0]], to: runesBefore[m[1]]}
		switch {
		case g(1) != "":
			q.value, q.word = plainNumber(g(1)), "%"
		case g(2) != "":
			q.value, q.word = shift(plainNumber(g(2)), -1), "%"
		case g(3) != "":
			q.value, q.word = shift(plainNumber(g(3)), power(g(4))), g(5)
			if q.word == "" && strings.HasSuffix(g(4), "万") || q.word == "" && strings.HasSuffix(g(4), "亿") {
				q.kind = "bare"
			}
		case g(6) != "":
			q.value, q.word = plainNumber(g(6)), g(7)
		default:
			q.value, q.word = "6", "个月"
		}
		if q.word == "成" && noTenth.MatchString(s[m[1]:]) { // 两成立
			q.word = ""
		}
		if q.value == "" {
			continue
		}
		q.settle()
		out = append(out, q)
	}
	rs := []rune(s)
	for i := len(out) - 2; i >= 0; i-- {
		if between := string(rs[out[i].to:out[i+1].from]); out[i].word == "" && rangeWord.MatchString(between) {
			a := &out[i]
			b := out[i+1]
			if b.kind == "money" && a.kind != "bare" { // 500~2000万元: the factor is shared
				a.value = shift(a.value, factor(b, rs))
			}
			a.word, a.kind = b.word, ""
			a.settle()
		}
	}
	return out
}

// noTenth is what follows 成 where it is no tenth: 成立, 成果.
var noTenth = regexp.MustCompile(`^[立果员本功效长交绩为品就套]`)

// factor is the power of ten that stands before the unit of q.
func factor(q quantity, rs []rune) int {
	s := string(rs[q.from:q.to])
	return power(strings.TrimLeft(strings.TrimSuffix(s, q.word), "0123456789.,"))
}

// rangeWord is what joins the two numbers of a range; ~ stands for every dash.
var rangeWord = regexp.MustCompile(`^(?:（[不]?含）)?(?:至|到|~+|以上至|以上、|以上，|（含）至|（不含）至)$`)

func (q *quantity) settle() {
	switch q.word {
	case "元", "元人民币", "人民币元":
		q.value, q.unit, q.kind = shift(q.value, -4), "万元", "money"
	case "美元":
		q.value, q.unit, q.kind = shift(q.value, -4), "万美元", "money"
	case "%", "个百分点", "百分点":
		q.unit, q.kind = "%", "share"
	case "‰":
		q.value, q.unit, q.kind = shift(q.value, -1), "%", "share"
	case "成":
		q.value, q.unit, q.kind = shift(q.value, 1), "%", "share"
	case "人", "名":
		q.unit, q.kind = "人", "persons"
	case "年", "周年":
		q.unit, q.kind = "年", "years"
	case "个月", "个自然月":
		q.unit, q.kind = "月", "months"
	case "件", "项", "个":
		q.unit, q.kind = "件", "items"
	case "分":
		q.unit, q.kind = "分", "points"
	case "":
	default:
		q.kind = "rest"
		if strings.HasSuffix(q.word, "年度") { // 两个完整会计年度
			q.unit, q.kind = "年", "years"
		}
	}
}

// offsets gives each byte offset that begins a rune, and the end, its count of runes before.
func offsets(s string) map[int]int {
	out := make(map[int]int, len(s))
	n := 0
	for i := range s {
		out[i] = n
		n++
	}
	out[len(s)] = n
	return out
}

var powers = map[rune]int{'十': 1, '百': 2, '千': 3, '万': 4, '亿': 8}

func power(s string) int {
	n := 0
	for _, r := range s {
		n += powers[r]
	}
	return n
}

var digitOf = map[rune]int64{'零': 0, '〇': 0, '一': 1, '二': 2, '两': 2, '三': 3, '四': 4, '五': 5, '六': 6, '七': 7, '八': 8, '九': 9}

// plainNumber reads 1,200.5 or 一千二百 as a decimal; "" when it is none.
func plainNumber(s string) string {
	if s[0] >= '0' && s[0] <= '9' {
		return trimNumber(strings.ReplaceAll(s, ",", ""))
	}
	whole, frac, _ := strings.Cut(s, "点")
	var total, section, digit int64
	digits := true
	for _, r := range whole {
		d, ok := digitOf[r]
		switch p := powers[r]; {
		case ok && digits && digit > 0 && section == 0 && total == 0:
			digit = digit*10 + d // 二〇二四
		case ok:
			digit = d
		case p < 4:
			digits = false
			if digit == 0 {
				digit = 1
			}
			section += digit * tens(p)
			digit = 0
		default:
			digits = false
			section += digit
			if section == 0 {
				return ""
			}
			if p == 8 {
				total, section = (total+section)*tens(8), 0
			} else {
				total += section * tens(4)
				section = 0
			}
			digit = 0
		}
		if total < 0 || total > 1e16 || digit > 1e9 {
			return ""
		}
	}
	out := itoa(total + section + digit)
	if frac != "" {
		out += "."
		for _, r := range frac {
			out += itoa(digitOf[r])
		}
	}
	return trimNumber(out)
}

func tens(n int) int64 {
	out := int64(1)
	for range n {
		out *= 10
	}
	return out
}

func itoa(n int64) string {
	if n == 0 {
		return "0"
	}
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// shift moves the point of a decimal by n places.
func shift(s string, n int) string {
	whole, frac, _ := strings.Cut(s, ".")
	for ; n > 0; n-- {
		if frac == "" {
			frac = "0"
		}
		whole, frac = whole+frac[:1], frac[1:]
	}
	for ; n < 0; n++ {
		if whole == "" {
			whole = "0"
		}
		whole, frac = whole[:len(whole)-1], whole[len(whole)-1:]+frac
	}
	return trimNumber(whole + "." + frac)
}

// trimNumber writes a decimal as JSON does: no zeros in front or behind that say nothing.
func trimNumber(s string) string {
	whole, frac, _ := strings.Cut(s, ".")
	whole, frac = strings.TrimLeft(whole, "0"), strings.TrimRight(frac, "0")
	if whole == "" {
		whole = "0"
	}
	if len(whole) > 18 || len(frac) > 12 {
		return "" // no amount of this world
	}
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}
