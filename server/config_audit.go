package server

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
)

// Audit says where the audit log is kept besides the database.
type Audit struct {
	// Anchors is the folder of the daily anchor files; empty is anchors in the data directory.
	Anchors string `koanf:"anchors"`
	Syslog  Syslog `koanf:"syslog"`
}

// Syslog is a receiver that gets every entry of the audit log.
type Syslog struct {
	// Address is host:port; empty ships nothing.
	Address string `koanf:"address"`
	// Plain sends without TLS: for a receiver on this machine only.
	Plain bool `koanf:"plain"`
	// CAFile holds the certificates that may vouch for the receiver, PEM; empty is those of the system.
	CAFile string `koanf:"ca_file"`
	// ServerName is the name in the receiver's certificate; empty is the host of the address.
	ServerName string `koanf:"server_name"`
	// CertFile and KeyFile are this installation's own certificate, when the receiver asks for one.
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`
}

// anchorDir is the folder of the anchors.
func (c Config) anchorDir() string {
	if c.Audit.Anchors != "" {
		return c.Audit.Anchors
	}
	return filepath.Join(c.Data, "anchors")
}

func (s Syslog) check(demo bool) error {
	if s.Address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return configErrorf("audit.syslog.address：%q 不是地址，例如 log.example.gov.cn:6514", s.Address)
	}
	if ip := net.ParseIP(host); s.Plain && !demo && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return configErrorf("audit.syslog.plain：只能用于本机的接收端，日志记有何人何时所办何事，不能明文外传")
	}
	_, err = s.tls()
	return err
}

// tls is how the receiver is spoken to, nil without TLS.
func (s Syslog) tls() (*tls.Config, error) {
	if s.Plain {
		return nil, nil
	}
	host, _, _ := net.SplitHostPort(s.Address)
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	if c.ServerName == "" {
		c.ServerName = host
	}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, configErrorf("audit.syslog.ca_file：%s 读不出，请检查路径和权限", s.CAFile)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, configErrorf("audit.syslog.ca_file：%s 中没有证书", s.CAFile)
		}
	}
	if s.CertFile != "" || s.KeyFile != "" {
		cert, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, configErrorf("audit.syslog.cert_file：证书和私钥无法使用：%v", err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}
