package file_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/jobs"
)

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fixture is a service with its folder, its queue and a scanner that says what it is told.
type fixture struct {
	*file.Service
	folder  *files.Folder
	dir     string
	scanner *scanner
	log     *bytes.Buffer
}

type scanner struct {
	virus string
	err   error
	asked int
}

func (s *scanner) Scan(_ context.Context, content io.Reader) (string, error) {
	s.asked++
	if s.err != nil {
		return "", s.err
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return "", err
	}
	return s.virus, nil
}

func newService(t *testing.T) *file.Service { return newFixture(t, false).Service }

func newFixture(t *testing.T, scans bool) *fixture {
	t.Helper()
	dir := t.TempDir()
	folder, err := files.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	f := &fixture{folder: folder, dir: dir, log: &bytes.Buffer{}}
	f.Service = &file.Service{
		DB:    databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, jobs.Migrations, file.Migrations)),
		Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(f.log, nil)), Store: files.New(folder, files.Purposes()),
		CanSee: func(_ context.Context, a access.Actor, object string, id int64) error {
			if object == "ticket" && id == 5 && a.UserID == 2 {
				return nil
			}
			return fault.ErrNotFound
		},
	}
	if scans {
		f.scanner = &scanner{}
		f.Scanner = f.scanner
	}
	w := jobs.NewWorkers()
	f.Work(w)
	q, err := jobs.New(context.Background(), f.DB, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	f.Use(q)
	return f
}

func TestSaveChecksContent(t *testing.T) {
	t.Parallel()
	s := newService(t)
	owner := access.Actor{UserID: 1, Party: access.Enterprise}
	cases := []struct {
		name, file string
		content    []byte
		code, kept string
	}{
		{"picture", "照片.png", picture(t), "", "照片.png"},
		{"path is dropped", "../../x/执照.png", picture(t), "", "执照.png"},
		{"windows path and controls", "C:\\x\\a\x00\u202eb.png", picture(t), "", "ab.png"},
		{"long name", strings.Repeat("长", 300) + ".png", picture(t), "", files.CleanName(strings.Repeat("长", 300) + ".png")},
		{"empty", "a.png", nil, "FILE_EMPTY", ""},
		{"50 MB", "a.pdf", append([]byte("%PDF-1.7"), make([]byte, 50<<20)...), "FILE_TOO_LARGE", ""},
		{"exe renamed", "a.jpg", []byte("MZ\x90\x00"), "TYPE_MISMATCH", ""},
		{"zip as docx", "a.docx", []byte("PK\x03\x04rest"), "TYPE_MISMATCH", ""},
		{"svg", "a.svg", []byte("<svg onload=alert(1)>"), "TYPE_NOT_ALLOWED", ""},
		{"html", "a.html", []byte("<script>"), "TYPE_NOT_ALLOWED", ""},
		{"cut picture", "a.png", picture(t)[:30], "IMAGE_BAD", ""},
	}
	for _, c := range cases {
		v, err := s.Save(context.Background(), owner, "attachment", c.file, bytes.NewReader(c.content))
		if c.code == "" {
			if err != nil || v.Name != c.kept {
				t.Errorf("%s: %q, %v", c.name, v.Name, err)
			}
			continue
		}
		if f, ok := fault.As(err); !ok || f.Code != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
}

func TestOnlyWhoSeesTheObjectReads(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newService(t)
	one, two, three := access.Actor{UserID: 1, Party: access.Enterprise}, access.Actor{UserID: 2, Party: access.Enterprise}, access.Actor{UserID: 3, Party: access.Enterprise}
	v, err := s.Save(ctx, one, "attachment", "a.png", bytes.NewReader(picture(t)))
	if err != nil {
		t.Fatal(err)
	}
	claim := func(a access.Actor) error {
		return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.Claim(ctx, tx, a, v.ID, "ticket", 5) })
	}
	if _, err := s.Read(ctx, two, v.ID); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("a stranger reads a loose file: %v", err)
	}
	if err := claim(two); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("a stranger ties it: %v", err)
	}
	if err := claim(one); err != nil {
		t.Fatal(err)
	}
	if err := claim(one); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("tied twice: %v", err)
	}
	d, err := s.Read(ctx, two, v.ID)
	if err != nil || !strings.HasPrefix(d.Disposition, "inline") || d.Tag == "" {
		t.Fatalf("who sees the ticket: %+v %v", d, err)
	}
	if got, err := io.ReadAll(d.Content); err != nil || int64(len(got)) != v.Size {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	d.Content.Close()
	if got, err := s.Get(ctx, two, v.ID); err != nil || got.State != "available" {
		t.Fatalf("state: %+v %v", got, err)
	}
	if _, err := s.Get(ctx, three, v.ID); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("a stranger learns the state: %v", err)
	}
	if _, err := s.Read(ctx, three, v.ID); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("who does not: %v", err)
	}
	if _, err := s.Read(ctx, three, v.ID+100); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("missing: %v", err)
	}
}
