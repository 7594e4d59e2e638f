package consent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/consent"
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
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, consent.Migrations)
)

// companies: user n*10 owns company n, the users n*10+1 to n*10+9 are its members.
type companies struct{}

var errOwner = fault.New(fault.Forbidden, "OWNER_ONLY", "请联系本企业负责人办理")

func (companies) MaySign(_ context.Context, _ bun.IDB, id, user int64) error {
	switch {
	case user/10 != id:
		return fault.ErrNotFound
	case user%10 != 0:
		return errOwner
	}
	return nil
}

func (companies) Signers(_ context.Context, _ bun.IDB, id int64) ([]int64, error) {
	return []int64{id * 10}, nil
}

func (companies) Names(_ context.Context, _ bun.IDB, ids []int64) (map[int64]string, error) {
	out := map[int64]string{}
	for _, id := range ids {
		out[id] = fmt.Sprintf("企业%d", id)
	}
	return out, nil
}

func (companies) Visible(_ context.Context, _ bun.IDB, a access.Actor, id int64) error {
	if a.Party == access.Enterprise && a.UserID/10 != id {
		return fault.ErrNotFound
	}
	return nil
}

// readers have the role they are named after.
type readers struct{}

func (readers) Reader(_ context.Context, _ bun.IDB, a access.Actor) (consent.Reader, error) {
	return consent.Reader{Unit: a.DepartmentName, Roles: []consent.Named{{Code: a.Name, Name: "角色" + a.Name}}}, nil
}

func (readers) Roles(context.Context, bun.IDB) ([]consent.Named, error) {
	return []consent.Named{{Code: "reviewer", Name: "政府终审员"}, {Code: "operator", Name: "平台运营"}}, nil
}

type fixture struct {
	*consent.Service
	db    *database.DB
	clock *clock.Fake
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start)}
	f.Service = consent.New(consent.Deps{DB: f.db, Clock: f.clock, Companies: companies{}, Readers: readers{},
		Groups: []consent.Named{{Code: "basic", Name: "登记信息"}, {Code: "operation", Name: "经营情况"}, {Code: "standing", Name: "资质与信用"}}})
	return f
}

func staff(id int64, name string, rights ...access.Permission) access.Actor {
	slices.Sort(rights)
	return access.Actor{UserID: id, Name: name, Party: access.Government, DepartmentName: "区经信局", Scope: access.ScopeDistrict, Permissions: rights, IP: "10.1.1.1"}
}

func owner(company int64) access.Actor {
	return access.Actor{UserID: company * 10, Name: "张三丰", Party: access.Enterprise, EnterpriseID: company, IP: "203.0.113.5"}
}

var (
	writer    = staff(1, "writer", consent.PermEdit, consent.PermView)
	publisher = staff(2, "publisher", consent.PermEdit, consent.PermPublish, consent.PermView)
	reviewer  = staff(3, "reviewer", consent.PermView)
	clerk     = staff(4, "clerk", consent.PermView)
)

func draft(purpose string, material bool, days int, groups ...string) consent.Write {
	return consent.Write{Purpose: purpose, Title: "企业数据授权书", Body: "本企业同意平台在上述范围内使用本企业的数据，用于上述用途。", Groups: groups, Days: days, Material: material}
}

// mustPublish puts a version in force at once.
func (f fixture) mustPublish(t *testing.T, w consent.Write) consent.TextView {
	t.Helper()
	v, err := f.Write(context.Background(), writer, w)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = f.Publish(context.Background(), publisher, consent.Publish{ID: v.ID, Version: v.Version}); err != nil {
		t.Fatal(err)
	}
	return v
}

