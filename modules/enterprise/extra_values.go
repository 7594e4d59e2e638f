package enterprise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// fromDesk is the word of staff who fill a field for a company.
const fromDesk Source = "desk"

const fromDeskName = "平台登记"

// extraValue is what a field of a company was filled with, from one moment to another. Rows are added and ended, never
// changed: the one without an end is the value now, and one without words says that it was emptied.
type extraValue struct {
	bun.BaseModel `bun:"table:enterprise_extra_values,alias:xv"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Field        string     `bun:"field,notnull"`
	Value        string     `bun:"value,notnull,type:text"`
	Number       *int64     `bun:"number"` // of a number: ten thousand times it
	Source       Source     `bun:"source,notnull"`
	ByID         int64      `bun:"by_id,notnull"`
	ByName       string     `bun:"by_name,notnull"`
	At           time.Time  `bun:"at,notnull"`
	EndedAt      *time.Time `bun:"ended_at"`
}

type extraValue20261129 struct {
	bun.BaseModel `bun:"table:enterprise_extra_values"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Field        string     `bun:"field,notnull"`
	Value        string     `bun:"value,notnull,type:text"`
	Number       *int64     `bun:"number"`
	Source       string     `bun:"source,notnull"`
	ByID         int64      `bun:"by_id,notnull"`
	ByName       string     `bun:"by_name,notnull"`
	At           time.Time  `bun:"at,notnull"`
	EndedAt      *time.Time `bun:"ended_at"`
}

// ExtraItem is a field of one company with what it is filled with.
type ExtraItem struct {
	Field     form.OwnField `json:"field"`
	Group     string        `json:"group" enum:"service,basic,operation,standing,admin,justice,social,tax,ip"`
	GroupName string        `json:"groupName"`
	Values    []string      `json:"values" doc:"As it would be typed again."`
	Text      string        `json:"text" doc:"In words; empty when nothing is filled in."`
	Source    string        `json:"source,omitempty"`
	ByName    string        `json:"byName,omitempty" doc:"To staff."`
	At        *time.Time    `json:"at,omitempty"`
	MayFill   bool          `json:"mayFill"`
	Withheld  bool          `json:"withheld,omitempty" doc:"The company has not agreed that it is read."`
	Retired   bool          `json:"retired,omitempty" doc:"No longer asked for; shown because it was filled in."`
	Company   string        `json:"company" enum:"hidden,reads,fills"`
}

// ExtraEntry is one line of the history of the fields.
type ExtraEntry struct {
	Label  string    `json:"label"`
	Text   string    `json:"text" doc:"Empty when the field was emptied."`
	Source string    `json:"source"`
	ByName string    `json:"byName,omitempty"`
	At     time.Time `json:"at"`
}

// Extra are the fields of one company.
type Extra struct {
	EnterpriseID int64        `json:"enterpriseId"`
	Version      int64        `json:"version" doc:"What a change must carry; another one is a conflict."`
	Items        []ExtraItem  `json:"items"`
	History      []ExtraEntry `json:"history" doc:"Newest first."`
	MayFill      bool         `json:"mayFill"`
	Withheld     string       `json:"withheld,omitempty" doc:"Why some of it is not shown, and what to do."`
}

// extraNow reads what the fields of some companies hold now.
func extraNow(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]map[string]extraValue, error) {
	out := make(map[int64]map[string]extraValue, len(ids))
	for part := range slices.Chunk(ids, 500) {
		var rows []extraValue
		if err := db.NewSelect().Model(&rows).Where("xv.enterprise_id IN (?) AND xv.ended_at IS NULL", bun.List(part)).Scan(ctx); err != nil {
			return nil, fmt.Errorf("read extra fields of companies: %w", err)
		}
		for _, r := range rows {
			if out[r.EnterpriseID] == nil {
				out[r.EnterpriseID] = map[string]extraValue{}
			}
			out[r.EnterpriseID][r.Field] = r
		}
	}
	return out, nil
}

func extraVersion(ctx context.Context, db bun.IDB, id int64) (version int64, err error) {
	err = database.QueryOne(ctx, db, []any{&version}, "SELECT extra_version FROM enterprises WHERE id = ?", id)
	return version, database.Found(err)
}

func groupName(key string) string {
	if i := slices.IndexFunc(Groups(), func(g Group) bool { return g.Code == key }); i >= 0 {
		return Groups()[i].Name
	}
	return groupService
}

