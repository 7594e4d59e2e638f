package content

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Ref names the article a command is about.
type Ref struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // the version the actor saw; a newer one is a conflict
	Key     string `json:"-"`       // idempotency key; the same key answers with the first outcome
}

type outcome struct {
	ID int64 `json:"id"`
}

// CreateArticle asks to begin an article.
type CreateArticle struct {
	Key string `json:"-"`
	Text
}

// Create begins an article as a draft. It needs content.edit.
func (s *Service) Create(ctx context.Context, actor access.Actor, cmd CreateArticle) (View, error) {
	if err := need(actor, PermEdit); err != nil {
		return View{}, err
	}
	t, err := cmd.Text.cleaned()
	if err != nil {
		return View{}, err
	}
	var done outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "content.create", Key: cmd.Key, Request: cmd, Now: s.clock.Now(),
		}, func() (outcome, error) {
			a, err := s.create(ctx, tx, actor, t)
			if err != nil {
				return outcome{}, err
			}
			return outcome{a.ID}, nil
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("create article: %w", err)
	}
	return s.Get(ctx, actor, done.ID)
}

// create writes a draft with everything that belongs to it.
func (s *Service) create(ctx context.Context, tx bun.Tx, actor access.Actor, t Text) (*Article, error) {
	now := s.clock.Now()
	a := &Article{Status: Draft, Version: 1, AuthorID: actor.UserID, AuthorName: actor.Name, EditorID: actor.UserID, CreatedAt: now, UpdatedAt: now}
	a.write(t)
	if _, err := tx.NewInsert().Model(a).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return nil, fmt.Errorf("insert article: %w", err)
	}
	if err := index(ctx, tx, a); err != nil {
		return nil, err
	}
	if err := s.attach(ctx, tx, actor, a.ID, t.FileIDs); err != nil {
		return nil, err
	}
	return a, s.record(ctx, tx, actor, a, Created{a.head()}, "create", "新建")
}

// attach makes ids the files of the article: new ones are claimed, those no longer named are let go.
func (s *Service) attach(ctx context.Context, tx bun.Tx, actor access.Actor, article int64, ids []int64) error {
	had, err := filesOf(ctx, tx, article)
	if err != nil {
		return err
	}
	known := map[int64]bool{}
	for _, id := range had {
		known[id] = true
	}
	if _, err := tx.NewDelete().Model((*fileRow)(nil)).Where("article_id = ?", article).Exec(ctx); err != nil {
		return err
	}
	for i, id := range ids {
		if !known[id] {
			if err := s.files.Claim(ctx, tx, actor, id, Object, article); err != nil {
				return err
			}
			known[id] = true
		}
		row := fileRow{ArticleID: article, FileID: id, Place: i}
		if _, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("tie file %d: %w", id, err)
		}
	}
	return nil
}

// record announces and audits what was done.
func (s *Service) record(ctx context.Context, tx bun.Tx, actor access.Actor, a *Article, fact event.Fact, action, word string) error {
	if _, err := event.Append(ctx, tx, actor, a.UpdatedAt, fact); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, a.UpdatedAt, audit.Record{
		Action: "content." + action, Object: Object, ObjectID: a.ID, Summary: word + "《" + a.Title + "》", Detail: map[string]any{"kind": a.Kind, "status": a.Status},
	})
}

// change is the frame of every command on an article: right, key, article, version, step, event, audit, in one transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, action Action, ref Ref, request any,
	step func(ctx context.Context, tx bun.Tx, a *Article) (func(Head) event.Fact, error),
) (View, error) {
	if err := need(actor, rightsOf(action).Rights...); err != nil {
		return View{}, err
	}
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "content." + string(action), Key: ref.Key, Request: request, Now: s.clock.Now(),
		}, func() (outcome, error) {
			a, err := find(ctx, tx, visible(actor, s.clock.Now()), ref.ID)
			if err != nil {
				return outcome{}, err
			}
			if a.Version != ref.Version {
				return outcome{}, stale(ctx, tx, a.ID)
			}
			return outcome{a.ID}, s.apply(ctx, tx, actor, action, a, step)
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s article %d: %w", action, ref.ID, err)
	}
	return s.Get(ctx, actor, ref.ID)
}

// apply takes the step and writes what came of it.
func (s *Service) apply(ctx context.Context, tx bun.Tx, actor access.Actor, action Action, a *Article,
	step func(ctx context.Context, tx bun.Tx, a *Article) (func(Head) event.Fact, error),
) error {
	fact, err := step(ctx, tx, a)
	if err != nil {
		return err
	}
	read := a.Version
	a.UpdatedAt = s.clock.Now()
	if err := save(ctx, tx, a, read); errors.Is(err, fault.ErrChanged) {
		return stale(ctx, tx, a.ID)
	} else if err != nil {
		return err
	}
	return s.record(ctx, tx, actor, a, fact(a.head()), string(action), rightsOf(action).Label)
}

// stale says what changed meanwhile, who did it and when.
func stale(ctx context.Context, tx bun.Tx, id int64) error {
	events, err := event.Of(ctx, tx, Object, id)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return ErrStale
	}
	last := events[len(events)-1]
	return ErrStale.With("文章已更新：%s于%s进行了“%s”，请刷新后再操作", last.By(), clock.Show(last.At), labels[last.Type])
}

// EditArticle replaces the text of a draft.
type EditArticle struct {
	Ref
	Text
}

// Edit changes a draft. It returns ErrNotFound for an article that does not exist, ErrForbidden without content.edit, and a
// Conflict that says what changed when Version is stale or the article is no draft.
func (s *Service) Edit(ctx context.Context, actor access.Actor, cmd EditArticle) (View, error) {
	t, err := cmd.Text.cleaned()
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToEdit, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Article) (func(Head) event.Fact, error) {
		if err := a.Edit(actor.UserID, t); err != nil {
			return nil, err
		}
		return func(h Head) event.Fact { return Edited{h} }, s.attach(ctx, tx, actor, a.ID, t.FileIDs)
	})
}

// Submit asks for the review of a draft. Errors as Edit.
func (s *Service) Submit(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	return s.change(ctx, actor, ToSubmit, ref, ref, func(_ context.Context, _ bun.Tx, a *Article) (func(Head) event.Fact, error) {
		return func(h Head) event.Fact { return Submitted{h} }, a.Submit(actor.UserID)
	})
}

// Revise makes a withdrawn article a draft again. Errors as Edit.
func (s *Service) Revise(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	return s.change(ctx, actor, ToRevise, ref, ref, func(_ context.Context, _ bun.Tx, a *Article) (func(Head) event.Fact, error) {
		return func(h Head) event.Fact { return Revised{h} }, a.Revise(actor.UserID)
	})
}
