package enterprise

import (
	"cmp"
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
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/text"
)

// Colleague is a member of staff.
type Colleague struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Desk tells about the staff who review, and how long a review may take.
type Desk interface {
	// Holding lists who holds a right.
	Holding(ctx context.Context, db bun.IDB, right access.Permission) ([]Colleague, error)
	// ReviewDue is until when a claim that was sent at a moment is to be decided.
	ReviewDue(ctx context.Context, db bun.IDB, from time.Time) (time.Time, error)
}

// plainDesk is the desk of an installation that says nothing: nobody to delegate to, two days on the clock.
type plainDesk struct{}

func (plainDesk) Holding(context.Context, bun.IDB, access.Permission) ([]Colleague, error) {
	return nil, nil
}

func (plainDesk) ReviewDue(_ context.Context, _ bun.IDB, from time.Time) (time.Time, error) {
	return from.Add(48 * time.Hour), nil
}

// The faults of delegations.
var (
	// ErrDelegate: the colleague cannot review.
	ErrDelegate = fault.InvalidField("toId", "DELEGATE", "请选择可以查看企业的同事；不能委托给本人")
	// ErrDelegation: it is over already.
	ErrDelegation = fault.New(fault.Conflict, "DELEGATION_ENDED", "这项委托已经结束，请刷新后查看")
)

// longestDelegation is how many days a delegation may last.
const longestDelegation = 92

// delegation lets a colleague review in the name of a reviewer on leave (委托审核).
type delegation struct {
	bun.BaseModel `bun:"table:enterprise_delegations,alias:o"`

	ID       int64      `bun:"id,pk,autoincrement"`
	FromID   int64      `bun:"from_id,notnull"`
	FromName string     `bun:"from_name,notnull"`
	ToID     int64      `bun:"to_id,notnull"`
	ToName   string     `bun:"to_name,notnull"`
	Starts   time.Time  `bun:"starts,notnull"`
	Ends     time.Time  `bun:"ends,notnull"` // the first moment it no longer holds
	Reason   string     `bun:"reason,notnull"`
	At       time.Time  `bun:"created_at,notnull"`
	EndedAt  *time.Time `bun:"ended_at"`
}

// DelegationView is a delegation in words.
type DelegationView struct {
	ID       int64      `json:"id"`
	FromID   int64      `json:"fromId"`
	FromName string     `json:"fromName"`
	ToID     int64      `json:"toId"`
	ToName   string     `json:"toName"`
	Starts   string     `json:"starts" doc:"The first day, as 2026-11-22."`
	Ends     string     `json:"ends" doc:"The last day."`
	Reason   string     `json:"reason"`
	Holds    bool       `json:"holds"`
	EndedAt  *time.Time `json:"endedAt,omitempty"`
	CanEnd   bool       `json:"canEnd"`
}

// Delegations are the delegations a reviewer gave or has, newest first, and whom they may choose.
type Delegations struct {
	Items      []DelegationView `json:"items"`
	Candidates []Colleague      `json:"candidates"`
	MayGive    bool             `json:"mayGive"`
}

// Delegate asks to let a colleague review in the actor's name from one day to another, both included.
type Delegate struct {
	Key    string `json:"-"`
	ToID   int64
	Starts string
	Ends   string
	Reason string
}

// WasDelegated is announced when a reviewer delegated; UserID reviews for them.
type WasDelegated struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"` // the reviewer on leave
	FromID int64  `json:"fromId"`
	UserID int64  `json:"userId"`
	Reason string `json:"reason"` // from when to when, and why
}

// Event names the fact.
func (f WasDelegated) Event() (string, string, int64) {
	return "enterprise.review_delegated", Object, 0
}

// IsOverdue is announced once for a claim that was not decided in time.
type IsOverdue struct {
	Head
	AttemptID int64     `json:"attemptId"`
	DueAt     time.Time `json:"dueAt"`
}

// Event names the fact.
func (f IsOverdue) Event() (string, string, int64) { return "enterprise.review_overdue", Object, f.ID }

