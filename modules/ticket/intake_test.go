package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// callers knows 13800138000 as user 7 of company 70.
type callers struct{}

func (callers) PersonByPhone(_ context.Context, _ bun.IDB, phone string) (ticket.AccountHolder, error) {
	if phone != "13800138000" {
		return ticket.AccountHolder{}, fault.ErrNotFound
	}
	return ticket.AccountHolder{UserID: 7, Name: "王芳", EnterpriseID: 70}, nil
}

func (callers) Firm(_ context.Context, _ bun.IDB, id int64) (ticket.Firm, error) {
	return ticket.Firm{ID: id, Name: fmt.Sprintf("第%d面包房有限公司", id), Verified: true}, nil
}

// puzzles takes "right".
type puzzles struct{}

func (puzzles) NewCaptcha(context.Context) (string, error) { return "p", nil }

func (puzzles) SolveCaptcha(_ context.Context, _, answer string) error {
	if answer != "right" {
		return fault.InvalidField("captchaAnswer", "CAPTCHA_WRONG", "图形验证码不正确")
	}
	return nil
}

// withCallers is a fixture that knows callers and asks puzzles.
func withCallers(t *testing.T) fixture {
	t.Helper()
	f := mustNew(t)
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{}, Callers: callers{}, Puzzles: puzzles{}})
	return f
}

func called(title, body, phone string) ticket.OpenTicket {
	return ticket.OpenTicket{Type: "power", Title: title, Body: body, ContactName: "李芳", Phone: phone}
}

