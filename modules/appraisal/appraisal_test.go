package appraisal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/appraisal"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/sheet"
)

var (
	ctx    = context.Background()
	start  = time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)
	steps  = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, appraisal.Migrations)
	system = access.SystemActor("test")
	chief  = access.Actor{UserID: 1, Name: "周宁", Party: access.Platform, Scope: access.ScopeDistrict,
		Permissions: []access.Permission{appraisal.PermExport, appraisal.PermManage, appraisal.PermView}}
	leader = access.Actor{UserID: 2, Name: "赵强", Party: access.Government, Scope: access.ScopeSubtree, DepartmentID: 10, DepartmentPath: [4]int64{1, 10},
		Permissions: []access.Permission{appraisal.PermExport, appraisal.PermManage, appraisal.PermView}}
	boss = access.Actor{UserID: 3, Party: access.Enterprise, EnterpriseID: 7}
)

// said is a fact of the ticket module as it lies in the log.
type said struct {
	typ  string
	id   int64
	body map[string]any
}

func (f said) Event() (string, string, int64)     { return f.typ, "ticket", f.id }
func (f said) MarshalJSON() ([]byte, error)       { return json.Marshal(f.body) }
func (f fixture) tell(t *testing.T, list ...said) { t.Helper(); f.tellAt(t, f.clock.Now(), list...) }
func obj(kv ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return m
}

type tree struct{}

func (tree) Units(context.Context, bun.IDB) ([]appraisal.Unit, error) {
	return []appraisal.Unit{{ID: 10, Name: "区人社局", Levels: [4]int64{1, 10}}, {ID: 100, Name: "劳动监察大队", Levels: [4]int64{1, 10, 100}}, {ID: 20, Name: "区税务局", Levels: [4]int64{1, 20}}}, nil
}

type lates struct{ list map[int64][]appraisal.Span }

func (l lates) Spans(_ context.Context, _ bun.IDB, id int64) ([]appraisal.Span, error) {
	return l.list[id], nil
}

// titles hides every ticket above 1000 from a leader.
type titles struct{}

func (titles) Titles(_ context.Context, a access.Actor, ids []int64) (map[int64]string, error) {
	out := map[int64]string{}
	for _, id := range ids {
		if id <= 1000 || a.Scope == access.ScopeDistrict {
			out[id] = fmt.Sprintf("诉求 %d", id)
		}
	}
	return out, nil
}

type fixture struct {
	*appraisal.Service
	db    *database.DB
	clock *clock.Fake
	feed  *event.Feed
	spans lates
}

func on(db *database.DB) fixture {
	f := fixture{db: db, clock: clock.NewFake(start), spans: lates{map[int64][]appraisal.Span{}}}
	f.Service = appraisal.New(appraisal.Deps{DB: f.db, Clock: f.clock, Units: tree{}, Spans: f.spans, Tickets: titles{}})
	f.feed = event.NewFeed(f.db, slog.Default(), f.Listener())
	return f
}

