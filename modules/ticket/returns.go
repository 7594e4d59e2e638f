package ticket

import (
	"context"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// ReturnCount says how often a unit gave back what one person had dispatched to it.
type ReturnCount struct {
	UnitID       int64  `json:"unitId"`
	UnitName     string `json:"unitName"`
	DispatcherID int64  `json:"dispatcherId"`
	Dispatcher   string `json:"dispatcher"`
	Asked        int    `json:"asked"` // without those withdrawn
	Granted      int    `json:"granted"`
	Refused      int    `json:"refused"`
	AfterSigning int    `json:"afterSigning"` // of those asked
}

// Returns counts the returns filed in a span of at most 366 days, by unit and dispatcher, the most first. It returns
// ErrForbidden to whoever is not of the desk or has no ticket.decide.
func (s *Service) Returns(ctx context.Context, actor access.Actor, from, to time.Time) ([]ReturnCount, error) {
	if err := actor.Need(PermDecide); err != nil {
		return nil, err
	}
	if !isDesk(actor) {
		return nil, ErrForbidden
	}
	if !to.After(from) || to.Sub(from) > 366*24*time.Hour {
		return nil, fault.InvalidField("to", "SPAN", "请选择起止日期，最长一年")
	}
	out := []ReturnCount{}
	err := database.QueryAll(ctx, s.db.Read(), &out, `SELECT unit_id, min(unit_name) AS unit_name, coalesce(dispatcher_id, 0) AS dispatcher_id, min(dispatcher) AS dispatcher,
		count(*) AS asked, sum(CASE WHEN state = 'approved' THEN 1 ELSE 0 END) AS granted, sum(CASE WHEN state = 'refused' THEN 1 ELSE 0 END) AS refused,
		sum(CASE WHEN after_signing THEN 1 ELSE 0 END) AS after_signing
		FROM ticket_requests WHERE kind = 'return' AND state <> 'withdrawn' AND filed_at >= ? AND filed_at < ?
		GROUP BY unit_id, coalesce(dispatcher_id, 0) ORDER BY count(*) DESC, unit_id, 3 LIMIT 1000`, from, to)
	return out, err
}
