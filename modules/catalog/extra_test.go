package catalog_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
)

// fields are what administrators ask: of loans whether they are for first loans, what they cost in all (for staff), and since
// when there are such; a test changes them.
type fields struct{ list []catalog.Asked }

func (f *fields) Asked(_ context.Context, _ bun.IDB, kind, _ string) ([]catalog.Asked, error) {
	if kind != "" && kind != "financing" {
		return nil, nil
	}
	return slices.Clone(f.list), nil
}

func mustAsk(t *testing.T) (fixture, *fields) {
	t.Helper()
	least, most := 0.0, 36.0
	a := &fields{[]catalog.Asked{
		{Field: form.OwnField{Key: "first", Label: "面向首贷户", Kind: form.YesNo, Required: true}},
		{Field: form.OwnField{Key: "cost", Label: "综合融资成本", Kind: form.Number, Unit: "%", Min: &least, Max: &most, Decimals: 2}, Staff: true},
		{Field: form.OwnField{Key: "pledges", Label: "可接受的抵押物", Kind: form.Choices, Options: []string{"房产", "设备"}}},
	}}
	f := mustNew(t)
	f.Fields = a
	return f, a
}

func answered(c catalog.Content, list ...catalog.Answer) catalog.Content {
	c.Extra = list
	return c
}

func say(key string, values ...string) catalog.Answer {
	return catalog.Answer{Key: key, Values: values}
}

func TestAnswersArePartOfTheEdition(t *testing.T) {
	t.Parallel()
	f, asked := mustAsk(t)
	ctx := context.Background()
	v := f.mustDraft(t, banker, loan())
	_, err := f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)})
	if got, ok := fault.As(err); !ok || len(got.Fields) != 1 || got.Fields[0].Name != "fields.first" || got.Fields[0].Message != "请选择面向首贷户" {
		t.Fatalf("submitted without what is required: %v", err)
	}
	v = must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: answered(loan(), say("first", "是"), say("cost", "4.50"), say("pledges", "设备", "房产"))}))(t)
	v = f.mustPass(t, second, f.mustPass(t, first, must(f.Submit(ctx, banker, catalog.SubmitProduct{Ref: ref(v)}))(t)))
	d := must(f.Show(ctx, nobody, v.ID))(t)
	if len(d.Extra) != 2 || d.Extra[0].Label != "面向首贷户" || d.Extra[0].Value != "是" || d.Extra[1].Value != "设备、房产" {
		t.Errorf("the public reads %+v", d.Extra)
	}
	if found := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Query: "可接受的抵押物"}))(t); len(found.Items) != 1 {
		t.Errorf("not found by an answer: %+v", found)
	}
	if found := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Query: "综合融资成本"}))(t); len(found.Items) != 0 {
		t.Error("the public finds a product by what it does not see")
	}
	// The definition changes: what was approved keeps its words, the difference tells what is new.
	asked.list[0].Field.Label = "首贷户可申请"
	asked.list = slices.Delete(asked.list, 2, 3)
	v = must(f.Revise(ctx, banker, catalog.ReviseProduct{Ref: ref(v)}))(t)
	v = must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(v), Content: answered(loan(), say("first", "no"), say("cost", "5"))}))(t)
	var told []string
	for _, c := range v.Changes {
		told = append(told, c.Label+":"+c.Before+">"+c.After)
	}
	if got := strings.Join(told, " "); got != "首贷户可申请:是>否 综合融资成本:4.5 %>5 % 可接受的抵押物:设备、房产>" {
		t.Errorf("difference: %s", got)
	}
	if d := must(f.Show(ctx, nobody, v.ID))(t); d.Extra[0].Label != "面向首贷户" || d.Extra[1].Value != "设备、房产" {
		t.Errorf("the approved edition reads %+v", d.Extra)
	}
	rows := catalog.CompareRows([]catalog.Detail{d, d})
	if !slices.ContainsFunc(rows, func(r catalog.CompareRow) bool {
		return r.Label == "可接受的抵押物" && r.Values[1] == "设备、房产"
	}) {
		t.Errorf("compared without the answers: %+v", rows)
	}
}

func TestAnswersAreCheckedEachAtItsField(t *testing.T) {
	t.Parallel()
	f, _ := mustAsk(t)
	c := answered(loan(), say("first", "maybe"), say("cost", "3600"), say("pledges", "黄金"))
	c.Name = ""
	_, err := f.Draft(context.Background(), banker, catalog.DraftProduct{Content: c})
	got, ok := fault.As(err)
	if !ok {
		t.Fatal(err)
	}
	var names []string
	for _, x := range got.Fields {
		names = append(names, x.Name)
	}
	if !slices.Equal(names, []string{"name", "fields.first", "fields.cost", "fields.pledges"}) {
		t.Errorf("%v", got.Fields)
	}
	// A service is asked nothing: what is sent all the same is refused and not kept in the dark.
	if _, err := f.Draft(context.Background(), lawyer, catalog.DraftProduct{Content: answered(service(), say("first", "yes"))}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a field of another kind: %v", err)
	}
}

func TestListsAreNarrowedByAnswers(t *testing.T) {
	t.Parallel()
	f, _ := mustAsk(t)
	ctx := context.Background()
	a, b := loan(), loan()
	a.Name, b.Name = "贷款甲", "贷款乙"
	one := f.mustDraft(t, banker, answered(a, say("first", "yes"), say("cost", "4.5"), say("pledges", "房产")))
	two := f.mustDraft(t, banker, answered(b, say("first", "no"), say("cost", "12"), say("pledges", "房产", "设备")))
	for lines, want := range map[string][]int64{
		"": {two.ID, one.ID}, "first:yes": {one.ID}, "pledges:房产": {two.ID, one.ID}, "pledges:设备": {two.ID}, "cost:..5": {one.ID}, "cost:10..": {two.ID},
		"first:yes\ncost:10..": nil,
	} {
		items, _, err := f.List(ctx, first, catalog.ListFilter{Extra: lines})
		var ids []int64
		for _, i := range items {
			ids = append(ids, i.ID)
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("%q: %v, %v", lines, ids, err)
		}
	}
	if items, _, err := f.List(ctx, lawyer, catalog.ListFilter{Extra: "first:yes"}); err != nil || len(items) != 0 {
		t.Errorf("another institution finds %v %v", items, err)
	}
	for _, lines := range []string{"gold:1", "cost:viel", "pledges:黄金"} {
		if _, _, err := f.List(ctx, first, catalog.ListFilter{Extra: lines}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", lines, err)
		}
	}
	must(f.Edit(ctx, banker, catalog.EditProduct{Ref: ref(one), Content: answered(a, say("first", "no"))}))(t)
	if items, _, err := f.List(ctx, first, catalog.ListFilter{Extra: "first:yes"}); err != nil || len(items) != 0 {
		t.Errorf("found by what was changed: %v %v", items, err)
	}
}
