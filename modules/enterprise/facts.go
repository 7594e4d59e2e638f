package enterprise

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Source is who says a fact.
type Source string

// The sources. Self is the company's own word; it gives way to an office's word of the same day.
const (
	FromRegistry Source = "registry"
	FromTax      Source = "tax"
	FromSocial   Source = "social"
	FromBureau   Source = "bureau"
	FromCredit   Source = "credit"
	FromSelf     Source = "self"
)

// #nosec G101 -- names of sources, no secrets
var sourceNames = map[Source]string{
	FromRegistry: "企业登记信息", FromTax: "税务部门", FromSocial: "社会保险经办机构", FromBureau: "主管部门", FromCredit: "信用信息平台", FromSelf: "企业填报", FromRoll: "企业名录导入",
}

// Fact is one value of one field with who says it and of which day it is true. Facts are added, never changed.
type Fact struct {
	bun.BaseModel `bun:"table:enterprise_facts,alias:f"`

	ID           int64     `bun:"id,pk,autoincrement"`
	EnterpriseID int64     `bun:"enterprise_id,notnull"`
	Field        string    `bun:"field,notnull"`
	Value        string    `bun:"value,notnull"` // JSON
	Source       Source    `bun:"source,notnull"`
	SourceName   string    `bun:"source_name,notnull"`
	AsOf         time.Time `bun:"as_of,notnull"`
	RecordedAt   time.Time `bun:"recorded_at,notnull"`
	RecordedBy   int64     `bun:"recorded_by,notnull"`
}

// NewFact makes a fact to record. The value is an int64 for counts, money (fen) and ratios (permille), a string for codes,
// days (2006-01-02) and words, and []Holding for titles.
func NewFact(name string, value any, source Source, asOf time.Time) Fact {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("enterprise: fact %s: %v", name, err)) // numbers, words and holdings always encode
	}
	return Fact{Field: name, Value: string(raw), Source: source, SourceName: sourceNames[source], AsOf: asOf}
}

// registered are the facts of a registry's record.
func registered(c Company, now time.Time) []Fact {
	var out []Fact
	add := func(name string, value any) { out = append(out, NewFact(name, value, FromRegistry, now)) }
	if c.Status != "" {
		add("status", c.Status)
	}
	if !c.Established.IsZero() {
		add("established", c.Established.Format(time.DateOnly))
	}
	if c.Capital > 0 {
		add("capital", c.Capital)
	}
	if c.Industry != "" {
		add("industry", c.Industry)
	}
	if c.Region != "" {
		add("region", c.Region)
	}
	if c.Address != "" {
		add("address", c.Address)
	}
	return out
}

// record adds facts to a company, in the order given.
func record(ctx context.Context, tx bun.Tx, enterpriseID, by int64, now time.Time, facts ...Fact) error {
	if len(facts) == 0 {
		return nil
	}
	rows := slices.Clone(facts)
	for i := range rows {
		f, ok := fieldOf(rows[i].Field)
		if _, _, readable := f.read(rows[i].Value, Terms{}); !ok || !readable && !(rows[i].Source == settled && rows[i].Value == withdrawn) {
			return fmt.Errorf("enterprise: %s is no value of field %q", rows[i].Value, rows[i].Field)
		}
		rows[i].EnterpriseID, rows[i].RecordedAt, rows[i].RecordedBy = enterpriseID, now, by
	}
	_, err := tx.NewInsert().Model(&rows).ExcludeColumn("id").Exec(ctx)
	return err
}

// factsOf reads the facts of companies by company, oldest first.
func factsOf(ctx context.Context, db bun.IDB, ids ...int64) (map[int64][]Fact, error) {
	out := map[int64][]Fact{}
	for chunk := range slices.Chunk(ids, 500) {
		var rows []Fact
		if err := db.NewSelect().Model(&rows).Where("f.enterprise_id IN ?", bun.Tuple(chunk)).OrderExpr("f.id").Scan(ctx); err != nil {
			return nil, fmt.Errorf("read facts: %w", err)
		}
		for _, r := range rows {
			out[r.EnterpriseID] = append(out[r.EnterpriseID], r)
		}
	}
	return out, nil
}

