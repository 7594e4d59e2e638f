// Package web is the edge: Fiber with Huma for the JSON API, pages and raw callbacks beside it, and for all of them one
// way to sign in, one form of error, one set of headers and limits, and one list of who may call what.
//
// A route cannot be registered without saying who may call it. The service enforces; the declaration is checked first.
package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/tracing"
)

// bodyLimit is the largest request taken at all, files included, but by uploads that say otherwise.
const bodyLimit = 24 << 20

// RequestTime bounds what one request may take, from its first byte, or from when its connection was opened.
const RequestTime = 30 * time.Second

// Options are what the edge needs from its installation.
type Options struct {
	Log *slog.Logger
	// Authenticate turns a session token into the actor. A fault.ErrUnauthorized means a visitor.
	Authenticate func(ctx context.Context, token string) (access.Actor, error)
	// AuthenticateKey turns the key of an outside system into the actor; nil knows none. It is asked under /open/ only,
	// where no cookie counts.
	AuthenticateKey func(ctx context.Context, key string) (access.Actor, error)
	// Called is told of every answered request under /open/; nil keeps no log.
	Called func(ctx context.Context, actor access.Actor, method, path string, status int)
	// CSRFKey signs the tokens that forms carry; 32 random bytes.
	CSRFKey []byte
	// Open shows /metrics and /openapi.json to everybody; closed by default in production.
	Open bool
	// TrustedProxies are the addresses whose X-Real-IP and traceparent are believed.
	TrustedProxies []string
	// Bound ties a request to what it cannot do without: the context it returns ends with a fault as its cause when that
	// goes away. Nil ties it to nothing.
	Bound func(ctx context.Context) (context.Context, context.CancelFunc)
	// Ready answers whether the process can serve; nil error is yes.
	Ready func(ctx context.Context) error
	// ErrorPage renders a failure for a browser; nil uses a plain page.
	ErrorPage func(c *fiber.Ctx, p *Problem) error
	// RequestsPerMinute bounds one address; 0 means 1,200.
	RequestsPerMinute int
	// Take counts a request of an address for all processes together and returns how long it must wait, or false when it
	// cannot tell; nil, and then, the process counts by itself.
	Take func(ctx context.Context, address string, perMinute int) (time.Duration, bool)
	// Drain is how long a process that is to end goes on serving while /readyz already says no, for what stands before it
	// to send its requests elsewhere.
	Drain time.Duration
	// Version is shown in the interface document.
	Version string
}

// Server is the edge of one process.
type Server struct {
	App *fiber.App
	API huma.API

	opts     Options
	routes   []Route
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	limiter  *limiter
	uploads  map[string]bool // routes that read their body themselves
	traffic  tally
	draining atomic.Bool // the process is to end
}

// Route is one entry of the list of what can be called.
type Route struct {
	Method, Path string
	Rule         access.Rule
	Kind         string // operation, page, raw
}

// New makes the edge with its middleware, health and metrics in place.
func New(opts Options) (*Server, error) {
	if len(opts.CSRFKey) < 32 {
		return nil, errors.New("web: the CSRF key must have 32 bytes")
	}
	if opts.RequestsPerMinute == 0 {
		opts.RequestsPerMinute = 1200
	}
	s := &Server{opts: opts, limiter: newLimiter(opts.RequestsPerMinute), uploads: map[string]bool{}}
	s.App = fiber.New(fiber.Config{
		AppName: "huiqi", Immutable: true, UnescapePath: true, CaseSensitive: true, DisableStartupMessage: true,
		BodyLimit: bodyLimit, StreamRequestBody: true, DisablePreParseMultipartForm: true, ReadTimeout: RequestTime, IdleTimeout: time.Minute, ReadBufferSize: 16 << 10,
		ErrorHandler: s.handleError, EnableTrustedProxyCheck: true, TrustedProxies: opts.TrustedProxies,
		ProxyHeader: "X-Real-IP", EnableIPValidation: true,
	})
	s.App.Server().KeepHijackedConns = true // a stream outlives the handler that began it
	s.metrics()
	s.App.Use(s.trace, s.limit, s.bound, s.takeBody, s.signIn, s.guardForgery)
	prepareHuma()
	cfg := huma.DefaultConfig("惠企台接口", opts.Version)
	cfg.CreateHooks = nil
	cfg.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	cfg.SchemasPath, cfg.DocsPath, cfg.OpenAPIPath = "", "", ""
	s.API = humafiber.NewV2(s.App, cfg)
	s.API.UseMiddleware(s.checkRule, s.checkBody)
	s.health()
	return s, nil
}

