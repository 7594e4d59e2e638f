package offline

import (
	"context"
	"strconv"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// View is a record as it is shown.
type View struct {
	ID              int64      `json:"id"`
	Number          string     `json:"number"`
	State           State      `json:"state" enum:"waiting,confirmed,denied,cancelled"`
	InstitutionID   int64      `json:"institutionId"`
	InstitutionName string     `json:"institutionName"`
	ProductName     string     `json:"productName"`
	EnterpriseName  string     `json:"enterpriseName"`
	Day             string     `json:"day"`
	Place           string     `json:"place"`
	Persons         string     `json:"persons"`
	Content         string     `json:"content"`
	By              string     `json:"by,omitempty" doc:"Who recorded it; empty for the company."`
	ByPlatform      bool       `json:"byPlatform"`
	At              time.Time  `json:"at"`
	Sent            int        `json:"sent"`
	SentAt          *time.Time `json:"sentAt,omitempty"`
	SettledAt       *time.Time `json:"settledAt,omitempty"`
	SettledHow      string     `json:"settledHow,omitempty" enum:",link,signed_in"`
	Words           string     `json:"words"`
	Actions         []string   `json:"actions" enum:"again,cancel,answer"`
}

func (r *row) view() View {
	return View{ID: r.ID, Number: r.Number, State: r.State, InstitutionID: r.InstitutionID, InstitutionName: r.InstitutionName, ProductName: r.ProductName,
		EnterpriseName: r.EnterpriseName, Day: r.Day, Place: r.Place, Persons: r.Persons, Content: r.Content, ByPlatform: r.ByPlatform, At: r.At.UTC(),
		Sent: r.Sent, SentAt: r.SentAt, SettledAt: r.SettledAt, SettledHow: r.SettledHow, Words: r.Words, Actions: []string{}}
}

func (s *Service) seen(r *row, actor access.Actor) View {
	v := r.view()
	if actor.Party != access.Enterprise {
		v.By = r.By
	}
	if r.State != Waiting {
		return v
	}
	if actor.Party == access.Enterprise {
		v.Actions = append(v.Actions, "answer")
	} else if recorder(actor, r) {
		if r.Sent < maxSent && (r.SentAt == nil || s.Clock.Now().Sub(*r.SentAt) >= 24*time.Hour) {
			v.Actions = append(v.Actions, "again")
		}
		v.Actions = append(v.Actions, "cancel")
	}
	return v
}

// Get returns one record as the actor may see it.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	return s.seen(r, actor), nil
}

// Filter narrows a list within what the actor may see.
type Filter struct {
	State         State
	InstitutionID int64
	From, To      string // days of the service
	Cursor        string
	Limit         int
}

func (f Filter) check() error {
	if f.State != "" && f.State.Label() == "" {
		return fault.InvalidField("state", "OFFLINE_STATE", "没有这种状态，请重新选择")
	}
	for field, day := range map[string]string{"from": f.From, "to": f.To} {
		if day == "" {
			continue
		}
		if _, err := text.Day(field, day, clock.Beijing); err != nil {
			return err
		}
	}
	return nil
}

// List returns a page of the records the actor may see, newest first, and the cursor of the next page.
func (s *Service) List(ctx context.Context, actor access.Actor, f Filter) ([]View, string, error) {
	if !actor.SignedIn() {
		return nil, "", fault.ErrUnauthorized
	}
	if err := f.check(); err != nil {
		return nil, "", err
	}
	before, err := text.Cursor(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	var rows []row
	where, args := visible(actor)
	q := s.DB.Read().NewSelect().Model(&rows).Where(where, args...).OrderExpr("o.id DESC").Limit(int64(f.Limit + 1))
	if before != 0 {
		q = q.Where("o.id < ?", before)
	}
	if f.State != "" {
		q = q.Where("o.state = ?", f.State)
	}
	if f.InstitutionID != 0 {
		q = q.Where("o.institution_id = ?", f.InstitutionID)
	}
	if f.From != "" {
		q = q.Where("o.day >= ?", f.From)
	}
	if f.To != "" {
		q = q.Where("o.day <= ?", f.To)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[f.Limit-1].ID, 10)
	}
	out := make([]View, 0, len(rows))
	for i := range rows {
		out = append(out, s.seen(&rows[i], actor))
	}
	return out, next, nil
}

