package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Asked is a field that administrators ask of applications beside what the program knows.
type Asked struct {
	Field form.OwnField
	// Staff says that the institution fills it in and the company does not see it.
	Staff bool
	// Retired says that it is no longer asked for.
	Retired bool
}

// Fields tells what administrators ask.
type Fields interface {
	// Asked are the fields in use for products of a kind and a kind of financing, in their order.
	Asked(ctx context.Context, db bun.IDB, kind, financing string) ([]Asked, error)
	// Defined are all fields, the retired ones among them.
	Defined(ctx context.Context, db bun.IDB) ([]Asked, error)
}

// answerRow is what was filled into a field of an application, with the field as it was then.
type answerRow struct {
	bun.BaseModel `bun:"table:application_answers,alias:aa"`

	ApplicationID int64     `bun:"application_id,pk"`
	Field         string    `bun:"field,pk"`
	Sort          int       `bun:"sort,notnull"`       // the place of the field among the others
	Definition    string    `bun:"definition,notnull"` // JSON of form.OwnField
	Staff         bool      `bun:"staff,notnull"`
	Value         string    `bun:"value,notnull"`
	Number        *int64    `bun:"number"` // of a number: see form.OwnField.Scaled
	ByName        string    `bun:"by_name,notnull"`
	At            time.Time `bun:"at,notnull"`
}

func (r *answerRow) field() (form.OwnField, error) {
	var f form.OwnField
	if err := json.Unmarshal([]byte(r.Definition), &f); err != nil {
		return f, fmt.Errorf("field %s of application %d: %w", r.Field, r.ApplicationID, err)
	}
	return f, nil
}

// ExtraItem is a field with what was filled in, in the words it had then.
type ExtraItem struct {
	Key    string   `json:"key"`
	Label  string   `json:"label"`
	Values []string `json:"values" doc:"As typed."`
	Text   string   `json:"text" doc:"In words."`
	Staff  bool     `json:"staff,omitempty" doc:"Filled in by the institution, not shown to the company."`
	ByName string   `json:"byName,omitempty" doc:"Who filled it in, of those the company does not see."`
}

// Extra is what the handling institution fills in beside the company's application.
type Extra struct {
	Version int64           `json:"version" doc:"What a change must carry; another one is a conflict."`
	Fields  []form.OwnField `json:"fields"`
}

// asked reads what is asked for a product of the kind: of the company, or of the institution.
func (s *Service) asked(ctx context.Context, db bun.IDB, kind, financing string, staff bool) ([]Asked, error) {
	if s.Fields == nil || kind == "" {
		return nil, nil
	}
	list, err := s.Fields.Asked(ctx, db, kind, financing)
	if err != nil {
		return nil, fmt.Errorf("fields of applications: %w", err)
	}
	return slices.DeleteFunc(list, func(x Asked) bool { return x.Staff != staff }), nil
}

func ownFields(list []Asked) []form.OwnField {
	out := make([]form.OwnField, 0, len(list))
	for _, x := range list {
		out = append(out, x.Field)
	}
	return out
}

// answered reads what was typed into the fields that are asked now, and makes rows of it. What is not asked any more, as a field
// that was retired after a draft was written, is left out. all demands what is required.
func answered(list []Asked, typed map[string][]string, all bool) ([]answerRow, error) {
	fields := ownFields(list)
	kept := map[string][]string{}
	for _, f := range fields {
		kept[f.Key] = typed[f.Key]
	}
	values, err := form.Fill(fields, kept, all)
	if err != nil {
		return nil, err
	}
	rows := []answerRow{}
	for i, x := range list {
		v := values[x.Field.Key]
		if v == "" {
			continue
		}
		definition, err := json.Marshal(x.Field)
		if err != nil {
			return nil, err
		}
		rows = append(rows, answerRow{Field: x.Field.Key, Sort: i, Definition: string(definition), Staff: x.Staff, Value: v, Number: x.Field.Scaled(v)})
	}
	return rows, nil
}

// claimAnswers lets one of those who change the answers of an application at the version they saw go on; the others get stale.
func claimAnswers(ctx context.Context, tx bun.Tx, id, version int64, stale *fault.Fault) error {
	err := database.Changed(database.Run(ctx, tx, "UPDATE applications SET extra_version = extra_version + 1 WHERE id = ? AND extra_version = ?", id, version))
	if errors.Is(err, fault.ErrChanged) {
		return stale.Wrap(err)
	}
	return err
}

