package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	_ "modernc.org/sqlite" // the database driver "sqlite"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/platform/clock"
)

// Secrets are what the stand-ins expect the product to sign with. An empty one refuses every request of its system.
type Secrets struct {
	SMSKeyID, SMSKeySecret                               string
	WechatAppID, WechatSecret, WechatToken, WechatAESKey string
	RegistryKey, RegistrySecret                          string
	PartnerSecret                                        string // Standard Webhooks secret of every partner
	CTISecret                                            string // Standard Webhooks secret of the telephone platform
	MailPassword                                         string // of the product's mailbox
}

// Options say where the sandbox lives and what it knows at the first start.
type Options struct {
	DataDir    string
	Listen     string // of HTTP, "127.0.0.1:8091"
	SMTPListen string // "" runs no mail server
	IMAPListen string // where the product reads its mailbox; "" runs none
	// ClamdListen is where the scanner listens; "" runs none.
	ClamdListen string
	PublicBase  string // the address the browser sees, "http://127.0.0.1:8080"; "" is the request's own
	// CallbackURL is the product's address for WeChat's messages and events; "" delivers none.
	CallbackURL string
	Clock       clock.Clock // nil is the machine's
	Companies   []registry.Company
	Secrets     Secrets
	// SMSTemplates are the approved texts by code, with ${name} for parameters. When empty, every code is accepted and the
	// parameters are shown as they are.
	SMSTemplates map[string]string
	// WechatTemplates are the titles of approved templates by id, with labels by field. When empty, every id is accepted.
	WechatTemplates map[string]WechatTemplate
}

// WechatTemplate is a template message approved by WeChat.
type WechatTemplate struct {
	Title  string
	Fields []TemplateField // in the order shown
}

// TemplateField is one line of a template message.
type TemplateField struct {
	Key   string // "thing1"
	Label string // "申请事项"
}

// Server is the sandbox.
type Server struct {
	opts    Options
	db      *sql.DB
	handler http.Handler
	client  *http.Client

	mu        sync.Mutex
	http      net.Listener
	smtp      net.Listener
	clamav    net.Listener
	imap      net.Listener
	inbox     *inbox
	listening chan struct{}
}

const schema = `
CREATE TABLE IF NOT EXISTS phones (
	phone TEXT PRIMARY KEY, nickname TEXT NOT NULL, openid TEXT NOT NULL UNIQUE, unionid TEXT NOT NULL DEFAULT '',
	subscribed INTEGER NOT NULL DEFAULT 1, snapshot INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sms (
	id INTEGER PRIMARY KEY, biz_id TEXT NOT NULL UNIQUE, phone TEXT NOT NULL, sign TEXT NOT NULL, template TEXT NOT NULL,
	params TEXT NOT NULL, content TEXT NOT NULL, out_id TEXT NOT NULL, code_like INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS sms_phone ON sms (phone, id);
CREATE TABLE IF NOT EXISTS wechat_messages (
	id INTEGER PRIMARY KEY, openid TEXT NOT NULL, template TEXT NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL,
	data TEXT NOT NULL, client_id TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS wechat_messages_openid ON wechat_messages (openid, id);
CREATE TABLE IF NOT EXISTS wechat_codes (
	code TEXT PRIMARY KEY, openid TEXT NOT NULL, scope TEXT NOT NULL, at INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS wechat_tokens (
	token TEXT PRIMARY KEY, kind TEXT NOT NULL, expires INTEGER NOT NULL, latest INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS wechat_qrcodes (ticket TEXT PRIMARY KEY, scene TEXT NOT NULL, expires INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS wechat_callbacks (
	id INTEGER PRIMARY KEY, openid TEXT NOT NULL, event TEXT NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mails (
	id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL,
	text TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY, raw BLOB NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS companies (
	code TEXT PRIMARY KEY, name TEXT NOT NULL, legal_person TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
	id INTEGER PRIMARY KEY, partner TEXT NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL, sequence TEXT NOT NULL,
	subject TEXT NOT NULL, signature_ok INTEGER NOT NULL, problem TEXT NOT NULL, sha256 TEXT NOT NULL, body TEXT NOT NULL,
	status INTEGER NOT NULL, receipt TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_partner ON deliveries (partner, event_id);
CREATE TABLE IF NOT EXISTS nonces (scope TEXT NOT NULL, nonce TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (scope, nonce)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
	id TEXT PRIMARY KEY, number TEXT NOT NULL, queue TEXT NOT NULL, extension TEXT NOT NULL, state TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS scans (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, verdict TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
	target TEXT PRIMARY KEY, mode TEXT NOT NULL, remaining INTEGER NOT NULL, delay_ms INTEGER NOT NULL);
`

