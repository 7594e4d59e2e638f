package audit

import (
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

var errBroken = driver.ErrBadConn

// head says how long the chain is. It is the one row of its table, written with the seals, and signed.
type head struct {
	bun.BaseModel `bun:"table:audit_heads"`

	ID      int64  `bun:"id,pk"`
	Seq     int64  `bun:"seq,notnull"`
	EntryID int64  `bun:"entry_id,notnull"`
	Hash    string `bun:"hash,notnull"`
	// ClosedID: every entry up to it is sealed, or never came to be. What is found there without a seal was put in by hand.
	ClosedID int64 `bun:"closed_id,notnull"`
	// RebuiltAt says since when the head is not the one before carried on: that one was missing or changed.
	RebuiltAt *time.Time `bun:"rebuilt_at"`
	Signature string     `bun:"signature,notnull"`
}

const headPurpose = "audit.head"

func (h head) parts() []string {
	rebuilt := ""
	if h.RebuiltAt != nil {
		rebuilt = strconv.FormatInt(h.RebuiltAt.UnixMicro(), 10)
	}
	return []string{strconv.FormatInt(h.Seq, 10), strconv.FormatInt(h.EntryID, 10), h.Hash, strconv.FormatInt(h.ClosedID, 10), rebuilt}
}

// findHead returns the head, the zero one when there is none yet.
func findHead(ctx context.Context, db bun.IDB) (head, error) {
	var h head
	err := db.NewSelect().Model(&h).Where("id = 1").Scan(ctx)
	if isNone(err) {
		return head{}, nil
	}
	return h, err
}

// Sealer chains the committed rows of an installation. Each process that works runs one; on PostgreSQL one of them seals,
// and another takes over when its process ends.
type Sealer struct {
	DB  *database.DB
	Log *slog.Logger
	// Signer signs the head; nil leaves it unsigned, in tests.
	Signer Signer
	// Clock is the system's when nil.
	Clock clock.Clock
	// Batch is how many rows one transaction seals: 500 when 0, which holds the writer for some milliseconds. What nobody
	// waits for is sealed faster in thousands.
	Batch int

	mu   sync.Mutex
	lock *lock
	seen *seen // nil: nothing is known yet
}

// seen is what the sealer remembers of the table, so that a pass looks at new rows only.
type seen struct {
	next int64 // the highest id looked at
	gaps []gap // ids below it that were not there, ascending
}

// gap is a range of ids that were given out and not seen. On PostgreSQL their transactions may still commit.
type gap struct {
	from, to int64
	since    time.Time
	horizon  int64 // the first transaction id that was not given out yet
}

// settle is how long a gap is looked at after every transaction that may fill it seems to have ended: an id can be drawn
// a moment before its transaction has an id of its own.
const settle = time.Minute

// drawnID is the highest id that PostgreSQL gave out.
const drawnID = "(SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('audit_entries', 'id')), 0))"

func (s *seen) closed() int64 {
	if len(s.gaps) > 0 {
		return s.gaps[0].from - 1
	}
	return s.next
}

// take removes id from the gaps.
func (s *seen) take(id int64) {
	var left []gap
	for _, g := range s.gaps {
		if id < g.from || id > g.to {
			left = append(left, g)
			continue
		}
		if id > g.from {
			left = append(left, gap{g.from, id - 1, g.since, g.horizon})
		}
		if id < g.to {
			left = append(left, gap{id + 1, g.to, g.since, g.horizon})
		}
	}
	s.gaps = left
}

// Run seals each second until ctx ends.
func (s *Sealer) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer s.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.pass(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("seal audit", "error", err)
			}
		}
	}
}

// Seal chains every committed row that has no seal yet, once. It does nothing when another process seals.
func (s *Sealer) Seal(ctx context.Context) error {
	defer s.Close()
	return s.pass(ctx)
}

// Close lets another process seal.
func (s *Sealer) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
}

