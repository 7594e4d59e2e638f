package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/worktime"
)

// Move is a deadline that a version moves.
type Move struct {
	TicketID int64     `json:"ticketId"`
	Number   string    `json:"number"`
	Title    string    `json:"title"`
	UnitName string    `json:"unitName"`
	Label    string    `json:"label" doc:"Which deadline."`
	OldDueAt time.Time `json:"oldDueAt"`
	NewDueAt time.Time `json:"newDueAt"`
}

// Moves is a part of a preview.
type Moves struct {
	Items  []Move
	Looked int    // how many running deadlines were reckoned for it
	Next   string // where the next part begins; "" when all were looked at
}

// Deadlines is who has deadlines.
type Deadlines interface {
	// Moves reckons a bounded number of running deadlines with the calendar, from the cursor on.
	Moves(ctx context.Context, c *worktime.Calendar, cursor string) (Moves, error)
	// UseCalendar puts a version in force in the transaction in which it is published.
	UseCalendar(ctx context.Context, tx bun.Tx, number int64) error
}

// Deps is what the module needs, all of it.
type Deps struct {
	DB        *database.DB
	Clock     clock.Clock
	Deadlines Deadlines
}

// Service keeps the versions.
type Service struct {
	Deps

	mu    sync.Mutex
	known map[int64]*worktime.Calendar // published versions, which never change
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Deadlines == nil {
		panic("calendar: Deps is not complete")
	}
	return &Service{Deps: d, known: map[int64]*worktime.Calendar{}}
}

// Calendar returns the version of the number, which was published. It is kept in memory.
func (s *Service) Calendar(ctx context.Context, db bun.IDB, number int64) (*worktime.Calendar, error) {
	s.mu.Lock()
	c := s.known[number]
	s.mu.Unlock()
	if c != nil {
		return c, nil
	}
	v, err := one(ctx, db, number)
	if err != nil {
		return nil, err
	}
	if c, err = v.calendar(); err != nil {
		return nil, err
	}
	if v.State != Draft {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.known[number] = c
	}
	return c, nil
}

// InForce returns the calendar that counts now, fault.ErrNotFound before the first was published.
func (s *Service) InForce(ctx context.Context, db bun.IDB) (*worktime.Calendar, error) {
	var number int64
	if err := db.NewSelect().Model((*version)(nil)).Column("id").Where("v.state = ?", Published).Scan(ctx, &number); err != nil {
		return nil, database.Found(err)
	}
	return s.Calendar(ctx, db, number)
}

func one(ctx context.Context, db bun.IDB, id int64) (*version, error) {
	v := new(version)
	if err := db.NewSelect().Model(v).Where("v.id = ?", id).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return v, nil
}

// inForce is the version that counts; ErrNotFound before one was published.
func inForce(ctx context.Context, db bun.IDB) (*version, error) {
	v := new(version)
	if err := db.NewSelect().Model(v).Where("v.state = ?", Published).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return v, nil
}

// Ensure publishes the definition when there is no version yet. Only the system may.
func (s *Service) Ensure(ctx context.Context, actor access.Actor, d Definition) error {
	if actor.Party != access.System {
		return fault.ErrForbidden
	}
	c, err := d.Calendar()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if n, err := tx.NewSelect().Model((*version)(nil)).Exists(ctx); err != nil || n {
			return err
		}
		v := version{State: Published, Note: "随程序提供，依据国务院办公厅历年放假通知", Definition: string(raw), Version: 1,
			CreatedAt: now, CreatedBy: "系统", ChangedAt: now, ChangedBy: "系统", PublishedAt: &now, PublishedBy: "系统"}
		if err := database.Insert(ctx, tx, &v); database.IsDuplicate(err) {
			return fault.ErrChanged.Wrap(err)
		} else if err != nil {
			return err
		}
		if err := s.Deadlines.UseCalendar(ctx, tx, v.ID); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "calendar.publish", Object: "calendar", ObjectID: v.ID, Summary: "发布随程序提供的工作日历"})
	})
	if errors.Is(err, fault.ErrChanged) {
		return nil // another process was quicker
	}
	return err
}

// View is a version as it is shown.
type View struct {
	ID          int64      `json:"id"`
	State       State      `json:"state" enum:"draft,published,superseded"`
	Note        string     `json:"note"`
	Version     int64      `json:"version"`
	CreatedAt   time.Time  `json:"createdAt"`
	CreatedBy   string     `json:"createdBy"`
	ChangedAt   time.Time  `json:"changedAt"`
	ChangedBy   string     `json:"changedBy"`
	PublishedAt *time.Time `json:"publishedAt,omitempty"`
	PublishedBy string     `json:"publishedBy,omitempty"`
	Definition  Definition `json:"definition"`
	Warnings    []string   `json:"warnings"`
}

