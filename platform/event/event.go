// Package event keeps the facts that modules announce and hands them, in order, to whoever listens.
//
// The announcer appends a typed fact in the transaction of its change, so a fact exists exactly if the change does.
// Listeners read with a cursor of their own; handling and moving the cursor commit together, so inside the database a
// listener's work happens exactly once. Facts of one object arrive in the order in which they were committed.
package event

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Fact is something that happened, told in the announcer's own struct. Its JSON is kept for good: fields are only added.
type Fact interface {
	// Event names the fact ("ticket.closed") and the object it is about ("ticket", 42).
	Event() (typ, object string, id int64)
}

// Event is a fact as it is kept.
type Event struct {
	bun.BaseModel `bun:"table:events,alias:e"`

	ID int64 `bun:"id,pk,autoincrement"`
	// Pos orders the events for listeners. On PostgreSQL ids become visible out of order, so a sequencer gives the
	// position after commit; on SQLite the single writer makes it the id.
	Pos       *int64          `bun:"pos"`
	Type      string          `bun:"type,notnull"`
	Object    string          `bun:"object,notnull"`
	ObjectID  int64           `bun:"object_id,notnull"`
	Seq       int64           `bun:"seq,notnull"` // 1, 2, 3 … within the object
	ActorID   int64           `bun:"actor_id,notnull"`
	ActorName string          `bun:"actor_name,notnull"`
	TraceID   string          `bun:"trace_id,notnull"`
	At        time.Time       `bun:"at,notnull"`
	Facts     json.RawMessage `bun:"facts,notnull,type:text"`
}

// programName is how work of the program itself is named, as "job:ticket.clocks".
var programName = regexp.MustCompile(`^[a-z][a-z0-9_.:-]*$`)

// By is who did it, for people to read: what the program did by itself was done by 系统.
func (e Event) By() string {
	if e.ActorID == 0 && programName.MatchString(e.ActorName) {
		return "系统"
	}
	return e.ActorName
}

// Decode reads the facts back into the announcer's struct.
func (e Event) Decode(into any) error { return json.Unmarshal(e.Facts, into) }

// Make returns the event that Append would keep of the fact, without id, position and number.
func Make(actor access.Actor, now time.Time, fact Fact) (Event, error) {
	typ, object, id := fact.Event()
	facts, err := json.Marshal(fact)
	if err != nil {
		return Event{}, fmt.Errorf("encode %s: %w", typ, err)
	}
	return Event{
		Type: typ, Object: object, ObjectID: id, ActorID: actor.UserID, ActorName: actor.Name,
		TraceID: actor.TraceID, At: now, Facts: facts,
	}, nil
}

// place inserts an event with the next number of its object and, on SQLite, the next position.
var place = map[database.Kind]string{
	database.SQLite:   fmt.Sprintf(insert, "(SELECT coalesce(max(pos), 0) + 1 FROM events)"),
	database.Postgres: fmt.Sprintf(insert, "NULL"),
}

const insert = `INSERT INTO events (pos, type, object, object_id, seq, actor_id, actor_name, trace_id, at, facts)
	VALUES (%s, ?, ?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM events WHERE object = ? AND object_id = ?), ?, ?, ?, ?, ?) RETURNING id, pos, seq`

// Append keeps the fact in the transaction and wakes the listeners once it is committed.
func Append(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, fact Fact) (Event, error) {
	e, err := Make(actor, now, fact)
	if err != nil {
		return Event{}, err
	}
	err = database.QueryOne(ctx, tx, []any{&e.ID, &e.Pos, &e.Seq}, place[database.KindOf(tx)],
		e.Type, e.Object, e.ObjectID, e.Object, e.ObjectID, e.ActorID, e.ActorName, e.TraceID, e.At, string(e.Facts))
	if database.IsDuplicate(err) {
		// Another transaction announced about the same object first; ours read an old state of it.
		return Event{}, fault.ErrChanged.Wrap(err)
	}
	if err != nil {
		return Event{}, fmt.Errorf("append %s: %w", e.Type, err)
	}
	database.AfterCommit(tx, wake)
	return e, nil
}

// Of lists the events of one object, oldest first. The caller has checked that the asker may see the object.
func Of(ctx context.Context, db bun.IDB, object string, id int64) ([]Event, error) {
	var list []Event
	err := database.Each(ctx, db, func(rows *sql.Rows) error {
		e := Event{Object: object, ObjectID: id}
		err := rows.Scan(&e.ID, &e.Pos, &e.Type, &e.Seq, &e.ActorID, &e.ActorName, &e.TraceID, &e.At, (*[]byte)(&e.Facts))
		list = append(list, e)
		return err
	}, "SELECT id, pos, type, seq, actor_id, actor_name, trace_id, at, facts FROM events WHERE object = ? AND object_id = ? ORDER BY seq LIMIT 1000", object, id)
	return list, err
}

// Listener reads every event after its cursor. Handle gets each event at least once per commit of its work: it must use
// only tx, be quick, and ignore types it does not know. An error stops this listener at this event until it passes.
// A listener that works faster on many has Batch instead, which gets up to 50 in their order.
type Listener struct {
	Name   string // never changed: the cursor hangs on it
	Handle func(ctx context.Context, tx bun.Tx, e Event) error
	Batch  func(ctx context.Context, tx bun.Tx, list []Event) error
}

