package knowledge

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/notation"
	"github.com/huiqi/huiqi/platform/search"
)

// Source is what an answer rests on.
type Source struct {
	Kind   SourceKind `json:"kind" enum:"law,policy,guide,practice"`
	Title  string     `json:"title"`
	Number string     `json:"number"`
}

// Item is an entry in the list.
type Item struct {
	ID           int64      `json:"id"`
	Version      int64      `json:"version"`
	Title        string     `json:"title"`
	Question     string     `json:"question"`
	Category     string     `json:"category"`
	CategoryName string     `json:"categoryName"`
	Audience     Audience   `json:"audience" enum:"public,staff,units"`
	Status       Status     `json:"status" enum:"draft,review,published,withdrawn"`
	Live         int        `json:"live" doc:"Number of the edition in force; 0 when none is."`
	Over         bool       `json:"over" doc:"In force, and its time has passed: to be checked again."`
	Coming       bool       `json:"coming" doc:"In force, and its time has not come."`
	Keywords     []string   `json:"keywords"`
	ValidFrom    string     `json:"validFrom" doc:"A day as 2026-11-22; empty: at once."`
	ValidUntil   string     `json:"validUntil" doc:"A day as 2026-11-22; empty: without end."`
	Source       Source     `json:"source"`
	OwnerName    string     `json:"ownerName"`
	UnitID       int64      `json:"unitId"`
	UnitName     string     `json:"unitName" doc:"Empty for the platform."`
	Uses         int64      `json:"uses"`
	Useful       int64      `json:"useful"`
	OpenReports  int64      `json:"openReports"`
	PublishedAt  *time.Time `json:"publishedAt,omitempty"`
	UpdatedAt    time.Time  `json:"updatedAt"`
}

// Found is an entry that was searched for.
type Found struct {
	ID           int64          `json:"id"`
	Title        string         `json:"title"`
	Marks        []search.Piece `json:"marks" doc:"The title in pieces, those that were searched for marked."`
	Question     string         `json:"question"`
	Excerpt      []search.Piece `json:"excerpt"`
	Plain        string         `json:"plain" doc:"The answer as plain text, to be put into an answer box."`
	CategoryName string         `json:"categoryName"`
	Audience     Audience       `json:"audience" enum:"public,staff,units"`
	Source       Source         `json:"source"`
	UnitName     string         `json:"unitName"`
	Uses         int64          `json:"uses"`
	Edition      int            `json:"edition"`
	ValidUntil   string         `json:"validUntil"`
}

// Page is an entry as everybody may read it.
type Page struct {
	Found
	Blocks []notation.Block `json:"blocks"`
}

// EditionView is one edition.
type EditionView struct {
	No           int              `json:"no"`
	State        EditionState     `json:"state" enum:"draft,review,live,replaced,discarded,withdrawn"`
	Title        string           `json:"title"`
	Question     string           `json:"question"`
	Answer       string           `json:"answer"`
	Blocks       []notation.Block `json:"blocks"`
	Category     string           `json:"category"`
	CategoryName string           `json:"categoryName"`
	Keywords     []string         `json:"keywords"`
	Audience     Audience         `json:"audience" enum:"public,staff,units"`
	Units        []UnitName       `json:"units"`
	ValidFrom    string           `json:"validFrom"`
	ValidUntil   string           `json:"validUntil"`
	Source       Source           `json:"source"`
	Change       string           `json:"change"`
	AuthorName   string           `json:"authorName"`
	ReviewerName string           `json:"reviewerName"`
	CreatedAt    time.Time        `json:"createdAt"`
	PublishedAt  *time.Time       `json:"publishedAt,omitempty"`
	EndedAt      *time.Time       `json:"endedAt,omitempty"`
}

// UnitName is a unit concerned.
type UnitName struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// EditionLine is one edition in the list of all.
type EditionLine struct {
	No           int          `json:"no"`
	State        EditionState `json:"state" enum:"draft,review,live,replaced,discarded,withdrawn"`
	Change       string       `json:"change"`
	AuthorName   string       `json:"authorName"`
	ReviewerName string       `json:"reviewerName"`
	CreatedAt    time.Time    `json:"createdAt"`
	PublishedAt  *time.Time   `json:"publishedAt,omitempty"`
}

// Report is what a reader said is wrong.
type Report struct {
	ID          int64      `json:"id"`
	Edition     int        `json:"edition"`
	Reason      string     `json:"reason"`
	TicketID    int64      `json:"ticketId,omitempty"`
	UserName    string     `json:"userName"`
	At          time.Time  `json:"at"`
	Open        bool       `json:"open"`
	Outcome     Outcome    `json:"outcome,omitempty"`
	Note        string     `json:"note,omitempty"`
	SettledName string     `json:"settledName,omitempty"`
	SettledAt   *time.Time `json:"settledAt,omitempty"`
}

