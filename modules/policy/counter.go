package policy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

// Counter holds a condition against every company that is known. Fit are those it fits; near those one reachable clause
// away; unknown those of whom information is missing or a clause is for a person; unfit the others.
type Counter interface {
	Count(ctx context.Context, condition criteria.Condition) (fit, near, unknown, unfit int, err error)
	// Differ returns the companies that only the second condition fits, and those that only the first does.
	Differ(ctx context.Context, before, after criteria.Condition) (gained, lost []int64, err error)
}

// Counts are how many companies come out how.
type Counts struct {
	Fit     int `json:"fit"`
	Near    int `json:"near"`
	Unknown int `json:"unknown"`
	Unfit   int `json:"unfit"`
}

// Preview is whom conditions reach before they are published, beside those in force.
type Preview struct {
	Counts
	At      time.Time `json:"at"`
	Against *Counts   `json:"against,omitempty" doc:"The conditions in force; left out when there are none."`
	Gained  int       `json:"gained" doc:"Companies that only these conditions fit."`
	Lost    int       `json:"lost" doc:"Companies that only the conditions in force fit."`
}

// ErrNoCount is returned where no companies are counted.
var ErrNoCount = fault.New(fault.Unavailable, "POLICY_COUNT", "暂时不能统计企业数量，请稍后再试")

// Preview counts the companies that conditions reach, and against the policy's conditions in force whom they gain and lose.
// Policy 0 compares with nothing. Companies are counted and never named: who fits tells what is known of them. It needs policy.edit or policy.publish.
func (s *Service) Preview(ctx context.Context, actor access.Actor, policy int64, conditions json.RawMessage) (Preview, error) {
	out := Preview{At: s.clock.Now()}
	if err := keeper(actor); err != nil {
		return out, err
	}
	if s.counter == nil {
		return out, ErrNoCount
	}
	after, err := criteria.Parse(conditions, s.schema)
	if err != nil {
		return out, err
	}
	if out.Counts, err = s.count(ctx, after); err != nil || policy == 0 {
		return out, err
	}
	db := s.db.Read()
	p, err := s.find(ctx, db, actor, policy)
	if err != nil || p.Edition == 0 || len(p.Conditions) == 0 {
		return out, err
	}
	before, err := criteria.Parse(p.Conditions, s.schema)
	if err != nil { // written for a schema of before: nothing to compare with
		return out, nil
	}
	counts, err := s.count(ctx, before)
	if err != nil {
		return out, err
	}
	out.Against = &counts
	gained, lost, err := s.counter.Differ(ctx, before, after)
	if err != nil {
		return out, err
	}
	out.Gained, out.Lost = len(gained), len(lost)
	return out, nil
}

func (s *Service) count(ctx context.Context, c criteria.Condition) (Counts, error) {
	var n Counts
	var err error
	n.Fit, n.Near, n.Unknown, n.Unfit, err = s.counter.Count(ctx, c)
	return n, err
}
