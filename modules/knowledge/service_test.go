package knowledge_test

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

	"github.com/huiqi/huiqi/modules/knowledge"
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

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 6, 5, 0, 0, time.UTC)
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, search.Migrations, knowledge.Migrations)
)

// tree is a district (1) with two bureaus (10, 11) and an office of the first (100).
type tree struct{}

var departments = []knowledge.UnitInfo{
	{ID: 10, Name: "区市场监督管理局", Levels: [4]int64{1, 10}}, {ID: 11, Name: "区税务局", Levels: [4]int64{1, 11}},
	{ID: 100, Name: "登记注册科", Levels: [4]int64{1, 10, 100}},
}

func (tree) Unit(_ context.Context, _ bun.IDB, id int64) (knowledge.UnitInfo, error) {
	i := slices.IndexFunc(departments, func(u knowledge.UnitInfo) bool { return u.ID == id })
	if i < 0 {
		return knowledge.UnitInfo{}, fault.ErrNotFound
	}
	return departments[i], nil
}

func (tree) Units(context.Context, bun.IDB) ([]knowledge.UnitInfo, error) { return departments, nil }

type scheme struct{}

func (scheme) Matters(context.Context) ([]knowledge.Matter, error) {
	return []knowledge.Matter{{Code: "030000", Name: "开办与审批"}, {Code: "030100", Name: "证照办理"}, {Code: "030101", Name: "登记注册咨询"}, {Code: "010202", Name: "发票与申报问题"}}, nil
}

// book holds the tickets whose number begins with the actor's own: user 7 sees 700 to 799.
type book struct{}

func (book) Sees(_ context.Context, a access.Actor, id int64) error {
	if id/100 != a.UserID {
		return fault.ErrNotFound
	}
	return nil
}

type fixture struct {
	*knowledge.Service
	db    *database.DB
	clock *clock.Fake
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start)}
	f.Service = knowledge.New(knowledge.Deps{DB: f.db, Clock: f.clock, Units: tree{}, Matters: scheme{}, Tickets: book{}})
	return f
}

func platform(id int64, name string, rights ...access.Permission) access.Actor {
	slices.Sort(rights)
	return access.Actor{UserID: id, Name: name, Party: access.Platform, Scope: access.ScopeDistrict, Permissions: rights}
}

func official(id int64, name string, unit int64, scope access.Scope, rights ...access.Permission) access.Actor {
	slices.Sort(rights)
	a := access.Actor{UserID: id, Name: name, Party: access.Government, Scope: scope, Permissions: rights, DepartmentID: unit}
	for _, u := range departments {
		if u.ID == unit {
			a.DepartmentPath = u.Levels
		}
	}
	return a
}

var (
	agent    = platform(7, "陈静", knowledge.PermView, knowledge.PermEdit)
	reviewer = platform(8, "周敏", knowledge.PermView, knowledge.PermEdit, knowledge.PermReview)
	second   = platform(9, "赵强", knowledge.PermView, knowledge.PermReview)
	reader   = platform(12, "实习坐席", knowledge.PermView)
	market   = official(21, "刘洋", 100, access.ScopeDepartment, knowledge.PermView, knowledge.PermEdit)
	leader   = official(22, "孙局", 10, access.ScopeSubtree, knowledge.PermView, knowledge.PermEdit, knowledge.PermReview)
	taxes    = official(23, "钱进", 11, access.ScopeDepartment, knowledge.PermView, knowledge.PermEdit)
	owner    = access.Actor{UserID: 30, Name: "王芳", Party: access.Enterprise, EnterpriseID: 70, Scope: access.ScopeSelf}
	visitor  = access.Actor{Party: access.Anonymous}
	outsider = access.Actor{UserID: 40, Party: access.Institution, InstitutionID: 3, Permissions: []access.Permission{knowledge.PermEdit, knowledge.PermReview, knowledge.PermView}}
)

func text(title string) knowledge.Text {
	return knowledge.Text{
		Title: title, Question: "许可证快到期了，什么时候办延续？", Answer: "有效期届满前办理。\n# 材料\n- 申请书\n- 营业执照", Category: "030101", Keywords: []string{"食品经营许可", "延续"},
		Audience: knowledge.Everybody, SourceKind: knowledge.Law, SourceTitle: "食品经营许可和备案管理办法", SourceNumber: "第三十条",
	}
}

