// Package webhook pushes events to partners: Standard Webhooks signature, CloudEvents 1.0 envelope, and a guard that keeps
// a configured address from reaching into our own network.
//
// The guard looks at the IP a connection is really made to, at dial time, so a name that turns private between two
// look-ups gains nothing. Redirects are not followed. A partner on a government network, which has private addresses, is
// reached through the operator's allow-list only.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/tracing"
)

// ErrBlocked means that the address is not one we may reach; it is inside every Failure of that sort.
var ErrBlocked = errors.New("webhook: address not allowed")

// keepText is how much of a partner's answer is kept.
const keepText = 1 << 10

// Cause says what went wrong with a push, for whoever has to mend it.
type Cause string

// The causes.
const (
	Answered      Cause = "answered"      // the partner answered no; Status tells
	TimedOut      Cause = "timed_out"     // no answer in time; the partner may have taken it
	Refused       Cause = "refused"       // nobody listens there
	Cut           Cause = "cut"           // the line broke; the partner may have taken it
	Unresolved    Cause = "unresolved"    // the name has no address
	Untrusted     Cause = "untrusted"     // the certificate is not one to trust
	Blocked       Cause = "blocked"       // an address we do not go to
	Misconfigured Cause = "misconfigured" // our own side: secret or address cannot be used
	Unreachable   Cause = "unreachable"   // anything else on the way
)

// Failure is a push that was not taken.
type Failure struct {
	Cause      Cause
	Status     int // 0 when there was no answer
	Reason     string
	Retryable  bool          // the same push may be taken later
	RetryAfter time.Duration // what the partner asked for; 0 when it did not
	Err        error
}

// Error says what happened, without the secret and the address.
func (f *Failure) Error() string { return "webhook: " + f.Reason }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Endpoint is where a partner listens.
type Endpoint struct {
	URL    string
	Secret string // Standard Webhooks secret: base64, with or without whsec_
	// AllowCIDRs are private networks the operator lets this endpoint reach.
	AllowCIDRs []netip.Prefix
	// AllowHosts are host or host:port, exactly as in the URL, that the operator lets through whatever they resolve to.
	AllowHosts []string
}

// Delivery is one attempt at one event. A repeat has the same ID and Body.
type Delivery struct {
	ID          string
	Timestamp   time.Time // of this attempt
	Body        []byte
	ContentType string // "" is application/cloudevents+json
}

// Receipt is the partner's answer to a push it took.
type Receipt struct {
	Status    int
	Body      string // at most 1 KB of text
	PartnerID string // the id the partner gave the event, when it said one
}

// Client pushes. It is safe for concurrent use.
type Client struct {
	Timeout time.Duration // of one push; 0 is 15 s
	Clock   clock.Clock   // nil is the machine's; used for Retry-After given as a date
}

// Push sends d to e once. It returns a *Failure when the partner did not take it.
func (c *Client) Push(ctx context.Context, e Endpoint, d Delivery) (Receipt, error) {
	if err := CheckURL(e); err != nil {
		return Receipt{}, &Failure{Cause: Blocked, Reason: err.Error(), Err: err}
	}
	signer, err := standardwebhooks.NewWebhook(e.Secret)
	if err != nil || e.Secret == "" {
		return Receipt{}, &Failure{Cause: Misconfigured, Reason: "the endpoint's secret cannot be read", Err: err}
	}
	signature, err := signer.Sign(d.ID, d.Timestamp, d.Body)
	if err != nil {
		return Receipt{}, &Failure{Cause: Misconfigured, Reason: "the push cannot be signed", Err: err}
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = 15 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(d.Body))
	if err != nil {
		return Receipt{}, &Failure{Cause: Blocked, Reason: "the address cannot be read", Err: errors.Join(ErrBlocked, err)}
	}
	contentType := d.ContentType
	if contentType == "" {
		contentType = "application/cloudevents+json"
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "huiqi-webhook/1")
	req.Header.Set(standardwebhooks.HeaderWebhookID, d.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(d.Timestamp.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)

	// A fresh connection each time: a kept one would have been dialled under another endpoint's allow-list.
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: timeout, Control: e.control()}).DialContext,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 16 << 10,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: tracing.Transport(transport), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		var address *url.Error
		if errors.As(err, &address) {
			err = address.Err
		}
		return Receipt{}, &Failure{Cause: causeOf(err), Reason: "no answer: " + err.Error(), Retryable: !errors.Is(err, ErrBlocked), Err: err}
	}
	defer res.Body.Close()
	// The status is the partner's word. What follows it is only kept for reading, so a slow or broken body is no failure.
	text, _ := io.ReadAll(io.LimitReader(res.Body, keepText))
	receipt := Receipt{Status: res.StatusCode, Body: clean(text), PartnerID: partnerID(text)}
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return receipt, nil
	}
	return receipt, c.failure(res)
}

