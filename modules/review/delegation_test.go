package review_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// staff holds rights by name of the right; the right to see is everybody's.
type staff struct {
	sync.Mutex
	holding map[access.Permission][]review.Colleague
}

func (s *staff) Holding(_ context.Context, _ bun.IDB, right access.Permission) ([]review.Colleague, error) {
	s.Lock()
	defer s.Unlock()
	return slices.Clone(s.holding[right]), nil
}

var works = []review.Work{{Right: "enterprise.review", View: "enterprise.view", Title: "企业认证审核"}, {Right: "product.review", View: "product.view", Title: "产品初审"}}

func colleagues(ids ...int64) []review.Colleague {
	var out []review.Colleague
	for _, id := range ids {
		out = append(out, review.Colleague{ID: id, Name: fmt.Sprintf("员工%d", id)})
	}
	return out
}

func person(id int64, rights ...access.Permission) access.Actor {
	slices.Sort(rights)
	return access.Actor{UserID: id, Name: fmt.Sprintf("员工%d", id), Party: access.Government, Scope: access.ScopeDistrict, Permissions: rights}
}

type desk struct {
	*review.Service
	clock *clock.Fake
	staff *staff
}

func mustDesk(t *testing.T) desk {
	t.Helper()
	db := databasetest.New(t, slices.Concat(audit.Migrations, idempotency.Migrations, event.Migrations, review.Migrations))
	d := desk{clock: clock.NewFake(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)), staff: &staff{holding: map[access.Permission][]review.Colleague{
		"enterprise.review": colleagues(1, 2), "product.review": colleagues(1, 5), "enterprise.view": colleagues(1, 2, 3, 4, 5), "product.view": colleagues(1, 3, 4, 5),
	}}}
	d.Service = review.New(review.Deps{DB: db, Clock: d.clock, Lists: []review.List{{Key: "short", Title: "短的", First: first[:1]}}, Works: works, Staff: d.staff})
	return d
}

var (
	boss   = person(1, "enterprise.review", "product.review", "enterprise.view", "product.view")
	second = person(2, "enterprise.review", "enterprise.view")
	third  = person(3, "enterprise.view", "product.view")
	fourth = person(4, "enterprise.view", "product.view")
	lead   = person(9, review.PermDelegations)
)

func give(key string, to int64, starts, ends string, works ...string) review.Delegate {
	return review.Delegate{Key: key, ToID: to, Starts: "2026-11-" + starts, Ends: "2026-11-" + ends, Works: works, Reason: "年休假"}
}

