package server

import (
	"context"

	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/hint"
)

type reviewHintSetting struct {
	Review   string        `json:"review"`
	For      review.Reader `json:"for"`
	Step     string        `json:"step"`
	Text     string        `json:"text,omitempty"`
	LinkText string        `json:"link_text,omitempty"`
	LinkURL  string        `json:"link_url,omitempty"`
	Picture  string        `json:"picture,omitempty"` // base64
	Alt      string        `json:"alt,omitempty"`
}

func (m reviewHintSetting) command() review.SetHint {
	return review.SetHint{Review: m.Review, For: m.For, Step: m.Step, Set: hint.Set{Text: m.Text, LinkText: m.LinkText, LinkURL: m.LinkURL, Picture: &m.Picture, Alt: m.Alt}}
}

// reviewHintKind has what is read at the steps of reviews.
func (h *house) reviewHintKind() settingKind {
	return kindOf[reviewHintSetting]{key: "review_hints", title: "审核提示", tables: []string{"review_hints"},
		id: func(m reviewHintSetting) (string, string) {
			return m.Review + " " + string(m.For) + " " + m.Step, h.reviews.HintName(m.command())
		},
		list: func(ctx context.Context, actor access.Actor) ([]reviewHintSetting, error) {
			all, err := h.reviews.HintsWhole(ctx, actor)
			var out []reviewHintSetting
			for _, c := range all {
				out = append(out, reviewHintSetting{c.Review, c.For, c.Step, c.Text, c.LinkText, c.LinkURL, *c.Picture, c.Alt})
			}
			return out, err
		},
		check: func(_ *world, m *reviewHintSetting) error {
			cmd := m.command()
			err := h.reviews.CheckHint(&cmd)
			m.Text, m.LinkText, m.LinkURL, m.Alt = cmd.Text, cmd.LinkText, cmd.LinkURL, cmd.Alt
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m reviewHintSetting) error {
			all, err := h.reviews.HintsWhole(ctx, actor)
			if err != nil {
				return err
			}
			cmd := m.command()
			for _, is := range all {
				if is.Review == m.Review && is.For == m.For && is.Step == m.Step {
					cmd.Version = is.Version
				}
			}
			return h.reviews.SetHint(ctx, actor, cmd)
		},
	}
}
