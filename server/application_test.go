package server

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/licence"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/demo"
)

// toldDemo is the demo district up to its products, joined as it runs.
func toldDemo(t *testing.T) (*house, *seeded) {
	t.Helper()
	ctx := context.Background()
	now := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	world, err := demo.Generate(now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load("", map[string]any{"data": t.TempDir(), "demo": true, "requests_per_minute": 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	s := &seeded{world: world, at: clock.NewFake(now), now: now, ids: map[string]int64{}, actors: map[int64]access.Actor{}}
	h, err := build(ctx, c, databasetest.New(t, Migrations()), secret.NewKey(), parts{log: slog.New(slog.DiscardHandler), clock: s.at, outside: outside{sender: silent{}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.identity.EnsureRoles(ctx); err != nil {
		t.Fatal(err)
	}
	s.tell(t, h.seedDepartments, h.seedStaff, h.seedInstitutions, h.seedCompanies, h.seedProducts)
	return h, s
}

// tell loads more of the demo district, and ends at the moment its stories end.
func (s *seeded) tell(t *testing.T, parts ...func(context.Context, *seeded) error) {
	t.Helper()
	for _, load := range parts {
		s.at.Set(s.now.AddDate(0, -6, 0))
		if err := load(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	s.at.Set(s.now)
}

// TestAnApplicationBeginsWithWhatIsKnown: the form shows what the platform knows, offers the papers the company keeps and
// what was typed the last time; what is handed in is read by the institution of the application and nobody else's.
func TestAnApplicationBeginsWithWhatIsKnown(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h, s := toldDemo(t)
	if err := h.ensureLicenceKinds(ctx); err != nil {
		t.Fatal(err)
	}
	if err := h.ensureConsents(ctx); err != nil {
		t.Fatal(err)
	}
	var told demo.Application
	for _, a := range s.world.Applications {
		if len(a.Steps) > 0 && told.Key == "" {
			told = a
		}
	}
	owner, err := s.as(ctx, h, "owner", told.Owner)
	if err != nil {
		t.Fatal(err)
	}
	product, err := s.id("product", told.Product)
	if err != nil {
		t.Fatal(err)
	}
	keep := func(kind, number, until string) int64 {
		t.Helper()
		var picture bytes.Buffer
		if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
			t.Fatal(err)
		}
		file, err := enterpriseFiles{h}.Keep(ctx, owner, number+".png", &picture)
		if err != nil {
			t.Fatal(err)
		}
		v, err := h.licences.Keep(ctx, owner, licence.Keep{Paper: licence.Paper{Kind: kind, Number: number, ExpiresOn: until, FileIDs: []int64{file}}})
		if err != nil {
			t.Fatal(err)
		}
		return v.ID
	}
	business := keep("business", "执照一号", "2026-12-20")
	f, err := h.applications.Form(ctx, owner, product)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Known) == 0 || f.Known[0].Source == "" || f.Sharing == nil || f.Sharing.Holds || len(f.Papers) != 1 || f.Papers[0].Name != "营业执照" || !strings.Contains(f.Papers[0].Word, "26 天") {
		t.Errorf("known %d, sharing %+v, papers %+v", len(f.Known), f.Sharing, f.Papers)
	}
	if want := slices.ContainsFunc(f.Product.Materials, func(m string) bool { return strings.Contains(m, "营业执照") }); want != slices.Contains(f.Prefill.Papers, business) {
		t.Errorf("asked for %v, ticked %v", f.Product.Materials, f.Prefill.Papers)
	}
	cmd := application.Submit{Key: "k1", ProductID: product, Amount: f.Product.AmountMin, Term: max(f.Product.TermMin, 1), Purpose: "采购原料", ContactName: "王会计", Phone: "010-60000009", Source: application.FromPortal,
		PaperIDs: []int64{business, 987654}}
	if _, err := h.applications.Submit(ctx, owner, cmd); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a paper that is not there: %v", err)
	}
	s.at.Set(s.now.AddDate(0, 2, 0)) // it is over
	cmd.PaperIDs = []int64{business}
	if _, err := h.applications.Submit(ctx, owner, cmd); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "有效期") {
		t.Errorf("a paper that is over: %v", err)
	}
	s.at.Set(s.now)
	v, err := h.applications.Submit(ctx, owner, cmd)
	if err != nil || len(v.PaperFiles) != 1 {
		t.Fatalf("%+v %v", v.PaperFiles, err)
	}
	if again, err := h.applications.Submit(ctx, owner, cmd); err != nil || again.ID != v.ID || len(again.PaperFiles) != 1 {
		t.Errorf("a double click: %+v %v", again.PaperFiles, err)
	}
	other := access.Actor{UserID: 77, Party: access.Institution, InstitutionID: v.InstitutionID + 1, Permissions: []access.Permission{application.PermView}}
	mine := access.Actor{UserID: 78, Party: access.Institution, InstitutionID: v.InstitutionID, Permissions: []access.Permission{application.PermView}}
	if _, err := h.uploads.Get(ctx, other, v.PaperFiles[0].ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another institution reads the paper: %v", err)
	}
	if _, err := h.uploads.Get(ctx, mine, v.PaperFiles[0].ID); err != nil {
		t.Errorf("the institution of the application: %v", err)
	}
	if next, err := h.applications.Form(ctx, owner, product); err != nil || next.Prefill.ContactName != "王会计" || next.Prefill.Phone != "010-60000009" {
		t.Errorf("what was typed the last time: %+v %v", next.Prefill, err)
	}
}

// TestDemoApplications loads the applications of the demo district through the modules joined as they run: each stands
// where its story ends, nobody outside sees it, and no phone lies in clear.
func TestDemoApplications(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h, s := toldDemo(t)
	world := s.world
	s.tell(t, h.seedApplications)
	drafted, want, got := 0, map[application.Status]int{}, map[application.Status]int{}
	for _, a := range world.Applications {
		if a.State == "draft" {
			drafted++
		} else {
			want[application.Status(a.State)]++
		}
	}
	var last application.Item
	system := access.SystemActor("test")
	for f := (application.ListFilter{Limit: 100}); ; {
		items, next, err := h.applications.List(ctx, system, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			got[i.Status]++
			last = i
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, the stories end with %v", got, want)
	}
	drafts, err := h.db.Read().NewSelect().TableExpr("application_drafts").Count(ctx)
	if err != nil || int(drafts) != drafted {
		t.Errorf("%d of %d drafts, %v", drafts, drafted, err)
	}
	for _, q := range []string{"SELECT phone_sealed FROM applications", "SELECT sealed FROM application_drafts", "SELECT facts FROM events WHERE object = 'application'"} {
		var rows []string
		if err := h.db.Read().NewRaw(q).Scan(ctx, &rows); err != nil || len(rows) == 0 {
			t.Fatalf("%s: %d rows, %v", q, len(rows), err)
		}
		for _, row := range rows {
			if strings.Contains(row, "19900") {
				t.Errorf("%s holds a phone in clear", q)
			}
		}
	}

	stranger := owner(t, h, "13800138021")
	walked := 0
	for _, r := range h.web.Routes() {
		if !strings.Contains(r.Path, "/applications/") {
			continue
		}
		walked++
		path := func(id int64) string { return parameter.ReplaceAllString(r.Path, fmt.Sprint(id)) }
		body := `{"version":1,"note":"好的","reason":"没有道理的理由","amount":1,"rate":1,"term":1,"userId":1}`
		status, text := ask(t, h, r.Method, path(last.ID), stranger, body)
		missing, _ := ask(t, h, r.Method, path(987654), stranger, body)
		if status != missing || status < 400 || strings.Contains(text, last.ProductName) {
			t.Errorf("%s %s: somebody else's answers %d, a missing one %d", r.Method, r.Path, status, missing)
		}
	}
	if walked < 15 {
		t.Errorf("only %d routes were walked", walked)
	}
}
