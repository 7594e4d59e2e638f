package institution_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

var overseer = person(61, "运营主管", access.Platform, 0, institution.PermView, institution.PermUndo)

func (f fixture) undo(who access.Actor, v institution.ApplicationView) (institution.ApplicationView, error) {
	return f.UndoReview(context.Background(), who, institution.UndoReview{Ref: at(v), Reason: "看错了许可证"})
}

func TestReviewsAreUndoneByGradedAuthority(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustSend(t, lawyer, lawFirm(311))
	if _, err := f.undo(overseer, v); !errors.Is(err, institution.ErrUndo) {
		t.Error("nothing was decided yet:", err)
	}
	v = f.mustCheck(t, v)
	for who, want := range map[*access.Actor]error{&reviewer2: institution.ErrUndo, &government: institution.ErrUndo, &lawyer: institution.ErrForbidden, &stranger: institution.ErrNotFound, {}: fault.ErrUnauthorized} {
		if _, err := f.undo(*who, v); !errors.Is(err, want) {
			t.Errorf("%s: %v", who.Name, err)
		}
	}
	if seen, err := f.Application(ctx, reviewer, v.ID); err != nil || seen.Undo == nil || seen.Undo.Label != "初审通过" {
		t.Errorf("%+v %v", seen.Undo, err)
	}
	v, err := f.undo(reviewer, v)
	if err != nil || v.State != institution.Waiting || v.DueAt == nil || v.Rounds[0].CheckedAt != nil || v.Rounds[0].Outcome != institution.Waiting || v.Undo != nil {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.undo(reviewer, v); !errors.Is(err, institution.ErrUndo) {
		t.Error("undone twice:", err)
	}
	own, err := f.Application(ctx, lawyer, v.ID)
	if last := own.Timeline[len(own.Timeline)-1]; err != nil || last.Label != "撤销“初审通过”" || last.Text != "看错了许可证" || last.Actor != "平台工作人员" {
		t.Errorf("the applicant reads %+v %v", last, err)
	}
	// Refused in the second review, taken back later by who oversees: it waits for the second review again, the first is known.
	v = f.mustCheck(t, v)
	v, err = f.RefuseApplication(ctx, government, institution.RefuseApplication{Ref: at(v), Reason: "不属于本区服务范围"})
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(31 * time.Minute)
	if _, err := f.undo(government, v); !errors.Is(err, institution.ErrUndo) {
		t.Error("after half an hour:", err)
	}
	v, err = f.undo(overseer, v)
	if err != nil || v.State != institution.Checked || v.Rounds[0].Reason != "" || v.Rounds[0].Checker != reviewer.Name {
		t.Fatalf("%+v %v", v, err)
	}
	both := person(reviewer.UserID, reviewer.Name, access.Platform, 0, institution.PermView, institution.PermApprove)
	if _, err := f.ApproveApplication(ctx, both, institution.ApproveApplication{Ref: at(v)}); !errors.Is(err, institution.ErrSamePerson) {
		t.Error("the first review is forgotten:", err)
	}
	// Approved, there is an institution with an administrator.
	o, err := f.ApproveApplication(ctx, government, institution.ApproveApplication{Ref: at(v)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.undo(overseer, o.Application); !errors.Is(err, institution.ErrUndo) || o.Application.Undo != nil {
		t.Error("an approval was undone:", err)
	}
}

func TestUndoingStopsWhereTheApplicantWentOn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustSend(t, lawyer, lawFirm(311))
	v, err := f.RefuseApplication(ctx, reviewer, institution.RefuseApplication{Ref: at(v), Reason: "不属于本区服务范围"})
	if err != nil {
		t.Fatal(err)
	}
	f.mustSend(t, lawyer, lawFirm(311)) // a new application
	if _, err := f.undo(reviewer, v); !errors.Is(err, institution.ErrUndo) {
		t.Error("beside a new application:", err)
	}
}

func TestUndoingRacesTheApplicant(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustSend(t, lawyer, lawFirm(311))
	v, err := f.ReturnApplication(ctx, reviewer, institution.ReturnApplication{Ref: at(v), Codes: []string{"unclear"}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			if i%2 == 0 {
				_, errs[i] = f.undo(reviewer, v)
			} else {
				_, errs[i] = f.Submit(ctx, lawyer, institution.Apply{Version: v.Version, Form: lawFirm(311)})
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
	if now, err := f.Application(ctx, reviewer, v.ID); err != nil || done != 1 || now.State != institution.Waiting {
		t.Errorf("%d outcomes: %+v %v", done, now, err)
	}
}
