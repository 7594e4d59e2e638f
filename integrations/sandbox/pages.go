package sandbox

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/platform/clock"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

var pageFuncs = template.FuncMap{
	"when": func(t time.Time) string { return t.In(clock.Beijing).Format("2006年1月2日 15:04:05") },
	"yuan": func(fen int64) string { return strconv.FormatInt(fen/1_000_000, 10) + " 万元" },
	"short": func(s string) string {
		if len(s) > 12 {
			return s[:12]
		}
		return s
	},
	"seconds":  func(ms int) int { return (ms + 999) / 1000 },
	"system":   func(target string) string { return systemNames[target] },
	"modeName": func(m Mode) string { return modeNames[m] },
	"pretty": func(text string) string {
		var out bytes.Buffer
		if json.Indent(&out, []byte(text), "", "  ") != nil {
			return text
		}
		return out.String()
	},
}

var systemNames = map[string]string{"sms": "短信平台", "wechat": "微信", "registry": "企业登记", "mail": "邮件服务器", "partner": "合作方", "clamd": "杀毒服务", "telephone": "话务平台"}

var modeNames = map[Mode]string{
	OK: "正常", Slow: "变慢（等一会儿再处理）", Fail: "故障（报错，不处理）", Refuse: "拒绝（明确说不）",
	Reset: "断线（处理前断开）", Lost: "丢应答（处理了，但应答丢失）", Garbage: "乱码（回复看不懂的内容）",
}

var pages = template.Must(template.New("").Funcs(pageFuncs).ParseFS(pageFiles, "pages/*.html"))

// page is what every page has.
type page struct {
	Title   string
	Section string // which entry of the menu is lit
	Path    string
	Faults  []Fault // switches shown on this page
	Modes   []Mode
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	s.smsRoutes(mux)
	s.wechatRoutes(mux)
	s.registryRoutes(mux)
	s.partnerRoutes(mux)
	s.telephoneRoutes(mux)
	s.apiRoutes(mux)
	mux.Handle("GET /sandbox/assets/", http.StripPrefix("/sandbox/", http.FileServerFS(assetFiles)))
	mux.HandleFunc("GET /sandbox/{$}", s.pageIndex)
	mux.HandleFunc("GET /sandbox", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/sandbox/", http.StatusFound) })
	mux.HandleFunc("POST /sandbox/faults", s.pageSetFault)
	mux.HandleFunc("GET /sandbox/phone", s.pagePhones)
	mux.HandleFunc("POST /sandbox/phone", s.pageAddPhone)
	mux.HandleFunc("GET /sandbox/phone/{phone}", s.pagePhone)
	mux.HandleFunc("GET /sandbox/phone/{phone}/open", s.pageOpen)
	mux.HandleFunc("POST /sandbox/phone/{phone}/wechat", s.pageWechat)
	mux.HandleFunc("GET /sandbox/mailbox", s.pageMailbox)
	mux.HandleFunc("POST /sandbox/mailbox", s.pageWriteMail)
	mux.HandleFunc("GET /sandbox/scanner", s.pageScanner)
	mux.HandleFunc("GET /sandbox/registry", s.pageRegistry)
	mux.HandleFunc("GET /sandbox/partner", s.pagePartner)
	mux.HandleFunc("/sandbox/", func(w http.ResponseWriter, r *http.Request) {
		s.render(w, r, http.StatusNotFound, "message.html", struct {
			page
			Text string
		}{page{Title: "没有这个页面"}, "沙箱里没有这个地址，请从首页重新进入。"})
	})
	return mux
}

// render writes a page. The page is built first, so that a mistake in a template is no half page.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		broken(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(out.Bytes())
	}
}

// head makes the common part; only names the switches shown, all when none is named.
func (s *Server) head(r *http.Request, title, section string, only ...string) (page, error) {
	p := page{Title: title, Section: section, Path: r.URL.RequestURI(), Modes: modes}
	for _, target := range only {
		f, err := s.fault(r.Context(), target)
		if err != nil {
			return p, err
		}
		p.Faults = append(p.Faults, f)
	}
	return p, nil
}

