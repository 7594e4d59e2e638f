package application

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// The rights to take the list out: PermExport with masked contacts, PermExportPhone with them in clear, which counts for the
// operators of the application's own institution only.
const (
	PermExport      access.Permission = "application.export"
	PermExportPhone access.Permission = "application.export_phone"
)

// cellColumns are what the cells are made of, less than half of a row.
var cellColumns = []string{"id", "number", "status", "product_name", "kind_name", "institution_id", "institution_name", "enterprise_name", "contact_name", "phone_sealed",
	"amount", "term", "purpose", "handler_name", "submitted_at", "due_for", "due_at", "closed_at", "approved_amount", "approved_rate", "approved_term", "disbursed_amount",
	"disbursed_at", "reason"}

// exported is an application with who asked for it.
type exported struct {
	Application
	actor access.Actor
	extra map[string]string // of the fields administrators define, in words
}

// ExportSource is the list of applications that leaves as a spreadsheet: what the actor sees. The fields that administrators
// define are columns too, as they are at the moment.
func (s *Service) ExportSource() sheet.Source {
	src := s.exportSource(nil)
	src.Now = func(ctx context.Context) (sheet.Source, error) {
		if s.Fields == nil {
			return s.exportSource(nil), nil
		}
		list, err := s.Fields.Defined(ctx, s.DB.Read())
		return s.exportSource(list), err
	}
	return src
}

func (s *Service) exportSource(extra []Asked) sheet.Source {
	of := sheet.Of[exported]
	phone := func(clear bool) func(context.Context, *exported) (sheet.Cell, error) {
		return func(_ context.Context, a *exported) (sheet.Cell, error) {
			number, err := s.Box.Open(a.PhoneSealed, phonePlace(a.Number))
			if err != nil || clear && handles(a.actor, &a.Application) {
				return sheet.Text(string(number)), err
			}
			return sheet.Text(text.MaskPhone(string(number))), nil
		}
	}
	months := func(n int) sheet.Cell {
		if n == 0 {
			return sheet.Cell{}
		}
		return sheet.Int(int64(n))
	}
	fen := func(n int64) sheet.Cell {
		if n == 0 {
			return sheet.Cell{}
		}
		return sheet.Fen(n)
	}
	columns := []sheet.Field[exported]{
		of("number", "申请编号", 20, func(a *exported) sheet.Cell { return sheet.Text(a.Number) }),
		of("status", "状态", 10, func(a *exported) sheet.Cell { return sheet.Text(a.Status.Label()) }),
		of("product", "产品", 28, func(a *exported) sheet.Cell { return sheet.Text(a.ProductName) }),
		of("kind", "服务类别", 14, func(a *exported) sheet.Cell { return sheet.Text(a.KindName) }),
		of("institution", "机构", 26, func(a *exported) sheet.Cell { return sheet.Text(a.InstitutionName) }),
		of("enterprise", "企业", 28, func(a *exported) sheet.Cell { return sheet.Text(a.EnterpriseName) }),
		of("contact", "联系人", 12, func(a *exported) sheet.Cell {
			if handles(a.actor, &a.Application) {
				return sheet.Text(a.ContactName)
			}
			return sheet.Text(text.MaskName(a.ContactName))
		}),
		{SourceColumn: sheet.SourceColumn{Key: "phoneMasked", Title: "联系电话（脱敏）", Width: 16}, Cell: phone(false)},
		sheet.Field[exported]{SourceColumn: sheet.SourceColumn{Key: "phone", Title: "联系电话", Width: 16}, Cell: phone(true)}.Behind(PermExportPhone),
		of("amount", "申请金额（元）", 16, func(a *exported) sheet.Cell { return fen(a.Amount) }),
		of("term", "申请期限（月）", 14, func(a *exported) sheet.Cell { return months(a.Term) }),
		of("purpose", "用途", 30, func(a *exported) sheet.Cell { return sheet.Text(a.Purpose) }),
		of("handler", "经办人", 12, func(a *exported) sheet.Cell { return sheet.Text(a.HandlerName) }),
		of("submittedAt", "提交时间", 20, func(a *exported) sheet.Cell { return sheet.Time(a.SubmittedAt) }),
		of("dueFor", "时限种类", 12, func(a *exported) sheet.Cell { return sheet.Text(dueWords[a.For]) }),
		of("dueAt", "截止时间", 20, func(a *exported) sheet.Cell { return sheet.Time(a.Due.At) }),
		of("closedAt", "结束时间", 20, func(a *exported) sheet.Cell { return sheet.TimeOf(a.ClosedAt) }),
		of("approvedAmount", "审批金额（元）", 16, func(a *exported) sheet.Cell { return fen(a.ApprovedAmount) }),
		of("approvedRate", "年利率（%）", 12, func(a *exported) sheet.Cell { return fen(int64(a.ApprovedRate)) }), // basis points are hundredths too
		of("approvedTerm", "审批期限（月）", 14, func(a *exported) sheet.Cell { return months(a.ApprovedTerm) }),
		of("disbursedAmount", "放款金额（元）", 16, func(a *exported) sheet.Cell { return fen(a.DisbursedAmount) }),
		of("disbursedAt", "放款时间", 20, func(a *exported) sheet.Cell { return sheet.TimeOf(a.DisbursedAt) }),
		of("reason", "未通过或补正原因", 30, func(a *exported) sheet.Cell { return sheet.Text(a.Reason) }),
	}
	for _, x := range extra {
		c := of("extra."+x.Field.Key, x.Field.Label, 18, func(a *exported) sheet.Cell {
			if a.extra[x.Field.Key] == "" {
				return sheet.Cell{}
			}
			return sheet.Text(a.extra[x.Field.Key])
		})
		c.Off, c.Gone = x.Retired, x.Retired
		columns = append(columns, c)
	}
	return sheet.List[exported]{Name: "applications", Title: "申请", Permission: PermExport, Fields: columns,
		Describe: func(f sheet.Filter) (string, error) { return describe(extra, f) }, Count: s.exportCount, Page: s.exportPage}.Source()
}

