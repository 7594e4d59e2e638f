package policy

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// hidden is a filter in force that the search form carries on.
type hidden struct{ Name, Value string }

type listPage struct {
	Q       string
	Error   string
	Hidden  []hidden
	Loose   bool // the closest, because nothing holds the whole query
	Filters page.Filters
	Bar     page.ListBar
	Cards   []page.PolicyCard
	Empty   page.Empty
	Pager   page.Pager
}

type detailPage struct {
	Head           page.DetailHead
	Notice         string // why this is not what the public sees
	Match          *onePage
	Invite         bool // to the quick match: nobody is matched
	Conditions     []Line
	Clauses        []Clause
	Materials      []string
	Benefits       []string
	Files          page.FileList
	Follow         *follow
	Interpretation string
	FAQ            []Question
	Facts          page.Facts
	Link           string
	Revisions      string
}

// onePage is the block 与本企业的匹配.
type onePage struct {
	judgedCard
	Enterprise string
	At         string
	Why        string // instead of an answer
	Open       bool
}

// judgedCard is a policy with its answer.
type judgedCard struct {
	Judged
	Tag     page.Tag
	Card    page.PolicyCard
	Supply  string // where to supply what is missing
	Told    []criteria.Told
	Count   int // conditions
	Visitor bool
}

type matchPage struct {
	Enterprise string // empty: by answers
	SignedIn   bool
	At         string
	Q          string
	Note       string
	Form       *quickForm
	Judged     bool // there is a result to show
	Total      int
	Groups     []matchGroup
	Wanted     []Wanted
	Supply     string
	Facts      page.Facts
	Empty      page.Empty
	Next       string // what to tell next
	Answer     string // the number under which the answer is kept
}

type matchGroup struct {
	GroupResult
	Tag    page.Tag
	Cards  []judgedCard
	Folded bool
}

type quickForm struct {
	Errors    page.ErrorSummary
	Q         page.Field
	Industry  page.Field // its options stand in Sections
	Sections  []optionGroup
	Region    page.Field
	Years     page.Field
	Employees page.Field
	Revenue   page.Field
	Quick     bool // somebody matched by their company asked for the form
}

type optionGroup struct {
	Name    string
	Options []page.Option
}

var groupTones = map[Group]page.Tone{Eligible: page.Success, Possible: page.Info, Nearly: page.Warning, NotEligible: page.Neutral, ByHand: page.Neutral}

var groupIcons = map[Group]string{Eligible: "success", Possible: "info", Nearly: "clock", NotEligible: "close", ByHand: "people"}

func groupTag(g Group) page.Tag {
	return page.Tag{Text: g.Word(), Tone: groupTones[g], Icon: groupIcons[g]}
}

var stateTones = map[State]page.Tone{Met: page.Success, Unmet: page.Danger, Unknown: page.Warning, ForHuman: page.Info, Spare: page.Neutral}

var stateIcons = map[State]string{Met: "success", Unmet: "close", Unknown: "info", ForHuman: "people", Spare: "dot"}

// Tag is the state of the condition as the portal shows it.
func (l Line) Tag() page.Tag {
	if l.State == "" {
		return page.Tag{}
	}
	return page.Tag{Text: l.Word, Tone: stateTones[l.State], Icon: stateIcons[l.State]}
}

// Origin says where the fact was learnt and of which day it is.
func (l Line) Origin() string { return origin(l.Source, l.AsOf) }

func origin(source, asOf string) string {
	if day := page.Date(timeOf(asOf)); source != "" && day != "" {
		return source + "，截至 " + day
	}
	return source
}

// listSize is how many policies a page of the list shows.
const listSize = 10

