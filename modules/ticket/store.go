package ticket

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

type fileRow struct {
	bun.BaseModel `bun:"table:ticket_files"`

	TicketID int64  `bun:"ticket_id,pk"`
	FileID   int64  `bun:"file_id,pk"`
	Seq      int64  `bun:"seq,notnull"`
	Kind     string `bun:"kind,notnull"`
}

type typeRow struct {
	bun.BaseModel `bun:"table:ticket_types,alias:y"`

	Code     string  `bun:"code,pk"`
	Name     string  `bun:"name,notnull"`
	Category string  `bun:"category,notnull"`
	Urgency  Urgency `bun:"urgency,notnull"`
	Hours    int     `bun:"hours,notnull"`
	Sort     int     `bun:"sort,notnull"`
	// SetAt is when the installation set the type itself; nil for one that came with the program.
	SetAt *time.Time `bun:"set_at"`
	// Review: replies are reviewed before the requester is called. SetReview sets it and nothing else.
	Review bool `bun:"review,notnull"`
	// CategoryCode is its place in the tree of the scheme that Category names.
	CategoryCode string `bun:"category_code,notnull"`
	Retired      bool   `bun:"retired,notnull"`
	Version      int64  `bun:"version,notnull"` // of the type with its form
}

// find reads one ticket the scopes let through.
func find(ctx context.Context, db bun.IDB, scopes []scope, id int64) (*Ticket, error) {
	var t *Ticket
	err := findWith(ctx, db, scopes, id, "", func(row *sql.Rows) error {
		t = new(Ticket)
		return row.Scan(t.dest(ticketColumns)...)
	})
	if err == nil && t == nil {
		err = ErrNotFound
	}
	return t, err
}

// findWith has the ticket scanned, with more columns of it, when the scopes let it through.
func findWith(ctx context.Context, db bun.IDB, scopes []scope, id int64, more string, scan func(*sql.Rows) error) error {
	if len(scopes) == 0 {
		return ErrNotFound
	}
	var where []string
	args := []any{id}
	for _, s := range scopes {
		where = append(where, s.where)
		args = append(args, s.args...)
	}
	return database.Each(ctx, db, scan, "SELECT "+ticketColumns+more+" FROM tickets AS t WHERE t.id = ? AND ("+strings.Join(where, " OR ")+") LIMIT 1", args...)
}

// The columns that a list shows, in the order of dest, and all of a ticket that dest takes.
const (
	itemColumns = "t.id, t.number, t.type_code, t.title, t.urgency, t.status, t.version, t.source, t.requester_name, t.enterprise_name, t.unit_name, " +
		"t.created_at, t.due_at, t.closed_at, COALESCE(t.rating, 0) AS rating, t.alert, t.review_due, t.secrecy, COALESCE(t.area, '') AS area"
	ticketColumns = itemColumns + ", COALESCE(t.user_id, 0), COALESCE(t.enterprise_id, 0), COALESCE(t.unit_id, 0), COALESCE(t.merged_into, 0), t.excluded, " +
		"t.query_hash, t.body, t.phone_sealed, COALESCE(t.phone_blind, ''), COALESCE(t.phone_tail, ''), COALESCE(t.opened_by, 0), " +
		"COALESCE(t.unit_l1, 0), COALESCE(t.unit_l2, 0), COALESCE(t.unit_l3, 0), COALESCE(t.unit_l4, 0), t.reply, t.opinion, t.opinion_tags, t.round"
)

// dest is where these columns are read to. They are named here, not found by their names: everybody looks at lists and
// tickets all day.
func (t *Ticket) dest(columns string) []any {
	item := []any{&t.ID, &t.Number, &t.Type, &t.Title, &t.Urgency, &t.Status, &t.Version, &t.Source, &t.RequesterName, &t.EnterpriseName, &t.UnitName,
		&t.CreatedAt, &t.DueAt, &t.ClosedAt, &t.Rating, &t.Alert, &t.ReviewDue, &t.Secrecy, &t.Area}
	if columns == itemColumns {
		return item
	}
	return append(item, &t.UserID, &t.EnterpriseID, &t.UnitID, &t.MergedInto, &t.Excluded,
		&t.QueryHash, &t.Body, &t.PhoneSealed, &t.PhoneBlind, &t.PhoneTail, &t.OpenedBy,
		&t.UnitL1, &t.UnitL2, &t.UnitL3, &t.UnitL4, &t.Reply, &t.Opinion, &t.OpinionTags, &t.Round)
}

