package policy_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

var update = flag.Bool("update", false, "rewrite golden files")

// library are policies of every shape; each condition quotes the text below its title.
var library = []struct{ title, text, conditions string }{
	{"烘焙餐饮小店提质措施", "第一条 在通州区依法登记、从事烘焙和餐饮经营，从业人员不超过100人，登记成立满一年，并持有有效的食品经营许可。\n第二条 被列入严重失信主体名单，或一年内发生食品安全责任事故的，不予支持。", `{"all":[
		{"field":"region","op":"under","value":["110112"],"quote":"在通州区依法登记"},
		{"field":"industry","op":"under","value":["1411","62"],"quote":"从事烘焙和餐饮经营"},
		{"field":"employees","op":"lte","value":100,"unit":"人","quote":"从业人员不超过100人"},
		{"field":"established","op":"years_since_gte","value":1,"unit":"年","quote":"登记成立满一年"},
		{"field":"qualification","op":"has","value":"food_license","quote":"持有有效的食品经营许可"},
		{"field":"creditStanding","op":"notOn","value":["严重失信"],"quote":"被列入严重失信主体名单"},
		{"op":"human","label":"近一年未发生食品安全责任事故","quote":"一年内发生食品安全责任事故"}]}`},
	{"数字化转型服务券", "第一条 中小微企业，从业人员在3人以上，可以申领。", `{"all":[
		{"field":"sizeClass","op":"in","value":["medium","small","micro"],"quote":"中小微企业"},
		{"field":"employees","op":"gte","value":3,"unit":"人","quote":"从业人员在3人以上"}]}`},
	{"新型学徒制指引", "第一条 从业人员不少于20人，配备带徒师傅。", `{"all":[
		{"field":"employees","op":"gte","value":20,"unit":"人","quote":"从业人员不少于20人"},
		{"op":"human","quote":"配备带徒师傅"}]}`},
	{"软件企业稳增长奖励", "第一条 软件和信息技术服务业企业，上一年营业收入超过500万元，从业人员不少于10人。", `{"all":[
		{"field":"industry","op":"under","value":["65"],"quote":"软件和信息技术服务业企业"},
		{"field":"revenue","op":"gt","value":500,"unit":"万元","quote":"营业收入超过500万元"},
		{"field":"employees","op":"gte","value":10,"unit":"人","quote":"从业人员不少于10人"}]}`},
	{"创新型中小企业评价", "第一条 满足下列条件中的两项：取得国家高新技术企业证书，取得科技型中小企业入库编号，研发费用占营业收入不低于6%。", `{"atLeast":{"k":2,"of":[
		{"field":"qualification","op":"has","value":"high_tech","quote":"取得国家高新技术企业证书"},
		{"field":"qualification","op":"has","value":"tech_sme","quote":"取得科技型中小企业入库编号"},
		{"field":"rdRatio","op":"gte","value":60,"unit":"‰","quote":"研发费用占营业收入不低于6%"}]}}`},
	{"研发费用加计扣除指引", "第一条 住宿和餐饮业、批发和零售业不适用。", `{"all":[{"not":{"field":"industry","op":"under","value":["H","F"],"quote":"住宿和餐饮业、批发和零售业不适用"}},
		{"any":[{"field":"qualification","op":"has","value":"tech_sme"},{"field":"revenue","op":"lte","value":2,"unit":"亿元"}]}]}`},
	{"规范涉企检查规定", "第一条 扫码入企。", ``},
}

func (f fixture) mustFill(t testing.TB) {
	t.Helper()
	for _, p := range library {
		c := content(p.title)
		c.Text, c.Conditions = p.text, json.RawMessage(p.conditions)
		f.mustPublish(t, c)
	}
}

