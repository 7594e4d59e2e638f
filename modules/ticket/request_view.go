package ticket

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/access"
)

// Flag says what of a ticket waits beside its state.
type Flag string

// The flags, derived from rows and never kept.
const (
	FlagReturn    Flag = "return"    // 退单待审
	FlagExtension Flag = "extension" // 延期待审
	FlagAppeal    Flag = "appeal"    // 申诉待裁定
	FlagReview    Flag = "review"    // 反馈待审核
	// FlagMine asks for the tickets on which a request waits for the word of whoever lists them. No ticket carries it.
	FlagMine Flag = "mine"
)

// Known reports whether f is one of the flags.
func (f Flag) Known() bool {
	return slices.Contains([]Flag{FlagReturn, FlagExtension, FlagAppeal, FlagReview, FlagMine}, f)
}

// where is the condition of a ticket that has the flag.
func (f Flag) where() string {
	if f == FlagReview {
		return "t.status = 'replied' AND t.review_due"
	}
	return "t.id IN (SELECT q.ticket_id FROM ticket_requests AS q WHERE q.kind = '" + string(f) + "' AND q.state IN ('filed', 'endorsed'))"
}

// mine is the condition of a ticket with a request that waits for the actor: an extension of their own unit to endorse, what the
// level below asks of theirs, an appeal. Nobody decides on what they asked for.
func mine(a access.Actor) condition {
	const decided = "(q.kind = 'return' AND q.state = 'filed' OR q.kind = 'extension' AND q.state = 'endorsed')"
	column := "unit_id"
	if n := a.Level(); a.Scope == access.ScopeSubtree && n > 0 {
		column = fmt.Sprintf("unit_l%d", n)
	}
	var either []string
	args := []any{a.UserID}
	add := func(where string, more ...any) { either, args = append(either, where), append(args, more...) }
	if a.Party == access.Government && a.DepartmentID != 0 {
		if a.Can(PermEndorse) {
			add("q.kind = 'extension' AND q.state = 'filed' AND h."+column+" = ?", a.DepartmentID)
		}
		if a.Can(PermDecide) {
			add(decided+" AND h.parent_id IN (SELECT p.id FROM ticket_hops AS p WHERE p.ticket_id = h.ticket_id AND p."+column+" = ?)", a.DepartmentID)
		}
	}
	if isDesk(a) && a.Can(PermDecide) {
		add(decided + " AND h.parent_id IS NULL")
	}
	if isDesk(a) && a.Can(PermArbitrate) {
		add("q.kind = 'appeal' AND q.state = 'filed'")
	}
	if len(either) == 0 {
		return condition{"1 = 0", nil}
	}
	return condition{"t.id IN (SELECT q.ticket_id FROM ticket_requests AS q JOIN ticket_hops AS h ON h.id = q.hop_id WHERE q.state IN ('filed', 'endorsed') AND q.filed_by <> ? AND (" +
		strings.Join(either, " OR ") + "))", args}
}

// RequestView is a request as staff see it.
type RequestView struct {
	ID           int64        `json:"id"`
	HopID        int64        `json:"hopId"`
	Kind         RequestKind  `json:"kind" enum:"return,extension,appeal"`
	State        RequestState `json:"state" enum:"filed,endorsed,approved,refused,withdrawn"`
	StateName    string       `json:"stateName"`
	Code         string       `json:"code"`
	CodeName     string       `json:"codeName"`
	Basis        string       `json:"basis"`
	Text         string       `json:"text"`
	Days         int          `json:"days"`    // asked for, in working days
	Granted      int          `json:"granted"` // given
	AfterSigning bool         `json:"afterSigning"`
	UnitName     string       `json:"unitName"`
	FiledName    string       `json:"filedName"`
	FiledAt      time.Time    `json:"filedAt"`
	EndorsedName string       `json:"endorsedName"`
	EndorsedAt   *time.Time   `json:"endorsedAt,omitempty"`
	DecidedName  string       `json:"decidedName"`
	DecidedAt    *time.Time   `json:"decidedAt,omitempty"`
	Note         string       `json:"note"`
	OldDueAt     *time.Time   `json:"oldDueAt,omitempty"`
	NewDueAt     *time.Time   `json:"newDueAt,omitempty"`
	Actions      []Action     `json:"actions" enum:"endorse,decide,withdraw"` // what the actor may do with it now
}

func (r *Request) view(a access.Actor, t *Ticket, all tree) RequestView {
	v := RequestView{
		ID: r.ID, HopID: r.HopID, Kind: r.Kind, State: r.State, StateName: requestLabel(r), Code: r.Code, CodeName: codeName(r.Kind, r.Code), Basis: r.Basis, Text: r.Text,
		Days: r.Days, Granted: r.Granted, AfterSigning: r.AfterSigning, UnitName: r.UnitName, FiledName: r.FiledName, FiledAt: r.FiledAt.UTC(),
		EndorsedName: r.EndorsedName, EndorsedAt: utc(r.EndorsedAt), DecidedName: r.DecidedName, DecidedAt: utc(r.DecidedAt), Note: r.Note,
		OldDueAt: utc(r.OldDueAt), NewDueAt: utc(r.NewDueAt), Actions: []Action{},
	}
	h := all.at(r.HopID)
	if h == nil || !r.Pending() {
		return v
	}
	if r.Kind == AskExtension && r.State == Filed {
		if t.Allows(ToEndorse) && h.handles(a) && a.Can(PermEndorse) && a.UserID != r.FiledBy {
			v.Actions = append(v.Actions, ToEndorse)
		}
	} else if t.Allows(ToDecide) && mayDecide(a, all, h, r) {
		v.Actions = append(v.Actions, ToDecide)
	}
	if t.Allows(ToWithdraw) && h.handles(a) && a.Can(PermRequest) {
		v.Actions = append(v.Actions, ToWithdraw)
	}
	return v
}
