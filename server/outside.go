package server

import (
	"strings"

	"github.com/huiqi/huiqi/integrations/mail"
	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/integrations/sms"
	"github.com/huiqi/huiqi/integrations/wechat"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/message"
)

// outside are the clients of the outside systems; nil where the installation has none. They are the same in production
// and in a demo: only the addresses and the keys differ.
type outside struct {
	sender   message.Sender
	poster   message.Poster
	wechat   *wechat.Client
	registry *registry.Client
	scanner  file.Scanner

	// mailAddress is where people write to; "" where no mail is taken.
	mailAddress string
	mailer      *mail.Client
	mailbox     *mail.Box
}

// connect builds the clients of the installation, or of the demo's sandbox at the address.
func connect(c Config, d demoSettings, sandboxAddr string) (outside, error) {
	var o outside
	text := sms.Config{AccessKeyID: c.SMS.AccessKeyID, AccessKeySecret: c.SMS.AccessKeySecret, Endpoint: c.SMS.Endpoint, Scheme: c.SMS.Scheme, SignName: c.SMS.SignName}
	texts, posts := c.SMS.Templates, c.Wechat.Templates
	account := wechat.Config{AppID: c.Wechat.AppID, AppSecret: c.Wechat.Secret, Token: c.Wechat.Token, EncodingAESKey: c.Wechat.AESKey}
	companies := registry.Config{BaseURL: c.Registry.URL, Key: c.Registry.Key, Secret: c.Registry.Secret}
	if sandboxAddr != "" {
		text = sms.Config{AccessKeyID: d.Sandbox.SMSKeyID, AccessKeySecret: d.Sandbox.SMSKeySecret, Endpoint: sandboxAddr + "/sandbox/sms", Scheme: "http", SignName: "惠企台演示"}
		texts, posts = demoCodes(demoSMSPrefix, message.SMSNames()), demoCodes(demoWechatPrefix, message.WechatNames())
		account = wechat.Config{AppID: d.Sandbox.WechatAppID, AppSecret: d.Sandbox.WechatSecret, Token: d.Sandbox.WechatToken, EncodingAESKey: d.Sandbox.WechatAESKey,
			APIBase: "http://" + sandboxAddr + "/sandbox/wechat", OpenBase: c.PublicURL + "/sandbox/wechat", MPBase: c.PublicURL + "/sandbox/wechat"}
		companies = registry.Config{BaseURL: "http://" + sandboxAddr + "/sandbox/registry", Key: d.Sandbox.RegistryKey, Secret: d.Sandbox.RegistrySecret}
	}
	client, err := sms.New(text)
	if err != nil {
		return o, configErrorf("%v", err)
	}
	o.sender = texter{client: client, templates: texts}
	if account.AppID != "" {
		if o.wechat, err = wechat.New(account); err != nil {
			return o, configErrorf("%v", err)
		}
		o.poster = poster{client: o.wechat, templates: posts, base: strings.TrimSuffix(c.PublicURL, "/") + "/m"}
	}
	if companies.BaseURL != "" {
		if o.registry, err = registry.New(companies); err != nil {
			return o, configErrorf("%v", err)
		}
	}
	if err := o.connectMail(c.Mail); err != nil {
		return o, err
	}
	return o, o.connectScanner(c)
}
