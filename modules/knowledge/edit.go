package knowledge

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

// Ref names the entry a command is about.
type Ref struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // the version the actor saw; a newer one is a conflict
	Key     string `json:"-"`       // idempotency key; the same key answers with the first outcome
}

type outcome struct {
	ID int64 `json:"id"`
}

// CreateEntry asks to begin an entry. UnitID is the unit that answers for it, 0 for the platform; who works for a unit
// begins entries of that unit only.
type CreateEntry struct {
	Key    string `json:"-"`
	UnitID int64
	Text
}

// Create begins an entry with its first edition as a draft. It needs knowledge.edit.
func (s *Service) Create(ctx context.Context, actor access.Actor, cmd CreateEntry) (View, error) {
	if err := need(actor, PermEdit); err != nil {
		return View{}, err
	}
	t, err := cmd.Text.cleaned()
	if err != nil {
		return View{}, err
	}
	if !everywhere(actor) {
		cmd.UnitID = actor.DepartmentID
	}
	var done outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "knowledge.create", Key: cmd.Key, Request: cmd, Now: s.clock.Now(),
		}, func() (outcome, error) {
			k, _, err := s.create(ctx, tx, actor, cmd.UnitID, t)
			if err != nil {
				return outcome{}, err
			}
			return outcome{k.ID}, nil
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("create knowledge: %w", err)
	}
	return s.Get(ctx, actor, done.ID)
}

// create writes the entry with everything that belongs to it.
func (s *Service) create(ctx context.Context, tx bun.Tx, actor access.Actor, unit int64, t Text) (*Entry, *Edition, error) {
	now := s.clock.Now()
	if err := s.known(ctx, tx, t); err != nil {
		return nil, nil, err
	}
	k := &Entry{Text: t, Status: Draft, Version: 1, Work: 1, Last: 1, OwnerID: actor.UserID, OwnerName: actor.Name, CreatedAt: now, UpdatedAt: now}
	if unit != 0 {
		u, err := s.units.Unit(ctx, tx, unit)
		if fault.KindOf(err) == fault.NotFound {
			return nil, nil, fault.InvalidField("unitId", "KNOWLEDGE_UNIT", "责任单位不存在或已撤销，请重新选择")
		} else if err != nil {
			return nil, nil, err
		}
		k.UnitID, k.UnitName = u.ID, u.Name
		k.UnitL1, k.UnitL2, k.UnitL3, k.UnitL4 = u.Levels[0], u.Levels[1], u.Levels[2], u.Levels[3]
	}
	if _, err := tx.NewInsert().Model(k).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return nil, nil, fmt.Errorf("insert knowledge: %w", err)
	}
	d := &Edition{Text: t, EntryID: k.ID, No: 1, State: EditionDraft, AuthorID: actor.UserID, AuthorName: actor.Name, EditorID: actor.UserID, CreatedAt: now}
	if _, err := tx.NewInsert().Model(d).Exec(ctx); err != nil {
		return nil, nil, fmt.Errorf("insert edition: %w", err)
	}
	if err := settle(ctx, tx, k); err != nil {
		return nil, nil, err
	}
	return k, d, s.record(ctx, tx, actor, k, Created{k.head(1)}, "create", "新建")
}

// record announces and audits what was done.
func (s *Service) record(ctx context.Context, tx bun.Tx, actor access.Actor, k *Entry, fact event.Fact, action, word string) error {
	now := s.clock.Now()
	if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{
		Action: "knowledge." + action, Object: Object, ObjectID: k.ID, Summary: word + "知识条目“" + k.Title + "”", Detail: fact,
	})
}

// editions are those a step works with; nil where there is none.
type editions struct{ work, live *Edition }

