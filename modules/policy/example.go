package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// FactReader reads what an editor types of a company that does not exist: {"employees": 18, "revenue": "2600万元"}. Its
// faults are for the person.
type FactReader interface {
	ReadFacts(raw json.RawMessage, at time.Time) (criteria.Facts, error)
}

// maxExamples bounds the examples of one policy.
const maxExamples = 50

// ErrExamples is returned when a policy has as many examples as it may.
var ErrExamples = fault.New(fault.Conflict, "POLICY_EXAMPLES", fmt.Sprintf("一项政策最多 %d 家示例企业，请先删除用不到的", maxExamples))

// example is a company with the answer the policy must give for it. It keeps the conditions of every edition honest.
type example struct {
	bun.BaseModel `bun:"table:policy_examples,alias:x"`

	ID         int64           `bun:"id,pk,autoincrement"`
	PolicyID   int64           `bun:"policy_id,notnull"`
	Name       string          `bun:"name,notnull"`
	Facts      json.RawMessage `bun:"facts,notnull,type:text"`
	Expected   Group           `bun:"expected,notnull"`
	Note       string          `bun:"note,notnull"`
	Version    int64           `bun:"version,notnull"`
	EditorName string          `bun:"editor_name,notnull"`
	CreatedAt  time.Time       `bun:"created_at,notnull"`
	UpdatedAt  time.Time       `bun:"updated_at,notnull"`
}

// Example is what an editor says of an example company. It is made up: of a real one nothing is read here without its consent.
type Example struct {
	Name     string          `json:"name"`
	Facts    json.RawMessage `json:"facts,omitempty" doc:"What is known of a company that does not exist; what is left out is unknown."`
	Expected Group           `json:"expected" enum:"eligible,possible,nearly,not_eligible"`
	Note     string          `json:"note"`
}

// Tried is an example with the answer it gets.
type Tried struct {
	ID int64 `json:"id"`
	Example
	ExpectedName string `json:"expectedName"`
	Version      int64  `json:"version"`
	EditorName   string `json:"editorName"`
	Got          Group  `json:"got" enum:"eligible,possible,nearly,by_hand,not_eligible"`
	GotName      string `json:"gotName"`
	Holds        bool   `json:"holds" doc:"The answer is the expected one."`
	Summary      string `json:"summary"`
	Lines        []Line `json:"lines" nullable:"false"`
}

// cleanExample checks an example; a made-up company is read once, so that its mistakes are told now.
func (s *Service) cleanExample(x Example) (Example, error) {
	x.Name, x.Note = strings.TrimSpace(x.Name), strings.TrimSpace(x.Note)
	var errs []error
	bad := func(field, message string) { errs = append(errs, fault.InvalidField(field, "POLICY_EXAMPLE", message)) }
	if x.Expected.Word() == "" || x.Expected == ByHand {
		bad("expected", "请选择应有的判定结果")
	}
	if utf8.RuneCountInString(x.Note) > maxShort || utf8.RuneCountInString(x.Name) > maxShort {
		bad("name", fmt.Sprintf("名称和说明各最多 %d 个字", maxShort))
	}
	if x.Name == "" {
		bad("name", "请填写企业名称，例如“示例：成立两年的软件企业”")
	}
	if !has(x.Facts) {
		x.Facts = json.RawMessage("{}")
	}
	if len(x.Facts) > 20_000 {
		bad("facts", "企业信息过长，请精简")
	} else if _, err := s.readFacts(x.Facts); err != nil {
		errs = append(errs, err)
	}
	return x, fault.Merge(errs...)
}

func (s *Service) readFacts(raw json.RawMessage) (criteria.Facts, error) {
	if s.facts == nil {
		return nil, fault.New(fault.Unavailable, "POLICY_EXAMPLE", "本系统没有启用示例企业")
	}
	return s.facts.ReadFacts(raw, s.clock.Now())
}

// Examples returns the examples of a policy as the given conditions judge them; with none given, those of the draft, else
// those in force. It needs policy.view.
func (s *Service) Examples(ctx context.Context, actor access.Actor, policy int64, conditions json.RawMessage) ([]Tried, error) {
	if err := library(actor, PermView); err != nil {
		return nil, err
	}
	db := s.db.Read()
	p, err := s.find(ctx, db, actor, policy)
	if err != nil {
		return nil, err
	}
	if !has(conditions) {
		conditions = p.Conditions
		if e, err := openEdition(ctx, db, policy); err == nil {
			c, err := e.content()
			if err != nil {
				return nil, err
			}
			conditions = c.Conditions
		} else if !errors.Is(err, fault.ErrNotFound) {
			return nil, err
		}
	}
	return s.tryExamples(ctx, db, policy, conditions)
}

