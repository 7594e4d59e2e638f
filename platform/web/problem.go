package web

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Problem is every error the server answers with (RFC 9457), JSON or page.
type Problem struct {
	Type       string        `json:"type"`
	Title      string        `json:"title"`
	Status     int           `json:"status"`
	Code       string        `json:"code" doc:"Stable; a client may switch on it."`
	Detail     string        `json:"detail" doc:"Chinese sentence for the person: what is wrong and what to do."`
	Errors     []fault.Field `json:"errors,omitempty"`
	TraceID    string        `json:"traceId"`
	RetryAfter int           `json:"retryAfter,omitempty"`
}

// Error returns the code and sentence.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus makes Problem a huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes Huma answer application/problem+json.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders tells the client when to come back.
func (p *Problem) GetHeaders() http.Header {
	if p.RetryAfter == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(p.RetryAfter)}}
}

var statuses = map[fault.Kind]int{
	fault.Invalid: 422, fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409, fault.TooMany: 429,
	fault.TooLarge: 413, fault.Unavailable: 503, fault.Internal: 500, fault.BadRequest: 400, fault.BadMethod: 405, fault.BadMedia: 415, fault.BadRange: 416,
	fault.BadHeader: 431, fault.BadAddress: 414,
}

func problem(f *fault.Fault, trace string) *Problem {
	status := statuses[f.Kind]
	if status == 0 {
		status = 500
	}
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Code, Detail: f.Message,
		Errors: f.Fields, TraceID: trace, RetryAfter: f.RetryAfter,
	}
}

// The faults of a request that no module saw.
var (
	errNoRoute   = fault.New(fault.NotFound, "NOT_FOUND", "您访问的页面不存在，请检查网址，或从首页重新进入")
	errMethod    = fault.New(fault.BadMethod, "METHOD_NOT_ALLOWED", "此地址不支持这种操作，请从页面上重新操作")
	errBody      = tooLarge(bodyLimit)
	errHeader    = fault.New(fault.BadRequest, "BAD_REQUEST", "请求无法识别，请刷新页面后重试")
	errBadJSON   = fault.New(fault.BadRequest, "BAD_JSON", "提交的内容格式不正确，请刷新页面后重试")
	errInvalid   = fault.New(fault.Invalid, "INVALID_INPUT", "填写的内容有误，请按提示修改后再提交")
	errMediaType = fault.New(fault.BadMedia, "UNSUPPORTED_MEDIA", "不支持这种内容格式，请使用 JSON 提交")
	errRange     = fault.New(fault.BadRange, "RANGE_NOT_SATISFIABLE", "请求的部分超出文件范围，请重新下载")
	errTimeout   = fault.New(fault.Unavailable, "TIMEOUT", "处理时间过长，请稍后重试").After(5)
)

// fromStatus gives a status that a library chose its fault.
func fromStatus(status int) *fault.Fault {
	switch status {
	case 404:
		return errNoRoute
	case 405:
		return errMethod
	case 413:
		return errBody
	case 415, 406:
		return errMediaType
	case 431:
		return errHeaders
	case 401:
		return fault.ErrUnauthorized
	case 403:
		return fault.ErrForbidden
	case 422:
		return errInvalid
	case 408, 503, 504:
		return errTimeout
	}
	if status >= 400 && status < 500 {
		return errHeader
	}
	return fault.ErrInternal
}

// toFault finds what to tell the person about err.
func toFault(ctx context.Context, err error) *fault.Fault {
	return database.Truth(ctx, faultOf(ctx, err))
}

