package offline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/offline"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/onelink"
	"github.com/huiqi/huiqi/platform/secret"
)

var start = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)

const owned, unowned = "91110112MA00000001", "91110112MA00000002"

type world struct{}

func (world) ByCode(ctx context.Context, db bun.IDB, code string) (offline.Company, error) {
	switch code {
	case owned:
		return world{}.Owner(ctx, db, 1)
	case unowned:
		return world{}.Owner(ctx, db, 2)
	}
	return offline.Company{}, fault.ErrNotFound
}

func (world) Owner(_ context.Context, _ bun.IDB, id int64) (offline.Company, error) {
	if id == 1 {
		return offline.Company{ID: 1, Name: "麦香烘焙", Phone: "13800000001"}, nil
	}
	return offline.Company{ID: 2, Name: "山货铺子"}, nil
}

func (world) Product(_ context.Context, _ bun.IDB, id int64) (offline.Offer, error) {
	if id != 30 && id != 40 {
		return offline.Offer{}, fault.ErrNotFound
	}
	return offline.Offer{ID: id, Name: "代理记账", InstitutionID: id / 10}, nil
}

func (world) InstitutionName(_ context.Context, _ bun.IDB, id int64) (string, error) {
	if id == 0 {
		return "", fault.ErrNotFound
	}
	return fmt.Sprintf("第%d事务所", id), nil
}

// Lay takes the files that are the actor's own: user 30 owns 3000 to 3099.
func (world) Lay(_ context.Context, _ bun.Tx, a access.Actor, _ int64, ids []int64) error {
	for _, id := range ids {
		if id/100 != a.UserID {
			return fault.ErrNotFound
		}
	}
	return nil
}

type texts struct {
	mu   sync.Mutex
	sent [][2]string // phone, token
}

func (t *texts) Ask(_ context.Context, _ bun.Tx, phone, _, token string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = append(t.sent, [2]string{phone, token})
	return nil
}

type fixture struct {
	*offline.Service
	db    *database.DB
	clock *clock.Fake
	sent  *texts
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{db: databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, onelink.Migrations, offline.Migrations)), clock: clock.NewFake(start), sent: &texts{}}
	f.Service = offline.New(offline.Deps{DB: f.db, Clock: f.clock, Box: box, Companies: world{}, Offers: world{}, Evidence: world{}, Texts: f.sent,
		Links: &onelink.Maker{DB: f.db, Clock: f.clock, Box: box}})
	return f
}

func institution(id int64) access.Actor {
	return access.Actor{UserID: id * 10, Name: "赵强", Party: access.Institution, InstitutionID: id, Permissions: []access.Permission{offline.PermRecord}}
}

