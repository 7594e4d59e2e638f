package secret

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

// Row is what Column's functions see of a row: its key, the columns of With, and the indexes.
type Row map[string]any

// Int returns a number of the row.
func (r Row) Int(name string) int64 {
	n, _ := r[name].(int64)
	return n
}

// Text returns a text of the row, "" for NULL.
func (r Row) Text(name string) string {
	switch v := r[name].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// Column is a sealed column, declared by the module that owns its table, so that it can be sealed again.
type Column struct {
	Table string
	// Key are the columns of the primary key.
	Key  []string
	Name string
	// With are further columns that Place and the indexes need.
	With []string
	// Place is the additional data the text was sealed with.
	Place func(r Row) string
	// Indexes are columns that were made from the same plain text.
	Indexes []Index
}

// Index is a blind index, or another keyed hash that can be made again from the plain text and its row.
type Index struct {
	Name string
	// Make returns the column under today's key. r holds what is there now; "" is kept as it is.
	Make func(b *Box, r Row, plain string) string
	// Copies are columns of other tables that hold the same index without the plain text. They follow it; what is left of
	// them under a retired key belongs to nobody any more, and is only not found.
	Copies []Copy
}

// Copy is a column that holds an index of another table.
type Copy struct{ Table, Name string }

// Hash is a column of keyed hashes whose plain text nobody has: tokens and keys that people hold. They stay under their
// key until they end.
type Hash struct {
	Table, Name string
	// Live is an SQL condition that keeps the rows still in use; "" keeps all. A ? in it is the time of asking.
	Live string
	// Ends says in Chinese when the last of them is gone, or what to do about it.
	Ends string
}

// PhoneIndexes are the two indexes of a phone.
func PhoneIndexes(blind, tail string) []Index {
	list := []Index{{Name: blind, Make: func(b *Box, _ Row, plain string) string { return b.Blind("phone", plain) }}}
	if tail != "" {
		list = append(list, Index{Name: tail, Make: func(b *Box, _ Row, plain string) string { return b.BlindTail(plain) }})
	}
	return list
}

// Fixed is a Place that does not depend on the row.
func Fixed(place string) func(Row) string { return func(Row) string { return place } }

// Keepers are all sealed and hashed columns of the program.
type Keepers struct {
	Columns []Column
	Hashes  []Hash
}

// Rotator writes everything anew that another key than today's wrote. Each row is changed only if it is still what was
// read: whoever writes meanwhile wins. Killed at any moment it goes on at the next run, because it looks for what is
// still under another key.
type Rotator struct {
	DB    *database.DB
	Box   *Box
	Clock clock.Clock
	Log   *slog.Logger
	Keepers
	// Note is told how far a run is.
	Note func(ctx context.Context, format string, args ...any)
}

// rotateBatch is how many rows one transaction changes.
const rotateBatch = 250

// recheck is how long a finished rotation is believed: a process that had not read the new key yet may have written under
// the old one meanwhile.
const recheck = 12 * time.Hour

// progress is how far one column is on its way to one key.
type progress struct {
	bun.BaseModel `bun:"table:secret_rotations"`

	Target  string     `bun:"target,pk"` // key id and suite
	Column  string     `bun:"column_name,pk"`
	Total   int64      `bun:"total,notnull"`
	Done    int64      `bun:"done,notnull"`
	Failed  int64      `bun:"failed,notnull"`
	At      time.Time  `bun:"at,notnull"`
	DoneAt  *time.Time `bun:"done_at"`
	Problem string     `bun:"problem,notnull,type:text"`
}

// Migrations are the tables of the package.
var Migrations = []database.Migration{{
	ID: "20261128030500_secret_rotations",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*progress20261128)(nil))
	},
}}

type progress20261128 struct {
	bun.BaseModel `bun:"table:secret_rotations"`

	Target  string     `bun:"target,pk"`
	Column  string     `bun:"column_name,pk"`
	Total   int64      `bun:"total,notnull"`
	Done    int64      `bun:"done,notnull"`
	Failed  int64      `bun:"failed,notnull"`
	At      time.Time  `bun:"at,notnull"`
	DoneAt  *time.Time `bun:"done_at"`
	Problem string     `bun:"problem,notnull,type:text"`
}

