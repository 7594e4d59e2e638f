package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/live"
)

// TestAudiencesAreWhatIsVisible compares for the whole demo district and every account in it what the streams may name
// with what the services show.
func TestAudiencesAreWhatIsVisible(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := newDistrict(t)
	opened, c := d.open(t)
	h := deskOf(t, opened, c, d.key, nil)
	db := h.db.Read()
	var users []int64
	// everybody who works here, and those whose company asked for something, up to what a test has time for
	must(0, db.NewRaw("SELECT id FROM users WHERE party <> 'enterprise' UNION SELECT * FROM (SELECT user_id FROM applications ORDER BY id LIMIT 8) AS x UNION "+
		"SELECT * FROM (SELECT user_id FROM tickets WHERE user_id IS NOT NULL ORDER BY id LIMIT 8) AS y").Scan(ctx, &users))(t)
	var actors []access.Actor
	for _, id := range users {
		actors = append(actors, must(h.identity.ActorOf(ctx, access.SystemActor("test"), id))(t))
	}
	actors = append(actors, access.Actor{Party: access.Anonymous})
	for kind, k := range map[string]struct {
		table    string
		audience live.Audience
		sees     func(ctx context.Context, a access.Actor, id int64) error
	}{
		"ticket":      {"tickets", h.tickets.Audience, h.tickets.Sees},
		"application": {"applications", h.applications.Audience, h.applications.Sees},
		"product":     {"products", h.catalog.Audience, h.catalog.Sees},
		"enterprise": {"enterprises", h.enterprises.Audience, func(ctx context.Context, a access.Actor, id int64) error {
			if a.Party == access.Enterprise { // whose own door is another one
				member := must(db.NewSelect().TableExpr("enterprise_members").Where("enterprise_id = ? AND user_id = ?", id, a.UserID).Exists(ctx))(t)
				if !member {
					return fault.ErrNotFound
				}
				return nil
			}
			_, err := h.enterprises.Get(ctx, a, id, "")
			return err
		}},
	} {
		var ids []int64
		must(0, db.NewRaw(fmt.Sprintf("SELECT id FROM %s WHERE id %% 11 = 1 ORDER BY id", k.table)).Scan(ctx, &ids))(t)
		audience := must(k.audience(ctx, db, append(ids, 1<<40)))(t)
		yes, no := 0, 0
		for _, id := range ids {
			for _, a := range actors {
				err := k.sees(ctx, a, id)
				if err != nil && fault.KindOf(err) == fault.Internal {
					t.Fatal(err)
				}
				told := audience[id](a)
				if told != (err == nil) {
					t.Errorf("%s %d: %s (%s) is told: %v; sees it: %v", kind, id, a.Name, a.Party, told, err)
				}
				if told {
					yes++
				} else {
					no++
				}
			}
		}
		if yes == 0 || no == 0 {
			t.Errorf("%s: %d seen and %d not, which proves little", kind, yes, no)
		}
	}
}

// livePage is what a browser's EventSource does.
type livePage struct {
	res  *http.Response
	in   *bufio.Scanner
	last string
}

type liveNews struct {
	Name, Object, Reason string
	ID, Version          int64
}

func (d *desk) stream(session, after string) *livePage {
	d.t.Helper()
	req := must(http.NewRequest("GET", d.base+"/api/live", nil))(d.t)
	req.Header = d.header(session)
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	res := must((&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req))(d.t)
	d.t.Cleanup(func() { res.Body.Close() })
	return &livePage{res: res, in: bufio.NewScanner(res.Body)}
}

// next returns the next message that is no heartbeat; false at the end of the stream.
func (p *livePage) next() (liveNews, bool) {
	var m liveNews
	for p.in.Scan() {
		key, value, _ := strings.Cut(p.in.Text(), ": ")
		switch key {
		case "id":
			p.last = value
		case "event":
			m.Name = value
		case "data":
			if json.Unmarshal([]byte(value), &m) != nil {
				return m, false
			}
		case "":
			if m.Name != "" && m.Name != "beat" {
				return m, true
			}
			m = liveNews{}
		}
	}
	return m, false
}

func liveDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = d.live.Run(ctx) }()
	feed := make(chan struct{})
	go func() { defer close(feed); _ = d.feed.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done; <-feed })
	return d
}

