package application_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// fieldsAt are the fields at which an error is.
func fieldsAt(err error) []string {
	f, ok := fault.As(err)
	if !ok {
		return nil
	}
	var out []string
	for _, x := range f.Fields {
		out = append(out, x.Name+" "+x.Message)
	}
	return out
}

func TestAnswersAreMendedWithASupplement(t *testing.T) {
	t.Parallel()
	f, _ := mustAsk(t)
	ctx := context.Background()
	v := f.mustSubmit(t, baker, answering(want("a"), map[string][]string{"first": {"yes"}, "pledge": {"房产"}, "area": {"80"}}))
	if v.Mend != nil || len(v.Unanswered) != 0 {
		t.Errorf("nothing is to be mended: %+v %v", v.Mend, v.Unanswered)
	}
	if _, err := f.FillIn(ctx, baker, application.FillIn{ID: v.ID, Values: map[string][]string{"first": {"no"}}}); !errors.Is(err, application.ErrState) {
		t.Errorf("answers are changed although nothing is lacking: %v", err)
	}
	v = must(f.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "面积与租赁合同不一致，请更正"}))(t)
	if v.Mend != nil {
		t.Error("the institution mends what the company said")
	}
	mine := must(f.Get(ctx, baker, v.ID))(t)
	if m := mine.Mend; m == nil || m.Alone || len(m.Fields) != 3 || m.Values["area"][0] != "80" {
		t.Fatalf("%+v", mine.Mend)
	}
	supply := func(key string, fields map[string][]string) error {
		_, err := f.Supplement(ctx, baker, application.Supplement{Ref: application.Ref{ID: mine.ID, Version: mine.Version, Key: key}, Note: "已更正", Fields: fields})
		return err
	}
	if got := fieldsAt(supply("", map[string][]string{"area": {"一百"}})); !slices.Equal(got, []string{"fields.first 请选择是否首贷", "fields.area 经营面积应为数字，以平方米为单位"}) {
		t.Errorf("%q", got)
	}
	if got := must(f.Get(ctx, baker, v.ID))(t); got.Status != application.Lacking || said(got) != said(mine) {
		t.Error("a refused supplement changed something")
	}
	for range 2 { // the second is the same click
		if err := supply("k", map[string][]string{"first": {"yes"}, "area": {"120"}}); err != nil {
			t.Fatal(err)
		}
	}
	v = must(f.Get(ctx, banker, v.ID))(t)
	if said(v) != "是否首贷=是 经营面积=120 平方米" || v.Status != application.Waiting {
		t.Errorf("%s, %s", said(v), v.Status)
	}
	if last := v.Timeline[len(v.Timeline)-1]; last.Text != "已更正\n抵押物类型：“房产”已删去\n经营面积：由“80 平方米”改为“120 平方米”" {
		t.Errorf("the course says %q", last.Text)
	}
	for words, want := range map[string]int{"120 平方米": 1, "房产": 0} {
		if items, _, err := f.List(ctx, banker, application.ListFilter{Query: words}); err != nil || len(items) != want {
			t.Errorf("%s finds %d, %v", words, len(items), err)
		}
	}
	// Without answers a supplement leaves them as they are.
	v = must(f.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "请再补充流水"}))(t)
	v = must(f.Supplement(ctx, baker, application.Supplement{Ref: ref(v), Note: "已补充"}))(t)
	if said(v) != "是否首贷=是 经营面积=120 平方米" {
		t.Errorf("left %s", said(v))
	}
}

// unasked makes an application as a demand's choice does: nobody saw the form.
func (f fixture) unasked(t *testing.T) application.View {
	t.Helper()
	ctx := context.Background()
	var id int64
	err := f.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		c, err := f.SubmitIn(ctx, tx, baker, want(""))
		id = c.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return must(f.Get(ctx, baker, id))(t)
}