func (s *Sealer) forget() {
	if s.lock != nil {
		s.lock.release()
	}
	s.seen = nil
}

func (s *Sealer) portion() int {
	if s.Batch == 0 {
		return 500
	}
	return s.Batch
}

func (s *Sealer) now() time.Time {
	if s.Clock == nil {
		return clock.System{}.Now()
	}
	return s.Clock.Now()
}

// pass seals until nothing waits. It does nothing when another process seals.
func (s *Sealer) pass(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		s.lock = &lock{db: s.DB, id: database.LockSeal}
	}
	if held, err := s.lock.hold(ctx); err != nil || !held {
		return err
	}
	for {
		n, err := s.batch(ctx)
		if err != nil {
			s.forget()
			return err
		}
		if n < s.portion() || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// batch seals what came since the last one and what filled a gap, and returns how many rows it looked at.
func (s *Sealer) batch(ctx context.Context) (int, error) {
	db := s.lock.read()
	if s.seen == nil {
		h, err := findHead(ctx, db)
		if err != nil {
			return 0, err
		}
		s.seen = &seen{next: h.ClosedID}
	}
	rows, err := s.late(ctx, db)
	if err != nil {
		return 0, err
	}
	var fresh []Entry
	if err := db.NewSelect().Model(&fresh).Where("a.id > ?", s.seen.next).OrderExpr("a.id").Limit(int64(s.portion())).Scan(ctx); err != nil {
		return 0, err
	}
	if len(rows) == 0 && len(fresh) == 0 && len(s.seen.gaps) == 0 {
		return 0, nil
	}
	now, before := s.now(), s.seen.closed()
	after := *s.seen
	for _, e := range rows {
		after.take(e.ID)
	}
	var oldest, horizon int64
	if s.DB.Kind() == database.Postgres {
		var drawn int64
		err := db.NewRaw("SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint, "+drawnID+" FROM pg_current_snapshot() s").Scan(ctx, &oldest, &horizon, &drawn)
		if err != nil {
			return 0, err
		}
		// An id that was never given out was written by hand. Going on behind it would close the ids still to come.
		for len(fresh) > 0 && fresh[len(fresh)-1].ID > drawn {
			fresh = fresh[:len(fresh)-1]
		}
	}
	for _, e := range fresh {
		if e.ID > after.next+1 && s.DB.Kind() == database.Postgres {
			after.gaps = append(after.gaps, gap{after.next + 1, e.ID - 1, now, horizon})
		}
		after.next = e.ID
	}
	after.settle(now, oldest)
	if rows, err = s.without(ctx, db, append(rows, fresh...)); err != nil {
		return 0, err
	}
	if len(rows) > 0 || after.closed() != before {
		if err := s.lock.run(ctx, func(ctx context.Context, tx bun.Tx) error { return s.chain(ctx, tx, rows, after.closed(), now) }); err != nil {
			return 0, err
		}
	}
	s.seen = &after
	return max(len(fresh), len(rows)), nil
}

// settle forgets gaps that nobody can fill any more, and keeps the list short.
func (s *seen) settle(now time.Time, oldest int64) {
	var left []gap
	for _, g := range s.gaps {
		if now.Sub(g.since) < settle || oldest < g.horizon {
			left = append(left, g)
		}
	}
	if len(left) > 50 {
		last := left[len(left)-1]
		left = []gap{{left[0].from, last.to, last.since, last.horizon}}
	}
	s.gaps = left
}

// late returns rows without a seal that have come to fill a gap.
func (s *Sealer) late(ctx context.Context, db bun.IDB) ([]Entry, error) {
	if len(s.seen.gaps) == 0 {
		return nil, nil
	}
	var rows []Entry
	err := unsealed(db).Model(&rows).WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		for _, g := range s.seen.gaps {
			q = q.WhereOr("a.id BETWEEN ? AND ?", g.from, g.to)
		}
		return q
	}).OrderExpr("a.id").Limit(int64(s.portion())).Scan(ctx)
	return rows, err
}

