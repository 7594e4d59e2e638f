// Package floor is the least that any server of ours must do, to hold our figures against: a bare Fiber handler,
// database/sql with a prepared statement, the same PRAGMAs and connection counts, plain structs, encoding/json. It runs in a
// process of its own on a copy of the same tickets. It is changed only with a decision record.
package floor

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

type ticket struct {
	ID        int64     `json:"id"`
	Number    string    `json:"number"`
	Title     string    `json:"title"`
	Body      string    `json:"body,omitempty"`
	Status    string    `json:"status"`
	Type      string    `json:"type"`
	Name      string    `json:"requesterName"`
	Firm      string    `json:"enterpriseName"`
	Unit      string    `json:"unitName"`
	Reply     string    `json:"reply,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
	DueAt     time.Time `json:"dueAt"`
	Timeline  []step    `json:"timeline,omitempty"`
}

type application struct {
	ID        int64     `json:"id"`
	ProductID int64     `json:"productId"`
	Amount    int64     `json:"amount"`
	Term      int       `json:"term"`
	Purpose   string    `json:"purpose"`
	CreatedAt time.Time `json:"createdAt"`
}

type step struct {
	Seq   int64           `json:"seq"`
	Kind  string          `json:"kind"`
	At    time.Time       `json:"at"`
	Actor string          `json:"actor"`
	Facts json.RawMessage `json:"facts"`
}

// pools opens the writer and the reader as the product does: on SQLite one connection that writes and four that read, on
// PostgreSQL twelve of each.
func pools(target string) (writer, reader *sql.DB, err error) {
	if strings.HasPrefix(target, "postgres") {
		if writer, err = sql.Open("pgx", target); err != nil {
			return nil, nil, err
		}
		if reader, err = sql.Open("pgx", target); err != nil {
			return nil, nil, err
		}
		for _, p := range []*sql.DB{writer, reader} {
			p.SetMaxOpenConns(12)
			p.SetMaxIdleConns(12)
		}
		return writer, reader, nil
	}
	dsn := "file:" + target + "?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)"
	if writer, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return nil, nil, err
	}
	writer.SetMaxOpenConns(1)
	if reader, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return nil, nil, err
	}
	reader.SetMaxOpenConns(4)
	reader.SetMaxIdleConns(4)
	return writer, reader, nil
}

// Build copies the tickets and their events out of ours into tables of the floor: on SQLite into dir/floor.db from the file
// ours, on PostgreSQL into the schema "floor" of the same database. It returns what Serve opens.
func Build(ctx context.Context, ours, dir string) (string, error) {
	const columns = "id, number, title, body, status, type_code, requester_name, enterprise_name, unit_name, reply, user_id, created_at, due_at"
	if strings.HasPrefix(ours, "postgres") {
		db, err := sql.Open("pgx", ours)
		if err != nil {
			return "", err
		}
		defer db.Close()
		for _, s := range []string{
			"DROP SCHEMA IF EXISTS floor CASCADE", "CREATE SCHEMA floor",
			"CREATE TABLE floor.tickets AS SELECT " + columns + " FROM tickets",
			"CREATE SEQUENCE floor.ids", "SELECT setval('floor.ids', (SELECT max(id) FROM tickets))",
			"ALTER TABLE floor.tickets ALTER id SET DEFAULT nextval('floor.ids'), ADD PRIMARY KEY (id), ALTER number SET DEFAULT '', ALTER type_code SET DEFAULT '', " +
				"ALTER requester_name SET DEFAULT '', ALTER enterprise_name SET DEFAULT '', ALTER unit_name SET DEFAULT '', ALTER reply SET DEFAULT ''",
			"CREATE INDEX ON floor.tickets (user_id, id)",
			"CREATE TABLE floor.events AS SELECT object_id AS ticket_id, seq, type, at, actor_name, facts FROM events WHERE object = 'ticket'",
			"CREATE TABLE floor.applications (id BIGSERIAL PRIMARY KEY, product_id BIGINT, user_id BIGINT, amount BIGINT, term INTEGER, purpose TEXT NOT NULL, created_at TIMESTAMPTZ NOT NULL)",
			"ALTER TABLE floor.events ADD PRIMARY KEY (ticket_id, seq)", "ANALYZE floor.tickets", "ANALYZE floor.events",
		} {
			if _, err := db.ExecContext(ctx, s); err != nil {
				return "", fmt.Errorf("%s: %w", s, err)
			}
		}
		return ours, nil
	}
	path := filepath.Join(dir, "floor.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		return "", err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, s := range []string{
		"ATTACH '" + strings.ReplaceAll(ours, "'", "''") + "' AS ours",
		`CREATE TABLE tickets (id INTEGER PRIMARY KEY, number TEXT DEFAULT '', title TEXT NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, type_code TEXT DEFAULT '', requester_name TEXT DEFAULT '',
			enterprise_name TEXT DEFAULT '', unit_name TEXT DEFAULT '', reply TEXT DEFAULT '', user_id INTEGER, created_at TIMESTAMP NOT NULL, due_at TIMESTAMP)`,
		"CREATE TABLE events (ticket_id INTEGER, seq INTEGER, type TEXT, at TIMESTAMP, actor_name TEXT, facts TEXT, PRIMARY KEY (ticket_id, seq))",
		"CREATE TABLE applications (id INTEGER PRIMARY KEY, product_id INTEGER, user_id INTEGER, amount INTEGER, term INTEGER, purpose TEXT NOT NULL, created_at TIMESTAMP NOT NULL)",
		"INSERT INTO tickets SELECT " + columns + " FROM ours.tickets",
		"INSERT INTO events SELECT object_id, seq, type, at, actor_name, facts FROM ours.events WHERE object = 'ticket'",
		"CREATE INDEX tickets_user ON tickets (user_id, id)", "DETACH ours", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)",
	} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return "", fmt.Errorf("%s: %w", s, err)
		}
	}
	return path, nil
}

// Serve runs the floor on l with what Build returned until ctx ends. POST /tickets and POST /applications insert a row, GET /tickets lists the newest
// twenty, GET /tickets/ID gives one with its events, GET /page a page.
func Serve(ctx context.Context, l net.Listener, target string) error {
	writer, reader, err := pools(target)
	if err != nil {
		return err
	}
	defer writer.Close()
	defer reader.Close()
	prefix, arg := "", func(int) string { return "?" }
	if strings.HasPrefix(target, "postgres") {
		prefix, arg = "floor.", func(n int) string { return fmt.Sprintf("$%d", n) }
	}
	insert, err := writer.PrepareContext(ctx, "INSERT INTO "+prefix+"tickets (title, body, status, user_id, created_at, due_at) VALUES ("+arg(1)+", "+arg(2)+", 'received', 1, "+arg(3)+", "+arg(4)+") RETURNING id") // #nosec G202 -- names of tables and columns of the program
	if err != nil {
		return err
	}
	apply, err := writer.PrepareContext(ctx, "INSERT INTO "+prefix+"applications (product_id, user_id, amount, term, purpose, created_at) VALUES ("+arg(1)+", 1, "+arg(2)+", "+arg(3)+", "+arg(4)+", "+arg(5)+") RETURNING id") // #nosec G202 -- names of tables and columns of the program
	if err != nil {
		return err
	}
	list, err := reader.PrepareContext(ctx, "SELECT id, number, title, status, type_code, requester_name, enterprise_name, unit_name, created_at, due_at FROM "+prefix+"tickets ORDER BY id DESC LIMIT 20") // #nosec G202 -- names of tables and columns of the program
	if err != nil {
		return err
	}
	one, err := reader.PrepareContext(ctx, "SELECT id, number, title, body, status, type_code, requester_name, enterprise_name, unit_name, reply, created_at, due_at FROM "+prefix+"tickets WHERE id = "+arg(1)) // #nosec G202 -- names of tables and columns of the program
	if err != nil {
		return err
	}
	events, err := reader.PrepareContext(ctx, "SELECT seq, type, at, actor_name, facts FROM "+prefix+"events WHERE ticket_id = "+arg(1)+" ORDER BY seq") // #nosec G202 -- names of tables and columns of the program
	if err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Post("/tickets", func(c *fiber.Ctx) error {
		var t ticket
		if err := json.Unmarshal(c.Body(), &t); err != nil {
			return err
		}
		t.CreatedAt = time.Now().UTC()
		if err := insert.QueryRowContext(c.UserContext(), t.Title, t.Body, t.CreatedAt, t.CreatedAt).Scan(&t.ID); err != nil {
			return err
		}
		return c.JSON(t)
	})
	app.Post("/applications", func(c *fiber.Ctx) error {
		var a application
		if err := json.Unmarshal(c.Body(), &a); err != nil {
			return err
		}
		a.CreatedAt = time.Now().UTC()
		if err := apply.QueryRowContext(c.UserContext(), a.ProductID, a.Amount, a.Term, a.Purpose, a.CreatedAt).Scan(&a.ID); err != nil {
			return err
		}
		return c.JSON(a)
	})
	app.Get("/tickets", func(c *fiber.Ctx) error {
		rows, err := list.QueryContext(c.UserContext())
		if err != nil {
			return err
		}
		defer rows.Close()
		out := []ticket{}
		for rows.Next() {
			var t ticket
			if err := rows.Scan(&t.ID, &t.Number, &t.Title, &t.Status, &t.Type, &t.Name, &t.Firm, &t.Unit, &t.CreatedAt, &t.DueAt); err != nil {
				return err
			}
			out = append(out, t)
		}
		return c.JSON(out)
	})
	app.Get("/tickets/:id<int>", func(c *fiber.Ctx) error {
		id, err := c.ParamsInt("id")
		if err != nil {
			return err
		}
		var t ticket
		err = one.QueryRowContext(c.UserContext(), id).Scan(&t.ID, &t.Number, &t.Title, &t.Body, &t.Status, &t.Type, &t.Name, &t.Firm, &t.Unit, &t.Reply, &t.CreatedAt, &t.DueAt)
		if err != nil {
			return err
		}
		rows, err := events.QueryContext(c.UserContext(), id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s step
			var facts string
			if err := rows.Scan(&s.Seq, &s.Kind, &s.At, &s.Actor, &facts); err != nil {
				return err
			}
			s.Facts = json.RawMessage(facts)
			t.Timeline = append(t.Timeline, s)
		}
		return c.JSON(t)
	})
	app.Get("/page", func(c *fiber.Ctx) error {
		c.Type("html", "utf-8")
		return c.SendString("<!doctype html><title>floor</title><p>floor</p>")
	})
	go func() {
		<-ctx.Done()
		_ = app.Shutdown()
	}()
	return app.Listener(l)
}
