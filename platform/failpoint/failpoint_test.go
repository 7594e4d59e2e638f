package failpoint

import (
	"errors"
	"testing"
)

func TestHitCountsAndActs(t *testing.T) {
	t.Setenv("FAILPOINT", "a:2:error,b:1:panic")
	for range 3 {
		if err := Hit("a"); err != nil {
			t.Fatalf("the product has failpoints: %v", err)
		}
	}
	linked = "yes"
	defer func() { linked = "" }()
	for n := 1; n <= 3; n++ {
		if err := Hit("a"); errors.Is(err, ErrHit) != (n == 2) {
			t.Fatalf("hit %d: %v", n, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Fatal("b did not panic")
		}
	}()
	_ = Hit("b")
}

func TestUnreadableRuleEndsTheProgram(t *testing.T) {
	for _, bad := range []string{"a", "a:0:kill", "a:1:explode", "a:x:kill"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was taken", bad)
				}
			}()
			read(bad)
		}()
	}
}
