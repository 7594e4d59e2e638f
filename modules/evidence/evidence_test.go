package evidence_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/evidence"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/scorecard"
)

var start = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)

// cases are one service, number 7: of institution 3 for company 1.
type cases struct {
	begun bool
	ended *time.Time
	over  string
	kind  string
	place bool // operators act in the institution's place
}

func (c *cases) Case(_ context.Context, _ bun.IDB, a access.Actor, id int64) (evidence.Case, error) {
	seen := a.Party == access.System || a.Party == access.Platform || a.Party == access.Government || a.InstitutionID == 3 || a.EnterpriseID == 1
	if id != 7 || !seen {
		return evidence.Case{}, fault.ErrNotFound
	}
	out := evidence.Case{Object: "application", ID: 7, Number: "SQ-7", Title: "代理记账", Kind: "tax", InstitutionID: 3, InstitutionName: "通成事务所",
		EnterpriseID: 1, EnterpriseName: "麦香烘焙", UserID: 11, Begun: c.begun, EndedAt: c.ended, Over: c.over}
	if c.kind != "" {
		out.Kind = c.kind
	}
	if c.place && a.Party == access.Platform {
		out.Side = evidence.Institution
	}
	return out, nil
}

// files are those of a user by id: user 11 owns 1100 to 1199; odd ones are pictures.
type files struct{}

func (files) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, _ string, _ int64) error {
	if id/100 != a.UserID {
		return fault.ErrNotFound
	}
	return nil
}

func view(id int64) evidence.FileView {
	f := evidence.FileView{ID: id, Name: "协议.pdf", Mime: "application/pdf", State: "available"}
	if id%2 == 1 {
		f.Name, f.Mime = "现场.jpg", "image/jpeg"
	}
	return f
}

func (files) Save(context.Context, access.Actor, string, io.Reader) (evidence.FileView, error) {
	return evidence.FileView{}, errors.New("not here")
}

func (files) Known(_ context.Context, _ bun.IDB, ids []int64) (map[int64]evidence.FileView, error) {
	out := map[int64]evidence.FileView{}
	for _, id := range ids {
		out[id] = view(id)
	}
	return out, nil
}

type fixture struct {
	*evidence.Service
	db    *database.DB
	clock *clock.Fake
	cases *cases
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, evidence.Migrations)), clock: clock.NewFake(start), cases: &cases{begun: true}}
	f.Service = evidence.New(evidence.Deps{DB: f.db, Clock: f.clock, Cases: map[string]evidence.Cases{"application": f.cases}, Files: files{},
		Kinds: []evidence.Kind{{Code: "tax", Name: "财税服务"}}, Operator: "通州区惠企台运营"})
	return f
}

func company() access.Actor {
	return access.Actor{UserID: 11, Name: "王芳", Party: access.Enterprise, EnterpriseID: 1, Scope: access.ScopeSelf}
}

func institution(id int64) access.Actor {
	return access.Actor{UserID: 12, Name: "赵强", Party: access.Institution, InstitutionID: id, Scope: access.ScopeSelf, Permissions: []access.Permission{evidence.PermAdd}}
}

func government(user int64) access.Actor {
	return access.Actor{UserID: user, Name: "李明", Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{evidence.PermAssess, evidence.PermExport, evidence.PermView}}
}

