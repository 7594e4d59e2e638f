package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/secret"
)

// The tree of the tests: 1 district, 10 a bureau with 100 and 101 below and 1000 below 100, 20 another bureau.
var departments = []ticket.UnitInfo{
	{ID: 10, Name: "区人社局", Levels: [4]int64{1, 10}},
	{ID: 100, Name: "劳动监察大队", Levels: [4]int64{1, 10, 100}},
	{ID: 1000, Name: "监察一中队", Levels: [4]int64{1, 10, 100, 1000}},
	{ID: 101, Name: "劳动仲裁院", Levels: [4]int64{1, 10, 101}},
	{ID: 20, Name: "区税务局", Levels: [4]int64{1, 20}},
}

type units struct{}

func (units) Unit(_ context.Context, _ bun.IDB, id int64) (ticket.UnitInfo, error) {
	for _, u := range departments {
		if u.ID == id {
			return u, nil
		}
	}
	return ticket.UnitInfo{}, fault.ErrNotFound
}

func (units) Units(context.Context, bun.IDB) ([]ticket.UnitInfo, error) { return departments, nil }

type requesters struct{}

func (requesters) Contact(context.Context, bun.IDB, int64) (ticket.Contact, error) {
	return ticket.Contact{Name: "王芳", Phone: "13800138000"}, nil
}

func (requesters) EnterpriseName(_ context.Context, _ bun.IDB, id int64) (string, error) {
	return fmt.Sprintf("第%d面包房有限公司", id), nil
}

// EnterprisesByCode knows company 70 by 91110112MA01ABCD12.
func (requesters) EnterprisesByCode(_ context.Context, _ bun.IDB, prefix string, _ int) ([]int64, error) {
	if strings.HasPrefix("91110112MA01ABCD12", prefix) {
		return []int64{70}, nil
	}
	return nil, nil
}

// files lets an actor claim the files whose id begins with their own: user 7 owns 700 to 799.
type files struct{}

func (files) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, _ string, _ int64) error {
	if id/100 != a.UserID {
		return fault.ErrNotFound
	}
	return nil
}

func (files) Of(ctx context.Context, db bun.IDB, _ string, id int64) ([]ticket.FileView, error) {
	var out []ticket.FileView
	err := db.NewSelect().TableExpr("ticket_files").ColumnExpr("file_id AS id").Where("ticket_id = ?", id).OrderExpr("file_id").Scan(ctx, &out)
	for i := range out { // the even ones are photographs
		out[i].Mime = []string{"image/jpeg", "application/pdf"}[out[i].ID%2]
	}
	return out, err
}

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, search.Migrations, ticket.Migrations)

