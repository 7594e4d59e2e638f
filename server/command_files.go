package server

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/platform/access"
)

// fileCommands look after uploads from the command line.
type fileCommands struct {
	Check struct{ common } `cmd:"" help:"Hold every file's row against its content; ends with 1 when something is missing."`
	Sweep struct {
		common
		OlderThan time.Duration `help:"Age from which content without a row is removed." default:"24h"`
	} `cmd:"" help:"Remove what killed uploads left behind."`
	Copy struct {
		common
		To       string `help:"Storage to copy to: s3 or folder." enum:"s3,folder" required:""`
		Thorough bool   `help:"Also read back what was copied before."`
	} `cmd:"" help:"Copy all files into the other storage; may be stopped and started again."`
}

var byHand = access.SystemActor("command:files")

// runFiles does one of them and returns the exit code.
func runFiles(ctx context.Context, command string, cli *commands, flags map[string]any, out io.Writer) (int, error) {
	given := map[string]common{"files check": cli.Files.Check.common, "files sweep": cli.Files.Sweep.common, "files copy": cli.Files.Copy.common}
	given[command].into(flags)
	c, err := load(cli.Config, flags)
	if err != nil {
		return 0, err
	}
	key := c.Secrets.Key
	if c.Demo {
		d, err := readDemo(c.Data)
		if err != nil {
			return 0, err
		}
		key = d.Key
	}
	h, closeHouse, err := unserved(ctx, c, key)
	if err != nil {
		return 0, err
	}
	defer closeHouse()
	switch command {
	case "files check":
		return checkFiles(ctx, h, out)
	case "files sweep":
		now := h.clock.Now()
		s, err := h.uploads.Sweep(ctx, byHand, now.Add(-cli.Files.Sweep.OlderThan), now.AddDate(0, 0, -30))
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(out, "已清理：未完成的上传 %d 个，无主内容 %d 个，30 天未提交的上传 %d 个；缺失内容的文件 %d 个\n", s.Drafts, s.Orphans, s.Loose, len(s.Missing))
		return 0, nil
	}
	return copyFiles(ctx, h, c, cli.Files.Copy.To, cli.Files.Copy.Thorough, out)
}

func checkFiles(ctx context.Context, h *house, out io.Writer) (int, error) {
	r, err := h.uploads.Check(ctx, byHand)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "文件记录 %d 条，内容 %d 份，无主内容 %d 份，缺失内容的记录 %d 条\n", r.Rows, r.Objects, r.Orphans, len(r.Missing))
	for _, id := range r.Missing {
		fmt.Fprintf(out, "缺失：文件 %d\n", id)
	}
	if len(r.Missing) > 0 {
		return 1, nil
	}
	return 0, nil
}

func copyFiles(ctx context.Context, h *house, c Config, to string, thorough bool, out io.Writer) (int, error) {
	from := "folder"
	if to == "folder" {
		from = "s3"
	}
	if c.Files.S3.Endpoint == "" {
		return 0, configErrorf("files.s3 尚未配置，请先填写 endpoint、bucket、key、secret")
	}
	source, err := storageOf(c, from)
	if err != nil {
		return 0, err
	}
	target, err := storageOf(c, to)
	if err != nil {
		return 0, err
	}
	if err := target.Check(ctx); err != nil {
		return 0, fmt.Errorf("the target cannot be used: %w", err)
	}
	r, err := h.uploads.Copy(ctx, byHand, source, target, thorough, func(r file.Copied) {
		if r.Done%1000 == 0 {
			fmt.Fprintf(out, "已处理 %d 个，复制 %d 个（%d MB），跳过 %d 个\n", r.Done, r.Copied, r.Bytes>>20, r.Skipped)
		}
	})
	fmt.Fprintf(out, "共处理 %d 个，复制 %d 个（%d MB），已有 %d 个，异常 %d 个\n", r.Done, r.Copied, r.Bytes>>20, r.Skipped, len(r.Bad))
	for _, id := range r.Bad {
		fmt.Fprintf(out, "异常：文件 %d 的内容缺失或与上传时不一致，请从备份恢复\n", id)
	}
	if err != nil {
		return 0, fmt.Errorf("stopped; start the command again to go on: %w", err)
	}
	if len(r.Bad) > 0 {
		return 1, nil
	}
	return 0, nil
}
