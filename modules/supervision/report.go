package supervision

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/text"
)

// Kind is how long a report looks back.
type Kind string

// The kinds of reports.
const (
	Daily   Kind = "day"
	Weekly  Kind = "week"
	Monthly Kind = "month"
)

var kinds = map[Kind]string{Daily: "日报", Weekly: "周报", Monthly: "月报"}

// Label is the Chinese word of the kind.
func (k Kind) Label() string { return kinds[k] }

// span is the last whole period before now, and what it is called.
func (k Kind) span(now time.Time) (from, to time.Time, name string) {
	day := clock.Midnight(now)
	switch k {
	case Weekly:
		to = day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		from = to.AddDate(0, 0, -7)
		return from, to, from.Format("2006年1月2日") + "至" + to.AddDate(0, 0, -1).Format("1月2日")
	case Monthly:
		to = day.AddDate(0, 0, 1-day.Day())
		from = to.AddDate(0, -1, 0)
		return from, to, from.Format("2006年1月")
	}
	return day.AddDate(0, 0, -1), day, day.AddDate(0, 0, -1).Format("2006年1月2日")
}

// Figure is a line of a report, with how it is reckoned.
type Figure struct {
	Label string `json:"label"`
	Value string `json:"value"`
	Def   string `json:"def"`
}

// Section are figures that belong together.
type Section struct {
	Title   string   `json:"title"`
	Figures []Figure `json:"figures"`
}

// report is one that was made; it stays as it was.
type report struct {
	bun.BaseModel `bun:"table:supervision_reports,alias:p"`

	ID     int64     `bun:"id,pk,autoincrement"`
	Kind   Kind      `bun:"kind,notnull"`
	From   time.Time `bun:"from_at,notnull"`
	To     time.Time `bun:"to_at,notnull"`
	Name   string    `bun:"name,notnull"`
	Body   string    `bun:"body,notnull"`
	MadeAt time.Time `bun:"made_at,notnull"`
}