func (s *Server) pageIndex(w http.ResponseWriter, r *http.Request) {
	head, err := s.head(r, "沙箱首页", "index", targets...)
	if err != nil {
		broken(w, err)
		return
	}
	data := struct {
		page
		Phones, Mails, Companies, Attempts, Scans int
	}{page: head}
	err = s.db.QueryRowContext(r.Context(), `SELECT (SELECT count(*) FROM phones), (SELECT count(*) FROM mails), (SELECT count(*) FROM companies), (SELECT count(*) FROM deliveries), (SELECT count(*) FROM scans)`).
		Scan(&data.Phones, &data.Mails, &data.Companies, &data.Attempts, &data.Scans)
	if err != nil {
		broken(w, err)
		return
	}
	s.render(w, r, http.StatusOK, "index.html", data)
}

func (s *Server) pageSetFault(w http.ResponseWriter, r *http.Request) {
	count, _ := strconv.Atoi(r.FormValue("count"))
	delay, _ := strconv.Atoi(r.FormValue("delaySeconds"))
	if Mode(r.FormValue("mode")) == OK {
		// Back to normal is back to normal: a count or delay left in the form would surprise.
		count, delay = 0, 0
	}
	err := s.SetFault(r.Context(), Fault{Target: r.FormValue("target"), Mode: Mode(r.FormValue("mode")), Count: count, DelayMS: delay * 1000})
	if err != nil {
		s.say(w, r, http.StatusUnprocessableEntity, "没有改动", err.Error())
		return
	}
	http.Redirect(w, r, localPath(r.FormValue("back")), http.StatusSeeOther)
}

func (s *Server) say(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	s.render(w, r, status, "message.html", struct {
		page
		Text string
	}{page{Title: title}, text})
}

// localPath keeps redirects on this site.
func localPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/sandbox/"
	}
	return to
}

func (s *Server) pagePhones(w http.ResponseWriter, r *http.Request) {
	head, err := s.head(r, "手机", "phone", "sms", "wechat")
	if err != nil {
		broken(w, err)
		return
	}
	phones, err := s.phones(r.Context())
	if err != nil {
		broken(w, err)
		return
	}
	s.render(w, r, http.StatusOK, "phones.html", struct {
		page
		Phones []Phone
	}{head, phones})
}

