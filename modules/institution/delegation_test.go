package institution_test

import (
	"context"
	"errors"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// standIns lends rights to people by their id.
type standIns map[int64]access.Lent

func (s standIns) Lent(_ context.Context, _ bun.IDB, actor access.Actor) (access.Lent, error) {
	return s[actor.UserID], nil
}

func TestColleagueReviewsInstitutionsWhileOnLeave(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	lent := standIns{}
	f.Deputies = lent
	colleague := person(51, "赵强", access.Government, 0, institution.PermView)
	v := f.mustSend(t, lawyer, lawFirm(311))
	check := institution.CheckApplication{Ref: at(v)}
	if _, err := f.CheckApplication(ctx, colleague, check); !errors.Is(err, fault.ErrForbidden) {
		t.Fatal("without a delegation:", err)
	}
	if _, err := f.ReturnReasons(ctx, colleague); !errors.Is(err, fault.ErrForbidden) {
		t.Error(err)
	}
	if seen, err := f.Application(ctx, colleague, v.ID); err != nil || seen.MayDecide || seen.ContactPhone == "13800138031" {
		t.Fatalf("%+v %v", seen, err)
	}
	lent[51] = access.Lent{institution.PermReview: {ID: lawyer.UserID, Name: lawyer.Name}}
	if _, err := f.CheckApplication(ctx, colleague, check); !errors.Is(err, institution.ErrOwn) {
		t.Error("in the name of the applicant:", err)
	}
	lent[51] = access.Lent{institution.PermReview: {ID: reviewer.UserID, Name: reviewer.Name}}
	if seen, err := f.Application(ctx, colleague, v.ID); err != nil || !seen.MayDecide || seen.InNameOf != reviewer.Name || seen.ContactPhone != "13800138031" {
		t.Fatalf("%+v %v", seen, err)
	}
	v, err := f.CheckApplication(ctx, colleague, check)
	if err != nil || v.State != institution.Checked || v.Rounds[0].Checker != "赵强（受运营钱委托）" || v.Timeline[len(v.Timeline)-1].Actor != "赵强（受运营钱委托）" {
		t.Fatalf("%+v %v", v, err)
	}
	// The second review is neither the colleague's nor that of who lent the first, in whatever name.
	lent[51] = access.Lent{institution.PermApprove: {ID: government.UserID, Name: government.Name}}
	lent[52] = access.Lent{institution.PermApprove: {ID: reviewer.UserID, Name: reviewer.Name}}
	both := person(reviewer.UserID, reviewer.Name, access.Platform, 0, institution.PermView, institution.PermReview, institution.PermApprove)
	for what, who := range map[string]access.Actor{"who did the first": colleague, "in whose name it was done": both, "in that name again": person(52, "周", access.Government, 0, institution.PermView)} {
		if _, err := f.ApproveApplication(ctx, who, institution.ApproveApplication{Ref: at(v)}); !errors.Is(err, institution.ErrSamePerson) {
			t.Errorf("%s: %v", what, err)
		}
		if seen, err := f.Application(ctx, who, v.ID); err != nil || seen.MayDecide {
			t.Errorf("%s: %+v %v", what, seen, err)
		}
	}
	lent[53] = access.Lent{institution.PermApprove: {ID: government.UserID, Name: government.Name}}
	other := person(53, "吴敏", access.Government, 0, institution.PermView)
	if o, err := f.ApproveApplication(ctx, other, institution.ApproveApplication{Ref: at(v)}); err != nil || o.Application.State != institution.Approved || o.Application.Rounds[0].Reviewer != "吴敏（受政府周委托）" {
		t.Fatalf("%+v %v", o, err)
	}
}

func TestColleaguePassesARenewalWhileOnLeave(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	colleague := person(51, "赵强", access.Government, 0, institution.PermView)
	who := keeper(f.mustOpen(t, 1).ID)
	r := f.mustHandIn(t, who, "", "新号")
	pass := institution.PassRenewal{Ref: institution.Ref{ID: r.ID, Version: r.Version}}
	if _, err := f.PassRenewal(ctx, colleague, pass); !errors.Is(err, fault.ErrForbidden) {
		t.Fatal("without a delegation:", err)
	}
	f.Deputies = standIns{51: {institution.PermReview: {ID: reviewer.UserID, Name: reviewer.Name}}}
	if list, _, err := f.Renewals(ctx, colleague, "", "", 0); err != nil || len(list) != 1 || !list[0].MayDecide {
		t.Fatalf("%+v %v", list, err)
	}
	if got, err := f.PassRenewal(ctx, colleague, pass); err != nil || got.Reviewer != "赵强（受运营钱委托）" {
		t.Fatalf("%+v %v", got, err)
	}
}