// keepAnswers writes what the company filled in.
func keepAnswers(ctx context.Context, tx bun.Tx, a *Application, by string, now time.Time) error {
	if len(a.answers) == 0 {
		return nil
	}
	for i := range a.answers {
		a.answers[i].ApplicationID, a.answers[i].ByName, a.answers[i].At = a.ID, by, now
	}
	if _, err := tx.NewInsert().Model(&a.answers).Exec(ctx); err != nil {
		return fmt.Errorf("answers of application %d: %w", a.ID, err)
	}
	return nil
}

// answersOf reads what was filled in, by application: first what the company said, each in the order of the form.
func answersOf(ctx context.Context, db bun.IDB, ids ...int64) (map[int64][]answerRow, error) {
	out := map[int64][]answerRow{}
	for part := range slices.Chunk(ids, 500) {
		var rows []answerRow
		if err := db.NewSelect().Model(&rows).Where("aa.application_id IN (?)", bun.List(part)).OrderExpr("aa.staff, aa.sort, aa.field").Scan(ctx); err != nil {
			return nil, fmt.Errorf("answers of applications: %w", err)
		}
		for _, r := range rows {
			out[r.ApplicationID] = append(out[r.ApplicationID], r)
		}
	}
	return out, nil
}

// said is what an application is found by of its answers: what the company filled in.
func said(rows []answerRow) string {
	var words []string
	for _, r := range rows {
		if f, err := r.field(); err == nil && !r.Staff {
			words = append(words, f.Label+"："+f.Show(r.Value))
		}
	}
	masked, _ := text.MaskNumbers(strings.Join(words, "\n"))
	return masked
}

// addExtra puts the answers into a view, and what the actor may fill in.
func (s *Service) addExtra(ctx context.Context, db bun.IDB, actor access.Actor, a *Application, v *View) error {
	v.Extra = []ExtraItem{}
	rows, err := answersOf(ctx, db, a.ID)
	if err != nil {
		return err
	}
	for _, r := range rows[a.ID] {
		if r.Staff && actor.Party == access.Enterprise {
			continue
		}
		f, err := r.field()
		if err != nil {
			return err
		}
		item := ExtraItem{Key: r.Field, Label: f.Label, Values: form.Typed(r.Value), Text: f.Show(r.Value), Staff: r.Staff}
		if r.Staff {
			item.ByName = r.ByName
		}
		v.Extra = append(v.Extra, item)
	}
	if err := s.addMend(ctx, db, actor, a, rows[a.ID], v); err != nil {
		return err
	}
	if !handles(actor, a) || a.ClosedAt != nil {
		return nil
	}
	list, err := s.asked(ctx, db, a.Kind, a.FinancingKind, true)
	if err != nil || len(list) == 0 {
		return err
	}
	v.Fill = &Extra{Fields: ownFields(list)}
	return database.QueryOne(ctx, db, []any{&v.Fill.Version}, "SELECT extra_version FROM applications WHERE id = ?", a.ID)
}

// FillExtra asks to fill in what the institution fills in beside an application. All fields are sent; one without words is emptied.
type FillExtra struct {
	Key     string              `json:"-"`
	ID      int64               `json:"id"`
	Version int64               `json:"version"` // of Extra
	Values  map[string][]string `json:"values"`
}

// ExtraFilled is announced when the institution filled in its fields. It names them and holds no values.
type ExtraFilled struct {
	Head
	Fields []string `json:"fields"`
}

// Event names the fact.
func (f ExtraFilled) Event() (string, string, int64) { return "application.extra_filled", Object, f.ID }

// ErrExtraStale: a colleague filled the fields in meanwhile.
var ErrExtraStale = fault.New(fault.Conflict, "CHANGED", "扩展信息刚被同事修改，请刷新后核对再保存")

