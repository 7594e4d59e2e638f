package server

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/quality"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// seedQuality draws of what the agents of the story did and scores most of it; one score was appealed against, one waits for
// its decision.
func (h *house) seedQuality(ctx context.Context, s *seeded) error {
	lead, err := s.as(ctx, h, "staff", "lead01")
	if err != nil {
		return err
	}
	second, err := s.as(ctx, h, "staff", "dispatcher01")
	if err != nil {
		return err
	}
	deps := h.quality.Deps
	deps.Messages, deps.Behind = unqualified{}, nil // nobody is told of what is loaded
	q := quality.New(deps)
	s.at.Set(s.now.AddDate(0, 0, -3))
	err = h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var events []event.Event
		if err := tx.NewSelect().Model(&events).Where("type IN ('ticket.opened', 'ticket.answered', 'ticket.called_back')").OrderExpr("id").Scan(ctx); err != nil {
			return err
		}
		return q.Listener().Batch(ctx, tx, events)
	})
	if err != nil {
		return err
	}
	called := quality.SetCard{Kind: quality.CalledBack, Name: "回访评分表", Card: quality.Card{
		Items: []quality.Item{
			{Name: "身份与来意", Points: 20, Hint: "未说明单位和来意扣 10 分；未核对是否本人扣 10 分"},
			{Name: "核实结果", Points: 40, Hint: "未逐项询问是否联系、是否解决、是否满意，每项扣 10 分"},
			{Name: "记录准确", Points: 25, Hint: "登记结果与通话不符每处扣 10 分"},
			{Name: "服务用语", Points: 15, Hint: "诱导评价扣 15 分，打断、催促每次扣 5 分"},
		},
		Fatal: []string{"代替企业评价", "泄露来电人信息"},
	}}
	if err := q.SetCard(ctx, lead, called); err != nil {
		return err
	}
	from, to := s.at.Now().AddDate(0, 0, -60).Format("2006-01-02"), s.at.Now().Format("2006-01-02")
	if _, err := q.Draw(ctx, lead, quality.Draw{From: from, To: to, PerAgent: 4, Kinds: quality.Kinds}); err != nil {
		return err
	}
	if err := h.pickOne(ctx, s, q); err != nil {
		return err
	}
	list, _, err := q.Checks(ctx, lead, quality.Filter{Limit: 100})
	if err != nil {
		return err
	}
	for i, c := range list {
		if i%4 == 0 || c.AgentID == lead.UserID { // these wait
			continue
		}
		if err := h.scoreOne(ctx, s, q, c, i); err != nil {
			return fmt.Errorf("check %d: %w", c.ID, err)
		}
		if i != 1 && i != 2 {
			continue
		}
		agent, err := h.identity.ActorOf(ctx, access.SystemActor("seed"), c.AgentID)
		if err != nil {
			return err
		}
		if err := q.Appeal(ctx, agent, quality.Appeal{Step: quality.Step{ID: c.ID, Version: c.Version + 1}, Reason: "来电人在通话中已自行说明地点，记录中以企业注册地址体现，请核对录音。"}); err != nil {
			return err
		}
		if i == 2 {
			continue // it waits for its decision
		}
		err = q.Decide(ctx, second, quality.Decide{Step: quality.Step{ID: c.ID, Version: c.Version + 2}, Keep: true, Reason: "经核对录音，来电人所述地点与注册地址不一致，维持原评分。"})
		if err != nil {
			return err
		}
	}
	return nil
}

// pickOne has the lead choose a ticket by hand, one that chance has left.
func (h *house) pickOne(ctx context.Context, s *seeded, q *quality.Service) error {
	lead, err := s.as(ctx, h, "staff", "lead01")
	if err != nil {
		return err
	}
	var numbers []string
	err = h.db.Read().NewSelect().TableExpr("quality_works AS w").ColumnExpr("w.number").Where("NOT EXISTS (SELECT 1 FROM quality_checks AS c WHERE c.event_id = w.event_id)").
		OrderExpr("w.event_id").Limit(1).Scan(ctx, &numbers)
	if err != nil || len(numbers) == 0 {
		return err
	}
	_, err = q.Pick(ctx, lead, quality.Pick{Number: numbers[0], Kinds: quality.Kinds, Reason: "企业来电反映接听人员解答不清，班长点名复查"})
	return err
}

// scoreOne scores a check as the lead would.
func (h *house) scoreOne(ctx context.Context, s *seeded, q *quality.Service, c quality.Listed, i int) error {
	lead, err := s.as(ctx, h, "staff", "lead01")
	if err != nil {
		return err
	}
	card, err := q.Card(ctx, lead, c.Kind)
	if err != nil {
		return err
	}
	m := quality.Marks{Comment: "总体规范，请继续保持。"}
	for k, it := range card.Items {
		mark := quality.Mark{Item: it.Name, Points: it.Points}
		if (i+k)%5 == 1 {
			mark.Points, mark.Note = it.Points-5, "见扣分说明，一处不符合"
		}
		m.Marks = append(m.Marks, mark)
	}
	return q.Score(ctx, lead, quality.Score{Step: quality.Step{ID: c.ID, Version: c.Version}, CardID: card.ID, Marks: m})
}

// unqualified tells nobody.
type unqualified struct{}

var _ quality.Messages = unqualified{}

// Tell does nothing.
func (unqualified) Tell(context.Context, bun.Tx, int64, string, string, string, map[string]string) error {
	return nil
}
