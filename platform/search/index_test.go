package search_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/search/searchtest"
)

func TestIndexConforms(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, searchtest.Migrations)
	searchtest.MustPut(t, db, searchtest.Library...)
	searchtest.Conform(t, db, nil)

	// Written again a document is found by its new text only; taken out, by none.
	searchtest.MustPut(t, db, searchtest.Note{ID: 1, Unit: 1, Title: "路面积水", Body: "排水"})
	err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		if err := searchtest.Notes.Remove(ctx, tx, 8); err != nil {
			return err
		}
		return searchtest.Notes.Remove(ctx, tx, 4711)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := searchtest.Find(t, db, "路灯", 0, 20, nil).IDs; !slices.Equal(got, []int64{7, 2}) {
		t.Errorf("after the changes %v", got)
	}
	if got := searchtest.Find(t, db, "积水", 0, 20, nil).IDs; !slices.Equal(got, []int64{1}) {
		t.Errorf("the new text %v", got)
	}
}

func TestNarrowAndRank(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, searchtest.Migrations)
	searchtest.MustPut(t, db, searchtest.Library...)
	words, err := search.Parse("路灯")
	if err != nil {
		t.Fatal(err)
	}
	rank, args := searchtest.Notes.Rank(db.Read(), words)
	var ids []int64
	q := searchtest.Notes.Narrow(db.Read().NewSelect().Model((*searchtest.Note)(nil)).Column("id"), "n.id", words).Where("n.unit <> 3").OrderExpr(rank+", n.id", args...)
	if err := q.Scan(context.Background(), &ids); err != nil {
		t.Fatal(err)
	}
	if len(ids) != 3 || ids[2] != 8 { // a title is worth more than a body
		t.Errorf("ranked %v", ids)
	}
	if n, err := searchtest.Notes.Narrow(db.Read().NewSelect().Model((*searchtest.Note)(nil)), "n.id", search.Query{}).Count(context.Background()); err != nil || n != 0 {
		t.Errorf("no words found %d, %v", n, err)
	}
}

// TestWorkIsBounded has 100,000 documents, all with one word and one in a thousand with another, and looks at how many
// entries and rows a page costs, whatever the pair of word and scope.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	const n = 100_000
	db := databasetest.New(t, searchtest.Migrations)
	rows := make([]searchtest.Note, 0, n)
	for i := int64(1); i <= n; i++ {
		r := searchtest.Note{ID: i, Unit: 1 + i%10, Title: "申请", Body: "企业申请办理事项"}
		switch {
		case i%20_000 == 7:
			r.Unit = 500 // five rows of a hundred thousand
		case i%100 == 50:
			r.Unit = 600
		}
		if i%1000 == 999 {
			r.Body += "，路灯"
		}
		if i == 31_337 {
			r.Body += "，独角兽"
		}
		if i <= n/2 {
			r.Body += "，旧事"
		}
		rows = append(rows, r)
	}
	for part := range slices.Chunk(rows, 1000) {
		if _, err := db.Writer().NewInsert().Model(&part).Exec(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if err := search.Rebuild(context.Background(), db, searchtest.Source, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Writer().ExecContext(context.Background(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, typed string
		units       []int64
		found       int
		most        int // entries and rows together
	}{
		{"common word, everything", "申请", nil, 21, 200},
		{"common word, five rows", "申请", []int64{500}, 5, 200},
		{"common words, five rows", "企业申请办理事项", []int64{500}, 5, 200},
		{"common word, no row", "申请", []int64{4711}, 0, 200},
		{"common word, one percent", "申请", []int64{600}, 21, 500},
		{"common word, two scopes", "申请", []int64{500, 600}, 21, 500},
		{"rare word, everything", "独角兽", nil, 1, 200},
		{"rare word, a tenth", "独角兽", []int64{8}, 1, 200},
		{"rare word, five rows", "独角兽", []int64{500}, 0, 200},
		{"no such word", "绝无此词", nil, 0, 200},
		{"one in a thousand, everything", "路灯", nil, 21, 500},
		{"one in a thousand, one percent", "路灯", []int64{600}, 0, 3000},
		{"a word of the older half, one percent", "旧事", []int64{600}, 21, 3000},
	} {
		f := searchtest.Find(t, db, c.typed, 0, 21, nil, c.units...)
		if len(f.IDs) != c.found || f.Hits+f.Rows > c.most {
			t.Errorf("%s: found %d of %d, looked at %d entries and %d rows, at most %d wanted", c.name, len(f.IDs), c.found, f.Hits, f.Rows, c.most)
		}
		if !slices.IsSortedFunc(f.IDs, func(a, b int64) int { return int(b - a) }) {
			t.Errorf("%s: not newest first: %v", c.name, f.IDs)
		}
	}
	// The counts are the truth only where the database walks an index in order and never the table.
	plan := explain(t, db, db.Read().NewSelect().Model((*searchtest.Note)(nil)).Column("id").Where("n.unit = 600").Where("n.id < 50000").OrderExpr("n.id DESC").Limit(64))
	if !strings.Contains(plan, "notes_unit") || strings.Contains(plan, "Sort") || strings.Contains(plan, "B-TREE") || strings.Contains(plan, "SCAN") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("a walk is planned as %s", plan)
	}
	words, err := search.Parse("独角兽")
	if err != nil {
		t.Fatal(err)
	}
	if db.Kind() == database.SQLite {
		plan = explain(t, db, db.Read().NewRaw("SELECT rowid FROM search_note WHERE search_note MATCH ? AND rowid < 50000 ORDER BY rowid DESC LIMIT 21", words.FTS5()))
		if !strings.Contains(plan, "VIRTUAL TABLE INDEX") || strings.Contains(plan, "B-TREE") {
			t.Errorf("hits are planned as %s", plan)
		}
	} else {
		plan = explain(t, db, db.Read().NewRaw("SELECT id FROM search_note WHERE ts @@ ?::tsquery LIMIT 65", words.TSQuery()))
		if !strings.Contains(plan, "search_note_ts") {
			t.Errorf("hits are planned as %s", plan)
		}
	}
}

func explain(t *testing.T, db *database.DB, q fmt.Stringer) string {
	t.Helper()
	verb := "EXPLAIN QUERY PLAN "
	if db.Kind() == database.Postgres {
		verb = "EXPLAIN "
	}
	rows, err := db.Read().QueryContext(context.Background(), verb+q.String())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		cols, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]any, len(cols))
		for i := range cells {
			cells[i] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(*cells[len(cells)-1].(*any)))
	}
	return strings.Join(out, "\n")
}

