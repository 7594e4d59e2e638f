package quality

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// Listed is a check in a list.
type Listed struct {
	ID          int64      `json:"id"`
	TicketID    int64      `json:"ticketId"`
	Number      string     `json:"number" doc:"Of the ticket; empty when the viewer may not see it."`
	Title       string     `json:"title"`
	Kind        Kind       `json:"kind" enum:"opened,answered,called_back"`
	AgentID     int64      `json:"agentId"`
	Agent       string     `json:"agent"`
	WorkedAt    time.Time  `json:"workedAt"`
	State       State      `json:"state" enum:"waiting,scored,appealed,decided,skipped"`
	Final       bool       `json:"final" doc:"Nothing can change the score any more."`
	Score       *int       `json:"score,omitempty"`
	Fatal       bool       `json:"fatal"`
	Picked      bool       `json:"picked" doc:"Its ticket was chosen by hand; it stays out of the mean of the month."`
	Inspector   string     `json:"inspector"`
	ScoredAt    *time.Time `json:"scoredAt,omitempty"`
	AppealUntil *time.Time `json:"appealUntil,omitempty"`
	Version     int64      `json:"version"`
}

// View is a check with everything on it, and what the viewer may do.
type View struct {
	Listed
	Card       CardView   `json:"card" doc:"By which it was scored, or is to be."`
	Marks      []Mark     `json:"marks"`
	Faults     []string   `json:"faults" doc:"Fatal faults that were found."`
	Comment    string     `json:"comment"`
	Appeal     string     `json:"appeal"`
	AppealedAt *time.Time `json:"appealedAt,omitempty"`
	FirstScore *int       `json:"firstScore,omitempty" doc:"Before the decision."`
	Decision   string     `json:"decision"`
	Decider    string     `json:"decider"`
	DecidedAt  *time.Time `json:"decidedAt,omitempty"`
	May        []string   `json:"may" enum:"score,skip,appeal,decide"`
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

func (c *check) item(now time.Time, titles map[int64]string) Listed {
	title, seen := titles[c.TicketID]
	number := c.Number
	if !seen {
		number = ""
	}
	return Listed{ID: c.ID, TicketID: c.TicketID, Number: number, Title: title, Kind: c.Kind, AgentID: c.AgentID, Agent: c.AgentName, WorkedAt: c.WorkedAt.UTC(), State: c.State,
		Final: c.State == Decided || c.State == Scored && now.After(*c.AppealUntil), Score: c.Score, Fatal: c.Fatal != "" && c.Fatal != "[]", Picked: c.Picked, Inspector: c.Inspector,
		ScoredAt: utc(c.ScoredAt), AppealUntil: utc(c.AppealUntil), Version: c.Version}
}

// Filter narrows a list of checks.
type Filter struct {
	State   State
	AgentID int64
	Month   string
	Cursor  string
	Limit   int
}

func (f Filter) check() error {
	if f.State != "" && f.State.Label() == "" {
		return fault.InvalidField("state", "QUALITY_STATE", "没有这种质检状态，请重新选择")
	}
	if f.Month != "" && !clock.IsMonth(f.Month) {
		return fault.InvalidField("month", "MONTH", "请选择月份，如 2026-11")
	}
	return nil
}

// Checks lists what the actor may know of, newest first: with quality.view everything but what waits of their own work, with
// quality.own what was scored of it.
func (s *Service) Checks(ctx context.Context, actor access.Actor, f Filter) ([]Listed, string, error) {
	if !actor.Can(PermView) && !actor.Can(PermOwn) {
		return nil, "", ErrForbidden
	}
	if err := f.check(); err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	own := []State{Scored, Appealed, Decided}
	q := s.DB.Read().NewSelect().OrderExpr("c.id DESC").Limit(int64(f.Limit) + 1)
	if actor.Can(PermView) {
		q = q.Where("(c.agent_id <> ? OR c.state IN (?))", actor.UserID, bun.List(own))
	} else {
		q = q.Where("c.agent_id = ? AND c.state IN (?)", actor.UserID, bun.List(own))
	}
	if f.State != "" {
		q = q.Where("c.state = ?", f.State)
	}
	if f.AgentID != 0 {
		q = q.Where("c.agent_id = ?", f.AgentID)
	}
	if f.Month != "" {
		q = q.Where("c.month = ?", f.Month)
	}
	if before, err := text.Cursor(f.Cursor); err != nil {
		return nil, "", err
	} else if before > 0 {
		q = q.Where("c.id < ?", before)
	}
	var rows []check
	if err := q.Model(&rows).Scan(ctx); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[f.Limit-1].ID, 10)
	}
	ids := make([]int64, 0, len(rows))
	for i := range rows {
		ids = append(ids, rows[i].TicketID)
	}
	titles, err := s.Tickets.Titles(ctx, actor, ids)
	if err != nil {
		return nil, "", err
	}
	now := s.Clock.Now()
	out := make([]Listed, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].item(now, titles))
	}
	return out, next, nil
}

