package enterprise_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
)

// TestRegister: who looks for companies finds those with a credit code, with what counts now, what was said until a fact, and
// what offices say alone.
func TestRegister(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	db := f.db.Read()
	a := f.mustLoad(t, 7, enterprise.NewFact("employees", int64(14), enterprise.FromSocial, day("2026-10-01")),
		enterprise.NewFact("industry", "1411", enterprise.FromRegistry, day("2026-10-01")))
	f.mustOpen(t, 9, "没有代码的企业")
	mark, err := f.FactMark(ctx, db)
	if err != nil || mark != 2 {
		t.Fatal(mark, err)
	}
	seen := map[int64]criteria.Facts{}
	err = f.EachRegistered(ctx, db, func(id int64, facts criteria.Facts) error {
		seen[id] = facts
		return nil
	})
	if n, cerr := f.CountRegister(ctx, db); err != nil || cerr != nil || n != 1 || len(seen) != 1 {
		t.Fatalf("%d of %d: %v %v", len(seen), n, err, cerr)
	}
	if got, want := fmt.Sprint(seen[a.EnterpriseID]), fmt.Sprint(f.mustFacts(t, a.EnterpriseID)); got != want {
		t.Errorf("streamed: %s\nasked for: %s", got, want)
	}
	if _, err := f.State(ctx, a, enterprise.StateFacts{Key: "k", Employees: "90"}); err != nil {
		t.Fatal(err)
	}
	list, err := f.FactsAfter(ctx, db, mark, 10)
	if err != nil || fmt.Sprint(list) != fmt.Sprintf("[{3 %d}]", a.EnterpriseID) {
		t.Fatal(list, err)
	}
	staff := func(all map[int64]criteria.Facts, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, told := range enterprise.Schema(terms).Tell(all[a.EnterpriseID], start) {
			if told.Field == "employees" {
				return told.Value
			}
		}
		return ""
	}
	if now := staff(f.InRegister(ctx, db, a.EnterpriseID)); now != "90 人" {
		t.Errorf("now: %s", now)
	}
	if before := staff(f.FactsUntil(ctx, db, mark, a.EnterpriseID)); before != "14 人" {
		t.Errorf("before: %s", before)
	}
	if checked := staff(f.CheckedFacts(ctx, db, a.EnterpriseID)); checked != "14 人" {
		t.Errorf("by offices: %s", checked)
	}
	owners, err := f.Owners(ctx, db, a.EnterpriseID, 999)
	if err != nil || len(owners) != 1 || owners[a.EnterpriseID] != 7 {
		t.Error(owners, err)
	}
	desk := access.Actor{UserID: 1, Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermView}}
	stranger := access.Actor{UserID: 2, Party: access.Platform, Scope: access.ScopeDistrict}
	for who, want := range map[*access.Actor]int{&desk: 1, &stranger: 0, &a: 1} {
		if named, err := f.Named(ctx, db, *who, a.EnterpriseID); err != nil || len(named) != want {
			t.Errorf("%s sees %d: %v", who.Party, len(named), err)
		}
	}
}

// TestEachRegisteredInOrder: the companies come in the order of their ids, over several pages.
func TestEachRegisteredInOrder(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for i := range 1200 {
			_, err := tx.ExecContext(ctx, "INSERT INTO enterprises (name, credit_code, legal_person, verification, version, created_at, asked_on, asked) VALUES ('x', ?, '', 'unverified', 1, ?, '', 0)",
				fmt.Sprint("C", i), start)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	err = f.EachRegistered(ctx, f.db.Read(), func(id int64, _ criteria.Facts) error {
		ids = append(ids, id)
		return nil
	})
	if err != nil || len(ids) != 1200 || !slices.IsSorted(ids) {
		t.Fatalf("%d companies, %v", len(ids), err)
	}
}
