package server

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/channel"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// openChannels makes the promotion channels, which accounts and applications tell of themselves.
func (h *house) openChannels(c Config) {
	h.channels = channel.New(channel.Deps{DB: h.db, Clock: h.clock, Box: h.box, Site: strings.TrimSuffix(c.PublicURL, "/")})
	h.listeners = append(h.listeners, event.Listener{Name: "channel.outcomes", Handle: h.channelOutcome})
}

var (
	_ identity.Arrivals    = (*channel.Service)(nil)
	_ application.Arrivals = (*channel.Service)(nil)
	_ channel.Applications = (*application.Service)(nil)
)

// channelOutcome tells the channels what became of the companies and applications that came by them.
func (h *house) channelOutcome(ctx context.Context, tx bun.Tx, e event.Event) error {
	switch {
	case e.Type == "enterprise.verified":
		return h.channels.Verified(ctx, tx, e.ObjectID, e.At)
	case e.Object == application.Object:
		var f application.Head
		if err := e.Decode(&f); err != nil {
			return err
		}
		switch f.Status {
		case application.Granted, application.PaidOut, application.Done:
			return h.channels.Settled(ctx, tx, e.ObjectID, true, e.At)
		case application.Lacking, "": // says nothing of what was granted before
			return nil
		}
		return h.channels.Settled(ctx, tx, e.ObjectID, false, e.At)
	}
	return nil
}

// channelKind is how long channels are remembered. The channels themselves are printed on walls and stay with their installation.
func (h *house) channelKind() settingKind {
	return kindOf[channel.Rule]{key: "channel_rule", title: "渠道归因规则", tables: []string{"channel_rules"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]channel.Rule, error) {
			r, err := h.channels.Rule(ctx, actor)
			return []channel.Rule{r.Rule}, err
		},
		check: func(_ *world, m *channel.Rule) error { return m.Check() },
		set: func(ctx context.Context, actor access.Actor, m channel.Rule) error {
			r, err := h.channels.Rule(ctx, actor)
			if err != nil {
				return err
			}
			r.Rule = m
			return h.channels.SetRule(ctx, actor, r)
		},
	}
}
