package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // GBK, GB18030, Big5 and the others that people write in
	"golang.org/x/net/html"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Attachment is a file that came with a mail.
type Attachment struct {
	Name    string
	Content []byte
}

// Parsed is a mail as it was understood. What cannot be understood is left out, and Trouble says so in Chinese; a mail is
// never refused for its form.
type Parsed struct {
	MessageID  string
	References []string // of In-Reply-To and References, without brackets
	From, Name string   // the bare address, and the name beside it
	To         []string // bare addresses of To, Cc and Delivered-To
	Subject    string
	Text       string // of the plain part, else of the HTML without its marks
	Files      []Attachment
	// Machine says in Chinese what shows that no person wrote it; "" for a person's.
	Machine string
	Trouble string
}

// The bounds of one mail.
const (
	mostParts = 100
	mostDepth = 10
	mostText  = 200 << 10
	mostFiles = 20
)

// Parse reads a mail. It returns what could be read of anything at all.
func Parse(raw []byte) Parsed {
	var p Parsed
	entity, err := message.Read(bytes.NewReader(raw))
	if entity == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		p.Trouble, p.Subject = "邮件格式无法识别", "（无法识别的邮件）"
		p.Text = truncate(toText(raw, ""), mostText)
		return p
	}
	h := entity.Header
	p.MessageID = strings.Trim(strings.TrimSpace(h.Get("Message-Id")), "<>")
	for _, id := range bracketed.FindAllStringSubmatch(h.Get("In-Reply-To")+" "+h.Get("References"), 100) {
		p.References = append(p.References, id[1])
	}
	p.From, p.Name = address(h.Get("From"))
	for _, key := range []string{"To", "Cc", "Delivered-To", "X-Original-To"} {
		for fields := h.FieldsByKey(key); fields.Next(); {
			list, err := parser.ParseList(fields.Value())
			if err != nil {
				continue
			}
			for _, a := range list {
				p.To = append(p.To, a.Address)
			}
		}
	}
	p.Subject = words(h.Get("Subject"))
	p.Machine = machine(h, p.From)
	r := reading{p: &p}
	r.walk(entity, 0)
	if strings.TrimSpace(r.plain.String()) != "" {
		p.Text = r.plain.String()
	} else {
		p.Text = r.html.String()
	}
	p.Text = strings.TrimSpace(strings.ReplaceAll(p.Text, "\r\n", "\n"))
	return p
}

var (
	bracketed = regexp.MustCompile(`<([^<>\s]{1,500})>`)
	decoder   = &mime.WordDecoder{CharsetReader: message.CharsetReader}
	parser    = &mail.AddressParser{WordDecoder: decoder}
)

// words decodes a header that may be encoded, or sent as raw GBK.
func words(s string) string {
	if !utf8.ValidString(s) {
		s = toText([]byte(s), "gb18030")
	}
	if out, err := decoder.DecodeHeader(s); err == nil {
		return out
	}
	return s
}

func address(value string) (addr, name string) {
	if !utf8.ValidString(value) {
		value = toText([]byte(value), "gb18030")
	}
	a, err := parser.Parse(value)
	if err != nil {
		if m := bracketed.FindStringSubmatch(value); m != nil && strings.Contains(m[1], "@") {
			return m[1], ""
		}
		return "", ""
	}
	return a.Address, a.Name
}

// machine looks for what automatic answers, bounces and lists say of themselves (RFC 3834, RFC 2369, RFC 3464).
func machine(h message.Header, from string) string {
	auto := strings.ToLower(strings.TrimSpace(h.Get("Auto-Submitted")))
	kind, params, _ := h.ContentType()
	name, _, _ := strings.Cut(strings.ToLower(from), "@")
	switch {
	case auto != "" && !strings.HasPrefix(auto, "no"):
		return "自动回复（Auto-Submitted）"
	case h.Get("X-Autoreply") != "" || h.Get("X-Autorespond") != "" || strings.Contains(strings.ToLower(h.Get("X-Auto-Response-Suppress")), "all"):
		return "自动回复"
	case kind == "multipart/report" || params["report-type"] != "" || strings.TrimSpace(h.Get("Return-Path")) == "<>" || name == "mailer-daemon" || name == "postmaster":
		return "退信或投递报告"
	case h.Get("List-Id") != "" || h.Get("List-Unsubscribe") != "" || h.Get("List-Post") != "":
		return "邮件列表或群发邮件"
	case strings.EqualFold(h.Get("Precedence"), "bulk") || strings.EqualFold(h.Get("Precedence"), "list") || strings.EqualFold(h.Get("Precedence"), "junk") ||
		strings.EqualFold(h.Get("Precedence"), "auto_reply"):
		return "群发邮件（Precedence）"
	}
	return ""
}

