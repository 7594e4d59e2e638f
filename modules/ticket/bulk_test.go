package ticket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

func call(key string) ticket.OpenTicket {
	return ticket.OpenTicket{Key: key, Type: "labour", Title: "咨询补贴", Body: "来电咨询用工补贴", ContactName: "王芳", Phone: "13800138000"}
}

func (f fixture) bulk(t *testing.T, a access.Actor, cmd ticket.StartBulk) ticket.BulkView {
	t.Helper()
	b, err := f.StartBulk(context.Background(), a, cmd)
	if err != nil {
		t.Fatal(err)
	}
	return f.worked(t, a, b.ID)
}

func (f fixture) worked(t *testing.T, a access.Actor, id int64) ticket.BulkView {
	t.Helper()
	if _, err := f.WorkBulk(context.Background()); err != nil {
		t.Fatal(err)
	}
	b, err := f.Bulk(context.Background(), a, id)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func targets(list ...ticket.View) []ticket.BulkTarget {
	var out []ticket.BulkTarget
	for _, v := range list {
		out = append(out, ticket.BulkTarget{ID: v.ID, Version: v.Version})
	}
	return out
}

func TestBulkActionsNameTheirFailuresAndAreUndone(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	var list []ticket.View
	for i := range 4 {
		list = append(list, f.mustOpen(t, desk, call(fmt.Sprint(i))))
	}
	must(f.Claim(ctx, zhou, ticket.HoldTicket{ID: list[0].ID}))(t)
	must(f.Claim(ctx, desk, ticket.HoldTicket{ID: list[1].ID}))(t)
	f.clock.Advance(time.Minute)

	b := f.bulk(t, desk, ticket.StartBulk{Key: "1", Action: ticket.BulkClaim, Targets: targets(list...)})
	if b.State != ticket.BulkDone || b.Done != 3 || b.Failed != 1 || !strings.Contains(b.Rows[0].Message, zhou.Name) || b.Rows[0].ID != list[0].ID {
		t.Fatalf("claimed %+v", b)
	}
	again, err := f.StartBulk(ctx, desk, ticket.StartBulk{Key: "1", Action: ticket.BulkClaim, Targets: targets(list...)})
	if err != nil || again.ID != b.ID || f.rows(t, "ticket_bulks") != 1 {
		t.Fatalf("the same key: %+v %v", again, err)
	}
	if _, err := f.Bulk(ctx, lin, b.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("a colleague sees it: %v", err)
	}
	undo := func(id int64, key string) (ticket.BulkView, error) {
		return f.UndoBulk(ctx, desk, id, "选错了", key)
	}
	if _, err := undo(b.ID, "u1"); err != nil {
		t.Fatal(err)
	}
	b = f.worked(t, desk, b.ID)
	if b.State != ticket.BulkUndone || b.Undone != 2 || f.see(t, desk, list[1]).HolderID != 50 || f.see(t, desk, list[2]).HolderID != 0 {
		t.Fatalf("undone %+v", b) // what she had before is hers still
	}
	_, err = undo(b.ID, "u2")
	says(t, "undone twice", err, ticket.ErrBulkUndo, "已经撤销")

	b = f.bulk(t, desk, ticket.StartBulk{Key: "2", Action: ticket.BulkAssign, Params: ticket.BulkParams{UserID: 53}, Targets: targets(list...)})
	if b.Done != 4 || f.see(t, desk, list[0]).HolderID != 53 {
		t.Fatalf("assigned %+v", b)
	}
	if _, err := undo(b.ID, "u3"); err != nil {
		t.Fatal(err)
	}
	if b = f.worked(t, desk, b.ID); b.Undone != 4 || f.see(t, desk, list[0]).HolderID != 52 || f.see(t, desk, list[3]).HolderID != 0 {
		t.Fatalf("assigned back %+v", b)
	}

	// One was answered meanwhile, one was changed since it was chosen: the others go.
	chosen := targets(list...)
	must(f.Answer(ctx, desk, ticket.AnswerTicket{Ref: ref(list[3]), Text: "已答复。"}))(t)
	b = f.bulk(t, desk, ticket.StartBulk{Key: "3", Action: ticket.BulkDispatch, Params: ticket.BulkParams{UnitID: 10, Text: "请办理"}, Targets: chosen})
	if b.Done != 3 || b.Failed != 1 || b.Rows[0].ID != list[3].ID || b.Rows[0].Message == "" {
		t.Fatalf("dispatched %+v", b)
	}
	must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(f.see(t, desk, list[0]))}))(t)
	if _, err := undo(b.ID, "u4"); err != nil {
		t.Fatal(err)
	}
	b = f.worked(t, desk, b.ID)
	if b.Undone != 2 || b.Rows[0].ID != list[0].ID && b.Rows[1].ID != list[0].ID || f.see(t, desk, list[1]).Status != ticket.Received || f.see(t, desk, list[0]).Status != ticket.Handling {
		t.Fatalf("taken back %+v", b)
	}

	b = f.bulk(t, desk, ticket.StartBulk{Key: "4", Action: ticket.BulkUrge, Params: ticket.BulkParams{Text: "请尽快"}, Targets: targets(list[0], list[1])})
	if b.Done != 1 || b.Failed != 1 || b.Undoable {
		t.Fatalf("urged %+v", b)
	}
	_, err = undo(b.ID, "u5")
	says(t, "urging undone", err, ticket.ErrBulkUndo, "已经送达")

	b = f.bulk(t, desk, ticket.StartBulk{Key: "5", Action: ticket.BulkTag, Params: ticket.BulkParams{Tag: "回头看"}, Targets: targets(list...)})
	if got := f.see(t, tax, f.mustDispatch(t, f.see(t, desk, list[1]), 20)); b.Done != 4 || len(got.Tags) != 1 {
		t.Fatalf("tagged %+v, %v", b, got.Tags)
	}
	for name, bad := range map[string]ticket.StartBulk{
		"nothing": {Action: ticket.BulkClaim}, "no unit": {Action: ticket.BulkDispatch, Targets: chosen}, "no reason": {Action: ticket.BulkUrge, Targets: chosen},
		"unknown": {Action: "void", Targets: chosen}, "unseen": {Action: ticket.BulkClaim, Targets: []ticket.BulkTarget{{ID: 4711}}},
		"too many": {Action: ticket.BulkClaim, Targets: make([]ticket.BulkTarget, ticket.MaxBulk+1)},
	} {
		if _, err := f.StartBulk(ctx, desk, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.StartBulk(ctx, without(desk, ticket.PermArchive), ticket.StartBulk{Action: ticket.BulkArchive, Targets: chosen}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
}

// A worker that dies between the command and its own note of it leaves nothing half done and nothing done twice.
func TestABulkActionGoesOnAfterItsWorkerDied(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	var list []ticket.View
	for i := range 6 {
		list = append(list, f.mustOpen(t, desk, call(fmt.Sprint(i))))
	}
	b, err := f.StartBulk(ctx, desk, ticket.StartBulk{Key: "1", Action: ticket.BulkDispatch, Params: ticket.BulkParams{UnitID: 10, Text: "请办理"}, Targets: targets(list...)})
	if err != nil {
		t.Fatal(err)
	}
	// What the dead worker had done: three dispatches, of which it noted two.
	for i, v := range list[:3] {
		key := fmt.Sprintf("bulk:%d:%d:dispatch", b.ID, v.ID)
		must(f.Dispatch(ctx, desk, ticket.DispatchTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version, Key: key}, UnitID: 10, Note: "请办理"}))(t)
		if i < 2 {
			for _, q := range []string{"UPDATE ticket_bulk_rows SET state = 'done' WHERE bulk_id = %d AND ticket_id = " + fmt.Sprint(v.ID), "UPDATE ticket_bulks SET done = done + 1 WHERE id = %d"} {
				if _, err := f.db.Writer().ExecContext(ctx, fmt.Sprintf(q, b.ID)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	got := f.worked(t, desk, b.ID)
	if got.State != ticket.BulkDone || got.Done != 6 || got.Failed != 0 || f.rows(t, "ticket_hops") != 6 {
		t.Fatalf("%+v, %d hops", got, f.rows(t, "ticket_hops"))
	}
	// Rights that were taken away end the work, ticket by ticket and with a word.
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{}, People: folk{gone: map[int64]bool{51: true}}})
	late := f.bulk(t, lin, ticket.StartBulk{Key: "2", Action: ticket.BulkTag, Params: ticket.BulkParams{Tag: "x"}, Targets: targets(list...)})
	if late.Failed != 6 || late.Done != 0 || f.rows(t, "ticket_tags") != 0 {
		t.Fatalf("without rights %+v", late)
	}
}

func TestNotesAreForWhomTheyAreAddressedTo(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("a")), 10)
	write := func(a access.Actor, cmd ticket.WriteNote) ticket.View {
		t.Helper()
		cmd.ID = v.ID
		return must(f.WriteNote(ctx, a, cmd))(t)
	}
	got := write(desk, ticket.WriteNote{Text: "来电人情绪激动", Mentions: []int64{52, 52, 50}})
	if n := got.Desk.Notes; len(n) != 1 || !n[0].Editable || len(n[0].To) != 1 {
		t.Fatalf("written %+v", n)
	}
	write(hands, ticket.WriteNote{Text: "已约周三上门"})
	write(hands, ticket.WriteNote{Text: "请受理席先安抚", Places: []int64{ticket.DeskPlace}})
	write(desk, ticket.WriteNote{Text: "只给钱进看", Mentions: []int64{63}})
	read := func(a access.Actor) string {
		t.Helper()
		seen, out := f.see(t, a, v), ""
		if seen.Desk == nil {
			return "none"
		}
		for _, n := range seen.Desk.Notes {
			out += n.Text + "|"
		}
		return out
	}
	if got := read(lin); got != "来电人情绪激动|请受理席先安抚|只给钱进看|" {
		t.Errorf("the desk reads %s", got)
	}
	if got := read(hands); got != "已约周三上门|请受理席先安抚|只给钱进看|" {
		t.Errorf("she reads %s", got)
	}
	if got := read(bureau); got != "已约周三上门|请受理席先安抚|" {
		t.Errorf("her unit reads %s", got)
	}
	if got := read(baker); got != "none" {
		t.Errorf("the requester reads %s", got)
	}
	for _, s := range f.see(t, desk, v).Timeline {
		if strings.Contains(s.Kind, "noted") {
			t.Error("a note stands in the timeline of everybody")
		}
	}
	var facts []string
	if err := f.db.Read().NewSelect().TableExpr("events").Column("facts").Where("type = 'ticket.noted'").OrderExpr("id").Scan(ctx, &facts); err != nil {
		t.Fatal(err)
	}
	if len(facts) != 4 || !strings.Contains(facts[0], `"mentioned":[52]`) || strings.Contains(strings.Join(facts, ""), "情绪") {
		t.Fatalf("events %v", facts)
	}
	// Mentioned is only who may see the ticket; whether the others exist is not said.
	for _, id := range []int64{62, 4711, 7} {
		if _, err := f.WriteNote(ctx, desk, ticket.WriteNote{ID: v.ID, Text: "请看", Mentions: []int64{id}}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "看不到") {
			t.Errorf("mentioning %d: %v", id, err)
		}
	}
	if _, err := f.WriteNote(ctx, desk, ticket.WriteNote{ID: v.ID, Text: "请看", Places: []int64{20}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a unit without a part: %v", err)
	}
	// The author corrects it for ten minutes, against the version they saw.
	note := f.see(t, desk, v).Desk.Notes[0]
	edit := func(a access.Actor, version int64) error {
		_, err := f.WriteNote(ctx, a, ticket.WriteNote{ID: v.ID, NoteID: note.ID, Version: version, Text: "来电人着急"})
		return err
	}
	if err := edit(lin, 1); !errors.Is(err, ticket.ErrNoteAuthor) {
		t.Errorf("a colleague corrects it: %v", err)
	}
	if err := edit(desk, 1); err != nil {
		t.Error(err)
	}
	if err := edit(desk, 1); !errors.Is(err, ticket.ErrNoteStale) {
		t.Errorf("an old version: %v", err)
	}
	f.clock.Advance(ticket.NoteEditable + time.Second)
	if err := edit(desk, 2); !errors.Is(err, ticket.ErrNoteLate) {
		t.Errorf("too late: %v", err)
	}
	if n := f.see(t, desk, v).Desk.Notes[0]; n.Text != "来电人着急" || n.EditedAt == nil || n.Editable {
		t.Errorf("corrected %+v", n)
	}
	if _, err := f.WriteNote(ctx, baker, ticket.WriteNote{ID: v.ID, Text: "x"}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the requester writes: %v", err)
	}
	if _, err := f.WriteNote(ctx, everyRight(tax), ticket.WriteNote{ID: v.ID, Text: "x"}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("another unit writes: %v", err)
	}
	if _, err := f.Tag(ctx, desk, ticket.TagTicket{ID: v.ID, Add: []string{"a,b"}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a tag with a comma: %v", err)
	}
}

func TestWhoElseIsThere(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("a")), 10)
	attend := func(a access.Actor, d ticket.Doing) string {
		t.Helper()
		list, err := f.Attend(ctx, a, v.ID, d)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, p := range list {
			out += p.Name + " " + string(p.Doing) + "|"
		}
		return out
	}
	attend(desk, ticket.Viewing)
	if got := attend(hands, ticket.Answering); got != "李敏 viewing|" {
		t.Errorf("she meets %s", got)
	}
	if got := attend(desk, ticket.Answering); got != "赵强 answering|" {
		t.Errorf("the desk meets %s", got)
	}
	f.clock.Advance(ticket.PresenceTerm / 2)
	attend(hands, ticket.Viewing)
	f.clock.Advance(ticket.PresenceTerm/2 + time.Second)
	if got := attend(hands, ticket.Gone); got != "" {
		t.Errorf("somebody silent counts still: %s", got)
	}
	if got := attend(desk, ticket.Viewing); got != "" {
		t.Errorf("somebody who left counts still: %s", got)
	}
	if _, err := f.Attend(ctx, everyRight(tax), v.ID, ticket.Viewing); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("another unit: %v", err)
	}
	if _, err := f.Attend(ctx, baker, v.ID, ticket.Viewing); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the requester: %v", err)
	}
}

