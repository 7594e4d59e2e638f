package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/search"
)

var start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// providers are the institutions of the tests: 1 a bank, 2 a law firm; 3 is out of service.
type providers struct{}

func (providers) Institution(_ context.Context, _ bun.IDB, id int64) (catalog.Provider, error) {
	for _, p := range []catalog.Provider{
		{ID: 1, Name: "运河银行", KindName: "银行", Summary: "普惠金融", Phone: "010-60000001", Address: "运河大道1号", Active: true},
		{ID: 2, Name: "公信律师事务所", KindName: "律师事务所", Summary: "合同与用工", Phone: "010-60000002", Address: "运河大道2号", Active: true},
		{ID: 3, Name: "停业担保公司", KindName: "融资担保机构"},
	} {
		if p.ID == id {
			return p, nil
		}
	}
	return catalog.Provider{}, fault.ErrNotFound
}

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, search.Migrations, catalog.Migrations)

type fixture struct {
	*catalog.Service
	db    *database.DB
	clock *clock.Fake
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start)}
	f.Service = catalog.New(catalog.Deps{DB: f.db, Clock: f.clock, Institutions: providers{},
		RateLimit: catalog.RateLimit{BasisPoints: 1200, Basis: "四倍"}})
	return f
}

func person(id int64, name string, party access.Party, scope access.Scope, institution int64, rights ...access.Permission) access.Actor {
	slices.Sort(rights)
	return access.Actor{UserID: id, Name: name, Party: party, Scope: scope, InstitutionID: institution, Permissions: rights}
}

func operator(id, institution int64) access.Actor {
	return person(id, "柜员小陈", access.Institution, access.ScopeSelf, institution, catalog.PermView, catalog.PermEdit)
}

func reviewer(id int64, name string, rights ...access.Permission) access.Actor {
	party := access.Platform
	if slices.Contains(rights, catalog.PermReviewGovernment) {
		party = access.Government
	}
	return person(id, name, party, access.ScopeDistrict, 0, append(rights, catalog.PermView)...)
}

var (
	banker  = operator(11, 1)
	lawyer  = operator(12, 2)
	closed  = operator(13, 3)
	first   = reviewer(21, "初审赵", catalog.PermReviewPlatform, catalog.PermTakeDown)
	first2  = reviewer(22, "初审钱", catalog.PermReviewPlatform)
	second  = reviewer(31, "终审孙", catalog.PermReviewGovernment, catalog.PermTakeDown)
	both    = reviewer(32, "全能李", catalog.PermReviewPlatform, catalog.PermReviewGovernment)
	baker   = access.Actor{UserID: 41, Name: "王芳", Party: access.Enterprise, EnterpriseID: 7}
	nobody  = access.Actor{Party: access.Anonymous}
	machine = access.SystemActor("test")
)

func loan() catalog.Content {
	return catalog.Content{
		Name: "〔演示〕烘焙贷", Kind: "financing", FinancingKind: "debt", Summary: "给面包房的信用贷款", Description: "凭收单流水核定额度，添置烤箱也能用。\n按日计息。",
		RateMin: 365, RateMax: 410, AmountMin: 1_000_000, AmountMax: 50_000_000, TermMin: 6, TermMax: 24, Target: "经营满一年的面包房𠮷🥐",
		Guarantees: []string{"credit"}, Conditions: []string{"无逾期贷款"}, Materials: []string{"营业执照"}, Steps: []string{"在线申请", "放款"}, Days: 5,
	}
}

func service() catalog.Content {
	return catalog.Content{Name: "合同体检", Kind: "legal", Summary: "逐条审查合同", Description: "标出风险条款。", Cost: "free", PriceText: "首次免费", Target: "小微企业",
		Venues: []string{"online"}, Deliverables: []string{"审查意见书"}, Conditions: []string{"无"},
		Materials: []string{"合同文本"}, Steps: []string{"预约", "出具意见"}, Days: 3}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ref(v catalog.View) catalog.Ref { return catalog.Ref{ID: v.ID, Version: v.Version} }

func (f fixture) mustDraft(t *testing.T, by access.Actor, c catalog.Content) catalog.View {
	t.Helper()
	return must(f.Draft(context.Background(), by, catalog.DraftProduct{Content: c}))(t)
}

func (f fixture) mustSubmit(t *testing.T, by access.Actor, c catalog.Content) catalog.View {
	t.Helper()
	v := f.mustDraft(t, by, c)
	return must(f.Submit(context.Background(), by, catalog.SubmitProduct{Ref: ref(v)}))(t)
}

func (f fixture) mustPass(t *testing.T, by access.Actor, v catalog.View) catalog.View {
	t.Helper()
	f.clock.Advance(time.Minute)
	return must(f.Pass(context.Background(), by, catalog.PassProduct{Ref: ref(v), Note: "内部意见"}))(t)
}

func (f fixture) mustList(t *testing.T, by access.Actor, c catalog.Content) catalog.View {
	t.Helper()
	return f.mustPass(t, second, f.mustPass(t, first, f.mustSubmit(t, by, c)))
}

// publicly says where the public meets the product: in the list, opened, in the search, as an offer.
func (f fixture) publicly(t *testing.T, id int64, query string) string {
	t.Helper()
	ctx := context.Background()
	var seen []string
	// Whoever asks, even its own institution and the reviewers, the public list is the public list.
	for _, who := range []access.Actor{nobody, baker, banker, first, machine} {
		for _, it := range must(f.Browse(ctx, who, catalog.BrowseFilter{}))(t).Items {
			if it.ID == id {
				seen = append(seen, "list")
			}
		}
		for _, it := range must(f.Browse(ctx, who, catalog.BrowseFilter{Query: query}))(t).Items {
			if it.ID == id {
				seen = append(seen, "find")
			}
		}
		if _, err := f.Show(ctx, who, id); err == nil {
			seen = append(seen, "open")
		} else if !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("open: %v", err)
		}
		if hits := must(f.Search(ctx, who, query, 5))(t); len(hits) > 0 {
			seen = append(seen, "site")
		}
	}
	if _, err := f.Offer(ctx, f.db.Read(), id); err == nil {
		seen = append(seen, "offer")
	}
	if f.Sees(ctx, baker, id) == nil {
		seen = append(seen, "files")
	}
	slices.Sort(seen)
	return strings.Join(slices.Compact(seen), " ")
}

