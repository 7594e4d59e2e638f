package server

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/huiqi/huiqi/modules/export"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/sheet"
)

// openExports makes the exports. What may be exported joins them with joinExports, once the lists are there. Their files
// have a folder of their own: they last for days, are in no backup and belong to no object.
func (h *house) openExports(c Config, p parts, workers *jobs.Workers) error {
	folder, err := files.OpenFolder(filepath.Join(c.Data, "exports"))
	if err != nil {
		return fmt.Errorf("open the folder of exports: %w", err)
	}
	h.exports = export.New(export.Deps{
		DB: h.db, Clock: p.clock, Box: h.box, Log: p.log, Storage: folder, People: askers{h}, District: c.District,
		Lease:  c.Jobs.lease(),
		Limits: export.Limits{Rows: c.Exports.MaxRows, PerDay: c.Exports.PerDay, Keep: time.Duration(c.Exports.KeepDays) * 24 * time.Hour},
	}, workers)
	h.background = append(h.background, h.exports.Run)
	h.tasks = append(h.tasks, jobs.Task{Name: "export.expire", Title: "清理到期的导出文件", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
		if _, err := folder.Sweep(ctx, p.clock.Now().Add(-24*time.Hour)); err != nil {
			return err
		}
		return h.exports.Expire(ctx)
	}})
	return nil
}

// joinExports says which lists may leave.
func (h *house) joinExports() {
	h.exports.Sources = []sheet.Source{
		h.tickets.ExportSource(), h.catalog.ExportSource(), h.applications.ExportSource(), h.applications.ResultSource(), h.enterprises.ExportSource(), h.identity.ExportSource(), h.messages.ExportSource(), h.exchange.ExportSource(),
		h.directory.ExportSource(), h.appraisal.ExportSource(), h.quality.ExportSource(), h.enterprises.QualitySource(), h.policies.ReverseSource(), h.evaluations.ExportSource(), h.evaluations.RankSource(), h.evidence.ExportSource(), h.demands.ExportSource(), h.offline.ExportSource(), h.channels.ExportSource(), h.channels.StatsSource(), h.policies.GrantSource(),
	}
	h.exports.Use(h.queue)
}

// askers tells the exports and imports about the people who asked for them.
type askers struct{ *house }

var _ export.People = askers{}

// Now returns the person with the rights of this moment.
func (a askers) Now(ctx context.Context, userID int64) (access.Actor, error) {
	return a.identity.Now(ctx, access.SystemActor("job:sheet"), userID)
}

// Place names the department or institution of a person.
func (a askers) Place(ctx context.Context, actor access.Actor) (string, error) {
	if actor.InstitutionID != 0 {
		return a.institutions.InstitutionName(ctx, a.db.Read(), actor.InstitutionID)
	}
	return actor.DepartmentName, nil
}
