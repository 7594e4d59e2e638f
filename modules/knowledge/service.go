package knowledge

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/notation"
	"github.com/huiqi/huiqi/platform/search"
)

// UnitInfo is a department. Levels holds the ids from level 1 down to the unit itself.
type UnitInfo struct {
	ID     int64    `json:"id"`
	Name   string   `json:"name"`
	Levels [4]int64 `json:"levels"`
}

// Units tells the department tree.
type Units interface {
	// Unit returns fault.ErrNotFound for an unknown unit.
	Unit(ctx context.Context, db bun.IDB, id int64) (UnitInfo, error)
	// Units lists all units in the order of the tree.
	Units(ctx context.Context, db bun.IDB) ([]UnitInfo, error)
}

// Matter is a ticket type, or a group of them: its code ends in 00.
type Matter struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Matters tells what tickets are about, groups before their types.
type Matters interface {
	Matters(ctx context.Context) ([]Matter, error)
}

// Tickets tells whether the actor may see a ticket: nil, or fault.ErrNotFound.
type Tickets interface {
	Sees(ctx context.Context, actor access.Actor, id int64) error
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB      *database.DB
	Clock   clock.Clock
	Units   Units
	Matters Matters
	Tickets Tickets
}

// Service keeps the entries.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	units   Units
	matters Matters
	tickets Tickets
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Units == nil || d.Matters == nil || d.Tickets == nil {
		panic("knowledge: Deps is not complete")
	}
	return &Service{db: d.DB, clock: d.Clock, units: d.Units, matters: d.Matters, tickets: d.Tickets}
}

func (s *Service) today() string { return day(s.clock.Now()) }

// names gives the words of the matters.
func (s *Service) names(ctx context.Context) (map[string]string, error) {
	list, err := s.matters.Matters(ctx)
	out := make(map[string]string, len(list))
	for _, m := range list {
		out[m.Code] = m.Name
	}
	return out, err
}

// within is the beginning that the codes of a group and of all its types share: 010100 holds 0101xx.
func within(code string) string {
	for len(code) > 2 && strings.HasSuffix(code, "00") {
		code = code[:len(code)-2]
	}
	return code
}

// above lists the groups a type stands in, the narrowest first.
func above(code string) []string {
	var out []string
	for n := len(code) - 2; n >= 2; n -= 2 {
		g := code[:n] + strings.Repeat("0", len(code)-n)
		if g != code {
			out = append(out, g)
		}
	}
	return out
}

// The states of ListFilter.State beside those of an entry.
const (
	StateOver     = "over"     // in force, and its time has passed: 待复核
	StateReported = "reported" // somebody says that it is wrong
)

// ListFilter narrows the list of entries.
type ListFilter struct {
	Query    string
	State    string // a Status, StateOver or StateReported; "" is every state. Published is what is in force, also while it is revised
	Category string // of a group: all in it
	Audience Audience
	Mine     bool // those the actor is responsible for
	Cursor   string
	Limit    int
}

var errCursor = fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")

// List returns a page of the entries the actor may see, newest first, and the cursor of the next page, "" on the last. It
// needs one of the rights of the module.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]Item, string, error) {
	if err := need(actor, PermView, PermEdit, PermReview); err != nil {
		return nil, "", err
	}
	if f.Audience != "" && f.Audience.Label() == "" {
		return nil, "", fault.InvalidField("audience", "KNOWLEDGE_AUDIENCE", "没有这种可见范围，请重新选择")
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	db, today := s.db.Read(), s.today()
	var rows []Entry
	q := narrow(db.NewSelect().Model(&rows), visible(actor, today)).OrderExpr("k.id DESC").Limit(int64(f.Limit + 1))
	switch {
	case f.State == "":
	case f.State == StateOver:
		q = q.Where("k.live_no > 0 AND k.valid_until <> '' AND k.valid_until < ?", today)
	case f.State == StateReported:
		q = q.Where("k.open_reports > 0")
	case Status(f.State) == Published:
		q = q.Where("k.live_no > 0")
	case Status(f.State).Label() != "":
		q = q.Where("k.status = ?", f.State)
	default:
		return nil, "", fault.InvalidField("state", "KNOWLEDGE_STATUS", "没有这种状态，请重新选择")
	}
	if f.Category != "" {
		q = q.Where("k.category LIKE ?", within(f.Category)+"%")
	}
	if f.Audience != "" {
		q = q.Where("k.audience = ?", f.Audience)
	}
	if f.Mine {
		q = q.Where("k.owner_id = ?", actor.UserID)
	}
	if f.Query != "" {
		words, err := search.Parse(f.Query)
		if err != nil {
			return nil, "", err
		}
		q = fullText.Narrow(q, "k.id", words)
	}
	if f.Cursor != "" {
		before, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, "", errCursor
		}
		q = q.Where("k.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list knowledge: %w", err)
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, "", err
	}
	items := make([]Item, 0, len(rows))
	for i := range rows {
		items = append(items, rows[i].item(names, today).readBy(actor, &rows[i]))
	}
	return items, next, nil
}

