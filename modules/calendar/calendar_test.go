package calendar_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/calendar"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/worktime"
)

var steps = slices.Concat(audit.Migrations, idempotency.Migrations, calendar.Migrations)

// desk remembers which version is in force, and reckons one deadline: a working day from Thursday the 31st of December.
type desk struct {
	mu    sync.Mutex
	using int64
	fail  error
}

func (d *desk) Moves(_ context.Context, c *worktime.Calendar, cursor string) (calendar.Moves, error) {
	start := worktime.Date(2026, 12, 31).At(600)
	due, _ := worktime.Due(start, worktime.Budget{Amount: 1, Unit: worktime.WorkingDays}, c, nil)
	return calendar.Moves{Items: []calendar.Move{{Number: "GD1", NewDueAt: due}}, Looked: 1, Next: cursor}, nil
}

func (d *desk) UseCalendar(_ context.Context, _ bun.Tx, number int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail == nil {
		d.using = number
	}
	return d.fail
}

type fixture struct {
	*calendar.Service
	db   *database.DB
	desk *desk
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, steps), desk: &desk{}}
	f.Service = calendar.New(calendar.Deps{DB: f.db, Clock: clock.NewFake(time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)), Deadlines: f.desk})
	if err := f.Ensure(context.Background(), access.SystemActor("test"), plain()); err != nil {
		t.Fatal(err)
	}
	return f
}

func plain() calendar.Definition {
	work := []worktime.Period{{From: 540, Until: 720}, {From: 840, Until: 1080}}
	return calendar.Definition{Weekly: [][]worktime.Period{{}, work, work, work, work, work, {}}, MakeUp: work, Years: []int{2026},
		Days: []calendar.Exception{{Day: "2026-10-01", Name: "国庆节"}, {Day: "2026-10-10", Work: true, Name: "国庆节"}}}
}

func person(rights ...access.Permission) access.Actor {
	return access.Actor{UserID: 5, Name: "周洋", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: rights}
}

var (
	keeper = person(calendar.PermManage, calendar.PermView)
	reader = person(calendar.PermView)
)