func ref(v knowledge.View) knowledge.Ref { return knowledge.Ref{ID: v.ID, Version: v.Version} }

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (f fixture) mustCreate(t *testing.T, a access.Actor, x knowledge.Text) knowledge.View {
	t.Helper()
	return must(f.Create(ctx, a, knowledge.CreateEntry{Text: x}))(t)
}

// mustPublish brings a text in force, written by one and let out by another.
func (f fixture) mustPublish(t *testing.T, by, out access.Actor, x knowledge.Text) knowledge.View {
	t.Helper()
	v := must(f.Submit(ctx, by, ref(f.mustCreate(t, by, x))))(t)
	return must(f.Publish(ctx, out, ref(v)))(t)
}

func (f fixture) found(t *testing.T, a access.Actor, q string) []string {
	t.Helper()
	out := []string{}
	for _, x := range must(f.Find(ctx, a, knowledge.FindFilter{Query: q}))(t) {
		out = append(out, x.Title)
	}
	return out
}

func (f fixture) public(t *testing.T, q string) []string {
	t.Helper()
	out := []string{}
	for _, x := range must(f.Public(ctx, visitor, knowledge.FindFilter{Query: q}))(t) {
		out = append(out, x.Title)
	}
	return out
}

// An entry is written, reviewed by a second person, revised while the old edition stays in force, compared, withdrawn.
func TestTheLifeOfAnEntry(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v := f.mustCreate(t, reviewer, text("食品经营许可延续"))
	if v.Status != knowledge.Draft || v.Live != 0 || !slices.Equal(v.Actions, []knowledge.Action{knowledge.ToEdit, knowledge.ToSubmit}) {
		t.Errorf("created %+v", v.Item)
	}
	if got := f.found(t, reviewer, "食品经营"); len(got) != 0 {
		t.Errorf("a draft is found: %v", got)
	}
	v = must(f.Submit(ctx, reviewer, ref(v)))(t)
	if v.OwnWork != true || slices.Contains(v.Actions, knowledge.ToPublish) {
		t.Errorf("own work may be published: %v", v.Actions)
	}
	if _, err := f.Publish(ctx, reviewer, ref(v)); !errors.Is(err, knowledge.ErrOwnWork) {
		t.Errorf("own work: %v", err)
	}
	v = must(f.Return(ctx, second, knowledge.ReasonedEntry{Ref: ref(v), Reason: "请注明办理窗口"}))(t)
	if v.Status != knowledge.Draft || v.Reason != "请注明办理窗口" {
		t.Errorf("returned %+v", v.Item)
	}
	v = must(f.Submit(ctx, reviewer, ref(v)))(t)
	v = must(f.Publish(ctx, second, ref(v)))(t)
	if v.Status != knowledge.Published || v.Live != 1 || v.Shown.State != knowledge.EditionLive || v.Shown.ReviewerName != "赵强" {
		t.Errorf("published %+v", v)
	}

	v = must(f.Revise(ctx, reviewer, ref(v)))(t)
	if _, err := f.Submit(ctx, reviewer, ref(v)); !errors.Is(err, knowledge.ErrSame) {
		t.Errorf("an edition that says nothing new: %v", err)
	}
	changed := text("食品经营许可延续")
	changed.Answer, changed.Until = "有效期届满前九十个工作日至十五个工作日办理。\n# 材料\n- 申请书\n- 营业执照", "2027-12-31"
	v = must(f.Edit(ctx, reviewer, knowledge.EditEntry{Ref: ref(v), Text: changed, Change: "写明提前办理的期限"}))(t)
	if v.Live != 1 || v.Work == nil || v.Work.No != 2 || strings.Contains(v.Shown.Answer, "九十") {
		t.Errorf("the old edition does not stay in force: %+v", v)
	}
	if got := f.found(t, agent, "九十个工作日"); len(got) != 0 {
		t.Errorf("what is being written is found: %v", got)
	}
	if got := f.public(t, "有效期届满"); !slices.Equal(got, []string{"食品经营许可延续"}) {
		t.Errorf("while it is revised: %v", got)
	}
	v = must(f.Submit(ctx, reviewer, ref(v)))(t)
	v = must(f.Publish(ctx, second, ref(v)))(t)
	if v.Live != 2 || len(v.Editions) != 2 || v.Editions[1].State != knowledge.EditionReplaced || v.Editions[0].Change != "写明提前办理的期限" {
		t.Errorf("second edition: %+v", v.Editions)
	}
	if got := f.found(t, agent, "九十个工作日"); len(got) != 1 {
		t.Errorf("the new edition is not found: %v", got)
	}
	diff := must(f.Diff(ctx, reviewer, v.ID, 1, 2))(t)
	if len(diff) != 2 || diff[0].Field != "answer" || diff[1].Field != "validUntil" {
		t.Fatalf("diff %+v", diff)
	}
	want := []knowledge.Line{{Kind: knowledge.Removed, Text: "有效期届满前办理。"}, {Kind: knowledge.Added, Text: "有效期届满前九十个工作日至十五个工作日办理。"},
		{Kind: knowledge.Same, Text: "# 材料"}, {Kind: knowledge.Same, Text: "- 申请书"}, {Kind: knowledge.Same, Text: "- 营业执照"}}
	if !slices.Equal(diff[0].Lines, want) {
		t.Errorf("lines %+v", diff[0].Lines)
	}
	for _, l := range diff[1].Lines {
		if l.Text != "长期" && !strings.Contains(l.Text, "年") {
			t.Errorf("a day on a page: %q", l.Text)
		}
	}

	v = must(f.Revise(ctx, agent, ref(v)))(t)
	v = must(f.Discard(ctx, agent, ref(v)))(t)
	if v.Status != knowledge.Published || v.Live != 2 || v.Work != nil || v.Editions[0].State != knowledge.EditionDiscarded {
		t.Errorf("discarded %+v", v.Editions)
	}
	v = must(f.Withdraw(ctx, agent, knowledge.ReasonedEntry{Ref: ref(v), Reason: "办法已修订"}))(t)
	if v.Status != knowledge.Withdrawn || v.Live != 0 || len(f.found(t, agent, "食品经营")) != 0 {
		t.Errorf("withdrawn %+v", v.Item)
	}
	v = must(f.Revise(ctx, agent, ref(v)))(t)
	if v.Status != knowledge.Draft || v.Shown.No != 4 || !strings.Contains(v.Shown.Answer, "九十") {
		t.Errorf("revised from the last that was in force: %+v", v.Shown)
	}
	var seen []string
	for _, m := range v.Timeline {
		seen = append(seen, strings.TrimPrefix(m.Kind, "knowledge."))
	}
	if got := strings.Join(seen, " "); got != "created submitted returned submitted published revised edited submitted published revised discarded withdrawn revised" {
		t.Errorf("history: %s", got)
	}
	n, err := f.db.Read().NewSelect().Model((*audit.Entry)(nil)).Where("object = ? AND object_id = ?", knowledge.Object, v.ID).Count(ctx)
	if err != nil || int(n) != len(seen) {
		t.Errorf("%d audit rows for %d facts, %v", n, len(seen), err)
	}
}

