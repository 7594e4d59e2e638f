//go:build !race

package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/platform/access"
)

// takenPush is a push as the partner had it.
type takenPush struct{ id, at, body, signature string }

// partner is a system outside that lives on when the product is killed.
type partner struct {
	*httptest.Server
	mu  sync.Mutex
	got []takenPush
}

func newPartner(t *testing.T) *partner {
	p := &partner{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got = append(p.got, takenPush{r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), string(body), r.Header.Get("Webhook-Signature")})
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *partner) pushes() []takenPush {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got)
}

// TestKilledWhileDelivering kills the whole program between the claim of a delivery and its push, and between the partner's
// answer and the note of it (F-02). The program that starts again sends it by itself: nothing is lost, and what the partner
// gets a second time has the id and the bytes of the first, by which it is known again.
func TestKilledWhileDelivering(t *testing.T) {
	t.Parallel()
	program, far := fragileProgram(t), newPartner(t)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	k := &killed{t: t, addr: l.Addr().String(), base: "http://" + l.Addr().String(), client: &http.Client{Timeout: 20 * time.Second}}
	_ = l.Close()
	loaded := newDistrict(t)
	k.dir = loaded.data
	if strings.Contains(loaded.url, "://") {
		k.database = loaded.url
	}
	opened, conf := loaded.open(t)
	d := deskOf(t, opened, conf, loaded.key, nil)
	host := strings.TrimPrefix(far.URL, "http://")
	must(0, d.exchange.Ensure(context.Background(), access.SystemActor("test"), exchange.InstalledPartner{
		Code: "torture", Secret: "whsec_c2FuZGJveC1wYXJ0bmVyLXNlY3JldC0wMDAx", Hosts: []string{host}, PartnerFields: exchange.PartnerFields{
			Name: "断电演练单位", URL: far.URL + "/events", Events: []string{"ticket.opened"}, Fields: []string{"ticket.title"}, CallsPerMinute: 60, CallsPerDay: 1000,
		}}))(t)
	// the partners of the demo, which the first start would bring, would reach the places first
	must(0, d.demoPartners(context.Background(), host, "whsec_c2FuZGJveC1wYXJ0bmVyLXNlY3JldC0wMDAx"))(t)
	must(d.db.Writer().Exec("UPDATE exchange_partners SET state = 'paused' WHERE code <> 'torture'"))(t)
	must(0, d.db.Close())(t)

	begin := func(failpoint string) {
		args := []string{"serve", "--demo", "--data", k.dir, "--listen", k.addr, "--public-url", k.base}
		if k.database != "" {
			args = append(args, "--database", k.database)
		}
		k.cmd = exec.Command(program, args...) // #nosec G204 -- the program under test
		k.cmd.Env = append(os.Environ(), "FAILPOINT="+failpoint)
		must(0, k.cmd.Start())(t)
		k.ready()
	}
	begin("")
	defer func() { k.stop() }()
	k.register("13800138077")
	db := k.open()
	word := func(query string, args ...any) (s string) {
		t.Helper()
		must(0, db.QueryRow(query, args...).Scan(&s))(t)
		return s
	}
	const ours = " FROM exchange_deliveries WHERE partner_id = (SELECT id FROM exchange_partners WHERE code = 'torture')"
	numbers := 0
	settled := func() {
		t.Helper()
		k.waitUntil(3*time.Minute, "everything is delivered", func() bool {
			return word("SELECT count(*)"+ours+" AND state = 'delivered'") == word("SELECT count(*) FROM tickets WHERE title LIKE '断电-%'") &&
				word("SELECT count(*)"+ours+" AND state <> 'delivered'") == "0"
		})
	}
	for _, c := range []struct {
		place  string
		before int // pushes the partner has of it when the program is dead
	}{{"exchange.claimed", 0}, {"exchange.answered", 1}} {
		k.stop()
		begin(c.place + ":1:kill")
		title := "断电-" + c.place
		if _, ok := k.submit(title); ok { // a death before the answer is tried again below, with the same key
			numbers++
		}
		_ = k.cmd.Wait()
		var id, state, attempts string
		must(0, db.QueryRow("SELECT message_id, state, attempts"+ours+" ORDER BY id DESC LIMIT 1").Scan(&id, &state, &attempts))(t)
		of := func() (n []takenPush) {
			for _, p := range far.pushes() {
				if p.id == id {
					n = append(n, p)
				}
			}
			return n
		}
		if got := of(); state != "sending" || attempts != "1" || len(got) != c.before {
			t.Fatalf("%s: killed in state %s after %s attempts, the partner has it %d times", c.place, state, attempts, len(got))
		}
		died := time.Now()
		begin("")
		if _, ok := k.submit(title); !ok {
			t.Fatalf("%s: refused after the restart", c.place)
		}
		settled()
		t.Logf("%s: delivered %v after the kill", c.place, time.Since(died).Round(time.Millisecond))
		got := of()
		if len(got) != c.before+1 {
			t.Fatalf("%s: the partner has it %d times, want %d", c.place, len(got), c.before+1)
		}
		for _, p := range got {
			if p.body != got[0].body || p.signature == "" || !strings.Contains(p.body, title) {
				t.Errorf("%s: %+v, the first was %+v", c.place, p, got[0])
			}
		}
		if n := word("SELECT count(*) FROM exchange_attempts WHERE kind = 'lost' AND delivery_id = (SELECT id"+ours+" AND message_id = ?)", id); n != "1" {
			t.Errorf("%s: %s lines of the history say that the first outcome is not known", c.place, n)
		}
		if n := word("SELECT count(*) FROM exchange_attempts WHERE kind = 'push' AND ok AND delivery_id = (SELECT id"+ours+" AND message_id = ?)", id); n != "1" {
			t.Errorf("%s: %s pushes are recorded as taken", c.place, n)
		}
	}
	ids := map[string]bool{}
	for _, p := range far.pushes() {
		ids[p.id] = true
	}
	if n := word("SELECT count(DISTINCT message_id)" + ours); len(ids) != 2 || n != "2" {
		t.Errorf("the partner knows %d messages, %s were made of two tickets; %d submissions were answered before the kill", len(ids), n, numbers)
	}
}
