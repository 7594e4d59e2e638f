package appraisal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// Rate names one of the figures.
type Rate string

// The rates.
const (
	Response     Rate = "response"     // 响应率: the unit was in touch with the requester
	Solution     Rate = "solution"     // 解决率
	Satisfaction Rate = "satisfaction" // 满意率
	SignTime     Rate = "sign"         // 按时签收率
	HandleTime   Rate = "handle"       // 按时办结率
	Return       Rate = "return"       // 退单率
	Evidence     Rate = "evidence"     // 佐证完整率
)

// Rates are all figures in the order in which they are shown.
var Rates = []Rate{Response, Solution, Satisfaction, SignTime, HandleTime, Return, Evidence}

var rateLabels = map[Rate]string{
	Response: "响应率", Solution: "解决率", Satisfaction: "满意率", SignTime: "按时签收率", HandleTime: "按时办结率", Return: "退单率", Evidence: "佐证完整率",
}

// Label is the Chinese name of the rate.
func (r Rate) Label() string { return rateLabels[r] }

// Class is what a case is for one rate.
type Class string

// classes are what a case may be for each rate, with the word for it, in the order in which they are shown.
var classes = map[Rate][]struct {
	Class Class
	Label string
}{
	Response: {{"yes", "已主动联系"}, {"no", "未联系"}, {"presumed", "未询问但按时反馈"}, {"presumed_no", "未询问且超时反馈"}, {"none", "未反馈"}},
	Solution: {{"solved", "已解决"}, {"unsolved", "未解决"}, {"unreached", "未接通"}, {"refused", "拒访"}, {"uncalled", "未抽中回访"}, {"none", "未回访"}},
	Satisfaction: {{"5", "非常满意"}, {"4", "满意"}, {"3", "基本满意"}, {"2", "不满意"}, {"1", "非常不满意"}, {"unreached", "未接通"}, {"refused", "拒访"},
		{"uncalled", "未抽中回访"}, {"none", "未回访"}},
	SignTime:   {{"met", "按时签收"}, {"late", "超时签收"}, {"never", "未签收"}, {"none", "无签收环节"}},
	HandleTime: {{"met", "按时办结"}, {"late", "超时办结"}, {"none", "未反馈"}},
	Return:     {{"returned", "退单"}, {"kept", "未退单"}},
	Evidence:   {{"complete", "完整有效"}, {"incomplete", "不完整"}, {"invalid", "审核认定无效"}, {"none", "不要求佐证"}},
}

// Label is the word for the class of a rate.
func (r Rate) classLabel(c Class) string {
	for _, k := range classes[r] {
		if k.Class == c {
			return k.Label
		}
	}
	return string(c)
}

// Exclusion is why a case may be left out.
type Exclusion string

// The exclusions. Whether a formula follows one is its own to say.
const (
	Appealed Exclusion = "appeal"    // 申诉成立
	Joined   Exclusion = "duplicate" // 并单重复件
	Voided   Exclusion = "void"      // 作废
	Declined Exclusion = "declined"  // 不予受理
	GaveBack Exclusion = "returned"  // 同意退单
	Recalled Exclusion = "recalled"  // 超期未签收收回
	Lapsed   Exclusion = "lapsed"    // 企业未补充材料而办结
)

var exclusionLabels = map[Exclusion]string{
	Appealed: "申诉成立", Joined: "并单重复件", Voided: "作废", Declined: "不予受理", GaveBack: "同意退单", Recalled: "超期未签收收回", Lapsed: "企业未补充材料办结",
}

// Label is the Chinese name of the exclusion.
func (e Exclusion) Label() string { return exclusionLabels[e] }

// Line is a row of the decision table: a case of this class counts in the denominator of the rate, and Good in the numerator.
// A class without a line counts in neither.
type Line struct {
	Rate  Rate  `json:"rate" enum:"response,solution,satisfaction,sign,handle,return,evidence"`
	Class Class `json:"class"`
	Good  bool  `json:"good"`
}

// Omission leaves the cases of an exclusion out of some rates.
type Omission struct {
	Exclusion Exclusion `json:"exclusion" enum:"appeal,duplicate,void,declined,returned,recalled,lapsed"`
	Rates     []Rate    `json:"rates" enum:"response,solution,satisfaction,sign,handle,return,evidence"`
}

// Weight is the share of a rate in the score by which units are ranked, in percent.
type Weight struct {
	Rate    Rate `json:"rate" enum:"response,solution,satisfaction,sign,handle,return,evidence"`
	Percent int  `json:"percent"`
}

// Body is what a formula says.
type Body struct {
	Lines     []Line     `json:"lines"`
	Omissions []Omission `json:"omissions"`
	Weights   []Weight   `json:"weights"`
	// MinCases is how many cases a weighted rate must have before a unit is ranked.
	MinCases int `json:"minCases"`
}

