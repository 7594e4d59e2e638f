package server

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/secret"
)

// Config is everything an installation can set. huiqi.example.yaml documents each key; HUIQI_SMS__SIGN_NAME in the
// environment is sms.sign_name; a flag wins over the environment, and that over the file.
type Config struct {
	Data           string   `koanf:"data"`
	Listen         string   `koanf:"listen"`
	Database       string   `koanf:"database"`
	Demo           bool     `koanf:"demo"`
	PublicURL      string   `koanf:"public_url"`
	District       string   `koanf:"district"`
	OpenDocs       bool     `koanf:"open_docs"`
	TrustedProxies []string `koanf:"trusted_proxies"`
	LogLevel       string   `koanf:"log_level"`
	// RequestsPerMinute bounds one address; 0 is 1,200. Offices behind one address share it.
	RequestsPerMinute int `koanf:"requests_per_minute"`
	// FirstAdminPhone gets the second factor of the first administrator; needed at the first start only.
	FirstAdminPhone string   `koanf:"first_admin_phone"`
	Secrets         Secrets  `koanf:"secrets"`
	Site            Site     `koanf:"site"`
	SMS             SMS      `koanf:"sms"`
	Wechat          Wechat   `koanf:"wechat"`
	Registry        Registry `koanf:"registry"`
	CTI             CTI      `koanf:"cti"`
	Exports         Exports  `koanf:"exports"`
	Imports         Imports  `koanf:"imports"`
	Files           Files    `koanf:"files"`
	Backup          Backup   `koanf:"backup"`
	Audit           Audit    `koanf:"audit"`
	Search          Search   `koanf:"search"`
	Desk            Desk     `koanf:"desk"`
	Mail            Mail     `koanf:"mail"`

	Operations Operations `koanf:"operations"`
	Policy     Policy     `koanf:"policy"`
	Redis      Redis      `koanf:"redis"`
	Tracing    Tracing    `koanf:"tracing"`
	Jobs       Jobs       `koanf:"jobs"`
	// DrainSeconds is how long a process that was told to end still serves while /readyz says no.
	DrainSeconds int `koanf:"drain_seconds"`
}

// Secrets are the root keys, 32 random bytes in base64 each.
type Secrets struct {
	Key string `koanf:"key"`
	// KeyFile is a file that holds the key instead, readable by the program only.
	KeyFile string `koanf:"key_file"`
	KeyID   string `koanf:"key_id"`
	// Ring is the file of several keys that huiqi keys looks after; once it is there, it holds and key is not used any more.
	Ring  string `koanf:"ring"`
	Suite string `koanf:"suite"` // gm or intl
}

// Site is what the footer of a government site must show.
type Site struct {
	Name         string `koanf:"name"`
	Host         string `koanf:"host"`
	Contact      string `koanf:"contact"`
	ICP          string `koanf:"icp"`
	PoliceRecord string `koanf:"police_record"`
	IDCode       string `koanf:"id_code"`
}

// SMS is the account at the provider (Aliyun).
type SMS struct {
	AccessKeyID     string `koanf:"access_key_id"`
	AccessKeySecret string `koanf:"access_key_secret"`
	Endpoint        string `koanf:"endpoint"`
	Scheme          string `koanf:"scheme"`
	SignName        string `koanf:"sign_name"`
	// Templates are the provider's codes of approved templates by our names; see message.SMSTexts.
	Templates map[string]string `koanf:"templates"`
	// CodesPerDay bounds the verification codes of a day, so that an attack costs no more than that; 0 does not.
	CodesPerDay int `koanf:"codes_per_day"`
	// QuietHours is when text messages that are not urgent wait, such as 22:00-08:00; none is never.
	QuietHours string `koanf:"quiet_hours"`
}

// Wechat is the official account.
type Wechat struct {
	AppID  string `koanf:"app_id"`
	Secret string `koanf:"secret"`
	Token  string `koanf:"token"`
	AESKey string `koanf:"aes_key"`
	// Templates are WeChat's ids of approved templates by our names; see message.WechatLayouts.
	Templates map[string]string `koanf:"templates"`
}

