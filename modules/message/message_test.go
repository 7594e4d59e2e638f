package message_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// start is a Tuesday morning in Beijing: nobody is asleep.
var start = time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)

// provider notes every call and answers from a list; with an empty list it takes everything.
type provider struct {
	mu     sync.Mutex
	calls  []string
	answer []message.Outcome
	lacks  string // the name of a template it does not have
	crash  bool   // the process dies while the call is on its way
	done   chan struct{}
}

func (p *provider) next(call string) message.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, call)
	if p.crash {
		p.crash = false
		panic("killed")
	}
	if len(p.answer) == 0 {
		return message.Outcome{State: message.Sent, Receipt: fmt.Sprintf("r%d", len(p.calls))}
	}
	o := p.answer[0]
	p.answer = p.answer[1:]
	if len(p.answer) == 0 && p.done != nil {
		close(p.done)
	}
	return o
}

func (p *provider) verbs() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, c := range p.calls {
		out = append(out, strings.Fields(c)[0])
	}
	return strings.Join(out, " ")
}

func (p *provider) Knows(template string) bool { return template != p.lacks }

func (p *provider) Send(_ context.Context, id string, t message.Text) message.Outcome {
	return p.next(fmt.Sprintf("send %s %s %s %v", t.Phone, id, t.Template, t.Params))
}

func (p *provider) Ask(_ context.Context, id string, t message.Text, _ time.Time) message.Outcome {
	return p.next(fmt.Sprintf("ask %s %s %s %v", t.Phone, id, t.Template, t.Params))
}

func (p *provider) Post(_ context.Context, id string, m message.Post) message.Outcome {
	return p.next(fmt.Sprintf("post %s %s %s %s %v", m.OpenID, id, m.Template, m.Link, m.Fields))
}

// people: 7 has phone and WeChat, 8 a phone only, 404 is nobody.
type people struct{}

func (people) Contact(_ context.Context, _ bun.IDB, id int64) (string, string, error) {
	switch id {
	case 404:
		return "", "", fault.ErrNotFound
	case 8:
		return "13900139000", "", nil
	}
	return "13800138000", "oBAKERY0123456789", nil
}

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, jobs.Migrations, message.Migrations)

type fixture struct {
	*message.Service
	t      *testing.T
	db     *database.DB
	clock  *clock.Fake
	sms    *provider
	wechat *provider
}

