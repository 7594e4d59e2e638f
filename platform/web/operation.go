package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
)

// Operation is one JSON endpoint: where it is, what it does, who may.
type Operation struct {
	Method, Path string
	Summary      string // Chinese, one line
	Tag          string // Chinese, the module's name
	Access       access.Rule
	Status       int   // of success; 0 is 200
	MaxBody      int64 // bytes; 0 is 1 MiB
}

var operationWord = regexp.MustCompile(`[{}/._-]+`)

// Huma turns the declaration into Huma's. It panics without a rule: that is a mistake in the program.
func (o Operation) Huma() huma.Operation {
	if !o.Access.Declared() {
		panic(fmt.Sprintf("web: %s %s does not declare who may call it", o.Method, o.Path))
	}
	id := strings.ToLower(o.Method) + strings.TrimSuffix(operationWord.ReplaceAllString(strings.TrimPrefix(o.Path, "/api"), "-"), "-")
	op := huma.Operation{
		OperationID: id, Method: o.Method, Path: o.Path, Summary: o.Summary, DefaultStatus: o.Status, MaxBodyBytes: o.MaxBody,
		Extensions: map[string]any{ruleKey: o.Access}, BodyReadTimeout: RequestTime,
	}
	if o.Tag != "" {
		op.Tags = []string{o.Tag}
	}
	return op
}

// Keyed is embedded by the input of a command that may be repeated safely.
type Keyed struct {
	Key string `header:"Idempotency-Key" maxLength:"64" doc:"The same key answers with the first outcome."`
}

// Listing is embedded by the input of a list.
type Listing struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"nextCursor of the page before; empty for the first."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

// List is one page of a list. NextCursor is empty on the last.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"nextCursor,omitempty"`
	Note       string `json:"note,omitempty" doc:"A sentence for the reader on how the list was found."`
}

// Noted returns the page with a note; "" is none.
func (l List[T]) Noted(note string) List[T] {
	l.Note = note
	return l
}

// NewList returns a page that is never null.
func NewList[T any](items []T, next string) List[T] {
	if items == nil {
		items = []T{}
	}
	return List[T]{Items: items, NextCursor: next}
}

// The cookies. The __Host- prefix binds them to this host and to HTTPS (browsers also take them on localhost).
const (
	SessionCookieName = "__Host-huiqi"
	visitorCookieName = "__Host-huiqi-visitor"
	arrivalCookieName = "__Host-huiqi-channel"
)

// SessionCookie carries a new session's token.
func SessionCookie(token string, expires time.Time) http.Cookie {
	return http.Cookie{
		Name: SessionCookieName, Value: token, Path: "/", Expires: expires, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// arrivalHeader is the arrival of pages whose browser keeps no cookies; it goes before the cookie.
const arrivalHeader = "X-Huiqi-Channel"

// ArrivalCookie carries for some days by which link the browser came.
func ArrivalCookie(token string, days int) http.Cookie {
	return http.Cookie{
		Name: arrivalCookieName, Value: token, Path: "/", MaxAge: days * 86400, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// EndedSessionCookie removes the session's token from the browser.
func EndedSessionCookie() http.Cookie {
	// #nosec G124 -- SessionCookie sets Secure, HttpOnly and SameSite
	c := SessionCookie("", time.Unix(1, 0).UTC())
	c.MaxAge = -1
	return c
}

// CSRF returns the token that changes of this visitor or session must carry.
func CSRF(ctx context.Context) string {
	r := requestOf(ctx)
	if r == nil {
		return ""
	}
	return r.csrf(r.token)
}

// CSRFFor returns the token for a session that this request has just begun.
func CSRFFor(ctx context.Context, sessionToken string) string {
	r := requestOf(ctx)
	if r == nil {
		return ""
	}
	return r.csrf(sessionToken)
}

func (s *Server) csrfFor(token string) string {
	m := hmac.New(sha256.New, s.opts.CSRFKey)
	m.Write([]byte("csrf\n" + token))
	return hex.EncodeToString(m.Sum(nil))
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Token returns the token that a change made with the cookie of this value must carry; for tests that speak HTTP.
func (s *Server) Token(cookie string) string { return s.csrfFor(cookie) }

var moduleType = regexp.MustCompile(`/modules/([a-z]+)\.`)

// schemaName names a type of a module in the interface document by module and type, so that two modules may each have a
// View. A body without a type of its own is named after its input, which must be unique in the program.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	m := moduleType.FindStringSubmatch(t.PkgPath() + "." + t.Name())
	if m == nil {
		return name
	}
	module := strings.ToUpper(m[1][:1]) + m[1][1:]
	if strings.HasPrefix(name, module) {
		return name
	}
	return module + name
}