// Facts returns what is known of a company, for conditions: the facts that count now, and what follows from them (size,
// share of research). The caller has established that the asker may know.
func (s *Service) Facts(ctx context.Context, db bun.IDB, enterpriseID int64) (criteria.Facts, error) {
	all, err := s.FactsOf(ctx, db, enterpriseID)
	return all[enterpriseID], err
}

// FactsOf is Facts for several companies at once. Every id has an entry, empty when nothing is known.
func (s *Service) FactsOf(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]criteria.Facts, error) {
	rows, err := factsOf(ctx, db, ids...)
	if err != nil {
		return nil, err
	}
	counts, err := s.counting(ctx, db)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	out := make(map[int64]criteria.Facts, len(ids))
	for _, id := range ids {
		out[id] = counts(rows[id], now)
	}
	return out, nil
}

// counting gives what counts at a moment of the facts of one company, oldest first, and what follows from it, by the sources
// and thresholds of now.
func (s *Service) counting(ctx context.Context, db bun.IDB) (func([]Fact, time.Time) criteria.Facts, error) {
	rule, err := s.ruling(ctx, db)
	if err != nil {
		return nil, err
	}
	sizes, err := s.readThresholds(ctx, db)
	return func(rows []Fact, now time.Time) criteria.Facts {
		by := byField(rows)
		out := s.derive(sizes, rule.currentOf(by, now), now)
		rule.yearly(out, by, now)
		return out
	}, err
}

// StateFacts is what an owner says of her company: numbers as typed, amounts in 万元. An empty one says nothing.
type StateFacts struct {
	Key       string `json:"-"`
	Employees string `json:"employees"`
	Revenue   string `json:"revenue"`
	Assets    string `json:"assets"`
	RDSpend   string `json:"rdSpend"`
	Industry  string `json:"industry"` // code or name of GB/T 4754
	MoreFacts
	// Year says that the numbers are those at the end of this full year; empty for the last year's books and today's staff.
	Year string `json:"year"`
}

// MoreFacts are the numbers a company may say besides the first ones.
type MoreFacts struct {
	Insured     string `json:"insured,omitempty" maxLength:"40"`
	Liabilities string `json:"liabilities,omitempty" maxLength:"40" doc:"In 万元, at the end of last year."`
	Loans       string `json:"loans,omitempty" maxLength:"40" doc:"In 万元, at the end of last year."`
	Patents     string `json:"patents,omitempty" maxLength:"40"`
	Inventions  string `json:"inventions,omitempty" maxLength:"40"`
	Copyrights  string `json:"copyrights,omitempty" maxLength:"40"`
	Trademarks  string `json:"trademarks,omitempty" maxLength:"40"`
}

// When a number is true that a company says.
const (
	ofYearEnd = iota // of the books: the end of the last year, or of the year that is said
	ofNow            // today, or the end of the year that is said
	ofToday          // today, and of no year
)

// statedNumbers are the numbers a company may say, in the order of the form.
var statedNumbers = []struct {
	name  string
	when  int
	typed func(*StateFacts) string
}{
	{"employees", ofNow, func(f *StateFacts) string { return f.Employees }},
	{"insured", ofNow, func(f *StateFacts) string { return f.Insured }},
	{"revenue", ofYearEnd, func(f *StateFacts) string { return f.Revenue }},
	{"rdSpend", ofYearEnd, func(f *StateFacts) string { return f.RDSpend }},
	{"assets", ofYearEnd, func(f *StateFacts) string { return f.Assets }},
	{"liabilities", ofYearEnd, func(f *StateFacts) string { return f.Liabilities }},
	{"loans", ofYearEnd, func(f *StateFacts) string { return f.Loans }},
	{"patents", ofToday, func(f *StateFacts) string { return f.Patents }},
	{"inventions", ofToday, func(f *StateFacts) string { return f.Inventions }},
	{"copyrights", ofToday, func(f *StateFacts) string { return f.Copyrights }},
	{"trademarks", ofToday, func(f *StateFacts) string { return f.Trademarks }},
}

