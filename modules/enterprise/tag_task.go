package enterprise

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/jobs"
)

// tagWalk is how far the keeping of rule-made tags has come; one row. All companies are walked after a definition changed and
// once a day, as a rule may ask of time; between them those of whom a fact was added.
type tagWalk struct {
	bun.BaseModel `bun:"table:enterprise_tag_walks,alias:tw"`

	ID      int64  `bun:"id,pk"`
	Edition int64  `bun:"edition,notnull"` // the newest edition when the walk began
	Day     string `bun:"day,notnull"`     // and its day
	After   int64  `bun:"after,notnull"`   // the last company of the walk; -1 when it is done
	Fact    int64  `bun:"fact,notnull"`    // the last fact that was followed
}

type tagWalk20261130 struct {
	bun.BaseModel `bun:"table:enterprise_tag_walks"`

	ID      int64  `bun:"id,pk"`
	Edition int64  `bun:"edition,notnull"`
	Day     string `bun:"day,notnull"`
	After   int64  `bun:"after,notnull"`
	Fact    int64  `bun:"fact,notnull"`
}

// byRule names who gives and takes rule-made tags.
const byRule = "按规则"

// tagPart is how many companies are settled in one transaction.
const tagPart = 500

// KeepTags brings the kept rows of rule-made tags up to what is known of the companies, as far as ctx lets it, and returns how
// many tags were given or taken. What it did stays done when it is ended.
func (s *Service) KeepTags(ctx context.Context) (int, error) {
	db := s.db.Read()
	var w tagWalk
	if err := db.NewSelect().Model(&w).Where("tw.id = 1").Scan(ctx); err != nil {
		return 0, err
	}
	var newest int64
	if err := database.QueryOne(ctx, db, []any{&newest}, "SELECT coalesce(max(id), 0) FROM enterprise_tag_editions"); err != nil || newest == 0 {
		return 0, err
	}
	bodies, err := bodiesInForce(ctx, db)
	if err != nil {
		return 0, err
	}
	rules := s.tagRulesOf(bodies)
	changed := 0
	if day := s.clock.Now().In(clock.Beijing).Format(time.DateOnly); w.Edition != newest || w.Day != day {
		if w.Fact, err = s.FactMark(ctx, db); err != nil {
			return 0, err
		}
		w.Edition, w.Day, w.After = newest, day, 0
	}
	for w.After >= 0 {
		ids, err := registeredAfter(ctx, db, w.After)
		if err != nil {
			return changed, err
		}
		if len(ids) == 0 {
			w.After = -1
		} else {
			w.After = ids[len(ids)-1]
		}
		n, err := s.settleTags(ctx, rules, w, ids)
		if changed += n; err != nil {
			return changed, err
		}
	}
	for {
		added, err := s.FactsAfter(ctx, db, w.Fact, registerPage)
		if err != nil || len(added) == 0 {
			return changed, err
		}
		var ids []int64
		for _, x := range added {
			ids = append(ids, x.EnterpriseID)
		}
		slices.Sort(ids)
		w.Fact = added[len(added)-1].FactID
		n, err := s.settleTags(ctx, rules, w, slices.Compact(ids))
		if changed += n; err != nil {
			return changed, err
		}
	}
}

// registeredAfter lists the next companies of the register.
func registeredAfter(ctx context.Context, db bun.IDB, after int64) ([]int64, error) {
	var ids []int64
	err := db.NewSelect().Model((*Enterprise)(nil)).Column("id").Where("ent.id > ?", after).Where(registerOnly).OrderExpr("ent.id").Limit(tagPart).Scan(ctx, &ids)
	return ids, err
}

// settleTags gives and takes the rule-made tags of some companies, and keeps how far the walk has come, in one transaction each.
func (s *Service) settleTags(ctx context.Context, rules []tagRule, w tagWalk, ids []int64) (int, error) {
	changed := 0
	for first := true; first || len(ids) > 0; first = false {
		part := ids[:min(tagPart, len(ids))]
		ids = ids[len(part):]
		facts, err := s.InRegister(ctx, s.db.Read(), part...)
		if err != nil {
			return changed, err
		}
		var n int
		err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			var err error
			if n, err = s.settlePart(ctx, tx, rules, facts, part); err != nil || len(ids) > 0 {
				return err
			}
			_, err = tx.NewUpdate().Model(&w).WherePK().Exec(ctx)
			return err
		})
		if err != nil {
			return changed, fmt.Errorf("keep tags: %w", err)
		}
		changed += n
	}
	return changed, nil
}

func (s *Service) settlePart(ctx context.Context, tx bun.Tx, rules []tagRule, facts map[int64]criteria.Facts, ids []int64) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	now := s.clock.Now()
	var rows []tagged
	if err := tx.NewSelect().Model(&rows).Where("tg.enterprise_id IN (?) AND tg.ended_at IS NULL AND tg.by_id = 0", bun.List(ids)).Scan(ctx); err != nil {
		return 0, err
	}
	type key struct {
		id   int64
		code string
	}
	has := map[key]int64{}
	for _, r := range rows {
		has[key{r.EnterpriseID, r.Code}] = r.ID
	}
	var fresh []tagged
	for _, id := range ids {
		for _, r := range rules {
			if facts[id] == nil {
				continue // it left the register
			}
			if _, ok := r.fits(facts[id], now); !ok {
				continue
			}
			k := key{id, r.Code}
			if _, there := has[k]; there {
				delete(has, k)
				continue
			}
			fresh = append(fresh, tagged{EnterpriseID: id, Code: r.Code, StartedAt: now, ByName: byRule})
		}
	}
	var gone []int64
	for _, id := range has { // what no rule gives any more
		gone = append(gone, id)
	}
	slices.Sort(gone)
	if len(gone) > 0 {
		_, err := tx.NewUpdate().Model((*tagged)(nil)).Set("ended_at = ?", now).Set("ended_name = ?", byRule).Set("end_reason = ?", "不再符合规则或标签已停用").
			Where("id IN (?) AND ended_at IS NULL", bun.List(gone)).Exec(ctx)
		if err != nil {
			return 0, err
		}
	}
	if len(fresh) > 0 {
		if _, err := tx.NewInsert().Model(&fresh).ExcludeColumn("id").On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return 0, err
		}
	}
	return len(gone) + len(fresh), nil
}

// tagTask keeps rule-made tags.
func (s *Service) tagTask() jobs.Task {
	return jobs.Task{Name: "enterprise.keep_tags", Title: "更新企业标签", Every: time.Minute, Timeout: 10 * time.Minute,
		Failure: "按规则产生的企业标签没有更新，按标签筛选的企业列表可能不完整。请查看服务日志中的原因；恢复后自动补齐。",
		Run: func(ctx context.Context) error {
			n, err := s.KeepTags(ctx)
			if n > 0 {
				jobs.Note(ctx, "标签变化 %d 个", n)
			}
			return err
		}}
}
