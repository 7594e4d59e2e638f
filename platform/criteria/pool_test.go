package criteria_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/criteria"
)

// TestPoolEqualsEvaluate draws conditions and companies and holds what the pool says against what Evaluate says of each.
func TestPoolEqualsEvaluate(t *testing.T) {
	t.Parallel()
	at := date("2026-11-22")
	seen := map[criteria.Decision]int{}
	for seed := range uint64(30) {
		d := newDraw(seed)
		pool, all := criteria.NewPool(), map[int64]criteria.Condition{}
		for range 120 {
			id := int64(d.IntN(60) + 1)
			if d.IntN(5) == 0 {
				pool.Remove(id)
				delete(all, id)
				continue
			}
			c := d.parsed(t, d.IntN(4))
			pool.Put(id, c)
			all[id] = c
		}
		if n, parts := pool.Len(); n != len(all) || parts == 0 {
			t.Fatalf("%d of %d, %d parts", n, len(all), parts)
		}
		for range 20 {
			facts := d.company()
			j := pool.Judge(facts, at)
			said := map[int64]string{}
			for word, ids := range map[string][]int64{"fits": j.Fits(1000), "open": j.Open(1000), "near": j.Near(1000)} {
				for _, id := range ids {
					if said[id] != "" {
						t.Fatalf("%d is %s and %s", id, said[id], word)
					}
					said[id] = word
				}
			}
			for id, c := range all {
				out := c.Evaluate(facts, at)
				seen[out.Decision]++
				right := false
				switch out.Decision {
				case criteria.Eligible:
					right = said[id] == "fits"
				case criteria.Undecided, criteria.NeedsHuman:
					right = said[id] == "open"
				default:
					right = said[id] == "near" || said[id] == ""
				}
				if !right {
					text, _ := c.MarshalJSON()
					t.Fatalf("seed %d: %s is %s, the pool says %q", seed, text, out.Decision, said[id])
				}
			}
			fits, open, near, farther := j.Count()
			if fits+open+near+farther != len(all) || fits != len(j.Fits(1000)) || near != len(j.Near(1000)) || open != len(j.Open(1000)) {
				t.Fatalf("%d, %d, %d and %d of %d", fits, open, near, farther, len(all))
			}
		}
	}
	for _, d := range []criteria.Decision{criteria.Eligible, criteria.Undecided, criteria.NeedsHuman, criteria.Near, criteria.NotEligible} {
		if seen[d] < 100 {
			t.Errorf("only %d were %s", seen[d], d)
		}
	}
}

func TestPoolSharesPartsAndOrdersByThem(t *testing.T) {
	t.Parallel()
	s := mustSchema(t)
	at := date("2026-11-22")
	parse := func(text string) criteria.Condition {
		c, err := criteria.Parse([]byte(text), s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	many := `{"field":"employees","op":"gte","value":%d,"unit":"人","label":"人数 %d"}`
	pool := criteria.NewPool()
	for id := range int64(3000) {
		least := 10 * (id % 3)
		text := fmt.Sprintf(many, least, id) // the label is another each time: it asks the same
		if id%2 == 0 {
			text = `{"all":[` + text + "," + fmt.Sprintf(many, 5, id) + "]}"
		}
		pool.Put(id+1, parse(text))
	}
	if n, parts := pool.Len(); n != 3000 || parts != 4 {
		t.Errorf("%d conditions of %d parts", n, parts)
	}
	j := pool.Judge(criteria.Facts{"employees": known(criteria.Number(12))}, at)
	if fits, open, near, _ := j.Count(); fits != 2000 || open != 0 || near != 1000 {
		t.Errorf("%d fit, %d open, %d near", fits, open, near)
	}
	if got := j.Fits(3); !slices.Equal(got, []int64{2999, 2995, 2993}) { // two parts each, the highest id first
		t.Errorf("the first are %v", got)
	}
	for id := range int64(2990) { // gives the rows back
		pool.Remove(id + 1)
	}
	j = pool.Judge(criteria.Facts{"employees": known(criteria.Number(12))}, at)
	if fits, _, near, _ := j.Count(); fits+near != 10 {
		t.Errorf("%d and %d of 10", fits, near)
	}
	if open := pool.Judge(criteria.Facts{}, at).Open(100); len(open) != 10 {
		t.Errorf("%d open without facts", len(open))
	}
}

func TestPoolIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	d := newDraw(3)
	var list []criteria.Condition
	for range 50 {
		list = append(list, d.parsed(t, 2))
	}
	facts, pool := d.company(), criteria.NewPool()
	var all sync.WaitGroup
	for w := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			r := rand.New(rand.NewPCG(uint64(w), 1)) // #nosec G404 -- a test that repeats
			for range 300 {
				if r.IntN(3) > 0 {
					pool.Put(int64(r.IntN(40)+1), list[r.IntN(len(list))])
				} else if got := pool.Judge(facts, time.Now()).Fits(10); slices.Contains(got, 0) {
					t.Error("an id that was never there")
				}
			}
		}()
	}
	all.Wait()
}
