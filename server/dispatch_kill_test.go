//go:build !race

package server

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// TestKilledInDispatch kills the server while a ticket is dispatched with a helper: when all is written and nothing committed,
// and when it is committed and nobody was told. The dispatcher sends the command again under the same key: there is one
// dispatch, with its hops, clock, event, audit row and message, and the ticket is at the version after it.
func TestKilledInDispatch(t *testing.T) {
	t.Parallel()
	onlyEmbedded(t)
	program := fragileProgram(t)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	k := &killed{t: t, dir: seededDir(t), addr: l.Addr().String(), base: "http://" + l.Addr().String(), client: &http.Client{Timeout: 20 * time.Second}}
	_ = l.Close()
	begin := func(failpoint string) {
		k.cmd = exec.Command(program, "serve", "--demo", "--data", k.dir, "--listen", k.addr, "--public-url", k.base) // #nosec G204 -- the program under test
		k.cmd.Env = append(os.Environ(), "FAILPOINT="+failpoint)
		if err := k.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		k.ready()
	}
	begin("")
	defer func() { k.stop() }()
	k.enter("lead")
	unit, helper := k.unitCalled("城市管理"), k.unitCalled("经济和信息化")
	var made struct{ ID, Version int64 }
	if status, _ := k.call("POST", "/api/tickets", "open", map[string]any{"type": "070102", "title": "派单时断电", "body": "门前垃圾没有清运", "source": "agent", "contactName": "王芳", "phone": "13800138088"}, &made); status != 200 {
		t.Fatalf("open: %d", status)
	}
	k.stop()

	db := k.open()
	count := func(query string) (n int) {
		t.Helper()
		if err := db.QueryRow(query, made.ID).Scan(&n); err != nil {
			t.Fatal(query, err)
		}
		return n
	}
	queries := map[string]string{
		"version":    "SELECT version FROM tickets WHERE id = ?",
		"hops":       "SELECT count(*) FROM ticket_hops WHERE ticket_id = ?",
		"events":     "SELECT count(*) FROM events WHERE type = 'ticket.dispatched' AND object_id = ?",
		"audit rows": "SELECT count(*) FROM audit_entries WHERE action = 'ticket.dispatch' AND object_id = ?",
		"clocks":     "SELECT count(*) FROM ticket_clocks WHERE kind = 'sign' AND ticket_id = ?",
	}
	is := func(when string, want map[string]int) {
		t.Helper()
		for what, query := range queries {
			if n := count(query); n != want[what] {
				t.Errorf("%s: %s is %d, want %d", when, what, n, want[what])
			}
		}
	}
	nothing := map[string]int{"version": int(made.Version)}
	done := map[string]int{"version": int(made.Version) + 1, "hops": 2, "events": 1, "audit rows": 1, "clocks": 2}
	var after struct {
		Status  string
		Version int64
		Hops    []struct{ UnitName string }
	}
	send := func() (int, bool) {
		return k.call("POST", "/api/tickets/"+strconv.FormatInt(made.ID, 10)+"/dispatch", "dispatch", map[string]any{"version": made.Version, "unitId": unit, "coUnitIds": []int64{helper}, "note": "请当日到场"}, &after)
	}
	for _, c := range []struct {
		failpoint string
		left      map[string]int
	}{{"ticket.step-kept:1:kill", nothing}, {"ticket.step-committed:1:kill", done}} {
		begin(c.failpoint)
		if status, ok := send(); ok {
			t.Fatalf("%s: the server answered %d", c.failpoint, status)
		}
		_ = k.cmd.Wait()
		is(c.failpoint, c.left)
	}
	begin("")
	for range 2 { // what was committed is answered, however often it is asked for
		if status, _ := send(); status != 200 || after.Status != "dispatched" || after.Version != made.Version+1 || len(after.Hops) != 2 {
			t.Fatalf("again: %d %+v", status, after)
		}
	}
	is("again", done)
	if status, _ := k.call("POST", "/api/tickets/"+strconv.FormatInt(made.ID, 10)+"/dispatch", "other", map[string]any{"version": made.Version, "unitId": helper}, nil); status != 409 {
		t.Errorf("somebody else with the version of before: %d", status)
	}
	is("after a stale command", done)
}
