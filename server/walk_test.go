package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
)

// silent is a provider that takes everything; what is sent is read from the outbox.
type silent struct{}

func (silent) Knows(string) bool { return true }
func (silent) Send(context.Context, string, message.Text) message.Outcome {
	return message.Outcome{State: message.Sent}
}
func (silent) Ask(context.Context, string, message.Text, time.Time) message.Outcome {
	return message.Outcome{State: message.Sent}
}

func testHouse(t *testing.T) *house {
	t.Helper()
	return houseOf(t, secret.NewKey())
}

// houseOf is testHouse with a root key that the test knows.
func houseOf(t *testing.T, key string) *house {
	t.Helper()
	db := databasetest.New(t, Migrations())
	c, err := Load("", map[string]any{"data": t.TempDir(), "demo": true, "requests_per_minute": 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(context.Background(), c, db, key, parts{
		log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.identity.EnsureRoles(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := h.ensureTicketTypes(context.Background()); err != nil {
		t.Fatal(err)
	}
	return h
}

// owner registers a company's owner the way a person does, reading the code from the outbox with the installation's key.
func owner(t *testing.T, h *house, phone string) string {
	t.Helper()
	ctx := context.Background()
	visitor := access.Actor{Party: access.Anonymous, IP: "203.0.113.7"}
	code := mustCode(t, h, phone, visitor, identity.ForRegister)
	b, err := h.identity.Register(ctx, visitor, identity.Register{Phone: phone, Code: code, CompanyName: "北京麦香烘焙有限公司", ContactName: "李", Consent: true})
	if err != nil {
		t.Fatal(err)
	}
	return b.Token
}

// mustCode has a code sent to a phone and reads it from the outbox.
func mustCode(t *testing.T, h *house, phone string, visitor access.Actor, purpose identity.Purpose) string {
	t.Helper()
	ctx := context.Background()
	id, err := h.identity.NewCaptcha(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var digits string
	if err := h.db.Read().NewSelect().TableExpr("captchas").Column("digits").Where("id = ?", id).Scan(ctx, &digits); err != nil {
		t.Fatal(err)
	}
	if _, err := h.identity.SendCode(ctx, visitor, identity.SendCode{Phone: phone, Purpose: purpose, CaptchaID: id, CaptchaAnswer: digits}); err != nil {
		t.Fatal(err)
	}
	var sealed string
	if err := h.db.Read().NewSelect().TableExpr("sms_messages").Column("params").OrderExpr("id DESC").Limit(1).Scan(ctx, &sealed); err != nil {
		t.Fatal(err)
	}
	plain, err := h.box.Open(sealed, "sms_messages.params")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`\d{6}`).FindString(string(plain))
}

func ask(t *testing.T, h *house, method, path, token, body string) (int, string) {
	t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	cookie := "__Host-huiqi-visitor=0123456789abcdef0123456789abcdef"
	if token != "" {
		cookie += "; " + web.SessionCookieName + "=" + token
	}
	req.Header.Set("Cookie", cookie)
	// The forgery guard is passed, so that the walk meets who may and not it.
	key := token
	if key == "" {
		key = "0123456789abcdef0123456789abcdef"
	}
	req.Header.Set("X-CSRF-Token", h.web.Token(key))
	res, err := h.web.App.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

var parameter = regexp.MustCompile(`\{[a-z]+\}|:[a-z]+(<int>)?|\*$`)

// TestNoRouteHidesAnother: of two routes that match an address the one registered first answers, so that one with a parameter
// must not stand before one without.
func TestNoRouteHidesAnother(t *testing.T) {
	t.Parallel()
	routes := testHouse(t).web.App.GetRoutes(true)
	literal := 0
	for i, later := range routes {
		if strings.ContainsAny(later.Path, ":*") {
			continue
		}
		literal++
		for _, earlier := range routes[:i] {
			if earlier.Method == later.Method && strings.Contains(earlier.Path, ":") && fiber.RoutePatternMatch(later.Path, earlier.Path) {
				t.Errorf("%s %s is answered by %s", later.Method, later.Path, earlier.Path)
			}
		}
	}
	if literal < 200 {
		t.Errorf("only %d routes without a parameter were looked at", literal)
	}
}

// TestEveryPageLinks: no page of the portal names what is not defined or puts a text where it cannot be escaped.
func TestEveryPageLinks(t *testing.T) {
	t.Parallel()
	if err := testHouse(t).pages.Renderer.Link(); err != nil {
		t.Error(err)
	}
}

// TestWalkOfEveryEndpoint calls everything that is registered as a visitor and as the owner of another company: nobody
// gets in without the declared right, somebody else's ticket is the same 404 as a missing one, and nothing answers 500.
func TestWalkOfEveryEndpoint(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	mine, theirs := owner(t, h, "13800138011"), owner(t, h, "13800138012")
	actor, err := h.identity.Authenticate(ctx, mine)
	if err != nil {
		t.Fatal(err)
	}
	types, err := h.tickets.Types(ctx, actor)
	if err != nil || len(types) < 20 {
		t.Fatalf("%d ticket types, %v", len(types), err)
	}
	tk, err := h.tickets.Open(ctx, actor, ticket.OpenTicket{Type: types[0].Code, Title: "路灯不亮", Body: "门前路灯坏了三天", Source: "h5"})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"version":1,"text":"好的","reason":"没有道理的理由","rating":5,"opinion":"","note":"好的","unitId":1,"outcome":{"contacted":true,"solved":true,"satisfied":true}}`
	routes := h.web.Routes()
	if len(routes) < 40 {
		t.Fatalf("only %d routes are registered", len(routes))
	}
	for _, r := range routes {
		if !r.Rule.Declared() {
			t.Errorf("%s %s does not say who may call it", r.Method, r.Path)
			continue
		}
		own := parameter.ReplaceAllString(r.Path, fmt.Sprint(tk.ID))
		missing := parameter.ReplaceAllString(r.Path, "999999")
		if r.Rule.Kind != "public" && r.Rule.Kind != "demo" {
			if status, text := ask(t, h, r.Method, own, "", body); status != 401 && !(r.Kind == "page" && status == 302) {
				t.Errorf("%s %s as a visitor: %d %s", r.Method, own, status, text)
			}
		}
		if r.Path == "/logout" || r.Path == "/api/session" {
			continue // would end the stranger's own session
		}
		status, text := ask(t, h, r.Method, own, theirs, body)
		if status >= 500 && status != 503 {
			t.Errorf("%s %s as a stranger: %d %s", r.Method, own, status, text)
		}
		if strings.Contains(r.Path, "/tickets/") && own != r.Path {
			other, _ := ask(t, h, r.Method, missing, theirs, body)
			if status != other || status < 400 {
				t.Errorf("%s %s: somebody else's answers %d, a missing one %d", r.Method, r.Path, status, other)
			}
			if strings.Contains(text, "路灯") {
				t.Errorf("%s %s shows somebody else's ticket", r.Method, r.Path)
			}
		}
		if r.Rule.Kind == "permission" && status != 403 {
			t.Errorf("%s %s without the permission: %d", r.Method, r.Path, status)
		}
	}
	if status, text := ask(t, h, "GET", "/api/tickets", theirs, ""); status != 200 || strings.Contains(text, "路灯") {
		t.Errorf("the list of somebody else: %d %s", status, text)
	}
	if status, text := ask(t, h, "GET", fmt.Sprintf("/api/tickets/%d", tk.ID), mine, ""); status != 200 || !strings.Contains(text, "路灯") {
		t.Errorf("her own ticket: %d %s", status, text)
	}
}

// TestNoPlainPhones looks for the phones of the people in everything the database holds.
func TestNoPlainPhones(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	token := owner(t, h, "13800138013")
	actor, err := h.identity.Authenticate(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	types, err := h.tickets.Types(ctx, actor)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.tickets.Open(ctx, actor, ticket.OpenTicket{Type: types[0].Code, Title: "路灯不亮", Body: "门前路灯坏了", Source: "h5"}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"SELECT phone || phone_blind || phone_tail FROM users", "SELECT recipient || params FROM sms_messages", "SELECT phone || code FROM sms_codes",
		"SELECT facts FROM events", "SELECT summary || detail FROM audit_entries", "SELECT phone_sealed FROM tickets",
	} {
		var rows []string
		if err := h.db.Read().NewRaw(q).Scan(ctx, &rows); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		if len(rows) == 0 {
			t.Errorf("%s: nothing to look at", q)
		}
		for _, row := range rows {
			if strings.Contains(row, "13800138013") {
				t.Errorf("%s holds the phone in clear", q)
			}
		}
	}
}
