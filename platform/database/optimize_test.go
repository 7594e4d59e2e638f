package database_test

import (
	"context"
	"testing"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// TestOptimize: large tables have statistics that every connection knows, small ones none, and nothing samples values.
func TestOptimize(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, nil)
	ctx := context.Background()
	if db.Kind() != database.SQLite {
		if err := db.Optimize(ctx); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, s := range []string{
		"CREATE TABLE many (id INTEGER PRIMARY KEY, same INTEGER, other INTEGER)", "CREATE INDEX many_same ON many (same)", "CREATE INDEX many_other ON many (other)",
		"INSERT INTO many WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i, 1, i FROM n",
		"CREATE TABLE few (id INTEGER PRIMARY KEY, n INTEGER)", "CREATE INDEX few_n ON few (n)", "INSERT INTO few (n) VALUES (1), (2)",
	} {
		if _, err := db.Writer().ExecContext(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	plan := func() string {
		var id, parent, unused int
		var detail string
		if err := db.Read().QueryRowContext(ctx, "EXPLAIN QUERY PLAN SELECT * FROM many WHERE same = 1 AND other = 5").Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		return detail
	}
	_ = plan() // the connection has read the schema
	if err := db.Optimize(ctx); err != nil {
		t.Fatal(err)
	}
	var tables []string
	if err := db.Read().NewRaw("SELECT DISTINCT tbl FROM sqlite_stat1 WHERE tbl IN ('many', 'few')").Scan(ctx, &tables); err != nil {
		t.Fatal(err)
	}
	if len(tables) != 1 || tables[0] != "many" {
		t.Errorf("statistics of %v, want many alone", tables)
	}
	var samples int
	if err := db.Read().NewRaw("SELECT count(*) FROM sqlite_stat4").Scan(ctx, &samples); err != nil {
		t.Fatal(err)
	}
	if samples != 0 {
		t.Errorf("%d samples of values", samples)
	}
	if want := "SEARCH many USING INDEX many_other (other=?)"; plan() != want {
		t.Errorf("the plan is %q, want %q", plan(), want)
	}
}