func (s *Service) view(v *version) (View, error) {
	c, err := v.calendar()
	if err != nil {
		return View{}, err
	}
	out := View{ID: v.ID, State: v.State, Note: v.Note, Version: v.Version, CreatedAt: v.CreatedAt.UTC(), CreatedBy: v.CreatedBy, ChangedAt: v.ChangedAt.UTC(), ChangedBy: v.ChangedBy,
		PublishedBy: v.PublishedBy, Definition: definition(c), Warnings: Warnings(c, s.Clock.Now())}
	if v.PublishedAt != nil {
		at := v.PublishedAt.UTC()
		out.PublishedAt = &at
	}
	return out, nil
}

// Standing is the version in force and the draft, if there is one.
type Standing struct {
	Current   View  `json:"current"`
	Draft     *View `json:"draft,omitempty"`
	CanManage bool  `json:"canManage"`
}

// Standing returns the version in force and the draft. It needs calendar.view.
func (s *Service) Standing(ctx context.Context, actor access.Actor) (Standing, error) {
	if err := actor.Need(PermView); err != nil {
		return Standing{}, err
	}
	cur, err := inForce(ctx, s.DB.Read())
	if err != nil {
		return Standing{}, err
	}
	st := Standing{CanManage: actor.Can(PermManage)}
	if st.Current, err = s.view(cur); err != nil {
		return st, err
	}
	var drafts []version
	if err := s.DB.Read().NewSelect().Model(&drafts).Where("v.state = ?", Draft).Scan(ctx); err != nil || len(drafts) == 0 {
		return st, err
	}
	v, err := s.view(&drafts[0])
	st.Draft = &v
	return st, err
}

// List returns a page of the versions, newest first, and the id after which the next begins. It needs calendar.view.
func (s *Service) List(ctx context.Context, actor access.Actor, before int64, limit int) ([]View, int64, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, 0, err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	var rows []version
	q := s.DB.Read().NewSelect().Model(&rows).OrderExpr("v.id DESC").Limit(int64(limit + 1))
	if before > 0 {
		q = q.Where("v.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, 0, err
	}
	var next int64
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].ID
	}
	views := make([]View, 0, len(rows))
	for i := range rows {
		v, err := s.view(&rows[i])
		if err != nil {
			return nil, 0, err
		}
		views = append(views, v)
	}
	return views, next, nil
}

// Get returns one version. It needs calendar.view.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if err := actor.Need(PermView); err != nil {
		return View{}, err
	}
	v, err := one(ctx, s.DB.Read(), id)
	if err != nil {
		return View{}, err
	}
	return s.view(v)
}

// Begin returns the draft, a new one like the version in force when there is none. It needs calendar.manage.
func (s *Service) Begin(ctx context.Context, actor access.Actor, key string) (View, error) {
	return s.change(ctx, actor, "calendar.begin", key, nil, func(ctx context.Context, tx bun.Tx, now time.Time) (int64, string, error) {
		var ids []int64
		if err := tx.NewSelect().Model((*version)(nil)).Column("id").Where("v.state = ?", Draft).Scan(ctx, &ids); err != nil {
			return 0, "", err
		}
		if len(ids) > 0 {
			return ids[0], "", nil
		}
		cur, err := inForce(ctx, tx)
		if err != nil {
			return 0, "", err
		}
		v := version{State: Draft, BaseID: cur.ID, Definition: cur.Definition, Version: 1, CreatedAt: now, CreatedBy: actor.Name, ChangedAt: now, ChangedBy: actor.Name}
		if err := database.Insert(ctx, tx, &v); database.IsDuplicate(err) {
			return 0, "", ErrStale.Wrap(err)
		} else if err != nil {
			return 0, "", err
		}
		return v.ID, "新建工作日历草稿", nil
	})
}

// Save asks to change the draft.
type Save struct {
	ID         int64      `json:"id"`
	Version    int64      `json:"version"`
	Key        string     `json:"-"`
	Note       string     `json:"note"`
	Definition Definition `json:"definition"`
}

const maxNote = 500

// Save changes the draft. It needs calendar.manage and returns ErrStale and ErrNotDraft.
func (s *Service) Save(ctx context.Context, actor access.Actor, cmd Save) (View, error) {
	c, err := cmd.Definition.Calendar()
	if err != nil {
		return View{}, err
	}
	note := strings.TrimSpace(cmd.Note)
	if utf8.RuneCountInString(note) > maxNote || !utf8.ValidString(note) {
		return View{}, fault.InvalidField("note", "TOO_LONG", fmt.Sprintf("说明最多 %d 个字", maxNote))
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, "calendar.save", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx, now time.Time) (int64, string, error) {
		v, err := draft(ctx, tx, cmd.ID)
		if err != nil {
			return 0, "", err
		}
		v.Note, v.Definition, v.ChangedAt, v.ChangedBy, v.Version = note, string(raw), now, actor.Name, cmd.Version+1
		err = changed(tx.NewUpdate().Model(v).Column("note", "definition", "changed_at", "changed_by", "version").
			Where("v.id = ? AND v.version = ? AND v.state = ?", cmd.ID, cmd.Version, Draft).Exec(ctx))
		return cmd.ID, "修改工作日历草稿", err
	})
}

