package institution

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/uscc"
)

// Hooks are what neighbours do in the transaction of a change.
type Hooks struct {
	// Changed follows a change of an institution's name, summary or state.
	Changed func(ctx context.Context, tx bun.Tx, card Card) error
}

// Deps are what the module needs. DemoCodes accepts the credit codes of demo data.
type Deps struct {
	DB        *database.DB
	Clock     clock.Clock
	Box       *secret.Box
	Files     Files
	Desk      Desk
	Accounts  Accounts
	Operators Operators
	Hooks     Hooks
	// Deputies tells who reviews for somebody on leave; nil: nobody does.
	Deputies Deputies
	// Reasons are the ready reasons for sending an application back; nil has those of the program.
	Reasons Reasons
	// Hints are what applicants read beside the form and where an application waits; nil: nothing.
	Hints     hint.Reviews
	DemoCodes bool
}

// Service keeps the institutions.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Files == nil || d.Desk == nil || d.Accounts == nil || d.Operators == nil {
		panic("institution: Deps is not complete")
	}
	if d.Hints == nil {
		d.Hints = hint.NoReviews{}
	}
	if d.Reasons == nil {
		d.Reasons = plainReasons{}
	}
	if d.Deputies == nil {
		d.Deputies = noDeputies{}
	}
	return &Service{d}
}

// Details are the particulars of an institution as they are typed.
type Details struct {
	Name           string    `json:"name"`
	Kind           string    `json:"kind"`
	CreditCode     string    `json:"creditCode"`
	LegalPerson    string    `json:"legalPerson"`
	Phone          string    `json:"phone"`
	Address        string    `json:"address"`
	Summary        string    `json:"summary"`
	Qualifications []Licence `json:"qualifications" maxItems:"20"`
}

// clean checks the particulars and returns them as they are kept, or one fault with a field for each wrong input.
func (d Details) clean(demoCodes bool) (Details, error) {
	var errs []error
	line := func(field, label, value string, shortest, longest int) string {
		v, err := text.Line(field, value, shortest, longest)
		if err != nil {
			errs = append(errs, named(err, field, label))
		}
		return v
	}
	out := Details{
		Kind: d.Kind, Name: line("name", "机构名称", d.Name, 2, 100), LegalPerson: line("legalPerson", "法定代表人", d.LegalPerson, 1, 50),
		Address: line("address", "地址", d.Address, 2, 200), Qualifications: []Licence{},
	}
	if kindName(d.Kind) == "" {
		errs = append(errs, fault.InvalidField("kind", "INSTITUTION_KIND", "请选择机构类型"))
	}
	code, err := uscc.Parse(d.CreditCode, uscc.Options{AllowDemo: demoCodes})
	if err != nil {
		errs = append(errs, err)
	}
	out.CreditCode = string(code)
	if out.Phone, err = phone.Contact(d.Phone); err != nil {
		errs = append(errs, err)
	}
	if out.Summary, err = text.Block("summary", d.Summary, 5, 500); err != nil {
		errs = append(errs, named(err, "summary", "机构简介"))
	}
	for n, q := range d.Qualifications {
		at := func(name string) string { return fmt.Sprintf("qualifications.%d.%s", n, name) }
		q.Name, q.No = line(at("name"), "资质名称", q.Name, 2, 100), line(at("no"), "证书编号", q.No, 1, 60)
		if q.To != "" {
			if _, err := text.Day(at("to"), q.To, clock.Beijing); err != nil {
				errs = append(errs, fault.InvalidField(at("to"), "BAD_DATE", "资质有效期应为日期，例如 2027-06-30"))
			}
		}
		out.Qualifications = append(out.Qualifications, q)
	}
	return out, joined(errs)
}

// named puts the name of the input into a general message about it.
func named(err error, field, label string) error {
	f, ok := fault.As(err)
	switch {
	case !ok:
		return err
	case f.Code == text.ErrRequired.Code:
		return fault.InvalidField(field, f.Code, "请填写"+label)
	}
	return fault.InvalidField(field, f.Code, label+"："+f.Message)
}

// joined makes one fault with a field for each wrong input.
func joined(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	first, ok := fault.As(errs[0])
	if !ok {
		return errs[0]
	}
	all := *first
	for _, e := range errs[1:] {
		f, ok := fault.As(e)
		if !ok {
			return e
		}
		all.Fields = append(append([]fault.Field(nil), all.Fields...), f.Fields...)
	}
	return &all
}