// extraReader is who looks at the fields of a company, and how.
type extraReader struct {
	company bool     // one of the company's own people
	fills   bool     // may fill what is theirs to fill
	groups  []string // that may be read, beside the platform's own notes
	actor   access.Actor
}

// sees reports whether the field is there at all for the reader.
func (r extraReader) sees(f *ExtraField) bool {
	if r.company {
		return f.Company != CompanyNothing
	}
	return f.staffSees(r.actor)
}

// reads reports whether what it holds is shown.
func (r extraReader) reads(f *ExtraField) bool {
	return r.company || f.Group == keyService || slices.Contains(r.groups, f.Group)
}

// mayFill reports whether the reader may change it: whoever changes something sees what it was.
func (r extraReader) mayFill(f *ExtraField) bool {
	return r.fills && !f.Retired && r.sees(f) && r.reads(f) && (!r.company || f.Company == CompanyFills)
}

// shows are the fields of one company in order: those that are asked of it, and those it has filled.
func shows(list []ExtraFieldView, r extraReader, code string, now map[string]extraValue) []ExtraFieldView {
	return slices.DeleteFunc(slices.Clone(list), func(f ExtraFieldView) bool {
		return !r.sees(&f.ExtraField) || (f.Retired || !f.applies(code)) && now[f.Field.Key].Value == ""
	})
}

func sourceWords(s Source) string {
	if s == fromDesk {
		return fromDeskName
	}
	return sourceNames[s]
}

// extraView tells the fields of a company as the reader may see them.
func (s *Service) extraView(ctx context.Context, db bun.IDB, e *Enterprise, r extraReader) (Extra, error) {
	out := Extra{EnterpriseID: e.ID, Items: []ExtraItem{}, History: []ExtraEntry{}}
	list, err := extraFields(ctx, db)
	if err != nil {
		return out, err
	}
	if out.Version, err = extraVersion(ctx, db, e.ID); err != nil {
		return out, err
	}
	now, err := extraNow(ctx, db, e.ID)
	if err != nil {
		return out, err
	}
	known := map[string]*ExtraFieldView{}
	for _, f := range shows(list, r, e.code(), now[e.ID]) {
		v, filled := now[e.ID][f.Field.Key]
		item := ExtraItem{Field: f.Field, Group: f.Group, GroupName: groupName(f.Group), Values: []string{}, Retired: f.Retired, Company: f.Company,
			MayFill: r.mayFill(&f.ExtraField) && f.applies(e.code())}
		switch {
		case !r.reads(&f.ExtraField):
			item.Withheld = true
		case filled && v.Value != "":
			item.Values, item.Text, item.Source, item.At = form.Typed(v.Value), f.Field.Show(v.Value), sourceWords(v.Source), utc(&v.At)
			if !r.company {
				item.ByName = v.ByName
			}
			fallthrough
		default:
			known[f.Field.Key] = &f
		}
		out.MayFill = out.MayFill || item.MayFill
		out.Items = append(out.Items, item)
	}
	var rows []extraValue
	if err := db.NewSelect().Model(&rows).Where("xv.enterprise_id = ?", e.ID).OrderExpr("xv.id DESC").Limit(200).Scan(ctx); err != nil {
		return out, err
	}
	for _, v := range rows {
		f := known[v.Field]
		if f == nil {
			continue
		}
		entry := ExtraEntry{Label: f.Field.Label, Source: sourceWords(v.Source), At: v.At.UTC()}
		if v.Value != "" {
			entry.Text = f.Field.Show(v.Value)
		}
		if !r.company {
			entry.ByName = v.ByName
		}
		out.History = append(out.History, entry)
	}
	return out, nil
}

// staffReader is a member of staff in front of a company. It asks the consents only where there is something of the company's
// to be read; each asking is one reading in the company's log.
func (s *Service) staffReader(ctx context.Context, actor access.Actor, e *Enterprise, basis string) (extraReader, string, error) {
	r := extraReader{actor: actor, fills: actor.Can(PermExtra)}
	db := s.db.Read()
	list, err := extraFields(ctx, db)
	if err != nil {
		return r, "", err
	}
	now, err := extraNow(ctx, db, e.ID)
	if err != nil {
		return r, "", err
	}
	if !slices.ContainsFunc(shows(list, r, e.code(), now[e.ID]), func(f ExtraFieldView) bool { return f.Group != keyService }) {
		return r, "", nil
	}
	var why string
	r.groups, why, err = s.withheld(ctx, actor, e.ID, Reading{forPortrait, basis, "企业扩展信息"})
	return r, why, err
}

