package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// answer is what a call leads to: x is written as XML, j as JSON.
type answer struct {
	status int
	x, j   any
}

// changeset is when this side of the interface last changed.
const changeset = "2026-11-29T00:00:00+08:00"

// Routes adds the interface of Open311.
func (s *Service) Routes(srv *web.Server) {
	rule := access.Public("Open311 开放接口：查询只含公开的服务，提交凭对接方的 api_key")
	srv.Raw("GET", "/open311/*", rule, s.serveOpen311)
	srv.Raw("POST", "/open311/*", rule, s.serveOpen311)
}

// serveOpen311 answers in the form the address asks for; every failure is a list of errors in that form too.
func (s *Service) serveOpen311(c *fiber.Ctx) error {
	where := strings.Trim(strings.TrimPrefix(c.Path(), "/open311"), "/")
	ext := path.Ext(where)
	asJSON := ext == ".json" || ext != ".xml" && strings.Contains(c.Get(fiber.HeaderAccept), "json")
	where = strings.Trim(strings.TrimSuffix(strings.TrimSuffix(where, ".json"), ".xml"), "/")
	a, err := s.answerOpen311(c, where)
	if err != nil {
		f, ok := fault.As(err)
		if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			return err // the edge logs it and answers 5xx
		}
		list := errorsOf(f)
		a = answer{list[0].Code, errorList{Items: list}, list}
		if f.RetryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(f.RetryAfter))
		}
	}
	c.Status(a.status).Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	var b bytes.Buffer
	if asJSON {
		c.Set(fiber.HeaderContentType, "application/json; charset=utf-8")
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		err = enc.Encode(a.j)
	} else {
		c.Set(fiber.HeaderContentType, "text/xml; charset=utf-8")
		b.WriteString(xml.Header)
		err = xml.NewEncoder(&b).Encode(a.x)
	}
	if err != nil {
		return err
	}
	return c.Send(b.Bytes())
}

// errorsOf is a fault in the words of the standard: 404 for what is unknown, 403 for a key, 429 past its limits, else 400.
func errorsOf(f *fault.Fault) []errorEntry {
	status := map[fault.Kind]int{fault.NotFound: http.StatusNotFound, fault.Forbidden: http.StatusForbidden, fault.TooMany: http.StatusTooManyRequests}[f.Kind]
	if status == 0 {
		status = http.StatusBadRequest
	}
	if len(f.Fields) < 2 {
		return []errorEntry{{status, f.Message}}
	}
	var list []errorEntry
	for _, field := range f.Fields {
		list = append(list, errorEntry{status, field.Message})
	}
	return list
}

var (
	errAddress      = fault.New(fault.NotFound, "OPEN311_ADDRESS", "没有这个地址，对接说明见 /open311（unknown resource）")
	errJurisdiction = fault.New(fault.NotFound, "OPEN311_JURISDICTION", "没有这个 jurisdiction_id（unknown jurisdiction_id）")
)

func (s *Service) answerOpen311(c *fiber.Ctx, where string) (answer, error) {
	ctx := c.UserContext()
	if where == "discovery" && c.Method() == fiber.MethodGet {
		d := s.discovery()
		return answer{http.StatusOK, d, d}, nil
	}
	rest, ok := strings.CutPrefix(where, "v2/")
	if !ok {
		return answer{}, errAddress
	}
	parts := strings.Split(rest, "/")
	var form form
	if c.Method() == fiber.MethodPost {
		if rest != "requests" {
			return answer{}, errAddress
		}
		var err error
		if form, err = readForm(c); err != nil {
			return answer{}, err
		}
	}
	if j := orElse(c.Query("jurisdiction_id"), form.get("jurisdiction_id")); j != "" && j != s.Jurisdiction {
		return answer{}, errJurisdiction
	}
	switch {
	case c.Method() == fiber.MethodPost:
		return s.postRequest(ctx, c, form)
	case rest == "services":
		return s.serviceEntries(ctx)
	case len(parts) == 2 && parts[0] == "services":
		return s.definition(ctx, parts[1])
	case rest == "requests":
		q, err := queryOf(c)
		if err != nil {
			return answer{}, err
		}
		list, err := s.Requests(ctx, c.Query("api_key"), q)
		return requestAnswer(list, err)
	case len(parts) == 2 && parts[0] == "requests":
		p, err := s.Request(ctx, c.Query("api_key"), parts[1])
		return requestAnswer([]Public{p}, err)
	case len(parts) == 2 && parts[0] == "tokens":
		number, err := s.Token(ctx, parts[1])
		items := []tokenEntry{{number, parts[1]}}
		return answer{http.StatusOK, tokenList{Items: items}, items}, err
	}
	return answer{}, errAddress
}

func (s *Service) discovery() discovery {
	kind := "production"
	if s.Test {
		kind = "test"
	}
	return discovery{Changeset: changeset, Contact: s.District + "惠企台运营人员，见 " + s.PublicURL + "/open311", KeyService: "密钥由平台运营人员签发，申请办法见 " + s.PublicURL + "/open311#key",
		Endpoints: []endpoint{{Specification: "http://wiki.open311.org/GeoReport_v2", URL: s.PublicURL + "/open311/v2", Changeset: changeset, Type: kind,
			Formats: []string{"text/xml", "application/json"}}}}
}

// form reports whether the service has one.
func (s *Service) form(ctx context.Context, code string) ([]Field, error) {
	if s.Fields == nil {
		return nil, nil
	}
	return s.Fields.Fields(ctx, code)
}

