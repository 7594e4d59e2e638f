package ticket

import (
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

type queryPage struct {
	Errors  page.ErrorSummary
	Number  page.Field
	Code    page.Field
	Captcha *page.Captcha
	Found   *foundPage
	Hint    *Hint
}

type foundPage struct {
	Title    string
	Status   page.Tag
	Facts    page.Facts
	Reply    string
	Timeline page.Timeline
	Hint     *Hint
}

// queryPages adds the page on which anybody asks with number and code.
func (s *Service) queryPages(srv *web.Server, p *web.Pages) {
	open := access.Public("无账号的诉求人凭流水号和查询码查询")
	srv.Page("GET", "/tickets/query", open, func(c *fiber.Ctx) error { return s.queryPage(c, p, nil, nil) })
	srv.Page("POST", "/tickets/query", open, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		v, err := s.ByNumber(ctx, access.From(ctx), AskByNumber{
			Number: c.FormValue("number"), Code: c.FormValue("code"), CaptchaID: c.FormValue("captchaId"), CaptchaAnswer: c.FormValue("captchaAnswer"),
		})
		if err != nil {
			return s.queryPage(c, p, err, nil)
		}
		return s.queryPage(c, p, nil, &v)
	})
}

func (s *Service) queryPage(c *fiber.Ctx, p *web.Pages, failure error, found *PublicView) error {
	ctx := c.UserContext()
	v, err := p.View(c, "诉求进度查询")
	if err != nil {
		return err
	}
	v.Active, v.NoIndex, v.Breadcrumb = "help", true, []page.Crumb{{Text: "诉求进度查询"}}
	status := fiber.StatusOK
	wrong := func(string) string { return "" }
	data := queryPage{}
	if failure != nil {
		if data.Errors, wrong, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
	}
	data.Number = page.Field{Name: "number", Label: "流水号", Hint: "提交诉求或短信中告知的编号，如 GD20261129-000123", Value: c.FormValue("number"), Required: true, MaxLength: 40, Autocomplete: "off", Error: wrong("number")}
	data.Code = page.Field{Name: "code", Label: "查询码", Hint: "与流水号一同告知的 6 位数字", InputMode: "numeric", Required: true, MaxLength: 20, Autocomplete: "off", Error: wrong("code")}
	needs, err := s.NeedsPuzzle(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	if puzzle := wrong("captchaAnswer"); s.puzzles != nil && found == nil && (needs || puzzle != "") {
		id, err := s.puzzles.NewCaptcha(ctx)
		if err != nil {
			return err
		}
		data.Captcha = &page.Captcha{ID: id, ImageURL: "/captcha/" + id + ".png", AudioURL: "/captcha/" + id + ".wav", RefreshURL: "/tickets/query", Error: puzzle}
	}
	step := "query"
	if found != nil {
		data.Found = found.page()
		step = atState(found.Status)
	}
	if data.Hint, err = s.hintAt(ctx, step); err != nil {
		return err
	}
	if data.Found != nil {
		data.Found.Hint = data.Hint
	}
	return p.Render(c, status, "ticket/query", v, data)
}

func (v PublicView) page() *foundPage {
	f := &foundPage{Title: v.Title, Status: statusTag(v.Status), Reply: v.Reply, Facts: page.Facts{Caption: "诉求信息", Items: []page.Fact{
		{Label: "流水号", Value: v.Number}, {Label: "类型", Value: v.TypeName}, {Label: "提交时间", Value: page.DateTime(v.CreatedAt)},
	}}}
	if v.UnitName != "" {
		f.Facts.Items = append(f.Facts.Items, page.Fact{Label: "承办单位", Value: v.UnitName})
	}
	if v.ClosedAt == nil {
		f.Facts.Items = append(f.Facts.Items, page.Fact{Label: "办理时限", Value: page.DateTime(v.DueAt)})
	}
	for i, step := range v.Timeline {
		state := page.StepDone
		if i == len(v.Timeline)-1 && v.ClosedAt == nil {
			state = page.StepCurrent
		}
		f.Timeline.Steps = append(f.Timeline.Steps, page.Step{Title: step.Label, When: step.At, Text: step.Text, State: state})
	}
	return f
}
