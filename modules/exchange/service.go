package exchange

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// Endpoint is where and how a partner is reached.
type Endpoint struct {
	URL        string
	Secret     string
	AllowCIDRs []string
	AllowHosts []string
}

// Message is one push. A repeat has the same ID and Body.
type Message struct {
	ID   string
	At   time.Time // of this attempt
	Body []byte
}

// Pusher speaks to partners.
type Pusher interface {
	// Check says in Chinese, on the field url, why an address can never be used.
	Check(e Endpoint) error
	// Encode gives the bytes of an event; the same event gives the same bytes.
	Encode(e Envelope) ([]byte, error)
	// NewSecret makes a secret for signing.
	NewSecret() string
	// Push sends once. It returns well before jobs.Timeout.
	Push(ctx context.Context, e Endpoint, m Message) Outcome
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB     *database.DB
	Clock  clock.Clock
	Box    *secret.Box
	Pusher Pusher
	Log    *slog.Logger
	// Source names this installation in every event: "https://hq.example.gov.cn".
	Source string
	Topics []Topic
	Fields []Field
}

// Service is the exchange.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	box     *secret.Box
	pusher  Pusher
	log     *slog.Logger
	source  string
	offer   catalogue
	queue   *jobs.Queue
	limiter limiter
	turns   turns
	chance  func() float64
}

// New makes the service and registers its worker. Use gives it the queue, which needs the workers first. It panics when
// something of Deps is missing.
func New(d Deps, w *jobs.Workers) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Pusher == nil || d.Log == nil || d.Source == "" || len(d.Topics) == 0 {
		panic("exchange: Deps is not complete")
	}
	s := &Service{
		db: d.DB, clock: d.Clock, box: d.Box, pusher: d.Pusher, log: d.Log, source: d.Source,
		offer: newCatalogue(d.Topics, d.Fields), limiter: limiter{buckets: map[int64]*bucket{}}, chance: rand.Float64,
	}
	jobs.Work(w, s.pump)
	return s
}

// Use gives the service the queue it inserts into.
func (s *Service) Use(q *jobs.Queue) { s.queue = q }

// secretPlace binds a sealed secret to its partner.
func secretPlace(code string) string { return "exchange.secret:" + code }

// Topics lists what partners may subscribe to and which fields they may get.
func (s *Service) Topics(_ context.Context, actor access.Actor) ([]Topic, []Field, error) {
	if err := staff(actor, PermView); err != nil {
		return nil, nil, err
	}
	return s.offer.topics, s.offer.fields, nil
}

// outcome is what a repeat of a command needs to answer the same.
type outcome struct {
	ID int64 `json:"id"`
}

// command is the frame of every command: right, key, work, in one transaction. fresh is false for a repeat.
func (s *Service) command(ctx context.Context, actor access.Actor, name, key string, request any,
	work func(ctx context.Context, tx bun.Tx, now time.Time) (int64, error),
) (id int64, fresh bool, err error) {
	if err := staff(actor, PermManage); err != nil {
		return 0, false, err
	}
	now := s.clock.Now()
	var out outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		fresh = false
		var err error
		out, err = idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "exchange." + name, Key: key, Request: request, Now: now,
		}, func() (outcome, error) {
			fresh = true
			id, err := work(ctx, tx, now)
			return outcome{ID: id}, err
		})
		return err
	})
	return out.ID, fresh, err
}

// limiter is a token bucket per partner and process; the quota of the day is exact and kept in the database.
type limiter struct {
	mu      sync.Mutex
	buckets map[int64]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// take spends one token and returns 0, or the seconds to wait.
func (l *limiter) take(partner int64, perMinute int, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	most := float64(perMinute)
	b := l.buckets[partner]
	if b == nil {
		b = &bucket{tokens: most, at: now}
		l.buckets[partner] = b
	}
	b.tokens = min(most, b.tokens+now.Sub(b.at).Seconds()*most/60)
	b.at = now
	if b.tokens < 1 {
		return int((1-b.tokens)*60/most) + 1
	}
	b.tokens--
	return 0
}
