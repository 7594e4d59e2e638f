package server

import (
	"context"
	"errors"
	"testing"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
)

// reachStaff may do what finding and telling companies takes; two of them can decide on each other's work.
func reachStaff(user int64) access.Actor {
	return access.Actor{UserID: user, Name: "工作人员", Party: access.Platform, Scope: access.ScopeDistrict,
		Permissions: []access.Permission{"enterprise.view", policy.PermGrant, policy.PermGrantDecide, policy.PermPush, policy.PermReverse, policy.PermView}}
}

// confideReach has a policy of the demo district answer a visitor, list companies that need not apply, and be objected to:
// the first policy that some company fits on checked facts.
func (h *house) confideReach(t *testing.T) policy.GrantView {
	t.Helper()
	ctx := context.Background()
	if err := h.policies.RefreshPool(ctx); err != nil {
		t.Fatal(err)
	}
	if st := h.policies.Pool(); !st.Ready || st.Companies == 0 {
		t.Fatalf("%+v", st)
	}
	staff := int64(20)
	if r, err := h.policies.Quick(ctx, access.Actor{Party: access.Anonymous}, policy.Answers{Employees: &staff}); err != nil || r.Answer == "" {
		t.Fatalf("%q %v", r.Answer, err)
	}
	library, err := h.policies.All(ctx, access.SystemActor("test"))
	if err != nil {
		t.Fatal(err)
	}
	maker, decider := reachStaff(9001), reachStaff(9002)
	for _, p := range library {
		g, err := h.policies.MakeGrant(ctx, maker, p.ID, "grant")
		if errors.Is(err, policy.ErrGrantNone) || errors.Is(err, policy.ErrGrantHuman) || errors.Is(err, policy.ErrByHand) || errors.Is(err, policy.ErrState) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if g, err = h.policies.SubmitGrant(ctx, maker, policy.GrantStep{Key: "submit", ID: g.ID, Version: g.Version}); err != nil {
			t.Fatal(err)
		}
		if g, err = h.policies.PublishGrant(ctx, decider, policy.GrantStep{Key: "publish", ID: g.ID, Version: g.Version}); err != nil {
			t.Fatal(err)
		}
		_, err = h.policies.RaiseObjection(ctx, access.Actor{Party: access.Anonymous}, policy.RaiseObjection{Key: "object", GrantID: g.ID, Name: "周明", Phone: "13761528495", Text: "名单中的企业已经停产，不应享受。"})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	t.Fatal("no policy of the demo district fits a company on checked facts")
	return policy.GrantView{}
}

// TestReadyBeforeTheCompaniesAreLoaded: the copy of the companies is built in the background. The program is ready without
// it, one company is matched without it, and what needs it says so and how long it takes.
func TestReadyBeforeTheCompaniesAreLoaded(t *testing.T) {
	t.Parallel()
	h := testHouse(t)
	if st := h.policies.Pool(); st.Ready {
		t.Fatalf("loaded before anybody asked: %+v", st)
	}
	if status, text := ask(t, h, "GET", "/readyz", "", ""); status != 200 {
		t.Errorf("not ready: %d %s", status, text)
	}
	staff := int64(20)
	if _, err := h.policies.Quick(t.Context(), access.Actor{Party: access.Anonymous}, policy.Answers{Employees: &staff}); err != nil {
		t.Errorf("a company is not matched: %v", err)
	}
	if _, err := h.policies.Preview(t.Context(), access.Actor{UserID: 1, Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{policy.PermEdit}}, 0,
		[]byte(`{"field":"employees","op":"gte","value":20,"unit":"人"}`)); !errors.Is(err, policy.ErrLoading) {
		t.Errorf("counted without companies: %v", err)
	}
	if err := h.policies.RefreshPool(t.Context()); err != nil || !h.policies.Pool().Ready {
		t.Errorf("not loaded: %v", err)
	}
}
