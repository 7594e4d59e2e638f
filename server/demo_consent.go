package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/huiqi/huiqi/modules/consent"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedConsents publishes what companies are asked, has most of them agree, and lets staff read some.
func (h *house) seedConsents(ctx context.Context, s *seeded) error {
	if err := h.ensureConsents(ctx); err != nil {
		return err
	}
	writer, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	publisher, err := s.as(ctx, h, "staff", "reviewer01")
	if err != nil {
		return err
	}
	drafts, err := h.consents.Texts(ctx, publisher)
	if err != nil {
		return err
	}
	s.at.Set(s.now.AddDate(0, -5, 0))
	for _, t := range drafts {
		if _, err := h.consents.Publish(ctx, publisher, consent.Publish{ID: t.ID, Version: t.Version}); err != nil {
			return fmt.Errorf("%s: %w", t.Purpose, err)
		}
	}
	owners := h.demoSigners(s)
	for i, o := range owners {
		if err := h.seedGrants(ctx, s, o, i); err != nil {
			return fmt.Errorf("%s: %w", o.Key, err)
		}
	}
	// A month ago one text got clearer words, ten days ago another asks for more: its grants do not hold any more.
	for _, t := range drafts {
		w := consent.Write{Purpose: t.Purpose, Title: t.Title, Body: t.Body, Groups: t.Groups, Days: t.Days}
		switch t.Purpose {
		case consent.Portrait:
			s.at.Set(s.now.AddDate(0, -1, 0))
			w.Body += "\n五、本授权书的最新文本可以随时在“我的企业—数据授权”中查看。"
		case consent.ShareInstitution:
			s.at.Set(s.now.AddDate(0, 0, -10))
			w.Groups, w.Material = []string{"basic", "operation", "standing", "admin", "tax", "ip"}, true
		default:
			continue
		}
		v, err := h.consents.Write(ctx, writer, w)
		if err == nil {
			_, err = h.consents.Publish(ctx, publisher, consent.Publish{ID: v.ID, Version: v.Version})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Purpose, err)
		}
	}
	return h.seedReadings(ctx, s, owners)
}

// demoSigners are the owners of verified companies, the bakery's first.
func (h *house) demoSigners(s *seeded) []demo.Owner {
	var list []demo.Owner
	for _, o := range s.world.Owners {
		i := slices.IndexFunc(s.world.Companies, func(c demo.Company) bool { return c.Key == o.Company })
		if i >= 0 && s.world.Companies[i].Verified && o.Role == "owner" {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b demo.Owner) int {
		first := func(o demo.Owner) int {
			if o.Key == s.world.Walk.BakeryOwner {
				return 0
			}
			return 1
		}
		return first(a) - first(b)
	})
	return list
}

// seedGrants has a company agree to some purposes; the bakery is left to decide about being told of policies.
func (h *house) seedGrants(ctx context.Context, s *seeded, o demo.Owner, i int) error {
	actor, err := s.as(ctx, h, "owner", o.Key)
	if err != nil {
		return err
	}
	var purposes []string
	for p, every := range map[string]int{consent.PolicyMatch: 7, consent.PolicyPush: 3, consent.ShareInstitution: 4, consent.Portrait: 5} {
		if i == 0 && p != consent.PolicyPush || i%every != 0 {
			purposes = append(purposes, p)
		}
	}
	slices.Sort(purposes)
	actor.IP = fmt.Sprintf("203.0.113.%d", 10+i%200)
	channel := []string{consent.OnH5, consent.OnPortal}[i%2]
	at := s.now.AddDate(0, 0, -35-(i*11)%110).Add(time.Duration(i%9) * time.Hour)
	s.at.Set(at)
	if err := h.consents.Load(ctx, actor, actor.EnterpriseID, purposes, channel, at); err != nil {
		return err
	}
	if i%9 != 4 || !slices.Contains(purposes, consent.Portrait) {
		return nil
	}
	s.at.Set(at.AddDate(0, 0, 12))
	m, err := h.consents.Mine(ctx, actor)
	if err != nil {
		return err
	}
	for _, a := range m.Items {
		if a.Code == consent.Portrait && a.MayEnd {
			_, err = h.consents.Revoke(ctx, actor, consent.Revoke{Purpose: a.Code, GrantID: a.Grant.ID, Reason: "暂不需要走访服务", Channel: channel})
		}
	}
	return err
}

// seedReadings lets staff read the first companies: with consent, with a basis, and in vain.
func (h *house) seedReadings(ctx context.Context, s *seeded, owners []demo.Owner) error {
	reviewer, err := s.as(ctx, h, "staff", "reviewer01")
	if err != nil {
		return err
	}
	operator, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	for i, r := range []struct {
		who access.Actor
		consent.Reading
	}{
		{operator, consent.Reading{Purpose: consent.Portrait, What: "企业详情"}},
		{reviewer, consent.Reading{Purpose: consent.PolicyMatch, What: "政策匹配"}},
		{reviewer, consent.Reading{Purpose: consent.Portrait, Basis: "statutory_duty", What: "企业详情"}},
		{operator, consent.Reading{Purpose: consent.PolicyPush, What: "政策推送核算"}},
	} {
		s.at.Set(s.now.AddDate(0, 0, -8+i).Add(-time.Duration(i) * 50 * time.Minute))
		r.who.IP = "10.20.8." + fmt.Sprint(31+i)
		for _, o := range owners[:min(6, len(owners))] {
			owner, err := s.as(ctx, h, "owner", o.Key)
			if err != nil {
				return err
			}
			if _, err := h.consents.Read(ctx, r.who, owner.EnterpriseID, r.Reading); err != nil && !errors.Is(err, consent.ErrRefused) {
				return err
			}
		}
	}
	return nil
}
