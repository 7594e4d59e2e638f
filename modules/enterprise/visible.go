package enterprise

import (
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// visible is the one predicate that narrows every query of a company or of something that belongs to one; column holds the
// company's id. Staff with the right see all, a person the companies they are a member of, everybody else none.
func visible(q *bun.SelectQuery, a access.Actor, column string) *bun.SelectQuery {
	switch {
	case isDesk(a):
		return q
	case a.Party == access.Enterprise && a.UserID != 0:
		return q.Where(column+" IN (SELECT mine.enterprise_id FROM enterprise_members AS mine WHERE mine.user_id = ?)", a.UserID)
	}
	return q.Where("1 = 0")
}

// visibleJoin narrows requests to join: staff see all, owners those to their companies, a person their own.
func visibleJoin(q *bun.SelectQuery, a access.Actor) *bun.SelectQuery {
	switch {
	case isDesk(a):
		return q
	case a.Party == access.Enterprise && a.UserID != 0:
		return q.Where("(j.user_id = ? OR j.enterprise_id IN (SELECT mine.enterprise_id FROM enterprise_members AS mine WHERE mine.user_id = ? AND mine.role = ?))",
			a.UserID, a.UserID, Owner)
	}
	return q.Where("1 = 0")
}

// isDesk reports whether the actor is staff who see every company of the district.
func isDesk(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView)
}
