package canned_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/canned"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 17, 5, 0, 0, time.UTC) // the 23rd in Beijing
	steps = slices.Concat(audit.Migrations, idempotency.Migrations, canned.Migrations)
)

// book shows every ticket below 1000.
type book struct{}

func (book) Told(_ context.Context, _ access.Actor, id int64) (canned.Ticket, error) {
	if id >= 1000 {
		return canned.Ticket{}, fault.ErrNotFound
	}
	return canned.Ticket{Contact: "王女士", Number: "TZ20261122000001"}, nil
}

type fixture struct {
	*canned.Service
	db *database.DB
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	db := databasetest.New(t, steps)
	return fixture{canned.New(canned.Deps{DB: db, Clock: clock.NewFake(start), Tickets: book{}}), db}
}

var (
	agent   = access.Actor{UserID: 7, Name: "陈静", Party: access.Platform, Scope: access.ScopeDistrict}
	lead    = access.Actor{UserID: 8, Name: "赵强", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{canned.PermShare}}
	handler = access.Actor{UserID: 21, Name: "刘洋", Party: access.Government, DepartmentID: 100, DepartmentName: "登记注册科", DepartmentPath: [4]int64{1, 10, 100}}
	head    = access.Actor{UserID: 22, Name: "孙局", Party: access.Government, DepartmentID: 10, DepartmentName: "区市场监管局", DepartmentPath: [4]int64{1, 10},
		Permissions: []access.Permission{canned.PermShare}}
	taxes = access.Actor{UserID: 23, Name: "钱进", Party: access.Government, DepartmentID: 11, DepartmentName: "区税务局", DepartmentPath: [4]int64{1, 11}}
	owner = access.Actor{UserID: 30, Name: "王芳", Party: access.Enterprise}
)

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (f fixture) titles(t *testing.T, a access.Actor, q string) []string {
	t.Helper()
	out := []string{}
	for _, v := range must(f.List(ctx, a, q))(t) {
		out = append(out, v.Title)
	}
	return out
}

func save(h canned.Holder, title, code, body string) canned.Save {
	return canned.Save{Text: canned.Text{Holder: h, Title: title, Code: code, Body: body}}
}

func TestFill(t *testing.T) {
	t.Parallel()
	got, missing := canned.Fill("{{联系人}}，您的诉求（{{ 工单号 }}）已于{{今天}}转{{承办单位}}。{{承办单位}}{{别的}}", canned.Ticket{Contact: "王女士", Number: "TZ1"}, start)
	if got != "王女士，您的诉求（TZ1）已于2026年11月23日转承办单位。承办单位{{别的}}" || !slices.Equal(missing, []string{canned.InUnit}) {
		t.Errorf("%s, missing %v", got, missing)
	}
	// What a ticket says is put in as it is, never read again.
	if got, _ := canned.Fill("{{联系人}}", canned.Ticket{Contact: "{{今天}}$1"}, start); got != "{{今天}}$1" {
		t.Errorf("filled twice: %s", got)
	}
}

