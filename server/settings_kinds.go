package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/modules/calendar"
	"github.com/huiqi/huiqi/modules/canned"
	"github.com/huiqi/huiqi/modules/directory"
	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// byImport is the reason that stands beside what an import sets.
const byImport = "按导入的配置设置"

// kinds are the settings beyond departments, roles, ticket types, partners and policies, in the order in which they are
// imported.
func (h *house) kinds() []settingKind {
	return slices.Concat(h.ticketKinds(), h.enterpriseKinds(), h.evaluationKinds(), h.proofKinds(), h.applicationKinds(), []settingKind{
		h.talkKind(), h.channelKind(), h.calendarKind(), h.directoryKind(), h.cannedKind(), h.cardKind(), h.kindCards(), h.drawKind(), h.hoursKind(), h.surgeKind(), h.formulaKind(), h.serviceKind(), h.limitKind(),
	})
}

func (h *house) calendarKind() settingKind {
	return kindOf[calendar.Definition]{key: "calendar", title: "工作日历", tables: []string{"calendar_versions"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]calendar.Definition, error) {
			st, err := h.calendars.Standing(ctx, actor)
			if errors.Is(err, fault.ErrNotFound) {
				return nil, nil // a new installation, before its first start
			}
			return []calendar.Definition{st.Current.Definition}, err
		},
		check: func(_ *world, m *calendar.Definition) error { _, err := m.Calendar(); return err },
		set: func(ctx context.Context, actor access.Actor, m calendar.Definition) error {
			st, err := h.calendars.Standing(ctx, actor)
			if err != nil {
				return err
			}
			if st.Draft != nil {
				return fmt.Errorf("工作日历有 %s 的未发布草稿，请先发布或放弃", st.Draft.ChangedBy)
			}
			v, err := h.calendars.Begin(ctx, actor, "")
			if err != nil {
				return err
			}
			if v, err = h.calendars.Save(ctx, actor, calendar.Save{ID: v.ID, Version: v.Version, Note: byImport, Definition: m}); err != nil {
				return err
			}
			_, err = h.calendars.Publish(ctx, actor, v.ID, v.Version, "")
			return err
		},
	}
}

// directorySetting is who handles a matter in an area from now on. What was valid before stays with its installation.
type directorySetting struct {
	Matter  string   `json:"matter"`
	Area    string   `json:"area,omitempty"`
	Lead    string   `json:"lead"` // code of the unit
	Helpers []string `json:"helpers,omitempty"`
	Basis   string   `json:"basis,omitempty"`
}

func (h *house) directoryKind() settingKind {
	return kindOf[directorySetting]{key: "directory", title: "派单目录", tables: []string{"directory_lines", "directory_versions"},
		id: func(m directorySetting) (string, string) { return m.Matter + "\n" + m.Area, m.Matter + " " + m.Area },
		list: func(ctx context.Context, actor access.Actor) ([]directorySetting, error) {
			codes, err := h.unitCodes(ctx, actor)
			if err != nil {
				return nil, err
			}
			b, err := h.directory.Board(ctx, actor)
			var out []directorySetting
			for _, l := range b.Lines {
				if l.Valid == nil {
					continue
				}
				m := directorySetting{Matter: l.Matter, Area: l.Area, Lead: codes[l.Valid.LeadID], Basis: l.Valid.Basis}
				for _, u := range l.Valid.Helpers {
					m.Helpers = append(m.Helpers, codes[u.ID])
				}
				slices.Sort(m.Helpers)
				out = append(out, m)
			}
			return out, err
		},
		check: func(w *world, m *directorySetting) error { return w.placed(m) },
		set:   h.setDirectory,
	}
}

func (w *world) placed(m *directorySetting) error {
	slices.Sort(m.Helpers)
	if !w.types[m.Matter] && !slices.ContainsFunc(w.board.Matters, func(n directory.Named) bool { return n.Code == m.Matter }) {
		return fmt.Errorf("没有编码为 %s 的诉求类型", m.Matter)
	}
	if m.Area != "" && !slices.ContainsFunc(w.board.Areas, func(n directory.Named) bool { return n.Code == m.Area }) {
		return fmt.Errorf("没有编码为 %s 的街道或乡镇", m.Area)
	}
	named := map[string]bool{}
	for _, code := range append([]string{m.Lead}, m.Helpers...) {
		if !w.units[code] {
			return fmt.Errorf("没有编码为 %s 的部门", code)
		}
		if named[code] {
			return fmt.Errorf("部门 %s 重复", code)
		}
		named[code] = true
	}
	if i := slices.IndexFunc(w.board.Lines, func(l directory.LineView) bool { return l.Matter == m.Matter && l.Area == m.Area }); i >= 0 && w.board.Lines[i].Planned != nil {
		return directory.ErrPlanned
	}
	return nil
}

// unitCodes are the codes of the departments by id.
func (h *house) unitCodes(ctx context.Context, actor access.Actor) (map[int64]string, error) {
	tree, err := h.identity.DepartmentTree(ctx, actor)
	codes := map[int64]string{}
	for _, d := range tree {
		codes[d.ID] = d.Code
	}
	return codes, err
}

