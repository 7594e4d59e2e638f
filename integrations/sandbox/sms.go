package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	// #nosec G505 -- the provider's protocol signs with HMAC-SHA1
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
)

var mobile = regexp.MustCompile(`^1[3-9]\d{9}$`)

type smsAnswer struct {
	RequestID string `json:"RequestId"`
	Code      string
	Message   string
	BizID     string `json:"BizId,omitempty"`
}

func smsSay(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, smsAnswer{RequestID: rand.Text(), Code: code, Message: message})
}

func (s *Server) smsRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/sandbox/sms/{$}", s.misbehaving("sms",
		func(w http.ResponseWriter, _ *http.Request) {
			smsSay(w, http.StatusServiceUnavailable, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
		},
		func(w http.ResponseWriter, _ *http.Request) {
			smsSay(w, http.StatusOK, "isv.AMOUNT_NOT_ENOUGH", "账户余额不足")
		}, s.smsCall))
}

// smsCall is Aliyun's RPC gateway: it checks the common parameters and signature v1, then does the action.
func (s *Server) smsCall(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		smsSay(w, http.StatusBadRequest, "InvalidParameter", "The request cannot be read.")
		return
	}
	for _, name := range []string{"AccessKeyId", "Signature", "SignatureNonce", "Timestamp", "Action", "Version"} {
		if r.Form.Get(name) == "" {
			smsSay(w, http.StatusBadRequest, "Missing"+name, name+" is mandatory for this action.")
			return
		}
	}
	if s.opts.Secrets.SMSKeyID == "" || r.Form.Get("AccessKeyId") != s.opts.Secrets.SMSKeyID {
		smsSay(w, http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
		return
	}
	signed := rpcStringToSign(r.Method, r.Form)
	mac := hmac.New(sha1.New, []byte(s.opts.Secrets.SMSKeySecret+"&"))
	mac.Write([]byte(signed))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if r.Form.Get("SignatureMethod") != "HMAC-SHA1" || r.Form.Get("SignatureVersion") != "1.0" ||
		subtle.ConstantTimeCompare([]byte(want), []byte(r.Form.Get("Signature"))) != 1 {
		smsSay(w, http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:"+signed)
		return
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", r.Form.Get("Timestamp"))
	if age := s.now().Sub(at); err != nil || age > 15*time.Minute || age < -15*time.Minute {
		smsSay(w, http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
		return
	}
	repeat, err := s.seen(r.Context(), "sms", r.Form.Get("SignatureNonce"))
	if err != nil {
		broken(w, err)
		return
	}
	if repeat {
		smsSay(w, http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already.")
		return
	}
	switch {
	case r.Form.Get("Version") != "2017-05-25":
		smsSay(w, http.StatusBadRequest, "InvalidVersion", "Specified parameter Version is not valid.")
	case r.Form.Get("Action") == "SendSms":
		s.sendSMS(w, r)
	case r.Form.Get("Action") == "QuerySendDetails":
		s.querySMS(w, r)
	default:
		smsSay(w, http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	}
}

// rpcStringToSign is Aliyun's: method, "/", and the sorted, percent-encoded parameters without the signature.
func rpcStringToSign(method string, form url.Values) string {
	encode := func(v string) string {
		return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(v))
	}
	keys := make([]string, 0, len(form))
	for k := range form {
		if k != "Signature" {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	pairs := make([]string, 0, len(keys))
	for _, k := range keys {
		pairs = append(pairs, encode(k)+"="+encode(form.Get(k)))
	}
	return method + "&%2F&" + encode(strings.Join(pairs, "&"))
}

func (s *Server) sendSMS(w http.ResponseWriter, r *http.Request) {
	phone, sign, template := r.Form.Get("PhoneNumbers"), r.Form.Get("SignName"), r.Form.Get("TemplateCode")
	params := map[string]string{}
	if raw := r.Form.Get("TemplateParam"); raw != "" {
		if err := json.Unmarshal([]byte(raw), &params); err != nil {
			smsSay(w, http.StatusOK, "isv.INVALID_JSON_PARAM", "JSON参数不合法，只接受字符串值")
			return
		}
	}
	text, known := s.opts.SMSTemplates[template]
	switch {
	case !mobile.MatchString(phone):
		smsSay(w, http.StatusOK, "isv.MOBILE_NUMBER_ILLEGAL", "非法手机号")
		return
	case sign == "":
		smsSay(w, http.StatusOK, "isv.SMS_SIGNATURE_ILLEGAL", "短信签名不合法")
		return
	case template == "" || !known && len(s.opts.SMSTemplates) > 0:
		smsSay(w, http.StatusOK, "isv.SMS_TEMPLATE_ILLEGAL", "短信模板不合法")
		return
	}
	content, missing := renderSMS(text, params)
	if missing != "" {
		smsSay(w, http.StatusOK, "isv.TEMPLATE_MISSING_PARAMETERS", "模板缺少变量："+missing)
		return
	}
	_, codeLike := params["code"]
	limited, err := s.smsLimited(r.Context(), phone, codeLike)
	if err != nil {
		broken(w, err)
		return
	}
	if limited != "" {
		smsSay(w, http.StatusOK, "isv.BUSINESS_LIMIT_CONTROL", limited)
		return
	}
	if err := s.ensurePhone(r.Context(), phone); err != nil {
		broken(w, err)
		return
	}
	now := s.now()
	biz := fmt.Sprintf("%d%s^0", now.UnixMilli(), strings.ToLower(rand.Text()[:6]))
	raw, _ := json.Marshal(params)
	if _, err := s.db.ExecContext(r.Context(), `INSERT INTO sms (biz_id, phone, sign, template, params, content, out_id, code_like, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		biz, phone, sign, template, string(raw), "【"+sign+"】"+content, r.Form.Get("OutId"), codeLike, now.UnixMicro()); err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, smsAnswer{RequestID: rand.Text(), Code: "OK", Message: "OK", BizID: biz})
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9_]+)\}`)

// renderSMS fills a template, or lists the parameters when there is none; it names the first one missing.
func renderSMS(text string, params map[string]string) (content, missing string) {
	if text == "" {
		if code, ok := params["code"]; ok && len(params) == 1 {
			return "您的验证码是 " + code + "，请勿告诉他人。", ""
		}
		keys := make([]string, 0, len(params))
		for k := range params {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		parts := make([]string, 0, len(keys))
		for _, k := range keys {
			parts = append(parts, k+"："+params[k])
		}
		return strings.Join(parts, "；"), ""
	}
	content = placeholder.ReplaceAllStringFunc(text, func(m string) string {
		value, ok := params[m[2:len(m)-1]]
		if !ok && missing == "" {
			missing = m[2 : len(m)-1]
		}
		return value
	})
	return content, missing
}

// smsLimited applies the provider's flow control per number: codes 1 a minute, 5 an hour, 10 a day; others 50 a day.
func (s *Server) smsLimited(ctx context.Context, phone string, codeLike bool) (string, error) {
	type limit struct {
		window time.Duration
		most   int
		words  string
	}
	limits := []limit{{24 * time.Hour, 50, "触发天级流控Permits:50"}}
	if codeLike {
		limits = []limit{{time.Minute, 1, "触发分钟级流控Permits:1"}, {time.Hour, 5, "触发小时级流控Permits:5"}, {24 * time.Hour, 10, "触发天级流控Permits:10"}}
	}
	for _, l := range limits {
		var n int
		err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM sms WHERE phone = ? AND code_like = ? AND at > ?`,
			phone, codeLike, s.now().Add(-l.window).UnixMicro()).Scan(&n)
		if err != nil {
			return "", err
		}
		if n >= l.most {
			return l.words, nil
		}
	}
	return "", nil
}

func (s *Server) querySMS(w http.ResponseWriter, r *http.Request) {
	day, err := time.ParseInLocation("20060102", r.Form.Get("SendDate"), clock.Beijing)
	size, sizeErr := strconv.Atoi(r.Form.Get("PageSize"))
	page, pageErr := strconv.Atoi(r.Form.Get("CurrentPage"))
	if err != nil || sizeErr != nil || pageErr != nil || size < 1 || size > 50 || page < 1 || !mobile.MatchString(r.Form.Get("PhoneNumber")) {
		smsSay(w, http.StatusOK, "isv.INVALID_PARAMETERS", "参数异常")
		return
	}
	where := ` FROM sms WHERE phone = ? AND at >= ? AND at < ? AND (? = '' OR biz_id = ?)`
	args := []any{r.Form.Get("PhoneNumber"), day.UnixMicro(), day.Add(24 * time.Hour).UnixMicro(), r.Form.Get("BizId"), r.Form.Get("BizId")}
	type detail struct {
		PhoneNum, ErrCode, TemplateCode, Content, SendDate, ReceiveDate string
		OutID                                                           string `json:"OutId"`
		SendStatus                                                      int
	}
	var total int
	if err := s.db.QueryRowContext(r.Context(), `SELECT count(*)`+where, args...).Scan(&total); err != nil {
		broken(w, err)
		return
	}
	rows, err := s.db.QueryContext(r.Context(), `SELECT phone, template, content, out_id, at`+where+` ORDER BY id DESC LIMIT ? OFFSET ?`, append(args, size, (page-1)*size)...)
	if err != nil {
		broken(w, err)
		return
	}
	defer rows.Close()
	details := []detail{}
	for rows.Next() {
		d := detail{ErrCode: "DELIVERED", SendStatus: 3}
		var at int64
		if err := rows.Scan(&d.PhoneNum, &d.TemplateCode, &d.Content, &d.OutID, &at); err != nil {
			broken(w, err)
			return
		}
		d.SendDate = moment(at).In(clock.Beijing).Format(time.DateTime)
		d.ReceiveDate = d.SendDate
		details = append(details, d)
	}
	if err := rows.Err(); err != nil {
		broken(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"RequestId": rand.Text(), "Code": "OK", "Message": "OK", "TotalCount": strconv.Itoa(total),
		"SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": details},
	})
}