func (f fixture) tellAt(t *testing.T, at time.Time, list ...said) {
	t.Helper()
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, s := range list {
			if _, err := event.Append(ctx, tx, system, at, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f fixture) drain(t *testing.T) {
	t.Helper()
	if err := f.feed.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

// story is the log of one ticket; each word is one event.
func story(id, unit int64, words string) []said {
	names := map[int64]string{10: "区人社局", 100: "劳动监察大队", 20: "区税务局"}
	head := func(kv ...any) map[string]any {
		return obj(append([]any{"number", fmt.Sprintf("GD-%d", id), "type", "labour", "unitId", unit, "unitName", names[unit], "status", "closed"}, kv...)...)
	}
	outcome := func(contacted, solved, satisfied bool) map[string]any {
		return obj("contacted", contacted, "solved", solved, "satisfied", satisfied)
	}
	all := map[string]said{
		"open": {"ticket.opened", id, head()}, "send": {"ticket.dispatched", id, head()}, "sign": {"ticket.signed", id, head()}, "reply": {"ticket.replied", id, head()},
		"proof":   {"ticket.replied", id, head("evidence", obj("required", 2, "complete", true))},
		"noproof": {"ticket.replied", id, head("evidence", obj("required", 2, "complete", false))},
		"invalid": {"ticket.reviewed", id, head("evidence", obj("invalid", 1))},
		"good":    {"ticket.closed", id, head("outcome", outcome(true, true, true), "told", obj("result", "reached", "responded", true, "level", 5))},
		"old":     {"ticket.closed", id, head("outcome", outcome(true, true, true))},
		"bad":     {"ticket.closed", id, head("outcome", outcome(true, false, false), "told", obj("result", "reached", "responded", false, "level", 1))},
		"nobody":  {"ticket.closed", id, head("outcome", outcome(false, false, false), "told", obj("result", "no_answer"))},
		"quiet":   {"ticket.closed", id, head()},
		"lapse":   {"ticket.closed", id, head("rule", obj("id", 1))},
		"again":   {"ticket.reopened", id, head("outcome", outcome(true, false, false), "told", obj("result", "reached", "level", 2))},
		"back":    {"ticket.return_decided", id, head("granted", true, "hop", obj("role", "lead"))},
		"appeal":  {"ticket.appeal_decided", id, head("granted", true)}, "void": {"ticket.voided", id, head()}, "merge": {"ticket.merged", id, head()}, "part": {"ticket.unmerged", id, head()},
		"stars": {"ticket.rated", id, head("rating", 4)}, "recall": {"ticket.lapsed", id, head("action", "recall")},
	}
	var out []said
	for n, w := range strings.Fields(words) {
		if w == "undo" {
			out = append(out, said{"ticket.undone", id, head("seq", n, "kind", "any")})
			continue
		}
		s, ok := all[w]
		if !ok {
			panic("no word " + w)
		}
		out = append(out, s)
	}
	return out
}

func (f fixture) cases(t *testing.T) []appraisal.Case {
	t.Helper()
	var rows []appraisal.Case
	if err := f.db.Read().NewSelect().Model(&rows).OrderExpr("ticket_id, no").Scan(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].ID = 0
		rows[i].StartedAt = rows[i].StartedAt.UTC()
		for _, at := range []**time.Time{&rows[i].SignedAt, &rows[i].RepliedAt, &rows[i].EndedAt} {
			if *at != nil {
				u := (*at).UTC()
				*at = &u
			}
		}
	}
	return rows
}

func TestFold(t *testing.T) {
	t.Parallel()
	f := on(databasetest.New(t, steps))
	for i, c := range []struct{ words, want string }{
		{"open send sign reply good", "yes solved 5 met met kept none |"},
		{"open send sign reply old", "presumed solved 4 met met kept none |"},
		{"open send sign reply bad", "no unsolved 1 met met kept none |"},
		{"open send sign reply nobody", "presumed unreached unreached met met kept none |"},
		{"open send sign reply nobody stars", "presumed solved 4 met met kept none |"},
		{"open send sign reply good stars", "yes solved 5 met met kept none |"},
		{"open send sign reply quiet", "presumed uncalled uncalled met met kept none |"},
		{"open send sign reply again sign reply good", "presumed unsolved 2 met met kept none |; yes solved 5 met met kept none |"},
		{"open send back send sign reply good", "none none none never none returned none |returned; yes solved 5 met met kept none |"},
		{"open send sign reply bad appeal", "no unsolved 1 met met kept none |appeal"},
		{"open send sign reply bad appeal undo", "no unsolved 1 met met kept none |"},
		{"open send sign void", "none none none met none kept none |void"},
		{"open merge reply good", "yes solved 5 none none kept none |duplicate"},
		{"open send sign merge reply good", "none none none met none kept none |duplicate; yes solved 5 none none kept none |duplicate"},
		{"open send sign merge good", "none none none met none kept none |duplicate"},
		{"open send sign merge part reply good", "yes solved 5 met met kept none |"},
		{"open send merge reply again sign reply good", "none none none never none kept none |duplicate; presumed unsolved 2 none none kept none |duplicate; yes solved 5 met met kept none |"},
		{"open send sign proof good", "yes solved 5 met met kept complete |"},
		{"open send sign noproof good", "yes solved 5 met met kept incomplete |"},
		{"open send sign proof invalid good", "yes solved 5 met met kept invalid |"},
		{"open send sign lapse", "none none none met none kept none |lapsed"},
		{"open send recall send sign reply old", "none none none never none kept none |recalled; presumed solved 4 met met kept none |"},
		{"open send sign reply", "presumed none none met met kept none |"},
		{"open send sign reply good again sign reply bad", "yes solved 5 met met kept none |; no unsolved 1 met met kept none |"},
		{"open send sign reply quiet again sign reply good", "presumed unsolved 2 met met kept none |; yes solved 5 met met kept none |"},
		{"open send sign reply quiet again undo", "presumed uncalled uncalled met met kept none |"},
		{"open send sign reply bad appeal again sign reply good", "no unsolved 1 met met kept none |appeal; yes solved 5 met met kept none |"},
		{"open send sign reply good undo bad", "no unsolved 1 met met kept none |"},
	} {
		id := int64(i + 1)
		f.tell(t, story(id, 10, c.words)...)
		events, err := event.Of(ctx, f.db.Read(), "ticket", id)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := appraisal.Fold(id, events, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range cases {
			got = append(got, fmt.Sprintf("%s %s %s %s %s %s %s |%s", k.Response, k.Solution, k.Satisfaction, k.Sign, k.Handle, k.Return, k.Evidence, k.Exclusion))
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.words, s, c.want)
		}
	}
	events, _ := event.Of(ctx, f.db.Read(), "ticket", 1)
	late, _ := appraisal.Fold(1, events, []appraisal.Span{{Kind: "sign", UnitID: 10, Started: start, Late: true}, {Kind: "handle", UnitID: 10, Started: start, Late: true}})
	if late[0].Sign != "late" || late[0].Handle != "late" {
		t.Errorf("late %+v", late[0])
	}
}

// TestRebuiltIsIncremental has many tickets go their ways, their events heard in small pieces, and then makes the cases anew.
func TestRebuiltIsIncremental(t *testing.T) {
	t.Parallel()
	f := on(databasetest.New(t, steps))
	ways := []string{"open send sign reply good", "open send sign noproof bad appeal", "open send back send sign reply again sign reply nobody stars", "open send sign proof invalid old undo nobody",
		"open merge reply good", "open send sign", "open void", "open send recall send sign lapse"}
	random := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- the same order in each run
	var left [][]said
	for id := range int64(60) {
		left = append(left, story(id+1, []int64{10, 100, 20}[id%3], ways[int(id)%len(ways)]))
	}
	for len(left) > 0 {
		i := random.IntN(len(left))
		f.clock.Advance(37 * time.Minute)
		f.tell(t, left[i][0])
		if left[i] = left[i][1:]; len(left[i]) == 0 {
			left = slices.Delete(left, i, i+1)
		}
		if random.IntN(7) == 0 {
			f.drain(t)
		}
	}
	f.drain(t)
	incremental := f.cases(t)
	for _, wreck := range []string{"DELETE FROM appraisal_cases WHERE ticket_id % 2 = 0", "UPDATE appraisal_cases SET solution = 'none', month = '' WHERE ticket_id % 3 = 0"} {
		err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, wreck)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if reflect.DeepEqual(f.cases(t), incremental) {
		t.Fatal("nothing was wrecked")
	}
	if err := f.Rebuild(ctx, chief); err != nil {
		t.Fatal(err)
	}
	if r, err := f.Rebuilding(ctx, chief); err != nil || !r.Busy || r.Percent != 0 {
		t.Fatalf("asked for: %+v %v", r, err)
	}
	if _, err := f.Freeze(ctx, system); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("frozen while the cases are made anew: %v", err)
	}
	if n, err := f.Work(ctx, system); err != nil || n != 60 {
		t.Fatalf("%d %v", n, err)
	}
	if r, err := f.Rebuilding(ctx, chief); err != nil || r.Busy || r.Percent != 100 {
		t.Fatalf("done: %+v %v", r, err)
	}
	if rebuilt := f.cases(t); !reflect.DeepEqual(rebuilt, incremental) {
		t.Fatalf("%d cases rebuilt, %d heard", len(rebuilt), len(incremental))
	}
	if n, err := f.Work(ctx, system); err != nil || n != 0 {
		t.Fatalf("asked for once: %d %v", n, err)
	}
}

func figure(row appraisal.UnitRow, r appraisal.Rate) string {
	for _, f := range row.Figures {
		if f.Rate == r {
			return fmt.Sprintf("%d/%d", f.Good, f.Of)
		}
	}
	return ""
}

func (f fixture) month(t *testing.T, a access.Actor, edition int, live bool) appraisal.MonthView {
	t.Helper()
	v, err := f.Month(ctx, a, "2026-11", edition, live)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheMonth(t *testing.T) {
	t.Parallel()
	f := on(databasetest.New(t, steps))
	id := int64(0)
	many := func(n int, unit int64, words string) {
		for range n {
			id++
			f.tell(t, story(id, unit, words)...)
		}
	}
	many(5, 10, "open send sign reply good")
	many(1, 10, "open send sign reply bad")
	many(1, 10, "open send sign reply nobody")
	many(2, 10, "open send back")
	many(1, 10, "open send sign reply bad appeal")
	many(6, 20, "open send sign reply bad")
	many(2, 100, "open send sign reply good")
	f.tell(t, story(1001, 100, "open send sign reply good")...)
	f.drain(t)
	v := f.month(t, chief, 0, false)
	if v.Edition != 0 || len(v.Units) != 3 || !v.Whole || v.Formula.No != 1 || v.Formula.Name == "" {
		t.Fatalf("%+v", v)
	}
	hr := v.Units[0]
	if hr.UnitID != 10 || hr.Rank != 1 || hr.Cases != 10 || figure(hr, appraisal.Solution) != "5/6" || figure(hr, appraisal.Satisfaction) != "5/6" || figure(hr, appraisal.Response) != "6/7" || figure(hr, appraisal.Return) != "2/10" {
		t.Errorf("区人社局 %+v", hr)
	}
	if len(hr.Excluded) != 2 || hr.Excluded[0].N != 1 || hr.Excluded[0].Label != "申诉成立" || hr.Excluded[1].N != 2 {
		t.Errorf("excluded %+v", hr.Excluded)
	}
	if tax := v.Units[1]; tax.Rank != 2 || *tax.Score != 0 {
		t.Errorf("区税务局 %+v", tax)
	}
	if few := v.Units[2]; few.Rank != 0 || few.Note != "件数不足，不参与排名" || *few.Score != 10000 {
		t.Errorf("few cases are not ranked: %+v", few)
	}
	own := f.month(t, leader, 0, false)
	if len(own.Units) != 2 || own.Whole || own.Manage || own.Total.Cases != 0 || own.Units[0].Rank != 1 {
		t.Errorf("a leader sees %+v", own.Units)
	}
	for _, c := range []struct {
		a    access.Actor
		f    appraisal.CaseFilter
		want int
	}{
		{chief, appraisal.CaseFilter{UnitID: 10, Rate: appraisal.Solution}, 7}, {chief, appraisal.CaseFilter{UnitID: 10, Rate: appraisal.Solution, Class: "unsolved"}, 1},
		{chief, appraisal.CaseFilter{UnitID: 10, Rate: appraisal.Solution, Left: true}, 3}, {chief, appraisal.CaseFilter{Rate: appraisal.Satisfaction, Class: "1"}, 7},
		{leader, appraisal.CaseFilter{UnitID: 20, Rate: appraisal.Solution}, 0}, {leader, appraisal.CaseFilter{Rate: appraisal.Solution}, 9},
		{chief, appraisal.CaseFilter{UnitID: 100, Rate: appraisal.Solution}, 3},
	} {
		c.f.Month = "2026-11"
		list, _, err := f.Cases(ctx, c.a, c.f)
		if err != nil || len(list) != c.want {
			t.Errorf("%s %+v: %d %v, want %d", c.a.Name, c.f, len(list), err, c.want)
		}
	}
	if _, err := f.Month(ctx, boss, "2026-11", 0, false); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a company: %v", err)
	}
	if _, err := f.Month(ctx, chief, "2027-01", 0, false); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a month to come: %v", err)
	}
	rows, _, err := f.ExportSource().Page(ctx, leader, sheet.Query{Filter: sheet.Filter{"month": "2026-11"}, Limit: 10})
	if err != nil || len(rows) != 2 || !strings.Contains(rows[0][4].String(), "83.33%（5/6）") {
		t.Errorf("exported %v %v", rows, err)
	}
}