// reading is one walk through the parts of a mail.
type reading struct {
	p           *Parsed
	plain, html strings.Builder
	parts       int
}

func (r *reading) trouble(s string) {
	if r.p.Trouble == "" {
		r.p.Trouble = s
	}
}

func (r *reading) walk(e *message.Entity, depth int) {
	if r.parts++; r.parts > mostParts || depth > mostDepth {
		r.trouble("邮件结构过于复杂，只读取了一部分")
		return
	}
	if parts := e.MultipartReader(); parts != nil {
		defer parts.Close()
		for {
			part, err := parts.NextPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if part == nil {
				r.trouble("邮件残缺，只读取了一部分")
				return
			}
			r.walk(part, depth+1)
			if r.parts > mostParts {
				return
			}
		}
	}
	kind, params, err := e.Header.ContentType()
	if err != nil || kind == "" {
		kind = "text/plain"
	}
	disposition, dparams, _ := e.Header.ContentDisposition()
	name := words(orElse(dparams["filename"], params["name"]))
	content, err := io.ReadAll(io.LimitReader(e.Body, MostBytes))
	if err != nil && !message.IsUnknownCharset(err) {
		r.trouble("邮件残缺，只读取了一部分")
	}
	isText := kind == "text/plain" || kind == "text/html"
	switch {
	case isText && disposition != "attachment" && name == "" || isText && r.plain.Len() == 0 && r.html.Len() == 0 && disposition != "attachment":
		text := toText(content, "")
		if kind == "text/html" {
			r.html.WriteString(plainOf(text))
			return
		}
		if r.plain.Len()+len(text) > mostText {
			r.trouble("邮件正文过长，只读取了一部分")
			text = truncate(text, mostText-r.plain.Len())
		}
		r.plain.WriteString(text + "\n")
	case len(content) == 0:
	case len(r.p.Files) == mostFiles:
		r.trouble("附件过多，只读取了一部分")
	default:
		if name == "" {
			ext := ""
			if list, err := mime.ExtensionsByType(kind); err == nil && len(list) > 0 {
				ext = list[0]
			}
			name = "附件" + ext
		}
		r.p.Files = append(r.p.Files, Attachment{name, content})
	}
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}

// toText makes valid UTF-8 of bytes whose charset was not told, or told wrongly: here that is GB18030, which GBK is part of.
func toText(b []byte, charset string) string {
	if charset == "" && utf8.Valid(b) {
		return string(b)
	}
	if out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b); err == nil && utf8.Valid(out) {
		return string(out)
	}
	return strings.ToValidUTF8(string(b), "�")
}

func truncate(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// plainOf is the text of HTML: no marks, no scripts, a line for each block. It reads at most mostText of it.
func plainOf(s string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	hidden := 0
	for b.Len() < mostText {
		switch z.Next() {
		case html.ErrorToken:
			return tidy(b.String())
		case html.TextToken:
			if hidden == 0 {
				b.WriteString(strings.Join(strings.Fields(string(z.Text())), " ") + " ")
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "title", "head":
				hidden++
			case "br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote":
				b.WriteString("\n")
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "title", "head":
				hidden = max(0, hidden-1)
			case "p", "div", "tr":
				b.WriteString("\n")
			}
		}
	}
	return tidy(truncate(b.String(), mostText))
}

var blanks = regexp.MustCompile(`\n{3,}`)

func tidy(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.TrimSpace(blanks.ReplaceAllString(strings.Join(lines, "\n"), "\n\n"))
}
