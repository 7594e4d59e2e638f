package policy

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// Readable tells what staff may read of a company they see, for matching. It returns fault.ErrNotFound for a company the
// actor does not see, and a fault that says what to do when the company has not agreed and basis, the code of a basis the
// reader claims, does not cover it. Each call is a reading in the company's log.
type Readable interface {
	FactsFor(ctx context.Context, actor access.Actor, enterpriseID int64, basis string) (criteria.Facts, error)
}

// MatchFor judges the policies for a company in the back office: the same answer the company gets, of the facts the reader
// may use. It needs policy.view, and returns what Readable returns.
func (s *Service) MatchFor(ctx context.Context, actor access.Actor, enterpriseID int64, q, basis string) (Result, error) {
	if err := actor.Need(PermView); err != nil {
		return Result{}, err
	}
	if actor.Party != access.Platform && actor.Party != access.Government || s.readable == nil {
		return Result{}, fault.ErrForbidden
	}
	facts, err := s.readable.FactsFor(ctx, actor, enterpriseID, basis)
	if err != nil {
		return Result{}, fmt.Errorf("match enterprise %d: %w", enterpriseID, err)
	}
	r, err := s.result(ctx, facts, q)
	if err != nil {
		return Result{}, err
	}
	r.Enterprise, err = s.enterprises.Name(ctx, s.db.Read(), enterpriseID)
	return r, err
}

type policyMatchForInput struct {
	ID    int64  `path:"id"`
	Q     string `query:"q" maxLength:"200"`
	Basis string `query:"basis" maxLength:"40" doc:"Code of the basis the reader claims where the company has not agreed."`
}

func registerMatchFor(api huma.API, s *Service) {
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/enterprises/{id}/policy-match", Summary: "为一家企业匹配政策（须有企业授权或依据）", Tag: tag, Access: access.Require(PermView),
	}.Huma(), func(ctx context.Context, in *policyMatchForInput) (*policyMatchOutput, error) {
		r, err := s.MatchFor(ctx, access.From(ctx), in.ID, in.Q, in.Basis)
		if err != nil {
			return nil, err
		}
		return &policyMatchOutput{Body: r}, nil
	})
}