// TestEvidenceOfTheMonth counts 佐证完整率: complete is good, incomplete and found invalid are not; what asks for no evidence, was
// given back or voided is in neither.
func TestEvidenceOfTheMonth(t *testing.T) {
	t.Parallel()
	f := on(databasetest.New(t, steps))
	id := int64(0)
	many := func(n int, unit int64, words string) {
		for range n {
			id++
			f.tell(t, story(id, unit, words)...)
		}
	}
	many(4, 10, "open send sign proof good")
	many(2, 10, "open send sign noproof good")
	many(1, 10, "open send sign proof invalid good")
	many(3, 10, "open send sign reply good")
	many(1, 10, "open send sign reply invalid good") // nothing was asked for
	many(1, 10, "open send sign proof back")
	many(1, 10, "open send sign noproof void")
	many(5, 20, "open send sign reply good")
	many(2, 100, "open send sign proof good")
	f.drain(t)
	v := f.month(t, chief, 0, false)
	rows := map[int64]appraisal.UnitRow{}
	for _, row := range v.Units {
		rows[row.UnitID] = row
	}
	for unit, want := range map[int64]string{10: "4/7", 20: "0/0", 100: "2/2"} {
		if got := figure(rows[unit], appraisal.Evidence); got != want {
			t.Errorf("unit %d: %s, want %s", unit, got, want)
		}
	}
	for unit, want := range map[int64]string{10: "57.14% complete 4 true, incomplete 2 false, invalid 1 false", 20: "–", 100: "100.00% complete 2 true"} {
		got, parts := "–", []string{}
		for _, fig := range rows[unit].Figures {
			if fig.Rate != appraisal.Evidence {
				continue
			}
			for _, p := range fig.Parts {
				if p.Counted {
					parts = append(parts, fmt.Sprintf("%s %d %v", p.Class, p.N, p.Good))
				}
			}
			if fig.Share != nil {
				got = fmt.Sprintf("%d.%02d%% %s", *fig.Share/100, *fig.Share%100, strings.Join(parts, ", "))
			}
		}
		if got != want {
			t.Errorf("unit %d: %s, want %s", unit, got, want)
		}
	}
	if got := figure(v.Total, appraisal.Evidence); got != "6/9" {
		t.Errorf("all units: %s", got)
	}
	for class, want := range map[appraisal.Class]int{"complete": 4, "incomplete": 2, "invalid": 1, "none": 4, "": 11} {
		list, _, err := f.Cases(ctx, chief, appraisal.CaseFilter{Month: "2026-11", UnitID: 10, Rate: appraisal.Evidence, Class: class})
		if err != nil || len(list) != want {
			t.Errorf("cases %q: %d %v, want %d", class, len(list), err, want)
		}
	}
}

