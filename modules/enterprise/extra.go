package enterprise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/uscc"
)

// The rights to the fields that administrators define (requirement C5).
const (
	// PermExtra is the right to fill them.
	PermExtra access.Permission = "enterprise.extra"
	// PermExtraFields is the right to define them.
	PermExtraFields access.Permission = "enterprise.extra_fields"
	// PermExtraRestricted is the right to see those that not everybody who sees companies may see.
	PermExtraRestricted access.Permission = "enterprise.extra_restricted"
)

// keyService is the group of what the platform itself notes down of its service to a company. It is no data of the company's:
// reading it needs no consent. Every other group is one a company gives consent for.
const keyService, groupService = "service", "服务管理信息"

// What a company does with a field.
const (
	CompanyNothing = "hidden" // does not see it
	CompanyReads   = "reads"
	CompanyFills   = "fills"
)

// maxExtra is how many fields may be in use at once.
const maxExtra = 60

// CompanyType is a kind of organisation, as a credit code tells it by its first two characters (GB 32100).
type CompanyType struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// CompanyTypes are the types a field may be for.
func CompanyTypes() []CompanyType {
	out := []CompanyType{}
	for _, k := range uscc.Kinds() {
		out = append(out, CompanyType{k.Code, k.Name})
	}
	return out
}

func typeOfCode(code string) string {
	if len(code) < 2 {
		return ""
	}
	return code[:2]
}

// extraField is one field as it is kept. A field is never deleted: what was filled stays readable.
type extraField struct {
	bun.BaseModel `bun:"table:enterprise_extra_fields,alias:xf"`

	Code       string    `bun:"code,pk"`
	Definition string    `bun:"definition,notnull,type:text"` // JSON of form.OwnField
	Group      string    `bun:"field_group,notnull"`
	Types      string    `bun:"types,notnull,type:text"` // codes of types separated by commas, "" for all
	Restricted bool      `bun:"restricted,notnull"`
	Company    string    `bun:"company,notnull"`
	Sort       int       `bun:"sort,notnull"`
	Retired    bool      `bun:"retired,notnull"`
	Version    int64     `bun:"version,notnull"`
	UpdatedAt  time.Time `bun:"updated_at,notnull"`
	UpdatedBy  string    `bun:"updated_by,notnull"`
}

type extraField20261129 struct {
	bun.BaseModel `bun:"table:enterprise_extra_fields"`

	Code       string    `bun:"code,pk"`
	Definition string    `bun:"definition,notnull,type:text"`
	Group      string    `bun:"field_group,notnull"`
	Types      string    `bun:"types,notnull,type:text"`
	Restricted bool      `bun:"restricted,notnull"`
	Company    string    `bun:"company,notnull"`
	Sort       int       `bun:"sort,notnull"`
	Retired    bool      `bun:"retired,notnull"`
	Version    int64     `bun:"version,notnull"`
	UpdatedAt  time.Time `bun:"updated_at,notnull"`
	UpdatedBy  string    `bun:"updated_by,notnull"`
}

// ExtraField is a field that administrators define beside what the program knows of companies.
type ExtraField struct {
	Field      form.OwnField `json:"field"`
	Group      string        `json:"group" enum:"service,basic,operation,standing,admin,justice,social,tax,ip" doc:"service is the platform's own note, read without consent; the others are groups a company gives consent for."`
	Types      []string      `json:"types" maxItems:"40" doc:"The types of companies it is for, by the first two characters of the credit code; none is all."`
	Restricted bool          `json:"restricted" doc:"Staff need a right of its own to see, change, search and export it."`
	Company    string        `json:"company" enum:"hidden,reads,fills"`
	Sort       int           `json:"sort" minimum:"0" maximum:"9999"`
	Retired    bool          `json:"retired"`
}

// ExtraFieldView is a field as its editor sees it.
type ExtraFieldView struct {
	ExtraField
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updatedAt"`
	UpdatedBy string    `json:"updatedBy"`
}

