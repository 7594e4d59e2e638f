package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/evaluation"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/onelink"
)

// joinEvaluations makes what companies say of the services they were given. Applications are evaluated; the judgement of a
// ticket is part of its call-back and kept with it, asked and checked by the form of its kind.
func (h *house) joinEvaluations(c Config) {
	h.links = &onelink.Maker{DB: h.db, Clock: h.clock, Box: h.box}
	d := evaluation.Deps{
		DB: h.db, Clock: h.clock, Links: h.links,
		Subjects: map[string]evaluation.Subjects{application.Object: evaluated{h.applications}},
		Paths:    map[string]string{application.Object: "/applications"},
		ProductName: func(ctx context.Context, id int64) (string, error) {
			o, err := h.catalog.Offer(ctx, h.db.Read(), id)
			return o.Name, err
		},
		InstitutionName: func(ctx context.Context, id int64) (string, error) {
			return h.institutions.InstitutionName(ctx, h.db.Read(), id)
		},
	}
	for _, k := range catalog.Kinds() {
		d.Kinds = append(d.Kinds, evaluation.Kind{Code: k.Code, Name: k.Name})
	}
	d.Kinds = append(d.Kinds, evaluation.Kind{Code: evaluation.KindOfTickets, Name: "诉求办理"})
	if c.PublicURL != "" {
		d.Texts = evaluationTexts{h.messages, strings.TrimSuffix(c.PublicURL, "/")}
	}
	h.evaluations = evaluation.New(d)
	h.tasks = append(h.tasks, h.evaluations.Tasks()...)
	h.listeners = append(h.listeners, event.Listener{Name: "evaluation.ended", Handle: h.serviceEnded})
	h.applications.ShowBeside(h.evaluations.Panel(application.Object, "/applications"))
	h.catalog.Beside = h.evaluations.Public
}

// ticketJudging asks the requesters of tickets by the evaluations' form. The house's evaluations are made after its tickets.
type ticketJudging struct{ *house }

var _ ticket.Judging = ticketJudging{}

// JudgeForm is the form in force.
func (j ticketJudging) JudgeForm(ctx context.Context, db bun.IDB) (ticket.JudgeForm, error) {
	f, err := j.evaluations.InForce(ctx, db, evaluation.KindOfTickets)
	out := ticket.JudgeForm{Question: f.After}
	for _, l := range f.Levels {
		out.Levels = append(out.Levels, ticket.JudgeLevel(l))
	}
	return out, err
}

// CheckJudgement holds an answer against it.
func (j ticketJudging) CheckJudgement(ctx context.Context, db bun.IDB, said *ticket.Judgement) error {
	a := evaluation.Answer{Level: said.Level, Tags: said.Tags, Words: said.Words}
	err := j.evaluations.CheckAnswer(ctx, db, evaluation.KindOfTickets, &a)
	said.Tags, said.Words = a.Tags, a.Words
	return err
}

// serviceEnded tells the evaluations of applications that ended well.
func (h *house) serviceEnded(ctx context.Context, tx bun.Tx, e event.Event) error {
	if e.Type != "application.completed" {
		return nil
	}
	var f application.Head
	if err := e.Decode(&f); err != nil {
		return err
	}
	return h.evaluations.Ended(ctx, tx, application.Object, f.ID, f.InstitutionID, f.InstitutionName, e.At)
}

// evaluated are the applications as services that are evaluated.
type evaluated struct{ *application.Service }

var _ evaluation.Subjects = evaluated{}

// Subject returns an application that the actor may see. It is evaluated from the moment the institution took it on.
func (a evaluated) Subject(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (evaluation.Subject, error) {
	v, err := a.Case(ctx, db, actor, id)
	if err != nil {
		return evaluation.Subject{}, err
	}
	out := evaluation.Subject{
		Object: application.Object, ID: v.ID, Number: v.Number, Title: v.ProductName, Kind: v.Kind, KindName: v.KindName, ProductID: v.ProductID,
		InstitutionID: v.InstitutionID, InstitutionName: v.InstitutionName, EnterpriseID: v.EnterpriseID, EnterpriseName: v.EnterpriseName, UserID: v.UserID,
	}
	switch {
	case v.Status == application.Refused:
		out.Phase, out.Refused = evaluation.After, true
	case v.Status == application.Dropped || v.Status == application.Waiting:
	case v.ClosedAt != nil:
		out.Phase = evaluation.After
	case v.Status == application.Lacking && v.HandlerID == 0: // asked for more before it was taken on
	default:
		out.Phase = evaluation.During
	}
	return out, nil
}

// Mobile is the number left with the application, when it is a mobile phone.
func (a evaluated) Mobile(ctx context.Context, db bun.IDB, id int64) (string, error) {
	phone, err := a.CasePhone(ctx, db, access.SystemActor("evaluation.remind"), id)
	if err != nil || len(phone) != 11 || phone[0] != '1' {
		return "", err
	}
	return phone, nil
}

// evaluationTexts sends the link of a reminder.
type evaluationTexts struct {
	messages *message.Service
	site     string
}

var _ evaluation.Texts = evaluationTexts{}

// Remind writes the message to the outbox.
func (t evaluationTexts) Remind(ctx context.Context, tx bun.Tx, phone, title, token string) error {
	return t.messages.Text(ctx, tx, message.Text{Phone: phone, Template: message.EvaluateTemplate, Params: map[string]string{"product": title, "site": t.site, "code": token}})
}

// ofEvaluation tells the institution what was said of it, the company what was replied, and the operators what they have to decide.
func (n notices) ofEvaluation(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f struct {
		evaluation.Head
		Reason      string            `json:"reason"`
		Result      evaluation.Result `json:"result"`
		Institution bool              `json:"institution"`
	}
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Link: fmt.Sprintf("/evaluations?open=%d", f.ID), Params: map[string]string{
		"title": f.Title, "number": f.Number, "enterpriseName": f.EnterpriseName, "institutionName": f.InstitutionName, "level": f.Label, "reason": strings.TrimRight(f.Reason, "。"),
	}}
	company := notice
	company.UserID, company.Link = f.UserID, fmt.Sprintf("/applications/%d/evaluation", f.ObjectID)
	switch e.Type {
	case "evaluation.given", "evaluation.revised":
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		return each(to, notice), err
	case "evaluation.replied":
		return []message.Notice{company}, nil
	case "evaluation.reported":
		to, err := n.audience.UsersWith(ctx, tx, evaluation.PermModerate)
		return each(to, notice), err
	case "evaluation.decided":
		var told []message.Notice
		if f.Result == evaluation.Second {
			notice.Template = "evaluation.second"
			to, err := n.audience.UsersWith(ctx, tx, evaluation.PermModerate)
			if err != nil {
				return nil, err
			}
			told = append(told, each(to, notice)...)
		} else if f.Institution {
			to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
			if err != nil {
				return nil, err
			}
			notice.Params["level"] = map[evaluation.Result]string{evaluation.Kept: "评价保留", evaluation.Hid: "文字已隐藏，评分仍计入", evaluation.Void: "文字已隐藏，评分不计入"}[f.Result]
			told = append(told, each(to, notice)...)
		}
		if f.Result == evaluation.Hid || f.Result == evaluation.Void || f.Result == evaluation.Second {
			company.Template = "evaluation.hidden"
			told = append(told, company)
		}
		return told, nil
	}
	return nil, nil
}