const everywhere = "files find list offer open site"

func TestAProductIsInvisibleUntilBothReviews(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v := f.mustDraft(t, banker, loan())
	at := func(step, want string) {
		t.Helper()
		if got := f.publicly(t, v.ID, "烘焙贷"); got != want {
			t.Errorf("%s: seen in %q, want %q", step, got, want)
		}
	}
	at("draft", "")
	v = must(f.Submit(context.Background(), banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
	at("submitted", "")
	if v.Status != catalog.PlatformReview || slices.Contains(v.Actions, catalog.ToEdit) || !slices.Contains(v.Actions, catalog.ToWithdraw) {
		t.Errorf("submitted: %s %v", v.Status, v.Actions)
	}
	v = f.mustPass(t, first, v)
	at("after the platform's review", "")
	v = f.mustPass(t, second, v)
	at("after the government's review", everywhere)
	if v.Status != catalog.Public || v.Shown != 1 || v.ListedAt == nil || !v.ListedAt.Equal(start.Add(2*time.Minute)) {
		t.Errorf("listed: %+v", v.Item)
	}
	d := must(f.Show(context.Background(), nobody, v.ID))(t)
	if d.Institution.Phone != "010-60000001" || d.Facts[0].Label != "年利率" || d.Facts[0].Value != "3.65%–4.10%" || d.Materials[0] != "营业执照" {
		t.Errorf("shown: %+v", d)
	}
	o := must(f.Offer(context.Background(), f.db.Read(), v.ID))(t)
	if o.Name != "〔演示〕烘焙贷" || o.InstitutionName != "运河银行" || o.Edition != 1 || o.KindName != "债权融资" || !o.Lends || o.AmountMax != 50_000_000 || o.TermMin != 6 || len(o.Materials) != 1 {
		t.Errorf("offer: %+v", o)
	}
}

func TestTheCourseIsInEventsAndAudit(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v := f.mustList(t, banker, loan())
	var got []string
	for _, e := range must(event.Of(context.Background(), f.db.Read(), catalog.Object, v.ID))(t) {
		var h catalog.Head
		if err := e.Decode(&h); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s v%d by %s", e.Type, h.Status, h.Version, e.ActorName))
		if h.Name != "〔演示〕烘焙贷" || h.Kind != "financing" || h.InstitutionID != 1 || h.InstitutionName != "运河银行" || h.Edition != 1 {
			t.Errorf("%s: %+v", e.Type, h)
		}
	}
	want := []string{"product.drafted draft v1 by 柜员小陈", "product.submitted platform_review v2 by 柜员小陈",
		"product.passed_platform government_review v3 by 初审赵", "product.listed listed v4 by 终审孙"}
	if !slices.Equal(got, want) {
		t.Errorf("events %q", got)
	}
	n := must(f.db.Read().NewSelect().TableExpr("audit_entries").Where("object = 'product' AND object_id = ?", v.ID).Count(context.Background()))(t)
	if n != 4 {
		t.Errorf("%d audit rows", n)
	}
	// The institution reads neither the reviewers' names nor their notes; the reviewers do.
	inside, outside := must(f.Get(context.Background(), first, v.ID))(t), must(f.Get(context.Background(), banker, v.ID))(t)
	if s := inside.Timeline[2]; s.Actor != "初审赵" || s.Text != "内部意见" {
		t.Errorf("inside: %+v", s)
	}
	if s := outside.Timeline[2]; s.Actor != "" || s.Text != "" || outside.Timeline[1].Actor != "柜员小陈" {
		t.Errorf("outside: %+v", s)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, banker, loan())
	pass := func(by access.Actor) error {
		_, err := f.Pass(ctx, by, catalog.PassProduct{Ref: ref(v)})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"a visitor":                      {pass(nobody), fault.ErrUnauthorized},
		"a company":                      {pass(baker), fault.ErrForbidden},
		"its own institution":            {pass(banker), fault.ErrForbidden},
		"the government before its turn": {pass(second), fault.ErrForbidden},
		"a reviewer without the right":   {pass(reviewer(23, "钱")), fault.ErrForbidden},
		"a reviewer of one department":   {pass(person(24, "周", access.Government, access.ScopeDepartment, 0, catalog.PermView, catalog.PermReviewPlatform)), fault.ErrForbidden},
		"who submitted it":               {pass(reviewer(banker.UserID, "柜员小陈", catalog.PermReviewPlatform)), catalog.ErrOwn},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	v = f.mustPass(t, both, v)
	if err := pass(both); !errors.Is(err, catalog.ErrSamePerson) {
		t.Errorf("both reviews by one person: %v", err)
	}
	seen := must(f.Get(ctx, both, v.ID))(t)
	if seen.Blocked == "" || slices.Contains(seen.Actions, catalog.ToPass) {
		t.Errorf("the one who did the first review is offered the second: %v %q", seen.Actions, seen.Blocked)
	}
	if err := pass(first); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the platform in the government's turn: %v", err)
	}
	v = f.mustPass(t, second, v)
	if _, err := f.TakeDown(ctx, first2, catalog.TakeDownProduct{Ref: ref(v), Reason: "资质到期"}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("taken down without the right: %v", err)
	}
}

func TestAForeignProductIsAMissingOne(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustList(t, banker, loan())
	r := ref(v)
	for name, call := range map[string]func(id int64) error{
		"open": func(id int64) error { _, err := f.Get(ctx, lawyer, id); return err },
		"edit": func(id int64) error {
			r.ID = id
			_, err := f.Edit(ctx, lawyer, catalog.EditProduct{Ref: r, Content: loan()})
			return err
		},
		"submit": func(id int64) error {
			r.ID = id
			_, err := f.Submit(ctx, lawyer, catalog.SubmitProduct{Ref: r})
			return err
		},
		"withdraw": func(id int64) error {
			r.ID = id
			_, err := f.Withdraw(ctx, lawyer, catalog.WithdrawProduct{Ref: r})
			return err
		},
		"revise": func(id int64) error {
			r.ID = id
			_, err := f.Revise(ctx, lawyer, catalog.ReviseProduct{Ref: r})
			return err
		},
		"unlist": func(id int64) error {
			r.ID = id
			_, err := f.Unlist(ctx, lawyer, catalog.UnlistProduct{Ref: r, Reason: "不再提供"})
			return err
		},
	} {
		theirs, missing := call(v.ID), call(9999)
		if !errors.Is(theirs, fault.ErrNotFound) || !errors.Is(missing, fault.ErrNotFound) {
			t.Errorf("%s: theirs %v, missing %v", name, theirs, missing)
		}
	}
	if items, _, err := f.List(ctx, lawyer, catalog.ListFilter{}); err != nil || len(items) != 0 {
		t.Errorf("the other institution lists %v %v", items, err)
	}
	if items, _, err := f.List(ctx, lawyer, catalog.ListFilter{InstitutionID: 1}); err != nil || len(items) != 0 {
		t.Errorf("asking for the other institution lists %v %v", items, err)
	}
	if items, _, err := f.List(ctx, banker, catalog.ListFilter{}); err != nil || len(items) != 1 {
		t.Errorf("the own institution lists %v %v", items, err)
	}
	if _, _, err := f.List(ctx, baker, catalog.ListFilter{}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("a company lists what is managed: %v", err)
	}
}

func TestTwoReviewersAtOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, banker, loan())
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, by := range []access.Actor{first, first2} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if i == 0 {
				_, errs[i] = f.Pass(ctx, by, catalog.PassProduct{Ref: ref(v)})
			} else {
				_, errs[i] = f.Return(ctx, by, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"other"}, Text: "利率说明不清楚"})
			}
		}()
	}
	wg.Wait()
	winner, loser := first, errs[1]
	if errs[0] != nil {
		winner, loser = first2, errs[0]
	}
	fl, ok := fault.As(loser)
	if errs[0] == nil == (errs[1] == nil) || !ok || fl.Kind != fault.Conflict {
		t.Fatalf("errors %v", errs)
	}
	if _, err := f.Return(ctx, first2, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"other"}, Text: "利率说明不清楚"}); err == nil || !strings.Contains(err.Error(), winner.Name) {
		t.Errorf("the second is not told that it was %s: %v", winner.Name, err)
	}
	if _, err := f.Withdraw(ctx, banker, catalog.WithdrawProduct{Ref: ref(v)}); err == nil || strings.Contains(err.Error(), winner.Name) || !strings.Contains(err.Error(), "工作人员") {
		t.Errorf("the institution reads a reviewer's name: %v", err)
	}
	if n := len(must(event.Of(ctx, f.db.Read(), catalog.Object, v.ID))(t)); n != 3 {
		t.Errorf("%d events", n)
	}
}

func TestTheSameKeyDoesItOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	a := must(f.Draft(ctx, banker, catalog.DraftProduct{Key: "k1", Content: loan()}))(t)
	b := must(f.Draft(ctx, banker, catalog.DraftProduct{Key: "k1", Content: loan()}))(t)
	if a.ID != b.ID {
		t.Errorf("two drafts %d %d", a.ID, b.ID)
	}
	other := loan()
	other.Name = "别的贷款"
	if _, err := f.Draft(ctx, banker, catalog.DraftProduct{Key: "k1", Content: other}); !errors.Is(err, idempotency.ErrKeyReused) {
		t.Errorf("the key with other content: %v", err)
	}
	r := ref(a)
	r.Key = "k2"
	for range 2 {
		v := must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: r}))(t)
		if v.Status != catalog.PlatformReview || v.Version != 2 {
			t.Errorf("submitted: %s %d", v.Status, v.Version)
		}
	}
}

func TestAStaleVersionSaysWhatChanged(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, banker, loan())
	f.mustPass(t, first, v)
	_, err := f.Return(ctx, first2, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"other"}, Text: "利率说明不清楚"})
	if !errors.Is(err, catalog.ErrStale) || !strings.Contains(err.Error(), "初审赵于2026年11月22日 10:01进行了“初审通过”") {
		t.Errorf("%v", err)
	}
}

func TestAnEditOfAListedProductWaitsBesideIt(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustList(t, banker, loan())
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
	if v.Status != catalog.Draft || v.Edition != 2 || v.Shown != 1 || v.Public == nil {
		t.Fatalf("revised %+v", v.Item)
	}
	c := loan()
	c.Name, c.RateMax, c.Summary = "〔演示〕烘焙升级贷", 398, "利率更低的烤箱贷款"
	v = must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: c}))(t)
	v = must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
	v = f.mustPass(t, first, v)
	before := func(step string) {
		t.Helper()
		d := must(f.Show(ctx, nobody, v.ID))(t)
		if d.Name != "〔演示〕烘焙贷" || d.Edition != 1 || d.Facts[0].Value != "3.65%–4.10%" {
			t.Errorf("%s: the public reads %s %v", step, d.Name, d.Facts)
		}
		if got := f.publicly(t, v.ID, "烘焙贷"); got != everywhere {
			t.Errorf("%s: seen in %q", step, got)
		}
		if got := must(f.Search(ctx, nobody, "升级贷", 5))(t); len(got) != 0 {
			t.Errorf("%s: the edition under review is found: %v", step, got)
		}
		if got := must(f.Browse(ctx, nobody, catalog.BrowseFilter{}))(t).Items[0].Name; got != "〔演示〕烘焙贷" {
			t.Errorf("%s: the list shows %s", step, got)
		}
	}
	before("under review")
	var fields []string
	for _, ch := range must(f.Get(ctx, second, v.ID))(t).Changes {
		fields = append(fields, ch.Field)
	}
	if want := []string{"name", "summary", "rate"}; !slices.Equal(fields, want) || v.Against != 1 {
		t.Errorf("the reviewer sees %v against %d", fields, v.Against)
	}
	v = must(f.Return(ctx, second, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"other"}, Text: "请补充费用说明"}))(t)
	before("returned")
	v = must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
	v = f.mustPass(t, second, f.mustPass(t, first, v))
	d := must(f.Show(ctx, nobody, v.ID))(t)
	if d.Name != "〔演示〕烘焙升级贷" || d.Edition != 2 || v.Shown != 2 || v.Editions[1].Status != catalog.Replaced {
		t.Errorf("approved: %s edition %d %+v", d.Name, d.Edition, v.Editions)
	}
	if got := must(f.Search(ctx, nobody, "升级贷", 5))(t); len(got) != 1 {
		t.Errorf("the new edition is not found: %v", got)
	}
	if got := must(f.Search(ctx, nobody, "给面包房的信用", 5))(t); len(got) != 0 {
		t.Errorf("words of the old edition are still found: %v", got)
	}
	// The kind of what was listed stays: applications hang on it.
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
	if _, err := f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: service()}); !errors.Is(err, catalog.ErrKindFixed) {
		t.Errorf("another kind: %v", err)
	}
}

