package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/silenceper/wechat/v2/util"
)

// account is the original id of the sandbox's official account.
const account = "gh_huiqisandbox"

func wechatSay(w http.ResponseWriter, code int, message string) {
	writeJSON(w, http.StatusOK, map[string]any{"errcode": code, "errmsg": message + " rid: " + strings.ToLower(rand.Text()[:8])})
}

// wechatRoutes has WeChat's calls. Faults hit what people notice, sign-in, messages and QR codes; tokens and tickets
// always work, so that a count of faults counts messages.
func (s *Server) wechatRoutes(mux *http.ServeMux) {
	guard := func(next http.HandlerFunc) http.HandlerFunc {
		return s.misbehaving("wechat",
			func(w http.ResponseWriter, _ *http.Request) { wechatSay(w, -1, "system error") },
			func(w http.ResponseWriter, _ *http.Request) { wechatSay(w, 43004, "require subscribe") }, next)
	}
	mux.HandleFunc("GET /sandbox/wechat/cgi-bin/token", s.wechatToken)
	mux.HandleFunc("POST /sandbox/wechat/cgi-bin/stable_token", s.wechatStableToken)
	mux.HandleFunc("GET /sandbox/wechat/cgi-bin/ticket/getticket", s.withToken(s.wechatTicket))
	mux.HandleFunc("GET /sandbox/wechat/sns/oauth2/access_token", guard(s.wechatExchange))
	mux.HandleFunc("POST /sandbox/wechat/cgi-bin/message/template/send", guard(s.withToken(s.wechatTemplate)))
	mux.HandleFunc("POST /sandbox/wechat/cgi-bin/message/custom/send", guard(s.withToken(s.wechatCustom)))
	mux.HandleFunc("GET /sandbox/wechat/cgi-bin/media/get", guard(s.withToken(s.wechatMedia)))
	mux.HandleFunc("POST /sandbox/wechat/cgi-bin/qrcode/create", guard(s.withToken(s.wechatQRCode)))
	mux.HandleFunc("GET /sandbox/wechat/cgi-bin/showqrcode", s.wechatShowQRCode)
	mux.HandleFunc("GET /sandbox/wechat/connect/oauth2/authorize", s.wechatAuthorize)
	mux.HandleFunc("POST /sandbox/wechat/connect/oauth2/authorize", s.wechatConsent)
	mux.HandleFunc("GET /sandbox/wechat/scan", s.wechatScanPage)
	mux.HandleFunc("POST /sandbox/wechat/scan", s.wechatScan)
}

// wechatApp checks who asks for a token, with WeChat's own answers.
func (s *Server) wechatApp(w http.ResponseWriter, grant, wantGrant, app, secret string) bool {
	switch {
	case grant != wantGrant:
		wechatSay(w, 40002, "invalid grant_type")
	case app == "" || app != s.opts.Secrets.WechatAppID:
		wechatSay(w, 40013, "invalid appid")
	case secret == "" || secret != s.opts.Secrets.WechatSecret:
		wechatSay(w, 40125, "invalid appsecret")
	default:
		return true
	}
	return false
}

func (s *Server) wechatToken(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if s.wechatApp(w, q.Get("grant_type"), "client_credential", q.Get("appid"), q.Get("secret")) {
		s.giveToken(w, r, "token", true)
	}
}

