package enterprise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// JoinState is where a request to join stands.
type JoinState string

// The states of a request.
const (
	JoinOpen      JoinState = "open"     // the owner decides
	JoinInDispute JoinState = "disputed" // the operator decides
	JoinAccepted  JoinState = "admitted"
	JoinRejected  JoinState = "refused"
)

// Label is the state in one word, "" for one that does not exist.
func (j JoinState) Label() string {
	switch j {
	case JoinOpen:
		return "等待企业负责人处理"
	case JoinInDispute:
		return "等待平台核实"
	case JoinAccepted:
		return "已同意"
	case JoinRejected:
		return "未同意"
	}
	return ""
}

// Join is a request to act for a company that somebody else verified.
type Join struct {
	bun.BaseModel `bun:"table:enterprise_joins,alias:j"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	UserID       int64      `bun:"user_id,notnull"`
	FromID       int64      `bun:"from_id,notnull"` // the unverified company of the requester
	State        JoinState  `bun:"state,notnull"`
	Note         string     `bun:"note,notnull"`
	Reason       string     `bun:"reason,notnull"`
	Version      int64      `bun:"version,notnull"`
	AskedAt      time.Time  `bun:"asked_at,notnull"`
	DecidedAt    *time.Time `bun:"decided_at"`
	DeciderID    int64      `bun:"decider_id,nullzero"`
	DeciderName  string     `bun:"decider_name,notnull"`
}

func (j *Join) decide(now time.Time, a access.Actor, to JoinState, reason string) error {
	if j.State != JoinOpen && j.State != JoinInDispute {
		return fault.ErrChanged.With("该加入申请已处理（%s），请刷新后查看", j.State.Label())
	}
	j.State, j.Reason, j.DecidedAt, j.DeciderID, j.DeciderName = to, reason, &now, a.UserID, a.Name
	return nil
}

// dispute takes an open or refused request to the operator.
func (j *Join) dispute(note string) error {
	if j.State != JoinOpen && j.State != JoinRejected {
		return fault.ErrChanged.With("该加入申请当前为“%s”，不能再提交平台核实", j.State.Label())
	}
	j.State, j.Note, j.DecidedAt = JoinInDispute, note, nil
	return nil
}

// knock makes the request to join the company that holds the code, or switches a person who is a member of it already.
func (s *Service) knock(ctx context.Context, tx bun.Tx, actor access.Actor, from, to *Enterprise, a *Attempt, now time.Time) (Outcome, error) {
	_, err := roleOf(ctx, tx, to.ID, a.UserID)
	if err == nil {
		return AlreadyMember, s.accounts.ActFor(ctx, tx, a.UserID, to.ID)
	}
	if fault.KindOf(err) != fault.NotFound {
		return "", err
	}
	open, err := tx.NewSelect().Model((*Join)(nil)).Where("j.enterprise_id = ? AND j.user_id = ? AND j.state IN (?, ?)", to.ID, a.UserID, JoinOpen, JoinInDispute).Exists(ctx)
	if err != nil || open {
		return Held, err
	}
	j := Join{EnterpriseID: to.ID, UserID: a.UserID, FromID: from.ID, State: JoinOpen, Version: 1, AskedAt: now}
	if _, err := tx.NewInsert().Model(&j).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return "", fmt.Errorf("insert request to join: %w", err)
	}
	head, err := joinHead(ctx, tx, &j, to.Name)
	if err != nil {
		return "", err
	}
	_, err = event.Append(ctx, tx, actor, now, JoinAsked{head})
	return Held, err
}

func joinHead(ctx context.Context, db bun.IDB, j *Join, name string) (JoinHead, error) {
	owner, err := ownerOf(ctx, db, j.EnterpriseID)
	return JoinHead{ID: j.ID, EnterpriseID: j.EnterpriseID, EnterpriseName: name, UserID: j.UserID, OwnerID: owner}, err
}

// AdmitJoin lets the requester in. RefuseJoin does not, with the reason the requester reads. DisputeJoin asks the operator.
type (
	AdmitJoin  struct{ Decide }
	RefuseJoin struct {
		Decide
		Reason string
	}
	DisputeJoin struct {
		Decide
		Note string
	}
)

// Admit makes the requester a member, who acts for the company from then on. The owner decides an open request, staff with
// enterprise.review one in dispute; everybody else gets ErrNotFound or ErrForbidden.
func (s *Service) Admit(ctx context.Context, actor access.Actor, cmd AdmitJoin) (JoinView, error) {
	return s.changeJoin(ctx, actor, cmd.Decide, "enterprise.join_admit", "", func(ctx context.Context, tx bun.Tx, j *Join, head JoinHead) (event.Fact, error) {
		now := s.clock.Now()
		if err := s.mayDecide(ctx, tx, actor, j); err != nil {
			return nil, err
		}
		if err := j.decide(now, actor, JoinAccepted, ""); err != nil {
			return nil, err
		}
		m := member{EnterpriseID: j.EnterpriseID, UserID: j.UserID, Role: Member, JoinedAt: &now}
		if _, err := tx.NewInsert().Model(&m).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return nil, err
		}
		if err := s.accounts.ActFor(ctx, tx, j.UserID, j.EnterpriseID); err != nil {
			return nil, err
		}
		// The company the requester had opened stays as it is, but is not offered to them any more.
		_, err := tx.NewUpdate().Model((*Enterprise)(nil)).Set("replaced_by = ?", j.EnterpriseID).
			Where("id = ? AND verification <> ?", j.FromID, Verified).Exec(ctx)
		return JoinAdmitted{head}, err
	})
}

// Refuse keeps the requester out. Who may is as with Admit.
func (s *Service) Refuse(ctx context.Context, actor access.Actor, cmd RefuseJoin) (JoinView, error) {
	reason, err := text.Block("reason", cmd.Reason, 2, 300)
	if errors.Is(err, text.ErrRequired) {
		err = text.ErrRequired.With("请写明不同意的原因，申请人会看到").On("reason")
	}
	if err != nil {
		return JoinView{}, err
	}
	return s.changeJoin(ctx, actor, cmd.Decide, "enterprise.join_refuse", reason, func(ctx context.Context, tx bun.Tx, j *Join, head JoinHead) (event.Fact, error) {
		if err := s.mayDecide(ctx, tx, actor, j); err != nil {
			return nil, err
		}
		return JoinRefused{head, masked(reason)}, j.decide(s.clock.Now(), actor, JoinRejected, reason)
	})
}

// Dispute takes the requester's own request to the operator, when the owner refused it or does not answer.
func (s *Service) Dispute(ctx context.Context, actor access.Actor, cmd DisputeJoin) (JoinView, error) {
	note, err := text.Block("note", cmd.Note, 5, 500)
	if errors.Is(err, text.ErrRequired) {
		err = text.ErrRequired.With("请说明您与该企业的关系，便于平台核实").On("note")
	}
	if err != nil {
		return JoinView{}, err
	}
	return s.changeJoin(ctx, actor, cmd.Decide, "enterprise.join_dispute", note, func(_ context.Context, _ bun.Tx, j *Join, head JoinHead) (event.Fact, error) {
		if actor.UserID != j.UserID {
			return nil, ErrForbidden
		}
		return JoinDisputed{head, masked(note)}, j.dispute(note)
	})
}

// mayDecide reports whether the request is the actor's to decide.
func (s *Service) mayDecide(ctx context.Context, db bun.IDB, actor access.Actor, j *Join) error {
	if actor.UserID == j.UserID && actor.UserID != 0 {
		return ErrForbidden
	}
	if isDesk(actor) {
		if err := actor.Need(PermReview); err != nil {
			return err
		}
		if j.State == JoinOpen {
			return ErrForbidden.With("该申请由企业负责人处理；申请人提交平台核实后，由平台处理")
		}
		return nil
	}
	role, err := roleOf(ctx, db, j.EnterpriseID, actor.UserID)
	if err != nil {
		return err
	}
	if role != Owner {
		return ErrOwner
	}
	if j.State == JoinInDispute {
		return ErrForbidden.With("申请人已提交平台核实，由平台处理")
	}
	return nil
}

// changeJoin is the frame of every command on a request: key, request, version, step, event, audit, in one transaction.
func (s *Service) changeJoin(ctx context.Context, actor access.Actor, d Decide, operation, words string,
	step func(ctx context.Context, tx bun.Tx, j *Join, head JoinHead) (event.Fact, error),
) (JoinView, error) {
	if !actor.SignedIn() {
		return JoinView{}, fault.ErrUnauthorized
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: d.Key, Request: []any{d, words}, Now: now},
			func() (started, error) {
				j, e, err := findJoin(ctx, tx, actor, d.ID)
				if err != nil {
					return started{}, err
				}
				if j.Version != d.Version {
					return started{}, fault.ErrChanged.With("该加入申请已有变化（%s），请刷新后查看", j.State.Label())
				}
				head, err := joinHead(ctx, tx, j, e.Name)
				if err != nil {
					return started{}, err
				}
				fact, err := step(ctx, tx, j, head)
				if err != nil {
					return started{}, err
				}
				j.Version++
				err = database.Changed(tx.NewUpdate().Model(j).Column("state", "note", "reason", "version", "decided_at", "decider_id", "decider_name").
					Where("id = ? AND version = ?", j.ID, d.Version).Exec(ctx))
				if err != nil {
					return started{}, err
				}
				if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
					return started{}, err
				}
				return started{ID: j.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: ObjectJoin, ObjectID: j.ID,
					Summary: "加入申请：" + j.State.Label() + " " + e.Name, Detail: map[string]any{"enterprise": e.ID, "user": j.UserID, "words": masked(words)}})
			})
		return err
	})
	if err != nil {
		return JoinView{}, fmt.Errorf("%s %d: %w", operation, d.ID, err)
	}
	return s.join(ctx, actor, d.ID)
}

// findJoin reads one request the actor may see, with the company it is about.
func findJoin(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*Join, *Enterprise, error) {
	j := new(Join)
	if err := visibleJoin(db.NewSelect().Model(j), actor).Where("j.id = ?", id).Scan(ctx); err != nil {
		return nil, nil, database.Found(err)
	}
	// Whoever may see the request may know the name of the company, a member of it or not.
	e := new(Enterprise)
	err := db.NewSelect().Model(e).Where("ent.id = ?", j.EnterpriseID).Scan(ctx)
	return j, e, database.Found(err)
}

func (s *Service) join(ctx context.Context, actor access.Actor, id int64) (JoinView, error) {
	db := s.db.Read()
	j, e, err := findJoin(ctx, db, actor, id)
	if err != nil {
		return JoinView{}, err
	}
	return s.joinView(ctx, db, actor, j, e)
}

// MyJoins lists the actor's own requests, newest first.
func (s *Service) MyJoins(ctx context.Context, actor access.Actor) ([]JoinView, error) {
	if actor.Party != access.Enterprise || actor.UserID == 0 {
		return nil, ErrForbidden
	}
	return s.joins(ctx, actor, 50, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("j.user_id = ?", actor.UserID).OrderExpr("j.id DESC")
	})
}

// Disputes returns a page of the requests that wait for the operator, oldest first. It needs enterprise.review.
func (s *Service) Disputes(ctx context.Context, actor access.Actor, cursor string, limit int) ([]JoinView, string, error) {
	if err := actor.Need(PermReview); err != nil {
		return nil, "", err
	}
	after, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	limit = limitOf(limit)
	views, err := s.joins(ctx, actor, limit+1, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("j.state = ? AND j.id > ?", JoinInDispute, after).OrderExpr("j.id")
	})
	views, next := cut(views, limit, func(j JoinView) int64 { return j.ID })
	return views, next, err
}

func (s *Service) joins(ctx context.Context, actor access.Actor, limit int, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]JoinView, error) {
	db := s.db.Read()
	var rows []Join
	if err := narrow(visibleJoin(db.NewSelect().Model(&rows), actor)).Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, err
	}
	views := make([]JoinView, 0, len(rows))
	for i := range rows {
		e := new(Enterprise)
		if err := db.NewSelect().Model(e).Where("ent.id = ?", rows[i].EnterpriseID).Scan(ctx); err != nil {
			return nil, database.Found(err)
		}
		v, err := s.joinView(ctx, db, actor, &rows[i], e)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}
