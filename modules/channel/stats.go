package channel

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// Group says what a line of the statistics is.
type Group string

// The groups.
const (
	ByChannel Group = "channel"
	ByDay     Group = "day"
	ByMonth   Group = "month"
)

var groupLabels = map[Group]string{ByChannel: "按渠道", ByDay: "按日", ByMonth: "按月"}

// Query asks for statistics. Each number stands on the day when the thing happened: the visit, the registration, the verification,
// the application, the grant.
type Query struct {
	Group     Group
	ChannelID int64
	Kind      Kind
	From, To  string // days; "" is the last thirty days
	Sort      string // a name of a number, "" for the natural order
	Ascending bool
}

const (
	spanDays  = 30
	mostDays  = 366
	mostYears = 5
)

func (q *Query) check(today string) error {
	if q.Group == "" {
		q.Group = ByChannel
	}
	var errs []error
	if groupLabels[q.Group] == "" {
		errs = append(errs, fault.InvalidField("group", "CHANNEL_GROUP", "请选择按渠道、按日或按月统计"))
	}
	if q.Kind != "" && q.Kind.Label() == "" {
		errs = append(errs, fault.InvalidField("kind", "CHANNEL_KIND", "没有这种渠道类型，请重新选择"))
	}
	if q.Sort != "" && numbers[q.Sort] == nil {
		errs = append(errs, fault.InvalidField("sort", "CHANNEL_SORT", "不能按此列排序"))
	}
	if q.To == "" {
		q.To = today
	}
	to, err := text.Day("to", q.To, clock.Beijing)
	if err != nil {
		return fault.Merge(append(errs, err)...)
	}
	if q.From == "" {
		q.From = to.AddDate(0, 0, 1-spanDays).Format(time.DateOnly)
	}
	from, err := text.Day("from", q.From, clock.Beijing)
	switch {
	case err != nil:
		errs = append(errs, err)
	case to.Before(from):
		errs = append(errs, fault.InvalidField("to", "CHANNEL_SPAN", "结束日期不能早于开始日期"))
	case q.Group == ByDay && to.Sub(from) >= mostDays*24*time.Hour:
		errs = append(errs, fault.InvalidField("from", "CHANNEL_SPAN", fmt.Sprintf("按日统计不超过 %d 天，更长的期间请按月统计", mostDays)))
	case from.AddDate(mostYears, 0, 0).Before(to):
		errs = append(errs, fault.InvalidField("from", "CHANNEL_SPAN", fmt.Sprintf("统计期间不超过 %d 年", mostYears)))
	}
	return fault.Merge(errs...)
}

// Numbers are what came of a channel, a day or a month.
type Numbers struct {
	Visits        int64 `json:"visits" doc:"A visitor counts once a day."`
	Visitors      int64 `json:"visitors" doc:"Different visitors of the whole line."`
	Registrations int64 `json:"registrations"`
	Verified      int64 `json:"verified" doc:"Companies that registered by a channel and were verified in the period."`
	Applications  int64 `json:"applications"`
	Approved      int64 `json:"approved" doc:"Applications by a channel that were granted in the period: a loan approved, a service completed."`
}

// numbers are the columns by which lines are sorted.
var numbers = map[string]func(n Numbers) int64{
	"visits": func(n Numbers) int64 { return n.Visits }, "visitors": func(n Numbers) int64 { return n.Visitors }, "registrations": func(n Numbers) int64 { return n.Registrations },
	"verified": func(n Numbers) int64 { return n.Verified }, "applications": func(n Numbers) int64 { return n.Applications }, "approved": func(n Numbers) int64 { return n.Approved },
	"conversion": Numbers.conversion,
}

// conversion is registrations for ten thousand visitors, -1 without visitors.
func (n Numbers) conversion() int64 {
	if n.Visitors == 0 {
		return -1
	}
	return n.Registrations * 10000 / n.Visitors
}

