package enterprise

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/uscc"
)

// Imported is announced when a company came with a register: nobody speaks for it yet.
type Imported struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Event names the fact.
func (f Imported) Event() (string, string, int64) { return "enterprise.imported", Object, f.ID }

// contact is how an office reaches a company of the register. The phone is sealed.
type contact struct {
	bun.BaseModel `bun:"table:enterprise_contacts,alias:ec"`

	EnterpriseID int64     `bun:"enterprise_id,pk"`
	Name         string    `bun:"name,notnull"`
	PhoneSealed  string    `bun:"phone_sealed,notnull,type:text"`
	UpdatedAt    time.Time `bun:"updated_at,notnull"`
}

func contactPlace(id int64) string { return fmt.Sprintf("enterprise_contacts.phone:%d", id) }

// ImportTarget is the register of companies that is taken in from a spreadsheet. A company that is not there is added
// without people, not verified; its owner finds it by the credit code when they verify. Of one that is there only what is
// known about it is brought up to date, never its verification.
func (s *Service) ImportTarget() sheet.Target {
	t := sheet.Target{
		Name: "enterprises", Title: "企业名录", Permission: PermImport, Key: "creditCode", Rows: 200_000, Updates: true, Check: s.importCheck, Existing: s.importExisting, Publish: s.importPublish,
		PublishMany: s.importMany, Flag: s.importFlag, FlagTitles: flagTitles, Alike: "name", Similar: similarRows, Score: s.importScore,
		Note: "按统一社会信用代码识别企业。新企业以“未认证”状态加入企业库，企业负责人注册并认证后自动归其管理；已有企业只更新经营信息，不改变认证状态和已认证的名称。",
		Fields: []sheet.TargetField{
			{Key: "name", Title: "企业名称", Aliases: []string{"单位名称", "公司名称", "名称", "企业全称", "机构名称"}, Kind: sheet.LineField, Required: true, Help: "营业执照上的全称", Example: "北京麦香烘焙有限公司"},
			{Key: "creditCode", Title: "统一社会信用代码", Aliases: []string{"信用代码", "社会信用代码", "统一代码", "信用代码证号"}, Kind: sheet.CodeField, Required: true, Help: "18 位，该列请设为文本格式", Example: "91110112MA01A2B3C4"},
			{Key: "legalPerson", Title: "法定代表人", Aliases: []string{"法人", "法人代表", "法定代表人姓名", "负责人"}, Kind: sheet.LineField, Example: "林晓梅"},
			{Key: "region", Title: "所在街道（镇）", Aliases: []string{"所在街道", "街道", "乡镇", "所属街道", "街镇", "镇街", "所属区域", "地区"}, Kind: sheet.LineField, Help: "街道、镇的全称或区划代码", Example: "临河里街道"},
			{Key: "industry", Title: "所属行业", Aliases: []string{"行业", "行业代码", "行业类别", "国民经济行业"}, Kind: sheet.LineField, Help: "国民经济行业四位代码或名称", Example: "1411"},
			{Key: "established", Title: "成立日期", Aliases: []string{"成立时间", "注册日期", "设立日期"}, Kind: sheet.DateField, Example: "2020-03-18"},
			{Key: "capital", Title: "注册资本（万元）", Aliases: []string{"注册资本", "注册资金"}, Kind: sheet.LineField, Help: "数字，最多两位小数", Example: "500"},
			{Key: "employees", Title: "从业人员", Aliases: []string{"从业人数", "员工人数", "职工人数", "从业人员数"}, Kind: sheet.LineField, Help: "整数", Example: "14"},
			{Key: "revenue", Title: "上年营业收入（万元）", Aliases: []string{"营业收入", "年营业收入", "上年营收", "主营业务收入"}, Kind: sheet.LineField, Help: "数字，最多两位小数", Example: "1200"},
			{Key: "assets", Title: "资产总额（万元）", Aliases: []string{"资产总额", "资产总计", "总资产"}, Kind: sheet.LineField, Help: "数字，最多两位小数", Example: "900"},
			{Key: "liabilities", Title: "负债总额（万元）", Aliases: []string{"负债总额", "负债合计", "总负债"}, Kind: sheet.LineField, Help: "上年末，数字，最多两位小数", Example: "360"},
			{Key: "loans", Title: "银行贷款余额（万元）", Aliases: []string{"银行贷款余额", "贷款余额", "银行贷款"}, Kind: sheet.LineField, Help: "上年末，数字，最多两位小数", Example: "200"},
			{Key: "rdSpend", Title: "上年研发费用（万元）", Aliases: []string{"研发费用", "研究开发费用", "研发投入", "研发经费"}, Kind: sheet.LineField, Help: "数字，最多两位小数", Example: "96"},
			{Key: "insured", Title: "参保人数", Aliases: []string{"社保参保人数", "参加社会保险人数", "缴纳社保人数", "社保人数", "参保职工人数"}, Kind: sheet.LineField, Help: "整数", Example: "13"},
			{Key: "socialArrears", Title: "社会保险费欠缴", Aliases: []string{"社保欠费", "社保欠缴", "社会保险欠费"}, Kind: sheet.LineField, Help: "没有欠缴填“无”；有的按“欠缴|开始日期|缴清日期”填写", Example: "无"},
			{Key: "taxGrade", Title: "纳税信用等级", Aliases: []string{"纳税信用级别", "纳税信用", "纳税信用评级", "纳税人信用等级"}, Kind: sheet.LineField, Help: "A、B、M、C、D 之一", Example: "B"},
			{Key: "patents", Title: "有效专利（件）", Aliases: []string{"有效专利", "有效专利数", "专利数", "专利数量", "拥有专利数", "知识产权数"}, Kind: sheet.LineField, Help: "整数", Example: "6"},
			{Key: "inventions", Title: "有效发明专利（件）", Aliases: []string{"有效发明专利", "发明专利", "发明专利数", "有效发明专利数"}, Kind: sheet.LineField, Help: "整数，不多于有效专利", Example: "2"},
			{Key: "copyrights", Title: "软件著作权（件）", Aliases: []string{"软件著作权", "软著", "软件著作权数", "计算机软件著作权"}, Kind: sheet.LineField, Help: "整数", Example: "4"},
			{Key: "trademarks", Title: "注册商标（件）", Aliases: []string{"注册商标", "商标", "商标数", "注册商标数"}, Kind: sheet.LineField, Help: "整数", Example: "3"},
			{Key: "qualification", Title: "资质与称号", Aliases: []string{"资质", "企业资质", "荣誉称号", "资质荣誉", "认定类型"}, Kind: sheet.LineField,
				Help: "没有填“无”；有的按“名称|取得日期|有效期截止日期|证书编号”填写，多项用“；”分开，日期和编号可以不填。只更新所填的各项，不影响已登记的其他资质", Example: "国家高新技术企业|2024-10-29|2027-10-28|GR202411000001"},
			{Key: "creditStanding", Title: "失信与异常名录", Aliases: []string{"失信名单", "经营异常", "异常名录", "严重失信"}, Kind: sheet.LineField,
				Help: "不在名录中填“无”；在的按“经营异常|列入日期”或“严重失信|列入日期”填写，多项用“；”分开", Example: "无"},
			{Key: "penalties", Title: "行政处罚", Aliases: []string{"行政处罚记录", "处罚记录", "行政处罚信息"}, Kind: sheet.LineField,
				Help: "没有填“无”；有的按“种类|决定日期|公示截止日期|文书号|机关”填写，多条用“；”分开", Example: "罚款|2025-03-01|2026-03-01|京通市监罚〔2025〕12号|市场监管局"},
			{Key: "judgments", Title: "司法记录", Aliases: []string{"司法信息", "涉诉记录", "失信被执行人记录", "被执行人记录"}, Kind: sheet.LineField,
				Help: "没有填“无”；有的按“种类|立案或发布日期|结束日期|案号|法院”填写，多条用“；”分开", Example: "无"},
			{Key: "status", Title: "登记状态", Aliases: []string{"经营状态", "企业状态", "状态"}, Kind: sheet.LineField, Help: "例如存续、注销、吊销", Example: "存续"},
			{Key: "address", Title: "登记住所", Aliases: []string{"注册地址", "住所", "地址", "经营地址", "单位地址"}, Kind: sheet.LineField, Example: "北京市通州区玉带河东街 1 号"},
		},
	}
	if s.box != nil {
		t.Fields = append(t.Fields,
			sheet.TargetField{Key: "contactName", Title: "联系人", Aliases: []string{"联系人姓名", "企业联系人"}, Kind: sheet.LineField, Example: "李芳"},
			sheet.TargetField{Key: "contactPhone", Title: "联系电话", Aliases: []string{"电话", "手机", "手机号", "手机号码", "联系方式"}, Kind: sheet.CodeField, Help: "手机或固定电话", Example: "13800138000"})
	}
	return t
}

