package quality

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// check is one work that was drawn.
type check struct {
	bun.BaseModel `bun:"table:quality_checks,alias:c"`

	ID        int64     `bun:"id,pk,autoincrement"`
	EventID   int64     `bun:"event_id,notnull"`
	DrawID    int64     `bun:"draw_id,notnull"`
	Picked    bool      `bun:"picked,notnull"` // its ticket was chosen, not drawn by chance
	TicketID  int64     `bun:"ticket_id,notnull"`
	Number    string    `bun:"number,notnull"`
	Kind      Kind      `bun:"kind,notnull"`
	AgentID   int64     `bun:"agent_id,notnull"`
	AgentName string    `bun:"agent_name,notnull"`
	WorkedAt  time.Time `bun:"worked_at,notnull"`
	Month     string    `bun:"month,notnull"` // of the work, in Beijing
	State     State     `bun:"state,notnull"`
	Version   int64     `bun:"version,notnull"`

	CardID      int64      `bun:"card_id,nullzero"` // by which it was scored
	Marks       string     `bun:"marks,notnull"`    // []Mark
	Fatal       string     `bun:"fatal,notnull"`    // []string
	Score       *int       `bun:"score"`
	Comment     string     `bun:"comment,notnull"` // of the score; why it cannot be scored
	InspectorID int64      `bun:"inspector_id,nullzero"`
	Inspector   string     `bun:"inspector,notnull"`
	ScoredAt    *time.Time `bun:"scored_at"`
	AppealUntil *time.Time `bun:"appeal_until"`

	Appeal     string     `bun:"appeal,notnull"`
	AppealedAt *time.Time `bun:"appealed_at"`
	FirstScore *int       `bun:"first_score"` // before the decision
	Decision   string     `bun:"decision,notnull"`
	Decider    string     `bun:"decider,notnull"`
	DecidedAt  *time.Time `bun:"decided_at"`
}

// Moved is announced of every step of a check.
type Moved struct {
	ID       int64  `json:"id"`
	TicketID int64  `json:"ticketId"`
	AgentID  int64  `json:"agentId"`
	How      string `json:"how"`
	Score    *int   `json:"score,omitempty"`
}

// Event names the fact.
func (f Moved) Event() (string, string, int64) { return "quality." + f.How, Object, f.ID }

// Step is one step on a check; Version is the one the actor saw.
type Step struct {
	ID      int64
	Version int64
	Key     string
}

// Score asks to score a check, or to score it anew while nobody has appealed.
type Score struct {
	Step
	CardID int64
	Marks
}

// Score scores a check by the scorecard the actor saw, which must be the newest. It takes quality.score; ErrOwnWork for what
// the actor did. Who scored it may correct it until the agent appeals or the time for that is over.
func (s *Service) Score(ctx context.Context, actor access.Actor, cmd Score) error {
	return s.step(ctx, actor, PermScore, "quality.score", cmd.Step, cmd, func(ctx context.Context, tx bun.Tx, c *check, now time.Time) (string, error) {
		switch {
		case c.AgentID == actor.UserID:
			return "", ErrOwnWork
		case c.State == Scored && c.InspectorID != actor.UserID:
			return "", ErrStep.With("该业务已由%s评分，只有评分人可以更正", c.Inspector)
		case c.State == Scored && now.After(*c.AppealUntil):
			return "", ErrStep.With("申诉期已过，评分已生效，不能再更正")
		case c.State != Waiting && c.State != Scored:
			return "", ErrStep.With("该质检单%s，不能评分", c.State.Label())
		}
		if err := s.mark(ctx, tx, c, cmd.CardID, &cmd.Marks); err != nil {
			return "", err
		}
		r, err := rule(ctx, tx)
		if err != nil {
			return "", err
		}
		c.State, c.InspectorID, c.Inspector, c.ScoredAt = Scored, actor.UserID, actor.Name, &now
		until := clock.Midnight(now).AddDate(0, 0, r.AppealDays+1).Add(-time.Second).UTC()
		c.AppealUntil = &until
		return "scored", s.tell(ctx, tx, c, c.AgentID, "quality.scored", map[string]string{"number": c.Number, "text": strconv.Itoa(*c.Score), "due": clock.Show(until)})
	})
}

// mark writes the marks into the check. It is scored by the card in force for its kind of work, and corrected by the one it was
// scored by.
func (s *Service) mark(ctx context.Context, tx bun.Tx, c *check, cardID int64, m *Marks) error {
	card, err := c.card(ctx, tx)
	if err != nil {
		return err
	}
	if card.ID != cardID {
		return ErrStale.With("评分表已更新，请刷新后按新表评分")
	}
	score, err := card.Score(m)
	if err != nil {
		return err
	}
	marks, err1 := json.Marshal(m.Marks)
	fatal, err2 := json.Marshal(append([]string{}, m.Fatal...))
	c.CardID, c.Marks, c.Fatal, c.Comment, c.Score = cardID, string(marks), string(fatal), m.Comment, &score
	return errors.Join(err1, err2)
}

// Skip asks to leave a check out, for a reason.
type Skip struct {
	Step
	Reason string
}

// Skip leaves out a check that cannot be scored, as without a recording. It takes quality.score.
func (s *Service) Skip(ctx context.Context, actor access.Actor, cmd Skip) error {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return text.Named(err, "原因")
	}
	return s.step(ctx, actor, PermScore, "quality.skip", cmd.Step, cmd, func(_ context.Context, _ bun.Tx, c *check, _ time.Time) (string, error) {
		if c.AgentID == actor.UserID {
			return "", ErrOwnWork
		}
		if c.State != Waiting {
			return "", ErrStep.With("该质检单%s，不能再标记为无法评分", c.State.Label())
		}
		c.State, c.Comment, c.InspectorID, c.Inspector = Skipped, reason, actor.UserID, actor.Name
		return "skipped", nil
	})
}

