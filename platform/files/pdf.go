package files

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
)

// activePDF is what makes a PDF more than a page. The two short names must be followed by a value, or compressed pictures
// would hit them by chance.
var activePDF = regexp.MustCompile(`/(JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToR|GoToE)\b|/(JS|AA)\s*[(<\d]|(?i)<script|<html`)

// lockedPDF is the trailer's pointer to how the file is encrypted.
var lockedPDF = regexp.MustCompile(`/Encrypt\s*(\d+\s+\d+\s+R|<<)`)

// pageMarkup is what a browser might take for a page.
var pageMarkup = regexp.MustCompile(`(?i)<(!doctype|html|head|body|script|svg|iframe)\b`)

// The bounds of looking into compressed parts.
const (
	maxStreams  = 2000
	maxInflated = 32 * MB
)

// pdf refuses what is also a page or locked, and flags what is more than pages.
func pdf(r io.ReaderAt, size int64, out *Stored) error {
	const block, overlap = 256 << 10, 64
	buf := make([]byte, block+overlap)
	last := int64(-1) // where the last %%EOF ends
	for at := int64(0); at < size; at += block {
		n, err := r.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return err
		}
		b := buf[:n]
		if at == 0 && pageMarkup.Match(b[:min(n, 1024)]) {
			return ErrMismatch
		}
		if i := bytes.LastIndex(b, []byte("%%EOF")); i >= 0 {
			last = at + int64(i) + 5
		}
		plain := unhex(b)
		if lockedPDF.Match(plain) {
			return ErrEncrypted
		}
		out.Active = out.Active || activePDF.Match(plain)
	}
	if last < 0 || size-last > 2048 {
		return ErrMismatch.With("PDF 文件不完整，请重新导出后再上传")
	}
	tail := make([]byte, size-last)
	if _, err := r.ReadAt(tail, last); err != nil && err != io.EOF {
		return err
	}
	if pageMarkup.Match(tail) || bytes.Contains(tail, []byte("PK\x05\x06")) {
		return ErrMismatch
	}
	if !out.Active {
		hidden, err := hiddenActive(r, size)
		if err != nil {
			return err
		}
		out.Active = hidden
	}
	return nil
}

var objectStream = regexp.MustCompile(`/ObjStm\b`)

// hiddenActive looks into compressed object streams, where since PDF 1.5 any dictionary may lie. One that cannot be read
// within the bounds counts as active: this flags, it does not vouch.
func hiddenActive(r io.ReaderAt, size int64) (bool, error) {
	const block, overlap = 256 << 10, 2048
	buf := make([]byte, block+overlap)
	left := int64(maxInflated)
	seen := 0
	for at := int64(0); at < size; at += block {
		n, err := r.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return false, err
		}
		b := unhex(buf[:n])
		if !objectStream.Match(b) {
			continue
		}
		b = buf[:n]
		for i := 0; ; {
			j := bytes.Index(b[i:], []byte("stream"))
			if j < 0 || i+j >= block {
				break
			}
			i += j + len("stream")
			head := unhex(b[max(0, i-1024):i])
			if k := bytes.LastIndex(head, []byte("obj")); k >= 0 {
				head = head[k:]
			}
			if !objectStream.Match(head) {
				continue
			}
			if seen++; seen > maxStreams {
				return true, nil
			}
			from := i
			for from < n && (b[from] == '\r' || b[from] == '\n') {
				from++
			}
			found, used := inflated(io.NewSectionReader(r, at+int64(from), size-at-int64(from)), left)
			if left -= used; found || left <= 0 {
				return true, nil
			}
		}
	}
	return false, nil
}

// inflated reports whether a deflated stream holds what is active, or cannot be read, and how many bytes it came to.
func inflated(r io.Reader, limit int64) (bool, int64) {
	z, err := zlib.NewReader(r)
	if err != nil {
		return true, 0
	}
	const overlap = 64
	buf := make([]byte, 0, 64<<10)
	var n int64
	for n < limit {
		m, err := io.ReadFull(z, buf[len(buf):cap(buf)])
		n += int64(m)
		buf = buf[:len(buf)+m]
		if activePDF.Match(unhex(buf)) {
			return true, n
		}
		if err != nil {
			return err != io.EOF && err != io.ErrUnexpectedEOF || badEnd(err, z), n
		}
		buf = buf[:copy(buf, buf[len(buf)-overlap:])]
	}
	return true, n
}

// badEnd tells a stream that ended from one that was cut: only the reader knows.
func badEnd(_ error, z io.Reader) bool {
	_, err := z.Read(make([]byte, 1))
	return err != io.EOF
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
