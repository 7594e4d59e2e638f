//go:build !race

package server

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"database/sql"
	"path/filepath"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/secret"
)

// TestKilledWhileSigning kills the whole program when a signature was made and nothing of it was kept, once for each side. The
// program that starts again finishes the signature by itself: each side has signed once, by the certificate of before, everybody is
// told once, the code of the first attempt is not asked for again, and the contract verifies.
func TestKilledWhileSigning(t *testing.T) {
	t.Parallel()
	program := fragileProgram(t)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	k := &killed{t: t, addr: l.Addr().String(), base: "http://" + l.Addr().String(), client: &http.Client{Timeout: 20 * time.Second}}
	_ = l.Close()
	k.settle()
	begin := func(failpoint string) {
		args := []string{"serve", "--demo", "--data", k.dir, "--listen", k.addr, "--public-url", k.base}
		if k.database != "" {
			args = append(args, "--database", k.database)
		}
		k.cmd = exec.Command(program, args...) // #nosec G204 -- the program under test
		k.cmd.Env = append(os.Environ(), "FAILPOINT="+failpoint)
		if err := k.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		k.ready()
	}
	root := must(secret.ParseKey(must(readDemo(k.dir))(t).Key))(t)
	box := must(secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: "gm"}))(t)
	db := k.open()
	number := func(query string, args ...any) (n int64) {
		t.Helper()
		if err := db.QueryRow(query, args...).Scan(&n); err != nil {
			t.Fatal(query, err)
		}
		return n
	}
	word := func(query string, args ...any) (s string) {
		t.Helper()
		if err := db.QueryRow(query, args...).Scan(&s); err != nil {
			t.Fatal(query, err)
		}
		return s
	}
	enter := func(user int64) {
		t.Helper()
		k.session, k.visitor = secret.Token(), "0123456789abcdef0123456789abcdef"
		driver, source := "sqlite", "file:"+filepath.Join(k.dir, "huiqi.db")+"?_pragma=busy_timeout(10000)&_time_format=sqlite"
		if k.database != "" {
			driver, source = "pgx", k.database
		}
		w := beside{must(sql.Open(driver, source))(t), k.database != ""}
		defer w.Close()
		now := time.Now().UTC()
		_, err := w.Exec(w.text("INSERT INTO sessions (token_hash, user_id, pending, ip, user_agent, created_at, seen_at, expires_at) VALUES (?, ?, ?, '', '', ?, ?, ?)"), box.HashToken(k.session), user, false, now, now, now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		var me struct {
			CSRFToken string `json:"csrfToken"`
		}
		k.call("GET", "/api/session", "", nil, &me)
		k.csrf = me.CSRFToken
	}

	begin("")
	defer func() { k.stop() }()
	app := number("SELECT min(a.id) FROM applications AS a WHERE a.status IN (?, ?) AND NOT EXISTS (SELECT 1 FROM contracts AS c WHERE c.object_id = a.id)", string(application.Taken), string(application.Working))
	company := number("SELECT user_id FROM applications WHERE id = ?", app)
	var bank int64
	var made struct {
		ID, Version  int64
		Number, Code string
		State        string
	}
	rows := must(db.Query("SELECT u.id FROM users AS u JOIN applications AS a ON a.institution_id = u.institution_id WHERE a.id = ? ORDER BY u.id", app))(t)
	var staff []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		staff = append(staff, id)
	}
	_ = rows.Close()
	for _, id := range staff {
		enter(id)
		at := "/api/case-contracts/application/" + strconv.FormatInt(app, 10)
		if status, _ := k.call("GET", "/api/contract-templates", "", nil, nil); status != 200 {
			continue // drafts and does not sign
		}
		if status, _ := k.call("POST", at, "make", map[string]any{"title": "断电时的合同", "body": "双方就本次服务约定如下。", "days": 7}, &made); status == 200 {
			bank = id
			break
		}
	}
	if bank == 0 {
		t.Fatalf("nobody of %v draws up a contract on application %d", staff, app)
	}
	path := "/api/contracts/" + strconv.FormatInt(made.ID, 10)
	if status, _ := k.call("POST", path+"/send", "send", map[string]any{"version": made.Version}, &made); status != 200 {
		t.Fatal("send:", status)
	}
	k.stop()

	code := func() string {
		t.Helper()
		before := number("SELECT coalesce(max(id), 0) FROM sms_messages")
		if status, _ := k.call("POST", path+"/code", "", nil, nil); status != 200 {
			t.Fatal("code:", status)
		}
		sealed := word("SELECT params FROM sms_messages WHERE id > ? ORDER BY id LIMIT 1", before)
		plain := must(box.Open(sealed, "sms_messages.params"))(t)
		return regexp.MustCompile(`\d{6}`).FindString(string(plain))
	}
	signatures := func(where string) int64 {
		return number("SELECT count(*) FROM contract_signatures WHERE contract_id = ? AND "+where, made.ID)
	}
	told := func() int64 {
		return number("SELECT count(*) FROM events WHERE type = 'contract.signed' AND object_id = ?", made.ID)
	}
	for i, side := range []struct {
		user  int64
		after string
	}{{company, "half"}, {bank, "effective"}} {
		done := int64(i)
		begin("contract.signed:1:kill")
		enter(side.user)
		if status, _ := k.call("GET", path, "", nil, &made); status != 200 {
			t.Fatal(status)
		}
		sign := map[string]any{"version": made.Version, "code": code()}
		if status, ok := k.call("POST", path+"/sign", "", sign, nil); ok {
			t.Fatalf("the server answered %d", status)
		}
		_ = k.cmd.Wait()
		if n, state := signatures("provider = ''"), word("SELECT state FROM contracts WHERE id = ?", made.ID); n != 1 || told() != done || state == side.after {
			t.Fatalf("%d begun, told %d times, the contract is %s", n, told(), state)
		}
		begin("")
		enter(side.user)
		if status, _ := k.call("POST", path+"/sign", "", sign, nil); status != 409 && status != 422 && status != 401 && status != 403 {
			t.Errorf("the same again while the signature is being made: %d", status)
		}
		k.waitUntil(3*time.Minute, "the signature is made after the start", func() bool { return signatures("provider = ''") == 0 })
		if n, state := signatures("proof <> ''"), word("SELECT state FROM contracts WHERE id = ?", made.ID); n != done+1 || told() != done+1 || state != side.after || word("SELECT signing FROM contracts WHERE id = ?", made.ID) != "" {
			t.Fatalf("%d signed, told %d times, the contract is %s", n, told(), state)
		}
		if n := number("SELECT count(*) FROM audit_entries WHERE action = 'contract.sign' AND object_id = ?", made.ID); n != done+1 {
			t.Errorf("%d audit rows", n)
		}
		if i == 0 { // signed once, and not again
			if status, _ := k.call("POST", path+"/code", "", nil, nil); status < 400 {
				t.Errorf("a code to sign what is signed: %d", status)
			}
		}
		if i == 1 {
			if status, _ := k.call("GET", path, "", nil, &made); status != 200 || made.Code == "" {
				t.Fatalf("%d %+v", status, made)
			}
			status, page := k.get("/contracts/verify?number=" + made.Number + "&code=" + made.Code)
			if status != 200 || !strings.Contains(string(page), "有效：") {
				t.Errorf("%d: the contract does not verify", status)
			}
			k.waitUntil(time.Minute, "the company is told that the contract holds", func() bool {
				return number("SELECT count(*) FROM messages WHERE user_id = ? AND template = 'contract.step' AND text LIKE ?", company, "%"+made.Number+"%合同生效%") > 0
			})
		}
		k.stop()
	}
	if n := number("SELECT count(*) FROM (SELECT user_id, text FROM messages WHERE template = 'contract.step' AND text LIKE ? GROUP BY user_id, text HAVING count(*) > 1) AS x", "%"+made.Number+"%"); n != 0 {
		t.Errorf("%d people were told twice of one step", n)
	}
}

// waitUntil polls the server's database until it is so.
func (k *killed) waitUntil(long time.Duration, what string, ok func() bool) {
	k.t.Helper()
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if ok() {
			return
		}
	}
	k.t.Fatalf("never: %s", what)
}
