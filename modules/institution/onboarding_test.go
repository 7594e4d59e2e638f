package institution_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/uscc"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// shelf keeps pictures: user n owns the files n*100 to n*100+99.
type shelf struct {
	mu   sync.Mutex
	tied map[int64][]int64
}

func (s *shelf) Keep(_ context.Context, a access.Actor, _ string, _ io.Reader) (int64, error) {
	return a.UserID * 100, nil
}

func (s *shelf) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, object string, objectID int64) error {
	if id/100 != a.UserID || object != institution.ObjectDocument && object != institution.ObjectRenewal {
		return fault.ErrNotFound
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tied[objectID] = append(s.tied[objectID], id)
	return nil
}

func (s *shelf) Of(_ context.Context, _ bun.IDB, _ string, id int64) ([]institution.FileView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []institution.FileView{}
	for _, f := range s.tied[id] {
		list = append(list, institution.FileView{ID: f, Name: fmt.Sprintf("%d.png", f), State: "available"})
	}
	return list, nil
}

type twoDays struct{}

func (twoDays) ReviewDue(_ context.Context, _ bun.IDB, from time.Time) (time.Time, error) {
	return from.Add(48 * time.Hour), nil
}

// people are the accounts of a neighbour; what fails, fails as that neighbour says.
type people struct {
	mu      sync.Mutex
	made    []institution.Administrator
	refuses error
}

func (p *people) MayAdminister(_ context.Context, _ bun.IDB, _ int64, account string) error {
	if account == "taken" {
		return fault.InvalidField("account", "TAKEN", "账号已被使用")
	}
	return nil
}

func (p *people) FirstPassword(_ context.Context, _ access.Actor, key, account string) (string, string, error) {
	return "first-" + key, "hash of " + account, nil
}

func (p *people) Administer(_ context.Context, _ bun.Tx, _ access.Actor, a institution.Administrator) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses != nil {
		return p.refuses
	}
	p.made = append(p.made, a)
	return nil
}

func (p *people) Staff(_ context.Context, _ bun.IDB, id int64) (institution.Staff, error) {
	return institution.Staff{Items: []institution.Operator{{ID: id * 10, State: "active"}}, Roles: []institution.OperatorRole{}}, nil
}

func (p *people) Open(context.Context, bun.Tx, access.Actor, institution.NewOperator) (int64, error) {
	return 1, nil
}

// Switch knows the person n*10 of institution n alone.
func (p *people) Switch(_ context.Context, _ bun.Tx, _ access.Actor, o institution.OperatorSwitch) error {
	if o.ID != o.InstitutionID*10 {
		return fault.ErrNotFound
	}
	return nil
}

var (
	reviewer  = person(21, "运营钱", access.Platform, 0, institution.PermView, institution.PermReview)
	reviewer2 = person(22, "运营孙", access.Platform, 0, institution.PermView, institution.PermReview)
	// government does the second review.
	government = person(23, "政府周", access.Government, 0, institution.PermView, institution.PermApprove)
	lawyer     = person(31, "李律", access.Enterprise, 0)
	stranger   = person(32, "路人", access.Enterprise, 0)
)

func lawFirm(n int) institution.Form {
	return institution.Form{Name: "公信律师事务所", Kind: "law", CreditCode: string(uscc.Demo(n)), LegalPerson: "李正", Phone: "010-60000002", Address: "运河大道2号",
		Summary: "劳动用工与合同服务。", Offers: "为小微企业审查合同，按件收费。", ContactName: "李律", ContactPhone: "13800138031", Account: "gongxin"}
}

