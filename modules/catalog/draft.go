package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// DraftProduct asks to begin a product.
type DraftProduct struct {
	Key     string `json:"-"`
	Content Content
}

// Draft begins a product of the actor's institution. It needs product.edit of an operator; a draft may have gaps, but
// nothing in it may be wrong.
func (s *Service) Draft(ctx context.Context, actor access.Actor, cmd DraftProduct) (View, error) {
	if err := actor.Need(PermEdit); err != nil {
		return View{}, err
	}
	if actor.Party != access.Institution || actor.InstitutionID == 0 {
		return View{}, ErrForbidden
	}
	c, err := s.cleaned(ctx, actor, cmd.Content)
	if err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	var done outcome
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "product.draft", Key: cmd.Key, Request: c, Now: now}, func() (outcome, error) {
			by, err := s.Institutions.Institution(ctx, tx, actor.InstitutionID)
			if err != nil {
				return outcome{}, err
			}
			d := begun(now, by, c)
			if _, err := tx.NewInsert().Model(d.Product).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				return outcome{}, fmt.Errorf("insert product: %w", err)
			}
			d.newest.ProductID = d.ID
			if _, err := tx.NewInsert().Model(d.newest).Exec(ctx); err != nil {
				return outcome{}, fmt.Errorf("insert edition: %w", err)
			}
			if err := s.keepValues(ctx, tx, d); err != nil {
				return outcome{}, err
			}
			if err := s.keepFiles(ctx, tx, actor, d); err != nil {
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, Drafted{d.head(d.newest)}); err != nil {
				return outcome{}, err
			}
			return outcome{d.ID}, audit.Write(ctx, tx, actor, now, d.draftRecord())
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("draft product: %w", err)
	}
	return s.Get(ctx, actor, done.ID)
}

// begun is a product of which only the first draft is there, without its id.
func begun(now time.Time, by Provider, c Content) *dossier {
	return &dossier{
		Product: &Product{InstitutionID: by.ID, InstitutionName: by.Name, InstitutionActive: by.Active, Name: c.Name, Kind: c.Kind,
			FinancingKind: c.FinancingKind, Status: Draft, StatusAt: now, Edition: 1, Version: 1, CreatedAt: now},
		newest: &Edition{Number: 1, Content: c, NameKey: nameKey(c.Name), Status: Draft, CreatedAt: now, UpdatedAt: now},
	}
}

func (d *dossier) draftRecord() audit.Record {
	return audit.Record{Action: "product.draft", Object: Object, ObjectID: d.ID, Summary: "新建产品 " + d.Name}
}

// EditProduct asks to replace the content of a draft.
type EditProduct struct {
	Ref
	Content Content
}

// Edit replaces the content of the newest edition while it is a draft, returned or withdrawn. It returns ErrNotFound for
// a product of another institution, ErrForbidden without product.edit, and a conflict that says what changed when the
// version is stale or the state does not allow it.
func (s *Service) Edit(ctx context.Context, actor access.Actor, cmd EditProduct) (View, error) {
	c, err := s.cleaned(ctx, actor, cmd.Content)
	if err != nil {
		return View{}, err
	}
	cmd.Content = c
	err = s.change(ctx, actor, ToEdit, cmd.Ref, cmd, func(d *dossier, now time.Time) (effect, error) {
		before := d.newest.Content
		err := d.Edit(now, c)
		return effect{about: d.newest, fact: func(h Head) event.Fact { return Edited{h} }, summary: "修改产品", detail: fieldsOf(s.changes(before, c))}, err
	})
	return s.after(ctx, actor, cmd.ID, err)
}

// fieldsOf names the fields that changed, for the audit log.
func fieldsOf(changes []Change) []string {
	out := []string{}
	for _, c := range changes {
		out = append(out, c.Label)
	}
	return out
}

// after answers a command with the product as it stands.
func (s *Service) after(ctx context.Context, actor access.Actor, id int64, err error) (View, error) {
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, id)
}

// SubmitProduct asks to send the newest edition to review.
type SubmitProduct struct{ Ref }

// Submit sends the newest edition to review when it is complete and its institution is in service. Errors as Edit.
func (s *Service) Submit(ctx context.Context, actor access.Actor, cmd SubmitProduct) (View, error) {
	// What is asked goes by the kind, and the kind by the version: the command refuses a product that changed meanwhile.
	asked, err := s.askedOf(ctx, actor, cmd.ID)
	if err != nil {
		return View{}, err
	}
	err = s.change(ctx, actor, ToSubmit, cmd.Ref, cmd, func(d *dossier, now time.Time) (effect, error) {
		return d.submitted(), d.Submit(now, actor, asked)
	})
	return s.after(ctx, actor, cmd.ID, err)
}

func (d *dossier) submitted() effect {
	return effect{about: d.newest, fact: func(h Head) event.Fact { return Submitted{h} }, summary: "提交产品审核"}
}

// WithdrawProduct asks to take an edition back from review.
type WithdrawProduct struct{ Ref }

// Withdraw takes the newest edition back before a decision. Errors as Edit.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd WithdrawProduct) (View, error) {
	err := s.change(ctx, actor, ToWithdraw, cmd.Ref, cmd, func(d *dossier, now time.Time) (effect, error) {
		return effect{about: d.newest, fact: func(h Head) event.Fact { return Withdrawn{h} }, summary: "撤回产品"}, d.Withdraw(now)
	})
	return s.after(ctx, actor, cmd.ID, err)
}

// ReviseProduct asks to begin the next edition.
type ReviseProduct struct{ Ref }

// Revise begins the next edition with the content of the last; what is public stays as it is. Errors as Edit.
func (s *Service) Revise(ctx context.Context, actor access.Actor, cmd ReviseProduct) (View, error) {
	err := s.change(ctx, actor, ToRevise, cmd.Ref, cmd, func(d *dossier, now time.Time) (effect, error) {
		err := d.Revise(now)
		return effect{about: d.newest, fact: func(h Head) event.Fact { return Revised{h} }, summary: "新建产品版本"}, err
	})
	return s.after(ctx, actor, cmd.ID, err)
}

// UnlistProduct asks to take an own product off the list.
type UnlistProduct struct {
	Ref
	Reason string
}

// Unlist takes the public edition of an own product off the list; running applications go on. Errors as Edit.
func (s *Service) Unlist(ctx context.Context, actor access.Actor, cmd UnlistProduct) (View, error) {
	return s.leave(ctx, actor, ToUnlist, cmd.Ref, cmd.Reason, true)
}

// leave is the end of a public edition by a person.
func (s *Service) leave(ctx context.Context, actor access.Actor, a Action, ref Ref, why string, own bool) (View, error) {
	reason, err := text.Block("reason", why, 2, 500)
	if err != nil {
		var e entry
		e.note(err, "reason", "下架原因")
		return View{}, joined(e.errs)
	}
	err = s.change(ctx, actor, a, ref, []any{ref, reason}, func(d *dossier, now time.Time) (effect, error) {
		e := d.about(a)
		return effect{about: e, public: true, summary: "下架产品", detail: map[string]string{"reason": reason},
			fact: func(h Head) event.Fact { return Unlisted{Head: h, Reason: reason, Own: own} }}, d.Leave(now, a, reason)
	})
	return s.after(ctx, actor, ref.ID, err)
}
