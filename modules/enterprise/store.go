package enterprise

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/uscc"
)

// insert adds a company and its name to the index.
func insert(ctx context.Context, tx bun.Tx, e *Enterprise) error {
	if _, err := tx.NewInsert().Model(e).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return err
	}
	return indexName(ctx, tx, e.ID, e.Name, nil)
}

// fullText holds the names of all companies.
var fullText = search.Index{Kind: "enterprise", Title: "企业", Fields: []search.Field{{Name: "name", Weight: 1}}}

// indexName puts the company's name, and those it had before, where find looks for words.
func indexName(ctx context.Context, tx bun.Tx, id int64, name string, before []string) error {
	return fullText.Put(ctx, tx, nameDoc(id, name, before))
}

func nameDoc(id int64, name string, before []string) search.Doc {
	return search.Doc{ID: id, Texts: []string{strings.Join(append([]string{name}, before...), "\n")}}
}

// SearchSource gives the companies to the rebuild of their full text.
func SearchSource() search.Source {
	return search.Source{Index: fullText, Docs: func(ctx context.Context, db bun.IDB, pick search.Pick) ([]search.Doc, error) {
		var rows []Enterprise
		err := pick(db.NewSelect().Model(&rows).Column("id", "name"), "ent.id").Scan(ctx)
		if err != nil {
			return nil, err
		}
		ids := make([]int64, 0, len(rows))
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		names, err := namesOf(ctx, db, ids...)
		docs := make([]search.Doc, 0, len(rows))
		for _, r := range rows {
			docs = append(docs, nameDoc(r.ID, r.Name, former(names[r.ID], r.Name)))
		}
		return docs, err
	}}
}

// find reads one company the actor may see.
func find(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*Enterprise, error) {
	e := new(Enterprise)
	err := visible(db.NewSelect().Model(e), actor, "ent.id").Where("ent.id = ?", id).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	return e, nil
}

// save writes what a command may change, if the company is still at the version that was read.
func save(ctx context.Context, tx bun.Tx, e *Enterprise) error {
	read := e.Version
	e.Version++
	err := database.Changed(tx.NewUpdate().Model(e).Column("name", "credit_code", "legal_person", "verification", "verified_at", "version").
		Where("id = ? AND version = ?", e.ID, read).Exec(ctx))
	if err != nil {
		return err
	}
	names, err := namesOf(ctx, tx, e.ID)
	if err != nil {
		return err
	}
	return indexName(ctx, tx, e.ID, e.Name, former(names[e.ID], e.Name))
}

// countAttempt takes one of the day's attempts; two at once meet at the row.
func countAttempt(ctx context.Context, tx bun.Tx, id int64, now time.Time) error {
	day := now.In(clock.Beijing).Format("20060102")
	res, err := tx.ExecContext(ctx, `UPDATE enterprises SET asked = CASE WHEN asked_on = ? THEN asked + 1 ELSE 1 END, asked_on = ?
		WHERE id = ? AND (asked_on <> ? OR asked < ?)`, day, day, id, day, MaxAttempts)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return ErrAttempts
	}
	return nil
}

// attemptsLeft is how often the company may still try today.
func (e *Enterprise) attemptsLeft(now time.Time) int {
	if e.AskedOn != now.In(clock.Beijing).Format("20060102") {
		return MaxAttempts
	}
	return max(0, MaxAttempts-e.Asked)
}

// roleOf returns the role of a member, fault.ErrNotFound of a stranger.
func roleOf(ctx context.Context, db bun.IDB, enterpriseID, userID int64) (string, error) {
	var m member
	err := db.NewSelect().Model(&m).Where("m.enterprise_id = ? AND m.user_id = ?", enterpriseID, userID).Scan(ctx)
	return m.Role, database.Found(err)
}

// ownerOf returns the user id of the company's owner, 0 when it has none.
func ownerOf(ctx context.Context, db bun.IDB, enterpriseID int64) (int64, error) {
	var m member
	err := database.Found(db.NewSelect().Model(&m).Where("m.enterprise_id = ? AND m.role = ?", enterpriseID, Owner).OrderExpr("m.user_id").Limit(1).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil
	}
	return m.UserID, err
}

// holder returns the company that holds the code, and whether there is one.
func holder(ctx context.Context, db bun.IDB, code string) (e Enterprise, held bool, err error) {
	err = database.Found(db.NewSelect().Model(&e).Where("ent.credit_code = ?", code).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return e, false, nil
	}
	return e, err == nil, err
}

// findAttempt reads one attempt the actor may see.
func findAttempt(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*Attempt, error) {
	a := new(Attempt)
	err := visible(db.NewSelect().Model(a), actor, "v.enterprise_id").Where("v.id = ?", id).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	return a, nil
}

