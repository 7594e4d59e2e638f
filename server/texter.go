package server

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/huiqi/huiqi/integrations/sms"
	"github.com/huiqi/huiqi/integrations/wechat"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/clock"
)

// texter lets the message centre send through the SMS provider.
type texter struct {
	client    *sms.Client
	templates map[string]string // our name → the provider's code
}

var _ message.Sender = texter{}

// Knows reports whether the installation has the provider's template.
func (t texter) Knows(template string) bool { return t.templates[template] != "" }

// Send hands the message to the provider.
func (t texter) Send(ctx context.Context, id string, m message.Text) message.Outcome {
	r, err := t.client.Send(ctx, sms.Message{ID: id, Phone: m.Phone, Template: t.templates[m.Template], Params: m.Params})
	if err != nil {
		return failed(err)
	}
	return message.Outcome{State: message.Sent, Receipt: r.BizID}
}

// failed sorts a provider's failure: its no, nothing sent, or nobody knows.
func failed(err error) message.Outcome {
	var refused *sms.Refused // of either provider: both are outcome.Refused
	switch {
	case errors.As(err, &refused):
		return message.Outcome{State: message.Refused, Code: refused.Code, Permanent: refused.Permanent, Err: err}
	case errors.Is(err, sms.ErrNotSent):
		return message.Outcome{State: message.Queued, Err: err}
	}
	return message.Outcome{State: message.Unknown, Err: err}
}

// Ask finds out what became of a message whose answer was lost. The provider looks at one day; a message handed over
// around midnight may stand in the next.
func (t texter) Ask(ctx context.Context, id string, m message.Text, sentOn time.Time) message.Outcome {
	days := []time.Time{sentOn}
	if next := sentOn.Add(time.Minute); next.In(clock.Beijing).Day() != sentOn.In(clock.Beijing).Day() {
		days = append(days, next)
	}
	for _, day := range days {
		state, err := t.client.Query(ctx, sms.Query{Phone: m.Phone, Date: day, ID: id})
		switch {
		case err != nil:
			return message.Outcome{State: message.Unknown, Err: err}
		case state == sms.Failed:
			return message.Outcome{State: message.Refused, Permanent: true}
		case state != sms.Unsent:
			return message.Outcome{State: message.Sent}
		}
	}
	return message.Outcome{State: message.Queued}
}

// poster lets the message centre write to followers of the official account.
type poster struct {
	client    *wechat.Client
	templates map[string]string // our name → WeChat's template id
	base      string            // address of H5, which a tap opens
}

var _ message.Poster = poster{}

// Knows reports whether the installation has WeChat's template.
func (p poster) Knows(template string) bool { return p.templates[template] != "" }

// Post hands the message to WeChat, which drops a repeat of the id within ten minutes.
func (p poster) Post(ctx context.Context, id string, m message.Post) message.Outcome {
	address := ""
	if m.Link != "" {
		address = p.base + m.Link
	}
	n, err := p.client.SendTemplate(ctx, wechat.TemplateMessage{ID: id, OpenID: m.OpenID, TemplateID: p.templates[m.Template], URL: address, Data: m.Fields})
	if err != nil {
		return failed(err)
	}
	return message.Outcome{State: message.Sent, Receipt: strconv.FormatInt(n, 10)}
}
