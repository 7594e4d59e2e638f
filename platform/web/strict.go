package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/huiqi/huiqi/platform/fault"
)

// What one request may hold before it is read further.
const (
	maxDepth   = 32      // of JSON
	maxQuery   = 100     // parameters of an address
	maxFields  = 1000    // fields of a form
	maxHeaders = 100     // lines
	maxAddress = 8 << 10 // bytes
)

// largest is the largest whole number that every client keeps exactly (RFC 7493 §2.2); identifiers and money stay below it.
const largest = 1<<53 - 1

// The faults of a request that says something no field can hold.
var (
	errTooDeep   = fault.New(fault.BadRequest, "TOO_DEEP", fmt.Sprintf("提交的内容嵌套超过 %d 层，请减少层级后重新提交", maxDepth))
	errUnknown   = fault.New(fault.BadRequest, "UNKNOWN_FIELD", "提交的内容中有不认识的字段，请刷新页面后重试")
	errBadText   = fault.New(fault.Invalid, "BAD_TEXT", "文字中含有无法识别的字符，请重新输入")
	errBadNumber = fault.New(fault.Invalid, "BAD_NUMBER", "数字填写有误，请填写半角数字，且不要超出允许的范围")
	errBadDate   = fault.New(fault.Invalid, "BAD_DATE", "日期填写有误，请按 2026-11-22 的格式填写")
	errBadQuery  = fault.New(fault.BadRequest, "BAD_FORM", "提交的参数过多或格式不正确，请从页面上重新操作")
	errEncoding  = errMediaType.With("内容的编码无法识别，请使用 UTF-8 编码提交")
	errHeaders   = fault.New(fault.BadHeader, "HEADERS_TOO_LARGE", "请求头或网址过长，请清除浏览器 Cookie 后重试，或从首页重新进入")
	errAddress   = fault.New(fault.BadAddress, "ADDRESS_TOO_LONG", "网址过长，请减少查询条件，或从首页重新进入")
)

// lengthHeader is a length beside which nothing else may say where a body ends: what stands before us might believe the one
// while we believe the other, and take the rest for another request (RFC 9112 §6.3).
var lengthHeader = regexp.MustCompile(`(?im)^content-length[ \t]*:`)

// bound refuses what is out of all proportion before anything is looked up: methods nobody uses, addresses,
// headers and parameters.
func (s *Server) bound(c *fiber.Ctx) error {
	req := c.Request()
	if m := c.Method(); m == fiber.MethodTrace || m == fiber.MethodConnect {
		return errMethod
	}
	if req.Header.ContentLength() < 0 && lengthHeader.Match(req.Header.RawHeaders()) { // chunked as well
		return errHeader
	}
	if err := goodArgs(req.URI().QueryArgs(), maxQuery); err != nil {
		return err
	}
	switch {
	case len(req.Header.RequestURI()) > maxAddress:
		return errAddress
	case req.Header.Len() > maxHeaders:
		return errHeaders
	}
	return c.Next()
}

// boundForm is bound for the fields of a form, which is read by then.
func (s *Server) boundForm(c *fiber.Ctx) error {
	if strings.HasPrefix(c.Path(), "/open311/") { // attribute[code]=value is the standard's own; the module bounds it
		return nil
	}
	if bytes.HasPrefix(c.Request().Header.ContentType(), []byte(fiber.MIMEApplicationForm)) {
		return goodArgs(c.Request().PostArgs(), maxFields)
	}
	return nil
}

// goodArgs refuses too many parameters, names that ask for a structure (a[9999999]=1), and text that is none.
func goodArgs(args *fasthttp.Args, most int) error {
	if args.Len() > most {
		return errBadQuery
	}
	for key, value := range args.All() {
		switch {
		case !utf8.Valid(key) || bytes.ContainsAny(key, "[]\x00"):
			return errBadQuery
		case !utf8.Valid(value) || bytes.IndexByte(value, 0) >= 0:
			return errBadText.On(string(key))
		}
	}
	return nil
}

// checkBody refuses JSON that a lenient reader would bend into something else: duplicate names, broken text, numbers that
// lose digits, endless nesting. Text in another declared encoding is turned into UTF-8.
func (s *Server) checkBody(hc huma.Context, next func(huma.Context)) {
	if hc.Operation().RequestBody == nil {
		next(hc)
		return
	}
	if err := strictBody(humafiber.UnwrapV2(hc)); err != nil {
		f, _ := fault.As(err)
		_ = huma.WriteErr(s.API, hc, statuses[f.Kind], f.Message, f)
		return
	}
	next(hc)
}

