package enterprise_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/sheet"
)

func clerk(rights ...access.Permission) access.Actor {
	rights = append(rights, enterprise.PermView)
	slices.Sort(rights)
	return access.Actor{UserID: 60, Name: "周洁", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: rights}
}

var fieldKeeper = clerk(enterprise.PermExtra, enterprise.PermExtraFields, enterprise.PermExtraRestricted, enterprise.PermExport)

func extraField(key, label, kind string, change ...func(*enterprise.ExtraField)) enterprise.SaveExtraField {
	f := enterprise.ExtraField{Field: form.OwnField{Key: key, Label: label, Kind: kind}, Group: "service", Company: enterprise.CompanyNothing}
	for _, c := range change {
		c(&f)
	}
	return enterprise.SaveExtraField{ExtraField: f}
}

func (f fixture) mustDefine(t *testing.T, list ...enterprise.SaveExtraField) {
	t.Helper()
	for _, x := range list {
		if _, err := f.SaveExtraField(context.Background(), fieldKeeper, x); err != nil {
			t.Fatal(x.Field.Key, err)
		}
	}
}

// sampleFields are one field of each kind and of each way a company is asked.
func sampleFields() []enterprise.SaveExtraField {
	return []enterprise.SaveExtraField{
		extraField("park", "所属园区", form.Choice, func(f *enterprise.ExtraField) {
			f.Field.Options, f.Company, f.Sort = []string{"台湖园", "张家湾园", "宋庄园"}, enterprise.CompanyReads, 1
		}),
		extraField("beds", "人才公寓床位", form.Number, func(f *enterprise.ExtraField) {
			f.Field.Unit, f.Field.Decimals, f.Sort = "张", 1, 2
		}),
		extraField("visited", "最近走访日期", form.Date, func(f *enterprise.ExtraField) { f.Sort = 3 }),
		extraField("risk", "关注事项", form.Text, func(f *enterprise.ExtraField) { f.Restricted, f.Sort = true, 4 }),
		extraField("export", "是否有出口业务", form.YesNo, func(f *enterprise.ExtraField) {
			f.Group, f.Company, f.Sort = "operation", enterprise.CompanyFills, 5
		}),
		extraField("chains", "所在产业链", form.Choices, func(f *enterprise.ExtraField) {
			f.Group, f.Company, f.Sort, f.Field.Options = "operation", enterprise.CompanyFills, 6, []string{"网络安全", "元宇宙", "绿色能源"}
		}),
		extraField("coop", "成员户数", form.Number, func(f *enterprise.ExtraField) { f.Types, f.Sort = []string{"93"}, 7 }),
	}
}

