package quality

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// cardRow is a version of a scorecard.
type cardRow struct {
	bun.BaseModel `bun:"table:quality_cards,alias:k"`

	ID   int64     `bun:"id,pk,autoincrement"`
	Kind Kind      `bun:"kind,notnull"` // of work; "" is the card of all that have none of their own
	Name string    `bun:"name,notnull"`
	Body string    `bun:"body,notnull"`
	By   string    `bun:"made_by,notnull"`
	At   time.Time `bun:"made_at,notnull"`
	// Withdrawn: from this version on the kind is scored by the card of all.
	Withdrawn bool `bun:"withdrawn,notnull"`
}

// CardView is a version of a scorecard.
type CardView struct {
	ID   int64     `json:"id" doc:"Number of the version; the greatest of its kind is in force."`
	Kind Kind      `json:"kind" enum:",opened,answered,called_back" doc:"The kind of work it is for; empty for all that have no card of their own."`
	Name string    `json:"name"`
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Card
	Withdrawn bool `json:"withdrawn,omitempty" doc:"The kind is scored by the general card."`
}

func (k *cardRow) view() (CardView, error) {
	v := CardView{ID: k.ID, Kind: k.Kind, Name: k.Name, By: k.By, At: k.At.UTC(), Withdrawn: k.Withdrawn}
	return v, json.Unmarshal([]byte(k.Body), &v.Card)
}

// newest returns the last version of the card of a kind, fault.ErrNotFound when there never was one.
func newest(ctx context.Context, db bun.IDB, kind Kind) (CardView, error) {
	k := new(cardRow)
	err := database.Found(db.NewSelect().Model(k).Where("k.kind = ?", kind).OrderExpr("k.id DESC").Limit(1).Scan(ctx))
	if err != nil {
		return CardView{}, err
	}
	return k.view()
}

// inForce is the card work of a kind is scored by.
func inForce(ctx context.Context, db bun.IDB, kind Kind) (CardView, error) {
	v, err := newest(ctx, db, kind)
	if kind != "" && (errors.Is(err, fault.ErrNotFound) || err == nil && v.Withdrawn) {
		return newest(ctx, db, "")
	}
	return v, err
}

// card is the one the check was scored by, or is to be.
func (c *check) card(ctx context.Context, db bun.IDB) (CardView, error) {
	if c.CardID == 0 {
		return inForce(ctx, db, c.Kind)
	}
	k := new(cardRow)
	if err := database.Found(db.NewSelect().Model(k).Where("k.id = ?", c.CardID).Scan(ctx)); err != nil {
		return CardView{}, err
	}
	return k.view()
}

// Card returns the scorecard that work of the kind is scored by, "" for the general one. It takes quality.view.
func (s *Service) Card(ctx context.Context, actor access.Actor, kind Kind) (CardView, error) {
	if err := actor.Need(PermView); err != nil {
		return CardView{}, err
	}
	return inForce(ctx, s.DB.Read(), kind)
}

// Cards lists the last version of each scorecard, the general one first; a kind that never had one is not in it. It takes
// quality.view.
func (s *Service) Cards(ctx context.Context, actor access.Actor) ([]CardView, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	var out []CardView
	for _, kind := range append([]Kind{""}, Kinds...) {
		v, err := newest(ctx, s.DB.Read(), kind)
		if errors.Is(err, fault.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// SetCard is a new version of a scorecard; Base is the one it was made from.
type SetCard struct {
	Kind Kind   `json:"kind,omitempty" enum:",opened,answered,called_back" doc:"The kind of work it is for; empty for the general card."`
	Name string `json:"name"`
	Base int64  `json:"base" doc:"id of the last version of the kind; 0 when there is none."`
	Card
	// Withdraw has the kind scored by the general card again; name and items are not looked at.
	Withdraw bool   `json:"withdraw,omitempty"`
	Key      string `json:"-"`
}

// Check tidies the version and returns the faults of its kind, of its name and of the card.
func (c *SetCard) Check() error {
	if c.Kind != "" && c.Kind.Label() == "" {
		return fault.InvalidField("kind", "QUALITY_KINDS", "没有这种业务，请选择受理、直接答复或回访")
	}
	if c.Withdraw {
		if c.Kind == "" {
			return fault.InvalidField("withdraw", "QUALITY_CARD", "通用评分表不能停用")
		}
		return nil
	}
	name, err := text.Line("name", c.Name, 2, 50)
	c.Name = name
	return fault.Merge(text.Named(err, "评分表名称"), c.Card.Check())
}

// SetCard puts a new version in force. Checks that were scored keep theirs. It takes quality.manage.
func (s *Service) SetCard(ctx context.Context, actor access.Actor, cmd SetCard) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	if err := cmd.Check(); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "quality.card", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			// One at a time: the rule's row is the lock, its version stays.
			if _, err := database.Run(ctx, tx, "UPDATE quality_rules SET active = active WHERE id = 1"); err != nil {
				return false, err
			}
			return true, s.setCard(ctx, tx, actor, cmd, now)
		})
		return err
	})
}

func (s *Service) setCard(ctx context.Context, tx bun.Tx, actor access.Actor, cmd SetCard, now time.Time) error {
	last, err := newest(ctx, tx, cmd.Kind)
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return err
	}
	if last.ID != cmd.Base {
		return ErrStale.With("评分表已由%s更新，请刷新后再修改", last.By)
	}
	summary := "更新质检评分表"
	if cmd.Withdraw {
		if last.ID == 0 {
			return fault.InvalidField("withdraw", "QUALITY_CARD", "该业务没有专用评分表")
		}
		cmd.Name, cmd.Card, summary = last.Name, last.Card, "停用专用质检评分表"
	}
	body, err := json.Marshal(cmd.Card)
	if err != nil {
		return err
	}
	k := cardRow{Kind: cmd.Kind, Name: cmd.Name, Body: string(body), By: actor.Name, At: now, Withdrawn: cmd.Withdraw}
	if err := database.Insert(ctx, tx, &k); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "quality.card", Object: Object, Summary: summary,
		Detail: map[string]any{"version": k.ID, "kind": cmd.Kind, "name": cmd.Name, "card": cmd.Card}})
}
