package enterprise

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// addWorths says of every source what it is worth for the groups that came with the sections of justice, penalties, social
// insurance, tax and intellectual property; what people have said of the others stays.
func addWorths(ctx context.Context, tx bun.Tx) error {
	rows := map[string]string{}
	err := database.Each(ctx, tx, func(r *sql.Rows) error {
		var code, worths string
		err := r.Scan(&code, &worths)
		rows[code] = worths
		return err
	}, "SELECT code, worths FROM enterprise_sources")
	if err != nil {
		return err
	}
	for code, raw := range rows {
		worths := laterWorths(Source(code))
		maps.Copy(worths, worthsOf(raw))
		text, err := json.Marshal(worths)
		if err != nil {
			return err
		}
		if _, err := database.Run(ctx, tx, "UPDATE enterprise_sources SET worths = ? WHERE code = ?", string(text), code); err != nil {
			return err
		}
	}
	return nil
}

// gradesApart moves the grades of tax credit out of the titles, where they were one among others, into a field of their own:
// who said it, of which day and when it was recorded stay. A grade that had run out on the day of its fact is not moved on.
func gradesApart(ctx context.Context, tx bun.Tx) error {
	for after := int64(0); ; {
		var rows []Fact
		err := tx.NewSelect().Model(&rows).Where("f.field = 'qualification' AND f.value LIKE '%\"tax\\_%' ESCAPE '\\' AND f.id > ?", after).OrderExpr("f.id").Limit(500).Scan(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].ID
		var grades []Fact
		for _, x := range rows {
			var rest []Holding
			for _, h := range holdingsOf(x) {
				m, moved := movedTitles[h.Code]
				switch {
				case !moved:
					rest = append(rest, h)
				case x.Source != settled && (h.To == "" || h.To >= x.AsOf.Format(time.DateOnly)):
					g := NewFact(m.Field, m.Code, x.Source, x.AsOf)
					g.EnterpriseID, g.SourceName, g.RecordedAt, g.RecordedBy = x.EnterpriseID, x.SourceName, x.RecordedAt, x.RecordedBy
					grades = append(grades, g)
				}
			}
			if rest == nil {
				rest = []Holding{}
			}
			text, err := json.Marshal(rest)
			if err != nil {
				return err
			}
			if _, err := database.Run(ctx, tx, "UPDATE enterprise_facts SET value = ? WHERE id = ?", string(text), x.ID); err != nil {
				return err
			}
		}
		if len(grades) == 0 {
			continue
		}
		if _, err := tx.NewInsert().Model(&grades).ExcludeColumn("id").Exec(ctx); err != nil {
			return err
		}
	}
}
