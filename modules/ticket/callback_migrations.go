package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type callback20261129 struct {
	bun.BaseModel `bun:"table:ticket_callbacks"`

	ID           int64      `bun:"id,pk,autoincrement"`
	TicketID     int64      `bun:"ticket_id,notnull"`
	Round        int        `bun:"round,notnull"`
	State        string     `bun:"state,notnull"`
	Type         string     `bun:"type_code,notnull"`
	Rank         int        `bun:"rank,notnull"`
	Sampled      bool       `bun:"sampled,notnull"`
	DueAt        time.Time  `bun:"due_at,notnull"`
	NextAt       time.Time  `bun:"next_at,notnull"`
	Attempts     int        `bun:"attempts,notnull"`
	ClaimedBy    *int64     `bun:"claimed_by"`
	ClaimedName  string     `bun:"claimed_name,notnull,default:''"`
	ClaimedUntil *time.Time `bun:"claimed_until"`
	Result       string     `bun:"result,notnull,default:''"`
	Source       string     `bun:"source,notnull,default:''"`
	Responded    *bool      `bun:"responded"`
	Solved       *bool      `bun:"solved"`
	Level        int        `bun:"level,notnull,default:0"`
	Tags         string     `bun:"tags,notnull,default:'[]'"`
	Words        string     `bun:"words,notnull,type:text,default:''"`
	ByID         *int64     `bun:"by_id"`
	ByName       string     `bun:"by_name,notnull,default:''"`
	DoneAt       *time.Time `bun:"done_at"`
	CreatedAt    time.Time  `bun:"created_at,notnull"`
}

type attempt20261129 struct {
	bun.BaseModel `bun:"table:ticket_callback_attempts"`

	ID         int64      `bun:"id,pk,autoincrement"`
	CallbackID int64      `bun:"callback_id,notnull"`
	TicketID   int64      `bun:"ticket_id,notnull"`
	At         time.Time  `bun:"at,notnull"`
	Result     string     `bun:"result,notnull"`
	Source     string     `bun:"source,notnull"`
	Note       string     `bun:"note,notnull,type:text"`
	ByID       *int64     `bun:"by_id"`
	ByName     string     `bun:"by_name,notnull"`
	NextAt     *time.Time `bun:"next_at"`
	Undone     bool       `bun:"undone,notnull"`
}

type plan20261129 struct {
	bun.BaseModel `bun:"table:ticket_callback_plans"`

	Type         string     `bun:"type_code,pk"`
	Share        int        `bun:"share,notnull"`
	Attempts     int        `bun:"attempts,notnull"`
	RetryMinutes int        `bun:"retry_minutes,notnull"`
	Script       string     `bun:"script,notnull,type:text"`
	Version      int64      `bun:"version,notnull"`
	SetAt        *time.Time `bun:"set_at"`
	SetBy        string     `bun:"set_by,notnull"`
}

// callbackStep brings the call-backs. Tickets that wait for one at that time get their row, due at once.
var callbackStep = database.Migration{
	ID: "20261129070000_ticket_callbacks",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*callback20261129)(nil), (*attempt20261129)(nil), (*plan20261129)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX ticket_callbacks_round ON ticket_callbacks (ticket_id, round)",
			"CREATE INDEX ticket_callbacks_queue ON ticket_callbacks (state, rank, next_at, id)",
			"CREATE INDEX ticket_callbacks_done ON ticket_callbacks (id) WHERE state = 'done'",
			"CREATE INDEX ticket_callback_attempts_ticket ON ticket_callback_attempts (ticket_id, id)",
		); err != nil {
			return err
		}
		general := plan20261129{Share: 100, Attempts: 3, RetryMinutes: 240, Version: 1,
			Script: "您好，这里是惠企服务热线。您反映的诉求，承办单位已经反馈办理结果，现就办理情况作回访。\n1. 承办单位是否主动联系过您？\n2. 您反映的问题是否得到解决？\n3. 您对办理结果是否满意（非常满意、满意、基本满意、不满意、非常不满意）？\n4. 您还有什么意见和建议？\n感谢您的支持，再见。"}
		if _, err := tx.NewInsert().Model(&general).Exec(ctx); err != nil {
			return err
		}
		return database.Exec(ctx, tx, `INSERT INTO ticket_callbacks (ticket_id, round, state, type_code, rank, sampled, due_at, next_at, attempts, created_at)
			SELECT t.id, t.round, 'open', t.type_code, CASE WHEN t.urgency <> 'normal' OR t.round > 0 THEN 0 ELSE 1 END, TRUE, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, 0, CURRENT_TIMESTAMP
			FROM tickets AS t WHERE t.status IN ('reviewed', 'callback') OR t.status = 'replied' AND NOT t.review_due`)
	},
}