// Line is one line of the statistics.
type Line struct {
	Key      string `json:"key" doc:"The channel's id, the day or the month."`
	Name     string `json:"name"`
	Code     string `json:"code,omitempty"`
	KindName string `json:"kindName,omitempty"`
	Numbers
	Conversion int64 `json:"conversion" doc:"Registrations for ten thousand visitors; -1 without visitors."`
}

// Stats are the statistics of a period.
type Stats struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Lines []Line `json:"lines"`
	Total Line   `json:"total" doc:"Visitors of the total are different ones: fewer than the sum when somebody came by several channels."`
}

// Stats counts what came of the channels. It takes channel.view.
func (s *Service) Stats(ctx context.Context, actor access.Actor, q Query) (Stats, error) {
	if err := need(actor, PermView); err != nil {
		return Stats{}, err
	}
	if err := q.check(s.today()); err != nil {
		return Stats{}, err
	}
	out := Stats{From: q.From, To: q.To, Lines: []Line{}, Total: Line{Name: "合计"}}
	found := map[string]*Numbers{}
	of := func(key string) *Numbers {
		if found[key] == nil {
			found[key] = new(Numbers)
		}
		return found[key]
	}
	// One snapshot, so that no number knows of what another does not.
	err := s.DB.Read().RunInTx(ctx, snapshot(s.DB.Kind()), func(ctx context.Context, tx bun.Tx) error {
		rows, err := s.lines(ctx, tx, actor, q)
		if err != nil {
			return err
		}
		for _, r := range rows {
			of(r.Key)
		}
		out.Lines = rows
		return s.tally(ctx, tx, q, of, &out.Total.Numbers)
	})
	if err != nil {
		return Stats{}, err
	}
	for i := range out.Lines {
		l := &out.Lines[i]
		l.Numbers = *of(l.Key)
		l.Conversion = l.conversion()
		t := &out.Total
		t.Visits, t.Registrations, t.Verified = t.Visits+l.Visits, t.Registrations+l.Registrations, t.Verified+l.Verified
		t.Applications, t.Approved = t.Applications+l.Applications, t.Approved+l.Approved
	}
	out.Total.Conversion = out.Total.conversion()
	if by := numbers[q.Sort]; by != nil {
		slices.SortStableFunc(out.Lines, func(a, b Line) int {
			if q.Ascending {
				return cmp.Compare(by(a.Numbers), by(b.Numbers))
			}
			return cmp.Compare(by(b.Numbers), by(a.Numbers))
		})
	}
	return out, nil
}

// snapshot is how a few reads see one state.
func snapshot(k database.Kind) *sql.TxOptions {
	if k == database.Postgres {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return nil // a transaction of SQLite is one
}

// lines are the lines before anything is counted: all channels, or all days or months of the period.
func (s *Service) lines(ctx context.Context, db bun.IDB, actor access.Actor, q Query) ([]Line, error) {
	out := []Line{}
	if q.Group == ByChannel {
		var rows []row
		sel := q.narrow(db.NewSelect().Model(&rows).Where(visible(actor)), "c.id").OrderExpr("c.id DESC")
		if err := sel.Scan(ctx); err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, Line{Key: strconv.FormatInt(r.ID, 10), Name: r.Name, Code: r.Code, KindName: r.Kind.Label()})
		}
		return out, nil
	}
	from, err := time.Parse(time.DateOnly, q.From)
	if err != nil {
		return nil, err
	}
	to, err := time.Parse(time.DateOnly, q.To)
	if err != nil {
		return nil, err
	}
	form, step := time.DateOnly, func(d time.Time) time.Time { return d.AddDate(0, 0, 1) }
	if q.Group == ByMonth {
		form, step = "2006-01", func(d time.Time) time.Time { return time.Date(d.Year(), d.Month()+1, 1, 0, 0, 0, 0, time.UTC) }
	}
	for d := from; !d.After(to); d = step(d) {
		out = append(out, Line{Key: d.Format(form), Name: d.Format(form)})
	}
	return out, nil
}

