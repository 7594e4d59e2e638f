package catalog_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

var overseer = reviewer(61, "运营主管", catalog.PermUndo)

func (f fixture) undo(who access.Actor, v catalog.View) (catalog.View, error) {
	return f.Undo(context.Background(), who, catalog.UndoReview{Ref: ref(v), Reason: "看错了合同样本"})
}

func (f fixture) returned(t *testing.T, who access.Actor, v catalog.View) catalog.View {
	t.Helper()
	return must(f.Return(context.Background(), who, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"charges"}}))(t)
}

// found reports whether the public finds the product.
func (f fixture) found(t *testing.T) bool {
	t.Helper()
	hits, err := f.Search(context.Background(), nobody, "烘焙贷", 5)
	if err != nil {
		t.Fatal(err)
	}
	return len(hits) > 0
}

func TestDecisionsAreUndoneByGradedAuthority(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustSubmit(t, banker, loan())
	if _, err := f.undo(overseer, v); !errors.Is(err, catalog.ErrUndo) {
		t.Error("nothing was decided yet:", err)
	}
	v = f.mustPass(t, first, v)
	for who, want := range map[*access.Actor]error{&first2: catalog.ErrUndo, &second: catalog.ErrUndo, &banker: fault.ErrForbidden, &baker: fault.ErrForbidden, &nobody: fault.ErrUnauthorized} {
		if _, err := f.undo(*who, v); !errors.Is(err, want) {
			t.Errorf("%s: %v", who.Name, err)
		}
	}
	if seen := must(f.Get(ctx, first, v.ID))(t); seen.Undo == nil || seen.Undo.Label != "初审通过" {
		t.Errorf("%+v", seen.Undo)
	}
	if seen := must(f.Get(ctx, second, v.ID))(t); seen.Undo != nil {
		t.Errorf("offered to another: %+v", seen.Undo)
	}
	f.clock.Advance(20 * time.Minute)
	back := must(f.undo(first, v))(t)
	if back.Status != catalog.PlatformReview || back.DueAt == nil || back.Undo != nil {
		t.Fatalf("%+v", back)
	}
	if _, err := f.undo(first, back); !errors.Is(err, catalog.ErrUndo) {
		t.Error("undone twice:", err)
	}
	if step := must(f.Get(ctx, banker, v.ID))(t).Timeline; step[len(step)-1].Label != "撤销“初审通过”" || step[len(step)-1].Text != "看错了合同样本" || step[len(step)-1].Actor != "" {
		t.Errorf("the institution reads %+v", step[len(step)-1])
	}
	// Who did the first review that was undone does it again, or another; the second is still somebody else's.
	v = f.mustPass(t, first, back)
	f.clock.Advance(31 * time.Minute)
	if _, err := f.undo(first, v); !errors.Is(err, catalog.ErrUndo) {
		t.Error("after half an hour:", err)
	}
	v = f.returned(t, second, must(f.Get(ctx, second, v.ID))(t))
	v = must(f.undo(overseer, must(f.Get(ctx, overseer, v.ID))(t)))(t)
	if v.Status != catalog.GovernmentReview || v.Reason != "" {
		t.Fatalf("%+v", v)
	}
	if _, err := f.Pass(ctx, reviewer(first.UserID, first.Name, catalog.PermReviewGovernment), catalog.PassProduct{Ref: ref(v)}); !errors.Is(err, catalog.ErrSamePerson) {
		t.Error("the first review is forgotten:", err)
	}
	// The institution that went on leaves nothing to undo.
	v = f.returned(t, second, v)
	v = must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
	if _, err := f.undo(overseer, v); !errors.Is(err, catalog.ErrUndo) {
		t.Error("the institution has sent it again:", err)
	}
}

func TestListingIsUndoneWhole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	applied := 0
	f.Applied = func(_ context.Context, _ bun.IDB, _, edition int64) (int, error) {
		if edition == 2 {
			return applied, nil
		}
		return 0, nil
	}
	v := f.mustPass(t, second, f.mustPass(t, first, f.mustSubmit(t, banker, loan())))
	if v.Status != catalog.Public || !f.found(t) {
		t.Fatalf("%+v", v)
	}
	v = must(f.undo(second, v))(t)
	if v.Status != catalog.GovernmentReview || v.Shown != 0 || v.ListedAt != nil || f.found(t) {
		t.Fatalf("still public: %+v", v)
	}
	v = f.mustPass(t, second, v)
	listed := *v.ListedAt
	f.clock.Advance(time.Hour)
	// The next edition replaces it; undone, the first is public again as it was.
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
	c := loan()
	c.Summary = "第二版的摘要"
	v = must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: c}))(t)
	v = must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
	v = f.mustPass(t, second, f.mustPass(t, first, v))
	if v.Shown != 2 {
		t.Fatalf("%+v", v)
	}
	applied = 3
	if _, err := f.undo(second, v); !errors.Is(err, catalog.ErrUndo) || must(f.Get(ctx, second, v.ID))(t).Undo != nil {
		t.Error("companies have applied:", err)
	}
	applied = 0
	v = must(f.undo(second, v))(t)
	if v.Status != catalog.GovernmentReview || v.Shown != 1 || v.ListedAt == nil || !v.ListedAt.Equal(listed) || v.Public == nil || v.Public.Summary != loan().Summary || v.Editions[1].Status != catalog.Public {
		t.Fatalf("%+v", v)
	}
	if !f.found(t) {
		t.Error("the first edition is not found")
	}
	if v = f.mustPass(t, second, v); v.Shown != 2 || v.Editions[1].Status != catalog.Replaced {
		t.Fatalf("%+v", v)
	}
}

func TestUndoingRacesTheNextStep(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.returned(t, first, f.mustSubmit(t, banker, loan()))
	mine := must(f.Get(ctx, banker, v.ID))(t)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			if i%2 == 0 {
				_, errs[i] = f.undo(first, v)
			} else {
				_, errs[i] = f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(mine)})
			}
		})
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if fault.KindOf(err) != fault.Conflict {
			t.Error(err)
		}
	}
	if now := must(f.Get(ctx, first, v.ID))(t); done != 1 || now.Status != catalog.PlatformReview || now.Version != v.Version+1 {
		t.Errorf("%d outcomes: %+v", done, now)
	}
}
