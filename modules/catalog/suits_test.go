package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

// companies knows company 7: a software firm of three years with twelve people.
type companies map[int64]criteria.Facts

func (c companies) Facts(_ context.Context, _ bun.IDB, id int64) (criteria.Facts, error) {
	return c[id], nil
}

func known(v criteria.Value) criteria.Fact {
	return criteria.Fact{Value: v, Source: "测试", AsOf: start}
}

func mustRecommend(t *testing.T) fixture {
	t.Helper()
	f := mustNew(t)
	f.mustEnable(t)
	return f
}

func (f fixture) mustEnable(t *testing.T) {
	t.Helper()
	schema, err := criteria.NewSchema(
		criteria.Field{Name: "industry", Label: "所属行业", Kind: criteria.Category, Under: criteria.UnderIndustry, Values: map[string]string{"I": "信息业", "65": "软件业", "C": "制造业"}},
		criteria.Field{Name: "region", Label: "所在街道（镇）", Kind: criteria.Category, Under: criteria.UnderRegion},
		criteria.Field{Name: "sizeClass", Label: "企业规模", Kind: criteria.Category, Closed: true, Values: map[string]string{"micro": "微型", "small": "小型"}},
		criteria.Field{Name: "qualification", Label: "资质与称号", Kind: criteria.Holdings, Values: map[string]string{"high_tech": "国家高新技术企业"}},
		criteria.Field{Name: "established", Label: "成立日期", Kind: criteria.Date},
		criteria.Field{Name: "employees", Label: "从业人员", Kind: criteria.Count, Unit: "人"},
		criteria.Field{Name: "revenue", Label: "上年营业收入", Kind: criteria.Money, Ask: "企业填报"},
		criteria.Field{Name: "creditStanding", Label: "失信与异常名录", Kind: criteria.Holdings},
	)
	if err != nil {
		t.Fatal(err)
	}
	f.Schema = schema
	f.Options = catalog.SuitOptions{Sections: []catalog.Option{{Code: "I", Name: "信息业"}, {Code: "65", Name: "软件业"}, {Code: "C", Name: "制造业"}},
		Regions: []catalog.Option{{Code: "110112", Name: "通州区"}}, Sizes: []catalog.Option{{Code: "micro", Name: "微型"}}, Titles: []catalog.Option{{Code: "high_tech", Name: "国家高新技术企业"}}, Lists: []string{"严重失信"}}
	f.Companies = companies{7: {
		"industry": known(criteria.Code("65")), "established": known(criteria.Day(start.AddDate(-3, -1, 0))), "employees": known(criteria.Number(12)),
	}}
}

