package draft

import (
	"regexp"
	"slices"
	"strings"
)

// before and after are the comparators that stand beside a quantity, longest first.
var before = []struct{ word, op string }{
	{"不得低于", "ge"}, {"不得少于", "ge"}, {"不能低于", "ge"}, {"不低于", "ge"}, {"不少于", "ge"}, {"不小于", "ge"}, {"不短于", "ge"}, {"不低於", "ge"}, {"不早于", "ge"}, {"高于或等于", "ge"}, {"大于或等于", "ge"}, {"大于等于", "ge"},
	{"不得超过", "le"}, {"不得高于", "le"}, {"不得多于", "le"}, {"不超过", "le"}, {"不高于", "le"}, {"不多于", "le"}, {"不大于", "le"}, {"不长于", "le"}, {"小于等于", "le"}, {"小于或等于", "le"}, {"控制在", "le"}, {"未超过", "le"}, {"不超出", "le"},
	{"未达到", "lt"}, {"未达", "lt"}, {"不足", "lt"}, {"不满", "lt"}, {"未满", "lt"}, {"低于", "lt"}, {"少于", "lt"}, {"小于", "lt"}, {"达不到", "lt"},
	{"超过", "gt"}, {"超出", "gt"}, {"高于", "gt"}, {"大于", "gt"}, {"多于", "gt"}, {"高出", "gt"},
	{"达到或超过", "ge"}, {"不低于人民币", "ge"}, {"达到", "ge"}, {"达", "ge"}, {"突破", "ge"}, {"至少为", "ge"}, {"至少有", "ge"}, {"至少", "ge"}, {"最少", "ge"}, {"已满", "ge"}, {"满", "ge"}, {"≥", "ge"}, {">=", "ge"}, {"≤", "le"}, {"<=", "le"}, {">", "gt"}, {"<", "lt"},
	{"最多", "le"}, {"至多", "le"},
}

var (
	filler = regexp.MustCompile(`(?:获得|拥有|取得|具有|建有|授权|有|了|到|人民币|约|的|＿|"|为|至少|：)*$`)
	after  = regexp.MustCompile(`^(?:人民币)?(?:（(?:不含|含|含本数|不含本数|[^）]{0,12})）|含)?(?:的)?(及其?以上|以上|及以下|以下|以内|之内|内|（含）以上)?(（不?(?:包)?[含括][^）]{0,12}）)?`)
	// bound is brackets that say whether the bound itself counts: （含）, （不含500万元）, but not （不含劳务派遣人员）.
	bound = regexp.MustCompile(`（(不)?(?:包)?[含括](?:本数|本级|该数|[\dABCM零一二两三四五六七八九十百][^）]{0,8})?）`)
	// tier is a bracket that asks something else of some of the companies: （超过100人的企业达到5%）.
	tier   = regexp.MustCompile(`（(?:超过|超出|高于|大于|不足|低于|不满|少于|小于|达到|满)[^（）]*的[^（）]*）`)
	inSpan = regexp.MustCompile(`(?:近|最近|前|过去|连续|上|每|未来|第|以往|此前)$`)
)

// shareOf is a comparison whose base stands between it and the share.
var shareOf = regexp.MustCompile(`(` + joinedBefore() + `)[\p{Han}]{1,12}(?:总额|总数|人数|收入|的)$`)

// turned is the comparison that holds when another does not.
var turned = map[string]string{"ge": "lt", "gt": "le", "le": "gt", "lt": "ge"}

