package policy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Enterprises tells what is known of a company. The caller has established that the asker acts for it.
type Enterprises interface {
	Facts(ctx context.Context, db bun.IDB, enterpriseID int64) (criteria.Facts, error)
	Name(ctx context.Context, db bun.IDB, enterpriseID int64) (string, error)
}

// Deps is what the module needs; all of it but Readable and CompanyPage.
type Deps struct {
	DB          *database.DB
	Clock       clock.Clock
	Log         *slog.Logger
	Schema      criteria.Schema // the facts conditions may name
	Enterprises Enterprises
	Choices     Choices
	// Readable lets staff match a company; nil lets nobody.
	Readable Readable
	// CompanyPage is the portal's address where a company supplies what is missing; empty when there is none.
	CompanyPage string
	// What editing needs beyond: each may be nil, and what rests on it then says that it is not there.
	Drafter Drafter
	Facts   FactReader
	Files   Files
	// Reminding tells followers that a window closes.
	Reminding Reminding
}

// Service is the library and the matching.
type Service struct {
	db          *database.DB
	clock       clock.Clock
	log         *slog.Logger
	schema      criteria.Schema
	enterprises Enterprises
	choices     Choices
	readable    Readable
	companyPage string
	drafter     Drafter
	facts       FactReader
	files       Files
	reminding   Reminding
	rules       rules

	// What finding and telling companies needs; nil before UseReach.
	reach    *Reach
	pool     *pool
	editions sync.Map // [2]int64: policy and version that are written
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Log == nil || len(d.Schema.Names()) == 0 || d.Enterprises == nil || len(d.Choices.Sections) == 0 {
		panic("policy: Deps is not complete")
	}
	return &Service{db: d.DB, clock: d.Clock, log: d.Log, schema: d.Schema, enterprises: d.Enterprises, choices: d.Choices, readable: d.Readable,
		companyPage: d.CompanyPage, drafter: d.Drafter, facts: d.Facts, files: d.Files, reminding: d.Reminding}
}

// Sort is the order of a list.
type Sort string

// The orders.
const (
	ByRelevance Sort = "relevance" // only with a query
	ByDate      Sort = "date"
	ByDeadline  Sort = "deadline"
)

// Filter narrows a list within what the actor may see. Empty fields leave everything in.
type Filter struct {
	Q      string
	Level  Level
	Topic  Topic
	Kind   Kind
	Window Window
	Issuer string
	// Region is a town, Industry a letter or division of GB/T 4754; both leave only policies in force, those that do not shut out
	// companies there.
	Region   string
	Industry string
	Status   Status // Live is what is in force today
	Sort     Sort   // empty: relevance with a query, date without
	Cursor   string
	Limit    int

	applies []int64 // what Region and Industry leave
}

// narrowed checks the filter and finds what a town and an industry leave.
func (s *Service) narrowed(ctx context.Context, f Filter) (Filter, error) {
	f, err := f.check()
	if err != nil {
		return f, err
	}
	if f.Industry != "" && s.choices.sector(f.Industry) == "" {
		return f, fault.InvalidField("industry", "POLICY_FILTER", "没有这个行业，请重新选择")
	}
	if f.Region != "" && s.fieldNames(fieldRegion)[f.Region] == "" {
		return f, fault.InvalidField("region", "POLICY_FILTER", "没有这个街道或镇，请重新选择")
	}
	if f.Industry != "" || f.Region != "" {
		f.applies, err = s.applying(ctx, f, s.clock.Now())
	}
	return f, err
}

