package enterprise

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/sync/singleflight"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Contact is how a person with an account is reached.
type Contact struct{ Name, Phone string }

// People tells about persons with accounts.
type People interface {
	Contact(ctx context.Context, db bun.IDB, userID int64) (Contact, error)
}

// Accounts changes for which company a person acts.
type Accounts interface {
	ActFor(ctx context.Context, tx bun.Tx, userID, enterpriseID int64) error
}

// FileView is a licence as the files module tells it.
type FileView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Mime string `json:"mime"`
	URL  string `json:"url"`
	// State says whether it may be had: it waits for the virus scanner, or was put away by it.
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// Files keeps licences.
type Files interface {
	// Keep stores an upload of the actor's for the portal's form, which sends it with the other inputs.
	Keep(ctx context.Context, actor access.Actor, name string, content io.Reader) (int64, error)
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Of(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
}

// Papers are the licences a company keeps already (证照库).
type Papers interface {
	// Use hands one in with an object of the actor's company; what is wrong with it is a fault.
	Use(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, object string, objectID int64) error
	// Offered lists the business licences the actor may hand in for their company.
	Offered(ctx context.Context, actor access.Actor) ([]Paper, error)
	// FilesOf lists the pictures of those handed in with an object.
	FilesOf(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
}

// Paper is a licence that may be handed in.
type Paper struct {
	ID    int64
	Title string
}

// Deps is what the module needs; all but Registry, which is nil where an installation has none.
type Deps struct {
	DB       *database.DB
	Clock    clock.Clock
	Registry Registry
	People   People
	Accounts Accounts
	Files    Files
	Terms    Terms
	// Consents says what a reader may read of a company; without it nobody reads but the company's own people.
	Consents Consents
	// Papers are the licences a company keeps; nil where it keeps none.
	Papers Papers
	// Reasons are the ready reasons of reviews; nil has those of the program.
	Reasons Reasons
	// Hints are what companies read at the steps of their review; nil has none.
	Hints hint.Reviews
	// Desk tells how long a review may take; nil has two days on the clock.
	Desk Desk
	// Followed lists in words what others did with a company since it was verified; nil: nothing.
	Followed func(ctx context.Context, db bun.IDB, enterpriseID int64, since time.Time) ([]string, error)
	// Deputies tells who reviews for somebody on leave; nil: nobody does.
	Deputies Deputies
	// Doors lead from the company's page of the portal to what else it may do.
	Doors []page.Link
	// Box seals the phones of a register; nil takes none in.
	Box *secret.Box
	// Demo lets codes of the demo block pass.
	Demo bool
	// Patience is how long the registry may take; 0 is 10 s.
	Patience time.Duration
}

// Service keeps the companies.
type Service struct {
	db       *database.DB
	clock    clock.Clock
	registry Registry
	people   People
	accounts Accounts
	files    Files
	terms    Terms
	consents Consents

	hints    hint.Reviews
	doors    []page.Link
	papers   Papers
	desk     Desk
	deputies Deputies
	followed func(ctx context.Context, db bun.IDB, enterpriseID int64, since time.Time) ([]string, error)
	reasons  Reasons

	box      *secret.Box
	demo     bool
	patience time.Duration
	known    atomic.Pointer[thresholds]
	places   places
	schema   criteria.Schema
	ruleSets sync.Map // version → *ruleSet
	asking   singleflight.Group
	queue    *jobs.Queue
}

// New makes the service and registers its worker; Use gives it the queue, which needs the workers first. It panics when
// something of Deps is missing.
func New(d Deps, w *jobs.Workers) *Service {
	if d.DB == nil || d.Clock == nil || d.People == nil || d.Accounts == nil || d.Files == nil {
		panic("enterprise: Deps is not complete")
	}
	if d.Patience <= 0 {
		d.Patience = 10 * time.Second
	}
	if d.Consents == nil {
		d.Consents = noConsents{}
	}
	if d.Desk == nil {
		d.Desk = plainDesk{}
	}
	if d.Deputies == nil {
		d.Deputies = noDeputies{}
	}
	if d.Reasons == nil {
		d.Reasons = plainReasons{}
	}
	if d.Hints == nil {
		d.Hints = hint.NoReviews{}
	}
	s := &Service{
		hints: d.Hints, reasons: d.Reasons, desk: d.Desk, deputies: d.Deputies, followed: d.Followed, consents: d.Consents, doors: d.Doors, papers: d.Papers,
		db: d.DB, clock: d.Clock, registry: d.Registry, people: d.People, accounts: d.Accounts, files: d.Files, terms: d.Terms,
		box: d.Box, demo: d.Demo, patience: d.Patience, places: placesOf(d.Terms), schema: Schema(d.Terms),
	}
	s.work(w)
	return s
}
