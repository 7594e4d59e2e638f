package review_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/reason"
)

var (
	first = []reason.Reason{{Code: "unclear", Text: "照片不清晰，请重新拍摄", Sort: 10}, {Code: "differs", Text: "填写内容与执照不一致", Sort: 20},
		{Code: "missing", Text: "缺少材料，请写明缺什么", Words: true, Sort: 30}, {Code: reason.Other, Text: "其他原因", Words: true, Sort: 90}}
	editor = access.Actor{UserID: 5, Name: "周洁", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{review.PermReasons}}
)

func mustNew(t *testing.T) *review.Service {
	t.Helper()
	db := databasetest.New(t, slices.Concat(audit.Migrations, idempotency.Migrations, review.Migrations))
	s := review.New(review.Deps{DB: db, Clock: clock.NewFake(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)),
		Lists: []review.List{{Key: "enterprise", Title: "企业认证", First: first}, {Key: "short", Title: "短的", First: first[:1]}}, Staff: &staff{}})
	return s
}

func mustEnsure(t *testing.T) *review.Service {
	t.Helper()
	s := mustNew(t)
	if err := s.Ensure(context.Background(), access.SystemActor("start")); err != nil {
		t.Fatal(err)
	}
	return s
}

func offered(t *testing.T, s *review.Service, list string) []string {
	t.Helper()
	found, err := s.Offered(context.Background(), s.DB.Read(), list)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range found {
		out = append(out, r.Code)
	}
	return out
}

func TestReasonsAreEdited(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := mustNew(t)
	if got := fmt.Sprint(offered(t, s, "enterprise")); got != "[unclear differs missing other]" {
		t.Fatal("before the first start:", got)
	}
	if err := s.Ensure(ctx, editor); !errors.Is(err, fault.ErrForbidden) {
		t.Fatal(err)
	}
	if err := s.Ensure(ctx, access.SystemActor("start")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Offered(ctx, s.DB.Read(), "nothing"); !errors.Is(err, review.ErrList) {
		t.Fatal(err)
	}
	save := review.SaveReason{List: "enterprise", Reason: reason.Reason{Code: "stamp", Text: "执照副本未加盖公章", Sort: 15}, Key: "k"}
	for range 2 { // the same press twice is one reason
		if _, err := s.SaveReason(ctx, editor, save); err != nil {
			t.Fatal(err)
		}
	}
	save.Key = ""
	if _, err := s.SaveReason(ctx, editor, save); !errors.Is(err, review.ErrExists) {
		t.Fatal("added twice:", err)
	}
	if got := fmt.Sprint(offered(t, s, "enterprise")); got != "[unclear stamp differs missing other]" {
		t.Fatal(got)
	}
	save.Version, save.Retired = 1, true
	all, err := s.SaveReason(ctx, editor, save)
	if err != nil || len(all[0].Items) != 5 || !all[0].Items[1].Retired || all[0].Items[1].SetBy != "周洁" || all[0].Items[1].Version != 2 {
		t.Fatalf("%+v %v", all, err)
	}
	if _, err := s.SaveReason(ctx, editor, save); !errors.Is(err, fault.ErrChanged) {
		t.Fatal("a stale version:", err)
	}
	if err := s.Ensure(ctx, access.SystemActor("start")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(offered(t, s, "enterprise")); got != "[unclear differs missing other]" {
		t.Fatal("the next start brought back what was retired:", got)
	}
	if _, err := s.SaveReason(ctx, editor, review.SaveReason{List: "short", Version: 1, Reason: reason.Reason{Code: "unclear", Text: "照片不清晰", Retired: true}}); !errors.Is(err, review.ErrLast) {
		t.Fatal("a list without a reason:", err)
	}
	for at, bad := range map[string]reason.Reason{
		"code": {Code: "其他", Text: "照片不清晰"}, "text": {Code: "short", Text: "短"}, "sort": {Code: "sorted", Text: "照片不清晰", Sort: -1}, "words": {Code: reason.Other, Text: "其他原因"},
	} {
		_, err := s.SaveReason(ctx, editor, review.SaveReason{List: "enterprise", Reason: bad})
		if f, ok := fault.As(err); !ok || len(f.Fields) != 1 || f.Fields[0].Name != at {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, who := range []access.Actor{{}, {UserID: 7, Party: access.Enterprise, EnterpriseID: 1}, {UserID: 8, Party: access.Platform, Scope: access.ScopeDistrict}} {
		if _, err := s.All(ctx, who); err == nil {
			t.Errorf("%+v reads", who)
		}
		if _, err := s.SaveReason(ctx, who, save); err == nil {
			t.Errorf("%+v writes", who)
		}
	}
}

func TestTheLastTwoAreNotRetiredAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := mustEnsure(t)
	if _, err := s.SaveReason(ctx, editor, review.SaveReason{List: "short", Reason: reason.Reason{Code: "second", Text: "第二个原因", Sort: 2}}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, r := range []reason.Reason{{Code: "unclear", Text: "照片不清晰", Retired: true}, {Code: "second", Text: "第二个原因", Retired: true}} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := s.SaveReason(ctx, editor, review.SaveReason{List: "short", Version: 1, Reason: r}); err != nil && !errors.Is(err, review.ErrLast) {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if got := offered(t, s, "short"); len(got) != 1 {
		t.Fatal(got)
	}
}
