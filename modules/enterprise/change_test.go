package enterprise_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/search"
)

const oldName, newName = "麦香烘焙（北京）有限公司", "麦香食品（北京）有限公司"

func rename(key, name string) enterprise.ChangeRegistered {
	return enterprise.ChangeRegistered{Key: key, Name: name, FileIDs: []int64{701}}
}

// mustBeVerified registers a company and has it verified by the registry.
func (f fixture) mustBeVerified(t *testing.T) access.Actor {
	t.Helper()
	a := f.mustOpen(t, 7, "麦香")
	f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	return a
}

func (f fixture) renamedAs(name string) {
	f.register.mu.Lock()
	defer f.register.mu.Unlock()
	f.register.name = name
}

func (f fixture) standsFor(person string) {
	f.register.mu.Lock()
	defer f.register.mu.Unlock()
	f.register.person = person
}

func TestNameHoldsAtOnceWhereTheRegistryAgrees(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustBeVerified(t)
	f.renamedAs(newName)
	f.clock.Advance(24 * time.Hour)
	var v enterprise.AttemptView
	for range 2 { // a double click
		var err error
		if v, err = f.Change(ctx, a, rename("n", "麦香食品(北京)有限公司")); err != nil {
			t.Fatal(err)
		}
	}
	if v.Outcome != enterprise.Agreed || v.EnterpriseName != newName || v.Changes[0].From != oldName || v.Verification != enterprise.Verified || len(v.Files) != 1 || v.DueAt != nil {
		t.Fatalf("%+v", v)
	}
	m, err := f.Mine(ctx, a)
	if err != nil || m.Name != newName || !slices.Equal(m.FormerNames, []string{oldName}) || !m.CanChange || m.Attempt.Kind != "registry" || m.Changing.ID != v.ID {
		t.Fatalf("%+v, %v", m, err)
	}
	if len(m.Names) != 2 || m.Names[0].Name != newName || m.Names[0].Until != nil || m.Names[0].How != "登记系统核验一致" ||
		m.Names[1].Name != oldName || !m.Names[1].From.Equal(start) || m.Names[1].Until == nil || !m.Names[1].Until.Equal(start.Add(24*time.Hour)) {
		t.Errorf("names %+v", m.Names)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_verifications WHERE kind = 'change'"); n != 1 {
		t.Errorf("%d requests", n)
	}
	if got := f.types(t, "enterprise", a.EnterpriseID); !slices.Equal(got, []string{"enterprise.registered", "enterprise.verified", "enterprise.changed"}) {
		t.Errorf("events %v", got)
	}
	for action, want := range map[string]int{"enterprise.change": 1, "enterprise.changed": 1} {
		if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action = ?", action); n != want {
			t.Errorf("%s: %d audit rows", action, n)
		}
	}
	if _, err := f.Change(ctx, a, rename("again", newName)); !errors.Is(err, enterprise.ErrSameName) {
		t.Errorf("the same name: %v", err)
	}
}

func TestOldNameIsFound(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustBeVerified(t)
	f.renamedAs("通州运河食品有限公司")
	if _, err := f.Change(ctx, a, rename("n", "通州运河食品有限公司")); err != nil {
		t.Fatal(err)
	}
	found := func(when string) {
		t.Helper()
		for _, words := range []string{"麦香烘焙", "运河食品"} {
			items, _, err := f.List(ctx, reviewer(50), enterprise.ListFilter{Query: words})
			if err != nil || len(items) != 1 || items[0].ID != a.EnterpriseID || !slices.Equal(items[0].FormerNames, []string{oldName}) {
				t.Errorf("%s, %s: %+v, %v", when, words, items, err)
			}
		}
	}
	found("after the change")
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := database.Run(ctx, tx, "DELETE FROM search_enterprise")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if items, _, err := f.List(ctx, reviewer(50), enterprise.ListFilter{Query: "麦香烘焙"}); err != nil || len(items) != 0 {
		t.Fatalf("without an index: %+v, %v", items, err)
	}
	src := enterprise.SearchSource()
	docs, err := src.Docs(ctx, f.db.Read(), func(q *bun.SelectQuery, id string) *bun.SelectQuery { return q.OrderExpr(id) })
	if err != nil {
		t.Fatal(err)
	}
	if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return put(ctx, tx, src.Index, docs) }); err != nil {
		t.Fatal(err)
	}
	found("after a rebuild")
	v, err := f.Get(ctx, reviewer(50), a.EnterpriseID, "")
	if err != nil || len(v.Names) != 2 || !slices.Equal(v.FormerNames, []string{oldName}) {
		t.Errorf("staff: %+v, %v", v.Names, err)
	}
}

