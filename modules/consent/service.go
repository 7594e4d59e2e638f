package consent

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Companies tells about companies.
type Companies interface {
	// MaySign returns nil when the person may bind the company, and otherwise a fault that says who may or what has to come
	// first; fault.ErrNotFound for a stranger.
	MaySign(ctx context.Context, db bun.IDB, enterpriseID, userID int64) error
	// Signers are the people who may bind the company.
	Signers(ctx context.Context, db bun.IDB, enterpriseID int64) ([]int64, error)
	// Names are what the companies are called.
	Names(ctx context.Context, db bun.IDB, ids []int64) (map[int64]string, error)
	// Visible returns nil when the actor may see the company at all, fault.ErrNotFound otherwise.
	Visible(ctx context.Context, db bun.IDB, actor access.Actor, id int64) error
}

// Reader is who reads: the unit they work for and their roles.
type Reader struct {
	Unit  string
	Roles []Named
}

// Readers tells about those who read.
type Readers interface {
	Reader(ctx context.Context, db bun.IDB, actor access.Actor) (Reader, error)
	// Roles are all roles of staff.
	Roles(ctx context.Context, db bun.IDB) ([]Named, error)
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB        *database.DB
	Clock     clock.Clock
	Companies Companies
	Readers   Readers
	// Groups are the groups of company fields, in the order in which they are shown.
	Groups []Named
}

// Service keeps consents and accesses.
type Service struct {
	db        *database.DB
	clock     clock.Clock
	companies Companies
	readers   Readers
	groups    []Named
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Companies == nil || d.Readers == nil || len(d.Groups) == 0 {
		panic("consent: Deps is not complete")
	}
	return &Service{d.DB, d.Clock, d.Companies, d.Readers, d.Groups}
}

// groupNames are the groups in words, in their order.
func (s *Service) groupNames(codes []string) []string {
	out := []string{}
	for _, g := range s.groups {
		if slices.Contains(codes, g.Code) {
			out = append(out, g.Name)
		}
	}
	return out
}

// inForce returns the version of a purpose that companies are asked for at a moment, fault.ErrNotFound without one.
func inForce(ctx context.Context, db bun.IDB, purpose string, at time.Time) (*Text, error) {
	t := new(Text)
	err := db.NewSelect().Model(t).Where("t.purpose = ? AND t.state = ? AND t.in_force_from <= ?", purpose, Published, at).OrderExpr("t.no DESC").Limit(1).Scan(ctx)
	return t, database.Found(err)
}

// floor is the number of the first version whose grants hold at a moment; 0 when none does.
func floor(ctx context.Context, db bun.IDB, purpose string, at time.Time) (int, error) {
	var no int
	err := db.NewSelect().Model((*Text)(nil)).ColumnExpr("coalesce(max(t.no), 0)").
		Where("t.purpose = ? AND t.state = ? AND t.material AND t.in_force_from <= ?", purpose, Published, at).Scan(ctx, &no)
	return no, err
}

// standing returns the grant of a purpose that has not ended, fault.ErrNotFound without one.
func standing(ctx context.Context, db bun.IDB, enterpriseID int64, purpose string) (*Grant, error) {
	g := new(Grant)
	err := db.NewSelect().Model(g).Where("g.purpose = ? AND g.enterprise_id = ? AND g.ended_at IS NULL", purpose, enterpriseID).Scan(ctx)
	return g, database.Found(err)
}

// need returns ErrUnauthorized or ErrForbidden when the actor, as one of the staff, has none of the rights.
func need(a access.Actor, rights ...access.Permission) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if a.Party == access.System {
		return nil
	}
	if a.Party != access.Platform && a.Party != access.Government {
		return ErrForbidden
	}
	for _, r := range rights {
		if a.Can(r) {
			return nil
		}
	}
	return ErrForbidden
}

// cursorOf reads where the page before ended.
func cursorOf(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	return n, nil
}

// cut drops the row that told of a next page and returns the cursor to it.
func cut[T any](rows []T, limit int, id func(T) int64) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	rows = rows[:limit]
	return rows, fmt.Sprint(id(rows[limit-1]))
}

func limitOf(n int) int {
	if n <= 0 || n > 100 {
		return 20
	}
	return n
}

// joined is a list in words.
func joined(list []string) string { return strings.Join(list, "、") }