func (h *house) setDirectory(ctx context.Context, actor access.Actor, m directorySetting) error {
	codes, err := h.unitCodes(ctx, actor)
	if err != nil {
		return err
	}
	ids := map[string]int64{}
	for id, code := range codes {
		ids[code] = id
	}
	cmd := directory.Set{Matter: m.Matter, Area: m.Area, Lead: ids[m.Lead], Reason: byImport, Basis: m.Basis}
	for _, code := range m.Helpers {
		cmd.Helpers = append(cmd.Helpers, ids[code])
	}
	b, err := h.directory.Board(ctx, actor)
	if err != nil {
		return err
	}
	for _, l := range b.Lines {
		if l.Matter == m.Matter && l.Area == m.Area {
			cmd.Version = l.Version
		}
	}
	_, err = h.directory.Set(ctx, actor, cmd)
	return err
}

// cannedSetting is a phrase of the desk; those of units and persons stay with them.
type cannedSetting struct {
	Code     string `json:"code,omitempty"`
	Title    string `json:"title"`
	Category string `json:"category,omitempty"`
	Body     string `json:"body"`
}

func (m cannedSetting) text() canned.Text {
	return canned.Text{Holder: canned.Desk, Code: m.Code, Title: m.Title, Category: m.Category, Body: m.Body}
}

func (h *house) cannedKind() settingKind {
	id := func(m cannedSetting) (string, string) {
		if m.Code != "" {
			return m.Code, m.Title
		}
		return "\n" + m.Title, m.Title
	}
	return kindOf[cannedSetting]{key: "canned_replies", title: "平台常用语", tables: []string{"canned_replies"}, id: id,
		list: func(ctx context.Context, actor access.Actor) ([]cannedSetting, error) {
			all, err := h.canned.List(ctx, actor, "")
			var out []cannedSetting
			for _, v := range all {
				out = append(out, cannedSetting{Code: v.Code, Title: v.Title, Category: v.Category, Body: v.Body})
			}
			slices.SortFunc(out, func(a, b cannedSetting) int {
				return strings.Compare(a.Category+"\n"+a.Title+"\n"+a.Code, b.Category+"\n"+b.Title+"\n"+b.Code)
			})
			return out, err
		},
		check: func(_ *world, m *cannedSetting) error { return m.text().Check() },
		set: func(ctx context.Context, actor access.Actor, m cannedSetting) error {
			all, err := h.canned.List(ctx, actor, "")
			if err != nil {
				return err
			}
			cmd := canned.Save{Text: m.text()}
			want, _ := id(m)
			for _, v := range all {
				if is, _ := id(cannedSetting{Code: v.Code, Title: v.Title}); is == want {
					cmd.ID, cmd.Version = v.ID, v.Version
				}
			}
			_, err = h.canned.Save(ctx, actor, cmd)
			return err
		},
	}
}

type serviceSetting struct {
	Code      string `json:"code"`
	Published bool   `json:"published"`
	Keywords  string `json:"keywords,omitempty"`
}

func (m serviceSetting) command() intake.SetService {
	return intake.SetService{Code: m.Code, Offered: true, Published: m.Published, Keywords: m.Keywords}
}

func (h *house) serviceKind() settingKind {
	return kindOf[serviceSetting]{key: "open311_services", title: "Open311 服务", tables: []string{"intake_services"},
		id: func(m serviceSetting) (string, string) { return m.Code, m.Code },
		list: func(ctx context.Context, actor access.Actor) ([]serviceSetting, error) {
			all, err := h.intake.Services(ctx, actor)
			var out []serviceSetting
			for _, v := range all {
				if v.Offered {
					out = append(out, serviceSetting{v.Code, v.Published, v.Keywords})
				}
			}
			return out, err
		},
		check: func(w *world, m *serviceSetting) error {
			cmd := m.command()
			err := cmd.Check()
			m.Keywords = cmd.Keywords
			if err == nil {
				err = w.typed(m.Code)
			}
			return err
		},
		set: func(ctx context.Context, actor access.Actor, m serviceSetting) error {
			_, err := h.intake.SetService(ctx, actor, m.command())
			return err
		},
	}
}

type limitSetting struct {
	Code string `json:"code"`
	Warn int64  `json:"warn"`
	Bad  int64  `json:"bad"`
}

// limitKind has the limits that somebody set; the others are the program's.
func (h *house) limitKind() settingKind {
	return kindOf[limitSetting]{key: "health_limits", title: "告警阈值",
		id: func(m limitSetting) (string, string) { return m.Code, m.Code },
		list: func(ctx context.Context, actor access.Actor) ([]limitSetting, error) {
			v, err := h.operations.Health(ctx, actor)
			var out []limitSetting
			for _, c := range v.Checks {
				if c.LimitsBy != "" {
					out = append(out, limitSetting{c.Code, c.Warn, c.Bad})
				}
			}
			return out, err
		},
		check: func(_ *world, m *limitSetting) error {
			return h.operations.CheckLimits(operations.SetLimits{Code: m.Code, Warn: m.Warn, Bad: m.Bad})
		},
		set: func(ctx context.Context, actor access.Actor, m limitSetting) error {
			return h.operations.SetLimits(ctx, actor, operations.SetLimits{Code: m.Code, Warn: m.Warn, Bad: m.Bad})
		},
	}
}
