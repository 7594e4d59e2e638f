package evaluation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// outcome is what a repeat of a command needs to answer the same.
type outcome struct {
	ID int64 `json:"id"`
}

// Give is a company's word on a service in its present phase.
type Give struct {
	Object string
	ID     int64
	Answer
	Key string
}

// Give keeps the word of the company. It returns ErrNotFound when the actor cannot see the subject, ErrForbidden for everybody but
// the company's people, ErrPhase when there is nothing to evaluate, ErrGiven when somebody of the company was first.
func (s *Service) Give(ctx context.Context, actor access.Actor, cmd Give) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	var out outcome
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		out, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "evaluation.give", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			of, err := s.subject(ctx, tx, actor, cmd.Object, cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if actor.Party != access.Enterprise || actor.EnterpriseID != of.EnterpriseID {
				return outcome{}, ErrForbidden
			}
			id, err := s.give(ctx, tx, actor, of, cmd.Answer, false, now)
			return outcome{id}, err
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("evaluate %s %d: %w", cmd.Object, cmd.ID, err)
	}
	return s.Get(ctx, actor, out.ID)
}

// give keeps an evaluation of the subject's present phase.
func (s *Service) give(ctx context.Context, tx bun.Tx, actor access.Actor, of Subject, a Answer, byLink bool, now time.Time) (int64, error) {
	if of.Phase == "" {
		return 0, ErrPhase
	}
	form, err := inForce(ctx, tx, of.Kind)
	if err != nil {
		return 0, err
	}
	if a.FormID != 0 && a.FormID != form.ID {
		return 0, ErrStale.With("评价表已更新，请刷新后重新选择")
	}
	level, err := form.answer(&a)
	if err != nil {
		return 0, err
	}
	tags, err := json.Marshal(a.Tags)
	if err != nil {
		return 0, err
	}
	user := actor.UserID
	if byLink {
		user = of.UserID
	}
	v := &Evaluation{Version: 1, Subject: of.Object, SubjectID: of.ID, Phase: of.Phase, Number: of.Number, Title: of.Title, Kind: of.Kind, KindName: of.KindName,
		ProductID: of.ProductID, InstitutionID: of.InstitutionID, InstitutionName: of.InstitutionName, EnterpriseID: of.EnterpriseID, EnterpriseName: of.EnterpriseName,
		Refused: of.Refused, UserID: user, ByLink: byLink, FormID: form.ID, Level: a.Level, Label: level.Label, Tags: string(tags), Words: a.Words, GivenAt: now, Counts: true}
	fresh, err := database.InsertNew(ctx, tx, v, "object, object_id, phase")
	if err != nil {
		return 0, err
	}
	if !fresh {
		return 0, ErrGiven
	}
	if of.Phase == After {
		if _, err := database.Run(ctx, tx, "UPDATE evaluations SET superseded = TRUE, counts = FALSE, version = version + 1 WHERE object = ? AND object_id = ? AND phase = ?",
			of.Object, of.ID, During); err != nil {
			return 0, err
		}
	}
	if err := s.Links.End(ctx, tx, linkPurpose, of.Object, of.ID); err != nil {
		return 0, err
	}
	if _, err := event.Append(ctx, tx, actor, now, Given{v.head()}); err != nil {
		return 0, err
	}
	return v.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "evaluation.give", Object: Object, ObjectID: v.ID, Summary: "评价服务 " + v.Number,
		Detail: map[string]any{"level": v.Level, "phase": v.Phase, "link": byLink}})
}

// Step names the evaluation a command is about, at the version the actor saw.
type Step struct {
	ID      int64
	Version int64
	Key     string `json:"-"`
}

// change is the frame of every command on an evaluation: key, evaluation, version, step, event, audit, in one transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, operation string, step Step, request any,
	fn func(ctx context.Context, tx bun.Tx, v *Evaluation, now time.Time) (event.Fact, audit.Record, error),
) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "evaluation." + operation, Key: step.Key, Request: request, Now: now}, func() (outcome, error) {
			v, err := find(ctx, tx, actor, step.ID)
			if err != nil {
				return outcome{}, err
			}
			if v.Version != step.Version {
				return outcome{}, ErrStale
			}
			fact, record, err := fn(ctx, tx, v, now)
			if err != nil {
				return outcome{}, err
			}
			if err := save(ctx, tx, v); errors.Is(err, fault.ErrChanged) {
				return outcome{}, ErrStale
			} else if err != nil {
				return outcome{}, err
			}
			if fact != nil {
				if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
					return outcome{}, err
				}
			}
			record.Action, record.Object, record.ObjectID = "evaluation."+operation, Object, v.ID
			return outcome{v.ID}, audit.Write(ctx, tx, actor, now, record)
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s evaluation %d: %w", operation, step.ID, err)
	}
	return nil
}

