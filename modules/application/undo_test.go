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
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

func with(a access.Actor, more ...access.Permission) access.Actor {
	a.Permissions = append(append([]access.Permission{}, a.Permissions...), more...)
	slices.Sort(a.Permissions)
	return a
}

var (
	chief      = with(operator(69, 30, "周行长"), application.PermUndo)
	supervisor = with(platform, application.PermUndoAny)
)

// TestEveryStepIsUndoneWhole takes each step back and compares the application with what it was before.
func TestEveryStepIsUndoneWhole(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	type step struct {
		name string
		do   func(v application.View) (application.View, error)
	}
	loan := []step{
		{"accept", func(v application.View) (application.View, error) {
			return f.Accept(ctx, banker, application.Accept{Ref: ref(v)})
		}},
		{"ask", func(v application.View) (application.View, error) {
			return f.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "流水"})
		}},
		{"", func(v application.View) (application.View, error) {
			return f.Supplement(ctx, baker, application.Supplement{Ref: ref(v), Note: "已补"})
		}},
		{"look", func(v application.View) (application.View, error) { return f.Investigate(ctx, banker, looked(v)) }},
		{"approve", func(v application.View) (application.View, error) {
			return f.Approve(ctx, banker, application.Approve{Ref: ref(v), Loan: application.Loan{Amount: 100, Rate: 385, Term: 12}})
		}},
		{"pay", func(v application.View) (application.View, error) {
			return f.Disburse(ctx, banker, application.Disburse{Ref: ref(v), Amount: 60})
		}},
		{"pay again", func(v application.View) (application.View, error) {
			return f.Disburse(ctx, banker, application.Disburse{Ref: ref(v), Amount: 40})
		}},
		{"complete", func(v application.View) (application.View, error) {
			return f.Complete(ctx, banker, application.Complete{Ref: ref(v), Note: "办结"})
		}},
	}
	essence := func(v application.View) string {
		v = must(f.Get(ctx, banker, v.ID))(t)
		v.Version, v.Timeline, v.Undo = 0, nil, nil
		for i := range v.Diligence { // made again, it has a number of its own
			v.Diligence[i].ID = 0
		}
		return strings.ReplaceAll(fmt.Sprintf("%+v %+v", v, v.Due), fmt.Sprintf("%p", v.Due), "")
	}
	v := f.mustSubmit(t, baker, want(""))
	for _, s := range loan {
		before := essence(v)
		v = must(s.do(v))(t)
		if s.name == "" {
			if v = must(f.Get(ctx, chief, v.ID))(t); v.Undo != nil {
				t.Errorf("what the company did may be undone: %+v", v.Undo)
			}
			if _, err := f.Undo(ctx, supervisor, application.Undo{Ref: ref(v), Reason: "误操作"}); !errors.Is(err, application.ErrUndo) {
				t.Errorf("what the company did was undone: %v", err)
			}
			continue
		}
		after := essence(v)
		if before == after {
			t.Fatalf("%s: nothing happened", s.name)
		}
		v = must(f.Undo(ctx, chief, application.Undo{Ref: ref(v), Reason: "登记错误"}))(t)
		if got := essence(v); got != before {
			t.Errorf("%s undone:\n%s\nwas\n%s", s.name, got, before)
		}
		if last := v.Timeline[len(v.Timeline)-1]; !strings.HasPrefix(last.Label, "撤销“") || last.Text != "登记错误" {
			t.Errorf("%s: told as %+v", s.name, last)
		}
		if _, err := f.Undo(ctx, chief, application.Undo{Ref: ref(v), Reason: "再撤销"}); !errors.Is(err, application.ErrUndo) {
			t.Errorf("%s: undone twice: %v", s.name, err)
		}
		if v = must(s.do(v))(t); essence(v) != after {
			t.Errorf("%s done again:\n%s\nwas\n%s", s.name, essence(v), after)
		}
	}
	mine := must(f.Get(ctx, baker, v.ID))(t)
	undone := 0
	for _, s := range mine.Timeline {
		if strings.HasPrefix(s.Label, "撤销“") && s.Actor == "运河银行" {
			undone++
		}
	}
	if undone != 7 {
		t.Errorf("the company reads of %d steps that were undone", undone)
	}
}

