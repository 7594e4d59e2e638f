package draft

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// extraction reads the sentences of one text.
type extraction struct {
	words   *words
	text    *text
	home    map[string]string
	clauses []Clause
	open    []string

	item   int               // the line read last
	recent map[string]Clause // the last clause of that line by unit

	anyOf    [][][]string // the lists of which one item is enough
	list     int          // the last of them
	listItem int          // and its last item
}

// segment is runes [from, to) between two pauses of a sentence, as a string with what was found in it.
type segment struct {
	from, to int
	s        string // even words; what is no condition is blanked
	found    bool
	support  bool // of support alone
	limit    int  // the rune at which support begins, or the length
}

// scope is one sentence while it is read.
type scope struct {
	segments []segment
	refusal  bool
	oneOf    bool
	lower    int // what confidence loses outside a part about conditions
	inPart   bool
	headed   bool
	item     int
}

var (
	documentName = regexp.MustCompile(`《[^》]*》`)
	shortName    = regexp.MustCompile(`（(?:以下|下同|下称|简称)[^）]*）`)
	refused      = regexp.MustCompile(`不予(?:支持|受理|补助|资助|奖励|贴息|认定|享受|申报|兑现|扶持|推荐)|不得(?:申报|申请|享受|参与|参加|推荐)|不(?:能|可)(?:申报|申请|享受)|不适用|除外|不纳入|暂缓受理|不再(?:支持|享受)|不在(?:支持|申报|本)|不享受|一票否决`)
	selfDeclared = regexp.MustCompile(`适用于|适用(?:对象|范围)|(?:支持|扶持|补助|奖励|申报|申请|发放|贴息)(?:对象|主体|范围)(?:为|是|应|须|需|必须)|(?:申报|申请)(?:企业|单位|主体|人|项目|者)[^，；]{0,6}(?:应|须|需|必须)|应当?(?:同时)?(?:符合|具备|满足)|面向`)
	afterwards   = regexp.MustCompile(`骗取|弄虚作假|虚假|挪用|截留|追回|收回|退还|追究|取消[^，。]{0,8}资格|有效期[为至]|本(?:办法|细则|措施|通知|政策|意见)自|由[^，。]{2,20}(?:负责解释|承担)|咨询电话|联系人`)
)

// sentence reads one sentence. strict says that the text has a part about conditions.
func (x *extraction) sentence(s sentence, strict bool) {
	words := x.text.string(s.from, s.to)
	inPart := s.kind == conditions || s.kind == refusals
	switch {
	case s.kind == aside:
		return
	case strict && !inPart && !selfDeclared.MatchString(words) && !refused.MatchString(words):
		return
	case !inPart && afterwards.MatchString(words):
		return
	}
	c := scope{refusal: s.kind == refusals || refused.MatchString(words), oneOf: s.oneOf, inPart: inPart, headed: s.headed, item: s.item}
	if !inPart {
		c.lower = 15
	}
	for _, p := range x.text.short(x.text.cut(s.from, s.to, "，；。：！？")) {
		g := segment{from: p[0], to: p[1], s: x.text.string(p[0], p[1])}
		if len(c.segments) == 0 { // the number of an item is no amount
			g.s = blankRunes(g.s, 0, numbered(g.s))
		}
		for _, r := range []*regexp.Regexp{documentName, shortName} {
			g.s = r.ReplaceAllStringFunc(g.s, blank)
		}
		c.segments = append(c.segments, g)
	}
	c.withoutSupport()
	before, open := len(x.clauses), len(x.open)
	for i := range c.segments {
		x.segment(&c, i)
	}
	x.inOrder(before)
	x.left(&c, words)
	if s.oneOf && s.list > 0 && s.kind == conditions && !c.refusal {
		x.alternative(s, x.clauses[before:], x.open[open:])
	}
}

// alternative keeps what an item of a list says of which one item is enough.
func (x *extraction) alternative(s sentence, clauses []Clause, open []string) {
	var quotes []string
	for _, c := range clauses {
		if !slices.Contains(quotes, c.Quote) {
			quotes = append(quotes, c.Quote)
		}
	}
	for _, q := range open {
		if !Preferred(q) {
			quotes = append(quotes, q)
		}
	}
	if len(quotes) == 0 {
		return
	}
	if x.list != s.list {
		x.list, x.listItem = s.list, -1
		x.anyOf = append(x.anyOf, nil)
	}
	last := len(x.anyOf) - 1
	if x.listItem != s.item { // of one item all its sentences hold
		x.listItem = s.item
		x.anyOf[last] = append(x.anyOf[last], nil)
	}
	item := &x.anyOf[last][len(x.anyOf[last])-1]
	*item = append(*item, quotes...)
}

// blank keeps the length in runes.
func blank(s string) string { return strings.Repeat("＿", utf8.RuneCountInString(s)) }

func blankRunes(s string, from, to int) string {
	rs := []rune(s)
	for i := from; i < to && i < len(rs); i++ {
		rs[i] = '＿'
	}
	return string(rs)
}