func (s *Service) importCheck(ctx context.Context, actor access.Actor, r sheet.Record) (sheet.Record, []sheet.RowProblem, error) {
	if err := actor.Need(PermImport); err != nil {
		return r, nil, err
	}
	out := sheet.Record{Row: r.Row, Values: map[string]string{}}
	var problems []sheet.RowProblem
	keep := func(field string, v string, err error) {
		if f, ok := fault.As(err); ok {
			problems = append(problems, sheet.RowProblem{Field: field, Code: f.Code, Message: f.Message})
			return
		}
		if v != "" {
			out.Values[field] = v
		}
	}
	v := r.Values
	name, err := line("name", "企业名称", v["name"], 2, 100)
	keep("name", name, err)
	code, err := uscc.Parse(v["creditCode"], uscc.Options{AllowDemo: s.demo})
	if old := uscc.Normalize(v["creditCode"]); err != nil && oldNumber(old) {
		if code, err = s.byOldNumber(ctx, name, old); err == nil {
			out.Values["oldNumber"] = old
		}
	}
	keep("creditCode", string(code), err)
	for _, f := range []struct {
		key, label  string
		least, most int
	}{{"legalPerson", "法定代表人", 2, 50}, {"status", "登记状态", 2, 20}, {"address", "登记住所", 2, 200}, {"contactName", "联系人", 1, 50}} {
		if v[f.key] != "" {
			text, err := line(f.key, f.label, v[f.key], f.least, f.most)
			keep(f.key, text, err)
		}
	}
	if typed := norm.NFKC.String(v["region"]); typed != "" {
		region, err := s.places.region(typed)
		keep("region", region, err)
	}
	if typed := norm.NFKC.String(v["industry"]); typed != "" {
		industry, err := s.places.industry(typed)
		keep("industry", industry, err)
	}
	if day := v["established"]; day > s.clock.Now().In(clock.Beijing).Format(time.DateOnly) {
		keep("established", "", fault.New(fault.Invalid, "BAD_DATE", "成立日期晚于今天，请核对"))
	} else {
		keep("established", day, nil)
	}
	read := map[string]int64{}
	for _, f := range importNumbers {
		key := f.key
		if typed := plainNumber(strings.TrimSuffix(strings.TrimSuffix(v[key], "元"), "万")); typed != "" {
			n, err := scaled(typed, f.scale)
			if err != nil {
				keep(key, "", fault.New(fault.Invalid, "NUMBER", f.hint))
				continue
			}
			read[key] = n
			keep(key, fmt.Sprint(n), nil)
		}
	}
	patents, ok1 := read["patents"]
	if inventions, ok2 := read["inventions"]; ok1 && ok2 && unlikely(patents, inventions) {
		keep("inventions", "", fault.New(fault.Invalid, "INVENTIONS", unlikelyText))
	}
	if typed := v["taxGrade"]; strings.TrimSpace(typed) != "" {
		grade, err := readGrade(typed)
		keep("taxGrade", grade, err)
	}
	for _, name := range recordFields {
		f := s.terms.recordField(name)
		list, said, err := readRecords(f, v[name], s.clock.Now())
		switch {
		case err != nil:
			keep(name, "", err)
		case said:
			keep(name, writeRecords(f, list), nil)
		}
	}
	if typed := v["contactPhone"]; typed != "" {
		number, err := phone.Contact(typed)
		keep("contactPhone", number, err)
	}
	return out, problems, nil
}

