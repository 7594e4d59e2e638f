package cti

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "话务"

type lineOutput struct{ Body Line }

type idInput struct {
	web.Keyed
	ID int64 `path:"id"`
}

type callsOutput struct {
	Body struct {
		Items []CallView `json:"items"`
	}
}

type playOutput struct {
	Body struct {
		URL string `json:"url"`
	}
}

type nuisancesOutput struct {
	Body struct {
		Items []NuisanceView `json:"items"`
	}
}

type markInput struct {
	web.Keyed
	Body Mark
}

type extensionsOutput struct {
	Body struct {
		Items []ExtensionView `json:"items"`
	}
}

type extensionInput struct {
	web.Keyed
	Body SetExtension
}

// maxEvent is the longest event, in bytes.
const maxEvent = 16 << 10

// API adds the operations of the module, and the door of the telephone platform.
func (s *Service) API(srv *web.Server) {
	srv.Raw("POST", "/callback/cti", access.Public("话务平台以签名表明身份"), func(c *fiber.Ctx) error {
		if len(c.Body()) > maxEvent {
			return fault.InvalidField("body", "CTI_BODY", "事件过长")
		}
		header := http.Header{}
		for _, name := range []string{standardwebhooks.HeaderWebhookID, standardwebhooks.HeaderWebhookTimestamp, standardwebhooks.HeaderWebhookSignature} {
			header.Set(name, c.Get(name))
		}
		first, err := s.Receive(c.UserContext(), header, append([]byte(nil), c.Body()...))
		if err != nil {
			return err
		}
		return c.JSON(map[string]bool{"repeated": !first})
	})
	register(srv.API, s)
}

func register(api huma.API, s *Service) {
	manage := access.Require(PermManage)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/cti/line", Summary: "我的话机和当前通话", Tag: tag, Access: access.Require(permSit)}.Huma(),
		func(ctx context.Context, _ *struct{}) (*lineOutput, error) {
			v, err := s.Line(ctx, access.From(ctx))
			return &lineOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/tickets/{id}/calls", Summary: "工单关联的通话", Tag: tag, Access: access.SignedIn()}.Huma(),
		func(ctx context.Context, in *idInput) (*callsOutput, error) {
			out := &callsOutput{}
			var err error
			out.Body.Items, err = s.OfTicket(ctx, access.From(ctx), in.ID)
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/cti/calls/{id}/play", Summary: "调听通话录音", Tag: tag, Access: access.Require(PermListen)}.Huma(),
		func(ctx context.Context, in *idInput) (*playOutput, error) {
			out := &playOutput{}
			var err error
			out.Body.URL, err = s.Play(ctx, access.From(ctx), in.ID)
			return out, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/supervision/nuisance", Summary: "骚扰来电名单", Tag: tag, Access: manage}.Huma(),
		func(ctx context.Context, _ *struct{}) (*nuisancesOutput, error) {
			out := &nuisancesOutput{}
			var err error
			out.Body.Items, err = s.Nuisances(ctx, access.From(ctx))
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/supervision/nuisance", Summary: "列入骚扰来电名单", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *markInput) (*struct{}, error) {
			in.Body.Key = in.Key
			return nil, s.Mark(ctx, access.From(ctx), in.Body)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/supervision/nuisance/{id}/end", Summary: "移出骚扰来电名单", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			return nil, s.Unmark(ctx, access.From(ctx), in.ID)
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/cti/extensions", Summary: "坐席分机", Tag: tag, Access: manage}.Huma(),
		func(ctx context.Context, _ *struct{}) (*extensionsOutput, error) {
			out := &extensionsOutput{}
			var err error
			out.Body.Items, err = s.Extensions(ctx, access.From(ctx))
			return out, err
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/cti/extensions", Summary: "设置坐席分机", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *extensionInput) (*struct{}, error) {
			in.Body.Key = in.Key
			return nil, s.SetExtension(ctx, access.From(ctx), in.Body)
		})
}
