package server

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collected is a collector that keeps the spans it is sent.
type collected struct {
	mu    sync.Mutex
	spans []*trace.Span
	all   strings.Builder // everything as text
}

func (c *collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	var req collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(b, &req) != nil {
		http.Error(w, "not spans", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.WriteString(req.String())
	for _, res := range req.ResourceSpans {
		for _, s := range res.ScopeSpans {
			c.spans = append(c.spans, s.Spans...)
		}
	}
}

// find waits for a span of the name whose attribute begins with the value.
func (c *collected) find(t *testing.T, name, attribute, value string) *trace.Span {
	t.Helper()
	for range 400 {
		c.mu.Lock()
		for _, s := range c.spans {
			if s.Name == name && (strings.HasPrefix(valueOf(s, attribute), value)) {
				c.mu.Unlock()
				return s
			}
		}
		c.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no span %q with %s = %q… came", name, attribute, value)
	return nil
}

// below returns the spans of a parent.
func (c *collected) below(parent *trace.Span) (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if string(s.ParentSpanId) == string(parent.SpanId) && string(s.TraceId) == string(parent.TraceId) {
			names = append(names, s.Name)
		}
	}
	return names
}

func valueOf(s *trace.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// A request, what it asks of the database, a job and what the job sends outside come to the collector as spans of their
// traces, and nothing that anybody typed with them.
func TestTraces(t *testing.T) {
	t.Parallel()
	c := &collected{}
	at := httptest.NewServer(c)
	defer at.Close()
	k := startKilled(t, "HUIQI_TRACING__ENDPOINT="+at.URL, "HUIQI_TRACING__SHARE=1")
	const phone = "19900000001"
	defer func() { k.stop() }()
	agent := k.person("2")
	agent.signIn("agent", phone)
	if status, _ := agent.call("GET", "/api/tickets?q=面粉很贵的&limit=5", "", nil, nil); status != 200 {
		t.Fatalf("list: %d", status)
	}
	list := c.find(t, "GET /api/tickets", "", "")
	if len(valueOf(list, "huiqi.request_id")) != 16 || len(list.ParentSpanId) != 0 || list.Kind != trace.Span_SPAN_KIND_SERVER {
		t.Errorf("the request's span is %v", list)
	}
	c.find(t, "SELECT", "db.query.text", "SELECT s.id, s.pending")
	if below := c.below(list); len(below) < 3 {
		t.Errorf("below the list are %v", below)
	}
	sign := c.find(t, "POST /api/sessions/second-factor", "", "")
	if below := strings.Join(c.below(sign), " "); !strings.Contains(below, "transaction") {
		t.Errorf("below the sign-in are %s", below)
	}
	// The code's text message went out from a job.
	sent := c.find(t, "POST", "server.address", "127.0.0.1")
	var job *trace.Span
	for range 200 {
		c.mu.Lock()
		for _, s := range c.spans {
			if string(s.TraceId) == string(sent.TraceId) && strings.HasPrefix(s.Name, "job ") {
				job = s
			}
		}
		c.mu.Unlock()
		if job != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if job == nil {
		t.Fatalf("trace %s has no job", hex.EncodeToString(sent.TraceId))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range []string{phone, "面粉", demoPassword} {
		if strings.Contains(c.all.String(), secret) {
			t.Errorf("%q left with a span", secret)
		}
	}
}
