package policy

import (
	"context"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Submit hands the draft to whoever publishes. It returns ErrUnfit, with what stands in the way, for a draft that could not
// be published. It needs policy.edit.
func (s *Service) Submit(ctx context.Context, actor access.Actor, ref EditRef) (EditionView, error) {
	if err := library(actor, PermEdit); err != nil {
		return EditionView{}, err
	}
	ref.Note = text.Truncate(strings.TrimSpace(ref.Note), maxShort)
	return s.step(ctx, actor, "submit", ref, ref, false, func(ctx context.Context, tx bun.Tx, p *Policy, e *edition) (event.Fact, string, error) {
		if e.State != Drafting {
			return nil, "", ErrEditionState.With("稿件%s，不能重复提交", e.State.Label())
		}
		if _, err := s.fit(ctx, tx, p, e); err != nil {
			return nil, "", err
		}
		e.State, e.Note, e.Reason, e.SubmitterID, e.SubmitterName = InReview, ref.Note, "", actor.UserID, nameOf(actor)
		return Submitted{p.head(), e.No, ref.Note}, "提交审核 " + p.Title, s.moveEdition(ctx, tx, e)
	})
}

// fit returns what an edition would publish, ErrUnfit or ErrBase with the reasons when it cannot be published.
func (s *Service) fit(ctx context.Context, tx bun.Tx, p *Policy, e *edition) (Content, error) {
	c, err := e.content()
	if err != nil {
		return c, err
	}
	checked, open, err := s.unfit(ctx, tx, p, e, c)
	if err != nil {
		return c, err
	}
	if len(open) == 0 {
		return checked, nil
	}
	f := *ErrUnfit.With("稿件还不能发布：%s", open[0].Message)
	if open[0].Name == "base" {
		f = *ErrBase
	}
	f.Fields = open
	return c, &f
}

// Recall takes an edition back from review to work on it. It needs policy.edit.
func (s *Service) Recall(ctx context.Context, actor access.Actor, ref EditRef) (EditionView, error) {
	if err := library(actor, PermEdit); err != nil {
		return EditionView{}, err
	}
	return s.step(ctx, actor, "recall", ref, ref, false, func(ctx context.Context, tx bun.Tx, p *Policy, e *edition) (event.Fact, string, error) {
		if e.State != InReview {
			return nil, "", ErrEditionState.With("稿件%s，不能撤回", e.State.Label())
		}
		e.State = Drafting
		return Edited{p.head()}, "撤回送审 " + p.Title, s.moveEdition(ctx, tx, e)
	})
}

// Return gives an edition back to its editors, with the reason. It needs policy.publish.
func (s *Service) Return(ctx context.Context, actor access.Actor, ref EditRef) (EditionView, error) {
	if err := library(actor, PermPublish); err != nil {
		return EditionView{}, err
	}
	ref.Note = text.Truncate(strings.TrimSpace(ref.Note), maxShort)
	if ref.Note == "" {
		return EditionView{}, fault.InvalidField("note", "POLICY_REASON", "请填写退回原因，便于修改")
	}
	return s.step(ctx, actor, "return", ref, ref, false, func(ctx context.Context, tx bun.Tx, p *Policy, e *edition) (event.Fact, string, error) {
		if e.State != InReview {
			return nil, "", ErrEditionState.With("稿件%s，不能退回", e.State.Label())
		}
		e.State, e.Reason = Drafting, ref.Note
		return SentBack{p.head(), e.No, e.SubmitterID, ref.Note}, "退回稿件 " + p.Title, s.moveEdition(ctx, tx, e)
	})
}

// Release publishes an edition in review: the policy says what it says from then on. It needs policy.publish, and
// ErrOwnEdit comes back for whoever edited it last or submitted it, ErrUnfit when an example company breaks.
func (s *Service) Release(ctx context.Context, actor access.Actor, ref EditRef) (EditionView, error) {
	if err := library(actor, PermPublish); err != nil {
		return EditionView{}, err
	}
	return s.step(ctx, actor, "release", ref, ref, false, func(ctx context.Context, tx bun.Tx, p *Policy, e *edition) (event.Fact, string, error) {
		if e.State != InReview {
			return nil, "", ErrEditionState.With("稿件%s，提交审核后才能发布", e.State.Label())
		}
		if err := e.mayPublish(actor); err != nil {
			return nil, "", err
		}
		if p.Status == Lapsed {
			return nil, "", ErrState.With("政策已失效，不能发布修订稿")
		}
		content, err := s.fit(ctx, tx, p, e)
		if err != nil {
			return nil, "", err
		}
		first := p.Status == Draft
		p.Status = Live
		p.take(content)
		p.UpdatedAt = s.clock.Now()
		if err := e.write(content); err != nil {
			return nil, "", err
		}
		if err := save(ctx, tx, p, p.Version); err != nil {
			return nil, "", err
		}
		if err := s.showFiles(ctx, tx, p.ID); err != nil {
			return nil, "", err
		}
		if err := s.force(ctx, tx, actor, p, e); err != nil {
			return nil, "", err
		}
		if first {
			return Published{p.head()}, "发布政策 " + p.Title, nil
		}
		return Revised{p.head()}, "发布政策修订 " + p.Title, nil
	})
}

// Discard gives a draft up. Its policy stays as it is. It needs policy.edit.
func (s *Service) Discard(ctx context.Context, actor access.Actor, ref EditRef) (EditionView, error) {
	if err := library(actor, PermEdit); err != nil {
		return EditionView{}, err
	}
	return s.step(ctx, actor, "discard", ref, ref, false, func(ctx context.Context, tx bun.Tx, p *Policy, e *edition) (event.Fact, string, error) {
		if e.State != Drafting {
			return nil, "", ErrEditionState.With("稿件%s，不能放弃", e.State.Label())
		}
		e.State = Discarded
		return Dropped{p.head(), e.No}, "放弃稿件 " + p.Title, s.moveEdition(ctx, tx, e)
	})
}

// moveEdition writes a change of state; who edited last stays.
func (s *Service) moveEdition(ctx context.Context, tx bun.Tx, e *edition) error {
	editor := access.Actor{UserID: e.EditorID, Name: e.EditorName}
	return saveEdition(ctx, tx, editor, e, s.clock.Now())
}

// WithdrawPolicy asks to take a published policy back from the public.
type WithdrawPolicy struct {
	Ref
	Reason string
}

// Withdraw takes a published policy back: nobody outside sees it, and it can be revised and published again. It needs
// policy.publish.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd WithdrawPolicy) (View, error) {
	if err := library(actor, PermPublish); err != nil {
		return View{}, err
	}
	if cmd.Reason = text.Truncate(strings.TrimSpace(cmd.Reason), maxShort); cmd.Reason == "" {
		return View{}, fault.InvalidField("reason", "POLICY_REASON", "请填写撤回原因")
	}
	return s.change(ctx, actor, "withdraw", "撤回政策", cmd.Ref, cmd, (*Policy).Withdraw, func(h Head) event.Fact { return Withdrawn{h, cmd.Reason} })
}

