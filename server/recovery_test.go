//go:build !race && unix

package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/huiqi/huiqi/platform/clock"
)

// postgres is a machine with PostgreSQL: servers of its own in a folder of its own, run by an ordinary account.
type postgres struct {
	t   *testing.T
	dir string
	bin string
	as  *syscall.Credential // nil when the tests do not run as root
}

func newPostgres(t *testing.T) *postgres {
	t.Helper()
	if os.Getenv("TEST_DATABASE_URL") == "" {
		t.Skip("run with PostgreSQL")
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		t.Skip("the programs of PostgreSQL are not installed")
	}
	slices.Sort(found)
	dir, err := os.MkdirTemp("", "huiqi-postgres-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &postgres{t: t, dir: dir, bin: found[len(found)-1]}
	if os.Getuid() == 0 { // PostgreSQL refuses root
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(fragileProgram(t)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// run runs a program as the account and returns what it said.
func (p *postgres) run(program string, args ...string) (string, error) {
	p.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = p.dir
	if p.as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	}
	// pg_ctl leaves a server behind that would hold a pipe open.
	log, err := os.CreateTemp(p.t.TempDir(), "said")
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	said, _ := os.ReadFile(log.Name())
	return string(said), err
}

func (p *postgres) must(program string, args ...string) string {
	p.t.Helper()
	said, err := p.run(program, args...)
	if err != nil {
		p.t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, said)
	}
	return said
}

func (p *postgres) tool(name string, args ...string) string {
	p.t.Helper()
	return p.must(filepath.Join(p.bin, name), args...)
}

// start starts the server in data and returns its address.
func (p *postgres) start(data string, settings ...string) string {
	p.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories=%s -c fsync=off", port, p.dir)
	for _, s := range settings {
		options += " -c " + s
	}
	log := filepath.Join(p.dir, filepath.Base(data)+".log")
	said, err := p.run(filepath.Join(p.bin, "pg_ctl"), "-D", data, "-w", "-t", "120", "-l", log, "-o", options, "start")
	if err != nil {
		b, _ := os.ReadFile(log)
		p.t.Fatalf("start: %v\n%s\n%s", err, said, b)
	}
	p.t.Cleanup(func() { p.stop(data) })
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
}

func (p *postgres) stop(data string) {
	_, _ = p.run(filepath.Join(p.bin, "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
}

func (p *postgres) open(address string) *sql.DB {
	p.t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { db.Close() })
	return db
}

var _ = stdlib.GetDefaultDriver // names the driver "pgx"

func (p *postgres) exec(db *sql.DB, query string, args ...any) {
	p.t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
}

// until asks the question again and again, up to a minute, until the answer is true.
func (p *postgres) until(db *sql.DB, question string, args ...any) {
	p.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var yes bool
		err := db.QueryRow(question, args...).Scan(&yes)
		if err == nil && yes {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: %v, %v", question, yes, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// give makes what is at path and below the account's own.
func (p *postgres) give(path string) {
	p.t.Helper()
	if p.as == nil {
		return
	}
	must(0, filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(p.as.Uid), int(p.as.Gid)))
	}))(p.t)
}

// drop removes the databases whose name is like the pattern.
func (p *postgres) drop(server *sql.DB, pattern string) {
	p.t.Helper()
	rows := must(server.Query("SELECT datname FROM pg_database WHERE datname LIKE $1", pattern))(p.t)
	var names []string
	for rows.Next() {
		var name string
		must(0, rows.Scan(&name))(p.t)
		names = append(names, name)
	}
	must(0, errors.Join(rows.Err(), rows.Close()))(p.t)
	for _, name := range names {
		p.exec(server, "DROP DATABASE "+name+" WITH (FORCE)")
	}
}

func (p *postgres) notes(db *sql.DB) (list []string) {
	p.t.Helper()
	rows, err := db.Query("SELECT name FROM drill ORDER BY name")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			p.t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// TestRecoveredToAMoment goes the way of docs/operations/backup.md: log archived encrypted, a base backup, rows A, a moment,
// rows B, the server lost; recovered to the moment A is there and B is not, and to the end of the log both are.
func TestRecoveredToAMoment(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	huiqi := fragileProgram(t)
	identity := filepath.Join(p.dir, "identity.txt")
	said := p.must(huiqi, "backup", "keygen", "--out", identity)
	recipient := said[strings.Index(said, "age1"):]
	recipient = strings.TrimSpace(recipient)
	first, archive, target := filepath.Join(p.dir, "first"), filepath.Join(p.dir, "wal"), filepath.Join(p.dir, "target")
	p.tool("initdb", "-D", first, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	address := p.start(first, "archive_mode=on", fmt.Sprintf(`archive_command="%s backup wal-archive --to %s --recipient %s %%p"`, huiqi, archive, recipient))
	p.must(huiqi, "migrate", "--data", filepath.Join(p.dir, "data"), "--database", address)
	config := filepath.Join(p.dir, "huiqi.yaml")
	if err := os.WriteFile(config, []byte("backup:\n  recipients: ["+recipient+"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	db := p.open(address)
	p.exec(db, "CREATE TABLE drill (name text PRIMARY KEY)")
	p.must(huiqi, "--config", config, "backup", "base", "--data", filepath.Join(p.dir, "data"), "--database", address, "--to", target)
	p.exec(db, "INSERT INTO drill VALUES ('A')")
	var moment time.Time
	if err := db.QueryRow("SELECT clock_timestamp()").Scan(&moment); err != nil {
		t.Fatal(err)
	}
	p.exec(db, "INSERT INTO drill VALUES ('B')")
	var last string
	if err := db.QueryRow("SELECT pg_walfile_name(pg_switch_wal())").Scan(&last); err != nil {
		t.Fatal(err)
	}
	p.until(db, "SELECT last_archived_wal >= $1 FROM pg_stat_archiver", last)
	p.stop(first) // as lost as it can be
	if err := os.Rename(first, first+".lost"); err != nil {
		t.Fatal(err)
	}
	bases, err := filepath.Glob(filepath.Join(target, "base-*"))
	if err != nil || len(bases) != 1 {
		t.Fatalf("%v %v", bases, err)
	}
	for name, c := range map[string]struct {
		until string
		want  []string
	}{
		"moment": {moment.In(clock.Beijing).Format("2006-01-02 15:04:05.000000"), []string{"A"}},
		"end":    {"", []string{"A", "B"}},
	} {
		data := filepath.Join(p.dir, name)
		args := []string{"backup", "recover", "--from", bases[0], "--pgdata", data, "--wal", archive, "--identity", identity}
		if c.until != "" {
			args = append(args, "--until", c.until)
		}
		p.must(huiqi, args...)
		recovered := p.open(p.start(data))
		p.until(recovered, "SELECT NOT pg_is_in_recovery()")
		if got := p.notes(recovered); !slices.Equal(got, c.want) {
			t.Errorf("recovered to the %s: %v, want %v", name, got, c.want)
		}
		var steps int
		if err := recovered.QueryRow("SELECT count(*) FROM schema_migrations").Scan(&steps); err != nil || steps != len(Migrations()) {
			t.Errorf("%d steps of the schema, %v", steps, err)
		}
		p.exec(recovered, "INSERT INTO drill VALUES ('C')") // open for writing
		if said, err := p.run(huiqi, args...); err == nil || !strings.Contains(said, "已有数据") {
			t.Errorf("recovered over a server: %v\n%s", err, said)
		}
	}
	// A damaged base backup is refused before anything is written.
	tar := filepath.Join(bases[0], "base.tar.age")
	b, err := os.ReadFile(tar)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(tar, b, 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := filepath.Join(p.dir, "nowhere")
	if said, err := p.run(huiqi, "backup", "recover", "--from", bases[0], "--pgdata", nowhere, "--wal", archive, "--identity", identity); err == nil || !strings.Contains(said, "已损坏") {
		t.Errorf("a damaged base backup: %v\n%s", err, said)
	}
	if _, err := os.Stat(nowhere); err == nil {
		t.Error("something was written")
	}
}

// TestStandbyTakesOver goes the way of docs/operations/backup.md: a standby follows, the primary is lost, the standby is
// promoted and has every acknowledged row.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	primary, standby := filepath.Join(p.dir, "primary"), filepath.Join(p.dir, "standby")
	p.tool("initdb", "-D", primary, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	address := p.start(primary)
	db := p.open(address)
	p.exec(db, "CREATE TABLE drill (name text PRIMARY KEY)")
	// -R writes the connection and standby.signal; the slot keeps the log until the standby has it.
	p.tool("pg_basebackup", "-d", address+"&application_name=standby", "-D", standby, "-R", "-C", "-S", "standby", "-X", "stream", "-c", "fast")
	follower := p.open(p.start(standby))
	p.until(db, "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
	p.exec(db, "ALTER SYSTEM SET synchronous_standby_names = 'standby'")
	p.exec(db, "SELECT pg_reload_conf()")
	p.until(db, "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
	for n := range 50 {
		p.exec(db, "INSERT INTO drill VALUES ($1)", fmt.Sprintf("%02d", n))
	}
	p.stop(primary)
	p.tool("pg_ctl", "-D", standby, "-w", "promote")
	p.until(follower, "SELECT NOT pg_is_in_recovery()")
	if got := p.notes(follower); len(got) != 50 {
		t.Fatalf("%d rows of 50 after the switch", len(got))
	}
	if _, err := follower.ExecContext(context.Background(), "INSERT INTO drill VALUES ('after')"); err != nil {
		t.Fatal(err)
	}
}

// TestServiceFollowsTheStandby: with both addresses in its configuration the service goes on with the standby by itself once that
// is promoted, and no ticket that was acknowledged is missing.
func TestServiceFollowsTheStandby(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	primary, standby := filepath.Join(p.dir, "primary"), filepath.Join(p.dir, "standby")
	p.tool("initdb", "-D", primary, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	first := p.start(primary)
	db := p.open(first)
	p.tool("pg_basebackup", "-d", first+"&application_name=standby", "-D", standby, "-R", "-C", "-S", "standby", "-X", "stream", "-c", "fast")
	second := p.start(standby)
	p.until(db, "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
	p.exec(db, "ALTER SYSTEM SET synchronous_standby_names = 'standby'")
	p.exec(db, "SELECT pg_reload_conf()")
	p.until(db, "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

	port := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u.Port()
	}
	k := unborn(t)
	k.dir, k.database = t.TempDir(), "postgres://postgres@/postgres?host=127.0.0.1,127.0.0.1&port="+port(second)+","+port(first)+"&sslmode=disable&target_session_attrs=read-write"
	k.start()
	defer func() { k.stop() }()
	owner := k.person("1")
	owner.register("13800138099")
	acknowledged := 0
	for n := range 20 {
		if _, ok := owner.submit(fmt.Sprintf("切换前 %02d", n)); ok {
			acknowledged++
		}
	}
	if acknowledged != 20 {
		t.Fatalf("%d of 20 tickets before the switch", acknowledged)
	}
	p.stop(primary)
	if _, ok := owner.submit("切换之间"); ok {
		t.Error("a ticket was acknowledged while there was no primary")
	}
	p.tool("pg_ctl", "-D", standby, "-w", "promote")
	back := false
	for range 300 {
		if _, back = owner.submit("切换之后"); back {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !back {
		t.Fatal("the service does not follow")
	}
	var kept int
	if err := k.open().QueryRow("SELECT count(*) FROM tickets WHERE title LIKE '切换前 %'").Scan(&kept); err != nil || kept != 20 {
		t.Errorf("%d of 20 acknowledged tickets are there, %v", kept, err)
	}
	for _, title := range []string{"切换之间", "切换之后"} {
		var n int
		if err := k.open().QueryRow("SELECT count(*) FROM tickets WHERE title = ?", title).Scan(&n); err != nil || n > 1 || title == "切换之后" && n != 1 {
			t.Errorf("%s: %d tickets, %v", title, n, err)
		}
	}
}

// TestSetOfPostgres: the district on PostgreSQL, backed up and restored by the two commands alone.
func TestSetOfPostgres(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	huiqi := fragileProgram(t)
	d := newDistrict(t)
	u := must(url.Parse(d.url))(t)
	name := strings.TrimPrefix(u.Path, "/")
	at := func(name string) string {
		other := *u
		other.Path = "/" + name
		return other.String()
	}
	server := p.open(os.Getenv("TEST_DATABASE_URL"))
	t.Cleanup(func() { p.drop(server, name+"_%") })
	data, target := filepath.Join(p.dir, "data"), filepath.Join(p.dir, "target")
	must(0, os.CopyFS(data, os.DirFS(d.data)))(t)
	p.give(data)
	p.must(huiqi, "seed", "--data", data, "--database", at(name)) // finds everything there
	said := p.must(huiqi, "backup", "--data", data, "--database", at(name), "--to", target)
	if !strings.Contains(said, "全部一致") {
		t.Fatal(said)
	}
	sets, err := filepath.Glob(filepath.Join(target, "huiqi-*"))
	if err != nil || len(sets) != 1 {
		t.Fatalf("%v %v", sets, err)
	}
	identity := filepath.Join(data, demoIdentityFile)
	restored := filepath.Join(p.dir, "restored")
	said = p.must(huiqi, "restore", "--from", sets[0], "--data", restored, "--database", at(name+"_new"), "--identity", identity)
	if !strings.Contains(said, "逐表一致") || !isDemo(restored) {
		t.Fatal(said)
	}
	p.must(huiqi, "audit", "verify", "--data", restored, "--database", at(name+"_new"))
	// In place: the old database is kept under another name, and only while nobody uses it.
	args := []string{"restore", "--from", sets[0], "--data", restored, "--database", at(name), "--identity", identity, "--replace"}
	used := p.open(at(name))
	p.exec(used, "DELETE FROM idempotency_keys")
	if said, err := p.run(huiqi, args...); err == nil || !strings.Contains(said, "正在使用") {
		t.Fatalf("over a database in use: %v\n%s", err, said)
	}
	if err := used.Close(); err != nil {
		t.Fatal(err)
	}
	p.must(huiqi, args...)
	left := 0
	if err := server.QueryRow("SELECT count(*) FROM pg_database WHERE datname LIKE $1", name+"%").Scan(&left); err != nil || left != 3 {
		t.Fatalf("%d databases, want the first, the new and the old one: %v", left, err)
	}
	// Files alone, for a database that PostgreSQL recovered.
	alone := filepath.Join(p.dir, "alone")
	p.must(huiqi, "restore", "--from", sets[0], "--data", alone, "--identity", identity, "--files-only")
	if _, err := os.Stat(filepath.Join(alone, "files")); err != nil {
		t.Fatal(err)
	}
}
