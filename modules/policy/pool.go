package policy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// pool keeps what is known of every company of the register in memory, so that a policy is held against all of them at
// once. Each process has its own, built after the start and kept up by following the facts and events; it is a copy, and
// losing it loses nothing.
type pool struct {
	s *Service

	mu       sync.Mutex
	columns  *criteria.Columns // nil until it is built
	day      string            // for which it was built: what is too old, and what is not yet, changes with the day
	building bool
	loaded   int
	total    int
	since    time.Time // of the building
	took     time.Duration
	fact     int64 // every fact up to it is in
	pos      int64 // every event up to it is heard
	failed   string
	checked  time.Time // when it was last held against the database

	// open are the facts behind fact that are in already, each with when it was first seen.
	open map[int64]time.Time
}

func newPool(s *Service) *pool { return &pool{s: s, open: map[int64]time.Time{}} }

const (
	// poolEvery is how often the facts are looked at.
	poolEvery = 3 * time.Second
	// settled is how long after a fact was first seen one with a lower id may still be committed: longer than a transaction
	// lasts.
	settled = 15 * time.Second
	// pageOfFacts is how many facts are looked at in one step.
	pageOfFacts = 5000
)

// PoolState says how the copy of the companies stands in this process.
type PoolState struct {
	Ready     bool   `json:"ready"`
	Building  bool   `json:"building"`
	Loaded    int    `json:"loaded"` // while building
	Total     int    `json:"total"`
	Companies int    `json:"companies"`
	Bytes     int    `json:"bytes"`    // memory
	Seconds   int    `json:"seconds"`  // while building: about how long it still takes
	BuildMS   int64  `json:"buildMs"`  // how long the last building took
	FactMark  int64  `json:"factMark"` // every fact up to this id is in
	LagMS     int64  `json:"lagMs"`    // since it was last held against the database
	Failed    string `json:"failed,omitempty"`
}

// Pool says how the copy of the companies stands. It is no operation of a person: the caller has asked who may see it.
func (s *Service) Pool() PoolState {
	if s.pool == nil {
		return PoolState{}
	}
	return s.pool.state()
}

func (p *pool) state() PoolState {
	p.mu.Lock()
	st := PoolState{Ready: p.columns != nil, Building: p.building, Loaded: p.loaded, Total: p.total, BuildMS: p.took.Milliseconds(), FactMark: p.fact, Failed: p.failed}
	columns := p.columns
	now := p.s.clock.Now()
	if !p.checked.IsZero() {
		st.LagMS = max(0, now.Sub(p.checked).Milliseconds())
	}
	if p.building && p.loaded > 0 {
		left := max(0, p.total-p.loaded)
		st.Seconds = int(now.Sub(p.since)*time.Duration(left)/time.Duration(p.loaded)/time.Second) + 1
	} else if p.building {
		st.Seconds = p.total/10_000 + 1
	}
	p.mu.Unlock()
	if columns != nil {
		st.Companies, st.Bytes = columns.Len(), columns.Bytes()
	}
	return st
}

// ErrLoading: the copy of the companies is not there yet.
var ErrLoading = fault.New(fault.Unavailable, "COMPANIES_LOADING", "企业数据正在载入，请稍候再试")

// ready returns the copy, or how long it still takes.
func (p *pool) ready() (*criteria.Columns, int64, error) {
	p.mu.Lock()
	columns, mark := p.columns, p.fact
	p.mu.Unlock()
	if columns == nil {
		return nil, 0, ErrLoading.With("企业数据正在载入，约 %d 秒后可用", max(1, p.state().Seconds))
	}
	return columns, mark, nil
}