func mustBox(t *testing.T) *secret.Box {
	t.Helper()
	key, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": key}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// mustNew makes a centre whose jobs are inserted and not worked: tests deliver by hand.
func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{t: t, db: databasetest.New(t, steps), clock: clock.NewFake(start), sms: &provider{}, wechat: &provider{}}
	f.Service = message.New(message.Deps{
		DB: f.db, Clock: f.clock, Box: mustBox(t), People: people{}, Sender: f.sms, Poster: f.wechat, Quiet: message.NightHours, Log: slog.New(slog.DiscardHandler),
	}, jobs.NewWorkers())
	q, err := jobs.New(context.Background(), f.db, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f.Use(q)
	return f
}

func replied(key string, user int64) message.Notice {
	return message.Notice{Key: key, UserID: user, Template: "ticket.replied", Link: "/tickets/3", Params: map[string]string{
		"number": "GD20261124-000003", "title": "门前路灯不亮，请联系 13800138000", "unitName": "区城市管理委员会", "text": "已修复，详见附件。", "reason": "",
	}}
}

func (f fixture) notify(list ...message.Notice) error {
	return f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		for _, n := range list {
			if err := f.Notify(ctx, tx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f fixture) mustNotify(list ...message.Notice) {
	f.t.Helper()
	if err := f.notify(list...); err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) rows(table string) int {
	f.t.Helper()
	n, err := f.db.Read().NewSelect().TableExpr(table).Count(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	return int(n)
}

// deliver runs the job of a letter as the queue would; the process may die in it.
func (f fixture) deliver(c message.Channel, id int64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return f.Deliver(context.Background(), access.SystemActor("test"), c, id)
}

func (f fixture) state(c message.Channel, id int64) message.State {
	f.t.Helper()
	v, err := f.Letter(context.Background(), operator, c, id)
	if err != nil {
		f.t.Fatal(err)
	}
	return v.State
}

var (
	baker    = access.Actor{UserID: 7, Name: "王芳", Party: access.Enterprise, EnterpriseID: 70, Scope: access.ScopeSelf}
	rival    = access.Actor{UserID: 8, Name: "李强", Party: access.Enterprise, EnterpriseID: 80, Scope: access.ScopeSelf}
	operator = access.Actor{UserID: 50, Name: "赵敏", Party: access.Platform, Scope: access.ScopeDistrict,
		Permissions: []access.Permission{message.PermRelease, message.PermView}}
	watcher = access.Actor{UserID: 51, Name: "钱进", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{message.PermView}}
)

func TestTemplatesFitWhatProvidersApprove(t *testing.T) {
	t.Parallel()
	if err := message.ValidateTemplates(message.Templates()); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]message.Template{
		"no title":      {Code: "x.y", Group: message.Tickets, Text: "好"},
		"no text":       {Code: "x.y", Group: message.Tickets, Title: "好"},
		"group":         {Code: "x.y", Group: "weather", Title: "好", Text: "好"},
		"sms":           {Code: "x.y", Group: message.Tickets, Title: "好", Text: "好", SMS: &message.SMSForm{Name: "nobody"}},
		"sms parameter": {Code: "x.y", Group: message.Tickets, Title: "好", Text: "好", SMS: &message.SMSForm{Name: "ticket_progress", Params: map[string]string{"number": "1"}}},
		"long word": {Code: "x.y", Group: message.Tickets, Title: "好", Text: "好", Wechat: &message.WechatForm{Name: "ticket_progress", Values: map[string]string{
			"thing1": "{title}", "character_string2": "1", "phrase3": "超过五个字的词", "time4": "{time}", "thing5": "好"}}},
	} {
		if message.ValidateTemplates([]message.Template{bad}) == nil {
			t.Errorf("%s was let through", name)
		}
	}
	if err := message.ValidateTemplates(append(message.Templates(), message.Templates()[0])); err == nil {
		t.Error("a code twice was let through")
	}
}

func TestANoticeBecomesAMessageAndLetters(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustNotify(replied("event:1", 7), replied("event:1", 8))
	f.mustNotify(replied("event:1", 7)) // the listener reads the fact again
	items, _, err := f.List(ctx, baker, message.ListFilter{})
	if err != nil || len(items) != 1 {
		t.Fatalf("%+v, %v", items, err)
	}
	m := items[0]
	if m.Title != "承办单位已反馈" || m.Link != "/tickets/3" || m.Group != message.Tickets || m.ReadAt != nil ||
		m.Text != "区城市管理委员会已反馈您的诉求“门前路灯不亮，请联系 138****8000”（GD20261124-000003）：已修复，详见附件。" {
		t.Fatalf("%+v", m)
	}
	if n := f.rows("sms_messages"); n != 2 {
		t.Errorf("%d text messages", n)
	}
	if n := f.rows("wechat_messages"); n != 1 {
		t.Errorf("%d WeChat messages: the second person has no account there", n)
	}
	if n := f.rows("river_job"); n != 3 {
		t.Errorf("%d jobs", n)
	}
	if len(f.sms.calls)+len(f.wechat.calls) != 0 {
		t.Error("something was sent before the commit was worked on")
	}
	for c, id := range map[message.Channel]int64{message.SMS: 1, message.Wechat: 1} {
		if err := f.deliver(c, id); err != nil || f.state(c, id) != message.Sent {
			t.Errorf("%s: %v, %s", c, err, f.state(c, id))
		}
		if err := f.deliver(c, id); err != nil {
			t.Errorf("%s again: %v", c, err)
		}
	}
	outcomes, err := f.OutcomesOf(context.Background(), f.db.Read(), []string{"event:1", "event:2"})
	if want := (message.NoticeOutcome{Letter: message.Sent}); err != nil || len(outcomes) != 1 || outcomes["event:1"] != want {
		t.Errorf("%+v %v", outcomes, err)
	}
	if len(f.sms.calls) != 1 || !strings.HasPrefix(f.sms.calls[0], "send 13800138000 ") ||
		!strings.HasSuffix(f.sms.calls[0], " ticket_progress map[number:GD20261124-000003 status:已有办理结果]") {
		t.Errorf("%q", f.sms.calls)
	}
	want := " ticket_progress /tickets/3 map[character_string2:GD20261124-000003 phrase3:已反馈 thing1:门前路灯不亮，请联系 138****8… thing5:已修复，详见附件。 time4:2026年11月24日 10:00]"
	if len(f.wechat.calls) != 1 || !strings.HasPrefix(f.wechat.calls[0], "post oBAKERY0123456789 ") || !strings.HasSuffix(f.wechat.calls[0], want) {
		t.Errorf("%q", f.wechat.calls)
	}
}

func TestNothingWithoutTheTransaction(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		if err := f.Notify(ctx, tx, replied("event:1", 7)); err != nil {
			return err
		}
		return errors.New("the change failed")
	})
	if err == nil || f.rows("messages")+f.rows("sms_messages")+f.rows("wechat_messages")+f.rows("river_job") != 0 {
		t.Fatalf("%v; something is left of a change that did not happen", err)
	}
	for name, n := range map[string]message.Notice{
		"unknown":        {Key: "1", UserID: 7, Template: "weather.fine"},
		"code":           {Key: "1", UserID: 7, Template: "code", Params: map[string]string{"code": "123456"}},
		"value missing":  {Key: "1", UserID: 7, Template: "ticket.closed", Params: map[string]string{"number": "1"}},
		"value of a way": {Key: "1", UserID: 7, Template: "application.accepted", Params: map[string]string{"number": "1", "productName": "贷"}},
	} {
		if err := f.notify(n); !errors.Is(err, message.ErrTemplate) || f.rows("messages") != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNotifyAll: messages that are written together are those that each alone would have left.
func TestNotifyAll(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustNotify(replied("event:1", 7))
	list := []message.Notice{replied("event:1", 7), {Key: "event:9", UserID: 7, Template: "weather.fine"}}
	for user := int64(7); user < 20; user++ {
		list = append(list, replied("event:2", user), replied("event:2", user))
	}
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		unfit, err := f.NotifyAll(ctx, tx, list)
		if len(unfit) != 1 || !errors.Is(unfit[0], message.ErrTemplate) || !strings.Contains(unfit[0].Error(), "event:9") {
			t.Errorf("do not fit: %v", unfit)
		}
		return err
	})
	if n, told := f.rows("messages"), f.rows("events"); err != nil || n != 14 || told != 14 {
		t.Fatalf("%d messages, %d announced: %v", n, told, err)
	}
}

func TestWhoGetsLetters(t *testing.T) {
	t.Parallel()
	late := replied("event:1", 7)
	late.At = start.Add(-49 * time.Hour)
	light := message.Notice{Key: "event:1", UserID: 7, Template: "ticket.closed", Params: replied("", 7).Params}
	inHouse := message.Notice{Key: "event:1", UserID: 7, Template: "product.listed", Params: map[string]string{"name": "贷", "institutionName": "行", "reason": ""}}
	for name, c := range map[string]struct {
		notice      message.Notice
		set         func(*testing.T, fixture)
		sms, wechat int
	}{
		"both":                  {replied("event:1", 7), nil, 1, 1},
		"no WeChat account":     {replied("event:1", 8), nil, 1, 0},
		"nobody":                {replied("event:1", 404), nil, 0, 0},
		"a small step":          {light, nil, 0, 1},
		"in-house":              {inHouse, nil, 0, 0},
		"too late":              {late, nil, 0, 0},
		"no template":           {replied("event:1", 7), func(_ *testing.T, f fixture) { f.sms.lacks = "ticket_progress" }, 0, 1},
		"no official account":   {replied("event:1", 7), func(_ *testing.T, f fixture) { f.Service.Poster = nil }, 1, 0},
		"SMS off":               {replied("event:1", 7), prefer(message.Tickets, false, true), 0, 1},
		"WeChat off":            {replied("event:1", 7), prefer(message.Tickets, true, false), 1, 0},
		"off for another group": {replied("event:1", 7), prefer(message.Applications, false, false), 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := mustNew(t)
			if c.set != nil {
				c.set(t, f)
			}
			f.mustNotify(c.notice)
			if n := f.rows("messages"); n != 1 {
				t.Errorf("%d messages", n)
			}
			if s, w := f.rows("sms_messages"), f.rows("wechat_messages"); s != c.sms || w != c.wechat {
				t.Errorf("%d text messages, %d in WeChat", s, w)
			}
		})
	}
}

