package cti_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/cti"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/live"
	"github.com/huiqi/huiqi/platform/secret"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 30, 1, 0, 0, 0, time.UTC)
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, cti.Migrations)
	chen  = agent(7)
	zhou  = agent(8)
	lead  = access.Actor{UserID: 10, Name: "赵强", Party: access.Platform, Permissions: []access.Permission{cti.PermListen, cti.PermManage, "seat.sit"}}
)

func agent(id int64) access.Actor {
	return access.Actor{UserID: id, SessionID: id, Name: fmt.Sprint("坐席", id), Party: access.Platform, Permissions: []access.Permission{"seat.sit"}}
}

const caller = "13800138021"

// around is what the module needs of its neighbours; it keeps what it was told.
type around struct {
	mu    sync.Mutex
	moves []string
	keys  []int
}

func (a *around) Talk(_ context.Context, _ bun.Tx, user int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moves = append(a.moves, fmt.Sprint("talk ", user))
	return nil
}

func (a *around) Hung(_ context.Context, _ bun.Tx, user int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moves = append(a.moves, fmt.Sprint("hung ", user))
	return nil
}

func (a *around) Name(_ context.Context, _ bun.Tx, user int64) (string, error) {
	if user == 7 || user == 8 {
		return fmt.Sprint("坐席", user), nil
	}
	return "", fault.ErrNotFound
}

func (a *around) Caller(_ context.Context, _ access.Actor, number string) (cti.Caller, error) {
	if number == caller {
		return cti.Caller{Name: "王芳"}, nil
	}
	return cti.Caller{}, nil
}

// Sees shows every ticket but 99.
func (a *around) Sees(_ context.Context, _ access.Actor, id int64) error {
	if id == 99 {
		return fault.ErrNotFound
	}
	return nil
}

func (a *around) RecordCallback(_ context.Context, _ bun.Tx, r cti.Result) error {
	if r.Ticket != "TZ1" {
		return fault.ErrNotFound
	}
	a.keys = append(a.keys, r.Key)
	return nil
}

type line struct {
	*cti.Service
	*around
	t      *testing.T
	db     *database.DB
	clock  *clock.Fake
	signer *standardwebhooks.Webhook
}

func mustNew(t *testing.T) line {
	t.Helper()
	db, at, a := databasetest.New(t, steps), clock.NewFake(start), &around{}
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	key := "whsec_" + secret.NewKey()
	s, err := cti.New(cti.Deps{DB: db, Clock: at, Box: box, Seats: a, Callers: a, Tickets: a, Surveys: a, Secret: key, Hosts: []string{"record.example.cn"}})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	for id, x := range map[int64]string{7: "8001", 8: "8002"} {
		if err := s.SetExtension(ctx, lead, cti.SetExtension{Extension: x, UserID: id}); err != nil {
			t.Fatal(err)
		}
	}
	return line{s, a, t, db, at, signer}
}

// send signs an event as the telephone platform does.
func (l line) send(e cti.Event) (bool, error) {
	l.t.Helper()
	body, err := json.Marshal(e)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.post(body, l.clock.Now())
}

func (l line) post(body []byte, at time.Time) (bool, error) {
	l.t.Helper()
	sig, err := l.signer.Sign("msg", at, body)
	if err != nil {
		l.t.Fatal(err)
	}
	h := http.Header{}
	h.Set(standardwebhooks.HeaderWebhookID, "msg")
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, sig)
	return l.Receive(ctx, h, body)
}

func (l line) must(e cti.Event) {
	l.t.Helper()
	if first, err := l.send(e); err != nil || !first {
		l.t.Fatalf("%+v: first %v, %v", e, first, err)
	}
}

func (l line) of(a access.Actor) *cti.LineCall {
	l.t.Helper()
	v, err := l.Line(ctx, a)
	if err != nil {
		l.t.Fatal(err)
	}
	return v.Call
}

func (l line) at() time.Time { return l.clock.Now() }

