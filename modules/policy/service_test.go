package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/sizeclass"
)

var start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func schema(t testing.TB) criteria.Schema {
	t.Helper()
	s, err := criteria.NewSchema(
		criteria.Field{Name: "established", Label: "成立日期", Kind: criteria.Date, Ask: "企业认证后由登记系统提供"},
		criteria.Field{Name: "industry", Label: "所属行业", Kind: criteria.Category, Under: criteria.UnderIndustry,
			Values: map[string]string{"14": "食品制造业", "1411": "糕点、面包制造", "62": "餐饮业", "65": "软件和信息技术服务业", "6513": "应用软件开发", "F": "批发和零售业", "H": "住宿和餐饮业"}},
		criteria.Field{Name: "region", Label: "注册地", Kind: criteria.Category, Under: criteria.UnderRegion, Values: map[string]string{"110112": "通州区", "110112010": "九棵树街道", "110112001": "中仓街道", "110199": "北京市其他区"}},
		criteria.Field{Name: "employees", Label: "从业人员", Kind: criteria.Count, Unit: "人", Ask: "企业填报"},
		criteria.Field{Name: "revenue", Label: "上年营业收入", Kind: criteria.Money, MaxAge: 600 * 24 * time.Hour, Ask: "企业填报", Yearly: "营业收入", Booked: true},
		criteria.Field{Name: "assets", Label: "资产总额", Kind: criteria.Money, Ask: "企业填报"},
		criteria.Field{Name: "rdRatio", Label: "研发费用占营业收入", Kind: criteria.Ratio, Ask: "填报研发费用和营业收入后自动计算"},
		criteria.Field{Name: "sizeClass", Label: "企业规模", Kind: criteria.Category, Closed: true, Values: map[string]string{"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"}},
		criteria.Field{Name: "qualification", Label: "资质与称号", Kind: criteria.Holdings, Ask: "由主管部门提供",
			Values: map[string]string{"food_license": "食品经营许可", "high_tech": "国家高新技术企业", "tech_sme": "科技型中小企业", "srdi": "专精特新中小企业"}},
		criteria.Field{Name: "creditStanding", Label: "失信与异常名录", Kind: criteria.Holdings},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fact(v criteria.Value, source, asOf string) criteria.Fact {
	return criteria.Fact{Value: v, Source: source, AsOf: date(asOf)}
}

// companies are three of different shape: what is known is complete; partly missing or too old; contradicting.
var companies = map[int64]struct {
	name  string
	facts criteria.Facts
}{
	70: {"禾谷坊烘焙有限公司", criteria.Facts{
		"established": fact(criteria.Day(date("2023-10-15")), "企业登记信息", "2026-11-01"),
		"industry":    fact(criteria.Code("1411"), "企业登记信息", "2026-11-01"),
		"region":      fact(criteria.Code("110112010"), "企业登记信息", "2026-11-01"),
		"employees":   {Value: criteria.Number(14), Source: "企业填报", AsOf: date("2026-10-08"), Stated: true},
		"revenue":     {Value: criteria.Fen(328_000_000), Source: "企业填报", AsOf: date("2025-12-31"), Stated: true},
		"assets":      fact(criteria.Fen(120_000_000), "税务部门", "2025-12-31"),
		"rdRatio":     fact(criteria.Permille(0), "按已有信息计算", "2025-12-31"),
		"sizeClass":   fact(criteria.Code("micro"), "按统计划型办法计算", "2026-10-08"),
		"qualification": fact(criteria.Holds(criteria.Holding{Code: "food_license", From: date("2023-11-01"), To: date("2028-10-31")}),
			"主管部门", "2026-11-01"),
		"creditStanding": fact(criteria.Holds(), "信用信息平台", "2026-11-20"),
	}},
	71: {"云脉软件有限公司", criteria.Facts{
		"established":    fact(criteria.Day(date("2020-05-06")), "企业登记信息", "2026-11-01"),
		"industry":       fact(criteria.Code("6513"), "企业登记信息", "2026-11-01"),
		"region":         fact(criteria.Code("110112010"), "企业登记信息", "2026-11-01"),
		"employees":      {Value: criteria.Number(9), Source: "企业填报", AsOf: date("2026-09-30"), Stated: true},
		"revenue":        fact(criteria.Fen(800_000_000), "税务部门", "2024-12-31"), // too old
		"sizeClass":      fact(criteria.OneOf("small", "micro"), "按统计划型办法计算", "2026-09-30"),
		"qualification":  fact(criteria.Holds(criteria.Holding{Code: "high_tech", From: date("2023-11-22"), To: date("2026-11-21")}, criteria.Holding{Code: "tech_sme"}), "主管部门", "2026-11-01"),
		"creditStanding": fact(criteria.Holds(criteria.Holding{Code: "经营异常", From: date("2026-08-01")}), "信用信息平台", "2026-11-20"),
	}},
	72: {"和顺商贸有限公司", criteria.Facts{
		"industry":       fact(criteria.Code("F"), "企业填报", "2026-11-01"),
		"region":         fact(criteria.Code("110199"), "企业登记信息", "2026-11-01"),
		"employees":      {Unknown: criteria.Conflicting, Source: "社会保险经办机构、企业填报", AsOf: date("2026-10-31")},
		"revenue":        {Unknown: criteria.NotConsented},
		"creditStanding": fact(criteria.Holds(criteria.Holding{Code: "严重失信"}), "信用信息平台", "2026-11-20"),
	}},
}

type enterprises struct{}

func (enterprises) Facts(_ context.Context, _ bun.IDB, id int64) (criteria.Facts, error) {
	c, ok := companies[id]
	if !ok {
		return nil, fault.ErrNotFound
	}
	return c.facts, nil
}

func (enterprises) Name(_ context.Context, _ bun.IDB, id int64) (string, error) {
	return companies[id].name, nil
}

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, search.Migrations, policy.Migrations)

type fixture struct {
	*policy.Service
	db    *database.DB
	clock *clock.Fake
}

func deps(t testing.TB, f fixture) policy.Deps {
	t.Helper()
	return policy.Deps{
		DB: f.db, Clock: f.clock, Log: slog.New(slog.DiscardHandler), Schema: schema(t), Enterprises: enterprises{}, CompanyPage: "/company",
		Drafter: drafter{}, Facts: typedFacts{},
		Choices: policy.Choices{
			Sections: []policy.Section{{Choice: policy.Choice{Code: "C", Name: "制造业"}, Divisions: []policy.Choice{{Code: "14", Name: "食品制造业"}}},
				{Choice: policy.Choice{Code: "H", Name: "住宿和餐饮业"}, Divisions: []policy.Choice{{Code: "62", Name: "餐饮业"}}}},
			Regions: []policy.Choice{{Code: "110112", Name: "通州区"}, {Code: "110199", Name: "北京市其他区"}},
			Sizes:   sizeclass.National(),
		},
	}
}

func mustNew(t testing.TB) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start)}
	f.Service = policy.New(deps(t, f))
	return f
}

