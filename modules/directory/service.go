package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// Named is a thing with a code: a matter, an area.
type Named struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// UnitInfo is a department.
type UnitInfo struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Units tells the departments that tickets may be dispatched to, in the order of the tree.
type Units interface {
	Units(ctx context.Context, db bun.IDB) ([]UnitInfo, error)
}

// Matters tells the ticket types and their groups (whose codes end in 00), groups before their types.
type Matters interface {
	Matters(ctx context.Context) ([]Named, error)
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB      *database.DB
	Clock   clock.Clock
	Units   Units
	Matters Matters
	// Areas are the streets and towns of the district.
	Areas []Named
}

// Service keeps the directory.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	units   Units
	matters Matters
	areas   []Named
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Units == nil || d.Matters == nil || d.Areas == nil {
		panic("directory: Deps is not complete")
	}
	return &Service{d.DB, d.Clock, d.Units, d.Matters, d.Areas}
}

// need returns ErrUnauthorized or ErrForbidden when the actor, as one of the staff, has none of the rights.
func need(a access.Actor, rights ...access.Permission) error {
	if !a.SignedIn() {
		return a.Need(rights[0])
	}
	if a.Party == access.System {
		return nil
	}
	for _, r := range rights {
		if (a.Party == access.Platform || a.Party == access.Government) && a.Can(r) {
			return nil
		}
	}
	return ErrForbidden
}

// book is what names things in one go.
type book struct {
	matters map[string]string
	areas   map[string]string
	units   map[int64]string
}

// district is what the area "" is called.
const district = "全区"

func (s *Service) book(ctx context.Context, db bun.IDB) (book, []Named, []UnitInfo, error) {
	list, err := s.matters.Matters(ctx)
	if err != nil {
		return book{}, nil, nil, err
	}
	units, err := s.units.Units(ctx, db)
	b := book{matters: map[string]string{}, areas: map[string]string{"": district}, units: map[int64]string{}}
	for _, m := range list {
		b.matters[m.Code] = m.Name
	}
	for _, a := range s.areas {
		b.areas[a.Code] = a.Name
	}
	for _, u := range units {
		b.units[u.ID] = u.Name
	}
	return b, list, units, err
}

// Set asks for a new version of a line, which is made when it is not there. Version is the line's as the actor saw it, 0 for
// a new one. From is a day in Beijing as "2026-11-22", "" is at once.
type Set struct {
	Key     string `json:"-"`
	Matter  string
	Area    string
	Lead    int64
	Helpers []int64
	From    string
	Reason  string
	Basis   string
	Version int64
}

// begins turns a day into the moment a version begins: today and "" are now.
func begins(value string, now time.Time) (time.Time, error) {
	if strings.TrimSpace(value) == "" {
		return now, nil
	}
	at, err := text.Day("validFrom", strings.TrimSpace(value), clock.Beijing)
	if err != nil {
		return time.Time{}, err
	}
	today := now.In(clock.Beijing).Format(time.DateOnly)
	switch d := at.Format(time.DateOnly); {
	case d == today:
		return now, nil
	case d < today:
		return time.Time{}, ErrPast
	}
	return at.UTC(), nil
}

// checked is a Set understood.
type checked struct {
	Set
	from     time.Time
	leadName string
	helpers  []Helper
}

func (s *Service) check(ctx context.Context, db bun.IDB, cmd Set) (checked, error) {
	out := checked{Set: cmd, helpers: []Helper{}}
	b, _, _, err := s.book(ctx, db)
	if err != nil {
		return out, err
	}
	var wrong []error
	if b.matters[cmd.Matter] == "" {
		wrong = append(wrong, fault.InvalidField("matter", "DIRECTORY_MATTER", "没有这个事项，请重新选择"))
	}
	if b.areas[cmd.Area] == "" {
		wrong = append(wrong, fault.InvalidField("area", "DIRECTORY_AREA", "没有这个街道或乡镇，请重新选择"))
	}
	if out.leadName = b.units[cmd.Lead]; out.leadName == "" {
		wrong = append(wrong, fault.InvalidField("leadId", "DIRECTORY_LEAD", "请选择主办单位；已撤销的单位不能选"))
	}
	for _, id := range cmd.Helpers {
		switch {
		case id == cmd.Lead:
			wrong = append(wrong, fault.InvalidField("helperIds", "DIRECTORY_TWICE", "主办单位不能同时是协办单位"))
		case b.units[id] == "":
			wrong = append(wrong, fault.InvalidField("helperIds", "DIRECTORY_HELPER", "协办单位中有已撤销的单位，请重新选择"))
		case !slices.ContainsFunc(out.helpers, func(h Helper) bool { return h.ID == id }):
			out.helpers = append(out.helpers, Helper{id, b.units[id]})
		}
	}
	if len(out.helpers) > 10 {
		wrong = append(wrong, fault.InvalidField("helperIds", "DIRECTORY_MANY", "协办单位最多 10 个，请删减"))
	}
	out.Reason, err = text.Block("reason", cmd.Reason, 2, 500)
	wrong = append(wrong, text.Named(err, "调整原因"))
	out.Basis, err = text.Line("basis", cmd.Basis, 0, 200)
	wrong = append(wrong, text.Named(err, "依据"))
	out.from, err = begins(cmd.From, s.clock.Now())
	wrong = append(wrong, err)
	return out, fault.Merge(wrong...)
}

