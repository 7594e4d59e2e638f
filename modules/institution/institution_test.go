package institution_test

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/uscc"
	"github.com/huiqi/huiqi/platform/web"
)

var start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, institution.Migrations)

type fixture struct {
	*institution.Service
	db    *database.DB
	told  *[]institution.Card
	veto  *error
	clock *clock.Fake
	// people are the accounts a neighbour keeps.
	people *people
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	key, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": key}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{db: databasetest.New(t, steps), told: &[]institution.Card{}, veto: new(error), clock: clock.NewFake(start), people: &people{}}
	f.Service = institution.New(institution.Deps{DB: f.db, Clock: f.clock, DemoCodes: true, Box: box, Files: &shelf{tied: map[int64][]int64{}}, Desk: twoDays{}, Accounts: f.people,
		Operators: f.people, Hooks: institution.Hooks{
			Changed: func(_ context.Context, _ bun.Tx, c institution.Card) error {
				*f.told = append(*f.told, c)
				return *f.veto
			},
		}})
	return f
}

func person(id int64, name string, party access.Party, of int64, rights ...access.Permission) access.Actor {
	slices.Sort(rights)
	return access.Actor{UserID: id, Name: name, Party: party, Scope: access.ScopeDistrict, InstitutionID: of, Permissions: rights}
}

var (
	manager  = person(1, "运营周", access.Platform, 0, institution.PermView, institution.PermManage)
	manager2 = person(2, "运营吴", access.Platform, 0, institution.PermView, institution.PermManage)
	viewer   = person(3, "终审郑", access.Government, 0, institution.PermView)
	baker    = person(4, "王芳", access.Enterprise, 0)
)

func operator(of int64) access.Actor { return person(9, "柜员", access.Institution, of) }

func bank(n int) institution.Details {
	return institution.Details{Name: fmt.Sprintf("运河银行𠮷%d号支行", n), Kind: "bank", CreditCode: string(uscc.Demo(n)), LegalPerson: "陈立", Phone: "010-60000001",
		Address: "运河大道1号", Summary: "面向小微企业发放贷款。", Qualifications: []institution.Licence{{Name: "金融许可证", No: "演示1001号", To: "2027-06-30"}}}
}