func (s *Server) pageAddPhone(w http.ResponseWriter, r *http.Request) {
	number, nickname := strings.TrimSpace(r.FormValue("phone")), strings.TrimSpace(r.FormValue("nickname"))
	if !mobile.MatchString(number) {
		s.say(w, r, http.StatusUnprocessableEntity, "手机号不正确", "请返回并填写 11 位手机号。")
		return
	}
	if err := s.ensurePhone(r.Context(), number); err != nil {
		broken(w, err)
		return
	}
	if nickname != "" {
		if _, err := s.db.ExecContext(r.Context(), `UPDATE phones SET nickname = ? WHERE phone = ?`, nickname, number); err != nil {
			broken(w, err)
			return
		}
	}
	http.Redirect(w, r, localPath(orElse(r.FormValue("back"), "/sandbox/phone/"+number)), http.StatusSeeOther)
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (s *Server) pagePhone(w http.ResponseWriter, r *http.Request) {
	p, err := s.phoneBy(r.Context(), "phone", r.PathValue("phone"))
	if errors.Is(err, sql.ErrNoRows) {
		s.say(w, r, http.StatusNotFound, "没有这部手机", "还没有消息发到这个号码。可在手机列表里添加它。")
		return
	}
	if err != nil {
		broken(w, err)
		return
	}
	data := struct {
		page
		Phone
		Tab    string
		SMS    []SMS
		Wechat []WechatMessage
		Sent   []sentCallback
	}{Phone: p, Tab: r.URL.Query().Get("tab")}
	if data.Tab != "wechat" {
		data.Tab = "sms"
	}
	if data.page, err = s.head(r, p.Nickname, "phone"); err == nil {
		data.SMS, err = s.texts(r.Context(), p.Phone, 100)
	}
	if err == nil {
		data.Wechat, err = s.messages(r.Context(), p.OpenID, 100)
	}
	if err == nil {
		data.Sent, err = s.sent(r.Context(), p.OpenID)
	}
	if err != nil {
		broken(w, err)
		return
	}
	s.render(w, r, http.StatusOK, "phone.html", data)
}

type sentCallback struct {
	Event  string
	Status int
	At     time.Time
}

func (s *Server) sent(ctx context.Context, openID string) ([]sentCallback, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT event, status, at FROM wechat_callbacks WHERE openid = ? ORDER BY id DESC LIMIT 5`, openID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := map[string]string{"subscribe": "关注", "unsubscribe": "取消关注", "SCAN": "扫码", "text": "发送文字", "image": "发送图片", "voice": "发送语音", "location": "发送位置", "CLICK": "点菜单"}
	var found []sentCallback
	for rows.Next() {
		var c sentCallback
		var at int64
		if err := rows.Scan(&c.Event, &c.Status, &at); err != nil {
			return nil, err
		}
		c.Event, c.At = names[c.Event], moment(at)
		found = append(found, c)
	}
	return found, rows.Err()
}

// phoneCookie remembers which phone this browser is.
const phoneCookie = "sandbox_phone"

func hold(w http.ResponseWriter, number string) {
	// #nosec G124 -- the demo may run on plain http; the cookie only remembers which stand-in phone is shown
	http.SetCookie(w, &http.Cookie{Name: phoneCookie, Value: number, Path: "/sandbox/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 30 * 24 * 3600})
}

// held returns the phone this browser is, if any.
func (s *Server) held(r *http.Request) (Phone, bool) {
	c, err := r.Cookie(phoneCookie)
	if err != nil {
		return Phone{}, false
	}
	p, err := s.phoneBy(r.Context(), "phone", c.Value)
	return p, err == nil
}

// pageOpen makes this browser the phone and goes to a page of the product, as a tap in WeChat would.
func (s *Server) pageOpen(w http.ResponseWriter, r *http.Request) {
	p, err := s.phoneBy(r.Context(), "phone", r.PathValue("phone"))
	if err != nil {
		s.say(w, r, http.StatusNotFound, "没有这部手机", "可在手机列表里添加它。")
		return
	}
	to := orElse(r.URL.Query().Get("to"), "/m/")
	if base := s.base(r); strings.HasPrefix(to, base+"/") {
		to = to[len(base):]
	}
	hold(w, p.Phone)
	// #nosec G710 -- localPath keeps it on this host
	http.Redirect(w, r, insideWechat(localPath(to)), http.StatusSeeOther)
}

// insideWechat marks a page of the mobile face as opened inside WeChat, which it cannot see from an ordinary browser. Only
// a demo believes the mark.
func insideWechat(to string) string {
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(u.Path, "/m/") {
		return to
	}
	q := u.Query()
	q.Set("wechat", "sandbox")
	u.RawQuery = q.Encode()
	return u.String()
}

func (s *Server) pageWechat(w http.ResponseWriter, r *http.Request) {
	c := Callback{Phone: r.PathValue("phone"), Event: r.FormValue("event"), Content: strings.TrimSpace(r.FormValue("content"))}
	if c.Event == "text" && c.Content == "" {
		s.say(w, r, http.StatusUnprocessableEntity, "没有发送", "请先填写要发送的文字。")
		return
	}
	if _, err := s.Deliver(r.Context(), c); err != nil {
		s.say(w, r, http.StatusUnprocessableEntity, "没有发送", err.Error())
		return
	}
	http.Redirect(w, r, "/sandbox/phone/"+url.PathEscape(c.Phone)+"?tab=wechat", http.StatusSeeOther)
}

func (s *Server) pageMailbox(w http.ResponseWriter, r *http.Request) {
	head, err := s.head(r, "邮箱", "mailbox", "mail")
	if err != nil {
		broken(w, err)
		return
	}
	mails, err := s.mails(r.Context(), 100)
	if err != nil {
		broken(w, err)
		return
	}
	q := r.URL.Query()
	data := struct {
		page
		Mails                          []Mail
		Sent                           bool
		Name, From, To, Subject, Reply string
	}{page: head, Mails: mails, Sent: q.Get("sent") != "", Name: "王芳", From: orElse(q.Get("from"), "wangfang@example.com"), To: InboxAddress, Reply: q.Get("reply")}
	if data.Reply != "" {
		data.Subject = "回复：" + q.Get("subject")
	}
	s.render(w, r, http.StatusOK, "mailbox.html", data)
}

func (s *Server) pageRegistry(w http.ResponseWriter, r *http.Request) {
	head, err := s.head(r, "企业登记", "registry", "registry")
	if err != nil {
		broken(w, err)
		return
	}
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	companies, err := s.companies(r.Context(), q)
	if err != nil {
		broken(w, err)
		return
	}
	s.render(w, r, http.StatusOK, "registry.html", struct {
		page
		Query     string
		Companies []registry.Company
	}{head, q, companies})
}

func (s *Server) pagePartner(w http.ResponseWriter, r *http.Request) {
	head, err := s.head(r, "合作方收件箱", "partner", "partner")
	if err != nil {
		broken(w, err)
		return
	}
	data := struct {
		page
		Partner, Subject string
		Partners         []string
		Attempts         []Attempt
		Orders           []order
	}{page: head, Partner: r.URL.Query().Get("partner"), Subject: r.URL.Query().Get("subject")}
	if data.Partners, err = s.partners(r.Context()); err != nil {
		broken(w, err)
		return
	}
	all, err := s.recent(r.Context(), data.Partner, 1000)
	if err != nil {
		broken(w, err)
		return
	}
	data.Orders = orders(all)
	for _, a := range all {
		if len(data.Attempts) < 100 && (data.Subject == "" || a.Subject == data.Subject) {
			data.Attempts = append(data.Attempts, a)
		}
	}
	s.render(w, r, http.StatusOK, "partner.html", data)
}

func (s *Server) partners(ctx context.Context) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT partner FROM deliveries ORDER BY partner LIMIT 100`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		found = append(found, name)
	}
	return found, rows.Err()
}