func (r extraField) view() (ExtraFieldView, error) {
	v := ExtraFieldView{ExtraField: ExtraField{Group: r.Group, Types: []string{}, Restricted: r.Restricted, Company: r.Company, Sort: r.Sort, Retired: r.Retired},
		Version: r.Version, UpdatedAt: r.UpdatedAt.UTC(), UpdatedBy: r.UpdatedBy}
	if r.Types != "" {
		v.Types = strings.Split(r.Types, ",")
	}
	if err := json.Unmarshal([]byte(r.Definition), &v.Field); err != nil {
		return v, fmt.Errorf("extra field %s: %w", r.Code, err)
	}
	return v, nil
}

// applies reports whether the field is for a company with the credit code.
func (f *ExtraField) applies(code string) bool {
	return len(f.Types) == 0 || slices.Contains(f.Types, typeOfCode(code))
}

// staffSees reports whether staff who see companies see the field.
func (f *ExtraField) staffSees(actor access.Actor) bool {
	return !f.Restricted || actor.Can(PermExtraRestricted)
}

// Check tidies the field and says what is wrong with it, each at its input.
func (f *ExtraField) Check() error {
	var errs []error
	bad := func(name, message string) { errs = append(errs, fault.InvalidField(name, "EXTRA_FIELD", message)) }
	field, err := form.CheckOne(f.Field)
	errs = append(errs, err)
	if field.Kind == form.Phone || field.Personal {
		bad("kind", "企业扩展字段不登记电话等个人信息，请选择其他类型")
	}
	if f.Group != keyService && !slices.ContainsFunc(Groups(), func(g Group) bool { return g.Code == f.Group }) {
		bad("group", "请选择数据分组")
	}
	if !slices.Contains([]string{CompanyNothing, CompanyReads, CompanyFills}, f.Company) {
		bad("company", "请选择企业能否查看和填写")
	}
	if f.Company == CompanyFills && f.Group == keyService {
		bad("group", "由企业填写的是企业数据，请选择"+groupWords()+"之一，查阅须有企业授权或法定依据")
	}
	if f.Company != CompanyNothing && f.Restricted {
		bad("restricted", "企业能看到的字段不能再限制工作人员查看，请改为企业不可见，或取消限制")
	}
	types := []string{}
	for _, t := range f.Types {
		if !slices.ContainsFunc(CompanyTypes(), func(c CompanyType) bool { return c.Code == t }) {
			bad("types", "没有代码为 "+t+" 的企业类型，请重新选择")
			break
		}
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	slices.Sort(types)
	if f.Sort < 0 || f.Sort > 9999 {
		bad("sort", "顺序应为 0 至 9999 的整数")
	}
	f.Field, f.Types = field, types
	return fault.Merge(errs...)
}

// extraFields reads all fields in their order, the retired ones among them.
func extraFields(ctx context.Context, db bun.IDB) ([]ExtraFieldView, error) {
	var rows []extraField
	if err := db.NewSelect().Model(&rows).OrderExpr("xf.sort, xf.code").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the extra fields: %w", err)
	}
	out := make([]ExtraFieldView, 0, len(rows))
	for _, r := range rows {
		v, err := r.view()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// ExtraFields lists the fields the actor may see, the retired ones for those only who define them. It needs enterprise.view.
func (s *Service) ExtraFields(ctx context.Context, actor access.Actor) ([]ExtraFieldView, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	list, err := extraFields(ctx, s.db.Read())
	return slices.DeleteFunc(list, func(f ExtraFieldView) bool {
		return !actor.Can(PermExtraFields) && (f.Retired || !f.staffSees(actor))
	}), err
}

// SaveExtraField adds a field (Version 0) or changes one.
type SaveExtraField struct {
	ExtraField
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

// ExtraFieldChanged is announced when a field was added or changed.
type ExtraFieldChanged struct {
	Code  string `json:"code"`
	Label string `json:"label"`
}

// Event names the fact.
func (f ExtraFieldChanged) Event() (string, string, int64) {
	return "enterprise_extra_field.changed", "enterprise_extra_field", objectNumber(f.Code)
}

// The faults of definitions.
var (
	// ErrExtraExists: the key is taken, by a retired field too.
	ErrExtraExists = fault.New(fault.Conflict, "EXTRA_EXISTS", "已有使用这个标识或名称的字段（包括已停用的），请换一个，或修改、恢复已有的字段").On("key")
	// ErrExtraKind: what was filled in would read as something else.
	ErrExtraKind = fault.InvalidField("kind", "EXTRA_KIND", "已经保存的字段不能改变类型和单位，已填写的内容会无法识别。请停用该字段，另建一个新的")
	// ErrExtraMany: a page nobody can fill.
	ErrExtraMany = fault.New(fault.Conflict, "EXTRA_MANY", fmt.Sprintf("使用中的扩展字段最多 %d 个，请先停用不再需要的字段", maxExtra))
)

// SaveExtraField adds a field or changes one; kind and unit stay as they are. It needs enterprise.extra_fields; a version that
// is not the newest is a conflict.
func (s *Service) SaveExtraField(ctx context.Context, actor access.Actor, cmd SaveExtraField) ([]ExtraFieldView, error) {
	if err := actor.Need(PermExtraFields); err != nil {
		return nil, err
	}
	if err := cmd.Check(); err != nil {
		return nil, err
	}
	f := cmd.ExtraField
	raw, err := json.Marshal(f.Field)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	row := extraField{Code: f.Field.Key, Definition: string(raw), Group: f.Group, Types: strings.Join(f.Types, ","), Restricted: f.Restricted, Company: f.Company, Sort: f.Sort,
		Retired: f.Retired, Version: cmd.Version + 1, UpdatedAt: now, UpdatedBy: actor.Name}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.extra_field", Key: cmd.Key, Request: cmd, Now: now}, func() (started, error) {
			before, err := s.putExtraField(ctx, tx, cmd, row)
			if err != nil {
				return started{}, err
			}
			return started{}, errors.Join(s.extraFieldChanged(ctx, tx, actor, now, f), audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.extra_field",
				Object: "enterprise_extra_field", ObjectID: objectNumber(row.Code), Summary: "设置企业扩展字段：" + f.Field.Label, Detail: map[string]any{"before": before, "after": f}}))
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save extra field %s: %w", row.Code, err)
	}
	return s.ExtraFields(ctx, actor)
}

