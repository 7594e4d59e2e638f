package institution

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

func find(ctx context.Context, db bun.IDB, s scope, id int64) (*Institution, error) {
	i := new(Institution)
	if err := db.NewSelect().Model(i).Where("i.id = ?", id).Where(s.where, s.args...).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return i, nil
}

// list reads a page, newest first.
func list(ctx context.Context, db bun.IDB, s scope, f ListFilter, before int64, limit int) ([]Institution, error) {
	var rows []Institution
	q := db.NewSelect().Model(&rows).Where(s.where, s.args...).OrderExpr("i.id DESC").Limit(int64(limit))
	if f.Kind != "" {
		q = q.Where("i.kind = ?", f.Kind)
	}
	if f.Status != "" {
		q = q.Where("i.status = ?", f.Status)
	}
	if f.Query != "" {
		q = q.Where("lower(i.name) LIKE lower(?) ESCAPE '\\'", "%"+like.Replace(f.Query)+"%")
	}
	if before > 0 {
		q = q.Where("i.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("list institutions: %w", err)
	}
	return rows, nil
}

// like makes what somebody typed mean itself in a pattern.
var like = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// save writes what a command may change, if the institution is still at the version that was read.
func save(ctx context.Context, tx bun.Tx, i *Institution, read int64) error {
	i.Version = read + 1
	return database.Changed(tx.NewUpdate().Model(i).ExcludeColumn("id", "created_at").Where("id = ? AND version = ?", i.ID, read).Exec(ctx))
}
