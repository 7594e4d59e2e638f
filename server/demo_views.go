package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
)

// seedDeskWork shows how colleagues work together: shared and personal views, tickets that somebody has, tags, and notes with
// a word to a colleague.
func (h *house) seedDeskWork(ctx context.Context, s *seeded) error {
	s.at.Set(s.now)
	lead, err := s.as(ctx, h, "staff", "lead01")
	if err != nil {
		return err
	}
	agent, err := s.as(ctx, h, "staff", "agent01")
	if err != nil {
		return err
	}
	if err := h.seedViews(ctx, lead, agent); err != nil {
		return err
	}
	waiting, err := h.tickets.Page(ctx, lead, ticket.ListFilter{Waiting: true, Fields: ticket.Fields{Sort: ticket.MostFirst}, Limit: 30})
	if err != nil {
		return err
	}
	for i, t := range waiting.Items {
		switch i % 5 {
		case 0:
			_, err = h.tickets.Claim(ctx, agent, ticket.HoldTicket{ID: t.ID})
		case 1:
			_, err = h.tickets.Claim(ctx, lead, ticket.HoldTicket{ID: t.ID})
		case 3:
			_, err = h.tickets.Tag(ctx, agent, ticket.TagTicket{ID: t.ID, Add: []string{[]string{"重点企业", "节前回访", "需现场核实"}[i/5%3]}})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Number, err)
		}
	}
	if len(waiting.Items) == 0 {
		return nil
	}
	_, err = h.tickets.WriteNote(ctx, lead, ticket.WriteNote{ID: waiting.Items[0].ID, Text: "来电人上周反映过类似情况，回访时请一并说明进展。", Mentions: []int64{agent.UserID}})
	return err
}

func (h *house) seedViews(ctx context.Context, lead, agent access.Actor) error {
	columns := []string{"title", "status", "urgency", "dueAt", "typeName", "enterpriseName", "holderName"}
	for _, v := range []struct {
		by     access.Actor
		name   string
		holder ticket.ViewHolder
		filter map[string][]string
	}{
		{lead, "待领取", ticket.DeskShared, map[string][]string{"queue": {"free"}, "sort": {"urgency"}}},
		{lead, "我的", ticket.DeskShared, map[string][]string{"queue": {"mine"}, "sort": {"due"}}},
		{lead, "本组", ticket.DeskShared, map[string][]string{"queue": {"group"}, "sort": {"due"}}},
		{lead, "待回访", ticket.DeskShared, map[string][]string{"status": {"replied", "reviewed", "callback"}, "sort": {"due"}}},
		{lead, "已超时", ticket.DeskShared, map[string][]string{"alert": {"overdue"}}},
		{agent, "热线登记的停电诉求", ticket.PersonalView, map[string][]string{"type": {"050101"}, "source": {"agent"}}},
	} {
		text := ticket.ViewText{Name: v.name, Holder: v.holder, Filter: v.filter, Columns: slices.Clone(columns)}
		if _, err := h.tickets.SaveView(ctx, v.by, ticket.SaveView{ViewText: text}); err != nil {
			return fmt.Errorf("view %s: %w", v.name, err)
		}
	}
	return nil
}
