package application

import (
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// scope is the condition under which an actor sees applications. Each has an index of its own.
type scope struct {
	where string
	args  []any
	mark  string // its name to an outside engine; "" for everything
}

// nothing is the scope of those who see none.
var nothing = scope{where: "1 = 0", mark: "nobody"}

// visible is the one predicate that narrows every query of an application. Drafts are no applications: nobody but their
// writer reads them.
func visible(a access.Actor) scope {
	switch {
	case sees(a):
		return scope{where: "1 = 1"}
	case a.Party == access.Institution && a.InstitutionID != 0 && a.Can(PermView):
		return scope{where: "a.institution_id = ?", args: []any{a.InstitutionID}, mark: mark("institution_id", a.InstitutionID)}
	case a.Party == access.Enterprise && a.UserID != 0 && a.EnterpriseID != 0:
		return scope{where: "a.enterprise_id = ?", args: []any{a.EnterpriseID}, mark: mark("enterprise_id", a.EnterpriseID)}
	}
	return nothing
}

// sees reports whether the actor reads the applications of the whole district.
func sees(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView)
}

func (s scope) narrow(q *bun.SelectQuery) *bun.SelectQuery { return q.Where(s.where, s.args...) }

// handles reports whether the actor is an operator of the application's institution who may handle it.
func handles(a access.Actor, row *Application) bool {
	return a.Party == access.Institution && a.InstitutionID != 0 && a.InstitutionID == row.InstitutionID && a.Can(PermHandle)
}

// may reports whether the actor has the right to the action on this application, whatever its state.
func may(a access.Actor, row *Application, action Action) bool {
	if action == ToUndo {
		return handles(a, row) || sees(a) && a.Party == access.Platform && a.Can(PermUndoAny)
	}
	r := RightOf(action)
	switch r.Side {
	case Institution:
		return handles(a, row)
	case Applicant:
		return a.Party == access.Enterprise && a.EnterpriseID != 0 && a.EnterpriseID == row.EnterpriseID
	}
	return false
}