func put(ctx context.Context, tx bun.Tx, x search.Index, docs []search.Doc) error {
	for _, d := range docs {
		if err := x.Put(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}

func TestNameIsReviewedWhereTheRegistryDoesNotAgree(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(*register)
		change  func(*enterprise.Deps)
		title   string
	}{
		"another name":  {title: "企业名称与登记信息不一致"},
		"no answer":     {prepare: func(r *register) { r.err = enterprise.ErrUnavailable }, title: "登记系统暂时无法核验"},
		"not let in":    {prepare: func(r *register) { r.err = enterprise.ErrRefused }, title: "登记系统暂时无法核验"},
		"another owner": {prepare: func(r *register) { r.name, r.person = newName, "李雷" }, title: "法定代表人与登记信息不一致"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			desk := &leave{}
			f := mustNew(t, func(d *enterprise.Deps) { d.Desk, d.Deputies = desk, desk })
			ctx := context.Background()
			a := f.mustBeVerified(t)
			if c.prepare != nil {
				f.register.mu.Lock()
				c.prepare(f.register)
				f.register.mu.Unlock()
			}
			v, err := f.Change(ctx, a, rename("n", newName))
			if err != nil || v.Outcome != enterprise.Waiting || v.EnterpriseName != oldName || v.Verification != enterprise.Verified || v.Before != nil || v.Answer != "" ||
				v.DueAt == nil || !v.DueAt.Equal(start.Add(2*time.Hour)) || !strings.Contains(v.Text, c.title) {
				t.Fatalf("%+v, %v", v, err)
			}
			if _, err := f.Change(ctx, a, rename("second", "别的名称有限公司")); !errors.Is(err, enterprise.ErrChanging) {
				t.Errorf("a second request: %v", err)
			}
			if m, err := f.Mine(ctx, a); err != nil || m.CanChange || m.Name != oldName || len(m.Names) != 0 {
				t.Errorf("%+v, %v", m, err)
			}
			queue, _, err := f.Reviews(ctx, reviewer(50), "", 0)
			if err != nil || len(queue) != 1 || queue[0].Kind != "change" || queue[0].Changes[0].From != oldName || queue[0].Name != newName ||
				queue[0].Before == nil || queue[0].Before.Title != c.title || len(queue[0].Files) != 1 {
				t.Fatalf("%+v, %v", queue, err)
			}
			f.clock.Advance(3 * time.Hour)
			if n, err := f.RemindOverdue(ctx, access.SystemActor("test")); err != nil || n != 1 {
				t.Errorf("reminded %d, %v", n, err)
			}
			// A colleague decides for the reviewer on leave.
			desk.lent = access.Lent{enterprise.PermReview: {ID: 50, Name: reviewer(50).Name}}
			colleague := access.Actor{UserID: 51, Name: "赵强", Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermView}}
			d := enterprise.Decide{ID: v.ID, Version: queue[0].Version, Key: "r"}
			if _, err := f.Approve(ctx, reviewer(7), enterprise.ApproveReview{Decide: d}); !errors.Is(err, enterprise.ErrOwnReview) {
				t.Errorf("their own: %v", err)
			}
			for range 2 {
				if v, err = f.Approve(ctx, colleague, enterprise.ApproveReview{Decide: d}); err != nil || v.Outcome != enterprise.Approved || v.EnterpriseName != newName {
					t.Fatalf("%+v, %v", v, err)
				}
			}
			seen, err := f.Get(ctx, reviewer(50), a.EnterpriseID, "")
			if err != nil || seen.Verification != enterprise.Verified || len(seen.Names) != 2 || seen.Names[0].How != "人工审核营业执照" || seen.Names[0].ByName != "赵强（受李敏委托）" {
				t.Errorf("%+v, %v", seen.Names, err)
			}
			if m, err := f.Mine(ctx, a); err != nil || m.Names[0].ByName != "" || m.CreditCode != theCode {
				t.Errorf("the company: %+v, %v", m.Names, err)
			}
			want := []string{"enterprise.registered", "enterprise.verified", "enterprise.change_pending", "enterprise.review_overdue", "enterprise.changed"}
			if got := f.types(t, "enterprise", a.EnterpriseID); !slices.Equal(got, want) {
				t.Errorf("events %v", got)
			}
		})
	}
}