// putExtraField writes the field and returns what it was before, nil of a new one.
func (s *Service) putExtraField(ctx context.Context, tx bun.Tx, cmd SaveExtraField, row extraField) (*ExtraField, error) {
	all, err := extraFields(ctx, tx)
	if err != nil {
		return nil, err
	}
	used := 0
	for _, x := range all {
		if x.Field.Key == row.Code {
			continue
		}
		if x.Field.Label == cmd.Field.Label || strings.EqualFold(x.Field.Key, row.Code) {
			return nil, ErrExtraExists
		}
		if !x.Retired {
			used++
		}
	}
	if !row.Retired && used >= maxExtra {
		return nil, ErrExtraMany
	}
	if cmd.Version == 0 {
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); database.IsDuplicate(err) {
			return nil, ErrExtraExists.Wrap(err)
		} else if err != nil {
			return nil, err
		}
		return nil, nil
	}
	i := slices.IndexFunc(all, func(x ExtraFieldView) bool { return x.Field.Key == row.Code })
	if i < 0 {
		return nil, ErrNotFound
	}
	if is := all[i].Field; is.Kind != cmd.Field.Kind || is.Unit != cmd.Field.Unit {
		return nil, ErrExtraKind
	}
	return &all[i].ExtraField, database.Changed(tx.NewUpdate().Model(&row).ExcludeColumn("code").Where("code = ? AND version = ?", row.Code, cmd.Version).Exec(ctx))
}
