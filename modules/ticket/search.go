package ticket

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

// fullText holds all tickets; who asks narrows them to what they see.
var fullText = search.Index{Kind: Object, Title: "工单", Fields: []search.Field{{Name: "title", Weight: 4}, {Name: "body", Weight: 1}}}

// doc is what a ticket is found by. Phone and identity numbers in it are masked: whoever reads the index learns none.
// fields are the words of its own form, without the personal ones.
func (t *Ticket) doc(fields string) search.Doc {
	return search.Doc{ID: t.ID, Texts: []string{masked(t.Title), strings.Join([]string{masked(t.Body), masked(t.Reply), masked(t.EnterpriseName), masked(t.RequesterName), masked(fields)}, "\n")}}
}

func masked(s string) string {
	m, _ := text.MaskNumbers(s)
	return m
}

// SearchSource gives the tickets to the rebuild of their full text.
func SearchSource() search.Source {
	return search.Source{Index: fullText, Object: Object, Docs: func(ctx context.Context, db bun.IDB, pick search.Pick) ([]search.Doc, error) {
		var rows []Ticket
		if err := pick(db.NewSelect().Model(&rows), "t.id").Scan(ctx); err != nil || len(rows) == 0 {
			return nil, err
		}
		ids := make([]int64, 0, len(rows))
		for i := range rows {
			ids = append(ids, rows[i].ID)
		}
		var hops []Hop
		if err := db.NewSelect().Model(&hops).Where("h.ticket_id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
			return nil, err
		}
		words, err := searched(ctx, db, ids)
		if err != nil {
			return nil, err
		}
		docs := make([]search.Doc, 0, len(rows))
		for i := range rows {
			d := rows[i].doc(words[rows[i].ID])
			d.Scope = rows[i].seenBy(hops)
			docs = append(docs, d)
		}
		return docs, nil
	}}
}

// seenBy are the marks of the scopes that hold the ticket, as visible has them: who asked, the company, the unit and those
// above it, and the units that once had it.
func (t *Ticket) seenBy(hops []Hop) []string {
	marks := []string{mark("user_id", t.UserID), mark("enterprise_id", t.EnterpriseID)}
	unit := func(id int64, levels ...int64) {
		marks = append(marks, mark("unit_id", id))
		for i, l := range levels {
			marks = append(marks, mark(fmt.Sprintf("unit_l%d", i+1), l))
		}
	}
	unit(t.UnitID, t.UnitL1, t.UnitL2, t.UnitL3, t.UnitL4)
	for _, h := range hops {
		if h.TicketID == t.ID {
			unit(h.UnitID, h.UnitL1, h.UnitL2, h.UnitL3, h.UnitL4)
		}
	}
	slices.Sort(marks)
	return slices.DeleteFunc(slices.Compact(marks), func(m string) bool { return strings.HasSuffix(m, ":0") })
}

// mark names a scope to an outside engine.
func mark(column string, id int64) string { return fmt.Sprintf("%s:%d", column, id) }

// Marks are a ticket's texts with what was searched for.
type Marks struct {
	Title   []search.Piece `json:"title"`
	Excerpt []search.Piece `json:"excerpt,omitempty" doc:"Of the request or the answer, whichever holds the words; phone and identity numbers masked."`
}

// excerptLength is how many characters of a text a list shows around what was found.
const excerptLength = 60

func (t *Ticket) marks(q search.Query) *Marks {
	m := &Marks{Title: q.Mark(masked(t.Title))}
	for _, s := range []string{t.Body, t.Reply} {
		pieces := q.Excerpt(strings.Join(strings.Fields(masked(s)), " "), excerptLength)
		for _, p := range pieces {
			if p.Hit {
				m.Excerpt = pieces
				return m
			}
		}
	}
	return m
}

