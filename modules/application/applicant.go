package application

import (
	"cmp"
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Withdraw asks to end an application because the company does not want it any more.
type Withdraw struct {
	Ref
	Reason string // optional
}

// Withdraw ends an application before its result. It returns ErrNotFound when the actor cannot see it, ErrForbidden for
// everybody but the company's people, and a conflict that says what changed when the version is stale or the state does not
// allow it.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd Withdraw) (View, error) {
	reason, err := block("reason", "撤回原因", cmd.Reason, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToWithdraw, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Application) (effect, error) {
		return withdrawn(reason), a.Withdraw(s.Clock.Now(), reason)
	})
}

// Supplement answers what the institution asked for.
type Supplement struct {
	Ref
	Note    string
	FileIDs []int64
	// Fields are the answers as they are to be to what administrators ask, by the keys of the fields; nil leaves them as they are.
	Fields map[string][]string `json:",omitempty"`
}

// Supplement supplies what is lacking, and puts answers right; the application goes on where it stopped. Errors as Withdraw; files must be the
// actor's own.
func (s *Service) Supplement(ctx context.Context, actor access.Actor, cmd Supplement) (View, error) {
	note, err := block("note", "补充说明", cmd.Note, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToSupplement, cmd.Ref, cmd.fingerprint(), func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		h, err := s.hours(ctx, tx)
		if err != nil {
			return effect{}, err
		}
		now := s.Clock.Now()
		changes, wrong := s.mend(ctx, tx, a, cmd.Fields, actor.Name, now)
		if _, ok := fault.As(wrong); wrong != nil && !ok {
			return effect{}, wrong
		}
		e := supplemented(note, cmd.FileIDs, changes)
		if len(changes) > 0 {
			e.after = func(ctx context.Context, tx bun.Tx, _ int64) error { return fullText.Put(ctx, tx, a.doc()) }
		}
		return e, cmp.Or(a.Supply(now, h), wrong)
	})
}

// fingerprint leaves the files out, as that of Submit does.
func (c Supplement) fingerprint() Supplement {
	c.FileIDs = nil
	return c
}
