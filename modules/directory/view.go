package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// VersionState is where a version stands at a moment.
type VersionState string

// The states of a version.
const (
	StateValid     VersionState = "valid"
	StatePlanned   VersionState = "planned"
	StateOver      VersionState = "over"
	StateTakenBack VersionState = "taken_back"
)

// VersionView is one version of a line.
type VersionView struct {
	No         int          `json:"no"`
	State      VersionState `json:"state" enum:"valid,planned,over,taken_back"`
	LineID     int64        `json:"lineId"`
	LeadID     int64        `json:"leadId"`
	LeadName   string       `json:"leadName"`
	Helpers    []Helper     `json:"helpers"`
	ValidFrom  time.Time    `json:"validFrom"`
	ValidTo    *time.Time   `json:"validTo,omitempty" doc:"The first moment it is no longer valid."`
	Reason     string       `json:"reason"`
	Basis      string       `json:"basis"`
	EndReason  string       `json:"endReason"`
	AuthorName string       `json:"authorName"`
	CreatedAt  time.Time    `json:"createdAt"`
	MatterName string       `json:"matterName"`
	AreaName   string       `json:"areaName"`
}

// LineView is one matter in one area with who handles it.
type LineView struct {
	ID         int64         `json:"id"`
	Version    int64         `json:"version"`
	Matter     string        `json:"matter"`
	MatterName string        `json:"matterName"`
	Group      bool          `json:"group" doc:"The matter is a group of types."`
	Area       string        `json:"area"`
	AreaName   string        `json:"areaName"`
	Valid      *VersionView  `json:"valid,omitempty"`
	Planned    *VersionView  `json:"planned,omitempty"`
	Versions   []VersionView `json:"versions" doc:"All, the newest first."`
	Problems   []Problem     `json:"problems"`
}

// ProblemKind is what is wrong with the directory.
type ProblemKind string

// The kinds.
const (
	Gap       ProblemKind = "gap"       // a type nobody is named for
	UnitGone  ProblemKind = "unit_gone" // a unit that is not there any more
	MatterOff ProblemKind = "matter"    // a type that is not there any more
	Ends      ProblemKind = "ends"      // ends within thirty days and nothing follows
	Needless  ProblemKind = "needless"  // an area with the units of the whole district
	Overlap   ProblemKind = "overlap"   // two versions at once
)

// Problem is one thing to look at.
type Problem struct {
	Kind   ProblemKind `json:"kind" enum:"gap,unit_gone,matter,ends,needless,overlap"`
	Text   string      `json:"text"`
	Matter string      `json:"matter"`
	Area   string      `json:"area"`
	LineID int64       `json:"lineId,omitempty"`
}

func (v *Version) view(b book, at time.Time) VersionView {
	state := StateOver
	switch {
	case v.TakenBack:
		state = StateTakenBack
	case v.From.After(at):
		state = StatePlanned
	case v.Valid(at):
		state = StateValid
	}
	out := VersionView{v.No, state, v.LineID, v.LeadID, v.LeadName, v.Helpers, v.From.UTC(), nil, v.Reason, v.Basis, v.EndReason, v.AuthorName, v.CreatedAt.UTC(),
		b.matters[v.Matter], b.areas[v.Area]}
	if v.To != nil {
		to := v.To.UTC()
		out.ValidTo = &to
	}
	if out.MatterName == "" {
		out.MatterName = v.Matter
	}
	return out
}

// Board is the directory as a page shows it.
type Board struct {
	Lines    []LineView `json:"lines"`
	Problems []Problem  `json:"problems" doc:"Gaps first."`
	Matters  []Named    `json:"matters"`
	Areas    []Named    `json:"areas"`
	Units    []UnitInfo `json:"units"`
}

// lineLimit is how many lines a district's directory has at most: every type in every area is some thousands.
const lineLimit = 5000

// Board returns the whole directory in the order of the matters, with what is to be looked at. It needs directory.view.
func (s *Service) Board(ctx context.Context, actor access.Actor) (Board, error) {
	if err := need(actor, PermView, PermManage); err != nil {
		return Board{}, err
	}
	db, now := s.db.Read(), s.clock.Now()
	b, matters, units, err := s.book(ctx, db)
	if err != nil {
		return Board{}, err
	}
	lines, err := s.lines(ctx, db, b, now, 0)
	if err != nil {
		return Board{}, err
	}
	place := map[string]int{}
	for i, m := range matters {
		place[m.Code] = i
	}
	order := func(code string) int {
		if i, ok := place[code]; ok {
			return i
		}
		return len(matters)
	}
	slices.SortStableFunc(lines, func(x, y LineView) int {
		if c := order(x.Matter) - order(y.Matter); c != 0 {
			return c
		}
		return strings.Compare(x.Area, y.Area)
	})
	out := Board{Lines: lines, Problems: gaps(lines, matters), Matters: matters, Areas: s.areas, Units: units}
	for _, l := range lines {
		out.Problems = append(out.Problems, l.Problems...)
	}
	return out, nil
}

