// Package audit keeps who did what, tamper-evident (requirement O1; GB/T 22239-2019 8.1.4.3).
//
// The row is written in the transaction of the change and is never updated or deleted: triggers refuse it. One sealer
// chains committed rows within a second: each seal is SM3 (GB/T 32905-2016) over the seal before and the row. The head
// record, signed with a key that is not in the database, says how long the chain is; the anchor of each day says it in a
// file outside the database. Verify names the place that does not fit.
package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
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

// Make returns the entry that Write would add, without its id.
func Make(actor access.Actor, now time.Time, r Record) (Entry, error) {
	detail := []byte("{}")
	if r.Detail != nil {
		var err error
		if detail, err = json.Marshal(r.Detail); err != nil {
			return Entry{}, fmt.Errorf("audit %s: %w", r.Action, err)
		}
	}
	return Entry{
		At: now, ActorID: actor.UserID, ActorName: actor.Name, Party: string(actor.Party), IP: actor.IP, TraceID: actor.TraceID,
		Action: r.Action, Object: r.Object, ObjectID: r.ObjectID, Summary: r.Summary, Detail: string(detail),
	}, nil
}

// Write adds the entry in the transaction. When it fails the action must fail: there is no action without its entry.
func Write(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, r Record) error {
	e, err := Make(actor, now, r)
	if err != nil {
		return err
	}
	if err := database.Insert(ctx, tx, &e); err != nil {
		return fmt.Errorf("audit %s: %w", r.Action, err)
	}
	return nil
}

// hash chains e behind prev. Fields are length-prefixed so that no two rows read the same.
func hash(prev string, e *Entry) string {
	var b []byte
	add := func(s string) {
		b = strconv.AppendInt(b, int64(len(s)), 10)
		b = append(append(b, ':'), s...)
	}
	number := func(n int64) {
		var digits [20]byte
		add(string(strconv.AppendInt(digits[:0], n, 10)))
	}
	add(prev)
	number(e.ID)
	number(e.At.UnixMicro())
	number(e.ActorID)
	for _, s := range []string{e.ActorName, e.Party, e.IP, e.TraceID, e.Action, e.Object} {
		add(s)
	}
	number(e.ObjectID)
	add(e.Summary)
	add(e.Detail)
	sum := sm3.Sum(b)
	return hex.EncodeToString(sum[:])
}

// Signer signs with a key of the installation that is not in its database. *secret.Box is one.
type Signer interface {
	// Sign returns a signature that names its key.
	Sign(purpose string, parts ...string) string
	// CheckSignature returns an error when the signature is not of these parts, or its key is not known.
	CheckSignature(signature, purpose string, parts ...string) error
}
