package demand_test

import (
	"bytes"
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

	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/secret"
)

var start = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)

// world is everything around the module: institutions 3, 4 and 5 with products 31 (tax), 41 (tax), 42 (financing), 51 (legal), and 44 of
// institution 4, which asks what company 1 does not meet.
type world struct {
	mu       sync.Mutex
	unlisted map[int64]bool
	made     []demand.Order
	refuse   error
	claimed  map[int64]string
	looked   int
	numbered int64
}

var products = map[int64]demand.Offer{
	31: {ID: 31, Name: "代理记账", Kind: "tax", InstitutionID: 3, InstitutionName: "第3事务所"},
	41: {ID: 41, Name: "报税管家", Kind: "tax", InstitutionID: 4, InstitutionName: "第4事务所"},
	42: {ID: 42, Name: "云贷", Kind: "financing", InstitutionID: 4, InstitutionName: "第4事务所", AmountMin: 10_0000_00, AmountMax: 500_0000_00, TermMin: 6, TermMax: 36},
	51: {ID: 51, Name: "合同审查", Kind: "legal", InstitutionID: 5, InstitutionName: "第5事务所"},
	61: {ID: 61, Name: "大额贷", Kind: "financing", InstitutionID: 6, InstitutionName: "第6银行", AmountMin: 1000_0000_00},
}

func (w *world) Product(_ context.Context, _ bun.IDB, id int64) (demand.Offer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o, ok := products[id]
	if !ok || w.unlisted[id] {
		return demand.Offer{}, fault.ErrNotFound
	}
	return o, nil
}

func (w *world) Of(ctx context.Context, db bun.IDB, institution int64, kind string) ([]demand.Offer, error) {
	var out []demand.Offer
	for id, o := range products {
		if _, err := w.Product(ctx, db, id); err == nil && o.InstitutionID == institution && o.Kind == kind {
			out = append(out, o)
		}
	}
	return out, nil
}

func (w *world) Fitting(ctx context.Context, db bun.IDB, kind string, company int64, place string) ([]demand.Fit, error) {
	w.mu.Lock()
	w.looked++
	w.mu.Unlock()
	var out []demand.Fit
	for _, id := range []int64{31, 41, 42, 51, 61} {
		if o, err := w.Product(ctx, db, id); err == nil && o.Kind == kind && (id != 41 || company != 2) && (id != 31 || !strings.Contains(place, "漷县镇")) {
			out = append(out, demand.Fit{Offer: o, Met: []string{"所在地区"}, Open: []string{"从业人员"}})
		}
	}
	return out, nil
}

func (w *world) Ratings(context.Context, bun.IDB, []int64) (map[int64]demand.Rating, error) {
	return map[int64]demand.Rating{41: {Score: 430, Mean: 450, Count: 6}}, nil
}

func (w *world) Institution(_ context.Context, _ bun.IDB, id int64) (string, error) {
	if id < 3 || id > 9 {
		return "", fault.ErrNotFound
	}
	return fmt.Sprintf("第%d事务所", id), nil
}

func (w *world) Brief(_ context.Context, _ bun.IDB, id int64) (demand.Company, error) {
	return demand.Company{Name: fmt.Sprintf("第%d公司", id), Verified: id != 9}, nil
}

func (w *world) Contact(_ context.Context, _ bun.IDB, id int64) (string, string, error) {
	return "王芳", "13800000001", nil
}

func (w *world) Make(_ context.Context, _ bun.Tx, _ access.Actor, o demand.Order) (demand.Made, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return demand.Made{}, w.refuse
	}
	w.made = append(w.made, o)
	id := 700 + w.numbered
	w.numbered++
	return demand.Made{ID: id, Number: fmt.Sprintf("SQ20261130-%06d", id)}, nil
}

func (w *world) Sees(_ context.Context, a access.Actor, id int64) error {
	if id != 700 || a.EnterpriseID == 2 {
		return fault.ErrNotFound
	}
	return nil
}

func (w *world) ReviewDue(_ context.Context, _ bun.IDB, from time.Time) (time.Time, error) {
	return from.Add(48 * time.Hour), nil
}

func (w *world) Offered(context.Context, bun.IDB, string) ([]reason.Reason, error) {
	return demand.FirstReasons(), nil
}

func (w *world) Claim(_ context.Context, _ bun.Tx, a access.Actor, file int64, object string, id int64) error {
	if file/1000 != a.UserID {
		return fault.ErrNotFound
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claimed[file] = fmt.Sprintf("%s %d", object, id)
	return nil
}

func (w *world) Known(_ context.Context, _ bun.IDB, ids []int64) (map[int64]demand.FileView, error) {
	out := map[int64]demand.FileView{}
	for _, id := range ids {
		out[id] = demand.FileView{ID: id, Name: fmt.Sprintf("附件%d.pdf", id)}
	}
	return out, nil
}

func (w *world) Save(_ context.Context, a access.Actor, name string, _ io.Reader) (demand.FileView, error) {
	return demand.FileView{ID: a.UserID*1000 + 1, Name: name}, nil
}

type fixture struct {
	*demand.Service
	db    *database.DB
	clock *clock.Fake
	world *world
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
	w := &world{unlisted: map[int64]bool{}, claimed: map[int64]string{}}
	f := fixture{db: databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, demand.Migrations)), clock: clock.NewFake(start), world: w}
	f.Service = demand.New(demand.Deps{DB: f.db, Clock: f.clock, Box: box, Offers: w, Companies: w, Contacts: w, Applications: w, Reviews: w, Files: w,
		Kinds: []demand.Kind{{Code: "financing", Name: "融资服务", Lends: true}, {Code: "tax", Name: "财税服务"}, {Code: "legal", Name: "法律服务"}}})
	return f
}

func institution(id int64) access.Actor {
	return access.Actor{UserID: id * 10, Name: "赵强", Party: access.Institution, InstitutionID: id, Permissions: []access.Permission{demand.PermQuote}}
}

