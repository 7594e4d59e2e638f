package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/integrations/clamav"
	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
)

// desk is a house that answers on a port of its own, and somebody signed in who uploads.
type desk struct {
	*house
	t       testing.TB
	base    string
	addr    string
	session string
}

// mustClamd runs the stand-in of the scanner.
func mustClamd(t *testing.T) (*sandbox.Server, *clamav.Client) {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0", ClamdListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = box.Close()
	})
	at, err := box.ClamdAddress(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return box, must(clamav.New("tcp://" + at))(t)
}

// newDesk serves a house on db, with its files under dir.
func newDesk(t *testing.T, db *database.DB, dir string, scanner file.Scanner) *desk {
	t.Helper()
	c := must(Load("", map[string]any{"data": dir, "demo": true, "requests_per_minute": 1_000_000}))(t)
	d := deskOf(t, db, c, secret.NewKey(), scanner)
	d.session = owner(t, d.house, "13800138021")
	return d
}

func deskOf(t *testing.T, db *database.DB, c Config, key string, scanner file.Scanner) *desk {
	t.Helper()
	ctx := context.Background()
	h := must(build(ctx, c, db, key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}, scanner: scanner}}))(t)
	must(0, h.identity.EnsureRoles(ctx))(t)
	must(0, h.ensureTicketTypes(ctx))(t)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.web.Serve(run, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &desk{house: h, t: t, addr: l.Addr().String(), base: "http://" + l.Addr().String()}
}

func (d *desk) header(session string) http.Header {
	h := http.Header{}
	h.Set("Cookie", "__Host-huiqi-visitor=0123456789abcdef0123456789abcdef; "+web.SessionCookieName+"="+session)
	key := session
	if key == "" {
		key = "0123456789abcdef0123456789abcdef"
	}
	h.Set("X-CSRF-Token", d.web.Token(key))
	return h
}

// answer is what came back, read as a problem when it is one.
type answer struct {
	status int
	header http.Header
	body   []byte
	web.Problem
	view file.View
}

func (d *desk) ask(method, path, session string, body io.Reader, more ...string) answer {
	d.t.Helper()
	req := must(http.NewRequestWithContext(context.Background(), method, d.base+path, body))(d.t)
	req.Header = d.header(session)
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	res := must(http.DefaultClient.Do(req))(d.t)
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header, body: must(io.ReadAll(res.Body))(d.t)}
	if method != "HEAD" && strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		must(0, json.Unmarshal(a.body, &a.Problem))(d.t)
	} else if res.StatusCode == http.StatusCreated {
		must(0, json.Unmarshal(a.body, &a.view))(d.t)
	}
	return a
}

// form writes a form with a file, the way browsers do.
func form(t testing.TB, purpose, name string, content []byte) (string, *bytes.Buffer) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	must(0, w.WriteField("purpose", purpose))(t)
	part := must(w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(name) + `"`},
		"Content-Type": {"application/octet-stream"}}))(t)
	must(part.Write(content))(t)
	must(0, w.Close())(t)
	return w.FormDataContentType(), &b
}

func (d *desk) upload(name string, content []byte) answer {
	d.t.Helper()
	kind, b := form(d.t, "attachment", name, content)
	return d.ask("POST", "/api/files", d.session, b, "Content-Type", kind)
}
