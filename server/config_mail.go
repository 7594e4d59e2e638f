package server

import (
	"net/mail"
	"strings"
)

// Mail is the mailbox that people write their requests to, and the account that answers them.
type Mail struct {
	SMTP MailServer `koanf:"smtp"`
	IMAP MailServer `koanf:"imap"`
	// Address is the mailbox, suqiu@example.gov.cn; empty takes no mail.
	Address string `koanf:"address"`
}

// MailServer is one account at a mail server.
type MailServer struct {
	Host     string `koanf:"host"`
	Port     int    `koanf:"port"`
	Username string `koanf:"username"`
	Password string `koanf:"password"`
	TLS      string `koanf:"tls"`
}

func (m Mail) check(demo bool) error {
	if m.Address == "" {
		return nil
	}
	if a, err := mail.ParseAddress(m.Address); err != nil || a.Address != m.Address || strings.Contains(m.Address, "+") {
		return configErrorf("mail.address：%q 应为不带加号的邮箱地址，例如 suqiu@example.gov.cn", m.Address)
	}
	for name, s := range map[string]MailServer{"smtp": m.SMTP, "imap": m.IMAP} {
		switch {
		case s.Host == "":
			return configErrorf("填写 mail.address 时须同时填写 mail.%s.host", name)
		case s.Port < 0 || s.Port > 65535:
			return configErrorf("mail.%s.port：应为端口号", name)
		case s.TLS != "" && s.TLS != "starttls" && s.TLS != "implicit" && (s.TLS != "none" || !demo):
			return configErrorf("mail.%s.tls：应为 starttls 或 implicit", name)
		}
	}
	return nil
}
