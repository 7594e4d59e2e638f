package server

import (
	"context"
	"slices"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
)

// applicationKinds are the rules of applications that an operator edits.
func (h *house) applicationKinds() []settingKind {
	return []settingKind{h.applicationLimitKind(), h.extraSettingKind()}
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
