package catalog

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

type searchBox struct {
	Action, Query string
	Hidden        []page.Option // what else is chosen
}

type listPage struct {
	Title, Text string
	Search      searchBox
	Filters     page.Filters
	Bar         page.ListBar
	Note        string      // what the order goes by, where it is not plain
	Near        bool        // nothing fits exactly: these come closest
	Meant       []page.Link // what may have been meant
	Products    []page.ProductCard
	Empty       page.Empty
	Pager       page.Pager
}

type detailPage struct {
	Head         page.DetailHead
	Description  string
	Target       string
	Conditions   []string
	Deliverables []string
	Materials    []string
	Steps        page.Timeline
	Institution  page.Facts
	About        string
	Cover        string
	Files        page.FileList
	Extra        page.Facts // what administrators ask beside the rest
	Beside       page.Panel
	Compare      string
	More         []page.Link
	Apply        *page.ApplyBar
}

// cardsPerPage fills rows of three and of two.
const cardsPerPage = 18

// Pages adds the public pages of the portal.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("catalog", sub); err != nil {
		return err
	}
	open := access.Public("已上架的产品对所有人公开")
	srv.Page("GET", "/products", open, func(c *fiber.Ctx) error { return s.listPage(c, p, "/products", "") })
	srv.Page("GET", "/finance", open, func(c *fiber.Ctx) error { return s.listPage(c, p, "/finance", Financing) })
	srv.Page("GET", "/products/compare", open, func(c *fiber.Ctx) error { return s.comparePage(c, p) })
	if s.Companies != nil {
		srv.Page("GET", "/products/suitable", access.Only(access.Enterprise), func(c *fiber.Ctx) error { return s.suitablePage(c, p) })
	}
	srv.Download("/products/:id<int>/files/:file<int>", access.Public("已上架产品的图片和附件"), func(c *fiber.Ctx) (web.Download, error) {
		id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
		file, _ := strconv.ParseInt(c.Params("file"), 10, 64)
		d, err := s.PublicFile(c.UserContext(), access.From(c.UserContext()), id, file)
		d.Keep = true // and ask each time: taken down means gone
		return d, err
	})
	srv.Download("/products/:id<int>/files/:file<int>/small", access.Public("已上架产品的封面缩略图"), func(c *fiber.Ctx) (web.Download, error) {
		id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
		file, _ := strconv.ParseInt(c.Params("file"), 10, 64)
		d, err := s.PublicThumb(c.UserContext(), access.From(c.UserContext()), id, file)
		d.Keep = true
		return d, err
	})
	srv.Page("GET", "/products/:id<int>", open, func(c *fiber.Ctx) error { return s.detailPage(c, p) })
	return nil
}

// choice is one value of one filter.
type choice struct{ value, text string }

var amountChoices = []choice{{"-10", "10 万元以下"}, {"10-50", "10–50 万元"}, {"50-300", "50–300 万元"}, {"300-1000", "300–1000 万元"}, {"1000-", "1000 万元以上"}}
var termChoices = []choice{{"-12", "1 年以内"}, {"12-36", "1–3 年"}, {"36-", "3 年以上"}}
var rateChoices = []choice{{"350", "3.5% 以内"}, {"400", "4% 以内"}, {"500", "5% 以内"}}

// chosen are the filters in the address of a list.
type chosen struct {
	path   string
	values url.Values
}

// with is the address with one filter changed; any change leads back to the first page.
func (c chosen) with(name, value string) string {
	v := url.Values{}
	for k, x := range c.values {
		if k != "page" {
			v[k] = x
		}
	}
	if v.Del(name); value != "" {
		v.Set(name, value)
	}
	if name == "kind" {
		for _, of := range []string{"type", "amount", "term", "rate"} {
			v.Del(of)
		}
	}
	if len(v) == 0 {
		return c.path
	}
	return c.path + "?" + v.Encode()
}

