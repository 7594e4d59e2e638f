package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/text"
)

// PassProduct asks to pass an edition on: from the platform's review to the government's, and from there to the public.
type PassProduct struct {
	Ref
	Note string // internal
}

// Pass is a reviewer's yes. 初审 needs product.review_platform, 终审 product.review_government, and another person than
// submitted it and than did the first review. It returns ErrNotFound when the actor cannot see the product, ErrForbidden,
// ErrOwn or ErrSamePerson when it is not theirs to decide, and a conflict that says who was first when it is stale.
func (s *Service) Pass(ctx context.Context, actor access.Actor, cmd PassProduct) (View, error) {
	note, err := text.Block("note", cmd.Note, 0, 500)
	if err != nil {
		return View{}, err
	}
	err = s.change(ctx, actor, ToPass, cmd.Ref, cmd, func(d *dossier, now time.Time) (effect, error) {
		replaces, err := d.Pass(now, d.by)
		return d.passed(replaces, note), err
	})
	return s.after(ctx, actor, cmd.ID, err)
}

// passed is the effect of a reviewer's yes, by the state it led to.
func (d *dossier) passed(replaces int64, note string) effect {
	switch d.newest.Status {
	case GovernmentReview:
		return effect{about: d.newest, summary: "产品初审通过", fact: func(h Head) event.Fact { return PassedPlatform{Head: h, Note: note} }}
	case Scheduled:
		return effect{about: d.newest, summary: "产品终审通过，定期上架",
			fact: func(h Head) event.Fact { return Approved{Head: h, ListFrom: d.newest.ListFrom, Note: note} }}
	}
	return effect{about: d.newest, public: true, summary: "产品终审通过并上架",
		fact: func(h Head) event.Fact { return Listed{Head: h, Replaces: replaces, Note: note} }}
}

// ReturnProduct asks to send an edition back to its institution. Codes are of the ready reasons; some need Text.
type ReturnProduct struct {
	Ref
	Codes []string
	Text  string
}

// Return is a reviewer's no, with the reason the institution reads. Errors as Pass.
func (s *Service) Return(ctx context.Context, actor access.Actor, cmd ReturnProduct) (View, error) {
	reason, err := s.words(ctx, s.DB.Read(), cmd)
	if err != nil {
		return View{}, err
	}
	err = s.change(ctx, actor, ToReturn, cmd.Ref, cmd, func(d *dossier, now time.Time) (effect, error) {
		step := d.newest.Status
		err := d.Return(now, d.by, reason)
		return effect{about: d.newest, summary: "退回产品", detail: map[string]string{"reason": reason},
			fact: func(h Head) event.Fact { return Returned{Head: h, Reason: reason, Step: step} }}, err
	})
	return s.after(ctx, actor, cmd.ID, err)
}

// TakeDownProduct asks to take a product off the public list.
type TakeDownProduct struct {
	Ref
	Reason string
}

// TakeDown takes the public edition off the list, with the reason the institution reads; running applications go on. It
// needs product.take_down. Errors as Pass.
func (s *Service) TakeDown(ctx context.Context, actor access.Actor, cmd TakeDownProduct) (View, error) {
	return s.leave(ctx, actor, ToTakeDown, cmd.Ref, cmd.Reason, false)
}

// RecommendProduct asks to recommend a public product, or to cease.
type RecommendProduct struct {
	Ref
	On bool
}

// ToRecommend is an editor's choice and no step of the lifecycle.
const ToRecommend Action = "recommend"

// Recommend marks a public product as recommended, or unmarks it. It needs product.review_platform. Errors as Pass.
func (s *Service) Recommend(ctx context.Context, actor access.Actor, cmd RecommendProduct) (View, error) {
	if err := actor.Need(PermReviewPlatform); err != nil {
		return View{}, err
	}
	err := s.change(ctx, actor, ToRecommend, cmd.Ref, cmd, func(d *dossier, _ time.Time) (effect, error) {
		if d.public == nil {
			return effect{}, ErrState.With("产品没有上架，不能设为推荐")
		}
		d.Recommended = cmd.On
		summary := "设为推荐产品"
		if !cmd.On {
			summary = "取消推荐产品"
		}
		return effect{about: d.public, summary: summary, fact: func(h Head) event.Fact { return Featured{Head: h, On: cmd.On} }}, nil
	})
	return s.after(ctx, actor, cmd.ID, err)
}