func TestExtraFieldsAreDefined(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	if _, err := f.SaveExtraField(ctx, clerk(enterprise.PermExtra), extraField("a", "甲", form.Text)); fault.KindOf(err) != fault.Forbidden {
		t.Fatal("defined without the right:", err)
	}
	for name, c := range map[string]struct {
		save enterprise.SaveExtraField
		at   string
	}{
		"a phone":                            {extraField("a", "联系电话", form.Phone), "kind"},
		"personal":                           {extraField("a", "身份证号", form.Text, func(f *enterprise.ExtraField) { f.Field.Personal = true }), "kind"},
		"a key in Chinese":                   {extraField("园区", "园区", form.Text), "key"},
		"no label":                           {extraField("a", " ", form.Text), "label"},
		"no such kind":                       {extraField("a", "甲", "colour"), "kind"},
		"one option":                         {extraField("a", "甲", form.Choice, func(f *enterprise.ExtraField) { f.Field.Options = []string{"是"} }), "options"},
		"a range upside down":                {extraField("a", "甲", form.Number, func(f *enterprise.ExtraField) { f.Field.Min, f.Field.Max = limit(5), limit(1) }), "max"},
		"no such group":                      {extraField("a", "甲", form.Text, func(f *enterprise.ExtraField) { f.Group = "other" }), "group"},
		"notes that companies fill":          {extraField("a", "甲", form.Text, func(f *enterprise.ExtraField) { f.Company = enterprise.CompanyFills }), "group"},
		"restricted, and shown to companies": {extraField("a", "甲", form.Text, func(f *enterprise.ExtraField) { f.Restricted, f.Company = true, enterprise.CompanyReads }), "restricted"},
		"no such type":                       {extraField("a", "甲", form.Text, func(f *enterprise.ExtraField) { f.Types = []string{"XX"} }), "types"},
	} {
		_, err := f.SaveExtraField(ctx, fieldKeeper, c.save)
		if x, ok := fault.As(err); !ok || !slices.ContainsFunc(x.Fields, func(p fault.Field) bool { return p.Name == c.at && p.Message != "" }) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.mustDefine(t, sampleFields()...)
	if _, err := f.SaveExtraField(ctx, fieldKeeper, extraField("park", "另一个园区", form.Text)); !errors.Is(err, enterprise.ErrExtraExists) {
		t.Fatal("the same key:", err)
	}
	if _, err := f.SaveExtraField(ctx, fieldKeeper, extraField("park2", "所属园区", form.Text)); !errors.Is(err, enterprise.ErrExtraExists) {
		t.Fatal("the same label:", err)
	}
	change := sampleFields()[1]
	change.Version, change.Field.Unit = 1, "间"
	if _, err := f.SaveExtraField(ctx, fieldKeeper, change); !errors.Is(err, enterprise.ErrExtraKind) {
		t.Fatal("another unit:", err)
	}
	change.Field.Unit, change.Field.Label, change.Key = "张", "人才公寓床位数", "twice"
	for range 2 { // the same key changes it once
		if list, err := f.SaveExtraField(ctx, fieldKeeper, change); err != nil || list[1].Field.Label != "人才公寓床位数" || list[1].Version != 2 || list[1].UpdatedBy != "周洁" {
			t.Fatalf("%+v %v", list, err)
		}
	}
	change.Key = "other"
	if _, err := f.SaveExtraField(ctx, fieldKeeper, change); !errors.Is(err, fault.ErrChanged) {
		t.Fatal("a stale version:", err)
	}
	change.Version, change.Retired = 2, true
	if _, err := f.SaveExtraField(ctx, fieldKeeper, change); err != nil {
		t.Fatal(err)
	}
	plain, err := f.ExtraFields(ctx, clerk())
	if err != nil || len(plain) != len(sampleFields())-2 {
		t.Fatalf("who defines none sees neither retired nor restricted fields: %+v %v", plain, err)
	}
	if _, err := f.ExtraFields(ctx, f.mustOpen(t, 7, "麦香")); fault.KindOf(err) != fault.Forbidden {
		t.Fatal("a company reads definitions:", err)
	}
	if types := enterprise.CompanyTypes(); types[0] != (enterprise.CompanyType{Code: "91", Name: "企业"}) || types[1].Name != "个体工商户" {
		t.Fatal(types)
	}
}

func limit(n float64) *float64 { return &n }

func textsOf(x enterprise.Extra) map[string]string {
	out := map[string]string{}
	for _, i := range x.Items {
		out[i.Field.Key] = i.Text
		if i.Withheld {
			out[i.Field.Key] = "withheld"
		}
	}
	return out
}

func TestExtraValues(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	consents := agreed{not: map[int64]bool{}}
	f := mustNew(t, func(d *enterprise.Deps) { d.Consents = consents })
	f.mustDefine(t, sampleFields()...)
	a := f.mustOpen(t, 7, "麦香")
	f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	id := a.EnterpriseID

	x, err := f.Extra(ctx, fieldKeeper, id, "")
	if err != nil || len(x.Items) != 6 || !x.MayFill || x.Version != 0 {
		t.Fatalf("a field for cooperatives is not asked of a company: %+v %v", textsOf(x), err)
	}
	set := func(version int64, values map[string][]string) (enterprise.Extra, error) {
		return f.SetExtra(ctx, fieldKeeper, enterprise.SetExtra{ID: id, Version: version, Values: values})
	}
	_, err = set(0, map[string][]string{"park": {"北京园"}, "beds": {"三张"}, "visited": {"2026-02-30"}, "export": {"也许"}, "coop": {"3"}})
	bad, _ := fault.As(err)
	if bad == nil || len(bad.Fields) != 4 {
		t.Fatalf("%+v", err)
	}
	if _, err = set(0, map[string][]string{"coop": {"3"}}); err == nil || !strings.Contains(err.Error(), "无权填写") {
		t.Fatal("filled what is not asked of it:", err)
	}
	x, err = set(0, map[string][]string{"park": {"台湖园"}, "beds": {"１２.5 张"}, "visited": {"2026年11月20日"}, "risk": {"=1+1 欠薪投诉"}, "export": {"是"}, "chains": {"元宇宙", "网络安全"}})
	want := map[string]string{"park": "台湖园", "beds": "12.5 张", "visited": "2026-11-20", "risk": "=1+1 欠薪投诉", "export": "是", "chains": "元宇宙、网络安全"}
	if err != nil || fmt.Sprint(textsOf(x)) != fmt.Sprint(want) || x.Version != 1 || x.Items[0].Source != "平台登记" || x.Items[0].ByName != "周洁" {
		t.Fatalf("%+v %v", textsOf(x), err)
	}
	if _, err = set(0, map[string][]string{"park": {"宋庄园"}}); !errors.Is(err, fault.ErrChanged) {
		t.Fatal("a stale version:", err)
	}
	if x, err = set(1, map[string][]string{"park": {}, "beds": {"12.5"}}); err != nil || x.Items[0].Text != "" {
		t.Fatalf("%+v %v", x, err)
	}
	if h := x.History; len(h) != 7 || h[0].Label != "所属园区" || h[0].Text != "" || h[0].ByName != "周洁" || h[6].Text == "" {
		t.Fatalf("what was not changed is recorded, or what was is not: %+v", h)
	}

	// Whoever has no right to the restricted field neither sees nor fills it.
	plain := clerk(enterprise.PermExtra)
	if x, err = f.Extra(ctx, plain, id, ""); err != nil || len(x.Items) != 5 || slices.ContainsFunc(x.History, func(h enterprise.ExtraEntry) bool { return h.Label == "关注事项" }) {
		t.Fatalf("%+v %v", textsOf(x), err)
	}
	if _, err = f.SetExtra(ctx, plain, enterprise.SetExtra{ID: id, Version: 2, Values: map[string][]string{"risk": {"无"}}}); err == nil {
		t.Fatal("filled a restricted field")
	}
	if _, err = f.SetExtra(ctx, clerk(), enterprise.SetExtra{ID: id, Version: 2}); fault.KindOf(err) != fault.Forbidden {
		t.Fatal("filled without the right:", err)
	}

	// What is the company's is read with its consent only, and not overwritten unread.
	consents.not[id] = true
	x, err = f.Extra(ctx, fieldKeeper, id, "")
	if got := textsOf(x); err != nil || got["export"] != "withheld" || got["chains"] != "withheld" || got["beds"] != "12.5 张" || x.Withheld == "" {
		t.Fatalf("%+v %v", x, err)
	}
	if slices.ContainsFunc(x.History, func(h enterprise.ExtraEntry) bool { return h.Label == "是否有出口业务" }) {
		t.Fatal("the history tells what is withheld")
	}
	if _, err = set(2, map[string][]string{"export": {"否"}}); fault.KindOf(err) != fault.Forbidden {
		t.Fatal("overwritten unread:", err)
	}
	if x, err = set(2, map[string][]string{"beds": {"20"}}); err != nil || textsOf(x)["beds"] != "20 张" {
		t.Fatal(x, err)
	}
	delete(consents.not, id)

	// The company sees what it is shown, fills what it is asked, and learns no names.
	mine, err := f.MyExtra(ctx, a)
	if got := textsOf(mine); err != nil || len(got) != 3 || got["export"] != "是" || !mine.MayFill {
		t.Fatalf("%+v %v", mine, err)
	}
	for _, i := range mine.Items {
		if i.ByName != "" || i.MayFill != (i.Field.Key != "park") {
			t.Fatalf("%+v", i)
		}
	}
	if _, err = f.SetMyExtra(ctx, a, enterprise.SetExtra{Version: 3, Values: map[string][]string{"park": {"宋庄园"}}}); err == nil {
		t.Fatal("a company filled what it only reads")
	}
	mine, err = f.SetMyExtra(ctx, a, enterprise.SetExtra{Version: 3, Values: map[string][]string{"export": {"no"}}})
	if err != nil || textsOf(mine)["export"] != "否" || mine.History[0].Source != "企业填报" {
		t.Fatalf("%+v %v", mine, err)
	}
	stranger := f.mustOpen(t, 9, "别家")
	if theirs, err := f.MyExtra(ctx, stranger); err != nil || slices.ContainsFunc(theirs.Items, func(i enterprise.ExtraItem) bool { return i.Text != "" }) {
		t.Fatalf("%+v %v", theirs, err)
	}
	if _, err := f.Extra(ctx, stranger, id, ""); err == nil {
		t.Fatal("a company read another's by its number")
	}
	if n := f.count(t, "SELECT count(*) FROM events WHERE type = 'enterprise.extra_set' AND facts LIKE '%台湖园%'"); n != 0 {
		t.Fatal("an event holds values")
	}
}

func TestExtraIsFilledOnceAtATime(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	f.mustDefine(t, sampleFields()...)
	a := f.mustOpen(t, 7, "麦香")
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := f.SetExtra(ctx, fieldKeeper, enterprise.SetExtra{ID: a.EnterpriseID, Values: map[string][]string{"beds": {fmt.Sprint(i + 1)}}})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if !errors.Is(err, fault.ErrChanged) {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if n := f.count(t, "SELECT count(*) FROM enterprise_extra_values WHERE enterprise_id = ?", a.EnterpriseID); done != 1 || n != 1 {
		t.Fatal(done, n)
	}
	cmd := enterprise.SetExtra{ID: a.EnterpriseID, Version: 1, Values: map[string][]string{"beds": {"77"}}, Key: "press"}
	for range 2 {
		if _, err := f.SetExtra(ctx, fieldKeeper, cmd); err != nil {
			t.Fatal("the same press twice:", err)
		}
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_extra_values WHERE enterprise_id = ?", a.EnterpriseID); n != 2 {
		t.Fatal(n)
	}
}

func TestARequiredExtraFieldIsAskedFor(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	f.mustDefine(t, extraField("grid", "网格编号", form.Text, func(x *enterprise.ExtraField) { x.Field.Required = true }), extraField("note", "备注", form.Text))
	_, err := f.SetExtra(ctx, fieldKeeper, enterprise.SetExtra{ID: a.EnterpriseID, Values: map[string][]string{"note": {"有"}}})
	if x, ok := fault.As(err); !ok || x.Fields[0] != (fault.Field{Name: "fields.grid", Message: "请填写网格编号"}) {
		t.Fatalf("%+v", err)
	}
	if _, err := f.SetExtra(ctx, fieldKeeper, enterprise.SetExtra{ID: a.EnterpriseID, Values: map[string][]string{"grid": {"TH-01"}, "note": {"有"}}}); err != nil {
		t.Fatal(err)
	}
	retire := extraField("note", "备注", form.Text, func(x *enterprise.ExtraField) { x.Retired = true })
	retire.Version = 1
	f.mustDefine(t, retire)
	x, err := f.Extra(ctx, fieldKeeper, a.EnterpriseID, "")
	if err != nil || len(x.Items) != 2 || !x.Items[1].Retired || x.Items[1].Text != "有" || x.Items[1].MayFill {
		t.Fatalf("a retired field is shown where it was filled: %+v %v", x, err)
	}
}

// TestCompaniesAreFoundByExtraFields narrows the list and the export, each condition alone.
func TestCompaniesAreFoundByExtraFields(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	consents := agreed{not: map[int64]bool{}}
	f := mustNew(t, func(d *enterprise.Deps) { d.Consents = consents })
	f.mustDefine(t, sampleFields()...)
	ids := map[string]int64{}
	for i, c := range []struct {
		name   string
		values map[string][]string
	}{
		{"甲一号有限公司", map[string][]string{"park": {"台湖园"}, "beds": {"9.5"}, "visited": {"2026-11-01"}, "risk": {"欠薪100%"}, "export": {"yes"}, "chains": {"元宇宙"}}},
		{"乙二号有限公司", map[string][]string{"park": {"台湖园"}, "beds": {"10"}, "visited": {"2026-10-01"}, "risk": {"欠薪1000"}, "export": {"yes"}, "chains": {"元宇宙", "网络安全"}}},
		{"丙三号有限公司", map[string][]string{"park": {"宋庄园"}, "beds": {"100"}, "export": {"no"}}},
		{"丁四号有限公司", nil},
	} {
		a := f.mustOpen(t, int64(20+i), c.name)
		ids[c.name] = a.EnterpriseID
		if c.values != nil {
			if _, err := f.SetExtra(ctx, fieldKeeper, enterprise.SetExtra{ID: a.EnterpriseID, Values: c.values}); err != nil {
				t.Fatal(err)
			}
		}
	}
	find := func(actor access.Actor, extra, words string) (string, error) {
		list, _, err := f.List(ctx, actor, enterprise.ListFilter{Extra: extra, Query: words})
		out := ""
		for _, i := range list {
			out += string([]rune(i.Name)[0])
		}
		return out, err
	}
	for extra, want := range map[string]string{
		"": "丁丙乙甲", "park:台湖园": "乙甲", "beds:10": "乙", "beds:9.6..": "丙乙", "beds:..10": "乙甲", "beds:9..10": "乙甲", "visited:2026-10-15..": "甲", "visited:2026年10月1日": "乙",
		"risk:欠薪": "乙甲", "risk:100%": "甲", "export:是": "乙甲", "export:no": "丙", "chains:元宇宙": "乙甲", "chains:网络安全": "乙", "park:台湖园\nbeds:10..\nexport:yes": "乙",
	} {
		if got, err := find(fieldKeeper, extra, ""); err != nil || got != want {
			t.Errorf("%q: %q, want %q (%v)", extra, got, want, err)
		}
	}
	if got, err := find(fieldKeeper, "park:台湖园", "有限公司"); err != nil || got != "乙甲" {
		t.Error("with words:", got, err)
	}
	for _, extra := range []string{"park", "nothing:1", "beds:many", "beds:10..1", "beds:..", "visited:昨天", "export:也许", "park:北京园", strings.Repeat("park:台湖园\n", 6)} {
		if _, err := find(fieldKeeper, extra, ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", extra, err)
		}
	}
	if _, err := find(clerk(), "risk:欠薪", ""); fault.KindOf(err) != fault.Invalid {
		t.Error("found by a field they may not see:", err)
	}
	consents.not[ids["乙二号有限公司"]] = true
	if got, err := find(fieldKeeper, "export:yes", ""); err != nil || got != "甲" {
		t.Error("found by what the company keeps to itself:", got, err)
	}
	if got, err := find(fieldKeeper, "park:台湖园", ""); err != nil || got != "乙甲" {
		t.Error("the platform's own notes need no consent:", got, err)
	}

	// The same columns and conditions leave with the export.
	src, err := f.ExportSource().Now(ctx)
	if err != nil {
		t.Fatal(err)
	}
	words, err := src.Describe(sheet.Filter{"extra": "park:台湖园\nbeds:9..", "q": "有限公司"})
	if err != nil || words != "企业：有限公司；所属园区：台湖园；人才公寓床位：9 张起" {
		t.Error(words, err)
	}
	columns := []string{"name", "extra.park", "extra.beds", "extra.risk", "extra.export"}
	rows, _, err := src.Page(ctx, fieldKeeper, sheet.Query{Filter: sheet.Filter{"extra": "park:台湖园"}, Columns: columns, Limit: 10})
	line := func(words ...string) []sheet.Cell {
		var cells []sheet.Cell
		for _, w := range words {
			cells = append(cells, sheet.Text(w))
		}
		return cells
	}
	want := [][]sheet.Cell{line("乙二号有限公司", "台湖园", "10 张", "欠薪1000", ""), line("甲一号有限公司", "台湖园", "9.5 张", "欠薪100%", "是")}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Error(rows, err)
	}
	if n, err := src.Count(ctx, fieldKeeper, sheet.Filter{"extra": "park:台湖园"}, 100); err != nil || n != 2 {
		t.Error(n, err)
	}
	if _, _, err := src.Page(ctx, clerk(enterprise.PermExport), sheet.Query{Columns: columns, Limit: 10}); !errors.Is(err, sheet.ErrColumns) {
		t.Error("took out what they may not see:", err)
	}
	free, err := src.Choose(clerk(enterprise.PermExport), nil)
	if err != nil || slices.ContainsFunc(free, func(c sheet.SourceColumn) bool { return c.Key == "extra.risk" }) || !slices.ContainsFunc(free, func(c sheet.SourceColumn) bool { return c.Key == "extra.park" }) {
		t.Error(free, err)
	}
}
