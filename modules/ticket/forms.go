package ticket

import "github.com/huiqi/huiqi/platform/form"

// FormField is one field of the form that a type of requests has beside title and text.
type FormField = form.OwnField

// The kinds of own form fields.
const (
	TextField    = form.Text
	NumberField  = form.Number
	DateField    = form.Date
	ChoiceField  = form.Choice
	ChoicesField = form.Choices
	PhoneField   = form.Phone
	YesNoField   = form.YesNo
)

// CheckForm returns what is wrong with the fields of a form, as SetForm would.
func CheckForm(fields []FormField) error {
	_, err := form.Check(fields)
	return err
}
