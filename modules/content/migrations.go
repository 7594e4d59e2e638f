package content

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type article20261124 struct {
	bun.BaseModel `bun:"table:articles"`

	ID            int64      `bun:"id,pk,autoincrement"`
	Kind          string     `bun:"kind,notnull"`
	Column        string     `bun:"column_code,notnull"`
	Title         string     `bun:"title,notnull"`
	Summary       string     `bun:"summary,notnull,type:text"`
	Body          string     `bun:"body,notnull,type:text"`
	Source        string     `bun:"source,notnull"`
	Top           bool       `bun:"top,notnull"`
	Status        string     `bun:"status,notnull"`
	Version       int64      `bun:"version,notnull"`
	AuthorID      int64      `bun:"author_id,notnull"`
	AuthorName    string     `bun:"author_name,notnull"`
	EditorID      int64      `bun:"editor_id,notnull"`
	SubmitterID   int64      `bun:"submitter_id,notnull"`
	PublisherID   int64      `bun:"publisher_id,notnull"`
	PublisherName string     `bun:"publisher_name,notnull"`
	Reason        string     `bun:"reason,notnull,type:text"`
	PublishAt     *time.Time `bun:"publish_at"`
	ExpiresAt     *time.Time `bun:"expires_at"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	UpdatedAt     time.Time  `bun:"updated_at,notnull"`
}

type file20261124 struct {
	bun.BaseModel `bun:"table:article_files"`

	ArticleID int64 `bun:"article_id,pk"`
	FileID    int64 `bun:"file_id,pk"`
	Place     int   `bun:"place,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261124088000_articles",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*article20261124)(nil), (*file20261124)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE INDEX articles_public ON articles (kind, status, top, publish_at, id)",
			"CREATE INDEX articles_column ON articles (kind, column_code, status, top, publish_at, id)",
			"CREATE INDEX articles_status ON articles (status, id)",
			"CREATE INDEX articles_kind ON articles (kind, id)",
			"CREATE INDEX article_files_file ON article_files (file_id)",
		); err != nil {
			return err
		}
		// The full text of the two databases has nothing in common.
		return database.ByDialect(ctx, tx,
			[]string{"CREATE VIRTUAL TABLE article_search USING fts5(words, content='', contentless_delete=1, tokenize='unicode61')"},
			[]string{
				"CREATE TABLE article_search (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)",
				"CREATE INDEX article_search_words ON article_search USING GIN (words)",
			})
	},
}, {
	ID: "20261128040200_article_search",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx, "DROP TABLE article_search"); err != nil {
			return err
		}
		return fullText.Create(ctx, tx, "articles")
	},
}}
