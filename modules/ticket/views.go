package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// ObjectView is the name of a saved view in the audit log.
const ObjectView = "ticket_view"

// maxViews is how many views a person is offered, maxCount how far the tickets of one are counted.
const (
	maxViews = 60
	maxCount = 1000
)

// The faults of saved views.
var (
	ErrViewStale = fault.New(fault.Conflict, "CHANGED", "视图已被他人修改，请刷新后再保存")
	ErrViewShare = fault.New(fault.Forbidden, "TICKET_VIEW_SHARE", "您没有共享视图的权限，请保存为个人视图")
)

// ViewHolder says whose view it is.
type ViewHolder string

// The holders.
const (
	PersonalView ViewHolder = "personal"
	UnitView     ViewHolder = "unit"
	DeskShared   ViewHolder = "desk"
)

type viewRow struct {
	bun.BaseModel `bun:"table:ticket_views,alias:v"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Version   int64      `bun:"version,notnull"`
	Holder    ViewHolder `bun:"holder,notnull"`
	UserID    int64      `bun:"user_id,notnull"`
	UnitID    int64      `bun:"unit_id,notnull"`
	UnitName  string     `bun:"unit_name,notnull"`
	Name      string     `bun:"name,notnull"`
	Filter    string     `bun:"filter,notnull"`
	Columns   string     `bun:"columns,notnull"`
	Position  int64      `bun:"position,notnull"`
	EditorID  int64      `bun:"editor_id,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	UpdatedAt time.Time  `bun:"updated_at,notnull"`
}

type chosenRow struct {
	bun.BaseModel `bun:"table:ticket_view_defaults"`

	UserID int64 `bun:"user_id,pk"`
	ViewID int64 `bun:"view_id,notnull"`
}

// ViewText is what a person says of a view. Filter holds the values of the list's address by name; the order is one of them.
type ViewText struct {
	Name    string              `json:"name" maxLength:"30"`
	Holder  ViewHolder          `json:"holder" enum:"personal,unit,desk"`
	Filter  map[string][]string `json:"filter"`
	Columns []string            `json:"columns" maxItems:"30"`
}

// SavedView is a view as the actor may use it.
type SavedView struct {
	ID       int64               `json:"id"`
	Version  int64               `json:"version"`
	Name     string              `json:"name"`
	Holder   ViewHolder          `json:"holder" enum:"personal,unit,desk"`
	UnitName string              `json:"unitName"`
	Filter   map[string][]string `json:"filter"`
	Columns  []string            `json:"columns"`
	Editable bool                `json:"editable"`
	Default  bool                `json:"default" doc:"The actor's list begins with it."`
}

// ViewCount is how many tickets a view holds; More says there are more than were counted.
type ViewCount struct {
	ID    int64 `json:"id"`
	Count int   `json:"count"`
	More  bool  `json:"more,omitempty"`
}

// uses keeps the views an actor is offered: their own, those of their unit, those of the desk.
func uses(q *bun.SelectQuery, a access.Actor) *bun.SelectQuery {
	return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.Where("v.holder = ? AND v.user_id = ?", PersonalView, a.UserID)
		if a.DepartmentID != 0 {
			q = q.WhereOr("v.holder = ? AND v.unit_id = ?", UnitView, a.DepartmentID)
		}
		if isDesk(a) {
			q = q.WhereOr("v.holder = ?", DeskShared)
		}
		return q
	})
}

// changes reports whether the actor may change a view they use.
func (r *viewRow) changes(a access.Actor) bool {
	return r.Holder == PersonalView && r.UserID == a.UserID || r.Holder != PersonalView && a.Can(PermShareView)
}

func (r *viewRow) view(a access.Actor, chosen int64) SavedView {
	v := SavedView{ID: r.ID, Version: r.Version, Name: r.Name, Holder: r.Holder, UnitName: r.UnitName, Filter: map[string][]string{}, Columns: []string{},
		Editable: r.changes(a), Default: r.ID == chosen}
	// What was kept was checked; a value of a later program is left out rather than failing the page.
	_ = json.Unmarshal([]byte(r.Filter), &v.Filter)
	_ = json.Unmarshal([]byte(r.Columns), &v.Columns)
	return v
}

