package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/sync/singleflight"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Provider is an institution as its products show it.
type Provider struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	KindName string `json:"kindName"`
	Summary  string `json:"summary"`
	Phone    string `json:"phone"`
	Address  string `json:"address"`
	Active   bool   `json:"-"`
}

// Institutions tells about the institutions.
type Institutions interface {
	// Institution returns fault.ErrNotFound for an unknown one.
	Institution(ctx context.Context, db bun.IDB, id int64) (Provider, error)
}

// Deps is what the module needs.
type Deps struct {
	DB           *database.DB
	Clock        clock.Clock
	Institutions Institutions
	// RateLimit is the rate above which a loan is pointed out; the zero value points out none.
	RateLimit RateLimit
	// Reviews tells what reviews go by; nil for two days and the first reasons.
	Reviews Reviews
	// Ratings tells what those who were served say; nil orders nothing by it.
	Ratings Ratings
	// Deputies tells who reviews for somebody on leave; nil: nobody does.
	Deputies Deputies
	// Uses tells what came of products elsewhere; nil counts views only.
	Uses Uses
	// Applied counts what companies applied for of an edition; nil: nothing is applied for.
	Applied func(ctx context.Context, db bun.IDB, productID, edition int64) (int, error)
	// Blind hashes with a key what tells visitors apart; nil counts only those who are signed in.
	Blind func(text string) string
	Log   *slog.Logger
	// ApplyURL is the address of the page on which a company applies, with %d for the product; empty while there is none.
	ApplyURL string
	// Beside is what another module shows on the public page of a product; nil shows nothing.
	Beside func(ctx context.Context, productID, institutionID int64) (page.Panel, error)
	// Files keeps pictures and attachments; nil takes none.
	Files Files
	// Fields tells what administrators ask of products beside the rest; nil asks nothing.
	Fields Fields
	// Companies, Schema and Options are what recommendations go by; without Companies nobody is recommended anything.
	Companies Companies
	Schema    criteria.Schema
	Options   SuitOptions
}

// Service is the catalogue.
type Service struct {
	Deps

	pool   pool
	thumbs singleflight.Group
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Institutions == nil {
		panic("catalog: Deps is not complete")
	}
	if d.Reviews == nil {
		d.Reviews = plainReviews{}
	}
	if d.Deputies == nil {
		d.Deputies = noDeputies{}
	}
	return &Service{Deps: d}
}

// Get returns the product as those who work on it see it, ErrNotFound when the actor may not.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if err := actor.Need(PermView); err != nil {
		return View{}, err
	}
	db := s.DB.Read()
	d, err := find(ctx, db, visible(actor, s.Clock.Now()), id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, db, actor, d)
}

// Sees returns nil when the actor may see the product, ErrNotFound when they may not.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := find(ctx, s.DB.Read(), visible(actor, s.Clock.Now()), id)
	return err
}

// ListFilter narrows a list within what the actor may see.
type ListFilter struct {
	Statuses      []Status
	Kind          string
	InstitutionID int64
	Query         string // part of the name or of the institution's
	Shown         bool   // only what has a public edition
	Extra         string // conditions on the fields administrators define, one a line: see form.ReadFilters
	// Waiting keeps what waits for the actor's own work, oldest first; it overrules Statuses.
	Waiting bool
	Cursor  string
	Limit   int

	conditions []form.Filter
	reviewer   int64 // leaves out what this person submitted or passed
}

