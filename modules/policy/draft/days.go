package draft

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var dayWord = regexp.MustCompile(`(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?(（不?含[^）]{0,6}）)?(以前|之前|前|以后|之后|后|起|以来)(（不?含[^）]{0,6}）)?`)

// days finds the day before or from which a company must have been set up.
func (x *extraction) days(c *scope, g *segment) {
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
	y, _ := strconv.Atoi(part(1))
	mo, _ := strconv.Atoi(part(2))
	d, _ := strconv.Atoi(day)
	value := fmt.Sprintf("%04d-%02d-%02d", y, mo, d)
	if _, err := time.Parse(time.DateOnly, value); err != nil {
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
