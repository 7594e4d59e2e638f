package identity

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// wayIn is the page struct of signing in and of registering.
type wayIn struct {
	Action  string
	Return  string
	Errors  page.ErrorSummary
	Phone   page.Field
	Captcha page.Captcha
	Code    page.Field
	Company page.Field
	Contact page.Field
	Consent page.Field
}

// Pages adds the portal's ways in. They work without a script: the button beside the code sends the form back with
// another captcha, everything typed kept.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("identity", sub); err != nil {
		return err
	}
	s.wechatPages(srv, p)
	why := access.Public("登录注册")
	srv.Page("GET", "/login", why, func(c *fiber.Ctx) error { return s.show(c, p, "login", nil, page.Flash{}) })
	srv.Page("GET", "/register", why, func(c *fiber.Ctx) error { return s.show(c, p, "register", nil, page.Flash{}) })
	srv.Page("POST", "/login", why, func(c *fiber.Ctx) error { return s.enter(c, p, "login", ForSignIn) })
	srv.Page("POST", "/register", why, func(c *fiber.Ctx) error { return s.enter(c, p, "register", ForRegister) })
	srv.Page("POST", "/logout", access.Public("未登录时无事可做"), func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		if err := s.SignOut(ctx, access.From(ctx)); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		cookie := web.EndedSessionCookie()
		c.Append(fiber.HeaderSetCookie, cookie.String())
		c.Set("Clear-Site-Data", `"cache"`)
		return c.Redirect("/", fiber.StatusSeeOther)
	})
	return nil
}

func (s *Service) enter(c *fiber.Ctx, p *web.Pages, name string, purpose Purpose) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	if c.FormValue("action") == "send_code" {
		to, err := s.SendCode(ctx, actor, SendCode{c.FormValue("phone"), purpose, c.FormValue("captchaId"), c.FormValue("captchaAnswer")})
		if err != nil {
			return s.show(c, p, name, err, page.Flash{})
		}
		return s.show(c, p, name, nil, page.Flash{Tone: page.Success, Text: fmt.Sprintf("验证码已发送至 %s，5 分钟内有效", to)})
	}
	var b Begun
	var err error
	if purpose == ForRegister {
		b, err = s.Register(ctx, actor, Register{c.FormValue("phone"), c.FormValue("code"), c.FormValue("company"), c.FormValue("contact"), c.FormValue("consent") != ""})
	} else {
		b, err = s.SignInBySMS(ctx, actor, c.FormValue("phone"), c.FormValue("code"))
	}
	if err != nil {
		return s.show(c, p, name, err, page.Flash{})
	}
	cookie := web.SessionCookie(b.Token, b.Expires)
	c.Append(fiber.HeaderSetCookie, cookie.String())
	return c.Redirect(web.LocalPath(c.FormValue("return"), "/tickets"), fiber.StatusSeeOther)
}

// fieldOf is where the portal's forms show an error of the operation's field.
var fieldOf = map[string]string{"companyName": "company", "contactName": "contact"}

func (s *Service) show(c *fiber.Ctx, p *web.Pages, name string, failure error, flash page.Flash) error {
	ctx := c.UserContext()
	titles := map[string]string{"login": "登录", "register": "企业注册"}
	v, err := p.View(c, titles[name])
	if err != nil {
		return err
	}
	v.NoIndex, v.Flash, v.Path = true, flash, "/"
	status := fiber.StatusOK
	var sum page.ErrorSummary
	found := func(string) string { return "" }
	if failure != nil {
		if sum, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		for i, e := range sum.Items {
			if to, ok := fieldOf[e.Field]; ok {
				sum.Items[i].Field = to
			}
		}
		status = fiber.StatusUnprocessableEntity
	}
	id, err := s.NewCaptcha(ctx)
	if err != nil {
		return err
	}
	back := c.Query("return")
	if back == "" {
		back = c.FormValue("return")
	}
	data := wayIn{
		Action: "/" + name, Return: web.LocalPath(back, "/tickets"), Errors: sum,
		Phone: page.Field{Name: "phone", Label: "手机号", Value: c.FormValue("phone"), Type: "tel", InputMode: "numeric", Autocomplete: "tel",
			Required: true, MaxLength: 20, Error: found("phone")},
		Captcha: page.Captcha{ID: id, ImageURL: "/captcha/" + id + ".png", AudioURL: "/captcha/" + id + ".wav", RefreshURL: "/" + name, Error: found("captchaAnswer")},
		Code: page.Field{Name: "code", Label: "短信验证码", Hint: "先填写图形验证码，再点“获取验证码”", InputMode: "numeric", Autocomplete: "one-time-code",
			Required: true, MaxLength: 6, Error: found("code")},
		Company: page.Field{Name: "company", Label: "企业名称", Hint: "与营业执照一致", Value: c.FormValue("company"), Required: true, MaxLength: 100, Error: found("companyName")},
		Contact: page.Field{Name: "contact", Label: "联系人姓名", Value: c.FormValue("contact"), Autocomplete: "name", Required: true, MaxLength: 30, Error: found("contactName")},
		Consent: page.Field{Name: "consent", Label: "我已阅读并同意", Value: c.FormValue("consent"), Required: true, Error: found("consent"),
			Link: page.Link{Text: "《个人信息保护说明》", URL: "/privacy"}},
	}
	if flash.Tone == page.Success {
		data.Code.Wait = 60
	}
	return p.Render(c, status, "identity/"+name, v, data)
}