func operator() access.Actor {
	return access.Actor{UserID: 14, Name: "运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{evidence.PermManage, evidence.PermView}}
}

func add(f fixture, a access.Actor, item string, shared bool, ids ...int64) error {
	return f.Add(context.Background(), a, evidence.Add{Object: "application", ID: 7, Item: item, FileIDs: ids, Shared: shared})
}

func mustOf(t *testing.T, f fixture, a access.Actor) evidence.View {
	t.Helper()
	v, err := f.Of(context.Background(), a, "application", 7)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestBothSidesGiveEvidence lays files beside a case and says who sees them and what is missing.
func TestBothSidesGiveEvidence(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	if v := mustOf(t, f, company()); v.Missing != 3 || v.Side != evidence.Enterprise {
		t.Fatalf("%+v", v)
	}
	if err := add(f, institution(3), "agreement", true, 1200, 1202); err != nil {
		t.Fatal(err)
	}
	if err := add(f, institution(3), "result", false, 1201); err != nil {
		t.Fatal(err)
	}
	if err := add(f, company(), "confirmation", true, 1101); err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]struct {
		a               access.Actor
		pieces, missing int
	}{"institution": {institution(3), 4, 1}, "company": {company(), 3, 2}, "government": {government(13), 4, 1}, "operator": {operator(), 4, 1}} {
		if v := mustOf(t, f, want.a); len(v.Pieces) != want.pieces || v.Missing != want.missing {
			t.Errorf("%s: %d pieces, %d missing: %+v", who, len(v.Pieces), v.Missing, v)
		}
	}
	hidden := mustOf(t, f, institution(3)).Pieces[2]
	if err := f.Sees(ctx, company(), hidden.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("the company reads what is not shared: %v", err)
	}
	if err := f.Sees(ctx, government(13), hidden.ID); err != nil {
		t.Error(err)
	}
	if by := mustOf(t, f, company()).Pieces[0].By; by != "通成事务所" {
		t.Errorf("the company reads the name of a person: %s", by)
	}
	for says, err := range map[string]error{
		"不是文件":    add(f, institution(3), "agreement", true, 1203),
		"由企业上传":   add(f, institution(3), "confirmation", true, 1204),
		"佐证清单已更新": add(f, institution(3), "nothing", true, 1204),
		"选择了两次":   add(f, institution(3), "", true, 1204, 1204),
		"1 至 9":   add(f, institution(3), "", true),
	} {
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	for who, err := range map[string]error{"another institution": add(f, institution(4), "", true, 1204), "somebody else's file": add(f, institution(3), "", true, 1104)} {
		if !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%s: %v", who, err)
		}
	}
	if err := add(f, operator(), "", true, 1400); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the operator adds: %v", err)
	}
	if err := f.Remove(ctx, company(), mustOf(t, f, company()).Pieces[0].ID); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the company takes away the institution's: %v", err)
	}
	if err := f.Remove(ctx, institution(3), hidden.ID); err != nil {
		t.Fatal(err)
	}
	if err := f.Sees(ctx, institution(3), hidden.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("taken away and read: %v", err)
	}
	if v := mustOf(t, f, institution(3)); len(v.Pieces) != 3 || v.Missing != 2 {
		t.Errorf("%+v", v)
	}
}

func TestEvidenceOfItsTime(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.cases.begun = false
	if err := add(f, company(), "", true, 1101); !errors.Is(err, evidence.ErrEarly) {
		t.Errorf("before it began: %v", err)
	}
	f.cases.begun = true
	end := start
	f.cases.ended = &end
	f.clock.Advance(30 * 24 * time.Hour)
	if err := add(f, company(), "", true, 1101); err != nil {
		t.Errorf("on the last day: %v", err)
	}
	f.clock.Advance(time.Hour)
	if err := add(f, company(), "", true, 1103); !errors.Is(err, evidence.ErrEnded) {
		t.Errorf("after it: %v", err)
	}
	if v := mustOf(t, f, company()); v.Side != "" || v.Closed == "" || v.Pieces[0].Removes {
		t.Errorf("%+v", v)
	}
}

func marks(k evidence.CardView, lost int) scorecard.Marks {
	m := scorecard.Marks{Comment: "服务规范，资料齐全"}
	for i, it := range k.Items {
		mark := scorecard.Mark{Item: it.Name, Points: it.Points}
		if i == 0 && lost > 0 {
			mark.Points, mark.Note = it.Points-lost, "超过承诺时限一次"
		}
		m.Marks = append(m.Marks, mark)
	}
	return m
}

