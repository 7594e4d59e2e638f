package licence_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/licence"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

var (
	start = time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, licence.Migrations)
	// errRight is what a member without a mandate reads.
	errRight = fault.New(fault.Forbidden, "MANDATE_NEEDED", "请联系本企业负责人授权")
)

// companies: user n*10 owns company n and user n*10+1 is mandated; the others up to n*10+9 are plain members.
type companies struct{}

func (companies) MayKeep(_ context.Context, _ bun.IDB, id, user int64) error {
	switch {
	case user/10 != id:
		return fault.ErrNotFound
	case user%10 > 1:
		return errRight
	}
	return nil
}

func (companies) Keepers(_ context.Context, _ bun.IDB, id int64) ([]int64, error) {
	return []int64{id * 10, id*10 + 1}, nil
}

// files: user n owns the files n*100 to n*100+99.
type files struct {
	mu   sync.Mutex
	tied map[int64][]int64
}

func (f *files) Keep(context.Context, access.Actor, string, io.Reader) (int64, error) { return 0, nil }

func (f *files) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, object string, objectID int64) error {
	if id/100 != a.UserID || object != licence.Object {
		return fault.ErrNotFound
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tied[objectID] = append(f.tied[objectID], id)
	return nil
}

func (f *files) Of(_ context.Context, _ bun.IDB, _ string, id int64) ([]licence.FileView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []licence.FileView
	for _, x := range f.tied[id] {
		out = append(out, licence.FileView{ID: x, Name: "证照.png"})
	}
	return out, nil
}

type fixture struct {
	*licence.Service
	db    *database.DB
	clock *clock.Fake
}

var reviewer = access.Actor{UserID: 9001, Name: "李审", Party: access.Platform}

func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start)}
	f.Service = licence.New(licence.Deps{DB: f.db, Clock: f.clock, Companies: companies{}, Files: &files{tied: map[int64][]int64{}},
		Sees: func(_ context.Context, a access.Actor, object string, id int64) error {
			if object == "review" && id == 5 && a.UserID == reviewer.UserID {
				return nil
			}
			return fault.ErrNotFound
		}})
	err := f.EnsureKinds(context.Background(), access.SystemActor("test"), []licence.Kind{
		{Code: "business", Name: "营业执照", Remind: []int{30}, Sort: 1}, {Code: "food", Name: "食品经营许可证", Dated: true, Remind: []int{60, 30, 7}, Sort: 2}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func person(id int64) access.Actor {
	return access.Actor{UserID: id, Name: fmt.Sprint("张三", id), Party: access.Enterprise, EnterpriseID: id / 10}
}

func food(user int64, number, until string) licence.Keep {
	return licence.Keep{Key: number + until, Paper: licence.Paper{Kind: "food", Number: number, Issuer: "区市场监管局", IssuedOn: "2021-12-20", ExpiresOn: until, FileIDs: []int64{user*100 + 1}}}
}

func TestPapersAreKeptReplacedAndRemoved(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	first, err := f.Keep(ctx, person(10), food(10, "JY1110", "2026-12-20"))
	if err != nil || first.KindName != "食品经营许可证" || len(first.Files) != 1 || first.Standing != "soon" || first.Word != "还有 24 天到期" {
		t.Fatalf("%+v %v", first, err)
	}
	if again, err := f.Keep(ctx, person(10), food(10, "JY1110", "2026-12-20")); err != nil || again.ID != first.ID {
		t.Fatal("the same key:", again, err)
	}
	for what, c := range map[string]struct {
		who access.Actor
		cmd licence.Keep
	}{
		"twice":          {person(10), licence.Keep{Paper: food(10, "JY1110", "2027-12-20").Paper}},
		"no kind":        {person(10), licence.Keep{Paper: licence.Paper{Kind: "none", Number: "123", FileIDs: []int64{1001}}}},
		"no end":         {person(10), licence.Keep{Paper: food(10, "JY2", "").Paper}},
		"upside down":    {person(10), licence.Keep{Paper: food(10, "JY2", "2020-01-01").Paper}},
		"no such day":    {person(10), licence.Keep{Paper: food(10, "JY2", "2026-02-30").Paper}},
		"no picture":     {person(10), licence.Keep{Paper: licence.Paper{Kind: "business", Number: "123"}}},
		"others' file":   {person(10), licence.Keep{Paper: food(20, "JY2", "2027-12-20").Paper}},
		"plain member":   {person(12), licence.Keep{Paper: food(12, "JY2", "2027-12-20").Paper}},
		"staff":          {reviewer, licence.Keep{Paper: food(9001, "JY2", "2027-12-20").Paper}},
		"others' paper":  {person(20), licence.Keep{Paper: food(20, "JY2", "2027-12-20").Paper, Replaces: first.ID, Version: 1}},
		"another kind":   {person(10), licence.Keep{Paper: licence.Paper{Kind: "business", Number: "123", FileIDs: []int64{1001}}, Replaces: first.ID, Version: 1}},
		"stale, replace": {person(10), licence.Keep{Paper: food(10, "JY2", "2027-12-20").Paper, Replaces: first.ID, Version: 7}},
	} {
		if v, err := f.Keep(ctx, c.who, c.cmd); err == nil {
			t.Errorf("%s: %+v", what, v)
		}
	}
	newer := food(11, "JY1110", "2031-12-20")
	newer.Replaces, newer.Version = first.ID, first.Version
	second, err := f.Keep(ctx, person(11), newer)
	if err != nil || second.Replaces != first.ID || second.Standing != "valid" {
		t.Fatalf("%+v %v", second, err)
	}
	newer.Key = "again"
	if _, err := f.Keep(ctx, person(11), newer); !errors.Is(err, licence.ErrReplaced) {
		t.Fatal("replaced twice:", err)
	}
	shelf, err := f.Mine(ctx, person(10))
	if err != nil || len(shelf.Items) != 2 || shelf.Items[0].ID != second.ID || shelf.Items[1].State != licence.Replaced || len(shelf.Items[1].Files) != 1 || len(shelf.Kinds) != 2 {
		t.Fatalf("%+v %v", shelf, err)
	}
	if _, err := f.Mine(ctx, person(12)); !errors.Is(err, errRight) {
		t.Fatal("a plain member reads:", err)
	}
	if other, err := f.Mine(ctx, person(20)); err != nil || len(other.Items) != 0 {
		t.Fatalf("another company: %+v %v", other, err)
	}
	if _, err := f.Remove(ctx, person(20), licence.Remove{ID: second.ID, Version: 1}); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("another company removed it:", err)
	}
	gone, err := f.Remove(ctx, person(10), licence.Remove{ID: second.ID, Version: 1, Reason: "已停业"})
	if err != nil || gone.State != licence.Removed || gone.EndedAt == nil {
		t.Fatalf("%+v %v", gone, err)
	}
}

func TestPaperIsUsedAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	p, err := f.Keep(ctx, person(10), food(10, "JY1", "2026-12-20"))
	if err != nil {
		t.Fatal(err)
	}
	use := func(a access.Actor, id int64) error {
		return f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return f.Use(ctx, tx, a, id, "review", 5) })
	}
	if err := f.CanSee(ctx, reviewer, p.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("staff see a paper that was handed in nowhere:", err)
	}
	if err := use(person(20), p.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("another company:", err)
	}
	if err := use(person(12), p.ID); !errors.Is(err, errRight) {
		t.Fatal("a plain member:", err)
	}
	for range 2 { // once more changes nothing
		if err := use(person(10), p.ID); err != nil {
			t.Fatal(err)
		}
	}
	list, err := f.FilesOf(ctx, f.db.Read(), "review", 5)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	for who, want := range map[int64]bool{10: true, 11: true, 12: false, 20: false} {
		if err := f.CanSee(ctx, person(who), p.ID); (err == nil) != want {
			t.Errorf("user %d: %v", who, err)
		}
	}
	if err := f.CanSee(ctx, reviewer, p.ID); err != nil {
		t.Fatal("staff do not see what was handed in:", err)
	}
	f.clock.Set(time.Date(2026, 12, 20, 15, 59, 0, 0, time.UTC)) // the last minute of its last day in Beijing
	if err := use(person(10), p.ID); err != nil {
		t.Fatal("on its last day:", err)
	}
	f.clock.Advance(time.Minute)
	if err := use(person(10), p.ID); !errors.Is(err, licence.ErrExpired) {
		t.Fatal("after it:", err)
	}
}

