//go:build !race

package server

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/intake"
	"github.com/huiqi/huiqi/platform/access"
)

// TestKilledInIntake kills the server between taking a report in and filing it, and between filing and answering. The partner
// sends again under the same mark: nothing is lost, nothing is there twice.
func TestKilledInIntake(t *testing.T) {
	t.Parallel()
	program, dir := fragileProgram(t), seededDir(t)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	k := &killed{t: t, dir: dir, addr: l.Addr().String(), base: "http://" + l.Addr().String(), client: &http.Client{Timeout: 20 * time.Second}}
	_ = l.Close()

	c := must(Load("", map[string]any{"data": dir, "demo": true, "listen": k.addr}))(t)
	if err := c.finish(); err != nil {
		t.Fatal(err)
	}
	d := must(readDemo(dir))(t)
	h, closeHouse, err := unserved(context.Background(), c, d.Key)
	if err != nil {
		t.Fatal(err)
	}
	key := must(h.intake.Issue(context.Background(), access.SystemActor("test"), intake.IssueKey{Partner: "测试单位"}))(t).Plain
	closeHouse()

	before := tickets(t, dir)
	report := func(failpoint string) (int, string) {
		k.cmd = exec.Command(program, "serve", "--demo", "--data", dir, "--listen", k.addr, "--public-url", k.base) // #nosec G204 -- the program under test
		k.cmd.Env = append(os.Environ(), "FAILPOINT="+failpoint)
		if err := k.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer k.stop()
		k.ready()
		form := url.Values{"api_key": {key}, "service_code": {"050203"}, "description": {"路灯不亮"}}
		req := must(http.NewRequest("POST", k.base+"/open311/v2/requests.json", strings.NewReader(form.Encode())))(t)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Idempotency-Key", "case-1")
		res, err := k.client.Do(req)
		if err != nil {
			return 0, ""
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	for _, c := range []struct {
		failpoint string
		tickets   int
	}{{"intake.report-kept:1:kill", before}, {"intake.report-filed:1:kill", before + 1}, {"", before + 1}} {
		status, text := report(c.failpoint)
		if (status == 0) != (c.failpoint != "") {
			t.Fatalf("%q: %d %s", c.failpoint, status, text)
		}
		if n := tickets(t, dir); n != c.tickets {
			t.Errorf("%q: %d tickets, want %d", c.failpoint, n, c.tickets)
		}
		var got []map[string]string
		if c.failpoint == "" && (json.Unmarshal([]byte(text), &got) != nil || !strings.HasPrefix(got[0]["service_request_id"], "GD")) {
			t.Errorf("%d %s", status, text)
		}
	}
}
