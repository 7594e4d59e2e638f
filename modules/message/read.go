package message

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// View is a message as its reader sees it.
type View struct {
	ID        int64      `json:"id"`
	Template  string     `json:"template"`
	Group     Group      `json:"group"`
	Title     string     `json:"title"`
	Text      string     `json:"text"`
	Link      string     `json:"link" doc:"Path of the object below the face; empty when there is nothing to open."`
	CreatedAt time.Time  `json:"createdAt"`
	ReadAt    *time.Time `json:"readAt,omitempty"`
}

func (m *message) view() View {
	return View{ID: m.ID, Template: m.Template, Group: m.Group, Title: m.Title, Text: m.Text, Link: m.Link, CreatedAt: m.CreatedAt.UTC(), ReadAt: utc(m.ReadAt)}
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

// MostUnread is where counting unread messages ends: beyond it faces show 99+.
const MostUnread = 100

// ListFilter narrows a list of one's own messages.
type ListFilter struct {
	Unread bool
	Cursor string
	Limit  int
}

// List returns a page of the actor's messages, newest first, and the cursor of the next page, "" on the last.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]View, string, error) {
	user, err := mine(actor)
	if err != nil {
		return nil, "", err
	}
	before, limit, err := pageOf(f.Cursor, f.Limit)
	if err != nil {
		return nil, "", err
	}
	var rows []message
	q := s.DB.Read().NewSelect().Model(&rows).Where("m.user_id = ?", user).OrderExpr("m.id DESC").Limit(int64(limit + 1))
	if f.Unread {
		q = q.Where("m.read_at IS NULL")
	}
	if before > 0 {
		q = q.Where("m.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list messages: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	views := make([]View, 0, len(rows))
	for i := range rows {
		views = append(views, rows[i].view())
	}
	return views, next, nil
}

// pageOf reads the place in a list read newest first.
func pageOf(cursor string, limit int) (before int64, size int, err error) {
	if cursor != "" {
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil || before <= 0 {
			return 0, 0, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	return before, limit, nil
}

// Unread counts the actor's unread messages, up to MostUnread.
func (s *Service) Unread(ctx context.Context, actor access.Actor) (int, error) {
	user, err := mine(actor)
	if err != nil {
		return 0, err
	}
	db := s.DB.Read()
	some := db.NewSelect().Model((*message)(nil)).ColumnExpr("m.id").Where("m.user_id = ? AND m.read_at IS NULL", user).Limit(MostUnread)
	n, err := db.NewSelect().TableExpr("(?) AS unread", some).Count(ctx)
	return int(n), err
}

// Read marks one of the actor's messages as read and returns it; a message of somebody else is fault.ErrNotFound. Reading
// it again changes nothing.
func (s *Service) Read(ctx context.Context, actor access.Actor, id int64) (View, error) {
	user, err := mine(actor)
	if err != nil {
		return View{}, err
	}
	var row message
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row = message{}
		if err := tx.NewSelect().Model(&row).Where("m.id = ? AND m.user_id = ?", id, user).Scan(ctx); err != nil {
			return database.Found(err)
		}
		if row.ReadAt != nil {
			return nil
		}
		now := s.Clock.Now()
		row.ReadAt = &now
		_, err := tx.NewUpdate().Model(&row).Column("read_at").Where("id = ? AND read_at IS NULL", row.ID).Exec(ctx)
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("read message %d: %w", id, err)
	}
	return row.view(), nil
}

// ReadAll marks the actor's messages up to the one given (0 for all) as read and returns how many were not. What came
// after the list was seen stays unread.
func (s *Service) ReadAll(ctx context.Context, actor access.Actor, upTo int64) (int, error) {
	user, err := mine(actor)
	if err != nil {
		return 0, err
	}
	var n int64
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		q := tx.NewUpdate().Model((*message)(nil)).Set("read_at = ?", s.Clock.Now()).Where("user_id = ? AND read_at IS NULL", user)
		if upTo > 0 {
			q = q.Where("id <= ?", upTo)
		}
		res, err := q.Exec(ctx)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), err
}
