package application

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/uscc"
)

// fullText holds all applications; who asks narrows them to what they see.
var fullText = search.Index{Kind: Object, Title: "申请", Fields: []search.Field{{Name: "names", Weight: 4}, {Name: "text", Weight: 1}}}

// doc is what an application is found by. Phone and identity numbers in it are masked: whoever reads the index learns none.
func (a *Application) doc() search.Doc {
	masked := func(s string) string {
		m, _ := text.MaskNumbers(s)
		return m
	}
	scope := []string{mark("institution_id", a.InstitutionID), mark("enterprise_id", a.EnterpriseID)}
	slices.Sort(scope)
	return search.Doc{ID: a.ID, Scope: scope, Texts: []string{
		strings.Join([]string{a.ProductName, a.EnterpriseName, a.InstitutionName, a.KindName}, "\n"),
		strings.Join([]string{masked(a.Purpose), masked(a.Collateral), said(a.answers)}, "\n"),
	}}
}

// mark names a scope to an outside engine.
func mark(column string, id int64) string { return fmt.Sprintf("%s:%d", column, id) }

// SearchSource gives the applications to the rebuild of their full text.
func SearchSource() search.Source {
	return search.Source{Index: fullText, Object: Object, Docs: func(ctx context.Context, db bun.IDB, pick search.Pick) ([]search.Doc, error) {
		var rows []Application
		if err := pick(db.NewSelect().Model(&rows), "a.id").Scan(ctx); err != nil {
			return nil, err
		}
		ids := make([]int64, 0, len(rows))
		for i := range rows {
			ids = append(ids, rows[i].ID)
		}
		answers, err := answersOf(ctx, db, ids...)
		if err != nil {
			return nil, err
		}
		docs := make([]search.Doc, 0, len(rows))
		for i := range rows {
			rows[i].answers = answers[rows[i].ID]
			docs = append(docs, rows[i].doc())
		}
		return docs, nil
	}}
}

// Marks are the names of an application with what was searched for.
type Marks struct {
	Product    []search.Piece `json:"product"`
	Enterprise []search.Piece `json:"enterprise"`
}

// The exact things an application is looked up by. A number may be given as far as its day and some of its digits.
var (
	numberTyped = regexp.MustCompile(`^SQ(\d{8})-?(\d{0,6})$`)
	tailTyped   = regexp.MustCompile(`^\d{4}$`)
	codeTyped   = regexp.MustCompile(`^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{0,10}$`)
)

// maxCompanies is how many companies the beginning of a credit code may stand for.
const maxCompanies = 200

// wanted is what somebody typed into the search, understood: words for the full text, or a column that equals or lies
// between values.
type wanted struct {
	words search.Query
	where string
	args  []any
	note  string
}

// index makes a phone findable, whole and by its last four digits.
func (s *Service) index(a *Application, phone string) {
	a.PhoneBlind, a.PhoneTail = s.Box.Blind("phone", phone), s.Box.BlindTail(phone)
}

// understand reads what was typed: a number, a phone or its last four digits, the beginning of a credit code of eight
// characters or more, otherwise words.
func (s *Service) understand(ctx context.Context, db bun.IDB, typed string) (wanted, error) {
	word := strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		return r
	}, typed))
	if m := numberTyped.FindStringSubmatch(word); m != nil {
		missing := strings.Repeat("0", 6-len(m[2]))
		low := "SQ" + m[1] + "-" + m[2] + missing
		return wanted{where: "a.number BETWEEN ? AND ?", args: []any{low, low[:len(low)-len(missing)] + strings.Repeat("9", len(missing))}, note: "按申请编号查找"}, nil
	}
	if tailTyped.MatchString(word) {
		return wanted{where: "a.phone_tail = ?", args: []any{s.Box.BlindTail(word)}, note: "按联系电话后四位查找"}, nil
	}
	if len(word) <= 20 {
		if phone, err := telephone(word); err == nil {
			return wanted{where: "a.phone_blind = ?", args: []any{s.Box.Blind("phone", phone)}, note: "按联系电话查找"}, nil
		}
	}
	if code := uscc.Normalize(word); codeTyped.MatchString(code) {
		ids, err := s.Companies.ByCode(ctx, db, code, maxCompanies+1)
		if err != nil {
			return wanted{}, err
		}
		if len(ids) > 0 {
			w := wanted{where: "a.enterprise_id IN (?)", note: "按统一社会信用代码查找"}
			if len(ids) > maxCompanies {
				ids = ids[:maxCompanies]
				w.note = fmt.Sprintf("以 %s 开头的企业超过 %d 家，只查找其中 %d 家，请输入更长的代码", code, maxCompanies, maxCompanies)
			}
			w.args = []any{bun.List(ids)}
			return w, nil
		}
	}
	words, note := search.Read(typed)
	return wanted{words: words, note: note}, nil
}

// lookup finds a page of what is wanted, newest first.
func (s *Service) lookup(ctx context.Context, db bun.IDB, sc scope, f ListFilter, w wanted, before int64, limit int) ([]Application, string, error) {
	var ids []int64
	if w.where == "" {
		l := search.List{Words: w.words, ID: "a.id", Before: before, Limit: limit, Outside: s.Outside, Scope: sc.marks()}
		for _, status := range f.each() {
			l.Walks = append(l.Walks, f.narrow(sc.narrow(db.NewSelect().Model((*Application)(nil))), status))
		}
		found, err := fullText.Newest(ctx, db, l)
		if err != nil {
			return nil, "", err
		}
		if ids = found.IDs; w.note == "" {
			w.note = found.Note
		}
		if len(ids) == 0 {
			return nil, w.note, nil
		}
	}
	var rows []Application
	q := db.NewSelect().Model(&rows).OrderExpr("a.id DESC").Limit(int64(limit))
	if w.where == "" {
		q = q.Where("a.id IN (?)", bun.List(ids))
	} else {
		q = f.narrow(sc.narrow(q.Where(w.where, w.args...)), "")
		if len(f.Statuses) > 0 {
			q = q.Where("a.status IN ?", bun.Tuple(f.Statuses))
		}
		if before > 0 {
			q = q.Where("a.id < ?", before)
		}
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("look up applications: %w", err)
	}
	return rows, w.note, nil
}

// marks are those of the scope to an outside engine; none when it is everything.
func (s scope) marks() []string {
	if s.mark == "" {
		return nil
	}
	return []string{s.mark}
}
