package sms_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/integrations/sms"
	"github.com/huiqi/huiqi/platform/clock"
)

type world struct {
	box   *sandbox.Server
	host  string
	clock *clock.Fake
}

func mustWorld(t *testing.T) world {
	t.Helper()
	fake := clock.NewFake(time.Now())
	box, err := sandbox.New(sandbox.Options{
		DataDir: t.TempDir(), Clock: fake,
		Secrets:      sandbox.Secrets{SMSKeyID: "key", SMSKeySecret: "secret"},
		SMSTemplates: map[string]string{"SMS_1": "您的验证码是 ${code}，5 分钟内有效。", "SMS_2": "${name}，您的申请${state}。"},
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(box.Handler())
	t.Cleanup(func() { web.Close(); _ = box.Close() })
	return world{box, strings.TrimPrefix(web.URL, "http://"), fake}
}

func mustClient(t *testing.T, endpoint, secret string, timeout time.Duration) *sms.Client {
	t.Helper()
	c, err := sms.New(sms.Config{AccessKeyID: "key", AccessKeySecret: secret, Endpoint: endpoint, Scheme: "http", SignName: "惠企台", Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func code(id, phone string) sms.Message {
	return sms.Message{ID: id, Phone: phone, Template: "SMS_1", Params: map[string]string{"code": "123456"}}
}

func TestSendAndQuery(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	c := mustClient(t, w.host+"/sandbox/sms", "secret", 0)
	ctx := t.Context()
	receipt, err := c.Send(ctx, code("our-1", "13800000001"))
	if err != nil || receipt.BizID == "" {
		t.Fatalf("receipt %+v, error %v", receipt, err)
	}
	for _, tc := range []struct {
		name string
		q    sms.Query
		want sms.State
	}{
		{"by our id", sms.Query{Phone: "13800000001", ID: "our-1", Date: w.clock.Now()}, sms.Delivered},
		{"by the provider's id", sms.Query{Phone: "13800000001", BizID: receipt.BizID, Date: w.clock.Now()}, sms.Delivered},
		{"another id", sms.Query{Phone: "13800000001", ID: "our-2", Date: w.clock.Now()}, sms.Unsent},
		{"another day", sms.Query{Phone: "13800000001", ID: "our-1", Date: w.clock.Now().AddDate(0, 0, -2)}, sms.Unsent},
	} {
		if got, err := c.Query(ctx, tc.q); err != nil || got != tc.want {
			t.Errorf("%s: %q, %v, want %q", tc.name, got, err, tc.want)
		}
	}
}

// TestQueryAcrossMidnight: tried just before midnight and taken just after, or the other way round by clocks that differ,
// a message is still found; otherwise it would be sent twice. The days far from it are not asked for.
func TestQueryAcrossMidnight(t *testing.T) {
	t.Parallel()
	var asked []string
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		day := r.FormValue("SendDate")
		asked = append(asked, day)
		detail := ""
		if day == "20261128" {
			detail = `{"OutId":"night","SendStatus":3}`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"Code":"OK","TotalCount":1,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[` + detail + `]}}`))
	}))
	t.Cleanup(provider.Close)
	c := mustClient(t, strings.TrimPrefix(provider.URL, "http://"), "secret", 0)
	for _, tc := range []struct {
		at   string
		want sms.State
		days []string
	}{
		{"2026-11-27 23:59:30", sms.Delivered, []string{"20261127", "20261128"}},
		{"2026-11-29 00:00:30", sms.Delivered, []string{"20261129", "20261128"}},
		{"2026-11-28 12:00:00", sms.Delivered, []string{"20261128"}},
		{"2026-11-27 12:00:00", sms.Unsent, []string{"20261127"}},
	} {
		at, err := time.ParseInLocation(time.DateTime, tc.at, clock.Beijing)
		if err != nil {
			t.Fatal(err)
		}
		asked = nil
		got, err := c.Query(t.Context(), sms.Query{Phone: "13800000020", ID: "night", Date: at})
		if err != nil || got != tc.want || !slices.Equal(asked, tc.days) {
			t.Errorf("tried %s: %q after asking %v, %v", tc.at, got, asked, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	good := mustClient(t, w.host+"/sandbox/sms", "secret", 0)
	if _, err := good.Send(t.Context(), code("first", "13800000002")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name      string
		secret    string
		message   sms.Message
		code      string
		permanent bool
	}{
		{"wrong secret", "other", code("a", "13800000003"), "SignatureDoesNotMatch", true},
		{"bad number", "secret", code("b", "12345"), "isv.MOBILE_NUMBER_ILLEGAL", true},
		{"unknown template", "secret", sms.Message{ID: "c", Phone: "13800000003", Template: "SMS_9"}, "isv.SMS_TEMPLATE_ILLEGAL", true},
		{"missing parameter", "secret", sms.Message{ID: "d", Phone: "13800000003", Template: "SMS_2"}, "isv.TEMPLATE_MISSING_PARAMETERS", true},
		{"second code within a minute", "secret", code("e", "13800000002"), "isv.BUSINESS_LIMIT_CONTROL", false},
	} {
		_, err := mustClient(t, w.host+"/sandbox/sms", tc.secret, 0).Send(t.Context(), tc.message)
		var refused *sms.Refused
		if !errors.As(err, &refused) || refused.Code != tc.code || refused.Permanent != tc.permanent {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.code)
		}
		if err != nil && strings.Contains(err.Error(), tc.message.Phone) {
			t.Errorf("%s: the error shows the number: %v", tc.name, err)
		}
	}
	w.clock.Advance(61 * time.Second)
	if _, err := good.Send(t.Context(), code("later", "13800000002")); err != nil {
		t.Errorf("after a minute: %v", err)
	}
}

func TestUnknownIsSettledByQuery(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode  sandbox.Mode
		delay int
		after sms.State
	}{
		{sandbox.Lost, 0, sms.Delivered},
		{sandbox.Reset, 0, sms.Unsent},
		{sandbox.Garbage, 0, sms.Unsent},
		{sandbox.Fail, 0, sms.Unsent},
		{sandbox.Slow, 5000, sms.Unsent},
	} {
		t.Run(string(tc.mode), func(t *testing.T) {
			t.Parallel()
			w := mustWorld(t)
			c := mustClient(t, w.host+"/sandbox/sms", "secret", 3*time.Second)
			if err := w.box.SetFault(t.Context(), sandbox.Fault{Target: "sms", Mode: tc.mode, Count: 1, DelayMS: tc.delay}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Send(t.Context(), code("x", "13800000004")); !errors.Is(err, sms.ErrUnknown) {
				t.Fatalf("got %v, want unknown", err)
			}
			state, err := c.Query(t.Context(), sms.Query{Phone: "13800000004", ID: "x", Date: w.clock.Now()})
			if err != nil || state != tc.after {
				t.Errorf("query: %q, %v, want %q", state, err, tc.after)
			}
		})
	}
}

func TestNothingSentWhenNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, err = mustClient(t, address, "secret", 0).Send(t.Context(), code("x", "13800000005"))
	if !errors.Is(err, sms.ErrNotSent) || errors.Is(err, sms.ErrUnknown) {
		t.Errorf("got %v, want not sent", err)
	}
	if strings.Contains(err.Error(), "13800000005") || strings.Contains(err.Error(), "Signature") {
		t.Errorf("the error shows the request: %v", err)
	}
}

func TestCancelledContextSendsNothing(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mustClient(t, w.host+"/sandbox/sms", "secret", 0).Send(ctx, code("x", "13800000006")); !errors.Is(err, sms.ErrNotSent) {
		t.Errorf("got %v, want not sent", err)
	}
}
