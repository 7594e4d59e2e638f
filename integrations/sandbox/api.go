package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"sort"
	"strconv"
	"time"

	"github.com/huiqi/huiqi/integrations/registry"
)

// SMS is one text message on a phone.
type SMS struct {
	BizID    string            `json:"bizId"`
	OutID    string            `json:"outId"`
	Template string            `json:"template"`
	Params   map[string]string `json:"params"`
	Content  string            `json:"content"`
	At       time.Time         `json:"at"`
}

// WechatMessage is one template message on a phone.
type WechatMessage struct {
	MsgID    int64             `json:"msgId"`
	ClientID string            `json:"clientMsgId"`
	Template string            `json:"templateId"`
	Title    string            `json:"title"`
	URL      string            `json:"url"`
	Data     map[string]string `json:"data"`
	Lines    []Line            `json:"lines"` // data as shown
	At       time.Time         `json:"at"`
}

// Line is one line of a template message as shown.
type Line struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

func (s *Server) apiRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /sandbox/api/faults", func(w http.ResponseWriter, r *http.Request) { answerItems(w, r, s.faults) })
	mux.HandleFunc("POST /sandbox/api/faults", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		if !readJSON(w, r, &f) {
			return
		}
		if err := s.SetFault(r.Context(), f); err != nil {
			apiSay(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		writeJSON(w, http.StatusOK, f)
	})
	mux.HandleFunc("GET /sandbox/api/phones", func(w http.ResponseWriter, r *http.Request) { answerItems(w, r, s.phones) })
	mux.HandleFunc("POST /sandbox/api/phones", s.apiAddPhone)
	mux.HandleFunc("GET /sandbox/api/phones/{phone}", s.apiPhone)
	mux.HandleFunc("GET /sandbox/api/mailbox", func(w http.ResponseWriter, r *http.Request) {
		answerItems(w, r, func(ctx context.Context) ([]Mail, error) { return s.mails(ctx, 500) })
	})
	mux.HandleFunc("POST /sandbox/api/mailbox/inbox", s.apiPost)
	mux.HandleFunc("GET /sandbox/api/registry/companies", func(w http.ResponseWriter, r *http.Request) {
		answerItems(w, r, func(ctx context.Context) ([]registry.Company, error) { return s.companies(ctx, r.URL.Query().Get("q")) })
	})
	mux.HandleFunc("POST /sandbox/api/registry/companies", s.apiAddCompany)
	mux.HandleFunc("GET /sandbox/api/partner/deliveries", s.apiDeliveries)
	mux.HandleFunc("POST /sandbox/api/wechat/callbacks", s.apiCallback)
	mux.HandleFunc("POST /sandbox/api/reset", func(w http.ResponseWriter, r *http.Request) {
		if err := s.reset(r.Context()); err != nil {
			broken(w, err)
			return
		}
		writeJSON(w, http.StatusOK, map[string]bool{"ok": true})
	})
}

func apiSay(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"detail": message})
}

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(into); err != nil {
		apiSay(w, http.StatusBadRequest, "请求内容不是可读的 JSON")
		return false
	}
	return true
}

// answerItems answers a list.
func answerItems[T any](w http.ResponseWriter, r *http.Request, list func(context.Context) ([]T, error)) {
	items, err := list(r.Context())
	if err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"items": items})
}

func (s *Server) apiAddPhone(w http.ResponseWriter, r *http.Request) {
	p := Phone{Subscribed: true}
	if !readJSON(w, r, &p) {
		return
	}
	if !mobile.MatchString(p.Phone) {
		apiSay(w, http.StatusUnprocessableEntity, "phone 须为 11 位手机号")
		return
	}
	if p.Nickname == "" {
		p.Nickname = "手机尾号 " + p.Phone[7:]
	}
	if p.OpenID == "" {
		p.OpenID = openIDOf(p.Phone)
	}
	if other, err := s.phoneBy(r.Context(), "openid", p.OpenID); err == nil && other.Phone != p.Phone {
		apiSay(w, http.StatusConflict, "该 openid 已属于另一部手机")
		return
	}
	if err := s.putPhone(r.Context(), p); err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, p)
}

func (s *Server) apiPhone(w http.ResponseWriter, r *http.Request) {
	p, err := s.phoneBy(r.Context(), "phone", r.PathValue("phone"))
	if errors.Is(err, sql.ErrNoRows) {
		apiSay(w, http.StatusNotFound, "没有这部手机，也没有发给它的消息")
		return
	}
	if err != nil {
		broken(w, err)
		return
	}
	texts, err := s.texts(r.Context(), p.Phone, 500)
	if err != nil {
		broken(w, err)
		return
	}
	messages, err := s.messages(r.Context(), p.OpenID, 500)
	if err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Phone
		SMS    []SMS           `json:"sms"`
		Wechat []WechatMessage `json:"wechat"`
	}{p, texts, messages})
}

