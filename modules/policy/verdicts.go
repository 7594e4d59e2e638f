package policy

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// verdict says that a policy fits a company; of the other answers none is kept (decision 0090).
type verdict struct {
	bun.BaseModel `bun:"table:policy_verdicts,alias:pv"`

	PolicyID     int64     `bun:"policy_id,pk"`
	EnterpriseID int64     `bun:"enterprise_id,pk"`
	Version      int64     `bun:"policy_version,notnull"`
	Since        time.Time `bun:"since,notnull"`
}

// followMark is how far the facts have been looked at for what they change.
type followMark struct {
	bun.BaseModel `bun:"table:policy_follow,alias:pf"`

	ID     int64 `bun:"id,pk"`
	FactID int64 `bun:"fact_id,notnull"`
}

// verdictsAtOnce bounds one transaction.
const verdictsAtOnce = 500

// keepVerdicts makes the kept verdicts of a policy those of the companies given, in steps; doing it again changes nothing.
func (s *Service) keepVerdicts(ctx context.Context, p *Policy, fit []int64, now time.Time) error {
	for chunk := range slices.Chunk(fit, verdictsAtOnce) {
		rows := make([]verdict, 0, len(chunk))
		for _, id := range chunk {
			rows = append(rows, verdict{PolicyID: p.ID, EnterpriseID: id, Version: p.Version, Since: now})
		}
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&rows).On("CONFLICT (policy_id, enterprise_id) DO UPDATE").Set("policy_version = EXCLUDED.policy_version").Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("verdicts of policy %d: %w", p.ID, err)
		}
	}
	had, err := s.verdictsOf(ctx, p.ID)
	if err != nil {
		return err
	}
	gone := slices.DeleteFunc(had, func(id int64) bool { _, in := slices.BinarySearch(fit, id); return in })
	return s.dropVerdicts(ctx, p.ID, gone)
}

// verdictsOf lists the companies a policy fits as far as is kept, in the order of their ids.
func (s *Service) verdictsOf(ctx context.Context, policyID int64) ([]int64, error) {
	var ids []int64
	err := s.db.Read().NewSelect().Model((*verdict)(nil)).Column("enterprise_id").Where("pv.policy_id = ?", policyID).OrderExpr("pv.enterprise_id").Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("verdicts of policy %d: %w", policyID, err)
	}
	return ids, nil
}

func (s *Service) dropVerdicts(ctx context.Context, policyID int64, ids []int64) error {
	for chunk := range slices.Chunk(ids, verdictsAtOnce) {
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewDelete().Model((*verdict)(nil)).Where("policy_id = ? AND enterprise_id IN ?", policyID, bun.Tuple(chunk)).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("verdicts of policy %d: %w", policyID, err)
		}
	}
	return nil
}

// readers lists for each field the policies whose conditions read it.
func readers(rules []*rule) map[string][]*rule {
	out := map[string][]*rule{}
	for _, r := range rules {
		if !r.readable {
			continue
		}
		for _, field := range r.condition.Fields() {
			out[field] = append(out[field], r)
		}
	}
	return out
}