func (f Filter) check() (Filter, error) {
	for _, bad := range []struct {
		wrong          bool
		field, message string
	}{
		{f.Level != "" && f.Level.Label() == "", "level", "没有这个政策层级，请重新选择"},
		{f.Topic != "" && f.Topic.Label() == "", "topic", "没有这个政策主题，请重新选择"},
		{f.Kind != "" && f.Kind.Label() == "", "kind", "没有这种支持方式，请重新选择"},
		{f.Window != "" && f.Window.listWord() == "", "window", "没有这种申报状态，请重新选择"},
		{f.Status != "" && f.Status.Label() == "", "status", "没有这种政策状态，请重新选择"},
		{f.Sort != "" && f.Sort != ByDate && f.Sort != ByDeadline && f.Sort != ByRelevance, "sort", "没有这种排序方式，请重新选择"},
	} {
		if bad.wrong {
			return f, fault.InvalidField(bad.field, "POLICY_FILTER", bad.message)
		}
	}
	f.Q, f.Issuer = strings.TrimSpace(f.Q), strings.TrimSpace(f.Issuer)
	if f.Sort == "" || f.Sort == ByRelevance && f.Q == "" {
		f.Sort = ByDate
		if f.Q != "" {
			f.Sort = ByRelevance
		}
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	return f, nil
}

// List returns a page of the policies the actor may see and the cursor of the next page, "" on the last.
func (s *Service) List(ctx context.Context, actor access.Actor, f Filter) ([]Item, string, error) {
	f, err := s.narrowed(ctx, f)
	if err != nil {
		return nil, "", err
	}
	badCursor := fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	var after *place
	offset := 0
	if f.Cursor != "" {
		day, id, ok := strings.Cut(f.Cursor, "_")
		n, err := strconv.ParseInt(id, 10, 64)
		if !ok || err != nil || n < 0 {
			return nil, "", badCursor
		}
		if f.Sort == ByRelevance {
			offset = int(min(n, page.CountCap))
		} else if _, err := time.Parse(time.DateOnly, day); err != nil {
			return nil, "", badCursor
		} else {
			after = &place{day, n}
		}
	}
	found, err := s.search(ctx, actor, f, after, offset, f.Limit+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(found.rows) > f.Limit {
		found.rows = found.rows[:f.Limit]
		last := found.rows[f.Limit-1]
		switch f.Sort {
		case ByRelevance:
			next = fmt.Sprintf("r_%d", offset+f.Limit)
		case ByDeadline:
			next = fmt.Sprintf("%s_%d", last.Deadline, last.ID)
		default:
			next = fmt.Sprintf("%s_%d", last.PublishedOn, last.ID)
		}
	}
	return s.items(found), next, nil
}

// Listing is one numbered page of a public list.
type Listing struct {
	Items []Item
	Count int    // counted to page.CountCap + 1 at most
	Loose bool   // nothing holds the whole query; these come closest
	Words string // what to mark in the texts
}

// Page returns a numbered page, from 1, of the policies in force, with their count.
func (s *Service) Page(ctx context.Context, actor access.Actor, f Filter, number int) (Listing, error) {
	f, err := s.narrowed(ctx, f)
	if err != nil {
		return Listing{}, err
	}
	f.Status = Live
	found, err := s.search(ctx, actor, f, nil, (max(1, number)-1)*f.Limit, f.Limit)
	if err != nil {
		return Listing{}, err
	}
	out := Listing{Items: s.items(found), Loose: found.loose, Words: f.Q, Count: len(found.rows)}
	if found.loose {
		out.Words = strings.Join(found.query.Terms(), " ")
		return out, nil
	}
	db, today := s.db.Read(), dayOf(s.clock.Now())
	q := f.narrow(visible(db.NewSelect().Model((*Policy)(nil)).ColumnExpr("1"), actor, today), today)
	if f.Q != "" {
		q, _, _ = matching(q, db, found.query)
	}
	n, err := db.NewSelect().TableExpr("(?) AS found", q.Limit(page.CountCap+1)).Count(ctx)
	out.Count = int(n)
	return out, err
}

// found is what a list query returns.
type found struct {
	rows  []Policy
	query search.Query // zero without a query
	loose bool
}

func (s *Service) search(ctx context.Context, actor access.Actor, f Filter, after *place, offset, limit int) (found, error) {
	db, today := s.db.Read(), dayOf(s.clock.Now())
	var out found
	base := func(q *bun.SelectQuery) *bun.SelectQuery { return f.narrow(visible(q, actor, today), today) }
	q := base(db.NewSelect().Model(&out.rows).Limit(int64(limit)).Offset(int64(offset)))
	if f.Q == "" {
		return out, order(q, f.Sort, after, today).Scan(ctx)
	}
	var err error
	if out.query, err = search.Parse(f.Q); err != nil {
		return out, err
	}
	q, rank, args := matching(q, db, out.query)
	if f.Sort == ByRelevance {
		q = q.OrderExpr(rank+", p.id DESC", args...)
	} else {
		q = order(q, f.Sort, after, today)
	}
	if err := q.Scan(ctx); err != nil || len(out.rows) > 0 || offset > 0 || after != nil {
		return out, err
	}
	// Nothing holds all of it: a sentence. What comes closest stands on one page.
	out.loose, out.query = true, out.query.Loosen()
	out.rows, err = s.closest(ctx, base, out.query)
	return out, err
}

// Get returns the policy as the actor may see it, ErrNotFound when they may not.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	p, err := s.find(ctx, s.db.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.db.Read(), actor, p)
}

// Sees returns nil when the actor may see the policy, ErrNotFound when they may not.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := s.find(ctx, s.db.Read(), actor, id)
	return err
}

