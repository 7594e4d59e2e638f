// Package sms sends text messages through Aliyun's short message service (Dysmsapi 2017-05-25, RPC signature v1).
//
// A message either left (Receipt), was refused (*Refused), never left (ErrNotSent) or its answer was lost (ErrUnknown).
// After ErrUnknown ask with Query, giving our own id: the provider keeps it as OutId. The SDK retries nothing.
package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"

	"github.com/huiqi/huiqi/integrations/outcome"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/tracing"
)

// Refused is the provider's clear no; see outcome.Refused.
type Refused = outcome.Refused

// The two failures without an answer; see package outcome.
var (
	ErrUnknown = outcome.ErrUnknown
	ErrNotSent = outcome.ErrNotSent
)

const region = "cn-hangzhou"

// Config says where the provider is and who we are to it.
type Config struct {
	AccessKeyID     string
	AccessKeySecret string
	Endpoint        string        // host, port and path without scheme; "" is dysmsapi.aliyuncs.com
	Scheme          string        // "https" (also when empty) or "http" for the sandbox
	SignName        string        // the signature approved by the provider, without brackets
	Timeout         time.Duration // of one whole call; 0 is 10 s
}

// Client sends through one account. It is safe for concurrent use.
type Client struct {
	cfg       Config
	transport *http.Transport
}

// New returns a client, or an error when the configuration lacks a part.
func New(cfg Config) (*Client, error) {
	if cfg.AccessKeyID == "" || cfg.AccessKeySecret == "" || cfg.SignName == "" {
		return nil, errors.New("sms: access key id, access key secret and sign name are required")
	}
	if cfg.Endpoint == "" {
		cfg.Endpoint = "dysmsapi.aliyuncs.com"
	}
	cfg.Endpoint = strings.TrimSuffix(cfg.Endpoint, "/")
	if cfg.Scheme == "" {
		cfg.Scheme = "https"
	}
	if cfg.Scheme != "https" && cfg.Scheme != "http" {
		return nil, fmt.Errorf("sms: scheme %q is neither https nor http", cfg.Scheme)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	return &Client{cfg: cfg, transport: &http.Transport{
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: cfg.Timeout,
	}}, nil
}

// Message is one text to one phone.
type Message struct {
	ID       string // our id; the provider keeps it and Query finds the message by it
	Phone    string // mainland number, 11 digits
	Template string // the provider's template code
	Params   map[string]string
}

// Receipt is the provider's word that it took the message.
type Receipt struct {
	BizID string
}

// Send hands m to the provider. It returns *Refused, ErrNotSent or ErrUnknown when the provider did not take it.
func (c *Client) Send(ctx context.Context, m Message) (Receipt, error) {
	params, err := json.Marshal(m.Params)
	if err != nil {
		return Receipt{}, fmt.Errorf("sms: encode parameters: %w", err)
	}
	req := dysmsapi.CreateSendSmsRequest()
	req.PhoneNumbers, req.SignName, req.TemplateCode, req.OutId = m.Phone, c.cfg.SignName, m.Template, m.ID
	if len(m.Params) > 0 {
		req.TemplateParam = string(params)
	}
	res := dysmsapi.CreateSendSmsResponse()
	if err := c.call(ctx, req, res); err != nil {
		return Receipt{}, fmt.Errorf("sms: send %s: %w", m.ID, err)
	}
	if res.Code != "OK" {
		return Receipt{}, fmt.Errorf("sms: send %s: %w", m.ID, answered(res.Code, res.Message))
	}
	return Receipt{BizID: res.BizId}, nil
}

// Query asks what became of a message.
type Query struct {
	Phone string
	BizID string    // "" when the receipt was lost
	Date  time.Time // when it was sent; the provider looks at that day in Beijing, Query also across a midnight close by
	ID    string    // our id; "" when BizID is given
}

// State is what the provider knows of a message.
type State string

// The states. Unsent means that the provider has never had the message: it may be sent again.
const (
	Unsent    State = "unsent"
	Waiting   State = "waiting"
	Failed    State = "failed"
	Delivered State = "delivered"
)

// midnight is how far our clock and the provider's may be apart, with the time that a call takes: a message sent just
// before midnight may stand in the provider's next day.
const midnight = 2 * time.Minute

// Query returns what became of the message. An error says nothing about the message: ask again later.
func (c *Client) Query(ctx context.Context, q Query) (State, error) {
	asked := ""
	for _, at := range []time.Time{q.Date, q.Date.Add(-midnight), q.Date.Add(midnight)} {
		day := at.In(clock.Beijing).Format("20060102")
		if day == asked {
			continue
		}
		asked = day
		if state, err := c.queryDay(ctx, q, day); err != nil || state != Unsent {
			return state, err
		}
	}
	return Unsent, nil
}

// queryDay looks through the messages of one day.
func (c *Client) queryDay(ctx context.Context, q Query, day string) (State, error) {
	const size = 50
	for page := 1; ; page++ {
		req := dysmsapi.CreateQuerySendDetailsRequest()
		req.PhoneNumber, req.BizId = q.Phone, q.BizID
		req.SendDate = day
		req.PageSize, req.CurrentPage = requests.NewInteger(size), requests.NewInteger(page)
		res := dysmsapi.CreateQuerySendDetailsResponse()
		if err := c.call(ctx, req, res); err != nil {
			return "", fmt.Errorf("sms: query %s: %w", q.ID, err)
		}
		if res.Code != "OK" {
			return "", fmt.Errorf("sms: query %s: %w", q.ID, answered(res.Code, res.Message))
		}
		for _, d := range res.SmsSendDetailDTOs.SmsSendDetailDTO {
			if q.ID != "" && d.OutId != q.ID {
				continue
			}
			switch d.SendStatus {
			case 1:
				return Waiting, nil
			case 2:
				return Failed, nil
			default:
				return Delivered, nil
			}
		}
		if len(res.SmsSendDetailDTOs.SmsSendDetailDTO) < size {
			return Unsent, nil
		}
	}
}

// endpoints has the SDK fill the table it otherwise fills at its first use, without a lock.
var endpoints = sync.OnceFunc(func() { dysmsapi.GetEndpointMap() })

// call makes one request. The SDK writes the timeout into its client at every call, so each call has its own.
func (c *Client) call(ctx context.Context, req requests.AcsRequest, res responses.AcsResponse) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	ctx, sent := outcome.Watch(ctx)
	config := sdk.NewConfig().WithScheme(c.cfg.Scheme).WithTimeout(c.cfg.Timeout)
	config.Transport = bound{ctx, tracing.Transport(c.transport)}
	endpoints()
	client, err := dysmsapi.NewClientWithOptions(region, config, credentials.NewAccessKeyCredential(c.cfg.AccessKeyID, c.cfg.AccessKeySecret))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	req.SetDomain(c.cfg.Endpoint)
	req.SetScheme(c.cfg.Scheme)
	err = client.DoAction(req, res)
	if err == nil {
		if res.GetHttpContentString() == "" {
			return fmt.Errorf("%w: empty answer", ErrUnknown)
		}
		return nil
	}
	var server *sdkerrors.ServerError
	if !errors.As(err, &server) {
		return outcome.Failed(err, sent())
	}
	if server.ErrorCode() == "" || server.HttpStatus() >= 500 {
		return fmt.Errorf("%w: status %d %s", ErrUnknown, server.HttpStatus(), server.ErrorCode())
	}
	return refused(server.ErrorCode(), server.Message())
}

