package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/evaluation"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/worktime"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedApplications has the district's companies apply and the institutions handle it as their stories tell, everything in
// the order in which it happened. A story about a product
// that is not listed any more is not told.
func (h *house) seedApplications(ctx context.Context, s *seeded) error {
	type moment struct {
		at   time.Time
		do   func() error
		what string
	}
	var story []moment
	for _, a := range s.world.Applications {
		told := &applicationStory{Application: a}
		if a.State == "draft" {
			story = append(story, moment{a.CreatedAt, func() error { return h.draftApplication(ctx, s, told) }, a.Key})
		}
		for _, step := range a.Steps {
			story = append(story, moment{step.At, func() error { return h.applicationStep(ctx, s, told, step) }, a.Key + " " + step.Kind})
		}
	}
	slices.SortStableFunc(story, func(a, b moment) int { return a.at.Compare(b.at) })
	for _, m := range story {
		s.at.Set(m.at)
		if err := m.do(); err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
	}
	return nil
}

// applicationStory is an application while its story is told.
type applicationStory struct {
	demo.Application

	view   application.View
	silent bool // its product is not listed any more
}

func (t *applicationStory) ref() application.Ref {
	return application.Ref{ID: t.view.ID, Version: t.view.Version}
}

func (h *house) draftApplication(ctx context.Context, s *seeded, t *applicationStory) error {
	owner, err := s.as(ctx, h, "owner", t.Owner)
	if err != nil {
		return err
	}
	product, err := s.id("product", t.Product)
	if err != nil {
		return err
	}
	typed := application.Typed{Purpose: t.Purpose, ContactName: owner.Name}
	if t.Amount > 0 {
		typed.Amount, typed.Term = strconv.FormatInt(t.Amount/1_000_000, 10), strconv.Itoa(t.Term)
	}
	_, err = h.applications.SaveDraft(ctx, owner, product, typed)
	if errors.Is(err, application.ErrNotFound) {
		return nil
	}
	return err
}

func (h *house) submitApplication(ctx context.Context, s *seeded, t *applicationStory, owner access.Actor) error {
	product, err := s.id("product", t.Product)
	if err != nil {
		return err
	}
	source := application.FromH5
	if t.Amount > 0 {
		source = application.FromPortal
	}
	cmd := application.Submit{ProductID: product, Amount: t.Amount, Term: t.Term, Purpose: t.Purpose, Source: source}
	if i := slices.IndexFunc(s.world.Products, func(p demo.Product) bool { return p.Key == t.Product }); i >= 0 {
		cmd.Fields = demoTyped(s.world.Products[i].Kind, s.world.Products[i].FinancingKind, product)
	}
	t.view, err = h.applications.Submit(ctx, owner, cmd)
	if errors.Is(err, application.ErrUnlisted) {
		t.silent = true
		return nil
	}
	return err
}

// applicationStep takes one step of the story.
func (h *house) applicationStep(ctx context.Context, s *seeded, t *applicationStory, step demo.ApplicationStep) error {
	if t.silent {
		return nil
	}
	kind := "operator"
	switch step.Kind {
	case "submit", "withdraw", "supplement", "rate":
		kind = "owner"
	}
	by, err := s.as(ctx, h, kind, step.By)
	if err != nil {
		return err
	}
	ref := t.ref()
	switch step.Kind {
	case "submit":
		return h.submitApplication(ctx, s, t, by)
	case "withdraw":
		t.view, err = h.applications.Withdraw(ctx, by, application.Withdraw{Ref: ref, Reason: step.Text})
	case "supplement":
		t.view, err = h.applications.Supplement(ctx, by, application.Supplement{Ref: ref, Note: step.Text})
	case "accept":
		t.view, err = h.applications.Accept(ctx, by, application.Accept{Ref: ref, Note: step.Text})
	case "decline":
		t.view, err = h.applications.Decline(ctx, by, application.Decline{Ref: ref, Reason: step.Text})
	case "ask_supplement":
		t.view, err = h.applications.AskSupplement(ctx, by, application.AskSupplement{Ref: ref, Reason: step.Text})
	case "progress":
		return h.demoProgress(ctx, s, t, by, step)
	case "approve":
		loan := application.Loan{Amount: step.Amount, Rate: step.Rate, Term: t.Term}
		t.view, err = h.applications.Approve(ctx, by, application.Approve{Ref: ref, Loan: loan, Note: step.Text})
	case "disburse":
		t.view, err = h.applications.Disburse(ctx, by, application.Disburse{Ref: ref, Amount: step.Amount, Note: step.Text})
	case "rate":
		_, err = h.evaluations.Give(ctx, by, evaluation.Give{Object: application.Object, ID: t.view.ID, Answer: evaluation.Answer{Level: step.Rating, Words: step.Text}})
	case "complete":
		if t.view.Lends {
			t.view, err = h.applications.Complete(ctx, by, application.Complete{Ref: ref, Note: step.Text})
			break
		}
		if t.view, err = h.applications.Deliver(ctx, by, application.Deliver{Ref: ref, Note: step.Text}); err != nil {
			return err
		}
		owner, asErr := s.as(ctx, h, "owner", t.Owner)
		if asErr != nil {
			return asErr
		}
		t.view, err = h.applications.Confirm(ctx, owner, application.Confirm{Ref: t.ref(), Note: "成果已收到，符合约定"})
	}
	return err
}

// demoProgress has the institution begin its work as the kind of the product asks for it, and tell how far it is.
func (h *house) demoProgress(ctx context.Context, s *seeded, t *applicationStory, by access.Actor, step demo.ApplicationStep) error {
	var err error
	today := worktime.DayOf(step.At)
	if t.view.Lends {
		t.view, err = h.applications.Investigate(ctx, by, application.Investigate{Ref: t.ref(), Day: today.String(), Way: application.OnSite, People: by.Name + "、风险经理〔演示〕",
			Findings: "现场查看经营场所和存货，核对近一年流水、纳税申报表与账目，主要上下游合同真实有效。", Advice: "经营正常，建议按申请金额审批。"})
	} else {
		t.view, err = h.applications.MakePlan(ctx, by, application.MakePlan{Ref: t.ref(), Note: "方案已与企业电话沟通", Steps: []application.PlanStep{
			{Title: "梳理需求并收集资料", Deliverable: "需求与资料清单", Day: (today + 3).String()},
			{Title: "提供服务并出具成果", Deliverable: "服务成果文件", Day: (today + 12).String()}}})
	}
	if err != nil {
		return err
	}
	t.view, err = h.applications.Progress(ctx, by, application.Progress{Ref: t.ref(), Note: step.Text})
	return err
}
