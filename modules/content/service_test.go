package content_test

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

	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web"
)

var start = time.Date(2026, 11, 22, 6, 5, 0, 0, time.UTC)

// files lets an actor claim the files whose id begins with their own: user 7 owns 700 to 799.
type files struct{}

func (files) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, _ string, _ int64) error {
	if id/100 != a.UserID {
		return fault.ErrNotFound
	}
	return nil
}

func (files) Of(ctx context.Context, db bun.IDB, _ string, id int64) ([]content.FileView, error) {
	var out []content.FileView
	err := db.NewSelect().TableExpr("article_files").ColumnExpr("file_id AS id").Where("article_id = ?", id).Scan(ctx, &out)
	for i := range out {
		out[i].Name = fmt.Sprintf("附件%d.pdf", out[i].ID)
	}
	return out, err
}

func (files) Open(_ context.Context, id int64) (web.Download, error) {
	return web.Download{Disposition: fmt.Sprintf("attachment; filename=%d.pdf", id), Mime: "application/pdf", Size: 3, Tag: "abc", Content: pdf{strings.NewReader("PDF")}}, nil
}

type pdf struct{ *strings.Reader }

func (pdf) Close() error { return nil }

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, search.Migrations, content.Migrations)

type fixture struct {
	*content.Service
	db    *database.DB
	clock *clock.Fake
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start)}
	f.Service = content.New(content.Deps{DB: f.db, Clock: f.clock, Files: files{}})
	return f
}

func staff(user int64, name string, permissions ...access.Permission) access.Actor {
	return access.Actor{UserID: user, Name: name, Party: access.Platform, Scope: access.ScopeDistrict, Permissions: permissions}
}

var (
	writer   = staff(7, "李敏", content.PermEdit)
	editor   = staff(8, "周敏", content.PermEdit, content.PermPublish)
	second   = staff(9, "赵强", content.PermEdit, content.PermPublish)
	agent    = staff(10, "坐席")
	owner    = access.Actor{UserID: 20, Name: "王芳", Party: access.Enterprise, EnterpriseID: 70, Scope: access.ScopeSelf}
	bank     = access.Actor{UserID: 30, Name: "机构", Party: access.Institution, InstitutionID: 3, Permissions: []access.Permission{content.PermEdit}}
	visitor  = access.Actor{Party: access.Anonymous}
	tomorrow = start.Add(24 * time.Hour)
)

