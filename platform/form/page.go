package form

import (
	"slices"

	"github.com/huiqi/huiqi/platform/web/page"
)

// Input is the field on a page of the portal, with what was typed into it and what is wrong with that. Its name is
// "fields." and the key; its type is the kind of template that shows it: select, radio, checkbox, textarea, or that of an
// input of one line.
func (f *OwnField) Input(typed []string, wrong string) page.Field {
	out := page.Field{Name: "fields." + f.Key, Label: f.Label, Hint: f.Help, Error: wrong, Required: f.Required, MaxLength: f.MaxLength, Unit: f.Unit, Rows: 3}
	if len(typed) > 0 {
		out.Value = typed[0]
	}
	switch f.Kind {
	case Text:
		if f.MaxLength == 0 {
			out.Type = "textarea"
		}
	case Date:
		out.Type = "date"
	case Number:
		out.InputMode = "decimal"
	case Phone:
		out.Type, out.InputMode = "tel", "tel"
	case YesNo:
		out.Type = "radio"
		for _, o := range []page.Option{{Value: "yes", Text: "是"}, {Value: "no", Text: "否"}} {
			o.Chosen = o.Value == out.Value
			out.Options = append(out.Options, o)
		}
	case Choice:
		if out.Type = "radio"; len(f.Options) > 8 {
			out.Type = "select"
		}
	case Choices:
		out.Type = "checkbox"
	}
	for _, o := range f.Options {
		out.Options = append(out.Options, page.Option{Value: o, Text: o, Chosen: slices.Contains(typed, o)})
	}
	return out
}
