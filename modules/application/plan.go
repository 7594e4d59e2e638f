package application

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/worktime"
)

// maxPlan is how many steps a plan may have.
const maxPlan = 20

// ErrNoPlan: a service is delivered by its plan.
var ErrNoPlan = fault.New(fault.Conflict, "NO_PLAN", "请先登记服务方案，再登记交付")

// Plan is how an institution means to give a service: the edition that counts. It is kept as JSON text on both databases.
type Plan struct {
	Edition int        `json:"edition"`
	Steps   []PlanStep `json:"steps"`
}

// PlanStep is one step of a plan.
type PlanStep struct {
	Title       string     `json:"title"`
	Deliverable string     `json:"deliverable" doc:"What the company gets; empty when nothing is handed over."`
	Day         string     `json:"day" doc:"Until when: 2026-12-01."`
	DoneAt      *time.Time `json:"doneAt,omitempty"`
	Note        string     `json:"note,omitempty" doc:"What was said when it was done."`
}

// Value writes the plan; one that was not made is "".
func (p Plan) Value() (driver.Value, error) {
	if p.Edition == 0 {
		return "", nil
	}
	b, err := json.Marshal(p)
	return string(b), err
}

// Scan reads it.
func (p *Plan) Scan(src any) error {
	*p = Plan{}
	return scanJSON(src, p)
}

// done are the steps that were done, in their order.
func (p Plan) done() []PlanStep {
	var list []PlanStep
	for _, s := range p.Steps {
		if s.DoneAt != nil {
			list = append(list, s)
		}
	}
	return list
}

// checkPlan tidies the steps still to be done and says what is wrong with them, each at its place.
func checkPlan(steps []PlanStep, today worktime.Day) ([]PlanStep, error) {
	if len(steps) == 0 || len(steps) > maxPlan {
		return nil, fault.InvalidField("steps", "PLAN_STEPS", fmt.Sprintf("服务方案应有 1 至 %d 个步骤", maxPlan))
	}
	var errs []error
	out := make([]PlanStep, 0, len(steps))
	last := today
	for i, s := range steps {
		at := func(field string) string { return fmt.Sprintf("steps[%d].%s", i, field) }
		name := fmt.Sprintf("第 %d 步的", i+1)
		title, err := text.Line(at("title"), s.Title, 2, 60)
		errs = append(errs, named(at("title"), name+"内容", err))
		deliverable, err := text.Line(at("deliverable"), s.Deliverable, 0, 200)
		errs = append(errs, named(at("deliverable"), name+"交付成果", err))
		day, err := worktime.ParseDay(strings.TrimSpace(s.Day))
		switch {
		case err != nil:
			errs = append(errs, fault.InvalidField(at("day"), "PLAN_DAY", "请选择"+name+"完成日期"))
		case day < today:
			errs = append(errs, fault.InvalidField(at("day"), "PLAN_DAY", name+"完成日期不能早于今天"))
		case day > today+3*366:
			errs = append(errs, fault.InvalidField(at("day"), "PLAN_DAY", name+"完成日期不能晚于三年后"))
		case day < last:
			errs = append(errs, fault.InvalidField(at("day"), "PLAN_ORDER", name+"完成日期不能早于上一步"))
		default:
			last = day
		}
		out = append(out, PlanStep{Title: title, Deliverable: deliverable, Day: day.String()})
	}
	return out, fault.Merge(errs...)
}

// MakePlan keeps how the service will be given. Steps that were done stay; the others are replaced.
func (a *Application) MakePlan(steps []PlanStep) error {
	if err := a.move(ToPlan); err != nil {
		return err
	}
	done := a.Plan.done()
	if len(done)+len(steps) > maxPlan {
		return fault.InvalidField("steps", "PLAN_STEPS", fmt.Sprintf("服务方案最多 %d 个步骤，含已完成的 %d 个", maxPlan, len(done)))
	}
	a.Plan = Plan{Edition: a.Plan.Edition + 1, Steps: append(done, steps...)}
	return nil
}

// FinishStep keeps that a step of the plan was done; no is its place, from 1.
func (a *Application) FinishStep(now time.Time, no int, note string) error {
	if err := a.move(ToStep); err != nil {
		return err
	}
	if no < 1 || no > len(a.Plan.Steps) {
		return fault.InvalidField("no", "PLAN_STEP", "没有这个步骤，请刷新后重新选择")
	}
	if a.Plan.Steps[no-1].DoneAt != nil {
		return fault.InvalidField("no", "PLAN_STEP_DONE", "这个步骤已经登记完成")
	}
	steps := append([]PlanStep{}, a.Plan.Steps...)
	steps[no-1].DoneAt, steps[no-1].Note = &now, note
	a.Plan.Steps = steps
	return nil
}

// Deliver keeps that the service was given: the steps that were open are done with it, and the company has its time to
// confirm or object.
func (a *Application) Deliver(now time.Time, h Hours) error {
	if err := a.move(ToDeliver); err != nil {
		return err
	}
	if a.Plan.Edition == 0 {
		return ErrNoPlan
	}
	steps := append([]PlanStep{}, a.Plan.Steps...)
	for i := range steps {
		if steps[i].DoneAt == nil {
			steps[i].DoneAt = &now
		}
	}
	a.Plan.Steps, a.DeliveredAt = steps, &now
	l := h.of(a.Kind)
	a.start(DueConfirm, now, l.ConfirmDays, l.WarnPercent, h.Calendar())
	return nil
}

