package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/sheet"
)

func limit(n float64) *float64 { return &n }

// supply is a form with a field of every kind.
var supply = []ticket.FormField{
	{Key: "kind", Label: "停供种类", Kind: ticket.ChoicesField, Options: []string{"停水", "停电", "停气"}, Required: true},
	{Key: "scope", Label: "影响范围", Kind: ticket.ChoiceField, Options: []string{"本企业", "整个园区"}},
	{Key: "loss", Label: "损失", Kind: ticket.NumberField, Unit: "万元", Min: limit(0), Max: limit(1000), Decimals: 2},
	{Key: "since", Label: "开始日期", Kind: ticket.DateField},
	{Key: "meter", Label: "表号", Kind: ticket.TextField, MaxLength: 12, Pattern: `[A-Z]\d{4,8}`, PatternHint: "一个字母加 4 至 8 位数字"},
	{Key: "halted", Label: "是否停产", Kind: ticket.YesNoField},
	{Key: "onSite", Label: "现场电话", Kind: ticket.PhoneField},
	{Key: "holder", Label: "户主", Kind: ticket.TextField, Personal: true},
}

// messages are what a fault says about fields.
func messages(err error) map[string]string {
	out := map[string]string{}
	if f, ok := fault.As(err); ok {
		for _, x := range f.Fields {
			out[x.Name] = x.Message
		}
	}
	return out
}

func powerCut(key string) ticket.OpenTicket {
	return ticket.OpenTicket{Key: key, Type: "power", Title: "园区停电", Body: "玉带河东街园区二号楼停电半天", Source: ticket.FromPortal, Fields: map[string][]string{
		"kind": {"停电", "停水"}, "scope": {"整个园区"}, "loss": {"１２.50 万元"}, "since": {"2026年11月20日"}, "meter": {"A00123"}, "halted": {"是"}, "onSite": {"139 1111 2222"}, "holder": {"欧阳明月"},
	}}
}