// importNumbers are the fields of a register that hold numbers. Those of the books are of the end of last year.
var importNumbers = []struct {
	key   string
	scale int64
	hint  string
	books bool
}{
	{"capital", fenPerWan, "注册资本应为以万元为单位的数字，最多两位小数，例如 500", false},
	{"employees", 1, "从业人员应为不小于 0 的整数，例如 14", false},
	{"revenue", fenPerWan, "营业收入应为以万元为单位的数字，最多两位小数，例如 1200", true},
	{"assets", fenPerWan, "资产总额应为以万元为单位的数字，最多两位小数，例如 900", true},
	{"liabilities", fenPerWan, "负债总额应为以万元为单位的数字，最多两位小数，例如 360", true},
	{"loans", fenPerWan, "银行贷款余额应为以万元为单位的数字，最多两位小数，例如 200", true},
	{"rdSpend", fenPerWan, "研发费用应为以万元为单位的数字，最多两位小数，例如 96", true},
	{"insured", 1, "参保人数应为不小于 0 的整数，例如 13", false},
	{"patents", 1, "有效专利应为不小于 0 的整数，例如 6", false},
	{"inventions", 1, "有效发明专利应为不小于 0 的整数，例如 2", false},
	{"copyrights", 1, "软件著作权应为不小于 0 的整数，例如 4", false},
	{"trademarks", 1, "注册商标应为不小于 0 的整数，例如 3", false},
}

