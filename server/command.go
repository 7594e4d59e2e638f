// Package server is the top floor: commands, configuration and the wiring of platform, integrations and modules. It is
// the only package that sees everything.
package server

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/huiqi/huiqi/platform/database"
)

// commands are what the program can do. A flag that was not given leaves the environment and the file their say.
type commands struct {
	Config string `help:"Configuration file (YAML), see huiqi.example.yaml." type:"path" env:"HUIQI_CONFIG_FILE"`

	Serve struct {
		common
		Listen    string `help:"Address to listen on, as 127.0.0.1:8080."`
		Demo      bool   `help:"Run the demo district with sandboxes; the data directory stays a demo."`
		PublicURL string `help:"Address the browser uses."`
	} `cmd:"" help:"Serve portal, H5, back office and interfaces."`
	Worker  struct{ common } `cmd:"" help:"Do the work behind several serve processes: jobs, schedules, outgoing messages. PostgreSQL only."`
	Migrate struct{ common } `cmd:"" help:"Bring the database to this program's schema and end."`
	Seed    struct {
		common
		Size
	} `cmd:"" help:"Fill an empty database with the demo district, enlarged by what is asked for, and end. No server may run on it."`
	Sandbox struct {
		Data      string `help:"Data directory."`
		Listen    string `help:"Address to listen on."`
		PublicURL string `help:"Address the browser uses."`
		Clamd     string `help:"Address the virus scanner listens on." hidden:""`
		SMTP      string `help:"Address the mail server listens on." hidden:"" default:"127.0.0.1:0"`
		IMAP      string `help:"Address the mailbox is read at." hidden:"" default:"127.0.0.1:0"`
		UntilEOF  bool   `help:"End when standard input closes." hidden:""`
	} `cmd:"" help:"Run the stand-ins of the outside systems as a process of their own."`
	Audit   auditCommands    `cmd:"" help:"Audit log."`
	Keys    keyCommands      `cmd:"" help:"Root keys of sealed data."`
	Files   fileCommands     `cmd:"" help:"Uploaded files: check, sweep, copy to another storage."`
	Openapi struct{}         `cmd:"" help:"Print the interface document."`
	Doctor  struct{ common } `cmd:"" help:"Look the installation over, whether the server runs or not. Exit code 0: well, 1: something to note, 2: something wrong."`

	lookCommands
	careCommands
}

type common struct {
	Data     string `help:"Data directory."`
	Database string `help:"postgres:// address; empty is SQLite in the data directory."`
}

func (c common) into(m map[string]any) {
	if c.Data != "" {
		m["data"] = c.Data
	}
	if c.Database != "" {
		m["database"] = c.Database
	}
}

// Main runs the program and returns its exit code: 0, 1 for a failure, 2 for a configuration that cannot be used.
func Main(args []string, out, errs io.Writer) int {
	var cli commands
	parser, err := kong.New(&cli, kong.Name("huiqi"), kong.Description("惠企台：区级企业服务平台与工单台"), kong.Writers(out, errs),
		kong.Exit(func(code int) { panic(exit(code)) }))
	if err != nil {
		panic(err)
	}
	code, err := run(parser, &cli, args, out, errs)
	if err == nil {
		return code
	}
	fmt.Fprintln(errs, "huiqi:", plain(err))
	if unusable(err) {
		return 2
	}
	return 1
}

type exit int

func run(parser *kong.Kong, cli *commands, args []string, out, errs io.Writer) (code int, err error) {
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(exit)
			if !ok {
				panic(p)
			}
			code, err = int(e), nil
		}
	}()
	kctx, err := parser.Parse(args)
	if err != nil {
		return 0, ConfigError{Line: err.Error() + "; see huiqi --help"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := map[string]any{}
	switch kctx.Command() {
	case "serve":
		cli.Serve.into(flags)
		if cli.Serve.Listen != "" {
			flags["listen"] = cli.Serve.Listen
		}
		if cli.Serve.PublicURL != "" {
			flags["public_url"] = cli.Serve.PublicURL
		}
		if cli.Serve.Demo {
			flags["demo"] = true
		}
		c, err := load(cli.Config, flags)
		if err != nil {
			return 0, err
		}
		return 0, serve(ctx, c, out)
	case "worker":
		cli.Worker.into(flags)
		c, err := load(cli.Config, flags)
		if err != nil {
			return 0, err
		}
		return 0, runWorker(ctx, c)
	case "migrate":
		cli.Migrate.into(flags)
		return 0, withDatabase(ctx, cli.Config, flags, func(db *database.DB) error {
			fmt.Fprintln(out, "the database is up to date")
			return nil
		})
	case "seed":
		cli.Seed.into(flags)
		flags["demo"] = true
		c, err := load(cli.Config, flags)
		if err != nil {
			return 0, err
		}
		return 0, seedOnly(ctx, c, cli.Seed.Size, out)
	case "sandbox":
		for k, v := range map[string]string{"data": cli.Sandbox.Data, "listen": cli.Sandbox.Listen, "public_url": cli.Sandbox.PublicURL} {
			if v != "" {
				flags[k] = v
			}
		}
		flags["demo"] = true
		c, err := load(cli.Config, flags)
		if err != nil {
			return 0, err
		}
		return 0, runSandbox(ctx, c, sandboxAddresses{cli.Sandbox.Clamd, cli.Sandbox.SMTP, cli.Sandbox.IMAP}, cli.Sandbox.UntilEOF)
	case "audit verify", "audit export":
		return cli.Audit.run(ctx, kctx.Command(), cli.Config, out, errs)
	case "keys list", "keys new", "keys rotate", "keys retire <id>":
		return cli.Keys.run(ctx, kctx.Command(), cli.Config, out)
	case "files check", "files sweep", "files copy":
		return runFiles(ctx, kctx.Command(), cli, flags, out)
	case "doctor":
		cli.Doctor.into(flags)
		return runDoctor(ctx, cli.Config, flags, out), nil
	case "openapi":
		doc, err := document()
		if err != nil {
			return 0, err
		}
		_, err = fmt.Fprintf(out, "%s\n", doc)
		return 0, err
	}
	if code, handled, err := cli.look(kctx.Command(), out); handled {
		return code, err
	}
	return cli.care(ctx, kctx.Command(), cli.Config, out)
}

func load(path string, flags map[string]any) (Config, error) {
	c, err := Load(path, flags)
	if err != nil {
		return c, err
	}
	if isDemo(c.Data) {
		c.Demo = true
	}
	return c, c.finish()
}

func withDatabase(ctx context.Context, path string, flags map[string]any, fn func(db *database.DB) error) error {
	c, err := Load(path, flags)
	if err != nil {
		return err
	}
	if c.Database == "" {
		c.Database = filepath.Join(c.Data, "huiqi.db")
	}
	db, err := database.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := database.Migrate(ctx, db, Migrations()); err != nil {
		return err
	}
	return fn(db)
}
