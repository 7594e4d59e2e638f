package quality

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	// Number is the ticket that was chosen, and Reason why; both "" of a draw by chance.
	Number string `bun:"number,notnull"`
	Reason string `bun:"reason,notnull"`
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
	Number   string    `json:"number,omitempty" doc:"Of the ticket that was chosen by hand."`
	Reason   string    `json:"reason,omitempty" doc:"Why it was chosen."`
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
	if before, err := text.Cursor(cursor); err != nil {
		return nil, "", err
	} else if before > 0 {
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
			AgentID: d.AgentID, PerAgent: d.PerAgent, Kinds: kindsOf(d.Kinds), Drawn: d.Drawn, By: d.By, At: d.At.UTC(), Nightly: d.Day != "", Seed: d.Seed,
			Number: d.Number, Reason: d.Reason})
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
	return s.checks(ctx, tx, actor, d, picked)
}

// checks makes the checks of a draw out of its works.
func (s *Service) checks(ctx context.Context, tx bun.Tx, actor access.Actor, d *drawn, picked []work) error {
	slices.SortFunc(picked, func(a, b work) int { return cmp.Compare(a.EventID, b.EventID) })
	for _, w := range picked {
		c := check{EventID: w.EventID, DrawID: d.ID, TicketID: w.TicketID, Number: w.Number, Kind: w.Kind, AgentID: w.AgentID, AgentName: w.AgentName,
			WorkedAt: w.At, Month: w.At.In(clock.Beijing).Format("2006-01"), State: Waiting, Version: 1, Picked: d.Number != ""}
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
