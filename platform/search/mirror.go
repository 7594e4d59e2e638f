package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/secret"
)

// Engine is an outside search engine as a Mirror uses it; an integration speaks to the real one. Every change returns when
// it can be searched, and every error leaves the caller free to try the same again.
type Engine interface {
	// Create makes an empty index, in the place of one of that name.
	Create(ctx context.Context, name string) error
	// Put adds documents or replaces those of their ids.
	Put(ctx context.Context, name string, docs []Copy) error
	// Delete takes documents out; those that are not there are no error.
	Delete(ctx context.Context, name string, ids []int64) error
	// Swap exchanges two indexes in one step. The first is made empty before when it is not there.
	Swap(ctx context.Context, a, b string) error
	// Drop takes an index away; one that is not there is no error.
	Drop(ctx context.Context, name string) error
	// Label returns what the document with id 0 carries, "" when it is not there.
	Label(ctx context.Context, name string) (string, error)
	// Find returns up to limit ids that hold the words and one of the marks, below before when it is not 0, newest first.
	Find(ctx context.Context, name string, words Query, scope []string, before int64, limit int) ([]int64, error)
}

// Copy is a document as an outside engine holds it: split here, so that it finds what the databases find. Text holds pairs
// and words in their order; Words each longer word and all its beginnings.
type Copy struct {
	ID    int64    `json:"id"`
	Text  string   `json:"text"`
	Words string   `json:"words"`
	Scope []string `json:"scope"`
	Label string   `json:"label,omitempty"`
}

// maxBeginnings is how many characters of a word its beginnings reach.
const maxBeginnings = 24

func copyOf(d Doc) Copy {
	c := Copy{ID: d.ID, Scope: d.Scope}
	var texts, words []string
	seen := map[string]bool{}
	for _, t := range d.Texts {
		texts = append(texts, Tokens(t))
		for _, r := range runs(t) {
			for n := 2; r.prefix() && n <= len(r.runes) && (n <= maxBeginnings || n == len(r.runes)); n++ {
				if w := string(r.runes[:n]); !seen[w] {
					seen[w] = true
					words = append(words, w)
				}
			}
		}
	}
	c.Text, c.Words = strings.Join(texts, " "+pause+" "), strings.Join(words, " ")
	if c.Scope == nil {
		c.Scope = []string{}
	}
	return c
}

// Phrases returns the query for an engine that holds Copies: each must be found as it stands, in Text or in Words.
func (q Query) Phrases() []string {
	out := make([]string, len(q.runs))
	for i, r := range q.runs {
		out[i] = strings.Join(r.tokens(), " ")
	}
	return out
}

// mirrorRow is what the database knows of the copy outside.
type mirrorRow struct {
	bun.BaseModel `bun:"table:search_mirrors,alias:sm"`

	Kind       string     `bun:"kind,pk"`
	Label      string     `bun:"label,notnull"`       // of the copy in use; "" before the first
	Build      string     `bun:"build,notnull"`       // label of the copy that is being made; "" when none is
	BuildAfter int64      `bun:"build_after,notnull"` // its documents are sent up to this id
	BeatAt     *time.Time `bun:"beat_at"`             // last sign of life of who makes it
	BuiltAt    *time.Time `bun:"built_at"`
}

// dirtyRow is a document that changed and is not sent yet.
type dirtyRow struct {
	bun.BaseModel `bun:"table:search_dirty,alias:sd"`

	Kind  string    `bun:"kind,pk"`
	DocID int64     `bun:"doc_id,pk"`
	At    time.Time `bun:"at,notnull"`  // of the first change that is not sent
	Rev   int64     `bun:"rev,notnull"` // counts the changes
}

type mirror20261128 struct {
	bun.BaseModel `bun:"table:search_mirrors"`

	Kind       string     `bun:"kind,pk"`
	Label      string     `bun:"label,notnull"`
	Build      string     `bun:"build,notnull"`
	BuildAfter int64      `bun:"build_after,notnull"`
	BeatAt     *time.Time `bun:"beat_at"`
	BuiltAt    *time.Time `bun:"built_at"`
}

type dirty20261128 struct {
	bun.BaseModel `bun:"table:search_dirty"`

	Kind  string    `bun:"kind,pk"`
	DocID int64     `bun:"doc_id,pk"`
	At    time.Time `bun:"at,notnull"`
	Rev   int64     `bun:"rev,notnull"`
}