// Get returns one line with all its versions. It needs directory.view.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (LineView, error) {
	if err := need(actor, PermView, PermManage); err != nil {
		return LineView{}, err
	}
	db := s.db.Read()
	b, _, _, err := s.book(ctx, db)
	if err != nil {
		return LineView{}, err
	}
	lines, err := s.lines(ctx, db, b, s.clock.Now(), id)
	if err != nil {
		return LineView{}, err
	}
	if len(lines) == 0 {
		return LineView{}, ErrNotFound
	}
	return lines[0], nil
}

// lines reads all lines with their versions, or one.
func (s *Service) lines(ctx context.Context, db bun.IDB, b book, now time.Time, one int64) ([]LineView, error) {
	var rows []Line
	q := db.NewSelect().Model(&rows).OrderExpr("l.id").Limit(lineLimit)
	if one != 0 {
		q = q.Where("l.id = ?", one)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("lines: %w", err)
	}
	var versions []Version
	vq := db.NewSelect().Model(&versions).OrderExpr("v.line_id, v.no DESC")
	if one != 0 {
		vq = vq.Where("v.line_id = ?", one)
	}
	if err := vq.Scan(ctx); err != nil {
		return nil, fmt.Errorf("versions: %w", err)
	}
	of := map[int64][]*Version{}
	whole := map[string]*Version{} // what is valid in the whole district
	for i := range versions {
		v := &versions[i]
		of[v.LineID] = append(of[v.LineID], v)
		if v.Area == "" && v.Valid(now) {
			whole[v.Matter] = v
		}
	}
	out := make([]LineView, 0, len(rows))
	for _, l := range rows {
		name := b.matters[l.Matter]
		if name == "" {
			name = l.Matter
		}
		view := LineView{ID: l.ID, Version: l.Version, Matter: l.Matter, MatterName: name, Group: strings.HasSuffix(l.Matter, "00"), Area: l.Area,
			AreaName: b.areas[l.Area], Versions: []VersionView{}, Problems: []Problem{}}
		for _, v := range of[l.ID] {
			shown := v.view(b, now)
			view.Versions = append(view.Versions, shown)
			switch {
			case shown.State == StatePlanned && view.Planned == nil:
				view.Planned = &shown
			case shown.State == StateValid && view.Valid != nil:
				view.Problems = append(view.Problems, Problem{Overlap, "同一事项有两个版本同时有效，请终止其中一个", l.Matter, l.Area, l.ID})
			case shown.State == StateValid:
				view.Valid = &shown
				view.Problems = append(view.Problems, problems(v, b, now, whole[l.Matter], of[l.ID])...)
			}
		}
		out = append(out, view)
	}
	return out, nil
}

// endsDays is how long before the end of a line without a successor it is told.
const endsDays = 30

// problems says what is wrong with a valid version.
func problems(v *Version, b book, now time.Time, whole *Version, all []*Version) []Problem {
	var out []Problem
	add := func(kind ProblemKind, text string) {
		out = append(out, Problem{kind, text, v.Matter, v.Area, v.LineID})
	}
	if b.matters[v.Matter] == "" {
		add(MatterOff, "事项 "+v.Matter+" 已停用，请终止这一项")
	}
	if b.units[v.LeadID] == "" {
		add(UnitGone, "主办单位“"+v.LeadName+"”已撤销，请改派")
	}
	for _, h := range v.Helpers {
		if b.units[h.ID] == "" {
			add(UnitGone, "协办单位“"+h.Name+"”已撤销，请调整")
		}
	}
	if v.To != nil && v.To.Before(now.AddDate(0, 0, endsDays)) &&
		!slices.ContainsFunc(all, func(o *Version) bool { return !o.TakenBack && o.From.Equal(*v.To) }) {
		add(Ends, "即将到期，之后没有接续的版本")
	}
	if v.Area != "" && whole != nil && whole.same(v.LeadID, v.Helpers) {
		add(Needless, "与全区条目的单位相同，可以终止这一项")
	}
	return out
}

// gaps lists the types for which the directory names nobody in the whole district: neither they nor a group of theirs.
func gaps(lines []LineView, matters []Named) []Problem {
	valid := map[string]bool{}
	for _, l := range lines {
		if l.Area == "" && l.Valid != nil {
			valid[l.Matter] = true
		}
	}
	out := []Problem{}
	for _, m := range matters {
		if strings.HasSuffix(m.Code, "00") || slices.ContainsFunc(places(m.Code, ""), func(p place) bool { return valid[p.matter] }) {
			continue
		}
		out = append(out, Problem{Gap, "“" + m.Name + "”没有全区的有效条目", m.Code, "", 0})
	}
	return out
}

// lineAt reads the line of a matter and area, and its valid version.
func (s *Service) lineAt(ctx context.Context, db bun.IDB, matter, area string) (*Line, *Version, error) {
	l := new(Line)
	err := database.Found(db.NewSelect().Model(l).Where("l.matter = ? AND l.area = ?", matter, area).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	last, err := newest(ctx, db, l.ID)
	now := s.clock.Now()
	for i := range last {
		if last[i].Valid(now) {
			return l, &last[i], err
		}
	}
	return l, nil, err
}
