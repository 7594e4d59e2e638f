package application_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/sheet"
)

// asks are what administrators ask of applications for loans.
type asks struct{ list []application.Asked }

func (f *asks) Asked(_ context.Context, _ bun.IDB, kind, _ string) ([]application.Asked, error) {
	if kind != "financing" {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(f.list), func(x application.Asked) bool { return x.Retired }), nil
}

func (f *asks) Defined(context.Context, bun.IDB) ([]application.Asked, error) {
	return slices.Clone(f.list), nil
}

func asking() *asks {
	return &asks{[]application.Asked{
		{Field: form.OwnField{Key: "first", Label: "是否首贷", Kind: form.YesNo, Required: true}},
		{Field: form.OwnField{Key: "pledge", Label: "抵押物类型", Kind: form.Choice, Options: []string{"房产", "设备"}}},
		{Field: form.OwnField{Key: "area", Label: "经营面积", Kind: form.Number, Unit: "平方米"}},
		{Field: form.OwnField{Key: "grade", Label: "客户经理初评", Kind: form.Choice, Options: []string{"优先", "正常"}}, Staff: true},
	}}
}

func mustAsk(t *testing.T) (fixture, *asks) {
	t.Helper()
	f, a := mustNew(t), asking()
	f.Fields = a
	return f, a
}

func answering(cmd application.Submit, fields map[string][]string) application.Submit {
	cmd.Fields = fields
	return cmd
}

func said(v application.View) string {
	var out []string
	for _, x := range v.Extra {
		out = append(out, x.Label+"="+x.Text)
	}
	return strings.Join(out, " ")
}

func TestAnswersGoWithTheApplication(t *testing.T) {
	t.Parallel()
	f, asked := mustAsk(t)
	ctx := context.Background()
	form := mustForm(t, f)
	if len(form.Fields) != 3 || form.Fields[0].Key != "first" {
		t.Fatalf("the company is asked %+v", form.Fields)
	}
	_, err := f.Submit(ctx, baker, answering(want("a"), map[string][]string{"pledge": {"黄金"}, "area": {"一百"}, "grade": {"优先"}}))
	got, ok := fault.As(err)
	if !ok {
		t.Fatal(err)
	}
	var names []string
	for _, x := range got.Fields {
		names = append(names, x.Name)
	}
	if !slices.Equal(names, []string{"fields.first", "fields.pledge", "fields.area"}) || got.Fields[0].Message != "请选择是否首贷" {
		t.Fatalf("%+v", got.Fields)
	}
	// A draft keeps them as typed, right or wrong; a field that was retired meanwhile stands in nobody's way.
	typed := application.Typed{Purpose: "更换烤箱", Fields: map[string][]string{"first": {"yes"}, "area": {"一百"}, "gone": {"旧内容"}}}
	if _, err := f.SaveDraft(ctx, baker, loanProduct, typed); err != nil {
		t.Fatal(err)
	}
	if d := mustForm(t, f).Draft; d == nil || d.Fields["area"][0] != "一百" || d.Fields["gone"][0] != "旧内容" {
		t.Fatalf("draft %+v", d)
	}
	v := f.mustSubmit(t, baker, answering(want("b"), map[string][]string{"first": {"yes"}, "pledge": {"房产"}, "area": {"120"}, "gone": {"旧内容"}, "grade": {"优先"}}))
	if said(v) != "是否首贷=是 抵押物类型=房产 经营面积=120 平方米" {
		t.Fatalf("kept %s", said(v))
	}
	// The definitions change; what was said keeps its words.
	asked.list[0].Field.Label, asked.list[1].Retired = "首次贷款", true
	if v = must(f.Get(ctx, banker, v.ID))(t); said(v) != "是否首贷=是 抵押物类型=房产 经营面积=120 平方米" {
		t.Errorf("later it reads %s", said(v))
	}
	if n := f.rows(t, "application_answers"); n != 3 {
		t.Errorf("%d answers", n)
	}
}

