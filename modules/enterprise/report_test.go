package enterprise_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestReportStaysAsItWas makes a report once, changes what it tells of, and reads it again.
func TestReportStaysAsItWas(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustLoad(t, 7, enterprise.NewFact("established", "2016-11-22", enterprise.FromRegistry, day("2026-10-01")),
		enterprise.NewFact("revenue", int64(300_000_000), enterprise.FromTax, day("2025-12-30")))
	var v enterprise.ReportView
	for range 2 { // a double click
		var err error
		if v, err = f.MakeReport(ctx, a, enterprise.MakeReport{Key: "r"}); err != nil {
			t.Fatal(err)
		}
	}
	if !regexp.MustCompile(`^ZX20261122-[A-Z2-7]{8}$`).MatchString(v.Number) || !v.Own || v.Basis != "企业自行生成" || len(v.Digest) != 64 || len(v.Within) != len(enterprise.Groups()) || len(v.LeftOut) != 0 ||
		!v.Portrait.At.Equal(start) || v.Portrait.Name == "" || v.Disclaimer == "" {
		t.Fatalf("%+v", v)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_reports"); n != 1 {
		t.Fatalf("%d reports", n)
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'enterprise.report'"); n != 1 {
		t.Errorf("%d audit rows", n)
	}
	f.clock.Advance(24 * time.Hour)
	if _, err := f.State(ctx, a, enterprise.StateFacts{Key: "s", Employees: "14"}); err != nil {
		t.Fatal(err)
	}
	again, err := f.Report(ctx, a, v.Number, "")
	if err != nil || again.Digest != v.Digest || fmt.Sprint(again) != fmt.Sprint(v) {
		t.Errorf("it reads otherwise now: %+v, %v", again, err)
	}
	for _, part := range again.Portrait.Parts {
		for _, x := range part.Facts {
			if x.Field == "employees" {
				t.Error("it tells what was said afterwards")
			}
			if x.Source == "" || x.AsOf.IsZero() {
				t.Errorf("%+v has no origin", x)
			}
		}
	}
	content, err := f.ReportContent(ctx, a, v.Number)
	if sum := sm3.Sum([]byte(content)); err != nil || hex.EncodeToString(sum[:]) != v.Digest {
		t.Errorf("the digest is not over the content: %v", err)
	}
	list, _, err := f.Reports(ctx, a, 0, "", 0)
	if err != nil || len(list) != 1 || list[0].Number != v.Number || list[0].Code != v.Code {
		t.Errorf("%+v, %v", list, err)
	}
	// Staff do not have what the company made for itself; nor has another company.
	if _, err := f.Report(ctx, keeper(), v.Number, ""); !errors.Is(err, fault.ErrNotFound) {
		t.Error("staff:", err)
	}
	if list, _, err := f.Reports(ctx, keeper(), a.EnterpriseID, "", 0); err != nil || len(list) != 0 {
		t.Errorf("staff: %+v, %v", list, err)
	}
	other := f.mustOpen(t, 8, "别家")
	if _, err := f.Report(ctx, other, v.Number, ""); !errors.Is(err, fault.ErrNotFound) {
		t.Error("another company:", err)
	}
	if _, err := f.MakeReport(ctx, other, enterprise.MakeReport{Key: "o"}); !errors.Is(err, enterprise.ErrReportUnverified) {
		t.Error("unverified:", err)
	}
	for i := 1; i < enterprise.MaxReports; i++ {
		if _, err := f.MakeReport(ctx, a, enterprise.MakeReport{Key: fmt.Sprint("n", i)}); err != nil {
			t.Fatal(i, err)
		}
	}
	if _, err := f.MakeReport(ctx, a, enterprise.MakeReport{Key: "last"}); err != nil { // the first was yesterday's
		t.Fatal(err)
	}
	if _, err := f.MakeReport(ctx, a, enterprise.MakeReport{Key: "beyond"}); !errors.Is(err, enterprise.ErrReportLimit) {
		t.Error("beyond the limit:", err)
	}
}

