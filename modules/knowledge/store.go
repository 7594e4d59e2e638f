package knowledge

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/notation"
	"github.com/huiqi/huiqi/platform/search"
)

type unitRow struct {
	bun.BaseModel `bun:"table:knowledge_units,alias:u"`

	EntryID int64 `bun:"entry_id,pk"`
	UnitID  int64 `bun:"unit_id,pk"`
}

// useRow says that an answer was put into a ticket: once for each person and ticket.
type useRow struct {
	bun.BaseModel `bun:"table:knowledge_uses,alias:s"`

	EntryID  int64     `bun:"entry_id,pk"`
	TicketID int64     `bun:"ticket_id,pk"`
	UserID   int64     `bun:"user_id,pk"`
	No       int       `bun:"edition_no,notnull"`
	At       time.Time `bun:"at,notnull"`
}

// find reads one entry that the actor may see.
func find(ctx context.Context, db bun.IDB, a access.Actor, today string, id int64) (*Entry, error) {
	k := new(Entry)
	if err := narrow(db.NewSelect().Model(k).Where("k.id = ?", id), visible(a, today)).Limit(1).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return k, nil
}

// edition reads one edition; no 0 is none.
func edition(ctx context.Context, db bun.IDB, entry int64, no int) (*Edition, error) {
	if no == 0 {
		return nil, nil
	}
	d := new(Edition)
	if err := db.NewSelect().Model(d).Where("d.entry_id = ? AND d.no = ?", entry, no).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return d, nil
}

// newest reads the edition a new one begins from where none is in force: the last that was.
func newest(ctx context.Context, db bun.IDB, entry int64) (*Edition, error) {
	d := new(Edition)
	err := db.NewSelect().Model(d).Where("d.entry_id = ? AND d.state <> ?", entry, EditionDiscarded).OrderExpr("d.no DESC").Limit(1).Scan(ctx)
	return d, database.Found(err)
}

// save writes the entry, if it is still at the version that was read. What counters say is theirs.
func save(ctx context.Context, tx bun.Tx, k *Entry, read int64) error {
	k.Version = read + 1
	err := database.Changed(tx.NewUpdate().Model(k).ExcludeColumn("id", "created_at", "uses", "useful", "open_reports").
		Where("id = ? AND version = ?", k.ID, read).Exec(ctx))
	if err != nil {
		return err
	}
	return settle(ctx, tx, k)
}

// settle keeps beside the row what follows from it: the units concerned and the full text.
func settle(ctx context.Context, tx bun.Tx, k *Entry) error {
	if _, err := tx.NewDelete().Model((*unitRow)(nil)).Where("entry_id = ?", k.ID).Exec(ctx); err != nil {
		return err
	}
	if len(k.UnitIDs) > 0 {
		rows := make([]unitRow, 0, len(k.UnitIDs))
		for _, id := range k.UnitIDs {
			rows = append(rows, unitRow{EntryID: k.ID, UnitID: id})
		}
		if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
			return err
		}
	}
	return fullText.Put(ctx, tx, k.doc())
}

// saveEdition writes what changes of an edition.
func saveEdition(ctx context.Context, tx bun.Tx, d *Edition) error {
	return database.Changed(tx.NewUpdate().Model(d).ExcludeColumn("entry_id", "no", "author_id", "author_name", "created_at").WherePK().Exec(ctx))
}

// fullText holds what each entry's row says; who asks narrows it to what they see.
var fullText = search.Index{Kind: "knowledge", Title: "知识库", Fields: []search.Field{
	{Name: "title", Weight: 8}, {Name: "keywords", Weight: 6}, {Name: "question", Weight: 4}, {Name: "answer", Weight: 1},
}}

func (k *Entry) doc() search.Doc {
	return search.Doc{ID: k.ID, Texts: []string{k.Title, strings.Join(k.Keywords, "\n"), k.Question, notation.Plain(k.Answer) + "\n" + k.SourceTitle + "\n" + k.SourceNumber}}
}

// SearchSource gives the entries to the rebuild of their full text.
func SearchSource() search.Source {
	return search.Source{Index: fullText, Docs: func(ctx context.Context, db bun.IDB, pick search.Pick) ([]search.Doc, error) {
		var rows []Entry
		err := pick(db.NewSelect().Model(&rows), "k.id").Scan(ctx)
		docs := make([]search.Doc, 0, len(rows))
		for i := range rows {
			docs = append(docs, rows[i].doc())
		}
		return docs, err
	}}
}
