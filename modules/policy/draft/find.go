package draft

import (
	"cmp"
	"regexp"
	"strings"
)

var (
	taxCredit   = regexp.MustCompile(`纳税信用[^，。；]{0,14}?(?:"?([ABMCD])"?\s*级?(?:(?:、|或者?|和|及|/)"?([ABMCD])"?级?)?(?:(?:、|或者?|和|及|/)"?([ABMCD])"?级?)?)(（含）|（含[ABMCD]级）)?(及?以上|以下)?`)
	listName    = regexp.MustCompile(`海关失信(?:企业|主体)?(?:名单|记录)?|(?:企业)?经营异常名录|经营异常(?:名单|目录|状态)?|严重违法失信(?:企业|主体)?(?:名单)?|严重失信(?:主体|企业)?(?:名单|记录)?|失信被执行人(?:名单)?|失信联合惩戒(?:对象)?(?:名单)?|联合惩戒(?:对象)?(?:名单)?|(?:信用中国)?失信(?:企业|主体)?(?:名单|黑名单)|信用黑名单|黑名单|重大税收违法(?:失信)?(?:主体|案件)?(?:名单|信息)?|异常名录|拖欠农民工工资(?:失信联合惩戒对象)?(?:黑)?名单|失信惩戒名单|环保信用(?:黑|红)牌|安全生产(?:失信)?(?:联合惩戒)?"?黑名单"?|严重违法名单|不良(?:信用)?记录|失信记录`)
	notListed   = regexp.MustCompile(`未|无|不得|没有|不存在|不属于|非|不在|不是|不含|不予|除外|移出`)
	sizeName    = regexp.MustCompile(`规模以上(?:工业|服务业|企业|制造业)?(?:企业)?|"?四上"?企业|规上(?:工业|服务业|企业)?(?:企业)?|限额以上[\p{Han}]{0,8}?企业|限额以上(?:统计|单位|批发|零售|商贸)|限上[\p{Han}]{0,6}?企业|规模以下[\p{Han}]{0,4}?企业|规下企业|中型、小型(?:、|和|及|以及|或)微型企业?|小型(?:、|和|或)微型企业?|中小微型?企业|小微企业|小型微利企业|中小型企业|中小企业|(?:大型|中型|小型|微型)(?:企业|骨干企业)|个体工商户`)
	joined      = regexp.MustCompile(`^(?:企业|行业|产业|领域)?(?:、|或者?|和|及|以及|与|/|，或)(?:获得|取得|经认定的|认定为|者)?(?:国家级?|省级?|市级?|区级?)?$`)
	levelWord   = regexp.MustCompile(`(?:国家级|省部级|省级|市级|区级|县级)(?:及?以上|（含）以上)?$`)
	excluded    = regexp.MustCompile(`^[^，。；]{0,6}(?:除外|以外|之外|不予|不适用|不在|不得|不包括|不纳入)`)
	exceptFor   = regexp.MustCompile(`(?:除|不包括|不含|不适用于|不属于|不得属于|不从事|未从事|非)[^，。；外]{0,20}$`)
	seekTitle   = regexp.MustCompile(`(?:拟|争取|培育|创建|申请认定|首次申报|推荐|申报)[^，。；]{0,4}$`)
	established = regexp.MustCompile(`成立|注册|设立|登记|开办|开业|领取营业执照`)
)

// lists finds black lists one must not stand on.
func (x *extraction) lists(c *scope, g *segment) {
	ms := listName.FindAllStringIndex(g.s, -1)
	if len(ms) == 0 {
		return
	}
	if !c.refusal && !notListed.MatchString(g.s) {
		return
	}
	var names []string
	seen := map[string]bool{}
	for _, m := range ms {
		n := g.s[m[0]:m[1]]
		if !seen[n] {
			names = append(names, n)
		}
		seen[n] = true
	}
	of := offsets(g.s)
	keep, upto := of[ms[0][0]], of[ms[len(ms)-1][1]]
	x.whole(c, g, keep, upto, Clause{Field: NotOnList, Op: "not_on", Value: one(names)}, 95)
	for _, m := range ms {
		g.s = g.s[:m[0]] + blank(g.s[m[0]:m[1]]) + g.s[m[1]:]
		if len(ms) > 1 { // blank has other bytes: places moved, so all at once
			g.s = listName.ReplaceAllStringFunc(g.s, blank)
			break
		}
	}
}

