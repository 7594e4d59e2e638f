package server

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/quality"
	"github.com/huiqi/huiqi/platform/access"
)

// joinQuality makes what checks the work of the desk, and has it hear of what agents do.
func (h *house) joinQuality() {
	h.quality = quality.New(quality.Deps{
		DB: h.db, Clock: h.clock, Agents: qualityAgents{h.identity}, Tickets: h.tickets, Messages: qualityMessages{h},
		Behind: h.behind(quality.ListenerName),
	})
	h.listeners = append(h.listeners, h.quality.Listener())
	h.tasks = append(h.tasks, h.quality.Tasks()...)
}

// behind tells whether a listener has events to hear yet.
func (h *house) behind(listener string) func(ctx context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		lags, err := h.feed.Lag(ctx)
		for _, l := range lags {
			if l.Listener == listener && l.Waiting > 0 {
				return true, err
			}
		}
		return false, err
	}
}

// qualityAgents names those who hold a right.
type qualityAgents struct{ *identity.Service }

var _ quality.Agents = qualityAgents{}

// With lists the people who hold a right.
func (a qualityAgents) With(ctx context.Context, db bun.IDB, right access.Permission) ([]quality.Person, error) {
	list, err := a.NamedWith(ctx, db, right)
	out := make([]quality.Person, 0, len(list))
	for _, n := range list {
		out = append(out, quality.Person{ID: n.ID, Name: n.Name})
	}
	return out, err
}

// qualityMessages writes to one person.
type qualityMessages struct{ *house }

var _ quality.Messages = qualityMessages{}

// Tell writes the message; a repeat of the key writes none.
func (m qualityMessages) Tell(ctx context.Context, tx bun.Tx, user int64, key, template, link string, params map[string]string) error {
	err := m.messages.Notify(ctx, tx, message.Notice{Key: key, UserID: user, Template: template, Params: params, Link: link, At: m.clock.Now()})
	if errors.Is(err, message.ErrTemplate) {
		return nil
	}
	return err
}