func strictBody(c *fiber.Ctx) error {
	body := bytes.Clone(c.Request().Body())
	defer func() { c.Request().SetBodyStream(bytes.NewReader(body), len(body)) }() // what was read is there to be read again
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if len(body) > 0 && (err != nil || kind != fiber.MIMEApplicationJSON && !strings.HasSuffix(kind, "+json")) {
		return errMediaType
	}
	utf16 := bytes.HasPrefix(body, []byte{0xff, 0xfe}) || bytes.HasPrefix(body, []byte{0xfe, 0xff})
	switch charset := strings.ToLower(params["charset"]); {
	case charset == "" || charset == "utf-8" || charset == "utf8":
		if utf16 {
			return errEncoding
		}
	default:
		enc, err := htmlindex.Get(charset)
		if err != nil {
			return errEncoding.Wrap(err)
		}
		if body, _, err = transform.Bytes(unicode.BOMOverride(enc.NewDecoder()), body); err != nil {
			return errEncoding.Wrap(err)
		}
		c.Request().Header.SetContentType(kind)
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(body)) == 0 {
		return nil // whether a body is needed, the operation says
	}
	return strictJSON(body)
}

// strictJSON returns the first fault of body, nil when it says one thing only (RFC 7493).
func strictJSON(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		t, err := d.ReadToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return syntaxFault(body, err)
		}
		switch t.Kind() {
		case '{', '[':
			if d.StackDepth() > maxDepth {
				return errTooDeep
			}
		case '"':
			if strings.IndexByte(t.String(), 0) >= 0 {
				return errBadText.On(fieldAt(d.StackPointer()))
			}
		case '0':
			text := t.String()
			n, err := strconv.ParseFloat(text, 64)
			if err != nil || math.Abs(n) > largest || n == 0 && text[0] == '-' {
				return errBadNumber.On(fieldAt(d.StackPointer()))
			}
		}
	}
}

// syntaxFault says what is wrong with body, and where.
func syntaxFault(body []byte, err error) error {
	var e *jsontext.SyntacticError
	if !errors.As(err, &e) {
		return errBadJSON.Wrap(err)
	}
	field := fieldAt(e.JSONPointer)
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return errUnknown.With("字段 %s 出现了两次，请只填写一次后重新提交", field).On(field)
	}
	at := min(int(e.ByteOffset), len(body))
	rest := body[at:]
	r, size := utf8.DecodeRune(rest)
	switch {
	case r == utf8.RuneError && size == 1, loneSurrogate(rest):
		return errBadText.On(field)
	case notANumber(rest):
		return errBadNumber.On(field)
	}
	line := 1 + bytes.Count(body[:at], []byte("\n"))
	column := 1 + utf8.RuneCount(body[bytes.LastIndexByte(body[:at], '\n')+1:at])
	return errBadJSON.With("提交的内容不是完整的 JSON：第 %d 行第 %d 个字符处无法识别，请更正后重新提交", line, column).Wrap(err)
}

// loneSurrogate reports an escape of half a character.
func loneSurrogate(b []byte) bool {
	return len(b) >= 4 && b[0] == '\\' && b[1] == 'u' && (b[2] == 'd' || b[2] == 'D') && strings.IndexByte("89abAB"+"cdefCDEF", b[3]) >= 0
}

// notANumber reports what other languages write for a number and JSON does not have.
func notANumber(b []byte) bool {
	for _, word := range []string{"NaN", "Infinity", "-Infinity", "+", "."} {
		if bytes.HasPrefix(b, []byte(word)) {
			return true
		}
	}
	return len(b) > 1 && b[0] == '0' && b[1] >= '0' && b[1] <= '9'
}

// fieldAt turns /requester/phones/0 into the name the form knows: requester.phones[0].
func fieldAt(p jsontext.Pointer) string {
	var b strings.Builder
	for name := range p.Tokens() {
		if _, err := strconv.Atoi(name); err == nil {
			b.WriteString("[" + name + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	if name := b.String(); len(name) <= 200 && utf8.ValidString(name) {
		return name
	}
	return ""
}
