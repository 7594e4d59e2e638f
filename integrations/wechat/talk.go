package wechat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/silenceper/wechat/v2/util"

	"github.com/huiqi/huiqi/integrations/outcome"
)

// Reply writes the answer to a callback: a text to whoever sent it, signed and encrypted. WeChat takes it for five seconds.
func (c *Client) Reply(to Event, text string) ([]byte, error) {
	now := c.cfg.Clock.Now().Unix()
	plain, err := xml.Marshal(struct {
		XMLName      xml.Name `xml:"xml"`
		ToUserName   string
		FromUserName string
		CreateTime   int64
		MsgType      string
		Content      string
	}{ToUserName: to.OpenID, FromUserName: to.Account, CreateTime: now, MsgType: "text", Content: text})
	if err != nil {
		return nil, err
	}
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	encrypted, err := util.EncryptMsg(random, plain, c.cfg.AppID, c.cfg.EncodingAESKey)
	if err != nil {
		return nil, fmt.Errorf("wechat: encrypt an answer: %w", err)
	}
	timestamp, nonce := strconv.FormatInt(now, 10), rand.Text()[:10]
	return xml.Marshal(struct {
		XMLName      xml.Name `xml:"xml"`
		Encrypt      string
		MsgSignature string
		TimeStamp    string
		Nonce        string
	}{Encrypt: string(encrypted), MsgSignature: util.Signature(c.cfg.Token, timestamp, nonce, string(encrypted)), TimeStamp: timestamp, Nonce: nonce})
}

// SendText sends a customer-service message. WeChat takes it for 48 hours after the person wrote to us; *Refused otherwise.
func (c *Client) SendText(ctx context.Context, openID, text string) error {
	body := map[string]any{"touser": openID, "msgtype": "text", "text": map[string]string{"content": text}}
	var res util.CommonError
	if err := c.withToken(ctx, "/cgi-bin/message/custom/send", nil, body, &res, func() error { return refusal(res) }); err != nil {
		return fmt.Errorf("wechat: send text: %w", err)
	}
	return nil
}

// mostMedia is the largest picture that WeChat lets people send.
const mostMedia = 10 << 20

// Media fetches a picture or voice message that somebody sent, with a name that tells its kind.
func (c *Client) Media(ctx context.Context, id string) (name string, content []byte, err error) {
	void := ""
	for {
		token, err := c.token(ctx, void)
		if err != nil {
			return "", nil, fmt.Errorf("wechat: media: %w", err)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.cfg.APIBase+"/cgi-bin/media/get?"+url.Values{"access_token": {token}, "media_id": {id}}.Encode(), nil)
		if err != nil {
			return "", nil, fmt.Errorf("wechat: media: %w", ErrNotSent)
		}
		status, header, answer, err := outcome.Do(c.http, req, mostMedia)
		if err != nil {
			return "", nil, fmt.Errorf("wechat: media: %w", err)
		}
		kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
		if status != http.StatusOK {
			return "", nil, fmt.Errorf("wechat: media: %w: status %d", ErrUnknown, status)
		}
		if kind == "application/json" || kind == "text/plain" { // an error has no file
			var res util.CommonError
			if err := json.Unmarshal(answer, &res); err != nil {
				return "", nil, fmt.Errorf("wechat: media: %w: unreadable answer", ErrUnknown)
			}
			err := refusal(res)
			var refused *Refused
			if void == "" && errors.As(err, &refused) && (refused.Code == "40001" || refused.Code == "42001" || refused.Code == "40014") {
				void = token
				continue
			}
			if err == nil {
				err = ErrUnknown
			}
			return "", nil, fmt.Errorf("wechat: media: %w", err)
		}
		ext := map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "audio/amr": ".amr"}[strings.ToLower(kind)]
		return "微信图片" + ext, answer, nil
	}
}
