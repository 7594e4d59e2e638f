package ticket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Category is a node of the tree that the codes of types come from. A tree has a scheme and a version, so that a code keeps
// its meaning when another tree comes into use.
type Category struct {
	Scheme  string `json:"scheme"`
	Version string `json:"version"`
	Code    string `json:"code"`
	Parent  string `json:"parent"`
	Name    string `json:"name"`
	Level   int    `json:"level"`
}

// Scheme is a version of a tree of categories. Note says where its codes come from.
type Scheme struct {
	bun.BaseModel `bun:"table:ticket_schemes" json:"-"`

	Scheme  string `bun:"scheme,pk" json:"scheme"`
	Version string `bun:"version,pk" json:"version"`
	Name    string `bun:"name,notnull" json:"name"`
	Note    string `bun:"note,notnull" json:"note"`
}

type categoryRow struct {
	bun.BaseModel `bun:"table:ticket_categories,alias:k"`

	Scheme  string `bun:"scheme,pk"`
	Version string `bun:"version,pk"`
	Code    string `bun:"code,pk"`
	Parent  string `bun:"parent,notnull"`
	Name    string `bun:"name,notnull"`
	Level   int    `bun:"level,notnull"`
}

// FormVersion is one version of the form of a type.
type FormVersion struct {
	Version int64       `json:"version"`
	Fields  []FormField `json:"fields"`
	At      time.Time   `json:"at"`
	By      string      `json:"by"`
}

// TypeView is a type as its editor sees it.
type TypeView struct {
	Type
	Forms []FormVersion `json:"forms" doc:"Newest first."`
	Open  int           `json:"open" doc:"Tickets of the type that are not ended; 1001 stands for more than 1,000."`
	// OpenText says so in words.
	OpenText string `json:"openText"`
}

// EnsureCategories brings the tree of a scheme to what is given. Only the system may.
func (s *Service) EnsureCategories(ctx context.Context, actor access.Actor, scheme Scheme, list []Category) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	rows := make([]categoryRow, 0, len(list))
	for _, c := range list {
		rows = append(rows, categoryRow{Scheme: c.Scheme, Version: c.Version, Code: c.Code, Parent: c.Parent, Name: c.Name, Level: c.Level})
	}
	defer s.typesChanged()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&scheme).On("CONFLICT (scheme, version) DO UPDATE").Set("name = EXCLUDED.name, note = EXCLUDED.note").Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&rows).On("CONFLICT (scheme, version, code) DO UPDATE").Set("parent = EXCLUDED.parent, name = EXCLUDED.name, level = EXCLUDED.level").Exec(ctx)
		return err
	})
}

// Categories lists the schemes and their trees, for whoever edits types. It needs ticket.types.
func (s *Service) Categories(ctx context.Context, actor access.Actor) ([]Scheme, []Category, error) {
	if err := editsTypes(actor); err != nil {
		return nil, nil, err
	}
	schemes, rows := []Scheme{}, []categoryRow{}
	if err := s.db.Read().NewSelect().Model(&schemes).OrderExpr("scheme, version DESC").Scan(ctx); err != nil {
		return nil, nil, err
	}
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("k.scheme, k.version DESC, k.code").Scan(ctx); err != nil {
		return nil, nil, err
	}
	list := make([]Category, 0, len(rows))
	for _, r := range rows {
		list = append(list, Category{r.Scheme, r.Version, r.Code, r.Parent, r.Name, r.Level})
	}
	return schemes, list, nil
}

// withProgram stands in the place of the person who made a form.
const withProgram = "随系统提供"

// ensureForm brings the form of a type to the one that came with the program, unless somebody made one.
func (s *Service) ensureForm(ctx context.Context, tx bun.Tx, t Type) error {
	fields, err := form.Check(t.Fields)
	if err != nil {
		return fmt.Errorf("form of %s: %w", t.Code, err)
	}
	form, have, err := formOf(ctx, tx, t.Code)
	if err != nil || form.ID != 0 && form.ByName != withProgram || form.ID == 0 && len(fields) == 0 {
		return err
	}
	before, err := json.Marshal(have)
	if err != nil {
		return err
	}
	now, err := json.Marshal(fields)
	if err != nil || form.ID != 0 && string(before) == string(now) {
		return err
	}
	return keepForm(ctx, tx, formRow{Type: t.Code, Version: form.Version + 1, Fields: string(now), At: s.clock.Now(), ByName: withProgram})
}

func keepForm(ctx context.Context, tx bun.Tx, row formRow) error {
	_, err := tx.NewInsert().Model(&row).ExcludeColumn("id").Exec(ctx)
	return err
}

func editsTypes(actor access.Actor) error {
	if err := actor.Need(PermTypes); err != nil {
		return err
	}
	if !isDesk(actor) {
		return ErrForbidden
	}
	return nil
}

