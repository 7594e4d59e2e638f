// Package wechat speaks to a WeChat official account: sign-in on the web, template messages, temporary QR codes, JS-SDK
// signatures, and the callbacks WeChat sends us.
//
// Message types, error answers, token and ticket answers and the message cipher are silenceper/wechat's. Its HTTP helpers
// are not used: they keep the server's address and the HTTP client in package variables, take no context for sending, and
// put tokens into error texts. Nothing this package returns as an error contains a token or the app secret.
package wechat

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/credential"
	"github.com/silenceper/wechat/v2/officialaccount/basic"
	"github.com/silenceper/wechat/v2/officialaccount/js"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/officialaccount/oauth"
	"github.com/silenceper/wechat/v2/util"

	"github.com/huiqi/huiqi/integrations/outcome"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/tracing"
)

// Refused is WeChat's clear no; Code is its errcode. See outcome.Refused.
type Refused = outcome.Refused

// The two failures without an answer; see package outcome.
var (
	ErrUnknown = outcome.ErrUnknown
	ErrNotSent = outcome.ErrNotSent
)

// Codes of a Refused that callers act on.
const (
	CodeInvalidCode   = "40029" // the sign-in code is wrong or expired
	CodeCodeUsed      = "40163" // the sign-in code was used already
	CodeNotSubscribed = "43004" // the person does not follow the account
)

// Cache keeps tokens and tickets. Several processes must share one, else each makes the others' tokens void.
type Cache interface {
	// Get returns the value of key, or "" when there is none or it expired.
	Get(ctx context.Context, key string) (string, error)
	// Set keeps value for ttl. A ttl of 0 or less removes it.
	Set(ctx context.Context, key, value string, ttl time.Duration) error
}

// Memory is a Cache for one process. The zero value is ready.
type Memory struct {
	mu     sync.Mutex
	values map[string]kept
}

type kept struct {
	value string
	until time.Time
}

// Get returns the value of key unless it expired.
func (m *Memory) Get(_ context.Context, key string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.values[key]
	if !time.Now().Before(v.until) {
		return "", nil
	}
	return v.value, nil
}

// Set keeps value for ttl.
func (m *Memory) Set(_ context.Context, key, value string, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = map[string]kept{}
	}
	m.values[key] = kept{value, time.Now().Add(ttl)}
	return nil
}

// Config says which account we are and where WeChat is.
type Config struct {
	AppID          string
	AppSecret      string
	Token          string // of callbacks
	EncodingAESKey string // of callbacks, 43 characters
	APIBase        string // "" is https://api.weixin.qq.com
	OpenBase       string // the browser's sign-in page; "" is https://open.weixin.qq.com
	MPBase         string // the browser's QR pictures; "" is https://mp.weixin.qq.com
	Timeout        time.Duration
	Cache          Cache       // nil is a Memory
	Clock          clock.Clock // nil is the machine's
}

// Client is one official account. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
	mu   sync.Mutex // one token request at a time
}

