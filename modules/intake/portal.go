package intake

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// open311Page is what whoever connects a system reads first.
type open311Page struct {
	Base, Jurisdiction string
	Test               bool
	Calls              []open311Call
	Services           []open311Service
	Submit             *open311Example
	Description        int
	Media              int
	Minute, Day        int64
	Requests, Span     int
}

// open311Service is a matter that is offered.
type open311Service struct {
	ServiceView
	Form []Field
}

// open311Call is one address of the interface.
type open311Call struct{ Use, Method, URL, Key string }

// open311Example is a report that would be taken, and the answers to it and to the question how it stands.
type open311Example struct{ Command, Receipt, AsJSON, Query, State string }

// Pages adds the page that says what the interface for partners is. It stands before the addresses of the interface.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("intake", sub); err != nil {
		return err
	}
	srv.Page("GET", "/open311", access.Public("Open311 开放接口的对接说明"), func(c *fiber.Ctx) error { return s.open311Page(c, p) })
	return nil
}

func (s *Service) open311Page(c *fiber.Ctx, p *web.Pages) error {
	data, err := s.explain(c.UserContext())
	if err != nil {
		return err
	}
	v, err := p.View(c, "Open311 开放接口")
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb = "help", []page.Crumb{{Text: "帮助中心", URL: "/help"}, {Text: "Open311 开放接口"}}
	v.Description = "合作单位的系统按 Open311 GeoReport v2 提交诉求、查询进度的地址、密钥和示例"
	return p.Render(c, fiber.StatusOK, "intake/open311", v, data)
}

// explain gathers what the page says: the addresses of this installation, what is offered now, and a report of it.
func (s *Service) explain(ctx context.Context) (open311Page, error) {
	base := s.PublicURL + "/open311"
	offered, err := s.offeredNow(ctx)
	if err != nil {
		return open311Page{}, err
	}
	d := open311Page{Base: base, Jurisdiction: s.Jurisdiction, Test: s.Test,
		Calls: []open311Call{
			{"接口说明（discovery）", "GET", base + "/discovery.xml", "不需要"},
			{"开放的事项", "GET", base + "/v2/services.xml", "不需要"},
			{"一个事项的填写项", "GET", base + "/v2/services/{service_code}.xml", "不需要"},
			{"提交诉求", "POST", base + "/v2/requests.xml", "需要"},
			{"查询诉求", "GET", base + "/v2/requests.xml", "查询本单位提交的需要，查询公开的不需要"},
			{"查询一件诉求", "GET", base + "/v2/requests/{service_request_id}.xml", "同上"},
			{"用 token 换流水号", "GET", base + "/v2/tokens/{token}.xml", "不需要"},
		},
		Description: mostDescription, Media: mostMedia, Minute: usualPerMinute, Day: usualPerDay, Requests: mostRequests, Span: int(widestSpan / (24 * time.Hour)),
	}
	for _, v := range offered {
		form, err := s.form(ctx, v.Code)
		if err != nil {
			return open311Page{}, err
		}
		d.Services = append(d.Services, open311Service{v, form})
	}
	if len(d.Services) == 0 {
		return d, nil
	}
	d.Submit, err = s.example(d.Services)
	return d, err
}

// needed are the fields of the form that a report must answer.
func (v *open311Service) needed() []Field {
	return slices.DeleteFunc(slices.Clone(v.Form), func(f Field) bool { return !f.Required })
}

// example is a report of the service that asks least, with what its form needs, and the answers to it.
func (s *Service) example(offered []open311Service) (*open311Example, error) {
	of := slices.MinFunc(offered, func(a, b open311Service) int { return len(a.needed()) - len(b.needed()) })
	lines := []string{"curl '" + s.PublicURL + "/open311/v2/requests.xml'", "-H 'Idempotency-Key: 20260001'"}
	add := func(name, value string) { lines = append(lines, "--data-urlencode '"+name+"="+value+"'") }
	const words, place = "请在这里写明时间、经过和希望怎样解决。", "新华西街 18 号"
	add("api_key", "您的密钥")
	add("service_code", of.Code)
	add("description", words)
	add("address_string", place)
	add("lat", "39.909187")
	add("long", "116.663322")
	add("last_name", "王")
	add("first_name", "芳")
	add("phone", "13800138000")
	for _, f := range of.needed() {
		value := "（" + f.Label + "）"
		switch {
		case len(f.Values) > 0:
			value = f.Values[0].Key
		case f.Kind == "number":
			value = "1"
		case f.Kind == "datetime":
			value = s.Clock.Now().In(clock.Beijing).Format(time.DateOnly)
		}
		add("attribute["+f.Code+"]", strings.ReplaceAll(value, "'", ""))
	}
	e := open311Example{Query: "curl '" + s.PublicURL + "/open311/v2/requests.xml?status=open&service_code=" + of.Code + "&api_key=您的密钥'", Command: strings.Join(lines, " \\\n  ")}
	at := clock.Midnight(s.Clock.Now()).Add(9 * time.Hour) // the page is the same all day
	number := "GD" + at.In(clock.Beijing).Format("20060102") + "-000001"
	var err error
	if e.Receipt, e.AsJSON, err = written(receiptAnswer(Receipt{Number: number})); err != nil {
		return nil, err
	}
	lat, long := 39.909187, 116.663322
	state, err := requestAnswer([]Public{{Service: of.Name, Own: true, requestRow: requestRow{Number: number, Code: of.Code, State: requestOpen, Note: notes["dispatched"].note,
		Description: words, Address: place, Lat: &lat, Long: &long, CreatedAt: at, UpdatedAt: at.Add(time.Hour), DueAt: at.AddDate(0, 0, 3)}}}, nil)
	if err != nil {
		return nil, err
	}
	e.State, _, err = written(state)
	return &e, err
}

// written is an answer as it goes out, laid out for reading.
func written(a answer) (asXML, asJSON string, err error) {
	x, err := xml.MarshalIndent(a.x, "", "  ")
	if err != nil {
		return "", "", err
	}
	var j bytes.Buffer
	enc := json.NewEncoder(&j)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(a.j)
	return xml.Header + string(x), strings.TrimSpace(j.String()), err
}