// Page registers a page. It panics without a rule: that is a mistake in the program.
func (s *Server) Page(method, path string, rule access.Rule, h fiber.Handler) {
	s.handle("page", method, path, rule, h)
}

// Raw registers a callback, stream or file route. It panics without a rule.
func (s *Server) Raw(method, path string, rule access.Rule, h fiber.Handler) {
	s.handle("raw", method, path, rule, h)
}

func (s *Server) handle(kind, method, path string, rule access.Rule, h fiber.Handler) {
	if !rule.Declared() {
		panic(fmt.Sprintf("web: %s %s does not declare who may call it", method, path))
	}
	s.routes = append(s.routes, Route{Method: method, Path: path, Rule: rule, Kind: kind})
	s.App.Add(method, path, func(c *fiber.Ctx) error {
		if err := rule.Check(access.From(c.UserContext())); err != nil {
			return err
		}
		return h(c)
	})
}

// Routes lists everything that can be called, with who may.
func (s *Server) Routes() []Route {
	list := append([]Route(nil), s.routes...)
	for path, item := range s.API.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{
			"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete,
		} {
			if op != nil {
				rule, _ := op.Extensions[ruleKey].(access.Rule)
				list = append(list, Route{Method: method, Path: path, Rule: rule, Kind: "operation"})
			}
		}
	}
	return list
}

// request is what one request carries for the log, the errors and the forms.
type request struct {
	ctx    context.Context
	trace  string
	log    *slog.Logger
	csrf   func(token string) string
	token  string // what the CSRF token hangs on: the session's or the visitor's
	body   body
	ended  bool // the browser brought a session that is no longer good
	path   string
	method string
}

// context is the request's, never nil.
func (r *request) context() context.Context {
	if r == nil || r.ctx == nil {
		return context.Background()
	}
	return r.ctx
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// TraceID returns the id of the request, as shown to the person and written in the log.
func TraceID(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.trace
	}
	return ""
}

func (s *Server) trace(c *fiber.Ctx) (err error) {
	start := time.Now()
	id := newTrace()
	r := &request{trace: id, log: s.opts.Log, csrf: s.csrfFor, path: c.Path(), method: c.Method()}
	base, span := tracing.Request(c.UserContext(), r.method, s.parent(c))
	if r.method != fiber.MethodGet && r.method != fiber.MethodHead { // who only read something has nothing to be unsure of
		base = database.Noting(base)
	}
	ctx, cancel := context.WithTimeout(context.WithValue(base, requestKey{}, r), RequestTime)
	defer cancel()
	if s.opts.Bound != nil {
		var end context.CancelFunc
		ctx, end = s.opts.Bound(ctx)
		defer end()
	}
	r.ctx = ctx
	c.SetUserContext(ctx)
	s.headers(c, id)
	if s.draining.Load() {
		c.Response().SetConnectionClose() // the next request goes to another process
	}
	defer r.endBody(c)
	defer func() {
		if p := recover(); p != nil {
			s.opts.Log.Error("panic", "trace", id, "path", c.Path(), "panic", fmt.Sprint(p), "stack", stack())
			err = s.handleError(c, fault.ErrInternal)
		}
		route := c.Route().Path
		if route == "/" && c.Path() != "/" {
			route = "(other)"
		}
		status := c.Response().StatusCode()
		took := time.Since(start)
		s.requests.WithLabelValues(c.Method(), route, fmt.Sprint(status)).Inc()
		s.seconds.WithLabelValues(route).Observe(took.Seconds())
		s.traffic.count(status, took)
		line := []any{"trace", id, "method", c.Method(), "path", c.Path(), "status", status,
			"ms", took.Milliseconds(), "ip", c.IP(), "user", access.From(c.UserContext()).UserID}
		if gathered := span.ID(); gathered != "" {
			line = append(line, "trace_id", gathered)
		}
		s.opts.Log.Info("request", line...)
		span.Answered(c.Method(), route, status, id)
	}()
	if err := c.Next(); err != nil {
		return s.handleError(c, err)
	}
	return nil
}