func TestCall(t *testing.T) {
	t.Parallel()
	l := mustNew(t)
	if err := l.Mark(ctx, lead, cti.Mark{Number: caller, Reason: "多次无声来电", Days: 7}); err != nil {
		t.Fatal(err)
	}
	l.must(cti.Event{Kind: cti.Ring, CallID: "c1", At: l.at(), Number: caller, Queue: "企业服务"})
	if l.of(chen) != nil {
		t.Error("a call in the queue is on nobody's line")
	}
	l.clock.Advance(4 * time.Second)
	ring := cti.Event{Kind: cti.Ring, CallID: "c1", At: l.at(), Extension: "8001"}
	l.must(ring)
	if first, err := l.send(ring); err != nil || first {
		t.Errorf("a repeat: first %v, %v", first, err)
	}
	ring.Queue = "别的"
	if _, err := l.send(ring); !errors.Is(err, cti.ErrDiffers) {
		t.Errorf("a repeat that differs: %v", err)
	}
	if c := l.of(chen); c == nil || c.Number != caller || c.Caller.Name != "王芳" || c.Warning != "多次无声来电" || c.State != cti.Ringing {
		t.Fatalf("the line: %+v", c)
	}
	if l.of(zhou) != nil {
		t.Error("the neighbour sees the call")
	}
	l.clock.Advance(3 * time.Second)
	l.must(cti.Event{Kind: cti.Answer, CallID: "c1", At: l.at(), Extension: "8001"})
	l.clock.Advance(time.Minute)
	attach := func(user, ticket int64) {
		t.Helper()
		if err := l.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return l.Attach(ctx, tx, user, ticket, l.at()) }); err != nil {
			t.Fatal(err)
		}
	}
	attach(8, 41) // the neighbour opens one, too
	attach(7, 42)
	attach(7, 43) // the call has its ticket
	if _, err := l.send(cti.Event{Kind: cti.HangUp, CallID: "c1", At: l.at(), Extension: "8001", Recording: "https://evil.example/1.wav"}); err == nil {
		t.Error("a recording on another host was taken")
	}
	l.must(cti.Event{Kind: cti.HangUp, CallID: "c1", At: l.at(), Extension: "8001", Recording: "https://record.example.cn/1.wav"})
	if got, want := strings.Join(l.moves, ","), "talk 7,hung 7"; got != want {
		t.Errorf("seats: %s", got)
	}
	c := l.of(chen)
	if c.State != cti.Ended || c.TicketID != 42 || c.Number != "138****8021" {
		t.Errorf("after the end: %+v", c)
	}
	// The recording: a right, the ticket, a trace.
	calls, err := l.OfTicket(ctx, chen, 42)
	if err != nil || len(calls) != 1 || calls[0].Recorded || calls[0].Seconds != 60 || calls[0].Number != "138****8021" {
		t.Errorf("calls of the ticket: %+v, %v", calls, err)
	}
	if _, err := l.Play(ctx, chen, calls[0].ID); !errors.Is(err, cti.ErrForbidden) {
		t.Errorf("played without the right: %v", err)
	}
	if u, err := l.Play(ctx, lead, calls[0].ID); err != nil || u != "https://record.example.cn/1.wav" {
		t.Errorf("played: %s, %v", u, err)
	}
	if n, err := l.db.Read().NewSelect().TableExpr("audit_entries").Where("action = 'cti.play'").Count(ctx); err != nil || n != 1 {
		t.Errorf("%d traces of playing, %v", n, err)
	}
	if _, err := l.OfTicket(ctx, lead, 99); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("calls of a ticket that is not seen: %v", err)
	}
	// One that nobody answered, told in the wrong order.
	l.must(cti.Event{Kind: cti.HangUp, CallID: "c2", At: l.at().Add(time.Second)})
	l.must(cti.Event{Kind: cti.Ring, CallID: "c2", At: l.at(), Number: "", Queue: "企业服务"})
	l.must(cti.Event{Kind: cti.Ring, CallID: "c3", At: l.at(), Queue: "企业服务"})
	l.clock.Advance(20 * time.Second)
	f, err := l.Figures(ctx, l.db.Read(), start, start.Add(time.Hour), l.at())
	if err != nil || f.Calls != 3 || f.Answered != 1 || f.InTime != 1 || f.Missed != 1 || f.Waiting != 1 || f.LongestWait != 20 || f.ConnectRate != 0.5 {
		t.Errorf("figures: %+v, %v", f, err)
	}
	// The number is nowhere in clear.
	for _, q := range []string{"SELECT number_sealed || number_blind || number_tail FROM cti_calls", "SELECT facts FROM events", "SELECT summary || detail FROM audit_entries", "SELECT number_sealed || reason FROM cti_nuisance"} {
		var rows []string
		if err := l.db.Read().NewRaw(q).Scan(ctx, &rows); err != nil || len(rows) == 0 || strings.Contains(strings.Join(rows, ""), caller) {
			t.Errorf("%s: %d rows, %v", q, len(rows), err)
		}
	}
}