func TestUndoneByGradedAuthority(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	undo := func(a access.Actor, v application.View) error {
		return errOf(f.Undo(ctx, a, application.Undo{Ref: ref(v), Reason: "登记错误"}))
	}
	taken := func(company int64) application.View {
		v := f.mustSubmit(t, boss(7, company), want(""))
		return must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	}
	v := taken(701)
	for name, a := range map[string]access.Actor{"a colleague": banker2, "who only watches": platform, "the company": boss(7, 701), "another institution": with(taxman, application.PermUndo)} {
		if err := undo(a, v); err == nil {
			t.Errorf("%s may", name)
		}
	}
	if _, err := f.Undo(ctx, banker, application.Undo{Ref: ref(v)}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	if err := undo(banker, v); err != nil {
		t.Errorf("the author: %v", err)
	}
	late := taken(702)
	f.clock.Advance(31 * time.Minute)
	if err := undo(banker, late); !errors.Is(err, application.ErrUndo) || !strings.Contains(err.Error(), "机构管理员") {
		t.Errorf("the author after half an hour: %v", err)
	}
	f.clock.Advance(24 * time.Hour)
	if err := undo(chief, late); !errors.Is(err, application.ErrUndo) || !strings.Contains(err.Error(), "平台运营") {
		t.Errorf("the chief after a day: %v", err)
	}
	if err := undo(supervisor, late); err != nil {
		t.Errorf("the supervisor: %v", err)
	}
	// An end is not its author's to take back.
	over := f.mustSubmit(t, boss(7, 703), want(""))
	over = must(f.Decline(ctx, banker, application.Decline{Ref: ref(over), Reason: "不符合条件"}))(t)
	if err := undo(banker, over); !errors.Is(err, application.ErrUndo) {
		t.Errorf("the author of an end: %v", err)
	}
	// Nor anybody's once the company has applied anew.
	again := f.mustSubmit(t, boss(7, 703), want(""))
	if err := undo(chief, over); !errors.Is(err, application.ErrUndo) || !strings.Contains(err.Error(), again.Number) {
		t.Errorf("an end with a new application: %v", err)
	}
	must(f.Withdraw(ctx, boss(7, 703), application.Withdraw{Ref: ref(again)}))(t)
	if err := undo(chief, over); err != nil {
		t.Errorf("the chief: %v", err)
	}
	// Fifty at once undo it once.
	race := taken(704)
	won := 0
	for _, err := range crowd(50, func(i int) error { return undo([]access.Actor{chief, supervisor, banker}[i%3], race) }) {
		if err == nil {
			won++
		} else if fault.KindOf(err) != fault.Conflict {
			t.Error(err)
		}
	}
	if won != 1 || f.told(t, race.ID, "application.undone") != 1 {
		t.Errorf("undone %d times", won)
	}
}

func TestWhatCameOfIt(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.Kinds = []application.Kind{{Code: "financing", Name: "融资服务"}, {Code: "tax", Name: "财税服务"}}
	f.clock.Set(time.Date(2026, 9, 30, 16, 30, 0, 0, time.UTC)) // the first of October in Beijing
	a := f.mustSubmit(t, boss(7, 701), want(""))
	f.clock.Set(start)
	// 1,000,000 yuan at 4 % and 3,000,000 at 6 % are 5.5 % on average.
	grant := func(v application.View, amount int64, rate int) application.View {
		f.clock.Advance(2 * time.Hour)
		v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
		v = must(f.Investigate(ctx, banker, looked(v)))(t)
		return must(f.Approve(ctx, banker, application.Approve{Ref: ref(v), Loan: application.Loan{Amount: amount, Rate: rate, Term: 12}}))(t)
	}
	grant(a, 100_000_000, 400)
	b := grant(f.mustSubmit(t, boss(7, 702), want("")), 300_000_000, 600)
	must(f.Disburse(ctx, banker, application.Disburse{Ref: ref(b), Amount: 50_000_000}))(t)
	must(f.Decline(ctx, banker, application.Decline{Ref: ref(f.mustSubmit(t, boss(7, 703), want(""))), Reason: "不符合条件"}))(t)
	must(f.Withdraw(ctx, boss(7, 704), application.Withdraw{Ref: ref(f.mustSubmit(t, boss(7, 704), want("")))}))(t)
	f.mustSubmit(t, boss(7, 705), tax())
	watcher, bank := with(platform, application.PermResults), with(banker, application.PermResults)
	for _, c := range []struct {
		who  access.Actor
		f    application.ResultFilter
		want []string
	}{
		{watcher, application.ResultFilter{By: application.ByInstitution}, []string{"运河银行 4 2 400000000 550 50000000", "通成税务师事务所 1 0 0 0 0"}},
		{watcher, application.ResultFilter{By: application.ByKind}, []string{"融资服务 4 2 400000000 550 50000000", "财税服务 1 0 0 0 0"}},
		{watcher, application.ResultFilter{From: "2026-09", To: "2026-11", By: application.ByMonth},
			[]string{"2026年9月 0 0 0 0 0", "2026年10月 1 1 100000000 400 0", "2026年11月 4 1 300000000 600 50000000"}},
		// A bank reads of its own only.
		{bank, application.ResultFilter{By: application.ByKind}, []string{"融资服务 4 2 400000000 550 50000000"}},
		{with(taxman, application.PermResults), application.ResultFilter{By: application.ByInstitution}, []string{"通成税务师事务所 1 0 0 0 0"}},
	} {
		got, err := f.Results(ctx, c.who, c.f)
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, r := range got.Items {
			rows = append(rows, fmt.Sprintf("%s %d %d %d %d %d", r.Label, r.Submitted, r.Approved, r.ApprovedAmount, r.Rate, r.DisbursedAmount))
		}
		if strings.Join(rows, "; ") != strings.Join(c.want, "; ") {
			t.Errorf("%s by %s: %v, want %v", c.who.Name, c.f.By, rows, c.want)
		}
	}
	all, err := f.Results(ctx, watcher, application.ResultFilter{From: "2026-11", To: "2026-11"})
	if err != nil || all.Total.Declined != 1 || all.Total.Withdrawn != 1 || all.Total.AcceptMinutes != 120 {
		t.Errorf("%+v %v", all.Total, err)
	}
	for name, bad := range map[string]application.ResultFilter{
		"no month": {From: "2026-13"}, "end before start": {From: "2026-11", To: "2026-10"}, "too many": {From: "2020-01", To: "2026-11"}, "group": {By: "mood"},
	} {
		if _, err := f.Results(ctx, watcher, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Results(ctx, banker, application.ResultFilter{}); !errors.Is(err, application.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
}
