package channel

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/web"
)

type channelOutput struct{ Body View }

type channelListInput struct {
	web.Listing
	Kind  Kind   `query:"kind" enum:"street,bank,event,wechat,poster,other"`
	State State  `query:"state" enum:"live,ahead,over,off"`
	Words string `query:"q" maxLength:"50"`
}

type channelListOutput struct{ Body web.List[View] }

type channelCreateInput struct {
	web.Keyed
	Body Create
}

type channelIDInput struct {
	ID int64 `path:"id"`
}

type channelUpdateInput struct {
	ID   int64 `path:"id"`
	Body Update
}

// Options are the choices of the form of a channel.
type Options struct {
	Kinds    []Named `json:"kinds"`
	Landings []Named `json:"landings"`
}

type channelOptionsOutput struct{ Body Options }

type channelRuleOutput struct{ Body RuleView }

type channelRuleInput struct{ Body RuleView }

type channelStatsInput struct {
	Group     Group  `query:"group" enum:"channel,day,month"`
	ChannelID int64  `query:"channelId"`
	Kind      Kind   `query:"kind" enum:"street,bank,event,wechat,poster,other"`
	From      string `query:"from" maxLength:"10" doc:"First day, 2006-01-02; empty is 30 days."`
	To        string `query:"to" maxLength:"10" doc:"Last day; empty is today."`
	Sort      string `query:"sort" maxLength:"20" enum:"visits,visitors,registrations,verified,applications,approved,conversion"`
	Ascending bool   `query:"ascending"`
}

type channelStatsOutput struct{ Body Stats }

type channelOriginOutput struct{ Body web.List[Origin] }

type channelVisitInput struct {
	Body struct {
		Code  string `json:"code" maxLength:"20"`
		Token string `json:"token,omitempty" maxLength:"300" doc:"What this browser carries already."`
	}
}

type channelVisitOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Visited
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	view, manage := access.Require(PermView), access.Require(PermManage)
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: "/api" + path, Summary: summary, Tag: "推广渠道", Access: rule}.Huma()
	}
	one := func(v View, err error) (*channelOutput, error) {
		if err != nil {
			return nil, err
		}
		return &channelOutput{v}, nil
	}
	huma.Register(api, op("GET", "/channels", "推广渠道", view), func(ctx context.Context, in *channelListInput) (*channelListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), Filter{in.Kind, in.State, in.Words, in.Cursor, in.Limit})
		return &channelListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("POST", "/channels", "新建推广渠道，可一次多个", manage), func(ctx context.Context, in *channelCreateInput) (*channelListOutput, error) {
		in.Body.Key = in.Key
		items, err := s.Create(ctx, access.From(ctx), in.Body)
		return &channelListOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, op("GET", "/channels/{id}", "一个推广渠道", view), func(ctx context.Context, in *channelIDInput) (*channelOutput, error) {
		return one(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("PUT", "/channels/{id}", "修改、启用或停用推广渠道", manage), func(ctx context.Context, in *channelUpdateInput) (*channelOutput, error) {
		in.Body.ID = in.ID
		return one(s.Update(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("GET", "/channel-options", "推广渠道可选的类型和页面", view), func(context.Context, *struct{}) (*channelOptionsOutput, error) {
		return &channelOptionsOutput{Options{kinds, landings}}, nil
	})
	huma.Register(api, op("GET", "/channel-rule", "渠道归因规则", view), func(ctx context.Context, _ *struct{}) (*channelRuleOutput, error) {
		r, err := s.Rule(ctx, access.From(ctx))
		return &channelRuleOutput{r}, err
	})
	huma.Register(api, op("PUT", "/channel-rule", "设置渠道归因规则", manage), func(ctx context.Context, in *channelRuleInput) (*channelRuleOutput, error) {
		actor := access.From(ctx)
		if err := s.SetRule(ctx, actor, in.Body); err != nil {
			return nil, err
		}
		r, err := s.Rule(ctx, actor)
		return &channelRuleOutput{r}, err
	})
	huma.Register(api, op("GET", "/channel-stats", "渠道统计", view), func(ctx context.Context, in *channelStatsInput) (*channelStatsOutput, error) {
		st, err := s.Stats(ctx, access.From(ctx), Query{in.Group, in.ChannelID, in.Kind, in.From, in.To, in.Sort, in.Ascending})
		return &channelStatsOutput{st}, err
	})
	huma.Register(api, op("GET", "/channel-origins/applications/{id}", "申请的来源渠道", view), func(ctx context.Context, in *channelIDInput) (*channelOriginOutput, error) {
		items, err := s.OfApplication(ctx, access.From(ctx), in.ID)
		return &channelOriginOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, op("POST", "/channel-visits", "手机端页面带渠道编码打开", access.Public("没有登录的人通过推广链接打开手机端")), func(ctx context.Context, in *channelVisitInput) (*channelVisitOutput, error) {
		v, err := s.Visit(ctx, access.From(ctx), in.Body.Code, in.Body.Token)
		if err != nil {
			return nil, err
		}
		out := &channelVisitOutput{Body: v}
		if v.Token != "" {
			out.SetCookie = web.ArrivalCookie(v.Token, v.Days)
		}
		return out, nil
	})
}

// Pages adds the short link, and the pictures that are downloaded and printed.
func (s *Service) Pages(srv *web.Server, _ *web.Pages) error {
	srv.Page("GET", "/c/:code", access.Public("推广渠道的短链接，打开本站页面"), func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		actor := access.From(ctx)
		if ahead := c.Get("Sec-Purpose") + c.Get("Purpose") + c.Get("X-Moz"); strings.Contains(strings.ToLower(ahead), "prefetch") || strings.Contains(strings.ToLower(ahead), "preview") {
			actor.UserAgent = "" // the browser fetched it in advance; nobody opened it yet
		}
		v, err := s.Visit(ctx, actor, c.Params("code"), "")
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		if v.Token == "" {
			return c.Redirect(v.Landing)
		}
		cookie := web.ArrivalCookie(v.Token, v.Days)
		c.Append(fiber.HeaderSetCookie, cookie.String())
		if strings.HasPrefix(v.Landing, "/m/") {
			// Some browsers inside apps keep no cookies: the page carries it on by itself.
			return c.Redirect(v.Landing + "?c=" + strings.ToUpper(c.Params("code")) + "&v=" + v.Token)
		}
		return c.Redirect(v.Landing)
	})
	view := access.Require(PermView)
	send := func(c *fiber.Ctx, mime, name string, b []byte) error {
		c.Set(fiber.HeaderContentType, mime)
		c.Set(fiber.HeaderContentDisposition, files.ContentDisposition(name, c.Query("download") == ""))
		c.Set(fiber.HeaderCacheControl, "private, no-store")
		c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'")
		return c.Send(b)
	}
	for suffix, mime := range map[string]string{".png": "image/png", ".svg": "image/svg+xml"} {
		srv.Raw("GET", "/api/channels/:id<int>/qr"+suffix, view, func(c *fiber.Ctx) error {
			ctx := c.UserContext()
			id, _ := strconv.ParseInt(c.Params("id"), 10, 64) // the route takes digits only; too many of them are no id
			v, b, err := s.Picture(ctx, access.From(ctx), id, suffix == ".svg")
			if err != nil {
				return err
			}
			return send(c, mime, fileName(v)+suffix, b)
		})
	}
	srv.Raw("GET", "/api/channel-pictures", view, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		var ids []int64
		for _, part := range strings.Split(c.Query("ids"), ",") {
			id, err := strconv.ParseInt(part, 10, 64)
			if err != nil {
				return fault.InvalidField("ids", "CHANNEL_IDS", "请选择要下载二维码的渠道")
			}
			ids = append(ids, id)
		}
		b, err := s.Pictures(ctx, access.From(ctx), ids)
		if err != nil {
			return err
		}
		c.Request().URI().QueryArgs().Set("download", "1")
		return send(c, "application/zip", "渠道二维码.zip", b)
	})
	return nil
}