func operator(id int64) access.Actor {
	return access.Actor{UserID: id, Name: "运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{demand.PermInvite, demand.PermReview, demand.PermView}}
}

func company(id int64) access.Actor {
	return access.Actor{UserID: id * 100, Name: "王芳", Party: access.Enterprise, EnterpriseID: id}
}

func tax() demand.Typed {
	return demand.Typed{Kind: "tax", Title: "找一家代理记账机构", Description: "小规模纳税人，每月约 30 张票据，需记账和报税。", BudgetMin: "0.5", BudgetMax: "1.2", Until: "2026-12-10", WantedBy: "2026-12-31",
		Place: "通州区新华西街", ContactNote: "工作日上午"}
}

func (f fixture) mustDraft(t *testing.T, who access.Actor, typed demand.Typed) demand.View {
	t.Helper()
	v, err := f.Save(t.Context(), who, demand.Save{Typed: typed})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f fixture) mustSubmit(t *testing.T, who access.Actor, typed demand.Typed) demand.View {
	t.Helper()
	v := f.mustDraft(t, who, typed)
	v, err := f.Submit(t.Context(), who, demand.Ref{ID: v.ID, Version: v.Version})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// mustOpen posts a demand, has it approved and its institutions invited.
func (f fixture) mustOpen(t *testing.T, who access.Actor, typed demand.Typed) demand.View {
	t.Helper()
	v := f.mustSubmit(t, who, typed)
	if _, err := f.Approve(t.Context(), operator(8), demand.Approve{Ref: demand.Ref{ID: v.ID, Version: v.Version}}); err != nil {
		t.Fatal(err)
	}
	f.mustHear(t)
	return f.mustGet(t, who, v.ID)
}

func (f fixture) mustGet(t *testing.T, who access.Actor, id int64) demand.View {
	t.Helper()
	v, err := f.Get(t.Context(), who, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// mustHear hands every approval to the listener, those it has heard as well.
func (f fixture) mustHear(t *testing.T) {
	t.Helper()
	for _, e := range f.events(t, "demand.approved") {
		err := f.db.RunInTx(t.Context(), func(ctx context.Context, tx bun.Tx) error { return f.Listener().Handle(ctx, tx, e) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (f fixture) events(t *testing.T, typ string) []event.Event {
	t.Helper()
	var list []event.Event
	if err := f.db.Read().NewSelect().Model(&list).Where("type = ?", typ).OrderExpr("id").Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return list
}

func offer(product int64) demand.Offered {
	return demand.Offered{ProductID: product, Price: "8000", Days: "10", Text: "含税务申报，按月交付", ValidUntil: "2026-12-31"}
}

func (f fixture) mustQuote(t *testing.T, who int64, id, product int64) demand.QuoteView {
	t.Helper()
	v, err := f.Quote(t.Context(), institution(who), demand.Bid{ID: id, Offered: offer(product)})
	if err != nil {
		t.Fatal(err)
	}
	return *v.Quote
}

// TestRoundsOfReview sends a demand back, has it corrected, taken back and approved.
func TestRoundsOfReview(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustSubmit(t, company(1), tax())
	if v.State != demand.Review || v.Round != 1 || v.DueAt == nil || v.Phone != "138****0001" || v.Budget != "5,000 元至 1.2 万元" {
		t.Fatalf("%+v", v)
	}
	if _, err := f.Save(ctx, company(1), demand.Save{Ref: demand.Ref{ID: v.ID, Version: v.Version}, Typed: tax()}); !errors.Is(err, demand.ErrState) {
		t.Fatalf("changed under review: %v", err)
	}
	ref := func() demand.Ref { return demand.Ref{ID: v.ID, Version: v.Version} }
	if _, err := f.Return(ctx, operator(8), demand.Return{Ref: ref(), Codes: []string{"other"}}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("no words: %v", err)
	}
	if _, err := f.Return(ctx, operator(8), demand.Return{Ref: ref(), Codes: []string{"nothing"}}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("no such reason: %v", err)
	}
	own := operator(100) // the person who posted works for the platform as well
	if _, err := f.Return(ctx, own, demand.Return{Ref: ref(), Codes: []string{"unclear"}}); !errors.Is(err, demand.ErrOwn) {
		t.Fatalf("own: %v", err)
	}
	if _, err := f.Approve(ctx, own, demand.Approve{Ref: ref()}); !errors.Is(err, demand.ErrOwn) {
		t.Fatalf("own: %v", err)
	}
	if _, err := f.Return(ctx, operator(8), demand.Return{Ref: ref(), Codes: []string{"unclear", "budget"}, Text: "请写明开票金额"}); err != nil {
		t.Fatal(err)
	}
	v = f.mustGet(t, company(1), v.ID)
	if v.State != demand.SentBack || !strings.Contains(v.Reason, "请写明开票金额") || !slices.Equal(v.Actions, []string{"save", "submit", "close"}) {
		t.Fatalf("%+v", v)
	}
	better := tax()
	better.Description += "年开票约 80 万元。"
	if v, _ = f.Save(ctx, company(1), demand.Save{Ref: ref(), Typed: better}); v.Description == better.Description || v.Typed.Description != better.Description {
		t.Fatalf("what the reviewer read stays until it is submitted: %+v", v)
	}
	v, err := f.Submit(ctx, company(1), ref())
	if err != nil || v.Round != 2 || v.Reason != "" || v.Description != better.Description {
		t.Fatalf("%+v %v", v, err)
	}
	if v, err = f.Recall(ctx, company(1), ref()); err != nil || v.State != demand.Draft {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Get(ctx, operator(8), v.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("what was taken back is the company's own: %v", err)
	}
	if err := f.Discard(ctx, company(1), ref()); !errors.Is(err, demand.ErrState) {
		t.Fatalf("discarded after two rounds: %v", err)
	}
	if v, err = f.Submit(ctx, company(1), ref()); err != nil || v.Round != 3 {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Approve(ctx, operator(8), demand.Approve{Ref: demand.Ref{ID: v.ID, Version: v.Version - 1}}); !errors.Is(err, demand.ErrStale) {
		t.Fatalf("stale: %v", err)
	}
	if v, err = f.Approve(ctx, operator(8), demand.Approve{Ref: ref()}); err != nil || v.State != demand.Open {
		t.Fatalf("%+v %v", v, err)
	}
	var labels []string
	for _, s := range f.mustGet(t, company(1), v.ID).Course {
		labels = append(labels, s.Label)
		if s.By == "运营" {
			t.Errorf("the company reads who reviewed: %+v", s)
		}
	}
	if got := strings.Join(labels, " "); got != "提交审核 审核退回 提交审核 撤回修改 提交审核 审核通过，进入需求大厅" {
		t.Error(got)
	}
}

// TestLateReviews reminds of a review once, and refuses to approve what nobody can quote for.
func TestLateReviews(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustSubmit(t, company(1), tax())
	system := access.SystemActor("test")
	f.clock.Set(start.Add(47 * time.Hour))
	if n, err := f.RemindOverdue(ctx, system); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	f.clock.Set(start.Add(49 * time.Hour))
	for _, want := range []int{1, 0} {
		if n, err := f.RemindOverdue(ctx, system); n != want || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := f.RemindOverdue(ctx, operator(8)); !errors.Is(err, demand.ErrForbidden) {
		t.Fatal(err)
	}
	f.clock.Set(start.AddDate(0, 0, 11))
	if _, err := f.Approve(ctx, operator(8), demand.Approve{Ref: demand.Ref{ID: v.ID, Version: v.Version}}); !errors.Is(err, demand.ErrPast) {
		t.Fatalf("approved after its last day: %v", err)
	}
	if _, err := f.Return(ctx, operator(8), demand.Return{Ref: demand.Ref{ID: v.ID, Version: v.Version}, Codes: []string{"budget"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Submit(ctx, company(1), demand.Ref{ID: v.ID, Version: v.Version + 1}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "不能早于今天") {
		t.Fatalf("submitted with a day gone by: %v", err)
	}
}

// TestInvitedOnce hears an approval many times and at once.
func TestInvitedOnce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustSubmit(t, company(1), tax())
	found, err := f.Matches(ctx, operator(8), v.ID)
	if err != nil || len(found) != 2 || !strings.Contains(found[0].Why[0], "符合产品对所在地区的要求") || strings.Contains(fmt.Sprint(found), "通州") {
		t.Fatalf("%+v %v", found, err)
	}
	// Institution 4 is left out by the reviewer, 5 added.
	if _, err := f.Approve(ctx, operator(8), demand.Approve{Ref: demand.Ref{ID: v.ID, Version: v.Version}, With: []int64{5}, Without: []int64{4}}); err != nil {
		t.Fatal(err)
	}
	approved := f.events(t, "demand.approved")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return f.Listener().Handle(ctx, tx, approved[0]) }); err != nil && fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f.mustHear(t)
	invited := func() string {
		var out []string
		for _, i := range f.mustGet(t, operator(8), v.ID).Invitations {
			out = append(out, fmt.Sprintf("%d:%v:%v", i.InstitutionID, i.ByMatch, i.Gone))
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got := invited(); got != "3:true:false 4:false:true 5:false:false" {
		t.Fatal(got)
	}
	if n := len(f.events(t, "demand.invited")); n != 2 {
		t.Fatalf("%d were told", n)
	}
	// What the operator does afterwards: 4 comes in after all, 5 goes and comes back and is not told twice.
	do := func(fn func(context.Context, access.Actor, demand.Invite) (demand.View, error), id int64) error {
		_, err := fn(ctx, operator(8), demand.Invite{ID: v.ID, InstitutionID: id, Reason: "业务范围不符"})
		return err
	}
	for _, c := range []struct {
		fn   func(context.Context, access.Actor, demand.Invite) (demand.View, error)
		id   int64
		want error
	}{{f.Invite, 4, nil}, {f.Invite, 4, demand.ErrInvited}, {f.Uninvite, 5, nil}, {f.Uninvite, 5, fault.ErrNotFound}, {f.Invite, 5, nil}, {f.Invite, 6, nil}} {
		if err := do(c.fn, c.id); !errors.Is(err, c.want) {
			t.Fatalf("%d: %v, not %v", c.id, err, c.want)
		}
	}
	if err := do(f.Invite, 99); fault.KindOf(err) != fault.Invalid {
		t.Fatal(err)
	}
	f.mustQuote(t, 3, v.ID, 31)
	if err := do(f.Uninvite, 3); !errors.Is(err, demand.ErrQuoted) {
		t.Fatal(err)
	}
	if n := len(f.events(t, "demand.invited")); n != 4 { // 3, 5, then 4 and 6
		t.Fatalf("%d were told", n)
	}
	if _, err := f.Invite(ctx, institution(3), demand.Invite{ID: v.ID, InstitutionID: 5}); !errors.Is(err, fault.ErrForbidden) {
		t.Fatal(err)
	}
}

// TestFinancingIsMatchedByItsTerms invites whom the amount suits.
func TestFinancingIsMatchedByItsTerms(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustOpen(t, company(1), demand.Typed{Kind: "financing", Title: "流动资金贷款", Description: "采购原料", BudgetMax: "50", Term: "12", Until: "2026-12-10", WantedBy: "2026-12-20"})
	if len(v.Invitations) != 1 || v.Invitations[0].InstitutionID != 4 || v.Budget != "50 万元" || v.Term != 12 {
		t.Fatalf("%+v", v)
	}
	bid := demand.Offered{ProductID: 42, Amount: "600", Rate: "3.855", Term: "60", Text: "信用贷款", ValidUntil: "2026-12-31"}
	_, err := f.Quote(ctx, institution(4), demand.Bid{ID: v.ID, Offered: bid})
	if fl, ok := fault.As(err); !ok || len(fl.Fields) != 3 {
		t.Fatalf("outside of the product: %v", err)
	}
	bid.Amount, bid.Rate, bid.Term = "50", "3.85%", "12个月"
	h, err := f.Quote(ctx, institution(4), demand.Bid{ID: v.ID, Offered: bid})
	if err != nil || h.Quote.Terms != "50 万元，年利率或费率 3.85%，期限 12 个月" {
		t.Fatalf("%+v %v", h.Quote, err)
	}
	if _, err := f.Pick(ctx, company(1), demand.Pick{Ref: demand.Ref{ID: v.ID, Version: v.Version}, QuoteID: h.Quote.ID, QuoteVersion: 1}); err != nil {
		t.Fatal(err)
	}
	if o := f.world.made[0]; o.Amount != 50_0000_00 || o.Term != 12 || o.ProductID != 42 || o.Phone != "13800000001" || !strings.Contains(o.Purpose, v.Number) || !strings.Contains(o.Purpose, "采购原料") {
		t.Fatalf("%+v", o)
	}
}

// TestBadDemands says what is wrong with each input.
func TestBadDemands(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	for name, c := range map[string]struct {
		change func(*demand.Typed)
		at     string
	}{
		"nothing":           {func(t *demand.Typed) { *t = demand.Typed{} }, "kind title description until wantedBy"},
		"no such kind":      {func(t *demand.Typed) { t.Kind = "circus" }, "kind"},
		"five decimals":     {func(t *demand.Typed) { t.BudgetMax = "1.23456" }, "budgetMax"},
		"no number":         {func(t *demand.Typed) { t.BudgetMax = "一百" }, "budgetMax"},
		"negative":          {func(t *demand.Typed) { t.BudgetMax = "-3" }, "budgetMax"},
		"nothing at all":    {func(t *demand.Typed) { t.BudgetMax, t.BudgetMin = "0", "" }, "budgetMax"},
		"astronomical":      {func(t *demand.Typed) { t.BudgetMax = "99999999999999" }, "budgetMax"},
		"upside down":       {func(t *demand.Typed) { t.BudgetMin = "3" }, "budgetMax"},
		"lower only":        {func(t *demand.Typed) { t.BudgetMax = "" }, "budgetMax"},
		"yesterday":         {func(t *demand.Typed) { t.Until = "2026-11-29" }, "until"},
		"no day":            {func(t *demand.Typed) { t.Until = "2026-02-30" }, "until"},
		"too far":           {func(t *demand.Typed) { t.Until, t.WantedBy = "2027-08-01", "2027-08-02" }, "until"},
		"end before start":  {func(t *demand.Typed) { t.WantedBy = "2026-12-09" }, "wantedBy"},
		"long title":        {func(t *demand.Typed) { t.Title = strings.Repeat("长", 61) }, "title"},
		"long text":         {func(t *demand.Typed) { t.Description = strings.Repeat("长", 801) }, "description"},
		"blank text":        {func(t *demand.Typed) { t.Description = " \n\t " }, "description"},
		"control":           {func(t *demand.Typed) { t.Title = "记账\x07" }, "title"},
		"no phone":          {func(t *demand.Typed) { t.Phone = "139111122223333" }, "phone"},
		"money, no amount":  {func(t *demand.Typed) { t.Kind, t.BudgetMax, t.Term = "financing", "", "12" }, "budgetMax"},
		"money, half month": {func(t *demand.Typed) { t.Kind, t.Term = "financing", "1.5" }, "term"},
	} {
		typed := tax()
		c.change(&typed)
		v, err := f.Save(ctx, company(1), demand.Save{Typed: typed})
		if err != nil {
			t.Errorf("%s: a draft is kept as it is: %v", name, err)
			continue
		}
		_, err = f.Submit(ctx, company(1), demand.Ref{ID: v.ID, Version: v.Version})
		fl, ok := fault.As(err)
		if !ok || fl.Kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var at []string
		for _, x := range fl.Fields {
			at = append(at, x.Name)
		}
		if got := strings.Join(at, " "); got != c.at {
			t.Errorf("%s: wrong at %s, not %s", name, got, c.at)
		}
		if again := f.mustGet(t, company(1), v.ID); again.State != demand.Draft || again.Version != v.Version || again.Typed.Title != typed.Title {
			t.Errorf("%s: the draft is not as it was: %+v", name, again)
		}
	}
	for name, typed := range map[string]demand.Typed{"endless": {Description: strings.Repeat("长", 4001)}, "broken": {Title: "\xff"}, "files": {FileIDs: make([]int64, 10)}} {
		if _, err := f.Save(ctx, company(1), demand.Save{Typed: typed}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Full-width digits, separators and units are read; the date may be today.
	ok := tax()
	ok.BudgetMin, ok.BudgetMax, ok.Until, ok.WantedBy = "", "１,０００．５ 万元", "2026-11-30", "2026-11-30"
	if v := f.mustSubmit(t, company(1), ok); v.Budget != "1,000.5 万元以内" {
		t.Error(v.Budget)
	}
}

// TestWhoPosts refuses everybody but people of a verified company.
func TestWhoPosts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	for name, c := range map[string]struct {
		who  access.Actor
		want error
	}{"visitor": {access.Actor{}, fault.ErrUnauthorized}, "institution": {institution(3), demand.ErrForbidden}, "operator": {operator(8), demand.ErrForbidden},
		"nobody's": {access.Actor{UserID: 5, Party: access.Enterprise}, demand.ErrNoEnterprise}} {
		if _, err := f.Save(ctx, c.who, demand.Save{Typed: tax()}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	v := f.mustDraft(t, company(9), tax())
	if _, err := f.Submit(ctx, company(9), demand.Ref{ID: v.ID, Version: v.Version}); !errors.Is(err, demand.ErrUnverified) {
		t.Errorf("unverified: %v", err)
	}
	// A company's own, and nobody else's.
	v = f.mustSubmit(t, company(1), tax())
	ref := demand.Ref{ID: v.ID, Version: v.Version}
	for name, do := range map[string]func() error{
		"get":    func() error { _, err := f.Get(ctx, company(2), v.ID); return err },
		"save":   func() error { _, err := f.Save(ctx, company(2), demand.Save{Ref: ref, Typed: tax()}); return err },
		"submit": func() error { _, err := f.Submit(ctx, company(2), ref); return err },
		"recall": func() error { _, err := f.Recall(ctx, company(2), ref); return err },
		"close": func() error {
			_, err := f.Close(ctx, company(2), demand.Close{Ref: ref, Reason: "不需要了"})
			return err
		},
		"discard": func() error { return f.Discard(ctx, company(2), ref) },
		"pick":    func() error { _, err := f.Pick(ctx, company(2), demand.Pick{Ref: ref, QuoteID: 1}); return err },
		"hall":    func() error { _, err := f.Hall(ctx, institution(3), v.ID); return err },
		"quote": func() error {
			_, err := f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Offered: offer(31)})
			return err
		},
	} {
		if err := do(); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, _, err := f.List(ctx, company(2), demand.Filter{}); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	if _, err := f.Approve(ctx, company(1), demand.Approve{Ref: ref}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("approved by the company: %v", err)
	}
	looker := operator(8)
	looker.Permissions = []access.Permission{demand.PermView}
	if _, err := f.Approve(ctx, looker, demand.Approve{Ref: ref}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("approved by who may only look: %v", err)
	}
}

// TestOneDraftForADoubleClick sends every command twice with its key.
func TestOneDraftForADoubleClick(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	var ids []int64
	for range 2 {
		v, err := f.Save(ctx, company(1), demand.Save{Ref: demand.Ref{Key: "new"}, Typed: tax()})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	if ids[0] != ids[1] {
		t.Fatal("two drafts")
	}
	v := f.mustGet(t, company(1), ids[0])
	for range 2 {
		if _, err := f.Submit(ctx, company(1), demand.Ref{ID: v.ID, Version: v.Version, Key: "send"}); err != nil {
			t.Fatal(err)
		}
	}
	v = f.mustGet(t, company(1), v.ID)
	if v.Round != 1 || len(f.events(t, "demand.submitted")) != 1 {
		t.Fatalf("round %d", v.Round)
	}
	for range 2 {
		if _, err := f.Approve(ctx, operator(8), demand.Approve{Ref: demand.Ref{ID: v.ID, Version: v.Version, Key: "yes"}}); err != nil {
			t.Fatal(err)
		}
	}
	var quote demand.QuoteView
	for range 2 {
		h, err := f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Key: "bid", Offered: offer(31)})
		if err != nil {
			t.Fatal(err)
		}
		quote = *h.Quote
	}
	if quote.Version != 1 || len(f.events(t, "demand.quoted")) != 1 {
		t.Fatalf("%+v", quote)
	}
	v = f.mustGet(t, company(1), v.ID)
	for range 2 {
		if _, err := f.Pick(ctx, company(1), demand.Pick{Ref: demand.Ref{ID: v.ID, Version: v.Version, Key: "pick"}, QuoteID: quote.ID, QuoteVersion: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.world.made) != 1 {
		t.Fatalf("%d applications", len(f.world.made))
	}
	if _, err := f.Pick(ctx, company(1), demand.Pick{Ref: demand.Ref{ID: v.ID, Version: v.Version, Key: "pick"}, QuoteID: quote.ID, QuoteVersion: 2}); !errors.Is(err, idempotency.ErrKeyReused) {
		t.Fatal(err)
	}
}

// TestQuotesAreSeparate has three institutions quote; none finds out anything of another.
func TestQuotesAreSeparate(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustOpen(t, company(1), tax())
	before, err := f.Hall(ctx, institution(4), v.ID)
	if err != nil || !before.Invited || before.Company != "企业未公开名称" || len(before.Products) != 1 {
		t.Fatalf("%+v %v", before, err)
	}
	if got := strings.Join(before.Why, "|"); got != "产品“报税管家”与需求类别一致" {
		t.Errorf("the institution reads of the company: %s", got)
	}
	visitor, err := f.Hall(ctx, access.Actor{}, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := f.Browse(ctx, institution(4), demand.HallFilter{})
	if err != nil {
		t.Fatal(err)
	}
	bid := offer(31)
	bid.FileIDs = []int64{30_001}
	h, err := f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Offered: bid})
	if err != nil || len(h.Quote.Files) != 1 {
		t.Fatalf("%+v %v", h, err)
	}
	for name, c := range map[string]struct{ now, then any }{
		"another institution": {must(f.Hall(ctx, institution(4), v.ID)), before}, "a visitor": {must(f.Hall(ctx, access.Actor{}, v.ID)), visitor},
		"the list": {must(f.Browse(ctx, institution(4), demand.HallFilter{})), listed},
	} {
		if fmt.Sprintf("%+v", c.now) != fmt.Sprintf("%+v", c.then) {
			t.Errorf("%s sees that somebody quoted:\n%+v\n%+v", name, c.then, c.now)
		}
	}
	row := int64(0)
	if _, err := fmt.Sscanf(f.world.claimed[30_001], "demand_file %d", &row); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		who  access.Actor
		sees bool
	}{"own": {institution(3), true}, "the company": {company(1), true}, "another": {institution(4), false}, "another company": {company(2), false}, "the operator": {operator(8), false}, "a visitor": {access.Actor{}, false}} {
		if err := f.SeesFile(ctx, c.who, row); (err == nil) != c.sees || !c.sees && !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("the file of a quote, %s: %v", name, err)
		}
	}
	f.mustQuote(t, 4, v.ID, 41)
	for id, who := range map[int64]access.Actor{3: institution(3), 4: institution(4)} {
		list, _, err := f.Quotes(ctx, who, "", "", 0)
		if err != nil || len(list) != 1 || list[0].InstitutionID != id || list[0].Company != "企业未公开名称" {
			t.Errorf("%d: %+v %v", id, list, err)
		}
		if _, err := f.Get(ctx, who, v.ID); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%d opens the company's page: %v", id, err)
		}
		if _, _, err := f.List(ctx, who, demand.Filter{}); !errors.Is(err, demand.ErrForbidden) {
			t.Errorf("%d lists demands: %v", id, err)
		}
		if _, err := f.Stats(ctx, who, "", ""); err == nil {
			t.Errorf("%d reads the figures", id)
		}
	}
	// The company reads both, the operator who and when.
	got := f.mustGet(t, company(1), v.ID)
	if len(got.QuoteList) != 2 || got.QuoteList[0].Price != 8000_00 || got.QuoteList[0].By != "" || got.Quotes != 2 {
		t.Errorf("%+v", got.QuoteList)
	}
	for _, q := range f.mustGet(t, operator(8), v.ID).QuoteList {
		if q.Price != 0 || q.Text != "" || q.Terms != "" || q.ValidUntil != "" || q.InstitutionName == "" {
			t.Errorf("the operator reads what was offered: %+v", q)
		}
	}
	// Another institution's product, a product of another kind, one that is not listed.
	for _, product := range []int64{31, 42, 99, 0} {
		if _, err := f.Quote(ctx, institution(4), demand.Bid{ID: v.ID, Version: 1, Offered: offer(product)}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("product %d: %v", product, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestBadQuotes says what is wrong with each input.
func TestBadQuotes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustOpen(t, company(1), tax())
	for name, c := range map[string]struct {
		change func(*demand.Offered)
		at     string
	}{
		"nothing":    {func(o *demand.Offered) { *o = demand.Offered{ProductID: 31} }, "price days text validUntil"},
		"decimals":   {func(o *demand.Offered) { o.Price = "8000.12345" }, "price"},
		"no number":  {func(o *demand.Offered) { o.Price = "面议" }, "price"},
		"half a day": {func(o *demand.Offered) { o.Days = "0.5" }, "days"},
		"years":      {func(o *demand.Offered) { o.Days = "731" }, "days"},
		"long":       {func(o *demand.Offered) { o.Text = strings.Repeat("长", 1001) }, "text"},
		"past":       {func(o *demand.Offered) { o.ValidUntil = "2026-11-29" }, "validUntil"},
		"no day":     {func(o *demand.Offered) { o.ValidUntil = "明天" }, "validUntil"},
		"foreign":    {func(o *demand.Offered) { o.FileIDs = []int64{40_001} }, "fileIds"},
	} {
		o := offer(31)
		c.change(&o)
		_, err := f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Offered: o})
		fl, ok := fault.As(err)
		if !ok || fl.Kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var at []string
		for _, x := range fl.Fields {
			at = append(at, x.Name)
		}
		if got := strings.Join(at, " "); got != c.at {
			t.Errorf("%s: wrong at %s, not %s", name, got, c.at)
		}
	}
	if len(f.events(t, "demand.quoted")) != 0 {
		t.Error("something was kept")
	}
	free := offer(31)
	free.Price = "0"
	if h := must(f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Offered: free})); h.Quote.Terms != "免费，10 个工作日完成" {
		t.Error(h.Quote.Terms)
	}
}

// TestAQuoteIsChangedUntilPicked changes, withdraws and renews a quote.
func TestAQuoteIsChangedUntilPicked(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustOpen(t, company(1), tax())
	q := f.mustQuote(t, 3, v.ID, 31)
	if _, err := f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Offered: offer(31)}); !errors.Is(err, demand.ErrQuoteStale) {
		t.Fatalf("a colleague who saw none: %v", err)
	}
	better := offer(31)
	better.Price = "7000"
	if h := must(f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Version: q.Version, Offered: better})); h.Quote.Version != 2 || h.Quote.Price != 7000_00 || h.Quote.ID != q.ID {
		t.Fatalf("%+v", h.Quote)
	}
	pick := demand.Pick{Ref: demand.Ref{ID: v.ID, Version: v.Version}, QuoteID: q.ID, QuoteVersion: 1}
	if _, err := f.Pick(ctx, company(1), pick); !errors.Is(err, demand.ErrQuoteStale) {
		t.Fatalf("picked unseen: %v", err)
	}
	if _, err := f.Withdraw(ctx, institution(4), demand.Unbid{ID: v.ID, Version: 2}); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("another's: %v", err)
	}
	if _, err := f.Withdraw(ctx, institution(3), demand.Unbid{ID: v.ID, Version: 2}); err != nil {
		t.Fatal(err)
	}
	pick.QuoteVersion = 3
	if _, err := f.Pick(ctx, company(1), pick); !errors.Is(err, demand.ErrQuoteGone) {
		t.Fatalf("picked what is gone: %v", err)
	}
	if got := f.mustGet(t, company(1), v.ID); len(got.QuoteList) != 0 || slices.Contains(got.Actions, "pick") {
		t.Fatalf("%+v", got.QuoteList)
	}
	if h := must(f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Offered: offer(31)})); h.Quote.Version != 4 || h.Quote.State != demand.Live {
		t.Fatalf("%+v", h.Quote)
	}
	pick.QuoteVersion = 4
	got, err := f.Pick(ctx, company(1), pick)
	if err != nil || got.State != demand.Chosen || got.ApplicationNumber != "SQ20261130-000700" {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := f.Withdraw(ctx, institution(3), demand.Unbid{ID: v.ID, Version: 5}); !errors.Is(err, demand.ErrState) {
		t.Fatalf("withdrawn after the pick: %v", err)
	}
	if _, err := f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Version: 5, Offered: better}); !errors.Is(err, demand.ErrOver) {
		t.Fatalf("changed after the pick: %v", err)
	}
	if h := must(f.Hall(ctx, institution(3), v.ID)); h.Company != "第1公司" || h.Quote.ApplicationID != 700 || len(h.Actions) != 0 {
		t.Fatalf("%+v", h)
	}
	if o := must(f.OriginOf(ctx, company(1), 700)); o.DemandID != v.ID || o.Number != v.Number {
		t.Fatalf("%+v", o)
	}
	if _, err := f.OriginOf(ctx, company(2), 700); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal(err)
	}
}

// TestPicking passes the others over politely and leaves nothing half done.
func TestPicking(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustOpen(t, company(1), tax())
	three, four := f.mustQuote(t, 3, v.ID, 31), f.mustQuote(t, 4, v.ID, 41)
	pick := demand.Pick{Ref: demand.Ref{ID: v.ID, Version: v.Version}, QuoteID: three.ID, QuoteVersion: three.Version}
	// The application is refused: all stays.
	f.world.refuse = fault.New(fault.Conflict, "APPLICATION_OPEN", "贵企业已有一件此产品的申请正在办理")
	if _, err := f.Pick(ctx, company(1), pick); !errors.Is(err, f.world.refuse) {
		t.Fatal(err)
	}
	f.world.refuse = nil
	// Its product was taken down: a clear answer, the institution told once, nothing lost.
	f.world.unlisted[31] = true
	for range 2 {
		_, err := f.Pick(ctx, company(1), pick)
		if !errors.Is(err, demand.ErrUnfit) || !strings.Contains(err.Error(), "“代理记账”已下架") {
			t.Fatal(err)
		}
	}
	if n := len(f.events(t, "demand.unfit")); n != 1 {
		t.Fatalf("told %d times", n)
	}
	got := f.mustGet(t, company(1), v.ID)
	if got.State != demand.Open || got.Quotes != 2 || got.Version != v.Version {
		t.Fatalf("%+v", got)
	}
	f.world.unlisted[31] = false
	// A quote whose last day has passed.
	f.clock.Set(start.AddDate(0, 0, 9))
	short := offer(41)
	short.ValidUntil = "2026-12-09"
	four = *must(f.Quote(ctx, institution(4), demand.Bid{ID: v.ID, Version: four.Version, Offered: short})).Quote
	f.clock.Set(start.AddDate(0, 0, 10))
	if _, err := f.Pick(ctx, company(1), demand.Pick{Ref: pick.Ref, QuoteID: four.ID, QuoteVersion: four.Version}); !errors.Is(err, demand.ErrUnfit) {
		t.Fatal(err)
	}
	other := f.mustOpen(t, company(2), func() demand.Typed { x := tax(); x.Until = "2026-12-20"; return x }())
	if _, err := f.Pick(ctx, company(2), demand.Pick{Ref: demand.Ref{ID: other.ID, Version: other.Version}, QuoteID: three.ID, QuoteVersion: three.Version}); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("a quote for another demand: %v", err)
	}
	if _, err := f.Pick(ctx, company(1), pick); err != nil {
		t.Fatal(err)
	}
	if n := len(f.events(t, "demand.passed_over")); n != 1 {
		t.Fatalf("%d were told", n)
	}
	if list, _, _ := f.Quotes(ctx, institution(4), "", "", 0); list[0].State != demand.Passed || list[0].ApplicationNumber != "" || list[0].Company != "企业未公开名称" {
		t.Fatalf("%+v", list)
	}
	if _, err := f.Hall(ctx, access.Actor{}, v.ID); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("still in the hall: %v", err)
	}
	if _, err := f.Hall(ctx, institution(5), v.ID); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("an institution that had nothing to do with it: %v", err)
	}
	stats := must(f.Stats(ctx, operator(8), "2026-11-30", "2026-11-30"))
	if len(stats) != 2 || stats[1].Posted != 1 || stats[1].Picked != 1 || stats[1].Quoted != 1 || stats[1].Quotes != 2 || stats[1].FirstMinutes != 1 {
		t.Fatalf("%+v", stats)
	}
}