type fixture struct {
	*ticket.Service
	db    *database.DB
	clock *clock.Fake
	box   *secret.Box
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
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start), box: box}
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: box, Units: units{}, Requesters: requesters{}, Files: files{}, Colleagues: colleagues{}})
	err = f.EnsureTypes(context.Background(), access.SystemActor("test"), []ticket.Type{
		{Code: "labour", Name: "劳动用工", Category: "0201", Urgency: ticket.Normal, Hours: 72, Sort: 1},
		{Code: "power", Name: "供电故障", Category: "0301", Urgency: ticket.Urgent, Hours: 24, Sort: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func permissions() []access.Permission {
	var out []access.Permission
	for _, p := range ticket.Permissions() {
		out = append(out, p.Name)
	}
	slices.Sort(out)
	return out
}

func boss(user, enterprise int64) access.Actor {
	return access.Actor{UserID: user, Name: "王芳", Party: access.Enterprise, EnterpriseID: enterprise, Scope: access.ScopeSelf}
}

func agent(user int64, name string) access.Actor {
	return access.Actor{UserID: user, Name: name, Party: access.Platform, Scope: access.ScopeDistrict, Permissions: permissions()}
}

func staff(user, department int64, path [4]int64, scope access.Scope) access.Actor {
	return access.Actor{
		UserID: user, Name: "赵强", Party: access.Government, Scope: scope, DepartmentID: department, DepartmentPath: path, DepartmentName: "区人社局",
		Permissions: []access.Permission{ticket.PermReply, ticket.PermSign, ticket.PermView},
	}
}

var (
	baker  = boss(7, 70)
	desk   = agent(50, "李敏")
	bureau = staff(60, 10, [4]int64{1, 10}, access.ScopeSubtree)
	squad  = staff(61, 100, [4]int64{1, 10, 100}, access.ScopeDepartment)
	tax    = staff(62, 20, [4]int64{1, 20}, access.ScopeSubtree)
)

func ask(key string) ticket.OpenTicket {
	return ticket.OpenTicket{Key: key, Type: "labour", Title: "用工补贴如何申请", Body: "门店新招三人，想了解补贴。", Source: ticket.FromH5}
}

func (f fixture) mustOpen(t *testing.T, a access.Actor, cmd ticket.OpenTicket) ticket.View {
	t.Helper()
	v, err := f.Open(context.Background(), a, cmd)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f fixture) mustDispatch(t *testing.T, v ticket.View, unit int64) ticket.View {
	t.Helper()
	return must(f.Dispatch(context.Background(), desk, ticket.DispatchTicket{Ref: ref(v), UnitID: unit, Note: "请尽快联系企业"}))(t)
}

func must(v ticket.View, err error) func(*testing.T) ticket.View {
	return func(t *testing.T) ticket.View {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ref(v ticket.View) ticket.Ref { return ticket.Ref{ID: v.ID, Version: v.Version} }

func (f fixture) rows(t *testing.T, table string) int {
	t.Helper()
	n, err := f.db.Read().NewSelect().TableExpr(table).Count(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func TestATicketFromTheFirstWordToTheRating(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, baker, ask("a"))
	if v.Number != "GD20261122-000001" || v.Status != ticket.Received || v.EnterpriseName != "第70面包房有限公司" || len(v.QueryCode) != 6 {
		t.Fatalf("opened %+v", v)
	}
	if v.Phone != "138****8000" || v.RequesterName != "王芳" {
		t.Fatalf("requester %q %q", v.RequesterName, v.Phone)
	}
	if !v.DueAt.Equal(start.Add(72 * 3600e9)) {
		t.Fatalf("due %v", v.DueAt)
	}
	v = f.mustDispatch(t, v, 10)
	if v.Phone != "138****8000" { // Reveal shows it
		t.Fatalf("the desk sees %q", v.Phone)
	}
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已电话说明，附申报指南。", FileIDs: []int64{6001}}))(t)
	if len(v.Files) != 1 || v.Files[0].ID != 6001 || v.Hops[0].State != ticket.HopReplied || v.Phone != "138****8000" {
		t.Fatalf("replied %+v", v)
	}
	v = must(f.CallBack(ctx, desk, ticket.CallBackTicket{Ref: ref(v), Note: "无人接听"}))(t)
	v = must(f.Reopen(ctx, desk, ticket.ReopenTicket{Ref: ref(v), Reason: "企业表示材料清单不全"}))(t)
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已补充清单。"}))(t)
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v), Outcome: &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}}))(t)
	if v.Status != ticket.Done || v.ClosedAt == nil || len(v.Hops) != 2 {
		t.Fatalf("closed %+v", v)
	}
	mine := must(f.Get(ctx, baker, v.ID))(t)
	if !slices.Equal(mine.Actions, []ticket.Action{ticket.ToRate}) {
		t.Fatalf("actions %v", mine.Actions)
	}
	mine = must(f.Rate(ctx, baker, ticket.RateTicket{Ref: ref(mine), Rating: 5, Opinion: "很快"}))(t)
	if mine.Rating != 5 || len(mine.Actions) != 0 || len(mine.Hops) != 0 {
		t.Fatalf("rated %+v", mine)
	}
	for _, s := range mine.Timeline {
		if s.Actor != "" && s.Actor != "王芳" {
			t.Errorf("the requester sees the name %q", s.Actor)
		}
		if strings.Contains(s.Text, "无人接听") || strings.Contains(s.Text, "请尽快联系企业") {
			t.Errorf("the requester sees the note %q", s.Text)
		}
	}
	if n := len(mine.Timeline); n != 10 || f.rows(t, "audit_entries") != 10 {
		t.Fatalf("%d steps, %d audit rows", n, f.rows(t, "audit_entries"))
	}
	var facts []string
	if err := f.db.Read().NewSelect().TableExpr("events").Column("facts").Scan(ctx, &facts); err != nil {
		t.Fatal(err)
	}
	for _, fact := range facts {
		if strings.Contains(fact, "13800138000") {
			t.Errorf("an event holds the phone: %s", fact)
		}
	}
}

func TestDeskAnswersDeclinesVoids(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, baker, ask(""))
	v = must(f.Answer(ctx, desk, ticket.AnswerTicket{Ref: ref(v), Text: "可在线申报。"}))(t)
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v)}))(t)
	if v.Status != ticket.Done || v.Reply != "可在线申报。" {
		t.Fatalf("%+v", v)
	}
	v = f.mustOpen(t, baker, ask(""))
	v = must(f.Decline(ctx, desk, ticket.DeclineTicket{Ref: ref(v), Code: "contract", Route: "合同纠纷请向人民法院起诉或申请仲裁"}))(t)
	if v.Status != ticket.Refused || v.ClosedAt == nil {
		t.Fatalf("%+v", v)
	}
	v = f.mustDispatch(t, f.mustOpen(t, baker, ask("")), 10)
	v = must(f.Void(ctx, desk, ticket.VoidTicket{Ref: ref(v), Reason: "重复登记"}))(t)
	if v.Status != ticket.Void || v.Hops[0].State != ticket.HopEnded || !slices.Equal(v.Actions, []ticket.Action{ticket.ToLink, ticket.ToUndo}) {
		t.Fatalf("%+v", v)
	}
}