// change is the frame of every command on an entry: right, key, entry, version, step, event, audit, in one transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, action Action, ref Ref, request any,
	step func(ctx context.Context, tx bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error),
) (View, error) {
	if err := need(actor, wordOf(action).Right); err != nil {
		return View{}, err
	}
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "knowledge." + string(action), Key: ref.Key, Request: request, Now: s.clock.Now(),
		}, func() (outcome, error) {
			k, err := find(ctx, tx, actor, s.today(), ref.ID)
			if err != nil {
				return outcome{}, err
			}
			if err := may(actor, k, action); err != nil {
				return outcome{}, err
			}
			if k.Version != ref.Version {
				return outcome{}, stale(ctx, tx, k.ID)
			}
			return outcome{k.ID}, s.apply(ctx, tx, actor, action, k, step)
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s knowledge %d: %w", action, ref.ID, err)
	}
	return s.Get(ctx, actor, ref.ID)
}

// apply takes the step and writes what came of it.
func (s *Service) apply(ctx context.Context, tx bun.Tx, actor access.Actor, action Action, k *Entry,
	step func(ctx context.Context, tx bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error),
) error {
	var e editions
	var err error
	if e.work, err = edition(ctx, tx, k.ID, k.Work); err != nil {
		return err
	}
	if e.live, err = edition(ctx, tx, k.ID, k.Live); err != nil {
		return err
	}
	fact, err := step(ctx, tx, k, &e)
	if err != nil {
		return err
	}
	read := k.Version
	k.UpdatedAt = s.clock.Now()
	if err := save(ctx, tx, k, read); errors.Is(err, fault.ErrChanged) {
		return stale(ctx, tx, k.ID)
	} else if err != nil {
		return err
	}
	for _, d := range []*Edition{e.live, e.work} {
		if d == nil {
			continue
		}
		if err := saveEdition(ctx, tx, d); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, actor, k, fact(k), string(action), wordOf(action).Label)
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
	return ErrStale.With("知识条目已更新：%s于%s进行了“%s”，请刷新后再操作", last.By(), clock.Show(last.At), labels[last.Type])
}

// EditEntry replaces what the edition being written says. Change tells what is new, for the reviewer and the history.
type EditEntry struct {
	Ref
	Text
	Change string
}

// Edit changes the edition being written. It returns ErrNotFound for an entry that the actor does not see, ErrForbidden when
// it is not theirs to write, and a Conflict that says what changed when Version is stale or nothing is being written.
func (s *Service) Edit(ctx context.Context, actor access.Actor, cmd EditEntry) (View, error) {
	t, err := cmd.Text.cleaned()
	note, err2 := changeNote(cmd.Change)
	if err := fault.Merge(err, err2); err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToEdit, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
		if err := s.known(ctx, tx, t); err != nil {
			return nil, err
		}
		if err := k.Edit(e.work, actor.UserID, t, note); err != nil {
			return nil, err
		}
		return func(k *Entry) event.Fact { return Edited{k.head(k.Work)} }, nil
	})
}

// Submit asks for the review of the edition being written. Errors as Edit, and ErrSame when it says nothing new.
func (s *Service) Submit(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	return s.change(ctx, actor, ToSubmit, ref, ref, func(_ context.Context, _ bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
		return func(k *Entry) event.Fact { return Submitted{k.head(k.Work)} }, k.Submit(e.work, e.live, actor.UserID)
	})
}

// Publish puts the edition in review in force at once; from its first day on it is found. Errors as Edit, with
// knowledge.review, and ErrOwnWork for whoever took part in it.
func (s *Service) Publish(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	return s.change(ctx, actor, ToPublish, ref, ref, func(_ context.Context, _ bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
		return func(k *Entry) event.Fact { return Issued{k.head(k.Live)} }, k.Publish(e.work, e.live, s.clock.Now(), actor.UserID, actor.Name)
	})
}

// ReasonedEntry is a command that needs its reason.
type ReasonedEntry struct {
	Ref
	Reason string
}

// Return sends the edition in review back with what to mend. Errors as Edit, with knowledge.review.
func (s *Service) Return(ctx context.Context, actor access.Actor, cmd ReasonedEntry) (View, error) {
	why, err := reason(cmd.Reason)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToReturn, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
		return func(k *Entry) event.Fact { return Returned{k.head(k.Work), why} }, k.Return(e.work, why)
	})
}