func (f fixture) mustOpen(t *testing.T, n int) institution.View {
	t.Helper()
	v, err := f.Open(context.Background(), manager, institution.OpenInstitution{Details: bank(n)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ref(v institution.View) institution.Ref {
	return institution.Ref{ID: v.ID, Version: v.Version}
}

func TestAnInstitutionFromItsRegistration(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, 1)
	if v.Status != institution.Active || v.KindName != "银行" || len(v.Qualifications) != 1 || v.Expiring != "" || !v.Manage {
		t.Fatalf("%+v", v)
	}
	d := bank(1)
	d.Name, d.Qualifications[0].To = "大运河银行", "2026-12-31"
	v, err := f.Edit(ctx, manager, institution.EditInstitution{Ref: ref(v), Details: d})
	if err != nil || v.Name != "大运河银行" || v.Expiring != "2026-12-31" {
		t.Fatalf("%+v %v", v, err)
	}
	v, err = f.Suspend(ctx, manager, institution.SuspendInstitution{Ref: ref(v), Reason: "许可证换发期间暂停"})
	if err != nil || v.Status != institution.Suspended || v.Reason == "" {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Suspend(ctx, manager, institution.SuspendInstitution{Ref: ref(v), Reason: "许可证换发期间暂停"}); !errors.Is(err, institution.ErrState) {
		t.Errorf("suspended twice: %v", err)
	}
	if v, err = f.Resume(ctx, manager, institution.ResumeInstitution{Ref: ref(v)}); err != nil || v.Status != institution.Active || v.Reason != "" {
		t.Fatalf("%+v %v", v, err)
	}
	var active []bool
	for _, c := range *f.told {
		active = append(active, c.Active)
		if c.Name != "大运河银行" || c.Phone != "010-60000001" {
			t.Errorf("neighbours are told %+v", c)
		}
	}
	if !slices.Equal(active, []bool{true, false, true}) {
		t.Errorf("neighbours are told %v", active)
	}
	var labels []string
	for _, s := range v.Timeline {
		labels = append(labels, s.Label+" "+s.Text+" "+s.Actor)
	}
	if want := []string{"登记机构  运营周", "修改信息  运营周", "暂停服务 许可证换发期间暂停 运营周", "恢复服务  运营周"}; !slices.Equal(labels, want) {
		t.Errorf("timeline %q", labels)
	}
	own, err := f.Get(ctx, operator(v.ID), v.ID)
	if err != nil || own.Manage || own.Timeline[2].Actor != "" || own.Timeline[2].Text == "" {
		t.Errorf("its operator sees %+v %v", own, err)
	}
	if name, err := f.InstitutionName(ctx, f.db.Read(), v.ID); err != nil || name != "大运河银行" {
		t.Errorf("%q %v", name, err)
	}
	if _, err := f.InstitutionName(ctx, f.db.Read(), 99); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}

func TestWhoSeesWhich(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	a, b := f.mustOpen(t, 1), f.mustOpen(t, 2)
	for name, c := range map[string]struct {
		who  access.Actor
		want []int64
	}{
		"who manages": {manager, []int64{b.ID, a.ID}}, "who views": {viewer, []int64{b.ID, a.ID}}, "an operator": {operator(a.ID), []int64{a.ID}},
		"a company": {baker, nil}, "staff without the right": {person(5, "坐席", access.Platform, 0), nil},
		"an operator with the right of staff": {person(6, "柜员", access.Institution, b.ID, institution.PermView), []int64{b.ID}},
	} {
		items, _, err := f.List(ctx, c.who, institution.ListFilter{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []int64
		for _, it := range items {
			got = append(got, it.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s lists %v", name, got)
		}
		for _, v := range []institution.View{a, b} {
			if _, err := f.Get(ctx, c.who, v.ID); (err == nil) != slices.Contains(c.want, v.ID) || err != nil && !errors.Is(err, fault.ErrNotFound) {
				t.Errorf("%s opens %d: %v", name, v.ID, err)
			}
		}
	}
	if _, err := f.Open(ctx, viewer, institution.OpenInstitution{Details: bank(3)}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("registered without the right: %v", err)
	}
	if _, _, err := f.List(ctx, access.Actor{}, institution.ListFilter{}); !errors.Is(err, fault.ErrUnauthorized) {
		t.Errorf("a visitor: %v", err)
	}
}

func TestListsPageAndNarrow(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for n := range 5 {
		f.mustOpen(t, n)
	}
	var got []string
	cursor := ""
	for {
		items, next, err := f.List(ctx, viewer, institution.ListFilter{Limit: 2, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			got = append(got, it.Name)
		}
		if cursor = next; next == "" {
			break
		}
	}
	if len(got) != 5 || got[0] != "运河银行𠮷4号支行" {
		t.Errorf("%q", got)
	}
	for q, want := range map[string]int{"3号": 1, "𠮷": 5, "%": 0, "_": 0, "没有": 0} {
		if items, _, err := f.List(ctx, viewer, institution.ListFilter{Query: q}); err != nil || len(items) != want {
			t.Errorf("%q finds %d %v", q, len(items), err)
		}
	}
	if items, _, _ := f.List(ctx, viewer, institution.ListFilter{Status: institution.Suspended}); len(items) != 0 {
		t.Errorf("suspended: %v", items)
	}
	v, err := f.Get(ctx, manager, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Suspend(ctx, manager, institution.SuspendInstitution{Ref: ref(v), Reason: "许可证到期"}); err != nil {
		t.Fatal(err)
	}
	partners, err := f.Partners(ctx, 3)
	if err != nil || len(partners) != 3 || partners[0].Name != "运河银行𠮷1号支行" {
		t.Errorf("partners %v %v", partners, err)
	}
	if _, _, err := f.List(ctx, viewer, institution.ListFilter{Cursor: "x"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a broken cursor: %v", err)
	}
}

func TestWhatMayNotBeTyped(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for name, c := range map[string]struct {
		change func(*institution.Details)
		fields string
	}{
		"nothing":          {func(d *institution.Details) { *d = institution.Details{} }, "name legalPerson address kind creditCode phone summary"},
		"unknown kind":     {func(d *institution.Details) { d.Kind = "casino" }, "kind"},
		"wrong code":       {func(d *institution.Details) { d.CreditCode = d.CreditCode[:17] + "?" }, "creditCode"},
		"no phone":         {func(d *institution.Details) { d.Phone = "12" }, "phone"},
		"no date":          {func(d *institution.Details) { d.Qualifications[0].To = "明年" }, "qualifications.0.to"},
		"nameless licence": {func(d *institution.Details) { d.Qualifications[0].Name = "" }, "qualifications.0.name"},
		"long name":        {func(d *institution.Details) { d.Name = strings.Repeat("行", 101) }, "name"},
	} {
		d := bank(7)
		c.change(&d)
		_, err := f.Open(ctx, manager, institution.OpenInstitution{Details: d})
		fl, ok := fault.As(err)
		if !ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, x := range fl.Fields {
			got = append(got, x.Name)
		}
		if strings.Join(got, " ") != c.fields {
			t.Errorf("%s: %v", name, got)
		}
	}
	f.mustOpen(t, 7)
	if _, err := f.Open(ctx, manager, institution.OpenInstitution{Details: bank(7)}); !errors.Is(err, institution.ErrTaken) {
		t.Errorf("the same code twice: %v", err)
	}
	v := f.mustOpen(t, 8)
	if _, err := f.Edit(ctx, manager, institution.EditInstitution{Ref: ref(v), Details: bank(7)}); !errors.Is(err, institution.ErrTaken) {
		t.Errorf("edited to another's code: %v", err)
	}
}

func TestTwoAtOnceAndTheSameKey(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, 1)
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, by := range []access.Actor{manager, manager2} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, errs[i] = f.Suspend(ctx, by, institution.SuspendInstitution{Ref: ref(v), Reason: "许可证到期"})
		}()
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("errors %v", errs)
	}
	winner := manager.Name
	if errs[0] != nil {
		winner = manager2.Name
	}
	_, err := f.Edit(ctx, manager, institution.EditInstitution{Ref: ref(v), Details: bank(1)})
	if !errors.Is(err, institution.ErrStale) || !strings.Contains(err.Error(), winner) {
		t.Errorf("stale: %v", err)
	}
	var ids []int64
	for range 2 {
		v, err := f.Open(ctx, manager, institution.OpenInstitution{Key: "k", Details: bank(2)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	if ids[0] != ids[1] {
		t.Errorf("two institutions of one submission: %v", ids)
	}
}

func TestANeighboursErrorUndoesTheChange(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, 1)
	*f.veto = errors.New("index is broken")
	if _, err := f.Suspend(ctx, manager, institution.SuspendInstitution{Ref: ref(v), Reason: "许可证到期"}); err == nil {
		t.Fatal("no error")
	}
	if now, err := f.Get(ctx, manager, v.ID); err != nil || now.Status != institution.Active || now.Version != 1 || len(now.Timeline) != 1 {
		t.Errorf("%+v %v", now, err)
	}
}

func TestInstitutionsOverHTTP(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustOpen(t, 1)
	people := map[string]access.Actor{"manager": manager, "viewer": viewer, "operator": operator(1), "other": operator(2), "baker": baker}
	edge, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(_ context.Context, token string) (access.Actor, error) {
			if a, ok := people[token]; ok {
				return a, nil
			}
			return access.Actor{}, fault.ErrUnauthorized
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	institution.Register(edge.API, f.Service)
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	send := func(who, method, path, body, csrf string) (int, string) {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-CSRF-Token", csrf)
		req.Header.Set("Idempotency-Key", fmt.Sprintf("%x", md5.Sum([]byte(path+body))))
		res, err := edge.App.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	details := `{"name":"公信律师事务所","kind":"law","creditCode":"` + string(uscc.Demo(5)) + `","legalPerson":"李","phone":"13800138000","address":"运河大道","summary":"合同与用工服务","qualifications":[]}`
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"visitor", "nobody", "GET", "/api/institutions", "", 401, "SIGN_IN_REQUIRED", ""},
		{"company", "baker", "GET", "/api/institutions", "", 403, "FORBIDDEN", ""},
		{"list", "viewer", "GET", "/api/institutions", "", 200, "运河银行", ""},
		{"kinds", "operator", "GET", "/api/institution-kinds", "", 200, "律师事务所", ""},
		{"own", "operator", "GET", "/api/institutions/1", "", 200, "金融许可证", ""},
		{"foreign", "other", "GET", "/api/institutions/1", "", 404, "NOT_FOUND", "运河"},
		{"missing", "other", "GET", "/api/institutions/99", "", 404, "NOT_FOUND", ""},
		{"register without the right", "viewer", "POST", "/api/institutions", details, 403, "FORBIDDEN", ""},
		{"register", "manager", "POST", "/api/institutions", details, 200, `"status":"active"`, ""},
		{"register twice", "manager", "POST", "/api/institutions", details, 200, `"id":2,`, ""},
		{"suspend", "manager", "POST", "/api/institutions/2/suspend", `{"version":1,"reason":"执业许可到期"}`, 200, `"status":"suspended"`, ""},
		{"stale", "manager", "POST", "/api/institutions/2/resume", `{"version":1}`, 409, "运营周", ""},
		{"resume", "manager", "POST", "/api/institutions/2/resume", `{"version":2}`, 200, `"status":"active"`, ""},
		{"edit", "manager", "POST", "/api/institutions/2/edit", `{"version":3,"details":` + strings.Replace(details, "公信", "大公信", 1) + `}`, 200, "大公信", ""},
	} {
		_, csrf := send(c.who, "GET", "/csrf", "", "")
		status, body := send(c.who, c.method, c.path, c.body, csrf)
		if status != c.status || !strings.Contains(body, c.has) || (c.lacks != "" && strings.Contains(body, c.lacks)) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

func ExampleService_Card() {
	var s *institution.Service // made by New
	if s == nil {
		return
	}
	card, err := s.Card(context.Background(), nil, 1)
	fmt.Println(card.Name, card.Active, err)
}