// compared says how a quantity is compared; found is false when it is not.
func compared(s []rune, q quantity, next *quantity) (op string, from, to int, found bool) {
	left := string(s[:q.from])
	skipped := filler.FindString(left)
	left = left[:len(left)-len(skipped)]
	from, to = q.from, q.to
	for _, b := range before {
		if strings.HasSuffix(left, b.word) {
			op, from = b.op, len([]rune(left))-len([]rune(b.word))
			break
		}
	}
	if m := shareOf.FindStringSubmatchIndex(left); op == "" && q.kind == "share" && m != nil { // 不低于营业收入的5%
		for _, b := range before {
			if b.word == left[m[2]:m[3]] {
				op, from = b.op, len([]rune(left[:m[2]]))
			}
		}
	}
	if op == "" && strings.Contains(skipped, "至少") { // 至少获得5项
		op, from = "ge", len([]rune(left))
	}
	right := string(s[q.to:])
	m := after.FindStringSubmatch(right)
	word := strings.TrimPrefix(m[1], "（含）")
	brackets := bound.FindStringSubmatch(m[0])
	span := word == "以内" || word == "之内" || word == "内"
	switch {
	case strings.HasSuffix(word, "以上") && (op == "" || op == "ge"):
		op = "ge"
	case strings.HasSuffix(word, "以下") && (op == "" || op == "le"):
		op = "le"
	case span && op == "":
		op = "le"
	case word != "" && op != "":
	}
	if op == "" {
		return "", 0, 0, false
	}
	if word != "" || brackets != nil {
		to += len([]rune(m[0]))
	}
	switch {
	case brackets == nil:
	case brackets[1] != "":
		op = map[string]string{"ge": "gt", "le": "lt"}[op] + map[string]string{"gt": "gt", "lt": "lt"}[op]
	default:
		op = map[string]string{"gt": "ge", "lt": "le"}[op] + map[string]string{"ge": "ge", "le": "le"}[op]
	}
	return op, from, to, true
}

// noun is a measure with the kinds of quantity it takes.
type noun struct {
	r     *regexp.Regexp
	kinds string
	field Field
}

const revenueWords = `(?:主营业务|营业|产品销售|销售|主营|经营|年度|业务|服务|软件业务|技术性)?(?:总)?(?:收入|营收)(?:总额|总计)?|销售额|营业额|营收|营业总额|年销售`

var nouns = []noun{
	{regexp.MustCompile(`社会?保险?(?:费)?[^，。；、]{0,10}(?:人数|人员|员工|职工|参保|缴费)|参保(?:缴费)?(?:人数|职工|员工|人员|人员数)?|缴纳(?:职工|城镇职工|基本)?(?:养老|社会|社)?保险?[^，。；、]{0,10}|社保|社会保险|养老保险`), "persons", SocialInsured},
	{regexp.MustCompile(`(?:研发|研究开发|科技|技术|科研|专业技术|专职|本科|大专|博士|硕士|高级|工程|创业|残疾|高校|毕业生|就业困难|新增|新招用|带动|吸纳|培训|服务|管理|专家|技能|持证|安置|引进)[\p{Han}]{0,8}?(?:人员|人数|人才|员工|职工|就业|人)?[\p{Han}]{0,4}$`), "persons", Other},
	{regexp.MustCompile(`从业(?:人员|人数)|职工|员工|用工|在职|在岗|人数|从业`), "persons", Staff},
	{regexp.MustCompile(`(?:收入|营收|销售额|营业额)[^，。；]{0,16}(?:增长|增速|增幅|增加|下降|下滑|降幅|减少|降低)|(?:增长|增速|增幅)[^，。；]{0,8}(?:收入|营收)`), "share", Growth},
	{regexp.MustCompile(`(?:研发|研究开发|研究与试验发展|R&D|科研|研究与开发)(?:费用|经费|投入|支出|费|活动)*[^，。；]{0,12}(?:增长|增速|增幅|增加|境内)`), "share", Other},
	{regexp.MustCompile(`(?:研发|研究开发|研究与试验发展|R&D|科研|研究与开发)(?:费用|经费|投入|支出|费|活动|强度|费用支出)+`), "share", RDRatio},
	{regexp.MustCompile(`(?:研发|研究开发|研究与试验发展|R&D|科研|研究与开发)(?:费用|经费|投入|支出|费|活动)+`), "money", RDExpense},
	{regexp.MustCompile(`(?:境外|出口|海外|高新技术产品|新产品|人均)[^，。；]{0,8}收入`), "money share", Other},
	{regexp.MustCompile(revenueWords), "money", Revenue},
	{regexp.MustCompile(`专利|知识产权|软件著作权|软著|植物新品种|著作权|布图设计`), "items", Patents},
	{regexp.MustCompile(`贷款|授信|融资余额|借款`), "money", Loan},
	{regexp.MustCompile(`成立|注册(?:时间|登记|满|设立|成立|未满|不满|不超过|登记满)?|设立|登记|开业|领取营业执照|存续`), "years months", Years},
}

