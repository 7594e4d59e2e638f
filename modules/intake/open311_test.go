package intake_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// The elements of GeoReport v2 as a partner reads them.
type (
	readServices struct {
		XMLName xml.Name `xml:"services"`
		Items   []struct {
			Code     string `xml:"service_code"`
			Name     string `xml:"service_name"`
			Metadata bool   `xml:"metadata"`
			Type     string `xml:"type"`
			Keywords string `xml:"keywords"`
			Group    string `xml:"group"`
		} `xml:"service"`
	}
	readDefinition struct {
		XMLName    xml.Name `xml:"service_definition"`
		Code       string   `xml:"service_code"`
		Attributes []struct {
			Code     string `xml:"code"`
			Datatype string `xml:"datatype"`
			Required bool   `xml:"required"`
			Order    int    `xml:"order"`
			Values   []struct {
				Key  string `xml:"key"`
				Name string `xml:"name"`
			} `xml:"values>value"`
		} `xml:"attributes>attribute"`
	}
	readRequests struct {
		XMLName xml.Name `xml:"service_requests"`
		Items   []struct {
			ID          string `xml:"service_request_id" json:"service_request_id"`
			Token       string `xml:"token" json:"token"`
			Status      string `xml:"status" json:"status"`
			Notes       string `xml:"status_notes" json:"status_notes"`
			Code        string `xml:"service_code" json:"service_code"`
			Description string `xml:"description" json:"description"`
			Requested   string `xml:"requested_datetime" json:"requested_datetime"`
			Updated     string `xml:"updated_datetime" json:"updated_datetime"`
			Address     string `xml:"address" json:"address"`
			Lat         string `xml:"lat" json:"-"`
			Long        string `xml:"long" json:"-"`
			Notice      string `xml:"service_notice" json:"service_notice"`
		} `xml:"request"`
	}
	readErrors struct {
		XMLName xml.Name `xml:"errors"`
		Items   []struct {
			Code        int    `xml:"code"`
			Description string `xml:"description"`
		} `xml:"error"`
	}
)

// The examples of the standard, shortened: what is read from ours is read from these.
const (
	exampleServices = `<?xml version="1.0" encoding="utf-8"?><services><service><service_code>001</service_code><service_name>Cans left out 24x7</service_name>
<description>Garbage or recycling cans that have been left out for more than 24 hours after collection.</description><metadata>true</metadata><type>realtime</type><keywords>lorem, ipsum, dolor</keywords><group>sanitation</group></service></services>`
	exampleRequests = `<?xml version="1.0" encoding="utf-8"?><service_requests><request><service_request_id>638344</service_request_id><status>closed</status><status_notes>Duplicate request.</status_notes>
<service_name>Sidewalk and Curb Issues</service_name><service_code>006</service_code><description></description><requested_datetime>2010-04-14T06:37:38-08:00</requested_datetime>
<updated_datetime>2010-04-14T06:37:38-08:00</updated_datetime><address>8TH AVE and JUDAH ST</address><lat>37.762221815</lat><long>-122.4651145</long></request></service_requests>`
	exampleErrors = `<?xml version="1.0" encoding="utf-8"?><errors><error><code>403</code><description>Invalid api_key received -- please contact API team to request a key.</description></error></errors>`
)

type door struct {
	t   *testing.T
	srv *web.Server
}

func mustDoor(t *testing.T, f fixture) door {
	t.Helper()
	srv, err := web.New(web.Options{Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), RequestsPerMinute: 1_000_000,
		Authenticate: func(context.Context, string) (access.Actor, error) { return access.Actor{}, fault.ErrUnauthorized }})
	if err != nil {
		t.Fatal(err)
	}
	f.Routes(srv)
	return door{t, srv}
}

