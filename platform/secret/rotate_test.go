package secret_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
)

type thing struct {
	bun.BaseModel `bun:"table:things"`

	ID     int64  `bun:"id,pk"`
	Part   string `bun:"part,pk"`
	Sealed string `bun:"sealed,notnull"`
	Blind  string `bun:"blind,nullzero"`
}

// letter holds the index of a thing and not its text.
type letter struct {
	bun.BaseModel `bun:"table:letters"`

	ID    int64  `bun:"id,pk"`
	Blind string `bun:"blind,notnull"`
}

var thingSteps = append([]database.Migration{{ID: "20200101000000_things", Up: func(ctx context.Context, tx bun.Tx) error {
	return database.CreateTables(ctx, tx, (*thing)(nil), (*letter)(nil))
}}}, secret.Migrations...)

func thingPlace(id int64, part string) string { return fmt.Sprintf("things:%d:%s", id, part) }

func phoneOf(i int) string { return fmt.Sprintf("138%08d", i) }

// rotation is a table of rows under the first of two keys, and a box that has both.
type rotation struct {
	db       *database.DB
	old, box *secret.Box
	r        secret.Rotator
	clock    *clock.Fake
}

func newRotation(t *testing.T, rows int, from, to secret.Suite) *rotation {
	t.Helper()
	ctx := context.Background()
	k1, k2 := mustKey(t), mustKey(t)
	n := &rotation{db: databasetest.New(t, thingSteps), old: mustBox(t, secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": k1}, Suite: from}),
		box:   mustBox(t, secret.Keys{Current: "k2", Founding: "k1", Keys: map[string][]byte{"k1": k1, "k2": k2}, Suite: to, Suites: map[string]secret.Suite{"k1": from}}),
		clock: clock.NewFake(time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))}
	var list []thing
	for i := range rows {
		x := thing{ID: int64(i / 2), Part: string(rune('a' + i%2))}
		x.Sealed, x.Blind = n.old.Seal([]byte(phoneOf(i)), thingPlace(x.ID, x.Part)), n.old.Blind("phone", phoneOf(i))
		list = append(list, x)
	}
	list = append(list, thing{ID: -1, Part: "empty"})
	err := n.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&list).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&[]letter{{ID: 1, Blind: n.old.Blind("phone", phoneOf(1))}, {ID: 2, Blind: n.old.Blind("phone", phoneOf(1))}, {ID: 3, Blind: "another"}}).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n.r = secret.Rotator{DB: n.db, Box: n.box, Clock: n.clock, Log: slog.New(slog.DiscardHandler), Keepers: secret.Keepers{Columns: []secret.Column{{
		Table: "things", Key: []string{"id", "part"}, Name: "sealed", Indexes: secret.PhoneIndexes("blind", ""),
		Place: func(r secret.Row) string { return thingPlace(r.Int("id"), r.Text("part")) },
	}}}}
	n.r.Columns[0].Indexes[0].Copies = []secret.Copy{{Table: "letters", Name: "blind"}}
	return n
}