// group is a line of choices, 不限 first; a choice in force also becomes a chip.
func (c chosen) group(f *page.Filters, label, name string, options []choice) {
	now := c.values.Get(name)
	g := page.FilterGroup{Label: label, Options: []page.Link{{Text: "不限", URL: c.with(name, ""), Current: now == ""}}}
	for _, o := range options {
		g.Options = append(g.Options, page.Link{Text: o.text, URL: c.with(name, o.value), Current: o.value == now})
		if o.value == now {
			f.Chips = append(f.Chips, page.Chip{Text: label + "：" + o.text, Remove: c.with(name, "")})
		}
	}
	f.Groups = append(f.Groups, g)
}

// readChosen keeps the filters that are known and have a value.
func readChosen(c *fiber.Ctx, path string) chosen {
	known := chosen{path: path, values: url.Values{}}
	for _, name := range []string{"q", "kind", "type", "amount", "term", "rate", "recommended", "institution", "sort", "page"} {
		if v := strings.TrimSpace(c.Query(name)); v != "" {
			known.values.Set(name, v)
		}
	}
	return known
}

func choicesOf(list []Kind) []choice {
	out := make([]choice, 0, len(list))
	for _, k := range list {
		out = append(out, choice{k.Code, k.Name})
	}
	return out
}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages, path, kind string) error {
	ctx := c.UserContext()
	at := readChosen(c, path)
	f := BrowseFilter{Query: at.values.Get("q"), Kind: kind, Sort: Sort(at.values.Get("sort")), Recommended: at.values.Get("recommended") == "1", Nearest: true, Limit: cardsPerPage}
	if kind == "" {
		f.Kind = at.values.Get("kind")
	}
	if f.Kind == Financing {
		f.FinancingKind, f.Amount, f.Term = at.values.Get("type"), ReadSpan(at.values.Get("amount")), ReadSpan(at.values.Get("term"))
		f.RateMax, _ = strconv.Atoi(at.values.Get("rate"))
	}
	f.InstitutionID, _ = strconv.ParseInt(at.values.Get("institution"), 10, 64)
	f.Page, _ = strconv.Atoi(at.values.Get("page"))
	f.Page = max(1, min(f.Page, page.MaxPage))

	data := listPage{Title: "服务产品", Text: "由审核通过的机构提供，信息经运营初审和政府终审", Search: searchBox{Action: path, Query: f.Query},
		Empty: page.Empty{Title: "没有符合条件的产品", Text: "可以减少筛选条件，或换一个关键词。", Action: page.Link{Text: "清除筛选条件", URL: path}}}
	active := "products"
	if kind == Financing {
		data.Title, data.Text, active = "融资服务", "贷款、担保、股权、保险，按金额、期限和利率比较", "finance"
	}
	found, err := s.Browse(ctx, access.From(ctx), f)
	if fl, ok := fault.As(err); ok && fl.Kind == fault.Invalid {
		data.Empty.Title, data.Empty.Text = "无法按此条件查找", fl.Message
	} else if err != nil {
		return err
	}
	v, err := p.View(c, data.Title)
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb, v.Description = active, []page.Crumb{{Text: data.Title}}, data.Title+"，"+data.Text
	v.Meta = page.Meta{ColumnName: data.Title, ColumnType: "服务产品"}
	v.NoIndex = f.Query != ""

	if f.Query != "" {
		data.Filters.Chips = append(data.Filters.Chips, page.Chip{Text: "关键词：" + f.Query, Remove: at.with("q", "")})
	}
	if len(found.Items) > 0 && f.InstitutionID != 0 {
		data.Filters.Chips = append(data.Filters.Chips, page.Chip{Text: "机构：" + found.Items[0].InstitutionName, Remove: at.with("institution", "")})
	}
	if kind == "" {
		at.group(&data.Filters, "服务类别", "kind", choicesOf(kinds))
	}
	if f.Kind == Financing {
		at.group(&data.Filters, "融资类型", "type", choicesOf(financingKinds))
		at.group(&data.Filters, "需要金额", "amount", amountChoices)
		at.group(&data.Filters, "使用期限", "term", termChoices)
		at.group(&data.Filters, "利率费率", "rate", rateChoices)
	}
	at.group(&data.Filters, "推荐", "recommended", []choice{{"1", "只看推荐"}})
	if len(data.Filters.Chips) > 0 {
		data.Filters.Clear = path
	}
	for name := range at.values {
		if name != "q" && name != "page" {
			data.Search.Hidden = append(data.Search.Hidden, page.Option{Value: at.values.Get(name), Text: name})
		}
	}
	data.Bar = page.ListBar{Count: found.Count, Unit: "个产品", Query: f.Query}
	sorts := []choice{{"", "最新上架"}, {string(ByHeat), "最热门"}, {string(ByRating), "评价最好"}}
	if f.Query != "" {
		sorts = []choice{{"", "最相关"}, {string(ByNew), "最新上架"}, {string(ByHeat), "最热门"}, {string(ByRating), "评价最好"}}
	}
	if f.Kind == Financing {
		sorts = append(sorts, choice{string(ByRate), "利率费率从低到高"})
	}
	for _, o := range sorts {
		data.Bar.Sorts = append(data.Bar.Sorts, page.Link{Text: o.text, URL: at.with("sort", o.value), Current: at.values.Get("sort") == o.value})
	}
	for _, k := range found.Items {
		data.Products = append(data.Products, k.onPortal(f.Query))
	}
	if data.Near = found.Near; found.Near {
		for _, k := range found.Items[:min(3, len(found.Items))] {
			data.Meant = append(data.Meant, page.Link{Text: k.Name, URL: fmt.Sprintf("/products/%d", k.ID)})
		}
	}
	if at.values.Get("sort") == string(ByRating) {
		data.Note = "按企业评价排列，评价次数少的适当折减；还没有评价的产品排在最后。"
	}
	last := (min(found.Count, page.CountCap) + cardsPerPage - 1) / cardsPerPage
	data.Pager = page.NewPager(f.Page, last, func(n int) string {
		if n == 1 {
			return at.with("", "")
		}
		return at.with("page", strconv.Itoa(n))
	})
	return p.Render(c, fiber.StatusOK, "catalog/list", v, data)
}

