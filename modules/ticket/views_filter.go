package ticket

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/uscc"
)

// Queue is what of the tickets that wait for the actor's desk or unit is asked for.
type Queue string

// The queues.
const (
	QueueFree  Queue = "free"  // 待领取: nobody has it
	QueueMine  Queue = "mine"  // 我的: the actor has it
	QueueGroup Queue = "group" // 本组: the actor or a colleague of the same desk or unit has it
)

// Sort is the order of a list.
type Sort string

// The orders. Those by time left list only what is not over.
const (
	Newest    Sort = ""
	DueFirst  Sort = "due"     // the nearest deadline first
	MostFirst Sort = "urgency" // 危急 before urgent before the rest, each by deadline
)

// Fields narrow a list by the key fields of a ticket. Zero values narrow nothing.
type Fields struct {
	Types      []string
	Areas      []string // codes of streets and towns, NoArea for the unknown
	Unit       int64    // the unit that has the ticket, or one above it
	Holder     int64    // who works on it, at the desk or in a unit
	Source     Source   // how it came in
	Tag        string
	From, To   string // days of receipt, 2006-01-02 in Beijing, both included
	DueFrom    string // days of the deadline
	DueTo      string
	Phone      string // whole, or its last four digits
	Code       string // the beginning of a credit code, 8 characters or more
	Enterprise int64
	Queue      Queue
	Sort       Sort
}

// condition is one more thing a ticket must meet, in SQL that is the same for both databases.
type condition struct {
	where string
	args  []any
}

// check refuses what nobody can mean.
func (f *ListFilter) check(actor access.Actor) error {
	for _, st := range f.Statuses {
		if st.Label() == "" {
			return fault.InvalidField("status", "TICKET_STATUS", "没有这种工单状态，请重新选择")
		}
	}
	if f.Urgency != "" && !f.Urgency.Known() {
		return fault.InvalidField("urgency", "TICKET_URGENCY", "没有这种紧急程度，请重新选择")
	}
	if f.Flag != "" && !f.Flag.Known() {
		return fault.InvalidField("flag", "TICKET_FLAG", "没有这种待审标记，请重新选择")
	}
	if f.Alert != NoAlert && (f.Alert != DueSoon && f.Alert != OverDue || actor.Party == access.Enterprise) {
		return fault.InvalidField("alert", "TICKET_ALERT", "请选择即将超时或已超时")
	}
	if !slices.Contains([]Queue{"", QueueFree, QueueMine, QueueGroup}, f.Queue) {
		return fault.InvalidField("queue", "TICKET_QUEUE", "没有这个队列，请重新选择")
	}
	if !slices.Contains([]Sort{Newest, DueFirst, MostFirst}, f.Sort) {
		return fault.InvalidField("sort", "TICKET_SORT", "没有这种排序方式，请重新选择")
	}
	// What staff keep beside a ticket is not the requester's to ask for.
	if actor.Party == access.Enterprise && (f.Queue != "" || f.Holder != 0 || f.Tag != "" || f.Unit != 0 || f.Phone != "" || f.Code != "") {
		return ErrForbidden
	}
	if f.Cursor != "" {
		if _, err := f.position(); err != nil {
			return err
		}
	}
	return nil
}

// compile turns the filter into conditions and returns the scopes it is asked within; false when nothing can be in it.
func (s *Service) compile(ctx context.Context, db bun.IDB, actor access.Actor, f *ListFilter) ([]scope, bool, error) {
	scopes := visible(actor)
	if f.Waiting || f.Queue != "" {
		scopes = current(scopes)
		if f.Waiting || len(f.Statuses) == 0 {
			if f.Statuses = waitingFor(actor); len(f.Statuses) == 0 {
				return nil, false, nil
			}
		}
	}
	if f.Sort != Newest && len(f.Statuses) == 0 {
		f.Statuses = unfinished
	}
	f.also = nil
	add := func(where string, args ...any) { f.also = append(f.also, condition{where, args}) }
	if f.Flag == FlagMine {
		f.also = append(f.also, mine(actor))
	}
	own, ownArgs := ownPlaces(actor)
	const has = "EXISTS (SELECT 1 FROM ticket_holders AS k WHERE k.ticket_id = t.id AND "
	switch f.Queue {
	case QueueFree:
		add("NOT "+has+own+")", ownArgs...)
	case QueueGroup:
		add(has+own+")", ownArgs...)
	case QueueMine:
		add("t.id IN (SELECT k.ticket_id FROM ticket_holders AS k WHERE k.user_id = ?)", actor.UserID)
	}
	if f.Holder != 0 {
		add("t.id IN (SELECT k.ticket_id FROM ticket_holders AS k WHERE k.user_id = ?)", f.Holder)
	}
	if f.Tag != "" {
		add("t.id IN (SELECT g.ticket_id FROM ticket_tags AS g WHERE g.tag = ?)", f.Tag)
	}
	if f.Source != "" {
		add("t.source = ?", string(f.Source))
	}
	if f.Enterprise != 0 {
		add("t.enterprise_id = ?", f.Enterprise)
	}
	if len(f.Types) > 0 {
		add("t.type_code IN ("+marksFor(len(f.Types))+")", anys(f.Types)...)
	}
	for _, more := range []func() error{
		func() error { return s.byArea(f, add) },
		func() error { return s.byUnit(ctx, db, f, add) },
		func() error { return s.byDays(ctx, db, f, add) },
		func() error { return s.byContact(ctx, db, f, add) },
	} {
		if err := more(); err != nil {
			return nil, false, err
		}
	}
	return scopes, true, nil
}

