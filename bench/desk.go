package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/database"
)

// A desk at work: few people at once, so that the figures tell how long one waits, not how many wait. They are compared
// between sizes: at 1m at most three times what it takes at 10k.
const agents = 4

// unhurried measures a load of few people and prints how long 95 of 100 requests take at most.
func (e *env) unhurried(name string, span time.Duration, m request) error {
	before := e.ours.cpu()
	r, err := send(plan{Addr: e.ours.addr, Clients: agents, Sessions: []session{e.people.agent}, Span: span, First: e.numbers, Mix: []request{m}})
	if err != nil {
		return err
	}
	if r.Errors > 0 {
		return fmt.Errorf("%d failed requests; the first: %s", r.Errors, r.Failure)
	}
	e.numbers = r.Last
	f := e.figure(name, "ms, p95 of 4 agents")
	f.Value, f.P50, f.P95, f.P99, f.CPU = r.P95, r.P50, r.P95, r.P99, (e.ours.cpu()-before)/float64(max(r.Requests, 1))
	emit(f)
	return nil
}

// deskPage reads a page of the desk as an agent.
func deskPage(name, path string) func(context.Context, *env) error {
	return func(_ context.Context, e *env) error {
		return e.unhurried(name, e.span, request{Weight: 1, Method: "GET", Path: path})
	}
}

func deskOpen(_ context.Context, e *env) error {
	return e.unhurried("desk_open", e.span, request{Weight: 1, Method: "GET", Path: "/api/tickets/{id}", IDs: [][]int64{e.people.tickets}})
}

// deskTransition answers tickets, each once.
func deskTransition(_ context.Context, e *env) error {
	return e.unhurried("desk_transition", e.span, request{Weight: 1, Method: "POST", Path: "/api/tickets/{id}/answer", IDs: [][]int64{e.people.fresh}, Once: true,
		Body: `{"version":1,"text":"您反映的问题已核实，停车位将于本周重新划线。","fileIds":[]}`})
}

// deskSameQuery reads the list and opens tickets as an agent, beside the same statements run bare over the same tables.
func deskSameQuery(_ context.Context, e *env) error {
	put, err := e.beside("floor-desk", "/tickets")
	if err != nil {
		return err
	}
	defer put()
	agent := []session{e.people.agent}
	err = e.against("desk_list_same_query", plan{Clients: readers, Sessions: agent, Mix: []request{{Weight: 1, Method: "GET", Path: "/api/tickets"}}},
		plan{Clients: readers, Mix: []request{{Weight: 1, Method: "GET", Path: "/tickets"}}})
	if err != nil {
		return err
	}
	ids := [][]int64{e.people.tickets}
	return e.against("desk_open_same_query", plan{Clients: readers, Sessions: agent, Mix: []request{{Weight: 1, Method: "GET", Path: "/api/tickets/{id}", IDs: ids}}},
		plan{Clients: readers, Mix: []request{{Weight: 1, Method: "GET", Path: "/tickets/{id}", IDs: ids}}})
}

// beside puts another floor, over the program's own tables, in the place of the usual one until put is called.
func (e *env) beside(command, ready string) (put func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	target := e.data.database
	if target == "" {
		target = filepath.Join(e.data.dir, "huiqi.db")
	}
	// #nosec G204 -- runs this program itself
	other, err := begin(ready, func(addr string) *exec.Cmd { return exec.Command(self, command, addr, target) })
	if err != nil {
		return nil, err
	}
	usual := e.floor
	e.floor = other
	return func() {
		e.floor = usual
		other.stop()
	}, nil
}

// dueAtOnce is how many clocks fall due together.
const dueAtOnce = 1000

// clocksDue lets a thousand of all clocks fall due: how long finding them takes beside the same statement run bare, and how
// long the server takes to ring one beside bare inserts of the events that it writes.
func clocksDue(ctx context.Context, e *env) error {
	e.ours.stop()
	defer func() {
		if e.ours, _ = startOurs(e.data); e.ours != nil {
			_ = e.tokens()
		}
	}()
	target := e.data.database
	if target == "" {
		target = filepath.Join(e.data.dir, "huiqi.db")
	}
	db, err := database.Open(ctx, target)
	if err != nil {
		return err
	}
	defer db.Close()
	due, err := makeDue(ctx, db)
	if err != nil {
		return err
	}
	if err := e.findDue(ctx, db, due); err != nil {
		return err
	}
	return e.ringDue(ctx, db)
}

// makeDue gives dueAtOnce running clocks a time that is over.
func makeDue(ctx context.Context, db *database.DB) (time.Time, error) {
	due := time.Now().UTC().Add(-time.Minute).Truncate(time.Microsecond)
	err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		// What was due before is put off, so that only these are.
		if _, err := database.Run(ctx, tx, "UPDATE ticket_clocks SET next_at = ? WHERE next_at <= ?", due.Add(24*time.Hour), due.Add(time.Hour)); err != nil {
			return err
		}
		res, err := database.Run(ctx, tx, `UPDATE ticket_clocks SET due_at = ?, next_at = ? WHERE id IN (SELECT c.id FROM ticket_clocks c JOIN tickets t ON t.id = c.ticket_id
			WHERE c.stopped_at IS NULL AND c.breached_at IS NULL AND NOT c.paused AND t.closed_at IS NULL ORDER BY c.id DESC LIMIT ?)`, due, due, dueAtOnce)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n < dueAtOnce {
			return fmt.Errorf("the data set has %d running clocks, %d are needed: %w", n, dueAtOnce, err)
		}
		return nil
	})
	return time.Now().UTC(), err
}

