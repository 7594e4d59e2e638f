package files_test

import (
	"bytes"
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/secret"
)

func mustCipher(t *testing.T, suite secret.Suite) cipher.AEAD {
	t.Helper()
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	b, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: suite})
	if err != nil {
		t.Fatal(err)
	}
	c, err := secret.DataCipher(b.DataKey())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSealedFiles keeps files about the edges of a piece, reads them from every side, and finds nothing of them on disk.
func TestSealedFiles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, suite := range []secret.Suite{secret.GM, secret.Intl} {
		for _, size := range []int{1, 4096, 64<<10 - 1, 64 << 10, 64<<10 + 1, 3 * 64 << 10, 200_000} {
			t.Run(fmt.Sprintf("%s %d", suite, size), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				folder, err := files.OpenFolder(dir)
				if err != nil {
					t.Fatal(err)
				}
				c := mustCipher(t, suite)
				store := files.New(folder, files.Purposes()).Sealed(c)
				text := bytes.Repeat([]byte("13761528439,a\n"), size/14+1)[:size]
				in, err := store.Put(ctx, iotest.HalfReader(bytes.NewReader(text)), "名录.csv", "import")
				if err != nil || in.Size != int64(size) {
					t.Fatal(in.Size, err)
				}
				kept := readKept(t, dir)
				if bytes.Contains(kept, []byte("13761528439")) || len(kept) <= size {
					t.Error("the text is on disk")
				}
				o, err := store.Open(ctx, in.Key)
				if err != nil {
					t.Fatal(err)
				}
				defer o.Close()
				if err := iotest.TestReader(o, text); err != nil {
					t.Error(err)
				}
				for range 50 {
					off := rand.Int64N(int64(size))
					p := make([]byte, rand.IntN(size-int(off))+1)
					if n, err := o.ReadAt(p, off); n != len(p) || err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(p, text[off:off+int64(n)]) {
						t.Fatalf("at %d: %d of %d, %v", off, n, len(p), err)
					}
				}
				if _, err := files.New(folder, nil).Sealed(mustCipher(t, suite)).Open(ctx, in.Key); !errors.Is(err, files.ErrSealed) {
					t.Errorf("with another key: %v", err)
				}
			})
		}
	}
}

// TestSealedFilesAreWhole changes a kept file in the ways a thief or a bad disk could.
func TestSealedFilesAreWhole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const piece = 64<<10 + 16
	swap := func(b []byte) []byte {
		out := append([]byte{}, b...)
		copy(out, b[piece:2*piece])
		copy(out[piece:], b[:piece])
		return out
	}
	for name, change := range map[string]func([]byte) []byte{
		"a bit":              func(b []byte) []byte { b[100] ^= 1; return b },
		"cut within a piece": func(b []byte) []byte { return b[:len(b)-1] },
		"cut behind a piece": func(b []byte) []byte { return b[:2*piece] },
		"pieces exchanged":   swap,
		"a piece left out":   func(b []byte) []byte { return append(b[:piece:piece], b[2*piece:]...) },
		"a piece added":      func(b []byte) []byte { return append(b, b[:piece]...) },
		"nothing left":       func([]byte) []byte { return nil },
		"too short":          func(b []byte) []byte { return b[:5] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			folder, err := files.OpenFolder(dir)
			if err != nil {
				t.Fatal(err)
			}
			store := files.New(folder, files.Purposes()).Sealed(mustCipher(t, secret.GM))
			in, err := store.Put(ctx, strings.NewReader(strings.Repeat("a,b\n", 50_000)), "x.csv", "import")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, in.Key[:2], in.Key[2:4], in.Key)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			o, err := store.Open(ctx, in.Key)
			if err == nil {
				_, err = io.Copy(io.Discard, o)
				o.Close()
			}
			if !errors.Is(err, files.ErrSealed) {
				t.Errorf("read all the same: %v", err)
			}
		})
	}
}

func readKept(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
