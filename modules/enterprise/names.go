package enterprise

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// heldName is a name a company has or had (曾用名), from when and until when. A company that never changed its name has none.
type heldName struct {
	bun.BaseModel `bun:"table:enterprise_names,alias:nm"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Name         string     `bun:"name,notnull"`
	StartedAt    time.Time  `bun:"started_at,notnull"`
	EndedAt      *time.Time `bun:"ended_at"` // nil of the present one
	// By is what confirmed the name: registry or review; ByName is the reviewer, AttemptID the request, 0 of the first name.
	By        string `bun:"confirmed_by,notnull"`
	ByName    string `bun:"confirmed_name,notnull"`
	AttemptID int64  `bun:"attempt_id,notnull"`
}

// NameView is a name in the history of a company.
type NameView struct {
	Name   string     `json:"name"`
	From   time.Time  `json:"from"`
	Until  *time.Time `json:"until,omitempty" doc:"Absent of the present name."`
	How    string     `json:"how" doc:"How the name was confirmed, in words."`
	ByName string     `json:"byName,omitempty"` // the reviewer, to staff
}

var howNames = map[string]string{byRegistry: "登记系统核验一致", byReview: "人工审核营业执照"}

// keepNames ends the present name of a company and begins the new one. Two at once meet at the index of present names.
func keepNames(ctx context.Context, tx bun.Tx, e *Enterprise, name, by, byName string, attemptID int64, now time.Time) error {
	res, err := tx.NewUpdate().Model((*heldName)(nil)).Set("ended_at = ?", now).Where("enterprise_id = ? AND ended_at IS NULL", e.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end name of enterprise %d: %w", e.ID, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	var rows []heldName
	if n == 0 {
		first, err := firstName(ctx, tx, e)
		if err != nil {
			return err
		}
		first.EndedAt = &now
		rows = append(rows, first)
	}
	rows = append(rows, heldName{EnterpriseID: e.ID, Name: name, StartedAt: now, By: by, ByName: byName, AttemptID: attemptID})
	if _, err := tx.NewInsert().Model(&rows).ExcludeColumn("id").Exec(ctx); err != nil {
		return fmt.Errorf("name of enterprise %d: %w", e.ID, err)
	}
	return nil
}

// firstName is the name a company was verified under.
func firstName(ctx context.Context, db bun.IDB, e *Enterprise) (heldName, error) {
	first := heldName{EnterpriseID: e.ID, Name: e.Name, StartedAt: e.CreatedAt}
	if e.VerifiedAt != nil {
		first.StartedAt = *e.VerifiedAt
	}
	var rows []Attempt
	err := db.NewSelect().Model(&rows).Where("v.enterprise_id = ? AND v.kind IN (?, ?) AND v.outcome IN (?, ?)", e.ID, byRegistry, byReview, Agreed, Approved).
		OrderExpr("v.id DESC").Limit(1).Scan(ctx)
	if len(rows) > 0 {
		first.By, first.ByName = rows[0].Kind, rows[0].ReviewerName
	}
	return first, err
}

// namesOf lists the names of companies, the newest first.
func namesOf(ctx context.Context, db bun.IDB, ids ...int64) (map[int64][]heldName, error) {
	out := map[int64][]heldName{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []heldName
	err := db.NewSelect().Model(&rows).Where("nm.enterprise_id IN (?)", bun.List(ids)).OrderExpr("nm.id DESC").Scan(ctx)
	for _, r := range rows {
		out[r.EnterpriseID] = append(out[r.EnterpriseID], r)
	}
	return out, err
}

// former are the names a company had before, the newest first, without the one it took again.
func former(list []heldName, present string) []string {
	var out []string
	seen := map[string]bool{present: true}
	for _, n := range list {
		if !seen[n.Name] {
			seen[n.Name] = true
			out = append(out, n.Name)
		}
	}
	return out
}

// withFormer adds their former names to companies of a list.
func withFormer(ctx context.Context, db bun.IDB, items []Item) error {
	ids := make([]int64, 0, len(items))
	for _, i := range items {
		ids = append(ids, i.ID)
	}
	names, err := namesOf(ctx, db, ids...)
	for i := range items {
		items[i].FormerNames = former(names[items[i].ID], items[i].Name)
	}
	return err
}

// nameViews tells the names of a company; only staff learn who reviewed.
func nameViews(list []heldName, staff bool) []NameView {
	out := make([]NameView, 0, len(list))
	for _, n := range list {
		v := NameView{Name: n.Name, From: n.StartedAt.UTC(), Until: utc(n.EndedAt), How: howNames[n.By]}
		if v.How == "" {
			v.How = "认证前登记"
		}
		if staff {
			v.ByName = n.ByName
		}
		out = append(out, v)
	}
	return out
}
