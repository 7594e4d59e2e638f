package criteria

import (
	"fmt"
	"time"
)

func (l *leaf) amountText(n int64) string {
	switch l.field.Kind {
	case Ratio:
		return show(n, 10) + " 个百分点"
	case Count:
		return count(n, l.unit)
	}
	return money(n)
}

// number shows a bound.
func (l *leaf) number(n int64) string {
	switch {
	case l.field.Kind == Date:
		return showDay(time.Unix(n, 0).UTC())
	case l.field.Kind == Ratio || l.op == RatioGte:
		return show(n, 10) + "%"
	case l.field.Kind == Money:
		return money(n)
	}
	return count(n, l.unit)
}

// required says in Chinese what the clause asks.
func (l *leaf) required() string {
	if l.years > 0 && l.op != Human {
		return l.requiredOver()
	}
	return l.requiredNow()
}

// requiredOver says what is asked of several years: 近三年均不低于 2,000 万元.
func (l *leaf) requiredOver() string {
	word := lastYears(l.years) + overText[l.over]
	switch {
	case l.op == Between:
		return word + "在 " + l.between() + "之间"
	case l.of.Name != "" && l.over == overTotal:
		return fmt.Sprintf("%s占%s合计的比例不低于 %s", word, l.of.Yearly, l.number(l.lo))
	case l.of.Name != "" && l.over == overEach:
		return fmt.Sprintf("%s占%s的比例均不低于 %s", lastYears(l.years), l.of.Yearly, l.number(l.lo))
	case l.of.Name != "":
		return fmt.Sprintf("%s占%s的比例不低于 %s", word, l.of.Yearly, l.number(l.lo))
	}
	return word + l.requiredNow()
}

func (l *leaf) requiredNow() string {
	switch l.op {
	case Human:
		return ""
	case In, Under:
		return "属于：" + l.field.labels(l.codes)
	case Has:
		return l.when("持有有效的：", "取得：") + l.field.labels(l.codes)
	case NotOn:
		if l.field.Event {
			return l.when("没有公示期内的：", "没有：") + l.field.labels(l.codes)
		}
		return l.when("未列入：", "未列入：") + l.field.labels(l.codes)
	case YearsSinceGte:
		return fmt.Sprintf("至今满 %d 年", l.lo)
	case YearsSinceLte:
		return fmt.Sprintf("至今不超过 %d 年", l.lo)
	case YearsSinceLt:
		return fmt.Sprintf("至今不满 %d 年", l.lo)
	case Between:
		return l.between()
	case RatioGte:
		if l.of.Name != "" {
			return fmt.Sprintf("占%s的比例不低于 %s", l.of.Label, l.number(l.lo))
		}
	}
	prefix := map[Op]string{Eq: "等于 ", Ne: "不等于 ", Gt: "超过 ", Gte: "不低于 ", Lt: "低于 ", Lte: "不超过 ", RatioGte: "不低于 "}[l.op]
	switch l.field.Kind {
	case Category:
		return map[Op]string{Eq: "是：", Ne: "不是："}[l.op] + l.field.labels(l.codes)
	case Flag:
		return yes(l.flag == (l.op == Eq))
	case Date:
		prefix = map[Op]string{Eq: "等于 ", Ne: "不等于 ", Gt: "晚于 ", Gte: "不早于 ", Lt: "早于 ", Lte: "不晚于 "}[l.op]
	}
	return prefix + l.number(l.lo)
}

// between says a range; an end that is not part of it says so.
func (l *leaf) between() string {
	lo, hi := l.number(l.lo), l.number(l.hi)
	if l.openLo {
		lo = l.number(l.lo-l.step()) + "（不含）"
	}
	if l.openHi {
		hi = l.number(l.hi+l.step()) + "（不含）"
	}
	return lo + " 至 " + hi
}

// found says before the name of an entry that it speaks against the company.
func (l *leaf) found() string {
	switch {
	case !l.field.Event:
		return "已列入："
	case l.within != 0:
		return fmt.Sprintf("近 %d 年内有：", l.within)
	}
	return "在公示期内："
}

// when puts the day or the years before what is to be held.
func (l *leaf) when(onDay, within string) string {
	switch {
	case l.on != 0:
		return "在 " + showDay(time.Unix(l.on, 0).UTC()) + onDay
	case l.within != 0:
		return fmt.Sprintf("近 %d 年内", l.within) + within
	}
	return onDay
}

func yes(b bool) string {
	if b {
		return "是"
	}
	return "否"
}
