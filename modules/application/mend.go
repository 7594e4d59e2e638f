package application

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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

// Mend is what the company may fill in, or put right, of the fields that administrators ask of it: with the supplement while one
// is asked for, and on its own while something that is required was never answered, as in an application that a demand's choice
// made.
type Mend struct {
	Version int64               `json:"version" doc:"What filling in must carry; another one is a conflict. A supplement carries the version of the application."`
	Fields  []form.OwnField     `json:"fields"`
	Values  map[string][]string `json:"values" doc:"As they are, by the keys of the fields."`
	Alone   bool                `json:"alone" doc:"To be filled in on its own, not with a supplement."`
}

// Mended is one answer that the company changed, in words.
type Mended struct {
	Label  string `json:"label"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

func mendedText(list []Mended) string {
	lines := make([]string, 0, len(list))
	for _, m := range list {
		switch {
		case m.Before == "":
			lines = append(lines, m.Label+"："+m.After)
		case m.After == "":
			lines = append(lines, m.Label+"：“"+m.Before+"”已删去")
		default:
			lines = append(lines, m.Label+"：由“"+m.Before+"”改为“"+m.After+"”")
		}
	}
	return strings.Join(lines, "\n")
}

// lacking are the labels of what is required and has no answer.
func lacking(list []Asked, rows []answerRow) []string {
	var out []string
	for _, x := range list {
		if x.Field.Required && !slices.ContainsFunc(rows, func(r answerRow) bool { return r.Field == x.Field.Key }) {
			out = append(out, x.Field.Label)
		}
	}
	return out
}

// addMend says what the company may fill in, and to the institution what it did not.
func (s *Service) addMend(ctx context.Context, db bun.IDB, actor access.Actor, a *Application, rows []answerRow, v *View) error {
	v.Unanswered = []string{}
	if a.ClosedAt != nil {
		return nil
	}
	list, err := s.asked(ctx, db, a.Kind, a.FinancingKind, false)
	if err != nil || len(list) == 0 {
		return err
	}
	v.Unanswered = append(v.Unanswered, lacking(list, rows)...)
	if !may(actor, a, ToSupplement) || a.Status != Lacking && len(v.Unanswered) == 0 {
		return nil
	}
	m := &Mend{Fields: ownFields(list), Values: map[string][]string{}, Alone: a.Status != Lacking}
	for _, r := range rows {
		if !r.Staff && slices.ContainsFunc(list, func(x Asked) bool { return x.Field.Key == r.Field }) {
			m.Values[r.Field] = form.Typed(r.Value)
		}
	}
	v.Mend = m
	return database.QueryOne(ctx, db, []any{&m.Version}, "SELECT extra_version FROM applications WHERE id = ?", a.ID)
}

// mend puts what the company typed in the place of its answers; nil leaves them. All that is required must have an answer.
func (s *Service) mend(ctx context.Context, tx bun.Tx, a *Application, typed map[string][]string, by string, now time.Time) ([]Mended, error) {
	list, err := s.asked(ctx, tx, a.Kind, a.FinancingKind, false)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	before, err := answersOf(ctx, tx, a.ID)
	if err != nil {
		return nil, err
	}
	if typed == nil {
		typed = map[string][]string{}
		for _, r := range before[a.ID] {
			if !r.Staff {
				typed[r.Field] = form.Typed(r.Value)
			}
		}
	}
	rows, err := answered(list, typed, true)
	if err != nil {
		return nil, err
	}
	changed, err := replaceAnswers(ctx, tx, a, list, rows, by, now)
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	if err := database.Exec(ctx, tx, fmt.Sprintf("UPDATE applications SET extra_version = extra_version + 1 WHERE id = %d", a.ID)); err != nil {
		return nil, err
	}
	after, err := answersOf(ctx, tx, a.ID)
	if err != nil {
		return nil, err
	}
	a.answers = after[a.ID]
	return differences(list, before[a.ID], after[a.ID])
}

// differences tells what became of each field, in words that hold no telephone or identity number.
func differences(list []Asked, before, after []answerRow) ([]Mended, error) {
	word := func(rows []answerRow, key string) (string, error) {
		i := slices.IndexFunc(rows, func(r answerRow) bool { return r.Field == key })
		if i < 0 {
			return "", nil
		}
		f, err := rows[i].field()
		if err != nil {
			return "", err
		}
		m, _ := text.MaskNumbers(text.Truncate(f.Show(rows[i].Value), 200))
		return m, nil
	}
	var out []Mended
	for _, x := range list {
		b, err := word(before, x.Field.Key)
		if err != nil {
			return nil, err
		}
		is, err := word(after, x.Field.Key)
		if err != nil {
			return nil, err
		}
		if b != is {
			out = append(out, Mended{x.Field.Label, b, is})
		}
	}
	return out, nil
}

// FillIn asks to answer what administrators ask of the company and it has not answered. All fields are sent.
type FillIn struct {
	Key     string              `json:"-"`
	ID      int64               `json:"id"`
	Version int64               `json:"version"` // of Mend
	Values  map[string][]string `json:"values"`
}

// Filled is announced when the company answered what was asked and not answered.
type Filled struct {
	Head
	Changes []Mended `json:"changes"`
}

// Event names the fact.
func (f Filled) Event() (string, string, int64) { return "application.filled", Object, f.ID }

// ErrFillStale: a colleague or the institution filled something in meanwhile.
var ErrFillStale = fault.New(fault.Conflict, "CHANGED", "申请信息刚有更新，请刷新后核对再提交")

// FillIn answers the fields of an application of the actor's company while something required has no answer. The course of the
// application stays as it is. It returns a conflict where nothing is lacking or the application ended; what is wrong with a value
// is told at "fields." and the field's key.
func (s *Service) FillIn(ctx context.Context, actor access.Actor, cmd FillIn) (View, error) {
	if err := applicant(actor); err != nil {
		return View{}, err
	}
	if cmd.Values == nil {
		cmd.Values = map[string][]string{}
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "application.fill_in", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			a, err := hold(ctx, tx, visible(actor), cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if err := s.mayFillIn(ctx, tx, actor, a); err != nil {
				return outcome{}, err
			}
			if err := claimAnswers(ctx, tx, a.ID, cmd.Version, ErrFillStale); err != nil {
				return outcome{}, err
			}
			changes, err := s.mend(ctx, tx, a, cmd.Values, actor.Name, now)
			if err != nil {
				return outcome{}, err
			}
			if err := fullText.Put(ctx, tx, a.doc()); err != nil {
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, Filled{a.head(), changes}); err != nil {
				return outcome{}, err
			}
			return outcome{ID: a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "application.fill_in", Object: Object, ObjectID: a.ID, Summary: "补填申请信息 " + a.Number, Detail: changes})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("fill in application %d: %w", cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}

func (s *Service) mayFillIn(ctx context.Context, db bun.IDB, actor access.Actor, a *Application) error {
	if !may(actor, a, ToSupplement) {
		return ErrForbidden
	}
	if a.ClosedAt != nil {
		return ErrState.With("申请当前为“%s”，不能再填写，请刷新后查看", a.Status.Label())
	}
	if a.Status == Lacking {
		return ErrState.With("机构要求补充材料，请连同补充材料一起填写")
	}
	list, err := s.asked(ctx, db, a.Kind, a.FinancingKind, false)
	if err != nil {
		return err
	}
	rows, err := answersOf(ctx, db, a.ID)
	if err != nil {
		return err
	}
	if len(lacking(list, rows[a.ID])) == 0 {
		return ErrState.With("必填的信息都已填写；需要修改的，请联系机构要求补充材料")
	}
	return nil
}
