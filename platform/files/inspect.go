package files

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// extension returns the kind the name's last extension promises, "" when it is none of ours.
func extension(name string) Kind {
	e := Kind(strings.ToLower(strings.TrimPrefix(path.Ext(name), ".")))
	if e == "jpeg" || e == "jfif" {
		return JPEG
	}
	if _, ok := mimes[e]; ok {
		return e
	}
	return ""
}

// looksLike holds the first bytes against kind.
func looksLike(kind Kind, head []byte) bool {
	has := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch kind {
	case JPEG:
		return has("\xff\xd8\xff")
	case PNG:
		return has("\x89PNG\r\n\x1a\n")
	case WebP:
		return has("RIFF") && len(head) >= 12 && string(head[8:12]) == "WEBP"
	case PDF:
		return has("%PDF-")
	case DOCX, XLSX:
		return has("PK\x03\x04")
	}
	return !markup.Match(head) && !has("%PDF-") && !has("{\\rtf") && clean(head)
}

// markup is text a browser might take for a page.
var markup = regexp.MustCompile(`(?i)^(\xef\xbb\xbf)?\s*(<!doctype|<html|<head|<body|<script|<svg|<\?xml|<!--)`)

// clean reports that bytes hold no control characters a text file has no use for.
func clean(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' {
			return false
		}
	}
	return true
}

const (
	maxEntries  = 5000
	maxUnpacked = 300 * MB
)

// inspect looks at the whole of a kept draft of size bytes.
func inspect(kind Kind, r io.ReaderAt, size int64, out *Stored) error {
	switch kind {
	case DOCX, XLSX:
		return office(kind, r, size)
	case PDF:
		return pdf(r, size, out)
	}
	return plain(r, size)
}

// office checks that a zip is the promised document, without macros, and that unpacking it is harmless.
func office(kind Kind, r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return ErrMismatch.Wrap(err)
	}
	if len(z.File) > maxEntries {
		return ErrArchive
	}
	part := map[Kind]string{DOCX: "word/document.xml", XLSX: "xl/workbook.xml"}[kind]
	var types, main bool
	var unpacked uint64
	for _, f := range z.File {
		n := strings.ToLower(f.Name)
		types = types || n == "[content_types].xml"
		main = main || n == part
		if strings.HasSuffix(n, "vbaproject.bin") {
			return ErrNotAllowed.With("文件中含有宏，请另存为不含宏的格式后再上传")
		}
		// each size is capped before summing, so that lying headers cannot overflow
		if unpacked += min(f.UncompressedSize64, maxUnpacked+1); unpacked > maxUnpacked {
			return ErrArchive
		}
	}
	if !types || !main {
		return ErrMismatch
	}
	return nil
}

// activePDF is what makes a PDF more than a page. The two short names must be followed by a value, or compressed pictures
// would hit them by chance. Names inside compressed object streams stay unseen: this flags, it does not vouch.
var activePDF = regexp.MustCompile(`/(JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToR|GoToE|Encrypt)\b|/(JS|AA)\s*[(<\d]|(?i)<script|<html`)

func pdf(r io.ReaderAt, size int64, out *Stored) error {
	const block, overlap = 256 << 10, 64
	buf := make([]byte, block+overlap)
	for at := int64(0); at < size; at += block {
		n, err := r.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return err
		}
		if activePDF.Match(unhex(buf[:n])) {
			out.Active = true
			break
		}
	}
	tail := make([]byte, min(size, 2048))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return err
	}
	if !bytes.Contains(tail, []byte("%%EOF")) {
		return ErrMismatch.With("PDF 文件不完整，请重新导出后再上传")
	}
	return nil
}

var hexName = regexp.MustCompile(`#[0-9A-Fa-f]{2}`)

// unhex undoes #4A escapes in PDF names, by which /JavaScript is hidden.
func unhex(b []byte) []byte {
	if bytes.IndexByte(b, '#') < 0 {
		return b
	}
	return hexName.ReplaceAllFunc(b, func(m []byte) []byte {
		digit := func(c byte) byte {
			switch {
			case c <= '9':
				return c - '0'
			case c <= 'F':
				return c - 'A' + 10
			}
			return c - 'a' + 10
		}
		return []byte{digit(m[1])<<4 | digit(m[2])}
	})
}

// plain checks that all of a text file is text, in UTF-8 or GB 18030.
func plain(r io.ReaderAt, size int64) error {
	all, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		return err
	}
	if !clean(all) {
		return ErrMismatch
	}
	if utf8.Valid(all) {
		return nil
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(all)
	if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) {
		return ErrMismatch.With("文件编码无法识别，请另存为 UTF-8 后再上传")
	}
	return nil
}
