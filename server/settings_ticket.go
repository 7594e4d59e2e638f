package server

import (
	"context"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/worktime"
)

// ticketKinds are the rules of tickets that an operator edits.
func (h *house) ticketKinds() []settingKind {
	return []settingKind{h.formKind(), h.budgetKind(), h.ladderKind(), h.callbackKind(), h.evidenceKind(), h.declineKind(), h.hintKind(), h.expireKind()}
}

type formSetting struct {
	Type   string             `json:"type"`
	Fields []ticket.FormField `json:"fields"`
}

func (h *house) formKind() settingKind {
	return kindOf[formSetting]{key: "ticket_forms", title: "诉求表单", tables: []string{"ticket_forms"},
		id: func(m formSetting) (string, string) { return m.Type, m.Type },
		list: func(ctx context.Context, actor access.Actor) ([]formSetting, error) {
			types, err := h.tickets.Types(ctx, actor)
			var out []formSetting
			for _, t := range types {
				if len(t.Fields) > 0 {
					out = append(out, formSetting{t.Code, t.Fields})
				}
			}
			return out, err
		},
		check: func(w *world, m *formSetting) error {
			if err := w.typed(m.Type); err != nil {
				return err
			}
			return ticket.CheckForm(m.Fields)
		},
		set: func(ctx context.Context, actor access.Actor, m formSetting) error {
			t, err := h.tickets.Type(ctx, actor, m.Type)
			if err != nil {
				return err
			}
			_, err = h.tickets.SetForm(ctx, actor, m.Type, t.Version, m.Fields, "")
			return err
		},
	}
}

type budgetSetting struct {
	Type        string           `json:"type,omitempty"`    // every type when left out
	Urgency     ticket.Urgency   `json:"urgency,omitempty"` // every urgency when left out
	Kind        ticket.ClockKind `json:"kind"`
	Amount      int              `json:"amount"`
	Unit        worktime.Unit    `json:"unit"`
	WarnPercent int              `json:"warn_percent"`
}

func (m budgetSetting) command() ticket.SetBudget {
	return ticket.SetBudget{Type: m.Type, Urgency: m.Urgency, Kind: m.Kind, Amount: m.Amount, Unit: m.Unit, WarnPercent: m.WarnPercent}
}

func (h *house) budgetKind() settingKind {
	id := func(m budgetSetting) (string, string) {
		key := m.Type + " " + string(m.Urgency) + " " + string(m.Kind)
		return key, key
	}
	of := func(b ticket.Budget) budgetSetting {
		return budgetSetting{b.Type, b.Urgency, b.Kind, b.Amount, b.Unit, b.WarnPercent}
	}
	return kindOf[budgetSetting]{key: "ticket_budgets", title: "办理时限", tables: []string{"ticket_budgets"}, id: id,
		list: func(ctx context.Context, actor access.Actor) ([]budgetSetting, error) {
			all, _, err := h.tickets.Budgets(ctx, actor)
			var out []budgetSetting
			for _, b := range all {
				out = append(out, of(b))
			}
			return out, err
		},
		check: func(w *world, m *budgetSetting) error {
			if err := w.typed(m.Type); err != nil {
				return err
			}
			return m.command().Check()
		},
		again: func(w *world, m budgetSetting) bool {
			return w.retimed[m.Type] && m.Kind == ticket.PublicClock && m.Urgency == ""
		},
		set: func(ctx context.Context, actor access.Actor, m budgetSetting) error {
			all, _, err := h.tickets.Budgets(ctx, actor)
			if err != nil {
				return err
			}
			cmd := m.command()
			want, _ := id(m)
			for _, b := range all {
				if is, _ := id(of(b)); is == want {
					cmd.Version = b.Version
				}
			}
			return h.tickets.SetBudget(ctx, actor, cmd)
		},
	}
}

type ladderSetting struct {
	Rungs []ticket.Rung `json:"rungs"`
}

func (h *house) ladderKind() settingKind {
	return kindOf[ladderSetting]{key: "ticket_ladder", title: "督办阶梯", tables: []string{"ticket_rungs"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]ladderSetting, error) {
			_, rungs, err := h.tickets.Budgets(ctx, actor)
			return []ladderSetting{{rungs}}, err
		},
		check: func(_ *world, m *ladderSetting) error { return ticket.CheckLadder(m.Rungs) },
		set: func(ctx context.Context, actor access.Actor, m ladderSetting) error {
			return h.tickets.SetLadder(ctx, actor, m.Rungs, "")
		},
	}
}