func TestTakingDownLeavesEveryList(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, down := range map[string]func(f fixture, r catalog.Ref) (catalog.View, error){
		"by the platform": func(f fixture, r catalog.Ref) (catalog.View, error) {
			return f.TakeDown(ctx, first, catalog.TakeDownProduct{Ref: r, Reason: "机构资质到期"})
		},
		"by its institution": func(f fixture, r catalog.Ref) (catalog.View, error) {
			return f.Unlist(ctx, banker, catalog.UnlistProduct{Ref: r, Reason: "产品升级"})
		},
	} {
		f := mustNew(t)
		v := must(down(f, ref(f.mustList(t, banker, loan()))))(t)
		if got := f.publicly(t, v.ID, "烘焙贷"); got != "" {
			t.Errorf("%s: still seen in %q", name, got)
		}
		if v.Status != catalog.Down || v.Shown != 0 || v.Reason == "" {
			t.Errorf("%s: %+v", name, v.Item)
		}
		// And back by way of a new edition and both reviews.
		v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
		v = must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
		if got := f.publicly(t, v.ID, "烘焙贷"); got != "" {
			t.Errorf("%s: seen before its second review in %q", name, got)
		}
		v = f.mustPass(t, second, f.mustPass(t, first, v))
		if got := f.publicly(t, v.ID, "烘焙贷"); got != everywhere {
			t.Errorf("%s: back in %q", name, got)
		}
	}
}

// A public edition is taken down while its successor is under review: the successor still needs its reviews.
func TestTakingDownBesideAReview(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(f.mustList(t, banker, loan()))}))(t)
	v = f.mustPass(t, first, must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t))
	v = must(f.TakeDown(ctx, second, catalog.TakeDownProduct{Ref: ref(v), Reason: "暂停受理"}))(t)
	if v.Status != catalog.GovernmentReview || v.Shown != 0 || v.Editions[1].Status != catalog.Down {
		t.Errorf("%+v %+v", v.Item, v.Editions)
	}
	if got := f.publicly(t, v.ID, "烘焙贷"); got != "" {
		t.Errorf("still seen in %q", got)
	}
	if v = f.mustPass(t, second, v); v.Shown != 2 {
		t.Errorf("listed: %+v", v.Item)
	}
}

func TestAProductExpires(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	c := loan()
	c.ValidUntil = "2026-11-23"
	v := f.mustList(t, banker, c)
	f.clock.Set(time.Date(2026, 11, 23, 15, 59, 59, 0, time.UTC)) // the last second of the day in Beijing
	if got := f.publicly(t, v.ID, "烘焙贷"); got != everywhere {
		t.Errorf("on its last day: %q", got)
	}
	if n := must(f.ExpireDue(ctx, machine))(t); n != 0 {
		t.Errorf("%d expired too early", n)
	}
	f.clock.Advance(time.Second)
	if got := f.publicly(t, v.ID, "烘焙贷"); got != "" {
		t.Errorf("after its last day, before the books say so: %q", got)
	}
	if _, err := f.ExpireDue(ctx, first); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("by a person: %v", err)
	}
	for _, want := range []int{1, 0} {
		if n := must(f.ExpireDue(ctx, machine))(t); n != want {
			t.Errorf("%d expired, want %d", n, want)
		}
	}
	v = must(f.Get(ctx, banker, v.ID))(t)
	if v.Status != catalog.Over || v.Shown != 0 || !slices.Contains(v.Actions, catalog.ToRevise) {
		t.Errorf("%+v %v", v.Item, v.Actions)
	}
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
	_, err := f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)})
	if fl, _ := fault.As(err); fl == nil || len(fl.Fields) != 1 || fl.Fields[0].Name != "validUntil" {
		t.Errorf("submitted with a term that is over: %v", err)
	}
}

func TestASuspendedInstitution(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustDraft(t, closed, loan())
	if _, err := f.Submit(ctx, closed, catalog.SubmitProduct{Ref: ref(v)}); !errors.Is(err, catalog.ErrSuspended) {
		t.Errorf("submitted: %v", err)
	}
	v = f.mustList(t, banker, loan())
	follow := func(by catalog.Provider) {
		t.Helper()
		if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return f.FollowInstitution(ctx, tx, by) }); err != nil {
			t.Fatal(err)
		}
	}
	follow(catalog.Provider{ID: 1, Name: "运河银行"})
	if got := f.publicly(t, v.ID, "烘焙贷"); got != "" {
		t.Errorf("suspended: still seen in %q", got)
	}
	follow(catalog.Provider{ID: 1, Name: "大运河银行", Active: true})
	if got := f.publicly(t, v.ID, "大运河"); got != everywhere {
		t.Errorf("resumed under a new name: seen in %q", got)
	}
}

func TestRecommending(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustDraft(t, banker, loan())
	if _, err := f.Recommend(ctx, first, catalog.RecommendProduct{Ref: ref(v), On: true}); !errors.Is(err, catalog.ErrState) {
		t.Errorf("a draft: %v", err)
	}
	v = f.mustList(t, lawyer, service())
	if _, err := f.Recommend(ctx, second, catalog.RecommendProduct{Ref: ref(v), On: true}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
	v = must(f.Recommend(ctx, first, catalog.RecommendProduct{Ref: ref(v), On: true}))(t)
	if got := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Recommended: true}))(t); len(got.Items) != 1 || !got.Items[0].Recommended {
		t.Errorf("recommended: %+v", got)
	}
	f.mustList(t, banker, loan())
	if cards := must(f.Cards(ctx, 6))(t); len(cards) != 2 || cards[0].Title != "合同体检" || cards[0].Status.Text != "推荐" {
		t.Errorf("the home page does not begin with what is recommended: %+v", cards)
	}
	must(f.Recommend(ctx, first, catalog.RecommendProduct{Ref: ref(v)}))(t)
	if got := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Recommended: true}))(t); len(got.Items) != 0 {
		t.Errorf("no longer recommended: %+v", got)
	}
}