// Cards are the products of the home page: those the platform recommends first, then those most used, then the newest.
func (s *Service) Cards(ctx context.Context, n int) ([]page.ProductCard, error) {
	visitor := access.Actor{Party: access.Anonymous}
	var out []page.ProductCard
	seen := map[int64]bool{}
	for _, f := range []BrowseFilter{{Recommended: true, Limit: n}, {Sort: ByHeat, Limit: n}} {
		found, err := s.Browse(ctx, visitor, f)
		if err != nil {
			return nil, err
		}
		for _, k := range found.Items {
			if !seen[k.ID] && len(out) < n {
				seen[k.ID] = true
				out = append(out, k.onPortal(""))
			}
		}
	}
	return out, nil
}

// Doors are the kinds of products as the home page shows them.
func Doors() []page.ServiceKind {
	out := make([]page.ServiceKind, 0, len(kinds))
	for _, k := range kinds {
		url := "/products?kind=" + k.Code
		if k.Code == Financing {
			url = "/finance"
		}
		out = append(out, page.ServiceKind{Icon: k.Icon, Name: k.Name, Note: k.Note, URL: url})
	}
	return out
}

func (k Card) onPortal(query string) page.ProductCard {
	card := page.ProductCard{URL: fmt.Sprintf("/products/%d", k.ID), Title: k.Name, Query: query, Institution: k.InstitutionName,
		Icon: kindOf(kinds, k.Kind).Icon, Thumb: k.Thumb, Kind: k.label(), Summary: k.Summary}
	for i, f := range k.Facts[:min(3, len(k.Facts))] {
		card.Facts = append(card.Facts, page.Fact{Label: f.Label, Value: f.short, Strong: i == 0})
	}
	if r := k.ratingText(); r != "" {
		card.Rating = "企业评价 " + r
	}
	if k.Recommended {
		card.Status = page.Tag{Text: "推荐", Tone: page.Info, Icon: "star"}
	} else if k.Hot {
		card.Status = page.Tag{Text: "热门", Tone: page.Warning, Icon: "star"}
	}
	return card
}

