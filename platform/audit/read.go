package audit

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Filter narrows what is read of the log. Zero fields do not narrow.
type Filter struct {
	From, Until time.Time // [From, Until)
	// Actors keeps what these people did; Systems also what jobs with such a name did.
	Actors   []int64
	Systems  string
	Object   string
	ObjectID int64
	Action   string // "ticket.close", or "ticket." for everything of the module
	Cursor   string
	Limit    int
}

// List returns a page of the log, newest first, and the cursor of the next page, "" on the last. Whoever calls has
// checked that the asker may read the log, and writes down that they did.
func List(ctx context.Context, db bun.IDB, f Filter) ([]Entry, string, error) {
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	var rows []Entry
	q := db.NewSelect().Model(&rows).OrderExpr("a.at DESC, a.id DESC").Limit(int64(f.Limit + 1))
	if f.Cursor != "" {
		at, id, err := readCursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		q = q.Where("(a.at, a.id) < (?, ?)", at, id)
	}
	q = f.narrow(q)
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("read audit log: %w", err)
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = cursorOf(rows[len(rows)-1])
	}
	return rows, next, nil
}

// narrow keeps what the filter keeps.
func (f Filter) narrow(q *bun.SelectQuery) *bun.SelectQuery {
	if !f.From.IsZero() {
		q = q.Where("a.at >= ?", f.From.UTC())
	}
	if !f.Until.IsZero() {
		q = q.Where("a.at < ?", f.Until.UTC())
	}
	switch {
	case f.Systems != "" && len(f.Actors) > 0:
		q = q.Where("(a.actor_id IN ? OR (a.actor_id = 0 AND a.actor_name = ?))", bun.Tuple(f.Actors), f.Systems)
	case f.Systems != "":
		q = q.Where("a.actor_id = 0 AND a.actor_name = ?", f.Systems)
	case len(f.Actors) > 0:
		q = q.Where("a.actor_id IN ?", bun.Tuple(f.Actors))
	}
	if f.Object != "" {
		q = q.Where("a.object = ?", f.Object)
	}
	if f.ObjectID != 0 {
		q = q.Where("a.object_id = ?", f.ObjectID)
	}
	if module, ok := strings.CutSuffix(f.Action, "."); ok && module != "" {
		q = q.Where("a.action >= ? AND a.action < ?", f.Action, module+"/") // "/" follows "."
	} else if f.Action != "" {
		q = q.Where("a.action = ?", f.Action)
	}
	return q
}

func cursorOf(e Entry) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(e.At.UnixMicro(), 10) + "." + strconv.FormatInt(e.ID, 10)))
}

func readCursor(text string) (time.Time, int64, error) {
	bad := fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return time.Time{}, 0, bad
	}
	first, second, _ := strings.Cut(string(raw), ".")
	at, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return time.Time{}, 0, bad
	}
	id, err := strconv.ParseInt(second, 10, 64)
	if err != nil {
		return time.Time{}, 0, bad
	}
	return time.UnixMicro(at).UTC(), id, nil
}

// Find returns one entry, fault.ErrNotFound when there is none.
func Find(ctx context.Context, db bun.IDB, id int64) (Entry, error) {
	var e Entry
	return e, database.Found(db.NewSelect().Model(&e).Where("a.id = ?", id).Scan(ctx))
}

// Sealed reports whether the entry has its seal. Only Verify says whether the seal is right.
func Sealed(ctx context.Context, db bun.IDB, id int64) (bool, error) {
	return db.NewSelect().Model((*seal)(nil)).Where("entry_id = ?", id).Exists(ctx)
}

// Seals says how far the sealer has come.
type Seals struct {
	Sealed   int64      `json:"sealed"`
	Unsealed int64      `json:"unsealed"`
	LastAt   *time.Time `json:"lastAt,omitempty"`
}

// SealState returns how many entries are sealed, how many wait, and when the sealer last sealed.
func SealState(ctx context.Context, db bun.IDB) (Seals, error) {
	var last seal
	err := db.NewSelect().Model(&last).OrderExpr("seq DESC").Limit(1).Scan(ctx)
	if err != nil && !isNone(err) {
		return Seals{}, err
	}
	s := Seals{Sealed: last.Seq, LastAt: last.SealedAt}
	h, err := findHead(ctx, db)
	if err != nil {
		return s, err
	}
	n, err := unsealed(db).Where("a.id > ?", h.ClosedID).Count(ctx)
	s.Unsealed = int64(n)
	return s, err
}