// statedNames are the fields of the numbers a company may say.
func statedNames() []string {
	out := make([]string, 0, len(statedNumbers))
	for _, n := range statedNumbers {
		out = append(out, n.name)
	}
	return out
}

// State records what the owner says, or a member mandated for it, as the company's own word: last year's books as of the end of last year, the others as of today.
// What she has said before and says again is not recorded twice.
func (s *Service) State(ctx context.Context, actor access.Actor, cmd StateFacts) (Mine, error) {
	if err := needOwner(actor); err != nil {
		return Mine{}, err
	}
	now := s.clock.Now()
	said, err := s.said(cmd, now)
	if err != nil {
		return Mine{}, err
	}
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.state", Key: cmd.Key, Request: []any{actor.EnterpriseID, cmd}, Now: now},
			func() (started, error) {
				if err := s.Entitled(ctx, tx, actor.EnterpriseID, actor.UserID, RightFacts); err != nil {
					return started{}, err
				}
				e, err := find(ctx, tx, actor, actor.EnterpriseID)
				if err != nil {
					return started{}, err
				}
				rows, err := factsOf(ctx, tx, e.ID)
				if err != nil {
					return started{}, err
				}
				fresh := slices.DeleteFunc(slices.Clone(said), func(f Fact) bool {
					last := ""
					for _, b := range rows[e.ID] {
						if b.Source == FromSelf && b.Field == f.Field && (b.AsOf.Equal(f.AsOf) || f.Field == "industry") {
							last = b.Value
						}
					}
					return last == f.Value
				})
				if err := record(ctx, tx, e.ID, actor.UserID, now, fresh...); err != nil {
					return started{}, err
				}
				names := make([]string, 0, len(fresh))
				for _, f := range fresh {
					names = append(names, f.Field)
				}
				return started{ID: e.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.state", Object: Object, ObjectID: e.ID,
					Summary: "填报企业信息", Detail: names})
			})
		return err
	})
	if err != nil {
		return Mine{}, fmt.Errorf("state facts of enterprise %d: %w", actor.EnterpriseID, err)
	}
	return s.Mine(ctx, actor)
}

// latestSelf returns what the company has said of the latest day of each field.
func latestSelf(rows []Fact) map[string]Fact {
	out := map[string]Fact{}
	for _, r := range rows {
		if b, ok := out[r.Field]; r.Source == FromSelf && (!ok || !b.AsOf.After(r.AsOf)) {
			out[r.Field] = r
		}
	}
	return out
}

// said reads what was typed.
func (s *Service) said(cmd StateFacts, now time.Time) ([]Fact, error) {
	var out []Fact
	var errs []error
	today := now.In(clock.Beijing)
	midnight := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, clock.Beijing).UTC()
	year, err := statedYear(cmd.Year, now)
	if err != nil {
		errs = append(errs, err)
	}
	yearEnd := time.Date(year, 12, 31, 0, 0, 0, 0, clock.Beijing).UTC()
	staff := midnight
	if cmd.Year != "" {
		staff = yearEnd
	}
	said := map[string]int64{}
	for _, x := range statedNumbers {
		typed := plainNumber(x.typed(&cmd))
		if typed == "" {
			continue
		}
		f, _ := fieldOf(x.name)
		if x.when == ofToday && cmd.Year != "" {
			errs = append(errs, fault.InvalidField(x.name, "NO_YEAR", f.label+"不分年度填报，请在本年的经营数据中填写"))
			continue
		}
		scale, unit := int64(fenPerWan), "万元为单位的数字，最多两位小数，例如 328.5"
		if f.kind == criteria.Count {
			scale, unit = 1, "整数，例如 14"
		}
		n, err := scaled(typed, scale)
		if err != nil {
			label := f.label
			if cmd.Year != "" {
				label = f.yearly
			}
			errs = append(errs, fault.InvalidField(x.name, "NUMBER", fmt.Sprintf("%s应为%s", label, unit)))
			continue
		}
		said[x.name] = n
		out = append(out, NewFact(x.name, n, FromSelf, map[int]time.Time{ofYearEnd: yearEnd, ofNow: staff, ofToday: midnight}[x.when]))
	}
	patents, ok1 := said["patents"]
	if inventions, ok2 := said["inventions"]; ok1 && ok2 && unlikely(patents, inventions) {
		errs = append(errs, fault.InvalidField("inventions", "INVENTIONS", unlikelyText))
	}
	if typed := strings.TrimSpace(norm.NFKC.String(cmd.Industry)); typed != "" && cmd.Year != "" {
		errs = append(errs, fault.InvalidField("industry", "INDUSTRY_YEAR", "所属行业不分年度填报，请在本年的经营数据中填写"))
	} else if typed != "" {
		code, err := s.terms.industry(typed)
		if err != nil {
			errs = append(errs, err)
		} else {
			out = append(out, NewFact("industry", code, FromSelf, midnight))
		}
	}
	if len(out) == 0 && len(errs) == 0 {
		errs = append(errs, fault.New(fault.Invalid, "NOTHING_STATED", "请至少填写一项后再保存"))
	}
	return out, fault.Merge(errs...)
}