// narrow keeps the channels that were asked for.
func (q Query) narrow(sel *bun.SelectQuery, column string) *bun.SelectQuery {
	if q.ChannelID != 0 {
		sel = sel.Where("? = ?", bun.Safe(column), q.ChannelID)
	}
	if q.Kind != "" {
		sel = sel.Where("? IN (SELECT id FROM channels WHERE kind = ?)", bun.Safe(column), q.Kind)
	}
	return sel
}

func (s *Service) tally(ctx context.Context, db bun.IDB, q Query, of func(key string) *Numbers, total *Numbers) error {
	key := func(day string) string {
		switch q.Group {
		case ByDay:
			return day
		case ByMonth:
			return "substr(" + day + ", 1, 7)"
		}
		return "CAST(channel_id AS VARCHAR(20))"
	}
	within := func(sel *bun.SelectQuery, day string) *bun.SelectQuery {
		return q.narrow(sel.Where("? >= ? AND ? <= ?", bun.Safe(day), q.From, bun.Safe(day), q.To), "channel_id")
	}
	var seen []struct {
		Key      string `bun:"k"`
		Visits   int64  `bun:"visits"`
		Visitors int64  `bun:"visitors"`
	}
	sel := within(db.NewSelect().TableExpr("channel_visits").ColumnExpr(key("day")+" AS k, count(*) AS visits, count(DISTINCT visitor) AS visitors"), "day")
	if err := sel.GroupExpr(key("day")).Scan(ctx, &seen); err != nil {
		return err
	}
	for _, r := range seen {
		n := of(r.Key)
		n.Visits, n.Visitors = r.Visits, r.Visitors
	}
	if err := within(db.NewSelect().TableExpr("channel_visits").ColumnExpr("count(DISTINCT visitor)"), "day").Scan(ctx, &total.Visitors); err != nil {
		return err
	}
	for _, column := range []string{"day", "outcome_day"} {
		var made []struct {
			Key     string  `bun:"k"`
			Subject Subject `bun:"subject"`
			N       int64   `bun:"n"`
		}
		sel := within(db.NewSelect().TableExpr("channel_attributions").ColumnExpr(key(column)+" AS k, subject, count(*) AS n"), column)
		if err := sel.GroupExpr(key(column)+", subject").Scan(ctx, &made); err != nil {
			return err
		}
		for _, r := range made {
			n := of(r.Key)
			switch {
			case column == "day" && r.Subject == Registration:
				n.Registrations = r.N
			case column == "day":
				n.Applications = r.N
			case r.Subject == Registration:
				n.Verified = r.N
			default:
				n.Approved = r.N
			}
		}
	}
	return nil
}

func percent(part, whole int64) sheet.Cell {
	if whole == 0 {
		return sheet.Text("")
	}
	return sheet.Text(strconv.FormatFloat(float64(part)*100/float64(whole), 'f', 1, 64) + "%")
}