func draft(ctx context.Context, tx bun.Tx, id int64) (*version, error) {
	v, err := one(ctx, tx, id)
	if err == nil && v.State != Draft {
		return nil, ErrNotDraft
	}
	return v, err
}

func changed(res interface{ RowsAffected() (int64, error) }, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrStale, err)
	}
	return nil
}

// Discard throws the draft away. It needs calendar.manage and returns ErrStale and ErrNotDraft.
func (s *Service) Discard(ctx context.Context, actor access.Actor, id, ver int64, key string) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	_, err := s.write(ctx, actor, "calendar.discard", key, []int64{id, ver}, func(ctx context.Context, tx bun.Tx, _ time.Time) (int64, string, error) {
		if _, err := draft(ctx, tx, id); err != nil {
			return 0, "", err
		}
		return id, "删除工作日历草稿", changed(tx.NewDelete().Model((*version)(nil)).Where("id = ? AND version = ? AND state = ?", id, ver, Draft).Exec(ctx))
	})
	return err
}

// Preview shows the deadlines that a version would move, part by part. It needs calendar.view.
func (s *Service) Preview(ctx context.Context, actor access.Actor, id int64, cursor string) (Moves, error) {
	if err := actor.Need(PermView); err != nil {
		return Moves{}, err
	}
	v, err := one(ctx, s.DB.Read(), id)
	if err != nil {
		return Moves{}, err
	}
	c, err := v.calendar()
	if err != nil {
		return Moves{}, err
	}
	return s.Deadlines.Moves(ctx, c, cursor)
}

// Publish puts the draft in force: new deadlines are reckoned with it at once, running ones are moved in the background. It
// needs calendar.manage and returns ErrStale, ErrNotDraft, ErrSame, and ErrOutdated when another version came into force
// after the draft was begun.
func (s *Service) Publish(ctx context.Context, actor access.Actor, id, ver int64, key string) (View, error) {
	return s.change(ctx, actor, "calendar.publish", key, []int64{id, ver}, func(ctx context.Context, tx bun.Tx, now time.Time) (int64, string, error) {
		v, err := draft(ctx, tx, id)
		if err != nil {
			return 0, "", err
		}
		cur, err := inForce(ctx, tx)
		if err != nil {
			return 0, "", err
		}
		if cur.ID != v.BaseID {
			return 0, "", ErrOutdated
		}
		was, err := cur.calendar()
		if err != nil {
			return 0, "", err
		}
		is, err := v.calendar()
		if err != nil {
			return 0, "", err
		}
		if is.Equal(was) {
			return 0, "", ErrSame
		}
		if err := changed(tx.NewUpdate().Model((*version)(nil)).Set("state = ?", Superseded).Where("id = ? AND state = ?", cur.ID, Published).Exec(ctx)); err != nil {
			return 0, "", err
		}
		err = changed(tx.NewUpdate().Model((*version)(nil)).Set("state = ?, published_at = ?, published_by = ?, version = version + 1", Published, now, actor.Name).
			Where("id = ? AND version = ? AND state = ?", id, ver, Draft).Exec(ctx))
		if err != nil {
			return 0, "", err
		}
		return id, "发布工作日历", s.Deadlines.UseCalendar(ctx, tx, id)
	})
}

// change is write for calendar.manage, answered with the version.
func (s *Service) change(ctx context.Context, actor access.Actor, operation, key string, request any,
	step func(ctx context.Context, tx bun.Tx, now time.Time) (int64, string, error),
) (View, error) {
	if err := actor.Need(PermManage); err != nil {
		return View{}, err
	}
	id, err := s.write(ctx, actor, operation, key, request, step)
	if err != nil {
		return View{}, err
	}
	v, err := one(ctx, s.DB.Read(), id)
	if err != nil {
		return View{}, err
	}
	return s.view(v)
}

func (s *Service) write(ctx context.Context, actor access.Actor, operation, key string, request any,
	step func(ctx context.Context, tx bun.Tx, now time.Time) (int64, string, error),
) (int64, error) {
	now := s.Clock.Now()
	var id int64
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (int64, error) {
			id, summary, err := step(ctx, tx, now)
			if err != nil || summary == "" {
				return id, err
			}
			return id, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: "calendar", ObjectID: id, Summary: summary, Detail: request})
		})
		return err
	})
	return id, err
}
