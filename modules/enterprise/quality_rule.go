package enterprise

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// The dimensions of the quality of data, as GB/T 36344-2018 names them; 唯一 is told apart from 一致 here.
const (
	dimComplete   = "complete"
	dimConsistent = "consistent"
	dimAccurate   = "accurate"
	dimTimely     = "timely"
	dimUnique     = "unique"
)

// dimensions are the dimensions in the order in which they are shown.
var dimensions = [][2]string{{dimComplete, "完整性"}, {dimConsistent, "一致性"}, {dimAccurate, "准确性"}, {dimTimely, "及时性"}, {dimUnique, "唯一性"}}

func dimensionName(code string) string {
	for _, d := range dimensions {
		if d[0] == code {
			return d[1]
		}
	}
	return ""
}

// What a rule may check. Every check but present and unique passes over a field that is empty: that is for present to say.
const (
	checkPresent  = "present"  // the field is filled
	checkValid    = "valid"    // the field could be read as what it is
	checkMatches  = "matches"  // the field is as the regular expression says
	checkRange    = "range"    // a number within "least..most"
	checkOneOf    = "one_of"   // one of "a|b|c"
	checkWithin   = "within"   // a day that lies at most so many days back, and not ahead
	checkRequires = "requires" // with the field the other one is filled
	checkUnique   = "unique"   // the record is not there twice, or nearly
)

var checkNames = map[string]string{checkPresent: "必须填写", checkValid: "格式正确", checkMatches: "符合格式", checkRange: "数值范围", checkOneOf: "取值范围", checkWithin: "不早于若干天前",
	checkRequires: "填写时须同时填写", checkUnique: "不重复"}

// What happens to a record that fails a rule.
const (
	actScore  = "score"  // it counts against the score
	actReview = "review" // and a person must decide before it is published
)

// QualityRule is one rule that records of companies are held against.
type QualityRule struct {
	Code      string `json:"code" maxLength:"40" doc:"Letters, digits and hyphens; tells the rules apart."`
	Name      string `json:"name" maxLength:"200"`
	Dimension string `json:"dimension" enum:"complete,consistent,accurate,timely,unique"`
	Field     string `json:"field" maxLength:"40" doc:"A field of the register."`
	Check     string `json:"check" enum:"present,valid,matches,range,one_of,within,requires,unique"`
	Arg       string `json:"arg,omitempty" maxLength:"300"`
	Weight    int    `json:"weight" minimum:"1" maximum:"100"`
	// Threshold is how many of a hundred records must pass for the rule to be met.
	Threshold int    `json:"threshold" minimum:"0" maximum:"100"`
	Action    string `json:"action" enum:"score,review"`

	pattern     *regexp.Regexp
	least, most int64
	days        int
}

// importFields are the fields of a register that rules may name, with their titles.
func importFields(t sheet.Target) map[string]string {
	out := map[string]string{}
	for _, f := range t.Fields {
		out[f.Key] = f.Title
	}
	return out
}

var ruleCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)

// ready checks a rule and prepares it; titles are the fields it may name.
func (q *QualityRule) ready(titles map[string]string) error {
	bad := func(field, message string) error { return fault.InvalidField(field, "QUALITY_RULE", message) }
	var err error
	if q.Name, err = line("name", "规则名称", q.Name, 2, 60); err != nil {
		return err
	}
	switch {
	case !ruleCode.MatchString(q.Code):
		return bad("code", "规则编码应为 1 至 40 位字母、数字、横线")
	case dimensionName(q.Dimension) == "":
		return bad("dimension", "维度应为完整性、一致性、准确性、及时性、唯一性之一")
	case titles[q.Field] == "":
		return bad("field", "没有这个字段，请填写企业名录中的列名")
	case checkNames[q.Check] == "":
		return bad("check", "没有这种检查方式")
	case q.Weight < 1 || q.Weight > 100:
		return bad("weight", "权重应为 1 至 100 的整数")
	case q.Threshold < 0 || q.Threshold > 100:
		return bad("threshold", "达标线应为 0 至 100 的整数（百分比）")
	case q.Action != actScore && q.Action != actReview:
		return bad("action", "不通过时的处理应为“只计分”或“人工审核”")
	case q.Action == actReview && (q.Check == checkUnique || q.Check == checkValid):
		return bad("action", "“格式正确”和“不重复”由检查和去重处理，请选择“只计分”")
	}
	return q.readArg(titles, bad)
}

func (q *QualityRule) readArg(titles map[string]string, bad func(field, message string) error) error {
	var err error
	switch q.Check {
	case checkMatches:
		if q.pattern, err = regexp.Compile(`^(?:` + q.Arg + `)$`); err != nil || q.Arg == "" {
			return bad("arg", "参数应为正则表达式，例如 [0-9A-Z]{18}")
		}
	case checkRange:
		least, most, ok := strings.Cut(q.Arg, "..")
		var e1, e2 error
		q.least, e1 = strconv.ParseInt(strings.TrimSpace(least), 10, 64)
		q.most, e2 = strconv.ParseInt(strings.TrimSpace(most), 10, 64)
		if !ok || e1 != nil || e2 != nil || q.least > q.most {
			return bad("arg", "参数应为“最小..最大”，最小不大于最大，例如 1..100000")
		}
	case checkOneOf:
		if strings.Trim(q.Arg, "| ") == "" {
			return bad("arg", "参数应为用“|”分开的取值，例如 存续|在业")
		}
	case checkWithin:
		if q.days, err = strconv.Atoi(strings.TrimSpace(q.Arg)); err != nil || q.days < 1 || q.days > 36600 {
			return bad("arg", "参数应为天数，1 至 36600")
		}
	case checkRequires:
		if titles[q.Arg] == "" || q.Arg == q.Field {
			return bad("arg", "参数应为另一个字段的编码")
		}
	default:
		q.Arg = ""
	}
	return nil
}

