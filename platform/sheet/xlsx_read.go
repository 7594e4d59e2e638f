package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/unpack"
)

// The bounds of what is unpacked. The tables of shared strings and of formats are kept, rows are not.
const (
	maxParts     = 1000
	maxDirectory = 1 << 20   // of the list of parts
	maxPart      = 256 << 20 // of one unpacked part
	maxStrings   = 32 << 20  // of all shared text
	maxTexts     = 1 << 20   // of shared texts
	maxToken     = 512 << 10 // of one piece of text or one tag: a full cell with every character escaped
)

// archive is an opened workbook.
type archive struct {
	parts   map[string]*zip.File
	sheets  []Info
	paths   []string // of each sheet's part
	strings texts
	dates   []bool // by number of cell format
	base    bool   // days counted from 1904
}

// openXLSX reads what the rows need to be understood. We read the format ourselves: the reader must not keep a sheet in
// memory, must know formulas, errors and lost digits from values, and must refuse what it does not need (decision 0017).
func openXLSX(r io.ReaderAt, size int64) (*Book, error) {
	z, err := unpack.Open(r, size, maxDirectory)
	if err != nil {
		return nil, ErrBad.Wrap(err)
	}
	if len(z.File) > maxParts {
		return nil, ErrBad.Wrap(fmt.Errorf("%d parts", len(z.File)))
	}
	a := &archive{parts: map[string]*zip.File{}}
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(f.Name, "/"))
		switch {
		case f.Flags&1 != 0:
			return nil, ErrEncrypted
		case strings.HasSuffix(name, "vbaproject.bin"), strings.Contains(name, "macrosheets/"):
			return nil, ErrMacro
		case strings.HasPrefix(name, "xl/externallinks/"):
			return nil, ErrBad.With("文件中含有指向其他文件的链接，请在 Excel 的“数据 - 编辑链接”中断开链接后再上传").On("file")
		case a.parts[name] != nil:
			return nil, ErrBad.Wrap(fmt.Errorf("part %s twice", name))
		}
		a.parts[name] = f
		if strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels") {
			if err := declares(f); err != nil {
				return nil, err
			}
		}
	}
	for _, read := range []func() error{a.workbook, a.styles, a.sharedStrings} {
		if err := read(); err != nil {
			return nil, bad(err)
		}
	}
	if len(a.sheets) == 0 {
		return nil, ErrEmpty
	}
	return &Book{Sheets: a.sheets, rows: a.rows}, nil
}

// bad makes every error of reading one a person can act on.
func bad(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	return ErrBad.Wrap(err)
}

// declares refuses a part that begins with a document type, whether it is read or not.
func declares(f *zip.File) error {
	in, err := f.Open()
	if err != nil {
		return ErrBad.Wrap(err)
	}
	defer in.Close()
	head := make([]byte, 1024)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return ErrBad.Wrap(err)
	}
	if h := bytes.ToUpper(head[:n]); bytes.Contains(h, []byte("<!DOCTYPE")) || bytes.Contains(h, []byte("<!ENTITY")) {
		return ErrBad.Wrap(fmt.Errorf("part %s declares a document type", f.Name))
	}
	return nil
}

// guard stands between a part and its parser: bounded length, no piece longer than maxToken, and no "<!" at all, so that
// there are no document types, entities, comments or CDATA.
type guard struct {
	r     io.Reader
	left  int64
	piece int
	open  bool // the last byte was <
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if g.left -= int64(n); g.left < 0 {
		return 0, errors.New("the part is too long")
	}
	for _, c := range p[:n] {
		if g.open && c == '!' {
			return 0, errors.New("declarations, comments and CDATA are not taken")
		}
		if g.open = c == '<'; g.open {
			g.piece = 0
		} else if g.piece++; g.piece > maxToken {
			return 0, errors.New("a piece is too long")
		}
	}
	return n, err
}

