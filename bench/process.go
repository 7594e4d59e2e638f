package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// process is a server under measurement.
type process struct {
	addr string
	cmd  *exec.Cmd
}

// begin starts a server on a free port and waits until ready answers.
func begin(ready string, command func(addr string) *exec.Cmd) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{addr: l.Addr().String()}
	_ = l.Close()
	p.cmd = command(p.addr)
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 12000 {
		res, err := http.Get("http://" + p.addr + ready)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.stop()
	return nil, errors.New("a server does not start")
}

func startFloor(target string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// #nosec G204 G702 -- runs this program itself
	return begin("/page", func(addr string) *exec.Cmd { return exec.Command(self, "floor", addr, target) })
}

func startOurs(d *dataset) (*process, error) {
	return begin("/readyz", func(addr string) *exec.Cmd {
		args := []string{"serve", "--demo", "--data", d.dir, "--listen", addr, "--public-url", "http://" + addr}
		if d.database != "" {
			args = append(args, "--database", d.database)
		}
		// #nosec G204 -- runs the built program with settings of its own
		cmd := exec.Command("bin/huiqi", args...)
		cmd.Env = append(os.Environ(), "HUIQI_REQUESTS_PER_MINUTE=100000000", "HUIQI_LOG_LEVEL=error", "HUIQI_EXPORTS__PER_DAY=1000")
		return cmd
	})
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

// memory reads a line of what the kernel knows of the process, in MiB: VmRSS now, VmHWM at its peak.
func (p *process) memory(line string) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		return 0, errors.New("no " + line)
	}
	kb, err := strconv.ParseFloat(string(m[1]), 64)
	return kb / 1024, err
}

// cpu is the processor time that the process has used, in microseconds; 0 where the kernel does not say.
func (p *process) cpu() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) * 10_000 // a tick is 10 ms
}

// machineCPU is the processor time that the machine has used, in microseconds; 0 where the kernel does not say.
func machineCPU() float64 {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	used := 0.0
	for i, field := range strings.Fields(line) {
		if n, err := strconv.ParseFloat(field, 64); err == nil && i != 4 && i != 5 { // 4 idle, 5 waiting for a disk
			used += n
		}
	}
	return used * 10_000
}

// settle waits until the server has used little processor time for two seconds: the nightly tasks that it missed begin with
// it, and what follows the tickets of the figure before goes on behind it. It says how long that took, when it was long, and
// gives up after a quarter of an hour. Where the database is a program of its own, all of the machine is looked at, for two
// minutes.
func (p *process) settle(before string, apart bool) {
	began, quiet := time.Now(), 0
	busy, most, limit := p.cpu, 50_000.0, 15*time.Minute
	if apart {
		busy, most, limit = machineCPU, 300_000, 2*time.Minute
	}
	for used := busy(); quiet < 2 && time.Since(began) < limit; {
		time.Sleep(time.Second)
		now := busy()
		if quiet++; now-used > most {
			quiet = 0
		}
		used = now
	}
	if took := time.Since(began); took > 5*time.Second {
		fmt.Fprintf(os.Stderr, "%s: the server was busy for %.0f s before\n", before, took.Seconds())
	}
}

// fresh begins the peak anew.
func (p *process) fresh() error {
	// #nosec G306 -- the kernel's file
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// call sends one request as the session and decodes the answer.
func (p *process) call(s session, method, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, "http://"+p.addr+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", s.Cookie)
	req.Header.Set("X-CSRF-Token", s.CSRF)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(res.Body)
		return fmt.Errorf("%s %s: status %d %s", method, path, res.StatusCode, text)
	}
	if w, ok := out.(io.Writer); ok {
		_, err := io.Copy(w, res.Body)
		return err
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// tokens fetches the token that each session's changes must carry.
func (e *env) tokens() error {
	for _, list := range [][]session{e.people.owners} {
		for i := range list {
			if err := e.token(&list[i]); err != nil {
				return err
			}
		}
	}
	return errors.Join(e.token(&e.people.agent), e.token(&e.people.operator))
}

func (e *env) token(s *session) error {
	var me struct {
		CSRFToken string `json:"csrfToken"`
		SignedIn  bool   `json:"signedIn"`
	}
	err := e.ours.call(*s, "GET", "/api/session", nil, &me)
	s.CSRF = me.CSRFToken
	return err
}