// mustDraft begins an application with one document.
func (f fixture) mustDraft(t *testing.T, who access.Actor, form institution.Form) institution.ApplicationView {
	t.Helper()
	v, err := f.AddDocument(context.Background(), who, institution.NewDocument{Apply: institution.Apply{Form: form}, FileIDs: []int64{who.UserID*100 + 1},
		Document: institution.Licence{Name: "律师事务所执业许可证", No: "演示311号", To: "2027-06-30"}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f fixture) mustSend(t *testing.T, who access.Actor, form institution.Form) institution.ApplicationView {
	t.Helper()
	v := f.mustDraft(t, who, form)
	v, err := f.Submit(context.Background(), who, institution.Apply{Version: v.Version, Form: form})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// mustCheck has the platform pass an application on.
func (f fixture) mustCheck(t *testing.T, v institution.ApplicationView) institution.ApplicationView {
	t.Helper()
	v, err := f.CheckApplication(context.Background(), reviewer, institution.CheckApplication{Ref: at(v)})
	if err != nil || v.State != institution.Checked {
		t.Fatalf("%+v %v", v, err)
	}
	return v
}

func at(v institution.ApplicationView) institution.Ref {
	return institution.Ref{ID: v.ID, Version: v.Version}
}

func fieldsOf(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	var names []string
	for _, x := range f.Fields {
		names = append(names, x.Name)
	}
	return strings.Join(names, " ")
}

// TestOnboardingInRounds goes from a draft over a return to the institution: each round is kept with what changed.
func TestOnboardingInRounds(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	rough, err := f.SaveDraft(ctx, lawyer, institution.Apply{Form: institution.Form{Name: "公信", CreditCode: "12"}})
	if err != nil || rough.State != institution.Draft || rough.CreditCode != "12" {
		t.Fatalf("a draft keeps what is typed: %+v %v", rough, err)
	}
	if _, err := f.Application(ctx, reviewer, rough.ID); !errors.Is(err, institution.ErrNotFound) {
		t.Errorf("staff read a draft: %v", err)
	}
	form := lawFirm(41)
	add := institution.NewDocument{Apply: institution.Apply{Key: "add", Version: rough.Version, Form: form}, FileIDs: []int64{3101},
		Document: institution.Licence{Name: "执业许可证", No: "演示311号", To: "2027-06-30"}}
	v, err := f.AddDocument(ctx, lawyer, add)
	if err != nil || len(v.Documents) != 1 || len(v.Documents[0].Files) != 1 {
		t.Fatalf("%+v %v", v, err)
	}
	if again, err := f.AddDocument(ctx, lawyer, add); err != nil || len(again.Documents) != 1 {
		t.Errorf("a double click: %+v %v", again.Documents, err)
	}
	send := institution.Apply{Key: "send", Version: v.Version, Form: form}
	v, err = f.Submit(ctx, lawyer, send)
	if err != nil || v.State != institution.Waiting || v.Number != "RZ20261122-000001" || v.Round != 1 || !v.DueAt.Equal(start.Add(48*time.Hour)) {
		t.Fatalf("%+v %v", v, err)
	}
	if again, err := f.Submit(ctx, lawyer, send); err != nil || again.Version != v.Version {
		t.Errorf("sent twice: %+v %v", again, err)
	}
	if _, err := f.SaveDraft(ctx, lawyer, institution.Apply{Version: v.Version, Form: form}); !errors.Is(err, institution.ErrSent) {
		t.Errorf("changed while it waits: %v", err)
	}
	f.clock.Advance(time.Hour)
	if _, err := f.ReturnApplication(ctx, reviewer, institution.ReturnApplication{Ref: at(v), Codes: []string{"other"}, Text: "短"}); fieldsOf(err) != "text" {
		t.Errorf("other without words: %v", err)
	}
	seen, err := f.Application(ctx, reviewer, v.ID)
	if err != nil || !seen.MayDecide || seen.ContactPhone != "13800138031" {
		t.Fatalf("%+v %v", seen, err)
	}
	back, err := f.ReturnApplication(ctx, reviewer, institution.ReturnApplication{Ref: at(v), Codes: []string{"offers", "other"}, Text: "请写明收费标准"})
	if err != nil || back.State != institution.Returned {
		t.Fatalf("%+v %v", back, err)
	}
	mine, err := f.Mine(ctx, lawyer)
	if err != nil || !strings.Contains(mine.Rounds[0].Reason, "服务内容填写不具体") || !strings.Contains(mine.Rounds[0].Reason, "请写明收费标准") || mine.Rounds[0].Reviewer != "" {
		t.Fatalf("%+v %v", mine, err)
	}
	form.Offers = "为小微企业审查合同，每件 200 元。"
	v, err = f.Submit(ctx, lawyer, institution.Apply{Version: mine.Version, Form: form})
	if err != nil || v.Round != 2 || v.Number != "RZ20261122-000001" {
		t.Fatalf("%+v %v", v, err)
	}
	seen, err = f.Application(ctx, reviewer2, v.ID)
	if err != nil || len(seen.Rounds) != 2 || len(seen.Rounds[0].Changes) != 1 || seen.Rounds[0].Changes[0].Label != "服务内容" || seen.Rounds[1].Reviewer != "运营钱" {
		t.Fatalf("%+v %v", seen.Rounds, err)
	}
	v = f.mustCheck(t, v)
	opened, err := f.ApproveApplication(ctx, government, institution.ApproveApplication{Ref: institution.Ref{ID: v.ID, Version: v.Version, Key: "ok"}})
	if err != nil || opened.Password != "first-ok" || opened.Account != "gongxin" || opened.Application.State != institution.Approved {
		t.Fatalf("%+v %v", opened, err)
	}
	if again, err := f.ApproveApplication(ctx, government, institution.ApproveApplication{Ref: institution.Ref{ID: v.ID, Version: v.Version, Key: "ok"}}); err != nil || again.Password != opened.Password {
		t.Errorf("a repeat: %+v %v", again, err)
	}
	want := institution.Administrator{UserID: lawyer.UserID, InstitutionID: opened.Application.InstitutionID, Account: "gongxin", Hash: "hash of gongxin"}
	if len(f.people.made) != 1 || f.people.made[0] != want {
		t.Errorf("administrators %+v", f.people.made)
	}
	made, err := f.Get(ctx, manager, opened.Application.InstitutionID)
	if err != nil || made.Name != form.Name || len(made.Qualifications) != 1 || made.Qualifications[0].To != "2027-06-30" || made.Status != institution.Active {
		t.Fatalf("%+v %v", made, err)
	}
	var labels []string
	for _, s := range opened.Application.Timeline {
		labels = append(labels, s.Label)
	}
	if strings.Join(labels, " ") != "提交申请 退回补正 提交申请 初审通过 通过入驻" {
		t.Errorf("timeline %v", labels)
	}
}

func TestWhatAnApplicationRefuses(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	if _, err := f.Submit(ctx, lawyer, institution.Apply{}); fieldsOf(err) != "name legalPerson address kind creditCode phone summary offers contactName contactPhone account" {
		t.Errorf("empty: %v", fieldsOf(err))
	}
	v := f.mustDraft(t, lawyer, lawFirm(41))
	for name, c := range map[string]struct {
		change func(*institution.Form)
		field  string
	}{
		"mistyped code": {func(x *institution.Form) { x.CreditCode = x.CreditCode[:17] + "*" }, "creditCode"},
		"taken account": {func(x *institution.Form) { x.Account = "taken" }, "account"},
		"no phone":      {func(x *institution.Form) { x.ContactPhone = "12345" }, "contactPhone"},
	} {
		form := lawFirm(41)
		c.change(&form)
		if _, err := f.Submit(ctx, lawyer, institution.Apply{Version: v.Version, Form: form}); fieldsOf(err) != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.SaveDraft(ctx, lawyer, institution.Apply{Version: v.Version + 1, Form: lawFirm(41)}); !errors.Is(err, institution.ErrApplication) {
		t.Errorf("stale: %v", err)
	}
	if _, err := f.SaveDraft(ctx, lawyer, institution.Apply{Form: lawFirm(41)}); !errors.Is(err, institution.ErrOpen) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := f.AddDocument(ctx, lawyer, institution.NewDocument{Apply: institution.Apply{Version: v.Version}, Document: institution.Licence{Name: "执照", No: "11", To: "2026-11-21"}}); fieldsOf(err) != "docTo docFiles" {
		t.Errorf("expired and without a picture: %v", err)
	}
	theirs := institution.NewDocument{Apply: institution.Apply{Version: v.Version}, Document: institution.Licence{Name: "执照", No: "11"}, FileIDs: []int64{stranger.UserID * 100}}
	if _, err := f.AddDocument(ctx, lawyer, theirs); !errors.Is(err, institution.ErrNotFound) {
		t.Errorf("somebody else's file: %v", err)
	}
	v, err := f.RemoveDocument(ctx, lawyer, institution.RemoveDocument{Apply: institution.Apply{Version: v.Version, Form: lawFirm(41)}, ID: v.Documents[0].ID})
	if err != nil || len(v.Documents) != 0 {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Submit(ctx, lawyer, institution.Apply{Version: v.Version, Form: lawFirm(41)}); !errors.Is(err, institution.ErrNoDocument) {
		t.Errorf("without a document: %v", err)
	}
	registered := f.mustOpen(t, 42)
	form := lawFirm(42)
	other := f.mustDraft(t, stranger, form)
	if _, err := f.Submit(ctx, stranger, institution.Apply{Version: other.Version, Form: form}); !errors.Is(err, institution.ErrRegistered) {
		t.Errorf("the code of %s: %v", registered.Name, err)
	}
}

// TestOneCodeOneReview: of two people who send the same code at once one is heard.
func TestOneCodeOneReview(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, who := range []access.Actor{lawyer, stranger} {
		v := f.mustDraft(t, who, lawFirm(41))
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, errs[i] = f.Submit(ctx, who, institution.Apply{Version: v.Version, Form: lawFirm(41)})
		}()
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), institution.ErrCodeOpen) {
		t.Errorf("errors %v", errs)
	}
}

func TestWhoDecidesAnApplication(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSend(t, lawyer, lawFirm(41))
	for name, who := range map[string]access.Actor{"applicant": lawyer, "viewer": viewer, "operator of an institution": operator(1)} {
		if _, err := f.RefuseApplication(ctx, who, institution.RefuseApplication{Ref: at(v), Reason: "不符合入驻条件"}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	own := reviewer
	own.UserID = lawyer.UserID
	if _, err := f.CheckApplication(ctx, own, institution.CheckApplication{Ref: at(v)}); !errors.Is(err, institution.ErrOwn) {
		t.Errorf("their own: %v", err)
	}
	for name, who := range map[string]access.Actor{"stranger": stranger, "operator": operator(1), "desk without the right": person(40, "坐席", access.Platform, 0)} {
		if _, err := f.Application(ctx, who, v.ID); !errors.Is(err, institution.ErrNotFound) {
			t.Errorf("%s reads it: %v", name, err)
		}
		if err := f.SeesDocument(ctx, who, v.Documents[0].ID); !errors.Is(err, institution.ErrNotFound) {
			t.Errorf("%s sees the licence: %v", name, err)
		}
		if list, _, err := f.Applications(ctx, who, "", "", 0); err == nil {
			t.Errorf("%s lists %v", name, list)
		}
	}
	if err := f.SeesDocument(ctx, reviewer, v.Documents[0].ID); err != nil {
		t.Errorf("the reviewer: %v", err)
	}
	if seen, err := f.Application(ctx, viewer, v.ID); err != nil || strings.Contains(seen.ContactPhone, "0138031") || seen.MayDecide {
		t.Errorf("a viewer: %+v %v", seen, err)
	}
	// Two reviewers at once: one decides, the other reads who did.
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, who := range []access.Actor{reviewer, reviewer2} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, errs[i] = f.RefuseApplication(ctx, who, institution.RefuseApplication{Ref: at(v), Reason: "不符合入驻条件"})
		}()
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), institution.ErrApplication) {
		t.Errorf("errors %v", errs)
	}
	if again, err := f.SaveDraft(ctx, lawyer, institution.Apply{Form: lawFirm(41)}); err != nil || again.ID == v.ID {
		t.Errorf("after a refusal: %+v %v", again, err)
	}
}

// TestApprovalIsOneTransaction: without the account there is no institution.
func TestApprovalIsOneTransaction(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustCheck(t, f.mustSend(t, lawyer, lawFirm(41)))
	f.people.refuses = errors.New("the neighbour fails")
	if _, err := f.ApproveApplication(ctx, government, institution.ApproveApplication{Ref: at(v)}); err == nil {
		t.Fatal("no error")
	}
	if list, _, err := f.List(ctx, manager, institution.ListFilter{}); err != nil || len(list) != 0 {
		t.Errorf("an institution without an administrator: %+v %v", list, err)
	}
	if now, err := f.Application(ctx, reviewer, v.ID); err != nil || now.State != institution.Checked || len(now.Timeline) != 2 {
		t.Errorf("%+v %v", now, err)
	}
	f.people.refuses = nil
	f.mustOpen(t, 41) // registered by the platform meanwhile
	if _, err := f.ApproveApplication(ctx, government, institution.ApproveApplication{Ref: at(v)}); !errors.Is(err, institution.ErrRegistered) {
		t.Errorf("the code was taken: %v", err)
	}
}

// TestTwoReviewsByTwoPeople: the platform's review and the government's are two rights and two people, in this order.
func TestTwoReviewsByTwoPeople(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSend(t, lawyer, lawFirm(41))
	both := person(24, "兼任者", access.Platform, 0, institution.PermView, institution.PermReview, institution.PermApprove)
	if _, err := f.ApproveApplication(ctx, both, institution.ApproveApplication{Ref: at(v)}); !errors.Is(err, institution.ErrDecided) {
		t.Errorf("approved without the first review: %v", err)
	}
	if _, err := f.CheckApplication(ctx, government, institution.CheckApplication{Ref: at(v)}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("the government does the first review: %v", err)
	}
	v, err := f.CheckApplication(ctx, both, institution.CheckApplication{Ref: at(v)})
	if err != nil || v.MayDecide {
		t.Fatalf("%+v %v", v, err)
	}
	for name, who := range map[string]access.Actor{"who did the first": both, "the platform": reviewer} {
		if _, err := f.ApproveApplication(ctx, who, institution.ApproveApplication{Ref: at(v)}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s approves: %v", name, err)
		}
		if _, err := f.RefuseApplication(ctx, who, institution.RefuseApplication{Ref: at(v), Reason: "不符合入驻条件"}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s refuses: %v", name, err)
		}
	}
	f.clock.Advance(49 * time.Hour)
	if n, err := f.RemindReviews(ctx, access.SystemActor("test")); n != 1 || err != nil {
		t.Errorf("the second review is late: %d %v", n, err)
	}
	if list, _, err := f.Applications(ctx, government, institution.Checked, "", 0); err != nil || len(list) != 1 || !list[0].Overdue {
		t.Errorf("%+v %v", list, err)
	}
	back, err := f.ReturnApplication(ctx, government, institution.ReturnApplication{Ref: at(v), Codes: []string{"no_permit"}})
	if err != nil || back.State != institution.Returned || back.Rounds[0].Checker != both.Name || back.Rounds[0].Reviewer != government.Name {
		t.Fatalf("%+v %v", back.Rounds, err)
	}
	mine, err := f.Mine(ctx, lawyer)
	if err != nil || mine.Rounds[0].Checker != "" || !strings.Contains(mine.Rounds[0].Reason, "许可") {
		t.Errorf("%+v %v", mine.Rounds, err)
	}
	again, err := f.Submit(ctx, lawyer, institution.Apply{Version: mine.Version, Form: lawFirm(41)})
	if err != nil || again.State != institution.Waiting {
		t.Errorf("both reviews begin anew: %+v %v", again, err)
	}
}

// TestWithdrawingRacesTheReview: of an applicant who takes back and reviewers who pass on, at once, one is heard.
func TestWithdrawingRacesTheReview(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSend(t, lawyer, lawFirm(41))
	if _, err := f.Withdraw(ctx, stranger, institution.WithdrawApplication{Ref: at(v)}); !errors.Is(err, institution.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	var wg sync.WaitGroup
	var done atomic.Int32
	for n := range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var err error
			if n%2 == 0 {
				_, err = f.Withdraw(ctx, lawyer, institution.WithdrawApplication{Ref: at(v)})
			} else {
				_, err = f.CheckApplication(ctx, reviewer, institution.CheckApplication{Ref: at(v)})
			}
			if err == nil {
				done.Add(1)
			} else if k := fault.KindOf(err); k != fault.Conflict && k != fault.NotFound { // a draft is not there for reviewers
				t.Errorf("%d: %v", n, err)
			}
		}()
	}
	wg.Wait()
	if done.Load() != 1 {
		t.Fatalf("%d were heard", done.Load())
	}
	now, err := f.Mine(ctx, lawyer)
	if err != nil {
		t.Fatal(err)
	}
	if now.State == institution.Checked {
		now, err = f.Withdraw(ctx, lawyer, institution.WithdrawApplication{Ref: at(now)})
	}
	if err != nil || now.State != institution.Draft || now.Rounds[0].Outcome != institution.Withdrawn || now.MayWithdraw {
		t.Fatalf("%+v %v", now, err)
	}
	if _, err := f.Withdraw(ctx, lawyer, institution.WithdrawApplication{Ref: at(now)}); !errors.Is(err, institution.ErrDecided) {
		t.Errorf("a draft: %v", err)
	}
	if sent, err := f.Submit(ctx, lawyer, institution.Apply{Version: now.Version, Form: lawFirm(41)}); err != nil || sent.Round != 2 || sent.Number != v.Number {
		t.Errorf("sent again: %+v %v", sent, err)
	}
}

func TestOverdueReviewsAreTold(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSend(t, lawyer, lawFirm(41))
	system := access.SystemActor("test")
	if n, err := f.RemindReviews(ctx, system); n != 0 || err != nil {
		t.Errorf("in time: %d %v", n, err)
	}
	f.clock.Advance(49 * time.Hour)
	for _, want := range []int{1, 0} {
		if n, err := f.RemindReviews(ctx, system); n != want || err != nil {
			t.Errorf("%d, want %d: %v", n, want, err)
		}
	}
	if list, _, err := f.Applications(ctx, reviewer, institution.Waiting, "", 0); err != nil || len(list) != 1 || !list[0].Overdue {
		t.Errorf("%+v %v", list, err)
	}
	if mine, err := f.Application(ctx, lawyer, v.ID); err != nil || len(mine.Timeline) != 1 {
		t.Errorf("a matter of the reviewers is shown: %+v %v", mine.Timeline, err)
	}
	if _, err := f.RemindReviews(ctx, manager); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a person: %v", err)
	}
}

