package seat

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "坐席"

type standingOutput struct{ Body Standing }

type switchInput struct {
	web.Keyed
	Body Switch
}

type forceInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Switch
		Why string `json:"why"`
	}
}

type trainInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Codes []string `json:"codes" maxItems:"200"`
	}
}

type boardOutput struct{ Body Board }

type dayInput struct {
	ID  int64  `path:"id"`
	Day string `query:"day" doc:"As 2026-11-29; empty is today."`
}

type dayOutput struct {
	Body struct {
		Items []Spell `json:"items"`
	}
}

type teamsOutput struct {
	Body struct {
		Items  []TeamView `json:"items"`
		People []Person   `json:"people"`
	}
}

type teamInput struct {
	web.Keyed
	Body SaveTeam
}

type teamEditInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body SaveTeam
}

type weekInput struct {
	Week string `query:"week" doc:"A day of the week, as 2026-11-29; empty is this week."`
}

type weekOutput struct{ Body Week }

type shiftInput struct {
	web.Keyed
	Body SaveShift
}

type shiftEditInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body SaveShift
}

type copyInput struct {
	web.Keyed
	Body CopyWeek
}

type copyOutput struct {
	Body struct {
		Shifts int `json:"shifts"`
	}
}

type hoursInput struct {
	web.Keyed
	Body struct {
		Hours []HoursView `json:"hours" minItems:"1" maxItems:"7"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	own(api, s)
	supervise(api, s)
	roster(api, s)
}

func own(api huma.API, s *Service) {
	sit := access.Require(PermSit)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/seat", Summary: "我的坐席状态", Tag: tag, Access: sit}.Huma(),
		func(ctx context.Context, _ *struct{}) (*standingOutput, error) {
			v, err := s.Own(ctx, access.From(ctx))
			return &standingOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/seat/state", Summary: "切换坐席状态", Tag: tag, Access: sit}.Huma(),
		func(ctx context.Context, in *switchInput) (*standingOutput, error) {
			in.Body.Key = in.Key
			v, err := s.Switch(ctx, access.From(ctx), in.Body)
			return &standingOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/seat/beat", Summary: "坐席页面仍在线", Tag: tag, Access: sit, Status: 204}.Huma(),
		func(ctx context.Context, _ *struct{}) (*struct{}, error) { return nil, s.Beat(ctx, access.From(ctx)) })
}

func supervise(api huma.API, s *Service) {
	view, manage := access.Require(PermView), access.Require(PermManage)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/supervision/seats", Summary: "全部坐席的状态和今日时长", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, _ *struct{}) (*boardOutput, error) {
			b, err := s.Board(ctx, access.From(ctx))
			return &boardOutput{b}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/supervision/seats/{id}/day", Summary: "一名坐席一天的状态记录", Tag: tag, Access: access.Require(PermView, PermSit)}.Huma(),
		func(ctx context.Context, in *dayInput) (*dayOutput, error) {
			day := s.clock.Now()
			if in.Day != "" {
				var err error
				if day, err = text.Day("day", in.Day, clock.Beijing); err != nil {
					return nil, err
				}
			}
			out := &dayOutput{}
			var err error
			out.Body.Items, err = s.Day(ctx, access.From(ctx), in.ID, day)
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/supervision/seats/{id}/state", Summary: "代为切换坐席状态", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *forceInput) (*struct{}, error) {
			in.Body.Key = in.Key
			return nil, s.Force(ctx, access.From(ctx), Force{UserID: in.ID, Why: in.Body.Why, Switch: in.Body.Switch})
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/supervision/seats/{id}/skills", Summary: "设置坐席技能", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *trainInput) (*struct{}, error) {
			return nil, s.Train(ctx, access.From(ctx), Train{UserID: in.ID, Codes: in.Body.Codes, Key: in.Key})
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/supervision/teams", Summary: "班组和可入组人员", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, _ *struct{}) (*teamsOutput, error) {
			out := &teamsOutput{}
			var err error
			out.Body.Items, out.Body.People, err = s.Teams(ctx, access.From(ctx))
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/supervision/teams", Summary: "新建班组", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *teamInput) (*struct{}, error) {
			in.Body.Key = in.Key
			return nil, s.SaveTeam(ctx, access.From(ctx), in.Body)
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/supervision/teams/{id}", Summary: "修改或撤销班组", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *teamEditInput) (*struct{}, error) {
			in.Body.Key, in.Body.ID = in.Key, in.ID
			return nil, s.SaveTeam(ctx, access.From(ctx), in.Body)
		})
}

func roster(api huma.API, s *Service) {
	manage := access.Require(PermManage)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/supervision/shifts", Summary: "一周排班和缺口", Tag: tag, Access: access.Require(PermView, PermSit)}.Huma(),
		func(ctx context.Context, in *weekInput) (*weekOutput, error) {
			w, err := s.Week(ctx, access.From(ctx), in.Week)
			return &weekOutput{w}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/supervision/shifts", Summary: "新增班次", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *shiftInput) (*struct{}, error) {
			in.Body.Key = in.Key
			return nil, s.SaveShift(ctx, access.From(ctx), in.Body)
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/supervision/shifts/{id}", Summary: "调整或取消班次", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *shiftEditInput) (*struct{}, error) {
			in.Body.Key, in.Body.ID = in.Key, in.ID
			return nil, s.SaveShift(ctx, access.From(ctx), in.Body)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/supervision/shifts/copy", Summary: "复制一周排班", Tag: tag, Access: manage}.Huma(),
		func(ctx context.Context, in *copyInput) (*copyOutput, error) {
			in.Body.Key = in.Key
			out := &copyOutput{}
			var err error
			out.Body.Shifts, err = s.CopyWeek(ctx, access.From(ctx), in.Body)
			return out, err
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/supervision/hours", Summary: "设置服务时间和上岗人数", Tag: tag, Access: manage, Status: 204}.Huma(),
		func(ctx context.Context, in *hoursInput) (*struct{}, error) {
			return nil, s.SetHours(ctx, access.From(ctx), SetHours{Hours: in.Body.Hours, Key: in.Key})
		})
}
