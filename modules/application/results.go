package application

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// PermResults is the right to read what came of applications in figures: of all whom the actor sees.
const PermResults access.Permission = "application.results"

// maxMonths is how many months one answer covers.
const maxMonths = 36

// Group is what results are counted by.
type Group string

// The groups.
const (
	ByInstitution Group = "institution"
	ByKind        Group = "kind"
	ByMonth       Group = "month"
)

var groupNames = map[Group]string{ByInstitution: "机构", ByKind: "产品类型", ByMonth: "月份"}

// ResultFilter chooses the applications that were submitted from the first to the last month, 2026-06 to 2026-11.
type ResultFilter struct {
	From, To string
	By       Group
}

// Result is what came of the applications of a group. Amounts are fen; averages are of those that have a figure, 0 for none.
type Result struct {
	Key            string `json:"key"`
	Label          string `json:"label"`
	Submitted      int64  `json:"submitted"`
	Accepted       int64  `json:"accepted"`
	Declined       int64  `json:"declined"`
	Withdrawn      int64  `json:"withdrawn"`
	Completed      int64  `json:"completed"`
	Overdue        int64  `json:"overdue" doc:"Not done although the time has passed."`
	Approved       int64  `json:"approved"`
	ApprovedAmount int64  `json:"approvedAmount"`
	// Rate is yearly, basis points, weighted by amount.
	Rate            int64 `json:"rate"`
	Disbursed       int64 `json:"disbursed"`
	DisbursedAmount int64 `json:"disbursedAmount"`
	AcceptMinutes   int64 `json:"acceptMinutes" doc:"From submitting to accepting, on average."`
	TotalMinutes    int64 `json:"totalMinutes" doc:"From submitting to the end, on average, without what was withdrawn."`

	weighed, weight, accepts, ended, acceptSum, totalSum int64
}

// Results is the answer with its sum.
type Results struct {
	From  string   `json:"from"`
	To    string   `json:"to"`
	By    Group    `json:"by" enum:"institution,kind,month"`
	Items []Result `json:"items"`
	Total Result   `json:"total"`
}

// months reads the filter; empty months are the last six.
func (f *ResultFilter) months(now time.Time) ([]time.Time, error) {
	const form = "2006-01"
	today := now.In(clock.Beijing)
	this := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, clock.Beijing)
	if f.To == "" {
		f.To = this.Format(form)
	}
	last, err := time.ParseInLocation(form, f.To, clock.Beijing)
	if err != nil {
		return nil, fault.InvalidField("to", "MONTH", "请选择截止月份")
	}
	if f.From == "" {
		f.From = last.AddDate(0, -5, 0).Format(form)
	}
	first, err := time.ParseInLocation(form, f.From, clock.Beijing)
	if err != nil {
		return nil, fault.InvalidField("from", "MONTH", "请选择起始月份")
	}
	if first.After(last) {
		return nil, fault.InvalidField("to", "MONTH_ORDER", "截止月份不能早于起始月份")
	}
	var list []time.Time
	for m := first; !m.After(last); m = m.AddDate(0, 1, 0) {
		list = append(list, m)
		if len(list) > maxMonths {
			return nil, fault.InvalidField("from", "MONTH_MANY", fmt.Sprintf("一次最多统计 %d 个月", maxMonths))
		}
	}
	if f.By == "" {
		f.By = ByInstitution
	}
	if groupNames[f.By] == "" {
		return nil, fault.InvalidField("by", "RESULT_GROUP", "请选择按机构、产品类型或月份统计")
	}
	return list, nil
}

// Results counts what came of the applications the actor sees. It needs application.results.
func (s *Service) Results(ctx context.Context, actor access.Actor, f ResultFilter) (Results, error) {
	if err := actor.Need(PermResults); err != nil {
		return Results{}, err
	}
	now := s.Clock.Now()
	months, err := f.months(now)
	if err != nil {
		return Results{}, err
	}
	out := Results{From: f.From, To: f.To, By: f.By, Items: []Result{}, Total: Result{Label: "合计"}}
	end := months[len(months)-1].AddDate(0, 1, 0)
	db, scope := s.DB.Read(), visible(actor)
	switch f.By {
	case ByMonth:
		for _, m := range months {
			rows, err := results(ctx, db, scope, "''", m, m.AddDate(0, 1, 0), now)
			if err != nil {
				return Results{}, err
			}
			r := Result{}
			if len(rows) > 0 {
				r = rows[0]
			}
			r.Key, r.Label = m.Format("2006-01"), fmt.Sprintf("%d年%d月", m.Year(), m.Month())
			out.Items = append(out.Items, r)
		}
	default:
		column := "a.kind"
		if f.By == ByInstitution {
			column = "a.institution_id"
		}
		if out.Items, err = results(ctx, db, scope, column, months[0], end, now); err != nil {
			return Results{}, err
		}
		if err := s.label(ctx, db, f.By, out.Items); err != nil {
			return Results{}, err
		}
		slices.SortStableFunc(out.Items, func(a, b Result) int { return int(b.Submitted - a.Submitted) })
	}
	for i := range out.Items {
		out.Total.add(out.Items[i])
		out.Items[i].average()
	}
	out.Total.average()
	return out, nil
}

