package server

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/robfig/cron/v3"
	"gopkg.in/yaml.v3"

	"github.com/huiqi/huiqi/platform/snapshot"
)

// Backup says where and when backup sets are made, and who can read them.
type Backup struct {
	// To is the folder of the sets; empty is backups in the data directory. CopyTo is a second one, on another machine.
	To     string `koanf:"to"`
	CopyTo string `koanf:"copy_to"`
	// Recipients are public keys of age; their identities are kept elsewhere.
	Recipients []string `koanf:"recipients"`
	Cron       string   `koanf:"cron"`
	Daily      int      `koanf:"daily"`
	Weekly     int      `koanf:"weekly"`
	Monthly    int      `koanf:"monthly"`
	// IncludeSecrets puts the secrets of the configuration into the encrypted set.
	IncludeSecrets bool   `koanf:"include_secrets"`
	Scratch        string `koanf:"scratch"`
	PostgresBin    string `koanf:"postgres_bin"`
}

var backupDefaults = map[string]any{"backup.cron": "30 2 * * *", "backup.daily": 7, "backup.weekly": 4, "backup.monthly": 12}

// finish fills what follows from the data directory and refuses what would fail at night.
func (b *Backup) finish(data string) error {
	b.fill(data)
	if _, err := snapshot.ParseRecipients(b.Recipients); err != nil {
		return configErrorf("backup.recipients：应为 age 公钥（以 age1 开头，由 huiqi backup keygen 生成），不能填写私钥")
	}
	if s, err := cron.ParseStandard(b.Cron); err != nil {
		return configErrorf("backup.cron：%q 不是五段 cron 表达式，例如 30 2 * * *", b.Cron)
	} else if _, fields := s.(*cron.SpecSchedule); !fields {
		return configErrorf("backup.cron：%q 不是五段 cron 表达式，例如 30 2 * * *", b.Cron)
	}
	if b.Daily < 1 || b.Weekly < 0 || b.Monthly < 0 {
		return configErrorf("backup：daily 应不小于 1，weekly、monthly 应不小于 0")
	}
	to, copyTo := absolute(b.To), absolute(b.CopyTo)
	if b.CopyTo != "" && (to == copyTo || strings.HasPrefix(copyTo+string(filepath.Separator), to+string(filepath.Separator))) {
		return configErrorf("backup.copy_to：须在 backup.to 之外，最好在另一台机器上")
	}
	if b.PostgresBin != "" {
		if _, err := os.Stat(filepath.Join(b.PostgresBin, "pg_dump")); err != nil {
			return configErrorf("backup.postgres_bin：%s 中没有 pg_dump", b.PostgresBin)
		}
	}
	return nil
}

// fill fills what follows from the data directory.
func (b *Backup) fill(data string) {
	if b.To == "" {
		b.To = filepath.Join(data, "backups")
	}
	if b.Scratch == "" {
		b.Scratch = data
	}
}

func (b *Backup) retention() snapshot.Retention {
	return snapshot.Retention{Daily: b.Daily, Weekly: b.Weekly, Monthly: b.Monthly}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// readKeyFile puts the root key in its place when it is kept in a file of its own.
func (s *Secrets) readKeyFile() error {
	if s.KeyFile == "" {
		return nil
	}
	if s.Key != "" {
		return configErrorf("secrets：key 和 key_file 不能同时填写，请保留一项")
	}
	raw, err := os.ReadFile(s.KeyFile)
	if err != nil {
		return configErrorf("secrets.key_file：%s 读不出，请检查路径和权限", s.KeyFile)
	}
	if s.Key = string(bytes.TrimSpace(raw)); s.Key == "" {
		return configErrorf("secrets.key_file：%s 是空文件", s.KeyFile)
	}
	return nil
}

// document writes the configuration in use as a file that Load reads. Without secrets every key that may hold one is
// left empty, and addresses lose their passwords.
func (c Config) document(secrets bool) ([]byte, error) {
	m := settings(reflect.ValueOf(c), secrets)
	var b bytes.Buffer
	fmt.Fprintf(&b, "# 惠企台 %s 备份时的配置。", version)
	if !secrets {
		b.WriteString("密钥、口令等未包含在内，恢复时请从密钥保管处取回填写。")
	}
	b.WriteString("\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(m); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// settings turns a struct of the configuration into what its file would hold.
func settings(v reflect.Value, secrets bool) map[string]any {
	m := map[string]any{}
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Tag.Get("koanf"), v.Field(i)
		switch {
		case name == "":
		case f.Kind() == reflect.Struct:
			m[name] = settings(f, secrets)
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			list := []any{}
			for n := range f.Len() {
				list = append(list, settings(f.Index(n), secrets))
			}
			m[name] = list
		case !secrets && secretName(name) && !f.IsZero():
			m[name] = reflect.Zero(f.Type()).Interface()
		case !secrets && f.Kind() == reflect.String:
			m[name] = withoutPassword(f.String())
		default:
			m[name] = f.Interface()
		}
	}
	return m
}

// secretName says whether a setting may hold a secret; rather one too many than one too few.
func secretName(name string) bool {
	if name == "key_id" || name == "key_file" {
		return false
	}
	for _, word := range []string{"key", "secret", "password", "token", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func withoutPassword(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	if _, has := u.User.Password(); !has {
		return s
	}
	u.User = url.User(u.User.Username())
	return u.String()
}
