package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

var start = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// fact is something that happens to a thing in these tests.
type fact struct {
	Kind   string `json:"-"`
	ID     int64  `json:"id"`
	Number string `json:"number"`
	Status string `json:"status"`
	Title  string `json:"title"`
	Owner  string `json:"owner"`
	Note   string `json:"note"`
	UserID int64  `json:"userId"`
}

func (f fact) Event() (string, string, int64) { return "thing." + f.Kind, "thing", f.ID }

var (
	topics = []exchange.Topic{{Type: "thing.opened", Label: "开单", Group: "事项"}, {Type: "thing.closed", Label: "办结", Group: "事项"}}
	fields = []exchange.Field{
		{Object: "thing", Key: "title", Label: "标题", Kind: exchange.Plain, Standard: true},
		{Object: "thing", Key: "owner", Label: "联系人", Kind: exchange.Name},
		{Object: "thing", Key: "note", Label: "备注", Kind: exchange.Plain},
		{Object: "thing", Key: "actor", Label: "办理人", Kind: exchange.Name},
	}
)

// pushed is one push that arrived at the far side.
type pushed struct {
	url, secret, id, body string
	taken                 bool
}

// farSide stands for every partner: answer says what becomes of a push.
type farSide struct {
	mu     sync.Mutex
	log    []pushed
	answer func(m exchange.Message) exchange.Outcome
	now    map[string]int // on the way, by the id of the message
	most   int
	twice  bool
}

var taken = exchange.Outcome{Taken: true, Status: 200, Receipt: "R-1"}

func (f *farSide) Check(e exchange.Endpoint) error {
	if !strings.HasPrefix(e.URL, "https://") {
		return fault.InvalidField("url", "URL", "推送地址应以 https:// 开头")
	}
	return nil
}

func (f *farSide) Encode(e exchange.Envelope) ([]byte, error) {
	return json.Marshal(map[string]any{"id": e.ID, "type": e.Type, "source": e.Source, "subject": e.Subject, "sequence": e.Sequence, "data": e.Data})
}

func (f *farSide) NewSecret() string { return "whsec_" + secret.Token() }

func (f *farSide) Push(_ context.Context, e exchange.Endpoint, m exchange.Message) exchange.Outcome {
	f.mu.Lock()
	f.now[m.ID]++
	f.twice = f.twice || f.now[m.ID] > 1
	f.most = max(f.most, len(f.now))
	answer := f.answer
	f.mu.Unlock()
	out := answer(m)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now[m.ID]--; f.now[m.ID] == 0 {
		delete(f.now, m.ID)
	}
	f.log = append(f.log, pushed{e.URL, e.Secret, m.ID, string(m.Body), out.Taken})
	return out
}

func (f *farSide) say(answer func(m exchange.Message) exchange.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *farSide) got() []pushed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, jobs.Migrations, exchange.Migrations)