func (s *Service) find(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*Policy, error) {
	today := dayOf(s.clock.Now())
	return find(ctx, db, func(q *bun.SelectQuery) *bun.SelectQuery { return visible(q, actor, today) }, id)
}

// Hit is a policy found by the search of the whole site.
type Hit struct {
	Title, URL, Summary string
	Meta                []string
}

// Search returns the policies in force that hold the query, best first; a query too short to search finds none.
func (s *Service) Search(ctx context.Context, actor access.Actor, q string, limit int) ([]Hit, error) {
	f, err := Filter{Q: q, Status: Live, Limit: limit}.check()
	if err != nil || f.Q == "" {
		return nil, err
	}
	found, err := s.search(ctx, actor, f, nil, 0, f.Limit)
	if errors.Is(err, search.ErrShort) || found.loose {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	hits := make([]Hit, 0, len(found.rows))
	for _, i := range s.items(found) {
		hits = append(hits, Hit{Title: i.Title, URL: i.url(), Summary: i.Excerpt, Meta: []string{i.LevelName, i.Issuer, page.Date(timeOf(i.PublishedOn)) + " 发布"}})
	}
	return hits, nil
}

// Latest returns the cards of the n policies published last, for the home page.
func (s *Service) Latest(ctx context.Context, n int) ([]page.PolicyCard, error) {
	f := Filter{Status: Live, Sort: ByDate, Limit: n}
	found, err := s.search(ctx, access.Actor{Party: access.Anonymous}, f, nil, 0, n)
	if err != nil {
		return nil, err
	}
	cards := make([]page.PolicyCard, 0, len(found.rows))
	for _, i := range s.items(found) {
		cards = append(cards, i.card(""))
	}
	return cards, nil
}

// Ref names the policy a command is about.
type Ref struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // the version the actor saw; a newer one is a conflict
	Key     string `json:"-"`       // idempotency key; the same key answers with the first outcome
}

type outcome struct {
	ID int64 `json:"id"`
}

// AddPolicy asks to take a draft into the library.
type AddPolicy struct {
	Key string `json:"-"`
	Content
}

// Add takes a draft into the library and returns it. Only the system may.
func (s *Service) Add(ctx context.Context, actor access.Actor, cmd AddPolicy) (View, error) {
	if actor.Party != access.System {
		return View{}, fault.ErrForbidden
	}
	content, err := cmd.Content.check(s.schema)
	if err != nil {
		return View{}, fmt.Errorf("add policy: %w", err)
	}
	now := s.clock.Now()
	var done outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.add", Key: cmd.Key, Request: content, Now: now}, func() (outcome, error) {
			p := Policy{Status: Draft, Version: 1, CreatedAt: now, UpdatedAt: now}
			p.take(content)
			if _, err := tx.NewInsert().Model(&p).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				return outcome{}, fmt.Errorf("insert policy: %w", err)
			}
			if err := index(ctx, tx, &p); err != nil {
				return outcome{}, err
			}
			if err := s.keep(ctx, tx, actor, &p); err != nil {
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, Added{p.head()}); err != nil {
				return outcome{}, err
			}
			return outcome{p.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.add", Object: Object, ObjectID: p.ID, Summary: "录入政策 " + p.Title})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("add policy: %w", err)
	}
	return s.Get(ctx, actor, done.ID)
}

