package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
)

// run is one kept reverse match. A version that is published gets exactly one of origin "publish".
type run struct {
	bun.BaseModel `bun:"table:policy_runs,alias:pr"`

	ID       int64      `bun:"id,pk,autoincrement"`
	PolicyID int64      `bun:"policy_id,notnull"`
	Version  int64      `bun:"policy_version,notnull"`
	Origin   string     `bun:"origin,notnull"` // publish, manual
	By       string     `bun:"made_by,notnull"`
	AskedAt  time.Time  `bun:"asked_at,notnull"`
	DoneAt   *time.Time `bun:"done_at"`
	Counts   string     `bun:"counts,notnull"` // Division
	Note     string     `bun:"note,notnull"`   // why there is no answer
}

// RunView is one kept reverse match.
type RunView struct {
	ID      int64      `json:"id"`
	Version int64      `json:"version"`
	Origin  string     `json:"origin" enum:"publish,manual"`
	By      string     `json:"by"`
	AskedAt time.Time  `json:"askedAt"`
	DoneAt  *time.Time `json:"doneAt,omitempty"`
	Note    string     `json:"note,omitempty"`
	Result  *Division  `json:"result,omitempty"`
}

func (r *run) view() (RunView, error) {
	v := RunView{ID: r.ID, Version: r.Version, Origin: r.Origin, By: r.By, AskedAt: r.AskedAt.UTC(), Note: r.Note}
	if r.DoneAt != nil {
		at := r.DoneAt.UTC()
		v.DoneAt = &at
	}
	if r.Counts != "" {
		v.Result = new(Division)
		if err := json.Unmarshal([]byte(r.Counts), v.Result); err != nil {
			return v, fmt.Errorf("run %d: %w", r.ID, err)
		}
	}
	return v, nil
}

// runsShown is how many kept matches a page shows.
const runsShown = 20

func (s *Service) runsOf(ctx context.Context, policyID int64) ([]RunView, error) {
	var rows []run
	if err := s.db.Read().NewSelect().Model(&rows).Where("pr.policy_id = ?", policyID).OrderExpr("pr.id DESC").Limit(runsShown).Scan(ctx); err != nil {
		return nil, fmt.Errorf("runs of policy %d: %w", policyID, err)
	}
	out := make([]RunView, 0, len(rows))
	for i := range rows {
		v, err := rows[i].view()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// RunListener asks for a reverse match of each version that is published.
func (s *Service) RunListener() event.Listener {
	return event.Listener{Name: "policy.runs", Handle: func(ctx context.Context, tx bun.Tx, e event.Event) error {
		if e.Type != "policy.published" && e.Type != "policy.revised" {
			return nil
		}
		var h Head
		if err := e.Decode(&h); err != nil {
			return err
		}
		if h.Status != Live {
			return nil
		}
		_, err := s.ask(ctx, tx, &run{PolicyID: h.ID, Version: h.Version, Origin: "publish", By: "系统", AskedAt: s.clock.Now()})
		return err
	}}
}

// ask writes a run and the job that makes it; false when that version has one of its origin already.
func (s *Service) ask(ctx context.Context, tx bun.Tx, r *run) (bool, error) {
	res, err := tx.NewInsert().Model(r).ExcludeColumn("id").On("CONFLICT DO NOTHING").Returning("id").Exec(ctx)
	if errors.Is(database.Found(err), fault.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask for a reverse match: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 || r.ID == 0 {
		return false, err
	}
	return true, s.reach.Queue.Insert(ctx, tx, runJob{RunID: r.ID})
}

// Run asks for a reverse match of a policy in force now, kept beside those made on publishing. It needs policy.reverse.
func (s *Service) Run(ctx context.Context, actor access.Actor, id int64, key string) error {
	if err := s.staff(actor, PermReverse); err != nil {
		return err
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.run", Key: key, Request: id, Now: now}, func() (outcome, error) {
			p, err := s.find(ctx, tx, actor, id)
			if err != nil {
				return outcome{}, err
			}
			if p.StatusOn(dayOf(now)) != Live {
				return outcome{}, ErrState.With("政策当前为“%s”，只有现行有效的政策可以匹配企业", p.StatusOn(dayOf(now)).Label())
			}
			if len(p.Conditions) == 0 {
				return outcome{}, ErrByHand
			}
			r := run{PolicyID: id, Version: p.Version, Origin: "manual", By: actor.Name, AskedAt: now}
			if _, err := s.ask(ctx, tx, &r); err != nil {
				return outcome{}, err
			}
			return outcome{r.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.run", Object: Object, ObjectID: id, Summary: "匹配适配企业"})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("run policy %d: %w", id, err)
	}
	return nil
}

// EnsureRuns asks for the runs that versions in force have not got: those from before there were any.
func (s *Service) EnsureRuns(ctx context.Context) error {
	now := s.clock.Now()
	var rows []Policy
	err := inForce(s.db.Read().NewSelect().Model(&rows).Column("id", "version"), dayOf(now)).Where("p.conditions IS NOT NULL").
		Where("NOT EXISTS (SELECT 1 FROM policy_runs AS pr WHERE pr.policy_id = p.id AND pr.policy_version = p.version AND pr.origin = 'publish')").
		OrderExpr("p.id").Limit(500).Scan(ctx)
	if err != nil {
		return fmt.Errorf("policies without a run: %w", err)
	}
	for _, p := range rows {
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := s.ask(ctx, tx, &run{PolicyID: p.ID, Version: p.Version, Origin: "publish", By: "系统", AskedAt: s.clock.Now()})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// workRun makes a run that was asked for. A second worker finds it done.
func (s *Service) workRun(ctx context.Context, id int64) error {
	var row run
	err := database.Found(s.db.Read().NewSelect().Model(&row).Where("pr.id = ?", id).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return jobs.Cancel(fmt.Errorf("run %d: %w", id, err))
	}
	if err != nil || row.DoneAt != nil {
		return err
	}
	actor := access.SystemActor("job:policy.run")
	p, err := s.find(ctx, s.db.Read(), actor, row.PolicyID)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	r := s.rule(ctx, p)
	switch {
	case p.Version != row.Version || p.StatusOn(dayOf(now)) != Live:
		return s.settleRun(ctx, id, "", "匹配前该版本已不是现行版本")
	case !r.readable:
		return s.settleRun(ctx, id, "", "申报条件尚未整理成可比对的数据")
	}
	columns, mark, err := s.pool.ready()
	if errors.Is(err, ErrLoading) {
		return jobs.Snooze(2 * time.Second)
	}
	if err != nil {
		return err
	}
	d, sets := s.divide(columns, r, mark, now)
	if err := s.keepVerdicts(ctx, p, members(sets, "eligible"), now); err != nil {
		return err
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return s.settleRun(ctx, id, string(raw), "")
}

func (s *Service) settleRun(ctx context.Context, id int64, counts, note string) error {
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*run)(nil)).Set("done_at = ?", s.clock.Now()).Set("counts = ?", counts).Set("note = ?", note).
			Where("id = ? AND done_at IS NULL", id).Exec(ctx)
		return err
	})
}

// looked writes down that somebody looked.
func (s *Service) looked(ctx context.Context, actor access.Actor, action string, policyID int64, summary string, detail any) error {
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, actor, s.clock.Now(), audit.Record{Action: action, Object: Object, ObjectID: policyID, Summary: summary, Detail: detail})
	})
}
