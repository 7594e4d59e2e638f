package exchange

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type partner20261124 struct {
	bun.BaseModel `bun:"table:exchange_partners"`

	ID             int64     `bun:"id,pk,autoincrement"`
	Code           string    `bun:"code,notnull"`
	Name           string    `bun:"name,notnull"`
	Note           string    `bun:"note,notnull,type:text"`
	URL            string    `bun:"url,notnull,type:text"`
	Secret         string    `bun:"secret,notnull,type:text"`
	AllowCIDRs     string    `bun:"allow_cidrs,notnull,type:text"`
	AllowHosts     string    `bun:"allow_hosts,notnull,type:text"`
	Events         string    `bun:"events,notnull,type:text"`
	Fields         string    `bun:"fields,notnull,type:text"`
	ShowNames      bool      `bun:"show_names,notnull"`
	State          string    `bun:"state,notnull"`
	FromEvent      int64     `bun:"from_event,notnull"`
	Failures       int       `bun:"failures,notnull"`
	CallsPerMinute int       `bun:"calls_per_minute,notnull"`
	CallsPerDay    int       `bun:"calls_per_day,notnull"`
	Version        int64     `bun:"version,notnull"`
	CreatedAt      time.Time `bun:"created_at,notnull"`
	UpdatedAt      time.Time `bun:"updated_at,notnull"`
	UpdatedBy      string    `bun:"updated_by,notnull"`
}

type delivery20261124 struct {
	bun.BaseModel `bun:"table:exchange_deliveries"`

	ID        int64      `bun:"id,pk,autoincrement"`
	PartnerID int64      `bun:"partner_id,notnull"`
	EventID   int64      `bun:"event_id,notnull"`
	MessageID string     `bun:"message_id,notnull"`
	Type      string     `bun:"type,notnull"`
	Object    string     `bun:"object,notnull"`
	ObjectID  int64      `bun:"object_id,notnull"`
	Seq       int64      `bun:"seq,notnull"`
	Subject   string     `bun:"subject,notnull"`
	Body      string     `bun:"body,notnull,type:text"`
	State     string     `bun:"state,notnull"`
	Claim     string     `bun:"claim,notnull"`
	Attempts  int        `bun:"attempts,notnull"`
	Tries     int        `bun:"tries,notnull"`
	NextAt    *time.Time `bun:"next_at"`
	FirstAt   *time.Time `bun:"first_at"`
	LastAt    *time.Time `bun:"last_at"`
	Status    int        `bun:"status,notnull"`
	Reason    string     `bun:"reason,notnull,type:text"`
	Receipt   string     `bun:"receipt,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	SettledAt *time.Time `bun:"settled_at"`
}

type attempt20261124 struct {
	bun.BaseModel `bun:"table:exchange_attempts"`

	ID         int64     `bun:"id,pk,autoincrement"`
	DeliveryID int64     `bun:"delivery_id,notnull"`
	Kind       string    `bun:"kind,notnull"`
	Number     int       `bun:"number,notnull"`
	At         time.Time `bun:"at,notnull"`
	TookMS     int64     `bun:"took_ms,notnull"`
	Status     int       `bun:"status,notnull"`
	OK         bool      `bun:"ok,notnull"`
	Reason     string    `bun:"reason,notnull,type:text"`
	Actor      string    `bun:"actor,notnull"`
}

type key20261124 struct {
	bun.BaseModel `bun:"table:exchange_keys"`

	ID        int64      `bun:"id,pk,autoincrement"`
	PartnerID int64      `bun:"partner_id,notnull"`
	Name      string     `bun:"name,notnull"`
	Start     string     `bun:"start,notnull"`
	Hash      string     `bun:"hash,notnull"`
	Scopes    string     `bun:"scopes,notnull,type:text"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	CreatedBy string     `bun:"created_by,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
	RevokedAt *time.Time `bun:"revoked_at"`
	RevokedBy string     `bun:"revoked_by,notnull"`
}

type call20261124 struct {
	bun.BaseModel `bun:"table:exchange_calls"`

	ID        int64     `bun:"id,pk,autoincrement"`
	PartnerID int64     `bun:"partner_id,notnull"`
	KeyID     int64     `bun:"key_id,notnull"`
	Method    string    `bun:"method,notnull"`
	Path      string    `bun:"path,notnull,type:text"`
	Status    int       `bun:"status,notnull"`
	IP        string    `bun:"ip,notnull"`
	At        time.Time `bun:"at,notnull"`
}

type usage20261124 struct {
	bun.BaseModel `bun:"table:exchange_usage"`

	PartnerID int64  `bun:"partner_id,pk"`
	Day       string `bun:"day,pk"`
	Calls     int    `bun:"calls,notnull"`
}

// Migrations are the tables of the module. What is due is found in an index of heads alone, however much is kept.
var Migrations = []database.Migration{{
	ID: "20261124086001_exchange",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*partner20261124)(nil), (*delivery20261124)(nil), (*attempt20261124)(nil),
			(*key20261124)(nil), (*call20261124)(nil), (*usage20261124)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX exchange_partners_code ON exchange_partners (code)",
			"CREATE UNIQUE INDEX exchange_deliveries_event ON exchange_deliveries (partner_id, event_id)",
			"CREATE UNIQUE INDEX exchange_deliveries_stream ON exchange_deliveries (partner_id, object, object_id, seq)",
			"CREATE INDEX exchange_deliveries_due ON exchange_deliveries (partner_id, next_at) WHERE next_at IS NOT NULL",
			"CREATE INDEX exchange_deliveries_open ON exchange_deliveries (partner_id, object, object_id, seq) WHERE settled_at IS NULL",
			"CREATE INDEX exchange_deliveries_waiting ON exchange_deliveries (partner_id, id) WHERE settled_at IS NULL",
			"CREATE INDEX exchange_deliveries_state ON exchange_deliveries (partner_id, state, id)",
			"CREATE INDEX exchange_deliveries_all_state ON exchange_deliveries (state, id)",
			"CREATE INDEX exchange_deliveries_partner ON exchange_deliveries (partner_id, id)",
			"CREATE INDEX exchange_deliveries_settled ON exchange_deliveries (partner_id, settled_at)",
			"CREATE INDEX exchange_deliveries_subject ON exchange_deliveries (subject, id)",
			"CREATE INDEX exchange_attempts_delivery ON exchange_attempts (delivery_id, id)",
			"CREATE UNIQUE INDEX exchange_keys_hash ON exchange_keys (hash)",
			"CREATE INDEX exchange_keys_partner ON exchange_keys (partner_id, id)",
			"CREATE INDEX exchange_calls_partner ON exchange_calls (partner_id, id)",
			"CREATE INDEX exchange_calls_at ON exchange_calls (at)",
		)
	},
}, {
	// With the id the index gives what is due in the very order it is asked in: while thousands waited, PostgreSQL looked at each
	// of them and sorted them to find the first.
	ID: "20261201030001_exchange_due",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"DROP INDEX exchange_deliveries_due",
			"CREATE INDEX exchange_deliveries_due ON exchange_deliveries (partner_id, next_at, id) WHERE next_at IS NOT NULL",
		)
	},
}}
