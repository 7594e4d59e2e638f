package floor

import (
	"context"
	"database/sql"
	"net"

	"github.com/gofiber/fiber/v2"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ServeSearch is the floor of a search on l until ctx ends: GET /search?match=… runs the bare full-text statement over the
// program's own SQLite file, the newest twenty hits joined to their rows, with no scope, no session and no marks.
func ServeSearch(ctx context.Context, l net.Listener, file string) error {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=query_only(1)&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(4)
	find, err := db.PrepareContext(ctx, `SELECT t.id, t.title, t.status, t.created_at FROM search_ticket JOIN tickets AS t ON t.id = search_ticket.rowid
		WHERE search_ticket MATCH ? ORDER BY search_ticket.rowid DESC LIMIT 20`)
	if err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Get("/search", func(c *fiber.Ctx) error {
		rows, err := find.QueryContext(c.UserContext(), c.Query("match"))
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
	go func() {
		<-ctx.Done()
		_ = app.Shutdown()
	}()
	return app.Listener(l)
}
