package ticket

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/live"
)

// Audience reads who sees the tickets: visible, reckoned instead of asked. A test holds the two together.
func (s *Service) Audience(ctx context.Context, db bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	var rows []*Ticket
	err := db.NewSelect().Model(&rows).Column("id", "user_id", "enterprise_id", "unit_id", "unit_l1", "unit_l2", "unit_l3", "unit_l4", "secrecy").
		Where("t.id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	var hops []Hop
	err = db.NewSelect().Model(&hops).Column("ticket_id", "unit_id", "unit_l1", "unit_l2", "unit_l3", "unit_l4").
		Where("h.ticket_id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	named, err := confidantsOf(ctx, db, ids)
	if err != nil {
		return nil, err
	}
	stays := make(map[int64][]stay, len(rows))
	for _, h := range hops {
		stays[h.TicketID] = append(stays[h.TicketID], stay{h.UnitID, [4]int64{h.UnitL1, h.UnitL2, h.UnitL3, h.UnitL4}})
	}
	out := make(map[int64]live.Sees, len(rows))
	for _, t := range rows {
		at := append(stays[t.ID], stay{t.UnitID, [4]int64{t.UnitL1, t.UnitL2, t.UnitL3, t.UnitL4}})
		user, company, secrecy, people := t.UserID, t.EnterpriseID, t.Secrecy, named[t.ID]
		out[t.ID] = func(a access.Actor) bool {
			return seenBy(a, user, company, at) && trusted(a, secrecy, user, people)
		}
	}
	return out, nil
}

// stay is a unit that has or had a ticket, and its place in the tree.
type stay struct {
	unit   int64
	levels [4]int64
}

// seenBy is visible for a ticket in hand.
func seenBy(a access.Actor, user, company int64, at []stay) bool {
	switch {
	case isDesk(a):
		return true
	case a.Party == access.Government && a.DepartmentID != 0 && a.Can(PermView):
		n := 0
		if a.Scope == access.ScopeSubtree {
			n = a.Level()
		}
		for _, s := range at {
			// #nosec G602 -- Level is at most 4, the levels of the tree
			if n == 0 && s.unit == a.DepartmentID || n > 0 && s.levels[n-1] == a.DepartmentID {
				return true
			}
		}
	case a.Party == access.Enterprise && a.UserID != 0:
		return user == a.UserID || a.EnterpriseID != 0 && company == a.EnterpriseID
	}
	return false
}