func (f fixture) mustGive(t *testing.T, a access.Actor, v consent.TextView) consent.Asked {
	t.Helper()
	got, err := f.Give(context.Background(), a, consent.Give{Purpose: v.Purpose, TextID: v.ID, Digest: v.Digest, Channel: consent.OnH5})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (f fixture) allows(t *testing.T, purpose string, at time.Time, ids ...int64) []int64 {
	t.Helper()
	got, err := f.Allows(context.Background(), ids, purpose, at)
	if err != nil || len(got) != len(ids) {
		t.Fatal(got, err)
	}
	var yes []int64
	for _, id := range ids {
		if got[id] {
			yes = append(yes, id)
		}
	}
	return yes
}

func TestTextIsPublishedByAnother(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v, err := f.Write(ctx, publisher, draft(consent.Portrait, false, 0, "basic"))
	if err != nil || v.State != consent.Draft || v.CanPublish || !strings.Contains(v.Document, "数据范围：登记信息。") {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Write(ctx, writer, draft(consent.Portrait, false, 0, "basic")); !errors.Is(err, consent.ErrDraft) {
		t.Fatal("a second draft:", err)
	}
	if _, err := f.Publish(ctx, publisher, consent.Publish{ID: v.ID, Version: v.Version}); !errors.Is(err, consent.ErrOwnText) {
		t.Fatal("its writer published it:", err)
	}
	w := draft(consent.Portrait, false, 0, "basic", "operation")
	w.ID, w.Version = v.ID, v.Version
	v2, err := f.Write(ctx, writer, w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(ctx, writer, w); !errors.Is(err, fault.ErrChanged) {
		t.Fatal("a stale edit:", err)
	}
	// A first writer stays one when somebody else changes the draft after them.
	if _, err := f.Publish(ctx, publisher, consent.Publish{ID: v.ID, Version: v2.Version}); !errors.Is(err, consent.ErrOwnText) {
		t.Fatal("a former writer published it:", err)
	}
	third := staff(9, "third", consent.PermPublish)
	if _, err := f.Publish(ctx, writer, consent.Publish{ID: v.ID, Version: v2.Version}); !errors.Is(err, consent.ErrForbidden) {
		t.Fatal("without the right:", err)
	}
	if _, err := f.Publish(ctx, third, consent.Publish{ID: v.ID, Version: v.Version}); !errors.Is(err, fault.ErrChanged) {
		t.Fatal("another version than was read:", err)
	}
	p, err := f.Publish(ctx, third, consent.Publish{ID: v.ID, Version: v2.Version, From: "2026-12-01"})
	if err != nil || p.No != 1 || !p.Material || p.InForce || p.Digest != consent.Digest(p.Document) || len(p.Digest) != 64 {
		t.Fatalf("%+v %v", p, err)
	}
	if consent.Digest("abc") != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" { // GB/T 32905-2016, example 1
		t.Error("the digest is not SM3")
	}
	w.Version = p.Version
	if _, err := f.Write(ctx, writer, w); !errors.Is(err, consent.ErrPublished) {
		t.Fatal("a published text changed:", err)
	}
	early, err := f.Write(ctx, writer, draft(consent.Portrait, false, 0, "basic"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Publish(ctx, third, consent.Publish{ID: early.ID, Version: early.Version}); err == nil || !strings.Contains(err.Error(), "不能早于") {
		t.Fatal("a version before the one before it:", err)
	}
	if got := f.allows(t, consent.Portrait, start, 1); got != nil {
		t.Fatal("allowed before there is a text")
	}
	if _, err := f.Give(ctx, owner(1), consent.Give{Purpose: consent.Portrait, TextID: p.ID, Digest: p.Digest}); !errors.Is(err, consent.ErrNoText) {
		t.Fatal("agreed to a text that is not in force yet:", err)
	}
}

func TestGrantHoldsUntilItEnds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustPublish(t, draft(consent.PolicyPush, false, 30, "basic"))
	give := consent.Give{Key: "k1", Purpose: consent.PolicyPush, TextID: v.ID, Digest: v.Digest, Channel: consent.OnPortal}
	got, err := f.Give(ctx, owner(1), give)
	if err != nil || got.Standing != consent.Holds || got.Grant.Digest != v.Digest || got.Grant.IP != "203.0.113.5" || got.Grant.Channel != "门户网站" || got.Grant.GrantedName != "张三丰" {
		t.Fatalf("%+v %+v %v", got, got.Grant, err)
	}
	if again, err := f.Give(ctx, owner(1), give); err != nil || again.Grant.ID != got.Grant.ID {
		t.Fatal("the same key:", again, err)
	}
	give.Key = "k2"
	if _, err := f.Give(ctx, owner(1), give); !errors.Is(err, consent.ErrGranted) {
		t.Fatal("twice:", err)
	}
	member := owner(1)
	member.UserID++
	if _, err := f.Give(ctx, member, give); !errors.Is(err, errOwner) {
		t.Fatal("a member signed:", err)
	}
	other := give
	other.Digest = strings.Repeat("0", 64)
	if _, err := f.Give(ctx, owner(2), other); !errors.Is(err, consent.ErrText) {
		t.Fatal("agreed to what was not read:", err)
	}
	f.mustGive(t, owner(2), v)
	end := start.AddDate(0, 0, 30)
	for at, want := range map[time.Time][]int64{start.Add(-time.Second): nil, start: {1, 2}, end.Add(-time.Second): {1, 2}, end: nil} {
		if got := f.allows(t, consent.PolicyPush, at, 1, 2, 3); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
	f.clock.Advance(time.Hour)
	if _, err := f.Revoke(ctx, member, consent.Revoke{Purpose: consent.PolicyPush, GrantID: got.Grant.ID}); !errors.Is(err, errOwner) {
		t.Fatal("a member revoked:", err)
	}
	if _, err := f.Revoke(ctx, owner(2), consent.Revoke{Purpose: consent.PolicyPush, GrantID: got.Grant.ID}); !errors.Is(err, consent.ErrEnded) {
		t.Fatal("somebody else's grant:", err)
	}
	gone, err := f.Revoke(ctx, owner(1), consent.Revoke{Purpose: consent.PolicyPush, GrantID: got.Grant.ID, Reason: "不再需要", Channel: consent.OnH5})
	if err != nil || gone.Standing != consent.WasRevoked || gone.Holds || gone.Grant.EndedAt == nil || !gone.MayGive {
		t.Fatalf("%+v %v", gone, err)
	}
	if got := f.allows(t, consent.PolicyPush, f.clock.Now(), 1, 2); !slices.Equal(got, []int64{2}) {
		t.Fatal("after revoking:", got)
	}
	if got := f.allows(t, consent.PolicyPush, start.Add(time.Minute), 1, 2); !slices.Equal(got, []int64{1, 2}) {
		t.Fatal("what was allowed then:", got)
	}
	f.mustGive(t, owner(1), v)
	m, err := f.Mine(ctx, owner(1))
	if err != nil || len(m.History) != 2 || !m.History[0].Holds || m.History[1].Ended != consent.ByRevoking {
		t.Fatalf("%+v %v", m, err)
	}
	if _, err := f.Mine(ctx, access.Actor{UserID: 20, Party: access.Enterprise, EnterpriseID: 1}); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal("a stranger:", err)
	}
	list, _, err := f.Grants(ctx, clerk, consent.GrantFilter{Purpose: consent.PolicyPush, Standing: "holds"})
	if err != nil || len(list) != 2 || list[0].EnterpriseName != "企业1" {
		t.Fatalf("%+v %v", list, err)
	}
}

func TestNewVersionAsksAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v1 := f.mustPublish(t, draft(consent.PolicyMatch, false, 0, "basic"))
	f.mustGive(t, owner(1), v1)
	f.clock.Advance(time.Hour)
	v2 := f.mustPublish(t, draft(consent.PolicyMatch, false, 0, "basic")) // other words, the same sense
	m, err := f.Mine(ctx, owner(1))
	if err != nil || m.Items[0].Standing != consent.OldHolds || !m.Items[0].Holds || !m.Items[0].MayGive || !strings.Contains(m.Items[0].Word, "按旧版本授权") {
		t.Fatalf("%+v %v", m.Items[0], err)
	}
	f.clock.Advance(time.Hour)
	v3 := f.mustPublish(t, draft(consent.PolicyMatch, true, 0, "basic", "operation"))
	f.mustGive(t, owner(2), v3)
	if m, err = f.Mine(ctx, owner(1)); err != nil || m.Items[0].Standing != consent.OldVoid || m.Items[0].Holds || m.Items[0].Text.ID != v3.ID {
		t.Fatalf("%+v %v", m.Items[0], err)
	}
	if got := f.allows(t, consent.PolicyMatch, f.clock.Now(), 1, 2); !slices.Equal(got, []int64{2}) {
		t.Fatal("after a material change:", got)
	}
	if got := f.allows(t, consent.PolicyMatch, f.clock.Now().Add(-time.Minute), 1); !slices.Equal(got, []int64{1}) {
		t.Fatal("before it:", got)
	}
	if _, err := f.Give(ctx, owner(1), consent.Give{Purpose: consent.PolicyMatch, TextID: v2.ID, Digest: v2.Digest}); !errors.Is(err, consent.ErrText) {
		t.Fatal("agreed to an old version:", err)
	}
	renewed := f.mustGive(t, owner(1), v3)
	if m, err = f.Mine(ctx, owner(1)); err != nil || m.Items[0].Standing != consent.Holds || m.History[1].Ended != consent.ByRenewing || m.History[1].TextNo != 1 {
		t.Fatalf("%+v %v %v", m, renewed, err)
	}
}

func TestReadingNeedsConsentOrBasisAndIsLogged(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustPublish(t, draft(consent.Portrait, false, 0, "basic", "standing"))
	g := f.mustGive(t, owner(1), v)
	basis := consent.Declare{Code: "duty", Name: "法定职责", Law: "《中华人民共和国数据安全法》第三十八条", Roles: []string{"reviewer"}, Purposes: []string{consent.Portrait},
		Groups: []string{"operation"}, Active: true}
	if _, err := f.Declare(ctx, writer, basis); !errors.Is(err, consent.ErrForbidden) {
		t.Fatal("declared without the right:", err)
	}
	b, err := f.Declare(ctx, publisher, basis)
	if err != nil || b.Version != 1 {
		t.Fatalf("%+v %v", b, err)
	}
	institution := access.Actor{UserID: 70, Name: "banker", Party: access.Institution, InstitutionID: 5}
	for _, c := range []struct {
		who            access.Actor
		company        int64
		purpose, basis string
		groups         []string // nil: refused
	}{
		{clerk, 1, consent.Portrait, "", []string{"basic", "standing"}},
		{clerk, 2, consent.Portrait, "", nil},
		{clerk, 2, consent.Portrait, "duty", nil}, // not their role
		{reviewer, 2, consent.Portrait, "", nil},  // a basis counts when it is claimed
		{reviewer, 2, consent.Portrait, "duty", []string{"operation"}},
		{reviewer, 1, consent.Portrait, "duty", []string{"operation"}},
		{reviewer, 2, consent.PolicyMatch, "duty", nil}, // not its purpose
		{reviewer, 2, consent.Portrait, "none", nil},
		{institution, 1, consent.ShareInstitution, "", nil},
	} {
		p, err := f.Read(ctx, c.who, c.company, consent.Reading{Purpose: c.purpose, Basis: c.basis, What: "企业详情"})
		if c.groups == nil {
			if !errors.Is(err, consent.ErrRefused) || !strings.Contains(err.Error(), "数据授权") {
				t.Errorf("%s %d %s %q: %v", c.who.Name, c.company, c.purpose, c.basis, err)
			}
		} else if err != nil || !slices.Equal(p.Groups, c.groups) {
			t.Errorf("%s %d %s %q: %+v %v", c.who.Name, c.company, c.purpose, c.basis, p, err)
		}
	}
	if err := f.Check(ctx, access.Actor{}, 1, consent.Portrait, ""); !errors.Is(err, fault.ErrUnauthorized) {
		t.Fatal("a visitor:", err)
	}
	if err := f.Check(ctx, owner(2), 2, consent.Portrait, ""); err != nil {
		t.Fatal("their own company:", err)
	}
	if err := f.Check(ctx, owner(2), 1, consent.PolicyMatch, ""); !errors.Is(err, consent.ErrRefused) {
		t.Fatal("another company:", err)
	}
	if err := f.Check(ctx, clerk, 1, "nonsense", ""); !errors.Is(err, consent.ErrPurpose) {
		t.Fatal("no such purpose:", err)
	}
	first, next, err := f.Accesses(ctx, owner(2), 2, "", 4)
	if err != nil || len(first) != 4 || next == "" {
		t.Fatalf("%+v %q %v", first, next, err)
	}
	rest, next, err := f.Accesses(ctx, owner(2), 2, next, 4)
	if err != nil || len(rest) != 2 || next != "" {
		t.Fatalf("%+v %q %v", rest, next, err)
	}
	all := append(first, rest...)
	slices.Reverse(all)
	for i, want := range []string{"", "", "", "法定职责", "", ""} {
		a := all[i]
		if a.Allowed != (want != "") || a.BasisName != want || a.Unit != "区经信局" || a.IP != "" || !strings.Contains(a.ReaderName, "*") || a.Allowed == (a.Why != "") {
			t.Errorf("%d: %+v", i, a)
		}
	}
	seen, _, err := f.Accesses(ctx, clerk, 1, "", 100)
	if err != nil || len(seen) != 4 || seen[3].GrantID != g.Grant.ID || seen[3].BasisName != "企业授权" || seen[3].IP == "" || seen[3].ReaderName != "clerk" {
		t.Fatalf("%+v %v", seen, err)
	}
	for _, a := range []access.Actor{owner(1), institution, staff(8, "nobody")} {
		if _, _, err := f.Accesses(ctx, a, 2, "", 0); err == nil {
			t.Error(a.Name, "reads the log of another company")
		}
	}
	var audited int
	if err := f.db.Read().NewRaw("SELECT count(*) FROM audit_entries WHERE action IN ('consent.read', 'consent.refuse')").Scan(ctx, &audited); err != nil || audited != 10 {
		t.Fatal("audit entries:", audited, err)
	}
	basis.Version, basis.Active = 1, false
	if _, err := f.Declare(ctx, publisher, basis); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(ctx, reviewer, 2, consent.Portrait, "duty"); !errors.Is(err, consent.ErrRefused) {
		t.Fatal("a basis switched off:", err)
	}
	if _, err := f.Declare(ctx, publisher, basis); !errors.Is(err, fault.ErrChanged) {
		t.Fatal("a stale change:", err)
	}
}

func TestBulkAnswersAsOneByOne(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustPublish(t, draft(consent.PolicyMatch, false, 0, "basic"))
	system := access.SystemActor("test")
	var ids []int64
	for id := int64(1); id <= 2300; id++ { // more than two chunks
		ids = append(ids, id)
		if id%100 == 0 {
			f.mustGive(t, owner(id), v)
		}
	}
	got := f.allows(t, consent.PolicyMatch, f.clock.Now(), ids...)
	if len(got) != 23 || got[0] != 100 || got[22] != 2300 {
		t.Fatal(got)
	}
	passes, err := f.ReadAll(ctx, system, ids, consent.Reading{Purpose: consent.PolicyMatch, What: "政策发布核算"})
	if err != nil || len(passes) != 23 {
		t.Fatal(len(passes), err)
	}
	var logged, allowed int
	if err := f.db.Read().NewRaw("SELECT count(*), sum(CASE WHEN allowed THEN 1 ELSE 0 END) FROM consent_accesses").Scan(ctx, &logged, &allowed); err != nil || logged != 2300 || allowed != 23 {
		t.Fatal(logged, allowed, err)
	}
}

func TestTwoSignAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustPublish(t, draft(consent.Portrait, false, 0, "basic"))
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = f.Give(ctx, owner(1), consent.Give{Key: fmt.Sprint(i), Purpose: consent.Portrait, TextID: v.ID, Digest: v.Digest})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, consent.ErrGranted) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Fatal("grants:", won)
	}
}