func (d desk) lentTo(t *testing.T, who access.Actor) string {
	t.Helper()
	lent, err := d.Lent(context.Background(), d.DB.Read(), who)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for p, whose := range lent {
		out = append(out, string(p)+" of "+whose.Name)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestColleagueStandsIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := mustDesk(t)
	for what, bad := range map[string]review.Delegate{
		"nobody there": give("", 99, "22", "22", "enterprise.review"), "herself": give("", 1, "22", "22", "enterprise.review"), "end before start": give("", 3, "23", "22", "enterprise.review"),
		"over already": give("", 3, "20", "21", "enterprise.review"), "no kind": give("", 3, "22", "22"), "unknown kind": give("", 3, "22", "22", "enterprise.review", "ticket.view"),
		"too long":  {ToID: 3, Starts: "2026-11-22", Ends: "2027-11-22", Works: []string{"enterprise.review"}, Reason: "年休假"},
		"no reason": {ToID: 3, Starts: "2026-11-22", Ends: "2026-11-22", Works: []string{"enterprise.review"}}, "may not see products": give("", 2, "22", "22", "product.review"),
	} {
		if _, err := d.Delegate(ctx, boss, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := d.Delegate(ctx, second, give("", 3, "22", "22", "product.review")); !errors.Is(err, review.ErrDelegator) {
		t.Error("a right one does not have:", err)
	}
	for _, who := range []access.Actor{third, {UserID: 8, Party: access.Institution, InstitutionID: 1}, {}} {
		if _, err := d.Delegate(ctx, who, give("", 4, "22", "22", "enterprise.review")); fault.KindOf(err) != fault.Forbidden && fault.KindOf(err) != fault.Unauthorized {
			t.Errorf("%d: %v", who.UserID, err)
		}
	}
	cmd := give("d", 3, "22", "23", "product.review", "enterprise.review")
	var v review.Delegations
	var err error
	for range 2 { // the same press twice is one delegation
		if v, err = d.Delegate(ctx, boss, cmd); err != nil || len(v.Items) != 1 || v.Items[0].State != "holds" || v.Items[0].Ends != "2026-11-23" || !v.Items[0].CanEnd || len(v.Items[0].Titles) != 2 {
			t.Fatalf("%+v %v", v, err)
		}
	}
	if seen, err := d.Delegations(ctx, third); err != nil || len(seen.Items) != 1 || seen.Items[0].CanEnd || len(seen.Works) != 0 {
		t.Fatalf("%+v %v", seen, err)
	}
	if seen, err := d.Delegations(ctx, fourth); err != nil || len(seen.Items) != 0 {
		t.Fatalf("a stranger reads: %+v %v", seen, err)
	}
	if got := d.lentTo(t, third); got != "enterprise.review of 员工1, product.review of 员工1" {
		t.Fatal(got)
	}
	if got := d.lentTo(t, person(3, "enterprise.view", "enterprise.review")); got != "" {
		t.Error("an own right is not used in another's name, what one may not see is not borrowed:", got)
	}
	if got := d.lentTo(t, access.Actor{UserID: 3, Party: access.Enterprise, Permissions: third.Permissions}); got != "" {
		t.Error("somebody who is no staff:", got)
	}
	if ids, err := d.StandIns(ctx, d.DB.Read(), "product.review"); err != nil || fmt.Sprint(ids) != "[3]" {
		t.Error(ids, err)
	}
	d.staff.Lock()
	held := d.staff.holding["product.review"]
	d.staff.holding["product.review"] = nil
	d.staff.Unlock()
	if rights, err := d.Deputed(ctx, d.DB.Read(), third); err != nil || fmt.Sprint(rights) != "[enterprise.review]" {
		t.Error("in the name of somebody without the right:", rights, err)
	}
	d.staff.Lock()
	d.staff.holding["product.review"] = held
	d.staff.Unlock()
	d.clock.Advance(38*time.Hour - time.Second) // the last second of the last day in Beijing
	if got := d.lentTo(t, third); got == "" {
		t.Error("ended before its last day was over")
	}
	d.clock.Advance(time.Second)
	if got := d.lentTo(t, third); got != "" {
		t.Error("after its last day:", got)
	}
	if _, err := d.EndDelegation(ctx, boss, v.Items[0].ID); !errors.Is(err, review.ErrDelegation) {
		t.Error("over already:", err)
	}
	if v, err = d.Delegate(ctx, boss, give("d2", 3, "25", "29", "enterprise.review")); err != nil || v.Items[0].State != "coming" || d.lentTo(t, third) != "" {
		t.Fatalf("%+v %v", v, err)
	}
	d.clock.Advance(48 * time.Hour)
	if got := d.lentTo(t, third); got != "enterprise.review of 员工1" {
		t.Fatal(got)
	}
	id := v.Items[0].ID
	if _, err := d.EndDelegation(ctx, third, id); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("somebody else took it back:", err)
	}
	if v, err = d.EndDelegation(ctx, boss, id); err != nil || v.Items[0].State != "ended" || v.Items[0].EndedBy != "员工1" {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := d.EndDelegation(ctx, boss, id); !errors.Is(err, review.ErrDelegation) {
		t.Fatal("taken back twice:", err)
	}
	if got := d.lentTo(t, third); got != "" {
		t.Error("after it was taken back:", got)
	}
}

func TestDelegationsDoNotStandAgainstEachOther(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := mustDesk(t)
	if _, err := d.Delegate(ctx, boss, give("1", 3, "24", "26", "enterprise.review")); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		by  access.Actor
		cmd review.Delegate
	}{
		"to two at once":              {boss, give("", 4, "26", "28", "enterprise.review", "product.review")},
		"for two at once":             {second, give("", 3, "20", "24", "enterprise.review")},
		"to somebody who is on leave": {second, give("", 1, "25", "25", "enterprise.review")},
	} {
		if _, err := d.Delegate(ctx, c.by, c.cmd); !errors.Is(err, review.ErrClash) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := d.Delegate(ctx, boss, give("2", 4, "24", "26", "product.review")); err != nil {
		t.Error("another kind of review, to another colleague:", err)
	}
	if _, err := d.Delegate(ctx, boss, give("3", 4, "27", "28", "enterprise.review")); err != nil {
		t.Error("the days after:", err)
	}
	// A delegate who reviews by a right of their own does not pass it on while they stand in for somebody.
	d.staff.Lock()
	d.staff.holding["enterprise.review"] = colleagues(1, 2, 3)
	d.staff.Unlock()
	if _, err := d.Delegate(ctx, person(3, "enterprise.review", "enterprise.view"), give("", 4, "25", "25", "enterprise.review")); !errors.Is(err, review.ErrClash) || !strings.Contains(err.Error(), "不能再委托他人") {
		t.Error("a chain:", err)
	}
}

func TestLeadArrangesForColleagues(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := mustDesk(t)
	cmd := give("l", 3, "22", "24", "enterprise.review")
	cmd.FromID = 2
	if _, err := d.Delegate(ctx, boss, cmd); !errors.Is(err, fault.ErrForbidden) {
		t.Fatal("for a colleague without the right to arrange:", err)
	}
	v, err := d.Delegate(ctx, lead, cmd)
	if err != nil || len(v.Items) != 1 || v.Items[0].FromName != "员工2" || v.Items[0].ByName != "员工9" || !v.Arrange || len(v.Works) != 2 || len(v.Works[0].Reviewers) != 2 {
		t.Fatalf("%+v %v", v, err)
	}
	cmd.Key, cmd.FromID = "own", 0
	if _, err := d.Delegate(ctx, lead, cmd); !errors.Is(err, review.ErrDelegator) {
		t.Error("who arranges has nothing of their own to delegate:", err)
	}
	if _, err := d.EndDelegation(ctx, lead, v.Items[0].ID); err != nil {
		t.Fatal(err)
	}
	var types []string
	if err := d.DB.Read().NewSelect().Table("events").Column("type").Where("object = ?", review.Object).OrderExpr("id").Scan(ctx, &types); err != nil || fmt.Sprint(types) != "[review.delegated review.delegation_ended]" {
		t.Error(types, err)
	}
}

func TestTwoDelegationsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := mustDesk(t)
	var wg sync.WaitGroup
	for _, to := range []int64{3, 4} {
		wg.Go(func() {
			_, err := d.Delegate(ctx, boss, give(fmt.Sprint(to), to, "22", "24", "enterprise.review"))
			if err != nil && !errors.Is(err, review.ErrClash) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if v, err := d.Delegations(ctx, boss); err != nil || len(v.Items) != 1 {
		t.Fatalf("%+v %v", v, err)
	}
}

func TestDelegationsOfCompaniesMove(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	old := database.Migration{ID: "20261129153000_enterprise_delegations", Up: func(ctx context.Context, tx bun.Tx) error {
		return database.ByDialect(ctx, tx, []string{"CREATE TABLE enterprise_delegations (id INTEGER PRIMARY KEY, from_id INTEGER, from_name TEXT, to_id INTEGER, to_name TEXT, starts TIMESTAMP, ends TIMESTAMP, reason TEXT, created_at TIMESTAMP, ended_at TIMESTAMP)",
			"INSERT INTO enterprise_delegations VALUES (7, 1, '员工1', 3, '员工3', '2026-11-21 16:00:00+00:00', '2026-11-23 16:00:00+00:00', '年休假', '2026-11-20 01:00:00+00:00', NULL), (8, 1, '员工1', 4, '员工4', '2026-11-10 16:00:00+00:00', '2026-11-30 16:00:00+00:00', '出差', '2026-11-09 01:00:00+00:00', '2026-11-12 01:00:00+00:00')"},
			[]string{"CREATE TABLE enterprise_delegations (id BIGINT PRIMARY KEY, from_id BIGINT, from_name VARCHAR, to_id BIGINT, to_name VARCHAR, starts TIMESTAMPTZ, ends TIMESTAMPTZ, reason VARCHAR, created_at TIMESTAMPTZ, ended_at TIMESTAMPTZ)",
				"INSERT INTO enterprise_delegations VALUES (7, 1, '员工1', 3, '员工3', '2026-11-21 16:00:00+00', '2026-11-23 16:00:00+00', '年休假', '2026-11-20 01:00:00+00', NULL), (8, 1, '员工1', 4, '员工4', '2026-11-10 16:00:00+00', '2026-11-30 16:00:00+00', '出差', '2026-11-09 01:00:00+00', '2026-11-12 01:00:00+00')"})
	}}
	d := mustDesk(t)
	d.DB = databasetest.New(t, slices.Concat(audit.Migrations, idempotency.Migrations, event.Migrations, []database.Migration{old}, review.Migrations))
	v, err := d.Delegations(ctx, boss)
	if err != nil || len(v.Items) != 2 || v.Items[1].State != "holds" || v.Items[1].Works[0] != "enterprise.review" || v.Items[0].State != "ended" || v.Items[0].EndedBy != "员工1" {
		t.Fatalf("%+v %v", v, err)
	}
	if got := d.lentTo(t, third); got != "enterprise.review of 员工1" {
		t.Error(got)
	}
	if d.lentTo(t, fourth) != "" {
		t.Error("a delegation that was taken back holds again")
	}
	if n, err := d.DB.Read().NewSelect().Table("enterprise_delegations").Count(ctx); err == nil {
		t.Error("the old table is still there with", n)
	}
}
