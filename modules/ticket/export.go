package ticket

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// The rights to take the list out: PermExport with masked phones, PermExportPhone with phones in clear.
const (
	PermExport      access.Permission = "ticket.export"
	PermExportPhone access.Permission = "ticket.export_phone"
)

var urgencyNames = map[Urgency]string{Normal: "一般", Urgent: "紧急", Critical: "特急"}

var sourceNames = map[Source]string{FromH5: "手机端", FromPortal: "门户", FromAgent: "热线登记", FromImport: "批量导入", FromOpen311: "开放接口", FromWechat: "微信消息", FromMail: "电子邮件"}

// exported is a ticket with what its cells need.
type exported struct {
	Ticket
	typeName string
	areaName string
	fields   string // of its own form, without the personal ones
	filed    *filings
}

// filings are the places in the categories of the tickets of a page. They are read when the first cell asks for one: most files
// have no such column.
type filings struct {
	places places
	ids    []int64
	since  map[int64]time.Time // of those that were put under another type, when the last time
}

// of is the place a ticket was filed under, and the name of its category.
func (f *filings) of(ctx context.Context, db bun.IDB, t *Ticket) (placeRow, string, error) {
	if f.since == nil {
		var rows []event.Event
		err := db.NewSelect().Model(&rows).Where("e.object = ? AND e.object_id IN (?) AND e.type = ?", Object, bun.List(f.ids), "ticket.classified").OrderExpr("e.object_id, e.seq").Scan(ctx)
		if err != nil {
			return placeRow{}, "", fmt.Errorf("categories of tickets: %w", err)
		}
		since := map[int64]time.Time{}
		for _, e := range rows {
			at, err := filedAt(e, since[e.ObjectID])
			if err != nil {
				return placeRow{}, "", err
			}
			since[e.ObjectID] = at
		}
		f.since = since
	}
	moment := t.CreatedAt
	if at := f.since[t.ID]; !at.IsZero() {
		moment = at
	}
	place := f.places.at(t.Type, moment)
	return place, f.places.nameOf(place), nil
}