func (s *Server) apiAddCompany(w http.ResponseWriter, r *http.Request) {
	var c registry.Company
	if !readJSON(w, r, &c) {
		return
	}
	if c.CreditCode == "" || c.Name == "" || c.LegalPerson == "" {
		apiSay(w, http.StatusUnprocessableEntity, "name、creditCode、legalPerson 均须填写")
		return
	}
	if c.Status == "" {
		c.Status = "存续"
	}
	if err := s.addCompanies(r.Context(), []registry.Company{c}); err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, c)
}

// apiDeliveries lists attempts in the order of arrival, 1,000 a page; ?after= is the last attempt seen.
func (s *Server) apiDeliveries(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	answerItems(w, r, func(ctx context.Context) ([]Attempt, error) {
		return s.attempts(ctx, r.URL.Query().Get("partner"), after, 1000)
	})
}

func (s *Server) apiCallback(w http.ResponseWriter, r *http.Request) {
	var c Callback
	if !readJSON(w, r, &c) {
		return
	}
	if c.Ticket != "" && c.Scene == "" {
		scene, expires, err := s.qrcode(r.Context(), c.Ticket)
		if err != nil || !s.now().Before(expires) {
			apiSay(w, http.StatusUnprocessableEntity, "二维码不存在或已过期")
			return
		}
		c.Scene = scene
	}
	results, err := s.Deliver(r.Context(), c)
	if err != nil {
		apiSay(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"items": results})
}

// reset forgets everything that happened; companies and phones stay, access tokens too.
func (s *Server) reset(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sms; DELETE FROM wechat_messages; DELETE FROM wechat_codes; DELETE FROM wechat_qrcodes;
		DELETE FROM wechat_callbacks; DELETE FROM mails; DELETE FROM deliveries; DELETE FROM scans; DELETE FROM faults;`)
	return err
}

// texts returns a phone's text messages, newest first.
func (s *Server) texts(ctx context.Context, phone string, limit int) ([]SMS, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT biz_id, out_id, template, params, content, at FROM sms WHERE phone = ? ORDER BY id DESC LIMIT ?`, phone, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []SMS{}
	for rows.Next() {
		var m SMS
		var at int64
		var params string
		if err := rows.Scan(&m.BizID, &m.OutID, &m.Template, &params, &m.Content, &at); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(params), &m.Params); err != nil {
			return nil, err
		}
		m.At = moment(at)
		found = append(found, m)
	}
	return found, rows.Err()
}

// messages returns a person's WeChat messages, newest first.
func (s *Server) messages(ctx context.Context, openID string, limit int) ([]WechatMessage, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, client_id, template, title, url, data, at FROM wechat_messages WHERE openid = ? ORDER BY id DESC LIMIT ?`, openID, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []WechatMessage{}
	for rows.Next() {
		var m WechatMessage
		var at int64
		var data string
		if err := rows.Scan(&m.MsgID, &m.ClientID, &m.Template, &m.Title, &m.URL, &data, &at); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(data), &m.Data); err != nil {
			return nil, err
		}
		m.At = moment(at)
		m.Lines = s.lines(m.Template, m.Data)
		found = append(found, m)
	}
	return found, rows.Err()
}

// lines orders a message's data as its template does; without a template by key.
func (s *Server) lines(template string, data map[string]string) []Line {
	lines := []Line{}
	if t, ok := s.opts.WechatTemplates[template]; ok {
		for _, f := range t.Fields {
			lines = append(lines, Line{f.Label, data[f.Key]})
		}
		return lines
	}
	keys := make([]string, 0, len(data))
	for k := range data {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		lines = append(lines, Line{plainLabel(k), data[k]})
	}
	return lines
}

// plainLabel names a field by WeChat's type word when no template says better.
func plainLabel(key string) string {
	for _, l := range []struct{ prefix, label string }{
		{"thing", "内容"}, {"time", "时间"}, {"date", "日期"}, {"phrase", "状态"}, {"const", "状态"}, {"character_string", "编号"},
		{"number", "数量"}, {"amount", "金额"}, {"name", "姓名"}, {"first", "摘要"}, {"remark", "备注"},
	} {
		if len(key) >= len(l.prefix) && key[:len(l.prefix)] == l.prefix {
			return l.label
		}
	}
	return key
}
