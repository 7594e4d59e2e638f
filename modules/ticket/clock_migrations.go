package ticket

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type clock20261129 struct {
	bun.BaseModel `bun:"table:ticket_clocks"`

	ID          int64      `bun:"id,pk,autoincrement"`
	TicketID    int64      `bun:"ticket_id,notnull"`
	HopID       *int64     `bun:"hop_id"`
	UnitID      *int64     `bun:"unit_id"`
	Kind        string     `bun:"kind,notnull"`
	StartedAt   time.Time  `bun:"started_at,notnull"`
	Amount      int        `bun:"amount,notnull"`
	Unit        string     `bun:"unit,notnull"`
	WarnPercent int        `bun:"warn_percent,notnull"`
	ExtraDays   int        `bun:"extra_days,notnull"`
	Follows     bool       `bun:"follows,notnull"`
	Calendar    int64      `bun:"calendar,notnull"`
	DueAt       time.Time  `bun:"due_at,notnull"`
	WarnAt      *time.Time `bun:"warn_at"`
	Pauses      string     `bun:"pauses,notnull,type:text"`
	Paused      bool       `bun:"paused,notnull"`
	NextAt      *time.Time `bun:"next_at"`
	WarnedAt    *time.Time `bun:"warned_at"`
	BreachedAt  *time.Time `bun:"breached_at"`
	Rung        int        `bun:"rung,notnull"`
	StoppedAt   *time.Time `bun:"stopped_at"`
	Verdict     string     `bun:"verdict,notnull"`
}

type budget20261129 struct {
	bun.BaseModel `bun:"table:ticket_budgets"`

	ID          int64      `bun:"id,pk,autoincrement"`
	Type        string     `bun:"type_code,notnull"`
	Urgency     string     `bun:"urgency,notnull"`
	Kind        string     `bun:"kind,notnull"`
	Amount      int        `bun:"amount,notnull"`
	Unit        string     `bun:"unit,notnull"`
	WarnPercent int        `bun:"warn_percent,notnull"`
	Version     int64      `bun:"version,notnull"`
	SetAt       *time.Time `bun:"set_at"`
	SetBy       string     `bun:"set_by,notnull"`
}

type rung20261129 struct {
	bun.BaseModel `bun:"table:ticket_rungs"`

	Step    int    `bun:"step,pk"`
	Name    string `bun:"name,notnull"`
	Amount  int    `bun:"amount,notnull"`
	Unit    string `bun:"unit,notnull"`
	Leaders bool   `bun:"leaders,notnull"`
}

type stamp20261129 struct {
	bun.BaseModel `bun:"table:ticket_clock_stamps"`

	ID       int64 `bun:"id,pk"`
	Budgets  int64 `bun:"budgets,notnull"`
	Calendar int64 `bun:"calendar,notnull"`
}

// defaults20261129 are the published numbers (GB/T 33358-2016 and the drafts beside it): an emergency in two hours, water,
// power, gas and heat in 24, anything else in seven days; signed within a working day and handled within five; a reminder
// answered within four working hours, an urgent one within one.
var defaults20261129 = []budget20261129{
	{Kind: "public", Amount: 7 * 24 * 60, Unit: "clock_minutes", WarnPercent: 75},
	{Kind: "public", Urgency: "urgent", Amount: 24 * 60, Unit: "clock_minutes", WarnPercent: 75},
	{Kind: "public", Urgency: "critical", Amount: 2 * 60, Unit: "clock_minutes", WarnPercent: 50},
	{Kind: "sign", Amount: 1, Unit: "working_days", WarnPercent: 75},
	{Kind: "sign", Urgency: "urgent", Amount: 2 * 60, Unit: "clock_minutes", WarnPercent: 75},
	{Kind: "sign", Urgency: "critical", Amount: 60, Unit: "clock_minutes", WarnPercent: 50},
	{Kind: "handle", Amount: 5, Unit: "working_days", WarnPercent: 75},
	{Kind: "handle", Urgency: "urgent", Amount: 24 * 60, Unit: "clock_minutes", WarnPercent: 75},
	{Kind: "handle", Urgency: "critical", Amount: 2 * 60, Unit: "clock_minutes", WarnPercent: 50},
	{Kind: "urge", Amount: 4 * 60, Unit: "working_minutes"},
	{Kind: "urge", Urgency: "urgent", Amount: 60, Unit: "working_minutes"},
	{Kind: "urge", Urgency: "critical", Amount: 60, Unit: "clock_minutes"},
}

