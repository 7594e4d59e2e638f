package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// InboxUser is who reads the product's mailbox over IMAP, InboxAddress where people write to it.
const (
	InboxUser    = "suqiu"
	InboxAddress = "suqiu@sandbox.localhost"
)

// inbox is the product's mailbox: kept in the database, served from memory.
type inbox struct {
	user   *imapmemserver.User
	server *imapserver.Server
}

// openInbox makes the IMAP server with the mails kept so far, in their order, so that each has the UID it had.
func (s *Server) openInbox(ctx context.Context) error {
	user := imapmemserver.NewUser(InboxUser, s.opts.Secrets.MailPassword)
	if err := user.Create("INBOX", nil); err != nil {
		return err
	}
	memory := imapmemserver.New()
	memory.AddUser(user)
	s.inbox = &inbox{user: user, server: imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})}
	rows, err := s.db.QueryContext(ctx, `SELECT raw FROM inbox ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return err
		}
		if err := s.inbox.add(raw); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (b *inbox) add(raw []byte) error {
	_, err := b.user.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{})
	return err
}

type literal struct{ *bytes.Reader }

// Size is the literal's length.
func (l literal) Size() int64 { return l.Reader.Size() }

// deliver puts a mail into the product's mailbox.
func (s *Server) deliver(ctx context.Context, raw []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.db.ExecContext(ctx, `INSERT INTO inbox (raw, at) VALUES (?, ?)`, raw, s.now().UnixMicro()); err != nil {
		return err
	}
	return s.inbox.add(raw)
}

// Letter is a mail that somebody writes to the product.
type Letter struct {
	Name    string `json:"name"`
	From    string `json:"from"`
	To      string `json:"to"` // "" is InboxAddress
	Subject string `json:"subject"`
	Text    string `json:"text"`
	// InReplyTo is the Message-ID of the mail of ours that it answers.
	InReplyTo string `json:"inReplyTo"`
	// FileName and File are an attachment, in base64 when sent as JSON.
	FileName string `json:"fileName"`
	File     []byte `json:"file"`
	// Raw, when given, is the whole mail as it is.
	Raw []byte `json:"raw"`
}

func (l Letter) bytes(now time.Time) ([]byte, error) {
	if len(l.Raw) > 0 {
		return l.Raw, nil
	}
	from, err := mail.ParseAddress(l.From)
	if err != nil {
		return nil, errors.New("发件人邮箱不正确")
	}
	from.Name = l.Name
	var b bytes.Buffer
	head := func(key, value string) { fmt.Fprintf(&b, "%s: %s\r\n", key, value) }
	head("From", from.String())
	head("To", orElse(l.To, InboxAddress))
	head("Subject", mime.QEncoding.Encode("utf-8", l.Subject))
	head("Date", now.Format(time.RFC1123Z))
	head("Message-ID", fmt.Sprintf("<%d@sandbox.localhost>", now.UnixNano()))
	if l.InReplyTo != "" {
		id := strings.Join(strings.Fields(l.InReplyTo), "")
		head("In-Reply-To", id)
		head("References", id)
	}
	head("MIME-Version", "1.0")
	parts := multipart.NewWriter(&b)
	head("Content-Type", "multipart/mixed; boundary="+parts.Boundary())
	b.WriteString("\r\n")
	w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
	if err != nil {
		return nil, err
	}
	q := quotedprintable.NewWriter(w)
	if _, err := q.Write([]byte(l.Text)); err != nil {
		return nil, err
	}
	if err := q.Close(); err != nil {
		return nil, err
	}
	if len(l.File) > 0 {
		w, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/octet-stream"}, "Content-Transfer-Encoding": {"binary"},
			"Content-Disposition": {mime.FormatMediaType("attachment", map[string]string{"filename": l.FileName})}})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(l.File); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Post puts a letter into the product's mailbox.
func (s *Server) Post(ctx context.Context, l Letter) error {
	raw, err := l.bytes(s.now())
	if err != nil {
		return err
	}
	return s.deliver(ctx, raw)
}

func (s *Server) pageWriteMail(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(8 << 20); err != nil { // #nosec G120 -- a stand-in for demos and tests, bounded by the product's proxy
		s.say(w, r, http.StatusUnprocessableEntity, "没有发送", "内容无法识别，请返回重试。")
		return
	}
	l := Letter{Name: r.FormValue("name"), From: r.FormValue("from"), To: r.FormValue("to"), Subject: r.FormValue("subject"), Text: r.FormValue("text"), InReplyTo: r.FormValue("inReplyTo")}
	if f, head, err := r.FormFile("file"); err == nil {
		l.FileName = head.Filename
		if l.File, err = io.ReadAll(f); err != nil {
			broken(w, err)
			return
		}
	}
	if err := s.Post(r.Context(), l); err != nil {
		s.say(w, r, http.StatusUnprocessableEntity, "没有发送", err.Error())
		return
	}
	http.Redirect(w, r, "/sandbox/mailbox?sent=1", http.StatusSeeOther)
}

func (s *Server) apiPost(w http.ResponseWriter, r *http.Request) {
	var l Letter
	if !readJSON(w, r, &l) {
		return
	}
	if err := s.Post(r.Context(), l); err != nil {
		apiSay(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, map[string]bool{"ok": true})
}

// InboxListen waits until Run listens and returns where the IMAP server is, "" when there is none.
func (s *Server) InboxListen(ctx context.Context) (string, error) {
	select {
	case <-s.listening:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.imap == nil {
		return "", nil
	}
	return s.imap.Addr().String(), nil
}

func (s *Server) serveInbox(l net.Listener) error { return s.inbox.server.Serve(l) }