func TestWhatMayNotBeTyped(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for name, c := range map[string]struct {
		change func(*catalog.Content)
		fields string
	}{
		"nothing":               {func(c *catalog.Content) { *c = catalog.Content{} }, "name kind"},
		"unknown kind":          {func(c *catalog.Content) { c.Kind = "magic" }, "kind"},
		"unknown financing":     {func(c *catalog.Content) { c.FinancingKind = "" }, "financingKind"},
		"rate above 36 %":       {func(c *catalog.Content) { c.RateMax = 3601 }, "rateMax"},
		"rates upside down":     {func(c *catalog.Content) { c.RateMin = 500 }, "rateMax"},
		"negative amount":       {func(c *catalog.Content) { c.AmountMin = -100 }, "amountMin"},
		"amount beyond reason":  {func(c *catalog.Content) { c.AmountMax = 100_000_000_000_100 }, "amountMax"},
		"terms upside down":     {func(c *catalog.Content) { c.TermMin, c.TermMax = 24, 6 }, "termMax"},
		"a year and a day":      {func(c *catalog.Content) { c.Days = 366 }, "days"},
		"no date":               {func(c *catalog.Content) { c.ValidUntil = "2026-02-30" }, "validUntil"},
		"name of 61 characters": {func(c *catalog.Content) { c.Name = strings.Repeat("𠮷", 61) }, "name"},
		"21 materials":          {func(c *catalog.Content) { c.Materials = strings.Split(strings.Repeat("证明,", 21), ",")[:21] }, "materials"},
		"an unknown guarantee":  {func(c *catalog.Content) { c.Guarantees = []string{"credit", "soul"} }, "guarantees"},
		"21 conditions":         {func(c *catalog.Content) { c.Conditions = strings.Split(strings.Repeat("条件,", 21), ",")[:21] }, "conditions"},
		"over before it begins": {func(c *catalog.Content) { c.ListFrom, c.ValidUntil = "2027-01-02", "2027-01-01" }, "validUntil"},
		"no day to begin":       {func(c *catalog.Content) { c.ListFrom = "明天" }, "listFrom"},
		"a cost of services":    {func(c *catalog.Content) { *c = service(); c.Cost = "cheap" }, "cost"},
		"an unknown place":      {func(c *catalog.Content) { *c = service(); c.Venues = []string{"moon"} }, "venues"},
		"broken text":           {func(c *catalog.Content) { c.Summary = "\xff" }, "summary"},
	} {
		content := loan()
		c.change(&content)
		_, err := f.Draft(ctx, banker, catalog.DraftProduct{Content: content})
		fl, ok := fault.As(err)
		if !ok || fl.Kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, x := range fl.Fields {
			got = append(got, x.Name)
		}
		if strings.Join(got, " ") != c.fields {
			t.Errorf("%s: %v, want %s", name, got, c.fields)
		}
	}
	// The borders themselves, rare Hanzi and emoji are fine.
	c := loan()
	c.Name, c.RateMax, c.Days, c.Description = strings.Repeat("𠮷", 59)+"🥐", 3600, 365, strings.Repeat("字", 5000)
	v := f.mustDraft(t, banker, c)
	if len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0], "36.00% 高于 12.00%") {
		t.Errorf("warnings %q", v.Warnings)
	}
	if v.Content.Name != c.Name || len(f.mustDraft(t, banker, loan()).Warnings) != 0 {
		t.Errorf("kept as %q", v.Content.Name)
	}
	// What is not of its kind is not kept.
	s := service()
	s.RateMax, s.FinancingKind = 400, "debt"
	if got := f.mustDraft(t, lawyer, s).Content; got.RateMax != 0 || got.FinancingKind != "" || got.PriceText != "首次免费" {
		t.Errorf("a service with a rate: %+v", got)
	}
}

func TestADraftMayHaveGapsASubmissionMayNot(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for kind, c := range map[string]struct {
		content catalog.Content
		missing string
	}{
		"loan":    {catalog.Content{Name: "空白贷", Kind: "financing", FinancingKind: "debt"}, "summary target description conditions materials steps days rateMax amountMax termMax guarantees"},
		"equity":  {catalog.Content{Name: "空白基金", Kind: "financing", FinancingKind: "equity"}, "summary target description conditions materials steps days amountMax termMax"},
		"service": {catalog.Content{Name: "空白服务", Kind: "legal"}, "summary target description conditions materials steps days cost venues deliverables priceText"},
	} {
		v := f.mustDraft(t, banker, c.content)
		_, err := f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)})
		fl, _ := fault.As(err)
		var got []string
		if fl != nil {
			for _, x := range fl.Fields {
				got = append(got, x.Name)
			}
		}
		if strings.Join(got, " ") != c.missing {
			t.Errorf("%s: %v", kind, got)
		}
		if now := must(f.Get(ctx, banker, v.ID))(t); now.Status != catalog.Draft || now.Version != 1 {
			t.Errorf("%s: a refused submission changed it to %s %d", kind, now.Status, now.Version)
		}
	}
}

func TestWithdrawAndReturn(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustPass(t, first, f.mustSubmit(t, banker, loan()))
	v = must(f.Withdraw(ctx, banker, catalog.WithdrawProduct{Ref: ref(v)}))(t)
	if v.Status != catalog.TakenBack {
		t.Fatalf("%s", v.Status)
	}
	v = must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
	if v.Status != catalog.PlatformReview {
		t.Fatalf("submitted again it begins at %s", v.Status)
	}
	if _, err := f.Return(ctx, first, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"other"}, Text: "不行"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a real reason: %v", err)
	}
	v = must(f.Return(ctx, first, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"other"}, Text: "利率与合同样本不一致"}))(t)
	seen := must(f.Get(ctx, banker, v.ID))(t)
	if seen.Status != catalog.SentBack || seen.Reason != "利率与合同样本不一致" || !slices.Contains(seen.Actions, catalog.ToEdit) {
		t.Errorf("%+v %q %v", seen.Item, seen.Reason, seen.Actions)
	}
	if _, err := f.Pass(ctx, first, catalog.PassProduct{Ref: ref(seen)}); !errors.Is(err, fault.ErrForbidden) && !errors.Is(err, catalog.ErrState) {
		t.Errorf("passed what was returned: %v", err)
	}
}

