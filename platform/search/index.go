package search

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// Index is the full text of the documents of one kind: one table, search_<Kind>, of which only this package writes the SQL.
// An Index is a value of the module that owns the documents; it may be copied.
type Index struct {
	// Kind is a lower-case word, never changed: the table and the outside index hang on it.
	Kind string
	// Title names the documents for the person on duty: "工单".
	Title string
	// Fields are the parts of a document, the weightiest first, four at most.
	Fields []Field
}

// Field is one part of a document. Weight is what a hit in it counts for in Rank.
type Field struct {
	Name   string
	Weight float64
}

// Doc is one document: the id of its row and a text for each field of the index, in their order. Numbers that must not be
// findable are masked before.
type Doc struct {
	ID    int64
	Texts []string
	// Scope are the marks of those who may see it ("unit:10"), by which an outside engine narrows; see List.Scope.
	Scope []string
}

// scheme changes when text is split in another way: what was indexed before is then rebuilt at start.
const scheme = "1"

// layout says how the index was made.
func (x Index) layout() string {
	names := make([]string, len(x.Fields))
	for i, f := range x.Fields {
		names[i] = f.Name
	}
	return scheme + ":" + strings.Join(names, ",")
}

// The tables of an index: the one in use, the one a rebuild fills, the one a rebuild has replaced.
func (x Index) table() string { return "search_" + x.Kind }
func (x Index) next() string  { return x.table() + "_next" }
func (x Index) old() string   { return x.table() + "_old" }

// indexRow is what is known of an index.
type indexRow struct {
	bun.BaseModel `bun:"table:search_indexes,alias:si"`

	Kind   string `bun:"kind,pk"`
	Layout string `bun:"layout,notnull"` // of the table in use; "" asks for a rebuild
	Claim  string `bun:"claim,notnull"`  // of the rebuild that runs; "" when none does
}

type index20261128 struct {
	bun.BaseModel `bun:"table:search_indexes"`

	Kind   string `bun:"kind,pk"`
	Layout string `bun:"layout,notnull"`
	Claim  string `bun:"claim,notnull"`
}

// Migrations are the tables of the package; each module creates its own index with Create.
var Migrations = []database.Migration{{
	ID: "20261128040000_search",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*index20261128)(nil), (*mirror20261128)(nil), (*dirty20261128)(nil))
	},
}}

// Create makes the table of the index, for the migration of its module. Where rows lie in the source table already, the
// index waits for the rebuild of the next start.
func (x Index) Create(ctx context.Context, tx bun.Tx, source string) error {
	if err := x.create(ctx, tx, x.table()); err != nil {
		return err
	}
	row := indexRow{Kind: x.Kind, Layout: x.layout()}
	filled, err := tx.NewSelect().TableExpr("?", bun.Ident(source)).ColumnExpr("1").Limit(1).Exists(ctx)
	if err != nil {
		return err
	}
	if filled {
		row.Layout = ""
	}
	_, err = tx.NewInsert().Model(&row).Exec(ctx)
	return err
}

// create makes an empty table of the layout. The ascii tokenizer takes tokens as they are made here: what is not ASCII is
// never split, folded or stripped by the rules of another edition of Unicode.
func (x Index) create(ctx context.Context, tx bun.Tx, table string) error {
	names := make([]string, len(x.Fields))
	for i, f := range x.Fields {
		names[i] = f.Name
	}
	return database.ByDialect(ctx, tx,
		[]string{fmt.Sprintf("CREATE VIRTUAL TABLE %s USING fts5(%s, content='', contentless_delete=1, tokenize='ascii')", table, strings.Join(names, ", "))},
		[]string{
			fmt.Sprintf("CREATE TABLE %s (id BIGINT PRIMARY KEY, ts TSVECTOR NOT NULL)", table),
			fmt.Sprintf("CREATE INDEX %s_ts ON %s USING gin (ts)", table, table),
		})
}

// Put makes the document findable, or findable as it is now. It runs in the transaction of the document's row.
func (x Index) Put(ctx context.Context, tx bun.Tx, d Doc) error {
	return x.each(ctx, tx, func(table string) error { return x.put(ctx, tx, table, d) })
}