// Set gives a line a new version from its day on; the one before it ends then. It needs directory.manage, and returns
// ErrStale for a version of the line that is not the newest, ErrPlanned while a change waits, ErrSame for one that changes
// nothing.
func (s *Service) Set(ctx context.Context, actor access.Actor, cmd Set) (LineView, error) {
	if err := need(actor, PermManage); err != nil {
		return LineView{}, err
	}
	var id int64
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		id, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "directory.set", Key: cmd.Key, Request: cmd, Now: s.clock.Now()}, func() (int64, error) {
			c, err := s.check(ctx, tx, cmd)
			if err != nil {
				return 0, err
			}
			return s.set(ctx, tx, actor, c)
		})
		return err
	})
	if database.IsDuplicate(err) {
		return LineView{}, ErrStale
	}
	if err != nil {
		return LineView{}, fmt.Errorf("set directory: %w", err)
	}
	return s.Get(ctx, actor, id)
}

// take finds the line and makes the change of it the actor's alone, if it is at the version they saw.
func take(ctx context.Context, tx bun.Tx, l *Line, seen int64) error {
	l.Version = seen + 1
	err := database.Changed(tx.NewUpdate().Model(l).Column("version", "last_no").Where("id = ? AND version = ?", l.ID, seen).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return ErrStale
	}
	return err
}

// newest lists the versions of a line that count, the last first.
func newest(ctx context.Context, db bun.IDB, line int64) ([]Version, error) {
	var rows []Version
	err := db.NewSelect().Model(&rows).Where("v.line_id = ? AND NOT v.taken_back", line).OrderExpr("v.valid_from DESC, v.no DESC").Limit(2).Scan(ctx)
	return rows, err
}

func (s *Service) set(ctx context.Context, tx bun.Tx, actor access.Actor, c checked) (int64, error) {
	now := s.clock.Now()
	l := &Line{Matter: c.Matter, Area: c.Area, Version: 1, Last: 1}
	err := database.Found(tx.NewSelect().Model(l).Where("l.matter = ? AND l.area = ?", c.Matter, c.Area).Scan(ctx))
	switch {
	case fault.KindOf(err) == fault.NotFound && c.Version == 0:
		if _, err := tx.NewInsert().Model(l).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
			return 0, err
		}
	case fault.KindOf(err) == fault.NotFound, err == nil && l.Version != c.Version:
		return 0, ErrStale
	case err != nil:
		return 0, err
	default:
		l.Last++
		if err := take(ctx, tx, l, c.Version); err != nil {
			return 0, err
		}
		before, err := newest(ctx, tx, l.ID)
		if err != nil {
			return 0, err
		}
		if len(before) > 0 {
			last := &before[0]
			switch {
			case last.From.After(now):
				return 0, ErrPlanned
			case last.Valid(c.from) && last.same(c.Lead, c.helpers):
				return 0, ErrSame
			case last.To == nil || last.To.After(c.from):
				if err := end(ctx, tx, last, c.from, "新版本生效"); err != nil {
					return 0, err
				}
			}
		}
	}
	v := &Version{LineID: l.ID, No: l.Last, Matter: c.Matter, Area: c.Area, LeadID: c.Lead, LeadName: c.leadName, Helpers: c.helpers, From: c.from,
		Reason: c.Reason, Basis: c.Basis, AuthorID: actor.UserID, AuthorName: actor.Name, CreatedAt: now}
	if _, err := tx.NewInsert().Model(v).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return 0, err
	}
	return l.ID, s.record(ctx, tx, actor, Changed{v.head()}, v, "set", "调整派单目录")
}

