package meilisearch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/integrations/meilisearch"
	"github.com/huiqi/huiqi/integrations/meilisearch/meilitest"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/search/searchtest"
)

var start = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)

// exchange is one request and its answer, as the documentation of the interface shows them.
type exchange struct {
	Method, Path string
	Body         any // compared as JSON; nil is not looked at
	Status       int
	Answer       string // a file in testdata
}

// play answers the exchanges in their order and reports what was asked otherwise.
func play(t *testing.T, script []exchange) *meilisearch.Client {
	t.Helper()
	at := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at >= len(script) {
			t.Errorf("one request too many: %s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		e := script[at]
		at++
		body, _ := io.ReadAll(r.Body)
		if r.Method != e.Method || r.URL.RequestURI() != e.Path {
			t.Errorf("asked %s %s, want %s %s", r.Method, r.URL.RequestURI(), e.Method, e.Path)
		}
		if r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("authorization %q", r.Header.Get("Authorization"))
		}
		if e.Body != nil {
			want, _ := json.Marshal(e.Body)
			var a, b any
			_ = json.Unmarshal(want, &a)
			if err := json.Unmarshal(body, &b); err != nil || !reflect.DeepEqual(a, b) {
				t.Errorf("%s %s sent %s, want %s", e.Method, e.Path, body, want)
			}
		}
		answer, err := os.ReadFile(filepath.Join("testdata", e.Answer))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(e.Status)
		_, _ = w.Write(answer)
	}))
	t.Cleanup(func() {
		s.Close()
		if at != len(script) {
			t.Errorf("%d of %d requests came", at, len(script))
		}
	})
	c, err := meilisearch.New(meilisearch.Config{URL: s.URL, Key: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestContract(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	task := func(method, path string, body any) []exchange {
		return []exchange{{method, path, body, 202, "enqueued.json"}, {"GET", "/tasks/7", nil, 200, "processing.json"}, {"GET", "/tasks/7", nil, 200, "succeeded.json"}}
	}
	join := func(parts ...[]exchange) []exchange {
		var out []exchange
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	words, err := search.Parse("路灯不亮 ERP2026")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		script []exchange
		do     func(c *meilisearch.Client) error
	}{
		{"create", join(
			[]exchange{{"DELETE", "/indexes/hq_next", nil, 202, "enqueued.json"}, {"GET", "/tasks/7", nil, 200, "failed_not_found.json"}},
			task("POST", "/indexes", map[string]any{"uid": "hq_next", "primaryKey": "id"}),
			task("PATCH", "/indexes/hq_next/settings", map[string]any{
				"rankingRules": []string{"sort"}, "searchableAttributes": []string{"text", "words"}, "filterableAttributes": []string{"id", "scope"},
				"sortableAttributes": []string{"id"}, "displayedAttributes": []string{"id", "label"},
				"typoTolerance": map[string]any{"enabled": false, "minWordSizeForTypos": map[string]any{"oneTypo": 5, "twoTypos": 9}, "disableOnWords": []string{},
					"disableOnAttributes": []string{}, "disableOnNumbers": false},
			})), func(c *meilisearch.Client) error { return c.Create(ctx, "hq_next") }},
		{"put", task("POST", "/indexes/hq/documents?primaryKey=id", []map[string]any{{"id": 5, "text": "路灯", "words": "", "scope": []string{"unit_id:1"}}}),
			func(c *meilisearch.Client) error {
				return c.Put(ctx, "hq", []search.Copy{{ID: 5, Text: "路灯", Scope: []string{"unit_id:1"}}})
			}},
		{"delete", task("POST", "/indexes/hq/documents/delete-batch", []string{"5", "6"}), func(c *meilisearch.Client) error { return c.Delete(ctx, "hq", []int64{5, 6}) }},
		{"swap", join(
			[]exchange{{"POST", "/indexes", nil, 202, "enqueued.json"}, {"GET", "/tasks/7", nil, 200, "failed_exists.json"}},
			task("POST", "/swap-indexes", []map[string]any{{"indexes": []string{"hq", "hq_next"}, "rename": false}})),
			func(c *meilisearch.Client) error { return c.Swap(ctx, "hq", "hq_next") }},
		{"label", []exchange{{"GET", "/indexes/hq/documents/0?fields=id%2Clabel", nil, 200, "document.json"}}, func(c *meilisearch.Client) error {
			if l, err := c.Label(ctx, "hq"); err != nil || l != "1:title,body#abc" {
				return fmt.Errorf("label %q, %v", l, err)
			}
			return nil
		}},
		{"no label", []exchange{{"GET", "/indexes/hq/documents/0?fields=id%2Clabel", nil, 404, "index_not_found.json"}}, func(c *meilisearch.Client) error {
			if l, err := c.Label(ctx, "hq"); err != nil || l != "" {
				return fmt.Errorf("label %q, %v", l, err)
			}
			return nil
		}},
		{"search", []exchange{{"POST", "/indexes/hq/search", map[string]any{
			"q": `"路灯 灯不 不亮" "erp2026"`, "limit": 2, "attributesToRetrieve": []string{"id"}, "matchingStrategy": "all", "sort": []string{"id:desc"},
			"filter": []string{"id > 0 AND id < 90", `scope IN ["unit_id:1", "user_id:7"]`}, "hybrid": nil,
		}, 200, "search.json"}}, func(c *meilisearch.Client) error {
			ids, err := c.Find(ctx, "hq", words, []string{"unit_id:1", "user_id:7"}, 90, 2)
			if err != nil || !reflect.DeepEqual(ids, []int64{42, 7}) {
				return fmt.Errorf("found %v, %v", ids, err)
			}
			return nil
		}},
		{"an answer out of order", []exchange{{"POST", "/indexes/hq/search", nil, 200, "search_unordered.json"}}, func(c *meilisearch.Client) error {
			if ids, err := c.Find(ctx, "hq", words, nil, 0, 20); err == nil {
				return fmt.Errorf("believed %v", ids)
			}
			return nil
		}},
		{"a refusal holds none of what was sent", []exchange{{"POST", "/indexes/hq/search", nil, 403, "invalid_api_key.json"}}, func(c *meilisearch.Client) error {
			_, err := c.Find(ctx, "hq", words, nil, 0, 20)
			if err == nil || strings.Contains(err.Error(), "路灯") || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "invalid_api_key") {
				return fmt.Errorf("told %w", err)
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.do(play(t, c.script)); err != nil {
				t.Error(err)
			}
		})
	}
	for _, bad := range []string{"", "search.internal:7700", "ftp://x", "http://key@search.internal"} {
		if _, err := meilisearch.New(meilisearch.Config{URL: bad}); err == nil {
			t.Errorf("took the address %q", bad)
		}
	}
}

// fixture is a database with its copy in the stand-in.
type fixture struct {
	db     *database.DB
	clock  *clock.Fake
	server *meilitest.Server
	mirror *search.Mirror
	feed   *event.Feed
}

func mustMirror(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, append(append([]database.Migration(nil), event.Migrations...), searchtest.Migrations...)), clock: clock.NewFake(start), server: meilitest.New(t)}
	f.mirror = f.open(t)
	f.feed = event.NewFeed(f.db, slog.New(slog.DiscardHandler), f.mirror.Listener())
	return f
}

