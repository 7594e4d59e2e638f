package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/snapshot"
)

// careCommands look after an installation: its backups and its settings.
type careCommands struct {
	Backup struct {
		Run struct {
			common
			To       string `help:"Folder of the sets; empty is backup.to of the configuration."`
			NoVerify bool   `help:"Do not restore the set into a scratch place afterwards; it then counts as unverified."`
		} `cmd:"" default:"withargs" help:"Make a backup set and have it restored and compared."`
		Keygen struct {
			Out string `help:"File to write the identity to; keep it away from the server." required:"" type:"path"`
		} `cmd:"" help:"Make a key pair: the public key goes into backup.recipients."`
		List struct {
			common
			To string `help:"Folder of the sets; empty is backup.to of the configuration."`
		} `cmd:"" help:"List the sets of a folder."`
		Check struct {
			From string `help:"Folder of one set." required:"" type:"path"`
		} `cmd:"" help:"Compare every part of a set with its hash; needs no identity."`

		baseCommands
	} `cmd:"" help:"Backup sets."`
	Restore struct {
		common
		From      string   `help:"Folder of one set." required:"" type:"path"`
		Identity  []string `help:"File that keygen wrote; may be given several times." required:"" type:"path"`
		Replace   bool     `help:"Move what is there aside instead of refusing."`
		FilesOnly bool     `help:"Only files and configuration: the database was recovered by PostgreSQL's own means."`
	} `cmd:"" help:"Restore a backup set into a data directory."`
	Search   searchCommands   `cmd:"" help:"Full text: make it anew, tell how it stands."`
	Settings settingsCommands `cmd:"" name:"config" help:"Dictionaries and rules as a document."`
}

// care runs the commands that look after an installation.
func (cli *careCommands) care(ctx context.Context, command, path string, out io.Writer) (int, error) {
	switch command {
	case "search rebuild", "search status":
		return cli.search(ctx, command, path, out)
	case "backup run":
		return 0, cli.backup(ctx, path, out)
	case "backup keygen":
		return 0, keygen(cli.Backup.Keygen.Out, out)
	case "backup list":
		return 0, cli.listSets(path, out)
	case "backup check":
		return 0, checkSet(ctx, cli.Backup.Check.From, out)
	case "restore":
		return 0, cli.restore(ctx, path, out)
	}
	if strings.HasPrefix(command, "config ") {
		return cli.Settings.run(ctx, command, path, out)
	}
	return 0, cli.physical(ctx, command, path, out)
}

// unusable says whether err is about what the program was given to run with: its configuration, or data of a newer one.
func unusable(err error) bool {
	var c ConfigError
	var newer database.ErrNewerSchema
	return errors.As(err, &c) || errors.As(err, &newer) || errors.Is(err, snapshot.ErrNewer)
}

// plain is an error as the person at the terminal reads it: the message of a fault without its code, and its cause.
func plain(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return err.Error()
	}
	if f.Err != nil {
		return f.Message + "（" + f.Err.Error() + "）"
	}
	return f.Message
}

// installed reads the configuration of an installation without asking for what only serving needs.
func installed(path string, c common) (Config, error) {
	flags := map[string]any{}
	c.into(flags)
	conf, err := Load(path, flags)
	if err != nil {
		return conf, err
	}
	conf.Demo = conf.Demo || isDemo(conf.Data)
	if conf.Database == "" {
		conf.Database = filepath.Join(conf.Data, "huiqi.db")
	}
	return conf, errors.Join(conf.Secrets.readKeyFile(), conf.Backup.finish(conf.Data))
}

// rootKey is the root key of the installation, "" when it is not configured.
func (c Config) rootKey() (string, error) {
	if !c.Demo {
		return c.Secrets.Key, nil
	}
	d, err := readDemo(c.Data)
	return d.Key, err
}

// checkOfKey is the key check of the configured root, "" without one.
func (c Config) checkOfKey() (string, error) {
	box, err := c.boxIfAny()
	if err != nil || box == nil {
		return "", err
	}
	return keyCheck(box), nil
}