// TestQualificationsAreRemindedOf: 30 and 7 days before and on the day, each once.
func TestQualificationsAreRemindedOf(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	d := bank(1)
	d.Qualifications = []institution.Licence{{Name: "金融许可证", No: "演示1001号", To: "2026-12-31"}, {Name: "营业执照", No: "演示1002号"}}
	if _, err := f.Open(ctx, manager, institution.OpenInstitution{Details: d}); err != nil {
		t.Fatal(err)
	}
	var days []int
	for day := 0; day < 45; day++ {
		n, err := f.RemindExpiring(ctx, access.SystemActor("test"))
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			days = append(days, day)
		}
		if n, err := f.RemindExpiring(ctx, access.SystemActor("test")); n != 0 || err != nil {
			t.Fatalf("again on the same day: %d %v", n, err)
		}
		f.clock.Advance(24 * time.Hour)
	}
	if fmt.Sprint(days) != "[9 32 39]" { // from 22 November: 1 December, 24 December, 31 December
		t.Errorf("reminded on the days %v", days)
	}
}

func TestOperatorsStayWithinTheInstitution(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	admin := person(50, "管理员", access.Institution, 1, institution.PermOperators)
	if list, err := f.OperatorList(ctx, admin); err != nil || len(list.Items) != 1 || list.Items[0].ID != 10 {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := f.DisableOperator(ctx, admin, institution.DisableOperator{Ref: institution.Ref{ID: 20, Version: 1}, Reason: "离职"}); !errors.Is(err, institution.ErrNotFound) {
		t.Errorf("a person of another institution: %v", err)
	}
	if _, err := f.EnableOperator(ctx, admin, institution.Ref{ID: 20, Version: 1}); !errors.Is(err, institution.ErrNotFound) {
		t.Errorf("a person of another institution: %v", err)
	}
	for name, who := range map[string]access.Actor{"operator": operator(1), "platform": person(51, "运营", access.Platform, 0, institution.PermOperators), "company": baker} {
		if _, err := f.OpenOperator(ctx, who, institution.OpenOperator{Name: "柜员", Account: "guiyuan", Phone: "13800138032", Role: "institution_operator"}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var hidden = regexp.MustCompile(`name="(key|version)" value="([^"]*)"`)

// TestApplyingOnThePortal fills the form in as a browser without a script does.
func TestApplyingOnThePortal(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	persons := map[string]access.Actor{"lawyer": lawyer, "stranger": stranger, "reviewer": reviewer}
	edge, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(_ context.Context, token string) (access.Actor, error) {
			if a, ok := persons[token]; ok {
				return a, nil
			}
			return access.Actor{}, fault.ErrUnauthorized
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := f.Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	send := func(who, method, path string, form url.Values) (int, string, string) {
		t.Helper()
		req := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := edge.App.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text), res.Header.Get("Location")
	}
	fill := func(who, action string, more url.Values) (int, string, string) {
		t.Helper()
		_, html, _ := send(who, "GET", "/institutions/apply", nil)
		_, csrf, _ := send(who, "GET", "/csrf", nil)
		form := url.Values{"action": {action}, "_csrf": {csrf}, "csrf": {csrf}}
		for _, m := range hidden.FindAllStringSubmatch(html, -1) {
			form.Set(m[1], m[2])
		}
		for k, v := range more {
			form[k] = v
		}
		return send(who, "POST", "/institutions/apply", form)
	}
	x := lawFirm(41)
	typed := url.Values{"name": {x.Name}, "kind": {x.Kind}, "creditCode": {x.CreditCode}, "legalPerson": {x.LegalPerson}, "phone": {x.Phone}, "address": {x.Address},
		"summary": {x.Summary}, "offers": {x.Offers}, "contactName": {x.ContactName}, "contactPhone": {x.ContactPhone}, "account": {x.Account}}
	if status, _, _ := send("reviewer", "GET", "/institutions/apply", nil); status != 403 {
		t.Errorf("staff apply: %d", status)
	}
	if status, body, to := fill("lawyer", "save", typed); status != 303 || to != "/institutions/apply?done=saved" {
		t.Fatalf("%d %s %s", status, to, body)
	}
	if _, html, _ := send("lawyer", "GET", "/institutions/apply", nil); !strings.Contains(html, x.Offers) || !strings.Contains(html, x.ContactPhone) {
		t.Error("the draft is not there")
	}
	if status, html, _ := fill("lawyer", "submit", typed); status != 422 || !strings.Contains(html, "请至少添加一份执照或许可") || !strings.Contains(html, x.Offers) {
		t.Errorf("without a document: %d", status)
	}
	draft, err := f.Mine(context.Background(), lawyer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.AddDocument(context.Background(), lawyer, institution.NewDocument{Apply: institution.Apply{Version: draft.Version, Form: x}, FileIDs: []int64{3101},
		Document: institution.Licence{Name: "执业许可证", No: "演示311号"}}); err != nil {
		t.Fatal(err)
	}
	status, _, to := fill("lawyer", "submit", typed)
	if status != 303 || !strings.HasPrefix(to, fmt.Sprintf("/institutions/apply/%d", draft.ID)) {
		t.Fatalf("%d %s", status, to)
	}
	if status, html, _ := send("lawyer", "GET", to, nil); status != 200 || !strings.Contains(html, "RZ20261122-") || !strings.Contains(html, "前完成平台初审") || strings.Contains(html, x.ContactPhone) {
		t.Errorf("status page: %d %s", status, html)
	}
	if status, html, _ := send("stranger", "GET", to, nil); status != 404 || strings.Contains(html, x.Name) {
		t.Errorf("somebody else's: %d", status)
	}
	if _, _, again := send("lawyer", "GET", "/institutions/apply", nil); !strings.HasPrefix(to, again) || again == "" {
		t.Errorf("the form while it waits leads to %q", again)
	}
	back := fmt.Sprintf("/institutions/apply/%d/withdraw", draft.ID)
	if status, _, _ := send("stranger", "GET", back, nil); status != 404 {
		t.Errorf("somebody else takes it back: %d", status)
	}
	_, asked, _ := send("lawyer", "GET", back, nil)
	_, csrf, _ := send("lawyer", "GET", "/csrf", nil)
	form := url.Values{"_csrf": {csrf}, "csrf": {csrf}}
	for _, m := range hidden.FindAllStringSubmatch(asked, -1) {
		form.Set(m[1], m[2])
	}
	if status, html, to := send("lawyer", "POST", back, form); status != 303 || to != "/institutions/apply?done=withdrawn" {
		t.Fatalf("withdrawn: %d %s %s", status, to, html)
	}
	if _, html, _ := send("lawyer", "GET", "/institutions/apply?done=withdrawn", nil); !strings.Contains(html, "申请已撤回") || !strings.Contains(html, x.Offers) {
		t.Error("what was sent is not in the draft")
	}
}