func TestAgentWritesDownForACaller(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	cmd := ask("")
	cmd.ContactName, cmd.Phone, cmd.EnterpriseID, cmd.Urgency = "张师傅", "＋86 139-0013 9000", 70, ticket.Critical
	v := f.mustOpen(t, desk, cmd)
	if v.Source != ticket.FromAgent || v.Phone != "139****9000" || v.Urgency != ticket.Critical || v.EnterpriseName != "第70面包房有限公司" {
		t.Fatalf("%+v", v)
	}
	if _, err := f.Get(ctx, boss(8, 70), v.ID); err != nil {
		t.Errorf("the company does not see its ticket: %v", err)
	}
	cmd.Phone = "12345"
	if _, err := f.Open(ctx, desk, cmd); fault.KindOf(err) != fault.Invalid {
		t.Errorf("short phone: %v", err)
	}
}

func TestWhoMay(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("")), 100)
	bare := agent(51, "新人")
	bare.Permissions = []access.Permission{ticket.PermView}
	bank := access.Actor{UserID: 80, Party: access.Institution, Scope: access.ScopeDistrict, Permissions: permissions()}
	for _, c := range []struct {
		name  string
		actor access.Actor
		sees  bool
		sign  error
	}{
		{"visitor", access.Actor{Party: access.Anonymous}, false, fault.ErrUnauthorized},
		{"requester", baker, true, ticket.ErrForbidden},
		{"colleague", boss(8, 70), true, ticket.ErrForbidden},
		{"requester acting for another company", boss(7, 99), true, ticket.ErrForbidden},
		{"other company", boss(8, 71), false, ticket.ErrForbidden},
		{"person without a company", boss(9, 0), false, ticket.ErrForbidden},
		{"institution", bank, false, ticket.ErrNotFound},
		{"desk", desk, true, ticket.ErrForbidden},
		{"desk that only reads", bare, true, ticket.ErrForbidden},
		{"other bureau", tax, false, ticket.ErrNotFound},
		{"bureau above, without its subtree", staff(63, 10, [4]int64{1, 10}, access.ScopeDepartment), false, ticket.ErrNotFound},
		{"bureau above", bureau, true, nil},
		{"the unit", squad, true, nil},
	} {
		_, err := f.Get(ctx, c.actor, v.ID)
		if seen := err == nil; seen != c.sees {
			t.Errorf("%s: sees %v, %v", c.name, seen, err)
		}
		if !c.sees && c.actor.SignedIn() {
			_, missing := f.Get(ctx, c.actor, 987654)
			if err.Error() != missing.Error() {
				t.Errorf("%s: foreign %v, missing %v", c.name, err, missing)
			}
		}
		if seen := f.Sees(ctx, c.actor, v.ID) == nil; seen != c.sees {
			t.Errorf("%s: may read its files %v", c.name, seen)
		}
		items, _, err := f.List(ctx, c.actor, ticket.ListFilter{})
		if (len(items) == 1) != c.sees {
			t.Errorf("%s: lists %d, %v", c.name, len(items), err)
		}
		if c.sign != nil {
			if _, err := f.Sign(ctx, c.actor, ticket.SignTicket{Ref: ref(v)}); !errors.Is(err, c.sign) {
				t.Errorf("%s: signs %v", c.name, err)
			}
		}
	}
	if _, err := f.Answer(ctx, bare, ticket.AnswerTicket{Ref: ref(v), Text: "好"}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("answers without the right: %v", err)
	}
	if _, err := f.Open(ctx, squad, ask("")); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("a unit opens: %v", err)
	}
	if _, err := f.Open(ctx, access.Actor{}, ask("")); !errors.Is(err, fault.ErrUnauthorized) {
		t.Errorf("a visitor opens: %v", err)
	}
	if _, err := f.Reply(ctx, squad, ticket.ReplyTicket{Ref: ref(v), Text: "好"}); !errors.Is(err, ticket.ErrState) {
		t.Errorf("replies before signing: %v", err)
	}
	signed := must(f.Sign(ctx, squad, ticket.SignTicket{Ref: ref(v)}))(t)
	if _, err := f.Reply(ctx, squad, ticket.ReplyTicket{Ref: ref(signed), Text: "好", FileIDs: []int64{700}}); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("ties a foreign file: %v", err)
	}
	if again := must(f.Get(ctx, squad, v.ID))(t); again.Status != ticket.Handling || again.Reply != "" {
		t.Errorf("the refused reply left %+v", again)
	}
}