// TestCountersEnd: the number beside a view is counted to a thousand and no further, however many tickets there are.
func TestCountersEnd(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	v := f.mustOpen(t, desk, call("first"))
	rows, err := f.db.Read().QueryContext(ctx, "SELECT * FROM tickets LIMIT 0")
	if err != nil {
		t.Fatal(err)
	}
	columns, err := rows.Columns()
	if _ = rows.Close(); err != nil {
		t.Fatal(err)
	}
	columns = slices.DeleteFunc(columns, func(c string) bool { return c == "id" })
	copied := slices.Clone(columns)
	copied[slices.Index(copied, "number")] = "number || '-' || CAST(i AS TEXT)"
	more := func(from, until int) {
		t.Helper()
		if _, err := f.db.Writer().ExecContext(ctx, "WITH RECURSIVE g(i) AS (SELECT CAST(? AS INTEGER) UNION ALL SELECT i + 1 FROM g WHERE i < ?) INSERT INTO tickets ("+strings.Join(columns, ", ")+
			") SELECT "+strings.Join(copied, ", ")+" FROM tickets AS t, g WHERE t.id = ?", from, until, v.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.SaveView(ctx, desk, ticket.SaveView{ViewText: ticket.ViewText{Name: "待处理", Holder: ticket.PersonalView, Filter: map[string][]string{"status": {"received"}}, Columns: []string{"title"}}}); err != nil {
		t.Fatal(err)
	}
	is := func(n int, beyond bool) {
		t.Helper()
		counts, err := f.CountViews(ctx, desk)
		if err != nil || len(counts) != 1 || counts[0].Count != n || counts[0].More != beyond {
			t.Errorf("%+v %v, want %d %v", counts, err, n, beyond)
		}
	}
	is(1, false)
	more(2, 1000)
	is(1000, false)
	more(1001, 1400)
	is(1000, true)
}

func TestSavedViews(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	for i := range 3 {
		f.mustOpen(t, desk, call(fmt.Sprint(i)))
	}
	text := func(name string, h ticket.ViewHolder, filter map[string][]string) ticket.ViewText {
		return ticket.ViewText{Name: name, Holder: h, Filter: filter, Columns: []string{"title", "dueAt"}}
	}
	save := func(a access.Actor, cmd ticket.SaveView) ticket.SavedView {
		t.Helper()
		v, err := f.SaveView(ctx, a, cmd)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	free := save(desk, ticket.SaveView{Key: "1", ViewText: text("待领取，危急在前", ticket.DeskShared, map[string][]string{"queue": {"free"}, "sort": {"urgency"}})})
	if again := save(desk, ticket.SaveView{Key: "1", ViewText: text("待领取，危急在前", ticket.DeskShared, map[string][]string{"queue": {"free"}, "sort": {"urgency"}})}); again.ID != free.ID {
		t.Error("the same key made two")
	}
	own := save(lin, ticket.SaveView{ViewText: text("供电", ticket.PersonalView, map[string][]string{"type": {"power"}, "status": {"received", "signed"}})})
	save(head, ticket.SaveView{ViewText: text("本局在办", ticket.UnitView, map[string][]string{"status": {"signed"}})})
	names := func(a access.Actor) string {
		t.Helper()
		list, err := f.Views(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, v := range list {
			out += v.Name
			if v.Default {
				out += "*"
			}
			if v.Editable {
				out += "+"
			}
			out += "|"
		}
		return out
	}
	if got := names(without(lin, ticket.PermShareView)); got != "待领取，危急在前|供电+|" {
		t.Errorf("lin has %s", got)
	}
	if got := names(zhou); got != "待领取，危急在前+|" {
		t.Errorf("zhou has %s", got)
	}
	if got := names(without(hands, ticket.PermShareView)); got != "本局在办|" {
		t.Errorf("the unit has %s", got)
	}
	if got := names(everyRight(tax)); got != "" {
		t.Errorf("another unit has %s", got)
	}
	if err := f.ArrangeViews(ctx, lin, []int64{own.ID, free.ID}, own.ID); err != nil {
		t.Fatal(err)
	}
	if got := names(lin); got != "供电*+|待领取，危急在前+|" {
		t.Errorf("arranged %s", got)
	}
	if err := f.ArrangeViews(ctx, zhou, nil, own.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a stranger's view as default: %v", err)
	}
	counts, err := f.CountViews(ctx, lin)
	if err != nil || len(counts) != 2 || counts[0].Count != 0 || counts[1].Count != 3 || counts[1].More {
		t.Errorf("counts %+v %v", counts, err)
	}
	if _, err := f.SaveView(ctx, without(lin, ticket.PermShareView), ticket.SaveView{ViewText: text("x", ticket.DeskShared, nil)}); !errors.Is(err, ticket.ErrViewShare) {
		t.Errorf("shared without the right: %v", err)
	}
	for name, bad := range map[string]map[string][]string{"unknown": {"x": {"y"}}, "status": {"status": {"x"}}, "number": {"unit": {"x"}}} {
		if _, err := f.SaveView(ctx, lin, ticket.SaveView{ViewText: text("x", ticket.PersonalView, bad)}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	renamed := save(lin, ticket.SaveView{ID: own.ID, Version: own.Version, ViewText: text("停电", ticket.PersonalView, map[string][]string{"type": {"power"}})})
	if renamed.Version != 2 || renamed.Name != "停电" {
		t.Errorf("renamed %+v", renamed)
	}
	if _, err := f.SaveView(ctx, lin, ticket.SaveView{ID: own.ID, Version: 1, ViewText: text("y", ticket.PersonalView, nil)}); !errors.Is(err, ticket.ErrViewStale) {
		t.Errorf("an old version: %v", err)
	}
	if err := f.RemoveView(ctx, zhou, own.ID, 2); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a stranger removes it: %v", err)
	}
	if err := f.RemoveView(ctx, lin, own.ID, 2); err != nil || f.rows(t, "ticket_view_defaults") != 0 {
		t.Errorf("removed: %v", err)
	}
}

func TestAnsweredAndClosedOnTheLine(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	if err := f.KeepDraft(ctx, lin, json.RawMessage(`{"phone":"13800138000","title":"咨询"}`)); err != nil {
		t.Fatal(err)
	}
	d, err := f.DraftOf(ctx, lin)
	if err != nil || d == nil || !strings.Contains(string(d.Body), "13800138000") {
		t.Fatalf("draft %v %v", d, err)
	}
	if other, err := f.DraftOf(ctx, zhou); err != nil || other != nil {
		t.Fatalf("a colleague's draft %v %v", other, err)
	}
	var sealed string
	if err := f.db.Read().NewSelect().TableExpr("ticket_drafts").Column("sealed").Scan(ctx, &sealed); err != nil || strings.Contains(sealed, "138") {
		t.Fatalf("kept in clear: %s %v", sealed, err)
	}
	cmd := call("k")
	cmd.Then = &ticket.AtOnce{Answer: "每人补贴一千元，可在平台申请。", Solved: true, Satisfied: true}
	v := f.mustOpen(t, lin, cmd)
	if v.Status != ticket.Done || v.Version != 3 || v.Reply != cmd.Then.Answer || v.QueryCode == "" || v.ClosedAt == nil {
		t.Fatalf("closed %+v", v)
	}
	if got := labels(v); got != "提交诉求，受理|直接答复|办结" {
		t.Fatalf("steps %s", got)
	}
	if o := v.Timeline[2].Outcome; o == nil || !o.Good() {
		t.Fatalf("outcome %+v", o)
	}
	var fact string
	if err := f.db.Read().NewSelect().TableExpr("events").Column("facts").Where("type = 'ticket.closed'").Scan(ctx, &fact); err != nil || !strings.Contains(fact, `"onLine":true`) {
		t.Fatalf("fact %s %v", fact, err)
	}
	if n := f.rows(t, "audit_entries"); n != 3 || f.rows(t, "ticket_drafts") != 0 {
		t.Fatalf("%d audit rows, %d drafts", n, f.rows(t, "ticket_drafts"))
	}
	if again := f.mustOpen(t, lin, cmd); again.ID != v.ID || f.rows(t, "tickets") != 1 {
		t.Fatal("the same key made two")
	}
	if _, err := f.Undo(ctx, desk, ticket.UndoTicket{Ref: ref(v), Reason: "误点"}); err != nil {
		t.Fatalf("the supervisor undoes the last step: %v", err)
	}
	if got := f.see(t, desk, v); got.Status != ticket.Direct {
		t.Fatalf("undone to %s", got.Status)
	}

	cmd = call("k2")
	cmd.Then = &ticket.AtOnce{UnitID: 10, Note: "请联系来电人"}
	if v = f.mustOpen(t, lin, cmd); v.Status != ticket.Sent || len(v.Hops) != 1 || v.Hops[0].Note != "请联系来电人" {
		t.Fatalf("dispatched %+v", v)
	}
	cmd = call("k3")
	cmd.Then = &ticket.AtOnce{}
	if v = f.mustOpen(t, lin, cmd); v.Status != ticket.Received {
		t.Fatalf("waits as %s", v.Status)
	}
	before := f.rows(t, "tickets")
	for name, c := range map[string]struct {
		who  access.Actor
		then ticket.AtOnce
		kind fault.Kind
	}{
		"both":                {lin, ticket.AtOnce{Answer: "x", UnitID: 10}, fault.Invalid},
		"not satisfied":       {lin, ticket.AtOnce{Answer: "x", Solved: true}, fault.Invalid},
		"unknown unit":        {lin, ticket.AtOnce{UnitID: 999}, fault.Invalid},
		"without the closing": {without(lin, ticket.PermClose), ticket.AtOnce{Answer: "x", Solved: true, Satisfied: true}, fault.Forbidden},
		"without dispatching": {without(lin, ticket.PermDispatch), ticket.AtOnce{UnitID: 10}, fault.Forbidden},
		"a requester":         {baker, ticket.AtOnce{Answer: "x", Solved: true, Satisfied: true}, fault.Forbidden},
	} {
		cmd := call(name)
		cmd.Source = ticket.FromH5
		cmd.Then = &c.then
		if _, err := f.Open(ctx, c.who, cmd); fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := f.rows(t, "tickets"); n != before {
		t.Errorf("%d tickets were left behind", n-before)
	}
}