// manyOpen is as far as the open tickets of a type are counted.
const manyOpen = 1000

// Type returns a type with all versions of its form. It needs ticket.types.
func (s *Service) Type(ctx context.Context, actor access.Actor, code string) (TypeView, error) {
	if err := editsTypes(actor); err != nil {
		return TypeView{}, err
	}
	return s.typeView(ctx, s.db.Read(), code)
}

func (s *Service) typeView(ctx context.Context, db bun.IDB, code string) (TypeView, error) {
	var row typeRow
	if err := db.NewSelect().Model(&row).Where("y.code = ?", code).Scan(ctx); err != nil {
		return TypeView{}, database.Found(err)
	}
	v := TypeView{Type: row.view(), Forms: []FormVersion{}}
	var forms []formRow
	if err := db.NewSelect().Model(&forms).Where("f.type_code = ?", code).OrderExpr("f.version DESC").Limit(50).Scan(ctx); err != nil {
		return v, err
	}
	for i, f := range forms {
		fields, err := f.fields()
		if err != nil {
			return v, err
		}
		if i == 0 {
			v.Fields = fields
		}
		v.Forms = append(v.Forms, FormVersion{Version: f.Version, Fields: fields, At: f.At.UTC(), By: f.ByName})
	}
	// Open tickets are few beside all: each state is read by its own index until there are many.
	for st := range statuses {
		if slices.Contains(over, st) || v.Open > manyOpen {
			continue
		}
		q := db.NewSelect().Model((*Ticket)(nil)).ColumnExpr("1").Where("t.status = ? AND t.type_code = ?", st, code).Limit(int64(manyOpen + 1 - v.Open))
		n, err := db.NewSelect().TableExpr("(?) AS found", q).Count(ctx)
		if err != nil {
			return v, err
		}
		v.Open += int(n)
	}
	switch {
	case v.Open == 0:
		v.OpenText = "没有未办结的工单使用此类型"
	case v.Open > manyOpen:
		v.OpenText = fmt.Sprintf("超过 %d 件未办结的工单使用此类型，停用不影响它们继续办理", manyOpen)
	default:
		v.OpenText = fmt.Sprintf("有 %d 件未办结的工单使用此类型，停用不影响它们继续办理", v.Open)
	}
	return v, nil
}

// ChangeType asks to add a type (Version 0) or to change one. Hours counts for a new type; afterwards its budgets do.
type ChangeType struct {
	Key          string `json:"-"`
	Code         string
	Version      int64
	Name         string
	Category     string // scheme/version
	CategoryCode string
	Urgency      Urgency
	Hours        int
	Sort         int
}

var typeCode = regexp.MustCompile(`^[0-9A-Za-z_-]{2,50}$`)

// ChangeType adds a type or changes one; a version that is not the present one is a conflict. It needs ticket.types.
func (s *Service) ChangeType(ctx context.Context, actor access.Actor, cmd ChangeType) (TypeView, error) {
	name, err := clean("name", "名称", cmd.Name, 30, true)
	errs := []error{err}
	if !typeCode.MatchString(cmd.Code) {
		errs = append(errs, fault.InvalidField("code", "TICKET_TYPE", "编码为 2 至 50 位字母、数字或短横线"))
	}
	if !cmd.Urgency.Known() {
		errs = append(errs, fault.InvalidField("urgency", "TICKET_URGENCY", "请选择紧急程度"))
	}
	if cmd.Version == 0 && (cmd.Hours < 1 || cmd.Hours > 24*366) {
		errs = append(errs, fault.InvalidField("hours", "TICKET_TYPE", "办理时限须在 1 至 8784 小时之间"))
	}
	if err := fault.Merge(errs...); err != nil {
		return TypeView{}, err
	}
	return s.onType(ctx, actor, "ticket.type", cmd.Key, cmd.Code, cmd, func(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
		if err := hasCategory(ctx, tx, cmd); err != nil {
			return "", err
		}
		row := typeRow{Code: cmd.Code, Name: name, Category: cmd.Category, CategoryCode: cmd.CategoryCode, Urgency: cmd.Urgency, Hours: cmd.Hours, Sort: cmd.Sort, SetAt: &now, Version: cmd.Version + 1}
		if cmd.Version > 0 {
			err := typeStale(ctx, tx, cmd.Code, database.Changed(tx.NewUpdate().Model(&row).
				Column("name", "category", "category_code", "urgency", "sort", "set_at", "version").Where("code = ? AND version = ?", cmd.Code, cmd.Version).Exec(ctx)))
			if err != nil {
				return "", err
			}
			return "修改诉求类型 " + cmd.Code + " " + name, keepPlaces(ctx, tx, now)
		}
		res, err := tx.NewInsert().Model(&row).On("CONFLICT (code) DO NOTHING").Exec(ctx)
		if err := database.Changed(res, err); errors.Is(err, fault.ErrChanged) {
			return "", fault.New(fault.Conflict, "TYPE_EXISTS", "已有这个编码的诉求类型，请换一个编码，或修改已有的类型").On("code")
		} else if err != nil {
			return "", err
		}
		if err := keepPlaces(ctx, tx, now); err != nil {
			return "", err
		}
		return "新增诉求类型 " + cmd.Code + " " + name, setHours(ctx, tx, now, []Type{{Code: cmd.Code, Hours: cmd.Hours}}, true)
	})
}

