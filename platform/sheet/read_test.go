package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/huiqi/huiqi/platform/fault"
)

func opened(b []byte) (*Book, error) { return Open(bytes.NewReader(b), int64(len(b))) }

// all reads every row of a sheet as "number: a|b|c"; ? marks lost digits, ! an error.
func all(t *testing.T, b *Book, sheet int) []string {
	t.Helper()
	var out []string
	_, err := b.Rows(sheet, func(r Row) error {
		var cells []string
		for _, c := range r.Cells {
			s := c.Text
			if c.Lost {
				s += "?"
			}
			if c.Bad {
				s += "!"
			}
			cells = append(cells, s)
		}
		out = append(out, fmt.Sprintf("%d: %s", r.Number, strings.Join(cells, "|")))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadsWhatExcelWrites(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	defer f.Close()
	const s = "Sheet1"
	set := func(cell string, v any) {
		if err := f.SetCellValue(s, cell, v); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	set("A1", "企业登记信息")
	must(f.MergeCell(s, "A1", "C1"))
	set("A2", "企业名称")
	set("B2", "信用代码")
	set("C2", "成立日期")
	set("D2", "注册资本")
	set("A4", "北京麦香 𠮷")
	set("B4", "91110112MA01A2B3C4")
	set("C4", time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC))
	set("D4", 3.85)
	set("A5", 13800138000)
	set("B5", 1.101051949123e17)
	set("C5", time.Date(2020, 2, 29, 13, 5, 9, 0, time.UTC))
	set("D5", true)
	must(f.SetCellFormula(s, "A6", "A5+1"))
	set("B6", "第一行\n第二行")
	must(f.SetCellRichText(s, "C6", []excelize.RichTextRun{{Text: "富"}, {Text: "文本"}}))
	set("D6", "普通_文")
	_, err := f.NewSheet("隐藏")
	must(err)
	must(f.SetSheetVisible("隐藏", false))
	must(f.SetCellValue("隐藏", "A1", "密"))
	var buf bytes.Buffer
	must(f.Write(&buf))
	b, err := opened(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Sheets) != 2 || b.Sheets[0].Hidden || !b.Sheets[1].Hidden || b.Sheets[1].Name != "隐藏" {
		t.Errorf("%+v", b.Sheets)
	}
	same(t, all(t, b, 0), "1: 企业登记信息", "2: 企业名称|信用代码|成立日期|注册资本", "4: 北京麦香 𠮷|91110112MA01A2B3C4|2020-02-29|3.85",
		"5: 13800138000|110105194912300000?|2020-02-29 13:05:09|是", "6: !|第一行\n第二行|富文本|普通_文")
	merges, err := b.Rows(0, func(Row) error { return nil })
	if err != nil || len(merges) != 1 || merges[0] != (Merge{1, 1, 0, 2}) {
		t.Errorf("%v %v", merges, err)
	}
	head := Spread([]Row{{Number: 1, Cells: []Value{{Text: "企业登记信息"}}}}, merges)
	if len(head[0].Cells) != 3 || head[0].Cells[2].Text != "企业登记信息" {
		t.Errorf("%v", head)
	}
}

func TestReadsItsOwn(t *testing.T) {
	t.Parallel()
	texts := []string{"=1+1", "a&b<c>", "  空格 ", "_x000D_", "𠮷", "-3", "@x"}
	var rows [][]Cell
	var want, wantCSV []string
	for i, s := range texts {
		rows = append(rows, []Cell{Text(s), Int(int64(i)), Fen(12345)})
		want = append(want, fmt.Sprintf("%d: %s|%d|123.45", i+2, s, i))
		wantCSV = append(wantCSV, fmt.Sprintf("%d: %s|%d|123.45", i+2, s, i))
	}
	o := Options{Columns: []Column{{Title: "文"}, {Title: "数"}, {Title: "额"}}}
	b, err := opened(written(t, o, rows...).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	same(t, all(t, b, 0)[1:], want...)
	var buf bytes.Buffer
	c, err := NewCSV(&buf, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := c.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = opened(buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	same(t, all(t, b, 0)[1:], wantCSV...)
}

func TestReadsEveryCSV(t *testing.T) {
	t.Parallel()
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String("名称,代码\r\n北京麦香烘焙有限公司,1\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"utf-8":            {"名称,代码\n甲,1\n", []string{"1: 名称|代码", "2: 甲|1"}},
		"mark":             {"\ufeff名称,代码\r\n甲,1", []string{"1: 名称|代码", "2: 甲|1"}},
		"gbk":              {gbk, []string{"1: 名称|代码", "2: 北京麦香烘焙有限公司|1"}},
		"semicolon":        {"名称;代码\n\"a;b,c\";1\n", []string{"1: 名称|代码", "2: a;b,c|1"}},
		"tab":              {"名称\t代码\n甲\t1,5\n", []string{"1: 名称|代码", "2: 甲|1,5"}},
		"mixed ends":       {"名称,代码\r\n甲,1\r乙,2\n\r\n丙,3", []string{"1: 名称|代码", "2: 甲|1", "3: 乙|2", "5: 丙|3"}},
		"quotes":           {"名称,代码\n\"他说\"\"好\"\"\n换行\",1\n甲\"乙,2\n", []string{"1: 名称|代码", "2: 他说\"好\"\n换行|1", "4: 甲\"乙|2"}},
		"floating":         {"身份证号,电话\n1.10105E+17,1.38E+10\n2.5,E10\n", []string{"1: 身份证号|电话", "2: 1.10105E+17?|1.38E+10?", "3: 2.5|E10"}},
		"apostrophes":      {"a\n'=1+1\n'138\n'quoted'\n", []string{"1: a", "2: =1+1", "3: 138", "4: 'quoted'"}},
		"short and long":   {"a,b\n1\n1,2,3\n,\n", []string{"1: a|b", "2: 1", "3: 1|2|3"}},
		"one column":       {"名称\n甲\n", []string{"1: 名称", "2: 甲"}},
		"semicolon inside": {"名称,经营范围\n甲,烘焙;零售;批发\n乙,a;b\n", []string{"1: 名称|经营范围", "2: 甲|烘焙;零售;批发", "3: 乙|a;b"}},
	} {
		b, err := opened([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Run(name, func(t *testing.T) { same(t, all(t, b, 0), c.want...) })
	}
}

// parts makes a workbook of parts; those left out are usual ones.
func parts(t *testing.T, with map[string]string) []byte {
	t.Helper()
	usual := map[string]string{
		"[Content_Types].xml":        xmlHead + `<Types xmlns="x"/>`,
		"xl/workbook.xml":            xmlHead + `<workbook xmlns:r="r"><sheets><sheet name="一" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": xmlHead + `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   xmlHead + `<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>好</t></is></c></row></sheetData></worksheet>`,
	}
	for k, v := range with {
		usual[k] = v
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range usual {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func data(rows string) map[string]string {
	return map[string]string{"xl/worksheets/sheet1.xml": xmlHead + `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`}
}

// TestRefusesHarm is bad input 32 and 29 of the table of bad inputs.
func TestRefusesHarm(t *testing.T) {
	t.Parallel()
	doctype := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>`
	laughs := `<?xml version="1.0"?>` + strings.Repeat(" ", 2000) + `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>`
	ole := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 4096)...)
	encrypted := bytes.Clone(ole)
	for i, c := range "EncryptedPackage" {
		encrypted[1024+2*i] = byte(c)
	}
	truncated := parts(t, nil)
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"good":                    {parts(t, nil), nil},
		"entity in a sheet":       {parts(t, map[string]string{"xl/worksheets/sheet1.xml": doctype}), ErrBad},
		"entity elsewhere":        {parts(t, map[string]string{"docProps/core.xml": doctype}), ErrBad},
		"entity in the texts":     {parts(t, map[string]string{"xl/sharedStrings.xml": laughs}), ErrBad},
		"comment":                 {parts(t, data(`<!-- x --><row r="1"/>`)), ErrBad},
		"cdata":                   {parts(t, data(`<row r="1"><c r="A1" t="inlineStr"><is><t><![CDATA[<<<]]></t></is></c></row>`)), ErrBad},
		"unknown entity":          {parts(t, data(`<row r="1"><c r="A1" t="inlineStr"><is><t>&x;</t></is></c></row>`)), ErrBad},
		"row 99999999":            {parts(t, data(`<row r="99999999"><c r="A99999999"><v>1</v></c></row>`)), ErrBad},
		"cell ZZZ9":               {parts(t, data(`<row r="9"><c r="ZZZ9"><v>1</v></c></row>`)), ErrBad},
		"cell XFD1":               {parts(t, data(`<row r="1"><c r="XFD1"><v>1</v></c></row>`)), ErrBad},
		"cell of another row":     {parts(t, data(`<row r="1"><c r="A2"><v>1</v></c></row>`)), ErrBad},
		"rows backwards":          {parts(t, data(`<row r="5"><c r="A5"><v>1</v></c></row><row r="4"><c r="A4"><v>1</v></c></row>`)), ErrBad},
		"same row twice":          {parts(t, data(`<row r="5"><c r="A5"><v>1</v></c></row><row r="5"><c r="A5"><v>1</v></c></row>`)), ErrBad},
		"no such text":            {parts(t, data(`<row r="1"><c r="A1" t="s"><v>7</v></c></row>`)), ErrBad},
		"text too long":           {parts(t, data(`<row r="1"><c r="A1" t="inlineStr"><is><t>`+strings.Repeat("长", 300_000)+`</t></is></c></row>`)), ErrBad},
		"attribute too long":      {parts(t, data(`<row r="1" x="`+strings.Repeat("a", maxToken+10)+`"/>`)), ErrBad},
		"unfinished":              {parts(t, map[string]string{"xl/worksheets/sheet1.xml": xmlHead + `<worksheet><sheetData><row r="1"><c r="A1"><v>1</v>`}), ErrBad},
		"utf-16 part":             {parts(t, map[string]string{"xl/workbook.xml": "\xff\xfe<\x00?\x00"}), ErrBad},
		"external link":           {parts(t, map[string]string{"xl/externalLinks/externalLink1.xml": xmlHead + "<x/>"}), ErrBad},
		"external sheet":          {parts(t, map[string]string{"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" TargetMode="External" Target="http://evil/"/></Relationships>`}), ErrBad},
		"sheet that is not there": {parts(t, map[string]string{"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="../../etc/passwd"/></Relationships>`}), ErrBad},
		"macro":                   {parts(t, map[string]string{"xl/vbaProject.bin": "x"}), ErrMacro},
		"not a zip":               {[]byte("PK\x03\x04 and nothing"), ErrBad},
		"cut off":                 {truncated[:len(truncated)/2], ErrBad},
		"old":                     {ole, ErrOld},
		"password":                {encrypted, ErrEncrypted},
		"empty":                   {nil, ErrEmpty},
		"utf-16 text":             {[]byte("\xff\xfea\x00,\x00"), ErrEncoding},
		"binary":                  {[]byte("a,b\n\x00\x01\x02"), ErrBad},
		"neither encoding":        {[]byte("a,b\n\x80\xff\xff,c\n"), ErrEncoding},
		"open quote":              {[]byte("a,b\n\"" + strings.Repeat("x,y\n", 60_000)), ErrBad},
	} {
		b, err := opened(c.in)
		if err == nil {
			_, err = b.Rows(0, func(Row) error { return nil })
		}
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		f, ok := fault.As(err)
		if !ok || !errors.Is(err, c.want) || len(f.Fields) == 0 || f.Fields[0].Name != "file" {
			t.Errorf("%s: %v, want %v at the field", name, err, c.want)
		}
	}
}

// TestBombs opens what unpacks to more than the memory may hold: a gigabyte of shared text in a small file, and a sheet
// that never ends. Both are refused on the way.
func TestBombs(t *testing.T) {
	t.Parallel()
	bomb := func(name, head, repeated string, times int) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for n, c := range map[string]string{
			"[Content_Types].xml": "<Types/>", "xl/workbook.xml": `<workbook xmlns:r="r"><sheets><sheet name="一" r:id="rId1"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
		} {
			w, _ := z.Create(n)
			_, _ = io.WriteString(w, c)
		}
		if name != "xl/worksheets/sheet1.xml" {
			w, _ := z.Create("xl/worksheets/sheet1.xml")
			_, _ = io.WriteString(w, `<worksheet/>`)
		}
		w, _ := z.Create(name)
		_, _ = io.WriteString(w, head)
		chunk := strings.Repeat(repeated, 1000)
		for range times {
			if _, err := io.WriteString(w, chunk); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	b := bomb("xl/sharedStrings.xml", "<sst>", "<si><t>"+strings.Repeat("长", 300)+"</t></si>", 38) // 34 MB of text
	if _, err := opened(b); !errors.Is(err, ErrBad) {
		t.Errorf("shared text without end: %v", err)
	}
	one := bomb("xl/sharedStrings.xml", "<sst><si><t>", strings.Repeat("a", 1000), 2)
	if _, err := opened(one); !errors.Is(err, ErrBad) {
		t.Errorf("one text without end: %v", err)
	}
}
