package floor

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

type product struct {
	ID          int64  `json:"id"`
	Rank        int64  `json:"rank"`
	Name        string `json:"name"`
	Summary     string `json:"summary"`
	Institution string `json:"institutionName"`
}

// ServeProducts is the floor of a search for products on l until ctx ends: GET /products?match=…&name=… runs the very
// statement of the program's list (what is public, the names that hold the pattern first) over the program's own tables and
// gives the first twenty. It does not count, and has no session and no second look at the rows.
func ServeProducts(ctx context.Context, l net.Listener, target string) error {
	writer, db, err := pools(target)
	if err != nil {
		return err
	}
	defer writer.Close()
	defer db.Close()
	join, match, arg := "search_product ON search_product.rowid = p.id", "search_product MATCH ?", func(string) string { return "?" }
	if strings.HasPrefix(target, "postgres") {
		join, match, arg = "search_product ON search_product.id = p.id", "search_product.ts @@ $4::tsquery", func(n string) string { return "$" + n }
	}
	// #nosec G202 -- parts of the program
	find, err := db.PrepareContext(ctx, `SELECT p.id, CASE WHEN lower(e.name) LIKE `+arg("1")+` ESCAPE '\' THEN 0 WHEN lower(e.summary) LIKE `+arg("2")+` ESCAPE '\' THEN 1 ELSE 2 END AS rank,
		e.name, e.summary, p.institution_name FROM products AS p JOIN product_editions AS e ON e.product_id = p.id AND e.number = p.shown JOIN `+join+`
		WHERE p.shown > 0 AND p.institution_active AND (p.expires_at IS NULL OR p.expires_at > `+arg("3")+`) AND `+match+` ORDER BY rank, p.id DESC LIMIT 20`)
	if err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Get("/products", func(c *fiber.Ctx) error {
		name := "%" + c.Query("name") + "%"
		rows, err := find.QueryContext(c.UserContext(), name, name, time.Now().UTC(), c.Query("match"))
		if err != nil {
			return err
		}
		defer rows.Close()
		out := []product{}
		for rows.Next() {
			var p product
			if err := rows.Scan(&p.ID, &p.Rank, &p.Name, &p.Summary, &p.Institution); err != nil {
				return err
			}
			out = append(out, p)
		}
		return c.JSON(out)
	})
	go func() {
		<-ctx.Done()
		_ = app.Shutdown()
	}()
	return app.Listener(l)
}
