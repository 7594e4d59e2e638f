package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/uscc"
)

// mustOnboard has a newly registered person apply, an operator and then the government approve; it returns the administrator, with the rights of
// this moment.
func mustOnboard(t *testing.T, h *house, operator, government access.Actor, n int, account string) access.Actor {
	t.Helper()
	ctx := context.Background()
	phone := fmt.Sprintf("138001390%02d", n)
	who, err := h.identity.Authenticate(ctx, owner(t, h, phone))
	if err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	file, err := institutionFiles{h}.Keep(ctx, who, "执业许可证.png", &picture)
	if err != nil {
		t.Fatal(err)
	}
	form := institution.Form{Name: fmt.Sprintf("第%d律师事务所", n), Kind: "law", CreditCode: string(uscc.Demo(9000 + n)), LegalPerson: "李正", Phone: "010-60000002", Address: "运河大道2号",
		Summary: "劳动用工与合同服务。", Offers: "为小微企业审查合同，按件收费。", ContactName: "李律", ContactPhone: phone, Account: account}
	v, err := h.institutions.AddDocument(ctx, who, institution.NewDocument{Apply: institution.Apply{Form: form}, FileIDs: []int64{file},
		Document: institution.Licence{Name: "执业许可证", No: "演示311号", To: time.Now().AddDate(1, 0, 0).Format(time.DateOnly)}})
	if err != nil {
		t.Fatal(err)
	}
	if v, err = h.institutions.Submit(ctx, who, institution.Apply{Version: v.Version, Form: form}); err != nil {
		t.Fatal(err)
	}
	if v, err = h.institutions.CheckApplication(ctx, operator, institution.CheckApplication{Ref: institution.Ref{ID: v.ID, Version: v.Version, Key: account}}); err != nil {
		t.Fatal(err)
	}
	opened, err := h.institutions.ApproveApplication(ctx, government, institution.ApproveApplication{Ref: institution.Ref{ID: v.ID, Version: v.Version, Key: account}})
	if err != nil || len(opened.Password) < 12 {
		t.Fatalf("%+v %v", opened, err)
	}
	admin, err := h.identity.ActorOf(ctx, access.SystemActor("test"), who.UserID)
	if err != nil || admin.Party != access.Institution || admin.InstitutionID != opened.Application.InstitutionID || !admin.Can(institution.PermOperators) || admin.EnterpriseID != 0 {
		t.Fatalf("%+v %v", admin, err)
	}
	if err := tryPassword(t, h, account, opened.Password); err != nil {
		t.Fatalf("the first sign-in: %v", err)
	}
	return admin
}