// reviewer returns in whose name the actor reviews: "" in their own. Without the right and without a delegation that holds
// of somebody who still has it, it returns ErrForbidden.
func (s *Service) reviewer(ctx context.Context, db bun.IDB, actor access.Actor) (string, error) {
	err := actor.Need(PermReview)
	if err == nil || !isDesk(actor) {
		return "", err
	}
	now := s.clock.Now()
	var rows []delegation
	if err := db.NewSelect().Model(&rows).Where("o.to_id = ? AND o.ended_at IS NULL AND o.starts <= ? AND o.ends > ?", actor.UserID, now, now).OrderExpr("o.id").Scan(ctx); err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", err
	}
	holders, lookErr := s.desk.Holding(ctx, db, PermReview)
	if lookErr != nil {
		return "", lookErr
	}
	for _, d := range rows {
		if slices.ContainsFunc(holders, func(c Colleague) bool { return c.ID == d.FromID }) {
			return d.FromName, nil
		}
	}
	return "", err
}

// Deputed are the rights the actor uses in a colleague's name now, none of their own.
func (s *Service) Deputed(ctx context.Context, db bun.IDB, actor access.Actor) ([]access.Permission, error) {
	behalf, err := s.reviewer(ctx, db, actor)
	switch {
	case fault.KindOf(err) == fault.Forbidden, fault.KindOf(err) == fault.Unauthorized, err == nil && behalf == "":
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []access.Permission{PermReview}, nil
}

// Delegate lets a colleague review in the actor's name. It needs enterprise.review of the actor's own: what was delegated is
// not delegated on. It returns ErrDelegate for somebody who may not see companies.
func (s *Service) Delegate(ctx context.Context, actor access.Actor, cmd Delegate) (Delegations, error) {
	if err := actor.Need(PermReview); err != nil {
		return Delegations{}, err
	}
	now := s.clock.Now()
	d, err := s.cleanDelegation(cmd, now)
	if err != nil {
		return Delegations{}, err
	}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.delegate", Key: cmd.Key, Request: cmd, Now: now}, func() (started, error) {
			d := d
			candidates, err := s.candidates(ctx, tx, actor)
			if err != nil {
				return started{}, err
			}
			i := slices.IndexFunc(candidates, func(c Colleague) bool { return c.ID == cmd.ToID })
			if i < 0 {
				return started{}, ErrDelegate
			}
			d.FromID, d.FromName, d.ToID, d.ToName, d.At = actor.UserID, actor.Name, cmd.ToID, candidates[i].Name, now
			if _, err := tx.NewInsert().Model(&d).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				return started{}, err
			}
			v := d.view(now)
			fact := WasDelegated{ID: d.ID, Name: actor.Name, FromID: actor.UserID, UserID: d.ToID, Reason: fmt.Sprintf("%s至%s，%s", v.Starts, v.Ends, masked(d.Reason))}
			if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
				return started{}, err
			}
			return started{ID: d.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.delegate", Object: Object, Summary: "委托" + d.ToName + "审核企业认证", Detail: v})
		})
		return err
	})
	if err != nil {
		return Delegations{}, fmt.Errorf("delegate reviews: %w", err)
	}
	return s.Delegations(ctx, actor)
}

