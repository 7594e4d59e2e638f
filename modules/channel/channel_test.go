package channel_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/channel"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/sheet"
)

var start = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)

const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0"

// applications are seen by everybody but 404.
type applications struct{}

func (applications) Sees(_ context.Context, _ access.Actor, id int64) error {
	if id == 404 {
		return fault.ErrNotFound
	}
	return nil
}

type fixture struct {
	*channel.Service
	db    *database.DB
	clock *clock.Fake
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
	f := fixture{db: databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, channel.Migrations)), clock: clock.NewFake(start)}
	f.Service = channel.New(channel.Deps{DB: f.db, Clock: f.clock, Box: box, Site: "https://hq.example.gov.cn"})
	f.Applications = applications{}
	return f
}

func operator() access.Actor {
	return access.Actor{UserID: 9, Name: "运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{channel.PermExport, channel.PermManage, channel.PermView}}
}

func reader() access.Actor {
	return access.Actor{UserID: 8, Name: "审核", Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{channel.PermView}}
}

func visitor(arrival string) access.Actor {
	return access.Actor{Party: access.Anonymous, UserAgent: phone, Arrival: arrival}
}

func (f fixture) mustCreate(t *testing.T, change func(*channel.Fields), names ...string) []channel.View {
	t.Helper()
	cmd := channel.Create{Names: names, Fields: channel.Fields{Kind: "poster", Owner: "新华街道", Landing: "/m/register", On: true}}
	if change != nil {
		change(&cmd.Fields)
	}
	list, err := f.Create(context.Background(), operator(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (f fixture) mustVisit(t *testing.T, code, arrival string) channel.Visited {
	t.Helper()
	v, err := f.Visit(context.Background(), visitor(arrival), code, "")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f fixture) tx(t *testing.T, fn func(ctx context.Context, tx bun.Tx) error) {
	t.Helper()
	if err := f.db.RunInTx(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) register(t *testing.T, arrival string, user, company int64) {
	t.Helper()
	f.tx(t, func(ctx context.Context, tx bun.Tx) error {
		return f.Registered(ctx, tx, visitor(arrival), user, company)
	})
}

func (f fixture) apply(t *testing.T, arrival string, id, company int64) {
	t.Helper()
	f.tx(t, func(ctx context.Context, tx bun.Tx) error { return f.Applied(ctx, tx, visitor(arrival), id, company) })
}

func (f fixture) mustStats(t *testing.T, q channel.Query) channel.Stats {
	t.Helper()
	st, err := f.Stats(context.Background(), reader(), q)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestVisitsAreCountedOnce lets many browsers open a link many times, all at once.
func TestVisitsAreCountedOnce(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	made := f.mustCreate(t, nil, "一号海报", "二号海报")
	a, b := made[0].Code, made[1].Code
	const people, times = 12, 10
	tokens := make([]string, people)
	for i := range tokens {
		tokens[i] = f.mustVisit(t, a, "").Token // what their browsers carry on
	}
	var wg sync.WaitGroup
	for _, token := range tokens {
		for i := range times {
			code := []string{a, b}[i%2]
			wg.Go(func() {
				if _, err := f.Visit(context.Background(), visitor(token), strings.ToLower(code), ""); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	for agent, why := range map[string]string{"": "no name", "Googlebot/2.1": "a bot", "curl/8.0": "a program", "Mozilla/5.0 HeadlessChrome/120": "a browser without a person"} {
		v, err := f.Visit(context.Background(), access.Actor{Party: access.Anonymous, UserAgent: agent}, a, "")
		if err != nil || v.Token != "" || v.Landing != "/m/register" {
			t.Errorf("%s: %+v %v", why, v, err)
		}
	}
	st := f.mustStats(t, channel.Query{})
	if st.Total.Visits != 2*people || st.Total.Visitors != people || len(st.Lines) != 2 {
		t.Fatalf("%+v", st)
	}
	for _, l := range st.Lines {
		if l.Visits != people || l.Visitors != people {
			t.Errorf("%+v", l)
		}
	}
	f.clock.Advance(24 * time.Hour)
	f.mustVisit(t, a, tokens[0])
	if st = f.mustStats(t, channel.Query{Group: channel.ByDay, From: "2026-11-30", To: "2026-12-01"}); len(st.Lines) != 2 || st.Lines[1].Visits != 1 || st.Total.Visits != 2*people+1 || st.Total.Visitors != people {
		t.Fatalf("the next day: %+v", st)
	}
	// A page whose browser keeps no cookie says who it is by itself: nobody is counted twice.
	v := f.mustVisit(t, a, "")
	if _, err := f.Visit(context.Background(), visitor(""), a, v.Token); err != nil {
		t.Fatal(err)
	}
	if st = f.mustStats(t, channel.Query{From: "2026-12-01", To: "2026-12-01"}); st.Total.Visits != 2 {
		t.Fatalf("%+v", st)
	}
}

// TestAttributedOnce follows companies from a link to what they do.
func TestAttributedOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	made := f.mustCreate(t, nil, "一号海报", "二号海报")
	first := f.mustVisit(t, made[0].Code, "").Token
	f.clock.Advance(time.Hour)
	last := f.mustVisit(t, made[1].Code, first).Token
	f.register(t, last, 1, 10)
	f.register(t, first, 1, 10) // a repeat by another link
	for name, forged := range map[string]string{"nothing": "", "another code": made[0].Code + last[6:], "words": "a.b.c.d", "half": last[:len(last)-1]} {
		f.register(t, forged, 2, 20)
		if st := f.mustStats(t, channel.Query{}); st.Total.Registrations != 1 {
			t.Errorf("%s attributes: %+v", name, st.Total)
		}
	}
	// The last link counts; an application without a link is that of the channel the company registered by.
	f.apply(t, "", 100, 10)
	f.apply(t, first, 101, 10)
	f.apply(t, first, 100, 10)
	f.apply(t, "", 102, 20)
	for id, want := range map[int64]struct {
		name string
		how  channel.How
	}{100: {"二号海报", channel.ByRegistration}, 101: {"一号海报", channel.ByLink}, 102: {}} {
		got, err := f.OfApplication(ctx, reader(), id)
		if err != nil || want.name == "" && len(got) != 0 || want.name != "" && (len(got) != 1 || got[0].Name != want.name || got[0].How != want.how) {
			t.Errorf("%d: %+v %v", id, got, err)
		}
	}
	f.clock.Advance(24 * time.Hour)
	at := f.clock.Now()
	f.tx(t, func(ctx context.Context, tx bun.Tx) error {
		return errors.Join(f.Verified(ctx, tx, 10, at), f.Verified(ctx, tx, 10, at.AddDate(0, 1, 0)), f.Verified(ctx, tx, 20, at),
			f.Settled(ctx, tx, 100, true, at), f.Settled(ctx, tx, 100, true, at.AddDate(0, 1, 0)), f.Settled(ctx, tx, 101, true, at), f.Settled(ctx, tx, 101, false, at), f.Settled(ctx, tx, 102, true, at))
	})
	st := f.mustStats(t, channel.Query{Sort: "applications", Ascending: true, From: "2026-11-30", To: "2026-12-01"})
	two := st.Lines[0]
	if two.Name != "一号海报" {
		two = st.Lines[1]
	}
	if two.Name != "一号海报" || two.Applications != 1 || two.Approved != 0 || two.Registrations != 0 {
		t.Fatalf("%+v", two)
	}
	if n := st.Total.Numbers; n != (channel.Numbers{Visits: 2, Visitors: 1, Registrations: 1, Verified: 1, Applications: 2, Approved: 1}) || st.Total.Conversion != 10000 {
		t.Fatalf("%+v", st.Total)
	}
	if st = f.mustStats(t, channel.Query{From: "2026-12-01", To: "2026-12-01"}); st.Total.Numbers != (channel.Numbers{Verified: 1, Approved: 1}) || st.Total.Conversion != -1 {
		t.Fatalf("of one day: %+v", st.Total)
	}
	if st = f.mustStats(t, channel.Query{Group: channel.ByMonth, From: "2026-11-01", To: "2026-12-31", ChannelID: made[1].ID}); len(st.Lines) != 2 || st.Lines[0].Applications != 1 || st.Lines[1].Approved != 1 {
		t.Fatalf("by month: %+v", st)
	}
}

// TestWhatDoesNotAttribute opens links of channels that count no more.
func TestWhatDoesNotAttribute(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	update := func(v channel.View, change func(*channel.Fields)) channel.View {
		fields := channel.Fields{Kind: v.Kind, Owner: v.Owner, Landing: v.Landing, From: v.From, To: v.To, On: v.On}
		change(&fields)
		v, err := f.Update(ctx, operator(), channel.Update{ID: v.ID, Version: v.Version, Name: v.Name, Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	ahead := f.mustCreate(t, func(c *channel.Fields) { c.From = "2026-12-05" }, "下月活动")[0]
	over := f.mustCreate(t, func(c *channel.Fields) { c.To = "2026-11-30" }, "今日活动")[0]
	off := f.mustCreate(t, nil, "旧海报")[0]
	carried := f.mustVisit(t, off.Code, "").Token
	f.register(t, carried, 5, 50)
	update(off, func(c *channel.Fields) { c.On = false })
	day := f.mustVisit(t, over.Code, "").Token
	f.clock.Advance(24 * time.Hour)
	for _, code := range []string{ahead.Code, over.Code, off.Code, "NOSUCH", "x", strings.Repeat("A", 4000)} {
		if v := f.mustVisit(t, code, ""); v.Landing != "/" || v.Token != "" {
			t.Errorf("%s: %+v", code, v)
		}
	}
	f.register(t, carried, 6, 60)
	f.register(t, day, 7, 70)
	f.apply(t, "", 500, 50) // its channel is switched off
	if st := f.mustStats(t, channel.Query{}); st.Total.Registrations != 1 || st.Total.Applications != 0 || st.Total.Visits != 2 {
		t.Fatalf("%+v", st.Total)
	}
	// After the days of the rule a link is forgotten.
	live := f.mustCreate(t, nil, "新海报")[0]
	token := f.mustVisit(t, live.Code, "").Token
	rule, err := f.Rule(ctx, operator())
	if err != nil {
		t.Fatal(err)
	}
	rule.Days, rule.CarryDays = 10, 20
	if err := f.SetRule(ctx, operator(), rule); err != nil {
		t.Fatal(err)
	}
	if err := f.SetRule(ctx, operator(), rule); !errors.Is(err, channel.ErrStale) {
		t.Fatalf("a version behind: %v", err)
	}
	f.clock.Advance(9 * 24 * time.Hour)
	f.register(t, token, 8, 80)
	f.clock.Advance(2 * 24 * time.Hour)
	f.register(t, token, 9, 90)
	f.clock.Advance(17 * 24 * time.Hour)
	f.apply(t, "", 800, 80)
	f.clock.Advance(2 * 24 * time.Hour)
	f.apply(t, "", 801, 80)
	if st := f.mustStats(t, channel.Query{ChannelID: live.ID, From: "2026-11-30", To: "2027-01-30"}); st.Total.Registrations != 1 || st.Total.Applications != 1 {
		t.Fatalf("%+v", st.Total)
	}
}

// TestThirtyPosters makes many channels at once, and takes their codes along.
func TestThirtyPosters(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	var names []string
	for i := range 30 {
		names = append(names, "海报"+string(rune('一'+i)))
	}
	cmd := channel.Create{Names: names, Key: "once", Fields: channel.Fields{Kind: "poster", Landing: "/", On: true}}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := f.Create(ctx, operator(), cmd); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	made, err := f.Create(ctx, operator(), cmd)
	if err != nil || len(made) != 30 {
		t.Fatal(len(made), err)
	}
	codes, ids := map[string]bool{}, []int64{}
	for _, v := range made {
		codes[v.Code] = true
		ids = append(ids, v.ID)
		if len(v.Code) != 6 || v.Link != "https://hq.example.gov.cn/c/"+v.Code || v.State != channel.Live {
			t.Errorf("%+v", v)
		}
	}
	list, next, err := f.List(ctx, reader(), channel.Filter{Limit: 100, State: channel.Live})
	if err != nil || len(codes) != 30 || len(list) != 30 || next != "" {
		t.Fatalf("%d codes, %d in the list, %v", len(codes), len(list), err)
	}
	if list, _, err = f.List(ctx, reader(), channel.Filter{Words: strings.ToLower(made[3].Code)}); err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	b, err := f.Pictures(ctx, reader(), ids)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(z.File) != 61 {
		t.Fatal(err)
	}
	r, err := z.Open("清单.csv")
	if err != nil {
		t.Fatal(err)
	}
	csv, err := io.ReadAll(r)
	if err != nil || strings.Count(string(csv), "/c/") != 30 {
		t.Fatal(string(csv), err)
	}
	for _, src := range []sheet.Source{f.ExportSource(), f.StatsSource()} {
		rows, _, err := src.Page(ctx, operator(), sheet.Query{Columns: []string{"name", "code"}, Limit: 100})
		if err != nil || len(rows) < 30 {
			t.Errorf("%s: %d rows, %v", src.Name, len(rows), err)
		}
		if _, _, err := src.Page(ctx, reader(), sheet.Query{Columns: []string{"name"}, Limit: 100}); !errors.Is(err, fault.ErrForbidden) {
			t.Errorf("%s without the right: %v", src.Name, err)
		}
		if _, err := src.Describe(sheet.Filter{"kind": "circus"}); err == nil {
			t.Errorf("%s takes any filter", src.Name)
		}
	}
}

func TestWhoMayAndWhatIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustCreate(t, nil, "一号海报")[0]
	everything := operator().Permissions
	for who, a := range map[string]access.Actor{
		"a visitor":                       {Party: access.Anonymous},
		"a company":                       {UserID: 1, Party: access.Enterprise, EnterpriseID: 3, Permissions: everything},
		"an institution with every right": {UserID: 2, Party: access.Institution, InstitutionID: 3, Scope: access.ScopeSelf, Permissions: everything},
		"a department":                    {UserID: 3, Party: access.Government, Scope: access.ScopeDepartment, Permissions: everything},
		"an operator without the right":   {UserID: 4, Party: access.Platform, Scope: access.ScopeDistrict},
	} {
		_, errList := func() (any, error) { l, _, err := f.List(ctx, a, channel.Filter{}); return l, err }()
		_, errGet := f.Get(ctx, a, v.ID)
		_, errStats := f.Stats(ctx, a, channel.Query{})
		_, errOrigin := f.OfApplication(ctx, a, 100)
		_, _, errPicture := f.Picture(ctx, a, v.ID, false)
		_, errPictures := f.Pictures(ctx, a, []int64{v.ID})
		_, errRule := f.Rule(ctx, a)
		_, errCreate := f.Create(ctx, a, channel.Create{Names: []string{"海报"}, Fields: channel.Fields{Kind: "poster", Landing: "/"}})
		_, errUpdate := f.Update(ctx, a, channel.Update{ID: v.ID, Version: 1, Name: "海报", Fields: channel.Fields{Kind: "poster", Landing: "/"}})
		errSet := f.SetRule(ctx, a, channel.RuleView{Rule: channel.Rule{Days: 1}, Version: 1})
		for i, err := range []error{errList, errGet, errStats, errOrigin, errPicture, errPictures, errRule, errCreate, errUpdate, errSet} {
			if k := fault.KindOf(err); k != fault.Forbidden && k != fault.Unauthorized {
				t.Errorf("%s, %d: %v", who, i, err)
			}
		}
	}
	if _, err := f.Create(ctx, reader(), channel.Create{Names: []string{"海报"}, Fields: channel.Fields{Kind: "poster", Landing: "/"}}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("who reads creates: %v", err)
	}
	if _, err := f.OfApplication(ctx, reader(), 404); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("an application that is not theirs: %v", err)
	}
	for name, change := range map[string]func(*channel.Create){
		"another site":           func(c *channel.Create) { c.Fields.Landing = "https://evil.example/" },
		"another host":           func(c *channel.Create) { c.Fields.Landing = "//evil.example" },
		"a backslash":            func(c *channel.Create) { c.Fields.Landing = `/\evil.example` },
		"the back office":        func(c *channel.Create) { c.Fields.Landing = "/admin/" },
		"a page and a line":      func(c *channel.Create) { c.Fields.Landing = "/policies/1\n" },
		"a query":                func(c *channel.Create) { c.Fields.Landing = "/policies?x=1" },
		"no kind":                func(c *channel.Create) { c.Fields.Kind = "" },
		"no name":                func(c *channel.Create) { c.Names = nil },
		"one name twice":         func(c *channel.Create) { c.Names = []string{"海报", " 海报 "} },
		"a hundred and one":      func(c *channel.Create) { c.Names = make([]string, 101) },
		"an end before it begin": func(c *channel.Create) { c.Fields.From, c.Fields.To = "2026-12-02", "2026-12-01" },
		"no day":                 func(c *channel.Create) { c.Fields.To = "2026-13-01" },
	} {
		c := channel.Create{Names: []string{"海报"}, Fields: channel.Fields{Kind: "poster", Landing: "/policies/12", On: true}}
		change(&c)
		if _, err := f.Create(ctx, operator(), c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Update(ctx, operator(), channel.Update{ID: v.ID, Version: 7, Name: "海报", Fields: channel.Fields{Kind: "poster", Landing: "/"}}); !errors.Is(err, channel.ErrStale) {
		t.Errorf("a version that is not: %v", err)
	}
	for name, q := range map[string]channel.Query{
		"backwards": {From: "2026-12-02", To: "2026-12-01"}, "two years by day": {Group: channel.ByDay, From: "2024-12-02", To: "2026-12-01"},
		"ten years": {From: "2016-12-02", To: "2026-12-01"}, "a number that is none": {Sort: "luck"}, "a group that is none": {Group: "week"},
	} {
		if _, err := f.Stats(ctx, reader(), q); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