func TestWhoCalls(t *testing.T) {
	t.Parallel()
	f, ctx := withCallers(t), context.Background()
	first := f.mustOpen(t, baker, ask(""))
	second := f.mustOpen(t, desk, called("停电", "西门停电", "13911112222"))
	must(f.Void(ctx, desk, ticket.VoidTicket{Ref: ref(second), Reason: "重复"}))(t)
	third := f.mustOpen(t, desk, called("还在停电", "西门停电", "139 1111 2222"))
	numbers := func(items []ticket.Item) string {
		var out []string
		for _, i := range items {
			out = append(out, i.Number)
		}
		return strings.Join(out, " ")
	}
	for name, c := range map[string]struct {
		ask                        ticket.LookUp
		name, person, open, recent string
		firm                       bool
	}{
		"an account":  {ticket.LookUp{Phone: "+86 138 0013 8000"}, "王芳", "王芳", first.Number, "", true},
		"by phone":    {ticket.LookUp{Phone: "13911112222"}, "李芳", "", third.Number, second.Number, false},
		"by code":     {ticket.LookUp{CreditCode: "91110112ma01abcd12"}, "", "", first.Number, "", true},
		"half typed":  {ticket.LookUp{Phone: "1391111"}, "", "", "", "", false},
		"nobody":      {ticket.LookUp{Phone: "13700000000", CreditCode: "91110112MA01ZZZZ99"}, "", "", "", "", false},
		"phone, code": {ticket.LookUp{Phone: "13911112222", CreditCode: "91110112MA01ABCD12"}, "李芳", "", third.Number + " " + first.Number, second.Number, true},
	} {
		got, err := f.Caller(ctx, desk, c.ask)
		person := ""
		if got.Person != nil {
			person = got.Person.Name
		}
		if err != nil || got.Name != c.name || person != c.person || numbers(got.Open) != c.open || numbers(got.Recent) != c.recent || (got.Firm != nil) != c.firm {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	for _, who := range []access.Actor{baker, everything(tax), bureau} {
		if _, err := f.Caller(ctx, who, ticket.LookUp{Phone: "13911112222"}); !errors.Is(err, fault.ErrForbidden) {
			t.Errorf("%s: %v", who.Party, err)
		}
	}
}

func TestDuplicatesAreHinted(t *testing.T) {
	t.Parallel()
	f, ctx := withCallers(t), context.Background()
	old := f.mustOpen(t, desk, called("玉带河东街路灯不亮", "十天了没人修", "13911110000"))
	f.clock.Set(start.AddDate(0, 0, 40))
	lamp := f.mustOpen(t, desk, called("玉带河东街路灯不亮", "晚上看不清路，请派人维修", "13911110001"))
	mine := f.mustOpen(t, baker, ask(""))
	f.mustOpen(t, desk, called("食堂饭菜涨价", "能不能管一管", "13911110002"))
	for name, c := range map[string]struct {
		who   access.Actor
		draft ticket.Typed
		want  int64
		why   string
	}{
		"same words and place":     {desk, ticket.Typed{Type: "power", Title: "路灯坏了，玉带河东街一片漆黑", Body: "路灯不亮，看不清路"}, lamp.ID, "同一地点（河东街）"},
		"same words, another type": {desk, ticket.Typed{Type: "labour", Title: "玉带河东街路灯不亮了"}, lamp.ID, "内容相似"},
		"same phone":               {desk, ticket.Typed{Phone: "13911110001"}, lamp.ID, "同一来电人"},
		"same phone, other matter": {desk, ticket.Typed{Type: "labour", Title: "公积金怎么提取", Phone: "13911110001"}, 0, ""},
		"same company by code":     {desk, ticket.Typed{Type: "labour", Title: "用工补贴怎么申请", CreditCode: "91110112MA01ABCD12"}, mine.ID, "同一企业"},
		"hardly begun":             {desk, ticket.Typed{Title: "路"}, 0, ""},
		"own":                      {baker, ticket.Typed{Type: "labour", Title: "如何申请用工补贴"}, mine.ID, "同一类型"},
		"not another's":            {baker, ticket.Typed{Type: "power", Title: "玉带河东街路灯不亮", Phone: "13911110001"}, 0, ""},
		"a colleague's":            {boss(9, 70), ticket.Typed{Type: "labour", Title: "如何申请用工补贴"}, 0, ""},
	} {
		got, err := f.Similar(ctx, c.who, c.draft)
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want == 0 && len(got) > 0:
			t.Errorf("%s: %+v", name, got)
		case c.want != 0 && (len(got) == 0 || got[0].ID != c.want || !strings.Contains(strings.Join(got[0].Reasons, " "), c.why)):
			t.Errorf("%s: %+v", name, got)
		}
		if slices.ContainsFunc(got, func(a ticket.Alike) bool { return a.ID == old.ID }) {
			t.Errorf("%s: one from 40 days ago", name)
		}
	}
	if _, err := f.Similar(ctx, bureau, ticket.Typed{Title: "路灯"}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("a unit: %v", err)
	}
}

func TestAskingWithNumberAndCode(t *testing.T) {
	t.Parallel()
	f, ctx := withCallers(t), context.Background()
	v := f.mustOpen(t, desk, called("请回电 13911112222", "身份证 110105194912310021，电话 13911112222", "13911112222"))
	f.mustDispatch(t, must(f.Get(ctx, desk, v.ID))(t), 10)
	from := func(ip string) access.Actor { return access.Actor{IP: ip} }
	right := ticket.AskByNumber{Number: " gd20261122－000001 ", Code: v.QueryCode}
	got, err := f.ByNumber(ctx, from("10.0.0.1"), right)
	if err != nil || got.Number != v.Number || got.StatusName != "待签收" || len(got.Timeline) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	if all := fmt.Sprintf("%+v", got); strings.Contains(all, "13911112222") || strings.Contains(all, "李") || strings.Contains(all, "请尽快联系企业") {
		t.Errorf("told %s", all)
	}
	wrong := "000000"
	if v.QueryCode == wrong {
		wrong = "000001"
	}
	// A wrong code and a number that does not exist are answered alike, the puzzle comes after three, the end after twenty.
	var said [2][]string
	for i, number := range []string{v.Number, "GD20261122-000999"} {
		for n := range wrongTries {
			ask := ticket.AskByNumber{Number: number, Code: wrong}
			if n > 4 {
				ask.CaptchaID, ask.CaptchaAnswer = "p", "right"
			}
			_, err := f.ByNumber(ctx, from(fmt.Sprintf("10.0.1.%d", i)), ask)
			said[i] = append(said[i], err.Error())
		}
	}
	if !slices.Equal(said[0], said[1]) || !strings.HasPrefix(said[0][2], "QUERY_WRONG") || !strings.HasPrefix(said[0][3], "CAPTCHA_NEEDED") || !strings.HasPrefix(said[0][wrongTries-1], "QUERY_MANY") {
		t.Errorf("%v\n%v", said[0], said[1])
	}
	if needs, err := f.NeedsPuzzle(ctx, from("10.0.1.0")); err != nil || !needs {
		t.Errorf("puzzle %v %v", needs, err)
	}
	// Whoever guesses locks the number for themselves; its requester is asked a puzzle at most, and told until when the other waits.
	_, err = f.ByNumber(ctx, from("10.0.1.0"), ticket.AskByNumber{Number: v.Number, Code: v.QueryCode, CaptchaID: "p", CaptchaAnswer: "right"})
	if told, _ := fault.As(err); !errors.Is(err, ticket.ErrQueryMany) || !strings.Contains(told.Message, clock.Show(f.clock.Now().Add(24*time.Hour+time.Minute))) || !strings.Contains(told.Message, "12345") || told.RetryAfter < 86000 {
		t.Errorf("whoever guessed: %v", err)
	}
	if _, err := f.ByNumber(ctx, from("10.0.0.1"), right); !errors.Is(err, ticket.ErrQueryPuzzle) {
		t.Errorf("its requester, elsewhere: %v", err)
	}
	solved := right
	solved.CaptchaID, solved.CaptchaAnswer = "p", "right"
	if got, err := f.ByNumber(ctx, from("10.0.0.1"), solved); err != nil || got.Number != v.Number {
		t.Errorf("with the puzzle: %v", err)
	}
	// From many addresses at once the number is closed in the end.
	for n := range 12 {
		for range 9 {
			_, err = f.ByNumber(ctx, from(fmt.Sprintf("10.0.2.%d", n)), ticket.AskByNumber{Number: v.Number, Code: wrong, CaptchaID: "p", CaptchaAnswer: "right"})
		}
	}
	if !errors.Is(err, ticket.ErrQueryMany) {
		t.Errorf("a number that is guessed at from everywhere: %v", err)
	}
	f.clock.Advance(25 * time.Hour)
	if _, err := f.ByNumber(ctx, from("10.0.0.1"), right); err != nil {
		t.Errorf("a day later: %v", err)
	}
	if _, err := f.ByNumber(ctx, from("10.0.0.2"), ticket.AskByNumber{}); len(messages(err)) != 2 {
		t.Errorf("empty: %v", err)
	}
	if err := f.ForgetTries(ctx); err != nil || f.rows(t, "ticket_query_tries") > 2 {
		t.Errorf("forgotten %v", err)
	}
	// Tries at once are all counted.
	var group sync.WaitGroup
	var mu sync.Mutex
	kinds := map[string]int{}
	for range 12 {
		group.Add(1)
		go func() {
			defer group.Done()
			_, err := f.ByNumber(ctx, from("10.0.9.9"), ticket.AskByNumber{Number: v.Number, Code: wrong})
			mu.Lock()
			defer mu.Unlock()
			f, _ := fault.As(err)
			kinds[f.Code]++
		}()
	}
	group.Wait()
	if kinds["QUERY_WRONG"] != 3 || kinds["CAPTCHA_NEEDED"] != 9 {
		t.Errorf("at once %v", kinds)
	}
}

// wrongTries are as many as end all tries of a number on one day.
const wrongTries = 14
