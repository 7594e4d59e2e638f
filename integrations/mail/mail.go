// Package mail sends plain text mail over SMTP.
//
// A message was either taken (nil), refused (*Refused), never left (ErrNotSent) or its fate is unknown (ErrUnknown):
// the body went out and the server's last word was lost. Our id becomes the Message-ID, so that a receiver can tell a
// repeat.
package mail

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/huiqi/huiqi/integrations/outcome"
)

// Refused is the server's clear no; see outcome.Refused.
type Refused = outcome.Refused

// The two failures without an answer; see package outcome.
var (
	ErrUnknown = outcome.ErrUnknown
	ErrNotSent = outcome.ErrNotSent
)

// Config says which server to use and as whom.
type Config struct {
	Host     string
	Port     int
	Username string // "" sends without signing in
	Password string
	From     string        // "惠企台 <noreply@example.gov.cn>" or a bare address
	TLS      string        // "starttls" (also when empty), "implicit", or "none" for the sandbox
	Timeout  time.Duration // of one message; 0 is 15 s
}

// Client sends through one server. It is safe for concurrent use: each message has its own connection.
type Client struct {
	cfg     Config
	domain  string
	options []gomail.Option
}

// New returns a client, or an error when the configuration lacks a part.
func New(cfg Config) (*Client, error) {
	if cfg.Host == "" || cfg.From == "" {
		return nil, errors.New("mail: host and from are required")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 15 * time.Second
	}
	probe := gomail.NewMsg()
	if err := probe.From(cfg.From); err != nil {
		return nil, fmt.Errorf("mail: from %q is not an address: %w", cfg.From, err)
	}
	sender, err := probe.GetSender(false)
	if err != nil {
		return nil, fmt.Errorf("mail: from %q is not an address: %w", cfg.From, err)
	}
	options := []gomail.Option{gomail.WithTimeout(cfg.Timeout), gomail.WithoutNoop()}
	switch cfg.TLS {
	case "", "starttls":
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case "implicit":
		options = append(options, gomail.WithSSL())
	case "none":
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("mail: tls %q is none of starttls, implicit, none", cfg.TLS)
	}
	if cfg.Port != 0 {
		options = append(options, gomail.WithPort(cfg.Port))
	}
	if cfg.Username != "" {
		if cfg.TLS == "none" {
			return nil, errors.New("mail: a password must not travel without TLS")
		}
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(cfg.Username), gomail.WithPassword(cfg.Password))
	}
	return &Client{cfg: cfg, domain: strings.Trim(sender[strings.LastIndex(sender, "@")+1:], "<>"), options: options}, nil
}

// Message is one mail to one person.
type Message struct {
	ID      string // our id; becomes the local part of the Message-ID
	To      string
	Subject string
	Text    string
	// InReplyTo is the Message-ID of the mail that it answers, "" for none. It is then marked as sent by a machine, so that
	// other machines do not answer it.
	InReplyTo string
}

// Send hands m to the server and returns when it took it.
func (c *Client) Send(ctx context.Context, m Message) error {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(c.cfg.From), msg.To(m.To)); err != nil {
		return fmt.Errorf("mail: send %s: %w", m.ID, &Refused{Provider: "mail", Code: "ADDRESS", Message: "the address cannot be read", Permanent: true})
	}
	msg.SetMessageIDWithValue(m.ID + "@" + c.domain)
	msg.Subject(strings.Join(strings.FieldsFunc(m.Subject, func(r rune) bool { return r == '\r' || r == '\n' }), " "))
	if m.InReplyTo != "" {
		id := "<" + strings.Trim(strings.Join(strings.Fields(m.InReplyTo), ""), "<>") + ">"
		msg.SetGenHeader("In-Reply-To", id)
		msg.SetGenHeader("References", id)
		msg.SetGenHeader("Auto-Submitted", "auto-replied")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	client, err := gomail.NewClient(c.cfg.Host, c.options...)
	if err != nil {
		return fmt.Errorf("mail: send %s: %w: %w", m.ID, ErrNotSent, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("mail: send %s: %w: %w", m.ID, ErrNotSent, err)
	}
	err = client.Send(msg)
	// The server has given its word by now: what it says to QUIT changes nothing.
	_ = client.Close()
	if err != nil && !msg.IsDelivered() {
		return fmt.Errorf("mail: send %s: %w", m.ID, classed(err))
	}
	return nil
}

func classed(err error) error {
	var failed *gomail.SendError
	if !errors.As(err, &failed) {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	if code := failed.ErrorCode(); code >= 400 {
		words, _, _ := strings.Cut(failed.Error(), ", affected")
		return &Refused{Provider: "mail", Code: strconv.Itoa(code), Message: words, Permanent: code >= 500}
	}
	switch failed.Reason {
	case gomail.ErrSMTPDataClose, gomail.ErrAmbiguous:
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return fmt.Errorf("%w: %w", ErrNotSent, err)
}
