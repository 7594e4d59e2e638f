package quality

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type cardsOutput struct{ Body web.List[CardView] }

type cardInput struct {
	web.Keyed
	Body SetCard
}

type ruleOutput struct{ Body Rule }

type ruleInput struct {
	web.Keyed
	Body Rule
}

type drawInput struct {
	web.Keyed
	Body Draw
}

type pickInput struct {
	web.Keyed
	Body Pick
}

type drawOutput struct{ Body Drawn }

type drawsOutput struct{ Body web.List[DrawView] }

type checksInput struct {
	web.Listing
	State   State  `query:"state" enum:"waiting,scored,appealed,decided,skipped"`
	AgentID int64  `query:"agentId"`
	Month   string `query:"month" maxLength:"7"`
}

type checksOutput struct{ Body web.List[Listed] }

type idInput struct {
	ID int64 `path:"id"`
}

type checkOutput struct{ Body View }

type scoreInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
		CardID  int64 `json:"cardId"`
		Marks
	}
}

type reasonInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type decideInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Keep    bool   `json:"keep" doc:"The score stays; otherwise marks replace it."`
		Reason  string `json:"reason"`
		CardID  int64  `json:"cardId,omitempty"`
		Marks   *Marks `json:"marks,omitempty"`
	}
}

type monthInput struct {
	Month string `query:"month" maxLength:"7" doc:"Empty for this one."`
}

type monthOutput struct {
	Body struct {
		Month  string       `json:"month"`
		Agents []AgentMonth `json:"agents"`
	}
}

type staffOutput struct{ Body web.List[Person] }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	view, score, manage, own, some := access.Require(PermView), access.Require(PermScore), access.Require(PermManage), access.Require(PermOwn), access.Require(PermView, PermOwn)
	op := func(method, path, summary string, rule access.Rule, status int) huma.Operation {
		return web.Operation{Method: method, Path: "/api/quality" + path, Summary: summary, Tag: "质检", Access: rule, Status: status}.Huma()
	}
	huma.Register(api, op("GET", "/cards", "质检评分表", view, 0), func(ctx context.Context, _ *struct{}) (*cardsOutput, error) {
		list, err := s.Cards(ctx, access.From(ctx))
		return &cardsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("PUT", "/card", "更新质检评分表", manage, 204), func(ctx context.Context, in *cardInput) (*struct{}, error) {
		in.Body.Key = in.Key
		return nil, s.SetCard(ctx, access.From(ctx), in.Body)
	})
	huma.Register(api, op("GET", "/rule", "抽检规则", view, 0), func(ctx context.Context, _ *struct{}) (*ruleOutput, error) {
		r, err := s.Rule(ctx, access.From(ctx))
		return &ruleOutput{r}, err
	})
	huma.Register(api, op("PUT", "/rule", "设置抽检规则", manage, 204), func(ctx context.Context, in *ruleInput) (*struct{}, error) {
		return nil, s.SetRule(ctx, access.From(ctx), in.Body)
	})
	huma.Register(api, op("GET", "/draws", "历次抽取", view, 0), func(ctx context.Context, in *web.Listing) (*drawsOutput, error) {
		items, next, err := s.Draws(ctx, access.From(ctx), in.Cursor, in.Limit)
		return &drawsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("POST", "/draws", "加抽质检", manage, 0), func(ctx context.Context, in *drawInput) (*drawOutput, error) {
		in.Body.Key = in.Key
		d, err := s.Draw(ctx, access.From(ctx), in.Body)
		return &drawOutput{d}, err
	})
	huma.Register(api, op("POST", "/picks", "点名质检一件工单", manage, 0), func(ctx context.Context, in *pickInput) (*drawOutput, error) {
		in.Body.Key = in.Key
		d, err := s.Pick(ctx, access.From(ctx), in.Body)
		return &drawOutput{d}, err
	})
	huma.Register(api, op("GET", "/agents", "接受质检的坐席", view, 0), func(ctx context.Context, _ *struct{}) (*staffOutput, error) {
		list, err := s.Staff(ctx, access.From(ctx))
		return &staffOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("GET", "/checks", "质检单", some, 0), func(ctx context.Context, in *checksInput) (*checksOutput, error) {
		items, next, err := s.Checks(ctx, access.From(ctx), Filter{in.State, in.AgentID, in.Month, in.Cursor, in.Limit})
		if err != nil {
			return nil, err
		}
		return &checksOutput{web.NewList(items, next)}, nil
	})
	huma.Register(api, op("GET", "/checks/{id}", "一张质检单", some, 0), func(ctx context.Context, in *idInput) (*checkOutput, error) {
		v, err := s.Check(ctx, access.From(ctx), in.ID)
		return &checkOutput{v}, err
	})
	huma.Register(api, op("POST", "/checks/{id}/score", "质检评分", score, 204), func(ctx context.Context, in *scoreInput) (*struct{}, error) {
		return nil, s.Score(ctx, access.From(ctx), Score{Step{in.ID, in.Body.Version, in.Key}, in.Body.CardID, in.Body.Marks})
	})
	huma.Register(api, op("POST", "/checks/{id}/skip", "标记为无法评分", score, 204), func(ctx context.Context, in *reasonInput) (*struct{}, error) {
		return nil, s.Skip(ctx, access.From(ctx), Skip{Step{in.ID, in.Body.Version, in.Key}, in.Body.Reason})
	})
	huma.Register(api, op("POST", "/checks/{id}/appeal", "对质检评分提出申诉", own, 204), func(ctx context.Context, in *reasonInput) (*struct{}, error) {
		return nil, s.Appeal(ctx, access.From(ctx), Appeal{Step{in.ID, in.Body.Version, in.Key}, in.Body.Reason})
	})
	huma.Register(api, op("POST", "/checks/{id}/decide", "复核质检申诉", manage, 204), func(ctx context.Context, in *decideInput) (*struct{}, error) {
		cmd := Decide{Step: Step{in.ID, in.Body.Version, in.Key}, Keep: in.Body.Keep, Reason: in.Body.Reason, CardID: in.Body.CardID}
		if in.Body.Marks != nil {
			cmd.Marks = *in.Body.Marks
		}
		return nil, s.Decide(ctx, access.From(ctx), cmd)
	})
	huma.Register(api, op("GET", "/month", "月度质检情况", view, 0), func(ctx context.Context, in *monthInput) (*monthOutput, error) {
		if in.Month == "" {
			in.Month = s.thisMonth()
		}
		list, err := s.Month(ctx, access.From(ctx), in.Month)
		out := &monthOutput{}
		out.Body.Month, out.Body.Agents = in.Month, list
		return out, err
	})
}