func (l Listener) hear(ctx context.Context, tx bun.Tx, list []Event) error {
	if l.Batch != nil {
		return l.Batch(ctx, tx, list)
	}
	for _, e := range list {
		if err := l.Handle(ctx, tx, e); err != nil {
			return fmt.Errorf("event %d %s: %w", e.ID, e.Type, err)
		}
	}
	return nil
}

type cursor struct {
	bun.BaseModel `bun:"table:event_cursors"`

	Name string `bun:"name,pk"`
	Pos  int64  `bun:"pos,notnull"`
}

// Feed drives the listeners of one process.
type Feed struct {
	db        *database.DB
	log       *slog.Logger
	listeners []Listener
}

// NewFeed joins listeners to the events of db.
func NewFeed(db *database.DB, log *slog.Logger, listeners ...Listener) *Feed {
	return &Feed{db: db, log: log, listeners: listeners}
}

// Run serves the listeners until ctx ends: at once after a commit of this process, and each second for those of others.
func (f *Feed) Run(ctx context.Context) error {
	bell, off := Bell()
	defer off()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := f.Drain(ctx); err != nil && ctx.Err() == nil {
			f.log.Error("events", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-bell:
		case <-tick.C:
		}
	}
}

// batchSize bounds one transaction of a listener, well under the 50 ms the writer may be held.
const batchSize = 50

// Drain hands every committed event to every listener and returns when none is left or a listener failed.
func (f *Feed) Drain(ctx context.Context) error {
	if err := Place(ctx, f.db); err != nil {
		return fmt.Errorf("sequence events: %w", err)
	}
	last, err := Last(ctx, f.db.Read())
	if err != nil {
		return err
	}
	stand := map[string]int64{}
	err = database.Each(ctx, f.db.Read(), func(rows *sql.Rows) error {
		var c cursor
		err := rows.Scan(&c.Name, &c.Pos)
		stand[c.Name] = c.Pos
		return err
	}, "SELECT name, pos FROM event_cursors")
	if err != nil {
		return err
	}
	var first error
	for _, l := range f.listeners {
		if stand[l.Name] >= last {
			continue
		}
		for {
			n, err := f.step(ctx, l)
			if err != nil {
				if first == nil {
					first = fmt.Errorf("listener %s: %w", l.Name, err)
				}
				break
			}
			if n < batchSize {
				break
			}
		}
	}
	return first
}

// Skip moves every listener behind the events of now, unheard: for history that is loaded and of which nobody is told.
func (f *Feed) Skip(ctx context.Context) error {
	if err := Place(ctx, f.db); err != nil {
		return fmt.Errorf("sequence events: %w", err)
	}
	return f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var last int64
		if err := tx.NewSelect().Model((*Event)(nil)).ColumnExpr("coalesce(max(pos), 0)").Scan(ctx, &last); err != nil {
			return err
		}
		for _, l := range f.listeners {
			if _, err := tx.NewInsert().Model(&cursor{Name: l.Name, Pos: last}).On("CONFLICT (name) DO UPDATE").Set("pos = EXCLUDED.pos").Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// step handles one batch and returns how many events it had.
func (f *Feed) step(ctx context.Context, l Listener) (int, error) {
	n := 0
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		at, err := hold(ctx, tx, l.Name)
		if err != nil {
			return err
		}
		var rows []Event
		err = database.Each(ctx, tx, func(r *sql.Rows) error {
			var e Event
			err := r.Scan(&e.ID, &e.Pos, &e.Type, &e.Object, &e.ObjectID, &e.Seq, &e.ActorID, &e.ActorName, &e.TraceID, &e.At, (*[]byte)(&e.Facts))
			rows = append(rows, e)
			return err
		}, "SELECT id, pos, type, object, object_id, seq, actor_id, actor_name, trace_id, at, facts FROM events WHERE pos > ? ORDER BY pos LIMIT ?", at, batchSize)
		if err != nil {
			return err
		}
		if n = len(rows); n == 0 {
			return nil
		}
		if err := l.hear(ctx, tx, rows); err != nil {
			return err
		}
		if _, err := database.Run(ctx, tx, "UPDATE event_cursors SET pos = ? WHERE name = ?", *rows[n-1].Pos, l.Name); err != nil {
			return fmt.Errorf("move the cursor of %s: %w", l.Name, err)
		}
		return nil
	})
	return n, err
}

// hold returns where the listener stands. Until the transaction ends, no other process moves it.
func hold(ctx context.Context, tx bun.Tx, name string) (int64, error) {
	query := "SELECT pos FROM event_cursors WHERE name = ?"
	if database.KindOf(tx) == database.Postgres {
		query += " FOR UPDATE"
	}
	var at int64
	err := database.QueryOne(ctx, tx, []any{&at}, query, name)
	if !errors.Is(err, sql.ErrNoRows) {
		return at, err
	}
	// The listener is new.
	if _, err := database.Run(ctx, tx, "INSERT INTO event_cursors (name, pos) VALUES (?, 0) ON CONFLICT DO NOTHING", name); err != nil {
		return 0, fmt.Errorf("begin the cursor of %s: %w", name, err)
	}
	err = database.QueryOne(ctx, tx, []any{&at}, query, name)
	return at, err
}
