// Package searchtest is the conformance suite of the full text: whatever finds documents, one of the databases or an
// outside engine, must answer its questions alike.
package searchtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/search"
)

// Notes is the index of the suite.
var Notes = search.Index{Kind: "note", Title: "便笺", Fields: []search.Field{{Name: "title", Weight: 8}, {Name: "body", Weight: 1}}}

// Migrations are the tables of the suite.
var Migrations = append(slices.Clone(search.Migrations), database.Migration{ID: "20261199000000_notes", Up: func(ctx context.Context, tx bun.Tx) error {
	if err := database.Exec(ctx, tx, "CREATE TABLE notes (id BIGINT PRIMARY KEY, unit BIGINT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL)",
		"CREATE INDEX notes_unit ON notes (unit, id)"); err != nil {
		return err
	}
	return Notes.Create(ctx, tx, "notes")
}})

// Note is a document of the suite.
type Note struct {
	bun.BaseModel `bun:"table:notes,alias:n"`

	ID    int64  `bun:"id,pk"`
	Unit  int64  `bun:"unit"`
	Title string `bun:"title"`
	Body  string `bun:"body"`
}

// Doc is the note as it is found.
func (n Note) Doc() search.Doc {
	return search.Doc{ID: n.ID, Texts: []string{n.Title, n.Body}, Scope: []string{fmt.Sprintf("unit:%d", n.Unit)}}
}

// Source gives the notes to a rebuild.
var Source = search.Source{Index: Notes, Object: "note", Docs: func(ctx context.Context, db bun.IDB, pick search.Pick) ([]search.Doc, error) {
	var rows []Note
	err := pick(db.NewSelect().Model(&rows), "n.id").Scan(ctx)
	var docs []search.Doc
	for _, r := range rows {
		docs = append(docs, r.Doc())
	}
	return docs, err
}}

// MustPut writes notes with their full text.
func MustPut(t testing.TB, db *database.DB, rows ...Note) {
	t.Helper()
	for part := range slices.Chunk(rows, 500) {
		err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			for _, r := range part {
				if _, err := tx.NewInsert().Model(&r).On("CONFLICT (id) DO UPDATE").Exec(ctx); err != nil {
					return err
				}
				if err := Notes.Put(ctx, tx, r.Doc()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Find searches the way lists do, with everything or the units in sight.
func Find(t testing.TB, db *database.DB, typed string, before int64, limit int, outside search.Outside, units ...int64) search.Found {
	t.Helper()
	words, _ := search.Read(typed)
	l := search.List{Words: words, ID: "n.id", Before: before, Limit: limit, Outside: outside}
	if len(units) == 0 {
		l.Walks = append(l.Walks, db.Read().NewSelect().Model((*Note)(nil)))
	}
	for _, u := range units {
		l.Walks = append(l.Walks, db.Read().NewSelect().Model((*Note)(nil)).Where("n.unit = ?", u))
		l.Scope = append(l.Scope, fmt.Sprintf("unit:%d", u))
	}
	f, err := Notes.Newest(context.Background(), db.Read(), l)
	if err != nil {
		t.Fatalf("%q: %v", typed, err)
	}
	return f
}

// Library is what every back end is asked about. Each text is there for one thing that could go wrong.
var Library = []Note{
	{ID: 1, Unit: 1, Title: "路灯不亮", Body: "新华西街的路灯坏了三天"},
	{ID: 2, Unit: 1, Title: "路灯。灯不亮", Body: "两句话"},
	{ID: 3, Unit: 2, Title: "用工补贴如何申请", Body: "ERP2026 系统报错 café №5"},
	{ID: 4, Unit: 2, Title: "申请停车位", Body: "A股，ＧＤ20261122-000123 办结"},
	{ID: 5, Unit: 3, Title: "𠮷野家与𰻝𰻝面", Body: "招牌申请"},
	{ID: 6, Unit: 3, Title: "申请", Body: "重５㎏的货 \"引号\" OR a-b (x*) it's"},
	{ID: 7, Unit: 3, Title: "表情😀反馈", Body: "葛\U000E0100城 路\u200b灯"},
	{ID: 8, Unit: 9, Title: "补贴到账", Body: "题头路灯"},
	{ID: 9, Unit: 9, Title: "路", Body: "灯"},
}

// questions are asked of every back end; all must answer alike.
var questions = []struct {
	typed string
	units []int64
	want  []int64
}{
	{"路灯", nil, []int64{8, 7, 2, 1}},
	{"路灯不亮", nil, []int64{1}}, // not over the full stop of 2, nor over the fields of 9
	{"路灯 新华", nil, []int64{1}},
	{"新华 路灯", []int64{2}, nil},
	{"申请", nil, []int64{6, 5, 4, 3}},
	{"申请", []int64{3}, []int64{6, 5}},
	{"申请", []int64{2, 3}, []int64{6, 5, 4, 3}},
	{"申请", []int64{77}, nil},
	{"erp", nil, []int64{3}},
	{"ERP20", nil, []int64{3}},
	{"rp2026", nil, nil},
	{"CAFÉ", nil, []int64{3}},
	{"cafe", nil, nil},
	{"gd20261122-000123", nil, []int64{4}},
	{"5kg", nil, []int64{6}},
	{"𠮷野", nil, []int64{5}},
	{"𰻝𰻝面", nil, []int64{5}},
	{"葛城", nil, []int64{7}},
	{`引号" OR`, nil, []int64{6}},
	{"it's", nil, []int64{6}},
	{"亮路", nil, nil},
	{"路", nil, nil},
	{"😀", nil, nil},
	{"", nil, nil},
	{"*", nil, nil},
	{"NOT NEAR(路灯, 3) title:路灯", nil, nil},
	{strings.Repeat("路", 2000), nil, nil},
	{"路灯" + strings.Repeat(" ", 2000), nil, []int64{8, 7, 2, 1}},
}

// Conform asks every question, whole and page by page.
func Conform(t *testing.T, db *database.DB, outside search.Outside) {
	t.Helper()
	for _, q := range questions {
		name := q.typed[:min(len(q.typed), 30)]
		if got := Find(t, db, q.typed, 0, 20, outside, q.units...); !slices.Equal(got.IDs, q.want) {
			t.Errorf("%q in %v: %v, want %v", name, q.units, got.IDs, q.want)
		}
		var paged []int64
		for before := int64(0); ; {
			f := Find(t, db, q.typed, before, 2, outside, q.units...)
			paged = append(paged, f.IDs...)
			if len(f.IDs) < 2 {
				break
			}
			before = f.IDs[1]
		}
		if !slices.Equal(paged, q.want) {
			t.Errorf("%q in %v by twos: %v, want %v", name, q.units, paged, q.want)
		}
	}
}
