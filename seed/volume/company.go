package volume

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/uscc"
	"github.com/huiqi/huiqi/seed/demo"
	"github.com/huiqi/huiqi/seed/reference"
)

// Company is one company and its people.
type Company struct {
	Name, CreditCode, LegalPerson string
	Verified                      bool
	At                            time.Time // when it came to the platform
	Industry, Street, Address     string
	Scope                         string
	Established                   string
	Capital                       int64 // fen
	Employees                     int64
	Revenue, Assets, Research     int64 // fen
	Insured                       int64
	Patents, Inventions           int64
	Liabilities, Loans            int64 // fen
	LastRevenue                   int64 // of the year before, fen
	TaxGrade                      string
	Fined                         string // the day of a penalty; empty for nearly all
	Qualifications                []string
	People                        []Person // the owner first
}

// Person has an account.
type Person struct{ Name, Phone string }

const (
	surnames  = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
	given     = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅鑫波辉健晨宇欣怡博文思雨佳慧志远建国晓东海燕立新春生庆永康雪松宏亮子涵梓萱浩然俊峰婷凤玲德胜长江学堃喆㛃昕睿妍琳瑶珂"
	nameRunes = "安邦博昌诚辰驰川创达德鼎东方飞丰福富冠光广国海翰航和恒宏华辉汇慧佳嘉坚建捷金锦京景久聚凯康科坤兰朗乐丽利联林隆美民明铭宁鹏齐启千清庆荣融瑞润森尚盛世舒顺思泰腾天通同万威维文祥新欣信兴雄旭亚阳耀一宜亿易逸银盈永优友宇元源远云运泽展兆振正志智中众卓"
)

// trade is a kind of business: how often it occurs, how large its companies are.
type trade struct {
	weight   int
	industry string
	forms    []string
	scope    string
	staff    [2]int
	perHead  [2]int // revenue in 万元
	research int    // permille of the revenue, at most
}

var trades = []trade{
	{14, "6210", []string{"餐饮管理有限公司", "餐饮有限公司", "家常菜馆"}, "餐饮服务；外卖递送服务；餐饮管理", [2]int{4, 110}, [2]int{12, 26}, 0},
	{8, "1411", []string{"烘焙坊", "食品有限公司"}, "糕点、面包制造；食品销售；现制现售饮品", [2]int{3, 60}, [2]int{14, 30}, 5},
	{16, "5213", []string{"商贸有限公司", "百货店", "便利店"}, "日用百货、食品、文具用品零售", [2]int{2, 60}, [2]int{22, 60}, 0},
	{9, "5137", []string{"贸易有限公司", "供应链管理有限公司"}, "家用电器批发；进出口代理；仓储服务", [2]int{4, 120}, [2]int{60, 200}, 0},
	{13, "6513", []string{"软件有限公司", "信息技术有限公司", "智能科技有限公司"}, "应用软件开发；信息系统集成；数据处理服务", [2]int{4, 260}, [2]int{25, 70}, 250},
	{5, "6450", []string{"数据服务有限公司", "数据科技有限公司"}, "互联网数据服务；数据标注；大数据分析", [2]int{6, 180}, [2]int{22, 60}, 180},
	{7, "3484", []string{"精密机械有限公司", "机械部件有限公司"}, "机械零部件加工；工装夹具制造；金属表面处理", [2]int{12, 420}, [2]int{35, 90}, 70},
	{3, "3581", []string{"医疗器械有限公司", "医疗科技有限公司"}, "医疗诊断设备制造；第二类医疗器械销售", [2]int{12, 320}, [2]int{40, 110}, 200},
	{3, "2319", []string{"印刷有限公司", "包装印刷有限公司"}, "包装装潢印刷；数字印刷；纸制品销售", [2]int{10, 160}, [2]int{20, 45}, 30},
	{6, "8810", []string{"文化创意有限公司", "艺术设计有限公司", "文化传播有限公司"}, "文艺创作与表演；展览展示；文创产品销售", [2]int{3, 90}, [2]int{15, 45}, 40},
	{5, "5431", []string{"物流有限公司", "货运有限公司"}, "道路货物运输；装卸搬运；仓储服务", [2]int{6, 240}, [2]int{25, 65}, 0},
	{6, "4790", []string{"建筑工程有限公司", "装饰工程有限公司"}, "建筑工程施工；装饰装修；建筑劳务分包", [2]int{8, 300}, [2]int{30, 90}, 10},
	{3, "0141", []string{"现代农业有限公司", "蔬菜种植专业公司"}, "蔬菜、食用菌种植；农产品初加工；采摘观光", [2]int{4, 90}, [2]int{8, 22}, 10},
	{5, "8010", []string{"家政服务有限公司", "养老服务有限公司"}, "家庭服务；养老服务；保洁服务", [2]int{5, 160}, [2]int{6, 16}, 0},
	{2, "7020", []string{"物业管理有限公司"}, "物业管理；停车场服务；绿化养护", [2]int{20, 380}, [2]int{7, 15}, 0},
}

var tradeWeights = func() []int {
	var w []int
	for _, t := range trades {
		w = append(w, t.weight)
	}
	return w
}()

type street struct{ code, name, unit string }

func streets() ([]street, error) {
	divisions, err := reference.Divisions()
	if err != nil {
		return nil, err
	}
	var list []street
	for _, d := range divisions {
		if len(d.Code) == 9 {
			list = append(list, street{d.Code, d.Name, "TZ-" + d.Code[6:]})
		}
	}
	return list, nil
}

