package sheet

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/fault"
)

// The faults of a file that came from outside. All point at the field "file".
var (
	// ErrBad: the file is damaged, or holds what a table has no use for and an attacker has.
	ErrBad = fault.InvalidField("file", "SHEET_BAD", "表格文件已损坏或含有不安全的内容，请用 Excel 或 WPS 打开后另存为 .xlsx 再上传")
	// ErrOld: the format of Excel 97.
	ErrOld = fault.InvalidField("file", "SHEET_OLD_FORMAT", "这是旧版 Excel 文件（.xls），请打开后另存为“Excel 工作簿（.xlsx）”再上传")
	// ErrEncrypted: the file has a password.
	ErrEncrypted = fault.InvalidField("file", "FILE_ENCRYPTED", "文件设有打开密码，请取消密码后再上传")
	// ErrMacro: the file holds a program.
	ErrMacro = fault.InvalidField("file", "SHEET_MACRO", "文件中含有宏，请另存为不含宏的“Excel 工作簿（.xlsx）”再上传")
	// ErrEncoding: text in no encoding that is read here.
	ErrEncoding = fault.InvalidField("file", "SHEET_ENCODING", "文件编码无法识别，请另存为 UTF-8 编码的 CSV 或 .xlsx 再上传")
	// ErrEmpty: nothing to read.
	ErrEmpty = fault.InvalidField("file", "SHEET_EMPTY", "表格里没有数据，请检查后再上传")
)

// maxWide is how many columns of a file are read: no form here has more.
const maxWide = 200

// Value is what one cell says.
type Value struct {
	Text string
	// Lost says that a spreadsheet turned a long number into a floating one: its last digits are gone.
	Lost bool
	// Bad says that the cell shows an error (#REF!), or a formula without a result.
	Bad bool
}

// Row is one row with something in it.
type Row struct {
	Number int // as the spreadsheet shows it, from 1; of a CSV the line it begins in
	Cells  []Value
}

// Info is one sheet of a file.
type Info struct {
	Name   string
	Hidden bool
}

// Merge is cells joined into one: rows from 1, columns from 0, both ends in it.
type Merge struct{ FromRow, ToRow, FromColumn, ToColumn int }

// Book is an opened file. Its rows are read from it again with each call.
type Book struct {
	Sheets []Info
	rows   func(sheet int, fn func(Row) error) ([]Merge, error)
}

// Open looks at size bytes and refuses what is no table, old, encrypted, or dangerous. Nothing is kept of the rows yet.
func Open(r io.ReaderAt, size int64) (*Book, error) {
	head := make([]byte, min(size, 8))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case size == 0:
		return nil, ErrEmpty
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return openXLSX(r, size)
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return nil, compound(r, size)
	case bytes.HasPrefix(head, []byte("PK")), bytes.IndexByte(head, 0) >= 0 && !bytes.HasPrefix(head, []byte("\xff\xfe")) && !bytes.HasPrefix(head, []byte("\xfe\xff")):
		return nil, ErrBad
	}
	return openCSV(r, size)
}

// compound tells an encrypted workbook from an old one: both are OLE files, and the first has a stream of that name.
func compound(r io.ReaderAt, size int64) error {
	name := make([]byte, 0, 32)
	for _, c := range "EncryptedPackage" {
		name = append(name, byte(c), 0)
	}
	const block, overlap = 256 << 10, 64
	buf := make([]byte, block+overlap)
	for at := int64(0); at < size; at += block {
		n, err := r.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return err
		}
		if bytes.Contains(buf[:n], name) {
			return ErrEncrypted
		}
	}
	return ErrOld
}

// Rows reads the rows of a sheet that hold something, in order, and returns what is merged in it. It stops at fn's error.
func (b *Book) Rows(sheet int, fn func(Row) error) ([]Merge, error) {
	if sheet < 0 || sheet >= len(b.Sheets) {
		return nil, ErrBad
	}
	return b.rows(sheet, fn)
}

func (r Row) blank() bool {
	for _, c := range r.Cells {
		if c.Bad || strings.TrimSpace(c.Text) != "" {
			return false
		}
	}
	return true
}

// floating is a long number as a spreadsheet shows it: 1.1E+17.
var floating = regexp.MustCompile(`^\s*\d(\.\d+)?[Ee]\+?\d{2,}\s*$`)

// numeric is the text of a cell that holds the number written as raw.
func numeric(raw string) Value {
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return Value{Text: raw, Bad: true}
	}
	if n >= 1e15 || n <= -1e15 {
		return Value{Text: raw, Lost: true}
	}
	return Value{Text: strconv.FormatFloat(n, 'f', -1, 64)}
}

// day is the text of a cell that holds a day or moment as a number.
func day(raw string, base1904 bool) Value {
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || n < 0 || n >= 2958466 {
		return Value{Text: raw, Bad: true}
	}
	if base1904 {
		n += 1462
	}
	if n < 60 { // Excel's 1900 had a February 29th
		n++
	}
	at := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(int64(n*86400+0.5)) * time.Second)
	if at.Hour() == 0 && at.Minute() == 0 && at.Second() == 0 {
		return Value{Text: at.Format("2006-01-02")}
	}
	return Value{Text: at.Format("2006-01-02 15:04:05")}
}
