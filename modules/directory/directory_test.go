package directory_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/directory"
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
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 6, 5, 0, 0, time.UTC)
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, directory.Migrations)
)

// The departments change during a test; the types do not.
type departments struct{ list *[]directory.UnitInfo }

func (d departments) Units(context.Context, bun.IDB) ([]directory.UnitInfo, error) {
	return *d.list, nil
}

type scheme struct{}

func (scheme) Matters(context.Context) ([]directory.Named, error) {
	return []directory.Named{{Code: "050000", Name: "要素保障"}, {Code: "050100", Name: "水电气热"}, {Code: "050101", Name: "停水停电"}, {Code: "050102", Name: "增容报装"},
		{Code: "050202", Name: "道路与停车"}, {Code: "010101", Name: "政策咨询"}}, nil
}

type fixture struct {
	*directory.Service
	db    *database.DB
	clock *clock.Fake
	units *[]directory.UnitInfo
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	list := []directory.UnitInfo{{ID: 10, Name: "区城市管理委员会"}, {ID: 11, Name: "区交通局"}, {ID: 12, Name: "台湖镇人民政府"}}
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start), units: &list}
	f.Service = directory.New(directory.Deps{DB: f.db, Clock: f.clock, Units: departments{&list}, Matters: scheme{},
		Areas: []directory.Named{{Code: "110112001", Name: "中仓街道"}, {Code: "110112114", Name: "台湖镇"}}})
	return f
}

var (
	agent   = access.Actor{UserID: 7, Name: "陈静", Party: access.Platform, Permissions: []access.Permission{directory.PermView}}
	manager = access.Actor{UserID: 8, Name: "赵强", Party: access.Platform, Permissions: []access.Permission{directory.PermManage, directory.PermView}}
	owner   = access.Actor{UserID: 30, Party: access.Enterprise, Permissions: []access.Permission{directory.PermManage, directory.PermView}}
)

const taihu, zhongcang = "110112114", "110112001"

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func set(matter, area string, lead int64) directory.Set {
	return directory.Set{Matter: matter, Area: area, Lead: lead, Reason: "职责调整"}
}

func (f fixture) mustSet(t *testing.T, cmd directory.Set) directory.LineView {
	t.Helper()
	return must(f.Set(ctx, manager, cmd))(t)
}

