package directory

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "派单目录"

type suggestInput struct {
	Type string `query:"type" required:"true" maxLength:"20"`
	Area string `query:"area" maxLength:"20" doc:"Code of a street or town; empty: looked for in text."`
	Text string `query:"text" maxLength:"500"`
}

type explainInput struct {
	Type string `query:"type" required:"true" maxLength:"20"`
	Area string `query:"area" maxLength:"20"`
	Text string `query:"text" maxLength:"500"`
	At   string `query:"at" required:"true" doc:"RFC 3339."`
}

type suggestOutput struct{ Body Suggestion }

type boardOutput struct{ Body Board }

type lineInput struct {
	ID int64 `path:"id"`
}

type lineOutput struct{ Body LineView }

type directorySetInput struct {
	web.Keyed
	Body struct {
		Matter    string  `json:"matter"`
		Area      string  `json:"area,omitempty" doc:"Code of a street or town; empty is the whole district."`
		LeadID    int64   `json:"leadId"`
		HelperIDs []int64 `json:"helperIds,omitempty" maxItems:"20"`
		ValidFrom string  `json:"validFrom,omitempty" doc:"A day as 2026-11-22, today or later; empty: at once."`
		Reason    string  `json:"reason"`
		Basis     string  `json:"basis,omitempty"`
		Version   int64   `json:"version,omitempty" doc:"Of the line as it was seen; 0 for a new one."`
	}
}

type directoryEndInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		ValidTo string `json:"validTo,omitempty" doc:"A day as 2026-11-22, the first it is no longer valid; empty: at once."`
		Reason  string `json:"reason"`
	}
}

type directoryBackInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type accuracyInput struct {
	From string `query:"from" required:"true" doc:"RFC 3339."`
	To   string `query:"to" required:"true" doc:"RFC 3339."`
}

type accuracyOutput struct{ Body web.List[Accuracy] }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	readers, manager := access.Require(PermView, PermManage), access.Require(PermManage)
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/dispatch-suggestions", Summary: "按目录建议承办单位", Tag: tag, Access: readers,
	}.Huma(), func(ctx context.Context, in *suggestInput) (*suggestOutput, error) {
		v, err := s.Suggest(ctx, access.From(ctx), Query(*in))
		return &suggestOutput{v}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/dispatch-explanations", Summary: "解释以往派单：当时有效的目录", Tag: tag, Access: readers,
	}.Huma(), func(ctx context.Context, in *explainInput) (*suggestOutput, error) {
		at, err := text.Moment("at", in.At)
		if err != nil {
			return nil, err
		}
		v, err := s.Explain(ctx, access.From(ctx), Query{in.Type, in.Area, in.Text}, at)
		return &suggestOutput{v}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/directory", Summary: "派单目录、缺口和冲突", Tag: tag, Access: readers,
	}.Huma(), func(ctx context.Context, _ *struct{}) (*boardOutput, error) {
		b, err := s.Board(ctx, access.From(ctx))
		return &boardOutput{b}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/directory/{id}", Summary: "目录项和它的版本", Tag: tag, Access: readers,
	}.Huma(), func(ctx context.Context, in *lineInput) (*lineOutput, error) {
		return output(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/directory", Summary: "设置目录项的新版本", Tag: tag, Access: manager,
	}.Huma(), func(ctx context.Context, in *directorySetInput) (*lineOutput, error) {
		b := in.Body
		return output(s.Set(ctx, access.From(ctx), Set{in.Key, b.Matter, b.Area, b.LeadID, b.HelperIDs, b.ValidFrom, b.Reason, b.Basis, b.Version}))
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/directory/{id}/end", Summary: "终止目录项", Tag: tag, Access: manager,
	}.Huma(), func(ctx context.Context, in *directoryEndInput) (*lineOutput, error) {
		return output(s.End(ctx, access.From(ctx), End{in.ID, in.Body.Version, in.Body.ValidTo, in.Body.Reason}))
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/directory/{id}/take-back", Summary: "撤回未生效的调整", Tag: tag, Access: manager,
	}.Huma(), func(ctx context.Context, in *directoryBackInput) (*lineOutput, error) {
		return output(s.TakeBack(ctx, access.From(ctx), in.ID, in.Body.Version))
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/directory-accuracy", Summary: "目录准确率：采纳与退回", Tag: tag, Access: readers,
	}.Huma(), func(ctx context.Context, in *accuracyInput) (*accuracyOutput, error) {
		var span [2]time.Time
		for i, given := range []struct{ field, value string }{{"from", in.From}, {"to", in.To}} {
			at, err := text.Moment(given.field, given.value)
			if err != nil {
				return nil, err
			}
			span[i] = at
		}
		items, err := s.Accuracy(ctx, access.From(ctx), span[0], span[1])
		return &accuracyOutput{web.NewList(items, "")}, err
	})
}

func output(v LineView, err error) (*lineOutput, error) {
	if err != nil {
		return nil, err
	}
	return &lineOutput{Body: v}, nil
}