// without leaves out the rows that have a seal: the first pass of a process meets some.
func (s *Sealer) without(ctx context.Context, db bun.IDB, rows []Entry) ([]Entry, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]int64, 0, len(rows))
	for _, e := range rows {
		ids = append(ids, e.ID)
	}
	var have []int64
	if err := db.NewSelect().Model((*seal)(nil)).Column("entry_id").Where("entry_id IN ?", bun.Tuple(ids)).Scan(ctx, &have); err != nil {
		return nil, err
	}
	sealed := map[int64]bool{}
	for _, id := range have {
		sealed[id] = true
	}
	var left []Entry
	for _, e := range rows {
		if !sealed[e.ID] {
			left = append(left, e)
		}
	}
	return left, nil
}

// chain appends seals of the rows and moves the head.
func (s *Sealer) chain(ctx context.Context, tx bun.Tx, rows []Entry, closed int64, now time.Time) error {
	h, err := s.carryOn(ctx, tx, now)
	if err != nil {
		return err
	}
	seals := make([]seal, 0, len(rows))
	for i := range rows {
		e := &rows[i]
		h.Seq, h.EntryID, h.Hash = h.Seq+1, e.ID, hash(h.Hash, e)
		seals = append(seals, seal{Seq: h.Seq, EntryID: e.ID, Hash: h.Hash, SealedAt: &now})
	}
	if len(seals) > 0 {
		if _, err := tx.NewInsert().Model(&seals).Exec(ctx); err != nil {
			return fmt.Errorf("insert seals: %w", err)
		}
	}
	h.ID, h.ClosedID = 1, closed
	if s.Signer != nil {
		h.Signature = s.Signer.Sign(headPurpose, h.parts()...)
	}
	_, err = tx.NewInsert().Model(&h).On("CONFLICT (id) DO UPDATE").Set("seq = EXCLUDED.seq, entry_id = EXCLUDED.entry_id, hash = EXCLUDED.hash").
		Set("closed_id = EXCLUDED.closed_id, rebuilt_at = EXCLUDED.rebuilt_at, signature = EXCLUDED.signature").Exec(ctx)
	return err
}

// carryOn returns the head to chain behind. Where the last seals are missing it goes on behind the head, so that the hole
// stays; where the head itself is missing or changed it goes on behind the last seal, and says since when.
func (s *Sealer) carryOn(ctx context.Context, tx bun.Tx, now time.Time) (head, error) {
	var last seal
	if err := tx.NewSelect().Model(&last).OrderExpr("seq DESC").Limit(1).Scan(ctx); err != nil && !isNone(err) {
		return head{}, err
	}
	var h head
	q := tx.NewSelect().Model(&h).Where("id = 1")
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	err := q.Scan(ctx)
	if err != nil && !isNone(err) {
		return head{}, err
	}
	wrong := ""
	switch {
	case err != nil && last.Seq == 0:
		return head{}, nil
	case err != nil:
		wrong = "missing"
	case s.Signer != nil && s.Signer.CheckSignature(h.Signature, headPurpose, h.parts()...) != nil:
		wrong = "changed"
	case last.Seq > h.Seq:
		wrong = "behind the last seal"
	case last.Seq < h.Seq || last.Hash != h.Hash:
		s.Log.Error("audit: the last seals are missing or changed; run huiqi audit verify", "head", h.Seq, "last", last.Seq)
	}
	if wrong != "" {
		s.Log.Error("audit: the head record is "+wrong+"; run huiqi audit verify", "head", h.Seq, "last", last.Seq)
		h.Seq, h.EntryID, h.Hash, h.RebuiltAt = max(last.Seq, h.Seq), last.EntryID, last.Hash, &now
	}
	return h, nil
}

func unsealed(db bun.IDB) *bun.SelectQuery {
	return db.NewSelect().Model((*Entry)(nil)).Where("NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.entry_id = a.id)")
}
