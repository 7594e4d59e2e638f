package identity

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// wechatProblem is the page struct of a trip through WeChat that did not end well.
type wechatProblem struct {
	Title   string
	Message string
	Again   string // "" when trying again cannot help
	SMS     string // the other way in; "" for somebody who is in
	Back    string // where somebody who is in goes on
}

// wechatPages adds the trip of a browser through WeChat: away, and back.
func (s *Service) wechatPages(srv *web.Server, p *web.Pages) {
	srv.Page("GET", "/wechat/authorize", access.Public("微信登录的起点，未登录时使用"), func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		actor, back := access.From(ctx), mobilePath(c.Query("return"))
		c.Set(fiber.HeaderCacheControl, "no-store")
		if actor.UserID != 0 {
			return c.Redirect(back)
		}
		to, err := s.AuthorizeWechat(ctx, actor, back)
		if err != nil {
			return s.showWechat(c, p, WechatReturn{Return: back}, err)
		}
		return c.Redirect(to)
	})
	srv.Page("GET", "/wechat/callback", access.Public("微信登录的回程，凭证和状态均为一次性"), func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		c.Set(fiber.HeaderCacheControl, "no-store")
		end, err := s.ReturnFromWechat(ctx, access.From(ctx), c.Query("code"), c.Query("state"))
		switch {
		case err != nil:
			return s.showWechat(c, p, end, err)
		case end.New:
			return c.Redirect(greeting(end.Return))
		case end.Begun != nil:
			cookie := web.SessionCookie(end.Begun.Token, end.Begun.Expires)
			c.Append(fiber.HeaderSetCookie, cookie.String())
		}
		return c.Redirect(end.Return)
	})
}

// showWechat says what went wrong and what there is to do about it. A fault of ours goes the way of every other.
func (s *Service) showWechat(c *fiber.Ctx, p *web.Pages, end WechatReturn, failure error) error {
	f, ok := fault.As(failure)
	if !ok || f.Kind == fault.Internal {
		return failure
	}
	d := wechatProblem{Title: "微信登录没有完成", Message: f.Message, Again: "/wechat/authorize?" + url.Values{"return": {end.Return}}.Encode()}
	status := fiber.StatusConflict
	switch f.Kind {
	case fault.Unavailable:
		s.Log.Warn("sign in with WeChat", "code", f.Code, "error", failure)
		d.Title, status = "微信暂时连接不上", fiber.StatusServiceUnavailable
	case fault.NotFound:
		d.Title, d.Again, status = "没有开通微信登录", "", fiber.StatusNotFound
	case fault.Forbidden:
		d.Title, d.Again, status = "不能用微信登录", "", fiber.StatusForbidden
	}
	if end.Binding {
		d.Title, d.Again, d.Back = "微信没有绑定", "", end.Return
	} else {
		d.SMS = "/m/login?" + url.Values{"wechat": {"off"}, "return": {strings.TrimPrefix(end.Return, "/m")}}.Encode()
	}
	v, err := p.View(c, d.Title)
	if err != nil {
		return err
	}
	v.NoIndex, v.Path = true, "/"
	return p.Render(c, status, "identity/wechat", v, d)
}