// ExportSource is the list of tickets that leaves as a spreadsheet: what the actor sees, newest first.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[exported]
	phone := func(show func(string) string) func(context.Context, *exported) (sheet.Cell, error) {
		return func(_ context.Context, t *exported) (sheet.Cell, error) {
			number, err := s.box.Open(t.PhoneSealed, phonePlace(t.Number))
			return sheet.Text(show(string(number))), err
		}
	}
	category := func(key, title string, width float64, show func(place placeRow, name string) string) sheet.Field[exported] {
		return sheet.Field[exported]{
			SourceColumn: sheet.SourceColumn{Key: key, Title: title, Width: width, Off: true},
			Cell: func(ctx context.Context, t *exported) (sheet.Cell, error) {
				place, name, err := t.filed.of(ctx, s.db.Read(), &t.Ticket)
				return sheet.Text(show(place, name)), err
			},
		}
	}
	return sheet.List[exported]{
		Name: "tickets", Title: "工单", Permission: PermExport, Describe: s.describe, Count: s.exportCount, Page: s.exportPage,
		Fields: []sheet.Field[exported]{
			of("number", "工单编号", 20, func(t *exported) sheet.Cell { return sheet.Text(t.Number) }),
			of("title", "标题", 36, func(t *exported) sheet.Cell { return free(t.Title) }),
			of("type", "诉求类型", 14, func(t *exported) sheet.Cell { return sheet.Text(t.typeName) }),
			category("categoryCode", "分类编码", 12, func(p placeRow, _ string) string { return p.CategoryCode }),
			category("categoryName", "分类名称", 20, func(_ placeRow, name string) string { return name }),
			category("category", "分类方案和版本", 20, func(p placeRow, _ string) string { return p.Category }),
			of("status", "状态", 10, func(t *exported) sheet.Cell { return sheet.Text(t.Status.Label()) }),
			of("urgency", "紧急程度", 10, func(t *exported) sheet.Cell { return sheet.Text(urgencyNames[t.Urgency]) }),
			of("source", "来源", 10, func(t *exported) sheet.Cell { return sheet.Text(sourceNames[t.Source]) }),
			of("enterprise", "企业", 28, func(t *exported) sheet.Cell { return sheet.Text(t.EnterpriseName) }),
			of("requester", "联系人", 12, func(t *exported) sheet.Cell { return sheet.Text(t.RequesterName) }),
			{SourceColumn: sheet.SourceColumn{Key: "phoneMasked", Title: "联系电话（脱敏）", Width: 16}, Cell: phone(mask)},
			sheet.Field[exported]{SourceColumn: sheet.SourceColumn{Key: "phone", Title: "联系电话", Width: 16}, Cell: phone(func(n string) string { return n })}.Behind(PermExportPhone),
			of("unit", "承办单位", 20, func(t *exported) sheet.Cell { return sheet.Text(t.UnitName) }),
			of("area", "街道乡镇", 14, func(t *exported) sheet.Cell { return sheet.Text(t.areaName) }),
			of("createdAt", "受理时间", 20, func(t *exported) sheet.Cell { return sheet.Time(t.CreatedAt) }),
			of("dueAt", "办理时限", 20, func(t *exported) sheet.Cell { return sheet.Time(t.DueAt) }),
			of("closedAt", "办结时间", 20, func(t *exported) sheet.Cell { return sheet.TimeOf(t.ClosedAt) }),
			of("body", "诉求内容", 50, func(t *exported) sheet.Cell { return free(t.Body) }),
			of("fields", "表单信息", 40, func(t *exported) sheet.Cell { return free(t.fields) }),
			of("reply", "答复内容", 50, func(t *exported) sheet.Cell { return free(t.Reply) }),
			of("rating", "评分", 8, func(t *exported) sheet.Cell {
				if t.Rating == 0 {
					return sheet.Cell{}
				}
				return sheet.Int(int64(t.Rating))
			}),
			of("opinionTags", "评价标签", 20, func(t *exported) sheet.Cell { return sheet.Text(strings.Join(t.opinionTags(), "、")) }),
			of("opinion", "评价意见", 30, func(t *exported) sheet.Cell { return free(t.Opinion) }),
		},
	}.Source()
}

// free is text that people wrote, without the phones and identity numbers in it: a file goes where nobody asks for rights.
func free(s string) sheet.Cell {
	s, _ = text.MaskNumbers(s)
	return sheet.Text(s)
}

// exportFilter reads the list's own filters; the order of the list is not that of the file, which is newest first.
func exportFilter(f sheet.Filter) (ListFilter, error) {
	values := map[string][]string{}
	for name, v := range f {
		switch {
		case v == "" || name == "sort" || name == "view":
		case name == "status" || name == "type" || name == "area":
			values[name] = f.Words(name)
		default:
			values[name] = []string{v}
		}
	}
	out, err := readFilter(values)
	if s := f["scope"]; err != nil || s != "" && s != "all" && s != "waiting" || out.Urgency != "" && !out.Urgency.Known() || out.Flag != "" && !out.Flag.Known() {
		return out, sheet.ErrFilter
	}
	for _, st := range out.Statuses {
		if st.Label() == "" {
			return out, sheet.ErrFilter
		}
	}
	return out, nil
}

func (s *Service) describe(f sheet.Filter) (string, error) {
	parsed, err := exportFilter(f)
	if err != nil {
		return "", err
	}
	var words []string
	if parsed.Waiting {
		words = append(words, "待我处理")
	}
	if len(parsed.Statuses) > 0 {
		var names []string
		for _, s := range parsed.Statuses {
			names = append(names, s.Label())
		}
		words = append(words, "状态："+strings.Join(names, "、"))
	}
	if parsed.Urgency != "" {
		words = append(words, "紧急程度："+urgencyNames[parsed.Urgency])
	}
	var areas []string
	for _, a := range parsed.Areas {
		areas = append(areas, s.areaOr(strings.TrimPrefix(a, NoArea)))
	}
	if len(areas) > 0 {
		words = append(words, "街道乡镇："+strings.Join(areas, "、"))
	}
	words = append(words, parsed.told()...)
	if parsed.Query != "" {
		words = append(words, "关键词："+masked(parsed.Query))
	}
	return strings.Join(words, "；"), nil
}

