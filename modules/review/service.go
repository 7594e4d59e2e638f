package review

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/reason"
)

// Deps is what the module needs; all of it.
type Deps struct {
	DB    *database.DB
	Clock clock.Clock
	Lists []List
	// Works are the kinds of review that may be delegated, in the order in which they are shown.
	Works []Work
	Staff Staff
	// Hinted are the reviews with the steps at which hints can stand, in the order in which they are shown.
	Hinted []Hinted
}

// Service keeps the hints, the reasons and the delegations.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || len(d.Lists) == 0 || d.Staff == nil {
		panic("review: Deps is not complete")
	}
	return &Service{d}
}

func (s *Service) list(key string) (List, error) {
	i := slices.IndexFunc(s.Lists, func(l List) bool { return l.Key == key })
	if i < 0 {
		return List{}, ErrList
	}
	return s.Lists[i], nil
}

// Ensure brings the reasons an installation begins with. What an operator changed or retired stays. Only the system may.
func (s *Service) Ensure(ctx context.Context, actor access.Actor) error {
	if actor.Party != access.System {
		return fault.ErrForbidden
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, l := range s.Lists {
			for _, r := range l.First {
				x := l.row(r, now)
				if _, err := tx.NewInsert().Model(&x).On("CONFLICT (list, code) DO NOTHING").Exec(ctx); err != nil {
					return fmt.Errorf("reason %s of %s: %w", r.Code, l.Key, err)
				}
			}
		}
		return nil
	})
}

// Offered returns the reasons of a list that are in use, in their order. The caller has established that the asker reviews.
func (s *Service) Offered(ctx context.Context, db bun.IDB, key string) ([]reason.Reason, error) {
	l, err := s.list(key)
	if err != nil {
		return nil, err
	}
	rows, err := read(ctx, db, key)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 { // before the first start
		return reason.Ordered(l.First), nil
	}
	out := make([]reason.Reason, 0, len(rows))
	for _, r := range rows {
		if !r.Retired {
			out = append(out, r.reason())
		}
	}
	return out, nil
}

func read(ctx context.Context, db bun.IDB, key string) ([]row, error) {
	var rows []row
	if err := db.NewSelect().Model(&rows).Where("rr.list = ?", key).OrderExpr("rr.sort, rr.code").Scan(ctx); err != nil {
		return nil, fmt.Errorf("reasons of %s: %w", key, err)
	}
	return rows, nil
}

// View is a reason as its editor sees it.
type View struct {
	reason.Reason
	Version int64     `json:"version"`
	SetAt   time.Time `json:"setAt"`
	SetBy   string    `json:"setBy"`
}

// ListView is the reasons of one review as their editor sees them.
type ListView struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Items []View `json:"items" doc:"In their order, the retired ones among them."`
}

// All returns all lists with all reasons. It needs review.reasons.
func (s *Service) All(ctx context.Context, actor access.Actor) ([]ListView, error) {
	if err := actor.Need(PermReasons); err != nil {
		return nil, err
	}
	out := make([]ListView, 0, len(s.Lists))
	for _, l := range s.Lists {
		rows, err := read(ctx, s.DB.Read(), l.Key)
		if err != nil {
			return nil, err
		}
		v := ListView{Key: l.Key, Title: l.Title, Items: make([]View, 0, len(rows))}
		for _, r := range rows {
			v.Items = append(v.Items, View{r.reason(), r.Version, r.SetAt.UTC(), r.SetBy})
		}
		out = append(out, v)
	}
	return out, nil
}

// SaveReason adds a reason to a list (Version 0) or changes one.
type SaveReason struct {
	reason.Reason
	List    string `json:"list"`
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

// SaveReason adds a reason or changes one. Decisions that were made keep the words they were made with. It needs review.reasons; a
// version that is not the newest is a conflict.
func (s *Service) SaveReason(ctx context.Context, actor access.Actor, cmd SaveReason) ([]ListView, error) {
	if err := actor.Need(PermReasons); err != nil {
		return nil, err
	}
	l, err := s.list(cmd.List)
	if err != nil {
		return nil, err
	}
	if err := cmd.Check(); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	x := l.row(cmd.Reason, now)
	x.Version, x.SetBy = cmd.Version+1, actor.Name
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "review.reason", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			before, err := put(ctx, tx, x, cmd.Version)
			if err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "review.reason", Object: "return_reason", Summary: "设置退回原因：" + l.Title + "，" + x.Text,
				Detail: map[string]any{"list": l.Key, "before": before, "after": cmd.Reason}})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save reason %s of %s: %w", cmd.Code, cmd.List, err)
	}
	return s.All(ctx, actor)
}

// put writes the reason and returns what it was before, nil of a new one.
func put(ctx context.Context, tx bun.Tx, x row, version int64) (*reason.Reason, error) {
	// Who retires the last of a list and who retires the one before it at the same moment meet at the rows of the list.
	if _, err := tx.NewUpdate().Model((*row)(nil)).Set("list = list").Where("list = ?", x.List).Exec(ctx); err != nil {
		return nil, err
	}
	rows, err := read(ctx, tx, x.List)
	if err != nil {
		return nil, err
	}
	var before *reason.Reason
	used := 0
	for _, r := range rows {
		if r.Code == x.Code {
			is := r.reason()
			before = &is
		} else if !r.Retired {
			used++
		}
	}
	switch {
	case version == 0 && before != nil:
		return nil, ErrExists
	case version != 0 && before == nil:
		return nil, fault.ErrNotFound
	case x.Retired && used == 0:
		return nil, ErrLast
	case !x.Retired && used >= maxInUse:
		return nil, ErrMany
	}
	if version == 0 {
		_, err := tx.NewInsert().Model(&x).Exec(ctx)
		if database.IsDuplicate(err) {
			err = ErrExists.Wrap(err)
		}
		return nil, err
	}
	return before, database.Changed(tx.NewUpdate().Model(&x).Column("text", "words", "sort", "retired", "version", "set_at", "set_by").
		Where("list = ? AND code = ? AND version = ?", x.List, x.Code, version).Exec(ctx))
}

func (l List) row(r reason.Reason, at time.Time) row {
	return row{List: l.Key, Code: r.Code, Text: r.Text, Words: r.Words, Sort: r.Sort, Retired: r.Retired, Version: 1, SetAt: at, SetBy: "系统"}
}
