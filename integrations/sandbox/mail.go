package sandbox

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// Mail is one message in the mailbox.
type Mail struct {
	ID        int64     `json:"id"`
	MessageID string    `json:"messageId"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	At        time.Time `json:"at"`
}

func (s *Server) mailServer() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{server: s, conn: c}, nil }))
	server.Domain = "sandbox.localhost"
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	server.MaxMessageBytes, server.MaxRecipients = 8<<20, 50
	return server
}

type mailSession struct {
	server *Server
	conn   *smtp.Conn
	from   string
	to     []string
}

// Reset forgets the message in progress.
func (m *mailSession) Reset() { m.from, m.to = "", nil }

// Logout ends the session.
func (m *mailSession) Logout() error { return nil }

// Mail begins a message.
func (m *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	m.from = from
	return nil
}

// Rcpt adds a recipient.
func (m *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	m.to = append(m.to, to)
	return nil
}

// Data takes the message, as the fault wants it.
func (m *mailSession) Data(r io.Reader) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f, err := m.server.take(ctx, "mail")
	if err != nil {
		return err
	}
	if f.DelayMS > 0 {
		wait(ctx, time.Duration(f.DelayMS)*time.Millisecond)
	}
	switch f.Mode {
	case Fail:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Requested action aborted: local error in processing"}
	case Refuse:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "Mailbox unavailable"}
	case Garbage:
		_, _ = io.WriteString(m.conn.Conn(), "<html>502 Bad Gateway</html>\r\n")
		reset(m.conn.Conn())
		return errors.New("garbage")
	case Reset:
		reset(m.conn.Conn())
		return errors.New("reset")
	}
	if err := m.server.keepMail(ctx, m.from, m.to, raw); err != nil {
		return err
	}
	if f.Mode == Lost {
		reset(m.conn.Conn())
		return errors.New("lost")
	}
	return nil
}

func (s *Server) keepMail(ctx context.Context, from string, to []string, raw []byte) error {
	msg, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "Message cannot be read"}
	}
	var body io.Reader = msg.Body
	switch strings.ToLower(msg.Header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "Message cannot be read"}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		subject = msg.Header.Get("Subject")
	}
	for _, address := range to {
		if strings.EqualFold(strings.Trim(address, "<>"), InboxAddress) {
			if err := s.deliver(ctx, raw); err != nil {
				return err
			}
		}
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO mails (message_id, sender, recipient, subject, text, at) VALUES (?, ?, ?, ?, ?, ?)`,
		msg.Header.Get("Message-ID"), from, strings.Join(to, ", "), subject, strings.ReplaceAll(string(text), "\r\n", "\n"), s.now().UnixMicro())
	return err
}

// mails returns the newest mails, newest first.
func (s *Server) mails(ctx context.Context, limit int) ([]Mail, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, message_id, sender, recipient, subject, text, at FROM mails ORDER BY id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []Mail{}
	for rows.Next() {
		var m Mail
		var at int64
		if err := rows.Scan(&m.ID, &m.MessageID, &m.From, &m.To, &m.Subject, &m.Text, &at); err != nil {
			return nil, err
		}
		m.At = moment(at)
		found = append(found, m)
	}
	return found, rows.Err()
}
