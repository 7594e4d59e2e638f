package seat_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/seat"
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
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, seat.Migrations)
	sits  = []access.Permission{seat.PermSit}
	chen  = access.Actor{UserID: 7, Name: "陈静", Party: access.Platform, Permissions: sits}
	zhou  = access.Actor{UserID: 8, Name: "周敏", Party: access.Platform, Permissions: sits}
	wu    = access.Actor{UserID: 9, Name: "吴越", Party: access.Platform, Permissions: sits}
	lead  = access.Actor{UserID: 10, Name: "赵强", Party: access.Platform, Permissions: []access.Permission{seat.PermManage, seat.PermSit, seat.PermView}}
	guest = access.Actor{UserID: 30, Name: "王芳", Party: access.Enterprise}
)

type people struct{}

func (people) With(context.Context, bun.IDB, access.Permission) ([]seat.Person, error) {
	return []seat.Person{{ID: 7, Name: "陈静"}, {ID: 8, Name: "周敏"}, {ID: 9, Name: "吴越"}, {ID: 10, Name: "赵强"}}, nil
}

type matters struct{}

func (matters) Matters(context.Context) ([]seat.Matter, error) {
	return []seat.Matter{{Code: "010000", Name: "税费"}, {Code: "010100", Name: "税费优惠", Group: "010000"}, {Code: "010101", Name: "减免", Group: "010100"}, {Code: "020000", Name: "用工"}}, nil
}

type desk struct {
	*seat.Service
	db    *database.DB
	clock *clock.Fake
}

func mustNew(t *testing.T) desk {
	t.Helper()
	db, at := databasetest.New(t, steps), clock.NewFake(start)
	return desk{seat.New(seat.Deps{DB: db, Clock: at, People: people{}, Matters: matters{}}), db, at}
}

