package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type asked20261129 struct {
	bun.BaseModel `bun:"table:policy_outcome_asked"`

	PolicyID     int64     `bun:"policy_id,pk"`
	EnterpriseID int64     `bun:"enterprise_id,pk"`
	FirstAt      time.Time `bun:"first_at,notnull"`
	LastAt       time.Time `bun:"last_at,notnull"`
}

// upOutcome adds which companies asked how a policy fits them, from the answers that are kept, and the answers of a person.
func upOutcome(ctx context.Context, tx bun.Tx) error {
	if err := database.CreateTables(ctx, tx, (*asked20261129)(nil)); err != nil {
		return err
	}
	if err := database.Exec(ctx, tx, "CREATE INDEX policy_answers_user ON policy_answers (user_id, id)"); err != nil {
		return err
	}
	for after := int64(0); ; {
		var rows []answer20261129
		err := tx.NewSelect().Model(&rows).Column("id", "enterprise_id", "editions", "at", "seen_at").Where("id > ? AND kind = 'own' AND one", after).OrderExpr("id").Limit(500).Scan(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after = r.ID
			var of [][2]int64
			if err := json.Unmarshal([]byte(r.Editions), &of); err != nil {
				return fmt.Errorf("answer %d: %w", r.ID, err)
			}
			for _, p := range of {
				row := &asked20261129{PolicyID: p[0], EnterpriseID: r.EnterpriseID, FirstAt: r.At, LastAt: r.SeenAt}
				if _, err := tx.NewInsert().Model(row).On("CONFLICT (policy_id, enterprise_id) DO UPDATE").Set("last_at = EXCLUDED.last_at").Exec(ctx); err != nil {
					return err
				}
			}
		}
	}
}