func (s *Service) importExisting(ctx context.Context, actor access.Actor, codes []string) (map[string]bool, error) {
	if err := actor.Need(PermImport); err != nil || len(codes) == 0 {
		return nil, err
	}
	out := make(map[string]bool, len(codes))
	err := database.Each(ctx, s.db.Read(), func(rows *sql.Rows) error {
		var code string
		err := rows.Scan(&code)
		out[code] = true
		return err
	}, "SELECT e.credit_code FROM "+database.List(s.db.Read())+" CROSS JOIN enterprises AS e WHERE e.credit_code = list.value", database.Texts(codes))
	return out, err
}

func (s *Service) importPublish(ctx context.Context, tx bun.Tx, actor access.Actor, r sheet.Record, on sheet.Duplicates, origin string, _ any) (sheet.Change, int64, error) {
	return s.publishOne(ctx, tx, actor, r, on, FromRoll, origin)
}

// publishOne writes one record of a register.
func (s *Service) publishOne(ctx context.Context, tx bun.Tx, actor access.Actor, r sheet.Record, on sheet.Duplicates, source Source, origin string) (sheet.Change, int64, error) {
	if err := actor.Need(PermImport); err != nil {
		return "", 0, err
	}
	now := s.clock.Now()
	v := r.Values
	e, held, err := holder(ctx, tx, v["creditCode"])
	switch {
	case err != nil:
		return "", 0, err
	case held && on == sheet.Skip:
		return sheet.Skipped, e.ID, nil
	case held && on != sheet.Update:
		return "", 0, sheet.ErrExists.On("creditCode")
	}
	change := sheet.Updated
	if held {
		if e.renamedBy(v) {
			e.Name = v["name"]
			if v["legalPerson"] != "" {
				e.LegalPerson = v["legalPerson"]
			}
			if err := save(ctx, tx, &e); err != nil {
				return "", 0, err
			}
		}
	} else {
		code := v["creditCode"]
		e = Enterprise{Name: v["name"], CreditCode: &code, LegalPerson: v["legalPerson"], Verification: Unverified, Version: 1, CreatedAt: now}
		if err := insert(ctx, tx, &e); err != nil {
			if database.IsDuplicate(err) { // added by somebody else at this moment
				return "", 0, sheet.ErrExists.On("creditCode")
			}
			return "", 0, err
		}
		if _, err := event.Append(ctx, tx, actor, now, Imported{ID: e.ID, Name: e.Name}); err != nil {
			return "", 0, err
		}
		change = sheet.Created
	}
	fields, err := s.importFacts(ctx, tx, actor, e.ID, v, source, now)
	if err != nil {
		return "", 0, err
	}
	if s.box != nil && (v["contactName"] != "" || v["contactPhone"] != "") {
		kept, err := contactsOf(ctx, tx, []int64{e.ID})
		if err != nil {
			return "", 0, err
		}
		if err := database.InsertMany(ctx, tx, []contact{s.contactOf(kept[e.ID], e.ID, v, now)}, contactUpsert, nil); err != nil {
			return "", 0, err
		}
		fields = append(fields, "contact")
	}
	summary := "名录导入：新增企业"
	if change == sheet.Updated {
		summary = "名录导入：更新企业信息"
	}
	return change, e.ID, audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.import", Object: Object, ObjectID: e.ID, Summary: summary,
		Detail: map[string]any{"origin": origin, "fields": fields}})
}

// contactOf is a contact with what a record says of it; what the record leaves empty stays.
func (s *Service) contactOf(c contact, id int64, v map[string]string, now time.Time) contact {
	c.EnterpriseID, c.UpdatedAt = id, now
	if v["contactName"] != "" {
		c.Name = v["contactName"]
	}
	if v["contactPhone"] != "" {
		c.PhoneSealed = s.box.Seal([]byte(v["contactPhone"]), contactPlace(id))
	}
	return c
}