func TestWhatADemandLeftOpenIsAskedFor(t *testing.T) {
	t.Parallel()
	f, _ := mustAsk(t)
	ctx := context.Background()
	v := f.unasked(t)
	if v.Mend == nil || !v.Mend.Alone || !slices.Equal(v.Unanswered, []string{"是否首贷"}) {
		t.Fatalf("%+v %v", v.Mend, v.Unanswered)
	}
	if seen := must(f.Get(ctx, banker, v.ID))(t); seen.Mend != nil || !slices.Equal(seen.Unanswered, []string{"是否首贷"}) {
		t.Errorf("the institution reads %+v %v", seen.Mend, seen.Unanswered)
	}
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	fill := func(who access.Actor, version int64, key string, values map[string][]string) error {
		_, err := f.FillIn(ctx, who, application.FillIn{Key: key, ID: v.ID, Version: version, Values: values})
		return err
	}
	yes := map[string][]string{"first": {"yes"}, "pledge": {"设备"}}
	for name, who := range map[string]access.Actor{"the institution": banker, "the platform": platform} {
		if err := fill(who, 0, "", yes); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s fills in: %v", name, err)
		}
	}
	if err := fill(boss(8, 71), 0, "", yes); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("another company fills in: %v", err)
	}
	if got := fieldsAt(fill(baker, 0, "", nil)); !slices.Equal(got, []string{"fields.first 请选择是否首贷"}) {
		t.Errorf("%q", got)
	}
	var done, stale int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 10 { // colleagues at once: one of them
		wg.Go(func() {
			err := fill(baker, 0, "", yes)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				done++
			case fault.KindOf(err) == fault.Conflict:
				stale++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done != 1 || stale != 9 {
		t.Errorf("%d filled in, %d came late", done, stale)
	}
	v = must(f.Get(ctx, banker, v.ID))(t)
	if said(v) != "是否首贷=是 抵押物类型=设备" || len(v.Unanswered) != 0 || v.Status != application.Taken || v.Undo == nil {
		t.Errorf("%s, %v, %s, %v", said(v), v.Unanswered, v.Status, v.Undo)
	}
	if last := v.Timeline[len(v.Timeline)-1]; last.Label != "补填申请信息" || !strings.Contains(last.Text, "抵押物类型：设备") || last.Actor != baker.Name {
		t.Errorf("%+v", last)
	}
	if items, _, err := f.List(ctx, banker, application.ListFilter{Query: "设备", Extra: "first:yes"}); err != nil || len(items) != 1 {
		t.Errorf("found %d, %v", len(items), err)
	}
	if mine := must(f.Get(ctx, baker, v.ID))(t); mine.Mend != nil {
		t.Error("it is asked for again")
	}
}

func TestThePortalAsksForWhatIsOpen(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	b.Fields = asking()
	v := b.unasked(t)
	at := "/applications/" + fmt.Sprint(v.ID)
	_, _, html := b.send("baker", at, nil)
	if !strings.Contains(html, "还需要填写：是否首贷") || !strings.Contains(html, `action="`+at+`/fields"`) {
		t.Fatal("the page does not ask")
	}
	status, _, html := b.send("baker", at+"/fields", posted{"key": mustKey(t, html), "version": "0", "fields.area": "一百"})
	if status != 422 || !strings.Contains(html, "请选择是否首贷") || !strings.Contains(html, `value="一百"`) {
		t.Errorf("status %d", status)
	}
	status, to, _ := b.send("baker", at+"/fields", posted{"key": mustKey(t, html), "version": "0", "fields.first": "no", "fields.area": "100"})
	if status != 303 || to != at+"?done=filled" {
		t.Fatalf("status %d to %s", status, to)
	}
	ctx := context.Background()
	v = must(b.Get(ctx, banker, v.ID))(t)
	v = must(b.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "请更正面积"}))(t)
	_, _, html = b.send("baker", at, nil)
	if strings.Contains(html, "/fields\"") || !strings.Contains(html, `value="100"`) {
		t.Error("the supplement does not show what was answered")
	}
	status, _, html = b.send("baker", at+"/supplement", posted{"key": mustKey(t, html), "version": fmt.Sprint(v.Version), "note": "已更正", "fields.first": "no", "fields.area": "大"})
	if status != 422 || !strings.Contains(html, "经营面积应为数字") || !strings.Contains(html, `value="大"`) {
		t.Errorf("status %d", status)
	}
	if status, _, _ = b.send("baker", at+"/supplement", posted{"key": mustKey(t, html), "version": fmt.Sprint(v.Version), "note": "已更正", "fields.first": "no", "fields.area": "110"}); status != 303 {
		t.Errorf("status %d", status)
	}
	if _, _, html = b.send("baker", at, nil); !strings.Contains(html, "由“100 平方米”改为“110 平方米”") {
		t.Error("the course does not say what changed")
	}
}
