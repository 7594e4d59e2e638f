package contract_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/contract"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/localsign"
	"github.com/huiqi/huiqi/platform/secret"
)

var start = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)

// world has application 5 of company 1 at institution 3; everybody's code is 123456, file 70 is a PDF of 30, 71 a picture.
type world struct{ db *database.DB }

func (world) Case(_ context.Context, _ bun.IDB, a access.Actor, id int64) (contract.Case, error) {
	own := a.Party == access.Enterprise && a.EnterpriseID == 1 || a.Party == access.Institution && a.InstitutionID == 3 || a.Party == access.Platform
	if !own || id != 5 && id != 6 {
		return contract.Case{}, fault.ErrNotFound
	}
	return contract.Case{Object: "application", ID: id, Number: "SQ20261130-000005", Title: "烘焙贷", InstitutionID: 3, InstitutionName: "运河银行", EnterpriseID: 1, EnterpriseName: "麦香烘焙", UserID: 100, Open: id == 5,
		Values: map[string]string{"企业名称": "麦香烘焙", "机构名称": "运河银行", "批准金额": "50 万元"}}, nil
}

func (world) SendOwnCode(context.Context, access.Actor) (string, error) { return "138****0001", nil }

func (w world) WithOwnCode(ctx context.Context, _ access.Actor, code string, fn func(ctx context.Context, tx bun.Tx) error) error {
	if code != "123456" {
		return fault.InvalidField("code", "CODE_WRONG", "短信验证码不正确，请核对后重新输入")
	}
	return w.db.RunInTx(ctx, fn)
}

func (world) MaySign(_ context.Context, _ bun.IDB, _, user int64) error {
	if user != 100 {
		return fault.New(fault.Forbidden, "MANDATE_NEEDED", "您没有办理此事项的授权")
	}
	return nil
}

func (world) Get(_ context.Context, a access.Actor, id int64) (contract.FileView, error) {
	switch {
	case a.UserID != 30:
		return contract.FileView{}, fault.ErrNotFound
	case id == 70:
		return contract.FileView{ID: id, Name: "合同.pdf", Size: 9, Mime: "application/pdf", State: "available"}, nil
	}
	return contract.FileView{ID: id, Name: "合同.png", Mime: "image/png", State: "available"}, nil
}

const pdf = "%PDF-1.7 "

func (world) Digest(context.Context, access.Actor, int64) (string, error) {
	return contract.DigestOf([]byte(pdf)), nil
}

func (world) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, _ string, _ int64) error {
	if id >= 80 || a.UserID != 30 {
		return fault.ErrNotFound
	}
	return nil
}

func (world) Known(_ context.Context, _ bun.IDB, _ []int64) (map[int64]contract.FileView, error) {
	return map[int64]contract.FileView{}, nil
}

// shaky is a signer that may fail before or after it signed, and counts for whom it signed.
type shaky struct {
	contract.Signer
	mu     sync.Mutex
	before bool
	after  bool
	asked  map[string]int
}

func (s *shaky) Sign(ctx context.Context, id string, payload []byte) (contract.Signed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[id]++
	if s.before {
		return contract.Signed{}, errors.New("the service is away")
	}
	signed, err := s.Signer.Sign(ctx, id, payload)
	if s.after {
		return contract.Signed{}, errors.New("the answer was lost")
	}
	return signed, err
}

type fixture struct {
	*contract.Service
	db     *database.DB
	clock  *clock.Fake
	signer *shaky
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	db := databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, localsign.Migrations, contract.Migrations))
	f := fixture{db: db, clock: clock.NewFake(start)}
	f.signer = &shaky{asked: map[string]int{}, Signer: contract.Local{Signer: &localsign.Signer{DB: db, Clock: f.clock, Box: box, Name: "惠企台"}}}
	w := world{db}
	f.Service = contract.New(contract.Deps{DB: db, Clock: f.clock, Cases: map[string]contract.Cases{"application": w}, Signer: f.signer, Confirmer: w, Mandates: w, Files: w})
	return f
}

func bank(id int64) access.Actor {
	return access.Actor{UserID: id * 10, Name: "赵强", Party: access.Institution, InstitutionID: id, Permissions: []access.Permission{contract.PermDraft, contract.PermSign, contract.PermTemplates}}
}

