package consent

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "数据授权"

type (
	mineOutput     struct{ Body Mine }
	askedOutput    struct{ Body Asked }
	accessesOutput struct{ Body web.List[AccessView] }
	grantsOutput   struct{ Body web.List[GrantView] }
	textsOutput    struct{ Body web.List[TextView] }
	textOutput     struct{ Body TextView }
	basesOutput    struct{ Body web.List[BasisView] }
	basisOutput    struct{ Body BasisView }
	wordsOutput    struct{ Body Words }
	offersOutput   struct{ Body web.List[Named] }
)

type consentGiveInput struct {
	web.Keyed
	Purpose string `path:"purpose" maxLength:"40"`
	Body    struct {
		TextID int64  `json:"textId"`
		Digest string `json:"digest" maxLength:"64" doc:"Of the document the person read; another one in force is a conflict."`
	}
}

type consentRevokeInput struct {
	web.Keyed
	Purpose string `path:"purpose" maxLength:"40"`
	Body    struct {
		GrantID int64  `json:"grantId"`
		Reason  string `json:"reason,omitempty"`
	}
}

type consentPageInput struct{ web.Listing }

type consentCompanyInput struct {
	ID int64 `path:"id"`
}

type consentLogInput struct {
	web.Listing
	ID int64 `path:"id"`
}

type consentGrantsInput struct {
	web.Listing
	Purpose  string `query:"purpose" required:"true" maxLength:"40"`
	Standing string `query:"standing" maxLength:"20" doc:"holds, revoked, or empty for all."`
}

// TextBody is what a draft says.
type TextBody struct {
	Version  int64    `json:"version,omitempty" doc:"The one seen; 0 for a new draft."`
	Purpose  string   `json:"purpose"`
	Title    string   `json:"title"`
	Body     string   `json:"body"`
	Groups   []string `json:"groups" maxItems:"20"`
	Days     int      `json:"days,omitempty"`
	Material bool     `json:"material,omitempty"`
}

type consentDraftInput struct {
	web.Keyed
	Body TextBody
}

type consentEditInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body TextBody
}

type consentPublishInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		From    string `json:"from,omitempty" doc:"A day as 2026-12-01; empty: at once."`
	}
}

type consentDiscardInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type consentBasisInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"40"`
	Body struct {
		Version  int64    `json:"version,omitempty" doc:"The one seen; 0 for a new basis."`
		Name     string   `json:"name"`
		Law      string   `json:"law"`
		Roles    []string `json:"roles" maxItems:"50"`
		Purposes []string `json:"purposes" maxItems:"20"`
		Groups   []string `json:"groups" maxItems:"20"`
		Active   bool     `json:"active"`
	}
}

type consentOffersInput struct {
	Purpose string `query:"purpose" required:"true" maxLength:"40"`
}

func (b TextBody) write(key string, id int64) Write {
	return Write{key, id, b.Version, b.Purpose, b.Title, b.Body, b.Groups, b.Days, b.Material}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	registerOwn(api, s)
	op := func(method, path, summary string, need ...access.Permission) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(need...)}.Huma()
	}
	any := []access.Permission{PermView, PermEdit, PermPublish}
	huma.Register(api, op("GET", "/api/consent-words", "数据用途、范围和角色", any...), func(ctx context.Context, _ *struct{}) (*wordsOutput, error) {
		v, err := s.Words(ctx, access.From(ctx))
		return &wordsOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/consent-texts", "授权书各版本", any...), func(ctx context.Context, _ *struct{}) (*textsOutput, error) {
		list, err := s.Texts(ctx, access.From(ctx))
		return &textsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("POST", "/api/consent-texts", "起草授权书", PermEdit), func(ctx context.Context, in *consentDraftInput) (*textOutput, error) {
		v, err := s.Write(ctx, access.From(ctx), in.Body.write(in.Key, 0))
		return &textOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/consent-texts/{id}", "修改授权书草稿", PermEdit), func(ctx context.Context, in *consentEditInput) (*textOutput, error) {
		v, err := s.Write(ctx, access.From(ctx), in.Body.write(in.Key, in.ID))
		return &textOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/consent-texts/{id}/publish", "发布授权书", PermPublish), func(ctx context.Context, in *consentPublishInput) (*textOutput, error) {
		v, err := s.Publish(ctx, access.From(ctx), Publish{in.Key, in.ID, in.Body.Version, in.Body.From})
		return &textOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/consent-texts/{id}/discard", "作废授权书草稿", PermEdit), func(ctx context.Context, in *consentDiscardInput) (*struct{}, error) {
		return nil, s.Discard(ctx, access.From(ctx), in.ID, in.Body.Version)
	})
	huma.Register(api, op("GET", "/api/consent-bases", "查阅依据", any...), func(ctx context.Context, _ *struct{}) (*basesOutput, error) {
		list, err := s.Bases(ctx, access.From(ctx))
		return &basesOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("POST", "/api/consent-bases/{code}", "维护查阅依据", PermPublish), func(ctx context.Context, in *consentBasisInput) (*basisOutput, error) {
		b := in.Body
		v, err := s.Declare(ctx, access.From(ctx), Declare{in.Key, in.Code, b.Version, b.Name, b.Law, b.Roles, b.Purposes, b.Groups, b.Active})
		return &basisOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/consents", "企业授权列表", PermView), func(ctx context.Context, in *consentGrantsInput) (*grantsOutput, error) {
		list, next, err := s.Grants(ctx, access.From(ctx), GrantFilter{in.Purpose, in.Standing, in.Cursor, in.Limit})
		return &grantsOutput{web.NewList(list, next)}, err
	})
	huma.Register(api, op("GET", "/api/enterprises/{id}/consents", "一家企业的数据授权", PermView), func(ctx context.Context, in *consentCompanyInput) (*mineOutput, error) {
		v, err := s.Of(ctx, access.From(ctx), in.ID)
		return &mineOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/enterprises/{id}/accesses", "一家企业的数据查阅记录", PermView), func(ctx context.Context, in *consentLogInput) (*accessesOutput, error) {
		list, next, err := s.Accesses(ctx, access.From(ctx), in.ID, in.Cursor, in.Limit)
		return &accessesOutput{web.NewList(list, next)}, err
	})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/consent-offers", Summary: "我可以选用的查阅依据", Tag: tag,
		Access: access.Only(access.Government, access.Platform, access.Institution)}.Huma(), func(ctx context.Context, in *consentOffersInput) (*offersOutput, error) {
		list, err := s.Offers(ctx, access.From(ctx), in.Purpose)
		return &offersOutput{web.NewList(list, "")}, err
	})
}

// registerOwn adds what a company's people do.
func registerOwn(api huma.API, s *Service) {
	own := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Only(access.Enterprise)}.Huma()
	}
	huma.Register(api, own("GET", "/api/my/consents", "本企业的数据授权"), func(ctx context.Context, _ *struct{}) (*mineOutput, error) {
		v, err := s.Mine(ctx, access.From(ctx))
		return &mineOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/consents/{purpose}/give", "同意数据授权书"), func(ctx context.Context, in *consentGiveInput) (*askedOutput, error) {
		v, err := s.Give(ctx, access.From(ctx), Give{Key: in.Key, Purpose: in.Purpose, TextID: in.Body.TextID, Digest: in.Body.Digest, Channel: OnH5})
		return &askedOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/consents/{purpose}/revoke", "撤回数据授权"), func(ctx context.Context, in *consentRevokeInput) (*askedOutput, error) {
		v, err := s.Revoke(ctx, access.From(ctx), Revoke{Key: in.Key, Purpose: in.Purpose, GrantID: in.Body.GrantID, Reason: in.Body.Reason, Channel: OnH5})
		return &askedOutput{v}, err
	})
	huma.Register(api, own("GET", "/api/my/consent-accesses", "谁查阅了本企业的数据"), func(ctx context.Context, in *consentPageInput) (*accessesOutput, error) {
		actor := access.From(ctx)
		list, next, err := s.Accesses(ctx, actor, actor.EnterpriseID, in.Cursor, in.Limit)
		return &accessesOutput{web.NewList(list, next)}, err
	})
}