// end gives a version its end, the one thing of it that changes.
func end(ctx context.Context, tx bun.Tx, v *Version, at time.Time, why string) error {
	v.To, v.EndReason = &at, why
	_, err := tx.NewUpdate().Model(v).Column("valid_to", "end_reason").WherePK().Exec(ctx)
	return err
}

func (s *Service) record(ctx context.Context, tx bun.Tx, actor access.Actor, fact event.Fact, v *Version, action, word string) error {
	now := s.clock.Now()
	if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "directory." + action, Object: Object, ObjectID: v.LineID,
		Summary: word + "：" + v.Matter + " → " + v.LeadName, Detail: fact})
}

// End asks that a line has no valid version from a day on, "" is at once.
type End struct {
	LineID  int64
	Version int64
	At      string
	Reason  string
}

// End ends what is valid of a line. Errors as Set, and ErrNoneValid when nothing is.
func (s *Service) End(ctx context.Context, actor access.Actor, cmd End) (LineView, error) {
	at, err := begins(cmd.At, s.clock.Now())
	why, err2 := text.Block("reason", cmd.Reason, 2, 500)
	if err := fault.Merge(err, text.Named(err2, "终止原因")); err != nil {
		return LineView{}, err
	}
	return s.change(ctx, actor, cmd.LineID, cmd.Version, func(ctx context.Context, tx bun.Tx, last []Version) error {
		now := s.clock.Now()
		switch {
		case len(last) == 0 || !last[0].From.After(now) && !last[0].Valid(now):
			return ErrNoneValid
		case last[0].From.After(now):
			return ErrPlanned
		}
		v := &last[0]
		if err := end(ctx, tx, v, at, why); err != nil {
			return err
		}
		h := v.head()
		h.Reason = why
		return s.record(ctx, tx, actor, Ended{h}, v, "end", "终止派单目录项")
	})
}

// TakeBack takes a version back that has not begun; the one before it stays valid. Errors as Set, and ErrBegun for one that
// has.
func (s *Service) TakeBack(ctx context.Context, actor access.Actor, line, version int64) (LineView, error) {
	return s.change(ctx, actor, line, version, func(ctx context.Context, tx bun.Tx, last []Version) error {
		if len(last) == 0 || !last[0].From.After(s.clock.Now()) {
			return ErrBegun
		}
		v := &last[0]
		if _, err := tx.NewUpdate().Model(v).Set("taken_back = ?", true).WherePK().Exec(ctx); err != nil {
			return err
		}
		if len(last) > 1 && last[1].To != nil && last[1].To.Equal(v.From) {
			if _, err := tx.NewUpdate().Model(&last[1]).Set("valid_to = NULL, end_reason = ''").WherePK().Exec(ctx); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, actor, TakenBack{v.head()}, v, "take_back", "撤回未生效的派单目录调整")
	})
}

func (s *Service) change(ctx context.Context, actor access.Actor, line, version int64, do func(ctx context.Context, tx bun.Tx, last []Version) error) (LineView, error) {
	if err := need(actor, PermManage); err != nil {
		return LineView{}, err
	}
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		l := new(Line)
		if err := tx.NewSelect().Model(l).Where("l.id = ?", line).Scan(ctx); err != nil {
			return database.Found(err)
		}
		if l.Version != version {
			return ErrStale
		}
		if err := take(ctx, tx, l, version); err != nil {
			return err
		}
		last, err := newest(ctx, tx, line)
		if err != nil {
			return err
		}
		return do(ctx, tx, last)
	})
	if err != nil {
		return LineView{}, fmt.Errorf("change directory line %d: %w", line, err)
	}
	return s.Get(ctx, actor, line)
}

// Past is a version that was valid before, for Load.
type Past struct {
	Matter, Area  string
	Lead          int64
	Helpers       []int64
	From          time.Time
	Reason, Basis string
	Author        access.Actor // who had set it
}

// Load takes a directory over from before: each becomes the first version of its line, valid from its time. Only the system
// may.
func (s *Service) Load(ctx context.Context, actor access.Actor, list []Past) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, p := range list {
			c, err := s.check(ctx, tx, Set{Matter: p.Matter, Area: p.Area, Lead: p.Lead, Helpers: p.Helpers, Reason: p.Reason, Basis: p.Basis})
			if err != nil {
				return fmt.Errorf("load %s %s: %w", p.Matter, p.Area, err)
			}
			c.from = p.From
			if _, err := s.set(ctx, tx, p.Author, c); err != nil {
				return fmt.Errorf("load %s %s: %w", p.Matter, p.Area, err)
			}
		}
		return nil
	})
}
