package access

import "slices"

// Person is somebody as logs and pages name them. The zero value is nobody.
type Person struct {
	ID   int64
	Name string
}

// Lent are rights that colleagues on leave delegated to somebody, each with whose it is. They are not among the person's own.
type Lent map[Permission]Person

// With returns the actor holding the lent rights besides their own, to ask what they may do now. Who acts is Using.
func (l Lent) With(a Actor) Actor {
	if len(l) == 0 {
		return a
	}
	a.Permissions = slices.Clone(a.Permissions)
	for p := range l {
		a.Permissions = append(a.Permissions, p)
	}
	slices.Sort(a.Permissions)
	return a
}

// Using returns the actor as they use a right: with their own name where it is their own, otherwise in the name of who lent
// it, which their name then tells.
func (l Lent) Using(a Actor, p Permission) Actor {
	whose, ok := l[p]
	if !ok || a.Can(p) {
		return a
	}
	a = l.With(a)
	a.InNameOf, a.Name = whose, a.Name+"（受"+whose.Name+"委托）"
	return a
}

// Is reports whether the actor is one of the people, or acts in the name of one of them. Nobody, 0, is never met.
func (a Actor) Is(people ...int64) bool {
	for _, id := range people {
		if id != 0 && (id == a.UserID || id == a.InNameOf.ID) {
			return true
		}
	}
	return false
}