// List returns a page of the products the actor may see, for those who work on them, and the cursor of the next page.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]Item, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	for _, st := range f.Statuses {
		if st.Label() == "" {
			return nil, "", fault.InvalidField("status", "PRODUCT_STATUS", "没有这种产品状态，请重新选择")
		}
	}
	after, err := readPosition(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	f.Query = strings.TrimSpace(f.Query)
	if f.Waiting {
		lent, err := s.Deputies.Lent(ctx, s.DB.Read(), actor)
		if err != nil {
			return nil, "", err
		}
		if f.Statuses = waitingFor(lent.With(actor)); len(f.Statuses) == 0 {
			return []Item{}, "", nil
		}
		if isDesk(actor) {
			f.reviewer = actor.UserID
		}
	}
	if f.conditions, err = s.conditions(ctx, s.DB.Read(), f.Extra); err != nil {
		return nil, "", err
	}
	rows, err := list(ctx, s.DB.Read(), visible(actor, s.Clock.Now()), f, after, f.Limit+1)
	if err != nil {
		return nil, "", err
	}
	cursor := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		cursor = position{at: last.StatusAt, id: last.ID}.String()
	}
	items := make([]Item, 0, len(rows))
	for i := range rows {
		items = append(items, rows[i].item(s.Clock.Now()))
	}
	return items, cursor, nil
}

// String is the position as a cursor.
func (p position) String() string {
	n := p.n
	if !p.at.IsZero() {
		n = p.at.UnixMicro()
	}
	return fmt.Sprintf("%d.%d", n, p.id)
}

// readPosition reads a cursor; the empty one is the beginning.
func readPosition(cursor string) (position, error) {
	if cursor == "" {
		return position{}, nil
	}
	first, second, _ := strings.Cut(cursor, ".")
	n, err := strconv.ParseInt(first, 10, 64)
	id, err2 := strconv.ParseInt(second, 10, 64)
	if err != nil || err2 != nil || id <= 0 {
		return position{}, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	return position{at: time.UnixMicro(n).UTC(), n: n, id: id}, nil
}

// Ref names the product a command is about.
type Ref struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // the version the actor saw; a newer one is a conflict
	Key     string `json:"-"`       // idempotency key; the same key answers with the first outcome
}

// effect is what a command did, for the books.
type effect struct {
	about   *Edition
	fact    func(Head) event.Fact
	summary string
	detail  any
	public  bool // what the public sees has changed
}

// outcome is what a repeat of a command needs to answer the same.
type outcome struct {
	ID int64 `json:"id"`
}

// change is the frame of every command on a product: key, product, version, right, step, full text, event, audit, in one
// transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, action Action, ref Ref, request any, step func(d *dossier, now time.Time) (effect, error)) error {
	return s.changeWith(ctx, actor, action, ref, request, func(_ context.Context, _ bun.Tx, _ access.Lent, d *dossier, now time.Time) (effect, error) {
		return step(d, now)
	})
}

// changeWith is change for a step that reads more than the product.
func (s *Service) changeWith(ctx context.Context, actor access.Actor, action Action, ref Ref, request any,
	step func(ctx context.Context, tx bun.Tx, lent access.Lent, d *dossier, now time.Time) (effect, error),
) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		lent, err := s.lent(ctx, tx, actor, action) // as it stands now: a delegation may have ended
		if err != nil {
			return err
		}
		_, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "product." + string(action), Key: ref.Key, Request: request, Now: now}, func() (outcome, error) {
			d, err := find(ctx, tx, visible(actor, now), ref.ID)
			if err != nil {
				return outcome{}, err
			}
			// The version first: a reviewer who comes second must read who was first, not that the next step is not theirs.
			// A product and its edition that differ were read around somebody's commit.
			if d.Version != ref.Version || d.Status != d.newest.Status {
				return outcome{}, stale(ctx, tx, actor, d.ID)
			}
			d.by = d.hand(lent, actor, action)
			if !may(d.by, d, action) {
				return outcome{}, ErrForbidden
			}
			before, stood, was := *d, d.Status, d.kept()
			e, err := step(ctx, tx, lent, d, now)
			if err != nil {
				return outcome{}, err
			}
			if action == ToRevise { // from what is in force, which the platform may have changed
				is, err := suitsInForce(ctx, tx, d.ID)
				if err != nil {
					return outcome{}, err
				}
				if is != nil {
					if d.newest.Suits, err = readSuits(is.Suits); err != nil {
						return outcome{}, err
					}
				}
			}
			if err := s.await(ctx, tx, d, stood); err != nil {
				return outcome{}, err
			}
			if err := save(ctx, tx, d, ref.Version); errors.Is(err, fault.ErrChanged) {
				return outcome{}, stale(ctx, tx, actor, d.ID)
			} else if err != nil {
				return outcome{}, err
			}
			if err := saveEditions(ctx, tx, &before, d); err != nil {
				return outcome{}, err
			}
			if action == ToEdit {
				if err := s.keepValues(ctx, tx, d); err != nil {
					return outcome{}, err
				}
				if err := s.keepFiles(ctx, tx, actor, d); err != nil {
					return outcome{}, err
				}
			}
			if stood != Public && d.Status == Public {
				if err := s.listSuits(ctx, tx, d.newest, now); err != nil {
					return outcome{}, err
				}
			}
			if e.public {
				if err := index(ctx, tx, d.Product, e.shown(d)); err != nil {
					return outcome{}, err
				}
			}
			told, err := event.Append(ctx, tx, d.by, now, e.fact(d.head(e.about)))
			if err != nil {
				return outcome{}, err
			}
			if action == ToPass || action == ToReturn {
				if err := remember(ctx, tx, d, was, told); err != nil {
					return outcome{}, err
				}
			}
			return outcome{d.ID}, audit.Write(ctx, tx, d.by, now, e.record(action, d.ID))
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s product %d: %w", action, ref.ID, err)
	}
	return nil
}

