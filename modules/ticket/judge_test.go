package ticket_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// answered writes a caller's request down and has the bureau reply to it.
func (f fixture) answered(t *testing.T, key string) ticket.View {
	t.Helper()
	v := f.mustDispatch(t, f.mustOpen(t, desk, call(key)), 10)
	return f.replies(t, v)
}

func (f fixture) replies(t *testing.T, v ticket.View) ticket.View {
	t.Helper()
	ctx := context.Background()
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已电话说明申请办法，联系人 13912345678。"}))(t)
	return f.see(t, desk, v)
}

func (f fixture) link(t *testing.T, id int64) (out ticket.JudgeLink) {
	t.Helper()
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) (err error) {
		out, err = f.MakeJudgeLink(ctx, tx, access.SystemActor("test"), id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func verdict(token string, good bool, level int) ticket.JudgeByLink {
	return ticket.JudgeByLink{Token: token, Responded: yes(true), Solved: yes(good), Level: level, Words: "说明情况"}
}

func TestAReplyIsJudgedByLink(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	nobody := access.Actor{IP: "10.0.0.1"}
	v := f.answered(t, "a")
	link := f.link(t, v.ID)
	if link.Phone != "13800138000" || link.Number != v.Number || len(link.Token) != 26 {
		t.Fatalf("%+v", link)
	}
	if again := f.link(t, v.ID); again.Token != "" {
		t.Error("two links for one reply")
	}
	if own := f.link(t, f.repliedBy(t, "own").ID); own.Token != "" {
		t.Error("a link for somebody with an account")
	}
	var kept string
	if err := f.db.Read().NewSelect().TableExpr("ticket_judge_links").Column("hash").Scan(ctx, &kept); err != nil || strings.Contains(kept, link.Token) {
		t.Fatalf("%q %v", kept, err)
	}
	seen, err := f.AtLink(ctx, nobody, link.Token)
	if err != nil || seen.Number != v.Number || strings.Contains(seen.Reply, "13912345678") {
		t.Fatalf("%+v %v", seen, err)
	}
	if err := f.Judge(ctx, nobody, ticket.JudgeByLink{Token: link.Token}); len(messages(err)) != 3 {
		t.Errorf("nothing chosen: %v", messages(err))
	}
	// Of ten at once one counts; not satisfied has it done again under a second clock.
	var wg sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		wg.Go(func() { errs[i] = f.Judge(ctx, nobody, verdict(link.Token, false, 1)) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, ticket.ErrLinkUsed) && !errors.Is(err, ticket.ErrLinkOver) {
			t.Errorf("beside the winner: %v", err)
		}
	}
	again := f.see(t, desk, v)
	if won != 1 || again.Status != ticket.Sent || len(again.Hops) != 2 || again.Rating != 0 {
		t.Fatalf("%d won: %s %+v", won, again.Status, again.Hops)
	}
	var responded bool
	if err := f.db.Read().NewSelect().TableExpr("ticket_callbacks").Column("responded").Where("ticket_id = ? AND source = 'requester'", v.ID).Scan(ctx, &responded); err != nil || !responded {
		t.Errorf("the call-back does not say that the unit was in touch: %v", err)
	}
	if _, err := f.AtLink(ctx, nobody, link.Token); !errors.Is(err, ticket.ErrLinkUsed) {
		t.Errorf("used: %v", err)
	}
	// The second reply has a link of its own; a good judgement ends the ticket.
	second := f.link(t, f.replies(t, again).ID)
	if second.Token == "" || second.Token == link.Token {
		t.Fatal("no second link")
	}
	if err := f.Judge(ctx, nobody, verdict(second.Token, true, 5)); err != nil {
		t.Fatal(err)
	}
	if done := f.see(t, desk, v); done.Status != ticket.Done || done.Rating != 5 || done.Opinion != "说明情况" {
		t.Errorf("%s %d", done.Status, done.Rating)
	}
}

func TestLinksThatDoNotJudge(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	nobody := access.Actor{IP: "10.0.0.2"}
	called, late := f.answered(t, "a"), f.answered(t, "b")
	over, old := f.link(t, called.ID).Token, f.link(t, late.ID).Token
	must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(called), Outcome: &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}}))(t)
	if err := f.Judge(ctx, nobody, verdict(over, true, 5)); !errors.Is(err, ticket.ErrLinkOver) {
		t.Errorf("closed meanwhile: %v", err)
	}
	f.clock.Advance(ticket.JudgeDays * 24 * 3600e9)
	if err := f.Judge(ctx, nobody, verdict(old, true, 5)); !errors.Is(err, ticket.ErrLinkWrong) {
		t.Errorf("past its days: %v", err)
	}
	wrong := strings.Repeat("A", 26)
	for range 20 {
		if _, err := f.AtLink(ctx, nobody, wrong); !errors.Is(err, ticket.ErrLinkWrong) {
			t.Fatalf("unknown: %v", err)
		}
	}
	if _, err := f.AtLink(ctx, nobody, wrong); !errors.Is(err, ticket.ErrLinkMany) || fault.KindOf(err) != fault.TooMany {
		t.Errorf("many: %v", err)
	}
	if _, err := f.AtLink(ctx, access.Actor{IP: "10.0.0.3"}, wrong); !errors.Is(err, ticket.ErrLinkWrong) {
		t.Errorf("another address: %v", err)
	}
	f.clock.Advance((ticket.JudgeDays + 1) * 24 * 3600e9)
	if err := f.ForgetTries(ctx); err != nil || f.rows(t, "ticket_judge_links") != 0 {
		t.Errorf("%d links kept, %v", f.rows(t, "ticket_judge_links"), err)
	}
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := f.MakeJudgeLink(ctx, tx, desk, late.ID)
		return err
	})
	if !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("an agent: %v", err)
	}
}

func TestThePageOfALink(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	v := b.house.answered(t, "a")
	path := "/j/" + b.house.link(t, v.ID).Token
	visit := b.visitor(path)
	status, html := b.glance(path)
	if status != 200 || !strings.Contains(html, "承办单位是否与您联系过") || !strings.Contains(html, v.Number) || strings.Contains(html, "王芳") || strings.Contains(html, "13912345678") {
		t.Fatalf("%d %s", status, html)
	}
	status, html = visit(url.Values{"solved": {"no"}, "words": {"<b>没人来"}})
	if status != 422 || !strings.Contains(html, "请选择满意程度") || !strings.Contains(html, "&lt;b&gt;没人来") {
		t.Fatalf("%d %s", status, html)
	}
	form := url.Values{"responded": {"yes"}, "solved": {"yes"}, "level": {"4"}}
	if status, html := visit(form); status != 303 {
		t.Fatalf("%d %s", status, html)
	}
	if status, html := b.glance(path + "?done=judged"); status != 200 || !strings.Contains(html, "评价已提交") {
		t.Errorf("%d %s", status, html)
	}
	if status, html := visit(form); status != 410 || !strings.Contains(html, "您已通过此链接评价过") {
		t.Errorf("twice: %d %s", status, html)
	}
	if status, html := b.glance("/j/" + strings.Repeat("B", 26)); status != 404 || !strings.Contains(html, "拨打 12345") {
		t.Errorf("unknown: %d %s", status, html)
	}
}

// glance gets a page as somebody without an account.
func (b browser) glance(path string) (int, string) {
	b.t.Helper()
	res, err := b.edge.App.Test(httptest.NewRequest("GET", path, nil), -1)
	if err != nil {
		b.t.Fatal(err)
	}
	html, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(html)
}
