package server

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/secret"
)

// BenchmarkReverse150k asks the service whom a policy of seven conditions fits among 150,000 companies of the register with
// eight facts each, as the page does: sets, towns, industries, consents, kept matches. It reports how long the companies
// take to load and what their copy in memory takes; page is the first twenty companies with their reasons.
func BenchmarkReverse150k(b *testing.B) {
	ctx := context.Background()
	dir := b.TempDir()
	db, err := database.Open(ctx, filepath.Join(dir, "huiqi.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := database.Migrate(ctx, db, Migrations()); err != nil {
		b.Fatal(err)
	}
	c, err := Load("", map[string]any{"data": dir, "demo": true})
	if err != nil {
		b.Fatal(err)
	}
	h, err := build(ctx, c, db, secret.NewKey(), parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}}})
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
			INSERT INTO enterprises (name, credit_code, legal_person, verification, version, created_at, asked_on, asked)
			SELECT '第' || i || '有限公司', printf('91110112MA%08d', i), '', 'unverified', 1, '2026-01-05 02:00:00+00:00', '', 0 FROM n`,
		`INSERT INTO enterprise_facts (enterprise_id, field, value, source, source_name, as_of, recorded_at, recorded_by)
			SELECT e.id, f.field, CASE f.field
				WHEN 'industry' THEN '"' || (CASE e.id % 5 WHEN 0 THEN 1411 WHEN 1 THEN 6513 WHEN 2 THEN 5211 WHEN 3 THEN 3921 ELSE 6210 END) || '"'
				WHEN 'region' THEN '"1101120' || printf('%02d', 1 + e.id % 22) || '"'
				WHEN 'established' THEN '"' || (2005 + e.id % 21) || '-0' || (1 + e.id % 9) || '-15"'
				WHEN 'employees' THEN '' || (e.id * 7919 % 400)
				WHEN 'revenue' THEN '' || (e.id * 104729 % 9000) * 1000000
				WHEN 'rdSpend' THEN '' || (e.id * 31337 % 400) * 1000000
				WHEN 'qualification' THEN CASE e.id % 9 WHEN 0 THEN '[{"code":"high_tech","from":"2024-12-01","to":"2027-11-30"}]' ELSE '[]' END
				ELSE '[]' END,
				'bureau', '主管部门', CASE WHEN f.field IN ('revenue', 'rdSpend') THEN '2025-12-31 00:00:00+00:00' ELSE '2026-10-01 00:00:00+00:00' END, '2026-10-08 02:00:00+00:00', 0
			FROM enterprises e, (SELECT 'industry' AS field UNION ALL SELECT 'region' UNION ALL SELECT 'established' UNION ALL SELECT 'employees' UNION ALL SELECT 'revenue'
				UNION ALL SELECT 'rdSpend' UNION ALL SELECT 'qualification' UNION ALL SELECT 'creditStanding') f
			WHERE (e.id + length(f.field)) % 11 > 0`,
	} {
		err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(context.WithoutCancel(ctx), step)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	system := access.SystemActor("bench")
	v, err := h.policies.Add(ctx, system, policy.AddPolicy{Content: policy.Content{
		Title: "科技企业成长支持措施", Issuer: "区科委", Level: policy.District, Topic: policy.Innovation, PublishedOn: "2026-01-05", Text: "第一条 支持企业成长。", Benefit: "最高 50 万元",
		Conditions: []byte(`{"all":[{"field":"industry","op":"under","value":["C","I"]},{"field":"region","op":"under","value":["110112"]},{"field":"established","op":"years_since_gte","value":2,"unit":"年"},
			{"field":"employees","op":"between","value":[10,300],"unit":"人"},{"field":"revenue","op":"gte","value":200,"unit":"万元"},{"field":"rdRatio","op":"gte","value":3,"unit":"%"},
			{"field":"creditStanding","op":"notOn","value":["严重失信"]}]}`)}})
	if err == nil {
		v, err = h.policies.Publish(ctx, system, policy.Ref{ID: v.ID, Version: v.Version})
	}
	if err != nil {
		b.Fatal(err)
	}
	if err := h.policies.RefreshPool(ctx); err != nil {
		b.Fatal(err)
	}
	st := h.policies.Pool()
	if st.Companies != 150_000 {
		b.Fatal(st)
	}
	page := testing.Benchmark(func(b *testing.B) {
		for range b.N {
			list, _, err := h.policies.Companies(ctx, system, v.ID, policy.CompanyFilter{Set: criteria.Near})
			if err != nil || len(list) != 20 {
				b.Fatal(len(list), err)
			}
		}
	})
	b.ResetTimer()
	var last policy.Reverse
	for b.Loop() {
		if last, err = h.policies.Reverse(ctx, system, v.ID); err != nil || last.Division == nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(st.BuildMS), "build-ms")
	b.ReportMetric(float64(st.Bytes)/1e6, "MB")
	b.ReportMetric(float64(page.NsPerOp())/float64(time.Millisecond), "page-ms")
	b.Logf("%+v", last.Division.Sets)
}
