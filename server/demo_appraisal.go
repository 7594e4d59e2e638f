package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/huiqi/huiqi/modules/appraisal"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedCallbacks sets how requesters of some types are called back, what units show with their replies, and turns the rules of
// timed closing on that the district follows.
func (h *house) seedCallbacks(ctx context.Context, s *seeded) error {
	lead, err := s.as(ctx, h, "staff", "lead01")
	if err != nil {
		return err
	}
	s.at.Set(s.now)
	for _, p := range []ticket.SetCallbackPlan{
		{Type: "010101", Share: 30, Attempts: 2, RetryMinutes: 240, Script: "您好，这里是惠企服务热线。您前期咨询的政策，有关部门已经答复。\n1. 答复是否解决了您的疑问？\n2. 您对答复是否满意（五档）？\n3. 您还想了解哪些政策？\n谢谢，再见。"},
		{Type: "050101", Share: 100, Attempts: 5, RetryMinutes: 120, Script: "您好，这里是惠企服务热线。您反映的停水停电问题，承办单位反馈已经恢复。\n1. 目前是否恢复正常？\n2. 抢修人员是否与您联系？\n3. 您对处理是否满意（五档）？\n谢谢，再见。"},
	} {
		if err := h.tickets.SetCallbackPlan(ctx, lead, p); err != nil {
			return fmt.Errorf("call-backs of %s: %w", p.Type, err)
		}
	}
	err = h.tickets.SetEvidenceRule(ctx, lead, ticket.SetEvidenceRule{Type: "050202", Items: []ticket.EvidenceItem{
		{Code: "measures", Name: "办理措施", Kind: "text", Required: true, Hint: "写明何时到场、采取了什么措施"},
		{Code: "before", Name: "现场照片（办理前）", Kind: "image", Min: 1, Required: true},
		{Code: "after", Name: "现场照片（办理后）", Kind: "image", Min: 1, Required: true, Hint: "与办理前同一角度"},
		{Code: "receipt", Name: "企业确认单", Kind: "document", Min: 1},
	}})
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

// seedAppraisal reckons the units by the story and freezes the months that have ended.
func (h *house) seedAppraisal(ctx context.Context, s *seeded) error {
	lead, err := s.as(ctx, h, "staff", "lead01")
	if err != nil {
		return err
	}
	system := access.SystemActor("seed")
	// A demo has few tickets: its units are ranked from two cases on.
	body := appraisal.Standard()
	body.MinCases = 2
	err = h.appraisal.SetFormula(ctx, lead, appraisal.SetFormula{
		Name: "通州区三率考核口径" + demo.Mark, From: s.now.AddDate(-1, 0, 0).Format("2006-01"), Body: body, Reason: "演示区工单较少，两件起参与排名", Last: 1,
	})
	if err != nil {
		return err
	}
	if err := h.appraisal.Rebuild(ctx, lead); err != nil {
		return err
	}
	_, err = h.appraisal.Work(ctx, system)
	_, frozen := h.appraisal.Freeze(ctx, system)
	return errors.Join(err, frozen)
}
