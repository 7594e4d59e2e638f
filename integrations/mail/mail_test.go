package mail_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/mail"
	"github.com/huiqi/huiqi/integrations/sandbox"
)

// mustWorld runs a listening sandbox and returns it with its HTTP address and a client for its mail server.
func mustWorld(t *testing.T) (*sandbox.Server, string, *mail.Client) {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0", SMTPListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = box.Close()
	})
	web, post, err := box.Addresses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(post)
	n, _ := strconv.Atoi(port)
	c, err := mail.New(mail.Config{Host: host, Port: n, From: "惠企台 <noreply@huiqi.example>", TLS: "none", Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return box, "http://" + web, c
}

func mustMails(t *testing.T, web string) []sandbox.Mail {
	t.Helper()
	res, err := http.Get(web + "/sandbox/api/mailbox")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list struct{ Items []sandbox.Mail }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func TestSend(t *testing.T) {
	t.Parallel()
	_, web, c := mustWorld(t)
	text := "您好，\n您的申请已受理。编号 SQ20261122-000001，请留意后续通知，如有疑问请拨打服务热线。\n.单独一点开头的行\n"
	if err := c.Send(t.Context(), mail.Message{ID: "m-1", To: "boss@bakery.example", Subject: "申请已受理\r\nBcc: evil@example.com", Text: text}); err != nil {
		t.Fatal(err)
	}
	got := mustMails(t, web)
	if len(got) != 1 || got[0].To != "boss@bakery.example" || got[0].Subject != "申请已受理 Bcc: evil@example.com" || got[0].MessageID != "<m-1@huiqi.example>" {
		t.Fatalf("mailbox: %+v", got)
	}
	if got[0].Text != text && got[0].Text != text+"\n" {
		t.Errorf("text %q", got[0].Text)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	box, web, c := mustWorld(t)
	for _, tc := range []struct {
		mode      sandbox.Mode
		delay     int
		unknown   bool
		permanent bool
		kept      int
	}{
		{mode: sandbox.Fail},
		{mode: sandbox.Refuse, permanent: true},
		{mode: sandbox.Reset, unknown: true},
		{mode: sandbox.Garbage, unknown: true},
		{mode: sandbox.Lost, unknown: true, kept: 1},
	} {
		before := len(mustMails(t, web))
		if err := box.SetFault(t.Context(), sandbox.Fault{Target: "mail", Mode: tc.mode, Count: 1, DelayMS: tc.delay}); err != nil {
			t.Fatal(err)
		}
		err := c.Send(t.Context(), mail.Message{ID: string(tc.mode), To: "boss@bakery.example", Subject: "x", Text: "y"})
		var refused *mail.Refused
		switch {
		case tc.unknown && !errors.Is(err, mail.ErrUnknown):
			t.Errorf("%s: %v, want unknown", tc.mode, err)
		case !tc.unknown && (!errors.As(err, &refused) || refused.Permanent != tc.permanent):
			t.Errorf("%s: %v, want refused", tc.mode, err)
		}
		if n := len(mustMails(t, web)) - before; n != tc.kept {
			t.Errorf("%s: %d mails kept, want %d", tc.mode, n, tc.kept)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	c, err := mail.New(mail.Config{Host: "127.0.0.1", Port: port, From: "noreply@huiqi.example", TLS: "none"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), mail.Message{ID: "x", To: "a@b.example", Subject: "x", Text: "y"}); !errors.Is(err, mail.ErrNotSent) {
		t.Errorf("got %v", err)
	}
}

func TestPasswordNeedsTLS(t *testing.T) {
	t.Parallel()
	if _, err := mail.New(mail.Config{Host: "h", From: "a@b.example", TLS: "none", Username: "u", Password: "p"}); err == nil {
		t.Error("a password would travel in clear")
	}
}
