package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/jobs"
)

// Rating is what those who were served say of a product on the whole, in hundredths of a level.
type Rating struct {
	Score int64 // by which products are ordered: few evaluations count less than many
	Mean  int64
	Count int64
}

// Ratings tells what those who were served say.
type Ratings interface {
	// Products are the ratings of all products that have one.
	Products(ctx context.Context, db bun.IDB) (map[int64]Rating, error)
}

// ReckonRatings brings the ratings by which lists are ordered up to date and returns how many changed. A list reads the column,
// whatever the number of evaluations. Only the system may.
func (s *Service) ReckonRatings(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	if s.Ratings == nil {
		return 0, nil
	}
	db := s.DB.Read()
	is, err := s.Ratings.Products(ctx, db)
	if err != nil {
		return 0, fmt.Errorf("ratings: %w", err)
	}
	var rows []Product
	if err := db.NewSelect().Model(&rows).Column("id", "rating_score", "rating_mean", "rating_count").OrderExpr("p.id").Scan(ctx); err != nil {
		return 0, fmt.Errorf("products: %w", err)
	}
	var changed []int64
	for _, p := range rows {
		if (Rating{p.RatingScore, p.RatingMean, p.RatingCount}) != is[p.ID] {
			changed = append(changed, p.ID)
		}
	}
	for from := 0; from < len(changed); from += 200 {
		some := changed[from:min(from+200, len(changed))]
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for _, id := range some {
				r := is[id]
				if _, err := tx.NewUpdate().Model((*Product)(nil)).Set("rating_score = ?, rating_mean = ?, rating_count = ?", r.Score, r.Mean, r.Count).Where("id = ?", id).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return from, fmt.Errorf("ratings: %w", err)
		}
	}
	return len(changed), nil
}

func (s *Service) rating() jobs.Task {
	return jobs.Task{Name: "product.ratings", Title: "按企业评价更新产品评分", Every: 5 * time.Minute, Run: func(ctx context.Context) error {
		n, err := s.ReckonRatings(ctx, access.SystemActor("job:product.ratings"))
		if n > 0 {
			jobs.Note(ctx, "%d 个产品的评分有变化", n)
		}
		return err
	}}
}

// ratingText is "4.86 分（12 次）", "" without an evaluation.
func (k Card) ratingText() string {
	if k.RatingCount == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%02d 分（%d 次）", k.Rating/100, k.Rating%100, k.RatingCount)
}