// saveAttempt writes how an attempt ended, if it is still at the version that was read.
func saveAttempt(ctx context.Context, tx bun.Tx, a *Attempt) error {
	read := a.Version
	a.Version++
	return database.Changed(tx.NewUpdate().Model(a).Column("outcome", "answer", "reason", "settled_at", "reviewer_id", "reviewer_name", "version").
		Where("id = ? AND version = ?", a.ID, read).Exec(ctx))
}

// attemptsOf lists the attempts of a company, newest first.
func attemptsOf(ctx context.Context, db bun.IDB, enterpriseID int64, limit int64) ([]Attempt, error) {
	var rows []Attempt
	err := db.NewSelect().Model(&rows).Where("v.enterprise_id = ?", enterpriseID).OrderExpr("v.id DESC").Limit(limit).Scan(ctx)
	return rows, err
}

// interrupt ends what was asked before and never settled.
func interrupt(ctx context.Context, tx bun.Tx, enterpriseID int64, before, now time.Time) error {
	_, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("outcome = ?", Interrupted).Set("settled_at = ?", now).Set("version = version + 1").
		Where("enterprise_id = ? AND outcome = ? AND asked_at < ?", enterpriseID, Asking, before).Exec(ctx)
	return err
}

// ListFilter narrows the list of companies.
type ListFilter struct {
	Query        string // words of the name or a former one, or the beginning of a credit code
	Verification Verification
	Extra        string // conditions on the fields administrators define, one a line: see extraFilters
	Tag          string // code of a tag
	Cursor       string
	Limit        int

	conditions []condition
}

var codePrefix = regexp.MustCompile(`^[0-9A-HJ-NP-RTUWXY]{2,18}$`)

// following is the first text behind all that begin with the code, in any collation that has digits before letters.
func following(code string) string {
	for i := len(code) - 1; i >= 0; i-- {
		switch c := code[i]; {
		case c == '9':
			return code[:i] + "A"
		case c != 'Z':
			return code[:i] + string(c+1)
		}
	}
	return "ZZZ"
}

// list reads a page, newest first.
func list(ctx context.Context, db bun.IDB, actor access.Actor, f ListFilter, before int64) ([]Enterprise, error) {
	var rows []Enterprise
	narrowed := func(q *bun.SelectQuery) *bun.SelectQuery {
		q = visible(q, actor, "ent.id")
		if f.Verification != "" {
			q = q.Where("ent.verification = ?", f.Verification)
		}
		for _, x := range f.conditions {
			q = x.narrow(q)
		}
		return q
	}
	q := narrowed(db.NewSelect().Model(&rows)).OrderExpr("ent.id DESC").Limit(int64(f.Limit + 1))
	if typed := strings.TrimSpace(f.Query); typed != "" {
		if code := uscc.Normalize(typed); codePrefix.MatchString(code) && strings.ContainsAny(code, "0123456789") {
			q = q.Where("ent.credit_code >= ? AND ent.credit_code < ?", code, following(code))
		} else {
			words, err := search.Parse(typed)
			if err != nil {
				return nil, err
			}
			found, err := fullText.Newest(ctx, db, search.List{
				Words: words, Walks: []*bun.SelectQuery{narrowed(db.NewSelect().TableExpr("enterprises AS ent"))}, ID: "ent.id", Before: before, Limit: f.Limit + 1,
			})
			if err != nil || len(found.IDs) == 0 {
				return nil, err
			}
			err = db.NewSelect().Model(&rows).Where("ent.id IN (?)", bun.List(found.IDs)).OrderExpr("ent.id DESC").Scan(ctx)
			return rows, err
		}
	}
	if before > 0 {
		q = q.Where("ent.id < ?", before)
	}
	err := q.Scan(ctx)
	return rows, err
}

// byCode lists companies whose credit code begins with the prefix, in the order of the codes.
func byCode(ctx context.Context, db bun.IDB, prefix string, limit int) ([]int64, error) {
	var ids []int64
	err := db.NewSelect().Model((*Enterprise)(nil)).Column("id").Where("ent.credit_code >= ? AND ent.credit_code < ?", prefix, following(prefix)).
		OrderExpr("ent.credit_code").Limit(int64(limit)).Scan(ctx, &ids)
	return ids, err
}

// cursorOf reads where the page before ended.
func cursorOf(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	return n, nil
}

// cut drops the row that told of a next page and returns the cursor to it.
func cut[T any](rows []T, limit int, id func(T) int64) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	rows = rows[:limit]
	return rows, fmt.Sprint(id(rows[limit-1]))
}

func limitOf(n int) int {
	if n <= 0 || n > 100 {
		return 20
	}
	return n
}
