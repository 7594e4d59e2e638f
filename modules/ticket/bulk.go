package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/lease"
)

// ObjectBulk is the name of a bulk action in the audit log.
const ObjectBulk = "ticket_bulk"

// MaxBulk is how many tickets one bulk action takes.
const MaxBulk = 500

// BulkAction is what is done to each of many tickets.
type BulkAction string

// The bulk actions.
const (
	BulkClaim    BulkAction = "claim"
	BulkAssign   BulkAction = "assign"
	BulkDispatch BulkAction = "dispatch"
	BulkUrge     BulkAction = "urge"
	BulkArchive  BulkAction = "archive"
	BulkTag      BulkAction = "tag"
	BulkLocate   BulkAction = "locate"
)

// bulkRights are what each asks of the person, with the word for it.
var bulkRights = map[BulkAction]struct {
	any   []access.Permission
	label string
}{
	BulkClaim:    {[]access.Permission{PermClaim}, "领取"},
	BulkAssign:   {[]access.Permission{PermAssign, PermClaim}, "指派"},
	BulkDispatch: {[]access.Permission{PermDispatch}, "派单"},
	BulkUrge:     {[]access.Permission{PermUrge}, "催办"},
	BulkArchive:  {[]access.Permission{PermArchive}, "归档"},
	BulkTag:      {[]access.Permission{PermNote}, "添加标签"},
	BulkLocate:   {[]access.Permission{PermNote}, "标注街道乡镇"},
}

// BulkState is where a bulk action stands.
type BulkState string

// The states of a bulk action.
const (
	BulkWorking BulkState = "working"
	BulkDone    BulkState = "done"
	BulkUndoing BulkState = "undoing"
	BulkUndone  BulkState = "undone"
)

// BulkRowState is where one ticket of a bulk action stands.
type BulkRowState string

// The states of a ticket in a bulk action.
const (
	RowWaiting BulkRowState = "waiting"
	RowDone    BulkRowState = "done"
	RowSkipped BulkRowState = "skipped" // it was so already
	RowFailed  BulkRowState = "failed"
	RowUndone  BulkRowState = "undone"
	RowKept    BulkRowState = "kept" // it could not be undone
)

// ErrBulkUndo: the bulk action cannot be undone now, or not by this person.
var ErrBulkUndo = fault.New(fault.Conflict, "TICKET_BULK_UNDO", "这次批量操作不能撤销")

