package event_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

type opened struct {
	ID    int64
	Title string
}

func (o opened) Event() (string, string, int64) { return "thing.opened", "thing", o.ID }

var at = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

func put(db *database.DB, o opened) error {
	return db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := event.Append(ctx, tx, access.SystemActor("test"), at, o)
		return err
	})
}

func TestListenerGetsEachEventOnceInOrder(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, event.Migrations)
	ctx := context.Background()
	var wg sync.WaitGroup
	for object := range int64(5) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 20 {
				if err := put(db, opened{ID: object + 1, Title: "路灯不亮"}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	var got []event.Event
	fail := true
	feed := event.NewFeed(db, slog.Default(), event.Listener{Name: "test", Handle: func(_ context.Context, _ bun.Tx, e event.Event) error {
		if len(got) == 30 && fail {
			fail = false
			return errors.New("try again")
		}
		got = append(got, e)
		return nil
	}})
	wg.Wait()
	if err := feed.Drain(ctx); err == nil {
		t.Fatal("want the listener's error")
	}
	kept := len(got) - len(got)%50 // the batch that failed was undone with its cursor
	got = got[:kept]
	if err := feed.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if len(got) != 100 {
		t.Fatalf("got %d events, want 100", len(got))
	}
	last := map[int64]int64{}
	for _, e := range got {
		if e.Seq != last[e.ObjectID]+1 {
			t.Fatalf("object %d: sequence %d after %d", e.ObjectID, e.Seq, last[e.ObjectID])
		}
		last[e.ObjectID] = e.Seq
		var o opened
		if err := e.Decode(&o); err != nil || o.Title != "路灯不亮" {
			t.Fatalf("facts %s: %v", e.Facts, err)
		}
	}
	if err := feed.Drain(ctx); err != nil || len(got) != 100 {
		t.Fatalf("drained again: %d events, %v", len(got), err)
	}
}

func TestUndoneChangeLeavesNoEvent(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, event.Migrations)
	err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := event.Append(ctx, tx, access.Actor{}, at, opened{ID: 1}); err != nil {
			return err
		}
		return fault.ErrChanged
	})
	if !errors.Is(err, fault.ErrChanged) {
		t.Fatal(err)
	}
	rows, err := event.Of(context.Background(), db.Read(), "thing", 1)
	if err != nil || len(rows) != 0 {
		t.Fatalf("rows %d, %v", len(rows), err)
	}
}

func TestByWhom(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]event.Event{
		"王芳":      {ActorID: 7, ActorName: "王芳"},
		"liming":  {ActorID: 8, ActorName: "liming"},
		"系统":      {ActorName: "job:ticket.clocks"},
		"市热线〔演示〕": {ActorName: "市热线〔演示〕"},
		"":        {},
	} {
		if got := e.By(); got != want {
			t.Errorf("%+v is by %q", e, got)
		}
	}
	if got := (event.Event{ActorName: "open311"}).By(); got != "系统" {
		t.Errorf("%q", got)
	}
}