// The exact things a ticket is looked up by. A number may be given as far as its day and some of its digits.
var (
	numberTyped = regexp.MustCompile(`^GD(\d{8})-?(\d{0,6})$`)
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

// understand reads what was typed: a ticket number, a phone or its last four digits, the beginning of a credit code of eight
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
		// Equal lengths and digits only: the range is the same in every collation.
		missing := strings.Repeat("0", 6-len(m[2]))
		low := "GD" + m[1] + "-" + m[2] + missing
		return wanted{where: "t.number BETWEEN ? AND ?", args: []any{low, low[:len(low)-len(missing)] + strings.Repeat("9", len(missing))}}, nil
	}
	if tailTyped.MatchString(word) {
		return wanted{where: "t.phone_tail = ?", args: []any{s.box.BlindTail(word)}, note: "按联系电话后四位查找"}, nil
	}
	if len(word) <= 20 {
		if phone, err := telephone("q", word); err == nil {
			return wanted{where: "t.phone_blind = ?", args: []any{s.box.Blind("phone", phone)}, note: "按联系电话查找"}, nil
		}
	}
	if code := uscc.Normalize(word); codeTyped.MatchString(code) {
		ids, err := s.requesters.EnterprisesByCode(ctx, db, code, maxCompanies+1)
		if err != nil {
			return wanted{}, err
		}
		if len(ids) > 0 {
			w := wanted{where: "t.enterprise_id IN (?)", note: "按统一社会信用代码查找"}
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

// lookup finds a page of what is wanted, newest first, within the scopes and the filter. Seen is as search.List has it.
func (s *Service) lookup(ctx context.Context, db bun.IDB, scopes []scope, f ListFilter, w wanted, before int64, limit int, seen func(context.Context, []int64) ([]int64, error)) ([]int64, string, error) {
	if w.where == "" {
		found, err := fullText.Newest(ctx, db, search.List{
			Words: w.words, Walks: walks(db, scopes, f), ID: "t.id", Seen: seen, Before: before, Limit: limit, Outside: s.outside, Scope: marksOf(scopes),
		})
		if w.note == "" {
			w.note = found.Note
		}
		return found.IDs, w.note, err
	}
	// An exact thing has few tickets: they are read by its own index, and the scopes say which of them are seen.
	const portion = 1000
	var out []int64
	for {
		var ids []int64
		q := db.NewSelect().Model((*Ticket)(nil)).Column("id").Where(w.where, w.args...).OrderExpr("t.id DESC").Limit(portion)
		if before > 0 {
			q = q.Where("t.id < ?", before)
		}
		if err := q.Scan(ctx, &ids); err != nil {
			return nil, "", fmt.Errorf("look up tickets: %w", err)
		}
		if len(ids) == 0 {
			return out, w.note, nil
		}
		var seen []int64
		kept := f.narrow(narrow(db.NewSelect().Model((*Ticket)(nil)).Column("id").Where("t.id IN (?)", bun.List(ids)), scopes))
		if err := kept.OrderExpr("t.id DESC").Limit(int64(limit-len(out))).Scan(ctx, &seen); err != nil {
			return nil, "", fmt.Errorf("look up tickets: %w", err)
		}
		out = append(out, seen...)
		if len(ids) < portion || len(out) >= limit {
			return out, w.note, nil
		}
		before = ids[len(ids)-1]
	}
}

// marksOf are the marks of the scopes; none when one of them is everything.
func marksOf(scopes []scope) []string {
	var out []string
	for _, s := range scopes {
		if s.mark == "" {
			return nil
		}
		out = append(out, s.mark)
	}
	return out
}

// walks are the rows of the list, one query per scope and status, so that each is one index in order.
func walks(db bun.IDB, scopes []scope, f ListFilter) []*bun.SelectQuery {
	statuses := f.Statuses
	if len(statuses) == 0 {
		statuses = []Status{""}
	}
	var out []*bun.SelectQuery
	for _, s := range scopes {
		for _, status := range statuses {
			q := db.NewSelect().Model((*Ticket)(nil)).Where(s.where, s.args...)
			if status != "" {
				q = q.Where("t.status = ?", status)
			}
			for _, c := range f.conditions() {
				q = q.Where(c.where, c.args...)
			}
			out = append(out, q)
		}
	}
	return out
}

// narrow adds the filter to a query of few tickets.
func (f ListFilter) narrow(q *bun.SelectQuery) *bun.SelectQuery {
	if len(f.Statuses) > 0 {
		q = q.Where("t.status IN ?", bun.Tuple(f.Statuses))
	}
	for _, c := range f.conditions() {
		q = q.Where(c.where, c.args...)
	}
	return q
}
