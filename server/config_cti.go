package server

import (
	"net/url"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// CTI is the telephone platform that tells of calls.
type CTI struct {
	// Secret signs its events (Standard Webhooks); empty takes none.
	Secret string `koanf:"secret"`
	// RecordingHosts are the hosts a recording may lie on, with the port when it is not the usual one.
	RecordingHosts []string `koanf:"recording_hosts"`
}

func (c CTI) check() error {
	if c.Secret != "" {
		if _, err := standardwebhooks.NewWebhook(c.Secret); err != nil {
			return configErrorf("cti.secret：应为 base64，可带 whsec_ 前缀")
		}
	}
	for _, h := range c.RecordingHosts {
		if u, err := url.Parse("https://" + h); err != nil || u.Host != h {
			return configErrorf("cti.recording_hosts：%q 不是主机名，例如 record.example.gov.cn", h)
		}
	}
	return nil
}

// demoCTI has the sandbox be the telephone platform of a demo.
func (c *Config) demoCTI(d demoSettings) {
	if c.CTI.Secret != "" {
		return
	}
	c.CTI.Secret = d.Sandbox.CTISecret
	if u, err := url.Parse(c.PublicURL); err == nil {
		c.CTI.RecordingHosts = append(c.CTI.RecordingHosts, u.Host)
	}
}
