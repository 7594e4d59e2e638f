package ticket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/uscc"
)

// PermImport is the right to take tickets in from a spreadsheet.
const PermImport access.Permission = "ticket.import"

// arrivalRow remembers a line that became a ticket, so that the same line in another file is known again.
type arrivalRow struct {
	bun.BaseModel `bun:"table:ticket_arrivals,alias:ar"`

	Blind    string    `bun:"blind,pk"`
	TicketID int64     `bun:"ticket_id,notnull"`
	At       time.Time `bun:"at,notnull"`
}

// ImportTarget is a batch of requests that another desk wrote down. Each line becomes a received ticket of today, under today's
// clock. A line is known again by the number it had there, without one by phone, type and words. It needs ticket.import.
func (s *Service) ImportTarget() sheet.Target {
	return sheet.Target{
		Name: "tickets", Title: "工单", Permission: PermImport, Key: "line", Check: s.sheetCheck, Existing: s.sheetExisting, Publish: s.sheetPublish,
		Note: "每行登记为一件新工单，自导入时起计算办理时限。有“原编号”的按原编号识别重复，没有的按联系电话、类型、标题和内容识别；已导入过的行不会再次登记。",
		Fields: []sheet.TargetField{
			{Key: "outer", Title: "原编号", Aliases: []string{"原工单号", "工单编号", "工单号", "编号", "流水号", "来文编号"}, Kind: sheet.CodeField, Help: "原系统的编号，可不填", Example: "SZ2026-00017"},
			{Key: "type", Title: "诉求类型", Aliases: []string{"类型", "事项", "事项类型", "类型编码", "分类"}, Kind: sheet.LineField, Required: true, Help: "编码或名称", Example: "050101"},
			{Key: "title", Title: "标题", Aliases: []string{"诉求标题", "主题", "事由"}, Kind: sheet.LineField, Required: true, Example: "园区停水两天"},
			{Key: "body", Title: "诉求内容", Aliases: []string{"内容", "具体情况", "诉求", "描述", "问题描述"}, Kind: sheet.LineField, Required: true, Example: "11月20日起二号楼停水，物业称在抢修。"},
			{Key: "contactName", Title: "联系人", Aliases: []string{"姓名", "来电人", "诉求人", "联系人姓名"}, Kind: sheet.LineField, Required: true, Example: "李芳"},
			{Key: "phone", Title: "联系电话", Aliases: []string{"电话", "手机", "手机号", "手机号码", "来电号码", "联系方式"}, Kind: sheet.CodeField, Required: true, Help: "手机或带区号的固定电话，该列请设为文本格式", Example: "13800138000"},
			{Key: "creditCode", Title: "统一社会信用代码", Aliases: []string{"信用代码", "社会信用代码"}, Kind: sheet.CodeField, Help: "企业库中有的企业", Example: "91110112MA01A2B3C4"},
			{Key: "enterpriseName", Title: "企业名称", Aliases: []string{"单位名称", "公司名称", "企业", "单位"}, Kind: sheet.LineField, Example: "北京麦香烘焙有限公司"},
			{Key: "urgency", Title: "紧急程度", Aliases: []string{"紧急", "等级"}, Kind: sheet.LineField, Help: "一般、紧急或特急，不填按类型", Example: "一般"},
			{Key: "area", Title: "街道乡镇", Aliases: []string{"区域", "街道", "乡镇", "街乡镇", "属地"}, Kind: sheet.LineField, Help: "街道、乡镇的全称或编码，不填按诉求内容识别", Example: "台湖镇"},
			{Key: "fields", Title: "表单信息", Aliases: []string{"补充信息", "其他信息"}, Kind: sheet.LineField, Help: "该类型自有的字段，写为“名称：内容；名称：内容”，该类型必填的不能缺", Example: "停供种类：停水；影响范围：整栋楼宇"},
		},
	}
}

// sheetLine reads a record into a request.
func (s *Service) sheetLine(ctx context.Context, db bun.IDB, v map[string]string) (arrival, error) {
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return arrival{}, err
	}
	cmd := OpenTicket{Type: norm.NFKC.String(strings.TrimSpace(v["type"])), Title: v["title"], Body: v["body"], ContactName: v["contactName"], Phone: v["phone"], EnterpriseName: v["enterpriseName"]}
	var errs []error
	if names[cmd.Type] == "" {
		found := ""
		for code, name := range names {
			if name == cmd.Type {
				found = code
			}
		}
		if found == "" {
			errs = append(errs, fault.InvalidField("type", "TICKET_TYPE", "没有这个诉求类型，请填写类型的编码或全称"))
		}
		cmd.Type = found
	}
	if word := strings.TrimSpace(v["urgency"]); word != "" {
		for u, name := range urgencyNames {
			if word == name || word == string(u) {
				cmd.Urgency = u
			}
		}
		if cmd.Urgency == "" {
			errs = append(errs, fault.InvalidField("urgency", "TICKET_URGENCY", "紧急程度请填写一般、紧急或特急"))
		}
	}
	if code := uscc.Normalize(v["creditCode"]); code != "" {
		ids, err := s.requesters.EnterprisesByCode(ctx, db, code, 1)
		if err != nil {
			return arrival{}, err
		}
		switch {
		case len(ids) == 1 && len(code) == 18:
			cmd.EnterpriseID = ids[0]
		case cmd.EnterpriseName == "":
			errs = append(errs, fault.InvalidField("creditCode", "NO_ENTERPRISE", "企业库中没有这个信用代码，请核对，或改填企业名称"))
		}
	}
	if word := strings.TrimSpace(v["area"]); word != "" {
		if cmd.Area = s.areaCode(word); cmd.Area == "" {
			errs = append(errs, fault.InvalidField("area", "TICKET_AREA", "没有这个街道或乡镇，请填写全称，或留空"))
		}
	}
	t, phone, err := draft(cmd, true)
	if cmd.Type == "" {
		err = without(err, "type")
	}
	errs = append(errs, err)
	t.Source = FromImport
	in := arrival{ticket: t, phone: phone, area: cmd.Area, complete: true}
	if cmd.Type != "" {
		fields, err := s.sheetFields(ctx, db, cmd.Type, v["fields"])
		errs = append(errs, err)
		in.fields = fields
	}
	return in, fault.Merge(errs...)
}