func owner() access.Actor {
	return access.Actor{UserID: 100, Name: "王芳", Party: access.Enterprise, EnterpriseID: 1}
}

func member() access.Actor {
	return access.Actor{UserID: 101, Name: "李明", Party: access.Enterprise, EnterpriseID: 1}
}

func other() access.Actor {
	return access.Actor{UserID: 200, Name: "陈晨", Party: access.Enterprise, EnterpriseID: 2}
}

func operator() access.Actor {
	return access.Actor{UserID: 9, Name: "运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{contract.PermTemplates, contract.PermView}}
}

func words() contract.Words {
	return contract.Words{Title: "借款合同", Body: "甲乙双方约定如下，借款金额 50 万元。", Days: 7}
}

func (f fixture) mustSend(t *testing.T) contract.View {
	t.Helper()
	ctx := context.Background()
	v, err := f.Make(ctx, bank(3), contract.Make{Object: "application", ID: 5, Words: words()})
	if err == nil {
		v, err = f.Send(ctx, bank(3), contract.Ref{ID: v.ID, Version: v.Version})
	}
	if err != nil || v.State != contract.Sent {
		t.Fatalf("%+v %v", v, err)
	}
	return v
}

func (f fixture) mustSign(t *testing.T, a access.Actor, v contract.View) contract.View {
	t.Helper()
	v, err := f.Sign(context.Background(), a, contract.Sign{Ref: ref(v), Code: "123456"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ref(v contract.View) contract.Ref { return contract.Ref{ID: v.ID, Version: v.Version} }

func (f fixture) events(t *testing.T, id int64) (list []string) {
	t.Helper()
	all, err := event.Of(context.Background(), f.db.Read(), contract.Object, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		list = append(list, strings.TrimPrefix(e.Type, "contract."))
	}
	return list
}

// TestSignedInOrder takes a contract from a template to its end, and verifies it as everybody may.
func TestSignedInOrder(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	if err := f.SaveTemplate(ctx, operator(), contract.SaveTemplate{Title: "借款合同", Body: "甲方{{企业名称}}，乙方{{机构名称}}，合同编号 {{合同编号}}，金额{{批准金额}}，年利率{{年利率}}。"}); err != nil {
		t.Fatal(err)
	}
	templates, err := f.Templates(ctx, bank(3))
	if err != nil || len(templates) != 1 || templates[0].Own {
		t.Fatalf("%+v %v", templates, err)
	}
	v, err := f.Make(ctx, bank(3), contract.Make{Object: "application", ID: 5, TemplateID: templates[0].ID, Words: contract.Words{Title: "借款合同", FileID: 70, Days: 7}})
	if err != nil || !strings.HasPrefix(v.Body, "甲方麦香烘焙，乙方运河银行，合同编号 "+v.Number+"，金额50 万元，年利率{{") {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Send(ctx, bank(3), ref(v)); !errors.Is(err, contract.ErrBlank) {
		t.Fatalf("sent with a blank: %v", err)
	}
	if _, err := f.Get(ctx, owner(), v.ID); !errors.Is(err, contract.ErrNotFound) {
		t.Fatalf("the company reads a draft: %v", err)
	}
	v, err = f.Edit(ctx, bank(3), contract.Edit{Ref: ref(v), Words: contract.Words{Title: "借款合同", Body: strings.ReplaceAll(v.Body, "{{年利率}}", "4%"), FileID: 70, Days: 7}})
	if err == nil {
		v, err = f.Send(ctx, bank(3), ref(v))
	}
	if err != nil || v.Digest == "" {
		t.Fatal(err)
	}
	if _, err := f.Edit(ctx, bank(3), contract.Edit{Ref: ref(v), Words: words()}); !errors.Is(err, contract.ErrStep) {
		t.Fatalf("what was sent is changed: %v", err)
	}
	if _, err := f.Sign(ctx, bank(3), contract.Sign{Ref: ref(v), Code: "123456"}); !errors.Is(err, contract.ErrStep) {
		t.Fatalf("the institution signs first: %v", err)
	}
	if _, err := f.Sign(ctx, owner(), contract.Sign{Ref: ref(v), Code: "000000"}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("a wrong code: %v", err)
	}
	if _, err := f.Sign(ctx, member(), contract.Sign{Ref: ref(v), Code: "123456"}); fault.KindOf(err) != fault.Forbidden {
		t.Fatalf("a member without a mandate: %v", err)
	}
	if c, err := f.Check(ctx, v.Number, v.Code); err != nil || c.Verdict != contract.IsPending {
		t.Fatalf("%+v %v", c, err)
	}
	v = f.mustSign(t, owner(), v)
	if v.State != contract.Half || len(v.Signatures) != 1 || !v.Signatures[0].Fits {
		t.Fatalf("%+v", v)
	}
	v = f.mustSign(t, bank(3), v)
	if v.State != contract.Effective || len(v.Signatures) != 2 || !v.Signatures[1].Fits {
		t.Fatalf("%+v", v)
	}
	_, p, err := f.Package(ctx, owner(), v.ID)
	if err != nil || len(p.Signatures) != 2 || contract.DigestOf([]byte(p.Content)) != v.Digest {
		t.Fatalf("%+v %v", p, err)
	}
	for _, g := range p.Signatures { // without the platform
		var sig localsign.Signature
		if err := json.Unmarshal([]byte(g.Proof), &sig); err != nil || localsign.Verify([]byte(g.Payload), sig) != nil || !strings.Contains(g.Payload, v.Digest) || strings.Contains(g.Payload, "王芳") {
			t.Errorf("%s: %v", g.Payload, err)
		}
	}
	c, err := f.Check(ctx, strings.ToLower(v.Number), strings.ToLower(strings.ReplaceAll(v.Code, "-", " ")))
	if err != nil || c.Verdict != contract.IsValid || len(c.Signatures) != 2 || c.Signatures[0].Name == "王芳" {
		t.Fatalf("%+v %v", c, err)
	}
	if _, err := f.Check(ctx, v.Number, "0000-0000-0000-0000"); !errors.Is(err, contract.ErrCheck) {
		t.Fatalf("any code: %v", err)
	}
	for name, want := range map[string]contract.Verdict{p.Content: contract.IsValid, pdf: contract.IsValid, pdf + "x": contract.IsUnknown, strings.Replace(p.Content, "50 万元", "500 万元", 1): contract.IsUnknown} {
		if c, err := f.CheckFile(ctx, []byte(name)); err != nil || c.Verdict != want {
			t.Errorf("%.20s: %s, want %s, %v", name, c.Verdict, want, err)
		}
	}
	// Both void it: one asks, the other refuses and then agrees.
	if v, err = f.Void(ctx, bank(3), contract.Void{Ending: contract.Ending{Ref: ref(v), Reason: "金额有误"}, Yes: true}); err != nil || v.State != contract.Effective {
		t.Fatal(err)
	}
	if _, err := f.Void(ctx, bank(3), contract.Void{Ending: contract.Ending{Ref: ref(v)}, Yes: true}); !errors.Is(err, contract.ErrStep) {
		t.Fatalf("one side alone: %v", err)
	}
	if v, err = f.Void(ctx, owner(), contract.Void{Ending: contract.Ending{Ref: ref(v)}}); err != nil || v.VoidSide != "" {
		t.Fatal(err)
	}
	if v, err = f.Void(ctx, owner(), contract.Void{Ending: contract.Ending{Ref: ref(v), Reason: "重新签订"}, Yes: true}); err != nil {
		t.Fatal(err)
	}
	if v, err = f.Void(ctx, bank(3), contract.Void{Ending: contract.Ending{Ref: ref(v)}, Yes: true}); err != nil || v.State != contract.Voided {
		t.Fatalf("%+v %v", v, err)
	}
	if c, err := f.Check(ctx, v.Number, v.Code); err != nil || c.Verdict != contract.IsVoid {
		t.Fatalf("%+v %v", c, err)
	}
	if got := strings.Join(f.events(t, v.ID), " "); got != "sent signed signed void_asked void_refused void_asked voided" {
		t.Error(got)
	}
	// What is kept is changed behind the program's back.
	if _, err := f.db.Writer().ExecContext(ctx, "UPDATE contracts SET content = 'x'"); err != nil {
		t.Fatal(err)
	}
	if c, err := f.Check(ctx, v.Number, v.Code); err != nil || c.Verdict == contract.IsValid || c.Signatures[0].Fits {
		t.Fatalf("%+v %v", c, err)
	}
}

// TestOneSignatureOfMany signs from fifty at once.
func TestOneSignatureOfMany(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustSend(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	signed := 0
	for range 50 {
		wg.Go(func() {
			_, err := f.Sign(ctx, owner(), contract.Sign{Ref: ref(v), Code: "123456"})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				signed++
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := f.signer.asked["1-company"]; signed != 1 || n != 1 {
		t.Fatalf("%d signed, the signer was asked %d times", signed, n)
	}
	if got := strings.Join(f.events(t, v.ID), " "); got != "sent signed" {
		t.Error(got)
	}
}

// TestEndedWhileSigning loses the signer before and after it signed: the contract waits, nothing else is done to it, and the task
// brings it to one outcome.
func TestEndedWhileSigning(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, lose := range map[string]func(s *shaky){"before": func(s *shaky) { s.before = true }, "after": func(s *shaky) { s.after = true }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := mustNew(t)
			v := f.mustSend(t)
			lose(f.signer)
			if _, err := f.Sign(ctx, owner(), contract.Sign{Ref: ref(v), Code: "123456"}); fault.KindOf(err) != fault.Unavailable {
				t.Fatal(err)
			}
			v, err := f.Get(ctx, owner(), v.ID)
			if err != nil || !v.Signing || len(v.Actions) != 0 || v.State != contract.Sent {
				t.Fatalf("%+v %v", v, err)
			}
			if _, err := f.Reject(ctx, owner(), contract.Ending{Ref: ref(v), Reason: "不签了"}); !errors.Is(err, contract.ErrSigning) {
				t.Fatalf("rejected meanwhile: %v", err)
			}
			if _, err := f.Withdraw(ctx, bank(3), contract.Ending{Ref: ref(v), Reason: "撤回"}); !errors.Is(err, contract.ErrSigning) {
				t.Fatalf("withdrawn meanwhile: %v", err)
			}
			if _, err := f.Sign(ctx, owner(), contract.Sign{Ref: ref(v), Code: "123456"}); !errors.Is(err, contract.ErrSigning) {
				t.Fatalf("signed twice: %v", err)
			}
			f.clock.Advance(8 * 24 * time.Hour) // the days to sign are over; who confirmed in time signed in time
			if err := f.Expire(ctx); err != nil {
				t.Fatal(err)
			}
			f.signer.before, f.signer.after = false, false
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					if err := f.Finish(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if v, err = f.Get(ctx, owner(), v.ID); err != nil || v.Signing || v.State != contract.Half || len(v.Signatures) != 1 || !v.Signatures[0].Fits || !v.Signatures[0].At.Equal(start) {
				t.Fatalf("%+v %v", v, err)
			}
			if got := strings.Join(f.events(t, v.ID), " "); got != "sent signed" {
				t.Error(got)
			}
		})
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	rejected := f.mustSend(t)
	if v, err := f.Reject(ctx, owner(), contract.Ending{Ref: ref(rejected), Reason: "利率过高"}); err != nil || v.State != contract.Rejected {
		t.Fatal(err)
	}
	withdrawn := f.mustSign(t, owner(), f.mustSend(t))
	if v, err := f.Withdraw(ctx, bank(3), contract.Ending{Ref: ref(withdrawn), Reason: "条件变化"}); err != nil || v.State != contract.Withdrawn {
		t.Fatal(err)
	}
	late := f.mustSend(t)
	f.clock.Advance(7 * 24 * time.Hour)
	if _, err := f.Sign(ctx, owner(), contract.Sign{Ref: ref(late), Code: "123456"}); !errors.Is(err, contract.ErrOver) {
		t.Fatalf("after its days: %v", err)
	}
	for range 2 {
		if err := f.Expire(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(f.events(t, late.ID), " "); got != "sent expired" {
		t.Error(got)
	}
}

// TestIsolation asks for everything in the name of those whose contract it is not.
func TestIsolation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	v := f.mustSend(t)
	plain := bank(3)
	plain.Permissions = nil
	for who, a := range map[string]access.Actor{"another company": other(), "another institution": bank(4), "a visitor": {Party: access.Anonymous}, "the institution without rights": plain} {
		_, errGet := f.Get(ctx, a, v.ID)
		_, _, errPackage := f.Package(ctx, a, v.ID)
		_, errCode := f.Code(ctx, a, v.ID)
		_, errSign := f.Sign(ctx, a, contract.Sign{Ref: ref(v), Code: "123456"})
		_, errReject := f.Reject(ctx, a, contract.Ending{Ref: ref(v), Reason: "不签了"})
		_, errWithdraw := f.Withdraw(ctx, a, contract.Ending{Ref: ref(v), Reason: "撤回"})
		_, errVoid := f.Void(ctx, a, contract.Void{Ending: contract.Ending{Ref: ref(v), Reason: "作废"}, Yes: true})
		_, errEdit := f.Edit(ctx, a, contract.Edit{Ref: ref(v), Words: words()})
		_, errSend := f.Send(ctx, a, ref(v))
		_, errMake := f.Make(ctx, a, contract.Make{Object: "application", ID: 5, Words: words()})
		for i, err := range []error{errGet, errPackage, errCode, errSign, errReject, errWithdraw, errVoid, errEdit, errSend, errMake, f.Sees(ctx, a, v.ID)} {
			if k := fault.KindOf(err); k != fault.NotFound && k != fault.Unauthorized && (i != 9 || k != fault.Forbidden) {
				t.Errorf("%s, %d: %v", who, i, err)
			}
		}
		if list, _, err := f.Of(ctx, a, "application", 5); err == nil && len(list) > 0 {
			t.Errorf("%s lists %d", who, len(list))
		}
	}
	if list, drafts, err := f.Of(ctx, operator(), "application", 5); err != nil || len(list) != 1 || drafts || len(list[0].Actions) != 0 {
		t.Errorf("the operator: %+v %v", list, err)
	}
	if err := f.SaveTemplate(ctx, bank(3), contract.SaveTemplate{Title: "本行合同", Body: "本行专用的合同文本，不少于二十个字的正文内容。"}); err != nil {
		t.Fatal(err)
	}
	list, err := f.Templates(ctx, bank(4))
	if err != nil || len(list) != 0 {
		t.Errorf("another institution's templates: %+v %v", list, err)
	}
	own, err := f.Templates(ctx, bank(3))
	if err != nil || len(own) != 1 || !own[0].Own {
		t.Fatalf("%+v %v", own, err)
	}
	for who, a := range map[string]access.Actor{"another institution": bank(4), "the operator": operator()} {
		if err := f.SaveTemplate(ctx, a, contract.SaveTemplate{Family: own[0].Family, Edition: 1, Title: "本行合同", Body: own[0].Body}); !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%s changes it: %v", who, err)
		}
	}
	again := contract.SaveTemplate{Family: own[0].Family, Edition: 1, Title: "本行合同", Body: own[0].Body}
	if err := errors.Join(f.SaveTemplate(ctx, bank(3), again)); err != nil {
		t.Fatal(err)
	}
	if err := f.SaveTemplate(ctx, bank(3), again); !errors.Is(err, contract.ErrStep) {
		t.Errorf("an edition twice: %v", err)
	}
	for name, m := range map[string]contract.Make{
		"an ended case": {Object: "application", ID: 6, Words: words()}, "somebody else's file": {Object: "application", ID: 5, Words: contract.Words{Title: "合同", FileID: 80, Days: 3}},
		"a year": {Object: "application", ID: 5, Words: contract.Words{Title: "合同", Days: 365}}, "another's template": {Object: "application", ID: 5, TemplateID: 999, Words: contract.Words{Title: "合同", Days: 3}},
	} {
		if _, err := f.Make(ctx, bank(3), m); fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	picture, err := f.Make(ctx, bank(3), contract.Make{Object: "application", ID: 5, Words: contract.Words{Title: "合同", FileID: 71, Days: 3}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Send(ctx, bank(3), ref(picture)); !errors.Is(err, contract.ErrFile) {
		t.Errorf("a picture is sent: %v", err)
	}
}