// changedFields are the fields that conditions would judge otherwise: another value, reason or day, now or of a year.
func changedFields(before, after criteria.Facts) []string {
	var out []string
	for name, f := range after {
		old := before[name]
		if !reflect.DeepEqual(old.Value, f.Value) || old.Unknown != f.Unknown || !old.AsOf.Equal(f.AsOf) || !slices.EqualFunc(old.Years, f.Years, sameYear) {
			out = append(out, name)
		}
	}
	for name := range before {
		if _, still := after[name]; !still {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func sameYear(a, b criteria.Year) bool {
	return a.Year == b.Year && a.N == b.N && a.Unknown == b.Unknown && a.AsOf.Equal(b.AsOf)
}

// Followed is what following the facts came to.
type Followed struct {
	Facts     int // that were added
	Companies int // they were about
	Judged    int // pairs of company and policy that were judged again
	Gained    int // policies that fit a company now and did not
	Lost      int
	Told      int // companies that were told
}

// JudgeAgain judges again what the facts added since it last ran may have changed: only policies that read a changed field. A
// company that a policy now fits is told, within the limits of telling. One process at a time follows; the clock asks for
// it.
func (s *Service) JudgeAgain(ctx context.Context) (Followed, error) {
	var out Followed
	for {
		step, more, err := s.followStep(ctx)
		out.Facts += step.Facts
		out.Companies += step.Companies
		out.Judged += step.Judged
		out.Gained += step.Gained
		out.Lost += step.Lost
		out.Told += step.Told
		if err != nil || !more {
			return out, err
		}
	}
}

// factsAtOnce is how many added facts one step of following takes.
const factsAtOnce = 500

func (s *Service) followStep(ctx context.Context) (out Followed, more bool, err error) {
	db, now := s.db.Read(), s.clock.Now()
	from, begun, err := s.followFrom(ctx)
	if err != nil || !begun {
		return out, false, err
	}
	list, err := s.reach.Register.FactsAfter(ctx, db, from, factsAtOnce)
	if err != nil || len(list) == 0 {
		return out, false, err
	}
	to := list[len(list)-1].FactID
	if s.db.Kind() != database.SQLite {
		// One with a lower id may still be committed. What is looked at only in the next round is late, not lost.
		if to, err = s.settledUntil(ctx, list); err != nil || to <= from {
			return out, false, err
		}
	}
	var ids []int64
	for _, c := range list {
		if c.FactID <= to {
			out.Facts++
			ids = append(ids, c.EnterpriseID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	rules, err := s.rules.current(ctx, s, dayOf(now))
	if err != nil {
		return out, false, err
	}
	before, err := s.reach.Register.FactsUntil(ctx, db, from, ids...)
	if err != nil {
		return out, false, fmt.Errorf("facts before: %w", err)
	}
	after, err := s.reach.Register.FactsUntil(ctx, db, to, ids...)
	if err != nil {
		return out, false, fmt.Errorf("facts after: %w", err)
	}
	in, err := s.reach.Register.InRegister(ctx, db, ids...)
	if err != nil {
		return out, false, fmt.Errorf("companies of the register: %w", err)
	}
	reading := readers(rules)
	for _, id := range ids {
		if _, registered := in[id]; !registered {
			continue
		}
		out.Companies++
		if err := s.rejudge(ctx, id, reading, changedFields(before[id], after[id]), after[id], now, &out); err != nil {
			return out, false, err
		}
	}
	return out, len(list) == factsAtOnce, s.followedTo(ctx, from, to)
}

// rejudge holds the policies that read the fields against a company again.
func (s *Service) rejudge(ctx context.Context, id int64, reading map[string][]*rule, fields []string, facts criteria.Facts, now time.Time, out *Followed) error {
	var due []*rule
	for _, field := range fields {
		due = append(due, reading[field]...)
	}
	slices.SortFunc(due, func(a, b *rule) int { return int(a.policy.ID - b.policy.ID) })
	due = slices.Compact(due)
	if len(due) == 0 {
		return nil
	}
	var had []int64
	err := s.db.Read().NewSelect().Model((*verdict)(nil)).Column("policy_id").Where("pv.enterprise_id = ?", id).Scan(ctx, &had)
	if err != nil {
		return fmt.Errorf("verdicts of enterprise %d: %w", id, err)
	}
	var gained []*Policy
	for _, r := range due {
		out.Judged++
		fits, did := r.condition.Evaluate(facts, now).Decision == criteria.Eligible, slices.Contains(had, r.policy.ID)
		switch {
		case fits && !did:
			gained = append(gained, r.policy)
		case !fits && did:
			out.Lost++
			if err := s.dropVerdicts(ctx, r.policy.ID, []int64{id}); err != nil {
				return err
			}
		}
	}
	return s.gained(ctx, id, gained, now, out)
}

// gained keeps that policies fit a company now and tells it, both or neither.
func (s *Service) gained(ctx context.Context, id int64, list []*Policy, now time.Time, out *Followed) error {
	if len(list) == 0 {
		return nil
	}
	allowed, err := s.reach.Consents.Allows(ctx, []int64{id}, PurposePush, now)
	if err != nil {
		return fmt.Errorf("consent of enterprise %d: %w", id, err)
	}
	owners, err := s.reach.Register.Owners(ctx, s.db.Read(), id)
	if err != nil {
		return err
	}
	told := false
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		told = false
		var fresh []*Policy
		for _, p := range list {
			row := verdict{PolicyID: p.ID, EnterpriseID: id, Version: p.Version, Since: now}
			res, err := tx.NewInsert().Model(&row).On("CONFLICT (policy_id, enterprise_id) DO NOTHING").Exec(ctx)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n > 0 && p.WindowOn(dayOf(now)) != Closed {
				fresh = append(fresh, p)
			}
		}
		if !allowed[id] || owners[id] == 0 || len(fresh) == 0 {
			return nil
		}
		var err error
		told, err = s.tellGained(ctx, tx, id, owners[id], fresh, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("policies for enterprise %d: %w", id, err)
	}
	out.Gained += len(list)
	if told {
		out.Told++
	}
	return nil
}

// tellGained tells a company of the policies it has not been told of, if it may be told once more this week.
func (s *Service) tellGained(ctx context.Context, tx bun.Tx, id, user int64, list []*Policy, now time.Time) (bool, error) {
	n, err := toldSince(ctx, tx, id, now.Add(-week))
	if err != nil || n >= s.reach.PerWeek {
		return false, err
	}
	var fresh []*Policy
	key := fmt.Sprintf("policy.fits:%d:%d", id, now.UnixMicro())
	for _, p := range list {
		is, err := markTold(ctx, tx, told{PolicyID: p.ID, EnterpriseID: id, Notice: key, ToldAt: now})
		if err != nil {
			return false, err
		}
		if is {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return false, nil
	}
	title := "《" + fresh[0].Title + "》"
	if len(fresh) > 1 {
		title += "等"
	}
	return true, s.reach.Messages.Tell(ctx, tx, key, user, "policy.fits", "/policies/match",
		map[string]string{"count": strconv.Itoa(len(fresh)), "title": title})
}

// followFrom is the fact up to which everything was looked at. The first time there is none: it begins with the facts of
// now, which the runs of the policies look at.
func (s *Service) followFrom(ctx context.Context) (int64, bool, error) {
	var m followMark
	err := database.Found(s.db.Read().NewSelect().Model(&m).Where("pf.id = 1").Scan(ctx))
	if err == nil {
		return m.FactID, true, nil
	}
	if !errors.Is(err, fault.ErrNotFound) {
		return 0, false, err
	}
	mark, err := s.reach.Register.FactMark(ctx, s.db.Read())
	if err != nil {
		return 0, false, err
	}
	return 0, false, s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&followMark{ID: 1, FactID: mark}).On("CONFLICT DO NOTHING").Exec(ctx)
		return err
	})
}

// followedTo goes on from a fact; a second process that followed meanwhile is not set back.
func (s *Service) followedTo(ctx context.Context, from, to int64) error {
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*followMark)(nil)).Set("fact_id = ?", to).Where("id = 1 AND fact_id = ?", from).Exec(ctx)
		return err
	})
}