// Extra returns the fields of a company as the actor may see them: the platform's own notes, and the others as far as the
// company agreed, or as the basis covers that the reader claims. It needs enterprise.view.
func (s *Service) Extra(ctx context.Context, actor access.Actor, id int64, basis string) (Extra, error) {
	if err := actor.Need(PermView); err != nil {
		return Extra{}, err
	}
	db := s.db.Read()
	e, err := find(ctx, db, actor, id)
	if err != nil {
		return Extra{}, err
	}
	r, why, err := s.staffReader(ctx, actor, e, basis)
	if err != nil {
		return Extra{}, err
	}
	out, err := s.extraView(ctx, db, e, r)
	out.Withheld = why
	return out, err
}

// MyExtra returns the fields that the actor's company sees.
func (s *Service) MyExtra(ctx context.Context, actor access.Actor) (Extra, error) {
	if err := needOwner(actor); err != nil {
		return Extra{}, err
	}
	db := s.db.Read()
	e, err := find(ctx, db, actor, actor.EnterpriseID)
	if err != nil {
		return Extra{}, err
	}
	r, err := s.companyReader(ctx, db, actor)
	if err != nil {
		return Extra{}, err
	}
	return s.extraView(ctx, db, e, r)
}

// companyReader is one of the company's people: the owner, or a member mandated to state facts, fills.
func (s *Service) companyReader(ctx context.Context, db bun.IDB, actor access.Actor) (extraReader, error) {
	r := extraReader{company: true, actor: actor}
	err := s.Entitled(ctx, db, actor.EnterpriseID, actor.UserID, RightFacts)
	if errors.Is(err, ErrRight) {
		return r, nil
	}
	r.fills = err == nil
	return r, err
}

// SetExtra fills fields of a company. Only the fields that are named change; one without words is emptied.
type SetExtra struct {
	ID      int64               `json:"id"`
	Version int64               `json:"version"` // of Extra; another one is a conflict
	Values  map[string][]string `json:"values"`
	Basis   string              `json:"basis"` // on which staff have read what they change
	Key     string              `json:"-"`
}

// ExtraSet is announced when fields of a company were filled. It names the fields and holds no values.
type ExtraSet struct {
	ID     int64    `json:"id"`
	Fields []string `json:"fields"`
	By     Source   `json:"by"`
}

// Event names the fact.
func (f ExtraSet) Event() (string, string, int64) { return "enterprise.extra_set", Object, f.ID }

// SetExtra fills fields of a company for its staff. It needs enterprise.extra and sight of what is changed; what is wrong with
// a value is told at "fields." and the field's key.
func (s *Service) SetExtra(ctx context.Context, actor access.Actor, cmd SetExtra) (Extra, error) {
	if err := actor.Need(PermView); err != nil {
		return Extra{}, err
	}
	if err := actor.Need(PermExtra); err != nil {
		return Extra{}, err
	}
	e, err := find(ctx, s.db.Read(), actor, cmd.ID)
	if err != nil {
		return Extra{}, err
	}
	r, why, err := s.staffReader(ctx, actor, e, cmd.Basis)
	if err != nil {
		return Extra{}, err
	}
	if err := s.setExtra(ctx, actor, cmd, r, fromDesk, why); err != nil {
		return Extra{}, err
	}
	out, err := s.extraView(ctx, s.db.Read(), e, r)
	out.Withheld = why
	return out, err
}

// SetMyExtra fills the fields that the company itself fills.
func (s *Service) SetMyExtra(ctx context.Context, actor access.Actor, cmd SetExtra) (Extra, error) {
	if err := needOwner(actor); err != nil {
		return Extra{}, err
	}
	cmd.ID, cmd.Basis = actor.EnterpriseID, ""
	if err := s.Entitled(ctx, s.db.Read(), actor.EnterpriseID, actor.UserID, RightFacts); err != nil {
		return Extra{}, err
	}
	if err := s.setExtra(ctx, actor, cmd, extraReader{company: true, fills: true, actor: actor}, FromSelf, ""); err != nil {
		return Extra{}, err
	}
	return s.MyExtra(ctx, actor)
}

