package server

import (
	"context"

	"github.com/huiqi/huiqi/modules/evaluation"
	"github.com/huiqi/huiqi/platform/access"
)

// evaluationKinds are the settings of how services are evaluated.
func (h *house) evaluationKinds() []settingKind {
	return []settingKind{h.evaluationFormKind(), h.evaluationRuleKind()}
}

type evaluationFormSetting struct {
	Kind string `json:"kind,omitempty"` // of service; empty for the form of all that have none of their own
	evaluation.Form
}

func (h *house) evaluationFormKind() settingKind {
	return kindOf[evaluationFormSetting]{key: "evaluation_forms", title: "服务评价表", tables: []string{"evaluation_forms"},
		id: func(m evaluationFormSetting) (string, string) {
			for _, k := range h.evaluations.Kinds {
				if k.Code == m.Kind {
					return m.Kind, k.Name
				}
			}
			if m.Kind == "" {
				return "", "通用"
			}
			return m.Kind, m.Kind
		},
		list: func(ctx context.Context, actor access.Actor) ([]evaluationFormSetting, error) {
			all, err := h.evaluations.Forms(ctx, actor)
			var out []evaluationFormSetting
			for _, v := range all {
				if !v.Withdrawn {
					out = append(out, evaluationFormSetting{v.Kind, v.Form})
				}
			}
			return out, err
		},
		check: func(_ *world, m *evaluationFormSetting) error {
			cmd := evaluation.SetForm{Kind: m.Kind, Form: m.Form}
			err := h.evaluations.CheckForm(&cmd)
			m.Form = cmd.Form
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m evaluationFormSetting) error {
			all, err := h.evaluations.Forms(ctx, actor)
			if err != nil {
				return err
			}
			cmd := evaluation.SetForm{Kind: m.Kind, Form: m.Form}
			for _, v := range all {
				if v.Kind == m.Kind {
					cmd.Base = v.ID
				}
			}
			return h.evaluations.SetForm(ctx, actor, cmd)
		},
	}
}

func (h *house) evaluationRuleKind() settingKind {
	return kindOf[evaluation.Rule]{key: "evaluation_rule", title: "服务评价规则", tables: []string{"evaluation_rules"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]evaluation.Rule, error) {
			all, err := h.evaluations.Rules(ctx, actor)
			if err != nil || len(all) == 0 {
				return nil, err
			}
			return []evaluation.Rule{all[0].Rule}, nil
		},
		check: func(_ *world, m *evaluation.Rule) error { return m.Check() },
		set: func(ctx context.Context, actor access.Actor, m evaluation.Rule) error {
			all, err := h.evaluations.Rules(ctx, actor)
			if err != nil {
				return err
			}
			return h.evaluations.SetRule(ctx, actor, evaluation.SetRule{Base: all[0].ID, Reason: byImport, Rule: m})
		},
	}
}