// Publish makes a draft public. Only the system may.
func (s *Service) Publish(ctx context.Context, actor access.Actor, ref Ref) (View, error) {
	if actor.Party != access.System {
		return View{}, fault.ErrForbidden
	}
	return s.change(ctx, actor, "publish", "发布政策", ref, ref, (*Policy).Publish, func(h Head) event.Fact { return Published{h} })
}

// RevisePolicy asks to replace what a policy says.
type RevisePolicy struct {
	Ref
	Content
}

// Revise replaces what a policy says; its state stays. Only the system may.
func (s *Service) Revise(ctx context.Context, actor access.Actor, cmd RevisePolicy) (View, error) {
	if actor.Party != access.System {
		return View{}, fault.ErrForbidden
	}
	content, err := cmd.Content.check(s.schema)
	if err != nil {
		return View{}, fmt.Errorf("revise policy %d: %w", cmd.ID, err)
	}
	return s.change(ctx, actor, "revise", "修订政策", cmd.Ref, cmd, func(p *Policy) error { return p.Revise(content) },
		func(h Head) event.Fact { return Revised{h} })
}

// ExpirePolicy asks to end a policy before its day.
type ExpirePolicy struct {
	Ref
	Reason string
}

// Expire ends a published policy; it leaves the public library and the matching at once. It needs
// policy.publish.
func (s *Service) Expire(ctx context.Context, actor access.Actor, cmd ExpirePolicy) (View, error) {
	if err := library(actor, PermPublish); err != nil {
		return View{}, err
	}
	if cmd.Reason = strings.TrimSpace(cmd.Reason); cmd.Reason == "" {
		return View{}, fault.InvalidField("reason", "POLICY_REASON", "请填写废止原因")
	}
	return s.change(ctx, actor, "expire", "废止政策", cmd.Ref, cmd, (*Policy).Expire, func(h Head) event.Fact { return Expired{h, cmd.Reason} })
}

// change is the frame of every command on a policy: right, key, policy, version, step, index, event, audit, in one
// transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, action, summary string, ref Ref, request any,
	step func(*Policy) error, fact func(Head) event.Fact,
) (View, error) {
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy." + action, Key: ref.Key, Request: request, Now: now}, func() (outcome, error) {
			p, err := s.find(ctx, tx, actor, ref.ID)
			if err != nil {
				return outcome{}, err
			}
			if p.Version != ref.Version {
				return outcome{}, stale(p)
			}
			if err := step(p); err != nil {
				return outcome{}, err
			}
			p.UpdatedAt = now
			if err := save(ctx, tx, p, ref.Version); errors.Is(err, fault.ErrChanged) {
				return outcome{}, ErrStale
			} else if err != nil {
				return outcome{}, err
			}
			if action == "publish" || action == "revise" {
				if err := s.keep(ctx, tx, actor, p); err != nil {
					return outcome{}, err
				}
			}
			if _, err := event.Append(ctx, tx, actor, now, fact(p.head())); err != nil {
				return outcome{}, err
			}
			return outcome{p.ID}, audit.Write(ctx, tx, actor, now, audit.Record{
				Action: "policy." + action, Object: Object, ObjectID: p.ID, Summary: summary + " " + p.Title,
			})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s policy %d: %w", action, ref.ID, err)
	}
	return s.Get(ctx, actor, ref.ID)
}

// stale says where the policy stands meanwhile.
func stale(p *Policy) error {
	return ErrStale.With("政策已于%s更新，现为“%s”（第 %d 版），请刷新后再操作", clock.Show(p.UpdatedAt), p.Status.Label(), p.Version)
}

// CountLive counts the policies in force, for everybody.
func (s *Service) CountLive(ctx context.Context) (int, error) {
	n, err := inForce(s.db.Read().NewSelect().Model((*Policy)(nil)), dayOf(s.clock.Now())).Count(ctx)
	return int(n), err
}