// dump is all an index holds: on SQLite every occurrence of every term, on PostgreSQL every vector.
func dump(t *testing.T, db *database.DB) []string {
	t.Helper()
	ctx := context.Background()
	var out []string
	query := "SELECT id || ' ' || ts::text FROM search_note ORDER BY id"
	if db.Kind() == database.SQLite {
		if _, err := db.Writer().ExecContext(ctx, "CREATE VIRTUAL TABLE IF NOT EXISTS temp.occurrences USING fts5vocab('main', 'search_note', 'instance')"); err != nil {
			t.Fatal(err)
		}
		query = "SELECT doc || ' ' || term || ' ' || col || ' ' || offset FROM temp.occurrences ORDER BY doc, col, offset, term"
	}
	if err := db.Writer().NewRaw(query).Scan(ctx, &out); err != nil {
		t.Fatal(err)
	}
	if db.Kind() == database.SQLite {
		if _, err := db.Writer().ExecContext(ctx, "DROP TABLE temp.occurrences"); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestRebuildEqualsWhatWasKept tampers with an index in every way and has it made anew, while others write.
func TestRebuildEqualsWhatWasKept(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, searchtest.Migrations)
	rows := slices.Clone(searchtest.Library)
	for i := int64(100); i < 1500; i++ {
		rows = append(rows, searchtest.Note{ID: i, Unit: i % 7, Title: fmt.Sprintf("第%d件", i), Body: "用电申请"})
	}
	searchtest.MustPut(t, db, rows...)
	kept := dump(t, db)

	tampering := []string{
		"DELETE FROM search_note WHERE rowid = 1",
		"INSERT INTO search_note (rowid, title, body) VALUES (2, '水管', '爆裂')", // beside the text that is there: both are found
		"INSERT INTO search_note (rowid, title, body) VALUES (4711, '路灯', '')",
		"UPDATE search_note SET title = '张冠', body = '李戴' WHERE rowid = 3",
	}
	if db.Kind() == database.Postgres {
		tampering = []string{
			"DELETE FROM search_note WHERE id = 1", "INSERT INTO search_note VALUES (4711, '''路灯'':1')", "UPDATE search_note SET ts = '''张冠'':1' WHERE id = 3",
		}
	}
	for _, s := range tampering {
		if _, err := db.Writer().ExecContext(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Equal(dump(t, db), kept) {
		t.Fatal("tampering changed nothing")
	}
	// A rebuild that dies leaves the index in use and its half-made table behind.
	dying, cancel := context.WithCancel(ctx)
	if err := search.Rebuild(dying, db, searchtest.Source, func(int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("a rebuild that was ended: %v", err)
	}
	if got := searchtest.Find(t, db, "用电", 0, 5, nil).IDs; len(got) != 5 {
		t.Fatalf("after a dead rebuild: %v", got)
	}
	searchtest.MustPut(t, db, searchtest.Note{ID: 5000, Unit: 1, Title: "死后才写", Body: "用电申请"})

	var writers sync.WaitGroup
	var once sync.Once
	last := 0
	err := search.Rebuild(ctx, db, searchtest.Source, func(done int) {
		once.Do(func() { // the first portion is in: what changes in it and behind it must both arrive
			writers.Go(func() {
				searchtest.MustPut(t, db, searchtest.Note{ID: 2, Unit: 1, Title: "重建中改", Body: "用电申请"}, searchtest.Note{ID: 1400, Unit: 1, Title: "重建中改", Body: "后面"}, searchtest.Note{ID: 6000, Unit: 1, Title: "重建中新", Body: "用电申请"})
				err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
					if _, err := tx.ExecContext(ctx, "DELETE FROM notes WHERE id IN (5, 1300)"); err != nil {
						return err
					}
					return errors.Join(searchtest.Notes.Remove(ctx, tx, 5), searchtest.Notes.Remove(ctx, tx, 1300))
				})
				if err != nil {
					t.Error(err)
				}
			})
			writers.Wait()
		})
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != len(rows)+1 { // one was added behind and one taken away before its turn, beside 5000
		t.Errorf("the last progress was %d", last)
	}

	// The same rows, kept from the beginning in another database.
	twin := databasetest.New(t, searchtest.Migrations)
	var now []searchtest.Note
	if err := db.Read().NewSelect().Model(&now).OrderExpr("n.id").Scan(ctx); err != nil {
		t.Fatal(err)
	}
	searchtest.MustPut(t, twin, now...)
	if got, want := dump(t, db), dump(t, twin); !slices.Equal(got, want) {
		t.Errorf("the rebuilt index has %d entries, the kept one %d", len(got), len(want))
	}
	if stale, err := searchtest.Notes.Stale(ctx, db.Read()); err != nil || stale {
		t.Errorf("stale %v, %v", stale, err)
	}
	left := "SELECT count(*) FROM sqlite_master WHERE name LIKE 'search_note_old%' OR name LIKE 'search_note_next%'"
	if db.Kind() == database.Postgres {
		left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'search_note_old%' OR relname LIKE 'search_note_next%'"
	}
	var n int
	if err := db.Read().QueryRowContext(ctx, left).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d tables are left over, %v", n, err)
	}
}

// TestRebuildInSmallerPortions: where a portion does not fit into what a transaction may take, it is halved until it does.
func TestRebuildInSmallerPortions(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, searchtest.Migrations)
	searchtest.MustPut(t, db, searchtest.Library...)
	kept := dump(t, db)
	fits := 1
	slow := searchtest.Source
	slow.Docs = func(ctx context.Context, tx bun.IDB, pick search.Pick) ([]search.Doc, error) {
		docs, err := searchtest.Source.Docs(ctx, tx, pick)
		if err == nil && len(docs) > fits {
			err = fmt.Errorf("read %d: %w", len(docs), context.DeadlineExceeded)
		}
		return docs, err
	}
	if err := search.Rebuild(context.Background(), db, slow, nil); err != nil || !slices.Equal(dump(t, db), kept) {
		t.Errorf("portions of one: %v", err)
	}
	fits = 0
	if err := search.Rebuild(context.Background(), db, slow, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("not even one fits: %v", err)
	}
}

// Of two rebuilds the later one wins.
func TestRebuildTakenOver(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, searchtest.Migrations)
	searchtest.MustPut(t, db, searchtest.Library...)
	var once sync.Once
	err := search.Rebuild(context.Background(), db, searchtest.Source, func(int) {
		once.Do(func() {
			if err := search.Rebuild(context.Background(), db, searchtest.Source, nil); err != nil {
				t.Error(err)
			}
		})
	})
	if !errors.Is(err, search.ErrTaken) {
		t.Errorf("the first rebuild: %v", err)
	}
	searchtest.Conform(t, db, nil)
}

// An index whose rows were there before it says so until it is rebuilt.
func TestStale(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, searchtest.Migrations)
	searchtest.MustPut(t, db, searchtest.Library...)
	if _, err := db.Writer().ExecContext(ctx, "UPDATE search_indexes SET layout = '0:title,body'"); err != nil {
		t.Fatal(err)
	}
	if f := searchtest.Find(t, db, "路灯", 0, 5, nil); !strings.Contains(f.Note, "正在建立") || len(f.IDs) != 4 {
		t.Errorf("%+v", f)
	}
	if err := search.Rebuild(ctx, db, searchtest.Source, nil); err != nil {
		t.Fatal(err)
	}
	if f := searchtest.Find(t, db, "路灯", 0, 5, nil); f.Note != "" || len(f.IDs) != 4 {
		t.Errorf("%+v", f)
	}
}
