package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// noting is how often at most the saves of one person on one draft are announced and audited: a draft is saved as one types,
// and a row for every pause would bury those that matter. Who changed what is kept for every save.
const noting = 10 * time.Minute

// mostTyped bounds a draft in bytes.
const mostTyped = 600_000

// Enter takes an empty policy into the library, with its first edition as a draft. It needs policy.edit.
func (s *Service) Enter(ctx context.Context, actor access.Actor, key string) (EditionView, error) {
	if err := library(actor, PermEdit); err != nil {
		return EditionView{}, err
	}
	now := s.clock.Now()
	var done outcome
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.enter", Key: key, Now: now}, func() (outcome, error) {
			p := Policy{Status: Draft, Version: 1, CreatedAt: now, UpdatedAt: now}
			p.mirror(Content{Title: untitled}, s.schema, dayOf(now))
			if _, err := tx.NewInsert().Model(&p).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				return outcome{}, fmt.Errorf("insert policy: %w", err)
			}
			if err := index(ctx, tx, &p); err != nil {
				return outcome{}, err
			}
			p.Title = ""
			if err := s.insertEdition(ctx, tx, actor, &p, Drafting); err != nil {
				return outcome{}, err
			}
			return outcome{p.ID}, s.noteEdition(ctx, tx, actor, Added{p.head()}, "add", "录入政策", p.ID)
		})
		return err
	})
	if err != nil {
		return EditionView{}, fmt.Errorf("enter policy: %w", err)
	}
	return s.Edition(ctx, actor, done.ID, 0)
}

// untitled stands in lists for a policy whose title is not typed yet.
const untitled = "（未命名的政策）"

// mirror puts a draft that was never published into the policy's own row, so that staff find it; what is typed halfway is
// left out.
func (p *Policy) mirror(c Content, schema criteria.Schema, today string) {
	day := func(s *string, empty string) {
		if _, err := time.Parse(time.DateOnly, *s); err != nil {
			*s = empty
		}
	}
	day(&c.PublishedOn, today)
	for _, d := range []*string{&c.EffectiveOn, &c.OpensOn, &c.ClosesOn, &c.ExpiresOn} {
		day(d, "")
	}
	if c.Title == "" {
		c.Title = untitled
	}
	if _, err := criteria.Parse(c.Conditions, schema); err != nil {
		c.Conditions = nil
	}
	p.take(c)
}

// noteEdition announces and audits what was done with an edition.
func (s *Service) noteEdition(ctx context.Context, tx bun.Tx, actor access.Actor, fact event.Fact, action, summary string, id int64) error {
	now := s.clock.Now()
	if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy." + action, Object: Object, ObjectID: id, Summary: summary, Detail: fact})
}

// EditRef names the edition of a policy that is being worked on, at the version the actor saw.
type EditRef struct {
	PolicyID int64
	Version  int64
	Key      string `json:"-"`
	Note     string // of a submission: what the edition is about; of a return or a withdrawal: why
}

// Begin opens the next edition of a policy as a draft that says what is in force. Where one is open already it is returned.
// It needs policy.edit, and ErrState comes back for a policy that has lapsed.
func (s *Service) Begin(ctx context.Context, actor access.Actor, policy int64, key string) (EditionView, error) {
	if err := library(actor, PermEdit); err != nil {
		return EditionView{}, err
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.begin", Key: key, Request: policy, Now: now}, func() (outcome, error) {
			p, err := s.lock(ctx, tx, actor, policy)
			if err != nil {
				return outcome{}, err
			}
			if p.Status == Lapsed {
				return outcome{}, ErrState.With("政策已失效，不能修订，请另行录入新政策")
			}
			if _, err := openEdition(ctx, tx, policy); err == nil || !errors.Is(err, fault.ErrNotFound) {
				return outcome{policy}, err
			}
			if has(p.Conditions) {
				p.Conditions, _ = s.schema.Modern(p.Conditions) // what is in force is read in today's words anyhow
			}
			if err := s.insertEdition(ctx, tx, actor, p, Drafting); err != nil {
				return outcome{}, err
			}
			return outcome{p.ID}, s.noteEdition(ctx, tx, actor, Edited{p.head()}, "begin", "开始修订 "+p.Title, p.ID)
		})
		return err
	})
	if err != nil {
		return EditionView{}, fmt.Errorf("begin edition of policy %d: %w", policy, err)
	}
	return s.Edition(ctx, actor, policy, 0)
}