var (
	support = regexp.MustCompile(`(?:给予|予以|发放(?:奖|补|资金|\d)|兑付|分别给|再给|按照?(?:其|照|实际|年度|不超过|[^，]{0,16}的?(?:\d|百分|[一二三四五六七八九])[^，]{0,6}(?:%|给予|补|贴|奖|计))|(?:奖励|奖补|补助|补贴|资助|贴息|扶持|支持|抵扣|减免|返还)(?:资金|金额|标准|额度|比例|上限|期限|总额)?(?:为|至|最高|不超过|\d|[一二三四五六七八九十]+[万百千])|一次性|最高(?:不超过|给予|奖|补|支持|资助|可?[达贷]|限额|额度|\d|[一二三四五六七八九十]+[万百千])|封顶|(?:(?:单个|单家|单户|单店|每家|每户|同一|每个|每人|每年)[^，收入产投贷]{0,12}|年度(?:累计|合计|补助|奖励|支持)?|累计|合计|(?:补[助贴]|奖励|奖补|资助|贴息|支持)[^，]{0,8})(?:不超过|最高|上限|不高于))`)
	follows = regexp.MustCompile(`^＿*(?:且)?(?:按|最高|单个|单家|每家|每户|每人|每年|累计|合计|总额|同一企业|其中|不超过|最多|上限|年度)`)
)

// withoutSupport blanks the amounts of support: what is given, at which rate, at most how much.
func (c *scope) withoutSupport() {
	began := false
	for i := range c.segments {
		g := &c.segments[i]
		g.limit = utf8.RuneCountInString(g.s)
		m := support.FindStringIndex(g.s)
		if m == nil && began && follows.MatchString(g.s) {
			m = []int{0, len(g.s)}
		}
		if m == nil {
			continue
		}
		began = true
		g.support = strings.Trim(g.s[:m[0]], "＿") == ""
		g.limit = utf8.RuneCountInString(g.s[:m[0]])
		g.s = g.s[:m[0]] + blank(g.s[m[0]:])
	}
}

func (x *extraction) segment(c *scope, i int) {
	g := &c.segments[i]
	if strings.Trim(g.s, "＿，。；：") == "" || preferred.MatchString(g.s) || x.ofPreference(c, i) {
		return
	}
	x.lists(c, g)
	x.credit(c, g)
	x.titles(c, g)
	x.regions(c, g)
	x.days(c, g)
	x.numbers(c, i)
	x.sizes(c, g)
	x.industries(c, g)
	x.plain(c, g)
}

// preferred is what puts a company before others and is asked of none.
var preferred = regexp.MustCompile(`优先(?:支持|考虑|推荐|安排|给予|予以|遴选|纳入|申报|扶持)`)

// Preferred reports whether words of a text put companies before others: they are no condition, and nobody fails by them.
func Preferred(words string) bool {
	if !preferred.MatchString(words) {
		return false
	}
	for _, part := range strings.FieldsFunc(words, func(r rune) bool { return strings.ContainsRune("，；。", r) }) {
		if !preferred.MatchString(part) && demanded.MatchString(part) {
			return false // 优先支持专精特新企业，但应当技术领先
		}
	}
	return true
}

var demanded = regexp.MustCompile(`应|须|必须|不得|不予|不低于|不少于|不超过|以上|以下`)

// ofPreference reports whether a segment only says whom the next one prefers: 对获得国家级奖项的，予以优先考虑.
func (x *extraction) ofPreference(c *scope, i int) bool {
	if i+1 >= len(c.segments) {
		return false
	}
	words := strings.Trim(x.text.string(c.segments[i].from, c.segments[i].to), "，。；：")
	next := x.text.string(c.segments[i+1].from, c.segments[i+1].to)
	return preferred.MatchString(next) && (strings.HasPrefix(words, "对") || strings.HasSuffix(words, "的"))
}

// add puts a clause down: its words are runes [from, to) of the segment, and [keep, upto) must stay when they are cut.
func (x *extraction) add(c *scope, g *segment, from, to, keep, upto int, l Clause, confidence int) {
	quote, a, b := x.text.quote(g.from+from, g.from+to, g.from+keep, g.from+upto)
	if quote == "" {
		return
	}
	l.Quote, l.Start, l.End = quote, a, b
	if c.oneOf || alternative.MatchString(g.s) {
		l.OneOf = true
		confidence -= 20
	}
	if l.Period == "" && l.Field != Region && l.Field != Industry && l.Field != SizeClass {
		l.Period = periodIn(g.s)
	}
	confidence = min(99, max(5, confidence-c.lower))
	l.Confidence = json.Number(fmt.Sprintf("0.%02d", confidence))
	l.Confidence = json.Number(strings.TrimSuffix(string(l.Confidence), "0"))
	for _, y := range x.clauses {
		if y.Start == l.Start && y.Field == l.Field && y.Op == l.Op && fmt.Sprint(y.Value) == fmt.Sprint(l.Value) && y.Subject == l.Subject {
			return
		}
	}
	g.found = true
	x.clauses = append(x.clauses, l)
	if c.item != x.item || x.recent == nil {
		x.item, x.recent = c.item, map[string]Clause{}
	}
	if l.Unit != "" && l.Subject != "" {
		x.recent[l.Unit] = l
	}
}

