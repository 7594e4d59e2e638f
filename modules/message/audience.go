package message

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/live"
)

// Object names a message of a person's list in events.
const Object = "message"

// Arrived is announced when a message stands in a person's list.
type Arrived struct {
	ID     int64 `json:"id"`
	UserID int64 `json:"userId"`
}

// Event names the fact.
func (f Arrived) Event() (string, string, int64) { return "message.arrived", Object, f.ID }

// Audience reads who sees the messages: each the person it is for.
func (s *Service) Audience(ctx context.Context, db bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	var rows []message
	if err := db.NewSelect().Model(&rows).Column("id", "user_id").Where("m.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	out := make(map[int64]live.Sees, len(rows))
	for _, m := range rows {
		user := m.UserID
		out[m.ID] = func(a access.Actor) bool {
			id, err := mine(a)
			return err == nil && id == user
		}
	}
	return out, nil
}
