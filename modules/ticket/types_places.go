package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// placeRow is the place of a type in a tree of categories from a moment on. A type may be moved to another code, or to another
// version of the scheme; what was filed before keeps the place it was filed under.
type placeRow struct {
	bun.BaseModel `bun:"table:ticket_type_places,alias:p"`

	TypeCode     string    `bun:"type_code,pk"`
	Since        time.Time `bun:"since,pk"`
	Category     string    `bun:"category,notnull"`
	CategoryCode string    `bun:"category_code,notnull"`
}

// keepPlaces notes the places of the types that were changed in tx.
func keepPlaces(ctx context.Context, tx bun.Tx, now time.Time) error {
	_, err := database.Run(ctx, tx, `INSERT INTO ticket_type_places (type_code, since, category, category_code)
		SELECT y.code, ?, y.category, y.category_code FROM ticket_types AS y
		WHERE NOT EXISTS (SELECT 1 FROM ticket_type_places AS p WHERE p.type_code = y.code AND p.category = y.category AND p.category_code = y.category_code
			AND p.since = (SELECT max(q.since) FROM ticket_type_places AS q WHERE q.type_code = y.code))
		ON CONFLICT (type_code, since) DO UPDATE SET category = EXCLUDED.category, category_code = EXCLUDED.category_code`, now)
	return err
}

// places are the places of the types, oldest first, and the names of the categories by scheme, version and code.
type places struct {
	types map[string][]placeRow
	names map[[2]string]string
}

func readPlaces(ctx context.Context, db bun.IDB) (places, error) {
	all := places{map[string][]placeRow{}, map[[2]string]string{}}
	var rows []placeRow
	if err := db.NewSelect().Model(&rows).OrderExpr("p.type_code, p.since").Scan(ctx); err != nil {
		return all, err
	}
	for _, r := range rows {
		all.types[r.TypeCode] = append(all.types[r.TypeCode], r)
	}
	var nodes []categoryRow
	if err := db.NewSelect().Model(&nodes).Scan(ctx); err != nil {
		return all, err
	}
	for _, n := range nodes {
		all.names[[2]string{n.Scheme + "/" + n.Version, n.Code}] = n.Name
	}
	return all, nil
}

// at is the place a type had at a moment. What is older than the oldest that is known was filed under that one.
func (p places) at(code string, moment time.Time) placeRow {
	list := p.types[code]
	if len(list) == 0 {
		return placeRow{}
	}
	found := list[0]
	for _, r := range list[1:] {
		if r.Since.After(moment) {
			break
		}
		found = r
	}
	return found
}

// nameOf is the name of the category at a place.
func (p places) nameOf(at placeRow) string { return p.names[[2]string{at.Category, at.CategoryCode}] }

// placeOf is the place a type had at a moment, and the name of its category.
func (s *Service) placeOf(ctx context.Context, db bun.IDB, code string, moment time.Time) (placeRow, string, error) {
	if _, err := s.typeNames(ctx, db); err != nil {
		return placeRow{}, "", err
	}
	all := s.places()
	found := all.at(code, moment)
	return found, all.nameOf(found), nil
}

// places are those that typeNames read.
func (s *Service) places() places {
	s.names.Lock()
	defer s.names.Unlock()
	return s.names.places
}

type place20261130 struct {
	bun.BaseModel `bun:"table:ticket_type_places"`

	TypeCode     string    `bun:"type_code,pk"`
	Since        time.Time `bun:"since,pk"`
	Category     string    `bun:"category,notnull"`
	CategoryCode string    `bun:"category_code,notnull"`
}

// placeStep begins with the places that the types have: what was before is not known.
var placeStep = database.Migration{
	ID: "20261130180000_ticket_type_places",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*place20261130)(nil)); err != nil {
			return err
		}
		_, err := database.Run(ctx, tx, "INSERT INTO ticket_type_places (type_code, since, category, category_code) SELECT code, ?, category, category_code FROM ticket_types",
			time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		return err
	},
}