func (i *Institution) fill(d Details) {
	i.Name, i.Kind, i.CreditCode, i.LegalPerson = d.Name, d.Kind, d.CreditCode, d.LegalPerson
	i.Phone, i.Address, i.Summary, i.Qualifications = d.Phone, d.Address, d.Summary, d.Qualifications
}

// OpenInstitution asks to register an institution.
type OpenInstitution struct {
	Key     string `json:"-"`
	Details Details
}

type outcome struct {
	ID int64 `json:"id"`
}

// Open registers an institution. It needs institution.manage and returns ErrTaken for a credit code that is known.
func (s *Service) Open(ctx context.Context, actor access.Actor, cmd OpenInstitution) (View, error) {
	if err := actor.Need(PermManage); err != nil {
		return View{}, err
	}
	d, err := cmd.Details.clean(s.DemoCodes)
	if err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	var done outcome
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.open", Key: cmd.Key, Request: d, Now: now}, func() (outcome, error) {
			id, err := register(ctx, tx, actor, now, d)
			return outcome{id}, err
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("open institution: %w", err)
	}
	return s.Get(ctx, actor, done.ID)
}

// register writes a new institution with its event and audit row.
func register(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, d Details) (int64, error) {
	i := Institution{Status: Active, Version: 1, CreatedAt: now, UpdatedAt: now}
	i.fill(d)
	if _, err := tx.NewInsert().Model(&i).ExcludeColumn("id").Returning("id").Exec(ctx); database.IsDuplicate(err) {
		return 0, ErrTaken.Wrap(err)
	} else if err != nil {
		return 0, err
	}
	if _, err := event.Append(ctx, tx, actor, now, Opened{i.head()}); err != nil {
		return 0, err
	}
	return i.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "institution.open", Object: Object, ObjectID: i.ID, Summary: "登记机构 " + i.Name})
}

// Ref names the institution a command is about.
type Ref struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // the version the actor saw; a newer one is a conflict
	Key     string `json:"-"`       // idempotency key; the same key answers with the first outcome
}

// EditInstitution asks to replace the particulars.
type EditInstitution struct {
	Ref
	Details Details
}

// Edit replaces the particulars. It needs institution.manage; a stale version is a conflict that says who changed it.
func (s *Service) Edit(ctx context.Context, actor access.Actor, cmd EditInstitution) (View, error) {
	if err := actor.Need(PermManage); err != nil {
		return View{}, err
	}
	d, err := cmd.Details.clean(s.DemoCodes)
	if err != nil {
		return View{}, err
	}
	cmd.Details = d
	return s.change(ctx, actor, "edit", cmd.Ref, cmd, func(i *Institution) (func(Head) event.Fact, string, error) {
		i.fill(d)
		return func(h Head) event.Fact { return Edited{h} }, "修改机构信息", nil
	})
}

// SuspendInstitution asks to take an institution out of service.
type SuspendInstitution struct {
	Ref
	Reason string
}

// Suspend takes an institution out of service: its products are not shown until it resumes. Errors as Edit.
func (s *Service) Suspend(ctx context.Context, actor access.Actor, cmd SuspendInstitution) (View, error) {
	reason, err := text.Block("reason", cmd.Reason, 5, 500)
	if err != nil {
		return View{}, named(err, "reason", "暂停原因")
	}
	return s.change(ctx, actor, "suspend", cmd.Ref, cmd, func(i *Institution) (func(Head) event.Fact, string, error) {
		return func(h Head) event.Fact { return Paused{Head: h, Reason: reason} }, "暂停机构服务", i.Suspend(reason)
	})
}

// ResumeInstitution asks to bring an institution back.
type ResumeInstitution struct{ Ref }

// Resume brings a suspended institution back; its listed products are shown again. Errors as Edit.
func (s *Service) Resume(ctx context.Context, actor access.Actor, cmd ResumeInstitution) (View, error) {
	return s.change(ctx, actor, "resume", cmd.Ref, cmd, func(i *Institution) (func(Head) event.Fact, string, error) {
		return func(h Head) event.Fact { return Resumed{h} }, "恢复机构服务", i.Resume()
	})
}

