package quality

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// work is something an agent did.
type work struct {
	bun.BaseModel `bun:"table:quality_works,alias:w"`

	EventID   int64     `bun:"event_id,pk"`
	TicketID  int64     `bun:"ticket_id,notnull"`
	Number    string    `bun:"number,notnull"`
	Kind      Kind      `bun:"kind,notnull"`
	AgentID   int64     `bun:"agent_id,notnull"`
	AgentName string    `bun:"agent_name,notnull"`
	At        time.Time `bun:"at,notnull"`
}

// ListenerName is the name of the cursor of the listener.
const ListenerName = "quality.works"

// Listener keeps what agents did on tickets. Whose work is checked is asked when it is done, not when it is drawn.
func (s *Service) Listener() event.Listener {
	return event.Listener{Name: ListenerName, Batch: func(ctx context.Context, tx bun.Tx, list []event.Event) error {
		var agents []Person
		var rows []work
		for _, e := range list {
			kind, ok := strings.CutPrefix(e.Type, "ticket.")
			if !ok || e.ActorID == 0 || Kind(kind).Label() == "" {
				continue
			}
			if agents == nil {
				var err error
				if agents, err = s.Agents.With(ctx, tx, PermOwn); err != nil {
					return err
				}
			}
			if !slices.ContainsFunc(agents, func(p Person) bool { return p.ID == e.ActorID }) {
				continue
			}
			var f struct {
				Number string `json:"number"`
			}
			if err := e.Decode(&f); err != nil {
				return err
			}
			rows = append(rows, work{EventID: e.ID, TicketID: e.ObjectID, Number: f.Number, Kind: Kind(kind), AgentID: e.ActorID, AgentName: e.ActorName, At: e.At})
		}
		if len(rows) == 0 {
			return nil
		}
		_, err := tx.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx)
		return err
	}}
}

// Rule says what is drawn each night, and how long one may appeal.
type Rule struct {
	PerAgent   int    `json:"perAgent" minimum:"1" maximum:"50" doc:"Of the works of each agent and day."`
	Kinds      []Kind `json:"kinds" enum:"opened,answered,called_back"`
	AppealDays int    `json:"appealDays" minimum:"1" maximum:"30" doc:"Whole days after the score."`
	On         bool   `json:"on"`
	Version    int64  `json:"version"`
}

type ruleRow struct {
	bun.BaseModel `bun:"table:quality_rules,alias:r"`

	ID         int64  `bun:"id,pk"`
	PerAgent   int    `bun:"per_agent"`
	Kinds      string `bun:"kinds"`
	AppealDays int    `bun:"appeal_days"`
	On         bool   `bun:"active"`
	Version    int64  `bun:"version"`
}

func kindsOf(s string) []Kind {
	out := []Kind{}
	for _, k := range Kinds {
		if slices.Contains(strings.Split(s, ","), string(k)) {
			out = append(out, k)
		}
	}
	return out
}

func joined(kinds []Kind) string {
	list := make([]string, 0, len(kinds))
	for _, k := range Kinds {
		if slices.Contains(kinds, k) {
			list = append(list, string(k))
		}
	}
	return strings.Join(list, ",")
}

func checkKinds(kinds []Kind) error {
	if len(kinds) == 0 || slices.ContainsFunc(kinds, func(k Kind) bool { return k.Label() == "" }) {
		return fault.InvalidField("kinds", "QUALITY_KINDS", "请至少选择一种业务：受理、直接答复、回访")
	}
	return nil
}

// Check returns the faults of the rule.
func (r Rule) Check() error {
	err := checkKinds(r.Kinds)
	if r.PerAgent < 1 || r.PerAgent > 50 || r.AppealDays < 1 || r.AppealDays > 30 {
		err = fault.Merge(err, fault.InvalidField("perAgent", "QUALITY_RULE", "每人每日抽检件数请填 1 至 50，申诉期限请填 1 至 30 日"))
	}
	return err
}

func rule(ctx context.Context, db bun.IDB) (Rule, error) {
	r := new(ruleRow)
	err := database.Found(db.NewSelect().Model(r).Where("r.id = 1").Scan(ctx))
	return Rule{PerAgent: r.PerAgent, Kinds: kindsOf(r.Kinds), AppealDays: r.AppealDays, On: r.On, Version: r.Version}, err
}

// Rule returns what is drawn each night. It takes quality.view.
func (s *Service) Rule(ctx context.Context, actor access.Actor) (Rule, error) {
	if err := actor.Need(PermView); err != nil {
		return Rule{}, err
	}
	return rule(ctx, s.DB.Read())
}

// SetRule says what is drawn from the next night on; Version is the one the actor saw. It takes quality.manage.
func (s *Service) SetRule(ctx context.Context, actor access.Actor, r Rule) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE quality_rules SET per_agent = ?, kinds = ?, appeal_days = ?, active = ?, version = version + 1 WHERE id = 1 AND version = ?",
			r.PerAgent, joined(r.Kinds), r.AppealDays, r.On, r.Version))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale.With("抽检规则已被他人更新，请刷新后再修改")
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "quality.rule", Object: Object, Summary: "设置抽检规则", Detail: r})
	})
}