// backup makes a set of the installation as it is, whatever its schema: also before an upgrade, with the new program.
func (cli *careCommands) backup(ctx context.Context, path string, out io.Writer) error {
	c, err := installed(path, cli.Backup.Run.common)
	if err != nil {
		return err
	}
	if cli.Backup.Run.To != "" {
		c.Backup.To = cli.Backup.Run.To
	}
	if _, err := os.Stat(c.Database); err != nil && filepath.Base(c.Database) == "huiqi.db" {
		return configErrorf("%s 中没有已安装的系统，请用 --data 指明数据目录", c.Data)
	}
	recipients, err := backupRecipients(c)
	if err != nil {
		return err
	}
	db, err := database.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	storage, err := storageOf(c, c.Files.Storage)
	if err != nil {
		return err
	}
	check, err := c.checkOfKey()
	if err != nil {
		return err
	}
	src, err := backupSource(c, db, storage, check)
	if err != nil {
		return err
	}
	began := time.Now()
	p := newPrinter(out)
	f, err := snapshot.Create(ctx, src, c.Backup.To, recipients, p.say)
	if err != nil {
		return err
	}
	m := f.Manifest
	fmt.Fprintf(out, "备份集已生成：%s\n  数据时间 %s，%d 张表共 %d 行，附件 %d 个（新增 %d 个），本次占用 %s\n", f.Dir, clock.Show(m.At), len(m.Tables), m.Rows(),
		m.Files.Count, m.Files.NewCount, size(m.Size()))
	if lost := m.Files.Missing + m.Files.Damaged; lost > 0 {
		fmt.Fprintf(out, "注意：%d 个附件在存储中缺失，%d 个内容与登记不符，请尽快核查\n", m.Files.Missing, m.Files.Damaged)
	}
	if cli.Backup.Run.NoVerify {
		fmt.Fprintln(out, "按要求未做恢复验证")
		return nil
	}
	v, err := f.Verify(ctx, src, p.say)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "已恢复到临时位置逐表核对：%d 张表 %d 行、附件 %d 个，全部一致\n用时 %s\n", v.Tables, v.Rows, v.Files, took(time.Since(began)))
	return nil
}

