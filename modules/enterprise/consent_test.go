package enterprise_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

func TestFactsAreReadAsFarAsAgreed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	refusing := agreed{not: map[int64]bool{}}
	f := mustNew(t, func(d *enterprise.Deps) { d.Consents = refusing })
	a := f.mustOpen(t, 7, "麦香")
	if err := f.MaySign(ctx, f.db.Read(), a.EnterpriseID, 7); !errors.Is(err, enterprise.ErrSign) {
		t.Fatal("signed unverified:", err)
	}
	if _, err := f.Verify(ctx, a, verify("k", claim())); err != nil {
		t.Fatal(err)
	}
	if err := f.MaySign(ctx, f.db.Read(), a.EnterpriseID, 7); err != nil {
		t.Fatal(err)
	}
	if err := f.MaySign(ctx, f.db.Read(), a.EnterpriseID, 8); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("a stranger:", err)
	}
	staff := access.Actor{UserID: 51, Name: "赵强", Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermView}}
	banker := access.Actor{UserID: 61, Name: "钱进", Party: access.Institution, InstitutionID: 3}
	v, err := f.Get(ctx, staff, a.EnterpriseID, "")
	if err != nil || len(v.Facts) == 0 || len(v.History) == 0 || v.Withheld != "" {
		t.Fatalf("%+v %v", v, err)
	}
	p, err := f.Profile(ctx, banker, a.EnterpriseID, "申请")
	if err != nil || len(p.Facts) != len(v.Facts) || p.Name != v.Name {
		t.Fatalf("%+v %v", p, err)
	}
	refusing.not[a.EnterpriseID] = true
	v, err = f.Get(ctx, staff, a.EnterpriseID, "")
	if err != nil || len(v.Facts)+len(v.History) != 0 || v.Withheld == "" || len(v.Attempts) == 0 {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Profile(ctx, banker, a.EnterpriseID, "申请"); !errors.Is(err, errNotAgreed) {
		t.Fatal(err)
	}
	if m, err := f.Mine(ctx, a); err != nil || len(m.Facts) == 0 {
		t.Fatal("their own company:", err)
	}
}

func TestMandateLetsAMemberUntilADay(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	if _, err := f.Verify(ctx, a, verify("k", claim())); err != nil {
		t.Fatal(err)
	}
	m := f.mustOpen(t, 8, "另一家")
	own := m.EnterpriseID
	if _, err := f.Verify(ctx, m, verify("k", claim())); err != nil {
		t.Fatal(err)
	}
	asked, err := f.Members(ctx, a)
	if err != nil || len(asked.Requests) != 1 {
		t.Fatalf("%+v %v", asked, err)
	}
	if _, err := f.Admit(ctx, a, enterprise.AdmitJoin{Decide: enterprise.Decide{ID: asked.Requests[0].ID, Version: asked.Requests[0].Version}}); err != nil {
		t.Fatal(err)
	}
	m.EnterpriseID = a.EnterpriseID
	may := func(right enterprise.Right) error { return f.Entitled(ctx, f.db.Read(), a.EnterpriseID, 8, right) }
	if err := may(enterprise.RightConsent); !errors.Is(err, enterprise.ErrRight) {
		t.Fatal("without a mandate:", err)
	}
	give := enterprise.Mandate{Key: "m1", UserID: 8, Rights: []enterprise.Right{enterprise.RightConsent, enterprise.RightFacts}, Until: start.AddDate(0, 0, 9).Format(time.DateOnly)}
	if _, err := f.Mandate(ctx, m, give); !errors.Is(err, enterprise.ErrOwner) {
		t.Fatal("a member mandated:", err)
	}
	for _, bad := range []enterprise.Mandate{
		{UserID: 8, Rights: give.Rights}, {UserID: 8, Rights: give.Rights, Until: "2020-01-01"}, {UserID: 8, Rights: give.Rights, Until: "2199-01-01"},
		{UserID: 8, Rights: []enterprise.Right{"everything"}, Until: give.Until}, {UserID: 7, Rights: give.Rights, Until: give.Until}, {UserID: 99, Rights: give.Rights, Until: give.Until},
	} {
		if _, err := f.Mandate(ctx, a, bad); err == nil {
			t.Errorf("taken: %+v", bad)
		}
	}
	got, err := f.Mandate(ctx, a, give)
	if err != nil || len(got.Mandates) != 1 || !got.Mandates[0].Holds || got.Mandates[0].Until != give.Until {
		t.Fatalf("%+v %v", got, err)
	}
	if err := may(enterprise.RightConsent); err != nil {
		t.Fatal(err)
	}
	if err := may(enterprise.RightLicences); !errors.Is(err, enterprise.ErrRight) {
		t.Fatal("a right that was not given:", err)
	}
	if err := f.Entitled(ctx, f.db.Read(), own, 99, enterprise.RightConsent); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("a stranger:", err)
	}
	if _, err := f.State(ctx, m, enterprise.StateFacts{Key: "s", Employees: "14"}); err != nil {
		t.Fatal("mandated to state facts:", err)
	}
	f.clock.Advance(10 * 24 * time.Hour)
	if err := may(enterprise.RightConsent); !errors.Is(err, enterprise.ErrRight) {
		t.Fatal("after its day:", err)
	}
	give.Key, give.Until = "m2", f.clock.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	if _, err := f.Mandate(ctx, a, give); err != nil {
		t.Fatal(err)
	}
	got, err = f.Mandate(ctx, a, enterprise.Mandate{Key: "m3", UserID: 8})
	if err != nil || len(got.Mandates) != 2 || got.Mandates[0].Holds || got.Mandates[0].EndedName == "" {
		t.Fatalf("%+v %v", got, err)
	}
	if err := may(enterprise.RightFacts); !errors.Is(err, enterprise.ErrRight) {
		t.Fatal("taken back:", err)
	}
	if seen, err := f.Members(ctx, m); err != nil || len(seen.Mandates) != 0 {
		t.Fatalf("a member reads the history: %+v %v", seen, err)
	}
}