// Tally is how many services of an institution there are. Only what is confirmed counts.
type Tally struct {
	InstitutionID   int64  `bun:"institution_id" json:"institutionId"`
	InstitutionName string `bun:"institution_name" json:"institutionName"`
	Confirmed       int    `bun:"confirmed" json:"confirmed"`
	Companies       int    `bun:"companies" json:"companies" doc:"Companies with a confirmed service."`
	Waiting         int    `bun:"waiting" json:"waiting"`
	Denied          int    `bun:"denied" json:"denied"`
}

// Stats counts the services of a span of days by institution, most confirmed first.
func (s *Service) Stats(ctx context.Context, actor access.Actor, from, to string) ([]Tally, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	if actor.Party == access.Enterprise {
		return nil, ErrForbidden
	}
	if err := (Filter{From: from, To: to}).check(); err != nil {
		return nil, err
	}
	out := []Tally{}
	where, args := visible(actor)
	q := s.DB.Read().NewSelect().TableExpr("offline_services AS o").ColumnExpr(`o.institution_id, max(o.institution_name) AS institution_name,
		sum(CASE WHEN o.state = 'confirmed' THEN 1 ELSE 0 END) AS confirmed, count(DISTINCT CASE WHEN o.state = 'confirmed' THEN o.enterprise_id END) AS companies,
		sum(CASE WHEN o.state = 'waiting' THEN 1 ELSE 0 END) AS waiting, sum(CASE WHEN o.state = 'denied' THEN 1 ELSE 0 END) AS denied`).
		Where(where, args...).GroupExpr("o.institution_id").OrderExpr("confirmed DESC, o.institution_id").Limit(500)
	if from != "" {
		q = q.Where("o.day >= ?", from)
	}
	if to != "" {
		q = q.Where("o.day <= ?", to)
	}
	err := q.Scan(ctx, &out)
	return out, err
}

// ExportSource is the records as a spreadsheet, newest first: what the actor sees.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[View]
	parsed := func(f sheet.Filter) (Filter, error) {
		out := Filter{State: State(f["state"]), From: f["from"], To: f["to"]}
		if err := f.Only("state", "from", "to", "institutionId"); err != nil {
			return out, err
		}
		if f["institutionId"] != "" {
			var err error
			if out.InstitutionID, err = strconv.ParseInt(f["institutionId"], 10, 64); err != nil {
				return out, sheet.ErrFilter
			}
		}
		if out.check() != nil {
			return out, sheet.ErrFilter
		}
		return out, nil
	}
	return sheet.List[View]{
		Name: "offline_services", Title: "线下服务", Permission: PermExport,
		Describe: func(f sheet.Filter) (string, error) {
			p, err := parsed(f)
			if err != nil {
				return "", err
			}
			words := p.State.Label()
			if p.From != "" || p.To != "" {
				words += " 服务日期：" + p.From + " 至 " + p.To
			}
			return words, nil
		},
		Fields: []sheet.Field[View]{
			of("number", "登记编号", 20, func(v *View) sheet.Cell { return sheet.Text(v.Number) }),
			of("state", "状态", 12, func(v *View) sheet.Cell { return sheet.Text(v.State.Label()) }),
			of("day", "服务日期", 12, func(v *View) sheet.Cell { return sheet.Text(v.Day) }),
			of("enterprise", "企业", 28, func(v *View) sheet.Cell { return sheet.Text(v.EnterpriseName) }),
			of("institution", "机构", 26, func(v *View) sheet.Cell { return sheet.Text(v.InstitutionName) }),
			of("product", "服务", 26, func(v *View) sheet.Cell { return sheet.Text(v.ProductName) }),
			of("place", "地点", 24, func(v *View) sheet.Cell { return sheet.Text(v.Place) }),
			of("persons", "参加人员", 20, func(v *View) sheet.Cell { return sheet.Text(v.Persons) }),
			of("content", "服务内容", 40, func(v *View) sheet.Cell { return sheet.Text(v.Content) }),
			of("by", "登记人", 12, func(v *View) sheet.Cell { return sheet.Text(v.By) }),
			of("at", "登记时间", 20, func(v *View) sheet.Cell { return sheet.Time(v.At) }),
			of("settledAt", "答复时间", 20, func(v *View) sheet.Cell { return sheet.TimeOf(v.SettledAt) }),
			of("words", "企业说明", 30, func(v *View) sheet.Cell { return sheet.Text(v.Words) }),
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]View, string, error) {
			p, err := parsed(f)
			if err != nil {
				return nil, "", err
			}
			p.Cursor, p.Limit = after, min(limit, 100)
			return s.List(ctx, actor, p)
		},
	}.Source()
}
