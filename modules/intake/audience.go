package intake

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/live"
)

// Audience says who is told of messages on their open pages: whoever handles the inbox.
func (s *Service) Audience(_ context.Context, _ bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	out := make(map[int64]live.Sees, len(ids))
	for _, id := range ids {
		out[id] = func(a access.Actor) bool { return staff(a, PermInbox) == nil }
	}
	return out, nil
}
