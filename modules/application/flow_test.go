package application_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

func tax() application.Submit {
	return application.Submit{ProductID: taxProduct, Purpose: "请代理记账", Source: application.FromPortal}
}

var twoSteps = []application.PlanStep{
	{Title: "整理凭证", Deliverable: "凭证清单", Day: "2026-11-30"}, {Title: "完成申报", Deliverable: "申报回执", Day: "2026-12-15"},
}

// mustDeliver brings a service as far as its delivery.
func (f fixture) mustDeliver(t *testing.T, company int64) application.View {
	t.Helper()
	ctx := context.Background()
	v := f.mustSubmit(t, boss(7, company), tax())
	v = must(f.Accept(ctx, taxman, application.Accept{Ref: ref(v)}))(t)
	v = must(f.MakePlan(ctx, taxman, application.MakePlan{Ref: ref(v), Steps: twoSteps}))(t)
	return must(f.Deliver(ctx, taxman, application.Deliver{Ref: ref(v), Note: "申报回执见附件", FileIDs: []int64{6201}}))(t)
}

func TestAServiceFromThePlanToTheConfirmation(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, tax())
	v = must(f.Accept(ctx, taxman, application.Accept{Ref: ref(v)}))(t)
	for name, steps := range map[string][]application.PlanStep{
		"none":             nil,
		"no title":         {{Title: " ", Day: "2026-12-01"}},
		"no day":           {{Title: "整理凭证"}},
		"no such day":      {{Title: "整理凭证", Day: "2026-02-30"}},
		"yesterday":        {{Title: "整理凭证", Day: "2026-11-23"}},
		"in ten years":     {{Title: "整理凭证", Day: "2036-11-24"}},
		"end before start": {{Title: "整理凭证", Day: "2026-12-15"}, {Title: "完成申报", Day: "2026-11-30"}},
		"too many":         slices.Repeat(twoSteps[:1], 21),
	} {
		if _, err := f.MakePlan(ctx, taxman, application.MakePlan{Ref: ref(v), Steps: steps}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	v = must(f.MakePlan(ctx, taxman, application.MakePlan{Ref: ref(v), Steps: twoSteps, Note: "每月一次"}))(t)
	if v.Status != application.Working || v.Plan == nil || v.Plan.Edition != 1 || len(v.Plan.Steps) != 2 {
		t.Fatalf("planned %+v", v)
	}
	v = must(f.FinishStep(ctx, taxman, application.FinishStep{Ref: ref(v), No: 1, Note: "共 126 份", FileIDs: []int64{6202}}))(t)
	for _, no := range []int{0, 1, 3} {
		if _, err := f.FinishStep(ctx, taxman, application.FinishStep{Ref: ref(v), No: no}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("step %d: %v", no, err)
		}
	}
	// A new edition keeps what was done.
	v = must(f.MakePlan(ctx, taxman, application.MakePlan{Ref: ref(v), Steps: []application.PlanStep{{Title: "补充申报", Day: "2026-12-20"}}}))(t)
	if len(v.Plan.Steps) != 2 || v.Plan.Edition != 2 || v.Plan.Steps[0].DoneAt == nil || v.Plan.Steps[1].Title != "补充申报" {
		t.Fatalf("planned anew %+v", v.Plan)
	}
	v = must(f.Deliver(ctx, taxman, application.Deliver{Ref: ref(v), Note: "申报回执见附件", FileIDs: []int64{6203}}))(t)
	if v.Status != application.Given || v.Due == nil || v.Due.For != application.DueConfirm || v.Plan.Steps[1].DoneAt == nil {
		t.Fatalf("delivered %+v", v)
	}
	mine := must(f.Get(ctx, baker, v.ID))(t)
	if !slices.Equal(mine.Actions, []application.Action{application.ToConfirm, application.ToObject}) || !strings.Contains(mine.Next, "到期未提出的，视为确认") || len(mine.Files) != 2 {
		t.Errorf("she may %v and reads %q", mine.Actions, mine.Next)
	}
	if _, err := f.Object(ctx, baker, application.Objection{Ref: ref(mine), Reason: " "}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an objection without a reason: %v", err)
	}
	v = must(f.Object(ctx, baker, application.Objection{Ref: ref(mine), Reason: "回执缺少印章"}))(t)
	if v.Status != application.Working || v.DeliveredAt != nil || v.Due.For != application.DueHandle {
		t.Fatalf("objected %+v", v)
	}
	v = must(f.Deliver(ctx, taxman, application.Deliver{Ref: ref(v), Note: "已补盖印章"}))(t)
	for name, err := range map[string]error{
		"the institution confirms":   errOf(f.Confirm(ctx, taxman, application.Confirm{Ref: ref(v)})),
		"another institution":        errOf(f.Confirm(ctx, banker, application.Confirm{Ref: ref(v)})),
		"another company":            errOf(f.Confirm(ctx, boss(8, 71), application.Confirm{Ref: ref(v)})),
		"an institution objects":     errOf(f.Object(ctx, taxman, application.Objection{Ref: ref(v), Reason: "不行"})),
		"a bank plans for the other": errOf(f.MakePlan(ctx, banker, application.MakePlan{Ref: ref(v), Steps: twoSteps})),
	} {
		if k := fault.KindOf(err); k != fault.Forbidden && k != fault.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	v = must(f.Confirm(ctx, baker, application.Confirm{Ref: ref(v), Note: "收到"}))(t)
	if v.Status != application.Done || v.Due != nil || v.ClosedAt == nil {
		t.Errorf("confirmed %+v", v)
	}
}

func TestWhoSaysNothingHasConfirmed(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var views []application.View
	for i := range 60 {
		views = append(views, f.mustDeliver(t, int64(700+i)))
	}
	due := time.Date(2026, 12, 1, 18, 0, 0, 0, clock.Beijing) // five working days
	if !views[0].DueAt.Equal(due) {
		t.Fatalf("to confirm until %v", views[0].DueAt)
	}
	must(f.Object(ctx, boss(7, 701), application.Objection{Ref: ref(views[1]), Reason: "回执缺少印章"}))(t)
	for _, at := range []time.Time{due.Add(-time.Hour), due.Add(time.Minute), due.Add(time.Hour)} {
		f.clock.Set(at)
		for _, err := range crowd(4, func(int) error { _, err := f.Ring(ctx, system); return err }) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, v := range views {
		got := must(f.Get(ctx, boss(7, int64(700+i)), v.ID))(t)
		ends, warned := f.told(t, v.ID, "application.completed"), f.told(t, v.ID, "application.due_warned")
		if i == 1 {
			if got.Status != application.Working || ends != 0 {
				t.Errorf("objected to and %s", got.Status)
			}
			continue
		}
		if got.Status != application.Done || ends != 1 || warned != 1 {
			t.Fatalf("%d: %s, ended %d times, warned %d times", i, got.Status, ends, warned)
		}
		if last := got.Timeline[len(got.Timeline)-1]; last.Label != "到期视为确认，办结" {
			t.Errorf("she reads %+v", last)
		}
	}
}

func TestConfirmingRacesTheClock(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustDeliver(t, 70)
	f.clock.Set(v.DueAt.Add(time.Second))
	done := crowd(50, func(i int) error {
		switch i % 3 {
		case 0:
			return errOf(f.Confirm(ctx, baker, application.Confirm{Ref: ref(v)}))
		case 1:
			return errOf(f.Object(ctx, baker, application.Objection{Ref: ref(v), Reason: "缺页"}))
		}
		_, err := f.Ring(ctx, system)
		return err
	})
	for _, err := range done {
		if err != nil && fault.KindOf(err) != fault.Conflict {
			t.Error(err)
		}
	}
	ends, objected := f.told(t, v.ID, "application.completed"), f.told(t, v.ID, "application.objected")
	if ends+objected != 1 {
		t.Errorf("ended %d times and objected to %d times", ends, objected)
	}
}

// mustGrant brings a loan as far as its approval.
func (f fixture) mustGrant(t *testing.T, company int64, amount int64) application.View {
	t.Helper()
	ctx := context.Background()
	v := f.mustSubmit(t, boss(7, company), want(""))
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	v = must(f.Investigate(ctx, banker, looked(v)))(t)
	return must(f.Approve(ctx, banker, application.Approve{Ref: ref(v), Loan: application.Loan{Amount: amount, Rate: 385, Term: 12}}))(t)
}

func TestDueDiligenceStaysWithinTheInstitution(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, want(""))
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	if slices.Contains(v.Actions, application.ToApprove) || !slices.Contains(v.Actions, application.ToInvestigate) {
		t.Errorf("before due diligence: %v", v.Actions)
	}
	for name, spoil := range map[string]func(*application.Investigate){
		"no day":      func(c *application.Investigate) { c.Day = "" },
		"tomorrow":    func(c *application.Investigate) { c.Day = "2026-11-25" },
		"before it":   func(c *application.Investigate) { c.Day = "2026-11-23" },
		"no way":      func(c *application.Investigate) { c.Way = "dream" },
		"nobody":      func(c *application.Investigate) { c.People = "" },
		"nothing":     func(c *application.Investigate) { c.Findings = "好" },
		"many files":  func(c *application.Investigate) { c.FileIDs = make([]int64, 10) },
		"very long":   func(c *application.Investigate) { c.Findings = strings.Repeat("好", 4001) },
		"long advice": func(c *application.Investigate) { c.Advice = strings.Repeat("好", 1001) },
	} {
		cmd := looked(v)
		spoil(&cmd)
		if _, err := f.Investigate(ctx, banker, cmd); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	cmd := looked(v)
	cmd.FileIDs, cmd.Advice = []int64{6001}, "建议审批"
	v = must(f.Investigate(ctx, banker, cmd))(t)
	if len(v.Diligence) != 1 || v.Diligence[0].Findings == "" || !slices.Contains(v.Actions, application.ToApprove) {
		t.Fatalf("kept %+v", v.Diligence)
	}
	for who, actor := range map[string]bool{"baker": false, "platform": false, "banker2": true} {
		a := baker
		switch who {
		case "platform":
			a = platform
		case "banker2":
			a = banker2
		}
		got := must(f.Get(ctx, a, v.ID))(t)
		if (len(got.Diligence) == 1) != actor || (f.SeesDiligence(ctx, a, v.Diligence[0].ID) == nil) != actor {
			t.Errorf("%s reads %+v", who, got.Diligence)
		}
	}
	if err := f.SeesDiligence(ctx, taxman, v.Diligence[0].ID); !errors.Is(err, application.ErrNotFound) {
		t.Errorf("another institution: %v", err)
	}
}

func TestInstalmentsTogetherAreNoMoreThanGranted(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustGrant(t, 70, 50_000_000)
	for name, cmd := range map[string]application.Disburse{
		"nothing":         {Amount: 0},
		"negative":        {Amount: -1},
		"more":            {Amount: 50_000_001},
		"tomorrow":        {Amount: 1, PaidOn: "2026-11-25"},
		"before approval": {Amount: 1, PaidOn: "2026-11-23"},
		"no day":          {Amount: 1, PaidOn: "soon"},
	} {
		cmd.Ref = ref(v)
		if _, err := f.Disburse(ctx, banker, cmd); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	v = must(f.Disburse(ctx, banker, application.Disburse{Ref: ref(v), Amount: 20_000_000}))(t)
	// Fifty pay the rest at once: it is paid once.
	paid := 0
	for _, err := range crowd(50, func(i int) error {
		return errOf(f.Disburse(ctx, banker, application.Disburse{Ref: ref(v), Amount: 30_000_000, Note: fmt.Sprint(i)}))
	}) {
		if err == nil {
			paid++
		} else if fault.KindOf(err) != fault.Conflict {
			t.Error(err)
		}
	}
	v = must(f.Get(ctx, baker, v.ID))(t)
	if paid != 1 || v.DisbursedAmount != 50_000_000 || len(v.Payments) != 2 || v.Payments[1].Amount != 30_000_000 {
		t.Errorf("paid %d times: %d, %+v", paid, v.DisbursedAmount, v.Payments)
	}
	v = must(f.Get(ctx, banker, v.ID))(t)
	if slices.Contains(v.Actions, application.ToDisburse) {
		t.Errorf("all is paid and one may %v", v.Actions)
	}
	if v = must(f.Complete(ctx, banker, application.Complete{Ref: ref(v), Note: "已按约定用途支付"}))(t); v.Status != application.Done {
		t.Errorf("%+v", v)
	}
}

func TestApprovingRacesAWithdrawal(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, want(""))
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	v = must(f.Investigate(ctx, banker, looked(v)))(t)
	won := 0
	for _, err := range crowd(50, func(i int) error {
		if i%2 == 0 {
			return errOf(f.Withdraw(ctx, baker, application.Withdraw{Ref: ref(v)}))
		}
		return errOf(f.Approve(ctx, banker, application.Approve{Ref: ref(v), Loan: application.Loan{Amount: 1_000_000, Rate: 385, Term: 12}}))
	}) {
		if err == nil {
			won++
		} else if fault.KindOf(err) != fault.Conflict {
			t.Error(err)
		}
	}
	got := must(f.Get(ctx, baker, v.ID))(t)
	if won != 1 || got.Status != application.Dropped && got.Status != application.Granted || got.Version != v.Version+1 {
		t.Errorf("%d outcomes, %s", won, got.Status)
	}
}
