package quality

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Pick asks to check what was done on one ticket, as after a complaint.
type Pick struct {
	Number string `json:"number" doc:"Of the ticket."`
	Kinds  []Kind `json:"kinds" enum:"opened,answered,called_back"`
	Reason string `json:"reason"`
	Key    string `json:"-"`
}

// Pick makes checks of the works on a ticket the actor sees that were not drawn before. It takes quality.manage. They are scored
// and appealed against like others, and stay out of the mean of the month: what was chosen is no sample.
func (s *Service) Pick(ctx context.Context, actor access.Actor, cmd Pick) (Drawn, error) {
	if err := actor.Need(PermManage); err != nil {
		return Drawn{}, err
	}
	number, err1 := text.Line("number", cmd.Number, 1, 40)
	reason, err2 := text.Line("reason", cmd.Reason, 2, 200)
	if err := fault.Merge(text.Named(err1, "工单编号"), text.Named(err2, "抽检原因"), checkKinds(cmd.Kinds)); err != nil {
		return Drawn{}, err
	}
	now := s.Clock.Now()
	var out Drawn
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		out, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "quality.pick", Key: cmd.Key, Request: cmd, Now: now}, func() (Drawn, error) {
			works, err := s.worksOf(ctx, tx, actor, number, cmd.Kinds)
			if err != nil {
				return Drawn{}, err
			}
			day := clock.Midnight(now)
			d := drawn{From: day, To: day.AddDate(0, 0, 1), Kinds: joined(cmd.Kinds), By: actor.Name, At: now, Number: number, Reason: reason}
			if err := database.Insert(ctx, tx, &d); err != nil {
				return Drawn{}, err
			}
			if err := s.checks(ctx, tx, actor, &d, works); err != nil {
				return Drawn{}, err
			}
			return Drawn{d.Drawn}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "quality.pick", Object: Object, Summary: "点名质检工单 " + number,
				Detail: map[string]any{"draw": d.ID, "kinds": cmd.Kinds, "reason": reason, "drawn": d.Drawn}})
		})
		return err
	})
	if database.IsDuplicate(err) {
		return Drawn{}, ErrStale.With("该工单的业务刚刚被抽取，请刷新后查看")
	}
	return out, err
}

// worksOf reads the works on a ticket that were not drawn yet. Of a ticket that is not there, that the actor does not see and on
// which nothing was done it says the same.
func (s *Service) worksOf(ctx context.Context, tx bun.Tx, actor access.Actor, number string, kinds []Kind) ([]work, error) {
	none := fault.InvalidField("number", "QUALITY_NUMBER", "没有找到这件工单，或其中没有所选的业务，请核对工单编号")
	var works []work
	err := tx.NewSelect().Model(&works).Where("w.number = ?", number).Where("w.kind IN (?)", bun.List(kinds)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	if len(works) == 0 {
		return nil, none
	}
	if seen, err := s.Tickets.Titles(ctx, actor, []int64{works[0].TicketID}); err != nil {
		return nil, err
	} else if _, ok := seen[works[0].TicketID]; !ok {
		return nil, none
	}
	var left []work
	for _, w := range works {
		if there, err := tx.NewSelect().Model((*check)(nil)).Where("c.event_id = ?", w.EventID).Exists(ctx); err != nil {
			return nil, err
		} else if !there {
			left = append(left, w)
		}
	}
	if len(left) == 0 {
		return nil, ErrStep.With("该工单的业务都已抽过，请在质检单列表中查看")
	}
	return left, nil
}
