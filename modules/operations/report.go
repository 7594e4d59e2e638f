package operations

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

// Source gives figures to the daily report.
type Source struct {
	Title string
	// Figures says what happened in [from, to), or how things stand now where a time has no meaning.
	Figures func(ctx context.Context, from, to time.Time) ([]Figure, error)
}

// Figure is one line of the report.
type Figure struct {
	Label string `json:"label"`
	Value string `json:"value"`
	Note  string `json:"note"`
}

// Number makes a figure of a count.
func Number(label string, n int64, note string) Figure {
	return Figure{Label: label, Value: strconv.FormatInt(n, 10), Note: note}
}

// Section are figures that belong together.
type Section struct {
	Title   string   `json:"title"`
	Figures []Figure `json:"figures"`
}

// ReportCheck is how a check stood when the report was made.
type ReportCheck struct {
	Group string `json:"group"`
	Title string `json:"title"`
	State State  `json:"state" enum:"normal,warn,bad"`
	Text  string `json:"text"`
}

// ReportIncident is an incident of the day.
type ReportIncident struct {
	Title    string     `json:"title"`
	Text     string     `json:"text"`
	OpenedAt time.Time  `json:"openedAt"`
	ClosedAt *time.Time `json:"closedAt,omitempty"`
	Lasted   string     `json:"lasted"`
	KnownBy  string     `json:"knownBy"`
	Known    string     `json:"known" doc:"What that person noted."`
}

// Report is one 《系统健康状态报告》. Its figures are those of the moment it was made and never change.
type Report struct {
	ID        int64            `json:"id"`
	Day       string           `json:"day" doc:"The day it is about, as 2026-11-27, Beijing."`
	MadeAt    time.Time        `json:"madeAt"`
	State     State            `json:"state" enum:"normal,warn,bad"`
	Summary   string           `json:"summary"`
	Checks    []ReportCheck    `json:"checks"`
	Incidents []ReportIncident `json:"incidents"`
	Sections  []Section        `json:"sections"`
}

// ReportItem is a report as it is listed.
type ReportItem struct {
	ID      int64     `json:"id"`
	Day     string    `json:"day"`
	MadeAt  time.Time `json:"madeAt"`
	State   State     `json:"state" enum:"normal,warn,bad"`
	Summary string    `json:"summary"`
}

// MakeReport makes the report of the day before and tells the people on duty. However many processes try, there is one
// report of a day; made says whether it was this call's.
func (s *Service) MakeReport(ctx context.Context) (day string, made bool, err error) {
	now := s.Clock.Now()
	b := now.In(clock.Beijing)
	to := time.Date(b.Year(), b.Month(), b.Day(), 0, 0, 0, 0, clock.Beijing)
	from := to.AddDate(0, 0, -1)
	day = from.Format(time.DateOnly)
	there, err := s.DB.Read().NewSelect().Model((*reportRow)(nil)).Where("r.day = ?", day).Exists(ctx)
	if err != nil || there {
		return day, false, err
	}
	r, err := s.compose(ctx, from.UTC(), to.UTC())
	if err != nil {
		return day, false, fmt.Errorf("compose the report of %s: %w", day, err)
	}
	r.Day, r.MadeAt = day, now
	body, err := json.Marshal(r)
	if err != nil {
		return day, false, err
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		made = false
		row := reportRow{Day: day, MadeAt: now, State: r.State, Summary: r.Summary, Body: string(body)}
		res, err := tx.NewInsert().Model(&row).ExcludeColumn("id").On("CONFLICT (day) DO NOTHING").Returning("id").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		made = true
		return s.Duty.Tell(ctx, tx, Notice{Occasion: Reported, Key: "report:" + day, Title: from.Format("2006年1月2日"), Text: strings.TrimRight(r.Summary, "。"),
			Link: fmt.Sprintf("/system/reports/%d", row.ID)})
	})
	return day, made, err
}