// lock reads the policy and holds its row until the transaction ends, so that two who begin do not both.
func (s *Service) lock(ctx context.Context, tx bun.Tx, actor access.Actor, id int64) (*Policy, error) {
	today := dayOf(s.clock.Now())
	return find(ctx, tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		if q = visible(q, actor, today); database.KindOf(tx) == database.Postgres {
			q = q.For("UPDATE")
		}
		return q
	}, id)
}

// SaveEdition asks to keep what was typed. Base is the edition the draft is to replace, as the actor has seen it.
type SaveEdition struct {
	EditRef
	Base int64
	Content
}

// Save keeps a draft as it stands, right or wrong. A version that is not the last gives ErrEdited, which names what others
// changed meanwhile; nothing of theirs is overwritten. What is saved already is not saved twice. It needs policy.edit.
func (s *Service) Save(ctx context.Context, actor access.Actor, cmd SaveEdition) (EditionView, error) {
	if err := library(actor, PermEdit); err != nil {
		return EditionView{}, err
	}
	cmd.Content = cmd.Content.whole()
	if err := cmd.Content.typed(); err != nil {
		return EditionView{}, err
	}
	return s.step(ctx, actor, "save", cmd.EditRef, cmd, true, func(ctx context.Context, tx bun.Tx, p *Policy, e *edition) (event.Fact, string, error) {
		was, err := e.content()
		if err != nil {
			return nil, "", err
		}
		fields := changed(was, cmd.Content)
		rebased := cmd.Base != e.Base && cmd.Base == p.Edition
		if len(fields) == 0 && !rebased {
			return nil, "", nil
		}
		if cmd.Version != e.Version {
			return nil, "", staleEdition(ctx, tx, e, cmd.Version)
		}
		if e.State != Drafting {
			return nil, "", ErrEditionState.With("稿件%s，撤回或退回后才能修改", e.State.Label())
		}
		return s.keepTyped(ctx, tx, actor, p, e, cmd, was, fields)
	})
}

// keepTyped writes the draft, the save, and the mirror in the policy's row.
func (s *Service) keepTyped(ctx context.Context, tx bun.Tx, actor access.Actor, p *Policy, e *edition, cmd SaveEdition, was Content, fields []string) (event.Fact, string, error) {
	now := s.clock.Now()
	if err := s.claim(ctx, tx, actor, p.ID, was.FileIDs, cmd.FileIDs); err != nil {
		return nil, "", err
	}
	if cmd.Base == p.Edition {
		e.Base = cmd.Base
	}
	if err := e.write(cmd.Content); err != nil {
		return nil, "", err
	}
	quiet := e.EditorID == actor.UserID && now.Sub(e.NotedAt) < noting
	if !quiet {
		e.NotedAt = now
	}
	before := e.Version
	if err := saveEdition(ctx, tx, actor, e, now); errors.Is(err, fault.ErrChanged) {
		if e, err = openEdition(ctx, tx, p.ID); err != nil {
			return nil, "", err
		}
		return nil, "", staleEdition(ctx, tx, e, cmd.Version)
	} else if err != nil {
		return nil, "", err
	}
	if err := noteSave(ctx, tx, actor, e, before, fields, quiet, now); err != nil {
		return nil, "", err
	}
	if p.Edition == 0 && p.Status == Draft {
		p.mirror(cmd.Content, s.schema, dayOf(now))
		p.UpdatedAt = now
		if err := save(ctx, tx, p, p.Version); err != nil {
			return nil, "", err
		}
	}
	if quiet {
		return nil, "", nil
	}
	return Edited{p.head()}, "编辑政策稿件 " + p.Title, nil
}