// The bounds of a mirror. A copy that lies further behind than maxDirty documents or maxAge is not asked.
const (
	maxDirty   = 500
	maxAge     = 2 * time.Minute
	sendBatch  = 200
	buildBatch = 500
	silent     = time.Minute // a build whose maker is silent for so long is taken over
	recheck    = 10 * time.Second
	idle       = 2 * time.Second
	pauseAfter = 5 * time.Second
)

// ErrUntrusted is why an outside engine is not asked although it answers: its copy is not ours, not whole or old.
var ErrUntrusted = errors.New("search: the copy outside is not to be trusted")

// Mirror keeps a copy of an index in an outside engine, fed from the events of its documents, and finds documents there.
// The events only note which documents changed; the notes stay until the engine has taken what the document is by then, so
// that a kill loses nothing and what happens twice is harmless.
type Mirror struct {
	DB     *database.DB
	Clock  clock.Clock
	Log    *slog.Logger
	Source Source
	Engine Engine
	// Name is that of the outside index: "huiqi_ticket".
	Name string

	mu      sync.Mutex
	checked time.Time
	trouble error
	bell    chan struct{}
	once    sync.Once
}

func (m *Mirror) init() { m.once.Do(func() { m.bell = make(chan struct{}, 1) }) }

func (m *Mirror) next() string { return m.Name + "_next" }

// label names a copy: how it was split, and which one it is.
func (m *Mirror) label() string { return m.Source.layout() + "#" + secret.Token()[:12] }

func (m *Mirror) current(label string) bool {
	return strings.HasPrefix(label, m.Source.layout()+"#")
}

// Listener notes the documents whose events it hears.
func (m *Mirror) Listener() event.Listener {
	m.init()
	return event.Listener{Name: "search." + m.Source.Kind, Handle: func(ctx context.Context, tx bun.Tx, e event.Event) error {
		if e.Object != m.Source.Object {
			return nil
		}
		row := dirtyRow{Kind: m.Source.Kind, DocID: e.ObjectID, At: m.Clock.Now(), Rev: 1}
		_, err := tx.NewInsert().Model(&row).On("CONFLICT (kind, doc_id) DO UPDATE").Set("rev = sd.rev + 1").Exec(ctx)
		database.AfterCommit(tx, func() {
			select {
			case m.bell <- struct{}{}:
			default:
			}
		})
		return err
	}}
}