// Withdraw makes a published policy a draft again.
func (p *Policy) Withdraw() error {
	if p.Status != Live {
		return ErrState.With("政策当前为“%s”，只有现行有效的政策可以撤回", p.Status.Label())
	}
	p.Status = Draft
	return nil
}

// Waiting lists the editions that wait for a review and those that are being worked on, the longest untouched first.
func (s *Service) Waiting(ctx context.Context, actor access.Actor, state EditionState) ([]WaitingItem, error) {
	if err := library(actor, PermView); err != nil {
		return nil, err
	}
	if state != Drafting && state != InReview {
		return nil, fault.InvalidField("state", "POLICY_FILTER", "请选择“编辑中”或“待审核”")
	}
	var rows []struct {
		edition
		Title string `bun:"title"`
	}
	err := s.db.Read().NewSelect().TableExpr("policy_editions AS e").Join("JOIN policies AS p ON p.id = e.policy_id").
		ColumnExpr("e.*").ColumnExpr("p.title AS title").Where("e.state = ?", state).OrderExpr("e.updated_at, e.id").Limit(200).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	out := make([]WaitingItem, 0, len(rows))
	for i := range rows {
		e := &rows[i].edition
		title := rows[i].Title
		if c, err := e.content(); err == nil && c.Title != "" {
			title = c.Title
		}
		own := errors.Is(e.mayPublish(actor), ErrOwnEdit)
		out = append(out, WaitingItem{EditionItem: e.item(), PolicyID: e.PolicyID, Title: title, Own: own})
	}
	return out, nil
}

// WaitingItem is an edition that is not published yet.
type WaitingItem struct {
	EditionItem
	PolicyID int64  `json:"policyId"`
	Title    string `json:"title"`
	Own      bool   `json:"own" doc:"The actor edited or submitted it, so another person publishes it."`
}
