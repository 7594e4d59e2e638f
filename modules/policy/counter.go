package policy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
)

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

// Preview counts the companies that conditions reach, and against the policy's conditions in force whom they gain and lose.
// Policy 0 compares with nothing. The companies are those of the copy that matching keeps; ErrLoading until it is there. Companies are counted and never named: who fits tells what is known of them. It needs policy.edit or policy.publish.
func (s *Service) Preview(ctx context.Context, actor access.Actor, policy int64, conditions json.RawMessage) (Preview, error) {
	out := Preview{At: s.clock.Now()}
	if err := keeper(actor); err != nil {
		return out, err
	}
	after, err := criteria.Parse(conditions, s.schema)
	if err != nil {
		return out, err
	}
	columns, _, err := s.pool.ready()
	if err != nil {
		return out, err
	}
	now := columns.Evaluate(after, out.At)
	if out.Counts = countsOf(now); policy == 0 {
		return out, nil
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
	then := columns.Evaluate(before, out.At)
	counts := countsOf(then)
	out.Against, out.Gained, out.Lost = &counts, onlyIn(now, then), onlyIn(then, now)
	return out, nil
}

func countsOf(s *criteria.Sets) Counts {
	return Counts{Fit: s.Count(criteria.Eligible), Near: s.Count(criteria.Near), Unknown: s.Count(criteria.Undecided) + s.Count(criteria.NeedsHuman), Unfit: s.Count(criteria.NotEligible)}
}

// onlyIn is how many companies fit here and not there.
func onlyIn(here, there *criteria.Sets) int {
	n := 0
	for _, id := range members(here, criteria.Eligible) {
		if d, _ := there.Decision(id); d != criteria.Eligible {
			n++
		}
	}
	return n
}
