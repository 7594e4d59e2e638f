package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/bulk"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/secret"
)

func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, configErrorf("log_level：%q 应为 debug、info、warn、error 之一", level)
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}

// serve runs everything until ctx ends.
func serve(ctx context.Context, c Config, out io.Writer) error {
	log, err := logger(c.LogLevel)
	if err != nil {
		return err
	}
	// The port first: a taken one must stop the start before anything else happens.
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return configErrorf("无法监听 %s：%v", c.Listen, errors.Unwrap(err))
	}
	defer l.Close()
	p := parts{log: log, clock: clock.System{}}
	key := c.Secrets.Key
	var demo demoSettings
	if c.Demo {
		if demo, err = readDemo(c.Data); err != nil {
			return err
		}
		key = demo.Key
		c.demoCTI(demo)
		addr, wait, err := startSandbox(ctx, &c)
		if err != nil {
			return err
		}
		defer wait()
		p.sandbox = addr
	}
	h, leave, err := raise(ctx, c, demo, key, &p)
	if err != nil {
		return err
	}
	defer leave()
	// Several processes may start at once, and the first administrator is made by one of them.
	if err := database.Alone(ctx, h.db, database.LockPrepare, func(ctx context.Context) error { return h.prepare(ctx, c, key, out) }); err != nil {
		return err
	}
	if c.Demo {
		if err := h.demoPartners(ctx, p.sandbox, demo.Sandbox.PartnerSecret); err != nil {
			return err
		}
	}
	if err := h.exchange.Reclaim(ctx, access.SystemActor("start")); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if err := h.accompany(ctx, g, p); err != nil {
		return err
	}
	if c.Jobs.Work {
		for _, run := range h.background {
			g.Go(func() error { return database.Outlast(database.Background(ctx), log, run) })
		}
	} else {
		defer h.queue.Close()
	}
	g.Go(func() error { return h.live.Run(ctx) })
	g.Go(func() error { return h.web.Serve(ctx, l) })
	h.greet(c, out)
	return g.Wait()
}

// raise connects to what lies outside, opens the database, brings its schema to the program's, and builds the house: serve
// and worker begin alike. leave closes what it opened.
func raise(ctx context.Context, c Config, demo demoSettings, key string, p *parts) (h *house, leave func(), err error) {
	if p.outside, err = connect(c, demo, p.sandbox); err != nil {
		return nil, nil, err
	}
	untrace, err := c.Tracing.begin(ctx, p.log)
	if err != nil {
		return nil, nil, err
	}
	var hangUp func()
	if p.relay, hangUp, err = join(c, p.log); err != nil {
		untrace()
		return nil, nil, err
	}
	db, err := database.Open(ctx, c.Database)
	if err != nil {
		hangUp()
		untrace()
		return nil, nil, err
	}
	leave = func() {
		_ = db.Close()
		hangUp()
		untrace()
	}
	if h, err = furnish(ctx, c, db, key, *p); err != nil {
		leave()
		return nil, nil, err
	}
	return h, leave, nil
}

// furnish brings the schema up to the program, builds the house and looks whether it can begin: the keys fit, files are at hand.
func furnish(ctx context.Context, c Config, db *database.DB, key string, p parts) (*house, error) {
	if err := database.Migrate(ctx, db, Migrations()); err != nil {
		return nil, err
	}
	h, err := build(ctx, c, db, key, p)
	if err != nil {
		return nil, err
	}
	if err := h.identity.KeysFit(ctx); err != nil {
		return nil, configErrorf("%v", err)
	}
	missingTemplates(p.log, h.messages)
	return h, h.checkFiles(ctx, p.log)
}

// prepare brings the data that every installation needs, and the demo district into an empty demo.
func (h *house) prepare(ctx context.Context, c Config, key string, out io.Writer) error {
	if err := bulk.Unfinished(ctx, h.db); err != nil {
		return configErrorf("%v", err)
	}
	if err := h.identity.EnsureRoles(ctx); err != nil {
		return err
	}
	if err := h.ensureCalendar(ctx); err != nil {
		return err
	}
	if err := h.ensureTicketTypes(ctx); err != nil {
		return err
	}
	if err := h.ensureReasons(ctx); err != nil {
		return err
	}
	if err := h.ensureLicenceKinds(ctx); err != nil {
		return err
	}
	if c.Demo { // the story brings the consents, at a time of its own
		if err := h.ensureDemo(ctx, c, key, out); err != nil {
			return err
		}
	}
	if err := h.ensureConsents(ctx); err != nil || c.Demo {
		return err
	}
	empty, err := h.identity.Empty(ctx)
	if err != nil || !empty {
		return err
	}
	return h.firstAdministrator(ctx, c, out)
}

func (h *house) greet(c Config, out io.Writer) {
	base := hostOf(c.PublicURL)
	fmt.Fprintf(out, "\n惠企台已启动\n  门户      %s/\n  手机端    %s/m/\n  工作台    %s/admin/\n", base, base, base)
	if !c.Demo {
		return
	}
	fmt.Fprintf(out, "  沙箱      %s/sandbox/    （短信、微信、企业登记库、邮箱、对接方的替身）\n\n演示账号（密码均为 %s；登录后的短信验证码在 %s/sandbox/phone 查看）\n", base, demoPassword, base)
	for _, a := range h.demoAccounts() {
		fmt.Fprintf(out, "  %-12s %s  %s\n", a.account, a.phone, a.title)
	}
	fmt.Fprintln(out)
}

// seedOnly fills an empty demo database, enlarges the district by size, and ends.
func seedOnly(ctx context.Context, c Config, size Size, out io.Writer) error {
	d, err := readDemo(c.Data)
	if err != nil {
		return err
	}
	h, closeHouse, err := unserved(ctx, c, d.Key)
	if err != nil {
		return err
	}
	defer closeHouse()
	if err := h.prepare(ctx, c, d.Key, out); err != nil {
		return err
	}
	if !size.none() {
		if err := h.loadVolume(ctx, size, out); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "the demo district is in the database")
	return nil
}

// unserved joins the modules without serving or sending.
func unserved(ctx context.Context, c Config, key string) (*house, func(), error) {
	db, err := database.Open(ctx, c.Database)
	if err != nil {
		return nil, nil, err
	}
	if err := database.Migrate(ctx, db, Migrations()); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	h, err := build(ctx, c, db, key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return h, func() { _ = db.Close() }, nil
}

// document returns the interface document, made from the program itself.
func document() ([]byte, error) {
	dir, err := os.MkdirTemp("", "huiqi-openapi-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c, err := Load("", map[string]any{"data": dir, "demo": true, "database": filepath.Join(dir, "huiqi.db")})
	if err != nil {
		return nil, err
	}
	h, closeHouse, err := unserved(context.Background(), c, secret.NewKey())
	if err != nil {
		return nil, err
	}
	defer closeHouse()
	return h.web.Document()
}