func TestWhatSuitsACompanyAndWhy(t *testing.T) {
	t.Parallel()
	f, ctx := mustRecommend(t), context.Background()
	list := func(name string, s catalog.Suits) int64 {
		c := service()
		c.Name = name
		c.Suits = s
		return f.mustList(t, lawyer, c).ID
	}
	fits := list("软件贷", catalog.Suits{Sections: []string{"I"}, Years: 3})
	list("浅水贷", catalog.Suits{Years: 1})
	near := list("大厂贷", catalog.Suits{Sections: []string{"I"}, EmployeesMin: 20})
	open := list("流水贷", catalog.Suits{RevenueMin: 500_000_000})
	list("制造贷", catalog.Suits{Sections: []string{"C"}, EmployeesMin: 20})
	gone := f.mustList(t, lawyer, service())
	must(f.SetSuits(ctx, first, catalog.SetSuits{ID: gone.ID, Suits: catalog.Suits{Years: 1}, Reason: "试点"}))(t)
	gone = must(f.Get(ctx, lawyer, gone.ID))(t)
	must(f.Unlist(ctx, lawyer, catalog.UnlistProduct{Ref: ref(gone), Reason: "调整"}))(t)

	for range 2 { // the second time from the pool that was read before
		r := must(f.Suitable(ctx, baker))(t)
		if len(r.Fits) != 2 || r.Fits[0].ID != fits || strings.Join(r.Fits[0].Reasons, "、") != "软件业、成立满 3 年" || len(r.Fits[0].Lacks) != 0 {
			t.Fatalf("suits %+v", r.Fits)
		}
		if len(r.Near) != 1 || r.Near[0].ID != near || len(r.Near[0].Lacks) != 1 || !strings.Contains(r.Near[0].Lacks[0], "还差 8 人") {
			t.Errorf("near %+v", r.Near)
		}
		if len(r.Open) != 1 || r.Open[0].ID != open || len(r.Ask) != 1 || !strings.Contains(r.Ask[0], "企业填报") {
			t.Errorf("open %+v, ask %v", r.Open, r.Ask)
		}
	}
	// What is said anew counts from the next time on; saying nothing takes the product out.
	v := must(f.SuitsOf(ctx, lawyer, near))(t)
	must(f.SetSuits(ctx, first, catalog.SetSuits{ID: near, Version: v.Version, Suits: catalog.Suits{EmployeesMin: 10}, Reason: "放宽"}))(t)
	v = must(f.SuitsOf(ctx, lawyer, fits))(t)
	must(f.SetSuits(ctx, first, catalog.SetSuits{ID: fits, Version: v.Version, Reason: "暂不推荐"}))(t)
	r := must(f.Suitable(ctx, baker))(t)
	if len(r.Near) != 0 || len(r.Fits) != 2 || r.Fits[0].ID != near && r.Fits[1].ID != near {
		t.Errorf("after the change %+v, near %+v", r.Fits, r.Near)
	}
	for name, c := range map[string]struct {
		a   access.Actor
		err error
	}{"visitor": {nobody, fault.ErrUnauthorized}, "institution": {lawyer, fault.ErrForbidden}, "staff": {first, fault.ErrForbidden},
		"without a company": {access.Actor{UserID: 3, Party: access.Enterprise}, catalog.ErrNoCompany}} {
		if _, err := f.Suitable(ctx, c.a); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhoSaysWhomAProductSuits(t *testing.T) {
	t.Parallel()
	f, ctx := mustRecommend(t), context.Background()
	v := f.mustList(t, lawyer, service())
	good := catalog.Suits{Sections: []string{"I"}, Titles: []string{"high_tech"}, Sizes: []string{"micro"}, Regions: []string{"110112"}, Years: 1, EmployeesMax: 300, RevenueMax: 40_000_000_000, CleanRecord: true}
	for name, bad := range map[string]func(*catalog.Suits){
		"industry":            func(s *catalog.Suits) { s.Sections = []string{"ZZ"} },
		"region":              func(s *catalog.Suits) { s.Regions = []string{"999999"} },
		"size":                func(s *catalog.Suits) { s.Sizes = []string{"huge"} },
		"title":               func(s *catalog.Suits) { s.Titles = []string{"knight"} },
		"negative years":      func(s *catalog.Suits) { s.Years = -1 },
		"too many years":      func(s *catalog.Suits) { s.Years = 101 },
		"negative people":     func(s *catalog.Suits) { s.EmployeesMin = -1 },
		"people upside down":  func(s *catalog.Suits) { s.EmployeesMin, s.EmployeesMax = 20, 10 },
		"revenue upside down": func(s *catalog.Suits) { s.RevenueMin = s.RevenueMax + 1 },
		"very many":           func(s *catalog.Suits) { s.Sections = make([]string, 61) },
	} {
		s := good
		bad(&s)
		if _, err := f.SetSuits(ctx, first, catalog.SetSuits{ID: v.ID, Suits: s, Reason: "核对"}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	set := must(f.SetSuits(ctx, first, catalog.SetSuits{ID: v.ID, Suits: good, Reason: "核对"}))(t)
	if len(set.Words) != 8 || !strings.Contains(strings.Join(set.Words, "；"), "成立日期至今满 1 年") {
		t.Errorf("in words %q", set.Words)
	}
	if _, err := f.SetSuits(ctx, first, catalog.SetSuits{ID: v.ID, Suits: good, Reason: "核对"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("set twice: %v", err)
	}
	for name, who := range map[string]access.Actor{"another institution": banker, "its own institution": lawyer, "the government": second, "a company": baker} {
		if _, err := f.SetSuits(ctx, who, catalog.SetSuits{ID: v.ID, Version: 1, Suits: good, Reason: "核对"}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s may: %v", name, err)
		}
	}
	if _, err := f.SuitsOf(ctx, banker, v.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another institution reads it: %v", err)
	}
	if _, err := f.SetSuits(ctx, first, catalog.SetSuits{ID: v.ID, Version: 1, Suits: good}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	if read := must(f.SuitsOf(ctx, second, v.ID))(t); read.Edits || read.Version != 1 || read.Reason != "核对" {
		t.Errorf("staff read %+v", read)
	}
}

// TestWhomAProductSuitsIsReviewed has an institution say it in an edition: it counts from the day the edition is public.
func TestWhomAProductSuitsIsReviewed(t *testing.T) {
	t.Parallel()
	f, ctx := mustRecommend(t), context.Background()
	suiting := func(s catalog.Suits) catalog.Content {
		c := service()
		c.Suits = s
		return c
	}
	fits := func() int { return len(must(f.Suitable(ctx, baker))(t).Fits) }
	v := f.mustSubmit(t, lawyer, suiting(catalog.Suits{Years: 1}))
	if v = f.mustPass(t, first, v); fits() != 0 || len(v.Suits) != 1 {
		t.Fatalf("recommended before it was approved, %v", v.Suits)
	}
	v = f.mustPass(t, second, v)
	if fits() != 1 {
		t.Fatal("not recommended when it was approved")
	}
	is := must(f.SuitsOf(ctx, lawyer, v.ID))(t)
	if is.SetBy != "第 1 版审核通过" || is.Edits || is.Reason != "" {
		t.Errorf("in force %+v", is)
	}
	// The next edition tells the difference and changes nothing before it is approved, nor when it is returned.
	v = must(f.Revise(ctx, lawyer, catalog.ReviseProduct{Ref: ref(v)}))(t)
	v = must(f.Edit(ctx, lawyer, catalog.EditProduct{Ref: ref(v), Content: suiting(catalog.Suits{Years: 50})}))(t)
	if len(v.Changes) != 1 || v.Changes[0].Label != "适合的企业" || v.Changes[0].Before == v.Changes[0].After {
		t.Errorf("difference %+v", v.Changes)
	}
	v = must(f.Submit(ctx, lawyer, catalog.SubmitProduct{Ref: ref(v)}))(t)
	v = must(f.Return(ctx, first, catalog.ReturnProduct{Ref: ref(v), Codes: []string{"promises"}}))(t)
	if fits() != 1 {
		t.Error("an edition that was returned is in force")
	}
	v = f.mustPass(t, second, f.mustPass(t, first, must(f.Submit(ctx, lawyer, catalog.SubmitProduct{Ref: ref(v)}))(t)))
	if fits() != 0 {
		t.Error("the approved edition is not in force")
	}
	// The platform changes it with a reason; the edition after begins from that.
	is = must(f.SuitsOf(ctx, first, v.ID))(t)
	must(f.SetSuits(ctx, first, catalog.SetSuits{ID: v.ID, Version: is.Version, Suits: catalog.Suits{Years: 2}, Reason: "五十年的条件无企业符合"}))(t)
	if fits() != 1 {
		t.Error("what the platform said is not in force")
	}
	if v = must(f.Revise(ctx, lawyer, catalog.ReviseProduct{Ref: ref(v)}))(t); v.Content.Suits.Years != 2 {
		t.Errorf("the next edition begins from %+v", v.Content.Suits)
	}
	bad := suiting(catalog.Suits{Sections: []string{"ZZ"}})
	if _, err := f.Edit(ctx, lawyer, catalog.EditProduct{Ref: ref(v), Content: bad}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an industry that is none: %v", err)
	}
}

// TestTwoProcessesLearnFromEachOther has one process say whom a product suits and another recommend it.
func TestTwoProcessesLearnFromEachOther(t *testing.T) {
	t.Parallel()
	f, ctx := mustRecommend(t), context.Background()
	other := catalog.New(f.Deps)
	var ids []int64
	for i := range 3 {
		c := service()
		c.Name = fmt.Sprintf("法务%d", i)
		ids = append(ids, f.mustList(t, lawyer, c).ID)
		if n := len(must(other.Suitable(ctx, baker))(t).Fits); n != i {
			t.Fatalf("before: %d", n)
		}
		must(f.SetSuits(ctx, first, catalog.SetSuits{ID: ids[i], Suits: catalog.Suits{Years: 1}, Reason: "试点"}))(t)
		if n := len(must(other.Suitable(ctx, baker))(t).Fits); n != i+1 {
			t.Fatalf("after: %d", n)
		}
	}
}

func TestNearMissesAreOffered(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustList(t, banker, loan())
	f.mustList(t, lawyer, service())
	found := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Query: "烘焙贷款产品", Nearest: true}))(t)
	if !found.Near || len(found.Items) == 0 || found.Items[0].Name != "〔演示〕烘焙贷" {
		t.Errorf("near %v: %+v", found.Near, found.Items)
	}
	if exact := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Query: "烘焙贷", Nearest: true}))(t); exact.Near || len(exact.Items) != 1 {
		t.Errorf("exactly %+v", exact)
	}
	// The other choices stay in force, and nothing alike is nothing.
	if none := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Query: "烘焙贷款产品", Kind: "legal", Nearest: true}))(t); len(none.Items) != 0 || none.Near {
		t.Errorf("of another kind %+v", none)
	}
	if none := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Query: "宇宙飞船", Nearest: true}))(t); len(none.Items) != 0 || none.Near {
		t.Errorf("nothing alike %+v", none)
	}
}

