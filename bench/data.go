package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/volume"
	"github.com/huiqi/huiqi/server"
)

// sizes are the data sets: how many tickets, and with them companies and applications. 100,000 applications are what the
// export figure takes out. Each has offered products beside those of the demo.
var sizes = map[string]struct{ tickets, enterprises, applications int }{
	"10k":  {10_000, 1_000, 10_000},
	"100k": {100_000, 10_000, 100_000},
	"1m":   {1_000_000, 100_000, 100_000},
	// 1m-services is the size of the service side: it has more applications than tickets.
	"1m-services": {10_000, 150_000, 1_000_000},
}

const offered = 20_000

// dataset is one loaded district, a copy of the cached one that the run may change.
type dataset struct {
	dir      string // the data directory
	database string // what --database takes; empty is SQLite in dir
	drop     func()
}

// cached is where the data set of a size lies, by the schema and the loader that made it.
func cached(size, kind string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	var ids []string
	for _, m := range server.Migrations() {
		ids = append(ids, m.ID)
	}
	sum := sha256.Sum256([]byte(strings.Join(ids, " ")))
	return filepath.Join(base, "huiqi-bench", fmt.Sprintf("%s-%s-%x-v%d", size, kind, sum[:4], volume.Version)), nil
}

// prepare returns a copy of the data set, which is loaded first when there is none. It prints how long loading took.
func prepare(size, admin, work string) (*dataset, error) {
	if admin != "" {
		return preparePostgres(size, admin, work)
	}
	home, err := cached(size, "sqlite")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(home); errors.Is(err, os.ErrNotExist) {
		if err := build(size, home, ""); err != nil {
			return nil, err
		}
	}
	d := &dataset{dir: filepath.Join(work, "data"), drop: func() {}}
	// #nosec G204 G702 -- copies a folder of our own
	return d, exec.Command("cp", "-a", "--reflink=auto", home, d.dir).Run()
}

// build loads a data set beside its place and moves it there when it is whole.
func build(size, home, database string) error {
	if err := os.MkdirAll(filepath.Dir(home), 0o750); err != nil {
		return err
	}
	half := home + ".half"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	n := sizes[size]
	args := []string{"seed", "--data", half, "--enterprises", fmt.Sprint(n.enterprises), "--tickets", fmt.Sprint(n.tickets), "--applications", fmt.Sprint(n.applications), "--products", fmt.Sprint(offered)}
	if database != "" {
		args = append(args, "--database", database)
	}
	fmt.Fprintf(os.Stderr, "loading %d tickets\n", n.tickets)
	// #nosec G204 -- runs the built program
	cmd := exec.Command("bin/huiqi", args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("load the data set: %w", err)
	}
	kind := ""
	if database != "" {
		kind = "postgres"
	}
	emit(figure{Bench: "seed", Size: size, Value: time.Since(began).Seconds(), Unit: "s to load " + fmt.Sprint(n.tickets) + " tickets and the demo", Database: kind})
	return os.Rename(half, home)
}

// preparePostgres keeps the data set as a database of the server, and gives the run a copy made from it as template.
func preparePostgres(size, admin, work string) (*dataset, error) {
	home, err := cached(size, "postgres")
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(admin)
	if err != nil {
		return nil, errors.New("DATABASE is no postgres:// address")
	}
	named := func(name string) string {
		v := *u
		v.Path = "/" + name
		return v.String()
	}
	name := "bench_" + strings.NewReplacer("-", "_").Replace(filepath.Base(home))
	db, err := sql.Open("pgx", admin)
	if err != nil {
		return nil, err
	}
	var there int
	if err := db.QueryRow("SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&there); err != nil {
		return nil, err
	}
	_, err = os.Stat(home)
	if there == 0 || err != nil {
		for _, s := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name} {
			if _, err := db.Exec(s); err != nil {
				return nil, err
			}
		}
		if err := os.RemoveAll(home); err != nil {
			return nil, err
		}
		if err := build(size, home, named(name)); err != nil {
			return nil, err
		}
	}
	run := name + "_run"
	for _, s := range []string{"DROP DATABASE IF EXISTS " + run, "CREATE DATABASE " + run + " TEMPLATE " + name} {
		if _, err := db.Exec(s); err != nil {
			return nil, err
		}
	}
	d := &dataset{dir: filepath.Join(work, "data"), database: named(run), drop: func() {
		_, _ = db.Exec("DROP DATABASE IF EXISTS " + run + " WITH (FORCE)")
		_ = db.Close()
	}}
	// #nosec G204 G702 -- copies a folder of our own
	return d, exec.Command("cp", "-a", home, d.dir).Run()
}

