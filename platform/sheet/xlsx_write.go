package sheet

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"
)

// Options say how a file begins.
type Options struct {
	Sheet   string // the sheet's name; "" is 数据
	Columns []Column
	// Mark is the first row, over the whole width: who took the file, when, what for. "" leaves it out.
	Mark string
	// rows is the limit of one sheet, for tests; 0 is the format's.
	rows int
}

// XLSX writes a workbook to a stream. Rows beyond the limit of one sheet go on in a next one, with the head repeated. It is
// not safe for concurrent use.
type XLSX struct {
	zip     *zip.Writer
	to      *bufio.Writer // of the open sheet
	o       Options
	letters []string
	row     int // of the open sheet, the last written
	sheets  int
	cutted  int
	line    []byte
	err     error
}

// level 5 of klauspost's deflate takes a third of the standard library's time for the same size.
const level = 5

// The formats of cells, as styles.xml lists them.
const (
	styleMark = "1"
	styleHead = "2"
	styleDate = "3"
	styleTime = "4"
	// styleText is for text that begins like a formula: a person who edits the cell still has text.
	styleText = "5"
	styleWrap = "6"
)

// NewXLSX begins a workbook.
func NewXLSX(w io.Writer, o Options) (*XLSX, error) {
	if len(o.Columns) == 0 || len(o.Columns) > MaxColumns {
		return nil, fmt.Errorf("sheet: %d columns", len(o.Columns))
	}
	if o.rows == 0 {
		o.rows = MaxRows
	}
	o.Sheet = sheetName(o.Sheet)
	x := &XLSX{zip: zip.NewWriter(w), o: o, letters: make([]string, len(o.Columns)), line: make([]byte, 0, 8<<10)}
	x.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, level) })
	for i := range x.letters {
		x.letters[i] = letters(i)
	}
	return x, x.begin()
}

// Write adds one row. Cells beyond the columns are an error.
func (x *XLSX) Write(cells []Cell) error {
	if x.err != nil {
		return x.err
	}
	if len(cells) > len(x.letters) {
		return fmt.Errorf("sheet: %d cells in a row of %d columns", len(cells), len(x.letters))
	}
	if x.row == x.o.rows {
		if x.err = x.end(); x.err != nil {
			return x.err
		}
		if x.err = x.begin(); x.err != nil {
			return x.err
		}
	}
	x.row++
	n := strconv.Itoa(x.row)
	b := append(append(append(x.line[:0], `<row r="`...), n...), `">`...)
	for i, c := range cells {
		b = x.cell(b, x.letters[i], n, c)
	}
	b = append(b, "</row>"...)
	x.line = b
	_, x.err = x.to.Write(b)
	return x.err
}

func (x *XLSX) cell(b []byte, letter, row string, c Cell) []byte {
	switch c.kind {
	case empty:
		return b
	case text:
		style := ""
		if dangerous(c.text) {
			style = styleText
		}
		return x.inline(b, letter, row, style, c.text)
	case number:
		return append(append(open(b, letter, row, "", ""), c.text...), "</v></c>"...)
	}
	days, seconds, ok := serial(c.at)
	if !ok {
		return x.inline(b, letter, row, "", c.String())
	}
	if c.kind == date {
		return append(strconv.AppendInt(open(b, letter, row, styleDate, ""), days, 10), "</v></c>"...)
	}
	b = strconv.AppendInt(open(b, letter, row, styleTime, ""), days, 10)
	if seconds > 0 { // nine places: a second is 0.0000116 of a day
		fraction := strconv.FormatInt((seconds*1_000_000_000+43200)/86400, 10)
		b = append(append(append(b, '.'), "000000000"[len(fraction):]...), fraction...)
	}
	return append(b, "</v></c>"...)
}

func open(b []byte, letter, row, style, typ string) []byte {
	b = append(append(append(append(b, `<c r="`...), letter...), row...), '"')
	if style != "" {
		b = append(append(append(b, ` s="`...), style...), '"')
	}
	if typ != "" {
		return append(append(append(b, ` t="`...), typ...), `">`...)
	}
	return append(b, `><v>`...)
}

