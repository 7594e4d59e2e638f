package intake_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/platform/fault"
)

func letterFrom(from, subject, text string) intake.Incoming {
	return intake.Incoming{MessageID: subject + "@example.com", From: from, Name: "王芳", To: []string{"suqiu@tz.example.gov.cn"}, Subject: subject, Text: text}
}

func (f fixture) inbox(t *testing.T, state intake.State) []string {
	t.Helper()
	items, _, err := f.Inbox(ctx, agent, state, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, i := range items {
		out = append(out, i.Subject)
	}
	slices.Sort(out)
	return out
}

func (f fixture) poll(t *testing.T, list ...intake.Incoming) {
	t.Helper()
	f.box.list = append(f.box.list, list...)
	if err := f.Poll(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestMail: a mail waits in the inbox, becomes a ticket with one click, its sender is told once, and a reply of theirs, and
// of nobody else, is put to the ticket.
func TestMail(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	first := letterFrom("Wang@Example.com", "欠薪", "公司三个月没发工资，电话 13800138000。")
	first.Files = []intake.Upload{{Name: "合同.pdf", Content: []byte("x")}, {Name: "virus.exe", Content: []byte("y")}}
	f.poll(t, first, first) // the same mail twice
	items, _, err := f.Inbox(ctx, agent, "", "", 0)
	if err != nil || len(items) != 1 {
		t.Fatalf("%+v %v", items, err)
	}
	m := must(f.Message(ctx, agent, items[0].ID))(t)
	if m.Address != "wang@example.com" || m.Phone != "13800138000" || len(m.Files) != 1 || !strings.Contains(m.Flag, "virus.exe") || m.State != intake.Pending {
		t.Fatalf("%+v", m)
	}
	make := intake.MakeTicket{ID: m.ID, Version: m.Version, Type: "010101", Title: m.Subject, Body: m.Body, ContactName: "王芳"}
	wrong := make
	wrong.Type = "nothing"
	if _, err := f.Make(ctx, agent, wrong); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a type that does not exist: %v", err)
	}
	// Six agents at once: one ticket.
	var wg sync.WaitGroup
	made := [6]error{}
	for i := range made {
		wg.Go(func() { _, made[i] = f.Make(ctx, agent, make) })
	}
	wg.Wait()
	won := 0
	for _, err := range made {
		if err == nil {
			won++
		} else if !errors.Is(err, intake.ErrStale) && !errors.Is(err, intake.ErrDecided) {
			t.Errorf("%v", err)
		}
	}
	if won != 1 || f.desk.count() != 1 {
		t.Fatalf("%d won, %d tickets", won, f.desk.count())
	}
	ticket := f.desk.ids[0]
	done := must(f.Message(ctx, agent, m.ID))(t)
	if done.State != intake.IsFiled || done.DecidedBy != "陈静" || done.TicketID != ticket || len(done.Files) != 1 {
		t.Errorf("%+v", done)
	}
	for range 2 {
		if err := f.Deliver(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.post.sent) != 1 {
		t.Fatalf("%d letters", len(f.post.sent))
	}
	ack := f.post.sent[0]
	if ack.To != "wang@example.com" || ack.ReplyTo != "欠薪@example.com" || !strings.Contains(ack.Text, "查询码：1000") || !strings.Contains(ack.Subject, "GD20261122-") {
		t.Errorf("%+v", ack)
	}
	answer := func(from, subject string, refs ...string) intake.Incoming {
		in := letterFrom(from, subject, "补充：还有两个人。\n\n在 2026年11月22日，惠企台 写道：\n> 您好")
		in.References = refs
		return in
	}
	ours := ack.ID + "@tz.example.gov.cn"
	forged := f.Reference(ticket+1, "eve@example.com")
	forged = strings.Replace(forged, "t", "t0", 1) + ".ack@tz.example.gov.cn"
	plus := answer("wang@example.com", "地址带加号")
	plus.To = []string{"suqiu+" + f.Reference(ticket, "wang@example.com") + "@tz.example.gov.cn"}
	f.poll(t, answer("wang@example.com", "回复", "other@example.com", ours), answer("eve@example.com", "冒名", ours), answer("wang@example.com", "伪造", forged), plus)
	if got := f.inbox(t, intake.Joined); !slices.Equal(got, []string{"回复", "地址带加号"}) {
		t.Errorf("joined: %v", got)
	}
	if got := f.inbox(t, intake.Pending); !slices.Equal(got, []string{"伪造", "冒名"}) {
		t.Errorf("pending: %v", got)
	}
	items, _, _ = f.Inbox(ctx, agent, intake.Pending, "", 1)
	if !strings.Contains(items[0].Flag, "伪造") {
		t.Errorf("%+v", items[0])
	}
	if len(f.desk.heard) != 2 || !strings.HasSuffix(f.desk.heard[0], ": 补充：还有两个人。") {
		t.Errorf("%q", f.desk.heard)
	}
	// An agent knows better: a mail that did not find its ticket is put there by number.
	join := intake.JoinMessage{ID: items[0].ID, Version: items[0].Version, Number: fmt.Sprintf("GD20261122-%06d", ticket)}
	stranger := agent
	stranger.Name = "路人"
	if _, err := f.Join(ctx, stranger, join); fault.KindOf(err) != fault.Invalid {
		t.Errorf("to a ticket they do not see: %v", err)
	}
	if v, err := f.Join(ctx, agent, join); err != nil || v.State != intake.Joined || v.Number != join.Number || v.TicketID != ticket {
		t.Fatalf("joined by hand %+v, %v", v, err)
	}
	if _, err := f.Join(ctx, agent, join); !errors.Is(err, intake.ErrDecided) {
		t.Errorf("joined twice: %v", err)
	}
	if len(f.desk.heard) != 3 || len(f.inbox(t, intake.Pending)) != 1 {
		t.Errorf("%q", f.desk.heard)
	}
	// The mark is lost, or the server gives out its UIDs anew: nothing is taken twice.
	if err := f.Unread(ctx); err != nil {
		t.Fatal(err)
	}
	f.poll(t)
	f.box.validity = 2
	f.poll(t)
	if len(f.desk.heard) != 3 || len(f.inbox(t, intake.Pending)) != 1 {
		t.Errorf("taken twice: %q", f.desk.heard)
	}
}

func TestMailOfMachines(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	auto := letterFrom("a@example.com", "自动回复", "我在休假")
	auto.Machine = "自动回复（Auto-Submitted）"
	nobody := letterFrom("", "没有发件人", "x")
	f.poll(t, auto, nobody, letterFrom("suqiu@tz.example.gov.cn", "自己", "x"), letterFrom("Suqiu+t1.abc@TZ.example.gov.cn", "自己加号", "x"), letterFrom("b@example.com", "  \n", ""))
	if got := f.inbox(t, intake.Ignored); len(got) != 4 {
		t.Errorf("ignored: %v", got)
	}
	items, _, _ := f.Inbox(ctx, agent, "", "", 0)
	if len(items) != 1 || items[0].Subject != "（无主题）" {
		t.Fatalf("%+v", items)
	}
	// Declining needs a reason and tells it; rubbish is not answered.
	m := items[0]
	if _, err := f.Judge(ctx, agent, intake.Judge{ID: m.ID, Version: m.Version, State: intake.Declined}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := f.Judge(ctx, agent, intake.Judge{ID: m.ID, Version: m.Version + 1, State: intake.Spam}); !errors.Is(err, intake.ErrStale) {
		t.Errorf("another version: %v", err)
	}
	must(f.Judge(ctx, agent, intake.Judge{ID: m.ID, Version: m.Version, State: intake.Declined, Reason: "请向人民法院提起诉讼"}))(t)
	f.poll(t, letterFrom("c@example.com", "广告", "发票"))
	items, _, _ = f.Inbox(ctx, agent, "", "", 0)
	must(f.Judge(ctx, agent, intake.Judge{ID: items[0].ID, Version: 1, State: intake.Spam}))(t)
	if _, err := f.Judge(ctx, agent, intake.Judge{ID: items[0].ID, Version: 2, State: intake.Spam}); !errors.Is(err, intake.ErrDecided) {
		t.Errorf("decided twice: %v", err)
	}
	// A letter whose fate nobody knows is not sent again.
	f.post.fate = intake.Unknown
	for range 2 {
		if err := f.Deliver(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.post.sent) != 1 || !strings.Contains(f.post.sent[0].Text, "人民法院") {
		t.Errorf("%+v", f.post.sent)
	}
	if states := must(f.LetterStates(ctx))(t); !slices.Equal(states, []string{"unknown"}) {
		t.Errorf("%v", states)
	}
	for _, who := range []intake.State{intake.Pending} {
		if _, _, err := f.Inbox(ctx, operator, who, "", 0); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("read without the right: %v", err)
		}
	}
	if err := f.SeesMessage(ctx, owner, m.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a requester sees the files of a message: %v", err)
	}
}
