package draft

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

const cn = `[一二三四五六七八九十百零〇两\d]+`

// numbers are the ways of numbering, outermost first; the level of a line is the place of its way.
var numbers = []*regexp.Regexp{
	regexp.MustCompile(`^第` + cn + `[章编部分]`),
	regexp.MustCompile(`^[一二三四五六七八九十]+[、.．]`),
	regexp.MustCompile(`^第` + cn + `条`),
	regexp.MustCompile(`^（[一二三四五六七八九十]+）、?`),
	regexp.MustCompile(`^\d{1,2}(?:、|\.(?:[^\d]|(?:19|20)\d\d年|$))`), // 3.2025年度: item 3
	regexp.MustCompile(`^（?\d{1,2}）`),
	regexp.MustCompile(`^[①-⑳]`),
	regexp.MustCompile(`^(?:[a-zA-Z][.、）]|[●○■◆·•★*~]+)`),
}

// bare is the level of a heading without a number, between 一、 and 第一条.
const bare = 3

// number returns the level of the number a line begins with, from 1, and 0 for none.
func number(line string) int {
	for i, r := range numbers {
		if r.MatchString(line) {
			return i + 1
		}
	}
	return 0
}

// numbered returns how many runes the number of the line takes.
func numbered(line string) int {
	for i, r := range numbers {
		if m := r.FindString(line); m != "" {
			if i == 4 && !strings.HasSuffix(m, "、") { // 1.甲: not the rune behind
				m = m[:strings.Index(m, ".")+1]
			}
			return utf8.RuneCountInString(m)
		}
	}
	return 0
}

var (
	conditionHeading = regexp.MustCompile(`(申报|申请|支持|扶持|奖励|补助|补贴|资助|认定|评价|享受|适用|基本|资格|准入|入库|入驻|推荐|评选|贴息|发放|征集|兑现|奖补|申领|受理|遴选|参评|具体|企业|主体|必备|共性|专项|通用|限制|申贷|贷款|入选|服务|培育|对象)[^，。]{0,6}(条件|对象|范围|资格|主体|要求)$|^(条件|对象|范围|适用|门槛)|(对象|范围|主体)(和|及|与)[^，。]{0,6}条件|(适用|支持|扶持|奖励|补助|补贴|申报|申请|发放)(对象|范围|主体)|(申报|申请|认定|评价|基本|支持|扶持|资助|奖励|补助|入库|准入|享受)(的)?(条件|资格)`)
	refusalHeading   = regexp.MustCompile(`(负面清单|不予(支持|受理|补助|资助|奖励)|不得申报|不支持|除外情形|限制性?(条件|情形)|否决|禁止(性|申报))`)
	asideHeading     = regexp.MustCompile(`材料|程序|流程|步骤|方式|联系|咨询|电话|时间|期限|标准|金额|额度|内容|措施|政策|监督|附则|责任|管理|解释|附件|职责|验收|拨付|保障|目的|依据|原则|义务|绩效|用途|比例|方法|公示|兑现|审核|组织|安排|实施|地点|渠道|指标|说明|其他事项|注意事项|目标|任务`)
	conditionLead    = regexp.MustCompile(`(应当?|须|需|必须|需要|要|可|符合|具备|满足|达到|同时)[^。；]{0,14}(以下|下列|如下|下述)[^。；]{0,14}(条件|要求|标准|情形|规定)|(以下|下列|如下)[^。；]{0,10}(条件|要求)[^。；]{0,12}$|(条件|要求)(为|是|如下|包括)$|(应当?|须|需|必须|需要)(同时)?(满足|符合|具备)：$|(支持|申报|适用|扶持|补助|奖励)(对象|范围|主体|条件)[^。；，]{0,10}$`)
	refusalLead      = regexp.MustCompile(`(以下|下列|如下|上述|之一)[^。；]{0,40}(不予|不得|不支持|不纳入|不适用|除外|不能|不可|不享受|取消)|(不予|不得|不支持|不能|不存在|不可|未|无|没有)[^。；]{0,16}(以下|下列|如下)[^。；]{0,12}`)
	asideLead        = regexp.MustCompile(`材料|资料|程序|流程|给予|奖励标准|补助标准|以下标准|标准如下|方式|联系|步骤|执行|提交|提供`)
)

