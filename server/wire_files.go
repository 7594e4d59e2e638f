package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/integrations/clamav"
	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/jobs"
)

var _ file.Scanner = (*clamav.Client)(nil)

// connectScanner builds the client of the scanner; none is configured where an installation has none.
func (o *outside) connectScanner(c Config) error {
	if c.Files.Clamd == "" {
		return nil
	}
	client, err := clamav.New(c.Files.Clamd)
	if err != nil {
		return configErrorf("files.clamd：%v", err)
	}
	o.scanner = client
	return nil
}

// storageOf opens the named storage of the installation: folder or s3.
func storageOf(c Config, name string) (files.Storage, error) {
	if name == "s3" {
		s, err := files.OpenS3(files.S3Options{Endpoint: c.Files.S3.Endpoint, Bucket: c.Files.S3.Bucket, Key: c.Files.S3.Key, Secret: c.Files.S3.Secret,
			Region: c.Files.S3.Region, Prefix: c.Files.S3.Prefix, Spool: filepath.Join(c.Data, "files-spool")})
		if err != nil {
			return nil, configErrorf("files.s3：%v", err)
		}
		return s, nil
	}
	f, err := files.OpenFolder(filepath.Join(c.Data, "files"))
	if err != nil {
		return nil, fmt.Errorf("open the folder of files: %w", err)
	}
	return f, nil
}

// openFiles makes the keeper of uploads. Who may see what is asked of the modules that are made after it.
func (h *house) openFiles(c Config, p parts, w *jobs.Workers) error {
	storage, err := storageOf(c, c.Files.Storage)
	if err != nil {
		return err
	}
	h.uploads = &file.Service{
		DB: h.db, Clock: p.clock, Log: p.log, Store: files.New(storage, files.Purposes()), Scanner: p.scanner,
		CanSee: func(ctx context.Context, actor access.Actor, object string, id int64) error {
			sees, ok := h.sees[object]
			if !ok {
				return fault.ErrNotFound
			}
			return sees(ctx, actor, id)
		},
		Drafts: func(ctx context.Context, ownerID int64) ([]int64, error) {
			return h.applications.DraftFiles(ctx, ownerID)
		},
	}
	h.uploads.Work(w)
	h.tasks = append(h.tasks, h.uploads.SweepTask())
	return nil
}

// checkFiles looks at the start whether files can be kept. A bucket that is not there is a mistake in the configuration;
// a store that does not answer now may answer later, and everything else works meanwhile.
func (h *house) checkFiles(ctx context.Context, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := h.uploads.Store.Storage().Check(ctx)
	if errors.Is(err, files.ErrNoBucket) {
		return configErrorf("files.s3：%v", errors.Unwrap(err))
	}
	if err != nil {
		log.Error("files cannot be kept now", "error", err)
	}
	return nil
}

// ofFile tells the uploader that a file of theirs was put away after they had left.
func (n notices) ofFile(_ context.Context, _ bun.Tx, e event.Event) ([]message.Notice, error) {
	var f file.QuarantinedFact
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	if e.Type != "file.quarantined" || f.UserID == 0 {
		return nil, nil
	}
	notice := message.Notice{Template: e.Type, UserID: f.UserID, Params: map[string]string{"name": f.Name}}
	switch f.Object {
	case ticket.Object, application.Object:
		notice.Link = fmt.Sprintf("/%ss/%d", f.Object, f.ObjectID)
	case enterprise.ObjectAttempt:
		notice.Link = "/company"
	}
	return []message.Notice{notice}, nil
}
