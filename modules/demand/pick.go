package demand

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Pick asks to pick a quote. QuoteVersion is that of the quote the actor saw: what was changed meanwhile is not picked unseen.
type Pick struct {
	Ref
	QuoteID      int64
	QuoteVersion int64
	Portal       bool
}

// Pick picks a quote: in one transaction it becomes an application for its product with the demand's content, the other quotes are
// passed over, and the demand ends. It returns ErrQuoteGone or ErrQuoteStale when the institution was first, and ErrUnfit, with the
// reason, when the product is not listed any more or the quote's last day has passed: nothing is changed then, and the institution
// is told once so that it may mend its quote.
func (s *Service) Pick(ctx context.Context, actor access.Actor, cmd Pick) (View, error) {
	if err := poster(actor); err != nil {
		return View{}, err
	}
	err := s.change(ctx, actor, "pick", "选定报价", cmd.Ref, cmd, func(d *Demand) bool { return mine(actor, d) },
		func(ctx context.Context, tx bun.Tx, d *Demand, now time.Time) (event.Fact, error) {
			if err := d.pickable(now); err != nil {
				return nil, err
			}
			q := new(Quote)
			if err := database.Found(tx.NewSelect().Model(q).Where("q.id = ? AND q.demand_id = ?", cmd.QuoteID, d.ID).Scan(ctx)); err != nil {
				return nil, err
			}
			if q.State != Live {
				return nil, ErrQuoteGone
			}
			if q.Version != cmd.QuoteVersion {
				return nil, ErrQuoteStale
			}
			why, err := s.unfit(ctx, tx, d, q, now)
			if err != nil {
				return nil, err
			}
			if why != "" {
				return nil, ErrUnfit.With("%s，暂不能选定。已通知机构更新报价，您的需求和全部报价都保留；也可以选择其他报价", why)
			}
			made, err := s.order(ctx, tx, actor, d, q, cmd.Portal)
			if err != nil {
				return nil, err
			}
			if err := settle(ctx, tx, q, Won); err != nil {
				return nil, err
			}
			if err := d.Pick(now, q.ID, made.ID, made.Number); err != nil {
				return nil, err
			}
			others, err := quotesOf(ctx, tx, d.ID)
			if err != nil {
				return nil, err
			}
			for i := range others {
				if others[i].State != Live {
					continue
				}
				if err := settle(ctx, tx, &others[i], Passed); err != nil {
					return nil, err
				}
				if _, err := event.Append(ctx, tx, actor, now, PassedOver{d.head(), others[i].offerer()}); err != nil {
					return nil, err
				}
			}
			return &Picked{Offerer: q.offerer(), ApplicationID: made.ID, ApplicationNumber: made.Number}, nil
		})
	if errors.Is(err, ErrUnfit) {
		if told := s.tellUnfit(ctx, cmd); told != nil {
			return View{}, told
		}
	}
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, cmd.ID)
}

// unfit says why a quote cannot be picked as it is, "" when it can.
func (s *Service) unfit(ctx context.Context, db bun.IDB, d *Demand, q *Quote, now time.Time) (string, error) {
	if q.ValidUntil < today(now) {
		return "该报价的有效期（" + q.ValidUntil + "）已过", nil
	}
	offer, err := s.Offers.Product(ctx, db, q.ProductID)
	if fault.KindOf(err) == fault.NotFound {
		return "该报价所用的产品“" + q.ProductName + "”已下架", nil
	}
	if err != nil {
		return "", err
	}
	switch {
	case offer.InstitutionID != q.InstitutionID || offer.Kind != d.Kind:
		return "该报价所用的产品“" + q.ProductName + "”已变更", nil
	case d.Lends && (q.Amount < offer.AmountMin || offer.AmountMax > 0 && q.Amount > offer.AmountMax || q.Term < offer.TermMin || offer.TermMax > 0 && q.Term > offer.TermMax):
		return "该报价的金额或期限已不在产品“" + q.ProductName + "”的范围内", nil
	}
	return "", nil
}

// order makes the application of a quote, with what the demand says.
func (s *Service) order(ctx context.Context, tx bun.Tx, actor access.Actor, d *Demand, q *Quote, portal bool) (Made, error) {
	phone, err := s.Box.Open(d.PhoneSealed, phonePlace(d.Number))
	if err != nil {
		return Made{}, fmt.Errorf("open demand %s: %w", d.Number, err)
	}
	lines := []string{"来自需求 " + d.Number + "：" + d.Title, "选定报价：" + q.terms(d.Lends)}
	if d.WantedBy != "" {
		lines = append(lines, "希望完成日期："+d.WantedBy)
	}
	purpose := strings.Join(append(lines, d.Description), "\n")
	return s.Applications.Make(ctx, tx, actor, Order{ProductID: q.ProductID, Amount: q.Amount, Term: q.Term, Purpose: cut(purpose, 1000), ContactName: d.ContactName, Phone: string(phone), Portal: portal})
}

// terms are what a quote offers, in words.
func (q *Quote) terms(lends bool) string {
	if lends {
		return fmt.Sprintf("%s，年利率或费率 %s，期限 %d 个月", page.Money(q.Amount), page.Rate(int64(q.Rate)), q.Term)
	}
	price := "免费"
	if q.Price > 0 {
		price = page.Money(q.Price)
	}
	return fmt.Sprintf("%s，%d 个工作日完成", price, q.Days)
}

// tellUnfit tells an institution once that the company wanted its quote and could not pick it.
func (s *Service) tellUnfit(ctx context.Context, cmd Pick) error {
	system := access.SystemActor("demand.pick")
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		d, err := s.hold(ctx, tx, system, cmd.ID)
		if err != nil {
			return err
		}
		q := new(Quote)
		if err := database.Found(tx.NewSelect().Model(q).Where("q.id = ? AND q.demand_id = ?", cmd.QuoteID, d.ID).Scan(ctx)); err != nil {
			return err
		}
		if q.State != Live || q.UnfitVersion == q.Version {
			return nil
		}
		why, err := s.unfit(ctx, tx, d, q, now)
		if err != nil || why == "" {
			return err
		}
		if _, err := database.Run(ctx, tx, "UPDATE demand_quotes SET unfit_version = version WHERE id = ?", q.ID); err != nil {
			return err
		}
		_, err = event.Append(ctx, tx, system, now, Unfit{d.head(), q.offerer(), why})
		return err
	})
}
