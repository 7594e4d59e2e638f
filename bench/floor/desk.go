package floor

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

type line struct {
	ID        int64      `json:"id"`
	Number    string     `json:"number"`
	Type      string     `json:"type"`
	Title     string     `json:"title"`
	Urgency   string     `json:"urgency"`
	Status    string     `json:"status"`
	Version   int64      `json:"version"`
	Source    string     `json:"source"`
	Name      string     `json:"requesterName"`
	Firm      string     `json:"enterpriseName"`
	Unit      string     `json:"unitName"`
	CreatedAt time.Time  `json:"createdAt"`
	DueAt     *time.Time `json:"dueAt"`
	ClosedAt  *time.Time `json:"closedAt"`
	Rating    int        `json:"rating"`
	Alert     string     `json:"alert"`
	ReviewDue bool       `json:"reviewDue"`
	Secrecy   int        `json:"secrecy"`
	Area      string     `json:"area"`
}

type whole struct {
	line

	Body     string `json:"body"`
	Reply    string `json:"reply"`
	Timeline []step `json:"timeline"`
}

// ignored takes a column that is read and not shown.
type ignored struct{}

// Scan takes what was read.
func (ignored) Scan(any) error { return nil }

func unread(columns int) []any {
	out := make([]any, columns)
	for i := range out {
		out[i] = ignored{}
	}
	return out
}

// ServeDesk is the floor of the pages of the desk on l until ctx ends: GET /tickets runs the very statement of the program's
// list as an agent sees it, GET /tickets/ID the two of opening one, the ticket and its events, over the program's own tables.
// It has no session, and nothing of what stands beside a ticket.
func ServeDesk(ctx context.Context, l net.Listener, target string) error {
	writer, db, err := pools(target)
	if err != nil {
		return err
	}
	defer writer.Close()
	defer db.Close()
	arg := func(string) string { return "?" }
	if strings.HasPrefix(target, "postgres") {
		arg = func(n string) string { return "$" + n }
	}
	const columns = "t.id, t.number, t.type_code, t.title, t.urgency, t.status, t.version, t.source, t.requester_name, t.enterprise_name, t.unit_name, " +
		"t.created_at, t.due_at, t.closed_at, COALESCE(t.rating, 0) AS rating, t.alert, t.review_due, t.secrecy, COALESCE(t.area, '') AS area"
	confided := func(n string) string {
		return "1 = 1 AND (t.secrecy = 0 OR EXISTS (SELECT 1 FROM ticket_confidants AS q WHERE q.ticket_id = t.id AND q.user_id = " + arg(n) + "))"
	}
	// #nosec G202 -- parts of the program
	list, err := db.PrepareContext(ctx, "SELECT "+columns+" FROM tickets AS t WHERE "+confided("1")+" ORDER BY t.id DESC LIMIT 21")
	if err != nil {
		return err
	}
	const all = columns + ", t.body, t.reply, COALESCE(t.user_id, 0), COALESCE(t.enterprise_id, 0), COALESCE(t.unit_id, 0), COALESCE(t.merged_into, 0), t.excluded, " +
		"t.query_hash, t.phone_sealed, COALESCE(t.phone_blind, ''), COALESCE(t.phone_tail, ''), COALESCE(t.opened_by, 0), " +
		"COALESCE(t.unit_l1, 0), COALESCE(t.unit_l2, 0), COALESCE(t.unit_l3, 0), COALESCE(t.unit_l4, 0), t.opinion, t.opinion_tags, t.round"
	// #nosec G202 -- parts of the program
	one, err := db.PrepareContext(ctx, "SELECT "+all+" FROM tickets AS t WHERE t.id = "+arg("1")+" AND ("+confided("2")+") LIMIT 1")
	if err != nil {
		return err
	}
	// #nosec G202 -- parts of the program
	events, err := db.PrepareContext(ctx, "SELECT seq, type, at, actor_name, facts, id, pos, actor_id, trace_id FROM events WHERE object = 'ticket' AND object_id = "+arg("1")+" ORDER BY seq LIMIT 1000")
	if err != nil {
		return err
	}
	dest := func(t *line) []any {
		return []any{&t.ID, &t.Number, &t.Type, &t.Title, &t.Urgency, &t.Status, &t.Version, &t.Source, &t.Name, &t.Firm, &t.Unit,
			&t.CreatedAt, &t.DueAt, &t.ClosedAt, &t.Rating, &t.Alert, &t.ReviewDue, &t.Secrecy, &t.Area}
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Get("/tickets", func(c *fiber.Ctx) error {
		rows, err := list.QueryContext(c.UserContext(), 1)
		if err != nil {
			return err
		}
		defer rows.Close()
		out := make([]line, 0, 21)
		for rows.Next() {
			out = append(out, line{})
			if err := rows.Scan(dest(&out[len(out)-1])...); err != nil {
				return err
			}
		}
		return c.JSON(out)
	})
	app.Get("/tickets/:id<int>", func(c *fiber.Ctx) error {
		id, err := c.ParamsInt("id")
		if err != nil {
			return err
		}
		var t whole
		if err := one.QueryRowContext(c.UserContext(), id, 1).Scan(append(append(dest(&t.line), &t.Body, &t.Reply), unread(17)...)...); err != nil {
			return err
		}
		rows, err := events.QueryContext(c.UserContext(), id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s step
			if err := rows.Scan(&s.Seq, &s.Kind, &s.At, &s.Actor, (*[]byte)(&s.Facts), ignored{}, ignored{}, ignored{}, ignored{}); err != nil {
				return err
			}
			t.Timeline = append(t.Timeline, s)
		}
		return c.JSON(t)
	})
	go func() {
		<-ctx.Done()
		_ = app.Shutdown()
	}()
	return app.Listener(l)
}