// leaves are the words of a heading that ends a part about conditions though it stands below its heading.
var leaves = regexp.MustCompile(`材料|资料|程序|流程|步骤|方式|联系|咨询|电话|金额|额度|政策|附件|拨付|公示|兑现|审核|奖励|补助|补贴|资助|贴息|支持|扶持|渠道|验收|监督`)

// headingKind says what a heading is about. A heading that names conditions is about them whatever else it names.
func headingKind(h string) kind {
	switch {
	case refusalHeading.MatchString(h):
		return refusals
	case conditionHeading.MatchString(h) && !strings.Contains(h, "材料") && !strings.HasSuffix(h, "内容") && !strings.HasSuffix(h, "标准"):
		return conditions
	case asideHeading.MatchString(h):
		return aside
	}
	return neutral
}

type part struct {
	level int
	kind  kind
	oneOf bool
	list  int  // of a list that asks for one of its items: which
	lead  bool // opened by a sentence, not by a heading
}

// divide cuts the text into sentences and gives each the kind of the part it stands in.
func (t *text) divide() {
	var stack []part
	lists := 0
	for n, l := range t.lines() {
		line := t.string(l[0], l[1])
		level := number(line)
		from := l[0] + numbered(line)
		title, titled := t.heading(from, l[1], level > 0)
		switch {
		case level == 0 && titled:
			level = bare
		case level > 0:
			if level >= bare {
				level++ // room for bare
			}
		}
		if level > 0 {
			for len(stack) > 0 && stack[len(stack)-1].level >= level {
				stack = stack[:len(stack)-1]
			}
		}
		if titled {
			words := t.string(from, title)
			p := part{level: level, kind: headingKind(words)}
			if p.kind == aside && inherited(stack).kind == conditions && !leaves.MatchString(words) { // 4.经营管理 among the conditions
				p.kind = neutral
			}
			if p.kind != neutral || level <= 3 {
				t.kinds = append(t.kinds, p.kind)
			}
			stack = append(stack, p)
			from = title
		}
		all := t.split(from, l[1])
		inline := neutral // what a lead within the line opens, up to the full stop: 有下列情形的不予贴息：逾期贷款；…。
		for i, s := range all {
			in := inherited(stack)
			words := t.string(s[0], s[1])
			if i > 0 && t.runes[s[0]-1] != '；' {
				inline = neutral
			}
			if lead, rest, ok := strings.Cut(words, "："); ok && rest != "" && in.kind != aside {
				if k := leadKind(lead+"：", in.kind); k == refusals || k == conditions && in.kind == neutral {
					inline = k
					t.kinds = append(t.kinds, k)
				}
			}
			if inline != neutral {
				in.kind = inline
			}
			k := neutral
			if strings.HasSuffix(words, "：") && s[1] == l[1] {
				k = leadKind(words, in.kind)
			}
			if k == neutral {
				t.sentences = append(t.sentences, sentence{s[0], s[1], in.kind, in.oneOf, in.list, n, level > 0 && !titled && i == 0 && len(all) > 1})
				continue
			}
			t.kinds = append(t.kinds, k)
			if k != aside { // it may name the object itself: 注册在本区的企业应当符合下列条件：
				t.sentences = append(t.sentences, sentence{from: s[0], to: s[1], kind: conditions, item: n})
			}
			p := part{level: level, kind: k, oneOf: oneOf.MatchString(words), lead: true}
			if p.oneOf {
				lists++
				p.list = lists
			}
			stack = opened(stack, p)
		}
	}
}

// opened puts the part a sentence opens on the stack. Without a number of its own it stands beside the innermost part and
// ends the one that a sentence opened there before.
func opened(stack []part, p part) []part {
	if p.level == 0 {
		p.level = bare
		if n := len(stack); n > 0 {
			p.level = max(bare, stack[n-1].level)
		}
		for len(stack) > 0 && stack[len(stack)-1].lead && stack[len(stack)-1].level >= p.level {
			stack = stack[:len(stack)-1]
		}
	}
	return append(stack, p)
}

var oneOf = regexp.MustCompile(`之一|任一|任意一|其中一[项个条]|[一1]项(及|\(含\)|（含）)?以上`)

func leadKind(words string, in kind) kind {
	switch {
	case refusalLead.MatchString(words):
		return refusals
	case conditionLead.MatchString(words) && !asideLead.MatchString(words):
		return conditions
	case conditionLead.MatchString(words) && !strings.Contains(words, "材料") && !strings.Contains(words, "标准"):
		return conditions
	case asideLead.MatchString(words) && in != conditions:
		return aside
	case strings.Contains(words, "材料"):
		return aside
	}
	return neutral
}