func (d desk) to(t *testing.T, a access.Actor, state seat.State) seat.Standing {
	t.Helper()
	own, err := d.Own(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	cmd := seat.Switch{State: state, Version: own.Version}
	if state == seat.Away {
		cmd.Reason = "用餐"
	}
	v, err := d.Switch(ctx, a, cmd)
	if err != nil || v.State != state {
		t.Fatalf("%s to %s: %+v, %v", a.Name, state, v, err)
	}
	return v
}

func (d desk) ready(t *testing.T, skill string) []int64 {
	t.Helper()
	ids, err := d.Ready(ctx, d.db.Read(), d.clock.Now(), skill)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestSeats(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	d.to(t, zhou, seat.Free)
	d.clock.Advance(20 * time.Second)
	d.to(t, chen, seat.Free)
	d.clock.Advance(20 * time.Second)
	d.to(t, wu, seat.Free)
	if got := d.ready(t, ""); !slices.Equal(got, []int64{8, 7, 9}) {
		t.Errorf("the longest idle is first: %v", got)
	}
	// What one is trained for; who has no list takes all.
	for user, codes := range map[int64][]string{7: {"010000"}, 9: {"020000"}} {
		if err := d.Train(ctx, lead, seat.Train{UserID: user, Codes: codes}); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.ready(t, "010101"); !slices.Equal(got, []int64{8, 7}) {
		t.Errorf("trained for a type by its group: %v", got)
	}
	if err := d.Train(ctx, lead, seat.Train{UserID: 7, Codes: []string{"999999"}}); err == nil {
		t.Error("an unknown skill was kept")
	}
	if err := d.Train(ctx, chen, seat.Train{UserID: 7}); !errors.Is(err, seat.ErrForbidden) {
		t.Errorf("an agent set skills: %v", err)
	}
	// Leaving needs a reason; a stale page is told.
	own, _ := d.Own(ctx, chen)
	if _, err := d.Switch(ctx, chen, seat.Switch{State: seat.Away, Version: own.Version}); err == nil {
		t.Error("left without a reason")
	}
	if _, err := d.Switch(ctx, chen, seat.Switch{State: seat.Away, Reason: seat.Other, Words: " ", Version: own.Version}); err == nil {
		t.Error("left for another reason without saying it")
	}
	d.to(t, chen, seat.Break)
	if _, err := d.Switch(ctx, chen, seat.Switch{State: seat.Free, Version: own.Version}); !errors.Is(err, seat.ErrStale) {
		t.Errorf("a stale page: %v", err)
	}
	if _, err := d.Switch(ctx, guest, seat.Switch{State: seat.Free}); !errors.Is(err, seat.ErrForbidden) {
		t.Errorf("a stranger sat down: %v", err)
	}
	// The lead takes somebody off, with a reason.
	if err := d.Force(ctx, lead, seat.Force{UserID: 8, Switch: seat.Switch{State: seat.Off, Version: 1}}); err == nil {
		t.Error("forced without a reason")
	}
	if err := d.Force(ctx, lead, seat.Force{UserID: 8, Why: "下班忘记签出", Switch: seat.Switch{State: seat.Off, Version: 1}}); err != nil {
		t.Error(err)
	}
	if got := d.ready(t, ""); !slices.Equal(got, []int64{9}) {
		t.Errorf("ready: %v", got)
	}
}

func TestSilentSeatGoesOff(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	d.to(t, chen, seat.Free)
	d.to(t, zhou, seat.Free)
	d.clock.Advance(seat.Lease - time.Second)
	if err := d.Beat(ctx, zhou); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(2 * time.Second)
	if got := d.ready(t, ""); !slices.Equal(got, []int64{8}) {
		t.Errorf("a silent seat is not ready, even before it is written down: %v", got)
	}
	if own, err := d.Own(ctx, chen); err != nil || own.State != seat.Off {
		t.Errorf("own: %+v, %v", own, err)
	}
	if err := d.Beat(ctx, chen); !errors.Is(err, seat.ErrStale) {
		t.Errorf("a beat after the lease: %v", err)
	}
	d.clock.Advance(time.Minute)
	if err := d.Lapse(ctx); err != nil {
		t.Fatal(err)
	}
	b, err := d.Board(ctx, lead)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(b.Lines, func(l seat.Line) bool { return l.UserID == 7 })
	if l := b.Lines[i]; l.State != seat.Off || l.Reason != "连接中断" || l.Seconds["free"] != int64(seat.Lease/time.Second) {
		t.Errorf("the spell ends when the page fell silent, not when that was noticed: %+v", l)
	}
	spells, err := d.Day(ctx, chen, 7, d.clock.Now())
	if err != nil || len(spells) != 1 || spells[0].EndedAt == nil {
		t.Errorf("own day: %+v, %v", spells, err)
	}
	if _, err := d.Day(ctx, chen, 8, d.clock.Now()); !errors.Is(err, seat.ErrForbidden) {
		t.Errorf("another's day: %v", err)
	}
}

// TestOneStateAtATime has many pages of one person switch at once: one wins, spells never overlap.
func TestOneStateAtATime(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	own := d.to(t, chen, seat.Free)
	var wg sync.WaitGroup
	won := make(chan error, 10)
	for i := range 10 {
		wg.Go(func() {
			_, err := d.Switch(ctx, chen, seat.Switch{State: []seat.State{seat.Break, seat.After}[i%2], Version: own.Version})
			won <- err
		})
	}
	wg.Wait()
	close(won)
	ok := 0
	for err := range won {
		if err == nil {
			ok++
		} else if !errors.Is(err, seat.ErrStale) {
			t.Error(err)
		}
	}
	if ok != 1 {
		t.Errorf("%d of ten pages won", ok)
	}
}

func TestRoster(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	if err := d.SaveTeam(ctx, lead, seat.SaveTeam{Name: "一班", LeaderID: 10, Members: []int64{7, 8}}); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveTeam(ctx, lead, seat.SaveTeam{Name: "一班", LeaderID: 10, Members: []int64{9}}); !errors.Is(err, seat.ErrTeamName) {
		t.Errorf("two teams of a name: %v", err)
	}
	teams, _, err := d.Teams(ctx, lead)
	if err != nil || len(teams) != 1 {
		t.Fatal(teams, err)
	}
	early := seat.ShiftText{Day: "2026-11-30", TeamID: teams[0].ID, Name: "早班", From: "08:30", To: "13:00", Seats: 2}
	if err := d.SaveShift(ctx, lead, seat.SaveShift{ShiftText: early, Key: "k1"}); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveShift(ctx, lead, seat.SaveShift{ShiftText: early, Key: "k1"}); err != nil { // a repeat makes no second one
		t.Fatal(err)
	}
	night := early
	night.Name, night.From, night.To, night.Seats = "夜班", "17:00", "09:00", 1
	if err := d.SaveShift(ctx, lead, seat.SaveShift{ShiftText: night}); err != nil {
		t.Fatal(err)
	}
	w, err := d.Week(ctx, chen, "")
	if err != nil || len(w.Shifts) != 2 {
		t.Fatalf("%+v, %v", w.Shifts, err)
	}
	type gap struct {
		day, from, to string
		have          int
	}
	var got []gap
	for _, g := range w.Gaps {
		got = append(got, gap{g.Day, g.From, g.To, g.Have})
	}
	want := []gap{{"2026-11-30", "13:00", "17:00", 0}, {"2026-11-30", "17:00", "18:00", 1}, {"2026-12-01", "08:30", "09:00", 1}, {"2026-12-01", "09:00", "18:00", 0}}
	if len(got) < 4 || !slices.Equal(got[:4], want) {
		t.Errorf("gaps: %v", got)
	}
	b, err := d.Board(ctx, lead)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range b.Lines {
		if in := l.UserID == 7 || l.UserID == 8; l.OnShift != in || (l.Team == "一班") != in {
			t.Errorf("on shift at nine: %+v", l)
		}
	}
	first := w.Shifts[0]
	change := seat.SaveShift{ID: first.ID, Version: first.Version, ShiftText: early}
	if err := d.SaveShift(ctx, lead, change); err == nil {
		t.Error("changed without a reason")
	}
	change.Reason, change.Seats = "陈静请假", 1
	if err := d.SaveShift(ctx, lead, change); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveShift(ctx, lead, change); err == nil {
		t.Error("a stale change was kept")
	}
	if w, err = d.Week(ctx, lead, "2026-11-30"); err != nil || !strings.HasPrefix(w.Changes[0].Text, "11月30日早班 08:30—13:00，2 人 → ") {
		t.Errorf("the change in words: %+v, %v", w.Changes, err)
	}
	if n, err := d.CopyWeek(ctx, lead, seat.CopyWeek{From: "2026-12-01", To: "2026-12-07"}); err != nil || n != 2 {
		t.Errorf("copied %d, %v", n, err)
	}
	if _, err := d.CopyWeek(ctx, lead, seat.CopyWeek{From: "2026-12-01", To: "2026-12-07"}); !errors.Is(err, seat.ErrWeekTaken) {
		t.Errorf("copied over a week: %v", err)
	}
	if w, err = d.Week(ctx, lead, "2026-12-13"); err != nil || len(w.Shifts) != 2 || w.Shifts[0].Day != "2026-12-07" || len(w.Changes) != 2 {
		t.Errorf("the copied week: %+v, %v", w, err)
	}
	if err := d.SaveShift(ctx, chen, seat.SaveShift{ShiftText: early}); !errors.Is(err, seat.ErrForbidden) {
		t.Errorf("an agent changed the roster: %v", err)
	}
}

// TestHoursOfTwoPeople has two people change the hours of the desk at once: what the second did not see is not overwritten.
func TestHoursOfTwoPeople(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	read := func() map[int]seat.HoursView {
		t.Helper()
		w, err := d.Week(ctx, lead, "")
		if err != nil {
			t.Fatal(err)
		}
		out := map[int]seat.HoursView{}
		for _, h := range w.Hours {
			out[h.Weekday] = h
		}
		return out
	}
	set := func(a access.Actor, key string, list ...seat.HoursView) error {
		return d.SetHours(ctx, a, seat.SetHours{Hours: list, Key: key})
	}
	seen := read()
	monday, tuesday := seen[1], seen[2]
	monday.From, tuesday.Seats = "08:00", 3
	if err := set(lead, "k", monday); err != nil {
		t.Fatal(err)
	}
	if err := set(lead, "k", monday); err != nil { // the same request again
		t.Fatal(err)
	}
	other := lead
	other.UserID, other.Name = 11, "钱立"
	stale := seen[1]
	stale.Seats = 9
	err := set(other, "", stale, tuesday)
	if told, _ := fault.As(err); !errors.Is(err, seat.ErrStale) || !strings.Contains(told.Message, "周一") || !strings.Contains(told.Message, "赵强") || !strings.Contains(told.Message, "08:00—18:00、2 人") {
		t.Fatalf("a stale change: %v", err)
	}
	if now := read(); now[2].Seats != 2 || now[1].Seats != 2 {
		t.Errorf("half of it was kept: %+v", now)
	}
	if err := set(other, "", tuesday); err != nil {
		t.Errorf("another day: %v", err)
	}
	sunday := seat.HoursView{Weekday: 0, From: "09:00", To: "12:00", Seats: 1}
	if err := set(other, "", sunday); err != nil {
		t.Errorf("a day nobody had set: %v", err)
	}
	sunday.Seats = 2
	if err := set(lead, "", sunday); !errors.Is(err, seat.ErrStale) {
		t.Errorf("set by two as the first: %v", err)
	}
	if err := set(lead, "", read()[1], read()[1]); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a day twice: %v", err)
	}
	if err := set(chen, "", sunday); !errors.Is(err, seat.ErrForbidden) {
		t.Errorf("an agent: %v", err)
	}
}
