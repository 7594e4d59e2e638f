// Package onelink makes the links in text messages with which a person without signing in does one thing, once: a token of 128
// bits of which only the hash is kept, for one purpose and one object, until a day.
//
// Whoever has the link may do what it is for, and nothing else. Tries of links that do not exist are counted per address.
package onelink

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
)

// The limits of links that do not exist, per address. A token has 128 bits: they keep a machine from trying, not from succeeding.
const (
	wrongLinks = 20
	forgets    = time.Hour
)

// The faults of a link. Each says what its holder can do.
var (
	ErrWrong = fault.New(fault.NotFound, "LINK_WRONG", "链接无效或已过期。请核对短信中的完整链接，或登录惠企台办理")
	ErrUsed  = fault.New(fault.Conflict, "LINK_USED", "此链接已经使用过。如需查看或修改，请登录惠企台")
	ErrMany  = fault.New(fault.TooMany, "LINK_MANY", "尝试次数过多，请一小时后再试，或登录惠企台办理")
)

// Link is one link that was sent.
type Link struct {
	bun.BaseModel `bun:"table:one_links,alias:ol"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Purpose   string     `bun:"purpose,notnull"` // "evaluation"
	Object    string     `bun:"object,notnull"`
	ObjectID  int64      `bun:"object_id,notnull"`
	Hash      string     `bun:"hash,notnull"`
	SentAt    time.Time  `bun:"sent_at,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

type triesRow struct {
	bun.BaseModel `bun:"table:one_link_tries"`

	Who   string    `bun:"who,pk"`
	Wrong int       `bun:"wrong,notnull"`
	Since time.Time `bun:"since,notnull"`
}

// Maker makes links and finds them.
type Maker struct {
	DB    *database.DB
	Clock clock.Clock
	Box   *secret.Box
}

// Make makes a link of a purpose to an object in the transaction that sends it. A link that was made before and not used does not
// work any more.
func (m *Maker) Make(ctx context.Context, tx bun.Tx, purpose, object string, id int64, days int) (token string, err error) {
	if err := m.End(ctx, tx, purpose, object, id); err != nil {
		return "", err
	}
	now := m.Clock.Now()
	token = rand.Text()
	row := Link{Purpose: purpose, Object: object, ObjectID: id, Hash: m.Box.HashToken(token), SentAt: now, ExpiresAt: now.AddDate(0, 0, days)}
	if err := database.Insert(ctx, tx, &row); err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	return token, nil
}

// End makes the links of a purpose to an object that were not used invalid.
func (m *Maker) End(ctx context.Context, tx bun.Tx, purpose, object string, id int64) error {
	_, err := database.Run(ctx, tx, "DELETE FROM one_links WHERE purpose = ? AND object = ? AND object_id = ? AND used_at IS NULL", purpose, object, id)
	return err
}

// Find returns the link of a token that is not past its days. It returns ErrWrong for one that does not exist, ErrMany when the
// address tried too many of those, and ErrUsed with the link for one that was used.
func (m *Maker) Find(ctx context.Context, actor access.Actor, purpose, token string) (Link, error) {
	now := m.Clock.Now()
	var row Link
	var err error = fault.ErrNotFound
	if len(token) == len(rand.Text()) {
		err = database.Found(m.DB.Read().NewSelect().Model(&row).Where("ol.hash IN ? AND ol.purpose = ?", bun.Tuple(m.Box.TokenHashes(token)), purpose).Scan(ctx))
	}
	switch {
	case err == nil && row.UsedAt != nil:
		return row, ErrUsed
	case err == nil && row.ExpiresAt.After(now):
		return row, nil
	case err == nil:
		return Link{}, ErrWrong // theirs once: no try
	case !errors.Is(err, fault.ErrNotFound):
		return Link{}, err
	}
	wrong := 0
	err = m.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return database.QueryOne(ctx, tx, []any{&wrong}, `INSERT INTO one_link_tries (who, wrong, since) VALUES (?, 1, ?) ON CONFLICT (who) DO UPDATE SET
			wrong = CASE WHEN one_link_tries.since < ? THEN 1 ELSE one_link_tries.wrong + 1 END,
			since = CASE WHEN one_link_tries.since < ? THEN excluded.since ELSE one_link_tries.since END RETURNING wrong`,
			m.Box.MAC("onelink.address", actor.IP), now, now.Add(-forgets), now.Add(-forgets))
	})
	if err != nil {
		return Link{}, err
	}
	if wrong > wrongLinks {
		return Link{}, ErrMany.After(int(forgets / time.Second))
	}
	return Link{}, ErrWrong
}

// Use marks a link as used, in the transaction of what it is used for; of two at once one gets ErrUsed.
func (m *Maker) Use(ctx context.Context, tx bun.Tx, l Link) error {
	err := database.Changed(database.Run(ctx, tx, "UPDATE one_links SET used_at = ? WHERE id = ? AND used_at IS NULL", m.Clock.Now(), l.ID))
	if errors.Is(err, fault.ErrChanged) {
		return ErrUsed
	}
	return err
}

// keep is how long a link past its days is still told from one that never was.
const keep = 30

// Forget removes links that nobody can use any more, and tries that do not count any more.
func (m *Maker) Forget(ctx context.Context) error {
	now := m.Clock.Now()
	return m.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := database.Run(ctx, tx, "DELETE FROM one_links WHERE expires_at < ?", now.AddDate(0, 0, -keep)); err != nil {
			return err
		}
		_, err := database.Run(ctx, tx, "DELETE FROM one_link_tries WHERE since < ?", now.Add(-forgets))
		return err
	})
}

// Sealed are the columns of the package that belong to a key.
func Sealed() secret.Keepers {
	return secret.Keepers{Hashes: []secret.Hash{{Table: "one_links", Name: "hash", Ends: "短信中的一次性链接（服务评价、线下服务确认），换钥后尚未使用的旧链接失效，可登录办理"}}}
}

type link20261130 struct {
	bun.BaseModel `bun:"table:one_links"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Purpose   string     `bun:"purpose,notnull"`
	Object    string     `bun:"object,notnull"`
	ObjectID  int64      `bun:"object_id,notnull"`
	Hash      string     `bun:"hash,notnull"`
	SentAt    time.Time  `bun:"sent_at,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

// Migrations are the tables of the package.
var Migrations = []database.Migration{{
	ID: "20261130030100_one_links",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*link20261130)(nil), (*triesRow)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX one_links_hash ON one_links (hash)",
			"CREATE INDEX one_links_object ON one_links (purpose, object, object_id)",
			"CREATE INDEX one_links_expires ON one_links (expires_at)",
			"CREATE INDEX one_link_tries_since ON one_link_tries (since)",
		)
	},
}}