type callbackSetting struct {
	Type         string `json:"type,omitempty"` // every type without a plan of its own when left out
	Share        int    `json:"share"`
	Attempts     int    `json:"attempts"`
	RetryMinutes int    `json:"retry_minutes"`
	Script       string `json:"script"`
}

func (m callbackSetting) command() ticket.SetCallbackPlan {
	return ticket.SetCallbackPlan{Type: m.Type, Share: m.Share, Attempts: m.Attempts, RetryMinutes: m.RetryMinutes, Script: m.Script}
}

func (h *house) callbackKind() settingKind {
	return kindOf[callbackSetting]{key: "callback_plans", title: "回访设置", tables: []string{"ticket_callback_plans"},
		id: func(m callbackSetting) (string, string) {
			if m.Type == "" {
				return "", "各类诉求"
			}
			return m.Type, m.Type
		},
		list: func(ctx context.Context, actor access.Actor) ([]callbackSetting, error) {
			all, err := h.tickets.CallbackPlans(ctx, actor)
			var out []callbackSetting
			for _, p := range all {
				out = append(out, callbackSetting{p.Type, p.Share, p.Attempts, p.RetryMinutes, p.Script})
			}
			return out, err
		},
		check: func(w *world, m *callbackSetting) error {
			cmd := m.command()
			err := cmd.Check()
			m.Script = cmd.Script
			if err == nil {
				err = w.typed(m.Type)
			}
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m callbackSetting) error {
			all, err := h.tickets.CallbackPlans(ctx, actor)
			if err != nil {
				return err
			}
			cmd := m.command()
			for _, p := range all {
				if p.Type == m.Type {
					cmd.Version = p.Version
				}
			}
			return h.tickets.SetCallbackPlan(ctx, actor, cmd)
		},
	}
}

type evidenceSetting struct {
	Type  string                `json:"type"`
	Items []ticket.EvidenceItem `json:"items"`
}

func (h *house) evidenceKind() settingKind {
	return kindOf[evidenceSetting]{key: "evidence_rules", title: "佐证要求", tables: []string{"ticket_evidence_rules"},
		id: func(m evidenceSetting) (string, string) { return m.Type, m.Type },
		list: func(ctx context.Context, actor access.Actor) ([]evidenceSetting, error) {
			all, err := h.tickets.EvidenceRules(ctx, actor)
			var out []evidenceSetting
			for _, r := range all {
				out = append(out, evidenceSetting{r.Type, r.Items})
			}
			return out, err
		},
		check: func(w *world, m *evidenceSetting) error {
			if err := w.typed(m.Type); err != nil {
				return err
			}
			return ticket.SetEvidenceRule{Type: m.Type, Items: m.Items}.Check()
		},
		set: func(ctx context.Context, actor access.Actor, m evidenceSetting) error {
			all, err := h.tickets.EvidenceRules(ctx, actor)
			if err != nil {
				return err
			}
			cmd := ticket.SetEvidenceRule{Type: m.Type, Items: m.Items}
			for _, r := range all {
				if r.Type == m.Type {
					cmd.Version = r.Version
				}
			}
			return h.tickets.SetEvidenceRule(ctx, actor, cmd)
		},
	}
}

type declineSetting struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Route   string `json:"route"`
	Sort    int    `json:"sort"`
	Retired bool   `json:"retired,omitempty"`
}

func (m declineSetting) reason() ticket.DeclineReason {
	return ticket.DeclineReason{Code: m.Code, Name: m.Name, Route: m.Route, Sort: m.Sort, Retired: m.Retired}
}