func (s *Service) setExtra(ctx context.Context, actor access.Actor, cmd SetExtra, r extraReader, source Source, why string) error {
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.extra_set", Key: cmd.Key, Request: cmd, Now: now}, func() (started, error) {
			if r.company {
				if err := s.Entitled(ctx, tx, cmd.ID, actor.UserID, RightFacts); err != nil {
					return started{}, err
				}
			}
			e, err := find(ctx, tx, actor, cmd.ID)
			if err != nil {
				return started{}, err
			}
			// The row of the company holds whoever comes second until the first is done; what counts is read after it.
			err = database.Changed(database.Run(ctx, tx, "UPDATE enterprises SET extra_version = extra_version + 1 WHERE id = ? AND extra_version = ?", cmd.ID, cmd.Version))
			if errors.Is(err, fault.ErrChanged) {
				return started{}, fault.ErrChanged.With("该企业的扩展信息刚被他人修改，请刷新后核对再保存").Wrap(err)
			}
			if err != nil {
				return started{}, err
			}
			changed, err := s.writeExtra(ctx, tx, actor, e, cmd, r, source, why, now)
			if err != nil || len(changed) == 0 {
				return started{ID: e.ID}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, ExtraSet{e.ID, changed, source}); err != nil {
				return started{}, err
			}
			return started{ID: e.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.extra_set", Object: Object, ObjectID: e.ID,
				Summary: "填写企业扩展信息", Detail: map[string]any{"fields": changed, "source": source, "basis": cmd.Basis}})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("set extra fields of enterprise %d: %w", cmd.ID, err)
	}
	return nil
}

// writeExtra ends what is no longer true and adds what is, and returns the keys of the fields that changed.
func (s *Service) writeExtra(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, cmd SetExtra, r extraReader, source Source, why string, now time.Time) ([]string, error) {
	list, err := extraFields(ctx, tx)
	if err != nil {
		return nil, err
	}
	all, err := extraNow(ctx, tx, e.ID)
	if err != nil {
		return nil, err
	}
	is := all[e.ID]
	var errs []error
	var rows []extraValue
	var changed []string
	seen := map[string]bool{}
	for _, f := range list {
		key := f.Field.Key
		typed, named := cmd.Values[key]
		mine := r.mayFill(&f.ExtraField) && f.applies(e.code())
		seen[key] = mine
		switch {
		case named && !mine && r.fills && !f.Retired && r.sees(&f.ExtraField) && !r.reads(&f.ExtraField):
			errs = append(errs, fault.New(fault.Forbidden, "EXTRA_WITHHELD", why))
			continue
		case !mine:
			continue
		}
		value := is[key].Value
		if named {
			if value, err = f.Field.Read(typed); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		if value == "" && f.Field.Required {
			errs = append(errs, fault.InvalidField("fields."+key, "REQUIRED", "请填写"+f.Field.Label))
			continue
		}
		if value == is[key].Value {
			continue
		}
		changed = append(changed, key)
		rows = append(rows, extraValue{EnterpriseID: e.ID, Field: key, Value: value, Number: f.Field.Scaled(value), Source: source, ByID: actor.UserID, ByName: actor.Name, At: now})
	}
	for key := range cmd.Values {
		if !seen[key] && len(errs) == 0 {
			errs = append(errs, fault.InvalidField("fields."+key, "EXTRA_CHANGED", "填写的字段已停用或您无权填写，请刷新页面后重新填写"))
		}
	}
	if err := fault.Merge(errs...); err != nil || len(rows) == 0 {
		return nil, err
	}
	if _, err := tx.NewUpdate().Model((*extraValue)(nil)).Set("ended_at = ?", now).Where("enterprise_id = ? AND ended_at IS NULL AND field IN (?)", e.ID, bun.List(changed)).Exec(ctx); err != nil {
		return nil, err
	}
	_, err = tx.NewInsert().Model(&rows).ExcludeColumn("id").Exec(ctx)
	return changed, err
}

func (s *Service) extraFieldChanged(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, f ExtraField) error {
	_, err := event.Append(ctx, tx, actor, now, ExtraFieldChanged{f.Field.Key, f.Field.Label})
	return err
}
