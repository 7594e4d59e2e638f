package database

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
)

// SerialSteps are the statements that make the counters of a table (day TEXT PRIMARY KEY, last BIGINT NOT NULL) ready for
// NextOfDay.
func SerialSteps(ctx context.Context, tx bun.Tx, table string) error {
	return ByDialect(ctx, tx, nil, []string{"CREATE SEQUENCE " + table + "_drawn", "ALTER TABLE " + table + " ADD COLUMN base BIGINT"})
}

// NextOfDay draws the next number of a day, from 1. No number is given twice. On SQLite, with its one writer, an undone
// transaction gives its number back. On PostgreSQL nobody waits for who drew before, so that undone transactions leave holes:
// one sequence serves all days, and the row of a day says what it stood at when the day began.
func NextOfDay(ctx context.Context, tx bun.Tx, table, day string) (int64, error) {
	var n int64
	if KindOf(tx) == SQLite {
		err := QueryOne(ctx, tx, []any{&n}, "INSERT INTO "+table+" (day, last) VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET last = "+table+".last + 1 RETURNING last", day)
		return n, err
	}
	drawn := "nextval('" + table + "_drawn')"
	draw := "SELECT " + drawn + " - base FROM " + table + " WHERE day = ? AND base IS NOT NULL"
	err := QueryOne(ctx, tx, []any{&n}, draw, day)
	if !errors.Is(err, sql.ErrNoRows) {
		return n, err
	}
	// The first of the day, or of a day whose numbers were counted or loaded before: those go on behind the last.
	_, err = Run(ctx, tx, "INSERT INTO "+table+" (day, last, base) VALUES (?, 0, "+drawn+") ON CONFLICT (day) DO UPDATE SET base = "+drawn+" - "+table+".last WHERE "+table+".base IS NULL", day)
	if err != nil {
		return 0, err
	}
	err = QueryOne(ctx, tx, []any{&n}, draw, day)
	return n, err
}

// DrawnByDay says up to which number each day was drawn, or may have been.
func DrawnByDay(ctx context.Context, db bun.IDB, table string) (map[string]int64, error) {
	query := "SELECT day, last FROM " + table
	if KindOf(db) == Postgres {
		query = "SELECT day, coalesce((SELECT last_value FROM " + table + "_drawn) - base, last) FROM " + table
	}
	out := map[string]int64{}
	err := Each(ctx, db, func(rows *sql.Rows) error {
		var day string
		var n int64
		err := rows.Scan(&day, &n)
		out[day] = n
		return err
	}, query)
	return out, err
}

// DrawnUntil is the statement that says that a day, its first parameter, was drawn up to a number, its second, by hands other
// than NextOfDay: that goes on behind it.
func DrawnUntil(kind Kind, table string) string {
	if kind == Postgres {
		return "INSERT INTO " + table + " (day, last) VALUES ($1, $2) ON CONFLICT (day) DO UPDATE SET last = EXCLUDED.last, base = NULL"
	}
	return "INSERT INTO " + table + " (day, last) VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET last = EXCLUDED.last"
}