func news(title string) content.Text {
	return content.Text{Kind: content.News, Column: "trends", Title: title, Body: "银企对接会走进园区。\n# 下一步\n- 建立跟踪表", Source: "区融媒体中心"}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ref(v content.View) content.Ref { return content.Ref{ID: v.ID, Version: v.Version} }

func (f fixture) mustCreate(t *testing.T, a access.Actor, text content.Text) content.View {
	t.Helper()
	return must(f.Create(context.Background(), a, content.CreateArticle{Text: text}))(t)
}

// mustPublish brings a text out with writer and editor.
func (f fixture) mustPublish(t *testing.T, text content.Text) content.View {
	t.Helper()
	ctx := context.Background()
	v := must(f.Submit(ctx, writer, ref(f.mustCreate(t, writer, text))))(t)
	return must(f.Publish(ctx, editor, ref(v)))(t)
}

func (f fixture) titles(t *testing.T, k content.Kind) []string {
	t.Helper()
	cards, _, err := f.Read(context.Background(), visitor, content.ReadFilter{Kind: k})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range cards {
		out = append(out, c.Title)
	}
	return out
}

func (f fixture) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	var n int
	if err := f.db.Read().NewRaw(query, args...).Scan(context.Background(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAnArticleComesOut(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustCreate(t, writer, news("银企对接会"))
	if v.Status != content.Draft || !slices.Equal(v.Actions, []content.Action{content.ToEdit, content.ToSubmit}) || v.ColumnName != "惠企动态" {
		t.Fatalf("draft: %+v", v)
	}
	changed := news("银企对接会走进设计小镇")
	v = must(f.Edit(ctx, writer, content.EditArticle{Ref: ref(v), Text: changed}))(t)
	v = must(f.Submit(ctx, writer, ref(v)))(t)
	if len(f.titles(t, content.News)) != 0 {
		t.Error("seen before it is published")
	}
	if _, err := f.Open(ctx, visitor, v.ID); !errors.Is(err, content.ErrNotFound) {
		t.Errorf("opened in review: %v", err)
	}
	v = must(f.Return(ctx, editor, content.ReasonedArticle{Ref: ref(v), Reason: "请补充来源"}))(t)
	if v.Status != content.Draft || v.Reason != "请补充来源" {
		t.Errorf("returned: %+v", v)
	}
	v = must(f.Submit(ctx, writer, ref(v)))(t)
	f.clock.Advance(time.Hour)
	v = must(f.Publish(ctx, editor, ref(v)))(t)
	if got := f.titles(t, content.News); !slices.Equal(got, []string{"银企对接会走进设计小镇"}) {
		t.Errorf("published: %v", got)
	}
	p := must(f.Open(ctx, visitor, v.ID))(t)
	if len(p.Blocks) != 3 || !p.PublishAt.Equal(start.Add(time.Hour)) || p.Summary == "" {
		t.Errorf("page: %+v", p)
	}
	v = must(f.Withdraw(ctx, writer, content.ReasonedArticle{Ref: ref(v), Reason: "时间有误"}))(t)
	if _, err := f.Open(ctx, visitor, v.ID); !errors.Is(err, content.ErrNotFound) || len(f.titles(t, content.News)) != 0 {
		t.Errorf("opened after withdrawal: %v", err)
	}
	v = must(f.Revise(ctx, writer, ref(v)))(t)
	var told []string
	for _, e := range v.Timeline {
		told = append(told, e.Kind)
	}
	want := []string{"content.created", "content.edited", "content.submitted", "content.returned", "content.submitted", "content.published", "content.withdrawn", "content.revised"}
	if v.Status != content.Draft || !slices.Equal(told, want) {
		t.Errorf("history: %s %v", v.Status, told)
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE object = 'article'"); n != len(want) {
		t.Errorf("%d audit rows", n)
	}
}

func TestTwoPeople(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := must(f.Submit(ctx, editor, ref(f.mustCreate(t, editor, news("自己写的")))))(t)
	if _, err := f.Publish(ctx, editor, ref(v)); !errors.Is(err, content.ErrOwnWork) {
		t.Errorf("published own work: %v", err)
	}
	if v = must(f.Get(ctx, editor, v.ID))(t); !v.OwnWork || slices.Contains(v.Actions, content.ToPublish) || !slices.Contains(v.Actions, content.ToReturn) {
		t.Errorf("offered: %v %v", v.Actions, v.OwnWork)
	}
	if f.count(t, "SELECT count(*) FROM articles WHERE status = 'published'") != 0 {
		t.Error("the refused step was written")
	}
	must(f.Publish(ctx, second, ref(v)))(t)
	// Whoever changed somebody else's text took part in it too.
	v = f.mustCreate(t, writer, news("别人写的"))
	v = must(f.Edit(ctx, editor, content.EditArticle{Ref: ref(v), Text: news("别人写的，改了一处")}))(t)
	v = must(f.Submit(ctx, writer, ref(v)))(t)
	if _, err := f.Publish(ctx, editor, ref(v)); !errors.Is(err, content.ErrOwnWork) {
		t.Errorf("published after editing: %v", err)
	}
}

func TestWhoMay(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustCreate(t, writer, news("草稿"))
	for name, c := range map[string]struct {
		actor access.Actor
		kind  fault.Kind
	}{"visitor": {visitor, fault.Unauthorized}, "agent": {agent, fault.Forbidden}, "owner": {owner, fault.Forbidden}, "institution": {bank, fault.Forbidden}} {
		for action, err := range map[string]error{
			"create": second2(f.Create(ctx, c.actor, content.CreateArticle{Text: news("x 一条")})), "list": third(f.List(ctx, c.actor, content.ListFilter{})),
			"get": second2(f.Get(ctx, c.actor, v.ID)), "submit": second2(f.Submit(ctx, c.actor, ref(v))), "publish": second2(f.Publish(ctx, c.actor, ref(v))),
			"withdraw": second2(f.Withdraw(ctx, c.actor, content.ReasonedArticle{Ref: ref(v), Reason: "理由"})), "preview": second3(f.Preview(ctx, c.actor, v.ID)),
		} {
			if fault.KindOf(err) != c.kind {
				t.Errorf("%s of a %s: %v", action, name, err)
			}
		}
		if err := f.Sees(ctx, c.actor, v.ID); !errors.Is(err, content.ErrNotFound) {
			t.Errorf("%s sees a draft: %v", name, err)
		}
	}
	if _, err := f.Publish(ctx, writer, ref(v)); !errors.Is(err, content.ErrForbidden) {
		t.Errorf("a writer publishes: %v", err)
	}
	if err := f.Load(ctx, editor, nil); !errors.Is(err, content.ErrForbidden) {
		t.Errorf("an editor loads: %v", err)
	}
	if _, err := f.Submit(ctx, writer, content.Ref{ID: 99, Version: 1}); !errors.Is(err, content.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
}

func second2(_ content.View, err error) error           { return err }
func second3(_ content.Page, err error) error           { return err }
func third(_ []content.Item, _ string, err error) error { return err }

func TestScheduled(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	text := news("明天的消息")
	text.PublishAt = &tomorrow
	v := f.mustPublish(t, text)
	if !v.Scheduled || v.Status != content.Public {
		t.Errorf("scheduled: %+v", v.Item)
	}
	words := must(search.Parse("明天的消息"))(t)
	seen := func() (list, open, found bool) {
		_, err := f.Open(ctx, visitor, v.ID)
		hits := must(f.Search(ctx, visitor, words, 10, content.News))(t)
		n := must(f.Count(ctx, visitor, content.News, "", 10))(t)
		if (n == 1) != (len(f.titles(t, content.News)) == 1) {
			t.Error("count and list disagree")
		}
		return n == 1, err == nil, len(hits) == 1
	}
	f.clock.Advance(24*time.Hour - time.Second)
	if list, open, found := seen(); list || open || found {
		t.Errorf("seen a second early: %v %v %v", list, open, found)
	}
	f.clock.Advance(time.Second)
	if list, open, found := seen(); !list || !open || !found {
		t.Errorf("not seen in time: %v %v %v", list, open, found)
	}
}

func TestNoticesVanish(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	text := content.Text{Kind: content.Notice, Title: "周六维护", Body: "零点至四点暂停提交。", Source: "平台运营中心"}
	if _, err := f.Create(ctx, writer, content.CreateArticle{Text: text}); err == nil || !strings.Contains(err.Error(), "有效期") {
		t.Errorf("a notice without an end: %v", err)
	}
	text.ExpiresAt = &tomorrow
	v := f.mustPublish(t, text)
	if got := f.titles(t, content.Notice); !slices.Equal(got, []string{"周六维护"}) {
		t.Errorf("before its end: %v", got)
	}
	f.clock.Advance(24 * time.Hour)
	if got := f.titles(t, content.Notice); len(got) != 0 {
		t.Errorf("after its end: %v", got)
	}
	if _, err := f.Open(ctx, visitor, v.ID); !errors.Is(err, content.ErrNotFound) {
		t.Errorf("opened after its end: %v", err)
	}
	if v = must(f.Get(ctx, writer, v.ID))(t); !v.Over {
		t.Error("the editors are not told that it is over")
	}
}

func TestOrderAndCursor(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	var want []string
	for i := range 7 {
		text := news(fmt.Sprintf("第%d条", i))
		text.Top = i == 2
		if i == 5 {
			text.Column = "story"
		}
		f.mustPublish(t, text)
		if i%2 == 0 {
			f.clock.Advance(1500 * time.Microsecond) // some share their moment
		}
		if i == 2 {
			continue
		}
		want = append([]string{text.Title}, want...)
	}
	want = append([]string{"第2条"}, want...)
	var got []string
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		cards, next, err := f.Read(ctx, visitor, content.ReadFilter{Kind: content.News, Cursor: cursor, Limit: 2})
		if err != nil || pages > 5 {
			t.Fatal(err, pages)
		}
		for _, c := range cards {
			got = append(got, c.Title)
		}
		cursor = next
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	second, _, err := f.Read(ctx, visitor, content.ReadFilter{Kind: content.News, Page: 2, Limit: 3})
	if err != nil || len(second) != 3 || second[0].Title != want[3] {
		t.Errorf("page 2: %+v %v", second, err)
	}
	if cards, _, err := f.Read(ctx, visitor, content.ReadFilter{Kind: content.News, Column: "story"}); err != nil || len(cards) != 1 {
		t.Errorf("column: %+v %v", cards, err)
	}
	for _, bad := range []string{"x", "true.1", "1.2.3.4", "maybe.1.2"} {
		if _, _, err := f.Read(ctx, visitor, content.ReadFilter{Kind: content.News, Cursor: bad}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	f.mustPublish(t, news("首次贷款贴息怎么申请"))
	help := content.Text{Kind: content.Help, Column: "account", Title: "更换手机号", Body: "1. 验证原手机号\n2. 验证新手机号", Source: "平台"}
	f.mustPublish(t, help)
	f.mustCreate(t, writer, news("贷款贴息的草稿"))
	find := func(q string, kinds ...content.Kind) (out []string) {
		for _, h := range must(f.Search(ctx, visitor, must(search.Parse(q))(t), 10, kinds...))(t) {
			out = append(out, h.Title)
		}
		if n := must(f.CountFound(ctx, visitor, must(search.Parse(q))(t), 10, kinds...))(t); n != len(out) {
			t.Errorf("%q: counted %d, found %d", q, n, len(out))
		}
		return out
	}
	for q, want := range map[string][]string{
		"贷款贴息": {"首次贷款贴息怎么申请"}, "建立跟踪表": {"首次贷款贴息怎么申请"}, "新手机": {"更换手机号"}, "查无此词": nil, `"贷款" OR x-y`: nil,
	} {
		if got := find(q, content.News, content.Notice, content.Help); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", q, got, want)
		}
	}
	if got := find("手机", content.News); got != nil {
		t.Errorf("news only: %v", got)
	}
	items, _, err := f.List(ctx, writer, content.ListFilter{Query: "贷款贴息"})
	if err != nil || len(items) != 2 {
		t.Errorf("the editors' search: %d %v", len(items), err)
	}
	// What is changed is found by its new words only.
	v := must(f.Get(ctx, writer, items[0].ID))(t)
	must(f.Edit(ctx, writer, content.EditArticle{Ref: ref(v), Text: news("知识产权质押")}))(t)
	if items, _, _ = f.List(ctx, writer, content.ListFilter{Query: "贷款贴息"}); len(items) != 1 {
		t.Errorf("old words still find it: %d", len(items))
	}
	if items, _, _ = f.List(ctx, writer, content.ListFilter{Query: "知识产权"}); len(items) != 1 {
		t.Errorf("new words do not find it: %d", len(items))
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustCreate(t, writer, news("并发"))
	must(f.Edit(ctx, second, content.EditArticle{Ref: ref(v), Text: news("并发，已改")}))(t)
	_, err := f.Edit(ctx, writer, content.EditArticle{Ref: ref(v), Text: news("并发，又改")})
	if !errors.Is(err, content.ErrStale) || !strings.Contains(err.Error(), "赵强") || !strings.Contains(err.Error(), "修改") {
		t.Errorf("stale: %v", err)
	}
	if _, err := f.Publish(ctx, editor, content.Ref{ID: v.ID, Version: 2}); !errors.Is(err, content.ErrState) || !strings.Contains(err.Error(), "草稿") {
		t.Errorf("publishing a draft: %v", err)
	}
	// The same key is one article and one step.
	for range 2 {
		cmd := content.CreateArticle{Key: "k1", Text: news("双击")}
		again := must(f.Create(ctx, writer, cmd))(t)
		if again.ID != v.ID+1 {
			t.Errorf("the second click made %d", again.ID)
		}
	}
	r := content.Ref{ID: v.ID + 1, Version: 1, Key: "k2"}
	for range 2 {
		if got := must(f.Submit(ctx, writer, r))(t); got.Version != 2 {
			t.Errorf("submitted twice: version %d", got.Version)
		}
	}
	// Two at once: one wins, the other is told.
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, a := range []access.Actor{editor, second} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, errs[i] = f.Publish(ctx, a, content.Ref{ID: v.ID + 1, Version: 2})
		}()
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("two at once: %v, %v", errs[0], errs[1])
	}
	for _, err := range errs {
		if err != nil && fault.KindOf(err) != fault.Conflict {
			t.Errorf("the loser is told %v", err)
		}
	}
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	text := news("带附件")
	text.FileIDs = []int64{702, 701}
	v := f.mustCreate(t, writer, text)
	if len(v.Files) != 2 || v.Files[0].ID != 702 || v.Files[0].URL != fmt.Sprintf("/content/%d/files/702", v.ID) {
		t.Fatalf("files: %+v", v.Files)
	}
	if _, err := f.Attachment(ctx, visitor, v.ID, 702); !errors.Is(err, content.ErrNotFound) {
		t.Errorf("a draft's file: %v", err)
	}
	text.FileIDs = []int64{702}
	v = must(f.Edit(ctx, writer, content.EditArticle{Ref: ref(v), Text: text}))(t)
	v = must(f.Publish(ctx, editor, ref(must(f.Submit(ctx, writer, ref(v)))(t))))(t)
	file := must(f.Attachment(ctx, visitor, v.ID, 702))(t)
	if !strings.Contains(file.Disposition, "702.pdf") {
		t.Errorf("file: %+v", file)
	}
	for _, id := range []int64{701, 999} {
		if _, err := f.Attachment(ctx, visitor, v.ID, id); !errors.Is(err, content.ErrNotFound) {
			t.Errorf("file %d: %v", id, err)
		}
	}
	text.FileIDs = []int64{801}
	if _, err := f.Create(ctx, writer, content.CreateArticle{Text: text}); !errors.Is(err, content.ErrNotFound) {
		t.Errorf("somebody else's file: %v", err)
	}
	if f.count(t, "SELECT count(*) FROM articles") != 1 {
		t.Error("the refused article was written")
	}
}

func TestWhatIsTyped(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	_, err := f.Create(ctx, writer, content.CreateArticle{Text: content.Text{Kind: content.News, Column: "nowhere", Title: " ", Body: "", Source: ""}})
	told, _ := fault.As(err)
	var fields []string
	for _, x := range told.Fields {
		fields = append(fields, x.Name+x.Message)
	}
	for _, want := range []string{"title请填写标题", "body请填写正文", "source请填写来源", "column请选择栏目"} {
		if !slices.Contains(fields, want) {
			t.Errorf("no %s in %v", want, fields)
		}
	}
	text := news(strings.Repeat("长", 101))
	if _, err = f.Create(ctx, writer, content.CreateArticle{Text: text}); err == nil || !strings.Contains(err.Error(), "最多 100 个字") {
		t.Errorf("long title: %v", err)
	}
	text = news("𠮷野家🙏<b>粗</b>")
	if v := f.mustCreate(t, writer, text); v.Title != text.Title {
		t.Errorf("kept as %q", v.Title)
	}
	if _, err = f.Create(ctx, writer, content.CreateArticle{Text: content.Text{Kind: "x", Title: "标题", Body: "正文", Source: "来源"}}); err == nil {
		t.Error("an unknown kind")
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	at := start.AddDate(0, -2, 0)
	past := content.Past{Text: news("旧闻"), At: at, Author: writer, Publisher: editor}
	if err := f.Load(ctx, access.SystemActor("seed"), []content.Past{past}); err != nil {
		t.Fatal(err)
	}
	v := must(f.Get(ctx, writer, 1))(t)
	if v.Status != content.Public || v.Version != 3 || v.PublisherName != "周敏" || !v.PublishAt.Equal(at) || len(v.Timeline) != 3 || !v.Timeline[2].At.Equal(at) {
		t.Errorf("loaded: %+v %+v", v.Item, v.Timeline)
	}
	past.Publisher = writer
	if err := f.Load(ctx, access.SystemActor("seed"), []content.Past{past}); !errors.Is(err, content.ErrOwnWork) {
		t.Errorf("loading by one person: %v", err)
	}
}
