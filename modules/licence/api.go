package licence

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "证照"

type (
	shelfOutput   struct{ Body Shelf }
	licenceOutput struct{ Body View }
)

type licenceKeepInput struct {
	web.Keyed
	Body struct {
		Paper
		Replaces int64 `json:"replaces,omitempty" doc:"The current paper it takes the place of."`
		Version  int64 `json:"version,omitempty" doc:"Of that paper, as it was seen."`
	}
}

type licenceRemoveInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason,omitempty"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	own := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Only(access.Enterprise)}.Huma()
	}
	huma.Register(api, own("GET", "/api/my/licences", "本企业的证照库"), func(ctx context.Context, _ *struct{}) (*shelfOutput, error) {
		v, err := s.Mine(ctx, access.From(ctx))
		return &shelfOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/licences", "保存或更新证照"), func(ctx context.Context, in *licenceKeepInput) (*licenceOutput, error) {
		v, err := s.Keep(ctx, access.From(ctx), Keep{in.Key, in.Body.Paper, in.Body.Replaces, in.Body.Version})
		return &licenceOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/licences/{id}/remove", "移除证照"), func(ctx context.Context, in *licenceRemoveInput) (*licenceOutput, error) {
		v, err := s.Remove(ctx, access.From(ctx), Remove{in.Key, in.ID, in.Body.Version, in.Body.Reason})
		return &licenceOutput{v}, err
	})
}
