package clamav_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/huiqi/huiqi/integrations/clamav"
	"github.com/huiqi/huiqi/integrations/sandbox"
)

const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

func mustSandbox(t *testing.T) (*sandbox.Server, *clamav.Client) {
	t.Helper()
	s, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0", ClamdListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = s.Close()
	})
	at, err := s.ClamdAddress(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c, err := clamav.New("tcp://" + at)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestScan(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	_, c := mustSandbox(t)
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Version(ctx); err != nil || !strings.HasPrefix(v, "ClamAV ") {
		t.Errorf("version %q, %v", v, err)
	}
	var doc bytes.Buffer
	z := zip.NewWriter(&doc)
	w, err := z.Create("word/document.xml")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(strings.Repeat(" ", 1000) + eicar))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for what, x := range map[string]struct {
		content []byte
		virus   string
	}{
		"nothing":         {nil, ""},
		"a text":          {[]byte("你好"), ""},
		"the test file":   {[]byte(eicar), "Eicar-Test-Signature"},
		"across chunks":   {append(bytes.Repeat([]byte{'x'}, 64<<10-10), eicar...), "Eicar-Test-Signature"},
		"in a document":   {doc.Bytes(), "Eicar-Test-Signature"},
		"exactly a chunk": {make([]byte, 64<<10), ""},
		"20 MB":           {make([]byte, 20<<20), ""},
	} {
		virus, err := c.Scan(ctx, iotest.HalfReader(bytes.NewReader(x.content)))
		if err != nil || virus != x.virus {
			t.Errorf("%s: %q, %v", what, virus, err)
		}
	}
	if _, err := c.Scan(ctx, bytes.NewReader(make([]byte, 26<<20))); !errors.Is(err, clamav.ErrTooLarge) {
		t.Errorf("over StreamMaxLength: %v", err)
	}
	own := errors.New("the disk")
	if _, err := c.Scan(ctx, io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(own))); !errors.Is(err, own) {
		t.Errorf("content that cannot be read: %v", err)
	}
}

// No failure of clamd is ever taken for a verdict.
func TestNoVerdict(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, c := mustSandbox(t)
	for _, mode := range []sandbox.Mode{sandbox.Fail, sandbox.Refuse, sandbox.Reset, sandbox.Lost, sandbox.Garbage} {
		if err := s.SetFault(ctx, sandbox.Fault{Target: "clamd", Mode: mode, Count: 1}); err != nil {
			t.Fatal(err)
		}
		if virus, err := c.Scan(ctx, strings.NewReader("你好")); err == nil {
			t.Errorf("%s: passed, %q", mode, virus)
		}
		if _, err := c.Scan(ctx, strings.NewReader("你好")); err != nil {
			t.Errorf("after %s: %v", mode, err)
		}
	}
	if err := s.SetFault(ctx, sandbox.Fault{Target: "clamd", Mode: sandbox.Slow, Count: 1, DelayMS: 60_000}); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := c.Scan(short, strings.NewReader("你好")); err == nil {
		t.Error("a scanner that is too slow passes")
	}
	gone, err := clamav.New("unix://" + filepath.Join(t.TempDir(), "none"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Scan(ctx, strings.NewReader("x")); err == nil {
		t.Error("no scanner passes")
	}
	if err := gone.Ping(ctx); err == nil {
		t.Error("no scanner answers")
	}
	// a line that closes without an answer
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	mute, err := clamav.New("tcp://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mute.Scan(ctx, strings.NewReader("x")); err == nil {
		t.Error("silence passes")
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "127.0.0.1:3310", "tcp://", "tcp://host", "udp://127.0.0.1:3310", "unix://"} {
		if _, err := clamav.New(bad); err == nil {
			t.Errorf("%q taken", bad)
		}
	}
}