// Run rotates what waits. It returns nil at once when everything was found under today's key a while ago, and an error when
// rows could not be opened; the others are done nevertheless.
func (r Rotator) Run(ctx context.Context) error {
	id, suite := r.Box.Current()
	target := id + "/" + string(suite)
	var rows []progress
	if err := r.DB.Read().NewSelect().Model(&rows).Where("target = ?", target).Scan(ctx); err != nil {
		return err
	}
	now := r.Clock.Now()
	var failed, done int64
	problem := ""
	for _, c := range r.Columns {
		i := slices.IndexFunc(rows, func(p progress) bool { return p.Column == c.Table+"."+c.Name })
		if i >= 0 && rows[i].DoneAt != nil && rows[i].Failed == 0 && now.Sub(*rows[i].DoneAt) < recheck {
			continue
		}
		p, err := r.column(ctx, target, c)
		if err != nil {
			return fmt.Errorf("rotate %s.%s: %w", c.Table, c.Name, err)
		}
		failed, done = failed+p.Failed, done+p.Done
		if p.Problem != "" {
			problem = p.Problem
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d 行无法用现有密钥解密，未能换用新密钥，例如 %s", failed, problem)
	}
	return nil
}

// markLength is how many characters of a sealed text say suite and key; the last of them may also hold bits of the nonce.
func markLength(id string) int { return (3+len(id))*8/6 + 1 }

// marks are the beginnings of what the key sealed with the suite.
func marks(id string, suite Suite) []string {
	head := append([]byte{version, suite.mark(), byte(len(id))}, id...) // #nosec G115 -- ids have at most 32 bytes
	var list []string
	for next := range 256 {
		m := base64.RawURLEncoding.EncodeToString(append(head, byte(next), 0))[:markLength(id)]
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// notUnder keeps the rows whose text another key or suite made.
func (c Column) notUnder(q *bun.SelectQuery, id string, suite Suite) *bun.SelectQuery {
	return q.Where("? <> '' AND substr(?, 1, ?) NOT IN ?", bun.Ident(c.Name), bun.Ident(c.Name), markLength(id), bun.Tuple(marks(id, suite)))
}

func (r Rotator) column(ctx context.Context, target string, c Column) (progress, error) {
	id, suite := r.Box.Current()
	n, err := c.notUnder(r.DB.Read().NewSelect().TableExpr("?", bun.Ident(c.Table)), id, suite).Count(ctx)
	if err != nil {
		return progress{}, err
	}
	p := progress{Target: target, Column: c.Table + "." + c.Name, Total: int64(n)}
	var after []any
	for ctx.Err() == nil {
		list, err := c.page(ctx, r.DB.Read(), id, suite, after)
		if err != nil {
			return p, err
		}
		if len(list) == 0 {
			now := r.Clock.Now()
			if p.Failed == 0 {
				p.DoneAt = &now
			}
			return p, r.save(ctx, p)
		}
		after = c.keyOf(list[len(list)-1])
		if err := r.batch(ctx, c, list, &p); err != nil {
			return p, err
		}
		if r.Note != nil {
			r.Note(ctx, "%s：%d / %d 行", p.Column, p.Done, p.Total)
		}
	}
	return p, nil
}

func (c Column) keyOf(r Row) []any {
	var key []any
	for _, k := range c.Key {
		key = append(key, r[k])
	}
	return key
}

func (c Column) columns() []string {
	list := slices.Concat(c.Key, []string{c.Name}, c.With)
	for _, x := range c.Indexes {
		list = append(list, x.Name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// page reads rows after the key that another key sealed.
func (c Column) page(ctx context.Context, db bun.IDB, id string, suite Suite, after []any) ([]Row, error) {
	q := c.notUnder(db.NewSelect().TableExpr("?", bun.Ident(c.Table)), id, suite).Column(c.columns()...).Limit(rotateBatch)
	for _, k := range c.Key {
		q = q.OrderExpr("?", bun.Ident(k))
	}
	if after != nil {
		var names []string
		for _, k := range c.Key {
			names = append(names, `"`+k+`"`)
		}
		q = q.Where("(?) > ?", bun.Safe(strings.Join(names, ", ")), bun.Tuple(after))
	}
	var list []map[string]any
	if err := q.Scan(ctx, &list); err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(list))
	for _, m := range list {
		rows = append(rows, m)
	}
	return rows, nil
}

// batch seals the rows again, and counts them in the same transaction.
func (r Rotator) batch(ctx context.Context, c Column, list []Row, p *progress) error {
	type change struct {
		row Row
		set map[string]string
	}
	var changes []change
	for _, row := range list {
		plain, err := r.Box.Open(row.Text(c.Name), c.Place(row))
		if err != nil {
			p.Failed++
			p.Problem = fmt.Sprintf("%s.%s %v", c.Table, c.Name, c.keyOf(row))
			r.Log.Error("rotate: a sealed text cannot be opened", "column", p.Column, "key", c.keyOf(row), "error", err)
			continue
		}
		set := map[string]string{c.Name: r.Box.Seal(plain, c.Place(row))}
		for _, x := range c.Indexes {
			if row.Text(x.Name) == "" {
				continue
			}
			if v := x.Make(r.Box, row, string(plain)); v != "" {
				set[x.Name] = v
			}
		}
		changes = append(changes, change{row, set})
	}
	before := *p
	err := r.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		*p = before
		for _, ch := range changes {
			q := tx.NewUpdate().TableExpr("?", bun.Ident(c.Table)).Where("? = ?", bun.Ident(c.Name), ch.row.Text(c.Name))
			for _, k := range c.Key {
				q = q.Where("? = ?", bun.Ident(k), ch.row[k])
			}
			for name, v := range ch.set {
				q = q.Set("? = ?", bun.Ident(name), v)
			}
			res, err := q.Exec(ctx)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			if n == 0 {
				continue // somebody else wrote meanwhile, under today's key
			}
			p.Done++
			for _, x := range c.Indexes {
				if err := follow(ctx, tx, x, ch.row.Text(x.Name), ch.set[x.Name]); err != nil {
					return err
				}
			}
		}
		return saveProgress(ctx, tx, *p, r.Clock.Now())
	})
	return err
}

// follow changes the copies of an index.
func follow(ctx context.Context, tx bun.Tx, x Index, old, now string) error {
	if old == "" || now == "" || old == now {
		return nil
	}
	for _, c := range x.Copies {
		name := bun.Ident(c.Name)
		if _, err := tx.NewUpdate().TableExpr("?", bun.Ident(c.Table)).Set("? = ?", name, now).Where("? = ?", name, old).Exec(ctx); err != nil {
			return fmt.Errorf("%s.%s: %w", c.Table, c.Name, err)
		}
	}
	return nil
}

func (r Rotator) save(ctx context.Context, p progress) error {
	return r.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return saveProgress(ctx, tx, p, r.Clock.Now()) })
}

func saveProgress(ctx context.Context, tx bun.Tx, p progress, now time.Time) error {
	p.At = now
	_, err := tx.NewInsert().Model(&p).On("CONFLICT (target, column_name) DO UPDATE").
		Set("total = EXCLUDED.total, done = EXCLUDED.done, failed = EXCLUDED.failed, at = EXCLUDED.at, done_at = EXCLUDED.done_at, problem = EXCLUDED.problem").Exec(ctx)
	return err
}

// Use is how much of a column a key still holds.
type Use struct {
	Column string
	Rows   int64
	Ends   string // for hashes: when they are gone
}

// Uses returns where a key is still needed, columns with rows only. It counts, and takes as long as reading the tables.
func (k Keepers) Uses(ctx context.Context, db bun.IDB, id string, founding bool, now time.Time) ([]Use, error) {
	var list []Use
	for _, c := range k.Columns {
		all := slices.Concat(marks(id, GM), marks(id, Intl))
		n, err := db.NewSelect().TableExpr("?", bun.Ident(c.Table)).Where("substr(?, 1, ?) IN ?", bun.Ident(c.Name), markLength(id), bun.Tuple(all)).Count(ctx)
		if err != nil {
			return nil, fmt.Errorf("count %s.%s: %w", c.Table, c.Name, err)
		}
		if n > 0 {
			list = append(list, Use{Column: c.Table + "." + c.Name, Rows: int64(n)})
		}
		for _, x := range c.Indexes {
			n, err := under(db.NewSelect().TableExpr("?", bun.Ident(c.Table)), x.Name, id, founding).Count(ctx)
			if err != nil {
				return nil, fmt.Errorf("count %s.%s: %w", c.Table, x.Name, err)
			}
			if n > 0 {
				list = append(list, Use{Column: c.Table + "." + x.Name, Rows: int64(n)})
			}
		}
	}
	for _, h := range k.Hashes {
		q := under(db.NewSelect().TableExpr("?", bun.Ident(h.Table)), h.Name, id, founding)
		switch {
		case strings.Contains(h.Live, "?"):
			q = q.Where(h.Live, now)
		case h.Live != "":
			q = q.Where(h.Live)
		}
		n, err := q.Count(ctx)
		if err != nil {
			return nil, fmt.Errorf("count %s.%s: %w", h.Table, h.Name, err)
		}
		if n > 0 {
			list = append(list, Use{Column: h.Table + "." + h.Name, Rows: int64(n), Ends: h.Ends})
		}
	}
	return list, nil
}

// under keeps the rows whose index or hash the key made.
func under(q *bun.SelectQuery, name, id string, founding bool) *bun.SelectQuery {
	if founding {
		return q.Where("? <> '' AND ? NOT LIKE '%.%'", bun.Ident(name), bun.Ident(name))
	}
	return q.Where("substr(?, 1, ?) = ?", bun.Ident(name), len(id)+1, id+".")
}

// Progress is how far one column is.
type Progress struct {
	Column              string
	Total, Done, Failed int64
	At                  time.Time
	Finished            bool
}

// Progress returns how far the rotation to today's key is, columns it has begun only.
func (r Rotator) Progress(ctx context.Context) ([]Progress, error) {
	id, suite := r.Box.Current()
	var rows []progress
	if err := r.DB.Read().NewSelect().Model(&rows).Where("target = ?", id+"/"+string(suite)).OrderExpr("column_name").Scan(ctx); err != nil {
		return nil, err
	}
	list := make([]Progress, 0, len(rows))
	for _, p := range rows {
		list = append(list, Progress{p.Column, p.Total, p.Done, p.Failed, p.At, p.DoneAt != nil})
	}
	return list, nil
}