func (s *Service) cleanDelegation(cmd Delegate, now time.Time) (delegation, error) {
	var d delegation
	reason, err := text.Line("reason", cmd.Reason, 2, 100)
	wrong := []error{text.Named(err, "委托原因")}
	day := func(field, value, label string) time.Time {
		at, err := text.Day(field, strings.TrimSpace(value), clock.Beijing)
		wrong = append(wrong, text.Named(err, label))
		return at
	}
	starts, ends := day("starts", cmd.Starts, "开始日期"), day("ends", cmd.Ends, "结束日期")
	if err := fault.Merge(wrong...); err != nil {
		return d, err
	}
	d.Reason, d.Starts, d.Ends = reason, starts.UTC(), ends.AddDate(0, 0, 1).UTC()
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

// candidates are the colleagues who may see companies, without the actor.
func (s *Service) candidates(ctx context.Context, db bun.IDB, actor access.Actor) ([]Colleague, error) {
	list, err := s.desk.Holding(ctx, db, PermView)
	return slices.DeleteFunc(list, func(c Colleague) bool { return c.ID == actor.UserID }), err
}

func (d *delegation) view(now time.Time) DelegationView {
	return DelegationView{ID: d.ID, FromID: d.FromID, FromName: d.FromName, ToID: d.ToID, ToName: d.ToName, Starts: d.Starts.In(clock.Beijing).Format(time.DateOnly),
		Ends: d.Ends.Add(-time.Second).In(clock.Beijing).Format(time.DateOnly), Reason: d.Reason, EndedAt: utc(d.EndedAt),
		Holds: d.EndedAt == nil && !d.Starts.After(now) && d.Ends.After(now)}
}

// Delegations lists what the actor delegated and what was delegated to them.
func (s *Service) Delegations(ctx context.Context, actor access.Actor) (Delegations, error) {
	if !actor.SignedIn() {
		return Delegations{}, fault.ErrUnauthorized
	}
	if !isDesk(actor) {
		return Delegations{}, ErrForbidden
	}
	db, now := s.db.Read(), s.clock.Now()
	out := Delegations{Items: []DelegationView{}, Candidates: []Colleague{}, MayGive: actor.Can(PermReview)}
	var rows []delegation
	if err := db.NewSelect().Model(&rows).Where("o.from_id = ? OR o.to_id = ?", actor.UserID, actor.UserID).OrderExpr("o.id DESC").Limit(50).Scan(ctx); err != nil {
		return out, err
	}
	for i := range rows {
		v := rows[i].view(now)
		v.CanEnd = rows[i].FromID == actor.UserID && rows[i].EndedAt == nil && rows[i].Ends.After(now)
		out.Items = append(out.Items, v)
	}
	if !out.MayGive {
		return out, nil
	}
	list, err := s.candidates(ctx, db, actor)
	out.Candidates = append(out.Candidates, list...)
	return out, err
}

// EndDelegation takes a delegation of the actor's own back, from now on.
func (s *Service) EndDelegation(ctx context.Context, actor access.Actor, id int64) (Delegations, error) {
	if !isDesk(actor) {
		return Delegations{}, ErrForbidden
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		d := new(delegation)
		if err := database.Found(tx.NewSelect().Model(d).Where("o.id = ? AND o.from_id = ?", id, actor.UserID).Scan(ctx)); err != nil {
			return err
		}
		err := database.Changed(tx.NewUpdate().Model((*delegation)(nil)).Set("ended_at = ?", now).Where("id = ? AND ended_at IS NULL AND ends > ?", id, now).Exec(ctx))
		if fault.KindOf(err) == fault.Conflict {
			return ErrDelegation
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.delegation_end", Object: Object, Summary: "收回委托：" + d.ToName, Detail: map[string]any{"delegation": id}})
	})
	if err != nil {
		return Delegations{}, fmt.Errorf("end delegation %d: %w", id, err)
	}
	return s.Delegations(ctx, actor)
}

// RemindOverdue announces the claims that were not decided in time, each once. Only the system may.
func (s *Service) RemindOverdue(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	now := s.clock.Now()
	n := 0
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		var rows []Attempt
		err := tx.NewSelect().Model(&rows).Where("v.outcome = ? AND v.due_at <= ? AND v.reminded_at IS NULL", Waiting, now).OrderExpr("v.id").Limit(100).Scan(ctx)
		if err != nil {
			return err
		}
		for i := range rows {
			a := &rows[i]
			res, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("reminded_at = ?", now).Where("id = ? AND outcome = ? AND reminded_at IS NULL", a.ID, Waiting).Exec(ctx)
			if err != nil {
				return err
			}
			if did, err := res.RowsAffected(); err != nil {
				return err
			} else if did == 0 {
				continue
			}
			f := IsOverdue{Head: Head{ID: a.EnterpriseID, Name: cmp.Or(a.OldName, a.Name), UserID: a.UserID, By: byReview}, AttemptID: a.ID, DueAt: *a.DueAt}
			if _, err := event.Append(ctx, tx, actor, now, f); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{s.tagTask(), {Name: "enterprise.remind_reviews", Title: "提醒超时的企业认证审核", Every: 15 * time.Minute, Timeout: time.Minute,
		Failure: "超时的企业认证审核没有提醒审核人员。请查看服务日志中的原因；恢复后自动补发。",
		Run: func(ctx context.Context) error {
			n, err := s.RemindOverdue(ctx, access.SystemActor("job:enterprise.remind_reviews"))
			if n > 0 {
				jobs.Note(ctx, "提醒 %d 件", n)
			}
			return err
		}}}
}
