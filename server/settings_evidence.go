package server

import (
	"context"

	"github.com/huiqi/huiqi/modules/conversation"
	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/scorecard"
)

type evidenceListSetting struct {
	Kind string `json:"kind,omitempty"` // of service; empty for the checklist of all that have none of their own
	evidence.List
}

type evidenceCardSetting struct {
	Target evidence.Target `json:"target"`
	Name   string          `json:"name"`
	scorecard.Card
}

// proofKinds are the settings of the evidence of services and of what the government thinks of them.
func (h *house) proofKinds() []settingKind {
	return []settingKind{
		kindOf[evidenceListSetting]{key: "service_evidence", title: "服务佐证清单", tables: []string{"evidence_lists"},
			id: func(m evidenceListSetting) (string, string) {
				for _, k := range h.evidence.Kinds {
					if k.Code == m.Kind {
						return m.Kind, k.Name
					}
				}
				if m.Kind == "" {
					return "", "通用"
				}
				return m.Kind, m.Kind
			},
			list: func(ctx context.Context, actor access.Actor) ([]evidenceListSetting, error) {
				all, err := h.evidence.Lists(ctx, actor)
				var out []evidenceListSetting
				for _, v := range all {
					if !v.Withdrawn {
						out = append(out, evidenceListSetting{v.Kind, v.List})
					}
				}
				return out, err
			},
			check: func(_ *world, m *evidenceListSetting) error {
				cmd := evidence.SetList{Kind: m.Kind, List: m.List}
				err := h.evidence.CheckList(&cmd)
				m.List = cmd.List
				return err
			},
			set: func(ctx context.Context, actor access.Actor, m evidenceListSetting) error {
				all, err := h.evidence.Lists(ctx, actor)
				if err != nil {
					return err
				}
				cmd := evidence.SetList{Kind: m.Kind, List: m.List}
				for _, v := range all {
					if v.Kind == m.Kind {
						cmd.Base = v.ID
					}
				}
				return h.evidence.SetList(ctx, actor, cmd)
			},
		},
		kindOf[evidenceCardSetting]{key: "assessment_cards", title: "政府评估表", tables: []string{"evidence_cards"},
			id: func(m evidenceCardSetting) (string, string) { return string(m.Target), m.Target.Label() },
			list: func(ctx context.Context, actor access.Actor) ([]evidenceCardSetting, error) {
				all, err := h.evidence.Cards(ctx, actor)
				var out []evidenceCardSetting
				for _, v := range all {
					out = append(out, evidenceCardSetting{v.Target, v.Name, v.Card})
				}
				return out, err
			},
			check: func(_ *world, m *evidenceCardSetting) error {
				cmd := evidence.SetCard{Target: m.Target, Name: m.Name, Card: m.Card}
				err := cmd.Check()
				m.Name, m.Card = cmd.Name, cmd.Card
				return err
			},
			set: func(ctx context.Context, actor access.Actor, m evidenceCardSetting) error {
				all, err := h.evidence.Cards(ctx, actor)
				if err != nil {
					return err
				}
				cmd := evidence.SetCard{Target: m.Target, Name: m.Name, Card: m.Card}
				for _, v := range all {
					if v.Target == m.Target {
						cmd.Base = v.ID
					}
				}
				return h.evidence.SetCard(ctx, actor, cmd)
			},
		},
	}
}

// talkKind is when companies and institutions are reminded of what they have not read.
func (h *house) talkKind() settingKind {
	return kindOf[conversation.Rule]{key: "conversation_rule", title: "服务沟通规则", tables: []string{"conversation_rules"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]conversation.Rule, error) {
			r, err := h.conversations.Rule(ctx, actor)
			return []conversation.Rule{r.Rule}, err
		},
		check: func(_ *world, m *conversation.Rule) error { return m.Check() },
		set: func(ctx context.Context, actor access.Actor, m conversation.Rule) error {
			r, err := h.conversations.Rule(ctx, actor)
			if err != nil {
				return err
			}
			r.Rule = m
			return h.conversations.SetRule(ctx, actor, r)
		},
	}
}
