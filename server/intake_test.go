package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/integrations/wechat"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
)

// TestWechatMessages has the stand-in of WeChat deliver what a follower writes, signed and encrypted, to the real edge: it
// becomes one ticket of the person's own, delivered three times at once; a forged callback learns nothing.
func TestWechatMessages(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, Migrations())
	c := must(Load("", map[string]any{"data": t.TempDir(), "demo": true, "requests_per_minute": 1_000_000, "public_url": "http://localhost:1"}))(t)
	account := wechat.Config{AppID: "wxtest0000000001", AppSecret: "secret", Token: "token", EncodingAESKey: secret.NewKey()[:43]}
	client := must(wechat.New(account))(t)
	h := must(build(ctx, c, db, secret.NewKey(), parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}, wechat: client}}))(t)
	t.Cleanup(h.queue.Close)
	if err := h.identity.EnsureRoles(ctx); err != nil {
		t.Fatal(err)
	}
	if err := h.ensureTicketTypes(ctx); err != nil {
		t.Fatal(err)
	}
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	go func() { _ = h.web.App.Listener(l) }()
	t.Cleanup(func() { _ = h.web.App.Shutdown() })
	box := must(sandbox.New(sandbox.Options{DataDir: t.TempDir(), CallbackURL: "http://" + l.Addr().String() + "/callback/wechat", Secrets: sandbox.Secrets{
		WechatAppID: account.AppID, WechatSecret: account.AppSecret, WechatToken: account.Token, WechatAESKey: account.EncodingAESKey}}))(t)
	t.Cleanup(func() { _ = box.Close() })
	phone := must(box.AddPhone(ctx, "13800138021"))(t)

	actor := must(h.identity.Authenticate(ctx, owner(t, h, "13800138021")))(t)
	now := time.Now().UTC()
	_, err := db.Writer().NewRaw("INSERT INTO wechat_accounts (user_id, app, open_id, blind, bound_at, entered_at) VALUES (?, ?, ?, ?, ?, ?)", actor.UserID, account.AppID,
		h.box.Seal([]byte(phone.OpenID), "wechat.open_id"), h.box.Blind("wechat:"+account.AppID, phone.OpenID), now, now).Exec(ctx)
	if err != nil {
		t.Fatal(err)
	}
	say := func(event, content, want string, repeat int) string {
		t.Helper()
		results, err := box.Deliver(ctx, sandbox.Callback{Phone: "13800138021", Event: event, Content: content, Repeat: repeat, AtOnce: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Status != 200 || r.Reply != results[0].Reply || !strings.Contains(r.Reply, want) {
				t.Fatalf("%s %s: %+v, want %s", event, content, r, want)
			}
		}
		return results[0].Reply
	}
	say("subscribe", "", "惠企台", 1)
	say("CLICK", "ask", "请写明", 1)
	say("text", "拖欠货款三个月", "已记下", 3)
	say("voice", "一共八万元", "已记下", 1)
	say("location", "新华西街", "位置", 1)
	say("text", "完成", "1 政策与资金", 1)
	say("text", "1", "1 政策咨询", 1)
	filed := say("text", "1", "流水号：GD", 3)
	items, _, err := h.tickets.List(ctx, actor, ticket.ListFilter{})
	if err != nil || len(items) != 1 || items[0].Source != ticket.FromWechat {
		t.Fatalf("%+v %v", items, err)
	}
	v := must(h.tickets.Get(ctx, actor, items[0].ID))(t)
	if !strings.HasPrefix(v.Body, "拖欠货款三个月\n一共八万元\n\n地点：新华西街\n坐标：39.9") {
		t.Errorf("%q", v.Body)
	}
	number, code, _ := strings.Cut(strings.TrimPrefix(filed[strings.Index(filed, "查询 GD"):], "查询 "), " ")
	say("text", "查询 "+number+" "+code[:6], "当前状态：待处理", 1)

	res := must(http.Post("http://"+l.Addr().String()+"/callback/wechat?signature=forged&timestamp=1&nonce=2", "text/xml", strings.NewReader("<xml/>")))(t)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("a forged callback: %d", res.StatusCode)
	}
	if _, err := h.intake.Keys(ctx, access.Actor{}); err == nil {
		t.Error("a visitor reads the keys of Open311")
	}
}
