package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Kind names what does not fit.
type Kind string

// What Verify finds.
const (
	Edited      Kind = "edited"       // the row is not what was sealed, or rows changed places
	Deleted     Kind = "deleted"      // the sealed row is gone
	Inserted    Kind = "inserted"     // a row that no seal speaks of, among sealed ones
	SealMissing Kind = "seal_missing" // seals within the chain are gone
	Truncated   Kind = "truncated"    // the end of the chain is gone
	Appended    Kind = "appended"     // seals behind the head record
	HeadForged  Kind = "head"         // the head record is missing, changed, or was rebuilt
	Rewritten   Kind = "rewritten"    // the chain is whole in itself and not the one that was
	AnchorBad   Kind = "anchor"       // an anchor file was changed or is missing
)

// Problem is one place that does not fit.
type Problem struct {
	Kind    Kind
	Seq     int64 // the seal, 0 when none is meant
	EntryID int64 // the row, 0 when none is meant
	Text    string
}

// Report is the outcome of Verify.
type Report struct {
	Sealed   int64     // rows whose seal is right
	Unsealed int64     // rows not sealed yet, at the tail
	Total    int64     // seals of the chain, those before From too
	Anchors  int       // anchors that fit
	Problems []Problem // empty when the log is whole
	// More says that there are problems beyond those listed.
	More bool
	// Notes say what could not be compared.
	Notes []string
	// End is where the chain ends; a later Verify may begin there.
	End Mark
}

// OK reports whether nothing was tampered with.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// maxProblems bounds the report: past it only the first places matter.
const maxProblems = 20

func (r *Report) add(kind Kind, seq, entry int64, format string, args ...any) {
	if len(r.Problems) == maxProblems {
		r.More = true
		return
	}
	r.Problems = append(r.Problems, Problem{kind, seq, entry, fmt.Sprintf(format, args...)})
}

// Mark is a place of the chain up to which everything was found whole.
type Mark struct {
	Seq      int64
	Hash     string
	ClosedID int64
}

// Options of Verify. The zero value checks the whole chain against itself and its head record.
type Options struct {
	// From is where to begin; the zero mark is the beginning.
	From Mark
	// Signer checks the signatures of the head and the anchors; nil leaves them out.
	Signer Signer
	// Anchors are compared with the chain, in the order of their days.
	Anchors []Anchor
	// Progress is told now and then how many of how many seals were looked at.
	Progress func(done, total int64)
}

// page is how many rows are held at a time.
const page = 2000

// linked is a seal with its row, if that is there.
type linked struct {
	seal  seal
	there bool
	entry Entry
}

// Verify recomputes the chain and names each place that does not fit. It reads in pages: memory does not grow with the log.
func Verify(ctx context.Context, db *database.DB, o Options) (Report, error) {
	r := Report{Sealed: 0, End: o.From}
	first, err := findHead(ctx, db.Read())
	if err != nil {
		return r, fmt.Errorf("read the head: %w", err)
	}
	if o.From.Seq > 0 {
		var hash string
		err := db.Read().NewSelect().Model((*seal)(nil)).Column("hash").Where("seq = ?", o.From.Seq).Scan(ctx, &hash)
		if err != nil && !isNone(err) {
			return r, err
		}
		if hash != o.From.Hash {
			r.add(Rewritten, o.From.Seq, 0, "第 %d 号封印与上次核对时不同，此前的日志被改写", o.From.Seq)
		}
	}
	anchors, err := o.begin(ctx, db, &r)
	if err != nil {
		return r, err
	}
	read, stop := context.WithCancel(ctx)
	defer stop()
	pages, failed := make(chan []linked, 1), make(chan error, 1)
	from := o.From.Seq
	if from == 0 {
		from = math.MinInt64
	}
	go func() {
		defer close(pages)
		failed <- readChain(read, db.Read(), from, pages)
	}()
	prev, seq := o.From.Hash, o.From.Seq
	for list := range pages {
		for i := range list {
			l := &list[i]
			if l.seal.Seq < 1 {
				r.add(Inserted, l.seal.Seq, l.seal.EntryID, "第 %d 号封印及日志 %d 不是由本系统写入", l.seal.Seq, l.seal.EntryID)
				continue
			}
			switch {
			case l.seal.Seq != seq+1:
				r.add(SealMissing, seq+1, 0, "第 %d 至 %d 号封印缺失", seq+1, l.seal.Seq-1)
			case !l.there:
				r.add(Deleted, l.seal.Seq, l.seal.EntryID, "日志 %d（第 %d 号封印）已被删除", l.seal.EntryID, l.seal.Seq)
			case hash(prev, &l.entry) != l.seal.Hash:
				r.add(Edited, l.seal.Seq, l.seal.EntryID, "日志 %d（第 %d 号封印）与封印不符，内容或顺序被改动", l.seal.EntryID, l.seal.Seq)
			default:
				r.Sealed++
			}
			prev, seq = l.seal.Hash, l.seal.Seq
			if seq == first.Seq && prev != first.Hash {
				r.add(Rewritten, seq, l.seal.EntryID, "第 %d 号封印与封印头记录不符，日志被整体改写", seq)
			}
			anchors.pass(&r, seq, prev)
		}
		if o.Progress != nil {
			o.Progress(seq-o.From.Seq, max(first.Seq, seq)-o.From.Seq)
		}
	}
	if err := <-failed; err != nil {
		return r, fmt.Errorf("read the chain: %w", err)
	}
	r.Total = seq
	r.End.Seq, r.End.Hash = seq, prev
	anchors.end(&r, seq)
	if err := r.head(ctx, db, o, first); err != nil {
		return r, err
	}
	return r, r.loose(ctx, db, o.From.ClosedID)
}

