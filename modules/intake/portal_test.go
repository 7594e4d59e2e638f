package intake_test

import (
	"context"
	"html"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// forms has a form for one service.
type forms map[string][]intake.Field

func (f forms) Fields(_ context.Context, code string) ([]intake.Field, error) { return f[code], nil }

var (
	samples = regexp.MustCompile(`(?s)<pre class="sample"[^>]*><code>(.*?)</code></pre>`)
	given   = regexp.MustCompile(`--data-urlencode '([^=]+)=([^']*)'`)
	inside  = regexp.MustCompile(`<([a-z0-9_]+)>`)
)

// names are the elements of an answer in their order.
func names(asXML string) (list []string) {
	for _, m := range inside.FindAllStringSubmatch(asXML, -1) {
		list = append(list, m[1])
	}
	return list
}

// TestThePageForPartners reads the page as somebody who connects a system: every address on it answers, and the report it
// shows is taken when it is sent with a key, with the answers that it shows.
func TestThePageForPartners(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.Fields = forms{"050203": {{Code: "kind", Label: "设施", Kind: "singlevaluelist", Required: true, Values: []intake.Choice{{Key: "lamp", Name: "路灯"}, {Key: "lid", Name: "井盖"}}},
		{Code: "since", Label: "发现日期", Kind: "datetime", Required: true}, {Code: "count", Label: "数量", Kind: "number", Required: true}, {Code: "pole", Label: "灯杆编号", Kind: "string"}}}
	srv, err := web.New(web.Options{Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), RequestsPerMinute: 1_000_000,
		Authenticate: func(context.Context, string) (access.Actor, error) { return access.Actor{Party: access.Anonymous}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台", Contact: "010-12345678"}, Links: page.Links{Ask: "/tickets/new"}, Clock: clock.NewFake(start)})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Pages(srv, &web.Pages{Renderer: renderer}); err != nil {
		t.Fatal(err)
	}
	f.Routes(srv)
	d := door{t, srv}
	read := func() string {
		t.Helper()
		req := httptest.NewRequest("GET", "/open311", nil)
		req.Header.Set("Accept", "text/html")
		status, text := d.send(req)
		if status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		return text
	}
	if text := read(); !strings.Contains(text, "目前没有开放的事项") || samples.MatchString(text) {
		t.Errorf("nothing is offered: %s", text)
	}

	key := f.offer(t, intake.IssueKey{Services: []string{"050203"}})
	must(f.SetService(ctx, operator, intake.SetService{Code: "010101"}))(t)
	text := read()
	for _, want := range []string{"市政设施损坏", "设施（必填）", "灯杆编号", "010-12345678", `href="/tickets/new"`, "每分钟 60 次、每天 2000 次", "tz.example.gov.cn"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	shown := samples.FindAllStringSubmatch(text, -1)
	if len(shown) != 5 {
		t.Fatalf("%d samples", len(shown))
	}
	sample := func(i int) string { return html.UnescapeString(shown[i][1]) }
	form := url.Values{}
	for _, m := range given.FindAllStringSubmatch(sample(0), -1) {
		form.Add(m[1], m[2])
	}
	if form.Get("attribute[kind]") != "lamp" || form.Has("attribute[pole]") {
		t.Errorf("what the form needs and no more: %v", form)
	}
	form.Set("api_key", key)
	status, took := d.post("/open311/v2/requests.xml", form)
	if status != 200 || !slices.Equal(names(took), names(sample(1))) {
		t.Errorf("%d %s\nis not\n%s", status, took, sample(1))
	}
	if !strings.Contains(sample(2), `"service_request_id": "GD20261122-000001"`) || !strings.Contains(took, "GD20261122-000001") {
		t.Errorf("as JSON: %s", sample(2))
	}
	ask, err := url.Parse(strings.Split(sample(3), "'")[1])
	if err != nil {
		t.Fatal(err)
	}
	q := ask.Query()
	q.Set("api_key", key)
	status, state := d.get(ask.Path + "?" + q.Encode())
	if status != 200 || !slices.Equal(names(state), names(sample(4))) || !strings.Contains(state, "GD20261122-000001") {
		t.Errorf("%d %s\nis not\n%s", status, state, sample(4))
	}
	calls := regexp.MustCompile(`<td class="nowrap">(GET|POST)</td><td><code>https://tz\.example\.gov\.cn([^<]+)</code>`).FindAllStringSubmatch(text, -1)
	if len(calls) != 7 {
		t.Fatalf("%d addresses", len(calls))
	}
	for _, c := range calls {
		if c[1] == "POST" {
			continue // sent above
		}
		address := strings.NewReplacer("{service_code}", "050203", "{service_request_id}", "GD20261122-000001", "{token}", "x").Replace(c[2])
		want := 200
		if strings.Contains(c[2], "{token}") {
			want = 404 // the key's reports are tickets at once
		}
		if status, text := d.get(address); status != want || strings.Contains(text, "OPEN311_ADDRESS") {
			t.Errorf("%s: %d %s", address, status, text)
		}
	}
}