// Registry is the enterprise registry that verification asks.
type Registry struct {
	URL    string `koanf:"url"`
	Key    string `koanf:"key"`
	Secret string `koanf:"secret"`
}

// ConfigError is a configuration that cannot be used: one plain line in Chinese that names the item and what it should be, exit code 2.
type ConfigError struct{ Line string }

// Error returns the line.
func (e ConfigError) Error() string { return e.Line }

func configErrorf(format string, args ...any) error {
	return ConfigError{Line: fmt.Sprintf(format, args...)}
}

// configFileVariable names the configuration file in the environment.
const configFileVariable = "HUIQI_CONFIG_FILE"

// Load reads the configuration: defaults, the file, the environment, the flags.
func Load(path string, flags map[string]any) (Config, error) {
	k := koanf.New(".")
	defaults := map[string]any{
		"data": "data", "listen": "127.0.0.1:8080", "district": "北京市通州区", "log_level": "info",
		"secrets.key_id": "k1", "secrets.suite": "gm", "site.name": "惠企台", "files.storage": "folder", "sms.codes_per_day": 5000,
		"sms.quiet_hours": "22:00-08:00",
	}
	maps.Copy(defaults, sheetDefaults())
	maps.Copy(defaults, backupDefaults)
	maps.Copy(defaults, operationsDefaults)
	maps.Copy(defaults, tracingDefaults)
	maps.Copy(defaults, policyDefaults)
	maps.Copy(defaults, processDefaults)
	if err := k.Load(confmap.Provider(defaults, "."), nil); err != nil {
		return Config{}, err
	}
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			if unread := (*os.PathError)(nil); errors.As(err, &unread) {
				return Config{}, configErrorf("配置文件 %s 读不出，请检查路径和权限", filepath.Base(path))
			}
			where := "缩进和引号"
			if line := yamlLine.FindStringSubmatch(err.Error()); line != nil {
				where = "第 " + line[1] + " 行"
			}
			return Config{}, configErrorf("配置文件 %s 不是正确的 YAML，请检查%s", filepath.Base(path), where)
		}
	}
	err := k.Load(env.Provider("HUIQI_", ".", func(s string) string {
		if s == configFileVariable {
			return "" // says where the file is; no key of its own
		}
		return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s, "HUIQI_")), "__", ".")
	}), nil)
	if err != nil {
		return Config{}, err
	}
	if err := k.Load(confmap.Provider(flags, "."), nil); err != nil {
		return Config{}, err
	}
	var c Config
	var met mapstructure.Metadata
	err = k.UnmarshalWithConf("", &c, koanf.UnmarshalConf{Tag: "koanf", DecoderConfig: &mapstructure.DecoderConfig{
		WeaklyTypedInput: true, Result: &c, TagName: "koanf", Metadata: &met,
		DecodeHook: mapstructure.StringToSliceHookFunc(","),
	}})
	if err != nil {
		return Config{}, wrongKind(err)
	}
	if len(met.Unused) > 0 {
		slices.Sort(met.Unused)
		return Config{}, configErrorf("%s：没有这个配置项，请检查拼写", strings.Join(met.Unused, "、"))
	}
	return c, nil
}

// yamlLine is where the parser says that it stopped.
var yamlLine = regexp.MustCompile(`\bline (\d+)`)

// wrongKind names the item whose value is of another kind than it takes, and that kind.
func wrongKind(err error) error {
	var item *mapstructure.DecodeError
	if !errors.As(err, &item) {
		return configErrorf("配置无法使用，请检查拼写和类型")
	}
	want := reflect.Struct
	var unread *mapstructure.ParseError
	var other *mapstructure.UnconvertibleTypeError
	if errors.As(item, &unread) {
		want = unread.Expected.Kind()
	} else if errors.As(item, &other) {
		want = other.Expected.Kind()
	}
	kind := "一组配置"
	switch want {
	case reflect.Bool:
		kind = " true 或 false"
	case reflect.String:
		kind = "文字"
	case reflect.Slice:
		kind = "列表"
	case reflect.Int, reflect.Int64:
		kind = "整数"
	case reflect.Float64:
		kind = "数字"
	}
	return configErrorf("%s：应为%s", item.Name(), kind)
}

