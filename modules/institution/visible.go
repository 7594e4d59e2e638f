package institution

import "github.com/huiqi/huiqi/platform/access"

// scope is the condition under which an actor sees institutions.
type scope struct {
	where string
	args  []any
}

// visible is the one predicate that narrows every query of an institution: staff with institution.view see all, an operator
// sees their own, everybody else none.
func visible(a access.Actor) scope {
	switch {
	case a.Party == access.System, (a.Party == access.Platform || a.Party == access.Government) && a.Can(PermView):
		return scope{where: "1 = 1"}
	case a.Party == access.Institution && a.InstitutionID != 0:
		return scope{where: "i.id = ?", args: []any{a.InstitutionID}}
	}
	return scope{where: "1 = 0"}
}
