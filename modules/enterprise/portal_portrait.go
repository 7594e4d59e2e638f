package enterprise

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// portraitPage is the company as its facts show it, to its own people.
type portraitPage struct {
	Name  string
	Code  string
	At    string
	Block portraitBlock
}

// reportsPage are the credit reports of a company, and the making of one.
type reportsPage struct {
	Key    string
	Why    string // why none may be made
	Error  string
	Items  []reportRow
	Empty  page.Empty
	Older  string
	Newest bool
}

type reportRow struct {
	ReportItem
	Who string
}

// reportPage is one report as a document.
type reportPage struct {
	ReportView
	Cover  page.Facts
	Block  portraitBlock
	Held   []heldTable
	Verify string // address at which it is verified
	Host   string // where the portal is found, for paper
}

// verifyPage asks whether a report is genuine.
type verifyPage struct {
	Number, Code page.Field
	Problem      string
	Found        *page.Facts
}

// reportPages adds the portrait, the reports and their verification to the portal.
func (s *Service) reportPages(srv *web.Server, p *web.Pages) {
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/company/portrait", who, func(c *fiber.Ctx) error { return s.portraitPage(c, p) })
	srv.Page("GET", "/company/reports", who, func(c *fiber.Ctx) error { return s.reportsPage(c, p, nil) })
	srv.Page("POST", "/company/reports", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		v, err := s.MakeReport(ctx, access.From(ctx), MakeReport{Key: c.FormValue("key")})
		if err != nil {
			return s.reportsPage(c, p, err)
		}
		return c.Redirect("/company/reports/"+v.Number, fiber.StatusSeeOther)
	})
	srv.Page("GET", "/company/reports/:number", who, func(c *fiber.Ctx) error { return s.reportPage(c, p) })
	srv.Page("GET", "/company/reports/:number/content", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		content, err := s.ReportContent(ctx, access.From(ctx), c.Params("number"))
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, "application/json; charset=utf-8")
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+c.Params("number")+`.json"`)
		return c.SendString(content)
	})
	srv.Page("GET", "/reports/verify", access.Public("持有报告的人无需登录即可核验真伪"), func(c *fiber.Ctx) error { return s.verifyPage(c, p) })
}

func (s *Service) companyView(c *fiber.Ctx, p *web.Pages, title string, crumbs ...page.Crumb) (page.View, error) {
	v, err := p.View(c, title)
	v.ActiveMe, v.NoIndex = "company", true
	v.Breadcrumb = append([]page.Crumb{{Text: "我的企业", URL: "/company"}}, crumbs...)
	return v, err
}

func (s *Service) portraitPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	x, err := s.MyPortrait(ctx, actor)
	if err != nil {
		return err
	}
	v, err := s.companyView(c, p, "企业画像", page.Crumb{Text: "企业画像"})
	if err != nil {
		return err
	}
	data := portraitPage{Name: x.Name, Code: x.CreditCode, At: page.DateTime(x.At), Block: blockOf(x)}
	return p.Render(c, fiber.StatusOK, "enterprise/portrait", v, data)
}

// whyNoReport says why the actor may make no report, empty when they may.
func (s *Service) whyNoReport(c *fiber.Ctx, actor access.Actor) (string, error) {
	ctx := c.UserContext()
	b, err := s.Brief(ctx, s.db.Read(), actor.EnterpriseID)
	if err != nil {
		return "", err
	}
	if b.Verification != string(Verified) {
		return ErrReportUnverified.Message, nil
	}
	err = s.Entitled(ctx, s.db.Read(), actor.EnterpriseID, actor.UserID, RightReports)
	if f, ok := fault.As(err); ok && f.Kind == fault.Forbidden {
		return f.Message, nil
	}
	return "", err
}

