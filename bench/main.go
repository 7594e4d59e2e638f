// Command bench measures the built program on a district of SIZE tickets beside the floor, and prints one JSON line a figure:
// `make bench`, ONLY=name,name for some of them, SIZE=10k|100k|1m|1m-services, DATABASE=postgres://… for PostgreSQL, SPAN=5s for how long
// one measurement takes. The figures of
// matching (match_…) and import_companies need no district and run first.
//
// Server, floor and load are three processes on one machine. Ours and the floor take turns (A B A B) and the median counts:
// read the ratios (ours ÷ floor), not the absolute numbers. The data sets are loaded once and kept in the user's cache folder.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/huiqi/huiqi/bench/floor"
)

type figure struct {
	Bench    string   `json:"bench"`
	Size     string   `json:"size"`
	Value    float64  `json:"value"`
	Unit     string   `json:"unit"`
	Floor    *float64 `json:"floor,omitempty"`
	Ratio    *float64 `json:"ratio,omitempty"`
	Database string   `json:"database,omitempty"` // empty is SQLite
	P50      float64  `json:"p50Milliseconds,omitempty"`
	P95      float64  `json:"p95Milliseconds,omitempty"`
	P99      float64  `json:"p99Milliseconds,omitempty"`
	Errors   int      `json:"errors,omitempty"`
	// CPU and FloorCPU are the processor time of a request, which others on the machine disturb least.
	CPU      float64 `json:"cpuMicroseconds,omitempty"`
	FloorCPU float64 `json:"floorCPUMicroseconds,omitempty"`
	Note     string  `json:"note,omitempty"`
}

// bench is one figure, or a few that are measured together.
type bench struct {
	name string
	run  func(ctx context.Context, e *env) error
}

// benches are all figures, in the order in which they run: what reads before what writes.
var benches = []bench{
	{"http_ticket_list", ticketList},
	{"http_ticket_open", ticketOpen},
	{"search_tickets", searchTickets},
	{"desk_queue", deskPage("desk_queue", "/api/tickets?waiting=true&sort=due")},
	{"desk_filter", deskPage("desk_filter", "/api/tickets?status=dispatched,signed&urgency=urgent&alert=overdue")},
	{"desk_search", deskPage("desk_search", "/api/tickets?q="+url.QueryEscape("停车"))},
	{"desk_open", deskOpen},
	{"desk_same_query", deskSameQuery},
	{"portal.home", page("portal.home", "/")},
	{"portal.products", page("portal.products", "/products")},
	{"product_search", productSearch},
	{"http_ticket_create", ticketCreate},
	{"application_submit", applicationSubmit},
	{"desk_transition", deskTransition},
	{"clocks_due", clocksDue},
	{"export_xlsx_100k", exportXLSX},
	{"mix_500", mix},
	{"mix_500_services", mixServices},
	{"job_start", jobStart},
	{"start", start},
}

// env is what a figure runs in.
type env struct {
	size     string
	span     time.Duration
	database string // "" or "postgres", for the line
	data     *dataset
	people   people
	ours     *process
	floor    *process
	numbers  int64 // given out to bodies so far
}

func main() {
	err := errors.New("unknown command")
	switch {
	case len(os.Args) < 2:
		err = run()
	case os.Args[1] == "client":
		err = clientProcess()
	case floors[os.Args[1]] != nil:
		err = floorProcess(os.Args[1], os.Args[2], os.Args[3])
	case os.Args[1] == "excelize":
		err = excelizeProcess(os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// floors are the commands that serve a floor over what they are given.
var floors = map[string]func(ctx context.Context, l net.Listener, target string) error{
	"floor":          floor.Serve,
	"floor-search":   floor.ServeSearch,
	"floor-desk":     floor.ServeDesk,
	"floor-products": floor.ServeProducts,
}

// floorProcess serves a floor at addr until it is told to end.
func floorProcess(command, addr, target string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return floors[command](ctx, l, target)
}

func run() error {
	ctx := context.Background()
	e := &env{size: "100k", span: 5 * time.Second}
	if s := os.Getenv("SIZE"); s != "" {
		e.size = s
	}
	if _, ok := sizes[e.size]; !ok {
		return errors.New("SIZE is 10k, 100k, 1m or 1m-services")
	}
	if s := os.Getenv("SPAN"); s != "" {
		var err error
		if e.span, err = time.ParseDuration(s); err != nil {
			return errors.New("SPAN is a duration, as 5s")
		}
	}
	var missing []string
	for _, name := range strings.FieldsFunc(os.Getenv("ONLY"), func(r rune) bool { return r == ',' }) {
		if !slices.ContainsFunc(benches, func(b bench) bool { return b.name == name }) && !isMatch(name) && name != importName {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return fmt.Errorf("ONLY names no figure: %s", strings.Join(missing, ", "))
	}
	work, err := os.MkdirTemp(os.Getenv("BENCH_WORK"), "huiqi-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := runImport(ctx, work); err != nil {
		return err
	}
	if err := runMatches(work); err != nil || onlyMatches() {
		return err
	}
	admin := os.Getenv("DATABASE")
	if admin != "" {
		e.database = "postgres"
	}
	if e.data, err = prepare(e.size, admin, work); err != nil {
		return err
	}
	defer e.data.drop()
	if e.people, err = e.data.people(ctx, 500); err != nil {
		return err
	}
	target := filepath.Join(e.data.dir, "huiqi.db")
	if admin != "" {
		target = e.data.database
	}
	if target, err = floor.Build(ctx, target, work); err != nil {
		return err
	}
	if e.floor, err = startFloor(target); err != nil {
		return err
	}
	defer e.floor.stop()
	if e.ours, err = startOurs(e.data); err != nil {
		return err
	}
	defer func() { e.ours.stop() }()
	if err := e.tokens(); err != nil {
		return err
	}
	for _, b := range benches {
		if !wanted(b.name) {
			continue
		}
		e.ours.settle(b.name, e.database != "")
		if err := b.run(ctx, e); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return nil
}

func wanted(name string) bool {
	only := os.Getenv("ONLY")
	return only == "" || slices.Contains(strings.Split(only, ","), name)
}

func emit(f figure) { _ = json.NewEncoder(os.Stdout).Encode(f) }

// figure begins a line.
func (e *env) figure(name, unit string) figure {
	return figure{Bench: name, Size: e.size, Unit: unit, Database: e.database}
}

// against measures two loads in turn, twice each, and prints the medians.
func (e *env) against(name string, ours, least plan) error {
	var a, b []float64
	f := e.figure(name, "requests/s")
	for range 2 {
		for _, side := range []struct {
			plan
			into *[]float64
			base *process
		}{{ours, &a, e.ours}, {least, &b, e.floor}} {
			p := side.plan
			if p.renew != nil {
				p.renew(&p)
			}
			p.Addr, p.Span, p.Warm, p.First = side.base.addr, e.span, time.Second, e.numbers
			before := side.base.cpu()
			r, err := send(p)
			if err != nil {
				return err
			}
			used := (side.base.cpu() - before) / float64(r.Requests)
			if r.Errors > 0 {
				return fmt.Errorf("%d failed requests; the first: %s", r.Errors, r.Failure)
			}
			e.numbers = r.Last
			*side.into = append(*side.into, r.PerSecond)
			if side.base == e.ours {
				f.P50, f.P95, f.P99, f.CPU = r.P50, r.P95, r.P99, used
			} else {
				f.FloorCPU = used
			}
		}
	}
	least1 := median(b)
	f.Value = median(a)
	ratio := f.Value / least1
	f.Floor, f.Ratio = &least1, &ratio
	emit(f)
	return nil
}

func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
