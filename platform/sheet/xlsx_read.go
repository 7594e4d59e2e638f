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
	"strconv"
	"strings"

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