// part is a parser over one part; nil when it is not there.
func (a *archive) part(name string) (*xml.Decoder, io.Closer, error) {
	f := a.parts[strings.ToLower(name)]
	if f == nil {
		return nil, nil, nil
	}
	in, err := f.Open()
	if err != nil {
		return nil, nil, err
	}
	return xml.NewDecoder(bufio.NewReaderSize(&guard{r: in, left: maxPart}, 32<<10)), in, nil
}

// each calls fn with the start of every element of a part.
func (a *archive) each(name string, fn func(e xml.StartElement) error) error {
	d, in, err := a.part(name)
	if err != nil || d == nil {
		return err
	}
	defer in.Close()
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok {
			if err := fn(e); err != nil {
				return err
			}
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (a *archive) workbook() error {
	targets := map[string]string{}
	err := a.each("xl/_rels/workbook.xml.rels", func(e xml.StartElement) error {
		if e.Name.Local != "Relationship" {
			return nil
		}
		if attr(e, "TargetMode") == "External" {
			return ErrBad
		}
		target := attr(e, "Target")
		if strings.HasPrefix(target, "/") {
			target = strings.TrimPrefix(target, "/")
		} else {
			target = path.Join("xl", target)
		}
		targets[attr(e, "Id")] = target
		return nil
	})
	if err != nil {
		return err
	}
	return a.each("xl/workbook.xml", func(e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			a.base = attr(e, "date1904") == "1" || attr(e, "date1904") == "true"
		case "sheet":
			id := ""
			for _, at := range e.Attr {
				if at.Name.Local == "id" && at.Name.Space != "" {
					id = at.Value
				}
			}
			p, ok := targets[id]
			if !ok || a.parts[strings.ToLower(p)] == nil {
				return ErrBad.Wrap(fmt.Errorf("sheet %q has no part", attr(e, "name")))
			}
			if strings.Contains(p, "worksheets") {
				a.sheets = append(a.sheets, Info{Name: attr(e, "name"), Hidden: strings.HasPrefix(strings.ToLower(attr(e, "state")), "h") || strings.EqualFold(attr(e, "state"), "veryHidden")})
				a.paths = append(a.paths, p)
			}
			if len(a.sheets) > 100 {
				return ErrBad
			}
		}
		return nil
	})
}

// styles finds the cell formats that show a number as a day.
func (a *archive) styles() error {
	own, inside := map[int]bool{}, false
	return a.each("xl/styles.xml", func(e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			id, _ := strconv.Atoi(attr(e, "numFmtId"))
			own[id] = showsDay(attr(e, "formatCode"))
		case "cellXfs":
			inside = true
		case "cellStyles", "dxfs", "cellStyleXfs":
			inside = false
		case "xf":
			if inside {
				if len(a.dates) > 100_000 {
					return ErrBad
				}
				id, _ := strconv.Atoi(attr(e, "numFmtId"))
				day, known := own[id]
				a.dates = append(a.dates, known && day || !known && (id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 || id >= 50 && id <= 58))
			}
		}
		return nil
	})
}

// showsDay reads a format: letters of days outside quotes and brackets.
func showsDay(code string) bool {
	quoted, bracket := false, false
	for i, c := range strings.ToLower(code) {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case bracket:
		case c == 'y' || c == 'd' || c == 'h' || c == 's':
			if i == 0 || code[i-1] != '\\' {
				return true
			}
		}
	}
	return false
}

// texts are many texts in a few pieces of memory, none of which ever moves.
type texts struct {
	blocks [][]byte
	places [][]place // pagefuls
	count  int
	size   int
}

type place struct{ block, from, to uint32 }

const (
	block = 1 << 20 // the size of a piece: more than the longest text
	page  = 1 << 14 // places together
)