// findDue times the product's query beside the same statement bare, in turn, 40 times each.
func (e *env) findDue(ctx context.Context, db *database.DB, now time.Time) error {
	const columns = "id, ticket_id, hop_id, unit_id, kind, started_at, amount, unit, warn_percent, extra_days, follows, calendar, due_at, warn_at, pauses, paused, next_at, warned_at, breached_at, rung, stopped_at, verdict"
	mark, at := [2]string{"?", "?"}, any(now.Format(database.TimeForm))
	if db.Kind() == database.Postgres {
		mark, at = [2]string{"$1", "$2"}, now
	}
	// #nosec G202 -- names of columns and marks of the program
	bare, err := db.Read().PrepareContext(ctx, "SELECT "+columns+" FROM ticket_clocks WHERE next_at <= "+mark[0]+" ORDER BY next_at LIMIT "+mark[1])
	if err != nil {
		return err
	}
	defer bare.Close()
	var ours, least []float64
	for range 40 {
		began := time.Now()
		found := 0
		err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			clocks, err := ticket.DueClocks(ctx, tx, now, dueAtOnce)
			found = len(clocks)
			return err
		})
		if err != nil || found != dueAtOnce {
			return fmt.Errorf("found %d clocks: %w", found, err)
		}
		ours = append(ours, float64(time.Since(began).Microseconds())/1000)
		began = time.Now()
		rows, err := bare.QueryContext(ctx, at, dueAtOnce)
		if err != nil {
			return err
		}
		if n, err := drain(rows, strings.Count(columns, ",")+1); err != nil || n != dueAtOnce {
			return fmt.Errorf("the bare query found %d clocks: %w", n, err)
		}
		least = append(least, float64(time.Since(began).Microseconds())/1000)
	}
	var all int64
	if err := db.Read().QueryRowContext(ctx, "SELECT count(*) FROM ticket_clocks").Scan(&all); err != nil {
		return err
	}
	f := e.figure("clocks_due", fmt.Sprintf("ms to find %d of %d clocks", dueAtOnce, all))
	slices.Sort(ours)
	f.Value, f.P50, f.P95 = median(ours), ours[20], ours[37]
	bareMedian := median(least)
	ratio := f.Value / bareMedian
	f.Floor, f.Ratio, f.Note = &bareMedian, &ratio, "ratio of time"
	emit(f)
	return nil
}

// drain reads all rows into nothing in particular.
func drain(rows *sql.Rows, columns int) (int, error) {
	defer rows.Close()
	into := make([]any, columns)
	for i := range into {
		into[i] = new(any)
	}
	n := 0
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// ringDue has the server ring what is due and times its task, and then the bare inserts of the events.
func (e *env) ringDue(ctx context.Context, db *database.DB) error {
	var last int64
	if err := db.Read().QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM events").Scan(&last); err != nil {
		return err
	}
	server, err := startOurs(e.data)
	if err != nil {
		return err
	}
	var took time.Duration
	for range 600 {
		var runs []struct {
			StartedAt time.Time `bun:"started_at"`
			EndedAt   time.Time `bun:"ended_at"`
		}
		err := db.Read().NewRaw("SELECT started_at, ended_at FROM task_runs WHERE task = 'ticket.clocks' AND note = ? AND ended_at IS NOT NULL ORDER BY id DESC LIMIT 1", fmt.Sprintf("处理 %d 个时限", dueAtOnce)).Scan(ctx, &runs)
		if err != nil {
			server.stop()
			return err
		}
		if len(runs) > 0 {
			took = runs[0].EndedAt.Sub(runs[0].StartedAt)
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	server.stop()
	if took == 0 {
		return fmt.Errorf("the server did not ring %d clocks in two minutes", dueAtOnce)
	}
	var rows []struct {
		Type, Object, ActorName, TraceID string
		ObjectID, Seq, ActorID           int64
		At                               time.Time
		Facts                            json.RawMessage
	}
	if err := db.Read().NewRaw("SELECT type, object, actor_name, trace_id, object_id, seq, actor_id, at, facts FROM events WHERE id > ? AND type IN ('ticket.clock_warned', 'ticket.clock_breached', 'ticket.urged') ORDER BY id", last).Scan(ctx, &rows); err != nil {
		return err
	}
	began := time.Now()
	for part := range slices.Chunk(rows, 50) {
		err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for _, r := range part {
				// The number of the object is one that no event has, so that the rows are new.
				if _, err := database.Run(ctx, tx, "INSERT INTO events (type, object, object_id, seq, actor_id, actor_name, trace_id, at, facts) VALUES (?, 'bench', ?, ?, ?, ?, ?, ?, ?)",
					r.Type, r.ObjectID, r.Seq, r.ActorID, r.ActorName, r.TraceID, r.At, string(r.Facts)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	bare := float64(time.Since(began).Microseconds()) / 1000 / dueAtOnce
	if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := database.Run(ctx, tx, "DELETE FROM events WHERE object = 'bench'")
		return err
	}); err != nil {
		return err
	}
	f := e.figure("clocks_ring", fmt.Sprintf("ms to ring a clock, %d events of %d clocks", len(rows), dueAtOnce))
	f.Value = float64(took.Microseconds()) / 1000 / dueAtOnce
	ratio := f.Value / bare
	f.Floor, f.Ratio, f.Note = &bare, &ratio, "ratio of time; the floor inserts the events only"
	emit(f)
	return nil
}
