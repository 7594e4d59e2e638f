package files_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
)

func keyOf(n int) string { return fmt.Sprintf("%032x", n*0x1000_0001) }

// TestStorage is what every storage must do.
func TestStorage(t *testing.T) {
	t.Parallel()
	for name, open := range storages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s := open(t)
			if err := s.Check(ctx); err != nil {
				t.Fatal(err)
			}
			list := func() (out []files.Info) {
				t.Helper()
				if err := s.Each(ctx, func(i files.Info) error { out = append(out, i); return nil }); err != nil {
					t.Fatal(err)
				}
				return out
			}
			content := bytes.Repeat([]byte("0123456789"), 1000)
			// a draft is seen by nobody, whether it is let go or goes on
			d, err := s.Draft(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Write(content[:5000]); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Open(ctx, keyOf(1)); !errors.Is(err, fault.ErrNotFound) || len(list()) != 0 {
				t.Errorf("a draft is seen: %v, %v", err, list())
			}
			part := make([]byte, 4)
			if _, err := d.ReadAt(part, 10); err != nil || string(part) != "0123" {
				t.Errorf("a draft reads %q, %v", part, err)
			}
			if _, err := d.Write(content[5000:]); err != nil {
				t.Fatal(err)
			}
			if err := d.Commit(ctx, keyOf(1)); err != nil {
				t.Fatal(err)
			}
			if err := d.Discard(); err != nil {
				t.Errorf("discard after commit: %v", err)
			}
			gone, err := s.Draft(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := gone.Write(content); err != nil {
				t.Fatal(err)
			}
			if err := gone.Discard(); err != nil {
				t.Fatal(err)
			}
			if got := list(); len(got) != 1 || got[0].Key != keyOf(1) || got[0].Size != int64(len(content)) || time.Since(got[0].Written).Abs() > time.Minute {
				t.Errorf("kept: %+v", got)
			}

			o, err := s.Open(ctx, keyOf(1))
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			if b, err := io.ReadAll(o); err != nil || !bytes.Equal(b, content) || o.Size() != int64(len(content)) {
				t.Errorf("read %d bytes, %v", len(b), err)
			}
			for _, c := range []struct{ at, n, want int64 }{{0, 1, 1}, {1, 9, 9}, {4321, 100, 100}, {9990, 10, 10}, {9990, 20, 10}, {10000, 5, 0}} {
				b := make([]byte, c.n)
				n, err := o.ReadAt(b, c.at)
				if int64(n) != c.want || (c.want == c.n) != (err == nil) || err != nil && err != io.EOF || !bytes.Equal(b[:n], content[c.at:c.at+c.want]) {
					t.Errorf("ReadAt(%d, %d): %d bytes, %v", c.at, c.n, n, err)
				}
			}
			if at, err := o.Seek(-7, io.SeekEnd); err != nil || at != 9993 {
				t.Errorf("Seek: %d, %v", at, err)
			}
			if b, err := io.ReadAll(o); err != nil || string(b) != "3456789" {
				t.Errorf("after Seek: %q, %v", b, err)
			}
			if _, err := o.Seek(-1, io.SeekStart); err == nil {
				t.Error("Seek before the beginning")
			}
			// reading goes on although the request that opened it has ended
			short, cancel := context.WithCancel(ctx)
			late, err := s.Open(short, keyOf(1))
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			if b, err := io.ReadAll(late); err != nil || len(b) != len(content) {
				t.Errorf("read after the request: %d, %v", len(b), err)
			}
			if err := late.Close(); err != nil {
				t.Error(err)
			}

			for _, key := range []string{"", "../../../etc/passwd", keyOf(2), strings.Repeat("A", 32), keyOf(1) + "0", keyOf(1)[:31] + "/"} {
				if _, err := s.Open(ctx, key); !errors.Is(err, fault.ErrNotFound) {
					t.Errorf("Open(%q): %v", key, err)
				}
			}
			if err := put(t, s, "../x", content); err == nil {
				t.Error("committed under a path")
			}
			if n, err := s.Sweep(ctx, time.Now().Add(-time.Hour)); n != 0 || err != nil {
				t.Errorf("swept %d young drafts, %v", n, err)
			}

			for n := 2; n < 8; n++ {
				if err := put(t, s, keyOf(9-n), []byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			got := list()
			if len(got) != 7 || !slices.IsSortedFunc(got, func(a, b files.Info) int { return strings.Compare(a.Key, b.Key) }) {
				t.Errorf("not all in order: %+v", got)
			}
			stop := errors.New("enough")
			n := 0
			if err := s.Each(ctx, func(files.Info) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
				t.Errorf("Each went on: %d, %v", n, err)
			}
			for range 2 {
				if err := s.Delete(ctx, keyOf(1)); err != nil {
					t.Error(err)
				}
			}
			if _, err := s.Open(ctx, keyOf(1)); !errors.Is(err, fault.ErrNotFound) {
				t.Errorf("deleted and there: %v", err)
			}
			if _, err := s.Sweep(ctx, time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			}
			if err := s.Check(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLargeInParts keeps a file larger than a part.
func TestLargeInParts(t *testing.T) {
	t.Parallel()
	for name, open := range storages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			content := make([]byte, 19*files.MB+7)
			for i := range content {
				content[i] = byte(i * 7 >> 3)
			}
			if err := put(t, s, keyOf(1), content); err != nil {
				t.Fatal(err)
			}
			o, err := s.Open(context.Background(), keyOf(1))
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			b := make([]byte, 100)
			if _, err := o.ReadAt(b, 8*files.MB-50); err != nil || !bytes.Equal(b, content[8*files.MB-50:8*files.MB+50]) {
				t.Errorf("across the parts: %v", err)
			}
			if all, err := io.ReadAll(o); err != nil || !bytes.Equal(all, content) {
				t.Errorf("%d bytes back, %v", len(all), err)
			}
		})
	}
}

// TestStoreFails: a store that is down, full or wrong keeps nothing, says so in words, and works again by itself.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	srv := newStore(t)
	s := openS3(t, srv.url)
	f := files.New(s, files.Purposes())
	kept, err := f.Put(ctx, strings.NewReader("你好"), "a.txt", "attachment")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
	}{
		"refuses":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "STORAGE_UNAVAILABLE"},
		"cuts the line": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "STORAGE_UNAVAILABLE"},
		"full": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInsufficientStorage)
			_, _ = w.Write([]byte(`<Error><Code>XMinioStorageFull</Code></Error>`))
		}, "STORAGE_FULL"},
	} {
		srv.breaks(c.answer)
		_, err := f.Put(ctx, strings.NewReader("你好"), "a.txt", "attachment")
		g, ok := fault.As(err)
		if !ok || g.Kind != fault.Unavailable || g.Code != c.code || g.RetryAfter == 0 || !strings.Contains(g.Message, "提交未保存") {
			t.Errorf("%s: put %v", what, err)
		}
		if _, err := f.Open(ctx, kept.Key); c.code == "STORAGE_UNAVAILABLE" && fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: open %v", what, err)
		}
		if err := s.Check(ctx); err == nil {
			t.Errorf("%s: the check passes", what)
		}
		srv.mends()
		if got := read(t, f, kept.Key); string(got) != "你好" {
			t.Errorf("%s: read afterwards %q", what, got)
		}
	}
	n := 0
	if err := s.Each(ctx, func(files.Info) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("%d files kept, %v", n, err)
	}
	// a store that changed its object under the reader gives no mixture
	o, err := s.Open(ctx, kept.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, kept.Key, []byte("other")); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(o); err == nil && string(b) != "你好" {
		t.Errorf("a mixture: %q", b)
	}
	for _, bad := range []string{"", "s3.example.gov.cn", "ftp://x", "https://x/path"} {
		if _, err := files.OpenS3(files.S3Options{Endpoint: bad, Bucket: "b", Key: "k", Secret: "s", Spool: t.TempDir()}); err == nil {
			t.Errorf("endpoint %q taken", bad)
		}
	}
	wrong, err := files.OpenS3(files.S3Options{Endpoint: srv.url, Bucket: s3Bucket, Key: s3Key, Secret: "wrong", Region: s3Region, Spool: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Check(ctx); err == nil {
		t.Error("a wrong secret passes")
	}
}

// TestUploadInPartsLeftBehind: what a killed process began in the store is given up by the sweep.
func TestUploadInPartsLeftBehind(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	srv := newStore(t)
	s := openS3(t, srv.url)
	if err := s.BeginParts(ctx, keyOf(3)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(ctx, time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("a young one: %d, %v", n, err)
	}
	if n, err := s.Sweep(ctx, time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("an old one: %d, %v", n, err)
	}
	if n, err := s.Sweep(ctx, time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}
