package content

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// Publish lets an article out, now or from its wished time on. Errors as Edit, with content.publish, and ErrOwnWork for
// whoever took part in it.
func (s *Service) Publish(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	return s.change(ctx, actor, ToPublish, ref, ref, func(_ context.Context, _ bun.Tx, a *Article) (func(Head) event.Fact, error) {
		return func(h Head) event.Fact { return Published{h} }, a.Publish(s.clock.Now(), actor.UserID, actor.Name)
	})
}

// ReasonedArticle is a command that needs its reason.
type ReasonedArticle struct {
	Ref
	Reason string
}

// Return sends an article in review back with what to mend. Errors as Edit, with content.publish.
func (s *Service) Return(ctx context.Context, actor access.Actor, cmd ReasonedArticle) (View, error) {
	why, err := reason(cmd.Reason)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToReturn, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Article) (func(Head) event.Fact, error) {
		return func(h Head) event.Fact { return Returned{h, why} }, a.Return(why)
	})
}

// Withdraw takes a published article down at once. Errors as Edit, with content.edit or content.publish.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd ReasonedArticle) (View, error) {
	why, err := reason(cmd.Reason)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToWithdraw, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, a *Article) (func(Head) event.Fact, error) {
		return func(h Head) event.Fact { return Withdrew{h, why} }, a.Withdraw(why)
	})
}

// Past is an article that was published before, with who wrote it and who let it out.
type Past struct {
	Text
	At        time.Time
	Author    access.Actor
	Publisher access.Actor
}

// Load takes articles over from an older site or a demo: each is written, submitted and published as by the commands. Only
// the system may. An error leaves the articles before it in place.
func (s *Service) Load(ctx context.Context, actor access.Actor, list []Past) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	for _, p := range list {
		if err := s.load(ctx, p); err != nil {
			return fmt.Errorf("load %q: %w", p.Title, err)
		}
	}
	return nil
}

func (s *Service) load(ctx context.Context, p Past) error {
	t, err := p.Text.cleaned()
	if err != nil {
		return err
	}
	then := *s
	then.clock = at(p.At)
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		a, err := then.create(ctx, tx, p.Author, t)
		if err != nil {
			return err
		}
		err = then.apply(ctx, tx, p.Author, ToSubmit, a, func(_ context.Context, _ bun.Tx, a *Article) (func(Head) event.Fact, error) {
			return func(h Head) event.Fact { return Submitted{h} }, a.Submit(p.Author.UserID)
		})
		if err != nil {
			return err
		}
		return then.apply(ctx, tx, p.Publisher, ToPublish, a, func(_ context.Context, _ bun.Tx, a *Article) (func(Head) event.Fact, error) {
			return func(h Head) event.Fact { return Published{h} }, a.Publish(p.At, p.Publisher.UserID, p.Publisher.Name)
		})
	})
}

// at is a clock that stands still.
type at time.Time

// Now returns the moment.
func (t at) Now() time.Time { return time.Time(t).UTC().Truncate(time.Microsecond) }