func TestAnOldUnitStillReadsAndNoLongerActs(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("")), 100)
	if items, _, err := f.List(ctx, squad, ticket.ListFilter{Waiting: true}); err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	if items, _, err := f.List(ctx, desk, ticket.ListFilter{Waiting: true}); err != nil || len(items) != 0 {
		t.Fatal(items, err)
	}
	// The unit of the ticket moves on, as a later dispatch by another way would have it.
	if _, err := f.db.Writer().ExecContext(ctx, "UPDATE tickets SET unit_id = 20, unit_l2 = 20, unit_l3 = NULL WHERE id = ?", v.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(ctx, squad, v.ID); err != nil {
		t.Error(err)
	}
	if _, err := f.Sign(ctx, squad, ticket.SignTicket{Ref: ref(v)}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("signs %v", err)
	}
	if items, _, err := f.List(ctx, squad, ticket.ListFilter{Waiting: true}); err != nil || len(items) != 0 {
		t.Error(items, err)
	}
}

func TestStaleVersionNamesWho(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, baker, ask(""))
	f.clock.Advance(1800e9)
	f.mustDispatch(t, v, 10)
	_, err := f.Decline(ctx, agent(51, "陈静"), ticket.DeclineTicket{Ref: ref(v), Code: "elsewhere"})
	got, ok := fault.As(err)
	if !errors.Is(err, ticket.ErrStale) || !ok {
		t.Fatal(err)
	}
	for _, part := range []string{"李敏", "派单至区人社局", "2026年11月22日 10:00"} {
		if !strings.Contains(got.Message, part) {
			t.Errorf("%q lacks %q", got.Message, part)
		}
	}
	if _, err := f.Rate(ctx, baker, ticket.RateTicket{Ref: ref(v), Rating: 5}); err == nil || strings.Contains(err.Error(), "李敏") {
		t.Errorf("the requester learns the name: %v", err)
	}
}

func TestTwoSubmissionsMakeOneTicket(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var wg sync.WaitGroup
	got := make([]ticket.View, 4)
	for i := range got {
		wg.Add(1)
		go func() {
			defer wg.Done()
			v, err := f.Open(ctx, baker, ask("the-key"))
			if err != nil {
				t.Error(err)
			}
			got[i] = v
		}()
	}
	wg.Wait()
	for _, v := range got {
		if v.ID != got[0].ID || v.QueryCode != got[0].QueryCode || v.QueryCode == "" {
			t.Errorf("%d %q, want %d %q", v.ID, v.QueryCode, got[0].ID, got[0].QueryCode)
		}
	}
	if n := f.rows(t, "tickets"); n != 1 {
		t.Fatalf("%d tickets", n)
	}
	other := ask("the-key")
	other.Title = "另一件事"
	if _, err := f.Open(ctx, baker, other); !errors.Is(err, idempotency.ErrKeyReused) {
		t.Errorf("other content under the key: %v", err)
	}
}

func TestARepeatedDispatchAnswersTheSame(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, baker, ask(""))
	cmd := ticket.DispatchTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version, Key: "k"}, UnitID: 10}
	must(f.Dispatch(ctx, desk, cmd))(t)
	if again, err := f.Dispatch(ctx, desk, cmd); err != nil || len(again.Hops) != 1 {
		t.Fatal(len(again.Hops), err)
	}
}

