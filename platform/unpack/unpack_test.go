package unpack_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/huiqi/huiqi/platform/unpack"
)

// full is a zip of n empty entries.
func full(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range n {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOpen(t *testing.T) {
	t.Parallel()
	small, long := full(t, 100), full(t, 70_000)
	// says that it has a few entries, the last of which begins just before the end
	lying := bytes.Clone(long)
	end := bytes.LastIndex(lying, []byte("PK\x05\x06"))
	binary.LittleEndian.PutUint16(lying[end+10:], 70_000-65_536)
	binary.LittleEndian.PutUint32(lying[end+12:], uint32(end-bytes.Index(lying, []byte("PK\x01\x02")))) // #nosec G115 -- small
	binary.LittleEndian.PutUint32(lying[end+16:], uint32(end-100))                                      // #nosec G115 -- small
	for _, c := range []struct {
		what  string
		in    []byte
		files int
		err   error
	}{
		{"a hundred", small, 100, nil},
		{"70,000", long, 0, unpack.ErrCrowded},
		{"70,000 that say they are 4,464", lying, 0, unpack.ErrCrowded},
		{"half of it", small[:len(small)/2], 0, zip.ErrFormat},
	} {
		z, err := unpack.Open(bytes.NewReader(c.in), int64(len(c.in)), 1<<20)
		if !errors.Is(err, c.err) || err == nil && len(z.File) != c.files {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	// what is in the entries is not counted
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	e, err := w.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = e.Write(make([]byte, 300<<10))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z, err := unpack.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), 100)
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, r); n != 300<<10 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
