package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
)

// settingsCommands carry dictionaries and rules from one installation to another.
type settingsCommands struct {
	Export struct {
		common
		Out string `help:"File to write; empty prints." type:"path"`
	} `cmd:"" help:"Write what operators set (departments, roles, ticket types and their rules, calendar, directory, partners, policies …) as one YAML document."`
	Import struct {
		common
		Apply bool   `help:"Make the changes; without it they are only shown."`
		File  string `arg:"" help:"The document." type:"path"`
	} `cmd:"" help:"Show what a document would change; with --apply change it."`
}

func (s *settingsCommands) run(ctx context.Context, command, path string, out io.Writer) (int, error) {
	given := s.Export.common
	if command != "config export" {
		given = s.Import.common
	}
	c, err := installed(path, given)
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat(c.Database); err != nil && filepath.Base(c.Database) == "huiqi.db" {
		return 0, configErrorf("%s 中没有已安装的系统，请用 --data 指明数据目录", c.Data)
	}
	key, err := c.rootKey()
	if err != nil {
		return 0, err
	}
	if _, ok, err := c.keysWith(key); err != nil {
		return 0, err
	} else if !ok {
		return 0, configErrorf("缺少 secrets.key：请用 --config 指明本系统的配置文件")
	}
	h, closeHouse, err := unserved(ctx, c, key)
	if err != nil {
		return 0, err
	}
	defer closeHouse()
	if command == "config export" {
		return 0, s.export(ctx, h, c, out)
	}
	raw, err := os.ReadFile(s.Import.File)
	if err != nil {
		return 0, configErrorf("%s 读不出，请检查路径和权限", s.Import.File)
	}
	f, err := readSettings(raw)
	if err != nil {
		return 0, err
	}
	actor := settingsActor(terminalUser())
	p, err := h.planSettings(ctx, actor, f)
	if err != nil {
		return 0, err
	}
	p.show(out)
	switch {
	case len(p.problems) > 0:
		fmt.Fprintln(out, "文件有错误，未做任何改动")
		return 1, nil
	case len(p.changes) == 0:
		fmt.Fprintln(out, "没有需要变更的内容")
		return 0, nil
	case !s.Import.Apply:
		fmt.Fprintln(out, "以上仅为预览，未做任何改动；确认后加 --apply 执行")
		return 0, nil
	}
	if err := h.applySettings(ctx, actor, p, raw, out); err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "导入完成，%d 项变更已生效并记入审计日志\n", len(p.changes))
	return 0, nil
}

func (s *settingsCommands) export(ctx context.Context, h *house, c Config, out io.Writer) error {
	if s.Export.Out == "" {
		return h.exportSettings(ctx, c, out)
	}
	f, err := os.OpenFile(s.Export.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return configErrorf("%s 已存在，请另取文件名", s.Export.Out)
	} else if err != nil {
		return err
	}
	if err := errors.Join(h.exportSettings(ctx, c, f), f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(out, "配置已导出到 %s\n", s.Export.Out)
	return nil
}

// terminalUser is who the operating system says sits there.
func terminalUser() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}