// FillExtra fills in the fields of the handling institution while the application is open. It needs application.handle; what is
// wrong with a value is told at "fields." and the field's key. The course of the application and its undoing stay as they are.
func (s *Service) FillExtra(ctx context.Context, actor access.Actor, cmd FillExtra) (View, error) {
	if err := actor.Need(PermHandle); err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "application.extra", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			a, err := hold(ctx, tx, visible(actor), cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if !handles(actor, a) {
				return outcome{}, ErrForbidden
			}
			if a.ClosedAt != nil {
				return outcome{}, ErrState.With("申请当前为“%s”，不能再登记扩展信息", a.Status.Label())
			}
			list, err := s.asked(ctx, tx, a.Kind, a.FinancingKind, true)
			if err != nil {
				return outcome{}, err
			}
			rows, err := answered(list, cmd.Values, true)
			if err != nil {
				return outcome{}, err
			}
			if err := claimAnswers(ctx, tx, a.ID, cmd.Version, ErrExtraStale); err != nil {
				return outcome{}, err
			}
			changed, err := replaceAnswers(ctx, tx, a, list, rows, actor.Name, now)
			if err != nil || len(changed) == 0 {
				return outcome{ID: a.ID}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, ExtraFilled{a.head(), changed}); err != nil {
				return outcome{}, err
			}
			return outcome{ID: a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "application.extra", Object: Object, ObjectID: a.ID,
				Summary: "登记扩展信息 " + a.Number, Detail: map[string]any{"fields": changed}})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("extra fields of application %d: %w", cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

// replaceAnswers puts what the institution filled in in the place of what was there, and returns the labels of what changed. An
// answer to a field that is no longer asked stays.
func replaceAnswers(ctx context.Context, tx bun.Tx, a *Application, list []Asked, rows []answerRow, by string, now time.Time) ([]string, error) {
	before, err := answersOf(ctx, tx, a.ID)
	if err != nil {
		return nil, err
	}
	var changed, gone []string
	var add []answerRow
	for _, x := range list {
		key := x.Field.Key
		was := slices.IndexFunc(before[a.ID], func(r answerRow) bool { return r.Field == key })
		is := slices.IndexFunc(rows, func(r answerRow) bool { return r.Field == key })
		if was >= 0 && is >= 0 && before[a.ID][was].Value == rows[is].Value || was < 0 && is < 0 {
			continue
		}
		changed = append(changed, x.Field.Label)
		if was >= 0 {
			gone = append(gone, key)
		}
		if is >= 0 {
			r := rows[is]
			r.ApplicationID, r.ByName, r.At = a.ID, by, now
			add = append(add, r)
		}
	}
	if len(gone) > 0 {
		if _, err := tx.NewDelete().Model((*answerRow)(nil)).Where("application_id = ? AND field IN (?)", a.ID, bun.List(gone)).Exec(ctx); err != nil {
			return nil, err
		}
	}
	if len(add) > 0 {
		if _, err := tx.NewInsert().Model(&add).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// conditions reads by which fields a list is narrowed; a company knows its own only.
func (s *Service) conditions(ctx context.Context, db bun.IDB, actor access.Actor, lines string) ([]form.Filter, error) {
	if strings.TrimSpace(lines) == "" || s.Fields == nil {
		return nil, nil
	}
	list, err := s.Fields.Defined(ctx, db)
	if err != nil {
		return nil, err
	}
	return form.ReadFilters(ownFields(slices.DeleteFunc(list, func(x Asked) bool { return x.Staff && actor.Party == access.Enterprise })), lines)
}

// narrowBy keeps the applications whose answers are as asked.
func narrowBy(q *bun.SelectQuery, conditions []form.Filter) *bun.SelectQuery {
	for _, x := range conditions {
		where, args := x.Where("aa.value", "aa.number")
		q = q.Where("a.id IN (?)", q.NewSelect().Model((*answerRow)(nil)).Column("application_id").Where("aa.field = ?", x.Field.Key).Where(where, args...))
	}
	return q
}

// checkTyped bounds what a draft may hold in these fields.
func checkTyped(fields map[string][]string) error {
	if len(fields) > 80 {
		return fault.InvalidField("fields", "TOO_MANY", "填写的项目过多，请刷新页面后重新填写")
	}
	for key, words := range fields {
		n := 0
		for _, w := range words {
			if !utf8.ValidString(w) {
				return text.ErrBad.On("fields." + key)
			}
			n += utf8.RuneCountInString(w)
		}
		if n > maxTyped || len(key) > 31 || len(words) > 40 {
			return text.ErrLong.With("草稿每项最多保存 %d 个字，现有 %d 个字，请删减", maxTyped, n).On("fields." + key)
		}
	}
	return nil
}