func TestTheQueueIsOldestFirst(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var ids []int64
	for i := range 5 {
		c := loan()
		c.Name = fmt.Sprintf("贷款 %d", i)
		ids = append(ids, f.mustSubmit(t, banker, c).ID)
		f.clock.Advance(time.Hour)
	}
	// The first is taken back and comes again: it stands last.
	v := must(f.Get(ctx, banker, ids[0]))(t)
	v = must(f.Withdraw(ctx, banker, catalog.WithdrawProduct{Ref: ref(v)}))(t)
	must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
	var got []int64
	cursor := ""
	for {
		items, next, err := f.List(ctx, first, catalog.ListFilter{Waiting: true, Limit: 2, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			got = append(got, it.ID)
		}
		if cursor = next; next == "" {
			break
		}
	}
	if want := append(slices.Clone(ids[1:]), ids[0]); !slices.Equal(got, want) {
		t.Errorf("queue %v, want %v", got, want)
	}
	if items, _, _ := f.List(ctx, second, catalog.ListFilter{Waiting: true}); len(items) != 0 {
		t.Errorf("the government waits for %v", items)
	}
	f.mustPass(t, both, must(f.Get(ctx, both, ids[1]))(t))
	if items, _, _ := f.List(ctx, second, catalog.ListFilter{Waiting: true}); len(items) != 1 {
		t.Errorf("the government waits for %v", items)
	}
	for _, it := range must2(f.List(ctx, both, catalog.ListFilter{Waiting: true}))(t) {
		if it.ID == ids[1] {
			t.Error("who did the first review waits for the second")
		}
	}
	if items, _, _ := f.List(ctx, banker, catalog.ListFilter{Waiting: true}); len(items) != 0 {
		t.Errorf("the institution waits for %v", items)
	}
}

func must2[T any](v T, _ string, err error) func(*testing.T) T { return must(v, err) }

func TestBrowsing(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	add := func(by access.Actor, change func(*catalog.Content)) int64 {
		c := loan()
		if by.InstitutionID == 2 {
			c = service()
		}
		change(&c)
		return f.mustList(t, by, c).ID
	}
	small := add(banker, func(c *catalog.Content) { c.Name = "小店贷" })
	big := add(banker, func(c *catalog.Content) {
		c.Name, c.FinancingKind, c.RateMin, c.RateMax, c.AmountMin, c.AmountMax, c.TermMin, c.TermMax = "厂房抵押贷", "mortgage", 310, 380, 300_000_000, 10_000_000_000, 36, 120
	})
	fund := add(banker, func(c *catalog.Content) {
		c.Name, c.FinancingKind, c.RateMin, c.RateMax, c.Description = "成长基金", "equity", 0, 0, "也投小店连锁品牌。"
	})
	law := add(lawyer, func(c *catalog.Content) {})
	for name, c := range map[string]struct {
		filter catalog.BrowseFilter
		want   []int64
	}{
		"all, newest first":     {catalog.BrowseFilter{}, []int64{law, fund, big, small}},
		"a kind":                {catalog.BrowseFilter{Kind: "legal"}, []int64{law}},
		"a kind of financing":   {catalog.BrowseFilter{Kind: "financing", FinancingKind: "mortgage"}, []int64{big}},
		"an amount":             {catalog.BrowseFilter{Amount: catalog.Span{Low: 10, High: 50}}, []int64{fund, small}},
		"an amount upwards":     {catalog.BrowseFilter{Amount: catalog.Span{Low: 1000}}, []int64{big}},
		"a term":                {catalog.BrowseFilter{Term: catalog.Span{Low: 36}}, []int64{big}},
		"a rate":                {catalog.BrowseFilter{RateMax: 350}, []int64{big}},
		"cheapest first":        {catalog.BrowseFilter{Kind: "financing", Sort: catalog.ByRate}, []int64{big, small, fund}},
		"an institution":        {catalog.BrowseFilter{InstitutionID: 2}, []int64{law}},
		"found in the name":     {catalog.BrowseFilter{Query: "抵押贷"}, []int64{big}},
		"name before the rest":  {catalog.BrowseFilter{Query: "小店"}, []int64{small, fund}},
		"newest found first":    {catalog.BrowseFilter{Query: "小店", Sort: catalog.ByNew}, []int64{fund, small}},
		"by the institution":    {catalog.BrowseFilter{Query: "公信律师"}, []int64{law}},
		"by the kind":           {catalog.BrowseFilter{Query: "法律服务"}, []int64{law}},
		"rare Hanzi":            {catalog.BrowseFilter{Query: "面包房𠮷"}, []int64{fund, big, small}},
		"one character":         {catalog.BrowseFilter{Query: "合"}, []int64{law}},
		"one within a name":     {catalog.BrowseFilter{Query: "体"}, nil},
		"one character, escape": {catalog.BrowseFilter{Query: "%"}, nil},
		"syntax is text":        {catalog.BrowseFilter{Query: `小店" OR "合同`}, nil},
		"an unknown kind":       {catalog.BrowseFilter{Kind: "magic"}, nil},
	} {
		found, err := f.Browse(ctx, nobody, c.filter)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []int64
		for _, it := range found.Items {
			got = append(got, it.ID)
		}
		if !slices.Equal(got, c.want) || found.Count != len(c.want) {
			t.Errorf("%s: %v of %d, want %v", name, got, found.Count, c.want)
		}
		// Page by page, by cursor and by number, it is the same.
		var walked, paged []int64
		step := c.filter
		step.Limit = 1
		for n := 1; n <= len(c.want)+1; n++ {
			found := must(f.Browse(ctx, nobody, step))(t)
			for _, it := range found.Items {
				walked = append(walked, it.ID)
			}
			numbered := c.filter
			numbered.Limit, numbered.Page = 1, n
			for _, it := range must(f.Browse(ctx, nobody, numbered))(t).Items {
				paged = append(paged, it.ID)
			}
			if step.Cursor = found.Next; found.Next == "" {
				break
			}
		}
		if !slices.Equal(walked, c.want) || !slices.Equal(paged, c.want) {
			t.Errorf("%s: by cursor %v, by page %v, want %v", name, walked, paged, c.want)
		}
	}
	if _, err := f.Browse(ctx, nobody, catalog.BrowseFilter{Query: strings.Repeat("长", 101)}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a long query: %v", err)
	}
	if _, err := f.Browse(ctx, nobody, catalog.BrowseFilter{Cursor: "x"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a broken cursor: %v", err)
	}
	hits := must(f.Search(ctx, nobody, "抵押贷", 5))(t)
	if len(hits) != 1 || hits[0].URL != fmt.Sprintf("/products/%d", big) || !slices.Equal(hits[0].Meta, []string{"融资服务", "运河银行", "年利率 3.10%–3.80%", "额度 300 万元–1 亿元"}) {
		t.Errorf("hits %+v", hits)
	}
	if n, all := must(f.Count(ctx, nobody, "小店", 1))(t), must(f.Count(ctx, nobody, "小店", 9))(t); n != 1 || all != 2 {
		t.Errorf("counted %d and %d", n, all)
	}
	if cards := must(f.Cards(ctx, 3))(t); len(cards) != 3 || cards[0].Title != "合同体检" {
		t.Errorf("cards of the home page %+v", cards)
	}
	if hits := must(f.Search(ctx, nobody, "  ", 5))(t); len(hits) != 0 {
		t.Errorf("nothing asked: %v", hits)
	}
}

func TestTheFirstLetterOfAMarkedName(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustList(t, banker, loan())
	if got := must(f.Browse(context.Background(), nobody, catalog.BrowseFilter{Query: "烘"}))(t); got.Count != 1 {
		t.Errorf("found %d", got.Count)
	}
}

// TestAProductIsListedOnItsDay: approved before its day it waits; the clock lists it, once, and what was public stays until
// then. Meanwhile its institution and the government can take it back.
func TestAProductIsListedOnItsDay(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	old := f.mustList(t, banker, loan())
	v := must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(old)}))(t)
	c := loan()
	c.Name, c.ListFrom = "烘焙贷新版", "2026-11-25"
	v = must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: c}))(t)
	pass := func(v catalog.View) catalog.View {
		v = must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)
		v = f.mustPass(t, first, v)
		return f.mustPass(t, second, v)
	}
	v = pass(v)
	if v.Status != catalog.Scheduled || v.Shown != 1 || v.Status.Label() != "待上架" || !strings.Contains(v.Timeline[len(v.Timeline)-1].Label, "2026-11-25") {
		t.Fatalf("%+v %+v", v.Item, v.Timeline[len(v.Timeline)-1])
	}
	if got := must(f.Show(ctx, nobody, v.ID))(t); got.Name != "〔演示〕烘焙贷" {
		t.Errorf("before its day the public reads %q", got.Name)
	}
	if n := must(f.ListDue(ctx, machine))(t); n != 0 {
		t.Errorf("%d listed too early", n)
	}
	if _, err := f.ListDue(ctx, second); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("by a person: %v", err)
	}
	// Both may take it back, and the reviews begin again.
	v = must(f.Return(ctx, second, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"other"}, Text: "合同样本有变"}))(t)
	if v.Status != catalog.SentBack || v.Editions[0].ApprovedAt != nil {
		t.Fatalf("%+v", v.Editions[0])
	}
	v = pass(v)
	v = must(f.Withdraw(ctx, banker, catalog.WithdrawProduct{Ref: ref(v)}))(t)
	v = pass(v)
	f.clock.Set(time.Date(2026, 11, 24, 16, 0, 0, 0, time.UTC)) // midnight in Beijing
	var wg sync.WaitGroup
	var listed atomic.Int32
	for range 4 {
		wg.Go(func() { listed.Add(int32(must(f.ListDue(ctx, machine))(t))) })
	}
	wg.Wait()
	v = must(f.Get(ctx, banker, v.ID))(t)
	if listed.Load() != 1 || v.Status != catalog.Public || v.Shown != 2 || v.Timeline[len(v.Timeline)-1].Label != "按期上架" {
		t.Errorf("listed %d times: %+v %+v", listed.Load(), v.Item, v.Timeline[len(v.Timeline)-1])
	}
	if got := must(f.Show(ctx, nobody, v.ID))(t); got.Name != c.Name || len(got.Conditions) != 1 {
		t.Errorf("on its day the public reads %+v", got)
	}
}

