package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/huiqi/huiqi/platform/secret"
)

// TestUnusableConfigurationStopsTheStart is bad input 46: one line on standard error, exit 2, nothing made.
func TestUnusableConfigurationStopsTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	complete := "public_url: https://hq.example.gov.cn\nsms: {access_key_id: id, access_key_secret: s, sign_name: 惠企台, templates: {code: SMS_1}}\n"
	unreadable := filepath.Join(dir, "key")
	if err := os.Mkdir(unreadable, 0o700); err != nil { // a folder cannot be read as a file, not even by root
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(dir, "short")
	if err := os.WriteFile(short, []byte("c2hvcnQ=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ yaml, says string }{
		"missing file":             {"", "读不出"},
		"not YAML":                 {"public_url: [", "不是正确的 YAML"},
		"a list":                   {"- a\n- b\n", "不是正确的 YAML"},
		"unknown key":              {complete + "colour: red\n", "colour"},
		"unknown key, deeper":      {complete + "backup: {colour: red}\n", "colour"},
		"text for a number":        {complete + "requests_per_minute: many\n", "requests_per_minute"},
		"text for a group":         {"sms: everything\n", "sms"},
		"list for a text":          {complete + "district: [a, b]\n", "district"},
		"number for a switch":      {complete + "demo: perhaps\n", "demo"},
		"key file missing":         {complete + "secrets: {key_file: " + filepath.Join(dir, "none") + "}\n", "secrets.key_file："},
		"key file unreadable":      {complete + "secrets: {key_file: " + unreadable + "}\n", "secrets.key_file："},
		"key file empty":           {complete + "secrets: {key_file: " + empty + "}\n", "是空文件"},
		"key file weak":            {complete + "secrets: {key_file: " + short + "}\n", "secrets.key 强度不够"},
		"key and key file":         {complete + "secrets: {key: a, key_file: " + short + "}\n", "不能同时填写"},
		"recipient":                {complete + "backup: {recipients: [age1nonsense]}\n", "backup.recipients"},
		"a private key by mistake": {complete + "backup: {recipients: [AGE-SECRET-KEY-1QQQ]}\n", "backup.recipients"},
		"time of the backup":       {complete + "backup: {cron: nightly}\n", "backup.cron"},
		"an interval":              {complete + "backup: {cron: '@every 5m'}\n", "backup.cron"},
		"keep none":                {complete + "backup: {daily: 0}\n", "backup：daily"},
		"copy into itself":         {complete + "backup: {to: " + dir + "/sets, copy_to: " + dir + "/sets/copy}\n", "backup.copy_to"},
		"no such tools":            {complete + "backup: {postgres_bin: /nowhere}\n", "backup.postgres_bin"},
	} {
		file := filepath.Join(t.TempDir(), "huiqi.yaml")
		if c.yaml != "" {
			if err := os.WriteFile(file, []byte(c.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		data := filepath.Join(t.TempDir(), "data")
		var out, errs bytes.Buffer
		code := Main([]string{"serve", "--config", file, "--data", data, "--listen", "127.0.0.1:0"}, &out, &errs)
		if said := errs.String(); code != 2 || strings.Count(said, "\n") != 1 || !strings.Contains(said, c.says) || strings.Contains(said, "AGE-SECRET-KEY-1QQQ") {
			t.Errorf("%s: exit %d: %s", name, code, said)
		}
		if _, err := os.Stat(data); err == nil {
			t.Errorf("%s: the data directory was made", name)
		}
	}
}

func TestKeyFileAndBackupSettings(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), secret.NewKey()
	file := filepath.Join(dir, "root.key")
	if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	flags := good()
	delete(flags, "secrets.key")
	flags["secrets.key_file"], flags["data"], flags["backup.recipients"] = file, dir, []string{id.Recipient().String()}
	c, err := Load("", flags)
	if err == nil {
		err = c.finish()
	}
	if err != nil || c.Secrets.Key != key || c.Backup.To != filepath.Join(dir, "backups") || c.Backup.Cron != "30 2 * * *" || c.Backup.retention().Monthly != 12 {
		t.Fatalf("%+v %v", c.Backup, err)
	}
	// What goes into a set holds no secret, reads as a configuration again, and says so of every key that may be one.
	c.Database = "postgres://huiqi:hunter2@db/huiqi"
	c.Wechat.AESKey, c.Registry.Secret = "aes-aes-aes", "registry-registry"
	raw, err := c.document(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{key, "hunter2", "aes-aes-aes", "registry-registry"} {
		if bytes.Contains(raw, []byte(hidden)) {
			t.Errorf("the configuration in the set holds %q", hidden)
		}
	}
	restored := filepath.Join(dir, "huiqi.restored.yaml")
	if err := os.WriteFile(restored, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Load(restored, nil)
	if err != nil || again.Site.Name != c.Site.Name || again.SMS.Templates["code"] != "SMS_1" || again.Database != "postgres://huiqi@db/huiqi" || len(again.Backup.Recipients) != 1 {
		t.Fatalf("%+v %v", again, err)
	}
	if raw, err = c.document(true); err != nil || !bytes.Contains(raw, []byte("registry-registry")) {
		t.Fatalf("asked for, the secrets are left out: %v", err)
	}
}
