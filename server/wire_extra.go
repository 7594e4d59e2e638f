package server

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/extra"
	"github.com/huiqi/huiqi/platform/access"
)

// openExtra makes the fields that administrators define for products and applications.
func (h *house) openExtra() {
	var kinds []extra.Kind
	for _, k := range slices.Concat(catalog.Kinds(), catalog.FinancingKinds()) {
		kinds = append(kinds, extra.Kind{Code: k.Code, Name: k.Name})
	}
	h.extra = extra.New(h.db, h.clock, kinds, catalog.PermView, application.PermView)
}

// productFields tells the catalogue what administrators ask of products.
type productFields struct{ *extra.Service }

var _ catalog.Fields = productFields{}

// Asked are the fields of products of a kind.
func (f productFields) Asked(ctx context.Context, db bun.IDB, kind, financing string) ([]catalog.Asked, error) {
	list, err := f.Of(ctx, db, extra.Product, named(kind, financing)...)
	out := make([]catalog.Asked, 0, len(list))
	for _, x := range list {
		out = append(out, catalog.Asked{Field: x.Field, Staff: x.Audience == extra.Staff})
	}
	return out, err
}

// named leaves out the empty ones.
func named(kinds ...string) []string {
	return slices.DeleteFunc(kinds, func(k string) bool { return k == "" })
}

// applicationFields tells the applications what administrators ask.
type applicationFields struct{ *extra.Service }

var _ application.Fields = applicationFields{}

// Asked are the fields of applications for products of a kind.
func (f applicationFields) Asked(ctx context.Context, db bun.IDB, kind, financing string) ([]application.Asked, error) {
	return askedOf(f.Of(ctx, db, extra.Application, named(kind, financing)...))
}

// Defined are all fields of applications.
func (f applicationFields) Defined(ctx context.Context, db bun.IDB) ([]application.Asked, error) {
	return askedOf(f.All(ctx, db, extra.Application))
}

func askedOf(list []extra.Field, err error) ([]application.Asked, error) {
	out := make([]application.Asked, 0, len(list))
	for _, x := range list {
		out = append(out, application.Asked{Field: x.Field, Staff: x.Audience == extra.Staff, Retired: x.Retired})
	}
	return out, err
}

// extraSettingKind has the definitions of an installation; what was filled into them stays with it.
func (h *house) extraSettingKind() settingKind {
	return kindOf[extra.Field]{key: "extra_fields", title: "产品和申请扩展字段", tables: []string{"extra_fields"},
		id: func(m extra.Field) (string, string) { return string(m.Subject) + "." + m.Field.Key, m.Field.Label },
		list: func(ctx context.Context, actor access.Actor) ([]extra.Field, error) {
			list, err := h.extra.List(ctx, actor)
			var out []extra.Field
			for _, f := range list {
				out = append(out, f.Field)
			}
			return out, err
		},
		check: func(_ *world, m *extra.Field) error { return h.extra.Check(m) },
		set: func(ctx context.Context, actor access.Actor, m extra.Field) error {
			list, err := h.extra.List(ctx, actor)
			if err != nil {
				return err
			}
			cmd := extra.Save{Field: m}
			if i := slices.IndexFunc(list, func(f extra.View) bool { return f.Subject == m.Subject && f.Field.Field.Key == m.Field.Key }); i >= 0 {
				cmd.Version = list[i].Version
			}
			_, err = h.extra.Save(ctx, actor, cmd)
			return err
		},
	}
}
