package ticket

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/fault"
)

// RequestKind is what a unit asks for on a hop.
type RequestKind string

// The kinds.
const (
	AskReturn    RequestKind = "return"    // 退单
	AskExtension RequestKind = "extension" // 延期
	AskAppeal    RequestKind = "appeal"    // 申诉
)

var kindLabels = map[RequestKind]string{AskReturn: "退单", AskExtension: "延期", AskAppeal: "申诉"}

// RequestState is where a request stands.
type RequestState string

// The states of a request.
const (
	Filed     RequestState = "filed"    // waits for the unit's leader, or when none is needed for the level that dispatched
	Endorsed  RequestState = "endorsed" // the unit's leader let it pass
	Approved  RequestState = "approved"
	Denied    RequestState = "refused"
	Withdrawn RequestState = "withdrawn" // by the unit, or because the hop ended first
)

// Code is one reason a request may give.
type Code struct {
	Kind RequestKind `json:"kind" enum:"return,extension,appeal"`
	Code string      `json:"code"`
	Name string      `json:"name"`
}

// Codes are the reasons, in the order in which they are offered.
func Codes() []Code {
	return []Code{
		{AskReturn, "not_ours", "不属于本单位职责"},
		{AskReturn, "other_area", "不在本单位辖区"},
		{AskReturn, "several", "需由多个单位共同办理，本单位不宜主办"},
		{AskReturn, "repeat", "与本单位已办工单重复"},
		{AskReturn, "unclear", "诉求内容不清，无法办理"},
		{AskExtension, "survey", "需要实地勘查或检验检测"},
		{AskExtension, "joint", "需要多个单位会商"},
		{AskExtension, "works", "需要施工或采购"},
		{AskExtension, "process", "依法依规的程序尚未走完"},
		{AskExtension, "weather", "受天气或不可抗力影响"},
		{AskAppeal, "unreasonable", "诉求不合理或于法无据"},
		{AskAppeal, "not_ours", "不满意的事项不属于本单位职责"},
		{AskAppeal, "solved", "事项已实际解决"},
		{AskAppeal, "policy", "现行政策不支持，已充分解释"},
	}
}

func codeName(k RequestKind, code string) string {
	for _, c := range Codes() {
		if c.Kind == k && c.Code == code {
			return c.Name
		}
	}
	return ""
}

// Request is what a unit asks for on its hop.
type Request struct {
	bun.BaseModel `bun:"table:ticket_requests,alias:q"`

	ID           int64        `bun:"id,pk,autoincrement"`
	TicketID     int64        `bun:"ticket_id,notnull"`
	HopID        int64        `bun:"hop_id,notnull"`
	Kind         RequestKind  `bun:"kind,notnull"`
	State        RequestState `bun:"state,notnull"`
	Code         string       `bun:"code,notnull"`
	Basis        string       `bun:"basis,notnull"`
	Text         string       `bun:"text,notnull"`
	Days         int          `bun:"days,notnull"`          // asked for, in working days
	Granted      int          `bun:"granted,notnull"`       // given
	AfterSigning bool         `bun:"after_signing,notnull"` // a return asked after the unit had signed
	UnitID       int64        `bun:"unit_id,notnull"`
	UnitName     string       `bun:"unit_name,notnull"`
	DispatcherID int64        `bun:"dispatcher_id,nullzero"` // who had dispatched the hop
	Dispatcher   string       `bun:"dispatcher,notnull"`
	FiledBy      int64        `bun:"filed_by,nullzero"`
	FiledName    string       `bun:"filed_name,notnull"`
	FiledAt      time.Time    `bun:"filed_at,notnull"`
	EndorsedBy   int64        `bun:"endorsed_by,nullzero"`
	EndorsedName string       `bun:"endorsed_name,notnull"`
	EndorsedAt   *time.Time   `bun:"endorsed_at"`
	DecidedBy    int64        `bun:"decided_by,nullzero"`
	DecidedName  string       `bun:"decided_name,notnull"`
	DecidedAt    *time.Time   `bun:"decided_at"`
	Note         string       `bun:"note,notnull"` // of whoever decided last
	OldDueAt     *time.Time   `bun:"old_due_at"`
	NewDueAt     *time.Time   `bun:"new_due_at"`
}

// Pending reports whether somebody has to decide.
func (r *Request) Pending() bool { return r.State == Filed || r.State == Endorsed }

// AskTicket files a return or an extension of a hop, or an appeal.
type AskTicket struct {
	Ref
	HopID int64 // of return and extension
	Code  string
	Basis string // the rule or document the unit goes by
	Text  string
	Days  int // of an extension, in working days
}

func (cmd *AskTicket) check(k RequestKind) error {
	var errs []error
	take := func(field, label string, v *string, longest int, needed bool) {
		var err error
		if *v, err = clean(field, label, *v, longest, needed); err != nil {
			errs = append(errs, err)
		}
	}
	if codeName(k, cmd.Code) == "" {
		errs = append(errs, fault.InvalidField("code", "REASON_CODE", "请选择"+kindLabels[k]+"原因"))
	}
	take("basis", "依据", &cmd.Basis, 200, false)
	take("text", "情况说明", &cmd.Text, maxNote, true)
	return fault.Merge(errs...)
}
