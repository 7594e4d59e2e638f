package server

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
)

// ofApplicationTime tells whom a fact about the time of an application concerns: its handler, or the whole institution while
// there is none; when the time has passed, the supervisors and the applicant as well.
func (n notices) ofApplicationTime(ctx context.Context, tx bun.Tx, e event.Event, f applicationFact, notice message.Notice) ([]message.Notice, error) {
	notice.Params["clock"], notice.Params["due"] = f.For.Label(), clock.Show(f.DueAt)
	applicant := func(template string) []message.Notice {
		if f.UserID == 0 {
			return nil
		}
		to := notice
		to.Template = template
		return []message.Notice{to}
	}
	switch {
	case e.Type == "application.handed_over":
		if f.HandlerID == 0 || f.HandlerID == f.ByID {
			return nil, nil // who takes it over knows
		}
		notice.Params["name"] = or(f.FromName, f.InstitutionName)
		return each([]int64{f.HandlerID}, notice), nil
	case e.Type == "application.due_moved":
		return applicant(e.Type), nil
	case f.For == application.DueConfirm:
		return applicant("application.confirm_soon"), nil // what follows is a step that tells both sides
	}
	to := []int64{f.HandlerID}
	if f.HandlerID == 0 {
		var err error
		if to, err = n.audience.InstitutionUsers(ctx, tx, f.InstitutionID); err != nil {
			return nil, err
		}
	}
	if e.Type == "application.due_warned" {
		return each(to, notice), nil
	}
	supervisors, err := n.audience.UsersWith(ctx, tx, application.PermSupervise)
	return append(each(union(to, supervisors), notice), applicant("application.overdue_to_applicant")...), err
}

// ofCompleted tells whoever did not end the application: the applicant, and the institution when the company confirmed or
// let its time pass.
func (n notices) ofCompleted(ctx context.Context, tx bun.Tx, f applicationFact, notice message.Notice) ([]message.Notice, error) {
	var told []message.Notice
	if f.UserID != 0 && f.By != application.ByCompany {
		told = append(told, notice)
	}
	if f.By == "" {
		return told, nil
	}
	notice.Template = map[string]string{application.ByCompany: "application.confirmed", application.ByTime: "application.lapsed"}[f.By]
	to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
	return append(told, each(to, notice)...), err
}

// ofUndone tells both sides that a step was taken back, but for who did it.
func (n notices) ofUndone(ctx context.Context, tx bun.Tx, f applicationFact, notice message.Notice) ([]message.Notice, error) {
	notice.Params["step"], notice.Params["reason"] = f.Label, strings.TrimRight(f.Reason, "。")
	var told []message.Notice
	if f.UserID != 0 {
		told = append(told, notice)
	}
	notice.Template = "application.undone_inside"
	to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
	to = slices.DeleteFunc(slices.Clone(to), func(id int64) bool { return id == f.ByID })
	return append(told, each(to, notice)...), err
}