// tryPassword signs in with account and password, up to the second factor.
func tryPassword(t *testing.T, h *house, account, password string) error {
	t.Helper()
	ctx := context.Background()
	id, err := h.identity.NewCaptcha(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var digits string
	if err := h.db.Read().NewSelect().TableExpr("captchas").Column("digits").Where("id = ?", id).Scan(ctx, &digits); err != nil {
		t.Fatal(err)
	}
	_, err = h.identity.SignInByPassword(ctx, access.Actor{Party: access.Anonymous, IP: "203.0.113.9"}, identity.SignIn{Account: account, Password: password, CaptchaID: id, CaptchaAnswer: digits})
	return err
}

// TestFromApplicantToAdministrator goes from registering as a person to an institution with operators of its own, and tries
// to reach into another.
func TestFromApplicantToAdministrator(t *testing.T) {
	t.Parallel()
	h, ctx := testHouse(t), context.Background()
	id, err := h.identity.CreateStaff(ctx, access.SystemActor("test"), identity.Staff{Name: "运营", Account: "yunying", Phone: "13900139001", Party: access.Platform, Roles: []string{"operator"}})
	if err != nil {
		t.Fatal(err)
	}
	operator, err := h.identity.ActorOf(ctx, access.SystemActor("test"), id)
	if err != nil {
		t.Fatal(err)
	}
	last, err := h.identity.CreateStaff(ctx, access.SystemActor("test"), identity.Staff{Name: "终审", Account: "zhongshen", Phone: "13900139002", Party: access.Government, Roles: []string{"reviewer"}})
	if err != nil {
		t.Fatal(err)
	}
	government, err := h.identity.ActorOf(ctx, access.SystemActor("test"), last)
	if err != nil {
		t.Fatal(err)
	}
	a, b := mustOnboard(t, h, operator, government, 1, "firm-a"), mustOnboard(t, h, operator, government, 2, "firm-b")
	opened, err := h.institutions.OpenOperator(ctx, a, institution.OpenOperator{Key: "k", Name: "助理", Account: "firm-a.1", Phone: "13800139011", Role: "institution_operator"})
	if err != nil || len(opened.Items) != 2 {
		t.Fatalf("%+v %v", opened, err)
	}
	helper := opened.Items[1]
	again, err := h.institutions.OpenOperator(ctx, a, institution.OpenOperator{Key: "k", Name: "助理", Account: "firm-a.1", Phone: "13800139011", Role: "institution_operator"})
	if err != nil || again.Password != opened.Password || len(again.Items) != 2 {
		t.Errorf("a double click: %+v %v", again, err)
	}
	if list, err := h.institutions.OperatorList(ctx, b); err != nil || len(list.Items) != 1 || list.Items[0].Account != "firm-b" {
		t.Errorf("B lists %+v %v", list, err)
	}
	ref := institution.Ref{ID: helper.ID, Version: helper.Version}
	for _, ref := range []institution.Ref{ref, {ID: a.UserID, Version: 2}, {ID: id, Version: 1}, {ID: 99999, Version: 1}} {
		if _, err := h.institutions.DisableOperator(ctx, b, institution.DisableOperator{Ref: ref, Reason: "越权"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("B disables %d: %v", ref.ID, err)
		}
		if _, err := h.institutions.EnableOperator(ctx, b, ref); fault.KindOf(err) != fault.NotFound {
			t.Errorf("B enables %d: %v", ref.ID, err)
		}
	}
	if _, err := h.institutions.Get(ctx, b, a.InstitutionID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("B reads A: %v", err)
	}
	if list, _, err := h.institutions.List(ctx, b, institution.ListFilter{Query: "第1"}); err != nil || len(list) != 0 {
		t.Errorf("B finds A: %+v %v", list, err)
	}
	mine, err := h.institutions.Mine(ctx, a)
	if err != nil || mine.State != institution.Approved {
		t.Fatalf("A's own application: %+v %v", mine, err)
	}
	if _, err := h.institutions.Application(ctx, b, mine.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("B reads A's application: %v", err)
	}
	file := mine.Documents[0].Files[0].ID
	if _, err := h.uploads.Get(ctx, b, file); fault.KindOf(err) != fault.NotFound {
		t.Errorf("B reads A's licence: %v", err)
	}
	if _, err := h.uploads.Get(ctx, operator, file); err != nil {
		t.Errorf("the reviewer reads the licence: %v", err)
	}
	if _, err := h.institutions.OpenOperator(ctx, a, institution.OpenOperator{Name: "越权", Account: "firm-a.2", Phone: "13800139012", Role: "operator"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a role of the platform: %v", err)
	}
	if _, err := h.institutions.DisableOperator(ctx, a, institution.DisableOperator{Ref: institution.Ref{ID: a.UserID, Version: 2}, Reason: "自己"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("their own account: %v", err)
	}
	off, err := h.institutions.DisableOperator(ctx, a, institution.DisableOperator{Ref: ref, Reason: "离职"})
	if err != nil || off.Items[1].State != "disabled" {
		t.Fatalf("%+v %v", off, err)
	}
	if err := tryPassword(t, h, "firm-a.1", opened.Password); err == nil {
		t.Error("a disabled operator signs in")
	}
	ref.Version = off.Items[1].Version
	if on, err := h.institutions.EnableOperator(ctx, a, ref); err != nil || on.Items[1].State != "active" {
		t.Errorf("%+v %v", on, err)
	}
	var entries []struct{ Action, Detail string }
	if err := h.db.Read().NewSelect().TableExpr("audit_entries").Column("action", "detail").Where("object = 'institution_application'").OrderExpr("id").Scan(ctx, &entries); err != nil || len(entries) != 8 {
		t.Errorf("audited: %d %v", len(entries), err)
	}
	raw, err := json.Marshal(entries)
	if err != nil || strings.Contains(string(raw), "13800139") {
		t.Errorf("a phone is in the books: %s %v", raw, err)
	}
}

// TestACompanysOwnerStaysOne: who acts for a verified company does not leave it for an institution.
func TestACompanysOwnerStaysOne(t *testing.T) {
	t.Parallel()
	h, ctx := testHouse(t), context.Background()
	who, err := h.identity.Authenticate(ctx, owner(t, h, "13800139021"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.identity.MayAdminister(ctx, h.db.Read(), who.UserID, "firm-c"); err != nil {
		t.Fatalf("before: %v", err)
	}
	err = h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("UPDATE enterprises SET verification = 'verified' WHERE id = ?", who.EnterpriseID).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.identity.MayAdminister(ctx, h.db.Read(), who.UserID, "firm-c"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("with a verified company: %v", err)
	}
	// Acting for another of their companies, they are still the owner of that one.
	var other int64
	err = h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		if other, err = h.enterprises.OpenUnverified(ctx, tx, who, "另一家企业", who.UserID); err != nil {
			return err
		}
		return h.identity.ActFor(ctx, tx, who.UserID, other)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.identity.MayAdminister(ctx, h.db.Read(), who.UserID, "firm-c"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("acting for another company: %v", err)
	}
}