func TestOfTwoDispatchesOneWins(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, baker, ask(""))
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, unit := range []int64{10, 20} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, errs[i] = f.Dispatch(ctx, agent(50+int64(i), "席位"+string(rune('甲'+i))), ticket.DispatchTicket{Ref: ref(v), UnitID: unit})
		}()
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("%v and %v", errs[0], errs[1])
	}
	lost := errors.Join(errs...)
	if !errors.Is(lost, ticket.ErrStale) || !strings.Contains(lost.Error(), "派单至") {
		t.Fatal(lost)
	}
	if f.rows(t, "ticket_hops") != 1 || f.rows(t, "events") != 2 {
		t.Fatalf("%d hops, %d events", f.rows(t, "ticket_hops"), f.rows(t, "events"))
	}
}

func TestARefusedFileUndoesTheTicket(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	cmd := ask("k")
	cmd.FileIDs = []int64{701, 6001}
	if _, err := f.Open(context.Background(), baker, cmd); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal(err)
	}
	for _, table := range []string{"tickets", "ticket_files", "ticket_numbers", "events", "audit_entries", "idempotency_keys"} {
		if n := f.rows(t, table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
}

func TestTextsAreKeptAsTypedOrRefusedInWords(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for _, text := range []string{"𠮷野家门前积水", "停电了😭急", "<script>alert(1)</script>"} {
		cmd := ask("")
		cmd.Title, cmd.Body = text, text
		if v := f.mustOpen(t, baker, cmd); v.Title != text || v.Body != text {
			t.Errorf("%q came back as %q, %q", text, v.Title, v.Body)
		}
	}
	for _, c := range []struct {
		name, field, says string
		spoil             func(*ticket.OpenTicket)
	}{
		{"301 characters", "title", "标题最多 100 个字，现有 301 个字", func(c *ticket.OpenTicket) { c.Title = strings.Repeat("长", 301) }},
		{"2001 characters", "body", "最多 2000 个字", func(c *ticket.OpenTicket) { c.Body = strings.Repeat("𠮷", 2001) }},
		{"blank", "title", "请填写标题", func(c *ticket.OpenTicket) { c.Title = " \n" }},
		{"control", "body", "控制字符", func(c *ticket.OpenTicket) { c.Body = "a\x00b" }},
		{"broken", "body", "无法识别", func(c *ticket.OpenTicket) { c.Body = "a\xffb" }},
		{"phone", "phone", "11 位手机号", func(c *ticket.OpenTicket) { c.Phone = "电话" }},
		{"type", "type", "请选择诉求类型", func(c *ticket.OpenTicket) { c.Type = "nothing" }},
		{"name", "contactName", "最多 50 个字", func(c *ticket.OpenTicket) { c.ContactName = strings.Repeat("名", 51) }},
	} {
		cmd := ask("")
		c.spoil(&cmd)
		_, err := f.Open(ctx, baker, cmd)
		got, _ := fault.As(err)
		if got == nil || got.Kind != fault.Invalid || len(got.Fields) != 1 || got.Fields[0].Name != c.field || !strings.Contains(got.Message, c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPagesByCursor(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for i := range 5 {
		v := f.mustOpen(t, baker, ask(""))
		if i%2 == 0 {
			f.mustDispatch(t, v, 100)
		}
	}
	var numbers []string
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		items, next, err := f.List(ctx, baker, ticket.ListFilter{Cursor: cursor, Limit: 2})
		if err != nil || pages > 3 {
			t.Fatal(pages, err)
		}
		for _, i := range items {
			numbers = append(numbers, i.Number[len(i.Number)-1:])
		}
		cursor = next
	}
	if got := strings.Join(numbers, ""); got != "54321" {
		t.Errorf("pages hold %s", got)
	}
	items, _, err := f.List(ctx, bureau, ticket.ListFilter{Statuses: []ticket.Status{ticket.Sent, ticket.Handling}})
	if err != nil || len(items) != 3 {
		t.Errorf("the bureau lists %d, %v", len(items), err)
	}
	items, _, err = f.List(ctx, desk, ticket.ListFilter{Statuses: []ticket.Status{ticket.Received}, Urgency: ticket.Normal})
	if err != nil || len(items) != 2 || items[0].TypeName != "劳动用工" {
		t.Errorf("the desk lists %+v, %v", items, err)
	}
	if _, _, err := f.List(ctx, desk, ticket.ListFilter{Cursor: "x"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("cursor: %v", err)
	}
	if _, _, err := f.List(ctx, desk, ticket.ListFilter{Statuses: []ticket.Status{"x"}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("status: %v", err)
	}
}