// read runs a query for these columns, of about so many tickets. Others than those of dest are found by their names.
func read(ctx context.Context, db bun.IDB, columns string, some int, query string, args []any) ([]Ticket, error) {
	rows := make([]Ticket, 0, min(some, 128))
	if columns != itemColumns && columns != ticketColumns {
		err := database.QueryAll(ctx, db, &rows, query, args...)
		return rows, err
	}
	err := database.Each(ctx, db, func(row *sql.Rows) error {
		rows = append(rows, Ticket{})
		return row.Scan(rows[len(rows)-1].dest(columns)...)
	}, query, args...)
	return rows, err
}

// list reads these columns of a page, newest first.
func list(ctx context.Context, db bun.IDB, columns string, scopes []scope, f ListFilter, before int64, limit int) ([]Ticket, error) {
	var also []condition
	if before > 0 {
		also = append(also, condition{"t.id < ?", []any{before}})
	}
	rows, err := walk(ctx, db, columns, scopes, f, also, "t.id DESC", limit)
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	out := slices.DeleteFunc(rows, func(t Ticket) bool {
		twice := seen[t.ID]
		seen[t.ID] = true
		return twice
	})
	slices.SortFunc(out, func(a, b Ticket) int { return cmp.Compare(b.ID, a.ID) })
	return out[:min(limit, len(out))], nil
}

// walk asks one query per scope and state, so that each walks one index in order, and returns what all of them found: up to
// limit of each, some twice.
func walk(ctx context.Context, db bun.IDB, columns string, scopes []scope, f ListFilter, also []condition, order string, limit int) ([]Ticket, error) {
	statuses := f.Statuses
	if len(statuses) == 0 {
		statuses = []Status{""}
	}
	var out []Ticket
	for _, s := range scopes {
		for _, status := range statuses {
			query, args := "SELECT "+columns+" FROM tickets AS t WHERE "+s.where, slices.Clone(s.args)
			if status != "" {
				query, args = query+" AND t.status = ?", append(args, status)
			}
			for _, c := range slices.Concat(f.conditions(), also) {
				query, args = query+" AND "+c.where, append(args, c.args...)
			}
			// The limit is in the text: where it is a parameter PostgreSQL takes it for a tenth of the table and plans each time anew.
			rows, err := read(ctx, db, columns, limit, query+" ORDER BY "+order+" LIMIT "+strconv.Itoa(limit), args)
			if err != nil {
				return nil, fmt.Errorf("list tickets: %w", err)
			}
			if out == nil {
				out = rows
			} else {
				out = append(out, rows...)
			}
		}
	}
	return out, nil
}

// byID reads these columns of the tickets, newest first, which the scopes have let through.
func byID(ctx context.Context, db bun.IDB, columns string, ids []int64) ([]Ticket, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	these := among(db, "t.id", ids)
	rows, err := read(ctx, db, columns, len(ids), "SELECT "+columns+" FROM tickets AS t WHERE "+these.where+" ORDER BY t.id DESC", these.args)
	if err != nil {
		return nil, fmt.Errorf("read tickets: %w", err)
	}
	return rows, nil
}

// among asks that a column is one of the ids, of which there is at least one: a list on PostgreSQL, on SQLite a mark for
// each, the first id repeated until there are as many as fewLengths says.
func among(db bun.IDB, column string, ids []int64) condition {
	if database.KindOf(db) == database.Postgres {
		return condition{column + " = ANY(?)", []any{ids}}
	}
	all := anys(ids)
	for range fewLengths(len(ids)) - len(ids) {
		all = append(all, ids[0])
	}
	return condition{column + " IN (" + marksFor(len(all)) + ")", all}
}

