package catalog

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
)

// Asked is a field that administrators ask of products beside what the program knows.
type Asked struct {
	Field form.OwnField
	// Staff says that companies do not see it.
	Staff bool
}

// Fields tells what administrators ask.
type Fields interface {
	// Asked are the fields of products of a kind and a kind of financing, in their order; of all products when both are empty.
	Asked(ctx context.Context, db bun.IDB, kind, financing string) ([]Asked, error)
}

// Answer is what an institution filled into a field, with the field as it was then: the definition may change or be retired.
type Answer struct {
	Key    string   `json:"key" maxLength:"31"`
	Values []string `json:"values" nullable:"false" maxItems:"40" doc:"As typed: one, or of a field with several choices any number."`
	Label  string   `json:"label,omitempty" doc:"Of the field when it was filled in; the program says it."`
	Text   string   `json:"text,omitempty" doc:"In words; the program says it."`
	Staff  bool     `json:"staff,omitempty" doc:"Companies do not see it; the program says it."`
}

// answers are kept as JSON text on both databases.
type answers []Answer

// Value writes them.
func (a answers) Value() (driver.Value, error) {
	b, err := a.MarshalJSON()
	return string(b), err
}

// MarshalJSON writes no answers as an empty list.
func (a answers) MarshalJSON() ([]byte, error) { return json.Marshal(append([]Answer{}, a...)) }

// Scan reads them.
func (a *answers) Scan(src any) error { return scanJSON(src, (*[]Answer)(a)) }

// typed are the answers by their keys, as form reads them.
func (a answers) typed() map[string][]string {
	out := make(map[string][]string, len(a))
	for _, x := range a {
		out[x.Key] = x.Values
	}
	return out
}

// public are the answers that companies see.
func (a answers) public() []Answer {
	return slices.DeleteFunc(slices.Clone(a), func(x Answer) bool { return x.Staff })
}

// asked reads what is asked of a product of the kind.
func (s *Service) asked(ctx context.Context, db bun.IDB, kind, financing string) ([]Asked, error) {
	if s.Fields == nil {
		return nil, nil
	}
	list, err := s.Fields.Asked(ctx, db, kind, financing)
	if err != nil {
		return nil, fmt.Errorf("fields of products: %w", err)
	}
	return list, nil
}

// cleaned checks typed content together with what administrators ask of its kind. As of the rest a draft may have gaps.
func (s *Service) cleaned(ctx context.Context, actor access.Actor, c Content) (Content, error) {
	out, err := c.clean()
	list, fail := s.asked(ctx, s.DB.Read(), c.Kind, c.FinancingKind)
	if fail != nil {
		return Content{}, fail
	}
	fields := fieldsOfAsked(list)
	values, wrong := form.Fill(fields, c.Extra.typed(), false)
	if err := fault.Merge(err, wrong, s.checkSuits(c.Suits), s.named(ctx, actor, &out)); err != nil {
		return Content{}, err
	}
	out.Extra = answers{}
	for _, x := range list {
		if v := values[x.Field.Key]; v != "" {
			out.Extra = append(out.Extra, Answer{Key: x.Field.Key, Values: form.Typed(v), Label: x.Field.Label, Text: x.Field.Show(v), Staff: x.Staff})
		}
	}
	return out, nil
}

func fieldsOfAsked(list []Asked) []form.OwnField {
	out := make([]form.OwnField, 0, len(list))
	for _, x := range list {
		out = append(out, x.Field)
	}
	return out
}

// gaps says which of the required fields are not filled in.
func (c Content) gaps(list []Asked) error {
	_, err := form.Fill(fieldsOfAsked(slices.DeleteFunc(slices.Clone(list), func(x Asked) bool { return !x.Field.Required })), onlyOf(c.Extra.typed(), list), true)
	return err
}

// onlyOf leaves out what nobody requires.
func onlyOf(typed map[string][]string, list []Asked) map[string][]string {
	out := map[string][]string{}
	for _, x := range list {
		if x.Field.Required {
			out[x.Field.Key] = typed[x.Field.Key]
		}
	}
	return out
}

// valueRow is an answer of the newest edition of a product, by which lists are narrowed.
type valueRow struct {
	bun.BaseModel `bun:"table:product_extra_values,alias:xv"`

	ProductID int64  `bun:"product_id,pk"`
	Field     string `bun:"field,pk"`
	Value     string `bun:"value,notnull"`
	Number    *int64 `bun:"number"` // of a number: see form.OwnField.Scaled
}

// keepValues brings the answers by which lists are narrowed to those of the newest edition.
func (s *Service) keepValues(ctx context.Context, tx bun.Tx, d *dossier) error {
	if _, err := tx.NewDelete().Model((*valueRow)(nil)).Where("product_id = ?", d.ID).Exec(ctx); err != nil {
		return fmt.Errorf("values of product %d: %w", d.ID, err)
	}
	if len(d.newest.Extra) == 0 {
		return nil
	}
	list, err := s.asked(ctx, tx, d.newest.Kind, d.newest.FinancingKind)
	if err != nil {
		return err
	}
	fields := map[string]form.OwnField{}
	for _, x := range list {
		fields[x.Field.Key] = x.Field
	}
	var rows []valueRow
	for _, a := range d.newest.Extra {
		r := valueRow{ProductID: d.ID, Field: a.Key, Value: strings.Join(a.Values, "\n")}
		if f, ok := fields[a.Key]; ok {
			r.Number = f.Scaled(r.Value)
		}
		rows = append(rows, r)
	}
	_, err = tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}

// conditions reads by which fields a list is narrowed.
func (s *Service) conditions(ctx context.Context, db bun.IDB, lines string) ([]form.Filter, error) {
	if strings.TrimSpace(lines) == "" {
		return nil, nil
	}
	list, err := s.asked(ctx, db, "", "")
	if err != nil {
		return nil, err
	}
	return form.ReadFilters(fieldsOfAsked(list), lines)
}

// narrowBy keeps the products whose newest edition answers as asked.
func narrowBy(q *bun.SelectQuery, conditions []form.Filter) *bun.SelectQuery {
	for _, x := range conditions {
		where, args := x.Where("xv.value", "xv.number")
		q = q.Where("p.id IN (?)", q.NewSelect().Model((*valueRow)(nil)).Column("product_id").Where("xv.field = ?", x.Field.Key).Where(where, args...))
	}
	return q
}

// askedOf is what is asked of a product as it stands; nothing when the actor does not see it, which the command then says.
func (s *Service) askedOf(ctx context.Context, actor access.Actor, id int64) ([]Asked, error) {
	db := s.DB.Read()
	d, err := find(ctx, db, visible(actor, s.Clock.Now()), id)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return s.asked(ctx, db, d.newest.Kind, d.newest.FinancingKind)
}
