package server

import (
	"context"
	"slices"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/hint"
)

// applicationKinds are the rules of applications that an operator edits.
func (h *house) applicationKinds() []settingKind {
	return []settingKind{h.applicationLimitKind(), h.applicationHintKind(), h.extraSettingKind()}
}

type applicationLimitSetting struct {
	Kind        string `json:"kind,omitempty"` // every kind of products without limits of its own when left out
	AcceptDays  int    `json:"accept_days"`
	HandleDays  int    `json:"handle_days"`
	ConfirmDays int    `json:"confirm_days"`
	WarnPercent int    `json:"warn_percent"`
}

func (m applicationLimitSetting) limit() application.Limit {
	return application.Limit{Kind: m.Kind, AcceptDays: m.AcceptDays, HandleDays: m.HandleDays, ConfirmDays: m.ConfirmDays, WarnPercent: m.WarnPercent}
}

func (h *house) applicationLimitKind() settingKind {
	return kindOf[applicationLimitSetting]{key: "application_limits", title: "申请时限", tables: []string{"application_limits"},
		id: func(m applicationLimitSetting) (string, string) {
			if m.Kind == "" {
				return "", "各类产品"
			}
			return m.Kind, m.Kind
		},
		list: func(ctx context.Context, actor access.Actor) ([]applicationLimitSetting, error) {
			all, err := h.applications.Limits(ctx, actor)
			var out []applicationLimitSetting
			for _, l := range all {
				if l.Version > 0 {
					out = append(out, applicationLimitSetting{l.Kind, l.AcceptDays, l.HandleDays, l.ConfirmDays, l.WarnPercent})
				}
			}
			return out, err
		},
		check: func(_ *world, m *applicationLimitSetting) error { return m.limit().Check() },
		set: func(ctx context.Context, actor access.Actor, m applicationLimitSetting) error {
			all, err := h.applications.Limits(ctx, actor)
			if err != nil {
				return err
			}
			cmd := application.SetLimit{Limit: m.limit()}
			if i := slices.IndexFunc(all, func(l application.LimitView) bool { return l.Kind == m.Kind }); i >= 0 {
				cmd.Version = all[i].Version
			}
			_, err = h.applications.SetLimit(ctx, actor, cmd)
			return err
		},
	}
}

type applicationHintSetting struct {
	Kind     string             `json:"kind,omitempty"` // every kind of products without a hint of its own when left out
	For      application.Reader `json:"for"`
	Step     string             `json:"step"`
	Text     string             `json:"text,omitempty"`
	LinkText string             `json:"link_text,omitempty"`
	LinkURL  string             `json:"link_url,omitempty"`
	Picture  string             `json:"picture,omitempty"` // base64
	Alt      string             `json:"alt,omitempty"`
}

func (m applicationHintSetting) command() application.SetHint {
	return application.SetHint{Kind: m.Kind, For: m.For, Step: m.Step, Set: hint.Set{Text: m.Text, LinkText: m.LinkText, LinkURL: m.LinkURL, Picture: &m.Picture, Alt: m.Alt}}
}

func (h *house) applicationHintKind() settingKind {
	return kindOf[applicationHintSetting]{key: "application_hints", title: "申请办理提示", tables: []string{"application_hints"},
		id: func(m applicationHintSetting) (string, string) {
			id := m.Kind + " " + string(m.For) + " " + m.Step
			for _, s := range application.HintSteps() {
				if s.For == m.For && s.Step == m.Step {
					return id, s.Label
				}
			}
			return id, m.Step
		},
		list: func(ctx context.Context, actor access.Actor) ([]applicationHintSetting, error) {
			all, err := h.applications.HintsWhole(ctx, actor)
			var out []applicationHintSetting
			for _, c := range all {
				out = append(out, applicationHintSetting{c.Kind, c.For, c.Step, c.Text, c.LinkText, c.LinkURL, *c.Picture, c.Alt})
			}
			return out, err
		},
		check: func(_ *world, m *applicationHintSetting) error {
			cmd := m.command()
			err := cmd.Check()
			m.Text, m.LinkText, m.LinkURL, m.Alt = cmd.Text, cmd.LinkText, cmd.LinkURL, cmd.Alt
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m applicationHintSetting) error {
			all, err := h.applications.HintsWhole(ctx, actor)
			if err != nil {
				return err
			}
			cmd := m.command()
			for _, is := range all {
				if is.Kind == m.Kind && is.For == m.For && is.Step == m.Step {
					cmd.Version = is.Version
				}
			}
			return h.applications.SetHint(ctx, actor, cmd)
		},
	}
}
