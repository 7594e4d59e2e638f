package ticket

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/web"
)

type hintsOutput struct {
	Body struct {
		Items []Hint     `json:"items"`
		Steps []HintStep `json:"steps" doc:"Every place where a hint can stand."`
	}
}

type requesterHintsOutput struct {
	Body struct {
		Items []Hint `json:"items"`
	}
}

type setHintInput struct {
	web.Keyed
	For  Reader `path:"for" enum:"staff,requester"`
	Step string `path:"step" maxLength:"30"`
	Body struct {
		Version  int64   `json:"version" doc:"0 where there was none."`
		Text     string  `json:"text,omitempty"`
		LinkText string  `json:"linkText,omitempty"`
		LinkURL  string  `json:"linkUrl,omitempty" doc:"https:// or an address of this site that begins with /."`
		Picture  *string `json:"picture,omitempty" doc:"A PNG or JPEG of up to 300 KB in base64; empty takes it away, left out keeps it."`
		Alt      string  `json:"alt,omitempty" doc:"What the picture shows."`
	}
}

// registerHints adds what administrators have people read at each step.
func registerHints(api huma.API, s *Service) {
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	huma.Register(api, op("GET", "/api/ticket-hints", "各步骤的办理提示", access.Only(access.Platform, access.Government)), func(ctx context.Context, _ *struct{}) (*hintsOutput, error) {
		out := &hintsOutput{}
		var err error
		out.Body.Steps = HintSteps()
		out.Body.Items, err = s.Hints(ctx, access.From(ctx))
		return out, err
	})
	huma.Register(api, op("GET", "/api/public/ticket-hints", "诉求人看到的办理提示", access.Public("诉求人无需登录即可看到办理提示")), func(ctx context.Context, _ *struct{}) (*requesterHintsOutput, error) {
		out := &requesterHintsOutput{}
		var err error
		out.Body.Items, err = s.RequesterHints(ctx)
		return out, err
	})
	huma.Register(api, op("POST", "/api/ticket-hints/{for}/{step}", "设置一个步骤的办理提示", access.Require(PermTypes)), func(ctx context.Context, in *setHintInput) (*struct{}, error) {
		b := in.Body
		return nil, s.SetHint(ctx, access.From(ctx), SetHint{Key: in.Key, For: in.For, Step: in.Step, Text: b.Text, LinkText: b.LinkText, LinkURL: b.LinkURL, Picture: b.Picture, Alt: b.Alt, Version: b.Version})
	})
}

// hintPictures adds the addresses of the pictures: those of requesters are open to everybody.
func (s *Service) hintPictures(srv *web.Server) {
	for who, rule := range map[Reader]access.Rule{
		ForStaff: access.Only(access.Platform, access.Government), ForRequester: access.Public("诉求人无需登录即可看到办理提示"),
	} {
		srv.Download("/tickets/hints/"+string(who)+"/:step/picture", rule, func(c *fiber.Ctx) (web.Download, error) {
			row, err := s.picture(c.UserContext(), who, c.Params("step"))
			if err != nil {
				return web.Download{}, err
			}
			return hint.Download(row)
		})
	}
}