func (t *texts) add(s []byte) bool {
	n := len(t.blocks) - 1
	if n < 0 || len(t.blocks[n])+len(s) > block {
		t.blocks = append(t.blocks, make([]byte, 0, block))
		n++
	}
	from := len(t.blocks[n])
	t.blocks[n] = append(t.blocks[n], s...)
	if t.count%page == 0 {
		t.places = append(t.places, make([]place, 0, page))
	}
	last := &t.places[len(t.places)-1]
	*last = append(*last, place{uint32(n), uint32(from), uint32(from + len(s))})
	t.count++
	t.size += len(s)
	return t.size <= maxStrings && t.count <= maxTexts
}

func (t *texts) get(i int) (string, bool) {
	if i < 0 || i >= t.count {
		return "", false
	}
	p := t.places[i/page][i%page]
	return string(t.blocks[p.block][p.from:p.to]), true
}

func (a *archive) sharedStrings() error {
	d, in, err := a.part("xl/sharedStrings.xml")
	if err != nil || d == nil {
		return err
	}
	defer in.Close()
	var item []byte
	depth, phonetic := 0, false
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "si":
				item = item[:0]
			case "t":
				depth++
			case "rPh":
				phonetic = true
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "t":
				depth--
			case "rPh":
				phonetic = false
			case "si":
				if !a.strings.add(item) {
					return ErrBad.With("文件中的文字过多，请拆成几个文件后分别上传").On("file")
				}
			}
		case xml.CharData:
			if depth > 0 && !phonetic {
				if item = append(item, e...); len(item) > 4*MaxCell {
					return ErrBad
				}
			}
		}
	}
}

// unescape reads _x000D_ and its like as Excel does.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == '_' && escapeLike(s[i:]) {
			n, _ := strconv.ParseUint(s[i+2:i+6], 16, 32)
			if r := rune(n); utf8.ValidRune(r) && (r >= ' ' || r == '\n' || r == '\t') {
				b.WriteRune(r)
			}
			i += 7
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// cell is one cell while it is read.
type cell struct {
	column  int
	typ     string
	style   int
	formula bool
	text    []byte
}

func (a *archive) value(c cell) (Value, error) {
	s := string(c.text)
	if c.formula && s == "" {
		return Value{Bad: true}, nil
	}
	switch c.typ {
	case "s":
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return Value{}, err
		}
		shared, ok := a.strings.get(n)
		if !ok {
			return Value{}, fmt.Errorf("no shared text %d", n)
		}
		return typed(unescape(shared)), nil
	case "inlineStr", "str":
		return typed(unescape(s)), nil
	case "b":
		if s == "1" || s == "true" {
			return Value{Text: "是"}, nil
		}
		return Value{Text: "否"}, nil
	case "e":
		return Value{Text: s, Bad: true}, nil
	case "d":
		return Value{Text: strings.Replace(strings.TrimSuffix(s, "T00:00:00"), "T", " ", 1)}, nil
	}
	if s == "" {
		return Value{}, nil
	}
	if c.style < len(a.dates) && a.dates[c.style] {
		return day(s, a.base), nil
	}
	return numeric(s), nil
}

// typed is text in a cell; one that shows a floating number lost its digits before it became text.
func typed(s string) Value { return Value{Text: s, Lost: floating.MatchString(s)} }

func (a *archive) rows(sheet int, fn func(Row) error) ([]Merge, error) {
	merges, err := a.read(a.paths[sheet], fn)
	return merges, bad(err)
}