// numbers finds thresholds.
func (x *extraction) numbers(c *scope, i int) {
	g := &c.segments[i]
	g.s = tier.ReplaceAllStringFunc(g.s, blank)
	rs := []rune(g.s)
	qs := quantitiesOf(g.s)
	done := 0 // behind the last threshold
	var last Clause
	for k := 0; k < len(qs); k++ {
		q := qs[k]
		if q.kind == "" || q.from < done || q.kind == "rest" && !c.inPart || calendar(rs, q) || inSpan.MatchString(strings.TrimSuffix(string(rs[:q.from]), "以上")) {
			continue
		}
		// 500万元至2000万元: both bounds
		if k+1 < len(qs) && qs[k+1].kind == q.kind && rangeWord.MatchString(string(rs[q.to:qs[k+1].from])) && !strings.HasSuffix(string(rs[:q.from]), "由") {
			l, confidence, ok := x.measured(c, i, rs, done, q, q.from, qs[k+1].to)
			if ok {
				from := x.cutFrom(rs, done, q.from)
				l.Op, l.Value = "ge", decimal(q.value)
				behind := after.FindString(string(rs[qs[k+1].to:]))
				to := qs[k+1].to + len([]rune(behind))
				if m := bound.FindStringSubmatch(string(rs[q.to:qs[k+1].from])); m != nil && m[1] != "" { // 5年（不含）至9年
					l.Op = "gt"
				}
				if c.refusal {
					l.Op = turned[l.Op]
				}
				x.add(c, g, from, to, q.from, to, l, confidence)
				l.Op, l.Value, l.Unit = "le", decimal(qs[k+1].value), qs[k+1].unit
				if m := bound.FindStringSubmatch(behind); m != nil && m[1] != "" {
					l.Op = "lt"
				}
				if c.refusal {
					l.Op = turned[l.Op]
				}
				x.add(c, g, from, to, q.from, to, l, confidence)
				last = l
				done = to
			}
			done = max(done, qs[k+1].to)
			k++
			continue
		}
		op, from, to, ok := compared(rs, q, nil)
		if !ok && k+1 < len(qs) && qs[k+1].kind == q.kind && either.MatchString(string(rs[q.to:qs[k+1].from])) { // 5000万元或500万美元以上
			op, _, _, ok = compared(rs, qs[k+1], nil)
			from, to = q.from, q.to
		}
		if !ok {
			continue
		}
		l, confidence, ok := x.measured(c, i, rs, done, q, from, to)
		if same := last.Field != "" && done > 0 && (last.Unit == q.unit || alike[last.Unit] != "" && alike[last.Unit] == alike[q.unit]); same && strings.Trim(phraseOf(string(rs[done:from])), "（") == "" { // 超过1000万元且不超过4亿元, 满3年但不满10年
			l, confidence, ok = Clause{Unit: q.unit, Field: last.Field, Subject: last.Subject, Period: last.Period}, 75, true
		}
		if !ok {
			continue
		}
		value := q.value
		if l.Field == Growth && falling.MatchString(l.Subject) { // a fall of over 30% is a growth of less than -30%
			op, value = mirrored[op], negative(value)
		}
		if c.refusal && turned[op] != "" {
			op = turned[op]
		}
		l.Op, l.Value = op, decimal(value)
		upto := to
		if k == len(qs)-1 {
			to = x.cutTo(rs, to, max(to, g.limit))
		}
		x.add(c, g, x.cutFrom(rs, done, from), to, from, upto, l, confidence)
		last, done = l, upto
	}
}

var (
	falling  = regexp.MustCompile(`负增长|下降|下滑|降幅|减少|降低`)
	mirrored = map[string]string{"ge": "le", "gt": "lt", "le": "ge", "lt": "gt"}
	alike    = map[string]string{"年": "span", "月": "span", "万元": "money", "万美元": "money"}
	either   = regexp.MustCompile(`^(?:或者?|/)$`)
)

func negative(s string) string {
	if s == "0" {
		return s
	}
	return "-" + s
}