// Pages adds the portal's pages of the module.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("policy", sub); err != nil {
		return err
	}
	srv.Page("GET", "/policies", access.Public("政策公开，人人可查"), func(c *fiber.Ctx) error { return s.listPage(c, p) })
	srv.Page("GET", "/policies/match", access.Public("未登录可填条件试算"), func(c *fiber.Ctx) error { return s.matchPage(c, p) })
	s.libraryPages(srv, p)
	srv.Page("GET", "/policies/:id<int>", access.Public("政策公开，人人可查"), func(c *fiber.Ctx) error { return s.detailPage(c, p) })
	return nil
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return out
}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	in := url.Values{}
	for _, name := range []string{"q", "window", "kind", "level", "topic", "region", "industry", "issuer", "sort"} {
		if v := strings.TrimSpace(c.Query(name)); v != "" {
			in.Set(name, v)
		}
	}
	number, _ := strconv.Atoi(c.Query("page"))
	number = max(1, min(number, page.MaxPage))
	f := Filter{Q: in.Get("q"), Level: Level(in.Get("level")), Topic: Topic(in.Get("topic")), Kind: Kind(in.Get("kind")), Window: Window(in.Get("window")), Region: in.Get("region"),
		Industry: in.Get("industry"), Issuer: in.Get("issuer"), Sort: Sort(in.Get("sort")), Limit: listSize}
	data := listPage{Q: f.Q}
	status := fiber.StatusOK
	list, err := s.Page(ctx, access.From(ctx), f, number)
	if errors.Is(err, search.ErrShort) || errors.Is(err, search.ErrLong) {
		problem, _ := fault.As(err)
		data.Error, status = problem.Message, fiber.StatusUnprocessableEntity
		err = nil
	}
	if err != nil {
		return err
	}
	v, err := p.View(c, "政策库")
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb = "policies", []page.Crumb{{Text: "政策库"}}
	v.Description = "国家、市、区三级惠企政策，按层级、主题、申报状态查询"
	v.Meta.ColumnName, v.Meta.ColumnType = "政策库", "政策文件"
	address := func(change ...string) string {
		q := url.Values{}
		for k, x := range in {
			q[k] = x
		}
		for i := 0; i+1 < len(change); i += 2 {
			q.Del(change[i])
			if change[i+1] != "" {
				q.Set(change[i], change[i+1])
			}
		}
		if len(q) == 0 {
			return "/policies"
		}
		return "/policies?" + q.Encode()
	}
	groups, err := s.filterGroups(ctx)
	if err != nil {
		return err
	}
	chosen := false
	for _, g := range groups {
		value := in.Get(g.Name)
		group := page.FilterGroup{Label: g.Label, Options: []page.Link{{Text: "不限", URL: address(g.Name, ""), Current: value == ""}}}
		word := value // a link may name what is offered no more
		for _, o := range g.Options {
			group.Options = append(group.Options, page.Link{Text: o.Text, URL: address(g.Name, o.Value), Current: value == o.Value})
			if o.Value == value {
				word = o.Text
			}
		}
		if g.Name == "industry" && word == value {
			word = s.choices.sector(value)
		}
		if g.Rare {
			data.Filters.More = append(data.Filters.More, group)
			data.Filters.MoreOpen = data.Filters.MoreOpen || value != ""
		} else {
			data.Filters.Groups = append(data.Filters.Groups, group)
		}
		if value != "" {
			chosen = true
			data.Filters.Chips = append(data.Filters.Chips, page.Chip{Text: word, Remove: address(g.Name, "")})
			data.Hidden = append(data.Hidden, hidden{g.Name, value})
		}
	}
	if f.Q != "" {
		data.Filters.Chips = append(data.Filters.Chips, page.Chip{Text: "“" + f.Q + "”", Remove: address("q", "", "sort", "")})
	}
	if len(data.Filters.Chips) > 0 {
		data.Filters.Clear = "/policies"
	}
	sort := f.Sort
	if sort == "" || sort == ByRelevance && f.Q == "" {
		sort = ByDate
		if f.Q != "" {
			sort = ByRelevance
		}
	}
	data.Bar = page.ListBar{Count: list.Count, Unit: "项政策"}
	if !list.Loose && data.Error == "" {
		data.Bar.Query = f.Q
	}
	if f.Q != "" {
		data.Bar.Sorts = append(data.Bar.Sorts, page.Link{Text: "相关度", URL: address("sort", ""), Current: sort == ByRelevance})
	}
	data.Bar.Sorts = append(data.Bar.Sorts, page.Link{Text: "最新发布", URL: address("sort", "date"), Current: sort == ByDate},
		page.Link{Text: "截止时间", URL: address("sort", "deadline"), Current: sort == ByDeadline})
	data.Loose = list.Loose && list.Count > 0
	if data.Loose {
		data.Bar.Sorts = nil // what comes closest stands in one order only
	}
	for _, i := range list.Items {
		data.Cards = append(data.Cards, i.card(list.Words))
	}
	data.Empty = page.Empty{Title: "没有找到符合条件的政策", Text: "可以减少筛选条件，换一个词，或按本企业情况匹配政策。", Action: page.Link{Text: "清除条件，查看全部政策", URL: "/policies"}}
	switch {
	case list.Count == 0 && f.Q == "" && len(data.Filters.Chips) == 1:
		data.Empty.Text = "目前没有“" + data.Filters.Chips[0].Text + "”的政策，可以看看其他政策，或按本企业情况匹配。"
	case list.Count > 0:
		data.Empty = page.Empty{Title: "这一页没有内容", Text: "筛选结果已全部显示在前面几页。", Action: page.Link{Text: "回到第一页", URL: address("page", "")}}
	case f.Q == "" && !chosen:
		data.Empty = page.Empty{Title: "政策库还没有发布政策", Text: "政策发布后会显示在这里。"}
	}
	if !list.Loose {
		data.Pager = page.NewPager(number, (list.Count+listSize-1)/listSize, func(n int) string { return address("page", strconv.Itoa(n)) })
	}
	v.NoIndex = number > 1 || f.Q != "" || chosen
	return p.Render(c, status, "policy/list", v, data)
}