// ReportView is a report as it is shown.
type ReportView struct {
	ID       int64     `json:"id"`
	Kind     Kind      `json:"kind" enum:"day,week,month"`
	Title    string    `json:"title"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	MadeAt   time.Time `json:"madeAt"`
	Sections []Section `json:"sections,omitempty"`
}

// missed is how many spans that passed while no report was made are made up for.
var missed = map[Kind]int{Daily: 31, Weekly: 5, Monthly: 3}

// Make writes the reports of the last whole day, week and month that are not written yet, and of those between them and the
// last that was written; the last of each kind is told of. However often and by however many processes it is called, each is
// written, and told of, once.
func (s *Service) Make(ctx context.Context) error {
	for _, k := range []Kind{Daily, Weekly, Monthly} {
		due, err := s.due(ctx, k)
		if err != nil {
			return err
		}
		for i, at := range due {
			if err := s.write(ctx, k, at, i == len(due)-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// due are moments, the earliest first, each behind the end of a span whose report is not written. An installation without any
// report begins with the last one.
func (s *Service) due(ctx context.Context, k Kind) ([]time.Time, error) {
	var last time.Time
	if err := s.DB.Read().NewSelect().Model((*report)(nil)).Column("from_at").Where("p.kind = ?", k).OrderExpr("p.from_at DESC").Limit(1).Scan(ctx, &last); errors.Is(err, sql.ErrNoRows) {
		return []time.Time{s.Clock.Now()}, nil
	} else if err != nil {
		return nil, err
	}
	var list []time.Time
	for at := s.Clock.Now(); len(list) <= missed[k]; {
		from, _, _ := k.span(at)
		if !from.After(last) {
			break
		}
		list = append(list, at)
		at = from
	}
	slices.Reverse(list)
	return list, nil
}

// write writes the report of the last whole span before the moment, and tells of it.
func (s *Service) write(ctx context.Context, k Kind, at time.Time, tell bool) error {
	from, to, name := k.span(at)
	sections, err := s.figures(ctx, from, to)
	if err != nil {
		return fmt.Errorf("figures of %s %s: %w", k, name, err)
	}
	body, err := json.Marshal(sections)
	if err != nil {
		return err
	}
	fresh := false
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := report{Kind: k, From: from.UTC(), To: to.UTC(), Name: name, Body: string(body), MadeAt: s.Clock.Now()}
		if fresh, err = database.InsertNew(ctx, tx, &r, "kind, from_at"); err != nil || !fresh || !tell {
			return err
		}
		return s.Messages.Tell(ctx, tx, fmt.Sprintf("report:%s:%d", k, from.Unix()), "supervision.report", fmt.Sprintf("/supervision/reports/%d", r.ID),
			map[string]string{"name": k.Label(), "text": name})
	})
	if err == nil && fresh {
		jobs.Note(ctx, "生成%s %s", k.Label(), name)
	}
	return err
}

// figures reckons a report from the facts of the span.
func (s *Service) figures(ctx context.Context, from, to time.Time) ([]Section, error) {
	db := s.DB.Read()
	n, err := event.Counts(ctx, db, from, to)
	if err != nil {
		return nil, err
	}
	calls, err := s.Telephone.Figures(ctx, db, from, to, to)
	if err != nil {
		return nil, err
	}
	// An alarm belongs to the day on which it was raised, an hour after the first moment that it looks at.
	surges, err := db.NewSelect().Model((*alarm)(nil)).Where("a.first_at >= ? AND a.first_at < ?", from.Add(-hour), to.Add(-hour)).Count(ctx)
	if err != nil {
		return nil, err
	}
	num := func(label string, v int64, def string) Figure { return Figure{label, strconv.FormatInt(v, 10), def} }
	rate := func(label string, v float64, of int, def string) Figure {
		if of == 0 { // a share of nothing is not a good one
			return Figure{label, "—", def}
		}
		return Figure{label, fmt.Sprintf("%.1f%%", 100*v), def}
	}
	telephone := Section{"话务", []Figure{
		num("呼入", int64(calls.Calls), "期内振铃的呼入通话数"), num("接通", int64(calls.Answered), "呼入中由坐席接通的通话数"), num("未接通", int64(calls.Missed), "呼入中无人接通即结束的通话数"),
		rate("接通率", calls.ConnectRate, calls.Answered+calls.Missed, "接通 ÷（接通＋未接通），国家标准 GB/T 33358-2016 不低于 95%"), rate("15 秒接听率", calls.InTimeRate, calls.Answered, "振铃后 15 秒内接通的通话 ÷ 接通"),
	}}
	tickets := Section{"工单", []Figure{
		num("受理", n["ticket.opened"], "期内提交并受理的诉求数"), num("直接答复", n["ticket.answered"], "受理席直接答复的次数"), num("派单", n["ticket.dispatched"], "派单次数，含重新派单"),
		num("反馈", n["ticket.replied"], "承办单位反馈办理结果的次数"), num("办结", n["ticket.closed"], "期内办结的次数"), num("重办", n["ticket.reopened"], "退回承办单位重办的次数"),
		num("不予受理", n["ticket.declined"], "不予受理并说明理由的诉求数"), num("评价", n["ticket.rated"], "企业作出评价的次数"),
	}}
	care := Section{"时限与督办", []Figure{
		num("时限预警", n["ticket.clock_warned"], "时限即将到期发出的预警数"), num("超时", n["ticket.clock_breached"], "期内发生的时限超时数，一件工单可有多项时限"), num("催办", n["ticket.urged"], "人工和自动催办次数"),
		num("退单申请", n["ticket.return_asked"], "承办单位申请退单的次数"), num("延期申请", n["ticket.extension_asked"], "承办单位申请延期的次数"), num("突增预警", int64(surges), "同一事项、同一区域一小时内明显多于往常的预警数"),
	}}
	return []Section{telephone, tickets, care}, nil
}

// Tasks are what the clock asks of the module.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "supervision.report", Title: "生成热线运行日报、周报和月报", Cron: "15 0 * * *", Run: s.Make,
		Failure: "热线运行报告没有生成；请查看失败原因，恢复后可重新执行，不会重复生成。"}}
}

// Reports lists the reports of a kind, "" for all, newest first. It takes supervision.view.
func (s *Service) Reports(ctx context.Context, actor access.Actor, kind Kind, cursor string, limit int) ([]ReportView, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	q := s.DB.Read().NewSelect().OrderExpr("p.id DESC").Limit(int64(limit) + 1)
	if kind != "" {
		if kind.Label() == "" {
			return nil, "", fault.InvalidField("kind", "REPORT_KIND", "请选择日报、周报或月报")
		}
		q = q.Where("p.kind = ?", kind)
	}
	if before, err := text.Cursor(cursor); err != nil {
		return nil, "", err
	} else if before > 0 {
		q = q.Where("p.id < ?", before)
	}
	var rows []report
	if err := q.Model(&rows).Scan(ctx); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]ReportView, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].view())
	}
	return out, next, nil
}

func (r *report) view() ReportView {
	return ReportView{ID: r.ID, Kind: r.Kind, Title: "热线运行" + r.Kind.Label() + "　" + r.Name, From: r.From.In(clock.Beijing), To: r.To.In(clock.Beijing), MadeAt: r.MadeAt.UTC()}
}

// Report returns one with its figures.
func (s *Service) Report(ctx context.Context, actor access.Actor, id int64) (ReportView, error) {
	if err := actor.Need(PermView); err != nil {
		return ReportView{}, err
	}
	r := new(report)
	if err := database.Found(s.DB.Read().NewSelect().Model(r).Where("p.id = ?", id).Scan(ctx)); err != nil {
		return ReportView{}, err
	}
	v := r.view()
	return v, json.Unmarshal([]byte(r.Body), &v.Sections)
}
