package draft

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// words are the names a reader knows, made from its lexicon once.
type words struct {
	industries     *regexp.Regexp
	industryName   map[string]string // alias → usual name
	qualifications *regexp.Regexp
	title          map[string]string // alias → usual name
	regions        []string          // known by name
	placing        []*regexp.Regexp  // the ways a region is named as a condition, surest first; the first group is the region
}

var provinces = []string{"北京市", "天津市", "上海市", "重庆市", "河北省", "山西省", "辽宁省", "吉林省", "黑龙江省", "江苏省", "浙江省", "安徽省", "福建省", "江西省", "山东省",
	"河南省", "湖北省", "湖南省", "广东省", "海南省", "四川省", "贵州省", "云南省", "陕西省", "甘肃省", "青海省", "内蒙古自治区", "广西壮族自治区", "西藏自治区",
	"宁夏回族自治区", "新疆维吾尔自治区"}

// titles are the qualifications by their usual name, with what else they are called.
var titles = map[string][]string{
	"高新技术企业":         {"国家级高新技术企业", "国家高新技术企业", "国高企业", "国高新", "高企"},
	"科技型中小企业":        {"科技型中小微企业", "科技中小企业"},
	"创新型中小企业":        nil,
	"专精特新中小企业":       {`"专精特新"中小企业`, `"专精特新"企业`, "专精特新企业", "专精特新中小微企业"},
	"专精特新“小巨人”企业":    {`专精特新"小巨人"企业`, `"专精特新"小巨人企业`, `"专精特新小巨人"企业`, "专精特新小巨人企业", `专精特新"小巨人"`, "专精特新小巨人", `"小巨人"企业`, "小巨人企业", `"小巨人"`, "小巨人"},
	"重点“小巨人”企业":      {`重点"小巨人"企业`, "重点小巨人企业"},
	"制造业单项冠军":        {"制造业单项冠军企业", "单项冠军企业", "单项冠军示范企业", "单项冠军培育企业", "制造业单项冠军产品", "单项冠军产品", "单项冠军"},
	"瞪羚企业":           {"瞪羚", "潜在瞪羚企业"},
	"独角兽企业":          {"独角兽"},
	"潜在独角兽企业":        {"潜在独角兽", "准独角兽企业"},
	"雏鹰企业":           {"雏鹰"},
	"哪吒企业":           nil,
	"隐形冠军企业":         {"隐形冠军"},
	"技术先进型服务企业":      nil,
	"企业技术中心":         {"技术中心"},
	"工程研究中心":         {"工程技术研究中心", "工程实验室"},
	"重点实验室":          nil,
	"技术创新中心":         nil,
	"制造业创新中心":        nil,
	"工业设计中心":         nil,
	"新型研发机构":         nil,
	"院士工作站":          {"院士专家工作站"},
	"博士后科研工作站":       {"博士后工作站"},
	"绿色工厂":           {"绿色制造示范企业"},
	"智能工厂":           {"智能制造示范工厂", "未来工厂"},
	"数字化车间":          nil,
	"知识产权优势企业":       nil,
	"知识产权示范企业":       nil,
	"农业产业化龙头企业":      {"农业产业化重点龙头企业", "农业龙头企业"},
	"老字号":            {"中华老字号", "老字号企业"},
	"上市公司":           {"上市企业", "A股上市公司"},
	"新三板挂牌企业":        nil,
	"软件企业":           {"双软企业", "双软认证企业"},
	"总部企业":           {"总部型企业"},
	"众创空间":           nil,
	"科技企业孵化器":        {"孵化器"},
	"中小企业公共服务示范平台":   nil,
	"小型微型企业创业创新示范基地": {"小微企业创业创新示范基地", "小微企业双创基地"},
	"中关村高新技术企业":      nil,
	"首台（套）":          {"首台套", "首台（套）装备", "首台（套）重大技术装备"},
	"外贸综合服务企业":       nil,
	"质量管理体系认证":       {"ISO9001质量管理体系认证", "ISO9001认证", "ISO9001质量管理体系", "质量管理体系"},
	"环境管理体系认证":       {"ISO14001环境管理体系认证", "ISO14001环境管理体系", "环境管理体系"},
	"信息安全管理体系认证":     {"ISO27001信息安全管理体系认证", "ISO27001信息安全管理体系", "ISO27001认证"},
	"知识产权管理体系认证":     {"知识产权管理体系贯标认证", "知识产权贯标"},
	"两化融合管理体系评定":     {"两化融合管理体系贯标", "两化融合贯标", "两化融合管理体系"},
	"安全生产标准化":        {"安全生产标准化企业"},
	"高成长企业":          {"高成长性企业"},
	"链主企业":           {`产业链"链主"企业`, `"链主"企业`},
	"食品经营许可证":        {"食品经营许可"},
	"建筑业企业资质":        nil,
	"进出口货物收发货人备案":    nil,
}