// TestFromDraftToForce: a draft is edited, previewed and published; the version before stays as it was.
func TestFromDraftToForce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	st, err := f.Standing(ctx, reader)
	if err != nil || st.CanManage || st.Draft != nil || st.Current.State != calendar.Published || !slices.Equal(st.Current.Warnings, []string{"2027年度日历未维护"}) {
		t.Fatalf("%+v %v", st, err)
	}
	first := st.Current.ID
	if f.desk.using != first {
		t.Fatalf("%d is in force", f.desk.using)
	}
	if err := f.Ensure(ctx, access.SystemActor("test"), plain()); err != nil { // the next start
		t.Fatal(err)
	}
	d, err := f.Begin(ctx, keeper, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.Begin(ctx, keeper, "k2"); err != nil || again.ID != d.ID {
		t.Fatalf("a second draft: %+v %v", again, err)
	}
	if _, err := f.Publish(ctx, keeper, d.ID, d.Version, ""); !errors.Is(err, calendar.ErrSame) {
		t.Errorf("nothing to publish: %v", err)
	}
	def := d.Definition
	def.Years = append(def.Years, 2027)
	def.Days = append(def.Days, calendar.Exception{Day: "2027-01-01", Name: "元旦"})
	saved, err := f.Save(ctx, keeper, calendar.Save{ID: d.ID, Version: d.Version, Note: "2027年放假安排", Definition: def})
	if err != nil || len(saved.Warnings) != 0 || saved.Version != d.Version+1 {
		t.Fatalf("%+v %v", saved, err)
	}
	if _, err := f.Save(ctx, keeper, calendar.Save{ID: d.ID, Version: d.Version, Definition: def}); !errors.Is(err, calendar.ErrStale) {
		t.Errorf("stale: %v", err)
	}
	m, err := f.Preview(ctx, reader, d.ID, "")
	if err != nil || m.Looked != 1 || !m.Items[0].NewDueAt.Equal(worktime.Date(2027, 1, 4).At(1080)) {
		t.Fatalf("%+v %v", m, err)
	}
	if m, err = f.Preview(ctx, reader, first, ""); err != nil || !m.Items[0].NewDueAt.Equal(worktime.Date(2027, 1, 1).At(1080)) {
		t.Fatalf("%+v %v", m, err)
	}
	f.desk.fail = errors.New("the deadlines do not follow")
	if _, err := f.Publish(ctx, keeper, d.ID, saved.Version, ""); err == nil {
		t.Fatal("published without its deadlines")
	}
	f.desk.fail = nil
	if st, err = f.Standing(ctx, keeper); err != nil || st.Current.ID != first || st.Draft == nil || !st.CanManage {
		t.Fatalf("half published: %+v %v", st, err)
	}
	// Two at once: one publishes.
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 4 {
		wg.Go(func() {
			_, err := f.Publish(ctx, keeper, d.ID, saved.Version, "")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done != 1 || f.desk.using != d.ID {
		t.Fatalf("%d published, %d in force", done, f.desk.using)
	}
	if _, err := f.Save(ctx, keeper, calendar.Save{ID: d.ID, Version: saved.Version + 1, Definition: def}); !errors.Is(err, calendar.ErrNotDraft) {
		t.Errorf("a published version was changed: %v", err)
	}
	if err := f.Discard(ctx, keeper, first, 1, ""); !errors.Is(err, calendar.ErrNotDraft) {
		t.Errorf("a superseded version was thrown away: %v", err)
	}
	list, next, err := f.List(ctx, reader, 0, 1)
	if err != nil || len(list) != 1 || next == 0 || list[0].PublishedBy != "周洋" || list[0].Note != "2027年放假安排" {
		t.Fatalf("%+v %d %v", list, next, err)
	}
	if list, next, err = f.List(ctx, reader, next, 1); err != nil || len(list) != 1 || next != 0 || list[0].State != calendar.Superseded {
		t.Fatalf("%+v %d %v", list, next, err)
	}
	c, err := f.Calendar(ctx, f.db.Read(), first)
	if err != nil || c.Number != first || c.Knows(2027) || c.Why(worktime.Date(2026, 10, 1)) != "国庆节" {
		t.Errorf("the first version is now %+v %v", c, err)
	}
	n, err := f.db.Read().NewSelect().Model((*audit.Entry)(nil)).Where("action = ?", "calendar.publish").Count(ctx)
	if err != nil || n != 2 {
		t.Errorf("%d lines of the audit log, %v", n, err)
	}
}

// TestOutdatedDraft: who began before another version came into force begins again.
func TestOutdatedDraft(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	d, err := f.Begin(ctx, keeper, "")
	if err != nil {
		t.Fatal(err)
	}
	// As another process would have left it.
	if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewRaw("UPDATE calendar_versions SET state = 'superseded' WHERE state = 'published'").Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewRaw(`INSERT INTO calendar_versions (state, base_id, note, definition, version, created_at, created_by, changed_at, changed_by, published_by)
			SELECT 'published', base_id, '', definition, 1, created_at, '', changed_at, '', '' FROM calendar_versions WHERE id = ?`, d.ID).Exec(ctx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Publish(ctx, keeper, d.ID, d.Version, ""); !errors.Is(err, calendar.ErrOutdated) {
		t.Errorf("%v", err)
	}
	if err := f.Discard(ctx, keeper, d.ID, d.Version+1, ""); !errors.Is(err, calendar.ErrStale) {
		t.Errorf("%v", err)
	}
	if err := f.Discard(ctx, keeper, d.ID, d.Version, ""); err != nil {
		t.Error(err)
	}
	if _, err := f.Get(ctx, reader, d.ID); !errors.Is(err, calendar.ErrNotFound) {
		t.Error(err)
	}
}

func TestWhoMay(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	d, err := f.Begin(ctx, keeper, "")
	if err != nil {
		t.Fatal(err)
	}
	none := person()
	for what, err := range map[string]error{
		"standing": last(f.Standing(ctx, none)), "get": last(f.Get(ctx, none, d.ID)), "preview": last(f.Preview(ctx, none, d.ID, "")),
		"begin": last(f.Begin(ctx, reader, "")), "save": last(f.Save(ctx, reader, calendar.Save{ID: d.ID, Version: 1, Definition: plain()})),
		"publish": last(f.Publish(ctx, reader, d.ID, 1, "")), "discard": f.Discard(ctx, reader, d.ID, 1, ""), "ensure": f.Ensure(ctx, keeper, plain()),
	} {
		if !errors.Is(err, fault.ErrForbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func last[T any](_ T, err error) error { return err }

func TestBadDefinitions(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*calendar.Definition){
		"":      func(*calendar.Definition) {},
		"周日至周六": func(d *calendar.Definition) { d.Weekly = d.Weekly[:6] },
		"重叠": func(d *calendar.Definition) {
			d.Weekly[1] = []worktime.Period{{From: 540, Until: 720}, {From: 700, Until: 800}}
		},
		"最多 10": func(d *calendar.Definition) { d.MakeUp = make([]worktime.Period, 11) },
		"不正确":   func(d *calendar.Definition) { d.Days = append(d.Days, calendar.Exception{Day: "2026-02-30"}) },
		"年度 1":  func(d *calendar.Definition) { d.Years = []int{1} },
		"设置了两次": func(d *calendar.Definition) {
			d.Days = append(d.Days, calendar.Exception{Day: "2026-10-01", Work: true})
		},
		"名称最多":   func(d *calendar.Definition) { d.Days[0].Name = strings.Repeat("节", 21) },
		"至少一天":   func(d *calendar.Definition) { d.Weekly = make([][]worktime.Period, 7) },
		"调休上班日的": func(d *calendar.Definition) { d.MakeUp = nil },
	} {
		d := plain()
		change(&d)
		_, err := d.Calendar()
		if want == "" && err != nil || want != "" && (fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error()+detail(err), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// detail is what a person reads.
func detail(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	text := f.Message
	for _, x := range f.Fields {
		text += x.Message
	}
	return text
}
