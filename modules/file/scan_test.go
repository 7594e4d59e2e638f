package file_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

var (
	one    = access.Actor{UserID: 1, Party: access.Enterprise}
	two    = access.Actor{UserID: 2, Party: access.Enterprise}
	system = access.SystemActor("test")
)

func (f *fixture) save(t *testing.T, name string) (file.View, error) {
	t.Helper()
	return f.Save(context.Background(), one, "attachment", name, bytes.NewReader(picture(t)))
}

func (f *fixture) claim(a access.Actor, id int64) error {
	return f.DB.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error { return f.Claim(ctx, tx, a, id, "ticket", 5) })
}

func (f *fixture) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := f.DB.Read().QueryRowContext(context.Background(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestVirusIsRefusedAndKeptAway(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := newFixture(t, true)
	f.scanner.virus = "Eicar-Test-Signature"
	_, err := f.save(t, "a.png")
	g, _ := fault.As(err)
	if !errors.Is(err, file.ErrVirus) || g.Kind != fault.Invalid || len(g.Fields) != 1 || g.Fields[0].Name != "file" {
		t.Fatalf("a virus: %v", err)
	}
	var r struct {
		ID           int64
		State, Virus string
	}
	if err := f.DB.Read().NewSelect().TableExpr("files").Column("id", "state", "virus").Scan(ctx, &r); err != nil || r.State != "quarantined" || r.Virus != "Eicar-Test-Signature" {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := f.Read(ctx, one, r.ID); !errors.Is(err, file.ErrQuarantined) {
		t.Errorf("given out: %v", err)
	}
	if _, err := f.Read(ctx, two, r.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a stranger learns of it: %v", err)
	}
	if err := f.claim(one, r.ID); fault.KindOf(err) != fault.Invalid {
		t.Errorf("tied: %v", err)
	}
	if err := f.claim(two, r.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a stranger ties it: %v", err)
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'file.quarantine' AND object_id = ? AND actor_id = 1", r.ID); n != 1 {
		t.Errorf("%d audit rows", n)
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'file.upload'"); n != 0 {
		t.Errorf("%d uploads written down", n)
	}
	// the person was told by the answer
	if n := f.count(t, "SELECT count(*) FROM events"); n != 0 {
		t.Errorf("%d events", n)
	}
}

func TestScannerDownHoldsTheFile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := newFixture(t, true)
	f.scanner.err = errors.New("connection refused")
	clean, err := f.save(t, "好.png")
	if err != nil || clean.State != "waiting" {
		t.Fatalf("%+v, %v", clean, err)
	}
	bad, err := f.save(t, "坏.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{clean.ID, bad.ID} {
		if _, err := f.Read(ctx, one, id); !errors.Is(err, file.ErrWaiting) {
			t.Errorf("given out unscanned: %v", err)
		}
	}
	if n := f.count(t, "SELECT count(*) FROM river_job WHERE kind = 'file.scan'"); n != 2 {
		t.Errorf("%d jobs", n)
	}
	// what waits can be handed in, and is still not given out
	if err := f.claim(one, bad.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(ctx, two, bad.ID); !errors.Is(err, file.ErrWaiting) {
		t.Errorf("who sees the ticket gets it unscanned: %v", err)
	}
	if err := f.Rescan(ctx, one, clean.ID); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a person scans: %v", err)
	}
	if err := f.Rescan(ctx, system, clean.ID); err == nil || jobs.Failed(err) {
		t.Errorf("no verdict ends the job: %v", err)
	}
	if v, _ := f.Get(ctx, one, clean.ID); v.State != "waiting" {
		t.Errorf("no verdict: %s", v.State)
	}

	f.scanner.err = nil
	for range 2 {
		if err := f.Rescan(ctx, system, clean.ID); err != nil {
			t.Fatal(err)
		}
	}
	if f.scanner.asked != 4 { // twice at the upload, once without a verdict, once with: what is known is not asked again
		t.Errorf("asked %d times", f.scanner.asked)
	}
	d, err := f.Read(ctx, one, clean.ID)
	if err != nil {
		t.Fatalf("after the scan: %v", err)
	}
	d.Content.Close()
	f.scanner.virus = "Win.Test"
	for range 2 {
		if err := f.Rescan(ctx, system, bad.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Read(ctx, two, bad.ID); !errors.Is(err, file.ErrQuarantined) {
		t.Errorf("given out with a virus: %v", err)
	}
	if of, err := f.Of(ctx, f.DB.Read(), "ticket", 5); err != nil || len(of) != 1 || of[0].State != "quarantined" {
		t.Errorf("listed as %+v, %v", of, err)
	}
	facts, err := event.Of(ctx, f.DB.Read(), file.Object, bad.ID)
	if err != nil || len(facts) != 1 {
		t.Fatalf("%d facts, %v", len(facts), err)
	}
	var fact file.QuarantinedFact
	if err := facts[0].Decode(&fact); err != nil || fact != (file.QuarantinedFact{ID: bad.ID, Name: "坏.png", UserID: 1, Object: "ticket", ObjectID: 5}) {
		t.Errorf("told %+v, %v", fact, err)
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'file.quarantine' AND object_id = ?", bad.ID); n != 1 {
		t.Errorf("%d audit rows", n)
	}
	if err := f.Rescan(ctx, system, 9999); !jobs.Failed(err) {
		t.Errorf("a file that is gone: %v", err)
	}
	if strings.Contains(f.log.String(), "ERROR") {
		t.Errorf("log: %s", f.log)
	}
}
