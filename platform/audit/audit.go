// Package audit keeps who did what, tamper-evident (requirement O1; GB/T 22239-2019 8.1.4.3).
//
// The row is written in the transaction of the change and is never updated or deleted: triggers refuse it. One sealer
// chains committed rows within a second: each seal is SM3 (GB/T 32905-2016) over the seal before and the row.
package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
)

// Entry is one row of the log.
type Entry struct {
	bun.BaseModel `bun:"table:audit_entries,alias:a"`

	ID        int64     `bun:"id,pk,autoincrement" json:"id"`
	At        time.Time `bun:"at,notnull" json:"at"`
	ActorID   int64     `bun:"actor_id,notnull" json:"actorId"`
	ActorName string    `bun:"actor_name,notnull" json:"actorName"`
	Party     string    `bun:"party,notnull" json:"party"`
	IP        string    `bun:"ip,notnull" json:"ip"`
	TraceID   string    `bun:"trace_id,notnull" json:"traceId"`
	Action    string    `bun:"action,notnull" json:"action"` // "ticket.close"
	Object    string    `bun:"object,notnull" json:"object"`
	ObjectID  int64     `bun:"object_id,notnull" json:"objectId"`
	Summary   string    `bun:"summary,notnull" json:"summary"` // Chinese, no personal data in clear
	Detail    string    `bun:"detail,notnull,type:text" json:"detail"`
}

type seal struct {
	bun.BaseModel `bun:"table:audit_seals"`

	Seq     int64  `bun:"seq,pk"`
	EntryID int64  `bun:"entry_id,notnull"`
	Hash    string `bun:"hash,notnull"`
	// SealedAt is no part of the chain: it only says when the sealer last came by.
	SealedAt *time.Time `bun:"sealed_at"`
}

// Record is what the caller says about its own action.
type Record struct {
	Action   string
	Object   string
	ObjectID int64
	Summary  string
	Detail   any // encoded as JSON; nil for none; never secrets or personal data in clear
}

// Write adds the entry in the transaction. When it fails the action must fail: there is no action without its entry.
func Write(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, r Record) error {
	detail := []byte("{}")
	if r.Detail != nil {
		var err error
		if detail, err = json.Marshal(r.Detail); err != nil {
			return fmt.Errorf("audit %s: %w", r.Action, err)
		}
	}
	e := Entry{
		At: now, ActorID: actor.UserID, ActorName: actor.Name, Party: string(actor.Party), IP: actor.IP, TraceID: actor.TraceID,
		Action: r.Action, Object: r.Object, ObjectID: r.ObjectID, Summary: r.Summary, Detail: string(detail),
	}
	if _, err := tx.NewInsert().Model(&e).Exec(ctx); err != nil {
		return fmt.Errorf("audit %s: %w", r.Action, err)
	}
	return nil
}

// hash chains e behind prev. Fields are length-prefixed so that no two rows read the same.
func hash(prev string, e Entry) string {
	h := sm3.New()
	for _, s := range []string{
		prev, fmt.Sprint(e.ID), fmt.Sprint(e.At.UnixMicro()), fmt.Sprint(e.ActorID), e.ActorName, e.Party, e.IP, e.TraceID,
		e.Action, e.Object, fmt.Sprint(e.ObjectID), e.Summary, e.Detail,
	} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Sealer chains the committed rows of an installation. Several processes may run one; they take turns.
type Sealer struct {
	DB  *database.DB
	Log *slog.Logger
}

// Run seals each second until ctx ends.
func (s *Sealer) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.Seal(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("seal audit", "error", err)
			}
		}
	}
}

// Seal chains every committed row that has no seal yet.
func (s *Sealer) Seal(ctx context.Context) error {
	for {
		n, err := s.batch(ctx)
		if err != nil || n < 200 {
			return err
		}
	}
}

func (s *Sealer) batch(ctx context.Context) (int, error) {
	waiting, err := unsealed(s.DB.Read()).Exists(ctx)
	if err != nil || !waiting {
		return 0, err
	}
	n := 0
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		if database.KindOf(tx) == database.Postgres {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(72175)"); err != nil {
				return err
			}
		}
		var last seal
		if err := tx.NewSelect().Model(&last).OrderExpr("seq DESC").Limit(1).Scan(ctx); database.Found(err) != nil && !isNone(err) {
			return err
		}
		var rows []Entry
		if err := unsealed(tx).Model(&rows).OrderExpr("a.id").Limit(200).Scan(ctx); err != nil {
			return err
		}
		seals := make([]seal, 0, len(rows))
		now := time.Now().UTC().Truncate(time.Microsecond)
		for _, e := range rows {
			last = seal{Seq: last.Seq + 1, EntryID: e.ID, Hash: hash(last.Hash, e), SealedAt: &now}
			seals = append(seals, last)
		}
		n = len(seals)
		if n == 0 {
			return nil
		}
		_, err := tx.NewInsert().Model(&seals).Exec(ctx)
		return err
	})
	return n, err
}

func unsealed(db bun.IDB) *bun.SelectQuery {
	return db.NewSelect().Model((*Entry)(nil)).Where("NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.entry_id = a.id)")
}