// Revise is what the company says anew.
type Revise struct {
	Step
	Answer
}

// Revise replaces what was said, once and within the days of the rule; what was said first is kept.
func (s *Service) Revise(ctx context.Context, actor access.Actor, cmd Revise) (View, error) {
	err := s.change(ctx, actor, "revise", cmd.Step, cmd, func(ctx context.Context, tx bun.Tx, v *Evaluation, now time.Time) (event.Fact, audit.Record, error) {
		none := audit.Record{}
		if actor.Party != access.Enterprise || actor.EnterpriseID != v.EnterpriseID {
			return nil, none, ErrForbidden
		}
		r, err := rule(ctx, tx, 0)
		if err != nil {
			return nil, none, err
		}
		if err := v.revisable(r.Rule, now); err != nil {
			return nil, none, err
		}
		form, err := inForce(ctx, tx, v.Kind)
		if err != nil {
			return nil, none, err
		}
		if cmd.FormID != 0 && cmd.FormID != form.ID {
			return nil, none, ErrStale.With("评价表已更新，请刷新后重新选择")
		}
		level, err := form.answer(&cmd.Answer)
		if err != nil {
			return nil, none, err
		}
		first := firstRow{EvaluationID: v.ID, UserID: v.UserID, FormID: v.FormID, Level: v.Level, Label: v.Label, Tags: v.Tags, Words: v.Words, GivenAt: v.GivenAt}
		if _, err := tx.NewInsert().Model(&first).Exec(ctx); err != nil {
			return nil, none, err
		}
		tags, err := json.Marshal(cmd.Tags)
		if err != nil {
			return nil, none, err
		}
		v.UserID, v.ByLink, v.FormID, v.Level, v.Label, v.Tags, v.Words, v.RevisedAt = actor.UserID, false, form.ID, cmd.Level, level.Label, string(tags), cmd.Words, &now
		return Revised{v.head(), first.Level}, audit.Record{Summary: "修改服务评价 " + v.Number, Detail: map[string]any{"from": first.Level, "to": v.Level}}, nil
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.Step.ID)
}

// revisable says why an evaluation cannot be given anew.
func (v *Evaluation) revisable(r Rule, now time.Time) error {
	switch {
	case v.Voided || v.Hidden:
		return ErrStep.With("此评价经平台处理，不能修改")
	case v.RevisedAt != nil:
		return ErrRevised
	case v.Superseded:
		return ErrStep.With("服务已结束并评价，服务中的评价不再修改")
	case now.After(v.GivenAt.AddDate(0, 0, r.ReviseDays)):
		return ErrLate.With("评价后 %d 天内可以修改一次，已超过期限", r.ReviseDays)
	}
	return nil
}

// Reply is the institution's answer to an evaluation.
type Reply struct {
	Step
	Words string
}

// Reply keeps the institution's answer; it may be changed until the company has read it. It takes evaluation.reply of the
// evaluation's own institution.
func (s *Service) Reply(ctx context.Context, actor access.Actor, cmd Reply) (View, error) {
	if err := actor.Need(PermReply); err != nil {
		return View{}, err
	}
	words, err := text.Block("words", cmd.Words, 2, maxWords)
	if err != nil {
		return View{}, text.Named(err, "回复内容")
	}
	err = s.change(ctx, actor, "reply", cmd.Step, cmd, func(_ context.Context, _ bun.Tx, v *Evaluation, now time.Time) (event.Fact, audit.Record, error) {
		switch {
		case actor.Party != access.Institution || actor.InstitutionID != v.InstitutionID:
			return nil, audit.Record{}, ErrForbidden
		case v.Voided:
			return nil, audit.Record{}, ErrStep.With("此评价已不计分、不公开，无需回复")
		case v.ReplyReadAt != nil:
			return nil, audit.Record{}, ErrReplied
		}
		first := v.RepliedAt == nil
		v.Reply, v.ReplyBy, v.RepliedAt = words, actor.Name, &now
		if first {
			return Replied{v.head()}, audit.Record{Summary: "回复服务评价 " + v.Number}, nil
		}
		return nil, audit.Record{Summary: "修改对服务评价的回复 " + v.Number}, nil
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}
