package catalog_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

func TestProductsAreTakenOutWithTheirFields(t *testing.T) {
	t.Parallel()
	f, asked := mustAsk(t)
	ctx := context.Background()
	one := f.mustDraft(t, banker, answered(loan(), say("first", "是"), say("cost", "4.5"), say("pledges", "设备", "房产")))
	f.mustDraft(t, lawyer, service())
	exporter := func(a access.Actor) access.Actor {
		a.Permissions = slices.Sorted(slices.Values(append([]access.Permission{catalog.PermExport}, a.Permissions...)))
		return a
	}
	src, err := f.ExportSource().Now(ctx)
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"name", "institution", "kind", "status", "edition", "shown", "rate", "extra.first", "extra.cost", "extra.pledges"}
	read := func(a access.Actor, filter sheet.Filter, limit int) []string {
		t.Helper()
		var out []string
		for after := ""; ; {
			rows, next, err := src.Page(ctx, a, sheet.Query{Filter: filter, Columns: columns, After: after, Limit: limit})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				var words []string
				for _, c := range r {
					words = append(words, fmt.Sprint(c))
				}
				out = append(out, strings.Join(words, "|"))
			}
			if next == "" {
				return out
			}
			after = next
		}
	}
	cell := func(c sheet.Cell) string { return fmt.Sprint(c) }
	want := strings.Join([]string{cell(sheet.Text(one.Name)), cell(sheet.Text(one.InstitutionName)), cell(sheet.Text("融资服务")), cell(sheet.Text("草稿")), cell(sheet.Int(1)), cell(sheet.Text("否")),
		cell(sheet.Text(one.Texts.Rate)), cell(sheet.Text("是")), cell(sheet.Text("4.5 %")), cell(sheet.Text("设备、房产"))}, "|")
	if got := read(exporter(banker), nil, 10); !slices.Equal(got, []string{want}) {
		t.Errorf("the bank takes out\n%q, not\n%q", got, want)
	}
	if got := read(exporter(first), nil, 1); len(got) != 2 {
		t.Errorf("the platform takes out, page by page, %q", got)
	}
	for name, filter := range map[string]sheet.Filter{"an answer": {"extra": "first:yes"}, "a kind": {"kind": "financing"}, "words": {"q": one.Name}} {
		if got := read(exporter(first), filter, 10); len(got) != 1 || got[0] != want {
			t.Errorf("by %s: %q", name, got)
		}
		if n, err := src.Count(ctx, exporter(first), filter, 100); err != nil || n != 1 {
			t.Errorf("counted by %s: %d %v", name, n, err)
		}
	}
	if words, err := src.Describe(sheet.Filter{"extra": "first:yes", "kind": "financing", "shown": "1", "status": "draft"}); err != nil || words != "类别：融资服务；只看在架；状态：草稿；面向首贷户：是" {
		t.Errorf("described %q %v", words, err)
	}
	for name, filter := range map[string]sheet.Filter{"a state that is none": {"status": "gone"}, "a kind that is none": {"kind": "gone"}, "what is no filter": {"institution": "1"}} {
		if _, err := src.Describe(filter); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for name, a := range map[string]access.Actor{"an operator without the right": banker, "nobody": nobody} {
		if _, _, err := src.Page(ctx, a, sheet.Query{Columns: columns, Limit: 10}); fault.KindOf(err) != fault.Forbidden && fault.KindOf(err) != fault.Unauthorized {
			t.Errorf("%s takes the list out: %v", name, err)
		}
	}
	// A field that came later is a column from then on.
	asked.list = append(asked.list, catalog.Asked{Field: asked.list[0].Field})
	asked.list[3].Field.Key, asked.list[3].Field.Label = "green", "绿色信贷"
	if src, err = f.ExportSource().Now(ctx); err != nil || !slices.ContainsFunc(src.Columns, func(c sheet.SourceColumn) bool { return c.Key == "extra.green" }) {
		t.Errorf("%+v %v", src.Columns, err)
	}
}
