package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/huiqi/huiqi/platform/sheet"
)

// exportColumns are the 20 columns of the applications that are taken out.
var exportColumns = []string{"number", "status", "product", "kind", "institution", "enterprise", "contact", "amount", "term", "purpose", "handler", "submittedAt", "dueAt", "closedAt",
	"approvedAmount", "approvedRate", "approvedTerm", "disbursedAmount", "disbursedAt", "reason"}

// numeric and moments are the columns that hold numbers and times, for the floor's cells.
var (
	numeric = map[int]bool{7: true, 8: true, 14: true, 15: true, 16: true, 17: true}
	moments = map[int]bool{11: true, 12: true, 13: true, 18: true}
)

// exportXLSX takes the applications out as a person does, the query and the rights included, and has excelize's StreamWriter
// write the same cells from memory. Its ratio is of time: ours ÷ excelize, smaller is better.
func exportXLSX(_ context.Context, e *env) error {
	if sizes[e.size].applications < 100_000 {
		f := e.figure("export_xlsx_100k", "s")
		f.Note = "not run: the data set has fewer than 100,000 applications"
		emit(f)
		return nil
	}
	rest, err := e.ours.memory("VmRSS")
	if err != nil {
		return err
	}
	if err := e.ours.fresh(); err != nil {
		return err
	}
	var times, floors []float64
	var rows int64
	dir, err := os.MkdirTemp("", "huiqi-export-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ours.xlsx")
	for range 2 {
		took, n, err := e.export(path)
		if err != nil {
			return err
		}
		times, rows = append(times, took), n
		least, err := excelizeTime(path)
		if err != nil {
			return err
		}
		floors = append(floors, least)
	}
	peak, err := e.ours.memory("VmHWM")
	if err != nil {
		return err
	}
	f := e.figure("export_xlsx_100k", "s")
	least := median(floors)
	f.Value = median(times)
	ratio := f.Value / least
	f.Floor, f.Ratio, f.Note = &least, &ratio, fmt.Sprintf("%d rows of %d columns; ratio of time", rows, len(exportColumns))
	emit(f)
	f = e.figure("export_memory", "MiB resident growth at the peak of an export")
	f.Value = peak - rest
	emit(f)
	return nil
}

// export runs one export and fetches its file. The time ends when the file can be had.
func (e *env) export(path string) (seconds float64, rows int64, err error) {
	var v struct {
		ID    int64  `json:"id"`
		State string `json:"state"`
		Rows  int64  `json:"rows"`
	}
	began := time.Now()
	in := map[string]any{"source": "applications", "format": "xlsx", "columns": exportColumns, "filters": map[string]string{}, "purpose": "测速"}
	if err := e.ours.call(e.people.operator, "POST", "/api/exports", in, &v); err != nil {
		return 0, 0, err
	}
	for v.State != "done" {
		if v.State == "failed" || time.Since(began) > 10*time.Minute {
			return 0, 0, fmt.Errorf("the export is %s", v.State)
		}
		time.Sleep(20 * time.Millisecond)
		if err := e.ours.call(e.people.operator, "GET", fmt.Sprintf("/api/exports/%d", v.ID), nil, &v); err != nil {
			return 0, 0, err
		}
	}
	seconds = time.Since(began).Seconds()
	// #nosec G304 -- a file in a folder of our own
	f, err := os.Create(path)
	if err != nil {
		return 0, 0, err
	}
	if err := e.ours.call(e.people.operator, "GET", fmt.Sprintf("/api/exports/%d/file", v.ID), nil, f); err != nil {
		return 0, 0, err
	}
	return seconds, v.Rows, f.Close()
}

func excelizeTime(path string) (seconds float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// #nosec G204 -- runs this program itself
	cmd := exec.Command(self, "excelize", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	return seconds, json.Unmarshal(out, &seconds)
}

// excelizeProcess reads our file into memory, numbers as numbers and moments as moments, and tells in how many seconds
// excelize's StreamWriter writes it.
func excelizeProcess(path string) error {
	// #nosec G304 G703 -- the file of the bench itself
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	ours, err := sheet.Open(f, info.Size())
	if err != nil {
		return err
	}
	const style = 1 // the first style a new file is given
	var rows [][]any
	if _, err := ours.Rows(0, func(r sheet.Row) error {
		values := make([]any, len(r.Cells))
		for i, c := range r.Cells {
			values[i] = c.Text
			if len(rows) < 2 {
				continue
			}
			if n, err := strconv.ParseFloat(c.Text, 64); err == nil && numeric[i] {
				values[i] = n
			}
			if at, err := time.Parse(time.DateTime, c.Text); err == nil && moments[i] {
				values[i] = excelize.Cell{StyleID: style, Value: at}
			}
		}
		rows = append(rows, values)
		return nil
	}); err != nil {
		return err
	}
	began := time.Now()
	x := excelize.NewFile()
	if _, err := x.NewStyle(&excelize.Style{NumFmt: 22}); err != nil {
		return err
	}
	w, err := x.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	for i, r := range rows {
		if err := w.SetRow("A"+strconv.Itoa(i+1), r); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := x.SaveAs(path + ".excelize.xlsx"); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(time.Since(began).Seconds())
}
