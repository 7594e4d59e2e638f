package content

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// scope is the condition under which somebody sees articles.
type scope struct {
	where string
	args  []any
}

// isDesk reports whether the actor writes or publishes for the platform.
func isDesk(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && (a.Can(PermEdit) || a.Can(PermPublish))
}

// visible is the one predicate that narrows every query of an article: the editors see all, everybody else what is
// published and in its time.
func visible(a access.Actor, now time.Time) scope {
	if isDesk(a) {
		return scope{where: "1 = 1"}
	}
	return published(now)
}

// published is what the portal shows, whoever looks.
func published(now time.Time) scope {
	return scope{"a.status = ? AND a.publish_at <= ? AND (a.expires_at IS NULL OR a.expires_at > ?)", []any{Public, now, now}}
}

func (s scope) narrow(q *bun.SelectQuery) *bun.SelectQuery { return q.Where(s.where, s.args...) }

// need returns ErrUnauthorized or ErrForbidden when the actor has none of the rights.
func need(a access.Actor, rights ...access.Permission) error {
	for _, p := range rights {
		if isDesk(a) && a.Can(p) {
			return nil
		}
	}
	if err := a.Need(rights[0]); err != nil {
		return err
	}
	return ErrForbidden
}