// Standard is the formula that an installation begins with: practice of municipal hotlines, a setting and no rule of law.
func Standard() Body {
	b := Body{MinCases: 5, Weights: []Weight{{Response, 30}, {Solution, 40}, {Satisfaction, 30}}}
	add := func(r Rate, good bool, list ...Class) {
		for _, c := range list {
			b.Lines = append(b.Lines, Line{r, c, good})
		}
	}
	add(Response, true, "yes", "presumed")
	add(Response, false, "no", "presumed_no")
	add(Solution, true, "solved")
	add(Solution, false, "unsolved")
	add(Satisfaction, true, "5", "4", "3")
	add(Satisfaction, false, "2", "1")
	add(SignTime, true, "met")
	add(SignTime, false, "late", "never")
	add(HandleTime, true, "met")
	add(HandleTime, false, "late")
	add(Return, true, "returned")
	add(Return, false, "kept")
	add(Evidence, true, "complete")
	add(Evidence, false, "incomplete", "invalid")
	b.Omissions = []Omission{
		{Appealed, []Rate{Response, Solution, Satisfaction}},
		{Joined, Rates},
		{Voided, Rates},
		{Declined, Rates},
		{GaveBack, []Rate{Response, Solution, Satisfaction, HandleTime, Evidence}},
		{Recalled, []Rate{Response, Solution, Satisfaction, HandleTime, Evidence, Return}},
		{Lapsed, []Rate{Response, Solution, Satisfaction, HandleTime, Evidence}},
	}
	return b
}

// Check returns a fault that says what is wrong with a formula.
func (b Body) Check() error {
	var errs []error
	seen := map[string]bool{}
	for _, l := range b.Lines {
		key := string(l.Rate) + "/" + string(l.Class)
		if l.Rate.Label() == "" || l.Rate.classLabel(l.Class) == string(l.Class) {
			errs = append(errs, fault.InvalidField("lines", "FORMULA_LINE", "口径中有未知的指标或情形："+key))
		} else if seen[key] {
			errs = append(errs, fault.InvalidField("lines", "FORMULA_LINE", l.Rate.Label()+"的“"+l.Rate.classLabel(l.Class)+"”重复出现，请只保留一行"))
		}
		seen[key] = true
	}
	for _, o := range b.Omissions {
		if o.Exclusion.Label() == "" || slices.ContainsFunc(o.Rates, func(r Rate) bool { return r.Label() == "" }) {
			errs = append(errs, fault.InvalidField("omissions", "FORMULA_OMISSION", "口径中有未知的剔除情形："+string(o.Exclusion)))
		}
	}
	sum := 0
	for _, w := range b.Weights {
		if w.Rate.Label() == "" || w.Percent < 0 {
			errs = append(errs, fault.InvalidField("weights", "FORMULA_WEIGHT", "权重须为已知指标的非负百分数"))
		}
		sum += w.Percent
	}
	if sum != 100 {
		errs = append(errs, fault.InvalidField("weights", "FORMULA_WEIGHT", fmt.Sprintf("各项权重之和须为 100%%，现为 %d%%", sum)))
	}
	if b.MinCases < 1 || b.MinCases > 1000 {
		errs = append(errs, fault.InvalidField("minCases", "FORMULA_MIN", "参与排名的最少件数须在 1 至 1000 之间"))
	}
	return fault.Merge(errs...)
}

// counts reports whether a case of the class, with the exclusion, counts for the rate, and whether it is good.
func (b Body) counts(r Rate, c Class, x Exclusion) (counted, good bool) {
	if b.omits(r, x) {
		return false, false
	}
	for _, l := range b.Lines {
		if l.Rate == r && l.Class == c {
			return true, l.Good
		}
	}
	return false, false
}

func (b Body) omits(r Rate, x Exclusion) bool {
	return x != "" && slices.ContainsFunc(b.Omissions, func(o Omission) bool { return o.Exclusion == x && slices.Contains(o.Rates, r) })
}

// Words say for a person what a rate is under this formula.
func (b Body) Words(r Rate) string {
	var good, all, out []string
	for _, k := range classes[r] {
		if counted, isGood := b.counts(r, k.Class, ""); counted {
			all = append(all, k.Label)
			if isGood {
				good = append(good, k.Label)
			}
		}
	}
	for _, o := range b.Omissions {
		if slices.Contains(o.Rates, r) {
			out = append(out, o.Exclusion.Label())
		}
	}
	s := r.Label() + " = （" + strings.Join(good, "＋") + "）÷（" + strings.Join(all, "＋") + "）"
	if len(out) > 0 {
		s += "，剔除" + strings.Join(out, "、")
	}
	return s
}

func checkMonth(field, m string) error {
	if !clock.IsMonth(m) {
		return fault.InvalidField(field, "MONTH", "请选择月份，如 2026-11")
	}
	return nil
}
