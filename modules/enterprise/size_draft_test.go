package enterprise_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

func sizer(id int64, rights ...access.Permission) access.Actor {
	a := clerk(rights...)
	a.UserID, a.Name = id, fmt.Sprintf("经办%d", id)
	return a
}

// stricter has one industry, in which a company of 45 people is small no longer but micro.
func stricter(from string) enterprise.SizeEditionBody {
	return enterprise.SizeEditionBody{Kind: "size", Document: "新划型标准", From: from,
		Rows: []enterprise.SizeRowBody{{Name: "工业", Codes: []string{"14"}, Employees: []int64{2000, 600, 50}, Revenue: []int64{80000, 4000, 600}}}}
}

func TestSizesAreEnteredAndPublishedByTwo(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	consents := agreed{not: map[int64]bool{}}
	f := mustNew(t, func(d *enterprise.Deps) { d.Consents = consents })
	writer, second, boss := sizer(70, enterprise.PermGolden), sizer(71, enterprise.PermGolden, enterprise.PermSizePublish), sizer(72, enterprise.PermSizePublish)
	a := f.mustOpen(t, 7, "麦香")
	f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	if _, err := f.State(ctx, a, enterprise.StateFacts{Employees: "45", Revenue: "450"}); err != nil {
		t.Fatal(err)
	}
	f.mustOpen(t, 8, "没有行业的企业")

	if _, err := f.SaveSizeDraft(ctx, boss, enterprise.SaveSizeDraft{SizeEditionBody: stricter("2027-01-01")}); fault.KindOf(err) != fault.Forbidden {
		t.Fatal("entered without the right:", err)
	}
	if _, err := f.AddEdition(ctx, writer, stricter("2027-01-01").Edition(), ""); fault.KindOf(err) != fault.Forbidden {
		t.Fatal("added past the second person:", err)
	}
	for at, change := range map[string]func(b *enterprise.SizeEditionBody){
		"document": func(b *enterprise.SizeEditionBody) { b.Document = "" },
		"from":     func(b *enterprise.SizeEditionBody) { b.From = "2011-06-18" },
		"rows":     func(b *enterprise.SizeEditionBody) { b.Rows[0].Employees = []int64{50, 600, 2000} },
	} {
		b := stricter("2027-01-01")
		change(&b)
		_, err := f.SaveSizeDraft(ctx, writer, enterprise.SaveSizeDraft{SizeEditionBody: b})
		if x, ok := fault.As(err); !ok || len(x.Fields) != 1 || x.Fields[0].Name != at {
			t.Errorf("%s: %v", at, err)
		}
	}
	cmd := enterprise.SaveSizeDraft{SizeEditionBody: stricter("2026-11-01"), Key: "once"}
	for range 2 {
		if list, err := f.SaveSizeDraft(ctx, writer, cmd); err != nil || len(list) != 1 || list[0].Version != 1 || list[0].MayPublish {
			t.Fatalf("%+v %v", list, err)
		}
	}
	if _, err := f.SaveSizeDraft(ctx, writer, enterprise.SaveSizeDraft{SizeEditionBody: stricter("2026-11-02")}); !errors.Is(err, fault.ErrChanged) {
		t.Fatal("begun beside another:", err)
	}

	p, err := f.PreviewSizes(ctx, boss, "size", "")
	if err != nil || p.Seen != 2 || p.Reckoned != 1 || p.Changed != 1 || p.Next != "" || len(p.Moves) != 1 || p.Moves[0] != (enterprise.SizeMove{From: "小型", To: "微型", Count: 1}) || len(p.Examples) != 1 {
		t.Fatalf("%+v %v", p, err)
	}
	consents.not[a.EnterpriseID] = true
	if p, err = f.PreviewSizes(ctx, boss, "size", ""); err != nil || p.Changed != 1 || len(p.Examples) != 0 {
		t.Fatalf("named a company that has not agreed: %+v %v", p, err)
	}
	delete(consents.not, a.EnterpriseID)
	if _, err := f.PreviewSizes(ctx, clerk(), "size", ""); fault.KindOf(err) != fault.Forbidden {
		t.Fatal(err)
	}

	// Whoever wrote any of it does not publish it.
	if _, err := f.SaveSizeDraft(ctx, second, enterprise.SaveSizeDraft{SizeEditionBody: stricter("2026-11-20"), Version: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.PublishSizeDraft(ctx, second, enterprise.SizeDraftRef{Kind: "size", Version: 2}); !errors.Is(err, enterprise.ErrOwnSize) {
		t.Fatal(err)
	}
	if _, err := f.PublishSizeDraft(ctx, writer, enterprise.SizeDraftRef{Kind: "size", Version: 2}); fault.KindOf(err) != fault.Forbidden {
		t.Fatal(err)
	}
	if _, err := f.PublishSizeDraft(ctx, boss, enterprise.SizeDraftRef{Kind: "size", Version: 1}); !errors.Is(err, fault.ErrChanged) {
		t.Fatal("published what they have not seen:", err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := f.PublishSizeDraft(ctx, boss, enterprise.SizeDraftRef{Kind: "size", Version: 2})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if k := fault.KindOf(err); k != fault.NotFound && k != fault.Conflict {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	list, err := f.SizeEditions(ctx, clerk())
	if err != nil || done != 1 || len(list) != 3 || list[0].From != "2026-11-20" || list[0].By != "经办71 录入，经办72 发布" {
		t.Fatalf("%d %+v %v", done, list, err)
	}
	if m, err := f.Mine(ctx, a); err != nil || m.Size.Text != "微型" {
		t.Fatalf("%+v %v", m.Size, err)
	}
	if drafts, err := f.SizeDrafts(ctx, boss); err != nil || len(drafts) != 0 {
		t.Fatalf("%+v %v", drafts, err)
	}

	// What is thrown away leaves no trace in what holds.
	if _, err := f.SaveSizeDraft(ctx, writer, enterprise.SaveSizeDraft{SizeEditionBody: stricter("2027-06-01")}); err != nil {
		t.Fatal(err)
	}
	if drafts, err := f.DiscardSizeDraft(ctx, writer, enterprise.SizeDraftRef{Kind: "size", Version: 1}); err != nil || len(drafts) != 0 {
		t.Fatalf("%+v %v", drafts, err)
	}
}