func (s *Service) compose(ctx context.Context, from, to time.Time) (Report, error) {
	r := Report{State: Normal, Checks: []ReportCheck{}, Incidents: []ReportIncident{}, Sections: []Section{}}
	h, err := s.health(ctx, access.SystemActor("job:operations.report"))
	if err != nil {
		return r, err
	}
	counts := map[State]int{}
	for _, c := range h.Checks {
		r.Checks = append(r.Checks, ReportCheck{Group: c.Group, Title: c.Title, State: c.State, Text: c.Text})
		r.State = worse(r.State, c.State)
		counts[c.State]++
	}
	var rows []incidentRow
	err = s.DB.Read().NewSelect().Model(&rows).Where("i.opened_at < ? AND (i.closed_at IS NULL OR i.closed_at >= ?)", to, from).OrderExpr("i.id").Limit(200).Scan(ctx)
	if err != nil {
		return r, err
	}
	for i := range rows {
		v := rows[i].view(s.Clock.Now())
		r.Incidents = append(r.Incidents, ReportIncident{Title: v.Title, Text: v.Text, OpenedAt: v.OpenedAt, ClosedAt: v.ClosedAt, Lasted: v.Lasted, KnownBy: v.KnownBy, Known: v.KnownNote})
		r.State = worse(r.State, Warn)
	}
	own, err := s.figures(ctx, from, to)
	if err != nil {
		return r, err
	}
	r.Sections = append(r.Sections, own...)
	for _, src := range s.Sources {
		sec := Section{Title: src.Title}
		if sec.Figures, err = src.Figures(ctx, from, to); err != nil {
			// A report that says what it lacks is worth more than none.
			s.Log.Error("figures of the health report", "section", src.Title, "error", err)
			sec.Figures = []Figure{{Label: "统计情况", Value: "—", Note: "生成报告时未能统计"}}
		}
		r.Sections = append(r.Sections, sec)
	}
	backlog := Section{Title: "生成报告时的积压", Figures: []Figure{}}
	for _, b := range s.backlogs(ctx, s.Clock.Now()) {
		var notes []string
		if b.Stuck > 0 {
			notes = append(notes, fmt.Sprintf("其中 %d 项需人工处理", b.Stuck))
		}
		if b.Age != "" {
			notes = append(notes, "最久 "+b.Age)
		}
		f := Number(b.Title, b.Waiting, strings.Join(notes, "，"))
		if b.Fault != "" {
			f.Value, f.Note = "—", b.Fault
		}
		backlog.Figures = append(backlog.Figures, f)
	}
	r.Sections = append(r.Sections, backlog)
	r.Summary = fmt.Sprintf("%d 项检查中正常 %d 项、注意 %d 项、异常 %d 项；当日异常事件 %d 起。", len(h.Checks), counts[Normal], counts[Warn], counts[Bad], len(rows))
	return r, nil
}

// figures are those of what the module itself watches.
func (s *Service) figures(ctx context.Context, from, to time.Time) ([]Section, error) {
	t, err := s.trafficBetween(ctx, from, to)
	if err != nil {
		return nil, err
	}
	runs, err := s.Scheduler.Ended(ctx, from, to)
	if err != nil {
		return nil, err
	}
	counts, err := s.Queue.Counts(ctx)
	if err != nil {
		return nil, err
	}
	var dead, retrying int64
	for _, c := range counts {
		dead, retrying = dead+c.Dead, retrying+c.Retrying
	}
	rate := "—"
	if t.Requests > 0 {
		rate = fmt.Sprintf("%.2f%%", float64(t.Failed)*100/float64(t.Requests))
	}
	return []Section{
		{Title: "访问", Figures: []Figure{Number("处理请求", t.Requests, ""), Number("系统出错", t.Failed, "出错率 "+rate),
			Number("被拒绝", t.Refused, "未登录、无权限、填写有误等"), Number("超过 3 秒", t.Slow, "")}},
		{Title: "后台工作", Figures: []Figure{Number("定时任务执行", runs.Done+runs.Failed, ""), Number("定时任务失败", runs.Failed, ""),
			Number("失败的后台工作", dead, "生成报告时"), Number("等待自动重试", retrying, "生成报告时")}},
	}, nil
}

// Reports returns a page of the reports, newest first, and the cursor of the next page. It needs operations.view.
func (s *Service) Reports(ctx context.Context, actor access.Actor, cursor string, limit int) ([]ReportItem, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	before, limit, err := pageOf(cursor, limit)
	if err != nil {
		return nil, "", err
	}
	var rows []reportRow
	q := s.DB.Read().NewSelect().Model(&rows).ExcludeColumn("body").OrderExpr("r.id DESC").Limit(int64(limit + 1))
	if before > 0 {
		q = q.Where("r.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list reports: %w", err)
	}
	rows, next := page(rows, limit, func(r reportRow) int64 { return r.ID })
	items := make([]ReportItem, 0, len(rows))
	for _, r := range rows {
		items = append(items, ReportItem{ID: r.ID, Day: r.Day, MadeAt: r.MadeAt.UTC(), State: r.State, Summary: r.Summary})
	}
	return items, next, nil
}

// Report returns one report. It needs operations.view.
func (s *Service) Report(ctx context.Context, actor access.Actor, id int64) (Report, error) {
	if err := actor.Need(PermView); err != nil {
		return Report{}, err
	}
	var row reportRow
	if err := s.DB.Read().NewSelect().Model(&row).Where("r.id = ?", id).Scan(ctx); err != nil {
		return Report{}, database.Found(err)
	}
	var r Report
	if err := json.Unmarshal([]byte(row.Body), &r); err != nil {
		return r, fmt.Errorf("read report %d: %w", id, err)
	}
	r.ID = row.ID
	return r, nil
}