type fixture struct {
	*exchange.Service
	t     *testing.T
	db    *database.DB
	clock *clock.Fake
	far   *farSide
	feed  *event.Feed
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{
		t: t, db: databasetest.New(t, steps), clock: clock.NewFake(start),
		far: &farSide{now: map[string]int{}, answer: func(exchange.Message) exchange.Outcome { return taken }},
	}
	w := jobs.NewWorkers()
	f.Service = exchange.New(exchange.Deps{
		DB: f.db, Clock: f.clock, Box: box, Pusher: f.far, Log: slog.New(slog.DiscardHandler), Source: "https://hq.example", Topics: topics, Fields: fields,
	}, w)
	f.Spread(0.5)
	queue, err := jobs.New(context.Background(), f.db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	f.Use(queue)
	f.feed = event.NewFeed(f.db, slog.New(slog.DiscardHandler), f.Listener())
	return f
}

func staffer(perms ...access.Permission) access.Actor {
	slices.Sort(perms)
	return access.Actor{UserID: 9, Name: "周敏", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: perms}
}

var (
	manager  = staffer(exchange.PermView, exchange.PermManage)
	viewer   = staffer(exchange.PermView)
	stranger = access.Actor{UserID: 7, Name: "王芳", Party: access.Enterprise, EnterpriseID: 70, Scope: access.ScopeSelf}
)

func wanted(name string) exchange.PartnerFields {
	return exchange.PartnerFields{
		Name: name, URL: "https://partner.example/events", Events: []string{"thing.opened", "thing.closed"}, Fields: []string{"thing.title"},
		CallsPerMinute: 60, CallsPerDay: 1000,
	}
}

func (f fixture) mustCreate(code string) exchange.PartnerView {
	f.t.Helper()
	v, err := f.Create(context.Background(), manager, exchange.CreatePartner{Code: code, PartnerFields: wanted(code)})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// happen announces facts about things and has the listener read them.
func (f fixture) happen(facts ...fact) {
	f.t.Helper()
	for _, one := range facts {
		if one.Number == "" {
			one.Number = fmt.Sprintf("GD20261122-%06d", one.ID)
		}
		err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			_, err := event.Append(ctx, tx, access.Actor{UserID: 7, Name: "王芳芳"}, f.clock.Now(), one)
			return err
		})
		if err != nil {
			f.t.Fatal(err)
		}
	}
	if err := f.feed.Drain(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) pump(partner int64) {
	f.t.Helper()
	if err := f.Pump(context.Background(), partner); err != nil {
		f.t.Fatal(err)
	}
}

// all lists the deliveries of a partner, oldest first.
func (f fixture) all(partner int64) []exchange.DeliveryItem {
	f.t.Helper()
	items, _, err := f.Deliveries(context.Background(), viewer, exchange.DeliveryFilter{PartnerID: partner, Limit: 100})
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Reverse(items)
	return items
}

func (f fixture) standing(partner int64) string {
	f.t.Helper()
	var out []string
	for _, d := range f.all(partner) {
		out = append(out, string(d.State))
	}
	return strings.Join(out, " ")
}

func ids(log []pushed) string {
	var out []string
	for _, p := range log {
		parts := strings.Split(p.id, "_")
		mark := ""
		if !p.taken {
			mark = "!"
		}
		out = append(out, parts[1]+mark)
	}
	return strings.Join(out, " ")
}

func refuse(status int) func(exchange.Message) exchange.Outcome {
	return func(exchange.Message) exchange.Outcome {
		return exchange.Outcome{Trouble: exchange.Answered, Status: status}
	}
}

func TestEventsReachWhoSubscribed(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.happen(fact{Kind: "opened", ID: 1, Title: "早于对接"})
	p := f.mustCreate("city")
	other, err := f.Create(ctx, manager, exchange.CreatePartner{Code: "data", PartnerFields: func() exchange.PartnerFields {
		w := wanted("data")
		w.Events = []string{"thing.closed"}
		return w
	}()})
	if err != nil {
		t.Fatal(err)
	}
	f.happen(fact{Kind: "opened", ID: 2, Title: "路灯不亮"}, fact{Kind: "noticed", ID: 2}, fact{Kind: "closed", ID: 2, Title: "路灯不亮"})
	f.pump(p.ID)
	f.pump(other.ID)
	if got := f.standing(p.ID); got != "delivered delivered" {
		t.Errorf("city: %s", got)
	}
	if got := f.standing(other.ID); got != "delivered" {
		t.Errorf("data: %s", got)
	}
	log := f.far.got()
	if len(log) != 3 || log[0].id != "evt_2_city" || log[1].id != "evt_4_city" || log[2].id != "evt_4_data" {
		t.Fatalf("pushed %+v", log)
	}
	want := `{"data":{"number":"GD20261122-000002","status":"","title":"路灯不亮"},"id":"evt_2_city","sequence":1,"source":"https://hq.example/thing","subject":"GD20261122-000002","type":"cn.huiqi.thing.opened"}`
	if log[0].body != want {
		t.Errorf("body %s\nwant %s", log[0].body, want)
	}
	if log[0].secret != p.Secret || p.Secret == "" || log[2].secret != other.Secret || p.Secret == other.Secret {
		t.Error("a push is not signed with its partner's own secret")
	}
	v, err := f.Delivery(ctx, viewer, f.all(p.ID)[0].ID)
	if err != nil || v.Receipt != "R-1" || v.Body != want || len(v.History) != 1 || !v.History[0].OK {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestReadingAgainKeepsOne(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1})
	if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE event_cursors SET pos = 0")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	f.happen()
	if n := len(f.all(p.ID)); n != 1 {
		t.Errorf("%d deliveries of one event", n)
	}
}

func TestOrderUnderFailures(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	p := f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1}, fact{Kind: "opened", ID: 2}, fact{Kind: "closed", ID: 1}, fact{Kind: "closed", ID: 2})
	failing := map[string]int{"evt_1_city": 3, "evt_4_city": 1}
	f.far.say(func(m exchange.Message) exchange.Outcome {
		if failing[m.ID] > 0 {
			failing[m.ID]--
			return exchange.Outcome{Trouble: exchange.Answered, Status: 500}
		}
		return taken
	})
	f.pump(p.ID)
	// 3 is of the same object as 1 and waits for it; the other object goes its own way.
	if got := ids(f.far.got()); got != "1! 2 4!" {
		t.Fatalf("pushed %s", got)
	}
	if got := f.standing(p.ID); got != "failed delivered queued failed" {
		t.Fatalf("standing %s", got)
	}
	if items := f.all(p.ID); !items[2].Waits || items[0].NextAt == nil || !items[0].NextAt.Equal(start.Add(time.Second)) {
		t.Errorf("%+v", items)
	}
	f.pump(p.ID)
	if n := len(f.far.got()); n != 3 {
		t.Fatalf("%d pushes before the pause was over", n)
	}
	for _, step := range []struct {
		wait time.Duration
		want string
	}{{time.Second, "1! 4"}, {5 * time.Second, "1!"}, {30 * time.Second, "1 3"}} {
		before := len(f.far.got())
		f.clock.Advance(step.wait)
		f.pump(p.ID)
		if got := ids(f.far.got()[before:]); got != step.want {
			t.Errorf("after %s pushed %s, want %s", step.wait, got, step.want)
		}
	}
	bodies := map[string]string{}
	for _, one := range f.far.got() {
		if b, seen := bodies[one.id]; seen && b != one.body {
			t.Errorf("%s came with another body", one.id)
		}
		bodies[one.id] = one.body
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	p := f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1})
	f.far.say(func(exchange.Message) exchange.Outcome {
		return exchange.Outcome{Trouble: exchange.Answered, Status: 429, RetryAfter: 7 * time.Minute}
	})
	f.pump(p.ID)
	if at := f.all(p.ID)[0].NextAt; at == nil || !at.Equal(start.Add(7*time.Minute)) {
		t.Errorf("next at %v", at)
	}
}

