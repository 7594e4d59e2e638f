package wechat

import (
	"bytes"
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// Why a callback was turned away. All of them are answered with 403 and written to the log.
var (
	ErrBadSignature = errors.New("wechat callback: signature does not match")
	ErrStale        = errors.New("wechat callback: timestamp too far from now")
	ErrBadMessage   = errors.New("wechat callback: message cannot be read")
)

const callbackTolerance = 5 * time.Minute

// Kind is what a callback reports.
type Kind string

// The kinds we tell apart; others keep WeChat's own word.
const (
	Text        Kind = "text"
	Subscribe   Kind = "subscribe"
	Unsubscribe Kind = "unsubscribe"
	Scan        Kind = "SCAN"
	Image       Kind = "image"
	Voice       Kind = "voice"
	Location    Kind = "location"
	Click       Kind = "CLICK"
)

// Event is a message or an event from a person.
type Event struct {
	Kind    Kind
	OpenID  string
	Account string // the account's original id
	Scene   string // of a scanned QR code, without the prefix qrscene_
	Ticket  string // of a scanned QR code
	Content string // of a text; of a voice message the words that WeChat recognised; of a location its label
	MenuKey string // of a click
	MediaID string // of an image or a voice message, good for three days
	// Lat and Long are where a location is, in GCJ-02.
	Lat, Long float64
	At        time.Time
	// Key is the same for a repeat: WeChat delivers again when our answer is late.
	Key string
}

// VerifyURL answers WeChat's check of our address: it returns the text to echo, or ErrBadSignature or ErrStale.
func (c *Client) VerifyURL(q url.Values) (string, error) {
	if err := c.checkSignature(q.Get("signature"), q); err != nil {
		return "", err
	}
	return q.Get("echostr"), nil
}

// Receive verifies, decrypts and reads a callback. Only safe mode is accepted: a message in clear is ErrBadMessage.
func (c *Client) Receive(q url.Values, body []byte) (Event, error) {
	if err := c.checkSignature(q.Get("signature"), q); err != nil {
		return Event{}, err
	}
	var envelope struct {
		Encrypt string `xml:"Encrypt"`
	}
	if err := decode(body, &envelope); err != nil {
		return Event{}, err
	}
	if q.Get("encrypt_type") != "aes" || envelope.Encrypt == "" {
		return Event{}, fmt.Errorf("%w: not encrypted", ErrBadMessage)
	}
	if err := c.checkSignature(q.Get("msg_signature"), q, envelope.Encrypt); err != nil {
		return Event{}, err
	}
	_, plain, err := util.DecryptMsg(c.cfg.AppID, envelope.Encrypt, c.cfg.EncodingAESKey)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrBadMessage, err)
	}
	var m struct {
		ToUserName, FromUserName, MsgType, Content, Event, EventKey, Ticket string
		Recognition, Label                                                  string
		CreateTime                                                          int64
		MsgID                                                               int64   `xml:"MsgId"`
		MediaID                                                             string  `xml:"MediaId"`
		Lat                                                                 float64 `xml:"Location_X"`
		Long                                                                float64 `xml:"Location_Y"`
	}
	if err := decode(plain, &m); err != nil {
		return Event{}, err
	}
	if m.FromUserName == "" || m.MsgType == "" {
		return Event{}, fmt.Errorf("%w: sender or type is missing", ErrBadMessage)
	}
	e := Event{
		Kind: Kind(m.MsgType), OpenID: m.FromUserName, Account: m.ToUserName, Content: m.Content,
		Ticket: m.Ticket, At: time.Unix(m.CreateTime, 0).UTC(),
		Key: "msg:" + strconv.FormatInt(m.MsgID, 10), MediaID: m.MediaID,
	}
	switch e.Kind {
	case Voice:
		e.Content = m.Recognition
	case Location:
		e.Content, e.Lat, e.Long = m.Label, m.Lat, m.Long
	}
	if m.MsgType == "event" {
		e.Kind = Kind(m.Event)
		e.Scene = strings.TrimPrefix(m.EventKey, "qrscene_")
		if e.Kind == Click {
			e.Scene, e.MenuKey = "", m.EventKey
		}
		e.Key = fmt.Sprintf("event:%s:%d:%s:%s", m.FromUserName, m.CreateTime, m.Event, m.EventKey)
	}
	return e, nil
}

// checkSignature compares SHA-1 over the sorted token, timestamp, nonce and more, in constant time.
func (c *Client) checkSignature(given string, q url.Values, more ...string) error {
	want := util.Signature(append([]string{c.cfg.Token, q.Get("timestamp"), q.Get("nonce")}, more...)...)
	if c.cfg.Token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(want)) != 1 {
		return ErrBadSignature
	}
	seconds, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	if err != nil {
		return ErrStale
	}
	if age := c.cfg.Clock.Now().Sub(time.Unix(seconds, 0)); age > callbackTolerance || age < -callbackTolerance {
		return ErrStale
	}
	return nil
}

// decode reads XML and refuses a document type: WeChat sends none, and one could define entities.
func decode(text []byte, into any) error {
	for dec := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadMessage, err)
		}
		if _, ok := token.(xml.Directive); ok {
			return fmt.Errorf("%w: document type is not allowed", ErrBadMessage)
		}
	}
	if err := xml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", ErrBadMessage, err)
	}
	return nil
}
