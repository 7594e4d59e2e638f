package enterprise

import (
	"context"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/jobs"
)

// fetchArgs asks for the registry's facts of a company whose review was approved.
type fetchArgs struct {
	ReviewID int64 `json:"reviewId"`
}

// Kind names the job.
func (fetchArgs) Kind() string { return "enterprise.fetch" }

// Use gives the service the queue it inserts into.
func (s *Service) Use(q *jobs.Queue) { s.queue = q }

func (s *Service) work(w *jobs.Workers) {
	jobs.Work(w, func(ctx context.Context, job fetchArgs) error {
		return s.FetchApproved(ctx, access.SystemActor("job:enterprise.fetch"), job.ReviewID)
	})
}