func (h *house) declineKind() settingKind {
	return kindOf[declineSetting]{key: "decline_reasons", title: "不予受理情形", tables: []string{"ticket_decline_reasons"},
		id: func(m declineSetting) (string, string) { return m.Code, m.Name },
		list: func(ctx context.Context, actor access.Actor) ([]declineSetting, error) {
			all, err := h.tickets.DeclineReasons(ctx, actor)
			var out []declineSetting
			for _, r := range all {
				out = append(out, declineSetting{r.Code, r.Name, r.Route, r.Sort, r.Retired})
			}
			return out, err
		},
		check: func(_ *world, m *declineSetting) error {
			r := m.reason()
			err := r.Check()
			m.Name, m.Route = r.Name, r.Route
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m declineSetting) error {
			all, err := h.tickets.DeclineReasons(ctx, actor)
			if err != nil {
				return err
			}
			r := m.reason()
			for _, is := range all {
				if is.Code == r.Code {
					r.Version = is.Version
				}
			}
			return h.tickets.SetDeclineReason(ctx, actor, r, "")
		},
	}
}

type hintSetting struct {
	For      ticket.Reader `json:"for"`
	Step     string        `json:"step"`
	Text     string        `json:"text,omitempty"`
	LinkText string        `json:"link_text,omitempty"`
	LinkURL  string        `json:"link_url,omitempty"`
	Picture  string        `json:"picture,omitempty"` // base64
	Alt      string        `json:"alt,omitempty"`
}

func (m hintSetting) command() ticket.SetHint {
	return ticket.SetHint{For: m.For, Step: m.Step, Text: m.Text, LinkText: m.LinkText, LinkURL: m.LinkURL, Picture: &m.Picture, Alt: m.Alt}
}

func (h *house) hintKind() settingKind {
	return kindOf[hintSetting]{key: "ticket_hints", title: "办理提示", tables: []string{"ticket_hints"},
		id: func(m hintSetting) (string, string) {
			for _, s := range ticket.HintSteps() {
				if s.For == m.For && s.Step == m.Step {
					return string(m.For) + " " + m.Step, s.Label
				}
			}
			return string(m.For) + " " + m.Step, m.Step
		},
		list: func(ctx context.Context, actor access.Actor) ([]hintSetting, error) {
			all, err := h.tickets.HintsWhole(ctx, actor)
			var out []hintSetting
			for _, c := range all {
				out = append(out, hintSetting{c.For, c.Step, c.Text, c.LinkText, c.LinkURL, *c.Picture, c.Alt})
			}
			return out, err
		},
		check: func(_ *world, m *hintSetting) error {
			cmd := m.command()
			err := cmd.Check()
			m.Text, m.LinkText, m.LinkURL, m.Alt = cmd.Text, cmd.LinkText, cmd.LinkURL, cmd.Alt
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m hintSetting) error {
			all, err := h.tickets.HintsWhole(ctx, actor)
			if err != nil {
				return err
			}
			cmd := m.command()
			for _, is := range all {
				if is.For == m.For && is.Step == m.Step {
					cmd.Version = is.Version
				}
			}
			return h.tickets.SetHint(ctx, actor, cmd)
		},
	}
}

type expireSetting struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Days    int    `json:"days"`
	Action  string `json:"action"`
	Reason  string `json:"reason"`
	Enabled bool   `json:"enabled"`
}

func (m expireSetting) command() ticket.SetExpireRule {
	return ticket.SetExpireRule{Name: m.Name, State: m.State, Days: m.Days, Action: m.Action, Reason: m.Reason, Enabled: m.Enabled}
}

func (h *house) expireKind() settingKind {
	return kindOf[expireSetting]{key: "timed_closing", title: "定时处理规则", tables: []string{"ticket_expire_rules"},
		id: func(m expireSetting) (string, string) { return m.Name, m.Name },
		list: func(ctx context.Context, actor access.Actor) ([]expireSetting, error) {
			all, err := h.tickets.ExpireRules(ctx, actor)
			var out []expireSetting
			for _, r := range all {
				out = append(out, expireSetting{r.Name, r.State, r.Days, r.Action, r.Reason, r.Enabled})
			}
			return out, err
		},
		check: func(_ *world, m *expireSetting) error {
			cmd := m.command()
			err := cmd.Check()
			m.Name, m.Reason = cmd.Name, cmd.Reason
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m expireSetting) error {
			all, err := h.tickets.ExpireRules(ctx, actor)
			if err != nil {
				return err
			}
			cmd := m.command()
			for _, r := range all {
				if r.Name == m.Name {
					cmd.ID, cmd.Version = r.ID, r.Version
				}
			}
			return h.tickets.SetExpireRule(ctx, actor, cmd)
		},
	}
}
