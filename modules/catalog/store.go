package catalog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/search"
)

// find reads one product the scope lets through, with its newest and its public edition.
func find(ctx context.Context, db bun.IDB, s scope, id int64) (*dossier, error) {
	p := new(Product)
	if err := s.narrow(db.NewSelect().Model(p).Where("p.id = ?", id)).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	d := &dossier{Product: p}
	var err error
	if d.newest, err = edition(ctx, db, id, p.Edition); err != nil {
		return nil, err
	}
	switch p.Shown {
	case 0:
	case p.Edition:
		d.public = d.newest
	default:
		d.public, err = edition(ctx, db, id, p.Shown)
	}
	return d, err
}

func edition(ctx context.Context, db bun.IDB, id, number int64) (*Edition, error) {
	e := new(Edition)
	if err := db.NewSelect().Model(e).Where("e.product_id = ? AND e.number = ?", id, number).Scan(ctx); err != nil {
		return nil, fmt.Errorf("edition %d of product %d: %w", number, id, database.Found(err))
	}
	return e, nil
}

// editions reads all editions of a product, newest first.
func editions(ctx context.Context, db bun.IDB, id int64) ([]Edition, error) {
	var rows []Edition
	err := db.NewSelect().Model(&rows).Where("e.product_id = ?", id).OrderExpr("e.number DESC").Limit(100).Scan(ctx)
	return rows, err
}

// list reads a page of products for those who work on them: what waits oldest first, everything else newest first.
func list(ctx context.Context, db bun.IDB, s scope, f ListFilter, after position, limit int) ([]Product, error) {
	var rows []Product
	q := s.narrow(db.NewSelect().Model(&rows)).Limit(int64(limit))
	if len(f.Statuses) > 0 {
		q = q.Where("p.status IN (?)", bun.List(f.Statuses))
	}
	if f.Kind != "" {
		q = q.Where("p.kind = ?", f.Kind)
	}
	if f.InstitutionID != 0 {
		q = q.Where("p.institution_id = ?", f.InstitutionID)
	}
	if f.Query != "" {
		q = q.Where("(lower(p.name) LIKE lower(?) ESCAPE '\\' OR lower(p.institution_name) LIKE lower(?) ESCAPE '\\')", contains(f.Query), contains(f.Query))
	}
	if f.Shown {
		q = q.Where("p.shown > 0")
	}
	q = narrowBy(q, f.conditions)
	if f.Waiting {
		q = q.OrderExpr("p.status_at, p.id")
		if f.reviewer != 0 {
			q = q.Where("NOT EXISTS (SELECT 1 FROM product_editions AS e WHERE e.product_id = p.id AND e.number = p.edition AND (e.submitted_by = ? OR e.passed_by = ? OR e.passed_for = ?))", f.reviewer, f.reviewer, f.reviewer)
		}
		if after.id > 0 {
			q = q.Where("(p.status_at > ? OR (p.status_at = ? AND p.id > ?))", after.at, after.at, after.id)
		}
	} else {
		q = q.OrderExpr("p.id DESC")
		if after.id > 0 {
			q = q.Where("p.id < ?", after.id)
		}
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return rows, nil
}

// like makes what somebody typed mean itself in a pattern.
var like = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func contains(s string) string { return "%" + like.Replace(s) + "%" }

// save writes what a command may change of the product, if the product is still at the version that was read.
func save(ctx context.Context, tx bun.Tx, d *dossier, read int64) error {
	d.Version = read + 1
	return database.Changed(tx.NewUpdate().Model(d.Product).
		Column("name", "kind", "financing_kind", "status", "status_at", "edition", "shown", "version", "recommended", "listed_at", "listed_micro", "expires_at", "due_at", "reminded_at").
		Where("id = ? AND version = ?", d.ID, read).Exec(ctx))
}

func saveEdition(ctx context.Context, tx bun.Tx, e *Edition) error {
	_, err := tx.NewUpdate().Model(e).ExcludeColumn("product_id", "number", "created_at").WherePK().Exec(ctx)
	return err
}

// index puts a product that is public into the full text, or takes one out that is not.
func index(ctx context.Context, tx bun.Tx, p *Product, shown *Edition) error {
	if shown == nil || !p.InstitutionActive {
		return fullText.Remove(ctx, tx, p.ID)
	}
	return fullText.Put(ctx, tx, search.Doc{ID: p.ID, Texts: []string{shown.searchText(p.InstitutionName)}})
}

// fullText holds the products that are public.
var fullText = search.Index{Kind: "product", Title: "服务产品", Fields: []search.Field{{Name: "body", Weight: 1}}}

// SearchSource gives the public products to the rebuild of their full text.
func SearchSource() search.Source {
	return search.Source{Index: fullText, Docs: func(ctx context.Context, db bun.IDB, pick search.Pick) ([]search.Doc, error) {
		var products []Product
		if err := pick(db.NewSelect().Model(&products).Where("p.shown > 0 AND p.institution_active"), "p.id").Scan(ctx); err != nil {
			return nil, err
		}
		docs := make([]search.Doc, 0, len(products))
		for _, p := range products {
			e, err := edition(ctx, db, p.ID, p.Shown)
			if err != nil {
				return nil, err
			}
			docs = append(docs, search.Doc{ID: p.ID, Texts: []string{e.searchText(p.InstitutionName)}})
		}
		return docs, nil
	}}
}

// position is where a list goes on.
type position struct {
	at time.Time
	n  int64
	id int64
}