// without drops what a fault says about one field, which was said already.
func without(err error, field string) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	var kept []error
	for _, x := range f.Fields {
		if x.Name != field {
			kept = append(kept, fault.InvalidField(x.Name, f.Code, x.Message))
		}
	}
	return fault.Merge(kept...)
}

// sheetFields reads the own fields of a line, and refuses a type out of use.
func (s *Service) sheetFields(ctx context.Context, db bun.IDB, code, line string) (map[string][]string, error) {
	kind, err := typeOf(ctx, db, code)
	if err != nil {
		return nil, err
	}
	if kind.Retired {
		return nil, fault.InvalidField("type", "TYPE_RETIRED", "该诉求类型已停用，请改为其他类型")
	}
	_, fields, err := formOf(ctx, db, code)
	if err != nil {
		return nil, err
	}
	typed := map[string][]string{}
	if strings.TrimSpace(line) != "" {
		if typed, err = typedLine(fields, line); err != nil {
			return nil, err
		}
	}
	_, err = form.Fill(fields, typed, true)
	return typed, err
}

// sheetKey is how a line is known again.
func sheetKey(outer string, in arrival) string {
	if outer = strings.ToUpper(strings.TrimSpace(outer)); outer != "" {
		return "no:" + outer
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{in.phone, in.ticket.Type, in.ticket.Title, in.ticket.Body}, "\x00")))
	return "text:" + hex.EncodeToString(sum[:])
}

func (s *Service) sheetCheck(ctx context.Context, actor access.Actor, r sheet.Record) (sheet.Record, []sheet.RowProblem, error) {
	if err := importsTickets(actor); err != nil {
		return r, nil, err
	}
	in, err := s.sheetLine(ctx, s.db.Read(), r.Values)
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid {
		var problems []sheet.RowProblem
		for _, x := range f.Fields {
			name, _, _ := strings.Cut(x.Name, ".") // fields.power is a part of the column fields
			problems = append(problems, sheet.RowProblem{Field: name, Code: f.Code, Message: x.Message})
		}
		return r, problems, nil
	} else if err != nil {
		return r, nil, err
	}
	out := sheet.Record{Row: r.Row, Values: map[string]string{}}
	for k, v := range r.Values {
		out.Values[k] = v
	}
	out.Values["type"], out.Values["phone"] = in.ticket.Type, in.phone
	out.Values["line"] = sheetKey(r.Values["outer"], in)
	return out, nil, nil
}

func importsTickets(actor access.Actor) error {
	if err := actor.Need(PermImport); err != nil {
		return err
	}
	if !isDesk(actor) {
		return ErrForbidden
	}
	return nil
}

func (s *Service) sheetExisting(ctx context.Context, actor access.Actor, keys []string) (map[string]bool, error) {
	if err := importsTickets(actor); err != nil || len(keys) == 0 {
		return nil, err
	}
	of := map[string]string{}
	var blinds []string
	for _, k := range keys {
		for _, b := range s.box.Blinds("ticket.arrival", k) {
			of[b] = k
			blinds = append(blinds, b)
		}
	}
	var rows []arrivalRow
	err := s.db.Read().NewSelect().Model(&rows).Where("ar.blind IN (?)", bun.List(blinds)).Scan(ctx)
	out := map[string]bool{}
	for _, r := range rows {
		out[of[r.Blind]] = true
	}
	return out, err
}

func (s *Service) sheetPublish(ctx context.Context, tx bun.Tx, actor access.Actor, r sheet.Record, on sheet.Duplicates, _ string, _ any) (sheet.Change, int64, error) {
	if err := importsTickets(actor); err != nil {
		return "", 0, err
	}
	in, err := s.sheetLine(ctx, tx, r.Values)
	if err != nil {
		return "", 0, err
	}
	now := s.clock.Now()
	key := sheetKey(r.Values["outer"], in)
	known := func() (sheet.Change, int64, error) {
		var row arrivalRow
		err := tx.NewSelect().Model(&row).Where("ar.blind IN (?)", bun.List(s.box.Blinds("ticket.arrival", key))).Limit(1).Scan(ctx)
		if err == nil && on == sheet.Refuse {
			return "", 0, sheet.ErrExists.On("outer")
		}
		return sheet.Skipped, row.TicketID, database.Found(err)
	}
	if change, id, err := known(); err == nil || !errors.Is(err, fault.ErrNotFound) {
		return change, id, err
	}
	row := arrivalRow{Blind: s.box.Blind("ticket.arrival", key), At: now}
	res, err := tx.NewInsert().Model(&row).On("CONFLICT (blind) DO NOTHING").Exec(ctx)
	if err := database.Changed(res, err); errors.Is(err, fault.ErrChanged) {
		return known() // another import was faster
	} else if err != nil {
		return "", 0, err
	}
	done, err := s.receive(ctx, tx, actor, now, in)
	if err != nil {
		return "", 0, err
	}
	_, err = tx.NewUpdate().Model((*arrivalRow)(nil)).Set("ticket_id = ?", done.ID).Where("blind = ?", row.Blind).Exec(ctx)
	return sheet.Created, done.ID, err
}