var roads = []string{"新华示范西街", "玉带河示范东街", "云景示范里", "梨园示范中街", "运河示范大道", "通胡示范路", "宋庄示范路", "漷县示范大街", "张家湾示范路", "潞城示范环路", "马驹桥示范东街", "台湖示范路"}

func (g *Generator) place() string { return pick(g, roads) + g.number() }

func (g *Generator) number() string {
	return fmt.Sprintf("%d号", g.between(1, 260)) + pick(g, []string{"", "", "院2号楼", "底商", "产业园B座", "院5号楼201室", "1层"})
}

// name is a person's. Some have rare Hanzi, a few belong to peoples whose names have a dot.
func (g *Generator) name() string {
	switch g.rand.IntN(300) {
	case 0:
		return pick(g, []string{"买买提·吐尔逊", "古丽娜尔·阿不都", "阿依古丽·艾则孜", "巴特尔·苏和"})
	case 1:
		return pick(g, []string{"欧阳", "司马", "上官", "诸葛"}) + string(pick(g, []rune(given)))
	}
	n := string(pick(g, []rune(surnames))) + string(pick(g, []rune(given)))
	if g.chance(68) {
		n += string(pick(g, []rune(given)))
	}
	return n
}

// Phone is the nth phone of the district's block.
func Phone(n int) string { return fmt.Sprintf("199%08d", 10_000_000+n) }

// CreditCode is the nth code of the district: of the demo block, in an organisation segment that seed/demo does not use, with
// both check characters right (GB 11714, GB 32100).
func CreditCode(n int) string {
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	org := fmt.Sprintf("MB%06d", n)
	sum := 0
	for i, w := range []int{3, 7, 9, 10, 5, 8, 4, 2} {
		sum += w * strings.IndexByte(letters, org[i])
	}
	return uscc.Complete("91990000" + org + string("0123456789X0"[11-sum%11]))
}

// Company hands out the next company; the first came first.
func (g *Generator) Company() Company {
	n := g.companies
	g.companies++
	t := trades[g.weighted(tradeWeights)]
	s := pick(g, g.streets)
	word := string(pick(g, []rune(nameRunes))) + string(pick(g, []rune(nameRunes)))
	if g.chance(35) {
		word += string(pick(g, []rune(nameRunes)))
	}
	// Small ones are far more frequent than large ones.
	x := g.rand.Float64()
	staff := int64(t.staff[0]) + int64(float64(t.staff[1]-t.staff[0])*x*x*x)
	revenue := staff * int64(g.between(t.perHead[0], t.perHead[1])) * 1_000_000
	start := g.o.Start().AddDate(0, -6, 0)
	c := Company{
		Name: "北京通州" + demo.Mark + word + pick(g, t.forms), CreditCode: CreditCode(n + 1), LegalPerson: g.name(), Verified: g.chance(82),
		At:       start.Add(time.Duration(float64(g.o.Start().Sub(start)) * float64(n) / float64(g.o.Enterprises))).Truncate(time.Millisecond),
		Industry: t.industry, Street: s.code, Address: "北京市通州区" + g.place(), Scope: t.scope,
		Established: g.o.Start().AddDate(-g.between(1, 20), -g.rand.IntN(12), -g.rand.IntN(28)).Format(time.DateOnly),
		Capital:     int64(pick(g, []int{10, 50, 100, 200, 500, 1000, 2000, 5000})) * 1_000_000,
		Employees:   staff, Revenue: revenue, Assets: revenue * int64(g.between(40, 160)) / 100,
	}
	if t.research > 0 {
		c.Research = revenue / 1000 * int64(g.rand.IntN(t.research))
		if g.chance(25) {
			c.Qualifications = append(c.Qualifications, "high_tech")
		}
	}
	g.sections(&c)
	c.People = []Person{{c.LegalPerson, Phone(2 * n)}}
	if g.chance(15) {
		c.People = append(c.People, Person{g.name(), Phone(2*n + 1)})
	}
	g.verified = append(g.verified, c.Verified)
	return c
}

// sections fills in what offices know besides the books, from a source of its own, so that what follows stays as it was.
func (g *Generator) sections(c *Company) {
	r := rand.New(rand.NewPCG(uint64(g.companies), 2026)) // #nosec G404 G115 -- the same district every time
	between := func(lo, hi int64) int64 { return lo + r.Int64N(hi-lo+1) }
	c.Insured = c.Employees * between(80, 100) / 100
	c.Liabilities = c.Assets / 100 * between(12, 82)
	if r.IntN(100) < 55 {
		c.Loans = c.Liabilities / 100 * between(10, 60)
	}
	c.LastRevenue = c.Revenue / 100 * between(78, 118)
	if c.Research > 0 {
		c.Patents = between(0, 4) + min(60, c.Research/60_000_000)
		c.Inventions = c.Patents * between(10, 45) / 100
	}
	switch n := r.IntN(100); {
	case n < 24:
		c.TaxGrade = "A"
	case n < 76:
		c.TaxGrade = "B"
	case n < 84:
		c.TaxGrade = "M"
	case n < 95:
		c.TaxGrade = "C"
	default:
		c.TaxGrade = "D"
	}
	if r.IntN(100) < 6 {
		c.Fined = g.o.Start().AddDate(0, 0, -int(between(30, 1500))).Format(time.DateOnly)
	}
}
