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
	"github.com/huiqi/huiqi/platform/uscc"
)

func judge() access.Actor {
	return access.Actor{UserID: 61, Name: "周质量", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermImport, enterprise.PermQuality, enterprise.PermView}}
}

// TestQuality scores an import, changes the rules by hand and from a sheet, and keeps the version with the score.
func TestQuality(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	in := func(fn func(ctx context.Context, tx bun.Tx) error) {
		t.Helper()
		if err := f.db.RunInTx(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	row := func(n int, v map[string]string, problems ...sheet.RowProblem) sheet.Scored {
		return sheet.Scored{Record: sheet.Record{Row: n, Values: v}, Bad: len(problems) > 0, Problems: problems}
	}
	target := f.ImportTarget()
	for i, rows := range [][]sheet.Scored{
		{row(2, map[string]string{"name": "甲公司", "creditCode": "1", "legalPerson": "张三"}), row(3, map[string]string{"name": "乙公司", "creditCode": "2"})},
		{row(4, map[string]string{"name": "丙公司", "creditCode": "x"}, sheet.RowProblem{Field: "creditCode", Code: "BAD_USCC"}), row(5, map[string]string{"name": "丁公司", "creditCode": "4", "status": "随便"})},
	} {
		in(func(ctx context.Context, tx bun.Tx) error {
			return target.Score(ctx, tx, sheet.Batch{Import: 9, Source: "roll", Anew: i == 0}, rows)
		})
	}
	sc, err := f.ScoreOf(t.Context(), judge(), 9)
	if err != nil || sc.Rows != 4 || sc.Bad != 1 || sc.Rules != 1 {
		t.Fatalf("%+v %v", sc, err)
	}
	found := map[string]enterprise.QualityRuleView{}
	for _, d := range sc.Details {
		found[d.Code] = d
	}
	if x := found["person-present"]; x.Tested != 4 || x.Failed != 3 || x.Points != 250 || x.Met || x.Examples != "3、4、5" {
		t.Errorf("%+v", x)
	}
	if x := found["status-known"]; x.Tested != 1 || x.Failed != 1 {
		t.Errorf("%+v", x)
	}
	if x := found["code-valid"]; x.Points != 750 {
		t.Errorf("%+v", x)
	}
	if x := found["revenue-staff"]; x.Points != -1 || !x.Met {
		t.Errorf("a rule that found nothing to say: %+v", x)
	}
	// read anew: what was counted before counts no more
	in(func(ctx context.Context, tx bun.Tx) error {
		return target.Score(ctx, tx, sheet.Batch{Import: 9, Source: "roll", Anew: true}, []sheet.Scored{row(2, map[string]string{"name": "甲公司", "creditCode": "1", "legalPerson": "张三"})})
	})
	if sc, err = f.ScoreOf(t.Context(), judge(), 9); err != nil || sc.Rows != 1 {
		t.Fatalf("%+v %v", sc, err)
	}
	q, err := f.Quality(t.Context(), judge())
	if err != nil || len(q.Rules) < 10 {
		t.Fatal(q, err)
	}
	cmd := enterprise.SaveQuality{Version: q.Version, Note: "只留一条", Rules: q.Rules[:1], Key: "k"}
	if _, err := f.SaveQuality(t.Context(), keeper(), cmd); !errors.Is(err, fault.ErrForbidden) {
		t.Error(err)
	}
	if q, err = f.SaveQuality(t.Context(), judge(), cmd); err != nil || q.Version != 2 || len(q.Rules) != 1 {
		t.Fatal(q, err)
	}
	cmd.Key = "k2"
	if _, err := f.SaveQuality(t.Context(), judge(), cmd); !errors.Is(err, fault.ErrChanged) {
		t.Error(err)
	}
	if sc, err = f.ScoreOf(t.Context(), judge(), 9); err != nil || sc.Rules != 1 || len(sc.Details) < 10 {
		t.Errorf("the score lost its rules: %+v %v", sc, err)
	}
	rules := f.QualityTarget()
	line := map[string]string{"code": "person", "name": "法定代表人已填写", "dimension": "完整", "field": "法定代表人", "check": "必须填写", "weight": "5", "threshold": "95%", "action": "人工审核"}
	for name, change := range map[string]map[string]string{
		"": {}, "dimension": {"dimension": "美观"}, "field": {"field": "没有这列"}, "check": {"check": "看看"}, "weight": {"weight": "很重"}, "threshold": {"threshold": "101"},
		"arg": {"check": "数值范围", "arg": "9..1"}, "action": {"action": "不管"},
	} {
		v := map[string]string{}
		for k, x := range line {
			v[k] = x
		}
		for k, x := range change {
			v[k] = x
		}
		_, problems, err := rules.Check(t.Context(), judge(), sheet.Record{Row: 2, Values: v})
		if err != nil || (name == "") != (len(problems) == 0) || name != "" && problems[0].Field != name {
			t.Errorf("%s: %v %v", name, problems, err)
		}
	}
	in(func(ctx context.Context, tx bun.Tx) error {
		out, err := rules.PublishMany(ctx, tx, judge(), sheet.Batch{Duplicates: sheet.Refuse}, []sheet.Record{{Row: 2, Values: line}, {Row: 3, Values: line}})
		if err == nil && (out[0].Change != sheet.Created || out[1].Problem == nil) {
			t.Errorf("%+v", out)
		}
		return err
	})
	if q, err = f.Quality(t.Context(), judge()); err != nil || q.Version != 3 || len(q.Rules) != 2 || q.Rules[1].Action != "review" {
		t.Fatal(q, err)
	}
	list, err := f.SourceScores(t.Context(), judge())
	if err != nil || len(list) != 1 || list[0].SourceName != "企业名录导入" || len(list[0].Trend) != 1 {
		t.Errorf("%+v %v", list, err)
	}
	// a rule that asks for a look has the row wait for a person
	flags, err := target.Flag(t.Context(), judge(), []sheet.Record{{Row: 2, Values: map[string]string{"name": "无人公司", "creditCode": theCode}}})
	if err != nil || len(flags[0]) != 1 || flags[0][0].Code != "QUALITY" {
		t.Errorf("%+v %v", flags, err)
	}
}

// TestManyRecords publishes records of a register at once: new ones, ones that are there, one twice, one renamed.
func TestManyRecords(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	code := func(n int) string { return string(uscc.Demo(n)) }
	target := f.ImportTarget()
	publish := func(on sheet.Duplicates, records ...map[string]string) []sheet.Outcome {
		t.Helper()
		list := make([]sheet.Record, 0, len(records))
		for i, v := range records {
			list = append(list, sheet.Record{Row: i + 2, Values: v})
		}
		var out []sheet.Outcome
		err := f.db.RunInTx(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
			out, err = target.PublishMany(ctx, tx, judge(), sheet.Batch{Import: 5, Source: "registry", Duplicates: on}, list)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	one := map[string]string{"name": "甲有限公司", "creditCode": code(21), "employees": "10"}
	out := publish(sheet.Update, one, map[string]string{"name": "乙有限公司", "creditCode": code(22)}, one,
		map[string]string{"name": "别的名称有限公司", "creditCode": theCode, "employees": "30"})
	if out[0].Change != sheet.Created || out[1].Change != sheet.Created || out[2].Change != sheet.Updated || out[2].ObjectID != out[0].ObjectID || out[3].Change != sheet.Updated || out[3].ObjectID != a.EnterpriseID {
		t.Fatalf("%+v", out)
	}
	if n := f.count(t, "SELECT count(*) FROM enterprises WHERE name = '别的名称有限公司'"); n != 0 {
		t.Error("a register renamed a verified company")
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_facts WHERE source = 'registry' AND field = 'employees'"); n != 2 {
		t.Errorf("%d facts", n)
	}
	again := publish(sheet.Update, one)
	if again[0].Change != sheet.Updated || f.count(t, "SELECT count(*) FROM enterprise_facts WHERE source = 'registry' AND field = 'employees'") != 2 {
		t.Errorf("%+v: said twice", again)
	}
	if out := publish(sheet.Skip, one); out[0].Change != sheet.Skipped {
		t.Errorf("%+v", out)
	}
	if out := publish(sheet.Refuse, one, map[string]string{"name": "丙有限公司", "creditCode": code(23)}); out[0].Problem == nil || out[1].Change != sheet.Created {
		t.Errorf("%+v", out)
	}
	renamed := map[string]string{"name": "甲新有限公司", "creditCode": code(21)}
	if out := publish(sheet.Update, renamed); out[0].Change != sheet.Updated || f.count(t, "SELECT count(*) FROM enterprises WHERE name = '甲新有限公司'") != 1 {
		t.Errorf("%+v", out)
	}
	items, _, err := f.List(t.Context(), judge(), enterprise.ListFilter{Query: "乙有限"})
	if err != nil || len(items) != 1 {
		t.Errorf("a new company is not found by its name: %v %v", items, err)
	}
	if n := f.count(t, "SELECT count(*) FROM events WHERE type = 'enterprise.imported_many'"); n != 3 {
		t.Errorf("%d events", n)
	}
}
