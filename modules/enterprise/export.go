package enterprise

import (
	"context"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// The rights to take the list of companies out, and to take a register of companies in.
const (
	PermExport access.Permission = "enterprise.export"
	PermImport access.Permission = "enterprise.import"
)

// exported is a company with the facts that count now.
type exported struct {
	Enterprise
	facts   map[string]string
	contact contact
	former  []string
	extra   map[string]string // of the fields administrators define, as kept
}

// exportedFacts are the facts that leave with a company.
var exportedFacts = []string{"status", "established", "capital", "industry", "region", "address", "employees", "revenue", "revenueGrowth", "assets", "liabilities", "debtRatio", "loans", "rdSpend", "rdRatio",
	"sizeClass", "qualification", "creditStanding", "permits", "penalties", "judgments", "insured", "socialArrears", "taxGrade", "patents", "inventions", "copyrights", "trademarks"}

// ExportSource is the list of companies that leaves as a spreadsheet: what the actor sees, newest first. The fields that
// administrators define are columns too, as they are at the moment.
func (s *Service) ExportSource() sheet.Source {
	src := s.exportSource(nil, nil)
	src.Now = func(ctx context.Context) (sheet.Source, error) {
		list, err := extraFields(ctx, s.db.Read())
		if err != nil {
			return sheet.Source{}, err
		}
		tags, err := bodiesInForce(ctx, s.db.Read())
		return s.exportSource(list, tags), err
	}
	return src
}

// extraColumn is a field as a column.
func extraColumn(f ExtraFieldView) sheet.Field[exported] {
	c := sheet.Of[exported]("extra."+f.Field.Key, f.Field.Label, 18, func(e *exported) sheet.Cell {
		v := e.extra[f.Field.Key]
		if v == "" {
			return sheet.Cell{}
		}
		return sheet.Text(f.Field.Show(v))
	})
	if f.Restricted {
		c = c.Behind(PermExtraRestricted)
	}
	c.Off, c.Gone = c.Off || f.Retired, f.Retired
	return c
}

func (s *Service) exportSource(extra []ExtraFieldView, tags []TagBody) sheet.Source {
	of := sheet.Of[exported]
	fields := []sheet.Field[exported]{
		of("name", "企业名称", 36, func(e *exported) sheet.Cell { return sheet.Text(e.Name) }),
		of("formerNames", "曾用名", 36, func(e *exported) sheet.Cell { return sheet.Text(strings.Join(e.former, "、")) }),
		of("creditCode", "统一社会信用代码", 22, func(e *exported) sheet.Cell { return sheet.Text(e.code()) }),
		of("legalPerson", "法定代表人", 12, func(e *exported) sheet.Cell { return sheet.Text(e.LegalPerson) }),
		of("verification", "认证状态", 12, func(e *exported) sheet.Cell { return sheet.Text(e.Verification.Label()) }),
		of("verifiedAt", "认证时间", 20, func(e *exported) sheet.Cell { return sheet.TimeOf(e.VerifiedAt) }),
		of("createdAt", "注册时间", 20, func(e *exported) sheet.Cell { return sheet.Time(e.CreatedAt) }),
	}
	for _, name := range exportedFacts {
		f, ok := fieldOf(name)
		if !ok {
			panic("enterprise: no field " + name) // a mistake in the list above
		}
		fields = append(fields, of(name, f.label, 18, func(e *exported) sheet.Cell { return sheet.Text(e.facts[name]) }))
	}
	for _, f := range extra {
		fields = append(fields, extraColumn(f))
	}
	fields = append(fields, of("contactName", "联系人", 12, func(e *exported) sheet.Cell { return sheet.Text(e.contact.Name) }),
		sheet.Field[exported]{SourceColumn: sheet.SourceColumn{Key: "contactPhone", Title: "联系电话（脱敏）", Width: 16}, Cell: func(_ context.Context, e *exported) (sheet.Cell, error) {
			if s.box == nil || e.contact.PhoneSealed == "" {
				return sheet.Cell{}, nil
			}
			number, err := s.box.Open(e.contact.PhoneSealed, contactPlace(e.ID))
			return sheet.Text(text.MaskPhone(string(number))), err
		}})
	return sheet.List[exported]{Name: "enterprises", Title: "企业", Permission: PermExport, Fields: fields,
		Describe: func(f sheet.Filter) (string, error) { return describe(extra, tags, f) }, Count: s.exportCount, Page: s.exportPage}.Source()
}

func exportFilter(f sheet.Filter) (ListFilter, error) {
	if err := f.Only("q", "verification", "extra", "tag"); err != nil {
		return ListFilter{}, err
	}
	out := ListFilter{Query: strings.TrimSpace(f["q"]), Verification: Verification(f["verification"]), Extra: f["extra"], Tag: f["tag"]}
	if out.Verification != "" && out.Verification.Label() == "" || len(out.Query) > 300 {
		return out, sheet.ErrFilter
	}
	return out, nil
}

func describe(extra []ExtraFieldView, tags []TagBody, f sheet.Filter) (string, error) {
	parsed, err := exportFilter(f)
	if err != nil {
		return "", err
	}
	conditions, err := conditionsOf(extra, parsed.Extra)
	var words []string
	if parsed.Query != "" {
		words = append(words, "企业："+parsed.Query)
	}
	if parsed.Verification != "" {
		words = append(words, "认证状态："+parsed.Verification.Label())
	}
	for _, x := range conditions {
		words = append(words, x.words())
	}
	if i := slices.IndexFunc(tags, func(b TagBody) bool { return b.Code == parsed.Tag }); i >= 0 {
		words = append(words, tagFilter{TagBody: tags[i]}.words())
	}
	return strings.Join(words, "；"), err
}

func (s *Service) exportPage(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]exported, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	parsed, err := exportFilter(f)
	if err != nil {
		return nil, "", err
	}
	before, err := cursorOf(after)
	if err != nil {
		return nil, "", err
	}
	parsed.Limit = limit
	db := s.db.Read()
	rows, next, err := s.listReadable(ctx, db, actor, parsed, before)
	if err != nil {
		return nil, "", err
	}
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	facts, err := factsOf(ctx, db, ids...)
	if err != nil {
		return nil, "", err
	}
	// What may leave is what each company agreed to; the columns of the others stay empty.
	groups, err := s.consents.ReadAll(ctx, actor, ids, Reading{forPortrait, "", "导出企业列表"})
	if err != nil {
		return nil, "", err
	}
	contacts, err := contactsOf(ctx, db, ids)
	if err != nil {
		return nil, "", err
	}
	names, err := namesOf(ctx, db, ids...)
	if err != nil {
		return nil, "", err
	}
	rule, err := s.ruling(ctx, db)
	if err != nil {
		return nil, "", err
	}
	sizes, err := s.readThresholds(ctx, db)
	if err != nil {
		return nil, "", err
	}
	fields, err := extraFields(ctx, db)
	if err != nil {
		return nil, "", err
	}
	extra, err := extraNow(ctx, db, ids...)
	if err != nil {
		return nil, "", err
	}
	out := make([]exported, 0, len(rows))
	for _, r := range rows {
		e := exported{r, map[string]string{}, contacts[r.ID], former(names[r.ID], r.Name), map[string]string{}}
		for _, f := range fields {
			if f.Group == keyService || slices.Contains(groups[r.ID], f.Group) {
				e.extra[f.Field.Key] = extra[r.ID][f.Field.Key].Value
			}
		}
		for _, v := range within(s.factViews(rule, sizes, facts[r.ID]), groups[r.ID]) {
			e.facts[v.Field] = v.Text
		}
		out = append(out, e)
	}
	return out, next, nil
}

func (s *Service) exportCount(ctx context.Context, actor access.Actor, f sheet.Filter, most int) (int, error) {
	if err := actor.Need(PermView); err != nil {
		return 0, err
	}
	parsed, err := exportFilter(f)
	if err != nil {
		return 0, err
	}
	db := s.db.Read()
	if parsed.conditions, err = s.conditions(ctx, db, actor, parsed); err != nil {
		return 0, err
	}
	if parsed.Query != "" { // words are found, not counted: the list itself says how many
		parsed.Limit = min(most, 1000)
		rows, err := list(ctx, db, actor, parsed, 0)
		return min(len(rows), most), err
	}
	q := visible(db.NewSelect().Model((*Enterprise)(nil)).ColumnExpr("1"), actor, "ent.id").Limit(int64(most))
	if parsed.Verification != "" {
		q = q.Where("ent.verification = ?", parsed.Verification)
	}
	for _, x := range parsed.conditions {
		q = x.narrow(q)
	}
	n, err := db.NewSelect().TableExpr("(?) AS found", q).Count(ctx)
	return int(n), err
}