func one(names []string) any {
	if len(names) == 1 {
		return names[0]
	}
	return names
}

// credit finds the level of tax credit.
func (x *extraction) credit(c *scope, g *segment) {
	m := taxCredit.FindStringSubmatchIndex(g.s)
	if m == nil || m[2] < 0 {
		return
	}
	var levels []string
	for i := 1; i <= 3; i++ {
		if m[2*i] >= 0 {
			levels = append(levels, g.s[m[2*i]:m[2*i+1]])
		}
	}
	l := Clause{Field: TaxCredit, Op: "eq", Value: levels[0], Unit: "级"}
	tail := ""
	if m[10] >= 0 {
		tail = g.s[m[10]:m[11]]
	}
	before := g.s[m[0]:m[2]]
	switch {
	case len(levels) > 1:
		l.Op, l.Value = "in", levels
	case strings.HasSuffix(tail, "以上") || strings.Contains(before, "不低于") || strings.Contains(before, "达到"):
		l.Op = "ge"
	case tail == "以下":
		l.Op = "le"
	}
	if l.Op == "in" && tail != "" && strings.HasSuffix(tail, "以上") {
		l.Op, l.Value = "ge", levels[len(levels)-1]
	}
	if c.refusal {
		l.Op = cmp.Or(turned[l.Op], "not_on") // D级不予支持
	}
	of := offsets(g.s)
	x.whole(c, g, of[m[0]], of[m[1]], l, 92)
	g.s = g.s[:m[0]] + blank(g.s[m[0]:m[1]]) + g.s[m[1]:]
}

// run is names that stand beside each other, joined by 、 or 或.
type run struct {
	names    []string
	from, to int // bytes
}

// runs gathers what r finds in s into runs.
func runs(s string, r *regexp.Regexp, ok func(from, to int) bool, name func(string) string) []run {
	var out []run
	for _, m := range r.FindAllStringIndex(s, -1) {
		if !ok(m[0], m[1]) {
			continue
		}
		n := name(s[m[0]:m[1]])
		if k := len(out) - 1; k >= 0 && joined.MatchString(s[out[k].to:m[0]]) {
			out[k].to = m[1]
			if out[k].names[len(out[k].names)-1] != n {
				out[k].names = append(out[k].names, n)
			}
			continue
		}
		out = append(out, run{[]string{n}, m[0], m[1]})
	}
	return out
}

// labelled is what follows a title that only names whom an item is about: 瞪羚企业：, 瞪羚企业应满足：.
var labelled = regexp.MustCompile(`^(?:应当?|须|需|必须)?(?:同时)?(?:满足|符合|具备)?(?:以下|下列|如下)?(?:条件|要求)?：$`)

// titles finds qualifications to be held.
func (x *extraction) titles(c *scope, g *segment) {
	s := g.s
	found := runs(s, x.words.qualifications, func(from, to int) bool {
		name := x.words.title[s[from:to]]
		if strings.HasPrefix(name, "软件企业") && !regexp.MustCompile(`认[定证]|评估|证书|双软`).MatchString(s) {
			return false
		}
		if c.inPart && strings.Trim(s[:from], "＿") == "" && labelled.MatchString(s[to:]) {
			return false
		}
		return !seekTitle.MatchString(s[:from]) || strings.Contains(s[to:], "认定的")
	}, func(alias string) string { return x.words.title[alias] })
	if len(found) == 0 {
		return
	}
	of := offsets(s)
	marks := []rune(s)
	for _, r := range found {
		if m := levelWord.FindString(s[:r.from]); m != "" {
			for i := range r.names {
				if i == 0 {
					r.names[i] = m + r.names[i]
				}
			}
		}
		op := "has"
		if c.refusal && !exceptFor.MatchString(s[:r.from]) {
			op = "not_on"
		}
		x.whole(c, g, of[r.from], of[r.to], Clause{Field: Qualification, Op: op, Value: one(r.names)}, 90)
		for i := of[r.from]; i < of[r.to]; i++ {
			marks[i] = '＿'
		}
	}
	g.s = string(marks)
}