// readFilter turns the values of the list's address into a filter.
func readFilter(values map[string][]string) (ListFilter, error) {
	var f ListFilter
	number := func(name, v string) (int64, error) {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			return 0, fault.InvalidField(name, "FILTER", "筛选条件无法识别，请重新选择")
		}
		return n, nil
	}
	for name, list := range values {
		if len(list) == 0 {
			continue
		}
		one := list[0]
		var err error
		switch name {
		case "q":
			f.Query = one
		case "scope":
			f.Waiting = one == "waiting"
		case "status":
			for _, v := range list {
				f.Statuses = append(f.Statuses, Status(v))
			}
		case "urgency":
			f.Urgency = Urgency(one)
		case "alert":
			f.Alert = Alert(one)
		case "flag":
			f.Flag = Flag(one)
		case "type":
			f.Types = list
		case "area":
			f.Areas = list
		case "unit":
			f.Unit, err = number(name, one)
		case "holder":
			f.Holder, err = number(name, one)
		case "source":
			f.Source = Source(one)
		case "tag":
			f.Tag = one
		case "from":
			f.From = one
		case "to":
			f.To = one
		case "dueFrom":
			f.DueFrom = one
		case "dueTo":
			f.DueTo = one
		case "phone":
			f.Phone = one
		case "code":
			f.Code = one
		case "company":
			f.Enterprise, err = number(name, one)
		case "queue":
			f.Queue = Queue(one)
		case "sort":
			f.Sort = Sort(one)
		default:
			err = fault.InvalidField(name, "FILTER", "没有这个筛选条件，请刷新页面后重试")
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// Views lists the views the actor may use in their order, with the actor's own default marked.
func (s *Service) Views(ctx context.Context, actor access.Actor) ([]SavedView, error) {
	if err := colleagueMay(actor, PermView); err != nil {
		return nil, err
	}
	rows, chosen, err := s.viewRows(ctx, actor)
	out := make([]SavedView, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].view(actor, chosen))
	}
	return out, err
}

func (s *Service) viewRows(ctx context.Context, actor access.Actor) ([]viewRow, int64, error) {
	db := s.db.Read()
	var rows []viewRow
	if err := uses(db.NewSelect().Model(&rows), actor).OrderExpr("v.position, v.id").Limit(maxViews).Scan(ctx); err != nil {
		return nil, 0, fmt.Errorf("views: %w", err)
	}
	var chosen []chosenRow
	if err := db.NewSelect().Model(&chosen).Where("user_id = ?", actor.UserID).Scan(ctx); err != nil {
		return nil, 0, err
	}
	if len(chosen) == 0 {
		return rows, 0, nil
	}
	return rows, chosen[0].ViewID, nil
}

// CountViews counts the tickets of the views the actor uses, each up to a thousand: what is not counted costs nothing. Views
// that search words are left out.
func (s *Service) CountViews(ctx context.Context, actor access.Actor) ([]ViewCount, error) {
	if err := colleagueMay(actor, PermView); err != nil {
		return nil, err
	}
	rows, _, err := s.viewRows(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := []ViewCount{}
	for i := range rows {
		f, err := readFilter(rows[i].view(actor, 0).Filter)
		if err != nil || f.Query != "" {
			continue
		}
		n, err := s.count(ctx, actor, f)
		if fault.KindOf(err) == fault.Invalid {
			continue // a unit or a value that is gone since
		} else if err != nil {
			return nil, err
		}
		out = append(out, ViewCount{ID: rows[i].ID, Count: min(n, maxCount), More: n > maxCount})
	}
	return out, nil
}

// count counts the tickets of a list, to one more than maxCount.
func (s *Service) count(ctx context.Context, actor access.Actor, f ListFilter) (int, error) {
	if err := f.check(actor); err != nil {
		return 0, err
	}
	db := s.db.Read()
	scopes, some, err := s.compile(ctx, db, actor, &f)
	if err != nil || !some {
		return 0, err
	}
	rows, err := list(ctx, db, "t.id", scopes, f, 0, maxCount+1)
	return len(rows), err
}
