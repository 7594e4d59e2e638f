package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/secret"
)

// auditCommands look after the audit log.
type auditCommands struct {
	Verify struct {
		common
		Anchors string `help:"Folder of anchor files to compare with, best a copy kept elsewhere; empty is that of the configuration." type:"path"`
	} `cmd:"" help:"Check that the audit log was not tampered with; says where it was."`
	Export struct {
		common
		Format string `help:"json, csv or syslog." enum:"json,csv,syslog" default:"json"`
		From   string `help:"First day, 2026-11-01."`
		To     string `help:"Last day."`
		Out    string `help:"File to write, which must not exist; empty prints." type:"path"`
	} `cmd:"" help:"Write the audit log out; the export is itself written into the log."`
}

func (a *auditCommands) run(ctx context.Context, command, path string, out, errs io.Writer) (int, error) {
	given := a.Verify.common
	if command == "audit export" {
		given = a.Export.common
	}
	c, err := installed(path, given)
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat(c.Database); err != nil && filepath.Base(c.Database) == "huiqi.db" {
		return 0, configErrorf("%s 中没有已安装的系统，请用 --data 指明数据目录", c.Data)
	}
	db, err := database.Open(ctx, c.Database)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := database.Migrate(ctx, db, Migrations()); err != nil {
		return 0, err
	}
	if command == "audit export" {
		return 0, a.export(ctx, db, out, errs)
	}
	return a.verify(ctx, c, db, out)
}

func (a *auditCommands) verify(ctx context.Context, c Config, db *database.DB, out io.Writer) (int, error) {
	p := newPrinter(out)
	o := audit.Options{Progress: func(done, total int64) { p.say("核对封印", done, total) }}
	box, err := c.boxIfAny()
	if err != nil {
		return 0, err
	}
	if box != nil {
		o.Signer = box
	}
	dir := a.Verify.Anchors
	if dir == "" {
		dir = c.anchorDir()
	}
	if o.Anchors, err = audit.ReadAnchors(dir); err != nil {
		switch {
		case !errors.Is(err, fs.ErrNotExist):
			fmt.Fprintln(out, err)
			return 1, nil
		case a.Verify.Anchors != "":
			return 0, configErrorf("文件夹 %s 读不出，请检查路径和权限", a.Verify.Anchors)
		}
		fmt.Fprintln(out, "没有锚点文件，只核对日志本身")
	}
	began := time.Now()
	r, err := audit.Verify(ctx, db, o)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "已封印 %d 条，待封印 %d 条，锚点 %d 个中 %d 个相符，用时 %s\n", r.Sealed, r.Unsealed, len(o.Anchors), r.Anchors, took(time.Since(began)))
	for _, n := range r.Notes {
		fmt.Fprintln(out, "注意："+n)
	}
	for _, p := range r.Problems {
		fmt.Fprintln(out, p.Text)
	}
	if r.More {
		fmt.Fprintln(out, "还有更多问题，未逐一列出")
	}
	if !r.OK() {
		return 1, nil
	}
	fmt.Fprintln(out, "审计日志完整，未发现改动")
	return 0, nil
}

// day reads a day of the command line as its beginning, Asia/Shanghai.
func day(flag, text string) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, text, clock.Beijing)
	if err != nil {
		return t, configErrorf("%s：%q 不是日期，例如 2026-11-01", flag, text)
	}
	return t, nil
}

func (a *auditCommands) export(ctx context.Context, db *database.DB, out, errs io.Writer) error {
	var f audit.Filter
	var err error
	if a.Export.From != "" {
		if f.From, err = day("--from", a.Export.From); err != nil {
			return err
		}
	}
	if a.Export.To != "" {
		if f.Until, err = day("--to", a.Export.To); err != nil {
			return err
		}
		f.Until = f.Until.AddDate(0, 0, 1)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "-"
	}
	// Whoever takes the log out is in it first.
	actor := access.SystemActor("cli:" + terminalUser())
	err = db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, actor, clock.System{}.Now(), audit.Record{Action: "audit.export", Object: "audit", Summary: "命令行导出审计日志",
			Detail: map[string]string{"format": a.Export.Format, "from": a.Export.From, "to": a.Export.To}})
	})
	if err != nil {
		return err
	}
	to, said := out, errs
	var file *os.File
	if a.Export.Out != "" {
		file, err = os.OpenFile(a.Export.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, os.ErrExist) {
			return configErrorf("%s 已存在，请另取文件名", a.Export.Out)
		} else if err != nil {
			return err
		}
		to, said = file, out
	}
	n, err := audit.Export(ctx, db.Read(), f, audit.Format(a.Export.Format), host, to)
	if file != nil {
		err = errors.Join(err, file.Sync(), file.Close())
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(said, "已导出 %d 条\n", n)
	return nil
}

// boxIfAny is the box of the installation's keys, nil when none are configured.
func (c Config) boxIfAny() (*secret.Box, error) {
	keys, ok, err := c.keys()
	if err != nil || !ok {
		return nil, err
	}
	return secret.New(keys)
}
