package enterprise_test

import (
	"context"
	"errors"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

func (f fixture) mustImport(t *testing.T, on sheet.Duplicates, values map[string]string) (sheet.Change, int64) {
	t.Helper()
	target := f.ImportTarget()
	actor := access.Actor{UserID: 60, Name: "运营", Party: access.Platform, Permissions: []access.Permission{enterprise.PermImport}}
	r, problems, err := target.Check(t.Context(), actor, sheet.Record{Row: 2, Values: values})
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", problems, err)
	}
	var change sheet.Change
	var id int64
	err = f.db.RunInTx(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
		change, id, err = target.Publish(ctx, tx, actor, r, on, "import:1:2", nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return change, id
}

// TestOwnerTakesOverTheRegister has the owner of an imported company prove it, by the registry and by a reviewer: what the
// register knew is theirs, and nobody is asked to let them in.
func TestOwnerTakesOverTheRegister(t *testing.T) {
	t.Parallel()
	for name, prove := range map[string]func(t *testing.T, f fixture, a access.Actor){
		"registry": func(t *testing.T, f fixture, a access.Actor) { f.mustVerify(t, a, "k", claim(), enterprise.Agreed) },
		"review": func(t *testing.T, f fixture, a access.Actor) {
			v, err := f.Apply(t.Context(), a, apply(a, "k", claim()))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Approve(t.Context(), reviewer(50), enterprise.ApproveReview{Decide: enterprise.Decide{ID: v.ID, Version: v.Version, Key: "r"}}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := mustNew(t)
			change, imported := f.mustImport(t, sheet.Refuse, map[string]string{"name": "麦香烘焙(北京)有限公司", "creditCode": theCode, "region": "中仓", "employees": "14", "industry": "1411"})
			if change != sheet.Created {
				t.Fatal(change)
			}
			a := f.mustOpen(t, 7, "麦香")
			prove(t, f, a)
			if n := f.count(t, "SELECT count(*) FROM enterprises WHERE credit_code = ? AND verification = 'verified' AND id = ?", theCode, a.EnterpriseID); n != 1 {
				t.Error("the owner's company is not the verified one")
			}
			if n := f.count(t, "SELECT count(*) FROM enterprises WHERE id = ? AND replaced_by = ? AND credit_code IS NULL", imported, a.EnterpriseID); n != 1 {
				t.Error("the register's record does not stand aside")
			}
			if n := f.count(t, "SELECT count(*) FROM enterprise_joins"); n != 0 {
				t.Error("somebody is asked to let the owner in")
			}
			facts, err := f.Facts(t.Context(), f.db.Read(), a.EnterpriseID)
			if err != nil || len(facts) == 0 {
				t.Fatal(facts, err)
			}
			if n := f.count(t, "SELECT count(*) FROM enterprise_facts WHERE enterprise_id = ? AND source_name = '企业名录导入'", a.EnterpriseID); n != 3 {
				t.Errorf("%d facts of the register came along", n)
			}
			// from now on the register only adds to what is known
			if change, id := f.mustImport(t, sheet.Update, map[string]string{"name": "别的名称有限公司", "creditCode": theCode, "employees": "20"}); change != sheet.Updated || id != a.EnterpriseID {
				t.Error(change, id)
			}
			if n := f.count(t, "SELECT count(*) FROM enterprises WHERE id = ? AND name = '别的名称有限公司'", a.EnterpriseID); n != 0 {
				t.Error("the register renamed a verified company")
			}
			// a second owner of the code is asked as before
			b := f.mustOpen(t, 8, "另一家")
			f.mustVerify(t, b, "k", claim(), enterprise.Held)
		})
	}
}

func TestRegisterSaysNothingTwice(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	values := map[string]string{"name": "麦香烘焙(北京)有限公司", "creditCode": theCode, "capital": "500", "address": "玉带河东街 1 号"}
	f.mustImport(t, sheet.Refuse, values)
	f.mustImport(t, sheet.Update, values)
	if n := f.count(t, "SELECT count(*) FROM enterprise_facts"); n != 2 {
		t.Errorf("%d facts for two", n)
	}
	target := f.ImportTarget()
	err := f.db.RunInTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, _, err := target.Publish(ctx, tx, access.Actor{UserID: 61, Party: access.Platform}, sheet.Record{Values: values}, sheet.Update, "x", nil)
		return err
	})
	if !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
}