// TestReviewsHaveATimeLimit: each review has its own, and who holds it up is reminded once however many processes look.
func TestReviewsHaveATimeLimit(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, banker, loan())
	if v.DueAt == nil || !v.DueAt.Equal(start.Add(48*time.Hour)) {
		t.Fatalf("due %v", v.DueAt)
	}
	remind := func() int {
		var n atomic.Int32
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { n.Add(int32(must(f.RemindOverdue(ctx, machine))(t))) })
		}
		wg.Wait()
		return int(n.Load())
	}
	if n := remind(); n != 0 {
		t.Errorf("%d reminders before the time", n)
	}
	f.clock.Advance(48 * time.Hour)
	if n, again := remind(), remind(); n != 1 || again != 0 {
		t.Errorf("%d reminders, then %d", n, again)
	}
	seen := must(f.Get(ctx, banker, v.ID))(t)
	if last := seen.Timeline[len(seen.Timeline)-1]; last.Kind != "product.submitted" {
		t.Errorf("the institution reads %q", last.Label)
	}
	v = f.mustPass(t, first, must(f.Get(ctx, first, v.ID))(t)) // reminding is no change of the file
	if v.DueAt == nil || !v.DueAt.Equal(f.clock.Now().Add(48*time.Hour)) {
		t.Errorf("the second review is due %v", v.DueAt)
	}
	f.clock.Advance(49 * time.Hour)
	if n := remind(); n != 1 {
		t.Errorf("%d reminders of the second review", n)
	}
	if v = f.mustPass(t, second, v); v.DueAt != nil {
		t.Errorf("listed, and due %v", v.DueAt)
	}
	if _, err := f.RemindOverdue(ctx, first); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("by a person: %v", err)
	}
}

