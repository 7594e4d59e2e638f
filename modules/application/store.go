package application

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

type fileRow struct {
	bun.BaseModel `bun:"table:application_files"`

	ApplicationID int64  `bun:"application_id,pk"`
	FileID        int64  `bun:"file_id,pk"`
	Seq           int64  `bun:"seq,notnull"`
	Kind          string `bun:"kind,notnull"`
}

type draftRow struct {
	bun.BaseModel `bun:"table:application_drafts,alias:d"`

	UserID          int64     `bun:"user_id,pk"`
	EnterpriseID    int64     `bun:"enterprise_id,pk"`
	ProductID       int64     `bun:"product_id,pk"`
	ProductName     string    `bun:"product_name,notnull"`
	KindName        string    `bun:"kind_name,notnull"`
	Lends           bool      `bun:"lends,notnull"`
	InstitutionName string    `bun:"institution_name,notnull"`
	Sealed          string    `bun:"sealed,notnull"`
	SavedAt         time.Time `bun:"saved_at,notnull"`
}

// find reads one application the scope lets through.
func find(ctx context.Context, db bun.IDB, s scope, id int64) (*Application, error) {
	a := new(Application)
	err := s.narrow(db.NewSelect().Model(a).Where("a.id = ?", id)).Limit(1).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	return a, nil
}

// hold is find for a command: on PostgreSQL nobody else changes the application until the transaction ends.
func hold(ctx context.Context, tx bun.Tx, s scope, id int64) (*Application, error) {
	a := new(Application)
	q := s.narrow(tx.NewSelect().Model(a).Where("a.id = ?", id))
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return a, nil
}

// openOf finds the application of a company for a product that has not ended.
func openOf(ctx context.Context, db bun.IDB, enterpriseID, productID int64) (*Application, error) {
	a := new(Application)
	err := db.NewSelect().Model(a).Where("a.enterprise_id = ? AND a.product_id = ? AND a.closed_at IS NULL", enterpriseID, productID).Limit(1).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	return a, nil
}

// position is where a page of a list ended.
type position struct {
	id  int64
	due time.Time // only in the order of deadlines
}

func (p position) String() string {
	if p.due.IsZero() {
		return strconv.FormatInt(p.id, 10)
	}
	return fmt.Sprintf("%d.%d", p.due.UnixMicro(), p.id)
}

func parsePosition(cursor string, byDue bool) (position, error) {
	bad := fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	due, id, found := strings.Cut(cursor, ".")
	if !found {
		due, id = "", cursor
	}
	var p position
	var err error
	if p.id, err = strconv.ParseInt(id, 10, 64); err != nil || p.id <= 0 || found != byDue {
		return p, bad
	}
	if byDue {
		micro, err := strconv.ParseInt(due, 10, 64)
		if err != nil {
			return p, bad
		}
		p.due = time.UnixMicro(micro).UTC()
	}
	return p, nil
}

// list reads a page: newest first, or the nearest deadline first; one query per status, merged, so that each walks one
// index in order.
func list(ctx context.Context, db bun.IDB, s scope, f ListFilter, after *position, limit int) ([]Application, error) {
	var out []Application
	for _, status := range f.each() {
		var rows []Application
		q := f.narrow(s.narrow(db.NewSelect().Model(&rows).Column(f.columns...)).Limit(int64(limit)), status)
		if f.byDue() {
			q = q.OrderExpr("a.due_at, a.id")
			if after != nil {
				q = q.Where("(a.due_at > ? OR (a.due_at = ? AND a.id > ?))", after.due, after.due, after.id)
			}
		} else {
			q = q.OrderExpr("a.id DESC")
			if after != nil {
				q = q.Where("a.id < ?", after.id)
			}
		}
		if err := q.Scan(ctx); err != nil {
			return nil, fmt.Errorf("list applications: %w", err)
		}
		out = append(out, rows...)
	}
	slices.SortFunc(out, func(x, y Application) int {
		if f.byDue() {
			return cmp.Or(x.Due.At.Compare(y.Due.At), cmp.Compare(x.ID, y.ID))
		}
		return cmp.Compare(y.ID, x.ID)
	})
	return out[:min(limit, len(out))], nil
}

// number draws the next number of the day.
func number(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
	day := now.In(clock.Beijing).Format("20060102")
	n, err := database.NextOfDay(ctx, tx, "application_numbers", day)
	if err != nil {
		return "", fmt.Errorf("number an application: %w", err)
	}
	return fmt.Sprintf("SQ%s-%06d", day, n), nil
}

// changing are the columns that commands change.
var changing = append([]string{"status", "resume", "version", "handler_id", "handler_name", "accepted_at", "closed_at", "reason", "approved_amount", "approved_rate",
	"approved_term", "disbursed_amount", "disbursed_at", "accept_minutes", "total_minutes", "plan", "delivered_at", "diligences", "approved_at", "payments"}, dueColumns...)

// save writes what a command may change, if the application is still at the version that was read.
func save(ctx context.Context, tx bun.Tx, a *Application, read int64) error {
	a.Version = read + 1
	return database.Changed(tx.NewUpdate().Model(a).
		Column(changing...).
		Where("id = ? AND version = ?", a.ID, read).Exec(ctx))
}

func findDraft(ctx context.Context, db bun.IDB, userID, enterpriseID, productID int64) (*draftRow, error) {
	r := new(draftRow)
	err := db.NewSelect().Model(r).Where("d.user_id = ? AND d.enterprise_id = ? AND d.product_id = ?", userID, enterpriseID, productID).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	return r, nil
}

func dropDraft(ctx context.Context, tx bun.Tx, userID, enterpriseID, productID int64) (bool, error) {
	res, err := tx.NewDelete().Model((*draftRow)(nil)).
		Where("user_id = ? AND enterprise_id = ? AND product_id = ?", userID, enterpriseID, productID).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
