package review

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// PermDelegations is the right to arrange delegations for colleagues, who may be too ill to do it themselves.
const PermDelegations access.Permission = "review.delegations"

// Work is one kind of review that somebody on leave may delegate: the right it needs, and what a delegate must see by a right of
// their own.
type Work struct {
	Right access.Permission
	View  access.Permission
	Title string
}

// Colleague is a member of staff.
type Colleague struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Staff tells who reviews.
type Staff interface {
	// Holding lists the staff of the whole district who hold a right of their own.
	Holding(ctx context.Context, db bun.IDB, right access.Permission) ([]Colleague, error)
}

// The faults of delegations.
var (
	// ErrDelegate: the colleague cannot do the reviews.
	ErrDelegate = fault.InvalidField("toId", "DELEGATE", "请选择可以查看这些审核事项的同事；不能委托给离岗人员本人")
	// ErrDelegator: who is on leave does not do the reviews themselves.
	ErrDelegator = fault.InvalidField("works", "DELEGATOR", "离岗人员本人没有其中一项审核权限，不能委托，请重新选择审核事项")
	// ErrClash: another delegation stands against it.
	ErrClash = fault.New(fault.Conflict, "DELEGATION_CLASH", "这段时间已有其他委托，请调整后再委托")
	// ErrDelegation: it is over already.
	ErrDelegation = fault.New(fault.Conflict, "DELEGATION_ENDED", "这项委托已经结束，请刷新后查看")
)

// longestDelegation is how many days a delegation may last.
const longestDelegation = 92

// delegation lets a colleague review in the name of a reviewer on leave (委托审核).
type delegation struct {
	bun.BaseModel `bun:"table:review_delegations,alias:o"`

	ID       int64      `bun:"id,pk,autoincrement"`
	FromID   int64      `bun:"from_id,notnull"`
	FromName string     `bun:"from_name,notnull"`
	ToID     int64      `bun:"to_id,notnull"`
	ToName   string     `bun:"to_name,notnull"`
	Works    string     `bun:"works,notnull"` // the rights, separated by spaces
	Starts   time.Time  `bun:"starts,notnull"`
	Ends     time.Time  `bun:"ends,notnull"` // the first moment it no longer holds
	Reason   string     `bun:"reason,notnull"`
	ByName   string     `bun:"by_name,notnull"` // who arranged it
	At       time.Time  `bun:"created_at,notnull"`
	EndedAt  *time.Time `bun:"ended_at"`
	EndedBy  string     `bun:"ended_by,notnull"`
}

func (d *delegation) works() []access.Permission {
	var out []access.Permission
	for _, w := range strings.Fields(d.Works) {
		out = append(out, access.Permission(w))
	}
	return out
}

// clash says why d cannot stand beside another delegation that was not taken back, "" when it can: nobody is stood in for by
// two at once, nobody stands in for two at once (whose name would it be in?), and what was delegated is not delegated on.
func (d *delegation) clash(o *delegation, titles func(...access.Permission) string) string {
	if !o.Ends.After(d.Starts) || !d.Ends.After(o.Starts) {
		return ""
	}
	same := slices.DeleteFunc(d.works(), func(w access.Permission) bool { return !slices.Contains(o.works(), w) })
	days := o.days()
	switch {
	case o.FromID == d.ToID:
		return fmt.Sprintf("%s在%s期间离岗并已委托他人，请选择其他同事", d.ToName, days)
	case len(same) == 0:
		return ""
	case o.FromID == d.FromID:
		return fmt.Sprintf("%s期间已委托%s办理%s，请先收回，或调整日期和审核事项", days, o.ToName, titles(same...))
	case o.ToID == d.ToID:
		return fmt.Sprintf("%s在%s期间已受%s委托办理%s，不能同时受两人委托，请选择其他同事", d.ToName, days, o.FromName, titles(same...))
	case o.ToID == d.FromID:
		return fmt.Sprintf("%s在%s期间受%s委托办理%s，受托人不能再委托他人，请先由委托人收回", d.FromName, days, o.FromName, titles(same...))
	}
	return ""
}