// parent is the trace that a proxy in front of us has begun. Anybody else could make us gather what they like.
func (s *Server) parent(c *fiber.Ctx) string {
	if len(s.opts.TrustedProxies) == 0 || !c.IsProxyTrusted() {
		return ""
	}
	return c.Get("traceparent")
}

func newTrace() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// contentPolicy lets pages run only our own scripts. Inline styles are allowed because Vant and Element Plus position
// their floating parts with them.
const contentPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"font-src 'self' data:; media-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

func (s *Server) headers(c *fiber.Ctx, trace string) {
	c.Set("X-Request-Id", trace)
	c.Set("Content-Security-Policy", contentPolicy)
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Frame-Options", "SAMEORIGIN")
	c.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	c.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=(self)")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	if strings.HasPrefix(c.Path(), "/api/") {
		c.Set("Cache-Control", "no-store")
	}
}

func (s *Server) signIn(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if strings.HasPrefix(c.Path(), "/open/") {
		return s.openDoor(c)
	}
	if built(c) { // the same for everybody, also while the database cannot say who asks
		return c.Next()
	}
	r := requestOf(ctx)
	actor := access.Actor{Party: access.Anonymous}
	if token := c.Cookies(SessionCookieName); token != "" && len(token) <= 128 {
		a, err := s.opts.Authenticate(ctx, token)
		switch {
		case err == nil:
			actor, r.token = a, token
		case fault.KindOf(err) == fault.Unauthorized:
			r.ended = true // the visitor goes on as nobody
		default:
			return err
		}
	}
	visitor := c.Cookies(visitorCookieName)
	if len(visitor) < 16 || len(visitor) > 64 {
		visitor = newTrace() + newTrace()
		// Set when the handler is done: one that appends a cookie of its own would put it behind this one on the same line, where
		// no browser finds it.
		defer c.Cookie(&fiber.Cookie{Name: visitorCookieName, Value: visitor, Path: "/", Secure: true, HTTPOnly: true, SameSite: "Lax"})
	}
	if r.token == "" {
		r.token = visitor
	}
	actor.Visitor, actor.Arrival = visitor, c.Get(arrivalHeader, c.Cookies(arrivalCookieName))
	actor.IP, actor.UserAgent, actor.TraceID = c.IP(), c.Get("User-Agent"), r.trace
	c.SetUserContext(access.With(ctx, actor))
	return c.Next()
}

// The faults of a call under /open/.
var (
	errNoKey  = fault.New(fault.Unauthorized, "API_KEY_MISSING", "请在请求头 Authorization 中携带接口密钥：Bearer 密钥")
	errBadKey = fault.New(fault.Unauthorized, "API_KEY", "接口密钥无效或已吊销，请向平台运营人员申请")
)

// openDoor lets an outside system in by its key. A browser's session opens nothing here, so a call needs no guard against
// forgery.
func (s *Server) openDoor(c *fiber.Ctx) error {
	ctx := c.UserContext()
	key, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	if !ok || key == "" {
		return errNoKey
	}
	if s.opts.AuthenticateKey == nil {
		return errBadKey
	}
	actor, err := s.opts.AuthenticateKey(ctx, key)
	if err != nil {
		return err
	}
	actor.IP, actor.UserAgent, actor.TraceID = c.IP(), c.Get("User-Agent"), requestOf(ctx).trace
	c.SetUserContext(access.With(ctx, actor))
	c.Set("Cache-Control", "no-store")
	err = c.Next()
	if s.opts.Called != nil {
		status := c.Response().StatusCode()
		if err != nil {
			status = problem(toFault(ctx, err), "").Status
		}
		s.opts.Called(ctx, actor, c.Method(), c.Path(), status)
	}
	return err
}

