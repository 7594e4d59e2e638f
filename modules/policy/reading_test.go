package policy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// reminders keeps what people were told, by key.
type reminders struct {
	told map[string][]int64
	fail bool
}

func (r *reminders) Remind(_ context.Context, _ bun.Tx, x policy.Reminder) error {
	if r.fail {
		return errors.New("no line")
	}
	key := fmt.Sprintf("%s %s", x.ClosesOn, x.Left)
	if !slices.Contains(r.told[x.Key], x.UserID) {
		r.told[key] = append(r.told[key], x.UserID)
	}
	return nil
}

// TestFollowersAreRemindedOnce: by policy, issuer, topic, kind and word, seven days and two days before the last, once each.
func TestFollowersAreRemindedOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	r := &reminders{told: map[string][]int64{}}
	d := deps(t, f)
	d.Reminding = r
	f.Service = policy.New(d)
	c := content("烘焙小店措施")
	c.Kinds = []policy.Kind{policy.Reward}
	live := f.mustPublish(t, c)
	other := content("其他措施")
	other.Issuer, other.Topic, other.ClosesOn = "区文化局", policy.Talent, ""
	f.mustPublish(t, other)
	follow := func(user int64, kind policy.Interest, value string) error {
		_, err := f.Follow(ctx, boss(user, 70), policy.Subscribe{Kind: kind, Value: value})
		return err
	}
	for _, x := range []struct {
		user  int64
		kind  policy.Interest
		value string
	}{{101, policy.OfPolicy, fmt.Sprint(live.ID)}, {102, policy.OfIssuer, "通州区商务局"}, {103, policy.OfTopic, "funding"}, {104, policy.OfKind, "reward"},
		{105, policy.OfKeyword, "从业人员不超过100人"}, {106, policy.OfKeyword, "航天发动机"}, {107, policy.OfTopic, "talent"}, {101, policy.OfIssuer, "通州区商务局"}, {101, policy.OfIssuer, "通州区商务局"}} {
		if err := follow(x.user, x.kind, x.value); err != nil {
			t.Fatalf("follow %s %s: %v", x.kind, x.value, err)
		}
	}
	for _, bad := range []policy.Subscribe{{Kind: policy.OfPolicy, Value: "99999"}, {Kind: policy.OfTopic, Value: "x"}, {Kind: policy.OfKeyword, Value: "一"}, {Kind: "x", Value: "甲乙"}} {
		if err := follow(108, bad.Kind, bad.Value); err == nil {
			t.Errorf("followed %+v", bad)
		}
	}
	if _, err := f.Follow(ctx, viewer, policy.Subscribe{Kind: policy.OfTopic, Value: "funding"}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("staff follow: %v", err)
	}
	if list, err := f.Following(ctx, boss(101, 70)); err != nil || len(list) != 2 {
		t.Errorf("following %+v %v", list, err)
	}
	f.runs(t, r, live.ID)
}

// TestSubscribingTwiceIsOne: a repeat of a key is the first outcome, another key for the same wish no second subscription.
func TestSubscribingTwiceIsOne(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	who := boss(101, 70)
	funding := policy.Subscribe{Key: "k1", Kind: policy.OfTopic, Value: "funding"}
	for _, key := range []string{"k1", "k1", "k2", ""} {
		funding.Key = key
		if list, err := f.Follow(ctx, who, funding); err != nil || len(list) != 1 {
			t.Fatalf("key %q: %+v %v", key, list, err)
		}
	}
	if _, err := f.Follow(ctx, who, policy.Subscribe{Key: "k1", Kind: policy.OfTopic, Value: "talent"}); !errors.Is(err, idempotency.ErrKeyReused) {
		t.Errorf("the key of another wish: %v", err)
	}
	funding.Key = "k3"
	for range 2 {
		if list, err := f.Unfollow(ctx, who, funding); err != nil || len(list) != 0 {
			t.Errorf("ended: %+v %v", list, err)
		}
	}
	// The first wish comes late once more: it was done, and does not undo the end.
	funding.Key = "k1"
	if list, err := f.Follow(ctx, who, funding); err != nil || len(list) != 0 {
		t.Errorf("a late repeat subscribed again: %+v %v", list, err)
	}
	if n := f.rows(t, "audit_entries WHERE action IN ('policy.follow', 'policy.unfollow')"); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// runs lets the days pass.
func (f fixture) runs(t *testing.T, r *reminders, id int64) {
	t.Helper()
	ctx := context.Background()
	remind := func(day string) int {
		t.Helper()
		f.clock.Set(date(day).Add(2 * time.Hour))
		n, err := f.RemindDue(ctx, system)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := remind("2027-01-13"); n != 0 {
		t.Errorf("eight days before: %d told", n)
	}
	r.fail = true
	f.clock.Set(date("2027-01-14").Add(2 * time.Hour))
	if _, err := f.RemindDue(ctx, system); err == nil {
		t.Error("a reminder that was not given counts as given")
	}
	r.fail = false
	for _, day := range []string{"2027-01-14", "2027-01-14", "2027-01-18", "2027-01-19", "2027-01-20", "2027-01-21", "2027-01-22"} {
		remind(day)
	}
	all := []int64{101, 102, 103, 104, 105}
	if len(r.told) != 2 || !slices.Equal(r.told["2027年1月21日 还有 7 天"], all) || !slices.Equal(r.told["2027年1月21日 还有 2 天"], all) {
		t.Errorf("told %v", r.told)
	}
	if only, err := f.Followers(ctx, f.db.Read(), id, false); err != nil || !slices.Equal(only, []int64{101}) {
		t.Errorf("who follows the policy itself: %v %v", only, err)
	}
	if list, err := f.Unfollow(ctx, boss(101, 70), policy.Subscribe{Kind: policy.OfPolicy, Value: fmt.Sprint(id)}); err != nil || len(list) != 1 {
		t.Errorf("unfollowed %+v %v", list, err)
	}
	if _, err := f.RemindDue(ctx, baker); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("a company reminds: %v", err)
	}
}

// TestCalendar: windows stand on their days, what goes on all month beside them, and what is not public nowhere.
func TestCalendar(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	add := func(title, opens, closes string) {
		c := content(title)
		c.OpensOn, c.ClosesOn = opens, closes
		f.mustPublish(t, c)
	}
	add("甲", "2026-12-01", "2026-12-31")
	add("乙", "2026-11-01", "2026-12-31")
	add("丙", "2026-10-01", "2027-02-01")
	add("丁", "", "")
	f.mustAdd(t, content("草案"))
	m, err := f.Calendar(ctx, access.Actor{Party: access.Anonymous}, "2026-12")
	if err != nil || len(m.Days) != 2 || m.Previous != "2026-11" || m.Next != "2027-01" {
		t.Fatalf("%+v %v", m, err)
	}
	if m.Days[0].Day != "2026-12-01" || titles(m.Days[0].Opens) != "甲" || len(m.Days[0].Closes) != 0 || m.Days[1].Day != "2026-12-31" || titles(m.Days[1].Closes) != "甲 乙" || titles(m.Going) != "丙" {
		t.Errorf("december %+v", m)
	}
	if m, err = f.Calendar(ctx, access.Actor{}, ""); err != nil || m.Month != "2026-11" || titles(m.Days[0].Opens) != "乙" {
		t.Errorf("this month %+v %v", m, err)
	}
	if _, err := f.Calendar(ctx, access.Actor{}, "2026-13"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no month: %v", err)
	}
}
