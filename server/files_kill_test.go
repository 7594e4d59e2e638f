//go:build !race && linux

package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// newRegistered starts a server to kill, with one person registered.
func newRegistered(t *testing.T) *killed {
	t.Helper()
	k := newKilled(t)
	k.register("13800138099")
	return k
}

// upload sends a text of its own; false means that no answer came.
func (k *killed) upload(name, content string) (id int64, status int, ok bool) {
	kind, b := k.form(name, content)
	req, err := http.NewRequestWithContext(context.Background(), "POST", k.base+"/api/files", b)
	if err != nil {
		k.t.Error(err)
		return 0, 0, false
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-CSRF-Token", k.csrf)
	req.Header.Set("Cookie", "__Host-huiqi-visitor="+k.visitor+"; __Host-huiqi="+k.session)
	res, err := k.client.Do(req)
	if err != nil {
		return 0, 0, false
	}
	defer res.Body.Close()
	var out struct {
		ID int64 `json:"id"`
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, 0, false
	}
	if res.StatusCode == 201 && json.Unmarshal(raw, &out) != nil {
		return 0, 0, false
	}
	return out.ID, res.StatusCode, true
}

func (k *killed) form(name, content string) (string, io.Reader) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		k.t.Error(err)
	}
	return w.FormDataContentType(), &b
}

// command runs the program as an administrator does and returns what it says.
func (k *killed) command(args ...string) (string, int) {
	k.t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--data", k.dir)
	if k.database != "" {
		args = append(args, "--database", k.database)
	}
	code := Main(args, &out, &errs)
	return out.String() + errs.String(), code
}

// TestKilledWhileUploading is the part of F-01 that is about files: the server is killed without warning while people
// upload and hand in. Every upload that was acknowledged is there, byte by byte, and tied where its ticket was
// acknowledged; once swept there is no content without a row, and no row without its content at any time.
func TestKilledWhileUploading(t *testing.T) {
	t.Parallel()
	k := newRegistered(t)
	type sent struct {
		content string
		ticket  int64
	}
	acked := map[int64]sent{}
	var mu sync.Mutex
	n := max(rounds(t)/2, 4)
	for round := range n {
		stop, first := make(chan struct{}), make(chan struct{}, 1)
		var wg sync.WaitGroup
		for worker := range 6 {
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					content := fmt.Sprintf("第 %d 轮第 %d 人第 %d 份", round, worker, i) + strings.Repeat("。", 20_000*(worker+1))
					id, status, ok := k.upload(fmt.Sprintf("%d-%d-%d.txt", round, worker, i), content)
					if !ok {
						return
					}
					if status != 201 {
						t.Errorf("upload: %d", status)
						return
					}
					mu.Lock()
					acked[id] = sent{content: content}
					mu.Unlock()
					var out struct {
						ID int64 `json:"id"`
					}
					title := fmt.Sprintf("带附件 %d-%d-%d", round, worker, i)
					if status, ok := k.call("POST", "/api/tickets", title, map[string]any{"type": k.kind, "title": title, "body": "见附件中的照片和说明", "source": "h5", "fileIds": []int64{id}}, &out); !ok || status >= 300 {
						return
					}
					mu.Lock()
					acked[id] = sent{content, out.ID}
					mu.Unlock()
					underWay(first)
				}
			})
		}
		soon(first)
		k.stop()
		close(stop)
		wg.Wait()
		if text, code := k.command("files", "check"); code != 0 {
			t.Fatalf("round %d: a row without its content: %s", round, text)
		}
		k.start()
	}
	k.stop()
	if text, code := k.command("files", "sweep", "--older-than", "0s"); code != 0 || !strings.Contains(text, "缺失内容的文件 0 个") {
		t.Errorf("sweep: %d %s", code, text)
	} else {
		t.Log(strings.TrimSpace(text))
	}
	if text, code := k.command("files", "check"); code != 0 || !strings.Contains(text, "无主内容 0 份") {
		t.Errorf("after the sweep: %d %s", code, text)
	}
	if half := must(os.ReadDir(filepath.Join(k.dir, "files", "drafts")))(t); len(half) != 0 {
		t.Errorf("%d half files are left", len(half))
	}
	db := k.open()
	tied := 0
	for id, s := range acked {
		var key, sum string
		var object int64
		if err := db.QueryRow("SELECT key, sha256, object_id FROM files WHERE id = ?", id).Scan(&key, &sum, &object); err != nil {
			t.Errorf("file %d was acknowledged and is lost: %v", id, err)
			continue
		}
		b, err := os.ReadFile(filepath.Join(k.dir, "files", key[:2], key[2:4], key))
		want := sha256.Sum256([]byte(s.content))
		if err != nil || string(b) != s.content || sum != hex.EncodeToString(want[:]) {
			t.Errorf("file %d is not what was sent: %d bytes, %v", id, len(b), err)
		}
		if s.ticket != 0 {
			tied++
			if object != s.ticket {
				t.Errorf("file %d is tied to %d, not to ticket %d", id, object, s.ticket)
			}
		}
	}
	if len(acked) < n || tied == 0 {
		t.Errorf("only %d uploads and %d tickets in %d rounds: the test proves little", len(acked), tied, n)
	}
	t.Logf("%d uploads acknowledged, %d handed in, over %d kills", len(acked), tied, n)
}

