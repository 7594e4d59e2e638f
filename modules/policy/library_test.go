package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/modules/policy/draft"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

func keeperOf(id int64, name string, rights ...access.Permission) access.Actor {
	rights = append(rights, policy.PermView)
	slices.Sort(rights)
	return access.Actor{UserID: id, Name: name, Party: access.Platform, Scope: access.ScopeDistrict, Permissions: rights}
}

var (
	wang = keeperOf(61, "王敏", policy.PermEdit, policy.PermPublish)
	zhao = keeperOf(62, "赵刚", policy.PermEdit)
	qian = keeperOf(63, "钱慧", policy.PermPublish)
)

const sheetText = `# 第一章 总则
第一条 为支持烘焙业发展，制定本措施。
# 第二章 申报
第二条 申报企业应当符合下列条件：
（一）从业人员不低于10人；
（二）上年营业收入不低于300万元；
（三）技术水平国内领先。
第三条 给予最高10万元补助。`

const sheetConditions = `{"all":[{"field":"employees","op":"gte","value":10,"unit":"人","quote":"从业人员不低于10人"},
	{"field":"revenue","op":"gte","value":300,"unit":"万元","quote":"上年营业收入不低于300万元"}]}`

func bakerySheet() policy.Content {
	c := content("烘焙小店措施")
	c.Text, c.Conditions = sheetText, json.RawMessage(sheetConditions)
	return c
}

func edit(v policy.EditionView) policy.EditRef {
	return policy.EditRef{PolicyID: v.PolicyID, Version: v.Version}
}

// mustSave enters nothing: it saves c as the next version of the draft v.
func (f fixture) mustSave(t *testing.T, actor access.Actor, v policy.EditionView, c policy.Content) policy.EditionView {
	t.Helper()
	v, err := f.Save(context.Background(), actor, policy.SaveEdition{EditRef: edit(v), Base: v.Base, Content: c})
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return v
}

// drafter proposes what the reader of drafts finds of staff and revenue.
type drafter struct{}

func (drafter) Propose(title, issuer, text string) (policy.Proposals, error) {
	d := draft.New(draft.Lexicon{}).Read(title + "\n来源：" + issuer + "\n正文：" + text)
	out := policy.Proposals{Open: d.NotDecidable}
	for _, c := range d.Clauses {
		field := map[draft.Field]string{draft.Staff: "employees", draft.Revenue: "revenue"}[c.Field]
		raw, err := json.Marshal(map[string]any{"field": field, "op": "gte", "value": c.Value, "unit": c.Unit, "quote": c.Quote})
		if err != nil {
			return out, err
		}
		out.Clauses = append(out.Clauses, policy.Proposal{Quote: c.Quote, Condition: raw, Confidence: c.Confidence.String()})
	}
	return out, nil
}

// typedFacts reads staff and revenue.
type typedFacts struct{}

