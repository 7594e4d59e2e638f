package catalog_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestABatchPassesWhatWasLookedAt: a sample is drawn, nothing passes before it was looked at, one that changed meanwhile
// keeps nobody back, and what was found stops all of it.
func TestABatchPassesWhatWasLookedAt(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var refs []catalog.Ref
	for i := range 11 {
		c := loan()
		c.Name = fmt.Sprint("批量贷", i)
		refs = append(refs, ref(f.mustSubmit(t, banker, c)))
	}
	refuse := func(what string, actor access.Actor, refs []catalog.Ref, code string) {
		t.Helper()
		_, err := f.OpenBatch(ctx, actor, catalog.OpenBatch{Products: refs})
		if fl, _ := fault.As(err); fl == nil || fl.Code != code {
			t.Errorf("%s: %v", what, err)
		}
	}
	refuse("one product", first, refs[:1], "BATCH_SIZE")
	refuse("one twice", first, []catalog.Ref{refs[0], refs[0]}, "BATCH_PRODUCT")
	refuse("not the actor's review", second, refs, "BATCH_PRODUCT")
	refuse("an institution", banker, refs, "FORBIDDEN")
	dear := loan()
	dear.RateMax = 2000
	refuse("one to look twice at", first, append([]catalog.Ref{ref(f.mustSubmit(t, banker, dear))}, refs[0]), "BATCH_PRODUCT")

	b := must(f.OpenBatch(ctx, first, catalog.OpenBatch{Key: "batch", Products: refs}))(t)
	if again := must(f.OpenBatch(ctx, first, catalog.OpenBatch{Key: "batch", Products: refs}))(t); again.ID != b.ID {
		t.Errorf("asked twice, two batches")
	}
	var drawn []int64
	for _, i := range b.Items {
		if i.Sampled {
			drawn = append(drawn, i.ProductID)
		}
	}
	if len(b.Items) != 11 || len(drawn) != 3 || b.State != catalog.BatchOpen {
		t.Fatalf("%+v", b)
	}
	if _, err := f.Batch(ctx, first2, b.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another's batch: %v", err)
	}
	for n, id := range drawn {
		if _, err := f.PassBatch(ctx, first, b.ID); !catalog.ErrUnchecked.Is(err) {
			t.Errorf("passed with %d looked at: %v", n, err)
		}
		b = must(f.CheckBatch(ctx, first, catalog.CheckBatch{ID: b.ID, ProductID: id, Fine: true}))(t)
	}
	must(f.Withdraw(ctx, banker, catalog.WithdrawProduct{Ref: refs[4]}))(t)
	var wg sync.WaitGroup
	for range 3 { // sent again and again
		wg.Go(func() {
			if _, err := f.PassBatch(ctx, first, b.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b = must(f.Batch(ctx, first, b.ID))(t)
	passed := 0
	for _, i := range b.Items {
		v := must(f.Get(ctx, first, i.ProductID))(t)
		switch {
		case i.ProductID == refs[4].ID && (i.Passed || v.Status != catalog.TakenBack || !strings.Contains(i.Problem, "已更新")):
			t.Errorf("what was taken back: %+v", i)
		case i.Passed && v.Status == catalog.GovernmentReview && strings.Contains(v.Timeline[len(v.Timeline)-1].Text, "共 11 个产品，抽查 3 个"):
			passed++
		}
	}
	if passed != 10 || b.State != catalog.BatchPassed {
		t.Errorf("%d passed: %+v", passed, b)
	}

	// What is found in the sample stops the batch.
	refs = nil
	for i := range 3 {
		c := loan()
		c.Name = fmt.Sprint("停批贷", i)
		refs = append(refs, ref(f.mustSubmit(t, banker, c)))
	}
	b = must(f.OpenBatch(ctx, first, catalog.OpenBatch{Products: refs}))(t)
	bad := b.Items[slices.IndexFunc(b.Items, func(i catalog.BatchItemView) bool { return i.Sampled })].ProductID
	if _, err := f.CheckBatch(ctx, first, catalog.CheckBatch{ID: b.ID, ProductID: bad}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("found without a word: %v", err)
	}
	b = must(f.CheckBatch(ctx, first, catalog.CheckBatch{ID: b.ID, ProductID: bad, Note: "费率不符"}))(t)
	if _, err := f.PassBatch(ctx, first, b.ID); b.State != catalog.BatchStopped || !catalog.ErrBatchOver.Is(err) {
		t.Errorf("%s: %v", b.State, err)
	}
	b = must(f.OpenBatch(ctx, first, catalog.OpenBatch{Products: refs}))(t)
	f.clock.Advance(2*time.Hour + time.Second)
	if _, err := f.PassBatch(ctx, first, b.ID); !catalog.ErrBatchOver.Is(err) {
		t.Errorf("after its time: %v", err)
	}
}