// View is an entry with what the actor may see and do. Readers get what is in force; Work, Editions, Reports, Timeline and
// Actions are for those whose entry it is.
type View struct {
	Item
	Shown    EditionView   `json:"shown" doc:"The edition in force, or the one being written where none is."`
	Work     *EditionView  `json:"work,omitempty" doc:"The edition being written beside the one in force."`
	Reason   string        `json:"reason"`
	Editions []EditionLine `json:"editions"`
	Reports  []Report      `json:"reports"`
	Timeline []Moment      `json:"timeline"`
	Actions  []Action      `json:"actions"`
	OwnWork  bool          `json:"ownWork" doc:"The actor may review, but not this edition: they took part in it."`
	Mine     bool          `json:"mine" doc:"The entry is the actor's to write or review."`
}

// Moment is one line of the history.
type Moment struct {
	Kind    string    `json:"kind"`
	Label   string    `json:"label"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Edition int       `json:"edition,omitempty"`
	Text    string    `json:"text,omitempty"`
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

func (t Text) source() Source { return Source{t.SourceKind, t.SourceTitle, t.SourceNumber} }

func (k *Entry) item(names map[string]string, today string) Item {
	i := Item{
		ID: k.ID, Version: k.Version, Title: k.Title, Question: k.Question, Category: k.Category, CategoryName: names[k.Category], Audience: k.Audience,
		Status: k.Status, Live: k.Live, Over: k.Over(today), Coming: k.Coming(today), Keywords: k.Keywords, ValidFrom: k.From, ValidUntil: k.Until,
		Source: k.source(), OwnerName: k.OwnerName, UnitID: k.UnitID, UnitName: k.UnitName, Uses: k.Uses, Useful: k.Useful, OpenReports: k.OpenReports,
		PublishedAt: utc(k.PublishedAt), UpdatedAt: k.UpdatedAt.UTC(),
	}
	return i
}

// readBy is the item as the actor may know of it: to readers an entry in force is published, whatever is written beside it.
func (i Item) readBy(actor access.Actor, k *Entry) Item {
	if k.Live > 0 && !edits(actor, k) {
		i.Status = Published
	}
	return i
}

// excerpt is how much of an answer a search shows, in characters.
const excerpt = 90

func (k *Entry) found(names map[string]string, q search.Query) Found {
	plain := notation.Plain(k.Answer)
	return Found{
		ID: k.ID, Title: k.Title, Marks: q.Mark(k.Title), Question: k.Question, Excerpt: q.Excerpt(strings.ReplaceAll(plain, "\n", " "), excerpt), Plain: plain,
		CategoryName: names[k.Category], Audience: k.Audience, Source: k.source(), UnitName: k.UnitName, Uses: k.Uses, Edition: k.Live, ValidUntil: k.Until,
	}
}

func (d *Edition) view(w words) EditionView {
	v := EditionView{
		No: d.No, State: d.State, Title: d.Title, Question: d.Question, Answer: d.Answer, Blocks: notation.Blocks(d.Answer), Category: d.Category,
		CategoryName: w.matters[d.Category], Keywords: d.Keywords, Audience: d.Audience, Units: []UnitName{}, ValidFrom: d.From, ValidUntil: d.Until,
		Source: d.source(), Change: d.Change, AuthorName: d.AuthorName, ReviewerName: d.ReviewerName, CreatedAt: d.CreatedAt.UTC(),
		PublishedAt: utc(d.PublishedAt), EndedAt: utc(d.EndedAt),
	}
	for i, name := range w.unitList(d.UnitIDs) {
		v.Units = append(v.Units, UnitName{d.UnitIDs[i], name})
	}
	return v
}

// words reads the names of matters and units.
func (s *Service) words(ctx context.Context, db bun.IDB) (words, error) {
	names, err := s.names(ctx)
	if err != nil {
		return words{}, err
	}
	list, err := s.units.Units(ctx, db)
	w := words{matters: names, units: make(map[int64]string, len(list))}
	for _, u := range list {
		w.units[u.ID] = u.Name
	}
	return w, err
}

// view gathers what the actor sees of an entry.
func (s *Service) view(ctx context.Context, db bun.IDB, actor access.Actor, k *Entry) (View, error) {
	w, err := s.words(ctx, db)
	if err != nil {
		return View{}, err
	}
	v := View{Item: k.item(w.matters, s.today()).readBy(actor, k), Editions: []EditionLine{}, Reports: []Report{}, Timeline: []Moment{}, Actions: []Action{}, Mine: edits(actor, k)}
	work, err := edition(ctx, db, k.ID, k.Work)
	if err != nil {
		return View{}, err
	}
	live, err := edition(ctx, db, k.ID, k.Live)
	if err != nil {
		return View{}, err
	}
	switch {
	case live != nil:
		v.Shown = live.view(w)
	case work != nil:
		v.Shown = work.view(w)
	default:
		last, err := newest(ctx, db, k.ID)
		if err != nil {
			return View{}, err
		}
		v.Shown = last.view(w)
	}
	if !v.Mine {
		v.OpenReports = 0
		return v, nil
	}
	v.Reason = k.Reason
	if work != nil && live != nil {
		shown := work.view(w)
		v.Work = &shown
	}
	for _, st := range lifecycle {
		if st.From != k.Status || st.Live && k.Live == 0 || may(actor, k, st.Action) != nil {
			continue
		}
		if st.Action == ToPublish && work.Worked(actor.UserID) || st.Action == ToConfirm && live.Worked(actor.UserID) {
			v.OwnWork = true
			continue
		}
		v.Actions = append(v.Actions, st.Action)
	}
	if err := s.history(ctx, db, k, &v); err != nil {
		return View{}, err
	}
	return v, nil
}

// history reads the editions, the reports and what happened.
func (s *Service) history(ctx context.Context, db bun.IDB, k *Entry, v *View) error {
	var all []Edition
	if err := db.NewSelect().Model(&all).ExcludeColumn("question", "answer").Where("d.entry_id = ?", k.ID).OrderExpr("d.no DESC").Limit(200).Scan(ctx); err != nil {
		return fmt.Errorf("editions: %w", err)
	}
	for _, d := range all {
		v.Editions = append(v.Editions, EditionLine{d.No, d.State, d.Change, d.AuthorName, d.ReviewerName, d.CreatedAt.UTC(), utc(d.PublishedAt)})
	}
	var reports []feedback
	if err := db.NewSelect().Model(&reports).Where("f.entry_id = ? AND f.wrong", k.ID).OrderExpr("f.id DESC").Limit(50).Scan(ctx); err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	for i := range reports {
		v.Reports = append(v.Reports, reports[i].view())
	}
	events, err := event.Of(ctx, db, Object, k.ID)
	if err != nil {
		return err
	}
	for _, e := range events {
		var told struct {
			Edition int    `json:"edition"`
			Reason  string `json:"reason"`
			Until   string `json:"until"`
		}
		if err := e.Decode(&told); err != nil {
			return err
		}
		m := Moment{Kind: e.Type, Label: labels[e.Type], At: e.At.UTC(), Actor: e.By(), Edition: told.Edition, Text: told.Reason}
		if told.Until != "" {
			m.Text = "有效期延至 " + told.Until
		}
		v.Timeline = append(v.Timeline, m)
	}
	return nil
}

func (f *feedback) view() Report {
	return Report{f.ID, f.No, f.Reason, f.TicketID, f.UserName, f.At.UTC(), f.Open, f.Outcome, f.Note, f.SettledName, utc(f.SettledAt)}
}

// Edition returns one edition of an entry: those in force to its readers, the others to those whose entry it is.
func (s *Service) Edition(ctx context.Context, actor access.Actor, id int64, no int) (EditionView, error) {
	d, w, err := s.editionOf(ctx, actor, id, no)
	if err != nil {
		return EditionView{}, err
	}
	return d.view(w), nil
}

func (s *Service) editionOf(ctx context.Context, actor access.Actor, id int64, no int) (*Edition, words, error) {
	if err := need(actor, PermView, PermEdit, PermReview); err != nil {
		return nil, words{}, err
	}
	db := s.db.Read()
	k, err := find(ctx, db, actor, s.today(), id)
	if err != nil {
		return nil, words{}, err
	}
	if no <= 0 || !edits(actor, k) && no != k.Live {
		return nil, words{}, ErrNotFound
	}
	d, err := edition(ctx, db, id, no)
	if err != nil {
		return nil, words{}, err
	}
	w, err := s.words(ctx, db)
	return d, w, err
}

// Diff tells what differs between two editions of an entry, for those whose entry it is.
func (s *Service) Diff(ctx context.Context, actor access.Actor, id int64, from, to int) ([]Change, error) {
	a, w, err := s.editionOf(ctx, actor, id, from)
	if err != nil {
		return nil, err
	}
	b, _, err := s.editionOf(ctx, actor, id, to)
	if err != nil {
		return nil, err
	}
	return compare(a.Text, b.Text, w), nil
}