func keygen(path string, out io.Writer) error {
	public, err := snapshot.Keygen(path, time.Now())
	if errors.Is(err, os.ErrExist) {
		return configErrorf("%s 已存在，不予覆盖：解密私钥一旦丢失，为它所做的备份都无法恢复；请另取文件名", path)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(out, "身份文件（私钥）已写入 %s，请移到服务器以外保管，至少两份\n公钥，填入 backup.recipients：\n%s\n", path, public)
	return nil
}

func (cli *careCommands) listSets(path string, out io.Writer) error {
	target := cli.Backup.List.To
	if target == "" {
		c, err := installed(path, cli.Backup.List.common)
		if err != nil {
			return err
		}
		target = c.Backup.To
	}
	sets, broken, err := snapshot.List(target)
	if err != nil {
		return err
	}
	for _, s := range sets {
		state := "未验证"
		if s.Verified != nil {
			state = "已验证"
		}
		fmt.Fprintf(out, "%s  %s  %s  %8d 行  附件 %d 个  %s\n", s.Name(), clock.Show(s.Manifest.At), state, s.Manifest.Rows(), s.Manifest.Files.Count, size(s.Manifest.Size()))
	}
	for _, name := range broken {
		fmt.Fprintf(out, "%s  已损坏，不能使用\n", name)
	}
	fmt.Fprintf(out, "共 %d 个备份集\n", len(sets))
	return nil
}

func checkSet(ctx context.Context, from string, out io.Writer) error {
	s, err := snapshot.Open(from)
	if err != nil {
		return err
	}
	if err := s.Check(ctx, newPrinter(out).say); err != nil {
		return err
	}
	fmt.Fprintf(out, "备份集完整：%d 个部分、%d 个附件的校验值全部一致\n", len(s.Manifest.Parts), s.Manifest.Files.Count)
	return nil
}

// restore puts a set in place and says what it did.
func (cli *careCommands) restore(ctx context.Context, path string, out io.Writer) error {
	a := cli.Restore
	if a.Data == "" {
		return configErrorf("restore：请用 --data 指明要恢复到的数据目录")
	}
	r := snapshot.Restoration{Data: a.Data, Database: a.Database, Replace: a.Replace, FilesOnly: a.FilesOnly, Now: time.Now()}
	var err error
	if r.Set, err = snapshot.Open(a.From); err != nil {
		return err
	}
	if r.Identities, err = identities(a.Identity); err != nil {
		return err
	}
	c, err := Load(path, nil)
	if err != nil {
		return err
	}
	if err := c.Secrets.readKeyFile(); err != nil {
		return err
	}
	r.Tools = snapshot.Tools(c.Backup.PostgresBin)
	for _, m := range Migrations() {
		r.Known = append(r.Known, m.ID)
	}
	r.Migrate = func(ctx context.Context, address string) error {
		db, err := database.Open(ctx, address)
		if err != nil {
			return err
		}
		return errors.Join(database.Migrate(ctx, db, Migrations()), db.Close())
	}
	m := r.Set.Manifest
	fmt.Fprintf(out, "备份集 %s：数据时间 %s，由程序 %s 生成\n", m.Name, clock.Show(m.At), m.Program)
	if r.Set.Verified == nil {
		fmt.Fprintln(out, "注意：这个备份集没有做过恢复验证，将边恢复边核对")
	}
	rep, err := snapshot.Restore(ctx, r, newPrinter(out).say)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "恢复完成：%s\n", a.Data)
	if a.FilesOnly {
		fmt.Fprintln(out, "  按要求未恢复数据库")
	} else {
		fmt.Fprintf(out, "  数据库 %d 张表 %d 行，与备份时逐表一致\n", rep.Tables, rep.Rows)
	}
	fmt.Fprintf(out, "  附件 %d 个（%s），内容逐个一致\n", rep.Files, size(rep.FileBytes))
	if rep.Missing > 0 {
		fmt.Fprintf(out, "  另有 %d 个附件在备份时已缺失，未能恢复\n", rep.Missing)
	}
	if rep.Migrated > 0 {
		fmt.Fprintf(out, "  数据库结构已升级 %d 步，与本程序一致\n", rep.Migrated)
	}
	if rep.OldData != "" {
		fmt.Fprintf(out, "  原数据目录移到 %s，确认无误后可删除\n", rep.OldData)
	}
	if rep.OldDatabase != "" {
		fmt.Fprintf(out, "  原数据库改名为 %s，确认无误后可删除\n", rep.OldDatabase)
	}
	fmt.Fprintf(out, "  备份时的配置在 %s，请与现用配置核对\n", rep.Config)
	switch {
	case rep.Demo:
		fmt.Fprintln(out, "  这是演示数据，启动后仍为演示环境")
	case c.Secrets.Key == "":
		fmt.Fprintf(out, "  启动前请在配置中填写密钥 %s（secrets.key），否则加密字段无法读取\n", m.KeyID)
	default:
		if check, err := c.checkOfKey(); err != nil || check != m.KeyCheck {
			fmt.Fprintf(out, "  警告：当前配置的 secrets.key 与备份时的密钥 %s 不同，加密字段将无法读取，请先更正\n", m.KeyID)
		}
	}
	fmt.Fprintf(out, "用时 %s\n", took(rep.Took))
	return nil
}

// printer says how far a stage is, a line for each stage and now and then one more.
type printer struct {
	mu    sync.Mutex
	out   io.Writer
	stage string
	at    time.Time
}

func newPrinter(out io.Writer) *printer { return &printer{out: out} }

func (p *printer) say(stage string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case stage != p.stage:
		fmt.Fprintf(p.out, "%s……\n", stage)
	case now.Sub(p.at) < 3*time.Second:
		return
	case total > 0:
		fmt.Fprintf(p.out, "%s：%d%%\n", stage, done*100/total)
	default:
		fmt.Fprintf(p.out, "%s：%d\n", stage, done)
	}
	p.stage, p.at = stage, now
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KB", (n+1023)/1024)
}

func took(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f 秒", d.Seconds())
	}
	return fmt.Sprintf("%d 分 %d 秒", int(d.Minutes()), int(d.Seconds())%60)
}