// inherited is the innermost part that is about something.
func inherited(stack []part) part {
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i].kind != neutral {
			return stack[i]
		}
	}
	return part{}
}

// lines are the lines of the even text, an item that begins behind a stop counting as one: 如下：（一）…；（二）….
func (t *text) lines() [][2]int {
	var out [][2]int
	from := 0
	for i := 0; i <= len(t.runes); i++ {
		cut := i == len(t.runes) || t.runes[i] == '\n'
		if !cut && i > from && strings.ContainsRune("：；。", t.runes[i-1]) && strings.ContainsRune("（①②③④⑤⑥⑦⑧⑨⑩123456789一二三四五六七八九第", t.runes[i]) {
			if n := number(t.string(i, min(i+8, len(t.runes)))); n > 2 {
				out = append(out, [2]int{from, i})
				from = i
				continue
			}
		}
		if cut {
			if i > from {
				out = append(out, [2]int{from, i})
			}
			from = i + 1
		}
	}
	return out
}

// heading finds the end of the heading that begins at from: a short line, or short words before 。 ： or a space.
func (t *text) heading(from, to int, numbered bool) (int, bool) {
	const most = 22
	for i := from; i < to && i-from <= most; i++ {
		switch {
		case t.runes[i] == '】' && i > from:
			return i + 1, true
		case t.runes[i] == '。' || t.runes[i] == '：':
			k := headingKind(strings.TrimRight(t.string(from, i), "】"))
			if i-from <= 12 && k != neutral && (t.runes[i] == '：' || i+1 < to) && !verb.MatchString(t.string(from, i)) {
				return i + 1, true
			}
			if t.runes[i] == '。' {
				return 0, false
			}
		case i > from && t.spaceBefore(i):
			if numbered && i-from <= 14 && !strings.ContainsRune(t.string(from, i), '，') && headingKind(t.string(from, i)) != neutral {
				return i, true
			}
		case t.runes[i] == '，' || t.runes[i] == '；':
			return 0, false
		}
	}
	words := t.string(from, to)
	if to-from > most || to == from || strings.ContainsAny(words[len(words)-1:], "0123456789%") {
		return 0, false
	}
	if k := headingKind(strings.TrimSuffix(strings.Trim(words, "【】"), "：")); k != neutral && !verb.MatchString(words) {
		return to, true
	}
	return 0, false
}

// verb tells a sentence from a heading.
var verb = regexp.MustCompile(`不低于|不少于|不超过|达到|以上|以下|应当|应具|须|具有|符合|拥有|健全|规范|良好|给予|未|无|近[一二三两\d]年`)

// spaceBefore reports white space in the original before rune i.
func (t *text) spaceBefore(i int) bool {
	return strings.TrimSpace(t.original[t.end(i):t.at[i]]) == "" && t.at[i] > t.end(i)
}

// split cuts [from, to) behind 。；！？, not inside brackets.
func (t *text) split(from, to int) [][2]int {
	return t.cut(from, to, "。；！？")
}

func (t *text) cut(from, to int, stops string) [][2]int {
	var out [][2]int
	depth, start := 0, from
	for i := from; i < to; i++ {
		switch t.runes[i] {
		case '（', '《':
			depth++
		case '）', '》':
			depth = max(0, depth-1)
		}
		if strings.ContainsRune(stops, t.runes[i]) && (depth == 0 || t.runes[i] == '。') {
			out = append(out, [2]int{start, i + 1})
			start, depth = i+1, 0
		}
	}
	if start < to {
		out = append(out, [2]int{start, to})
	}
	return out
}

// longest is how many runes a segment may have: what is read of one grows faster than its length.
const longest = 200

// short cuts what is longer behind a 、, or anywhere.
func (t *text) short(pieces [][2]int) [][2]int {
	var out [][2]int
	for _, p := range pieces {
		from := p[0]
		for p[1]-from > longest {
			to := from + longest
			for i := to; i > from+longest/2; i-- {
				if t.runes[i-1] == '、' {
					to = i
					break
				}
			}
			out = append(out, [2]int{from, to})
			from = to
		}
		out = append(out, [2]int{from, p[1]})
	}
	return out
}

// structured reports whether the text has a part about conditions.
func (t *text) structured() bool {
	for _, k := range t.kinds {
		if k == conditions || k == refusals {
			return true
		}
	}
	return false
}
