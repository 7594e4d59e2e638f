package supervision_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/supervision"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 30, 1, 0, 0, 0, time.UTC) // Monday, nine in Beijing
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, supervision.Migrations)
	lead  = access.Actor{UserID: 10, Name: "赵强", Party: access.Platform, Permissions: []access.Permission{supervision.PermManage, supervision.PermView}}
	agent = access.Actor{UserID: 7, Name: "陈静", Party: access.Platform}
)

// around tells of a desk, and keeps what the supervisors were told.
type around struct {
	mu   sync.Mutex
	told []string
	// still: the telephone did not ring.
	still bool
}

func (*around) Standing(context.Context, access.Actor) (supervision.Standing, error) {
	return supervision.Standing{Waiting: []supervision.Waiting{{Status: "received", Label: "待处理", Count: 3}}}, nil
}

// Hidden keeps one ticket of today from the agent.
func (*around) Hidden(_ context.Context, a access.Actor, _, _ time.Time) ([]supervision.Fact, error) {
	if a.UserID == lead.UserID {
		return nil, nil
	}
	return []supervision.Fact{{Type: "ticket.opened", At: start}}, nil
}

// List hides ticket 2.
func (*around) List(_ context.Context, _ access.Actor, ids []int64) ([]supervision.TicketView, error) {
	out := []supervision.TicketView{}
	for _, id := range ids {
		if id != 2 {
			out = append(out, supervision.TicketView{ID: id})
		}
	}
	return out, nil
}

func (a *around) Figures(context.Context, bun.IDB, time.Time, time.Time, time.Time) (supervision.Calls, error) {
	if a.still { // as the telephone tells it
		return supervision.Calls{ConnectRate: 1, InTimeRate: 1}, nil
	}
	return supervision.Calls{Calls: 10, Answered: 9, Missed: 1, ConnectRate: 0.9, InTimeRate: 1}, nil
}

func (*around) Counts(context.Context, bun.IDB, time.Time) ([]supervision.Seat, error) {
	return []supervision.Seat{{State: "free", Label: "空闲", Count: 2}}, nil
}

func (*around) Matter(_ context.Context, code string) (string, error) { return "事项" + code, nil }

func (*around) Area(text string) (code, name string) {
	if strings.Contains(text, "中仓") {
		return "110112003", "中仓街道"
	}
	return "", ""
}

func (a *around) Tell(_ context.Context, _ bun.Tx, key, template, _ string, _ map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := template + " " + key; !slices.Contains(a.told, s) {
		a.told = append(a.told, s)
	} else {
		return fmt.Errorf("%s was told twice", s)
	}
	return nil
}

type watch struct {
	*supervision.Service
	*around
	t     *testing.T
	db    *database.DB
	clock *clock.Fake
}

func mustNew(t *testing.T) watch {
	t.Helper()
	a, db, at := &around{}, databasetest.New(t, steps), clock.NewFake(start)
	return watch{supervision.New(supervision.Deps{DB: db, Clock: at, Tickets: a, Telephone: a, Seats: a, Names: a, Messages: a}), a, t, db, at}
}

