package directory

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Query asks where a ticket goes.
type Query struct {
	Type string
	Area string // code of a street or town; "" is looked for in Text
	Text string
}

// Suggestion is where a ticket should go, and why.
type Suggestion struct {
	Why      Why          `json:"why" enum:"exact,area,group,experience,nothing"`
	Reason   string       `json:"reason" doc:"Why, for the person who dispatches."`
	Lead     *UnitInfo    `json:"lead,omitempty"`
	Helpers  []Helper     `json:"helpers"`
	Version  *VersionView `json:"version,omitempty" doc:"The entry of the directory."`
	Area     string       `json:"area"`
	AreaName string       `json:"areaName"`
	// Experience are the units such tickets went to, when the directory is silent.
	Experience []Went `json:"experience"`
}

// Went is a unit and how many tickets of a type were dispatched to it and not returned.
type Went struct {
	UnitID   int64  `json:"unitId"`
	UnitName string `json:"unitName"`
	Times    int64  `json:"times"`
}

// experienceDays is how far back experience reaches.
const experienceDays = 90

// Suggest says which units should handle a ticket of the type in the area, with the entry of the directory and why. It needs
// directory.view.
func (s *Service) Suggest(ctx context.Context, actor access.Actor, q Query) (Suggestion, error) {
	if err := need(actor, PermView, PermManage); err != nil {
		return Suggestion{}, err
	}
	return s.at(ctx, s.db.Read(), q, s.clock.Now(), true)
}

// Explain says which entry was valid for a type and area at a moment: why a ticket that was dispatched then went where it
// went. It needs directory.view.
func (s *Service) Explain(ctx context.Context, actor access.Actor, q Query, at time.Time) (Suggestion, error) {
	if err := need(actor, PermView, PermManage); err != nil {
		return Suggestion{}, err
	}
	if at.After(s.clock.Now()) {
		return Suggestion{}, fault.InvalidField("at", "DIRECTORY_FUTURE", "请选择现在或以前的时间")
	}
	return s.at(ctx, s.db.Read(), q, at, false)
}

// areaIn finds the street or town a text names; "" when it names none, or several.
func (s *Service) areaIn(words string) string {
	found := ""
	for _, a := range s.areas {
		// People leave the last word out only where what is left is no everyday word: 中仓街道 as 中仓街道 or 中仓, 台湖镇 as 台湖.
		short := strings.TrimSuffix(strings.TrimSuffix(a.Name, "街道"), "镇")
		if !strings.Contains(words, a.Name) && (len([]rune(short)) < 2 || short == "新华" || !strings.Contains(words, short)) {
			continue
		}
		if found != "" {
			return ""
		}
		found = a.Code
	}
	return found
}

// at answers for a moment.
func (s *Service) at(ctx context.Context, db bun.IDB, q Query, when time.Time, experience bool) (Suggestion, error) {
	b, _, _, err := s.book(ctx, db)
	if err != nil {
		return Suggestion{}, err
	}
	if b.matters[q.Type] == "" {
		return Suggestion{}, fault.InvalidField("type", "DIRECTORY_MATTER", "没有这个事项，请重新选择")
	}
	from := ""
	if q.Area == "" {
		if q.Area = s.areaIn(q.Text); q.Area != "" {
			from = "（由诉求内容识别）"
		}
	}
	if b.areas[q.Area] == "" {
		return Suggestion{}, fault.InvalidField("area", "DIRECTORY_AREA", "没有这个街道或乡镇，请重新选择")
	}
	out := Suggestion{Why: Nothing, Helpers: []Helper{}, Experience: []Went{}, Area: q.Area, AreaName: b.areas[q.Area]}
	v, p, err := s.valid(ctx, db, q.Type, q.Area, when)
	if err != nil {
		return Suggestion{}, err
	}
	if v != nil {
		view := v.view(b, when)
		out.Why, out.Lead, out.Helpers, out.Version = p.why, &UnitInfo{v.LeadID, v.LeadName}, v.Helpers, &view
		out.Reason = reasonOf(p, q, b, from)
		return out, nil
	}
	if out.Reason = "派单目录中没有“" + b.matters[q.Type] + "”的有效条目，请按职责选择单位"; !experience {
		return out, nil
	}
	err = db.NewSelect().TableExpr("directory_dispatches").ColumnExpr("unit_id, max(unit_name) AS unit_name, count(*) AS times").
		Where("matter = ? AND at >= ? AND returned_at IS NULL", q.Type, when.AddDate(0, 0, -experienceDays)).
		GroupExpr("unit_id").OrderExpr("times DESC, unit_id").Limit(3).Scan(ctx, &out.Experience)
	if err != nil {
		return Suggestion{}, fmt.Errorf("experience: %w", err)
	}
	if len(out.Experience) > 0 {
		out.Why = Experience
		out.Reason = fmt.Sprintf("派单目录中没有“%s”的有效条目；以下是近 %d 天此类工单派往且未退回的单位，仅供参考", b.matters[q.Type], experienceDays)
	}
	return out, nil
}

