package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// formRow is one version of the form of a type. It is never changed: a ticket shows the fields it was filed with.
type formRow struct {
	bun.BaseModel `bun:"table:ticket_forms,alias:f"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Type    string    `bun:"type_code,notnull"`
	Version int64     `bun:"version,notnull"`
	Fields  string    `bun:"fields,notnull,type:text"` // JSON
	At      time.Time `bun:"at,notnull"`
	ByID    int64     `bun:"by_id,nullzero"` // nobody for one that came with the program
	ByName  string    `bun:"by_name,notnull"`
}

func (r formRow) fields() ([]FormField, error) {
	var list []FormField
	if err := json.Unmarshal([]byte(r.Fields), &list); err != nil {
		return nil, fmt.Errorf("form %d: %w", r.ID, err)
	}
	return list, nil
}

// valueRow is what was filled into one field of a ticket. Of a personal field only the sealed text is kept.
type valueRow struct {
	bun.BaseModel `bun:"table:ticket_fields,alias:fv"`

	TicketID int64  `bun:"ticket_id,pk"`
	Key      string `bun:"key,pk"`
	FormID   int64  `bun:"form_id,notnull"`
	Value    string `bun:"value,notnull,type:text"`
	Sealed   string `bun:"sealed,notnull,type:text"`
}

// fieldPlace binds a sealed value to its ticket and field.
func fieldPlace(id int64, key string) string { return fmt.Sprintf("ticket.field:%d:%s", id, key) }

// FieldView is a filled field of a ticket.
type FieldView struct {
	Key      string `json:"key"`
	Label    string `json:"label"`
	Kind     string `json:"kind" enum:"text,number,date,choice,choices,phone,yesno"`
	Value    string `json:"value" doc:"In words. A personal one is masked to everybody but the desk."`
	Personal bool   `json:"personal,omitempty"`
}

// formOf reads the form of a type as it is now; a type without own fields has the zero row.
func formOf(ctx context.Context, db bun.IDB, code string) (formRow, []FormField, error) {
	var rows []formRow
	err := database.QueryAll(ctx, db, &rows, "SELECT id, type_code, version, fields, at, by_id, by_name FROM ticket_forms WHERE type_code = ? ORDER BY version DESC LIMIT 1", code)
	if err != nil || len(rows) == 0 {
		return formRow{}, nil, err
	}
	list, err := rows[0].fields()
	return rows[0], list, err
}

// formsNow reads the forms of all types as they are now.
func formsNow(ctx context.Context, db bun.IDB) (map[string]formRow, error) {
	var rows []formRow
	err := db.NewSelect().Model(&rows).Where("f.version = (SELECT max(g.version) FROM ticket_forms AS g WHERE g.type_code = f.type_code)").Scan(ctx)
	out := make(map[string]formRow, len(rows))
	for _, r := range rows {
		out[r.Type] = r
	}
	return out, err
}

// openWords are the values of a form that are not personal, to be read by a machine.
func openWords(fields []FormField, values map[string]string) string {
	var words []string
	for i := range fields {
		if f := &fields[i]; !f.Personal && values[f.Key] != "" {
			words = append(words, f.Show(values[f.Key]))
		}
	}
	return strings.Join(words, "\n")
}

// keepFields keeps the values of a new ticket and returns what of them is searched.
func (s *Service) keepFields(ctx context.Context, tx bun.Tx, id int64, form formRow, fields []FormField, values map[string]string) (string, error) {
	var rows []valueRow
	var words []string
	for i := range fields {
		f := &fields[i]
		value := values[f.Key]
		if value == "" {
			continue
		}
		row := valueRow{TicketID: id, Key: f.Key, FormID: form.ID, Value: value}
		if f.Personal {
			row.Value, row.Sealed = "", s.box.Seal([]byte(value), fieldPlace(id, f.Key))
		} else {
			words = append(words, f.Label+" "+f.Show(value))
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return "", nil
	}
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return strings.Join(words, "\n"), err
}

// filledOf reads the filled fields of some tickets with the forms they were filed with, in the order of the form.
func filledOf(ctx context.Context, db bun.IDB, ids []int64) (map[int64][]filledField, error) {
	out := map[int64][]filledField{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []valueRow
	if err := db.NewSelect().Model(&rows).Where("fv.ticket_id IN (?)", bun.List(ids)).Scan(ctx); err != nil || len(rows) == 0 {
		return out, err
	}
	var wanted []int64
	for _, r := range rows {
		if !slices.Contains(wanted, r.FormID) {
			wanted = append(wanted, r.FormID)
		}
	}
	var forms []formRow
	if err := db.NewSelect().Model(&forms).Where("f.id IN (?)", bun.List(wanted)).Scan(ctx); err != nil {
		return nil, err
	}
	for _, form := range forms {
		fields, err := form.fields()
		if err != nil {
			return nil, err
		}
		for i := range fields {
			for _, r := range rows {
				if r.FormID == form.ID && r.Key == fields[i].Key {
					out[r.TicketID] = append(out[r.TicketID], filledField{fields[i], r})
				}
			}
		}
	}
	return out, nil
}

// filledField is a value with its field.
type filledField struct {
	FormField

	row valueRow
}

// fieldViews are the filled fields as the actor may see them.
func (s *Service) fieldViews(ctx context.Context, db bun.IDB, actor access.Actor, id int64) ([]FieldView, error) {
	filled, err := filledOf(ctx, db, []int64{id})
	if err != nil {
		return nil, err
	}
	out := []FieldView{}
	for _, f := range filled[id] {
		value := f.row.Value
		if f.row.Sealed != "" {
			plain, err := s.box.Open(f.row.Sealed, fieldPlace(id, f.Key))
			if err != nil {
				return nil, err
			}
			value = string(plain)
		}
		shown := f.Show(value)
		// A number is nobody's to read in passing: the desk too says why (RevealField).
		if f.Personal && (!isDesk(actor) || f.Kind == PhoneField) {
			shown = maskValue(f.Kind, shown)
		}
		out = append(out, FieldView{Key: f.Key, Label: f.Label, Kind: f.Kind, Value: shown, Personal: f.Personal})
	}
	return out, nil
}

// maskValue hides most of a personal value.
func maskValue(kind, value string) string {
	switch {
	case kind == PhoneField:
		return mask(value)
	case len([]rune(value)) >= 15:
		return text.MaskID(value)
	}
	return text.MaskName(value)
}

// searched is what of the filled fields of some tickets their full text holds: nothing personal.
func searched(ctx context.Context, db bun.IDB, ids []int64) (map[int64]string, error) {
	filled, err := filledOf(ctx, db, ids)
	out := map[int64]string{}
	for id, list := range filled {
		out[id] = publicWords(list, " ", "\n")
	}
	return out, err
}

// publicWords are the fields that are not personal, in words.
func publicWords(list []filledField, between, after string) string {
	var words []string
	for _, f := range list {
		if !f.Personal {
			words = append(words, f.Label+between+f.Show(f.row.Value))
		}
	}
	return strings.Join(words, after)
}

// typedLine reads "名称：值；名称：值", the way an export writes the fields, against a form. Options of choices stand apart by 、.
func typedLine(fields []FormField, line string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, part := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune("；;\n", r) }) {
		label, value, ok := strings.Cut(strings.Replace(part, ":", "：", 1), "：")
		if strings.TrimSpace(part) == "" {
			continue
		}
		i := slices.IndexFunc(fields, func(f FormField) bool { return f.Label == strings.TrimSpace(label) })
		if !ok || i < 0 {
			return nil, fault.InvalidField("fields", "FORM_LINE", "表单信息“"+strings.TrimSpace(label)+"”不是该类型的字段，请写为“字段名称：内容”，多项用分号隔开")
		}
		out[fields[i].Key] = []string{value}
		if fields[i].Kind == ChoicesField {
			out[fields[i].Key] = strings.Split(value, "、")
		}
	}
	return out, nil
}
