package policy

import (
	"context"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Kept is a policy with all that is kept of it, conditions included.
type Kept struct {
	Ref
	Status  Status
	Content Content
}

// All returns every policy of the library as it is kept, oldest first. Only the system may.
func (s *Service) All(ctx context.Context, actor access.Actor) ([]Kept, error) {
	if actor.Party != access.System {
		return nil, fault.ErrForbidden
	}
	var rows []Policy
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("p.id").Scan(ctx); err != nil {
		return nil, err
	}
	list := make([]Kept, 0, len(rows))
	for i := range rows {
		p := &rows[i]
		list = append(list, Kept{Ref: Ref{ID: p.ID, Version: p.Version}, Status: p.Status, Content: p.content()})
	}
	return list, nil
}

// Check returns the content as Add would keep it, or the fault it would give.
func (s *Service) Check(c Content) (Content, error) { return c.check(s.schema) }