func TestDeadStopsItsObjectOnly(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p, other := f.mustCreate("city"), f.mustCreate("data")
	f.happen(fact{Kind: "opened", ID: 1}, fact{Kind: "closed", ID: 1}, fact{Kind: "opened", ID: 2})
	f.far.say(func(m exchange.Message) exchange.Outcome {
		if m.ID == "evt_1_city" {
			return exchange.Outcome{Trouble: exchange.Answered, Status: 422}
		}
		return taken
	})
	f.pump(p.ID)
	f.pump(other.ID)
	if got := f.standing(p.ID); got != "dead queued delivered" {
		t.Fatalf("city: %s", got)
	}
	if got := f.standing(other.ID); got != "delivered delivered delivered" {
		t.Fatalf("data: %s", got)
	}
	f.happen(fact{Kind: "closed", ID: 2}, fact{Kind: "opened", ID: 1})
	f.clock.Advance(25 * time.Hour)
	if err := f.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	f.pump(p.ID)
	if got := f.standing(p.ID); got != "dead queued delivered delivered queued" {
		t.Fatalf("a day later: %s", got)
	}
	dead := f.all(p.ID)[0]
	v, err := f.Partner(ctx, viewer, p.ID)
	if err != nil || v.Dead != 1 || v.Waiting != 3 || v.Oldest == nil || !v.Oldest.Equal(start) {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := f.Replay(ctx, viewer, exchange.Decision{ID: dead.ID, Reason: "对方已修复"}); !errors.Is(err, exchange.ErrForbidden) {
		t.Errorf("replayed without the right: %v", err)
	}
	if _, err := f.Replay(ctx, manager, exchange.Decision{ID: dead.ID, Reason: " "}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("replayed without a reason: %v", err)
	}
	again, err := f.Replay(ctx, manager, exchange.Decision{ID: dead.ID, Reason: "对方已修复"})
	if err != nil || again.State != exchange.Queued {
		t.Fatalf("%+v, %v", again, err)
	}
	f.far.say(func(exchange.Message) exchange.Outcome { return taken })
	before := len(f.far.got())
	f.pump(p.ID)
	if got := ids(f.far.got()[before:]); got != "1 2 6" {
		t.Errorf("after the replay %s", got)
	}
	log := f.far.got()
	if first := log[slices.IndexFunc(log, func(x pushed) bool { return x.id == "evt_1_city" })]; first.body != log[before].body || first.taken {
		t.Error("the replay is not the same push")
	}
	done, err := f.Delivery(ctx, manager, dead.ID)
	if err != nil || len(done.History) != 3 || done.History[1].Kind != "replay" || done.History[1].Actor != "周敏" || done.History[1].Reason != "对方已修复" {
		t.Errorf("history %+v, %v", done.History, err)
	}
}

// announced lists what the exchange itself announced, with the numbers and reasons.
func (f fixture) announced() []string {
	f.t.Helper()
	var rows []event.Event
	if err := f.db.Read().NewSelect().Model(&rows).Where("object = ?", exchange.Object).OrderExpr("id").Scan(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	out := []string{}
	for _, e := range rows {
		var s exchange.Stopped
		if err := e.Decode(&s); err != nil || s.ID != e.ObjectID || s.Reason == "" {
			f.t.Fatalf("%s: %+v, %v", e.Type, s, err)
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Type, s.Name, s.Number)))
	}
	return out
}

// TestAStopIsAnnouncedOnce has objects of two partners die, and again after people settled them.
func TestAStopIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p, other := f.mustCreate("city"), f.mustCreate("data")
	f.happen(fact{Kind: "opened", ID: 1}, fact{Kind: "opened", ID: 2})
	f.far.say(refuse(422))
	f.pump(p.ID)
	f.pump(other.ID)
	want := []string{"exchange.stopped city GD20261122-000001", "exchange.stopped data GD20261122-000001"}
	if got := f.announced(); !slices.Equal(got, want) || f.standing(p.ID) != "dead dead" {
		t.Fatalf("%q, %s", got, f.standing(p.ID))
	}
	for _, d := range f.all(p.ID) {
		if _, err := f.Skip(ctx, manager, exchange.Decision{ID: d.ID, Reason: "对方不再需要此事件"}); err != nil {
			t.Fatal(err)
		}
	}
	f.happen(fact{Kind: "opened", ID: 3})
	f.pump(p.ID)
	if got, want := f.announced(), append(want, "exchange.stopped city GD20261122-000003"); !slices.Equal(got, want) {
		t.Fatalf("after they were settled %q", got)
	}
	if _, err := f.Replay(ctx, manager, exchange.Decision{ID: f.all(p.ID)[2].ID, Reason: "对方已修复"}); err != nil {
		t.Fatal(err)
	}
	f.pump(p.ID) // and it dies again
	if got := f.announced(); len(got) != 4 {
		t.Errorf("after a replay %q", got)
	}
}

