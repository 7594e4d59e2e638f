package tracing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestOffCostsNothing(t *testing.T) {
	ctx := t.Context()
	allocs := testing.AllocsPerRun(100, func() {
		_, s := Request(ctx, "GET", "")
		s.Answered("GET", "/", 200, "")
		_, s = Part(ctx, "SELECT")
		s.End(nil)
	})
	if allocs != 0 || On() {
		t.Errorf("%v allocations, on: %t", allocs, On())
	}
}

// A trace that a proxy began goes on through us to the next program, and a collector that is away delays nobody.
func TestTraceGoesOn(t *testing.T) {
	var log bytes.Buffer
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	end, err := Begin(t.Context(), Options{Endpoint: gone.URL, Share: 0, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	var told string
	next := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told = r.Header.Get("traceparent") }))
	defer next.Close()

	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	ctx, span := Request(t.Context(), "GET", "00-"+trace+"-00f067aa0ba902b7-01")
	if span.ID() != trace {
		t.Errorf("the trace is %q", span.ID())
	}
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, next.URL, nil)
	res, err := Transport(http.DefaultTransport).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if !strings.HasPrefix(told, "00-"+trace+"-") || !strings.HasSuffix(told, "-01") || strings.Contains(told, "00f067aa0ba902b7") {
		t.Errorf("told %q", told)
	}
	span.Answered("GET", "/", 200, "0123456789abcdef")

	// A trace that begins here is not among the share of none.
	if _, span := Request(t.Context(), "GET", ""); span.ID() != "" {
		t.Errorf("gathered %q", span.ID())
	}
	done := make(chan struct{})
	go func() { end(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the end waits for a collector that is away")
	}
	if On() {
		t.Error("still on")
	}
}

func TestErrorsAreNamedByKind(t *testing.T) {
	if got := kindOf(context.DeadlineExceeded); got == "" || strings.Contains(got, "deadline exceeded") {
		t.Errorf("%q", got)
	}
	if got := kindOf(errors.New("张三 13800000000")); strings.Contains(got, "张三") {
		t.Errorf("%q", got)
	}
}