// tryExamples judges every example of a policy by conditions. Conditions that do not parse leave them to people.
func (s *Service) tryExamples(ctx context.Context, db bun.IDB, policy int64, conditions json.RawMessage) ([]Tried, error) {
	var rows []example
	if err := db.NewSelect().Model(&rows).Where("x.policy_id = ?", policy).OrderExpr("x.id").Limit(maxExamples).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]Tried, 0, len(rows))
	now := s.clock.Now()
	p := &Policy{ID: policy}
	if has(conditions) {
		if _, err := criteria.Parse(conditions, s.schema); err == nil {
			p.Conditions = conditions
		}
	}
	r := s.rule(ctx, p)
	for i := range rows {
		x := &rows[i]
		t := Tried{ID: x.ID, Version: x.Version, EditorName: x.EditorName, ExpectedName: x.Expected.Word(), Lines: []Line{},
			Example: Example{Name: x.Name, Facts: x.Facts, Expected: x.Expected, Note: x.Note}}
		facts, err := s.exampleFacts(x)
		if err != nil {
			return nil, err
		}
		j := r.judge(facts, now)
		t.Got, t.GotName, t.Summary, t.Lines = j.Group, j.Word, j.Summary, j.Lines
		t.Holds = j.Group == x.Expected
		out = append(out, t)
	}
	return out, nil
}

// exampleFacts are what is known of an example. A made-up company whose fields are no longer there is known by nothing.
func (s *Service) exampleFacts(x *example) (criteria.Facts, error) {
	facts, err := s.readFacts(x.Facts)
	if _, ok := fault.As(err); ok {
		return criteria.Facts{}, nil
	}
	return facts, err
}

// SaveExample asks to add an example to a policy, or to change the one named.
type SaveExample struct {
	PolicyID int64
	ID       int64  // 0: a new one
	Version  int64  // the version the actor saw
	Key      string `json:"-"`
	Example
}

// SaveExample adds or changes an example company. It needs policy.edit.
func (s *Service) SaveExample(ctx context.Context, actor access.Actor, cmd SaveExample) ([]Tried, error) {
	if err := library(actor, PermEdit); err != nil {
		return nil, err
	}
	cleaned, err := s.cleanExample(cmd.Example)
	if err != nil {
		return nil, err
	}
	return s.changeExamples(ctx, actor, cmd.PolicyID, cmd.Key, "policy.example", cmd, func(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
		x := &example{PolicyID: cmd.PolicyID, Name: cleaned.Name, Facts: cleaned.Facts, Expected: cleaned.Expected,
			Note: cleaned.Note, Version: 1, EditorName: nameOf(actor), CreatedAt: now, UpdatedAt: now}
		if cmd.ID == 0 {
			n, err := tx.NewSelect().Model((*example)(nil)).Where("x.policy_id = ?", cmd.PolicyID).Limit(maxExamples + 1).Count(ctx)
			if err != nil {
				return "", err
			}
			if n >= maxExamples {
				return "", ErrExamples
			}
			_, err = tx.NewInsert().Model(x).ExcludeColumn("id").Exec(ctx)
			return "添加示例企业 " + x.Name, err
		}
		x.ID, x.Version = cmd.ID, cmd.Version+1
		err := database.Changed(tx.NewUpdate().Model(x).ExcludeColumn("id", "policy_id", "created_at").
			Where("id = ? AND policy_id = ? AND version = ?", cmd.ID, cmd.PolicyID, cmd.Version).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			err = ErrStale.With("示例企业已被他人修改或删除，请刷新后再操作")
		}
		return "修改示例企业 " + x.Name, err
	})
}

// RemoveExample asks to delete an example.
type RemoveExample struct {
	PolicyID, ID, Version int64
	Key                   string `json:"-"`
}

// RemoveExample deletes an example company. It needs policy.edit.
func (s *Service) RemoveExample(ctx context.Context, actor access.Actor, cmd RemoveExample) ([]Tried, error) {
	if err := library(actor, PermEdit); err != nil {
		return nil, err
	}
	return s.changeExamples(ctx, actor, cmd.PolicyID, cmd.Key, "policy.example_remove", cmd, func(ctx context.Context, tx bun.Tx, _ time.Time) (string, error) {
		err := database.Changed(tx.NewDelete().Model((*example)(nil)).Where("id = ? AND policy_id = ? AND version = ?", cmd.ID, cmd.PolicyID, cmd.Version).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			err = ErrStale.With("示例企业已被他人修改或删除，请刷新后再操作")
		}
		return "删除示例企业", err
	})
}

// changeExamples is the frame of the commands on examples: policy, key, step, event, audit, in one transaction.
func (s *Service) changeExamples(ctx context.Context, actor access.Actor, policy int64, key, operation string, request any,
	step func(ctx context.Context, tx bun.Tx, now time.Time) (string, error),
) ([]Tried, error) {
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (outcome, error) {
			p, err := s.find(ctx, tx, actor, policy)
			if err != nil {
				return outcome{}, err
			}
			summary, err := step(ctx, tx, now)
			if err != nil {
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, Exampled{p.head()}); err != nil {
				return outcome{}, err
			}
			return outcome{p.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: Object, ObjectID: p.ID, Summary: summary})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("examples of policy %d: %w", policy, err)
	}
	return s.Examples(ctx, actor, policy, nil)
}
