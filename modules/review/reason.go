package review

import (
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
)

// PermReasons is the right to edit the reasons and the hints.
const PermReasons access.Permission = "review.reasons"

// Permissions describes the rights for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{{Name: PermReasons, Group: "系统", Label: "维护审核退回原因和审核提示"}, {Name: PermDelegations, Group: "系统", Label: "为离岗人员安排委托审核"}}
}

// maxInUse is how many reasons of a list a reviewer chooses from.
const maxInUse = 30

// List is the reasons of one review.
type List struct {
	Key, Title string
	// First are the reasons an installation begins with, in their order.
	First []reason.Reason
}

type row struct {
	bun.BaseModel `bun:"table:return_reasons,alias:rr"`

	List    string    `bun:"list,pk"`
	Code    string    `bun:"code,pk"`
	Text    string    `bun:"text,notnull,type:text"`
	Words   bool      `bun:"words,notnull"`
	Sort    int       `bun:"sort,notnull"`
	Retired bool      `bun:"retired,notnull"`
	Version int64     `bun:"version,notnull"`
	SetAt   time.Time `bun:"set_at,notnull"`
	SetBy   string    `bun:"set_by,notnull"`
}

func (r row) reason() reason.Reason {
	return reason.Reason{Code: r.Code, Text: r.Text, Words: r.Words, Sort: r.Sort, Retired: r.Retired}
}

// The faults of the module.
var (
	// ErrList: there is no such review.
	ErrList = fault.New(fault.NotFound, "REASON_LIST", "没有这类退回原因，请刷新页面后重新选择")
	// ErrExists: the code is taken, by a retired reason too.
	ErrExists = fault.New(fault.Conflict, "REASON_EXISTS", "已有这个编码的退回原因（包括已停用的），请换一个编码，或修改已有的原因").On("code")
	// ErrLast: a reviewer must have something to choose.
	ErrLast = fault.New(fault.Conflict, "REASON_LAST", "至少保留一个使用中的退回原因，请先新增或恢复其他原因").On("retired")
	// ErrMany: more than anybody reads.
	ErrMany = fault.New(fault.Conflict, "REASON_MANY", fmt.Sprintf("使用中的退回原因最多 %d 个，请先停用不再需要的原因", maxInUse))
)
