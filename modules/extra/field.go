package extra

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
)

// PermManage is the right to define fields.
const PermManage access.Permission = "extra.manage"

// Permissions are the rights of the module.
func Permissions() []access.Info {
	return []access.Info{{Name: PermManage, Group: "产品", Label: "定义产品和申请的扩展字段"}}
}

// Subject is what a field is about.
type Subject string

// The subjects.
const (
	Product     Subject = "product"
	Application Subject = "application"
)

var subjects = map[Subject]string{Product: "产品", Application: "申请"}

// Who sees what is filled in.
const (
	Everyone = "everyone" // companies, too
	Staff    = "staff"    // the institution, the reviewers and the platform only
)

// maxInUse is how many fields of one subject may be in use at once.
const maxInUse = 60

// Field is one definition.
type Field struct {
	Subject  Subject       `json:"subject" enum:"product,application"`
	Field    form.OwnField `json:"field"`
	Kinds    []string      `json:"kinds" maxItems:"20" doc:"The kinds of products, or of financing, it is for; none is all."`
	Audience string        `json:"audience" enum:"everyone,staff" doc:"Who sees it. Of applications: what everyone sees the company fills in, the rest the institution."`
	Sort     int           `json:"sort" minimum:"0" maximum:"9999"`
	Retired  bool          `json:"retired" doc:"No longer asked for; what was filled in stays."`
}

// View is a definition as its editor sees it.
type View struct {
	Field
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updatedAt"`
	UpdatedBy string    `json:"updatedBy"`
}

// Kind is a kind of products, or of financing.
type Kind struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// row is one definition as it is kept.
type row struct {
	bun.BaseModel `bun:"table:extra_fields,alias:xd"`

	Subject    Subject   `bun:"subject,pk"`
	Code       string    `bun:"code,pk"`
	Definition string    `bun:"definition,notnull"` // JSON of form.OwnField
	Kinds      string    `bun:"kinds,notnull"`      // separated by commas, "" for all
	Audience   string    `bun:"audience,notnull"`
	Sort       int       `bun:"sort,notnull"`
	Retired    bool      `bun:"retired,notnull"`
	Version    int64     `bun:"version,notnull"`
	UpdatedAt  time.Time `bun:"updated_at,notnull"`
	UpdatedBy  string    `bun:"updated_by,notnull"`
}

func (r row) view() (View, error) {
	v := View{Field: Field{Subject: r.Subject, Kinds: []string{}, Audience: r.Audience, Sort: r.Sort, Retired: r.Retired},
		Version: r.Version, UpdatedAt: r.UpdatedAt.UTC(), UpdatedBy: r.UpdatedBy}
	if r.Kinds != "" {
		v.Kinds = strings.Split(r.Kinds, ",")
	}
	if err := json.Unmarshal([]byte(r.Definition), &v.Field.Field); err != nil {
		return v, fmt.Errorf("extra field %s of %s: %w", r.Code, r.Subject, err)
	}
	return v, nil
}

// applies reports whether the field is for one of the kinds: that of a product and that of its financing.
func (f *Field) applies(kinds []string) bool {
	return len(f.Kinds) == 0 || slices.ContainsFunc(f.Kinds, func(k string) bool { return slices.Contains(kinds, k) })
}

// Check tidies the definition and says what is wrong with it, each at its input.
func (s *Service) Check(f *Field) error {
	var errs []error
	bad := func(name, message string) { errs = append(errs, fault.InvalidField(name, "EXTRA_FIELD", message)) }
	field, err := form.CheckOne(f.Field)
	errs = append(errs, err)
	if subjects[f.Subject] == "" {
		bad("subject", "请选择字段用于产品还是申请")
	}
	if field.Kind == form.Phone || field.Personal {
		bad("kind", "扩展字段不登记电话等个人信息，请选择其他类型")
	}
	if f.Audience != Everyone && f.Audience != Staff {
		bad("audience", "请选择企业能否看到")
	}
	kinds := []string{}
	for _, k := range s.kinds {
		if slices.Contains(f.Kinds, k.Code) {
			kinds = append(kinds, k.Code)
		}
	}
	for _, k := range f.Kinds {
		if !slices.Contains(kinds, k) {
			bad("kinds", "没有代码为 "+k+" 的服务类别，请重新选择")
			break
		}
	}
	if f.Sort < 0 || f.Sort > 9999 {
		bad("sort", "顺序应为 0 至 9999 的整数")
	}
	f.Field, f.Kinds = field, kinds
	return fault.Merge(errs...)
}

// The faults of definitions.
var (
	// ErrExists: the key or the label is taken, by a retired field too.
	ErrExists = fault.New(fault.Conflict, "EXTRA_EXISTS", "已有使用这个标识或名称的字段（包括已停用的），请换一个，或修改、恢复已有的字段").On("key")
	// ErrKind: what was filled in would read as something else.
	ErrKind = fault.InvalidField("kind", "EXTRA_KIND", "已经保存的字段不能改变类型和单位，已填写的内容会无法识别。请停用该字段，另建一个新的")
	// ErrMany: a page nobody can fill.
	ErrMany = fault.New(fault.Conflict, "EXTRA_MANY", fmt.Sprintf("使用中的扩展字段最多 %d 个，请先停用不再需要的字段", maxInUse))
	// ErrStale: somebody changed the field after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "该字段刚被他人修改，请刷新后核对再保存")
)

// Changed is announced when a field was added or changed.
type Changed struct {
	Subject Subject `json:"subject"`
	Code    string  `json:"code"`
	Label   string  `json:"label"`
}

// Object is the name of a definition in events and audit rows.
const Object = "extra_field"

// Event names the fact.
func (f Changed) Event() (string, string, int64) {
	return "extra_field.changed", Object, objectNumber(f.Subject, f.Code)
}

// objectNumber stands for a field where a number is asked for.
func objectNumber(subject Subject, code string) int64 {
	n := int64(0)
	for _, c := range []byte(string(subject) + ":" + code) {
		n = (n*31 + int64(c)) % 1_000_000_007
	}
	return n
}