// Confirm ends the application well: the company got what was agreed.
func (a *Application) Confirm(now time.Time) error {
	if err := a.move(ToConfirm); err != nil {
		return err
	}
	a.end(now)
	return nil
}

// Object sends a delivery back: it was not what was agreed. The time until the result begins anew.
func (a *Application) Object(now time.Time, why string, h Hours) error {
	if err := a.move(ToObject); err != nil {
		return err
	}
	a.Reason, a.DeliveredAt = why, nil
	a.awaitResult(now, h)
	return nil
}

// Lapse ends the application well because the company neither confirmed nor objected in its time.
func (a *Application) Lapse(now time.Time) error {
	if err := a.move(lapse); err != nil {
		return err
	}
	a.end(now)
	return nil
}

// MakePlan asks to keep the plan of a service.
type MakePlan struct {
	Ref
	Steps []PlanStep // those still to be done; what is done of the plan before stays
	Note  string     // to the company
}

// MakePlan keeps the plan of a service, or a new edition of it. Errors as Accept, and a message for each wrong step.
func (s *Service) MakePlan(ctx context.Context, actor access.Actor, cmd MakePlan) (View, error) {
	note, err := block("note", "方案说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToPlan, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Application) (effect, error) {
		if !a.Allows(ToPlan) {
			return effect{}, a.move(ToPlan)
		}
		steps, err := checkPlan(cmd.Steps, worktime.DayOf(s.Clock.Now()))
		if err != nil {
			return effect{}, err
		}
		return planned(a, note), a.MakePlan(steps)
	})
}

// FinishStep asks to keep that a step of the plan was done.
type FinishStep struct {
	Ref
	No      int // from 1
	Note    string
	FileIDs []int64
}

// FinishStep keeps that a step of the plan was done. Errors as Accept; files must be the actor's own.
func (s *Service) FinishStep(ctx context.Context, actor access.Actor, cmd FinishStep) (View, error) {
	note, err := block("note", "完成情况", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToStep, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Application) (effect, error) {
		err := a.FinishStep(s.Clock.Now(), cmd.No, note)
		title := ""
		if err == nil {
			title = a.Plan.Steps[cmd.No-1].Title
		}
		return stepDone(title, note, cmd.FileIDs), err
	})
}

// Deliver asks to keep that the service was given.
type Deliver struct {
	Ref
	Note    string
	FileIDs []int64
}

// Deliver keeps that the service was given; the company is asked to confirm, and told until when. Errors as Accept, ErrNoPlan
// where there is no plan; files must be the actor's own.
func (s *Service) Deliver(ctx context.Context, actor access.Actor, cmd Deliver) (View, error) {
	note, err := block("note", "交付说明", cmd.Note, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToDeliver, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		h, err := s.hours(ctx, tx)
		if err != nil {
			return effect{}, err
		}
		err = a.Deliver(s.Clock.Now(), h)
		return delivered(a, note, cmd.FileIDs), err
	})
}

// Confirm asks to end an application as delivered.
type Confirm struct {
	Ref
	Note string
}

// Confirm ends a delivered service: the company confirms it. Errors as Withdraw.
func (s *Service) Confirm(ctx context.Context, actor access.Actor, cmd Confirm) (View, error) {
	note, err := block("note", "确认说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToConfirm, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Application) (effect, error) {
		return confirmed(ByCompany, note), a.Confirm(s.Clock.Now())
	})
}

// Objection asks to send a delivery back.
type Objection struct {
	Ref
	Reason string // the institution reads it
}

// Object sends a delivery back to the institution. Errors as Withdraw.
func (s *Service) Object(ctx context.Context, actor access.Actor, cmd Objection) (View, error) {
	reason, err := block("reason", "异议原因", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToObject, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		h, err := s.hours(ctx, tx)
		if err != nil {
			return effect{}, err
		}
		return objected(reason), a.Object(s.Clock.Now(), reason, h)
	})
}

// Who ended a service as delivered.
const (
	ByCompany = "enterprise"
	ByTime    = "time"
)

func planned(a *Application, note string) effect {
	return effect{fact: func(h Head) event.Fact {
		return Planned{Head: h, Edition: a.Plan.Edition, Steps: a.Plan.Steps, Note: note}
	}, summary: "登记服务方案"}
}

func stepDone(title, note string, files []int64) effect {
	return effect{fact: func(h Head) event.Fact { return StepDone{Head: h, Title: title, Note: note, FileIDs: files} }, summary: "登记方案步骤完成", files: files}
}

func delivered(a *Application, note string, files []int64) effect {
	return effect{fact: func(h Head) event.Fact {
		return Delivered{Head: h, Note: note, FileIDs: files, ConfirmUntil: a.Due.At.UTC()}
	}, summary: "登记交付", files: files}
}

func confirmed(by, note string) effect {
	summary := "企业确认交付"
	if by == ByTime {
		summary = "到期视为确认"
	}
	return effect{fact: func(h Head) event.Fact { return Completed{Head: h, Note: note, By: by} }, summary: summary}
}

func objected(reason string) effect {
	return effect{fact: func(h Head) event.Fact { return Objected{Head: h, Reason: reason} }, summary: "对交付提出异议"}
}