func prefer(g message.Group, sms, wechat bool) func(*testing.T, fixture) {
	return func(t *testing.T, f fixture) {
		p, err := f.Prefer(context.Background(), baker, g, sms, wechat)
		if err != nil || p.Phone != "138****8000" || !p.Wechat || len(p.Groups) != 4 {
			t.Fatalf("%+v, %v", p, err)
		}
		for _, x := range p.Groups {
			if x.Group == g && (x.SMS != sms || x.Wechat != wechat) || x.Group != g && !(x.SMS && x.Wechat) {
				t.Fatalf("%+v", p)
			}
		}
	}
}

func TestPreferencesOfOthers(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for _, c := range []struct {
		actor access.Actor
		group message.Group
		kind  fault.Kind
	}{
		{access.Actor{}, message.Tickets, fault.Unauthorized}, {operator, message.Tickets, fault.Invalid},
		{baker, message.Codes, fault.Invalid}, {baker, "weather", fault.Invalid},
	} {
		if _, err := f.Prefer(ctx, c.actor, c.group, false, false); fault.KindOf(err) != c.kind {
			t.Errorf("%s as %d: %v", c.group, c.actor.UserID, err)
		}
	}
	if p, err := f.Preferences(ctx, operator); err != nil || len(p.Groups) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	morning := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) // 08:00 in Beijing
	for _, c := range []struct {
		name  string
		at    time.Time
		until time.Time
	}{
		{"21:59", time.Date(2026, 11, 24, 13, 59, 0, 0, time.UTC), time.Time{}},
		{"22:00", time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC), morning},
		{"03:00", time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC), morning},
		{"07:59", time.Date(2026, 11, 24, 23, 59, 0, 0, time.UTC), morning},
		{"08:00", morning, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := mustNew(t)
			f.clock.Advance(c.at.Sub(start))
			f.mustNotify(replied("event:1", 7))
			_ = f.deliver(message.SMS, 1)
			_ = f.deliver(message.Wechat, 1)
			if f.state(message.Wechat, 1) != message.Sent {
				t.Error("WeChat waits too")
			}
			v, err := f.Letter(context.Background(), operator, message.SMS, 1)
			if err != nil {
				t.Fatal(err)
			}
			if c.until.IsZero() {
				if v.State != message.Sent || v.NotBefore != nil {
					t.Errorf("%+v", v)
				}
				return
			}
			if v.State != message.Queued || v.NotBefore == nil || !v.NotBefore.Equal(c.until) || v.Attempts != 0 || len(f.sms.calls) != 0 {
				t.Errorf("%+v %q", v, f.sms.calls)
			}
			f.clock.Advance(c.until.Sub(c.at))
			if err := f.deliver(message.SMS, 1); err != nil || f.state(message.SMS, 1) != message.Sent {
				t.Errorf("in the morning: %v, %s", err, f.state(message.SMS, 1))
			}
		})
	}
}