// leave is a desk where a review takes two hours and user 51 stands in for whom is set.
type leave struct{ lent access.Lent }

func (l *leave) Lent(_ context.Context, _ bun.IDB, actor access.Actor) (access.Lent, error) {
	if actor.UserID == 51 {
		return l.lent, nil
	}
	return nil, nil
}

func (*leave) ReviewDue(_ context.Context, _ bun.IDB, from time.Time) (time.Time, error) {
	return from.Add(2 * time.Hour), nil
}

func TestColleagueReviewsWhileOnLeave(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	desk := &leave{}
	f := mustNew(t, func(d *enterprise.Deps) { d.Desk, d.Deputies, d.Registry = desk, desk, nil })
	a := f.mustOpen(t, 7, "麦香")
	applied, err := f.Apply(ctx, a, enterprise.ApplyForReview{Key: "k", Claim: claim(), FileIDs: []int64{701}})
	if err != nil || applied.DueAt == nil || !applied.DueAt.Equal(start.Add(2*time.Hour)) || applied.Overdue {
		t.Fatalf("%+v %v", applied, err)
	}
	boss := reviewer(50)
	colleague := access.Actor{UserID: 51, Name: "赵强", Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermView}}
	if _, _, err := f.Reviews(ctx, colleague, "", 0); !errors.Is(err, fault.ErrForbidden) {
		t.Fatal("without a delegation:", err)
	}
	lent := access.Lent{enterprise.PermReview: {ID: boss.UserID, Name: boss.Name}}
	desk.lent = lent
	f.clock.Advance(3 * time.Hour)
	queue, _, err := f.Reviews(ctx, colleague, "", 0)
	if err != nil || len(queue) != 1 || !queue[0].Overdue {
		t.Fatalf("%+v %v", queue, err)
	}
	for _, want := range []int{1, 0} {
		if n, err := f.RemindOverdue(ctx, access.SystemActor("test")); err != nil || n != want {
			t.Fatal("reminded:", n, err)
		}
	}
	decide := enterprise.ApproveReview{Decide: enterprise.Decide{ID: queue[0].ID, Version: queue[0].Version, Key: "approve"}}
	desk.lent = nil // it ended while the page was open
	if _, err := f.Approve(ctx, colleague, decide); !errors.Is(err, fault.ErrForbidden) {
		t.Fatal("after it ended:", err)
	}
	desk.lent = access.Lent{enterprise.PermReview: {ID: a.UserID, Name: a.Name}} // in the name of the claimant
	if _, err := f.Approve(ctx, colleague, decide); !errors.Is(err, enterprise.ErrOwnReview) {
		t.Fatal("in the claimant's own name:", err)
	}
	desk.lent = lent
	done, err := f.Approve(ctx, colleague, decide)
	if err != nil || done.ReviewerName != "赵强（受"+boss.Name+"委托）" || done.Outcome != enterprise.Approved {
		t.Fatalf("%+v %v", done, err)
	}
	var log struct{ ActorName, Detail string }
	if err := f.db.Read().NewSelect().Table("audit_entries").Column("actor_name", "detail").Where("action = 'enterprise.approve'").Scan(ctx, &log); err != nil ||
		log.ActorName != done.ReviewerName || !strings.Contains(log.Detail, boss.Name) {
		t.Fatalf("%+v %v", log, err)
	}
}
