package quality_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/quality"
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
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, quality.Migrations)

	chen = access.Actor{UserID: 7, Name: "陈静", Party: access.Platform, Permissions: []access.Permission{quality.PermOwn}}
	wang = access.Actor{UserID: 8, Name: "王磊", Party: access.Platform, Permissions: []access.Permission{quality.PermOwn}}
	lead = access.Actor{UserID: 10, Name: "赵强", Party: access.Platform,
		Permissions: []access.Permission{quality.PermManage, quality.PermOwn, quality.PermScore, quality.PermView}}
	second   = access.Actor{UserID: 11, Name: "孙敏", Party: access.Platform, Permissions: []access.Permission{quality.PermManage, quality.PermScore, quality.PermView}}
	stranger = access.Actor{UserID: 99, Name: "路人", Party: access.Enterprise}
)

// around is the desk: its people, its tickets, and what people were told. Ticket 13 is confidential.
type around struct {
	mu   sync.Mutex
	told []string
}

func (*around) With(_ context.Context, _ bun.IDB, right access.Permission) ([]quality.Person, error) {
	var out []quality.Person
	for _, a := range []access.Actor{chen, wang, lead, second} {
		if a.Can(right) {
			out = append(out, quality.Person{ID: a.UserID, Name: a.Name})
		}
	}
	return out, nil
}

func (*around) Titles(_ context.Context, _ access.Actor, ids []int64) (map[int64]string, error) {
	out := map[int64]string{}
	for _, id := range ids {
		if id != 13 {
			out[id] = fmt.Sprintf("第%d件", id)
		}
	}
	return out, nil
}

func (a *around) Tell(_ context.Context, _ bun.Tx, user int64, _, template, _ string, params map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, fmt.Sprintf("%d %s %s", user, template, params["text"]))
	return nil
}

type desk struct {
	*quality.Service
	*around
	t     *testing.T
	db    *database.DB
	clock *clock.Fake
	event int64
}

func mustNew(t *testing.T) *desk {
	t.Helper()
	a, db, at := &around{}, databasetest.New(t, steps), clock.NewFake(start)
	return &desk{quality.New(quality.Deps{DB: db, Clock: at, Agents: a, Tickets: a, Messages: a}), a, t, db, at, 0}
}

