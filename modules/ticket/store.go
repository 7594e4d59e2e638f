package ticket

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
}

// find reads one ticket the scopes let through.
func find(ctx context.Context, db bun.IDB, scopes []scope, id int64) (*Ticket, error) {
	t := new(Ticket)
	err := narrow(db.NewSelect().Model(t).Where("t.id = ?", id), scopes).Limit(1).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	return t, nil
}

// list reads a page, newest first: one query per scope and status, merged, so that each walks one index in order.
func list(ctx context.Context, db bun.IDB, scopes []scope, f ListFilter, before int64, limit int) ([]Ticket, error) {
	seen := map[int64]bool{}
	var out []Ticket
	for _, q := range walks(db, scopes, f) {
		var rows []Ticket
		if before > 0 {
			q = q.Where("t.id < ?", before)
		}
		if err := q.OrderExpr("t.id DESC").Limit(int64(limit)).Scan(ctx, &rows); err != nil {
			return nil, fmt.Errorf("list tickets: %w", err)
		}
		for _, r := range rows {
			if !seen[r.ID] {
				seen[r.ID] = true
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b Ticket) int { return cmp.Compare(b.ID, a.ID) })
	return out[:min(limit, len(out))], nil
}

// byID reads the tickets in the order of the ids, which the scopes have let through.
func byID(ctx context.Context, db bun.IDB, ids []int64) ([]Ticket, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []Ticket
	if err := db.NewSelect().Model(&rows).Where("t.id IN (?)", bun.List(ids)).OrderExpr("t.id DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read tickets: %w", err)
	}
	return rows, nil
}

// number takes the next number of the day; the row's lock makes two of them wait for each other.
func number(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
	day := now.In(clock.Beijing).Format("20060102")
	var n int64
	err := tx.NewRaw("INSERT INTO ticket_numbers (day, last) VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET last = ticket_numbers.last + 1 RETURNING last", day).
		Scan(ctx, &n)
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
			"due_at", "closed_at", "reply", "rating", "opinion").
		Where("id = ? AND version = ?", t.ID, read).Exec(ctx))
}

// hops reads the dispatches of a ticket, oldest first.
func hops(ctx context.Context, db bun.IDB, id int64) ([]Hop, error) {
	var rows []Hop
	err := db.NewSelect().Model(&rows).Where("h.ticket_id = ?", id).OrderExpr("h.id").Scan(ctx)
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
	_, err := tx.NewUpdate().Model(h).Column("state", "signed_at", "replied_at").WherePK().Exec(ctx)
	return err
}

func typeOf(ctx context.Context, db bun.IDB, code string) (typeRow, error) {
	var r typeRow
	err := db.NewSelect().Model(&r).Where("y.code = ?", code).Scan(ctx)
	return r, database.Found(err)
}

func typeRows(ctx context.Context, db bun.IDB) ([]typeRow, error) {
	var rows []typeRow
	err := db.NewSelect().Model(&rows).OrderExpr("y.sort, y.code").Scan(ctx)
	return rows, err
}