func faultOf(ctx context.Context, err error) *fault.Fault {
	if f, ok := fault.As(err); ok {
		return f
	}
	if f, ok := fault.As(context.Cause(ctx)); ok { // the request was ended for this
		return f.Wrap(err)
	}
	if f, ok := fault.As(database.Classify(err)); ok {
		return f
	}
	var fe *fiber.Error
	if errors.As(err, &fe) {
		return fromStatus(fe.Code).Wrap(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errTimeout.Wrap(err)
	}
	return fault.ErrInternal.Wrap(err)
}

// logFault writes what the person is not shown, once.
func (s *Server) logFault(trace, method, path string, f *fault.Fault) {
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		s.opts.Log.Error("failed", "trace", trace, "method", method, "path", path, "code", f.Code, "error", fmt.Sprint(f.Err))
	}
}

// handleError answers every failure outside Huma, Fiber's own among them.
func (s *Server) handleError(c *fiber.Ctx, err error) error {
	trace := TraceID(c.UserContext())
	arrived := trace != "" // a browser's spare connection that never asked for anything times out without being a failure
	if !arrived {          // before any middleware, as for a body that is too large
		trace = newTrace()
		s.headers(c, trace)
	}
	f := toFault(c.UserContext(), err)
	if f.Code != errTimeout.Code || arrived {
		s.logFault(trace, c.Method(), c.Path(), f)
	}
	p := problem(f, trace)
	c.Status(p.Status)
	if p.RetryAfter > 0 {
		c.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if wantsPage(c) {
		if s.opts.ErrorPage != nil {
			if err := s.opts.ErrorPage(c, p); err == nil {
				return nil
			}
		}
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		return c.SendString("<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>" + html.EscapeString(p.Detail) +
			"</title><p>" + html.EscapeString(p.Detail) + "</p><p>编号 " + p.TraceID + "</p><p><a href=\"/\">返回首页</a></p></html>")
	}
	if err := c.JSON(p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return nil
}

func wantsPage(c *fiber.Ctx) bool {
	p := c.Path()
	if strings.HasPrefix(p, "/api/") || strings.HasPrefix(p, "/open/") || strings.HasPrefix(p, "/open311/") || p == "/healthz" || p == "/readyz" || p == "/metrics" {
		return false
	}
	return strings.Contains(c.Get("Accept"), "text/html")
}

func stack() string { return string(debug.Stack()) }

var prepareOnce sync.Once

// prepareHuma makes Huma speak as we do. Its hooks are package variables, set once before the first operation.
func prepareHuma() {
	prepareOnce.Do(func() {
		huma.NewErrorWithContext = func(hc huma.Context, status int, msg string, errs ...error) huma.StatusError {
			var r *request
			if hc != nil {
				r = requestOf(hc.Context())
			}
			p := humaProblem(r, status, msg, errs)
			if hc != nil && p.RetryAfter > 0 { // Huma asks only errors of its own for headers
				hc.SetHeader("Retry-After", strconv.Itoa(p.RetryAfter))
			}
			return p
		}
		huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
			return humaProblem(nil, status, msg, errs)
		}
		chineseValidation()
		huma.DefaultArrayNullable = false // our lists are empty, never null
	})
}

func humaProblem(r *request, status int, msg string, errs []error) *Problem {
	f, ours := fromStatus(status), false
	for _, err := range errs {
		if err == nil {
			continue
		}
		if own, ok := fault.As(err); ok {
			f, ours = database.Truth(r.context(), own), true
			break
		}
		if status >= 500 {
			f = toFault(r.context(), err)
			break
		}
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			detail := d.ErrorDetail()
			if strings.HasPrefix(detail.Location, "path.") {
				f = errNoRoute // an address with no number where one belongs leads nowhere
				break
			}
			f = blame(f, detail)
		}
	}
	if status == 400 && !ours && f.Kind == fault.BadRequest && (len(f.Fields) == 0 || f.Fields[0].Name == "body") {
		f = errBadJSON // Huma's only other 400s name a parameter
	}
	if status >= 500 && f.Err == nil {
		f = f.Wrap(errors.New(msg))
	}
	trace := ""
	if r != nil {
		trace = r.trace
		if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			r.log.Error("failed", "trace", trace, "method", r.method, "path", r.path, "code", f.Code, "error", fmt.Sprint(f.Err))
		}
	}
	return problem(f, trace)
}

