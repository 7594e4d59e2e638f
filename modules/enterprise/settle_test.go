package enterprise_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

func keeper() access.Actor {
	return access.Actor{UserID: 60, Name: "李数据", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermGolden, enterprise.PermView}}
}

func field(t *testing.T, g enterprise.Golden, name string) enterprise.GoldenField {
	t.Helper()
	for _, f := range g.Fields {
		if f.Field == name {
			return f
		}
	}
	t.Fatalf("no field %s in %+v", name, g)
	return enterprise.GoldenField{}
}

// TestSettle shows a conflict, has a person settle it with a reason, and take that back.
func TestSettle(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7, enterprise.NewFact("employees", int64(14), enterprise.FromSocial, day("2026-10-01")),
		enterprise.NewFact("employees", int64(30), enterprise.FromTax, day("2026-11-01")), enterprise.NewFact("address", "甲街 1 号", enterprise.FromRegistry, day("2026-10-01")))
	id := a.EnterpriseID
	equals := func(n string) bool {
		return decides(t, f.mustFacts(t, id), `{"field":"employees","op":"eq","value":`+n+`,"unit":"人"}`) == criteria.Eligible
	}
	g, err := f.Golden(t.Context(), keeper(), id)
	if err != nil || g.Conflicts != 1 || !g.MaySettle {
		t.Fatalf("%+v %v", g, err)
	}
	x := field(t, g, "employees")
	if !x.Conflict || len(x.Words) != 2 || x.Words[0].Text != "30 人" || !x.Words[0].Counts || x.Words[1].Source != "社会保险经办机构" || !x.Words[1].Differs || !equals("30") {
		t.Fatalf("%+v", x)
	}
	cmd := enterprise.Settle{ID: id, Field: "employees", FactID: x.Words[1].FactID, Reason: "电话核实，税务口径含劳务派遣", Last: x.Last, Key: "k"}
	for name, bad := range map[string]func() (access.Actor, enterprise.Settle, error){
		"no right":  func() (access.Actor, enterprise.Settle, error) { return reviewer(50), cmd, fault.ErrForbidden },
		"no reason": func() (access.Actor, enterprise.Settle, error) { c := cmd; c.Reason = " "; return keeper(), c, nil },
		"other company": func() (access.Actor, enterprise.Settle, error) {
			c := cmd
			c.ID = 999
			return keeper(), c, fault.ErrNotFound
		},
		"other fact": func() (access.Actor, enterprise.Settle, error) {
			c := cmd
			c.FactID = 999
			return keeper(), c, enterprise.ErrSettleFact
		},
		"seen too long ago": func() (access.Actor, enterprise.Settle, error) {
			c := cmd
			c.Last--
			return keeper(), c, fault.ErrChanged
		},
	} {
		actor, c, want := bad()
		c.Key = name
		if _, err := f.Settle(t.Context(), actor, c); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 { // the second time is the same click
		if g, err = f.Settle(t.Context(), keeper(), cmd); err != nil {
			t.Fatal(err)
		}
	}
	x = field(t, g, "employees")
	if g.Conflicts != 0 || !x.Settled || x.Words[0].Text != "14 人" || !strings.HasPrefix(x.Words[0].Source, "人工核定") || len(x.Words) != 3 || len(x.Decisions) != 1 || !equals("14") {
		t.Fatalf("%+v", x)
	}
	if _, err := f.Settle(t.Context(), keeper(), enterprise.Settle{ID: id, Field: "employees", FactID: x.Words[0].FactID, Reason: "核定一个核定", Last: x.Last, Key: "z"}); !errors.Is(err, enterprise.ErrSettleFact) {
		t.Error("a decision was decided on:", err)
	}
	g, err = f.Unsettle(t.Context(), keeper(), enterprise.Settle{ID: id, Field: "employees", Reason: "核实有误，恢复", Last: x.Last, Key: "u"})
	if err != nil {
		t.Fatal(err)
	}
	if x = field(t, g, "employees"); g.Conflicts != 1 || x.Settled || x.Words[0].Text != "30 人" || x.Decisions[0].UndoneReason == "" || !equals("30") {
		t.Fatalf("%+v", x)
	}
	if _, err := f.Unsettle(t.Context(), keeper(), enterprise.Settle{ID: id, Field: "employees", Reason: "再撤销一次", Last: x.Last, Key: "u2"}); !errors.Is(err, enterprise.ErrNothingSettled) {
		t.Error(err)
	}
	if n := f.count(t, "SELECT count(*) FROM events WHERE type = 'enterprise.settled'"); n != 2 {
		t.Errorf("%d events", n)
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action IN ('enterprise.settle', 'enterprise.unsettle')"); n != 2 {
		t.Errorf("%d audit rows", n)
	}
	if v, err := f.Get(t.Context(), keeper(), id, ""); err != nil || len(v.History) != 5 {
		t.Errorf("%d facts of history, %v", len(v.History), err)
	}
}

// TestSources has a source outrank the others; what counts follows at once.
func TestSources(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7, enterprise.NewFact("employees", int64(14), enterprise.FromSocial, day("2026-10-01")), enterprise.NewFact("employees", int64(30), enterprise.FromTax, day("2026-11-01")))
	list, err := f.Sources(t.Context(), keeper())
	if err != nil || len(list) != 7 {
		t.Fatal(list, err)
	}
	var social enterprise.SourceView
	for _, s := range list {
		if s.Code == enterprise.FromSocial {
			social = s
		}
	}
	social.Worths["operation"] = enterprise.Worth{Rank: 5, Days: 600}
	cmd := enterprise.SaveSource{Code: social.Code, Name: social.Name, Official: true, Worths: social.Worths, Version: social.Version, Key: "k"}
	if _, err := f.SaveSource(t.Context(), reviewer(50), cmd); !errors.Is(err, fault.ErrForbidden) {
		t.Error(err)
	}
	if _, err := f.SaveSource(t.Context(), keeper(), cmd); err != nil {
		t.Fatal(err)
	}
	if decides(t, f.mustFacts(t, a.EnterpriseID), `{"field":"employees","op":"eq","value":14,"unit":"人"}`) != criteria.Eligible {
		t.Error("the better rank does not count")
	}
	stale := cmd
	stale.Key = "k2"
	if _, err := f.SaveSource(t.Context(), keeper(), stale); !errors.Is(err, fault.ErrChanged) {
		t.Error(err)
	}
	bad := cmd
	bad.Worths = map[string]enterprise.Worth{"basic": {Rank: 0}}
	if _, err := f.SaveSource(t.Context(), keeper(), bad); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
	missing := cmd
	missing.Code, missing.Key = "nobody", "k3"
	if _, err := f.SaveSource(t.Context(), keeper(), missing); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}