func (s *Service) reportsPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	list, next, err := s.Reports(ctx, actor, 0, c.Query("before"), 20)
	if err != nil {
		return err
	}
	v, err := s.companyView(c, p, "企业征信报告", page.Crumb{Text: "企业征信报告"})
	if err != nil {
		return err
	}
	status := fiber.StatusOK
	data := reportsPage{Key: secret.Token(), Newest: c.Query("before") == "",
		Empty: page.Empty{Title: "还没有征信报告", Text: "生成的报告保存在这里，内容不再变化，可以随时打开、打印，收到报告的人可以核验真伪。"}}
	if failure != nil {
		sum, _, err := web.FormErrors(failure)
		if err != nil {
			return err
		}
		v.Path, status, data.Error = "/company/reports", fiber.StatusUnprocessableEntity, sum.Items[0].Message
	}
	if data.Why, err = s.whyNoReport(c, actor); err != nil {
		return err
	}
	for _, r := range list {
		data.Items = append(data.Items, reportRow{r, r.MadeName + " 生成，" + r.Basis})
	}
	if next != "" {
		data.Older = "/company/reports?before=" + next
	}
	return p.Render(c, status, "enterprise/reports", v, data)
}

func (s *Service) reportPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	r, err := s.Report(ctx, access.From(ctx), c.Params("number"), "")
	if err != nil {
		return err
	}
	v, err := s.companyView(c, p, "企业征信报告 "+r.Number, page.Crumb{Text: "企业征信报告", URL: "/company/reports"}, page.Crumb{Text: r.Number})
	if err != nil {
		return err
	}
	data := reportPage{Host: c.Hostname(), ReportView: r, Cover: coverOf(r), Block: blockOf(r.Portrait), Held: heldTables(Mine{Names: r.Names, Persons: r.Persons}),
		Verify: "/reports/verify?number=" + url.QueryEscape(r.Number) + "&code=" + url.QueryEscape(r.Code)}
	return p.Render(c, fiber.StatusOK, "enterprise/report", v, data)
}

// coverOf is what stands on the cover of a report.
func coverOf(r ReportView) page.Facts {
	x := r.Portrait
	f := page.Facts{Caption: "报告封面", Items: []page.Fact{{Label: "报告编号", Value: r.Number}, {Label: "企业名称", Value: x.Name}}}
	if len(x.FormerNames) > 0 {
		f.Items = append(f.Items, page.Fact{Label: "曾用名", Value: strings.Join(x.FormerNames, "、")})
	}
	f.Items = append(f.Items, page.Fact{Label: "统一社会信用代码", Value: x.CreditCode}, page.Fact{Label: "法定代表人", Value: x.LegalPerson},
		page.Fact{Label: "认证状态", Value: x.Verification.Label()}, page.Fact{Label: "生成时间", Value: page.DateTime(x.At)},
		page.Fact{Label: "生成人", Value: r.MadeBy}, page.Fact{Label: "生成依据", Value: r.Basis}, page.Fact{Label: "包含的数据", Value: strings.Join(r.Within, "、")})
	if len(r.LeftOut) > 0 {
		f.Items = append(f.Items, page.Fact{Label: "未授权、不包含的数据", Value: strings.Join(r.LeftOut, "、")})
	}
	f.Items = append(f.Items, page.Fact{Label: "核验码", Value: r.Code}, page.Fact{Label: "内容摘要值（SM3）", Value: r.Digest})
	return f
}

func (s *Service) verifyPage(c *fiber.Ctx, p *web.Pages) error {
	v, err := p.View(c, "核验企业征信报告")
	if err != nil {
		return err
	}
	v.Breadcrumb = []page.Crumb{{Text: "核验企业征信报告"}}
	number, code := c.Query("number"), c.Query("code")
	data := verifyPage{
		Number: page.Field{Name: "number", Label: "报告编号", Hint: "报告封面上以 ZX 开头的编号", Value: number, Required: true, MaxLength: 40},
		Code:   page.Field{Name: "code", Label: "核验码", Hint: "报告封面上的 16 位核验码，也可以填写完整的摘要值", Value: code, Required: true, MaxLength: 100},
	}
	status := fiber.StatusOK
	if c.Context().QueryArgs().Has("number") {
		g, err := s.Genuine(c.UserContext(), number, code)
		if err != nil {
			if fault.KindOf(err) != fault.NotFound {
				return err
			}
			status = fiber.StatusNotFound
			data.Problem = ErrNotGenuine.Message
		} else {
			data.Found = &page.Facts{Caption: "核验结果", Items: []page.Fact{{Label: "报告编号", Value: g.Number}, {Label: "企业名称", Value: g.Name}, {Label: "生成日期", Value: page.Date(g.MadeAt)}}}
		}
	}
	return p.Render(c, status, "enterprise/verify", v, data)
}
