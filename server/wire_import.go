package server

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/huiqi/huiqi/modules/importing"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/sheet"
)

// openImports makes the imports. What may be imported joins them with joinImports. Their files have a folder of their own:
// they last for days and belong to no object.
func (h *house) openImports(c Config, p parts, workers *jobs.Workers) error {
	folder, err := files.OpenFolder(filepath.Join(c.Data, "imports"))
	if err != nil {
		return fmt.Errorf("open the folder of imports: %w", err)
	}
	h.imports = importing.New(importing.Deps{
		DB: h.db, Clock: p.clock, Box: h.box, Log: p.log, Files: files.New(folder, files.Purposes()), People: askers{h},
		Lease:  c.Jobs.lease(),
		Limits: importing.Limits{Rows: c.Imports.MaxRows, Keep: time.Duration(c.Imports.KeepDays) * 24 * time.Hour},
	}, workers)
	h.background = append(h.background, h.imports.Run)
	h.tasks = append(h.tasks, jobs.Task{Name: "import.expire", Title: "清理到期的导入明细和文件", Every: time.Hour, Run: func(ctx context.Context) error {
		if _, err := folder.Sweep(ctx, p.clock.Now().Add(-24*time.Hour)); err != nil {
			return err
		}
		return h.imports.Expire(ctx)
	}})
	return nil
}

// joinImports says what may be imported.
func (h *house) joinImports(p parts) {
	h.imports.Targets = []sheet.Target{h.enterprises.ImportTarget(), h.enterprises.QualityTarget(), h.identity.ImportTarget(), h.directory.ImportTarget(), h.tickets.ImportTarget()}
	h.imports.Feeds = h.feeds(p.registry)
	h.imports.Use(h.queue)
}

var _ importing.People = askers{}
