// Package registry asks a company registry whether a company is what it says it is.
//
// # Protocol
//
// JSON over HTTP, three calls:
//
//	POST {base}/v1/verify             {"name":…,"creditCode":…,"legalPerson":…}
//	                                  200 {"found":…,"nameMatches":…,"legalPersonMatches":…,"status":…}
//	GET  {base}/v1/companies/{code}   200 company, or 404 {"code":"NOT_FOUND","message":…}
//	GET  {base}/v1/companies          200 a page of the whole register; see Client.Page
//
// Every request carries X-Registry-Key, X-Registry-Timestamp (Unix seconds, within five minutes), X-Registry-Nonce (once)
// and X-Registry-Signature: lower-case hex of HMAC-SM3 over the key's secret of five lines joined by "\n":
//
//	METHOD
//	path and query as sent
//	timestamp
//	nonce
//	lower-case hex of SM3(body)
//
// A refusal is 401 or 403 {"code":"BAD_SIGNATURE|STALE|REPLAYED|UNKNOWN_KEY|FORBIDDEN","message":…}.
package registry

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"github.com/huiqi/huiqi/integrations/outcome"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/tracing"
)

// The headers of a signed request.
const (
	HeaderKey       = "X-Registry-Key"
	HeaderTimestamp = "X-Registry-Timestamp"
	HeaderNonce     = "X-Registry-Nonce"
	HeaderSignature = "X-Registry-Signature"
)

// Tolerance is how far a request's time may be from the registry's.
const Tolerance = 5 * time.Minute

var (
	// ErrUnavailable means that the registry is down, slow or speaks nonsense: nothing is known about the company.
	ErrUnavailable = errors.New("registry unavailable")
	// ErrNotFound means that the registry answered and has no such company.
	ErrNotFound = errors.New("company not in the registry")
	// ErrRefused means that the registry does not accept us: key, clock or permission need an operator.
	ErrRefused = errors.New("registry refused the request")
)

// Config says where the registry is and who we are to it.
type Config struct {
	BaseURL string
	Key     string
	Secret  string
	Timeout time.Duration // of one call; 0 is 8 s
	Clock   clock.Clock   // nil is the machine's
	// Pause waits between two tries of Page; nil waits as long as it says.
	Pause func(ctx context.Context, d time.Duration) error
}

// Client asks one registry. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
}

// New returns a client, or an error when the configuration lacks a part.
func New(cfg Config) (*Client, error) {
	if cfg.Key == "" || cfg.Secret == "" {
		return nil, errors.New("registry: key and secret are required")
	}
	if u, err := url.Parse(cfg.BaseURL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("registry: base URL %q is not an address", cfg.BaseURL)
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	if cfg.Timeout <= 0 {
		cfg.Timeout = 8 * time.Second
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	if cfg.Pause == nil {
		cfg.Pause = pause
	}
	return &Client{cfg: cfg, http: &http.Client{
		Timeout:       cfg.Timeout,
		Transport:     tracing.Transport(&http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Query is what a company says of itself.
type Query struct {
	Name        string `json:"name"`
	CreditCode  string `json:"creditCode"`
	LegalPerson string `json:"legalPerson"`
}

// Answer is what the registry says to a Query. When Found is false nothing else is set.
type Answer struct {
	Found              bool   `json:"found"`
	NameMatches        bool   `json:"nameMatches"`
	LegalPersonMatches bool   `json:"legalPersonMatches"`
	Status             string `json:"status"` // 存续, 注销, 吊销 …
}

// Company is the registry's record of a company.
type Company struct {
	Name              string `json:"name"`
	CreditCode        string `json:"creditCode"`
	LegalPerson       string `json:"legalPerson"`
	Established       string `json:"established"`       // 2006-01-02
	RegisteredCapital int64  `json:"registeredCapital"` // fen
	IndustryCode      string `json:"industryCode"`      // GB/T 4754
	Address           string `json:"address"`
	Status            string `json:"status"`
	Street            string `json:"street"`
}

// Verify asks whether name and legal person belong to the credit code. It returns ErrUnavailable when the registry gives
// no usable answer and ErrRefused when it does not accept us.
func (c *Client) Verify(ctx context.Context, q Query) (Answer, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return Answer{}, fmt.Errorf("registry: encode query: %w", err)
	}
	var answer struct {
		Answer
		Found *bool `json:"found"`
	}
	if err := c.call(ctx, http.MethodPost, "/v1/verify", body, &answer); err != nil {
		return Answer{}, fmt.Errorf("registry: verify %s: %w", q.CreditCode, err)
	}
	if answer.Found == nil {
		return Answer{}, fmt.Errorf("registry: verify %s: %w: answer without found", q.CreditCode, ErrUnavailable)
	}
	answer.Answer.Found = *answer.Found
	return answer.Answer, nil
}

// Lookup returns the company with the credit code, ErrNotFound, ErrUnavailable or ErrRefused.
func (c *Client) Lookup(ctx context.Context, code string) (Company, error) {
	var company Company
	if err := c.call(ctx, http.MethodGet, "/v1/companies/"+url.PathEscape(code), nil, &company); err != nil {
		return Company{}, fmt.Errorf("registry: look up %s: %w", code, err)
	}
	if company.CreditCode != code {
		return Company{}, fmt.Errorf("registry: look up %s: %w: answer about %q", code, ErrUnavailable, company.CreditCode)
	}
	return company, nil
}

func (c *Client) call(ctx context.Context, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.BaseURL+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	timestamp := strconv.FormatInt(c.cfg.Clock.Now().Unix(), 10)
	nonce := rand.Text()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(HeaderKey, c.cfg.Key)
	req.Header.Set(HeaderTimestamp, timestamp)
	req.Header.Set(HeaderNonce, nonce)
	req.Header.Set(HeaderSignature, Sign(c.cfg.Secret, method, req.URL.RequestURI(), timestamp, nonce, body))
	status, _, answer, err := outcome.Do(c.http, req, 4<<20)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	switch {
	case status == http.StatusOK:
		if err := json.Unmarshal(answer, into); err != nil {
			return fmt.Errorf("%w: unreadable answer: %w", ErrUnavailable, err)
		}
		return nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound:
		var problem struct {
			Code string `json:"code"`
		}
		// A 404 of a proxy in between is not the registry's word about the company.
		if json.Unmarshal(answer, &problem) != nil || problem.Code == "" {
			return fmt.Errorf("%w: status %d", ErrUnavailable, status)
		}
		if status == http.StatusNotFound && problem.Code == "NOT_FOUND" {
			return ErrNotFound
		}
		return fmt.Errorf("%w: %s", ErrRefused, problem.Code)
	}
	return fmt.Errorf("%w: status %d", ErrUnavailable, status)
}

// Sign returns the signature of a request; uri is path and query as sent.
func Sign(secret, method, uri, timestamp, nonce string, body []byte) string {
	hash := sm3.Sum(body)
	mac := hmac.New(sm3.New, []byte(secret))
	fmt.Fprintf(mac, "%s\n%s\n%s\n%s\n%s", method, uri, timestamp, nonce, hex.EncodeToString(hash[:]))
	return hex.EncodeToString(mac.Sum(nil))
}
