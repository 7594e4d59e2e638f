package catalog_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// standIns lends rights to people by their id.
type standIns map[int64]access.Lent

func (s standIns) Lent(_ context.Context, _ bun.IDB, actor access.Actor) (access.Lent, error) {
	return s[actor.UserID], nil
}

func TestColleagueReviewsProductsWhileOnLeave(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	lent := standIns{}
	f.Deputies = lent
	colleague := reviewer(71, "赵强")
	waiting := func(who access.Actor) int {
		t.Helper()
		list, _, err := f.List(ctx, who, catalog.ListFilter{Waiting: true})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	pass := func(who access.Actor, v catalog.View) (catalog.View, error) {
		return f.Pass(ctx, who, catalog.PassProduct{Ref: ref(v)})
	}
	v := f.mustSubmit(t, banker, loan())
	if _, err := pass(colleague, v); !errors.Is(err, fault.ErrForbidden) || waiting(colleague) != 0 {
		t.Fatal("without a delegation:", err)
	}
	lent[colleague.UserID] = access.Lent{catalog.PermReviewPlatform: {ID: first.UserID, Name: first.Name}}
	if seen := must(f.Get(ctx, colleague, v.ID))(t); seen.InNameOf != first.Name || waiting(colleague) != 1 {
		t.Fatalf("%+v", seen)
	}
	if list, err := f.Reasons(ctx, colleague); err != nil || len(list) == 0 {
		t.Error(list, err)
	}
	v, err := pass(colleague, v)
	if err != nil || v.Status != catalog.GovernmentReview {
		t.Fatalf("%+v %v", v, err)
	}
	if step := v.Timeline[len(v.Timeline)-1]; step.Actor != "赵强（受初审赵委托）" {
		t.Errorf("%+v", step)
	}
	var by []string
	if err := f.db.Read().NewSelect().Table("audit_entries").Column("actor_name").Where("action = 'product.pass'").Scan(ctx, &by); err != nil || strings.Join(by, "") != "赵强（受初审赵委托）" {
		t.Error(by, err)
	}
	// Neither of the two who did the first review does the second, whoever they act for; nor does who acts for one of them.
	lent[colleague.UserID] = access.Lent{catalog.PermReviewGovernment: {ID: second.UserID, Name: second.Name}}
	owner := reviewer(first.UserID, first.Name, catalog.PermReviewPlatform, catalog.PermReviewGovernment)
	lent[72] = access.Lent{catalog.PermReviewGovernment: {ID: first.UserID, Name: first.Name}}
	for what, who := range map[string]access.Actor{"who did the first": colleague, "in whose name it was done": owner, "in the name of whom it was done for": reviewer(72, "周")} {
		if _, err := pass(who, v); !errors.Is(err, catalog.ErrSamePerson) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if seen := must(f.Get(ctx, colleague, v.ID))(t); seen.Blocked == "" || seen.InNameOf != "" {
		t.Errorf("%+v", seen)
	}
	if seen := must(f.Get(ctx, reviewer(72, "周"), v.ID))(t); seen.Blocked == "" {
		t.Errorf("%+v", seen)
	}
	lent[73] = access.Lent{catalog.PermReviewGovernment: {ID: second.UserID, Name: second.Name}}
	if v, err = pass(reviewer(73, "吴"), v); err != nil || v.Status != catalog.Public {
		t.Fatalf("%+v %v", v, err)
	}
	// A review is lent, nothing else that goes by the same right.
	lent[colleague.UserID] = access.Lent{catalog.PermReviewPlatform: {ID: first.UserID, Name: first.Name}}
	if _, err := f.Recommend(ctx, colleague, catalog.RecommendProduct{Ref: ref(v), On: true}); !errors.Is(err, fault.ErrForbidden) {
		t.Error("recommended:", err)
	}
	for _, a := range must(f.Get(ctx, colleague, v.ID))(t).Actions {
		t.Error("offered:", a)
	}
	// Its own product: an operator of the institution never reviews, whatever is lent.
	lent[banker.UserID] = lent[colleague.UserID]
	own := f.mustSubmit(t, banker, service())
	if _, err := pass(banker, own); !errors.Is(err, fault.ErrForbidden) {
		t.Error("an institution's own:", err)
	}
	// The delegation ends while the page is open.
	delete(lent, colleague.UserID)
	if _, err := pass(colleague, own); !errors.Is(err, fault.ErrForbidden) {
		t.Error("after it ended:", err)
	}
}

func TestColleaguePassesABatchWhileOnLeave(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	colleague := reviewer(71, "赵强")
	f.Deputies = standIns{71: {catalog.PermReviewPlatform: {ID: first.UserID, Name: first.Name}}}
	var refs []catalog.Ref
	for _, name := range []string{"合同体检一", "合同体检二"} {
		c := service()
		c.Name = name
		refs = append(refs, ref(f.mustSubmit(t, lawyer, c)))
	}
	b := must(f.OpenBatch(ctx, colleague, catalog.OpenBatch{Products: refs}))(t)
	for _, i := range b.Items {
		b = must(f.CheckBatch(ctx, colleague, catalog.CheckBatch{ID: b.ID, ProductID: i.ProductID, Fine: true}))(t)
	}
	b = must(f.PassBatch(ctx, colleague, b.ID))(t)
	for _, i := range b.Items {
		if !i.Passed {
			t.Errorf("%+v", i)
		}
	}
}
