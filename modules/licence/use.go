package licence

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// use is a paper handed in with something.
type use struct {
	bun.BaseModel `bun:"table:licence_uses,alias:u"`

	LicenceID int64     `bun:"licence_id,pk"`
	Object    string    `bun:"object,pk"`
	ObjectID  int64     `bun:"object_id,pk"`
	At        time.Time `bun:"at,notnull"`
	ByID      int64     `bun:"used_by,notnull"`
	ByName    string    `bun:"used_name,notnull"`
}

// Use hands a paper of the actor's company in with an object, in the transaction of the command that makes the object. It
// returns ErrReplaced for a paper that is not current, ErrExpired for one that is over, ErrNotFound for one of others, and
// what Companies.MayKeep says.
func (s *Service) Use(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, object string, objectID int64) error {
	if err := s.mine(ctx, tx, actor); err != nil {
		return err
	}
	l, err := find(ctx, tx, actor, id)
	if err != nil {
		return err
	}
	if l.State != Current {
		return ErrReplaced
	}
	now := s.Clock.Now()
	if left, dated := l.Left(now); dated && left < 0 {
		return ErrExpired
	}
	u := use{LicenceID: id, Object: object, ObjectID: objectID, At: now, ByID: actor.UserID, ByName: actor.Name}
	if _, err := tx.NewInsert().Model(&u).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("use licence %d: %w", id, err)
	}
	if _, err := event.Append(ctx, tx, actor, now, Used{l.head(""), object, objectID}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "licence.use", Object: Object, ObjectID: id, Summary: "使用证照",
		Detail: map[string]any{"object": object, "objectId": objectID}})
}

// FilesOf lists the pictures of the papers handed in with an object. The caller has established that the asker sees it.
func (s *Service) FilesOf(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error) {
	var rows []use
	if err := db.NewSelect().Model(&rows).Where("u.object = ? AND u.object_id = ?", object, id).OrderExpr("u.licence_id").Scan(ctx); err != nil {
		return nil, err
	}
	out := []FileView{}
	for _, u := range rows {
		list, err := s.Files.Of(ctx, db, Object, u.LicenceID)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// CanSee returns nil when the actor may read the pictures of a paper, ErrNotFound when they may not: its keepers, and
// whoever may see something it was handed in with.
func (s *Service) CanSee(ctx context.Context, actor access.Actor, id int64) error {
	db := s.DB.Read()
	l := new(Licence)
	if err := database.Found(db.NewSelect().Model(l).Where("l.id = ?", id).Scan(ctx)); err != nil {
		return err
	}
	if actor.Party == access.Enterprise && actor.EnterpriseID == l.EnterpriseID {
		err := s.Companies.MayKeep(ctx, db, l.EnterpriseID, actor.UserID)
		if k := fault.KindOf(err); err == nil || k != fault.Forbidden && k != fault.NotFound {
			return err
		}
	}
	var rows []use
	if err := db.NewSelect().Model(&rows).Where("u.licence_id = ?", id).OrderExpr("u.at DESC").Limit(100).Scan(ctx); err != nil {
		return err
	}
	for _, u := range rows {
		err := s.Sees(ctx, actor, u.Object, u.ObjectID)
		if k := fault.KindOf(err); err == nil || k == fault.Internal || k == fault.Unavailable {
			return err
		}
	}
	return ErrNotFound
}

// reminder is a threshold whose holders were reminded, or need not be any more.
type reminder struct {
	bun.BaseModel `bun:"table:licence_reminders,alias:m"`

	LicenceID int64     `bun:"licence_id,pk"`
	Threshold int       `bun:"threshold,pk"`
	At        time.Time `bun:"at,notnull"`
}

// batch is how many papers one transaction looks at.
const batch = 200

// Remind announces the papers that come to their end: once for each paper and threshold of its kind. A paper that has passed
// several at once is announced for the closest. Only the system may; run again it announces nothing anew.
func (s *Service) Remind(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	all, err := kinds(ctx, s.DB.Read())
	if err != nil {
		return 0, err
	}
	by, furthest := map[string]Kind{}, 0
	for _, k := range all {
		by[k.Code] = k
		for _, d := range k.Remind {
			furthest = max(furthest, d)
		}
	}
	now := s.Clock.Now().In(clock.Beijing)
	from, to := now.Format(time.DateOnly), now.AddDate(0, 0, furthest).Format(time.DateOnly)
	n, after := 0, int64(0)
	for {
		var rows []Licence
		err := s.DB.Read().NewSelect().Model(&rows).Where("l.state = ? AND l.expires_on >= ? AND l.expires_on <= ? AND l.id > ?", Current, from, to, after).
			OrderExpr("l.id").Limit(batch).Scan(ctx)
		if err != nil || len(rows) == 0 {
			return n, err
		}
		after = rows[len(rows)-1].ID
		told := 0
		err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			told = 0
			for i := range rows {
				did, err := s.remind(ctx, tx, actor, &rows[i], by[rows[i].Kind])
				if err != nil {
					return fmt.Errorf("remind of licence %d: %w", rows[i].ID, err)
				}
				if did {
					told++
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

func (s *Service) remind(ctx context.Context, tx bun.Tx, actor access.Actor, l *Licence, k Kind) (bool, error) {
	now := s.Clock.Now()
	left, _ := l.Left(now)
	threshold, ok := k.due(left)
	if !ok {
		return false, nil
	}
	r := reminder{LicenceID: l.ID, Threshold: threshold, At: now}
	res, err := tx.NewInsert().Model(&r).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	people, err := s.Companies.Keepers(ctx, tx, l.EnterpriseID)
	if err != nil {
		return false, err
	}
	_, err = event.Append(ctx, tx, actor, now, Expiring{l.head(k.Name), l.ExpiresOn, left, threshold, people})
	return true, err
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "licence.remind", Title: "证照到期提醒", Cron: "10 9 * * *", Timeout: 10 * time.Minute,
		Failure: "证照到期提醒没有发出。请查看服务日志中的原因，处理后在“定时任务”重新执行；提醒不会重复发送。",
		Run: func(ctx context.Context) error {
			n, err := s.Remind(ctx, access.SystemActor("job:licence.remind"))
			jobs.Note(ctx, "提醒 %d 份证照", n)
			return err
		}}}
}
