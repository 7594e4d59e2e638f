package catalog

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// scope is the condition under which an actor sees products.
type scope struct {
	where string
	args  []any
}

func (s scope) narrow(q *bun.SelectQuery) *bun.SelectQuery { return q.Where(s.where, s.args...) }

// public is what everybody sees: listed, within its term, by an institution in service. Lists and search of the public
// faces use it whoever asks.
func public(now time.Time) scope {
	return scope{where: "p.shown > 0 AND p.institution_active AND (p.expires_at IS NULL OR p.expires_at > ?)", args: []any{now}}
}

// visible is the one predicate that narrows every query of a product: staff with product.view see all, an operator sees
// what their institution offers, everybody else what is public.
func visible(a access.Actor, now time.Time) scope {
	switch {
	case isDesk(a):
		return scope{where: "1 = 1"}
	case a.Party == access.Institution && a.InstitutionID != 0 && a.Can(PermView):
		return scope{where: "p.institution_id = ?", args: []any{a.InstitutionID}}
	}
	return public(now)
}

// isDesk reports whether the actor is staff who see every product of the district.
func isDesk(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView)
}

// isOwner reports whether the actor is an operator of the institution whose product it is.
func isOwner(a access.Actor, p *Product) bool {
	return a.Party == access.Institution && a.InstitutionID != 0 && a.InstitutionID == p.InstitutionID
}

// may reports whether the actor has the right to the action on this product as it stands.
func may(a access.Actor, d *dossier, action Action) bool {
	if action == ToRecommend {
		return isDesk(a) && a.Can(PermReviewPlatform)
	}
	if action == ToUndo {
		return isDesk(a)
	}
	r := RightOf(d.about(action).Status, action)
	switch r.Side {
	case Owner:
		return isOwner(a, d.Product) && a.Can(r.Permission)
	case Desk:
		return isDesk(a) && a.Can(r.Permission)
	case Machine:
		return a.Party == access.System
	}
	return false
}

// waitingFor lists the states in which a product waits for the actor's own work.
func waitingFor(a access.Actor) []Status {
	var out []Status
	if isDesk(a) && a.Can(PermReviewPlatform) {
		out = append(out, PlatformReview)
	}
	if isDesk(a) && a.Can(PermReviewGovernment) {
		out = append(out, GovernmentReview)
	}
	if a.Party == access.Institution && a.Can(PermEdit) {
		out = append(out, SentBack, Draft, TakenBack)
	}
	return out
}