// New opens or creates the sandbox's database and makes its server. Companies are added to those it knows already.
func New(opts Options) (*Server, error) {
	if opts.DataDir == "" {
		return nil, errors.New("sandbox: a data directory is required")
	}
	if opts.Clock == nil {
		opts.Clock = clock.System{}
	}
	if err := os.MkdirAll(opts.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: make data directory: %w", err)
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.Join(opts.DataDir, "sandbox.db")}).EscapedPath(), RawQuery: url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)"}, "_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("sandbox: open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	s := &Server{opts: opts, db: db, client: &http.Client{Timeout: 5 * time.Second}, listening: make(chan struct{})}
	if _, err := db.Exec(schema); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sandbox: create tables: %w", err)
	}
	if err := s.addCompanies(context.Background(), opts.Companies); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := s.openInbox(context.Background()); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("sandbox: open the mailbox: %w", err)
	}
	s.handler = s.routes()
	return s, nil
}

// Handler returns everything the sandbox serves over HTTP.
func (s *Server) Handler() http.Handler { return s.handler }

// Close closes the database. Call it after Run has returned.
func (s *Server) Close() error { return s.db.Close() }

// Addresses waits until Run listens and returns where: HTTP and SMTP, the latter "" when there is none.
func (s *Server) Addresses(ctx context.Context) (web, mail string, err error) {
	select {
	case <-s.listening:
	case <-ctx.Done():
		return "", "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.smtp != nil {
		mail = s.smtp.Addr().String()
	}
	return s.http.Addr().String(), mail, nil
}

// ClamdAddress waits until Run listens and returns where the scanner is, "" when there is none.
func (s *Server) ClamdAddress(ctx context.Context) (string, error) {
	select {
	case <-s.listening:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clamav == nil {
		return "", nil
	}
	return s.clamav.Addr().String(), nil
}

// Run serves HTTP, SMTP, IMAP and clamd's protocol until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	listener, err := net.Listen("tcp", s.opts.Listen)
	if err != nil {
		return fmt.Errorf("sandbox: listen: %w", err)
	}
	var mail net.Listener
	if s.opts.SMTPListen != "" {
		if mail, err = net.Listen("tcp", s.opts.SMTPListen); err != nil {
			_ = listener.Close()
			return fmt.Errorf("sandbox: listen for mail: %w", err)
		}
	}
	var clamav net.Listener
	if s.opts.ClamdListen != "" {
		if clamav, err = net.Listen("tcp", s.opts.ClamdListen); err != nil {
			_ = listener.Close()
			if mail != nil {
				_ = mail.Close()
			}
			return fmt.Errorf("sandbox: listen for scans: %w", err)
		}
	}
	var box net.Listener
	if s.opts.IMAPListen != "" {
		if box, err = net.Listen("tcp", s.opts.IMAPListen); err != nil {
			_ = listener.Close()
			for _, l := range []net.Listener{mail, clamav} {
				if l != nil {
					_ = l.Close()
				}
			}
			return fmt.Errorf("sandbox: listen for readers of mail: %w", err)
		}
	}
	s.mu.Lock()
	s.http, s.smtp, s.clamav, s.imap = listener, mail, clamav, box
	s.mu.Unlock()
	close(s.listening)

	web := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	failed := make(chan error, 4)
	go func() { failed <- web.Serve(listener) }()
	var post *smtp.Server
	if mail != nil {
		post = s.mailServer()
		go func() { failed <- post.Serve(mail) }()
	}
	if clamav != nil {
		go func() { failed <- s.serveClamd(ctx, clamav) }()
	}
	if box != nil {
		go func() { failed <- s.serveInbox(box) }()
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	if box != nil {
		_ = s.inbox.server.Close()
	}
	// What waits on a slow fault is cut: the sandbox has nothing to lose.
	_ = web.Close()
	if post != nil {
		_ = post.Close()
	}
	if clamav != nil {
		_ = clamav.Close()
	}
	if err != nil {
		return fmt.Errorf("sandbox: serve: %w", err)
	}
	return nil
}

func (s *Server) now() time.Time { return s.opts.Clock.Now() }

// seen notes a nonce and reports whether it was there before. Old ones are swept away.
func (s *Server) seen(ctx context.Context, scope, nonce string) (bool, error) {
	now := s.now()
	if _, err := s.db.ExecContext(ctx, `DELETE FROM nonces WHERE at < ?`, now.Add(-time.Hour).UnixMicro()); err != nil {
		return false, err
	}
	res, err := s.db.ExecContext(ctx, `INSERT INTO nonces (scope, nonce, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, scope, nonce, now.UnixMicro())
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 0, err
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		slog.Debug("sandbox: answer not written", "error", err)
	}
}

// broken answers for a fault of the sandbox itself.
func broken(w http.ResponseWriter, err error) {
	slog.Error("sandbox", "error", err)
	http.Error(w, "沙箱内部出错，请查看日志后重试", http.StatusInternalServerError)
}

func moment(micro int64) time.Time { return time.UnixMicro(micro).UTC() }