// Withdrawing takes what is in force away whatever is being written, and what is written goes on.
func TestWithdrawWhileRevised(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v := must(f.Revise(ctx, agent, ref(f.mustPublish(t, agent, second, text("食品经营许可延续")))))(t)
	v = must(f.Withdraw(ctx, agent, knowledge.ReasonedEntry{Ref: ref(v), Reason: "口径有误"}))(t)
	if v.Status != knowledge.Draft || v.Live != 0 || v.Shown.No != 2 || len(f.public(t, "许可延续")) != 0 || slices.Contains(v.Actions, knowledge.ToDiscard) {
		t.Errorf("%+v, actions %v", v.Item, v.Actions)
	}
	v = must(f.Submit(ctx, agent, ref(v)))(t)
	if v = must(f.Publish(ctx, second, ref(v)))(t); v.Live != 2 || len(f.public(t, "许可延续")) != 1 {
		t.Errorf("in force again: %+v", v.Item)
	}
}

// What is in force stays among what is published while a new edition is written and reviewed beside it; readers learn nothing of
// that one.
func TestInForceWhileRevised(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v := f.mustPublish(t, agent, second, text("食品经营许可延续"))
	f.mustCreate(t, agent, text("还没有发布的口径"))
	published := func(a access.Actor) []knowledge.Item {
		t.Helper()
		items, _, err := f.List(ctx, a, knowledge.ListFilter{State: string(knowledge.Published)})
		if err != nil || len(items) != 1 {
			t.Fatalf("published: %v, %v", items, err)
		}
		return items
	}
	v = must(f.Revise(ctx, agent, ref(v)))(t)
	changed := text("食品经营许可延续")
	changed.Answer = "有效期届满三十日前办理。"
	for _, step := range []struct {
		want knowledge.Status
		do   func() (knowledge.View, error)
	}{
		{knowledge.Draft, func() (knowledge.View, error) {
			return f.Edit(ctx, agent, knowledge.EditEntry{Ref: ref(v), Text: changed, Change: "写明期限"})
		}},
		{knowledge.InReview, func() (knowledge.View, error) { return f.Submit(ctx, agent, ref(v)) }},
	} {
		v = must(step.do())(t)
		if got := published(agent)[0]; got.Status != step.want || got.Live != 1 {
			t.Errorf("to the writer: %+v", got)
		}
		if got := published(reader)[0]; got.Status != knowledge.Published || got.Live != 1 {
			t.Errorf("to a reader in the list: %+v", got)
		}
		if got := must(f.Get(ctx, reader, v.ID))(t); got.Status != knowledge.Published || got.Work != nil || got.Shown.No != 1 {
			t.Errorf("to a reader: %+v", got.Item)
		}
	}
}

