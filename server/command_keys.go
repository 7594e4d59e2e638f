package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

// keyCommands look after the root keys.
type keyCommands struct {
	List struct{ common } `cmd:"" help:"List the keys and how far the rotation is."`
	New  struct {
		common
		Suite string `help:"gm (SM4-GCM, HMAC-SM3) or intl (AES-256-GCM, HMAC-SHA-256); empty is that of the active key." enum:",gm,intl" default:""`
	} `cmd:"" help:"Draw a key. It seals nothing before rotate."`
	Rotate struct {
		common
		To  string `help:"Id of the key; empty is the newest that is ready."`
		Now bool   `help:"Write everything anew here and now instead of leaving it to the running program."`
	} `cmd:"" help:"Seal with another key from now on; what older keys sealed is written anew in the background."`
	Retire struct {
		common
		ID string `arg:"" help:"Id of an old key."`
	} `cmd:"" help:"Stop using an old key. Refused while anything needs it."`
}

func (k *keyCommands) given(command string) common {
	switch command {
	case "keys new":
		return k.New.common
	case "keys rotate":
		return k.Rotate.common
	case "keys list":
		return k.List.common
	}
	return k.Retire.common
}

func (k *keyCommands) run(ctx context.Context, command, path string, out io.Writer) (int, error) {
	c, err := installed(path, k.given(command))
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat(c.Database); err != nil && filepath.Base(c.Database) == "huiqi.db" {
		return 0, configErrorf("%s 中没有已安装的系统，请用 --data 指明数据目录", c.Data)
	}
	ring, kept, err := c.ring()
	if err != nil {
		return 0, err
	}
	db, err := database.Open(ctx, c.Database)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := database.Migrate(ctx, db, Migrations()); err != nil {
		return 0, err
	}
	w := keyWork{c: c, db: db, ring: ring, out: out}
	if command == "keys list" {
		return 0, w.list(ctx, kept)
	}
	if c.ringFile() == "" {
		return 0, configErrorf("缺少 secrets.ring：请写明存放密钥的文件，例如 /etc/huiqi/keys.yaml，且只有本程序可读")
	}
	switch command {
	case "keys new":
		return 0, w.add(ctx, secret.Suite(k.New.Suite))
	case "keys rotate":
		return 0, w.rotate(ctx, k.Rotate.To, k.Rotate.Now)
	}
	return w.retire(ctx, k.Retire.ID)
}

// ring is the key ring, made of the configured key when there is no file yet; kept says whether there is one.
func (c Config) ring() (ring secret.Ring, kept bool, err error) {
	if path := c.ringFile(); path != "" {
		ring, err = secret.ReadRing(path)
		if err == nil {
			return ring, true, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return ring, false, configErrorf("secrets.ring：%v", plain(err))
		}
	}
	key, err := c.rootKey()
	if err != nil {
		return ring, false, err
	}
	if key == "" {
		return ring, false, configErrorf("缺少 secrets.key：请用 --config 指明本系统的配置文件")
	}
	ring = secret.NewRing(c.Secrets.KeyID, secret.Suite(c.Secrets.Suite), key, time.Now())
	_, err = ring.Keys()
	return ring, false, err
}

// keyWork is one command on the keys of an installation.
type keyWork struct {
	c    Config
	db   *database.DB
	ring secret.Ring
	out  io.Writer
}

var keyStates = map[secret.State]string{secret.Ready: "待启用", secret.Active: "使用中", secret.Old: "旧密钥", secret.Retired: "已停用"}

func (w keyWork) rotator() (secret.Rotator, error) {
	keys, err := w.ring.Keys()
	if err != nil {
		return secret.Rotator{}, err
	}
	box, err := secret.New(keys)
	return secret.Rotator{DB: w.db, Box: box, Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(w.out, &slog.HandlerOptions{Level: slog.LevelError})), Keepers: keepers()}, err
}