// drawn is one draw, as it was done.
type drawn struct {
	bun.BaseModel `bun:"table:quality_draws,alias:d"`

	ID       int64     `bun:"id,pk,autoincrement"`
	Day      string    `bun:"day,nullzero"` // of a nightly draw
	From     time.Time `bun:"from_at,notnull"`
	To       time.Time `bun:"to_at,notnull"`
	AgentID  int64     `bun:"agent_id,nullzero"`
	PerAgent int       `bun:"per_agent,notnull"`
	Kinds    string    `bun:"kinds,notnull"`
	Seed     string    `bun:"seed,notnull"`
	Drawn    int       `bun:"drawn,notnull"`
	By       string    `bun:"made_by,notnull"`
	At       time.Time `bun:"made_at,notnull"`
}

// Draw asks for more checks than the night brings: so many works of each agent, or of one, out of whole days.
type Draw struct {
	From     string `json:"from" doc:"First day, 2006-01-02."`
	To       string `json:"to" doc:"Last day."`
	AgentID  int64  `json:"agentId,omitempty"`
	PerAgent int    `json:"perAgent" minimum:"1" maximum:"50"`
	Kinds    []Kind `json:"kinds" enum:"opened,answered,called_back"`
	Key      string `json:"-"`
}

// Drawn is what a draw brought.
type Drawn struct {
	Drawn int `json:"drawn" doc:"Checks that wait to be scored now."`
}

// maxDrawDays is how many days one draw spans at most: it reads all works of them in one transaction.
const maxDrawDays = 92

// Draw draws once more. What was drawn before is not drawn again. It takes quality.manage.
func (s *Service) Draw(ctx context.Context, actor access.Actor, cmd Draw) (Drawn, error) {
	if err := actor.Need(PermManage); err != nil {
		return Drawn{}, err
	}
	from, err1 := text.Day("from", cmd.From, clock.Beijing)
	to, err2 := text.Day("to", cmd.To, clock.Beijing)
	err := fault.Merge(err1, err2, checkKinds(cmd.Kinds))
	if cmd.PerAgent < 1 || cmd.PerAgent > 50 {
		err = fault.Merge(err, fault.InvalidField("perAgent", "QUALITY_RULE", "每人抽检件数请填 1 至 50"))
	}
	if err != nil {
		return Drawn{}, err
	}
	now := s.Clock.Now()
	switch {
	case to.Before(from):
		return Drawn{}, fault.InvalidField("to", "QUALITY_SPAN", "截止日期早于起始日期，请重新选择")
	case from.After(now):
		return Drawn{}, fault.InvalidField("from", "QUALITY_SPAN", "起始日期不能晚于今天")
	case to.Sub(from) > (maxDrawDays-1)*24*time.Hour:
		return Drawn{}, fault.InvalidField("to", "QUALITY_SPAN", fmt.Sprintf("一次最多抽取 %d 天的业务，请缩短日期范围，或分几次抽取", maxDrawDays))
	}
	var out Drawn
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		out, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "quality.draw", Key: cmd.Key, Request: cmd, Now: now}, func() (Drawn, error) {
			d := drawn{From: from, To: to.AddDate(0, 0, 1), AgentID: cmd.AgentID, PerAgent: cmd.PerAgent, Kinds: joined(cmd.Kinds), By: actor.Name}
			if err := s.draw(ctx, tx, actor, &d); err != nil {
				return Drawn{}, err
			}
			return Drawn{d.Drawn}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "quality.draw", Object: Object, Summary: "加抽质检",
				Detail: map[string]any{"draw": d.ID, "from": cmd.From, "to": cmd.To, "agentId": cmd.AgentID, "perAgent": cmd.PerAgent, "kinds": cmd.Kinds, "drawn": d.Drawn}})
		})
		return err
	})
	if database.IsDuplicate(err) {
		return Drawn{}, ErrStale.With("另一次抽检正在进行，请稍后再试")
	}
	return out, err
}

