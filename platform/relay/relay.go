// Package relay lets the processes of one installation know of each other through Redis: that events were committed, and
// how many requests an address made. Nothing is kept there that is missed when it is gone. Without Redis, and while it
// cannot be reached, each process looks for events itself each second and counts requests by itself; what must be exact
// (codes, sign-in, quotas) is counted in the database and never here.
package relay

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/huiqi/huiqi/platform/event"
)

const (
	// wakeChannel carries the name of a process that committed events.
	wakeChannel = "huiqi:events"
	// limitKey begins the names of what is counted.
	limitKey = "huiqi:limit:"
	// patience is how long one question may take: a request waits for it.
	patience = 100 * time.Millisecond
	// pause is how long Redis is left alone after it failed, so that not every request waits for it.
	pause = time.Second
	// gap spaces the wake-ups of a busy process.
	gap = 5 * time.Millisecond
)

// Relay is one process's line to Redis.
type Relay struct {
	client *redis.Client
	log    *slog.Logger
	name   string
	until  atomic.Int64 // monotonic: Redis is left alone until then
	began  time.Time
	down   atomic.Bool
}

// Open reads the address (redis://user:password@host:6379/0, rediss:// for TLS); it does not connect. name tells this
// process from the others.
func Open(url, name string, log *slog.Logger) (*Relay, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("relay: the address of Redis cannot be read")
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = 5*patience, patience, patience, patience
	o.MaxRetries = -1 // once: whoever asks goes on without
	o.ContextTimeoutEnabled = true
	redis.SetLogger(quiet{log})
	return &Relay{client: redis.NewClient(o), log: log, name: name, began: time.Now()}, nil
}

// quiet keeps what the library says about its connections out of the way: the relay tells when Redis comes and goes.
type quiet struct{ log *slog.Logger }

// Printf is the library's.
func (q quiet) Printf(_ context.Context, format string, v ...any) {
	q.log.Debug("redis", "said", fmt.Sprintf(format, v...))
}

// Close ends the connections.
func (r *Relay) Close() error { return r.client.Close() }

// resting reports whether Redis failed a moment ago.
func (r *Relay) resting() bool { return int64(time.Since(r.began)) < r.until.Load() }

// heard notes how a question went, and tells the log when Redis goes and comes.
func (r *Relay) heard(err error) {
	if err == nil {
		if r.down.CompareAndSwap(true, false) {
			r.log.Info("redis is back")
		}
		return
	}
	r.until.Store(int64(time.Since(r.began) + pause))
	if r.down.CompareAndSwap(false, true) {
		r.log.Warn("redis cannot be reached; each process counts and looks by itself", "error", err)
	}
}

// Run passes wake-ups on, both ways, until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	sub := r.client.Subscribe(ctx, wakeChannel)
	defer sub.Close()
	rings := sub.Channel(redis.WithChannelHealthCheckInterval(5 * time.Second))
	bell, off := event.OwnBell()
	defer off()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-rings:
			if !ok {
				return nil
			}
			if m.Payload != r.name {
				event.Ring()
			}
		case <-bell:
			if r.resting() {
				continue // the others look each second
			}
			r.heard(r.Tell(ctx))
			time.Sleep(gap)
		}
	}
}

// Tell wakes the other processes.
func (r *Relay) Tell(ctx context.Context) error {
	return r.client.Publish(ctx, wakeChannel, r.name).Err()
}

// take is the generic cell rate algorithm by Redis's own clock: the key holds the time at which everything that was taken
// is paid off. It answers 0, or the microseconds to wait.
var take = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local each, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local paid = tonumber(redis.call('GET', KEYS[1]) or now)
if paid < now then paid = now end
if paid + each - now > burst then return paid + each - now - burst end
redis.call('SET', KEYS[1], string.format('%.0f', paid + each), 'PX', math.ceil((paid + each - now) / 1000) + 1)
return 0`)

// Take spends one of the address's requests, perMinute on average and a quarter of that at once, counted together by all
// processes. It returns 0 or the time to wait, and false when Redis cannot tell: then the process counts by itself.
func (r *Relay) Take(ctx context.Context, address string, perMinute int) (time.Duration, bool) {
	if r.resting() {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	each := time.Minute / time.Duration(perMinute)
	burst := each * time.Duration(max(1, perMinute/4))
	wait, err := take.Run(ctx, r.client, []string{limitKey + address}, each.Microseconds(), burst.Microseconds()).Int64()
	r.heard(err)
	if err != nil {
		return 0, false
	}
	return time.Duration(wait) * time.Microsecond, true
}