// under counts the rows that a key still holds.
func (n *rotation) under(t *testing.T, id string) (sealed, blind int64) {
	t.Helper()
	uses, err := n.r.Uses(context.Background(), n.db.Read(), id, id == "k1", n.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uses {
		if strings.HasSuffix(u.Column, ".blind") {
			blind = u.Rows
		} else {
			sealed = u.Rows
		}
	}
	return sealed, blind
}

// found looks a phone up as the modules do, and opens what it finds.
func (n *rotation) found(t *testing.T, phone string) {
	t.Helper()
	var list []thing
	if err := n.db.Read().NewSelect().Model(&list).Where("blind IN ?", bun.Tuple(n.box.Blinds("phone", phone))).Scan(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 {
		t.Fatalf("%s is found %d times", phone, len(list))
	}
	plain, err := n.box.Open(list[0].Sealed, thingPlace(list[0].ID, list[0].Part))
	if err != nil || string(plain) != phone {
		t.Fatalf("%s opens as %q, %v", phone, plain, err)
	}
}

func TestRotateBothWays(t *testing.T) {
	t.Parallel()
	for _, way := range [][2]secret.Suite{{secret.Intl, secret.GM}, {secret.GM, secret.Intl}, {secret.GM, secret.GM}} {
		t.Run(string(way[0])+" to "+string(way[1]), func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			n := newRotation(t, 800, way[0], way[1])
			n.found(t, phoneOf(5)) // before anything moved

			// killed after the first batch
			stopped, stop := context.WithCancel(ctx)
			n.r.Note = func(context.Context, string, ...any) { stop() }
			if err := n.r.Run(stopped); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			sealed, blind := n.under(t, "k1")
			if sealed != 550 || blind != 550 {
				t.Fatalf("%d sealed and %d indexes are still under the old key", sealed, blind)
			}
			for _, i := range []int{0, 249, 250, 799} { // done and not done
				n.found(t, phoneOf(i))
			}

			n.r.Note = nil
			if err := n.r.Run(ctx); err != nil {
				t.Fatal(err)
			}
			if sealed, blind = n.under(t, "k1"); sealed != 0 || blind != 0 {
				t.Fatalf("%d sealed and %d indexes are still under the old key", sealed, blind)
			}
			if sealed, blind = n.under(t, "k2"); sealed != 800 || blind != 800 {
				t.Fatalf("%d sealed and %d indexes are under the new key", sealed, blind)
			}
			for i := range 800 {
				n.found(t, phoneOf(i))
			}
			var copies []string
			if err := n.db.Read().NewSelect().Model((*letter)(nil)).Column("blind").OrderExpr("id").Scan(ctx, &copies); err != nil {
				t.Fatal(err)
			}
			if is := n.box.Blind("phone", phoneOf(1)); copies[0] != is || copies[1] != is || copies[2] != "another" {
				t.Fatalf("the copies did not follow: %v", copies)
			}
			p, err := n.r.Progress(ctx)
			if err != nil || len(p) != 1 || !p[0].Finished || p[0].Done != 550 {
				t.Fatalf("%+v %v", p, err)
			}
		})
	}
}

// Whoever writes while a row is on its way wins.
func TestRotationLosesToAWriter(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	n := newRotation(t, 20, secret.GM, secret.Intl)
	place := n.r.Columns[0].Place
	once := false
	n.r.Columns[0].Place = func(r secret.Row) string {
		if r.Int("id") == 3 && r.Text("part") == "b" && !once {
			once = true // the row was read and not written yet
			err := n.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewUpdate().Model((*thing)(nil)).Set("sealed = ?", n.box.Seal([]byte("13900000000"), thingPlace(3, "b"))).
					Set("blind = ?", n.box.Blind("phone", "13900000000")).Where("id = 3 AND part = 'b'").Exec(ctx)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		return place(r)
	}
	if err := n.r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	n.found(t, "13900000000")
	if sealed, blind := n.under(t, "k1"); sealed != 0 || blind != 0 {
		t.Fatal(sealed, blind)
	}
}

// A row that cannot be opened stops nobody else, is said, and keeps its key from being retired.
func TestRotationSaysWhatItCannotOpen(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	n := newRotation(t, 20, secret.GM, secret.GM)
	err := n.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("UPDATE things SET sealed = (SELECT sealed FROM things WHERE id = 1 AND part = 'a') WHERE id = 2 AND part = 'b'").Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := n.r.Run(ctx); err == nil || !strings.Contains(err.Error(), "things.sealed [2 b]") {
			t.Fatal(err)
		}
	}
	if sealed, _ := n.under(t, "k1"); sealed != 1 {
		t.Fatal(sealed)
	}
}

// What a process that had not heard of the new key wrote afterwards follows later.
func TestRotationLooksAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	n := newRotation(t, 4, secret.GM, secret.GM)
	if err := n.r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	late := thing{ID: 77, Part: "z", Sealed: n.old.Seal([]byte("13811112222"), thingPlace(77, "z")), Blind: n.old.Blind("phone", "13811112222")}
	err := n.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&late).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n.found(t, "13811112222")
	n.clock.Advance(13 * time.Hour)
	if err := n.r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if sealed, blind := n.under(t, "k1"); sealed != 0 || blind != 0 {
		t.Fatal(sealed, blind)
	}
	n.found(t, "13811112222")
}