func TestSkip(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1}, fact{Kind: "closed", ID: 1})
	f.far.say(refuse(400))
	f.pump(p.ID)
	first := f.all(p.ID)[0]
	f.far.say(func(exchange.Message) exchange.Outcome { return taken })
	for range 2 { // the same click twice
		v, err := f.Skip(ctx, manager, exchange.Decision{Key: "k", ID: first.ID, Reason: "对方不再需要此事件"})
		if err != nil || v.State != exchange.Skipped {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if _, err := f.Skip(ctx, manager, exchange.Decision{ID: first.ID, Reason: "再次跳过"}); !errors.Is(err, exchange.ErrState) {
		t.Errorf("skipped twice: %v", err)
	}
	f.pump(p.ID)
	if got := f.standing(p.ID); got != "skipped delivered" {
		t.Errorf("standing %s", got)
	}
	var n int
	if err := f.db.Read().NewSelect().TableExpr("audit_entries").ColumnExpr("count(*)").Where("action = 'exchange.skip'").Scan(ctx, &n); err != nil || n != 1 {
		t.Errorf("%d audit rows, %v", n, err)
	}
	if _, err := f.Skip(ctx, stranger, exchange.Decision{ID: first.ID, Reason: "不该由我"}); !errors.Is(err, exchange.ErrForbidden) {
		t.Errorf("a company skipped: %v", err)
	}
	if _, err := f.Skip(ctx, manager, exchange.Decision{ID: 999, Reason: "不存在"}); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("skipped nothing: %v", err)
	}
}

func TestADayOfTryingIsEnough(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	p := f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1})
	f.far.say(refuse(503))
	for i := 0; f.standing(p.ID) != "dead"; i++ {
		if i > 400 {
			t.Fatal("never given up")
		}
		f.pump(p.ID)
		f.clock.Advance(10 * time.Minute)
	}
	if age := f.clock.Now().Sub(start); age < 23*time.Hour || age > 25*time.Hour {
		t.Errorf("given up after %s", age)
	}
	if reason := f.all(p.ID)[0].Reason; !strings.Contains(reason, "24 小时") {
		t.Errorf("reason %q", reason)
	}
}

func TestWhatASlowOrDeadWorkerLeaves(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1}, fact{Kind: "closed", ID: 1})
	hang, began := make(chan struct{}), make(chan struct{})
	f.far.say(func(exchange.Message) exchange.Outcome {
		close(began)
		<-hang
		return exchange.Outcome{Trouble: exchange.Answered, Status: 500}
	})
	done := make(chan error, 1)
	go func() { done <- f.Pump(ctx, p.ID) }()
	<-began
	f.far.say(func(exchange.Message) exchange.Outcome { return taken })
	f.clock.Advance(exchange.Lease - time.Second)
	f.pump(p.ID)
	if n := len(f.far.got()); n != 0 {
		t.Fatalf("%d pushes while the first worker may still be at it", n)
	}
	f.clock.Advance(time.Second)
	f.pump(p.ID)
	if got := ids(f.far.got()); got != "1 2" {
		t.Fatalf("taken over: %s", got)
	}
	close(hang) // the slow one comes back with a failure, too late to say anything
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := f.standing(p.ID); got != "delivered delivered" {
		t.Errorf("standing %s", got)
	}
	v, err := f.Delivery(ctx, viewer, f.all(p.ID)[0].ID)
	if err != nil || v.Attempts != 2 || len(v.History) != 2 || v.History[0].Kind != "lost" || v.History[1].Number != 2 {
		t.Errorf("%+v, %v", v.History, err)
	}
}

// TestWorkersAtOnce has many workers push what many objects announce: nothing goes twice at the same time, nothing out of
// order, no more at once than there is room for, and all of it arrives.
func TestWorkersAtOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	const objects, events = 12, 4
	for n := range events {
		kind := "opened"
		if n > 0 {
			kind = "closed"
		}
		for id := range int64(objects) {
			f.happen(fact{Kind: kind, ID: id + 1})
		}
	}
	var calls atomic.Int64
	second := make(chan struct{})
	f.far.say(func(exchange.Message) exchange.Outcome {
		n := calls.Add(1)
		switch n {
		case 1: // stays on the way until another object's is as well
			select {
			case <-second:
			case <-time.After(20 * time.Second):
			}
		case 2:
			close(second)
		}
		if n%5 == 0 {
			return exchange.Outcome{Trouble: exchange.Answered, Status: 409} // about one content, not the partner as a whole
		}
		return taken
	})
	for range 60 {
		var wg sync.WaitGroup
		for range 12 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := f.Pump(ctx, p.ID); err != nil {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
		f.clock.Advance(15 * time.Minute)
	}
	seq := map[string]float64{}
	got := map[string]bool{}
	for _, one := range f.far.got() {
		var e struct {
			Subject  string
			Sequence float64
		}
		if err := json.Unmarshal([]byte(one.body), &e); err != nil {
			t.Fatal(err)
		}
		if one.taken {
			if got[one.id] {
				t.Errorf("%s was taken twice", one.id)
			}
			got[one.id] = true
			if e.Sequence != seq[e.Subject]+1 {
				t.Errorf("%s: %v after %v", e.Subject, e.Sequence, seq[e.Subject])
			}
			seq[e.Subject] = e.Sequence
		}
	}
	if len(got) != objects*events {
		t.Errorf("%d of %d arrived", len(got), objects*events)
	}
	if f.far.twice {
		t.Error("one delivery was on the way twice at the same time")
	}
	if f.far.most > 8 || f.far.most < 2 {
		t.Errorf("%d at once, want 2 to 8", f.far.most)
	}
}

