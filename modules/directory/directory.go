package directory

import (
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// The permissions of the module.
const (
	PermView   access.Permission = "directory.view"
	PermManage access.Permission = "directory.manage"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "派单目录", Label: "查看派单目录"},
		{Name: PermManage, Group: "派单目录", Label: "维护派单目录"},
	}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrStale: somebody changed the line after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "目录项已被他人更新，请刷新后再操作")
	// ErrPast: what was valid is not rewritten.
	ErrPast = fault.InvalidField("validFrom", "DIRECTORY_PAST", "生效日期不能早于今天：已经生效的目录要保留，供解释以往派单")
	// ErrPlanned: a change waits already.
	ErrPlanned = fault.New(fault.Conflict, "DIRECTORY_PLANNED", "已有一个尚未生效的调整，请先撤回再重新设置")
	// ErrBegun: what is or was valid cannot be taken back.
	ErrBegun = fault.New(fault.Conflict, "DIRECTORY_BEGUN", "已经生效的版本不能撤回，可以设置新的版本或终止")
	// ErrNoneValid: there is nothing to end.
	ErrNoneValid = fault.New(fault.Conflict, "DIRECTORY_NONE", "这一项当前没有有效版本，无需终止")
	// ErrSame: a version that changes nothing explains nothing.
	ErrSame = fault.New(fault.Conflict, "DIRECTORY_SAME", "与现行版本的主办、协办单位相同，无需调整")
)

// Line is one matter in one area.
type Line struct {
	bun.BaseModel `bun:"table:directory_lines,alias:l"`

	ID      int64  `bun:"id,pk,autoincrement"`
	Matter  string `bun:"matter,notnull"` // code of a ticket type or of a group
	Area    string `bun:"area,notnull"`   // code of a street or town; "" is the whole district
	Version int64  `bun:"version,notnull"`
	Last    int    `bun:"last_no,notnull"`
}

// Version is who handles a line from a moment to another.
type Version struct {
	bun.BaseModel `bun:"table:directory_versions,alias:v"`

	ID         int64      `bun:"id,pk,autoincrement"`
	LineID     int64      `bun:"line_id,notnull"`
	No         int        `bun:"no,notnull"`
	Matter     string     `bun:"matter,notnull"`
	Area       string     `bun:"area,notnull"`
	LeadID     int64      `bun:"lead_id,notnull"`
	LeadName   string     `bun:"lead_name,notnull"`
	Helpers    []Helper   `bun:"helpers,notnull,type:text"`
	From       time.Time  `bun:"valid_from,notnull"`
	To         *time.Time `bun:"valid_to"` // the first moment it is no longer valid; nil while no end is set
	Reason     string     `bun:"reason,notnull,type:text"`
	Basis      string     `bun:"basis,notnull"`
	EndReason  string     `bun:"end_reason,notnull,type:text"`
	AuthorID   int64      `bun:"author_id,notnull"`
	AuthorName string     `bun:"author_name,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	TakenBack  bool       `bun:"taken_back,notnull"` // before it began: it never was valid
}

// Helper is a unit that helps.
type Helper struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Valid reports whether the version counts at the moment.
func (v *Version) Valid(at time.Time) bool {
	return !v.TakenBack && !v.From.After(at) && (v.To == nil || v.To.After(at))
}

// same reports whether the version names these units.
func (v *Version) same(lead int64, helpers []Helper) bool {
	ids := func(list []Helper) []int64 {
		out := make([]int64, 0, len(list))
		for _, h := range list {
			out = append(out, h.ID)
		}
		slices.Sort(out)
		return out
	}
	return v.LeadID == lead && slices.Equal(ids(v.Helpers), ids(helpers))
}

// Why says how a suggestion came about.
type Why string

// The ways, the surest first.
const (
	Exact      Why = "exact"      // the type in the area
	WiderArea  Why = "area"       // the type in the whole district
	WiderGroup Why = "group"      // a group the type stands in
	Experience Why = "experience" // no line: where such tickets went
	Nothing    Why = "nothing"
)

// place is one matter and area that a suggestion may come from.
type place struct {
	matter, area string
	why          Why
}

// places lists where a suggestion for the type and area may stand, the surest first.
func places(matter, area string) []place {
	var out []place
	both := func(m string, in, wide Why) {
		if area != "" {
			out = append(out, place{m, area, in})
		}
		out = append(out, place{m, "", wide})
	}
	wide := WiderArea
	if area == "" {
		wide = Exact
	}
	both(matter, Exact, wide)
	for n := len(matter) - 2; n >= 2; n -= 2 {
		if g := matter[:n] + strings.Repeat("0", len(matter)-n); g != matter {
			both(g, WiderGroup, WiderGroup)
		}
	}
	return out
}
