package content

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/notation"
)

// Card is an article in a list of the portal or the phone.
type Card struct {
	ID         int64     `json:"id"`
	Kind       Kind      `json:"kind"`
	Column     string    `json:"column"`
	ColumnName string    `json:"columnName"`
	Title      string    `json:"title"`
	Summary    string    `json:"summary"`
	Source     string    `json:"source"`
	Top        bool      `json:"top"`
	PublishAt  time.Time `json:"publishAt"`
}

// Page is an article as readers see it.
type Page struct {
	Card
	Blocks    []notation.Block `json:"blocks"`
	ExpiresAt *time.Time       `json:"expiresAt,omitempty"`
	Files     []FileView       `json:"files"`
}

// FileView is a file of an article. Readers need no account for it.
type FileView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Mime string `json:"mime"`
	URL  string `json:"url"`
	// State says whether it may be had: it waits for the virus scanner, or was put away by it.
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// Item is an article in the editors' list.
type Item struct {
	ID            int64      `json:"id"`
	Version       int64      `json:"version"`
	Kind          Kind       `json:"kind"`
	Column        string     `json:"column"`
	ColumnName    string     `json:"columnName"`
	Title         string     `json:"title"`
	Status        Status     `json:"status"`
	Scheduled     bool       `json:"scheduled"` // published, its time has not come
	Over          bool       `json:"over"`      // published, its time has passed
	Top           bool       `json:"top"`
	Source        string     `json:"source"`
	AuthorName    string     `json:"authorName"`
	PublisherName string     `json:"publisherName"`
	PublishAt     *time.Time `json:"publishAt,omitempty"`
	ExpiresAt     *time.Time `json:"expiresAt,omitempty"`
	UpdatedAt     time.Time  `json:"updatedAt"`
}

// View is an article as an editor sees it.
type View struct {
	Item
	Summary  string           `json:"summary"`
	Body     string           `json:"body"`
	Blocks   []notation.Block `json:"blocks"`
	Reason   string           `json:"reason"`
	Files    []FileView       `json:"files"`
	Timeline []Entry          `json:"timeline"` // oldest first
	Actions  []Action         `json:"actions"`  // what the actor may do now
	OwnWork  bool             `json:"ownWork"`  // the actor may publish, but not this one: they took part in it
}

// Entry is one line of the history.
type Entry struct {
	Kind  string    `json:"kind"` // the event's type: "content.published"
	Label string    `json:"label"`
	At    time.Time `json:"at"`
	Actor string    `json:"actor"`
	Text  string    `json:"text,omitempty"`
}

func (a *Article) card() Card {
	c := Card{ID: a.ID, Kind: a.Kind, Column: a.Column, Title: a.Title, Summary: a.summary(), Source: a.Source, Top: a.Top}
	if col, ok := columnOf(a.Kind, a.Column); ok {
		c.ColumnName = col.Name
	}
	if a.PublishAt != nil {
		c.PublishAt = a.PublishAt.UTC()
	}
	return c
}

func (a *Article) item(now time.Time) Item {
	c := a.card()
	return Item{
		ID: a.ID, Version: a.Version, Kind: a.Kind, Column: a.Column, ColumnName: c.ColumnName, Title: a.Title, Status: a.Status,
		Scheduled: a.Scheduled(now), Over: a.Over(now), Top: a.Top, Source: a.Source, AuthorName: a.AuthorName, PublisherName: a.PublisherName,
		PublishAt: utc(a.PublishAt), ExpiresAt: utc(a.ExpiresAt), UpdatedAt: a.UpdatedAt.UTC(),
	}
}

// page gathers what readers see.
func (s *Service) page(ctx context.Context, db bun.IDB, a *Article) (Page, error) {
	p := Page{Card: a.card(), Blocks: notation.Blocks(a.Body), ExpiresAt: utc(a.ExpiresAt)}
	var err error
	p.Files, err = s.attachments(ctx, db, a.ID)
	return p, err
}

// attachments lists the files of an article under the address that readers may follow.
func (s *Service) attachments(ctx context.Context, db bun.IDB, id int64) ([]FileView, error) {
	ids, err := filesOf(ctx, db, id)
	if err != nil || len(ids) == 0 {
		return []FileView{}, err
	}
	all, err := s.files.Of(ctx, db, Object, id)
	if err != nil {
		return nil, err
	}
	out := make([]FileView, 0, len(ids))
	for _, want := range ids {
		if i := slices.IndexFunc(all, func(f FileView) bool { return f.ID == want }); i >= 0 {
			f := all[i]
			f.URL = fmt.Sprintf("/content/%d/files/%d", id, f.ID)
			out = append(out, f)
		}
	}
	return out, nil
}

// view gathers all an editor sees.
func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, a *Article) (View, error) {
	v := View{Item: a.item(s.clock.Now()), Summary: a.Summary, Body: a.Body, Blocks: notation.Blocks(a.Body), Reason: a.Reason, Timeline: []Entry{}, Actions: []Action{}}
	var err error
	if v.Files, err = s.attachments(ctx, db, a.ID); err != nil {
		return View{}, err
	}
	events, err := event.Of(ctx, db, Object, a.ID)
	if err != nil {
		return View{}, err
	}
	for _, e := range events {
		entry := Entry{Kind: e.Type, Label: labels[e.Type], At: e.At.UTC(), Actor: e.By()}
		var told struct {
			Reason string `json:"reason"`
		}
		if err := e.Decode(&told); err != nil {
			return View{}, err
		}
		entry.Text = told.Reason
		v.Timeline = append(v.Timeline, entry)
	}
	for _, st := range lifecycle {
		if st.From != a.Status || need(actor, st.Rights...) != nil {
			continue
		}
		if st.Action == ToPublish && a.Worked(actor.UserID) {
			v.OwnWork = true
			continue
		}
		v.Actions = append(v.Actions, st.Action)
	}
	return v, nil
}

var labels = map[string]string{
	"content.created": "新建", "content.edited": "修改", "content.submitted": "提交审核", "content.published": "审核发布", "content.returned": "退回修改",
	"content.withdrawn": "撤下", "content.revised": "重新编辑",
}