// TestListenAndSettleAtOnce lets events arrive while others are delivered: on PostgreSQL each sees the other's rows only
// once they are committed, and still no head may be left without a time.
func TestListenAndSettleAtOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				if err := f.Pump(ctx, p.ID); err != nil {
					t.Error(err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
	}
	for range 60 {
		f.happen(fact{Kind: "closed", ID: 1})
	}
	close(stop)
	wg.Wait()
	f.pump(p.ID)
	if got := f.standing(p.ID); got != strings.TrimSpace(strings.Repeat("delivered ", 60)) {
		t.Errorf("standing %s", got)
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	if _, err := f.Pause(ctx, viewer, exchange.PartnerRef{ID: p.ID, Version: 1}); !errors.Is(err, exchange.ErrForbidden) {
		t.Errorf("paused without the right: %v", err)
	}
	v, err := f.Pause(ctx, manager, exchange.PartnerRef{ID: p.ID, Version: 1})
	if err != nil || v.State != exchange.Paused || v.Version != 2 {
		t.Fatalf("%+v, %v", v, err)
	}
	f.happen(fact{Kind: "opened", ID: 1}, fact{Kind: "closed", ID: 1})
	f.pump(p.ID)
	if got := f.standing(p.ID); got != "queued queued" || len(f.far.got()) != 0 {
		t.Fatalf("while paused: %s", got)
	}
	_, err = f.Resume(ctx, manager, exchange.PartnerRef{ID: p.ID, Version: 1})
	if !errors.Is(err, exchange.ErrStale) || !strings.Contains(err.Error(), "周敏") {
		t.Errorf("resumed with a stale version: %v", err)
	}
	if _, err = f.Resume(ctx, manager, exchange.PartnerRef{ID: p.ID, Version: 2}); err != nil {
		t.Fatal(err)
	}
	f.pump(p.ID)
	if got := ids(f.far.got()); got != "1 2" {
		t.Errorf("after resuming %s", got)
	}
}

func TestBodyIsFrozen(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1, Title: "路灯不亮", Note: "内部"})
	f.far.say(refuse(500))
	f.pump(p.ID)
	w := wanted("改了名")
	w.Fields = []string{"thing.note"}
	w.URL = "https://new.example/events"
	v, err := f.Update(ctx, manager, exchange.UpdatePartner{ID: p.ID, Version: 1, PartnerFields: w})
	if err != nil || v.Name != "改了名" || v.Secret != "" {
		t.Fatalf("%+v, %v", v, err)
	}
	renewed, err := f.RenewSecret(ctx, manager, exchange.PartnerRef{ID: p.ID, Version: 2})
	if err != nil || renewed.Secret == "" || renewed.Secret == p.Secret {
		t.Fatalf("%+v, %v", renewed, err)
	}
	f.far.say(func(exchange.Message) exchange.Outcome { return taken })
	f.clock.Advance(time.Minute)
	f.pump(p.ID)
	f.happen(fact{Kind: "opened", ID: 2, Title: "路灯不亮", Note: "内部"})
	f.pump(p.ID)
	log := f.far.got()
	if len(log) != 3 || log[0].body != log[1].body || !strings.Contains(log[1].body, "路灯不亮") || strings.Contains(log[1].body, "内部") {
		t.Fatalf("%+v", log)
	}
	if log[1].url != "https://new.example/events" || log[1].secret != renewed.Secret {
		t.Error("the repeat did not go to the new address with the new secret")
	}
	if strings.Contains(log[2].body, "路灯不亮") || !strings.Contains(log[2].body, "内部") {
		t.Errorf("the new choice of fields does not count: %s", log[2].body)
	}
}

func TestWhatNeverLeaves(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	all := []string{"thing.title", "thing.owner", "thing.note", "thing.actor"}
	for code, names := range map[string]bool{"masked": false, "named": true} {
		w := wanted(code)
		w.Fields, w.ShowNames = all, names
		if _, err := f.Create(ctx, manager, exchange.CreatePartner{Code: code, PartnerFields: w}); err != nil {
			t.Fatal(err)
		}
	}
	f.happen(fact{Kind: "opened", ID: 1, Title: "请拨 138 0013 8000", Owner: "林晓梅", Note: "身份证 11010519491231002X，备用 13900139000", UserID: 424242})
	items, _, err := f.Deliveries(ctx, viewer, exchange.DeliveryFilter{})
	if err != nil || len(items) != 2 {
		t.Fatalf("%d, %v", len(items), err)
	}
	for _, i := range items {
		v, err := f.Delivery(ctx, viewer, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"13800138000", "0013 8000", "13900139000", "11010519491231002X", "424242", "userId"} {
			if strings.Contains(v.Body, secret) {
				t.Errorf("%s: %q left: %s", i.PartnerName, secret, v.Body)
			}
		}
		if named := strings.Contains(v.Body, "林晓梅") && strings.Contains(v.Body, "王芳芳"); named != (i.PartnerName == "named") {
			t.Errorf("%s: %s", i.PartnerName, v.Body)
		}
		if i.PartnerName == "masked" && (!strings.Contains(v.Body, "林**") || strings.Contains(v.Body, "王芳")) {
			t.Errorf("names of %s", v.Body)
		}
		if !strings.Contains(v.Body, "GD20261122-000001") {
			t.Errorf("the number was masked: %s", v.Body)
		}
	}
}