// label is the financing kind where there is one, the kind otherwise.
func (k Card) label() string {
	if k.FinancingName != "" {
		return k.FinancingName
	}
	return k.KindName
}

func (s *Service) detailPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return fault.ErrNotFound
	}
	d, err := s.Show(ctx, access.From(ctx), id)
	if err != nil {
		return err
	}
	v, err := p.View(c, d.Name)
	if err != nil {
		return err
	}
	list := page.Crumb{Text: "服务产品", URL: "/products"}
	v.Active = "products"
	if d.Kind == Financing {
		list, v.Active = page.Crumb{Text: "融资服务", URL: "/finance"}, "finance"
	}
	v.Breadcrumb, v.Description = []page.Crumb{list, {Text: d.Name}}, d.Summary
	v.Meta = page.Meta{ColumnName: list.Text, ArticleTitle: d.Name, PubDate: page.DateTime(d.ListedAt), ContentSource: d.InstitutionName}
	data := detailPage{
		Head:        page.DetailHead{Title: d.Name, Source: d.InstitutionName, PubDate: d.ListedAt, Labels: []string{d.label()}},
		Description: d.Description, Target: d.Target, Conditions: d.Conditions, Deliverables: d.Deliverables, Materials: d.Materials, About: d.Institution.Summary, Compare: compareURL([]int64{d.ID}),
		Institution: page.Facts{Caption: "提供机构", Items: []page.Fact{{Label: "机构", Value: d.Institution.Name}, {Label: "类型", Value: d.Institution.KindName},
			{Label: "咨询电话", Value: d.Institution.Phone}, {Label: "地址", Value: d.Institution.Address}}},
	}
	if d.Recommended {
		data.Head.Status = page.Tag{Text: "推荐", Tone: page.Info, Icon: "star"}
	}
	for i, f := range d.Facts {
		data.Head.Facts = append(data.Head.Facts, page.Fact{Label: f.Label, Value: f.Value, Strong: i == 0})
	}
	if d.Subsidy != "" {
		data.Head.Facts = append(data.Head.Facts, page.Fact{Label: "补贴说明", Value: d.Subsidy})
	}
	if d.ValidUntil != "" {
		data.Head.Facts = append(data.Head.Facts, page.Fact{Label: "有效期至", Value: d.ValidUntil})
	}
	data.Cover, data.Files.Title = d.Cover, "附件"
	for _, f := range d.Files {
		data.Files.Files = append(data.Files.Files, page.File{Name: f.Name, URL: f.URL, Size: f.Size})
	}
	data.Extra.Caption = "其他信息"
	for _, f := range d.Extra {
		data.Extra.Items = append(data.Extra.Items, page.Fact{Label: f.Label, Value: f.Value})
	}
	for _, step := range d.Steps {
		data.Steps.Steps = append(data.Steps.Steps, page.Step{Title: step, State: page.StepPending})
	}
	if s.ApplyURL != "" {
		data.Apply = &page.ApplyBar{Title: d.Name, Note: d.InstitutionName + " 受理", Primary: page.Link{Text: "立即申请", URL: fmt.Sprintf(s.ApplyURL, d.ID)}}
	}
	if s.Beside != nil {
		if data.Beside, err = s.Beside(ctx, d.ID, d.InstitutionID); err != nil {
			return err
		}
	}
	more, err := s.Browse(ctx, access.From(ctx), BrowseFilter{InstitutionID: d.InstitutionID, Limit: 6})
	if err != nil {
		return err
	}
	for _, k := range more.Items {
		if k.ID != d.ID && len(data.More) < 5 {
			data.More = append(data.More, page.Link{Text: k.Name, URL: fmt.Sprintf("/products/%d", k.ID)})
		}
	}
	if more.Count > 2 {
		data.More = append(data.More, page.Link{Text: fmt.Sprintf("查看该机构全部 %d 个产品", more.Count), URL: fmt.Sprintf("/products?institution=%d", d.InstitutionID)})
	}
	return p.Render(c, fiber.StatusOK, "catalog/detail", v, data)
}