func (d *desk) open(session, title string) int64 {
	d.t.Helper()
	var kind string
	must(0, d.db.Read().NewRaw("SELECT code FROM ticket_types ORDER BY code LIMIT 1").Scan(context.Background(), &kind))(d.t)
	a := d.ask("POST", "/api/tickets", session, strings.NewReader(fmt.Sprintf(`{"type":%q,"title":%q,"body":"自来水停了两天了","source":"h5"}`, kind, title)),
		"Content-Type", "application/json", "Idempotency-Key", title)
	var v struct{ ID int64 }
	if a.status >= 300 || json.Unmarshal(a.body, &v) != nil || v.ID == 0 {
		d.t.Fatalf("open a ticket: %d %s", a.status, a.body)
	}
	return v.ID
}

// TestLiveStream is a person's browser: it is told of their own ticket and not of another company's, gets what it missed
// when it comes back, and its stream ends when they sign out.
func TestLiveStream(t *testing.T) {
	t.Parallel()
	d := liveDesk(t)
	other := owner(t, d.house, "13800138022")
	if a := d.ask("GET", "/api/live", "", nil); a.status != http.StatusUnauthorized {
		t.Fatalf("a visitor: %d", a.status)
	}
	p := d.stream(d.session, "no number")
	if p.res.StatusCode != 200 || !strings.HasPrefix(p.res.Header.Get("Content-Type"), "text/event-stream") || p.res.Header.Get("X-Accel-Buffering") != "no" ||
		!strings.Contains(p.res.Header.Get("Content-Security-Policy"), "default-src") || p.res.ContentLength != -1 {
		t.Fatalf("%d %v", p.res.StatusCode, p.res.Header)
	}
	if m, ok := p.next(); !ok || m.Name != "hello" {
		t.Fatalf("first %+v", m)
	}
	d.open(other, "别人的事")
	mine := d.open(d.session, "自己的事")
	m, ok := p.next()
	if !ok || m.Name != "change" || m.Object != "ticket" || m.ID != mine || m.Version != 1 {
		t.Fatalf("told %+v, want ticket %d", m, mine)
	}
	p.res.Body.Close()
	after := p.last
	d.open(other, "别人的第二件")
	second := d.open(d.session, "自己的第二件")
	p = d.stream(d.session, after)
	if m, ok = p.next(); !ok || m.Name != "hello" {
		t.Fatalf("back with %+v", m)
	}
	if m, ok = p.next(); !ok || m.ID != second {
		t.Fatalf("missed %+v, want ticket %d", m, second)
	}
	if a := d.ask("DELETE", "/api/session", d.session, nil); a.status >= 300 {
		t.Fatalf("sign out: %d %s", a.status, a.body)
	}
	if m, ok = p.next(); !ok || m.Name != "bye" || m.Reason != "signed_out" {
		t.Fatalf("after signing out: %+v", m)
	}
	if m, ok = p.next(); ok {
		t.Fatalf("the stream goes on with %+v", m)
	}
}

// TestSessionsAreWhatAuthenticateSays holds the two ways to learn who a session is together.
func TestSessionsAreWhatAuthenticateSays(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	tokens := []string{owner(t, h, "13800138023"), owner(t, h, "13800138024")}
	compare := func(good int) {
		t.Helper()
		var ids []int64
		want := map[int64]string{}
		for _, token := range tokens {
			var id int64
			must(0, h.db.Read().NewRaw("SELECT id FROM sessions WHERE token_hash = ?", h.box.HashToken(token)).Scan(ctx, &id))(t)
			ids = append(ids, id)
			if a, err := h.identity.Authenticate(ctx, token); err == nil {
				want[id] = fmt.Sprint(a)
			}
		}
		got := map[int64]string{}
		for id, a := range must(h.identity.Sessions(ctx, append(ids, 1<<40)))(t) {
			got[id] = fmt.Sprint(a)
		}
		if len(got) != good || !maps.Equal(got, want) {
			t.Errorf("sessions say %v, requests %v", got, want)
		}
	}
	compare(2)
	set := func(query string, args ...any) {
		t.Helper()
		must(h.db.Writer().ExecContext(ctx, query, args...))(t)
	}
	set("INSERT INTO user_roles (user_id, role_id) SELECT u.id, r.id FROM users u, roles r WHERE r.code IN ('agent', 'dept_leader', 'dept_handler')")
	set("UPDATE users SET department_id = (SELECT min(id) FROM departments)")
	compare(2)
	a := must(h.identity.Authenticate(ctx, tokens[0]))(t)
	set("UPDATE users SET must_change = ? WHERE id = ?", true, a.UserID)
	compare(2)
	set("UPDATE users SET disabled_at = created_at WHERE id = ?", a.UserID)
	compare(1)
	must(0, h.identity.SignOut(ctx, must(h.identity.Authenticate(ctx, tokens[1]))(t)))(t)
	compare(0)
}
