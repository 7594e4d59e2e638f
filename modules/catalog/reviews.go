package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/reason"
)

// Reviews is what the two reviews go by.
type Reviews interface {
	// ReviewDue is until when what came to a review at a moment is to be decided.
	ReviewDue(ctx context.Context, db bun.IDB, from time.Time) (time.Time, error)
	// Offered returns the ready reasons of a list that are in use, in their order.
	Offered(ctx context.Context, db bun.IDB, list string) ([]reason.Reason, error)
}

// plainReviews is the desk of an installation that says nothing: two days on the clock, the first reasons.
type plainReviews struct{}

func (plainReviews) ReviewDue(_ context.Context, _ bun.IDB, from time.Time) (time.Time, error) {
	return from.Add(48 * time.Hour), nil
}

func (plainReviews) Offered(context.Context, bun.IDB, string) ([]reason.Reason, error) {
	return FirstReasons(), nil
}

// Deputies tells which rights colleagues on leave delegated to somebody.
type Deputies interface {
	Lent(ctx context.Context, db bun.IDB, actor access.Actor) (access.Lent, error)
}

// noDeputies is where nobody delegates.
type noDeputies struct{}

func (noDeputies) Lent(context.Context, bun.IDB, access.Actor) (access.Lent, error) { return nil, nil }

// lent returns what colleagues lent the actor, ErrForbidden when neither that nor the actor's own rights ever allow the action.
func (s *Service) lent(ctx context.Context, db bun.IDB, actor access.Actor, action Action) (access.Lent, error) {
	if action != ToPass && action != ToReturn && action != ToUndo { // reviews are lent, nothing else is
		if !mayEver(actor, action) {
			return nil, ErrForbidden
		}
		return nil, nil
	}
	lent, err := s.Deputies.Lent(ctx, db, actor)
	if err == nil && !mayEver(lent.With(actor), action) {
		err = ErrForbidden
	}
	return lent, err
}

// hand is the actor as they take an action on the product: in a colleague's name where only the right that was lent allows it.
func (d *dossier) hand(lent access.Lent, actor access.Actor, action Action) access.Actor {
	return lent.Using(actor, RightOf(d.about(action).Status, action).Permission)
}

// ReasonsOfProducts is the list of ready reasons for sending a product back, of both reviews.
const ReasonsOfProducts = "product"

// FirstReasons are the reasons an installation begins with.
func FirstReasons() []reason.Reason {
	return []reason.Reason{
		{Code: "charges", Text: "利率、费率或收费标准与合同样本不一致，请核对并补充收费说明", Sort: 10},
		{Code: "promises", Text: "产品说明含有承诺性或容易误解的表述，请修改后重新提交", Sort: 20},
		{Code: "incomplete", Text: "申请条件、申请材料或办理流程不完整，请补充", Sort: 30},
		{Code: "licence", Text: "机构资质有效期不足，请更新资质后提交", Sort: 40},
		{Code: "rate", Text: "综合融资成本偏高，请说明构成或调整后提交", Sort: 50},
		{Code: reason.Other, Text: "其他原因", Words: true, Sort: 900},
	}
}

// Reasons lists the ready reasons. It needs a right to review.
func (s *Service) Reasons(ctx context.Context, actor access.Actor) ([]reason.Reason, error) {
	if _, err := s.lent(ctx, s.DB.Read(), actor, ToReturn); err != nil {
		return nil, err
	}
	return s.Reviews.Offered(ctx, s.DB.Read(), ReasonsOfProducts)
}

// words are the reasons that were chosen and the reviewer's own words, as the institution reads them.
func (s *Service) words(ctx context.Context, db bun.IDB, cmd ReturnProduct) (string, error) {
	offered, err := s.Reviews.Offered(ctx, db, ReasonsOfProducts)
	if err != nil {
		return "", err
	}
	_, words, err := reason.Compose(offered, cmd.Codes, cmd.Text)
	if errors.Is(err, reason.ErrChoose) {
		err = fault.InvalidField("codes", reason.ErrChoose.Code, reason.ErrChoose.Message)
	}
	return words, err
}

// reviewing reports whether somebody is to decide about an edition in the state.
func (s Status) reviewing() bool { return s == PlatformReview || s == GovernmentReview }

// await gives a product that came to a review its time limit, and takes the limit of one that left.
func (s *Service) await(ctx context.Context, db bun.IDB, d *dossier, before Status) error {
	if d.Status == before {
		return nil
	}
	d.DueAt, d.RemindedAt = nil, nil
	if !d.Status.reviewing() {
		return nil
	}
	due, err := s.Reviews.ReviewDue(ctx, db, d.StatusAt)
	if err != nil {
		return fmt.Errorf("time limit of the review: %w", err)
	}
	d.DueAt = &due
	return nil
}

// ReviewOverdue is announced once for a review that was not done in time; the state says which of the two.
type ReviewOverdue struct {
	Head
	DueAt time.Time `json:"dueAt"`
}

// Event names the fact.
func (f ReviewOverdue) Event() (string, string, int64) { return "product.review_overdue", Object, f.ID }

// RemindOverdue announces the reviews that were not done in time, each once, whatever the number of processes. Only the
// system may.
func (s *Service) RemindOverdue(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	now, n := s.Clock.Now(), 0
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		var rows []Product
		err := tx.NewSelect().Model(&rows).Where("p.status IN (?, ?) AND p.due_at <= ? AND p.reminded_at IS NULL", PlatformReview, GovernmentReview, now).
			OrderExpr("p.id").Limit(100).Scan(ctx)
		if err != nil {
			return fmt.Errorf("overdue reviews: %w", err)
		}
		for i := range rows {
			p := &rows[i]
			res, err := tx.NewUpdate().Model((*Product)(nil)).Set("reminded_at = ?", now).
				Where("id = ? AND version = ? AND reminded_at IS NULL", p.ID, p.Version).Exec(ctx)
			if err != nil {
				return err
			}
			if did, err := res.RowsAffected(); err != nil || did == 0 { // another process, or a decision, was first
				if err != nil {
					return err
				}
				continue
			}
			e, err := edition(ctx, tx, p.ID, p.Edition)
			if err != nil {
				return err
			}
			d := dossier{Product: p, newest: e}
			if _, err := event.Append(ctx, tx, actor, now, ReviewOverdue{Head: d.head(e), DueAt: p.DueAt.UTC()}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func (s *Service) reminding() jobs.Task {
	return jobs.Task{Name: "product.remind_reviews", Title: "提醒超时的产品审核", Every: 15 * time.Minute, Timeout: time.Minute,
		Failure: "超时的产品审核没有提醒审核人员。请查看服务日志中的原因；恢复后自动补发。",
		Run: func(ctx context.Context) error {
			n, err := s.RemindOverdue(ctx, access.SystemActor("job:product.remind_reviews"))
			if n > 0 {
				jobs.Note(ctx, "提醒 %d 件", n)
			}
			return err
		}}
}
