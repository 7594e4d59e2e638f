package enterprise

import (
	"context"
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
}

// exportedFacts are the facts that leave with a company.
var exportedFacts = []string{"status", "established", "capital", "industry", "region", "address", "employees", "revenue", "assets", "sizeClass", "qualification"}

// ExportSource is the list of companies that leaves as a spreadsheet: what the actor sees, newest first.
func (s *Service) ExportSource() sheet.Source {
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
	fields = append(fields, of("contactName", "联系人", 12, func(e *exported) sheet.Cell { return sheet.Text(e.contact.Name) }),
		sheet.Field[exported]{SourceColumn: sheet.SourceColumn{Key: "contactPhone", Title: "联系电话（脱敏）", Width: 16}, Cell: func(_ context.Context, e *exported) (sheet.Cell, error) {
			if s.box == nil || e.contact.PhoneSealed == "" {
				return sheet.Cell{}, nil
			}
			number, err := s.box.Open(e.contact.PhoneSealed, contactPlace(e.ID))
			return sheet.Text(text.MaskPhone(string(number))), err
		}})
	return sheet.List[exported]{Name: "enterprises", Title: "企业", Permission: PermExport, Fields: fields, Describe: describe, Count: s.exportCount, Page: s.exportPage}.Source()
}

func exportFilter(f sheet.Filter) (ListFilter, error) {
	if err := f.Only("q", "verification"); err != nil {
		return ListFilter{}, err
	}
	out := ListFilter{Query: strings.TrimSpace(f["q"]), Verification: Verification(f["verification"])}
	if out.Verification != "" && out.Verification.Label() == "" || len(out.Query) > 300 {
		return out, sheet.ErrFilter
	}
	return out, nil
}

func describe(f sheet.Filter) (string, error) {
	parsed, err := exportFilter(f)
	var words []string
	if parsed.Query != "" {
		words = append(words, "企业："+parsed.Query)
	}
	if parsed.Verification != "" {
		words = append(words, "认证状态："+parsed.Verification.Label())
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
	rows, err := list(ctx, db, actor, parsed, before)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(e Enterprise) int64 { return e.ID })
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
	out := make([]exported, 0, len(rows))
	for _, r := range rows {
		e := exported{r, map[string]string{}, contacts[r.ID], former(names[r.ID], r.Name)}
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
	if parsed.Query != "" { // words are found, not counted: the list itself says how many
		parsed.Limit = min(most, 1000)
		rows, err := list(ctx, s.db.Read(), actor, parsed, 0)
		return min(len(rows), most), err
	}
	db := s.db.Read()
	q := visible(db.NewSelect().Model((*Enterprise)(nil)).ColumnExpr("1"), actor, "ent.id").Limit(int64(most))
	if parsed.Verification != "" {
		q = q.Where("ent.verification = ?", parsed.Verification)
	}
	n, err := db.NewSelect().TableExpr("(?) AS found", q).Count(ctx)
	return int(n), err
}