// guardForgery refuses a change that another site's page could have sent: by the browser's own word (Fetch Metadata,
// Origin), and by a token the page had to read.
func (s *Server) guardForgery(c *fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return c.Next()
	}
	if strings.HasPrefix(c.Path(), "/open/") || strings.HasPrefix(c.Path(), "/callback/") || strings.HasPrefix(c.Path(), "/open311/") || strings.HasPrefix(c.Path(), "/sandbox/") {
		return c.Next() // signed by the caller, not by a cookie
	}
	if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return errForged
	}
	if origin := c.Get("Origin"); origin != "" && origin != "null" {
		u, err := url.Parse(origin)
		if err != nil || u.Host != string(c.Request().Host()) {
			return errForged
		}
	}
	token := c.Get("X-CSRF-Token")
	if token == "" && !s.uploads[c.Method()+" "+c.Path()] {
		token = c.FormValue("_csrf")
	}
	r := requestOf(c.UserContext())
	switch {
	case equal(token, s.csrfFor(r.token)):
		return c.Next()
	case r.ended: // the token hung on the session that ended: the answer is to sign in, not to reload
		return fault.ErrUnauthorized
	default:
		return errForged
	}
}

// take spends one request of the address and returns 0, or the seconds to wait.
func (s *Server) take(c *fiber.Ctx) int {
	if s.opts.Take != nil {
		if wait, ok := s.opts.Take(c.UserContext(), c.IP(), s.opts.RequestsPerMinute); ok {
			return int(math.Ceil(wait.Seconds()))
		}
	}
	return s.limiter.take(c.IP(), time.Now())
}

var errForged = fault.New(fault.Forbidden, "CSRF", "页面已过期，请刷新页面后重试")

var builtFile = regexp.MustCompile(`^(/assets|/m/assets|/admin/assets)/`)

// built tells that a file is asked for that was built into the program.
func built(c *fiber.Ctx) bool {
	return (c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead) && builtFile.MatchString(c.Path())
}

func (s *Server) limit(c *fiber.Ctx) error {
	// Built files cost nothing to serve and come by the dozen with every page: an office behind one address opens many.
	// A balancer asks from one address whether the process lives, however busy the people behind it are.
	if built(c) || c.Method() == fiber.MethodGet && (c.Path() == "/healthz" || c.Path() == "/readyz") {
		return c.Next()
	}
	if wait := s.take(c); wait > 0 {
		return fault.New(fault.TooMany, "TOO_MANY_REQUESTS", "操作过于频繁，请稍后再试").After(wait)
	}
	return c.Next()
}

func (s *Server) metrics() {
	s.registry = prometheus.NewRegistry()
	s.requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "huiqi_http_requests_total", Help: "Requests answered."}, []string{"method", "route", "status"})
	s.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "huiqi_http_request_seconds", Help: "Time to answer.",
		Buckets: []float64{.001, .005, .02, .1, .3, .8, 3, 10}}, []string{"route"})
	s.registry.MustRegister(s.requests, s.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// Metrics is where modules register what they count.
func (s *Server) Metrics() prometheus.Registerer { return s.registry }

// Serve answers on the listener until ctx ends. Then /readyz says no, new requests are still answered for the time of
// Drain, and what runs after it may finish for up to ten seconds.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	done := make(chan error, 1)
	waiting := &patient{Listener: l, log: s.opts.Log, silent: map[*steady]time.Time{}}
	go func() { done <- s.App.Listener(waiting) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		s.draining.Store(true)
		time.Sleep(s.opts.Drain)
		waiting.closeSilent()
		return s.App.ShutdownWithTimeout(10 * time.Second)
	}
}