func (w watch) note(id int64, matter, words string, at time.Time) {
	w.t.Helper()
	if err := w.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return w.Note(ctx, tx, supervision.Received{Ticket: id, Matter: matter, Words: words, At: at})
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w watch) alarms() []supervision.AlarmView {
	w.t.Helper()
	list, _, err := w.Alarms(ctx, lead, "", 20)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestSurge(t *testing.T) {
	t.Parallel()
	w := mustNew(t)
	// Matter 02 has six in this hour every week: six more are as usual. Matter 01 never has any.
	id := int64(100)
	for week := 1; week <= 4; week++ {
		for i := range 6 {
			id++
			w.note(id, "02", "中仓停水", start.AddDate(0, 0, -7*week).Add(time.Duration(i-8)*time.Minute))
		}
	}
	for i := range int64(6) {
		w.note(200+i, "02", "中仓停水", start.Add(time.Duration(i-8)*time.Minute))
	}
	if got := w.alarms(); len(got) != 0 {
		t.Errorf("the usual number raised %+v", got)
	}
	for i := range int64(4) {
		w.note(1+i, "01", "中仓停电", start.Add(time.Duration(i)*time.Minute))
		w.note(1+i, "01", "中仓停电", start.Add(time.Duration(i)*time.Minute)) // read again
		w.note(50+i, "01", "别处停电", start.Add(time.Duration(i)*time.Minute))
	}
	if got := w.alarms(); len(got) != 0 {
		t.Errorf("too few, or from several areas: %+v", got)
	}
	w.note(5, "01", "中仓停电", start.Add(5*time.Minute))
	w.note(6, "01", "中仓停电", start.Add(40*time.Minute)) // it goes on
	got := w.alarms()
	if len(got) != 1 || got[0].Count != 6 || got[0].Area != "中仓街道" || got[0].Matter != "事项01" || got[0].Usual != 0 {
		t.Fatalf("one alarm per surge: %+v", got)
	}
	if !slices.Equal(w.told, []string{fmt.Sprintf("supervision.surge surge:%d", got[0].ID)}) {
		t.Errorf("told: %v", w.told)
	}
	a, err := w.Alarm(ctx, lead, got[0].ID)
	if err != nil || len(a.Tickets) != 5 {
		t.Errorf("its tickets, without the one that is not seen: %+v, %v", a.Tickets, err)
	}
	if err := w.Ack(ctx, agent, a.ID, "已通知供电公司"); !errors.Is(err, supervision.ErrForbidden) {
		t.Errorf("an agent: %v", err)
	}
	if err := w.Ack(ctx, lead, a.ID, " "); err == nil {
		t.Error("acknowledged without a word")
	}
	if err := w.Ack(ctx, lead, a.ID, "已通知供电公司"); err != nil {
		t.Fatal(err)
	}
	if err := w.Ack(ctx, lead, a.ID, "又一次"); !errors.Is(err, supervision.ErrStale) {
		t.Errorf("twice: %v", err)
	}
	board, err := w.Wallboard(ctx, lead)
	if err != nil || len(board.Alarms) != 0 || board.Hours[9] == 0 || board.Calls.Calls != 10 || board.Standing.Waiting[0].Count != 3 {
		t.Errorf("%+v, %v", board, err)
	}
	colleague := lead
	colleague.UserID = 11
	if less, err := w.Wallboard(ctx, colleague); err != nil || less.Hours[9] != board.Hours[9]-1 {
		t.Errorf("a ticket that is hidden from them is counted: %v, %v", less.Hours, err)
	}
	if _, err := w.Wallboard(ctx, agent); !errors.Is(err, supervision.ErrForbidden) {
		t.Errorf("the wallboard of an agent: %v", err)
	}
	r, err := w.Rule(ctx, lead)
	if err != nil || !r.On {
		t.Fatal(r, err)
	}
	r.On = false
	if err := w.SetRule(ctx, lead, r); err != nil {
		t.Fatal(err)
	}
	if err := w.SetRule(ctx, lead, r); !errors.Is(err, supervision.ErrStale) {
		t.Errorf("a stale rule: %v", err)
	}
	for i := range int64(9) {
		w.note(300+i, "03", "中仓", start.Add(time.Duration(i)*time.Minute))
	}
	if len(w.alarms()) != 1 {
		t.Error("a rule that is off raised an alarm")
	}
}

// TestSurgeWithoutSecrets: what every supervisor reads counts no confidential ticket, whenever it became one.
func TestSurgeWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := mustNew(t)
	in := func(id int64, secret bool) {
		t.Helper()
		r := supervision.Received{Ticket: id, Matter: "05", Words: "中仓", At: start.Add(time.Duration(id) * time.Minute), Secret: secret}
		if err := w.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return w.Note(ctx, tx, r) }); err != nil {
			t.Fatal(err)
		}
	}
	hush := func(id int64, secret bool) {
		t.Helper()
		for range 2 { // heard twice
			if err := w.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return w.Hush(ctx, tx, id, secret) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	for id := range int64(4) {
		in(10+id, false)
	}
	in(20, true)
	in(21, true)
	if got := w.alarms(); len(got) != 0 {
		t.Fatalf("confidential tickets raised %+v", got)
	}
	in(22, false)
	got := w.alarms()
	if len(got) != 1 || got[0].Count != 5 {
		t.Fatalf("%+v", got)
	}
	hush(10, true)
	hush(999, true) // of no ticket we heard of
	a, err := w.Alarm(ctx, lead, got[0].ID)
	if err != nil || a.Count != 4 || len(a.Tickets) != 4 {
		t.Errorf("after one became confidential: %d, %d tickets, %v", a.Count, len(a.Tickets), err)
	}
	hush(10, false)
	if got = w.alarms(); len(got) != 1 || got[0].Count != 5 {
		t.Errorf("after it no longer was: %+v", got)
	}
	for _, id := range []int64{10, 11, 12, 13, 22} {
		hush(id, true)
	}
	if got = w.alarms(); len(got) != 0 {
		t.Errorf("an alarm of nothing but secrets is shown: %+v", got)
	}
	if _, err := w.Alarm(ctx, lead, a.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("and read: %v", err)
	}
}

// TestReportsOnce has several processes make the reports at the same time, and again the next day.
func TestReportsOnce(t *testing.T) {
	t.Parallel()
	w := mustNew(t)
	all := func() {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := w.Make(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	all()
	list, _, err := w.Reports(ctx, lead, "", "", 20)
	if err != nil || len(list) != 3 || len(w.told) != 3 {
		t.Fatalf("%+v, told %v, %v", list, w.told, err)
	}
	var titles []string
	for _, r := range list {
		titles = append(titles, r.Title)
	}
	slices.Sort(titles)
	if want := []string{"热线运行周报　2026年11月23日至11月29日", "热线运行日报　2026年11月29日", "热线运行月报　2026年10月"}; !slices.Equal(titles, want) {
		t.Errorf("%q", titles)
	}
	r, err := w.Report(ctx, lead, list[0].ID)
	if err != nil || len(r.Sections) != 3 || r.Sections[0].Figures[3].Value != "90.0%" || r.Sections[0].Figures[3].Def == "" {
		t.Errorf("%+v, %v", r, err)
	}
	// What nobody called about has no share of answered calls, not the best one.
	w.around.still = true
	w.clock.Advance(24 * time.Hour)
	all() // Tuesday, 1 December: a day, and the month of November
	if list, _, err = w.Reports(ctx, lead, supervision.Daily, "", 20); err != nil || len(list) != 2 {
		t.Errorf("%d daily reports, %v", len(list), err)
	}
	if r, err = w.Report(ctx, lead, list[0].ID); err != nil || r.Sections[0].Figures[0].Value != "0" || r.Sections[0].Figures[3].Value != "—" || r.Sections[0].Figures[4].Value != "—" {
		t.Errorf("a day without calls: %+v, %v", r.Sections, err)
	}
	if list, _, err = w.Reports(ctx, lead, "", "", 20); err != nil || len(list) != 5 {
		t.Errorf("%d reports, %v", len(list), err)
	}
	if _, _, err := w.Reports(ctx, agent, "", "", 20); !errors.Is(err, supervision.ErrForbidden) {
		t.Errorf("an agent: %v", err)
	}
	// Nothing ran for three nights: each day has its report, the last one is told of.
	told := len(w.told)
	w.clock.Advance(3 * 24 * time.Hour)
	all()
	if list, _, err = w.Reports(ctx, lead, supervision.Daily, "", 20); err != nil || len(list) != 5 || len(w.told) != told+1 {
		t.Fatalf("%d daily reports, told of %d, %v", len(list), len(w.told)-told, err)
	}
	for i, want := range []string{"12月3日", "12月2日", "12月1日", "11月30日", "11月29日"} {
		if list[i].Title != "热线运行日报　2026年"+want {
			t.Errorf("%d: %s", i, list[i].Title)
		}
	}
	// After a year it begins again a month back.
	w.clock.Advance(365 * 24 * time.Hour)
	all()
	if list, _, err = w.Reports(ctx, lead, supervision.Daily, "", 100); err != nil || len(list) != 5+32 || list[31].Title != "热线运行日报　2027年11月2日" {
		t.Errorf("%d daily reports, %v", len(list), err)
	}
}

type told struct{ typ string }

func (f told) Event() (string, string, int64) { return f.typ, "ticket", 1 }

// TestAReportCountsItsOwnSpan: a day, a week and a month begin and end at midnight in Beijing; what was a moment before or after is
// in another report. An alarm that was raised after midnight is the new day's, although its first tickets came before.
func TestAReportCountsItsOwnSpan(t *testing.T) {
	t.Parallel()
	w := mustNew(t)
	at := func(text string) time.Time {
		t.Helper()
		moment, err := time.ParseInLocation("2006-01-02 15:04:05", text, clock.Beijing)
		if err != nil {
			t.Fatal(err)
		}
		return moment.UTC()
	}
	for _, e := range []struct{ typ, at string }{
		{"ticket.opened", "2026-09-30 23:59:59"},
		{"ticket.opened", "2026-10-01 00:00:00"}, {"ticket.opened", "2026-10-31 23:59:59"}, {"ticket.reopened", "2026-10-15 10:00:00"}, // the month
		{"ticket.opened", "2026-11-01 00:00:00"}, {"ticket.opened", "2026-11-22 23:59:59"},
		{"ticket.opened", "2026-11-23 00:00:00"}, {"ticket.closed", "2026-11-25 10:00:00"}, {"ticket.opened", "2026-11-28 23:59:59"}, // the week
		{"ticket.opened", "2026-11-29 00:00:00"}, {"ticket.urged", "2026-11-29 12:00:00"}, {"ticket.opened", "2026-11-29 23:59:59"}, // the week and the day
		{"ticket.opened", "2026-11-30 00:00:00"}, {"ticket.urged", "2026-11-30 00:00:00"},
	} {
		if err := w.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := event.Append(ctx, tx, access.SystemActor("test"), at(e.at), told{e.typ})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i, a := range []struct{ matter, at string }{ // two of the day, one of the day after
		{"01", "2026-11-29 00:20:00"}, {"02", "2026-11-29 00:20:00"}, {"01", "2026-11-30 00:10:00"},
	} {
		w.clock.Set(at(a.at))
		for k := range int64(5) {
			w.note(int64(i*10)+k, a.matter, "中仓停电", at(a.at).Add(time.Duration(k-5)*8*time.Minute))
		}
	}
	if got := w.alarms(); len(got) != 3 {
		t.Fatalf("the alarms: %+v", got)
	}
	w.clock.Set(start)
	if err := w.Make(ctx); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[supervision.Kind]map[string]string{
		supervision.Daily:   {"受理": "2", "办结": "0", "重办": "0", "催办": "1", "突增预警": "2"},
		supervision.Weekly:  {"受理": "4", "办结": "1", "重办": "0", "催办": "1", "突增预警": "2"},
		supervision.Monthly: {"受理": "2", "办结": "0", "重办": "1", "催办": "0", "突增预警": "0"},
	} {
		list, _, err := w.Reports(ctx, lead, kind, "", 20)
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %+v %v", kind, list, err)
		}
		r, err := w.Report(ctx, lead, list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Sections {
			for _, f := range s.Figures {
				if v, asked := want[f.Label]; asked && f.Value != v {
					t.Errorf("%s %s: %s, want %s", kind, f.Label, f.Value, v)
				}
				delete(want, f.Label)
			}
		}
		if len(want) != 0 {
			t.Errorf("%s says nothing of %v", kind, want)
		}
	}
}