func TestWhoseTheyAre(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	mine := must(f.Save(ctx, agent, save(canned.Personal, "问候", "HI", "{{联系人}}您好")))(t)
	if mine.Code != "hi" || !mine.Editable {
		t.Errorf("%+v", mine)
	}
	if _, err := f.Save(ctx, agent, save(canned.Desk, "共享", "", "x")); !errors.Is(err, canned.ErrHolder) {
		t.Errorf("without the right: %v", err)
	}
	desk := must(f.Save(ctx, lead, save(canned.Desk, "受理提示", "slts", "已受理，工单号 {{工单号}}")))(t)
	unit := must(f.Save(ctx, head, save(canned.Unit, "口径", "kj", "已核实")))(t)
	if _, err := f.Save(ctx, head, save(canned.Desk, "越权", "", "x")); !errors.Is(err, canned.ErrHolder) {
		t.Errorf("a bureau writes for the desk: %v", err)
	}
	for who, want := range map[*access.Actor][]string{&agent: {"问候", "受理提示"}, &lead: {"受理提示"}, &handler: {"口径"}, &head: {"口径"}, &taxes: {}} {
		got := f.titles(t, *who, "")
		slices.Sort(got)
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(got, want) {
			t.Errorf("%s sees %v", who.Name, got)
		}
	}
	if v := must(f.Get(ctx, agent, desk.ID))(t); v.Editable {
		t.Error("an agent may change the desk's")
	}
	for name, err := range map[string]error{
		"another's":     f.Remove(ctx, lead, mine.ID, mine.Version),
		"another unit":  f.Remove(ctx, taxes, unit.ID, unit.Version),
		"without right": f.Remove(ctx, agent, desk.ID, desk.Version),
		"a company":     f.Remove(ctx, owner, desk.ID, desk.Version),
	} {
		if k := fault.KindOf(err); k != fault.NotFound && k != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Use(ctx, taxes, unit.ID, 0); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another unit's: %v", err)
	}
	edited := save(canned.Desk, "受理告知", "slts", "已受理")
	edited.ID, edited.Version = desk.ID, desk.Version
	desk = must(f.Save(ctx, lead, edited))(t)
	if _, err := f.Save(ctx, lead, edited); !errors.Is(err, canned.ErrStale) {
		t.Errorf("a stale version: %v", err)
	}
	if err := f.Remove(ctx, lead, desk.ID, desk.Version); err != nil {
		t.Fatal(err)
	}
	if got := f.titles(t, agent, ""); !slices.Equal(got, []string{"问候"}) {
		t.Errorf("after it was removed: %v", got)
	}
	must(f.Save(ctx, lead, save(canned.Desk, "重新使用", "slts", "x")))(t)
	n, err := f.db.Read().NewSelect().Model((*audit.Entry)(nil)).Where("object = ?", canned.Object).Count(ctx)
	if err != nil || n != 5 {
		t.Errorf("%d audit rows, %v", n, err)
	}
}

// One's own use puts a phrase first, and nobody else's.
func TestOrderOfUse(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := must(f.Save(ctx, lead, save(canned.Desk, "甲", "jia", "甲")))(t)
	b := must(f.Save(ctx, lead, save(canned.Desk, "乙", "yi", "{{工单号}}")))(t)
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			if _, err := f.Use(ctx, agent, b.ID, 7); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for range 3 {
		must(f.Use(ctx, lead, a.ID, 0))(t)
	}
	if got := f.titles(t, agent, ""); !slices.Equal(got, []string{"乙", "甲"}) {
		t.Errorf("the agent's order: %v", got)
	}
	if got := f.titles(t, lead, ""); !slices.Equal(got, []string{"甲", "乙"}) {
		t.Errorf("the lead's order: %v", got)
	}
	if got := must(f.Get(ctx, agent, b.ID))(t); got.OwnUses != 5 || got.Uses != 5 {
		t.Errorf("%+v", got)
	}
	if got := f.titles(t, agent, "/ji"); !slices.Equal(got, []string{"甲"}) {
		t.Errorf("by code: %v", got)
	}
	if got := must(f.Use(ctx, agent, b.ID, 7))(t); got.Text != "TZ20261122000001" || len(got.Missing) != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := f.Use(ctx, agent, b.ID, 2000); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a ticket the actor does not see: %v", err)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	for field, cmd := range map[string]canned.Save{
		"title":  save(canned.Personal, " ", "", "x"),
		"body":   save(canned.Personal, "名", "", "{{电话}}"),
		"code":   save(canned.Personal, "名", "a b", "x"),
		"holder": save("odd", "名", "", "x"),
	} {
		_, err := f.Save(ctx, agent, cmd)
		fa, ok := fault.As(err)
		if !ok || fa.Kind != fault.Invalid || !slices.ContainsFunc(fa.Fields, func(x fault.Field) bool { return x.Name == field }) {
			t.Errorf("%s: %v", field, err)
		}
	}
	must(f.Save(ctx, agent, save(canned.Personal, "名", "/abc", "x")))(t)
	if _, err := f.Save(ctx, agent, save(canned.Personal, "名二", "ABC", "x")); !errors.Is(err, canned.ErrCode) {
		t.Errorf("a code that is taken: %v", err)
	}
	must(f.Save(ctx, lead, save(canned.Personal, "名", "abc", "x")))(t)
	if _, err := f.List(ctx, owner, ""); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a company: %v", err)
	}
}