// clockStep adds the clocks. What was open before keeps the deadline it had, as a budget of clock time.
var clockStep = database.Migration{
	ID: "20261129010000_ticket_clocks",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*clock20261129)(nil), (*budget20261129)(nil), (*rung20261129)(nil), (*stamp20261129)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE INDEX ticket_clocks_ticket ON ticket_clocks (ticket_id, id)",
			"CREATE INDEX ticket_clocks_next ON ticket_clocks (next_at) WHERE next_at IS NOT NULL",
			"CREATE INDEX ticket_clocks_calendar ON ticket_clocks (calendar, id) WHERE stopped_at IS NULL",
			"CREATE UNIQUE INDEX ticket_budgets_what ON ticket_budgets (type_code, urgency, kind)",
			"ALTER TABLE tickets ADD COLUMN alert VARCHAR NOT NULL DEFAULT ''",
			"CREATE INDEX tickets_alert ON tickets (alert, id) WHERE alert <> ''",
		); err != nil {
			return err
		}
		budgets := slices.Clone(defaults20261129)
		for i := range budgets {
			budgets[i].Version = 1
		}
		rungs := []rung20261129{
			{Step: 1, Name: "催办", Unit: "working_days"},
			{Step: 2, Name: "催办通知书", Amount: 1, Unit: "working_days", Leaders: true},
			{Step: 3, Name: "督办通知书", Amount: 6, Unit: "working_days", Leaders: true},
		}
		if _, err := tx.NewInsert().Model(&budgets).ExcludeColumn("id").Exec(ctx); err != nil {
			return err
		}
		for _, rows := range []any{&rungs, &stamp20261129{ID: 1, Budgets: 1}} {
			if _, err := tx.NewInsert().Model(rows).Exec(ctx); err != nil {
				return err
			}
		}
		const columns = "(ticket_id, hop_id, unit_id, kind, started_at, amount, unit, warn_percent, extra_days, follows, calendar, due_at, pauses, paused, next_at, rung, verdict)"
		minutes := func(from, due string) string { // the only way to a span of time is each database's own
			if database.KindOf(tx) == database.Postgres {
				return "greatest(1, round(extract(epoch FROM " + due + " - " + from + ") / 60)::bigint)"
			}
			return "max(1, CAST(round((julianday(" + due + ") - julianday(" + from + ")) * 1440) AS INTEGER))"
		}
		return database.Exec(ctx, tx,
			"INSERT INTO ticket_clocks "+columns+" SELECT t.id, NULL, NULL, 'public', t.created_at, "+minutes("t.created_at", "t.due_at")+
				", 'clock_minutes', 0, 0, FALSE, 0, t.due_at, '[]', FALSE, t.due_at, 0, '' FROM tickets AS t WHERE t.status IN ('received', 'dispatched', 'signed', 'replied', 'callback') ORDER BY t.id",
			"INSERT INTO ticket_clocks "+columns+" SELECT h.ticket_id, h.id, h.unit_id, CASE WHEN h.state = 'dispatched' THEN 'sign' ELSE 'handle' END, coalesce(h.signed_at, h.sent_at), "+
				minutes("coalesce(h.signed_at, h.sent_at)", "h.due_at")+
				", 'clock_minutes', 0, 0, FALSE, 0, h.due_at, '[]', FALSE, h.due_at, 0, '' FROM ticket_hops AS h WHERE h.state IN ('dispatched', 'signed') ORDER BY h.id")
	},
}

// returnStep makes the time in which a unit may ask to give a ticket back a budget; what it was before holds for all.
var returnStep = database.Migration{
	ID: "20261129112000_ticket_return_window",
	Up: func(ctx context.Context, tx bun.Tx) error {
		window := budget20261129{Kind: "return", Amount: 4 * 60, Unit: "working_minutes", Version: 1}
		_, err := tx.NewInsert().Model(&window).ExcludeColumn("id").Exec(ctx)
		return err
	},
}
