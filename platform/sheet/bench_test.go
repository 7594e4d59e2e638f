package sheet

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// varied are the 20 columns of row i: texts of different length, numbers, amounts, days and moments.
func varied(i int, into []Cell) []Cell {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	into = into[:0]
	at := time.Unix(1_760_000_000+int64(r.IntN(30_000_000)), 0)
	for c := range 20 {
		switch c % 5 {
		case 0:
			into = append(into, Text(fmt.Sprintf("GD%08d-%06d", i, r.IntN(1_000_000))))
		case 1:
			into = append(into, Text(fmt.Sprintf("关于%d号院%d单元路灯损坏、道路积水的诉求（第%d次反映）", r.IntN(9000), r.IntN(9), r.IntN(100))))
		case 2:
			into = append(into, Int(int64(r.IntN(1_000_000))))
		case 3:
			into = append(into, Fen(int64(r.IntN(1_000_000_000))))
		default:
			into = append(into, Time(at.Add(time.Duration(c)*time.Hour)))
		}
	}
	return into
}

const benchRows = 100_000

// inMemory are 1,000 different rows, used over and over: farther apart than deflate looks back.
func inMemory() [][]Cell {
	rows := make([][]Cell, 1000)
	for i := range rows {
		rows[i] = varied(i, nil)
	}
	return rows
}

func BenchmarkXLSX100k(b *testing.B) {
	columns := make([]Column, 20)
	for i := range columns {
		columns[i].Title = fmt.Sprintf("第%d列", i+1)
	}
	rows := inMemory()
	b.ReportAllocs()
	for b.Loop() {
		x, err := NewXLSX(io.Discard, Options{Columns: columns, Mark: "水印"})
		if err != nil {
			b.Fatal(err)
		}
		for i := range benchRows {
			if err := x.Write(rows[i%len(rows)]); err != nil {
				b.Fatal(err)
			}
		}
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExcelize100k writes the same cells with excelize's StreamWriter, which is given them as its own values.
func BenchmarkExcelize100k(b *testing.B) {
	rows := make([][]any, 0, 1000)
	for _, r := range inMemory() {
		values := make([]any, 0, len(r))
		for _, cell := range r {
			switch cell.kind {
			case moment:
				values = append(values, cell.at)
			case number:
				n, err := strconv.ParseFloat(cell.text, 64)
				if err != nil {
					b.Fatal(err)
				}
				values = append(values, n)
			default:
				values = append(values, cell.text)
			}
		}
		rows = append(rows, values)
	}
	b.ReportAllocs()
	for b.Loop() {
		f := excelize.NewFile()
		style, err := f.NewStyle(&excelize.Style{NumFmt: 22})
		if err != nil {
			b.Fatal(err)
		}
		for _, values := range rows {
			for i, v := range values {
				if at, ok := v.(time.Time); ok {
					values[i] = excelize.Cell{StyleID: style, Value: at}
				}
			}
		}
		w, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		for i := range benchRows {
			if err := w.SetRow("A"+strconv.Itoa(i+1), rows[i%len(rows)]); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := f.Write(io.Discard); err != nil {
			b.Fatal(err)
		}
		_ = f.Close()
	}
}
