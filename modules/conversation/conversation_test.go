package conversation_test

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

	"github.com/huiqi/huiqi/modules/conversation"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// start is ten in the morning in Beijing.
var start = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)

type cases struct{ ended *time.Time }

func (c *cases) Case(_ context.Context, _ bun.IDB, a access.Actor, id int64) (conversation.Case, error) {
	seen := a.Party == access.System || a.Party == access.Platform || a.InstitutionID == 3 || a.EnterpriseID == 1
	if id != 7 || !seen {
		return conversation.Case{}, fault.ErrNotFound
	}
	return conversation.Case{Object: "application", ID: 7, Number: "SQ-7", Title: "代理记账", InstitutionID: 3, InstitutionName: "通成事务所", EnterpriseID: 1,
		EnterpriseName: "麦香烘焙", UserID: 11, EndedAt: c.ended}, nil
}

type files struct{}

func (files) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, _ string, _ int64) error {
	if id/100 != a.UserID {
		return fault.ErrNotFound
	}
	return nil
}

func (files) Save(context.Context, access.Actor, string, io.Reader) (conversation.FileView, error) {
	return conversation.FileView{}, errors.New("not here")
}

func (files) Known(_ context.Context, _ bun.IDB, ids []int64) (map[int64]conversation.FileView, error) {
	out := map[int64]conversation.FileView{}
	for _, id := range ids {
		out[id] = conversation.FileView{ID: id, Name: "账单.pdf"}
	}
	return out, nil
}

type fixture struct {
	*conversation.Service
	db    *database.DB
	clock *clock.Fake
	cases *cases
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, conversation.Migrations)), clock: clock.NewFake(start), cases: &cases{}}
	f.Service = conversation.New(conversation.Deps{DB: f.db, Clock: f.clock, Cases: map[string]conversation.Cases{"application": f.cases}, Files: files{}})
	return f
}

func company(user int64) access.Actor {
	return access.Actor{UserID: user, Name: "王芳", Party: access.Enterprise, EnterpriseID: 1}
}

func institution(id int64) access.Actor {
	return access.Actor{UserID: id * 4, Name: "赵强", Party: access.Institution, InstitutionID: id, Permissions: []access.Permission{conversation.PermTalk}}
}