func (d *delegation) first() string { return d.Starts.In(clock.Beijing).Format(time.DateOnly) }

func (d *delegation) last() string {
	return d.Ends.Add(-time.Second).In(clock.Beijing).Format(time.DateOnly)
}

func (d *delegation) days() string { return d.first() + "至" + d.last() }

// DelegationView is a delegation in words.
type DelegationView struct {
	ID       int64               `json:"id"`
	FromID   int64               `json:"fromId"`
	FromName string              `json:"fromName"`
	ToID     int64               `json:"toId"`
	ToName   string              `json:"toName"`
	Works    []access.Permission `json:"works"`
	Titles   []string            `json:"titles" doc:"The kinds of review in words."`
	Starts   string              `json:"starts" doc:"The first day, as 2026-11-22."`
	Ends     string              `json:"ends" doc:"The last day."`
	Reason   string              `json:"reason"`
	State    string              `json:"state" enum:"coming,holds,over,ended" doc:"ended: taken back before its last day."`
	ByName   string              `json:"byName" doc:"Who arranged it."`
	At       time.Time           `json:"at"`
	EndedAt  *time.Time          `json:"endedAt,omitempty"`
	EndedBy  string              `json:"endedBy"`
	CanEnd   bool                `json:"canEnd"`
}

// WorkView is a kind of review that may be delegated, by whom and to whom.
type WorkView struct {
	Key        access.Permission `json:"key"`
	Title      string            `json:"title"`
	Reviewers  []Colleague       `json:"reviewers" doc:"Who may be stood in for: the asker, or everybody who does this review for those who arrange it."`
	Candidates []Colleague       `json:"candidates" doc:"Who may stand in."`
}

// Delegations are the delegations the asker may read, newest first, and what they may delegate.
type Delegations struct {
	Items   []DelegationView `json:"items"`
	Works   []WorkView       `json:"works" doc:"Empty for who reviews nothing."`
	Arrange bool             `json:"arrange" doc:"Whether the asker arranges delegations for colleagues."`
}

// Delegate asks to let a colleague review in somebody's name from one day to another, both included.
type Delegate struct {
	Key    string `json:"-"`
	FromID int64  // who is on leave; 0 is the actor
	ToID   int64
	Works  []string
	Starts string
	Ends   string
	Reason string
}

// Object is the name of delegations in events and audit rows.
const Object = "review_delegation"

// Delegated is announced when a reviewer delegated; UserID reviews for them.
type Delegated struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"` // the reviewer on leave
	FromID int64  `json:"fromId"`
	UserID int64  `json:"userId"`
	Works  string `json:"works"`  // in words
	Reason string `json:"reason"` // from when to when, and why
	ByID   int64  `json:"byId"`   // who arranged it
}

// DelegationEnded is announced when a delegation was taken back before its last day.
type DelegationEnded struct{ Delegated }

// Event names the fact.
func (f Delegated) Event() (string, string, int64) { return "review.delegated", Object, f.ID }

// Event names the fact.
func (f DelegationEnded) Event() (string, string, int64) {
	return "review.delegation_ended", Object, f.ID
}

func (s *Service) titles(works ...access.Permission) string {
	var out []string
	for _, w := range s.Works {
		if slices.Contains(works, w.Right) {
			out = append(out, w.Title)
		}
	}
	return strings.Join(out, "、")
}

// Lent are the rights that colleagues on leave delegated to the actor and that the actor does not hold themselves, at this
// moment. A colleague who lost a right meanwhile lends it no more; who may not see what is reviewed borrows nothing.
func (s *Service) Lent(ctx context.Context, db bun.IDB, actor access.Actor) (access.Lent, error) {
	if actor.UserID == 0 || actor.Party != access.Platform && actor.Party != access.Government {
		return nil, nil
	}
	now := s.Clock.Now()
	var rows []delegation
	err := db.NewSelect().Model(&rows).Where("o.to_id = ? AND o.ended_at IS NULL AND o.starts <= ? AND o.ends > ?", actor.UserID, now, now).OrderExpr("o.id").Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	lent := access.Lent{}
	for _, w := range s.Works {
		if actor.Can(w.Right) || !actor.Can(w.View) {
			continue
		}
		i := slices.IndexFunc(rows, func(d delegation) bool { return slices.Contains(d.works(), w.Right) })
		if i < 0 {
			continue
		}
		holders, err := s.Staff.Holding(ctx, db, w.Right)
		if err != nil {
			return nil, err
		}
		for _, d := range rows[i:] {
			if slices.Contains(d.works(), w.Right) && slices.ContainsFunc(holders, func(c Colleague) bool { return c.ID == d.FromID }) {
				lent[w.Right] = access.Person{ID: d.FromID, Name: d.FromName}
				break
			}
		}
	}
	return lent, nil
}

