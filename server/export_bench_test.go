package server

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/xuri/excelize/v2"

	"github.com/huiqi/huiqi/modules/export"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/sheet"
)

// resident reads a line of what the kernel knows of this process, in bytes.
func resident(b *testing.B, line string) float64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc")
	}
	m := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(raw)
	if m == nil {
		b.Skip("no " + line)
	}
	n, _ := strconv.ParseFloat(string(m[1]), 64)
	return n * 1024
}

// BenchmarkExportXLSX100k takes 100,000 applications of 20 columns out as a person does: the query, the rights, the
// workbook, the file on disk. It reports how much the process grew; platform/sheet has the writer alone beside excelize's.
func BenchmarkExportXLSX100k(b *testing.B) {
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
	c, err := Load("", map[string]any{"data": dir, "demo": true, "exports.per_day": 1000})
	if err != nil {
		b.Fatal(err)
	}
	h, err := build(ctx, c, db, secret.NewKey(), parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}}})
	if err != nil {
		b.Fatal(err)
	}
	if err := h.identity.EnsureRoles(ctx); err != nil {
		b.Fatal(err)
	}
	system := access.SystemActor("bench")
	id, err := h.identity.CreateStaff(ctx, system, identity.Staff{Name: "运营", Account: "yunying", Phone: "13900139001", Party: access.Platform, Roles: []string{"operator"}})
	if err != nil {
		b.Fatal(err)
	}
	actor, err := h.identity.Now(ctx, system, id)
	if err != nil {
		b.Fatal(err)
	}
	err = db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
			INSERT INTO applications (number, status, resume, version, source, product_id, product_name, edition, kind, kind_name, lends, institution_id, institution_name, materials,
				enterprise_id, enterprise_name, user_id, contact_name, phone_sealed, amount, term, purpose, collateral, handler_name, submitted_at, due_at, closed_at, reason,
				approved_amount, approved_rate, approved_term, disbursed_amount, disbursed_at)
			SELECT printf('SQ%08d', i), 'completed', '', 1, 'h5', i % 60, '普惠贷款产品第' || (i * 7919 % 997) || '号', 1, 'finance', '融资服务', 1, i % 15, '北京第' || (i % 15) || '银行通州支行', '',
				i, '北京' || hex(i * 2654435761 % 4294967296) || '科技有限公司', 1, '联系人' || (i % 1000), '', i * 104729 % 100000000, i % 36, '购买原料和设备，第' || (i * 31 % 5003) || '批', '', '经办' || (i % 97),
				datetime('2026-01-01', '+' || (i * 37 % 400000) || ' minutes') || '+00:00', datetime('2026-01-03', '+' || (i * 37 % 400000) || ' minutes') || '+00:00',
				datetime('2026-02-01', '+' || (i * 41 % 400000) || ' minutes') || '+00:00', '已结清第' || i || '笔', i * 7 % 50000000, i % 600, i % 36, i * 5 % 50000000,
				datetime('2026-02-02', '+' || (i * 43 % 400000) || ' minutes') || '+00:00' FROM n`)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	columns := []string{"number", "status", "product", "kind", "institution", "enterprise", "contact", "amount", "term", "purpose", "handler", "submittedAt", "dueAt", "closedAt",
		"approvedAmount", "approvedRate", "approvedTerm", "disbursedAmount", "disbursedAt", "reason"}
	var last int64
	b.Run("ours", func(b *testing.B) {
		debug.FreeOSMemory()
		before := resident(b, "VmRSS")
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak begins anew
		for b.Loop() {
			v, err := h.exports.Create(ctx, actor, export.Create{Source: "applications", Format: export.XLSX, Columns: columns, Purpose: "测速"})
			if err != nil {
				b.Fatal(err)
			}
			if worked, err := h.exports.Step(ctx); !worked || err != nil {
				b.Fatal(worked, err)
			}
			if v, err = h.exports.Get(ctx, actor, v.ID); err != nil || v.State != export.Done || v.Rows != 100_000 {
				b.Fatalf("%+v %v", v, err)
			}
			last = v.ID
		}
		b.ReportMetric((resident(b, "VmHWM")-before)/(1<<20), "MB-grown")
	})
	ours, err := h.exports.Open(ctx, actor, last)
	if err != nil {
		b.Fatal(err)
	}
	defer ours.Content.Close()
	b.Run("excelize", func(b *testing.B) { excelizeWrites(b, ours.Content) })
}

// excelizeWrites has excelize's StreamWriter write the cells of our file from memory, numbers as numbers and moments as
// moments.
func excelizeWrites(b *testing.B, f files.Object) {
	ours, err := sheet.Open(f, f.Size())
	if err != nil {
		b.Fatal(err)
	}
	style := 1 // the first style a new file is given
	var rows [][]any
	_, err = ours.Rows(0, func(r sheet.Row) error {
		values := make([]any, len(r.Cells))
		for i, c := range r.Cells {
			values[i] = c.Text
			if len(rows) < 2 {
				continue
			}
			switch i {
			case 7, 8, 14, 15, 16, 17:
				if n, err := strconv.ParseFloat(c.Text, 64); err == nil {
					values[i] = n
				}
			case 11, 12, 13, 18:
				if at, err := time.Parse(time.DateTime, c.Text); err == nil {
					values[i] = excelize.Cell{StyleID: style, Value: at}
				}
			}
		}
		rows = append(rows, values)
		return nil
	})
	if err != nil || len(rows) != 100_002 {
		b.Fatal(len(rows), err)
	}
	for b.Loop() {
		x := excelize.NewFile()
		if got, err := x.NewStyle(&excelize.Style{NumFmt: 22}); err != nil || got != style {
			b.Fatal(got, err)
		}
		w, err := x.NewStreamWriter("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		for i, r := range rows {
			if err := w.SetRow("A"+strconv.Itoa(i+1), r); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := x.SaveAs(filepath.Join(b.TempDir(), "x.xlsx")); err != nil {
			b.Fatal(err)
		}
		_ = x.Close()
	}
}
