package message

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Preferences are what a person wants to get outside the platform, and where it goes.
type Preferences struct {
	Phone  string            `json:"phone" doc:"Masked; empty when there is none."`
	Wechat bool              `json:"wechat" doc:"Whether a WeChat account is bound."`
	Groups []GroupPreference `json:"groups" doc:"Empty for people whose notices stay on the platform."`
}

// GroupPreference are the switches of one group.
type GroupPreference struct {
	Group  Group  `json:"group"`
	Label  string `json:"label"`
	SMS    bool   `json:"sms"`
	Wechat bool   `json:"wechat"`
}

// switchable lists the groups with a way out that the actor's party gets notices of.
func switchable(actor access.Actor) []Group {
	if actor.Party != access.Enterprise {
		return nil
	}
	return []Group{Applications, Tickets, Enterprises, Policies}
}

// Preferences returns the actor's own switches.
func (s *Service) Preferences(ctx context.Context, actor access.Actor) (Preferences, error) {
	user, err := mine(actor)
	if err != nil {
		return Preferences{}, err
	}
	db := s.DB.Read()
	out := Preferences{Groups: []GroupPreference{}}
	phone, openID, err := s.People.Contact(ctx, db, user)
	if err != nil {
		return out, fmt.Errorf("preferences: %w", err)
	}
	out.Phone, out.Wechat = text.MaskPhone(phone), openID != ""
	for _, g := range switchable(actor) {
		p, err := preference(ctx, db, user, g)
		if err != nil {
			return out, fmt.Errorf("preferences: %w", err)
		}
		out.Groups = append(out.Groups, GroupPreference{Group: g, Label: g.Label(), SMS: p.SMS, Wechat: p.Wechat})
	}
	return out, nil
}

// Prefer sets the actor's own switches of a group and returns all of them. A group the actor has no switches of is a fault
// on the field "group".
func (s *Service) Prefer(ctx context.Context, actor access.Actor, g Group, sms, wechat bool) (Preferences, error) {
	user, err := mine(actor)
	if err != nil {
		return Preferences{}, err
	}
	known := false
	for _, x := range switchable(actor) {
		known = known || x == g
	}
	if !known {
		return Preferences{}, fault.InvalidField("group", "MESSAGE_GROUP", "没有这类消息的接收设置，请刷新页面后重试")
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Clock.Now()
		row := preferenceRow{UserID: user, Group: g, SMS: sms, Wechat: wechat, UpdatedAt: now}
		_, err := tx.NewInsert().Model(&row).On("CONFLICT (user_id, topic) DO UPDATE").
			Set("sms = EXCLUDED.sms, wechat = EXCLUDED.wechat, updated_at = EXCLUDED.updated_at").Exec(ctx)
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "message.prefer", Object: "user", ObjectID: user,
			Summary: "修改消息接收设置：" + g.Label(), Detail: map[string]bool{"sms": sms, "wechat": wechat}})
	})
	if err != nil {
		return Preferences{}, fmt.Errorf("prefer %s: %w", g, err)
	}
	return s.Preferences(ctx, actor)
}