// importFacts records what the register says and has not said before.
func (s *Service) importFacts(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, v map[string]string, source Source, now time.Time) ([]string, error) {
	rows, err := factsOf(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	facts, err := news(s.terms, rows[id], v, source, now)
	names := make([]string, 0, len(facts))
	for _, f := range facts {
		names = append(names, f.Field)
	}
	if err != nil {
		return nil, err
	}
	return names, record(ctx, tx, id, actor.UserID, now, facts...)
}

// importWords are the fields of a register that hold words or codes.
var importWords = []string{"region", "industry", "established", "status", "address", "taxGrade"}

// news are the facts of a record that its source has not said of the company before.
func news(terms Terms, before []Fact, v map[string]string, source Source, now time.Time) ([]Fact, error) {
	said := map[string]string{}
	for _, f := range before {
		if f.Source == source || source == FromRoll && f.SourceName == sourceNames[FromRoll] {
			said[f.Field] = f.Value
		}
	}
	var facts []Fact
	add := func(name string, value any, asOf time.Time) {
		if f := NewFact(name, value, source, asOf); said[name] != f.Value {
			facts = append(facts, f)
		}
	}
	for _, name := range importWords {
		if v[name] != "" {
			add(name, v[name], now)
		}
	}
	for _, name := range recordFields {
		list, told, err := readRecords(terms.recordField(name), v[name], now)
		if err != nil {
			return nil, err
		}
		if name == "qualification" {
			list = withTitles(said[name], list)
		}
		if told {
			add(name, list, now)
		}
	}
	if v["oldNumber"] != "" {
		add("registrationNo", v["oldNumber"], now)
	}
	for _, f := range importNumbers {
		if v[f.key] == "" {
			continue
		}
		n, err := strconv.ParseInt(v[f.key], 10, 64)
		if err != nil {
			return nil, err
		}
		asOf := now
		if f.books {
			asOf = time.Date(now.In(clock.Beijing).Year()-1, 12, 31, 0, 0, 0, 0, clock.Beijing).UTC()
		}
		add(f.key, n, asOf)
	}
	return facts, nil
}

// contactsOf reads the contacts of companies.
func contactsOf(ctx context.Context, db bun.IDB, ids []int64) (map[int64]contact, error) {
	out := map[int64]contact{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []contact
	err := db.NewSelect().Model(&rows).Where("ec.enterprise_id IN ?", bun.Tuple(ids)).Scan(ctx)
	for _, c := range rows {
		out[c.EnterpriseID] = c
	}
	return out, err
}

// spokenFor reports whether a company has people or was verified. One that a register brought has neither: whoever proves to
// be it takes it over.
func spokenFor(ctx context.Context, db bun.IDB, e *Enterprise) (bool, error) {
	if e.Verification == Verified {
		return true, nil
	}
	return db.NewSelect().Model((*member)(nil)).Where("m.enterprise_id = ?", e.ID).Exists(ctx)
}

// adopt gives the owner who proved the company what a register knew of it: the register's own record, which nobody speaks
// for, hands over its code and its facts and stands aside.
func adopt(ctx context.Context, tx bun.Tx, into int64, from *Enterprise) error {
	if _, err := tx.NewUpdate().Model((*Fact)(nil)).Set("enterprise_id = ?", into).Where("enterprise_id = ?", from.ID).Exec(ctx); err != nil {
		return err
	}
	taken, err := tx.NewSelect().Model((*contact)(nil)).Where("ec.enterprise_id = ?", into).Exists(ctx)
	if err != nil {
		return err
	}
	if !taken {
		// the phone is sealed to its company and is not moved; the owner's own account has one
		if _, err := tx.NewUpdate().Model((*contact)(nil)).Set("enterprise_id = ?, phone_sealed = ''", into).Where("enterprise_id = ?", from.ID).Exec(ctx); err != nil {
			return err
		}
	}
	if _, err := tx.NewUpdate().Model((*settlement)(nil)).Set("enterprise_id = ?", into).Where("enterprise_id = ?", from.ID).Exec(ctx); err != nil {
		return err
	}
	return database.Changed(tx.NewUpdate().Model((*Enterprise)(nil)).Set("credit_code = NULL, replaced_by = ?, version = version + 1", into).
		Where("id = ? AND version = ?", from.ID, from.Version).Exec(ctx))
}

type contact20261127 struct {
	bun.BaseModel `bun:"table:enterprise_contacts"`

	EnterpriseID int64     `bun:"enterprise_id,pk"`
	Name         string    `bun:"name,notnull"`
	PhoneSealed  string    `bun:"phone_sealed,notnull,type:text"`
	UpdatedAt    time.Time `bun:"updated_at,notnull"`
}