// Who sees what: in force and public for everybody, internal for staff, of units for the desk and the units concerned.
func TestWhoSeesWhat(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	internal, units := text("内部口径"), text("科室口径")
	internal.Audience, units.Audience, units.UnitIDs = knowledge.Staff, knowledge.Concerned, []int64{10}
	open := f.mustPublish(t, agent, second, text("公开口径"))
	inside := f.mustPublish(t, agent, second, internal)
	concerned := f.mustPublish(t, agent, second, units)
	future := text("将来口径")
	future.From = "2026-12-01"
	f.mustPublish(t, agent, second, future)
	draft := f.mustCreate(t, market, text("草稿口径"))
	if draft.UnitID != 100 {
		t.Errorf("what an official writes belongs to unit %d", draft.UnitID)
	}

	if got := f.public(t, "口径"); !slices.Equal(got, []string{"公开口径"}) {
		t.Errorf("everybody finds %v", got)
	}
	for _, a := range []access.Actor{agent, reviewer, reader, market, leader} {
		if got := f.found(t, a, "口径"); len(got) != 3 {
			t.Errorf("%s finds %v", a.Name, got)
		}
	}
	if got := f.found(t, taxes, "口径"); slices.Contains(got, "科室口径") || len(got) != 2 {
		t.Errorf("another bureau finds %v", got)
	}
	if _, err := f.Get(ctx, taxes, concerned.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another bureau opens it: %v", err)
	}
	// Drafts are seen by their unit, those above it, and the district's own writers.
	for who, want := range map[*access.Actor]bool{&market: true, &leader: true, &reviewer: true, &taxes: false, &reader: false} {
		_, err := f.Get(ctx, *who, draft.ID)
		if (err == nil) != want {
			t.Errorf("%s and the draft: %v", who.Name, err)
		}
	}
	if _, err := f.Open(ctx, visitor, inside.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a visitor opens what is internal: %v", err)
	}
	if p := must(f.Open(ctx, owner, open.ID))(t); len(p.Blocks) != 3 || p.Plain != "有效期届满前办理。\n材料\n申请书\n营业执照" {
		t.Errorf("page %+v", p)
	}
	for _, a := range []access.Actor{visitor, owner, outsider} {
		if _, _, err := f.List(ctx, a, knowledge.ListFilter{}); err == nil {
			t.Errorf("%s lists", a.Name)
		}
		if _, err := f.Get(ctx, a, open.ID); err == nil {
			t.Errorf("%s opens the desk's view", a.Name)
		}
		if _, err := f.Create(ctx, a, knowledge.CreateEntry{Text: text("外来条目")}); err == nil {
			t.Errorf("%s writes", a.Name)
		}
	}
	// Readers learn nothing of who wrote, returned or reported.
	if v := must(f.Get(ctx, reader, open.ID))(t); v.Mine || len(v.Actions)+len(v.Editions)+len(v.Timeline) != 0 {
		t.Errorf("a reader sees %+v", v)
	}
	if _, err := f.Withdraw(ctx, taxes, knowledge.ReasonedEntry{Ref: ref(open), Reason: "不归我管"}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("another bureau withdraws: %v", err)
	}
	if _, err := f.Diff(ctx, reader, open.ID, 1, 1); err != nil {
		t.Errorf("the edition in force: %v", err)
	}
	v := must(f.Submit(ctx, market, ref(draft)))(t)
	if v = must(f.Publish(ctx, leader, ref(v)))(t); v.Live != 1 {
		t.Errorf("the leader of the unit publishes: %+v", v.Item)
	}
}