// TestReportsOfStaff makes reports with consent, without, and with a basis; what is not agreed to is left out and said.
func TestReportsOfStaff(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	consents := agreed{not: map[int64]bool{}}
	some := partly{agreed: consents, groups: []string{"basic"}}
	f := mustNew(t, func(d *enterprise.Deps) { d.Consents = &some })
	a := f.mustLoad(t, 7, enterprise.NewFact("established", "2016-11-22", enterprise.FromRegistry, day("2026-10-01")),
		enterprise.NewFact("revenue", int64(300_000_000), enterprise.FromTax, day("2025-12-30")))
	v, err := f.MakeReport(ctx, keeper(), enterprise.MakeReport{Key: "r", EnterpriseID: a.EnterpriseID})
	if err != nil || v.Own || v.Basis != "企业数据授权（企业画像）" || len(v.Within) != 1 || len(v.LeftOut) != len(enterprise.Groups())-1 || len(v.Portrait.Parts) != 1 || len(v.Portrait.Series) != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	if len(some.asked) == 0 || some.asked[0].What != "生成企业征信报告" || some.asked[0].Purpose != "portrait" {
		t.Errorf("%+v", some.asked)
	}
	some.groups = everyGroup()
	whole, err := f.MakeReport(ctx, keeper(), enterprise.MakeReport{Key: "w", EnterpriseID: a.EnterpriseID, Basis: "duty"})
	if err != nil || whole.Basis != "法定依据：依据duty" || len(whole.LeftOut) != 0 || some.asked[len(some.asked)-1].Basis != "duty" {
		t.Fatalf("%+v, %v", whole, err)
	}
	// The company agrees to less: the larger report is not read any more, the smaller is, and the company reads both.
	some.groups = []string{"basic"}
	if _, err := f.Report(ctx, keeper(), whole.Number, ""); !errors.Is(err, enterprise.ErrReportBeyond) {
		t.Error(err)
	}
	if got, err := f.Report(ctx, keeper(), v.Number, ""); err != nil || got.Digest != v.Digest {
		t.Errorf("%+v, %v", got, err)
	}
	list, _, err := f.Reports(ctx, a, 0, "", 0)
	if err != nil || len(list) != 2 || list[0].Number != whole.Number || list[0].MadeName != "李数据" {
		t.Errorf("%+v, %v", list, err)
	}
	consents.not[a.EnterpriseID] = true
	before := f.count(t, "SELECT count(*) FROM enterprise_reports")
	if _, err := f.MakeReport(ctx, keeper(), enterprise.MakeReport{Key: "x", EnterpriseID: a.EnterpriseID}); !errors.Is(err, errNotAgreed) {
		t.Error("without consent:", err)
	}
	if _, err := f.Report(ctx, keeper(), v.Number, ""); !errors.Is(err, errNotAgreed) {
		t.Error("without consent:", err)
	}
	nobody := access.Actor{UserID: 51, Party: access.Government, Scope: access.ScopeDistrict}
	if _, err := f.MakeReport(ctx, nobody, enterprise.MakeReport{Key: "y", EnterpriseID: a.EnterpriseID}); !errors.Is(err, fault.ErrForbidden) {
		t.Error("without the right:", err)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_reports"); n != before {
		t.Errorf("%d reports, %d before", n, before)
	}
}

// partly lets everybody read some groups, and keeps what they asked for.
type partly struct {
	agreed
	groups []string
	asked  []enterprise.Reading
}

func (p *partly) Read(ctx context.Context, actor access.Actor, id int64, r enterprise.Reading) ([]string, error) {
	p.asked = append(p.asked, r)
	if _, err := p.agreed.Read(ctx, actor, id, r); err != nil {
		return nil, err
	}
	return p.groups, nil
}

