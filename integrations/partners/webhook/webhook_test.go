package webhook_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/huiqi/huiqi/integrations/partners/webhook"
	"github.com/huiqi/huiqi/integrations/sandbox"
)

const secret = "whsec_c2FuZGJveC1wYXJ0bmVyLXNlY3JldC0wMDAx"

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func mustEvent(t *testing.T, id string, sequence int64) webhook.Delivery {
	t.Helper()
	body, err := webhook.Envelope{
		ID: id, Source: "/huiqi/tickets", Type: "cn.huiqi.ticket.closed", Subject: "GD20261122-000001",
		Time: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC), Sequence: sequence, Data: map[string]string{"state": "已办结"},
	}.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return webhook.Delivery{ID: id, Timestamp: time.Now(), Body: body}
}

func serve(t *testing.T, h http.HandlerFunc) webhook.Endpoint {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return webhook.Endpoint{URL: s.URL + "/events", Secret: secret, AllowCIDRs: loopback}
}

func mustFail(t *testing.T, what string, err error) *webhook.Failure {
	t.Helper()
	var f *webhook.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%s: got %v, want a failure", what, err)
	}
	return f
}

func TestPushToPartner(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Secrets: sandbox.Secrets{PartnerSecret: secret}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(box.Handler())
	t.Cleanup(func() { web.Close(); _ = box.Close() })
	e := webhook.Endpoint{URL: web.URL + "/sandbox/partner/city/events", Secret: secret, AllowCIDRs: loopback}
	c := &webhook.Client{}
	d := mustEvent(t, "evt-1", 1)
	first, err := c.Push(t.Context(), e, d)
	if err != nil || first.PartnerID == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := c.Push(t.Context(), e, d)
	if err != nil || again.PartnerID != first.PartnerID {
		t.Errorf("repeat: %+v, %v", again, err)
	}
	bad := e
	bad.Secret = "whsec_d3Jvbmctc2VjcmV0LXdyb25nLXNlY3JldC0wMQ=="
	_, err = c.Push(t.Context(), bad, d)
	if f := mustFail(t, "wrong secret", err); f.Status != 401 || f.Retryable {
		t.Errorf("wrong secret: %+v", f)
	}
	old := d
	old.Timestamp = time.Now().Add(-time.Hour)
	_, err = c.Push(t.Context(), e, old)
	if f := mustFail(t, "old", err); f.Status != 401 {
		t.Errorf("an hour old: %+v", f)
	}
	for _, tc := range []struct {
		mode      sandbox.Mode
		retryable bool
	}{{sandbox.Fail, true}, {sandbox.Refuse, false}, {sandbox.Reset, true}, {sandbox.Lost, true}} {
		if err := box.SetFault(t.Context(), sandbox.Fault{Target: "partner", Mode: tc.mode, Count: 1}); err != nil {
			t.Fatal(err)
		}
		_, err := c.Push(t.Context(), e, mustEvent(t, "evt-"+string(tc.mode), 2))
		if f := mustFail(t, string(tc.mode), err); f.Retryable != tc.retryable {
			t.Errorf("%s: %+v", tc.mode, f)
		}
	}
	res, err := http.Get(web.URL + "/sandbox/api/partner/deliveries?partner=city")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list struct{ Items []sandbox.Attempt }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	var statuses []int
	for _, a := range list.Items {
		statuses = append(statuses, a.Status)
	}
	// Every attempt is there: two taken, two with a bad signature, and the faults; the last was taken and its answer lost.
	want := []int{200, 200, 401, 401, 500, 422, 0, 200}
	if len(statuses) != len(want) {
		t.Fatalf("statuses %v", statuses)
	}
	for i := range want {
		if statuses[i] != want[i] {
			t.Errorf("statuses %v, want %v", statuses, want)
			break
		}
	}
	if !list.Items[1].Repeat || list.Items[1].BodySHA256 != list.Items[0].BodySHA256 || list.Items[2].SignatureOK || list.Items[0].Sequence != "1" {
		t.Errorf("%+v", list.Items[:3])
	}
}

