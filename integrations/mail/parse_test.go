package mail_test

import (
	"encoding/base64"
	"fmt"
	"mime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/huiqi/huiqi/integrations/mail"
)

func gbk(s string) string {
	out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

func lines(list ...string) []byte { return []byte(strings.Join(list, "\r\n")) }

func TestParse(t *testing.T) {
	t.Parallel()
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		name string
		raw  []byte
		ok   func(p mail.Parsed) bool
	}{
		{"plain", lines("From: =?utf-8?B?"+b64("王芳")+"?= <wang@example.com>", "To: suqiu@example.gov.cn, b@example.com", "Message-ID: <a1@example.com>", "In-Reply-To: <x@y> <z@w>", "References: <r@s>",
			"Subject: =?utf-8?Q?=E6=AC=A0=E8=96=AA?=", "", "三个月", "没发工资"), func(p mail.Parsed) bool {
			return p.From == "wang@example.com" && p.Name == "王芳" && p.MessageID == "a1@example.com" && p.Subject == "欠薪" && p.Text == "三个月\n没发工资" &&
				slices.Equal(p.References, []string{"x@y", "z@w", "r@s"}) && len(p.To) == 2 && p.Machine == "" && p.Trouble == ""
		}},
		{"gbk, declared, base64", lines("From: a@b.cn", "Subject: =?gbk?B?"+b64(gbk("路灯不亮"))+"?=", "Content-Type: text/plain; charset=gbk", "Content-Transfer-Encoding: base64", "", b64(gbk("门口路灯不亮，请维修"))),
			func(p mail.Parsed) bool {
				return p.Subject == "路灯不亮" && p.Text == "门口路灯不亮，请维修"
			}},
		{"gb18030 without a word of it", lines("From: \""+gbk("李明")+"\" <li@b.cn>", "Subject: "+gbk("井盖松动"), "", gbk("新华西街井盖松动")),
			func(p mail.Parsed) bool {
				return p.Subject == "井盖松动" && p.Text == "新华西街井盖松动" && p.Name == "李明"
			}},
		{"html only", lines("From: a@b.cn", "Content-Type: text/html; charset=utf-8", "", "<html><head><title>x</title><style>p{}</style></head><body><p>第一段 &amp; 更多</p><script>alert(1)</script><div>第二段<br>第三行</div></body></html>"),
			func(p mail.Parsed) bool { return p.Text == "第一段 & 更多\n\n第二段\n第三行" }},
		{"alternative with a file", lines("From: a@b.cn", "Content-Type: multipart/mixed; boundary=B", "", "--B", "Content-Type: multipart/alternative; boundary=C", "", "--C", "Content-Type: text/plain; charset=utf-8",
			"Content-Transfer-Encoding: quoted-printable", "", "=E6=AD=A3=E6=96=87", "--C", "Content-Type: text/html", "", "<b>正文</b>", "--C--", "--B", "Content-Type: application/pdf; name=\""+mime.BEncoding.Encode("utf-8", "合同.pdf")+"\"",
			"Content-Disposition: attachment; filename*=utf-8''%E5%90%88%E5%90%8C.pdf", "Content-Transfer-Encoding: base64", "", b64("%PDF-1.4"), "--B--"),
			func(p mail.Parsed) bool {
				return p.Text == "正文" && len(p.Files) == 1 && p.Files[0].Name == "合同.pdf" && string(p.Files[0].Content) == "%PDF-1.4"
			}},
		{"automatic answer", lines("From: a@b.cn", "Auto-Submitted: auto-replied", "", "x"), func(p mail.Parsed) bool { return strings.Contains(p.Machine, "自动") }},
		{"no automatic answer", lines("From: a@b.cn", "Auto-Submitted: no", "", "x"), func(p mail.Parsed) bool { return p.Machine == "" }},
		{"bounce", lines("From: MAILER-DAEMON@b.cn", "Content-Type: multipart/report; report-type=delivery-status; boundary=B", "", "--B", "", "x", "--B--"), func(p mail.Parsed) bool { return strings.Contains(p.Machine, "退信") }},
		{"list", lines("From: a@b.cn", "List-Id: <l.b.cn>", "", "x"), func(p mail.Parsed) bool { return strings.Contains(p.Machine, "列表") }},
		{"cut short", lines("From: a@b.cn", "Content-Type: multipart/mixed; boundary=B", "", "--B", "Content-Type: text/plain", "", "前半"), func(p mail.Parsed) bool { return strings.Contains(p.Text, "前半") && p.From == "a@b.cn" }},
		{"unknown charset", lines("From: a@b.cn", "Content-Type: text/plain; charset=klingon", "", "你好"), func(p mail.Parsed) bool { return p.Text == "你好" }},
		{"no mail at all", []byte("\x00\x01\xff\xfe"), func(p mail.Parsed) bool { return p.From == "" && p.Machine == "" }},
		{"nothing", nil, func(p mail.Parsed) bool { return p.From == "" }},
	} {
		if p := mail.Parse(c.raw); !c.ok(p) {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

// TestParseBounds: no mail makes the reader work or remember without end.
func TestParseBounds(t *testing.T) {
	t.Parallel()
	deep := "From: a@b.cn\r\n"
	for i := range 60 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	if p := mail.Parse([]byte(deep + "Content-Type: text/plain\r\n\r\nx")); p.Trouble == "" {
		t.Errorf("sixty deep: %+v", p)
	}
	many := "From: a@b.cn\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n" + strings.Repeat("--B\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n", 500) + "--B--"
	if p := mail.Parse([]byte(many)); len(p.Files) > 20 || p.Trouble == "" {
		t.Errorf("500 files: %d %s", len(p.Files), p.Trouble)
	}
	if p := mail.Parse(lines("From: a@b.cn", "Content-Type: text/html", "", strings.Repeat("<div>长文", 200_000))); len(p.Text) > 220<<10 {
		t.Errorf("%d bytes of text", len(p.Text))
	}
	if p := mail.Parse(lines("From: a@b.cn", "", strings.Repeat("长", 300_000))); len(p.Text) > 200<<10 || p.Trouble == "" {
		t.Errorf("%d bytes of text", len(p.Text))
	}
}
