package application

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/secret"
)

// Offer is a product as an application keeps it. Amounts are fen, terms months; 0 where the product sets no limit.
type Offer struct {
	ID              int64    `json:"id"`
	Name            string   `json:"name"`
	Edition         int64    `json:"edition"` // which text of the product this is
	Kind            string   `json:"kind"`
	KindName        string   `json:"kindName"`
	FinancingKind   string   `json:"financingKind,omitempty"`
	Lends           bool     `json:"lends"` // an amount and a term are applied for
	InstitutionID   int64    `json:"institutionId"`
	InstitutionName string   `json:"institutionName"`
	AmountMin       int64    `json:"amountMin"`
	AmountMax       int64    `json:"amountMax"`
	TermMin         int      `json:"termMin"`
	TermMax         int      `json:"termMax"`
	Materials       []string `json:"materials"`
	Days            int      `json:"days"` // working days until the result that the product promises; 0 for none
}

// Kind is a kind of products.
type Kind struct{ Code, Name string }

// Products tells what may be applied for.
type Products interface {
	// Offer returns the product as it is publicly listed now, fault.ErrNotFound when it is not.
	Offer(ctx context.Context, db bun.IDB, productID int64) (Offer, error)
}

// Company is who applies.
type Company struct {
	Name     string
	Verified bool
}

// Companies tells about companies.
type Companies interface {
	// Brief returns fault.ErrNotFound for an unknown company. The actor acts for it.
	Brief(ctx context.Context, db bun.IDB, enterpriseID int64) (Company, error)
	// ByCode lists the companies whose credit code begins so.
	ByCode(ctx context.Context, db bun.IDB, prefix string, limit int) ([]int64, error)
}

// Contact is how a person with an account is reached.
type Contact struct{ Name, Phone string }

// Contacts tells about people with accounts.
type Contacts interface {
	Contact(ctx context.Context, db bun.IDB, userID int64) (Contact, error)
}

// Colleague is an operator of an institution.
type Colleague struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Institutions tells about the other side.
type Institutions interface {
	// Telephone is the number an applicant may call, "" when the institution gave none.
	Telephone(ctx context.Context, db bun.IDB, institutionID int64) (string, error)
	// Operators lists who may handle applications of the institution.
	Operators(ctx context.Context, db bun.IDB, institutionID int64) ([]Colleague, error)
}

// Files ties uploaded files to objects.
type Files interface {
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Of(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
}

// Reasons keeps the ready reasons that operators edit.
type Reasons interface {
	Offered(ctx context.Context, db bun.IDB, list string) ([]reason.Reason, error)
}

// Deps is what the module needs; all of it but Papers, Dossier, Hotline, Profiles, Calendars, Kinds, Reasons and Outside.
type Deps struct {
	DB           *database.DB
	Clock        clock.Clock
	Box          *secret.Box
	Products     Products
	Companies    Companies
	Contacts     Contacts
	Institutions Institutions
	Files        Files
	// Uploads keeps what is sent with a form of the portal, which has no script to send files before.
	Uploads Uploads
	// Profiles tells the handling institution about the company; nil tells nothing.
	Profiles Profiles
	// Papers and Dossier tell a company's people what is known already; nil leaves them to type and upload.
	Papers  Papers
	Dossier Dossier
	// Hotline is the number of the district's desk, shown beside the institution's.
	Hotline string
	// Calendars gives the working calendars; without it the weekdays alone are worked.
	Calendars Calendars
	// Kinds are the kinds of products, which may have limits of their own.
	Kinds []Kind
	// Reasons are the ready reasons of declining; nil offers none.
	Reasons Reasons
	// Outside finds applications by words instead of the database; nil does not.
	Outside search.Outside
	// Arrivals attributes applications to what brought them; nil attributes none.
	Arrivals Arrivals
	// Fields tells what administrators ask beside the rest; nil asks nothing.
	Fields Fields
}

// Arrivals keeps by which way applications came.
type Arrivals interface {
	// Applied is told in the transaction of an application.
	Applied(ctx context.Context, tx bun.Tx, actor access.Actor, id, enterpriseID int64) error
}

// Service keeps the applications.
type Service struct {
	Deps

	beside []Beside
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Products == nil || d.Companies == nil || d.Contacts == nil || d.Institutions == nil ||
		d.Files == nil || d.Uploads == nil {
		panic("application: Deps is not complete")
	}
	return &Service{Deps: d}
}

// phonePlace binds a sealed phone to its application.
func phonePlace(number string) string { return "application.phone:" + number }

// Get returns the application as the actor may see it, ErrNotFound when they may not.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	db := s.DB.Read()
	a, err := find(ctx, db, visible(actor), id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, db, actor, a)
}

// Sees returns nil when the actor may see the application, ErrNotFound when they may not: the word on who may read its files.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := find(ctx, s.DB.Read(), visible(actor), id)
	return err
}

