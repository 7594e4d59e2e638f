package identity

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// good reports whether a session lets its user in: the one rule for requests and for open streams.
func (row *session) good(u *user, now time.Time) bool {
	_, idle := sessionLife(u.Party)
	return !row.Pending && row.RevokedAt == nil && u.DisabledAt == nil && now.Before(row.ExpiresAt) && now.Sub(row.SeenAt) <= idle
}

// Sessions returns the actors of those of the sessions that are still good, as Authenticate would, for streams that stay
// open: with four questions for all of them, and without counting as a sign of the person.
func (s *Service) Sessions(ctx context.Context, ids []int64) (map[int64]access.Actor, error) {
	now, db := s.Clock.Now(), s.DB.Read()
	var rows []*session
	if err := db.NewSelect().Model(&rows).Where("s.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, nil
	}
	userIDs := make([]int64, 0, len(rows))
	for _, r := range rows {
		userIDs = append(userIDs, r.UserID)
	}
	var users []*user
	if err := db.NewSelect().Model(&users).Where("id IN (?)", bun.List(userIDs)).Scan(ctx); err != nil {
		return nil, err
	}
	byID := make(map[int64]*user, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	actors, err := s.actors(ctx, db, users)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]access.Actor, len(rows))
	for _, r := range rows {
		u, ok := byID[r.UserID]
		if !ok || !r.good(u, now) {
			continue
		}
		a, ok := actors[u.ID]
		if !ok {
			continue
		}
		a.SessionID = r.ID
		if u.MustChange {
			a.Permissions = nil
		}
		out[r.ID] = a
	}
	return out, nil
}

// actors is actor for many users.
func (s *Service) actors(ctx context.Context, db bun.IDB, users []*user) (map[int64]access.Actor, error) {
	out := make(map[int64]access.Actor, len(users))
	var userIDs, departmentIDs []int64
	for _, u := range users {
		userIDs = append(userIDs, u.ID)
		if u.DepartmentID != nil {
			departmentIDs = append(departmentIDs, *u.DepartmentID)
		}
	}
	departments := map[int64]department{}
	if len(departmentIDs) > 0 {
		var list []department
		if err := db.NewSelect().Model(&list).Where("id IN (?)", bun.List(departmentIDs)).Scan(ctx); err != nil {
			return nil, err
		}
		for _, d := range list {
			departments[d.ID] = d
		}
	}
	var rows []struct {
		UserID     int64
		Scope      access.Scope
		Permission access.Permission
	}
	if err := rightsOf(db).ColumnExpr("ur.user_id AS user_id").Where("ur.user_id IN (?)", bun.List(userIDs)).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	rights := map[int64][]right{}
	for _, r := range rows {
		rights[r.UserID] = append(rights[r.UserID], right{r.Scope, r.Permission})
	}
	for _, u := range users {
		a := actorOf(u)
		if u.DepartmentID != nil {
			d, ok := departments[*u.DepartmentID]
			if !ok {
				continue // as Authenticate, which finds no department and lets nobody in
			}
			place(&a, d)
		}
		entitle(&a, rights[u.ID])
		out[u.ID] = a
	}
	return out, nil
}