// Deputed are the rights the actor uses in a colleague's name now, none of their own.
func (s *Service) Deputed(ctx context.Context, db bun.IDB, actor access.Actor) ([]access.Permission, error) {
	lent, err := s.Lent(ctx, db, actor)
	var out []access.Permission
	for _, w := range s.Works {
		if _, ok := lent[w.Right]; ok {
			out = append(out, w.Right)
		}
	}
	return out, err
}

// StandIns lists who stands in for those who hold a right, at this moment; for the notifications about reviews.
func (s *Service) StandIns(ctx context.Context, db bun.IDB, right access.Permission) ([]int64, error) {
	now := s.Clock.Now()
	var rows []delegation
	if err := db.NewSelect().Model(&rows).Where("o.ended_at IS NULL AND o.starts <= ? AND o.ends > ?", now, now).OrderExpr("o.id").Scan(ctx); err != nil {
		return nil, err
	}
	var out []int64
	for i := range rows {
		if slices.Contains(rows[i].works(), right) && !slices.Contains(out, rows[i].ToID) {
			out = append(out, rows[i].ToID)
		}
	}
	return out, nil
}

// Delegate lets a colleague review in the actor's name, or in a colleague's for who arranges it (review.delegations). What is
// delegated must be the right of who is on leave themselves: what was delegated is not delegated on. It returns ErrDelegator,
// ErrDelegate for somebody who may not see what is reviewed, and ErrClash beside another delegation that it cannot stand beside.
func (s *Service) Delegate(ctx context.Context, actor access.Actor, cmd Delegate) (Delegations, error) {
	if err := s.mayDelegate(actor, cmd.FromID); err != nil {
		return Delegations{}, err
	}
	now := s.Clock.Now()
	d, err := s.clean(cmd, now)
	if err != nil {
		return Delegations{}, err
	}
	if d.FromID == 0 {
		d.FromID = actor.UserID
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "review.delegate", Key: cmd.Key, Request: cmd, Now: now}, func() (int64, error) {
			d := d // a repeated transaction starts from the draft
			if err := s.fits(ctx, tx, &d); err != nil {
				return 0, err
			}
			d.ByName, d.At = actor.Name, now
			if _, err := tx.NewInsert().Model(&d).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				return 0, err
			}
			if _, err := event.Append(ctx, tx, actor, now, s.fact(&d, actor)); err != nil {
				return 0, err
			}
			return d.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "review.delegate", Object: Object, ObjectID: d.ID,
				Summary: d.FromName + "委托" + d.ToName + "办理" + s.titles(d.works()...), Detail: s.view(&d, actor, now)})
		})
		return err
	})
	if err != nil {
		return Delegations{}, fmt.Errorf("delegate reviews: %w", err)
	}
	return s.Delegations(ctx, actor)
}

func (s *Service) fact(d *delegation, by access.Actor) Delegated {
	reason, _ := text.MaskNumbers(d.Reason)
	return Delegated{ID: d.ID, Name: d.FromName, FromID: d.FromID, UserID: d.ToID, Works: s.titles(d.works()...), Reason: d.days() + "，" + reason, ByID: by.UserID}
}

