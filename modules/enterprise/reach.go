package enterprise

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
)

// What follows serves those who look for companies instead of looking at one: all of the register with what is known of
// each, and what has changed since.
//
// The register are the companies with a credit code: verified ones, and those that came with a register of the district.
// What somebody only signed up under a name is not counted among the district's companies.

// registerOnly narrows a query of companies to the register.
const registerOnly = "credit_code IS NOT NULL AND replaced_by IS NULL"

// FactMark is the id of the latest fact; facts are only added.
func (s *Service) FactMark(ctx context.Context, db bun.IDB) (int64, error) {
	var mark int64
	err := database.QueryOne(ctx, db, []any{&mark}, "SELECT coalesce(max(id), 0) FROM enterprise_facts")
	return mark, err
}

// CountRegister is how many companies are in the register.
func (s *Service) CountRegister(ctx context.Context, db bun.IDB) (int, error) {
	var n int
	err := database.QueryOne(ctx, db, []any{&n}, "SELECT count(*) FROM enterprises WHERE "+registerOnly)
	return n, err
}

// registerPage is how many companies are read at once.
const registerPage = 1000

// EachRegistered gives the companies of the register in the order of their ids with what is known of each; see Facts. An
// error of yield ends it.
func (s *Service) EachRegistered(ctx context.Context, db bun.IDB, yield func(id int64, facts criteria.Facts) error) error {
	counts, err := s.counting(ctx, db)
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		var ids []int64
		err := database.Each(ctx, db, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}, fmt.Sprintf("SELECT id FROM enterprises WHERE id > ? AND "+registerOnly+" ORDER BY id LIMIT %d", registerPage), after)
		if err != nil || len(ids) == 0 {
			return err
		}
		known, err := spanOfFacts(ctx, db, ids[0], ids[len(ids)-1])
		if err != nil {
			return err
		}
		now := s.clock.Now()
		for _, id := range ids {
			if err := yield(id, counts(known[id], now)); err != nil {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}

// spanOfFacts reads the facts of a span of companies by company, oldest first, without who recorded them.
func spanOfFacts(ctx context.Context, db bun.IDB, from, to int64) (map[int64][]Fact, error) {
	out := map[int64][]Fact{}
	err := database.Each(ctx, db, func(rows *sql.Rows) error {
		var f Fact
		if err := rows.Scan(&f.EnterpriseID, &f.Field, &f.ID, &f.Value, &f.Source, &f.SourceName, &f.AsOf, &f.RecordedAt); err != nil {
			return err
		}
		out[f.EnterpriseID] = append(out[f.EnterpriseID], f)
		return nil
	}, "SELECT enterprise_id, field, id, value, source, source_name, as_of, recorded_at FROM enterprise_facts WHERE enterprise_id >= ? AND enterprise_id <= ?", from, to)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b Fact) int { return int(a.ID - b.ID) })
	}
	return out, nil
}

// InRegister returns those of the companies that are in the register, with what is known of each.
func (s *Service) InRegister(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]criteria.Facts, error) {
	known := make([]int64, 0, len(ids))
	for chunk := range slices.Chunk(ids, 500) {
		var some []int64
		err := db.NewSelect().Model((*Enterprise)(nil)).Column("id").Where("ent.id IN ?", bun.Tuple(chunk)).Where(registerOnly).Scan(ctx, &some)
		if err != nil {
			return nil, err
		}
		known = append(known, some...)
	}
	return s.FactsOf(ctx, db, known...)
}

// Changed is a fact that was added: the reader goes on behind its id.
type Changed struct{ FactID, EnterpriseID int64 }

// FactsAfter lists the facts added behind an id, at most limit, in the order of their ids. On PostgreSQL one with a lower id
// may still appear for as long as a transaction lasts.
func (s *Service) FactsAfter(ctx context.Context, db bun.IDB, after int64, limit int) ([]Changed, error) {
	var out []Changed
	err := database.Each(ctx, db, func(rows *sql.Rows) error {
		var c Changed
		err := rows.Scan(&c.FactID, &c.EnterpriseID)
		out = append(out, c)
		return err
	}, fmt.Sprintf("SELECT id, enterprise_id FROM enterprise_facts WHERE id > ? ORDER BY id LIMIT %d", limit), after)
	return out, err
}

// FactsUntil is FactsOf as it was when fact mark was the latest.
func (s *Service) FactsUntil(ctx context.Context, db bun.IDB, mark int64, ids ...int64) (map[int64]criteria.Facts, error) {
	return s.factsBut(ctx, db, func(f Fact) bool { return f.ID > mark }, ids...)
}

// CheckedFacts is FactsOf without what companies say of themselves, and without what would follow from it: what remains
// rests on an office's word.
func (s *Service) CheckedFacts(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]criteria.Facts, error) {
	return s.factsBut(ctx, db, func(f Fact) bool { return f.Source == FromSelf }, ids...)
}

func (s *Service) factsBut(ctx context.Context, db bun.IDB, without func(Fact) bool, ids ...int64) (map[int64]criteria.Facts, error) {
	rows, err := factsOf(ctx, db, ids...)
	if err != nil {
		return nil, err
	}
	counts, err := s.counting(ctx, db)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	out := make(map[int64]criteria.Facts, len(ids))
	for _, id := range ids {
		out[id] = counts(slices.DeleteFunc(rows[id], without), now)
	}
	return out, nil
}

// Named is how a company is named in a list.
type Named struct {
	ID           int64
	Name         string
	CreditCode   string
	Verification Verification
}

// Named names those of the companies that the actor may see.
func (s *Service) Named(ctx context.Context, db bun.IDB, actor access.Actor, ids ...int64) (map[int64]Named, error) {
	out := make(map[int64]Named, len(ids))
	for chunk := range slices.Chunk(ids, 500) {
		var rows []Enterprise
		err := visible(db.NewSelect().Model(&rows).Column("id", "name", "credit_code", "verification"), actor, "ent.id").Where("ent.id IN ?", bun.Tuple(chunk)).Scan(ctx)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			e := &rows[i]
			out[e.ID] = Named{ID: e.ID, Name: e.Name, CreditCode: e.code(), Verification: e.Verification}
		}
	}
	return out, nil
}

// Owners returns who speaks for each of the companies; one that nobody speaks for is missing.
func (s *Service) Owners(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]int64, error) {
	out := make(map[int64]int64, len(ids))
	for chunk := range slices.Chunk(ids, 500) {
		var rows []member
		err := db.NewSelect().Model(&rows).Where("m.enterprise_id IN ?", bun.Tuple(chunk)).Where("m.role = ?", Owner).OrderExpr("m.user_id DESC").Scan(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			out[m.EnterpriseID] = m.UserID
		}
	}
	return out, nil
}
