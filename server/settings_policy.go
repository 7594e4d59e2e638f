package server

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
)

func (c *current) policyList() []policySetting {
	var list []policySetting
	for _, k := range c.policies {
		list = append(list, policySettingOf(k))
	}
	return list
}

func policySettingOf(k policy.Kept) policySetting {
	p := k.Content
	s := policySetting{Title: p.Title, DocNumber: p.DocNumber, Status: string(k.Status), Issuer: p.Issuer, Level: string(p.Level), Topic: string(p.Topic),
		PublishedOn: p.PublishedOn, OpensOn: p.OpensOn, ClosesOn: p.ClosesOn, ExpiresOn: p.ExpiresOn, Benefit: p.Benefit, CapFen: p.CapFen, Handler: p.HandlerName,
		Link: p.Link, Materials: p.Materials, Text: p.Text, Interpretation: p.Interpretation, Region: p.Region, EffectiveOn: p.EffectiveOn}
	for _, k := range p.Kinds {
		s.Kinds = append(s.Kinds, string(k))
	}
	for _, b := range p.Benefits {
		s.Benefits = append(s.Benefits, amountSetting(b))
	}
	for _, q := range p.FAQ {
		s.FAQ = append(s.FAQ, questionSetting(q))
	}
	if len(p.Conditions) > 0 {
		// Kept as it was parsed; one that does not parse any more is shown as its text and refused by an import.
		if json.Unmarshal(p.Conditions, &s.Conditions) != nil {
			s.Conditions = string(p.Conditions)
		}
	}
	return s
}

// content turns the setting into what the library takes, with the department of this installation.
func (s policySetting) content(departments map[string]int64) (policy.Content, error) {
	c := policy.Content{Title: s.Title, DocNumber: s.DocNumber, Issuer: s.Issuer, Level: policy.Level(s.Level), Topic: policy.Topic(s.Topic),
		PublishedOn: s.PublishedOn, OpensOn: s.OpensOn, ClosesOn: s.ClosesOn, ExpiresOn: s.ExpiresOn, Benefit: s.Benefit, CapFen: s.CapFen, HandlerName: s.Handler,
		HandlerID: departments[s.Handler], Link: s.Link, Materials: s.Materials, Text: s.Text, Interpretation: s.Interpretation, Region: s.Region,
		EffectiveOn: s.EffectiveOn}
	for _, k := range s.Kinds {
		c.Kinds = append(c.Kinds, policy.Kind(k))
	}
	for _, b := range s.Benefits {
		c.Benefits = append(c.Benefits, policy.Amount(b))
	}
	for _, q := range s.FAQ {
		c.FAQ = append(c.FAQ, policy.Question(q))
	}
	if s.Conditions != nil {
		var err error
		if c.Conditions, err = json.Marshal(s.Conditions); err != nil {
			return c, err
		}
	}
	return c, nil
}

// planPolicies compares the policies of the file with the library. A policy is known by its number and title.
func (h *house) planPolicies(p *plan, actor access.Actor, now *current, list []policySetting) {
	departments := map[string]int64{}
	for _, d := range now.tree {
		departments[d.Name] = d.ID
	}
	known := map[string]policy.Kept{}
	for _, k := range now.policies {
		known[k.Content.DocNumber+"\n"+k.Content.Title] = k
	}
	for _, s := range list {
		name := s.Title
		content, err := s.content(departments)
		if err == nil {
			content, err = h.policies.Check(content)
		}
		status := policy.Status(s.Status)
		if err == nil && status.Label() == "" {
			err = fmt.Errorf("没有“%s”这种状态", s.Status)
		}
		if err != nil {
			p.refuse("政策", name, err)
			continue
		}
		if !p.once("政策", s.DocNumber+"\n"+s.Title, name) {
			continue
		}
		k, exists := known[s.DocNumber+"\n"+s.Title]
		content.FileIDs = k.Content.FileIDs // a file of settings holds no attachments
		if !exists {
			if status == policy.Lapsed {
				p.note("政策", name, "已失效，本系统中没有，不导入")
				continue
			}
			p.add(change{kind: "政策", name: name, fresh: true, apply: func(ctx context.Context) (string, error) {
				v, err := h.policies.Add(ctx, actor, policy.AddPolicy{Content: content})
				if err == nil && status == policy.Live {
					_, err = h.policies.Publish(ctx, actor, policy.Ref{ID: v.ID, Version: v.Version})
				}
				return "", err
			}})
			continue
		}
		// What the library would keep of the file, beside what it keeps.
		is, will := policySettingOf(k), policySettingOf(policy.Kept{Status: status, Content: content})
		lines := unlike(is, will)
		if len(lines) == 0 {
			p.same++
			continue
		}
		if k.Status == policy.Lapsed || k.Status == policy.Live && status == policy.Draft {
			p.note("政策", name, "状态为“"+k.Status.Label()+"”，不能按文件修改为“"+status.Label()+"”")
			continue
		}
		is.Status = will.Status
		revise := len(unlike(is, will)) > 0
		p.add(change{kind: "政策", name: name, lines: lines, apply: func(ctx context.Context) (string, error) {
			ref := k.Ref
			if revise {
				v, err := h.policies.Revise(ctx, actor, policy.RevisePolicy{Ref: ref, Content: content})
				if err != nil {
					return "", err
				}
				ref.Version = v.Version
			}
			if status == k.Status {
				return "", nil
			}
			if k.Status == policy.Draft {
				v, err := h.policies.Publish(ctx, actor, ref)
				if err != nil || status == policy.Live {
					return "", err
				}
				ref.Version = v.Version
			}
			_, err := h.policies.Expire(ctx, actor, policy.ExpirePolicy{Ref: ref, Reason: "按导入的配置废止"})
			return "", err
		}})
	}
}