// FindFilter asks for answers while a ticket is handled.
type FindFilter struct {
	Query string // "" lists what is used most for the type
	Type  string // code of the ticket's type; what stands under it, and under its groups, comes first
	Limit int    // 20 at most
}

// Find returns the entries in force that the actor may see and the words name, the fittest first. Staff need knowledge.view;
// Public is for everybody else.
func (s *Service) Find(ctx context.Context, actor access.Actor, f FindFilter) ([]Found, error) {
	if err := need(actor, PermView, PermEdit, PermReview); err != nil {
		return nil, err
	}
	return s.find(ctx, visible(actor, s.today()), f)
}

// Public returns what everybody may read of the entries that the words name, the fittest first.
func (s *Service) Public(ctx context.Context, _ access.Actor, f FindFilter) ([]Found, error) {
	return s.find(ctx, visible(access.Actor{Party: access.Anonymous}, s.today()), f)
}

func (s *Service) find(ctx context.Context, scopes []scope, f FindFilter) ([]Found, error) {
	if f.Limit <= 0 || f.Limit > 20 {
		f.Limit = 8
	}
	db, today := s.db.Read(), s.today()
	var rows []Entry
	q := narrow(db.NewSelect().Model(&rows), scopes).Limit(int64(f.Limit)).
		Where("k.live_no > 0 AND k.valid_from <= ? AND (k.valid_until = '' OR k.valid_until >= ?)", today, today)
	groups := above(f.Type)
	near := append([]string{f.Type}, groups...)
	if f.Type != "" {
		q = q.OrderExpr("CASE WHEN k.category = ? THEN 0 WHEN k.category IN ? THEN 1 ELSE 2 END", f.Type, bun.Tuple(near))
	}
	var words search.Query
	if strings.TrimSpace(f.Query) != "" {
		var err error
		if words, err = search.Parse(f.Query); err != nil {
			return nil, err
		}
		rank, args := fullText.Rank(db, words)
		q = fullText.Narrow(q, "k.id", words).OrderExpr(rank, args...)
	} else if f.Type != "" {
		q = q.Where("k.category IN ?", bun.Tuple(near))
	}
	if err := q.OrderExpr("k.uses DESC, k.id DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("find knowledge: %w", err)
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Found, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].found(names, words))
	}
	return out, nil
}

// Open returns an entry as everybody may read it, ErrNotFound for one that is not public or not in force.
func (s *Service) Open(ctx context.Context, _ access.Actor, id int64) (Page, error) {
	k, err := find(ctx, s.db.Read(), access.Actor{Party: access.Anonymous}, s.today(), id)
	if err != nil {
		return Page{}, err
	}
	names, err := s.names(ctx)
	return Page{Found: k.found(names, search.Query{}), Blocks: notation.Blocks(k.Answer)}, err
}

// Get returns an entry with its editions and history. Readers see what is in force of it.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if err := need(actor, PermView, PermEdit, PermReview); err != nil {
		return View{}, err
	}
	k, err := find(ctx, s.db.Read(), actor, s.today(), id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.db.Read(), actor, k)
}

// Options are what the forms of the back office choose from.
type Options struct {
	Matters []Matter   `json:"matters"`
	Units   []UnitInfo `json:"units"`
}

// Options lists the matters and units, for whoever reads or writes entries.
func (s *Service) Options(ctx context.Context, actor access.Actor) (Options, error) {
	if err := need(actor, PermView, PermEdit, PermReview); err != nil {
		return Options{}, err
	}
	list, err := s.matters.Matters(ctx)
	if err != nil {
		return Options{}, err
	}
	units, err := s.units.Units(ctx, s.db.Read())
	return Options{Matters: list, Units: units}, err
}

// known checks that the category and the units of a text exist.
func (s *Service) known(ctx context.Context, db bun.IDB, t Text) error {
	var wrong []error
	if t.Category != "" {
		list, err := s.matters.Matters(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(m Matter) bool { return m.Code == t.Category }) {
			wrong = append(wrong, fault.InvalidField("category", "KNOWLEDGE_CATEGORY", "没有这个事项，请重新选择"))
		}
	}
	for _, id := range t.UnitIDs {
		switch _, err := s.units.Unit(ctx, db, id); fault.KindOf(err) {
		case "":
		case fault.NotFound:
			wrong = append(wrong, fault.InvalidField("unitIds", "KNOWLEDGE_UNIT", "相关单位中有已撤销的单位，请重新选择"))
		default:
			return err
		}
	}
	return fault.Merge(wrong...)
}