// did has the module hear that somebody did something on a ticket.
func (d *desk) did(who access.Actor, typ string, ticket int64, at time.Time) {
	d.t.Helper()
	d.event++
	e := event.Event{ID: d.event, Type: typ, Object: "ticket", ObjectID: ticket, ActorID: who.UserID, ActorName: who.Name, At: at, Facts: fmt.Appendf(nil, `{"number":"T%04d"}`, ticket)}
	for range 2 { // events may be read again
		if err := d.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return d.Listener().Batch(ctx, tx, []event.Event{e}) }); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *desk) list(who access.Actor, f quality.Filter) []quality.Listed {
	d.t.Helper()
	list, _, err := d.Checks(ctx, who, f)
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

// full are the marks of faultless work, less what change does to them.
func (d *desk) full(change func(m *quality.Marks)) (int64, quality.Marks) {
	d.t.Helper()
	c, err := d.Card(ctx, lead, "")
	if err != nil {
		d.t.Fatal(err)
	}
	var m quality.Marks
	for _, it := range c.Items {
		m.Marks = append(m.Marks, quality.Mark{Item: it.Name, Points: it.Points})
	}
	if change != nil {
		change(&m)
	}
	return c.ID, m
}

func (d *desk) score(who access.Actor, c quality.Listed, change func(m *quality.Marks)) error {
	d.t.Helper()
	card, m := d.full(change)
	return d.Score(ctx, who, quality.Score{Step: quality.Step{ID: c.ID, Version: c.Version}, CardID: card, Marks: m})
}

func (d *desk) check(who access.Actor, id int64) quality.View {
	d.t.Helper()
	v, err := d.Check(ctx, who, id)
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

func code(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	return fmt.Sprint(err)
}

func invalid(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Kind == fault.Invalid
}

func TestNightlyDrawsEachDayOnce(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	yesterday := start.Add(-20 * time.Hour)
	for i := range int64(5) {
		d.did(chen, "ticket.opened", 100+i, yesterday.Add(time.Duration(i)*time.Minute))
	}
	d.did(wang, "ticket.called_back", 200, yesterday)
	d.did(wang, "ticket.signed", 201, yesterday)     // no work of the desk
	d.did(stranger, "ticket.opened", 300, yesterday) // a requester
	d.did(chen, "ticket.opened", 400, start)         // today
	d.did(chen, "ticket.opened", 500, start.AddDate(0, 0, -3))

	var wg sync.WaitGroup
	for range 4 { // as several processes would
		wg.Go(func() {
			if err := d.Nightly(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := map[string]int{}
	for _, c := range d.list(lead, quality.Filter{Limit: 100}) {
		got[c.Agent]++
		if c.TicketID == 400 || c.State != quality.Waiting {
			t.Errorf("drawn: %+v", c)
		}
	}
	if got["陈静"] != 3 || got["王磊"] != 1 || len(got) != 2 { // two of yesterday and one of a day that was missed
		t.Errorf("drawn of %v", got)
	}
	if list := d.list(chen, quality.Filter{}); len(list) != 0 {
		t.Errorf("the agent learns beforehand of %+v", list)
	}
	// More by hand: never the same again.
	out, err := d.Draw(ctx, lead, quality.Draw{From: "2026-11-29", To: "2026-11-30", PerAgent: 50, Kinds: quality.Kinds, Key: "k"})
	if err != nil || out.Drawn != 4 {
		t.Errorf("drawn by hand %+v, %v", out, err)
	}
	if again, err := d.Draw(ctx, lead, quality.Draw{From: "2026-11-29", To: "2026-11-30", PerAgent: 50, Kinds: quality.Kinds, Key: "k"}); err != nil || again != out {
		t.Errorf("the same key drew %+v, %v", again, err)
	}
	last, next, err := d.Draws(ctx, second, "", 1)
	if err != nil || len(last) != 1 || next == "" || last[0].From != "2026-11-29" || last[0].To != "2026-11-30" || last[0].Drawn != 4 || last[0].Nightly || last[0].Seed == "" {
		t.Errorf("the last draw is %+v %q, %v", last, next, err)
	}
	if before, _, err := d.Draws(ctx, second, next, 100); err != nil || len(before) == 0 || !before[0].Nightly || before[0].ID >= last[0].ID {
		t.Errorf("those before are %+v, %v", before, err)
	}
	if _, _, err := d.Draws(ctx, chen, "", 0); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("an agent lists the draws: %v", err)
	}
}

func TestScoreAppealDecide(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	d.did(chen, "ticket.opened", 1, start)
	d.did(lead, "ticket.answered", 2, start)
	d.did(chen, "ticket.opened", 13, start)
	if _, err := d.Draw(ctx, lead, quality.Draw{From: "2026-11-30", To: "2026-11-30", PerAgent: 5, Kinds: quality.Kinds}); err != nil {
		t.Fatal(err)
	}
	list := d.list(second, quality.Filter{})
	if len(list) != 3 || list[0].Number != "" || list[0].Title != "" || list[2].Title != "第1件" {
		t.Fatalf("the list is %+v", list)
	}
	c, own := list[2], list[1]

	// Refused, and nothing changes: one's own work, another card, too few points explained, a mark too high.
	card, m := d.full(nil)
	if err := d.score(second, quality.Listed{ID: 4711}, nil); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a check that is not there: %v", err)
	}
	if err := d.Score(ctx, lead, quality.Score{Step: quality.Step{ID: own.ID, Version: own.Version}, CardID: card, Marks: m}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("one's own work, that one does not know was drawn: %v", err)
	}
	if err := d.Score(ctx, second, quality.Score{Step: quality.Step{ID: c.ID, Version: c.Version}, CardID: card + 1, Marks: m}); code(err) != "CHANGED" {
		t.Errorf("another card: %v", err)
	}
	if err := d.score(second, c, func(m *quality.Marks) { m.Marks[0].Points-- }); !invalid(err) {
		t.Errorf("points lost for no reason: %v", err)
	}
	if err := d.score(second, c, func(m *quality.Marks) { m.Marks[0].Points++ }); code(err) != "QUALITY_POINTS" {
		t.Errorf("too many points: %v", err)
	}
	if err := d.score(second, c, func(m *quality.Marks) { m.Fatal = []string{"迟到"}; m.Comment = "不在评分表中" }); code(err) != "QUALITY_FATAL" {
		t.Errorf("a fault that the card does not know: %v", err)
	}
	if err := d.score(chen, c, nil); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("an agent scores: %v", err)
	}

	// Scored, corrected by the same person, not by another.
	if err := d.score(second, c, func(m *quality.Marks) { m.Fatal = []string{"泄露来电人信息"}; m.Comment = "录音第 3 分钟" }); err != nil {
		t.Fatal(err)
	}
	v := d.check(chen, c.ID)
	if v.Score == nil || *v.Score != 0 || !v.Fatal || v.Final || !slices.Equal(v.May, []string{"appeal"}) || len(v.Marks) == 0 {
		t.Fatalf("the agent sees %+v", v)
	}
	if err := d.score(lead, v.Listed, nil); code(err) != "QUALITY_STEP" {
		t.Errorf("another corrects: %v", err)
	}
	if err := d.score(second, c, nil); code(err) != "CHANGED" {
		t.Errorf("with an old version: %v", err)
	}
	if err := d.score(second, v.Listed, func(m *quality.Marks) { m.Marks[1].Points, m.Marks[1].Note = 5, "未复述诉求" }); err != nil {
		t.Fatal(err)
	}
	v = d.check(chen, c.ID)
	if *v.Score != 90 || v.Fatal {
		t.Errorf("corrected to %d", *v.Score)
	}
	if _, err := d.Check(ctx, wang, c.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("another agent: %v", err)
	}
	if _, err := d.Check(ctx, stranger, c.ID); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("a stranger: %v", err)
	}

	// Appealed once, decided by a third person.
	appeal := quality.Appeal{Step: quality.Step{ID: c.ID, Version: v.Version, Key: "a"}, Reason: "我在第二分钟复述过诉求，请听录音。"}
	if err := d.Appeal(ctx, wang, appeal); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("another appeals: %v", err)
	}
	for range 2 {
		if err := d.Appeal(ctx, chen, appeal); err != nil {
			t.Fatal(err)
		}
	}
	v = d.check(chen, c.ID)
	decide := quality.Decide{Step: quality.Step{ID: c.ID, Version: v.Version}, Reason: "录音中确有复述，予以更正。"}
	decide.CardID, decide.Marks = d.full(nil)
	if err := d.Decide(ctx, second, decide); code(err) != "QUALITY_OWN_SCORE" {
		t.Errorf("who scored decides: %v", err)
	}
	if err := d.Decide(ctx, lead, decide); err != nil {
		t.Fatal(err)
	}
	v = d.check(chen, c.ID)
	if *v.Score != 100 || *v.FirstScore != 90 || !v.Final || v.State != quality.Decided || len(v.May) != 0 {
		t.Errorf("decided: %+v", v)
	}
	want := []string{"7 quality.scored 0", "7 quality.scored 90", "10 quality.appealed ", "7 quality.decided 评分由 90 分改为 100 分"}
	if !slices.Equal(d.told, want) {
		t.Errorf("told %q", d.told)
	}

	// The lead's own work is seen by the lead once another scored it; the third cannot be scored.
	if err := d.score(second, own, nil); err != nil {
		t.Fatal(err)
	}
	if list := d.list(lead, quality.Filter{AgentID: lead.UserID}); len(list) != 1 {
		t.Errorf("the lead's own: %+v", list)
	}
	if err := d.Skip(ctx, lead, quality.Skip{Step: quality.Step{ID: list[0].ID, Version: 1}, Reason: "没有录音"}); err != nil {
		t.Fatal(err)
	}
	month, err := d.Month(ctx, second, "2026-11")
	if err != nil || len(month) != 2 {
		t.Fatalf("the month: %+v, %v", month, err)
	}
	for _, a := range month {
		if a.AgentID == chen.UserID && (a.Drawn != 2 || a.Scored != 1 || a.Skipped != 1 || *a.Mean != 1000 || a.Appealed != 1 || a.Changed != 1) {
			t.Errorf("chen: %+v", a)
		}
	}
	// Each step left an audit row.
	n, err := d.db.Read().NewSelect().TableExpr("audit_entries").Where("object = ?", quality.Object).Where("object_id = ?", c.ID).Count(ctx)
	if err != nil || n != 4 {
		t.Errorf("%d audit rows, %v", n, err)
	}
}

func TestTooLateToAppeal(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	d.did(chen, "ticket.opened", 1, start)
	if _, err := d.Draw(ctx, lead, quality.Draw{From: "2026-11-30", To: "2026-11-30", PerAgent: 5, Kinds: quality.Kinds}); err != nil {
		t.Fatal(err)
	}
	if err := d.score(lead, d.list(lead, quality.Filter{})[0], nil); err != nil {
		t.Fatal(err)
	}
	c := d.list(chen, quality.Filter{})[0]
	appeal := quality.Appeal{Step: quality.Step{ID: c.ID, Version: c.Version}, Reason: "我在第二分钟复述过诉求，请听录音。"}
	d.clock.Set(time.Date(2026, 12, 5, 16, 0, 0, 0, time.UTC)) // midnight after the fifth day
	if err := d.Appeal(ctx, chen, appeal); code(err) != "QUALITY_STEP" {
		t.Errorf("after the time: %v", err)
	}
	if v := d.check(chen, c.ID); !v.Final || len(v.May) != 0 {
		t.Errorf("after the time: %+v", v)
	}
	d.clock.Set(time.Date(2026, 12, 5, 15, 59, 0, 0, time.UTC))
	if err := d.Appeal(ctx, chen, appeal); err != nil {
		t.Errorf("in the last minute: %v", err)
	}
}

func TestARuleThatWasOffDoesNotLookBack(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	d.did(chen, "ticket.opened", 1, start.Add(-20*time.Hour))
	for _, on := range []bool{false, true} {
		r, err := d.Rule(ctx, lead)
		if err != nil {
			t.Fatal(err)
		}
		r.On = on
		if err := d.SetRule(ctx, lead, r); err != nil {
			t.Fatal(err)
		}
		if err := d.Nightly(ctx); err != nil {
			t.Fatal(err)
		}
		if list := d.list(lead, quality.Filter{}); len(list) != 0 {
			t.Errorf("on %t: drawn of a day on which the rule was off: %+v", on, list)
		}
	}
}

func TestScorecardAndRule(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	now, err := d.Card(ctx, lead, "")
	if err != nil {
		t.Fatal(err)
	}
	change := func(fn func(c *quality.Card)) error {
		c := quality.Standard()
		fn(&c)
		return d.SetCard(ctx, lead, quality.SetCard{Name: "新表", Base: now.ID, Card: c})
	}
	for want, fn := range map[string]func(c *quality.Card){
		"QUALITY_SUM":        func(c *quality.Card) { c.Items[0].Points++ },
		"QUALITY_CARD":       func(c *quality.Card) { c.Items = nil },
		"QUALITY_CARD_TWICE": func(c *quality.Card) { c.Items[1].Name = c.Items[0].Name },
	} {
		if err := change(fn); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := change(func(c *quality.Card) { c.Items[0].Points, c.Items[1].Points = 10, 20 }); err != nil {
		t.Fatal(err)
	}
	if err := change(func(*quality.Card) {}); code(err) != "CHANGED" {
		t.Errorf("from an old version: %v", err)
	}
	r, err := d.Rule(ctx, lead)
	if err != nil {
		t.Fatal(err)
	}
	bad := r
	bad.Kinds, bad.PerAgent = nil, 0
	if err := d.SetRule(ctx, lead, bad); !invalid(err) {
		t.Errorf("a rule that draws nothing: %v", err)
	}
	r.PerAgent = 3
	if err := d.SetRule(ctx, lead, r); err != nil {
		t.Fatal(err)
	}
	if err := d.SetRule(ctx, lead, r); code(err) != "CHANGED" {
		t.Errorf("twice from one version: %v", err)
	}
	if err := d.SetRule(ctx, chen, r); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("an agent sets the rule: %v", err)
	}
	for _, span := range [][2]string{{"2026-11-30", "2026-11-29"}, {"2026-01-01", "2026-11-29"}, {"2027-01-01", "2027-01-02"}, {"昨天", "今天"}} {
		if _, err := d.Draw(ctx, lead, quality.Draw{From: span[0], To: span[1], PerAgent: 1, Kinds: quality.Kinds}); !invalid(err) {
			t.Errorf("draw of %v: %v", span, err)
		}
	}
}

// TestCardsByKind: a kind of work may have a scorecard of its own, in versions; what was scored keeps the one it was scored by.
func TestCardsByKind(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	d.did(chen, "ticket.opened", 1, start)
	d.did(chen, "ticket.called_back", 1, start)
	if _, err := d.Draw(ctx, lead, quality.Draw{From: "2026-11-30", To: "2026-11-30", PerAgent: 5, Kinds: quality.Kinds}); err != nil {
		t.Fatal(err)
	}
	var opened, called quality.Listed
	for _, c := range d.list(second, quality.Filter{}) {
		if c.Kind == quality.CalledBack {
			called = c
		} else {
			opened = c
		}
	}
	own := quality.SetCard{Kind: quality.CalledBack, Name: "回访评分表", Card: quality.Card{Items: []quality.Item{{Name: "核实结果", Points: 60}, {Name: "礼貌用语", Points: 40}}}}
	if err := d.SetCard(ctx, lead, own); err != nil {
		t.Fatal(err)
	}
	if err := d.SetCard(ctx, second, own); code(err) != "CHANGED" {
		t.Errorf("made twice: %v", err)
	}
	if v := d.check(second, called.ID); v.Card.Name != "回访评分表" {
		t.Fatalf("to be scored by %q", v.Card.Name)
	}
	if v := d.check(second, opened.ID); v.Card.Name != "通用评分表" {
		t.Errorf("other work is to be scored by %q", v.Card.Name)
	}
	if err := d.score(second, called, nil); code(err) != "CHANGED" {
		t.Errorf("by the general card: %v", err)
	}
	by := func(c quality.Listed) error {
		v := d.check(second, c.ID)
		marks := quality.Marks{}
		for _, i := range v.Card.Items {
			marks.Marks = append(marks.Marks, quality.Mark{Item: i.Name, Points: i.Points})
		}
		return d.Score(ctx, second, quality.Score{Step: quality.Step{ID: c.ID, Version: v.Version}, CardID: v.Card.ID, Marks: marks})
	}
	if err := by(called); err != nil {
		t.Fatal(err)
	}
	cards, err := d.Cards(ctx, lead)
	if err != nil || len(cards) != 2 || cards[1].Kind != quality.CalledBack {
		t.Fatalf("%+v, %v", cards, err)
	}
	out := quality.SetCard{Kind: quality.CalledBack, Base: cards[1].ID, Withdraw: true}
	if err := d.SetCard(ctx, lead, out); err != nil {
		t.Fatal(err)
	}
	if now, err := d.Card(ctx, lead, quality.CalledBack); err != nil || now.Name != "通用评分表" {
		t.Errorf("withdrawn, scored by %q, %v", now.Name, err)
	}
	// It is corrected, and decided on, by the card it was scored by.
	if err := by(called); err != nil {
		t.Errorf("corrected after the card was withdrawn: %v", err)
	}
	if v := d.check(chen, called.ID); v.Card.Name != "回访评分表" || *v.Score != 100 {
		t.Errorf("the agent reads %q", v.Card.Name)
	}
	for want, cmd := range map[string]quality.SetCard{
		"QUALITY_CARD":  {Withdraw: true},
		"QUALITY_KINDS": {Kind: "slept", Withdraw: true},
	} {
		if err := d.SetCard(ctx, lead, cmd); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestChosenTicket has a supervisor choose a ticket: it is checked like others and stays out of the mean.
func TestChosenTicket(t *testing.T) {
	t.Parallel()
	d := mustNew(t)
	d.did(chen, "ticket.opened", 1, start.AddDate(0, -2, 0))
	d.did(chen, "ticket.opened", 2, start)
	d.did(wang, "ticket.called_back", 2, start)
	d.did(chen, "ticket.opened", 13, start)
	pick := func(who access.Actor, number, key string) (int, error) {
		out, err := d.Pick(ctx, who, quality.Pick{Number: number, Kinds: quality.Kinds, Reason: "来电人投诉服务态度", Key: key})
		return out.Drawn, err
	}
	for range 2 {
		if n, err := pick(lead, " T0002 ", "k"); err != nil || n != 2 {
			t.Fatalf("picked %d, %v", n, err)
		}
	}
	if _, err := pick(lead, "T0002", ""); code(err) != "QUALITY_STEP" {
		t.Errorf("picked again: %v", err)
	}
	for _, number := range []string{"T4711", "T0013", ""} { // unknown, confidential, none
		if _, err := pick(lead, number, ""); !invalid(err) {
			t.Errorf("%s: %v", number, err)
		}
	}
	if _, err := pick(chen, "T0001", ""); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("an agent picks: %v", err)
	}
	if n, err := pick(lead, "T0001", ""); err != nil || n != 1 {
		t.Errorf("an old ticket: %d, %v", n, err)
	}
	if out, err := d.Draw(ctx, lead, quality.Draw{From: "2026-11-30", To: "2026-11-30", PerAgent: 5, Kinds: quality.Kinds}); err != nil || out.Drawn != 1 {
		t.Errorf("chance draws what was picked: %+v, %v", out, err)
	}
	for _, c := range d.list(second, quality.Filter{Month: "2026-11"}) {
		if c.Picked != (c.TicketID == 2) {
			t.Errorf("%+v", c)
		}
		if err := d.score(second, c, func(m *quality.Marks) {
			if c.Picked {
				m.Fatal, m.Comment = []string{"泄露来电人信息"}, "录音第 3 分钟"
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	month, err := d.Month(ctx, second, "2026-11")
	if err != nil || len(month) != 2 || month[0].AgentID != chen.UserID || month[0].Drawn != 1 || month[0].Picked != 1 || *month[0].Mean != 1000 || month[0].Fatal != 0 ||
		month[1].Picked != 1 || month[1].Scored != 0 || month[1].Mean != nil || month[1].Lowest != nil {
		t.Errorf("the month: %+v, %v", month, err)
	}
	last, _, err := d.Draws(ctx, second, "", 10)
	if err != nil || last[2].Number != "T0002" || last[2].Reason != "来电人投诉服务态度" || last[2].Drawn != 2 || last[0].Number != "" {
		t.Errorf("the draws: %+v, %v", last, err)
	}
}