// inline writes text in the cell itself: a table of shared strings would have to be kept until the end.
func (x *XLSX) inline(b []byte, letter, row, style, s string) []byte {
	b = open(b, letter, row, style, "inlineStr")
	if c := s[0]; c <= ' ' || s[len(s)-1] <= ' ' || strings.IndexByte(s, '\n') >= 0 {
		b = append(b, `<is><t xml:space="preserve">`...)
	} else {
		b = append(b, `<is><t>`...)
	}
	b, cut := escape(b, s)
	if cut {
		x.cutted++
	}
	return append(b, "</t></is></c>"...)
}

// Cut is the number of cells that were longer than the format allows and end in a mark that says so.
func (x *XLSX) Cut() int { return x.cutted }

// Close ends the workbook. Without it the file cannot be opened; it does not close the stream below.
func (x *XLSX) Close() error {
	if x.err != nil {
		return x.err
	}
	x.err = errors.New("sheet: the workbook is closed")
	if err := x.end(); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"[Content_Types].xml": x.contentTypes(), "_rels/.rels": rootRelations, "xl/workbook.xml": x.workbook(),
		"xl/_rels/workbook.xml.rels": x.relations(), "xl/styles.xml": styles,
	} {
		if err := x.part(name, content); err != nil {
			return err
		}
	}
	return x.zip.Close()
}

func (x *XLSX) part(name, content string) error {
	w, err := x.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xmlHead+content)
	return err
}

// epoch is the time of every entry: equal rows make equal files.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// begin opens the next sheet and writes its head.
func (x *XLSX) begin() error {
	x.sheets++
	w, err := x.zip.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("xl/worksheets/sheet%d.xml", x.sheets), Method: zip.Deflate, Modified: epoch})
	if err != nil {
		return err
	}
	if x.to == nil {
		x.to = bufio.NewWriterSize(w, 64<<10)
	} else {
		x.to.Reset(w)
	}
	head := 1
	if x.o.Mark != "" {
		head = 2
	}
	b := fmt.Appendf(x.line[:0], `%s<worksheet xmlns="%s"><sheetViews><sheetView workbookViewId="0"><pane ySplit="%d" topLeftCell="A%d" activePane="bottomLeft" state="frozen"/>`+
		`<selection pane="bottomLeft"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>`, xmlHead, mainSpace, head, head+1)
	for i, c := range x.o.Columns {
		width := c.Width
		if width <= 0 {
			width = 16
		}
		b = fmt.Appendf(b, `<col min="%d" max="%d" width="%g" customWidth="1"/>`, i+1, i+1, min(width, 255))
	}
	b = append(b, "</cols><sheetData>"...)
	x.row = 0
	if x.o.Mark != "" {
		b = append(b, `<row r="1">`...)
		b = append(x.inline(b, "A", "1", styleMark, x.o.Mark), "</row>"...)
		x.row++
	}
	x.row++
	n := strconv.Itoa(x.row)
	b = append(append(append(b, `<row r="`...), n...), `">`...)
	for i, c := range x.o.Columns {
		if c.Title != "" {
			b = x.inline(b, x.letters[i], n, styleHead, c.Title)
		}
	}
	b = append(b, "</row>"...)
	x.line = b
	_, err = x.to.Write(b)
	return err
}

// end closes the open sheet: the filter on its head, and the mark over the whole width.
func (x *XLSX) end() error {
	last := x.letters[len(x.letters)-1]
	head := 1
	if x.o.Mark != "" {
		head = 2
	}
	fmt.Fprintf(x.to, `</sheetData><autoFilter ref="A%d:%s%d"/>`, head, last, x.row)
	if x.o.Mark != "" && len(x.letters) > 1 {
		fmt.Fprintf(x.to, `<mergeCells count="1"><mergeCell ref="A1:%s1"/></mergeCells>`, last)
	}
	_, _ = x.to.WriteString("</worksheet>")
	return x.to.Flush()
}

