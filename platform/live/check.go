package live

import (
	"context"
	"slices"
	"time"

	"github.com/huiqi/huiqi/platform/access"
)

// sessionsAtOnce bounds one question about sessions.
const sessionsAtOnce = 500

// check ends the streams whose session ended or whose actor's rights changed, again and again until ctx ends.
func (h *Hub) check(ctx context.Context) {
	tick := time.NewTicker(h.o.Check)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := h.checkOnce(ctx); err != nil && ctx.Err() == nil {
			h.o.Log.Error("live: look at sessions", "error", err)
		}
	}
}

func (h *Hub) checkOnce(ctx context.Context) error {
	h.mu.Lock()
	ids := make([]int64, 0, len(h.bySess))
	for id := range h.bySess {
		ids = append(ids, id)
	}
	h.mu.Unlock()
	slices.Sort(ids)
	for part := range slices.Chunk(ids, sessionsAtOnce) {
		actors, err := h.o.Sessions(ctx, part)
		if err != nil {
			return err // nothing is known: nobody is put out
		}
		h.mu.Lock()
		for _, id := range part {
			now, ok := actors[id]
			for _, s := range slices.Clone(h.bySess[id]) {
				switch {
				case !ok:
					s.end(byeSignedOut)
				case !sameRights(s.actor, now):
					s.end(byeRights)
				default:
					continue
				}
				h.remove(s)
			}
		}
		h.mu.Unlock()
	}
	return nil
}

// sameRights reports whether two actors of one session see the same.
func sameRights(a, b access.Actor) bool {
	return a.UserID == b.UserID && a.Party == b.Party && a.DepartmentID == b.DepartmentID && a.DepartmentPath == b.DepartmentPath &&
		a.InstitutionID == b.InstitutionID && a.EnterpriseID == b.EnterpriseID && a.Scope == b.Scope && slices.Equal(a.Permissions, b.Permissions)
}
