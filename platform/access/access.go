// Package access says who is asking and what they may do. Every exported service method takes an Actor first; every
// route declares a Rule. The service enforces, the declaration documents and is tested.
package access

import (
	"context"
	"slices"

	"github.com/huiqi/huiqi/platform/fault"
)

// Party is one of the kinds of people on the platform (requirement A3).
type Party string

// The parties.
const (
	Anonymous   Party = "anonymous"
	Government  Party = "government"  // departments: handlers, leaders, reviewers
	Institution Party = "institution" // service institutions and their operators
	Enterprise  Party = "enterprise"  // company owners and members
	Platform    Party = "platform"    // platform operators, hotline agents, help desk, the three administrators
	Partner     Party = "partner"     // an outside system with an API key
	System      Party = "system"      // jobs and listeners
)

// Staff reports whether the party works in the back office.
func (p Party) Staff() bool { return p == Government || p == Institution || p == Platform }

// Scope is how far a role's data permissions reach (requirement A4).
type Scope string

// The scopes. For institution and enterprise parties the scope is always their own.
const (
	ScopeSelf       Scope = "self"
	ScopeDepartment Scope = "department"
	ScopeSubtree    Scope = "subtree"
	ScopeDistrict   Scope = "district"
)

// Permission names one right, as "ticket.dispatch".
type Permission string

// Info describes a permission for the page where roles are edited.
type Info struct {
	Name  Permission `json:"name"`
	Group string     `json:"group"` // Chinese heading: "工单"
	Label string     `json:"label"` // Chinese: "派单"
}

// Actor is who asks. The zero value is an anonymous visitor.
type Actor struct {
	UserID    int64
	Name      string // as shown to people: "王芳"
	Party     Party
	SessionID int64

	// DepartmentID and DepartmentPath place government staff in the tree: the path holds the ids of the ancestors from
	// level 1 down to the department itself, zero below it.
	DepartmentID   int64
	DepartmentName string
	DepartmentPath [4]int64

	InstitutionID int64
	EnterpriseID  int64 // the company the person currently acts for
	PartnerID     int64

	// InNameOf is the colleague on leave whose right the actor uses; nobody where it is their own. Lent.Using sets it.
	InNameOf Person

	Permissions []Permission // sorted
	Scope       Scope        // the widest scope of the actor's roles

	IP        string
	UserAgent string
	TraceID   string
	// Visitor tells browsers apart, signed in or not: the value of a cookie. Never keep it in clear.
	Visitor string
	// Arrival is what the browser carries of the link it came by, as it brought it: channels sign it and read it.
	Arrival string
}

// SystemActor is who jobs and listeners act as. name says which: "job:ticket.remind".
func SystemActor(name string) Actor {
	return Actor{Party: System, Name: name, Scope: ScopeDistrict}
}

// SignedIn reports whether a person, a partner or the system itself is known.
func (a Actor) SignedIn() bool { return a.UserID != 0 || a.PartnerID != 0 || a.Party == System }

// Can reports whether the actor holds the permission. The system may do everything.
func (a Actor) Can(p Permission) bool {
	if a.Party == System {
		return true
	}
	_, ok := slices.BinarySearch(a.Permissions, p)
	return ok
}

// Need returns ErrUnauthorized for a visitor, ErrForbidden when the actor lacks p, and nil otherwise.
func (a Actor) Need(p Permission) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	if !a.Can(p) {
		return fault.ErrForbidden
	}
	return nil
}

// Level returns the depth of the actor's department in the tree, 1 to 4, and 0 when the actor has none.
func (a Actor) Level() int {
	n := 0
	for _, id := range a.DepartmentPath {
		if id == 0 {
			break
		}
		n++
	}
	return n
}

type actorKey struct{}

// With returns a context that carries the actor.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// From returns the actor of the context, an anonymous one when there is none.
func From(ctx context.Context) Actor {
	a, ok := ctx.Value(actorKey{}).(Actor)
	if !ok {
		return Actor{Party: Anonymous}
	}
	return a
}

// Rule declares who may call a route. Its zero value is no declaration and is refused when the route is registered.
type Rule struct {
	Kind        string       `json:"kind"` // public, signed_in, party, permission, partner, demo
	Why         string       `json:"why,omitempty"`
	Parties     []Party      `json:"parties,omitempty"`
	Permissions []Permission `json:"permissions,omitempty"` // any one of these
}

// Declared reports whether the rule says anything.
func (r Rule) Declared() bool { return r.Kind != "" }

// Public lets everybody in; why says the reason, for the reader of the list.
func Public(why string) Rule { return Rule{Kind: "public", Why: why} }

// SignedIn lets in every signed-in person; the service narrows what they see.
func SignedIn() Rule { return Rule{Kind: "signed_in"} }

// Only lets in signed-in people of the parties.
func Only(parties ...Party) Rule { return Rule{Kind: "party", Parties: parties} }

// Require lets in whoever holds one of the permissions.
func Require(any ...Permission) Rule { return Rule{Kind: "permission", Permissions: any} }

// Keyed lets in partner systems that signed with a key of the scope.
func Keyed(scope Permission) Rule { return Rule{Kind: "partner", Permissions: []Permission{scope}} }

// Check returns nil when the actor satisfies the rule, ErrUnauthorized or ErrForbidden otherwise.
func (r Rule) Check(a Actor) error {
	switch r.Kind {
	case "public", "demo":
		return nil
	case "signed_in":
		if !a.SignedIn() {
			return fault.ErrUnauthorized
		}
		return nil
	case "party":
		if !a.SignedIn() {
			return fault.ErrUnauthorized
		}
		if !slices.Contains(r.Parties, a.Party) {
			return fault.ErrForbidden
		}
		return nil
	case "permission", "partner":
		if !a.SignedIn() {
			return fault.ErrUnauthorized
		}
		for _, p := range r.Permissions {
			if a.Can(p) {
				return nil
			}
		}
		return fault.ErrForbidden
	}
	return fault.ErrForbidden
}
