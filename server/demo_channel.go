package server

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/channel"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
)

// demoChannels are where the demo district made itself known; people is how many opened the link in the last weeks.
var demoChannels = []struct {
	name, owner, landing string
	kind                 channel.Kind
	people               int
	ended                bool
}{
	{"新华街道政务大厅海报", "新华街道办事处", "/m/register", "street", 26, false},
	{"运河银行网点台卡", "运河银行营业部", "/m/products", "bank", 34, false},
	{"惠企政策进园区活动", "区政务服务和数据管理局", "/m/policies", "event", 41, true},
	{"公众号推文底部", "区融媒体中心", "/m/", "wechat", 18, false},
	{"文化产业园电梯海报", "园区管理办公室", "/register", "poster", 9, false},
}

// seedChannels makes channels, has people open their links, and attributes some of the district's companies and their applications.
func (h *house) seedChannels(ctx context.Context, s *seeded) error {
	operator, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	begun := s.now.AddDate(0, 0, -40)
	s.at.Set(begun)
	var made []channel.View
	for _, d := range demoChannels {
		list, err := h.channels.Create(ctx, operator, channel.Create{Names: []string{"〔演示〕" + d.name}, Fields: channel.Fields{Kind: d.kind, Owner: d.owner, Landing: d.landing, On: true}})
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		made = append(made, list...)
	}
	const agent = "Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36"
	tokens := make([][]string, len(made))
	for i, c := range made {
		for n := range demoChannels[i].people {
			s.at.Set(begun.AddDate(0, 0, (n*7+i*3)%38).Add(time.Duration(n%9) * time.Hour))
			v, err := h.channels.Visit(ctx, access.Actor{Party: access.Anonymous, UserAgent: agent}, c.Code, "")
			if err != nil {
				return err
			}
			tokens[i] = append(tokens[i], v.Token)
		}
	}
	took := 0
	for _, o := range s.world.Owners {
		company := s.ids["company:"+o.Company]
		if company == 0 || took == 12 {
			continue
		}
		owner := s.ids["owner:"+o.Key]
		at := took % len(made)
		took++
		s.at.Set(begun.AddDate(0, 0, 24+took))
		actor := access.Actor{Party: access.Enterprise, UserID: owner, EnterpriseID: company, UserAgent: agent}
		v, err := h.channels.Visit(ctx, actor, made[at].Code, tokens[at][took%len(tokens[at])])
		if err != nil {
			return err
		}
		actor.Arrival = v.Token
		err = h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			if err := h.channels.Registered(ctx, tx, actor, owner, company); err != nil {
				return err
			}
			if took%4 == 0 {
				return nil
			}
			return h.channels.Verified(ctx, tx, company, s.at.Now().AddDate(0, 0, 1))
		})
		if err != nil {
			return err
		}
		apps, _, err := h.applications.List(ctx, actor, application.ListFilter{Limit: 3})
		if err != nil {
			return err
		}
		s.at.Set(s.now.AddDate(0, 0, -1))
		for _, a := range apps {
			granted := a.Status == application.Granted || a.Status == application.PaidOut || a.Status == application.Done
			err := h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				if err := h.channels.Applied(ctx, tx, access.Actor{Party: access.Enterprise, UserID: owner}, a.ID, company); err != nil {
					return err
				}
				return h.channels.Settled(ctx, tx, a.ID, granted, s.now)
			})
			if err != nil {
				return err
			}
		}
	}
	for i, c := range made {
		if !demoChannels[i].ended {
			continue
		}
		s.at.Set(s.now)
		f := channel.Fields{Kind: c.Kind, Owner: c.Owner, Landing: c.Landing, On: true, To: s.now.AddDate(0, 0, -1).In(clock.Beijing).Format(time.DateOnly)}
		if _, err := h.channels.Update(ctx, operator, channel.Update{ID: c.ID, Version: c.Version, Name: c.Name, Fields: f}); err != nil {
			return err
		}
	}
	return nil
}