// TestGovernmentAssesses scores the institution and the operator, and corrects one score.
func TestGovernmentAssesses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	cards, err := f.Cards(ctx, government(13))
	if err != nil || len(cards) != 2 {
		t.Fatal(len(cards), err)
	}
	assess := func(a access.Actor, k evidence.CardView, version int64, lost int) error {
		return f.Assess(ctx, a, evidence.Assess{Object: "application", ID: 7, Target: k.Target, Version: version, CardID: k.ID, Marks: marks(k, lost)})
	}
	if err := assess(institution(3), cards[0], 0, 0); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("the institution scores itself: %v", err)
	}
	for _, k := range cards {
		if err := assess(government(13), k, 0, 5); err != nil {
			t.Fatal(err)
		}
	}
	if err := assess(government(15), cards[0], 0, 0); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("a second one: %v", err)
	}
	if err := assess(government(15), cards[0], 1, 0); err != nil {
		t.Fatal(err)
	}
	if err := assess(government(15), cards[0], 1, 0); !errors.Is(err, evidence.ErrStale) {
		t.Fatalf("over a newer one: %v", err)
	}
	if v := mustOf(t, f, government(13)); len(v.Assessments) != 2 || v.Assessments[0].Score != 100 || v.Assessments[1].Score != 95 {
		t.Fatalf("%+v", v.Assessments)
	}
	if v := mustOf(t, f, institution(3)); len(v.Assessments) != 1 || v.Assessments[0].By != "" {
		t.Fatalf("the institution reads %+v", v.Assessments)
	}
	if v := mustOf(t, f, company()); len(v.Assessments) != 0 {
		t.Fatalf("the company reads %+v", v.Assessments)
	}
	if list, _, err := f.Assessments(ctx, institution(4), evidence.Filter{}); err != nil || len(list) != 0 {
		t.Fatalf("another institution reads %+v %v", list, err)
	}
	card := evidence.StandardCard(evidence.OfInstitution)
	card.Items[0].Points++
	if err := f.SetCard(ctx, operator(), evidence.SetCard{Target: evidence.OfInstitution, Name: "评估表", Base: cards[0].ID, Card: card}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("101 points: %v", err)
	}
	card = evidence.StandardCard(evidence.OfInstitution)
	if err := f.SetCard(ctx, operator(), evidence.SetCard{Target: evidence.OfInstitution, Name: "新评估表", Base: cards[0].ID, Card: card}); err != nil {
		t.Fatal(err)
	}
	if err := assess(government(15), cards[0], 2, 0); !errors.Is(err, evidence.ErrStale) {
		t.Fatalf("by a card that is out of force: %v", err)
	}
}

func TestChecklistOfAKind(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	list := evidence.List{Items: []evidence.Item{{Code: "book", Name: "账簿", Side: evidence.Institution, Files: "document", Min: 2, Required: true}}}
	if err := f.SetList(ctx, institution(3), evidence.SetList{Kind: "tax", List: list}); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("by an institution: %v", err)
	}
	if err := f.SetList(ctx, operator(), evidence.SetList{Kind: "tax", List: list}); err != nil {
		t.Fatal(err)
	}
	if v := mustOf(t, f, company()); len(v.Items) != 1 || v.Missing != 1 {
		t.Fatalf("%+v", v.Items)
	}
	if err := add(f, institution(3), "book", true, 1200); err != nil {
		t.Fatal(err)
	}
	if v := mustOf(t, f, company()); !v.Items[0].Missing || v.Items[0].Given != 1 {
		t.Fatalf("one of two is not enough: %+v", v.Items)
	}
	if err := f.SetList(ctx, operator(), evidence.SetList{Kind: "tax", List: list}); !errors.Is(err, evidence.ErrStale) {
		t.Fatalf("over a newer version: %v", err)
	}
}

