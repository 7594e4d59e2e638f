package knowledge

import (
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// scope is one condition under which somebody sees entries.
type scope struct {
	where string
	args  []any
}

// writes reports whether the actor writes or reviews entries at all.
func writes(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && (a.Can(PermEdit) || a.Can(PermReview))
}

// everywhere reports whether what the actor writes or reviews may belong to any unit.
func everywhere(a access.Actor) bool {
	return a.Party == access.System || writes(a) && (a.Party == access.Platform || a.Scope == access.ScopeDistrict)
}

// own is the condition of the entries of the actor's own unit, those below it too when their scope says so.
func own(a access.Actor) (scope, bool) {
	if a.Party != access.Government || a.DepartmentID == 0 {
		return scope{}, false
	}
	column := "unit_id"
	if n := a.Level(); a.Scope == access.ScopeSubtree && n > 0 {
		column = fmt.Sprintf("unit_l%d", n)
	}
	return scope{"k." + column + " = ?", []any{a.DepartmentID}}, true
}

// visible is the one predicate that narrows every query of an entry. Editors see what is theirs in every state; everybody
// else what is in force for them: companies and visitors only while its time lasts.
func visible(a access.Actor, today string) []scope {
	if everywhere(a) {
		return []scope{{where: "1 = 1"}}
	}
	if (a.Party != access.Platform && a.Party != access.Government) || !a.Can(PermView) && !writes(a) {
		return []scope{{"k.live_no > 0 AND k.audience = ? AND k.valid_from <= ? AND (k.valid_until = '' OR k.valid_until >= ?)", []any{Everybody, today, today}}}
	}
	out := []scope{{"k.live_no > 0 AND k.audience IN (?, ?)", []any{Everybody, Staff}}}
	if a.Party == access.Platform {
		return append(out, scope{"k.live_no > 0 AND k.audience = ?", []any{Concerned}})
	}
	// A unit is concerned when it, or one above it, is named.
	out = append(out, scope{"k.live_no > 0 AND k.audience = ? AND EXISTS (SELECT 1 FROM knowledge_units AS u WHERE u.entry_id = k.id AND u.unit_id IN (?, ?, ?, ?))",
		[]any{Concerned, a.DepartmentPath[0], a.DepartmentPath[1], a.DepartmentPath[2], a.DepartmentPath[3]}})
	if s, ok := own(a); ok && writes(a) {
		out = append(out, s)
	}
	return out
}

// narrow adds "any of the scopes" to a query.
func narrow(q *bun.SelectQuery, scopes []scope) *bun.SelectQuery {
	return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, s := range scopes {
			q = q.WhereOr(s.where, s.args...)
		}
		return q
	})
}

// edits reports whether the entry is the actor's to write or review: of their unit, or any for the district's own staff.
func edits(a access.Actor, k *Entry) bool {
	if everywhere(a) {
		return true
	}
	if !writes(a) || a.DepartmentID == 0 {
		return false
	}
	if k.UnitID == a.DepartmentID {
		return true
	}
	n := a.Level()
	levels := [4]int64{k.UnitL1, k.UnitL2, k.UnitL3, k.UnitL4}
	// #nosec G602 -- Level is at most 4, the levels of the tree
	return a.Scope == access.ScopeSubtree && n > 0 && levels[n-1] == a.DepartmentID
}

// may returns nil when the actor may take the action on the entry, whatever its state.
func may(a access.Actor, k *Entry, action Action) error {
	right := wordOf(action).Right
	if err := a.Need(right); err != nil {
		return err
	}
	if !edits(a, k) {
		return ErrForbidden
	}
	return nil
}

// need returns ErrUnauthorized or ErrForbidden when the actor, as one of the staff, has none of the rights.
func need(a access.Actor, rights ...access.Permission) error {
	if !a.SignedIn() {
		return a.Need(rights[0])
	}
	if a.Party == access.System {
		return nil
	}
	for _, r := range rights {
		if (a.Party == access.Platform || a.Party == access.Government) && a.Can(r) {
			return nil
		}
	}
	return ErrForbidden
}
