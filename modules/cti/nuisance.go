package cti

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
)

const nuisancePlace = "cti.nuisance"

// nuisance is a number that has bothered the desk.
type nuisance struct {
	bun.BaseModel `bun:"table:cti_nuisance,alias:u"`

	ID      int64      `bun:"id,pk,autoincrement"`
	Sealed  string     `bun:"number_sealed,notnull"`
	Blind   string     `bun:"number_blind,notnull"`
	Tail    string     `bun:"number_tail,notnull"`
	Reason  string     `bun:"reason,notnull"`
	Until   time.Time  `bun:"until_at,notnull"`
	By      string     `bun:"by_name,notnull"`
	At      time.Time  `bun:"at,notnull"`
	EndedAt *time.Time `bun:"ended_at"` // taken off the list
}

// NuisanceView is a number on the list.
type NuisanceView struct {
	ID     int64     `json:"id"`
	Number string    `json:"number" doc:"Masked."`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	InUse  bool      `json:"inUse"`
}

// Nuisances lists the numbers on the list, newest first, the last 200. Who manages it may.
func (s *Service) Nuisances(ctx context.Context, actor access.Actor) ([]NuisanceView, error) {
	if err := actor.Need(PermManage); err != nil {
		return nil, err
	}
	var rows []nuisance
	if err := s.DB.Read().NewSelect().Model(&rows).OrderExpr("u.id DESC").Limit(200).Scan(ctx); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	out := make([]NuisanceView, 0, len(rows))
	for _, r := range rows {
		plain, err := s.Box.Open(r.Sealed, nuisancePlace)
		if err != nil {
			return nil, err
		}
		out = append(out, NuisanceView{r.ID, text.MaskPhone(string(plain)), r.Reason, r.Until.UTC(), r.By, r.At.UTC(), r.EndedAt == nil && now.Before(r.Until)})
	}
	return out, nil
}

// Mark asks to put a number on the list for some days.
type Mark struct {
	Number string `json:"number"`
	Reason string `json:"reason"`
	Days   int    `json:"days" minimum:"1" maximum:"365"`
	Key    string `json:"-"`
}

// Mark puts a number on the list: who answers is warned, nobody is refused. Who manages the list may.
func (s *Service) Mark(ctx context.Context, actor access.Actor, cmd Mark) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	number, err1 := phone.Contact(cmd.Number)
	if f, ok := fault.As(err1); ok {
		err1 = f.On("number")
	}
	reason, err2 := text.Line("reason", cmd.Reason, 2, 200)
	if err := fault.Merge(err1, text.Named(err2, "原因")); err != nil {
		return err
	}
	if cmd.Days < 1 || cmd.Days > 365 {
		return fault.InvalidField("days", "NUISANCE_DAYS", "有效期请填 1 至 365 天")
	}
	now := s.Clock.Now()
	r := nuisance{Sealed: s.Box.Seal([]byte(number), nuisancePlace), Blind: s.Box.Blind("phone", number), Tail: s.Box.BlindTail(number), Reason: reason,
		Until: now.AddDate(0, 0, cmd.Days), By: actor.Name, At: now}
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "cti.nuisance", Key: cmd.Key, Request: []any{r.Blind, reason, cmd.Days}, Now: now}, func() (bool, error) {
			if err := database.Insert(ctx, tx, &r); err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "cti.nuisance", Object: "nuisance", ObjectID: r.ID,
				Summary: "将 " + text.MaskPhone(number) + " 列入骚扰来电名单", Detail: map[string]any{"reason": reason, "until": clock.Show(r.Until)}})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("mark number: %w", err)
	}
	return nil
}

// Unmark takes a number off the list. Who manages the list may.
func (s *Service) Unmark(ctx context.Context, actor access.Actor, id int64) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE cti_nuisance SET ended_at = ? WHERE id = ? AND ended_at IS NULL", now, id))
		if errors.Is(err, fault.ErrChanged) {
			return errStale
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "cti.nuisance_end", Object: "nuisance", ObjectID: id, Summary: "移出骚扰来电名单"})
	})
}

// warning is why a number is on the list, "" when it is not.
func (s *Service) warning(ctx context.Context, db bun.IDB, number string, now time.Time) (string, error) {
	var reason string
	err := db.NewSelect().Model((*nuisance)(nil)).Column("reason").Where("u.number_blind IN (?) AND u.ended_at IS NULL AND u.until_at > ?", bun.List(s.Box.Blinds("phone", number)), now).
		OrderExpr("u.id DESC").Limit(1).Scan(ctx, &reason)
	if errors.Is(database.Found(err), fault.ErrNotFound) {
		return "", nil
	}
	return reason, err
}
