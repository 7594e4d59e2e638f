package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/web"
)

// badConfigs are number 46: a configuration that cannot be used ends the program with 2 and one line that names the item,
// before anything is made.
func badConfigs(t *testing.T) []badInput {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	start := func(file, yaml string) func(*testing.T) answer {
		path := filepath.Join(dir, file)
		if yaml != "" {
			must(0, os.WriteFile(path, []byte(yaml), 0o600))(t)
		}
		return func(t *testing.T) answer {
			var out, errs bytes.Buffer
			code := Main([]string{"serve", "--config", path, "--data", data, "--listen", "127.0.0.1:0"}, &out, &errs)
			line, rest, _ := strings.Cut(errs.String(), "\n")
			if rest != "" || out.Len() > 0 {
				t.Errorf("more than a line: %s%s", errs.String(), out.String())
			}
			return answer{status: code, body: out.Bytes(), Problem: web.Problem{Detail: line}}
		}
	}
	missing, folder := filepath.Join(dir, "none"), filepath.Join(dir, "folder")
	must(0, os.Mkdir(folder, 0o700))(t)
	unmade := func(t *testing.T, a answer) {
		if _, err := os.Stat(data); err == nil {
			t.Error("the data directory was made")
		}
		if strings.ContainsAny(a.Detail, "\r\t") || strings.Contains(a.Detail, ".go:") || strings.Contains(a.Detail, "strconv") || strings.Contains(a.Detail, "decoding") {
			t.Errorf("%q", a.Detail)
		}
	}
	return followed([]badInput{
		{46, "no file", start("nowhere.yaml", ""), 2, "", "", "配置文件 nowhere.yaml 读不出，请检查路径和权限", nil},
		{46, "a folder", start("folder", ""), 2, "", "", "配置文件 folder 读不出，请检查路径和权限", nil},
		{46, "no YAML", start("torn.yaml", "listen: 127.0.0.1:0\npublic_url: [\n"), 2, "", "", "配置文件 torn.yaml 不是正确的 YAML，请检查第 2 行", nil},
		{46, "a list", start("list.yaml", "- a\n- b\n"), 2, "", "", "配置文件 list.yaml 不是正确的 YAML，请检查第 1 行", nil},
		{46, "text for a number", start("number.yaml", "requests_per_minute: many\n"), 2, "", "", "requests_per_minute：应为整数", nil},
		{46, "text for a number, deeper", start("deeper.yaml", "sms: {codes_per_day: many}\n"), 2, "", "", "sms.codes_per_day：应为整数", nil},
		{46, "text for a switch", start("switch.yaml", "demo: perhaps\n"), 2, "", "", "demo：应为 true 或 false", nil},
		{46, "text for a group", start("group.yaml", "sms: everything\n"), 2, "", "", "sms：应为一组配置", nil},
		{46, "a list for a text", start("text.yaml", "district: [a, b]\n"), 2, "", "", "district：应为文字", nil},
		{46, "an item nobody knows", start("unknown.yaml", "colour: red\n"), 2, "", "", "colour：没有这个配置项，请检查拼写", nil},
		{46, "an item nobody knows, deeper", start("unknown2.yaml", "sms: {colour: red}\n"), 2, "", "", "sms.colour：没有这个配置项，请检查拼写", nil},
		{46, "no key file", start("key.yaml", "secrets: {key_file: "+missing+"}\n"), 2, "", "", "secrets.key_file：" + missing + " 读不出，请检查路径和权限", nil},
		{46, "a key file that cannot be read", start("key2.yaml", "secrets: {key_file: "+folder+"}\n"), 2, "", "", "secrets.key_file：" + folder + " 读不出，请检查路径和权限", nil},
	}, unmade)
}
