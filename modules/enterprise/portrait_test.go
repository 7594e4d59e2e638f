package enterprise_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestSizeIsReckoned says how a size came about, and follows a new edition of the thresholds from its day on.
func TestSizeIsReckoned(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7, enterprise.NewFact("industry", "1411", enterprise.FromRegistry, day("2026-10-01")), enterprise.NewFact("employees", int64(45), enterprise.FromSocial, day("2026-10-01")))
	size := func() enterprise.SizeView {
		v, err := f.Get(t.Context(), keeper(), a.EnterpriseID, "")
		if err != nil || v.Size == nil {
			t.Fatal(v.Size, err)
		}
		return *v.Size
	}
	s := size()
	if strings.Join(s.Classes, " ") != "small micro" || s.IsSME != "yes" || !strings.Contains(s.Reckoning, "从业人员 45 人 → 小型；营业收入缺失；结果 {小,微}") || s.Scale != "unknown" {
		t.Errorf("%+v", s)
	}
	b := f.mustLoadOther(t, enterprise.NewFact("industry", "1411", enterprise.FromRegistry, day("2026-10-01")), enterprise.NewFact("revenue", int64(2_500_000_000), enterprise.FromTax, day("2025-12-31")),
		enterprise.NewFact("aboveScale", false, enterprise.FromBureau, day("2026-10-01")))
	v, err := f.Get(t.Context(), keeper(), b, "")
	if err != nil || v.Size.Scale != "reached" || !strings.Contains(v.Size.ScaleText, "不在库") {
		t.Errorf("%+v %v", v.Size, err)
	}
	add := func(from string) error {
		_, err := f.AddEdition(t.Context(), access.SystemActor("settings"), enterprise.SizeEditionBody{Kind: "size", Document: "新标准", From: from,
			Rows: []enterprise.SizeRowBody{{Name: "工业", Codes: []string{"14"}, Employees: []int64{30, 20, 10}}}}.Edition(), from)
		return err
	}
	if err := add("2099-01-01"); err != nil || !strings.Contains(size().Reckoning, "2011") {
		t.Errorf("an edition to come counts: %v %+v", err, size())
	}
	if err := add("2026-11-01"); err != nil || size().Text != "大型" || !strings.Contains(size().Reckoning, "新标准") {
		t.Errorf("the new edition does not count: %v %+v", err, size())
	}
	if err := add("2026-11-01 "); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
	upside := enterprise.SizeEditionBody{Kind: "size", Document: "倒置", From: "2027-01-01", Rows: []enterprise.SizeRowBody{{Name: "甲", Codes: []string{"14"}, Employees: []int64{1, 2, 3}}}}
	if err := upside.Check(); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func (f fixture) mustLoadOther(t *testing.T, facts ...enterprise.Fact) int64 {
	t.Helper()
	ids, err := f.Load(context.Background(), system, []enterprise.Known{{Claim: enterprise.Claim{Name: "另一家有限公司"}, At: start.AddDate(0, -1, 0), Facts: facts}})
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

// TestPortrait shows each part with its origin, the years, and measures with what they rest on.
func TestPortrait(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustLoad(t, 7, enterprise.NewFact("established", "2016-11-22", enterprise.FromRegistry, day("2026-10-01")), enterprise.NewFact("industry", "1411", enterprise.FromRegistry, day("2026-10-01")),
		enterprise.NewFact("revenue", int64(200_000_000), enterprise.FromTax, day("2024-12-30")), enterprise.NewFact("revenue", int64(300_000_000), enterprise.FromTax, day("2025-12-30")),
		enterprise.NewFact("rdSpend", int64(9_000_000), enterprise.FromTax, day("2025-12-30")), enterprise.NewFact("creditStanding", []enterprise.Holding{{Code: "经营异常"}}, enterprise.FromCredit, day("2026-10-01")))
	p, err := f.Portrait(t.Context(), keeper(), a.EnterpriseID, "")
	if err != nil || p.Size == nil || len(p.Parts) != len(enterprise.Groups()) || !strings.Contains(p.Mark, "李数据") {
		t.Fatalf("%+v %v", p, err)
	}
	want := map[string]int{"steady": 100, "innovation": 30, "credit": 50}
	for _, m := range p.Evaluation.Measures {
		if n, ok := want[m.Code]; ok && (m.Points < n-1 || m.Points > n) || m.Formula == "" || len(m.Because) == 0 {
			t.Errorf("%+v", m)
		}
	}
	if len(p.Series) == 0 || len(p.Series[0].Points) != 2 || p.Series[0].Points[0].Year != 2024 || p.Series[0].Points[0].Value != 20_000 || p.Series[0].Points[0].Source == "" {
		t.Errorf("%+v", p.Series)
	}
	for _, part := range p.Parts {
		for _, x := range part.Facts {
			if x.Source == "" || x.AsOf.IsZero() {
				t.Errorf("%+v has no origin", x)
			}
		}
	}
	if len(p.Parts[0].Missing) == 0 {
		t.Error("nothing is said to be missing")
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'enterprise.portrait'"); n != 1 {
		t.Errorf("%d readings in the log", n)
	}
	mine, err := f.MyPortrait(t.Context(), a)
	if err != nil || mine.Evaluation.Points != p.Evaluation.Points {
		t.Errorf("%+v %v", mine, err)
	}
	if _, err := f.Portrait(t.Context(), a, a.EnterpriseID, ""); !errors.Is(err, fault.ErrForbidden) {
		t.Error(err)
	}
	if _, err := f.MyPortrait(t.Context(), access.Actor{UserID: 9, Party: access.Enterprise, EnterpriseID: a.EnterpriseID}); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}
