//go:build linux && !race

package server

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// broken has the kernel answer EIO to the named calls of the running server on the named files, or on all, until the function
// it returns is called: what a dying disk does. strace stands between the two.
func (k *killed) broken(calls string, paths ...string) (mend func()) {
	k.t.Helper()
	args := []string{"-f", "-o", "/dev/null", "-e", "trace=" + calls, "-e", "inject=" + calls + ":error=EIO", "-p", strconv.Itoa(k.cmd.Process.Pid)}
	for _, p := range paths {
		args = append(args, "-P", p)
	}
	cmd := exec.Command("strace", args...)
	said := must(cmd.StderrPipe())(k.t)
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for attached := false; !attached; {
		if !lines.Scan() {
			_ = cmd.Wait()
			k.t.Skip("skipped: strace may not attach to a process here")
		}
		attached = strings.Contains(lines.Text(), "attached")
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	return func() {
		k.t.Helper()
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			k.t.Error(err)
		}
		_ = cmd.Wait()
	}
}

// problem asks as the person does and returns the status, the code and the sentence of what was refused.
func (k *killed) problem(method, path, kind string, body io.Reader) (status int, code, detail string, raw []byte) {
	k.t.Helper()
	req := must(http.NewRequest(method, k.base+path, body))(k.t)
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-CSRF-Token", k.csrf)
	req.Header.Set("Cookie", "__Host-huiqi-visitor="+k.visitor+"; __Host-huiqi="+k.session)
	res, err := k.client.Do(req)
	if err != nil {
		return 0, "", err.Error(), nil
	}
	defer res.Body.Close()
	if raw, err = io.ReadAll(res.Body); err != nil {
		return 0, "", err.Error(), nil // cut in the midst of it
	}
	var p struct{ Code, Detail string }
	_ = json.Unmarshal(raw, &p)
	return res.StatusCode, p.Code, p.Detail, raw
}

func (k *killed) ticket(title string) (int, string, string) {
	k.t.Helper()
	in := must(json.Marshal(map[string]any{"type": k.kind, "title": title, "body": "门前路灯坏了三天", "source": "h5"}))(k.t)
	status, code, detail, _ := k.problem("POST", "/api/tickets", "application/json", bytes.NewReader(in))
	return status, code, detail
}

func (k *killed) send(name string, content []byte) (int, string, string, string) {
	k.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	must(must(w.CreateFormFile("file", name))(k.t).Write(content))(k.t)
	must(0, w.Close())(k.t)
	status, code, detail, raw := k.problem("POST", "/api/files", w.FormDataContentType(), &form)
	var v struct{ URL string }
	_ = json.Unmarshal(raw, &v)
	return status, code, detail, v.URL
}

