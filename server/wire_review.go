package server

import (
	"context"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/platform/access"
)

var (
	_ enterprise.Reasons  = (*review.Service)(nil)
	_ institution.Reasons = (*review.Service)(nil)
)

// newReviews makes the keeper of the ready reasons with which reviewers send things back.
func (h *house) newReviews(p parts) *review.Service {
	return review.New(review.Deps{DB: h.db, Clock: p.clock, Lists: []review.List{
		{Key: enterprise.ReasonsOfClaims, Title: "企业认证", First: enterprise.FirstReasons(enterprise.ReasonsOfClaims)},
		{Key: enterprise.ReasonsOfChanges, Title: "企业变更登记", First: enterprise.FirstReasons(enterprise.ReasonsOfChanges)},
		{Key: institution.ReasonsOfApplications, Title: "机构入驻", First: institution.FirstReasons()},
		{Key: catalog.ReasonsOfProducts, Title: "产品审核", First: catalog.FirstReasons()},
		{Key: application.ReasonsOfDeclining, Title: "产品申请", First: application.FirstReasons()},
		{Key: demand.ReasonsOfDemands, Title: "企业需求", First: demand.FirstReasons()},
	}})
}

// ensureReasons brings the reasons an installation begins with.
func (h *house) ensureReasons(ctx context.Context) error {
	return h.reviews.Ensure(ctx, access.SystemActor("seed"))
}