// finish fills what follows from the rest and refuses what must not run.
func (c *Config) finish() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return configErrorf("listen：%q 不是监听地址，例如 127.0.0.1:8080", c.Listen)
	}
	if c.PublicURL == "" {
		_, port, _ := net.SplitHostPort(c.Listen)
		c.PublicURL = "http://localhost:" + port
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return configErrorf("public_url：%q 不是网址，例如 https://hq.example.gov.cn", c.PublicURL)
	}
	if c.Database == "" {
		c.Database = filepath.Join(c.Data, "huiqi.db")
	}
	if err := errors.Join(c.Secrets.readKeyFile(), c.Backup.finish(c.Data)); err != nil {
		return err
	}
	if c.SMS.CodesPerDay < 0 {
		return configErrorf("sms.codes_per_day：应为 0（不限）或正整数")
	}
	if _, err := message.ParseQuietHours(c.SMS.QuietHours); err != nil {
		return configErrorf("sms.quiet_hours：%q 不是时段，例如 22:00-08:00；不设静默时段请填 none", c.SMS.QuietHours)
	}
	if err := c.Policy.check(); err != nil {
		return err
	}
	if err := errors.Join(c.Operations.check(), c.Tracing.check()); err != nil {
		return err
	}
	if err := errors.Join(c.checkSheets(), c.Desk.check()); err != nil {
		return err
	}
	for _, err := range []error{c.checkProcesses(), c.Files.check(c.Demo), c.Audit.Syslog.check(c.Demo), c.Search.Meilisearch.check(c.Demo), c.CTI.check(), c.Mail.check(c.Demo)} {
		if err != nil {
			return err
		}
	}
	if err := knownNames("sms.templates", c.SMS.Templates, message.SMSNames()); err != nil {
		return err
	}
	if err := knownNames("wechat.templates", c.Wechat.Templates, message.WechatNames()); err != nil {
		return err
	}
	if c.Demo {
		return nil
	}
	if u.Scheme != "https" {
		return configErrorf("public_url：正式运行须填写 https 网址；试用请加 --demo")
	}
	if _, err := os.Stat(c.Secrets.Ring); c.Secrets.Ring != "" && err == nil {
		if _, err := secret.ReadRing(c.Secrets.Ring); err != nil {
			return configErrorf("secrets.ring：%v", plain(err))
		}
	} else if c.Secrets.Key == "" {
		return configErrorf("缺少 secrets.key：请填写 `openssl rand -base64 32` 的输出；试用请加 --demo")
	}
	if _, err := secret.ParseKey(c.Secrets.Key); c.Secrets.Key != "" && err != nil {
		return configErrorf("secrets.key 强度不够：请填写 `openssl rand -base64 32` 的输出")
	}
	if c.SMS.AccessKeyID == "" || c.SMS.AccessKeySecret == "" || c.SMS.SignName == "" || c.SMS.Templates["code"] == "" {
		return configErrorf("sms：正式运行须填写 access_key_id、access_key_secret、sign_name 和 templates.code")
	}
	if c.SMS.Endpoint != "" && strings.Contains(c.SMS.Endpoint, "/sandbox/") {
		return configErrorf("sms.endpoint：正式运行不能使用沙箱地址")
	}
	if c.Registry.URL != "" && (c.Registry.Key == "" || c.Registry.Secret == "") {
		return configErrorf("registry：填写 url 时须同时填写 key 和 secret")
	}
	if strings.Contains(c.Registry.URL, "/sandbox/") {
		return configErrorf("registry.url：正式运行不能使用沙箱地址")
	}
	if c.Wechat.AppID != "" && (c.Wechat.Secret == "" || c.Wechat.Token == "" || len(c.Wechat.AESKey) != 43) {
		return configErrorf("wechat：填写 app_id 时须同时填写 secret、token 和 43 位的 aes_key")
	}
	return nil
}

// knownNames refuses a template under a name the program does not use: nobody would notice that it is never sent.
func knownNames(key string, templates map[string]string, names []string) error {
	for name := range templates {
		if !slices.Contains(names, name) {
			return configErrorf("%s.%s：没有这个模板，可用的有 %s", key, name, strings.Join(names, ", "))
		}
	}
	return nil
}
