package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// maxCompared is how many products stand side by side.
const maxCompared = 3

// comparePage has products side by side. The address says which.
type comparePage struct {
	Text    string
	IDs     []int64
	Query   string
	Room    bool // for another one
	Columns []compareColumn
	Rows    []CompareRow
	More    []page.Link
	Empty   page.Empty
}

type compareColumn struct{ Title, URL, Remove, Apply, Thumb, Icon string }

// CompareRow is one line of a comparison: a value for each product, in their order.
type CompareRow struct {
	Label   string   `json:"label"`
	Values  []string `json:"values"`
	Differs bool     `json:"differs"`
}

// CompareRows puts products side by side; what none of them says is left out.
func CompareRows(list []Detail) []CompareRow {
	var rows []CompareRow
	add := func(label string, value func(d Detail) string) {
		r := CompareRow{Label: label}
		said := false
		for _, d := range list {
			v := value(d)
			said = said || v != ""
			if v == "" {
				v = "—"
			}
			r.Values = append(r.Values, v)
		}
		if said {
			r.Differs = len(slices.Compact(slices.Sorted(slices.Values(r.Values)))) > 1
			rows = append(rows, r)
		}
	}
	add("提供机构", func(d Detail) string { return d.InstitutionName })
	add("类别", func(d Detail) string { return d.label() })
	var labels []string
	for _, d := range list {
		for _, f := range d.Facts {
			if !slices.Contains(labels, f.Label) {
				labels = append(labels, f.Label)
			}
		}
	}
	for _, label := range labels {
		add(label, func(d Detail) string {
			i := slices.IndexFunc(d.Facts, func(f Fact) bool { return f.Label == label })
			if i < 0 {
				return ""
			}
			return d.Facts[i].Value
		})
	}
	var extra []string
	for _, d := range list {
		for _, f := range d.Extra {
			if !slices.Contains(extra, f.Label) {
				extra = append(extra, f.Label)
			}
		}
	}
	for _, label := range extra {
		add(label, func(d Detail) string {
			if i := slices.IndexFunc(d.Extra, func(f Fact) bool { return f.Label == label }); i >= 0 {
				return d.Extra[i].Value
			}
			return ""
		})
	}
	add("适用对象", func(d Detail) string { return d.Target })
	add("申请材料", func(d Detail) string { return strings.Join(d.Materials, "\n") })
	add("办理流程", func(d Detail) string { return strings.Join(d.Steps, "\n") })
	add("有效期至", func(d Detail) string { return d.ValidUntil })
	add("咨询电话", func(d Detail) string { return d.Institution.Phone })
	return rows
}

// compared reads which products the address names: the first few different ones.
func compared(c *fiber.Ctx) []int64 {
	var ids []int64
	for key, value := range c.Request().URI().QueryArgs().All() {
		id, err := strconv.ParseInt(string(value), 10, 64)
		if string(key) == "id" && err == nil && id > 0 && len(ids) < maxCompared && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func compareURL(ids []int64) string {
	v := url.Values{}
	for _, id := range ids {
		v.Add("id", strconv.FormatInt(id, 10))
	}
	return "/products/compare?" + v.Encode()
}

func (s *Service) comparePage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	data := comparePage{Text: fmt.Sprintf("最多 %d 个产品并排比较，不同的地方有底色", maxCompared), Query: strings.TrimSpace(c.Query("q")),
		Empty: page.Empty{Title: "还没有选择产品", Text: "在产品详情页点“加入对比”，或在下面搜索。", Action: page.Link{Text: "去看产品", URL: "/products"}}}
	var list []Detail
	for _, id := range compared(c) {
		d, err := s.Show(ctx, actor, id)
		if fault.KindOf(err) == fault.NotFound {
			continue // it was taken down meanwhile
		} else if err != nil {
			return err
		}
		list, data.IDs = append(list, d), append(data.IDs, id)
	}
	for _, d := range list {
		col := compareColumn{Title: d.Name, Thumb: d.Thumb, Icon: kindOf(kinds, d.Kind).Icon, URL: fmt.Sprintf("/products/%d", d.ID), Remove: compareURL(slices.DeleteFunc(slices.Clone(data.IDs), func(id int64) bool { return id == d.ID }))}
		if s.ApplyURL != "" {
			col.Apply = fmt.Sprintf(s.ApplyURL, d.ID)
		}
		data.Columns = append(data.Columns, col)
	}
	data.Rows = CompareRows(list)
	if data.Room = len(list) < maxCompared; data.Room {
		f := BrowseFilter{Query: data.Query, Limit: 8}
		if len(list) > 0 {
			f.Kind, f.FinancingKind = list[0].Kind, list[0].FinancingKind
		}
		found, err := s.Browse(ctx, actor, f)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			return err
		}
		for _, k := range found.Items {
			if !slices.Contains(data.IDs, k.ID) && len(data.More) < 6 {
				data.More = append(data.More, page.Link{Text: k.Name + "（" + k.InstitutionName + "）", URL: compareURL(append(slices.Clone(data.IDs), k.ID))})
			}
		}
	}
	v, err := p.View(c, "产品对比")
	if err != nil {
		return err
	}
	v.Active, v.NoIndex = "products", true
	v.Breadcrumb = []page.Crumb{{Text: "服务产品", URL: "/products"}, {Text: "产品对比"}}
	return p.Render(c, fiber.StatusOK, "catalog/compare", v, data)
}

// suitablePage is what suits the company of the actor.
type suitablePage struct {
	Text   string
	Ask    []string
	Groups []suitableGroup
	Empty  page.Empty
}

type suitableGroup struct {
	Title, Note string
	Items       []suitableItem
}

type suitableItem struct {
	Title, URL, Meta, Reasons string
	Icon, Thumb               string
	Lacks                     []string
}

func (s *Service) suitablePage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	r, err := s.Suitable(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	data := suitablePage{Text: fmt.Sprintf("按平台掌握的本企业信息比对，共有 %d 个产品适合。是否通过以机构审核为准，不在此列的产品也可以申请。", r.Count), Ask: r.Ask[:min(len(r.Ask), 5)],
		Empty: page.Empty{Title: "暂时没有比对出适合的产品", Text: "可以补充企业信息后再看，或直接浏览全部产品。", Action: page.Link{Text: "浏览全部产品", URL: "/products"}}}
	for _, g := range []struct {
		title, note string
		items       []Recommended
	}{{"适合您", "已知的条件都满足", r.Fits}, {"还差一项", "达到后即适合", r.Near}, {"可能适合", "还缺少部分信息", r.Open}} {
		if len(g.items) == 0 {
			continue
		}
		group := suitableGroup{Title: g.title, Note: g.note}
		for _, x := range g.items {
			group.Items = append(group.Items, suitableItem{Title: x.Name, URL: fmt.Sprintf("/products/%d", x.ID), Meta: x.InstitutionName + " · " + x.label(),
				Icon: kindOf(kinds, x.Kind).Icon, Thumb: x.Thumb, Reasons: strings.Join(x.Reasons, "、"), Lacks: x.Lacks})
		}
		data.Groups = append(data.Groups, group)
	}
	v, err := p.View(c, "适合本企业的产品")
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex = "products", "suitable", true
	v.Breadcrumb = []page.Crumb{{Text: "服务产品", URL: "/products"}, {Text: "适合本企业的产品"}}
	return p.Render(c, fiber.StatusOK, "catalog/suitable", v, data)
}