// settledUntil is the last fact of the list behind which no other can still be committed: the pool of this process has seen
// it for longer than a transaction lasts.
func (s *Service) settledUntil(_ context.Context, list []ChangedFact) (int64, error) {
	mark := s.pool.state().FactMark
	to := int64(0)
	for _, c := range list {
		if c.FactID <= mark {
			to = c.FactID
		}
	}
	return to, nil
}

// Renew holds the policies in force against all companies: what fits with the passing of time alone, as three years since
// the founding, is kept and told; what no longer does is dropped. The clock asks for it each morning.
func (s *Service) Renew(ctx context.Context) (Followed, error) {
	var out Followed
	columns, _, err := s.pool.ready()
	if err != nil {
		return out, err
	}
	now := s.clock.Now()
	rules, err := s.rules.current(ctx, s, dayOf(now))
	if err != nil {
		return out, err
	}
	gained := map[int64][]*Policy{}
	for _, r := range rules {
		done, err := s.ran(ctx, r.policy)
		if err != nil {
			return out, err
		}
		if !r.readable || !done {
			continue // its first run is still to come
		}
		fit := members(columns.Evaluate(r.condition, now), criteria.Eligible)
		had, err := s.verdictsOf(ctx, r.policy.ID)
		if err != nil {
			return out, err
		}
		out.Judged += columns.Len()
		for _, id := range fit {
			if _, did := slices.BinarySearch(had, id); !did {
				gained[id] = append(gained[id], r.policy)
			}
		}
		gone := slices.DeleteFunc(had, func(id int64) bool { _, fits := slices.BinarySearch(fit, id); return fits })
		out.Lost += len(gone)
		if err := s.dropVerdicts(ctx, r.policy.ID, gone); err != nil {
			return out, err
		}
	}
	ids := make([]int64, 0, len(gained))
	for id := range gained {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := s.gained(ctx, id, gained[id], now, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// ran reports whether the version in force has been held against the companies.
func (s *Service) ran(ctx context.Context, p *Policy) (bool, error) {
	return s.db.Read().NewSelect().Model((*run)(nil)).Where("pr.policy_id = ? AND pr.policy_version = ? AND pr.done_at IS NOT NULL", p.ID, p.Version).Exists(ctx)
}

// ReachTasks are what the clock asks for.
func (s *Service) ReachTasks() []jobs.Task {
	return []jobs.Task{
		{Name: "policy.ensure_runs", Title: "补做政策与企业的匹配", Every: 10 * time.Minute, Run: s.EnsureRuns, Failure: "部分政策尚未与全部企业匹配，请查看服务日志"},
		{Name: "policy.follow", Title: "企业信息变化后重新匹配政策", Every: time.Minute, Failure: "企业信息变化后没有重新匹配政策，请查看服务日志", Run: func(ctx context.Context) error {
			f, err := s.JudgeAgain(ctx)
			if f.Companies > 0 {
				jobs.Note(ctx, "%d 家企业信息变化，重新判定 %d 次，新符合 %d 项，告知 %d 家", f.Companies, f.Judged, f.Gained, f.Told)
			}
			return err
		}},
		{Name: "policy.renew", Title: "每日核对政策适配企业", Cron: "20 8 * * *", Failure: "随时间变化而新符合政策的企业没有得到告知，请查看服务日志", Run: func(ctx context.Context) error {
			f, err := s.Renew(ctx)
			jobs.Note(ctx, "新符合 %d 项，不再符合 %d 项，告知 %d 家", f.Gained, f.Lost, f.Told)
			return err
		}},
		{Name: "policy.forget_answers", Title: "清理到期的匹配答复", Cron: "40 3 * * *", Run: s.ForgetAnswers},
	}
}