// calendar reports a year of the calendar: 2024年.
func calendar(rs []rune, q quantity) bool {
	return q.kind == "years" && len(q.value) == 4 && q.value >= "1900" && q.value < "2100" && rs[q.from+4] == '年'
}

// cutFrom is where the words of a threshold begin: behind the last one, or at the start of the segment.
func (x *extraction) cutFrom(rs []rune, done, from int) int {
	if done == 0 {
		return start(string(rs))
	}
	for done < from {
		switch {
		case strings.ContainsRune("，、且并及和＿", rs[done]):
			done++
		case strings.HasPrefix(string(rs[done:from]), "同时"): // not 同比
			done += 2
		default:
			return done
		}
	}
	return done
}

// cutTo is where they end: at the end of the segment, but for a second half that begins with 且 or 并.
func (x *extraction) cutTo(rs []rune, to, end int) int {
	for j := to; j < end; j++ {
		if rs[j] == '且' || rs[j] == '并' {
			return j
		}
	}
	return end
}

// measured says what a quantity measures: by the words before it, then behind it, then in the segments before.
func (x *extraction) measured(c *scope, i int, rs []rune, done int, q quantity, from, to int) (Clause, int, bool) {
	l := Clause{Unit: q.unit}
	left := asides.ReplaceAllStringFunc(string(rs[done:q.from]), blank) // what stands in brackets names no measure
	l.Period = periodIn(left)
	if f, subject, ok := named(left, q.kind); ok {
		l.Field, l.Subject = f, subject
		return l, 95, true
	}
	right := string(rs[to:min(len(rs), to+14)])
	if f, subject, ok := named(right, q.kind); ok && q.kind != "years" && q.kind != "months" {
		l.Field, l.Subject = f, subject
		return l, 85, true
	}
	if q.kind == "bare" {
		return l, 0, false
	}
	if phrase := phraseOf(string([]rune(left)[:max(0, from-done)])); phrase != "" && !growthAlone.MatchString(phrase) {
		if span := q.kind == "years" || q.kind == "months"; span && !regexp.MustCompile(`经营|运营|生产|从事|纳税|期限|任职|工作|时间|入驻|租赁|合同|纳统|在库|建设期|实施期|执行期|周期|工期|租期|缴纳|参保`).MatchString(phrase) {
			return contract(l, right)
		}
		l.Field, l.Subject = Other, phrase
		return l, 65, true
	}
	if y, ok := x.grown(c, left, q); ok {
		l.Field, l.Subject = y.Field, y.Subject
		return l, 75, true
	}
	for j := i - 1; j >= 0 && j >= i-2; j-- {
		if f, subject, ok := named(x.text.string(c.segments[j].from, c.segments[j].to), q.kind); ok {
			l.Field, l.Subject = f, subject
			if l.Period == "" {
				l.Period = periodIn(c.segments[j].s)
			}
			return l, 70, true
		}
	}
	if q.kind == "years" || q.kind == "months" {
		return contract(l, right)
	}
	if y, ok := x.recent[q.unit]; ok && c.item == x.item { // the next step of a scale: …的，不低于5%；2亿元以上的，不低于3%
		l.Field, l.Subject, l.Period = y.Field, y.Subject, y.Period
		return l, 60, true
	}
	l.Field = Other
	return l, 50, c.inPart
}

// grown says what grows where the words leave it unsaid: the amount asked before, 营业收入5000万元以上且同比增长10%.
func (x *extraction) grown(c *scope, left string, q quantity) (Clause, bool) {
	if q.kind != "share" || !growthAlone.MatchString(phraseOf(left)) || c.item != x.item {
		return Clause{}, false
	}
	y, ok := x.recent["万元"]
	if !ok {
		if y, ok = x.recent["万美元"]; !ok {
			return Clause{}, false
		}
	}
	if y.Field == Revenue {
		y.Field = Growth
	} else {
		y.Field = Other
	}
	y.Subject += growing.FindString(left)
	return y, true
}

var growing = regexp.MustCompile(`(?:同比)?(?:增长|增速|增幅)`)

// contract is how long what stands behind a span of time is to run: 签订一年以上劳动合同.
func contract(l Clause, right string) (Clause, int, bool) {
	l.Field, l.Subject = Other, running.FindString(right)
	return l, 65, l.Subject != ""
}