// mayDelegate returns nil when the actor may delegate what from may do; 0 is the actor.
func (s *Service) mayDelegate(actor access.Actor, from int64) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	if actor.Party != access.Platform && actor.Party != access.Government {
		return fault.ErrForbidden
	}
	if from != 0 && from != actor.UserID {
		return actor.Need(PermDelegations)
	}
	if actor.Can(PermDelegations) || slices.ContainsFunc(s.Works, func(w Work) bool { return actor.Can(w.Right) }) {
		return nil
	}
	return fault.ErrForbidden
}

func (s *Service) clean(cmd Delegate, now time.Time) (delegation, error) {
	d := delegation{FromID: cmd.FromID, ToID: cmd.ToID}
	reason, err := text.Line("reason", cmd.Reason, 2, 100)
	wrong := []error{text.Named(err, "委托原因")}
	var works []string
	for _, w := range s.Works {
		if slices.Contains(cmd.Works, string(w.Right)) {
			works = append(works, string(w.Right))
		}
	}
	if len(works) == 0 || len(works) != len(cmd.Works) {
		wrong = append(wrong, fault.InvalidField("works", "DELEGATION_WORKS", "请选择要委托的审核事项"))
	}
	day := func(field, value, label string) time.Time {
		at, err := text.Day(field, strings.TrimSpace(value), clock.Beijing)
		wrong = append(wrong, text.Named(err, label))
		return at
	}
	starts, ends := day("starts", cmd.Starts, "开始日期"), day("ends", cmd.Ends, "结束日期")
	if err := fault.Merge(wrong...); err != nil {
		return d, err
	}
	d.Works, d.Reason, d.Starts, d.Ends = strings.Join(works, " "), reason, starts.UTC(), ends.AddDate(0, 0, 1).UTC()
	switch {
	case !d.Ends.After(d.Starts):
		return d, fault.InvalidField("ends", "DELEGATION_DAYS", "结束日期不能早于开始日期")
	case !d.Ends.After(now):
		return d, fault.InvalidField("ends", "DELEGATION_DAYS", "结束日期不能早于今天")
	case d.Ends.Sub(d.Starts) > longestDelegation*24*time.Hour:
		return d, fault.InvalidField("ends", "DELEGATION_DAYS", fmt.Sprintf("一次委托最长 %d 天", longestDelegation))
	}
	return d, nil
}

