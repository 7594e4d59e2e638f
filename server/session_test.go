package server

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/access"
)

// TestASessionEndedWhileInUse: an administrator ends somebody's sessions; their next click, to read or to write, finds
// nobody signed in, and nothing of it is done.
func TestASessionEndedWhileInUse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	token := owner(t, h, "13800138031")
	her, err := h.identity.Authenticate(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	types, err := h.tickets.Types(ctx, her)
	if err != nil {
		t.Fatal(err)
	}
	ticket := `{"type":"` + types[0].Code + `","title":"路灯不亮","body":"门前路灯坏了三天","source":"h5"}`
	if status, text := ask(t, h, "POST", "/api/tickets", token, ticket); status != http.StatusOK {
		t.Fatalf("while signed in: %d %s", status, text)
	}
	admin := access.Actor{UserID: 1_000_000, Name: "孙宏", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{"identity.users"}}
	if _, err := h.identity.EndUserSessions(ctx, admin, her.UserID, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/api/tickets", ""}, {"POST", "/api/tickets", ticket}, {"GET", "/api/messages", ""}, {"GET", "/api/applications", ""},
	} {
		if status, text := ask(t, h, c.method, c.path, token, c.body); status != http.StatusUnauthorized || strings.Contains(text, "路灯") {
			t.Errorf("%s %s afterwards: %d %s", c.method, c.path, status, text)
		}
	}
	var n int
	if err := h.db.Read().NewRaw("SELECT count(*) FROM tickets").Scan(ctx, &n); err != nil || n != 1 {
		t.Errorf("%d tickets, %v", n, err)
	}
}