// PutMany is Put of many documents, which it asks about the index once.
func (x Index) PutMany(ctx context.Context, tx bun.Tx, docs []Doc) error {
	return x.each(ctx, tx, func(table string) error {
		for _, d := range docs {
			if err := x.put(ctx, tx, table, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// Remove makes the document unfindable, in the transaction that takes its row away. A document that is not there is no error.
func (x Index) Remove(ctx context.Context, tx bun.Tx, id int64) error {
	column := "id"
	if database.KindOf(tx) == database.SQLite {
		column = "rowid"
	}
	return x.each(ctx, tx, func(table string) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE "+column+" = ?", id)
		if err != nil {
			return fmt.Errorf("take %s %d out of the full text: %w", x.Kind, id, err)
		}
		return nil
	})
}

// each calls fn for the table in use, and for the one that a rebuild fills.
func (x Index) each(ctx context.Context, tx bun.Tx, fn func(table string) error) error {
	claim, err := x.claim(ctx, tx, false)
	if err != nil {
		return err
	}
	if err := fn(x.table()); err != nil || claim == "" {
		return err
	}
	return fn(x.next())
}

// claim returns the claim of the rebuild that runs, "" when none does. Until the transaction ends, no rebuild of the index
// begins or swaps; alone, nobody else writes into it either. On SQLite there is one writer anyway.
func (x Index) claim(ctx context.Context, tx bun.Tx, alone bool) (string, error) {
	if database.KindOf(tx) == database.Postgres {
		lock := "pg_advisory_xact_lock_shared"
		if alone {
			lock = "pg_advisory_xact_lock"
		}
		if _, err := tx.ExecContext(ctx, "SELECT "+lock+"(?, hashtext(?))", database.LockIndex, x.Kind); err != nil {
			return "", fmt.Errorf("hold the full text of %s: %w", x.Kind, err)
		}
	}
	var claim string
	if err := tx.QueryRowContext(ctx, "SELECT claim FROM search_indexes WHERE kind = ?", x.Kind).Scan(&claim); err != nil {
		return "", fmt.Errorf("find the full text of %s: %w", x.Kind, err)
	}
	return claim, nil
}

// put writes the document into one table. On SQLite a plain INSERT on a rowid that exists would leave both texts findable.
func (x Index) put(ctx context.Context, tx bun.Tx, table string, d Doc) error {
	if len(d.Texts) != len(x.Fields) {
		return fmt.Errorf("search: a document of %s with %d texts for %d fields", x.Kind, len(d.Texts), len(x.Fields))
	}
	args := []any{d.ID}
	query := ""
	if database.KindOf(tx) == database.SQLite {
		query = "INSERT OR REPLACE INTO " + table + " (rowid"
		for i, f := range x.Fields {
			query += ", " + f.Name
			args = append(args, Tokens(d.Texts[i]))
		}
		query += ") VALUES (?" + strings.Repeat(", ?", len(x.Fields)) + ")"
	} else {
		args = append(args, Vector(d.Texts...))
		query = "INSERT INTO " + table + " (id, ts) VALUES (?, ?::tsvector) ON CONFLICT (id) DO UPDATE SET ts = EXCLUDED.ts"
	}
	if _, err := database.Run(ctx, tx, query, args...); err != nil {
		return fmt.Errorf("index %s %d: %w", x.Kind, d.ID, err)
	}
	return nil
}

// Narrow joins the query to the documents that hold the words; id names its column of the ids ("p.id"). It is for lists of
// some thousands in an order of their own: all that holds a common word is looked at. Long lists use Newest.
func (x Index) Narrow(q *bun.SelectQuery, id string, words Query) *bun.SelectQuery {
	if words.Empty() {
		return q.Where("1 = 0")
	}
	if database.KindOf(q.DB()) == database.Postgres {
		return q.Join("JOIN "+x.table()+" ON "+x.table()+".id = "+id).Where(x.table()+".ts @@ ?::tsquery", words.TSQuery())
	}
	return q.Join("JOIN "+x.table()+" ON "+x.table()+".rowid = "+id).Where(x.table()+" MATCH ?", words.FTS5())
}

// Rank is the expression that puts the best of a query narrowed to the words first.
func (x Index) Rank(db bun.IDB, words Query) (expr string, args []any) {
	weights := make([]string, len(x.Fields))
	if database.KindOf(db) == database.SQLite {
		for i, f := range x.Fields {
			weights[i] = fmt.Sprintf("%.3f", f.Weight)
		}
		return "bm25(" + x.table() + ", " + strings.Join(weights, ", ") + ")", nil
	}
	// The array of ts_rank names the weights from D to A, none above 1.
	all := []string{"0", "0", "0", "0"}
	for i, f := range x.Fields {
		all[len(all)-1-i] = fmt.Sprintf("%.3f", f.Weight/x.Fields[0].Weight)
	}
	return "ts_rank('{" + strings.Join(all, ", ") + "}', " + x.table() + ".ts, ?::tsquery) DESC", []any{words.TSQuery()}
}
