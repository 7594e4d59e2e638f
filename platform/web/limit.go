package web

import (
	"math"
	"sync"
	"time"
)

// limiter is a token bucket per address. It is per process: it keeps one address from drowning the others, and the limits
// that must be exact (messages, sign-in) are kept in the database by their modules.
type limiter struct {
	mu      sync.Mutex
	perSec  float64
	burst   float64
	buckets map[string]*bucket
	swept   time.Time
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(perMinute int) *limiter {
	return &limiter{perSec: float64(perMinute) / 60, burst: float64(perMinute) / 4, buckets: map[string]*bucket{}}
}

// take spends one token of the address and returns 0, or the seconds to wait.
func (l *limiter) take(address string, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > time.Minute {
		for k, b := range l.buckets {
			if now.Sub(b.at) > 2*time.Minute {
				delete(l.buckets, k)
			}
		}
		l.swept = now
	}
	b := l.buckets[address]
	if b == nil {
		b = &bucket{tokens: l.burst, at: now}
		l.buckets[address] = b
	}
	b.tokens = math.Min(l.burst, b.tokens+now.Sub(b.at).Seconds()*l.perSec)
	b.at = now
	if b.tokens < 1 {
		return int(math.Ceil((1 - b.tokens) / l.perSec))
	}
	b.tokens--
	return 0
}
