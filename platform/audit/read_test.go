package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
)

// tell writes entries whose times do not follow their ids, as those of a loaded history.
func tell(t *testing.T, db *database.DB) {
	t.Helper()
	for i, r := range []struct {
		actor          access.Actor
		minute         int
		action, object string
		id             int64
	}{
		{access.Actor{UserID: 7, Name: "王芳"}, 30, "ticket.close", "ticket", 1},
		{access.Actor{UserID: 8, Name: "孙强"}, 10, "ticket.void", "ticket", 2},
		{access.Actor{Name: "seed", Party: access.System}, 20, "tickets.load", "ticket", 1},
		{access.Actor{UserID: 7, Name: "王芳"}, 20, "identity.sign_in", "user", 7},
		{access.Actor{UserID: 7, Name: "王芳"}, 40, "ticket.close", "ticket", 2},
	} {
		err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			return audit.Write(ctx, tx, r.actor, now.Add(time.Duration(r.minute)*time.Minute), audit.Record{Action: r.action, Object: r.object, ObjectID: r.id, Summary: fmt.Sprint(i + 1)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	tell(t, db)
	at := func(minute int) time.Time { return now.Add(time.Duration(minute) * time.Minute) }
	for _, c := range []struct {
		name   string
		filter audit.Filter
		want   []string
	}{
		{"everything, newest first", audit.Filter{}, []string{"5", "1", "4", "3", "2"}},
		{"person", audit.Filter{Actors: []int64{7}}, []string{"5", "1", "4"}},
		{"job", audit.Filter{Systems: "seed"}, []string{"3"}},
		{"people or job", audit.Filter{Actors: []int64{8}, Systems: "seed"}, []string{"3", "2"}},
		{"object", audit.Filter{Object: "ticket", ObjectID: 1}, []string{"1", "3"}},
		{"action", audit.Filter{Action: "ticket.close"}, []string{"5", "1"}},
		{"module, not one whose name begins alike", audit.Filter{Action: "ticket."}, []string{"5", "1", "2"}},
		{"from, included", audit.Filter{From: at(20)}, []string{"5", "1", "4", "3"}},
		{"until, excluded", audit.Filter{Until: at(20)}, []string{"2"}},
		{"between, of one person", audit.Filter{From: at(20), Until: at(40), Actors: []int64{7}}, []string{"1", "4"}},
		{"nothing", audit.Filter{Object: "product"}, nil},
	} {
		f := c.filter
		for _, f.Limit = range []int{100, 1, 2} {
			var got []string
			for f.Cursor = ""; ; {
				rows, next, err := audit.List(ctx, db.Read(), f)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				for _, r := range rows {
					got = append(got, r.Summary)
				}
				if f.Cursor = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %d a page: %v, want %v", c.name, f.Limit, got, c.want)
			}
		}
	}
	for _, cursor := range []string{"x", "!!", "MTIz"} {
		if _, _, err := audit.List(ctx, db.Read(), audit.Filter{Cursor: cursor}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
	if e, err := audit.Find(ctx, db.Read(), 2); err != nil || e.ActorName != "孙强" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := audit.Find(ctx, db.Read(), 99); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}

func TestSealState(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	s, err := audit.SealState(ctx, db.Read())
	if err != nil || s != (audit.Seals{}) {
		t.Fatalf("an empty log: %+v, %v", s, err)
	}
	write(t, db, 4)
	sealer := audit.Sealer{DB: db, Log: slog.Default()}
	if err := sealer.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	write(t, db, 2)
	if s, err = audit.SealState(ctx, db.Read()); err != nil || s.Sealed != 4 || s.Unsealed != 2 || s.LastAt == nil {
		t.Fatalf("%+v, %v", s, err)
	}
	for id, want := range map[int64]bool{4: true, 5: false} {
		if ok, err := audit.Sealed(ctx, db.Read(), id); err != nil || ok != want {
			t.Errorf("entry %d sealed %v, %v", id, ok, err)
		}
	}
	if r, err := audit.Verify(ctx, db, audit.Options{}); err != nil || !r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
}