// TestDiskErrors is F-08 for a disk that answers EIO: to what is written or made durable in the database, to what is read of it,
// and to files. People are told, nothing that was acknowledged is lost, and when the disk answers again all goes on without a
// restart.
func TestDiskErrors(t *testing.T) {
	if os.Getenv("TEST_DATABASE_URL") != "" {
		t.Skip("skipped: PostgreSQL's own disk is not ours")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("skipped: without strace no disk error can be had")
	}
	t.Parallel()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	addr := l.Addr().String()
	l.Close()
	k := &killed{t: t, base: "http://" + addr, addr: addr, client: &http.Client{Timeout: time.Minute}}
	k.settle()
	k.start()
	defer func() { k.stop() }()
	k.register("13800138098")
	database := must(filepath.EvalSymlinks(filepath.Join(k.dir, "huiqi.db")))(t)
	acknowledged := []string{}
	takes := func(title string) {
		t.Helper()
		if status, code, detail := k.ticket(title); status >= 300 || status == 0 {
			t.Fatalf("%s: %d %s %s", title, status, code, detail)
		}
		acknowledged = append(acknowledged, title)
	}
	takes("坏盘之前")
	status, code, detail, stored := k.send("说明.txt", bytes.Repeat([]byte("门前路灯坏了三天。\n"), 20_000))
	if status != 201 {
		t.Fatalf("%d %s %s", status, code, detail)
	}
	reads := func(what string, paths ...string) {
		t.Helper()
		for _, path := range append(paths, "/readyz", "/api/session", "/api/tickets", "/tickets") {
			if status, code, detail, _ := k.problem("GET", path, "", nil); status != 200 {
				t.Errorf("%s: GET %s: %d %s %s", what, path, status, code, detail)
			}
		}
	}
	for _, calls := range []string{"pwrite64,write,ftruncate,fallocate", "fsync,fdatasync"} {
		mend := k.broken(calls, database, database+"-wal")
		for i := range 3 {
			status, code, detail := k.ticket(fmt.Sprintf("坏盘 %s %d", calls, i))
			if status != 503 || code != "STORAGE_UNAVAILABLE" || detail != "存储暂时不可用，提交未保存，请稍后重试" {
				t.Errorf("%s: %d %s %s", calls, status, code, detail)
			}
		}
		reads(calls, stored)
		mend()
		takes("好盘 " + calls)
	}

	mend := k.broken("fsync,fdatasync")
	for range 2 {
		if status, code, detail, _ := k.send("图.txt", []byte("这一份没有存下来")); status != 503 || code != "STORAGE_UNAVAILABLE" || !strings.Contains(detail, "提交未保存") {
			t.Errorf("an upload: %d %s %s", status, code, detail)
		}
	}
	mend()
	if status, code, detail, _ := k.send("图.txt", []byte("这一份存下来了")); status != 201 {
		t.Errorf("an upload on a disk that answers again: %d %s %s", status, code, detail)
	}

	file := ""
	must(0, filepath.WalkDir(filepath.Join(k.dir, "files"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil && info.Size() > 100_000 {
				file = must(filepath.EvalSymlinks(path))(t)
			}
		}
		return err
	}))(t)
	if file == "" {
		t.Fatal("the file is not in its folder")
	}
	whole := func() (int, bool) {
		t.Helper()
		status, code, detail, raw := k.problem("GET", stored, "", nil)
		if status >= 500 && (code != "STORAGE_UNAVAILABLE" || detail == "") {
			t.Errorf("a file that cannot be read: %d %s %s", status, code, detail)
		}
		return status, status == 200 && bytes.HasSuffix(raw, []byte("坏了三天。\n"))
	}
	mend = k.broken("read,pread64,sendfile,copy_file_range,splice", file)
	if status, ok := whole(); ok {
		t.Errorf("a file that cannot be read is given out: %d", status)
	}
	reads("a file cannot be read")
	mend()
	if status, ok := whole(); !ok {
		t.Errorf("a file that can be read again: %d", status)
	}

	mend = k.broken("read,pread64", database, database+"-wal")
	failed := 0
	for i := range 40 { // what is in memory is answered
		status, code, detail, raw := k.problem("GET", []string{"/api/tickets?limit=100", "/products", "/policies", "/news", "/api/messages", "/search?q=%E8%B4%B7%E6%AC%BE"}[i%6], "", nil)
		switch {
		case status == 503 && (code == "STORAGE_UNAVAILABLE" || strings.Contains(string(raw), "存储暂时不可用")):
			failed++
		case status != 200:
			t.Errorf("a database that cannot be read: %d %s %s %.300s", status, code, detail, raw)
		}
	}
	mend()
	if failed == 0 {
		t.Error("no page needed the disk: the test proves nothing about reading")
	}
	reads("a disk that answers again", stored, "/products", "/policies")
	takes("又都好了")

	db := k.open()
	var word string
	must(0, db.QueryRow("PRAGMA integrity_check").Scan(&word))(t)
	if word != "ok" {
		t.Errorf("the database: %s", word)
	}
	n := 0
	must(0, db.QueryRow("SELECT count(*) FROM tickets WHERE title LIKE '坏盘 %'").Scan(&n))(t)
	if n != 0 {
		t.Errorf("%d tickets of which people were told that they were not saved", n)
	}
	for _, title := range acknowledged {
		if must(0, db.QueryRow("SELECT count(*) FROM tickets WHERE title = ?", title).Scan(&n))(t); n != 1 {
			t.Errorf("%s was acknowledged and is there %d times", title, n)
		}
	}
	k.stop()
	k.start()
	reads("after a restart", stored)
}