func operator() access.Actor {
	return access.Actor{UserID: 14, Name: "运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{conversation.PermManage, conversation.PermRead}}
}

func say(f fixture, a access.Actor, words string, files ...int64) error {
	return f.Send(context.Background(), a, conversation.Send{Object: "application", ID: 7, Words: words, FileIDs: files})
}

func mustSay(t *testing.T, f fixture, a access.Actor, words string) {
	t.Helper()
	if err := say(f, a, words); err != nil {
		t.Fatal(err)
	}
}

func mustOf(t *testing.T, f fixture, a access.Actor) conversation.View {
	t.Helper()
	v, err := f.Of(context.Background(), a, "application", 7, "")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// told counts the facts of a type.
func told(t *testing.T, f fixture, typ string) int {
	t.Helper()
	n, err := f.db.Read().NewSelect().TableExpr("events").Where("type = ?", typ).Count(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func TestBothSidesReadAndAreRead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	mustSay(t, f, company(11), "请问需要哪些材料？")
	mustSay(t, f, company(12), "另外多久能办好？")
	if err := say(f, company(11), "", 1101); err != nil {
		t.Fatal(err)
	}
	v := mustOf(t, f, institution(3))
	if v.Unread != 3 || len(v.Notes) != 3 || v.Notes[0].By != "王芳" || len(v.Notes[2].Files) != 1 {
		t.Fatalf("%+v", v)
	}
	if w, err := f.Unread(ctx, institution(3)); err != nil || len(w) != 1 || w[0].Unread != 3 || w[0].With != "麦香烘焙" {
		t.Fatalf("%+v %v", w, err)
	}
	if err := f.MarkRead(ctx, institution(3), "application", 7, v.Notes[1].ID); err != nil {
		t.Fatal(err)
	}
	if v := mustOf(t, f, company(11)); !v.Notes[1].Read || v.Notes[2].Read {
		t.Fatalf("read as far as it was seen: %+v", v.Notes)
	}
	if v := mustOf(t, f, institution(3)); v.Unread != 1 {
		t.Fatalf("%d unread", v.Unread)
	}
	if err := f.MarkRead(ctx, institution(3), "application", 7, v.Notes[2].ID+1000); err != nil {
		t.Fatal(err)
	}
	if v := mustOf(t, f, institution(3)); v.Unread != 1 {
		t.Fatalf("what nobody wrote was read: %d unread", v.Unread)
	}
	mustSay(t, f, institution(3), "营业执照即可，三天办好")
	if v := mustOf(t, f, company(12)); v.Unread != 1 || v.Notes[3].By != "通成事务所" {
		t.Fatalf("the company reads the name of a person: %+v", v.Notes[3])
	}
	for who, a := range map[string]access.Actor{"another institution": institution(4), "a visitor": {Party: access.Anonymous}, "another company": {UserID: 9, Party: access.Enterprise, EnterpriseID: 2}} {
		if _, err := f.Of(ctx, a, "application", 7, ""); err == nil {
			t.Errorf("%s reads", who)
		}
		if err := say(f, a, "您好"); err == nil {
			t.Errorf("%s writes", who)
		}
		if w, _ := f.Unread(ctx, a); len(w) != 0 {
			t.Errorf("%s counts %d", who, len(w))
		}
		if err := f.Sees(ctx, a, v.Notes[2].ID); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%s reads a file: %v", who, err)
		}
	}
}

func TestUnreadIsCountedUnderLoad(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for {
				err := say(f, company(11), fmt.Sprintf("第 %d 条", i))
				if err == nil || !errors.Is(err, fault.ErrChanged) {
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	wg.Wait()
	if v := mustOf(t, f, institution(3)); v.Unread != 20 || v.Count != 20 {
		t.Fatalf("%d unread of %d", v.Unread, v.Count)
	}
}

func TestWhatIsTakenBackAndWarnedOf(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	if err := say(f, company(11), "加我电话 13800138000"); !errors.Is(err, conversation.ErrNumbers) {
		t.Fatalf("a phone number: %v", err)
	}
	if err := f.Send(ctx, company(11), conversation.Send{Object: "application", ID: 7, Words: "加我电话 13800138000", Meant: true}); err != nil {
		t.Fatal(err)
	}
	mustSay(t, f, company(11), "发错了")
	v := mustOf(t, f, company(11))
	if err := f.Withdraw(ctx, company(12), v.Notes[1].ID); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("by a colleague: %v", err)
	}
	if err := f.Withdraw(ctx, institution(4), v.Notes[1].ID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("by a foreigner: %v", err)
	}
	f.clock.Advance(2 * time.Minute)
	if err := f.Withdraw(ctx, company(11), v.Notes[1].ID); err != nil {
		t.Fatal(err)
	}
	if v := mustOf(t, f, institution(3)); v.Unread != 1 || !v.Notes[1].Withdrawn || v.Notes[1].Words != "" {
		t.Fatalf("%+v", v)
	}
	f.clock.Advance(time.Second)
	if err := f.Withdraw(ctx, company(11), v.Notes[0].ID); !errors.Is(err, conversation.ErrLate) {
		t.Fatalf("after two minutes: %v", err)
	}
	if _, err := f.Peek(ctx, institution(3), "application", 7, "想看看内容", ""); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("an institution peeks: %v", err)
	}
	if _, err := f.Peek(ctx, operator(), "application", 7, "看", ""); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("without a reason: %v", err)
	}
	peeked, err := f.Peek(ctx, operator(), "application", 7, "处理企业投诉 GD-1", "")
	if err != nil || peeked.Notes[1].Words != "发错了" || peeked.Writes {
		t.Fatalf("%+v %v", peeked, err)
	}
	n, err := f.db.Read().NewSelect().TableExpr("audit_entries").Where("action = 'conversation.peek'").Count(ctx)
	if err != nil || n != 1 {
		t.Fatalf("%d entries, %v", n, err)
	}
	if v := mustOf(t, f, company(11)); v.Notes[0].Read {
		t.Fatal("the operator's reading is the institution's")
	}
}

// TestRemindedOncePerSilence waits an hour, a night and another hour.
func TestRemindedOncePerSilence(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	remind := func(want int) {
		t.Helper()
		if err := f.Remind(ctx); err != nil {
			t.Fatal(err)
		}
		if n := told(t, f, "conversation.unread"); n != want {
			t.Fatalf("%d reminders at %s, want %d", n, f.clock.Now().In(clock.Beijing).Format(time.DateTime), want)
		}
	}
	mustSay(t, f, institution(3), "请补充流水")
	f.clock.Advance(59 * time.Minute)
	remind(0)
	f.clock.Advance(time.Minute)
	remind(1)
	mustSay(t, f, institution(3), "今天能给吗？")
	f.clock.Advance(2 * time.Hour)
	remind(1) // once until it is read
	v := mustOf(t, f, company(11))
	if err := f.MarkRead(ctx, company(11), "application", 7, v.Notes[1].ID); err != nil {
		t.Fatal(err)
	}
	f.clock.Set(time.Date(2026, 11, 30, 13, 30, 0, 0, time.UTC)) // 21:30
	mustSay(t, f, institution(3), "明天截止")
	f.clock.Advance(90 * time.Minute) // 23:00
	remind(1)
	f.clock.Set(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) // 08:00
	remind(2)
	if n := told(t, f, "conversation.sent"); n != 3 {
		t.Fatalf("%d sent", n)
	}
}

func TestClosedSomeDaysAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	end := start
	f.cases.ended = &end
	f.clock.Advance(7 * 24 * time.Hour)
	mustSay(t, f, company(11), "谢谢")
	f.clock.Advance(time.Minute)
	if err := say(f, company(11), "还有一事"); !errors.Is(err, conversation.ErrClosed) {
		t.Fatalf("after a week: %v", err)
	}
	if v := mustOf(t, f, company(11)); v.Writes || !v.Closed || len(v.Notes) != 1 {
		t.Fatalf("%+v", v)
	}
	r, err := f.Rule(ctx, operator())
	if err != nil {
		t.Fatal(err)
	}
	r.CloseDays = 30
	if err := f.SetRule(ctx, operator(), r); err != nil {
		t.Fatal(err)
	}
	if err := f.SetRule(ctx, operator(), r); !errors.Is(err, conversation.ErrStale) {
		t.Fatalf("over a newer one: %v", err)
	}
	mustSay(t, f, company(11), strings.Repeat("谢", 1000))
}
