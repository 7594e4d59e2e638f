package content

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/notation"
	"github.com/huiqi/huiqi/platform/search"
)

type fileRow struct {
	bun.BaseModel `bun:"table:article_files,alias:f"`

	ArticleID int64 `bun:"article_id,pk"`
	FileID    int64 `bun:"file_id,pk"`
	Place     int   `bun:"place,notnull"`
}

// find reads one article the scope lets through.
func find(ctx context.Context, db bun.IDB, s scope, id int64) (*Article, error) {
	a := new(Article)
	if err := s.narrow(db.NewSelect().Model(a).Where("a.id = ?", id)).Limit(1).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return a, nil
}

// save writes the article, if it is still at the version that was read.
func save(ctx context.Context, tx bun.Tx, a *Article, read int64) error {
	a.Version = read + 1
	err := database.Changed(tx.NewUpdate().Model(a).ExcludeColumn("id", "author_id", "author_name", "created_at").
		Where("id = ? AND version = ?", a.ID, read).Exec(ctx))
	if err != nil {
		return err
	}
	return index(ctx, tx, a)
}

// index keeps the full text of the article beside it.
func index(ctx context.Context, tx bun.Tx, a *Article) error {
	return fullText.Put(ctx, tx, a.doc())
}

// fullText holds all articles; who asks narrows them to what readers see.
var fullText = search.Index{Kind: "article", Title: "资讯与帮助", Fields: []search.Field{{Name: "body", Weight: 1}}}

func (a *Article) doc() search.Doc {
	return search.Doc{ID: a.ID, Texts: []string{a.Title + "\n" + a.Summary + "\n" + a.Source + "\n" + notation.Plain(a.Body)}}
}

// SearchSource gives the articles to the rebuild of their full text.
func SearchSource() search.Source {
	return search.Source{Index: fullText, Docs: func(ctx context.Context, db bun.IDB, pick search.Pick) ([]search.Doc, error) {
		var rows []Article
		err := pick(db.NewSelect().Model(&rows), "a.id").Scan(ctx)
		docs := make([]search.Doc, 0, len(rows))
		for i := range rows {
			docs = append(docs, rows[i].doc())
		}
		return docs, err
	}}
}

// matching narrows a query to the articles the words name. A district's articles are some thousands, so the hits of a
// common word are sorted, not walked.
func matching(q *bun.SelectQuery, words search.Query) *bun.SelectQuery {
	return fullText.Narrow(q, "a.id", words)
}

// place is where a page of the public list ended.
type place struct {
	top bool
	at  time.Time
	id  int64
}

// readers lists what readers see of a kind: those set on top, then the newest.
func readers(ctx context.Context, db bun.IDB, now time.Time, k Kind, column string, after *place, offset, limit int) ([]Article, error) {
	var rows []Article
	q := published(now).narrow(db.NewSelect().Model(&rows).Where("a.kind = ?", k)).
		OrderExpr("a.top DESC, a.publish_at DESC, a.id DESC").Offset(int64(offset)).Limit(int64(limit))
	if column != "" {
		q = q.Where("a.column_code = ?", column)
	}
	if after != nil {
		q = q.Where("(a.top, a.publish_at, a.id) < (?, ?, ?)", after.top, after.at, after.id)
	}
	err := q.Scan(ctx)
	return rows, err
}

// count counts what readers see of a kind, to limit at most.
func count(ctx context.Context, db bun.IDB, now time.Time, k Kind, column string, limit int) (int, error) {
	q := published(now).narrow(db.NewSelect().Model((*Article)(nil)).ColumnExpr("1").Where("a.kind = ?", k)).Limit(int64(limit))
	if column != "" {
		q = q.Where("a.column_code = ?", column)
	}
	n, err := db.NewSelect().TableExpr("(?) AS c", q).Count(ctx)
	return int(n), err
}

// filesOf lists the ids of the article's files in their order.
func filesOf(ctx context.Context, db bun.IDB, id int64) ([]int64, error) {
	var ids []int64
	err := db.NewSelect().Model((*fileRow)(nil)).Column("file_id").Where("f.article_id = ?", id).OrderExpr("f.place, f.file_id").Scan(ctx, &ids)
	return ids, err
}
