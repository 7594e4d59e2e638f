package server

import (
	"context"
	"maps"
	"slices"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
)

// enterpriseKinds are the rules about the data of companies that an operator edits.
func (h *house) enterpriseKinds() []settingKind {
	return []settingKind{h.sourceKind(), h.qualityKind(), h.sizeKind(), h.extraFieldKind(), h.tagKind(), h.reasonKind(), h.reviewHintKind()}
}

type sourceSetting struct {
	Code     enterprise.Source           `json:"code"`
	Name     string                      `json:"name"`
	Official bool                        `json:"official"`
	Worths   map[string]enterprise.Worth `json:"worths"`
}

func (h *house) sourceKind() settingKind {
	return kindOf[sourceSetting]{key: "enterprise_sources", title: "企业数据来源", tables: []string{"enterprise_sources"},
		id: func(m sourceSetting) (string, string) { return string(m.Code), m.Name },
		list: func(ctx context.Context, actor access.Actor) ([]sourceSetting, error) {
			list, err := h.enterprises.Sources(ctx, actor)
			var out []sourceSetting
			for _, s := range list {
				out = append(out, sourceSetting{s.Code, s.Name, s.Official, s.Worths})
			}
			return out, err
		},
		check: func(_ *world, m *sourceSetting) error {
			for _, w := range m.Worths {
				if w.Rank < 1 || w.Rank > 99 || w.Days < 0 || w.Days > 3660 {
					return fault.InvalidField("worths", "SOURCE_WORTH", "优先级应为 1 至 99，有效天数应为 0 至 3660")
				}
			}
			return nil
		},
		set: func(ctx context.Context, actor access.Actor, m sourceSetting) error {
			list, err := h.enterprises.Sources(ctx, actor)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(list, func(s enterprise.SourceView) bool { return s.Code == m.Code })
			if i < 0 {
				return fault.InvalidField("code", "SOURCE", "没有编码为 "+string(m.Code)+" 的数据来源")
			}
			worths := maps.Clone(list[i].Worths) // of a group the file does not know, from before there was one, it stays as it is
			maps.Copy(worths, m.Worths)
			_, err = h.enterprises.SaveSource(ctx, actor, enterprise.SaveSource{Code: m.Code, Name: m.Name, Official: m.Official, Worths: worths, Version: list[i].Version})
			return err
		},
	}
}

type qualitySetting struct {
	Rules []enterprise.QualityRule `json:"rules"`
}

func (h *house) qualityKind() settingKind {
	return kindOf[qualitySetting]{key: "enterprise_quality", title: "数据质量规则", tables: []string{"enterprise_quality_versions"}, single: true,
		list: func(ctx context.Context, actor access.Actor) ([]qualitySetting, error) {
			q, err := h.enterprises.Quality(ctx, actor)
			return []qualitySetting{{q.Rules}}, err
		},
		check: func(_ *world, m *qualitySetting) error { return h.enterprises.CheckRules(m.Rules) },
		set: func(ctx context.Context, actor access.Actor, m qualitySetting) error {
			q, err := h.enterprises.Quality(ctx, actor)
			if err != nil {
				return err
			}
			_, err = h.enterprises.SaveQuality(ctx, actor, enterprise.SaveQuality{Version: q.Version, Note: byImport, Rules: m.Rules})
			return err
		},
	}
}

func (h *house) sizeKind() settingKind {
	return kindOf[enterprise.SizeEditionBody]{key: "enterprise_sizes", title: "划型标准", tables: []string{"enterprise_size_editions"},
		id: func(m enterprise.SizeEditionBody) (string, string) { return m.Kind + " " + m.From, m.Document },
		list: func(ctx context.Context, actor access.Actor) ([]enterprise.SizeEditionBody, error) {
			list, err := h.enterprises.SizeEditions(ctx, actor)
			var out []enterprise.SizeEditionBody
			for _, e := range slices.Backward(list) {
				out = append(out, e.Edited())
			}
			return out, err
		},
		check: func(_ *world, m *enterprise.SizeEditionBody) error { return m.Check() },
		set: func(ctx context.Context, actor access.Actor, m enterprise.SizeEditionBody) error {
			_, err := h.enterprises.AddEdition(ctx, actor, m.Edition(), "")
			return err
		},
	}
}