// unfinished are the states in which something is still to be done.
var unfinished = []Status{Received, Direct, Sent, Handling, OnHold, Reported, Reviewed, Calling}

// byUnit keeps the tickets of a unit and those below it, by the column of its level.
func (s *Service) byUnit(ctx context.Context, db bun.IDB, f *ListFilter, add func(string, ...any)) error {
	if f.Unit == 0 {
		return nil
	}
	u, err := s.unit(ctx, db, "unit", f.Unit)
	if err != nil {
		return err
	}
	if n := depth(u.Levels); n > 0 {
		add(fmt.Sprintf("t.unit_l%d = ?", n), u.ID)
	} else {
		add("t.unit_id = ?", u.ID)
	}
	return nil
}

// byDays keeps days of receipt and of the deadline. A list walks ids, so the days of receipt also bound those: the index by
// time of receipt tells the first and the last.
func (s *Service) byDays(ctx context.Context, db bun.IDB, f *ListFilter, add func(string, ...any)) error {
	span := func(field, from, to, column string) (where []string, args []any, err error) {
		for _, end := range []struct {
			day, sign string
			more      int
		}{{from, " >= ?", 0}, {to, " < ?", 1}} {
			if end.day == "" {
				continue
			}
			at, err := time.ParseInLocation("2006-01-02", end.day, clock.Beijing)
			if err != nil {
				return nil, nil, fault.InvalidField(field, "DAY", "日期请写成 2026-11-22 的样式")
			}
			where, args = append(where, column+end.sign), append(args, at.AddDate(0, 0, end.more))
		}
		return where, args, nil
	}
	due, args, err := span("due", f.DueFrom, f.DueTo, "t.due_at")
	if err != nil {
		return err
	}
	for i := range due {
		add(due[i], args[i])
	}
	received, args, err := span("received", f.From, f.To, "t.created_at")
	if err != nil || len(received) == 0 {
		return err
	}
	var low, high *int64
	query := "SELECT min(t.id), max(t.id) FROM tickets AS t WHERE " + strings.Join(received, " AND ")
	if err := database.QueryOne(ctx, db, []any{&low, &high}, query, slices.Clone(args)...); err != nil {
		return fmt.Errorf("days of receipt: %w", err)
	}
	if low == nil || high == nil {
		add("1 = 0")
		return nil
	}
	add("t.id BETWEEN ? AND ?", *low, *high)
	for i := range received {
		add(received[i], args[i])
	}
	return nil
}

// byContact keeps the tickets of a phone and of companies by the beginning of their credit code.
func (s *Service) byContact(ctx context.Context, db bun.IDB, f *ListFilter, add func(string, ...any)) error {
	if typed := strings.TrimSpace(f.Phone); tailTyped.MatchString(typed) {
		add("t.phone_tail = ?", s.box.BlindTail(typed))
	} else if typed != "" {
		phone, err := telephone("phone", typed)
		if err != nil {
			return err
		}
		add("t.phone_blind = ?", s.box.Blind("phone", phone))
	}
	if strings.TrimSpace(f.Code) == "" {
		return nil
	}
	code := uscc.Normalize(f.Code)
	if !codeTyped.MatchString(code) {
		return fault.InvalidField("code", "TICKET_CODE", "请填写统一社会信用代码的前 8 位或更多")
	}
	ids, err := s.requesters.EnterprisesByCode(ctx, db, code, maxCompanies)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		add("1 = 0")
		return nil
	}
	add("t.enterprise_id IN ("+marksFor(len(ids))+")", anys(ids)...)
	return nil
}

