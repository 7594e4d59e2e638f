package server

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/huiqi/huiqi/platform/tracing"
)

// Tracing is where spans of OpenTelemetry go (docs/operations/tracing.md).
type Tracing struct {
	// Endpoint is the collector's address for OTLP over HTTP, such as http://127.0.0.1:4318; empty gathers nothing.
	Endpoint string `koanf:"endpoint"`
	// Share is how many of the traces are gathered, from 0 to 1.
	Share float64 `koanf:"share"`
}

var tracingDefaults = map[string]any{"tracing.share": 0.1}

func (t Tracing) check() error {
	if t.Share < 0 || t.Share > 1 {
		return configErrorf("tracing.share：应为 0 至 1")
	}
	if u, err := url.Parse(t.Endpoint); t.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return configErrorf("tracing.endpoint：%q 不是地址，例如 http://127.0.0.1:4318", t.Endpoint)
	}
	return nil
}

// begin gathers spans where a collector is set.
func (t Tracing) begin(ctx context.Context, log *slog.Logger) (end func(), err error) {
	if t.Endpoint == "" {
		return func() {}, nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return tracing.Begin(ctx, tracing.Options{Endpoint: strings.TrimRight(t.Endpoint, "/"), Share: t.Share, Version: version,
		Instance: host + "-" + strconv.Itoa(os.Getpid()), Log: log})
}
