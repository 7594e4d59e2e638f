package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/jobs"
)

// expiryDays are how many days before the term of a public product ends its institution is reminded, each once.
var expiryDays = []int{30, 7, 1}

// Expiring is announced when the term of a public product is about to end, some days before.
type Expiring struct {
	Head
	Until string `json:"until"` // the last day
	Days  int    `json:"days"`  // that are left, 0 on the last one
}

// Event names the fact.
func (f Expiring) Event() (string, string, int64) { return "product.expiring", Object, f.ID }

// reminderNo numbers the reminders of an edition so that a later one is larger, and those of the next edition larger still.
func reminderNo(edition int64, days int) int64 { return edition*1000 + int64(999-days) }

// RemindExpiring announces the public products whose term is about to end, each reminder once whatever the number of processes; of
// reminders that came due together the nearest. Only the system may.
func (s *Service) RemindExpiring(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	now, n := s.Clock.Now(), 0
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		for _, days := range []int{expiryDays[2], expiryDays[1], expiryDays[0]} {
			var rows []Product
			err := tx.NewSelect().Model(&rows).Where("p.shown > 0 AND p.expires_at > ? AND p.expires_at <= ?", now, now.AddDate(0, 0, days)).
				Where("p.expiry_told < p.shown * 1000 + ?", 999-days).OrderExpr("p.id").Limit(100).Scan(ctx)
			if err != nil {
				return fmt.Errorf("products about to expire: %w", err)
			}
			for i := range rows {
				did, err := s.remindExpiring(ctx, tx, actor, &rows[i], days, now)
				if err != nil {
					return err
				}
				if did {
					n++
				}
			}
		}
		return nil
	})
	return n, err
}

func (s *Service) remindExpiring(ctx context.Context, tx bun.Tx, actor access.Actor, p *Product, days int, now time.Time) (bool, error) {
	mark := reminderNo(p.Shown, days)
	res, err := tx.NewUpdate().Model((*Product)(nil)).Set("expiry_told = ?", mark).
		Where("id = ? AND shown = ? AND expires_at = ? AND expiry_told < ?", p.ID, p.Shown, p.ExpiresAt, mark).Exec(ctx)
	if err != nil {
		return false, err
	}
	if did, err := res.RowsAffected(); err != nil || did == 0 { // another process, or a new edition, was first
		return false, err
	}
	e, err := edition(ctx, tx, p.ID, p.Shown)
	if err != nil {
		return false, err
	}
	d := dossier{Product: p, newest: e, public: e}
	left := int(p.ExpiresAt.Sub(now).Hours()) / 24
	_, err = event.Append(ctx, tx, actor, now, Expiring{Head: d.head(e), Until: e.ValidUntil, Days: left})
	return err == nil, err
}

func (s *Service) expiring() jobs.Task {
	return jobs.Task{Name: "product.remind_expiring", Title: "提醒即将到期的产品", Every: time.Hour, Timeout: time.Minute,
		Failure: "即将到期的产品没有提醒机构。请查看服务日志中的原因；恢复后自动补发。",
		Run: func(ctx context.Context) error {
			n, err := s.RemindExpiring(ctx, access.SystemActor("job:product.remind_expiring"))
			if n > 0 {
				jobs.Note(ctx, "提醒 %d 个产品", n)
			}
			return err
		}}
}