// head compares the end of the chain with the head record. The record is read again: the sealer may have gone on.
func (r *Report) head(ctx context.Context, db *database.DB, o Options, first head) error {
	h, err := findHead(ctx, db.Read())
	if err != nil {
		return err
	}
	r.End.ClosedID = h.ClosedID
	switch {
	case h.ID == 0 && r.Total > 0:
		r.add(HeadForged, 0, 0, "封印头记录缺失")
		return nil
	case h.ID == 0:
		return nil
	case h.Seq < r.Total:
		r.add(Appended, h.Seq+1, 0, "第 %d 至 %d 号封印在封印头记录之后，不是由本系统写入", h.Seq+1, r.Total)
	case first.Seq > r.Total:
		r.add(Truncated, r.Total+1, 0, "末尾的第 %d 至 %d 号封印及其日志被删除", r.Total+1, first.Seq)
	}
	if h.RebuiltAt != nil {
		r.add(HeadForged, 0, 0, "封印头记录曾缺失或被改动，%s 重建", show(*h.RebuiltAt))
	}
	if o.Signer == nil {
		r.Notes = append(r.Notes, "未配置密钥，封印头记录的签名未核对")
	} else if err := o.Signer.CheckSignature(h.Signature, headPurpose, h.parts()...); err != nil {
		r.add(HeadForged, h.Seq, h.EntryID, "封印头记录的签名不符，记录被改动")
	}
	return nil
}

// loose finds rows without a seal: those behind the closed part wait for theirs, others were put in by hand.
func (r *Report) loose(ctx context.Context, db *database.DB, from int64) error {
	var ids []int64
	closed := r.End.ClosedID
	if from == 0 {
		from = math.MinInt64
	}
	err := unsealed(db.Read()).Column("a.id").Where("a.id > ? AND a.id <= ?", from, closed).OrderExpr("a.id").Limit(maxProblems+1).Scan(ctx, &ids)
	if err != nil {
		return fmt.Errorf("find rows without a seal: %w", err)
	}
	for _, id := range ids {
		r.add(Inserted, 0, id, "日志 %d 没有封印，是事后插入的，或其封印被删除", id)
	}
	if db.Kind() == database.Postgres {
		var beyond []int64
		if err := db.Read().NewSelect().Model((*Entry)(nil)).Column("a.id").Where("a.id > "+drawnID).OrderExpr("a.id").Limit(maxProblems).Scan(ctx, &beyond); err != nil {
			return err
		}
		for _, id := range beyond {
			r.add(Inserted, 0, id, "日志 %d 的编号不是由本系统分配，是事后插入的", id)
		}
	}
	n, err := unsealed(db.Read()).Where("a.id > ?", closed).Count(ctx)
	r.Unsealed = int64(n)
	return err
}

// readChain sends the seals after seq with their rows, in order, page by page.
func readChain(ctx context.Context, db bun.IDB, seq int64, out chan<- []linked) error {
	for {
		list, err := readPage(ctx, db, seq, page)
		if err != nil || len(list) == 0 {
			return err
		}
		seq = list[len(list)-1].seal.Seq
		select {
		case out <- list:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func readPage(ctx context.Context, db bun.IDB, seq int64, limit int) ([]linked, error) {
	entries := "audit_entries a ON a.id = s.entry_id"
	if database.KindOf(db) == database.Postgres {
		// without statistics of a new table it would read all entries for each page
		entries = "LATERAL (SELECT * FROM audit_entries e WHERE e.id = s.entry_id OFFSET 0) a ON true"
	}
	// bun's reading by reflection would take as long as the rest together
	rows, err := db.QueryContext(ctx, `SELECT s.seq, s.entry_id, s.hash, a.id, a.at, a.actor_id, a.actor_name, a.party, a.ip, a.trace_id, a.action, a.object, a.object_id, a.summary, a.detail
FROM (SELECT seq, entry_id, hash FROM audit_seals WHERE seq > ? ORDER BY seq LIMIT ?) s LEFT JOIN `+entries+` ORDER BY s.seq`, seq, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := make([]linked, 0, limit)
	for rows.Next() {
		var (
			l                   linked
			id, actor, object   sql.NullInt64
			at                  sql.NullTime
			name, party, ip     sql.NullString
			trace, action, what sql.NullString
			summary, detail     sql.NullString
		)
		if err := rows.Scan(&l.seal.Seq, &l.seal.EntryID, &l.seal.Hash, &id, &at, &actor, &name, &party, &ip, &trace, &action, &what, &object, &summary, &detail); err != nil {
			return nil, err
		}
		l.there = id.Valid
		l.entry = Entry{ID: id.Int64, At: at.Time, ActorID: actor.Int64, ActorName: name.String, Party: party.String, IP: ip.String, TraceID: trace.String,
			Action: action.String, Object: what.String, ObjectID: object.Int64, Summary: summary.String, Detail: detail.String}
		list = append(list, l)
	}
	return list, rows.Err()
}

func show(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05") }
