package ticket

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// The channels: a ticket that a message or another system brought, not a page.
const (
	FromOpen311 Source = "open311"
	FromWechat  Source = "wechat"
	FromMail    Source = "mail"
)

// channel reports whether the way leads through package intake. Such a ticket may have no phone: the requester is then
// reached by the way they came.
func (s Source) channel() bool { return s == FromOpen311 || s == FromWechat || s == FromMail }

// Kept is what Within is told of the ticket that has just been written.
type Kept struct {
	ID        int64
	Number    string
	QueryCode string
	DueAt     time.Time
}

// Heard is announced when somebody writes again about a ticket, by the way they came.
type Heard struct {
	Head
	Channel Source `json:"channel"`
	Text    string `json:"text"`
	// Of is the ticket that they wrote about when it is merged into this one, which is where it is worked on.
	Of int64 `json:"of,omitempty"`
}

// Event names the fact.
func (f Heard) Event() (string, string, int64) { return "ticket.heard", Object, f.ID }

// Hear puts further words of the requester on the timeline, in the transaction of whoever took them in and made sure that
// they are the requester's; of a ticket that is merged also on that of the handling order, where staff read them. Only the
// system may. An unknown ticket is ErrNotFound.
func (s *Service) Hear(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, channel Source, text string) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	t, err := find(ctx, tx, visible(actor), id)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	if _, err = event.Append(ctx, tx, actor, now, Heard{Head: t.head(), Channel: channel, Text: text}); err != nil || t.Status != Merged {
		return err
	}
	order, err := find(ctx, tx, visible(actor), t.MergedInto)
	if err != nil {
		return fmt.Errorf("handling order of ticket %d: %w", id, err)
	}
	_, err = event.Append(ctx, tx, actor, now, Heard{Head: order.head(), Channel: channel, Text: text, Of: t.ID})
	return err
}

// ByCode is ByNumber for a channel that asks no puzzle: who names the person whose wrong tries are counted beside those of the
// number. Only the system may ask.
func (s *Service) ByCode(ctx context.Context, actor access.Actor, who, number, code string) (PublicView, error) {
	if actor.Party != access.System {
		return PublicView{}, ErrForbidden
	}
	id, err := s.tried(ctx, who, strings.ToUpper(strings.TrimSpace(number)), strings.TrimSpace(code), true)
	if err != nil {
		return PublicView{}, fmt.Errorf("ticket by code: %w", err)
	}
	return s.publicView(ctx, id)
}
