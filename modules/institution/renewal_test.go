package institution_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// keeper hands papers in for institution n.
func keeper(n int64) access.Actor {
	return person(50+n, "管理员", access.Institution, n, institution.PermPapers)
}

func (f fixture) mustHandIn(t *testing.T, who access.Actor, replaces, no string) institution.RenewalView {
	t.Helper()
	v, err := f.HandIn(context.Background(), who, institution.HandIn{Replaces: replaces, Paper: institution.Licence{Name: "金融许可证", No: no, To: "2029-12-31"}, FileIDs: []int64{who.UserID * 100}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestAPaperIsRenewed: what an institution hands in counts once a reviewer has passed it, in the place of the old one.
func TestAPaperIsRenewed(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	d := bank(1)
	d.Qualifications = []institution.Licence{{Name: "金融许可证", No: "旧号", To: "2026-12-31"}, {Name: "营业执照", No: "执照"}}
	one, err := f.Open(ctx, manager, institution.OpenInstitution{Details: d})
	if err != nil {
		t.Fatal(err)
	}
	two := f.mustOpen(t, 2)
	who := keeper(one.ID)
	for name, cmd := range map[string]institution.HandIn{
		"name no fileIds": {Paper: institution.Licence{}},
		"to":              {Paper: institution.Licence{Name: "许可证", No: "新号", To: "2026-01-01"}, FileIDs: []int64{1}},
	} {
		if _, err := f.HandIn(ctx, who, cmd); fieldsOf(err) != name {
			t.Errorf("want %q: %v", name, fieldsOf(err))
		}
	}
	paper := institution.Licence{Name: "金融许可证", No: "新号", To: "2029-12-31"}
	if _, err := f.HandIn(ctx, who, institution.HandIn{Replaces: "没有", Paper: paper, FileIDs: []int64{who.UserID * 100}}); !errors.Is(err, institution.ErrNoPaper) {
		t.Errorf("in the place of nothing: %v", err)
	}
	if _, err := f.HandIn(ctx, who, institution.HandIn{Replaces: "旧号", Paper: paper, FileIDs: []int64{9900}}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a file of somebody else: %v", err)
	}
	v := f.mustHandIn(t, who, "旧号", "新号")
	if len(v.Files) != 1 || !v.MayTake || v.MayDecide {
		t.Errorf("%+v", v)
	}
	if _, err := f.HandIn(ctx, who, institution.HandIn{Replaces: "旧号", Paper: paper, FileIDs: []int64{who.UserID*100 + 1}}); !errors.Is(err, institution.ErrRenewalOpen) {
		t.Errorf("a second one: %v", err)
	}
	for name, other := range map[string]access.Actor{"another institution": keeper(two.ID), "an operator without the right": operator(one.ID), "company": baker} {
		if _, err := f.PassRenewal(ctx, other, institution.PassRenewal{Ref: institution.Ref{ID: v.ID, Version: 1}}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s passes: %v", name, err)
		}
	}
	if _, err := f.WithdrawRenewal(ctx, keeper(two.ID), institution.WithdrawRenewal{Ref: institution.Ref{ID: v.ID, Version: 1}}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another institution takes it back: %v", err)
	}
	if list, _, err := f.Renewals(ctx, keeper(two.ID), "", "", 0); err != nil || len(list) != 0 {
		t.Errorf("another institution lists %+v %v", list, err)
	}
	if err := f.SeesRenewal(ctx, keeper(two.ID), v.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another institution sees the picture: %v", err)
	}
	back, err := f.ReturnRenewal(ctx, reviewer, institution.ReturnRenewal{Ref: institution.Ref{ID: v.ID, Version: 1}, Reason: "照片不清晰，请重新拍摄"})
	if err != nil || back.State != institution.Returned {
		t.Fatalf("%+v %v", back, err)
	}
	if seen, err := f.Renewal(ctx, who, v.ID); err != nil || seen.Reason == "" || seen.Reviewer != "" {
		t.Errorf("%+v %v", seen, err)
	}
	v = f.mustHandIn(t, who, "旧号", "新号")
	if passed, err := f.PassRenewal(ctx, reviewer, institution.PassRenewal{Ref: institution.Ref{ID: v.ID, Version: 1}}); err != nil || passed.State != institution.Approved {
		t.Fatalf("%+v %v", passed, err)
	}
	now, err := f.Get(ctx, manager, one.ID)
	if err != nil || len(now.Qualifications) != 2 || now.Qualifications[0] != paper || now.Version != one.Version+1 {
		t.Errorf("%+v %v", now, err)
	}
	more := f.mustHandIn(t, who, "", "另一份")
	if _, err := f.PassRenewal(ctx, reviewer, institution.PassRenewal{Ref: institution.Ref{ID: more.ID, Version: 1}}); err != nil {
		t.Fatal(err)
	}
	if now, err := f.Get(ctx, manager, one.ID); err != nil || len(now.Qualifications) != 3 {
		t.Errorf("%+v %v", now, err)
	}
	if list, next, err := f.Renewals(ctx, reviewer, institution.Approved, "", 1); err != nil || len(list) != 1 || next == "" || list[0].InstitutionName != one.Name {
		t.Errorf("%+v %q %v", list, next, err)
	}
}

// TestTakingARenewalBackRacesTheReview: of both at once one is heard, and the qualifications follow it.
func TestTakingARenewalBackRacesTheReview(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	one := f.mustOpen(t, 1)
	who := keeper(one.ID)
	v := f.mustHandIn(t, who, "", "新号")
	ref := institution.Ref{ID: v.ID, Version: 1}
	var wg sync.WaitGroup
	var done atomic.Int32
	for n := range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var err error
			if n%2 == 0 {
				_, err = f.WithdrawRenewal(ctx, who, institution.WithdrawRenewal{Ref: ref})
			} else {
				_, err = f.PassRenewal(ctx, reviewer, institution.PassRenewal{Ref: ref})
			}
			if err == nil {
				done.Add(1)
			} else if fault.KindOf(err) != fault.Conflict {
				t.Errorf("%d: %v", n, err)
			}
		}()
	}
	wg.Wait()
	end, err := f.Renewal(ctx, who, v.ID)
	if err != nil || done.Load() != 1 {
		t.Fatalf("%d were heard, %v", done.Load(), err)
	}
	now, err := f.Get(ctx, manager, one.ID)
	if err != nil || (end.State == institution.Approved) != (len(now.Qualifications) > len(one.Qualifications)) {
		t.Errorf("%s and %+v %v", end.State, now.Qualifications, err)
	}
}

func (f fixture) undoRenewal(who access.Actor, v institution.RenewalView) (institution.RenewalView, error) {
	return f.UndoRenewal(context.Background(), who, institution.UndoRenewal{Ref: institution.Ref{ID: v.ID, Version: v.Version}, Reason: "看错了有效期"})
}

// TestRenewalsAreUndoneByGradedAuthority: what was passed or sent back waits again, and the old paper counts again.
func TestRenewalsAreUndoneByGradedAuthority(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	d := bank(1)
	old := institution.Licence{Name: "金融许可证", No: "旧号", To: "2026-12-31"}
	d.Qualifications = []institution.Licence{old, {Name: "营业执照", No: "执照"}}
	one, err := f.Open(ctx, manager, institution.OpenInstitution{Details: d})
	if err != nil {
		t.Fatal(err)
	}
	two := f.mustOpen(t, 2)
	who := keeper(one.ID)
	pass := func(v institution.RenewalView) institution.RenewalView {
		t.Helper()
		v, err := f.PassRenewal(ctx, reviewer, institution.PassRenewal{Ref: institution.Ref{ID: v.ID, Version: v.Version}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	papers := func() []institution.Licence {
		t.Helper()
		now, err := f.Get(ctx, manager, one.ID)
		if err != nil {
			t.Fatal(err)
		}
		return now.Qualifications
	}
	v := f.mustHandIn(t, who, "旧号", "新号")
	if _, err := f.undoRenewal(overseer, v); !errors.Is(err, institution.ErrUndo) {
		t.Error("nothing was decided yet:", err)
	}
	v = pass(v)
	for name, c := range map[string]struct {
		who  access.Actor
		kind fault.Kind
	}{"another reviewer": {reviewer2, fault.Conflict}, "the institution": {who, fault.Forbidden}, "another institution": {keeper(two.ID), fault.NotFound}, "a company": {baker, fault.NotFound}, "nobody": {access.Actor{}, fault.Unauthorized}} {
		if _, err := f.undoRenewal(c.who, v); fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v.Undo == nil || v.Undo.Label != "通过证照更新" {
		t.Errorf("the reviewer is offered %+v", v.Undo)
	}
	if v, err = f.undoRenewal(reviewer, v); err != nil || v.State != institution.Waiting || v.Undo != nil || !v.MayDecide || v.DecidedAt != nil {
		t.Fatalf("%+v %v", v, err)
	}
	if got := papers(); len(got) != 2 || got[0] != old {
		t.Errorf("the old paper does not count again: %+v", got)
	}
	// Sent back, and taken back later by who oversees.
	v, err = f.ReturnRenewal(ctx, reviewer, institution.ReturnRenewal{Ref: institution.Ref{ID: v.ID, Version: v.Version}, Reason: "照片不清晰，请重新拍摄"})
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(31 * time.Minute)
	if _, err := f.undoRenewal(reviewer, v); !errors.Is(err, institution.ErrUndo) {
		t.Error("after half an hour:", err)
	}
	if v, err = f.undoRenewal(overseer, v); err != nil || v.State != institution.Waiting || v.Reason != "" {
		t.Fatalf("%+v %v", v, err)
	}
	// What went on is not undone: the next paper waits, or stands in the place of this one.
	v = pass(v)
	next := f.mustHandIn(t, who, "新号", "再新号")
	if _, err := f.undoRenewal(reviewer, v); !errors.Is(err, institution.ErrUndo) {
		t.Error("the next one waits:", err)
	}
	next = pass(next)
	if _, err := f.undoRenewal(reviewer, v); !errors.Is(err, institution.ErrUndo) {
		t.Error("the next one counts:", err)
	}
	if seen, err := f.Renewal(ctx, reviewer, v.ID); err != nil || seen.Undo != nil {
		t.Errorf("it is offered all the same: %+v %v", seen.Undo, err)
	}
	if next, err = f.undoRenewal(reviewer, next); err != nil || papers()[0].No != "新号" {
		t.Errorf("%+v %+v %v", next, papers(), err)
	}
	// One more paper goes away again; sent back and handed in anew, the old one does not come back.
	more := pass(f.mustHandIn(t, who, "", "另一份"))
	if _, err = f.undoRenewal(reviewer, more); err != nil || len(papers()) != 2 {
		t.Errorf("%+v %v", papers(), err)
	}
	next, err = f.ReturnRenewal(ctx, reviewer, institution.ReturnRenewal{Ref: institution.Ref{ID: next.ID, Version: next.Version}, Reason: "照片不清晰，请重新拍摄"})
	if err != nil {
		t.Fatal(err)
	}
	f.mustHandIn(t, who, "新号", "再新号")
	if _, err := f.undoRenewal(reviewer, next); !errors.Is(err, institution.ErrUndo) {
		t.Error("it was handed in anew:", err)
	}
}

// TestUndoingARenewalIsOne: of twenty who undo at once one is heard.
func TestUndoingARenewalIsOne(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	one := f.mustOpen(t, 1)
	v := f.mustHandIn(t, keeper(one.ID), "", "新号")
	v, err := f.PassRenewal(ctx, reviewer, institution.PassRenewal{Ref: institution.Ref{ID: v.ID, Version: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var done atomic.Int32
	for range 20 {
		wg.Go(func() {
			if _, err := f.undoRenewal(reviewer, v); err == nil {
				done.Add(1)
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	now, err := f.Get(ctx, manager, one.ID)
	if err != nil || done.Load() != 1 || len(now.Qualifications) != len(one.Qualifications) {
		t.Errorf("%d were heard, %+v %v", done.Load(), now.Qualifications, err)
	}
}
