package extra_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/extra"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/idempotency"
)

func mustNew(t *testing.T) (*extra.Service, *database.DB) {
	t.Helper()
	db := databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, extra.Migrations))
	return extra.New(db, clock.NewFake(time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)), []extra.Kind{{Code: "financing", Name: "融资服务"}, {Code: "legal", Name: "法律服务"}, {Code: "mortgage", Name: "抵押融资"}}, "product.view"), db
}

var (
	desk   = access.Actor{UserID: 9, Name: "运营", Party: access.Platform, Permissions: []access.Permission{extra.PermManage}}
	banker = access.Actor{UserID: 8, Name: "柜员", Party: access.Institution, InstitutionID: 1, Permissions: []access.Permission{"product.view"}}
)

func pledge() extra.Field {
	return extra.Field{Subject: extra.Application, Field: form.OwnField{Key: "pledge", Label: "抵押物类型", Kind: form.Choice, Options: []string{"房产", "设备"}},
		Kinds: []string{"mortgage"}, Audience: extra.Everyone, Sort: 20}
}

func keys(list []extra.Field) string {
	var out []string
	for _, f := range list {
		out = append(out, f.Field.Key)
	}
	return strings.Join(out, " ")
}

func TestAFieldIsDefinedChangedAndRetired(t *testing.T) {
	t.Parallel()
	s, db := mustNew(t)
	ctx := context.Background()
	if _, err := s.Save(ctx, desk, extra.Save{Field: pledge(), Key: "a"}); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Save(ctx, desk, extra.Save{Field: pledge(), Key: "a"}); err != nil || len(list) != 1 || list[0].Version != 1 {
		t.Fatalf("the same key again: %v %v", list, err)
	}
	if _, err := s.Save(ctx, desk, extra.Save{Field: pledge()}); !errors.Is(err, extra.ErrExists) {
		t.Errorf("the same field again: %v", err)
	}
	same := pledge()
	same.Field.Key = "other"
	if _, err := s.Save(ctx, desk, extra.Save{Field: same}); !errors.Is(err, extra.ErrExists) {
		t.Errorf("the same label: %v", err)
	}
	same.Subject = extra.Product // another form
	if _, err := s.Save(ctx, desk, extra.Save{Field: same}); err != nil {
		t.Error(err)
	}
	all := pledge()
	all.Field.Key, all.Field.Label, all.Kinds, all.Sort = "all", "其他说明", nil, 10
	if _, err := s.Save(ctx, desk, extra.Save{Field: all}); err != nil {
		t.Fatal(err)
	}
	of := func(kinds ...string) string {
		t.Helper()
		list, err := s.Of(ctx, db.Read(), extra.Application, kinds...)
		if err != nil {
			t.Fatal(err)
		}
		return keys(list)
	}
	if got := []string{of(), of("financing", "mortgage"), of("financing", "debt"), of("legal")}; !slices.Equal(got, []string{"all pledge", "all pledge", "all", "all"}) {
		t.Errorf("asked: %q", got)
	}
	f := pledge()
	f.Field.Kind, f.Field.Options = form.Text, nil
	if _, err := s.Save(ctx, desk, extra.Save{Field: f, Version: 1}); !errors.Is(err, extra.ErrKind) {
		t.Errorf("another kind: %v", err)
	}
	f = pledge()
	f.Retired = true
	if _, err := s.Save(ctx, desk, extra.Save{Field: f, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(ctx, desk, extra.Save{Field: f, Version: 1}); !errors.Is(err, extra.ErrStale) {
		t.Errorf("a version that is not the newest: %v", err)
	}
	if got := of("mortgage"); got != "all" {
		t.Errorf("a retired field is asked for: %q", got)
	}
	if list, err := s.All(ctx, db.Read(), extra.Application); err != nil || keys(list) != "all pledge" {
		t.Errorf("a retired field is gone: %v %v", list, err)
	}
	if list, err := s.List(ctx, banker); err != nil || len(list) != 2 {
		t.Errorf("an institution is told %v %v", list, err)
	}
	if list, err := s.List(ctx, desk); err != nil || len(list) != 3 {
		t.Errorf("the desk is told %v %v", list, err)
	}
}

func TestWhoMayAndWhatIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := mustNew(t)
	ctx := context.Background()
	if _, err := s.Save(ctx, banker, extra.Save{Field: pledge()}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("an institution defines: %v", err)
	}
	for who, want := range map[string]error{"visitor": fault.ErrUnauthorized, "company": fault.ErrForbidden} {
		a := access.Actor{Party: access.Anonymous}
		if who == "company" {
			a = access.Actor{UserID: 3, Party: access.Enterprise, EnterpriseID: 7}
		}
		if _, err := s.List(ctx, a); !errors.Is(err, want) {
			t.Errorf("%s reads: %v", who, err)
		}
	}
	for field, change := range map[string]func(*extra.Field){
		"subject":  func(f *extra.Field) { f.Subject = "company" },
		"kinds":    func(f *extra.Field) { f.Kinds = []string{"gold"} },
		"audience": func(f *extra.Field) { f.Audience = "" },
		"label":    func(f *extra.Field) { f.Field.Label = "a：b" },
		"options":  func(f *extra.Field) { f.Field.Options = []string{"一个"} },
		"kind":     func(f *extra.Field) { f.Field.Kind, f.Field.Options = form.Phone, nil },
		"sort":     func(f *extra.Field) { f.Sort = -1 },
		"max": func(f *extra.Field) {
			low, high := 5.0, 1.0
			f.Field.Kind, f.Field.Min, f.Field.Max = form.Number, &low, &high
		},
	} {
		f := pledge()
		change(&f)
		_, err := s.Save(ctx, desk, extra.Save{Field: f})
		got, ok := fault.As(err)
		if !ok || got.Kind != fault.Invalid || !slices.ContainsFunc(got.Fields, func(x fault.Field) bool { return x.Name == field }) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestTwentyAddTheSameFieldAtOnce(t *testing.T) {
	t.Parallel()
	s, db := mustNew(t)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { _, errs[i] = s.Save(context.Background(), desk, extra.Save{Field: pledge()}) })
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, extra.ErrExists) {
			t.Error(err)
		}
	}
	n, err := db.Read().NewSelect().TableExpr("audit_entries").Count(context.Background())
	if done != 1 || n != 1 || err != nil {
		t.Errorf("%d were added, %d audit rows, %v", done, n, err)
	}
}
