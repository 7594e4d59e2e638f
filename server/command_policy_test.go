package server_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/huiqi/huiqi/server"
)

// command runs the program as the terminal does.
func command(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = server.Main(args, &o, &e)
	return code, o.String(), e.String()
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const policyText = "通州区示例办法\n一、申报条件\n（一）注册在通州区；\n（二）从业人员20人以上；\n（三）上年度营业收入3000万元以上，或者研发费用占营业收入比例不低于3%；\n（四）技术水平国内领先。\n"

const companyJSON = `{"name":"示例公司","facts":{"region":"110112010","industry":"6513","employees":18,"revenue":"2600万元","rdSpend":"91万元"}}`

// TestPolicyAtTheCommandLine drafts a text, holds a company against the draft and reads both answers.
func TestPolicyAtTheCommandLine(t *testing.T) {
	t.Parallel()
	code, out, errs := command("policy", "draft", written(t, "p.txt", policyText))
	if code != 0 || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var d struct {
		Clauses      []map[string]any `json:"clauses"`
		NotDecidable []string         `json:"not_decidable"`
	}
	if err := json.Unmarshal([]byte(out), &d); err != nil || len(d.Clauses) != 4 || len(d.NotDecidable) != 1 || len(d.Clauses[0]) != 8 {
		t.Fatalf("%v: %s", err, out)
	}
	draft, company := written(t, "d.json", out), written(t, "c.json", companyJSON)
	code, out, errs = command("policy", "match", "--policy", draft, "--company", company, "--on", "2026-11-29")
	if code != 0 || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{"结论：接近", "还差 2 人", "要求：不低于 20 人", "现有：18 人", "原文：从业人员20人以上", "满足任意一条即可：符合", "需人工判定"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	code, out, _ = command("policy", "match", "--policy", draft, "--company", company, "--on", "2026-11-29", "--json")
	var m struct {
		Outcome struct{ Decision, On string }
	}
	if err := json.Unmarshal([]byte(out), &m); code != 0 || err != nil || m.Outcome.Decision != "near" || m.Outcome.On != "2026-11-29" {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}

// TestWhatPolicyCommandsRefuse: a file that cannot be used ends with exit code 2 and one sentence that says what to do.
func TestWhatPolicyCommandsRefuse(t *testing.T) {
	t.Parallel()
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(policyText)
	if err != nil {
		t.Fatal(err)
	}
	good, company := written(t, "p.json", `{"conditions":{"field":"employees","op":"gte","value":20,"unit":"人"}}`), written(t, "c.json", companyJSON)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"policy", "draft", written(t, "g.txt", gbk)}, "iconv"},
		{[]string{"policy", "draft", written(t, "e.txt", "")}, "没有内容"},
		{[]string{"policy", "draft", "/nowhere/p.txt"}, "打不开"},
		{[]string{"policy", "match", "--policy", written(t, "x.json", `{"conditions":{"field":"people","op":"gte","value":1}}`), "--company", company}, "没有名为「people」的字段"},
		{[]string{"policy", "match", "--policy", written(t, "y.json", `{"title":"空"}`), "--company", company}, "没有申报条件"},
		{[]string{"policy", "match", "--policy", good, "--company", written(t, "u.json", `{"facts":{"revenue":2600}}`)}, "要写明单位"},
		{[]string{"policy", "match", "--policy", good, "--company", written(t, "v.json", `{"fact":{}}`)}, "docs/policy-commands.md"},
		{[]string{"policy", "match", "--policy", good, "--company", company, "--on", "29.11."}, "不是日期"},
	} {
		code, out, errs := command(c.args...)
		if code != 2 || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, out %q, errs %q, want %q", c.args, code, out, errs, c.want)
		}
	}
}

func TestCheckCodeAtTheCommandLine(t *testing.T) {
	t.Parallel()
	if code, out, _ := command("check-code", "914403001922038216"); code != 0 || !strings.Contains(out, "正确") || !strings.Contains(out, "市场监督管理") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out, _ := command("check-code", "914403001922032816"); code != 1 || !strings.Contains(out, "914403001922038216  第 15、16 位颠倒") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out, _ := command("check-code", "--json", "914403001922032816"); code != 1 || !json.Valid([]byte(out)) {
		t.Errorf("exit %d: %s", code, out)
	}
}

// TestARangeStandsTogether: both ends of a range after 或 hold together, and a span that leaves its lower end out is judged.
func TestARangeStandsTogether(t *testing.T) {
	t.Parallel()
	text := "示例办法\n一、申报条件\n（一）从业人员20人以上，或成立5年（不含）至9年。\n"
	code, out, errs := command("policy", "draft", written(t, "p.txt", text))
	if code != 0 {
		t.Fatal(errs)
	}
	d := written(t, "d.json", out)
	for day, want := range map[string]string{"2021-12-01": "结论：接近", "2021-11-29": "结论：接近", "2021-11-28": "结论：符合", "2017-11-29": "结论：符合", "2016-01-01": "结论：接近"} {
		company := written(t, "c.json", `{"name":"示例公司","facts":{"employees":3,"established":"`+day+`"}}`)
		code, out, errs := command("policy", "match", "--policy", d, "--company", company, "--on", "2026-11-29")
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("founded %s: exit %d, want %s: %s%s", day, code, want, out, errs)
		}
	}
}