func TestMemberMakesReportsWithAMandate(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustBeVerified(t)
	m := f.mustOpen(t, 8, "别家")
	f.mustVerify(t, m, "join", claim(), enterprise.Held)
	joins, err := f.Members(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Admit(ctx, a, enterprise.AdmitJoin{Decide: enterprise.Decide{ID: joins.Requests[0].ID, Version: joins.Requests[0].Version, Key: "admit"}}); err != nil {
		t.Fatal(err)
	}
	m.EnterpriseID = a.EnterpriseID
	if _, err := f.MakeReport(ctx, m, enterprise.MakeReport{Key: "r"}); !errors.Is(err, enterprise.ErrRight) {
		t.Fatal(err)
	}
	give := enterprise.Mandate{Key: "m", UserID: 8, Rights: []enterprise.Right{enterprise.RightReports}, Until: start.AddDate(0, 0, 9).Format(time.DateOnly)}
	if _, err := f.Mandate(ctx, a, give); err != nil {
		t.Fatal(err)
	}
	if v, err := f.MakeReport(ctx, m, enterprise.MakeReport{Key: "r"}); err != nil || v.MadeBy != m.Name {
		t.Fatalf("%+v, %v", v, err)
	}
}

// TestGenuine verifies a report by its number and code, and tells nothing of any other.
func TestGenuine(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	ctx := context.Background()
	baker := b.fixture.mustActor(t, 7)
	b.mustVerify(t, baker, "k", claim(), enterprise.Agreed)
	v, err := b.MakeReport(ctx, baker, enterprise.MakeReport{Key: "r"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		number, code string
		genuine      bool
	}{
		"as printed":       {v.Number, v.Code, true},
		"as typed":         {" " + strings.ToLower(v.Number), strings.ToLower(strings.ReplaceAll(v.Code, "-", " ")), true},
		"the whole digest": {v.Number, v.Digest, true},
		"another code":     {v.Number, "0000-0000-0000-0000", false},
		"too short":        {v.Number, v.Code[:10], false},
		"longer":           {v.Number, v.Digest + "00", false},
		"another number":   {"ZX20261122-AAAAAAAA", v.Code, false},
		"nothing":          {"", "", false},
	} {
		g, err := b.Genuine(ctx, c.number, c.code)
		if c.genuine != (err == nil) || err != nil && !errors.Is(err, enterprise.ErrNotGenuine) || c.genuine && (g.Name != "麦香****有限公司" || !g.MadeAt.Equal(start)) {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
	status, _, html := b.raw("nobody", "GET", "/reports/verify?number="+v.Number+"&code="+v.Code, "", "", nil, "")
	if status != 200 || !strings.Contains(html, "核验一致") || !strings.Contains(html, "麦香****有限公司") {
		t.Errorf("%d %s", status, html)
	}
	for _, secret := range []string{theCode, "王丽", "麦香烘焙", "糕点"} {
		if strings.Contains(html, secret) {
			t.Errorf("a stranger learns %s", secret)
		}
	}
	wrong, _, html := b.raw("nobody", "GET", "/reports/verify?number="+v.Number+"&code=0000000000000000", "", "", nil, "")
	none, _, other := b.raw("nobody", "GET", "/reports/verify?number=ZX20261122-AAAAAAAA&code=0000000000000000", "", "", nil, "")
	if wrong != 404 || none != 404 || !strings.Contains(html, "核验不一致") || strings.ReplaceAll(html, v.Number, "ZX20261122-AAAAAAAA") != other {
		t.Errorf("a wrong code reads otherwise than a wrong number: %d %d", wrong, none)
	}
}

func TestReportOnThePage(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	get := func(who, path string) (int, string) {
		status, _, html := b.raw(who, "GET", path, "", "", nil, "")
		return status, html
	}
	if status, html := get("baker", "/company/reports"); status != 200 || !strings.Contains(html, "通过认证后才能生成") || strings.Contains(html, `action="/company/reports"`) {
		t.Fatalf("unverified: %d %s", status, html)
	}
	b.mustVerify(t, b.fixture.mustActor(t, 7), "k", claim(), enterprise.Agreed)
	status, html := get("baker", "/company/portrait")
	if status != 200 {
		t.Fatalf("%d %s", status, html)
	}
	for _, want := range []string{"<polygon", `role="img" aria-label="各维度得分：`, "缺少：", "来源", "经营稳定", "工商登记", "知识产权"} {
		if !strings.Contains(html, want) {
			t.Errorf("the portrait lacks %s", want)
		}
	}
	_, html = get("baker", "/company/reports")
	key := regexp.MustCompile(`action="/company/reports"[^§]*?name="key" value="([^"]+)"`).FindStringSubmatch(html)
	if key == nil {
		t.Fatal(html)
	}
	var at string
	for range 2 {
		status, to, html := b.form("baker", "/company/reports", map[string]string{"key": key[1]}, nil)
		if status != 303 || at != "" && to != at {
			t.Fatalf("%d %s %s", status, to, html)
		}
		at = to
	}
	status, html = get("baker", at)
	for _, want := range []string{"企业征信报告", "核验码", "内容摘要值（SM3）", "企业自行生成", "<polygon", "不替代征信机构", "/reports/verify?number="} {
		if status != 200 || !strings.Contains(html, want) {
			t.Errorf("%d, the report lacks %s", status, want)
		}
	}
	if status, text := get("baker", at+"/content"); status != 200 || !strings.Contains(text, `"number":"ZX20261122-`) {
		t.Errorf("%d %s", status, text)
	}
	for _, who := range []string{"rival", "desk", "nobody"} {
		for _, path := range []string{at, at + "/content"} {
			if status, html := get(who, path); status < 300 || strings.Contains(html, "麦香烘焙") {
				t.Errorf("%s: %d %s", who, status, path)
			}
		}
	}
}

// mustActor is a person of the served fixture, who acts for their first company.
func (f fixture) mustActor(t *testing.T, user int64) access.Actor {
	t.Helper()
	a := access.Actor{UserID: user, Name: fmt.Sprintf("张三%d", user), Party: access.Enterprise, Scope: access.ScopeSelf}
	a.EnterpriseID = int64(f.count(t, "SELECT enterprise_id FROM enterprise_members WHERE user_id = ?", user))
	return a
}
