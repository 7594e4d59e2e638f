package policy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
)

// The test program is also the process it kills: with this variable set it sends the plan of that database and nothing else.
const asSender = "TEST_AS_SENDER"

func TestMain(m *testing.M) {
	if target := os.Getenv(asSender); target != "" {
		os.Exit(send(target))
	}
	os.Exit(m.Run())
}

// killed is how many companies the plan of the test has: enough for a busy machine to be killed in the middle of several times.
const killed = 1_600

// theKilled fills a register with them, in each process alike.
func theKilled(r *reach) {
	for id := int64(1); id <= killed; id++ {
		r.enrol(id, firm("1411", "110112010", 30))
		r.consents[id] = true
	}
}

func send(target string) int {
	db, err := database.Open(context.Background(), target)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer db.Close()
	t := &alone{}
	r := reachOn(t, fixture{db: db, clock: clock.NewFake(start)})
	theKilled(r)
	plan, _ := strconv.ParseInt(os.Getenv("TEST_PLAN"), 10, 64)
	for {
		err := r.WorkPush(context.Background(), plan)
		if err == nil {
			return 0
		}
		v, verr := r.Push(context.Background(), planner, plan)
		if verr != nil || v.State != policy.PushSending {
			fmt.Fprintln(os.Stderr, err, verr)
			return 3
		}
	}
}

// alone stands for a test in the process that is killed.
type alone struct{ testing.TB }

func (*alone) Helper()           {}
func (*alone) Cleanup(func())    {}
func (*alone) Fatal(args ...any) { fmt.Fprintln(os.Stderr, args...); os.Exit(4) }

// TestPushSurvivesKills kills the process that sends a plan without warning, again and again: in the end every company was
// told once, and every one that is marked as told was.
func TestPushSurvivesKills(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	theKilled(r)
	r.mustRefresh(t)
	c := content("食品企业扩产补助")
	c.Conditions = []byte(bakers)
	p := r.mustPublish(t, c)
	plan, err := r.MakePush(ctx, planner, policy.MakePush{Key: "a", PolicyID: p.ID, Audience: policy.Audience{Sets: []criteria.Decision{criteria.Eligible}}})
	if err != nil {
		t.Fatal(err)
	}
	if plan, err = r.ApprovePush(ctx, approver, policy.PushStep{Key: "b", ID: plan.ID, Version: plan.Version}); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for round := 0; ; round++ {
		if round == 200 {
			t.Fatal("the plan does not come to its end")
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), asSender+"="+r.db.URL(), fmt.Sprintf("TEST_PLAN=%d", plan.ID))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		if before := len(r.letters(t)); kills < 6 {
			for len(r.letters(t)) == before && alive(done) { // it is at work
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
			_ = cmd.Process.Kill()
		}
		if err := <-done; err == nil {
			break
		}
		kills++
		seen := map[int64]int{}
		for _, l := range r.letters(t) {
			if seen[l.UserID]++; seen[l.UserID] > 1 {
				t.Fatalf("after %d kills %d was told twice", kills, l.UserID)
			}
		}
		if told := r.rows(t, "policy_push_items WHERE state = 'told'"); told != len(seen) {
			t.Fatalf("after %d kills %d are marked as told, %d were", kills, told, len(seen))
		}
	}
	if plan, err = r.Push(ctx, planner, plan.ID); err != nil || plan.State != policy.PushDone || plan.Progress.Told != killed || len(r.letters(t)) != killed || r.rows(t, "policy_told") != killed {
		t.Fatalf("%+v, %d letters, %v", plan.Progress, len(r.letters(t)), err)
	}
	if kills < 3 {
		t.Errorf("only %d kills: the test proves little", kills)
	}
	t.Logf("%d kills", kills)
}

func alive(done chan error) bool {
	select {
	case err := <-done:
		done <- err
		return false
	default:
		return true
	}
}
