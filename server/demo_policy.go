package server

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
)

// policyLevels give the world's words as ours.
var policyLevels = map[string]policy.Level{"国家": policy.National, "市": policy.City, "区": policy.District}

func policyTopic(word string) policy.Topic {
	for _, t := range policy.Topics {
		if t.Label() == word {
			return t
		}
	}
	return ""
}

// seedPolicies has the policies of the district published, each on its day. A condition that does not parse stops it.
func (h *house) seedPolicies(ctx context.Context, s *seeded) error {
	actor := access.SystemActor("seed")
	handlers := map[string]string{}
	for _, d := range s.world.Departments {
		handlers[d.Code] = d.Name
	}
	for _, p := range s.world.Policies {
		day, err := time.Parse(time.DateOnly, p.PublishedOn)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		s.at.Set(day.Add(2 * time.Hour)) // ten in the morning in Beijing
		handler, err := s.id("department", p.Handler)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		c := policy.Content{
			Title: p.Title, DocNumber: p.DocNumber, Issuer: p.Issuer, Level: policyLevels[p.Level], Topic: policyTopic(p.Topic), PublishedOn: p.PublishedOn,
			OpensOn: p.OpensOn, ClosesOn: p.ClosesOn, ExpiresOn: p.ExpiresOn, Text: p.Text, Interpretation: p.Interpretation, Materials: p.Materials,
			Benefit: p.Benefit, CapFen: p.CapFen, HandlerID: handler, HandlerName: handlers[p.Handler], Conditions: p.Conditions,
		}
		for _, q := range p.FAQ {
			c.FAQ = append(c.FAQ, policy.Question{Q: q.Q, A: q.A})
		}
		v, err := h.policies.Add(ctx, actor, policy.AddPolicy{Content: c})
		if err == nil {
			v, err = h.policies.Publish(ctx, actor, policy.Ref{ID: v.ID, Version: v.Version})
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", p.Key, p.Title, err)
		}
		s.ids["policy:"+p.Key] = v.ID
	}
	return nil
}
