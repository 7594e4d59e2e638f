package sheet

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/huiqi/huiqi/platform/clock"
)

func written(t *testing.T, o Options, rows ...[]Cell) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	x, err := NewXLSX(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := x.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func reopened(t *testing.T, b *bytes.Buffer) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestXLSXReopens(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 14, 5, 9, 0, clock.Beijing)
	long := strings.Repeat("长", MaxCell+10)
	texts := []string{
		"普通文字", "a&b<c>\"d\"'e'", "  前后有空格 ", "第一行\n第二行", "𠮷野家·阿卜杜拉", "_x000D_ 不是换行", "=1+1", "+86 138", "-3", "@SUM(A1)", "＝1", long, "含\x00控\x1b制\x07符",
		"坏\xff字节", "回车\r\n换行", "123456789012345678",
	}
	want := []string{
		"普通文字", "a&b<c>\"d\"'e'", "  前后有空格 ", "第一行\n第二行", "𠮷野家·阿卜杜拉", "_x000D_ 不是换行", "=1+1", "+86 138", "-3", "@SUM(A1)", "＝1", "", "含控制符",
		"坏字节", "回车\n换行", "123456789012345678",
	}
	rows := make([][]Cell, 0, len(texts))
	for _, s := range texts {
		rows = append(rows, []Cell{Text(s), Int(42), Fen(-12305), Date(at), Time(at), Bool(true), Int(123456789012345678), {}})
	}
	b := written(t, Options{Sheet: "工单[2026]", Mark: "北京市通州区 王芳 2026年11月22日 14:05 导出，用途：月度通报", Columns: []Column{
		{Title: "标题", Width: 40}, {Title: "数"}, {Title: "金额"}, {Title: "日期"}, {Title: "时间"}, {Title: "是否"}, {Title: "长号"}, {Title: "空"}}}, rows...)
	f := reopened(t, b)
	if got := f.GetSheetList(); len(got) != 1 || got[0] != "工单2026" {
		t.Fatalf("sheets %q", got)
	}
	if got, _ := f.GetCellValue("工单2026", "A1"); !strings.Contains(got, "王芳") || !strings.Contains(got, "月度通报") {
		t.Errorf("mark %q", got)
	}
	if got, _ := f.GetCellValue("工单2026", "B2"); got != "数" {
		t.Errorf("head %q", got)
	}
	for i, w := range want {
		cell := fmt.Sprintf("A%d", i+3)
		got, err := f.GetCellValue("工单2026", cell)
		if err != nil {
			t.Fatal(err)
		}
		if texts[i] == long {
			if n := units(got); n != MaxCell || !strings.HasSuffix(got, cutMark) {
				t.Errorf("long text has %d units", n)
			}
			continue
		}
		if got != w {
			t.Errorf("%s: %q, want %q", cell, got, w)
		}
		if formula, _ := f.GetCellFormula("工单2026", cell); formula != "" {
			t.Errorf("%s became the formula %q", cell, formula)
		}
	}
	for cell, w := range map[string]string{"B3": "42", "C3": "-123.05", "D3": "2026-11-22", "E3": "2026-11-22 14:05:09", "F3": "是", "G3": "123456789012345678", "H3": ""} {
		if got, _ := f.GetCellValue("工单2026", cell); got != w {
			t.Errorf("%s: %q, want %q", cell, got, w)
		}
	}
	if typ, _ := f.GetCellType("工单2026", "G3"); typ != excelize.CellTypeInlineString {
		t.Errorf("a number of 18 digits is kept as %v: its last digits would be lost", typ)
	}
	style, err := f.GetCellStyle("工单2026", "A9")
	if err != nil {
		t.Fatal(err)
	}
	if x := f.Styles.CellXfs.Xf[style]; x.QuotePrefix == nil || !*x.QuotePrefix {
		t.Error("text that begins like a formula would become one when it is edited")
	}
	panes, err := f.GetPanes("工单2026")
	if err != nil || !panes.Freeze || panes.YSplit != 2 {
		t.Errorf("panes %+v %v", panes, err)
	}
	if merged, _ := f.GetMergeCells("工单2026"); len(merged) != 1 || merged[0].GetEndAxis() != "H1" {
		t.Errorf("the mark does not go over the head: %v", merged)
	}
	if w, _ := f.GetColWidth("工单2026", "A"); w != 40 {
		t.Errorf("width %v", w)
	}
}

