package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type evidenceRule20261129 struct {
	bun.BaseModel `bun:"table:ticket_evidence_rules"`

	Type    string     `bun:"type_code,pk"`
	Items   string     `bun:"items,notnull,type:text"`
	Version int64      `bun:"version,notnull"`
	SetAt   *time.Time `bun:"set_at"`
	SetBy   string     `bun:"set_by,notnull"`
}

type evidence20261129 struct {
	bun.BaseModel `bun:"table:ticket_evidence"`

	ID       int64      `bun:"id,pk,autoincrement"`
	TicketID int64      `bun:"ticket_id,notnull"`
	Round    int        `bun:"round,notnull"`
	Item     string     `bun:"item_code,notnull"`
	Name     string     `bun:"item_name,notnull"`
	Text     string     `bun:"text,notnull,type:text"`
	FileID   *int64     `bun:"file_id"`
	UnitName string     `bun:"unit_name,notnull"`
	State    string     `bun:"state,notnull"`
	Reason   string     `bun:"reason,notnull"`
	JudgedBy string     `bun:"judged_by,notnull"`
	JudgedAt *time.Time `bun:"judged_at"`
	At       time.Time  `bun:"at,notnull"`
	Gone     bool       `bun:"gone,notnull"`
}

type expire20261129 struct {
	bun.BaseModel `bun:"table:ticket_expire_rules"`

	ID      int64      `bun:"id,pk,autoincrement"`
	Name    string     `bun:"name,notnull"`
	State   string     `bun:"state,notnull"`
	Days    int        `bun:"days,notnull"`
	Action  string     `bun:"action,notnull"`
	Reason  string     `bun:"reason,notnull"`
	Enabled bool       `bun:"enabled,notnull"`
	Version int64      `bun:"version,notnull"`
	SetAt   *time.Time `bun:"set_at"`
	SetBy   string     `bun:"set_by,notnull"`
}

type act20261129 struct {
	bun.BaseModel `bun:"table:ticket_expire_acts"`

	ID            int64      `bun:"id,pk,autoincrement"`
	RuleID        int64      `bun:"rule_id,notnull"`
	RuleVersion   int64      `bun:"rule_version,notnull"`
	RuleName      string     `bun:"rule_name,notnull"`
	Action        string     `bun:"action,notnull"`
	TicketID      int64      `bun:"ticket_id,notnull"`
	TicketVersion int64      `bun:"ticket_version,notnull"`
	Number        string     `bun:"number,notnull"`
	Since         time.Time  `bun:"since,notnull"`
	At            time.Time  `bun:"at,notnull"`
	UndoneAt      *time.Time `bun:"undone_at"`
}

// evidenceStep brings the evidence asked for with replies.
var evidenceStep = database.Migration{
	ID: "20261129074000_ticket_evidence",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*evidenceRule20261129)(nil), (*evidence20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE INDEX ticket_evidence_ticket ON ticket_evidence (ticket_id, id)")
	},
}

// partEvidenceStep tells what a part of the work showed from what the reply to the ticket showed.
var partEvidenceStep = database.Migration{
	ID: "20261130130100_ticket_part_evidence",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE ticket_evidence ADD COLUMN hop_id BIGINT NOT NULL DEFAULT 0",
			"CREATE INDEX ticket_evidence_hop ON ticket_evidence (hop_id) WHERE hop_id <> 0")
	},
}

// expireStep brings timed closing. What takes nothing from anybody is on; an installation turns the others on itself. Tickets of
// before begin to wait when their last event happened.
var expireStep = database.Migration{
	ID: "20261129075000_ticket_expire",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*expire20261129)(nil), (*act20261129)(nil)); err != nil {
			return err
		}
		if err := database.ByDialect(ctx, tx, []string{"ALTER TABLE tickets ADD COLUMN moved_at TIMESTAMP"}, []string{"ALTER TABLE tickets ADD COLUMN moved_at timestamptz"}); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"UPDATE tickets SET moved_at = (SELECT max(e.at) FROM events AS e WHERE e.object = 'ticket' AND e.object_id = tickets.id) WHERE status NOT IN ('closed', 'archived', 'voided')",
			"CREATE INDEX tickets_moved ON tickets (status, moved_at, id) WHERE moved_at IS NOT NULL",
			"CREATE UNIQUE INDEX ticket_expire_acts_once ON ticket_expire_acts (rule_id, ticket_id, ticket_version)",
			"CREATE INDEX ticket_expire_acts_ticket ON ticket_expire_acts (ticket_id)",
		); err != nil {
			return err
		}
		rules := []expire20261129{
			{Name: "挂起后未补充材料", State: "suspended", Days: 15, Action: "close", Reason: "通知补充材料后 15 个工作日未补充，按规定办结；需要继续办理的，可重新提交诉求。", Enabled: true},
			{Name: "回访多次未接通", State: "unreached", Days: 0, Action: "close", Reason: "按规定次数回访均未接通。", Enabled: true},
			{Name: "未抽中回访且无异议", State: "spared", Days: 3, Action: "close", Reason: "反馈后 3 个工作日内企业没有提出异议。", Enabled: true},
			{Name: "派单后长期未签收", State: "dispatched", Days: 3, Action: "recall", Reason: "派单后 3 个工作日未签收，收回重新派单。"},
			{Name: "办理中长期无进展", State: "signed", Days: 10, Action: "remind", Reason: "签收后 10 个工作日没有进展，请尽快办理并反馈。"},
			{Name: "待处理积压", State: "received", Days: 2, Action: "report", Reason: "受理后 2 个工作日没有处理。"},
		}
		for i := range rules {
			rules[i].Version = 1
		}
		_, err := tx.NewInsert().Model(&rules).ExcludeColumn("id").Exec(ctx)
		return err
	},
}
