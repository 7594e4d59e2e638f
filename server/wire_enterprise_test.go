package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/demo"
)

// TestVerifyAgainstTheRegistry runs the whole way: the owner's request, the signed call, the stand-in's answer and every
// way it can fail.
func TestVerifyAgainstTheRegistry(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	world, err := demo.Generate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Companies: registered(world), Secrets: sandbox.Secrets{RegistryKey: "demo", RegistrySecret: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	stand := httptest.NewServer(box.Handler())
	t.Cleanup(func() { stand.Close(); _ = box.Close() })
	client, err := registry.New(registry.Config{BaseURL: stand.URL + "/sandbox/registry", Key: "demo", Secret: "s", Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load("", map[string]any{"data": t.TempDir(), "demo": true, "requests_per_minute": 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(ctx, c, databasetest.New(t, Migrations()), secret.NewKey(), parts{
		log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}, registry: client}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.identity.EnsureRoles(ctx); err != nil {
		t.Fatal(err)
	}
	token := owner(t, h, "13800138021")
	var bakery demo.Company
	for _, c := range world.Companies {
		if c.Key == world.Walk.Unregistered {
			bakery = c
		}
	}
	try := func(name, person string) enterprise.AttemptView {
		body, _ := json.Marshal(map[string]string{"name": name, "creditCode": bakery.CreditCode, "legalPerson": person})
		status, text := ask(t, h, "POST", "/api/my/enterprise/verifications", token, string(body))
		var v enterprise.AttemptView
		if err := json.Unmarshal([]byte(text), &v); err != nil || status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		return v
	}
	for mode, want := range map[sandbox.Mode]enterprise.Outcome{
		sandbox.Fail: enterprise.NoAnswer, sandbox.Slow: enterprise.NoAnswer, sandbox.Refuse: enterprise.NoAnswer, sandbox.Reset: enterprise.NoAnswer,
		sandbox.Garbage: enterprise.NoAnswer,
	} {
		f := sandbox.Fault{Target: "registry", Mode: mode, Count: 1}
		if mode == sandbox.Slow {
			f.DelayMS = 8000
		}
		if err := box.SetFault(ctx, f); err != nil {
			t.Fatal(err)
		}
		if v := try(bakery.Name, bakery.LegalPerson); v.Outcome != want || !v.CanReview {
			t.Errorf("%s: %s %s", mode, v.Outcome, v.Title)
		}
		if err := box.SetFault(ctx, sandbox.Fault{Target: "registry", Mode: sandbox.OK}); err != nil {
			t.Fatal(err)
		}
	}
	if v := try("别的名字有限公司", bakery.LegalPerson); v.Outcome != enterprise.NameDiffers {
		t.Errorf("name: %s", v.Outcome)
	}
	if v := try(bakery.Name, "别人"); v.Outcome != enterprise.PersonDiffers {
		t.Errorf("person: %s", v.Outcome)
	}
	if v := try(bakery.Name, bakery.LegalPerson); v.Outcome != enterprise.Agreed || v.EnterpriseName != bakery.Name {
		t.Fatalf("agreed: %+v", v)
	}
	actor, err := h.identity.Authenticate(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := h.enterprises.Facts(ctx, h.db.Read(), actor.EnterpriseID)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"established", "capital", "industry", "region", "sizeClass"} {
		if !facts[field].Value.Known() {
			t.Errorf("the registry's %s is not known", field)
		}
	}
	in, err := criteria.Parse([]byte(`{"field":"region","op":"under","value":["110112"]}`), enterprise.Schema(terms()))
	if err != nil || in.Evaluate(facts, time.Now()).Decision != criteria.Eligible {
		t.Errorf("the street is not within the district: %v", err)
	}
	t.Run("another name", func(t *testing.T) {
		if err := h.ensureTicketTypes(ctx); err != nil {
			t.Fatal(err)
		}
		types, err := h.tickets.Types(ctx, actor)
		if err != nil || len(types) == 0 {
			t.Fatal(len(types), err)
		}
		running, err := h.tickets.Open(ctx, actor, ticket.OpenTicket{Type: types[0].Code, Title: "路灯不亮", Body: "门前路灯坏了三天", Source: "h5"})
		if err != nil {
			t.Fatal(err)
		}
		changed := registered(world)
		i := slices.IndexFunc(changed, func(c registry.Company) bool { return c.CreditCode == bakery.CreditCode })
		record := changed[i]
		record.Name = "北京通州〔演示〕新名称食品有限公司"
		body, _ := json.Marshal(record)
		res, err := http.Post(stand.URL+"/sandbox/api/registry/companies", "application/json", bytes.NewReader(body))
		if err != nil || res.StatusCode != http.StatusCreated {
			t.Fatal(res, err)
		}
		_ = res.Body.Close()
		f, err := h.uploads.Save(ctx, actor, "licence", "营业执照.png", bytes.NewReader(pngFile(t)))
		if err != nil {
			t.Fatal(err)
		}
		request, _ := json.Marshal(map[string]any{"name": record.Name, "fileIds": []int64{f.ID}})
		status, text := ask(t, h, "POST", "/api/my/enterprise/changes", token, string(request))
		var v enterprise.AttemptView
		if err := json.Unmarshal([]byte(text), &v); err != nil || status != 200 || v.Outcome != enterprise.Agreed || v.EnterpriseName != record.Name || v.Changes[0].From != bakery.Name {
			t.Fatalf("%d %s", status, text)
		}
		if kept, err := h.tickets.Get(ctx, actor, running.ID); err != nil || kept.EnterpriseName != bakery.Name {
			t.Errorf("the running ticket: %s, %v", kept.EnterpriseName, err)
		}
		fresh, err := h.tickets.Open(ctx, actor, ticket.OpenTicket{Type: types[0].Code, Title: "井盖松动", Body: "门前井盖松动有响声", Source: "h5"})
		if err != nil || fresh.EnterpriseName != record.Name {
			t.Errorf("the next ticket: %s, %v", fresh.EnterpriseName, err)
		}
	})
}

// TestTheSchemaKnowsTheDemosConditions looks up every field that the demo's policies name.
func TestTheSchemaKnowsTheDemosConditions(t *testing.T) {
	t.Parallel()
	world, err := demo.Generate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	schema := enterprise.Schema(terms())
	seen := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if name, ok := v["field"].(string); ok {
				seen[name] = true
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	for _, p := range world.Policies {
		if p.Conditions == nil {
			continue
		}
		var tree any
		if err := json.Unmarshal(p.Conditions, &tree); err != nil {
			t.Fatal(err)
		}
		walk(tree)
	}
	if len(seen) < 8 {
		t.Fatalf("the policies name only %v", seen)
	}
	for name := range seen {
		f, ok := schema.Field(name)
		if !ok || f.Label == "" || f.Kind == criteria.Count && f.Unit == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestTheDemosCompanies(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	world, err := demo.Generate(h.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := &seeded{world: world, now: h.clock.Now(), at: clock.NewFake(h.clock.Now()), ids: map[string]int64{}, actors: map[int64]access.Actor{}}
	c, err := Load("", map[string]any{"data": t.TempDir(), "demo": true, "requests_per_minute": 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	story, err := build(ctx, c, h.db, secret.NewKey(), parts{log: slog.New(slog.DiscardHandler), clock: s.at})
	if err != nil {
		t.Fatal(err)
	}
	defer story.queue.Close()
	if err := story.seedDepartments(ctx, s); err != nil {
		t.Fatal(err)
	}
	if err := story.seedStaff(ctx, s); err != nil {
		t.Fatal(err)
	}
	if err := story.seedCompanies(ctx, s); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, c := range world.Companies {
		_, loaded := s.ids["company:"+c.Key]
		if loaded != c.Registered {
			t.Errorf("%s: loaded %t", c.Key, loaded)
		}
		if c.Registered {
			want++
		}
	}
	var verified, waiting int
	if err := h.db.Read().NewRaw("SELECT count(*) FROM enterprises WHERE verification = 'verified'").Scan(ctx, &verified); err != nil {
		t.Fatal(err)
	}
	if err := h.db.Read().NewRaw("SELECT count(*) FROM enterprise_verifications WHERE outcome = 'waiting'").Scan(ctx, &waiting); err != nil {
		t.Fatal(err)
	}
	if want < 100 || verified < 100 || waiting == 0 {
		t.Errorf("%d companies, %d verified, %d waiting", want, verified, waiting)
	}
	boss, err := s.as(ctx, story, "owner", world.Walk.BakeryOwner)
	if err != nil {
		t.Fatal(err)
	}
	m, err := story.enterprises.Mine(ctx, boss)
	if err != nil || m.Verification != enterprise.Verified || m.Role != enterprise.Owner || len(m.Facts) < 10 {
		t.Errorf("the bakery: %+v, %v", m, err)
	}
}
