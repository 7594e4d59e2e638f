package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/huiqi/huiqi/platform/criteria"
)

// matches are the figures of matching, which need no server: one policy against 150,000 companies, one company against
// 10,000 policies, and 300 against 150,000. Each policy of a figure is another one, so that nothing is asked twice; ours
// answers three-valued with the near set, counts every set and takes the first hundred of those that fit; the others only
// find which fit (expr), or count the three (SQL). Whether the sides agree is checked for every policy.
var matches = []struct {
	name string
	run  func(*matchBench) error
}{
	{"match_categorical", func(b *matchBench) error { return b.againstExpr("match_categorical", false) }},
	{"match_ranges", func(b *matchBench) error { return b.againstExpr("match_ranges", true) }},
	{"match_sql", (*matchBench).againstSQL},
	{"match_company", (*matchBench).company},
	{"recommend_company", (*matchBench).recommend},
	{"match_matrix", (*matchBench).matrix},
}

// runMatches measures the figures of matching that are wanted.
func runMatches(work string) error {
	var b *matchBench
	for _, f := range matches {
		if !wanted(f.name) {
			continue
		}
		if b == nil {
			var err error
			if b, err = newMatchBench(work); err != nil {
				return err
			}
		}
		if err := f.run(b); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

type matchBench struct {
	*market
	work string
	cols *criteria.Columns
	maps []map[string]any // of expr, on first use
}

func newMatchBench(work string) (*matchBench, error) {
	m, err := newMarket()
	if err != nil {
		return nil, err
	}
	b := &matchBench{market: m, work: work}
	before := heap()
	began := time.Now()
	b.cols = criteria.NewColumns(m.schema)
	b.cols.Fill(func(yield func(int64, criteria.Facts) bool) {
		for i := range m.firms {
			if !yield(int64(i), m.firms[i].facts) {
				return
			}
		}
	})
	emit(figure{Bench: "match_build", Size: "150k", Value: time.Since(began).Seconds(), Unit: "s", Note: fmt.Sprintf("%.1f MB of columns, %.1f MB of heap", mb(b.cols.Bytes()), mb(heap()-before))})
	return b, nil
}

func mb(n int) float64 { return float64(n) / 1e6 }

// heap is what is alive.
func heap() int {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int(s.HeapAlloc) // #nosec G115 -- less than that
}

// ask is our side: the sets, their counts and the first who fit.
func (b *matchBench) ask(p matchPolicy) found {
	s := b.cols.Evaluate(p.condition, b.day)
	s.Page(criteria.Eligible, 0, 100)
	return found{fit: s.Count(criteria.Eligible), open: s.Count(criteria.Undecided) + s.Count(criteria.NeedsHuman), no: s.Count(criteria.Near) + s.Count(criteria.NotEligible)}
}

// prepared gives expr its maps, whose building is not measured.
func (b *matchBench) prepared() []map[string]any {
	if b.maps == nil {
		for i := range b.firms {
			b.maps = append(b.maps, b.exprMap(&b.firms[i]))
		}
	}
	return b.maps
}

func (b *matchBench) exprMap(f *firm) map[string]any {
	m := map[string]any{
		"region": f.region, "industry": f.industry, "division": f.industry[:2], "section": f.section, "size": f.size, "employees": int(f.employees), "revenue": int(f.revenue),
		"hasRegion": f.hasRegion, "hasIndustry": f.hasIndustry, "hasSize": f.hasSize, "hasEmployees": f.hasEmployees, "hasRevenue": f.hasRevenue, "hasTitles": f.hasTitles, "hasC": f.hasC,
	}
	for i, code := range b.titles {
		m["t_"+code] = f.titles>>i&1 == 1
	}
	for i, code := range lists {
		m["l_"+code] = f.listed>>i&1 == 1
	}
	return m
}

func (b *matchBench) compile(p matchPolicy) (*vm.Program, error) {
	return expr.Compile(p.expr, expr.Env(b.exprMap(&b.firms[0])), expr.AsBool())
}

// matchRounds is how many policies a figure takes, ours and the other side in turn.
const matchRounds = 40

func (b *matchBench) againstExpr(name string, ranges bool) error {
	policies, err := b.policies(matchRounds, ranges)
	if err != nil {
		return err
	}
	maps := b.prepared()
	programs := make([]*vm.Program, len(policies))
	for i, p := range policies {
		if programs[i], err = b.compile(p); err != nil {
			return err
		}
	}
	var machine vm.VM
	ours, theirs, err := b.inTurn(policies, func(i int) (found, error) {
		n := 0
		for _, m := range maps {
			yes, err := machine.Run(programs[i], m)
			if err != nil {
				return found{}, err
			}
			if yes == true {
				n++
			}
		}
		return found{fit: n, only: true}, nil
	})
	if err != nil {
		return err
	}
	told(name, ours, theirs, "ms a policy; floor is expr-lang/expr 1.17.8, compiled, over maps that were there")
	return nil
}

// found is how many companies fit, are open and do not fit; only the first of one who says no more.
type found struct {
	fit, open, no int
	only          bool
}

func (f found) agrees(ours found) bool {
	return f.fit == ours.fit && (f.only || f.open == ours.open && f.no == ours.no)
}

// inTurn measures the policies one after another by us, then by the rival, and holds the answers against each other. Neither
// side finds its memory as the other left it: on a machine whose cache others use too, 1 MB that was not touched for 300 ms
// was read in 2 ms instead of 6 µs.
func (b *matchBench) inTurn(policies []matchPolicy, rival func(i int) (found, error)) (ours, theirs []took, err error) {
	answers := make([]found, len(policies))
	for i, p := range policies {
		us, _ := timed(func() error { answers[i] = b.ask(p); return nil })
		ours = append(ours, us)
	}
	for i, p := range policies {
		var f found
		them, err := timed(func() (err error) { f, err = rival(i); return err })
		if err != nil {
			return nil, nil, err
		}
		if !f.agrees(answers[i]) {
			return nil, nil, fmt.Errorf("the other side finds %+v, we %+v: %s", f, answers[i], p.json)
		}
		theirs = append(theirs, them)
	}
	return ours, theirs, nil
}

// took is what an evaluation cost.
type took struct{ wall, cpu float64 } // ms

// timed measures wall and processor time of f; on a machine that others use only the second can be compared.
func timed(f func() error) (took, error) {
	cpu, began := processor(), time.Now()
	err := f()
	return took{float64(time.Since(began).Nanoseconds()) / 1e6, processor() - cpu}, err
}

// processor is the processor time of this process in ms.
func processor() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with these arguments
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

// told prints the median of the wall times, and the mean processor times, whose ratio it is that counts.
func told(name string, ours, theirs []took, unit string) {
	wall, cpu := summed(ours)
	f := figure{Bench: name, Size: "150k", Unit: unit, Value: median(wall), CPU: 1000 * cpu} // sorts wall
	f.P95 = wall[len(wall)*95/100]
	if theirs != nil {
		wall, least := summed(theirs)
		floor, ratio := median(wall), least/cpu
		f.Floor, f.FloorCPU, f.Ratio = &floor, 1000*least, &ratio
		f.Note = "ratio of the processor times, floor ÷ ours"
	}
	emit(f)
}

func summed(list []took) (wall []float64, cpu float64) {
	for _, t := range list {
		wall, cpu = append(wall, t.wall), cpu+t.cpu/float64(len(list))
	}
	return wall, cpu
}

// againstSQL has SQLite scan one flat table in memory that has a column for each thing asked: NULL is unknown there, and
// its three values are ours.
func (b *matchBench) againstSQL() error {
	policies, err := b.policies(matchRounds/4, true)
	if err != nil {
		return err
	}
	db, err := b.table()
	if err != nil {
		return err
	}
	defer db.Close()
	ours, theirs, err := b.inTurn(policies, func(i int) (f found, err error) {
		// #nosec G202 -- of drawn codes and numbers
		row := db.QueryRow("SELECT count(*) FILTER (WHERE x), count(*) FILTER (WHERE NOT x), count(*) FILTER (WHERE x IS NULL) FROM (SELECT " + policies[i].sql + " AS x FROM firms)")
		err = row.Scan(&f.fit, &f.no, &f.open)
		return f, err
	})
	if err != nil {
		return err
	}
	told("match_sql", ours, theirs, "ms a policy; floor is a scan of one flat table by SQLite")
	var cold []took
	for _, p := range policies {
		time.Sleep(300 * time.Millisecond)
		us, _ := timed(func() error { b.ask(p); return nil })
		cold = append(cold, us)
	}
	told("match_cold", cold, nil, "ms a policy when nothing was asked for 300 ms")
	return nil
}

func (b *matchBench) table() (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.work, "firms.db")+"?_pragma=journal_mode(OFF)&_pragma=cache_size(-200000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	columns := []string{"region", "division", "section", "size", "employees", "revenue"}
	for _, code := range b.titles {
		columns = append(columns, "t_"+code)
	}
	for _, code := range lists {
		columns = append(columns, "l_"+code)
	}
	tx, err := db.Begin()
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec("CREATE TABLE firms (" + strings.Join(columns, ", ") + ")"); err != nil { // #nosec G202 -- our own names
		return nil, err
	}
	insert, err := tx.Prepare("INSERT INTO firms VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")") // #nosec G202 -- marks
	if err != nil {
		return nil, err
	}
	or := func(known bool, v any) any {
		if known {
			return v
		}
		return nil
	}
	for i := range b.firms {
		f := &b.firms[i]
		row := []any{or(f.hasRegion, f.region), or(f.hasIndustry, f.industry[:2]), or(f.hasIndustry, f.section), or(f.hasSize, f.size), or(f.hasEmployees, f.employees), or(f.hasRevenue, f.revenue)}
		for i := range b.titles {
			row = append(row, or(f.hasTitles, f.titles>>i&1))
		}
		for i := range lists {
			row = append(row, or(f.hasC, f.listed>>i&1))
		}
		if _, err := insert.Exec(row...); err != nil {
			return nil, err
		}
	}
	return db, errors.Join(insert.Close(), tx.Commit())
}

// company holds one company against 10,000 policies: ours row by row, with every reason in words, beside compiled
// expressions, which say only whether.
func (b *matchBench) company() error {
	policies, err := b.policies(10_000, true)
	if err != nil {
		return err
	}
	programs := make([]*vm.Program, len(policies))
	for i, p := range policies {
		if programs[i], err = b.compile(p); err != nil {
			return err
		}
	}
	var ours, theirs []took
	var machine vm.VM
	for round := range 7 {
		f := &b.firms[round]
		fit, n := 0, 0
		us, _ := timed(func() error {
			for _, p := range policies {
				if p.condition.Evaluate(f.facts, b.day).Decision == criteria.Eligible {
					fit++
				}
			}
			return nil
		})
		m := b.exprMap(f)
		them, err := timed(func() error {
			for _, p := range programs {
				yes, err := machine.Run(p, m)
				if err != nil {
					return err
				}
				if yes == true {
					n++
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		ours, theirs = append(ours, us), append(theirs, them)
		if fit != n {
			return fmt.Errorf("expr finds %d, we %d of company %d", n, fit, round)
		}
	}
	told("match_company", ours, theirs, "ms for one company and 10,000 policies with every reason in words; floor is expr, which says only whether")
	return nil
}

// matrix holds 300 policies against 150,000 companies.
func (b *matchBench) matrix() error {
	policies, err := b.policies(300, true)
	if err != nil {
		return err
	}
	var all []took
	fit := 0
	for range 3 {
		fit = 0
		t, _ := timed(func() error {
			for _, p := range policies {
				fit += b.ask(p).fit
			}
			return nil
		})
		all = append(all, t)
	}
	wall, cpu := summed(all)
	emit(figure{Bench: "match_matrix", Size: "300 × 150k", Value: median(wall) / 1000, Unit: "s on one core", CPU: 1000 * cpu, Note: fmt.Sprintf("%d pairs fit; %.1f MB of columns", fit, mb(b.cols.Bytes()))})
	return nil
}

func isMatch(name string) bool {
	for _, f := range matches {
		if f.name == name {
			return true
		}
	}
	return false
}

// onlyMatches reports whether ONLY names nothing else.
func onlyMatches() bool {
	for _, b := range benches {
		if wanted(b.name) {
			return false
		}
	}
	return os.Getenv("ONLY") != ""
}