// noteSave keeps who changed what. The saves of one person in a row are one.
func noteSave(ctx context.Context, tx bun.Tx, actor access.Actor, e *edition, before int64, fields []string, quiet bool, now time.Time) error {
	row := saved{EditionID: e.ID, Version: e.Version, EditorID: actor.UserID, EditorName: nameOf(actor), At: now, Fields: fields}
	if quiet {
		var last saved
		err := tx.NewSelect().Model(&last).Where("edition_id = ? AND version = ?", e.ID, before).Scan(ctx)
		if err = database.Found(err); err == nil {
			for _, f := range last.Fields {
				if !slices.Contains(row.Fields, f) {
					row.Fields = append(row.Fields, f)
				}
			}
			if _, err := tx.NewDelete().Model((*saved)(nil)).Where("edition_id = ? AND version = ?", e.ID, before).Exec(ctx); err != nil {
				return err
			}
		} else if !errors.Is(err, fault.ErrNotFound) {
			return err
		}
	}
	_, err := tx.NewInsert().Model(&row).Exec(ctx)
	return err
}

// typed refuses what not even a draft may hold.
func (c Content) typed() error {
	raw, err := json.Marshal(c)
	if err != nil || !utf8.Valid(raw) {
		return fault.InvalidField("conditions", "POLICY_CONTENT", "申报条件不是有效的 JSON，请刷新页面后重试")
	}
	switch {
	case len(raw) > mostTyped, utf8.RuneCountInString(c.Text) > maxText:
		return fault.InvalidField("text", "POLICY_CONTENT", fmt.Sprintf("正文最多 %d 个字，请精简或以附件提供", maxText))
	case utf8.RuneCountInString(c.Title) > maxTitle:
		return fault.InvalidField("title", "POLICY_CONTENT", fmt.Sprintf("标题最多 %d 个字", maxTitle))
	case len(c.FileIDs) > maxFiles:
		return fault.InvalidField("fileIds", "POLICY_CONTENT", fmt.Sprintf("附件最多 %d 个，请删减", maxFiles))
	case strings.ContainsRune(c.Title+c.Text, 0):
		return fault.InvalidField("text", "POLICY_CONTENT", "正文含有无法识别的字符，请重新粘贴")
	}
	return nil
}

// step is the frame of every command on the open edition: key, policy, edition, version, step, event, audit, in one
// transaction. late lets the step itself see to a stale version.
func (s *Service) step(ctx context.Context, actor access.Actor, action string, ref EditRef, request any, late bool,
	do func(ctx context.Context, tx bun.Tx, p *Policy, e *edition) (event.Fact, string, error),
) (EditionView, error) {
	now := s.clock.Now()
	no := int64(0)
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy." + action, Key: ref.Key, Request: request, Now: now}, func() (outcome, error) {
			p, err := s.lock(ctx, tx, actor, ref.PolicyID)
			if err != nil {
				return outcome{}, err
			}
			e, err := openEdition(ctx, tx, ref.PolicyID)
			if errors.Is(err, fault.ErrNotFound) {
				return outcome{}, ErrEditionState.With("没有编辑中的稿件，可能已发布或放弃，请刷新后查看")
			} else if err != nil {
				return outcome{}, err
			}
			if !late && e.Version != ref.Version {
				return outcome{}, staleEdition(ctx, tx, e, ref.Version)
			}
			no = e.No
			fact, summary, err := do(ctx, tx, p, e)
			if err != nil || fact == nil {
				return outcome{p.ID}, err
			}
			return outcome{p.ID}, s.noteEdition(ctx, tx, actor, fact, action, summary, p.ID)
		})
		return err
	})
	if err != nil {
		return EditionView{}, fmt.Errorf("%s edition of policy %d: %w", action, ref.PolicyID, err)
	}
	if no == 0 { // a repeat: where it has come to meanwhile
		if no, err = lastNo(ctx, s.db.Read(), ref.PolicyID); err != nil {
			return EditionView{}, err
		}
	}
	return s.Edition(ctx, actor, ref.PolicyID, no)
}
