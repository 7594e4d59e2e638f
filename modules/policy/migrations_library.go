package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type edition20261129 struct {
	bun.BaseModel `bun:"table:policy_editions"`

	ID            int64      `bun:"id,pk,autoincrement"`
	PolicyID      int64      `bun:"policy_id,notnull"`
	No            int64      `bun:"no,notnull"`
	Base          int64      `bun:"base,notnull"`
	State         string     `bun:"state,notnull"`
	Content       string     `bun:"content,notnull,type:text"`
	Note          string     `bun:"note,notnull,type:text"`
	Reason        string     `bun:"reason,notnull,type:text"`
	Version       int64      `bun:"version,notnull"`
	EditorID      int64      `bun:"editor_id,notnull"`
	EditorName    string     `bun:"editor_name,notnull"`
	SubmitterID   int64      `bun:"submitter_id,notnull"`
	SubmitterName string     `bun:"submitter_name,notnull"`
	PublisherName string     `bun:"publisher_name,notnull"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	UpdatedAt     time.Time  `bun:"updated_at,notnull"`
	NotedAt       time.Time  `bun:"noted_at,notnull"`
	PublishedAt   *time.Time `bun:"published_at"`
}

type save20261129 struct {
	bun.BaseModel `bun:"table:policy_saves"`

	EditionID  int64     `bun:"edition_id,pk"`
	Version    int64     `bun:"version,pk"`
	EditorID   int64     `bun:"editor_id,notnull"`
	EditorName string    `bun:"editor_name,notnull"`
	At         time.Time `bun:"at,notnull"`
	Fields     string    `bun:"fields,notnull,type:text"`
}

type example20261129 struct {
	bun.BaseModel `bun:"table:policy_examples"`

	ID         int64     `bun:"id,pk,autoincrement"`
	PolicyID   int64     `bun:"policy_id,notnull"`
	Name       string    `bun:"name,notnull"`
	Facts      string    `bun:"facts,notnull,type:text"`
	Expected   string    `bun:"expected,notnull"`
	Note       string    `bun:"note,notnull"`
	Version    int64     `bun:"version,notnull"`
	EditorName string    `bun:"editor_name,notnull"`
	CreatedAt  time.Time `bun:"created_at,notnull"`
	UpdatedAt  time.Time `bun:"updated_at,notnull"`
}

type subscription20261129 struct {
	bun.BaseModel `bun:"table:policy_subscriptions"`

	ID        int64     `bun:"id,pk,autoincrement"`
	UserID    int64     `bun:"user_id,notnull"`
	Kind      string    `bun:"kind,notnull"`
	Value     string    `bun:"value,notnull"`
	Label     string    `bun:"label,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
}

type reminder20261129 struct {
	bun.BaseModel `bun:"table:policy_reminders"`

	PolicyID int64     `bun:"policy_id,pk"`
	ClosesOn string    `bun:"closes_on,pk"`
	Days     int64     `bun:"days,pk"`
	At       time.Time `bun:"at,notnull"`
	People   int64     `bun:"people,notnull"`
}

// libraryMigrations are the tables of the library as people edit it.
var libraryMigrations = []database.Migration{{
	ID: "20261129160000_policy_library",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx,
			"ALTER TABLE policies ADD COLUMN kinds TEXT NOT NULL DEFAULT '[]'",
			"ALTER TABLE policies ADD COLUMN region VARCHAR NOT NULL DEFAULT ''",
			"ALTER TABLE policies ADD COLUMN effective_on VARCHAR NOT NULL DEFAULT ''",
			"ALTER TABLE policies ADD COLUMN benefits TEXT NOT NULL DEFAULT '[]'",
			"ALTER TABLE policies ADD COLUMN file_ids TEXT NOT NULL DEFAULT '[]'",
			"ALTER TABLE policies ADD COLUMN edition BIGINT NOT NULL DEFAULT 0",
		); err != nil {
			return err
		}
		if err := database.CreateTables(ctx, tx, (*edition20261129)(nil), (*save20261129)(nil), (*example20261129)(nil), (*subscription20261129)(nil), (*reminder20261129)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX policy_editions_no ON policy_editions (policy_id, no)",
			"CREATE UNIQUE INDEX policy_editions_open ON policy_editions (policy_id) WHERE state IN ('draft', 'review')",
			"CREATE INDEX policy_editions_state ON policy_editions (state, updated_at, id)",
			"CREATE INDEX policy_examples_policy ON policy_examples (policy_id, id)",
			"CREATE UNIQUE INDEX policy_subscriptions_one ON policy_subscriptions (user_id, kind, value)",
			"CREATE INDEX policy_subscriptions_value ON policy_subscriptions (kind, value, user_id)",
		); err != nil {
			return err
		}
		return firstEditions(ctx, tx)
	},
}}

// firstEditions gives every policy that is there the edition that says what it says.
func firstEditions(ctx context.Context, tx bun.Tx) error {
	var rows []policy20261124
	if err := tx.NewSelect().Model(&rows).OrderExpr("id").Scan(ctx); err != nil {
		return fmt.Errorf("read policies: %w", err)
	}
	for _, p := range rows {
		content := map[string]any{
			"title": p.Title, "docNumber": p.DocNumber, "issuer": p.Issuer, "level": p.Level, "topic": p.Topic, "publishedOn": p.PublishedOn,
			"opensOn": p.OpensOn, "closesOn": p.ClosesOn, "expiresOn": p.ExpiresOn, "text": p.Body, "interpretation": p.Interpretation,
			"faq": json.RawMessage(p.FAQ), "materials": json.RawMessage(p.Materials), "benefit": p.Benefit, "capFen": p.CapFen,
			"handlerName": p.HandlerName, "link": p.Link, "kinds": []string{}, "benefits": []string{}, "fileIds": []int64{},
		}
		if p.HandlerID != nil {
			content["handlerId"] = *p.HandlerID
		}
		if p.Conditions != nil {
			content["conditions"] = json.RawMessage(*p.Conditions)
		}
		raw, err := json.Marshal(content)
		if err != nil {
			return fmt.Errorf("policy %d: %w", p.ID, err)
		}
		e := edition20261129{PolicyID: p.ID, No: 1, State: "draft", Content: string(raw), Version: 1, EditorName: "系统", CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, NotedAt: p.UpdatedAt}
		if p.Status != "draft" {
			e.State, e.PublisherName, e.PublishedAt = "published", "系统", &p.UpdatedAt
			if err := database.Exec(ctx, tx, fmt.Sprintf("UPDATE policies SET edition = 1 WHERE id = %d", p.ID)); err != nil {
				return err
			}
		}
		if _, err := tx.NewInsert().Model(&e).ExcludeColumn("id").Exec(ctx); err != nil {
			return fmt.Errorf("edition of policy %d: %w", p.ID, err)
		}
	}
	return nil
}