// blame adds what Huma found wrong with one input. The first gives the fault its code.
func blame(f *fault.Fault, detail *huma.ErrorDetail) *fault.Fault {
	message := detail.Message
	if ours, ok := spoken[message]; ok {
		message = ours
	}
	c := *f
	if len(f.Fields) == 0 {
		switch message {
		case validation.MsgUnexpectedProperty:
			c = *errUnknown
		case validation.MsgExpectedNumber, validation.MsgExpectedInteger:
			c = *errBadNumber
		case validation.MsgExpectedRFC3339Date, validation.MsgExpectedRFC3339DateTime:
			c = *errBadDate
		}
	}
	c.Fields = append(append([]fault.Field(nil), f.Fields...), fault.Field{Name: fieldName(detail.Location), Message: message})
	return &c
}

// spoken translates what Huma says of parameters, which it does not let us word.
var spoken = map[string]string{
	"invalid integer": "应为整数", "invalid float": "应为数字", "invalid floating value": "应为数字", "invalid boolean": "应为是或否",
	"required query parameter is missing": "缺少必填的查询条件", "required header parameter is missing": "缺少必填的请求头",
}

// fieldName turns Huma's "body.requester.phone" into the name the form knows.
func fieldName(location string) string {
	for _, prefix := range []string{"body.", "query.", "path.", "header."} {
		if rest, ok := strings.CutPrefix(location, prefix); ok {
			return rest
		}
	}
	return location
}

func chineseValidation() {
	validation.MsgUnexpectedProperty = "不认识的字段"
	validation.MsgExpectedRFC3339DateTime = "应为日期时间，如 2026-11-22T14:05:00+08:00"
	validation.MsgExpectedRFC3339Date = "应为日期，如 2026-11-22"
	validation.MsgExpectedRegexp = "不是有效的表达式：%v"
	validation.MsgExpectedBoolean = "应为是或否"
	validation.MsgExpectedNumber = "应为数字"
	validation.MsgExpectedInteger = "应为整数"
	validation.MsgExpectedString = "应为文字"
	validation.MsgExpectedArray = "应为列表"
	validation.MsgExpectedObject = "应为一组字段"
	validation.MsgExpectedArrayItemsUnique = "列表中有重复项"
	validation.MsgExpectedOneOf = "应为以下之一：%s"
	validation.MsgExpectedMinimumNumber = "不能小于 %v"
	validation.MsgExpectedExclusiveMinimumNumber = "应大于 %v"
	validation.MsgExpectedMaximumNumber = "不能大于 %v"
	validation.MsgExpectedExclusiveMaximumNumber = "应小于 %v"
	validation.MsgExpectedMinLength = "至少填写 %d 个字"
	validation.MsgExpectedMaxLength = "不能超过 %d 个字"
	validation.MsgExpectedBePattern = "格式应为 %s"
	validation.MsgExpectedMatchPattern = "格式应符合 %s"
	validation.MsgExpectedMinItems = "至少选择 %d 项"
	validation.MsgExpectedMaxItems = "最多选择 %d 项"
	validation.MsgExpectedRequiredProperty = "缺少必填项 %s"
	validation.MsgExpectedDependentRequiredProperty = "缺少必填项 %s（填写 %s 时必填）"
}

// ruleKey is where an operation carries its rule in the interface document.
const ruleKey = "x-access"

// checkRule refuses whoever the operation's declaration does not let in, and every operation without one.
func (s *Server) checkRule(hc huma.Context, next func(huma.Context)) {
	rule, ok := hc.Operation().Extensions[ruleKey].(access.Rule)
	err := error(fault.ErrForbidden)
	if ok {
		err = rule.Check(access.From(hc.Context()))
	}
	if err != nil {
		f, _ := fault.As(err)
		_ = huma.WriteErr(s.API, hc, statuses[f.Kind], f.Message, f)
		return
	}
	next(hc)
}