// extraFieldKind has the fields of companies that administrators define; what was filled into them stays with its
// installation.
func (h *house) extraFieldKind() settingKind {
	return kindOf[enterprise.ExtraField]{key: "enterprise_fields", title: "企业扩展字段", tables: []string{"enterprise_extra_fields"},
		id: func(m enterprise.ExtraField) (string, string) { return m.Field.Key, m.Field.Label },
		list: func(ctx context.Context, actor access.Actor) ([]enterprise.ExtraField, error) {
			list, err := h.enterprises.ExtraFields(ctx, actor)
			var out []enterprise.ExtraField
			for _, f := range list {
				out = append(out, f.ExtraField)
			}
			return out, err
		},
		check: func(_ *world, m *enterprise.ExtraField) error { return m.Check() },
		set: func(ctx context.Context, actor access.Actor, m enterprise.ExtraField) error {
			list, err := h.enterprises.ExtraFields(ctx, actor)
			if err != nil {
				return err
			}
			cmd := enterprise.SaveExtraField{ExtraField: m}
			if i := slices.IndexFunc(list, func(f enterprise.ExtraFieldView) bool { return f.Field.Key == m.Field.Key }); i >= 0 {
				cmd.Version = list[i].Version
			}
			_, err = h.enterprises.SaveExtraField(ctx, actor, cmd)
			return err
		},
	}
}

// tagKind has the definitions of tags in force; which companies have them stays with its installation.
func (h *house) tagKind() settingKind {
	return kindOf[enterprise.TagBody]{key: "enterprise_tags", title: "企业标签", tables: []string{"enterprise_tag_editions"},
		id: func(m enterprise.TagBody) (string, string) { return m.Code, m.Name },
		list: func(ctx context.Context, actor access.Actor) ([]enterprise.TagBody, error) {
			list, err := h.enterprises.Tags(ctx, actor)
			var out []enterprise.TagBody
			for _, t := range list {
				out = append(out, t.TagBody)
			}
			return out, err
		},
		check: func(_ *world, m *enterprise.TagBody) error { return h.enterprises.CheckTag(m) },
		set: func(ctx context.Context, actor access.Actor, m enterprise.TagBody) error {
			return h.enterprises.AddTag(ctx, actor, m)
		},
	}
}

type reasonSetting struct {
	List string `json:"list"`
	reason.Reason
}

// reasonKind has the ready reasons with which reviewers send things back.
func (h *house) reasonKind() settingKind {
	return kindOf[reasonSetting]{key: "return_reasons", title: "审核退回原因", tables: []string{"return_reasons"},
		id: func(m reasonSetting) (string, string) { return m.List + " " + m.Code, m.Text },
		list: func(ctx context.Context, actor access.Actor) ([]reasonSetting, error) {
			lists, err := h.reviews.All(ctx, actor)
			var out []reasonSetting
			for _, l := range lists {
				for _, r := range l.Items {
					out = append(out, reasonSetting{l.Key, r.Reason})
				}
			}
			return out, err
		},
		check: func(_ *world, m *reasonSetting) error {
			if !slices.ContainsFunc(h.reviews.Lists, func(l review.List) bool { return l.Key == m.List }) {
				return review.ErrList
			}
			return m.Check()
		},
		set: func(ctx context.Context, actor access.Actor, m reasonSetting) error {
			lists, err := h.reviews.All(ctx, actor)
			if err != nil {
				return err
			}
			cmd := review.SaveReason{List: m.List, Reason: m.Reason}
			for _, l := range lists {
				for _, r := range l.Items {
					if l.Key == m.List && r.Code == m.Code {
						cmd.Version = r.Version
					}
				}
			}
			_, err = h.reviews.SaveReason(ctx, actor, cmd)
			return err
		},
	}
}