// TestTheListOfNuisanceWarnsWhileItHolds reads the list as who manages it: a number warns until its days are over or it is taken
// off, and stays on the list as one that no longer does.
func TestTheListOfNuisanceWarnsWhileItHolds(t *testing.T) {
	t.Parallel()
	l := mustNew(t)
	calls := 0
	warned := func(number string) string {
		t.Helper()
		calls++
		id := fmt.Sprint("n", calls)
		l.must(cti.Event{Kind: cti.Ring, CallID: id, At: l.at(), Number: number, Extension: "8001"})
		c := l.of(chen)
		if c == nil || c.Number != number {
			t.Fatalf("the line: %+v", c)
		}
		l.must(cti.Event{Kind: cti.HangUp, CallID: id, At: l.at(), Extension: "8001"})
		return c.Warning
	}
	list := func() []cti.NuisanceView {
		t.Helper()
		v, err := l.Nuisances(ctx, lead)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if w, v := warned(caller), list(); w != "" || len(v) != 0 {
		t.Errorf("nothing is listed: %q %+v", w, v)
	}
	if err := l.Mark(ctx, lead, cti.Mark{Number: caller, Reason: "多次无声来电", Days: 7}); err != nil {
		t.Fatal(err)
	}
	marked := cti.NuisanceView{ID: 1, Number: "138****8021", Reason: "多次无声来电", Until: start.AddDate(0, 0, 7), By: "赵强", At: start, InUse: true}
	if v := list(); len(v) != 1 || v[0] != marked {
		t.Errorf("the list: %+v, want %+v", v, marked)
	}
	if w := warned("13800138022"); w != "" {
		t.Errorf("another number: %q", w)
	}
	l.clock.Set(marked.Until.Add(-time.Second))
	if w, v := warned(caller), list(); w != "多次无声来电" || !v[0].InUse {
		t.Errorf("in its last second: %q %+v", w, v)
	}
	l.clock.Set(marked.Until)
	if w, v := warned(caller), list(); w != "" || len(v) != 1 || v[0].InUse {
		t.Errorf("expired: %q %+v", w, v)
	}
	if err := l.Mark(ctx, lead, cti.Mark{Number: caller, Reason: "辱骂坐席", Days: 30}); err != nil {
		t.Fatal(err)
	}
	if w, v := warned(caller), list(); w != "辱骂坐席" || len(v) != 2 || !v[0].InUse || v[1].InUse {
		t.Errorf("listed again: %q %+v", w, v)
	}
	again := list()[0].ID
	if err := l.Unmark(ctx, chen, again); !errors.Is(err, cti.ErrForbidden) {
		t.Errorf("an agent takes it off: %v", err)
	}
	if w := warned(caller); w != "辱骂坐席" {
		t.Errorf("after a refused removal: %q", w)
	}
	if err := l.Unmark(ctx, lead, again); err != nil {
		t.Fatal(err)
	}
	if w, v := warned(caller), list(); w != "" || len(v) != 2 || v[0].InUse {
		t.Errorf("taken off: %q %+v", w, v)
	}
	if err := l.Unmark(ctx, lead, again); fault.KindOf(err) != fault.Conflict {
		t.Errorf("taken off twice: %v", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	l := mustNew(t)
	body := []byte(`{"event":"ring","callId":"c1","number":"13800138021","extension":"8001"}`)
	if _, err := l.post(body, l.at().Add(-6*time.Minute)); !errors.Is(err, cti.ErrSignature) {
		t.Errorf("an old request: %v", err)
	}
	if _, err := l.Receive(ctx, http.Header{}, body); !errors.Is(err, cti.ErrSignature) {
		t.Errorf("no signature: %v", err)
	}
	other := l
	other.signer, _ = standardwebhooks.NewWebhook(secret.NewKey())
	if _, err := other.post(body, l.at()); !errors.Is(err, cti.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	for name, text := range map[string]string{
		"event": `{"event":"sing","callId":"c1"}`, "callId": `{"event":"ring"}`, "key": `{"event":"survey","callId":"c1","key":6}`, "extension": `{"event":"answer","callId":"c1"}`, "body": `[`,
		"direction": `{"event":"ring","callId":"c1","direction":"up"}`,
	} {
		_, err := l.post([]byte(text), l.at())
		if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != name {
			t.Errorf("%s: %v", text, err)
		}
	}
	// Surveys: once each, and of a ticket that is not known they stay.
	for _, e := range []cti.Event{{Kind: cti.Survey, CallID: "s1", Ticket: "TZ1", Key: 2}, {Kind: cti.Survey, CallID: "s2", Ticket: "TZ404", Key: 5}} {
		l.must(e)
		if first, err := l.send(e); err != nil || first {
			t.Errorf("a key that comes again: %v, %v", first, err)
		}
	}
	if !slices.Equal(l.keys, []int{2}) {
		t.Errorf("keys: %v", l.keys)
	}
	for _, do := range []func() error{
		func() error { return l.Mark(ctx, chen, cti.Mark{Number: caller, Reason: "没有", Days: 1}) },
		func() error { _, err := l.Nuisances(ctx, chen); return err },
		func() error {
			return l.SetExtension(ctx, chen, cti.SetExtension{Extension: "1", UserID: 7})
		},
		func() error { _, err := l.Line(ctx, access.Actor{UserID: 30, Party: access.Enterprise}); return err },
	} {
		if err := do(); !errors.Is(err, cti.ErrForbidden) {
			t.Errorf("without the right: %v", err)
		}
	}
}

// TestSameEventAtOnce has the platform send one event many times at once: it is taken once.
func TestSameEventAtOnce(t *testing.T) {
	t.Parallel()
	l := mustNew(t)
	at := l.at()
	body := []byte(fmt.Sprintf(`{"event":"ring","callId":"c1","at":%q,"number":"13800138021","extension":"8001"}`, at.Format(time.RFC3339)))
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 10 {
		wg.Go(func() {
			first, err := l.post(body, at)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if first {
				taken++
			}
		})
	}
	wg.Wait()
	if n, err := l.db.Read().NewSelect().TableExpr("events").Where("type = 'cti.line_changed'").Count(ctx); err != nil || n != 1 || taken != 1 {
		t.Errorf("taken %d times, told %d times, %v", taken, n, err)
	}
}

// paper is what a stream writes to.
type paper struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *paper) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// TestOnlyTheSeatIsTold holds ten streams open, five of two seats each, while calls ring at one and then at the other.
func TestOnlyTheSeatIsTold(t *testing.T) {
	t.Parallel()
	l := mustNew(t)
	hub := live.New(live.Options{DB: l.db, Log: slog.New(slog.DiscardHandler), Audiences: map[string]live.Audience{cti.Object: l.Audience},
		Sessions: func(_ context.Context, ids []int64) (map[int64]access.Actor, error) {
			out := map[int64]access.Actor{}
			for _, id := range ids {
				out[id] = agent(id)
			}
			return out, nil
		}})
	run, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = hub.Run(run) })
	papers := map[int64][]*paper{}
	for i := range 10 {
		a := agent(7 + int64(i%2))
		s, err := hub.Open(ctx, a, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := &paper{}
		papers[a.UserID] = append(papers[a.UserID], p)
		wg.Go(func() { defer s.Close(); _ = s.Serve(run, p) })
	}
	for i := range 6 {
		l.must(cti.Event{Kind: cti.Ring, CallID: fmt.Sprint("c", i), At: l.at(), Number: caller, Extension: []string{"8001", "8002"}[i%2]})
	}
	// Each stream is told of its own line; the last events of both prove that all before them were handed out.
	deadline := time.After(20 * time.Second)
	for _, id := range []int64{7, 8} {
		for _, p := range papers[id] {
			for strings.Count(p.text(), fmt.Sprintf(`"id":%d`, id)) < 3 {
				select {
				case <-deadline:
					t.Fatalf("line %d was told only: %s", id, p.text())
				case <-time.After(5 * time.Millisecond):
				}
			}
		}
	}
	stop()
	wg.Wait()
	for id, list := range papers {
		for _, p := range list {
			if strings.Contains(p.text(), fmt.Sprintf(`"id":%d`, 15-id)) || strings.Contains(p.text(), caller) {
				t.Errorf("the stream of seat %d tells of another line: %s", id, p.text())
			}
		}
	}
}

// TestExtensionsKeepTheNameOfTheAccount: the name comes from who sits at the desk, never from the request.
func TestExtensionsKeepTheNameOfTheAccount(t *testing.T) {
	t.Parallel()
	l := mustNew(t)
	names := func() string {
		t.Helper()
		list, err := l.Extensions(ctx, lead)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, x := range list {
			out = append(out, x.Extension+x.Name)
		}
		return strings.Join(out, " ")
	}
	if err := l.SetExtension(ctx, lead, cti.SetExtension{Extension: "9001", UserID: 99}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a telephone for somebody without a seat: %v", err)
	}
	if err := l.SetExtension(ctx, lead, cti.SetExtension{UserID: 99}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("taken from somebody who has none: %v", err)
	}
	for range 2 {
		if err := l.SetExtension(ctx, lead, cti.SetExtension{Extension: "8002", UserID: 7, Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(); got != "8002坐席7" {
		t.Errorf("%s: the extension goes over, the old one is gone", got)
	}
	if err := l.SetExtension(ctx, lead, cti.SetExtension{UserID: 7}); err != nil || names() != "" {
		t.Errorf("%q is left, %v", names(), err)
	}
}
