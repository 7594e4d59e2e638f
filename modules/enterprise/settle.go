package enterprise

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// settlement is a decision of a person between sources, kept with its reason. What counts is told by the fact it wrote.
type settlement struct {
	bun.BaseModel `bun:"table:enterprise_settlements,alias:st"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Field        string     `bun:"field,notnull"`
	FactID       int64      `bun:"fact_id,notnull"` // the word that was chosen
	Reason       string     `bun:"reason,notnull,type:text"`
	ByID         int64      `bun:"by_id,notnull"`
	ByName       string     `bun:"by_name,notnull"`
	At           time.Time  `bun:"at,notnull"`
	UndoneAt     *time.Time `bun:"undone_at"`
	UndoneBy     string     `bun:"undone_by,notnull"`
	UndoneReason string     `bun:"undone_reason,notnull,type:text"`
}

type settlement20261129 struct {
	bun.BaseModel `bun:"table:enterprise_settlements"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Field        string     `bun:"field,notnull"`
	FactID       int64      `bun:"fact_id,notnull"`
	Reason       string     `bun:"reason,notnull,type:text"`
	ByID         int64      `bun:"by_id,notnull"`
	ByName       string     `bun:"by_name,notnull"`
	At           time.Time  `bun:"at,notnull"`
	UndoneAt     *time.Time `bun:"undone_at"`
	UndoneBy     string     `bun:"undone_by,notnull"`
	UndoneReason string     `bun:"undone_reason,notnull,type:text"`
}

// The faults of settling.
var (
	// ErrSettleFact: what was chosen is not one of the words of the field.
	ErrSettleFact = fault.InvalidField("factId", "SETTLE_FACT", "请选择该项目现有的一个来源的数据")
	// ErrNothingSettled: there is no decision to take back.
	ErrNothingSettled = fault.New(fault.Conflict, "NOTHING_SETTLED", "该项目没有正在采用的人工核定，请刷新后查看")
)

// WasSettled is announced when a person decided which word about a field counts, or took such a decision back.
type WasSettled struct {
	ID     int64  `json:"id"`
	Field  string `json:"field"`
	FactID int64  `json:"factId,omitempty"`
	Undone bool   `json:"undone,omitempty"`
	Reason string `json:"reason"`
}

// Event names the fact.
func (f WasSettled) Event() (string, string, int64) { return "enterprise.settled", Object, f.ID }

// Settle decides which of the words about a field of a company counts.
type Settle struct {
	ID     int64  `json:"id"`
	Field  string `json:"field"`
	FactID int64  `json:"factId"`
	Reason string `json:"reason"`
	// Last is the newest fact of the field that the person saw; a newer one is a conflict.
	Last int64  `json:"last"`
	Key  string `json:"-"`
}

// Settle has one word of a field count over the others until a source says something new. It needs enterprise.golden, and
// returns ErrSettleFact for a fact that is none of the newest words of the field.
func (s *Service) Settle(ctx context.Context, actor access.Actor, cmd Settle) (Golden, error) {
	return s.settleField(ctx, actor, cmd, false)
}

// Unsettle takes the decision about a field back: the rule decides again.
func (s *Service) Unsettle(ctx context.Context, actor access.Actor, cmd Settle) (Golden, error) {
	cmd.FactID = 0
	return s.settleField(ctx, actor, cmd, true)
}

func (s *Service) settleField(ctx context.Context, actor access.Actor, cmd Settle, undo bool) (Golden, error) {
	if err := actor.Need(PermGolden); err != nil {
		return Golden{}, err
	}
	f, ok := fieldOf(cmd.Field)
	if !ok {
		return Golden{}, fault.InvalidField("field", "FIELD", "没有这个项目，请刷新后重试")
	}
	reason, err := line("reason", "理由", cmd.Reason, 4, 300)
	if err != nil {
		return Golden{}, err
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.settle", Key: cmd.Key, Request: []any{cmd, undo}, Now: now}, func() (started, error) {
			e, err := find(ctx, tx, actor, cmd.ID)
			if err != nil {
				return started{}, err
			}
			if err := save(ctx, tx, e); err != nil { // two who decide at a time meet here
				return started{}, err
			}
			rows, err := factsOf(ctx, tx, e.ID)
			if err != nil {
				return started{}, err
			}
			list := byField(rows[e.ID])[f.name]
			if len(list) == 0 || list[len(list)-1].ID != cmd.Last {
				return started{}, fault.ErrChanged.With("该项目已有新的数据或核定，请刷新后再决定")
			}
			rule, err := s.ruling(ctx, tx)
			if err != nil {
				return started{}, err
			}
			c, _ := rule.choose(f, list, now)
			if undo {
				return started{ID: e.ID}, s.takeBack(ctx, tx, actor, e, f, c, reason, now)
			}
			return started{ID: e.ID}, s.settleFact(ctx, tx, actor, e, f, c, cmd.FactID, reason, now)
		})
		return err
	})
	if err != nil {
		return Golden{}, fmt.Errorf("settle %s of enterprise %d: %w", cmd.Field, cmd.ID, err)
	}
	return s.Golden(ctx, actor, cmd.ID)
}

func (s *Service) settleFact(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, f field, c chosen, factID int64, reason string, now time.Time) error {
	i := slices.IndexFunc(c.words, func(x said) bool { return x.ID == factID && x.Source != settled })
	if i < 0 {
		return ErrSettleFact
	}
	word := c.words[i].Fact
	if err := closeSettlement(ctx, tx, e.ID, f.name, actor.Name, "由新的核定代替", now); err != nil {
		return err
	}
	row := Fact{Field: f.name, Value: word.Value, Source: settled, SourceName: settledName + "（采用" + word.SourceName + "）", AsOf: word.AsOf}
	if err := record(ctx, tx, e.ID, actor.UserID, now, row); err != nil {
		return err
	}
	st := settlement{EnterpriseID: e.ID, Field: f.name, FactID: factID, Reason: reason, ByID: actor.UserID, ByName: actor.Name, At: now}
	if err := database.Insert(ctx, tx, &st); err != nil {
		return err
	}
	if _, err := event.Append(ctx, tx, actor, now, WasSettled{ID: e.ID, Field: f.name, FactID: factID, Reason: reason}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.settle", Object: Object, ObjectID: e.ID, Summary: "核定企业数据：" + f.label,
		Detail: map[string]any{"field": f.name, "fact": factID, "source": word.Source, "reason": reason}})
}

func (s *Service) takeBack(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, f field, c chosen, reason string, now time.Time) error {
	if c.settled == nil {
		return ErrNothingSettled
	}
	if err := closeSettlement(ctx, tx, e.ID, f.name, actor.Name, reason, now); err != nil {
		return err
	}
	if err := record(ctx, tx, e.ID, actor.UserID, now, Fact{Field: f.name, Value: withdrawn, Source: settled, SourceName: "撤销" + settledName, AsOf: now}); err != nil {
		return err
	}
	if _, err := event.Append(ctx, tx, actor, now, WasSettled{ID: e.ID, Field: f.name, Undone: true, Reason: reason}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.unsettle", Object: Object, ObjectID: e.ID, Summary: "撤销核定：" + f.label,
		Detail: map[string]any{"field": f.name, "reason": reason}})
}

func closeSettlement(ctx context.Context, tx bun.Tx, id int64, name, by, reason string, now time.Time) error {
	_, err := tx.NewUpdate().Model((*settlement)(nil)).Set("undone_at = ?, undone_by = ?, undone_reason = ?", now, by, reason).
		Where("enterprise_id = ? AND field = ? AND undone_at IS NULL", id, name).Exec(ctx)
	return err
}
