package database

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// large is from how many rows on a table is worth statistics: of a smaller one they would be out of date before they matter.
const large = 1000

// Optimize gathers the statistics by which the embedded database plans its queries, a table in a transaction, looking at some
// hundred rows of each index. PostgreSQL does the same by itself.
//
// There are no samples of values (sqlite_stat4): with them the planner wants to know the values of the parameters, and parses
// every prepared statement anew each time it is asked.
func (db *DB) Optimize(ctx context.Context) error {
	if db.kind != SQLite {
		return nil
	}
	var tables []string
	err := db.reader.NewRaw(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name`).Scan(ctx, &tables)
	if err != nil {
		return err
	}
	for _, t := range tables {
		var rows int
		if err := db.reader.NewRaw("SELECT count(*) FROM (SELECT 1 FROM ? LIMIT ?)", bun.Ident(t), large).Scan(ctx, &rows); err != nil {
			return fmt.Errorf("count %s: %w", t, err)
		}
		if rows < large {
			continue
		}
		if err := db.statements(ctx, "PRAGMA analysis_limit = 400", `ANALYZE "`+t+`"`); err != nil {
			return fmt.Errorf("analyze %s: %w", t, err)
		}
	}
	// A change of the schema has every connection read the statistics.
	return db.statements(ctx, "CREATE TABLE optimized (id INTEGER)", "DROP TABLE optimized")
}

func (db *DB) statements(ctx context.Context, list ...string) error {
	return db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, s := range list {
			if _, err := tx.Tx.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}