var running = regexp.MustCompile(`^(?:的)?[\p{Han}]{0,4}(?:合同|协议)`)

// named finds the measure that stands last in s and takes quantities of a kind.
func named(s, kind string) (Field, string, bool) {
	var found Field
	var subject string
	at := -1
	for _, n := range nouns {
		if !strings.Contains(n.kinds, kind) || kind == "" {
			continue
		}
		ms := n.r.FindAllStringIndex(s, -1)
		if len(ms) == 0 {
			continue
		}
		m := ms[len(ms)-1]
		if m[0] > at && (at < 0 || m[1] > at+len(subject)) {
			at, found, subject = m[0], n.field, s[m[0]:m[1]]
		}
	}
	if kind == "share" && found == RDRatio && strings.Contains(s[at:], "增") {
		found = Other
	}
	return found, strings.TrimPrefix(strings.ReplaceAll(phrase.ReplaceAllString(subject, ""), "＿", ""), "年度"), at >= 0
}

var asides = regexp.MustCompile(`（[^（）]*）`)

// growthAlone leaves unsaid what grows.
var growthAlone = regexp.MustCompile(`^(?:同比)?(?:增长|增速|增幅)(?:率)?$`)

var (
	lead   = regexp.MustCompile(`^(?:.*[，、；：＿（])?(?:(?:且|并且?|或者?|但|而|同时|其中|凡|对|申报|申请|上述|每|企业|单位|项目|主体|的|应当?|须|需|必须|要|在|年度?)*)`)
	phrase = regexp.MustCompile(`(?:应当?|须|需|必须|要|不得|可|一般|原则上|在|的|比例|比重)*(?:` + joinedBefore() + `)?(?:了|到|人民币|约|的|"|为|至少)*$`)
)

func joinedBefore() string {
	words := make([]string, 0, len(before))
	for _, b := range before {
		words = append(words, regexp.QuoteMeta(b.word))
	}
	return strings.Join(words, "|")
}

// phraseOf is the noun before a comparison: 资产负债率 of 企业资产负债率不高于.
func phraseOf(left string) string {
	left = periods.ReplaceAllString(left, "＿")
	left = strings.TrimRight(phrase.ReplaceAllString(left, ""), "＿")
	left = left[len(lead.FindString(left)):]
	rs := []rune(strings.Trim(left, "＿"))
	if len(rs) > 24 { // the last words, from behind a 的 when there is one
		rs = rs[len(rs)-24:]
		if i := slices.Index(rs, '的'); i >= 0 && i < len(rs)-4 {
			rs = rs[i+1:]
		}
	}
	return strings.ReplaceAll(strings.Trim(strings.TrimPrefix(string(rs[eitherOf(rs):]), "的"), "，、。＿"), "＿", "")
}

// eitherOf is where the last of several alternatives begins: 裁员率 of 未裁员或裁员率.
func eitherOf(rs []rune) int {
	for i := len(rs) - 3; i > 0; i-- {
		if rs[i] == '或' || rs[i] == '且' {
			if rs[i+1] == '者' {
				i++
			}
			return i + 1
		}
	}
	return 0
}

var periods = regexp.MustCompile(`(?:截至|截止)?(?:申报|申请)?(?:上一?个?(?:会计|纳税|自然)?年度?|去年|(?:最近|近|前|过去|连续)(?:的)?[一二两三四五六\d]+个?(?:会计|纳税|自然)?(?:年度|年|个月|月)(?:以来|内|间|以内)?|[一二两三\d]+年内|\d{4}年度?(?:底|末)?(?:至\d{4}年度?)?|本年度|当年度?|申报(?:前一年度?|当年度?|上年度?)|年度)(?:以来|末|底)?(?:年?平均|年均|累计|合计|均|复合)?`)

// periodIn finds the period a segment speaks of, as written.
func periodIn(s string) string {
	best := ""
	for _, p := range periods.FindAllString(s, -1) {
		if p != "年度" && (best == "" || len(p) > len(best)) {
			best = p
		}
	}
	if best != "" && !strings.Contains(best, "均") && regexp.MustCompile(`平均|年均`).MatchString(s[strings.Index(s, best)+len(best):]) {
		best += "平均"
	}
	return best
}