// The end of an entry's time takes it out of answers and puts it on its owner's list; a second person confirms it.
func TestTimeIsOver(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	x := text("限时口径")
	x.Until = "2026-12-31"
	v := f.mustPublish(t, agent, reviewer, x)
	todo := func(a access.Actor) (kinds []string) {
		for _, d := range must(f.Todo(ctx, a))(t) {
			kinds = append(kinds, string(d.Kind))
		}
		return kinds
	}
	if got := todo(agent); len(got) != 0 {
		t.Errorf("39 days before: %v", got)
	}
	f.clock.Set(time.Date(2026, 12, 15, 0, 0, 0, 0, time.UTC))
	if got := todo(agent); !slices.Equal(got, []string{"soon"}) {
		t.Errorf("16 days before: %v", got)
	}
	f.clock.Set(time.Date(2026, 12, 31, 15, 59, 0, 0, time.UTC))
	if got := f.found(t, reader, "限时"); len(got) != 1 {
		t.Errorf("on the last day: %v", got)
	}
	f.clock.Set(time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC)) // midnight in Beijing
	if got := f.found(t, reader, "限时"); len(got) != 0 || len(f.public(t, "限时")) != 0 {
		t.Errorf("after the last day: %v", got)
	}
	if got := todo(agent); !slices.Equal(got, []string{"over"}) {
		t.Errorf("after: %v", got)
	}
	if items, _, err := f.List(ctx, reader, knowledge.ListFilter{State: knowledge.StateOver}); err != nil || len(items) != 1 || !items[0].Over {
		t.Errorf("to be checked again: %v, %v", items, err)
	}
	if _, err := f.Confirm(ctx, platform(7, "陈静", knowledge.PermEdit, knowledge.PermReview), knowledge.ConfirmEntry{Ref: ref(v), Until: "2027-12-31"}); !errors.Is(err, knowledge.ErrOwnWork) {
		t.Errorf("the writer confirms: %v", err)
	}
	if _, err := f.Confirm(ctx, second, knowledge.ConfirmEntry{Ref: ref(v), Until: "2026-12-31"}); !errors.Is(err, knowledge.ErrPast) {
		t.Errorf("until a day that has passed: %v", err)
	}
	v = must(f.Confirm(ctx, second, knowledge.ConfirmEntry{Ref: ref(v), Until: "2027-12-31"}))(t)
	if v.Over || v.ValidUntil != "2027-12-31" || len(f.found(t, reader, "限时")) != 1 {
		t.Errorf("confirmed %+v", v.Item)
	}
}

