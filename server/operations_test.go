package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// watched is a house whose clocks a test moves: the one that can be set, and the one that cannot.
type watched struct {
	*house

	now    *clock.Fake
	steady atomic.Int64
	duty   access.Actor
	token  string
	begin  func(t *testing.T) *house
}

// restart is the end of the process and the start of another, between which the clock went so far.
func (w *watched) restart(t *testing.T, by time.Duration) {
	t.Helper()
	w.now.Advance(by)
	w.steady.Store(0)
	w.house = w.begin(t)
	if err := w.clockAtStart(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// pass lets time go by for both clocks.
func (w *watched) pass(d time.Duration) {
	w.now.Advance(d)
	w.steady.Add(int64(d))
}

func mustWatch(t *testing.T) *watched {
	t.Helper()
	return mustWatchWith(t, map[string]any{"data": t.TempDir()}, func(*watched) message.Sender { return silent{} })
}

// mustWatchWith is mustWatch with settings and a provider of text messages of its own.
func mustWatchWith(t *testing.T, settings map[string]any, sender func(*watched) message.Sender) *watched {
	t.Helper()
	ctx := context.Background()
	w := &watched{now: clock.NewFake(time.Now())}
	maps.Copy(settings, map[string]any{"demo": true, "requests_per_minute": 1_000_000})
	c, err := Load("", settings)
	if err != nil {
		t.Fatal(err)
	}
	db, key := databasetest.New(t, Migrations()), secret.NewKey()
	w.begin = func(t *testing.T) *house {
		t.Helper()
		h, err := build(ctx, c, db, key, parts{
			log: slog.New(slog.DiscardHandler), clock: w.now, outside: outside{sender: sender(w)}, elapsed: func() time.Duration { return time.Duration(w.steady.Load()) },
		})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	w.house = w.begin(t)
	if err := w.identity.EnsureRoles(ctx); err != nil {
		t.Fatal(err)
	}
	w.token = staffToken(t, w.house, identity.Staff{Name: "值班员", Account: "zhiban", Phone: "13900139055", Party: access.Platform, Roles: []string{"platform_admin"}})
	if w.duty, err = w.identity.Authenticate(ctx, w.token); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) inspect(t *testing.T) {
	t.Helper()
	if err := w.operations.Inspect(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// told lists what the person on duty was told of a kind about a check, and how many text messages went with it in all.
func (w *watched) told(t *testing.T, occasion, item string) (texts []string, letters int) {
	t.Helper()
	ctx := context.Background()
	if err := w.db.Read().NewSelect().TableExpr("messages").Column("text").Where("template = ? AND user_id = ?", "operations."+occasion, w.duty.UserID).
		Where("text LIKE ?", "%“"+item+"”%").OrderExpr("id").Scan(ctx, &texts); err != nil {
		t.Fatal(err)
	}
	n, err := w.db.Read().NewSelect().TableExpr("sms_messages").Where("template = ? AND user_id = ?", "operations."+occasion, w.duty.UserID).Count(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return texts, int(n)
}

func (w *watched) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if err := w.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw(query, args...).Exec(ctx)
		return err
	}); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// number asks the database one number.
func (w *watched) number(t *testing.T, query string) (n int) {
	t.Helper()
	if err := w.db.Read().QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *watched) failedBackup(t *testing.T) {
	t.Helper()
	now := w.now.Now()
	w.exec(t, `INSERT INTO backups (state, cause, attempt, asked_at, asked_by, not_before, claim, started_at, ended_at, stage, stage_done, stage_total, set_name, size, rows,
		files, files_new, files_missing, files_damaged, copy_fault, fault) VALUES ('failed', 'schedule', 3, ?, '系统', ?, '', ?, ?, '', 0, 0, '', 0, 0, 0, 0, 0, 0, '', ?)`,
		now, now, now, now, "备份目录空间不足")
}

func (w *watched) goodBackup(t *testing.T) {
	t.Helper()
	now := w.now.Now()
	w.exec(t, `INSERT INTO backups (state, cause, attempt, asked_at, asked_by, not_before, claim, started_at, ended_at, verified_at, stage, stage_done, stage_total, set_name, size, rows,
		files, files_new, files_missing, files_damaged, copy_fault, fault) VALUES ('done', 'manual', 1, ?, '系统', ?, '', ?, ?, ?, '', 0, 0, 'x', 0, 0, 0, 0, 0, 0, '', '')`,
		now, now, now, now, now)
}

// TestAnIncidentIsToldOnceAndAgainWhenItIsOver breaks the backup, looks again and again, and mends it.
func TestAnIncidentIsToldOnceAndAgainWhenItIsOver(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := mustWatch(t)
	w.inspect(t)
	w.pass(15 * time.Second)
	w.inspect(t)
	if list, _ := w.told(t, "alarm", "备份"); len(list) != 0 {
		t.Fatalf("told of a healthy system: %v", list)
	}
	for _, c := range mustHealth(t, w).Checks {
		if c.State == operations.Bad {
			t.Errorf("%s of a healthy system: %s", c.Title, c.Text)
		}
	}

	w.failedBackup(t)
	w.pass(15 * time.Second)
	var all sync.WaitGroup
	for range 6 { // as several processes would
		all.Go(func() {
			if err := w.operations.Inspect(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	texts, letters := w.told(t, "alarm", "备份")
	if len(texts) != 1 || letters != 1 {
		t.Fatalf("told %v, %d text messages", texts, letters)
	}
	for _, part := range []string{"“备份”异常：最近一次备份未完成：备份目录空间不足。", "请在“备份”查看原因"} {
		if !strings.Contains(texts[0], part) {
			t.Errorf("%q lacks %q", texts[0], part)
		}
	}
	for range 8 {
		w.pass(15 * time.Second)
		w.inspect(t)
	}
	if texts, letters = w.told(t, "alarm", "备份"); len(texts) != 1 || letters != 1 {
		t.Errorf("told again: %v, %d text messages", texts, letters)
	}

	// Nobody says a word for four hours.
	if err := w.operations.SetLimits(ctx, w.duty, operations.SetLimits{Code: "inspection", Warn: 1 << 29, Bad: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	w.pass(4 * time.Hour)
	w.inspect(t)
	if texts, _ = w.told(t, "repeated", "备份"); len(texts) != 1 || !strings.Contains(texts[0], "已持续 4 小时") {
		t.Fatalf("after four hours: %v", texts)
	}
	open := mustHealth(t, w).Incidents
	at := -1
	for i, v := range open {
		if v.Code == "backup" {
			at = i
		}
	}
	if at < 0 || open[at].Alarms != 2 {
		t.Fatalf("%+v", open)
	}
	if _, err := w.operations.Acknowledge(ctx, w.duty, open[at].ID, "已联系机房扩容，下午处理", "k1"); err != nil {
		t.Fatal(err)
	}
	if v, err := w.operations.Acknowledge(ctx, w.duty, open[at].ID, "已联系机房扩容，下午处理", "k1"); err != nil || v.KnownBy != "值班员" {
		t.Errorf("the same click again: %+v, %v", v, err)
	}
	if _, err := w.operations.Acknowledge(ctx, w.duty, open[at].ID, "我也知道", "k2"); !errors.Is(err, operations.ErrKnown) {
		t.Errorf("a second person: %v", err)
	}
	w.pass(9 * time.Hour)
	w.inspect(t)
	if texts, _ = w.told(t, "repeated", "备份"); len(texts) != 1 {
		t.Errorf("told of what is known: %v", texts)
	}

	w.goodBackup(t)
	w.pass(15 * time.Second)
	w.inspect(t)
	if texts, _ = w.told(t, "recovered", "备份"); len(texts) != 0 {
		t.Errorf("over before it was quiet for a minute: %v", texts)
	}
	w.pass(time.Minute)
	w.inspect(t)
	w.pass(time.Minute)
	w.inspect(t)
	if texts, _ = w.told(t, "recovered", "备份"); len(texts) != 1 || !strings.Contains(texts[0], "本次异常持续 13 小时") {
		t.Fatalf("when it is over: %v", texts)
	}
	if _, err := w.operations.Acknowledge(ctx, w.duty, open[at].ID, "晚了一步", ""); !errors.Is(err, operations.ErrClosed) {
		t.Errorf("acknowledging what is over: %v", err)
	}
	w.failedBackup(t)
	w.pass(15 * time.Second)
	w.inspect(t)
	if texts, _ = w.told(t, "alarm", "备份"); len(texts) != 2 {
		t.Errorf("another incident: %v", texts)
	}
}

func mustHealth(t *testing.T, w *watched) operations.HealthView {
	t.Helper()
	v, err := w.operations.Health(context.Background(), w.duty)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestDeadPushesReachTheLimitThatWasSet changes a limit on the page and breaks what it is about.
func TestDeadPushesReachTheLimitThatWasSet(t *testing.T) {
	t.Parallel()
	w := mustWatch(t)
	now := w.now.Now()
	w.exec(t, `INSERT INTO exchange_deliveries (partner_id, event_id, message_id, type, object, object_id, seq, subject, body, state, claim, attempts, tries, status, reason, receipt, created_at)
		VALUES (1, 1, 'm1', 'ticket.closed', 'ticket', 1, 1, 'GD1', '{}', 'dead', '', 9, 9, 422, '对方认为内容不合格', '', ?)`, now)
	w.inspect(t)
	if list, _ := w.told(t, "alarm", "已停止的推送"); len(list) != 0 {
		t.Fatalf("one is to be looked at, no alarm: %v", list)
	}
	if status, body := ask(t, w.house, "POST", "/api/operations/health/pushes_dead/limits", w.token, `{"warn":5,"bad":1}`); status != 422 || !strings.Contains(body, "异常阈值应当比注意阈值更严重") {
		t.Errorf("limits the wrong way round: %d %s", status, body)
	}
	if status, body := ask(t, w.house, "POST", "/api/operations/health/duty/limits", w.token, `{"warn":1,"bad":1}`); status != 409 {
		t.Errorf("limits of a check without: %d %s", status, body)
	}
	if status, body := ask(t, w.house, "POST", "/api/operations/health/pushes_dead/limits", w.token, `{"warn":1,"bad":1}`); status != 204 {
		t.Fatalf("%d %s", status, body)
	}
	w.pass(15 * time.Second)
	w.inspect(t)
	list, _ := w.told(t, "alarm", "已停止的推送")
	if len(list) != 1 || !strings.Contains(list[0], "1 件") {
		t.Fatalf("with the limit at one: %v", list)
	}
	w.exec(t, "UPDATE exchange_deliveries SET state = 'skipped', settled_at = ?", w.now.Now())
	for range 3 {
		w.pass(time.Minute)
		w.inspect(t)
	}
	if list, _ = w.told(t, "recovered", "已停止的推送"); len(list) != 1 {
		t.Errorf("when it was skipped: %v", list)
	}
	var said string
	if err := w.db.Read().NewRaw("SELECT summary FROM audit_entries WHERE action = 'operations.limits'").Scan(context.Background(), &said); err != nil || said != "“已停止的推送”告警阈值由 1/10 改为 1/1 件" {
		t.Errorf("%q, %v", said, err)
	}
}

// TestAJumpOfTheClockIsTold is F-15: the clock is set and everybody on duty hears of it.
func TestAJumpOfTheClockIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		by   time.Duration
		says string
	}{{time.Hour, "被调快 1 小时"}, {-time.Hour, "被调慢 1 小时"}, {400 * 24 * time.Hour, "被调快 400 天，定时任务暂停 10 分钟"}, {5 * time.Second, ""}} {
		t.Run(fmt.Sprint(c.by), func(t *testing.T) {
			t.Parallel()
			w := mustWatch(t)
			w.inspect(t)
			w.pass(15 * time.Second)
			w.now.Advance(c.by)
			w.inspect(t)
			texts, _ := w.told(t, "alarm", "系统时钟")
			if c.says == "" && len(texts) != 0 || c.says != "" && (len(texts) != 1 || !strings.Contains(texts[0], c.says)) {
				t.Errorf("%v, want %q", texts, c.says)
			}
			w.pass(15 * time.Second)
			w.inspect(t)
			if again, _ := w.told(t, "alarm", "系统时钟"); len(again) != len(texts) {
				t.Errorf("told twice: %v", again)
			}
		})
	}
}

// TestAClockThatWasSetDoesNoHarm is F-15: set forward, nothing is done by it for a while but what tells people; set back, what
// had ended does not begin again.
func TestAClockThatWasSetDoesNoHarm(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := mustWatch(t)
	offered := func() (tasks []string) {
		t.Helper()
		if err := w.scheduler.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if err := w.db.Read().NewRaw("SELECT DISTINCT task FROM task_runs WHERE trigger_kind = 'clock' ORDER BY task").Scan(ctx, &tasks); err != nil {
			t.Fatal(err)
		}
		return tasks
	}
	w.now.Advance(400 * 24 * time.Hour)
	if err := w.clockWasSet(ctx, 400*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if tasks := offered(); !slices.Equal(tasks, []string{"operations.inspect"}) {
		t.Errorf("done by a clock 400 days ahead: %v", tasks)
	}
	w.scheduler.Hold(0)
	if tasks := offered(); !slices.Contains(tasks, "ticket.clocks") || len(tasks) < 20 {
		t.Errorf("done when nobody set it right: %v", tasks)
	}

	if _, err := w.identity.Authenticate(ctx, w.token); err == nil {
		t.Fatal("a session outlives 400 days")
	}
	w.now.Advance(-400 * 24 * time.Hour)
	if err := w.clockWasSet(ctx, -400*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := w.identity.Authenticate(ctx, w.token); err == nil {
		t.Error("a session that was over lets in again")
	}
}

// TestAClockThatWasSetWhileNothingRan is F-15 for a stop: what was written down last tells how the clock was set meanwhile.
func TestAClockThatWasSetWhileNothingRan(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	offered := func(w *watched) (tasks []string) {
		t.Helper()
		w.exec(t, "DELETE FROM task_runs")
		if err := w.scheduler.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if err := w.db.Read().NewRaw("SELECT DISTINCT task FROM task_runs ORDER BY task").Scan(ctx, &tasks); err != nil {
			t.Fatal(err)
		}
		return tasks
	}
	lets := func(w *watched, token string) bool {
		_, err := w.identity.Authenticate(ctx, token)
		return err == nil
	}

	t.Run("back", func(t *testing.T) {
		t.Parallel()
		w := mustWatch(t)
		w.pass(2 * time.Hour) // the session of before is over
		fresh := secret.Token()
		w.exec(t, "INSERT INTO sessions (token_hash, user_id, pending, ip, user_agent, created_at, seen_at, expires_at) VALUES (?, ?, ?, '', '', ?, ?, ?)",
			w.box.HashToken(fresh), w.duty.UserID, false, w.now.Now(), w.now.Now(), w.now.Now().Add(time.Hour))
		w.inspect(t)
		offered(w)
		if lets(w, w.token) || !lets(w, fresh) {
			t.Fatal("the sessions are not as the test needs them")
		}
		w.restart(t, -100*time.Minute)
		if lets(w, w.token) {
			t.Error("a session that was over lets in again")
		}
		if !lets(w, fresh) {
			t.Error("who is at work must sign in again")
		}
		w.inspect(t)
		if told, letters := w.told(t, "alarm", "系统时钟"); len(told) != 1 || letters == 0 || !strings.Contains(told[0], "系统时钟比上次巡检时早 1 小时 40 分钟，可能在停机期间被调慢") {
			t.Errorf("told %v, %d text messages", told, letters)
		}
		w.pass(time.Minute)
		if tasks := offered(w); !slices.Contains(tasks, "operations.inspect") || !slices.Contains(tasks, "ticket.clocks") {
			t.Errorf("after the clock was set back the schedule stands still: %v", tasks)
		}
		w.pass(15 * time.Second)
		w.inspect(t)
		if told, _ := w.told(t, "alarm", "系统时钟"); len(told) != 1 {
			t.Errorf("told twice: %v", told)
		}
	})

	t.Run("forward", func(t *testing.T) {
		t.Parallel()
		w := mustWatch(t)
		w.inspect(t)
		offered(w)
		w.restart(t, 30*time.Minute) // an upgrade
		if tasks := offered(w); !slices.Contains(tasks, "ticket.clocks") {
			t.Errorf("after a short stop: %v", tasks)
		}
		for range 4 { // and all was well again
			w.inspect(t)
			w.pass(time.Minute)
		}
		w.restart(t, 400*24*time.Hour)
		if tasks := offered(w); !slices.Equal(tasks, []string{"operations.inspect"}) {
			t.Errorf("done by a clock 400 days ahead: %v", tasks)
		}
		w.inspect(t)
		told, _ := w.told(t, "alarm", "巡检间隔")
		if len(told) == 0 || !strings.Contains(told[len(told)-1], "距上次巡检 400 天，服务刚刚启动，定时任务暂停 10 分钟，请核对服务器时间") {
			t.Errorf("told %v", told)
		}
		if lets(w, w.token) {
			t.Error("a session outlives 400 days")
		}
		w.scheduler.Hold(0)
		offered(w)   // nobody set it right for ten minutes
		w.inspect(t) // and then somebody does, with the service stopped
		w.restart(t, -400*24*time.Hour)
		if lets(w, w.token) {
			t.Error("a session that was over lets in again")
		}
		if tasks := offered(w); !slices.Contains(tasks, "operations.inspect") || !slices.Contains(tasks, "ticket.clocks") {
			t.Errorf("with the right clock again the schedule stands still: %v", tasks)
		}
		w.pass(25 * time.Hour)
		if tasks := offered(w); !slices.Contains(tasks, "backup.daily") || !slices.Contains(tasks, "operations.report") {
			t.Errorf("a day later nothing of the day was done: %v", tasks)
		}
	})
}

// TestTheDailyReportIsMadeOnce has several processes make it, and reads the figures of the day.
func TestTheDailyReportIsMadeOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := mustWatch(t)
	noon := time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC) // in Beijing
	w.now.Set(noon)
	if err := w.operations.Record(ctx, operations.Traffic{Requests: 900, Refused: 40, Failed: 9, Slow: 2}); err != nil {
		t.Fatal(err)
	}
	if err := w.operations.Record(ctx, operations.Traffic{Requests: 100, Failed: 1}); err != nil {
		t.Fatal(err)
	}
	w.failedBackup(t)
	w.inspect(t)
	w.now.Set(time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
	var all sync.WaitGroup
	var mu sync.Mutex
	makers := 0
	for range 6 {
		all.Go(func() {
			day, made, err := w.operations.MakeReport(ctx)
			if err != nil || day != "2026-11-27" {
				t.Errorf("%s, %v", day, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if made {
				makers++
			}
		})
	}
	all.Wait()
	items, _, err := w.operations.Reports(ctx, w.duty, "", 10)
	if err != nil || len(items) != 1 || makers != 1 {
		t.Fatalf("%d reports by %d makers, %v", len(items), makers, err)
	}
	var link string
	if err := w.db.Read().NewRaw("SELECT link FROM messages WHERE template = 'operations.report'").Scan(ctx, &link); err != nil || link != fmt.Sprintf("/system/reports/%d", items[0].ID) {
		t.Errorf("%q, %v", link, err)
	}
	status, body := ask(t, w.house, "GET", fmt.Sprintf("/api/operations/reports/%d", items[0].ID), w.token, "")
	var r operations.Report
	if err := json.Unmarshal([]byte(body), &r); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if len(r.Incidents) == 0 || r.State != operations.Bad || len(r.Checks) < 15 {
		t.Errorf("%+v", r)
	}
	figures := map[string]string{}
	for _, s := range r.Sections {
		for _, f := range s.Figures {
			figures[f.Label] = f.Value + " " + f.Note
		}
	}
	for label, want := range map[string]string{"处理请求": "1000 ", "系统出错": "10 出错率 1.00%", "被拒绝": "40 未登录、无权限、填写有误等", "超过 3 秒": "2 "} {
		if figures[label] != want {
			t.Errorf("%s: %q, want %q", label, figures[label], want)
		}
	}
	// What comes later does not change it.
	w.goodBackup(t)
	if _, again := ask(t, w.house, "GET", fmt.Sprintf("/api/operations/reports/%d", items[0].ID), w.token, ""); again != body {
		t.Errorf("the report changed: %s", again)
	}
}

// TestTasksAreRunPausedAndRetried does on the interface what the page does.
func TestTasksAreRunPausedAndRetried(t *testing.T) {
	t.Parallel()
	w := mustWatch(t)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.queue.Run(ctx) })
	running.Go(func() { _ = w.scheduler.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })

	get := func(path string, into any) {
		t.Helper()
		status, body := ask(t, w.house, "GET", path, w.token, "")
		if status != 200 {
			t.Fatalf("GET %s: %d %s", path, status, body)
		}
		if err := json.Unmarshal([]byte(body), into); err != nil {
			t.Fatal(err)
		}
	}
	var tasks operations.TasksView
	get("/api/operations/tasks", &tasks)
	names := map[string]operations.TaskView{}
	for _, task := range tasks.Items {
		names[task.Name] = task
	}
	if names["backup.daily"].When != "每天 02:30" || names["operations.inspect"].When != "每 15 秒" || !tasks.CanManage {
		t.Fatalf("%+v", tasks)
	}
	var status int
	var body string
	begin := func(path string) { // as soon as no tick of the clock works the task
		t.Helper()
		eventually(t, "the task is free", func() bool {
			status, body = ask(t, w.house, "POST", path, w.token, "")
			if status != 200 && !strings.Contains(body, "TASK_BUSY") {
				t.Fatalf("%d %s", status, body)
			}
			return status == 200
		})
	}
	begin("/api/operations/tasks/audit.check/run")
	var asked operations.RunView
	if err := json.Unmarshal([]byte(body), &asked); err != nil || asked.AskedBy != "值班员" {
		t.Fatalf("%+v, %v", asked, err)
	}
	eventually(t, "the run is done", func() bool {
		var run operations.RunView
		get(fmt.Sprintf("/api/operations/task-runs/%d", asked.ID), &run)
		return run.State == jobs.RunDone && strings.HasPrefix(run.Note, "核对 ")
	})
	if status, body = ask(t, w.house, "POST", fmt.Sprintf("/api/operations/task-runs/%d/retry", asked.ID), w.token, ""); status != 409 || !strings.Contains(body, "只有失败的执行可以重试") {
		t.Errorf("retrying what went well: %d %s", status, body)
	}
	w.exec(t, "UPDATE task_runs SET state = 'failed', error = '磁盘已满' WHERE id = ?", asked.ID)
	var history struct{ Items []operations.RunView }
	get("/api/operations/task-runs?task=audit.check&state=failed", &history)
	if len(history.Items) != 1 || history.Items[0].Error != "磁盘已满" || !history.Items[0].CanRetry || history.Items[0].Failure == "" {
		t.Fatalf("%+v", history)
	}
	get("/api/operations/task-runs?task=audit.check&state=failed&until=2020-01-01T00:00:00Z", &history)
	if len(history.Items) != 0 {
		t.Errorf("before its time: %+v", history)
	}
	begin(fmt.Sprintf("/api/operations/task-runs/%d/retry", asked.ID))
	for _, step := range []struct {
		path, body string
		status     int
	}{
		{"pause", `{"reason":""}`, 422}, {"pause", `{"reason":"等对方系统修好"}`, 204}, {"pause", `{"reason":"再停一次"}`, 409},
		{"resume", `{"reason":"对方已修好"}`, 204}, {"resume", `{"reason":"对方已修好"}`, 409},
	} {
		if status, body := ask(t, w.house, "POST", "/api/operations/tasks/backup.daily/"+step.path, w.token, step.body); status != step.status {
			t.Errorf("%s %s: %d %s", step.path, step.body, status, body)
		}
	}
	if status, body = ask(t, w.house, "POST", "/api/operations/tasks/no.such/run", w.token, ""); status != 404 {
		t.Errorf("%d %s", status, body)
	}
	var actions []string
	if err := w.db.Read().NewRaw("SELECT action FROM audit_entries WHERE action LIKE 'operations.%' ORDER BY id").Scan(context.Background(), &actions); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(actions, " "); got != "operations.run_task operations.retry_run operations.pause_task operations.resume_task" {
		t.Errorf("the log says %s", got)
	}
	if _, err := w.operations.ListTasks(context.Background(), access.Actor{UserID: 5, Party: access.Platform}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
	var queues operations.QueuesView
	get("/api/operations/queues", &queues)
	if len(queues.Backlogs) != 5 {
		t.Errorf("%+v", queues)
	}
	for _, b := range queues.Backlogs {
		if b.Fault != "" {
			t.Errorf("%s: %s", b.Title, b.Fault)
		}
	}
}