type bulkRow struct {
	bun.BaseModel `bun:"table:ticket_bulks,alias:b"`

	ID         int64      `bun:"id,pk,autoincrement"`
	Action     BulkAction `bun:"action,notnull"`
	Params     string     `bun:"params,notnull"`
	State      BulkState  `bun:"state,notnull"`
	OwnerID    int64      `bun:"owner_id,notnull"`
	OwnerName  string     `bun:"owner_name,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	FinishedAt *time.Time `bun:"finished_at"`
	Total      int        `bun:"total,notnull"`
	Done       int        `bun:"done,notnull"`
	Failed     int        `bun:"failed,notnull"`
	Undone     int        `bun:"undone,notnull"`
	Reason     string     `bun:"reason,notnull"` // of undoing
	lease.Columns
}

type bulkItem struct {
	bun.BaseModel `bun:"table:ticket_bulk_rows,alias:w"`

	BulkID   int64        `bun:"bulk_id,pk"`
	TicketID int64        `bun:"ticket_id,pk"`
	N        int          `bun:"n,notnull"`
	Version  int64        `bun:"version,notnull"`
	Number   string       `bun:"number,notnull"`
	State    BulkRowState `bun:"state,notnull"`
	Message  string       `bun:"message,notnull"`
	After    int64        `bun:"after_version,notnull"`
	Before   int64        `bun:"before_holder,notnull"`
	WasIn    string       `bun:"before_area,notnull"`
}

// BulkParams are what a bulk action does with each ticket.
type BulkParams struct {
	UserID int64  `json:"userId,omitempty" doc:"Of an assignment."`
	UnitID int64  `json:"unitId,omitempty" doc:"Of a dispatch."`
	Text   string `json:"text,omitempty" doc:"The note of a dispatch or assignment, the reason of urging."`
	Tag    string `json:"tag,omitempty"`
	Area   string `json:"area,omitempty" maxLength:"20" doc:"Code of the street or town."`
}

// BulkTarget is a ticket as the person saw it. Seen is who had it.
type BulkTarget struct {
	ID      int64 `json:"id"`
	Version int64 `json:"version"`
}

// StartBulk asks to do the same to many tickets.
type StartBulk struct {
	Key     string `json:"-"`
	Action  BulkAction
	Params  BulkParams
	Targets []BulkTarget
}

// BulkView is a bulk action with its progress.
type BulkView struct {
	ID         int64        `json:"id"`
	Action     BulkAction   `json:"action" enum:"claim,assign,dispatch,urge,archive,tag,locate"`
	Label      string       `json:"label"`
	State      BulkState    `json:"state" enum:"working,done,undoing,undone"`
	CreatedAt  time.Time    `json:"createdAt"`
	FinishedAt *time.Time   `json:"finishedAt,omitempty"`
	Total      int          `json:"total"`
	Done       int          `json:"done"`
	Failed     int          `json:"failed"`
	Undone     int          `json:"undone"`
	Undoable   bool         `json:"undoable"`
	Rows       []BulkResult `json:"rows" doc:"Failures first."`
}

// BulkResult is what became of one ticket.
type BulkResult struct {
	ID      int64        `json:"id"`
	Number  string       `json:"number"`
	State   BulkRowState `json:"state" enum:"waiting,done,skipped,failed,undone,kept"`
	Message string       `json:"message,omitempty"`
}

// StartBulk writes the bulk action down and has it worked in the background: one command per ticket with its own right, version,
// event and audit record, so that one that fails leaves the others alone. It returns ErrForbidden without the right of the
// action, and a fault for more than MaxBulk tickets or for one the actor does not see.
func (s *Service) StartBulk(ctx context.Context, actor access.Actor, cmd StartBulk) (BulkView, error) {
	right, known := bulkRights[cmd.Action]
	if !known {
		return BulkView{}, fault.InvalidField("action", "TICKET_BULK", "没有这种批量操作")
	}
	if err := colleagueMay(actor, PermView); err != nil {
		return BulkView{}, err
	}
	if !slices.ContainsFunc(right.any, actor.Can) {
		return BulkView{}, ErrForbidden
	}
	if n := len(cmd.Targets); n == 0 || n > MaxBulk {
		return BulkView{}, fault.InvalidField("items", "TICKET_BULK_SIZE", fmt.Sprintf("请选择 1 到 %d 件工单", MaxBulk))
	}
	if err := cmd.Params.check(cmd.Action); err != nil {
		return BulkView{}, err
	}
	if cmd.Action == BulkLocate {
		if _, err := s.area(cmd.Params.Area); err != nil {
			return BulkView{}, err
		}
	}
	params, err := json.Marshal(cmd.Params)
	if err != nil {
		return BulkView{}, err
	}
	now := s.clock.Now()
	var id int64
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.bulk", Key: cmd.Key, Request: cmd, Now: now}, func() (int64, error) {
			rows, err := bulkItems(ctx, tx, actor, cmd.Targets)
			if err != nil {
				return 0, err
			}
			b := bulkRow{Action: cmd.Action, Params: string(params), State: BulkWorking, OwnerID: actor.UserID, OwnerName: actor.Name, CreatedAt: now, Total: len(rows)}
			b.Ask()
			if _, err := tx.NewInsert().Model(&b).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				return 0, err
			}
			for i := range rows {
				rows[i].BulkID = b.ID
			}
			if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
				return 0, err
			}
			database.AfterCommit(tx, s.bulks.Wake)
			return b.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.bulk", Object: ObjectBulk, ObjectID: b.ID,
				Summary: fmt.Sprintf("批量%s %d 件工单", right.label, len(rows)), Detail: cmd.Params})
		})
		return err
	})
	if err != nil {
		return BulkView{}, fmt.Errorf("bulk %s: %w", cmd.Action, err)
	}
	return s.Bulk(ctx, actor, id)
}

func (p *BulkParams) check(a BulkAction) error {
	var err error
	if p.Text, err = clean("text", "说明", p.Text, maxNote, a == BulkUrge); err != nil {
		return err
	}
	if p.Tag, err = clean("tag", "标签", p.Tag, maxTag, a == BulkTag); err != nil {
		return err
	}
	switch {
	case a == BulkAssign && p.UserID == 0:
		return fault.InvalidField("userId", "TICKET_COLLEAGUE", "请选择指派给谁")
	case a == BulkLocate && p.Area == "":
		return fault.InvalidField("area", "TICKET_AREA", "请选择街道或乡镇")
	case a == BulkDispatch && p.UnitID == 0:
		return fault.InvalidField("unitId", "UNIT_UNKNOWN", "请选择承办单位")
	}
	return nil
}

// bulkItems are the rows of the tickets, each once; one the actor does not see refuses the whole, and says no more.
func bulkItems(ctx context.Context, tx bun.Tx, actor access.Actor, targets []BulkTarget) ([]bulkItem, error) {
	ids := make([]int64, 0, len(targets))
	for _, t := range targets {
		if !slices.Contains(ids, t.ID) {
			ids = append(ids, t.ID)
		}
	}
	var seen []Ticket
	err := narrow(tx.NewSelect().Model(&seen).Column("id", "number").Where("t.id IN (?)", bun.List(ids)), visible(actor)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	if len(seen) != len(ids) {
		return nil, fault.InvalidField("items", "TICKET_BULK_UNSEEN", "所选工单中有的已不在您的可见范围内，请刷新列表后重新选择")
	}
	numbers := make(map[int64]string, len(seen))
	for _, t := range seen {
		numbers[t.ID] = t.Number
	}
	rows := make([]bulkItem, 0, len(ids))
	for _, t := range targets {
		if slices.ContainsFunc(rows, func(r bulkItem) bool { return r.TicketID == t.ID }) {
			continue
		}
		rows = append(rows, bulkItem{TicketID: t.ID, N: len(rows) + 1, Version: t.Version, Number: numbers[t.ID], State: RowWaiting})
	}
	return rows, nil
}

// UndoBulk takes back what was done to each ticket, as far as the rules of undoing allow this person now; what cannot be undone
// is named. It returns ErrNotFound for a bulk action of somebody else, ErrBulkUndo while it is at work, for one that was undone,
// and for reminders, which were read.
func (s *Service) UndoBulk(ctx context.Context, actor access.Actor, id int64, reason, key string) (BulkView, error) {
	if err := colleagueMay(actor, PermView); err != nil {
		return BulkView{}, err
	}
	reason, err := clean("reason", "撤销原因", reason, maxNote, true)
	if err != nil {
		return BulkView{}, err
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.bulk_undo", Key: key, Request: []any{id, reason}, Now: now}, func() (int64, error) {
			b, err := bulkOf(ctx, tx, actor, id)
			if err != nil {
				return 0, err
			}
			switch {
			case b.Action == BulkUrge:
				return 0, ErrBulkUndo.With("催办已经送达承办单位，不能撤销")
			case b.State != BulkDone:
				return 0, ErrBulkUndo.With("批量操作还在进行，或已经撤销过")
			}
			b.State, b.Reason, b.FinishedAt = BulkUndoing, reason, nil
			b.Ask()
			err = database.Changed(tx.NewUpdate().Model(b).Column("state", "reason", "finished_at", "due", "fence", "attempts", "lease_until").
				Where("id = ? AND state = ?", b.ID, BulkDone).Exec(ctx))
			if err != nil {
				return 0, err
			}
			database.AfterCommit(tx, s.bulks.Wake)
			return b.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.bulk_undo", Object: ObjectBulk, ObjectID: b.ID,
				Summary: "撤销批量" + bulkRights[b.Action].label, Detail: map[string]any{"reason": reason}})
		})
		return err
	})
	if err != nil {
		return BulkView{}, fmt.Errorf("undo bulk %d: %w", id, err)
	}
	return s.Bulk(ctx, actor, id)
}

// bulkOf reads a bulk action of the actor's own.
func bulkOf(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*bulkRow, error) {
	b := new(bulkRow)
	q := db.NewSelect().Model(b).Where("b.id = ?", id)
	if actor.Party != access.System {
		q = q.Where("b.owner_id = ?", actor.UserID)
	}
	return b, database.Found(q.Scan(ctx))
}

// Bulk returns a bulk action of the actor's own with its progress.
func (s *Service) Bulk(ctx context.Context, actor access.Actor, id int64) (BulkView, error) {
	if err := colleagueMay(actor, PermView); err != nil {
		return BulkView{}, err
	}
	db := s.db.Read()
	b, err := bulkOf(ctx, db, actor, id)
	if err != nil {
		return BulkView{}, err
	}
	var rows []bulkItem
	if err := db.NewSelect().Model(&rows).Where("w.bulk_id = ?", id).OrderExpr("w.n").Scan(ctx); err != nil {
		return BulkView{}, err
	}
	v := BulkView{ID: b.ID, Action: b.Action, Label: bulkRights[b.Action].label, State: b.State, CreatedAt: b.CreatedAt.UTC(), FinishedAt: utc(b.FinishedAt),
		Total: b.Total, Done: b.Done, Failed: b.Failed, Undone: b.Undone, Undoable: b.State == BulkDone && b.Action != BulkUrge && b.Done > 0, Rows: []BulkResult{}}
	slices.SortStableFunc(rows, func(x, y bulkItem) int { return weight(x.State) - weight(y.State) })
	for _, r := range rows {
		v.Rows = append(v.Rows, BulkResult{ID: r.TicketID, Number: r.Number, State: r.State, Message: r.Message})
	}
	return v, nil
}

func weight(s BulkRowState) int {
	if s == RowFailed || s == RowKept {
		return 0
	}
	return 1
}

func bulkKey(b *bulkRow, r *bulkItem, what string) string {
	return "bulk:" + strconv.FormatInt(b.ID, 10) + ":" + strconv.FormatInt(r.TicketID, 10) + ":" + what
}
