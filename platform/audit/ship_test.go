package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// receiver is a syslog receiver on a real port.
type receiver struct {
	l   net.Listener
	mu  sync.Mutex
	got []string
	// drop ends each connection after so many messages, without reading the rest; 0 never.
	drop int
	wg   sync.WaitGroup
}

func listen(t *testing.T, addr string, config *tls.Config) *receiver {
	t.Helper()
	var l net.Listener
	var err error
	for range 100 { // the port of a receiver that just went away
		if l, err = net.Listen("tcp", addr); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	r := &receiver{l: l}
	r.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.read(c) })
		}
	})
	t.Cleanup(r.close)
	return r
}

func (r *receiver) close() {
	_ = r.l.Close()
	r.wg.Wait()
}

func (r *receiver) read(c net.Conn) {
	defer c.Close()
	in := bufio.NewScanner(c)
	in.Split(frames)
	n := 0
	for in.Scan() {
		r.mu.Lock()
		r.got = append(r.got, in.Text())
		drop := r.drop
		r.mu.Unlock()
		if n++; n == drop {
			_ = c.(*net.TCPConn).SetLinger(0) // gone without a word, not in order
			return
		}
	}
}

func (r *receiver) messages() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) setDrop(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop = n
}

// frames splits octet-counted messages (RFC 6587 3.4.1).
func frames(data []byte, _ bool) (int, []byte, error) {
	i := bytes.IndexByte(data, ' ')
	if i < 0 {
		return 0, nil, nil
	}
	n, err := strconv.Atoi(string(data[:i]))
	if err != nil {
		return 0, nil, fmt.Errorf("octet count %q", data[:i])
	}
	if len(data) < i+1+n {
		return 0, nil, nil
	}
	return i + 1 + n, data[i+1 : i+1+n], nil
}

var message = regexp.MustCompile(`^<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z hq\.example huiqi - (\d+) \[audit@32473 id="(\d+)" seal="\d+" action="ticket\.close" `)