// RunPool builds the copy of the companies and keeps it up until ctx ends. Every process runs it.
func (s *Service) RunPool(ctx context.Context) error {
	tick := time.NewTicker(poolEvery)
	defer tick.Stop()
	for {
		if err := s.RefreshPool(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "companies for matching", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// RefreshPool builds the copy when there is none for today, and brings it up to what the database holds.
func (s *Service) RefreshPool(ctx context.Context) error {
	p := s.pool
	now := s.clock.Now()
	p.mu.Lock()
	stale := p.columns == nil || p.day != dayOf(now)
	p.mu.Unlock()
	var err error
	if stale {
		err = p.build(ctx, now)
	} else {
		err = p.follow(ctx, now)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = ""
	if err != nil {
		p.failed = err.Error()
		return err
	}
	p.checked = s.clock.Now()
	return nil
}

// build makes a new copy beside the one in use and puts it in its place.
func (p *pool) build(ctx context.Context, now time.Time) error {
	db, r := p.s.db.Read(), p.s.reach.Register
	begun := time.Now()
	// The marks first: what is added meanwhile is read again.
	fact, err := r.FactMark(ctx, db)
	if err != nil {
		return fmt.Errorf("latest fact: %w", err)
	}
	pos, err := p.position(ctx)
	if err != nil {
		return err
	}
	total, err := r.CountRegister(ctx, db)
	if err != nil {
		return fmt.Errorf("count companies: %w", err)
	}
	p.mu.Lock()
	p.building, p.loaded, p.total, p.since = true, 0, total, now
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.building = false
		p.mu.Unlock()
	}()
	columns := criteria.NewColumns(p.s.schema)
	var failed error
	columns.Fill(func(yield func(int64, criteria.Facts) bool) {
		n := 0
		failed = r.EachRegistered(ctx, db, func(id int64, facts criteria.Facts) error {
			if n++; n%1000 == 0 {
				p.mu.Lock()
				p.loaded = n
				p.mu.Unlock()
			}
			yield(id, facts)
			return ctx.Err()
		})
	})
	if failed != nil {
		return fmt.Errorf("load companies: %w", failed)
	}
	p.mu.Lock()
	p.columns, p.day, p.took, p.fact, p.pos, p.open = columns, dayOf(now), time.Since(begun), fact, pos, map[int64]time.Time{}
	p.mu.Unlock()
	p.s.log.InfoContext(ctx, "companies for matching are loaded", "companies", columns.Len(), "ms", p.took.Milliseconds(), "bytes", columns.Bytes())
	return p.follow(ctx, now)
}

// position is behind the events of now. Positions are the feed's to give; on PostgreSQL the newest events get theirs with
// its next round.
func (p *pool) position(ctx context.Context) (int64, error) {
	if err := event.Place(ctx, p.s.db); err != nil {
		return 0, fmt.Errorf("sequence events: %w", err)
	}
	return event.Last(ctx, p.s.db.Read())
}

// follow brings in what was added since.
func (p *pool) follow(ctx context.Context, now time.Time) error {
	touched, pos, err := p.byEvents(ctx)
	if err != nil {
		return err
	}
	byFacts, mark, seen, err := p.byFacts(ctx, now)
	if err != nil {
		return err
	}
	for id := range byFacts {
		touched[id] = true
	}
	ids := make([]int64, 0, len(touched))
	for id := range touched {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	p.mu.Lock()
	columns := p.columns
	p.mu.Unlock()
	for chunk := range slices.Chunk(ids, 500) {
		known, err := p.s.reach.Register.InRegister(ctx, p.s.db.Read(), chunk...)
		if err != nil {
			return fmt.Errorf("facts of changed companies: %w", err)
		}
		for _, id := range chunk {
			if facts, in := known[id]; in {
				columns.Put(id, facts)
			} else {
				columns.Remove(id)
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fact, p.open, p.pos = mark, seen, pos
	return nil
}

// byEvents are the companies that came into the register, or out of it, and the position of the last event.
func (p *pool) byEvents(ctx context.Context) (touched map[int64]bool, pos int64, err error) {
	if err := event.Place(ctx, p.s.db); err != nil {
		return nil, 0, fmt.Errorf("sequence events: %w", err)
	}
	touched = map[int64]bool{}
	p.mu.Lock()
	pos = p.pos
	p.mu.Unlock()
	for {
		marks, err := event.After(ctx, p.s.db.Read(), pos, pageOfFacts)
		if err != nil {
			return nil, 0, fmt.Errorf("events of companies: %w", err)
		}
		for _, m := range marks {
			if pos = m.Pos; m.Object == "enterprise" {
				touched[m.ObjectID] = true
			}
		}
		if len(marks) < pageOfFacts {
			return touched, pos, nil
		}
	}
}

// byFacts are the companies of which something was learnt, the id up to which nothing more can come, and the facts behind
// it that are in.
func (p *pool) byFacts(ctx context.Context, now time.Time) (touched map[int64]bool, mark int64, open map[int64]time.Time, err error) {
	p.mu.Lock()
	mark, before := p.fact, p.open
	p.mu.Unlock()
	touched, open = map[int64]bool{}, map[int64]time.Time{}
	from := mark
	whole := true // everything up to here is settled
	for {
		list, err := p.s.reach.Register.FactsAfter(ctx, p.s.db.Read(), from, pageOfFacts)
		if err != nil {
			return nil, 0, nil, fmt.Errorf("new facts: %w", err)
		}
		for _, c := range list {
			from = c.FactID
			first, known := before[c.FactID]
			if !known {
				first = now
				touched[c.EnterpriseID] = true
			}
			if whole = whole && (p.s.db.Kind() == database.SQLite || now.Sub(first) > settled); whole {
				mark = c.FactID
			} else {
				open[c.FactID] = first
			}
		}
		if len(list) < pageOfFacts {
			return touched, mark, open, nil
		}
	}
}
