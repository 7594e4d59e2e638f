package sandbox

import (
	"net/http"
	"net/url"
	"strings"
)

// authorize is the sign-in page's question.
type authorize struct {
	page
	Redirect, Scope, State string
	Phones                 []Phone
	Held                   *Phone
}

// authorizeInput reads and checks what the product asks of the sign-in page, with WeChat's own codes on its error page.
func (s *Server) authorizeInput(w http.ResponseWriter, r *http.Request) (authorize, bool) {
	a := authorize{page: page{Title: "微信授权"}, Redirect: r.FormValue("redirect_uri"), Scope: r.FormValue("scope"), State: r.FormValue("state")}
	target, err := url.Parse(a.Redirect)
	base, baseErr := url.Parse(s.base(r))
	problem := ""
	switch {
	case r.FormValue("appid") == "" || r.FormValue("appid") != s.opts.Secrets.WechatAppID:
		problem = "appid 参数错误（40013）"
	case err != nil || baseErr != nil || target.Host == "" || target.Host != base.Host || target.Scheme != base.Scheme:
		problem = "redirect_uri 域名与后台配置不一致（10003）"
	case r.FormValue("response_type") != "code":
		problem = "response_type 参数错误"
	case a.Scope != "snsapi_base" && a.Scope != "snsapi_userinfo":
		problem = "scope 参数错误或没有 scope 权限（10005）"
	case len(a.State) > 128 || strings.ContainsFunc(a.State, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
	}):
		problem = "state 只能是 128 个以内的字母和数字"
	}
	if problem != "" {
		s.say(w, r, http.StatusBadRequest, "微信授权无法继续", problem)
		return a, false
	}
	return a, true
}

func (s *Server) wechatAuthorize(w http.ResponseWriter, r *http.Request) {
	a, ok := s.authorizeInput(w, r)
	if !ok {
		return
	}
	p, held := s.held(r)
	if held && a.Scope == "snsapi_base" && r.FormValue("switch") == "" {
		s.finish(w, r, a, p)
		return
	}
	phones, err := s.phones(r.Context())
	if err != nil {
		broken(w, err)
		return
	}
	a.Phones = phones
	a.Path = r.URL.RequestURI()
	if held {
		a.Held = &p
	}
	s.render(w, r, http.StatusOK, "authorize.html", a)
}

func (s *Server) wechatConsent(w http.ResponseWriter, r *http.Request) {
	a, ok := s.authorizeInput(w, r)
	if !ok {
		return
	}
	if r.FormValue("deny") != "" {
		s.say(w, r, http.StatusOK, "已取消", "您没有允许授权，可以关闭本页。")
		return
	}
	p, err := s.phoneBy(r.Context(), "phone", r.FormValue("phone"))
	if err != nil {
		s.say(w, r, http.StatusUnprocessableEntity, "没有选择手机", "请返回并选择一部手机。")
		return
	}
	hold(w, p.Phone)
	s.finish(w, r, a, p)
}

// finish sends the browser back to the product with a code.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, a authorize, p Phone) {
	code, err := s.newCode(r.Context(), p, a.Scope)
	if err != nil {
		broken(w, err)
		return
	}
	target, _ := url.Parse(a.Redirect)
	q := target.Query()
	q.Set("code", code)
	q.Set("state", a.State)
	target.RawQuery = q.Encode()
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

func (s *Server) wechatScanPage(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	_, expires, err := s.qrcode(r.Context(), ticket)
	if err != nil || !s.now().Before(expires) {
		s.say(w, r, http.StatusGone, "二维码已失效", "请在电脑上刷新二维码后再扫。")
		return
	}
	phones, err := s.phones(r.Context())
	if err != nil {
		broken(w, err)
		return
	}
	data := struct {
		page
		Ticket string
		Phones []Phone
	}{page{Title: "微信扫一扫"}, ticket, phones}
	s.render(w, r, http.StatusOK, "scan.html", data)
}

// wechatScan is a phone scanning a QR code: a new follower sends subscribe, an old one SCAN.
func (s *Server) wechatScan(w http.ResponseWriter, r *http.Request) {
	scene, expires, err := s.qrcode(r.Context(), r.FormValue("ticket"))
	if err != nil || !s.now().Before(expires) {
		s.say(w, r, http.StatusGone, "二维码已失效", "请在电脑上刷新二维码后再扫。")
		return
	}
	p, err := s.phoneBy(r.Context(), "phone", r.FormValue("phone"))
	if err != nil {
		s.say(w, r, http.StatusUnprocessableEntity, "没有选择手机", "请返回并选择一部手机。")
		return
	}
	event := "SCAN"
	if !p.Subscribed {
		event = "subscribe"
	}
	hold(w, p.Phone)
	results, err := s.Deliver(r.Context(), Callback{Phone: p.Phone, Event: event, Scene: scene, Ticket: r.FormValue("ticket")})
	if err != nil {
		s.say(w, r, http.StatusUnprocessableEntity, "没有送达", err.Error())
		return
	}
	if len(results) == 0 || results[0].Status != http.StatusOK {
		s.say(w, r, http.StatusBadGateway, "已扫码，但平台没有接收", "惠企台没有正常应答这次扫码，请稍后再扫一次。")
		return
	}
	s.say(w, r, http.StatusOK, "已扫码", "惠企台已收到，请按手机上的提示确认。")
}