// record is the line of the audit log.
func (e effect) record(action Action, id int64) audit.Record {
	return audit.Record{Action: "product." + string(action), Object: Object, ObjectID: id, Summary: e.summary + " " + e.about.Name, Detail: e.detail}
}

// shown is the edition that is public after the command.
func (e effect) shown(d *dossier) *Edition {
	switch d.Shown {
	case 0:
		return nil
	case d.newest.Number:
		return d.newest
	}
	return d.public
}

// saveEditions writes the editions that a command may have touched.
func saveEditions(ctx context.Context, tx bun.Tx, before, after *dossier) error {
	if after.newest.Number != before.newest.Number {
		if _, err := tx.NewInsert().Model(after.newest).Exec(ctx); err != nil {
			return fmt.Errorf("insert edition: %w", err)
		}
	} else if err := saveEdition(ctx, tx, after.newest); err != nil {
		return err
	}
	for _, e := range []*Edition{before.public, after.public} { // the same, none, or one that replaced or gave way to the other
		if e != nil && e != after.newest {
			if err := saveEdition(ctx, tx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayEver reports whether the actor has the right to the action on some product in some state.
func mayEver(a access.Actor, action Action) bool {
	if action == ToRecommend {
		return isDesk(a) && a.Can(PermReviewPlatform)
	}
	if action == ToUndo { // who may is a matter of the decision and the time
		return isDesk(a)
	}
	for _, t := range Lifecycle() {
		if t.Action != action {
			continue
		}
		switch r := RightOf(t.From, action); r.Side {
		case Owner:
			if a.Party == access.Institution && a.InstitutionID != 0 && a.Can(r.Permission) {
				return true
			}
		case Desk:
			if isDesk(a) && a.Can(r.Permission) {
				return true
			}
		case Machine:
			if a.Party == access.System {
				return true
			}
		}
	}
	return false
}

// stale says what changed meanwhile, who did it and when.
func stale(ctx context.Context, tx bun.Tx, actor access.Actor, id int64) error {
	events, err := event.Of(ctx, tx, Object, id)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return ErrStale
	}
	step, err := stepOf(events[len(events)-1])
	if err != nil {
		return err
	}
	who := step.Actor
	if who == "" || actor.Party == access.Institution && step.staff {
		who = "工作人员"
	}
	return ErrStale.With("产品已更新：%s于%s进行了“%s”，请刷新后再办理", who, clock.Show(step.At), step.Label)
}