func (d door) send(req *http.Request) (int, string) {
	d.t.Helper()
	res, err := d.srv.App.Test(req, -1)
	if err != nil {
		d.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func (d door) get(path string) (int, string) {
	d.t.Helper()
	return d.send(httptest.NewRequest("GET", path, nil))
}

func (d door) post(path string, form url.Values, header ...string) (int, string) {
	d.t.Helper()
	req := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return d.send(req)
}

func readXML[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := xml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// offer opens two services, one of them published, and gives out a key.
func (f fixture) offer(t *testing.T, cmd intake.IssueKey) string {
	t.Helper()
	must(f.SetService(ctx, operator, intake.SetService{Code: "050203", Offered: true, Published: true, Keywords: "路灯、井盖"}))(t)
	must(f.SetService(ctx, operator, intake.SetService{Code: "010101", Offered: true}))(t)
	cmd.Partner = "城市管家小程序"
	return must(f.Issue(ctx, operator, cmd))(t).Plain
}

func TestOpen311Reading(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	d := mustDoor(t, f)
	key := f.offer(t, intake.IssueKey{})
	if s := readXML[readServices](t, exampleServices); s.Items[0].Code != "001" || !s.Items[0].Metadata {
		t.Errorf("the example of the standard: %+v", s)
	}
	for _, path := range []string{"/open311/v2/services.xml", "/open311/v2/services.xml/", "/open311/v2/services", "/open311/v2/services.xml?jurisdiction_id=tz.example.gov.cn"} {
		status, text := d.get(path)
		s := readXML[readServices](t, text)
		if status != 200 || len(s.Items) != 2 || s.Items[1].Code != "050203" || s.Items[1].Keywords != "路灯,井盖" || s.Items[1].Type != "realtime" || s.Items[1].Group != "要素保障" || s.Items[1].Metadata {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, text := d.get("/open311/discovery.json"); status != 200 || !strings.Contains(text, `"url":"https://tz.example.gov.cn/open311/v2"`) || !strings.Contains(text, `"formats":["text/xml","application/json"]`) {
		t.Errorf("discovery: %d %s", status, text)
	}
	if status, text := d.get("/open311/v2/services/050203.xml"); status != 200 || readXML[readDefinition](t, text).Code != "050203" {
		t.Errorf("definition: %d %s", status, text)
	}
	for _, c := range []struct {
		path string
		want int
	}{
		{"/open311/v2/services/999999.xml", 404}, {"/open311/v2/services/010102.xml", 404}, // known, but not offered
		{"/open311/v2/services.xml?jurisdiction_id=elsewhere.org", 404}, {"/open311/v2/nothing.xml", 404}, {"/open311/v1/services.xml", 404},
		{"/open311/v2/requests/GD20200101-000001.xml", 404}, {"/open311/v2/tokens/none.xml", 404}, {"/open311/v2/requests.xml?api_key=wrong", 403},
		{"/open311/v2/requests.xml?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z", 400}, {"/open311/v2/requests.xml?start_date=yesterday", 400},
		{"/open311/v2/requests.xml?status=gone", 400}, {"/open311/v2/requests.xml?api_key=" + key + "x", 403},
	} {
		status, text := d.get(c.path)
		if e := readXML[readErrors](t, text); status != c.want || len(e.Items) == 0 || e.Items[0].Code != c.want || e.Items[0].Description == "" {
			t.Errorf("%s: %d %s, want %d", c.path, status, text, c.want)
		}
		status, text = d.get(strings.Replace(c.path, ".xml", ".json", 1))
		var list []struct{ Code int }
		if err := json.Unmarshal([]byte(text), &list); err != nil || status != c.want || len(list) == 0 || list[0].Code != c.want {
			t.Errorf("%s as JSON: %d %s %v", c.path, status, text, err)
		}
	}
	if e := readXML[readErrors](t, exampleErrors); e.Items[0].Code != 403 {
		t.Errorf("the example of the standard: %+v", e)
	}
}

func TestOpen311Reporting(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	d := mustDoor(t, f)
	key := f.offer(t, intake.IssueKey{Services: []string{"050203"}})
	good := func(more ...string) url.Values {
		v := url.Values{"api_key": {key}, "service_code": {"050203"}, "description": {"新华西街 18 号门前路灯不亮"}, "lat": {"39.9092"}, "long": {"116.6633"}, "datum": {"gcj02"},
			"address_string": {"新华西街 18 号"}, "first_name": {"芳"}, "last_name": {"王"}, "phone": {"13800138000"}, "email": {"wang@example.com"}}
		for i := 0; i+1 < len(more); i += 2 {
			v[more[i]] = []string{more[i+1]}
		}
		return v
	}
	status, text := d.post("/open311/v2/requests.xml", good("attribute[pole]", "A-17", "attribute[colour][]", "黄", "jurisdiction_id", "tz.example.gov.cn"))
	r := readXML[readRequests](t, text)
	if status != 200 || len(r.Items) != 1 || r.Items[0].ID != "GD20261122-000001" || r.Items[0].Notice == "" {
		t.Fatalf("%d %s", status, text)
	}
	opened, by := f.desk.opens[0], f.desk.by[0]
	if opened.Channel != intake.Open311 || opened.ContactName != "王芳" || opened.Phone != "13800138000" || by.Party != access.System ||
		!strings.Contains(opened.Body, "colour：黄\npole：A-17") || !strings.Contains(opened.Body, "地点：新华西街 18 号") || !strings.Contains(opened.Body, "坐标：39.90") {
		t.Errorf("%+v by %+v", opened, by)
	}
	for _, c := range []struct {
		name string
		form url.Values
		want int
		say  string
	}{
		{"no key", good("api_key", ""), 403, "api_key"}, {"unknown service", good("service_code", "zzz"), 404, "service_code"},
		{"service of another key", good("service_code", "010101"), 403, "api_key"}, {"no service", good("service_code", ""), 400, "service_code"},
		{"half a place", good("long", ""), 400, "lat"}, {"no number", good("lat", "north"), 400, "lat"}, {"off the globe", good("lat", "91"), 400, "lat"},
		{"not a number at all", good("lat", "NaN"), 400, "lat"}, {"unknown datum", good("datum", "bd09"), 400, "datum"}, {"script as picture", good("media_url", "javascript:alert(1)"), 400, "media_url"},
		{"too long", good("description", strings.Repeat("长", 4001)), 400, "description"}, {"other jurisdiction", good("jurisdiction_id", "sfgov.org"), 404, "jurisdiction_id"},
		{"broken text", good("description", "a\xffb"), 400, "description"}, {"broken name", good("attribute[\xff]", "x"), 400, "attribute"},
		{"nothing said", good("description", ""), 400, "description"},
	} {
		status, text := d.post("/open311/v2/requests.xml", c.form)
		if e := readXML[readErrors](t, text); status != c.want || !strings.Contains(e.Items[0].Description, c.say) {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
	if n := f.desk.count(); n != 1 {
		t.Errorf("%d tickets after refused reports", n)
	}

	// What the public reads: fixed words, a place to a hundred metres, no person. What the partner reads: what it sent.
	status, text = d.get("/open311/v2/requests.xml?service_code=050203,010101&status=open")
	pub := readXML[readRequests](t, text)
	if status != 200 || len(pub.Items) != 1 || pub.Items[0].Description != "收到一件“市政设施损坏”类诉求" || pub.Items[0].Lat != "39.908" || pub.Items[0].Address != "" || pub.Items[0].Notes != "已受理，正在核实" {
		t.Errorf("%d %s", status, text)
	}
	for _, secret := range []string{"新华西街", "王", "13800138000", "wang@", "39.9080"} {
		if strings.Contains(text, secret) {
			t.Errorf("the public reads %s in %s", secret, text)
		}
	}
	if ex := readXML[readRequests](t, exampleRequests); ex.Items[0].ID != "638344" || ex.Items[0].Lat == "" || ex.Items[0].Updated == "" {
		t.Errorf("the example of the standard: %+v", ex)
	}
	_, text = d.get("/open311/v2/requests/GD20261122-000001.xml?api_key=" + key)
	if own := readXML[readRequests](t, text); own.Items[0].Description != "新华西街 18 号门前路灯不亮" || own.Items[0].Address != "新华西街 18 号" || !strings.HasPrefix(own.Items[0].Lat, "39.9080") {
		t.Errorf("the partner's own: %s", text)
	}
	publish := intake.Publish{Number: "GD20261122-000001", Text: "新华西街路灯报修，13800138000", Key: "k"}
	for range 2 {
		if err := f.Publish(ctx, operator, publish); err != nil {
			t.Fatal(err)
		}
	}
	publish.Key, publish.Text = "", "另一人的说明"
	if err := f.Publish(ctx, operator, publish); !errors.Is(err, intake.ErrStale) {
		t.Errorf("over a text that was not seen: %v", err)
	}
	if w, err := f.Words(ctx, operator, publish.Number); err != nil || !w.Public || !strings.Contains(w.Shown, "新华西街路灯报修") || w.Text != w.Shown || w.Service != "市政设施损坏" {
		t.Errorf("words %+v, %v", w, err)
	}
	if _, text = d.get("/open311/v2/requests/GD20261122-000001.json"); !strings.Contains(text, "新华西街路灯报修") || strings.Contains(text, "13800138000") {
		t.Errorf("published: %s", text)
	}
	// The ticket goes on, and its public side with it.
	follow := func(c intake.TicketChange) {
		t.Helper()
		if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return f.Follow(ctx, tx, c) }); err != nil {
			t.Fatal(err)
		}
	}
	follow(intake.TicketChange{ID: 1, Status: "closed", UnitName: "区城管委", DueAt: start, At: start.Add(time.Hour)})
	if _, text = d.get("/open311/v2/requests.json?status=closed"); !strings.Contains(text, `"status":"closed"`) || !strings.Contains(text, `"updated_datetime":"2026-11-22T15:05:00+08:00"`) {
		t.Errorf("closed: %s", text)
	}
	if _, text = d.get("/open311/v2/requests.json?start_date=2026-09-01T00:00:00%2B08:00&end_date=2026-11-01T00:00:00Z"); strings.TrimSpace(text) != "[]" {
		t.Errorf("another time: %s", text)
	}
	// A confidential ticket is in no public list; its partner goes on asking.
	for _, secret := range []bool{true, false} {
		follow(intake.TicketChange{ID: 1, Status: "closed", DueAt: start, At: start.Add(time.Hour), Secret: &secret})
		status, text = d.get("/open311/v2/requests/GD20261122-000001.xml")
		list := len(readXML[readRequests](t, second(d.get("/open311/v2/requests.xml"))).Items)
		if (status == 404) != secret || (list == 0) != secret {
			t.Errorf("confidential %t: %d %s, %d in the list", secret, status, text, list)
		}
		if status, text = d.get("/open311/v2/requests/GD20261122-000001.xml?api_key=" + key); status != 200 {
			t.Errorf("its partner: %d %s", status, text)
		}
	}
	must(f.SetService(ctx, operator, intake.SetService{Code: "050203", Offered: true}))(t)
	if status, text = d.get("/open311/v2/requests/GD20261122-000001.xml"); status != 404 {
		t.Errorf("no longer published: %d %s", status, text)
	}
}

func second(_ int, text string) string { return text }

func TestOpen311Multipart(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	d := mustDoor(t, f)
	key := f.offer(t, intake.IssueKey{})
	send := func(names ...string) (int, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.WriteField("api_key", key)
		_ = w.WriteField("service_code", "050203")
		for _, n := range names {
			part, err := w.CreateFormFile("media", n)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = part.Write([]byte("picture " + n))
		}
		_ = w.Close()
		req := httptest.NewRequest("POST", "/open311/v2/requests.json", &b)
		req.Header.Set("Content-Type", w.FormDataContentType())
		return d.send(req)
	}
	if status, text := send("a.jpg", "b.jpg"); status != 200 || len(f.desk.opens) != 1 || len(f.desk.opens[0].FileIDs) != 2 {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := send("virus.jpg"); status != 400 || !strings.Contains(text, "病毒") || f.desk.count() != 1 {
		t.Errorf("%d %s", status, text)
	}
	for name, body := range map[string]string{"multipart/form-data; boundary=x": "--x\r\nbroken", "application/json": "{}", "": "", "multipart/form-data": ""} {
		req := httptest.NewRequest("POST", "/open311/v2/requests.json", strings.NewReader(body))
		req.Header.Set("Content-Type", name)
		if status, text := d.send(req); status != 400 || !strings.HasPrefix(text, `[{"code":400`) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

// TestOpen311Keys: the same mark is one ticket however often and at once it comes; a partner whose requests are looked at
// first gets a token; limits and revoking hold.
func TestOpen311Keys(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	d := mustDoor(t, f)
	key := f.offer(t, intake.IssueKey{PerMinute: 30})
	form := url.Values{"api_key": {key}, "service_code": {"050203"}, "description": {"井盖松动"}}
	var wg sync.WaitGroup
	answers := make([]string, 6)
	for i := range answers {
		wg.Go(func() { _, answers[i] = d.post("/open311/v2/requests.json", form, "Idempotency-Key", "case-1") })
	}
	wg.Wait()
	for _, a := range answers {
		if a != answers[0] || !strings.Contains(a, "GD20261122-") {
			t.Errorf("%s and %s", a, answers[0])
		}
	}
	if n := f.desk.count(); n != 1 {
		t.Errorf("%d tickets of one report", n)
	}
	form.Set("description", "另一件事")
	if status, text := d.post("/open311/v2/requests.json", form, "Idempotency-Key", "case-1"); status != 400 {
		t.Errorf("the mark again with other words: %d %s", status, text)
	}
	watched := must(f.Issue(ctx, operator, intake.IssueKey{Key: "k", Partner: "新接入的单位", Review: true}))(t)
	if again := must(f.Issue(ctx, operator, intake.IssueKey{Key: "k", Partner: "新接入的单位", Review: true}))(t); again.ID != watched.ID || again.Plain != "" {
		t.Errorf("issued twice: %+v", again)
	}
	_, text := d.post("/open311/v2/requests.xml", url.Values{"api_key": {watched.Plain}, "service_code": {"050203"}, "description": {"护栏损坏"}, "phone": {"13900139000"}})
	token := readXML[readRequests](t, text).Items[0].Token
	if token == "" || readXML[readRequests](t, text).Items[0].ID != "" {
		t.Fatalf("no token: %s", text)
	}
	items, _, err := f.Inbox(ctx, agent, "", "", 0)
	if err != nil || len(items) != 1 {
		t.Fatalf("%+v %v", items, err)
	}
	m := must(f.Message(ctx, agent, items[0].ID))(t)
	if m.Phone != "13900139000" || m.Type != "050203" || !strings.Contains(m.Body, "护栏损坏") {
		t.Errorf("%+v", m)
	}
	if _, text = d.get("/open311/v2/tokens/" + token + ".json"); !strings.Contains(text, `"service_request_id":""`) {
		t.Errorf("before: %s", text)
	}
	must(f.Make(ctx, agent, intake.MakeTicket{ID: m.ID, Version: m.Version, Type: m.Type, Title: m.Subject, Body: m.Body, ContactName: "李", Phone: m.Phone}))(t)
	if _, text = d.get("/open311/v2/tokens/" + token + ".json"); !strings.Contains(text, `"service_request_id":"GD2026`) {
		t.Errorf("after: %s", text)
	}
	if _, err := f.RevokeKey(ctx, operator, watched.ID); err != nil {
		t.Fatal(err)
	}
	if status, _ := d.post("/open311/v2/requests.json", url.Values{"api_key": {watched.Plain}, "service_code": {"050203"}, "description": {"再来"}}); status != 403 {
		t.Errorf("a revoked key: %d", status)
	}
	refused := 0
	for i := range 30 {
		if status, _ := d.post("/open311/v2/requests.json", url.Values{"api_key": {key}, "service_code": {"050203"}, "description": {fmt.Sprint("第", i)}}); status == 429 {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no limit")
	}
	f.clock.Advance(time.Minute)
	if status, text := d.post("/open311/v2/requests.json", url.Values{"api_key": {key}, "service_code": {"050203"}, "description": {"下一分钟"}}); status != 200 {
		t.Errorf("the next minute: %d %s", status, text)
	}
	for _, who := range []access.Actor{agent, owner, {}} {
		if _, err := f.Keys(ctx, who); err == nil {
			t.Errorf("%s reads the keys", who.Name)
		}
	}
}

func TestDatum(t *testing.T) {
	t.Parallel()
	// Tiananmen, the often quoted pair; and back again.
	lat, long := intake.ToGCJ02(39.907333, 116.391083)
	if d := max(lat-39.908736, 39.908736-lat, long-116.397323, 116.397323-long); d > 2e-5 {
		t.Errorf("%f, %f", lat, long)
	}
	for _, p := range [][2]float64{{39.9, 116.66}, {22.54, 114.06}, {30.25, 120.17}, {-33.86, 151.2}, {37.76, -122.46}} {
		g, h := intake.ToGCJ02(p[0], p[1])
		if a, b := intake.ToWGS84(g, h); max(a-p[0], p[0]-a, b-p[1], p[1]-b) > 1e-7 {
			t.Errorf("%v comes back as %f, %f", p, a, b)
		}
	}
}
