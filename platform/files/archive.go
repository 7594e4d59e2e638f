package files

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/unpack"
)

// What unpacking a document may come to.
const (
	maxEntries   = 5000
	maxDirectory = 1 * MB // of the list of entries
	maxUnpacked  = 300 * MB
	maxNested    = 20 * MB // one document inside another
)

// compound begins the old office formats; a document with a password is kept in such a file too.
const compound = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// office checks that a zip is the promised document, without macros, and that unpacking it is harmless: every entry is
// unpacked here once, to nowhere.
func office(kind Kind, r io.ReaderAt, size int64) error {
	head := make([]byte, len(compound))
	if _, err := r.ReadAt(head, 0); err == nil && string(head) == compound {
		if locked, err := contains(r, size, utf16("EncryptedPackage")); err != nil || locked {
			return errors.Join(err, ErrEncrypted)
		}
		return ErrMismatch
	}
	part := map[Kind]string{DOCX: "word/document.xml", XLSX: "xl/workbook.xml"}[kind]
	var types, main bool
	u := unpacking{left: maxUnpacked}
	err := u.open(r, size, func(f *zip.File) error {
		n := strings.ToLower(f.Name)
		types = types || n == "[content_types].xml"
		main = main || n == part
		if strings.HasSuffix(n, "vbaproject.bin") {
			return ErrNotAllowed.With("文件中含有宏，请另存为不含宏的格式后再上传")
		}
		return nil
	})
	if err == nil && (!types || !main) {
		err = ErrMismatch
	}
	return err
}

// unpacking counts what a zip and the documents inside it come to.
type unpacking struct {
	left   int64
	nested bool
}

// open reads a zip to its end. look is asked about every entry before any is unpacked.
func (u *unpacking) open(r io.ReaderAt, size int64, look func(*zip.File) error) error {
	z, err := unpack.Open(r, size, maxDirectory)
	switch {
	case errors.Is(err, unpack.ErrCrowded):
		return ErrArchive.Wrap(err)
	case errors.Is(err, zip.ErrInsecurePath):
		return ErrArchiveBad.Wrap(err)
	case err != nil:
		if ended, _ := contains(r, size, []byte("PK\x05\x06")); ended { // a zip, of which something is not true
			return ErrArchiveBad.Wrap(err)
		}
		return ErrMismatch.Wrap(err)
	}
	if len(z.File) > maxEntries {
		return ErrArchive
	}
	var declared uint64
	type span struct{ from, to int64 }
	var spans []span
	for _, f := range z.File {
		if f.Flags&0x1 != 0 {
			return ErrEncrypted
		}
		if unsafeName(f.Name) || f.Mode()&^(fs.ModePerm|fs.ModeDir) != 0 {
			return ErrArchiveBad
		}
		// each size is capped before summing, so that lying headers cannot overflow
		if declared += min(f.UncompressedSize64, maxUnpacked+1); declared > uint64(u.left) { //nolint:gosec // left is never negative
			return ErrArchive
		}
		from, err := f.DataOffset()
		if err != nil {
			return ErrArchiveBad.Wrap(err)
		}
		if f.CompressedSize64 > uint64(size) { //nolint:gosec // size is a file's
			return ErrArchiveBad
		}
		spans = append(spans, span{from, from + int64(f.CompressedSize64)})
		if look != nil {
			if err := look(f); err != nil {
				return err
			}
		}
	}
	// Entries that share bytes are how a small file unpacks to a huge one.
	slices.SortFunc(spans, func(a, b span) int { return int(a.from - b.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return ErrArchiveBad
		}
	}
	for _, f := range z.File {
		if err := u.entry(f); err != nil {
			return err
		}
	}
	return nil
}

// entry unpacks one entry to nowhere, and looks into a document inside the document. Anything else packed inside, and
// what is packed a level deeper, is refused.
func (u *unpacking) entry(f *zip.File) error {
	c, err := f.Open()
	if err != nil {
		return ErrArchiveBad.Wrap(err)
	}
	defer c.Close()
	in := &limiter{r: c, left: u.left, err: ErrArchive}
	head := make([]byte, 8)
	n, err := io.ReadFull(in, head)
	head = head[:n]
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
		switch {
		case packed(head) == "zip":
			if u.nested || !embedded(f.Name) {
				return ErrArchiveBad.With("文件中含有压缩包，请去掉后再上传")
			}
			var inner bytes.Buffer
			inner.Write(head)
			if _, err = inner.ReadFrom(&limiter{r: in, left: maxNested, err: ErrArchive}); err == nil {
				deeper := unpacking{left: in.left, nested: true}
				if err = deeper.open(bytes.NewReader(inner.Bytes()), int64(inner.Len()), nil); err == nil {
					u.left = deeper.left
					return nil
				}
			}
		case packed(head) != "":
			return ErrArchiveBad.With("文件中含有压缩包，请去掉后再上传")
		default:
			_, err = io.Copy(io.Discard, in)
		}
	}
	u.left = in.left
	if err != nil && !errors.Is(err, ErrArchive) && !errors.Is(err, ErrArchiveBad) && !errors.Is(err, ErrEncrypted) {
		err = ErrArchiveBad.Wrap(err)
	}
	return err
}

// packed names the kind of archive that begins with head, "" when it is none.
func packed(head []byte) string {
	for magic, name := range map[string]string{"PK\x03\x04": "zip", "Rar!\x1a\x07": "rar", "7z\xbc\xaf\x27\x1c": "7z", "\x1f\x8b\x08": "gz", "\xfd7zXZ\x00": "xz", "BZh": "bz2"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return name
		}
	}
	return ""
}

// embedded reports that office programs put a whole document there, as a sheet inside a text.
func embedded(name string) bool {
	n := strings.ToLower(name)
	switch path.Ext(n) {
	case ".docx", ".xlsx", ".pptx":
		return strings.Contains(n, "/embeddings/")
	}
	return false
}

// unsafeName reports a name that would leave the folder it is unpacked into.
func unsafeName(n string) bool {
	return n == "" || strings.ContainsAny(n, "\\\x00:") || path.IsAbs(n) || slices.Contains(strings.Split(n, "/"), "..")
}

// contains reports whether word is anywhere in r.
func contains(r io.ReaderAt, size int64, word []byte) (bool, error) {
	const block = 256 << 10
	buf := make([]byte, block+len(word))
	for at := int64(0); at < size; at += block {
		n, err := r.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return false, err
		}
		if bytes.Contains(buf[:n], word) {
			return true, nil
		}
	}
	return false, nil
}

// utf16 writes ASCII as UTF-16, little end first.
func utf16(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}
