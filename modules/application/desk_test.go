package application_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/worktime"
)

var system = access.SystemActor("test")

// calendars has one calendar in force; a test publishes another.
type calendars struct {
	mu  sync.Mutex
	all map[int64]*worktime.Calendar
	now int64
}

func (c *calendars) InForce(ctx context.Context, db bun.IDB) (*worktime.Calendar, error) {
	return c.Calendar(ctx, db, c.now)
}

func (c *calendars) Calendar(_ context.Context, _ bun.IDB, number int64) (*worktime.Calendar, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[number], nil
}

func weekdays(number int64, off map[worktime.Day]string) *worktime.Calendar {
	work := []worktime.Period{{From: 9 * 60, Until: 12 * 60}, {From: 14 * 60, Until: 18 * 60}}
	return &worktime.Calendar{Number: number, Weekly: [7][]worktime.Period{1: work, 2: work, 3: work, 4: work, 5: work}, MakeUp: work, Off: off, Years: []int{2026}}
}

func (f fixture) told(t *testing.T, id int64, kind string) int {
	t.Helper()
	events, err := event.Of(context.Background(), f.db.Read(), application.Object, id)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

func TestRemindersComeOnceWhateverTheProcesses(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var views []application.View
	for i := range 120 { // more than two pages
		views = append(views, f.mustSubmit(t, boss(7, int64(700+i)), want("")))
	}
	at := func(when time.Time) {
		t.Helper()
		f.clock.Set(when)
		for _, err := range crowd(4, func(int) error { _, err := f.Ring(ctx, system); return err }) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	at(start.Add(time.Hour)) // nothing to say yet
	due := time.Date(2026, 11, 26, 18, 0, 0, 0, clock.Beijing)
	at(due.Add(-time.Hour))
	if soon, _, err := f.List(ctx, banker, application.ListFilter{Soon: true, Limit: 100}); err != nil || len(soon) != 100 {
		t.Errorf("%d soon, %v", len(soon), err)
	}
	// One is accepted after the reminder with the version that was seen before it.
	v := must(f.Accept(ctx, banker, application.Accept{Ref: ref(views[5])}))(t)
	if v.Due == nil || v.Due.For != application.DueHandle || v.Due.Budget != "15 个工作日" {
		t.Errorf("after accepting: %+v", v.Due)
	}
	at(due.Add(time.Minute))
	at(due.Add(2 * time.Hour))
	for i, v := range views {
		warned, over := f.told(t, v.ID, "application.due_warned"), f.told(t, v.ID, "application.overdue")
		if want := map[bool]int{true: 0, false: 1}[i == 5]; warned != 1 || over != want {
			t.Fatalf("%d: reminded %d times, overdue %d times", i, warned, over)
		}
	}
	for _, who := range []access.Actor{banker, platform} {
		if late, _, err := f.List(ctx, who, application.ListFilter{Overdue: true}); err != nil || len(late) != 20 || !late[0].Overdue {
			t.Errorf("%s: %d overdue, %v", who.Name, len(late), err)
		}
	}
	mine := must(f.Get(ctx, boss(7, 700), views[0].ID))(t)
	last := mine.Timeline[len(mine.Timeline)-1]
	if last.Label != "已超过时限" || !strings.Contains(last.Text, "受理时限") || len(mine.Timeline) != 2 {
		t.Errorf("the company reads %+v", mine.Timeline)
	}
	if _, err := f.Ring(ctx, banker); !errors.Is(err, application.ErrForbidden) {
		t.Errorf("a bank rings: %v", err)
	}
}

func TestANewCalendarMovesDeadlines(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	cals := &calendars{all: map[int64]*worktime.Calendar{1: weekdays(1, nil), 2: weekdays(2, map[worktime.Day]string{worktime.Date(2026, 11, 26): "临时放假"})}, now: 1}
	f.Calendars = cals
	v := f.mustSubmit(t, baker, want(""))
	if !strings.Contains(v.Due.Sentence, "2 个工作日：11月24日（二）09:30起") || !strings.Contains(v.Due.Sentence, "截止11月26日（四）18:00") {
		t.Errorf("explained as %q", v.Due.Sentence)
	}
	cals.now = 2
	for range 2 {
		if _, err := f.MoveDeadlines(ctx, system); err != nil {
			t.Fatal(err)
		}
	}
	v = must(f.Get(ctx, baker, v.ID))(t)
	if want := time.Date(2026, 11, 27, 18, 0, 0, 0, clock.Beijing); !v.DueAt.Equal(want) || !strings.Contains(v.Due.Sentence, "临时放假") {
		t.Errorf("due %v: %s", v.DueAt, v.Due.Sentence)
	}
	if n := f.told(t, v.ID, "application.due_moved"); n != 1 {
		t.Errorf("told %d times", n)
	}
	// What the product promises counts for handling; waiting for the company does not.
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	before := v.DueAt
	v = must(f.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "流水"}))(t)
	if !v.Held || !v.Due.Held || v.Overdue {
		t.Errorf("held %+v", v.Due)
	}
	f.clock.Advance(7 * 24 * time.Hour)
	v = must(f.Supplement(ctx, baker, application.Supplement{Ref: ref(v), Note: "已补"}))(t)
	if !v.DueAt.After(before) || v.Held || !strings.Contains(v.Due.Sentence, "等待企业补充材料，不计时") {
		t.Errorf("%v, was %v: %s", v.DueAt, before, v.Due.Sentence)
	}
}