func reasonOf(p place, q Query, b book, from string) string {
	where := b.areas[p.area]
	switch {
	case p.why == Exact && p.area == "":
		return "派单目录：“" + b.matters[p.matter] + "”全区"
	case p.why == Exact:
		return "派单目录：“" + b.matters[p.matter] + "”在" + where + from
	case p.why == WiderArea:
		return "目录没有" + b.areas[q.Area] + "的专门条目" + from + "，按“" + b.matters[p.matter] + "”全区的条目"
	}
	return "目录没有“" + b.matters[q.Type] + "”的条目，按上级事项“" + b.matters[p.matter] + "”在" + where + "的条目"
}

// valid finds the surest version for a type and area at a moment, nil when there is none.
func (s *Service) valid(ctx context.Context, db bun.IDB, matter, area string, at time.Time) (*Version, place, error) {
	where := places(matter, area)
	matters, areas := []string{}, []string{"", area}
	for _, p := range where {
		matters = append(matters, p.matter)
	}
	var rows []Version
	err := db.NewSelect().Model(&rows).Where("v.matter IN ? AND v.area IN ?", bun.Tuple(matters), bun.Tuple(areas)).
		Where("NOT v.taken_back AND v.valid_from <= ? AND (v.valid_to IS NULL OR v.valid_to > ?)", at, at).OrderExpr("v.no DESC").Scan(ctx)
	if err != nil {
		return nil, place{}, fmt.Errorf("valid entry: %w", err)
	}
	for _, p := range where {
		for i := range rows {
			if rows[i].Matter == p.matter && rows[i].Area == p.area {
				return &rows[i], p, nil
			}
		}
	}
	return nil, place{}, nil
}

// Dispatch is that a ticket was given to a unit, as the listener hears it.
type Dispatch struct {
	EventID  int64
	TicketID int64
	Type     string
	Area     string // "" is looked for in Text
	Text     string
	UnitID   int64
	UnitName string
	By       int64
	At       time.Time
}

// dispatched is a dispatch with what had been suggested.
type dispatched struct {
	bun.BaseModel `bun:"table:directory_dispatches,alias:p"`

	EventID     int64      `bun:"event_id,pk"`
	TicketID    int64      `bun:"ticket_id,notnull"`
	Matter      string     `bun:"matter,notnull"`
	Area        string     `bun:"area,notnull"`
	UnitID      int64      `bun:"unit_id,notnull"`
	UnitName    string     `bun:"unit_name,notnull"`
	At          time.Time  `bun:"at,notnull"`
	By          int64      `bun:"dispatched_by,notnull"`
	VersionID   int64      `bun:"version_id,notnull"`   // of the directory when it was dispatched; 0 when it was silent
	SuggestedID int64      `bun:"suggested_id,notnull"` // the unit it named
	Followed    bool       `bun:"followed,notnull"`
	ReturnedAt  *time.Time `bun:"returned_at"`
}

