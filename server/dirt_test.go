package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/huiqi/huiqi/platform/uscc"
)

// TestDirtOfARegister takes in a register with over fifty kinds of dirt, one a row, as a Chinese Excel saves a CSV (GBK), and
// then once more with a byte order mark. Each row is accounted for with what is wrong with it; what a person must decide
// waits for them; nothing of a bad row reaches the register. Merged heads, hidden sheets, formulas and broken files are in
// TestBadInputs.
func TestDirtOfARegister(t *testing.T) {
	t.Parallel()
	h := testHouse(t)
	token := operatorToken(t, h)
	code := func(n int) string { return string(uscc.Demo(n)) }
	wide := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
				return r - '!' + '！'
			}
			return r
		}, s)
	}
	// slip is a valid code of which two characters differ: what a person who mistypes and mends the check makes.
	slip := func(n int) string {
		base := code(n)
		for m := 1; m < 200_000; m++ {
			other, diff := code(m), 0
			for i := range base {
				if other[i] != base[i] {
					diff++
				}
			}
			if diff > 0 && diff <= 2 {
				return other
			}
		}
		t.Fatal("no code lies near")
		return ""
	}
	wrong := func(n int) string {
		b := []byte(code(n))
		b[17] = map[bool]byte{true: '1', false: '0'}[b[17] == '0']
		return string(b)
	}
	type dirt struct {
		what  string
		cells map[string]string
		state string // good, bad, review; then created unless dropped
		code  string // of the problem
	}
	n := 1000
	next := func() string { n++; return code(n) }
	with := func(name, code string, more ...string) map[string]string {
		m := map[string]string{"企业名称": name, "统一社会信用代码": code}
		for i := 0; i+1 < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	old := "110112001234563" // made valid below
	for d := '0'; d <= '9'; d++ {
		if candidate := old[:14] + string(d); validOld(candidate) {
			old = candidate
		}
	}
	badOld := old[:14] + string('0'+(old[14]-'0'+1)%10)
	rows := []dirt{
		{"clean", with("洁净企业有限公司", next()), "good", ""},
		{"code in full width", with("全角代码有限公司", wide(next())), "good", ""},
		{"code in lower case", with("小写代码有限公司", strings.ToLower(next())), "good", ""},
		{"code with blanks", with("空格代码有限公司", strings.Join(strings.SplitAfter(next(), "0"), " ")), "good", ""},
		{"code with hyphens", with("横线代码有限公司", code(1990)[:8]+"-"+code(1990)[8:]), "good", ""},
		{"code with an ideographic blank", with("全角空格有限公司", "\u3000"+next()+"\u3000"), "good", ""},
		{"letter O for a zero", with("字母代码有限公司", strings.Replace(next(), "0", "O", 1)), "bad", "BAD_USCC"},
		{"wrong check character", with("错码有限公司", wrong(1991)), "bad", "BAD_USCC"},
		{"17 characters", with("少位有限公司", next()[:17]), "bad", "BAD_USCC"},
		{"19 characters", with("多位有限公司", next()+"1"), "bad", "BAD_USCC"},
		{"no code", with("无码有限公司", ""), "bad", "REQUIRED"},
		{"a word for a code", with("文字代码有限公司", "办理中"), "bad", "BAD_USCC"},
		{"old number of a company we know", with("北京麦香烘焙有限公司", old), "bad", "RECORD_EXISTS"}, // refuse: it is there
		{"old number of nobody we know", with("查无此企有限公司", old), "bad", "OLD_NUMBER"},
		{"old number with a wrong check", with("旧号错误有限公司", badOld), "bad", "BAD_USCC"},
		{"organisation code", with("组织机构有限公司", code(1992)[8:17]), "bad", "BAD_USCC"},
		{"scientific notation", with("科学计数有限公司", "9.11101E+17"), "bad", "NUMBER_LOST"},
		{"first of two", with("重复企业有限公司", code(1993)), "good", ""},
		{"the same code again", with("重复企业有限公司", code(1993)), "bad", "DUPLICATE_ROW"},
		{"the same code under another name", with("换名企业有限公司", wide(code(1993))), "bad", "DUPLICATE_ROW"},
		{"there already, and twice in the file", with("北京麦香烘焙有限公司", code(100)), "bad", "DUPLICATE_ROW"},
		{"name we know, code that looks like a slip", with("北京麦香烘焙有限公司", slip(100)), "review", "NEAR_CODE"},
		{"first of two near ones", with("相近企业有限公司", code(50)), "good", ""},
		{"the same name, a code near it", with("相近企业有限公司", slip(50)), "review", "NEAR_CODE"},
		{"the same name, quite another code", with("同名企业有限公司", next()), "good", ""},
		{"the same name again", with("同名企业有限公司", "9199000076543210"), "bad", "BAD_USCC"},
		{"no name", with("", next()), "bad", "REQUIRED"},
		{"blanks for a name", with(" \u3000 ", next()), "bad", "REQUIRED"},
		{"name of one character", with("甲", next()), "bad", "*"},
		{"name too long", with(strings.Repeat("长", 101), next()), "bad", "*"},
		{"name in full-width brackets", with("括号（北京）有限公司", next()), "good", ""},
		{"name with blanks around", with("  空白有限公司  ", next()), "good", ""},
		{"markup for a name", with("<script>alert(1)</script>", next()), "good", ""},
		{"formula for a name", with("=1+1有限公司", next()), "good", ""},
		{"a day that is none", with("坏日期有限公司", next(), "成立日期", "2026-02-30"), "bad", "BAD_DATE"},
		{"a day to come", with("未来有限公司", next(), "成立日期", "2099-01-01"), "bad", "BAD_DATE"},
		{"a day with dots", with("点日期有限公司", next(), "成立日期", "2020.3.8"), "good", ""},
		{"a day in full width", with("全角日期有限公司", next(), "成立日期", "２０２０年３月８日"), "good", ""},
		{"a day in words", with("汉字日期有限公司", next(), "成立日期", "二〇二〇年三月"), "bad", "BAD_DATE"},
		{"a day of 1700", with("古代有限公司", next(), "成立日期", "1700-01-01"), "bad", "BAD_DATE"},
		{"capital in words", with("汉字资本有限公司", next(), "注册资本（万元）", "五百"), "bad", "NUMBER"},
		{"capital with its unit", with("单位资本有限公司", next(), "注册资本（万元）", "500万元"), "good", ""},
		{"capital with thousands marks", with("千分位有限公司", next(), "注册资本（万元）", "1,000.50"), "good", ""},
		{"capital below zero", with("负资本有限公司", next(), "注册资本（万元）", "-5"), "bad", "NUMBER"},
		{"capital with three places", with("三位小数有限公司", next(), "注册资本（万元）", "1.234"), "bad", "NUMBER"},
		{"capital beyond all", with("天价资本有限公司", next(), "注册资本（万元）", "99999999999"), "bad", "NUMBER"},
		{"staff with a half", with("半人有限公司", next(), "从业人员", "14.5"), "bad", "NUMBER"},
		{"staff in words", with("约数有限公司", next(), "从业人员", "约20"), "bad", "NUMBER"},
		{"staff in full width", with("全角人数有限公司", next(), "从业人员", "２０"), "good", ""},
		{"more staff than the district has", with("百万员工有限公司", next(), "从业人员", "999999"), "review", "QUALITY"},
		{"industry nobody knows", with("坏行业有限公司", next(), "所属行业", "没有这个行业"), "bad", "INDUSTRY"},
		{"industry by name", with("行业名称有限公司", next(), "所属行业", "糕点、面包制造"), "good", ""},
		{"street nobody knows", with("坏街道有限公司", next(), "所在街道（镇）", "没有这个街道"), "bad", "REGION"},
		{"street in short", with("街道简称有限公司", next(), "所在街道（镇）", "临河里"), "good", ""},
		{"telephone too short", with("坏电话有限公司", next(), "联系电话", "139-0000"), "bad", "BAD_PHONE"},
		{"telephone in full width", with("全角电话有限公司", next(), "联系电话", "１３８００１３８０００"), "good", ""},
		{"a word for a standing", with("状态随意有限公司", next(), "登记状态", "还在开"), "good", ""},
		{"revenue without staff", with("缺人数有限公司", next(), "上年营业收入（万元）", "1200"), "good", ""},
		{"error of a spreadsheet", with("#REF!", next()), "bad", "CELL_ERROR"},
		{"error of a formula among the numbers", with("公式错误有限公司", next(), "从业人员", "#DIV/0!"), "bad", "CELL_ERROR"},
	}
	heads := []string{"企业名称", "统一社会信用代码", "法定代表人", "所在街道（镇）", "所属行业", "成立日期", "注册资本（万元）", "从业人员", "上年营业收入（万元）", "登记状态", "登记住所", "联系电话"}
	line := func(cells map[string]string) string {
		out := make([]string, 0, len(heads))
		for _, head := range heads {
			out = append(out, `"`+strings.ReplaceAll(cells[head], `"`, `""`)+`"`)
		}
		return strings.Join(out, ",") + "\n"
	}
	head := strings.Join(heads, ",") + "\n"
	throughImport(t, h, token, "enterprises", "已有.csv", []byte("\ufeff"+head+line(with("北京麦香烘焙有限公司", code(100)))), "refuse", nil)
	text := head
	for _, r := range rows {
		text += line(r.cells)
	}
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	v, got := throughImport(t, h, token, "enterprises", "脏数据.csv", []byte(gbk), "refuse", nil)
	id := int(v["id"].(float64))
	count := map[string]int{}
	for i, r := range rows {
		row := got[i+2]
		if row == nil {
			t.Errorf("%s: the row is not accounted for", r.what)
			continue
		}
		_, problem, message := problemOf(row)
		count[r.state]++
		if row["state"] != r.state || r.code != "*" && problem != r.code || (r.state != "good") != (message != "") {
			t.Errorf("%s: %v %s %q, want %s %s", r.what, row["state"], problem, message, r.state, r.code)
		}
	}
	if v["state"] != "checked" || v["canPublish"] == true || int(v["good"].(float64)) != count["good"] || int(v["bad"].(float64)) != count["bad"] || int(v["review"].(float64)) != count["review"] {
		t.Fatalf("%v, want %v", v, count)
	}
	path := fmt.Sprintf("/api/imports/%d", id)
	if status, _ := ask(t, h, "POST", path+"/publish", token, "{}"); status != 409 {
		t.Errorf("published with rows to decide: %d", status)
	}
	for _, body := range []string{`{"flag":"NEAR_CODE","accept":false}`, `{"flag":"QUALITY","accept":true}`} {
		if status, text := ask(t, h, "POST", path+"/decisions", token, body); status != 200 {
			t.Fatalf("%s: %d %s", body, status, text)
		}
	}
	if status, text := ask(t, h, "POST", path+"/publish", token, "{}"); status != 200 {
		t.Fatalf("publish: %d %s", status, text)
	}
	if worked, err := h.imports.Step(t.Context()); !worked || err != nil {
		t.Fatal(worked, err)
	}
	_, text = ask(t, h, "GET", path, token, "")
	var done struct {
		State                                                  string
		Read, Created, Updated, Refused, Skipped, Bad, Dropped int
	}
	if err := json.Unmarshal([]byte(text), &done); err != nil {
		t.Fatal(err)
	}
	if done.State != "done" || done.Read != len(rows) || done.Created+done.Updated+done.Refused+done.Skipped+done.Bad+done.Dropped != len(rows) || done.Dropped != 2 {
		t.Errorf("%s", text)
	}
	var companies int
	if err := h.db.Read().NewRaw("SELECT count(*) FROM enterprises WHERE credit_code IS NOT NULL").Scan(t.Context(), &companies); err != nil || companies != done.Created+1 {
		t.Errorf("%d companies for %d that were added: %v", companies, done.Created, err)
	}
	status, text := ask(t, h, "GET", fmt.Sprintf("/api/quality-scores/%d", id), token, "")
	if status != 200 || !strings.Contains(text, `"code":"unique"`) || !strings.Contains(text, `"name":"完整性"`) {
		t.Errorf("the score: %d %s", status, text)
	}
}

// validOld is ISO 7064 MOD 11,10 as the standard writes it.
func validOld(s string) bool {
	p := 10
	for i := range 14 {
		if p = (p + int(s[i]-'0')) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (p+int(s[14]-'0'))%10 == 1
}