// What is used is counted once for each person and ticket, whoever clicks however often.
func TestUses(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v := f.mustPublish(t, agent, second, text("食品经营许可延续"))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := f.Use(ctx, agent, v.ID, 701); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := must(f.Use(ctx, agent, v.ID, 702))(t); n != 2 {
		t.Errorf("used %d times", n)
	}
	if _, err := f.Use(ctx, agent, v.ID, 801); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a ticket the actor does not see: %v", err)
	}
	if _, err := f.Use(ctx, owner, v.ID, 3001); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a company: %v", err)
	}
	other := f.mustPublish(t, agent, second, text("食品经营许可变更"))
	if got := f.found(t, agent, ""); !slices.Equal(got, []string{"食品经营许可延续", "食品经营许可变更"}) {
		t.Errorf("by use: %v", got)
	}
	draft := must(f.Withdraw(ctx, agent, knowledge.ReasonedEntry{Ref: ref(other), Reason: "合并到另一条"}))(t)
	if _, err := f.Use(ctx, agent, draft.ID, 703); fault.KindOf(err) != fault.Conflict {
		t.Errorf("nothing is in force: %v", err)
	}
}

// The type of the ticket brings its own answers first, then those of its group.
func TestFindByType(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	group, other := text("证照通用答复"), text("发票答复")
	group.Category, other.Category = "030100", "010202"
	for _, x := range []knowledge.Text{other, group, text("登记答复")} {
		f.mustPublish(t, agent, second, x)
	}
	var got []string
	for _, x := range must(f.Find(ctx, agent, knowledge.FindFilter{Query: "答复", Type: "030101"}))(t) {
		got = append(got, x.Title)
	}
	if !slices.Equal(got, []string{"登记答复", "证照通用答复", "发票答复"}) {
		t.Errorf("with words: %v", got)
	}
	if list := must(f.Find(ctx, agent, knowledge.FindFilter{Type: "030101"}))(t); len(list) != 2 || list[0].CategoryName != "登记注册咨询" {
		t.Errorf("without words: %+v", list)
	}
	if _, err := f.Find(ctx, agent, knowledge.FindFilter{Query: "?"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("nothing to search for: %v", err)
	}
	items, _, err := f.List(ctx, agent, knowledge.ListFilter{Category: "030000"})
	if err != nil || len(items) != 2 {
		t.Errorf("a group holds its types: %v, %v", items, err)
	}
}

func TestFeedback(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v := f.mustPublish(t, market, leader, text("食品经营许可延续"))
	for range 2 {
		if err := f.Judge(ctx, agent, knowledge.Judge{ID: v.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Judge(ctx, agent, knowledge.Judge{ID: v.ID, Wrong: true}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("wrong without a reason: %v", err)
	}
	if err := f.Judge(ctx, agent, knowledge.Judge{ID: v.ID, Wrong: true, Reason: "窗口已搬迁", TicketID: 701}); err != nil {
		t.Fatal(err)
	}
	if err := f.Judge(ctx, agent, knowledge.Judge{ID: v.ID, Wrong: true, Reason: "窗口已搬迁"}); !errors.Is(err, knowledge.ErrReported) {
		t.Errorf("reported twice: %v", err)
	}
	v = must(f.Get(ctx, market, v.ID))(t)
	if v.Useful != 1 || v.OpenReports != 1 || len(v.Reports) != 1 || v.Reports[0].TicketID != 701 {
		t.Fatalf("%+v", v)
	}
	for who, want := range map[*access.Actor]int{&market: 1, &leader: 1, &taxes: 0, &reviewer: 0} {
		if got := must(f.Todo(ctx, *who))(t); len(got) != want {
			t.Errorf("%s has to do %+v", who.Name, got)
		}
	}
	report := v.Reports[0].ID
	if err := f.Settle(ctx, taxes, knowledge.SettleReport{ID: report, Outcome: knowledge.Kept, Note: "没有问题"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another bureau answers: %v", err)
	}
	won := make(chan error, 6)
	var wait sync.WaitGroup
	for i := range cap(won) {
		wait.Go(func() {
			won <- f.Settle(ctx, market, knowledge.SettleReport{ID: report, Outcome: knowledge.Corrected, Note: fmt.Sprintf("已按新址更正%d", i)})
		})
	}
	wait.Wait()
	close(won)
	done := 0
	for err := range won {
		if err == nil {
			done++
		} else if fault.KindOf(err) != fault.Conflict {
			t.Error(err)
		}
	}
	if v = must(f.Get(ctx, market, v.ID))(t); done != 1 || v.OpenReports != 0 || v.Reports[0].Outcome != knowledge.Corrected {
		t.Errorf("%d answers, %+v", done, v.Reports)
	}
	if err := f.Judge(ctx, agent, knowledge.Judge{ID: v.ID, Wrong: true, Reason: "还是旧址"}); err != nil {
		t.Errorf("after the answer: %v", err)
	}
}

// Two who act on the same version: one wins, the other is told what changed.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v := must(f.Submit(ctx, agent, ref(f.mustCreate(t, agent, text("食品经营许可延续")))))(t)
	failed := make(chan error, 2)
	var wait sync.WaitGroup
	wait.Go(func() { _, err := f.Publish(ctx, second, ref(v)); failed <- err })
	wait.Go(func() {
		_, err := f.Return(ctx, reviewer, knowledge.ReasonedEntry{Ref: ref(v), Reason: "再核实"})
		failed <- err
	})
	wait.Wait()
	a, b := <-failed, <-failed
	if (a == nil) == (b == nil) {
		t.Fatalf("%v and %v", a, b)
	}
	if err := errors.Join(a, b); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the other is told %v", err)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	for name, c := range map[string]struct {
		change func(x *knowledge.Text)
		field  string
	}{
		"no title":               {func(x *knowledge.Text) { x.Title = " " }, "title"},
		"no answer":              {func(x *knowledge.Text) { x.Answer = "" }, "answer"},
		"a law without number":   {func(x *knowledge.Text) { x.SourceNumber = "" }, "sourceNumber"},
		"an unknown source":      {func(x *knowledge.Text) { x.SourceKind = "odd" }, "sourceKind"},
		"no audience":            {func(x *knowledge.Text) { x.Audience = "" }, "audience"},
		"units without units":    {func(x *knowledge.Text) { x.Audience = knowledge.Concerned }, "unitIds"},
		"an unknown unit":        {func(x *knowledge.Text) { x.UnitIDs = []int64{999} }, "unitIds"},
		"an unknown matter":      {func(x *knowledge.Text) { x.Category = "999999" }, "category"},
		"no day":                 {func(x *knowledge.Text) { x.Until = "2026-02-30" }, "validUntil"},
		"an end before the time": {func(x *knowledge.Text) { x.From, x.Until = "2026-12-02", "2026-12-01" }, "validUntil"},
		"a keyword too long":     {func(x *knowledge.Text) { x.Keywords = []string{strings.Repeat("长", 21)} }, "keywords"},
		"too many keywords": {func(x *knowledge.Text) {
			x.Keywords = strings.Split(strings.Repeat("词,", 1)+"一,二,三,四,五,六,七,八,九,十,甲,乙,丙,丁,戊,己,庚,辛,壬,癸,子", ",")
		}, "keywords"},
	} {
		x := text("食品经营许可延续")
		c.change(&x)
		_, err := f.Create(ctx, agent, knowledge.CreateEntry{Text: x})
		fa, ok := fault.As(err)
		if !ok || !slices.ContainsFunc(fa.Fields, func(fi fault.Field) bool { return fi.Name == c.field }) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := must(f.Create(ctx, agent, knowledge.CreateEntry{Key: "k", Text: text("食品经营许可延续")}))(t)
	if b := must(f.Create(ctx, agent, knowledge.CreateEntry{Key: "k", Text: text("食品经营许可延续")}))(t); a.ID != b.ID {
		t.Error("the same key made two entries")
	}
	if _, err := f.Edit(ctx, agent, knowledge.EditEntry{Ref: knowledge.Ref{ID: a.ID, Version: 9}, Text: text("食品经营许可延续")}); !errors.Is(err, knowledge.ErrStale) {
		t.Errorf("a stale version: %v", err)
	}
}

// The full text is made anew from the rows with what each entry's row says.
func TestRebuild(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustPublish(t, agent, second, text("食品经营许可延续"))
	if err := search.Rebuild(ctx, f.db, knowledge.SearchSource(), nil); err != nil {
		t.Fatal(err)
	}
	if got := f.public(t, "第三十条"); len(got) != 1 {
		t.Errorf("by the number of its law: %v", got)
	}
}