func TestXLSXGoesOnInANextSheet(t *testing.T) {
	t.Parallel()
	var rows [][]Cell
	for i := range 25 {
		rows = append(rows, []Cell{Int(int64(i))})
	}
	f := reopened(t, written(t, Options{Sheet: "数据", Mark: "水印", Columns: []Column{{Title: "序号"}}, rows: 10}, rows...))
	seen := 0
	for _, name := range f.GetSheetList() {
		all, err := f.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) > 10 || all[0][0] != "水印" || all[1][0] != "序号" {
			t.Fatalf("%s: %v", name, all)
		}
		for _, r := range all[2:] {
			if r[0] != fmt.Sprint(seen) {
				t.Fatalf("row %s in place of %d", r[0], seen)
			}
			seen++
		}
	}
	if seen != 25 || len(f.GetSheetList()) != 4 {
		t.Errorf("%d rows on %v", seen, f.GetSheetList())
	}
}

func TestXLSXRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	x, err := NewXLSX(&bytes.Buffer{}, Options{Columns: []Column{{Title: "一"}}})
	if err != nil {
		t.Fatal(err)
	}
	if x.Write([]Cell{Int(1), Int(2)}) == nil {
		t.Error("a cell without a column was taken")
	}
	if _, err := NewXLSX(&bytes.Buffer{}, Options{}); err == nil {
		t.Error("a sheet without columns was begun")
	}
}

// The cells that run code in one spreadsheet or another (OWASP CSV injection; T-SEC-11).
func TestNothingRunsInCSV(t *testing.T) {
	t.Parallel()
	attacks := []string{
		"=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "＝1+1", "＋1", "－1", "＠SUM(1)", " =1+1", "\u00a0=1", "\u3000=1", "\u200b=1", "\ufeff=1", "\n=1+1",
		"=cmd|'/C calc'!A0", "a;=1+1", "a,=1+1", "a\n=1+1", "a\r=1+1", "a; =1+1", "a\t+1", `x","=1+1`, `x";=HYPERLINK("http://a")`, "\x00=1", "\x01\x02@a", "王芳,=HYPERLINK(\"http://evil\",\"点我\")",
	}
	for _, a := range attacks {
		var b bytes.Buffer
		c, err := NewCSV(&b, Options{Columns: []Column{{Title: a}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Write([]Cell{Text(a)}); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		raw := strings.TrimPrefix(b.String(), "\ufeff")
		r := csv.NewReader(strings.NewReader(raw))
		all, err := r.ReadAll()
		if err != nil || len(all) != 2 {
			t.Fatalf("%q: %v %d rows in %q", a, err, len(all), raw)
		}
		for _, row := range all {
			// whatever the program splits at, no piece begins a formula
			for _, piece := range strings.FieldsFunc(row[0], func(r rune) bool { return strings.ContainsRune(",;\t\n\r\"", r) }) {
				piece = strings.TrimLeftFunc(piece, blank)
				if piece != "" && strings.ContainsAny(piece[:1], "=+-@") || strings.HasPrefix(piece, "＝") || strings.HasPrefix(piece, "＋") || strings.HasPrefix(piece, "－") || strings.HasPrefix(piece, "＠") {
					t.Errorf("%q is written as %q: %q runs", a, row[0], piece)
				}
			}
		}
	}
	for _, s := range []string{"普通文字", "a=b", "2026-11-22", "a, b", "1-2", "北京市通州区（含郊区）", "x@y.cn", "5:00-6:00", "（010）6955-1234"} {
		if got := Neutral(s); got != s {
			t.Errorf("%q was changed to %q", s, got)
		}
	}
}

func TestCSVIsWhatExcelReads(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	c, err := NewCSV(&b, Options{Mark: "水印，行", Columns: []Column{{Title: "名称"}, {Title: "金额"}, {Title: "时间"}}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 14, 5, 0, 0, clock.Beijing)
	if err := c.Write([]Cell{Text("他说\"好\",\n就好"), Fen(-5), Time(at)}); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	again := ResumeCSV(&b)
	if err := again.Write([]Cell{Text(" 续 "), {}, Date(at)}); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	want := "\ufeff水印，行\r\n名称,金额,时间\r\n\"他说\"\"好\"\",\n就好\",-0.05,2026-11-22 14:05:00\r\n\" 续 \",,2026-11-22\r\n"
	if b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
}
