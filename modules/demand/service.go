package demand

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/secret"
)

// Offer is a listed product. Amounts are fen, terms months; 0 where the product sets no limit.
type Offer struct {
	ID              int64  `json:"id"`
	Name            string `json:"name"`
	Kind            string `json:"kind"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	AmountMin       int64  `json:"amountMin"`
	AmountMax       int64  `json:"amountMax"`
	TermMin         int    `json:"termMin"`
	TermMax         int    `json:"termMax"`
}

// Fit is a listed product of a kind with what it asks of a company, as far as that is known of one.
type Fit struct {
	Offer
	// Met and Open are what the product asks and the company meets, and what is not known of the company: in one word each.
	Met, Open []string
}

// Offers tells what is listed.
type Offers interface {
	// Product returns a listed product, fault.ErrNotFound otherwise.
	Product(ctx context.Context, db bun.IDB, id int64) (Offer, error)
	// Of lists the listed products of an institution and a kind.
	Of(ctx context.Context, db bun.IDB, institutionID int64, kind string) ([]Offer, error)
	// Fitting lists the listed products of a kind that ask nothing the company is known not to meet, the best first.
	// A service is wanted at a place; when it names one that is known, the products are asked about it and not about the company's seat.
	Fitting(ctx context.Context, db bun.IDB, kind string, enterpriseID int64, place string) ([]Fit, error)
	// Ratings are what companies say of the products, of those that have been evaluated.
	Ratings(ctx context.Context, db bun.IDB, products []int64) (map[int64]Rating, error)
	// Institution names an institution in service, fault.ErrNotFound otherwise.
	Institution(ctx context.Context, db bun.IDB, id int64) (string, error)
}

// Rating is what those who were served say of a product, in hundredths of a level.
type Rating struct {
	Score       int64 // by which products are ordered: few evaluations count less than many
	Mean, Count int64
}

// Company is who posts.
type Company struct {
	Name     string
	Verified bool
}

// Companies tells about companies.
type Companies interface {
	Brief(ctx context.Context, db bun.IDB, enterpriseID int64) (Company, error)
}

// Contacts tells how a person with an account is reached.
type Contacts interface {
	Contact(ctx context.Context, db bun.IDB, userID int64) (name, phone string, err error)
}

// Order is what becomes an application.
type Order struct {
	ProductID   int64
	Amount      int64
	Term        int
	Purpose     string
	ContactName string
	Phone       string
	Portal      bool // sent from the portal
}

// Made is the application that came of an order.
type Made struct {
	ID     int64
	Number string
}

// Applications makes applications.
type Applications interface {
	// Make makes an application of the actor's company in the transaction. What hinders it is a fault for the actor.
	Make(ctx context.Context, tx bun.Tx, actor access.Actor, o Order) (Made, error)
	// Sees returns fault.ErrNotFound for an application the actor may not see.
	Sees(ctx context.Context, actor access.Actor, id int64) error
}

// Reviews is what the review goes by.
type Reviews interface {
	ReviewDue(ctx context.Context, db bun.IDB, from time.Time) (time.Time, error)
	Offered(ctx context.Context, db bun.IDB, list string) ([]reason.Reason, error)
}

// FileView is an upload.
type FileView struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Mime  string `json:"mime"`
	URL   string `json:"url"`
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// Files keeps uploads.
type Files interface {
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Known(ctx context.Context, db bun.IDB, ids []int64) (map[int64]FileView, error)
	// Save keeps what came with a form of the portal.
	Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (FileView, error)
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB           *database.DB
	Clock        clock.Clock
	Box          *secret.Box
	Kinds        []Kind
	Offers       Offers
	Companies    Companies
	Contacts     Contacts
	Applications Applications
	Reviews      Reviews
	Files        Files
}

// Service keeps demands and quotes.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || len(d.Kinds) == 0 || d.Offers == nil || d.Companies == nil || d.Contacts == nil ||
		d.Applications == nil || d.Reviews == nil || d.Files == nil {
		panic("demand: Deps is not complete")
	}
	return &Service{d}
}

func typedPlace(number string) string { return "demand.typed:" + number }
func phonePlace(number string) string { return "demand.phone:" + number }

// Sealed are the columns of the module that only open with a key.
func Sealed() secret.Keepers {
	column := func(name string, place func(string) string) secret.Column {
		return secret.Column{Table: "demands", Key: []string{"id"}, Name: name, With: []string{"number"}, Place: func(r secret.Row) string { return place(r.Text("number")) }}
	}
	return secret.Keepers{Columns: []secret.Column{column("typed_sealed", typedPlace), column("phone_sealed", phonePlace)}}
}

// typed opens what was typed last.
func (s *Service) typed(d *Demand) (Typed, error) {
	t := Typed{FileIDs: []int64{}}
	plain, err := s.Box.Open(d.TypedSealed, typedPlace(d.Number))
	if err != nil {
		return t, fmt.Errorf("open demand %s: %w", d.Number, err)
	}
	return t, json.Unmarshal(plain, &t)
}

func (s *Service) seal(d *Demand, t Typed) error {
	plain, err := json.Marshal(t)
	if err == nil {
		d.TypedSealed = s.Box.Seal(plain, typedPlace(d.Number))
	}
	return err
}

// find reads a demand the actor may see.
func (s *Service) find(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*Demand, error) {
	return s.read(ctx, db, actor, id, false)
}

// hold is find for a command: nobody else changes the demand or its quotes until the transaction ends.
func (s *Service) hold(ctx context.Context, tx bun.Tx, actor access.Actor, id int64) (*Demand, error) {
	return s.read(ctx, tx, actor, id, true)
}

func (s *Service) read(ctx context.Context, db bun.IDB, actor access.Actor, id int64, lock bool) (*Demand, error) {
	d := new(Demand)
	where, args := visible(actor, s.Clock.Now())
	q := db.NewSelect().Model(d).Where("d.id = ?", id).Where(where, args...)
	if lock && database.KindOf(db) == database.Postgres {
		q = q.For("UPDATE OF d")
	}
	return d, database.Found(q.Scan(ctx))
}

// Sees returns nil when the actor may see the demand, ErrNotFound when they may not.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := s.find(ctx, s.DB.Read(), actor, id)
	return err
}

// SeesFile is the word on who may read a file: who sees the demand, and of a quote's files the two sides alone.
func (s *Service) SeesFile(ctx context.Context, actor access.Actor, id int64) error {
	db := s.DB.Read()
	f := new(fileRow)
	if err := database.Found(db.NewSelect().Model(f).Where("f.id = ?", id).Scan(ctx)); err != nil {
		return err
	}
	d, err := s.find(ctx, db, actor, f.DemandID)
	if err != nil {
		return err
	}
	if f.Gone && !mine(actor, d) && actor.Party != access.System {
		return ErrNotFound
	}
	if f.QuoteID == 0 {
		return nil
	}
	q := new(Quote)
	if err := database.Found(db.NewSelect().Model(q).Where("q.id = ?", f.QuoteID).Scan(ctx)); err != nil {
		return err
	}
	if actor.Party == access.System || mine(actor, d) && q.State != TakenBack || quotes(actor) && actor.InstitutionID == q.InstitutionID {
		return nil
	}
	return ErrNotFound
}

// mine reports whether the actor acts for the company of the demand.
func mine(a access.Actor, d *Demand) bool {
	return a.Party == access.Enterprise && a.EnterpriseID != 0 && a.EnterpriseID == d.EnterpriseID
}

// Ref names the demand a command is about.
type Ref struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // the version the actor saw; a newer one is a conflict
	Key     string `json:"-"`       // idempotency key; the same key answers with the first outcome
}

// columns are those that commands change.
var columns = []string{"state", "version", "enterprise_name", "user_id", "typed_sealed", "saved_at", "kind", "kind_name", "lends", "title", "description", "budget_min", "budget_max", "term",
	"until", "pick_until", "wanted_by", "place", "named", "contact_name", "contact_note", "phone_sealed", "round", "submitted_at", "due_at", "reminded_at", "reviewed_by", "reviewed_at",
	"reason", "approved_at", "first_quote_at", "first_quote_minutes", "over_told", "ended_at", "quote_id", "application_id", "application_number"}

// save writes the demand, if it is still at the version that was read.
func save(ctx context.Context, tx bun.Tx, d *Demand) error {
	read := d.Version
	d.Version++
	err := database.Changed(tx.NewUpdate().Model(d).Column(columns...).Where("id = ? AND version = ?", d.ID, read).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return ErrStale
	}
	return err
}

// keep writes what does not make anybody's view old.
func keep(ctx context.Context, tx bun.Tx, d *Demand) error {
	return database.Changed(tx.NewUpdate().Model(d).Column("reminded_at", "first_quote_at", "first_quote_minutes", "over_told").Where("id = ? AND version = ?", d.ID, d.Version).Exec(ctx))
}

// change is the frame of every command on a demand: key, demand, version, step, event, audit, in one transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, action, summary string, ref Ref, request any, may func(*Demand) bool,
	step func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, error),
) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "demand." + action, Key: ref.Key, Request: request, Now: now}, func() (int64, error) {
			d, err := s.hold(ctx, tx, actor, ref.ID)
			if err != nil {
				return 0, err
			}
			if !may(d) {
				return 0, ErrForbidden
			}
			if d.Version != ref.Version {
				return 0, stale(d)
			}
			fact, err := step(ctx, tx, d, now)
			if err != nil {
				return 0, err
			}
			if err := save(ctx, tx, d); err != nil {
				return 0, err
			}
			return d.ID, s.book(ctx, tx, actor, now, d, action, summary, fact)
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s demand %d: %w", action, ref.ID, err)
	}
	return nil
}

// stale says what the demand is by now.
func stale(d *Demand) error {
	return ErrStale.With("需求已被更新，现为“%s”，请刷新后再办理", d.State.Label())
}

// book announces a fact, after the change, and writes the line of the audit log.
func (s *Service) book(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, d *Demand, action, summary string, fact event.Fact) error {
	if f, ok := fact.(interface{ retell(Head) }); ok {
		f.retell(d.head())
	}
	if fact != nil {
		if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
			return err
		}
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "demand." + action, Object: Object, ObjectID: d.ID, Summary: summary + " " + d.Number})
}