const (
	xmlHead   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainSpace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relSpace  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packSpace = "http://schemas.openxmlformats.org/package/2006/"

	rootRelations = `<Relationships xmlns="` + packSpace + `relationships"><Relationship Id="rId1" Type="` + relSpace + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`

	styles = `<styleSheet xmlns="` + mainSpace + `"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>` +
		`<fonts count="3"><font><sz val="11"/><name val="等线"/></font><font><b/><sz val="11"/><name val="等线"/></font><font><i/><sz val="10"/><color rgb="FF51565D"/><name val="等线"/></font></fonts>` +
		`<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFE8F0FC"/></patternFill></fill></fills>` +
		`<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border><border><left/><right/><top/><bottom style="thin"><color rgb="FFE3E6EB"/></bottom><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="7"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="0" fontId="2" fillId="0" borderId="0" xfId="0" applyFont="1"/>` +
		`<xf numFmtId="49" fontId="1" fillId="2" borderId="1" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1"/>` +
		`<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/>` +
		`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>` +
		`</cellXfs><cellStyles count="1"><cellStyle name="常规" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
)

func (x *XLSX) contentTypes() string {
	var b strings.Builder
	b.WriteString(`<Types xmlns="` + packSpace + `content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>`)
	const office = "application/vnd.openxmlformats-officedocument.spreadsheetml."
	fmt.Fprintf(&b, `<Override PartName="/xl/workbook.xml" ContentType="%ssheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="%sstyles+xml"/>`, office, office)
	for i := range x.sheets {
		fmt.Fprintf(&b, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="%sworksheet+xml"/>`, i+1, office)
	}
	return b.String() + "</Types>"
}

func (x *XLSX) workbook() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<workbook xmlns="%s" xmlns:r="%s"><sheets>`, mainSpace, relSpace)
	for i := range x.sheets {
		name := x.o.Sheet
		if i > 0 {
			name = sheetName(fmt.Sprintf("%.20s(%d)", name, i+1))
		}
		escaped, _ := escape(nil, name)
		fmt.Fprintf(&b, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, strings.ReplaceAll(string(escaped), `"`, "&quot;"), i+1, i+1)
	}
	return b.String() + "</sheets></workbook>"
}

func (x *XLSX) relations() string {
	var b strings.Builder
	b.WriteString(`<Relationships xmlns="` + packSpace + `relationships">`)
	for i := range x.sheets {
		fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, i+1, relSpace, i+1)
	}
	fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="%s/styles" Target="styles.xml"/></Relationships>`, x.sheets+1, relSpace)
	return b.String()
}

// sheetName makes s a name Excel takes: no more than 31 characters, none of []:*?/\, no apostrophe at an end.
func sheetName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) || r < ' ' {
			return -1
		}
		return r
	}, s)
	if rs := []rune(s); len(rs) > 31 {
		s = string(rs[:31])
	}
	if s = strings.Trim(s, "' "); s == "" {
		return "数据"
	}
	return s
}

// letters is the name of a column: A, Z, AA.
func letters(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}

const cutMark = "…（内容过长，已截断）"

// escape adds s as XML text: what XML or Excel cannot hold is left out, line ends are \n, what looks like one of Excel's own
// escapes (_x000D_) stays what it is, and text beyond the limit of a cell is cut and says so.
func escape(b []byte, s string) ([]byte, bool) {
	cut := false
	if len(s) > MaxCell && units(s) > MaxCell {
		s, cut = first(s, MaxCell-units(cutMark))+cutMark, true
	}
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '&' && c != '<' && c != '>' && c != '_' && c != 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		size, with := 1, ""
		switch {
		case c == '&':
			with = "&amp;"
		case c == '<':
			with = "&lt;"
		case c == '>':
			with = "&gt;"
		case c == '_':
			if !escapeLike(s[i:]) {
				i++
				continue
			}
			with = "_x005F_"
		case c == '\r':
			if i+1 == len(s) || s[i+1] != '\n' {
				with = "\n"
			}
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if (r != utf8.RuneError || size > 1) && r != 0xFFFE && r != 0xFFFF {
				i += size
				continue
			}
		}
		b = append(append(b, s[from:i]...), with...)
		i += size
		from = i
	}
	return append(b, s[from:]...), cut
}

// escapeLike reports _xHHHH_, which Excel would read as a character.
func escapeLike(s string) bool {
	if len(s) < 7 || s[1] != 'x' && s[1] != 'X' || s[6] != '_' {
		return false
	}
	for _, c := range []byte(s[2:6]) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// units counts UTF-16 units.
func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// first returns the beginning of s of at most n UTF-16 units.
func first(s string, n int) string {
	for i, r := range s {
		if n--; r > 0xFFFF {
			n--
		}
		if n < 0 {
			return s[:i]
		}
	}
	return s
}