// people opens the data set's database and signs n owners of companies and one agent in, by writing their sessions: what
// signing in would have left. It also returns the tickets that each owner sees, and some of the district.
func (d *dataset) people(ctx context.Context, n int) (p people, err error) {
	raw, err := os.ReadFile(filepath.Join(d.dir, "demo.json"))
	if err != nil {
		return p, err
	}
	var demo struct{ Key string }
	if err := json.Unmarshal(raw, &demo); err != nil {
		return p, err
	}
	root, err := secret.ParseKey(demo.Key)
	if err != nil {
		return p, err
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		return p, err
	}
	db, err := d.open()
	if err != nil {
		return p, err
	}
	defer db.Close()
	ids := func(query string) (list []int64, err error) {
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return nil, err
			}
			list = append(list, id)
		}
		return list, rows.Err()
	}
	owners, err := ids(fmt.Sprintf("SELECT u.id FROM users u JOIN enterprises e ON e.id = u.enterprise_id WHERE u.party = 'enterprise' AND e.verification = 'verified' AND EXISTS (SELECT 1 FROM tickets t WHERE t.user_id = u.id) ORDER BY u.id LIMIT %d", n))
	if err != nil {
		return p, err
	}
	if len(owners) < n {
		return p, fmt.Errorf("the data set has %d owners with tickets, %d are needed", len(owners), n)
	}
	staff, err := ids("SELECT id FROM users WHERE account IN ('agent', 'operator01') ORDER BY account")
	if err != nil || len(staff) != 2 {
		return p, fmt.Errorf("the agent and the operator of the demo are not there: %w", err)
	}
	for _, id := range owners {
		s, err := signIn(ctx, db, d.database != "", box, id)
		if err != nil {
			return p, err
		}
		p.owners = append(p.owners, s)
		own, err := ids(fmt.Sprintf("SELECT id FROM tickets WHERE user_id = %d ORDER BY id DESC LIMIT 20", id))
		if err != nil {
			return p, err
		}
		p.own = append(p.own, own)
	}
	for i, id := range staff {
		s, err := signIn(ctx, db, d.database != "", box, id)
		if err != nil {
			return p, err
		}
		if i == 0 {
			p.agent = s
		} else {
			p.operator = s
		}
	}
	if p.tickets, err = ids("SELECT id FROM tickets WHERE id % 7 = 3 ORDER BY id DESC LIMIT 20000"); err != nil {
		return p, err
	}
	if p.fresh, err = ids("SELECT id FROM tickets WHERE status = 'received' AND version = 1 AND secrecy = 0 ORDER BY id DESC LIMIT 4000"); err != nil {
		return p, err
	}
	for _, id := range owners {
		free, err := ids(fmt.Sprintf(`SELECT p.id FROM products p WHERE p.shown > 0 AND p.institution_active AND p.expires_at IS NULL AND NOT EXISTS (SELECT 1 FROM applications a
			JOIN users u ON u.enterprise_id = a.enterprise_id WHERE u.id = %d AND a.product_id = p.id AND a.closed_at IS NULL) ORDER BY p.id LIMIT 3`, id))
		if err != nil || len(free) == 0 {
			return p, fmt.Errorf("no product is free for owner %d: %w", id, err)
		}
		p.free = append(p.free, free)
	}
	// What lends half a million for a year, but for what each owner's company has asked for already.
	loans, err := ids(`SELECT p.id FROM products p JOIN product_editions e ON e.product_id = p.id AND e.number = p.shown WHERE p.institution_active AND p.expires_at IS NULL
		AND p.kind = 'financing' AND e.amount_min <= 50000000 AND e.amount_max >= 50000000 AND e.term_min <= 12 AND e.term_max >= 12 ORDER BY p.id`)
	if err != nil {
		return p, err
	}
	for _, id := range owners {
		open, err := ids(fmt.Sprintf("SELECT a.product_id FROM applications a JOIN users u ON u.enterprise_id = a.enterprise_id WHERE u.id = %d", id))
		if err != nil {
			return p, err
		}
		p.loans = append(p.loans, slices.DeleteFunc(slices.Clone(loans), func(id int64) bool { return slices.Contains(open, id) }))
	}
	return p, nil
}

// people are who the loads act as.
type people struct {
	owners          []session
	own             [][]int64 // the tickets of each owner
	agent, operator session
	tickets         []int64   // of the district
	fresh           []int64   // of the district, not yet answered, at their first version
	free            [][]int64 // products for which each owner's company has no open application
	loans           [][]int64 // products that lend, for which each owner's company has never applied
}

func (d *dataset) open() (*sql.DB, error) {
	if d.database != "" {
		return sql.Open("pgx", d.database)
	}
	return sql.Open("sqlite", "file:"+filepath.Join(d.dir, "huiqi.db")+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_time_format=sqlite")
}

const visitor = "__Host-huiqi-visitor=0123456789abcdef0123456789abcdef"

func signIn(ctx context.Context, db *sql.DB, postgres bool, box *secret.Box, user int64) (session, error) {
	token := secret.Token()
	now := time.Now().UTC()
	query := "INSERT INTO sessions (token_hash, user_id, pending, ip, user_agent, created_at, seen_at, expires_at) VALUES (?, ?, ?, '127.0.0.1', 'bench', ?, ?, ?)"
	if postgres {
		for i := 1; strings.Contains(query, "?"); i++ {
			query = strings.Replace(query, "?", fmt.Sprintf("$%d", i), 1)
		}
	}
	_, err := db.ExecContext(ctx, query, box.HashToken(token), user, false, now, now, now.Add(12*time.Hour))
	return session{Cookie: visitor + "; __Host-huiqi=" + token}, err
}
