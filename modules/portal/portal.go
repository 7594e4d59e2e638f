// Package portal is what the portal has of its own: the home page and the pages every government site must have. It owns
// no tables and announces nothing.
package portal

import (
	"embed"
	"io/fs"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// door is one way in on the home page.
type door struct {
	Icon, Title, Text string
	Link              page.Link
}

type homePage struct {
	Banner page.Banner
	Doors  []door
}

// Pages adds the portal's own pages.
func Pages(s *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("portal", sub); err != nil {
		return err
	}
	s.Page("GET", "/", access.Public("门户首页"), func(c *fiber.Ctx) error {
		v, err := p.View(c, "")
		if err != nil {
			return err
		}
		v.Active, v.Description = "home", "企业诉求一网提交、进度随时可查的区级企业服务平台"
		data := homePage{
			Banner: page.Banner{Title: "企业有诉求，平台来办理", Text: "登记一次，转办、反馈、回访全程留痕，进度随时可查"},
			Doors: []door{
				{"mail", "提交诉求", "政策咨询、审批进度、水电气热、用工融资，写清事项即可提交，热线坐席统一受理。", page.Link{Text: "我要提诉求", URL: "/tickets/new"}},
				{"clock", "查询进度", "每一步由谁办理、何时反馈，在“我的诉求”里按时间列明，办结后可以评价。", page.Link{Text: "查看我的诉求", URL: "/tickets"}},
			},
		}
		if v.User == nil {
			data.Doors = append(data.Doors, door{"user", "企业注册", "用手机号和短信验证码注册，填写企业名称和联系人，一分钟完成。", page.Link{Text: "企业注册", URL: "/register"}})
		}
		return p.Render(c, fiber.StatusOK, "portal/home", v, data)
	})
	for path, name := range map[string]struct{ page, title string }{
		"/privacy": {"portal/privacy", "个人信息保护说明"}, "/accessibility": {"portal/accessibility", "无障碍说明"}, "/sitemap": {"portal/sitemap", "站点地图"},
	} {
		s.Page("GET", path, access.Public("公开说明"), func(c *fiber.Ctx) error {
			v, err := p.View(c, name.title)
			if err != nil {
				return err
			}
			v.Breadcrumb = []page.Crumb{{Text: name.title}}
			return p.Render(c, fiber.StatusOK, name.page, v, struct{}{})
		})
	}
	return nil
}
