package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/secret"
)

// at runs a command on an installation and returns its exit code and what it said.
func at(t *testing.T, w *confided, words ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := Main(append(words, "--data", w.c.Data, "--database", w.c.Database), &out, &out)
	return code, out.String()
}

// marked makes the data folder of a confided house one that the commands know.
func marked(t *testing.T, w *confided) {
	t.Helper()
	b, err := json.Marshal(demoSettings{Key: w.root})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.c.Data, demoFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestKeysAtTheCommandLine goes the way of the person on duty: a new key, the change, what still needs the old one, and
// the running program follows without a restart.
func TestKeysAtTheCommandLine(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newConfided(t, false)
	marked(t, w)
	expect := func(code int, said string, words ...string) string {
		t.Helper()
		got, text := at(t, w, words...)
		if got != code || !strings.Contains(text, said) {
			t.Fatalf("%v: exit %d, want %d with %q:\n%s", words, got, code, said, text)
		}
		return text
	}
	following, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_ = followRing(following, w.box, w.c.ringFile(), slog.New(slog.DiscardHandler), 10*time.Millisecond)
	}()

	expect(0, "k1     gm   使用中", "keys", "list")
	expect(1, "没有待启用的密钥", "keys", "rotate")
	expect(0, "已生成密钥 k2（intl）", "keys", "new", "--suite", "intl")
	expect(0, "k2     intl 待启用", "keys", "list")
	if id, _ := w.box.Current(); id != "k1" {
		t.Fatal("a key that is only ready seals")
	}
	expect(0, "全部数据已换用现用密钥", "keys", "rotate", "--now")
	for range 1000 {
		if id, suite := w.box.Current(); id == "k2" && suite == secret.Intl {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if id, _ := w.box.Current(); id != "k2" {
		t.Fatal("the running program does not follow its ring")
	}
	if _, err := w.identity.Authenticate(ctx, w.tokens[0]); err != nil {
		t.Fatal(err)
	}
	said := expect(1, "仍有数据使用这个密钥", "keys", "retire", "k1")
	for _, needs := range []string{"sessions.token_hash", "登录会话，最迟 30 天后全部到期", "exchange_keys.hash 1 行"} {
		if !strings.Contains(said, needs) {
			t.Errorf("retire does not say %s:\n%s", needs, said)
		}
	}
	expect(1, "不允许该操作", "keys", "retire", "k2")
	// the partner calls, people sign in anew, the rows of imports are cleared
	if _, err := w.exchange.Authenticate(ctx, w.tokens[4]); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"DELETE FROM sessions", "DELETE FROM sms_codes", "DELETE FROM import_rows"} {
		if _, err := w.db.Writer().ExecContext(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	expect(0, "密钥 k1 已停用", "keys", "retire", "k1")
	expect(0, "k1     gm   已停用", "keys", "list")
	if _, err := w.exchange.Authenticate(ctx, w.tokens[4]); err != nil {
		t.Fatal(err)
	}
	var actions []string
	if err := w.db.Read().NewRaw("SELECT action FROM audit_entries WHERE object = 'secret_key' ORDER BY id").Scan(ctx, &actions); err != nil {
		t.Fatal(err)
	}
	if strings.Join(actions, " ") != "secret.key_new secret.key_rotate secret.key_retire" {
		t.Errorf("the log has %v", actions)
	}
	// what the retired key signed can still be checked
	if err := w.sealer.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	expect(0, "审计日志完整", "audit", "verify")
	if raw, err := os.ReadFile(w.c.ringFile()); err != nil || strings.Contains(expect(0, "", "keys", "list"), w.root) || !bytes.Contains(raw, []byte(w.root)) {
		t.Error("the list shows a key, or the ring lost one:", err)
	}
}

// TestAuditAtTheCommandLine verifies and exports a log, whole and tampered with.
func TestAuditAtTheCommandLine(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newConfided(t, false)
	marked(t, w)
	anchors := audit.Anchors{DB: w.db, Clock: clock.System{}, Signer: w.box, Dir: w.c.anchorDir()}
	if _, err := anchors.Write(ctx); err != nil {
		t.Fatal(err)
	}
	code, said := at(t, w, "audit", "verify")
	if code != 0 || !strings.Contains(said, "锚点 1 个中 1 个相符") || !strings.Contains(said, "审计日志完整") {
		t.Fatal(code, said)
	}
	out := filepath.Join(t.TempDir(), "audit.jsonl")
	if code, said := at(t, w, "audit", "export", "--out", out); code != 0 || !strings.Contains(said, "已导出") {
		t.Fatal(code, said)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if !json.Valid([]byte(lines[0])) || !strings.Contains(lines[len(lines)-1], `"action":"audit.export"`) {
		t.Fatal("the export is not in the log that it exports:", lines[len(lines)-1])
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if code, _ := at(t, w, "audit", "export", "--out", out); code != 2 {
		t.Fatal("a file was written over", code)
	}
	if code, said := at(t, w, "audit", "export", "--format", "syslog", "--from", "2020-01-01", "--to", "2020-01-02"); code != 0 || strings.Contains(said, "<109>") {
		t.Fatal(code, said)
	}
	if code, _ := at(t, w, "audit", "export", "--from", "gestern"); code != 2 {
		t.Fatal("a day that is none was taken", code)
	}
	// somebody with the database alone shortens the log, head record and all
	drop := []string{"DROP TRIGGER audit_entries_no_DELETE", "DROP TRIGGER audit_seals_no_DELETE"}
	if w.db.Kind() == database.Postgres {
		drop = []string{"DROP TRIGGER audit_entries_fixed ON audit_entries", "DROP TRIGGER audit_seals_fixed ON audit_seals"}
	}
	for _, s := range append(drop, "DELETE FROM audit_entries WHERE id > 5", "DELETE FROM audit_seals WHERE seq > 5", "UPDATE audit_heads SET seq = 5, hash = (SELECT hash FROM audit_seals WHERE seq = 5)") {
		if _, err := w.db.Writer().ExecContext(ctx, s); err != nil {
			t.Fatal(s, err)
		}
	}
	code, said = at(t, w, "audit", "verify")
	if code != 1 || !strings.Contains(said, "的锚点记有") || !strings.Contains(said, "封印头记录的签名不符") {
		t.Fatal(code, said)
	}
}

// TestForeignKeysStopTheStart: with another key or another suite under the same id the program would write what nobody
// finds again.
func TestForeignKeysStopTheStart(t *testing.T) {
	t.Parallel()
	w := newConfided(t, false)
	for name, change := range map[string]func(c *Config) string{
		"another key":   func(*Config) string { return secret.NewKey() },
		"another suite": func(c *Config) string { c.Secrets.Suite = "intl"; return w.root },
	} {
		c := w.c
		key := change(&c)
		h, err := build(context.Background(), c, w.db, key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.identity.KeysFit(context.Background()); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := w.identity.KeysFit(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestSyslogAddress(t *testing.T) {
	t.Parallel()
	for address, plainOK := range map[string]bool{"127.0.0.1:514": true, "localhost:514": true, "log.example.gov.cn:514": false, "10.0.0.8:514": false} {
		if err := (Syslog{Address: address, Plain: true}).check(false); (err == nil) != plainOK {
			t.Errorf("%s without TLS: %v", address, err)
		}
		if err := (Syslog{Address: address}).check(false); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, s := range []Syslog{{Address: "no port"}, {Address: "a:1", CAFile: "/nowhere"}, {Address: "a:1", CertFile: "/nowhere"}} {
		if err := s.check(true); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}