func marksFor(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func anys[T any](list []T) []any {
	out := make([]any, 0, len(list))
	for _, v := range list {
		out = append(out, v)
	}
	return out
}

// conditions are all that the filter asks for beside the states.
func (f *ListFilter) conditions() []condition {
	out := slices.Clone(f.also)
	if f.Urgency != "" {
		out = append(out, condition{"t.urgency = ?", []any{string(f.Urgency)}})
	}
	if f.Flag != "" && f.Flag != FlagMine {
		out = append(out, condition{f.Flag.where(), nil})
	}
	if f.Alert != NoAlert {
		out = append(out, condition{"t.alert = ?", []any{string(f.Alert)}})
	}
	return out
}

// position is where a page begins: behind an id, or in an order by deadline behind a deadline and an id of one urgency.
type position struct {
	rank int
	due  time.Time
	id   int64
}

// ranks are the urgencies in the order of MostFirst.
var ranks = []Urgency{Critical, Urgent, Normal}

func (f *ListFilter) cursorOf(t *Ticket) string {
	id := strconv.FormatInt(t.ID, 10)
	if f.Sort == Newest || strings.TrimSpace(f.Query) != "" {
		return id
	}
	rank := 0
	if f.Sort == MostFirst {
		rank = slices.Index(ranks, t.Urgency)
	}
	return fmt.Sprintf("%d.%d.%s", rank, t.DueAt.UnixMicro(), id)
}

func (f *ListFilter) position() (position, error) {
	bad := fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	if f.Cursor == "" {
		return position{}, nil
	}
	parts := strings.Split(f.Cursor, ".")
	last, err := strconv.ParseInt(parts[len(parts)-1], 10, 64)
	if err != nil || last <= 0 {
		return position{}, bad
	}
	if f.Sort == Newest || strings.TrimSpace(f.Query) != "" {
		if len(parts) != 1 {
			return position{}, bad
		}
		return position{id: last}, nil
	}
	if len(parts) != 3 {
		return position{}, bad
	}
	rank, err := strconv.Atoi(parts[0])
	if err != nil || rank < 0 || rank >= len(ranks) {
		return position{}, bad
	}
	due, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return position{}, bad
	}
	return position{rank, time.UnixMicro(due).UTC(), last}, nil
}

// pageRows reads one row more than the page holds, in the order asked for. What is searched comes newest first.
func (s *Service) pageRows(ctx context.Context, db bun.IDB, scopes []scope, f ListFilter) ([]Ticket, wanted, error) {
	at, err := f.position()
	if err != nil {
		return nil, wanted{}, err
	}
	if f.Sort == Newest || strings.TrimSpace(f.Query) != "" {
		columns := itemColumns
		if strings.TrimSpace(f.Query) != "" {
			columns += ", t.body, t.reply" // shown around what was found
		}
		rows, w, err := s.rows(ctx, db, columns, scopes, f, at.id, f.Limit+1)
		if err == nil && f.Sort != Newest && w.note == "" {
			w.note = "查询结果按受理时间排列"
		}
		return rows, w, err
	}
	w := wanted{}
	if f.Sort == DueFirst {
		rows, err := dueList(ctx, db, scopes, f, ranks, at, f.Limit+1)
		return rows, w, err
	}
	var rows []Ticket
	for rank := at.rank; rank < len(ranks) && len(rows) <= f.Limit; rank++ {
		from := at
		if rank != at.rank {
			from = position{}
		}
		some, err := dueList(ctx, db, scopes, f, ranks[rank:rank+1], from, f.Limit+1-len(rows))
		if err != nil {
			return nil, w, err
		}
		rows = append(rows, some...)
	}
	return rows, w, nil
}

// dueList reads tickets of these urgencies by deadline: one query per scope, state and urgency, each along one index, merged.
// Each asks for where its tickets stand only, since most of them are on a later page.
func dueList(ctx context.Context, db bun.IDB, scopes []scope, f ListFilter, urgencies []Urgency, from position, limit int) ([]Ticket, error) {
	var out []Ticket
	seen := map[int64]bool{}
	for _, urgency := range urgencies {
		if f.Urgency != "" && f.Urgency != urgency {
			continue
		}
		also := []condition{{"t.urgency = ?", []any{string(urgency)}}}
		if from.id > 0 {
			also = append(also, condition{"(t.due_at, t.id) > (?, ?)", []any{from.due, from.id}})
		}
		rows, err := walk(ctx, db, "t.id, t.due_at", scopes, f, also, "t.due_at, t.id", limit)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if !seen[r.ID] {
				seen[r.ID] = true
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b Ticket) int {
		if c := a.DueAt.Compare(b.DueAt); c != 0 {
			return c
		}
		return int(a.ID - b.ID)
	})
	out = out[:min(limit, len(out))]
	ids := make([]int64, 0, len(out))
	for i := range out {
		ids = append(ids, out[i].ID)
	}
	return readOn(ctx, db, itemColumns, ids, map[int64]Ticket{})
}