// order is what arrived about one object, in the order in which it was taken.
type order struct {
	Partner   string
	Subject   string
	Sequences []string
	Repeats   int
	InOrder   bool
}

// orders groups attempts, newest first, by object and says whether first arrivals came in the order of their sequence.
func orders(newestFirst []Attempt) []order {
	index := map[string]int{}
	seen := map[string]bool{}
	last := map[string]int64{}
	var found []order
	for i := len(newestFirst) - 1; i >= 0; i-- {
		a := newestFirst[i]
		if a.Status != http.StatusOK || a.Subject == "" {
			continue
		}
		key := a.Partner + "\n" + a.Subject
		at, ok := index[key]
		if !ok {
			at = len(found)
			index[key] = at
			found = append(found, order{Partner: a.Partner, Subject: a.Subject, InOrder: true})
		}
		if seen[a.Partner+"\n"+a.ID] {
			found[at].Repeats++
			continue
		}
		seen[a.Partner+"\n"+a.ID] = true
		sequence, err := strconv.ParseInt(a.Sequence, 10, 64)
		if err != nil || sequence <= last[key] {
			found[at].InOrder = false
		}
		last[key] = sequence
		found[at].Sequences = append(found[at].Sequences, a.Sequence)
	}
	for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
		found[i], found[j] = found[j], found[i]
	}
	return found[:min(len(found), 30)]
}
