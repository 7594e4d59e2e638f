package demand

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
)

// Bid asks to quote for a demand, or to change the quote of the actor's institution. Version is that of the quote the actor saw,
// 0 when there was none or it was withdrawn.
type Bid struct {
	Key     string `json:"-"`
	ID      int64  `json:"id"` // of the demand
	Version int64  `json:"version"`
	Offered
}

// bidder checks that the actor quotes for an institution.
func bidder(a access.Actor) error {
	if err := a.Need(PermQuote); err != nil {
		return err
	}
	if !quotes(a) {
		return ErrForbidden
	}
	return nil
}

// Quote quotes for an open demand with a listed product of the institution's own, of the demand's kind; an institution has one quote
// for a demand, and may change it as long as one may be picked. It returns ErrOver afterwards and ErrQuoteStale when a colleague was
// first.
func (s *Service) Quote(ctx context.Context, actor access.Actor, cmd Bid) (HallView, error) {
	if err := bidder(actor); err != nil {
		return HallView{}, err
	}
	err := s.bidding(ctx, actor, "quote", "报价", cmd.Key, cmd.ID, withoutFiles(cmd), func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, int64, error) {
		q, err := quoteOf(ctx, tx, d.ID, actor.InstitutionID)
		fresh := errors.Is(err, fault.ErrNotFound)
		if fresh {
			q = &Quote{DemandID: d.ID, InstitutionID: actor.InstitutionID, State: TakenBack}
		} else if err != nil {
			return nil, 0, err
		}
		changed := q.State == Live
		if !d.quotable(now) && (!changed || d.pickable(now) != nil) {
			return nil, 0, ErrOver
		}
		if changed && q.Version != cmd.Version || !changed && cmd.Version != 0 && cmd.Version != q.Version {
			return nil, 0, ErrQuoteStale.With("本机构的报价已由同事更新，请刷新后再修改")
		}
		offer, err := s.Offers.Product(ctx, tx, cmd.ProductID)
		if fault.KindOf(err) == fault.NotFound || err == nil && (offer.InstitutionID != actor.InstitutionID || offer.Kind != d.Kind) {
			return nil, 0, fault.InvalidField("productId", "QUOTE_PRODUCT", "请选择本机构已上架的“"+d.KindName+"”产品；没有的，请先发布产品")
		}
		if err != nil {
			return nil, 0, err
		}
		if err := q.fill(cmd.Offered, d, offer, now); err != nil {
			return nil, 0, err
		}
		q.InstitutionName, q.ProductID, q.ProductName, q.State = offer.InstitutionName, offer.ID, offer.Name, Live
		q.ByID, q.By, q.ChangedAt = actor.UserID, actor.Name, now
		if !changed {
			q.At = now
		}
		if fresh {
			q.Version = 1
			if err := database.Insert(ctx, tx, q); database.IsDuplicate(err) {
				return nil, 0, ErrQuoteStale.With("本机构的报价已由同事提交，请刷新后查看")
			} else if err != nil {
				return nil, 0, err
			}
		} else {
			q.Version++
			err := database.Changed(tx.NewUpdate().Model(q).Column("institution_name", "product_id", "product_name", "state", "version", "price", "days", "amount", "rate", "term", "text",
				"valid_until", "by_id", "made_by", "made_at", "changed_at").Where("id = ? AND version = ?", q.ID, q.Version-1).Exec(ctx))
			if errors.Is(err, fault.ErrChanged) {
				return nil, 0, ErrQuoteStale
			}
			if err != nil {
				return nil, 0, err
			}
		}
		if err := s.tie(ctx, tx, actor, d.ID, q.ID, cmd.FileIDs); err != nil {
			return nil, 0, err
		}
		if d.FirstQuoteAt == nil {
			d.FirstQuoteAt, d.FirstQuoteMinutes = &now, max(1, int64(now.Sub(*d.ApprovedAt)/time.Minute))
			if err := keep(ctx, tx, d); err != nil {
				return nil, 0, err
			}
		}
		return Quoted{d.head(), q.offerer(), changed}, q.ID, nil
	})
	if err != nil {
		return HallView{}, err
	}
	return s.Hall(ctx, actor, cmd.ID)
}

// withoutFiles is what must be equal when the key comes again.
func withoutFiles(b Bid) Bid {
	b.FileIDs = nil
	return b
}

// Unbid asks to take a quote back.
type Unbid struct {
	Key     string `json:"-"`
	ID      int64  `json:"id"` // of the demand
	Version int64  `json:"version"`
}

// Withdraw takes the quote of the actor's institution back while none was picked. It may quote again in time.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, cmd Unbid) (HallView, error) {
	if err := bidder(actor); err != nil {
		return HallView{}, err
	}
	err := s.bidding(ctx, actor, "quote_withdraw", "撤回报价", cmd.Key, cmd.ID, cmd, func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, int64, error) {
		q, err := quoteOf(ctx, tx, d.ID, actor.InstitutionID)
		if err != nil {
			return nil, 0, err
		}
		switch {
		case q.State == Won:
			return nil, 0, ErrState.With("该报价已被企业选定，不能撤回；请在“申请”中办理 %s", d.ApplicationNumber)
		case q.State != Live:
			return nil, 0, ErrState.With("报价当前为“%s”，无需撤回", q.State.Label())
		case q.Version != cmd.Version:
			return nil, 0, ErrQuoteStale.With("本机构的报价已由同事更新，请刷新后再办理")
		}
		return QuoteWithdrawn{d.head(), q.offerer()}, q.ID, settle(ctx, tx, q, TakenBack)
	})
	if err != nil {
		return HallView{}, err
	}
	return s.Hall(ctx, actor, cmd.ID)
}

// bidding is the frame of both. It holds the demand, so that of a quote and a pick at once one is first.
func (s *Service) bidding(ctx context.Context, actor access.Actor, action, summary, key string, id int64, request any,
	step func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, int64, error),
) error {
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "demand." + action, Key: key, Request: request, Now: now}, func() (int64, error) {
			d, err := s.hold(ctx, tx, actor, id)
			if err != nil {
				return 0, err
			}
			fact, quote, err := step(ctx, tx, d, now)
			if err != nil {
				return 0, err
			}
			if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
				return 0, err
			}
			return quote, audit.Write(ctx, tx, actor, now, audit.Record{Action: "demand." + action, Object: Object, ObjectID: d.ID, Summary: summary + " " + d.Number, Detail: map[string]any{"quote": quote}})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s demand %d: %w", action, id, err)
	}
	return nil
}

// quoteOf reads the quote of an institution for a demand.
func quoteOf(ctx context.Context, db bun.IDB, demandID, institutionID int64) (*Quote, error) {
	q := new(Quote)
	return q, database.Found(db.NewSelect().Model(q).Where("q.demand_id = ? AND q.institution_id = ?", demandID, institutionID).Scan(ctx))
}

// quotesOf reads the quotes of a demand, the first that came first.
func quotesOf(ctx context.Context, db bun.IDB, demandID int64) ([]Quote, error) {
	var list []Quote
	err := db.NewSelect().Model(&list).Where("q.demand_id = ?", demandID).OrderExpr("q.made_at, q.id").Limit(200).Scan(ctx)
	return list, err
}