// supplied makes the form of "power" in a new fixture.
func supplied(t *testing.T) fixture {
	t.Helper()
	f := mustNew(t)
	if _, err := f.SetForm(context.Background(), desk, "power", 1, supply, ""); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOwnFieldsOfATicket(t *testing.T) {
	t.Parallel()
	f, ctx := supplied(t), context.Background()
	for name, c := range map[string]struct {
		fields map[string][]string
		want   map[string]string
	}{
		"nothing": {nil, map[string]string{"fields.kind": "请选择停供种类"}},
		"all wrong": {map[string][]string{"kind": {"停车"}, "scope": {"本企业", "整个园区"}, "loss": {"-1"}, "since": {"2月30日"}, "meter": {"123"}, "halted": {"也许"}, "onSite": {"12"}},
			map[string]string{"fields.kind": "停供种类请从所列选项中选择", "fields.scope": "影响范围只能填写一项", "fields.loss": "损失须在 0 至 1000万元 之间", "fields.since": "开始日期不是有效的日期，请填写为 2026-11-22 的样式",
				"fields.meter": "表号格式不正确：一个字母加 4 至 8 位数字", "fields.halted": "是否停产请选择是或否", "fields.onSite": "现场电话不是有效的电话号码，请填写 11 位手机号或带区号的固定电话"}},
		"decimals":       {map[string][]string{"kind": {"停电"}, "loss": {"1.234"}}, map[string]string{"fields.loss": "损失最多 2 位小数"}},
		"no number":      {map[string][]string{"kind": {"停电"}, "loss": {"1e3"}}, map[string]string{"fields.loss": "损失应为数字，以万元为单位"}},
		"another form":   {map[string][]string{"kind": {"停电"}, "gone": {"x"}}, map[string]string{"type": "该类型的表单已经更新，请刷新页面后重新填写"}},
		"empty is empty": {map[string][]string{"kind": {" ", ""}, "gone": {""}}, map[string]string{"fields.kind": "请选择停供种类"}},
	} {
		cmd := powerCut("")
		cmd.Fields = c.fields
		_, err := f.Open(ctx, baker, cmd)
		if got := messages(err); len(got) != len(c.want) {
			t.Errorf("%s: %v", name, got)
		} else {
			for field, message := range c.want {
				if got[field] != message {
					t.Errorf("%s: %s: %q", name, field, got[field])
				}
			}
		}
	}
	if n := f.rows(t, "tickets"); n != 0 {
		t.Fatalf("%d tickets", n)
	}

	v := f.mustOpen(t, baker, powerCut("once"))
	if again := f.mustOpen(t, baker, powerCut("once")); again.ID != v.ID {
		t.Error("the key opened twice")
	}
	changed := powerCut("once")
	changed.Fields["holder"] = []string{"别人"}
	if _, err := f.Open(ctx, baker, changed); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the key with another form: %v", err)
	}
	show := func(v ticket.View) string {
		var words []string
		for _, x := range v.Fields {
			words = append(words, x.Label+"="+x.Value)
		}
		return strings.Join(words, " ")
	}
	const desks = "停供种类=停电、停水 影响范围=整个园区 损失=12.5 万元 开始日期=2026-11-20 表号=A00123 是否停产=是 现场电话=139****2222 户主=欧阳明月"
	if got := show(must(f.Get(ctx, desk, v.ID))(t)); got != desks {
		t.Errorf("the desk reads %s", got)
	}
	f.mustDispatch(t, must(f.Get(ctx, desk, v.ID))(t), 10)
	if got := show(must(f.Get(ctx, bureau, v.ID))(t)); !strings.Contains(got, "现场电话=139****2222 户主=欧***") {
		t.Errorf("the unit reads %s", got)
	}
	// The number in it is read as the requester's own is: with a reason, written down, by the desk and the unit that has the ticket.
	handler := bureau
	handler.Permissions = slices.Sorted(slices.Values(append(slices.Clone(bureau.Permissions), ticket.PermReveal)))
	for _, who := range []access.Actor{desk, handler} {
		if phone, err := f.RevealField(ctx, who, v.ID, "onSite", "到场前联系"); err != nil || phone != "13911112222" {
			t.Errorf("%s: %q %v", who.Name, phone, err)
		}
	}
	if n := f.rows(t, "ticket_reveals"); n != 2 {
		t.Errorf("%d readings are written down", n)
	}
	for key, who := range map[string]access.Actor{"owner": desk, "none": desk, "loss": desk} { // no numbers of a telephone
		if phone, err := f.RevealField(ctx, who, v.ID, key, "到场前联系"); !errors.Is(err, ticket.ErrNotFound) || phone != "" {
			t.Errorf("%s: %q %v", key, phone, err)
		}
	}
	if _, err := f.RevealField(ctx, bureau, v.ID, "onSite", "到场前联系"); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
	if _, err := f.RevealField(ctx, desk, v.ID, "onSite", ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	var kept []string
	if err := f.db.Read().NewSelect().TableExpr("ticket_fields").ColumnExpr("value || '|' || sealed").Scan(ctx, &kept); err != nil {
		t.Fatal(err)
	}
	if len(kept) != 8 || strings.Contains(strings.Join(kept, ""), "13911112222") || strings.Contains(strings.Join(kept, ""), "欧阳") {
		t.Errorf("kept %v", kept)
	}
	for q, want := range map[string]int{"整个园区": 1, "A00123": 1, "欧阳明月": 0} {
		if items, _, err := f.List(ctx, desk, ticket.ListFilter{Query: q}); err != nil || len(items) != want {
			t.Errorf("search %s: %d %v", q, len(items), err)
		}
	}

	// A new form leaves the ticket as it was filed; its search words too, after an answer.
	types, err := f.Types(ctx, baker)
	if err != nil {
		t.Fatal(err)
	}
	power := types[slices.IndexFunc(types, func(x ticket.Type) bool { return x.Code == "power" })]
	if power.Version != 2 || len(power.Fields) != len(supply) {
		t.Fatalf("%+v", power)
	}
	w, err := f.SetForm(ctx, desk, "power", 2, supply[1:2], "next")
	if err != nil || len(w.Fields) != 1 || len(w.Forms) != 2 || w.Version != 3 || w.Open != 1 || !strings.Contains(w.OpenText, "有 1 件") {
		t.Fatalf("%+v %v", w, err)
	}
	if got := show(must(f.Get(ctx, desk, v.ID))(t)); got != desks {
		t.Errorf("after another form: %s", got)
	}
	page, _, err := f.ExportSource().Page(ctx, desk, sheet.Query{Columns: []string{"fields"}, Limit: 10})
	if err != nil || len(page) != 1 {
		t.Fatalf("export %v %v", page, err)
	}
	if got := fmt.Sprint(page[0][0]); !strings.Contains(got, "损失：12.5 万元；开始日期") || strings.Contains(got, "139") {
		t.Errorf("export %s", got)
	}
	// Retired, the type takes no new tickets and requesters do not see it.
	if _, err := f.RetireType(ctx, desk, "power", 2, true, ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("stale: %v", err)
	}
	if w, err = f.RetireType(ctx, desk, "power", 3, true, "r"); err != nil || !w.Retired {
		t.Fatalf("%+v %v", w, err)
	}
	if _, err := f.Open(ctx, baker, powerCut("")); messages(err)["type"] == "" {
		t.Errorf("retired: %v", err)
	}
	if types, err = f.Types(ctx, baker); err != nil || len(types) != 1 {
		t.Errorf("%d types %v", len(types), err)
	}
	for name, err := range map[string]error{
		"no right": func() error { _, err := f.SetForm(ctx, bureau, "power", 4, nil, ""); return err }(),
		"visitor":  func() error { _, err := f.Type(ctx, access.Actor{}, "power"); return err }(),
	} {
		if k := fault.KindOf(err); k != fault.Forbidden && k != fault.Unauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.RetireType(ctx, desk, "none", 1, true, ""); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestAFormIsChecked(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for name, c := range map[string]struct {
		field ticket.FormField
		at    string
	}{
		"key":         {ticket.FormField{Key: "1a", Label: "甲", Kind: "text"}, "fields.0.key"},
		"label":       {ticket.FormField{Key: "a", Label: "甲：乙", Kind: "text"}, "fields.0.label"},
		"kind":        {ticket.FormField{Key: "a", Label: "甲", Kind: "file"}, "fields.0.kind"},
		"options":     {ticket.FormField{Key: "a", Label: "甲", Kind: "choice", Options: []string{"一"}}, "fields.0.options"},
		"twice":       {ticket.FormField{Key: "a", Label: "甲", Kind: "choice", Options: []string{"一", "一"}}, "fields.0.options"},
		"range":       {ticket.FormField{Key: "a", Label: "甲", Kind: "number", Min: limit(2), Max: limit(1)}, "fields.0.max"},
		"pattern":     {ticket.FormField{Key: "a", Label: "甲", Kind: "text", Pattern: "(", PatternHint: "x"}, "fields.0.pattern"},
		"pattern why": {ticket.FormField{Key: "a", Label: "甲", Kind: "text", Pattern: "a+"}, "fields.0.patternHint"},
		"length":      {ticket.FormField{Key: "a", Label: "甲", Kind: "text", MaxLength: 9999}, "fields.0.maxLength"},
	} {
		if _, err := f.SetForm(ctx, desk, "power", 1, []ticket.FormField{c.field}, ""); messages(err)[c.at] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := f.rows(t, "ticket_forms"); n != 0 {
		t.Errorf("%d forms", n)
	}
	// What comes with the program follows it until somebody made a form.
	seed := []ticket.Type{{Code: "power", Name: "供电故障", Category: "0301", Urgency: ticket.Urgent, Hours: 24, Sort: 2, Fields: supply[:1]}}
	system := access.SystemActor("seed")
	for range 2 {
		if err := f.EnsureTypes(ctx, system, seed); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.rows(t, "ticket_forms"); n != 1 {
		t.Fatalf("%d forms after two starts", n)
	}
	if _, err := f.SetForm(ctx, desk, "power", 1, supply[1:2], ""); err != nil {
		t.Fatal(err)
	}
	seed[0].Fields = supply[:3]
	if err := f.EnsureTypes(ctx, system, seed); err != nil || f.rows(t, "ticket_forms") != 2 {
		t.Errorf("%v: a start replaced the form somebody made", err)
	}
	// Types are added and changed.
	v, err := f.ChangeType(ctx, desk, ticket.ChangeType{Key: "new", Code: "noise", Name: "噪声", Urgency: ticket.Normal, Hours: 48})
	if err != nil || v.Version != 1 {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.ChangeType(ctx, desk, ticket.ChangeType{Code: "noise", Name: "噪声", Urgency: ticket.Normal, Hours: 48}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("twice: %v", err)
	}
	if _, err := f.ChangeType(ctx, desk, ticket.ChangeType{Code: "noise", Version: 1, Name: "噪声", Urgency: ticket.Normal, Category: "x/1", CategoryCode: "010101"}); messages(err)["categoryCode"] == "" {
		t.Errorf("category: %v", err)
	}
	if v, err = f.ChangeType(ctx, desk, ticket.ChangeType{Code: "noise", Version: 1, Name: "夜间噪声", Urgency: ticket.Urgent}); err != nil || v.Name != "夜间噪声" || v.Hours != 48 {
		t.Errorf("%+v %v", v, err)
	}
}

func TestSealedFieldsMoveToANewKey(t *testing.T) {
	t.Parallel()
	f := supplied(t)
	f.mustOpen(t, baker, powerCut(""))
	n := 0
	for _, c := range ticket.Sealed().Columns {
		if c.Table != "ticket_fields" {
			continue
		}
		var rows []map[string]any
		if err := f.db.Read().NewSelect().TableExpr("ticket_fields").Where("sealed <> ''").Scan(context.Background(), &rows); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if _, err := f.box.Open(secret.Row(r).Text("sealed"), c.Place(r)); err != nil {
				t.Errorf("%v: %v", r["key"], err)
			}
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d sealed values", n)
	}
}

func TestDecliningNamesTheCaseAndTheWay(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, baker, ask(""))
	for code, want := range map[string]string{"": "请选择不予受理的情形", "nowhere": "没有这种不予受理的情形，请重新选择"} {
		if _, err := f.Decline(ctx, desk, ticket.DeclineTicket{Ref: ref(v), Code: code}); messages(err)["code"] != want {
			t.Errorf("%q: %v", code, err)
		}
	}
	if err := f.SetDeclineReason(ctx, desk, ticket.DeclineReason{Code: "petition", Name: "信访事项", Route: "请到区信访办公室提出。", Version: 1}, ""); err != nil {
		t.Fatal(err)
	}
	if err := f.SetDeclineReason(ctx, desk, ticket.DeclineReason{Code: "petition", Name: "信访", Route: "信访", Version: 1}, ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("stale: %v", err)
	}
	if err := f.SetDeclineReason(ctx, bureau, ticket.DeclineReason{Code: "x1", Name: "x", Route: "x"}, ""); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("forbidden: %v", err)
	}
	must(f.Decline(ctx, desk, ticket.DeclineTicket{Ref: ref(v), Code: "petition", Reason: "同一事项正在复查。"}))(t)
	mine := must(f.Get(ctx, baker, v.ID))(t)
	const told = "不予受理的情形：信访事项\n说明：同一事项正在复查。\n法定渠道：请到区信访办公室提出。"
	if last := mine.Timeline[len(mine.Timeline)-1]; mine.Reply != told || last.Text != told {
		t.Errorf("%q %q", mine.Reply, last.Text)
	}
}

func TestImportedLines(t *testing.T) {
	t.Parallel()
	f, ctx := supplied(t), context.Background()
	target := f.ImportTarget()
	line := map[string]string{"type": "供电故障", "title": "停电", "body": "西门停电", "contactName": "李芳", "phone": "+86 139-1111-2222", "urgency": "特急", "fields": "停供种类：停电、停水；损失：3.5"}
	with := func(pairs ...string) sheet.Record {
		r := sheet.Record{Row: 2, Values: map[string]string{}}
		for k, v := range line {
			r.Values[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			r.Values[pairs[i]] = pairs[i+1]
		}
		return r
	}
	for field, r := range map[string]sheet.Record{
		"type": with("type", "没有"), "phone": with("phone", "123"), "urgency": with("urgency", "很急"), "title": with("title", ""), "fields": with("fields", "停供种类：停车"), "area": with("area", "没有的镇"), "creditCode": with("creditCode", "91110112MA01ZZZZ99"),
	} {
		_, problems, err := target.Check(ctx, desk, r)
		if err != nil || len(problems) != 1 || problems[0].Field != field {
			t.Errorf("%s: %+v %v", field, problems, err)
		}
	}
	good, problems, err := target.Check(ctx, desk, with())
	if err != nil || len(problems) > 0 || good.Values["phone"] != "13911112222" || good.Values["type"] != "power" || good.Values["line"] == "" {
		t.Fatalf("%+v %v %v", good, problems, err)
	}
	publish := func(on sheet.Duplicates) (change sheet.Change, id int64, err error) {
		err = f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			change, id, err = target.Publish(ctx, tx, desk, good, on, "import:1:2", nil)
			return err
		})
		return change, id, err
	}
	change, id, err := publish(sheet.Refuse)
	if err != nil || change != sheet.Created {
		t.Fatalf("%s %v", change, err)
	}
	v := must(f.Get(ctx, desk, id))(t)
	if v.Source != ticket.FromImport || v.Urgency != ticket.Critical || len(v.Fields) != 2 || v.Fields[1].Value != "3.5 万元" || v.Phone != "139****2222" {
		t.Errorf("%+v", v)
	}
	if change, again, err := publish(sheet.Skip); err != nil || change != sheet.Skipped || again != id {
		t.Errorf("again: %s %d %v", change, again, err)
	}
	if _, _, err := publish(sheet.Refuse); !errors.Is(err, sheet.ErrExists) {
		t.Errorf("refused: %v", err)
	}
	known, err := target.Existing(ctx, desk, []string{good.Values["line"], "no:X"})
	if err != nil || !known[good.Values["line"]] || known["no:X"] || f.rows(t, "tickets") != 1 {
		t.Errorf("%v %v", known, err)
	}
	if _, _, err := target.Check(ctx, bureau, with()); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("forbidden: %v", err)
	}
}