// hasCategory refuses a category that no scheme has.
func hasCategory(ctx context.Context, tx bun.Tx, cmd ChangeType) error {
	if cmd.CategoryCode == "" {
		return nil
	}
	found, err := tx.NewSelect().Model((*categoryRow)(nil)).Where("k.scheme || '/' || k.version = ? AND k.code = ?", cmd.Category, cmd.CategoryCode).Exists(ctx)
	if err == nil && !found {
		return fault.InvalidField("categoryCode", "TICKET_CATEGORY", "没有这个分类编码，请从分类表中选择")
	}
	return err
}

// SetForm gives a type a new form. Tickets keep the one they were filed with. version is that of the type. It needs
// ticket.types; what is wrong with a field is told at "fields.0.label".
func (s *Service) SetForm(ctx context.Context, actor access.Actor, code string, version int64, fields []FormField, key string) (TypeView, error) {
	fields, err := form.Check(fields)
	if err != nil {
		return TypeView{}, err
	}
	return s.onType(ctx, actor, "ticket.type_form", key, code, map[string]any{"code": code, "version": version, "fields": fields}, func(ctx context.Context, tx bun.Tx, now time.Time) (string, error) {
		err := database.Changed(tx.NewUpdate().Model((*typeRow)(nil)).Set("version = version + 1").Where("code = ? AND version = ?", code, version).Exec(ctx))
		if err := typeStale(ctx, tx, code, err); err != nil {
			return "", err
		}
		last, _, err := formOf(ctx, tx, code)
		if err != nil {
			return "", err
		}
		raw, err := json.Marshal(fields)
		if err != nil {
			return "", err
		}
		row := formRow{Type: code, Version: last.Version + 1, Fields: string(raw), At: now, ByID: actor.UserID, ByName: actor.Name}
		return fmt.Sprintf("诉求类型 %s 的表单改为第 %d 版，共 %d 个字段", code, row.Version, len(fields)), keepForm(ctx, tx, row)
	})
}

// RetireType takes a type out of use, or back into it: no new tickets from then on, those that exist go on. version is that of
// the type. It needs ticket.types.
func (s *Service) RetireType(ctx context.Context, actor access.Actor, code string, version int64, retire bool, key string) (TypeView, error) {
	operation, word := "ticket.type_retire", "停用"
	if !retire {
		operation, word = "ticket.type_restore", "恢复使用"
	}
	return s.onType(ctx, actor, operation, key, code, map[string]any{"code": code, "version": version}, func(ctx context.Context, tx bun.Tx, _ time.Time) (string, error) {
		err := database.Changed(tx.NewUpdate().Model((*typeRow)(nil)).Set("version = version + 1, retired = ?", retire).Where("code = ? AND version = ?", code, version).Exec(ctx))
		return word + "诉求类型 " + code, typeStale(ctx, tx, code, err)
	})
}

// typeStale says why a conditional update of a type changed nothing.
func typeStale(ctx context.Context, tx bun.Tx, code string, err error) error {
	if !errors.Is(err, fault.ErrChanged) {
		return err
	}
	if _, found := typeOf(ctx, tx, code); found != nil {
		return found
	}
	return fault.New(fault.Conflict, "CHANGED", "该诉求类型已被他人修改，请刷新后再改").Wrap(err)
}

// onType is the frame of a change of a type: right, key, change, audit, in one transaction.
func (s *Service) onType(ctx context.Context, actor access.Actor, operation, key, code string, request any, step func(ctx context.Context, tx bun.Tx, now time.Time) (string, error)) (TypeView, error) {
	if err := s.onSettings(ctx, actor, operation, key, "ticket_type", request, step); err != nil {
		return TypeView{}, fmt.Errorf("%s %s: %w", operation, code, err)
	}
	s.typesChanged()
	return s.typeView(ctx, s.db.Read(), code)
}

// onSettings is the frame of a change of what the desk works by.
func (s *Service) onSettings(ctx context.Context, actor access.Actor, operation, key, object string, request any, step func(ctx context.Context, tx bun.Tx, now time.Time) (string, error)) error {
	if err := editsTypes(actor); err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (bool, error) {
			summary, err := step(ctx, tx, now)
			if err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: object, Summary: summary, Detail: request})
		})
		return err
	})
}