// ListFilter narrows a list within what the actor may see.
type ListFilter struct {
	Statuses []Status
	// Waiting keeps what waits to be accepted, nearest deadline first; it overrules Statuses.
	Waiting bool
	// Overdue keeps those whose deadline has passed, whatever it is for, nearest deadline first.
	Overdue bool
	// Soon keeps those that were reminded of and whose deadline has not passed, nearest deadline first.
	Soon bool
	// Mine keeps those the actor is the handler of.
	Mine bool
	// Kind keeps those for one kind of products, Institution those of one institution; zero keeps all.
	Kind        string
	Institution int64
	// Query keeps what it finds: a number, a phone or its last four digits, the beginning of a credit code, or words. The
	// answer is newest first.
	Query string
	// Extra are conditions on the fields administrators define, one a line: see form.ReadFilters.
	Extra  string
	Cursor string
	Limit  int

	conditions []form.Filter
	handlerID  int64
	now        time.Time
	columns    []string // that are read of a row; none reads all
}

// pageRows is the longest page of a list on the screen.
const pageRows = 100

// byDue reports whether the nearest deadline comes first.
func (f ListFilter) byDue() bool { return f.Query == "" && (f.Waiting || f.Overdue || f.Soon) }

// each lists the states that are walked one by one; "" stands for all.
func (f ListFilter) each() []Status {
	if f.Waiting {
		return []Status{Waiting}
	}
	if len(f.Statuses) == 0 {
		return []Status{""}
	}
	return f.Statuses
}

// narrow adds the filter to a query; the state is one of each.
func (f ListFilter) narrow(q *bun.SelectQuery, status Status) *bun.SelectQuery {
	if status != "" {
		q = q.Where("a.status = ?", status)
	}
	if f.handlerID != 0 {
		q = q.Where("a.handler_id = ?", f.handlerID)
	}
	if f.Kind != "" {
		q = q.Where("a.kind = ?", f.Kind)
	}
	if f.Institution != 0 {
		q = q.Where("a.institution_id = ?", f.Institution)
	}
	q = narrowBy(q, f.conditions)
	if f.Overdue {
		q = q.Where("a.due_for <> '' AND a.due_held_at IS NULL AND a.due_at < ?", f.now)
	}
	if f.Soon {
		q = q.Where("a.due_for <> '' AND a.due_held_at IS NULL AND a.rung = ? AND a.due_at >= ?", Warned, f.now)
	}
	return q
}

// List returns a page of the applications the actor may see, newest first, or nearest deadline first when they wait, and the
// cursor of the next page, "" on the last.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]Item, string, error) {
	items, next, _, err := s.Search(ctx, actor, f)
	return items, next, err
}

// Search is List with a sentence on how what was typed was understood.
func (s *Service) Search(ctx context.Context, actor access.Actor, f ListFilter) (items []Item, next, note string, err error) {
	rows, next, w, note, err := s.page(ctx, actor, &f)
	items = make([]Item, 0, len(rows))
	for i := range rows {
		item := rows[i].item(actor, f.now)
		if !w.words.Empty() {
			item.Marks = &Marks{w.words.Mark(item.ProductName), w.words.Mark(item.EnterpriseName)}
		}
		items = append(items, item)
	}
	return items, next, note, err
}

// page reads a page of a list.
func (s *Service) page(ctx context.Context, actor access.Actor, f *ListFilter) (rows []Application, next string, w wanted, note string, err error) {
	if !actor.SignedIn() {
		return nil, "", w, "", fault.ErrUnauthorized
	}
	for _, st := range f.Statuses {
		if st.Label() == "" {
			return nil, "", w, "", fault.InvalidField("status", "APPLICATION_STATUS", "没有这种申请状态，请重新选择")
		}
	}
	if f.Mine {
		f.handlerID = actor.UserID
	}
	if f.Limit <= 0 || f.Limit > pageRows && f.columns == nil {
		f.Limit = 20
	}
	f.Query, f.now = strings.TrimSpace(f.Query), s.Clock.Now()
	var after *position
	if f.Cursor != "" {
		p, err := parsePosition(f.Cursor, f.byDue())
		if err != nil {
			return nil, "", w, "", err
		}
		after = &p
	}
	db := s.DB.Read()
	if f.conditions, err = s.conditions(ctx, db, actor, f.Extra); err != nil {
		return nil, "", w, "", err
	}
	if f.Query == "" {
		rows, err = list(ctx, db, visible(actor), *f, after, f.Limit+1)
	} else {
		before := int64(0)
		if after != nil {
			before = after.id
		}
		if w, err = s.understand(ctx, db, f.Query); err == nil {
			rows, note, err = s.lookup(ctx, db, visible(actor), *f, w, before, f.Limit+1)
		}
	}
	if err != nil {
		return nil, "", w, "", err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := position{id: rows[len(rows)-1].ID}
		if f.byDue() {
			last.due = rows[len(rows)-1].Due.At
		}
		next = last.String()
	}
	return rows, next, w, note, nil
}