// Note keeps a dispatch with what the directory said at that moment. The same event is noted once, however often it comes.
func (s *Service) Note(ctx context.Context, tx bun.Tx, d Dispatch) error {
	if d.Area == "" {
		d.Area = s.areaIn(d.Text)
	}
	v, _, err := s.valid(ctx, tx, d.Type, d.Area, d.At)
	if err != nil {
		return err
	}
	row := dispatched{EventID: d.EventID, TicketID: d.TicketID, Matter: d.Type, Area: d.Area, UnitID: d.UnitID, UnitName: d.UnitName, At: d.At, By: d.By}
	if v != nil {
		row.VersionID, row.SuggestedID, row.Followed = v.ID, v.LeadID, v.LeadID == d.UnitID
	}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	return err
}

// Returned notes that a unit gave a ticket back: the last dispatch of the ticket to it before the moment.
func (s *Service) Returned(ctx context.Context, tx bun.Tx, ticket, unit int64, at time.Time) error {
	_, err := tx.NewUpdate().Model((*dispatched)(nil)).Set("returned_at = ?", at).
		Where("event_id = (SELECT max(d.event_id) FROM directory_dispatches AS d WHERE d.ticket_id = ? AND d.unit_id = ? AND d.at <= ?)", ticket, unit, at).Exec(ctx)
	return err
}

// Accuracy is how an entry of the directory fared.
type Accuracy struct {
	VersionID  int64  `json:"versionId"`
	LineID     int64  `json:"lineId"`
	No         int    `json:"no"`
	Matter     string `json:"matter"`
	MatterName string `json:"matterName"`
	Area       string `json:"area"`
	AreaName   string `json:"areaName"`
	LeadName   string `json:"leadName"`
	Dispatches int64  `json:"dispatches"`
	Followed   int64  `json:"followed" doc:"Dispatched to the unit that the entry names."`
	Returned   int64  `json:"returned" doc:"Given back by the unit after the entry was followed."`
}

// Accuracy tells for each entry how many dispatches it spoke to from a moment to another, how many followed it, and how many
// of those came back; and, as the entry 0, those to which the directory was silent. It needs directory.view.
func (s *Service) Accuracy(ctx context.Context, actor access.Actor, from, to time.Time) ([]Accuracy, error) {
	if err := need(actor, PermView, PermManage); err != nil {
		return nil, err
	}
	if !from.Before(to) || to.Sub(from) > 366*24*time.Hour {
		return nil, fault.InvalidField("from", "DIRECTORY_SPAN", "请选择一年以内的时间段")
	}
	db := s.db.Read()
	var rows []struct {
		Version
		VID        int64 `bun:"vid"`
		Dispatches int64 `bun:"dispatches"`
		Followed   int64 `bun:"followed"`
		Returned   int64 `bun:"returned"`
	}
	sums := db.NewSelect().TableExpr("directory_dispatches AS p").ColumnExpr("p.version_id AS vid, count(*) AS dispatches").
		ColumnExpr("sum(CASE WHEN p.followed THEN 1 ELSE 0 END) AS followed").
		ColumnExpr("sum(CASE WHEN p.followed AND p.returned_at IS NOT NULL THEN 1 ELSE 0 END) AS returned").
		Where("p.at >= ? AND p.at < ?", from, to).GroupExpr("p.version_id")
	err := db.NewSelect().TableExpr("(?) AS a", sums).ColumnExpr("a.*").
		ColumnExpr("coalesce(v.line_id, 0) AS line_id, coalesce(v.no, 0) AS no, coalesce(v.matter, '') AS matter, coalesce(v.area, '') AS area, coalesce(v.lead_name, '') AS lead_name").
		Join("LEFT JOIN directory_versions AS v ON v.id = a.vid").OrderExpr("a.dispatches DESC, a.vid").Limit(500).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("accuracy: %w", err)
	}
	b, _, _, err := s.book(ctx, db)
	if err != nil {
		return nil, err
	}
	out := make([]Accuracy, 0, len(rows))
	for _, r := range rows {
		out = append(out, Accuracy{r.VID, r.LineID, r.No, r.Matter, b.matters[r.Matter], r.Area, b.areas[r.Area], r.LeadName, r.Dispatches, r.Followed, r.Returned})
	}
	return out, nil
}
