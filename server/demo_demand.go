package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedDemands has companies post what they need, operators review it and institutions quote, as their stories tell.
func (h *house) seedDemands(ctx context.Context, s *seeded) error {
	for _, d := range s.world.Demands() {
		if err := h.tellDemand(ctx, s, d); err != nil {
			return fmt.Errorf("%s: %w", d.Title, err)
		}
	}
	s.at.Set(s.now)
	return nil
}

func (h *house) tellDemand(ctx context.Context, s *seeded, d demo.Demand) error {
	owner, err := s.as(ctx, h, "owner", d.Owner)
	if err != nil {
		return err
	}
	reviewer, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	day := func(n int) string { return s.now.AddDate(0, 0, n).In(clock.Beijing).Format(time.DateOnly) }
	posted := s.now.AddDate(0, 0, -d.Posted).Add(-4 * time.Hour)
	s.at.Set(posted)
	v, err := h.demands.Save(ctx, owner, demand.Save{Typed: demand.Typed{Kind: d.Kind, Title: d.Title, Description: d.Description, BudgetMin: d.BudgetMin, BudgetMax: d.BudgetMax, Term: d.Term,
		Until: day(d.Until), WantedBy: day(d.Wanted), Place: d.Place, Named: d.Named}})
	if err != nil || d.End == "draft" {
		return err
	}
	ref := func() demand.Ref { return demand.Ref{ID: v.ID, Version: v.Version} }
	if v, err = h.demands.Submit(ctx, owner, ref()); err != nil || d.End == "review" {
		return err
	}
	s.at.Set(posted.Add(5 * time.Hour))
	if d.End == "returned" {
		_, err = h.demands.Return(ctx, reviewer, demand.Return{Ref: ref(), Codes: []string{"unclear"}})
		return err
	}
	if v, err = h.demands.Approve(ctx, reviewer, demand.Approve{Ref: ref()}); err != nil {
		return err
	}
	if err := h.demands.InviteMatched(ctx, access.SystemActor("seed"), v.ID); err != nil {
		return err
	}
	var first *demand.QuoteView
	for _, q := range d.Quotes {
		s.at.Set(posted.AddDate(0, 0, q.After).Add(3 * time.Hour))
		quoted, err := h.quoteDemand(ctx, s, v.ID, d, q)
		if err != nil {
			return fmt.Errorf("%s: %w", q.Institution, err)
		}
		if first == nil {
			first = quoted
		}
	}
	switch d.End {
	case "picked":
		if first == nil {
			return errors.New("nobody quoted")
		}
		s.at.Set(s.now.AddDate(0, 0, d.Until))
		_, err = h.demands.Pick(ctx, owner, demand.Pick{Ref: ref(), QuoteID: first.ID, QuoteVersion: first.Version})
		if errors.Is(err, application.ErrOpen) { // the company has applied for that product in another story
			_, err = h.demands.Close(ctx, owner, demand.Close{Ref: ref(), Reason: "已直接向该机构申请"})
		}
		return err
	case "closed":
		s.at.Set(s.now.AddDate(0, 0, d.Until))
		_, err = h.demands.Close(ctx, owner, demand.Close{Ref: ref(), Reason: "已在线下办理"})
		return err
	case "expired":
		s.at.Set(s.now.AddDate(0, 0, d.Until+1))
		_, err = h.demands.ExpireDue(ctx, access.SystemActor("seed"))
		return err
	}
	return nil
}

// quoteDemand quotes with the first listed product of the institution of that name that the terms fit; one without any does not quote.
func (h *house) quoteDemand(ctx context.Context, s *seeded, id int64, d demo.Demand, q demo.DemandQuote) (*demand.QuoteView, error) {
	var operator access.Actor
	for _, in := range s.world.Institutions {
		if in.Key == q.Institution && len(in.Operators) > 0 {
			var err error
			if operator, err = s.as(ctx, h, "operator", in.Operators[0].Key); err != nil {
				return nil, err
			}
		}
	}
	offers, err := h.catalog.OffersOf(ctx, h.db.Read(), operator.InstitutionID, d.Kind)
	if err != nil {
		return nil, err
	}
	amount, _ := strconv.ParseInt(q.Amount, 10, 64) // of services there is none
	for _, o := range offers {
		if !strings.Contains(o.Name, q.Product) {
			continue
		}
		if fen := amount * 1_000_000; o.Lends && (fen < o.AmountMin || o.AmountMax > 0 && fen > o.AmountMax) {
			continue
		}
		v, err := h.demands.Quote(ctx, operator, demand.Bid{ID: id, Offered: demand.Offered{ProductID: o.ID, Price: q.Price, Days: q.Days, Amount: q.Amount, Rate: q.Rate, Term: q.Term, Text: q.Text,
			ValidUntil: s.now.AddDate(0, 0, 30).In(clock.Beijing).Format(time.DateOnly)}})
		if fault.KindOf(err) == fault.Invalid {
			continue // of another term
		}
		return v.Quote, err
	}
	return nil, nil
}
