package enterprise_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

var overseer = access.Actor{UserID: 61, Name: "运营主管", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermUndo, enterprise.PermView}}

func (f fixture) undoReview(who access.Actor, v enterprise.AttemptView) (enterprise.AttemptView, error) {
	return f.UndoReview(context.Background(), who, enterprise.UndoReview{Decide: enterprise.Decide{ID: v.ID, Version: v.Version}, Reason: "看错了执照"})
}

func decideOn(v enterprise.AttemptView) enterprise.Decide {
	return enterprise.Decide{ID: v.ID, Version: v.Version}
}

func TestReviewsAreUndoneByGradedAuthority(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var relied []string
	f := mustNew(t, func(d *enterprise.Deps) {
		d.Registry = nil
		d.Followed = func(context.Context, bun.IDB, int64, time.Time) ([]string, error) { return relied, nil }
	})
	a := f.mustOpen(t, 7, "麦香")
	v, err := f.Apply(ctx, a, enterprise.ApplyForReview{Claim: claim(), FileIDs: []int64{701}})
	if err != nil {
		t.Fatal(err)
	}
	one, other := reviewer(50), reviewer(52)
	if _, err := f.undoReview(overseer, v); !errors.Is(err, enterprise.ErrUndo) {
		t.Error("nothing was decided yet:", err)
	}
	if v, err = f.Approve(ctx, one, enterprise.ApproveReview{Decide: decideOn(v)}); err != nil || !v.MayUndo || v.Verification != enterprise.Verified {
		t.Fatalf("%+v %v", v, err)
	}
	for who, want := range map[*access.Actor]error{&other: enterprise.ErrUndo, &a: fault.ErrForbidden, {}: fault.ErrUnauthorized} {
		if _, err := f.undoReview(*who, v); !errors.Is(err, want) && fault.KindOf(err) != fault.KindOf(want) {
			t.Errorf("%d: %v", who.UserID, err)
		}
	}
	relied = []string{"1 件产品申请"}
	if _, err := f.undoReview(one, v); !errors.Is(err, enterprise.ErrUndo) || !strings.Contains(err.Error(), "1 件产品申请") {
		t.Error("somebody relied on it:", err)
	}
	relied = nil
	v, err = f.undoReview(one, v)
	if err != nil || v.Outcome != enterprise.Waiting || v.Verification != enterprise.Pending || v.DueAt == nil || v.ReviewerName != "" || v.MayUndo {
		t.Fatalf("%+v %v", v, err)
	}
	if mine, err := f.Mine(ctx, a); err != nil || mine.Verification != enterprise.Pending || mine.CreditCode != "" || mine.Name != "麦香" {
		t.Fatalf("the company is not what it was: %+v %v", mine, err)
	}
	if _, err := f.undoReview(one, v); !errors.Is(err, enterprise.ErrUndo) {
		t.Error("undone twice:", err)
	}
	// Sent back, and taken back later by who oversees.
	if v, err = f.Return(ctx, one, enterprise.ReturnReview{Decide: decideOn(v), Code: "unclear"}); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(31 * time.Minute)
	if _, err := f.undoReview(one, v); !errors.Is(err, enterprise.ErrUndo) {
		t.Error("after half an hour:", err)
	}
	if list, _, err := f.Decisions(ctx, overseer, "", 0); err != nil || len(list) != 1 || !list[0].MayUndo {
		t.Errorf("%+v %v", list, err)
	}
	if _, _, err := f.Decisions(ctx, a, "", 0); !errors.Is(err, fault.ErrForbidden) {
		t.Error("a company reads the decisions:", err)
	}
	if v, err = f.undoReview(overseer, v); err != nil || v.Outcome != enterprise.Waiting || v.Reason != "" {
		t.Fatalf("%+v %v", v, err)
	}
	// The other reviewer decides it for good: the code is free to be verified.
	if v, err = f.Approve(ctx, other, enterprise.ApproveReview{Decide: decideOn(v)}); err != nil || v.Verification != enterprise.Verified || v.CreditCode != claim().CreditCode {
		t.Fatalf("%+v %v", v, err)
	}
}

func TestUndoingRacesTheCompany(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t, func(d *enterprise.Deps) { d.Registry = nil })
	a := f.mustOpen(t, 7, "麦香")
	v, err := f.Apply(ctx, a, enterprise.ApplyForReview{Claim: claim(), FileIDs: []int64{701}})
	if err != nil {
		t.Fatal(err)
	}
	if v, err = f.Return(ctx, reviewer(50), enterprise.ReturnReview{Decide: decideOn(v), Code: "unclear"}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var undone, again error
	wg.Go(func() { _, undone = f.undoReview(reviewer(50), v) })
	wg.Go(func() {
		_, again = f.Apply(ctx, a, enterprise.ApplyForReview{Key: "again", Claim: claim(), FileIDs: []int64{702}})
	})
	wg.Wait()
	queue, _, err := f.Reviews(ctx, reviewer(50), "", 0)
	if err != nil || len(queue) != 1 || (undone == nil) == (again == nil) {
		t.Errorf("undone: %v; sent again: %v; waiting: %d %v", undone, again, len(queue), err)
	}
}