// Run sends what changed until ctx ends, and makes or finishes the copy where it is missing.
func (m *Mirror) Run(ctx context.Context) error {
	m.init()
	for {
		wait := idle
		for {
			more, err := m.Step(ctx)
			if err != nil && ctx.Err() == nil {
				m.Log.Warn("search outside: the copy is not brought up to date", "kind", m.Source.Kind, "error", err)
				wait = pauseAfter
			}
			if !more || err != nil {
				break
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-m.bell:
			if wait == pauseAfter {
				<-timer.C // an engine that is away is not asked at each change
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Step does one piece of work and reports whether there may be more.
func (m *Mirror) Step(ctx context.Context) (bool, error) {
	row, err := m.row(ctx, m.DB.Read())
	if err != nil {
		return false, err
	}
	switch {
	case row.Build != "":
		if row.BeatAt != nil && m.Clock.Now().Sub(*row.BeatAt) < silent {
			return false, nil // somebody makes a new copy; the notes wait for it
		}
		return true, m.build(ctx, row, nil)
	case row.Label == "" || !m.current(row.Label):
		return true, m.Rebuild(ctx, nil)
	}
	var dirty []dirtyRow
	err = m.DB.Read().NewSelect().Model(&dirty).Where("sd.kind = ?", m.Source.Kind).OrderExpr("sd.at, sd.doc_id").Limit(sendBatch).Scan(ctx)
	if err != nil || len(dirty) == 0 {
		return false, err
	}
	if err := m.send(ctx, dirty); err != nil {
		return false, err
	}
	return len(dirty) == sendBatch, m.settle(ctx, dirty)
}

// send brings the documents outside as they are now.
func (m *Mirror) send(ctx context.Context, dirty []dirtyRow) error {
	ids := make([]int64, len(dirty))
	for i, d := range dirty {
		ids[i] = d.DocID
	}
	docs, err := m.Source.Docs(ctx, m.DB.Read(), func(q *bun.SelectQuery, id string) *bun.SelectQuery { return q.Where(id+" IN (?)", bun.List(ids)) })
	if err != nil {
		return err
	}
	copies := make([]Copy, 0, len(docs))
	for _, d := range docs {
		copies = append(copies, copyOf(d))
		ids = slices.DeleteFunc(ids, func(id int64) bool { return id == d.ID })
	}
	if len(copies) > 0 {
		if err := m.Engine.Put(ctx, m.Name, copies); err != nil {
			return err
		}
	}
	if len(ids) > 0 {
		return m.Engine.Delete(ctx, m.Name, ids)
	}
	return nil
}

// settle takes the notes away, but those of documents that changed again meanwhile, and those sent into a copy that is on
// its way out.
func (m *Mirror) settle(ctx context.Context, dirty []dirtyRow) error {
	return m.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row, err := m.hold(ctx, tx)
		if err != nil || row.Build != "" {
			return err
		}
		for _, d := range dirty {
			if _, err := tx.NewDelete().Model((*dirtyRow)(nil)).Where("kind = ? AND doc_id = ? AND rev = ?", d.Kind, d.DocID, d.Rev).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *Mirror) row(ctx context.Context, db bun.IDB) (mirrorRow, error) {
	row := mirrorRow{Kind: m.Source.Kind}
	var rows []mirrorRow
	if err := db.NewSelect().Model(&rows).Where("sm.kind = ?", m.Source.Kind).Scan(ctx); err != nil || len(rows) == 0 {
		return row, err
	}
	return rows[0], nil
}

// hold reads the row and keeps others off until the transaction ends.
func (m *Mirror) hold(ctx context.Context, tx bun.Tx) (mirrorRow, error) {
	row := mirrorRow{Kind: m.Source.Kind}
	if _, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return row, err
	}
	q := tx.NewSelect().Model(&row).WherePK()
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	return row, q.Scan(ctx)
}

// Rebuild makes a new copy of all documents beside the one in use and puts it in its place. What changes meanwhile is noted
// and sent to the new one. A rebuild that was killed is finished by Run, from where it was. progress may be nil.
func (m *Mirror) Rebuild(ctx context.Context, progress func(done int)) error {
	var row mirrorRow
	err := m.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		if row, err = m.hold(ctx, tx); err != nil {
			return err
		}
		now := m.Clock.Now()
		row.Build, row.BuildAfter, row.BeatAt = m.label(), 0, &now
		_, err = tx.NewUpdate().Model(&row).WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return m.build(ctx, row, progress)
}

func (m *Mirror) build(ctx context.Context, row mirrorRow, progress func(done int)) error {
	if row.BuildAfter == 0 {
		if err := m.Engine.Create(ctx, m.next()); err != nil {
			return fmt.Errorf("make a copy outside: %w", err)
		}
	}
	for done := 0; ; {
		docs, err := m.Source.Docs(ctx, m.DB.Read(), func(q *bun.SelectQuery, id string) *bun.SelectQuery {
			return q.Where(id+" > ?", row.BuildAfter).OrderExpr(id).Limit(buildBatch)
		})
		if err != nil {
			return err
		}
		if len(docs) == 0 {
			break
		}
		copies := make([]Copy, 0, len(docs))
		for _, d := range docs {
			copies = append(copies, copyOf(d))
		}
		if err := m.Engine.Put(ctx, m.next(), copies); err != nil {
			return fmt.Errorf("fill the copy outside: %w", err)
		}
		row.BuildAfter = docs[len(docs)-1].ID
		if err := m.beat(ctx, row); err != nil {
			return err
		}
		if done += len(docs); progress != nil {
			progress(done)
		}
	}
	// The label last: a copy that carries it is whole.
	if err := m.Engine.Put(ctx, m.next(), []Copy{{Label: row.Build, Scope: []string{}}}); err != nil {
		return err
	}
	if err := m.beat(ctx, row); err != nil {
		return err
	}
	// A build that died between the swap and its record finds its own label in use and must not swap back.
	label, err := m.Engine.Label(ctx, m.Name)
	if err != nil {
		return err
	}
	if label != row.Build {
		if err := m.Engine.Swap(ctx, m.Name, m.next()); err != nil {
			return fmt.Errorf("swap in the copy outside: %w", err)
		}
	}
	err = m.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now, err := m.hold(ctx, tx)
		if err != nil {
			return err
		}
		if now.Build != row.Build {
			return ErrTaken
		}
		at := m.Clock.Now()
		now.Label, now.Build, now.BuildAfter, now.BeatAt, now.BuiltAt = row.Build, "", 0, nil, &at
		_, err = tx.NewUpdate().Model(&now).WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	m.forget()
	return m.Engine.Drop(ctx, m.next())
}

// beat keeps how far a build is; ErrTaken when another one has begun.
func (m *Mirror) beat(ctx context.Context, row mirrorRow) error {
	return m.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now, err := m.hold(ctx, tx)
		if err != nil {
			return err
		}
		if now.Build != row.Build {
			return ErrTaken
		}
		at := m.Clock.Now()
		now.BuildAfter, now.BeatAt = row.BuildAfter, &at
		_, err = tx.NewUpdate().Model(&now).WherePK().Exec(ctx)
		return err
	})
}

// Lag is how the copy outside stands.
type Lag struct {
	Kind     string     `json:"kind"`
	BuiltAt  *time.Time `json:"builtAt,omitempty"`
	Building bool       `json:"building"`
	Waiting  int        `json:"waiting"` // changed documents that are not sent, counted to 501 at most
	Oldest   *time.Time `json:"oldest,omitempty"`
	// Trouble says why the copy is not asked, "" when it is.
	Trouble string `json:"trouble,omitempty"`
}

// Lag tells how far the copy lies behind and whether it is asked, for the health of the installation.
func (m *Mirror) Lag(ctx context.Context) (Lag, error) {
	row, err := m.row(ctx, m.DB.Read())
	if err != nil {
		return Lag{}, err
	}
	l := Lag{Kind: m.Source.Kind, BuiltAt: row.BuiltAt, Building: row.Build != ""}
	dirty, err := m.dirty(ctx)
	if err != nil {
		return l, err
	}
	if l.Waiting = len(dirty); l.Waiting > 0 {
		l.Oldest = &dirty[0].At
	}
	if err := m.trusted(ctx, dirty); err != nil {
		l.Trouble = err.Error()
	}
	return l, nil
}

// dirty reads the notes, the oldest first, no more than tell that there are too many.
func (m *Mirror) dirty(ctx context.Context) ([]dirtyRow, error) {
	var rows []dirtyRow
	err := m.DB.Read().NewSelect().Model(&rows).Where("sd.kind = ?", m.Source.Kind).OrderExpr("sd.at, sd.doc_id").Limit(maxDirty + 1).Scan(ctx)
	return rows, err
}

// trusted returns why the copy must not be asked. Whose it is and whether it is whole is looked up every ten seconds.
func (m *Mirror) trusted(ctx context.Context, dirty []dirtyRow) error {
	now := m.Clock.Now()
	if len(dirty) > maxDirty || len(dirty) > 0 && now.Sub(dirty[0].At) > maxAge {
		return fmt.Errorf("%w: it lies too far behind", ErrUntrusted)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.checked.IsZero() && now.Sub(m.checked) < recheck && !now.Before(m.checked) {
		return m.trouble
	}
	m.checked, m.trouble = now, nil
	row, err := m.row(ctx, m.DB.Read())
	if err == nil && !m.current(row.Label) {
		err = fmt.Errorf("%w: it is not made yet, or by another version", ErrUntrusted)
	}
	if err == nil {
		var label string
		if label, err = m.Engine.Label(ctx, m.Name); err == nil && label != row.Label {
			err = fmt.Errorf("%w: what is there is not what this installation made; run huiqi search rebuild --outside", ErrUntrusted)
		}
	}
	m.trouble = err
	return err
}

func (m *Mirror) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checked = time.Time{}
}

var _ Outside = (*Mirror)(nil)

// Hits implements Outside. Documents that changed and are not sent yet are among the hits: the database looks at them.
func (m *Mirror) Hits(ctx context.Context, kind string, words Query, scope []string, before int64, limit int) ([]int64, error) {
	if kind != m.Source.Kind {
		return nil, fmt.Errorf("search outside: no copy of %s", kind)
	}
	dirty, err := m.dirty(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.trusted(ctx, dirty); err != nil {
		return nil, err
	}
	ids, err := m.Engine.Find(ctx, m.Name, words, scope, before, limit)
	if err != nil {
		return nil, err
	}
	edge := int64(0) // below it the engine was not asked
	if len(ids) >= limit && limit > 0 {
		edge = ids[len(ids)-1]
	}
	for _, d := range dirty {
		if d.DocID > edge && (before == 0 || d.DocID < before) {
			ids = append(ids, d.DocID)
		}
	}
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Compare(b, a) })
	return slices.Compact(ids), nil
}