func TestRenamingIsSentBack(t *testing.T) {
	t.Parallel()
	f := mustNew(t, func(d *enterprise.Deps) { d.Registry = nil })
	ctx := context.Background()
	a := f.mustOpen(t, 7, "麦香")
	f.mustApprove(t, a)
	v, err := f.Change(ctx, a, rename("n", newName))
	if err != nil || v.Outcome != enterprise.Waiting || !strings.Contains(v.Text, "尚未接入") {
		t.Fatalf("%+v, %v", v, err)
	}
	d := enterprise.Decide{ID: v.ID, Version: v.Version, Key: "r"}
	if v, err = f.Return(ctx, reviewer(50), enterprise.ReturnReview{Decide: d, Code: "unclear"}); err != nil || v.Outcome != enterprise.SentBack || v.Verification != enterprise.Verified {
		t.Fatalf("%+v, %v", v, err)
	}
	m, err := f.Mine(ctx, a)
	if err != nil || !m.CanChange || m.Name != claim().Name || len(m.Names) != 0 || !strings.Contains(m.Changing.Text, "不清晰") {
		t.Fatalf("%+v, %v", m, err)
	}
	_, err = f.Approve(ctx, reviewer(53), enterprise.ApproveReview{Decide: enterprise.Decide{ID: d.ID, Version: d.Version, Key: "late"}})
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "变更登记被退回") {
		t.Errorf("somebody decided first: %v", err)
	}
	if v, err = f.Change(ctx, a, rename("n2", newName)); err != nil || v.Outcome != enterprise.Waiting {
		t.Errorf("again: %+v, %v", v, err)
	}
}

