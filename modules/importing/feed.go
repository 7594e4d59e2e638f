package importing

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/sheet"
)

// Feed is an outside register that is taken in page by page.
type Feed struct {
	Name, Title, Note string
	// Target is the name of what it is taken into, Source whose word the records are.
	Target, Source string
	// Page returns the records behind a cursor ("" for the first). It tries again by itself for a while; the fault it gives
	// up with is shown to the person, who can have the import go on at the same page.
	Page func(ctx context.Context, cursor string, limit int) (FeedPage, error)
}

// FeedPage is a part of a register: fields to texts, as a file would have them.
type FeedPage struct {
	Records []map[string]string
	Next    string // cursor of the next page; "" after the last
	Total   int64  // of the whole register; 0 when it does not say
}

// FeedView is a register that a person may take in.
type FeedView struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Note   string `json:"note"`
	Target string `json:"target"`
}

// feedPage is how many records are asked for at once.
const feedPage = 1000

// fileSource is whose word the records of a file are.
const fileSource = "roll"

// ErrFeed: there is no such register.
var ErrFeed = fault.InvalidField("feed", "IMPORT_FEED", "没有接入这个数据接口，请联系系统管理员")

// ErrFeedPage: the register answers in a way that would never end.
var ErrFeedPage = fault.New(fault.Conflict, "IMPORT_FEED_PAGE", "数据接口的翻页位置没有前进，已停止读取，请联系对方核实")

func (s *Service) feed(name string) (Feed, error) {
	i := slices.IndexFunc(s.Feeds, func(f Feed) bool { return f.Name == name })
	if i < 0 {
		return Feed{}, ErrFeed
	}
	return s.Feeds[i], nil
}

// AllowedFeeds lists the registers that the actor may take in.
func (s *Service) AllowedFeeds(_ context.Context, actor access.Actor) ([]FeedView, error) {
	out := []FeedView{}
	for _, f := range s.Feeds {
		if _, err := s.target(actor, f.Target); err == nil {
			out = append(out, FeedView{f.Name, f.Title, f.Note, f.Target})
		}
	}
	return out, nil
}

// StartFeed asks to take a register in.
type StartFeed struct {
	Feed       string           `json:"feed"`
	Duplicates sheet.Duplicates `json:"duplicates"`
	Key        string           `json:"-"`
}

// StartFeed begins to read a register; the same key is the same import.
func (s *Service) StartFeed(ctx context.Context, actor access.Actor, cmd StartFeed) (View, error) {
	f, err := s.feed(cmd.Feed)
	if err != nil {
		return View{}, err
	}
	t, err := s.target(actor, f.Target)
	if err != nil {
		return View{}, err
	}
	if cmd.Duplicates != sheet.Skip && cmd.Duplicates != sheet.Update && cmd.Duplicates != sheet.Refuse {
		return View{}, fault.InvalidField("duplicates", "IMPORT_DUPLICATES", "请选择遇到重复记录时如何处理")
	}
	now := s.Clock.Now()
	var done Ref
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "import.feed", Key: cmd.Key, Request: cmd, Now: now}, func() (Ref, error) {
			r := row{OwnerID: actor.UserID, Target: t.Name, FileName: f.Title, Feed: f.Name, Source: f.Source, Duplicates: cmd.Duplicates, State: Reading, CreatedAt: now}
			r.Ask()
			if err := database.Insert(ctx, tx, &r); database.IsDuplicate(err) {
				return Ref{}, ErrBusy
			} else if err != nil {
				return Ref{}, err
			}
			if err := s.queue.Insert(ctx, tx, wakeArgs{r.ID}); err != nil {
				return Ref{}, err
			}
			return Ref{ID: r.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "import.feed", Object: Object, ObjectID: r.ID, Summary: "从接口导入：" + f.Title,
				Detail: map[string]any{"target": t.Name, "feed": f.Name, "duplicates": cmd.Duplicates}})
		})
		return err
	})
	if err != nil {
		return View{}, err
	}
	s.table.Wake()
	return s.Get(ctx, actor, done.ID)
}

func resumable(r *row) bool {
	return r.Feed != "" && r.State == Failed && r.PublishedAt == nil && !r.Purged
}

// Resume goes on reading a register at the page where it failed.
func (s *Service) Resume(ctx context.Context, actor access.Actor, cmd Ref) (View, error) {
	return s.change(ctx, actor, cmd.ID, "import.resume", cmd.Key, cmd, "继续读取接口", func(ctx context.Context, tx bun.Tx, r *row, _ sheet.Target) error {
		if !resumable(r) {
			return ErrState.With("导入任务“%s”，不能继续读取，请刷新后查看", r.State.Label())
		}
		r.State, r.Message, r.FinishedAt = Reading, "", nil
		r.Ask()
		return s.queue.Insert(ctx, tx, wakeArgs{r.ID})
	})
}

// readFeed stages the pages behind the checkpoint. What is kept of a page is skipped when it is asked for again.
func (s *Service) readFeed(ctx context.Context, c lease.Claim, r *row, t sheet.Target, actor access.Actor) error {
	f, err := s.feed(r.Feed)
	if err != nil {
		return err
	}
	for {
		page, err := f.Page(ctx, r.Cursor, feedPage)
		if err != nil {
			return err
		}
		if page.Total > 0 {
			r.Total = page.Total
		}
		if r.Before+len(page.Records) > s.most(t) {
			return s.tooMany(t)
		}
		batch := make([]pending, 0, s.batch)
		for i, values := range page.Records {
			number := r.Before + i + 1
			if number <= r.LastRead {
				continue
			}
			batch = append(batch, readRow(t, number, func(f sheet.TargetField) (sheet.Value, bool) {
				v, ok := values[f.Key]
				return sheet.Value{Text: v}, ok || f.Required
			}))
			if len(batch) == s.batch || i == len(page.Records)-1 {
				if err := s.ready(ctx, r.ID, t, actor, batch); err != nil {
					return err
				}
				if err := s.stage(ctx, c, r, t, batch); err != nil {
					return err
				}
				batch = batch[:0]
			}
		}
		if page.Next == "" {
			return nil
		}
		if page.Next == r.Cursor {
			return ErrFeedPage
		}
		if err := s.turn(ctx, c, r, page); err != nil {
			return err
		}
	}
}

// turn keeps the place of the next page.
func (s *Service) turn(ctx context.Context, c lease.Claim, r *row, page FeedPage) error {
	next := *r
	next.Cursor, next.Before = page.Next, r.Before+len(page.Records)
	err := s.hold(ctx, c, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model(&next).Column("cursor", "page_before", "rows_total").WherePK().Exec(ctx)
		return err
	})
	if err == nil {
		*r = next
	}
	return err
}