func mustForm(t *testing.T, f fixture) application.Form {
	t.Helper()
	form, err := f.Form(context.Background(), baker, loanProduct)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func TestWhatTheInstitutionFillsInStaysInside(t *testing.T) {
	t.Parallel()
	f, _ := mustAsk(t)
	ctx := context.Background()
	v := f.mustSubmit(t, baker, answering(want("a"), map[string][]string{"first": {"no"}}))
	if v.Fill != nil {
		t.Error("the company is asked to fill in what the institution does")
	}
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	if v.Fill == nil || len(v.Fill.Fields) != 1 || v.Fill.Fields[0].Key != "grade" {
		t.Fatalf("the institution fills in %+v", v.Fill)
	}
	fill := func(who access.Actor, version int64, key, word string) error {
		_, err := f.FillExtra(ctx, who, application.FillExtra{Key: key, ID: v.ID, Version: version, Values: map[string][]string{"grade": {word}}})
		return err
	}
	for who, want := range map[string]error{"company": application.ErrForbidden, "other institution": fault.ErrNotFound, "platform": application.ErrForbidden} {
		a := map[string]access.Actor{"company": baker, "other institution": taxman, "platform": platform}[who]
		if err := fill(a, 0, "", "优先"); !errors.Is(err, want) {
			t.Errorf("%s fills in: %v", who, err)
		}
	}
	if err := fill(banker, 0, "", "顶级"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an option that is none: %v", err)
	}
	for range 2 { // the second is the same click
		if err := fill(banker, 0, "k", "优先"); err != nil {
			t.Fatal(err)
		}
	}
	if err := fill(banker2, 0, "", "正常"); !errors.Is(err, application.ErrExtraStale) {
		t.Errorf("a colleague who saw it before: %v", err)
	}
	v = must(f.Get(ctx, banker, v.ID))(t)
	if said(v) != "是否首贷=否 客户经理初评=优先" || v.Extra[1].ByName != "赵强" || v.Undo == nil {
		t.Errorf("%s, %+v", said(v), v.Undo)
	}
	if last := v.Timeline[len(v.Timeline)-1]; last.Label != "登记扩展信息" || last.Text != "客户经理初评" {
		t.Errorf("told %+v", last)
	}
	mine := must(f.Get(ctx, baker, v.ID))(t)
	if said(mine) != "是否首贷=否" || len(mine.Timeline) != len(v.Timeline)-1 {
		t.Errorf("the company reads %s and %d steps", said(mine), len(mine.Timeline))
	}
}

func TestApplicationsAreFoundAndTakenOutByAnswers(t *testing.T) {
	t.Parallel()
	f, _ := mustAsk(t)
	ctx := context.Background()
	one := f.mustSubmit(t, baker, answering(want("a"), map[string][]string{"first": {"yes"}, "pledge": {"房产"}, "area": {"80"}}))
	two := f.mustSubmit(t, boss(8, 71), answering(want("b"), map[string][]string{"first": {"no"}, "area": {"200"}}))
	must(f.Accept(ctx, banker, application.Accept{Ref: ref(one)}))(t)
	if _, err := f.FillExtra(ctx, banker, application.FillExtra{ID: one.ID, Values: map[string][]string{"grade": {"优先"}}}); err != nil {
		t.Fatal(err)
	}
	find := func(who access.Actor, lf application.ListFilter) (string, error) {
		items, _, err := f.List(ctx, who, lf)
		var out []string
		for _, i := range items {
			out = append(out, i.EnterpriseName)
		}
		return strings.Join(out, " "), err
	}
	for lines, want := range map[string]string{"first:yes": one.EnterpriseName, "area:100..": two.EnterpriseName, "grade:优先": one.EnterpriseName, "first:yes\narea:100..": ""} {
		if got, err := find(banker, application.ListFilter{Extra: lines}); err != nil || got != want {
			t.Errorf("%q: %q %v", lines, got, err)
		}
	}
	if got, err := find(taxman, application.ListFilter{Extra: "first:yes"}); err != nil || got != "" {
		t.Errorf("another institution finds %q %v", got, err)
	}
	if _, err := find(baker, application.ListFilter{Extra: "grade:优先"}); !errors.Is(err, form.ErrFilter) {
		t.Errorf("a company asks for what it does not see: %v", err)
	}
	if got, err := find(banker, application.ListFilter{Query: "抵押物类型"}); err != nil || got != one.EnterpriseName {
		t.Errorf("by words: %q %v", got, err)
	}
	if got, err := find(banker, application.ListFilter{Query: "客户经理初评"}); err != nil || got != "" {
		t.Errorf("by words that companies do not see: %q %v", got, err)
	}
	src, err := f.ExportSource().Now(ctx)
	if err != nil {
		t.Fatal(err)
	}
	exporter := banker
	exporter.Permissions = append([]access.Permission{application.PermExport}, banker.Permissions...)
	filter := sheet.Filter{"extra": "first:yes"}
	if words, err := src.Describe(filter); err != nil || words != "是否首贷：是" {
		t.Errorf("described %q %v", words, err)
	}
	rows, _, err := src.Page(ctx, exporter, sheet.Query{Filter: filter, Columns: []string{"enterprise", "extra.pledge", "extra.area", "extra.grade"}, Limit: 10})
	if err != nil || len(rows) != 1 || rows[0][1] != sheet.Text("房产") || rows[0][2] != sheet.Text("80 平方米") || rows[0][3] != sheet.Text("优先") {
		t.Errorf("taken out %v %v", rows, err)
	}
	if n, err := src.Count(ctx, exporter, filter, 100); err != nil || n != 1 {
		t.Errorf("counted %d %v", n, err)
	}
}

func TestThePortalAsksBesideTheRest(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	b.Fields = asking()
	_, _, html := b.send("baker", "/products/500/apply", nil)
	for _, part := range []string{`name="fields.first"`, `value="yes"`, "是否首贷", `name="fields.pledge"`, `name="fields.area"`, "平方米"} {
		if !strings.Contains(html, part) {
			t.Errorf("the form lacks %s", part)
		}
	}
	if strings.Contains(html, "fields.grade") {
		t.Error("the form asks what the institution fills in")
	}
	key := mustKey(t, html)
	data := posted{"action": "submit", "key": key, "amount": "50", "term": "12", "purpose": "更换烤箱", "fields.area": "一百"}
	status, _, html := b.send("baker", "/products/500/apply", data)
	if status != 422 || !strings.Contains(html, "请选择是否首贷") || !strings.Contains(html, `value="一百"`) {
		t.Errorf("status %d", status)
	}
	data["fields.first"], data["fields.area"] = "yes", "100"
	status, to, _ := b.send("baker", "/products/500/apply", data)
	if status != 303 {
		t.Fatalf("status %d", status)
	}
	_, _, html = b.send("baker", strings.TrimSuffix(to, "?done=submitted"), nil)
	if !strings.Contains(html, "100 平方米") {
		t.Error("the case does not show what was said")
	}
}
