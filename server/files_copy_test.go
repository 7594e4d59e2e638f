package server

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
)

// TestFilesCopyToS3 moves an installation from its folder to a real S3 server, as the handbook says: copy, switch, and
// everything is read from the store. It runs where TEST_S3_URL names one (make test-s3).
func TestFilesCopyToS3(t *testing.T) {
	url := os.Getenv("TEST_S3_URL")
	if url == "" {
		t.Skip("skipped: TEST_S3_URL names no S3 server; make test-s3 starts one")
	}
	t.Setenv("HUIQI_FILES__S3__ENDPOINT", url)
	t.Setenv("HUIQI_FILES__S3__BUCKET", "huiqi")
	t.Setenv("HUIQI_FILES__S3__KEY", "huiqi-test")
	t.Setenv("HUIQI_FILES__S3__SECRET", "a-secret-only-tests-know")
	t.Setenv("HUIQI_FILES__S3__PREFIX", "copy-"+filepath.Base(t.TempDir()))
	ctx := context.Background()
	dir := t.TempDir()
	demo := must(readDemo(dir))(t)
	open := func(storage string) *desk {
		db := must(database.Open(ctx, filepath.Join(dir, "huiqi.db")))(t)
		t.Cleanup(func() { _ = db.Close() })
		must(0, database.Migrate(ctx, db, Migrations()))(t)
		return deskOf(t, db, must(Load("", map[string]any{"data": dir, "demo": true, "requests_per_minute": 1_000_000, "files.storage": storage}))(t), demo.Key, nil)
	}
	run := func(args ...string) (string, int) {
		var out, errs bytes.Buffer
		code := Main(append(args, "--data", dir), &out, &errs)
		return out.String() + errs.String(), code
	}
	d := open("folder")
	d.session = owner(t, d.house, "13800138031")
	content := map[string][]byte{"a.txt": []byte("你好"), "b.pdf": pdfFile(strings.Repeat("x", 9<<20)), "c.docx": docx(t)}
	urls := map[string]string{}
	for name, b := range content {
		a := d.upload(name, b)
		if a.status != 201 {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		urls[name] = a.view.URL
	}
	if text, code := run("files", "copy", "--to", "s3"); code != 0 || !strings.Contains(text, "共处理 3 个，复制 3 个") {
		t.Fatalf("copy: %d %s", code, text)
	}
	if text, code := run("files", "copy", "--to", "s3", "--thorough"); code != 0 || !strings.Contains(text, "复制 0 个（0 MB），已有 3 个，异常 0 个") {
		t.Errorf("copied again: %d %s", code, text)
	}
	s := open("s3")
	s.session = d.session
	for name, url := range urls {
		if got := s.ask("GET", url, s.session, nil); got.status != 200 || !bytes.Equal(got.body, content[name]) {
			t.Errorf("%s from the store: %d, %d bytes", name, got.status, len(got.body))
		}
		if got := s.ask("GET", url, s.session, nil, "Range", "bytes=1-3"); got.status != 206 || !bytes.Equal(got.body, content[name][1:4]) {
			t.Errorf("a part of %s from the store: %d %q", name, got.status, got.body)
		}
	}
	if a := s.upload("d.txt", []byte("新的")); a.status != 201 {
		t.Errorf("an upload into the store: %d %s", a.status, a.body)
	} else if o, err := s.uploads.Store.Storage().Open(ctx, keyOfFile(t, s, a.view.ID)); err != nil {
		t.Error(err)
	} else if b := must(io.ReadAll(o))(t); string(b) != "新的" {
		t.Errorf("the store has %q", b)
	}
	if r := must(s.uploads.Check(ctx, access.SystemActor("test")))(t); r.Rows != 4 || r.Objects != 4 || r.Orphans != 0 || len(r.Missing) != 0 {
		t.Errorf("in the store: %+v", r)
	}
	if text, code := run("files", "copy", "--to", "folder"); code != 0 || !strings.Contains(text, "复制 1 个") {
		t.Errorf("back: %d %s", code, text)
	}
}

func keyOfFile(t *testing.T, d *desk, id int64) (key string) {
	t.Helper()
	must(0, d.db.Read().NewSelect().TableExpr("files").Column("key").Where("id = ?", id).Scan(context.Background(), &key))(t)
	return key
}