func TestSignatureIsStandard(t *testing.T) {
	t.Parallel()
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	e := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verifier.Verify(body, r.Header); err != nil || r.Header.Get("Content-Type") != "application/cloudevents+json" {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"receiptId":"abc"}`)
	})
	receipt, err := (&webhook.Client{}).Push(t.Context(), e, mustEvent(t, "evt-1", 1))
	if err != nil || receipt.PartnerID != "abc" || receipt.Status != 200 {
		t.Errorf("%+v, %v", receipt, err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		status    int
		after     string
		retryable bool
		wait      time.Duration
	}{
		{"too many", 429, "120", true, 2 * time.Minute},
		{"down until a date", 503, time.Now().UTC().Add(time.Hour).Format(http.TimeFormat), true, time.Hour},
		{"for ever", 503, "999999999", true, 24 * time.Hour},
		{"negative", 503, "-5", true, 0},
		{"broken", 500, "", true, 0},
		{"gone", 410, "10", false, 0},
		{"bad", 400, "", false, 0},
	} {
		e := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if tc.after != "" {
				w.Header().Set("Retry-After", tc.after)
			}
			w.WriteHeader(tc.status)
		})
		_, err := (&webhook.Client{}).Push(t.Context(), e, mustEvent(t, "e", 1))
		f := mustFail(t, tc.name, err)
		if f.Retryable != tc.retryable || f.Status != tc.status || f.RetryAfter > tc.wait || f.RetryAfter < tc.wait-time.Minute {
			t.Errorf("%s: %+v", tc.name, f)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	followed := make(chan struct{}, 1)
	inner := serve(t, func(http.ResponseWriter, *http.Request) { followed <- struct{}{} })
	e := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner.URL, http.StatusFound) })
	_, err := (&webhook.Client{}).Push(t.Context(), e, mustEvent(t, "e", 1))
	if f := mustFail(t, "redirect", err); f.Retryable || f.Status != 302 {
		t.Errorf("%+v", f)
	}
	if len(followed) != 0 {
		t.Error("the redirect was followed")
	}
}

func TestLargeAndOddAnswers(t *testing.T) {
	t.Parallel()
	c := &webhook.Client{Timeout: time.Second}
	big := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 160 {
			if _, err := w.Write([]byte(strings.Repeat("大", 1<<14))); err != nil {
				return
			}
		}
	})
	receipt, err := c.Push(t.Context(), big, mustEvent(t, "e", 1))
	if err != nil || len(receipt.Body) > 1<<10+3 || !strings.HasPrefix(receipt.Body, "大大") {
		t.Errorf("10 MB: %d bytes kept, %v", len(receipt.Body), err)
	}
	bomb := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(make([]byte, 1<<20))
		_ = z.Close()
	})
	if receipt, err = c.Push(t.Context(), bomb, mustEvent(t, "e", 1)); err != nil || len(receipt.Body) > 3<<10 {
		t.Errorf("gzip bomb: %d bytes kept, %v", len(receipt.Body), err)
	}
	garbage := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>\x00\x07\xff")) })
	if receipt, err = c.Push(t.Context(), garbage, mustEvent(t, "e", 1)); err != nil || receipt.Body != "<html>�" || receipt.PartnerID != "" {
		t.Errorf("garbage: %q, %v", receipt.Body, err)
	}
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
	})
	_, err = c.Push(t.Context(), silent, mustEvent(t, "e", 1))
	if f := mustFail(t, "black hole", err); !f.Retryable || !errors.Is(f, context.DeadlineExceeded) {
		t.Errorf("black hole: %+v", f)
	}
}

func TestAddressesRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
		"https://0.0.0.0/", "https://169.254.169.254/latest", "https://100.64.0.1/", "https://[fd00::1]/", "https://10.0.0.1/", "https://192.168.1.1/",
		"https://172.16.0.1/", "https://[fe80::1]/", "https://[64:ff9b::7f00:1]/", "https://user:pw@partner.example/", "https://partner.example:22/",
		"https://partner.example:6379/", "file:///etc/passwd", "gopher://partner.example/", "http://partner.example/", "https:///x", "https://224.0.0.1/",
		"https://localhost/", "://", "https://0177.0.0.1/",
	} {
		e := webhook.Endpoint{URL: address, Secret: secret}
		_, err := (&webhook.Client{Timeout: 2 * time.Second}).Push(t.Context(), e, mustEvent(t, "e", 1))
		if f := mustFail(t, address, err); !errors.Is(f, webhook.ErrBlocked) || f.Retryable {
			t.Errorf("%s: %+v", address, f)
		}
	}
}

// TestNameThatLeadsInside uses a name that every resolver here turns into loopback: it passes the form and fails at dial time.
func TestNameThatLeadsInside(t *testing.T) {
	t.Parallel()
	if addrs, err := net.LookupHost("localhost"); err != nil || len(addrs) == 0 {
		t.Fatalf("localhost does not resolve: %v", err)
	}
	reached := make(chan struct{}, 8)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	t.Cleanup(s.Close)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	other := []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}
	_, err := (&webhook.Client{}).Push(t.Context(), webhook.Endpoint{URL: "http://localhost" + port, Secret: secret, AllowCIDRs: other}, mustEvent(t, "e", 1))
	if f := mustFail(t, "outside the list", err); !errors.Is(f, webhook.ErrBlocked) || f.Retryable {
		t.Errorf("%+v", f)
	}
	if len(reached) != 0 {
		t.Error("the connection was made")
	}
	for name, e := range map[string]webhook.Endpoint{
		"network": {URL: "http://localhost" + port, Secret: secret, AllowCIDRs: append(loopback, netip.MustParsePrefix("::1/128"))},
		"host":    {URL: "http://localhost" + port, Secret: secret, AllowHosts: []string{"localhost" + port}},
	} {
		if _, err := (&webhook.Client{}).Push(t.Context(), e, mustEvent(t, "e", 1)); err != nil {
			t.Errorf("listed %s: %v", name, err)
		}
	}
}

func TestEnvelopeIsStable(t *testing.T) {
	t.Parallel()
	want := `{"specversion":"1.0","id":"evt-1","source":"/huiqi/tickets","type":"cn.huiqi.ticket.closed","subject":"GD20261122-000001","time":"2026-11-22T06:00:00Z","sequence":"7","sequencetype":"Integer","datacontenttype":"application/json","data":{"state":"已办结"}}`
	if got := string(mustEvent(t, "evt-1", 7).Body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := (webhook.Envelope{ID: "x"}).JSON(); err == nil {
		t.Error("an envelope without source and type was made")
	}
}

// TestCauses meets each way in which an answer does not come.
func TestCauses(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	cutting := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	badSecret := cutting
	badSecret.Secret = ""
	for want, e := range map[webhook.Cause]webhook.Endpoint{
		webhook.Refused:       {URL: gone.URL, Secret: secret, AllowCIDRs: loopback},
		webhook.Cut:           cutting,
		webhook.TimedOut:      slow,
		webhook.Untrusted:     {URL: untrusted.URL, Secret: secret, AllowCIDRs: loopback},
		webhook.Unresolved:    {URL: "https://name.invalid/", Secret: secret},
		webhook.Blocked:       {URL: "https://10.0.0.1/", Secret: secret},
		webhook.Misconfigured: badSecret,
		webhook.Answered:      serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }),
	} {
		c := &webhook.Client{Timeout: 5 * time.Second}
		if want == webhook.TimedOut {
			c.Timeout = 200 * time.Millisecond
		}
		_, err := c.Push(t.Context(), e, mustEvent(t, "e", 1))
		if f := mustFail(t, string(want), err); f.Cause != want {
			t.Errorf("want %s: %+v", want, f)
		}
	}
}

func TestWhyAnAddressIsRefused(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]webhook.Why{
		"ftp://partner.example/": webhook.OtherScheme, "https://u:p@partner.example/": webhook.HasPassword, "https:///x": webhook.NoHost,
		"http://partner.example/": webhook.PlainHTTP, "https://127.1/": webhook.OddAddress, "https://192.168.1.1/": webhook.NotPublic,
		"https://partner.example:22/": webhook.OtherPort, "://": webhook.Unreadable,
	} {
		var a *webhook.AddressError
		err := webhook.CheckURL(webhook.Endpoint{URL: address})
		if !errors.As(err, &a) || a.Why != want || !errors.Is(err, webhook.ErrBlocked) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
	if err := webhook.CheckURL(webhook.Endpoint{URL: "http://10.20.3.4:9000/", AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}}); err != nil {
		t.Errorf("a listed network: %v", err)
	}
}