// DrawView is a draw that was done.
type DrawView struct {
	ID       int64     `json:"id"`
	From     string    `json:"from" doc:"First day, as 2026-11-22."`
	To       string    `json:"to" doc:"Last day."`
	AgentID  int64     `json:"agentId,omitempty"`
	PerAgent int       `json:"perAgent"`
	Kinds    []Kind    `json:"kinds" enum:"opened,answered,called_back"`
	Drawn    int       `json:"drawn"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Nightly  bool      `json:"nightly"`
	Seed     string    `json:"seed" doc:"With it anybody can do the draw over."`
}

// Draws lists the draws that were done, the latest first. It takes quality.view.
func (s *Service) Draws(ctx context.Context, actor access.Actor, cursor string, limit int) ([]DrawView, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	q := s.DB.Read().NewSelect().OrderExpr("d.id DESC").Limit(int64(limit + 1))
	if cursor != "" {
		before, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
		q = q.Where("d.id < ?", before)
	}
	var rows []drawn
	if err := q.Model(&rows).Scan(ctx); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]DrawView, 0, len(rows))
	for _, d := range rows {
		out = append(out, DrawView{ID: d.ID, From: d.From.In(clock.Beijing).Format(time.DateOnly), To: d.To.In(clock.Beijing).AddDate(0, 0, -1).Format(time.DateOnly),
			AgentID: d.AgentID, PerAgent: d.PerAgent, Kinds: kindsOf(d.Kinds), Drawn: d.Drawn, By: d.By, At: d.At.UTC(), Nightly: d.Day != "", Seed: d.Seed})
	}
	return out, next, nil
}

// draw keeps the draw and makes its checks: of each agent's works the first by the hash of seed and event.
func (s *Service) draw(ctx context.Context, tx bun.Tx, actor access.Actor, d *drawn) error {
	d.Seed, d.At = secret.Token(), s.Clock.Now()
	if err := database.Insert(ctx, tx, d); err != nil {
		return err
	}
	q := tx.NewSelect().Where("w.at >= ? AND w.at < ?", d.From, d.To).Where("w.kind IN (?)", bun.List(kindsOf(d.Kinds))).
		Where("NOT EXISTS (SELECT 1 FROM quality_checks AS c WHERE c.event_id = w.event_id)")
	if d.AgentID != 0 {
		q = q.Where("w.agent_id = ?", d.AgentID)
	}
	var works []work
	if err := q.Model(&works).Scan(ctx); err != nil {
		return err
	}
	by := map[int64][]work{}
	for _, w := range works {
		by[w.AgentID] = append(by[w.AgentID], w)
	}
	var picked []work
	for _, of := range by {
		slices.SortFunc(of, func(a, b work) int { return cmp.Compare(place(d.Seed, a.EventID), place(d.Seed, b.EventID)) })
		picked = append(picked, of[:min(d.PerAgent, len(of))]...)
	}
	slices.SortFunc(picked, func(a, b work) int { return cmp.Compare(a.EventID, b.EventID) })
	for _, w := range picked {
		c := check{EventID: w.EventID, DrawID: d.ID, TicketID: w.TicketID, Number: w.Number, Kind: w.Kind, AgentID: w.AgentID, AgentName: w.AgentName,
			WorkedAt: w.At, Month: w.At.In(clock.Beijing).Format("2006-01"), State: Waiting, Version: 1}
		if err := database.Insert(ctx, tx, &c); err != nil {
			return err
		}
		if _, err := event.Append(ctx, tx, actor, d.At, Moved{ID: c.ID, TicketID: c.TicketID, AgentID: c.AgentID, How: "drawn"}); err != nil {
			return err
		}
	}
	d.Drawn = len(picked)
	_, err := database.Run(ctx, tx, "UPDATE quality_draws SET drawn = ? WHERE id = ?", d.Drawn, d.ID)
	return err
}

// place is where chance puts a work in its draw.
func place(seed string, event int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d", seed, event))
	return string(sum[:])
}

// Tasks are what the clock asks of the module.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "quality.draw", Title: "抽取前一日的质检业务", Cron: "30 0 * * *", Run: s.Nightly,
		Failure: "质检业务没有抽取；请查看失败原因，恢复后可重新执行，同一日不会重复抽取。"}}
}

// errBehind: the day cannot be drawn yet.
var errBehind = errors.New("the works of the day are not all known yet")

// Nightly draws of yesterday, and of those of the six days before on which nothing ran. A day is drawn once; while the rule is
// off, it is drawn with nothing in it, so that switching the rule on does not look back.
func (s *Service) Nightly(ctx context.Context) error {
	behind, err := s.Behind(ctx)
	if err != nil {
		return err
	}
	if behind {
		return errBehind
	}
	today := clock.Midnight(s.Clock.Now())
	for ago := 7; ago >= 1; ago-- {
		day := today.AddDate(0, 0, -ago)
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			r, err := rule(ctx, tx)
			if err != nil {
				return err
			}
			if !r.On {
				r.PerAgent = 0
			}
			name := day.Format("2006-01-02")
			if done, err := tx.NewSelect().Model((*drawn)(nil)).Where("d.day = ?", name).Exists(ctx); err != nil || done {
				return err
			}
			return s.draw(ctx, tx, access.SystemActor("quality"), &drawn{Day: name, From: day, To: day.AddDate(0, 0, 1), PerAgent: r.PerAgent, Kinds: joined(r.Kinds), By: "每日抽检"})
		})
		if database.IsDuplicate(err) { // another process drew it meanwhile
			continue
		}
		if err != nil {
			return fmt.Errorf("draw of %s: %w", day.Format("2006-01-02"), err)
		}
	}
	return nil
}