func TestWhoMayRename(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	young := f.mustOpen(t, 9, "新店")
	if _, err := f.Change(ctx, young, enterprise.ChangeRegistered{Key: "n", Name: newName, FileIDs: []int64{901}}); !errors.Is(err, enterprise.ErrChangeUnverified) {
		t.Errorf("unverified: %v", err)
	}
	a := f.mustBeVerified(t)
	other := f.mustOpen(t, 8, "别家")
	stranger, member := other, other
	stranger.EnterpriseID = a.EnterpriseID
	if _, err := f.Change(ctx, stranger, enterprise.ChangeRegistered{Key: "n", Name: newName, FileIDs: []int64{801}}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	f.mustVerify(t, member, "join", claim(), enterprise.Held)
	joins, err := f.Members(ctx, a)
	if err != nil || len(joins.Requests) != 1 {
		t.Fatal(err)
	}
	if _, err := f.Admit(ctx, a, enterprise.AdmitJoin{Decide: enterprise.Decide{ID: joins.Requests[0].ID, Version: joins.Requests[0].Version, Key: "admit"}}); err != nil {
		t.Fatal(err)
	}
	member.EnterpriseID = a.EnterpriseID
	if _, err := f.Change(ctx, member, enterprise.ChangeRegistered{Key: "n", Name: newName, FileIDs: []int64{801}}); !errors.Is(err, enterprise.ErrOwner) {
		t.Errorf("a member: %v", err)
	}
	for name, c := range map[string]struct {
		cmd  enterprise.ChangeRegistered
		want error
	}{
		"no licence":     {enterprise.ChangeRegistered{Key: "a", Name: newName}, enterprise.ErrLicence},
		"others' file":   {enterprise.ChangeRegistered{Key: "b", Name: newName, FileIDs: []int64{901}}, fault.ErrNotFound},
		"only the width": {rename("c", claim().Name), enterprise.ErrSameName},
	} {
		if _, err := f.Change(ctx, a, c.cmd); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Change(ctx, a, rename("d", " ")); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "变更后的企业名称") {
		t.Errorf("no name: %v", err)
	}
	if _, err := f.Change(ctx, reviewer(50), rename("e", newName)); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("staff: %v", err)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_verifications WHERE kind = 'change'"); n != 0 {
		t.Errorf("%d requests", n)
	}
	f.register.mu.Lock()
	f.register.name, f.register.status = newName, "吊销"
	f.register.mu.Unlock()
	v, err := f.Change(ctx, a, rename("f", newName))
	if err != nil || v.Outcome != enterprise.Closed || v.EnterpriseName != oldName || !strings.Contains(v.Text, "吊销") || !strings.Contains(v.Text, "变更登记") {
		t.Errorf("closed: %+v, %v", v, err)
	}
}

// Of many requests at a time one is taken, whatever their keys.
func TestTwoRenamesAtOnce(t *testing.T) {
	t.Parallel()
	f := mustNew(t, patient)
	ctx := context.Background()
	a := f.mustBeVerified(t)
	before := f.register.asked()
	f.register.mu.Lock()
	f.register.name, f.register.wait = newName, make(chan struct{})
	f.register.mu.Unlock()
	const n = 6
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = f.Change(ctx, a, rename(string(rune('a'+i)), newName)) })
	}
	for deadline := time.Now().Add(10 * time.Second); f.register.asked() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody asked the registry")
		}
	}
	time.Sleep(50 * time.Millisecond) // the others come while the first is being asked
	close(f.register.wait)
	wg.Wait()
	taken := 0
	for _, err := range errs {
		switch {
		case err == nil:
			taken++
		case !errors.Is(err, enterprise.ErrChanging) && !errors.Is(err, enterprise.ErrSameName):
			t.Errorf("%v", err)
		}
	}
	if taken != 1 || f.register.asked() != before+1 {
		t.Errorf("%d taken, asked %d times", taken, f.register.asked()-before)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_verifications WHERE kind = 'change'") + f.count(t, "SELECT count(*) FROM enterprise_names"); n != 3 {
		t.Errorf("%d rows", n)
	}
}

