package content

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/notation"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web"
)

// Files keeps the attachments.
type Files interface {
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Of(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
	// Open opens a file whose article the asker may see: that was established before.
	Open(ctx context.Context, fileID int64) (web.Download, error)
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB    *database.DB
	Clock clock.Clock
	Files Files
}

// Service keeps the articles.
type Service struct {
	db    *database.DB
	clock clock.Clock
	files Files
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Files == nil {
		panic("content: Deps is not complete")
	}
	return &Service{db: d.DB, clock: d.Clock, files: d.Files}
}

// ReadFilter narrows a list for readers.
type ReadFilter struct {
	Kind   Kind
	Column string // empty: every column
	Cursor string
	Page   int // from 1; instead of Cursor
	Limit  int
}

// Read returns what readers see of a kind, those set on top first, then the newest, and the cursor of what follows, "" at
// the end. Everybody may.
func (s *Service) Read(ctx context.Context, _ access.Actor, f ReadFilter) ([]Card, string, error) {
	if f.Kind.Label() == "" {
		return nil, "", fault.InvalidField("kind", "ARTICLE_KIND", "没有这类内容")
	}
	if _, ok := columnOf(f.Kind, f.Column); !ok && f.Column != "" {
		return nil, "", fault.ErrNotFound
	}
	after, err := placeOf(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	rows, err := readers(ctx, s.db.Read(), s.clock.Now(), f.Kind, f.Column, after, max(f.Page-1, 0)*f.Limit, f.Limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("read articles: %w", err)
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		next = fmt.Sprintf("%t.%d.%d", last.Top, last.PublishAt.UnixMicro(), last.ID)
	}
	cards := make([]Card, 0, len(rows))
	for i := range rows {
		cards = append(cards, rows[i].card())
	}
	return cards, next, nil
}

var errCursor = fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")

func placeOf(cursor string) (*place, error) {
	if cursor == "" {
		return nil, nil
	}
	parts := strings.Split(cursor, ".")
	if len(parts) != 3 {
		return nil, errCursor
	}
	top, err1 := strconv.ParseBool(parts[0])
	micro, err2 := strconv.ParseInt(parts[1], 10, 64)
	id, err3 := strconv.ParseInt(parts[2], 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, errCursor.Wrap(err)
	}
	return &place{top: top, at: time.UnixMicro(micro).UTC(), id: id}, nil
}

// Count counts what readers see of a kind and column, to limit at most. Everybody may.
func (s *Service) Count(ctx context.Context, _ access.Actor, k Kind, column string, limit int) (int, error) {
	return count(ctx, s.db.Read(), s.clock.Now(), k, column, limit)
}

// Open returns an article as readers see it, ErrNotFound for one that is not published, not yet or no longer seen.
// Everybody may.
func (s *Service) Open(ctx context.Context, _ access.Actor, id int64) (Page, error) {
	a, err := find(ctx, s.db.Read(), published(s.clock.Now()), id)
	if err != nil {
		return Page{}, err
	}
	return s.page(ctx, s.db.Read(), a)
}

// Preview returns an article of any state as readers would see it, for whoever writes or publishes.
func (s *Service) Preview(ctx context.Context, actor access.Actor, id int64) (Page, error) {
	if err := need(actor, PermEdit, PermPublish); err != nil {
		return Page{}, err
	}
	a, err := find(ctx, s.db.Read(), visible(actor, s.clock.Now()), id)
	if err != nil {
		return Page{}, err
	}
	p, err := s.page(ctx, s.db.Read(), a)
	if p.PublishAt.IsZero() {
		p.PublishAt = s.clock.Now()
	}
	return p, err
}

// Attachment opens a file of an article the actor may see, ErrNotFound otherwise. The caller closes it.
func (s *Service) Attachment(ctx context.Context, actor access.Actor, article, file int64) (web.Download, error) {
	if _, err := find(ctx, s.db.Read(), visible(actor, s.clock.Now()), article); err != nil {
		return web.Download{}, err
	}
	ids, err := filesOf(ctx, s.db.Read(), article)
	if err != nil {
		return web.Download{}, err
	}
	for _, id := range ids {
		if id == file {
			return s.files.Open(ctx, file)
		}
	}
	return web.Download{}, ErrNotFound
}

// Search returns the published articles of the kinds that the words name, newest first, at most limit of them. Everybody
// may.
func (s *Service) Search(ctx context.Context, _ access.Actor, words search.Query, limit int, of ...Kind) ([]Found, error) {
	var rows []Article
	db := s.db.Read()
	q := matching(published(s.clock.Now()).narrow(db.NewSelect().Model(&rows).Where("a.kind IN ?", bun.Tuple(of))), words).
		OrderExpr("a.publish_at DESC, a.id DESC").Limit(int64(limit))
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("search articles: %w", err)
	}
	out := make([]Found, 0, len(rows))
	for i := range rows {
		out = append(out, Found{Card: rows[i].card(), Text: strings.ReplaceAll(notation.Plain(rows[i].Body), "\n", " ")})
	}
	return out, nil
}

// Found is an article that was searched for, with its text for the excerpt.
type Found struct {
	Card
	Text string
}

// CountFound counts what Search would find, to limit at most. Everybody may.
func (s *Service) CountFound(ctx context.Context, _ access.Actor, words search.Query, limit int, of ...Kind) (int, error) {
	db := s.db.Read()
	q := matching(published(s.clock.Now()).narrow(db.NewSelect().Model((*Article)(nil)).ColumnExpr("1").Where("a.kind IN ?", bun.Tuple(of))), words)
	n, err := db.NewSelect().TableExpr("(?) AS c", q.Limit(int64(limit))).Count(ctx)
	return int(n), err
}

// ListFilter narrows the editors' list.
type ListFilter struct {
	Kind   Kind
	Status Status
	Query  string
	Cursor string
	Limit  int
}

// List returns a page of all articles for whoever writes or publishes, newest first, and the cursor of the next page, ""
// on the last.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]Item, string, error) {
	if err := need(actor, PermEdit, PermPublish); err != nil {
		return nil, "", err
	}
	if f.Kind != "" && f.Kind.Label() == "" {
		return nil, "", fault.InvalidField("kind", "ARTICLE_KIND", "没有这类内容，请重新选择")
	}
	if f.Status != "" && f.Status.Label() == "" {
		return nil, "", fault.InvalidField("status", "ARTICLE_STATUS", "没有这种状态，请重新选择")
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	db, now := s.db.Read(), s.clock.Now()
	var rows []Article
	q := visible(actor, now).narrow(db.NewSelect().Model(&rows)).OrderExpr("a.id DESC").Limit(int64(f.Limit + 1))
	if f.Kind != "" {
		q = q.Where("a.kind = ?", f.Kind)
	}
	if f.Status != "" {
		q = q.Where("a.status = ?", f.Status)
	}
	if f.Query != "" {
		words, err := search.Parse(f.Query)
		if err != nil {
			return nil, "", err
		}
		q = matching(q, words)
	}
	if f.Cursor != "" {
		before, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, "", errCursor
		}
		q = q.Where("a.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list articles: %w", err)
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	items := make([]Item, 0, len(rows))
	for i := range rows {
		items = append(items, rows[i].item(now))
	}
	return items, next, nil
}

// Get returns an article with its history for whoever writes or publishes.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if err := need(actor, PermEdit, PermPublish); err != nil {
		return View{}, err
	}
	a, err := find(ctx, s.db.Read(), visible(actor, s.clock.Now()), id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.db.Read(), actor, a)
}

// Sees returns nil when the actor may see the article, ErrNotFound when they may not: the word on who may read its files.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := find(ctx, s.db.Read(), visible(actor, s.clock.Now()), id)
	return err
}