// change is the frame of every command on an institution: right, key, version, step, hook, event, audit, in one transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, action string, ref Ref, request any, step func(*Institution) (func(Head) event.Fact, string, error)) (View, error) {
	if err := actor.Need(PermManage); err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution." + action, Key: ref.Key, Request: request, Now: now}, func() (outcome, error) {
			i, err := find(ctx, tx, visible(actor), ref.ID)
			if err != nil {
				return outcome{}, err
			}
			if i.Version != ref.Version {
				return outcome{}, stale(ctx, tx, i.ID)
			}
			fact, summary, err := step(i)
			if err != nil {
				return outcome{}, err
			}
			i.UpdatedAt = now
			if err := save(ctx, tx, i, ref.Version); errors.Is(err, fault.ErrChanged) {
				return outcome{}, stale(ctx, tx, i.ID)
			} else if database.IsDuplicate(err) {
				return outcome{}, ErrTaken.Wrap(err)
			} else if err != nil {
				return outcome{}, err
			}
			if s.Hooks.Changed != nil {
				if err := s.Hooks.Changed(ctx, tx, i.card()); err != nil {
					return outcome{}, err
				}
			}
			if _, err := event.Append(ctx, tx, actor, now, fact(i.head())); err != nil {
				return outcome{}, err
			}
			return outcome{i.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "institution." + action, Object: Object, ObjectID: i.ID, Summary: summary + " " + i.Name})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s institution %d: %w", action, ref.ID, err)
	}
	return s.Get(ctx, actor, ref.ID)
}

// stale says who changed the institution meanwhile, and when.
func stale(ctx context.Context, tx bun.Tx, id int64) error {
	events, err := event.Of(ctx, tx, Object, id)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return ErrStale
	}
	last := events[len(events)-1]
	return ErrStale.With("机构信息已更新：%s于%s进行了“%s”，请刷新后再操作", last.By(), clock.Show(last.At), labels[last.Type])
}

// Get returns the institution as the actor may see it, ErrNotFound when they may not.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	db := s.DB.Read()
	i, err := find(ctx, db, visible(actor), id)
	if err != nil {
		return View{}, err
	}
	v := View{Item: i.item(s.Clock.Now()), LegalPerson: i.LegalPerson, Address: i.Address, Summary: i.Summary, Reason: i.Reason,
		Qualifications: append([]Licence{}, i.Qualifications...), Timeline: []Step{}, Manage: actor.Can(PermManage)}
	events, err := event.Of(ctx, db, Object, id)
	if err != nil {
		return View{}, err
	}
	for _, e := range events {
		st := Step{Seq: e.Seq, Label: labels[e.Type], At: e.At.UTC(), Actor: e.By()}
		if e.Type == "institution.suspended" {
			var f Paused
			if err := e.Decode(&f); err != nil {
				return View{}, err
			}
			st.Text = f.Reason
		}
		if e.ActorID == 0 {
			st.Actor = "系统"
		}
		if actor.Party == access.Institution {
			st.Actor = "" // names of the platform's staff are not for outside
		}
		v.Timeline = append(v.Timeline, st)
	}
	return v, nil
}

// Sees returns nil when the actor may see the institution, ErrNotFound when they may not.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := find(ctx, s.DB.Read(), visible(actor), id)
	return err
}

// ListFilter narrows a list within what the actor may see.
type ListFilter struct {
	Kind   string
	Status Status
	Query  string // part of the name
	Cursor string
	Limit  int
}

// List returns a page of the institutions the actor may see, newest first, and the cursor of the next page.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]Item, string, error) {
	if !actor.SignedIn() {
		return nil, "", fault.ErrUnauthorized
	}
	var before int64
	if f.Cursor != "" {
		var err error
		if before, err = strconv.ParseInt(f.Cursor, 10, 64); err != nil || before <= 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	f.Query = strings.TrimSpace(f.Query)
	rows, err := list(ctx, s.DB.Read(), visible(actor), f, before, f.Limit+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	items := make([]Item, 0, len(rows))
	for i := range rows {
		items = append(items, rows[i].item(s.Clock.Now()))
	}
	return items, next, nil
}

// InstitutionName names an institution, for the account of its operator.
func (s *Service) InstitutionName(ctx context.Context, db bun.IDB, id int64) (string, error) {
	c, err := s.Card(ctx, db, id)
	return c.Name, err
}

// Card tells what an institution's own products show of it, ErrNotFound for an unknown one.
func (s *Service) Card(ctx context.Context, db bun.IDB, id int64) (Card, error) {
	i, err := find(ctx, db, scope{where: "1 = 1"}, id)
	if err != nil {
		return Card{}, err
	}
	return i.card(), nil
}

// Partners lists the institutions in service, those of the longest standing first, for everybody.
func (s *Service) Partners(ctx context.Context, n int) ([]Card, error) {
	var rows []Institution
	err := s.DB.Read().NewSelect().Model(&rows).Where("i.status = ?", Active).OrderExpr("i.id").Limit(int64(n)).Scan(ctx)
	cards := make([]Card, 0, len(rows))
	for i := range rows {
		cards = append(cards, rows[i].card())
	}
	return cards, err
}
