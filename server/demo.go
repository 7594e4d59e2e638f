package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/demo"
)

// demoFile marks a data directory as a demo for good and holds its generated secrets.
const demoFile = "demo.json"

// demoSettings are the secrets of one demo directory, shared by the server and its sandbox process.
type demoSettings struct {
	Key     string          `json:"key"`
	Sandbox sandbox.Secrets `json:"sandbox"`
}

// isDemo reports whether the directory was made with --demo.
func isDemo(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, demoFile))
	return err == nil
}

// readDemo returns the demo's secrets, made at the first start.
func readDemo(dir string) (demoSettings, error) {
	path := filepath.Join(dir, demoFile)
	// #nosec G304 -- a fixed name in the data directory
	b, err := os.ReadFile(path)
	if err == nil {
		var d demoSettings
		if err := json.Unmarshal(b, &d); err != nil {
			return d, configErrorf("数据目录中的 %s 已损坏，请删除该目录后重新开始演示", demoFile)
		}
		return d, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return demoSettings{}, err
	}
	if _, err := os.Stat(filepath.Join(dir, "huiqi.db")); err == nil {
		return demoSettings{}, configErrorf("该数据目录属于正式系统，--demo 须另用一个目录")
	}
	d := demoSettings{Key: secret.NewKey(), Sandbox: sandbox.Secrets{
		SMSKeyID: "demo" + secret.Digits(8), SMSKeySecret: secret.Token(), WechatAppID: "wxdemo" + secret.Digits(12), WechatSecret: secret.Token(),
		WechatToken: secret.Digits(16), WechatAESKey: secret.NewKey()[:43], RegistryKey: "demo", RegistrySecret: secret.Token(),
		PartnerSecret: "whsec_" + secret.NewKey(), CTISecret: "whsec_" + secret.NewKey(), MailPassword: secret.Token(),
	}}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return d, err
	}
	if b, err = json.MarshalIndent(d, "", "  "); err != nil {
		return d, err
	}
	return d, os.WriteFile(path, b, 0o600)
}

// freeAddresses finds n addresses nobody listens on; all are held until the last is found.
func freeAddresses(n int) ([]string, error) {
	var list []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		list = append(list, l.Addr().String())
	}
	return list, nil
}

// startSandbox runs the sandbox as a child process, makes its scanner the one of c, and returns its address. The child ends when this process does,
// however it does: its standard input closes.
func startSandbox(ctx context.Context, c *Config) (addr string, wait func(), err error) {
	free, err := freeAddresses(4)
	if err != nil {
		return "", nil, err
	}
	addr, c.Files.Clamd = free[0], "tcp://"+free[1]
	if err := c.demoMail(free[2], free[3]); err != nil {
		return "", nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	// #nosec G204 -- runs this program itself with settings of the operator
	cmd := exec.CommandContext(ctx, self, "sandbox", "--data", c.Data, "--listen", addr, "--public-url", c.PublicURL, "--clamd", free[1], "--smtp", free[2], "--imap", free[3], "--until-eof")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("start the sandbox: %w", err)
	}
	wait = func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
	client := http.Client{Timeout: time.Second}
	for range 200 {
		res, err := client.Get("http://" + addr + "/sandbox/api/phones")
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			return addr, wait, nil
		}
		select {
		case <-ctx.Done():
			wait()
			return "", nil, ctx.Err()
		case <-time.After(25 * time.Millisecond):
		}
	}
	wait()
	return "", nil, errors.New("the sandbox did not start; see its messages above")
}

// sandboxAddresses are where the sandbox speaks something else than HTTP.
type sandboxAddresses struct{ clamd, smtp, imap string }

// demoMail has the demo read and write mail at the sandbox.
func (c *Config) demoMail(smtp, imap string) error {
	d, err := readDemo(c.Data)
	if err != nil {
		return err
	}
	server := func(addr string) (MailServer, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return MailServer{}, err
		}
		n, err := strconv.Atoi(port)
		return MailServer{Host: host, Port: n, TLS: "none"}, err
	}
	c.Mail.Address = sandbox.InboxAddress
	if c.Mail.SMTP, err = server(smtp); err != nil {
		return err
	}
	if c.Mail.IMAP, err = server(imap); err != nil {
		return err
	}
	c.Mail.IMAP.Username, c.Mail.IMAP.Password = sandbox.InboxUser, d.Sandbox.MailPassword
	return nil
}

// runSandbox is the sandbox process.
func runSandbox(ctx context.Context, c Config, at sandboxAddresses, untilEOF bool) error {
	d, err := readDemo(c.Data)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if untilEOF {
		go func() {
			_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
			cancel()
		}()
	}
	world, err := demo.Generate(time.Now())
	if err != nil {
		return err
	}
	s, err := sandbox.New(sandbox.Options{
		Companies: registered(world), DataDir: filepath.Join(c.Data, "sandbox"), Listen: c.Listen, PublicBase: c.PublicURL, SMTPListen: at.smtp, IMAPListen: at.imap, ClamdListen: at.clamd,
		CallbackURL: strings.TrimSuffix(c.PublicURL, "/") + "/callback/wechat", Secrets: d.Sandbox,
		SMSTemplates: demoTexts(), WechatTemplates: demoLayouts(),
	})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Run(ctx)
}

// registered are the companies of the demo district as the registry knows them.
func registered(w demo.World) []registry.Company {
	list := make([]registry.Company, 0, len(w.Companies))
	for _, c := range w.Companies {
		list = append(list, registry.Company{Name: c.Name, CreditCode: c.CreditCode, LegalPerson: c.LegalPerson, Established: c.Established,
			RegisteredCapital: c.Capital, IndustryCode: c.Industry, Address: c.Address, Status: "存续", Street: c.Street})
	}
	return list
}

// The demo's providers have approved every template, under the code that follows from our name.
const (
	demoSMSPrefix    = "SMS_DEMO_"
	demoWechatPrefix = "WX_DEMO_"
)

// demoCodes maps our names to the codes of the sandbox.
func demoCodes(prefix string, names []string) map[string]string {
	codes := make(map[string]string, len(names))
	for _, n := range names {
		codes[n] = prefix + strings.ToUpper(n)
	}
	return codes
}

func demoTexts() map[string]string {
	texts := map[string]string{}
	for name, text := range message.SMSTexts() {
		texts[demoSMSPrefix+strings.ToUpper(name)] = text
	}
	return texts
}

func demoLayouts() map[string]sandbox.WechatTemplate {
	layouts := map[string]sandbox.WechatTemplate{}
	for name, l := range message.WechatLayouts() {
		t := sandbox.WechatTemplate{Title: l.Title}
		for _, f := range l.Fields {
			t.Fields = append(t.Fields, sandbox.TemplateField(f))
		}
		layouts[demoWechatPrefix+strings.ToUpper(name)] = t
	}
	return layouts
}