// trades are the industries by their usual name, with what else they are called, beside the names of the standard.
var trades = map[string][]string{
	"制造业": {"制造企业", "先进制造业", "高端制造业", "生产制造业", "制造"}, "工业": {"工业企业"}, "农、林、牧、渔业": {"农林牧渔业", "农业种植"}, "建筑业": {"建筑企业", "建筑"},
	"批发和零售业": {"批发零售业", "批零业", "批发零售", "批发和零售", "批零"}, "批发业": {"批发"}, "零售业": {"零售"}, "住宿和餐饮业": {"住宿餐饮业", "住餐业", "住宿餐饮", "住宿和餐饮", "餐饮住宿"},
	"住宿业": {"住宿"}, "餐饮业": {"餐饮服务业", "餐饮"}, "交通运输、仓储和邮政业": {"交通运输仓储和邮政业", "交通运输仓储邮政业", "交通运输业"}, "仓储业": {"仓储"},
	"道路运输业": {"道路货物运输", "道路货运"}, "物流业": {"现代物流业", "物流"}, "信息传输、软件和信息技术服务业": {"信息传输软件和信息技术服务业"},
	"软件和信息技术服务业": {"软件和信息服务业", "软件与信息技术服务业", "软件和信息技术服务", "软件信息服务业", "信息技术服务业", "软件业", "软件和信息服务", "软件开发", "软件"},
	"互联网和相关服务":   {"互联网", "互联网数据服务"}, "金融业": {"金融"}, "房地产业": {"房地产开发", "房地产"}, "租赁和商务服务业": {"商务服务业", "租赁和商务服务"},
	"科学研究和技术服务业": {"科学研究与技术服务业", "科技服务业", "科技服务"}, "文化、体育和娱乐业": {"文化体育和娱乐业", "文体娱业"}, "文化艺术业": {"文化艺术"},
	"居民服务、修理和其他服务业": {"居民服务业", "居民服务"}, "家庭服务业": {"家庭服务", "家政服务业", "家政服务", "家政"}, "养老服务业": {"养老服务", "养老"}, "旅游业": {"文化旅游业", "文旅产业", "旅游"},
	"卫生和社会工作": {"医疗卫生"}, "娱乐业": {"娱乐"}, "服务业": {"现代服务业", "生产性服务业", "生活性服务业", "生活服务业", "高技术服务业"}, "战略性新兴产业": nil,
	"生物医药": {"生物医药产业", "医药健康", "生物与新医药"}, "人工智能": {"人工智能产业"}, "集成电路": {"集成电路产业", "半导体"}, "新能源": {"新能源产业"}, "新材料": {"新材料产业"},
	"新一代信息技术": nil, "高端装备制造": {"高端装备制造业", "高端装备", "智能装备"}, "节能环保": {"节能环保产业"}, "智能网联汽车": nil, "新能源汽车": nil, "数字经济": nil, "数字创意": nil, "医疗器械": {"医疗器械制造"},
	"跨境电商": {"跨境电子商务"}, "电子商务": {"电商"}, "低空经济": nil, "航空航天": nil, "机器人": nil, "量子信息": nil, "电子信息": {"电子信息产业"}, "装备制造": {"装备制造业"}, "文化创意": {"文化创意产业", "文创"},
	"会展业": {"会展"}, "外贸": {"对外贸易"}, "食品加工": {"食品加工业", "农产品加工"}, "大健康": nil, "海洋经济": nil, "元宇宙": nil, "信息安全": {"网络安全"}, "绿色能源": nil, "商贸业": {"商贸流通业", "商贸流通", "商贸"},
	"烘焙": {"烘焙食品"}, "旅行社": nil, "医学研究和试验发展": nil,
}