// open is what a start of the program makes.
func (f fixture) open(t *testing.T) *search.Mirror {
	t.Helper()
	c, err := meilisearch.New(meilisearch.Config{URL: f.server.URL, Key: f.server.Key, Clock: f.clock, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return &search.Mirror{DB: f.db, Clock: f.clock, Log: slog.New(slog.DiscardHandler), Source: searchtest.Source, Engine: c, Name: "hq_note"}
}

type changed struct{ id int64 }

func (c changed) Event() (string, string, int64) { return "note.changed", "note", c.id }

// put writes notes with their events.
func (f fixture) put(t *testing.T, rows ...searchtest.Note) {
	t.Helper()
	searchtest.MustPut(t, f.db, rows...)
	for _, r := range rows {
		f.announce(t, r.ID)
	}
}

func (f fixture) announce(t *testing.T, id int64) {
	t.Helper()
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := event.Append(ctx, tx, access.SystemActor("test"), start, changed{id})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// settle hears all events and sends what they note.
func (f fixture) settle(t *testing.T, m *search.Mirror) {
	t.Helper()
	if err := f.feed.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	for {
		more, err := m.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

func TestMirrorConforms(t *testing.T) {
	t.Parallel()
	f := mustMirror(t)
	f.put(t, searchtest.Library...)
	f.settle(t, f.mirror)
	before := f.server.Asked()
	searchtest.Conform(t, f.db, f.mirror)
	if f.server.Asked()-before < 40 {
		t.Errorf("the outside engine was asked %d times only", f.server.Asked()-before)
	}
	if got := searchtest.Find(t, f.db, "路灯", 0, 20, f.mirror); got.Note != "" || len(got.IDs) != 4 {
		t.Errorf("%+v", got)
	}
	if got := f.server.Indexes(); !reflect.DeepEqual(got, []string{"hq_note"}) {
		t.Errorf("indexes %v", got)
	}

	// Changes and deletions arrive; until they do, the database sees them already.
	f.put(t, searchtest.Note{ID: 100, Unit: 1, Title: "路灯又坏"})
	if err := f.feed.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := searchtest.Find(t, f.db, "路灯", 0, 2, f.mirror); got.Note != "" || fmt.Sprint(got.IDs) != "[100 8]" {
		t.Errorf("before it is sent: %+v", got)
	}
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM notes WHERE id = 8"); err != nil {
			return err
		}
		return searchtest.Notes.Remove(ctx, tx, 8)
	})
	if err != nil {
		t.Fatal(err)
	}
	f.announce(t, 8)
	f.settle(t, f.mirror)
	if got := searchtest.Find(t, f.db, "路灯", 0, 20, f.mirror); got.Note != "" || fmt.Sprint(got.IDs) != "[100 7 2 1]" {
		t.Errorf("after changes: %+v", got)
	}
	if lag, err := f.mirror.Lag(context.Background()); err != nil || lag.Waiting != 0 || lag.Trouble != "" || lag.BuiltAt == nil {
		t.Errorf("%+v, %v", lag, err)
	}
}

// Whatever ails the outside engine, the database answers the same, and says so.
func TestFallback(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustMirror(t)
	f.put(t, searchtest.Library...)
	f.settle(t, f.mirror)
	label := f.server.Docs("hq_note")[0]
	for _, c := range []struct {
		name      string
		ail, mend func()
	}{
		{"down", func() { f.server.Fail(500) }, func() { f.server.Fail(0) }},
		{"overloaded", func() { f.server.Fail(503) }, func() { f.server.Fail(0) }},
		{"another key", func() { f.server.Key = "other" }, func() { f.server.Key = "stand-in-key" }},
		{"wrong index", func() {
			f.server.Tamper("hq_note", func(d map[int64]search.Copy) { d[0] = search.Copy{Label: "1:title,body#somebody"} })
		}, func() { f.server.Tamper("hq_note", func(d map[int64]search.Copy) { d[0] = label }) }},
		{"emptied index", func() { f.server.Tamper("hq_note", func(d map[int64]search.Copy) { clear(d) }) }, func() {
			if err := f.mirror.Rebuild(ctx, nil); err != nil {
				t.Fatal(err)
			}
		}},
		{"older version", func() { f.exec(t, "UPDATE search_mirrors SET label = '0:title,body#old'") }, func() { f.settle(t, f.mirror) }},
		{"far behind", func() {
			f.announce(t, 1)
			if err := f.feed.Drain(ctx); err != nil {
				t.Fatal(err)
			}
			f.clock.Advance(3 * time.Minute)
		}, func() { f.settle(t, f.mirror) }},
	} {
		c.ail()
		f.clock.Advance(time.Minute) // what was looked up before is looked up again, a breaker closes
		if got := searchtest.Find(t, f.db, "路灯", 0, 20, f.mirror); got.Note != search.Degraded || fmt.Sprint(got.IDs) != "[8 7 2 1]" {
			t.Errorf("%s: %+v", c.name, got)
		}
		if lag, err := f.mirror.Lag(ctx); err != nil || lag.Trouble == "" {
			t.Errorf("%s: %+v, %v", c.name, lag, err)
		}
		c.mend()
		f.clock.Advance(time.Minute)
		if got := searchtest.Find(t, f.db, "路灯", 0, 20, f.mirror); got.Note != "" || fmt.Sprint(got.IDs) != "[8 7 2 1]" {
			t.Errorf("%s, mended: %+v", c.name, got)
		}
	}
	// An engine that lies cannot show what the asker may not see, what does not hold the words, or what is gone.
	f.server.Tamper("hq_note", func(d map[int64]search.Copy) {
		for _, id := range []int64{1, 3, 4711} {
			d[id] = search.Copy{ID: id, Text: "路灯", Scope: []string{"unit:2"}}
		}
	})
	if got := searchtest.Find(t, f.db, "路灯", 0, 20, f.mirror, 2); len(got.IDs) != 0 {
		t.Errorf("a lie was believed: %+v", got)
	}
}

func (f fixture) exec(t *testing.T, query string) {
	t.Helper()
	if _, err := f.db.Writer().ExecContext(context.Background(), query); err != nil {
		t.Fatal(err)
	}
}

// A server that answers late is left alone after three times, and asked again once it had its rest.
func TestBreaker(t *testing.T) {
	t.Parallel()
	server := meilitest.New(t)
	time0 := clock.NewFake(start)
	c, err := meilisearch.New(meilisearch.Config{URL: server.URL, Key: server.Key, Clock: time0, Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	server.Stall(time.Minute)
	for range 3 {
		if _, err := c.Label(context.Background(), "hq"); err == nil || errors.Is(err, meilisearch.ErrResting) {
			t.Errorf("a slow server: %v", err)
		}
	}
	asked := server.Asked()
	for range 5 {
		if _, err := c.Label(context.Background(), "hq"); !errors.Is(err, meilisearch.ErrResting) {
			t.Errorf("asked again: %v", err)
		}
	}
	if server.Asked() != asked {
		t.Error("a resting server was asked")
	}
	time0.Advance(11 * time.Second)
	if _, err := c.Label(context.Background(), "hq"); err == nil || errors.Is(err, meilisearch.ErrResting) {
		t.Errorf("the probe: %v", err)
	}
	if _, err := c.Label(context.Background(), "hq"); !errors.Is(err, meilisearch.ErrResting) {
		t.Errorf("after a probe that failed: %v", err)
	}
}

// A rebuild that is killed at any request is finished by the next start, and equals what the events made.
func TestRebuildAfterKill(t *testing.T) {
	t.Parallel()
	f := mustMirror(t)
	rows := append([]searchtest.Note(nil), searchtest.Library...)
	for i := int64(100); i < 1300; i++ {
		rows = append(rows, searchtest.Note{ID: i, Unit: i % 5, Title: "用电申请", Body: fmt.Sprint("第", i, "件")})
	}
	searchtest.MustPut(t, f.db, rows...)
	for _, r := range rows[:9] {
		f.announce(t, r.ID)
	}
	f.settle(t, f.mirror)
	want := f.server.Docs("hq_note")[1:] // without the label
	if len(want) != len(rows) {
		t.Fatalf("%d documents", len(want))
	}
	for kill := 1; kill <= 3; kill++ {
		ctx, cancel := context.WithCancel(context.Background())
		portions := 0
		err := f.mirror.Rebuild(ctx, func(int) {
			if portions++; portions == kill {
				cancel()
			}
		})
		cancel()
		if err == nil {
			t.Fatalf("kill %d did not end it", kill)
		}
		// While it lies half made, the old copy answers and changes are noted.
		f.put(t, searchtest.Note{ID: 5000 + int64(kill), Unit: 1, Title: "其间新增"})
		again := f.open(t)
		f.settle(t, again)
		if len(f.server.Docs("hq_note")) != len(rows)+kill {
			t.Errorf("kill %d: while somebody may still make a copy, nothing is sent into the old one for good: %d", kill, len(f.server.Docs("hq_note")))
		}
		f.clock.Advance(2 * time.Minute)
		f.settle(t, again)
		docs := f.server.Docs("hq_note")
		if len(docs) != len(rows)+kill+1 {
			t.Errorf("kill %d: %d documents, want %d", kill, len(docs), len(rows)+kill+1)
		}
		for i, d := range want {
			if !reflect.DeepEqual(docs[i+1], d) {
				t.Errorf("kill %d: %+v, want %+v", kill, docs[i+1], d)
				break
			}
		}
		if got := searchtest.Find(t, f.db, "其间新增", 0, 20, again); got.Note != "" || len(got.IDs) != kill {
			t.Errorf("kill %d: %+v", kill, got)
		}
		f.mirror = again
	}
}

// Nothing but what the full text holds goes outside.
func TestCopyHoldsWordsOnly(t *testing.T) {
	t.Parallel()
	f := mustMirror(t)
	f.put(t, searchtest.Library...)
	f.settle(t, f.mirror)
	all, err := json.Marshal(f.server.Docs("hq_note"))
	if err != nil || bytes.Contains(all, []byte("新华西街")) || !bytes.Contains(all, []byte("新华 华西 西街")) {
		t.Errorf("%s, %v", all, err)
	}
}
