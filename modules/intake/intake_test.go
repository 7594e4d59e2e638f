package intake_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 6, 5, 0, 0, time.UTC)
	steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, jobs.Migrations, intake.Migrations)

	operator = access.Actor{UserID: 5, Name: "周敏", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{intake.PermOpen311}}
	agent    = access.Actor{UserID: 7, Name: "陈静", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{intake.PermInbox}}
	owner    = access.Actor{UserID: 30, Name: "王芳", Party: access.Enterprise, EnterpriseID: 3}
)

// desk opens tickets in a transaction of the test's database and remembers those that were committed.
type desk struct {
	db   *database.DB
	last atomic.Int64

	mu    sync.Mutex
	opens []intake.Filing
	by    []access.Actor
	ids   []int64
	heard []string
}

func (d *desk) Open(ctx context.Context, actor access.Actor, f intake.Filing) error {
	if f.Type != "050203" && f.Type != "010101" && f.Type != "010102" {
		return fault.InvalidField("type", "TICKET_TYPE", "请选择诉求类型")
	}
	id := d.last.Add(1)
	err := d.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return f.Within(ctx, tx, intake.Filed{ID: id, Number: fmt.Sprintf("GD20261122-%06d", id), QueryCode: fmt.Sprintf("%06d", 100000+id), DueAt: start.Add(72 * time.Hour)})
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opens, d.by, d.ids = append(d.opens, f), append(d.by, actor), append(d.ids, id)
	return nil
}

func (d *desk) Matters(context.Context) ([]intake.Matter, error) {
	return []intake.Matter{{Code: "010101", Name: "政策咨询", Group: "政策与资金"}, {Code: "010102", Name: "补贴奖励申报", Group: "政策与资金"}, {Code: "050203", Name: "市政设施损坏", Group: "要素保障"}}, nil
}

func (d *desk) ByCode(_ context.Context, _, number, code string) (intake.Told, error) {
	if number != "GD20261122-000001" || code != "100001" {
		return intake.Told{}, fault.ErrNotFound
	}
	return intake.Told{Number: number, Status: "办理中", TypeName: "政策咨询", UnitName: "区财政局", At: start, DueAt: start}, nil
}

// Numbered knows the tickets that were opened; the first is not seen by anybody called 路人.
func (d *desk) Numbered(_ context.Context, a access.Actor, number string) (int64, error) {
	var id int64
	if _, err := fmt.Sscanf(number, "GD20261122-%d", &id); err != nil || id > d.last.Load() || a.Name == "路人" {
		return 0, fault.ErrNotFound
	}
	return id, nil
}

func (d *desk) Hear(_ context.Context, _ bun.Tx, id int64, _ intake.Channel, text string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = append(d.heard, fmt.Sprintf("%d: %s", id, text))
	return nil
}

func (d *desk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.opens)
}

// shelf keeps files by name; a file called virus is refused.
type shelf struct {
	mu   sync.Mutex
	list []string
	at   map[int64]string
}

func (s *shelf) Save(_ context.Context, _ access.Actor, name string, content io.Reader) (intake.FileView, error) {
	if strings.HasPrefix(name, "virus") {
		return intake.FileView{}, fault.New(fault.Invalid, "VIRUS_FOUND", "文件含有病毒")
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return intake.FileView{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, name)
	return intake.FileView{ID: int64(len(s.list)), Name: name}, nil
}

func (s *shelf) Claim(_ context.Context, _ bun.Tx, _ access.Actor, id int64, object string, objectID int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[id] = fmt.Sprintf("%s:%d", object, objectID)
	return nil
}

func (s *shelf) Of(_ context.Context, _ bun.IDB, object string, id int64) ([]intake.FileView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []intake.FileView{}
	for i, name := range s.list {
		if s.at[int64(i+1)] == fmt.Sprintf("%s:%d", object, id) {
			out = append(out, intake.FileView{ID: int64(i + 1), Name: name})
		}
	}
	return out, nil
}

func (s *shelf) Pass(_ context.Context, _ bun.Tx, object string, id int64, toObject string, toID int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f, at := range s.at {
		if at == fmt.Sprintf("%s:%d", object, id) {
			s.at[f] = fmt.Sprintf("%s:%d", toObject, toID)
		}
	}
	return nil
}

// people knows the owner by one open id.
type people struct{}

func (people) ByOpenID(_ context.Context, openID string) (access.Actor, error) {
	if openID != "oWang" {
		return access.Actor{}, fault.ErrNotFound
	}
	return owner, nil
}

// line remembers what followers were told.
type line struct {
	mu   sync.Mutex
	told []string
}

func (l *line) Tell(_ context.Context, openID, text string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, openID+": "+text)
	return false, nil
}

func (l *line) Media(_ context.Context, id string) (string, []byte, error) {
	return id + ".png", []byte(id), nil
}

// post remembers letters; fate is what becomes of the next ones.
type post struct {
	mu   sync.Mutex
	sent []intake.Letter
	fate intake.Fate
}

func (p *post) Send(_ context.Context, l intake.Letter) (intake.Fate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, l)
	if p.fate != "" {
		return p.fate, errors.New("the mail server said nothing")
	}
	return intake.Taken, nil
}

// box is a mailbox in memory.
type box struct {
	validity int64
	list     []intake.Incoming
}

func (b *box) Since(_ context.Context, validity, after int64, limit int) ([]intake.Incoming, int64, error) {
	if validity != b.validity {
		after = 0
	}
	var out []intake.Incoming
	for i, m := range b.list {
		if m.UID = int64(i + 1); m.UID > after && len(out) < limit {
			out = append(out, m)
		}
	}
	return out, b.validity, nil
}

type fixture struct {
	*intake.Service
	db    *database.DB
	clock *clock.Fake
	desk  *desk
	shelf *shelf
	line  *line
	post  *post
	box   *box
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	db := databasetest.New(t, steps)
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{db: db, clock: clock.NewFake(start), desk: &desk{db: db}, shelf: &shelf{at: map[int64]string{}}, line: &line{}, post: &post{}, box: &box{validity: 1}}
	f.Service = intake.New(intake.Deps{DB: db, Clock: f.clock, Box: keys, Log: slog.New(slog.DiscardHandler), Desk: f.desk, Files: f.shelf, Accounts: people{}, Wechat: f.line,
		Mailer: f.post, Mailbox: f.box, Address: "suqiu@tz.example.gov.cn", District: "北京市通州区", PublicURL: "https://tz.example.gov.cn", Jurisdiction: "tz.example.gov.cn"})
	queue, err := jobs.New(ctx, db, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	f.Use(queue)
	return f
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
