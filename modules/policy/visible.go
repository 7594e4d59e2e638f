package policy

import (
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// visible is the one predicate that narrows every query of a policy: what is in force today for everybody, the whole
// library for staff with policy.view.
func visible(q *bun.SelectQuery, a access.Actor, today string) *bun.SelectQuery {
	if isStaff(a) {
		return q
	}
	return inForce(q, today)
}

// isStaff reports whether the actor works with the library.
func isStaff(a access.Actor) bool {
	return a.Party == access.System || (a.Party == access.Platform || a.Party == access.Government) && a.Can(PermView)
}

func inForce(q *bun.SelectQuery, today string) *bun.SelectQuery {
	return q.Where("p.status = ?", Live).Where("(p.expires_on = '' OR p.expires_on >= ?)", today)
}
