//go:build !race

package server

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// thePartner is the demo's partner that gets every event of a ticket.
const thePartner = "city-hotline"

// pushRounds is how often the server is killed: 8, or what TORTURE_ROUNDS says.
func pushRounds(t *testing.T) int {
	if os.Getenv("TORTURE_ROUNDS") != "" {
		return rounds(t)
	}
	return 8
}

// redelivery bounds the wait for what must arrive after the last start, pauses between tries included.
const redelivery = 5 * time.Minute

// TestKilledBetweenReplyAndPush has a company, the desk and a department handle tickets and a bank accept applications while
// the partner fails, cuts the line or loses its answers, and kills the server without warning the moment a step is
// acknowledged. In the end the partner has every event of a ticket and every acceptance, by its id and none besides, in the
// order of its object; what came twice came with the same bytes, and every push was signed rightly.
func TestKilledBetweenReplyAndPush(t *testing.T) {
	t.Parallel()
	k := startKilled(t)
	defer func() { k.stop() }()
	owner, agent, unit := k.person("1"), k.person("2"), k.person("3")
	owner.register("13800138077")
	agent.signIn("agent", "19900000001")
	unit.signIn("chengguan", "19900000002")
	bank := k.person("4")
	bank.signIn("bank-yunhe-1", "19900060001")
	waiting := bank.applications()
	if len(waiting) == 0 {
		t.Fatal("no application waits at the bank of the demo")
	}
	db := k.open()
	var base int64
	if err := db.QueryRow("SELECT coalesce(max(id), 0) FROM events").Scan(&base); err != nil {
		t.Fatal(err)
	}
	desk := &deskWork{t: t, owner: owner, agent: agent, unit: unit, unitID: agent.unitCalled("城市管理")}

	faults := []string{"fail", "lost", "fail", "reset"}
	kills := pushRounds(t)
	var unknown sync.WaitGroup
	for round := range kills {
		k.fault(faults[round%len(faults)], 2)
		for range 3 + rand.IntN(8) {
			desk.step()
		}
		other := k.person("1").as(owner)
		unknown.Add(1)
		go func() { // not acknowledged: it is there or not, and then its event is
			defer unknown.Done()
			_, _ = other.call("POST", "/api/tickets", fmt.Sprint("unknown-", round),
				map[string]any{"type": owner.kind, "title": fmt.Sprint("unknown-", round), "body": "门前路灯坏了三天", "source": "h5"}, nil)
		}()
		desk.step()
		if round%2 == 0 && len(waiting) > 0 {
			bank.accept(waiting[0])
			waiting = waiting[1:]
		}
		if round%2 == 1 {
			time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
		}
		k.stop()
		unknown.Wait()
		k.start()
	}
	for range 6 {
		desk.step()
	}
	restarted := time.Now()

	count := func(query string, args ...any) (n int) {
		if err := db.QueryRow(query, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const of = " FROM exchange_deliveries d JOIN exchange_partners p ON p.id = d.partner_id WHERE p.code = '" + thePartner + "'"
	// What a killed worker had sent is settled when its claim has run out: it arrives once more, or was seen to have arrived.
	unsettled := func() int {
		return count("SELECT count(*)" + of + " AND (d.state <> 'delivered' OR d.next_at IS NOT NULL OR d.receipt = '')")
	}
	want := expectedPushes(t, db, base)
	var got []arrival
	for {
		got = k.arrivals(thePartner)
		if len(received(got)) >= len(want) && unsettled() == 0 {
			break
		}
		if time.Since(restarted) > redelivery {
			t.Errorf("%d of %d events arrived and %d are not settled within %s", len(received(got)), len(want), unsettled(), redelivery)
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	time.Sleep(2 * time.Second) // nothing besides may follow
	got, want = k.arrivals(thePartner), expectedPushes(t, db, base)
	checkArrivals(t, got, want)

	if n := count("SELECT count(*)" + of); n != len(want) {
		t.Errorf("%d deliveries are written down for %d events", n, len(want))
	}
	if n := unsettled(); n != 0 {
		t.Errorf("%d deliveries are not settled", n)
	}
	failed, repeated := 0, len(got)-len(received(got))
	for _, a := range got {
		if a.Status != 200 {
			failed++
		}
	}
	lost := count("SELECT count(*) FROM exchange_attempts WHERE kind = 'lost'")
	if failed < 2 || repeated < kills {
		t.Errorf("only %d pushes failed and %d came again over %d kills: the test proves little", failed, repeated, kills)
	}
	t.Logf("%d events over %d kills: %d pushes, %d not taken, %d taken over from a killed worker", len(want), kills, len(got), failed, lost)
}

// expected is one event that a partner must get.
type expected struct {
	eventID int64
	typ     string
	subject string
	seq     int64
	facts   string
}

// expectedPushes reads from the tables every event of a ticket and every acceptance of an application after base, by the id
// of its message.
func expectedPushes(t *testing.T, db beside, base int64) map[string]expected {
	t.Helper()
	rows, err := db.Query(`SELECT e.id, e.type, k.number, e.seq, e.facts FROM events e JOIN tickets k ON k.id = e.object_id WHERE e.object = 'ticket' AND e.id > ?
		UNION ALL SELECT e.id, e.type, a.number, e.seq, e.facts FROM events e JOIN applications a ON a.id = e.object_id WHERE e.type = 'application.accepted' AND e.id > ?`, base, base)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]expected{}
	for rows.Next() {
		var e expected
		if err := rows.Scan(&e.eventID, &e.typ, &e.subject, &e.seq, &e.facts); err != nil {
			t.Fatal(err)
		}
		all[fmt.Sprintf("evt_%d_%s", e.eventID, thePartner)] = e
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// arrival is one push as the sandbox met it.
type arrival struct {
	Attempt              int64
	ID, Type, Subject    string
	Sequence, BodySHA256 string
	Body                 string
	SignatureOK          bool
	Status               int
}

// received are the ids of what the partner took.
func received(all []arrival) map[string]bool {
	ids := map[string]bool{}
	for _, a := range all {
		if a.Status == 200 {
			ids[a.ID] = true
		}
	}
	return ids
}

func checkArrivals(t *testing.T, got []arrival, want map[string]expected) {
	t.Helper()
	// Which events of a subject come before which.
	earlier := map[string][]expected{}
	for _, e := range want {
		earlier[e.subject] = append(earlier[e.subject], e)
	}
	id := func(e expected) string { return fmt.Sprintf("evt_%d_%s", e.eventID, thePartner) }
	taken, bodies, last := map[string]bool{}, map[string]string{}, map[string]int64{}
	for _, a := range got {
		e, known := want[a.ID]
		if !known {
			t.Errorf("push %d: %s is no event of the tables", a.Attempt, a.ID)
			continue
		}
		if !a.SignatureOK {
			t.Errorf("push %d of %s is not signed rightly", a.Attempt, a.ID)
		}
		if a.Type != "cn.huiqi."+e.typ || a.Subject != e.subject || a.Sequence != strconv.FormatInt(e.seq, 10) {
			t.Errorf("push %d of %s says %s %s %s, want %+v", a.Attempt, a.ID, a.Type, a.Subject, a.Sequence, e)
		}
		if before, again := bodies[a.ID]; again && before != a.Body {
			t.Errorf("%s came again with another body:\n%s\n%s", a.ID, before, a.Body)
		}
		bodies[a.ID] = a.Body
		// Whatever is pushed, whether it is taken or not: all before it has arrived.
		for _, b := range earlier[a.Subject] {
			if b.seq < e.seq && !taken[id(b)] {
				t.Errorf("push %d of %s came although %s had not arrived", a.Attempt, a.ID, id(b))
			}
		}
		if a.Status == 200 && !taken[a.ID] {
			taken[a.ID] = true
			if e.seq <= last[a.Subject] {
				t.Errorf("%s: %d arrived after %d", a.Subject, e.seq, last[a.Subject])
			}
			last[a.Subject] = e.seq
		}
	}
	for name, e := range want {
		if !taken[name] {
			t.Errorf("%s (%s %s %d) never arrived", name, e.subject, e.typ, e.seq)
			continue
		}
		var envelope struct {
			SpecVersion string
			ID          string
			Data        map[string]any
		}
		if err := json.Unmarshal([]byte(bodies[name]), &envelope); err != nil || envelope.SpecVersion != "1.0" || envelope.ID != name || envelope.Data["number"] != e.subject {
			t.Errorf("%s is not the event: %v %s", name, err, bodies[name])
		}
	}
	for name, body := range bodies {
		if regexp.MustCompile(`1[3-9]\d{9}`).MatchString(strings.ReplaceAll(body, name, "")) {
			t.Errorf("%s carries a phone: %s", name, body)
		}
	}
}

// deskWork is what the three people do, one step after the other.
type deskWork struct {
	t                  *testing.T
	owner, agent, unit *killed
	unitID             int64
	tickets            []*worked
	last               *worked
	steps              int
}

// worked is a ticket and what was done with it last.
type worked struct {
	ID      int64 `json:"id"`
	Version int64 `json:"version"`
	done    int
}

// step has one of them do the next thing with a ticket, more often than not the one they had last, or opens one: while the
// first of a ticket's events fails, the next are there already.
func (d *deskWork) step() {
	d.t.Helper()
	d.steps++
	key := fmt.Sprintf("push-%d", d.steps)
	var open []*worked
	for _, w := range d.tickets {
		if w.done < 5 {
			open = append(open, w)
		}
	}
	if len(open) == 0 || rand.IntN(4) == 0 {
		w := &worked{}
		d.last = w
		status, ok := d.owner.call("POST", "/api/tickets", key, map[string]any{"type": d.owner.kind, "title": key, "body": "门前路灯坏了三天，请致电 13800138077", "source": "h5"}, w)
		if !ok || status != 200 {
			d.t.Fatalf("%s: status %d", key, status)
		}
		d.tickets = append(d.tickets, w)
		return
	}
	w := open[rand.IntN(len(open))]
	if d.last != nil && d.last.done < 5 && rand.IntN(3) > 0 {
		w = d.last
	}
	d.last = w
	who, action, body := d.agent, "", map[string]any{"version": w.Version}
	switch w.done {
	case 0:
		action, body["unitId"], body["note"] = "dispatch", d.unitID, "请尽快联系 13800138077"
	case 1:
		who, action = d.unit, "sign"
	case 2:
		who, action, body["text"] = d.unit, "reply", "已更换灯头，当晚恢复照明。"
	case 3:
		action, body["outcome"], body["note"] = "close", map[string]bool{"contacted": true, "solved": true, "satisfied": true}, ""
	case 4:
		who, action, body["rating"], body["opinion"] = d.owner, "rate", 5, "很快"
	}
	status, ok := who.call("POST", fmt.Sprintf("/api/tickets/%d/%s", w.ID, action), key, body, w)
	if !ok || status != 200 {
		d.t.Fatalf("%s ticket %d: status %d", action, w.ID, status)
	}
	w.done++
}

// waitingApplication is an application that an institution has not accepted yet.
type waitingApplication struct {
	ID      int64
	Version int64
}

// applications are those that wait at the person's institution.
func (k *killed) applications() []waitingApplication {
	k.t.Helper()
	var list struct{ Items []waitingApplication }
	if status, ok := k.call("GET", "/api/applications?status=submitted", "", nil, &list); !ok || status != 200 {
		k.t.Fatalf("applications: status %d", status)
	}
	return list.Items
}

// accept takes an application on.
func (k *killed) accept(a waitingApplication) {
	k.t.Helper()
	status, ok := k.call("POST", fmt.Sprintf("/api/applications/%d/accept", a.ID), fmt.Sprint("accept-", a.ID), map[string]any{"version": a.Version}, nil)
	if !ok || status != 200 {
		k.t.Fatalf("accept application %d: status %d", a.ID, status)
	}
}

// startKilled starts a server of its own that may be killed.
func startKilled(t *testing.T, env ...string) *killed {
	t.Helper()
	k := unborn(t)
	k.env = env
	k.settle()
	k.start()
	return k
}

// unborn is a server that has not begun and has no database yet.
func unborn(t *testing.T) *killed {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	return &killed{t: t, base: "http://" + addr, addr: addr, client: &http.Client{Timeout: 10 * time.Second}}
}

// person is somebody else at the same server, with a browser of their own.
func (k *killed) person(mark string) *killed {
	return &killed{t: k.t, dir: k.dir, database: k.database, base: k.base, addr: k.addr, client: k.client, visitor: strings.Repeat(mark, 32)}
}

// as gives the person the session of another one.
func (k *killed) as(p *killed) *killed {
	k.session, k.visitor, k.csrf, k.kind = p.session, p.visitor, p.csrf, p.kind
	return k
}

// signIn goes the way of staff: captcha, password, code from the sandbox's phone.
func (k *killed) signIn(account, phone string) {
	k.t.Helper()
	var me struct {
		CSRFToken string `json:"csrfToken"`
	}
	k.call("GET", "/api/session", "", nil, &me)
	k.csrf = me.CSRFToken
	var captcha struct {
		ID string `json:"id"`
	}
	k.call("POST", "/api/captchas", "", nil, &captcha)
	var digits string
	if err := k.open().QueryRow("SELECT digits FROM captchas WHERE id = ?", captcha.ID).Scan(&digits); err != nil {
		k.t.Fatal(err)
	}
	status, _ := k.call("POST", "/api/sessions/password", "", map[string]any{"account": account, "password": demoPassword, "captchaId": captcha.ID, "captchaAnswer": digits}, nil)
	if status != 200 {
		k.t.Fatalf("password of %s: status %d", account, status)
	}
	code := ""
	for range 500 {
		res, err := k.client.Get(k.base + "/sandbox/api/phones/" + phone)
		if err == nil {
			b, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if m := regexp.MustCompile(`验证码是 (\d{6})`).FindSubmatch(b); m != nil {
				code = string(m[1])
				break
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	if status, _ = k.call("POST", "/api/sessions/second-factor", "", map[string]any{"code": code}, &me); status != 200 || k.session == "" {
		k.t.Fatalf("second factor of %s: status %d", account, status)
	}
	k.csrf = me.CSRFToken
}

// unitCalled finds a unit that tickets may be dispatched to.
func (k *killed) unitCalled(part string) int64 {
	k.t.Helper()
	var units struct {
		Items []struct {
			ID   int64
			Name string
		}
	}
	k.call("GET", "/api/ticket-units", "", nil, &units)
	for _, u := range units.Items {
		if strings.Contains(u.Name, part) {
			return u.ID
		}
	}
	k.t.Fatalf("no unit is called %s", part)
	return 0
}

// fault tells the partner's stand-in how to treat the next pushes.
func (k *killed) fault(mode string, count int) {
	k.t.Helper()
	status, ok := k.call("POST", "/sandbox/api/faults", "", map[string]any{"target": "partner", "mode": mode, "count": count}, nil)
	if !ok || status != 200 {
		k.t.Fatalf("fault %s: status %d", mode, status)
	}
}

// arrivals are all pushes the partner's stand-in met, in their order.
func (k *killed) arrivals(partner string) []arrival {
	k.t.Helper()
	var all []arrival
	for {
		after := int64(0)
		if len(all) > 0 {
			after = all[len(all)-1].Attempt
		}
		var page struct{ Items []arrival }
		status, ok := k.call("GET", fmt.Sprintf("/sandbox/api/partner/deliveries?partner=%s&after=%d", partner, after), "", nil, &page)
		if !ok || status != 200 {
			k.t.Fatalf("inbox of the partner: status %d", status)
		}
		if len(page.Items) == 0 {
			return all
		}
		all = append(all, page.Items...)
	}
}