func (f fixture) suggest(t *testing.T, typ, area, text string) (directory.Why, int64) {
	t.Helper()
	s := must(f.Suggest(ctx, agent, directory.Query{Type: typ, Area: area, Text: text}))(t)
	if s.Reason == "" {
		t.Error("a suggestion without a reason")
	}
	if s.Lead == nil {
		return s.Why, 0
	}
	return s.Why, s.Lead.ID
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustSet(t, set("050101", "", 10))
	f.mustSet(t, set("050101", taihu, 12))
	f.mustSet(t, set("050000", "", 11))
	f.mustSet(t, set("050100", taihu, 12))
	for _, c := range []struct {
		typ, area, text string
		why             directory.Why
		unit            int64
	}{
		{"050101", taihu, "", directory.Exact, 12},
		{"050101", "", "", directory.Exact, 10},
		{"050101", zhongcang, "", directory.WiderArea, 10},
		{"050101", "", "台湖镇铺外路停电", directory.Exact, 12},
		{"050101", "", "台湖的厂区停电", directory.Exact, 12},
		{"050101", "", "中仓街道和台湖镇都停电", directory.Exact, 10},
		{"050102", taihu, "", directory.WiderGroup, 12},
		{"050102", "", "", directory.WiderGroup, 11},
		{"050202", taihu, "", directory.WiderGroup, 11},
		{"010101", "", "", directory.Nothing, 0},
	} {
		if why, unit := f.suggest(t, c.typ, c.area, c.text); why != c.why || unit != c.unit {
			t.Errorf("%+v: %s %d", c, why, unit)
		}
	}
	for _, q := range []directory.Query{{Type: "999999"}, {Type: "050101", Area: "000"}} {
		if _, err := f.Suggest(ctx, agent, q); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for _, a := range []access.Actor{owner, {}} {
		if _, err := f.Suggest(ctx, a, directory.Query{Type: "050101"}); err == nil {
			t.Error("somebody else asks")
		}
	}
}

// Where the directory is silent, experience speaks: what was dispatched within ninety days and did not come back.
func TestExperience(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	note := func(event, unit int64, daysAgo int) {
		t.Helper()
		err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			return f.Note(ctx, tx, directory.Dispatch{EventID: event, TicketID: event, Type: "010101", UnitID: unit, UnitName: "单位", At: start.AddDate(0, 0, -daysAgo)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	note(1, 10, 5)
	note(2, 11, 5)
	note(2, 11, 5) // heard twice
	note(3, 11, 89)
	note(4, 12, 91)
	note(5, 10, 1)
	note(6, 10, 1)
	s := must(f.Suggest(ctx, agent, directory.Query{Type: "010101"}))(t)
	if s.Why != directory.Experience || s.Lead != nil || !strings.Contains(s.Reason, "仅供参考") || len(s.Experience) != 2 || s.Experience[0].UnitID != 10 || s.Experience[0].Times != 3 {
		t.Fatalf("%+v", s)
	}
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return errors.Join(f.Returned(ctx, tx, 5, 10, start), f.Returned(ctx, tx, 6, 10, start))
	})
	if err != nil {
		t.Fatal(err)
	}
	if s = must(f.Suggest(ctx, agent, directory.Query{Type: "010101"}))(t); s.Experience[0].UnitID != 11 || s.Experience[1].Times != 1 {
		t.Errorf("after the returns: %+v", s.Experience)
	}
}

// A change makes a new version; what was valid at any moment of the past is told for good.
func TestVersionsExplainThePast(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	at := func(when time.Time) int64 {
		t.Helper()
		s := must(f.Explain(ctx, agent, directory.Query{Type: "050101"}, when))(t)
		if s.Lead == nil {
			return 0
		}
		return s.Lead.ID
	}
	l := f.mustSet(t, set("050101", "", 10))
	if _, err := f.Set(ctx, manager, directory.Set{Matter: "050101", Lead: 10, Reason: "再来一次", Version: l.Version}); !errors.Is(err, directory.ErrSame) {
		t.Errorf("the same units: %v", err)
	}
	past := set("050101", "", 11)
	past.From, past.Version = "2026-11-21", l.Version
	if _, err := f.Set(ctx, manager, past); !errors.Is(err, directory.ErrPast) {
		t.Errorf("from yesterday: %v", err)
	}
	planned := set("050101", "", 11)
	planned.From, planned.Version = "2026-12-01", l.Version
	l = f.mustSet(t, planned)
	if l.Valid == nil || l.Valid.LeadID != 10 || l.Planned == nil || l.Planned.LeadID != 11 || len(l.Problems) != 0 {
		t.Fatalf("planned: %+v", l)
	}
	again := set("050101", "", 12)
	again.Version = l.Version
	if _, err := f.Set(ctx, manager, again); !errors.Is(err, directory.ErrPlanned) {
		t.Errorf("beside a planned one: %v", err)
	}
	l = must(f.TakeBack(ctx, manager, l.ID, l.Version))(t)
	if l.Planned != nil || l.Valid == nil || l.Valid.ValidTo != nil || l.Versions[0].State != directory.StateTakenBack {
		t.Fatalf("taken back: %+v", l)
	}
	if _, err := f.TakeBack(ctx, manager, l.ID, l.Version); !errors.Is(err, directory.ErrBegun) {
		t.Errorf("what has begun: %v", err)
	}
	planned.Version = l.Version
	l = f.mustSet(t, planned)
	turn := time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC) // midnight in Beijing
	f.clock.Set(turn.AddDate(0, 0, 10))
	for when, want := range map[time.Time]int64{start.Add(-time.Second): 0, start: 10, turn.Add(-time.Microsecond): 10, turn: 11, f.clock.Now(): 11} {
		if got := at(when); got != want {
			t.Errorf("at %s: %d, want %d", when, got, want)
		}
	}
	if _, err := f.Explain(ctx, agent, directory.Query{Type: "050101"}, f.clock.Now().Add(time.Hour)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the future: %v", err)
	}
	l = must(f.End(ctx, manager, directory.End{LineID: l.ID, Version: l.Version, Reason: "职责取消"}))(t)
	if l.Valid != nil || at(turn) != 11 {
		t.Errorf("ended: %+v", l)
	}
	if why, _ := f.suggest(t, "050101", "", ""); why != directory.Nothing {
		t.Errorf("after the end: %s", why)
	}
	if _, err := f.End(ctx, manager, directory.End{LineID: l.ID, Version: l.Version, Reason: "再终止"}); !errors.Is(err, directory.ErrNoneValid) {
		t.Errorf("ended twice: %v", err)
	}
	revived := set("050101", "", 10)
	revived.Version = l.Version
	f.clock.Advance(time.Hour)
	if l = f.mustSet(t, revived); l.Valid == nil || len(l.Versions) != 4 {
		t.Errorf("begun again: %+v", l)
	}
	var kinds []string
	for _, e := range must(event.Of(ctx, f.db.Read(), directory.Object, l.ID))(t) {
		kinds = append(kinds, strings.TrimPrefix(e.Type, "directory."))
	}
	if got := strings.Join(kinds, " "); got != "changed changed taken_back changed ended changed" {
		t.Errorf("announced: %s", got)
	}
}

// Of changes made at once one stays, on both databases, and no moment has two versions.
func TestChangesAtOnce(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	race := func(version int64) int {
		t.Helper()
		won := make(chan error, 6)
		var wait sync.WaitGroup
		for i := range cap(won) {
			wait.Go(func() {
				cmd := set("050101", "", 10+int64(i)%3)
				cmd.Version, cmd.Helpers = version, nil
				_, err := f.Set(ctx, manager, cmd)
				won <- err
			})
		}
		wait.Wait()
		close(won)
		n := 0
		for err := range won {
			if err == nil {
				n++
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		}
		return n
	}
	if n := race(0); n != 1 {
		t.Fatalf("%d first versions", n)
	}
	f.clock.Advance(time.Minute)
	if n := race(1); n != 1 {
		t.Fatalf("%d second versions", n)
	}
	b := must(f.Board(ctx, manager))(t)
	if len(b.Lines) != 1 || len(b.Lines[0].Versions) != 2 || b.Lines[0].Valid == nil || b.Lines[0].Valid.No != 2 {
		t.Errorf("%+v", b.Lines)
	}
}

func TestBoardTellsWhatToLookAt(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustSet(t, set("050100", "", 10))
	f.mustSet(t, set("050101", "", 10))
	f.mustSet(t, set("050101", taihu, 10))
	l := f.mustSet(t, set("050202", "", 11))
	must(f.End(ctx, manager, directory.End{LineID: l.ID, Version: l.Version, At: "2026-12-10", Reason: "职责划转"}))(t)
	*f.units = slices.DeleteFunc(*f.units, func(u directory.UnitInfo) bool { return u.ID == 11 })
	var got []string
	for _, p := range must(f.Board(ctx, agent))(t).Problems {
		got = append(got, string(p.Kind)+" "+p.Matter+p.Area)
	}
	if want := []string{"gap 010101", "needless 050101" + taihu, "unit_gone 050202", "ends 050202"}; !slices.Equal(got, want) {
		t.Errorf("problems %v", got)
	}
	for field, cmd := range map[string]directory.Set{
		"matter":    set("999999", "", 10),
		"area":      set("050101", "1", 10),
		"leadId":    set("050102", "", 11),
		"helperIds": {Matter: "050102", Lead: 10, Helpers: []int64{10}, Reason: "职责"},
		"reason":    {Matter: "050102", Lead: 10},
		"validFrom": {Matter: "050102", Lead: 10, Reason: "职责", From: "明天"},
	} {
		_, err := f.Set(ctx, manager, cmd)
		fa, ok := fault.As(err)
		if !ok || !slices.ContainsFunc(fa.Fields, func(x fault.Field) bool { return x.Name == field }) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := f.Set(ctx, agent, set("050102", "", 10)); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("without the right: %v", err)
	}
}

// Each dispatch is kept with what the directory said at its moment.
func TestAccuracy(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustSet(t, set("050101", "", 10))
	for i, unit := range []int64{10, 10, 10, 12} {
		err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			return f.Note(ctx, tx, directory.Dispatch{EventID: int64(i + 1), TicketID: int64(i + 1), Type: "050101", UnitID: unit, At: start.Add(time.Hour)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := f.Note(ctx, tx, directory.Dispatch{EventID: 9, TicketID: 9, Type: "010101", UnitID: 11, At: start.Add(time.Hour)}); err != nil {
			return err
		}
		return f.Returned(ctx, tx, 1, 10, start.Add(2*time.Hour))
	})
	if err != nil {
		t.Fatal(err)
	}
	list := must(f.Accuracy(ctx, agent, start, start.AddDate(0, 1, 0)))(t)
	if len(list) != 2 || list[0].Dispatches != 4 || list[0].Followed != 3 || list[0].Returned != 1 || list[0].MatterName != "停水停电" || list[1].VersionID != 0 || list[1].Dispatches != 1 {
		t.Errorf("%+v", list)
	}
	if _, err := f.Accuracy(ctx, agent, start, start); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no span: %v", err)
	}
}

// What leaves as a spreadsheet comes in again; rows that change nothing are passed over.
func TestSheet(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustSet(t, directory.Set{Matter: "050101", Lead: 10, Helpers: []int64{11}, Reason: "职责", Basis: "通政办发〔2026〕8号"})
	source, target := f.ExportSource(), f.ImportTarget()
	rows, next, err := source.Page(ctx, agent, sheet.Query{Limit: 10})
	if err != nil || len(rows) != 1 || next != "" || rows[0][3].String() != "区城市管理委员会" || rows[0][4].String() != "区交通局" {
		t.Fatalf("%v %q %v", rows, next, err)
	}
	if _, _, err := source.Page(ctx, owner, sheet.Query{Limit: 10}); err == nil {
		t.Error("a company takes the directory out")
	}
	publish := func(on sheet.Duplicates, values map[string]string) (sheet.Change, []sheet.RowProblem) {
		t.Helper()
		r, problems, err := target.Check(ctx, manager, sheet.Record{Row: 2, Values: values})
		if err != nil {
			t.Fatal(err)
		}
		if len(problems) > 0 {
			return "", problems
		}
		var change sheet.Change
		err = f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			change, _, err = target.Publish(ctx, tx, manager, r, on, "import:1:2", nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return change, nil
	}
	row := func(matter, area, lead, helpers string) map[string]string {
		return map[string]string{"matter": matter, "area": area, "lead": lead, "helpers": helpers, "reason": "年度修订"}
	}
	for _, c := range []struct {
		on     sheet.Duplicates
		values map[string]string
		want   sheet.Change
	}{
		{sheet.Update, row("停水停电", "全区", "区城市管理委员会", "区交通局"), sheet.Skipped},
		{sheet.Skip, row("050101", "", "区交通局", ""), sheet.Skipped},
		{sheet.Update, row("050101", "", "区交通局", "区城市管理委员会"), sheet.Updated},
		{sheet.Update, row("050101", "台湖镇", "台湖镇人民政府", ""), sheet.Created},
	} {
		f.clock.Advance(time.Minute)
		if got, problems := publish(c.on, c.values); got != c.want {
			t.Errorf("%v: %s %+v", c.values, got, problems)
		}
	}
	known, err := target.Existing(ctx, manager, []string{"050101/", "050101/" + taihu, "050102/"})
	if err != nil || !known["050101/"] || !known["050101/"+taihu] || known["050102/"] {
		t.Errorf("known %v, %v", known, err)
	}
	for field, values := range map[string]map[string]string{
		"matter": row("没有", "", "区交通局", ""), "area": row("050101", "火星镇", "区交通局", ""), "lead": row("050101", "", "区火星局", ""),
		"helpers": row("050101", "", "区交通局", "区交通局"),
	} {
		if _, problems := publish(sheet.Update, values); len(problems) != 1 || problems[0].Field != field {
			t.Errorf("%s: %+v", field, problems)
		}
	}
	if why, unit := f.suggest(t, "050101", taihu, ""); why != directory.Exact || unit != 12 {
		t.Errorf("%s %d", why, unit)
	}
}