// Check returns one with its marks. ErrNotFound for what the actor may not know of.
func (s *Service) Check(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if !actor.Can(PermView) && !actor.Can(PermOwn) {
		return View{}, ErrForbidden
	}
	db, c := s.DB.Read(), new(check)
	if err := database.Found(db.NewSelect().Model(c).Where("c.id = ?", id).Scan(ctx)); err != nil {
		return View{}, err
	}
	if !sees(actor, c) {
		return View{}, ErrNotFound
	}
	titles, err := s.Tickets.Titles(ctx, actor, []int64{c.TicketID})
	if err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	v := View{Listed: c.item(now, titles), Marks: []Mark{}, Faults: []string{}, Comment: c.Comment, Appeal: c.Appeal, AppealedAt: utc(c.AppealedAt), FirstScore: c.FirstScore,
		Decision: c.Decision, Decider: c.Decider, DecidedAt: utc(c.DecidedAt), May: c.may(actor, now)}
	if v.Card, err = c.card(ctx, db); err != nil || c.CardID == 0 {
		return v, err
	}
	return v, errors.Join(json.Unmarshal([]byte(c.Marks), &v.Marks), json.Unmarshal([]byte(c.Fatal), &v.Faults))
}

// may lists what the actor can do with the check now.
func (c *check) may(actor access.Actor, now time.Time) []string {
	may := []string{}
	own := c.AgentID == actor.UserID
	open := c.State == Scored && !now.After(*c.AppealUntil)
	if actor.Can(PermScore) && !own && (c.State == Waiting || open && c.InspectorID == actor.UserID) {
		may = append(may, "score")
	}
	if actor.Can(PermScore) && !own && c.State == Waiting {
		may = append(may, "skip")
	}
	if actor.Can(PermOwn) && own && open {
		may = append(may, "appeal")
	}
	if actor.Can(PermManage) && !own && c.State == Appealed && c.InspectorID != actor.UserID {
		may = append(may, "decide")
	}
	return may
}

// AgentMonth is how an agent's work was found in a month.
type AgentMonth struct {
	AgentID  int64  `json:"agentId"`
	Agent    string `json:"agent"`
	Drawn    int    `json:"drawn" doc:"By chance; the figures that follow are of these."`
	Picked   int    `json:"picked" doc:"Chosen by hand, beside them."`
	Scored   int    `json:"scored"`
	Skipped  int    `json:"skipped"`
	Mean     *int   `json:"mean,omitempty" doc:"In tenths of a point, of what was scored."`
	Lowest   *int   `json:"lowest,omitempty"`
	Fatal    int    `json:"fatal"`
	Appealed int    `json:"appealed"`
	Changed  int    `json:"changed" doc:"Appeals after which the score was another."`
}

// Month lists the agents whose work of the month was drawn, best first. It takes quality.view.
func (s *Service) Month(ctx context.Context, actor access.Actor, month string) ([]AgentMonth, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	if !clock.IsMonth(month) {
		return nil, fault.InvalidField("month", "MONTH", "请选择月份，如 2026-11")
	}
	var rows []struct {
		AgentID  int64
		Agent    string
		Drawn    int
		Picked   int
		Scored   int
		Skipped  int
		Total    int
		Lowest   *int
		Fatal    int
		Appealed int
		Changed  int
	}
	err := s.DB.Read().NewSelect().Model((*check)(nil)).
		ColumnExpr("c.agent_id, max(c.agent_name) AS agent, sum(CASE WHEN c.picked THEN 1 ELSE 0 END) AS picked, sum(CASE WHEN c.picked THEN 0 ELSE 1 END) AS drawn").
		ColumnExpr("count(CASE WHEN NOT c.picked THEN c.score END) AS scored, coalesce(sum(CASE WHEN NOT c.picked THEN c.score END), 0) AS total, min(CASE WHEN NOT c.picked THEN c.score END) AS lowest").
		ColumnExpr("sum(CASE WHEN c.state = ? AND NOT c.picked THEN 1 ELSE 0 END) AS skipped", Skipped).
		ColumnExpr("sum(CASE WHEN c.fatal NOT IN ('', '[]') AND NOT c.picked THEN 1 ELSE 0 END) AS fatal").
		ColumnExpr("count(CASE WHEN NOT c.picked THEN c.appealed_at END) AS appealed").
		ColumnExpr("sum(CASE WHEN c.first_score <> c.score AND NOT c.picked THEN 1 ELSE 0 END) AS changed").
		Where("c.month = ?", month).GroupExpr("c.agent_id").
		OrderExpr("CASE WHEN count(CASE WHEN NOT c.picked THEN c.score END) = 0 THEN -1.0 ELSE sum(CASE WHEN NOT c.picked THEN c.score END) * 1.0 / count(CASE WHEN NOT c.picked THEN c.score END) END DESC, c.agent_id").
		Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	out := make([]AgentMonth, 0, len(rows))
	for _, r := range rows {
		a := AgentMonth{AgentID: r.AgentID, Agent: r.Agent, Drawn: r.Drawn, Picked: r.Picked, Scored: r.Scored, Skipped: r.Skipped, Lowest: r.Lowest, Fatal: r.Fatal, Appealed: r.Appealed, Changed: r.Changed}
		if r.Scored > 0 {
			mean := (r.Total*10 + r.Scored/2) / r.Scored
			a.Mean = &mean
		}
		out = append(out, a)
	}
	return out, nil
}

