// Package unpack opens zip files that came from outside.
package unpack

import (
	"archive/zip"
	"errors"
	"io"
)

// ErrCrowded is the error of Open for a directory that is longer than it may be.
var ErrCrowded = errors.New("unpack: too many entries")

// tail is what is read of a zip to find its directory: up to 66 KB at its end, before them 1 KB, and the blocks of a long one.
const tail = 68 << 10

// Open reads the directory of a zip of size bytes and fails with ErrCrowded once that takes more than most bytes, whatever
// the zip says of how many entries it has and where they are: archive/zip counts as many as it finds, and each takes some
// hundred bytes of memory for forty-seven of the file.
func Open(r io.ReaderAt, size, most int64) (*zip.Reader, error) {
	m := &meter{r: r, left: most + tail}
	z, err := zip.NewReader(m, size)
	m.open = true
	return z, err
}

// meter counts what is read of the directory; what is read of the entries afterwards is theirs who unpack them.
type meter struct {
	r    io.ReaderAt
	left int64
	open bool
}

// ReadAt reads from the file.
func (m *meter) ReadAt(p []byte, off int64) (int, error) {
	if !m.open {
		if m.left -= int64(len(p)); m.left < 0 {
			return 0, ErrCrowded
		}
	}
	return m.r.ReadAt(p, off)
}