// regions finds where the company must be.
func (x *extraction) regions(c *scope, g *segment) {
	for _, r := range x.words.placing {
		m := r.FindStringSubmatchIndex(g.s)
		if m == nil {
			continue
		}
		name := x.regionName(g.s[m[2]:m[3]])
		if name == "" {
			continue
		}
		op := "in"
		if regexp.MustCompile(`(?:^|不|非)$`).MatchString(strings.Trim(g.s[:m[2]], "＿")) && strings.Contains(g.s[:m[2]], "非") {
			op = "not_on"
		}
		of := offsets(g.s)
		x.whole(c, g, of[m[0]], of[m[1]], Clause{Field: Region, Op: op, Value: name}, 90)
		rs := []rune(g.s)
		for i := of[m[2]]; i < of[m[3]]; i++ {
			rs[i] = '＿'
		}
		g.s = string(rs)
		return
	}
}

func (x *extraction) regionName(s string) string {
	switch {
	case strings.HasPrefix(s, "全") || strings.HasPrefix(s, "各") || strings.HasPrefix(s, "该"):
		s = "本" + strings.TrimLeft(s, "全各该")
	case strings.HasPrefix(s, "我"):
		s = "本" + strings.TrimPrefix(s, "我")
	}
	for _, verb := range []string{"入驻", "位于", "落户", "注册于", "注册在", "迁入", "登记在", "在", "于"} {
		if rest, ok := strings.CutPrefix(s, verb); ok {
			return x.regionName(rest)
		}
	}
	if rest, ok := strings.CutPrefix(s, "本"); ok {
		if h := x.home[rest]; h != "" {
			return h
		}
		return s
	}
	s = strings.TrimSuffix(strings.TrimSuffix(s, "行政区"), "辖区")
	for _, k := range x.words.regions { // 通州区内高新区: the known name alone
		if rest, ok := strings.CutPrefix(s, k); ok && (strings.HasPrefix(rest, "内") || strings.HasPrefix(rest, "行政") || notRegion.MatchString(rest)) {
			return k
		}
	}
	if notRegion.MatchString(s) || s == "" {
		return ""
	}
	return s
}

// sizes finds classes of size.
func (x *extraction) sizes(c *scope, g *segment) {
	s := g.s
	of := offsets(s)
	found := runs(s, sizeName, func(from, to int) bool { return s[from:to] != "个体工商户" }, func(n string) string { return sizeWord(n) })
	for _, r := range found {
		if strings.HasPrefix(s[r.to:], "划型") || strings.HasPrefix(s[r.to:], "发展") || strings.HasPrefix(s[r.to:], "服务") || strings.Contains(s, "标准") && strings.Contains(s, "达到规") {
			if !strings.HasPrefix(s[r.to:], "划型") {
				continue
			}
		}
		if c.refusal && !excluded.MatchString(s[r.to:]) && !strings.Contains(s[:r.from], "非") {
			continue
		}
		op := "in"
		if c.refusal || notYet.MatchString(s[:r.from]) {
			op = "not_on"
		}
		x.whole(c, g, of[r.from], of[r.to], Clause{Field: SizeClass, Op: op, Value: one(r.names)}, 88)
	}
}

// notYet is what stands before a size that is not to be reached: 尚未纳入规模以上统计.
var notYet = regexp.MustCompile(`未(?:被)?(?:纳入|进入|达到|列入|成为|入)[^，。；]{0,4}$`)

// sizeWord is the usual short form.
func sizeWord(n string) string {
	n = strings.Trim(n, `"`)
	switch {
	case strings.HasPrefix(n, "规模以上") || strings.HasPrefix(n, "规上") || strings.HasPrefix(n, "四上") || strings.HasPrefix(n, `四上`):
		return "规上"
	case strings.HasPrefix(n, "限"):
		return "限上"
	case strings.HasPrefix(n, "规模以下") || strings.HasPrefix(n, "规下"):
		return "规下"
	case strings.HasPrefix(n, "中型、小型") || strings.HasPrefix(n, "中小微"):
		return "中小微企业"
	case strings.HasPrefix(n, "小型、微") || strings.HasPrefix(n, "小型和微") || strings.HasPrefix(n, "小型或微") || strings.HasPrefix(n, "小微"):
		return "小微企业"
	case strings.HasPrefix(n, "中小"):
		return "中小企业"
	}
	return n
}