func TestPartnerOfADown(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	for id := range int64(7) {
		f.happen(fact{Kind: "opened", ID: id + 1})
	}
	f.far.say(func(exchange.Message) exchange.Outcome { return exchange.Outcome{Trouble: exchange.Refused} })
	for range 4 {
		f.pump(p.ID)
		f.clock.Advance(5 * time.Minute)
	}
	v, err := f.Partner(ctx, viewer, p.ID)
	if err != nil || !v.Down || v.Failed != 7 {
		t.Fatalf("%+v, %v", v, err)
	}
	if got := f.announced(); !slices.Equal(got, []string{"exchange.down city"}) {
		t.Errorf("announced %q", got)
	}
	// One object is due first; once it is taken the others need not wait for their own time.
	f.far.say(func(exchange.Message) exchange.Outcome { return taken })
	next := time.Time{}
	for _, d := range f.all(p.ID) {
		if next.IsZero() || d.NextAt.Before(next) {
			next = *d.NextAt
		}
	}
	if f.clock.Now().Before(next) {
		f.clock.Advance(next.Sub(f.clock.Now()))
	}
	f.pump(p.ID)
	if got := f.standing(p.ID); strings.Contains(got, "failed") {
		t.Errorf("after the partner is back: %s", got)
	}
	if v, err = f.Partner(ctx, viewer, p.ID); err != nil || v.Down || v.Delivered != 7 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestCreateChecks(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for name, c := range map[string]struct {
		field string
		edit  func(*exchange.CreatePartner)
	}{
		"no name":       {"name", func(c *exchange.CreatePartner) { c.Name = " " }},
		"code":          {"code", func(c *exchange.CreatePartner) { c.Code = "City Hotline" }},
		"plain address": {"url", func(c *exchange.CreatePartner) { c.URL = "http://partner.example/" }},
		"loopback":      {"allowCidrs", func(c *exchange.CreatePartner) { c.AllowCIDRs = []string{"127.0.0.0/8"} }},
		"no such topic": {"events", func(c *exchange.CreatePartner) { c.Events = []string{"thing.exploded"} }},
		"no such field": {"fields", func(c *exchange.CreatePartner) { c.Fields = []string{"thing.phone"} }},
		"no calls":      {"callsPerMinute", func(c *exchange.CreatePartner) { c.CallsPerMinute = 0 }},
	} {
		cmd := exchange.CreatePartner{Code: "city", PartnerFields: wanted("市平台")}
		c.edit(&cmd)
		_, err := f.Create(ctx, manager, cmd)
		var wrong *fault.Fault
		if !errors.As(err, &wrong) || len(wrong.Fields) != 1 || wrong.Fields[0].Name != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Create(ctx, viewer, exchange.CreatePartner{Code: "city", PartnerFields: wanted("市平台")}); !errors.Is(err, exchange.ErrForbidden) {
		t.Errorf("created without the right: %v", err)
	}
	cmd := exchange.CreatePartner{Key: "k", Code: "city", PartnerFields: wanted("市平台")}
	first, err := f.Create(ctx, manager, cmd)
	if err != nil || first.Secret == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := f.Create(ctx, manager, cmd)
	if err != nil || again.ID != first.ID || again.Secret != "" {
		t.Errorf("the same click twice: %+v, %v", again, err)
	}
	if _, err := f.Create(ctx, manager, exchange.CreatePartner{Code: "city", PartnerFields: wanted("另一个")}); !errors.Is(err, exchange.ErrCode) {
		t.Errorf("a taken code: %v", err)
	}
	for _, table := range []string{"exchange_partners", "idempotency_keys", "audit_entries"} {
		var rows []map[string]any
		if err := f.db.Read().NewSelect().TableExpr(table).Scan(ctx, &rows); err != nil || len(rows) == 0 {
			t.Fatalf("%s: %v", table, err)
		}
		if strings.Contains(fmt.Sprint(rows), first.Secret) {
			t.Errorf("%s holds the secret in clear", table)
		}
	}
}

func TestTwoChangesAtOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	errs := make(chan error, 2)
	for n := range 2 {
		go func() {
			_, err := f.Update(ctx, manager, exchange.UpdatePartner{ID: p.ID, Version: 1, PartnerFields: wanted(fmt.Sprintf("名称%d", n))})
			errs <- err
		}()
	}
	first, second := <-errs, <-errs
	if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), exchange.ErrStale) {
		t.Errorf("%v and %v", first, second)
	}
}

