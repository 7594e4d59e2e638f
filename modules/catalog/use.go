package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/jobs"
)

// How the heat of a product comes about: each person who opened it counts once a day, a company that applied as much as ten
// of them, over the last thirty days. The first hotMost with a heat of hotLeast bear the mark 热门.
const (
	heatDays    = 30
	heatApplied = 10
	hotMost     = 12
	hotLeast    = 10
)

// Uses tells what came of products elsewhere.
type Uses interface {
	// Applied counts the companies that applied for each product since a moment.
	Applied(ctx context.Context, db bun.IDB, since time.Time) (map[int64]int64, error)
}

type viewRow struct {
	bun.BaseModel `bun:"table:product_views"`

	Day       string `bun:"day,pk"`
	ProductID int64  `bun:"product_id,pk"`
	Visitor   string `bun:"visitor,pk"`
}

// crawlers are what search engines call themselves.
var crawlers = []string{"bot", "spider", "crawl", "slurp"}

// visitor names who looks without saying who they are: an account by its number, anybody else by a keyed hash of address and
// browser that changes with the day. It is empty for crawlers.
func (s *Service) visitor(actor access.Actor, day string) string {
	agent := strings.ToLower(actor.UserAgent)
	for _, c := range crawlers {
		if strings.Contains(agent, c) {
			return ""
		}
	}
	switch {
	case actor.UserID != 0:
		return strconv.FormatInt(actor.UserID, 10)
	case s.Blind == nil || actor.IP == "":
		return ""
	}
	return s.Blind(day + "\n" + actor.IP + "\n" + agent)
}

// seen counts that somebody opened a public product, each person once a day. Those who work on it do not count.
func (s *Service) seen(ctx context.Context, actor access.Actor, id int64) error {
	v := viewRow{Day: dayOf(s.Clock.Now()), ProductID: id}
	if v.Visitor = s.visitor(actor, v.Day); v.Visitor == "" || isDesk(actor) || actor.Party == access.Institution {
		return nil
	}
	known, err := s.DB.Read().NewSelect().Model(&v).WherePK().Exists(ctx)
	if err != nil || known {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&v).On("CONFLICT DO NOTHING").Exec(ctx)
		return err
	})
}

// ReckonHeat brings the heat of the products and the mark of the hottest up to date, and forgets old views. It returns how
// many changed. Only the system may.
func (s *Service) ReckonHeat(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	now := s.Clock.Now()
	since := dayOf(now.AddDate(0, 0, -heatDays))
	db := s.DB.Read()
	var counted []struct {
		ProductID int64
		N         int64
	}
	if err := db.NewSelect().Model((*viewRow)(nil)).Column("product_id").ColumnExpr("count(*) AS n").Where("day > ?", since).Group("product_id").Scan(ctx, &counted); err != nil {
		return 0, fmt.Errorf("views: %w", err)
	}
	heat := map[int64]int64{}
	if s.Uses != nil {
		applied, err := s.Uses.Applied(ctx, db, now.AddDate(0, 0, -heatDays))
		if err != nil {
			return 0, fmt.Errorf("applications: %w", err)
		}
		for id, n := range applied {
			heat[id] = n * heatApplied
		}
	}
	for _, c := range counted {
		heat[c.ProductID] += c.N
	}
	changed, err := s.keepHeat(ctx, heat)
	if err != nil {
		return changed, err
	}
	return changed, s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*viewRow)(nil)).Where("day <= ?", since).Exec(ctx)
		return err
	})
}

// keepHeat writes what changed, few at once, then moves the mark.
func (s *Service) keepHeat(ctx context.Context, heat map[int64]int64) (int, error) {
	var rows []struct{ ID, Heat int64 }
	if err := s.DB.Read().NewSelect().Model((*Product)(nil)).Column("id", "heat").OrderExpr("p.id").Scan(ctx, &rows); err != nil {
		return 0, fmt.Errorf("products: %w", err)
	}
	var ids []int64
	for _, r := range rows {
		if heat[r.ID] != r.Heat {
			ids = append(ids, r.ID)
		}
	}
	for from := 0; from < len(ids); from += 200 {
		some := ids[from:min(from+200, len(ids))]
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for _, id := range some {
				if _, err := tx.NewUpdate().Model((*Product)(nil)).Set("heat = ?", heat[id]).Where("id = ?", id).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return from, fmt.Errorf("heat: %w", err)
		}
	}
	return len(ids), s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		hottest := public(s.Clock.Now()).narrow(tx.NewSelect().TableExpr("products AS p").Column("p.id")).Where("p.heat >= ?", hotLeast).
			OrderExpr("p.heat DESC, p.id DESC").Limit(hotMost)
		var hot []int64
		if err := hottest.Scan(ctx, &hot); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model((*Product)(nil)).Set("hot = ?", false).Where("hot AND id NOT IN (?)", bun.List(append(hot, 0))).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model((*Product)(nil)).Set("hot = ?", true).Where("NOT hot AND id IN (?)", bun.List(append(hot, 0))).Exec(ctx)
		return err
	})
}

func (s *Service) heating() jobs.Task {
	return jobs.Task{Name: "product.heat", Title: "按使用情况更新热门产品", Every: time.Hour, Run: func(ctx context.Context) error {
		n, err := s.ReckonHeat(ctx, access.SystemActor("job:product.heat"))
		if n > 0 {
			jobs.Note(ctx, "%d 个产品的热度有变化", n)
		}
		return err
	}}
}