func TestRenamingInterrupted(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustBeVerified(t)
	f.renamedAs(newName)
	v, err := f.Change(ctx, a, rename("n", newName))
	if err != nil {
		t.Fatal(err)
	}
	// As a crash between asking and settling leaves it.
	if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := database.Run(ctx, tx, "DELETE FROM enterprise_names"); err != nil {
			return err
		}
		if _, err := database.Run(ctx, tx, "UPDATE enterprises SET name = ? WHERE id = ?", oldName, a.EnterpriseID); err != nil {
			return err
		}
		_, err := database.Run(ctx, tx, "UPDATE enterprise_verifications SET outcome = 'asking', settled_at = NULL WHERE id = ?", v.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Change(ctx, a, rename("other", newName)); !errors.Is(err, enterprise.ErrChanging) {
		t.Errorf("while it may still be asked: %v", err)
	}
	f.clock.Advance(2 * time.Minute)
	if m, err := f.Mine(ctx, a); err != nil || !m.CanChange || m.Changing.Title != "核验没有完成" {
		t.Errorf("%+v, %v", m.Changing, err)
	}
	if v, err = f.Change(ctx, a, rename("other", newName)); err != nil || v.Outcome != enterprise.Agreed {
		t.Errorf("another key: %+v, %v", v, err)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_verifications WHERE kind = 'change' AND outcome = 'interrupted'"); n != 1 {
		t.Errorf("%d interrupted", n)
	}
}

func TestRenamingOnThePage(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	show := func() string {
		status, _, html := b.raw("baker", "GET", "/company/change", "", "", nil, "")
		if status != 200 {
			t.Fatalf("%d %s", status, html)
		}
		return html
	}
	if html := show(); !strings.Contains(html, "通过认证后才需要") || strings.Contains(html, "提交变更登记") {
		t.Fatalf("unverified: %s", html)
	}
	status, _, html := b.raw("baker", "GET", "/company", "", "", nil, "")
	key := keyField.FindStringSubmatch(html)
	if status != 200 || key == nil || strings.Contains(html, "/company/change") {
		t.Fatalf("%d %s", status, html)
	}
	if status, _, html := b.form("baker", "/company/verify", map[string]string{"key": key[1], "action": "verify", "name": claim().Name, "creditCode": theCode, "legalPerson": "王丽"}, nil); status != 303 {
		t.Fatalf("%d %s", status, html)
	}
	if _, _, html := b.raw("baker", "GET", "/company", "", "", nil, ""); !strings.Contains(html, "办理变更登记") {
		t.Errorf("no way to the change of name: %s", html)
	}
	key = regexp.MustCompile(`action="/company/change"[^§]*?name="key" value="([^"]+)"`).FindStringSubmatch(show())
	if key == nil {
		t.Fatal("no form")
	}
	values := map[string]string{"key": key[1], "name": "<i>麦香</i>"}
	if status, _, html := b.form("baker", "/company/change", values, nil); status != 422 || !strings.Contains(html, "请上传营业执照") || strings.Contains(html, "<i>麦香") || !strings.Contains(html, `value="`+key[1]+`"`) {
		t.Errorf("without a licence: %d %s", status, html)
	}
	if status, _, html := b.form("baker", "/company/change", values, map[string]string{"licence": "MZ program"}); status != 422 || !strings.Contains(html, "文件内容与扩展名不符") {
		t.Errorf("a program: %d %s", status, html)
	}
	b.renamedAs(newName)
	values["name"] = newName
	for range 2 {
		if status, to, html := b.form("baker", "/company/change", values, map[string]string{"licence": "PNG picture"}); status != 303 || to != "/company/change?done=sent" {
			t.Fatalf("%d %s %s", status, to, html)
		}
	}
	html = show()
	for _, want := range []string{"变更已生效", "由“" + oldName + "”变更为“" + newName + "”", "名称记录", "登记系统核验一致", "至今"} {
		if !strings.Contains(html, want) {
			t.Errorf("lacks %s: %s", want, html)
		}
	}
	if _, _, html := b.raw("baker", "GET", "/company", "", "", nil, ""); !strings.Contains(html, "曾用名") || !strings.Contains(html, newName) {
		t.Errorf("the company's page: %s", html)
	}
	if n := b.count(t, "SELECT count(*) FROM enterprise_verifications WHERE kind = 'change'"); n != 1 {
		t.Errorf("%d requests", n)
	}
	for _, who := range []string{"desk", "nobody"} {
		if status, _, html := b.raw(who, "GET", "/company/change", "", "", nil, ""); status < 300 || strings.Contains(html, "麦香") {
			t.Errorf("%s: %d", who, status)
		}
	}
}

// edited is a keeper of reasons whose list of renames an operator has changed.
type edited struct{}

func (e edited) Offered(_ context.Context, _ bun.IDB, list string) ([]reason.Reason, error) {
	if list != enterprise.ReasonsOfChanges {
		return enterprise.FirstReasons(list), nil
	}
	return []reason.Reason{{Code: "notice", Text: "请上传登记机关的变更通知书，并说明变更原因", Words: true}}, nil
}

// said are the hints of an installation.
type said map[string]string

func (h said) ToSubmitter(_ context.Context, _ bun.IDB, review, step string) (*hint.Said, error) {
	if h[review+" "+step] == "" {
		return nil, nil
	}
	return &hint.Said{Text: h[review+" "+step]}, nil
}

// What the platform says of how to be verified is read by the owner, until the company is.
func TestHintBeforeTheVerification(t *testing.T) {
	t.Parallel()
	f := mustNew(t, func(d *enterprise.Deps) { d.Hints = said{"enterprise form": "请先核对执照上的名称"} })
	a := f.mustOpen(t, 7, "麦香")
	if m := f.mustMine(t, a); m.Hint == nil || m.Hint.Text != "请先核对执照上的名称" {
		t.Fatalf("the owner reads %+v", m.Hint)
	}
	f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	if m := f.mustMine(t, a); m.Hint != nil {
		t.Fatalf("a verified company reads %+v", m.Hint)
	}
}

// TestReasonsOfChangesAreTheirOwn sends a change of name back by the list that is edited for it.
func TestReasonsOfChangesAreTheirOwn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t, func(d *enterprise.Deps) { d.Reasons = edited{} })
	a := f.mustOpen(t, 7, "麦香")
	f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	v, err := f.Change(ctx, a, rename("r", newName))
	if err != nil || v.Outcome != enterprise.Waiting {
		t.Fatalf("%+v %v", v, err)
	}
	list, err := f.ReturnReasons(ctx, reviewer(50), true)
	if err != nil || len(list) != 1 || list[0].Code != "notice" {
		t.Fatalf("%+v %v", list, err)
	}
	if list, err = f.ReturnReasons(ctx, reviewer(50), false); err != nil || len(list) != 5 {
		t.Fatalf("%+v %v", list, err)
	}
	if _, err := f.ReturnReasons(ctx, a, true); fault.KindOf(err) != fault.Forbidden {
		t.Fatal("a company reads the reviewers' reasons:", err)
	}
	back := func(code, words string) (enterprise.AttemptView, error) {
		return f.Return(ctx, reviewer(50), enterprise.ReturnReview{Decide: enterprise.Decide{ID: v.ID, Version: v.Version, Key: "once"}, Code: code, Text: words})
	}
	for _, c := range [][2]string{{"unclear", ""}, {"", ""}, {"notice", ""}, {"notice", "短"}} {
		if _, err := back(c[0], c[1]); fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%v: %v", c, err)
		}
	}
	for range 2 {
		got, err := back("notice", "通知书缺少第二页")
		if err != nil || got.Outcome != enterprise.SentBack || got.Reason != "请上传登记机关的变更通知书，并说明变更原因\n通知书缺少第二页" {
			t.Fatalf("%+v %v", got, err)
		}
	}
}