// told writes a result as a person reads it.
func told(r policy.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s · %s · %s\n", r.Enterprise, r.On, r.At.Format(time.RFC3339))
	for _, g := range r.Groups {
		fmt.Fprintf(&b, "\n== %s %d ==\n", g.Word, g.Count)
		for _, j := range g.Items {
			fmt.Fprintf(&b, "%s【%s】%s\n", j.Policy.Title, j.Word, j.Summary)
			for _, l := range j.Lines {
				fmt.Fprintf(&b, "%s[%s] %s", strings.Repeat("    ", l.Depth+1), l.Word, l.Label)
				for _, x := range [][2]string{{"：", l.Required}, {" | 本企业：", l.Actual}, {" | ", l.Gap}, {" | ", l.Why}, {" | 来源：", l.Source}, {" ", l.AsOf}, {" | ", l.Clause}, {"“", l.Quote}} {
					if x[1] != "" {
						b.WriteString(x[0] + x[1])
					}
				}
				if l.Stated {
					b.WriteString(" | 企业自报")
				}
				b.WriteString("\n")
			}
			for _, m := range j.Missing {
				fmt.Fprintf(&b, "    缺少 %s：%s %s\n", m.Label, m.Why, m.Ask)
			}
		}
	}
	b.WriteString("\n== 还需要 ==\n")
	for _, w := range r.Wanted {
		fmt.Fprintf(&b, "%s：%d 项政策；%s %s\n", w.Label, w.Policies, w.Why, w.Ask)
	}
	b.WriteString("\n== 判定依据 ==\n")
	for _, x := range r.Facts {
		fmt.Fprintf(&b, "%s：%s%s %s %s", x.Label, x.Value, x.Why, x.Source, x.AsOf)
		if x.Stated {
			b.WriteString(" 企业自报")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s changed:\n%s", name, got)
	}
}

// Three companies: what is known is complete; partly missing or too old; contradicting and not consented.
func TestMatchOfThreeCompanies(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustFill(t)
	for name, actor := range map[string]struct {
		user, company int64
	}{"complete": {7, 70}, "partly": {8, 71}, "contradicting": {9, 72}} {
		r, err := f.Match(ctx, boss(actor.user, actor.company), "")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".golden.txt", told(r))
		sum, err := f.MatchSummary(ctx, boss(actor.user, actor.company))
		if err != nil || sum.Eligible != r.Count(policy.Eligible) || sum.Possible != r.Count(policy.Possible) || sum.Nearly != r.Count(policy.Nearly) {
			t.Errorf("%s: %+v beside %d %d %d, %v", name, sum, r.Count(policy.Eligible), r.Count(policy.Possible), r.Count(policy.Nearly), err)
		}
	}
}

// Nobody is told of another company: there is no way to name one, and the answer is the actor's own.
func TestMatchIsOfOnesOwnCompany(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustFill(t)
	for _, a := range []struct {
		actor     int64
		own, gone string
	}{{70, "禾谷坊", "云脉"}, {71, "云脉", "禾谷坊"}} {
		r, err := f.Match(ctx, boss(7, a.actor), "")
		if err != nil || !strings.Contains(told(r), a.own) || strings.Contains(told(r), a.gone) {
			t.Errorf("company %d: %v", a.actor, err)
		}
		one, err := f.MatchOne(ctx, boss(7, a.actor), 1)
		if err != nil || !strings.Contains(one.Enterprise, a.own) || len(one.Facts) != 6 {
			t.Errorf("company %d: %+v %v", a.actor, one.Facts, err)
		}
	}
	if _, err := f.Match(ctx, boss(7, 99), ""); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a company that is not there: %v", err)
	}
}

