package server

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/cti"
	"github.com/huiqi/huiqi/modules/seat"
	"github.com/huiqi/huiqi/modules/supervision"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/seed/demo"
)

// demoAgents are the agents of the story with a telephone: the extensions are those of the sandbox's page.
var demoAgents = []string{"agent01", "agent02", "agent03", "agent04", "agent05", "agent06"}

// seedSupervision writes who sits at the desk and when, today's calls, and what a supervisor watches over.
func (h *house) seedSupervision(ctx context.Context, s *seeded) error {
	s.at.Set(s.now.AddDate(0, 0, -7))
	lead, err := s.as(ctx, h, "staff", "lead01")
	if err != nil {
		return err
	}
	var ids []int64
	for i, key := range demoAgents {
		a, err := s.as(ctx, h, "staff", key)
		if err != nil {
			return err
		}
		ids = append(ids, a.UserID)
		if err := h.telephone.SetExtension(ctx, lead, cti.SetExtension{Extension: fmt.Sprintf("800%d", i+1), UserID: a.UserID}); err != nil {
			return err
		}
	}
	for _, do := range []func(context.Context, *seeded, access.Actor, []int64) error{h.seedRoster, h.seedCalls, h.seedSecrets, h.seedWatch} {
		if err := do(ctx, s, lead, ids); err != nil {
			return err
		}
	}
	return nil
}

// seedRoster writes two teams and their shifts of this week, with a gap on two evenings.
func (h *house) seedRoster(ctx context.Context, s *seeded, lead access.Actor, ids []int64) error {
	for i, name := range []string{"早班组", "晚班组"} {
		if err := h.seats.SaveTeam(ctx, lead, seat.SaveTeam{Name: name, LeaderID: ids[3*i], Members: ids[3*i : 3*i+3]}); err != nil {
			return err
		}
	}
	teams, _, err := h.seats.Teams(ctx, lead)
	if err != nil {
		return err
	}
	for i, code := range []string{"05", "06"} {
		if err := h.seats.Train(ctx, lead, seat.Train{UserID: ids[i+1], Codes: h.demoSkill(ctx, code)}); err != nil {
			return err
		}
	}
	today := s.now.In(clock.Beijing)
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	for d := range 7 {
		day := monday.AddDate(0, 0, d).Format(time.DateOnly)
		for i, span := range [][2]string{{"08:30", "13:00"}, {"13:00", "18:00"}} {
			if i == 1 && (d == 2 || d == 4) {
				span[1] = "17:00"
			}
			if d > 4 && i == 1 {
				continue
			}
			shift := seat.ShiftText{Day: day, TeamID: teams[i].ID, Name: []string{"早班", "晚班"}[i], From: span[0], To: span[1], Seats: 3}
			if err := h.seats.SaveShift(ctx, lead, seat.SaveShift{ShiftText: shift}); err != nil {
				return err
			}
		}
	}
	return nil
}

// demoSkill is the first matter whose code begins so.
func (h *house) demoSkill(ctx context.Context, prefix string) []string {
	list, err := seatMatters{matters{h.tickets}}.Matters(ctx)
	if err != nil {
		return nil
	}
	for _, m := range list {
		if len(m.Code) > 2 && m.Code[:2] == prefix && m.Group == "" {
			return []string{m.Code}
		}
	}
	return nil
}

// seedCalls has calls come in over the last hours: most are answered, a few are not.
func (h *house) seedCalls(ctx context.Context, s *seeded, lead access.Actor, ids []int64) error {
	system := access.SystemActor("seed")
	for i := range 36 {
		began := s.now.Add(-time.Duration(36-i) * 9 * time.Minute)
		call := fmt.Sprintf("demo-call-%02d", i)
		extension := fmt.Sprintf("800%d", i%len(ids)+1)
		steps := []cti.Event{{Kind: cti.Ring, Number: fmt.Sprintf("1990010%04d", i%11), Queue: "企业服务热线"}, {Kind: cti.Ring, Extension: extension},
			{Kind: cti.Answer, Extension: extension}, {Kind: cti.HangUp, Extension: extension}}
		waits := []time.Duration{0, 3 * time.Second, time.Duration(4+i%5) * time.Second, time.Duration(120+17*i) * time.Second}
		if i%17 == 5 { // nobody answered
			steps, waits = append(steps[:2:2], cti.Event{Kind: cti.HangUp}), []time.Duration{0, 3 * time.Second, 50 * time.Second}
		}
		for k, e := range steps {
			e.CallID, e.At = call, began.Add(waits[k])
			s.at.Set(e.At)
			if err := h.telephone.Tell(ctx, system, e); err != nil {
				return fmt.Errorf("%s: %w", call, err)
			}
		}
	}
	s.at.Set(s.now.Add(-2 * time.Hour))
	return h.telephone.Mark(ctx, lead, cti.Mark{Number: "19900100005", Reason: "一周内十余次无声来电" + demo.Mark, Days: 30})
}

// seedSecrets makes one ticket confidential, and has a number read.
func (h *house) seedSecrets(ctx context.Context, s *seeded, lead access.Actor, _ []int64) error {
	s.at.Set(s.now.Add(-90 * time.Minute))
	items, _, err := h.tickets.List(ctx, lead, ticket.ListFilter{Statuses: []ticket.Status{ticket.Handling}, Limit: 2})
	if err != nil || len(items) < 2 {
		return err
	}
	for i, item := range items {
		if i == 0 {
			if _, err := h.tickets.Reveal(ctx, lead, item.ID, "核实企业补充的材料"); err != nil {
				return err
			}
			continue
		}
		c, err := h.tickets.Confidence(ctx, lead, item.ID)
		if err != nil {
			return err
		}
		cmd := ticket.Confide{Ref: ticket.Ref{ID: item.ID, Version: item.Version}, Level: 1, AskedBy: "企业本人", Reason: "企业要求不公开联系人信息" + demo.Mark}
		for _, p := range c.Candidates {
			if p.Unit != "" {
				cmd.People = append(cmd.People, p.ID)
				break
			}
		}
		if _, err := h.tickets.Confide(ctx, lead, cmd); err != nil {
			return err
		}
	}
	return nil
}

// seedWatch has the supervision hear of the tickets of the story, a power cut in one street among them, and write its reports.
func (h *house) seedWatch(ctx context.Context, s *seeded, _ access.Actor, _ []int64) error {
	s.at.Set(s.now)
	quiet := h.supervision.Deps
	quiet.Messages = untold{} // nobody is told of what is loaded
	watch := supervision.New(quiet)
	err := h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var events []event.Event
		if err := tx.NewSelect().Model(&events).Where("type = ?", "ticket.opened").OrderExpr("at, id").Scan(ctx); err != nil {
			return err
		}
		for _, e := range events {
			r, err := h.received(ctx, tx, e)
			if err != nil {
				return err
			}
			if err := watch.Note(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return watch.Make(ctx)
}

// untold tells nobody.
type untold struct{}

var _ supervision.Messages = untold{}

// Tell does nothing.
func (untold) Tell(context.Context, bun.Tx, string, string, string, map[string]string) error {
	return nil
}
