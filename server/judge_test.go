package server

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// TestACallerIsSentALink has a caller's request replied to: one text message holds the link, and the link opens the page. The
// street read from the words reaches the directory.
func TestACallerIsSentALink(t *testing.T) {
	t.Parallel()
	h, ctx := testHouse(t), context.Background()
	system := access.SystemActor("test")
	root, err := h.identity.CreateDepartment(ctx, system, 0, "TZ", "测试区人民政府", 0)
	if err != nil {
		t.Fatal(err)
	}
	unit, err := h.identity.CreateDepartment(ctx, system, root, "CGW", "区城市管理委员会", 1)
	if err != nil {
		t.Fatal(err)
	}
	types, err := h.tickets.Types(ctx, system)
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{"yesno": "是", "date": "2026-11-20", "number": "1", "text": "门前", "phone": "13911112222"}
	cmd := ticket.OpenTicket{Type: types[0].Code, Title: "路灯不亮", Body: "台湖镇园区门前路灯坏了", ContactName: "李芳", Phone: "13911112222", Fields: map[string][]string{}}
	for _, f := range types[0].Fields {
		if cmd.Fields[f.Key] = []string{words[f.Kind]}; len(f.Options) > 0 {
			cmd.Fields[f.Key] = f.Options[:1]
		}
	}
	v, err := h.tickets.Open(ctx, system, cmd)
	if err != nil || v.AreaName != "台湖镇" {
		t.Fatalf("%q %v", v.AreaName, err)
	}
	if v, err = h.tickets.Dispatch(ctx, system, ticket.DispatchTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version}, UnitID: unit}); err != nil {
		t.Fatal(err)
	}
	clerk := access.Actor{UserID: 900, Name: "赵强", Party: access.Government, Scope: access.ScopeSubtree, DepartmentID: unit, DepartmentName: "区城市管理委员会",
		DepartmentPath: [4]int64{root, unit}, Permissions: []access.Permission{ticket.PermReply, ticket.PermSign, ticket.PermView}}
	if v, err = h.tickets.Sign(ctx, clerk, ticket.SignTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version}}); err != nil {
		t.Fatal(err)
	}
	if _, err = h.tickets.Reply(ctx, clerk, ticket.ReplyTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version}, Text: "已更换灯头。"}); err != nil {
		t.Fatal(err)
	}
	if err := h.feed.Drain(ctx); err != nil { // the address of this house is not set: no link
		t.Fatal(err)
	}
	links := h.judgeLinks("https://huiqi.example/")
	for range 2 {
		err := h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			return links.Handle(ctx, tx, event.Event{Object: ticket.Object, ObjectID: v.ID, Type: "ticket.replied", At: h.clock.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var sealed []string
	if err := h.db.Read().NewSelect().TableExpr("sms_messages").Column("params").Where("template = 'ticket.judge'").Scan(ctx, &sealed); err != nil || len(sealed) != 1 {
		t.Fatalf("%d links, %v", len(sealed), err)
	}
	plain, err := h.box.Open(sealed[0], "sms_messages.params")
	if err != nil {
		t.Fatal(err)
	}
	var params struct{ Number, Site, Code string }
	if err := json.Unmarshal(plain, &params); err != nil || params.Number != v.Number || params.Site != "https://huiqi.example" {
		t.Fatalf("%s %v", plain, err)
	}
	if status, html := ask(t, h, "GET", "/j/"+params.Code, "", ""); status != 200 || !strings.Contains(html, "已更换灯头。") || strings.Contains(html, "李芳") {
		t.Errorf("%d %s", status, html)
	}
	var area string
	if err := h.db.Read().NewSelect().TableExpr("directory_dispatches").Column("area").Where("ticket_id = ?", v.ID).Scan(ctx, &area); err != nil || area != v.Area {
		t.Errorf("the directory heard of %q, %v", area, err)
	}
}