// pass reports whether the values of a record pass; a field that is empty passes all but present.
func (q *QualityRule) pass(v map[string]string, now time.Time) bool {
	_, ok := q.test(sheet.Scored{Record: sheet.Record{Values: v}}, now)
	return ok
}

// repeats are the problems of a record that is there twice, or nearly.
var repeats = []string{"DUPLICATE_ROW", flagNearCode, flagOldNumber, "OLD_NUMBER"}

// test holds a row against the rule: whether it says anything about it, and whether the row passes.
func (q *QualityRule) test(r sheet.Scored, now time.Time) (tested, ok bool) {
	v := r.Values[q.Field]
	switch {
	case q.Check == checkUnique:
		return true, !slices.ContainsFunc(r.Problems, func(p sheet.RowProblem) bool { return slices.Contains(repeats, p.Code) })
	case q.Check == checkPresent:
		return true, v != ""
	case v == "":
		return false, true
	}
	switch q.Check {
	case checkValid:
		return true, !slices.ContainsFunc(r.Problems, func(p sheet.RowProblem) bool {
			return p.Field == q.Field && p.Code != flagNearCode && p.Code != flagQuality
		})
	case checkMatches:
		return true, q.pattern.MatchString(v)
	case checkRange:
		n, err := strconv.ParseInt(v, 10, 64)
		return true, err == nil && n >= q.least && n <= q.most
	case checkOneOf:
		return true, slices.Contains(strings.Split(q.Arg, "|"), v)
	case checkWithin:
		day, err := time.ParseInLocation(time.DateOnly, v, clock.Beijing)
		return true, err == nil && !day.After(now) && now.Sub(day) <= time.Duration(q.days)*24*time.Hour
	case checkRequires:
		return true, r.Values[q.Arg] != ""
	}
	return false, true
}

// firstRules are the rules an installation begins with.
func firstRules() []QualityRule {
	return []QualityRule{
		{Code: "name-present", Name: "企业名称已填写", Dimension: dimComplete, Field: "name", Check: checkPresent, Weight: 10, Threshold: 100, Action: actScore},
		{Code: "code-present", Name: "统一社会信用代码已填写", Dimension: dimComplete, Field: "creditCode", Check: checkPresent, Weight: 10, Threshold: 100, Action: actScore},
		{Code: "person-present", Name: "法定代表人已填写", Dimension: dimComplete, Field: "legalPerson", Check: checkPresent, Weight: 5, Threshold: 95, Action: actScore},
		{Code: "region-present", Name: "所在街道（镇）已填写", Dimension: dimComplete, Field: "region", Check: checkPresent, Weight: 5, Threshold: 95, Action: actScore},
		{Code: "industry-present", Name: "所属行业已填写", Dimension: dimComplete, Field: "industry", Check: checkPresent, Weight: 5, Threshold: 90, Action: actScore},
		{Code: "code-valid", Name: "统一社会信用代码校验正确", Dimension: dimAccurate, Field: "creditCode", Check: checkValid, Weight: 10, Threshold: 99, Action: actScore},
		{Code: "industry-valid", Name: "行业在国民经济行业分类内", Dimension: dimAccurate, Field: "industry", Check: checkValid, Weight: 5, Threshold: 98, Action: actScore},
		{Code: "employees-range", Name: "从业人员在 0 至 100000 人之间", Dimension: dimAccurate, Field: "employees", Check: checkRange, Arg: "0..100000", Weight: 3, Threshold: 99, Action: actReview},
		{Code: "status-known", Name: "登记状态为规定用语", Dimension: dimConsistent, Field: "status", Check: checkOneOf, Arg: "存续|在业|开业|迁出|停业|歇业|吊销|注销|撤销", Weight: 5, Threshold: 98, Action: actScore},
		{Code: "revenue-staff", Name: "填写营业收入的同时填写从业人员", Dimension: dimConsistent, Field: "revenue", Check: checkRequires, Arg: "employees", Weight: 3, Threshold: 90, Action: actScore},
		{Code: "established-past", Name: "成立日期不在将来，且在百年之内", Dimension: dimTimely, Field: "established", Check: checkWithin, Arg: "36500", Weight: 5, Threshold: 99, Action: actScore},
		{Code: "unique", Name: "没有重复或疑似重复的企业", Dimension: dimUnique, Field: "creditCode", Check: checkUnique, Weight: 10, Threshold: 99, Action: actScore},
	}
}

// words says what a rule asks, for lists and exports.
func (q QualityRule) words(titles map[string]string) string {
	arg := q.Arg
	if q.Check == checkRequires {
		arg = titles[q.Arg]
	}
	if arg == "" {
		return checkNames[q.Check]
	}
	return fmt.Sprintf("%s：%s", checkNames[q.Check], arg)
}
