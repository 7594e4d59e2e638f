package heap

import (
	"context"
	"runtime/debug"
	"testing"
)

// TestExportsAreFrugal: while one of two is under way the collector works as usual, and is at ease again after both.
func TestExportsAreFrugal(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	before, limited := debug.SetGCPercent(usualPercent), debug.SetMemoryLimit(-1)
	t.Cleanup(func() {
		eased = false
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(limited)
	})
	percent := func() int {
		p := debug.SetGCPercent(-1)
		debug.SetGCPercent(p)
		return p
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	Ease(ctx)
	if p, l := percent(), debug.SetMemoryLimit(-1); p != easyPercent || l < easyHeap {
		t.Fatal(p, l)
	}
	first, second := Frugal(), Frugal()
	first()
	first() // once is enough
	if p := percent(); p != usualPercent {
		t.Errorf("%d while one is under way", p)
	}
	second()
	if p := percent(); p != easyPercent {
		t.Errorf("%d afterwards", p)
	}
}

func TestWhatLivesIsLeftRoom(t *testing.T) {
	if got := limit(60 << 20); got != easyHeap {
		t.Error(got)
	}
	if got := limit(1 << 30); got != 2<<30 {
		t.Error(got)
	}
}

// TestTheEnvironmentDecides: who sets GOGC has it.
func TestTheEnvironmentDecides(t *testing.T) {
	t.Setenv("GOGC", "70")
	was := eased
	Ease(context.Background())
	if eased != was {
		t.Error("eased all the same")
	}
}
