package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// scanTime is how long a person waits for the scanner; then the file does.
const scanTime = 15 * time.Second

// scanAgain is how long a job waits for a scanner that is down.
const scanAgain = 30 * time.Second

// QuarantinedFact is announced when a virus is found in a file that was taken before it could be scanned. Only that is
// told: a person whose upload is refused knows it from the answer.
type QuarantinedFact struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	UserID   int64  `json:"userId"`
	Object   string `json:"object"` // "" when it is tied to none
	ObjectID int64  `json:"objectId"`
}

// Object is the name of a file in events.
const Object = "file"

// Event names the fact.
func (f QuarantinedFact) Event() (string, string, int64) { return "file.quarantined", Object, f.ID }

// scanArgs asks for a file to be scanned.
type scanArgs struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (scanArgs) Kind() string { return "file.scan" }

// Work registers the worker that asks the scanner again.
func (s *Service) Work(w *jobs.Workers) {
	jobs.Work(w, func(ctx context.Context, job scanArgs) error {
		err := s.Rescan(ctx, access.SystemActor("job:file.scan"), job.ID)
		if errors.Is(err, errNoVerdict) {
			return jobs.Snooze(scanAgain)
		}
		return err
	})
}

var errNoVerdict = errors.New("file: the scanner gave no verdict")

// Save keeps an upload of a signed-in person. The content must be what the extension says, allowed for the purpose, and
// without malware; with the scanner down it is kept and waits.
func (s *Service) Save(ctx context.Context, actor access.Actor, purpose, name string, content io.Reader) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	// The content is on disk before the row exists: a row without its content is never seen.
	stored, err := s.Store.Put(ctx, content, name, purpose)
	if err != nil {
		return View{}, err
	}
	r := row{Key: stored.Key, Name: stored.Name, Mime: stored.MIME, Size: stored.Size, SHA256: stored.SHA256, Inline: stored.Inline(),
		OwnerID: actor.UserID, State: Available}
	if s.Scanner != nil {
		scan, cancel := context.WithTimeout(ctx, scanTime)
		r.State, r.Virus, err = s.verdict(scan, r.Key)
		cancel()
		if err != nil {
			s.Log.Warn("an upload waits for the scanner", "error", err)
		}
	}
	r.CreatedAt = s.Clock.Now()
	if r.State != Waiting && s.Scanner != nil {
		r.ScannedAt = &r.CreatedAt
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&r).Returning("id").Exec(ctx); err != nil {
			return err
		}
		if r.State == Waiting {
			if err := s.queue.Insert(ctx, tx, scanArgs{r.ID}, jobs.At(r.CreatedAt.Add(scanAgain))); err != nil {
				return err
			}
		}
		if r.State == Quarantined {
			return s.auditVirus(ctx, tx, actor, r, r.CreatedAt)
		}
		return audit.Write(ctx, tx, actor, r.CreatedAt, audit.Record{Action: "file.upload", Object: Object, ObjectID: r.ID, Summary: "上传文件"})
	})
	if err != nil {
		return View{}, errors.Join(err, s.Store.Delete(context.WithoutCancel(ctx), r.Key))
	}
	if r.State == Quarantined {
		return View{}, ErrVirus.On("file")
	}
	return r.view(), nil
}

func (s *Service) auditVirus(ctx context.Context, tx bun.Tx, actor access.Actor, r row, now time.Time) error {
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "file.quarantine", Object: Object, ObjectID: r.ID, Summary: "文件含有病毒，已隔离",
		Detail: map[string]any{"virus": r.Virus, "sha256": r.SHA256, "size": r.Size, "ownerId": r.OwnerID, "object": r.Object, "objectId": r.ObjectID}})
}

// verdict asks the scanner about kept content. With an error the file waits.
func (s *Service) verdict(ctx context.Context, key string) (State, string, error) {
	content, err := s.Store.Open(ctx, key)
	if err != nil {
		return Waiting, "", err
	}
	defer content.Close()
	virus, err := s.Scanner.Scan(ctx, content)
	switch {
	case err != nil:
		return Waiting, "", err
	case virus != "":
		return Quarantined, virus, nil
	}
	return Available, "", nil
}

// Rescan asks the scanner about a file that waits, and does nothing for any other. Only the system may.
func (s *Service) Rescan(ctx context.Context, actor access.Actor, id int64) error {
	if actor.Party != access.System {
		return fault.ErrForbidden
	}
	var r row
	if err := s.DB.Read().NewSelect().Model(&r).Where("id = ?", id).Scan(ctx); err != nil {
		return jobs.Cancel(fmt.Errorf("scan file %d: %w", id, err)) // it was swept meanwhile
	}
	if r.State != Waiting {
		return nil
	}
	if s.Scanner == nil {
		return fmt.Errorf("%w: none is configured", errNoVerdict)
	}
	state, virus, err := s.verdict(ctx, r.Key)
	if fault.KindOf(err) == fault.NotFound {
		return jobs.Cancel(fmt.Errorf("scan file %d: %w", id, err))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNoVerdict, err)
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		// The object may have been tied while the scanner looked: the row is read again by the update.
		var after row
		res, err := tx.NewUpdate().Model(&after).Set("state = ?", state).Set("virus = ?", virus).Set("scanned_at = ?", now).
			Where("id = ? AND state = ?", id, Waiting).Returning("*").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || state != Quarantined {
			return err
		}
		if err := s.auditVirus(ctx, tx, actor, after, now); err != nil {
			return err
		}
		_, err = event.Append(ctx, tx, actor, now, QuarantinedFact{ID: id, Name: after.Name, UserID: after.OwnerID, Object: after.Object, ObjectID: after.ObjectID})
		return err
	})
}