// New returns a client, or an error when the configuration lacks a part.
func New(cfg Config) (*Client, error) {
	if cfg.AppID == "" || cfg.AppSecret == "" {
		return nil, errors.New("wechat: app id and app secret are required")
	}
	if cfg.EncodingAESKey != "" && len(cfg.EncodingAESKey) != 43 {
		return nil, errors.New("wechat: the encoding AES key has 43 characters")
	}
	for base, official := range map[*string]string{
		&cfg.APIBase: "https://api.weixin.qq.com", &cfg.OpenBase: "https://open.weixin.qq.com", &cfg.MPBase: "https://mp.weixin.qq.com",
	} {
		if *base == "" {
			*base = official
		}
		*base = strings.TrimSuffix(*base, "/")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 8 * time.Second
	}
	if cfg.Cache == nil {
		cfg.Cache = &Memory{}
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	return &Client{cfg: cfg, http: &http.Client{
		Timeout:       cfg.Timeout,
		Transport:     tracing.Transport(&http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// AppID names the account.
func (c *Client) AppID() string { return c.cfg.AppID }

// Scope is what a person is asked for at sign-in.
type Scope string

// The scopes: Base is silent and gives the OpenID, UserInfo asks for consent.
const (
	Base     Scope = "snsapi_base"
	UserInfo Scope = "snsapi_userinfo"
)

// AuthorizeURL returns the page a browser inside WeChat is sent to for signing in. State is at most 128 letters and digits.
func (c *Client) AuthorizeURL(redirect, state string, scope Scope) (string, error) {
	if state == "" || len(state) > 128 || strings.ContainsFunc(state, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}) {
		return "", errors.New("wechat: state must be 1 to 128 letters and digits")
	}
	// WeChat documents this order and refuses others.
	return c.cfg.OpenBase + "/connect/oauth2/authorize?appid=" + url.QueryEscape(c.cfg.AppID) + "&redirect_uri=" + url.QueryEscape(redirect) +
		"&response_type=code&scope=" + string(scope) + "&state=" + state + "#wechat_redirect", nil
}

// Identity is who signed in.
type Identity struct {
	OpenID   string
	UnionID  string // "" unless the account belongs to an open platform
	Snapshot bool   // a preview visitor: must not be bound to an account
}

// Exchange turns a sign-in code into who signed in. A code works once, within five minutes: *Refused with
// CodeInvalidCode or CodeCodeUsed means that the person must sign in again.
func (c *Client) Exchange(ctx context.Context, code string) (Identity, error) {
	q := url.Values{"appid": {c.cfg.AppID}, "secret": {c.cfg.AppSecret}, "code": {code}, "grant_type": {"authorization_code"}}
	var res oauth.ResAccessToken
	if err := c.do(ctx, http.MethodGet, "/sns/oauth2/access_token", q, nil, &res); err != nil {
		return Identity{}, fmt.Errorf("wechat: exchange code: %w", err)
	}
	if err := refusal(res.CommonError); err != nil {
		return Identity{}, fmt.Errorf("wechat: exchange code: %w", err)
	}
	if res.OpenID == "" {
		return Identity{}, fmt.Errorf("wechat: exchange code: %w: answer without an open id", ErrUnknown)
	}
	return Identity{OpenID: res.OpenID, UnionID: res.UnionID, Snapshot: res.IsSnapShotUser == 1}, nil
}

// TemplateMessage is one message to one follower.
type TemplateMessage struct {
	ID         string // our id; WeChat delivers one message per person and id within ten minutes
	OpenID     string
	TemplateID string
	URL        string            // opened by a tap; "" when there is nothing to open
	Data       map[string]string // "thing" values are cut at 20 characters, as WeChat demands
}

// SendTemplate hands m to WeChat and returns its message id.
func (c *Client) SendTemplate(ctx context.Context, m TemplateMessage) (int64, error) {
	body := message.TemplateMessage{
		ToUser: m.OpenID, TemplateID: m.TemplateID, URL: m.URL, ClientMsgID: m.ID,
		Data: make(map[string]*message.TemplateDataItem, len(m.Data)),
	}
	for key, value := range m.Data {
		value = strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
		if runes := []rune(value); strings.HasPrefix(key, "thing") && len(runes) > 20 {
			value = string(runes[:19]) + "…"
		}
		body.Data[key] = &message.TemplateDataItem{Value: value}
	}
	var res struct {
		util.CommonError
		MsgID int64 `json:"msgid"`
	}
	err := c.withToken(ctx, "/cgi-bin/message/template/send", nil, body, &res, func() error {
		if res.ErrCode == 0 && res.MsgID == 0 {
			return fmt.Errorf("%w: answer without a message id", ErrUnknown)
		}
		return refusal(res.CommonError)
	})
	if err != nil {
		return 0, fmt.Errorf("wechat: send %s: %w", m.ID, err)
	}
	return res.MsgID, nil
}

// QRCode is a temporary QR code that carries a scene.
type QRCode struct {
	Ticket   string
	Content  string // what the picture encodes
	ImageURL string // the picture, for the browser
	Expires  time.Time
}

// CreateQRCode makes a QR code for scene, 1 to 64 characters, that lives for ttl.
func (c *Client) CreateQRCode(ctx context.Context, scene string, ttl time.Duration) (QRCode, error) {
	if scene == "" || len(scene) > 64 {
		return QRCode{}, errors.New("wechat: a scene has 1 to 64 characters")
	}
	var res basic.Ticket
	err := c.withToken(ctx, "/cgi-bin/qrcode/create", nil, basic.NewTmpQrRequest(ttl, scene), &res, func() error {
		if res.ErrCode == 0 && res.Ticket == "" {
			return fmt.Errorf("%w: answer without a ticket", ErrUnknown)
		}
		return refusal(res.CommonError)
	})
	if err != nil {
		return QRCode{}, fmt.Errorf("wechat: create QR code: %w", err)
	}
	return QRCode{
		Ticket: res.Ticket, Content: res.URL, ImageURL: c.ShowQRCodeURL(res.Ticket),
		Expires: c.cfg.Clock.Now().Add(time.Duration(res.ExpireSeconds) * time.Second),
	}, nil
}

// ShowQRCodeURL returns the address of a ticket's picture, for the browser.
func (c *Client) ShowQRCodeURL(ticket string) string {
	return c.cfg.MPBase + "/cgi-bin/showqrcode?ticket=" + url.QueryEscape(ticket)
}

// JSConfig is what wx.config wants.
type JSConfig struct {
	AppID     string `json:"appId"`
	Timestamp int64  `json:"timestamp"`
	Nonce     string `json:"nonceStr"`
	Signature string `json:"signature"`
}

// SignJS signs the page at address, without its fragment, for the JS-SDK.
func (c *Client) SignJS(ctx context.Context, address string) (JSConfig, error) {
	address, _, _ = strings.Cut(address, "#")
	ticket, err := c.ticket(ctx)
	if err != nil {
		return JSConfig{}, fmt.Errorf("wechat: sign page: %w", err)
	}
	signed := js.Config{AppID: c.cfg.AppID, Timestamp: c.cfg.Clock.Now().Unix(), NonceStr: rand.Text()}
	signed.Signature = util.Signature(fmt.Sprintf("jsapi_ticket=%s&noncestr=%s&timestamp=%d&url=%s", ticket, signed.NonceStr, signed.Timestamp, address))
	return JSConfig{signed.AppID, signed.Timestamp, signed.NonceStr, signed.Signature}, nil
}

func (c *Client) ticket(ctx context.Context) (string, error) {
	key := "wechat:ticket:" + c.cfg.AppID
	if ticket, err := c.cfg.Cache.Get(ctx, key); err != nil || ticket != "" {
		return ticket, err
	}
	var res credential.ResTicket
	err := c.withToken(ctx, "/cgi-bin/ticket/getticket", url.Values{"type": {"jsapi"}}, nil, &res, func() error { return refusal(res.CommonError) })
	if err != nil {
		return "", err
	}
	return res.Ticket, c.cfg.Cache.Set(ctx, key, res.Ticket, early(res.ExpiresIn))
}

// token returns the access token, from the cache unless refused names the cached one as void.
func (c *Client) token(ctx context.Context, void string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := "wechat:token:" + c.cfg.AppID
	cached, err := c.cfg.Cache.Get(ctx, key)
	if err != nil {
		return "", fmt.Errorf("%w: read token: %w", ErrNotSent, err)
	}
	if cached != "" && cached != void {
		return cached, nil
	}
	var res credential.ResAccessToken
	// Not forced: the stable token is renewed by WeChat itself, and forcing would void what other processes hold.
	body := map[string]any{"grant_type": "client_credential", "appid": c.cfg.AppID, "secret": c.cfg.AppSecret, "force_refresh": false}
	if err := c.do(ctx, http.MethodPost, "/cgi-bin/stable_token", nil, body, &res); err != nil {
		// No token was ever used, so nothing can have been sent.
		return "", fmt.Errorf("%w: get token: %s", ErrNotSent, c.redact(err.Error()))
	}
	if err := refusal(res.CommonError); err != nil {
		return "", fmt.Errorf("get token: %w", err)
	}
	if res.AccessToken == "" {
		return "", fmt.Errorf("%w: answer without a token", ErrNotSent)
	}
	if err := c.cfg.Cache.Set(ctx, key, res.AccessToken, early(res.ExpiresIn)); err != nil {
		return "", fmt.Errorf("%w: keep token: %w", ErrNotSent, err)
	}
	return res.AccessToken, nil
}

// early takes five minutes off a lifetime, so that a token does not die on the way.
func early(seconds int64) time.Duration {
	return max(time.Duration(seconds)*time.Second-5*time.Minute, time.Minute)
}

// withToken calls path with the access token and asks check about the answer. A token that WeChat calls void is replaced
// and the call made once more.
func (c *Client) withToken(ctx context.Context, path string, q url.Values, body, into any, check func() error) error {
	void := ""
	for {
		token, err := c.token(ctx, void)
		if err != nil {
			return err
		}
		query := url.Values{"access_token": {token}}
		for k, v := range q {
			query[k] = v
		}
		method := http.MethodPost
		if body == nil {
			method = http.MethodGet
		}
		if err := c.do(ctx, method, path, query, body, into); err != nil {
			return err
		}
		err = check()
		var refused *Refused
		if void == "" && errors.As(err, &refused) && (refused.Code == "40001" || refused.Code == "42001" || refused.Code == "40014") {
			void = token
			continue
		}
		return err
	}
}

// do makes one call and reads its JSON answer into into.
func (c *Client) do(ctx context.Context, method, path string, q url.Values, body, into any) error {
	var reader io.Reader
	if body != nil {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(body); err != nil {
			return fmt.Errorf("%w: %w", ErrNotSent, err)
		}
		reader = &buf
	}
	address := c.cfg.APIBase + path
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return fmt.Errorf("%w: the address of WeChat cannot be read", ErrNotSent)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	status, _, answer, err := outcome.Do(c.http, req, 1<<20)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%w: status %d", ErrUnknown, status)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%w: unreadable answer", ErrUnknown)
	}
	return nil
}

func (c *Client) redact(text string) string {
	return strings.ReplaceAll(text, c.cfg.AppSecret, "***")
}

// refusal turns an errcode into a *Refused; -1 (busy), frequency and token codes pass, others do not.
func refusal(e util.CommonError) error {
	if e.ErrCode == 0 {
		return nil
	}
	words, _, _ := strings.Cut(e.ErrMsg, " rid:")
	r := &Refused{Provider: "wechat", Code: strconv.FormatInt(e.ErrCode, 10), Message: words, Permanent: true}
	switch e.ErrCode {
	case -1, 40001, 40014, 42001, 45009, 45011, 45047, 50002:
		r.Permanent = false
	}
	return r
}
