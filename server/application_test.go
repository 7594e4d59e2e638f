package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/consent"
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

// TestTheInstitutionReadsAsFarAsTheCompanyAgreed: an application is taken without a consent and nothing known of the company is read with it;
// with one the form says so, and the institution of the application and nobody else reads it, each reading in the company's log; after the
// consent was revoked nothing is read any more, and the application goes on.
func TestTheInstitutionReadsAsFarAsTheCompanyAgreed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h, s := toldDemo(t)
	if err := h.ensureConsents(ctx); err != nil {
		t.Fatal(err)
	}
	publisher := must(s.as(ctx, h, "staff", "reviewer01"))(t)
	for _, x := range must(h.consents.Texts(ctx, publisher))(t) {
		if _, err := h.consents.Publish(ctx, publisher, consent.Publish{ID: x.ID, Version: x.Version}); err != nil {
			t.Fatal(err)
		}
	}
	owner := must(s.as(ctx, h, "owner", s.world.Walk.BakeryOwner))(t)
	bank := must(s.as(ctx, h, "operator", operatorOf(t, s.world, s.world.Walk.Bank)))(t)
	other := must(s.as(ctx, h, "operator", operatorOf(t, s.world, "digital-yunfan")))(t)
	items, _, err := h.catalog.List(ctx, bank, catalog.ListFilter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var form application.Form
	for _, p := range items {
		if form, err = h.applications.Form(ctx, owner, p.ID); err == nil && form.Listed && form.Verified && form.Product.Lends {
			break
		}
	}
	if form.Sharing == nil || form.Sharing.Holds || form.Sharing.WhyNot != "" || len(form.Known) == 0 {
		t.Fatalf("before: %+v, %d known, %v", form.Sharing, len(form.Known), err)
	}
	v := must(h.applications.Submit(ctx, owner, application.Submit{Key: "k", ProductID: form.Product.ID, Amount: form.Product.AmountMin, Term: max(form.Product.TermMin, 1), Purpose: "采购原料", Source: application.FromH5}))(t)
	people := map[string]string{}
	for name, a := range map[string]access.Actor{"bank": bank, "other": other, "owner": owner, "platform": publisher} {
		people[name] = session(t, h, a.UserID, s.at.Now())
	}
	read := func(who string) (int, string) {
		t.Helper()
		return ask(t, h, "GET", fmt.Sprintf("/api/applications/%d/company", v.ID), people[who], "")
	}
	known := form.Known
	logged := func() (allowed, refused int) {
		t.Helper()
		list, _, err := h.consents.Accesses(ctx, owner, owner.EnterpriseID, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			if a.Purpose == consent.ShareInstitution && strings.Contains(a.What, v.Number) {
				if a.Allowed {
					allowed++
				} else {
					refused++
				}
			}
		}
		return allowed, refused
	}
	if status, text := read("bank"); status != 403 || !strings.Contains(text, "授权") || strings.Contains(text, `"facts"`) {
		t.Errorf("without a consent: %d %s", status, text)
	}
	mine := must(h.consents.Mine(ctx, owner))(t)
	i := slices.IndexFunc(mine.Items, func(a consent.Asked) bool { return a.Code == consent.ShareInstitution })
	text := mine.Items[i].Text
	given := must(h.consents.Give(ctx, owner, consent.Give{Purpose: text.Purpose, TextID: text.ID, Digest: text.Digest, Channel: consent.OnH5}))(t)
	if form = must(h.applications.Form(ctx, owner, form.Product.ID))(t); form.Sharing == nil || !form.Sharing.Holds {
		t.Errorf("after giving it: %+v", form.Sharing)
	}
	var told application.Profile
	if status, text := read("bank"); status != 200 || json.Unmarshal([]byte(text), &told) != nil || told.CreditCode == "" || len(told.Facts) == 0 {
		t.Errorf("with the consent: %d %s", status, text)
	}
	for _, f := range told.Facts {
		if !slices.ContainsFunc(known, func(k application.ProfileFact) bool { return k.Label == f.Label && k.Text == f.Text }) {
			t.Errorf("the bank reads what the form did not show: %+v", f)
		}
	}
	for who, want := range map[string]int{"other": 404, "owner": 403, "platform": 403} {
		if status, text := read(who); status != want || strings.Contains(text, `"facts"`) {
			t.Errorf("%s: %d %s", who, status, text)
		}
	}
	if allowed, refused := logged(); allowed != 1 || refused != 1 {
		t.Errorf("the company's log has %d readings and %d refusals", allowed, refused)
	}
	must(h.consents.Revoke(ctx, owner, consent.Revoke{Purpose: text.Purpose, GrantID: given.Grant.ID, Channel: consent.OnH5}))(t)
	if status, text := read("bank"); status != 403 || strings.Contains(text, `"facts"`) {
		t.Errorf("after it was revoked: %d %s", status, text)
	}
	if got := must(h.applications.Get(ctx, bank, v.ID))(t); got.Status != application.Waiting {
		t.Errorf("the application is %s", got.Status)
	}
}
