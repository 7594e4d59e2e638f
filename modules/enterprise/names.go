package enterprise

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// What a company is registered as and may change.
const (
	whatName   = "name"
	whatPerson = "legalPerson"
)

var whatLabels = map[string]string{whatName: "企业名称", whatPerson: "法定代表人"}

// held is a name a company has or had (曾用名), or who stands or stood for it, from when and until when. A company that never
// changed has none.
type held struct {
	bun.BaseModel `bun:"table:enterprise_names,alias:nm"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	What         string     `bun:"what,notnull"`
	Name         string     `bun:"name,notnull"`
	StartedAt    time.Time  `bun:"started_at,notnull"`
	EndedAt      *time.Time `bun:"ended_at"` // nil of the present one
	// By is what confirmed it: registry or review; ByName is the reviewer, AttemptID the request, 0 of the first one.
	By        string `bun:"confirmed_by,notnull"`
	ByName    string `bun:"confirmed_name,notnull"`
	AttemptID int64  `bun:"attempt_id,notnull"`
}

// NameView is a name, or a legal person, in the history of a company.
type NameView struct {
	Name   string     `json:"name"`
	From   time.Time  `json:"from"`
	Until  *time.Time `json:"until,omitempty" doc:"Absent of the present one."`
	How    string     `json:"how" doc:"How it was confirmed, in words."`
	ByName string     `json:"byName,omitempty"` // the reviewer, to staff
}

var howNames = map[string]string{byRegistry: "登记系统核验一致", byReview: "人工审核营业执照"}

// keepHeld ends what a company has and begins what is new. Two at once meet at the index of what is present.
func keepHeld(ctx context.Context, tx bun.Tx, e *Enterprise, fresh held) error {
	res, err := tx.NewUpdate().Model((*held)(nil)).Set("ended_at = ?", fresh.StartedAt).Where("enterprise_id = ? AND what = ? AND ended_at IS NULL", e.ID, fresh.What).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end %s of enterprise %d: %w", fresh.What, e.ID, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	var rows []held
	if n == 0 {
		first, err := firstHeld(ctx, tx, e, fresh.What)
		if err != nil {
			return err
		}
		if first.Name != "" { // a register need not tell who stands for a company
			first.EndedAt = &fresh.StartedAt
			rows = append(rows, first)
		}
	}
	fresh.EnterpriseID = e.ID
	rows = append(rows, fresh)
	if _, err := tx.NewInsert().Model(&rows).ExcludeColumn("id").Exec(ctx); err != nil {
		return fmt.Errorf("%s of enterprise %d: %w", fresh.What, e.ID, err)
	}
	return nil
}

// firstHeld is what a company was verified as.
func firstHeld(ctx context.Context, db bun.IDB, e *Enterprise, what string) (held, error) {
	first := held{EnterpriseID: e.ID, What: what, Name: e.Name, StartedAt: e.CreatedAt}
	if what == whatPerson {
		first.Name = e.LegalPerson
	}
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
func namesOf(ctx context.Context, db bun.IDB, ids ...int64) (map[int64][]held, error) {
	return heldOf(ctx, db, whatName, ids...)
}

func heldOf(ctx context.Context, db bun.IDB, what string, ids ...int64) (map[int64][]held, error) {
	out := map[int64][]held{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []held
	err := db.NewSelect().Model(&rows).Where("nm.enterprise_id IN (?) AND nm.what = ?", bun.List(ids), what).OrderExpr("nm.id DESC").Scan(ctx)
	for _, r := range rows {
		out[r.EnterpriseID] = append(out[r.EnterpriseID], r)
	}
	return out, err
}

// former are the names a company had before, the newest first, without the one it took again.
func former(list []held, present string) []string {
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

// nameViews tells what a company was registered as; only staff learn who reviewed.
func nameViews(list []held, staff bool) []NameView {
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
