package ticket

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Check returns a fault when the type is not complete.
func (t Type) Check() error {
	if t.Code == "" || t.Name == "" || utf8.RuneCountInString(t.Name) > 100 || t.Hours <= 0 || t.Hours > 24*366 || !t.Urgency.Known() {
		return fault.New(fault.Invalid, "TICKET_TYPE", fmt.Sprintf("诉求类型“%s %s”的编码、名称、时限或紧急程度不完整", t.Code, t.Name))
	}
	return nil
}

func (r typeRow) view() Type {
	return Type{Code: r.Code, Name: r.Name, Category: r.Category, Urgency: r.Urgency, Hours: r.Hours, Sort: r.Sort, Review: r.Review,
		CategoryCode: r.CategoryCode, Retired: r.Retired, Version: r.Version, Initials: text.Initials(r.Name)}
}

func rowsOf(types []Type) ([]typeRow, error) {
	rows := make([]typeRow, 0, len(types))
	for _, t := range types {
		if err := t.Check(); err != nil {
			return nil, err
		}
		rows = append(rows, typeRow{Code: t.Code, Name: t.Name, Category: t.Category, CategoryCode: t.CategoryCode, Urgency: t.Urgency, Hours: t.Hours, Sort: t.Sort, Version: 1})
	}
	return rows, nil
}

// EnsureTypes adds the types that are missing and brings the others to what is given, except those that the installation
// set itself. Their forms are brought to what is given as well, as new versions, except those that the installation made.
// Only the system may.
func (s *Service) EnsureTypes(ctx context.Context, actor access.Actor, types []Type) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	rows, err := rowsOf(types)
	if err != nil || len(rows) == 0 {
		return err
	}
	defer s.typesChanged()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&rows).On("CONFLICT (code) DO UPDATE").
			Set("name = EXCLUDED.name, category = EXCLUDED.category, category_code = EXCLUDED.category_code, urgency = EXCLUDED.urgency, hours = EXCLUDED.hours, sort = EXCLUDED.sort").
			Where("y.set_at IS NULL").Exec(ctx)
		if err != nil {
			return err
		}
		for _, t := range types {
			if err := s.ensureForm(ctx, tx, t); err != nil {
				return err
			}
		}
		if err := keepPlaces(ctx, tx, s.clock.Now()); err != nil {
			return err
		}
		return setHours(ctx, tx, s.clock.Now(), types, false)
	})
}

// SetTypes adds or replaces types as the installation wants them; EnsureTypes leaves them alone from then on. Tickets keep
// the deadline they were opened with, types their form. Only the system may.
func (s *Service) SetTypes(ctx context.Context, actor access.Actor, types []Type) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	rows, err := rowsOf(types)
	if err != nil || len(rows) == 0 {
		return err
	}
	now := s.clock.Now()
	for i := range rows {
		rows[i].SetAt = &now
	}
	defer s.typesChanged()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		before, err := typeRows(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&rows).On("CONFLICT (code) DO UPDATE").
			Set("name = EXCLUDED.name, category = EXCLUDED.category, urgency = EXCLUDED.urgency, hours = EXCLUDED.hours, sort = EXCLUDED.sort, category_code = EXCLUDED.category_code, set_at = EXCLUDED.set_at, version = y.version + 1").
			Exec(ctx)
		if err != nil {
			return err
		}
		if err := keepPlaces(ctx, tx, now); err != nil {
			return err
		}
		if err := setHours(ctx, tx, now, otherHours(before, types), true); err != nil {
			return err
		}
		for _, t := range types {
			err := audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.type", Object: "ticket_type", Summary: "设置诉求类型 " + t.Code + " " + t.Name, Detail: t})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// otherHours are the types that are new or have other hours than before. The hours of the others may have become a budget that
// somebody set since.
func otherHours(before []typeRow, types []Type) []Type {
	var list []Type
	for _, t := range types {
		if !slices.ContainsFunc(before, func(r typeRow) bool { return r.Code == t.Code && r.Hours == t.Hours }) {
			list = append(list, t)
		}
	}
	return list
}
