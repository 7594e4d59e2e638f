package files

import (
	"bytes"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
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
		return has("PK\x03\x04") || has(compound)
	}
	return !markup.Match(head) && !has("%PDF-") && !has("{\\rtf") && clean(head)
}

// markup is text a browser might take for a page.
var markup = regexp.MustCompile(`(?i)^\x{FEFF}?\s*(<!doctype|<html|<head|<body|<script|<svg|<\?xml|<!--)`)

// clean reports that bytes hold no control characters a text file has no use for.
func clean(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' {
			return false
		}
	}
	return true
}

// plain checks that all of a text file is text, in UTF-8 or GB 18030.
func plain(r io.ReaderAt, size int64) error {
	utf, err := valid(io.NewSectionReader(r, 0, size), true)
	if err != nil || utf {
		return err
	}
	gb, err := valid(transform.NewReader(io.NewSectionReader(r, 0, size), simplifiedchinese.GB18030.NewDecoder()), false)
	if err == nil && !gb {
		err = ErrMismatch.With("文件编码无法识别，请另存为 UTF-8 后再上传")
	}
	return err
}

// valid reads all of r and reports whether it is UTF-8 without replacement characters that a decoder put there. With raw
// it also refuses control characters.
func valid(r io.Reader, raw bool) (bool, error) {
	buf := make([]byte, 0, 32<<10)
	utf := true
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		fresh := buf[len(buf) : len(buf)+n]
		if raw && !clean(fresh) {
			return false, ErrMismatch
		}
		if !raw && bytes.ContainsRune(fresh, utf8.RuneError) {
			return false, nil
		}
		buf = buf[:len(buf)+n]
		at := len(buf) // keep a character cut at the end for the next round
		if err != io.EOF {
			for back := 1; back < utf8.UTFMax && back <= len(buf); back++ {
				if c := buf[len(buf)-back]; utf8.RuneStart(c) {
					if !utf8.FullRune(buf[len(buf)-back:]) {
						at = len(buf) - back
					}
					break
				}
			}
		}
		utf = utf && utf8.Valid(buf[:at])
		if !utf && !raw {
			return false, nil
		}
		buf = buf[:copy(buf[:cap(buf)], buf[at:])]
		if err == io.EOF {
			return utf, nil
		}
		if err != nil {
			return false, err
		}
	}
}
