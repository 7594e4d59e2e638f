// Package tracing tells a collector, in the terms of OpenTelemetry, what a request, a job or a task did and how long each part
// took. Without a collector nothing is gathered. Nothing that a person typed leaves with a span: routes stand for paths, and
// statements come without their values.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/huiqi/huiqi/platform/fault"
)

// Options are where spans go.
type Options struct {
	// Endpoint is the collector's address for OTLP over HTTP, such as http://127.0.0.1:4318.
	Endpoint string
	// Share is how many of the traces that begin here are gathered, from 0 to 1. What a proxy in front has decided holds.
	Share float64
	// Instance tells this process from others of the same kind, and Version which program it runs.
	Instance, Version string
	Log               *slog.Logger
}

// tracer is nil while nothing is gathered.
var tracer atomic.Pointer[trace.Tracer]

// w3c is how traces are named between programs, https://www.w3.org/TR/trace-context/.
var w3c = propagation.TraceContext{}

// Begin gathers spans from now on; end sends what is left, for five seconds at most, and ends it. A collector that does not answer
// loses spans and delays nobody. Headers for it come from OTEL_EXPORTER_OTLP_HEADERS.
func Begin(ctx context.Context, o Options) (end func(), err error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.Endpoint+"/v1/traces"))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	what := resource.NewSchemaless(attribute.String("service.name", "huiqi"), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.Instance))
	p := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(what), sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(o.Share))))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { o.Log.Warn("spans are lost", "error", err) }))
	t := p.Tracer("github.com/huiqi/huiqi")
	tracer.Store(&t)
	return func() {
		tracer.CompareAndSwap(&t, nil)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
			o.Log.Warn("spans are lost", "error", err)
		}
	}, nil
}

// On reports whether anything is gathered.
func On() bool { return tracer.Load() != nil }

// Span is a stretch of work; the zero Span is one that is not gathered.
type Span struct{ span trace.Span }

// Request begins the span of a request. parent is its header traceparent, where who sent it is believed, or "".
func Request(ctx context.Context, method, parent string) (context.Context, Span) {
	t := tracer.Load()
	if t == nil {
		return ctx, Span{}
	}
	if parent != "" {
		ctx = w3c.Extract(ctx, propagation.MapCarrier{"traceparent": parent})
	}
	ctx, s := (*t).Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.request.method", method)))
	return ctx, Span{s}
}

// Answered ends the span of a request with the route that it took and how it was answered. id is what the person is told.
func (s Span) Answered(method, route string, status int, id string) {
	if s.span == nil {
		return
	}
	s.span.SetName(method + " " + route)
	s.span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", status), attribute.String("huiqi.request_id", id))
	if status >= http.StatusInternalServerError {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// ID is the trace's id in hexadecimal, for the log; "" when the span is not gathered.
func (s Span) ID() string {
	if s.span == nil || !s.span.SpanContext().IsSampled() {
		return ""
	}
	return s.span.SpanContext().TraceID().String()
}

// Work begins the span of something that begins by itself, such as a job.
func Work(ctx context.Context, name string) (context.Context, Span) {
	t := tracer.Load()
	if t == nil {
		return ctx, Span{}
	}
	ctx, s := (*t).Start(ctx, name, trace.WithSpanKind(trace.SpanKindConsumer))
	return ctx, Span{s}
}

// Part begins the span of a part of what ctx belongs to; alone it is not gathered.
func Part(ctx context.Context, name string, about ...string) (context.Context, Span) {
	t := tracer.Load()
	if t == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, Span{}
	}
	attrs := make([]attribute.KeyValue, 0, len(about)/2)
	for i := 0; i+1 < len(about); i += 2 {
		attrs = append(attrs, attribute.String(about[i], about[i+1]))
	}
	ctx, s := (*t).Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	return ctx, Span{s}
}

// End ends the span. Of an error its kind is told: what it says may hold what a person typed.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.SetAttributes(attribute.String("error.type", kindOf(err)))
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

func kindOf(err error) string {
	if k := fault.KindOf(err); k != fault.Internal {
		return fmt.Sprint(k)
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return fmt.Sprintf("%T", err)
}

// Transport sends requests through next, each with its span, and tells the other side which trace it belongs to. Addresses are
// left out but for their host: they carry keys.
func Transport(next http.RoundTripper) http.RoundTripper { return transport{next} }

type transport struct{ next http.RoundTripper }

// RoundTrip sends the request.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, span := Part(req.Context(), req.Method, "http.request.method", req.Method, "server.address", req.URL.Hostname())
	if span.span == nil {
		return t.next.RoundTrip(req)
	}
	req = req.Clone(ctx)
	w3c.Inject(ctx, propagation.HeaderCarrier(req.Header))
	res, err := t.next.RoundTrip(req)
	if err == nil {
		span.span.SetAttributes(attribute.Int("http.response.status_code", res.StatusCode))
		if res.StatusCode >= http.StatusBadRequest {
			span.span.SetStatus(codes.Error, "")
		}
	}
	span.End(err)
	return res, err
}