func TestRemindersComeOncePerThreshold(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	system := access.SystemActor("test")
	for i, until := range []string{"2027-01-24", "2026-12-02", "2027-06-01", "2026-11-25"} { // 59, 6, 187 and -1 days
		if _, err := f.Keep(ctx, person(10), food(10, fmt.Sprint("JY", i), until)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Remind(ctx, person(10)); !errors.Is(err, licence.ErrForbidden) {
		t.Fatal(err)
	}
	told := func() string {
		t.Helper()
		n, err := f.Remind(ctx, system)
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.Remind(ctx, system)
		if err != nil || again != 0 {
			t.Fatal("told again:", again, err)
		}
		var list []event.Event
		if err := f.db.Read().NewSelect().Model(&list).Where("type = 'licence.expiring'").OrderExpr("id DESC").Limit(int64(n)).Scan(ctx); n > 0 && err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range list {
			var x licence.Expiring
			if err := e.Decode(&x); err != nil || !slices.Equal(x.UserIDs, []int64{10, 11}) || x.KindName == "" {
				t.Fatalf("%+v %v", x, err)
			}
			out = append(out, fmt.Sprintf("%d:%d/%d", x.ID, x.Days, x.Threshold))
		}
		if n == 0 {
			return ""
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got := told(); got != "1:59/60 2:6/7" {
		t.Fatal(got)
	}
	f.clock.Advance(24 * time.Hour)
	if got := told(); got != "" {
		t.Fatal("nothing crossed a threshold:", got)
	}
	f.clock.Advance(30 * 24 * time.Hour) // 28 days left of the first, 156 of the third
	if got := told(); got != "1:28/30" {
		t.Fatal(got)
	}
}