func ids(t *testing.T, messages []string) []int {
	t.Helper()
	var list []int
	for _, m := range messages {
		parts := message.FindStringSubmatch(m)
		if parts == nil || parts[1] != parts[2] || !strings.HasSuffix(m, "] \uFEFF办结工单") {
			t.Fatalf("not as RFC 5424 has it: %q", m)
		}
		id, _ := strconv.Atoi(parts[1])
		list = append(list, id)
	}
	return list
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1500 {
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("did not happen: " + what)
}

// ship runs a shipper until the function it returns is called.
func ship(t *testing.T, db *database.DB, addr string, config *tls.Config) (stop func()) {
	t.Helper()
	s := &audit.Shipper{DB: db, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Address: addr, TLS: config, Host: "hq.example", Every: 20 * time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestShipping(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	sealer := &audit.Sealer{DB: db, Log: slog.Default()}
	more := func(n int) {
		t.Helper()
		write(t, db, n)
		if err := sealer.Seal(ctx); err != nil {
			t.Fatal(err)
		}
	}
	shipped := func() int64 {
		t.Helper()
		s, err := audit.Standing(ctx, db.Read())
		if err != nil {
			t.Fatal(err)
		}
		return s.ShippedSeq
	}
	first := listen(t, "127.0.0.1:0", nil)
	addr := first.l.Addr().String()
	more(25)
	stop := ship(t, db, addr, nil)
	defer func() { stop() }()
	until(t, "25 messages", func() bool { return shipped() == 25 })
	if got := ids(t, first.messages()); len(got) != 25 || !slices.IsSorted(got) {
		t.Fatal(got)
	}

	// the receiver goes away in the middle of a batch, and with it what it had not read
	first.setDrop(3)
	more(10)
	until(t, "the failure is known", func() bool {
		s, err := audit.Standing(ctx, db.Read())
		return err == nil && s.ShipError != "" && s.ShipErrorFor != nil
	})
	first.close()
	more(10)
	second := listen(t, addr, nil)
	until(t, "the rest arrives", func() bool { return shipped() == 45 })
	if got := ids(t, second.messages()); len(got) < 20 || got[0] != 26 {
		t.Fatal("what was not confirmed was not sent again:", got)
	}

	// a restart goes on where the last process stopped
	stop()
	more(5)
	stop = ship(t, db, addr, nil)
	until(t, "what came meanwhile", func() bool { return shipped() == 50 })
	all := map[int]int{}
	for _, id := range append(ids(t, first.messages()), ids(t, second.messages())...) {
		all[id]++
	}
	if len(all) != 50 || all[50] != 1 || all[1] != 1 {
		t.Fatal(all)
	}
	if s, err := audit.Standing(ctx, db.Read()); err != nil || s.ShipError != "" {
		t.Fatalf("%+v %v", s, err)
	}
}

func TestShippingOverTLS(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cert, roots := certificate(t)
	r := listen(t, "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	db := databasetest.New(t, audit.Migrations)
	write(t, db, 7)
	if err := (&audit.Sealer{DB: db, Log: slog.Default()}).Seal(ctx); err != nil {
		t.Fatal(err)
	}
	// a receiver that cannot show who it is gets nothing
	stop := ship(t, db, r.l.Addr().String(), &tls.Config{ServerName: "log.example", MinVersion: tls.VersionTLS12})
	until(t, "it is refused", func() bool {
		s, err := audit.Standing(ctx, db.Read())
		return err == nil && s.ShipError != ""
	})
	stop()
	if n := len(r.messages()); n != 0 {
		t.Fatal("a stranger was given", n)
	}
	stop = ship(t, db, r.l.Addr().String(), &tls.Config{ServerName: "log.example", RootCAs: roots, MinVersion: tls.VersionTLS12})
	defer stop()
	until(t, "all arrive", func() bool {
		s, err := audit.Standing(ctx, db.Read())
		return err == nil && s.ShippedSeq == 7
	})
	if got := ids(t, r.messages()); len(got) != 7 {
		t.Fatal(got)
	}
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "log.example"}, DNSNames: []string{"log.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// What people wrote cannot end a message, forge a field or become a formula.
func TestExport(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	write(t, db, 1500)
	nasty := "=cmd|'/c'!A1 ] \" \\ \n<13>1 - - - - - - 伪造"
	err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, access.Actor{UserID: 8, Name: "李\r雷\"]"}, now.Add(24*time.Hour), audit.Record{Action: "a.b", Object: "x", Summary: nasty, Detail: map[string]string{"k": `v"]`}})
	})
	if err != nil {
		t.Fatal(err)
	}
	export := func(f audit.Filter, format audit.Format, want int64) string {
		t.Helper()
		var b bytes.Buffer
		n, err := audit.Export(ctx, db.Read(), f, format, "hq.example", &b)
		if err != nil || n != want {
			t.Fatal(format, n, err)
		}
		return b.String()
	}
	lines := strings.Split(strings.TrimSpace(export(audit.Filter{}, audit.JSON, 1501)), "\n")
	var e struct {
		ID      int64             `json:"id"`
		Summary string            `json:"summary"`
		Detail  map[string]string `json:"detail"`
	}
	if err := json.Unmarshal([]byte(lines[1500]), &e); err != nil || len(lines) != 1501 || e.Summary != nasty || e.Detail["k"] != `v"]` {
		t.Fatal(len(lines), e, err)
	}
	later := audit.Filter{From: now.Add(23 * time.Hour)}
	got := export(later, audit.Syslog, 1)
	want := `actor="李 雷\"\]" detail="{\"k\":\"v\\\"\]\"}"] ` + "\uFEFF" + `=cmd|'/c'!A1 ] " \  <13>1 - - - - - - 伪造` + "\n"
	if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, want) {
		t.Fatalf("%s\n%s", got, want)
	}
	rows, err := csv.NewReader(strings.NewReader(export(later, audit.CSV, 1))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][9] != "'"+strings.ReplaceAll(nasty, "\r", "") {
		t.Fatal(rows, err)
	}
	if _, err := audit.Export(ctx, db.Read(), audit.Filter{}, "xml", "", &bytes.Buffer{}); err == nil {
		t.Fatal("an unknown format was taken")
	}
	broken := &limited{left: 10}
	if _, err := audit.Export(ctx, db.Read(), audit.Filter{}, audit.JSON, "", broken); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
}

var errFull = errors.New("full")

type limited struct{ left int }

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}
