package web

import (
	"sync/atomic"
	"time"
)

// slow is from when an answer counts as slow.
const slow = 3 * time.Second

// Traffic is what the process has answered since it started. Refused are answers below 500 that say no, Failed those from
// 500 on.
type Traffic struct{ Requests, Refused, Failed, Slow int64 }

// Since returns what came after an earlier state.
func (t Traffic) Since(before Traffic) Traffic {
	return Traffic{t.Requests - before.Requests, t.Refused - before.Refused, t.Failed - before.Failed, t.Slow - before.Slow}
}

type tally struct{ requests, refused, failed, slow atomic.Int64 }

func (t *tally) count(status int, took time.Duration) {
	t.requests.Add(1)
	switch {
	case status >= 500:
		t.failed.Add(1)
	case status >= 400:
		t.refused.Add(1)
	}
	if took > slow {
		t.slow.Add(1)
	}
}

// Traffic says what the process has answered.
func (s *Server) Traffic() Traffic {
	return Traffic{s.traffic.requests.Load(), s.traffic.refused.Load(), s.traffic.failed.Load(), s.traffic.slow.Load()}
}