func newWords(l Lexicon) *words {
	w := &words{industryName: map[string]string{}, title: map[string]string{}}
	add := func(into map[string]string, name string, aliases []string) {
		into[even(name)] = name
		for _, a := range aliases {
			into[even(a)] = name
		}
	}
	for _, name := range l.Industries {
		if utf8.RuneCountInString(name) > 2 || strings.HasSuffix(name, "业") {
			add(w.industryName, name, []string{strings.ReplaceAll(name, "、", "")})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(trades)) {
		add(w.industryName, name, trades[name])
	}
	for _, name := range l.Qualifications {
		if name = even(name); !taxCredit.MatchString(name) && !strings.Contains(name, "规模以上") && !strings.Contains(name, "或") && w.title[name] == "" {
			add(w.title, name, nil)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(titles)) {
		add(w.title, name, titles[name])
	}
	w.industries = longestOf(w.industryName)
	w.qualifications = longestOf(w.title)
	known := map[string]string{}
	for _, r := range append(slices.Clone(l.Regions), provinces...) {
		known[r] = r
	}
	w.regions = slices.SortedFunc(maps.Keys(known), longestFirst)
	names := longestOf(known).String()
	w.placing = placing(`(?:(?:` + names + `)(?:[\p{Han}]{1,5}?(?:市|区|县))?|` + namedRegion + `)`)
	return w
}

func placing(region string) []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`(?:注册地|登记地|住所地?|经营地|纳税地|税务登记地|注册地址|实施地点?|项目地|建设地)[^，。；]{0,14}?(?:均?在|位于|为|于)(` + region + `)`),
		regexp.MustCompile(`(?:在|于|位于|落户|入驻|迁入|注册)(` + region + `)(?:行政)?(?:区域|辖区|范围|境)?(?:内|中)?[^，。；]{0,24}(?:注册|登记|设立|成立|纳税|经营|生产|纳统|参加|参保|缴纳|办理|落户|建设|实施|从事|企业|单位|法人|机构|办公|新设立|投资|取得)`),
		regexp.MustCompile(`(?:注册|登记|设立|落户|位于|入驻|纳税|经营|缴纳[^，。；]{0,6})(?:在|于)?(` + region + `)`),
		regexp.MustCompile(`^＿*(?:且|并|凡|对|支持|面向|适用于|鼓励|对于|为|本[^，。；]{0,4}适用于)?(` + region + `)(?:行政)?(?:区域|辖区|范围|境)?(?:内|范围内)?(?:的)?[^，。；]{0,30}(?:企业|单位|法人|机构|个体工商户|登记注册|注册登记|依法登记|纳税人|项目)`),
	}
}

// namedRegion is a region by its last word.
const namedRegion = `(?:本|我|全|该|各)(?:自治区|省|市|区|县|旗|州|街道|镇|乡|园区|开发区|高新区|新区|行政区域|辖区)|` +
	`(?:[\p{Han}]{1,6}?(?:省|自治区|市|自治州|地区|盟|新区|开发区|高新区|示范区|自贸区|试验区|产业园区|产业园|科技园|功能区|保税区|区|县|旗|街道|镇|乡)){1,3}`

func longestOf(names map[string]string) *regexp.Regexp {
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, regexp.QuoteMeta(n))
	}
	slices.SortFunc(list, longestFirst)
	return regexp.MustCompile(strings.Join(list, "|"))
}

func longestFirst(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }

// home finds what 本区 and 本市 stand for: the one region of that kind the head of the text names, or its text most.
func (w *words) home(t *text) map[string]string {
	out := map[string]string{}
	body := t.string(0, min(len(t.runes), 3000))
	for _, suffix := range []string{"省", "市", "区", "县", "镇", "街道"} {
		for _, in := range []string{t.head, body} {
			if name := placed(in, suffix); name != "" {
				out[suffix] = name
				break
			}
		}
	}
	return out
}

var placedRegions = regexp.MustCompile(`[\p{Han}]{2,9}?(?:省|市|区|县|镇|街道)`)

// administrative is what follows a region in the name of an office or document.
var administrative = regexp.MustCompile(`^(?:人民政府|政府|委|财政|科技|科学|发展|发改|经济|工业|商务|人力|市场|促进|支持|关于|专精|推|鼓励|企业|中小|科|产业|.{0,4}局|.{0,4}办)`)

// placed is the region with suffix that s names in a place where only a region stands.
func placed(s, suffix string) string {
	for _, m := range placedRegions.FindAllStringIndex(s, -1) {
		name := s[m[0]:m[1]]
		if !strings.HasSuffix(name, suffix) || !administrative.MatchString(s[m[1]:]) {
			continue
		}
		for _, before := range []string{"省", "市", "来源：", "来源", "关于印发", "关于", "印发", "区", "县", "的", "和", "在", "于", "由", "《"} {
			if i := strings.LastIndex(name[:len(name)-len(suffix)], before); i >= 0 {
				name = name[i+len(before):]
			}
		}
		if n := utf8.RuneCountInString(name); n < 2 || n > 6 || notRegion.MatchString(name) {
			continue
		}
		return name
	}
	return ""
}

var notRegion = regexp.MustCompile(`本|入驻|企业|部门|单位|公司|^(?:本|我|全|该|各|外|内|跨|省|市|区|县)|园区$|^.?(?:社区|地区|小区|景区|城区|市区|专区|灾区|城镇|乡镇|上市|股市|楼市|超市|城市|都市|首都|门市|街区|片区|厂区|校区|库区|牧区|营业区|行政区|分区|区域|展区|市场化)$|挂牌|上市|的|法人|登记|注册|产业|以上|地级|县级|区级|市级|省级|应|须|在$|政府`)
