package server

import (
	"context"
	"errors"
	"time"

	"github.com/huiqi/huiqi/integrations/sms"
	"github.com/huiqi/huiqi/modules/message"
)

// texter lets the message centre send through the SMS provider.
type texter struct {
	client    *sms.Client
	templates map[string]string // our name → the provider's code
}

var _ message.Sender = texter{}

// Send hands the message to the provider.
func (t texter) Send(ctx context.Context, id string, m message.Text) message.Outcome {
	r, err := t.client.Send(ctx, sms.Message{ID: id, Phone: m.Phone, Template: t.templates[m.Template], Params: m.Params})
	if err == nil {
		return message.Outcome{State: message.Sent, Receipt: r.BizID}
	}
	var refused *sms.Refused
	switch {
	case errors.As(err, &refused):
		return message.Outcome{State: message.Refused, Code: refused.Code, Permanent: refused.Permanent, Err: err}
	case errors.Is(err, sms.ErrNotSent):
		return message.Outcome{State: message.Queued, Err: err}
	}
	return message.Outcome{State: message.Unknown, Err: err}
}

// Ask finds out what became of a message whose answer was lost.
func (t texter) Ask(ctx context.Context, id string, m message.Text, sentOn time.Time) message.Outcome {
	state, err := t.client.Query(ctx, sms.Query{Phone: m.Phone, Date: sentOn, ID: id})
	if err != nil {
		return message.Outcome{State: message.Unknown, Err: err}
	}
	switch state {
	case sms.Unsent:
		return message.Outcome{State: message.Queued}
	case sms.Failed:
		return message.Outcome{State: message.Refused, Permanent: true}
	}
	return message.Outcome{State: message.Sent}
}