// TestPickAgainstWithdrawal lets fifty at once pick and withdraw: one outcome, and the books agree.
func TestPickAgainstWithdrawal(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	for range 3 {
		v := f.mustOpen(t, company(1), tax())
		q := f.mustQuote(t, 3, v.ID, 31)
		f.world.made = nil
		gate := make(chan struct{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		picked, withdrawn := 0, 0
		for n := range 50 {
			wg.Go(func() {
				<-gate
				var err error
				if n%2 == 0 {
					_, err = f.Pick(ctx, company(1), demand.Pick{Ref: demand.Ref{ID: v.ID, Version: v.Version, Key: fmt.Sprintf("p%d.%d", v.ID, n)}, QuoteID: q.ID, QuoteVersion: q.Version})
				} else {
					_, err = f.Withdraw(ctx, institution(3), demand.Unbid{ID: v.ID, Version: q.Version, Key: fmt.Sprintf("w%d.%d", v.ID, n)})
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && n%2 == 0:
					picked++
				case err == nil:
					withdrawn++
				case fault.KindOf(err) != fault.Conflict:
					t.Error(err)
				}
			})
		}
		close(gate)
		wg.Wait()
		got := f.mustGet(t, company(1), v.ID)
		if picked+withdrawn != 1 || len(f.world.made) < picked || (got.State == demand.Chosen) != (picked == 1) {
			t.Fatalf("%d picked, %d withdrawn, %s", picked, withdrawn, got.State)
		}
	}
}

// TestQuotesAtOnce lets two colleagues quote at once, and twenty change.
func TestQuotesAtOnce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustOpen(t, company(1), tax())
	for round := range int64(2) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		kept := 0
		for range 20 {
			wg.Go(func() {
				_, err := f.Quote(ctx, institution(3), demand.Bid{ID: v.ID, Version: round, Offered: offer(31)})
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
		if kept != 1 {
			t.Fatalf("round %d: %d kept", round, kept)
		}
	}
	if list, _, _ := f.Quotes(ctx, institution(3), "", "", 0); len(list) != 1 || list[0].Version != 2 {
		t.Fatalf("%+v", list)
	}
}

// TestExpiry ends demands by the day, tells the company to pick first, and everybody once.
func TestExpiry(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	system := access.SystemActor("test")
	lonely, quoted := f.mustOpen(t, company(1), tax()), f.mustOpen(t, company(1), tax())
	q := f.mustQuote(t, 3, quoted.ID, 31)
	f.clock.Set(time.Date(2026, 12, 10, 15, 59, 0, 0, time.UTC)) // 23:59 of its last day in Beijing
	if n, err := f.ExpireDue(ctx, system); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	f.clock.Set(time.Date(2026, 12, 10, 16, 0, 0, 0, time.UTC))
	if _, err := f.Hall(ctx, access.Actor{}, lonely.ID); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("in the hall after its last day, before the task ran: %v", err)
	}
	if _, err := f.Quote(ctx, institution(4), demand.Bid{ID: lonely.ID, Offered: offer(41)}); !errors.Is(err, demand.ErrOver) {
		t.Fatalf("quoted after the last day: %v", err)
	}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := f.ExpireDue(ctx, system); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := f.mustGet(t, company(1), lonely.ID); got.State != demand.Lapsed || len(got.Actions) != 0 {
		t.Fatalf("%+v", got)
	}
	got := f.mustGet(t, company(1), quoted.ID)
	if got.State != demand.Open || !slices.Contains(got.Actions, "pick") || got.PickUntil != "2026-12-17" {
		t.Fatalf("%+v", got)
	}
	// Who quoted may still mend the quote.
	if h := must(f.Quote(ctx, institution(3), demand.Bid{ID: quoted.ID, Version: q.Version, Offered: offer(31)})); h.Quote.Version != 2 {
		t.Fatalf("%+v", h.Quote)
	}
	f.clock.Set(time.Date(2026, 12, 17, 16, 0, 0, 0, time.UTC))
	if _, err := f.Pick(ctx, company(1), demand.Pick{Ref: demand.Ref{ID: quoted.ID, Version: got.Version}, QuoteID: q.ID, QuoteVersion: 2}); !errors.Is(err, demand.ErrState) {
		t.Fatalf("picked too late: %v", err)
	}
	for _, want := range []int{1, 0} {
		if n, err := f.ExpireDue(ctx, system); n != want || err != nil {
			t.Fatal(n, err)
		}
	}
	for typ, want := range map[string]int{"demand.expired": 2, "demand.quoting_over": 1, "demand.quote_ended": 1} {
		if n := len(f.events(t, typ)); n != want {
			t.Errorf("%s: %d, not %d", typ, n, want)
		}
	}
	if list, _, _ := f.Quotes(ctx, institution(3), "", "", 0); list[0].State != demand.Over {
		t.Errorf("%+v", list)
	}
	if _, err := f.ExpireDue(ctx, company(1)); !errors.Is(err, demand.ErrForbidden) {
		t.Error(err)
	}
}

// TestClosing ends a demand by the company.
func TestClosing(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	v := f.mustOpen(t, company(1), tax())
	f.mustQuote(t, 3, v.ID, 31)
	if _, err := f.Close(ctx, company(1), demand.Close{Ref: demand.Ref{ID: v.ID, Version: v.Version}}); fault.KindOf(err) != fault.Invalid {
		t.Fatal(err)
	}
	got, err := f.Close(ctx, company(1), demand.Close{Ref: demand.Ref{ID: v.ID, Version: v.Version}, Reason: "已在线下解决"})
	if err != nil || got.State != demand.Ended || got.Reason != "已在线下解决" || got.QuoteList[0].State != demand.Over {
		t.Fatalf("%+v %v", got, err)
	}
	if n := len(f.events(t, "demand.quote_ended")); n != 1 {
		t.Fatal(n)
	}
	f.mustHear(t) // late: nobody is invited to what has ended
	draft := f.mustDraft(t, company(1), tax())
	if err := f.Discard(ctx, company(1), demand.Ref{ID: draft.ID, Version: draft.Version}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(ctx, company(1), draft.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal(err)
	}
}

// TestHall filters, searches, orders and pages what everybody reads.
func TestHall(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	for n := range 15 {
		typed := tax()
		typed.Title = fmt.Sprintf("记账需求 %d", n)
		typed.BudgetMax = fmt.Sprint(n + 1)
		if n == 3 {
			typed.Title, typed.Named = "<script>alert(1)</script> 100%_折扣", true
		}
		if n == 4 {
			typed.Kind, typed.Title, typed.Until = "legal", "合同审查", "2026-12-05"
		}
		f.mustOpen(t, company(int64(1+n%2)), typed)
	}
	f.mustSubmit(t, company(1), tax())
	first := must(f.Browse(ctx, access.Actor{}, demand.HallFilter{}))
	if first.Count != 15 || len(first.Items) != 12 || first.Last != 2 || first.Items[0].Title != "记账需求 14" {
		t.Fatalf("%d, %d, %+v", first.Count, len(first.Items), first.Items[0])
	}
	for name, c := range map[string]struct {
		filter demand.HallFilter
		first  string
		count  int
	}{
		"second page": {demand.HallFilter{Page: 2}, "记账需求 2", 15}, "behind": {demand.HallFilter{Page: 9}, "", 15}, "kind": {demand.HallFilter{Kind: "legal"}, "合同审查", 1},
		"soonest": {demand.HallFilter{Sort: demand.ByUntil}, "合同审查", 15}, "budget": {demand.HallFilter{Sort: demand.ByBudget}, "记账需求 14", 15},
		"words": {demand.HallFilter{Query: "合同"}, "合同审查", 1}, "percent": {demand.HallFilter{Query: "100%_"}, "<script>alert(1)</script> 100%_折扣", 1}, "nothing": {demand.HallFilter{Query: "%%"}, "", 0},
		"a named company": {demand.HallFilter{Query: "第2公司"}, "<script>alert(1)</script> 100%_折扣", 1}, "one that keeps its name": {demand.HallFilter{Query: "第1公司"}, "", 0},
	} {
		got, err := f.Browse(ctx, access.Actor{}, c.filter)
		title := ""
		if len(got.Items) > 0 {
			title = got.Items[0].Title
		}
		if err != nil || title != c.first || got.Count != c.count {
			t.Errorf("%s: %q of %d, %v", name, title, got.Count, err)
		}
	}
	if _, err := f.Browse(ctx, access.Actor{}, demand.HallFilter{Query: strings.Repeat("长", 101)}); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
	if _, err := f.Browse(ctx, access.Actor{}, demand.HallFilter{Invited: true}); !errors.Is(err, demand.ErrForbidden) {
		t.Error(err)
	}
	if got := must(f.Browse(ctx, institution(5), demand.HallFilter{Invited: true})); got.Count != 1 || !got.Items[0].Invited {
		t.Errorf("%+v", got)
	}
	// The operator's list.
	list, _, err := f.List(ctx, operator(8), demand.Filter{States: []demand.State{demand.Review}})
	if err != nil || len(list) != 1 {
		t.Errorf("%+v %v", list, err)
	}
	if list, _, _ = f.List(ctx, operator(8), demand.Filter{Query: "第2公司"}); len(list) != 7 {
		t.Errorf("%d", len(list))
	}
	if _, _, err := f.List(ctx, operator(8), demand.Filter{States: []demand.State{"lost"}}); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

// TestNothingInClear looks for the phone in every row that is kept.
func TestNothingInClear(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	f := mustNew(t)
	typed := tax()
	typed.Phone, typed.FileIDs = "13911112222", []int64{100_001, 100_002}
	v := f.mustOpen(t, company(1), typed)
	for _, q := range []string{"SELECT typed_sealed FROM demands", "SELECT phone_sealed FROM demands", "SELECT facts FROM events", "SELECT detail FROM audit_entries"} {
		var rows []string
		if err := f.db.Read().NewRaw(q).Scan(ctx, &rows); err != nil {
			t.Fatal(q, err)
		}
		if bytes.Contains([]byte(strings.Join(rows, "")), []byte("1391111")) {
			t.Errorf("%s holds the phone", q)
		}
	}
	if h := must(f.Hall(ctx, institution(3), v.ID)); strings.Contains(fmt.Sprintf("%+v", h), "139") || len(h.Files) != 2 {
		t.Errorf("%+v", h)
	}
	if h := must(f.Hall(ctx, access.Actor{}, v.ID)); len(h.Files) != 0 {
		t.Errorf("a visitor reads files: %+v", h.Files)
	}
}