// TestLegalPersonChanges changes the legal person alone and with the name, where the registry agrees.
func TestLegalPersonChanges(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustBeVerified(t)
	change := func(key, name, person string) (enterprise.AttemptView, error) {
		return f.Change(ctx, a, enterprise.ChangeRegistered{Key: key, Name: name, LegalPerson: person, FileIDs: []int64{701}})
	}
	f.standsFor("李雷")
	f.clock.Advance(24 * time.Hour)
	v, err := change("p", "", " 李雷 ")
	if err != nil || v.Outcome != enterprise.Agreed || len(v.Changes) != 1 || v.Changes[0] != (enterprise.Difference{What: "legalPerson", Label: "法定代表人", From: "王丽", To: "李雷"}) ||
		!strings.Contains(v.Text, "请核对企业成员") {
		t.Fatalf("%+v, %v", v, err)
	}
	m, err := f.Mine(ctx, a)
	if err != nil || m.Name != oldName || m.LegalPerson != "李雷" || len(m.Names) != 0 || len(m.Persons) != 2 || m.Persons[0].Name != "李雷" || m.Persons[1].Name != "王丽" ||
		m.Persons[1].Until == nil || !m.Persons[1].Until.Equal(start.Add(24*time.Hour)) || m.Persons[1].How != "登记系统核验一致" {
		t.Fatalf("%+v, %v", m, err)
	}
	f.renamedAs(newName)
	f.standsFor("韩梅")
	if v, err = change("both", newName, "韩梅"); err != nil || v.Outcome != enterprise.Agreed || len(v.Changes) != 2 || v.EnterpriseName != newName {
		t.Fatalf("%+v, %v", v, err)
	}
	got, err := f.Get(ctx, reviewer(50), a.EnterpriseID, "")
	if err != nil || got.Name != newName || got.LegalPerson != "韩梅" || len(got.Names) != 2 || len(got.Persons) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_names WHERE ended_at IS NULL"); n != 2 {
		t.Errorf("%d present", n)
	}
	for name, c := range map[string]struct {
		name, person string
		want         error
	}{
		"nothing":         {"", " ", enterprise.ErrNoChange},
		"the same person": {"", "韩梅", enterprise.ErrSamePerson},
		"the same both":   {newName, "韩梅", enterprise.ErrSameName},
		"the same name":   {newName, "", enterprise.ErrSameName},
	} {
		if _, err := change("no "+name, c.name, c.person); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.standsFor("李雷")
	// A name that stays may be typed all the same.
	if v, err = change("again", newName, "李雷"); err != nil || v.Outcome != enterprise.Agreed || len(v.Changes) != 1 || v.Changes[0].What != "legalPerson" {
		t.Fatalf("%+v, %v", v, err)
	}
}

