package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/secret"
)

// good is a production configuration that may start.
func good() map[string]any {
	return map[string]any{
		"public_url": "https://hq.example.gov.cn", "secrets.key": secret.NewKey(), "sms.access_key_id": "id", "sms.access_key_secret": "s",
		"sms.sign_name": "惠企台", "sms.templates.code": "SMS_1",
	}
}

func TestConfigRefusals(t *testing.T) {
	cases := []struct {
		name string
		set  map[string]any
		says string
	}{
		{"complete", nil, ""},
		{"no key", map[string]any{"secrets.key": ""}, "缺少 secrets.key"},
		{"weak key", map[string]any{"secrets.key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, "强度不够"},
		{"short key", map[string]any{"secrets.key": "c2hvcnQ="}, "强度不够"},
		{"plain http", map[string]any{"public_url": "http://hq.example.gov.cn"}, "https"},
		{"no sms", map[string]any{"sms.sign_name": ""}, "sms："},
		{"no template of codes", map[string]any{"sms.templates.code": ""}, "templates.code"},
		{"template nobody sends", map[string]any{"sms.templates.aplication_progress": "SMS_2"}, "sms.templates.aplication_progress"},
		{"WeChat template nobody sends", map[string]any{"wechat.templates.code": "id"}, "wechat.templates.code"},
		{"notices without a template stay on the platform", map[string]any{"sms.templates.ticket_progress": "SMS_2"}, ""},
		{"sandbox", map[string]any{"sms.endpoint": "127.0.0.1:9/sandbox/sms"}, "不能使用沙箱地址"},
		{"unknown key", map[string]any{"sms.colour": "red"}, "colour"},
		{"no time of the day", map[string]any{"sms.quiet_hours": "at night"}, "quiet_hours"},
		{"negative budget", map[string]any{"sms.codes_per_day": -1}, "codes_per_day"},
		{"search without a key", map[string]any{"search.meilisearch.url": "http://127.0.0.1:7700"}, "search.meilisearch.key"},
		{"search at no address", map[string]any{"search.meilisearch.url": "127.0.0.1:7700", "search.meilisearch.key": "k"}, "search.meilisearch.url"},
		{"bad listen", map[string]any{"listen": "nowhere"}, "listen"},
		{"demo needs none of it", map[string]any{"demo": true, "secrets.key": "", "public_url": "", "sms.sign_name": ""}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			flags := good()
			for k, v := range c.set {
				flags[k] = v
			}
			flags["data"] = t.TempDir()
			conf, err := Load("", flags)
			if err == nil {
				err = conf.finish()
			}
			if c.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want one line with %q", err, c.says)
			}
			if _, ok := err.(ConfigError); !ok {
				t.Fatalf("%T is not a ConfigError", err)
			}
		})
	}
}

func TestConfigSourcesAndExitCode(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "huiqi.yaml")
	if err := os.WriteFile(file, []byte("district: 甲区\nsms:\n  sign_name: 文件\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HUIQI_SMS__SIGN_NAME", "环境")
	t.Setenv("HUIQI_SMS__TEMPLATES__TICKET_PROGRESS", "SMS_3")
	t.Setenv("HUIQI_CONFIG_FILE", file)
	c, err := Load(file, map[string]any{"listen": "127.0.0.1:1"})
	if err != nil || c.District != "甲区" || c.SMS.SignName != "环境" || c.SMS.Templates["ticket_progress"] != "SMS_3" || c.Listen != "127.0.0.1:1" {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := Load("../huiqi.example.yaml", nil); err != nil {
		t.Fatalf("the example: %v", err)
	}
	if err := os.WriteFile(file, []byte("colour: red\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := Main([]string{"serve", "--config", file, "--data", dir}, &out, &errs); code != 2 || strings.Count(errs.String(), "\n") != 1 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
}