func (s *Service) detailPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return fault.ErrNotFound
	}
	t, err := s.Get(ctx, actor, id)
	if err != nil {
		return err
	}
	v, err := p.View(c, t.Title)
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb = "policies", []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "政策详情"}}
	v.Description = t.Benefit
	v.Meta.ColumnName, v.Meta.ColumnType = "政策库", "政策文件"
	v.Meta.ArticleTitle, v.Meta.PubDate, v.Meta.ContentSource = t.Title, t.PublishedOn, t.Issuer
	v.NoIndex = t.Status != Live
	support := t.Support()
	if support == "" {
		support = "不涉及资金"
	}
	data := detailPage{
		Head: page.DetailHead{Title: t.Title, Status: windowTag(t.Window), Source: t.Issuer, PubDate: timeOf(t.PublishedOn), Labels: []string{t.LevelName, t.TopicName},
			Facts: []page.Fact{{Label: "支持力度", Value: support, Strong: t.CapFen > 0}, {Label: "申报时间", Value: t.WindowText()}, {Label: "主管部门", Value: t.HandlerName}, {Label: "有效期至", Value: lastDay(t.ExpiresOn)}}},
		Clauses: t.Clauses, Materials: t.Materials, Interpretation: t.Interpretation, FAQ: t.FAQ, Link: t.Link, Conditions: t.Conditions,
	}
	for _, b := range t.Benefits {
		data.Benefits = append(data.Benefits, b.say())
	}
	if data.Follow, err = s.followOf(c, t); err != nil {
		return err
	}
	for _, f := range t.Files {
		data.Files.Title = "附件下载"
		data.Files.Files = append(data.Files.Files, page.Attachment(f.Name, f.URL, f.Size, f.State))
	}
	if revised, err := s.revised(ctx, id); err != nil {
		return err
	} else if revised {
		data.Revisions = "/policies/" + strconv.FormatInt(id, 10) + "/revisions"
	}
	if t.Status != Live {
		data.Notice = "本政策" + t.StatusName + "，仅后台人员可见"
		data.Head.Status = page.Tag{Text: t.StatusName, Tone: page.Warning}
	}
	data.Facts = page.Facts{Caption: "政策信息"}
	for _, x := range []page.Fact{
		{Label: "文号", Value: t.DocNumber}, {Label: "发布机构", Value: t.Issuer}, {Label: "发布日期", Value: page.Date(timeOf(t.PublishedOn))},
		{Label: "施行日期", Value: effective(t)}, {Label: "适用区域", Value: t.RegionName}, {Label: "支持方式", Value: strings.Join(t.KindNames, "、")}, {Label: "支持内容", Value: t.Benefit},
	} {
		if x.Value != "" {
			data.Facts.Items = append(data.Facts.Items, x)
		}
	}
	if actor.Party == access.Enterprise {
		one, err := s.MatchOne(ctx, actor, id)
		if errors.Is(err, ErrNoCompany) {
			problem, _ := fault.As(err)
			data.Match = &onePage{Why: problem.Message}
		} else if err != nil {
			return err
		} else {
			data.Match = &onePage{judgedCard: s.judgedCard(one.Judged), Enterprise: one.Enterprise, At: page.DateTime(one.At), Open: true}
		}
	} else {
		data.Invite = t.Matchable
	}
	return p.Render(c, fiber.StatusOK, "policy/detail", v, data)
}

func lastDay(day string) string {
	if day == "" {
		return "长期有效"
	}
	return page.Date(timeOf(day))
}

func (s *Service) judgedCard(j Judged) judgedCard {
	c := judgedCard{Judged: j, Tag: groupTag(j.Group), Card: j.Policy.card(""), Supply: s.companyPage}
	c.Tag.Text = j.Word // of what waits for a person's judgement in its group too
	for _, l := range j.Lines {
		if l.Kind == "clause" {
			c.Count++
		}
	}
	return c
}