// TestLegalPersonIsReviewed approves one change of both and sends another back.
func TestLegalPersonIsReviewed(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustBeVerified(t)
	v, err := f.Change(ctx, a, enterprise.ChangeRegistered{Key: "p", Name: newName, LegalPerson: "李雷", FileIDs: []int64{701}})
	if err != nil || v.Outcome != enterprise.Waiting || len(v.Changes) != 2 || v.DueAt == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	m, err := f.Mine(ctx, a)
	if err != nil || m.LegalPerson != "王丽" || m.Name != oldName || m.CanChange {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := f.Change(ctx, a, enterprise.ChangeRegistered{Key: "q", LegalPerson: "别人", FileIDs: []int64{702}}); !errors.Is(err, enterprise.ErrChanging) {
		t.Errorf("a second request: %v", err)
	}
	d := enterprise.Decide{ID: v.ID, Version: v.Version, Key: "r"}
	if v, err = f.Approve(ctx, reviewer(50), enterprise.ApproveReview{Decide: d}); err != nil || v.Outcome != enterprise.Approved || !strings.Contains(v.Text, "请核对企业成员") {
		t.Fatalf("%+v, %v", v, err)
	}
	got, err := f.Get(ctx, reviewer(50), a.EnterpriseID, "")
	if err != nil || got.LegalPerson != "李雷" || got.Name != newName || len(got.Persons) != 2 || got.Persons[0].How != "人工审核营业执照" || got.Persons[0].ByName != "李敏" {
		t.Fatalf("%+v, %v", got.Persons, err)
	}
	if v, err = f.Change(ctx, a, enterprise.ChangeRegistered{Key: "s", LegalPerson: "韩梅", FileIDs: []int64{702}}); err != nil || v.Outcome != enterprise.Waiting {
		t.Fatalf("%+v, %v", v, err)
	}
	if _, err = f.Return(ctx, reviewer(50), enterprise.ReturnReview{Decide: enterprise.Decide{ID: v.ID, Version: v.Version, Key: "t"}, Code: "differs"}); err != nil {
		t.Fatal(err)
	}
	if m, err = f.Mine(ctx, a); err != nil || m.LegalPerson != "李雷" || !m.CanChange || !strings.Contains(m.Changing.Text, "变更内容与营业执照不一致") {
		t.Errorf("%+v, %v", m, err)
	}
}