// fits names both people and returns a fault unless the delegation may be given as things stand.
func (s *Service) fits(ctx context.Context, tx bun.Tx, d *delegation) error {
	if database.KindOf(tx) == database.Postgres { // two at once would each not see the other
		if _, err := database.Run(ctx, tx, "LOCK TABLE review_delegations IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
	}
	for _, right := range d.works() {
		w := s.Works[slices.IndexFunc(s.Works, func(w Work) bool { return w.Right == right })]
		reviewers, err := s.Staff.Holding(ctx, tx, w.Right)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(reviewers, func(c Colleague) bool { return c.ID == d.FromID })
		if i < 0 {
			return ErrDelegator
		}
		d.FromName = reviewers[i].Name
		sees, err := s.Staff.Holding(ctx, tx, w.View)
		if err != nil {
			return err
		}
		if i = slices.IndexFunc(sees, func(c Colleague) bool { return c.ID == d.ToID }); i < 0 || d.ToID == d.FromID {
			return ErrDelegate
		}
		d.ToName = sees[i].Name
	}
	var others []delegation
	err := tx.NewSelect().Model(&others).Where("o.ended_at IS NULL AND o.starts < ? AND o.ends > ?", d.Ends, d.Starts).
		Where("o.from_id IN (?, ?) OR o.to_id IN (?, ?)", d.FromID, d.ToID, d.FromID, d.ToID).OrderExpr("o.id").Scan(ctx)
	if err != nil {
		return err
	}
	for i := range others {
		if why := d.clash(&others[i], s.titles); why != "" {
			return ErrClash.With("%s", why)
		}
	}
	return nil
}

func (s *Service) view(d *delegation, actor access.Actor, now time.Time) DelegationView {
	v := DelegationView{ID: d.ID, FromID: d.FromID, FromName: d.FromName, ToID: d.ToID, ToName: d.ToName, Works: d.works(), Titles: []string{}, Starts: d.first(), Ends: d.last(),
		Reason: d.Reason, ByName: d.ByName, At: d.At.UTC(), EndedBy: d.EndedBy}
	for _, w := range v.Works {
		v.Titles = append(v.Titles, s.titles(w))
	}
	if d.EndedAt != nil {
		at := d.EndedAt.UTC()
		v.EndedAt = &at
	}
	switch {
	case d.EndedAt != nil:
		v.State = "ended"
	case !d.Ends.After(now):
		v.State = "over"
	case d.Starts.After(now):
		v.State = "coming"
	default:
		v.State = "holds"
	}
	v.CanEnd = (v.State == "coming" || v.State == "holds") && (d.FromID == actor.UserID || actor.Can(PermDelegations))
	return v
}

// Delegations lists what the actor delegated and what was delegated to them, everybody's for who arranges them, and what they may
// delegate to whom.
func (s *Service) Delegations(ctx context.Context, actor access.Actor) (Delegations, error) {
	if !actor.SignedIn() {
		return Delegations{}, fault.ErrUnauthorized
	}
	if actor.Party != access.Platform && actor.Party != access.Government {
		return Delegations{}, fault.ErrForbidden
	}
	db, now := s.DB.Read(), s.Clock.Now()
	out := Delegations{Items: []DelegationView{}, Works: []WorkView{}, Arrange: actor.Can(PermDelegations)}
	var rows []delegation
	q := db.NewSelect().Model(&rows).OrderExpr("o.id DESC").Limit(100)
	if !out.Arrange {
		q = q.Where("o.from_id = ? OR o.to_id = ?", actor.UserID, actor.UserID)
	}
	if err := q.Scan(ctx); err != nil {
		return out, err
	}
	for i := range rows {
		out.Items = append(out.Items, s.view(&rows[i], actor, now))
	}
	for _, w := range s.Works {
		if !out.Arrange && !actor.Can(w.Right) {
			continue
		}
		v := WorkView{Key: w.Right, Title: w.Title, Reviewers: []Colleague{}, Candidates: []Colleague{}}
		reviewers, err := s.Staff.Holding(ctx, db, w.Right)
		if err != nil {
			return out, err
		}
		sees, err := s.Staff.Holding(ctx, db, w.View)
		if err != nil {
			return out, err
		}
		for _, c := range reviewers {
			if out.Arrange || c.ID == actor.UserID {
				v.Reviewers = append(v.Reviewers, c)
			}
		}
		v.Candidates = append(v.Candidates, sees...)
		if len(v.Reviewers) > 0 {
			out.Works = append(out.Works, v)
		}
	}
	return out, nil
}

// EndDelegation takes a delegation back, from now on: the actor's own, any for who arranges them.
func (s *Service) EndDelegation(ctx context.Context, actor access.Actor, id int64) (Delegations, error) {
	if !actor.SignedIn() {
		return Delegations{}, fault.ErrUnauthorized
	}
	if actor.Party != access.Platform && actor.Party != access.Government {
		return Delegations{}, fault.ErrForbidden
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		d := new(delegation)
		q := tx.NewSelect().Model(d).Where("o.id = ?", id)
		if !actor.Can(PermDelegations) {
			q = q.Where("o.from_id = ?", actor.UserID)
		}
		if err := database.Found(q.Scan(ctx)); err != nil {
			return err
		}
		err := database.Changed(tx.NewUpdate().Model((*delegation)(nil)).Set("ended_at = ?", now).Set("ended_by = ?", actor.Name).
			Where("id = ? AND ended_at IS NULL AND ends > ?", id, now).Exec(ctx))
		if fault.KindOf(err) == fault.Conflict {
			return ErrDelegation
		}
		if err != nil {
			return err
		}
		if _, err := event.Append(ctx, tx, actor, now, DelegationEnded{s.fact(d, actor)}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "review.delegation_end", Object: Object, ObjectID: id,
			Summary: "收回" + d.FromName + "对" + d.ToName + "的委托", Detail: map[string]any{"works": d.works()}})
	})
	if err != nil {
		return Delegations{}, fmt.Errorf("end delegation %d: %w", id, err)
	}
	return s.Delegations(ctx, actor)
}