// Colleagues lists who an application of the actor's institution may be handed over to.
func (s *Service) Colleagues(ctx context.Context, actor access.Actor) ([]Colleague, error) {
	if err := actor.Need(PermHandle); err != nil {
		return nil, err
	}
	if actor.Party != access.Institution || actor.InstitutionID == 0 {
		return nil, ErrForbidden
	}
	return s.Institutions.Operators(ctx, s.DB.Read(), actor.InstitutionID)
}

// Telephone opens the applicant's number for an operator of the institution who handles applications. Each opening is kept
// in the audit log. Everybody else who sees the application gets ErrForbidden.
func (s *Service) Telephone(ctx context.Context, actor access.Actor, id int64) (string, error) {
	if err := actor.Need(PermHandle); err != nil {
		return "", err
	}
	number := ""
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		a, err := find(ctx, tx, visible(actor), id)
		if err != nil {
			return err
		}
		if !handles(actor, a) {
			return ErrForbidden
		}
		plain, err := s.Box.Open(a.PhoneSealed, phonePlace(a.Number))
		if err != nil {
			return err
		}
		number = string(plain)
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{
			Action: "application.telephone", Object: Object, ObjectID: a.ID, Summary: "查看联系电话 " + a.Number,
		})
	})
	return number, err
}

// Ref names the application a command is about.
type Ref struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // the version the actor saw; a newer one is a conflict
	Key     string `json:"-"`       // idempotency key; the same key answers with the first outcome
}

// outcome is what a repeat of a command needs to answer the same.
type outcome struct {
	ID int64 `json:"id"`
}

// change is the frame of every command on an application: right, key, application, version, step, event, audit, in one
// transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, action Action, ref Ref, request any,
	step func(ctx context.Context, tx bun.Tx, a *Application) (effect, error),
) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	if p := RightOf(action).Permission; p != "" {
		if err := actor.Need(p); err != nil {
			return View{}, err
		}
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "application." + string(action), Key: ref.Key, Request: request, Now: now,
		}, func() (outcome, error) {
			a, err := hold(ctx, tx, visible(actor), ref.ID)
			if err != nil {
				return outcome{}, err
			}
			if !may(actor, a, action) {
				return outcome{}, ErrForbidden
			}
			if a.Version != ref.Version {
				return outcome{}, stale(ctx, tx, actor, a)
			}
			was := a.kept()
			e, err := step(ctx, tx, a)
			if err != nil {
				return outcome{}, err
			}
			if err := save(ctx, tx, a, ref.Version); errors.Is(err, fault.ErrChanged) {
				return outcome{}, stale(ctx, tx, actor, a)
			} else if err != nil {
				return outcome{}, err
			}
			kept, err := event.Append(ctx, tx, actor, now, e.fact(a.head()))
			if err != nil {
				return outcome{}, err
			}
			if err := s.claim(ctx, tx, actor, a.ID, kept.Seq, string(action), e.files); err != nil {
				return outcome{}, err
			}
			if err := remember(ctx, tx, actor, action, a, was, kept); err != nil {
				return outcome{}, err
			}
			if e.after != nil {
				if err := e.after(ctx, tx, kept.Seq); err != nil {
					return outcome{}, err
				}
			}
			return outcome{ID: a.ID}, audit.Write(ctx, tx, actor, now, changeRecord(action, a, e))
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s application %d: %w", action, ref.ID, err)
	}
	return s.Get(ctx, actor, ref.ID)
}

// stale says what changed meanwhile, who did it and when.
func stale(ctx context.Context, tx bun.IDB, actor access.Actor, a *Application) error {
	events, err := event.Of(ctx, tx, Object, a.ID)
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
	if actor.Party == access.Enterprise {
		step = step.public(a.InstitutionName)
	}
	return ErrStale.With("申请已更新：%s于%s进行了“%s”，请刷新后再办理", step.Actor, clock.Show(step.At), step.Label)
}

// claim ties the files to the application and to the step they came with.
func (s *Service) claim(ctx context.Context, tx bun.Tx, actor access.Actor, id, seq int64, kind string, files []int64) error {
	if len(files) > maxFiles {
		return fault.InvalidField("fileIds", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，请删减后提交", maxFiles))
	}
	for _, f := range files {
		if err := s.Files.Claim(ctx, tx, actor, f, Object, id); err != nil {
			return err
		}
		row := fileRow{ApplicationID: id, FileID: f, Seq: seq, Kind: kind}
		if _, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("tie file %d: %w", f, err)
		}
	}
	return nil
}
