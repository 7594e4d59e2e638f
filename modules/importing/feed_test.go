package importing

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// many makes the things come in lots, with a person to decide about every seventh.
func (w *world) many() {
	t := &w.Targets[0]
	t.PublishMany = func(ctx context.Context, tx bun.Tx, actor access.Actor, b sheet.Batch, records []sheet.Record) ([]sheet.Outcome, error) {
		out := make([]sheet.Outcome, len(records))
		for i, r := range records {
			if r.Values["name"] == "报废" {
				out[i].Problem = &sheet.RowProblem{Field: "name", Code: "BROKEN", Message: "这件物品已报废"}
				continue
			}
			x := thing{Code: r.Values["code"], Name: r.Values["name"]}
			if err := database.Insert(ctx, tx, &x); err != nil {
				return nil, err
			}
			out[i] = sheet.Outcome{Change: sheet.Created, ObjectID: x.ID}
			if err := w.before(r.Row); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	t.Flag = func(_ context.Context, _ access.Actor, records []sheet.Record) ([][]sheet.RowProblem, error) {
		out := make([][]sheet.RowProblem, len(records))
		for i, r := range records {
			if r.Row%7 == 0 {
				out[i] = []sheet.RowProblem{{Field: "name", Code: "SEVENTH", Message: "第七件，请核实"}}
			}
		}
		return out, nil
	}
	t.FlagTitles = map[string]string{"SEVENTH": "第七件"}
	t.Alike, t.Similar = "name", func(earlier, _ sheet.Record) *sheet.RowProblem {
		if earlier.Values["name"] != "双胞胎" {
			return nil
		}
		return &sheet.RowProblem{Field: "name", Code: "TWIN", Message: fmt.Sprintf("与第 %d 行同名", earlier.Row)}
	}
}

// TestPeopleDecide has flagged rows wait for a person, who takes some, drops the others and changes their mind.
func TestPeopleDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many()
	v := w.checked(w.list("编码,名称", 40) + "T1,双胞胎\nT2,双胞胎\nB1,报废\n")
	if v.State != Checked || v.Good != 36 || v.Review != 7 || v.CanPublish || len(v.Flags) != 2 || v.Flags[0].Title != "第七件" || v.Flags[0].Waiting != 6 {
		t.Fatalf("%+v", v)
	}
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); !errors.Is(err, ErrReview) {
		t.Fatal(err)
	}
	decide := func(cmd Decide) (View, error) {
		cmd.ID = v.ID
		return w.Decide(t.Context(), wang, cmd)
	}
	for _, bad := range []Decide{{}, {Rows: []int{7}, Flag: "TWIN"}, {Rows: make([]int, 201)}, {Rows: []int{8}, Accept: true}, {Flag: "NOTHING"}} {
		if _, err := decide(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	got, err := decide(Decide{Flag: "SEVENTH", Accept: true})
	if err != nil || got.Good != 42 || got.Review != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	if got, err = decide(Decide{Rows: []int{7, 14, 43}}); err != nil || got.Good != 40 || got.Review != 0 || got.Dropped != 3 || !got.CanPublish {
		t.Fatalf("%+v %v", got, err)
	}
	if got, err = decide(Decide{Rows: []int{14}, Accept: true}); err != nil || got.Good != 41 || got.Dropped != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	w.step()
	if v = w.get(v.ID); v.State != Done || v.Created != 40 || v.Refused != 1 || v.Dropped != 2 || w.count("SELECT count(*) FROM things") != 40 {
		t.Errorf("%+v", v)
	}
	if _, err := decide(Decide{Rows: []int{7}, Accept: true}); !errors.Is(err, ErrState) {
		t.Error(err)
	}
	if _, content, err := w.Report(t.Context(), wang, v.ID); err != nil || len(content) == 0 {
		t.Error(err)
	}
}

// TestLotIsWhole has a lot fail in the middle: nothing of it stays, and the next worker goes on behind the lot before.
func TestLotIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many()
	w.Targets[0].Flag = nil
	w.lot = 10
	v := w.checked(w.list("编码,名称", 45))
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	w.before = func(number int) error {
		if number == 16 {
			return errors.New("no luck")
		}
		return nil
	}
	if worked, err := w.Step(t.Context()); !worked || err == nil {
		t.Fatal("the failure was swallowed", worked)
	}
	if got := w.get(v.ID); got.Created != 10 || w.count("SELECT count(*) FROM things") != 10 || w.count("SELECT count(*) FROM import_rows WHERE state = 'created'") != 10 {
		t.Errorf("%+v", got)
	}
	w.before = func(int) error { return nil }
	w.now.Advance(2 * time.Minute)
	w.step()
	if v = w.get(v.ID); v.State != Done || v.Created != 45 || w.count("SELECT count(DISTINCT object_id) FROM import_rows") != 45 {
		t.Errorf("%+v", v)
	}
}

// TestFeed takes a register in page by page over an outage and a worker that dies within a page.
func TestFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many()
	w.Targets[0].Flag = nil
	w.Limits.Rows = 5000
	asked := map[string]int{}
	down := fault.New(fault.Conflict, "FEED", "对方没有答复")
	var trouble func(cursor string) error
	w.Feeds = []Feed{{Name: "register", Title: "物品接口", Target: "things", Source: "register", Page: func(_ context.Context, cursor string, limit int) (FeedPage, error) {
		asked[cursor]++
		if err := trouble(cursor); err != nil {
			return FeedPage{}, err
		}
		from := 0
		if cursor != "" {
			from, _ = strconv.Atoi(cursor)
		}
		p := FeedPage{Total: 2345, Records: []map[string]string{}}
		for i := from; i < min(from+limit, 2345); i++ {
			p.Records = append(p.Records, map[string]string{"code": fmt.Sprintf("F%04d", i), "name": fmt.Sprintf("第%d件", i)})
		}
		if from+limit < 2345 {
			p.Next = strconv.Itoa(from + limit)
		}
		return p, nil
	}}}
	trouble = func(cursor string) error {
		if cursor == "1000" && asked[cursor] == 1 {
			return down
		}
		return nil
	}
	weak := wang
	weak.Permissions = nil
	if _, err := w.StartFeed(t.Context(), weak, StartFeed{Feed: "register", Duplicates: sheet.Refuse}); !errors.Is(err, fault.ErrForbidden) {
		t.Error(err)
	}
	if _, err := w.StartFeed(t.Context(), wang, StartFeed{Feed: "nothing", Duplicates: sheet.Refuse}); !errors.Is(err, ErrFeed) {
		t.Error(err)
	}
	cmd := StartFeed{Feed: "register", Duplicates: sheet.Refuse, Key: "k"}
	v, err := w.StartFeed(t.Context(), wang, cmd)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.StartFeed(t.Context(), wang, cmd); err != nil || again.ID != v.ID {
		t.Error(again.ID, err)
	}
	w.step()
	if v = w.get(v.ID); v.State != Failed || v.Message != down.Message || v.Read != 1000 || !v.CanResume {
		t.Fatalf("%+v", v)
	}
	// the next worker dies within the second page, and the one after asks for that page again
	staged := 0
	check := w.Targets[0].Check
	w.Targets[0].Check = func(ctx context.Context, a access.Actor, r sheet.Record) (sheet.Record, []sheet.RowProblem, error) {
		if staged++; staged == 500 {
			return r, nil, errors.New("no luck")
		}
		return check(ctx, a, r)
	}
	if _, err := w.Resume(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	if worked, err := w.Step(t.Context()); !worked || err == nil {
		t.Fatal(worked, err)
	}
	if got := w.get(v.ID); got.Read <= 1000 || got.Read >= 1500 {
		t.Fatalf("%+v", got)
	}
	w.now.Advance(2 * time.Minute)
	w.step()
	if v = w.get(v.ID); v.State != Checked || v.Read != 2345 || v.Total != 2345 || v.Good != 2345 || asked[""] != 1 || asked["2000"] != 1 || asked["1000"] != 3 {
		t.Fatalf("%+v %v", v, asked)
	}
	if w.count("SELECT count(*) FROM import_rows") != 2345 || w.count("SELECT count(*) FROM things") != 0 {
		t.Error("rows are missing, or seen before publishing")
	}
	if _, err := w.Map(t.Context(), wang, MapImport{ID: v.ID, Columns: map[string]int{"code": 0}, Duplicates: sheet.Skip}); !errors.Is(err, ErrState) {
		t.Error(err)
	}
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	w.step()
	if v = w.get(v.ID); v.State != Done || v.Created != 2345 || w.count("SELECT count(*) FROM things") != 2345 {
		t.Errorf("%+v", v)
	}
	w.now.Advance(73 * time.Hour)
	if err := w.Expire(t.Context()); err != nil || w.count("SELECT count(*) FROM import_rows") != 0 {
		t.Error("the rows of a register stay", err)
	}
}
