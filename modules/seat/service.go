package seat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/live"
	"github.com/huiqi/huiqi/platform/text"
)

// Person is somebody who may sit at the desk.
type Person struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// People names those who hold a right and are active.
type People interface {
	With(ctx context.Context, db bun.IDB, right access.Permission) ([]Person, error)
}

// Matter is something one can be trained for. A group holds the types whose code it begins.
type Matter struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Group string `json:"group" doc:"Code of the group it belongs to; empty for a group."`
}

// Matters lists the groups, each before the types in it.
type Matters interface {
	Matters(ctx context.Context) ([]Matter, error)
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB      *database.DB
	Clock   clock.Clock
	People  People
	Matters Matters
}

// Service keeps the seats.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	people  People
	matters Matters
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.People == nil || d.Matters == nil {
		panic("seat: Deps is not complete")
	}
	return &Service{db: d.DB, clock: d.Clock, people: d.People, matters: d.Matters}
}

// Standing is where the actor's own seat stands.
type Standing struct {
	State   State     `json:"state" enum:"free,talking,after,break,away,off"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
	Version int64     `json:"version" doc:"0 before the person ever sat down."`
	Reasons []string  `json:"reasons" doc:"Why one may leave the seat."`
}

// Own returns the actor's seat.
func (s *Service) Own(ctx context.Context, actor access.Actor) (Standing, error) {
	if err := actor.Need(PermSit); err != nil {
		return Standing{}, err
	}
	now := s.clock.Now()
	r, err := find(ctx, s.db.Read(), actor.UserID)
	if errors.Is(err, fault.ErrNotFound) {
		return Standing{State: Off, Since: now, Reasons: Reasons()}, nil
	}
	if err != nil {
		return Standing{}, err
	}
	out := Standing{State: r.at(now), Reason: r.Reason, Since: r.Since.UTC(), Version: r.Version, Reasons: Reasons()}
	if out.State != r.State {
		out.Reason, out.Since = "", r.Until.UTC()
	}
	return out, nil
}

func find(ctx context.Context, db bun.IDB, user int64) (*seat, error) {
	r := new(seat)
	return r, database.Found(db.NewSelect().Model(r).Where("user_id = ?", user).Scan(ctx))
}

// Switch asks to change the state of a seat. Version is the one the actor saw.
type Switch struct {
	State   State  `json:"state" enum:"free,talking,after,break,away,off"`
	Reason  string `json:"reason,omitempty" maxLength:"50"`
	Words   string `json:"words,omitempty" doc:"When the reason is 其他."`
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

// Switch changes the actor's own state. It returns ErrStale when the state changed since the actor saw it.
func (s *Service) Switch(ctx context.Context, actor access.Actor, cmd Switch) (Standing, error) {
	if err := actor.Need(PermSit); err != nil {
		return Standing{}, err
	}
	if err := s.change(ctx, actor, Person{actor.UserID, actor.Name}, cmd, "", "seat.switch"); err != nil {
		return Standing{}, err
	}
	return s.Own(ctx, actor)
}

// Force asks to change the state of another's seat, for a reason.
type Force struct {
	UserID int64
	Why    string `json:"why"`
	Switch
}

// Force changes another's state, as when somebody left without signing off. Who manages seats may; the reason is kept.
func (s *Service) Force(ctx context.Context, actor access.Actor, cmd Force) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	why, err := text.Line("why", cmd.Why, 2, 100)
	if err != nil {
		return text.Named(err, "原因")
	}
	p, err := s.Person(ctx, s.db.Read(), cmd.UserID)
	if err != nil {
		return err
	}
	return s.change(ctx, actor, p, cmd.Switch, why, "seat.force")
}

// Person returns one who may sit at the desk, ErrNoSeat for others.
func (s *Service) Person(ctx context.Context, db bun.IDB, id int64) (Person, error) {
	all, err := s.people.With(ctx, db, PermSit)
	if err != nil {
		return Person{}, err
	}
	for _, p := range all {
		if p.ID == id {
			return p, nil
		}
	}
	return Person{}, ErrNoSeat
}

func (s *Service) change(ctx context.Context, actor access.Actor, p Person, cmd Switch, why, operation string) error {
	if cmd.State.Label() == "" {
		return fault.InvalidField("state", "SEAT_STATE", "没有这种坐席状态，请重新选择")
	}
	words, err := text.Line("words", cmd.Words, 0, 50)
	if err != nil {
		return text.Named(err, "离席原因")
	}
	reason := why
	if why == "" {
		if reason, err = checkReason(cmd.State, cmd.Reason, words); err != nil {
			return err
		}
	}
	now := s.clock.Now()
	request := []any{p.ID, cmd, why}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: cmd.Key, Request: request, Now: now}, func() (bool, error) {
			r, err := lock(ctx, tx, p, now)
			if err != nil {
				return false, err
			}
			if r.Version != cmd.Version {
				return false, ErrStale.With("坐席状态已变为“%s”，请按最新状态重新切换", r.State.Label())
			}
			if err := s.move(ctx, tx, actor, r, cmd.State, reason, now); err != nil {
				return false, err
			}
			if why == "" {
				return true, nil
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: Object, ObjectID: p.ID,
				Summary: "将坐席" + p.Name + "的状态改为“" + cmd.State.Label() + "”", Detail: map[string]any{"state": cmd.State, "reason": why}})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("switch seat %d: %w", p.ID, err)
	}
	return nil
}

// lock reads the seat for a change, after it is made to exist. A seat that fell silent is put off first.
func lock(ctx context.Context, tx bun.Tx, p Person, now time.Time) (*seat, error) {
	fresh := seat{UserID: p.ID, Name: p.Name, State: Off, Since: now, Until: now}
	if _, err := tx.NewInsert().Model(&fresh).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return nil, err
	}
	r := new(seat)
	q := tx.NewSelect().Model(r).Where("user_id = ?", p.ID)
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	if err := database.Found(q.Scan(ctx)); err != nil {
		return nil, err
	}
	r.Name = p.Name
	return r, nil
}

// move ends the spell of a locked seat and begins another; when the state stays, it only renews the lease.
func (s *Service) move(ctx context.Context, tx bun.Tx, actor access.Actor, r *seat, to State, reason string, now time.Time) error {
	if r.State != Off && now.After(r.Until) && to != Off { // it had fallen silent
		if err := s.put(ctx, tx, access.SystemActor("seat.lapse"), r, Off, "连接中断", r.Until); err != nil {
			return err
		}
	}
	if to == r.State && reason == r.Reason {
		_, err := database.Run(ctx, tx, "UPDATE seats SET lease_until = ?, name = ? WHERE user_id = ?", now.Add(Lease), r.Name, r.UserID)
		return err
	}
	return s.put(ctx, tx, actor, r, to, reason, now)
}

func (s *Service) put(ctx context.Context, tx bun.Tx, actor access.Actor, r *seat, to State, reason string, at time.Time) error {
	from, since := r.State, r.Since
	if at.Before(since) {
		at = since
	}
	if _, err := database.Run(ctx, tx, "UPDATE seat_spells SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL", at, r.UserID); err != nil {
		return err
	}
	if to != Off {
		p := spell{UserID: r.UserID, State: to, Reason: reason, BeganAt: at, By: actor.UserID}
		if err := database.Insert(ctx, tx, &p); err != nil {
			return err
		}
	}
	r.State, r.Reason, r.Since, r.Version = to, reason, at, r.Version+1
	if to != Off {
		r.Until = s.clock.Now().Add(Lease)
	}
	if _, err := tx.NewUpdate().Model(r).WherePK().Exec(ctx); err != nil {
		return err
	}
	_, err := event.Append(ctx, tx, actor, s.clock.Now(), Changed{UserID: r.UserID, Name: r.Name, From: from, To: to, Reason: reason, Seconds: int64(at.Sub(since) / time.Second)})
	return err
}

// Beat says that the actor's page is there. It returns ErrStale when the seat has gone off meanwhile: the page then asks the
// person to sign in again.
func (s *Service) Beat(ctx context.Context, actor access.Actor) error {
	if err := actor.Need(PermSit); err != nil {
		return err
	}
	now := s.clock.Now()
	r, err := find(ctx, s.db.Read(), actor.UserID)
	if errors.Is(err, fault.ErrNotFound) || err == nil && r.at(now) == Off {
		return ErrStale.With("坐席已离线，请重新签入")
	}
	if err != nil || r.Until.Sub(now) > Lease-Beat/2 { // another page of the same person was just heard
		return err
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE seats SET lease_until = ? WHERE user_id = ? AND state <> ? AND lease_until >= ?", now.Add(Lease), actor.UserID, Off, now))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale.With("坐席已离线，请重新签入")
		}
		return err
	})
}

// Set changes a seat within a transaction of the telephone's: only when its person is signed in, whatever the version. It
// reports whether the state changed.
func (s *Service) Set(ctx context.Context, tx bun.Tx, user int64, from []State, to State) (bool, error) {
	now := s.clock.Now()
	r := new(seat)
	q := tx.NewSelect().Model(r).Where("user_id = ?", user)
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	err := database.Found(q.Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, f := range from {
		if f == r.at(now) && f != to {
			return true, s.move(ctx, tx, access.SystemActor("telephone"), r, to, "", now)
		}
	}
	return false, nil
}

// Lapse puts off the seats that have been silent for Lease, at most 200 in one go.
func (s *Service) Lapse(ctx context.Context) error {
	now := s.clock.Now()
	var ids []int64
	err := s.db.Read().NewSelect().Model((*seat)(nil)).Column("user_id").Where("state <> ? AND lease_until < ?", Off, now).OrderExpr("lease_until").Limit(200).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	for _, id := range ids {
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			r := new(seat)
			q := tx.NewSelect().Model(r).Where("user_id = ? AND state <> ? AND lease_until < ?", id, Off, now)
			if database.KindOf(tx) == database.Postgres {
				q = q.For("UPDATE")
			}
			err := database.Found(q.Scan(ctx))
			if errors.Is(err, fault.ErrNotFound) {
				return nil // it was heard meanwhile
			}
			if err != nil {
				return err
			}
			return s.put(ctx, tx, access.SystemActor("seat.lapse"), r, Off, "连接中断", r.Until)
		})
		if err != nil {
			return fmt.Errorf("put seat %d off: %w", id, err)
		}
	}
	jobs.Note(ctx, "%d 个坐席因连接中断转为离线", len(ids))
	return nil
}

// Tasks are what the clock asks of the module.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "seat.lapse", Title: "将失去连接的坐席转为离线", Every: 15 * time.Second, Timeout: time.Minute, Run: s.Lapse,
		Failure: "断线的坐席仍显示在线，派给他们的来电会无人接听。请检查数据库后重试。"}}
}

// Audience reads who is told of seats: the person, and whoever sees all seats.
func (s *Service) Audience(_ context.Context, _ bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	out := make(map[int64]live.Sees, len(ids))
	for _, id := range ids {
		out[id] = func(a access.Actor) bool { return a.UserID == id && a.Can(PermSit) || a.UserID != 0 && a.Can(PermView) }
	}
	return out, nil
}