var numberMarks = strings.NewReplacer(",", "", " ", "", "，", "")

// plainNumber takes blanks and thousands marks out of a typed number.
func plainNumber(s string) string { return numberMarks.Replace(norm.NFKC.String(strings.TrimSpace(s))) }

// largest bounds what is typed: a trillion 元, or a hundred million people.
const largest = 100_000_000

// scaled reads a decimal number of at most two places without floating point.
func scaled(s string, scale int64) (int64, error) {
	whole, rest, point := strings.Cut(s, ".")
	n, err := strconv.ParseUint(whole, 10, 63)
	switch {
	case err != nil, n > largest, point && (scale == 1 || rest == "" || len(rest) > 2):
		return 0, strconv.ErrSyntax
	case !point:
		return int64(n) * scale, nil
	}
	d, err := strconv.ParseUint((rest + "0")[:2], 10, 63)
	if err != nil {
		return 0, strconv.ErrSyntax
	}
	return int64(n)*scale + int64(d)*(scale/100), nil
}

// IndustryOption is one class of industries to choose.
type IndustryOption struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Industries finds classes by code or words of their name, at most twenty, for everybody who is signed in.
func (s *Service) Industries(_ context.Context, actor access.Actor, typed string) ([]IndustryOption, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	return s.terms.find(strings.TrimSpace(norm.NFKC.String(typed)), 20), nil
}

// find lists the four-digit classes whose code begins with, or whose name holds, what was typed.
func (t Terms) find(typed string, most int) []IndustryOption {
	out := []IndustryOption{}
	if typed == "" {
		return out
	}
	for code, name := range t.Industries {
		if len(code) == 4 && (strings.HasPrefix(code, typed) || strings.Contains(name, typed)) {
			out = append(out, IndustryOption{code, name})
		}
	}
	slices.SortFunc(out, func(a, b IndustryOption) int {
		exact := func(o IndustryOption) int {
			if o.Name == typed {
				return 0
			}
			return 1
		}
		return cmp.Or(exact(a)-exact(b), cmp.Compare(a.Code, b.Code))
	})
	return out[:min(most, len(out))]
}

// industry reads a code or a name; a name that fits several is refused with the first of them.
func (t Terms) industry(typed string) (string, error) {
	code, _, _ := strings.Cut(typed, " ")
	if len(code) == 4 && t.Industries[code] != "" {
		return code, nil
	}
	found := t.find(typed, 6)
	if len(found) == 1 || len(found) > 0 && found[0].Name == typed {
		return found[0].Code, nil
	}
	if len(found) == 0 {
		return "", fault.InvalidField("industry", "INDUSTRY", "没有找到这个行业，请填写国民经济行业的四位代码，或换一个说法")
	}
	names := make([]string, 0, len(found))
	for _, o := range found[:min(5, len(found))] {
		names = append(names, o.Code+" "+o.Name)
	}
	return "", fault.InvalidField("industry", "INDUSTRY", "有多个行业符合，请填写其中一个的代码："+strings.Join(names, "，"))
}
