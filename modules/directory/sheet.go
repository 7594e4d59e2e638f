package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// ExportSource is the directory as a spreadsheet, every version, so that it can be filed; what is read back in is what is
// valid. It needs directory.view.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[exported]
	return sheet.List[exported]{
		Name: "directory", Title: "派单目录", Permission: PermView, Page: s.exportPage,
		Describe: func(f sheet.Filter) (string, error) {
			if err := f.Only("q", "area", "unit", "state"); err != nil {
				return "", err
			}
			if f["state"] == "all" {
				return "含历史版本", nil
			}
			return "现行和待生效的版本", nil
		},
		Fields: []sheet.Field[exported]{
			of("matter", "事项编码", 12, func(r *exported) sheet.Cell { return sheet.Text(r.Matter) }),
			of("matterName", "事项", 24, func(r *exported) sheet.Cell { return sheet.Text(r.b.matters[r.Matter]) }),
			of("area", "区域", 16, func(r *exported) sheet.Cell { return sheet.Text(r.b.areas[r.Area]) }),
			of("lead", "主办单位", 24, func(r *exported) sheet.Cell { return sheet.Text(r.LeadName) }),
			of("helpers", "协办单位", 30, func(r *exported) sheet.Cell { return sheet.Text(names(r.Helpers)) }),
			of("validFrom", "生效时间", 20, func(r *exported) sheet.Cell { return sheet.Time(r.From) }),
			of("validTo", "失效时间", 20, func(r *exported) sheet.Cell { return sheet.TimeOf(r.To) }),
			of("reason", "调整原因", 30, func(r *exported) sheet.Cell { return sheet.Text(r.Reason) }),
			of("basis", "依据", 30, func(r *exported) sheet.Cell { return sheet.Text(r.Basis) }),
			of("no", "版本", 8, func(r *exported) sheet.Cell { return sheet.Int(int64(r.No)) }),
			of("author", "设置人", 12, func(r *exported) sheet.Cell { return sheet.Text(r.AuthorName) }),
		},
	}.Source()
}

type exported struct {
	Version
	b book
}

func names(list []Helper) string {
	out := make([]string, 0, len(list))
	for _, h := range list {
		out = append(out, h.Name)
	}
	return strings.Join(out, "、")
}

func (s *Service) exportPage(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]exported, string, error) {
	if err := need(actor, PermView, PermManage); err != nil {
		return nil, "", err
	}
	db, now := s.db.Read(), s.clock.Now()
	b, _, _, err := s.book(ctx, db)
	if err != nil {
		return nil, "", err
	}
	var behind int64
	if after != "" {
		if behind, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", err
		}
	}
	var rows []Version
	q := db.NewSelect().Model(&rows).Where("v.id > ? AND NOT v.taken_back", behind).OrderExpr("v.id").Limit(int64(limit + 1))
	if f["state"] != "all" {
		q = q.Where("v.valid_to IS NULL OR v.valid_to > ?", now)
	}
	if f["area"] != "" {
		q = q.Where("v.area = ?", strings.TrimPrefix(f["area"], "district"))
	}
	if f["unit"] != "" {
		q = q.Where("v.lead_id = ?", f["unit"])
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]exported, 0, len(rows))
	for _, v := range rows {
		if q := f["q"]; q == "" || strings.Contains(b.matters[v.Matter]+v.Matter+v.LeadName, q) {
			out = append(out, exported{v, b})
		}
	}
	return out, next, nil
}

// ImportTarget is the directory read from a spreadsheet. A row for a line that is there already gives it a new version, when
// that changes anything, if existing records are to be updated. It needs directory.manage.
func (s *Service) ImportTarget() sheet.Target {
	return sheet.Target{
		Name: "directory", Title: "派单目录", Permission: PermManage, Key: "line", Updates: true, Check: s.sheetCheck, Existing: s.sheetExisting, Publish: s.sheetPublish,
		Note: "每行是一个事项在一个区域的承办单位。已有的目录项选择“更新已有记录”时产生新版本，原版本保留；与现行版本相同的行跳过。",
		Fields: []sheet.TargetField{
			{Key: "matter", Title: "事项", Aliases: []string{"事项编码", "诉求类型", "事项名称", "类型编码"}, Kind: sheet.LineField, Required: true, Help: "诉求类型的编码或名称", Example: "050101"},
			{Key: "area", Title: "区域", Aliases: []string{"街道", "乡镇", "街道乡镇", "街乡镇"}, Kind: sheet.LineField, Help: "街道、乡镇的名称或编码；全区的填“全区”或留空", Example: "全区"},
			{Key: "lead", Title: "主办单位", Aliases: []string{"承办单位", "牵头单位"}, Kind: sheet.LineField, Required: true, Help: "单位全称", Example: "区城市管理委员会"},
			{Key: "helpers", Title: "协办单位", Aliases: []string{"配合单位"}, Kind: sheet.LineField, Help: "多个用顿号隔开", Example: "区交通局"},
			{Key: "validFrom", Title: "生效日期", Aliases: []string{"生效时间", "起始日期"}, Kind: sheet.DateField, Help: "今天或以后；留空为立即生效", Example: "2026-12-01"},
			{Key: "reason", Title: "调整原因", Aliases: []string{"原因", "说明"}, Kind: sheet.LineField, Required: true, Example: "年度派单目录修订"},
			{Key: "basis", Title: "依据", Aliases: []string{"依据文件", "文号"}, Kind: sheet.LineField, Example: "通政办发〔2026〕8号"},
		},
	}
}