// fewLengths is a number of at least n out of few: each number in a text is a statement to prepare.
func fewLengths(n int) int {
	few := 24
	for few < n {
		few *= 4
	}
	return few
}

// number draws the next number of the day.
func number(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
	day := now.In(clock.Beijing).Format("20060102")
	n, err := database.NextOfDay(ctx, tx, "ticket_numbers", day)
	if err != nil {
		return "", fmt.Errorf("number a ticket: %w", err)
	}
	return fmt.Sprintf("GD%s-%06d", day, n), nil
}

// save writes what a command may change, if the ticket is still at the version that was read.
func save(ctx context.Context, tx bun.Tx, t *Ticket, read int64) error {
	t.Version = read + 1
	return database.Changed(tx.NewUpdate().Model(t).
		Column("status", "version", "unit_id", "unit_name", "unit_l1", "unit_l2", "unit_l3", "unit_l4",
			"due_at", "closed_at", "reply", "rating", "opinion", "opinion_tags", "review_due", "round", "merged_into", "excluded", "moved_at").
		Where("id = ? AND version = ?", t.ID, read).Exec(ctx))
}

// hops reads the dispatches of a ticket, oldest first.
func hops(ctx context.Context, db bun.IDB, id int64) ([]Hop, error) {
	var rows []Hop
	err := database.Each(ctx, db, func(row *sql.Rows) error {
		rows = append(rows, Hop{})
		h := &rows[len(rows)-1]
		return row.Scan(&h.ID, &h.TicketID, &h.FromID, &h.FromName, &h.UnitID, &h.UnitName, &h.UnitL1, &h.UnitL2, &h.UnitL3, &h.UnitL4, &h.Lead, &h.State,
			&h.SentAt, &h.SignedAt, &h.RepliedAt, &h.DueAt, &h.Note, &h.ParentID, &h.Role, &h.Round, &h.Reply, &h.SentBy, &h.SentByName)
	}, `SELECT id, ticket_id, COALESCE(from_id, 0), from_name, unit_id, unit_name, COALESCE(unit_l1, 0), COALESCE(unit_l2, 0), COALESCE(unit_l3, 0), COALESCE(unit_l4, 0), lead, state,
		sent_at, signed_at, replied_at, due_at, note, COALESCE(parent_id, 0), role, round, reply, COALESCE(sent_by, 0), sent_by_name FROM ticket_hops WHERE ticket_id = ? ORDER BY id`, id)
	return rows, err
}

// leadHop is the hop that carries the ticket.
func leadHop(ctx context.Context, db bun.IDB, id int64) (*Hop, error) {
	h := new(Hop)
	err := db.NewSelect().Model(h).Where("h.ticket_id = ?", id).Where("h.lead").OrderExpr("h.id DESC").Limit(1).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("lead hop of ticket %d: %w", id, database.Found(err))
	}
	return h, nil
}

func saveHop(ctx context.Context, tx bun.Tx, h *Hop) error {
	_, err := tx.NewUpdate().Model(h).Column("state", "signed_at", "replied_at", "due_at", "reply").WherePK().Exec(ctx)
	return err
}

func typeOf(ctx context.Context, db bun.IDB, code string) (typeRow, error) {
	r := typeRow{Code: code}
	err := database.QueryOne(ctx, db, []any{&r.Name, &r.Category, &r.Urgency, &r.Hours, &r.Sort, &r.Retired, &r.Version},
		"SELECT name, category, urgency, hours, sort, retired, version FROM ticket_types WHERE code = ?", code)
	return r, database.Found(err)
}

func typeRows(ctx context.Context, db bun.IDB) ([]typeRow, error) {
	var rows []typeRow
	err := db.NewSelect().Model(&rows).OrderExpr("y.sort, y.code").Scan(ctx)
	return rows, err
}
