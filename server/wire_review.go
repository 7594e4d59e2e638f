package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/hint"
)

var (
	_ enterprise.Reasons  = (*review.Service)(nil)
	_ institution.Reasons = (*review.Service)(nil)
	_ hint.Reviews        = (*review.Service)(nil)

	_ identity.Deputies    = (*review.Service)(nil)
	_ enterprise.Deputies  = (*review.Service)(nil)
	_ catalog.Deputies     = (*review.Service)(nil)
	_ institution.Deputies = (*review.Service)(nil)
)

// reviewers tells who reviews.
type reviewers struct{ *house }

// Holding lists the staff of the whole district who hold a right.
func (r reviewers) Holding(ctx context.Context, db bun.IDB, right access.Permission) ([]review.Colleague, error) {
	list, err := r.identity.DistrictStaff(ctx, db, right)
	out := make([]review.Colleague, 0, len(list))
	for _, n := range list {
		out = append(out, review.Colleague{ID: n.ID, Name: n.Name})
	}
	return out, err
}

// newReviews makes the keeper of the ready reasons with which reviewers send things back, and of who reviews for a colleague.
func (h *house) newReviews(p parts) *review.Service {
	return review.New(review.Deps{DB: h.db, Clock: p.clock, Lists: []review.List{
		{Key: enterprise.ReasonsOfClaims, Title: "企业认证", First: enterprise.FirstReasons(enterprise.ReasonsOfClaims)},
		{Key: enterprise.ReasonsOfChanges, Title: "企业变更登记", First: enterprise.FirstReasons(enterprise.ReasonsOfChanges)},
		{Key: institution.ReasonsOfApplications, Title: "机构入驻", First: institution.FirstReasons()},
		{Key: catalog.ReasonsOfProducts, Title: "产品审核", First: catalog.FirstReasons()},
		{Key: application.ReasonsOfDeclining, Title: "产品申请", First: application.FirstReasons()},
		{Key: demand.ReasonsOfDemands, Title: "企业需求", First: demand.FirstReasons()},
	}, Staff: reviewers{h}, Works: []review.Work{
		{Right: enterprise.PermReview, View: enterprise.PermView, Title: "企业认证和变更审核"},
		{Right: institution.PermReview, View: institution.PermView, Title: "机构入驻初审和证照更新审核"},
		{Right: institution.PermApprove, View: institution.PermView, Title: "机构入驻终审"},
		{Right: catalog.PermReviewPlatform, View: catalog.PermView, Title: "产品初审"},
		{Right: catalog.PermReviewGovernment, View: catalog.PermView, Title: "产品终审"},
	}, Hinted: hinted()})
}

// ensureReasons brings the reasons an installation begins with.
func (h *house) ensureReasons(ctx context.Context) error {
	return h.reviews.Ensure(ctx, access.SystemActor("seed"))
}

// ofDelegation tells who stands in for a colleague, and the colleague when somebody else arranged or ended it.
func (n notices) ofDelegation(_ context.Context, _ bun.Tx, e event.Event) ([]message.Notice, error) {
	var f review.Delegated
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, UserID: f.UserID, Link: "/review-delegations", Params: map[string]string{"name": f.Name, "kind": f.Works, "reason": f.Reason}}
	told := []message.Notice{notice}
	if f.ByID != f.FromID {
		notice.UserID = f.FromID
		told = append(told, notice)
	}
	return told, nil
}