var (
	tradeAfter  = regexp.MustCompile(`^(?:企业|行业|领域|产业|单位|项目|类|的|和|及|与|或|、|等|经营|服务|方向|＿|，|。|；|（|法人|机构|业务|$)`)
	notTrade    = regexp.MustCompile(`^(?:务|绩|主|态|内|化|园|部门|主管|协会|厅|局|和信息化|信息化|资质|增加值|总产值|产值)`)
	tradeBefore = regexp.MustCompile(`从事|属于|行业|主营|面向|支持|领域`)
)

// industries finds the industries a company must be of.
func (x *extraction) industries(c *scope, g *segment) {
	s := g.s
	of := offsets(s)
	found := runs(s, x.words.industries, func(from, to int) bool {
		alias := s[from:to]
		if strings.HasSuffix(s[:from], "非") {
			return false
		}
		if strings.HasSuffix(alias, "业") {
			return !notTrade.MatchString(s[to:])
		}
		if !tradeAfter.MatchString(s[to:]) {
			return false
		}
		rest, _ := upTo(s[to:], 14)
		return tradeBefore.MatchString(s[:from]) || regexp.MustCompile(`企业|行业|产业|领域|单位|机构`).MatchString(rest)
	}, func(alias string) string { return x.words.industryName[alias] })
	for _, r := range found {
		op := "in"
		if c.refusal && !strings.Contains(s[:r.from], "非") || exceptFor.MatchString(s[:r.from]) || excluded.MatchString(s[r.to:]) {
			op = "not_on"
		}
		confidence := 82
		if c.refusal && op == "in" {
			confidence = 50
		}
		x.whole(c, g, of[r.from], of[r.to], Clause{Field: Industry, Op: op, Value: one(r.names)}, confidence)
	}
}

func upTo(s string, n int) (string, bool) {
	for i := range s {
		if n == 0 {
			return s[:i], true
		}
		n--
	}
	return s, false
}

var facts = []struct {
	r          *regexp.Regexp
	subject    string
	confidence int
}{
	{regexp.MustCompile(`独立(?:的)?(?:企业|事业)?法人(?:资格|地位)?|法人资格`), "独立法人资格", 75},
	{regexp.MustCompile(`独立(?:的)?(?:会计)?核算`), "独立核算", 65},
	{regexp.MustCompile(`(?:未|无|没有|不存在)(?:发生|出现|受到|因)?(?:过)?[^，；。]{0,30}?(?:事故|违法(?:违规)?(?:行为|记录)?|处罚|犯罪(?:记录)?|违规(?:行为|记录)?|欠税|拖欠(?:工资)?|欠薪|欠缴|逾期|纠纷|偷税|骗税|不良贷款|侵权(?:行为)?)|不(?:欠缴|拖欠|欠)[^，；。]{1,12}`), "", 70},
	{regexp.MustCompile(`依法(?:按时|足额)*(?:纳税|缴纳(?:税|社)[^，；。]{0,8})|按时足额(?:纳税|缴纳)[^，；。]{0,8}|依法参加社会保险|(?:依法)?缴纳(?:城镇职工)?(?:职工)?社会保险|依法缴纳社会保险`), "依法纳税参保", 60},
	{regexp.MustCompile(`已?(?:完成|取得|办理)[^，；。]{0,8}备案`), "备案", 60},
}

// plain finds facts that are so or not, when the segment gave nothing else.
func (x *extraction) plain(c *scope, g *segment) {
	if c.refusal && c.inPart && !g.found {
		return
	}
	for _, f := range facts {
		m := f.r.FindStringIndex(g.s)
		if m == nil || c.refusal && !notListed.MatchString(g.s[m[0]:m[1]]) {
			continue
		}
		if g.found && f.subject != "独立法人资格" {
			continue
		}
		subject := f.subject
		if subject == "" {
			subject = strings.TrimLeft(g.s[m[0]:m[1]], "未无没有不存在发生出现受到因过")
		}
		of := offsets(g.s)
		x.whole(c, g, of[m[0]], of[m[1]], Clause{Field: Other, Op: "true", Value: true, Subject: strings.Trim(subject, "＿")}, f.confidence)
		return
	}
}