// 以上 and 不少于 include the bound, 超过 excludes it; what is not known decides nothing.
func TestBounds(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	clause := func(op string, value any) json.RawMessage {
		raw, err := json.Marshal(map[string]any{"all": []any{map[string]any{"field": "employees", "op": op, "value": value, "unit": "人"}}})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	ids := map[string]int64{}
	for name, c := range map[string]json.RawMessage{"14人以上": clause("gte", 14), "超过14人": clause("gt", 14), "14人以下": clause("lte", 14), "不足14人": clause("lt", 14), "15人以上": clause("gte", 15)} {
		p := content(name)
		p.Conditions = c
		ids[name] = f.mustPublish(t, p).ID
	}
	for name, want := range map[string]policy.Group{
		"14人以上": policy.Eligible, "超过14人": policy.Nearly, "14人以下": policy.Eligible, "不足14人": policy.NotEligible, "15人以上": policy.Nearly,
	} {
		one, err := f.MatchOne(ctx, baker, ids[name]) // 14 people
		if err != nil || one.Group != want {
			t.Errorf("%s: %s %v", name, one.Group, err)
		}
		if one, err = f.MatchOne(ctx, trader, ids[name]); err != nil || one.Group != policy.Possible || one.Missing[0].Reason != criteria.Conflicting {
			t.Errorf("%s on what contradicts: %s %v", name, one.Group, err)
		}
	}
	if one, err := f.MatchOne(ctx, baker, ids["超过14人"]); err != nil || one.Lines[0].Gap != "还差 1 人" {
		t.Errorf("%+v %v", one.Lines, err)
	}
}

// What is published, changed, ended or runs out counts from the next answer on, also when another process does it.
func TestTheNextAnswerKnows(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	all := func() string {
		r, err := f.Match(ctx, baker, "")
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, g := range r.Groups {
			for _, j := range g.Items {
				out = append(out, j.Policy.Title+" "+j.Word)
			}
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	expect := func(step, want string) {
		t.Helper()
		if got := all(); got != want {
			t.Errorf("%s: %q, want %q", step, got, want)
		}
	}
	expect("empty", "")
	c := content("甲")
	c.Conditions = json.RawMessage(`{"field":"employees","op":"gte","value":20}`)
	v := f.mustAdd(t, c)
	expect("a draft", "")
	v, err := f.Publish(ctx, system, ref(v))
	if err != nil {
		t.Fatal(err)
	}
	expect("published", "甲 接近")
	c.Conditions = json.RawMessage(`{"field":"employees","op":"gte","value":10}`)
	other := fixture{Service: policy.New(deps(t, f)), db: f.db, clock: f.clock} // another process
	if v, err = other.Revise(ctx, system, policy.RevisePolicy{Ref: ref(v), Content: c}); err != nil {
		t.Fatal(err)
	}
	expect("revised elsewhere", "甲 符合")
	soon := content("乙")
	soon.OpensOn, soon.ClosesOn = "2026-12-01", "2026-12-02"
	other.mustPublish(t, soon)
	expect("to come", "乙 需人工判定, 甲 符合")
	f.clock.Advance(10 * 24 * time.Hour) // 2 December in Beijing
	expect("the last day", "乙 需人工判定, 甲 符合")
	f.clock.Advance(24 * time.Hour)
	expect("the window is closed", "甲 符合")
	if _, err = other.Expire(ctx, system, policy.ExpirePolicy{Ref: ref(v), Reason: "到期"}); err != nil {
		t.Fatal(err)
	}
	expect("ended elsewhere", "")
	last := content("丙")
	last.ClosesOn, last.ExpiresOn = "", "2026-12-04"
	f.mustPublish(t, last)
	expect("holds until tomorrow", "丙 需人工判定")
	f.clock.Advance(2 * 24 * time.Hour)
	expect("ran out", "")
	if items, _, err := f.List(ctx, visitor, policy.Filter{}); err != nil || titles(items) != "乙" {
		t.Errorf("in the library: %s %v", titles(items), err)
	}
}

// What a company nearly fits stands in the order of how close it is: fewer conditions unmet first, then the smaller gap.
func TestTheClosestComesFirst(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	staff := func(n int) string {
		return fmt.Sprintf(`{"field":"employees","op":"gte","value":%d,"unit":"人","quote":"支持企业经营"}`, n)
	}
	title := `{"field":"qualification","op":"has","value":["srdi"],"quote":"支持企业经营"}`
	for _, p := range [][2]string{{"缺一倍", staff(28)}, {"缺两项", `{"all":[` + staff(15) + `,` + title + `]}`}, {"缺一人", staff(15)}, {"缺称号", title}, {"缺六人", staff(20)},
		{"缺三项", `{"all":[` + staff(15) + `,` + title + `,{"field":"industry","op":"under","value":["65"],"quote":"支持企业经营"}]}`}} {
		c := content(p[0])
		c.Conditions = json.RawMessage(p[1])
		f.mustPublish(t, c)
	}
	r, err := f.Match(ctx, baker, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range r.Groups {
		if g.Group == policy.Nearly || g.Group == policy.NotEligible {
			for _, j := range g.Items {
				got = append(got, j.Policy.Title)
			}
		}
	}
	if want := "缺一人 缺六人 缺一倍 缺称号 缺两项 缺三项"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// Conditions that this version cannot read any more leave the policy to people instead of stopping the answer.
func TestUnreadableConditions(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	c := content("旧字段")
	c.Conditions = json.RawMessage(`{"field":"employees","op":"gte","value":20}`)
	v := f.mustPublish(t, c)
	if _, err := f.db.Writer().NewRaw("UPDATE policies SET conditions = ? WHERE id = ?", `{"field":"gone","op":"gte","value":20}`, v.ID).Exec(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := f.Match(ctx, baker, "")
	if err != nil || r.Count(policy.ByHand) != 1 || r.Groups[3].Items[0].Policy.Matchable {
		t.Errorf("%+v %v", r.Groups, err)
	}
	if seen, err := f.Get(ctx, visitor, v.ID); err != nil || seen.Matchable || len(seen.Conditions) != 0 {
		t.Errorf("%+v %v", seen.Item, err)
	}
}

func TestASentenceNarrows(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustFill(t)
	r, err := f.Match(ctx, baker, "招学徒带徒师傅有没有补贴")
	if err != nil || r.Count(policy.Nearly) != 1 || r.Count(policy.Eligible)+r.Count(policy.Possible)+r.Count(policy.NotEligible)+r.Count(policy.ByHand) != 0 {
		t.Errorf("%s %v", told(r), err)
	}
	if _, err := f.Match(ctx, baker, "补"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too short: %v", err)
	}
}

func TestQuick(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustFill(t)
	years, staff, revenue := 3, int64(14), int64(328_000_000)
	full := policy.Answers{Industry: "14", Region: "110112", Years: &years, Employees: &staff, RevenueFen: &revenue}
	r, err := f.Quick(ctx, visitor, full)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "quick.golden.txt", told(r))
	if n := reflect.TypeFor[policy.Answers]().NumField(); n > 6 { // more are not asked of who only wants to look
		t.Errorf("%d questions", n)
	}
	years = 0
	for want, y := range map[policy.State]int{policy.Met: 1, policy.Unmet: 0} {
		years = y
		r, err := f.Quick(ctx, visitor, policy.Answers{Years: &years})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, g := range r.Groups {
			for _, j := range g.Items {
				for _, l := range j.Lines {
					found = found || l.Label == "成立日期" && l.State == want
				}
			}
		}
		if !found {
			t.Errorf("%d years: no line is %s", y, want)
		}
	}
	low := int64(-1)
	for field, a := range map[string]policy.Answers{
		"industry": {Industry: "1411"}, "region": {Region: "110105"}, "employees": {Employees: &low}, "revenue": {RevenueFen: &low}, "q": {Q: "x"},
	} {
		_, err := f.Quick(ctx, visitor, a)
		if p, ok := fault.As(err); !ok || p.Kind != fault.Invalid || p.Fields[0].Name != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// BenchmarkMatch judges one company by a library of 500 policies, from the rows' versions to the sorted groups.
func BenchmarkMatch(b *testing.B) {
	f, ctx := mustNew(b), context.Background()
	for i := range 500 {
		p := library[i%6]
		c := content(fmt.Sprintf("%s %d", p.title, i))
		c.Text, c.Conditions = p.text, json.RawMessage(p.conditions)
		f.mustPublish(b, c)
	}
	for b.Loop() {
		r, err := f.Match(ctx, baker, "")
		if err != nil {
			b.Fatal(err)
		}
		if n := r.Count(policy.Eligible) + r.Count(policy.Possible) + r.Count(policy.Nearly) + r.Count(policy.NotEligible); n != 500 {
			b.Fatalf("%d judged", n)
		}
	}
}