func TestInstalledPartner(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	in := exchange.InstalledPartner{Code: "city", Secret: "whsec_one", Hosts: []string{"127.0.0.1:1"}, PartnerFields: wanted("市平台")}
	if err := f.Ensure(ctx, manager, in); !errors.Is(err, exchange.ErrForbidden) {
		t.Errorf("a person installed a partner: %v", err)
	}
	system := access.SystemActor("test")
	if err := f.Ensure(ctx, system, in); err != nil {
		t.Fatal(err)
	}
	f.happen(fact{Kind: "opened", ID: 1})
	f.far.say(refuse(500))
	f.pump(1)
	in.URL, in.Secret, in.Name = "https://elsewhere.example/", "whsec_two", "不改名"
	if err := f.Ensure(ctx, system, in); err != nil {
		t.Fatal(err)
	}
	f.pump(1) // what waited for the old address goes at once
	log := f.far.got()
	if len(log) != 2 || log[1].url != in.URL || log[1].secret != "whsec_two" {
		t.Errorf("%+v", log)
	}
	if v, err := f.Partner(ctx, viewer, 1); err != nil || v.Name != "市平台" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestPartnerWhoPulls(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	f.far.say(refuse(500))
	f.happen(fact{Kind: "opened", ID: 1})
	f.pump(p.ID)
	w := wanted("只拉取")
	w.URL = ""
	if _, err := f.Update(ctx, manager, exchange.UpdatePartner{ID: p.ID, Version: 1, PartnerFields: w}); err != nil {
		t.Fatal(err)
	}
	f.happen(fact{Kind: "closed", ID: 1})
	f.clock.Advance(time.Hour)
	f.pump(p.ID)
	if got := f.standing(p.ID); got != "kept kept" || len(f.far.got()) != 1 {
		t.Errorf("standing %s", got)
	}
	if _, err := f.Replay(ctx, manager, exchange.Decision{ID: f.all(p.ID)[0].ID, Reason: "试试"}); !errors.Is(err, exchange.ErrState) {
		t.Errorf("pushed to nowhere: %v", err)
	}
}

func (f fixture) mustKey(partner int64, scopes ...access.Permission) exchange.KeyView {
	f.t.Helper()
	k, err := f.Issue(context.Background(), manager, exchange.IssueKey{PartnerID: partner, Name: "生产", Scopes: scopes})
	if err != nil {
		f.t.Fatal(err)
	}
	return k
}

func TestKeys(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p, other := f.mustCreate("city"), f.mustCreate("data")
	f.happen(fact{Kind: "opened", ID: 1}, fact{Kind: "closed", ID: 1})
	key, foreign := f.mustKey(p.ID, exchange.ScopeEvents), f.mustKey(other.ID)
	if len(key.Plain) < 30 || !strings.HasPrefix(key.Plain, key.Start) {
		t.Fatalf("%+v", key)
	}
	actor, err := f.Authenticate(ctx, key.Plain)
	if err != nil || actor.PartnerID != p.ID || !actor.Can(exchange.ScopePing) || actor.Can(exchange.PermView) {
		t.Fatalf("%+v, %v", actor, err)
	}
	events, more, err := f.Events(ctx, actor, "", 1)
	if err != nil || len(events) != 1 || !more || !strings.Contains(string(events[0].Body), "evt_1_city") {
		t.Fatalf("%d, %v, %v", len(events), more, err)
	}
	events, more, err = f.Events(ctx, actor, events[0].Cursor, 10)
	if err != nil || len(events) != 1 || more || !strings.Contains(string(events[0].Body), "evt_2_city") {
		t.Fatalf("%d, %v, %v", len(events), more, err)
	}
	outsider, err := f.Authenticate(ctx, foreign.Plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Events(ctx, outsider, "", 10); !errors.Is(err, exchange.ErrForbidden) {
		t.Errorf("a key without the scope: %v", err)
	}
	if _, err := f.Partner(ctx, actor, p.ID); !errors.Is(err, exchange.ErrForbidden) {
		t.Errorf("a key in the back office: %v", err)
	}
	if _, _, err := f.Events(ctx, manager, "", 10); !errors.Is(err, exchange.ErrForbidden) {
		t.Errorf("a person pulled: %v", err)
	}
	f.Called(ctx, actor, "GET", "/open/v1/events", 200)
	keys, err := f.Keys(ctx, viewer, p.ID)
	if err != nil || len(keys) != 1 || keys[0].UsedAt == nil || keys[0].Plain != "" {
		t.Errorf("%+v, %v", keys, err)
	}
	if calls, _, err := f.Calls(ctx, viewer, p.ID, "", 10); err != nil || len(calls) != 1 || calls[0].KeyName != "生产" || calls[0].Status != 200 {
		t.Errorf("%+v, %v", calls, err)
	}
	if v, err := f.Revoke(ctx, manager, exchange.KeyRef{ID: key.ID}); err != nil || v.RevokedAt == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	for name, plain := range map[string]string{"revoked": key.Plain, "invented": "hqk_" + secret.Token(), "empty": "", "a hash": "x"} {
		if _, err := f.Authenticate(ctx, plain); !errors.Is(err, exchange.ErrKey) {
			t.Errorf("%s key: %v", name, err)
		}
	}
	var stored []string
	if err := f.db.Read().NewSelect().TableExpr("exchange_keys").Column("hash").Scan(ctx, &stored); err != nil || slices.Contains(stored, key.Plain) {
		t.Errorf("%v, %v", stored, err)
	}
}

func TestKeyOfAnotherPartnerSeesNothing(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1})
	late := f.mustCreate("late")
	actor, err := f.Authenticate(ctx, f.mustKey(late.ID, exchange.ScopeEvents).Plain)
	if err != nil {
		t.Fatal(err)
	}
	if events, more, err := f.Events(ctx, actor, "", 100); err != nil || len(events) != 0 || more {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	w := wanted("小配额")
	w.CallsPerMinute, w.CallsPerDay = 3, 4
	p, err := f.Create(ctx, manager, exchange.CreatePartner{Code: "small", PartnerFields: w})
	if err != nil {
		t.Fatal(err)
	}
	plain := f.mustKey(p.ID).Plain
	call := func() error {
		a, err := f.Authenticate(ctx, plain)
		if err == nil {
			f.Called(ctx, a, "GET", "/open/v1/ping", 200)
		}
		return err
	}
	for range 3 {
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	var full *fault.Fault
	if err := call(); !errors.As(err, &full) || !errors.Is(err, exchange.ErrQuota) || full.RetryAfter < 1 || full.RetryAfter > 60 {
		t.Fatalf("the fourth in a minute: %v", err)
	}
	f.clock.Advance(time.Minute)
	if err := call(); err != nil {
		t.Fatal(err)
	}
	if err := call(); !errors.Is(err, exchange.ErrQuota) || !strings.Contains(err.Error(), "今日") {
		t.Fatalf("the fifth of the day: %v", err)
	}
	f.clock.Advance(24 * time.Hour)
	if err := call(); err != nil {
		t.Fatalf("the next day: %v", err)
	}
	f.clock.Advance(100 * 24 * time.Hour)
	if err := f.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	if calls, _, err := f.Calls(ctx, viewer, p.ID, "", 10); err != nil || len(calls) != 0 {
		t.Errorf("%d calls are kept for good, %v", len(calls), err)
	}
}

// TestSweepWakes has the sweeper find what nobody was woken for, with the queue at work.
func TestSweepWakes(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	f.happen(fact{Kind: "opened", ID: 1}, fact{Kind: "closed", ID: 1})
	for what, break_ := range map[string]string{
		"jobs are gone":    "DELETE FROM river_job",
		"a head lost time": "UPDATE exchange_deliveries SET next_at = NULL",
	} {
		if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, break_)
			return err
		}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if err := f.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := f.db.Read().NewSelect().TableExpr("river_job").ColumnExpr("count(*)").Where("kind = 'exchange.pump'").Scan(ctx, &n); err != nil || n != 1 {
		t.Fatalf("%d jobs, %v", n, err)
	}
	f.pump(p.ID)
	if got := f.standing(p.ID); got != "delivered delivered" {
		t.Errorf("standing %s", got)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	p := f.mustCreate("city")
	for id := range int64(5) {
		f.happen(fact{Kind: "opened", ID: id + 1})
	}
	for who, a := range map[string]access.Actor{"a company": stranger, "a visitor": {}} {
		if _, _, err := f.Partners(ctx, a, exchange.PartnerFilter{}); err == nil {
			t.Errorf("%s lists partners", who)
		}
		if _, _, err := f.Deliveries(ctx, a, exchange.DeliveryFilter{}); err == nil {
			t.Errorf("%s lists deliveries", who)
		}
	}
	local := viewer
	local.Scope, local.Party = access.ScopeDepartment, access.Government
	if items, _, err := f.Deliveries(ctx, local, exchange.DeliveryFilter{}); err != nil || len(items) != 0 {
		t.Errorf("a department sees %d, %v", len(items), err)
	}
	if _, err := f.Partner(ctx, local, p.ID); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("a department opens a partner: %v", err)
	}
	page, next, err := f.Deliveries(ctx, viewer, exchange.DeliveryFilter{Limit: 2})
	if err != nil || len(page) != 2 || next == "" || page[0].Subject != "GD20261122-000005" {
		t.Fatalf("%+v, %q, %v", page, next, err)
	}
	rest, end, err := f.Deliveries(ctx, viewer, exchange.DeliveryFilter{Limit: 10, Cursor: next})
	if err != nil || len(rest) != 3 || end != "" {
		t.Errorf("%d, %q, %v", len(rest), end, err)
	}
	if one, _, err := f.Deliveries(ctx, viewer, exchange.DeliveryFilter{Subject: " gd20261122-000003 "}); err != nil || len(one) != 1 {
		t.Errorf("%d, %v", len(one), err)
	}
	if none, _, err := f.Deliveries(ctx, viewer, exchange.DeliveryFilter{State: exchange.Dead}); err != nil || len(none) != 0 {
		t.Errorf("%d, %v", len(none), err)
	}
	if _, _, err := f.Deliveries(ctx, viewer, exchange.DeliveryFilter{State: "lost"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no such state: %v", err)
	}
	if _, _, err := f.Deliveries(ctx, viewer, exchange.DeliveryFilter{Cursor: "x"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no such page: %v", err)
	}
}