var alternative = regexp.MustCompile(`或者?|之一|任一`)

// whole adds a clause that quotes its whole segment.
func (x *extraction) whole(c *scope, g *segment, keep, upto int, l Clause, confidence int) {
	x.add(c, g, min(start(g.s), keep), max(g.limit, upto), keep, upto, l, confidence)
}

// start skips what only joins a segment to the one before.
func start(s string) int {
	n := 0
	for _, r := range s {
		if !strings.ContainsRune("＿且并", r) {
			break
		}
		n++
	}
	return n
}

// inOrder sorts the clauses of the last sentence by their place; there are few.
func (x *extraction) inOrder(from int) {
	l := x.clauses[from:]
	for i := 1; i < len(l); i++ {
		for j := i; j > 0 && l[j].Start < l[j-1].Start; j-- {
			l[j], l[j-1] = l[j-1], l[j]
		}
	}
}

var (
	asks    = regexp.MustCompile(`优先|\d年\d+月|不(?:欠|拖欠|涉及|属于)|应|须|需|必须|不得|具[有备]|拥有|取得|获得|符合|达到|满足|依法|按时|按规定|未|无|良好|较[好强高大]|领先|先进|健全|规范|完善|前景|优势|能力|稳定|信用|水平|合理|明确|真实|合法|以上|不低于|不少于|不超过|超过|建有|设有|配备|签订|完成|通过|属于|从事|主营|纳入|入选|经.{0,8}(?:认定|评定|推荐)`)
	vague   = regexp.MustCompile(`优先|良好|较[好强高大多]|领先|先进|健全|规范|完善|前景|优势|显著|突出|一定|稳定|成熟|合理|清晰|可行|带动|示范|导向|方向|自主|核心|竞争力|成长性|潜力|真实`)
	trivial = regexp.MustCompile(`^[＿]*(?:申[报请](?:企业|单位|主体|项目|人)?)?[^，]{0,16}(?:应当?|须|需|必须|要)?(?:同时)?(?:符合|具备|满足|属于|包括)?(?:以下|下列|如下)(?:[^，：的]{0,8}(?:条件|要求|情形|情况|标准|规定|行为|之一|企业|单位|材料)[^，：]{0,8})?$|^[＿]*(?:除[^，]{0,10}(?:满足|符合|具备)?[^，]{0,8}条件[^，]{0,4}外|(?:还|并|且|同时)+(?:应当?|须|需|必须|要)?(?:同时)?(?:符合|满足|具备))$`)
	ledIn   = regexp.MustCompile(`(?:满足|符合|具备)(?:以下|下列|如下)?(?:条件|要求)?：$`)
	// says tells a short sentence from the mere name of what an item is about: 管理规范。 from 创新能力。
	says = regexp.MustCompile(`良好|较|健全|规范|完善|先进|领先|稳定|合理|明确|真实|合[法规]|依法|诚信|守法|未|无|不|应|须|需|具|有|符合|达到|取得|获得|属于|优先`)
)

// left keeps what no clause was made of: a whole sentence when nothing was, else the segments that still ask something.
func (x *extraction) left(c *scope, words string) {
	any, supported := false, false
	for _, g := range c.segments {
		any = any || g.found
		supported = supported || strings.Contains(g.s, "＿＿＿") && support.MatchString(x.text.string(g.from, g.to))
	}
	wanted := asks
	if !c.inPart {
		wanted = vague
	}
	for i := 0; i < len(c.segments); i++ {
		g := c.segments[i]
		if g.found || g.support || len(x.open) >= maxNotDecidable {
			continue
		}
		last := i
		if !any && !supported && c.inPart { // one whole sentence reads better than its pieces
			last = len(c.segments) - 1
		} else if x.ofPreference(c, i) {
			last = i + 1
		}
		w := x.text.string(g.from, c.segments[last].to)
		bare := strings.Trim(w, "，。；：＿")
		if any && ledIn.MatchString(x.text.string(g.from, g.to)) {
			continue
		}
		if i == 0 && c.headed && utf8.RuneCountInString(bare) <= 8 && !says.MatchString(bare) {
			continue
		}
		if utf8.RuneCountInString(bare) < 4 || trivial.MatchString(bare) || strings.HasSuffix(w, "：") && !any || !c.inPart && !vague.MatchString(w) || any && !c.refusal && !wanted.MatchString(w) {
			i = last
			continue
		}
		if any && onlyRefusal.MatchString(bare) || !any && !c.inPart && !asks.MatchString(w) {
			continue
		}
		n := numbered(w)
		if q, _, _ := x.text.quote(g.from+n, c.segments[last].to, g.from+n, g.from+n+1); q != "" {
			x.open = append(x.open, q)
		}
		i = last
	}
	_ = words
}

// onlyRefusal is a segment that says no more than that one is refused.
var onlyRefusal = regexp.MustCompile(`^(?:的)?(?:企业|单位|项目)?(?:一律)?(?:不予|不得|不能|不可|不享受|不适用|不纳入|暂缓)[^，]{0,10}$`)
