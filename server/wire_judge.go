package server

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// judgeLinks sends requesters without an account the link with which they judge a reply that may be told to them. An installation
// that does not know its own address sends none.
func (h *house) judgeLinks(site string) event.Listener {
	return event.Listener{Name: "ticket.judge_links", Handle: func(ctx context.Context, tx bun.Tx, e event.Event) error {
		if site == "" || e.Object != ticket.Object || e.Type != "ticket.replied" && e.Type != "ticket.reviewed" {
			return nil
		}
		if h.clock.Now().Sub(e.At).Hours() > 24*ticket.JudgeDays { // history that is told late asks nobody
			return nil
		}
		link, err := h.tickets.MakeJudgeLink(ctx, tx, access.SystemActor("ticket.judge_links"), e.ObjectID)
		if err != nil || link.Token == "" {
			return err
		}
		return h.messages.Text(ctx, tx, message.Text{Phone: link.Phone, Template: message.JudgeTemplate, Params: map[string]string{
			"number": link.Number, "site": strings.TrimSuffix(site, "/"), "code": link.Token,
		}})
	}}
}
