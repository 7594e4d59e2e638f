package policy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestOutcome: each figure is what is written down, a company counts once, and nothing is told of what did not happen.
func TestOutcome(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	r.enrol(baker.EnterpriseID, firm("1411", "110112010", 30))
	r.roll.owner[baker.EnterpriseID] = baker.UserID
	p := r.mustTown(t)
	want := func(when string, w policy.Outcome) {
		t.Helper()
		got, err := r.Outcome(ctx, viewer, p.ID)
		fit := got.Fit
		got.At, got.Fit = time.Time{}, nil
		if w.Fit != nil && (fit == nil || fit.Eligible != w.Fit.Eligible || fit.Near != w.Fit.Near || fit.Companies != w.Fit.Companies || fit.Edition != 1) || w.Fit == nil && fit != nil {
			t.Errorf("%s: fit %+v, want %+v", when, fit, w.Fit)
		}
		if w.Fit = nil; err != nil || got != w {
			t.Errorf("%s: %+v, want %+v, %v", when, got, w, err)
		}
	}
	want("at first", policy.Outcome{})
	if err := r.EnsureRuns(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.WorkRun(ctx, 1); err != nil {
		t.Fatal(err)
	}
	fit := &policy.FitAtPublishing{Eligible: 7, Near: 3, Companies: 16}
	want("published", policy.Outcome{Fit: fit})

	r.consents[1], r.consents[2], r.consents[baker.EnterpriseID] = true, true, true
	plan, err := r.MakePush(ctx, planner, policy.MakePush{Key: "plan", PolicyID: p.ID, Audience: policy.Audience{Sets: []criteria.Decision{criteria.Eligible}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = r.ApprovePush(ctx, approver, policy.PushStep{Key: "ok", ID: plan.ID, Version: plan.Version}); err != nil {
		t.Fatal(err)
	}
	want("planned", policy.Outcome{Fit: fit})
	if err := r.WorkPush(ctx, plan.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.PushOutcomes(ctx); err != nil {
		t.Fatal(err)
	}
	want("told", policy.Outcome{Fit: fit, Told: 3, Opened: 1})

	r.clock.Advance(time.Hour)
	var last policy.One
	for range 2 {
		if last, err = r.MatchOne(ctx, baker, p.ID); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(2 * time.Hour)
	}
	if _, err := r.MatchOne(ctx, coder, p.ID); err != nil {
		t.Fatal(err)
	}
	want("asked", policy.Outcome{Fit: fit, Told: 3, Opened: 1, Asked: 2, AskedTold: 1})
	if err := r.RemoveAnswer(ctx, baker, policy.RemoveAnswer{Number: last.Answer}); err != nil {
		t.Fatal(err)
	}
	want("the answer is deleted", policy.Outcome{Fit: fit, Told: 3, Opened: 1, Asked: 2, AskedTold: 1})

	g, err := r.MakeGrant(ctx, planner, p.ID, "grant")
	if err != nil {
		t.Fatal(err)
	}
	f := &grantFlow{reach: r, t: t, g: g}
	f.step(r.SubmitGrant, planner, policy.GrantReview)
	want("a list nobody saw", policy.Outcome{Fit: fit, Told: 3, Opened: 1, Asked: 2, AskedTold: 1})
	f.step(r.PublishGrant, approver, policy.GrantPublic)
	r.clock.Set(f.g.PublicUntil.Add(time.Minute))
	f.step(r.OpenConfirming, approver, policy.GrantConfirming)
	for id, take := range map[int64]bool{1: true, 2: true, 3: false} {
		if _, err := r.ConfirmGrant(ctx, boss(1000+id, id), policy.ConfirmGrant{ID: g.ID, Take: take}); err != nil {
			t.Fatal(err)
		}
	}
	whole := policy.Outcome{Fit: fit, Told: 3, Opened: 1, Asked: 2, AskedTold: 1, Lists: 1, Listed: 7, Confirmed: 2, Declined: 1}
	want("confirmed", whole)
	f.step(r.CancelGrant, with(approver, policy.PermGrant), policy.GrantCancelled)
	whole.Lists, whole.Listed, whole.Confirmed, whole.Declined = 0, 0, 0, 0
	want("cancelled", whole)

	if _, err := r.Outcome(ctx, baker, p.ID); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("a company: %v", err)
	}
	if _, err := r.Outcome(ctx, viewer, 999); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("no policy: %v", err)
	}
}