func operator() access.Actor {
	return access.Actor{UserID: 9, Name: "运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{offline.PermExport, offline.PermRecord, offline.PermView}}
}

func company(id int64) access.Actor {
	return access.Actor{UserID: id * 100, Name: "王芳", Party: access.Enterprise, EnterpriseID: id}
}

func served(code string) offline.Record {
	return offline.Record{CreditCode: code, ProductID: 30, Day: "2026-11-28", Place: "通州区新华西街 1 号", Persons: "赵强、王芳", Content: "上门讲解记账报税要求", Phone: "13900000009"}
}

// TestCountedOnce records the same service in many ways and from many at once.
func TestCountedOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept := 0
	for range 10 {
		wg.Go(func() {
			_, err := f.Record(ctx, institution(3), served(owned))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				kept++
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if kept != 1 || len(f.sent.sent) != 1 {
		t.Fatalf("%d kept, %d asked", kept, len(f.sent.sent))
	}
	if _, err := f.Record(ctx, operator(), served(owned)); !errors.Is(err, offline.ErrTwice) {
		t.Fatalf("by the operator too: %v", err)
	}
	near := served(owned)
	near.Day = "2026-11-30"
	if _, err := f.Record(ctx, institution(3), near); !errors.Is(err, offline.ErrNear) {
		t.Fatalf("two days later: %v", err)
	}
	near.Sure = true
	if _, err := f.Record(ctx, institution(3), near); err != nil {
		t.Fatal(err)
	}
	stats, err := f.Stats(ctx, operator(), "", "")
	if err != nil || len(stats) != 1 || stats[0].Confirmed != 0 || stats[0].Waiting != 2 {
		t.Fatalf("nothing counts before the company says so: %+v %v", stats, err)
	}
	for _, link := range f.sent.sent {
		if link[0] != "13800000001" {
			t.Fatalf("asked on %s, which who records typed", link[0])
		}
		if err := f.AnswerByLink(ctx, access.Actor{}, link[1], offline.Answer{Yes: true}); err != nil {
			t.Fatal(err)
		}
	}
	if stats, err = f.Stats(ctx, institution(3), "2026-11-01", "2026-11-30"); err != nil || stats[0].Confirmed != 2 || stats[0].Companies != 1 {
		t.Fatalf("%+v %v", stats, err)
	}
	if stats, err = f.Stats(ctx, institution(4), "", ""); err != nil || len(stats) != 0 {
		t.Fatalf("another institution reads %+v %v", stats, err)
	}
}

func TestTheCompanySays(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	visitor := access.Actor{Party: access.Anonymous, IP: "203.0.113.9"}
	bare := served(unowned)
	bare.Phone = ""
	if _, err := f.Record(ctx, institution(3), bare); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("nobody can be asked: %v", err)
	}
	v, err := f.Record(ctx, institution(3), served(unowned))
	if err != nil || f.sent.sent[0][0] != "13900000009" {
		t.Fatalf("%+v %v %v", v, f.sent.sent, err)
	}
	token := f.sent.sent[0][1]
	if err := f.AnswerByLink(ctx, visitor, token, offline.Answer{}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("denied without words: %v", err)
	}
	if err := f.AnswerByLink(ctx, visitor, token, offline.Answer{Words: "不是本企业"}); err != nil {
		t.Fatal(err)
	}
	if err := f.AnswerByLink(ctx, visitor, token, offline.Answer{Yes: true}); !errors.Is(err, onelink.ErrUsed) {
		t.Fatalf("a second time: %v", err)
	}
	if v, err = f.Get(ctx, institution(3), v.ID); err != nil || v.State != offline.Denied || v.Words != "不是本企业" {
		t.Fatalf("%+v %v", v, err)
	}
	// What was denied is recorded anew, and the link of the first message ends with the second.
	if v, err = f.Record(ctx, institution(3), served(unowned)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Again(ctx, institution(3), v.ID); !errors.Is(err, offline.ErrOften) {
		t.Fatalf("twice a day: %v", err)
	}
	f.clock.Advance(25 * time.Hour)
	if _, err := f.Again(ctx, institution(3), v.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.AtLink(ctx, visitor, f.sent.sent[1][1]); !errors.Is(err, onelink.ErrWrong) {
		t.Fatalf("the first link: %v", err)
	}
	f.clock.Advance(8 * 24 * time.Hour)
	if _, err := f.AtLink(ctx, visitor, f.sent.sent[2][1]); !errors.Is(err, onelink.ErrWrong) {
		t.Fatalf("after its days: %v", err)
	}
	for who, a := range map[string]access.Actor{"another company": company(1), "another institution": institution(4), "a visitor": visitor} {
		if _, err := f.Get(ctx, a, v.ID); err == nil {
			t.Errorf("%s reads", who)
		}
		if _, err := f.Answer(ctx, a, v.ID, offline.Answer{Yes: true}); err == nil {
			t.Errorf("%s answers", who)
		}
		if list, _, _ := f.List(ctx, a, offline.Filter{}); len(list) != 0 {
			t.Errorf("%s lists %d", who, len(list))
		}
	}
	if _, err := f.Answer(ctx, institution(3), v.ID, offline.Answer{Yes: true}); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("who recorded confirms: %v", err)
	}
	if v, err = f.Answer(ctx, company(2), v.ID, offline.Answer{Yes: true}); err != nil || v.State != offline.Confirmed || v.By != "" {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Cancel(ctx, institution(3), v.ID, "登记有误"); !errors.Is(err, offline.ErrStep) {
		t.Fatalf("what is confirmed is cancelled: %v", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	for name, change := range map[string]func(*offline.Record){
		"an unknown code":                  func(r *offline.Record) { r.CreditCode = "91110112MA00000009" },
		"half a code":                      func(r *offline.Record) { r.CreditCode = "9111" },
		"tomorrow":                         func(r *offline.Record) { r.Day = "2026-12-01" },
		"a year ago":                       func(r *offline.Record) { r.Day = "2025-11-30" },
		"a product of another institution": func(r *offline.Record) { r.ProductID = 40 },
		"no place":                         func(r *offline.Record) { r.Place = "" },
		"a landline":                       func(r *offline.Record) { r.Phone = "010-88880000" },
	} {
		r := served(owned)
		change(&r)
		if _, err := f.Record(ctx, institution(3), r); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Record(ctx, company(1), served(owned)); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("a company records: %v", err)
	}
	r := served(owned)
	r.FileIDs = []int64{9900}
	if _, err := f.Record(ctx, institution(3), r); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("with somebody else's file: %v", err)
	}
	n, err := f.db.Read().NewSelect().TableExpr("offline_services").Count(ctx)
	if err != nil || n != 0 {
		t.Errorf("%d kept, %v", n, err)
	}
}