func TestProductsSideBySide(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	one := b.f.mustList(t, banker, loan())
	other := loan()
	other.Name, other.RateMin, other.RateMax = "快贷", 300, 300
	two := b.f.mustList(t, banker, other)
	third := b.f.mustList(t, lawyer, service())
	for _, c := range []struct {
		path        string
		has, hasNot []string
	}{
		{fmt.Sprintf("/products/compare?id=%d&id=%d", one.ID, two.ID), []string{"〔演示〕烘焙贷", "快贷", "年利率", "3.00%", "经营满一年", "移出对比"}, []string{"还没有选择产品"}},
		{fmt.Sprintf("/products/compare?id=%d&id=%d&id=%d&id=%d&id=99999&id=x", one.ID, one.ID, two.ID, third.ID), []string{"合同体检", "首次免费"}, []string{"加入对比"}},
		{"/products/compare", []string{"还没有选择产品", "加入“"}, nil},
		{fmt.Sprintf("/products/compare?id=%d&q=%s", one.ID, "%3Cscript%3E"), []string{"&lt;script&gt;"}, []string{"<script>alert"}},
		{fmt.Sprintf("/products/%d", one.ID), []string{fmt.Sprintf("/products/compare?id=%d", one.ID)}, nil},
	} {
		status, body := b.page("", c.path)
		if status != 200 {
			t.Errorf("%s: %d", c.path, status)
		}
		for _, h := range c.has {
			if !strings.Contains(body, h) {
				t.Errorf("%s lacks %q", c.path, h)
			}
		}
		for _, h := range c.hasNot {
			if strings.Contains(body, h) {
				t.Errorf("%s has %q", c.path, h)
			}
		}
	}
	rows := catalog.CompareRows([]catalog.Detail{must(b.f.Show(context.Background(), nobody, one.ID))(t), must(b.f.Show(context.Background(), nobody, two.ID))(t)})
	for _, r := range rows {
		if r.Label == "年利率" && !r.Differs || r.Label == "提供机构" && r.Differs {
			t.Errorf("%+v", r)
		}
	}
}