// bound gives the SDK's requests the caller's context, which the SDK has no parameter for.
type bound struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip sends req under the caller's context and deadline.
func (b bound) RoundTrip(req *http.Request) (*http.Response, error) {
	return b.next.RoundTrip(req.WithContext(b.ctx))
}

// answered classes a business code in an answer with status 200.
func answered(code, message string) error {
	if code == "" {
		return fmt.Errorf("%w: answer without a code", ErrUnknown)
	}
	return refused(code, message)
}

func refused(code, message string) *Refused {
	// A signature mismatch quotes our request, phone number included.
	if i := strings.Index(message, "server string to sign is"); i >= 0 {
		message = message[:i]
	}
	return &Refused{Provider: "sms", Code: code, Message: strings.TrimSpace(message), Permanent: permanent(code)}
}

// permanent reports whether the same message would be refused again. Flow control, an empty account and a busy provider
// pass; a bad number, template or key does not.
func permanent(code string) bool {
	switch code {
	case "isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "isv.AMOUNT_NOT_ENOUGH",
		"isv.OUT_OF_SERVICE", "isp.SYSTEM_ERROR", "isp.RAM_PERMISSION_DENY", "isv.SYSTEM_ERROR",
		"Throttling", "Throttling.User", "ServiceUnavailable", "InternalError", "SignatureNonceUsed":
		return false
	}
	return true
}
