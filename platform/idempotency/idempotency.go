// Package idempotency makes a repeated command answer with its first outcome. The record is written in the command's own
// transaction: it exists exactly if the change does, whatever crashes.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// ErrKeyReused is returned when a key comes again with another content.
var ErrKeyReused = fault.New(fault.Invalid, "KEY_REUSED", "同一次提交的内容前后不一致，请刷新页面后重新填写提交")

type record struct {
	bun.BaseModel `bun:"table:idempotency_keys"`

	Owner     string    `bun:"owner,pk"`
	Operation string    `bun:"operation,pk"`
	Key       string    `bun:"key,pk"`
	Digest    string    `bun:"digest,notnull"`
	Outcome   string    `bun:"outcome,notnull,type:text"`
	At        time.Time `bun:"at,notnull"`
}

// Command identifies one command of one actor.
type Command struct {
	Actor     access.Actor
	Operation string // "ticket.open"
	Key       string // from the client; "" runs the command without a record
	Request   any    // what must be equal when the key comes again; encoded as JSON
	Now       time.Time
}

// Do runs fn once per key in tx and returns its outcome; a repeat returns the first outcome without running fn. T must
// survive JSON. An error of fn undoes the record with everything else.
func Do[T any](ctx context.Context, tx bun.Tx, c Command, fn func() (T, error)) (T, error) {
	var zero T
	if c.Key == "" {
		return fn()
	}
	body, err := json.Marshal(c.Request)
	if err != nil {
		return zero, fmt.Errorf("encode %s: %w", c.Operation, err)
	}
	sum := sha256.Sum256(body)
	r := record{Owner: owner(c.Actor), Operation: c.Operation, Key: c.Key, Digest: hex.EncodeToString(sum[:]), At: c.Now}
	// A concurrent first command holds the row until it commits, then this insert finds it.
	res, err := database.Run(ctx, tx, "INSERT INTO idempotency_keys (owner, operation, key, digest, outcome, at) VALUES (?, ?, ?, ?, '', ?) ON CONFLICT DO NOTHING",
		r.Owner, r.Operation, r.Key, r.Digest, r.At)
	if err != nil {
		return zero, fmt.Errorf("claim key of %s: %w", c.Operation, err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return zero, err
	} else if n == 0 {
		var first record
		err := tx.NewSelect().Model(&first).Where("owner = ? AND operation = ? AND key = ?", r.Owner, r.Operation, r.Key).Scan(ctx)
		if err != nil {
			return zero, fmt.Errorf("read key of %s: %w", c.Operation, database.Found(err))
		}
		if first.Digest != r.Digest {
			return zero, ErrKeyReused
		}
		var out T
		if err := json.Unmarshal([]byte(first.Outcome), &out); err != nil {
			return zero, fmt.Errorf("decode outcome of %s: %w", c.Operation, err)
		}
		return out, nil
	}
	out, err := fn()
	if err != nil {
		return zero, err
	}
	outcome, err := json.Marshal(out)
	if err != nil {
		return zero, fmt.Errorf("encode outcome of %s: %w", c.Operation, err)
	}
	_, err = database.Run(ctx, tx, "UPDATE idempotency_keys SET outcome = ? WHERE owner = ? AND operation = ? AND key = ?", string(outcome), r.Owner, r.Operation, r.Key)
	return out, err
}

// Used reports whether the actor's key was used for the operation: a repeat would answer with its first outcome.
func Used(ctx context.Context, db bun.IDB, a access.Actor, operation, key string) (bool, error) {
	if key == "" {
		return false, nil
	}
	return db.NewSelect().Model((*record)(nil)).Where("owner = ? AND operation = ? AND key = ?", owner(a), operation, key).Exists(ctx)
}

func owner(a access.Actor) string {
	switch {
	case a.UserID != 0:
		return fmt.Sprintf("user:%d", a.UserID)
	case a.PartnerID != 0:
		return fmt.Sprintf("partner:%d", a.PartnerID)
	case a.Party == access.System:
		return "system:" + a.Name
	}
	return "visitor"
}

type record20261101 struct {
	bun.BaseModel `bun:"table:idempotency_keys"`

	Owner     string    `bun:"owner,pk"`
	Operation string    `bun:"operation,pk"`
	Key       string    `bun:"key,pk"`
	Digest    string    `bun:"digest,notnull"`
	Outcome   string    `bun:"outcome,notnull,type:text"`
	At        time.Time `bun:"at,notnull"`
}

// Migrations are the tables of the package.
var Migrations = []database.Migration{{
	ID: "20261101000300_idempotency",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*record20261101)(nil))
	},
}}
