package institution

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/jobs"
)

// thresholds are how many days before its end a qualification is reminded of, the closest first.
var thresholds = []int{0, 7, 30}

// reminder is a threshold whose people were told.
type reminder struct {
	bun.BaseModel `bun:"table:institution_reminders,alias:m"`

	InstitutionID int64     `bun:"institution_id,pk"`
	Name          string    `bun:"name,pk"`
	No            string    `bun:"no,pk"`
	To            string    `bun:"valid_to,pk"`
	Threshold     int       `bun:"threshold,pk"`
	At            time.Time `bun:"at,notnull"`
}

// daysLeft counts from today to a last day, 0 without one.
func (s *Service) daysLeft(to string) int {
	end, err := time.Parse(time.DateOnly, to)
	if err != nil {
		return 0
	}
	today, _ := time.Parse(time.DateOnly, s.today())
	return int(end.Sub(today).Hours() / 24)
}

// RemindExpiring announces the qualifications that come to their end, once for each and threshold; one that has passed
// several at once is announced for the closest. Only the system may; run again it announces nothing anew.
func (s *Service) RemindExpiring(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	n, after := 0, int64(0)
	for {
		var rows []Institution
		err := s.DB.Read().NewSelect().Model(&rows).Where("i.id > ? AND i.qualifications <> '[]'", after).OrderExpr("i.id").Limit(200).Scan(ctx)
		if err != nil || len(rows) == 0 {
			return n, err
		}
		after = rows[len(rows)-1].ID
		told := 0
		err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			told = 0
			for i := range rows {
				for _, q := range rows[i].Qualifications {
					did, err := s.remind(ctx, tx, actor, &rows[i], q)
					if err != nil {
						return fmt.Errorf("remind institution %d: %w", rows[i].ID, err)
					}
					if did {
						told++
					}
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += told
	}
}

func (s *Service) remind(ctx context.Context, tx bun.Tx, actor access.Actor, i *Institution, q Licence) (bool, error) {
	left := s.daysLeft(q.To)
	if q.To == "" || left < 0 {
		return false, nil
	}
	now := s.Clock.Now()
	for _, t := range thresholds {
		if left > t {
			continue
		}
		r := reminder{InstitutionID: i.ID, Name: q.Name, No: q.No, To: q.To, Threshold: t, At: now}
		res, err := tx.NewInsert().Model(&r).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return false, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return false, err
		}
		_, err = event.Append(ctx, tx, actor, now, Expiring{ID: i.ID, Name: i.Name, Paper: q.Name, To: q.To, Days: left})
		return true, err
	}
	return false, nil
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "institution.remind_reviews", Title: "提醒超时的机构入驻审核", Every: 15 * time.Minute, Timeout: time.Minute,
		Failure: "超时的机构入驻审核没有提醒审核人员。请查看服务日志中的原因；恢复后自动补发。",
		Run: func(ctx context.Context) error {
			n, err := s.RemindReviews(ctx, access.SystemActor("job:institution.remind_reviews"))
			if n > 0 {
				jobs.Note(ctx, "提醒 %d 件", n)
			}
			return err
		}}, {Name: "institution.remind_expiring", Title: "机构资质到期提醒", Cron: "20 9 * * *", Timeout: 10 * time.Minute,
		Failure: "机构资质到期提醒没有发出。请查看服务日志中的原因，处理后在“定时任务”重新执行；提醒不会重复发送。",
		Run: func(ctx context.Context) error {
			n, err := s.RemindExpiring(ctx, access.SystemActor("job:institution.remind_expiring"))
			jobs.Note(ctx, "提醒 %d 项资质", n)
			return err
		}}}
}
