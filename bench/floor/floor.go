// Package floor is the least that any server of ours must do, to hold our figures against: a bare Fiber handler,
// database/sql with a prepared statement, the same PRAGMAs and connection counts, plain structs, encoding/json. It is
// changed only with a decision record.
package floor

import (
	"context"
	"database/sql"
	"encoding/json"
	"net"
	"path/filepath"
	"time"

	"github.com/gofiber/fiber/v2"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

type ticket struct {
	ID        int64     `json:"id"`
	Title     string    `json:"title"`
	Body      string    `json:"body,omitempty"`
	Status    string    `json:"status"`
	UserID    int64     `json:"-"`
	CreatedAt time.Time `json:"createdAt"`
}

// Serve runs the floor on l with its database in dir until ctx ends. POST /tickets inserts a row, GET /tickets lists the
// newest twenty of one user.
func Serve(ctx context.Context, l net.Listener, dir string) error {
	dsn := "file:" + filepath.Join(dir, "floor.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"
	writer, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
	if err != nil {
		return err
	}
	defer writer.Close()
	writer.SetMaxOpenConns(1)
	_, err = writer.ExecContext(ctx, `CREATE TABLE tickets (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL,
		user_id INTEGER NOT NULL, created_at TIMESTAMP NOT NULL); CREATE INDEX tickets_user ON tickets (user_id, id)`)
	if err != nil {
		return err
	}
	reader, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
	if err != nil {
		return err
	}
	defer reader.Close()
	reader.SetMaxOpenConns(4)
	insert, err := writer.PrepareContext(ctx, "INSERT INTO tickets (title, body, status, user_id, created_at) VALUES (?, ?, 'received', 1, ?) RETURNING id")
	if err != nil {
		return err
	}
	list, err := reader.PrepareContext(ctx, "SELECT id, title, status, created_at FROM tickets WHERE user_id = 1 ORDER BY id DESC LIMIT 20")
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
		if err := insert.QueryRowContext(c.UserContext(), t.Title, t.Body, t.CreatedAt).Scan(&t.ID); err != nil {
			return err
		}
		return c.JSON(t)
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
			if err := rows.Scan(&t.ID, &t.Title, &t.Status, &t.CreatedAt); err != nil {
				return err
			}
			out = append(out, t)
		}
		return c.JSON(out)
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
