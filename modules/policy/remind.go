package policy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Reminder is what a follower is told before a window closes.
type Reminder struct {
	Key      string // makes a repeat harmless
	UserID   int64
	PolicyID int64
	Title    string
	ClosesOn string // 2027年1月21日
	Left     string // 还有 7 天
}

// Reminding tells people, in the transaction of the caller.
type Reminding interface {
	Remind(ctx context.Context, tx bun.Tx, r Reminder) error
}

// remindAt are the days before the last one on which followers are told, the earliest first.
var remindAt = []int{7, 2}

// reminded is a reminder that was given: of a policy, for a last day, so many days before.
type reminded struct {
	bun.BaseModel `bun:"table:policy_reminders"`

	PolicyID int64     `bun:"policy_id,pk"`
	ClosesOn string    `bun:"closes_on,pk"`
	Days     int       `bun:"days,pk"`
	At       time.Time `bun:"at,notnull"`
	People   int       `bun:"people,notnull"`
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{
		Name: "policy.remind", Title: "提醒订阅人申报即将截止", Every: 10 * time.Minute,
		Failure: "订阅政策的企业可能收不到截止提醒，请查看服务日志，处理后自动补发。",
		Run: func(ctx context.Context) error {
			n, err := s.RemindDue(ctx, access.SystemActor("job:policy.remind"))
			if n > 0 {
				jobs.Note(ctx, "提醒 %d 人次", n)
			}
			return err
		},
	}}
}

// RemindDue tells the followers of policies whose window closes within seven days, and again within two, each once; it
// returns how many were told. Only the system may.
func (s *Service) RemindDue(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, fault.ErrForbidden
	}
	if s.reminding == nil {
		return 0, nil
	}
	now := s.clock.Now()
	today := dayOf(now)
	var due []Policy
	err := inForce(s.db.Read().NewSelect().Model(&due), today).Where("p.closes_on <> '' AND p.closes_on >= ? AND p.closes_on <= ?", today, dayOf(now.AddDate(0, 0, remindAt[0]))).
		OrderExpr("p.deadline, p.id").Limit(1000).Scan(ctx)
	if err != nil {
		return 0, err
	}
	told := 0
	for i := range due {
		n, err := s.remind(ctx, &due[i], now)
		told += n
		if err != nil {
			return told, fmt.Errorf("remind of policy %d: %w", due[i].ID, err)
		}
	}
	return told, nil
}

// remind gives the reminder that is due of one policy, if it was not given.
func (s *Service) remind(ctx context.Context, p *Policy, now time.Time) (int, error) {
	left := int(timeOf(p.ClosesOn).Sub(timeOf(dayOf(now))).Hours() / 24)
	days := remindAt[0]
	for _, d := range remindAt {
		if left <= d {
			days = d
		}
	}
	done, err := s.db.Read().NewSelect().Model((*reminded)(nil)).Where("policy_id = ? AND closes_on = ? AND days = ?", p.ID, p.ClosesOn, days).Exists(ctx)
	if err != nil || done {
		return 0, err
	}
	to, err := followers(ctx, s.db.Read(), p, true)
	if err != nil {
		return 0, err
	}
	r := Reminder{Key: fmt.Sprintf("policy.closing:%d:%s:%d", p.ID, p.ClosesOn, days), PolicyID: p.ID, Title: p.Title, ClosesOn: page.Date(timeOf(p.ClosesOn)),
		Left: fmt.Sprintf("还有 %d 天", left)}
	if left == 0 {
		r.Left = "今天是最后一天"
	}
	for part := range slices.Chunk(to, 50) {
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for _, user := range part {
				r.UserID = user
				if err := s.reminding.Remind(ctx, tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return len(to), s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row := reminded{PolicyID: p.ID, ClosesOn: p.ClosesOn, Days: days, At: now, People: len(to)}
		_, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		return err
	})
}