func (s *Service) serviceEntries(ctx context.Context) (answer, error) {
	all, err := s.offeredNow(ctx)
	if err != nil {
		return answer{}, err
	}
	items := []serviceEntry{}
	for _, v := range all {
		form, err := s.form(ctx, v.Code)
		if err != nil {
			return answer{}, err
		}
		items = append(items, serviceEntry{Code: v.Code, Name: v.Name, Description: v.Group + "：" + v.Name, Metadata: len(form) > 0, Type: "realtime", Keywords: v.Keywords, Group: v.Group})
	}
	return answer{http.StatusOK, serviceList{Items: items}, items}, nil
}

func (s *Service) definition(ctx context.Context, code string) (answer, error) {
	all, err := s.offeredNow(ctx)
	if err != nil {
		return answer{}, err
	}
	if !slices.ContainsFunc(all, func(v ServiceView) bool { return v.Code == code }) {
		return answer{}, errService
	}
	form, err := s.form(ctx, code)
	if err != nil {
		return answer{}, err
	}
	d := serviceDefinition{Code: code, Attributes: []attribute{}}
	for i, f := range form {
		a := attribute{Variable: true, Code: f.Code, Kind: f.Kind, Required: f.Required, Hint: f.Hint, Order: i + 1, Description: f.Label}
		for _, v := range f.Values {
			a.Values = append(a.Values, choice(v))
		}
		d.Attributes = append(d.Attributes, a)
	}
	return answer{http.StatusOK, d, d}, nil
}

func requestAnswer(list []Public, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	at := func(t time.Time) string { return t.In(clock.Beijing).Format(time.RFC3339) }
	items := []requestEntry{}
	for i := range list {
		p := &list[i]
		e := requestEntry{Number: p.Number, Status: p.State, StatusNotes: p.Note, Service: p.Service, Code: p.Code, Description: p.text(), Agency: p.Agency,
			Requested: at(p.CreatedAt), Updated: at(p.UpdatedAt), Expected: at(p.DueAt)}
		e.Lat, e.Long = p.place()
		if p.Own {
			e.Address, e.AddressID, e.Zip, e.MediaURL = p.Address, p.AddressID, p.Zip, p.MediaURL
		}
		items = append(items, e)
	}
	return answer{http.StatusOK, requestList{Items: items}, items}, nil
}

// split reads a list separated by commas.
func split(value string) []string {
	var out []string
	for _, v := range strings.Split(value, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

func queryOf(c *fiber.Ctx) (Query, error) {
	q := Query{Numbers: split(c.Query("service_request_id")), Codes: split(c.Query("service_code")), States: split(c.Query("status"))}
	for _, st := range q.States {
		if st != requestOpen && st != requestClosed {
			return q, invalid("status", "status 须为 open 或 closed")
		}
	}
	if len(q.Codes) > mostRequests {
		return q, invalid("service_code", "一次最多查询 %d 个 service_code", mostRequests)
	}
	for name, into := range map[string]**time.Time{"start_date": &q.From, "end_date": &q.To} {
		given := c.Query(name)
		if given == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, strings.ReplaceAll(given, " ", "+")) // a plus in an address that was not escaped
		if err != nil {
			return q, invalid(name, "%s 须为带时区的时间，如 2026-11-22T14:05:00+08:00", name)
		}
		t = t.UTC()
		*into = &t
	}
	return q, nil
}

func (s *Service) postRequest(ctx context.Context, c *fiber.Ctx, f form) (answer, error) {
	r := Report{Code: f.get("service_code"), Datum: WGS84, Address: f.get("address_string"), AddressID: f.get("address_id"), Zip: f.get("zipcode"), Email: f.get("email"),
		Phone: f.get("phone"), FirstName: f.get("first_name"), LastName: f.get("last_name"), DeviceID: f.get("device_id"), AccountID: f.get("account_id"),
		Description: f.get("description"), MediaURL: f.get("media_url"), Attributes: map[string][]string{}, Media: f.media, Outside: c.Get("Idempotency-Key")}
	if r.Code == "" {
		return answer{}, invalid("service_code", "缺少 service_code")
	}
	if len(r.Outside) > 100 || strings.ContainsFunc(r.Outside, func(c rune) bool { return c < ' ' || c > '~' }) {
		return answer{}, invalid("Idempotency-Key", "Idempotency-Key 最多 100 个字符，只能用字母、数字和符号")
	}
	if d := f.get("datum"); d != "" {
		r.Datum = Datum(strings.ToLower(d))
	}
	for name, into := range map[string]**float64{"lat": &r.Lat, "long": &r.Long} {
		given := strings.TrimSpace(f.get(name))
		if given == "" {
			continue
		}
		n, err := strconv.ParseFloat(given, 64)
		if err != nil {
			return answer{}, invalid(name, "%s 须为十进制度数，如 39.909187", name)
		}
		*into = &n
	}
	for name, values := range f.values { // attribute[c]=a, attribute[c][]=a, either repeated
		code, ok := strings.CutPrefix(name, "attribute[")
		if !ok {
			continue
		}
		if code, _, ok = strings.Cut(code, "]"); ok && code != "" {
			r.Attributes[code] = append(r.Attributes[code], values...)
		}
	}
	done, err := s.Take(ctx, orElse(f.get("api_key"), c.Query("api_key")), r)
	if err != nil {
		return answer{}, err
	}
	return receiptAnswer(done), nil
}

// receiptAnswer tells the partner what became of its report.
func receiptAnswer(r Receipt) answer {
	items := []receiptEntry{{Number: r.Number, Token: r.Token, Account: r.AccountID, Notice: "诉求已受理，可凭 service_request_id 查询进度"}}
	if r.Number == "" {
		items[0].Notice = "诉求已收到，核实后转为工单，可凭 token 查询 service_request_id"
	}
	return answer{http.StatusOK, receiptList{Items: items}, items}
}
