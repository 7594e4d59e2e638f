package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/huiqi/huiqi/bench/floor"
	"github.com/huiqi/huiqi/platform/criteria"
)

// recommendProducts is how many products one company is recommended from.
const recommendProducts = 20_000

// suitClauses are the clauses that products ask for: each product draws a few of them, so that many ask for the same.
func (b *matchBench) suitClauses() []string {
	var list []string
	add := func(field, op string, value any, unit string) {
		c := map[string]any{"field": field, "op": op, "value": value}
		if unit != "" {
			c["unit"] = unit
		}
		text, _ := json.Marshal(c)
		list = append(list, string(text))
	}
	for range 120 {
		add("industry", "under", drawn(b.market, b.divisions, 1+b.IntN(4)), "")
	}
	for range 40 {
		add("region", "under", drawn(b.market, b.streets, 1+b.IntN(6)), "")
	}
	for range 60 {
		add("qualification", "has", drawn(b.market, b.titles, 1+b.IntN(3)), "")
	}
	for n := 1; n <= 10; n++ {
		add("established", "years_since_gte", n, "")
	}
	for n := 5; n <= 300; n += 5 {
		add("employees", "gte", n, "人")
		add("revenue", "gte", n*20, "万元")
	}
	return list
}

// recommend has one company meet 20,000 products: ours judges each different clause by what is known of the company, and finds
// those that suit, those one step away and those that are open, with the best of each; the floor is the bare scan of bitmaps
// that are ready, by an answer to each clause that is ready. Both must find as many.
func (b *matchBench) recommend() error {
	clauses := b.suitClauses()
	single := make([]criteria.Condition, len(clauses))
	bitmaps := make([][]uint64, len(clauses))
	for i, c := range clauses {
		var err error
		if single[i], err = criteria.Parse([]byte(c), b.schema); err != nil {
			return err
		}
		bitmaps[i] = make([]uint64, (recommendProducts+63)/64)
	}
	pool, all := criteria.NewPool(), make([]uint64, (recommendProducts+63)/64)
	for row := range recommendProducts {
		var asked []json.RawMessage
		for range 2 + b.IntN(4) {
			i := b.IntN(len(clauses))
			asked = append(asked, json.RawMessage(clauses[i]))
			bitmaps[i][row>>6] |= 1 << (row & 63)
		}
		text, err := json.Marshal(map[string]any{"all": asked})
		if err != nil {
			return err
		}
		c, err := criteria.Parse(text, b.schema)
		if err != nil {
			return err
		}
		pool.Put(int64(row+1), c)
		all[row>>6] |= 1 << (row & 63)
	}
	runtime.GC() // what the drawing left
	// One side after the other, for what inTurn says.
	const rounds = 400
	var ours, least []took
	var fits [rounds]int
	for round := range rounds {
		us, _ := timed(func() error {
			j := pool.Judge(b.firms[round].facts, b.day)
			fits[round], _, _, _ = j.Count()
			j.Fits(60)
			j.Near(60)
			j.Open(60)
			return nil
		})
		ours = append(ours, us)
	}
	var holds [rounds][]bool
	for round := range rounds {
		for _, c := range single {
			holds[round] = append(holds[round], c.Evaluate(b.firms[round].facts, b.day).Decision == criteria.Eligible)
		}
	}
	for round := range rounds {
		n := 0
		them, _ := timed(func() error { n = floor.Scan(all, bitmaps, holds[round]); return nil })
		if fits[round] != n {
			return fmt.Errorf("the scan finds %d, we %d for company %d", n, fits[round], round)
		}
		least = append(least, them)
	}
	_, parts := pool.Len()
	wall, cpu := summed(ours)
	bareWall, bareCPU := summed(least)
	f := figure{Bench: "recommend_company", Size: "20k", Value: median(wall), P95: wall[len(wall)*95/100], CPU: 1000 * cpu, FloorCPU: 1000 * bareCPU,
		Unit: fmt.Sprintf("ms for one company over %d products of %d different clauses, with the best of those that suit, nearly suit and may suit", recommendProducts, parts)}
	bare := median(bareWall)
	times := f.Value / bare
	f.Floor, f.Ratio, f.Note = &bare, &times, "ratio of times, ours ÷ bare scan of ready bitmaps: at most 5"
	emit(f)
	return nil
}