var (
	system  = access.SystemActor("test")
	visitor = access.Actor{Party: access.Anonymous}
	baker   = boss(7, 70)
	coder   = boss(8, 71)
	trader  = boss(9, 72)
	viewer  = access.Actor{UserID: 50, Name: "李敏", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{policy.PermView}}
)

func boss(user, enterprise int64) access.Actor {
	return access.Actor{UserID: user, Name: "王芳", Party: access.Enterprise, EnterpriseID: enterprise, Scope: access.ScopeSelf}
}

func content(title string) policy.Content {
	return policy.Content{
		Title: title, DocNumber: "通企〔2026〕3号", Issuer: "通州区商务局", Level: policy.District, Topic: policy.Funding, PublishedOn: "2026-07-30",
		OpensOn: "2026-11-07", ClosesOn: "2027-01-21", ExpiresOn: "2030-07-29", Text: "第一条 为支持企业发展，制定本措施。\n第二条 从业人员不超过100人的企业可以申请。",
		Benefit: "按投入的30%补助", CapFen: 10_000_000, HandlerName: "区商务局",
		FAQ: []policy.Question{{Q: "连锁店可以每家都报吗", A: "可以按门店分别申报。"}}, Materials: []string{"申请表", "营业执照"},
	}
}

func (f fixture) mustAdd(t testing.TB, c policy.Content) policy.View {
	t.Helper()
	v, err := f.Add(context.Background(), system, policy.AddPolicy{Content: c})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f fixture) mustPublish(t testing.TB, c policy.Content) policy.View {
	t.Helper()
	v := f.mustAdd(t, c)
	v, err := f.Publish(context.Background(), system, ref(v))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ref(v policy.View) policy.Ref { return policy.Ref{ID: v.ID, Version: v.Version} }

func (f fixture) rows(t *testing.T, table string) int {
	t.Helper()
	n, err := f.db.Read().NewSelect().TableExpr(table).Count(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func titles(items []policy.Item) string {
	var out []string
	for _, i := range items {
		out = append(out, i.Title)
	}
	return strings.Join(out, " ")
}

func TestFromDraftToExpired(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	c := content("烘焙小店措施")
	c.Conditions = json.RawMessage(`{"all":[{"field":"employees","op":"lte","value":100,"quote":"从业人员不超过100人"}]}`)
	v := f.mustAdd(t, c)
	if v.Status != policy.Draft || !v.Matchable || v.WindowName != "正在申报" || v.Support() != "最高 10 万元" || len(v.FAQ) != 1 || len(v.Materials) != 2 {
		t.Fatalf("added %+v", v)
	}
	if v.Clauses[1].Number != "第二条" || v.Clauses[1].Text != "从业人员不超过100人的企业可以申请。" || v.Conditions[0].Clause != "第二条" || v.Conditions[0].Required != "不超过 100 人" || v.Conditions[0].State != "" {
		t.Fatalf("read %+v %+v", v.Clauses, v.Conditions)
	}
	if _, err := f.Get(ctx, visitor, v.ID); !errors.Is(err, policy.ErrNotFound) {
		t.Errorf("a visitor sees a draft: %v", err)
	}
	v, err := f.Publish(ctx, system, ref(v))
	if err != nil || v.Status != policy.Live || v.Version != 2 {
		t.Fatalf("published %+v %v", v, err)
	}
	if seen, err := f.Get(ctx, visitor, v.ID); err != nil || len(seen.History) != 0 || seen.Status != policy.Live {
		t.Errorf("a visitor sees %+v %v", seen.History, err)
	}
	c.Title = "烘焙小店措施（修订）"
	v, err = f.Revise(ctx, system, policy.RevisePolicy{Ref: ref(v), Content: c})
	if err != nil || v.Status != policy.Live || v.Title != c.Title || v.Version != 3 {
		t.Fatalf("revised %+v %v", v, err)
	}
	v, err = f.Expire(ctx, system, policy.ExpirePolicy{Ref: ref(v), Reason: "被新办法替代"})
	if err != nil || v.Status != policy.Lapsed {
		t.Fatalf("expired %+v %v", v, err)
	}
	if _, err := f.Get(ctx, visitor, v.ID); !errors.Is(err, policy.ErrNotFound) {
		t.Errorf("a visitor sees what is expired: %v", err)
	}
	seen, err := f.Get(ctx, viewer, v.ID)
	if err != nil || len(seen.History) != 4 || seen.History[0].Label != "废止" || seen.History[0].Text != "被新办法替代" || seen.History[1].Text != "第 2 版" || seen.History[0].Actor != "系统" {
		t.Errorf("staff sees %+v %v", seen.History, err)
	}
	if f.rows(t, "audit_entries") != 4 || f.rows(t, "events") != 4 {
		t.Errorf("%d audit rows, %d events", f.rows(t, "audit_entries"), f.rows(t, "events"))
	}
}

func TestWhoMay(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	draft, live := f.mustAdd(t, content("草案")), f.mustPublish(t, content("现行"))
	bare := access.Actor{UserID: 51, Party: access.Platform, Scope: access.ScopeDistrict}
	bank := access.Actor{UserID: 80, Party: access.Institution, Permissions: []access.Permission{policy.PermView}}
	for _, c := range []struct {
		name  string
		actor access.Actor
		draft bool
		match error
	}{
		{"visitor", visitor, false, fault.ErrUnauthorized},
		{"owner", baker, false, nil},
		{"owner without a company", boss(9, 0), false, policy.ErrNoCompany},
		{"institution", bank, false, fault.ErrForbidden},
		{"staff without the right", bare, false, fault.ErrForbidden},
		{"staff", viewer, true, fault.ErrForbidden},
	} {
		if _, err := f.Get(ctx, c.actor, live.ID); err != nil {
			t.Errorf("%s does not see what is in force: %v", c.name, err)
		}
		for what, err := range map[string]error{"get": second(f.Get(ctx, c.actor, draft.ID)), "sees": f.Sees(ctx, c.actor, draft.ID)} {
			if c.draft != (err == nil) || err != nil && !errors.Is(err, policy.ErrNotFound) {
				t.Errorf("%s %s the draft: %v", c.name, what, err)
			}
		}
		items, _, err := f.List(ctx, c.actor, policy.Filter{})
		if err != nil || strings.Contains(titles(items), "草案") != c.draft {
			t.Errorf("%s lists %s %v", c.name, titles(items), err)
		}
		for what, err := range map[string]error{
			"match": second(f.Match(ctx, c.actor, "")), "match one": second(f.MatchOne(ctx, c.actor, live.ID)), "count": second(f.MatchSummary(ctx, c.actor)),
		} {
			if !errors.Is(err, c.match) {
				t.Errorf("%s %s: %v", c.name, what, err)
			}
		}
		if _, err := f.MatchOne(ctx, c.actor, draft.ID); err == nil {
			t.Errorf("%s is matched with a draft", c.name)
		}
		for what, err := range map[string]error{
			"add":     second(f.Add(ctx, c.actor, policy.AddPolicy{Content: content("新")})),
			"publish": second(f.Publish(ctx, c.actor, ref(draft))),
			"revise":  second(f.Revise(ctx, c.actor, policy.RevisePolicy{Ref: ref(live), Content: content("改")})),
			"expire":  second(f.Expire(ctx, c.actor, policy.ExpirePolicy{Ref: ref(live)})),
		} {
			if k := fault.KindOf(err); k != fault.Forbidden && (k != fault.Unauthorized || c.actor.SignedIn()) {
				t.Errorf("%s may %s: %v", c.name, what, err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestCommandsOnceAndInOrder(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	cmd := policy.AddPolicy{Key: "k", Content: content("一次")}
	a, err := f.Add(ctx, system, cmd)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Add(ctx, system, cmd)
	if err != nil || a.ID != b.ID || f.rows(t, "policies") != 1 || f.rows(t, "search_policy") != 1 {
		t.Fatalf("sent twice: %d and %d, %v", a.ID, b.ID, err)
	}
	if _, err := f.Publish(ctx, system, policy.Ref{ID: a.ID, Version: 7}); !errors.Is(err, policy.ErrStale) || !strings.Contains(err.Error(), "第 1 版") {
		t.Errorf("stale: %v", err)
	}
	if _, err := f.Publish(ctx, system, policy.Ref{ID: 99, Version: 1}); !errors.Is(err, policy.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	if _, err := f.Expire(ctx, system, policy.ExpirePolicy{Ref: ref(a), Reason: "误发"}); !errors.Is(err, policy.ErrState) {
		t.Errorf("expire a draft: %v", err)
	}
	var wait sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wait.Go(func() { _, errs[i] = f.Publish(ctx, system, ref(a)) })
	}
	wait.Wait()
	done := 0
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case fault.KindOf(err) != fault.Conflict:
			t.Errorf("at once: %v", err)
		}
	}
	if done != 1 || f.rows(t, "events") != 2 {
		t.Errorf("%d of four published, %d events", done, f.rows(t, "events"))
	}
}

func TestContentIsChecked(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for field, change := range map[string]func(*policy.Content){
		"title":       func(c *policy.Content) { c.Title = " " },
		"issuer":      func(c *policy.Content) { c.Issuer = strings.Repeat("局", 201) },
		"text":        func(c *policy.Content) { c.Text = "\x00" },
		"level":       func(c *policy.Content) { c.Level = "town" },
		"topic":       func(c *policy.Content) { c.Topic = "" },
		"publishedOn": func(c *policy.Content) { c.PublishedOn = "" },
		"opensOn":     func(c *policy.Content) { c.OpensOn = "2026/1/1" },
		"closesOn":    func(c *policy.Content) { c.ClosesOn = "2026-11-06" },
		"expiresOn":   func(c *policy.Content) { c.ExpiresOn = "2020-01-01" },
		"capFen":      func(c *policy.Content) { c.CapFen = -1 },
		"link":        func(c *policy.Content) { c.Link = "javascript:alert(1)" },
		"materials":   func(c *policy.Content) { c.Materials = []string{""} },
		"faq":         func(c *policy.Content) { c.FAQ = []policy.Question{{Q: "问"}} },
		"conditions": func(c *policy.Content) {
			c.Conditions = json.RawMessage(`{"all":[{"field":"staff","op":"gte","value":1}]}`)
		},
	} {
		c := content("检查")
		change(&c)
		_, err := f.Add(ctx, system, policy.AddPolicy{Content: c})
		p, ok := fault.As(err)
		if !ok || p.Kind != fault.Invalid || len(p.Fields) != 1 || p.Fields[0].Name != field || p.Fields[0].Message == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	c := content("链接")
	c.Link = "https://example.com/a?b=1"
	if v := f.mustAdd(t, c); v.Link != c.Link {
		t.Errorf("link %q", v.Link)
	}
}

func TestListsAndSearch(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	add := func(title string, change func(*policy.Content)) {
		c := content(title)
		change(&c)
		f.mustPublish(t, c)
	}
	add("餐饮油烟净化补助", func(c *policy.Content) {
		c.Topic, c.PublishedOn = policy.Green, "2026-01-05"
		c.Text += "\n第三条 更换烤箱和净化器的优先安排。"
	})
	add("软件企业奖励", func(c *policy.Content) {
		c.PublishedOn, c.ClosesOn = "2026-03-01", "2026-11-22"
		c.Conditions = []byte(`{"field":"industry","op":"under","value":["62"]}`)
	})
	add("所得税优惠指引", func(c *policy.Content) {
		c.Level, c.Topic, c.OpensOn, c.ClosesOn, c.PublishedOn = policy.National, policy.Relief, "", "", "2026-02-01"
		c.Kinds = []policy.Kind{policy.Tax, policy.Help}
	})
	add("已截止的补助", func(c *policy.Content) { c.ClosesOn, c.PublishedOn, c.Region = "2026-11-21", "2026-06-01", "110112010" })
	add("将要开始的补助", func(c *policy.Content) {
		c.OpensOn, c.ClosesOn, c.PublishedOn, c.Issuer = "2026-12-01", "2026-12-20", "2026-05-01", "区财政局"
	})
	add("昨天失效的办法", func(c *policy.Content) { c.ExpiresOn = "2026-11-21" })
	f.mustAdd(t, content("草案"))
	for _, c := range []struct {
		name string
		who  access.Actor
		f    policy.Filter
		want string
	}{
		{"newest first", visitor, policy.Filter{}, "已截止的补助 将要开始的补助 软件企业奖励 所得税优惠指引 餐饮油烟净化补助"},
		{"closest deadline first", visitor, policy.Filter{Sort: policy.ByDeadline}, "软件企业奖励 将要开始的补助 餐饮油烟净化补助 所得税优惠指引 已截止的补助"},
		{"level", visitor, policy.Filter{Level: policy.National}, "所得税优惠指引"},
		{"topic", visitor, policy.Filter{Topic: policy.Green}, "餐饮油烟净化补助"},
		{"open", visitor, policy.Filter{Window: policy.Open}, "软件企业奖励 餐饮油烟净化补助"},
		{"upcoming", visitor, policy.Filter{Window: policy.Upcoming}, "将要开始的补助"},
		{"always", visitor, policy.Filter{Window: policy.Always}, "所得税优惠指引"},
		{"closed", visitor, policy.Filter{Window: policy.Closed}, "已截止的补助"},
		{"closing soon", visitor, policy.Filter{Window: policy.Closing}, "软件企业奖励"},
		{"kind", visitor, policy.Filter{Kind: policy.Tax}, "所得税优惠指引"},
		{"another kind of the same policy", visitor, policy.Filter{Kind: policy.Help}, "所得税优惠指引"},
		{"issuer", visitor, policy.Filter{Issuer: " 区财政局 "}, "将要开始的补助"},
		{"industry that conditions shut out", visitor, policy.Filter{Industry: "C"}, "已截止的补助 将要开始的补助 所得税优惠指引 餐饮油烟净化补助"},
		{"industry that conditions ask for", visitor, policy.Filter{Industry: "62"}, "已截止的补助 将要开始的补助 软件企业奖励 所得税优惠指引 餐饮油烟净化补助"},
		{"town", visitor, policy.Filter{Region: "110112001"}, "将要开始的补助 软件企业奖励 所得税优惠指引 餐饮油烟净化补助"},
		{"town and industry", visitor, policy.Filter{Region: "110112001", Industry: "C"}, "将要开始的补助 所得税优惠指引 餐饮油烟净化补助"},
		{"nothing is left of a town, an industry and a kind", visitor, policy.Filter{Region: "110112001", Industry: "C", Kind: policy.Space}, ""},
		{"a visitor's drafts", visitor, policy.Filter{Status: policy.Draft}, ""},
		{"drafts", viewer, policy.Filter{Status: policy.Draft}, "草案"},
		{"expired", viewer, policy.Filter{Status: policy.Lapsed}, "昨天失效的办法"},
		{"in force", viewer, policy.Filter{Status: policy.Live, Level: policy.District, Window: policy.Open}, "软件企业奖励 餐饮油烟净化补助"},
		{"title before text", visitor, policy.Filter{Q: "软件"}, "软件企业奖励"},
		{"text", visitor, policy.Filter{Q: "烤箱 净化器"}, "餐饮油烟净化补助"},
		{"question", visitor, policy.Filter{Q: "连锁店", Sort: policy.ByDate, Level: policy.National}, "所得税优惠指引"},
		{"sentence", visitor, policy.Filter{Q: "我们店想更换烤箱能不能拿钱"}, "餐饮油烟净化补助"},
		{"nothing", visitor, policy.Filter{Q: "航天发射"}, ""},
		{"syntax is text", visitor, policy.Filter{Q: `") OR "软件"*`}, "软件企业奖励"},
	} {
		items, _, err := f.List(ctx, c.who, c.f)
		if err != nil || titles(items) != c.want {
			t.Errorf("%s: %q, want %q, %v", c.name, titles(items), c.want, err)
		}
		// page by page says the same
		var walked []policy.Item
		for p := c.f; ; {
			p.Limit = 2
			page, next, err := f.List(ctx, c.who, p)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if walked = append(walked, page...); next == "" || len(walked) > 20 {
				break
			}
			p.Cursor = next
		}
		if titles(walked) != c.want {
			t.Errorf("%s page by page: %q", c.name, titles(walked))
		}
	}
	items, _, err := f.List(ctx, visitor, policy.Filter{Q: "烤箱"})
	if err != nil || len(items) != 1 || !strings.Contains(items[0].Excerpt, "更换烤箱") {
		t.Errorf("excerpt %+v %v", items, err)
	}
	for _, bad := range []policy.Filter{{Level: "x"}, {Topic: "x"}, {Window: "x"}, {Status: "x"}, {Sort: "x"}, {Cursor: "x"}, {Cursor: "2026-01-01_x"}, {Q: "补"}} {
		if _, _, err := f.List(ctx, visitor, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	page, err := f.Page(ctx, viewer, policy.Filter{Limit: 2}, 3)
	if err != nil || page.Count != 5 || titles(page.Items) != "餐饮油烟净化补助" {
		t.Errorf("page 3: %+v %v", page, err)
	}
	hits, err := f.Search(ctx, viewer, "补助", 10)
	if err != nil || len(hits) != 5 || hits[0].URL == "" || len(hits[0].Meta) != 3 {
		t.Errorf("hits %+v %v", hits, err)
	}
	for _, q := range []string{"补", "", "我们店想更换烤箱能不能拿钱"} {
		if hits, err := f.Search(ctx, visitor, q, 10); err != nil || len(hits) != 0 {
			t.Errorf("%q: %+v %v", q, hits, err)
		}
	}
	cards, err := f.Latest(ctx, 2)
	if err != nil || len(cards) != 2 || cards[0].Title != "已截止的补助" {
		t.Errorf("latest %+v %v", cards, err)
	}
}

// What changes is found anew and no longer by its old words.
func TestSearchFollowsTheText(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustPublish(t, content("旧的标题"))
	if _, err := f.Revise(ctx, system, policy.RevisePolicy{Ref: ref(v), Content: content("崭新名称")}); err != nil {
		t.Fatal(err)
	}
	for q, want := range map[string]int{"旧的": 0, "崭新": 1} {
		items, _, err := f.List(ctx, visitor, policy.Filter{Q: q})
		if err != nil || len(items) != want {
			t.Errorf("%s finds %d, %v", q, len(items), err)
		}
	}
	if n := f.rows(t, "search_policy"); n != 1 {
		t.Errorf("%d rows in the index", n)
	}
}

func ExampleService_Match() {
	var s *policy.Service // made by policy.New
	if s == nil {
		return
	}
	r, err := s.Match(context.Background(), baker, "")
	fmt.Println(r.Count(policy.Eligible), err)
}