func (s *Service) matchPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	v, err := p.View(c, "政策匹配")
	if err != nil {
		return err
	}
	v.Active, v.NoIndex = "policies", true
	v.Breadcrumb = []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "政策匹配"}}
	data := matchPage{Supply: s.companyPage, SignedIn: actor.SignedIn()}
	asked := c.Query("quick") != ""
	if actor.Party == access.Enterprise && !asked {
		v.ActiveMe = "match"
		r, err := s.Match(ctx, actor, c.Query("q"))
		switch {
		case errors.Is(err, ErrNoCompany):
			problem, _ := fault.As(err)
			data.Note = problem.Message
		case errors.Is(err, search.ErrShort) || errors.Is(err, search.ErrLong):
			problem, _ := fault.As(err)
			data.Note = problem.Message
			if r, err = s.Match(ctx, actor, ""); err != nil {
				return err
			}
			s.fill(&data, r)
			return p.Render(c, fiber.StatusUnprocessableEntity, "policy/match", v, data)
		case err != nil:
			return err
		default:
			s.fill(&data, r)
			return p.Render(c, fiber.StatusOK, "policy/match", v, data)
		}
	}
	status := fiber.StatusOK
	data.Form = s.quickForm(c, asked)
	answers, err := readAnswers(func(name string) string { return c.Query(name) })
	if err == nil && !answers.Empty() {
		var r Result
		if r, err = s.Quick(ctx, actor, answers); err == nil {
			s.fill(&data, r)
		}
	}
	if err != nil {
		var found func(string) string
		if data.Form.Errors, found, err = web.FormErrors(err); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
		for _, f := range []*page.Field{&data.Form.Q, &data.Form.Industry, &data.Form.Region, &data.Form.Years, &data.Form.Employees, &data.Form.Revenue} {
			f.Error = found(f.Name)
		}
	}
	return p.Render(c, status, "policy/match", v, data)
}

// fill puts a result on the page.
func (s *Service) fill(data *matchPage, r Result) {
	data.Judged, data.Enterprise, data.At, data.Q = true, r.Enterprise, page.DateTime(r.At), r.Q
	for _, g := range r.Groups {
		data.Total += g.Count
		m := matchGroup{GroupResult: g, Tag: groupTag(g.Group), Folded: g.Group == NotEligible || g.Group == ByHand}
		for _, j := range g.Items {
			card := s.judgedCard(j)
			if card.Visitor = r.Enterprise == ""; card.Visitor {
				card.Supply = ""
			}
			m.Cards = append(m.Cards, card)
		}
		data.Groups = append(data.Groups, m)
	}
	data.Wanted = r.Wanted[:min(len(r.Wanted), 6)]
	if data.Answer = r.Answer; r.Next != nil {
		data.Next = r.Next.Text
	}
	data.Facts.Caption = "判定所依据的信息"
	for _, f := range r.Facts {
		value := f.Value
		if value == "" {
			value = "暂无：" + f.Why
		} else {
			if from := origin(f.Source, f.AsOf); from != "" {
				value += "\n来源：" + from
			}
			if f.Stated && r.Enterprise != "" {
				value += "（企业自报，未经核实）"
			}
		}
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: f.Label, Value: value})
	}
	if data.Total == 0 {
		data.Empty = page.Empty{Title: "没有找到相关的政策", Text: "可以换一个说法，或到政策库按主题查找。", Action: page.Link{Text: "查看全部政策", URL: "/policies"}}
	}
}

func (s *Service) quickForm(c *fiber.Ctx, asked bool) *quickForm {
	f := &quickForm{
		Quick:     asked,
		Q:         page.Field{Name: "q", Label: "一句话描述", Hint: "例如：面包店更换烤箱有没有补助", Value: c.Query("q"), MaxLength: search.MaxQuery},
		Industry:  page.Field{Name: "industry", Label: "所属行业"},
		Region:    page.Field{Name: "region", Label: "注册地"},
		Years:     page.Field{Name: "years", Label: "成立年数（不满一年填 0）", Value: c.Query("years"), InputMode: "numeric", MaxLength: 3, Unit: "年"},
		Employees: page.Field{Name: "employees", Label: "从业人员", Value: c.Query("employees"), InputMode: "numeric", MaxLength: 10, Unit: "人"},
		Revenue:   page.Field{Name: "revenue", Label: "上年营业收入", Value: c.Query("revenue"), InputMode: "decimal", MaxLength: 16, Unit: "万元"},
	}
	for _, section := range s.choices.Sections {
		g := optionGroup{Name: section.Name}
		for _, d := range section.Divisions {
			g.Options = append(g.Options, page.Option{Value: d.Code, Text: d.Name, Chosen: d.Code == c.Query("industry")})
		}
		f.Sections = append(f.Sections, g)
	}
	for _, r := range s.choices.Regions {
		f.Region.Options = append(f.Region.Options, page.Option{Value: r.Code, Text: r.Name, Chosen: r.Code == c.Query("region")})
	}
	return f
}

// Anchor is the id of the group's part of the page.
func (g matchGroup) Anchor() string { return "group-" + strings.ReplaceAll(string(g.Group), "_", "-") }

// More says that not all of the group is shown.
func (g matchGroup) More() string {
	if g.Count <= len(g.Cards) {
		return ""
	}
	return fmt.Sprintf("本组共 %d 项，这里显示前 %d 项；其余可在政策库中逐项查看匹配结果", g.Count, len(g.Cards))
}