func (s *Server) wechatStableToken(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Grant  string `json:"grant_type"`
		App    string `json:"appid"`
		Secret string `json:"secret"`
		Force  bool   `json:"force_refresh"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&q); err != nil {
		wechatSay(w, 47001, "data format error")
		return
	}
	if s.wechatApp(w, q.Grant, "client_credential", q.App, q.Secret) {
		s.giveToken(w, r, "stable", q.Force)
	}
}

const tokenLife = 7200 * time.Second

// giveToken answers the token of a kind, or a new one when it is forced or the old one ends within five minutes. The one
// before stays good for five minutes unless it was forced out.
func (s *Server) giveToken(w http.ResponseWriter, r *http.Request, kind string, fresh bool) {
	ctx, now := r.Context(), s.now()
	var token string
	var expires int64
	err := s.db.QueryRowContext(ctx, `SELECT token, expires FROM wechat_tokens WHERE kind = ? AND latest = 1`, kind).Scan(&token, &expires)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		broken(w, err)
		return
	}
	if token == "" || fresh || moment(expires).Before(now.Add(5*time.Minute)) {
		token, expires = strings.ToLower(rand.Text()+rand.Text()), now.Add(tokenLife).UnixMicro()
		_, err = s.db.ExecContext(ctx, `UPDATE wechat_tokens SET latest = 0, expires = min(expires, ?) WHERE kind = ? AND latest = 1`, now.Add(5*time.Minute).UnixMicro(), kind)
		if err == nil {
			_, err = s.db.ExecContext(ctx, `INSERT INTO wechat_tokens (token, kind, expires) VALUES (?, ?, ?)`, token, kind, expires)
		}
		if err != nil {
			broken(w, err)
			return
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": int64(moment(expires).Sub(now) / time.Second)})
}

// withToken lets a call through whose access token is good: 40001 for one we never gave, 42001 for one that ended.
func (s *Server) withToken(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := r.URL.Query().Get("access_token")
		if token == "" {
			wechatSay(w, 41001, "access_token missing")
			return
		}
		var expires int64
		err := s.db.QueryRowContext(r.Context(), `SELECT expires FROM wechat_tokens WHERE token = ? AND kind <> 'jsapi'`, token).Scan(&expires)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			wechatSay(w, 40001, "invalid credential, access_token is invalid or not latest")
		case err != nil:
			broken(w, err)
		case !s.now().Before(moment(expires)):
			wechatSay(w, 42001, "access_token expired")
		default:
			next(w, r)
		}
	}
}

func (s *Server) wechatTicket(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("type") != "jsapi" {
		wechatSay(w, 40097, "invalid args")
		return
	}
	now := s.now()
	var ticket string
	var expires int64
	err := s.db.QueryRowContext(r.Context(), `SELECT token, expires FROM wechat_tokens WHERE kind = 'jsapi' AND expires > ? ORDER BY expires DESC LIMIT 1`, now.Add(5*time.Minute).UnixMicro()).Scan(&ticket, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		ticket, expires = "sandbox-"+rand.Text(), now.Add(tokenLife).UnixMicro()
		_, err = s.db.ExecContext(r.Context(), `INSERT INTO wechat_tokens (token, kind, expires) VALUES (?, 'jsapi', ?)`, ticket, expires)
	}
	if err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": int64(moment(expires).Sub(now) / time.Second)})
}

func (s *Server) wechatExchange(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !s.wechatApp(w, q.Get("grant_type"), "authorization_code", q.Get("appid"), q.Get("secret")) {
		return
	}
	if q.Get("code") == "" {
		wechatSay(w, 41008, "missing code")
		return
	}
	var at int64
	var used, snapshot bool
	var openID, unionID, scope string
	err := s.db.QueryRowContext(r.Context(), `SELECT c.at, c.used, c.openid, c.scope, p.unionid, p.snapshot FROM wechat_codes c JOIN phones p ON p.openid = c.openid WHERE c.code = ?`,
		q.Get("code")).Scan(&at, &used, &openID, &scope, &unionID, &snapshot)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		wechatSay(w, 40029, "invalid code")
		return
	case err != nil:
		broken(w, err)
		return
	case used:
		wechatSay(w, 40163, "code been used")
		return
	case s.now().Sub(moment(at)) > 5*time.Minute:
		wechatSay(w, 40029, "invalid code, code expired")
		return
	}
	res, err := s.db.ExecContext(r.Context(), `UPDATE wechat_codes SET used = 1 WHERE code = ? AND used = 0`, q.Get("code"))
	if err != nil {
		broken(w, err)
		return
	}
	if n, _ := res.RowsAffected(); n == 0 {
		wechatSay(w, 40163, "code been used")
		return
	}
	answer := map[string]any{
		"access_token": "web-" + strings.ToLower(rand.Text()), "expires_in": 7200, "refresh_token": "refresh-" + strings.ToLower(rand.Text()),
		"openid": openID, "scope": scope,
	}
	if unionID != "" {
		answer["unionid"] = unionID
	}
	if snapshot {
		answer["is_snapshotuser"] = 1
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) wechatTemplate(w http.ResponseWriter, r *http.Request) {
	var m struct {
		To       string                            `json:"touser"`
		Template string                            `json:"template_id"`
		URL      string                            `json:"url"`
		ClientID string                            `json:"client_msg_id"`
		Data     map[string]struct{ Value string } `json:"data"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&m); err != nil {
		wechatSay(w, 47001, "data format error")
		return
	}
	p, err := s.phoneBy(r.Context(), "openid", m.To)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		broken(w, err)
		return
	}
	template, known := s.opts.WechatTemplates[m.Template]
	switch {
	case p.Phone == "":
		wechatSay(w, 40003, "invalid openid")
		return
	case m.Template == "" || !known && len(s.opts.WechatTemplates) > 0:
		wechatSay(w, 40037, "invalid template_id")
		return
	case !p.Subscribed:
		wechatSay(w, 43004, "require subscribe")
		return
	}
	values := map[string]string{}
	for key, item := range m.Data {
		if strings.HasPrefix(key, "thing") && len([]rune(item.Value)) > 20 || strings.ContainsAny(item.Value, "\r\n") {
			wechatSay(w, 47003, "argument invalid! data."+key+".value invalid")
			return
		}
		values[key] = item.Value
	}
	for _, f := range template.Fields {
		if values[f.Key] == "" {
			wechatSay(w, 47003, "argument invalid! data."+f.Key+".value is empty")
			return
		}
	}
	now := s.now()
	if m.ClientID != "" {
		var id int64
		err := s.db.QueryRowContext(r.Context(), `SELECT id FROM wechat_messages WHERE openid = ? AND client_id = ? AND at > ?`, m.To, m.ClientID, now.Add(-10*time.Minute).UnixMicro()).Scan(&id)
		if err == nil {
			writeJSON(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id})
			return
		}
		if !errors.Is(err, sql.ErrNoRows) {
			broken(w, err)
			return
		}
	}
	title := template.Title
	if title == "" {
		title = "服务通知"
	}
	raw, _ := json.Marshal(values)
	res, err := s.db.ExecContext(r.Context(), `INSERT INTO wechat_messages (openid, template, title, url, data, client_id, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		m.To, m.Template, title, m.URL, string(raw), m.ClientID, now.UnixMicro())
	if err != nil {
		broken(w, err)
		return
	}
	id, err := res.LastInsertId()
	if err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id})
}

func (s *Server) wechatQRCode(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Expire int64  `json:"expire_seconds"`
		Action string `json:"action_name"`
		Info   struct {
			Scene struct {
				Str string `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&q); err != nil {
		wechatSay(w, 47001, "data format error")
		return
	}
	if q.Expire == 0 {
		q.Expire = 60
	}
	if q.Action != "QR_STR_SCENE" || q.Info.Scene.Str == "" || len(q.Info.Scene.Str) > 64 || q.Expire < 1 || q.Expire > 2592000 {
		wechatSay(w, 40053, "invalid action info")
		return
	}
	ticket := "gQ" + rand.Text() + rand.Text()
	if _, err := s.db.ExecContext(r.Context(), `INSERT INTO wechat_qrcodes (ticket, scene, expires) VALUES (?, ?, ?)`,
		ticket, q.Info.Scene.Str, s.now().Add(time.Duration(q.Expire)*time.Second).UnixMicro()); err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"ticket": ticket, "expire_seconds": q.Expire, "url": s.base(r) + "/sandbox/wechat/scan?ticket=" + ticket})
}

