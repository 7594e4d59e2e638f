package audit

import "context"

// Pass is one round of Run: the sealer keeps its lock and what it remembers.
func (s *Sealer) Pass(ctx context.Context) error { return s.pass(ctx) }

// Gaps is how many ranges of ids the sealer still looks at.
func (s *Sealer) Gaps() int { return len(s.seen.gaps) }
