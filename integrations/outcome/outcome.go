// Package outcome holds the three ways a message can fail to leave, shared by every sender (SMS, WeChat, mail):
// the provider refused it, nothing was sent, or nobody knows. The difference decides what the caller may do next:
// a refusal is final or can be tried later, an unsent message may be sent again at once, and an unknown one must be
// asked about first, because sending it again could deliver it twice.
package outcome

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
)

// The two failures in which no provider answered.
var (
	// ErrNotSent means that nothing reached the provider: sending again cannot deliver twice.
	ErrNotSent = errors.New("nothing was sent")
	// ErrUnknown means that the request left and no readable answer came: ask the provider before sending again.
	ErrUnknown = errors.New("outcome unknown")
)

// Refused is a provider's clear no: nothing was delivered.
type Refused struct {
	Provider  string // sms, wechat, mail
	Code      string // the provider's own code
	Message   string // the provider's own words, without secrets
	Permanent bool   // trying the same message again cannot help
}

// Error returns the provider's code and words, for logs.
func (r *Refused) Error() string {
	return fmt.Sprintf("%s refused: %s: %s", r.Provider, r.Code, r.Message)
}

// Watch returns a context that notes whether a request made with it began to travel, and a function that reads the note.
func Watch(ctx context.Context) (context.Context, func() bool) {
	var sent atomic.Bool
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField:     func(string, []string) { sent.Store(true) },
		WroteHeaders:         func() { sent.Store(true) },
		GotFirstResponseByte: func() { sent.Store(true) },
	}), sent.Load
}

// Failed classes a transport error: ErrUnknown when the request had begun to travel, else ErrNotSent. The address, which
// may carry keys and phone numbers, is dropped from the text.
func Failed(err error, sent bool) error {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	if sent {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return fmt.Errorf("%w: %w", ErrNotSent, err)
}

// Do sends req and reads at most limit bytes of the answer. A failure is ErrNotSent or ErrUnknown; any status is an answer.
func Do(client *http.Client, req *http.Request, limit int64) (status int, header http.Header, body []byte, err error) {
	ctx, sent := Watch(req.Context())
	// #nosec G704 -- addresses come from the configuration, or pass the guard of the webhook client at dial time
	res, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return 0, nil, nil, Failed(err, sent())
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, limit))
	if err != nil {
		return res.StatusCode, res.Header, nil, Failed(err, true)
	}
	return res.StatusCode, res.Header, body, nil
}