// expiredReason is what an institution reads when its product's term has ended.
const expiredReason = "产品有效期已到，自动下架。如需继续提供服务，请修改有效期后重新提交审核。"

// ExpireDue takes the products whose term has ended off the list and returns how many it took. Only the system may. The
// public does not see them from the moment on; this writes it into the books.
func (s *Service) ExpireDue(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	var due []Product
	err := s.DB.Read().NewSelect().Model(&due).Where("p.shown > 0 AND p.expires_at <= ?", s.Clock.Now()).OrderExpr("p.expires_at").Limit(100).Scan(ctx)
	if err != nil {
		return 0, fmt.Errorf("products that expire: %w", err)
	}
	return s.each(ctx, actor, due, ToExpire, func(d *dossier, now time.Time) (effect, error) {
		e := d.about(ToExpire)
		return effect{about: e, public: true, summary: "产品到期下架", fact: func(h Head) event.Fact { return Expired{Head: h, Reason: expiredReason} }},
			d.Leave(now, ToExpire, expiredReason)
	})
}

// ListDue makes the approved products public whose day has come and returns how many. Only the system may.
func (s *Service) ListDue(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	var due []Product
	err := s.DB.Read().NewSelect().Model(&due).Join("JOIN product_editions AS e ON e.product_id = p.id AND e.number = p.edition").
		Where("p.status = ? AND e.list_from <= ?", Scheduled, dayOf(s.Clock.Now())).OrderExpr("p.status_at, p.id").Limit(100).Scan(ctx)
	if err != nil {
		return 0, fmt.Errorf("products to be listed: %w", err)
	}
	return s.each(ctx, actor, due, ToList, func(d *dossier, now time.Time) (effect, error) {
		replaces, err := d.List(now)
		return effect{about: d.newest, public: true, summary: "产品按期上架", fact: func(h Head) event.Fact { return Listed{Head: h, Replaces: replaces} }}, err
	})
}

// each takes a step of the system on each product as it was read.
func (s *Service) each(ctx context.Context, actor access.Actor, due []Product, action Action, step func(d *dossier, now time.Time) (effect, error)) (int, error) {
	n := 0
	for _, p := range due {
		err := s.change(ctx, actor, action, Ref{ID: p.ID, Version: p.Version}, nil, step)
		if fault.KindOf(err) == fault.Conflict {
			continue // another process, or a person, was first; the next round looks again
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Tasks are what the module does by the clock.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "product.expire", Title: "到期产品自动下架", Every: time.Minute, Run: func(ctx context.Context) error {
		n, err := s.ExpireDue(ctx, access.SystemActor("job:product.expire"))
		if n > 0 {
			jobs.Note(ctx, "下架 %d 个产品", n)
		}
		return err
	}}, s.reminding(), s.expiring(), s.heating(), s.rating(), {Name: "product.list", Title: "已审核产品按期上架", Every: time.Minute, Run: func(ctx context.Context) error {
		n, err := s.ListDue(ctx, access.SystemActor("job:product.list"))
		if n > 0 {
			jobs.Note(ctx, "上架 %d 个产品", n)
		}
		return err
	}}}
}

// FollowInstitution brings the name and state of an institution to its products in the transaction in which they change,
// and its public products into the full text or out of it.
func (s *Service) FollowInstitution(ctx context.Context, tx bun.Tx, by Provider) error {
	_, err := tx.NewUpdate().Model((*Product)(nil)).Set("institution_name = ?", by.Name).Set("institution_active = ?", by.Active).
		Where("institution_id = ? AND (institution_name <> ? OR institution_active <> ?)", by.ID, by.Name, by.Active).Exec(ctx)
	if err != nil {
		return fmt.Errorf("follow institution %d: %w", by.ID, err)
	}
	var shown []Product
	if err := tx.NewSelect().Model(&shown).Where("p.institution_id = ? AND p.shown > 0", by.ID).Scan(ctx); err != nil {
		return err
	}
	for i := range shown {
		e, err := edition(ctx, tx, shown[i].ID, shown[i].Shown)
		if err != nil {
			return err
		}
		if err := index(ctx, tx, &shown[i], e); err != nil {
			return err
		}
	}
	return nil
}
