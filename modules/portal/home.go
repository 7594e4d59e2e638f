package portal

import (
	"context"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// How much of each part the home page shows.
const (
	homePolicies     = 5
	homeProducts     = 6
	homeNotices      = 7
	homeNews         = 8
	homeInstitutions = 8
)

// door is one way in on the home page.
type door struct {
	Icon, Title, Text string
	Link              page.Link
}

type homePage struct {
	Banner       page.Banner
	Kinds        []page.ServiceKind
	Doors        []door // without kinds of services: what there is to do
	PolicyHead   page.SectionHead
	Policies     []page.PolicyCard
	NoticeHead   page.SectionHead
	Notices      []page.Notice
	ProductHead  page.SectionHead
	Products     []page.ProductCard
	NewsHead     page.SectionHead
	News         []page.Notice
	Desk         bool // the way to the desk beside the news
	Figures      []page.Figure
	PartnerHead  page.SectionHead
	Institutions []page.Partner
}

func (p *Portal) home(c *fiber.Ctx, pages *web.Pages) error {
	ctx := c.UserContext()
	v, err := pages.View(c, "")
	if err != nil {
		return err
	}
	v.Active, v.Description = "home", "政策、服务、融资、诉求在一处办理的区级企业综合服务平台"
	more := func(text, url string) page.Link { return page.Link{Text: text, URL: url} }
	data := homePage{
		Banner:      page.Banner{Title: "企业的事，在这里办", Text: "查政策、找服务、提诉求，进度全程可查", Quick: p.parts.Quick},
		Kinds:       p.parts.Kinds,
		PolicyHead:  page.SectionHead{Title: "最新政策", Note: "国家、市、区三级惠企政策", More: more("全部政策", "/policies")},
		ProductHead: page.SectionHead{Title: "推荐服务产品", Note: "经平台和主管部门两级审核", More: more("全部产品", "/products")},
		NoticeHead:  page.SectionHead{Title: "通知公告", More: more("更多", "/notices")},
		NewsHead:    page.SectionHead{Title: "资讯动态", More: more("更多资讯", "/news")},
		PartnerHead: page.SectionHead{Title: "入驻服务机构", Note: "银行、担保、保险和专业服务机构"},
	}
	data.Policies = part(ctx, p, "policies", homePolicies, p.parts.PolicyCards)
	data.Products = part(ctx, p, "products", homeProducts, p.parts.ProductCards)
	data.Notices = part(ctx, p, "notices", homeNotices, p.parts.NoticeCards)
	data.News = part(ctx, p, "news", homeNews, p.parts.NewsCards)
	data.Institutions = part(ctx, p, "institutions", homeInstitutions, p.parts.Institutions)
	data.Figures = p.figures.get(ctx, p)
	if len(data.Kinds) == 0 {
		data.Doors = []door{
			{"mail", "提交诉求", "政策咨询、审批进度、水电气热、用工融资，写清事项即可提交，热线坐席统一受理。", page.Link{Text: "我要提诉求", URL: "/tickets/new"}},
			{"clock", "查询进度", "每一步由谁办理、何时反馈，在“我的诉求”里按时间列明，办结后可以评价。", page.Link{Text: "查看我的诉求", URL: "/tickets"}},
			{"search", "凭查询码查进度", "电话登记的诉求不用注册，输入短信中的流水号和查询码，即可查看办理进度。", page.Link{Text: "诉求进度查询", URL: "/tickets/query"}},
		}
		if v.User == nil {
			data.Doors = append(data.Doors, door{"user", "企业注册", "用手机号和短信验证码注册，填写企业名称和联系人，一分钟完成。", page.Link{Text: "企业注册", URL: "/register"}})
		}
	}
	data.Desk = len(data.Kinds) > 0
	return pages.Render(c, fiber.StatusOK, "portal/home", v, data)
}

// part asks a module for its block. A module that fails costs the page its block, not the page.
func part[T any](ctx context.Context, p *Portal, name string, n int, ask func(context.Context, int) ([]T, error)) []T {
	if ask == nil {
		return nil
	}
	list, err := ask(ctx, n)
	if err != nil {
		p.parts.Log.ErrorContext(ctx, "a block of the home page is missing", "block", name, "error", err)
		return nil
	}
	return list[:min(n, len(list))]
}

// Figure is one number about the platform, as its module counts it.
type Figure struct {
	Label string
	Unit  string
	Count func(ctx context.Context) (int, error)
}

// figures keeps the numbers for a minute; one visitor counts while the others read the old ones.
type figures struct {
	mu    sync.Mutex
	until time.Time
	list  []page.Figure
}

func (f *figures) get(ctx context.Context, p *Portal) []page.Figure {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := p.parts.Clock.Now()
	if now.Before(f.until) {
		return f.list
	}
	list := make([]page.Figure, 0, len(p.parts.Figures))
	for _, one := range p.parts.Figures {
		n, err := one.Count(ctx)
		if err != nil {
			p.parts.Log.ErrorContext(ctx, "a figure of the home page is missing", "figure", one.Label, "error", err)
			continue
		}
		list = append(list, page.Figure{Value: page.Number(n), Unit: one.Unit, Label: one.Label})
	}
	f.list, f.until = list, now.Add(time.Minute)
	return list
}