func (c *Client) failure(res *http.Response) *Failure {
	f := &Failure{Cause: Answered, Status: res.StatusCode, Reason: fmt.Sprintf("partner answered %d", res.StatusCode)}
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		f.Reason = fmt.Sprintf("partner redirected (%d), which is not followed", res.StatusCode)
	case res.StatusCode == http.StatusRequestTimeout, res.StatusCode == http.StatusConflict, res.StatusCode == http.StatusTooEarly,
		res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 500:
		f.Retryable = true
	}
	if after := res.Header.Get("Retry-After"); f.Retryable && after != "" {
		if seconds, err := strconv.Atoi(after); err == nil {
			f.RetryAfter = time.Duration(seconds) * time.Second
		} else if at, err := http.ParseTime(after); err == nil {
			now := clock.Clock(clock.System{})
			if c.Clock != nil {
				now = c.Clock
			}
			f.RetryAfter = at.Sub(now.Now())
		}
		// A partner may not park its stream for ever.
		f.RetryAfter = min(max(f.RetryAfter, 0), 24*time.Hour)
	}
	return f
}

// causeOf tells what kept an answer from coming.
func causeOf(err error) Cause {
	var (
		name  *net.DNSError
		cert  *tls.CertificateVerificationError
		talk  tls.RecordHeaderError
		alert tls.AlertError
		slow  net.Error
	)
	switch {
	case errors.Is(err, ErrBlocked):
		return Blocked
	case errors.As(err, &cert), errors.As(err, &talk), errors.As(err, &alert):
		return Untrusted
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return TimedOut
	case errors.As(err, &name):
		return Unresolved
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.Canceled):
		return Cut
	}
	return Unreachable
}

// Why is the reason for which an address can never be used.
type Why string

// The reasons.
const (
	Unreadable  Why = "unreadable"
	OtherScheme Why = "scheme"
	HasPassword Why = "password"
	NoHost      Why = "no_host"
	PlainHTTP   Why = "plain_http"
	OddAddress  Why = "odd_address"
	NotPublic   Why = "not_public"
	OtherPort   Why = "port"
)

// AddressError is an address that can never be used. It is ErrBlocked.
type AddressError struct {
	Why  Why
	text string
}

// Error says why, in English for the log.
func (e *AddressError) Error() string { return ErrBlocked.Error() + ": " + e.text }

// Is makes it ErrBlocked.
func (e *AddressError) Is(target error) bool { return target == ErrBlocked }

func refuse(why Why, format string, args ...any) error {
	return &AddressError{Why: why, text: fmt.Sprintf(format, args...)}
}

// CheckURL reports why an endpoint's address can never be used, as an *AddressError: for the form in which it is entered.
// What a name resolves to is checked at every push.
func CheckURL(e Endpoint) error {
	u, err := url.Parse(e.URL)
	if err != nil {
		return refuse(Unreadable, "it cannot be read")
	}
	host := u.Hostname()
	ip, ipErr := netip.ParseAddr(host)
	listed := e.hostAllowed(u) || (ipErr == nil && e.ipAllowed(ip))
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse(OtherScheme, "only https is")
	case u.User != nil:
		return refuse(HasPassword, "a name or password in it is not")
	case host == "":
		return refuse(NoHost, "it names no host")
	case u.Scheme == "http" && !listed && len(e.AllowCIDRs) == 0:
		return refuse(PlainHTTP, "only https is, except for listed hosts")
	case ipErr != nil && looksNumeric(host):
		return refuse(OddAddress, "%s is an odd way to write an IP address", host)
	case ipErr == nil && !listed && !public(ip):
		return refuse(NotPublic, "%s is not a public address", ip)
	case !listed && len(e.AllowCIDRs) == 0 && ownName(host):
		return refuse(NotPublic, "%s is the machine itself", host)
	case !listed && len(e.AllowCIDRs) == 0 && !slices.Contains([]string{"", "80", "443", "8080", "8443"}, u.Port()):
		return refuse(OtherPort, "port %s is not", u.Port())
	}
	return nil
}