// sheetLine reads a record by the words people use.
func (s *Service) sheetLine(ctx context.Context, db bun.IDB, r sheet.Record) (Set, []sheet.RowProblem, error) {
	b, matters, units, err := s.book(ctx, db)
	if err != nil {
		return Set{}, nil, err
	}
	var problems []sheet.RowProblem
	bad := func(field, code, message string) {
		problems = append(problems, sheet.RowProblem{Field: field, Code: code, Message: message})
	}
	word := func(key string) string { return strings.TrimSpace(norm.NFKC.String(r.Values[key])) }
	cmd := Set{From: r.Values["validFrom"], Reason: r.Values["reason"], Basis: r.Values["basis"]}
	var found []string
	for _, m := range matters {
		if w := word("matter"); m.Code == w || m.Name == w {
			found = append(found, m.Code)
		}
	}
	switch len(found) {
	case 0:
		bad("matter", "NO_MATTER", "没有这个事项，请填写诉求类型的编码或名称")
	case 1:
		cmd.Matter = found[0]
	default:
		bad("matter", "MANY_MATTERS", "有多个同名事项，请填写编码")
	}
	if w := word("area"); w != "" && w != district {
		for code, name := range b.areas {
			if code == w || name == w {
				cmd.Area = code
			}
		}
		if cmd.Area == "" {
			bad("area", "NO_AREA", "没有这个街道或乡镇，请填写全称，全区的留空")
		}
	}
	unit := func(field, name string) int64 {
		var ids []int64
		for _, u := range units {
			if u.Name == name || strings.TrimSuffix(u.Name, "〔演示〕") == name {
				ids = append(ids, u.ID)
			}
		}
		if len(ids) == 1 {
			return ids[0]
		}
		bad(field, "NO_UNIT", "没有名为“"+name+"”的单位，或有多个同名单位，请填写全称")
		return 0
	}
	cmd.Lead = unit("lead", word("lead"))
	for _, name := range strings.FieldsFunc(word("helpers"), func(r rune) bool { return strings.ContainsRune("、,;，；\n", r) }) {
		if id := unit("helpers", strings.TrimSpace(name)); id != 0 {
			cmd.Helpers = append(cmd.Helpers, id)
		}
	}
	if len(problems) > 0 {
		return cmd, problems, nil
	}
	if _, err := s.check(ctx, db, cmd); err != nil {
		f, ok := fault.As(err)
		if !ok {
			return cmd, nil, err
		}
		for _, field := range f.Fields {
			key := map[string]string{"leadId": "lead", "helperIds": "helpers"}[field.Name]
			if key == "" {
				key = field.Name
			}
			bad(key, f.Code, field.Message)
		}
	}
	return cmd, problems, nil
}

func (s *Service) sheetCheck(ctx context.Context, actor access.Actor, r sheet.Record) (sheet.Record, []sheet.RowProblem, error) {
	if err := need(actor, PermManage); err != nil {
		return r, nil, err
	}
	cmd, problems, err := s.sheetLine(ctx, s.db.Read(), r)
	if err != nil || len(problems) > 0 {
		return r, problems, err
	}
	out := sheet.Record{Row: r.Row, Values: map[string]string{}}
	for k, v := range r.Values {
		out.Values[k] = v
	}
	out.Values["line"] = cmd.Matter + "/" + cmd.Area
	return out, nil, nil
}

func (s *Service) sheetExisting(ctx context.Context, actor access.Actor, keys []string) (map[string]bool, error) {
	if err := need(actor, PermManage); err != nil || len(keys) == 0 {
		return nil, err
	}
	var rows []string
	err := s.db.Read().NewSelect().Model((*Line)(nil)).ColumnExpr("l.matter || '/' || l.area").Where("l.matter || '/' || l.area IN ?", bun.Tuple(keys)).Scan(ctx, &rows)
	out := map[string]bool{}
	for _, k := range rows {
		out[k] = slices.Contains(keys, k)
	}
	return out, err
}

func (s *Service) sheetPublish(ctx context.Context, tx bun.Tx, actor access.Actor, r sheet.Record, on sheet.Duplicates, _ string, _ any) (sheet.Change, int64, error) {
	if err := need(actor, PermManage); err != nil {
		return "", 0, err
	}
	cmd, problems, err := s.sheetLine(ctx, tx, r)
	if err != nil {
		return "", 0, err
	}
	if len(problems) > 0 {
		return "", 0, fault.InvalidField(problems[0].Field, problems[0].Code, problems[0].Message)
	}
	l, now, err := s.lineAt(ctx, tx, cmd.Matter, cmd.Area)
	if err != nil {
		return "", 0, err
	}
	change := sheet.Created
	if l != nil {
		switch {
		case on == sheet.Skip:
			return sheet.Skipped, l.ID, nil
		case on == sheet.Refuse:
			return "", 0, sheet.ErrExists.On("matter")
		}
		cmd.Version, change = l.Version, sheet.Updated
	}
	c, err := s.check(ctx, tx, cmd)
	if err != nil {
		return "", 0, err
	}
	if now != nil && now.same(c.Lead, c.helpers) {
		return sheet.Skipped, l.ID, nil
	}
	id, err := s.set(ctx, tx, actor, c)
	if database.IsDuplicate(err) {
		return "", 0, ErrStale
	}
	return change, id, err
}
