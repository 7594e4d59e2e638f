package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"

	"github.com/silenceper/wechat/v2/util"
)

// chat marks what was said in the conversation with the account, beside the template messages.
const chat = "chat"

// hear keeps a line of the conversation: who is 公众号 or the phone's own person.
func (s *Server) hear(ctx context.Context, openID, who, text string) error {
	raw, err := json.Marshal(map[string]string{"thing": text})
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO wechat_messages (openid, template, title, url, data, client_id, at) VALUES (?, ?, ?, ?, ?, '', ?)`,
		openID, chat, who, firstLink(text), string(raw), s.now().UnixMicro())
	return err
}

func firstLink(text string) string {
	for _, word := range strings.Fields(text) {
		if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
			return word
		}
	}
	return ""
}

// open decrypts the product's answer to a callback, as WeChat does, and returns its text; "" for an answer without one.
func (s *Server) open(answer []byte) string {
	var envelope struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
	secrets := s.opts.Secrets
	if xml.Unmarshal(answer, &envelope) != nil || envelope.Encrypt == "" ||
		envelope.MsgSignature != util.Signature(secrets.WechatToken, envelope.TimeStamp, envelope.Nonce, envelope.Encrypt) {
		return ""
	}
	_, plain, err := util.DecryptMsg(secrets.WechatAppID, envelope.Encrypt, secrets.WechatAESKey)
	if err != nil {
		return ""
	}
	var m struct{ MsgType, Content string }
	if xml.Unmarshal(plain, &m) != nil || m.MsgType != "text" {
		return ""
	}
	return m.Content
}

// wechatCustom takes a customer-service message.
func (s *Server) wechatCustom(w http.ResponseWriter, r *http.Request) {
	var m struct {
		To   string `json:"touser"`
		Type string `json:"msgtype"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&m); err != nil {
		wechatSay(w, 47001, "data format error")
		return
	}
	p, err := s.phoneBy(r.Context(), "openid", m.To)
	switch {
	case err != nil:
		wechatSay(w, 40003, "invalid openid")
	case m.Type != "text" || m.Text.Content == "":
		wechatSay(w, 40008, "invalid message type")
	case len(m.Text.Content) > 2048:
		wechatSay(w, 45002, "content size out of limit")
	default:
		if err := s.hear(r.Context(), p.OpenID, "公众号", m.Text.Content); err != nil {
			broken(w, err)
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok"})
	}
}

// wechatMedia gives out the picture that a phone sent: one of a colour of its own.
func (s *Server) wechatMedia(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("media_id")
	if !strings.HasPrefix(id, "sandbox-") {
		wechatSay(w, 40007, "invalid media_id")
		return
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	sum := h.Sum32()
	img := image.NewRGBA(image.Rect(0, 0, 240, 160))
	for y := range 160 {
		for x := range 240 {
			img.Set(x, y, color.RGBA{uint8(sum), uint8(sum>>8) ^ uint8(y), uint8(sum>>16) ^ uint8(x), 255}) // #nosec G115 -- a pattern
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		broken(w, err)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(b.Bytes())
}

// AddPhone makes a phone that follows the account, unless there is one of the number.
func (s *Server) AddPhone(ctx context.Context, number string) (Phone, error) {
	if err := s.ensurePhone(ctx, number); err != nil {
		return Phone{}, err
	}
	return s.phoneBy(ctx, "phone", number)
}