// TestInTheInstitutionsPlace records a service given without the platform: an operator gives the institution's evidence for it, and what is
// withdrawn takes none.
func TestInTheInstitutionsPlace(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	f.cases.kind, f.cases.place = evidence.Offline, true
	if v := mustOf(t, f, operator()); v.Side != evidence.Institution || v.Missing != 1 || v.Items[0].Code != "scene" {
		t.Fatalf("%+v", v)
	}
	lay := func(ids ...int64) error {
		return f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return f.Lay(ctx, tx, operator(), "application", 7, ids) })
	}
	if err := lay(1400, 1104); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("with somebody else's file: %v", err)
	}
	if err := lay(1400, 1402); err != nil {
		t.Fatal(err)
	}
	if err := lay(1400); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("a second time: %v", err)
	}
	if err := add(f, operator(), "scene", true, 1401); err != nil {
		t.Fatal(err)
	}
	if err := add(f, operator(), "confirmation", true, 1403); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("what the company gives: %v", err)
	}
	v := mustOf(t, f, company())
	if len(v.Pieces) != 3 || v.Missing != 0 || v.Pieces[0].Name != "其他" || v.Pieces[0].By != "通成事务所" || v.Pieces[0].Removes {
		t.Fatalf("%+v", v)
	}
	if err := f.Remove(ctx, operator(), v.Pieces[0].ID); err != nil {
		t.Fatal(err)
	}
	f.cases.over = "登记已撤销"
	if err := add(f, operator(), "scene", true, 1405); !errors.Is(err, evidence.ErrEnded) || !strings.Contains(err.Error(), "登记已撤销") {
		t.Fatalf("after it was withdrawn: %v", err)
	}
	cards, err := f.Cards(ctx, government(13))
	if err != nil {
		t.Fatal(err)
	}
	err = f.Assess(ctx, government(13), evidence.Assess{Object: "application", ID: 7, Target: cards[0].Target, CardID: cards[0].ID, Marks: marks(cards[0], 0)})
	if !errors.Is(err, evidence.ErrEnded) || mustOf(t, f, government(13)).Assesses {
		t.Fatalf("assessed after it was withdrawn: %v", err)
	}
}

// TestFilesOfRecordsBecomeEvidence moves the files that records of services had before there was evidence of them.
func TestFilesOfRecordsBecomeEvidence(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	old := database.Migration{ID: "20261130120000_records", Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "CREATE TABLE files (id BIGINT PRIMARY KEY, object VARCHAR, object_id BIGINT)",
			"CREATE TABLE offline_services (id BIGINT PRIMARY KEY, institution_id BIGINT, enterprise_id BIGINT, by_id BIGINT, made_by VARCHAR, made_at TIMESTAMP)",
			"INSERT INTO files VALUES (1100, 'offline_service', 7), (1101, 'ticket', 7), (1103, 'offline_service', 7), (1105, 'offline_service', 8)",
			"INSERT INTO offline_services VALUES (7, 3, 1, 12, '赵强', '2026-11-20 01:00:00')")
	}}
	f := fixture{clock: clock.NewFake(start), cases: &cases{begun: true, kind: evidence.Offline},
		db: databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, []database.Migration{old}, evidence.Migrations))}
	f.Service = evidence.New(evidence.Deps{DB: f.db, Clock: f.clock, Cases: map[string]evidence.Cases{"offline_service": f.cases}, Files: files{}})
	v, err := f.Of(ctx, institution(3), "offline_service", 7)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Pieces) != 2 || v.Pieces[1].File.ID != 1103 || !v.Pieces[1].Shared || v.Pieces[1].By != "赵强" || v.Pieces[1].Name != "其他" {
		t.Fatalf("%+v", v.Pieces)
	}
	for id, want := range map[int64]string{1100: "evidence", 1101: "ticket", 1103: "evidence", 1105: "offline_service"} {
		var object string
		if err := f.db.Read().NewRaw("SELECT object FROM files WHERE id = ?", id).Scan(ctx, &object); err != nil || object != want {
			t.Errorf("%d is of %q, %v", id, object, err)
		}
	}
	if err := f.Sees(ctx, company(), v.Pieces[0].ID); err != nil {
		t.Errorf("the company: %v", err)
	}
}