// told says in words what the key fields narrow to. A phone is told by its last four digits.
func (f *Fields) told() []string {
	var out []string
	say := func(word, value string) {
		if value != "" {
			out = append(out, word+"："+value)
		}
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	say("队列", map[Queue]string{QueueFree: "待领取", QueueMine: "我的", QueueGroup: "本组"}[f.Queue])
	say("诉求类型", strings.Join(f.Types, "、"))
	say("来源", sourceNames[f.Source])
	say("标签", f.Tag)
	say("承办单位编号", number(f.Unit))
	say("办理人编号", number(f.Holder))
	say("企业编号", number(f.Enterprise))
	say("受理日期", span(f.From, f.To))
	say("时限日期", span(f.DueFrom, f.DueTo))
	if n := len(f.Phone); n >= 4 {
		say("联系电话尾号", f.Phone[n-4:])
	}
	say("信用代码前缀", f.Code)
	return out
}

func span(from, to string) string {
	if from == "" && to == "" {
		return ""
	}
	return from + " 至 " + to
}

// narrowed are the scopes and the filter that the actor's list has; false when nothing can be in it.
func (s *Service) narrowed(ctx context.Context, actor access.Actor, f sheet.Filter) ([]scope, ListFilter, bool, error) {
	if !actor.SignedIn() {
		return nil, ListFilter{}, false, fault.ErrUnauthorized
	}
	parsed, err := exportFilter(f)
	if err != nil {
		return nil, parsed, false, err
	}
	if err := parsed.check(actor); err != nil {
		return nil, parsed, false, err
	}
	scopes, some, err := s.compile(ctx, s.db.Read(), actor, &parsed)
	return scopes, parsed, some, err
}

func (s *Service) exportPage(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]exported, string, error) {
	scopes, parsed, some, err := s.narrowed(ctx, actor, f)
	if err != nil || !some {
		return nil, "", err
	}
	var before int64
	if after != "" {
		if before, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", err
		}
	}
	db := s.db.Read()
	rows, _, err := s.rows(ctx, db, ticketColumns, scopes, parsed, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	ids := make([]int64, 0, len(rows))
	for i := range rows {
		ids = append(ids, rows[i].ID)
	}
	filled, err := filledOf(ctx, db, ids)
	if err != nil {
		return nil, "", err
	}
	out, filed := make([]exported, 0, len(rows)), &filings{places: s.places(), ids: ids}
	for i := range rows {
		name := names[rows[i].Type]
		if name == "" {
			name = rows[i].Type
		}
		out = append(out, exported{rows[i], name, s.areaName(rows[i].Area), publicWords(filled[rows[i].ID], "：", "；"), filed})
	}
	return out, next, nil
}

// exportCount counts each scope by itself: a ticket seen by two of them counts twice.
func (s *Service) exportCount(ctx context.Context, actor access.Actor, f sheet.Filter, most int) (int, error) {
	scopes, parsed, some, err := s.narrowed(ctx, actor, f)
	if err != nil || !some {
		return 0, err
	}
	total := 0
	db := s.db.Read()
	if parsed.Query != "" {
		w, err := s.understand(ctx, db, parsed.Query)
		if err != nil {
			return 0, err
		}
		ids, _, err := s.lookup(ctx, db, scopes, parsed, w, 0, most, nil)
		return len(ids), err
	}
	for _, sc := range scopes {
		q := db.NewSelect().Model((*Ticket)(nil)).ColumnExpr("1").Where(sc.where, sc.args...).Limit(int64(most))
		if len(parsed.Statuses) > 0 {
			q = q.Where("t.status IN ?", bun.Tuple(parsed.Statuses))
		}
		for _, c := range parsed.conditions() {
			q = q.Where(c.where, c.args...)
		}
		n, err := db.NewSelect().TableExpr("(?) AS found", q).Count(ctx)
		if err != nil {
			return 0, err
		}
		total += int(n)
	}
	return min(total, most), nil
}
