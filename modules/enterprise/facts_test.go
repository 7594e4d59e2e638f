package enterprise_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

var system = access.SystemActor("test")

func (f fixture) mustLoad(t *testing.T, owner int64, facts ...enterprise.Fact) access.Actor {
	t.Helper()
	ids, err := f.Load(context.Background(), system, []enterprise.Known{{Claim: claim(), Verified: true, At: start.AddDate(0, -1, 0), Members: []int64{owner}, Facts: facts}})
	if err != nil {
		t.Fatal(err)
	}
	return access.Actor{UserID: owner, Name: "张三", Party: access.Enterprise, EnterpriseID: ids[0], Scope: access.ScopeSelf}
}

func (f fixture) mustFacts(t *testing.T, id int64) criteria.Facts {
	t.Helper()
	facts, err := f.Facts(context.Background(), f.db.Read(), id)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// decides asks one condition of the facts.
func decides(t *testing.T, facts criteria.Facts, condition string) criteria.Decision {
	t.Helper()
	c, err := criteria.Parse([]byte(condition), enterprise.Schema(terms))
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	return c.Evaluate(facts, start).Decision
}

func TestFactsForConditions(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7,
		enterprise.NewFact("established", "2019-05-06", enterprise.FromRegistry, day("2026-10-01")),
		enterprise.NewFact("industry", "1411", enterprise.FromRegistry, day("2026-10-01")),
		enterprise.NewFact("region", "110112001", enterprise.FromRegistry, day("2026-10-01")),
		enterprise.NewFact("capital", int64(50_000_000), enterprise.FromRegistry, day("2026-10-01")),
		enterprise.NewFact("employees", int64(14), enterprise.FromSocial, day("2026-10-01")),
		enterprise.NewFact("revenue", int64(328_000_000), enterprise.FromTax, day("2025-12-31")),
		enterprise.NewFact("rdSpend", int64(9_840_000), enterprise.FromTax, day("2025-12-31")),
		enterprise.NewFact("qualification", []enterprise.Holding{{Code: "high_tech", From: "2024-01-01", To: "2026-12-31"}}, enterprise.FromBureau, day("2026-10-01")),
		enterprise.NewFact("tag", []enterprise.Holding{{Code: "烘焙"}}, enterprise.FromBureau, day("2026-10-01")),
		enterprise.NewFact("creditStanding", []enterprise.Holding{}, enterprise.FromCredit, day("2026-10-01")),
	)
	facts := f.mustFacts(t, a.EnterpriseID)
	for condition, want := range map[string]criteria.Decision{
		`{"field":"industry","op":"under","value":["C"]}`:                               criteria.Eligible,
		`{"field":"region","op":"under","value":["110112"]}`:                            criteria.Eligible,
		`{"field":"employees","op":"lte","value":300,"unit":"人"}`:                       criteria.Eligible,
		`{"field":"employees","op":"gte","value":20,"unit":"人"}`:                        criteria.Near,
		`{"field":"revenue","op":"gte","value":300,"unit":"万元"}`:                        criteria.Eligible,
		`{"field":"rdRatio","op":"gte","value":30,"unit":"‰"}`:                          criteria.Eligible,
		`{"field":"rdRatio","op":"gte","value":31,"unit":"‰"}`:                          criteria.Near,
		`{"field":"established","op":"years_since_gte","value":3,"unit":"年"}`:           criteria.Eligible,
		`{"field":"qualification","op":"has","value":"high_tech"}`:                      criteria.Eligible,
		`{"field":"creditStanding","op":"notOn","value":"严重失信"}`:                        criteria.Eligible,
		`{"field":"tag","op":"has","value":"烘焙"}`:                                       criteria.Eligible,
		`{"field":"sizeClass","op":"in","value":["medium","small","micro"]}`:            criteria.Eligible,
		`{"field":"sizeClass","op":"eq","value":"micro"}`:                               criteria.Eligible, // 14 of at least 20
		`{"field":"capital","op":"gte","value":50,"unit":"万元"}`:                         criteria.Eligible,
		`{"field":"assets","op":"lte","value":5000,"unit":"万元"}`:                        criteria.Undecided,
		`{"field":"rdSpend","of":"revenue","op":"ratio_gte","value":"3","unit":"%"}`:    criteria.Eligible,
		`{"not":{"field":"qualification","op":"has","value":"high_tech"}}`:              criteria.NotEligible,
		`{"field":"industry","op":"under","value":["65","64"],"label":"行业","quote":""}`: criteria.NotEligible,
	} {
		if got := decides(t, facts, condition); got != want && !(want == criteria.NotEligible && got == criteria.Near) {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
}

// Size is the set of classes that remain possible.
func TestSizeIsASet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		facts []enterprise.Fact
		in    string
		want  criteria.Decision
		words string
	}{
		{"only the industry", nil, `["large","medium","small","micro"]`, criteria.Eligible, "均有可能"},
		{"some staff", []enterprise.Fact{enterprise.NewFact("employees", int64(500), enterprise.FromSocial, day("2026-10-01"))}, `["medium","small","micro"]`, criteria.Eligible, "属于中小微企业"},
		{"not exact", []enterprise.Fact{enterprise.NewFact("employees", int64(500), enterprise.FromSocial, day("2026-10-01"))}, `["micro"]`, criteria.Undecided, "中型或小型或微型"},
		{"too old to count", []enterprise.Fact{enterprise.NewFact("employees", int64(500), enterprise.FromSocial, day("2020-10-01"))}, `["medium","small","micro"]`, criteria.Undecided, "均有可能"},
	} {
		f := mustNew(t)
		a := f.mustLoad(t, 7, append(c.facts, enterprise.NewFact("industry", "1411", enterprise.FromRegistry, day("2026-10-01")))...)
		if got := decides(t, f.mustFacts(t, a.EnterpriseID), `{"field":"sizeClass","op":"in","value":`+c.in+`}`); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
		m, err := f.Mine(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(m.Facts, func(x enterprise.FactView) bool { return x.Field == "sizeClass" })
		if i < 0 || !strings.Contains(m.Facts[i].Text, c.words) {
			t.Errorf("%s: %+v", c.name, m.Facts)
		}
	}
}

func TestWhichFactCounts(t *testing.T) {
	t.Parallel()
	n := func(v int64, s enterprise.Source, asOf string) enterprise.Fact {
		return enterprise.NewFact("employees", v, s, day(asOf))
	}
	for _, c := range []struct {
		name  string
		facts []enterprise.Fact
		want  int64
	}{
		{"the later day", []enterprise.Fact{n(10, enterprise.FromSocial, "2026-10-01"), n(9, enterprise.FromSocial, "2026-09-01")}, 10},
		{"the office before the company", []enterprise.Fact{n(10, enterprise.FromSocial, "2026-10-01"), n(99, enterprise.FromSelf, "2026-10-01")}, 10},
		{"the company when it knows better", []enterprise.Fact{n(10, enterprise.FromSocial, "2026-10-01"), n(12, enterprise.FromSelf, "2026-11-01")}, 12},
		{"the later record", []enterprise.Fact{n(10, enterprise.FromSocial, "2026-10-01"), n(11, enterprise.FromSocial, "2026-10-01")}, 11},
		{"nothing of tomorrow", []enterprise.Fact{n(10, enterprise.FromSocial, "2026-10-01"), n(11, enterprise.FromSocial, "2026-12-01")}, 10},
	} {
		f := mustNew(t)
		a := f.mustLoad(t, 7, c.facts...)
		facts := f.mustFacts(t, a.EnterpriseID)
		if facts["employees"].Value.Known() != true || decides(t, facts, fmt.Sprintf(`{"field":"employees","op":"eq","value":%d,"unit":"人"}`, c.want)) != criteria.Eligible {
			t.Errorf("%s: %+v", c.name, facts["employees"])
		}
	}
}

// What the owner says never stands before the registry in the registry's own fields, and is kept beside it.
func TestStatingDoesNotOverrideTheRegistry(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustLoad(t, 7, enterprise.NewFact("industry", "1411", enterprise.FromRegistry, day("2026-01-01")))
	m, err := f.State(ctx, a, enterprise.StateFacts{Key: "k", Employees: " １４ ", Revenue: "1,328.5", Industry: "正餐服务"})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(m.StatedFields, "industry") || m.Stated["employees"] != "14" || m.Stated["revenue"] != "1328.5" {
		t.Errorf("%+v", m)
	}
	if got := decides(t, f.mustFacts(t, a.EnterpriseID), `{"field":"industry","op":"under","value":["C"]}`); got != criteria.Eligible {
		t.Errorf("industry: %s", got)
	}
	if got := decides(t, f.mustFacts(t, a.EnterpriseID), `{"field":"revenue","op":"eq","value":"1328.5","unit":"万元"}`); got != criteria.Eligible {
		t.Errorf("revenue: %s", got)
	}
	before := f.count(t, "SELECT count(*) FROM enterprise_facts")
	if _, err := f.State(ctx, a, enterprise.StateFacts{Key: "k2", Employees: "14", Revenue: "1328.50", Industry: "6210"}); err != nil {
		t.Fatal(err)
	}
	if after := f.count(t, "SELECT count(*) FROM enterprise_facts"); after != before {
		t.Errorf("the same said again is recorded: %d → %d", before, after)
	}
	if _, err := f.State(ctx, a, enterprise.StateFacts{Key: "k3", Employees: "16"}); err != nil {
		t.Fatal(err)
	}
	if after := f.count(t, "SELECT count(*) FROM enterprise_facts"); after != before+1 {
		t.Errorf("history is not kept: %d → %d", before, after)
	}
}

func TestWhatCannotBeStated(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	for field, cmd := range map[string]enterprise.StateFacts{
		"employees": {Employees: "十四"}, "revenue": {Revenue: "12.345"}, "assets": {Assets: "-3"}, "rdSpend": {RDSpend: "99999999999"}, "industry": {Industry: "焙烤食品和面包"},
	} {
		_, err := f.State(context.Background(), a, cmd)
		x, ok := fault.As(err)
		if !ok || len(x.Fields) != 1 || x.Fields[0].Name != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, typed := range []string{"12.", "1e3", "0x10", "١٢", "14.5"} {
		if _, err := f.State(context.Background(), a, enterprise.StateFacts{Employees: typed}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", typed, err)
		}
	}
	if _, err := f.State(context.Background(), a, enterprise.StateFacts{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("nothing: %v", err)
	}
	_, err := f.State(context.Background(), a, enterprise.StateFacts{Industry: "制造"})
	if x, ok := fault.As(err); !ok || !strings.Contains(x.Message, "1411 糕点、面包制造") || !strings.Contains(x.Message, "1419") {
		t.Errorf("several fit: %v", err)
	}
}

func TestLoadIsTheSystems(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	if _, err := f.Load(context.Background(), reviewer(50), nil); !errors.Is(err, fault.ErrForbidden) {
		t.Error(err)
	}
	bad := enterprise.Known{Claim: claim(), At: start, Facts: []enterprise.Fact{enterprise.NewFact("employees", "many", enterprise.FromTax, start)}}
	if _, err := f.Load(context.Background(), system, []enterprise.Known{bad}); err == nil || f.count(t, "SELECT count(*) FROM enterprises") != 0 {
		t.Errorf("a fact that cannot be read: %v", err)
	}
}
