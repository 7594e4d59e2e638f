package server

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/snapshot"
)

// baseCommands are those of PostgreSQL's own way: base backups, archived logs, recovery to a moment.
type baseCommands struct {
	Base struct {
		common
		To   string `help:"Folder of the base backups; empty is backup.to of the configuration."`
		WAL  string `name:"wal" help:"Folder of the archived log files, to remove what no base backup needs."`
		Keep int    `help:"How many base backups stay." default:"3"`
	} `cmd:"" help:"PostgreSQL: make an encrypted physical base backup, where a recovery to a moment starts from."`
	WALArchive struct {
		To        string   `help:"Folder of the archive." required:"" type:"path"`
		Recipient []string `help:"Public key; may be given several times." required:""`
		Path      string   `arg:"" help:"%p"`
	} `cmd:"" name:"wal-archive" help:"PostgreSQL: the archive_command."`
	WALFetch struct {
		From     string   `help:"Folder of the archive." required:"" type:"path"`
		Identity []string `help:"File that keygen wrote." required:"" type:"path"`
		Name     string   `arg:"" help:"%f"`
		Path     string   `arg:"" help:"%p"`
	} `cmd:"" name:"wal-fetch" help:"PostgreSQL: the restore_command."`
	Recover struct {
		From     string   `help:"Folder of one base backup." required:"" type:"path"`
		PGData   string   `name:"pgdata" help:"Data directory of PostgreSQL to make." required:"" type:"path"`
		WAL      string   `name:"wal" help:"Folder of the archived log files." required:"" type:"path"`
		Identity []string `help:"File that keygen wrote; PostgreSQL reads it while it recovers." required:"" type:"path"`
		Until    string   `help:"Last moment to keep, as '2026-11-27 14:05:00' in Asia/Shanghai; empty is as far as the log goes."`
	} `cmd:"" help:"PostgreSQL: make a data directory that recovers to a moment when it is started."`
}

// physical runs the commands of PostgreSQL's own way.
func (cli *careCommands) physical(ctx context.Context, command, path string, out io.Writer) error {
	b := &cli.Backup.baseCommands
	switch command {
	case "backup base":
		return cli.base(ctx, path, out)
	case "backup wal-archive <path>":
		if err := os.MkdirAll(b.WALArchive.To, 0o700); err != nil {
			return err
		}
		return snapshot.ArchiveWAL(ctx, b.WALArchive.Path, b.WALArchive.To, b.WALArchive.Recipient)
	case "backup wal-fetch <name> <path>":
		ids, err := identities(b.WALFetch.Identity)
		if err != nil {
			return err
		}
		return snapshot.FetchWAL(b.WALFetch.From, b.WALFetch.Name, b.WALFetch.Path, ids)
	case "backup recover":
		return cli.recover(ctx, path, out)
	}
	return fmt.Errorf("unknown command %q", command)
}

func identities(files []string) ([]age.Identity, error) {
	var all []age.Identity
	for _, file := range files {
		ids, err := snapshot.ReadIdentities(file)
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	return all, nil
}

func (cli *careCommands) base(ctx context.Context, path string, out io.Writer) error {
	a := &cli.Backup.Base
	c, err := installed(path, a.common)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(c.Database, "postgres") {
		return configErrorf("backup base 只用于 PostgreSQL；内嵌数据库请用 huiqi backup，它就是完整备份")
	}
	if a.To == "" {
		a.To = c.Backup.To
	}
	recipients, err := backupRecipients(c)
	if err != nil {
		return err
	}
	began := time.Now()
	b, err := snapshot.CreateBase(ctx, c.Database, snapshot.Source{Scratch: c.Backup.Scratch, Tools: snapshot.Tools(c.Backup.PostgresBin), Program: version}, a.To, recipients, newPrinter(out).say)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "基础备份已生成并通过 pg_verifybackup 校验：%s（%s），恢复时从日志 %s 开始\n", b.Dir, size(b.Tar.Size), b.StartWAL)
	bases, logs, err := snapshot.TidyBases(a.To, a.WAL, a.Keep)
	if err != nil {
		return err
	}
	if bases+logs > 0 {
		fmt.Fprintf(out, "已清理旧基础备份 %d 个、不再需要的日志 %d 个\n", bases, logs)
	}
	fmt.Fprintf(out, "用时 %s\n", took(time.Since(began)))
	return nil
}

func (cli *careCommands) recover(ctx context.Context, path string, out io.Writer) error {
	a := &cli.Backup.Recover
	c, err := Load(path, nil)
	if err != nil {
		return err
	}
	r := snapshot.Recovery{PGData: a.PGData, Tools: snapshot.Tools(c.Backup.PostgresBin)}
	if a.Until != "" {
		if r.Until, err = time.ParseInLocation("2006-01-02 15:04:05.999999", a.Until, clock.Beijing); err != nil {
			return configErrorf("--until：%q 不是时间，例如 '2026-11-27 14:05:00'", a.Until)
		}
	}
	if r.Base, err = snapshot.OpenBase(a.From); err != nil {
		return err
	}
	if !r.Until.IsZero() && r.Until.Before(r.Base.At) {
		return configErrorf("--until 早于这份基础备份的时间 %s，请改用更早的基础备份", clock.Show(r.Base.At))
	}
	if r.Identities, err = identities(a.Identity); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fetch := []string{shell(self), "backup", "wal-fetch", "--from", shell(a.WAL)}
	for _, file := range a.Identity {
		fetch = append(fetch, "--identity", shell(absolute(file)))
	}
	r.Fetch = strings.Join(append(fetch, "%f", "%p"), " ")
	began := time.Now()
	if err := snapshot.Recover(ctx, r, newPrinter(out).say); err != nil {
		return err
	}
	until := "日志末尾"
	if !r.Until.IsZero() {
		until = r.Until.In(clock.Beijing).Format("2006年1月2日 15:04:05")
	}
	fmt.Fprintf(out, "数据目录已就绪：%s\n  用 pg_ctl 启动后，PostgreSQL 将自动恢复到%s并开放读写\n  确认恢复后，请删除 %s 中的 recovery_target_time 和 restore_command\n用时 %s\n",
		a.PGData, until, filepath.Join(a.PGData, "postgresql.auto.conf"), took(time.Since(began)))
	return nil
}

// shell quotes a word for the command PostgreSQL hands to the shell, in which % is its own.
func shell(word string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(word, "'", `'\''`), "%", "%%") + "'"
}