// TestNoFilesLeftToOpen is the part of F-08 about a process that may open no more files: who is connected is served, new
// connections wait, and all goes on by itself once some are closed.
func TestNoFilesLeftToOpen(t *testing.T) {
	t.Parallel()
	k := newRegistered(t)
	k.stop()
	// the limit of the server alone, not of the test
	self := must(os.Executable())(t)
	k.cmd = exec.Command("sh", "-c", `ulimit -n 120; exec "$0" "$@"`, self, "serve", "--demo", "--data", k.dir, "--listen", k.addr, "--public-url", k.base)
	k.cmd.Env = append(os.Environ(), asServer+"=1")
	must(0, k.cmd.Start())(t)
	k.ready()
	if id, status, ok := k.upload("之前.txt", "之前"); !ok || status != 201 || id == 0 {
		t.Fatalf("before: %d", status)
	}
	var idle []net.Conn
	defer func() {
		for _, c := range idle {
			_ = c.Close()
		}
	}()
	for range 200 {
		c := must(net.DialTimeout("tcp", k.addr, 5*time.Second))(t) // the kernel takes it, the server cannot
		idle = append(idle, c)
	}
	// Somebody new is not answered, for there is no file for the line; who has one is.
	other := &http.Client{Timeout: 500 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	waited := false
	for range 20 {
		res, err := other.Get(k.base + "/readyz")
		if err != nil {
			waited = true
			break
		}
		_ = res.Body.Close()
	}
	if !waited {
		t.Error("there were files left: the test proves nothing")
	}
	if status, ok := k.call("GET", "/api/tickets", "", nil, nil); !ok || status != 200 {
		t.Errorf("a list with no files left: %d %v", status, ok)
	}
	if status, ok := k.call("POST", "/api/tickets", "没有文件可开", map[string]any{"type": k.kind, "title": "没有文件可开", "body": "门前路灯坏了三天", "source": "h5"}, nil); !ok || status >= 300 {
		t.Errorf("a ticket with no files left was not taken: %d %v", status, ok)
	}
	switch _, status, ok := k.upload("其间.txt", "其间"); {
	case !ok:
		t.Error("an upload with no files left was not answered")
	case status != 201 && status != 503:
		t.Errorf("an upload with no files left: %d", status)
	}
	for _, c := range idle {
		_ = c.Close()
	}
	idle = nil
	eventually(t, "new connections are taken again", func() bool {
		res, err := other.Get(k.base + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == 200
	})
	if _, status, ok := k.upload("之后.txt", "之后"); !ok || status != 201 {
		t.Errorf("after: %d %v", status, ok)
	}
	if err := k.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Errorf("the server is gone: %v", err)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the server ended badly: %v", err)
	}
	if text, code := k.command("files", "check"); code != 0 || !strings.Contains(text, "无主内容 0 份") {
		t.Errorf("files: %s", text)
	}
}
