package offline

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type offlineOutput struct{ Body View }

type offlineRecordInput struct {
	web.Keyed
	Body Record
}

type offlineListInput struct {
	web.Listing
	State         State  `query:"state" enum:"waiting,confirmed,denied,cancelled"`
	InstitutionID int64  `query:"institutionId"`
	From          string `query:"from" maxLength:"10" doc:"First day of the service, 2006-01-02."`
	To            string `query:"to" maxLength:"10" doc:"Last day."`
}

type offlineListOutput struct{ Body web.List[View] }

type offlineIDInput struct {
	ID int64 `path:"id"`
}

type offlineCancelInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Reason string `json:"reason"`
	}
}

type offlineAnswerInput struct {
	ID   int64 `path:"id"`
	Body Answer
}

type offlineStatsInput struct {
	From string `query:"from" maxLength:"10"`
	To   string `query:"to" maxLength:"10"`
}

type offlineStatsOutput struct{ Body web.List[Tally] }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	reader := access.Only(access.Enterprise, access.Institution, access.Platform, access.Government)
	record := access.Require(PermRecord)
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: "/api" + path, Summary: summary, Tag: "线下服务", Access: rule}.Huma()
	}
	one := func(v View, err error) (*offlineOutput, error) {
		if err != nil {
			return nil, err
		}
		return &offlineOutput{v}, nil
	}
	huma.Register(api, op("GET", "/offline-services", "线下服务登记", reader), func(ctx context.Context, in *offlineListInput) (*offlineListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), Filter{in.State, in.InstitutionID, in.From, in.To, in.Cursor, in.Limit})
		return &offlineListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("POST", "/offline-services", "登记线下服务", record), func(ctx context.Context, in *offlineRecordInput) (*offlineOutput, error) {
		in.Body.Key = in.Key
		return one(s.Record(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("GET", "/offline-services/{id}", "一条线下服务登记", reader), func(ctx context.Context, in *offlineIDInput) (*offlineOutput, error) {
		return one(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("POST", "/offline-services/{id}/again", "重发确认短信", record), func(ctx context.Context, in *offlineIDInput) (*offlineOutput, error) {
		return one(s.Again(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("POST", "/offline-services/{id}/cancel", "撤销线下服务登记", record), func(ctx context.Context, in *offlineCancelInput) (*offlineOutput, error) {
		return one(s.Cancel(ctx, access.From(ctx), in.ID, in.Body.Reason))
	})
	huma.Register(api, op("POST", "/offline-services/{id}/answer", "企业确认或否认线下服务", access.Only(access.Enterprise)), func(ctx context.Context, in *offlineAnswerInput) (*offlineOutput, error) {
		return one(s.Answer(ctx, access.From(ctx), in.ID, in.Body))
	})
	huma.Register(api, op("GET", "/offline-service-stats", "线下服务统计", access.Require(PermView, PermRecord)), func(ctx context.Context, in *offlineStatsInput) (*offlineStatsOutput, error) {
		list, err := s.Stats(ctx, access.From(ctx), in.From, in.To)
		return &offlineStatsOutput{web.NewList(list, "")}, err
	})
}