func (s *Server) wechatShowQRCode(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	if _, _, err := s.qrcode(r.Context(), ticket); err != nil {
		http.NotFound(w, r)
		return
	}
	code, err := qr.Encode(s.base(r)+"/sandbox/wechat/scan?ticket="+url.QueryEscape(ticket), qr.M, qr.Auto)
	if err == nil {
		code, err = barcode.Scale(code, 430, 430)
	}
	if err != nil {
		broken(w, err)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	if err := png.Encode(w, code); err != nil {
		return
	}
}

func (s *Server) qrcode(ctx context.Context, ticket string) (scene string, expires time.Time, err error) {
	var at int64
	err = s.db.QueryRowContext(ctx, `SELECT scene, expires FROM wechat_qrcodes WHERE ticket = ?`, ticket).Scan(&scene, &at)
	return scene, moment(at), err
}

// base is the address the browser sees, without a slash at the end.
func (s *Server) base(r *http.Request) string {
	if s.opts.PublicBase != "" {
		return strings.TrimSuffix(s.opts.PublicBase, "/")
	}
	return "http://" + r.Host
}

// newCode makes a sign-in code for a phone.
func (s *Server) newCode(ctx context.Context, p Phone, scope string) (string, error) {
	code := strings.ToLower(rand.Text() + rand.Text()[:6])
	_, err := s.db.ExecContext(ctx, `INSERT INTO wechat_codes (code, openid, scope, at) VALUES (?, ?, ?, ?)`, code, p.OpenID, scope, s.now().UnixMicro())
	return code, err
}

// Callback is what WeChat is told to send to the product.
type Callback struct {
	Phone   string `json:"phone"`
	Event   string `json:"event"`   // subscribe, unsubscribe, SCAN, CLICK, text, image, voice or location
	Scene   string `json:"scene"`   // of subscribe and SCAN
	Ticket  string `json:"ticket"`  // of subscribe and SCAN
	Content string `json:"content"` // of text; the words of voice, the label of location, the key of CLICK
	Lat     string `json:"lat"`     // of location, GCJ-02
	Long    string `json:"long"`
	Repeat  int    `json:"repeat"` // how often to deliver the same one; 0 is once
	AtOnce  bool   `json:"atOnce"` // the repeats do not wait for each other, as when the product answers late
}

// CallbackResult is what the product answered.
type CallbackResult struct {
	Status int    `json:"status"` // 0 when there was no answer
	Answer string `json:"answer"`
	Reply  string `json:"reply"` // the text that the person is shown; "" for none
}

// Deliver sends a signed and encrypted callback to the product, as WeChat does, and keeps the answers.
func (s *Server) Deliver(ctx context.Context, c Callback) ([]CallbackResult, error) {
	p, err := s.phoneBy(ctx, "phone", c.Phone)
	if err != nil {
		return nil, fmt.Errorf("没有手机 %s", c.Phone)
	}
	switch c.Event {
	case "subscribe", "unsubscribe":
		if _, err := s.db.ExecContext(ctx, `UPDATE phones SET subscribed = ? WHERE phone = ?`, c.Event == "subscribe", c.Phone); err != nil {
			return nil, err
		}
	case "SCAN", "CLICK", "text", "image", "voice", "location":
	default:
		return nil, errors.New("event 须为 subscribe、unsubscribe、SCAN、CLICK、text、image、voice 或 location")
	}
	if s.opts.CallbackURL == "" {
		return []CallbackResult{}, nil
	}
	plain, err := callbackXML(p, c, s.now())
	if err != nil {
		return nil, err
	}
	if line := spoken(c); line != "" {
		if err := s.hear(ctx, p.OpenID, "我", line); err != nil {
			return nil, err
		}
	}
	results := []CallbackResult{}
	posted := make([]CallbackResult, max(c.Repeat, 1))
	failed := make([]error, len(posted))
	var wg sync.WaitGroup
	for i := range posted {
		wg.Go(func() { posted[i], failed[i] = s.post(ctx, p.OpenID, plain) })
		if !c.AtOnce {
			wg.Wait()
		}
	}
	wg.Wait()
	for i, result := range posted {
		if failed[i] != nil {
			return nil, failed[i]
		}
		if _, err := s.db.ExecContext(ctx, `INSERT INTO wechat_callbacks (openid, event, status, answer, at) VALUES (?, ?, ?, ?, ?)`,
			p.OpenID, c.Event, result.Status, result.Answer, s.now().UnixMicro()); err != nil {
			return nil, err
		}
		if result.Reply != "" && len(results) == 0 {
			if err := s.hear(ctx, p.OpenID, "公众号", result.Reply); err != nil {
				return nil, err
			}
		}
		results = append(results, result)
	}
	return results, nil
}

// spoken is a message as the person's own phone shows it.
func spoken(c Callback) string {
	switch c.Event {
	case "text":
		return c.Content
	case "image":
		return "[图片]"
	case "voice":
		return "[语音] " + c.Content
	case "location":
		return "[位置] " + c.Content
	}
	return ""
}

func callbackXML(p Phone, c Callback, now time.Time) ([]byte, error) {
	type message struct {
		XMLName      xml.Name `xml:"xml"`
		ToUserName   string
		FromUserName string
		CreateTime   int64
		MsgType      string
		Content      string `xml:",omitempty"`
		MsgID        int64  `xml:"MsgId,omitempty"`
		Event        string `xml:",omitempty"`
		EventKey     string `xml:",omitempty"`
		Ticket       string `xml:",omitempty"`
		MediaID      string `xml:"MediaId,omitempty"`
		Recognition  string `xml:",omitempty"`
		Lat          string `xml:"Location_X,omitempty"`
		Long         string `xml:"Location_Y,omitempty"`
		Label        string `xml:",omitempty"`
	}
	m := message{ToUserName: account, FromUserName: p.OpenID, CreateTime: now.Unix()}
	id := now.UnixMicro()
	switch c.Event {
	case "text":
		m.MsgType, m.Content, m.MsgID = "text", c.Content, id
	case "image":
		m.MsgType, m.MediaID, m.MsgID = "image", fmt.Sprintf("sandbox-%d", id), id
	case "voice":
		m.MsgType, m.MediaID, m.Recognition, m.MsgID = "voice", fmt.Sprintf("sandbox-%d", id), c.Content, id
	case "location":
		m.MsgType, m.Lat, m.Long, m.Label, m.MsgID = "location", orElse(c.Lat, "39.909200"), orElse(c.Long, "116.663300"), orElse(c.Content, "通州区新华西街"), id
	case "CLICK":
		m.MsgType, m.Event, m.EventKey = "event", c.Event, c.Content
	default:
		m.MsgType, m.Event, m.EventKey, m.Ticket = "event", c.Event, c.Scene, c.Ticket
		if c.Event == "subscribe" && c.Scene != "" {
			m.EventKey = "qrscene_" + c.Scene
		}
	}
	return xml.Marshal(m)
}

func (s *Server) post(ctx context.Context, openID string, plain []byte) (CallbackResult, error) {
	secrets := s.opts.Secrets
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	encrypted, err := util.EncryptMsg(random, plain, secrets.WechatAppID, secrets.WechatAESKey)
	if err != nil {
		return CallbackResult{}, fmt.Errorf("回调消息无法加密，请检查 EncodingAESKey：%w", err)
	}
	timestamp, nonce := strconv.FormatInt(s.now().Unix(), 10), rand.Text()[:10]
	target, err := url.Parse(s.opts.CallbackURL)
	if err != nil {
		return CallbackResult{}, err
	}
	q := target.Query()
	q.Set("signature", util.Signature(secrets.WechatToken, timestamp, nonce))
	q.Set("timestamp", timestamp)
	q.Set("nonce", nonce)
	q.Set("openid", openID)
	q.Set("encrypt_type", "aes")
	q.Set("msg_signature", util.Signature(secrets.WechatToken, timestamp, nonce, string(encrypted)))
	target.RawQuery = q.Encode()
	body := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt></xml>", account, encrypted)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader([]byte(body)))
	if err != nil {
		return CallbackResult{}, err
	}
	req.Header.Set("Content-Type", "text/xml")
	res, err := s.client.Do(req)
	if err != nil {
		return CallbackResult{Answer: "没有应答"}, nil
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
	return CallbackResult{Status: res.StatusCode, Answer: strings.ToValidUTF8(string(answer), ""), Reply: s.open(answer)}, nil
}

// Phone is one sandbox phone and its WeChat account.
type Phone struct {
	Phone      string `json:"phone"`
	Nickname   string `json:"nickname"`
	OpenID     string `json:"openid"`
	UnionID    string `json:"unionid"`
	Subscribed bool   `json:"subscribed"`
	Snapshot   bool   `json:"snapshot"` // a preview visitor of WeChat
}

// ensurePhone makes the phone when a message comes for a number that is new.
func (s *Server) ensurePhone(ctx context.Context, number string) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO phones (phone, nickname, openid, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (phone) DO NOTHING`,
		number, "手机尾号 "+number[max(0, len(number)-4):], openIDOf(number), s.now().UnixMicro())
	return err
}

func (s *Server) putPhone(ctx context.Context, p Phone) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO phones (phone, nickname, openid, unionid, subscribed, snapshot, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (phone) DO UPDATE SET nickname = excluded.nickname, openid = excluded.openid, unionid = excluded.unionid, subscribed = excluded.subscribed, snapshot = excluded.snapshot`,
		p.Phone, p.Nickname, p.OpenID, p.UnionID, p.Subscribed, p.Snapshot, s.now().UnixMicro())
	return err
}

func openIDOf(number string) string {
	hash := sha256.Sum256([]byte("sandbox openid " + number))
	return "oSBX" + hex.EncodeToString(hash[:12])
}

// phoneBy finds a phone by the column phone or openid; sql.ErrNoRows when there is none.
func (s *Server) phoneBy(ctx context.Context, column, value string) (p Phone, err error) {
	query := `SELECT phone, nickname, openid, unionid, subscribed, snapshot FROM phones WHERE phone = ?`
	if column == "openid" {
		query = `SELECT phone, nickname, openid, unionid, subscribed, snapshot FROM phones WHERE openid = ?`
	}
	err = s.db.QueryRowContext(ctx, query, value).Scan(&p.Phone, &p.Nickname, &p.OpenID, &p.UnionID, &p.Subscribed, &p.Snapshot)
	return p, err
}

// phones returns the newest phones first.
func (s *Server) phones(ctx context.Context) ([]Phone, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT phone, nickname, openid, unionid, subscribed, snapshot FROM phones ORDER BY created_at DESC, phone LIMIT 500`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []Phone{}
	for rows.Next() {
		var p Phone
		if err := rows.Scan(&p.Phone, &p.Nickname, &p.OpenID, &p.UnionID, &p.Subscribed, &p.Snapshot); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, rows.Err()
}