func (r *Result) add(x Result) {
	r.Submitted += x.Submitted
	r.Accepted += x.Accepted
	r.Declined += x.Declined
	r.Withdrawn += x.Withdrawn
	r.Completed += x.Completed
	r.Overdue += x.Overdue
	r.Approved += x.Approved
	r.ApprovedAmount += x.ApprovedAmount
	r.Disbursed += x.Disbursed
	r.DisbursedAmount += x.DisbursedAmount
	r.weighed, r.weight, r.accepts, r.ended = r.weighed+x.weighed, r.weight+x.weight, r.accepts+x.accepts, r.ended+x.ended
	r.acceptSum, r.totalSum = r.acceptSum+x.acceptSum, r.totalSum+x.totalSum
}

func (r *Result) average() {
	if r.weight > 0 {
		r.Rate = (r.weighed + r.weight/2) / r.weight
	}
	if r.accepts > 0 {
		r.AcceptMinutes = r.acceptSum / r.accepts
	}
	if r.ended > 0 {
		r.TotalMinutes = r.totalSum / r.ended
	}
}

// label names the groups as people know them: an institution by its latest name.
func (s *Service) label(ctx context.Context, db bun.IDB, by Group, items []Result) error {
	if by == ByKind {
		for i := range items {
			items[i].Label = items[i].Key
			if k := slices.IndexFunc(s.Kinds, func(k Kind) bool { return k.Code == items[i].Key }); k >= 0 {
				items[i].Label = s.Kinds[k].Name
			}
		}
		return nil
	}
	for i := range items {
		err := db.NewSelect().Model((*Application)(nil)).Column("institution_name").Where("a.institution_id = ?", items[i].Key).OrderExpr("a.id DESC").Limit(1).Scan(ctx, &items[i].Label)
		if err != nil {
			return fmt.Errorf("name of institution %s: %w", items[i].Key, err)
		}
	}
	return nil
}

