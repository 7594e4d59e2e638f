package ticket

import (
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// scope is one condition under which an actor sees tickets. A list runs one query per scope and merges them: OR between
// two indexed columns would walk the table.
type scope struct {
	where string
	args  []any
	mark  string // names the scope to an outside search engine; "" is everything
	past  bool   // tickets the unit once had or has a part in; they are read, not worked on, except what open says
	open  string // of a past scope, with the same args: those in which the unit has a part to do now
}

// visible is the one predicate that narrows every query of a ticket. No scope means nothing is seen.
func visible(a access.Actor) []scope {
	where, args := confided(a)
	out := related(a)
	for i := range out {
		s := &out[i]
		s.where, s.args = s.where+where, append(s.args, args...)
		if s.open != "" {
			s.open += where
		}
	}
	return out
}

// related are the scopes of what an actor has to do with, confidential or not.
func related(a access.Actor) []scope {
	switch {
	case isDesk(a):
		return []scope{{where: "1 = 1"}}
	case a.Party == access.Government && a.DepartmentID != 0 && a.Can(PermView):
		column := "unit_id"
		if n := a.Level(); a.Scope == access.ScopeSubtree && n > 0 {
			column = fmt.Sprintf("unit_l%d", n)
		}
		return []scope{
			{where: "t." + column + " = ?", args: []any{a.DepartmentID}, mark: mark(column, a.DepartmentID)},
			{where: "t.id IN (SELECT h.ticket_id FROM ticket_hops AS h WHERE h." + column + " = ?)", args: []any{a.DepartmentID}, mark: mark(column, a.DepartmentID), past: true,
				open: "t.id IN (SELECT h.ticket_id FROM ticket_hops AS h WHERE NOT h.lead AND h." + column + " = ? AND h.state IN ('dispatched', 'signed'))"},
		}
	case a.Party == access.Enterprise && a.UserID != 0:
		s := []scope{{where: "t.user_id = ?", args: []any{a.UserID}, mark: mark("user_id", a.UserID)}}
		if a.EnterpriseID != 0 {
			s = append(s, scope{where: "t.enterprise_id = ?", args: []any{a.EnterpriseID}, mark: mark("enterprise_id", a.EnterpriseID)})
		}
		return s
	}
	return nil
}

// narrow adds "any of the scopes" to a query of one object.
func narrow(q *bun.SelectQuery, scopes []scope) *bun.SelectQuery {
	if len(scopes) == 0 {
		return q.Where("1 = 0")
	}
	return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, s := range scopes {
			q = q.WhereOr(s.where, s.args...)
		}
		return q
	})
}

// isDesk reports whether the actor is staff of the desk: they see every ticket of the district.
func isDesk(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView)
}

// isLead reports whether the ticket lies with the actor's unit, or below it when the subtree is in scope.
func isLead(a access.Actor, t *Ticket) bool {
	return owns(a, t.UnitID, [4]int64{t.UnitL1, t.UnitL2, t.UnitL3, t.UnitL4})
}

// isRequester reports whether the actor asked, or belongs to the company an agent wrote the ticket down for.
func isRequester(a access.Actor, t *Ticket) bool {
	if a.Party != access.Enterprise || a.UserID == 0 {
		return false
	}
	return t.UserID == a.UserID || (t.UserID == 0 && t.EnterpriseID != 0 && t.EnterpriseID == a.EnterpriseID)
}

// may reports whether the actor has the right to the action on this ticket, whatever its state.
func may(actor access.Actor, t *Ticket, action Action) bool {
	r := RightOf(action)
	switch r.Side {
	case Desk:
		return isDesk(actor) && actor.Can(r.Permission)
	case Unit:
		return isLead(actor, t) && actor.Can(r.Permission)
	case Requester:
		return isRequester(actor, t)
	case Worker:
		return (isLead(actor, t) || isDesk(actor)) && actor.Can(r.Permission)
	case Handler, Level: // the command asks about its hop
		return (isDesk(actor) || actor.Party == access.Government && actor.DepartmentID != 0) && decides(actor, action)
	case Staff:
		return (actor.Party == access.System || actor.Party.Staff()) && actor.Can(r.Permission)
	}
	return false
}

// decides reports whether the actor holds the right to the action; deciding on an appeal has a right of its own.
func decides(a access.Actor, action Action) bool {
	return a.Can(RightOf(action).Permission) || action == ToDecide && a.Can(PermArbitrate)
}

// work are the actions a ticket waits for; the others are turns it may take.
var work = []Action{ToAnswer, ToDecline, ToDispatch, ToSign, ToReply, ToReview, ToCallBack, ToClose}

// waitingFor lists the states in which a ticket waits for the actor's own work.
func waitingFor(a access.Actor) []Status {
	var out []Status
	seen := map[Status]bool{}
	for _, t := range Lifecycle() {
		r := RightOf(t.Action)
		mine := r.Side == Desk && isDesk(a) || r.Side == Unit && a.Party == access.Government && a.DepartmentID != 0
		if !slices.Contains(work, t.Action) || !mine || !a.Can(r.Permission) || seen[t.From] {
			continue
		}
		seen[t.From] = true
		out = append(out, t.From)
	}
	return out
}