// Appeal asks to have a score looked at again.
type Appeal struct {
	Step
	Reason string
}

// Appeal appeals against the score of one's own work, once and in time. It takes quality.own.
func (s *Service) Appeal(ctx context.Context, actor access.Actor, cmd Appeal) error {
	reason, err := text.Block("reason", cmd.Reason, 10, 1000)
	if err != nil {
		return text.Named(err, "申诉理由")
	}
	return s.step(ctx, actor, PermOwn, "quality.appeal", cmd.Step, cmd, func(ctx context.Context, tx bun.Tx, c *check, now time.Time) (string, error) {
		switch {
		case c.AgentID != actor.UserID:
			return "", ErrNotFound
		case c.State != Scored:
			return "", ErrStep.With("该质检单%s，不能申诉", c.State.Label())
		case now.After(*c.AppealUntil):
			return "", ErrStep.With("申诉期已过，评分已生效")
		}
		c.State, c.Appeal, c.AppealedAt = Appealed, reason, &now
		managers, err := s.Agents.With(ctx, tx, PermManage)
		if err != nil {
			return "", err
		}
		for _, m := range managers {
			if m.ID == c.InspectorID || m.ID == c.AgentID {
				continue
			}
			if err := s.tell(ctx, tx, c, m.ID, "quality.appealed", map[string]string{"name": c.AgentName, "number": c.Number}); err != nil {
				return "", err
			}
		}
		return "appealed", nil
	})
}

// Decide asks to decide on an appeal: to keep the score, or to score anew.
type Decide struct {
	Step
	Keep   bool
	Reason string
	CardID int64
	Marks
}

// Decide ends an appeal. It takes quality.manage; ErrOwnScore for who gave the score or did the work.
func (s *Service) Decide(ctx context.Context, actor access.Actor, cmd Decide) error {
	reason, err := text.Block("reason", cmd.Reason, 5, 1000)
	if err != nil {
		return text.Named(err, "复核意见")
	}
	return s.step(ctx, actor, PermManage, "quality.decide", cmd.Step, cmd, func(ctx context.Context, tx bun.Tx, c *check, now time.Time) (string, error) {
		switch {
		case c.State != Appealed:
			return "", ErrStep.With("该质检单%s，没有待复核的申诉", c.State.Label())
		case c.AgentID == actor.UserID || c.InspectorID == actor.UserID:
			return "", ErrOwnScore
		}
		first := *c.Score
		if !cmd.Keep {
			if err := s.mark(ctx, tx, c, cmd.CardID, &cmd.Marks); err != nil {
				return "", err
			}
		}
		c.State, c.FirstScore, c.Decision, c.Decider, c.DecidedAt = Decided, &first, reason, actor.Name, &now
		outcome := "维持原评分"
		if *c.Score != first {
			outcome = fmt.Sprintf("评分由 %d 分改为 %d 分", first, *c.Score)
		}
		return "decided", s.tell(ctx, tx, c, c.AgentID, "quality.decided", map[string]string{"number": c.Number, "text": outcome})
	})
}

func (s *Service) tell(ctx context.Context, tx bun.Tx, c *check, user int64, template string, params map[string]string) error {
	return s.Messages.Tell(ctx, tx, user, fmt.Sprintf("%s:%d:%d", template, c.ID, c.Version), template, "/quality/checks/"+strconv.FormatInt(c.ID, 10), params)
}

// step locks the check, lets do change it, and keeps it with its event and audit row.
func (s *Service) step(ctx context.Context, actor access.Actor, right access.Permission, operation string, st Step, request any, do func(context.Context, bun.Tx, *check, time.Time) (string, error)) error {
	if err := actor.Need(right); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: st.Key, Request: request, Now: now}, func() (bool, error) {
			c := new(check)
			q := tx.NewSelect().Model(c).Where("c.id = ?", st.ID)
			if database.KindOf(tx) == database.Postgres {
				q = q.For("UPDATE")
			}
			if err := database.Found(q.Scan(ctx)); err != nil {
				return false, err
			}
			if !sees(actor, c) {
				return false, ErrNotFound
			}
			if c.Version != st.Version {
				return false, ErrStale.With("质检单已%s，请刷新后再操作", map[State]string{Waiting: "更新", Scored: "评分", Appealed: "提出申诉", Decided: "复核", Skipped: "标记为无法评分"}[c.State])
			}
			c.Version++
			how, err := do(ctx, tx, c, now)
			if err != nil {
				return false, err
			}
			if _, err := tx.NewUpdate().Model(c).WherePK().Exec(ctx); err != nil {
				return false, err
			}
			if _, err := event.Append(ctx, tx, actor, now, Moved{ID: c.ID, TicketID: c.TicketID, AgentID: c.AgentID, How: how, Score: c.Score}); err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: Object, ObjectID: c.ID, Summary: c.AgentName + "的质检单" + c.State.Label(),
				Detail: map[string]any{"number": c.Number, "score": c.Score, "firstScore": c.FirstScore, "appeal": c.Appeal, "decision": c.Decision, "comment": c.Comment}})
		})
		return err
	})
}

// sees reports whether the actor may know of the check: of what was drawn of their own work only once it is scored.
func sees(actor access.Actor, c *check) bool {
	if c.AgentID == actor.UserID {
		return actor.Can(PermOwn) && c.State != Waiting && c.State != Skipped
	}
	return actor.Can(PermView)
}
