package server

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
)

// planOf reads a document as the command does.
func planOf(t *testing.T, h *house, doc string) *plan {
	t.Helper()
	f, err := readSettings([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.planSettings(context.Background(), settingsActor("test"), f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func exported(t *testing.T, h *house) string {
	t.Helper()
	var b bytes.Buffer
	if err := h.exportSettings(context.Background(), Config{District: "甲区"}, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func applied(t *testing.T, h *house, doc string) string {
	t.Helper()
	var b bytes.Buffer
	p := planOf(t, h, doc)
	if len(p.problems) > 0 {
		t.Fatal(p.problems)
	}
	if err := h.applySettings(context.Background(), settingsActor("test"), p, []byte(doc), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// configured has something of every kind beyond what a new installation brings.
func configured(t *testing.T) (h *house, secret string) {
	t.Helper()
	ctx, system := context.Background(), access.SystemActor("test")
	h = testHouse(t)
	top, err := h.identity.CreateDepartment(ctx, system, 0, "TZ", "通州区人民政府", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.identity.CreateDepartment(ctx, system, top, "TZ-SWJ", "区商务局", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := h.identity.CreateRole(ctx, system, identity.NewRole{Name: "夜间坐席", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{"ticket.view"}}); err != nil {
		t.Fatal(err)
	}
	partner, err := h.exchange.Create(ctx, system, exchange.CreatePartner{Code: "city-hotline", PartnerFields: exchange.PartnerFields{Name: "市热线", Events: []string{"ticket.closed"},
		Fields: []string{"ticket.title"}, CallsPerMinute: 60, CallsPerDay: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.policies.Add(ctx, system, policy.AddPolicy{Content: policy.Content{Title: "促进烘焙餐饮小店提质发展若干措施", DocNumber: "通企〔2026〕3号", Issuer: "区商务局", Level: policy.District,
		Topic: policy.Funding, PublishedOn: "2026-09-10", Text: "第一条 为鼓励企业做优做强。\n第二条 从业人员不超过100人。", HandlerName: "区商务局",
		Conditions: []byte(`{"all":[{"label":"从业人员不超过100人","field":"employees","op":"lte","value":100,"quote":"从业人员不超过100人"}]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.policies.Publish(ctx, system, policy.Ref{ID: v.ID, Version: v.Version}); err != nil {
		t.Fatal(err)
	}
	return h, partner.Secret
}

func TestSettingsGoFromOneInstallationToAnother(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	from, secret := configured(t)
	doc := exported(t, from)
	if strings.Contains(doc, secret) || strings.Contains(doc, strings.TrimPrefix(secret, "whsec_")) {
		t.Fatal("the document holds a secret")
	}
	if p := planOf(t, from, doc); len(p.changes)+len(p.notes)+len(p.problems) != 0 || p.same < 20 {
		t.Fatalf("a document differs from where it comes from: %+v", p)
	}
	to := testHouse(t)
	before := len(planOf(t, to, doc).changes) // seen first, twice, with nothing changed
	if p := planOf(t, to, doc); len(p.changes) != before || before != 5 {
		t.Fatalf("%d changes: %+v", len(p.changes), p.changes)
	}
	said := applied(t, to, doc)
	if !strings.Contains(said, "whsec_") || strings.Contains(said, secret) {
		t.Fatalf("the new partner's own secret is not shown: %s", said)
	}
	if p := planOf(t, to, doc); len(p.changes)+len(p.problems) != 0 {
		t.Fatalf("imported again: %+v", p.changes)
	}
	again := strings.SplitN(exported(t, to), "\ndepartments:", 2)[1]
	if want := strings.SplitN(doc, "\ndepartments:", 2)[1]; again != want {
		t.Fatalf("what was imported is exported otherwise:\n%s", again)
	}
	var actions []string
	if err := to.db.Read().NewSelect().TableExpr("audit_entries").Column("action").Where("actor_name = 'config:test'").OrderExpr("id").Scan(ctx, &actions); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(actions, " "), "identity.department identity.department identity.role_create exchange.create policy.add policy.publish config.import"; got != want {
		t.Fatalf("audit: %s", got)
	}
	// Changes of what is there, shown one by one and made.
	changed := strings.NewReplacer("calls_per_day: 1000", "calls_per_day: 2000", "value: 100", "value: 50").Replace(doc)
	p := planOf(t, to, changed)
	if len(p.changes) != 2 || !strings.Contains(strings.Join(p.changes[0].lines, ""), "calls_per_day：1000 → 2000") || !strings.HasPrefix(p.changes[1].lines[0], "conditions：") {
		t.Fatalf("%+v", p.changes)
	}
	applied(t, to, changed)
	all, err := to.policies.All(ctx, settingsActor("test"))
	if err != nil || len(all) != 1 || !strings.Contains(string(all[0].Content.Conditions), "50") || all[0].Status != policy.Live {
		t.Fatalf("%+v %v", all, err)
	}
}

func TestImportedTicketTypesOutliveAStart(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	types, err := h.tickets.Types(ctx, settingsActor("test"))
	if err != nil {
		t.Fatal(err)
	}
	doc := "format: 1\nticket_types:\n  - {code: " + types[0].Code + ", name: 改名的类型, category: x, urgency: urgent, hours: 7, sort: 1}\n"
	applied(t, h, doc)
	if err := h.ensureTicketTypes(ctx); err != nil {
		t.Fatal(err)
	}
	if p := planOf(t, h, doc); len(p.changes) != 0 || p.same != 1 {
		t.Fatalf("the start took it back: %+v", p.changes)
	}
	after, err := h.tickets.Types(ctx, settingsActor("test"))
	if err != nil || len(after) != len(types) {
		t.Fatalf("%d of %d types, %v", len(after), len(types), err)
	}
}

func TestBadSettingsChangeNothing(t *testing.T) {
	t.Parallel()
	h, _ := configured(t)
	before := exported(t, h)
	for name, c := range map[string]struct{ doc, says string }{
		"unknown permission":    {"roles:\n  - {code: agent, name: 热线坐席, party: platform, scope: district, permissions: [no.such]}", "不存在的权限"},
		"joined powers":         {"roles:\n  - {code: '', name: 全能, party: platform, scope: district, permissions: [identity.users, audit.view]}", "三类管理员"},
		"unknown role":          {"roles:\n  - {code: nobody, name: 无此角色, party: platform, scope: district, permissions: []}", "没有编码为 nobody"},
		"wrong scope":           {"roles:\n  - {code: '', name: 新角色, party: platform, scope: self, permissions: []}", "数据范围"},
		"type without a term":   {"ticket_types:\n  - {code: x, name: 类型, category: x, urgency: normal, hours: 0, sort: 1}", "时限"},
		"partner's bad network": {"partners:\n  - {code: some-one, name: 某方, url: 'https://a.example', allow_cidrs: [nowhere], calls_per_minute: 1, calls_per_day: 1}", "某方"},
		"partner's bad code":    {"partners:\n  - {code: A, name: 某方, calls_per_minute: 1, calls_per_day: 1}", "代码"},
		"department's parent":   {"departments:\n  - {code: a, name: 甲科, parent: nobody, sort: 1}", "上级部门 nobody 不存在"},
		"twice":                 {"departments:\n  - {code: TZ, name: 通州区人民政府, sort: 0}\n  - {code: TZ, name: 通州区人民政府, sort: 0}", "出现了两次"},
		"conditions":            {"policies:\n  - {title: 政策, doc_number: 1号, status: draft, issuer: 甲, level: district, topic: funding, published_on: '2026-01-01', text: 正文, conditions: {all: [{field: nonsense}]}}", "政策"},
		"status":                {"policies:\n  - {title: 政策, doc_number: 1号, status: perhaps, issuer: 甲, level: district, topic: funding, published_on: '2026-01-01', text: 正文}", "perhaps"},
	} {
		// A good change beside the bad one must not be made either.
		doc := "format: 1\n" + c.doc + "\n"
		p := planOf(t, h, doc)
		if len(p.problems) != 1 || !strings.Contains(p.problems[0], c.says) {
			t.Errorf("%s: %v", name, p.problems)
		}
	}
	for name, doc := range map[string]string{"unknown key": "format: 1\ncolour: red\n", "other format": "format: 2\n", "no YAML": "format: [\n", "wrong type": "format: 1\nroles: 3\n", "empty": ""} {
		_, err := readSettings([]byte(doc))
		var c ConfigError
		if !errors.As(err, &c) || strings.Contains(c.Line, "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	cut := func(s string) string { return strings.SplitN(s, "\ndepartments:", 2)[1] }
	if cut(exported(t, h)) != cut(before) {
		t.Fatal("looking changed something")
	}
}

func TestImportNeverRemovesAndSaysWhatItLeaves(t *testing.T) {
	t.Parallel()
	h, _ := configured(t)
	p := planOf(t, h, "format: 1\ndepartments:\n  - {code: TZ-SWJ, name: 商务局新名, parent: TZ, sort: 1}\n")
	if len(p.changes) != 0 || len(p.notes) != 1 || len(p.problems) != 0 {
		t.Fatalf("%+v", p)
	}
	if p := planOf(t, h, "format: 1\nat: "+time.Now().Format(time.RFC3339)+"\n"); len(p.changes)+len(p.notes)+len(p.problems) != 0 {
		t.Fatalf("an empty document: %+v", p)
	}
}