// StatsSource is the statistics as a spreadsheet, with the totals as its last line.
func (s *Service) StatsSource() sheet.Source {
	of := sheet.Of[Line]
	parsed := func(f sheet.Filter) (Query, error) {
		q := Query{Group: Group(f["group"]), Kind: Kind(f["kind"]), From: f["from"], To: f["to"], Sort: f["sort"], Ascending: f["ascending"] == "true"}
		if err := f.Only("group", "kind", "channelId", "from", "to", "sort", "ascending"); err != nil {
			return q, err
		}
		if f["channelId"] != "" {
			var err error
			if q.ChannelID, err = strconv.ParseInt(f["channelId"], 10, 64); err != nil {
				return q, sheet.ErrFilter
			}
		}
		if q.check(s.today()) != nil {
			return q, sheet.ErrFilter
		}
		return q, nil
	}
	count := sheet.Int
	return sheet.List[Line]{
		Name: "channel_stats", Title: "渠道统计", Permission: PermExport,
		Describe: func(f sheet.Filter) (string, error) {
			q, err := parsed(f)
			if err != nil {
				return "", err
			}
			words := groupLabels[q.Group] + "，" + q.From + " 至 " + q.To
			if q.Kind != "" {
				words += "，" + q.Kind.Label()
			}
			return words, nil
		},
		Fields: []sheet.Field[Line]{
			of("name", "渠道或日期", 28, func(l *Line) sheet.Cell { return sheet.Text(l.Name) }),
			of("code", "编码", 12, func(l *Line) sheet.Cell { return sheet.Text(l.Code) }),
			of("kind", "类型", 12, func(l *Line) sheet.Cell { return sheet.Text(l.KindName) }),
			of("visits", "访问次数", 10, func(l *Line) sheet.Cell { return count(l.Visits) }),
			of("visitors", "访客数", 10, func(l *Line) sheet.Cell { return count(l.Visitors) }),
			of("registrations", "注册数", 10, func(l *Line) sheet.Cell { return count(l.Registrations) }),
			of("conversion", "注册转化率", 12, func(l *Line) sheet.Cell { return percent(l.Registrations, l.Visitors) }),
			of("verified", "认证企业数", 12, func(l *Line) sheet.Cell { return count(l.Verified) }),
			of("applications", "申请数", 10, func(l *Line) sheet.Cell { return count(l.Applications) }),
			of("approved", "办成申请数", 12, func(l *Line) sheet.Cell { return count(l.Approved) }),
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, _ string, _ int) ([]Line, string, error) {
			q, err := parsed(f)
			if err != nil {
				return nil, "", err
			}
			st, err := s.Stats(ctx, actor, q)
			return append(st.Lines, st.Total), "", err
		},
	}.Source()
}

// ExportSource is the channels with their links as a spreadsheet, newest first.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[View]
	parsed := func(f sheet.Filter) (Filter, error) {
		out := Filter{Kind: Kind(f["kind"]), State: State(f["state"]), Words: f["q"]}
		if err := f.Only("kind", "state", "q"); err != nil {
			return out, err
		}
		if out.check() != nil {
			return out, sheet.ErrFilter
		}
		return out, nil
	}
	return sheet.List[View]{
		Name: "channels", Title: "推广渠道", Permission: PermExport,
		Describe: func(f sheet.Filter) (string, error) {
			p, err := parsed(f)
			return p.Kind.Label() + p.State.Label() + p.Words, err
		},
		Fields: []sheet.Field[View]{
			of("name", "渠道名称", 28, func(v *View) sheet.Cell { return sheet.Text(v.Name) }),
			of("code", "编码", 12, func(v *View) sheet.Cell { return sheet.Text(v.Code) }),
			of("link", "短链接", 40, func(v *View) sheet.Cell { return sheet.Text(v.Link) }),
			of("kind", "类型", 12, func(v *View) sheet.Cell { return sheet.Text(v.Kind.Label()) }),
			of("owner", "负责人或单位", 24, func(v *View) sheet.Cell { return sheet.Text(v.Owner) }),
			of("landing", "打开的页面", 20, func(v *View) sheet.Cell { return sheet.Text(v.Landing) }),
			of("from", "开始日期", 12, func(v *View) sheet.Cell { return sheet.Text(v.From) }),
			of("to", "结束日期", 12, func(v *View) sheet.Cell { return sheet.Text(v.To) }),
			of("state", "状态", 10, func(v *View) sheet.Cell { return sheet.Text(v.State.Label()) }),
			of("by", "创建人", 12, func(v *View) sheet.Cell { return sheet.Text(v.By) }),
			of("at", "创建时间", 20, func(v *View) sheet.Cell { return sheet.Time(v.At) }),
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