// ownName finds the names that lead to the machine itself wherever they are looked up (RFC 6761 §6.3).
func ownName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// looksNumeric finds 127.1, 2130706433 and 0x7f000001, which some resolvers take for addresses.
func looksNumeric(host string) bool {
	last := host[strings.LastIndex(strings.TrimSuffix(host, "."), ".")+1:]
	last = strings.TrimSuffix(last, ".")
	if strings.HasPrefix(strings.ToLower(last), "0x") {
		return true
	}
	return last != "" && !strings.ContainsFunc(last, func(r rune) bool { return r < '0' || r > '9' })
}

// control refuses a connection whose real address is not allowed. It runs after the name was resolved, for each address.
func (e Endpoint) control() func(network, address string, c syscall.RawConn) error {
	u, _ := url.Parse(e.URL)
	listed := e.hostAllowed(u)
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %s", ErrBlocked, address)
		}
		if ip := at.Addr().Unmap().WithZone(""); !listed && !e.ipAllowed(ip) {
			if !public(ip) {
				return fmt.Errorf("%w: the name leads to %s, which is not a public address", ErrBlocked, ip)
			}
			if u.Scheme != "https" {
				return fmt.Errorf("%w: only https is, except for listed hosts", ErrBlocked)
			}
		}
		return nil
	}
}

func (e Endpoint) hostAllowed(u *url.URL) bool {
	return slices.ContainsFunc(e.AllowHosts, func(h string) bool { return strings.EqualFold(h, u.Host) || strings.EqualFold(h, u.Hostname()) })
}

func (e Endpoint) ipAllowed(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return slices.ContainsFunc(e.AllowCIDRs, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// reserved are ranges that are not private in the sense of netip and still not the internet.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"),
}

func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	return !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// clean keeps what can be shown: valid text without control characters.
func clean(text []byte) string {
	for len(text) > 0 && !utf8.Valid(text) && !utf8.FullRune(text[len(text)-min(3, len(text)):]) {
		text = text[:len(text)-1]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(text), "�"))
}

// partnerID reads the id out of an answer like {"id":"…"} or {"receiptId":"…"}.
func partnerID(text []byte) string {
	var said struct {
		ReceiptID string `json:"receiptId"`
		ID        string `json:"id"`
	}
	if json.Unmarshal(text, &said) != nil {
		return ""
	}
	if said.ReceiptID == "" {
		said.ReceiptID = said.ID
	}
	if len(said.ReceiptID) > 128 {
		return ""
	}
	return clean([]byte(said.ReceiptID))
}

// Envelope is a CloudEvents 1.0 event.
type Envelope struct {
	ID       string
	Source   string // who says it: "/huiqi/tongzhou/tickets"
	Type     string // what happened: "cn.huiqi.ticket.closed"
	Subject  string // to what: "GD20261122-000123"
	Time     time.Time
	Sequence int64 // rises by one per subject
	Data     any
}

// JSON returns the envelope in CloudEvents' JSON format. The same Envelope gives the same bytes, which a repeat needs.
func (e Envelope) JSON() ([]byte, error) {
	if e.ID == "" || e.Source == "" || e.Type == "" {
		return nil, errors.New("webhook: an envelope needs id, source and type")
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		return nil, fmt.Errorf("webhook: encode data of %s: %w", e.ID, err)
	}
	return json.Marshal(struct {
		SpecVersion     string          `json:"specversion"`
		ID              string          `json:"id"`
		Source          string          `json:"source"`
		Type            string          `json:"type"`
		Subject         string          `json:"subject,omitempty"`
		Time            string          `json:"time"`
		Sequence        string          `json:"sequence"`
		SequenceType    string          `json:"sequencetype"`
		DataContentType string          `json:"datacontenttype"`
		Data            json.RawMessage `json:"data"`
	}{
		"1.0", e.ID, e.Source, e.Type, e.Subject, e.Time.UTC().Format(time.RFC3339Nano),
		strconv.FormatInt(e.Sequence, 10), "Integer", "application/json", data,
	})
}