// Revise begins a new edition from the one in force, or from the last that was. Errors as Edit.
func (s *Service) Revise(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	return s.change(ctx, actor, ToRevise, ref, ref, func(ctx context.Context, tx bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
		from := e.live
		if from == nil {
			var err error
			if from, err = newest(ctx, tx, k.ID); err != nil {
				return nil, err
			}
		}
		d, err := k.Revise(from, s.clock.Now(), actor.UserID, actor.Name)
		if err != nil {
			return nil, err
		}
		if _, err := tx.NewInsert().Model(d).Exec(ctx); err != nil {
			return nil, fmt.Errorf("insert edition: %w", err)
		}
		k.mirror(d)
		return func(k *Entry) event.Fact { return Revised{k.head(k.Work)} }, nil
	})
}

// Discard gives the edition being written up; the one in force stays. Errors as Edit.
func (s *Service) Discard(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	return s.change(ctx, actor, ToDiscard, ref, ref, func(_ context.Context, _ bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
		given := k.Work
		return func(k *Entry) event.Fact { return Discarded{k.head(given)} }, k.Discard(e.work, s.clock.Now())
	})
}

// ConfirmEntry says that what is in force is right until a day, "" without end.
type ConfirmEntry struct {
	Ref
	Until string
}

// Confirm gives what is in force a new last day after it was checked. Errors as Edit, with knowledge.review, and ErrOwnWork
// for whoever wrote it.
func (s *Service) Confirm(ctx context.Context, actor access.Actor, cmd ConfirmEntry) (View, error) {
	until, err := date("validUntil", cmd.Until)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToConfirm, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
		return func(k *Entry) event.Fact { return Confirmed{k.head(k.Live), until} }, k.Confirm(e.live, s.clock.Now(), until, actor.UserID)
	})
}

// Withdraw takes what is in force away at once. Errors as Edit.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd ReasonedEntry) (View, error) {
	why, err := reason(cmd.Reason)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToWithdraw, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
		gone := k.Live
		return func(k *Entry) event.Fact { return Withdrew{k.head(gone), why} }, k.Withdraw(e.live, s.clock.Now(), why)
	})
}

// Past is an entry that was in force before, with who wrote it and who let it out.
type Past struct {
	Text
	UnitID    int64
	Author    access.Actor
	Publisher access.Actor
}

// Load takes entries over from an older knowledge base or a demo: each is written, submitted and published as by the
// commands. It returns their ids. Only the system may.
func (s *Service) Load(ctx context.Context, actor access.Actor, list []Past) ([]int64, error) {
	if actor.Party != access.System {
		return nil, ErrForbidden
	}
	ids := make([]int64, 0, len(list))
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, p := range list {
			t, err := p.Text.cleaned()
			if err != nil {
				return fmt.Errorf("load %q: %w", p.Title, err)
			}
			k, _, err := s.create(ctx, tx, p.Author, p.UnitID, t)
			if err != nil {
				return fmt.Errorf("load %q: %w", p.Title, err)
			}
			err = s.apply(ctx, tx, p.Author, ToSubmit, k, func(_ context.Context, _ bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
				return func(k *Entry) event.Fact { return Submitted{k.head(k.Work)} }, k.Submit(e.work, e.live, p.Author.UserID)
			})
			if err != nil {
				return err
			}
			err = s.apply(ctx, tx, p.Publisher, ToPublish, k, func(_ context.Context, _ bun.Tx, k *Entry, e *editions) (func(k *Entry) event.Fact, error) {
				return func(k *Entry) event.Fact { return Issued{k.head(k.Live)} }, k.Publish(e.work, e.live, s.clock.Now(), p.Publisher.UserID, p.Publisher.Name)
			})
			if err != nil {
				return fmt.Errorf("load %q: %w", p.Title, err)
			}
			ids = append(ids, k.ID)
		}
		return nil
	})
	return ids, err
}