func (typedFacts) ReadFacts(raw json.RawMessage, at time.Time) (criteria.Facts, error) {
	var in struct {
		Employees *int64  `json:"employees"`
		Revenue   *string `json:"revenue"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fault.InvalidField("facts", "FACTS", "没有这个字段").Wrap(err)
	}
	facts := criteria.Facts{}
	if in.Employees != nil {
		facts["employees"] = criteria.Fact{Value: criteria.Number(*in.Employees), AsOf: at}
	}
	if in.Revenue != nil {
		n, err := strconv.ParseInt(strings.TrimSuffix(*in.Revenue, "万元"), 10, 64)
		if err != nil {
			return nil, fault.InvalidField("facts", "FACTS", "应为金额")
		}
		facts["revenue"] = criteria.Fact{Value: criteria.Fen(n * 1_000_000), AsOf: at}
	}
	return facts, nil
}

// TestLibrary follows a policy from an empty sheet to its second edition, its withdrawal and its end.
func TestLibrary(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v, err := f.Enter(ctx, zhao, "first")
	if again, err2 := f.Enter(ctx, zhao, "first"); err != nil || err2 != nil || again.PolicyID != v.PolicyID || v.No != 1 || v.State != policy.Drafting || len(v.Open) == 0 {
		t.Fatalf("entered %+v %v %v", v, err, err2)
	}
	half := policy.Content{Title: "烘焙", ClosesOn: "2027-", Conditions: json.RawMessage(`{"all":[]}`)}
	v = f.mustSave(t, zhao, v, half)
	if seen, err := f.Get(ctx, zhao, v.PolicyID); err != nil || seen.Title != "烘焙" || seen.Status != policy.Draft || v.Content.ClosesOn != "2027-" {
		t.Fatalf("halfway typed: %+v %v", seen.Item, err)
	}
	if _, err := f.Submit(ctx, zhao, edit(v)); !errors.Is(err, policy.ErrUnfit) || len(fieldsOf(err)) < 5 {
		t.Fatalf("an unfinished draft was submitted: %v", err)
	}
	v = f.mustSave(t, zhao, v, bakerySheet())
	if len(v.Open) != 0 {
		t.Fatalf("in the way: %+v", v.Open)
	}
	if _, err := f.Release(ctx, qian, edit(v)); !errors.Is(err, policy.ErrEditionState) {
		t.Errorf("a draft was released without review: %v", err)
	}
	ref := edit(v)
	ref.Note = "首次发布"
	v, err = f.Submit(ctx, zhao, ref)
	if err != nil || v.State != policy.InReview || v.SubmitterName != "赵刚" {
		t.Fatalf("submitted %+v %v", v, err)
	}
	if _, err := f.Save(ctx, zhao, policy.SaveEdition{EditRef: edit(v), Content: half}); !errors.Is(err, policy.ErrEditionState) {
		t.Errorf("saved while in review: %v", err)
	}
	if _, err := f.Get(ctx, visitor, v.PolicyID); !errors.Is(err, policy.ErrNotFound) {
		t.Errorf("a visitor sees a draft: %v", err)
	}
	back := edit(v)
	back.Note = "请补充联系方式"
	v, err = f.Return(ctx, qian, back)
	if err != nil || v.State != policy.Drafting || v.Reason != "请补充联系方式" || v.EditorName != "赵刚" {
		t.Fatalf("returned %+v %v", v, err)
	}
	if v, err = f.Submit(ctx, zhao, edit(v)); err != nil {
		t.Fatal(err)
	}
	if v, err = f.Release(ctx, qian, edit(v)); err != nil || v.State != policy.InForce || v.PublisherName != "钱慧" || v.Current != 1 {
		t.Fatalf("released %+v %v", v, err)
	}
	seen, err := f.Get(ctx, visitor, v.PolicyID)
	if err != nil || !seen.Matchable || !seen.Clauses[0].Heading || seen.Clauses[1].Number != "第一条" || seen.Conditions[0].Quote != "从业人员不低于10人" {
		t.Fatalf("a visitor sees %+v %v", seen, err)
	}
	if m, err := f.MatchOne(ctx, baker, v.PolicyID); err != nil || m.Group != policy.Eligible {
		t.Errorf("the bakery: %+v %v", m, err)
	}
	f.secondEdition(t, v)
}

func (f fixture) secondEdition(t *testing.T, v policy.EditionView) {
	t.Helper()
	ctx := context.Background()
	v, err := f.Begin(ctx, wang, v.PolicyID, "")
	if again, err2 := f.Begin(ctx, zhao, v.PolicyID, ""); err != nil || err2 != nil || v.No != 2 || again.No != 2 || v.Base != 1 {
		t.Fatalf("begun %+v, %v %v", v.EditionItem, err, err2)
	}
	c := v.Content
	c.Text = strings.Replace(c.Text, "不低于10人", "不低于20人", 1)
	v = f.mustSave(t, wang, v, c)
	if len(v.Open) != 1 || !strings.Contains(v.Open[0].Message, "已不在正文中") {
		t.Fatalf("the sentence is gone and nobody says so: %+v", v.Open)
	}
	c.Conditions = json.RawMessage(strings.ReplaceAll(strings.ReplaceAll(sheetConditions, "10人", "20人"), `"value":10`, `"value":20`))
	v = f.mustSave(t, wang, v, c)
	if v, err = f.Submit(ctx, wang, edit(v)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Release(ctx, wang, edit(v)); !errors.Is(err, policy.ErrOwnEdit) || slices.Contains(v.Actions, policy.ActRelease) {
		t.Errorf("who edited it last released it: %v", err)
	}
	if v, err = f.Release(ctx, qian, edit(v)); err != nil || v.Current != 2 {
		t.Fatalf("second edition %+v %v", v, err)
	}
	if m, err := f.MatchOne(ctx, baker, v.PolicyID); err != nil || m.Group != policy.Nearly {
		t.Errorf("the bakery by the second edition: %s %v", m.Group, err)
	}
	list, err := f.Editions(ctx, zhao, v.PolicyID)
	if err != nil || len(list) != 2 || list[1].State != policy.Replaced {
		t.Fatalf("editions %+v %v", list, err)
	}
	diff, err := f.Compare(ctx, zhao, v.PolicyID, 1, 2)
	if err != nil || len(diff.Changes) != 2 || diff.Changes[0].Field != "text" || diff.Changes[1].Field != "conditions" {
		t.Fatalf("compared %+v %v", diff.Changes, err)
	}
	for _, p := range diff.Changes[0].Paragraphs {
		want := []policy.Piece{{Kind: policy.PieceKept, Text: "（一）从业人员不低于"}, {Kind: policy.PieceCut, Text: "10"}, {Kind: policy.PieceNew, Text: "20"}, {Kind: policy.PieceKept, Text: "人；"}}
		if p.Kind == "changed" && !slices.Equal(p.Pieces, want) {
			t.Errorf("word by word: %+v", p.Pieces)
		}
	}
	p, err := f.Get(ctx, zhao, v.PolicyID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Withdraw(ctx, zhao, policy.WithdrawPolicy{Ref: ref(p), Reason: "误发"}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("an editor withdrew it: %v", err)
	}
	if p, err = f.Withdraw(ctx, qian, policy.WithdrawPolicy{Ref: ref(p), Reason: "误发"}); err != nil || p.Status != policy.Draft || p.History[0].Text != "误发" {
		t.Fatalf("withdrawn %+v %v", p.Item, err)
	}
	if _, err := f.Get(ctx, visitor, p.ID); !errors.Is(err, policy.ErrNotFound) {
		t.Errorf("a visitor sees what was withdrawn: %v", err)
	}
}

// TestTwoEditors: who saves over somebody else's save is told who changed what, and neither loses a word.
func TestTwoEditors(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v, err := f.Enter(ctx, zhao, "")
	if err != nil {
		t.Fatal(err)
	}
	v = f.mustSave(t, zhao, v, bakerySheet())
	f.clock.Advance(time.Hour)
	theirs := v.Content
	theirs.Benefit, theirs.ClosesOn = "按投入的40%补助", "2027-02-01"
	f.mustSave(t, wang, v, theirs)
	mine := v.Content
	mine.Issuer = "区发展改革委"
	_, err = f.Save(ctx, zhao, policy.SaveEdition{EditRef: edit(v), Content: mine})
	if !errors.Is(err, policy.ErrEdited) || !strings.Contains(err.Error(), "王敏") || !strings.Contains(err.Error(), "“申报截止日期”") {
		t.Fatalf("a stale save: %v", err)
	}
	if got := fieldsOf(err); !slices.Equal(got, []string{"closesOn", "benefit"}) {
		t.Errorf("changed meanwhile: %v", got)
	}
	now, err := f.Edition(ctx, zhao, v.PolicyID, 0)
	if err != nil || now.Content.Benefit != theirs.Benefit || now.Content.Issuer == mine.Issuer {
		t.Errorf("kept %+v %v", now.Content, err)
	}
	merged := now.Content
	merged.Issuer = mine.Issuer
	now = f.mustSave(t, zhao, now, merged)
	// What was saved and is sent again, because the answer was lost, is no conflict.
	if again, err := f.Save(ctx, zhao, policy.SaveEdition{EditRef: policy.EditRef{PolicyID: v.PolicyID, Version: now.Version - 1}, Content: merged}); err != nil || again.Version != now.Version {
		t.Errorf("sent again: version %d, %v", again.Version, err)
	}
	var wait sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		c := merged
		c.Benefit = strings.Repeat("甲", i+1)
		wait.Go(func() {
			_, errs[i] = f.Save(ctx, zhao, policy.SaveEdition{EditRef: edit(now), Content: c})
		})
	}
	wait.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, policy.ErrEdited) {
			t.Errorf("at once: %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of four saves at once were kept", won)
	}
}

func fieldsOf(err error) []string {
	f, ok := fault.As(err)
	if !ok {
		return nil
	}
	var out []string
	for _, x := range f.Fields {
		out = append(out, x.Name)
	}
	return out
}

// TestExamples: an example company that comes out otherwise keeps an edition from being submitted and released.
func TestExamples(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v, err := f.Enter(ctx, zhao, "")
	if err != nil {
		t.Fatal(err)
	}
	v = f.mustSave(t, zhao, v, bakerySheet())
	add := func(x policy.Example) ([]policy.Tried, error) {
		return f.SaveExample(ctx, zhao, policy.SaveExample{PolicyID: v.PolicyID, Example: x})
	}
	if _, err := add(policy.Example{Name: "〔演示〕小店", Expected: policy.ByHand}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an example without an answer: %v", err)
	}
	if _, err := add(policy.Example{Name: "店", Expected: policy.Eligible, Facts: json.RawMessage(`{"staff":3}`)}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("facts nobody knows: %v", err)
	}
	list, err := add(policy.Example{Name: "〔演示〕十二人的小店", Expected: policy.Eligible, Facts: json.RawMessage(`{"employees":12,"revenue":"320万元"}`)})
	if err != nil || len(list) != 1 || !list[0].Holds {
		t.Fatalf("example %+v %v", list, err)
	}
	if list, err = add(policy.Example{Name: "〔演示〕没有填人数", Expected: policy.Possible, Facts: json.RawMessage(`{"revenue":"320万元"}`)}); err != nil || !list[1].Holds {
		t.Fatalf("unknown %+v %v", list, err)
	}
	if v, err = f.Submit(ctx, zhao, edit(v)); err != nil {
		t.Fatal(err)
	}
	if _, err := add(policy.Example{Name: "〔演示〕九人", Expected: policy.Eligible, Facts: json.RawMessage(`{"employees":9,"revenue":"320万元"}`)}); err != nil {
		t.Fatal(err)
	}
	_, err = f.Release(ctx, qian, edit(v))
	if !errors.Is(err, policy.ErrUnfit) || !strings.Contains(err.Error(), "“〔演示〕九人”应为“符合”，按此条件为“接近”") {
		t.Fatalf("released though an example breaks: %v", err)
	}
	list, err = f.Examples(ctx, qian, v.PolicyID, json.RawMessage(`{"field":"employees","op":"gte","value":9}`))
	if err != nil || list[1].Holds != true || !list[2].Holds {
		t.Errorf("other conditions: %+v %v", list, err)
	}
	if list, err = f.RemoveExample(ctx, zhao, policy.RemoveExample{PolicyID: v.PolicyID, ID: list[2].ID, Version: 1}); err != nil || len(list) != 2 {
		t.Fatalf("removed %+v %v", list, err)
	}
	if _, err = f.Release(ctx, qian, edit(v)); err != nil {
		t.Errorf("release: %v", err)
	}
}

// TestBadConditions: every mistake is told at its clause, in words that say what to do.
func TestBadConditions(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for _, c := range []struct{ name, condition, path, says string }{
		{"unknown field", `{"all":[{"field":"staff","op":"gte","value":1}]}`, "condition.all[0]", "没有名为「staff」的字段，请从字段列表中选择"},
		{"mixed units", `{"all":[{"field":"employees","op":"gte","value":300,"unit":"万元"}]}`, "condition.all[0]", "单位应为「人」，不能是「万元」，请改正单位或换一个字段"},
		{"no unit", `{"all":[{"field":"revenue","op":"gte","value":300}]}`, "condition.all[0]", "请写明"},
		{"upside down", `{"all":[{"field":"employees","op":"between","value":[300,20]}]}`, "condition.all[0]", "下限大于上限，请对调或改正"},
		{"k beyond n", `{"atLeast":{"k":3,"of":[{"field":"employees","op":"gte","value":1},{"op":"human","label":"领先"}]}}`, "condition", "应为 1 到 2 的整数：下面共有 2 条条件，请改小条数或增加条件"},
		{"empty group", `{"all":[{"any":[]}]}`, "condition.all[0]", "至少要有一条条件"},
		{"unknown code", `{"all":[{"field":"sizeClass","op":"in","value":["tiny"]}]}`, "condition.all[0]", "没有「tiny」这个选项"},
		{"no value", `{"not":{"field":"employees","op":"gte"}}`, "condition.not", "请填写"},
	} {
		got, err := f.CheckConditions(ctx, zhao, policy.ConditionText{Text: sheetText, Conditions: json.RawMessage(c.condition)})
		if err != nil || len(got.Problems) != 1 || got.Problems[0].Path != c.path || !strings.Contains(got.Problems[0].Message, c.says) {
			t.Errorf("%s: %+v %v", c.name, got.Problems, err)
		}
		v, err := f.Enter(ctx, zhao, "")
		if err != nil {
			t.Fatal(err)
		}
		s := bakerySheet()
		s.Conditions = json.RawMessage(c.condition)
		v = f.mustSave(t, zhao, v, s)
		if _, err := f.Submit(ctx, zhao, edit(v)); !errors.Is(err, policy.ErrUnfit) {
			t.Errorf("%s: submitted, %v", c.name, err)
		}
	}
	if _, err := f.CheckConditions(ctx, viewer, policy.ConditionText{}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("who only reads checks conditions: %v", err)
	}
}

// TestQuotes: a clause knows where its sentence stands, follows it when the text changes, and says when it is gone; what
// the text asks and no clause covers is listed.
func TestQuotes(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	check := func(text, conditions string) policy.Checked {
		t.Helper()
		got, err := f.CheckConditions(ctx, zhao, policy.ConditionText{Title: "措施", Text: text, Conditions: json.RawMessage(conditions)})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	none := check(sheetText, "null")
	if len(none.Proposals) != 2 || len(none.Uncovered) != 1 || none.Uncovered[0].Text != "技术水平国内领先" {
		t.Fatalf("nothing covered yet: %+v, %+v", none.Proposals, none.Uncovered)
	}
	one := check(sheetText, `{"all":[`+string(none.Proposals[0].Condition)+`]}`)
	if len(one.Problems) != 0 || len(one.Proposals) != 1 || one.Quotes[0].State != policy.QuoteFound || one.Proposals[0].Quote != none.Proposals[1].Quote {
		t.Errorf("one covered: %+v", one)
	}
	moved := check("前言。\n"+sheetText, `{"all":[`+string(none.Proposals[0].Condition)+`]}`)
	if q := moved.Quotes[0]; q.State != policy.QuoteMoved || string([]rune("前言。\n" + sheetText)[q.Span.Start:q.Span.End]) != q.Quote {
		t.Errorf("moved: %+v", q)
	}
	gone := check(strings.Replace(sheetText, "10人", "15人", 1), `{"all":[`+string(none.Proposals[0].Condition)+`,{"op":"human","quote":"技术水平国内领先"}]}`)
	if gone.Quotes[0].State != policy.QuoteGone || len(gone.Uncovered) != 0 || len(gone.Proposals) != 2 {
		t.Errorf("gone: %+v", gone)
	}
}

// TestPreview: the numbers are those of the companies, and the difference is against what is in force.
func TestPreview(t *testing.T) {
	t.Parallel()
	f, ctx := mustReach(t), context.Background()
	for id, x := range companies {
		f.enrol(id, x.facts)
	}
	live := f.mustPublish(t, bakerySheet())
	if _, err := f.Preview(ctx, zhao, live.ID, json.RawMessage(sheetConditions)); !errors.Is(err, policy.ErrLoading) {
		t.Errorf("counted before the companies are there: %v", err)
	}
	f.mustRefresh(t)
	got, err := f.Preview(ctx, zhao, live.ID, json.RawMessage(`{"field":"employees","op":"lt","value":10}`))
	if err != nil || got.Counts != (policy.Counts{Fit: 1, Unknown: 1, Unfit: 1}) || *got.Against != (policy.Counts{Fit: 1, Near: 0, Unknown: 1, Unfit: 1}) {
		t.Fatalf("%+v %+v %v", got, got.Against, err)
	}
	if got.Gained != 1 || got.Lost != 1 {
		t.Errorf("difference %+v", got)
	}
	if _, err := f.Preview(ctx, zhao, 0, json.RawMessage(`{"all":[]}`)); !errors.Is(err, criteria.ErrBad) {
		t.Errorf("counted what does not parse: %v", err)
	}
}