func TestLimitsAreSetPerKind(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.Kinds = []application.Kind{{Code: "financing", Name: "融资服务"}, {Code: "tax", Name: "财税服务"}}
	editor := access.Actor{UserID: 51, Name: "运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{application.PermLimits}}
	list, err := f.SetLimit(ctx, editor, application.SetLimit{Limit: application.Limit{Kind: "financing", AcceptDays: 1, HandleDays: 10, ConfirmDays: 3, WarnPercent: 50}})
	if err != nil || len(list) != 3 || !list[1].Own || list[2].Own || list[2].AcceptDays != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	if v := f.mustSubmit(t, baker, want("")); v.Due.Budget != "1 个工作日" {
		t.Errorf("%+v", v.Due)
	}
	for name, bad := range map[string]application.SetLimit{
		"unknown kind": {Limit: application.Limit{Kind: "none", AcceptDays: 1, HandleDays: 1, ConfirmDays: 1, WarnPercent: 50}},
		"no time":      {Limit: application.Limit{Kind: "tax", HandleDays: 1, ConfirmDays: 1, WarnPercent: 50}},
		"negative":     {Limit: application.Limit{Kind: "tax", AcceptDays: -1, HandleDays: 1, ConfirmDays: 1, WarnPercent: 50}},
		"years":        {Limit: application.Limit{Kind: "tax", AcceptDays: 1, HandleDays: 251, ConfirmDays: 1, WarnPercent: 50}},
		"percent":      {Limit: application.Limit{Kind: "tax", AcceptDays: 1, HandleDays: 1, ConfirmDays: 1, WarnPercent: 100}},
		"clear all":    {Clear: true, Version: 1},
	} {
		if _, err := f.SetLimit(ctx, editor, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	stale := application.SetLimit{Limit: list[1].Limit}
	if _, err := f.SetLimit(ctx, editor, stale); fault.KindOf(err) != fault.Conflict {
		t.Errorf("set twice: %v", err)
	}
	if list, err = f.SetLimit(ctx, editor, application.SetLimit{Limit: list[1].Limit, Clear: true, Version: 1}); err != nil || list[1].Own {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := f.Limits(ctx, banker); !errors.Is(err, application.ErrForbidden) {
		t.Errorf("a bank reads limits: %v", err)
	}
}

func TestTheDeskIsSearched(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	loan := f.mustSubmit(t, baker, want(""))
	other := want("")
	other.Phone, other.Purpose = "13612345678", "采购和面机"
	second := f.mustSubmit(t, boss(8, 71), other)
	tax := f.mustSubmit(t, baker, application.Submit{ProductID: taxProduct, Purpose: "补记上半年的账", Source: application.FromH5})
	for _, c := range []struct {
		who  access.Actor
		q    string
		want []int64
		note string
	}{
		{platform, "SQ20261124-000002", []int64{second.ID}, "编号"},
		{platform, "sq20261124", []int64{tax.ID, second.ID, loan.ID}, "编号"},
		{platform, "烘焙贷", []int64{second.ID, loan.ID}, ""},
		{platform, "面包房", []int64{tax.ID, second.ID, loan.ID}, ""},
		{platform, "和面机", []int64{second.ID}, ""},
		{platform, "5678", []int64{second.ID}, "后四位"},
		{platform, "136 1234 5678", []int64{second.ID}, "联系电话"},
		{platform, "91110112MA01", []int64{tax.ID, loan.ID}, "信用代码"},
		{platform, "没有这样的", nil, ""},
		// A bank finds its own only, whatever it is looked up by.
		{taxman, "面包房", []int64{tax.ID}, ""},
		{taxman, "5678", nil, ""},
		{taxman, "SQ20261124-000002", nil, ""},
		{taxman, "91110112MA01", []int64{tax.ID}, ""},
		{boss(8, 71), "烘焙贷", []int64{second.ID}, ""},
	} {
		items, _, note, err := f.Search(ctx, c.who, application.ListFilter{Query: c.q})
		var ids []int64
		for _, i := range items {
			ids = append(ids, i.ID)
		}
		if err != nil || !equal(ids, c.want) || !strings.Contains(note, c.note) {
			t.Errorf("%s asks for %q: %v (%s), want %v; %v", c.who.Name, c.q, ids, note, c.want, err)
		}
	}
	items, _, _, err := f.Search(ctx, platform, application.ListFilter{Query: "烘焙", Kind: "financing"})
	if err != nil || len(items) != 2 || items[0].Marks == nil || !items[0].Marks.Product[0].Hit {
		t.Errorf("%+v %v", items, err)
	}
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestOldPhonesBecomeFindable(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, want(""))
	if _, err := f.db.Writer().NewRaw("UPDATE applications SET phone_blind = '', phone_tail = ''").Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := f.IndexPhones(ctx, system); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if items, _, _, err := f.Search(ctx, banker, application.ListFilter{Query: "8000"}); err != nil || len(items) != 1 || items[0].ID != v.ID {
		t.Errorf("%+v %v", items, err)
	}
}

type reasons struct{}

func (reasons) Offered(context.Context, bun.IDB, string) ([]reason.Reason, error) {
	return application.FirstReasons(), nil
}

func TestDecliningWithReadyReasons(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.Reasons = reasons{}
	refs := []application.Ref{ref(f.mustSubmit(t, baker, want(""))), ref(f.mustSubmit(t, boss(8, 71), want("")))}
	for name, c := range map[string]application.Decline{
		"unknown":       {Ref: refs[0], Codes: []string{"mood"}},
		"needs words":   {Ref: refs[0], Codes: []string{"materials"}},
		"nothing given": {Ref: refs[0]},
	} {
		if _, err := f.Decline(ctx, banker, c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	stale := application.Ref{ID: refs[1].ID, Version: 9}
	seen, err := f.PreviewAll(ctx, banker, application.ToDecline, []application.Ref{refs[0], stale, {ID: 999, Version: 1}})
	if err != nil || !seen[0].OK || seen[1].OK || seen[2].OK || seen[2].Message != application.ErrNotFound.Message {
		t.Errorf("preview %+v %v", seen, err)
	}
	if v := must(f.Get(ctx, baker, refs[0].ID))(t); v.Status != application.Waiting {
		t.Errorf("looking made it %s", v.Status)
	}
	got, err := f.DeclineAll(ctx, banker, "k", refs, []string{"debt", "materials"}, "租赁合同缺少盖章页")
	if err != nil || !got[0].OK || !got[1].OK {
		t.Fatalf("%+v %v", got, err)
	}
	v := must(f.Get(ctx, baker, refs[0].ID))(t)
	if want := "当前负债或经营状况暂不能满足产品要求\n申请材料不完整或与实际不符：\n租赁合同缺少盖章页"; v.Reason != want {
		t.Errorf("the company reads %q", v.Reason)
	}
	if _, err := f.DeclineAll(ctx, baker, "", refs, nil, "不行不行"); !errors.Is(err, application.ErrForbidden) {
		t.Errorf("a company declines: %v", err)
	}
}