// TestInstitutionsAreRemindedOfTheEnd: of a term that ends the institution hears a month, a week and a day before, each once.
func TestInstitutionsAreRemindedOfTheEnd(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	c := loan()
	c.ValidUntil = start.AddDate(0, 0, 60).Format(time.DateOnly)
	v := f.mustPass(t, second, f.mustPass(t, first, f.mustSubmit(t, banker, c)))
	remind := func() int {
		var n atomic.Int32
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { n.Add(int32(must(f.RemindExpiring(ctx, machine))(t))) })
		}
		wg.Wait()
		return int(n.Load())
	}
	at := func(days int) {
		t.Helper()
		f.clock.Set(start.AddDate(0, 0, days))
	}
	if n := remind(); n != 0 {
		t.Errorf("%d reminders two months before", n)
	}
	for _, day := range []int{31, 54, 60} {
		at(day)
		if n, again := remind(), remind(); n != 1 || again != 0 {
			t.Errorf("%d reminders on day %d, then %d", n, day, again)
		}
	}
	seen := must(f.Get(ctx, banker, v.ID))(t)
	if last := seen.Timeline[len(seen.Timeline)-1]; last.Label != "即将到期，已提醒" || !strings.Contains(last.Text, c.ValidUntil) {
		t.Errorf("the institution reads %+v", last)
	}
	if seen.Version != v.Version {
		t.Error("reminding is no change of the file")
	}
	at(61)
	if n := remind(); n != 0 {
		t.Errorf("%d reminders of what is over", n)
	}
	// The next edition has a term of its own, and what was missed while nothing ran is told once.
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(seen)}))(t)
	c.ValidUntil = start.AddDate(0, 0, 65).Format(time.DateOnly)
	v = must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: c}))(t)
	f.mustPass(t, second, f.mustPass(t, first, must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)))
	if n := remind(); n != 1 {
		t.Errorf("%d reminders of the next edition", n)
	}
	if _, err := f.RemindExpiring(ctx, first); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("by a person: %v", err)
	}
}

// TestReadyReasons: a product goes back with reasons of the list, and own words where they are needed.
func TestReadyReasons(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, banker, loan())
	for field, cmd := range map[string]catalog.ReturnProduct{
		"codes": {Ref: ref(v)}, "codes ": {Ref: ref(v), Codes: []string{"weather"}}, "text": {Ref: ref(v), Codes: []string{"other"}, Text: "不行"},
	} {
		_, err := f.Return(ctx, first, cmd)
		if fl, _ := fault.As(err); fl == nil || len(fl.Fields) != 1 || fl.Fields[0].Name != strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if list := must(f.Reasons(ctx, second))(t); len(list) != 6 {
		t.Errorf("offered %v", list)
	}
	if _, err := f.Reasons(ctx, banker); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("offered to an institution: %v", err)
	}
	v = must(f.Return(ctx, first, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"rate", "charges"}, Text: "合同第 8 条"}))(t)
	if want := "利率、费率或收费标准与合同样本不一致，请核对并补充收费说明\n综合融资成本偏高，请说明构成或调整后提交\n合同第 8 条"; v.Reason != want {
		t.Errorf("the institution reads %q", v.Reason)
	}
}

// TestEveryKindHasItsOwnFields submits a product of each of the eight kinds and each type of financing: it asks for what belongs to the
// kind and nothing of the other, keeps nothing of the other, and shows its own fields to the public.
func TestEveryKindHasItsOwnFields(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	type family struct{ kind, financing, asks, shows string }
	common := "summary target description conditions materials steps days"
	families := []family{}
	for _, k := range catalog.Kinds() {
		if k.Code != catalog.Financing {
			families = append(families, family{k.Code, "", common + " cost venues deliverables priceText", "价格 办理时限 收费方式 服务方式 服务周期"})
		}
	}
	for code, c := range map[string][2]string{
		"debt":      {" rateMax amountMax termMax guarantees", "年利率 额度 期限 担保方式 办理时限"},
		"mortgage":  {" rateMax amountMax termMax guarantees", "年利率 额度 期限 担保方式 办理时限"},
		"equity":    {" amountMax termMax", "投资金额 期限 办理时限"},
		"guarantee": {" rateMax amountMax termMax", "担保费率 担保额度 期限 办理时限"},
		"insurance": {" rateMax amountMax termMax", "保险费率 保险金额 期限 办理时限"},
	} {
		families = append(families, family{catalog.Financing, code, common + c[0], c[1]})
	}
	if len(families) != 7+len(catalog.FinancingKinds()) || len(catalog.Kinds()) != 8 {
		t.Fatalf("%d kinds", len(families))
	}
	for _, s := range families {
		v := f.mustDraft(t, banker, catalog.Content{Name: "空白" + s.kind + s.financing, Kind: s.kind, FinancingKind: s.financing})
		_, err := f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)})
		var asked []string
		if fl, _ := fault.As(err); fl != nil {
			for _, x := range fl.Fields {
				asked = append(asked, x.Name)
			}
		}
		if got := strings.Join(asked, " "); got != s.asks {
			t.Errorf("%s %s asks for %s", s.kind, s.financing, got)
		}
		// Everything is typed; what is not of the kind is not kept.
		full := loan()
		full.Name, full.Kind, full.FinancingKind = "产品"+s.kind+s.financing, s.kind, s.financing
		full.Cost, full.Subsidy, full.PriceText, full.Venues, full.Duration, full.Deliverables = catalog.Subsidised, "区财政补助一半", "每件 200 元", []string{"visit", "online"}, "一个月", []string{"意见书"}
		if s.financing == "equity" {
			full.RateMin, full.RateMax = 0, 0
		}
		v = f.mustList(t, banker, full)
		c := must(f.Get(ctx, banker, v.ID))(t).Content
		money := c.RateMax+c.TermMax+len(c.Guarantees) != 0 || c.AmountMax != 0
		work := c.Cost+c.Subsidy+c.PriceText+c.Duration != "" || len(c.Venues)+len(c.Deliverables) != 0
		if finances := s.kind == catalog.Financing; money != finances || work == finances {
			t.Errorf("%s %s keeps %+v", s.kind, s.financing, c)
		}
		d := must(f.Show(ctx, nobody, v.ID))(t)
		var labels []string
		for _, x := range d.Facts {
			labels = append(labels, x.Label)
		}
		if got := strings.Join(labels, " "); got != s.shows || s.kind != catalog.Financing && (d.Subsidy == "" || len(d.Deliverables) != 1) {
			t.Errorf("%s %s shows %s", s.kind, s.financing, got)
		}
	}
}
