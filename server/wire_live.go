package server

import (
	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/conversation"
	"github.com/huiqi/huiqi/modules/cti"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/seat"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/live"
)

// openLive joins the kinds of objects that open pages are told of, each with its module's say about who sees them.
func (h *house) openLive(p parts) {
	h.live = live.New(live.Options{
		DB: h.db, Log: p.log, Sessions: h.identity.Sessions,
		Audiences: map[string]live.Audience{
			ticket.Object:       h.tickets.Audience,
			application.Object:  h.applications.Audience,
			catalog.Object:      h.catalog.Audience,
			enterprise.Object:   h.enterprises.Audience,
			message.Object:      h.messages.Audience,
			conversation.Object: h.conversations.Audience,
			seat.Object:         h.seats.Audience,
			cti.Object:          h.telephone.Audience,

			intake.MessageObject: h.intake.Audience,
		},
	})
	live.Register(h.web, h.live)
}