func (a *archive) read(name string, fn func(Row) error) ([]Merge, error) {
	d, in, err := a.part(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var (
		merges  []Merge
		row     Row
		last    int
		c       cell
		inside  bool // of a cell
		reading bool // of text in it
		ended   bool
		hushed  int // inside phonetic text
	)
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			if !ended {
				return nil, io.ErrUnexpectedEOF
			}
			return merges, nil
		}
		if err != nil {
			return nil, err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "row":
				n := last + 1
				if s := attr(e, "r"); s != "" {
					if n, err = strconv.Atoi(s); err != nil {
						return nil, err
					}
				}
				if n <= last || n > MaxRows {
					return nil, fmt.Errorf("row %d after %d", n, last)
				}
				last, row = n, Row{Number: n}
				c.column = -1
			case "c":
				at := c.column + 1
				if ref := attr(e, "r"); ref != "" {
					var r int
					if at, r, err = reference(ref); err != nil || r != row.Number {
						return nil, fmt.Errorf("cell %q in row %d", ref, row.Number)
					}
				}
				if at <= c.column && len(row.Cells) > 0 {
					return nil, fmt.Errorf("column %d twice in row %d", at, row.Number)
				}
				style, _ := strconv.Atoi(attr(e, "s"))
				c, inside = cell{column: at, typ: attr(e, "t"), style: max(style, 0), text: c.text[:0]}, true
			case "f":
				c.formula = inside
			case "v", "t":
				reading = inside
			case "rPh":
				hushed++
			case "mergeCell":
				m, err := merge(attr(e, "ref"))
				if err != nil {
					return nil, err
				}
				if m.FromRow <= 50 && len(merges) < 1000 {
					merges = append(merges, m)
				}
			}
		case xml.CharData:
			if reading && hushed == 0 {
				if c.text = append(c.text, e...); len(c.text) > 4*MaxCell {
					return nil, fmt.Errorf("a cell of row %d is too long", row.Number)
				}
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "v", "t":
				reading = false
			case "rPh":
				hushed--
			case "c":
				inside = false
				v, err := a.value(c)
				if err != nil {
					return nil, err
				}
				if v.Text == "" && !v.Bad {
					break
				}
				if c.column >= maxWide {
					return nil, ErrBad.With("第 %d 行的数据超过 %d 列，请删除右侧多余的列后再上传", row.Number, maxWide).On("file")
				}
				for len(row.Cells) <= c.column {
					row.Cells = append(row.Cells, Value{})
				}
				row.Cells[c.column] = v
			case "row":
				if !row.blank() {
					if err := fn(row); err != nil {
						return nil, err
					}
				}
			case "worksheet":
				ended = true
			}
		}
	}
}

// reference reads B12: column from 0, row from 1.
func reference(ref string) (column, row int, err error) {
	i := 0
	for ; i < len(ref) && i < 4 && (ref[i] >= 'A' && ref[i] <= 'Z' || ref[i] >= 'a' && ref[i] <= 'z'); i++ {
		column = column*26 + int(ref[i]&^0x20-'A') + 1
	}
	row, err = strconv.Atoi(ref[i:])
	if err != nil || i == 0 || column > MaxColumns || row < 1 || row > MaxRows {
		return 0, 0, fmt.Errorf("reference %q", ref)
	}
	return column - 1, row, nil
}

func merge(ref string) (Merge, error) {
	from, to, found := strings.Cut(ref, ":")
	if !found {
		to = from
	}
	c1, r1, err1 := reference(from)
	c2, r2, err2 := reference(to)
	return Merge{r1, r2, c1, c2}, errors.Join(err1, err2)
}

// Spread puts the text of merged cells into each of them, for a head that is written over several columns or rows.
func Spread(rows []Row, merges []Merge) []Row {
	out := slices.Clone(rows)
	for _, m := range merges {
		text := ""
		for _, r := range rows {
			if r.Number == m.FromRow && m.FromColumn < len(r.Cells) {
				text = r.Cells[m.FromColumn].Text
			}
		}
		if text == "" {
			continue
		}
		for i, r := range out {
			if r.Number < m.FromRow || r.Number > m.ToRow {
				continue
			}
			cells := slices.Clone(r.Cells)
			for c := m.FromColumn; c <= min(m.ToColumn, maxWide-1); c++ {
				for len(cells) <= c {
					cells = append(cells, Value{})
				}
				if cells[c].Text == "" {
					cells[c].Text = text
				}
			}
			out[i].Cells = cells
		}
	}
	return out
}
