package policy

import "context"

// WorkRun and WorkPush do what the jobs do.
func (s *Service) WorkRun(ctx context.Context, id int64) error { return s.workRun(ctx, id) }

// WorkPush does what the job does.
func (s *Service) WorkPush(ctx context.Context, id int64) error { return s.workPush(ctx, id) }

// Differences tells what differs between two contents.
func (s *Service) Differences(was, is Content) []Change { return s.differences(was, is) }