// results counts by a column.
func results(ctx context.Context, db bun.IDB, sc scope, column string, from, until, now time.Time) ([]Result, error) {
	count := func(condition string) string {
		return "CAST(SUM(CASE WHEN " + condition + " THEN 1 ELSE 0 END) AS BIGINT)"
	}
	sum := func(value string) string { return "CAST(COALESCE(SUM(" + value + "), 0) AS BIGINT)" }
	columns := []string{
		"CAST(" + column + " AS VARCHAR)", "COUNT(*)", count("a.accepted_at IS NOT NULL"), count("a.status = 'declined'"), count("a.status = 'withdrawn'"), count("a.status = 'completed'"),
		count("a.approved_amount > 0"), sum("a.approved_amount"), sum("CASE WHEN a.approved_rate > 0 THEN a.approved_amount / 100 * a.approved_rate ELSE 0 END"),
		sum("CASE WHEN a.approved_rate > 0 THEN a.approved_amount / 100 ELSE 0 END"), count("a.disbursed_amount > 0"), sum("a.disbursed_amount"),
		count("a.accepted_at IS NOT NULL AND a.accept_minutes > 0"), sum("CASE WHEN a.accepted_at IS NOT NULL THEN a.accept_minutes ELSE 0 END"),
		count("a.closed_at IS NOT NULL AND a.status <> 'withdrawn'"), sum("CASE WHEN a.status <> 'withdrawn' THEN a.total_minutes ELSE 0 END"),
	}
	q := sc.narrow(db.NewSelect().Model((*Application)(nil)).ColumnExpr(strings.Join(columns, ", "))).
		ColumnExpr("CAST(SUM(CASE WHEN a.due_for <> '' AND a.due_held_at IS NULL AND a.due_at < ? THEN 1 ELSE 0 END) AS BIGINT)", now).
		Where("a.submitted_at >= ? AND a.submitted_at < ?", from.UTC(), until.UTC())
	if column != "''" {
		q = q.GroupExpr(column)
	}
	rows, err := q.Rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("results of applications: %w", err)
	}
	defer rows.Close()
	out := []Result{}
	for rows.Next() {
		var r Result
		into := []any{&r.Key, &r.Submitted}
		nullable := make([]nullInt, 15)
		for i := range nullable {
			into = append(into, &nullable[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, to := range []*int64{&r.Accepted, &r.Declined, &r.Withdrawn, &r.Completed, &r.Approved, &r.ApprovedAmount, &r.weighed, &r.weight, &r.Disbursed, &r.DisbursedAmount,
			&r.accepts, &r.acceptSum, &r.ended, &r.totalSum, &r.Overdue} {
			*to = int64(nullable[i])
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// nullInt reads a number that is NULL over no rows as 0.
type nullInt int64

// Scan reads it.
func (n *nullInt) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*n = 0
	case int64:
		*n = nullInt(v)
	default:
		return fmt.Errorf("a count from %T", src)
	}
	return nil
}

// ResultSource is the table of results that leaves as a spreadsheet.
func (s *Service) ResultSource() sheet.Source {
	of := sheet.Of[Result]
	hours := func(minutes int64) sheet.Cell {
		if minutes == 0 {
			return sheet.Cell{}
		}
		return sheet.Fen(minutes * 100 / 60)
	}
	fields := []sheet.Field[Result]{of("label", "统计对象", 26, func(r *Result) sheet.Cell { return sheet.Text(r.Label) })}
	for _, c := range []struct {
		key, title string
		value      func(r *Result) int64
	}{
		{"submitted", "申请数", func(r *Result) int64 { return r.Submitted }}, {"accepted", "已受理", func(r *Result) int64 { return r.Accepted }},
		{"declined", "未通过", func(r *Result) int64 { return r.Declined }}, {"withdrawn", "已撤回", func(r *Result) int64 { return r.Withdrawn }},
		{"completed", "已办结", func(r *Result) int64 { return r.Completed }}, {"overdue", "超时未办", func(r *Result) int64 { return r.Overdue }},
		{"approved", "审批笔数", func(r *Result) int64 { return r.Approved }}, {"disbursed", "放款户数", func(r *Result) int64 { return r.Disbursed }},
	} {
		fields = append(fields, of(c.key, c.title, 10, func(r *Result) sheet.Cell { return sheet.Int(c.value(r)) }))
	}
	fields = append(fields,
		of("approvedAmount", "审批金额（元）", 18, func(r *Result) sheet.Cell { return sheet.Fen(r.ApprovedAmount) }),
		of("rate", "加权年利率（%）", 14, func(r *Result) sheet.Cell { return sheet.Fen(r.Rate) }), // basis points are hundredths too
		of("disbursedAmount", "放款金额（元）", 18, func(r *Result) sheet.Cell { return sheet.Fen(r.DisbursedAmount) }),
		of("acceptHours", "平均受理用时（小时）", 18, func(r *Result) sheet.Cell { return hours(r.AcceptMinutes) }),
		of("totalHours", "平均办结用时（小时）", 18, func(r *Result) sheet.Cell { return hours(r.TotalMinutes) }))
	read := func(ctx context.Context, actor access.Actor, f sheet.Filter) ([]Result, error) {
		if err := f.Only("from", "to", "by"); err != nil {
			return nil, err
		}
		all, err := s.Results(ctx, actor, ResultFilter{From: f["from"], To: f["to"], By: Group(f["by"])})
		if fault.KindOf(err) == fault.Invalid {
			return nil, sheet.ErrFilter
		}
		return append(all.Items, all.Total), err
	}
	return sheet.List[Result]{
		Name: "application_results", Title: "申请成果统计", Permission: PermResults, Fields: fields,
		Describe: func(f sheet.Filter) (string, error) {
			check := ResultFilter{From: f["from"], To: f["to"], By: Group(f["by"])}
			if _, err := check.months(s.Clock.Now()); err != nil {
				return "", sheet.ErrFilter
			}
			return fmt.Sprintf("%s 至 %s 提交的申请，按%s", check.From, check.To, groupNames[check.By]), nil
		},
		Count: func(ctx context.Context, actor access.Actor, f sheet.Filter, most int) (int, error) {
			rows, err := read(ctx, actor, f)
			return min(len(rows), most), err
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, _ int) ([]Result, string, error) {
			if after != "" {
				return nil, "", nil
			}
			rows, err := read(ctx, actor, f)
			return rows, "", err
		},
	}.Source()
}
