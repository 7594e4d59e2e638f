package draft

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var dayWord = regexp.MustCompile(`(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?(（不?含[^）]{0,6}）)?(以前|之前|前|以后|之后|后|起|以来)(（不?含[^）]{0,6}）)?`)

var dayRange = regexp.MustCompile(`(\d{4})年(\d{1,2})月(\d{1,2})日(?:（含）)?(?:至|到|~)(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日(?:（含）)?(?:期间|之间|间)?`)

// dayRanges finds the days between which a company must have been set up: 2025年1月1日至12月31日期间注册.
func (x *extraction) dayRanges(c *scope, g *segment) {
	m := dayRange.FindStringSubmatchIndex(g.s)
	if m == nil || c.refusal || !established.MatchString(g.s) {
		return
	}
	part := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return g.s[m[2*i]:m[2*i+1]]
	}
	first, ok := dayOf(part(1), part(2), part(3))
	last, also := dayOf(cmp.Or(part(4), part(1)), part(5), part(6))
	if !ok || !also || last < first {
		return
	}
	of := offsets(g.s)
	from, upto := of[m[0]], of[m[1]]
	g.s = g.s[:m[0]] + blank(g.s[m[0]:m[1]]) + g.s[m[1]:]
	l := Clause{Field: Years, Op: "ge", Value: first, Unit: "日期", Subject: established.FindString(g.s)}
	x.whole(c, g, from, upto, l, 88)
	l.Op, l.Value = "le", last
	x.whole(c, g, from, upto, l, 88)
}

var dayAfter = regexp.MustCompile(`(不(?:得)?早于|不(?:得)?晚于|早于|晚于)(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?`)

// dayBound finds the day that a comparison before it names: 成立时间不早于2019年1月1日.
func (x *extraction) dayBound(c *scope, g *segment) {
	m := dayAfter.FindStringSubmatchIndex(g.s)
	if m == nil || !established.MatchString(g.s[:m[0]]) {
		return
	}
	day := "1"
	if m[8] >= 0 {
		day = g.s[m[8]:m[9]]
	}
	value, ok := dayOf(g.s[m[4]:m[5]], g.s[m[6]:m[7]], day)
	if !ok {
		return
	}
	word := strings.Replace(g.s[m[2]:m[3]], "不得", "不", 1)
	op := map[string]string{"不早于": "ge", "不晚于": "le", "早于": "lt", "晚于": "gt"}[word]
	if c.refusal {
		op = turned[op]
	}
	of := offsets(g.s)
	from, upto := of[m[0]], of[m[1]]
	g.s = g.s[:m[0]] + blank(g.s[m[0]:m[1]]) + g.s[m[1]:]
	x.whole(c, g, from, upto, Clause{Field: Years, Op: op, Value: value, Unit: "日期", Subject: established.FindString(g.s)}, 88)
}

// dayOf writes a day as 2006-01-02 when it is one of the calendar.
func dayOf(year, month, day string) (string, bool) {
	y, _ := strconv.Atoi(year)
	m, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	value := fmt.Sprintf("%04d-%02d-%02d", y, m, d)
	_, err := time.Parse(time.DateOnly, value)
	return value, err == nil
}

// days finds the day before or from which a company must have been set up.
func (x *extraction) days(c *scope, g *segment) {
	x.dayRanges(c, g)
	x.dayBound(c, g)
	m := dayWord.FindStringSubmatchIndex(g.s)
	if m == nil || !established.MatchString(g.s) {
		return
	}
	part := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return g.s[m[2*i]:m[2*i+1]]
	}
	day := part(3)
	if day == "" {
		day = "1"
	}
	value, ok := dayOf(part(1), part(2), day)
	if !ok {
		return
	}
	op := "ge"
	if strings.HasSuffix(part(5), "前") {
		op = "le"
	}
	if strings.Contains(part(4)+part(6), "不含") {
		op = map[string]string{"ge": "gt", "le": "lt"}[op]
	}
	if c.refusal {
		op = turned[op]
	}
	of := offsets(g.s)
	upto := of[m[1]]
	g.s = g.s[:m[0]] + blank(g.s[m[0]:m[1]]) + g.s[m[1]:] // its year is no period
	x.whole(c, g, of[m[0]], upto, Clause{Field: Years, Op: op, Value: value, Unit: "日期", Subject: established.FindString(g.s)}, 88)
}

func decimal(s string) json.Number { return json.Number(s) }