// ExportSource is the checks as a spreadsheet, newest first. It needs quality.export beside quality.view.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[Listed]
	return sheet.List[Listed]{
		Name: "quality", Title: "质检结果", Permission: PermExport,
		Fields: []sheet.Field[Listed]{
			of("agent", "坐席", 12, func(i *Listed) sheet.Cell { return sheet.Text(i.Agent) }),
			of("kind", "业务", 10, func(i *Listed) sheet.Cell { return sheet.Text(i.Kind.Label()) }),
			of("number", "工单编号", 20, func(i *Listed) sheet.Cell { return sheet.Text(i.Number) }),
			of("title", "标题", 40, func(i *Listed) sheet.Cell { return sheet.Text(i.Title) }),
			of("workedAt", "办理时间", 20, func(i *Listed) sheet.Cell { return sheet.Time(i.WorkedAt) }),
			of("state", "状态", 10, func(i *Listed) sheet.Cell { return sheet.Text(i.State.Label()) }),
			of("score", "得分", 8, func(i *Listed) sheet.Cell {
				if i.Score == nil {
					return sheet.Cell{}
				}
				return sheet.Int(int64(*i.Score))
			}),
			of("inspector", "评分人", 12, func(i *Listed) sheet.Cell { return sheet.Text(i.Inspector) }),
			of("scoredAt", "评分时间", 20, func(i *Listed) sheet.Cell { return sheet.TimeOf(i.ScoredAt) }),
		},
		Describe: func(f sheet.Filter) (string, error) {
			parsed, err := filterOf(f)
			if err != nil {
				return "", err
			}
			var words []string
			if parsed.Month != "" {
				words = append(words, "月份："+parsed.Month)
			}
			if parsed.State != "" {
				words = append(words, "状态："+parsed.State.Label())
			}
			if parsed.AgentID != 0 {
				words = append(words, "坐席编号："+f["agentId"])
			}
			return strings.Join(words, "；"), nil
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]Listed, string, error) {
			if err := actor.Need(PermView); err != nil {
				return nil, "", err
			}
			parsed, err := filterOf(f)
			if err != nil {
				return nil, "", err
			}
			parsed.Cursor, parsed.Limit = after, min(limit, 100)
			return s.Checks(ctx, actor, parsed)
		},
	}.Source()
}

func filterOf(f sheet.Filter) (Filter, error) {
	out := Filter{State: State(f["state"]), Month: f["month"]}
	if err := f.Only("month", "state", "agentId"); err != nil {
		return out, err
	}
	if f["agentId"] != "" {
		var err error
		if out.AgentID, err = strconv.ParseInt(f["agentId"], 10, 64); err != nil {
			return out, sheet.ErrFilter
		}
	}
	if out.check() != nil {
		return out, sheet.ErrFilter
	}
	return out, nil
}

// Staff lists those whose work is checked. It takes quality.view.
func (s *Service) Staff(ctx context.Context, actor access.Actor) ([]Person, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	return s.Agents.With(ctx, s.DB.Read(), PermOwn)
}

// thisMonth is the month of now in Beijing.
func (s *Service) thisMonth() string { return s.Clock.Now().In(clock.Beijing).Format("2006-01") }