func TestParseQuietHours(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"22:00-08:00", "12:30-13:30", "none"} {
		if _, err := message.ParseQuietHours(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "22-8", "22:00", "22:00-22:00", "25:00-08:00", "22:00-08:00-09:00"} {
		if _, err := message.ParseQuietHours(bad); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
	if q, err := message.ParseQuietHours("22:00-08:00"); err != nil || q != message.NightHours {
		t.Errorf("%+v, %v", q, err)
	}
}

// TestOtherQuietHours: an installation may choose a rest at noon, or none.
func TestOtherQuietHours(t *testing.T) {
	t.Parallel()
	noon, err := message.ParseQuietHours("12:30-13:30")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		quiet message.QuietHours
		at    string
		waits bool
	}{
		{noon, "12:29", false}, {noon, "12:30", true}, {noon, "13:29", true}, {noon, "13:30", false}, {noon, "23:00", false}, {message.QuietHours{}, "03:00", false},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-25 "+c.at, clock.Beijing)
		if err != nil {
			t.Fatal(err)
		}
		f := mustNew(t)
		f.Quiet = c.quiet
		f.clock.Advance(at.Sub(start))
		f.mustNotify(replied("event:1", 7))
		_ = f.deliver(message.SMS, 1)
		if waits := f.state(message.SMS, 1) == message.Queued; waits != c.waits {
			t.Errorf("%s: %v", c.at, waits)
		}
	}
}