var scopeNames = map[string]string{"waiting": "待受理", "overdue": "已超时限", "soon": "即将到期", "mine": "我经办的"}

func exportFilter(actor access.Actor, f sheet.Filter) (ListFilter, error) {
	if err := f.Only("scope", "status", "q", "kind", "institution", "extra"); err != nil {
		return ListFilter{}, err
	}
	var out ListFilter
	switch f["scope"] {
	case "", "all":
	case "waiting":
		out.Waiting = true
	case "overdue":
		out.Overdue = true
	case "soon":
		out.Soon = true
	case "mine":
		out.Mine, out.handlerID = true, actor.UserID
	default:
		return out, sheet.ErrFilter
	}
	for _, w := range f.Words("status") {
		if Status(w).Label() == "" {
			return out, sheet.ErrFilter
		}
		out.Statuses = append(out.Statuses, Status(w))
	}
	if out.Waiting {
		out.Statuses = nil
	}
	out.Query, out.Kind, out.Extra = f["q"], f["kind"], f["extra"]
	if v := f["institution"]; v != "" {
		var err error
		if out.Institution, err = strconv.ParseInt(v, 10, 64); err != nil {
			return out, sheet.ErrFilter
		}
	}
	return out, nil
}

func describe(extra []Asked, f sheet.Filter) (string, error) {
	parsed, err := exportFilter(access.Actor{}, f)
	if err != nil {
		return "", err
	}
	var words []string
	if name := scopeNames[f["scope"]]; name != "" {
		words = append(words, name)
	}
	if parsed.Query != "" {
		words = append(words, "搜索：“"+parsed.Query+"”")
	}
	if parsed.Kind != "" {
		words = append(words, "产品类型："+parsed.Kind)
	}
	if parsed.Institution != 0 {
		words = append(words, fmt.Sprintf("机构编号：%d", parsed.Institution))
	}
	if len(parsed.Statuses) > 0 {
		var names []string
		for _, s := range parsed.Statuses {
			names = append(names, s.Label())
		}
		words = append(words, "状态："+strings.Join(names, "、"))
	}
	conditions, err := form.ReadFilters(ownFields(extra), parsed.Extra)
	for _, x := range conditions {
		words = append(words, x.Words())
	}
	return strings.Join(words, "；"), err
}

func (s *Service) exportPage(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]exported, string, error) {
	parsed, err := exportFilter(actor, f)
	if err != nil {
		return nil, "", err
	}
	parsed.Cursor, parsed.Limit = after, limit
	if parsed.Query == "" {
		parsed.columns = cellColumns
	} else {
		parsed.Limit = min(limit, pageRows)
	}
	rows, next, _, _, err := s.page(ctx, actor, &parsed)
	if err != nil {
		return nil, "", err
	}
	ids := make([]int64, 0, len(rows))
	for i := range rows {
		ids = append(ids, rows[i].ID)
	}
	answers, err := answersOf(ctx, s.DB.Read(), ids...)
	if err != nil {
		return nil, "", err
	}
	out := make([]exported, 0, len(rows))
	for i := range rows {
		e := exported{rows[i], actor, map[string]string{}}
		for _, r := range answers[e.ID] {
			f, err := r.field()
			if err != nil {
				return nil, "", err
			}
			e.extra[r.Field] = f.Show(r.Value)
		}
		out = append(out, e)
	}
	return out, next, nil
}

// exportCount counts up to most; where words are searched for it looks page by page.
func (s *Service) exportCount(ctx context.Context, actor access.Actor, f sheet.Filter, most int) (int, error) {
	parsed, err := exportFilter(actor, f)
	if err != nil {
		return 0, err
	}
	if parsed.Query != "" {
		n := 0
		for parsed.Limit = pageRows; ; {
			rows, next, _, _, err := s.page(ctx, actor, &parsed)
			if n += len(rows); err != nil || next == "" || n >= most {
				return min(n, most), err
			}
			parsed.Cursor = next
		}
	}
	parsed.now = s.Clock.Now()
	db := s.DB.Read()
	if parsed.conditions, err = s.conditions(ctx, db, actor, parsed.Extra); err != nil {
		return 0, err
	}
	q := parsed.narrow(visible(actor).narrow(db.NewSelect().Model((*Application)(nil)).ColumnExpr("1")).Limit(int64(most)), "")
	if list := parsed.each(); list[0] != "" {
		q = q.Where("a.status IN ?", bun.Tuple(list))
	}
	n, err := db.NewSelect().TableExpr("(?) AS found", q).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count applications: %w", err)
	}
	return int(n), nil
}
