package sandbox_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/mail"
	"github.com/huiqi/huiqi/integrations/sandbox"
)

// TestInbox: what people write is read over IMAP, from where the reader stopped, also after a restart of the server.
func TestInbox(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() (*sandbox.Server, *mail.Box, func()) {
		s, err := sandbox.New(sandbox.Options{DataDir: dir, Listen: "127.0.0.1:0", SMTPListen: "127.0.0.1:0", IMAPListen: "127.0.0.1:0", Secrets: sandbox.Secrets{MailPassword: "secret"}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		addr, err := s.InboxListen(ctx)
		if err != nil {
			t.Fatal(err)
		}
		host, port, _ := net.SplitHostPort(addr)
		n, _ := strconv.Atoi(port)
		box, err := mail.NewBox(mail.BoxConfig{Host: host, Port: n, Username: sandbox.InboxUser, Password: "secret", TLS: "none", Timeout: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return s, box, func() {
			cancel()
			<-done
			_ = s.Close()
		}
	}
	ctx := context.Background()
	s, box, stop := open()
	if list, validity, err := box.Since(ctx, 0, 0, 10); err != nil || len(list) != 0 || validity == 0 {
		t.Fatalf("empty: %v %d %v", list, validity, err)
	}
	for _, l := range []sandbox.Letter{{Name: "王芳", From: "wang@example.com", Subject: "欠薪", Text: "三个月", InReplyTo: "<a@b>", FileName: "合同.pdf", File: []byte("%PDF")},
		{From: "li@example.com", Subject: "路灯", Text: "不亮"}, {From: "li@example.com", Subject: "井盖", Text: "松动"}} {
		if err := s.Post(ctx, l); err != nil {
			t.Fatal(err)
		}
	}
	list, validity, err := box.Since(ctx, 0, 0, 2)
	if err != nil || len(list) != 2 || list[0].UID != 1 {
		t.Fatalf("%d mails, %v", len(list), err)
	}
	if p := mail.Parse(list[0].Bytes); p.Name != "王芳" || p.Subject != "欠薪" || p.Text != "三个月" || len(p.Files) != 1 || p.Files[0].Name != "合同.pdf" || p.References[0] != "a@b" || p.Trouble != "" {
		t.Errorf("%+v", p)
	}
	stop()
	_, box, stop = open()
	defer stop()
	rest, now, err := box.Since(ctx, validity, 2, 10)
	if err != nil || now != validity || len(rest) != 1 || !strings.Contains(mail.Parse(rest[0].Bytes).Text, "松动") {
		t.Errorf("%d mails, validity %d and %d, %v", len(rest), now, validity, err)
	}
	if again, _, err := box.Since(ctx, validity+1, 2, 10); err != nil || len(again) != 3 {
		t.Errorf("another validity: %d mails, %v", len(again), err)
	}
}