func TestRetriesDoNotFallIntoTheNightAndCodesComeAlways(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.sms.answer = []message.Outcome{{State: message.Queued, Err: errors.New("connection refused")}}
	f.mustNotify(replied("event:1", 7))
	if err := f.deliver(message.SMS, 1); err == nil || f.state(message.SMS, 1) != message.Queued {
		t.Fatalf("%v, %s", err, f.state(message.SMS, 1))
	}
	f.clock.Advance(12*time.Hour + time.Minute) // 22:01
	if err := f.deliver(message.SMS, 1); err == nil || len(f.sms.calls) != 1 {
		t.Fatalf("%v, %q", err, f.sms.calls)
	}
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		return f.Text(ctx, tx, message.Text{Phone: "13800138000", Template: "code", Params: map[string]string{"code": "482913"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.deliver(message.SMS, 2); err != nil || !strings.Contains(f.sms.calls[1], "code:482913") {
		t.Fatalf("%v, %q", err, f.sms.calls)
	}
	f.clock.Advance(10*time.Hour - time.Minute) // 08:00
	if err := f.deliver(message.SMS, 1); err != nil || f.state(message.SMS, 1) != message.Sent {
		t.Fatalf("%v, %s", err, f.state(message.SMS, 1))
	}
}

// TestACodeIsTriedAgainSoon: somebody waits for a code, so that what the provider's flow control held back follows as
// soon as it may; a notice takes its time.
func TestACodeIsTriedAgainSoon(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustNotify(replied("event:1", 7))
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		return f.Text(ctx, tx, message.Text{Phone: "13800138000", Template: "code", Params: map[string]string{"code": "482913"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	held := message.Outcome{State: message.Refused, Code: "isv.BUSINESS_LIMIT_CONTROL"}
	f.sms.answer = []message.Outcome{held, held, {State: message.Sent, Receipt: "b1"}}
	soon := jobs.Snooze(10 * time.Second).Error()
	if err := f.deliver(message.SMS, 1); err == nil || err.Error() == soon {
		t.Errorf("a notice: %v", err)
	}
	if err := f.deliver(message.SMS, 2); err == nil || err.Error() != soon || f.state(message.SMS, 2) != message.Queued {
		t.Errorf("a code: %v, %s", err, f.state(message.SMS, 2))
	}
	f.clock.Advance(10 * time.Second)
	if err := f.deliver(message.SMS, 2); err != nil || f.state(message.SMS, 2) != message.Sent {
		t.Errorf("a code ten seconds later: %v, %s", err, f.state(message.SMS, 2))
	}
}

func TestWhatNeverLeftDoesNotLeaveTooLate(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustNotify(replied("event:1", 7))
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		return f.Text(ctx, tx, message.Text{Phone: "13800138000", Template: "code", Params: map[string]string{"code": "482913"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(6 * time.Minute)
	if err := f.deliver(message.SMS, 2); err != nil || f.state(message.SMS, 2) != message.Refused {
		t.Errorf("an old code: %v, %s", err, f.state(message.SMS, 2))
	}
	f.clock.Advance(24 * time.Hour)
	if err := f.deliver(message.SMS, 1); err != nil || f.state(message.SMS, 1) != message.Refused || len(f.sms.calls) != 0 {
		t.Errorf("an old notice: %v, %s, %q", err, f.state(message.SMS, 1), f.sms.calls)
	}
}

// TestLettersAreNeverSentTwice walks a letter through what can become of it. "dies" is the end of the process between
// claim and answer.
func TestLettersAreNeverSentTwice(t *testing.T) {
	t.Parallel()
	sent, queued, unknown := message.Outcome{State: message.Sent, Receipt: "b1"}, message.Outcome{State: message.Queued, Err: errors.New("x")}, message.Outcome{State: message.Unknown, Err: errors.New("x")}
	no, later := message.Outcome{State: message.Refused, Code: "43004", Permanent: true}, message.Outcome{State: message.Refused, Code: "isv.BUSINESS_LIMIT_CONTROL"}
	type step struct {
		wait   time.Duration
		dies   bool
		answer message.Outcome
		verb   string // "" when nobody may be called
		state  message.State
	}
	for _, c := range []struct {
		name    string
		channel message.Channel
		steps   []step
	}{
		{"sms: refused for good", message.SMS, []step{{0, false, no, "send", message.Refused}, {time.Hour, false, sent, "", message.Refused}}},
		{"sms: flow control passes", message.SMS, []step{{0, false, later, "send", message.Queued}, {time.Minute, false, sent, "send", message.Sent}}},
		{"sms: never left", message.SMS, []step{{0, false, queued, "send", message.Queued}, {time.Second, false, sent, "send", message.Sent}, {time.Hour, false, sent, "", message.Sent}}},
		{"sms: answer lost, arrived", message.SMS, []step{{0, false, unknown, "send", message.Unknown}, {time.Minute, false, sent, "ask", message.Sent}}},
		{"sms: answer lost, not believed at once", message.SMS, []step{{0, false, unknown, "send", message.Unknown}, {30 * time.Second, false, queued, "ask", message.Unknown},
			{time.Minute, false, queued, "ask", message.Queued}, {time.Second, false, sent, "send", message.Sent}}},
		{"sms: answer lost, had failed", message.SMS, []step{{0, false, unknown, "send", message.Unknown}, {time.Minute, false, no, "ask", message.Refused}}},
		{"sms: nobody knows for a day", message.SMS, []step{{0, false, unknown, "send", message.Unknown}, {10 * time.Hour, false, unknown, "ask", message.Unknown},
			{15 * time.Hour, false, sent, "", message.Unknown}}},
		{"sms: dies", message.SMS, []step{{0, true, sent, "send", message.Sending}, {10 * time.Second, false, sent, "", message.Sending},
			{time.Minute, false, sent, "ask", message.Sent}}},
		{"wechat: does not follow", message.Wechat, []step{{0, false, no, "post", message.Refused}, {time.Hour, false, sent, "", message.Refused}}},
		{"wechat: busy passes", message.Wechat, []step{{0, false, later, "post", message.Queued}, {time.Second, false, sent, "post", message.Sent}}},
		{"wechat: answer lost, repeated in time", message.Wechat, []step{{0, false, unknown, "post", message.Unknown}, {30 * time.Second, false, sent, "post", message.Sent}}},
		{"wechat: a repeat that did not leave says nothing", message.Wechat, []step{{0, false, unknown, "post", message.Unknown}, {30 * time.Second, false, queued, "post", message.Unknown},
			{30 * time.Second, false, later, "post", message.Unknown}, {9 * time.Minute, false, sent, "", message.Unknown}, {time.Hour, false, sent, "", message.Unknown}}},
		{"wechat: dies", message.Wechat, []step{{0, true, sent, "post", message.Sending}, {time.Minute, false, sent, "post", message.Sent}}},
		{"wechat: dies and is found too late", message.Wechat, []step{{0, true, sent, "post", message.Sending}, {10 * time.Minute, false, sent, "", message.Unknown}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := mustNew(t)
			f.mustNotify(replied("event:1", 7))
			p := f.sms
			if c.channel == message.Wechat {
				p = f.wechat
			}
			verbs, id := "", ""
			for i, s := range c.steps {
				f.clock.Advance(s.wait)
				p.answer, p.crash = []message.Outcome{s.answer}, s.dies
				_ = f.deliver(c.channel, 1)
				verbs = strings.TrimSpace(verbs + " " + s.verb)
				if got := f.state(c.channel, 1); got != s.state || p.verbs() != verbs {
					t.Fatalf("step %d: %s after %q, want %s after %q", i, got, p.verbs(), s.state, verbs)
				}
			}
			for _, call := range p.calls {
				if got := strings.Fields(call)[2]; id != "" && got != id {
					t.Errorf("the letter went out under two ids: %q", p.calls)
				} else {
					id = got
				}
			}
		})
	}
}

func TestASlowWorkerIsOverruled(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustNotify(replied("event:1", 7))
	entered, release := make(chan struct{}), make(chan struct{})
	slow := &slowSender{provider: f.sms, entered: entered, release: release}
	f.Service.Sender = slow
	ended := make(chan error, 1)
	go func() { ended <- f.deliver(message.SMS, 1) }()
	<-entered
	f.clock.Advance(2 * time.Minute) // it hangs; another worker takes over and asks
	if err := f.deliver(message.SMS, 1); err != nil || f.state(message.SMS, 1) != message.Sent {
		t.Fatalf("%v, %s", err, f.state(message.SMS, 1))
	}
	close(release)
	<-ended
	if got := f.state(message.SMS, 1); got != message.Sent || f.sms.verbs() != "ask" {
		t.Fatalf("the slow worker wrote %s after %q", got, f.sms.verbs())
	}
}

type slowSender struct {
	*provider

	entered, release chan struct{}
}

func (s *slowSender) Send(context.Context, string, message.Text) message.Outcome {
	close(s.entered)
	<-s.release
	return message.Outcome{State: message.Refused, Permanent: true, Code: "late"}
}

func TestOnlyTheSystemDelivers(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.mustNotify(replied("event:1", 7))
	if err := f.Deliver(context.Background(), operator, message.SMS, 1); fault.KindOf(err) != fault.Forbidden || len(f.sms.calls) != 0 {
		t.Fatalf("%v", err)
	}
}

func TestReading(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var list []message.Notice
	for i := range 45 {
		list = append(list, replied(fmt.Sprintf("event:%d", i), 7))
	}
	f.mustNotify(list...)
	f.mustNotify(replied("event:1", 8))
	var seen []int64
	for cursor, first := "", true; first || cursor != ""; first = false {
		items, next, err := f.List(ctx, baker, message.ListFilter{Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range items {
			seen = append(seen, m.ID)
		}
		cursor = next
	}
	if len(seen) != 45 || !slices.IsSortedFunc(seen, func(a, b int64) int { return int(b - a) }) {
		t.Fatalf("%v", seen)
	}
	if n, err := f.Unread(ctx, baker); err != nil || n != 45 {
		t.Fatalf("%d, %v", n, err)
	}
	for range 2 {
		if v, err := f.Read(ctx, baker, seen[3]); err != nil || v.ReadAt == nil || !v.ReadAt.Equal(start) {
			t.Fatalf("%+v, %v", v, err)
		}
		f.clock.Advance(time.Hour)
	}
	if _, err := f.Read(ctx, rival, seen[4]); fault.KindOf(err) != fault.NotFound {
		t.Errorf("somebody else's message: %v", err)
	}
	if _, err := f.Read(ctx, operator, seen[4]); fault.KindOf(err) != fault.NotFound {
		t.Errorf("somebody else's message, by an operator: %v", err)
	}
	if items, _, err := f.List(ctx, baker, message.ListFilter{Unread: true, Limit: 100}); err != nil || len(items) != 44 {
		t.Errorf("%d unread, %v", len(items), err)
	}
	if n, err := f.ReadAll(ctx, baker, seen[40]); err != nil || n != 5 {
		t.Errorf("up to the 41st of 45: %d, %v", n, err)
	}
	if n, err := f.ReadAll(ctx, baker, 0); err != nil || n != 39 {
		t.Errorf("the rest: %d, %v", n, err)
	}
	if n, err := f.Unread(ctx, rival); err != nil || n != 1 {
		t.Errorf("the other person's: %d, %v", n, err)
	}
	if _, _, err := f.List(ctx, baker, message.ListFilter{Cursor: "x"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	for _, call := range []func() error{
		func() error { _, _, err := f.List(ctx, access.Actor{}, message.ListFilter{}); return err },
		func() error { _, err := f.Unread(ctx, access.Actor{}); return err },
		func() error { _, err := f.Read(ctx, access.Actor{}, seen[0]); return err },
		func() error { _, err := f.ReadAll(ctx, access.Actor{}, 0); return err },
		func() error { _, err := f.Preferences(ctx, access.Actor{}); return err },
	} {
		if err := call(); fault.KindOf(err) != fault.Unauthorized {
			t.Errorf("a visitor: %v", err)
		}
	}
}

func TestAHundredAtOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var wg sync.WaitGroup
	for i := range 100 {
		for range 2 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := f.notify(replied(fmt.Sprintf("event:%d", i), 7)); err != nil {
					t.Error(err)
				}
			}()
		}
	}
	wg.Wait()
	if m, s, w := f.rows("messages"), f.rows("sms_messages"), f.rows("wechat_messages"); m != 100 || s != 100 || w != 100 {
		t.Fatalf("%d messages, %d text messages, %d in WeChat", m, s, w)
	}
	f.mustNotify(replied("event:100", 7))
	if n, err := f.Unread(ctx, baker); err != nil || n != message.MostUnread {
		t.Fatalf("%d, %v", n, err)
	}
}

func TestReleasing(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustNotify(replied("event:1", 7))
	f.wechat.answer = []message.Outcome{{State: message.Unknown}}
	_ = f.deliver(message.Wechat, 1)
	f.clock.Advance(time.Hour)
	_ = f.deliver(message.Wechat, 1)
	v, err := f.Letter(ctx, operator, message.Wechat, 1)
	if err != nil || v.State != message.Unknown || !v.CanResend || v.Recipient != "oBAK****6789" {
		t.Fatalf("%+v, %v", v, err)
	}
	if w, err := f.Letter(ctx, watcher, message.Wechat, 1); err != nil || w.CanResend {
		t.Errorf("who may only look: %+v, %v", w, err)
	}
	cmd := message.Release{Channel: message.Wechat, ID: 1, Version: v.Version, Reason: "电话询问本人，没有收到", Key: "k1"}
	bad := func(name string, actor access.Actor, change func(*message.Release), kind fault.Kind) {
		t.Helper()
		c := cmd
		c.Key = ""
		change(&c)
		if _, err := f.Release(ctx, actor, c); fault.KindOf(err) != kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad("a visitor", access.Actor{}, func(*message.Release) {}, fault.Unauthorized)
	bad("who may only look", watcher, func(*message.Release) {}, fault.Forbidden)
	bad("the person herself", baker, func(*message.Release) {}, fault.Forbidden)
	bad("no reason", operator, func(c *message.Release) { c.Reason = " " }, fault.Invalid)
	bad("stale", operator, func(c *message.Release) { c.Version-- }, fault.Conflict)
	bad("missing", operator, func(c *message.Release) { c.ID = 99 }, fault.NotFound)
	bad("no such channel", operator, func(c *message.Release) { c.Channel = "pigeon" }, fault.NotFound)
	for range 2 {
		if v, err := f.Release(ctx, operator, cmd); err != nil || v.State != message.Queued {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	bad("twice under another key", operator, func(c *message.Release) { c.Version++ }, fault.Conflict)
	if err := f.deliver(message.Wechat, 1); err != nil || f.state(message.Wechat, 1) != message.Sent || f.wechat.verbs() != "post post" {
		t.Fatalf("%v, %s, %q", err, f.state(message.Wechat, 1), f.wechat.verbs())
	}
	var events, audits int
	if err := f.db.Read().NewRaw("SELECT (SELECT count(*) FROM events WHERE type = 'message.released'), (SELECT count(*) FROM audit_entries WHERE action = 'message.release')").
		Scan(ctx, &events, &audits); err != nil || events != 1 || audits != 1 {
		t.Errorf("%d events, %d audit rows, %v", events, audits, err)
	}
}

func TestTwoReleaseAtOnceAndNoCodeIsReleased(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustNotify(replied("event:1", 7))
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return f.Text(ctx, tx, message.Text{Phone: "13800138000", Template: "code", Params: map[string]string{"code": "482913"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range int64(2) {
		f.sms.answer = []message.Outcome{{State: message.Unknown}}
		_ = f.deliver(message.SMS, id+1)
	}
	code, err := f.Letter(ctx, operator, message.SMS, 2)
	if err != nil || code.CanResend {
		t.Fatalf("%+v, %v", code, err)
	}
	if _, err := f.Release(ctx, operator, message.Release{Channel: message.SMS, ID: 2, Version: code.Version, Reason: "没有收到验证码"}); !errors.Is(err, message.ErrCodeOver) {
		t.Errorf("a code: %v", err)
	}
	v, err := f.Letter(ctx, operator, message.SMS, 1)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := f.Release(ctx, operator, message.Release{Channel: message.SMS, ID: 1, Version: v.Version, Reason: "电话询问本人，没有收到", Key: fmt.Sprint(i)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d releases won", won)
	}
}

func TestTheListOfLetters(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for i := range 25 {
		f.mustNotify(replied(fmt.Sprintf("event:%d", i), 7+int64(i%2)))
	}
	f.sms.answer = []message.Outcome{{State: message.Refused, Code: "isv.MOBILE_NUMBER_ILLEGAL", Permanent: true}}
	_ = f.deliver(message.SMS, 1)
	read := func(fl message.LetterFilter) []message.LetterView {
		t.Helper()
		var all []message.LetterView
		for first := true; first || fl.Cursor != ""; first = false {
			items, next, err := f.Letters(ctx, watcher, fl)
			if err != nil {
				t.Fatal(err)
			}
			all, fl.Cursor = append(all, items...), next
		}
		return all
	}
	if n := len(read(message.LetterFilter{Channel: message.SMS})); n != 25 {
		t.Errorf("%d text messages", n)
	}
	if n := len(read(message.LetterFilter{Channel: message.Wechat, Phone: "+86 138 0013 8000"})); n != 13 {
		t.Errorf("%d in WeChat to the first person", n)
	}
	if n := len(read(message.LetterFilter{Channel: message.SMS, Phone: "139 0013 9000"})); n != 12 {
		t.Errorf("%d to the second person", n)
	}
	if n := len(read(message.LetterFilter{Channel: message.SMS, Template: "ticket.closed"})); n != 0 {
		t.Errorf("%d of another template", n)
	}
	refused := read(message.LetterFilter{Channel: message.SMS, State: message.Refused})
	if len(refused) != 1 || refused[0].Code != "isv.MOBILE_NUMBER_ILLEGAL" || refused[0].Recipient != "138****8000" || refused[0].Title != "承办单位已反馈" {
		t.Errorf("%+v", refused)
	}
	for name, c := range map[string]struct {
		actor  access.Actor
		filter message.LetterFilter
		kind   fault.Kind
	}{
		"visitor":       {access.Actor{}, message.LetterFilter{Channel: message.SMS}, fault.Unauthorized},
		"no right":      {baker, message.LetterFilter{Channel: message.SMS}, fault.Forbidden},
		"of one office": {access.Actor{UserID: 9, Party: access.Institution, Scope: access.ScopeSelf, Permissions: watcher.Permissions}, message.LetterFilter{Channel: message.SMS}, fault.Forbidden},
		"channel":       {watcher, message.LetterFilter{Channel: "pigeon"}, fault.Invalid},
		"state":         {watcher, message.LetterFilter{Channel: message.SMS, State: "lost"}, fault.Invalid},
		"phone":         {watcher, message.LetterFilter{Channel: message.SMS, Phone: "12"}, fault.Invalid},
	} {
		if _, _, err := f.Letters(ctx, c.actor, c.filter); fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.LetterTemplates(ctx, baker); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("%v", err)
	}
	if list, err := f.LetterTemplates(ctx, watcher); err != nil || len(list) < 10 {
		t.Errorf("%d templates, %v", len(list), err)
	}
}

// TestNoPhoneOrOpenIDInClear looks for the person's phone and WeChat account in everything the database holds.
func TestNoPhoneOrOpenIDInClear(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	n := replied("event:1", 7)
	n.Params["text"] = "请拨打 138-0013-8000 联系"
	f.mustNotify(n)
	f.sms.answer = []message.Outcome{{State: message.Unknown}}
	_ = f.deliver(message.SMS, 1)
	v, err := f.Letter(ctx, operator, message.SMS, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Release(ctx, operator, message.Release{Channel: message.SMS, ID: 1, Version: v.Version, Reason: "已拨打 13800138000 询问，没有收到"}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"SELECT key || title || text || link FROM messages", "SELECT recipient || phone_blind || params FROM sms_messages",
		"SELECT recipient || phone_blind || params FROM wechat_messages", "SELECT facts FROM events", "SELECT summary || detail FROM audit_entries",
		"SELECT CAST(args AS TEXT) FROM river_job",
	} {
		var rows []string
		if err := f.db.Read().NewRaw(q).Scan(ctx, &rows); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		if len(rows) == 0 {
			t.Errorf("%s: nothing to look at", q)
		}
		for _, row := range rows {
			for _, secret := range []string{"13800138000", "138-0013-8000", "oBAKERY"} {
				if strings.Contains(row, secret) {
					t.Errorf("%s holds %s in clear: %s", q, secret, row)
				}
			}
		}
	}
}

// TestTheQueueDelivers has the real queue work: a text message leaves without anybody's help, and again after a failure.
func TestTheQueueDelivers(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, steps)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sms := &provider{answer: []message.Outcome{{State: message.Queued, Err: errors.New("connection refused")}, {State: message.Sent}}, done: make(chan struct{})}
	wechat := &provider{answer: []message.Outcome{{State: message.Sent}}, done: make(chan struct{})}
	w := jobs.NewWorkers()
	s := message.New(message.Deps{DB: db, Clock: clock.NewFake(start), Box: mustBox(t), People: people{}, Sender: sms, Poster: wechat, Log: slog.New(slog.DiscardHandler)}, w)
	q, err := jobs.New(ctx, db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.Use(q)
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.Notify(ctx, tx, replied("event:1", 7)) }); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*provider{sms, wechat} {
		select {
		case <-p.done:
		case <-time.After(30 * time.Second):
			t.Fatalf("calls so far: %s", p.verbs())
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if sms.verbs() != "send send" || wechat.verbs() != "post" {
		t.Errorf("%q, %q", sms.calls, wechat.calls)
	}
}