func TestFrozenOnceAndCorrectedAsEditions(t *testing.T) {
	t.Parallel()
	f := on(databasetest.New(t, steps))
	for id := range int64(6) {
		f.tell(t, story(id+1, 10, "open send sign reply bad")...)
	}
	f.drain(t)
	if months, err := f.Freeze(ctx, system); err != nil || len(months) != 0 {
		t.Fatalf("the month runs: %v %v", months, err)
	}
	if err := f.Correct(ctx, chief, appraisal.Correct{Month: "2026-11", Reason: "申诉成立"}); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("not frozen: %v", err)
	}
	f.clock.Set(time.Date(2026, 11, 30, 17, 20, 0, 0, time.UTC)) // 1 December in Beijing
	var wg sync.WaitGroup
	var mu sync.Mutex
	frozen := 0
	for range 4 { // four processes at once
		other := on(f.db)
		other.clock.Set(f.clock.Now())
		wg.Add(1)
		go func() {
			defer wg.Done()
			months, err := other.Freeze(ctx, system)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			frozen += len(months)
		}()
	}
	wg.Wait()
	events, err := event.Of(ctx, f.db.Read(), appraisal.Object, 202611)
	if err != nil || frozen != 1 || len(events) != 1 {
		t.Fatalf("frozen %d times, %d events, %v", frozen, len(events), err)
	}
	// An appeal is granted after the month was frozen.
	f.tell(t, said{"ticket.appeal_decided", 1, obj("granted", true)})
	f.drain(t)
	first := f.month(t, chief, 0, false)
	if first.Edition != 1 || figure(first.Units[0], appraisal.Solution) != "0/6" {
		t.Fatalf("frozen %+v", first.Units[0])
	}
	if now := f.month(t, chief, 0, true); now.Edition != 0 || figure(now.Units[0], appraisal.Solution) != "0/5" {
		t.Fatalf("live %+v", now.Units[0])
	}
	if err := f.Correct(ctx, leader, appraisal.Correct{Month: "2026-11", Edition: 1, Reason: "申诉成立"}); fault.KindOf(err) != fault.Forbidden {
		t.Fatalf("a leader corrects: %v", err)
	}
	for range 2 { // the same command twice
		if err := f.Correct(ctx, chief, appraisal.Correct{Key: "k", Month: "2026-11", Edition: 1, Reason: "GD-1 申诉成立"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Correct(ctx, chief, appraisal.Correct{Month: "2026-11", Edition: 1, Reason: "再次"}); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("an old edition: %v", err)
	}
	second := f.month(t, chief, 0, false)
	if second.Edition != 2 || figure(second.Units[0], appraisal.Solution) != "0/5" || len(second.Editions) != 2 || second.Editions[1].Reason != "GD-1 申诉成立" {
		t.Fatalf("corrected %+v", second)
	}
	if old := f.month(t, chief, 1, false); figure(old.Units[0], appraisal.Solution) != "0/6" {
		t.Fatal("the first edition changed")
	}
	if _, err := f.Month(ctx, chief, "2026-11", 3, false); fault.KindOf(err) != fault.NotFound {
		t.Fatal(err)
	}
}

func TestFormulasAreVersions(t *testing.T) {
	t.Parallel()
	f := on(databasetest.New(t, steps))
	f.tell(t, story(1, 10, "open send sign reply nobody")...)
	f.drain(t)
	strict := appraisal.Standard()
	strict.Lines = append(strict.Lines, appraisal.Line{Rate: appraisal.Solution, Class: "unreached"})
	strict.MinCases = 1
	cmd := appraisal.SetFormula{Key: "a", Name: "未接通计入分母", From: "2026-11", Body: strict, Reason: "区考核办法修订", Last: 1}
	for name, wrong := range map[string]func(*appraisal.SetFormula){
		"name": func(c *appraisal.SetFormula) { c.Name = "" }, "from": func(c *appraisal.SetFormula) { c.From = "2026-13" }, "reason": func(c *appraisal.SetFormula) { c.Reason = "" },
		"weights": func(c *appraisal.SetFormula) { c.Body.Weights = c.Body.Weights[:1] }, "minCases": func(c *appraisal.SetFormula) { c.Body.MinCases = 0 },
		"lines": func(c *appraisal.SetFormula) {
			c.Body.Lines = append(slices.Clone(c.Body.Lines), appraisal.Line{Rate: appraisal.Solution, Class: "solved"})
		},
	} {
		c := cmd
		wrong(&c)
		if err := f.SetFormula(ctx, chief, c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v := f.month(t, chief, 0, false); figure(v.Units[0], appraisal.Solution) != "0/0" {
		t.Fatalf("before %+v", v.Units[0])
	}
	for range 2 {
		if err := f.SetFormula(ctx, chief, cmd); err != nil {
			t.Fatal(err)
		}
	}
	v := f.month(t, chief, 0, false)
	if figure(v.Units[0], appraisal.Solution) != "0/1" || v.Formula.No != 2 || !strings.Contains(v.Rates[1].Words, "未接通") {
		t.Fatalf("after %+v %s", v.Units[0], v.Rates[1].Words)
	}
	if err := f.SetFormula(ctx, chief, appraisal.SetFormula{Name: "又一版", From: "2026-12", Body: strict, Reason: "修订", Last: 1}); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("stale: %v", err)
	}
	if _, err := f.Month(ctx, chief, "2026-10", 0, false); err != nil {
		t.Fatal(err)
	}
	old, _ := f.Month(ctx, chief, "2026-10", 0, false)
	if old.Formula.No != 1 {
		t.Fatalf("October is under %+v", old.Formula)
	}
	f.clock.Set(time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC))
	if _, err := f.Freeze(ctx, system); err != nil {
		t.Fatal(err)
	}
	if err := f.SetFormula(ctx, chief, appraisal.SetFormula{Name: "又一版", From: "2026-11", Body: strict, Reason: "修订", Last: 2}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("into a frozen month: %v", err)
	}
	list, err := f.Formulas(ctx, chief)
	if err != nil || len(list) != 2 || list[0].No != 2 || list[0].Author != "周宁" {
		t.Fatalf("%+v %v", list, err)
	}
}
