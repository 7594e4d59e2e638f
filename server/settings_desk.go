package server

import (
	"context"
	"fmt"

	"github.com/huiqi/huiqi/modules/appraisal"
	"github.com/huiqi/huiqi/modules/quality"
	"github.com/huiqi/huiqi/modules/seat"
	"github.com/huiqi/huiqi/modules/supervision"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

type cardSetting struct {
	Name string `json:"name"`
	quality.Card
}

func (h *house) cardKind() settingKind {
	return kindOf[cardSetting]{key: "quality_card", title: "质检评分表", tables: []string{"quality_cards"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]cardSetting, error) {
			v, err := h.quality.Card(ctx, actor, "")
			return []cardSetting{{v.Name, v.Card}}, err
		},
		check: func(_ *world, m *cardSetting) error {
			cmd := quality.SetCard{Name: m.Name, Card: m.Card}
			err := cmd.Check()
			m.Name, m.Card = cmd.Name, cmd.Card
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m cardSetting) error {
			v, err := h.quality.Card(ctx, actor, "")
			if err != nil {
				return err
			}
			return h.quality.SetCard(ctx, actor, quality.SetCard{Name: m.Name, Base: v.ID, Card: m.Card})
		},
	}
}

type kindCardSetting struct {
	Kind quality.Kind `json:"kind"`
	cardSetting
}

// kindCards are the scorecards of those kinds of work that have one of their own.
func (h *house) kindCards() settingKind {
	return kindOf[kindCardSetting]{key: "quality_kind_cards", title: "专用质检评分表", tables: []string{"quality_cards"},
		id: func(m kindCardSetting) (string, string) { return string(m.Kind), m.Kind.Label() },
		list: func(ctx context.Context, actor access.Actor) ([]kindCardSetting, error) {
			all, err := h.quality.Cards(ctx, actor)
			out := []kindCardSetting{}
			for _, v := range all {
				if v.Kind != "" && !v.Withdrawn {
					out = append(out, kindCardSetting{v.Kind, cardSetting{v.Name, v.Card}})
				}
			}
			return out, err
		},
		check: func(_ *world, m *kindCardSetting) error {
			if m.Kind == "" {
				return fault.InvalidField("kind", "QUALITY_KINDS", "请写明业务：opened、answered 或 called_back")
			}
			cmd := quality.SetCard{Kind: m.Kind, Name: m.Name, Card: m.Card}
			err := cmd.Check()
			m.Name, m.Card = cmd.Name, cmd.Card
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m kindCardSetting) error {
			cmd := quality.SetCard{Kind: m.Kind, Name: m.Name, Card: m.Card}
			all, err := h.quality.Cards(ctx, actor)
			if err != nil {
				return err
			}
			for _, v := range all {
				if v.Kind == m.Kind {
					cmd.Base = v.ID
				}
			}
			return h.quality.SetCard(ctx, actor, cmd)
		},
	}
}

type drawSetting struct {
	PerAgent   int            `json:"per_agent"`
	Kinds      []quality.Kind `json:"kinds"`
	AppealDays int            `json:"appeal_days"`
	On         bool           `json:"on"`
}

func (m drawSetting) rule() quality.Rule {
	return quality.Rule{PerAgent: m.PerAgent, Kinds: m.Kinds, AppealDays: m.AppealDays, On: m.On}
}

func (h *house) drawKind() settingKind {
	return kindOf[drawSetting]{key: "quality_rule", title: "质检抽取规则", tables: []string{"quality_rules"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]drawSetting, error) {
			r, err := h.quality.Rule(ctx, actor)
			return []drawSetting{{r.PerAgent, r.Kinds, r.AppealDays, r.On}}, err
		},
		check: func(_ *world, m *drawSetting) error { return m.rule().Check() },
		set: func(ctx context.Context, actor access.Actor, m drawSetting) error {
			now, err := h.quality.Rule(ctx, actor)
			if err != nil {
				return err
			}
			r := m.rule()
			r.Version = now.Version
			return h.quality.SetRule(ctx, actor, r)
		},
	}
}

func (h *house) hoursKind() settingKind {
	return kindOf[seat.HoursView]{key: "desk_hours", title: "热线服务时间", tables: []string{"seat_hours"},
		id: func(m seat.HoursView) (string, string) {
			return fmt.Sprint(m.Weekday), "周" + string([]rune("日一二三四五六")[max(0, min(m.Weekday, 6))])
		},
		list: func(ctx context.Context, actor access.Actor) ([]seat.HoursView, error) {
			w, err := h.seats.Week(ctx, actor, "")
			for i := range w.Hours {
				w.Hours[i].Version = 0 // it is that of this installation
			}
			return w.Hours, err
		},
		check: func(_ *world, m *seat.HoursView) error { return m.Check() },
		set: func(ctx context.Context, actor access.Actor, m seat.HoursView) error {
			w, err := h.seats.Week(ctx, actor, "")
			if err != nil {
				return err
			}
			for _, now := range w.Hours {
				if now.Weekday == m.Weekday {
					m.Version = now.Version
				}
			}
			return h.seats.SetHours(ctx, actor, seat.SetHours{Hours: []seat.HoursView{m}})
		},
	}
}

type surgeSetting struct {
	Least  int     `json:"least"`
	Factor float64 `json:"factor"`
	Weeks  int     `json:"weeks"`
	On     bool    `json:"on"`
}

func (h *house) surgeKind() settingKind {
	rule := func(m surgeSetting) supervision.Rule {
		return supervision.Rule{Least: m.Least, Factor: m.Factor, Weeks: m.Weeks, On: m.On}
	}
	return kindOf[surgeSetting]{key: "surge_rule", title: "突增预警规则", tables: []string{"supervision_rules"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]surgeSetting, error) {
			r, err := h.supervision.Rule(ctx, actor)
			return []surgeSetting{{r.Least, r.Factor, r.Weeks, r.On}}, err
		},
		check: func(_ *world, m *surgeSetting) error { return rule(*m).Check() },
		set: func(ctx context.Context, actor access.Actor, m surgeSetting) error {
			now, err := h.supervision.Rule(ctx, actor)
			if err != nil {
				return err
			}
			r := rule(m)
			r.Version = now.Version
			return h.supervision.SetRule(ctx, actor, r)
		},
	}
}

// formulaSetting is the newest version. An import brings it into force from the present month on: months that were appraised
// keep what they were appraised by.
type formulaSetting struct {
	Name string         `json:"name"`
	Body appraisal.Body `json:"body"`
}

func (h *house) formulaKind() settingKind {
	return kindOf[formulaSetting]{key: "appraisal_formula", title: "考核口径", tables: []string{"appraisal_formulas"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]formulaSetting, error) {
			all, err := h.appraisal.Formulas(ctx, actor)
			if err != nil || len(all) == 0 {
				return nil, err
			}
			return []formulaSetting{{all[0].Name, all[0].Body}}, nil
		},
		check: func(_ *world, m *formulaSetting) error { return m.Body.Check() },
		set: func(ctx context.Context, actor access.Actor, m formulaSetting) error {
			all, err := h.appraisal.Formulas(ctx, actor)
			if err != nil {
				return err
			}
			cmd := appraisal.SetFormula{Name: m.Name, Body: m.Body, Reason: byImport, From: h.clock.Now().In(clock.Beijing).Format("2006-01")}
			for _, f := range all {
				cmd.Last, cmd.From = max(cmd.Last, f.No), max(cmd.From, f.From)
			}
			return h.appraisal.SetFormula(ctx, actor, cmd)
		},
	}
}
