package application_test

import (
	"context"
	"slices"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/sheet"
)

// TestAnExportReadsWhatItsCellsAreMadeOf: the list reads a part of each row; a search reads rows whole. Both write the same cells,
// and none of an application that has been through everything is empty.
func TestAnExportReadsWhatItsCellsAreMadeOf(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	v := f.mustSubmit(t, baker, want("a"))
	err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := database.Run(ctx, tx, `UPDATE applications SET handler_name = '赵强', closed_at = submitted_at, approved_amount = 30000000, approved_rate = 385, approved_term = 12,
			disbursed_amount = 20000000, disbursed_at = submitted_at, reason = '材料不全' WHERE id = ?`, v.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	exporter := banker
	exporter.Permissions = append([]access.Permission{application.PermExport, application.PermExportPhone}, banker.Permissions...)
	src := f.ExportSource()
	var keys []string
	for _, c := range src.Columns {
		keys = append(keys, c.Key)
	}
	page := func(filter sheet.Filter) [][]sheet.Cell {
		rows, _, err := src.Page(ctx, exporter, sheet.Query{Filter: filter, Columns: keys, Limit: 1000})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%v: %d rows, %v", filter, len(rows), err)
		}
		return rows
	}
	listed, found := page(sheet.Filter{}), page(sheet.Filter{"q": v.Number})
	for i, key := range keys {
		if listed[0][i] != found[0][i] {
			t.Errorf("%s: %v of a list, %v of a search", key, listed[0][i], found[0][i])
		}
		if listed[0][i] == (sheet.Cell{}) {
			t.Errorf("%s is empty", key)
		}
	}
	if !slices.Contains(keys, "dueAt") {
		t.Error("the columns are not all there")
	}
}