func (w keyWork) list(ctx context.Context, kept bool) error {
	if !kept {
		fmt.Fprintln(w.out, "尚无密钥环文件，使用配置中的单个密钥")
	}
	for _, k := range w.ring.List {
		fmt.Fprintf(w.out, "%-6s %-4s %s  生成于 %s\n", k.ID, k.Suite, keyStates[k.State], clock.Show(k.CreatedAt))
		if k.State != secret.Old {
			continue
		}
		uses, err := keepers().Uses(ctx, w.db.Read(), k.ID, k.Founding, time.Now().UTC())
		if err != nil {
			return err
		}
		w.showUses(uses)
	}
	r, err := w.rotator()
	if err != nil {
		return err
	}
	list, err := r.Progress(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	fmt.Fprintln(w.out, "换用现用密钥的进度：")
	for _, p := range list {
		state := "进行中"
		if p.Finished {
			state = "完成"
		}
		fmt.Fprintf(w.out, "  %-32s %d / %d 行  %s", p.Column, p.Done, p.Total, state)
		if p.Failed > 0 {
			fmt.Fprintf(w.out, "，%d 行无法解密", p.Failed)
		}
		fmt.Fprintln(w.out)
	}
	return nil
}

func (w keyWork) showUses(uses []secret.Use) {
	for _, u := range uses {
		fmt.Fprintf(w.out, "       仍在用：%s %d 行", u.Column, u.Rows)
		if u.Ends != "" {
			fmt.Fprintf(w.out, "（%s）", u.Ends)
		}
		fmt.Fprintln(w.out)
	}
}

// keep writes the ring, and who changed it into the audit log. The log comes first: there is no change without its entry.
func (w keyWork) keep(ctx context.Context, action, id, summary string) error {
	err := w.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, access.SystemActor("cli:"+terminalUser()), clock.System{}.Now(), audit.Record{Action: action, Object: "secret_key", Summary: summary, Detail: map[string]string{"key": id}})
	})
	if err != nil {
		return err
	}
	return w.ring.Write(w.c.ringFile())
}

func (w *keyWork) add(ctx context.Context, suite secret.Suite) error {
	if suite == "" {
		for _, k := range w.ring.List {
			if k.State == secret.Active {
				suite = k.Suite
			}
		}
	}
	k, err := w.ring.Add(suite, time.Now())
	if err != nil {
		return err
	}
	if err := w.keep(ctx, "secret.key_new", k.ID, "生成密钥 "+k.ID); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "已生成密钥 %s（%s），写入 %s\n请离线备份该文件；有多台服务器时，先复制到每一台，一分钟后再执行 huiqi keys rotate\n", k.ID, k.Suite, w.c.ringFile())
	return nil
}

func (w *keyWork) rotate(ctx context.Context, id string, here bool) error {
	if id == "" {
		for _, k := range w.ring.List {
			if k.State == secret.Ready {
				id = k.ID
			}
		}
		if id == "" && !here {
			return fmt.Errorf("没有待启用的密钥，请先执行 huiqi keys new")
		}
	}
	if id != "" {
		if err := w.ring.Activate(id); err != nil {
			return err
		}
		if err := w.keep(ctx, "secret.key_rotate", id, "启用密钥 "+id); err != nil {
			return err
		}
		fmt.Fprintf(w.out, "密钥 %s 已启用，运行中的程序在数秒内换用；已有数据在后台重新加密，进度见 huiqi keys list\n", id)
	}
	if !here {
		return nil
	}
	r, err := w.rotator()
	if err != nil {
		return err
	}
	p := newPrinter(w.out)
	r.Note = func(_ context.Context, format string, args ...any) { p.say(fmt.Sprintf(format, args...), 0, 0) }
	if err := r.Run(ctx); err != nil {
		return err
	}
	fmt.Fprintln(w.out, "全部数据已换用现用密钥")
	return nil
}

func (w *keyWork) retire(ctx context.Context, id string) (int, error) {
	k, ok := w.ring.Find(id)
	if !ok {
		return 0, secret.ErrNoSuchKey
	}
	if err := w.ring.Retire(id); err != nil { // kept below, once nothing needs the key
		return 0, err
	}
	uses, err := keepers().Uses(ctx, w.db.Read(), id, k.Founding, time.Now().UTC())
	if err != nil {
		return 0, err
	}
	if len(uses) > 0 {
		fmt.Fprintf(w.out, "%v：%s\n", secret.ErrKeyStillIn, id)
		w.showUses(uses)
		return 1, nil
	}
	if err := w.keep(ctx, "secret.key_retire", id, "停用密钥 "+id); err != nil {
		return 0, err
	}
	fmt.Fprintf(w.out, "密钥 %s 已停用，今后只用于核对以往的签名。旧备份仍需要它，请继续离线保管\n", id)
	return 0, nil
}
