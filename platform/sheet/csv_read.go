package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// openCSV reads text in UTF-8 with or without its mark, or in GB 18030 as Excel saves it here, separated by comma,
// semicolon or tab, with any line ends.
func openCSV(r io.ReaderAt, size int64) (*Book, error) {
	head := make([]byte, min(size, 64<<10))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return nil, ErrEncoding.With("文件是 UTF-16 编码（“Unicode 文本”），请另存为“CSV UTF-8（逗号分隔）”或 .xlsx 再上传").On("file")
	}
	skip := int64(0)
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		skip = 3
	}
	utf, err := allUTF8(io.NewSectionReader(r, skip, size-skip))
	if err != nil {
		return nil, err
	}
	text := func() io.Reader {
		var in io.Reader = io.NewSectionReader(r, skip, size-skip)
		if !utf {
			in = transform.NewReader(in, simplifiedchinese.GB18030.NewDecoder())
		}
		return &lines{r: bufio.NewReaderSize(in, 64<<10)}
	}
	first := make([]byte, 64<<10)
	n, err := io.ReadFull(text(), first)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return nil, err
	}
	whole := n
	for n == len(first) && whole > n-utf8.UTFMax && !utf8.RuneStart(first[whole-1]) {
		whole--
	}
	if n == len(first) {
		whole-- // the last character may go on
	}
	if bytes.ContainsRune(first[:whole], utf8.RuneError) {
		return nil, ErrEncoding
	}
	if bytes.IndexByte(first[:n], 0) >= 0 {
		return nil, ErrBad
	}
	comma := separator(string(first[:n]))
	return &Book{Sheets: []Info{{Name: "数据"}}, rows: func(_ int, fn func(Row) error) ([]Merge, error) { return nil, readCSV(text(), comma, fn) }}, nil
}

func allUTF8(r io.Reader) (bool, error) {
	buf := make([]byte, 64<<10)
	rest := 0
	for {
		n, err := r.Read(buf[rest:])
		n += rest
		if err != nil && err != io.EOF {
			return false, err
		}
		end := n
		if err == nil { // a character may go on in the next block
			for i := 1; i <= min(3, n); i++ {
				if utf8.RuneStart(buf[n-i]) {
					if !utf8.FullRune(buf[n-i : n]) {
						end = n - i
					}
					break
				}
			}
		}
		if !utf8.Valid(buf[:end]) {
			return false, nil
		}
		if err == io.EOF {
			return true, nil
		}
		rest = copy(buf, buf[end:n])
	}
}

// lines makes every line end \n: \r\n, \r alone, and a mix.
type lines struct {
	r  *bufio.Reader
	cr bool
}

func (l *lines) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	out := p[:0]
	for _, c := range p[:n] {
		switch {
		case c == '\r':
			out = append(out, '\n')
		case c == '\n' && l.cr:
		default:
			out = append(out, c)
		}
		l.cr = c == '\r'
	}
	if len(out) == 0 && err == nil && n > 0 {
		return l.Read(p)
	}
	return len(out), err
}

// separator is what splits the first lines most evenly, outside quotes.
func separator(text string) rune {
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t'} {
		counts, quoted, n := []int{}, false, 0
		for _, r := range text {
			switch {
			case r == '"':
				quoted = !quoted
			case quoted:
			case r == c:
				n++
			case r == '\n':
				counts, n = append(counts, n), 0
			}
			if len(counts) == 20 {
				break
			}
		}
		if len(counts) == 0 {
			counts = append(counts, n)
		}
		same := map[int]int{}
		for _, k := range counts {
			if k > 0 {
				same[k]++
			}
		}
		for k, lines := range same {
			if score := lines*100 + min(k, 99); score > most {
				best, most = c, score
			}
		}
	}
	return best
}

func readCSV(in io.Reader, comma rune, fn func(Row) error) error {
	r := csv.NewReader(in)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = comma, true, -1, true
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return ErrBad.Wrap(err)
		}
		line, _ := r.FieldPos(0)
		if len(fields) > maxWide {
			return ErrBad.With("第 %d 行有 %d 列，超过 %d 列，请检查分隔符和引号", line, len(fields), maxWide).On("file")
		}
		row := Row{Number: line, Cells: make([]Value, len(fields))}
		for i, f := range fields {
			if len(f) > 4*MaxCell {
				return ErrBad.With("第 %d 行有一个单元格过长，请检查引号是否成对", line).On("file")
			}
			if strings.IndexByte(f, 0) >= 0 || strings.ContainsRune(f, utf8.RuneError) {
				return ErrEncoding.With("第 %d 行有无法识别的字符，请另存为 UTF-8 编码的 CSV 或 .xlsx 再上传", line).On("file")
			}
			row.Cells[i] = Value{Text: plain(f), Lost: floating.MatchString(f)}
		}
		if row.blank() {
			continue
		}
		if err := fn(row); err != nil {
			return err
		}
	}
}

// plain takes back the apostrophe that our own CSV puts before what looks like a formula.
func plain(s string) string {
	if len(s) > 1 && s[0] == '\'' {
		if r, _ := utf8.DecodeRuneInString(s[1:]); formula(r) || r >= '0' && r <= '9' {
			return s[1:]
		}
	}
	return s
}
