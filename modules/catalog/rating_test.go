package catalog_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
)

type ratings map[int64]catalog.Rating

func (r ratings) Products(context.Context, bun.IDB) (map[int64]catalog.Rating, error) { return r, nil }

func TestProductsAreOrderedByRating(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	is := ratings{}
	f.Ratings = is
	var ids []int64
	for _, name := range []string{"甲贷", "乙贷", "丙贷", "丁贷"} {
		c := loan()
		c.Name = name
		ids = append(ids, f.mustList(t, banker, c).ID)
	}
	is[ids[0]], is[ids[1]], is[ids[2]] = catalog.Rating{Score: 410, Mean: 500, Count: 1}, catalog.Rating{Score: 460, Mean: 470, Count: 30}, catalog.Rating{Score: 300, Mean: 280, Count: 9}
	if _, err := f.ReckonRatings(ctx, banker); !errors.Is(err, catalog.ErrForbidden) {
		t.Errorf("a person reckons: %v", err)
	}
	reckon := func() int {
		n, err := f.ReckonRatings(ctx, machine)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := reckon(); n != 3 {
		t.Errorf("%d changed", n)
	}
	if n := reckon(); n != 0 {
		t.Errorf("%d changed again", n)
	}
	// Two at a time: the pages fit together, those without an evaluation come last.
	var names, said []string
	for cursor := ""; ; {
		found := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Sort: catalog.ByRating, Limit: 2, Cursor: cursor}))(t)
		for _, k := range found.Items {
			names = append(names, k.Name)
			if k.RatingCount > 0 {
				said = append(said, k.Name)
			}
		}
		if cursor = found.Next; cursor == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "乙贷 甲贷 丙贷 丁贷" || len(said) != 3 {
		t.Errorf("order: %s, rated %v", got, said)
	}
	delete(is, ids[1]) // its evaluations were voided
	if n := reckon(); n != 1 {
		t.Errorf("%d changed after one was voided", n)
	}
	if first := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Sort: catalog.ByRating, Limit: 1}))(t).Items[0]; first.Name != "甲贷" {
		t.Errorf("first is %s", first.Name)
	}
}
